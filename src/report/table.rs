//! The rows and columns of a run: what the CSV files and the workbook show, before either puts it into its form.
//!
//! Promises stable column names, and that what is a number is told from what is a text: numbers stay numbers, texts are
//! hostile, and what is not known is an empty cell.

use std::borrow::Cow;
use std::io;

use crate::outcome::{Entry, Outcomes, Run, Status};
use crate::property::Property;
use crate::report::tally::{Required, Subject, Tally, is_truncated, method, tally};
use crate::score::{Basis, Evidence, Score, SpecificVerdict, Verdict};

/// The columns of a trial before the properties'.
const TRIAL_BEFORE: [&str; 5] = ["case", "prompt", "model", "repeat", "status"];

/// The columns of a trial after the properties'.
const TRIAL_AFTER: [&str; 12] = [
    "fabricated",
    "chars",
    "finish_reason",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "served_model",
    "error",
    "attempts",
    "cached",
    "latency_ms",
    "run",
];

/// The columns of a score.
pub(super) const SCORES: [&str; 13] = [
    "case", "prompt", "model", "repeat", "property", "verdict", "value", "reason", "evidence", "start", "end", "kind",
    "detail",
];

/// The columns of a summary.
pub(super) const SUMMARY: [&str; 12] = [
    "prompt", "model", "property", "trials", "passed", "failed", "unscored", "errored", "rate", "low", "high", "method",
];

/// The columns of a trial.
pub(super) fn trial_columns() -> Vec<&'static str> {
    let properties = Property::ALL.map(Property::name);
    TRIAL_BEFORE.into_iter().chain(properties).chain(TRIAL_AFTER).collect()
}

/// What stands in a row's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Nothing: not known, or not required.
    Empty,
    /// Words, perhaps a model's.
    Text(Cow<'a, str>),
    /// A number in plain notation.
    Number(String),
}

impl<'a> Cell<'a> {
    /// Words; none make an empty cell.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// Words that may be missing.
    fn text_if_any(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// A whole number that may be missing.
    pub(super) fn count<T: ToString>(number: Option<T>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.to_string()))
    }

    /// A measured number that may be missing.
    fn measured(number: Option<f64>) -> Self {
        let plain = number.map(|number| decimal(number, 6)).filter(|plain| !plain.is_empty());
        plain.map_or(Self::Empty, Self::Number)
    }
}

/// The row of a trial.
pub(super) fn trial_row<'a>(entry: &'a Entry, required: &Required<'_>, run: &'a Run) -> Vec<Cell<'a>> {
    let mut row = keys(entry).to_vec();
    row.push(Cell::text(entry.status.name()));
    let status_of = required.of_entry(entry);
    row.extend(Property::ALL.map(|property| Cell::text(verdict_name(status_of(Subject::Property(property))))));
    row.extend([
        Cell::count(entry.fabricated),
        Cell::count(entry.chars),
        Cell::text(entry.finish.name()),
        Cell::count(entry.usage.input_tokens),
        Cell::count(entry.usage.output_tokens),
        Cell::measured(entry.cost),
        Cell::text_if_any(entry.served_model.as_deref()),
        Cell::text_if_any(entry.error.as_deref()),
        Cell::count(Some(entry.attempts)),
        Cell::text(if entry.cached { "true" } else { "false" }),
        Cell::count(Some(entry.latency.as_millis())),
        Cell::text(run.header.name.as_str()),
    ]);
    row
}

