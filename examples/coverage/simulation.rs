//! How often the intervals that reports print hold the truth, in made-up worlds where the truth is known.
//!
//! Promises the same figures for the same seed. One-repeat methods are enumerated, not drawn.

use std::fmt;

use evalrun::stats::{Differences, Flips, Interval, LEVEL, clopper_pearson, wilson};
use fastrand::Rng;

/// A world that cases are drawn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    /// The share of cases that the variants treat differently.
    pub(crate) differing: f64,
    /// Of these, the share that the candidate treats better.
    pub(crate) better: f64,
    /// How likely a repeat goes against its case's habit.
    pub(crate) noise: f64,
}

/// From nearly identical variants to wholly different ones.
pub(crate) const WORLDS: [World; 9] = [
    World { differing: 0.02, better: 0.5, noise: 0.0 },
    World { differing: 0.05, better: 0.5, noise: 0.02 },
    World { differing: 0.1, better: 0.9, noise: 0.0 },
    World { differing: 0.1, better: 0.9, noise: 0.01 },
    World { differing: 0.1, better: 0.5, noise: 0.1 },
    World { differing: 0.2, better: 0.75, noise: 0.05 },
    World { differing: 0.2, better: 0.5, noise: 0.25 },
    World { differing: 0.4, better: 0.5, noise: 0.05 },
    World { differing: 0.4, better: 0.9, noise: 0.1 },
];

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { differing, better, noise } = self;
        write!(f, "{:>3.0} % differ, {:>2.0} % of them better, noise {noise:.2}", differing * 100.0, better * 100.0)
    }
}

impl World {
    /// The true difference of the rates.
    pub(crate) fn truth(&self) -> f64 {
        self.differing * (2.0 * self.better - 1.0) * (1.0 - 2.0 * self.noise)
    }

    /// The chances that a case passes with base and candidate: seven in ten pass by habit.
    fn case(&self, rng: &mut Rng) -> [f64; 2] {
        let habit = |passes: bool| if passes { 1.0 - self.noise } else { self.noise };
        if rng.f64() < self.differing {
            let better = rng.f64() < self.better;
            return [habit(!better), habit(better)];
        }
        [habit(rng.f64() < 0.7); 2]
    }

    /// The chances that one repeat gains or loses a case.
    fn flips(&self) -> [f64; 2] {
        let Self { differing, better, noise } = self;
        let (kept, both) = ((1.0 - noise).powi(2), noise.powi(2));
        let chance = (1.0 - differing) * noise * (1.0 - noise);
        let way = |better: f64| differing * (better * kept + (1.0 - better) * both) + chance;
        [way(*better), way(1.0 - better)]
    }
}

/// How cases share sources.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    /// The number of cases of each.
    pub(crate) sizes: Vec<usize>,
    /// How often a case has the habits that its source's cases have in common.
    pub(crate) alike: f64,
}

/// Sizes of sources as projects have them: most have one case, one has many.
pub(crate) const UNEVEN: [usize; 8] = [1, 1, 1, 2, 3, 5, 10, 20];

impl Sources {
    /// So many cases that have nothing in common.
    pub(crate) fn single(cases: usize) -> Self {
        Self { sizes: vec![1; cases], alike: 0.0 }
    }

    /// Sources of one size.
    pub(crate) fn even(sources: usize, size: usize, alike: f64) -> Self {
        Self { sizes: vec![size; sources], alike }
    }

    /// About `cases` cases, three a source, that share their habits half of the time.
    pub(crate) fn threes(cases: usize) -> Self {
        Self::even(cases.div_ceil(3), 3, 0.5)
    }
}

/// The coverage of the guarded t interval.
pub(crate) fn guarded(world: World, sources: &Sources, repeats: u32, draws: u32, seed: u64) -> f64 {
    let mut rng = Rng::with_seed(seed);
    let holds = |rng: &mut Rng| {
        let mut clusters: Vec<Vec<f64>> = Vec::new();
        for size in &sources.sizes {
            let common = world.case(rng);
            let members = (0..*size).map(|_| {
                let case = if rng.f64() < sources.alike { common } else { world.case(rng) };
                let [base, candidate] = case.map(|chance| {
                    f64::from((0..repeats).filter(|_| rng.f64() < chance).count() as u32) / f64::from(repeats)
                });
                candidate - base
            });
            clusters.push(members.collect());
        }
        let interval = Differences::new(clusters).guarded_interval(LEVEL);
        contains(interval.expect("there are clusters"), world.truth())
    };
    f64::from((0..draws).filter(|_| holds(&mut rng)).count() as u32) / f64::from(draws)
}

