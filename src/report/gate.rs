//! What a gate came to: each check with what was found and what was asked, then the cases with the words that speak
//! against them.
//!
//! Promises the same facts on a terminal, in Markdown and in JSON.

mod json;
mod sentence;

use std::io::{self, Write};

use crate::gate::{Check, Decision, Gate};
use crate::id::CaseId;
use crate::outcome::{Entry, Outcomes, Required, Run, Status, Subject};
use crate::project::Tier;
use crate::report::comparison::sentences;
use crate::report::escape::{markdown as escape, markdown_prose as prose, one_line, without_ci_commands};
use crate::report::evidence::{against, cited};
use crate::report::lang::{Lang, Words};
use crate::report::names::full;
use crate::score::Verdict;

pub use json::write_gate_json;
pub(crate) use sentence::{decision, sentence};

/// The most cases of a check, and quotations of a case, that are shown.
const MOST_CASES: usize = 5;
const MOST_QUOTES: usize = 2;

/// Which form a gate is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateForm {
    /// Lines for a terminal or a log.
    Text,
    /// A list for a page.
    Markdown,
}

/// Writes a gate: its decision, every check that counts, those that failed first, then what is only said, then what could
/// mislead in the comparison with the baseline.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_gate(
    gate: &Gate,
    run: &Run,
    outcomes: &dyn Outcomes,
    form: GateForm,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = Vec::new();
    let head = sentence::headline(gate, lang);
    match form {
        GateForm::Text => writeln!(text, "{head}")?,
        GateForm::Markdown => writeln!(text, "## {head}\n")?,
    }
    for check in in_order(&gate.checks) {
        form.line(&format!("{} {}", sign(check.decision), sentence(check, lang)), &mut text)?;
        if check.decision != Decision::Passed {
            let details = details(check, run, outcomes, lang.words())?;
            details.iter().try_for_each(|detail| form.detail(detail, &mut text))?;
        }
    }
    for advice in sentence::advice(gate, lang) {
        form.line(&format!("! {advice}"), &mut text)?;
    }
    for warning in gate.beside.iter().flat_map(|beside| &beside.warnings) {
        form.line(&format!("! {}", (sentences(lang).warning)(warning)), &mut text)?;
    }
    out.write_all(without_ci_commands(&String::from_utf8_lossy(&text)).as_bytes())
}

/// What counts before what is only said; of each, what failed, then what cannot be decided, then what passed.
fn in_order(checks: &[Check]) -> Vec<&Check> {
    let mut checks: Vec<&Check> = checks.iter().collect();
    checks.sort_by_key(|check| {
        let decision = match check.decision {
            Decision::Failed => 0,
            Decision::Inconclusive => 1,
            Decision::Passed => 2,
        };
        (check.tier == Tier::Advisory, decision)
    });
    checks
}

impl GateForm {
    fn line(self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text => writeln!(out, "{}", one_line(text)),
            Self::Markdown => writeln!(out, "- {}", prose(text)),
        }
    }

    fn detail(self, text: &str, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text => writeln!(out, "    {}", one_line(text)),
            Self::Markdown => writeln!(out, "  - {}", escape(text)),
        }
    }
}

const fn sign(decision: Decision) -> &'static str {
    match decision {
        Decision::Passed => "✓",
        Decision::Failed => "✗",
        Decision::Inconclusive => "?",
    }
}

/// The cases that speak against a check, each with its words, and those that say nothing.
pub(crate) fn details(check: &Check, run: &Run, outcomes: &dyn Outcomes, words: &Words) -> io::Result<Vec<String>> {
    let cases = check.cases();
    let mut details = Vec::new();
    for case in cases.iter().take(MOST_CASES) {
        let why = match failing(check, case, run) {
            Some(entry) => why_failed(check.subject, entry, outcomes, words)?,
            None => String::new(),
        };
        details.push(format!("{case} {why}").trim_end().to_owned());
    }
    details.extend((cases.len() > MOST_CASES).then(|| (words.more)(cases.len() - MOST_CASES)));
    let undecided = check.undecided();
    if !undecided.is_empty() {
        let mut names: Vec<String> = undecided.iter().take(MOST_CASES).map(ToString::to_string).collect();
        let more = undecided.len() - names.len();
        names.extend((more > 0).then(|| (words.more)(more)));
        details.push((words.without_verdict)(&names.join(words.list)));
    }
    Ok(details)
}

/// The first trial of a case that fails the check.
fn failing<'r>(check: &Check, case: &CaseId, run: &'r Run) -> Option<&'r Entry> {
    let (prompt, model) = check.variant.as_ref()?;
    let required = Required::of(run);
    run.entries.iter().find(|entry| {
        let trial = &entry.trial;
        trial.case == *case
            && trial.prompt == *prompt
            && trial.model == *model
            && required.status_of(entry, check.subject) == Some(Status::Failed)
    })
}

/// The words that a failure rests on: `no_fabrication 「約30社」 (number: …)`, or why there is no answer.
pub(crate) fn why_failed(
    subject: Subject,
    entry: &Entry,
    outcomes: &dyn Outcomes,
    words: &Words,
) -> io::Result<String> {
    let outcome = outcomes.outcome(entry)?;
    let is_of = |property| subject == Subject::All || subject == Subject::Property(property);
    let failed = outcome.scores.iter().filter(|score| score.verdict == Verdict::Fail && is_of(score.property));
    let parts: Vec<String> = failed
        .map(|score| {
            let mut quotes: Vec<String> =
                against(score).take(MOST_QUOTES).map(|evidence| cited(evidence, words)).collect();
            let more = against(score).count() - quotes.len();
            quotes.extend((more > 0).then(|| (words.more)(more)));
            let why = if quotes.is_empty() {
                (words.reason)(score.reason.as_deref().unwrap_or_default()).into_owned()
            } else {
                quotes.join(words.list)
            };
            format!("{} {why}", full(Subject::Property(score.property), words.lang)).trim_end().to_owned()
        })
        .collect();
    if parts.is_empty() {
        let why = outcome.error.or(outcome.finish.detail).unwrap_or_default();
        return Ok(format!("{}: {}", words.no_answer, (words.reason)(&why)));
    }
    Ok(parts.join(" · "))
}
