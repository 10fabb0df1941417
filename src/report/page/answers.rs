//! The texts of a page, a block a case: its source, the prompts as they were sent, each answer with its scores.
//!
//! Promises positions in Unicode scalar values, as everywhere, and one case's texts in memory at a time.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Value;

use super::matrix::Matrix;
use super::recurring::{Recurring, score_row};
use crate::case::{Case, Source};
use crate::diagnostic::TextFile;
use crate::outcome::{Attempt, CaseRecord, Outcome, Outcomes, Run, Status};
use crate::prompt::{Prompt, Rendered};
use crate::property::Property;
use crate::report::lang::{Lang, Words};
use crate::response::FailureKind;

/// The prompts of a run, as far as they can still be read.
pub(super) struct Prompts {
    prompts: Vec<Option<Prompt>>,
    /// Each as the first case has it: others are told by where they part from it.
    bases: Vec<PromptText>,
}

/// A longer prompt is no base: it would take the room of others.
const LONGEST_BASE: usize = 20_000;

impl Prompts {
    /// Parses them.
    pub(super) fn of(run: &Run) -> Self {
        let parse = |record: &crate::outcome::PromptRecord| {
            let file = TextFile::new(&format!("prompts/{}.md", record.id), record.text.clone());
            Prompt::parse(record.id.clone(), file).ok()
        };
        let prompts: Vec<Option<Prompt>> = run.header.prompts.iter().map(parse).collect();
        let case = run.header.cases.first().map(CaseRecord::as_it_was);
        let first = |prompt: &Option<Prompt>| prompt.as_ref()?.render(case.as_ref()?).ok();
        let bases = prompts.iter().map(|prompt| first(prompt).map(PromptText::base).unwrap_or_default());
        Self { bases: bases.collect(), prompts }
    }

    /// What the prompts of cases refer to.
    pub(super) fn bases(&self) -> &impl Serialize {
        &self.bases
    }

    /// Each with a case's values, as it parts from its base; `None` where it cannot be rendered.
    fn of_case(&self, case: &Case) -> Vec<Option<PromptDifference>> {
        let rendered = |(prompt, base): (&Option<Prompt>, &PromptText)| {
            let Rendered { system, user } = prompt.as_ref()?.render(case).ok()?;
            let system = system.map(|system| Difference::of(&base.system, &system));
            Some(PromptDifference { system, user: Difference::of(&base.user, &user) })
        };
        self.prompts.iter().zip(&self.bases).map(rendered).collect()
    }
}

/// A prompt as it was sent.
#[derive(Debug, Default, Serialize)]
struct PromptText {
    system: String,
    user: String,
}

impl PromptText {
    fn base(rendered: Rendered) -> Self {
        let short = |text: String| if text.len() > LONGEST_BASE { String::new() } else { text };
        Self { system: short(rendered.system.unwrap_or_default()), user: short(rendered.user) }
    }
}

/// A prompt by where it parts from its base.
#[derive(Debug, Serialize)]
struct PromptDifference {
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Difference>,
    user: Difference,
}

/// A text: how many characters it begins with and how many it ends with as its base does, and what stands between them.
#[derive(Debug, Serialize)]
struct Difference(usize, usize, String);

impl Difference {
    fn of(base: &str, text: &str) -> Self {
        let head = base.chars().zip(text.chars()).take_while(|(one, other)| one == other).count();
        let rest: Vec<char> = text.chars().skip(head).collect();
        let base = base.chars().skip(head).collect::<Vec<char>>();
        let tail = base.iter().rev().zip(rest.iter().rev()).take_while(|(one, other)| one == other).count();
        Self(head, tail, rest[..rest.len() - tail].iter().collect())
    }
}

/// The texts of a case.
#[derive(Debug, Serialize)]
pub(super) struct CaseTexts<'a> {
    source: &'a Source,
    /// Each prompt with this case's values; null where it cannot be rendered.
    prompts: Vec<Option<PromptDifference>>,
    /// By the number of the trial.
    trials: BTreeMap<usize, TrialTexts>,
    /// The attempts worth telling, which are volatile.
    #[serde(skip)]
    pub(super) attempts: BTreeMap<usize, Vec<AttemptRow>>,
}

#[derive(Debug, Serialize)]
struct TrialTexts {
    answer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The provider's own word for how it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    served_model: Option<usize>,
    scores: Vec<Vec<Value>>,
}

/// An attempt, where a trial took several or got no answer.
#[derive(Debug, Serialize)]
pub(super) struct AttemptRow {
    millis: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_millis: Option<u64>,
}

impl<'a> CaseTexts<'a> {
    /// Reads the texts of a case's trials.
    ///
    /// # Errors
    /// An outcome cannot be read.
    pub(super) fn of(
        run: &'a Run,
        outcomes: &dyn Outcomes,
        prompts: &Prompts,
        matrix: &Matrix<'a>,
        case: usize,
        lang: Lang,
        recurring: &mut Recurring,
    ) -> io::Result<Self> {
        let (record, trials) = (matrix.case(case), matrix.trials_of(case));
        let read = trials.entries.iter().map(|place| outcomes.outcome(&run.entries[*place]));
        let read = read.collect::<io::Result<Vec<Outcome>>>()?;
        let numbers = trials.numbers;
        let told = |(number, outcome): (usize, &Outcome)| Some((number, attempts(outcome)?));
        Ok(Self {
            source: &record.source,
            prompts: prompts.of_case(&record.as_it_was()),
            attempts: numbers.clone().zip(&read).filter_map(told).collect(),
            trials: numbers
                .clone()
                .zip(&read)
                .map(|(number, outcome)| (number, TrialTexts::of(outcome, &matrix.required, lang.words(), recurring)))
                .collect(),
        })
    }
}

impl TrialTexts {
    fn of(outcome: &Outcome, properties: &[Property], words: &Words, recurring: &mut Recurring) -> Self {
        Self {
            answer: outcome.answer.clone(),
            error: outcome.error.as_deref().map(|error| (words.reason)(error).into_owned()),
            finish: outcome.finish.detail.clone(),
            served_model: outcome.served_model.as_deref().map(|model| recurring.text(model)),
            scores: outcome.scores.iter().filter_map(|score| score_row(score, properties, words, recurring)).collect(),
        }
    }
}

/// The attempts of a trial, if there is more to tell than that the first one succeeded.
fn attempts(outcome: &Outcome) -> Option<Vec<AttemptRow>> {
    let is_plain = outcome.attempts.len() < 2 && outcome.status != Status::Errored;
    (!is_plain).then(|| outcome.attempts.iter().map(AttemptRow::from).collect())
}

impl From<&Attempt> for AttemptRow {
    fn from(attempt: &Attempt) -> Self {
        Self {
            millis: attempt.millis,
            status: attempt.status,
            failure: attempt.failure.map(FailureKind::name),
            message: attempt.message.clone(),
            waited_millis: attempt.waited_millis,
        }
    }
}
