//! How small a difference can be found with so many cases, and how many cases a difference needs.

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

use super::noise::Components;
use super::{ALPHA, Differences, Undefined, as_f64, quantile, t_quantile};

/// The chance with which a difference is to be found: 4 times in 5.
pub const POWER: f64 = 0.8;

/// The share of cases whose verdict changes between two variants, where no run says better.
pub const DEFAULT_FLIPS: f64 = 0.2;

/// The most cases that are counted up to.
const MOST_CASES: usize = 100_000;

/// The reading of McNemar's test that is held to [`ALPHA`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The exact p.
    Exact,
    /// The mid-p, as in reports.
    Mid,
}

/// The chance that McNemar's test finds a true `difference` where a share `flips` of `n` cases changes; by enumeration.
pub fn power(reading: Reading, n: usize, flips: f64, difference: f64) -> f64 {
    let (Ok(changed), true) = (Binomial::new(flips, n as u64), difference.abs() <= flips && flips > 0.0) else {
        return 0.0;
    };
    let gained = (f64::midpoint(1.0, difference.abs() / flips)).min(1.0);
    let (mean, spread) = (as_f64(n) * flips, (as_f64(n) * flips * (1.0 - flips)).sqrt());
    // Beyond nine deviations there is nothing to add up.
    let first = whole(mean - 9.0 * spread - 9.0) as u64;
    let last = whole(mean + 9.0 * spread + 9.0).min(n) as u64;
    let found = |m: u64| {
        let Some(few) = critical(reading, m) else { return 0.0 };
        let Ok(ups) = Binomial::new(gained, m) else { return 0.0 };
        changed.pmf(m) * (ups.cdf(few) + ups.sf(m - few - 1))
    };
    (first..=last).map(found).sum()
}

/// The most changes the other way with which `m` changes are still called a difference.
fn critical(reading: Reading, m: u64) -> Option<u64> {
    let coin = Binomial::new(0.5, m).ok().filter(|_| m > 0)?;
    let p = |few: u64| match reading {
        Reading::Exact => 2.0 * coin.cdf(few),
        Reading::Mid => 2.0 * coin.cdf(few) - coin.pmf(few),
    };
    // p grows with `few`: halve.
    let (mut good, mut bad) = (None, m / 2 + 1);
    let mut low = 0;
    while low < bad {
        let middle = u64::midpoint(low, bad);
        if 2 * middle < m && p(middle) < ALPHA {
            good = Some(middle);
            low = middle + 1;
        } else {
            bad = middle;
        }
    }
    good
}

/// The smallest difference that `n` cases, of which a share `flips` changes, show 4 times in 5.
///
/// # Errors
/// Even if every change went one way it would not be found so often.
pub fn detectable(reading: Reading, n: usize, flips: f64) -> Result<f64, Undefined> {
    if !(flips > 0.0 && flips <= 1.0) {
        return Err(Undefined::OutOfRange);
    }
    if power(reading, n, flips, flips) < POWER {
        return Err(Undefined::OutOfReach);
    }
    let (mut short, mut enough) = (0.0, flips);
    for _ in 0..30 {
        let middle = f64::midpoint(short, enough);
        if power(reading, n, flips, middle) < POWER { short = middle } else { enough = middle }
    }
    Ok(enough)
}

/// The fewest cases with which a true `difference` is found 4 times in 5, if a share `flips` of cases changes.
///
/// # Errors
/// No such difference exists, or it takes more than 100,000 cases.
pub fn cases_needed(reading: Reading, flips: f64, difference: f64) -> Result<usize, Undefined> {
    let difference = difference.abs();
    if !(flips > 0.0 && flips <= 1.0 && difference > 0.0 && difference <= flips) {
        return Err(Undefined::OutOfRange);
    }
    let is_enough = |n: usize| power(reading, n, flips, difference) >= POWER;
    // Near the approximate number, power goes up and down by single cases: look from well below on.
    let z = quantile(super::LEVEL).ok_or(Undefined::OutOfRange)? + normal_quantile_of_power()?;
    let about = z * z * (flips - difference * difference) / (difference * difference);
    if about > as_f64(MOST_CASES) {
        return Err(Undefined::OutOfReach);
    }
    let first = whole(about * 0.8).saturating_sub(5).max(1);
    (first..=MOST_CASES).find(|n| is_enough(*n)).ok_or(Undefined::OutOfReach)
}

/// The whole part of a number of cases; none below 0.
#[expect(clippy::cast_sign_loss, reason = "what is below 0 is taken out first")]
const fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

fn normal_quantile_of_power() -> Result<f64, Undefined> {
    quantile(2.0 * POWER - 1.0).ok_or(Undefined::OutOfRange)
}

/// The fewest cases for which `holds`, which then holds for all that are more; `None` if 100,000 are not enough.
pub fn fewest_cases(holds: impl Fn(usize) -> bool) -> Option<usize> {
    let enough = std::iter::successors(Some(1_usize), |n| Some(n * 2)).take_while(|n| *n < 2 * MOST_CASES);
    let enough = enough.map(|n| n.min(MOST_CASES)).find(|n| holds(*n))?;
    let (mut short, mut enough) = (enough / 2, enough);
    while enough - short > 1 {
        let middle = usize::midpoint(short, enough);
        if holds(middle) { enough = middle } else { short = middle }
    }
    Some(enough)
}

/// The same for case means over repeats (Miller 2024, arXiv 2411.00640).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Means {
    /// The variance of one case's difference.
    variance: f64,
    /// How much clusters add to the cases needed.
    design_effect: f64,
}

