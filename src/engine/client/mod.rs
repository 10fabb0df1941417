//! Asking one question until there is an answer or no hope of one: permits, attempts, waits.
//!
//! Promises that a permit is held during an attempt and given back while waiting for the next, and that every attempt
//! is recorded. Leaves what becomes of the answer to `runner`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::engine::answers::Answer;
use crate::engine::event::Event;
use crate::engine::failures::Tally;
use crate::engine::ledger::{Ledger, Reserved};
use crate::engine::limit::{Lane, Permit};
use crate::engine::retry::{Decision, GiveUp, Policy, decide};
use crate::engine::runner::{Cancel, KeepLimit, KeepPart};
use crate::engine::transport::{Reply, Transport};
use crate::outcome::Attempt;
use crate::provider;
use crate::request::Request;
use crate::response::{Failure, FailureKind, Response, Usage};
use crate::trial::Trial;

/// The most requests for the parts of one answer: Gemini gives some 30,000 tokens with each.
const MOST_PARTS: usize = 8;

/// A source of random numbers in 0..1.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Random numbers for real runs.
pub fn random_jitter() -> Jitter {
    // The standard library seeds each of its hashers anew: dice enough for spreading retries, without a crate.
    Arc::new(|| f64::from((RandomState::new().hash_one(()) >> 32) as u32) / (f64::from(u32::MAX) + 1.0))
}

/// What all questions of a run share.
pub(super) struct Client {
    pub transport: Transport,
    pub policy: Policy,
    pub jitter: Jitter,
    pub keep_limit: KeepLimit,
    pub keep_part: KeepPart,
    pub events: mpsc::Sender<Event>,
    /// How far the run is to end early.
    pub halt: watch::Sender<Cancel>,
    /// The number of attempts under way.
    pub in_flight: AtomicUsize,
    /// What may still be spent.
    pub ledger: Arc<Ledger>,
    /// Whether it was told that nothing more may be.
    pub is_used_up: AtomicBool,
    /// The attempts that failed.
    pub failures: Tally,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("transport", &self.transport)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The right to make one attempt: the limits let it through, and the budget bears it.
#[derive(Debug)]
pub(super) struct Right {
    reserved: Reserved,
    permit: Permit,
}

/// How a question ended.
#[derive(Debug)]
pub(super) enum End {
    /// With an answer; where its limit is used up, that is news.
    Answered(Reply),
    /// With the last attempt's failure, and why no further one was made.
    Failed(Failure, GiveUp),
    /// The model was stopped while this question waited for its next attempt.
    Stopped(Failure),
    /// The run is to end, or the budget is used up: as if the question had never been asked.
    Abandoned,
    /// A part of the answer could not be kept.
    NotKept(io::Error),
}

/// A question that has ended.
#[derive(Debug)]
pub(super) struct Asked {
    pub end: End,
    pub attempts: Vec<Attempt>,
    /// How many of them stand with the parts that were kept.
    pub kept: usize,
    /// From the first attempt's beginning to the end; without the time between two processes.
    pub latency: Duration,
    /// Whether the last attempt was dropped.
    pub dropped: bool,
    /// What parts of an answer took whose rest did not come.
    pub paid: Usage,
    /// To be held until the answer is kept.
    pub permit: Option<Permit>,
}

/// What was asked of a trial that has no outcome: the run was to end, or the budget was used up. It counts for a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Abandoned {
    /// What was tried since the last part of its answer.
    pub attempts: Vec<Attempt>,
    /// Whether the last attempt was under way and dropped: its server may have answered it.
    pub dropped: bool,
}

/// A question that is asked.
struct Asking<'a> {
    lane: &'a Arc<Lane>,
    trial: &'a Trial,
    request: Cow<'a, Request>,
    /// To make the next attempt; to be held until its answer is kept.
    right: Option<Right>,
    attempts: Vec<Attempt>,
    /// Whether the last of them was dropped.
    dropped: bool,
}

impl Client {
    /// Waits until a trial may be asked; `None` if the budget does not bear it. Whoever waits for the budget holds no
    /// permit. The rest of an answer asks no budget.
    pub(super) async fn right(&self, lane: &Arc<Lane>, trial: &Trial, is_rest: bool) -> Option<Right> {
        if is_rest {
            let reserved = self.ledger.reserve_rest(trial);
            return Some(Right { reserved, permit: lane.permit().await });
        }
        match self.ledger.reserve(trial).await {
            Ok(reserved) => Some(Right { reserved, permit: lane.permit().await }),
            Err(refused) => {
                if !self.is_used_up.swap(true, Ordering::Relaxed) {
                    let (spent, _) = self.ledger.read();
                    let in_flight = self.in_flight.load(Ordering::Relaxed);
                    self.tell(Event::BudgetUsedUp { spent, refused, in_flight }).await;
                }
                None
            }
        }
    }

