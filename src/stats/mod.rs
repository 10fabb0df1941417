//! Statistics: how far a share observed in few cases can be trusted, and whether two variants differ.
//!
//! Promises pure functions in which undefined is never 0 or NaN, but `None`, or [`Undefined`] with the reason. The unit of
//! inference is the case, or the cluster of cases made from one source, never the trial. The order of cases changes no
//! result; swapping two variants mirrors estimates and intervals exactly and leaves p.

mod agreement;
mod difference;
mod family;
mod flips;
mod noise;
mod power;
mod rate;
mod several;
mod sign_flip;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

pub use agreement::{Agreement, TwoByTwo};
pub use difference::Differences;
pub use family::{Adjusted, benjamini_hochberg, holm};
pub use flips::{Flips, McNemar};
pub use noise::{Components, flip_rate};
pub use power::{DEFAULT_FLIPS, Means, POWER, Reading, cases_needed, detectable, fewest_cases, power};
pub use rate::{clopper_pearson, wilson, wilson_of_sources};
pub use several::{CochranQ, cochran_q};
pub use sign_flip::SignFlip;

/// The level of every interval in reports: 95 %, two-sided.
pub const LEVEL: f64 = 0.95;

/// The chance of calling equal variants different that tests are held to.
pub const ALPHA: f64 = 0.05;

/// An estimate with the interval that plausibly holds the true value: shares in 0..=1, or differences in -1..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// What was observed.
    pub estimate: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Interval {
    /// The interval of the mirrored quantity.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self { estimate: -self.estimate, low: -self.high, high: -self.low }
    }
}

/// Why a figure does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Undefined {
    /// Nothing was counted.
    #[error("no case could be compared")]
    NoCases,
    /// One case says nothing of how cases vary.
    #[error("one case says nothing of how cases vary")]
    OneCase,
    /// All cases come from one source.
    #[error("all cases come from one source: how sources vary is unknown")]
    OneCluster,
    /// Some variant has another number of cases than the others.
    #[error("the variants were not asked the same cases")]
    Uneven,
    /// There are fewer than two variants.
    #[error("there are fewer than two variants")]
    OneVariant,
    /// No case tells the variants apart.
    #[error("no case tells the variants apart")]
    NoVariation,
    /// Each question was asked once.
    #[error("each question was asked once: chance and difference cannot be separated")]
    OneRepeat,
    /// No difference could be found with so few cases, or none of this size exists.
    #[error("out of reach: not even if every change went one way")]
    OutOfReach,
    /// A parameter is outside of what makes sense.
    #[error("a parameter is out of range")]
    OutOfRange,
}

/// The normal quantile that a two-sided `level` leaves half of the rest above; `None` outside of 0..1.
fn quantile(level: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then(|| Normal::standard().inverse_cdf(f64::midpoint(1.0, level)))
}

/// The same of Student's t with `freedom` degrees of freedom.
fn t_quantile(level: f64, freedom: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then(|| Some(student(freedom)?.inverse_cdf(f64::midpoint(1.0, level))))?
}

fn student(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

#[expect(clippy::cast_precision_loss, reason = "counts of trials are far below 2^52")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}

/// The sum in an order that neither the order of cases nor the sign of all values changes.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut positive, mut negative): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for value in values {
        if value > 0.0 { positive.push(value) } else { negative.push(-value) }
    }
    let total = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.into_iter().sum::<f64>()
    };
    total(positive) - total(negative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_depend_on_order_and_mirrors_exactly() {
        let values = [0.1, -0.7, 0.3, 1e-9, -0.2, 0.333_333_333];
        let mut backwards = values;
        backwards.reverse();
        let total = sum(values.into_iter());
        assert_eq!(total, sum(backwards.into_iter()));
        assert_eq!(total, -sum(values.into_iter().map(|value| -value)));
        assert_eq!(sum(std::iter::empty()), 0.0);
    }
}
