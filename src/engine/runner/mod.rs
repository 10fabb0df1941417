//! Runs a plan: every trial that has no outcome yet is asked, judged and kept.
//!
//! Promises that an answer is kept before its permit is given back, that one failing trial never stops a run, that a
//! dead key stops its own model only, and that no scheduling changes an outcome. Knows nothing of bars and reports.

mod flight;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};

use self::flight::{Ahead, Flight, Flights};

use crate::budget::{Budget, Spending};
use crate::engine::answers::{Answer, Answers};
use crate::engine::client::{Abandoned, Asked, Client, End, Jitter, Right};
use crate::engine::event::{Counts, Event, ModelTrials, Summary};
use crate::engine::failures::{Failures, Tally};
use crate::engine::ledger::{Ledger, Refused};
use crate::engine::limit::{Concurrency, Lane, Permit, Slowed, lanes};
use crate::engine::retry::{GiveUp, Policy};
use crate::engine::transport::{NOT_STARTED, Transport};
use crate::id::ModelId;
use crate::model::Model;
use crate::outcome::{Outcome, Status};
use crate::provider;
use crate::request::{Request, RequestKey};
use crate::response::{Failure, FailureKind, FinishReason, Response};
use crate::score::{Score, Verdict};
use crate::text::is_blank;
use crate::trial::{Plan, Trial, TrialId};

/// Judges an answer: one score for each property that the trial requires.
pub type Scorer = Arc<dyn Fn(&Trial, &Response) -> Vec<Score> + Send + Sync>;

/// Keeps an outcome; when it returns, nothing short of a broken disk loses it.
pub type Keep = Arc<dyn Fn(&Outcome) -> io::Result<()> + Send + Sync>;

/// Keeps what was asked of a trial that has no outcome.
pub type KeepAbandoned = Arc<dyn Fn(&TrialId, &Abandoned) -> io::Result<()> + Send + Sync>;

/// Keeps a part of a trial's answer, whose rest is asked for next; when it returns, nothing short of a broken disk loses it.
pub type KeepPart = Arc<dyn Fn(&TrialId, &Answer) -> io::Result<()> + Send + Sync>;

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
    /// The parts of answers that came before, in their order: the rest is asked for alone.
    pub parts: HashMap<TrialId, Vec<Answer>>,
    /// Keeps parts of answers.
    pub keep_part: KeepPart,
    /// Keeps what was asked without an outcome.
    pub keep_abandoned: KeepAbandoned,
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
    /// The attempts that failed, by model and kind, those included after which another was answered.
    pub failures: Vec<Failures>,
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
    let queues = runner.queues();
    runner.client.tell(runner.started(&queues)).await;
    runner.client.halt(*cancel.borrow());

    let mut listener = JoinSet::new();
    listener.spawn(Arc::clone(&runner).listen(cancel));
    let lanes = lanes(&plan.models, runner.setup.concurrency);
    let mut drivers = JoinSet::new();
    for (lane, queue) in lanes.iter().zip(queues) {
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
    let failures = runner.client.failures.read();
    Ok(Finished { counts, interrupted, stopped, spent, refused, failures })
}

/// What the tasks of a run share.
struct Runner {
    setup: Setup,
    client: Client,
    flights: Arc<Flights>,
    counts: Mutex<Counts>,
    interrupted: AtomicBool,
    error: Mutex<Option<io::Error>>,
}

/// What a trial asks.
struct Question {
    /// Its place in the plan.
    n: usize,
    request: Request,
    /// Under which its answer is stored; `None` if it is not.
    key: Option<RequestKey>,
}

/// What is to be done about a question.
enum Task {
    /// Nothing: its answer is there, which needs no permit, and no key.
    Judge(Box<Answer>),
    /// To ask, alone under its key.
    Ask(Option<Flight>),
    /// To wait for one that asks the same.
    Wait(Ahead),
}

