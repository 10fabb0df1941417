//! How fast a model may be asked: requests and tokens a minute, as configured or as its server was found to allow.
//!
//! Promises that a configured budget is never passed by more than what is under way, and that without one the pace is
//! what the server let through between two refusals, tried upwards gently. Pure: the time is given.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Limits;

/// For how many seconds, and how many requests, no refusal must have come before a learned pace is tried upwards.
const QUIET: f64 = 5.0;
/// After how many seconds, and how many requests, it is raised again.
const STEP: f64 = 1.0;
/// What of a measured pace is used: right at the limit every rounding is a refusal.
const MARGIN: f64 = 0.98;
/// The first raise; each further one is twice as large.
const FIRST_RAISE: f64 = 0.01;
/// The largest raise.
const MOST_RAISE: f64 = 0.5;
/// The tokens that an answer is taken to cost until one is known, beside those of the request.
const FIRST_GUESS: f64 = 1_000.0;
/// Longer than any run.
const NEVER: Duration = Duration::from_secs(1 << 32);
/// How much of the mean each further answer is.
const FORGET: f64 = 0.1;

/// What a model's server allows, as far as it is known.
#[derive(Debug)]
pub(super) struct Pace {
    /// Requests a second, as configured.
    requests: Option<f64>,
    /// Tokens a second, as configured.
    tokens: Option<f64>,
    /// Requests a second that the server was found to allow.
    learned: Option<Learned>,
    /// When the next request may go out.
    next: Instant,
    /// Tokens that a request is taken to cost: the running mean of those known.
    cost: Option<f64>,
    /// The number of requests sent.
    sent: u64,
    /// Since when is counted what the server lets through: a request that it refused was sent.
    since: Option<Instant>,
    /// The number of requests sent when that refusal came.
    mark: u64,
    /// Of those sent after it, the refused ones.
    refusals: u64,
    /// What the server let through until the last refusal, while more refusals may come.
    measured: Option<Measured>,
    /// Of those sent after it, the answered ones.
    answers: u64,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    through: u64,
    seconds: f64,
    /// The least pace that the refusal leaves: who is asked to wait so long may come once in so long.
    least: f64,
}

impl Measured {
    fn rate(self) -> f64 {
        (self.through as f64 / self.seconds * MARGIN).max(self.least)
    }
}

#[derive(Debug, Clone, Copy)]
struct Learned {
    rate: f64,
    raise: f64,
    raised: Instant,
}

