//! Where an answer is kept before anything else happens to it, and where one that was kept is found again.
//!
//! Promises that an answer which cost something is committed when [`Answers::commit`] returns. Leaves what becomes of
//! it to `runner`.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::Provider;
use crate::outcome::Attempt;
use crate::response::Response;
use crate::trial::{Trial, TrialId};

/// An answer with how it was got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// What came back.
    pub response: Response,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// From the first attempt's beginning to the answer.
    pub latency: Duration,
    /// Whether it came from the store.
    pub cached: bool,
}

/// Writes an answer into a run's journal; when it returns, nothing short of a broken disk loses it.
pub type Note = Arc<dyn Fn(&TrialId, &Answer) -> io::Result<()> + Send + Sync>;

/// Where a run's answers are kept and found.
pub struct Answers {
    note: Note,
    /// What the run's journal holds without an outcome: its process ended before the answer was judged.
    unjudged: Mutex<HashMap<TrialId, Answer>>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

impl Answers {
    /// Answers that are written by `note`; those of `unjudged` are not asked for again.
    pub fn new(note: Note, unjudged: impl IntoIterator<Item = (TrialId, Answer)>) -> Self {
        Self { note, unjudged: Mutex::new(unjudged.into_iter().collect()) }
    }

    /// The answer of a trial, if there is one.
    pub(super) fn recall(&self, trial: &Trial) -> Option<Answer> {
        self.unjudged.lock().unwrap_or_else(PoisonError::into_inner).remove(&trial.id)
    }

    /// Keeps an answer, unless it can be had again for nothing.
    ///
    /// # Errors
    /// It cannot be kept.
    pub(super) fn commit(&self, trial: &Trial, answer: &Answer) -> io::Result<()> {
        if trial.model.provider == Provider::Recorded { Ok(()) } else { (self.note)(&trial.id, answer) }
    }
}
