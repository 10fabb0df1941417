//! What became of a trial, and all outcomes of a run together.
//!
//! Promises one total status for each trial, from which every count derives. A [`Run`] holds verdicts and where an
//! answer stands in the journal, not the answers, so that 100,000 trials fit in little memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Source};
use crate::id::{CaseId, ModelId, PromptId};
use crate::model::Provider;
use crate::property::Property;
use crate::response::{FailureKind, Finish, FinishReason, Usage};
use crate::score::{Score, Verdict};
use crate::trial::TrialId;

/// What became of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every required property passed.
    Passed,
    /// At least one failed, or the model gave no answer (blocked, refused, empty).
    Failed,
    /// Nothing failed, but something required could not be scored.
    Undecided,
    /// There is no answer to judge: transport, quota, key, unknown model.
    Errored,
    /// It was not tried.
    Skipped,
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 5] = [Self::Passed, Self::Failed, Self::Undecided, Self::Errored, Self::Skipped];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Undecided => "undecided",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
        }
    }

    /// The status of an answer with these scores.
    pub fn of_scores(scores: &[Score]) -> Self {
        if scores.iter().any(|score| score.verdict == Verdict::Fail) {
            Self::Failed
        } else if scores.iter().any(|score| score.verdict == Verdict::Unscored) {
            Self::Undecided
        } else {
            Self::Passed
        }
    }
}

/// One HTTP try, or one run of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// How long the first piece of the answer's text took, if it came in pieces, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_text_millis: Option<u64>,
    /// The HTTP status, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it gave no answer; `None` if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureKind>,
    /// The message that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long was waited after it before the next, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_millis: Option<u64>,
}

/// The whole record of a trial, as the journal keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Which trial.
    pub trial: TrialId,
    /// What became of it.
    pub status: Status,
    /// The answer's text, if there is one.
    pub answer: Option<String>,
    /// Why the answer ended.
    pub finish: Finish,
    /// Token counts.
    pub usage: Usage,
    /// The model that answered, as the server names it.
    pub served_model: Option<String>,
    /// The server's id of the answer.
    pub response_id: Option<String>,
    /// What it cost in US dollars, if that is known.
    pub cost: Option<f64>,
    /// One score a required property, in report order; empty if there is no answer to judge.
    pub scores: Vec<Score>,
    /// Why there is no answer, or none to judge.
    pub error: Option<String>,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// Whether the answer came from the store.
    pub cached: bool,
    /// From the first attempt's beginning to the answer.
    pub latency: Duration,
}

impl Outcome {
    /// The outcome of a trial that has no answer.
    pub fn without_answer(trial: TrialId, status: Status, error: Option<String>) -> Self {
        Self {
            trial,
            status,
            answer: None,
            finish: Finish::default(),
            usage: Usage::default(),
            served_model: None,
            response_id: None,
            cost: None,
            scores: Vec::new(),
            error,
            attempts: Vec::new(),
            cached: false,
            latency: Duration::ZERO,
        }
    }
}

/// What is known of a run before its first outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The run's name: its folder's.
    pub name: String,
    /// evalrun's version.
    pub tool_version: String,
    /// The version of the scorers: verdicts of different versions do not compare.
    pub scorer_version: u32,
    /// The digest of the plan.
    pub plan_digest: String,
    /// When the run began.
    pub started_at: Timestamp,
    /// The commit of the project, if it is in a repository.
    pub commit: Option<String>,
    /// The run whose answers were judged anew; `None` if this run asked for its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescored_from: Option<String>,
    /// The runs that this one was put together of; empty if it is of one piece.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<String>,
    /// The number of trials.
    pub trials: usize,
    /// How often each question was asked.
    pub repeats: u32,
    /// The cases, by id.
    pub cases: Vec<CaseRecord>,
    /// The prompts, in the order of reports.
    pub prompts: Vec<PromptRecord>,
    /// The models, in the order of reports.
    pub models: Vec<ModelRecord>,
}

/// What tells a run from others: its header without its cases, which may be many.
#[derive(Debug, Clone, PartialEq)]
pub struct RunHead {
    /// The run's name.
    pub name: String,
    /// The version of its scorers.
    pub scorer_version: u32,
    /// The digest of its plan.
    pub plan_digest: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Its prompts, in the order of reports.
    pub prompts: Vec<PromptId>,
    /// Its models, in the order of reports.
    pub models: Vec<ModelId>,
}

/// A case as a run keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// Its id.
    pub id: CaseId,
    /// Its labels.
    pub tags: Vec<String>,
    /// The values of its templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, serde_json::Value>,
    /// The news.
    pub source: Source,
    /// The properties required of its answers.
    pub required: Vec<Property>,
    /// The digest of what is required of them, settings and waivers included; `None` in runs of an earlier evalrun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<String>,
}

impl CaseRecord {
    /// The case as it was asked about, to render prompts with; what it required is not kept in full.
    pub fn as_it_was(&self) -> Case {
        Case {
            id: self.id.clone(),
            tags: self.tags.clone(),
            vars: self.vars.clone(),
            source: self.source.clone(),
            require: Arc::default(),
            file: "run.jsonl".into(),
            id_at: 0..0,
        }
    }
}

/// A prompt as a run keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptRecord {
    /// Its id.
    pub id: PromptId,
    /// The whole file's text.
    pub text: String,
    /// Its digest.
    pub digest: String,
}