impl Means {
    /// For variances that were estimated or assumed, as many repeats as in `components`, and a design effect (1 without
    /// clusters).
    pub fn new(components: Components, design_effect: f64) -> Self {
        let Components { between, within, repeats } = components;
        let chance = |side: usize| within[side] / as_f64(repeats[side].max(1));
        Self { variance: between + chance(0) + chance(1), design_effect }
    }

    /// For cases that vary as these do.
    ///
    /// # Errors
    /// There are fewer than two clusters, or the cases do not vary.
    pub fn of(differences: &Differences) -> Result<Self, Undefined> {
        let error = differences.error()?;
        if error == 0.0 {
            return Err(Undefined::NoVariation);
        }
        // The squared error times the cases is the variance of one, clusters included.
        Ok(Self { variance: error * error * as_f64(differences.n()), design_effect: 1.0 })
    }

    /// The cases that show a true `difference` 4 times in 5.
    ///
    /// # Errors
    /// The difference is 0.
    pub fn cases_needed(self, difference: f64) -> Result<usize, Undefined> {
        if difference == 0.0 || !difference.is_finite() {
            return Err(Undefined::OutOfRange);
        }
        let cases = |factor: f64| factor * factor * self.variance * self.design_effect / difference.powi(2);
        let large = cases(quantile(super::LEVEL).ok_or(Undefined::OutOfRange)? + normal_quantile_of_power()?);
        if large > as_f64(MOST_CASES) {
            return Err(Undefined::OutOfReach);
        }
        if large >= 30.0 {
            return Ok(whole(large.round()));
        }
        // Few cases know their variance badly: t instead of z.
        (2..=60).find(|n| factor(*n).is_some_and(|factor| cases(factor) <= as_f64(*n))).ok_or(Undefined::OutOfReach)
    }

    /// The difference that `n` cases show 4 times in 5.
    ///
    /// # Errors
    /// There are fewer than two cases.
    pub fn detectable(self, n: usize) -> Result<f64, Undefined> {
        let factor = factor(n).ok_or(Undefined::OneCase)?;
        Ok(factor * (self.variance * self.design_effect / as_f64(n)).sqrt())
    }
}

/// How many standard errors a difference must have to be found 4 times in 5.
fn factor(n: usize) -> Option<f64> {
    if n < 2 {
        return None;
    }
    let freedom = as_f64(n) - 1.0;
    if n < 30 {
        Some(t_quantile(super::LEVEL, freedom)? + t_quantile(2.0 * POWER - 1.0, freedom)?)
    } else {
        Some(quantile(super::LEVEL)? + normal_quantile_of_power().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_cases_are_found_wherever_they_are() {
        for least in [1, 2, 3, 52, 64, 99_999, 100_000] {
            assert_eq!(fewest_cases(|n| n >= least), Some(least));
        }
        assert_eq!(fewest_cases(|n| n > 100_000), None);
    }

    #[test]
    fn the_detectable_difference_agrees_with_the_reference() {
        for (n, row) in [
            (20, [None, None, None, Some(38.0)]),
            (30, [None, None, Some(27.5), Some(32.0)]),
            (50, [None, Some(17.6), Some(21.9), Some(25.4)]),
            (100, [Some(8.8), Some(12.8), Some(15.9), Some(18.2)]),
            (200, [Some(6.4), Some(9.1), Some(11.1), Some(12.8)]),
            (400, [Some(4.6), Some(6.5), Some(7.9), Some(9.0)]),
            (1000, [Some(2.9), Some(4.0), Some(4.9), Some(5.7)]),
        ] {
            for (flips, expected) in [0.1, 0.2, 0.3, 0.4].into_iter().zip(row) {
                // The reference went in steps, coarse ones where cases are few.
                let found = detectable(Reading::Exact, n, flips).ok().map(|difference| difference * 100.0);
                let agrees = match (found, expected) {
                    (Some(found), Some(expected)) => (found - expected).abs() < if n < 50 { 0.5 } else { 0.1 },
                    (found, expected) => found.is_none() && expected.is_none(),
                };
                assert!(agrees, "{n} cases, {flips} flips: {found:?}, not {expected:?}");
            }
        }
    }

    #[test]
    fn the_cases_needed_agree_with_the_reference() {
        assert_eq!(cases_needed(Reading::Mid, 0.2, 0.1), Ok(152));
        assert_eq!(cases_needed(Reading::Exact, 0.2, 0.1), Ok(168));
        for (flips, difference, why) in
            [(0.2, 0.0, Undefined::OutOfRange), (0.1, 0.2, Undefined::OutOfRange), (0.2, 1e-6, Undefined::OutOfReach)]
        {
            assert_eq!(cases_needed(Reading::Mid, flips, difference), Err(why));
        }
    }

    #[test]
    fn means_agree_with_miller() {
        for (repeats, cases) in [(1, 3876), (10, 1260)] {
            let components = Components { between: 1.0 / 9.0, within: [1.0 / 6.0; 2], repeats: [repeats; 2] };
            let means = Means::new(components, 1.0);
            assert_eq!(means.cases_needed(0.03), Ok(cases));
            assert!((means.detectable(cases).unwrap() - 0.03).abs() < 1e-5);
            assert!(Means::new(components, 2.0).cases_needed(0.03).unwrap().abs_diff(2 * cases) <= 1);
        }
        let endless = Components { between: 1.0 / 9.0, within: [0.0; 2], repeats: [1; 2] };
        assert_eq!(Means::new(endless, 1.0).cases_needed(0.03), Ok(969));
        assert_eq!(Means::new(endless, 1.0).detectable(1), Err(Undefined::OneCase));
    }
}
