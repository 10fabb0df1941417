//! What a run has spent and may still spend: a request is let through if the budget bears the most that it may take.
//!
//! Promises that what was spent and what is under way together never pass the budget, as far as estimates go; that who
//! asks first is served first; and that once a request does not fit, none follows it. Leaves sending to `client`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::transport::Reply;
use crate::budget::{Bound, Budget, Spending};
use crate::id::ModelId;
use crate::provider::output_limit;
use crate::response::{Failure, FailureKind};
use crate::trial::Trial;

/// A budget with what is gone of it.
#[derive(Debug)]
pub(super) struct Ledger {
    budget: Budget,
    /// One at a time waits for what is under way: the others wait behind.
    turn: AsyncMutex<()>,
    state: Mutex<State>,
    /// Something that was under way has ended.
    settled: Notify,
}

#[derive(Debug, Default)]
struct State {
    spent: Spending,
    /// For what is under way.
    reserved: Spending,
    models: HashMap<ModelId, Known>,
    refused: Option<Refused>,
}

/// What is known of a model.
#[derive(Debug, Default)]
struct Known {
    under_way: usize,
    /// Its longest answer so far, in tokens.
    longest: Option<u64>,
}

/// The request that did not fit any more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refused {
    /// The bound that it would have passed.
    pub bound: Bound,
    /// How much that is.
    pub most: f64,
    /// The most that the request may have taken.
    pub request: Spending,
}

impl Ledger {
    /// A budget of which so much is gone.
    pub(super) fn new(budget: Budget, spent: Spending) -> Self {
        let state = State { spent, ..State::default() };
        Self { budget, turn: AsyncMutex::default(), state: Mutex::new(state), settled: Notify::new() }
    }

    /// What was spent, and the request that did not fit, if one did not.
    pub(super) fn read(&self) -> (Spending, Option<Refused>) {
        let state = self.state();
        (state.spent, state.refused)
    }

    /// Sets aside what one attempt at `trial` may take, perhaps after what is under way has ended; an error if the budget
    /// does not bear it. What asks no server takes nothing.
    pub(super) async fn reserve(self: &Arc<Self>, trial: &Trial) -> Result<Reserved, Refused> {
        if !trial.model.provider.is_remote() {
            return Ok(Reserved(None));
        }
        let _turn = self.turn.lock().await;
        loop {
            if let Some(reserved) = self.try_reserve(trial)? {
                return Ok(reserved);
            }
            self.settled.notified().await;
        }
    }

    /// Sets aside what the rest of an answer may take, whether the budget bears it or not.
    pub(super) fn reserve_rest(self: &Arc<Self>, trial: &Trial) -> Reserved {
        if !trial.model.provider.is_remote() {
            return Reserved(None);
        }
        let mut state = self.state();
        let most = trial.most(state.known(&trial.id.model).longest.unwrap_or(0));
        self.set_aside(&mut state, trial, most)
    }

    /// `None` where that depends on what is under way.
    fn try_reserve(self: &Arc<Self>, trial: &Trial) -> Result<Option<Reserved>, Refused> {
        let mut state = self.state();
        if let Some(refused) = state.refused {
            return Err(refused);
        }
        let known = state.known(&trial.id.model);
        // Where nothing limits an answer, one is asked for alone to see how long they are.
        let is_open = output_limit(&trial.model).is_none() && self.budget.bounds_answers();
        if is_open && known.longest.is_none() && known.under_way > 0 {
            return Ok(None);
        }
        let most = trial.most(known.longest.unwrap_or(0));
        if let Some((bound, limit)) = self.budget.passed_by(&(state.spent + most)) {
            let refused = Refused { bound, most: limit, request: most };
            state.refused = Some(refused);
            return Err(refused);
        }
        if self.budget.passed_by(&(state.spent + state.reserved + most)).is_some() {
            return Ok(None);
        }
        Ok(Some(self.set_aside(&mut state, trial, most)))
    }

