//! Several tests at once: p values adjusted for the number of chances that were taken.

/// The p values of a family after adjustment.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjusted {
    /// In the order given; `None` where there was no p.
    pub p: Vec<Option<f64>>,
    /// How many p values the family has; those that are undefined are no part of it.
    pub family: usize,
}

/// Holm's adjustment: the chance that any of the family is a false alarm stays below the level.
pub fn holm(p: &[Option<f64>]) -> Adjusted {
    adjust(p, |ranked| {
        let mut largest: f64 = 0.0;
        let m = ranked.len();
        let steps = ranked.iter().enumerate().map(|(rank, p)| {
            largest = largest.max(p * (m - rank) as f64);
            largest.min(1.0)
        });
        steps.collect()
    })
}

/// The adjustment of Benjamini and Hochberg: among those called different, the share of false alarms stays below the
/// level.
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Adjusted {
    adjust(p, |ranked| {
        let mut smallest: f64 = 1.0;
        let m = ranked.len() as f64;
        let steps = ranked.iter().enumerate().rev().map(|(rank, p)| {
            smallest = smallest.min(p * m / (rank + 1) as f64);
            smallest
        });
        let mut adjusted: Vec<f64> = steps.collect();
        adjusted.reverse();
        adjusted
    })
}

fn adjust(p: &[Option<f64>], by_rank: impl Fn(&[f64]) -> Vec<f64>) -> Adjusted {
    let defined = |(place, p): (usize, &Option<f64>)| Some((place, p.filter(|p| p.is_finite())?));
    let mut ranked: Vec<(usize, f64)> = p.iter().enumerate().filter_map(defined).collect();
    ranked.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let values: Vec<f64> = ranked.iter().map(|(_, p)| *p).collect();
    let mut adjusted = vec![None; p.len()];
    for ((place, _), value) in ranked.iter().zip(by_rank(&values)) {
        adjusted[*place] = Some(value);
    }
    Adjusted { p: adjusted, family: ranked.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &Adjusted, expected: &[Option<f64>], family: usize) {
        assert_eq!(found.family, family);
        for (found, expected) in found.p.iter().zip(expected) {
            let near = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-12,
                (found, expected) => found == expected,
            };
            assert!(near, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn adjustments_agree_with_statsmodels() {
        let p = [0.01, 0.02, 0.03, 0.04, 0.2].map(Some);
        check(&holm(&p), &[0.05, 0.08, 0.09, 0.09, 0.2].map(Some), 5);
        check(&benjamini_hochberg(&p), &[0.05, 0.05, 0.05, 0.05, 0.2].map(Some), 5);
    }

    #[test]
    fn what_is_undefined_is_no_part_of_the_family() {
        let p = [Some(0.04), None, Some(f64::NAN), Some(0.01)];
        check(&holm(&p), &[Some(0.04), None, None, Some(0.02)], 2);
        check(&benjamini_hochberg(&p), &[Some(0.04), None, None, Some(0.02)], 2);
        check(&holm(&[]), &[], 0);
        check(&holm(&[Some(0.9), Some(0.8)]), &[Some(1.0), Some(1.0)], 2);
    }
}
