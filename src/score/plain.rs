//! The properties that need no Japanese: `length`, `contains`, `not_contains`, `matches`, `not_matches`.
//!
//! Texts and patterns are looked for in the answer as it stands. `length` counts characters (Unicode scalar values)
//! without white space and gives that count as its value; the others give 1 or 0.

use std::ops::Range;

use super::{Evidence, Score, Subject};
use crate::property::{Pattern, Property};

/// The fewest characters that make an article.
pub const DEFAULT_MIN_CHARS: usize = 200;
/// The most characters that an article has.
pub const DEFAULT_MAX_CHARS: usize = 4000;

/// The number of characters of a text, white space left out.
pub fn count_chars(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

pub(super) fn length(subject: &Subject<'_>) -> Score {
    let min = subject.require.min_chars.unwrap_or(DEFAULT_MIN_CHARS);
    let max = subject.require.max_chars.unwrap_or(DEFAULT_MAX_CHARS);
    let count = count_chars(subject.passage.original);
    let reason = if count < min {
        Some(format!("{count} characters, at least {min} are required"))
    } else if count > max {
        Some(format!("{count} characters, at most {max} are allowed"))
    } else {
        None
    };
    #[expect(clippy::cast_precision_loss, reason = "texts are far shorter than 2^52 characters")]
    let value = Some(count as f64);
    Score { value, reason: reason.clone(), ..Score::binary(Property::Length, reason.is_none(), Vec::new()) }
}

pub(super) fn contains(subject: &Subject<'_>) -> Score {
    let wanted = subject.require.contains.as_deref().unwrap_or_default();
    let find = |text: &String| subject.passage.original.find(text.as_str()).map(|at| at..at + text.len());
    every(subject, Property::Contains, wanted.iter().map(|text| (text.clone(), find(text))).collect())
}

pub(super) fn matches(subject: &Subject<'_>) -> Score {
    let wanted = subject.require.matches.as_deref().unwrap_or_default();
    let find = |pattern: &Pattern| pattern.0.find(subject.passage.original).map(|found| found.range());
    every(
        subject,
        Property::Matches,
        wanted.iter().map(|pattern| (pattern.0.as_str().to_owned(), find(pattern))).collect(),
    )
}

pub(super) fn not_contains(subject: &Subject<'_>) -> Score {
    let unwanted = subject.require.not_contains.as_deref().unwrap_or_default();
    let find = |text: &String| subject.passage.original.find(text.as_str()).map(|at| at..at + text.len());
    none(subject, Property::NotContains, unwanted.iter().filter_map(find).collect())
}

pub(super) fn not_matches(subject: &Subject<'_>) -> Score {
    let unwanted = subject.require.not_matches.as_deref().unwrap_or_default();
    let find = |pattern: &Pattern| pattern.0.find(subject.passage.original).map(|found| found.range());
    none(subject, Property::NotMatches, unwanted.iter().filter_map(find).collect())
}

/// Passes if each of `wanted` was found; what is missing is evidence without a place.
fn every(subject: &Subject<'_>, property: Property, wanted: Vec<(String, Option<Range<usize>>)>) -> Score {
    let missing: Vec<String> =
        wanted.iter().filter(|(_, found)| found.is_none()).map(|(text, _)| text.clone()).collect();
    let evidence = wanted.into_iter().map(|(text, found)| match found {
        Some(range) => subject.evidence_in_original(&range, "found"),
        None => {
            Evidence { span: None, text, kind: "missing".into(), verdict: None, basis: None, why: None, waived: None }
        }
    });
    let reason = (!missing.is_empty()).then(|| format!("missing: {}", missing.join(", ")));
    Score { reason, ..Score::binary(property, missing.is_empty(), evidence.collect()) }
}

fn none(subject: &Subject<'_>, property: Property, found: Vec<Range<usize>>) -> Score {
    let evidence: Vec<Evidence> = found.iter().map(|range| subject.evidence_in_original(range, "found")).collect();
    Score::binary(property, found.is_empty(), evidence)
}
