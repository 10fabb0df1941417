//! The texts of a page, a block a case: its source, the prompts as they were sent, each answer with its scores, and how
//! it differs from another.
//!
//! Promises positions in Unicode scalar values of the answer, as everywhere, and one case's texts in memory at a time.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use serde::Serialize;

use super::matrix::Trials;
use crate::case::Source;
use crate::diagnostic::TextFile;
use crate::outcome::{Attempt, CaseRecord, Outcome, Outcomes, Run, Status};
use crate::prompt::{Prompt, Rendered};
use crate::report::diff::{Change, DiffOptions, Gap, Passage, Piece, Row, align};
use crate::report::evidence::{Weight, weight};
use crate::report::lang::Words;
use crate::response::FailureKind;
use crate::score::{Evidence, Score};
use crate::trial::TrialId;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
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

/// How an answer differs from another trial's, sentence by sentence.
#[derive(Debug, Serialize)]
struct Changes {
    /// The trial whose answer is the base.
    base: usize,
    is_coarse: bool,
    rows: Vec<ChangeRow>,
}

/// A sentence: what happened (`=`, `~`, `-`, `+`, `<` moved away, `>` moved here), where it stands in the base and in the
/// answer, the gap before it (0 none, 1 a line, 2 a paragraph), the words removed and those added.
#[derive(Debug, Serialize)]
struct ChangeRow(char, Option<[usize; 2]>, Option<[usize; 2]>, u8, Vec<[usize; 2]>, Vec<[usize; 2]>);

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
        options: DiffOptions<'_>,
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
                .map(|(number, outcome)| {
                    let changes = base_of(outcome, &read, run)
                        .and_then(|base| changes(&read[base], outcome, numbers.start + base, options));
                    (number, TrialTexts { changes, ..TrialTexts::of(outcome, options.lang.words()) })
                })
                .collect(),
        })
    }
}

/// The answer that another is laid beside: the first prompt's to the same model, else the first repeat, else the first
/// model's.
fn base_of(outcome: &Outcome, all: &[Outcome], run: &Run) -> Option<usize> {
    let trial = &outcome.trial;
    let (first_prompt, first_model) = (&run.header.prompts.first()?.id, &run.header.models.first()?.id);
    let base = if trial.prompt != *first_prompt {
        TrialId { prompt: first_prompt.clone(), ..trial.clone() }
    } else if trial.repeat > 0 {
        TrialId { repeat: 0, ..trial.clone() }
    } else if trial.model != *first_model {
        TrialId { model: first_model.clone(), ..trial.clone() }
    } else {
        return None;
    };
    all.iter().position(|other| other.trial == base)
}

fn changes(base: &Outcome, outcome: &Outcome, number: usize, options: DiffOptions<'_>) -> Option<Changes> {
    let (base, answer) = (base.answer.as_deref()?, outcome.answer.as_deref()?);
    let alignment = align(base, answer, options.splitters);
    let (old, new) = (Places::of(base), Places::of(answer));
    let rows = alignment.rows.iter().map(|row| change_row(row, &old, &new)).collect();
    Some(Changes { base: number, is_coarse: alignment.is_coarse, rows })
}

fn change_row(row: &Row, old: &Places, new: &Places) -> ChangeRow {
    let sign = match row.change {
        Change::Same => '=',
        Change::Reworded(_) => '~',
        Change::Removed => '-',
        Change::Added => '+',
        Change::MovedAway => '<',
        Change::MovedHere => '>',
    };
    let place = |passage: &Option<Passage>, places: &Places| Some(places.range(&passage.as_ref()?.range, 0));
    let start = |passage: &Option<Passage>| passage.as_ref().map_or(0, |passage| passage.range.start);
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    if let Change::Reworded(pieces) = &row.change {
        for piece in pieces {
            match piece {
                Piece::Same { .. } => {}
                Piece::Removed(range) => removed.push(old.range(range, start(&row.base))),
                Piece::Added(range) => added.push(new.range(range, start(&row.candidate))),
            }
        }
    }
    let gap = |passage: &Option<Passage>| passage.as_ref().map(|passage| passage.gap);
    let gap = match gap(&row.base).max(gap(&row.candidate)) {
        Some(Gap::Line) => 1,
        Some(Gap::Paragraph) => 2,
        Some(Gap::None) | None => 0,
    };
    ChangeRow(sign, place(&row.base, old), place(&row.candidate, new), gap, removed, added)
}

/// Where the characters of a text begin, in bytes.
struct Places(Vec<usize>);

impl Places {
    fn of(text: &str) -> Self {
        Self(text.char_indices().map(|(at, _)| at).collect())
    }

    /// A range of bytes, which count from `start`, in characters.
    fn range(&self, range: &Range<usize>, start: usize) -> [usize; 2] {
        [range.start, range.end].map(|byte| self.0.partition_point(|at| *at < start + byte))
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
            changes: None,
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
