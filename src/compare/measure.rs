//! What is measured beside the verdicts: length, tokens, cost, latency, case by case.

use std::collections::{BTreeMap, HashMap};

use super::Pair;
use super::cases::{Joined, SourceKey, source_of};
use super::method::Method;
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Entry, Run, Status};
use crate::stats::{Differences, Interval, LEVEL, Undefined};

/// What is measured of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Its length in characters.
    Chars,
    /// The tokens generated.
    OutputTokens,
    /// What it cost, in US dollars.
    Cost,
    /// From the first attempt to the answer, in milliseconds; answers from the store are left out.
    Latency,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Chars, Self::OutputTokens, Self::Cost, Self::Latency];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chars => "chars",
            Self::OutputTokens => "output_tokens",
            Self::Cost => "cost_usd",
            Self::Latency => "latency_ms",
        }
    }

    fn of(self, entry: &Entry) -> Option<f64> {
        let value = match self {
            Self::Chars => entry.chars.map(|chars| chars as f64),
            Self::OutputTokens => entry.usage.output_tokens.map(|tokens| tokens as f64),
            Self::Cost => entry.cost,
            // Recorded answers have taken no time unless their record says so; an error is no answer.
            Self::Latency if entry.cached || entry.status == Status::Errored => None,
            Self::Latency => Some(entry.latency.as_secs_f64() * 1000.0).filter(|millis| *millis > 0.0),
        };
        value.filter(|value| value.is_finite())
    }
}

/// A measure of both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Which.
    pub measure: Measure,
    /// The cases that have it on both sides.
    pub n: usize,
    /// The means over these cases, of the base and of the candidate.
    pub means: [f64; 2],
    /// Where the interval comes from.
    pub method: Method,
    /// The difference of the means with its guarded t interval over cases, or over the sources that they share, at
    /// [`LEVEL`].
    pub interval: Result<Interval, Undefined>,
}

/// The measures that both sides have.
pub(super) fn measures(pairs: &[Pair<'_>], joined: &Joined<'_>) -> Vec<Measured> {
    let runs = [pairs[0].base.run, pairs[0].candidate.run];
    let measured = |measure: Measure| {
        let values = runs.map(|run| values(run, measure));
        let mut sides: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        let mut clusters: BTreeMap<SourceKey<'_>, Vec<f64>> = BTreeMap::new();
        for (before, case) in &joined.pairs {
            let of = |side: usize, case: &CaseId, prompt: &PromptId, model: &ModelId| {
                values[side].get(&(case, prompt, model)).map(|values| mean(values))
            };
            let both = pairs.iter().filter_map(|Pair { base, candidate }| {
                Some([of(0, &before.id, base.prompt, base.model)?, of(1, &case.id, candidate.prompt, candidate.model)?])
            });
            let both: Vec<[f64; 2]> = both.collect();
            if !both.is_empty() {
                let means = [0, 1].map(|side| mean(&both.iter().map(|both| both[side]).collect::<Vec<_>>()));
                sides.iter_mut().zip(means).for_each(|(values, mean)| values.push(mean));
                clusters.entry(source_of(case)).or_default().push(means[1] - means[0]);
            }
        }
        let n = sides[0].len();
        let differences = Differences::new(clusters.into_values());
        let method = if differences.clusters() < n { Method::Clusters } else { Method::CaseMeans };
        let means = sides.map(|values| mean(&values));
        (n > 0).then(|| Measured { measure, n, means, method, interval: differences.measured_interval(LEVEL) })
    };
    Measure::ALL.into_iter().filter_map(measured).collect()
}

type Values<'a> = HashMap<(&'a CaseId, &'a PromptId, &'a ModelId), Vec<f64>>;

fn values(run: &Run, measure: Measure) -> Values<'_> {
    let mut values = Values::new();
    for entry in &run.entries {
        let Some(value) = measure.of(entry) else { continue };
        let trial = &entry.trial;
        values.entry((&trial.case, &trial.prompt, &trial.model)).or_default().push(value);
    }
    values
}

fn mean(values: &[f64]) -> f64 {
    Differences::independent(values.iter().copied()).mean().unwrap_or_default()
}
