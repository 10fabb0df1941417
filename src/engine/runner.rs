//! Runs a plan: every trial that has no outcome yet is asked, judged and kept.
//!
//! Promises that an answer is kept before its permit is given back, that one failing trial never stops a run, that a
//! dead key stops its own model only, and that no scheduling changes an outcome. Knows nothing of bars and reports.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

use super::answers::{Answer, Answers};
use super::client::{Asked, Client, End, Jitter, Right};
use super::event::{Counts, Event, Summary};
use super::ledger::{Ledger, Refused};
use super::limit::{Concurrency, Lane, Permit, Slowed, lanes};
use super::retry::{GiveUp, Policy};
use super::transport::{NOT_STARTED, Transport};
use crate::budget::{Budget, Spending};
use crate::id::ModelId;
use crate::outcome::{Outcome, Status};
use crate::provider;
use crate::request::Request;
use crate::response::{Failure, FailureKind, FinishReason, Response};
use crate::score::{Score, Verdict};
use crate::trial::{Plan, Trial, TrialId};

/// Judges an answer: one score for each property that the trial requires.
pub type Scorer = Arc<dyn Fn(&Trial, &Response) -> Vec<Score> + Send + Sync>;

/// Keeps an outcome; when it returns, nothing short of a broken disk loses it.
pub type Keep = Arc<dyn Fn(&Outcome) -> io::Result<()> + Send + Sync>;

/// Keeps the history of a model's limits.
pub type KeepLimit = Arc<dyn Fn(&ModelId, &Slowed) -> io::Result<()> + Send + Sync>;

/// The most trials of a model that are begun and not ended: those that wait for a retry take memory, too.
const MAX_OPEN: usize = 1024;

/// How far a run is to end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Cancel {
    /// Not at all.
    #[default]
    No,
    /// Begin nothing more, finish what is under way.
    Finish,
    /// Drop what is under way, too.
    Drop,
}

/// All that a run needs.
#[derive(Clone)]
pub struct Setup {
    /// What to ask.
    pub plan: Arc<Plan>,
    /// The trials that have an outcome already: they are counted and not asked.
    pub done: HashMap<TrialId, Status>,
    /// When and how often a failed attempt is made again.
    pub policy: Policy,
    /// How much may be under way at once.
    pub concurrency: Concurrency,
    /// What may be spent.
    pub budget: Budget,
    /// What of it an earlier run of the same plan has spent.
    pub spent: Spending,
    /// Whether the first failed or errored trial ends the run.
    pub fail_fast: bool,
    /// Judges answers.
    pub scorer: Scorer,
    /// Keeps answers before they are judged, and finds those that are there.
    pub answers: Arc<Answers>,
    /// Keeps outcomes.
    pub keep: Keep,
    /// Keeps the history of limits; a run goes on without it.
    pub keep_limit: KeepLimit,
    /// Random numbers in 0..1 that spread retries over time.
    pub jitter: Jitter,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, done, policy, concurrency, fail_fast, .. } = self;
        let (trials, done) = (plan.trials.len(), done.len());
        write!(f, "Setup({trials} trials, {done} done, {policy:?}, {concurrency:?}, fail fast: {fail_fast})")
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// All trials of the plan by status; skipped are those that have no outcome.
    pub counts: Counts,
    /// Whether the user ended it before every trial had its outcome.
    pub interrupted: bool,
    /// The models that were stopped, with the servers' messages, in the plan's order.
    pub stopped: Vec<(ModelId, Failure)>,
    /// What was spent on servers, by an earlier run of the same plan, too.
    pub spent: Spending,
    /// The request that the budget did not bear; none was sent after it.
    pub refused: Option<Refused>,
}

