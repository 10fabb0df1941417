//! Agreement of two judges on the same cases: raw, Cohen's κ, Gwet's AC1, each with an interval.

use super::{Interval, as_f64, quantile, wilson};

/// How two judges' verdicts on the same cases fall: a table of counts with one judge's verdict down, the other's across.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TwoByTwo {
    /// Both say yes.
    pub both: usize,
    /// The first says yes, the second no.
    pub first: usize,
    /// The second says yes, the first no.
    pub second: usize,
    /// Both say no.
    pub neither: usize,
}

/// A measure of agreement beyond chance: 1 is perfect, 0 what chance alone would give, below 0 worse than that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// The measure, in -1..=1.
    pub estimate: f64,
    /// The ends of its interval; `None` where nobody disagreed, since the large-sample error then is 0 whatever the
    /// number of cases, and an interval without width would promise what is not known.
    pub interval: Option<(f64, f64)>,
}

impl TwoByTwo {
    /// The number of cases.
    pub const fn n(&self) -> usize {
        self.both + self.first + self.second + self.neither
    }

    /// The share of cases on which the two agree, with Wilson's interval; `None` without cases.
    pub fn agreement(&self, level: f64) -> Option<Interval> {
        wilson(self.both + self.neither, self.n(), level)
    }

    /// Cohen's κ: (observed − expected) / (1 − expected), with what two judges of these rates would agree on by chance
    /// as expected (Cohen 1960); its interval by the large-sample error of Fleiss, Cohen and Everitt (1969).
    ///
    /// κ is low where nearly all cases have one verdict, however well the judges agree: read it beside [`ac1`](Self::ac1).
    /// `None` without cases, or where both give every case the same verdict: chance then explains all.
    pub fn kappa(&self, level: f64) -> Option<Agreement> {
        let Shares { n, p, rows, columns } = self.shares()?;
        let observed = p[0][0] + p[1][1];
        let expected = rows[0] * columns[0] + rows[1] * columns[1];
        if self.both == self.n() || self.neither == self.n() {
            return None;
        }
        let kappa = (observed - expected) / (1.0 - expected);
        let mut variance = -(kappa - expected * (1.0 - kappa)).powi(2);
        for i in 0..2 {
            variance += p[i][i] * (1.0 - (rows[i] + columns[i]) * (1.0 - kappa)).powi(2);
            variance += (1.0 - kappa).powi(2) * p[i][1 - i] * (columns[i] + rows[1 - i]).powi(2);
        }
        Some(self.agreement_measure(kappa, variance / (n * (1.0 - expected).powi(2)), quantile(level)?))
    }

    /// Gwet's AC1: as κ, with the chance that judges who guess agree as expected; its interval by Gwet's large-sample
    /// error for cases drawn from many (Gwet 2008, British Journal of Mathematical and Statistical Psychology 61).
    ///
    /// Unlike κ it stays meaningful where nearly all cases have one verdict. `None` without cases.
    pub fn ac1(&self, level: f64) -> Option<Agreement> {
        let Shares { n, p, rows, columns } = self.shares()?;
        let observed = p[0][0] + p[1][1];
        let mean = [f64::midpoint(rows[0], columns[0]), f64::midpoint(rows[1], columns[1])];
        let expected = 2.0 * mean[0] * mean[1];
        let ac1 = (observed - expected) / (1.0 - expected);
        let both = p[0][0] * (1.0 - mean[0]) + p[1][1] * (1.0 - mean[1]) - observed * expected;
        let mut spread = -expected.powi(2);
        for (i, row) in p.iter().enumerate() {
            for (j, share) in row.iter().enumerate() {
                spread += share * (1.0 - f64::midpoint(mean[i], mean[j])).powi(2);
            }
        }
        let missing = 1.0 - ac1;
        let variance = observed * (1.0 - observed) - 4.0 * missing * both + 4.0 * missing.powi(2) * spread;
        Some(self.agreement_measure(ac1, variance / (n * (1.0 - expected).powi(2)), quantile(level)?))
    }

    fn agreement_measure(&self, estimate: f64, variance: f64, z: f64) -> Agreement {
        let half = z * variance.max(0.0).sqrt();
        let differs = self.first + self.second > 0;
        let interval = differs.then(|| ((estimate - half).max(-1.0), (estimate + half).min(1.0)));
        Agreement { estimate, interval }
    }

    fn shares(&self) -> Option<Shares> {
        if self.n() == 0 {
            return None;
        }
        let n = as_f64(self.n());
        let share = |count| as_f64(count) / n;
        let p = [[share(self.both), share(self.first)], [share(self.second), share(self.neither)]];
        let rows = [p[0][0] + p[0][1], p[1][0] + p[1][1]];
        let columns = [p[0][0] + p[1][0], p[0][1] + p[1][1]];
        Some(Shares { n, p, rows, columns })
    }
}

