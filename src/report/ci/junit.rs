//! `junit.xml`: a suite a variant, a test a case and property.
//!
//! Promises what the schema of Jenkins' xUnit plugin asks for, and no time: the same answers give the same bytes.

use std::collections::HashMap;
use std::io::{self, Write};

use super::test::{Result, Test, Told, tests_of, told};
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Entry, Outcome, Outcomes, Required, Run};
use crate::report::diff::{Diff, DiffOptions, Text, lines};
use crate::report::escape::{without_ci_commands, xml};

/// The most lines of a diff: the whole stands in diff.html.
const MOST_LINES: usize = 80;

/// Writes junit.xml; a failure shows how its answer differs from the one that the same case has in `diffs`.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_junit(
    run: &Run,
    outcomes: &dyn Outcomes,
    diffs: &[Diff<'_>],
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let required = Required::of(run);
    let suites: Vec<Suite<'_>> = run.variants().map(|variant| Suite::of(run, &required, variant)).collect();
    let sum = |count: fn(&Suite<'_>) -> usize| suites.iter().map(count).sum::<usize>();
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"evalrun\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.errors),
    )?;
    let trials = Trials { outcomes, required: &required, options };
    for Suite { name, tests, failures, errors, skipped, variant, entries } in &suites {
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">",
            xml(name)
        )?;
        let is_own = |diff: &&Diff<'_>| {
            std::ptr::eq(diff.candidate.run, run) && (diff.candidate.prompt, diff.candidate.model) == *variant
        };
        let before = diffs.iter().find(is_own).map(Before::of);
        entries.iter().try_for_each(|entry| trials.write(entry, name, before.as_ref(), out))?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

/// The tests of a variant, counted.
struct Suite<'a> {
    name: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    variant: (&'a PromptId, &'a ModelId),
    entries: Vec<&'a Entry>,
}

impl<'a> Suite<'a> {
    fn of(run: &'a Run, required: &Required<'_>, variant: (&'a PromptId, &'a ModelId)) -> Self {
        let (prompt, model) = variant;
        let is_of = |entry: &&Entry| entry.trial.prompt == *prompt && entry.trial.model == *model;
        let entries: Vec<&Entry> = run.entries.iter().filter(is_of).collect();
        let name = format!("{prompt}@{model}");
        let mut suite = Self { name, tests: 0, failures: 0, errors: 0, skipped: 0, variant, entries };
        for test in suite.entries.iter().flat_map(|entry| tests_of(entry, required)) {
            suite.tests += 1;
            match test.result {
                Result::Passed => {}
                Result::Failed => suite.failures += 1,
                Result::Errored => suite.errors += 1,
                Result::Unscored | Result::Skipped => suite.skipped += 1,
            }
        }
        suite
    }
}

/// The answers that a variant's are compared with.
struct Before<'a> {
    diff: &'a Diff<'a>,
    entries: HashMap<(&'a CaseId, u32), &'a Entry>,
}

impl<'a> Before<'a> {
    fn of(diff: &'a Diff<'a>) -> Self {
        let entries = diff.base.entries().map(|entry| ((&entry.trial.case, entry.trial.repeat), entry));
        Self { diff, entries: entries.collect() }
    }

    /// How an answer differs from the one before, as lines; none where there was none or nothing differs.
    fn changes(&self, entry: &Entry, outcome: &Outcome, options: DiffOptions<'_>) -> io::Result<Vec<String>> {
        let Diff { base, candidate } = self.diff;
        let Some(before) = self.entries.get(&(&entry.trial.case, entry.trial.repeat)) else { return Ok(Vec::new()) };
        let before = base.outcomes.outcome(before)?;
        let (Some(old), Some(new)) = (&before.answer, &outcome.answer) else { return Ok(Vec::new()) };
        if old == new {
            return Ok(Vec::new());
        }
        let mut changes = vec![String::new(), format!("--- {}", base.name()), format!("+++ {}", candidate.name())];
        let lines = lines(&Text::plain(old), &Text::plain(new), options);
        let more = lines.len().saturating_sub(MOST_LINES);
        changes.extend(lines.into_iter().take(MOST_LINES));
        changes.extend((more > 0).then(|| (options.lang.words().more)(more)));
        Ok(changes)
    }
}

/// What the tests of a trial are written from.
struct Trials<'a> {
    outcomes: &'a dyn Outcomes,
    required: &'a Required<'a>,
    options: DiffOptions<'a>,
}

