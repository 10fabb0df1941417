//! Two variants asked once a case, pass or fail: McNemar's test and Tango's interval of the difference.

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

use super::{Interval, Undefined, as_f64, quantile};

/// How the verdicts of two variants on the same cases fall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flips {
    /// Cases that pass with both.
    pub both: usize,
    /// Cases that pass with the candidate alone.
    pub gained: usize,
    /// Cases that pass with the base alone.
    pub lost: usize,
    /// Cases that pass with neither.
    pub neither: usize,
}

/// The two readings of McNemar's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// The exact p: conservative.
    pub exact: f64,
    /// The mid-p: the one that reports lead with.
    pub mid: f64,
}

impl Flips {
    /// The number of cases.
    pub const fn n(&self) -> usize {
        self.both + self.gained + self.lost + self.neither
    }

    /// The cases whose verdict changed.
    pub const fn changed(&self) -> usize {
        self.gained + self.lost
    }

    /// McNemar's test of no difference, by enumeration: how often would a fair coin divide the changes as unevenly?
    ///
    /// Without changes p is 1 by definition: no case speaks for a difference.
    pub fn mcnemar(&self) -> McNemar {
        let (few, changed) = (self.gained.min(self.lost), self.changed());
        let Some(coin) = Binomial::new(0.5, changed as u64).ok().filter(|_| changed > 0) else {
            return McNemar { exact: 1.0, mid: 1.0 };
        };
        let (at, below) = (coin.pmf(few as u64), coin.cdf(few as u64));
        let exact = (2.0 * below).min(1.0);
        let mid = if self.gained == self.lost { 1.0 - at / 2.0 } else { exact - at };
        McNemar { exact, mid }
    }

    /// Tango's score interval of the difference of the two rates, candidate less base (Tango 1998).
    ///
    /// It holds its level also where few cases change; where none does, it is ±z²/(n + z²).
    ///
    /// # Errors
    /// There are no cases, or the level is none.
    pub fn tango(&self, level: f64) -> Result<Interval, Undefined> {
        if self.n() == 0 {
            return Err(Undefined::NoCases);
        }
        let z = quantile(level).ok_or(Undefined::OutOfRange)?;
        let estimate = (as_f64(self.gained) - as_f64(self.lost)) / as_f64(self.n());
        Ok(Interval { estimate, low: -self.mirrored().tango_high(z), high: self.tango_high(z) })
    }

    const fn mirrored(self) -> Self {
        Self { gained: self.lost, lost: self.gained, ..self }
    }

    /// The largest difference that the data do not contradict at `z`.
    fn tango_high(self, z: f64) -> f64 {
        let (n, gained, lost) = (as_f64(self.n()), as_f64(self.gained), as_f64(self.lost));
        let contradicts = |delta: f64| {
            let square = 2.0 * n;
            let linear = (2.0 * n - gained + lost) * delta - (gained + lost);
            let constant = -lost * delta * (1.0 - delta);
            // The share of losses that is most likely under this difference.
            let root = (linear * linear - 4.0 * square * constant).max(0.0).sqrt();
            let losses = (root - linear) / (2.0 * square);
            let variance = (n * (2.0 * losses + delta * (1.0 - delta))).max(0.0);
            n * delta - (gained - lost) > z * variance.sqrt()
        };
        let (mut inside, mut outside) = ((gained - lost) / n, 1.0);
        if !contradicts(outside) {
            return 1.0;
        }
        // Halving until the two are neighbours.
        for _ in 0..60 {
            let middle = f64::midpoint(inside, outside);
            if contradicts(middle) { outside = middle } else { inside = middle }
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::super::LEVEL;
    use super::*;

    fn flips(both: usize, gained: usize, lost: usize, neither: usize) -> Flips {
        Flips { both, gained, lost, neither }
    }

    #[test]
    fn tango_agrees_with_the_reference() {
        for (table, low, high) in [(flips(36, 12, 2, 0), 0.0611, 0.3447), (flips(53, 1, 0, 0), -0.0491, 0.0977)] {
            let interval = table.tango(LEVEL).unwrap();
            assert!((interval.low - low).abs() < 5e-5 && (interval.high - high).abs() < 5e-5, "{interval:?}");
        }
    }

    #[test]
    fn where_nothing_changed_the_interval_still_has_a_width() {
        let z = quantile(LEVEL).unwrap();
        for n in [1, 14, 20, 100] {
            let interval = flips(n, 0, 0, 0).tango(LEVEL).unwrap();
            let half = z * z / (as_f64(n) + z * z);
            assert!((interval.high - half).abs() < 1e-9 && interval.low == -interval.high, "{n}: {interval:?}");
            assert_eq!(interval.estimate, 0.0);
        }
        assert_eq!(flips(0, 0, 0, 0).tango(LEVEL), Err(Undefined::NoCases));
    }

    #[test]
    fn mcnemar_agrees_with_statsmodels() {
        for (gained, lost, exact, mid) in [
            (9, 2, 0.065_429_7, 0.038_574_2),
            (5, 5, 1.0, 1.0 - 252.0 / 2048.0),
            (0, 0, 1.0, 1.0),
            (1, 0, 1.0, 0.5),
            (6, 0, 0.03125, 0.015_625),
        ] {
            let found = flips(30, gained, lost, 9).mcnemar();
            assert!((found.exact - exact).abs() < 5e-8 && (found.mid - mid).abs() < 5e-8, "{gained} {lost}: {found:?}");
        }
    }

    #[test]
    fn so_many_changes_one_way_are_needed() {
        let needed = |lost: usize, p: fn(McNemar) -> f64| {
            (lost..99).find(|gained| *gained > lost && p(flips(0, *gained, lost, 0).mcnemar()) < 0.05).unwrap()
        };
        for (lost, exact, mid) in [(0, 6, 5), (1, 8, 7), (2, 10, 9), (3, 12, 11), (4, 13, 12), (5, 15, 14)] {
            assert_eq!((needed(lost, |p| p.exact), needed(lost, |p| p.mid)), (exact, mid), "against {lost}");
        }
    }

    #[test]
    fn swapping_the_variants_mirrors_the_interval_and_leaves_p() {
        for n in 1..=12 {
            for gained in 0..=n {
                for lost in 0..=n - gained {
                    let table = flips(n - gained - lost, gained, lost, 0);
                    let (interval, swapped) = (table.tango(LEVEL).unwrap(), table.mirrored().tango(LEVEL).unwrap());
                    assert_eq!(interval.mirrored(), swapped, "{table:?}");
                    assert_eq!(table.mcnemar(), table.mirrored().mcnemar());
                    assert!(-1.0 <= interval.low && interval.low <= interval.estimate, "{table:?} {interval:?}");
                    assert!(interval.estimate <= interval.high && interval.high <= 1.0, "{table:?} {interval:?}");
                }
            }
        }
    }
}
