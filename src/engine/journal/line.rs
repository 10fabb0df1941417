//! The lines of a journal as they are written and read. They have their own types, so that no change of evalrun's own
//! changes the format by accident.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::engine::answers::Answer;
use crate::engine::client::{Abandoned, millis};
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Attempt, CaseRecord, ModelRecord, Outcome, PromptRecord, RunHead, RunHeader, Status};
use crate::property::Property;
use crate::response::{Finish, FinishReason, Response, Usage};
use crate::score::{ScoreJson, SpecificVerdict};
use crate::trial::TrialId;

/// A line as it is written.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Line<'a> {
    Header(HeaderLine<'a>),
    Part(Box<PartLine>),
    Answer(Box<AnswerLine>),
    Outcome(Box<OutcomeLine>),
    Abandoned(Box<AbandonedLine>),
    Limit(LimitLine<'a>),
    End(EndLine),
}

#[derive(Debug, Serialize)]
pub(super) struct HeaderLine<'a> {
    pub(super) format: u32,
    /// Which trials of all that the header could make are planned; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) selection: Option<String>,
    #[serde(flatten)]
    pub(super) header: &'a RunHeader,
}

/// The same as it is read: field by field, since a flattened one would first be held as a tree of values.
#[derive(Debug, Deserialize)]
pub(super) struct HeaderRead {
    #[serde(default)]
    pub(super) selection: Option<String>,
    name: String,
    tool_version: String,
    scorer_version: u32,
    plan_digest: String,
    started_at: Timestamp,
    commit: Option<String>,
    #[serde(default)]
    rescored_from: Option<String>,
    #[serde(default)]
    merged_from: Vec<String>,
    trials: usize,
    repeats: u32,
    pub(super) cases: Vec<CaseRecord>,
    prompts: Vec<PromptRecord>,
    models: Vec<ModelRecord>,
}

impl From<HeaderRead> for RunHeader {
    fn from(read: HeaderRead) -> Self {
        let HeaderRead { name, tool_version, scorer_version, plan_digest, started_at, commit, rescored_from, .. } =
            read;
        let HeaderRead { merged_from, trials, repeats, cases, prompts, models, .. } = read;
        Self {
            name,
            tool_version,
            scorer_version,
            plan_digest,
            started_at,
            commit,
            rescored_from,
            merged_from,
            trials,
            repeats,
            cases,
            prompts,
            models,
        }
    }
}

/// What of it tells a run from others.
#[derive(Debug, Deserialize)]
pub(super) struct HeadRead {
    name: String,
    scorer_version: u32,
    plan_digest: String,
    started_at: Timestamp,
    prompts: Vec<Named<PromptId>>,
    models: Vec<Named<ModelId>>,
}

#[derive(Debug, Deserialize)]
struct Named<T> {
    id: T,
}

impl From<HeadRead> for RunHead {
    fn from(read: HeadRead) -> Self {
        let HeadRead { name, scorer_version, plan_digest, started_at, prompts, models } = read;
        let prompts = prompts.into_iter().map(|prompt| prompt.id).collect();
        let models = models.into_iter().map(|model| model.id).collect();
        Self { name, scorer_version, plan_digest, started_at, prompts, models }
    }
}

/// How much less, or slower, a model was asked from then on, since its server refused: history, which nothing rests on.
#[derive(Debug, Serialize)]
pub(super) struct LimitLine<'a> {
    pub(super) model: &'a ModelId,
    pub(super) at: Timestamp,
    /// Attempts of its account under way at once, before and now.
    pub(super) concurrency: [usize; 2],
    /// Requests a minute, as the server was found to let through.
    pub(super) rpm: Option<f64>,
}

/// Enough of any line to tell what it is.
#[derive(Debug, Deserialize)]
pub(super) struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(default)]
    pub(super) format: Option<u32>,
}

/// An answer before it is judged; one whose trial has no outcome in a later line is judged by whoever goes on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AnswerLine {
    pub(super) case: CaseId,
    pub(super) prompt: PromptId,
    pub(super) model: ModelId,
    pub(super) repeat: u32,
    pub(super) answer: Option<String>,
    pub(super) finish_reason: FinishReason,
    pub(super) finish_detail: Option<String>,
    pub(super) usage: Usage,
    pub(super) served_model: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) latency_ms: u64,
}

/// What was asked of a trial without an outcome: it counts for a budget, and nothing else rests on it.
#[derive(Debug, Serialize)]
pub(super) struct AbandonedLine {
    pub(super) case: CaseId,
    pub(super) prompt: PromptId,
    pub(super) model: ModelId,
    pub(super) repeat: u32,
    pub(super) attempts: Vec<Attempt>,
    /// Whether the last attempt was dropped: its server may have answered it.
    pub(super) dropped: bool,
}

/// What a line tells of requests that may stand in no entry.
#[derive(Debug, Deserialize)]
pub(super) struct LostRead {
    pub(super) attempts: Vec<IgnoredAny>,
    #[serde(default)]
    pub(super) dropped: bool,
    #[serde(default)]
    pub(super) usage: Usage,
}

