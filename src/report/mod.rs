//! Views of a run, each in the form that its reader opens: tables, prose, differences, verdicts.
//!
//! Promises pure views: a [`Run`](crate::outcome::Run) in, bytes out, never read back. Every count derives from
//! [`Entry::status`](crate::outcome::Entry::status); a truncated answer is marked wherever an answer is named; whatever
//! a model wrote is text and stays text.

pub mod calibration;
pub mod ci;
pub mod comparison;
pub mod csv;
pub mod diff;
pub mod gate;
pub mod history;
pub mod json;
pub mod markdown;
pub mod page;
pub mod terminal;
pub mod xlsx;

mod escape;
mod disagreement;
mod evidence;
mod lang;
mod names;
mod phrase;
#[cfg(test)]
pub(crate) mod sample;
mod table;
mod tally;
mod trouble;
mod worst;

pub use escape::{json_for_logs, one_line, without_ci_commands};
pub use lang::Lang;

/// A status in a word.
pub fn status_in_words(status: crate::outcome::Status, lang: Lang) -> &'static str {
    (lang.words().status)(status)
}

/// Why something is as it is, said in English by a scorer or the engine, in another language; what is not known there
/// stays as it is.
pub fn reason(said: &str, lang: Lang) -> std::borrow::Cow<'_, str> {
    (lang.words().reason)(said)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::csv::Bom;
    use super::diff::{DiffOptions, against_first_prompt};
    use super::sample::{RunBuilder, SampleRun};
    use super::terminal::TerminalOptions;
    use super::*;
    use crate::outcome::Outcomes;

    type Report = (&'static str, fn(&SampleRun, &mut Vec<u8>) -> io::Result<()>);

    /// Every report, by the form of its file.
    const REPORTS: [Report; 14] = [
        ("metrics.csv", |run, out| csv::write_metrics(run, out, Bom::With)),
        ("scores.csv", |run, out| csv::write_scores(run, run, out, Bom::With)),
        ("summary.csv", |run, out| csv::write_summary(run, out, Bom::With)),
        ("summary.md", |run, out| markdown::write_summary(run, run, Lang::En, out)),
        ("diff.md", |run, out| diff::write_markdown(&against_first_prompt(run, run), DiffOptions::default(), out)),
        ("diff.html", |run, out| diff::write_html(&against_first_prompt(run, run), DiffOptions::default(), out)),
        ("report.html", |run, out| page::write_report(run, run, &[], Lang::En, page::MOST_BYTES, out)),
        ("table.txt", |run, out| terminal::write_run(run, run, TerminalOptions::default(), out)),
        ("show.txt", |run, out| {
            run.entries.iter().try_for_each(|entry| {
                terminal::write_outcome(run, &run.outcome(entry)?, TerminalOptions::default(), out)
            })
        }),
        ("run.json", |run, out| json::write_json(run, out)),
        ("junit.xml", |run, out| {
            ci::write_junit(run, run, &against_first_prompt(run, run), DiffOptions::default(), out)
        }),
        ("tap.txt", |run, out| ci::write_tap(run, run, Lang::En, out)),
        ("quality.json", |run, out| {
            ci::write_code_quality(run, run, None, &|prompt| format!("prompts/{prompt}.md"), Lang::En, out)
        }),
        ("diff.txt", |run, out| {
            let (base, candidate) = ("{{ title }}".to_owned(), run.header.cases[0].source.title.clone());
            let prompts = diff::Prompts { title: "a → b".to_owned(), base, candidate };
            diff::write_text(&[prompts], &against_first_prompt(run, run), DiffOptions::default(), out)
        }),
    ];

    fn rendered(run: &SampleRun) -> Vec<(&'static str, String)> {
        let text = |(name, write): Report| {
            let mut out = Vec::new();
            write(run, &mut out).unwrap();
            (name, String::from_utf8(out).unwrap())
        };
        REPORTS.into_iter().map(text).collect()
    }

    #[test]
    fn a_truncated_answer_is_visible_in_every_report_that_names_answers() {
        let run = RunBuilder::new(&["plain", "careful"], &["sample"])
            .case("a", |trial| {
                let text = if trial.is_of("plain") { "前の文。" } else { "後の文。" };
                trial.answer(text).truncated().fail("length")
            })
            .build();
        let same =
            RunBuilder::new(&["plain", "careful"], &["sample"]).case("a", |trial| trial.truncated().pass("length"));
        let reports = rendered(&run).into_iter().chain(rendered(&same.build()));
        for (name, text) in reports {
            let is_marked =
                ["length,", "truncated", "TRUNCATED", "\"truncated\":true"].iter().any(|mark| text.contains(mark));
            // Code quality names failed answers alone.
            let names_none = name == "summary.csv" || text == "[]\n";
            assert!(is_marked || names_none, "{name}: {text}");
        }
    }

    #[test]
    fn answers_of_a_megabyte_in_one_line_do_not_stall_a_report() {
        let long = |first: &str| format!("{first}{}", "量子ミッションは、".repeat(40_000));
        let run = RunBuilder::new(&["plain", "careful"], &["sample"])
            .case("a", |trial| {
                let text = long(if trial.is_of("plain") { "前" } else { "後" });
                trial.answer(&text).fail("repetition").at(&text, "loop")
            })
            .build();
        // Quadratic work on a megabyte would not come to an end.
        let (_, page) = rendered(&run).into_iter().find(|(name, _)| *name == "diff.html").unwrap();
        assert!(page.contains("too long to be compared"));
    }

    #[test]
    fn the_same_run_gives_the_same_bytes() {
        let run = || super::sample::diff_sample();
        assert_eq!(rendered(&run()), rendered(&run()));
    }
}