    /// Asks a trial's question, beginning with the right to, and then for the rest of its answer as long as there is one:
    /// after `parts`, if some have come before. Each part is kept before anything else happens to it.
    pub(super) async fn ask(
        &self,
        lane: &Arc<Lane>,
        trial: &Trial,
        request: &Request,
        right: Right,
        parts: &[Answer],
    ) -> Asked {
        let began = Instant::now();
        let Begun { request, mut so_far, attempts, latency: before } = Begun::after(request, parts);
        let mut kept = attempts.len();
        let mut parts = if so_far.is_some() { parts.len() } else { 0 };
        let mut asking = Asking { lane, trial, request, right: Some(right), attempts, dropped: false };
        let mut part_began = began;
        let end = loop {
            let reply = match self.attempts(&mut asking, so_far.is_some()).await {
                End::Answered(reply) => reply,
                end => break end,
            };
            parts += 1;
            let next = provider::rest(&asking.request, &reply.response).filter(|_| parts < MOST_PARTS);
            let Some(next) = next else {
                let response = joined(so_far.take(), reply.response);
                break End::Answered(Reply { response: Response { rest: None, ..response }, ..reply });
            };
            let attempts = asking.attempts[kept..].to_vec();
            let part = Answer { response: reply.response, attempts, latency: part_began.elapsed(), cached: false };
            if let Err(error) = (self.keep_part)(&trial.id, &part) {
                break End::NotKept(error);
            }
            (kept, part_began) = (asking.attempts.len(), Instant::now());
            so_far = Some(joined(so_far, part.response));
            asking.request = Cow::Owned(next);
            asking.right = None;
            match self.wait(lane, trial, Duration::ZERO, true).await {
                Ok(right) => asking.right = Some(right),
                Err(end) => break end,
            }
        };
        let Asking { right, attempts, dropped, .. } = asking;
        let paid = so_far.map(|response| response.usage).unwrap_or_default();
        let latency = before + began.elapsed();
        Asked { end, attempts, kept, latency, dropped, paid, permit: right.map(|right| right.permit) }
    }

    /// Makes attempts at one request until there is an answer or no hope of one. The rest of an answer is asked for
    /// whatever it costs: without it, what is there is lost.
    async fn attempts(&self, asking: &mut Asking<'_>, is_rest: bool) -> End {
        let began = Instant::now();
        let (lane, trial, before) = (asking.lane, asking.trial, asking.attempts.len());
        // Attempts that only find out whether a server lets anything through: they are bounded in time, for all trials.
        let mut probes = 0;
        loop {
            let ticket = asking.right.as_ref().map(|right| right.permit.ticket);
            probes += usize::from(asking.right.as_ref().is_some_and(|right| right.permit.is_probe));
            let Some(sent) = self.attempt(asking).await else { return End::Abandoned };
            let ended = Instant::now();
            let failure = match sent {
                Ok(reply) => {
                    if let Some(ticket) = ticket {
                        lane.answered(ticket, tokens(&reply));
                    }
                    // What is longer than a trial may take is no pause but an end, which the next attempt is told of.
                    let pause = reply.used_up.filter(|wait| *wait <= self.policy.total);
                    let used_up = pause.filter(|wait| lane.pause(*wait));
                    return End::Answered(Reply { used_up, ..reply });
                }
                Err(failure) => failure,
            };
            let made = (asking.attempts.len() - before - probes).max(1);
            let wait = match self.decide(trial, &failure, made, began.elapsed()) {
                Decision::RetryAfter(wait) => wait,
                Decision::GiveUp(reason) => {
                    self.tell_failed(trial, &failure, None).await;
                    return End::Failed(failure, reason);
                }
            };
            let own_wait = if failure.kind == FailureKind::RateLimited {
                let slowed = ticket.and_then(|ticket| lane.refused(ticket, failure.retry_after, wait));
                if let Some(lasted) = lane.shut_for().filter(|lasted| *lasted > self.policy.shut) {
                    self.tell_failed(trial, &failure, None).await;
                    return End::Failed(failure, GiveUp::Shut { lasted });
                }
                if let Some(slowed) = slowed {
                    // History alone: what cannot be noted here is no reason to end a run; outcomes will tell of a full disk.
                    let _ = (self.keep_limit)(&trial.id.model, &slowed);
                    self.tell(Event::SlowedDown { model: trial.id.model.clone(), slowed }).await;
                }
                // The lane's pause is the trial's: it does not wait twice.
                Duration::ZERO
            } else {
                lane.troubled();
                wait
            };
            asking.right = None;
            self.tell_failed(trial, &failure, Some(wait)).await;
            match self.wait(lane, trial, own_wait, is_rest).await {
                Ok(right) => asking.right = Some(right),
                Err(end) => return end,
            }
            if let Some(last) = asking.attempts.last_mut() {
                last.waited_millis = Some(millis(ended.elapsed()));
            }
        }
    }

