//! Comparisons for people and programs: sentences that need no statistics to be understood, JSON,
//! Markdown, a page.
//!
//! Promises that "not significant" is never said as "the same", that each figure stands beside its range, and that
//! nothing undefined is shown as a number.

mod html;
mod json;
mod markdown;
mod sentence;

use crate::compare::{Compared, Comparison};
use crate::outcome::Subject;

pub use html::write_html;
pub(crate) use json::cases;
pub use json::write_json;
pub use markdown::{MOST_BYTES, write_markdown};
pub(crate) use markdown::{adjustment, measure, row};
pub(crate) use sentence::{Sentences, sentences};

/// A comparison with the names of its sides.
#[derive(Debug, Clone)]
pub struct Titled<'a> {
    /// The base, as `RUN::PROMPT@MODEL` or shorter.
    pub base: String,
    /// The candidate.
    pub candidate: String,
    /// What was found.
    pub comparison: &'a Comparison,
    /// Of several variants taken together, each by itself.
    pub parts: Vec<Titled<'a>>,
}

/// The subjects worth a sentence of their own: the one that was declared to decide, and those that moved.
pub(crate) fn telling(comparison: &Comparison) -> impl Iterator<Item = &Compared> {
    let primary = comparison.options.primary;
    comparison.subjects.iter().filter(move |compared| compared.subject == primary || moved(compared))
}

/// Whether the interval alone speaks for a change.
pub(crate) fn moved(compared: &Compared) -> bool {
    use crate::compare::Verdict::{Better, Worse, WorseByMore};
    matches!(compared.verdict, Some(Better | Worse | WorseByMore))
}

/// The properties that moved, and of how many.
pub(crate) fn movement(comparison: &Comparison) -> (usize, usize) {
    let properties =
        || comparison.subjects.iter().filter(|compared| compared.subject != Subject::All && compared.n > 0);
    (properties().filter(|compared| moved(compared)).count(), properties().count())
}

/// Points with a sign: `+9`, `−0.4`, `0`.
pub(crate) fn signed(share: f64) -> String {
    let sign = if share > 0.0 {
        "+"
    } else if share < 0.0 {
        "−"
    } else {
        ""
    };
    let points = points(share);
    if points == "0" { points } else { format!("{sign}{points}") }
}

/// Points without a sign, with a decimal where they are few.
pub(crate) fn points(share: f64) -> String {
    let points = share.abs() * 100.0;
    if (0.05..1.0).contains(&points) { format!("{points:.1}") } else { format!("{points:.0}") }
}

/// A p as it is read: three decimals, or below .001.
pub(crate) fn p_in_words(p: f64) -> String {
    if p < 0.001 { "<.001".to_owned() } else { format!("{p:.3}").trim_start_matches('0').to_owned() }
}
