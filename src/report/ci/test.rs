//! A run as a list of tests: each property of each case with a variant.

use std::io;

use crate::outcome::{Entry, Outcome, Outcomes, Required, Run, Status, Subject};
use crate::property::Property;
use crate::report::escape::one_line;
use crate::report::evidence::{against, cited, shortened};
use crate::report::lang::Words;
use crate::report::tally::is_truncated;
use crate::report::trouble::{is_without_answer, why_no_answer};
use crate::score::Score;

/// The most quotations of a failure.
const MOST_QUOTES: usize = 5;

/// The longest message, in characters: services show it in one line.
const LONGEST_MESSAGE: usize = 300;

/// A property of a case with a variant; `all` where a case requires no property.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test<'a> {
    pub(super) entry: &'a Entry,
    pub(super) subject: Subject,
    pub(super) result: Result,
}

/// What became of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    Passed,
    Failed,
    /// There was no answer to judge.
    Errored,
    /// It cannot be told.
    Unscored,
    /// It was not tried.
    Skipped,
}

impl Test<'_> {
    /// `case property`, with the repeat where it is not the first.
    pub(super) fn name(&self) -> String {
        let (trial, property) = (&self.entry.trial, self.subject.name());
        match trial.repeat {
            0 => format!("{} {property}", trial.case),
            repeat => format!("{} #{repeat} {property}", trial.case),
        }
    }
}

/// The tests of a trial.
pub(super) fn tests_of<'a>(entry: &'a Entry, required: &Required<'_>) -> Vec<Test<'a>> {
    let test = |subject, status| Test { entry, subject, result: result(entry, status) };
    let properties = Property::ALL.into_iter().map(Subject::Property);
    let mut tests: Vec<Test<'a>> =
        properties.filter_map(|subject| Some(test(subject, required.status_of(entry, subject)?))).collect();
    if tests.is_empty() {
        tests.push(test(Subject::All, entry.status));
    }
    tests
}

fn result(entry: &Entry, status: Status) -> Result {
    match status {
        Status::Passed => Result::Passed,
        Status::Failed => Result::Failed,
        // A model that gave no answer has failed whatever was required.
        Status::Undecided if is_without_answer(entry) => Result::Failed,
        Status::Undecided => Result::Unscored,
        Status::Skipped => Result::Skipped,
        Status::Errored => Result::Errored,
    }
}

/// What is said of a test that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// In one line.
    pub(super) message: String,
    /// Each piece of evidence in a line.
    pub(super) lines: Vec<String>,
}

/// What is said of a test, from its outcome; a truncated answer is said to be one.
pub(super) fn told(test: &Test<'_>, outcome: &Outcome, words: &Words) -> Told {
    let mut told = told_of_score(test, outcome, words);
    if is_truncated(test.entry) {
        told.message = format!("{}: {}", words.truncated, told.message);
    }
    told
}

fn told_of_score(test: &Test<'_>, outcome: &Outcome, words: &Words) -> Told {
    let score = outcome.scores.iter().find(|score| Subject::Property(score.property) == test.subject);
    let Some(score) = score else {
        let why = match test.result {
            Result::Skipped => (words.status)(test.entry.status).to_owned(),
            _ => format!("{}: {}", words.no_answer, one_line(&(words.reason)(&why_no_answer(test.entry)))),
        };
        return Told { message: shortened(&why, LONGEST_MESSAGE), lines: Vec::new() };
    };
    let lines = lines(score, words);
    let message = match (&score.reason, lines.first()) {
        (Some(reason), _) => one_line(&(words.reason)(reason)),
        (None, Some(line)) => line.clone(),
        (None, None) if test.result == Result::Unscored => (words.verdict)(Status::Undecided).to_owned(),
        (None, None) => (words.verdict)(Status::Failed).to_owned(),
    };
    Told { message: shortened(&message, LONGEST_MESSAGE), lines }
}

fn lines(score: &Score, words: &Words) -> Vec<String> {
    let line = |evidence| cited(evidence, words);
    let mut lines: Vec<String> = against(score).take(MOST_QUOTES).map(line).collect();
    let more = against(score).count() - lines.len();
    lines.extend((more > 0).then(|| (words.more)(more)));
    lines
}

/// Goes through all tests of a run in the order of its trials; outcomes are read where a test did not pass.
///
/// # Errors
/// An outcome cannot be read, or `each` fails.
pub(super) fn for_each_test(
    run: &Run,
    outcomes: &dyn Outcomes,
    mut each: impl FnMut(Test<'_>, Option<&Outcome>) -> io::Result<()>,
) -> io::Result<()> {
    let required = Required::of(run);
    for entry in &run.entries {
        let tests = tests_of(entry, &required);
        let all_passed = tests.iter().all(|test| test.result == Result::Passed);
        let outcome = if all_passed { None } else { Some(outcomes.outcome(entry)?) };
        tests.into_iter().try_for_each(|test| each(test, outcome.as_ref()))?;
    }
    Ok(())
}
