//! What the same variant does when it is asked again: the noise against which a difference must be read.

use super::{Differences, Undefined, as_f64, sum};

/// How often two repeats of one case disagree, as the mean over cases; each case is given as passed and repeats.
///
/// # Errors
/// No case was asked twice.
pub fn flip_rate(cases: &[(usize, usize)]) -> Result<f64, Undefined> {
    if cases.iter().all(|(_, repeats)| *repeats == 0) {
        return Err(Undefined::NoCases);
    }
    let repeated = cases.iter().filter(|(passed, repeats)| *repeats >= 2 && passed <= repeats);
    let rates: Vec<f64> = repeated.map(|(passed, repeats)| disagreement(*passed, *repeats)).collect();
    if rates.is_empty() {
        return Err(Undefined::OneRepeat);
    }
    Ok(sum(rates.iter().copied()) / as_f64(rates.len()))
}

/// The share of pairs of repeats that disagree: twice the unbiased variance within the case.
fn disagreement(passed: usize, repeats: usize) -> f64 {
    let (passed, repeats) = (as_f64(passed), as_f64(repeats));
    2.0 * passed * (repeats - passed) / (repeats * (repeats - 1.0))
}

/// Where the uncertainty of a difference comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// The variance of the true difference between cases: more cases help.
    pub between: f64,
    /// The variance within a case of the base and of the candidate: more repeats help, too.
    pub within: [f64; 2],
    /// The repeats of the base and of the candidate.
    pub repeats: [usize; 2],
}

impl Components {
    /// Estimates both from the repeats of two variants; each case is given as passed and repeats, with both variants.
    ///
    /// # Errors
    /// A variant was asked once, or there are fewer than two cases.
    pub fn estimate(pairs: &[[(usize, usize); 2]]) -> Result<Self, Undefined> {
        let of = |side: usize| pairs.iter().map(|pair| pair[side]).collect::<Vec<_>>();
        let within = [flip_rate(&of(0))? / 2.0, flip_rate(&of(1))? / 2.0];
        let repeats = [0, 1].map(|side| pairs.iter().map(|pair| pair[side].1).max().unwrap_or(1).max(1));
        let share = |(passed, repeats): (usize, usize)| as_f64(passed) / as_f64(repeats);
        let differences =
            Differences::independent(pairs.iter().map(|[base, candidate]| share(*candidate) - share(*base)));
        let variance = differences.error()?.powi(2) * as_f64(differences.n());
        let chance = within[0] / as_f64(repeats[0]) + within[1] / as_f64(repeats[1]);
        Ok(Self { between: (variance - chance).max(0.0), within, repeats })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_that_disagree_are_counted_by_pairs() {
        assert_eq!(flip_rate(&[(3, 3), (0, 3)]), Ok(0.0));
        assert_eq!(flip_rate(&[(1, 2)]), Ok(1.0));
        assert!((flip_rate(&[(2, 3), (3, 3)]).unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(flip_rate(&[(1, 1), (0, 1)]), Err(Undefined::OneRepeat));
        assert_eq!(flip_rate(&[]), Err(Undefined::NoCases));
    }

    #[test]
    fn chance_and_difference_are_separated() {
        // Every case disagrees with itself as a coin does, and no case knows a difference.
        let noise = Components::estimate(&[[(1, 2), (1, 2)]; 8]).unwrap();
        assert_eq!((noise.between, noise.within), (0.0, [0.5, 0.5]));
        // No case disagrees with itself; half of them know a difference.
        let cases: Vec<_> = (0..8).map(|n| [(0, 2), if n % 2 == 0 { (2, 2) } else { (0, 2) }]).collect();
        let difference = Components::estimate(&cases).unwrap();
        assert_eq!(difference.within, [0.0, 0.0]);
        assert!((difference.between - 2.0 / 7.0).abs() < 1e-12);
        assert_eq!(Components::estimate(&[[(1, 1), (0, 1)]; 4]), Err(Undefined::OneRepeat));
    }
}
