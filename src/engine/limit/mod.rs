//! Who may send when: permits by account and over all, each model's pace, and each model's lane.
//!
//! Promises that no account has more attempts under way than its limit, that a model which the server asked to slow
//! down lets the others of its account go on, that waiting holds no permit, and that a stopped model sends nothing more.

mod account;
mod pace;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use self::account::{Account, AccountPermit};
use self::pace::Pace;

use crate::model::{Model, Provider};
use crate::response::Failure;

/// The longest pause of a model whose server does not say how long to wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many attempts may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Where an account's limit starts; it follows what the server bears.
    pub start: usize,
    /// The most for one account, unless a model of it has a lower limit of its own.
    pub per_account: usize,
    /// The most over all accounts.
    pub total: usize,
}

/// What a server's limits apply to together: whoever has the same key at the same server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AccountKey {
    provider: Provider,
    base_url: String,
    key_variable: Option<String>,
    program: Vec<String>,
}

impl AccountKey {
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
    _account: AccountPermit,
    _total: OwnedSemaphorePermit,
    lane: Arc<Lane>,
    /// Whether it is for the one attempt that finds out whether the server lets anything through.
    pub is_probe: bool,
    /// The attempt that it stands for.
    pub ticket: Ticket,
}

/// An attempt as limits see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// Which of its model's attempts, from 1.
    number: u64,
    /// When it may begin.
    at: Instant,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_probe {
            self.lane.waiting().is_probed = false;
            self.lane.changed.notify_one();
        }
    }
}

/// What the trials of one model share while they run.
#[derive(Debug)]
pub(super) struct Lane {
    /// The model.
    pub model: Arc<Model>,
    account: Arc<Account>,
    total: Arc<Semaphore>,
    /// One at a time waits for pause, pace and permit: in the order in which they came, and holding nothing.
    turn: AsyncMutex<()>,
    waiting: Mutex<Waiting>,
    /// An attempt that was alone under way has ended.
    changed: Notify,
    stopped: watch::Sender<Option<Failure>>,
    left: AtomicUsize,
}

/// What the next attempt of a model waits for.
#[derive(Debug)]
struct Waiting {
    paused_until: Option<Instant>,
    pace: Pace,
    /// When the server last began to refuse: what was sent before and is refused is no news.
    refused: Option<Instant>,
    /// Whether the server lets nothing through, so that one attempt at a time finds out.
    is_probing: bool,
    /// Whether that attempt is under way.
    is_probed: bool,
    /// How often in a row the server refused without letting anything through.
    rounds: u32,
}

/// A change of what is sent, and how fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slowed {
    /// The account's limit before.
    pub limit_before: usize,
    /// The account's limit now.
    pub limit: usize,
    /// Requests a second that the server was found to allow, if that is known.
    pub rate: Option<f64>,
}

impl fmt::Display for Slowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server asks to slow down: ")?;
        match self.rate {
            Some(rate) => write!(f, "{:.0} requests a minute, as it let through", rate * 60.0),
            None => write!(f, "{} at once instead of {}", self.limit, self.limit_before),
        }
    }
}

/// A lane for each of `models`; those of one account share its permits.
pub(super) fn lanes(models: &[Arc<Model>], concurrency: Concurrency) -> Vec<Arc<Lane>> {
    let mut most: HashMap<AccountKey, usize> = HashMap::new();
    for model in models {
        let own = model.limits.concurrency.map_or(usize::MAX, |limit| limit as usize);
        let limit = most.entry(AccountKey::of(model)).or_insert(concurrency.per_account);
        *limit = own.min(*limit);
    }
    let total = Arc::new(Semaphore::new(concurrency.total.clamp(1, Semaphore::MAX_PERMITS)));
    let account = |most: usize| Arc::new(Account::new(concurrency.start, most));
    let accounts: HashMap<AccountKey, Arc<Account>> =
        most.into_iter().map(|(key, most)| (key, account(most))).collect();
    let lane = |model: &Arc<Model>| {
        Arc::new(Lane {
            model: Arc::clone(model),
            account: Arc::clone(&accounts[&AccountKey::of(model)]),
            total: Arc::clone(&total),
            turn: AsyncMutex::default(),
            waiting: Mutex::new(Waiting {
                paused_until: None,
                pace: Pace::new(model.limits, Instant::now()),
                refused: None,
                is_probing: false,
                is_probed: false,
                rounds: 0,
            }),
            changed: Notify::new(),
            stopped: watch::Sender::default(),
            left: AtomicUsize::new(0),
        })
    };
    models.iter().map(lane).collect()
}

