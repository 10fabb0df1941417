//! Two variants asked several times a case, or cases that share a source: case means and their clusters.

use statrs::distribution::ContinuousCDF;

use super::sign_flip::{SEED, SignFlip, sign_flip};
use super::{Interval, Undefined, as_f64, student, sum, t_quantile};

/// Differences of case means, candidate less base, grouped by the source that cases were made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    clusters: Vec<Vec<f64>>,
}

impl Differences {
    /// Differences in clusters; what is no number is no difference, and a cluster without any is none.
    pub fn new(clusters: impl IntoIterator<Item = Vec<f64>>) -> Self {
        let finite = |cluster: Vec<f64>| -> Vec<f64> { cluster.into_iter().filter(|d| d.is_finite()).collect() };
        Self { clusters: clusters.into_iter().map(finite).filter(|cluster| !cluster.is_empty()).collect() }
    }

    /// Differences of cases that have nothing in common.
    pub fn independent(values: impl IntoIterator<Item = f64>) -> Self {
        Self::new(values.into_iter().map(|value| vec![value]))
    }

    /// The number of cases.
    pub fn n(&self) -> usize {
        self.clusters.iter().map(Vec::len).sum()
    }

    /// The number of clusters.
    pub const fn clusters(&self) -> usize {
        self.clusters.len()
    }

    /// The mean difference.
    ///
    /// # Errors
    /// There are no cases.
    pub fn mean(&self) -> Result<f64, Undefined> {
        if self.n() == 0 { Err(Undefined::NoCases) } else { Ok(self.total() / as_f64(self.n())) }
    }

    fn total(&self) -> f64 {
        sum(self.clusters.iter().flatten().copied())
    }

    /// The standard error of the mean: cluster-robust (with the correction for few clusters), which for cases that
    /// have nothing in common is the usual one.
    ///
    /// # Errors
    /// There are fewer than two clusters.
    pub fn error(&self) -> Result<f64, Undefined> {
        let mean = self.mean()?;
        let clusters = as_f64(self.clusters());
        if self.clusters() < 2 {
            return Err(if self.n() < 2 { Undefined::OneCase } else { Undefined::OneCluster });
        }
        let residual = |cluster: &Vec<f64>| sum(cluster.iter().map(|d| d - mean)).powi(2);
        let spread = sum(self.clusters.iter().map(residual));
        Ok((clusters / (clusters - 1.0) * spread).sqrt() / as_f64(self.n()))
    }

    /// How much wider the clusters make the error, as a factor on the number of cases needed; 1 without clusters, and
    /// `None` where the error says nothing.
    pub fn design_effect(&self) -> Option<f64> {
        let alone = Self::independent(self.clusters.iter().flatten().copied());
        let (error, alone) = (self.error().ok()?, alone.error().ok()?);
        (alone > 0.0).then(|| (error / alone).powi(2))
    }

    /// The t interval of the mean, at a two-sided `level`, from these values alone.
    ///
    /// # Errors
    /// There are fewer than two clusters, or the level is none.
    pub fn t_interval(&self, level: f64) -> Result<Interval, Undefined> {
        let (estimate, error) = (self.mean()?, self.error()?);
        let half = t_quantile(level, as_f64(self.clusters()) - 1.0).ok_or(Undefined::OutOfRange)? * error;
        Ok(Interval { estimate, low: estimate - half, high: estimate + half })
    }

    /// The same, guarded: two sources whose cases turn wholly, one each way, are added first, as large as a source is on
    /// average (for cases that have nothing in common, two cases). Where variants are nearly identical the plain interval
    /// collapses and holds the truth far too seldom; this one holds it at least as often as it says (`examples/coverage`),
    /// and is therefore wider where sources are few. A smaller step, such as one over the repeats, fails where repeats
    /// agree, and smaller sources fail where the cases of one agree: they are then no finer measure than one. The
    /// estimate stays that of the values.
    ///
    /// # Errors
    /// There are no cases, the cases are of one cluster, or the level is none.
    pub fn guarded_interval(&self, level: f64) -> Result<Interval, Undefined> {
        self.guarded_by(1.0, level)
    }

    fn guarded_by(&self, step: f64, level: f64) -> Result<Interval, Undefined> {
        let estimate = self.mean()?;
        if self.clusters() < 2 && self.n() > 1 {
            return Err(Undefined::OneCluster);
        }
        let guarded = self.with_guards(step).t_interval(level)?;
        let (low, high) = (guarded.low.max(-1.0).min(estimate), guarded.high.min(1.0).max(estimate));
        Ok(Interval { estimate, low, high })
    }

