//! GitHub's annotations: what a gate came to, or a run's worst failures, beside the prompt that is to blame.

use std::fmt;
use std::io;

use super::FileOf;
use crate::gate::{Decision, Gate};
use crate::outcome::{Outcomes, Run, Status, Subject};
use crate::project::Tier;
use crate::report::escape::visible;
use crate::report::gate::{decision, details, sentence, why_failed};
use crate::report::lang::Lang;
use crate::report::names::full;
use crate::report::worst::worst;

/// GitHub shows no more annotations of one level a step.
const MOST: usize = 10;

/// Failures of a run without a gate that are shown.
const MOST_FAILURES: usize = 5;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Notice,
}

/// A remark beside a file; shown as the workflow command that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    level: Level,
    file: Option<String>,
    title: String,
    message: String,
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        write!(f, "::{level} ")?;
        if let Some(file) = &self.file {
            write!(f, "file={},line=1,", property(file))?;
        }
        write!(f, "title={}::{}", property(&self.title), data(&self.message))
    }
}

/// The text of a command: only its line ends and `%` have a meaning.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// What a gate came to: each check that did not pass, with the cases and the words that speak against it.
///
/// # Errors
/// An outcome cannot be read.
pub fn of_gate(
    gate: &Gate,
    run: &Run,
    outcomes: &dyn Outcomes,
    file_of: FileOf<'_>,
    lang: Lang,
) -> io::Result<Vec<Annotation>> {
    let mut annotations = Vec::new();
    for check in gate.checks.iter().filter(|check| check.decision != Decision::Passed) {
        let level = match (check.decision, check.tier) {
            (_, Tier::Advisory) => Level::Notice,
            (Decision::Failed, _) => Level::Error,
            _ => Level::Warning,
        };
        let lines = std::iter::once(sentence(check, lang)).chain(details(check, run, outcomes, lang.words())?);
        annotations.push(Annotation {
            level,
            file: check.variant.as_ref().map(|(prompt, _)| file_of(prompt)),
            title: format!("evalrun: {} {}", full(check.subject, lang), decision(check.decision, lang)),
            message: lines.collect::<Vec<_>>().join("\n"),
        });
    }
    Ok(most_of_each_level(annotations))
}

/// A run's worst failures and how many trials errored, where no gate says what matters.
///
/// # Errors
/// An outcome cannot be read.
pub fn of_run(run: &Run, outcomes: &dyn Outcomes, file_of: FileOf<'_>, lang: Lang) -> io::Result<Vec<Annotation>> {
    let mut annotations = Vec::new();
    for entry in worst(run, MOST_FAILURES) {
        let trial = &entry.trial;
        annotations.push(Annotation {
            level: Level::Warning,
            file: Some(file_of(&trial.prompt)),
            title: format!("evalrun: {} · {}@{}", trial.case, trial.prompt, trial.model),
            message: why_failed(Subject::All, entry, outcomes, lang.words())?,
        });
    }
    let errored = run.count(Status::Errored);
    if errored > 0 {
        let words = lang.words();
        let errored = (words.counted)((words.status)(Status::Errored), errored);
        let message = format!("{}: {errored}", (words.trials)(run.entries.len()));
        annotations.push(Annotation { level: Level::Warning, file: None, title: "evalrun".to_owned(), message });
    }
    Ok(most_of_each_level(annotations))
}

fn most_of_each_level(mut annotations: Vec<Annotation>) -> Vec<Annotation> {
    annotations.sort_by_key(|annotation| annotation.level);
    let levels = annotations.chunk_by(|one, next| one.level == next.level);
    levels.flat_map(|level| level.iter().take(MOST).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_where_it_ends() {
        let annotation = Annotation {
            level: Level::Error,
            file: Some("prompts/a,b:c.md".to_owned()),
            title: "x::y, z\n::error::w".to_owned(),
            message: "「50%」\r\n::set-env name=a::b\n##[error]c\u{1b}[31m".to_owned(),
        };
        insta::assert_snapshot!(annotation.to_string(), @"::error file=prompts/a%2Cb%3Ac.md,line=1,title=x%3A%3Ay%2C z%0A%3A%3Aerror%3A%3Aw::「50%25」%0A::set-env name=a::b%0A##[error]c␛[31m");
    }
}
