//! Where intervals and tests come from, and how many cases each needs to show anything.

use crate::stats::{Differences, Flips, Interval, Undefined, fewest_cases};

/// Where an interval comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Tango's score interval: one repeat, cases of different sources.
    Tango,
    /// The guarded t interval over case means.
    CaseMeans,
    /// The same with errors robust against clusters: cases that share a source.
    Clusters,
}

impl Method {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tango => "tango",
            Self::CaseMeans => "t-case-means-guarded",
            Self::Clusters => "t-clusters-guarded",
        }
    }
}

/// Where a p comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PMethod {
    /// McNemar's mid-p.
    McNemarMid,
    /// Student's t over case means or clusters; the sign-flip test had a smaller p.
    T,
    /// The sign-flip test; t had a smaller p, or none.
    SignFlip,
}

impl PMethod {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::McNemarMid => "mcnemar-mid",
            Self::T => "paired-t",
            Self::SignFlip => "sign-flip",
        }
    }
}

impl Method {
    /// The one for so many cases from so many sources, asked so often.
    pub const fn of(cases: usize, sources: usize, repeats: u32) -> Self {
        match (sources < cases, repeats <= 1) {
            (true, _) => Self::Clusters,
            (false, true) => Self::Tango,
            (false, false) => Self::CaseMeans,
        }
    }

    /// Whether so many cases from so many sources are too few to rule out a drop at a two-sided level, even if no verdict
    /// changes.
    pub fn is_too_few_for(self, drop: f64, cases: usize, sources: usize, level: f64) -> Option<TooFew> {
        let rules_out = |unchanged: Result<Interval, Undefined>| unchanged.is_ok_and(|range| range.low > -drop);
        if cases == 0 || rules_out(self.unchanged(cases, sources, level)) {
            return None;
        }
        let needed = fewest_cases(|n| rules_out(self.unchanged(n, n, level)));
        Some(TooFew { cases: cases.min(sources), needed })
    }

    /// The interval over so many cases of which none changes.
    fn unchanged(self, cases: usize, clusters: usize, level: f64) -> Result<Interval, Undefined> {
        match self {
            Self::Tango => Flips { both: cases, ..Flips::default() }.tango(level),
            Self::CaseMeans | Self::Clusters => {
                let size = cases.div_ceil(clusters.max(1));
                Differences::new(vec![vec![0.0; size]; clusters]).guarded_interval(level)
            }
        }
    }
}

/// How p was adjusted for the number of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Holm: the subject that was declared to decide.
    Holm,
    /// Benjamini and Hochberg: exploration.
    BenjaminiHochberg,
}

impl Adjustment {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holm => "holm",
            Self::BenjaminiHochberg => "benjamini-hochberg",
        }
    }
}

/// Too few cases to show what is asked for, whatever comes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFew {
    /// How many there are; of those that share a source, one.
    pub cases: usize,
    /// How many of different sources would do; `None` if none would.
    pub needed: Option<usize>,
}