    /// Makes one attempt, records it, and settles what was set aside for it; `None` if it was dropped.
    async fn attempt(&self, asking: &mut Asking<'_>) -> Option<Result<Reply, Failure>> {
        let trial = asking.trial.id.clone();
        self.tell(Event::AttemptStarted { trial, limit: asking.lane.limit() }).await;
        let started_at = Timestamp::now();
        let began = Instant::now();
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let sent = tokio::select! {
            // An answer that is there is never dropped.
            biased;
            sent = self.transport.send(asking.trial, &asking.request) => Some(sent),
            () = self.halted(Cancel::Drop) => None,
        };
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let Some(sent) = sent else {
            if let Some(right) = &mut asking.right {
                right.reserved.settle_unknown();
            }
            asking.dropped = true;
            asking.attempts.push(attempt_of(started_at, began.elapsed()));
            return None;
        };
        if let Some(right) = &mut asking.right {
            right.reserved.settle(asking.trial, &sent);
        }
        if let Err(failure) = &sent {
            self.failures.note(&asking.trial.id.model, failure);
        }
        asking.attempts.push(record(started_at, began.elapsed(), &sent));
        Some(sent)
    }

    fn decide(&self, trial: &Trial, failure: &Failure, attempts: usize, elapsed: Duration) -> Decision {
        if !trial.model.provider.is_remote() {
            // A file or a program is not overloaded: what went wrong with it is the user's to mend.
            return Decision::GiveUp(GiveUp::Final);
        }
        let attempt = u32::try_from(attempts).unwrap_or(u32::MAX);
        decide(&self.policy, failure, attempt, (self.jitter)(), elapsed)
    }

    /// Waits before the next attempt, then for the right to make it; an error is the question's end. The rest of an answer
    /// asks no budget, and is under way until the user wants that dropped.
    async fn wait(&self, lane: &Arc<Lane>, trial: &Trial, wait: Duration, is_rest: bool) -> Result<Right, End> {
        let next = async {
            tokio::time::sleep(wait).await;
            self.right(lane, trial, is_rest).await.ok_or(End::Abandoned)
        };
        tokio::select! {
            biased;
            () = self.halted(if is_rest { Cancel::Drop } else { Cancel::Finish }) => Err(End::Abandoned),
            failure = lane.stopped() => Err(End::Stopped(failure)),
            right = next => right,
        }
    }

    async fn tell_failed(&self, trial: &Trial, failure: &Failure, wait: Option<Duration>) {
        self.tell(Event::AttemptFailed { trial: trial.id.clone(), failure: failure.clone(), wait }).await;
    }

    /// Tells whoever listens; a run goes on if nobody does.
    pub(super) async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Waits until the run is to end as far as `level`.
    pub(super) async fn halted(&self, level: Cancel) {
        let mut halt = self.halt.subscribe();
        if halt.wait_for(|halt| *halt >= level).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Lets the run end as far as `level`, at least.
    pub(super) fn halt(&self, level: Cancel) {
        self.halt.send_if_modified(|halt| {
            let further = level > *halt;
            *halt = level.max(*halt);
            further
        });
    }
}

/// Where a question stands when it is asked.
struct Begun<'a> {
    request: Cow<'a, Request>,
    so_far: Option<Response>,
    attempts: Vec<Attempt>,
    latency: Duration,
}

impl<'a> Begun<'a> {
    /// A question of whose answer these parts have come; at its beginning, if there is no way on from them.
    fn after(request: &'a Request, parts: &[Answer]) -> Self {
        let mut begun =
            Self { request: Cow::Borrowed(request), so_far: None, attempts: Vec::new(), latency: Duration::ZERO };
        for Answer { response, attempts, latency, .. } in parts {
            let Some(next) = provider::rest(&begun.request, response) else {
                return Self::after(request, &[]);
            };
            begun.request = Cow::Owned(next);
            begun.so_far = Some(joined(begun.so_far, response.clone()));
            begun.attempts.extend_from_slice(attempts);
            begun.latency += *latency;
        }
        begun
    }
}

/// An answer so far with its next part.
fn joined(so_far: Option<Response>, part: Response) -> Response {
    match so_far {
        Some(before) => before.followed_by(part),
        None => part,
    }
}

/// What an answer cost in tokens, as far as the server says.
fn tokens(reply: &Reply) -> Option<u64> {
    let usage = &reply.response.usage;
    Some(usage.input_tokens?.saturating_add(usage.output_tokens?))
}

fn record(started_at: Timestamp, took: Duration, sent: &Result<Reply, Failure>) -> Attempt {
    let failure = sent.as_ref().err();
    Attempt {
        first_text_millis: sent.as_ref().ok().and_then(|reply| reply.first_text).map(millis),
        status: match sent {
            Ok(reply) => reply.status,
            Err(failure) => failure.status,
        },
        failure: failure.map(|failure| failure.kind),
        message: failure.map(|failure| failure.message.clone()),
        ..attempt_of(started_at, took)
    }
}

/// An attempt of which no more is known than its time.
fn attempt_of(started_at: Timestamp, took: Duration) -> Attempt {
    Attempt {
        started_at,
        millis: millis(took),
        first_text_millis: None,
        status: None,
        failure: None,
        message: None,
        waited_millis: None,
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