    /// The interval of a measure that has no bounds, such as a length, a cost or a latency: the t interval, guarded by two
    /// sources that differ by twice as much as any case does, one each way. Where most cases have one value on both sides,
    /// or a few have giant ones, the plain interval holds the truth far too seldom; this one holds it at least about as
    /// often as it says (`examples/coverage`), and is wider where cases are few.
    ///
    /// # Errors
    /// There are fewer than two clusters, the level is none, or no case differs, so that nothing is known of how much one
    /// would.
    pub fn measured_interval(&self, level: f64) -> Result<Interval, Undefined> {
        self.error()?;
        let estimate = self.mean()?;
        let largest = self.clusters.iter().flatten().fold(0.0_f64, |largest, d| largest.max(d.abs()));
        if largest == 0.0 {
            return Err(Undefined::NoVariation);
        }
        let guarded = self.with_guards(2.0 * largest).t_interval(level)?;
        Ok(Interval { estimate, low: guarded.low.min(estimate), high: guarded.high.max(estimate) })
    }

    /// The values with the two sources that guard their interval: what a forecast that is to fit it rests on.
    #[must_use]
    pub fn guarded(&self) -> Self {
        self.with_guards(1.0)
    }

    fn with_guards(&self, step: f64) -> Self {
        // Rounded up: a fraction of a case more is the cautious side.
        let size = self.n().div_ceil(self.clusters().max(1)).max(1);
        Self::new(self.clusters.iter().cloned().chain([vec![step; size], vec![-step; size]]))
    }

    /// The p of t for no mean difference, two-sided. If all differences are 0, p is 1 by definition.
    ///
    /// # Errors
    /// There are fewer than two clusters.
    pub fn t_p(&self) -> Result<f64, Undefined> {
        let (mean, error) = (self.mean()?, self.error()?);
        if mean == 0.0 {
            return Ok(1.0);
        }
        if error == 0.0 {
            return Err(Undefined::NoVariation);
        }
        let freedom = student(as_f64(self.clusters()) - 1.0).ok_or(Undefined::OneCluster)?;
        Ok((2.0 * freedom.cdf(-(mean / error).abs())).min(1.0))
    }

    /// The sign-flip test: whole clusters are turned. With C clusters that differ, p is never below 2 / 2^C.
    ///
    /// # Errors
    /// There are no cases.
    pub fn sign_flip(&self) -> Result<SignFlip, Undefined> {
        self.sign_flip_with(SEED)
    }

    fn sign_flip_with(&self, seed: u64) -> Result<SignFlip, Undefined> {
        self.mean()?;
        let sums: Vec<f64> = self.clusters.iter().map(|cluster| sum(cluster.iter().copied())).collect();
        Ok(sign_flip(&sums, sum(sums.iter().copied()), seed))
    }
}

#[cfg(test)]
mod tests {
    use super::super::LEVEL;
    use super::*;

    const BASE: [f64; 12] = [1.0, 1.0, 1.0, 0.67, 0.33, 1.0, 1.0, 0.0, 1.0, 0.67, 1.0, 1.0];
    const CANDIDATE: [f64; 12] = [1.0, 0.67, 1.0, 0.33, 0.0, 1.0, 0.67, 0.0, 1.0, 0.33, 1.0, 0.67];
    const GROUPS: [usize; 12] = [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 5];

    /// The differences, base less candidate.
    fn differences() -> Vec<f64> {
        BASE.iter().zip(CANDIDATE).map(|(base, candidate)| base - candidate).collect()
    }

    fn grouped(values: &[f64], groups: &[usize]) -> Differences {
        let cluster = |group| values.iter().zip(groups).filter(|(_, of)| **of == group).map(|(d, _)| *d).collect();
        Differences::new((0..=*groups.iter().max().unwrap()).map(cluster))
    }