impl Pace {
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let a_second = |a_minute: u32| f64::from(a_minute.max(1)) / 60.0;
        Self {
            requests: limits.rpm.map(a_second),
            tokens: limits.tpm.map(a_second),
            learned: None,
            next: now,
            cost: None,
            sent: 0,
            since: None,
            mark: 0,
            refusals: 0,
            measured: None,
            answers: 0,
        }
    }

    /// When the next request may go out, if it must wait.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        (self.next > now).then_some(self.next)
    }

    /// A request goes out; returns its number.
    pub(super) fn sent(&mut self, now: Instant) -> u64 {
        if let Some(measured) = self.measured.take() {
            self.learned = Some(Learned { rate: measured.rate(), raise: FIRST_RAISE, raised: now });
        }
        let learned = self.learned.map(|learned| learned.rate);
        let requests = [self.requests, learned].into_iter().flatten().map(|rate| 1.0 / rate);
        let tokens = self.tokens.map(|rate| self.cost.unwrap_or(FIRST_GUESS) / rate);
        let step = requests.chain(tokens).fold(0.0, f64::max);
        self.next = self.next.max(now) + Duration::try_from_secs_f64(step).unwrap_or(NEVER);
        self.sent += 1;
        self.sent
    }

    /// A request has its answer, of so many tokens if that is known.
    pub(super) fn answered(&mut self, number: u64, now: Instant, tokens: Option<u64>) {
        if number > self.mark {
            self.answers += 1;
        }
        if let (Some(tokens), Some(rate)) = (tokens, self.tokens) {
            let tokens = tokens as f64;
            let guess = self.cost.unwrap_or(FIRST_GUESS);
            self.cost = Some(self.cost.map_or(tokens, |mean| mean + FORGET * (tokens - mean)));
            // What it cost more than was thought is made up for before the next one.
            let more = Duration::try_from_secs_f64((tokens - guess).max(0.0) / rate).unwrap_or_default();
            self.next = self.next.max(now) + more;
        }
        self.raise(now);
    }

    fn raise(&mut self, now: Instant) {
        let (Some(learned), Some(since)) = (&mut self.learned, self.since) else { return };
        let is_within = |from: Instant, least: f64| {
            now.saturating_duration_since(from).as_secs_f64() < least * (1.0 / learned.rate).max(1.0)
        };
        if is_within(since, QUIET) || is_within(learned.raised, STEP) {
            return;
        }
        learned.rate *= 1.0 + learned.raise;
        learned.raise = (2.0 * learned.raise).min(MOST_RAISE);
        learned.raised = now;
    }

    /// A request was refused that was sent at `began`; `wait` is waited before the next. If that `is_news`, what the server let through since the refusal
    /// before tells its pace: returned as far as it is known, if it can be. It holds from the next request on, when those
    /// that were under way have been answered or refused, too.
    pub(super) fn refused(&mut self, number: u64, began: Instant, wait: Duration, is_news: bool) -> Option<f64> {
        if number > self.mark {
            self.refusals += 1;
        } else if let Some(measured) = &mut self.measured {
            measured.through = measured.through.saturating_sub(1);
        }
        if !is_news {
            return None;
        }
        let Some(since) = self.since else {
            self.count_from(began);
            return None;
        };
        let seconds = began.saturating_duration_since(since).as_secs_f64();
        // Without an answer since, it is the same refusal that goes on.
        if self.answers == 0 || seconds <= 0.0 {
            return None;
        }
        let through = (self.sent - self.mark).saturating_sub(self.refusals);
        let least = 1.0 / wait.as_secs_f64().max(0.1);
        let measured = Measured { through, seconds, least };
        self.measured = Some(measured);
        self.count_from(began);
        Some(measured.rate())
    }

    fn count_from(&mut self, began: Instant) {
        (self.since, self.mark, self.refusals, self.answers) = (Some(began), self.sent, 0, 0);
    }

    /// Whether the server has let nothing through since it refused.
    pub(super) fn is_shut(&self) -> bool {
        self.shut_since().is_some()
    }

    /// Since when the server has let nothing through, if it refused and has not.
    pub(super) fn shut_since(&self) -> Option<Instant> {
        self.since.filter(|_| self.answers == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(rpm: Option<u32>, tpm: Option<u32>) -> Limits {
        Limits { rpm, tpm, concurrency: None }
    }

    /// The times at which so many requests may go out, in milliseconds, if all are ready at once.
    fn sent(pace: &mut Pace, start: Instant, count: usize) -> Vec<u128> {
        let mut now = start;
        let mut send = || {
            now = pace.wait_until(now).unwrap_or(now);
            pace.sent(now);
            now.duration_since(start).as_millis()
        };
        (0..count).map(|_| send()).collect()
    }

    #[test]
    fn without_limits_nothing_waits() {
        let now = Instant::now();
        assert_eq!(sent(&mut Pace::new(limits(None, None), now), now, 3), [0, 0, 0]);
    }

    #[test]
    fn requests_a_minute_are_spread_evenly() {
        let now = Instant::now();
        assert_eq!(sent(&mut Pace::new(limits(Some(120), None), now), now, 4), [0, 500, 1_000, 1_500]);
    }

    #[test]
    fn tokens_a_minute_are_guessed_first_and_then_known() {
        let now = Instant::now();
        let mut pace = Pace::new(limits(None, Some(60_000)), now);
        assert_eq!(sent(&mut pace, now, 2), [0, 1_000]);
        // It cost three times as much: the next one waits for that, and those after it for as much each.
        pace.answered(1, now + SECOND, Some(3_000));
        assert_eq!(sent(&mut pace, now + SECOND, 2), [3_000, 6_000]);
    }

    #[test]
    fn the_pace_is_what_came_through_between_two_refusals() {
        let start = Instant::now();
        let mut pace = Pace::new(limits(None, None), start);
        let refused = pace.sent(start);
        assert_eq!(pace.refused(refused, start, SECOND * 100, true), None);
        assert!(pace.is_shut());
        // Ten come through, of which half are still under way when one is refused, and then another.
        let numbers: Vec<u64> = (0..12).map(|_| pace.sent(start + SECOND)).collect();
        for number in &numbers[..5] {
            pace.answered(*number, start + SECOND, None);
        }
        let again = start + SECOND * 2;
        assert_eq!(pace.refused(numbers[10], again, SECOND * 100, true), Some(11.0 / 2.0 * MARGIN));
        assert_eq!(pace.refused(numbers[7], again, SECOND * 100, false), None);
        let resumed = start + SECOND * 3;
        assert_eq!(sent(&mut pace, resumed, 3), [0, 204, 408]);
    }

    #[test]
    fn a_refusal_that_goes_on_teaches_nothing() {
        let start = Instant::now();
        let mut pace = Pace::new(limits(None, None), start);
        let [before, refused] = [pace.sent(start), pace.sent(start)];
        pace.refused(refused, start, SECOND * 100, true);
        // It was sent before the refusal.
        pace.answered(before, start + SECOND, None);
        let again = pace.sent(start + SECOND);
        assert_eq!(pace.refused(again, start + SECOND, SECOND * 100, true), None);
        for second in 3..6 {
            let through = pace.sent(start + SECOND * second);
            pace.answered(through, start + SECOND * second, None);
        }
        let last = pace.sent(start + SECOND * 10);
        // Of the five sent since, one was refused before and one is now.
        assert_eq!(pace.refused(last, start + SECOND * 10, SECOND * 100, true), Some(0.3 * MARGIN));
    }

    #[test]
    fn a_learned_pace_is_tried_upwards_more_and_more() {
        let start = Instant::now();
        let mut pace = Pace::new(limits(None, None), start);
        let first = pace.sent(start);
        pace.refused(first, start, SECOND * 100, true);
        let [second, third, last] = [start, start, start + SECOND * 2].map(|at| pace.sent(at));
        pace.answered(second, start + SECOND, None);
        pace.answered(third, start + SECOND, None);
        assert_eq!(pace.refused(last, start + SECOND * 2, SECOND * 100, true), Some(MARGIN));
        pace.sent(start + SECOND * 2);
        let rates: Vec<f64> = (1..=12)
            .map(|n| {
                pace.answered(9, start + SECOND * (2 * n + 2), None);
                pace.learned.unwrap().rate
            })
            .collect();
        let raises: Vec<f64> = rates.windows(2).map(|pair| (pair[1] / pair[0] - 1.0) * 100.0).map(f64::round).collect();
        assert_eq!(raises, [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 50.0, 50.0, 50.0, 50.0], "{rates:?}");
    }
}