/// Hands on a row for each trial and required property with its first piece of evidence, further ones in further rows.
///
/// The reason of a truncated answer's scores begins with `truncated answer`; where there is no answer to judge, the
/// verdict is empty (errored, skipped) or `unscored` (the model gave none) and the reason says why.
///
/// # Errors
/// `row` fails, or an outcome cannot be read.
pub(super) fn each_score_row(
    run: &Run,
    outcomes: &dyn Outcomes,
    row: &mut dyn FnMut(&[Cell<'_>]) -> io::Result<()>,
) -> io::Result<()> {
    let required = Required::of(run);
    for entry in &run.entries {
        let scores =
            if entry.verdicts.iter().any(Option::is_some) { outcomes.outcome(entry)?.scores } else { Vec::new() };
        let status_of = required.of_entry(entry);
        for property in Property::ALL {
            let Some(status) = status_of(Subject::Property(property)) else { continue };
            match scores.iter().find(|score| score.property == property) {
                Some(score) => each_evidence_row(entry, score, row)?,
                None => row(&missing_score_row(entry, property, status))?,
            }
        }
    }
    Ok(())
}

fn each_evidence_row(
    entry: &Entry,
    score: &Score,
    row: &mut dyn FnMut(&[Cell<'_>]) -> io::Result<()>,
) -> io::Result<()> {
    let mut cells = keys(entry).to_vec();
    cells.extend([
        Cell::text(score.property.name()),
        Cell::text(score.verdict.name()),
        Cell::measured(score.value),
        Cell::text(reason(entry, score.reason.as_deref().unwrap_or_default())),
    ]);
    let shared = cells.len();
    if score.evidence.is_empty() {
        cells.resize(SCORES.len(), Cell::Empty);
        return row(&cells);
    }
    for evidence in &score.evidence {
        cells.truncate(shared);
        cells.extend(evidence_cells(evidence));
        row(&cells)?;
    }
    Ok(())
}

fn missing_score_row(entry: &Entry, property: Property, status: Status) -> Vec<Cell<'_>> {
    let why = entry.error.as_deref().unwrap_or_else(|| entry.finish.name());
    let why = match status {
        Status::Undecided => format!("no answer: {why}"),
        _ if why.is_empty() => status.name().to_owned(),
        _ => format!("{}: {why}", status.name()),
    };
    let mut row = keys(entry).to_vec();
    row.extend([Cell::text(property.name()), Cell::text(verdict_name(Some(status))), Cell::Empty, Cell::text(why)]);
    row.resize(SCORES.len(), Cell::Empty);
    row
}

fn reason<'a>(entry: &Entry, reason: &'a str) -> Cow<'a, str> {
    match (is_truncated(entry), reason) {
        (false, _) => Cow::Borrowed(reason),
        (true, "") => Cow::Borrowed("truncated answer"),
        (true, _) => Cow::Owned(format!("truncated answer; {reason}")),
    }
}

fn evidence_cells(evidence: &Evidence) -> [Cell<'_>; 5] {
    let waiver = evidence.waived.as_ref().map(|reason| format!("waived: {reason}"));
    let parts = [
        evidence.verdict.map(SpecificVerdict::name),
        evidence.basis.map(Basis::name),
        evidence.why.as_deref(),
        waiver.as_deref(),
    ];
    let detail: Vec<&str> = parts.into_iter().flatten().collect();
    [
        Cell::text(evidence.text.as_str()),
        Cell::count(evidence.span.map(|span| span.start)),
        Cell::count(evidence.span.map(|span| span.end)),
        Cell::text(evidence.kind.as_ref()),
        Cell::text(detail.join(" · ")),
    ]
}

/// A row for each variant and property, `all` (the trials' statuses) first.
///
/// The counts are of trials; skipped ones are in `trials` alone. The rate is of those that passed or failed, with
/// Wilson's 95 % interval. With repeats it is over cases, of which one passes if all its repeats pass and fails if any
/// fails; `method` says which of the two.
pub(super) fn summary_rows(run: &Run) -> Vec<[Cell<'_>; SUMMARY.len()]> {
    let method = method(run);
    let mut rows = Vec::new();
    for variant in tally(run) {
        for (subject, tally) in &variant.subjects {
            rows.push(summary_row(variant.prompt.as_str(), variant.model.as_str(), *subject, tally, method));
        }
    }
    rows
}

/// What a subject of a variant came to.
pub(super) fn summary_row<'a>(
    prompt: &'a str,
    model: &'a str,
    subject: Subject,
    tally: &Tally,
    method: &'a str,
) -> [Cell<'a>; SUMMARY.len()] {
    let rate = tally.rate();
    [
        Cell::text(prompt),
        Cell::text(model),
        Cell::text(subject.name()),
        Cell::count(Some(tally.trials())),
        Cell::count(Some(tally.count(Status::Passed))),
        Cell::count(Some(tally.count(Status::Failed))),
        Cell::count(Some(tally.count(Status::Undecided))),
        Cell::count(Some(tally.count(Status::Errored))),
        Cell::measured(rate.map(|rate| rate.estimate)),
        Cell::measured(rate.map(|rate| rate.low)),
        Cell::measured(rate.map(|rate| rate.high)),
        rate.map_or(Cell::Empty, |_| Cell::text(method)),
    ]
}