/// Runs a plan. Outcomes are kept in the order in which they arrive.
///
/// `events` must be read while it runs, or not at all (its receiver dropped): a full channel holds the run up.
/// `cancel` may change at any time; its sender may be gone.
///
/// # Errors
/// An outcome could not be kept; then nothing more is begun.
pub async fn run(
    setup: Setup,
    transport: Transport,
    events: mpsc::Sender<Event>,
    cancel: watch::Receiver<Cancel>,
) -> io::Result<Finished> {
    let runner = Arc::new(Runner::new(setup, transport, events));
    let plan = Arc::clone(&runner.setup.plan);
    let already_done = *lock(&runner.counts);
    runner.client.tell(Event::RunStarted { total: plan.trials.len(), already_done }).await;
    runner.client.halt(*cancel.borrow());

    let mut listener = JoinSet::new();
    listener.spawn(Arc::clone(&runner).listen(cancel));
    let lanes = lanes(&plan.models, runner.setup.concurrency);
    let mut drivers = JoinSet::new();
    for (lane, queue) in lanes.iter().zip(runner.queues()) {
        lane.expect(queue.len());
        drivers.spawn(Arc::clone(&runner).drive(Arc::clone(lane), queue));
    }
    while let Some(driven) = drivers.join_next().await {
        driven.map_err(io::Error::other)?;
    }
    // Its last event comes before the run's.
    listener.shutdown().await;

    let mut counts = *lock(&runner.counts);
    let skipped = plan.trials.len().saturating_sub(counts.total());
    counts.add(Status::Skipped, skipped);
    runner.client.tell(Event::RunFinished { counts }).await;
    if let Some(error) = lock(&runner.error).take() {
        return Err(error);
    }
    let stopped = lanes.iter().filter_map(|lane| Some((lane.model.id.clone(), lane.why_stopped()?))).collect();
    let interrupted = skipped > 0 && runner.interrupted.load(Ordering::Relaxed);
    let (spent, refused) = runner.client.ledger.read();
    Ok(Finished { counts, interrupted, stopped, spent, refused })
}

/// What the tasks of a run share.
struct Runner {
    setup: Setup,
    client: Client,
    counts: Mutex<Counts>,
    interrupted: AtomicBool,
    error: Mutex<Option<io::Error>>,
}

impl Runner {
    fn new(setup: Setup, transport: Transport, events: mpsc::Sender<Event>) -> Self {
        let done = setup.plan.trials.iter().filter_map(|trial| setup.done.get(&trial.id).copied());
        Self {
            counts: Mutex::new(done.collect()),
            client: Client {
                transport,
                policy: setup.policy,
                jitter: Arc::clone(&setup.jitter),
                keep_limit: Arc::clone(&setup.keep_limit),
                events,
                halt: watch::Sender::default(),
                in_flight: AtomicUsize::new(0),
                ledger: Arc::new(Ledger::new(setup.budget, setup.spent)),
                is_used_up: AtomicBool::new(false),
            },
            setup,
            interrupted: AtomicBool::new(false),
            error: Mutex::default(),
        }
    }

    /// For each model of the plan, the places of its trials that are still to be asked.
    fn queues(&self) -> Vec<Vec<usize>> {
        let plan = &self.setup.plan;
        let mut queues = vec![Vec::new(); plan.models.len()];
        let places: HashMap<&ModelId, usize> = plan.models.iter().map(|model| &model.id).zip(0..).collect();
        for (n, trial) in plan.trials.iter().enumerate() {
            if !self.setup.done.contains_key(&trial.id) {
                queues[places[&trial.id.model]].push(n);
            }
        }
        queues
    }

    /// Passes the user's wish to end the run on to those who ask and wait.
    async fn listen(self: Arc<Self>, mut cancel: watch::Receiver<Cancel>) {
        if cancel.wait_for(|cancel| *cancel >= Cancel::Finish).await.is_err() {
            return;
        }
        self.interrupted.store(true, Ordering::Relaxed);
        self.client.halt(Cancel::Finish);
        self.client.tell(Event::Interrupted { in_flight: self.client.in_flight.load(Ordering::Relaxed) }).await;
        if cancel.wait_for(|cancel| *cancel == Cancel::Drop).await.is_ok() {
            self.client.halt(Cancel::Drop);
        }
    }

    /// Takes one model's trials through, in the plan's order, as permits allow.
    async fn drive(self: Arc<Self>, lane: Arc<Lane>, queue: Vec<usize>) {
        let mut tasks = JoinSet::new();
        let mut trials = HashMap::new();
        let mut queue = queue.into_iter();
        while let Some(n) = queue.next() {
            let request = self.request(n);
            // What is there already needs no permit, and no key.
            let task = if let Some(answer) = self.recall(n, &request) {
                if *self.client.halt.borrow() != Cancel::No {
                    break;
                }
                tasks.spawn(Arc::clone(&self).judge_recalled(Arc::clone(&lane), n, answer))
            } else {
                let right = tokio::select! {
                    biased;
                    () = self.client.halted(Cancel::Finish) => break,
                    failure = lane.stopped() => {
                        self.give_up(&lane, std::iter::once(n).chain(queue), &failure).await;
                        break;
                    }
                    right = self.client.right(&lane, &self.setup.plan.trials[n]) => right,
                };
                // What the budget does not bear is left for a later run; what follows may cost nothing.
                let Some(right) = right else { continue };
                tasks.spawn(Arc::clone(&self).try_one(Arc::clone(&lane), n, request, right))
            };
            trials.insert(task.id(), n);
            while let Some(ended) = tasks.try_join_next_with_id() {
                self.ended(&lane, &mut trials, ended).await;
            }
            while tasks.len() >= MAX_OPEN
                && let Some(ended) = tasks.join_next_with_id().await
            {
                self.ended(&lane, &mut trials, ended).await;
            }
        }
        while let Some(ended) = tasks.join_next_with_id().await {
            self.ended(&lane, &mut trials, ended).await;
        }
    }

