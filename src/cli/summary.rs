//! What is printed and said of a run when it is done: the table, then what a user must know beside it.

use std::collections::BTreeMap;

use super::args::{CacheArgs, TextOrJson};
use super::context::Context;
use super::error::Error;
use super::load::Place;
use super::reporting::files_in;
use super::runs::OpenRun;
use super::words::{self, Again};
use crate::outcome::{Run, Status};
use crate::report::{Lang, json, reason, terminal};

/// Prints a run on standard output.
///
/// # Errors
/// It cannot be written, or the journal cannot be read any more.
pub(super) fn print(open: &OpenRun, lang: Lang, format: TextOrJson, context: &Context) -> Result<(), Error> {
    let (run, reader) = (&open.reader.run, &open.reader);
    let options = context.console.terminal_options(lang);
    match format {
        TextOrJson::Text => context.console.print(|out| terminal::write_run(run, reader, options, out))?,
        TextOrJson::Json => context.console.print_json(|out| json::write_json(run, out))?,
    };
    Ok(())
}

/// Says how a run goes on that has not come to its end.
pub(super) fn say_unfinished(run: &Run, lang: Lang, context: &Context) {
    if !run.finished {
        context.console.say(&words::unfinished(run.count(Status::Skipped), run.entries.len(), lang));
    }
}

/// Says what the same command does about the trials of a finished run that errored, where servers are asked.
pub(super) fn say_errored(run: &Run, cache: &CacheArgs, lang: Lang, context: &Context) {
    let asks = run.header.models.iter().any(|model| model.provider.is_remote());
    if !run.finished || !asks || run.count(Status::Errored) == 0 {
        return;
    }
    let again = match (cache.no_cache, cache.refresh) {
        (true, _) => Again::WithoutStore,
        (false, true) => Again::Refreshing,
        (false, false) => Again::FromStore,
    };
    context.console.say(&words::again(again, lang));
}

/// Says where the reports are and what their reader must know.
pub(super) fn say(open: &OpenRun, place: &Place, lang: Lang, context: &Context) {
    let run = &open.reader.run;
    let console = &context.console;
    for warning in warnings(run, lang) {
        console.warn(&warning);
    }
    console.say(&words::reports(&place.shown(&open.folder), &files_in(&open.folder), lang));
}

/// What could mislead a reader of the figures.
pub(super) fn warnings(run: &Run, lang: Lang) -> Vec<String> {
    let mut warnings = Vec::new();
    let errored = run.count(Status::Errored);
    if errored > 0 {
        warnings.push(words::errored(errored, run.entries.len(), lang));
    }
    let truncated = run.entries.iter().filter(|entry| entry.finish.is_truncated()).count();
    if truncated > 0 {
        warnings.push(words::truncated(truncated, lang));
    }
    for (model, served) in served_otherwise(run) {
        warnings.push(words::served_otherwise(&model, &served.join(", "), lang));
    }
    let notes = run.header.models.iter().filter_map(|model| Some((&model.id, model.price_note.as_ref()?)));
    warnings.extend(notes.map(|(model, note)| words::price(model.as_str(), &reason(note, lang), lang)));
    warnings
}

/// The models that servers gave instead of those asked for.
fn served_otherwise(run: &Run) -> BTreeMap<String, Vec<&str>> {
    let mut others: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for record in run.header.models.iter().filter(|model| model.provider.is_remote()) {
        let mut served: Vec<&str> = run
            .entries
            .iter()
            .filter(|entry| entry.trial.model == record.id)
            .filter_map(|entry| entry.served_model.as_deref())
            .filter(|served| !is_same(&record.name, served))
            .collect();
        served.sort_unstable();
        served.dedup();
        if !served.is_empty() {
            others.insert(format!("{} ({})", record.id, record.name), served);
        }
    }
    others
}

/// Whether a server's name is the one asked for, perhaps with its collection or its version's date.
fn is_same(asked: &str, served: &str) -> bool {
    let bare = |name: &str| name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let (asked, served) = (bare(asked), bare(served));
    let version = served.strip_prefix(&asked).map(|rest| rest.trim_start_matches(['-', '@', ':']));
    version.is_some_and(|version| version.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_version_is_the_model_that_was_asked_for() {
        for (asked, served, expected) in [
            ("gpt-4.1", "gpt-4.1-2025-04-14", true),
            ("models/gemini-2.5-flash", "gemini-2.5-flash", true),
            ("gemini-2.5-flash", "gemini-2.5-flash-001", true),
            ("gpt-4.1", "gpt-4.1-mini", false),
            ("gpt-4.1", "gpt-4o", false),
            ("claude-sonnet", "Claude-Sonnet", true),
        ] {
            assert_eq!(is_same(asked, served), expected, "{asked} {served}");
        }
    }
}