/// A world of a measure without bounds, such as a length or a latency: how many cases have one value on both sides, and
/// how the others differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// The share of cases with one value on both sides.
    pub(crate) alike: f64,
    /// How the others differ.
    pub(crate) by: By,
}

/// How cases differ in a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum By {
    /// Normally, by 100 less on average, with this deviation.
    Normal(f64),
    /// By log-normal values of this spread, less their mean: a few are giant.
    LogNormal(f64),
}

/// From measures of which nearly all cases have one value to such of which a few have giant ones.
pub(crate) const MEASURES: [Measured; 6] = [
    Measured { alike: 0.98, by: By::Normal(60.0) },
    Measured { alike: 0.95, by: By::Normal(60.0) },
    Measured { alike: 0.8, by: By::Normal(60.0) },
    Measured { alike: 0.0, by: By::Normal(100.0) },
    Measured { alike: 0.5, by: By::LogNormal(0.8) },
    Measured { alike: 0.0, by: By::LogNormal(1.0) },
];

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3.0} % alike, others {:?}", self.alike * 100.0, self.by)
    }
}

impl Measured {
    fn truth(&self) -> f64 {
        match self.by {
            By::Normal(_) => -100.0 * (1.0 - self.alike),
            By::LogNormal(_) => 0.0,
        }
    }

    fn case(&self, rng: &mut Rng) -> f64 {
        if rng.f64() < self.alike {
            return 0.0;
        }
        let normal = (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
        match self.by {
            By::Normal(deviation) => -100.0 + deviation * normal,
            By::LogNormal(spread) => (spread * normal).exp() - (spread * spread / 2.0).exp(),
        }
    }
}

/// The coverage of the interval of a measure, where there is one: not where no case differs.
pub(crate) fn measured(world: Measured, n: usize, draws: u32, seed: u64) -> f64 {
    let mut rng = Rng::with_seed(seed);
    let holds = |_| {
        let differences = Differences::independent((0..n).map(|_| world.case(&mut rng)));
        differences.measured_interval(LEVEL).ok().map(|interval| contains(interval, world.truth()))
    };
    let told: Vec<bool> = (0..draws).filter_map(holds).collect();
    told.iter().filter(|holds| **holds).count() as f64 / told.len() as f64
}

/// The coverage of Tango's interval for one repeat, by enumeration.
pub(crate) fn tango(world: World, n: usize) -> f64 {
    let [gain, loss] = world.flips();
    let mut covered = 0.0;
    for gained in 0..=n {
        for lost in 0..=n - gained {
            let flips = Flips { both: n - gained - lost, gained, lost, neither: 0 };
            let rest = 1.0 - gain - loss;
            let log =
                ln_choose(n, gained) + ln_choose(n - gained, lost) + ln_power(gain, gained) + ln_power(loss, lost);
            let chance = (log + ln_power(rest, n - gained - lost)).exp();
            if chance > 1e-12 && contains(flips.tango(LEVEL).expect("there are cases"), world.truth()) {
                covered += chance;
            }
        }
    }
    covered
}

/// The coverage of an interval of one rate, by enumeration: the mean over true rates from .5 to .99, and the least.
pub(crate) fn rate(interval: RateInterval, n: usize) -> (f64, f64) {
    let covered = |rate: f64| {
        let chance = |k: usize| (ln_choose(n, k) + ln_power(rate, k) + ln_power(1.0 - rate, n - k)).exp();
        (0..=n).filter(|k| contains(interval(*k, n, LEVEL).expect("n is not 0"), rate)).map(chance).sum::<f64>()
    };
    let coverages: Vec<f64> = (50..=99).map(|percent| covered(f64::from(percent) / 100.0)).collect();
    (coverages.iter().sum::<f64>() / coverages.len() as f64, coverages.iter().copied().fold(1.0, f64::min))
}

/// An interval for `passed` of `n` at a level.
pub(crate) type RateInterval = fn(usize, usize, f64) -> Option<Interval>;

/// The intervals of one rate.
pub(crate) const RATES: [(&str, RateInterval); 2] = [("Wilson", wilson), ("Clopper–Pearson", clopper_pearson)];

fn contains(interval: Interval, truth: f64) -> bool {
    interval.low - 1e-12 <= truth && truth <= interval.high + 1e-12
}

fn ln_choose(n: usize, k: usize) -> f64 {
    (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum()
}

/// The logarithm of a power; 0 to the 0 is 1.
fn ln_power(base: f64, exponent: usize) -> f64 {
    if exponent == 0 { 0.0 } else { base.ln() * exponent as f64 }
}