    /// Lets the trials of a stopped model have their outcome without being sent.
    async fn give_up(&self, lane: &Lane, trials: impl Iterator<Item = usize>, failure: &Failure) {
        for n in trials {
            if *self.client.halt.borrow() != Cancel::No {
                return;
            }
            let trial = &self.setup.plan.trials[n];
            let outcome = match self.recall(n, &self.request(n)) {
                Some(answer) => self.judge(trial, answer),
                None => errored(trial.id.clone(), failure.to_string()),
            };
            self.finish(lane, outcome, None).await;
        }
    }

    /// The answer of the `n`-th trial, if it need not be asked for.
    fn recall(&self, n: usize, request: &Request) -> Option<Answer> {
        let recalled = self.setup.answers.recall(&self.setup.plan.trials[n], request);
        recalled.unwrap_or_else(|error| {
            self.cannot_keep(error);
            None
        })
    }

    fn request(&self, n: usize) -> Request {
        let trial = &self.setup.plan.trials[n];
        provider::encode(&trial.model, &trial.prompt)
    }

    async fn judge_recalled(self: Arc<Self>, lane: Arc<Lane>, n: usize, answer: Answer) {
        let outcome = self.judge(&self.setup.plan.trials[n], answer);
        self.finish(&lane, outcome, None).await;
    }

    /// A trial's task has ended; should it have panicked, the trial has its outcome nevertheless.
    async fn ended(&self, lane: &Lane, trials: &mut HashMap<Id, usize>, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let n = trials.remove(&id);
        if let (Some(n), Err(error)) = (n, ended)
            && error.is_panic()
        {
            let message = format!("a fault of evalrun itself: {}", panic_message(&*error.into_panic()));
            self.finish(lane, errored(self.setup.plan.trials[n].id.clone(), message), None).await;
        }
    }

    async fn try_one(self: Arc<Self>, lane: Arc<Lane>, n: usize, request: Request, right: Right) {
        let trial = &self.setup.plan.trials[n];
        self.client.tell(Event::TrialStarted { trial: trial.id.clone() }).await;
        let Asked { end, attempts, latency, permit } = self.client.ask(&lane, trial, &request, right).await;
        let outcome = match end {
            End::Abandoned => return,
            End::Answered(reply) => {
                let latency = reply.latency.unwrap_or(latency);
                let answer = Answer { response: reply.response, attempts, latency, cached: false };
                if let Err(error) = self.setup.answers.commit(trial, &request, &answer).await {
                    self.cannot_keep(error);
                    return;
                }
                drop(permit);
                return self.finish(&lane, self.judge(trial, answer), None).await;
            }
            End::Failed(failure, reason) => {
                let is_shut = matches!(reason, GiveUp::Shut { .. });
                if (is_shut || stops_model(&failure)) && lane.stop(&failure) {
                    let (model, trials_left) = (trial.id.model.clone(), lane.left().saturating_sub(1));
                    self.client.tell(Event::ModelStopped { model, failure: failure.clone(), trials_left }).await;
                }
                Outcome { latency, ..errored(trial.id.clone(), explain(&failure, reason)) }
            }
            End::Stopped(failure) => Outcome { latency, ..errored(trial.id.clone(), failure.to_string()) },
        };
        self.finish(&lane, Outcome { attempts, ..outcome }, permit).await;
    }

    fn judge(&self, trial: &Trial, answer: Answer) -> Outcome {
        let Answer { response, attempts, latency, cached } = answer;
        let error = why_no_answer(&response);
        let scores = if error.is_none() { self.score(trial, &response) } else { Vec::new() };
        Outcome {
            status: if error.is_none() { Status::of_scores(&scores) } else { Status::Failed },
            cost: trial.model.price.and_then(|price| price.cost(&response.usage)),
            answer: response.text,
            finish: response.finish,
            usage: response.usage,
            served_model: response.served_model,
            response_id: response.id,
            scores,
            error,
            attempts,
            cached,
            latency,
            ..Outcome::without_answer(trial.id.clone(), Status::Failed, None)
        }
    }

