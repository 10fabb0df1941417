//! Where a run stands: counts, pace and spending by model and in all, from what has happened in it.
//!
//! Promises to be pure: the time is given. Leaves how that is shown to the views beside it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::budget::{Budget, Spending};
use crate::engine::event::{Counts, Event, ModelTrials};
use crate::id::ModelId;
use crate::outcome::Status;
use crate::response::FailureKind;
use crate::trial::TrialId;

/// Where a run stands.
#[derive(Debug)]
pub(super) struct Board {
    pub lanes: Vec<Lane>,
    pub total: usize,
    pub counts: Counts,
    pub spent: Spending,
    pub budget: Budget,
    /// When the run began.
    pub began: Instant,
    places: HashMap<ModelId, usize>,
}

/// Where a model stands.
#[derive(Debug)]
pub(super) struct Lane {
    pub model: ModelId,
    pub total: usize,
    pub done: usize,
    /// How many attempts may be under way at once with its account, if one was made.
    pub limit: Option<usize>,
    /// Attempts that failed, by kind.
    pub failures: BTreeMap<FailureKind, usize>,
    /// Whether it is asked no more.
    pub is_stopped: bool,
    under_way: HashSet<TrialId>,
    pace: Pace,
}

impl Board {
    /// A run of which nothing is known yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            lanes: Vec::new(),
            total: 0,
            counts: Counts::default(),
            spent: Spending::default(),
            budget: Budget::default(),
            began: now,
            places: HashMap::new(),
        }
    }

    /// Notes what has happened.
    pub(super) fn update(&mut self, event: &Event, now: Instant) {
        match event {
            Event::RunStarted { total, already_done, models, budget, spent } => {
                let lane = |of: &ModelTrials| Lane {
                    model: of.model.clone(),
                    total: of.total,
                    done: of.done,
                    limit: None,
                    failures: BTreeMap::new(),
                    is_stopped: false,
                    under_way: HashSet::new(),
                    pace: Pace::new(now),
                };
                self.places = models.iter().map(|of| of.model.clone()).zip(0..).collect();
                self.lanes = models.iter().map(lane).collect();
                (self.total, self.counts, self.began) = (*total, *already_done, now);
                (self.budget, self.spent) = (*budget, *spent);
            }
            Event::AttemptStarted { trial, limit } => {
                if let Some(lane) = self.lane(&trial.model) {
                    lane.limit = Some(*limit);
                    lane.under_way.insert(trial.clone());
                }
            }
            Event::AttemptFailed { trial, failure, .. } => {
                if let Some(lane) = self.lane(&trial.model) {
                    lane.under_way.remove(trial);
                    *lane.failures.entry(failure.kind).or_default() += 1;
                }
            }
            Event::TrialFinished { summary, spent } => {
                self.spent = *spent;
                self.counts.add(summary.status, 1);
                if let Some(lane) = self.lane(&summary.trial.model) {
                    lane.done += 1;
                    lane.under_way.remove(&summary.trial);
                    // What was there already says nothing of how long the rest takes.
                    if !summary.cached {
                        lane.pace.count(now);
                    }
                }
            }
            Event::SlowedDown { model, slowed } => {
                if let Some(lane) = self.lane(model) {
                    lane.limit = Some(slowed.limit);
                }
            }
            Event::ModelStopped { model, .. } => {
                if let Some(lane) = self.lane(model) {
                    lane.is_stopped = true;
                }
            }
            Event::BudgetUsedUp { spent, .. } => self.spent = *spent,
            Event::Paused { .. } | Event::Interrupted { .. } => {}
            Event::RunFinished { counts } => self.counts = *counts,
        }
    }

    fn lane(&mut self, model: &ModelId) -> Option<&mut Lane> {
        self.places.get(model).and_then(|place| self.lanes.get_mut(*place))
    }

    /// Trials with an outcome.
    pub(super) fn done(&self) -> usize {
        self.lanes.iter().map(|lane| lane.done).sum()
    }

    /// Attempts under way.
    pub(super) fn under_way(&self) -> usize {
        self.lanes.iter().map(Lane::under_way).sum()
    }

    /// Outcomes a second.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        self.lanes.iter().map(|lane| lane.rate(now)).sum()
    }

    /// How long it takes from now on, if that can be told: as long as the slowest model.
    pub(super) fn eta(&self, now: Instant) -> Option<Duration> {
        let lanes = self.lanes.iter().filter(|lane| lane.done < lane.total && !lane.is_stopped);
        lanes.map(|lane| lane.eta(now)).try_fold(Duration::ZERO, |longest, eta| Some(longest.max(eta?)))
    }

    /// Outcomes that need attention, as `, 3 failed, 1 errored`.
    pub(super) fn mishaps(&self) -> String {
        let mishaps = [Status::Failed, Status::Errored].into_iter().filter(|status| self.counts.of(*status) > 0);
        let mishaps: Vec<String> =
            mishaps.map(|status| format!(", {} {}", self.counts.of(status), status.name())).collect();
        mishaps.concat()
    }
}

impl Lane {
    /// Attempts under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Outcomes a second.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        self.pace.rate(now)
    }

    fn eta(&self, now: Instant) -> Option<Duration> {
        Duration::try_from_secs_f64((self.total - self.done.min(self.total)) as f64 / self.rate(now)).ok()
    }
}

/// How many outcomes come a second: of late rather than on the whole.
#[derive(Debug)]
struct Pace {
    began: Instant,
    last: Instant,
    /// Outcomes, each of which weighs less the longer ago it came.
    weight: f64,
}

impl Pace {
    /// After so many seconds an outcome weighs about a third.
    const MEMORY: f64 = 15.0;

    const fn new(now: Instant) -> Self {
        Self { began: now, last: now, weight: 0.0 }
    }

    fn count(&mut self, now: Instant) {
        self.weight = self.weight * fade(now.saturating_duration_since(self.last)) + 1.0;
        self.last = now;
    }

    fn rate(&self, now: Instant) -> f64 {
        let weight = self.weight * fade(now.saturating_duration_since(self.last));
        // At the beginning there is less to remember than later on.
        let seconds = Self::MEMORY * (1.0 - fade(now.saturating_duration_since(self.began)));
        if seconds > 0.0 { weight / seconds } else { 0.0 }
    }
}

fn fade(passed: Duration) -> f64 {
    (-passed.as_secs_f64() / Pace::MEMORY).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_pace_is_told_from_the_beginning_and_a_new_one_after_a_while() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        assert_eq!(pace.rate(began), 0.0);
        let mut at = began;
        for n in 1..=600 {
            at += Duration::from_millis(if n <= 300 { 100 } else { 500 });
            pace.count(at);
            let expected = match n {
                10..=300 => 10.0,
                450.. => 2.0,
                _ => continue,
            };
            let rate = pace.rate(at);
            assert!((rate / expected - 1.0).abs() < 0.15, "{n}: {rate}");
        }
        assert!(pace.rate(at + Duration::from_secs(60)) < 0.1);
    }
}
