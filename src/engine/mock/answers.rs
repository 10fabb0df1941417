//! What a question is answered with: a template of the user's, a recorded answer of a project, or an article.
//!
//! Promises the same answer to the same question, unless a template uses `n` or repeats were recorded apart.

use std::collections::HashMap;
use std::fmt;

use minijinja::{Environment, UndefinedBehavior, context};

use super::question::Question;
use super::{article, number};
use crate::prompt::Rendered;
use crate::response::{FinishReason, Response, Usage};

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Template,
    Recorded,
    Article,
}

/// The name under which the only template is kept.
const TEMPLATE: &str = "answer";

/// Everything that questions can be answered with.
#[derive(Debug, Default)]
pub struct Answers {
    template: Option<Environment<'static>>,
    recorded: HashMap<Rendered, Vec<Recording>>,
    seed: u64,
}

/// The answers of one model to one prompt, the repeats in their order.
#[derive(Debug)]
struct Recording {
    model: String,
    repeats: Vec<Response>,
}

/// Why a template is of no use.
#[derive(Debug)]
pub struct TemplateError(minijinja::Error);

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.0.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        let line = self.0.line().map(|line| format!(" (line {line})")).unwrap_or_default();
        write!(f, "{}{detail}{line}", self.0.kind())
    }
}

impl std::error::Error for TemplateError {}

impl Answers {
    /// No answers but articles; `seed` varies them.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The same, but every answer is made from a template that knows `prompt`, `system`, `model` and `n`, which says how
    /// often the same question was asked before.
    ///
    /// # Errors
    /// The template has a mistake, or uses a name that it does not know.
    pub fn from_template(self, source: String) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.add_template_owned(TEMPLATE, source).map_err(TemplateError)?;
        let trial = Rendered { system: None, user: String::new() };
        render(&environment, &trial, "", 0).map_err(TemplateError)?;
        Ok(Self { template: Some(environment), ..self })
    }

    /// Keeps what `model` answered to `prompt`, the repeats in their order.
    pub fn record(&mut self, prompt: Rendered, model: &str, repeats: Vec<Response>) {
        if !repeats.is_empty() {
            let recording = Recording { model: model.to_owned(), repeats };
            self.recorded.entry(as_sent(prompt)).or_default().push(recording);
        }
    }

    /// How many prompts have a recorded answer.
    pub fn recorded_prompts(&self) -> usize {
        self.recorded.len()
    }

    /// The answer to a question that was asked `nth` times before.
    ///
    /// # Errors
    /// The template fails for this question.
    pub(super) fn answer(&self, question: &Question, nth: u32) -> Result<(Response, Origin), TemplateError> {
        let of_text = |text| Response { text: Some(text), ..Response::default() };
        if let Some(environment) = &self.template {
            let text = render(environment, &question.prompt, &question.model, nth).map_err(TemplateError)?;
            return Ok((of_text(text), Origin::Template));
        }
        let parts = [
            &self.seed.to_le_bytes()[..],
            question.model.as_bytes(),
            question.prompt.system.as_deref().unwrap_or_default().as_bytes(),
            question.prompt.user.as_bytes(),
        ];
        let choice = number(&parts);
        if let Some(recordings) = self.recorded.get(&question.prompt) {
            let own = recordings.iter().find(|recording| recording.model == question.model);
            let recording = own.unwrap_or_else(|| pick(recordings, choice));
            return Ok((pick(&recording.repeats, u64::from(nth)).clone(), Origin::Recorded));
        }
        Ok((of_text(article::write(&question.prompt.user, choice)), Origin::Article))
    }
}

/// One of `items`, which must not be empty.
fn pick<T>(items: &[T], choice: u64) -> &T {
    &items[usize::try_from(choice % items.len() as u64).unwrap_or_default()]
}

/// A prompt as it arrives: a blank system text is not sent.
fn as_sent(prompt: Rendered) -> Rendered {
    Rendered { system: prompt.system.filter(|system| !system.trim().is_empty()), ..prompt }
}

fn render(environment: &Environment<'_>, prompt: &Rendered, model: &str, n: u32) -> Result<String, minijinja::Error> {
    let system = prompt.system.as_deref().unwrap_or_default();
    environment.get_template(TEMPLATE)?.render(context! { prompt => &prompt.user, system, model, n })
}