    /// The scores of an answer; a scorer that panics leaves it unscored, not lost.
    fn score(&self, trial: &Trial, response: &Response) -> Vec<Score> {
        let scored = catch_unwind(AssertUnwindSafe(|| (self.setup.scorer)(trial, response)));
        scored.unwrap_or_else(|panic| {
            let reason = format!("the scorer failed: {}", panic_message(&*panic));
            let unscored = |property| Score {
                property,
                verdict: Verdict::Unscored,
                value: None,
                reason: Some(reason.clone()),
                evidence: Vec::new(),
            };
            trial.require.properties().map(unscored).collect()
        })
    }

    fn cannot_keep(&self, error: io::Error) {
        lock(&self.error).get_or_insert(error);
        // What cannot be kept is not worth asking for.
        self.client.halt(Cancel::Finish);
    }

    /// Keeps an outcome, then gives back its permit, then tells of it.
    async fn finish(&self, lane: &Lane, outcome: Outcome, permit: Option<Permit>) {
        if let Err(error) = (self.setup.keep)(&outcome) {
            return self.cannot_keep(error);
        }
        lock(&self.counts).add(outcome.status, 1);
        lane.finish_one();
        if self.setup.fail_fast && matches!(outcome.status, Status::Failed | Status::Errored) {
            self.client.halt(Cancel::Finish);
        }
        drop(permit);
        self.client.tell(Event::TrialFinished { summary: summary(outcome) }).await;
    }
}

fn stops_model(failure: &Failure) -> bool {
    failure.kind.stops_model() || failure.kind == FailureKind::Program && failure.code.as_deref() == Some(NOT_STARTED)
}

fn explain(failure: &Failure, reason: GiveUp) -> String {
    match reason.to_string() {
        reason if reason.is_empty() => failure.to_string(),
        reason => format!("{failure}; {reason}"),
    }
}

/// Why a response is no answer to judge; `None` if it is one.
fn why_no_answer(response: &Response) -> Option<String> {
    let because = |what: &str| match &response.finish.detail {
        Some(detail) => format!("{what}: {detail}"),
        None => what.to_owned(),
    };
    let is_empty = response.text.as_deref().unwrap_or_default().trim().is_empty();
    match response.finish.reason {
        FinishReason::Blocked => Some(because("the answer was blocked")),
        FinishReason::Refusal => Some(because("the model refused to answer")),
        FinishReason::Length if is_empty => Some(because("the token limit was reached before any text")),
        FinishReason::ToolCall if is_empty => Some(because("the model called a tool instead of answering")),
        FinishReason::Stop if is_empty => Some("the answer is empty".to_owned()),
        FinishReason::Continuation | FinishReason::Other | FinishReason::Unknown if is_empty => {
            Some(because("the answer is empty"))
        }
        FinishReason::Stop
        | FinishReason::Length
        | FinishReason::ToolCall
        | FinishReason::Continuation
        | FinishReason::Other
        | FinishReason::Unknown => None,
    }
}

fn errored(trial: TrialId, error: String) -> Outcome {
    Outcome::without_answer(trial, Status::Errored, Some(error))
}