/// Whether a question may be asked.
enum Turn {
    /// It may.
    Now(Right),
    /// The budget does not bear it: it is left for a later run.
    Left,
    /// The run is to end.
    Ended,
    /// Its model is asked no more.
    Stopped(Failure),
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
                keep_part: Arc::clone(&setup.keep_part),
                events,
                halt: watch::Sender::default(),
                in_flight: AtomicUsize::new(0),
                ledger: Arc::new(Ledger::new(setup.budget, setup.spent)),
                is_used_up: AtomicBool::new(false),
                failures: Tally::default(),
            },
            setup,
            flights: Arc::default(),
            interrupted: AtomicBool::new(false),
            error: Mutex::default(),
        }
    }

    fn started(&self, queues: &[Vec<usize>]) -> Event {
        let Setup { plan, budget, spent, .. } = &self.setup;
        let mut totals: HashMap<&ModelId, usize> = HashMap::new();
        plan.trials.iter().for_each(|trial| *totals.entry(&trial.id.model).or_default() += 1);
        let share = |(model, queue): (&Arc<Model>, &Vec<usize>)| {
            let total = totals.get(&model.id).copied().unwrap_or(0);
            ModelTrials { model: model.id.clone(), total, done: total - queue.len() }
        };
        Event::RunStarted {
            total: plan.trials.len(),
            already_done: *lock(&self.counts),
            models: plan.models.iter().zip(queues).map(share).collect(),
            budget: *budget,
            spent: *spent,
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
            let question = self.question(n);
            let task = match self.task(&question) {
                Task::Judge(_) if *self.client.halt.borrow() != Cancel::No => break,
                Task::Judge(answer) => tasks.spawn(Arc::clone(&self).judge_recalled(Arc::clone(&lane), n, *answer)),
                Task::Wait(ahead) => tasks.spawn(Arc::clone(&self).follow(Arc::clone(&lane), question, ahead)),
                Task::Ask(flight) => match self.turn(&lane, n).await {
                    Turn::Now(right) => {
                        tasks.spawn(Arc::clone(&self).try_one(Arc::clone(&lane), question, flight, right))
                    }
                    // What follows may cost nothing.
                    Turn::Left => continue,
                    Turn::Ended => break,
                    Turn::Stopped(failure) => {
                        self.give_up(&lane, std::iter::once(n).chain(queue), &failure).await;
                        break;
                    }
                },
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
            let outcome = match self.recall(&self.question(n)) {
                Some(answer) => self.judge(trial, answer),
                None => errored(trial.id.clone(), failure.to_string()),
            };
            self.finish(lane, outcome, None).await;
        }
    }

    fn question(&self, n: usize) -> Question {
        let trial = &self.setup.plan.trials[n];
        let request = provider::encode(&trial.model, &trial.prompt);
        Question { n, key: self.setup.answers.key(trial, &request), request }
    }

    /// The answer to a question, if it need not be asked.
    fn recall(&self, question: &Question) -> Option<Answer> {
        let recalled = self.setup.answers.recall(&self.setup.plan.trials[question.n].id, question.key.as_ref());
        recalled.unwrap_or_else(|error| {
            self.cannot_keep(error);
            None
        })
    }

    fn task(&self, question: &Question) -> Task {
        // In this order, since an answer is stored before its flight ends.
        let flight = match question.key.as_ref().map(|key| self.flights.begin(key)).transpose() {
            Ok(flight) => flight,
            Err(ahead) => return Task::Wait(ahead),
        };
        self.recall(question).map_or(Task::Ask(flight), |answer| Task::Judge(answer.into()))
    }

    /// The parts of a trial's answer that came before.
    fn parts(&self, trial: &Trial) -> &[Answer] {
        self.setup.parts.get(&trial.id).map_or(&[], Vec::as_slice)
    }

    /// Waits until the `n`-th trial may be asked.
    async fn turn(&self, lane: &Arc<Lane>, n: usize) -> Turn {
        let trial = &self.setup.plan.trials[n];
        tokio::select! {
            biased;
            () = self.client.halted(Cancel::Finish) => Turn::Ended,
            failure = lane.stopped() => Turn::Stopped(failure),
            right = self.client.right(lane, trial, !self.parts(trial).is_empty()) => right.map_or(Turn::Left, Turn::Now),
        }
    }

    /// Waits for a question that asks the same; its answer is this one's, too, or else this one is asked.
    async fn follow(self: Arc<Self>, lane: Arc<Lane>, question: Question, mut ahead: Ahead) {
        let n = question.n;
        let flight = loop {
            tokio::select! {
                biased;
                () = self.client.halted(Cancel::Finish) => return,
                () = ahead.ended() => {}
                failure = lane.stopped() => return self.give_up(&lane, std::iter::once(n), &failure).await,
            }
            match self.task(&question) {
                Task::Judge(answer) => return self.judge_recalled(lane, n, *answer).await,
                Task::Ask(flight) => break flight,
                Task::Wait(next) => ahead = next,
            }
        };
        match self.turn(&lane, n).await {
            Turn::Now(right) => self.try_one(lane, question, flight, right).await,
            Turn::Left | Turn::Ended => {}
            Turn::Stopped(failure) => self.give_up(&lane, std::iter::once(n), &failure).await,
        }
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

    async fn try_one(self: Arc<Self>, lane: Arc<Lane>, question: Question, flight: Option<Flight>, right: Right) {
        let Question { n, request, key } = question;
        let trial = &self.setup.plan.trials[n];
        let Asked { end, mut attempts, kept, latency, dropped, paid, permit } =
            self.client.ask(&lane, trial, &request, right, self.parts(trial)).await;
        let outcome = match end {
            End::Abandoned => {
                attempts.drain(..kept);
                return self.abandon(&trial.id, &Abandoned { attempts, dropped });
            }
            End::NotKept(error) => return self.cannot_keep(error),
            End::Answered(reply) => {
                let latency = reply.latency.unwrap_or(latency);
                let answer = Answer { response: reply.response, attempts, latency, cached: false };
                if let Err(error) = self.setup.answers.commit(trial, &request, key.as_ref(), &answer).await {
                    self.cannot_keep(error);
                    return;
                }
                drop(permit);
                drop(flight);
                if let Some(wait) = reply.used_up {
                    self.client.tell(Event::Paused { model: trial.id.model.clone(), wait }).await;
                }
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
        let cost = trial.model.price.and_then(|price| price.cost(&paid));
        self.finish(&lane, Outcome { attempts, usage: paid, cost, ..outcome }, permit).await;
    }

    fn abandon(&self, trial: &TrialId, abandoned: &Abandoned) {
        if let Err(error) = (self.setup.keep_abandoned)(trial, abandoned) {
            self.cannot_keep(error);
        }
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
        let (spent, _) = self.client.ledger.read();
        self.client.tell(Event::TrialFinished { summary: summary(outcome), spent }).await;
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
    let is_empty = is_blank(response.text.as_deref().unwrap_or_default());
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