fn keys(entry: &Entry) -> [Cell<'_>; 4] {
    let trial = &entry.trial;
    [
        Cell::text(trial.case.as_str()),
        Cell::text(trial.prompt.as_str()),
        Cell::text(trial.model.as_str()),
        Cell::count(Some(trial.repeat)),
    ]
}

/// A property's cell: empty unless it is required and there was something to judge.
const fn verdict_name(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed) => Verdict::Pass.name(),
        Some(Status::Failed) => Verdict::Fail.name(),
        Some(Status::Undecided) => Verdict::Unscored.name(),
        Some(Status::Errored | Status::Skipped) | None => "",
    }
}

/// A number in plain notation with up to `digits` significant decimals; empty if it is none.
pub(super) fn decimal(number: f64, digits: i32) -> String {
    if !number.is_finite() {
        return String::new();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of an f64 lies within ±324")]
    let exponent = number.abs().log10().floor() as i32;
    let places = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    let plain = format!("{number:.places$}");
    if places == 0 { plain } else { plain.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of a table of docs/columns.md, and those of them that are volatile.
    fn documented(heading: &str) -> (Vec<&'static str>, Vec<&'static str>) {
        let text = include_str!("../../docs/columns.md");
        let part = text.split("\n#").find_map(|part| part.trim_start_matches('#').strip_prefix(heading)).unwrap();
        let rows: Vec<Vec<&str>> = part
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .map(|row| row.split(" | ").map(|cell| cell.trim_end_matches(" |").trim_matches('`')).collect())
            .collect();
        assert!(rows.iter().all(|row| row.len() == 5 || row.len() == 4), "{rows:?}");
        let volatile = rows.iter().filter(|row| row.last() == Some(&"volatile")).map(|row| row[0]);
        (rows.iter().map(|row| row[0]).collect(), volatile.collect())
    }

    #[test]
    fn the_documented_columns_are_those_of_the_files() {
        let volatile = ["attempts", "cached", "latency_ms", "run"];
        assert_eq!(documented(" metrics.csv"), (trial_columns(), volatile.to_vec()));
        assert_eq!(documented(" scores.csv"), (SCORES.to_vec(), vec![]));
        assert_eq!(documented(" summary.csv"), (SUMMARY.to_vec(), vec![]));
        assert_eq!(documented(" disagreements"), (crate::report::xlsx::DISAGREEMENTS.to_vec(), vec![]));
    }

    #[test]
    fn headers_are_unique() {
        for header in [&trial_columns()[..], &SCORES, &SUMMARY] {
            let mut names = header.to_vec();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), header.len());
        }
    }

    #[test]
    fn decimals_are_plain_and_short() {
        for (number, plain) in [
            (0.0, "0"),
            (1.0, "1"),
            (-5.0, "-5"),
            (0.000_123_456_7, "0.000123457"),
            (0.000_000_01, "0.00000001"),
            (12.5, "12.5"),
            (2.0 / 3.0, "0.666667"),
            (1_234_567.8, "1234568"),
            (100.0, "100"),
            (f64::NAN, ""),
            (f64::INFINITY, ""),
        ] {
            assert_eq!(decimal(number, 6), plain);
        }
    }
}
