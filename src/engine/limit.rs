//! Who may send when: permits by account and over all, and each model's lane.
//!
//! Promises that no account has more attempts under way than its limit, that a model which the server asked to slow
//! down lets the others of its account go on, and that a stopped model sends nothing more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::model::{Model, Provider};
use crate::response::Failure;

/// How many attempts may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// For one account, unless a model of it has a lower limit of its own.
    pub per_account: usize,
    /// Over all accounts.
    pub total: usize,
}

/// What a server's limits apply to together: whoever has the same key at the same server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Account {
    provider: Provider,
    base_url: String,
    key_variable: Option<String>,
    program: Vec<String>,
}

impl Account {
    fn of(model: &Model) -> Self {
        Self {
            provider: model.provider,
            base_url: model.base_url.clone(),
            key_variable: model.key_variable.clone(),
            program: model.command.clone(),
        }
    }
}

/// The right to have one attempt under way; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _account: OwnedSemaphorePermit,
    _total: OwnedSemaphorePermit,
}

/// What the trials of one model share while they run.
#[derive(Debug)]
pub(super) struct Lane {
    /// The model.
    pub model: Arc<Model>,
    account: Arc<Semaphore>,
    total: Arc<Semaphore>,
    paused_until: Mutex<Option<Instant>>,
    stopped: watch::Sender<Option<Failure>>,
    left: AtomicUsize,
}

/// A lane for each of `models`; those of one account share its permits.
pub(super) fn lanes(models: &[Arc<Model>], concurrency: Concurrency) -> Vec<Arc<Lane>> {
    let mut limits: HashMap<Account, usize> = HashMap::new();
    for model in models {
        let own = model.limits.concurrency.map_or(usize::MAX, |limit| limit as usize);
        let limit = limits.entry(Account::of(model)).or_insert(concurrency.per_account);
        *limit = own.min(*limit);
    }
    let semaphore = |limit: usize| Arc::new(Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)));
    let total = semaphore(concurrency.total);
    let accounts: HashMap<Account, Arc<Semaphore>> =
        limits.into_iter().map(|(account, limit)| (account, semaphore(limit))).collect();
    let lane = |model: &Arc<Model>| {
        Arc::new(Lane {
            model: Arc::clone(model),
            account: Arc::clone(&accounts[&Account::of(model)]),
            total: Arc::clone(&total),
            paused_until: Mutex::default(),
            stopped: watch::Sender::default(),
            left: AtomicUsize::new(0),
        })
    };
    models.iter().map(lane).collect()
}

impl Lane {
    /// Waits for the right to make an attempt. Permits come in the order in which they were asked for.
    pub(super) async fn permit(&self) -> Permit {
        loop {
            // A paused model waits without a permit: the account's other models may be within their limits.
            while let Some(until) = self.pause() {
                tokio::time::sleep_until(until).await;
            }
            // The account comes first: whoever holds a permit of all must be able to use it.
            let account = acquire(&self.account).await;
            let total = acquire(&self.total).await;
            if self.pause().is_none() {
                return Permit { _account: account, _total: total };
            }
        }
    }

    /// Lets no attempt begin within `wait` from now.
    pub(super) fn pause_for(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        *paused_until = Some(paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    fn pause(&self) -> Option<Instant> {
        let paused_until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        paused_until.filter(|until| *until > Instant::now())
    }

    /// Stops the model; `false` if it was stopped before.
    pub(super) fn stop(&self, failure: &Failure) -> bool {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert_with(|| failure.clone());
            first
        })
    }

    /// Waits until the model is stopped, and says why.
    pub(super) async fn stopped(&self) -> Failure {
        let mut stopped = self.stopped.subscribe();
        match stopped.wait_for(Option::is_some).await.map(|failure| failure.clone()) {
            Ok(Some(failure)) => failure,
            // The sender lives as long as the lane: it cannot be closed while somebody waits here.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    /// Why the model is stopped, if it is.
    pub(super) fn why_stopped(&self) -> Option<Failure> {
        self.stopped.borrow().clone()
    }

    /// Expects the outcomes of `trials` more trials.
    pub(super) fn expect(&self, trials: usize) {
        self.left.fetch_add(trials, Ordering::Relaxed);
    }

    /// Notes that a trial has its outcome.
    pub(super) fn finish_one(&self) {
        self.left.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number of trials without an outcome.
    pub(super) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let permit = Arc::clone(semaphore).acquire_owned().await;
    permit.expect("the semaphores are never closed")
}