/// A model as a run keeps it: without headers and without its key's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Its id.
    pub id: ModelId,
    /// Its API family.
    pub provider: Provider,
    /// The provider's name for it.
    pub name: String,
    /// The server.
    pub base_url: String,
    /// A remark on its price, such as that it has expired.
    pub price_note: Option<String>,
}

/// A run: its header and, for each trial, what reports count.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What was known before the first outcome.
    pub header: RunHeader,
    /// The trials, in the plan's order.
    pub entries: Vec<Entry>,
    /// Whether the run came to its end.
    pub finished: bool,
}

/// What reports count of a trial; its texts stand in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which trial.
    pub trial: TrialId,
    /// What became of it.
    pub status: Status,
    /// Each property's verdict; `None` where it is not required.
    pub verdicts: [Option<Verdict>; Property::ALL.len()],
    /// The number of fabricated specifics, if `no_fabrication` was scored.
    pub fabricated: Option<usize>,
    /// Whether a waiver let some of its evidence pass.
    pub is_waived: bool,
    /// The answer's length in characters as `length` counts them, without white space, if there is one.
    pub chars: Option<usize>,
    /// Why the answer ended.
    pub finish: FinishReason,
    /// Token counts.
    pub usage: Usage,
    /// What it cost in US dollars, if that is known.
    pub cost: Option<f64>,
    /// The model that answered, as the server names it.
    pub served_model: Option<String>,
    /// Why there is no answer, or none to judge.
    pub error: Option<String>,
    /// How many attempts were made.
    pub attempts: usize,
    /// Whether the answer came from the store.
    pub cached: bool,
    /// From the first attempt's beginning to the answer.
    pub latency: Duration,
    /// Where the outcome stands in the journal: byte offset and length of its line.
    pub place: (u64, u64),
}

impl Entry {
    /// Whether it was judged and its answer is not kept: a baseline may do without.
    pub fn has_lost_its_text(&self) -> bool {
        self.chars.is_none() && self.verdicts.iter().any(Option::is_some)
    }
}

/// Where reports get an outcome's texts from, several reports at once.
pub trait Outcomes: Sync {
    /// The whole outcome of an entry.
    ///
    /// # Errors
    /// The journal cannot be read there any more.
    fn outcome(&self, entry: &Entry) -> io::Result<Outcome>;
}

impl Run {
    /// The number of trials with `status`.
    pub fn count(&self, status: Status) -> usize {
        self.entries.iter().filter(|entry| entry.status == status).count()
    }

    /// The number of trials that were tried.
    pub fn tried(&self) -> usize {
        self.entries.len() - self.count(Status::Skipped)
    }

    /// The properties that any trial requires, in report order.
    pub fn properties(&self) -> impl Iterator<Item = Property> + '_ {
        let required = |property: Property| move |case: &CaseRecord| case.required.contains(&property);
        Property::ALL.into_iter().filter(move |property| self.header.cases.iter().any(required(*property)))
    }

    /// The variants (a prompt with a model) in report order: by prompt, then model.
    pub fn variants(&self) -> impl Iterator<Item = (&PromptId, &ModelId)> {
        let models = || self.header.models.iter().map(|model| &model.id);
        self.header.prompts.iter().flat_map(move |prompt| models().map(move |model| (&prompt.id, model)))
    }
}

/// What is counted or compared: whole trials or one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The trials' statuses: everything that is required.
    All,
    /// One property.
    Property(Property),
}

impl Subject {
    /// The subject of this name.
    pub fn named(name: &str) -> Option<Self> {
        let properties = Property::ALL.into_iter().map(Self::Property);
        std::iter::once(Self::All).chain(properties).find(|subject| subject.name() == name)
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Property(property) => property.name(),
        }
    }
}

/// Which properties each case of a run requires.
#[derive(Debug)]
pub struct Required<'a>(HashMap<&'a CaseId, [bool; Property::ALL.len()]>);

impl<'a> Required<'a> {
    /// Looks them up.
    pub fn of(run: &'a Run) -> Self {
        let cases = run.header.cases.iter().map(|case| {
            let required = Property::ALL.map(|property| case.required.contains(&property));
            (&case.id, required)
        });
        Self(cases.collect())
    }

    /// What became of a subject in a trial; `None` if it is not required.
    pub fn status_of(&self, entry: &Entry, subject: Subject) -> Option<Status> {
        self.of_entry(entry)(subject)
    }

    /// The same for several subjects of one trial.
    pub fn of_entry<'e>(&self, entry: &'e Entry) -> impl Fn(Subject) -> Option<Status> + use<'e> {
        let required = self.0.get(&entry.trial.case).copied().unwrap_or_default();
        move |subject| match subject {
            Subject::All => Some(entry.status),
            Subject::Property(property) => status(entry, property, required[property.index()]),
        }
    }

    /// What became of a property in a trial; `None` if it is not required.
    pub fn status(&self, entry: &Entry, property: Property) -> Option<Status> {
        self.status_of(entry, Subject::Property(property))
    }
}

/// What became of a property in a trial; `None` if it is not required.
///
/// Where a model gave no answer the trial failed, but nothing is known of its properties: they are undecided.
fn status(entry: &Entry, property: Property, is_required: bool) -> Option<Status> {
    let verdict = entry.verdicts[property.index()];
    if verdict.is_none() && !is_required {
        return None;
    }
    Some(match (entry.status, verdict) {
        (Status::Errored | Status::Skipped, _) => entry.status,
        (_, Some(Verdict::Pass)) => Status::Passed,
        (_, Some(Verdict::Fail)) => Status::Failed,
        (_, Some(Verdict::Unscored) | None) => Status::Undecided,
    })
}
