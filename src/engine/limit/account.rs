//! How many attempts one account may have under way: a limit that follows what its server bears.
//!
//! Promises that the limit starts where the user says, or low and doubling; that a refusal cuts it once, whatever else was
//! under way; that other troubles only keep it from growing; and that it grows only while it is what holds things up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How many tenths of a limit a refusal leaves.
const CUT: usize = 7;

/// An account's permits.
#[derive(Debug)]
pub(super) struct Account {
    permits: Arc<Semaphore>,
    /// How many wait for a permit.
    waiters: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many may be under way.
    limit: usize,
    /// The most that may ever be.
    most: usize,
    /// Permits given out beyond the limit: taken out when they come back.
    excess: usize,
    /// Whether nothing has been refused yet: the limit doubles.
    is_slow_start: bool,
    /// Answers since the limit last grew.
    answers: usize,
    /// When the limit was last cut, or a server was last in trouble.
    trouble: Option<Instant>,
}

/// The right to have one attempt under way; given back when dropped.
#[derive(Debug)]
pub(super) struct AccountPermit {
    account: Arc<Account>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Account {
    /// An account that begins with `limit` and never has more than `most`.
    pub(super) fn new(limit: usize, most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        let limit = limit.clamp(1, most);
        let state = State { limit, most, excess: 0, is_slow_start: true, answers: 0, trouble: None };
        Self { permits: Arc::new(Semaphore::new(limit)), waiters: AtomicUsize::new(0), state: Mutex::new(state) }
    }

    /// Waits for a permit; they come in the order in which they were asked for.
    pub(super) async fn permit(self: &Arc<Self>) -> AccountPermit {
        let waiter = Waiter::of(self);
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphores are never closed");
        drop(waiter);
        AccountPermit { account: Arc::clone(self), permit: Some(permit) }
    }

    /// An attempt that began at `began` was answered: if somebody waits for a permit, there may be more.
    pub(super) fn answered(&self, began: Instant) {
        let mut state = self.state();
        if self.waiters.load(Ordering::Relaxed) == 0 || state.trouble.is_some_and(|trouble| began <= trouble) {
            return;
        }
        state.answers += 1;
        let needed = if state.is_slow_start { 1 } else { state.limit };
        if state.answers >= needed && state.limit < state.most {
            (state.answers, state.limit) = (0, state.limit + 1);
            // A permit that was to be taken out stays instead.
            if state.excess > 0 { state.excess -= 1 } else { self.permits.add_permits(1) }
        }
    }

    /// How many may be under way.
    pub(super) fn limit(&self) -> usize {
        self.state().limit
    }

    /// A server refused an attempt for the first time since the last cut. Returns the limit before and after.
    pub(super) fn refused(&self, now: Instant) -> (usize, usize) {
        let mut state = self.state();
        let before = state.limit;
        let after = (before * CUT / 10).max(1);
        state.excess += before - after;
        while state.excess > 0 && self.permits.forget_permits(1) == 1 {
            state.excess -= 1;
        }
        (state.limit, state.is_slow_start, state.answers, state.trouble) = (after, false, 0, Some(now));
        (before, after)
    }

    /// A server refused, and the model's pace answers for it: the limit only stops doubling.
    pub(super) fn kept(&self, now: Instant) -> (usize, usize) {
        let mut state = self.state();
        (state.is_slow_start, state.trouble) = (false, Some(now));
        (state.limit, state.limit)
    }

    /// A server was in trouble: what was under way then does not make the limit grow.
    pub(super) fn troubled(&self, now: Instant) {
        self.state().trouble = Some(now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for a permit, or has ceased to.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn of(account: &'a Account) -> Self {
        account.waiters.fetch_add(1, Ordering::Relaxed);
        Self(&account.waiters)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for AccountPermit {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let mut state = self.account.state();
        if state.excess > 0 {
            state.excess -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Takes all permits that there are.
    async fn all(account: &Arc<Account>) -> Vec<AccountPermit> {
        let mut taken = Vec::new();
        while account.permits.available_permits() > 0 {
            taken.push(account.permit().await);
        }
        taken
    }

    /// One more who waits for a permit, and keeps what it gets.
    async fn waiting(account: &Arc<Account>) {
        let account = Arc::clone(account);
        tokio::spawn(async move {
            let _held = account.permit().await;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_doubles_until_a_refusal_and_then_grows_by_one() {
        let account = Arc::new(Account::new(4, 100));
        let _held = all(&account).await;
        let began = Instant::now();
        for _ in 0..20 {
            waiting(&account).await;
        }
        for _ in 0..4 {
            account.answered(began);
        }
        assert_eq!(account.limit(), 8);
        assert_eq!(account.refused(began), (8, 5));
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..5 {
            assert_eq!(account.limit(), 5);
            account.answered(Instant::now());
        }
        assert_eq!(account.limit(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn permits_beyond_a_cut_limit_are_taken_out_as_they_come_back() {
        let account = Arc::new(Account::new(10, 10));
        let held = all(&account).await;
        assert_eq!(account.refused(Instant::now()), (10, 7));
        assert_eq!(account.permits.available_permits(), 0);
        drop(held);
        assert_eq!(account.permits.available_permits(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_under_way_in_trouble_and_idle_permits_do_not_raise_the_limit() {
        let account = Arc::new(Account::new(2, 10));
        account.answered(Instant::now());
        assert_eq!(account.limit(), 2, "nobody waits");
        let _held = all(&account).await;
        waiting(&account).await;
        let began = Instant::now();
        account.troubled(began);
        account.answered(began);
        assert_eq!(account.limit(), 2, "it was under way in trouble");
        tokio::time::advance(Duration::from_secs(1)).await;
        account.answered(Instant::now());
        assert_eq!(account.limit(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_stays_between_one_and_the_most() {
        let account = Arc::new(Account::new(50, 3));
        assert_eq!(account.limit(), 3);
        for _ in 0..9 {
            account.refused(Instant::now());
        }
        assert_eq!(account.limit(), 1);
    }
}
