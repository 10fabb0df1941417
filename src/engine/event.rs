//! What happened in a run, as past facts, for whoever shows or records it.
//!
//! Promises that a run's first event is [`Event::RunStarted`] and its last [`Event::RunFinished`]. Consumers match
//! without a wildcard, so that a new event asks each of them for a decision.

use std::time::Duration;

use super::ledger::Refused;
use super::limit::Slowed;
use crate::budget::{Budget, Spending};
use crate::id::ModelId;
use crate::outcome::Status;
use crate::response::{Failure, FinishReason, Usage};
use crate::trial::TrialId;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The run began.
    RunStarted {
        /// The number of trials of the plan.
        total: usize,
        /// Those that an earlier run of the same plan has done.
        already_done: Counts,
        /// The models, in the plan's order.
        models: Vec<ModelTrials>,
        /// What may be spent.
        budget: Budget,
        /// What of it an earlier run of the same plan has spent.
        spent: Spending,
    },
    /// An attempt is about to be made: the first, a further one, or one for the rest of an answer.
    AttemptStarted {
        /// Which trial.
        trial: TrialId,
        /// How many attempts may be under way at once with its model's account.
        limit: usize,
    },
    /// An attempt gave no answer.
    AttemptFailed {
        /// Which trial.
        trial: TrialId,
        /// Why.
        failure: Failure,
        /// How long is waited before the next attempt; `None` if there is none.
        wait: Option<Duration>,
    },
    /// A server refused, and what is sent to it became less, or slower.
    SlowedDown {
        /// Which model.
        model: ModelId,
        /// What changed.
        slowed: Slowed,
    },
    /// An answer said that its server's limit is used up: nothing is sent there for a while.
    Paused {
        /// Which model.
        model: ModelId,
        /// For how long.
        wait: Duration,
    },
    /// A trial has its outcome, and the outcome is kept.
    TrialFinished {
        /// What became of it.
        summary: Summary,
        /// What was spent so far.
        spent: Spending,
    },
    /// A model is asked no more: every further request would fail alike.
    ModelStopped {
        /// Which model.
        model: ModelId,
        /// The server's message.
        failure: Failure,
        /// The number of its trials without an outcome.
        trials_left: usize,
    },
    /// The budget bears no further request: what is under way finishes.
    BudgetUsedUp {
        /// What was spent so far.
        spent: Spending,
        /// The request that did not fit.
        refused: Refused,
        /// The number of attempts under way.
        in_flight: usize,
    },
    /// The user asked the run to end: what is under way finishes, nothing else begins.
    Interrupted {
        /// The number of attempts under way.
        in_flight: usize,
    },
    /// The run ended.
    RunFinished {
        /// All trials of the plan by status, those of an earlier run included.
        counts: Counts,
    },
}

/// What a model has to do in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTrials {
    /// Which model.
    pub model: ModelId,
    /// The number of its trials.
    pub total: usize,
    /// Those that an earlier run of the same plan has done.
    pub done: usize,
}

/// What is shown of an outcome when it arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Which trial.
    pub trial: TrialId,
    /// What became of it.
    pub status: Status,
    /// Why the answer ended.
    pub finish: FinishReason,
    /// Token counts.
    pub usage: Usage,
    /// What it cost in US dollars, if that is known.
    pub cost: Option<f64>,
    /// Why there is no answer, or none to judge.
    pub error: Option<String>,
    /// How many attempts were made.
    pub attempts: usize,
    /// Whether the answer came from the store.
    pub cached: bool,
    /// From the first attempt's beginning to the answer.
    pub latency: Duration,
}

/// Numbers of trials by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([usize; Status::ALL.len()]);

impl Counts {
    /// The number of trials with `status`.
    pub fn of(&self, status: Status) -> usize {
        self.0[status as usize]
    }

    /// The number of trials with any status.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Counts `number` more trials with `status`.
    pub fn add(&mut self, status: Status, number: usize) {
        self.0[status as usize] += number;
    }
}

impl FromIterator<Status> for Counts {
    fn from_iter<I: IntoIterator<Item = Status>>(statuses: I) -> Self {
        let mut counts = Self::default();
        statuses.into_iter().for_each(|status| counts.add(status, 1));
        counts
    }
}
