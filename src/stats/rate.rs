//! One rate: the share of cases that passed, with the interval that its few cases allow.

use statrs::distribution::{Beta, ContinuousCDF};

use super::{Interval, as_f64, quantile};

/// Wilson's score interval for `passed` of `n` independent cases at a two-sided `level`, such as [`LEVEL`](super::LEVEL).
///
/// Unlike the textbook interval it holds its level for few cases and for rates near 0 and 1. Repeats of one case are
/// not independent: count cases, not trials. `None` if nothing was counted, more passed than were counted, or the level
/// does not lie between 0 and 1.
pub fn wilson(passed: usize, n: usize, level: f64) -> Option<Interval> {
    if n == 0 || passed > n {
        return None;
    }
    score_interval(as_f64(passed) / as_f64(n), as_f64(n), level)
}

/// The same for `passed` of `n` cases that come from so many `sources`: as if each source were one case. Cases of one
/// source often pass or fail together; how often, a few sources do not tell, so the cautious end is taken.
pub fn wilson_of_sources(passed: usize, n: usize, sources: usize, level: f64) -> Option<Interval> {
    if n == 0 || passed > n || sources == 0 {
        return None;
    }
    score_interval(as_f64(passed) / as_f64(n), as_f64(sources.min(n)), level)
}

fn score_interval(share: f64, n: f64, level: f64) -> Option<Interval> {
    let z = quantile(level)?;
    let scale = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / scale;
    let half = z / scale * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    // At 0 and n the ends are 0 and 1 exactly; rounding would leave a trace such as 1e-17.
    let low = if share == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if share >= 1.0 { 1.0 } else { (centre + half).min(1.0) };
    Some(Interval { estimate: share, low, high })
}

/// The interval of Clopper and Pearson for `passed` of `n` cases: never below its level, therefore wider than
/// [`wilson`]'s. `None` as there.
pub fn clopper_pearson(passed: usize, n: usize, level: f64) -> Option<Interval> {
    if n == 0 || passed > n || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let tail = (1.0 - level) / 2.0;
    let (passed, n) = (as_f64(passed), as_f64(n));
    let low = if passed == 0.0 { 0.0 } else { Beta::new(passed, n - passed + 1.0).ok()?.inverse_cdf(tail) };
    let high = if passed >= n { 1.0 } else { Beta::new(passed + 1.0, n - passed).ok()?.inverse_cdf(1.0 - tail) };
    Some(Interval { estimate: passed / n, low, high })
}

#[cfg(test)]
mod tests {
    use super::super::LEVEL;
    use super::*;

    #[test]
    fn wilson_agrees_with_statsmodels() {
        for (passed, n, low, high) in [
            (0, 20, 0.0, 0.161_125),
            (20, 20, 0.838_875, 1.0),
            (17, 20, 0.639_581, 0.947_631),
            (45, 50, 0.786_398, 0.956_524),
        ] {
            let interval = wilson(passed, n, LEVEL).unwrap();
            assert!((interval.low - low).abs() < 5e-7, "{passed}/{n}: {interval:?}");
            assert!((interval.high - high).abs() < 5e-7, "{passed}/{n}: {interval:?}");
        }
    }

    #[test]
    fn cases_of_one_source_count_as_one() {
        assert_eq!(wilson_of_sources(20, 20, 20, LEVEL), wilson(20, 20, LEVEL));
        let few = wilson_of_sources(120, 120, 3, LEVEL).unwrap();
        let three = wilson(3, 3, LEVEL).unwrap();
        assert_eq!((few.low, few.high), (three.low, three.high));
        assert_eq!(wilson_of_sources(0, 0, 0, LEVEL), None);
    }

    #[test]
    fn nothing_counted_has_no_rate() {
        assert_eq!(wilson(0, 0, LEVEL), None);
        assert_eq!(wilson(2, 1, LEVEL), None);
        for level in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(wilson(1, 2, level), None);
        }
    }

    #[test]
    fn an_interval_holds_its_estimate_and_ends_exactly_at_0_and_1() {
        for n in 1..=200 {
            for passed in 0..=n {
                let Interval { estimate, low, high } = wilson(passed, n, LEVEL).unwrap();
                assert!(0.0 <= low && low <= estimate && estimate <= high && high <= 1.0, "{passed}/{n}");
            }
            assert_eq!(wilson(0, n, LEVEL).unwrap().low.to_bits(), 0.0_f64.to_bits());
            assert_eq!(wilson(n, n, LEVEL).unwrap().high.to_bits(), 1.0_f64.to_bits());
        }
    }

    #[test]
    fn failing_mirrors_passing() {
        let (passing, failing) = (wilson(17, 20, LEVEL).unwrap(), wilson(3, 20, LEVEL).unwrap());
        assert!((passing.low - (1.0 - failing.high)).abs() < 1e-12);
        assert!((passing.high - (1.0 - failing.low)).abs() < 1e-12);
    }

    #[test]
    fn clopper_pearson_agrees_with_statsmodels() {
        for (passed, n, low, high) in [
            (0, 20, 0.0, 0.168_433),
            (20, 20, 0.831_567, 1.0),
            (17, 20, 0.621_073, 0.967_929),
            (45, 50, 0.781_865, 0.966_725),
        ] {
            let interval = clopper_pearson(passed, n, LEVEL).unwrap();
            assert!((interval.low - low).abs() < 5e-7, "{passed}/{n}: {interval:?}");
            assert!((interval.high - high).abs() < 5e-7, "{passed}/{n}: {interval:?}");
        }
        assert_eq!(clopper_pearson(0, 0, LEVEL), None);
        assert_eq!(clopper_pearson(1, 2, f64::NAN), None);
    }
}
