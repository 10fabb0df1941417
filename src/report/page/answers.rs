//! The texts of a page, a block a case: its source, the prompts as they were sent, each answer with its scores.
//!
//! Promises positions in Unicode scalar values of the answer, as everywhere, and one case's texts in memory at a time.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::matrix::Trials;
use crate::case::Source;
use crate::diagnostic::TextFile;
use crate::outcome::{Attempt, CaseRecord, Outcome, Outcomes, Run, Status};
use crate::prompt::{Prompt, Rendered};
use crate::report::evidence::{Weight, weight};
use crate::report::lang::{Lang, Words};
use crate::response::FailureKind;
use crate::score::{Evidence, Score};

/// The prompts of a run, as far as they can still be read.
pub(super) struct Prompts(Vec<Option<Prompt>>);

impl Prompts {
    /// Parses them.
    pub(super) fn of(run: &Run) -> Self {
        let parse = |record: &crate::outcome::PromptRecord| {
            let file = TextFile::new(&format!("prompts/{}.md", record.id), record.text.clone());
            Prompt::parse(record.id.clone(), file).ok()
        };
        Self(run.header.prompts.iter().map(parse).collect())
    }
}

/// The texts of a case.
#[derive(Debug, Serialize)]
pub(super) struct CaseTexts<'a> {
    source: &'a Source,
    /// Each prompt with this case's values; null where it cannot be rendered.
    prompts: Vec<Option<PromptText>>,
    /// By the number of the trial.
    trials: BTreeMap<usize, TrialTexts>,
    /// The attempts worth telling, which are volatile.
    #[serde(skip)]
    pub(super) attempts: BTreeMap<usize, Vec<AttemptRow>>,
}

#[derive(Debug, Serialize)]
struct PromptText {
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    user: String,
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
    served_model: Option<String>,
    scores: Vec<ScoreRow>,
}

#[derive(Debug, Serialize)]
struct ScoreRow {
    property: &'static str,
    verdict: &'static str,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<EvidenceRow>,
}

#[derive(Debug, Serialize)]
struct EvidenceRow {
    /// Where it stands in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<[usize; 2]>,
    /// The words that are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    weight: &'static str,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<String>,
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
        record: &'a CaseRecord,
        trials: Trials<'_>,
        lang: Lang,
    ) -> io::Result<Self> {
        let case = record.as_it_was();
        let rendered = prompts.0.iter().map(|prompt| prompt.as_ref()?.render(&case).ok().map(PromptText::from));
        let read = trials.entries.iter().map(|place| outcomes.outcome(&run.entries[*place]));
        let read = read.collect::<io::Result<Vec<Outcome>>>()?;
        let numbers = trials.numbers;
        let told = |(number, outcome): (usize, &Outcome)| Some((number, attempts(outcome)?));
        Ok(Self {
            source: &record.source,
            prompts: rendered.collect(),
            attempts: numbers.clone().zip(&read).filter_map(told).collect(),
            trials: numbers
                .clone()
                .zip(&read)
                .map(|(number, outcome)| (number, TrialTexts::of(outcome, lang.words())))
                .collect(),
        })
    }
}

impl From<Rendered> for PromptText {
    fn from(rendered: Rendered) -> Self {
        Self { system: rendered.system, user: rendered.user }
    }
}

impl TrialTexts {
    fn of(outcome: &Outcome, words: &Words) -> Self {
        Self {
            answer: outcome.answer.clone(),
            error: outcome.error.as_deref().map(|error| (words.reason)(error).into_owned()),
            finish: outcome.finish.detail.clone(),
            served_model: outcome.served_model.clone(),
            scores: outcome.scores.iter().map(|score| ScoreRow::of(score, words)).collect(),
        }
    }
}

impl ScoreRow {
    fn of(score: &Score, words: &Words) -> Self {
        Self {
            property: score.property.name(),
            verdict: score.verdict.name(),
            value: score.value,
            reason: score.reason.as_deref().map(|reason| (words.reason)(reason).into_owned()),
            evidence: score.evidence.iter().map(|evidence| evidence_row(score, evidence, words)).collect(),
        }
    }
}

fn evidence_row(score: &Score, evidence: &Evidence, words: &Words) -> EvidenceRow {
    EvidenceRow {
        at: evidence.span.map(|span| [span.start, span.end]),
        text: evidence.span.is_none().then(|| evidence.text.clone()),
        weight: match weight(score, evidence) {
            Weight::Against => "against",
            Weight::Neutral => "neutral",
            Weight::For => "for",
        },
        kind: (words.kind)(&evidence.kind).to_owned(),
        verdict: evidence.verdict.map(words.specific),
        basis: evidence.basis.map(words.basis),
        why: evidence.why.as_deref().map(|why| (words.reason)(why).into_owned()),
        waived: evidence.waived.clone(),
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
