//! The Test Anything Protocol, version 14: a line a test, with what speaks against it as YAML beneath.

use std::io::{self, Write};

use serde_json::Value;

use super::test::{Result, for_each_test, tests_of, told};
use crate::outcome::{Outcomes, Required, Run};
use crate::report::escape::{one_line, without_ci_commands};
use crate::report::lang::Lang;

/// Writes a run as TAP.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_tap(run: &Run, outcomes: &dyn Outcomes, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let required = Required::of(run);
    let all: usize = run.entries.iter().map(|entry| tests_of(entry, &required).len()).sum();
    writeln!(out, "TAP version 14\n1..{all}")?;
    let mut number = 0;
    for_each_test(run, outcomes, |test, outcome| {
        number += 1;
        let trial = &test.entry.trial;
        let name = description(&format!("{}@{} {}", trial.prompt, trial.model, test.name()));
        let told = outcome.filter(|_| test.result != Result::Passed).map(|outcome| told(&test, outcome, lang.words()));
        match (test.result, told) {
            (Result::Passed, _) | (_, None) => writeln!(out, "ok {number} - {name}"),
            (Result::Skipped | Result::Unscored, Some(told)) => {
                writeln!(out, "ok {number} - {name} # SKIP {}", description(&told.message))
            }
            (result, Some(told)) => {
                let severity = if result == Result::Errored { "error" } else { "fail" };
                writeln!(out, "not ok {number} - {name}\n  ---\n  severity: {severity}")?;
                writeln!(out, "  message: {}", quoted(&told.message))?;
                if !told.lines.is_empty() {
                    writeln!(out, "  evidence:")?;
                    told.lines.iter().try_for_each(|line| writeln!(out, "    - {}", quoted(line)))?;
                }
                writeln!(out, "  ...")
            }
        }
    })
}

/// A description, in which `#` begins no directive.
fn description(text: &str) -> String {
    without_ci_commands(&one_line(text).replace('\\', "\\\\").replace('#', "\\#"))
}

/// A string of YAML: JSON's are among them. Commands of CI services are broken up: this is printed into logs.
fn quoted(text: &str) -> String {
    Value::from(one_line(text)).to_string().replace("##", "#\\u0023")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::RunBuilder;

    #[test]
    fn a_line_a_test_with_what_speaks_against_it() {
        let run = RunBuilder::new(&["p"], &["m"])
            .repeats(2)
            .case("nara", |trial| trial.answer("約50社が来た。").pass("length").invents("約50社", "number"))
            .case("kobe", |trial| trial.errored("# TODO not ok 1\nok 2 ##[error]x"))
            .case("osaka", |trial| trial.unscored("length"))
            .build();
        let mut out = Vec::new();
        write_tap(&run, &run, Lang::En, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        TAP version 14
        1..8
        not ok 1 - p@m nara no_fabrication
          ---
          severity: fail
          message: "「約50社」 (number: nothing in the source supports it)"
          evidence:
            - "「約50社」 (number: nothing in the source supports it)"
          ...
        ok 2 - p@m nara length
        not ok 3 - p@m nara \#1 no_fabrication
          ---
          severity: fail
          message: "「約50社」 (number: nothing in the source supports it)"
          evidence:
            - "「約50社」 (number: nothing in the source supports it)"
          ...
        ok 4 - p@m nara \#1 length
        not ok 5 - p@m kobe japanese_only
          ---
          severity: error
          message: "no answer: # TODO not ok 1 ok 2 #\u0023[error]x"
          ...
        not ok 6 - p@m kobe \#1 japanese_only
          ---
          severity: error
          message: "no answer: # TODO not ok 1 ok 2 #\u0023[error]x"
          ...
        ok 7 - p@m osaka length # SKIP the case has no source
        ok 8 - p@m osaka \#1 length # SKIP the case has no source
        "#);
    }
}