/// How an answer ends and what it counts, cut to the question's limit of tokens.
pub(super) fn limited(response: Response, question: &Question) -> Response {
    let Some(most) = question.max_tokens else { return response };
    let Some((text, end)) = response.text.as_deref().and_then(|text| Some((text, end_of(text, most)?))) else {
        return response;
    };
    let mut response = Response { text: Some(text[..end].to_owned()), usage: Usage::default(), ..response };
    response.finish.reason = FinishReason::Length;
    response
}

/// Where a text of more than `most` tokens is cut; counted as [`crate::provider::estimate_tokens`] does.
fn end_of(text: &str, most: u64) -> Option<usize> {
    let (mut ascii, mut others) = (0_u64, 0);
    text.char_indices().find_map(|(at, c)| {
        if c.is_ascii() {
            ascii += 1;
        } else {
            others += 1;
        }
        (ascii.div_ceil(4) + others > most).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::super::route::{Form, Protocol};
    use super::*;
    use crate::response::Finish;

    fn question(model: &str, user: &str) -> Question {
        let prompt = Rendered { system: None, user: user.to_owned() };
        Question {
            protocol: Protocol::OpenAi,
            model: model.to_owned(),
            prompt,
            form: Form::Whole,
            wants_usage: false,
            max_tokens: None,
            goes_on: false,
            digest: 0,
        }
    }

    fn text(answers: &Answers, model: &str, user: &str, nth: u32) -> String {
        answers.answer(&question(model, user), nth).unwrap().0.text.unwrap()
    }

    fn response(text: &str) -> Response {
        Response { text: Some(text.to_owned()), ..Response::default() }
    }

    #[test]
    fn a_template_knows_prompt_model_and_how_often_it_was_asked() {
        let answers = Answers::new(0).from_template("{{ model }}#{{ n }}「{{ prompt }}」".into()).unwrap();
        assert_eq!(text(&answers, "m", "量子", 2), "m#2「量子」");
        for (source, expected) in [
            ("a\n{{ promt }}", "undefined value: `promt` is undefined (line 2)"),
            ("{% if %}", "syntax error: unexpected end of block (line 1)"),
        ] {
            assert_eq!(Answers::new(0).from_template(source.into()).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_recorded_answer_is_found_by_its_prompt_and_perhaps_its_model() {
        let mut answers = Answers::new(0);
        let prompt = Rendered { system: Some(" ".into()), user: "量子".into() };
        answers.record(prompt.clone(), "a", vec![response("one"), response("two")]);
        answers.record(prompt, "b", vec![response("three")]);
        assert_eq!([0, 1, 2].map(|nth| text(&answers, "a", "量子", nth)), ["one", "two", "one"]);
        assert_eq!(text(&answers, "b", "量子", 5), "three");
        // A model without answers of its own has another's, always the same one's.
        let borrowed = text(&answers, "gpt", "量子", 0);
        assert!(["one", "three"].contains(&borrowed.as_str()));
        assert_eq!(borrowed, text(&answers, "gpt", "量子", 0));
        assert!(
            text(&answers, "a", "『別』", 0).starts_with("「別」")
                || text(&answers, "a", "『別』", 0).contains("「別」")
        );
    }

    #[test]
    fn the_seed_varies_the_articles() {
        let articles: Vec<String> = (0..8).map(|seed| text(&Answers::new(seed), "m", "『題』", 0)).collect();
        assert!(articles.iter().any(|article| *article != articles[0]));
        assert_eq!(articles[3], text(&Answers::new(3), "m", "『題』", 9));
    }

    #[test]
    fn an_answer_ends_at_the_limit_of_tokens() {
        let limit = |most| Question { max_tokens: Some(most), ..question("m", "p") };
        let cut = limited(response("量子の記事"), &limit(3));
        assert_eq!((cut.text.as_deref(), cut.finish.reason), (Some("量子の"), FinishReason::Length));
        let whole = limited(response("量子の記事"), &limit(5));
        assert_eq!((whole.text.as_deref(), whole.finish), (Some("量子の記事"), Finish::default()));
    }
}