/// Whose answer a line holds.
#[derive(Debug, Deserialize)]
pub(super) struct TrialLine<'a> {
    #[serde(borrow)]
    pub(super) case: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) prompt: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    pub(super) repeat: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutcomeLine {
    pub(super) case: CaseId,
    pub(super) prompt: PromptId,
    pub(super) model: ModelId,
    pub(super) repeat: u32,
    pub(super) status: Status,
    pub(super) answer: Option<String>,
    pub(super) finish_reason: FinishReason,
    pub(super) finish_detail: Option<String>,
    pub(super) usage: Usage,
    pub(super) served_model: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) cost_usd: Option<f64>,
    pub(super) scores: BTreeMap<Property, ScoreJson>,
    pub(super) error: Option<String>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) cached: bool,
    pub(super) latency_ms: u64,
}

/// What of an outcome's line a run holds in memory.
#[derive(Debug, Deserialize)]
pub(super) struct EntryLine<'a> {
    #[serde(borrow)]
    pub(super) case: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) prompt: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    pub(super) repeat: u32,
    pub(super) status: Status,
    pub(super) answer: Option<String>,
    pub(super) finish_reason: FinishReason,
    pub(super) usage: Usage,
    pub(super) served_model: Option<String>,
    pub(super) cost_usd: Option<f64>,
    pub(super) scores: BTreeMap<Property, ScoreRead>,
    pub(super) error: Option<String>,
    pub(super) attempts: Vec<IgnoredAny>,
    pub(super) cached: bool,
    pub(super) latency_ms: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ScoreRead {
    pub(super) pass: Option<bool>,
    pub(super) evidence: Vec<EvidenceRead>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EvidenceRead {
    #[serde(default)]
    pub(super) verdict: Option<SpecificVerdict>,
    #[serde(default)]
    pub(super) waived: Option<IgnoredAny>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndLine {
    pub(super) finished_at: Timestamp,
    pub(super) interrupted: bool,
}

/// A part of an answer, whose rest is asked for next.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartLine {
    #[serde(flatten)]
    pub(super) part: AnswerLine,
    /// What the request for the rest must carry.
    pub(super) rest: Option<serde_json::Value>,
}

impl PartLine {
    pub(super) fn new(trial: &TrialId, part: &Answer) -> Self {
        Self { part: AnswerLine::new(trial, part), rest: part.response.rest.clone() }
    }
}

impl From<PartLine> for Answer {
    fn from(line: PartLine) -> Self {
        let mut part = Self::from(line.part);
        part.response.rest = line.rest;
        part
    }
}

impl AnswerLine {
    pub(super) fn new(trial: &TrialId, answer: &Answer) -> Self {
        let TrialId { case, prompt, model, repeat } = trial.clone();
        let Response { text, finish, usage, served_model, id, .. } = answer.response.clone();
        Self {
            case,
            prompt,
            model,
            repeat,
            answer: text,
            finish_reason: finish.reason,
            finish_detail: finish.detail,
            usage,
            served_model,
            response_id: id,
            attempts: answer.attempts.clone(),
            latency_ms: millis(answer.latency),
        }
    }
}

impl AbandonedLine {
    pub(super) fn new(trial: &TrialId, abandoned: &Abandoned) -> Self {
        let TrialId { case, prompt, model, repeat } = trial.clone();
        let Abandoned { attempts, dropped } = abandoned.clone();
        Self { case, prompt, model, repeat, attempts, dropped }
    }
}

impl From<AnswerLine> for Answer {
    fn from(line: AnswerLine) -> Self {
        let finish = Finish { reason: line.finish_reason, detail: line.finish_detail };
        let (text, usage, served_model, id) = (line.answer, line.usage, line.served_model, line.response_id);
        Self {
            response: Response { text, finish, usage, served_model, id, rest: None },
            attempts: line.attempts,
            latency: Duration::from_millis(line.latency_ms),
            cached: false,
        }
    }
}

impl From<&Outcome> for OutcomeLine {
    fn from(outcome: &Outcome) -> Self {
        let outcome = outcome.clone();
        Self {
            case: outcome.trial.case,
            prompt: outcome.trial.prompt,
            model: outcome.trial.model,
            repeat: outcome.trial.repeat,
            status: outcome.status,
            answer: outcome.answer,
            finish_reason: outcome.finish.reason,
            finish_detail: outcome.finish.detail,
            usage: outcome.usage,
            served_model: outcome.served_model,
            response_id: outcome.response_id,
            cost_usd: outcome.cost,
            scores: outcome.scores.into_iter().map(|score| (score.property, score.into())).collect(),
            error: outcome.error,
            attempts: outcome.attempts,
            cached: outcome.cached,
            latency_ms: millis(outcome.latency),
        }
    }
}

impl From<OutcomeLine> for Outcome {
    fn from(line: OutcomeLine) -> Self {
        Self {
            trial: TrialId { case: line.case, prompt: line.prompt, model: line.model, repeat: line.repeat },
            status: line.status,
            answer: line.answer,
            finish: Finish { reason: line.finish_reason, detail: line.finish_detail },
            usage: line.usage,
            served_model: line.served_model,
            response_id: line.response_id,
            cost: line.cost_usd,
            scores: line.scores.into_iter().map(|(property, score)| score.into_score(property)).collect(),
            error: line.error,
            attempts: line.attempts,
            cached: line.cached,
            latency: Duration::from_millis(line.latency_ms),
        }
    }
}
