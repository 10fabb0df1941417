//! Putting an answer before the scorers: in a run, in a run that is judged anew, and for a text by itself.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::civil::Date;

use crate::case::Source;
use crate::engine::Scorer;
use crate::prompt::Rendered;
use crate::property::{Property, Requirements};
use crate::response::Response;
use crate::score::{Score, Subject, Verdict, score, score_required};
use crate::trial::Trial;

/// The properties that have no default settings: what they ask for stands in a case.
const WITHOUT_DEFAULTS: [Property; 4] =
    [Property::Contains, Property::NotContains, Property::Matches, Property::NotMatches];

/// Judges the answers of a run; waivers are those of `today`.
pub(super) fn scorer(today: Date) -> Scorer {
    Arc::new(move |trial: &Trial, response: &Response| {
        judge(trial, response.text.as_deref().unwrap_or_default(), today)
    })
}

/// The scores that a trial requires of `answer`.
pub(super) fn judge(trial: &Trial, answer: &str, today: Date) -> Vec<Score> {
    let prompt = as_one_text(&trial.prompt);
    score_required(&Subject::new(answer, Some(&trial.case.source), Some(&prompt), &trial.require, today))
}

/// A prompt as one text, for a scorer that looks for its words in the answer.
fn as_one_text(prompt: &Rendered) -> String {
    match &prompt.system {
        Some(system) => format!("{system}\n\n{}", prompt.user),
        None => prompt.user.clone(),
    }
}

/// Whether a property asks for something without settings.
pub(super) fn has_defaults(property: Property) -> bool {
    !WITHOUT_DEFAULTS.contains(&property)
}

/// The scores of a text by every property that has default settings, with these.
///
/// A scorer that panics leaves its property unscored.
pub(super) fn judge_by_defaults(text: &str, source: Option<&Source>, prompt: Option<&str>, today: Date) -> Vec<Score> {
    let properties = Property::ALL.into_iter().filter(|property| has_defaults(*property));
    judge_with_defaults(properties, text, source, prompt, today)
}

/// The scores of a text by some properties with their default settings; a panic as in [`judge_by_defaults`].
pub(super) fn judge_with_defaults(
    properties: impl Iterator<Item = Property>,
    text: &str,
    source: Option<&Source>,
    prompt: Option<&str>,
    today: Date,
) -> Vec<Score> {
    judge_these(properties, text, source, prompt, &Requirements::default(), today)
}

/// The scores that `require` asks for of a kept answer; a panic as in [`judge_by_defaults`].
pub(super) fn judge_anew(
    text: &str,
    source: &Source,
    prompt: Option<&Rendered>,
    require: &Requirements,
    today: Date,
) -> Vec<Score> {
    let prompt = prompt.map(as_one_text);
    judge_these(require.properties(), text, Some(source), prompt.as_deref(), require, today)
}

fn judge_these(
    properties: impl Iterator<Item = Property>,
    text: &str,
    source: Option<&Source>,
    prompt: Option<&str>,
    require: &Requirements,
    today: Date,
) -> Vec<Score> {
    let subject = catch_unwind(AssertUnwindSafe(|| Subject::new(text, source, prompt, require, today)));
    let judged = |property| match &subject {
        Ok(subject) => catch_unwind(AssertUnwindSafe(|| score(property, subject)))
            .unwrap_or_else(|panic| unscored(property, &*panic)),
        Err(panic) => unscored(property, &**panic),
    };
    properties.map(judged).collect()
}

/// The score of a property whose scorer has a fault.
fn unscored(property: Property, panic: &(dyn Any + Send)) -> Score {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    let reason = Some(format!("the scorer failed: {text}"));
    Score { property, verdict: Verdict::Unscored, value: None, reason, evidence: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_with_defaults_has_a_score() {
        let scores = judge_by_defaults("量子ミッションが派遣されました。", None, None, jiff::civil::date(2026, 1, 1));
        assert_eq!(scores.len(), Property::ALL.len() - WITHOUT_DEFAULTS.len());
        assert_eq!(scores[0].verdict, Verdict::Pass);
    }

    #[test]
    fn a_scorer_with_a_fault_leaves_its_property_open() {
        let score = unscored(Property::Length, &"a bug");
        assert_eq!((score.verdict, score.reason.as_deref()), (Verdict::Unscored, Some("the scorer failed: a bug")));
    }
}
