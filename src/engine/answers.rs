//! Where an answer is kept before anything else happens to it, and where one that was kept is found again.
//!
//! Promises that an answer which cost something is committed when `Answers::commit` returns. Leaves what becomes of
//! it to `runner`.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::store::{Store, StoreError};
use crate::model::Provider;
use crate::outcome::Attempt;
use crate::request::{Request, RequestKey};
use crate::response::{FinishReason, Response};
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

impl Answer {
    /// Whether the same question may be answered by it again: neither refused, nor cut off, nor empty.
    fn can_be_served(&self) -> bool {
        let ended = matches!(self.response.finish.reason, FinishReason::Stop | FinishReason::Unknown);
        ended && self.response.text.as_deref().is_some_and(|text| !text.trim().is_empty())
    }
}

/// Writes an answer into a run's journal; when it returns, nothing short of a broken disk loses it.
pub type Note = Arc<dyn Fn(&TrialId, &Answer) -> io::Result<()> + Send + Sync>;

/// Where a run's answers are kept and found.
///
/// What the store takes stands there; all else stands in the run's journal.
pub struct Answers {
    note: Note,
    /// What the run's journal holds without an outcome: its process ended before the answer was judged.
    unjudged: Mutex<HashMap<TrialId, Answer>>,
    store: Option<Store>,
    /// The time before which the store's answers are too old.
    since: Option<Timestamp>,
    not_stored: Mutex<NotStored>,
    damage: OnceLock<String>,
}

/// The answers that the store should have taken and did not; they are in the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotStored {
    /// How many.
    pub answers: usize,
    /// Why not the first.
    pub why: Option<String>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("store", &self.store).field("since", &self.since).finish_non_exhaustive()
    }
}

impl Answers {
    /// Answers that are written by `note`; those of `unjudged` are not asked for again.
    pub fn new(note: Note, unjudged: impl IntoIterator<Item = (TrialId, Answer)>) -> Self {
        Self {
            note,
            unjudged: Mutex::new(unjudged.into_iter().collect()),
            store: None,
            since: None,
            not_stored: Mutex::default(),
            damage: OnceLock::new(),
        }
    }

    /// The same with a store, whose answers are taken if they are of `since` or later.
    #[must_use]
    pub fn with_store(self, store: Store, since: Option<Timestamp>) -> Self {
        Self { store: Some(store), since, ..self }
    }

    /// What the store did not take.
    pub fn not_stored(&self) -> NotStored {
        lock(&self.not_stored).clone()
    }

    /// What the store says of the first answer that it has and that cannot be read; such answers count as missing.
    pub fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    /// The key under which the store would have a trial's answer; `None` where the store has no use for it.
    pub(super) fn key(&self, trial: &Trial, request: &Request) -> Option<RequestKey> {
        (self.store.is_some() && trial.model.provider.is_remote()).then(|| request.key(trial.id.repeat))
    }

    /// The answer of a trial, if there is one that can be read; `key` is its [`key`](Self::key).
    ///
    /// # Errors
    /// The store cannot be read at all (an [`io::Error`] around a [`StoreError`]).
    pub(super) fn recall(&self, trial: &TrialId, key: Option<&RequestKey>) -> io::Result<Option<Answer>> {
        if let Some(answer) = lock(&self.unjudged).remove(trial) {
            return Ok(Some(answer));
        }
        let (Some(store), Some(key)) = (&self.store, key) else { return Ok(None) };
        match store.get(key, self.since) {
            Err(error @ StoreError::Damaged { .. }) => {
                self.damage.get_or_init(|| error.to_string());
                Ok(None)
            }
            found => found.map_err(io::Error::other),
        }
    }

    /// Keeps an answer, unless it can be had again for nothing; `key` is that of its trial.
    ///
    /// # Errors
    /// It cannot be kept.
    pub(super) async fn commit(
        &self,
        trial: &Trial,
        request: &Request,
        key: Option<&RequestKey>,
        answer: &Answer,
    ) -> io::Result<()> {
        if trial.model.provider == Provider::Recorded {
            return Ok(());
        }
        if let (Some(store), Some(key)) = (&self.store, key.filter(|_| answer.can_be_served())) {
            match store.put(key.clone(), request, &trial.model.name, answer).await {
                Ok(()) => return Ok(()),
                Err(error) => self.was_not_stored(&error),
            }
        }
        (self.note)(&trial.id, answer)
    }

    fn was_not_stored(&self, error: &StoreError) {
        let mut not_stored = lock(&self.not_stored);
        not_stored.answers += 1;
        not_stored.why.get_or_insert_with(|| error.to_string());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Finish;

    #[test]
    fn only_a_whole_answer_is_served_again() {
        for (word, text, expected) in [
            ("stop", Some("記事"), true),
            ("", Some("記事"), true),
            ("stop", Some(" \n"), false),
            ("stop", None, false),
            ("MAX_TOKENS", Some("途中"), false),
            ("SAFETY", Some("途中"), false),
            ("refusal", Some("できません"), false),
            ("tool_calls", Some("途中"), false),
            ("CONTINUATION", Some("途中"), false),
            ("MALFORMED_RESPONSE", Some("途中"), false),
        ] {
            let response = Response { text: text.map(str::to_owned), finish: Finish::of(word), ..Response::default() };
            assert_eq!(Answer { response, ..Answer::default() }.can_be_served(), expected, "{word}");
        }
    }
}