    fn set_aside(self: &Arc<Self>, state: &mut State, trial: &Trial, most: Spending) -> Reserved {
        state.reserved += most;
        state.known(&trial.id.model).under_way += 1;
        Reserved(Some(Amount { ledger: Arc::clone(self), model: trial.id.model.clone(), most }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn known(&mut self, model: &ModelId) -> &mut Known {
        self.models.entry(model.clone()).or_default()
    }
}

/// What is set aside for one attempt; it is free again when dropped.
#[derive(Debug)]
pub(super) struct Reserved(Option<Amount>);

#[derive(Debug)]
struct Amount {
    ledger: Arc<Ledger>,
    model: ModelId,
    most: Spending,
}

impl Reserved {
    /// The attempt at `trial` has ended: what it took is spent, and nothing is set aside any more.
    pub(super) fn settle(&mut self, trial: &Trial, sent: &Result<Reply, Failure>) {
        let Some(amount) = self.0.take() else { return };
        let Amount { ledger, model, most } = &amount;
        let mut state = ledger.state();
        let taken = match sent {
            Ok(reply) => {
                let usage = &reply.response.usage;
                let known = state.known(model);
                known.longest = known.longest.max(usage.output_tokens).or(Some(0));
                Spending::of(usage, trial.model.price).unwrap_or(*most)
            }
            Err(failure) if may_be_paid_for(failure) => *most,
            Err(_) => Spending::requests(1),
        };
        state.spent += taken;
    }

    /// The attempt was dropped: a server may have answered it, so that it counts as estimated.
    pub(super) fn settle_unknown(&mut self) {
        if let Some(amount) = self.0.take() {
            amount.ledger.state().spent += amount.most;
        }
    }
}

impl Drop for Amount {
    fn drop(&mut self) {
        let mut state = self.ledger.state();
        state.reserved -= self.most;
        state.known(&self.model).under_way -= 1;
        drop(state);
        self.ledger.settled.notify_one();
    }
}

/// Whether a server may have answered nevertheless: it was late, or its answer broke off or could not be read.
fn may_be_paid_for(failure: &Failure) -> bool {
    let has_begun = failure.status.is_some_and(|status| matches!(status, 200..=299));
    match failure.kind {
        FailureKind::Timeout | FailureKind::Malformed | FailureKind::TooLarge => true,
        FailureKind::Connection => has_begun,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::testing::{SECOND, Tried, Trying, failure, hint, model, small_plan};
    use crate::engine::transport::scripted::answer;
    use crate::engine::{Answer, Answers, Cancel, Event};
    use crate::model::{Model, Params, Price, Provider};
    use crate::outcome::Status;
    use crate::response::Usage;

    const AT_ONCE: Duration = Duration::ZERO;

    /// A model of whose answers one has at most 1,000 tokens, each for a thousandth of a dollar.
    fn priced(id: &str) -> Model {
        let params = Params { max_output_tokens: Some(1_000), ..Params::default() };
        let price = Price { input: 0.0, output: 1_000.0, cached_input: None, valid_until: None };
        Model { params, price: Some(price), ..model(id, Provider::OpenAi) }
    }

    fn reply(tokens: u64) -> Reply {
        let mut reply = answer("はい");
        reply.response.usage.output_tokens = Some(tokens);
        reply
    }

    fn cost(dollars: f64) -> Budget {
        Budget { max_cost: Some(dollars), ..Budget::default() }
    }

    fn requests(requests: u64) -> Budget {
        Budget { max_requests: Some(requests), ..Budget::default() }
    }

    fn trying(trials: usize, models: Vec<Model>, concurrency: usize, budget: Budget) -> Trying {
        let mut trying = Trying::new(small_plan(trials, models, 1), concurrency);
        trying.setup.budget = budget;
        trying
    }

    /// Requests, answers, trials that are left, and what was spent in dollars.
    fn ends(tried: &Tried) -> (usize, usize, usize, f64) {
        let finished = tried.finished.as_ref().unwrap();
        let left = finished.counts.of(Status::Skipped);
        (tried.scripted.calls().len(), tried.count(Status::Passed), left, finished.spent.dollars())
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_begins_that_may_pass_the_budget() {
        // One may cost a dollar and costs a tenth of one.
        for (dollars, concurrency, answered) in
            [(5.0, 1, 41), (5.0, 4, 41), (5.0, 32, 41), (0.5, 4, 0), (0.0, 4, 0), (1.0, 4, 1)]
        {
            let tried =
                trying(100, vec![priced("m")], concurrency, cost(dollars)).run(|_| (SECOND, Ok(reply(100)))).await;
            let spent = f64::from(u32::try_from(answered).unwrap()) / 10.0;
            assert_eq!(ends(&tried), (answered, answered, 100 - answered, spent), "{dollars} {concurrency}");
            let refused = tried.finished.unwrap().refused.unwrap();
            assert_eq!((refused.bound, refused.request.dollars()), (Bound::Cost, 1.0));
            assert!(tried.scripted.most_under_way() as f64 <= dollars, "{dollars} {concurrency}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_that_is_enough_holds_nothing_up() {
        let plain = trying(100, vec![priced("m")], 10, Budget::default()).run(|_| (SECOND, Ok(reply(100)))).await;
        let bounded = trying(100, vec![priced("m")], 10, cost(1_000.0)).run(|_| (SECOND, Ok(reply(100)))).await;
        for tried in [plain, bounded] {
            assert_eq!((tried.took, ends(&tried)), (SECOND * 10, (100, 100, 0, 10.0)));
            assert_eq!(tried.finished.unwrap().refused, None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_is_kept_and_what_is_left_has_no_outcome() {
        let tried = trying(10, vec![priced("m")], 8, requests(4)).run(|_| (SECOND, Ok(reply(1)))).await;
        assert_eq!((tried.outcomes.len(), ends(&tried)), (4, (4, 4, 6, 0.004)));
        let finished = tried.finished.unwrap();
        assert!(!finished.interrupted && finished.stopped.is_empty());
        let told: Vec<&Event> =
            tried.events.iter().filter(|event| matches!(event, Event::BudgetUsedUp { .. })).collect();
        assert!(matches!(told.as_slice(), [Event::BudgetUsedUp { refused, .. }] if refused.bound == Bound::Requests));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_that_fail_are_requests_and_cost_nothing() {
        let tried = trying(10, vec![priced("m")], 1, requests(5))
            .run(|call| match call.attempt {
                1 => (SECOND, Err(failure(FailureKind::Unavailable, 503, "later"))),
                _ => (SECOND, Ok(reply(1))),
            })
            .await;
        // A question whose next attempt the budget does not bear has not been asked.
        let (sent, answered, left, spent) = ends(&tried);
        assert_eq!((sent, answered + left, tried.outcomes.len()), (5, 10, answered));
        assert_eq!(spent, answered as f64 / 1_000.0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_a_server_may_have_answered_counts_as_estimated() {
        for (failed, dollars) in [
            (failure(FailureKind::Unavailable, 503, "later"), 0.0),
            (hint(FailureKind::RateLimited, 429, 1), 0.0),
            (Failure::new(FailureKind::Connection, "refused"), 0.0),
            (failure(FailureKind::Connection, 200, "cut"), 1.0),
            (Failure::new(FailureKind::Timeout, "late"), 1.0),
            (failure(FailureKind::Malformed, 200, "no JSON"), 1.0),
        ] {
            let tried = trying(1, vec![priced("m")], 1, Budget::default())
                .run(
                    move |call| {
                        if call.attempt == 1 { (AT_ONCE, Err(failed.clone())) } else { (AT_ONCE, Ok(reply(1))) }
                    },
                )
                .await;
            assert_eq!(ends(&tried), (2, 1, 0, dollars + 0.001));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_counts_counts_as_estimated() {
        let tried = trying(10, vec![priced("m")], 1, cost(3.0))
            .run(|_| {
                let mut reply = reply(1);
                reply.response.usage = Usage::default();
                (SECOND, Ok(reply))
            })
            .await;
        assert_eq!(ends(&tried), (3, 3, 7, 3.0));
        assert_eq!(tried.finished.unwrap().spent.estimated, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn where_answers_have_no_limit_one_is_asked_for_first_and_the_longest_so_far_is_expected() {
        for (budget, took, answered) in
            [(cost(10.0), 2, 2), (cost(100.0), 3, 20), (requests(20), 2, 20), (Budget::default(), 2, 20)]
        {
            let unlimited = Model { params: Params::default(), ..priced("m") };
            let tried = trying(20, vec![unlimited], 10, budget).run(|_| (SECOND, Ok(reply(4_000)))).await;
            assert_eq!((tried.took, ends(&tried).1), (SECOND * took, answered), "{budget:?}");
            let refused = tried.finished.unwrap().refused;
            assert_eq!(refused.map(|refused| refused.request.dollars()), (answered < 20).then_some(4.0));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_earlier_run_has_spent_counts() {
        let mut trying = trying(10, vec![priced("m")], 1, requests(5));
        trying.setup.spent = Spending::requests(3);
        let tried = trying.run(|_| (SECOND, Ok(reply(1)))).await;
        assert_eq!(ends(&tried).1, 2);
        assert_eq!(tried.finished.unwrap().spent.requests, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_costs_nothing_goes_on_when_the_budget_is_used_up() {
        let mut trying = trying(3, vec![priced("m"), model("file", Provider::Recorded)], 1, requests(0));
        let kept = Answer { response: answer("前の答え").response, ..Answer::default() };
        let last = trying.setup.plan.trials.iter().rfind(|trial| trial.id.model.as_str() == "m").unwrap().id.clone();
        trying.setup.answers = Arc::new(Answers::new(Arc::new(|_, _| Ok(())), [(last, kept)]));
        let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
        assert_eq!((tried.count(Status::Passed), tried.finished.unwrap().counts.of(Status::Skipped)), (4, 2));
        assert!(tried.scripted.calls().iter().all(|call| call.trial.model.as_str() == "file"));
    }

    #[tokio::test(start_paused = true)]
    async fn models_that_wait_for_the_budget_are_served_in_turn() {
        let dear = Model { params: Params { max_output_tokens: Some(2_000), ..Params::default() }, ..priced("dear") };
        let tried = trying(20, vec![dear, priced("cheap")], 1, cost(2.5)).run(|_| (SECOND, Ok(reply(10)))).await;
        let begun = |id: &str| tried.scripted.calls().iter().filter(|call| call.trial.model.as_str() == id).count();
        // The dear one needs nearly all of it for each request and is not left behind.
        assert_eq!((begun("dear"), begun("cheap"), tried.finished.unwrap().refused), (20, 20, None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_while_the_budget_is_waited_for_ends_the_run() {
        let trying = trying(10, vec![priced("m")], 8, cost(1.5));
        let cancel = trying.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND / 2).await;
            cancel.send_replace(Cancel::Finish);
        });
        let tried = trying.run(|_| (SECOND, Ok(reply(1)))).await;
        assert_eq!((tried.took, ends(&tried).1), (SECOND, 1));
        assert!(tried.finished.unwrap().interrupted);
    }
}
