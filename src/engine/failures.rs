//! The attempts of a run that failed, by model and kind, with what was said last of each.
//!
//! Promises an order that does not depend on when they failed. Leaves what is made of them to whoever ends the run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::id::ModelId;
use crate::response::{Failure, FailureKind};

/// Attempts at a model that failed for the same reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Failures {
    /// Which model.
    pub model: ModelId,
    /// How many.
    pub attempts: usize,
    /// The last of them, in the order in which they came.
    pub last: Failure,
}

/// The failures of a run so far.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<(ModelId, FailureKind), (usize, Failure)>>);

impl Tally {
    /// Notes that an attempt failed.
    pub(super) fn note(&self, model: &ModelId, failure: &Failure) {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = tally.entry((model.clone(), failure.kind)).or_insert_with(|| (0, failure.clone()));
        *entry = (entry.0 + 1, failure.clone());
    }

    /// By model and kind.
    pub(super) fn read(&self) -> Vec<Failures> {
        let tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = tally.iter().map(|((model, _), (attempts, last))| Failures {
            model: model.clone(),
            attempts: *attempts,
            last: last.clone(),
        });
        failures.collect()
    }
}
