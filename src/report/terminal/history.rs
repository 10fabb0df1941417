//! Runs over time on a terminal: each variant's runs, the oldest first.

use std::io::{self, Write};

use super::layout::{Align, Cell, Column, Label, write_columns};
use super::{QUIET, TITLE, TerminalOptions, write_lines};
use crate::outcome::{Status, Subject};
use crate::report::history::{PastRun, PastVariant};
use crate::report::tally::status_name;

/// Writes a table: for each variant a line a run.
///
/// # Errors
/// `out` cannot be written.
pub fn write_history(
    runs: &[PastRun],
    subject: Subject,
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (words, mut text) = (options.lang.words(), Vec::new());
    writeln!(text, "{}", options.paint(TITLE, &(words.history_title)(runs.len(), subject.name())))?;
    let lines = lines(runs, subject);
    let mut last = None;
    let labels = lines.iter().map(|(run, variant)| {
        let name = variant.name();
        let group = (last.as_ref() != Some(&name)).then(|| name.clone());
        last = Some(name);
        Label { group, text: run.name.clone() }
    });
    let labels: Vec<Label> = labels.collect();
    let count = |status: Status| {
        let cells = lines.iter().map(|(_, variant)| {
            let count = variant.tally(subject).map_or(0, |tally| tally.count(status));
            Cell::plain(count.to_string())
        });
        Column::new("", status_name(subject, status, words), cells)
    };
    let started = lines.iter().map(|(run, _)| Cell { text: minute(run), style: QUIET });
    let rates = lines.iter().map(|(_, variant)| {
        Cell::plain(variant.tally(subject).map_or("–".to_owned(), |tally| tally.rate_in_words(words)))
    });
    let scorers = lines.iter().map(|(run, _)| Cell::plain(run.scorer_version.to_string()));
    let plans = lines.iter().map(|(run, _)| Cell::plain(run.plan_digest.chars().take(6).collect()));
    let mut columns = vec![Column::new("", words.history_started, started).aligned(Align::Left)];
    let shown = |status: &Status| {
        *status == Status::Passed || *status == Status::Failed || {
            let has_any = |(_, variant): &(&PastRun, &PastVariant)| {
                variant.tally(subject).is_some_and(|tally| tally.count(*status) > 0)
            };
            lines.iter().any(has_any)
        }
    };
    columns.extend(Status::ALL.into_iter().filter(shown).map(count));
    columns.push(Column::new("", words.terminal_rate, rates).aligned(Align::Left));
    columns.push(Column::new("", words.history_plan, plans).aligned(Align::Left));
    let differs = runs.windows(2).any(|pair| pair[0].scorer_version != pair[1].scorer_version);
    columns.extend(differs.then(|| Column::new("", words.history_scorers, scorers)));
    write_columns(&labels, &columns, options, &mut text)?;
    if differs {
        writeln!(text, "\n{}", words.history_other_scorers)?;
    }
    write_lines(&text, out)
}

/// The lines of the table: variants in the order in which the newest run has them, then those that it has not.
fn lines(runs: &[PastRun], subject: Subject) -> Vec<(&PastRun, &PastVariant)> {
    let mut names: Vec<(&PastVariant, String)> = Vec::new();
    for variant in runs.iter().rev().flat_map(|run| &run.variants) {
        let name = variant.name();
        if names.iter().all(|(_, known)| *known != name) {
            names.push((variant, name));
        }
    }
    let of = |(variant, _): (&'_ PastVariant, String)| {
        let found = runs.iter().filter_map(move |run| Some((run, run.variant(&variant.prompt, &variant.model)?)));
        found.filter(|(_, variant)| variant.tally(subject).is_some()).collect::<Vec<_>>()
    };
    names.into_iter().flat_map(of).collect()
}

/// When a run began, to the minute, in UTC.
fn minute(run: &PastRun) -> String {
    run.started_at.to_string().chars().take(16).collect::<String>().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, TrialBuilder};

    fn written(runs: &[PastRun], subject: Subject) -> String {
        let mut out = Vec::new();
        write_history(runs, subject, TerminalOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn past(name: &str, models: &[&str], judge: fn(TrialBuilder) -> TrialBuilder) -> PastRun {
        let mut run = RunBuilder::new(&["p"], models).case("a", judge).case("b", |trial| trial.pass("length")).build();
        run.header.name = name.to_owned();
        PastRun::of(&run)
    }

    #[test]
    fn each_variant_shows_its_runs() {
        let runs =
            [
                past("first", &["m"], |trial| trial.fail("length")),
                past("second", &["m", "n"], |trial| {
                    if trial.asks("m") { trial.pass("length") } else { trial.unscored("length") }
                }),
            ];
        insta::assert_snapshot!(written(&runs, Subject::All), @r"
        2 runs, rates of all
                  started (UTC)     passed  failed  undecided  rate (95 %)         plan
        p@m
          first   2025-07-01 09:00       1       1          0  1/2 50 % (9–91)     3f2a1c
          second  2025-07-01 09:00       2       0          0  2/2 100 % (34–100)  3f2a1c
        p@n
          second  2025-07-01 09:00       1       0          1  1/1 100 % (21–100)  3f2a1c
        ");
    }

    #[test]
    fn runs_of_other_scorers_are_told() {
        let mut runs = [past("first", &["m"], |trial| trial), past("second", &["m"], |trial| trial)];
        runs[0].scorer_version += 1;
        assert!(written(&runs, Subject::All).contains("do not compare"));
        assert!(!written(&runs[..1], Subject::All).contains("do not compare"));
    }
}