impl Trials<'_> {
    fn write(&self, entry: &Entry, suite: &str, before: Option<&Before<'_>>, out: &mut dyn Write) -> io::Result<()> {
        let tests = tests_of(entry, self.required);
        let all_passed = tests.iter().all(|test| test.result == Result::Passed);
        let outcome = if all_passed { None } else { Some(self.outcomes.outcome(entry)?) };
        let mut before = before;
        for test in &tests {
            write!(out, "    <testcase classname=\"{}\" name=\"{}\"", xml(suite), xml(&test.name()))?;
            let Some(outcome) = outcome.as_ref().filter(|_| test.result != Result::Passed) else {
                writeln!(out, "/>")?;
                continue;
            };
            // Once a trial: several properties of one answer fail on the same text.
            let before = if test.result == Result::Failed { before.take() } else { None };
            let changes = before.map(|before| before.changes(entry, outcome, self.options)).transpose()?;
            write_result(test, &told(test, outcome, self.options.lang.words()), changes.unwrap_or_default(), out)?;
        }
        Ok(())
    }
}

fn write_result(test: &Test<'_>, told: &Told, changes: Vec<String>, out: &mut dyn Write) -> io::Result<()> {
    let (element, kind) = match test.result {
        Result::Errored => ("error", "errored"),
        Result::Unscored => ("skipped", "unscored"),
        Result::Skipped => ("skipped", "skipped"),
        Result::Failed | Result::Passed => ("failure", test.subject.name()),
    };
    let text = told.lines.iter().cloned().chain(changes).collect::<Vec<_>>().join("\n");
    // `evalrun report --format junit` prints it into logs.
    let text = without_ci_commands(&text);
    write!(out, ">\n      <{element} type=\"{kind}\" message=\"{}\"", xml(&told.message))?;
    if text.is_empty() {
        write!(out, "/>")?;
    } else {
        write!(out, ">{}</{element}>", xml(&text))?;
    }
    writeln!(out, "\n    </testcase>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::diff::against_first_prompt;
    use crate::report::sample::{RunBuilder, SampleRun, diff_sample};

    fn rendered(run: &SampleRun) -> String {
        let mut out = Vec::new();
        write_junit(run, run, &against_first_prompt(run, run), DiffOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_test_says_what_failed_with_its_words_and_how_the_answer_differs() {
        let run = RunBuilder::new(&["plain", "careful"], &["sample"])
            .case("nara", |trial| {
                if trial.is_of("plain") {
                    return trial.answer("シカが増えた。").pass("length").pass("no_fabrication");
                }
                trial.answer("シカが増えた。約50社が来た。").pass("length").invents("約50社", "number")
            })
            .case("kobe", |trial| if trial.is_of("plain") { trial.errored("timeout") } else { trial.blocked("SAFETY") })
            .case("osaka", |trial| if trial.is_of("plain") { trial.skipped() } else { trial.unscored("length") })
            .build();
        insta::assert_snapshot!(rendered(&run), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="evalrun" tests="8" failures="2" errors="1">
          <testsuite name="plain@sample" tests="4" failures="0" errors="1" skipped="1">
            <testcase classname="plain@sample" name="nara no_fabrication"/>
            <testcase classname="plain@sample" name="nara length"/>
            <testcase classname="plain@sample" name="kobe japanese_only">
              <error type="errored" message="no answer: timeout"/>
            </testcase>
            <testcase classname="plain@sample" name="osaka length">
              <skipped type="skipped" message="skipped"/>
            </testcase>
          </testsuite>
          <testsuite name="careful@sample" tests="4" failures="2" errors="0" skipped="1">
            <testcase classname="careful@sample" name="nara no_fabrication">
              <failure type="no_fabrication" message="「約50社」 (number: nothing in the source supports it)">「約50社」 (number: nothing in the source supports it)

        --- plain@sample
        +++ careful@sample
          シカが増えた。
        + 約50社が来た。</failure>
            </testcase>
            <testcase classname="careful@sample" name="nara length"/>
            <testcase classname="careful@sample" name="kobe japanese_only">
              <failure type="japanese_only" message="no answer: the answer was blocked: SAFETY"/>
            </testcase>
            <testcase classname="careful@sample" name="osaka length">
              <skipped type="unscored" message="the case has no source"/>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn the_counts_are_those_of_the_elements() {
        let text = rendered(&diff_sample());
        let document = roxmltree::Document::parse(&text).unwrap();
        for suite in document.descendants().filter(|node| node.has_tag_name("testsuite")) {
            for (attribute, element) in
                [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
            {
                let found = suite.descendants().filter(|node| node.has_tag_name(element)).count().to_string();
                assert_eq!(suite.attribute(attribute), Some(found.as_str()), "{attribute}");
            }
        }
    }

    #[test]
    fn no_answer_breaks_out_of_the_document() {
        let hostile = "]]></failure><x a=\"&\">\0\u{1b}[31m\u{fffe}\u{ffff}\u{d7ff}\u{202e}\r\n';";
        let run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| trial.answer(hostile).fail("length").at(hostile, "x").why(hostile))
            .case("b", |trial| trial.errored(hostile))
            .build();
        let text = rendered(&run);
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), 2);
        assert!(!text.contains(['\0', '\u{1b}', '\u{fffe}', '\u{ffff}', '\u{202e}', '\r']), "{text:?}");
    }
}