    #[track_caller]
    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() < tolerance, "{found} is not {expected}");
    }

    #[test]
    fn paired_t_agrees_with_scipy() {
        let d = Differences::independent(differences());
        near(d.mean().unwrap(), 0.166_666_7, 5e-8);
        near(d.error().unwrap() * 12_f64.sqrt(), 0.174_112_5, 5e-8);
        near(d.t_p().unwrap(), 0.006_880_4, 5e-8);
        let interval = d.t_interval(LEVEL).unwrap();
        near(interval.low, 0.056_040_9, 5e-8);
        near(interval.high, 0.277_292_5, 5e-8);
    }

    #[test]
    fn the_guard_agrees_with_the_reference() {
        let interval = Differences::independent(differences()).guarded_by(1.0 / 3.0, LEVEL).unwrap();
        near(interval.low, 0.018_474_0, 5e-8);
        near(interval.high, 0.267_240_3, 5e-8);
        near(interval.estimate, 0.166_666_7, 5e-8);
    }

    #[test]
    fn sign_flip_agrees_with_scipy() {
        assert_eq!(Differences::independent(differences()).sign_flip().unwrap(), SignFlip { p: 0.03125, seed: None });
        assert_eq!(grouped(&differences(), &GROUPS).sign_flip().unwrap(), SignFlip { p: 0.0625, seed: None });
    }

    #[test]
    fn clusters_agree_with_statsmodels() {
        let d = grouped(&differences(), &GROUPS);
        near(d.error().unwrap(), 0.043_363_2, 5e-8);
        near(d.error().unwrap() * (5.0_f64 / 6.0).sqrt(), 0.039_585_0, 5e-8);
        near(d.t_p().unwrap(), 0.012_080_6, 5e-8);
        let interval = d.t_interval(LEVEL).unwrap();
        near(interval.low, 0.055_197_9, 5e-8);
        near(interval.high, 0.278_135_4, 5e-8);
        let y = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        let error = grouped(&y, &[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5]).error().unwrap();
        near(error, 0.109_263_3, 5e-8);
        near(error * (5.0_f64 / 6.0).sqrt(), 0.099_743_3, 5e-8);
    }

    #[test]
    fn order_changes_nothing_and_swapping_mirrors() {
        let values = differences();
        let d = grouped(&values, &GROUPS);
        let mut clusters = d.clusters.clone();
        clusters.reverse();
        for cluster in &mut clusters {
            cluster.reverse();
        }
        let shuffled = Differences::new(clusters);
        let swapped = grouped(&values.iter().map(|value| -value).collect::<Vec<_>>(), &GROUPS);
        assert_eq!(d.guarded_interval(LEVEL), shuffled.guarded_interval(LEVEL));
        assert_eq!((d.t_p(), d.sign_flip()), (shuffled.t_p(), shuffled.sign_flip()));
        let mirrored = d.guarded_interval(LEVEL).unwrap().mirrored();
        let found = swapped.guarded_interval(LEVEL).unwrap();
        assert_eq!(mirrored, found);
        assert_eq!((d.t_p(), d.sign_flip()), (swapped.t_p(), swapped.sign_flip()));
    }

    #[test]
    fn many_equal_cases_of_few_sources_prove_little() {
        let width = |sources: usize, cases: usize| {
            let interval = Differences::new(vec![vec![0.0; cases]; sources]).guarded_interval(LEVEL).unwrap();
            interval.high - interval.low
        };
        assert!((width(3, 1) - width(3, 40)).abs() < 1e-12, "{} {}", width(3, 1), width(3, 40));
        assert!(width(3, 40) > 1.0, "{}", width(3, 40));
        assert!(width(17, 3) > 0.2, "{}", width(17, 3));
    }

    #[test]
    fn a_measure_of_which_few_cases_differ_has_a_wide_interval_and_mirrors() {
        let few = Differences::independent([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -100.0]);
        let (plain, guarded) = (few.t_interval(LEVEL).unwrap(), few.measured_interval(LEVEL).unwrap());
        near(guarded.estimate, -10.0, 1e-12);
        assert!(guarded.low < plain.low - 20.0 && guarded.high > plain.high + 20.0, "{guarded:?} {plain:?}");
        let swapped = Differences::independent([0.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(swapped.measured_interval(LEVEL).unwrap().mirrored(), guarded);
        assert_eq!(Differences::independent([0.0; 5]).measured_interval(LEVEL), Err(Undefined::NoVariation));
        assert_eq!(Differences::independent([3.0]).measured_interval(LEVEL), Err(Undefined::OneCase));
        assert_eq!(Differences::new([vec![3.0, 4.0]]).measured_interval(LEVEL), Err(Undefined::OneCluster));
    }

    #[test]
    fn too_little_says_so() {
        let none = Differences::independent([]);
        assert_eq!(none.mean(), Err(Undefined::NoCases));
        assert_eq!(none.guarded_interval(LEVEL), Err(Undefined::NoCases));
        let one = Differences::independent([1.0]);
        assert_eq!(one.t_p(), Err(Undefined::OneCase));
        assert!(one.guarded_interval(LEVEL).is_ok());
        let cluster = Differences::new([vec![0.5, 0.0]]);
        assert_eq!(cluster.t_p(), Err(Undefined::OneCluster));
        assert_eq!(cluster.guarded_interval(LEVEL), Err(Undefined::OneCluster));
        let equal = Differences::independent([0.0; 5]);
        assert_eq!((equal.t_p(), equal.sign_flip().unwrap().p), (Ok(1.0), 1.0));
        let interval = equal.guarded_interval(LEVEL).unwrap();
        assert!(interval.low < -0.1 && interval.high > 0.1, "{interval:?}");
        assert_eq!(Differences::independent([1.0; 5]).t_p(), Err(Undefined::NoVariation));
        assert_eq!(Differences::independent([f64::NAN, 1.0]).n(), 1);
    }
}
