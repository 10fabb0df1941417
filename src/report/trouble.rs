//! What stands beside the rates: trials without an answer, by what went wrong, and failures that a waiver let pass.

use std::collections::BTreeMap;
use std::io;

use crate::outcome::{Entry, Outcome, Outcomes, Run, Status};

/// How many trials of each model met with each message.
pub(crate) type Grouped<'a> = BTreeMap<(&'a str, String), usize>;

/// Whether a model gave no answer to judge: it failed, and not by any verdict. It may have begun with some text.
pub(crate) fn is_without_answer(entry: &Entry) -> bool {
    entry.status == Status::Failed && entry.verdicts.iter().all(Option::is_none)
}

/// The trials in which a model gave no answer to judge, by what it said instead.
pub(crate) fn without_answer(run: &Run) -> Grouped<'_> {
    grouped(run.entries.iter().filter(|entry| is_without_answer(entry)))
}

/// The errored trials, by the server's message.
pub(crate) fn errors(run: &Run) -> Grouped<'_> {
    grouped(run.entries.iter().filter(|entry| entry.status == Status::Errored))
}

fn grouped<'a>(entries: impl Iterator<Item = &'a Entry>) -> Grouped<'a> {
    let mut grouped = Grouped::new();
    for entry in entries {
        *grouped.entry((entry.trial.model.as_str(), why_no_answer(entry))).or_default() += 1;
    }
    grouped
}

/// What a trial without an answer says of itself.
pub(crate) fn why_no_answer(entry: &Entry) -> String {
    entry.error.clone().unwrap_or_else(|| entry.finish.name().to_owned())
}

/// How often each waiver let something pass: by property, words and reason.
pub(crate) type Waivers = BTreeMap<(&'static str, String, String), usize>;

/// The waivers that were used.
///
/// # Errors
/// An outcome cannot be read.
pub(crate) fn waivers(run: &Run, outcomes: &dyn Outcomes) -> io::Result<Waivers> {
    let mut waivers = Waivers::new();
    for entry in run.entries.iter().filter(|entry| entry.is_waived) {
        let Outcome { scores, .. } = outcomes.outcome(entry)?;
        for score in scores {
            for evidence in score.evidence {
                let Some(reason) = evidence.waived else { continue };
                *waivers.entry((score.property.name(), evidence.text, reason)).or_default() += 1;
            }
        }
    }
    Ok(waivers)
}
