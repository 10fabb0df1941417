//! Several variants at once: does any differ from the others? (Cochran's Q)

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::{Undefined, as_f64};

/// What Cochran's test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CochranQ {
    /// The statistic.
    pub q: f64,
    /// Its degrees of freedom: the variants less one.
    pub freedom: usize,
    /// How often equal variants would differ as much.
    pub p: f64,
}

/// Cochran's Q of pass or fail: a row a case, a column a variant.
///
/// # Errors
/// There are fewer than two variants, no cases, or none that tells the variants apart.
pub fn cochran_q(rows: &[Vec<bool>]) -> Result<CochranQ, Undefined> {
    let variants = rows.first().ok_or(Undefined::NoCases)?.len();
    if variants < 2 {
        return Err(Undefined::OneVariant);
    }
    if rows.iter().any(|row| row.len() != variants) {
        return Err(Undefined::Uneven);
    }
    let passed = |row: &Vec<bool>| row.iter().filter(|passed| **passed).count();
    let columns: Vec<usize> = (0..variants).map(|n| rows.iter().filter(|row| row[n]).count()).collect();
    let (k, total) = (as_f64(variants), as_f64(columns.iter().sum()));
    let spread: f64 = columns.iter().map(|passed| (as_f64(*passed) - total / k).powi(2)).sum();
    let within: usize = rows.iter().map(|row| passed(row) * (variants - passed(row))).sum();
    if within == 0 {
        return Err(Undefined::NoVariation);
    }
    let q = k * (k - 1.0) * spread / as_f64(within);
    let chi = ChiSquared::new(k - 1.0).map_err(|_| Undefined::OneVariant)?;
    Ok(CochranQ { q, freedom: variants - 1, p: chi.sf(q) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[&str]) -> Vec<Vec<bool>> {
        texts.iter().map(|text| text.chars().map(|c| c == '1').collect()).collect()
    }

    #[test]
    fn q_agrees_with_statsmodels() {
        let found = cochran_q(&rows(&["110", "111", "100", "111", "110", "000", "110", "101"])).unwrap();
        assert!((found.q - 4.8).abs() < 1e-12 && (found.p - 0.090_718_0).abs() < 5e-8, "{found:?}");
        assert_eq!(found.freedom, 2);
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        for (texts, why) in [
            (&[][..], Undefined::NoCases),
            (&["1", "0"], Undefined::OneVariant),
            (&["111", "000"], Undefined::NoVariation),
            (&["11", "1"], Undefined::Uneven),
        ] {
            assert_eq!(cochran_q(&rows(texts)), Err(why));
        }
    }
}
