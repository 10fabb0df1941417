//! What a run may spend on servers, and what it has spent.
//!
//! Promises sums that do not depend on their order, and that a count which is not known is never taken for none. Leaves
//! what a trial may take to `trial`, and holding requests back to `engine`.

use std::fmt;
use std::ops::{Add, AddAssign, SubAssign};

use crate::model::Price;
use crate::response::Usage;

/// The most that a run may spend on servers; what is `None` has no bound.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    /// US dollars.
    pub max_cost: Option<f64>,
    /// Requests, those that fail included.
    pub max_requests: Option<u64>,
    /// Tokens, of prompts and answers together.
    pub max_tokens: Option<u64>,
}

/// Which bound of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// US dollars.
    Cost,
    /// Requests.
    Requests,
    /// Tokens.
    Tokens,
}

impl Bound {
    /// The name of its key in `[run]`; its flag has hyphens.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Cost => "max_cost",
            Self::Requests => "max_requests",
            Self::Tokens => "max_tokens",
        }
    }
}

impl Budget {
    /// Whether it matters how long answers are.
    pub const fn bounds_answers(&self) -> bool {
        self.max_cost.is_some() || self.max_tokens.is_some()
    }

    /// The first bound that `spending` passes, and how much that is.
    pub fn passed_by(&self, spending: &Spending) -> Option<(Bound, f64)> {
        let whole = |most: Option<u64>, spent: u64| most.filter(|most| spent > *most).map(|most| most as f64);
        let cost = self.max_cost.filter(|most| spending.picodollars > picodollars(*most));
        let requests = whole(self.max_requests, spending.requests);
        let tokens = whole(self.max_tokens, spending.tokens);
        [(Bound::Cost, cost), (Bound::Requests, requests), (Bound::Tokens, tokens)]
            .into_iter()
            .find_map(|(bound, passed)| Some((bound, passed?)))
    }
}

/// What was spent on servers, or is going to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spending {
    /// Requests.
    pub requests: u64,
    /// Tokens, of prompts and answers together.
    pub tokens: u64,
    /// Of the requests, those whose tokens are an estimate: no count came with what was sent back.
    pub estimated: u64,
    /// Whole numbers, whose sums are the same in any order.
    picodollars: u64,
}

impl Spending {
    /// One request with these counts; `None` if one of them is not known. Without a price it costs nothing that is known.
    pub fn of(usage: &Usage, price: Option<Price>) -> Option<Self> {
        let tokens = usage.input_tokens?.saturating_add(usage.output_tokens?);
        let cost = price.and_then(|price| price.cost(usage)).unwrap_or(0.0);
        Some(Self { requests: 1, tokens, estimated: 0, picodollars: picodollars(cost) })
    }

    /// The same as an estimate.
    #[must_use]
    pub fn estimated(self) -> Self {
        Self { estimated: self.requests, ..self }
    }

    /// So many requests that were answered with nothing that is paid for.
    pub fn requests(requests: u64) -> Self {
        Self { requests, ..Self::default() }
    }

    /// US dollars.
    pub fn dollars(&self) -> f64 {
        self.picodollars as f64 / PICO
    }
}

/// So many parts has a dollar: a token may cost some billionths.
const PICO: f64 = 1e12;

#[expect(clippy::cast_sign_loss, reason = "no price is negative, and the conversion saturates")]
fn picodollars(dollars: f64) -> u64 {
    (dollars * PICO).round() as u64
}

impl Add for Spending {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
            estimated: self.estimated.saturating_add(other.estimated),
            picodollars: self.picodollars.saturating_add(other.picodollars),
        }
    }
}

impl AddAssign for Spending {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Spending {
    fn sub_assign(&mut self, other: Self) {
        *self = Self {
            requests: self.requests.saturating_sub(other.requests),
            tokens: self.tokens.saturating_sub(other.tokens),
            estimated: self.estimated.saturating_sub(other.estimated),
            picodollars: self.picodollars.saturating_sub(other.picodollars),
        };
    }
}

impl std::iter::Sum for Spending {
    fn sum<I: Iterator<Item = Self>>(spendings: I) -> Self {
        spendings.fold(Self::default(), Self::add)
    }
}

/// A sum of money in US dollars: cents from one dollar on, below that two digits that mean something, and four places at
/// least.
#[derive(Debug, Clone, Copy)]
pub struct Dollars(pub f64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = match self.0 {
            0.0 => 0,
            dollars if dollars >= 1.0 => 2,
            #[expect(clippy::cast_sign_loss, reason = "the logarithm of a part of a dollar is negative")]
            dollars => ((1.0 - dollars.log10().floor()) as usize).clamp(4, 12),
        };
        f.pad(&format!("{:.places$}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price { input: 1.0, output: 10.0, cached_input: None, valid_until: None };

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() }
    }

    #[test]
    fn a_bound_is_passed_by_more_than_it_and_not_by_as_much() {
        let spent = Spending::of(&usage(100, 90), Some(PRICE)).unwrap();
        assert_eq!((spent.requests, spent.tokens, spent.dollars()), (1, 190, 0.001));
        let ten: Spending = std::iter::repeat_n(spent, 10).sum();
        for (budget, passed) in [
            (Budget::default(), None),
            (Budget { max_cost: Some(0.01), ..Budget::default() }, None),
            (Budget { max_cost: Some(0.009_999), ..Budget::default() }, Some(Bound::Cost)),
            (Budget { max_requests: Some(10), ..Budget::default() }, None),
            (Budget { max_requests: Some(9), ..Budget::default() }, Some(Bound::Requests)),
            (Budget { max_tokens: Some(1_900), ..Budget::default() }, None),
            (Budget { max_tokens: Some(1_899), ..Budget::default() }, Some(Bound::Tokens)),
        ] {
            assert_eq!(budget.passed_by(&ten).map(|(bound, _)| bound), passed, "{budget:?}");
        }
    }

    #[test]
    fn what_has_no_counts_has_no_known_spending() {
        let unknown = Usage { output_tokens: None, ..usage(1, 1) };
        assert_eq!(Spending::of(&unknown, Some(PRICE)), None);
        assert_eq!(Spending::of(&usage(1, 1), None).unwrap().dollars(), 0.0);
    }

    #[test]
    fn money_has_the_digits_that_mean_something() {
        for (dollars, shown) in [
            (0.0, "0"),
            (12.345, "12.35"),
            (1.0, "1.00"),
            (0.5, "0.5000"),
            (0.0417, "0.0417"),
            (0.000_123, "0.00012"),
            (0.000_000_34, "0.00000034"),
        ] {
            assert_eq!(Dollars(dollars).to_string(), shown);
        }
    }
}