fn summary(outcome: Outcome) -> Summary {
    Summary {
        trial: outcome.trial,
        status: outcome.status,
        finish: outcome.finish.reason,
        usage: outcome.usage,
        cost: outcome.cost,
        error: outcome.error,
        attempts: outcome.attempts.len(),
        cached: outcome.cached,
        latency: outcome.latency,
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these is a number or an error: no panic leaves it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::testing::{SECOND, Trying, failure, hint, model, score, small_plan};
    use crate::engine::transport::Reply;
    use crate::engine::transport::scripted::{Scripted, answer};
    use crate::model::{Model, Provider};
    use crate::response::{Finish, Usage};

    const AT_ONCE: Duration = Duration::ZERO;

    fn server(id: &str) -> Model {
        model(id, Provider::OpenAi)
    }

    /// Two models with one account.
    fn neighbours() -> Vec<Model> {
        ["a", "b"].map(|id| Model { base_url: "http://one.test".into(), ..server(id) }).into()
    }

    fn dead_key() -> Failure {
        failure(FailureKind::Authentication, 401, "bad key")
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_waits_for_retry_after() {
        let mut trying = Trying::new(small_plan(1, vec![server("m")], 1), 1);
        trying.setup.jitter = Arc::new(|| 0.0);
        let tried = trying
            .run(|call| match call.attempt {
                1 => (SECOND, Err(hint(FailureKind::RateLimited, 429, 7))),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        assert_eq!(tried.attempts_of("c1"), [0, 8_000]);
        let outcome = tried.outcome("c1");
        assert_eq!((outcome.status, outcome.latency, tried.took), (Status::Passed, SECOND * 9, SECOND * 9));
        let attempts: Vec<_> =
            outcome.attempts.iter().map(|attempt| (attempt.millis, attempt.status, attempt.waited_millis)).collect();
        assert_eq!(attempts, [(1_000, Some(429), Some(7_000)), (1_000, Some(200), None)]);
        assert_eq!(outcome.attempts[0].failure, Some(FailureKind::RateLimited));
    }

    #[tokio::test(start_paused = true)]
    async fn an_overloaded_server_is_asked_five_times_with_doubling_delays() {
        let tried = Trying::new(small_plan(1, vec![server("m")], 1), 1)
            .run(|_| (AT_ONCE, Err(failure(FailureKind::Unavailable, 503, "overloaded"))))
            .await;
        assert_eq!(tried.attempts_of("c1"), [0, 500, 1_500, 3_500, 7_500]);
        let error = tried.outcome("c1").error.as_deref();
        assert_eq!(error, Some("unavailable (503): overloaded; given up after 5 attempts"));
        assert_eq!((tried.count(Status::Errored), tried.took), (1, Duration::from_millis(7_500)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_succeed_later_is_asked_once() {
        let longest = failure(FailureKind::BadRequest, 400, "too long");
        let later = hint(FailureKind::RateLimited, 429, 3_600);
        for (failure, error) in [
            (longest, "bad request (400): too long"),
            (
                later,
                "rate limited (429): later; given up, since the server asks to wait 3600s and a trial may take no \
                 longer than 900s",
            ),
        ] {
            let tried =
                Trying::new(small_plan(1, vec![server("m")], 1), 1).run(move |_| (AT_ONCE, Err(failure.clone()))).await;
            assert_eq!(tried.attempts_of("c1"), [0]);
            assert_eq!(tried.outcome("c1").error.as_deref(), Some(error));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn files_and_programs_are_asked_once() {
        for provider in [Provider::Recorded, Provider::Command] {
            let tried = Trying::new(small_plan(1, vec![model("m", provider)], 1), 1)
                .run(|_| (AT_ONCE, Err(Failure::new(FailureKind::Timeout, "no answer within 1s"))))
                .await;
            assert_eq!((tried.attempts_of("c1").len(), tried.count(Status::Errored)), (1, 1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_key_stops_its_model_and_no_other() {
        let tried = Trying::new(small_plan(10, vec![server("dead"), server("good")], 1), 1)
            .run(|call| match call.trial.model.as_str() {
                "dead" => (AT_ONCE, Err(dead_key())),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        let sent = |id: &str| tried.scripted.calls().iter().filter(|call| call.trial.model.as_str() == id).count();
        assert_eq!((sent("dead"), sent("good")), (1, 10));
        assert_eq!((tried.count(Status::Errored), tried.count(Status::Passed)), (10, 10));
        let errored = tried.outcomes.iter().filter(|outcome| outcome.status == Status::Errored);
        assert_eq!(
            errored.filter(|outcome| outcome.error.as_deref() == Some("authentication (401): bad key")).count(),
            10
        );
        assert_eq!(tried.finished.unwrap().stopped, [("dead".parse().unwrap(), dead_key())]);
        let stopped = Event::ModelStopped { model: "dead".parse().unwrap(), failure: dead_key(), trials_left: 9 };
        assert_eq!(tried.events.iter().filter(|event| **event == stopped).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_key_ends_the_waits_of_its_model_at_once() {
        let tried = Trying::new(small_plan(3, vec![server("m")], 1), 2)
            .run(|call| match call.trial.case.as_str() {
                "c1" => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 60))),
                _ => (SECOND, Err(dead_key())),
            })
            .await;
        assert_eq!((tried.took, tried.count(Status::Errored)), (SECOND, 3));
        assert_eq!(tried.outcome("c1").error.as_deref(), Some("authentication (401): bad key"));
        assert_eq!(tried.outcome("c1").attempts.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_is_not_there_stops_its_model() {
        let tried = Trying::new(small_plan(5, vec![model("m", Provider::Command)], 1), 1)
            .run(|_| {
                let failure = Failure::new(FailureKind::Program, "no such file");
                (AT_ONCE, Err(Failure { code: Some(NOT_STARTED.into()), ..failure }))
            })
            .await;
        assert_eq!((tried.scripted.calls().len(), tried.count(Status::Errored)), (1, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn permits_are_given_back_while_waiting() {
        let tried = Trying::new(small_plan(3, vec![server("m")], 1), 1)
            .run(|call| match (call.trial.case.as_str(), call.attempt) {
                ("c1", 1) => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 10))),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        assert_eq!(tried.attempts_of("c1"), [0, 10_500]);
        assert_eq!((tried.attempts_of("c2"), tried.attempts_of("c3")), (vec![0], vec![1_000]));
        assert_eq!(tried.scripted.most_under_way(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_429_holds_back_its_model_and_not_its_neighbour() {
        let tried = Trying::new(small_plan(3, neighbours(), 1), 1)
            .run(|call| match (call.trial.model.as_str(), call.trial.case.as_str(), call.attempt) {
                ("a", "c1", 1) => (AT_ONCE, Err(hint(FailureKind::RateLimited, 429, 60))),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        let begun = |id: &str| -> Vec<u64> {
            let calls = tried.scripted.calls();
            calls.iter().filter(|call| call.trial.model.as_str() == id).map(|call| call.at.as_secs()).collect()
        };
        assert_eq!((begun("b"), tried.count(Status::Passed)), (vec![0, 1, 2], 6));
        assert_eq!(begun("a"), [0, 60, 61, 62]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_under_way_than_the_account_and_the_run_allow() {
        let limited = |id: &str, limit| {
            let mut model = server(id);
            model.limits.concurrency = Some(limit);
            model
        };
        let several = || vec![server("a"), server("b"), server("c")];
        for (models, per_account, total, expected) in [
            (vec![server("a")], 4, 100, 4),
            (neighbours(), 4, 100, 4),
            (several(), 4, 100, 12),
            (several(), 4, 5, 5),
            (vec![limited("a", 2)], 4, 100, 2),
            (vec![limited("a", 9)], 4, 100, 4),
            (vec![server("a")], 0, 0, 1),
        ] {
            let mut trying = Trying::new(small_plan(20, models, 1), 1);
            trying.setup.concurrency = Concurrency { start: per_account, per_account, total };
            let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
            assert_eq!(tried.scripted.most_under_way(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_down_does_not_open_all_trials_at_once() {
        let trying = Trying::new(small_plan(MAX_OPEN + 200, vec![server("m")], 1), 10);
        let tried = trying
            .run(|call| match call.attempt {
                1 => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 60))),
                _ => (AT_ONCE, Ok(answer("はい"))),
            })
            .await;
        let begun_at_once = tried.scripted.calls().iter().filter(|call| call.at == AT_ONCE).count();
        assert_eq!((begun_at_once, tried.count(Status::Passed)), (MAX_OPEN, MAX_OPEN + 200));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_before_its_permit_is_given_back() {
        let mut trying = Trying::new(small_plan(5, vec![server("m")], 1), 1);
        let scripted = Arc::new(Scripted::new(|_| (SECOND, Ok(answer("はい")))));
        let (asked, begun) = (Arc::clone(&scripted), Arc::new(Mutex::new(Vec::new())));
        let noted = Arc::clone(&begun);
        let note = move |_: &TrialId, _: &Answer| {
            noted.lock().unwrap().push(asked.calls().len());
            Ok(())
        };
        trying.setup.answers = Arc::new(Answers::new(Arc::new(note), []));
        trying.run_through(scripted).await.finished.unwrap();
        assert_eq!(*begun.lock().unwrap(), [1, 2, 3, 4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_before_it_is_judged() {
        let mut trying = Trying::new(small_plan(1, vec![server("m")], 1), 1);
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (noted, judged) = (Arc::clone(&kept), Arc::clone(&kept));
        let note = move |trial: &TrialId, answer: &Answer| {
            noted.lock().unwrap().push(format!("{trial}: {}", answer.response.text.as_deref().unwrap_or_default()));
            Ok(())
        };
        trying.setup.answers = Arc::new(Answers::new(Arc::new(note), []));
        trying.setup.scorer = Arc::new(move |_, _| {
            judged.lock().unwrap().push("judged".to_owned());
            vec![score(Verdict::Pass)]
        });
        trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
        assert_eq!(*kept.lock().unwrap(), ["c1 · p@m: はい", "judged"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_kept_and_not_judged_is_not_asked_for_again() {
        let mut trying = Trying::new(small_plan(2, vec![server("m")], 1), 1);
        let kept = Answer { response: answer("前の答え").response, latency: SECOND * 7, ..Answer::default() };
        let first = trying.setup.plan.trials[0].id.clone();
        trying.setup.answers = Arc::new(Answers::new(Arc::new(|_, _| Ok(())), [(first, kept)]));
        let tried = trying.run(|_| (AT_ONCE, Err(dead_key()))).await;
        let outcome = tried.outcome("c1");
        assert_eq!((outcome.status, outcome.answer.as_deref()), (Status::Passed, Some("前の答え")));
        assert_eq!((outcome.latency, outcome.cached), (SECOND * 7, false));
        assert_eq!((tried.scripted.calls().len(), tried.outcome("c2").status), (1, Status::Errored));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_cannot_be_kept_ends_the_run_with_its_error() {
        let mut trying = Trying::new(small_plan(5, vec![server("m")], 1), 1);
        let note = |_: &TrialId, _: &Answer| Err(io::Error::other("the disk is full"));
        trying.setup.answers = Arc::new(Answers::new(Arc::new(note), []));
        let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
        assert_eq!((tried.scripted.calls().len(), tried.outcomes.len()), (1, 0));
        assert_eq!(tried.finished.unwrap_err().to_string(), "the disk is full");
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_to_judge_is_the_models_own_failure() {
        let reply = |text: Option<&str>, word: &str| {
            let mut reply = answer("");
            reply.response.text = text.map(str::to_owned);
            reply.response.finish = Finish::of(word);
            reply
        };
        for (text, word, error) in [
            (None, "SAFETY", Some("the answer was blocked: SAFETY")),
            (Some("途中"), "content_filter", Some("the answer was blocked: content_filter")),
            (Some("できません"), "refusal", Some("the model refused to answer: refusal")),
            (Some(" \n\u{3000}"), "stop", Some("the answer is empty")),
            (None, "", Some("the answer is empty")),
            (None, "MAX_TOKENS", Some("the token limit was reached before any text: MAX_TOKENS")),
            (None, "tool_calls", Some("the model called a tool instead of answering: tool_calls")),
            (Some("途中"), "MAX_TOKENS", None),
            (Some("記事"), "", None),
        ] {
            let reply = reply(text, word);
            let tried =
                Trying::new(small_plan(1, vec![server("m")], 1), 1).run(move |_| (AT_ONCE, Ok(reply.clone()))).await;
            let outcome = tried.outcome("c1");
            assert_eq!((outcome.error.as_deref(), outcome.answer.as_deref()), (error, text), "{word}");
            let expected = if error.is_some() { (Status::Failed, 0) } else { (Status::Passed, 1) };
            assert_eq!((outcome.status, outcome.scores.len()), expected, "{word}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_scorer_that_panics_leaves_the_answer_kept_and_unscored() {
        let mut trying = Trying::new(small_plan(2, vec![server("m")], 1), 1);
        trying.setup.scorer = Arc::new(|trial, _| {
            assert!(trial.id.case.as_str() != "c1", "a bug");
            vec![score(Verdict::Pass)]
        });
        let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
        let outcome = tried.outcome("c1");
        assert_eq!((outcome.status, outcome.answer.as_deref()), (Status::Undecided, Some("はい")));
        assert_eq!(outcome.scores[0].reason.as_deref(), Some("the scorer failed: a bug"));
        assert_eq!(tried.outcome("c2").status, Status::Passed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_of_evalrun_costs_one_trial_only() {
        let tried = Trying::new(small_plan(3, vec![server("m")], 1), 1)
            .run(|call| {
                assert!(call.trial.case.as_str() != "c2", "a bug");
                (AT_ONCE, Ok(answer("はい")))
            })
            .await;
        assert_eq!(tried.count(Status::Passed), 2);
        assert_eq!(tried.outcome("c2").error.as_deref(), Some("a fault of evalrun itself: a bug"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_ends_a_run_that_is_to_fail_fast() {
        for (fail_fast, kept, skipped) in [(true, 4, 6), (false, 10, 0)] {
            let mut trying = Trying::new(small_plan(10, vec![server("m")], 1), 2);
            trying.setup.fail_fast = fail_fast;
            let tried = trying
                .run(|call| match call.trial.case.as_str() {
                    "c3" => (SECOND, Err(failure(FailureKind::BadRequest, 400, "no"))),
                    _ => (SECOND, Ok(answer("はい"))),
                })
                .await;
            let finished = tried.finished.unwrap();
            assert_eq!((tried.outcomes.len(), finished.counts.of(Status::Skipped)), (kept, skipped));
            assert!(!finished.interrupted);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_finishes_what_is_under_way_and_begins_nothing() {
        let trying = Trying::new(small_plan(10, vec![server("m")], 1), 3);
        let cancel = trying.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND / 2).await;
            cancel.send_replace(Cancel::Finish);
        });
        let tried = trying
            .run(|call| match call.trial.case.as_str() {
                // It waits for its second attempt when the run is interrupted: as if it had never been asked.
                "c1" => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 60))),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        let finished = tried.finished.unwrap();
        assert_eq!((tried.took, tried.outcomes.len()), (SECOND, 3));
        assert_eq!((finished.counts.of(Status::Passed), finished.counts.of(Status::Skipped)), (3, 7));
        assert!(finished.interrupted && tried.events.contains(&Event::Interrupted { in_flight: 3 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_interruption_drops_what_is_under_way() {
        let trying = Trying::new(small_plan(10, vec![server("m")], 1), 2);
        let cancel = trying.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND * 3 / 2).await;
            cancel.send_replace(Cancel::Finish);
            tokio::time::sleep(SECOND / 4).await;
            cancel.send_replace(Cancel::Drop);
        });
        let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
        assert_eq!((tried.took, tried.outcomes.len()), (SECOND * 7 / 4, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_before_the_start_sends_nothing() {
        let trying = Trying::new(small_plan(3, vec![server("m")], 1), 2);
        trying.cancel.send_replace(Cancel::Finish);
        let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
        assert!(tried.scripted.calls().is_empty() && tried.finished.unwrap().interrupted);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_earlier_run_has_done_is_not_asked_again() {
        let mut trying = Trying::new(small_plan(3, vec![server("m")], 1), 2);
        let first = trying.setup.plan.trials[0].id.clone();
        trying.setup.done = HashMap::from([(first, Status::Failed)]);
        let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
        assert!(tried.attempts_of("c1").is_empty());
        let counts = tried.finished.unwrap().counts;
        assert_eq!((counts.of(Status::Failed), counts.of(Status::Passed), counts.total()), (1, 2, 3));
        let already_done = Counts::from_iter([Status::Failed]);
        assert_eq!(tried.events.first(), Some(&Event::RunStarted { total: 3, already_done }));
        assert_eq!(tried.events.last(), Some(&Event::RunFinished { counts }));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_that_cannot_be_kept_ends_the_run_with_its_error() {
        let mut trying = Trying::new(small_plan(5, vec![server("m")], 1), 1);
        trying.setup.keep = Arc::new(|_| Err(io::Error::other("the disk is full")));
        let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
        assert_eq!(tried.scripted.calls().len(), 1);
        assert_eq!(tried.finished.unwrap_err().to_string(), "the disk is full");
    }

    #[tokio::test(start_paused = true)]
    async fn cost_follows_from_price_and_usage_and_is_unknown_without_either() {
        let price = crate::model::Price { input: 1.0, output: 2.0, cached_input: None, valid_until: None };
        let priced = Model { price: Some(price), ..server("m") };
        let mut uncounted = answer("はい");
        uncounted.response.usage = Usage::default();
        for (model, reply, cost) in [
            (priced.clone(), answer("はい"), Some(50e-6)),
            (priced, uncounted, None),
            (server("m"), answer("はい"), None),
        ] {
            let trying = Trying::new(small_plan(1, vec![model], 1), 1);
            let tried = trying.run(move |_| (AT_ONCE, Ok(reply.clone()))).await;
            assert_eq!(tried.outcome("c1").cost, cost);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_recorded_latency_wins_over_the_measured_one() {
        let tried = Trying::new(small_plan(1, vec![model("m", Provider::Recorded)], 1), 1)
            .run(|_| (SECOND, Ok(Reply { latency: Some(SECOND * 42), ..answer("はい") })))
            .await;
        assert_eq!(tried.outcome("c1").latency, SECOND * 42);
    }

    #[tokio::test(start_paused = true)]
    async fn outcomes_do_not_depend_on_concurrency() {
        let mut runs = Vec::new();
        for concurrency in [1, 32] {
            let plan = small_plan(20, vec![server("a"), server("b")], 2);
            let tried = Trying::new(plan, concurrency)
                .run(|call| {
                    let seed = call.trial.to_string().bytes().map(u32::from).sum::<u32>();
                    match (seed % 7, call.attempt) {
                        (0, _) => (AT_ONCE, Err(failure(FailureKind::BadRequest, 400, "no"))),
                        (1, 1) => (SECOND, Err(failure(FailureKind::Unavailable, 503, "later"))),
                        (2, _) => (AT_ONCE, Ok(answer(""))),
                        _ => (SECOND * (seed % 5), Ok(answer("はい"))),
                    }
                })
                .await;
            let mut outcomes = tried.outcomes;
            outcomes.sort_by_key(|outcome| outcome.trial.clone());
            // Times differ by nature.
            for attempt in outcomes.iter_mut().flat_map(|outcome| &mut outcome.attempts) {
                attempt.started_at = jiff::Timestamp::UNIX_EPOCH;
                attempt.waited_millis = None;
            }
            for outcome in &mut outcomes {
                outcome.latency = Duration::ZERO;
            }
            runs.push(outcomes);
        }
        assert_eq!(runs[0].len(), 80);
        assert_eq!(runs[0], runs[1]);
    }
}