impl Lane {
    /// How many attempts its account may have under way.
    pub(super) fn limit(&self) -> usize {
        self.account.limit()
    }

    /// Waits for the right to make an attempt. Permits come in the order in which they were asked for.
    pub(super) async fn permit(self: &Arc<Self>) -> Permit {
        // Whoever is first in line waits without a permit: the account's other models may be within their limits.
        let _turn = self.turn.lock().await;
        loop {
            self.until_open().await;
            // The account comes first: whoever holds a permit of all must be able to use it.
            let account = self.account.permit().await;
            let total = Arc::clone(&self.total).acquire_owned().await.expect("the semaphores are never closed");
            let now = Instant::now();
            let mut waiting = self.waiting();
            if waiting.opens(now).is_none() && !(waiting.is_probing && waiting.is_probed) {
                let ticket = Ticket { number: waiting.pace.sent(now), at: now };
                let is_probe = waiting.is_probing;
                waiting.is_probed = is_probe;
                return Permit { _account: account, _total: total, lane: Arc::clone(self), is_probe, ticket };
            }
        }
    }

    async fn until_open(&self) {
        loop {
            let (opens, is_probed) = {
                let waiting = self.waiting();
                (waiting.opens(Instant::now()), waiting.is_probing && waiting.is_probed)
            };
            match opens {
                Some(opens) => tokio::time::sleep_until(opens).await,
                None if is_probed => self.changed.notified().await,
                None => return,
            }
        }
    }

    /// An attempt was answered, with so many tokens if that is known.
    pub(super) fn answered(&self, ticket: Ticket, tokens: Option<u64>) {
        self.account.answered(ticket.at);
        let mut waiting = self.waiting();
        waiting.pace.answered(ticket.number, Instant::now(), tokens);
        if waiting.refused.is_none_or(|refused| ticket.at > refused) {
            (waiting.is_probing, waiting.rounds) = (false, 0);
        }
    }

    /// The server refused an attempt: lets none begin within as long as it `asked`, or else within `wait` and longer each
    /// time that nothing was let through since. What this changed, if it is news.
    pub(super) fn refused(&self, ticket: Ticket, asked: Option<Duration>, wait: Duration) -> Option<Slowed> {
        let now = Instant::now();
        let mut waiting = self.waiting();
        let longer = wait.saturating_mul(2_u32.saturating_pow(waiting.rounds)).min(LONGEST_PAUSE);
        let wait = asked.unwrap_or(longer);
        waiting.pause(now + wait);
        // What was sent before the server was known to refuse is refused with it.
        let is_news = waiting.refused.is_none_or(|refused| ticket.at > refused);
        let was_shut = waiting.pace.is_shut();
        let rate = waiting.pace.refused(ticket.number, ticket.at, wait, is_news);
        if !is_news {
            return None;
        }
        // Nothing came through since the last refusal, and nobody says when something will: one at a time finds out.
        waiting.is_probing = was_shut && asked.is_none();
        waiting.rounds = if was_shut { waiting.rounds + 1 } else { 0 };
        waiting.refused = Some(now);
        drop(waiting);
        if was_shut {
            return None;
        }
        // Where the pace is known, it is what slows down; how many are under way at it, latency decides.
        let (limit_before, limit) = match rate {
            Some(_) => self.account.kept(now),
            None => self.account.refused(now),
        };
        Some(Slowed { limit_before, limit, rate })
    }

    /// For how long the server has let nothing through, if it refuses without saying for how long.
    pub(super) fn shut_for(&self) -> Option<Duration> {
        let waiting = self.waiting();
        waiting.is_probing.then(|| waiting.pace.shut_since()).flatten().map(|since| since.elapsed())
    }

    /// Lets no attempt begin within `wait` from now; whether that is a second or more longer than it was anyway.
    pub(super) fn pause(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut waiting = self.waiting();
        let before = waiting.paused_until;
        waiting.pause(until);
        until.saturating_duration_since(before.unwrap_or_else(Instant::now)) >= Duration::from_secs(1)
    }

    /// The server was in trouble: the account's limit does not grow for what was under way.
    pub(super) fn troubled(&self) {
        self.account.troubled(Instant::now());
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Waiting {
    fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
    }

    /// When the next attempt may begin, if it must wait.
    fn opens(&self, now: Instant) -> Option<Instant> {
        let paused = self.paused_until.filter(|until| *until > now);
        paused.max(self.pace.wait_until(now))
    }
}

#[cfg(test)]
mod tests;