/// A table as shares of all its cases, with the sums of its rows (the first judge's rates) and columns (the second's).
struct Shares {
    n: f64,
    p: [[f64; 2]; 2],
    rows: [f64; 2],
    columns: [f64; 2],
}

#[cfg(test)]
mod tests {
    use super::super::LEVEL;
    use super::*;

    fn table(both: usize, first: usize, second: usize, neither: usize) -> TwoByTwo {
        TwoByTwo { both, first, second, neither }
    }

    #[test]
    fn kappa_agrees_with_statsmodels() {
        let kappa = table(40, 6, 9, 45).kappa(LEVEL).unwrap();
        let (low, high) = kappa.interval.unwrap();
        assert!((kappa.estimate - 0.699_519_2).abs() < 5e-8, "{kappa:?}");
        assert!((low - 0.559_590_4).abs() < 1e-7 && (high - 0.839_448_2).abs() < 1e-7, "{kappa:?}");
    }

    #[test]
    fn kappa_falls_where_nearly_everything_passes_and_ac1_does_not() {
        let table = table(90, 3, 5, 2);
        let (kappa, ac1) = (table.kappa(LEVEL).unwrap(), table.ac1(LEVEL).unwrap());
        assert!((table.agreement(LEVEL).unwrap().estimate - 0.92).abs() < 1e-12);
        assert!((kappa.estimate - 0.292).abs() < 5e-4, "{kappa:?}");
        assert!((ac1.estimate - 0.910).abs() < 5e-4, "{ac1:?}");
        let ac1 = self::table(40, 6, 9, 45).ac1(LEVEL).unwrap();
        assert!((ac1.estimate - 0.700_748_1).abs() < 5e-8, "{ac1:?}");
    }

    /// The standard error by leaving out one case at a time, which needs no formula of variance.
    fn jackknife(table: TwoByTwo, measure: impl Fn(TwoByTwo) -> f64) -> f64 {
        let without = |cell: fn(&mut TwoByTwo) -> &mut usize| {
            let mut rest = table;
            let count = *cell(&mut rest);
            *cell(&mut rest) -= 1;
            (as_f64(count), measure(rest))
        };
        let parts = [
            without(|table| &mut table.both),
            without(|table| &mut table.first),
            without(|table| &mut table.second),
            without(|table| &mut table.neither),
        ];
        let n = as_f64(table.n());
        let mean = parts.iter().map(|(count, value)| count * value).sum::<f64>() / n;
        ((n - 1.0) / n * parts.iter().map(|(count, value)| count * (value - mean).powi(2)).sum::<f64>()).sqrt()
    }

    #[test]
    fn the_errors_of_kappa_and_ac1_are_those_of_the_jackknife() {
        for table in
            [table(400, 60, 90, 450), table(900, 30, 50, 20), table(20, 10, 300, 670), table(100, 200, 150, 50)]
        {
            type Measure = fn(&TwoByTwo, f64) -> Option<Agreement>;
            for measure in [TwoByTwo::kappa as Measure, TwoByTwo::ac1] {
                let (low, high) = measure(&table, LEVEL).unwrap().interval.unwrap();
                let error = (high - low) / 2.0 / quantile(LEVEL).unwrap();
                let expected = jackknife(table, |table| measure(&table, LEVEL).unwrap().estimate);
                assert!((error / expected - 1.0).abs() < 0.02, "{table:?}: {error} {expected}");
            }
        }
    }

    #[test]
    fn agreement_that_chance_explains_or_that_is_perfect_has_no_interval() {
        assert_eq!(table(0, 0, 0, 0).kappa(LEVEL), None);
        assert_eq!(table(0, 0, 0, 0).ac1(LEVEL), None);
        assert_eq!(table(0, 0, 0, 0).agreement(LEVEL), None);
        assert_eq!(table(0, 0, 0, 9).kappa(LEVEL), None);
        assert_eq!(table(0, 0, 0, 9).ac1(LEVEL), Some(Agreement { estimate: 1.0, interval: None }));
        assert_eq!(table(4, 0, 0, 9).kappa(LEVEL), Some(Agreement { estimate: 1.0, interval: None }));
    }

    #[test]
    fn agreement_is_a_number_within_its_interval_for_every_small_table() {
        for cells in 0..7_usize.pow(4) {
            let table = table(cells % 7, cells / 7 % 7, cells / 49 % 7, cells / 343);
            for agreement in [table.kappa(LEVEL), table.ac1(LEVEL)].into_iter().flatten() {
                assert!((-1.0..=1.0).contains(&agreement.estimate), "{table:?}: {agreement:?}");
                let Some((low, high)) = agreement.interval else { continue };
                assert!(low <= agreement.estimate && agreement.estimate <= high, "{table:?}: {agreement:?}");
            }
        }
    }
}
