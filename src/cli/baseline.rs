//! `evalrun baseline`: a run kept under version control, which later runs are held against.
//!
//! Promises a folder that is reviewed like code: trials in the plan's order, nothing in it that differs from one asking
//! to the next but what was answered, and replaced as a whole or not at all.

use std::fs;
use std::path::Path;

use super::args::{BaselineArgs, BaselineCommand, BaselineSetArgs, TextOrJson};
use super::console::counted;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::load::Place;
use super::runs::{JOURNAL, OpenRun};
use super::summary;
use crate::engine::{JournalFile, JournalReader};
use crate::id::{ModelId, PromptId};
use crate::outcome::{Outcome, Outcomes as _, Run, RunHeader, Status};
use crate::project::BASELINE;
use crate::report::csv::{Bom, write_summary};

/// What is written beside the journal, for whoever reviews a change.
const SUMMARY: &str = "summary.csv";

/// Runs the command.
///
/// # Errors
/// There is no such run, it is not fit to be a baseline, or a file cannot be written.
pub(super) fn execute(args: &BaselineArgs, context: &Context) -> Result<Exit, Error> {
    let place = context.place()?;
    match &args.command {
        BaselineCommand::Set(args) => set(args, &place, context),
        BaselineCommand::Show(args) => {
            let open = context.archive(Some(&place)).open(BASELINE)?;
            summary::print(&open, language(args.lang, Some(&place)), TextOrJson::Text, context)?;
            let RunHeader { started_at, commit, .. } = &open.reader.run.header;
            let commit = commit.as_ref().map(|commit| format!(" at commit {commit}")).unwrap_or_default();
            let began = started_at.strftime("%Y-%m-%d %H:%M UTC");
            context.console.say(&format!("{}: a run of {began}{commit}", place.shown(&open.folder)));
            Ok(Exit::Fine)
        }
    }
}

fn set(args: &BaselineSetArgs, place: &Place, context: &Context) -> Result<Exit, Error> {
    let open = context.archive(Some(place)).open(&args.run)?;
    let folder = place.reports().join(BASELINE);
    let run = &open.reader.run;
    let left = run.count(Status::Skipped);
    if left > 0 {
        let message = format!("{} is not fit to be a baseline: {left} trials have no outcome yet", args.run);
        return Err(Error::usage(message).hint("continue it first, by the command that began it"));
    }
    if is_same(&open.folder, &folder) {
        return Err(Error::usage(format!("{} is the baseline already", args.run)));
    }
    let errored = run.count(Status::Errored);
    let hollow = mostly_errored(run);
    if !hollow.is_empty() && !args.force {
        let message = format!("{} is not fit to be a baseline: {}", args.run, hollow.join(", "));
        let again = "make a run that has the answers; --force takes this one as it is";
        return Err(Error::usage(message).hint(again));
    }
    if errored > 0 {
        let all = run.entries.len();
        context.console.warn(&format!("{errored} of {all} trials errored: nothing can be held against those"));
    }
    let failed = run.count(Status::Failed);
    if failed > 0 {
        let fail = if failed == 1 { "fails" } else { "fail" };
        context.console.warn(&format!(
            "{failed} of {} trials {fail}: a case that fails in the baseline cannot break any more",
            run.entries.len()
        ));
    }
    write(&open, &folder, args)?;
    context.console.say(&format!(
        "{} is the baseline now: commit it; `evalrun gate` and `evalrun compare baseline latest` find it",
        place.shown(&folder)
    ));
    Ok(Exit::Fine)
}

/// The variants of which most trials errored, with how many: nearly nothing could be held against those.
fn mostly_errored(run: &Run) -> Vec<String> {
    let of_variant = |(prompt, model): (&PromptId, &ModelId)| {
        let trials = run.entries.iter().filter(|entry| entry.trial.prompt == *prompt && entry.trial.model == *model);
        let statuses: Vec<Status> = trials.map(|entry| entry.status).collect();
        let errored = statuses.iter().filter(|status| **status == Status::Errored).count();
        let trials = counted(statuses.len(), "trial");
        (errored * 2 > statuses.len()).then(|| format!("{errored} of {trials} of {prompt}@{model} errored"))
    };
    run.variants().filter_map(of_variant).collect()
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(one).is_some() && real(one) == real(other)
}

/// Writes the baseline beside its place first, so that a full disk does not cost the old one.
fn write(open: &OpenRun, folder: &Path, args: &BaselineSetArgs) -> Result<(), Error> {
    let new = folder.with_file_name(format!(".{BASELINE}.new"));
    if new.exists() {
        fs::remove_dir_all(&new).map_err(Error::file(&new))?;
    }
    fs::create_dir_all(&new).map_err(Error::file(&new))?;
    let run = &open.reader.run;
    let header = RunHeader { name: BASELINE.to_owned(), ..run.header.clone() };
    let path = new.join(JOURNAL);
    let trials = run.entries.iter().map(|entry| &entry.trial);
    let journal = JournalFile::open(&path)?.begin_for(&header, trials)?;
    for entry in &run.entries {
        let outcome = open.reader.outcome(entry).map_err(Error::file(&open.folder.join(JOURNAL)))?;
        journal.append(&kept(outcome, args.without_answers)).map_err(Error::file(&path))?;
    }
    journal.end(header.started_at, false).map_err(Error::file(&path))?;
    drop(journal);
    let summary = new.join(SUMMARY);
    let mut out = Vec::new();
    write_summary(&JournalReader::open(&path)?.run, &mut out, Bom::Without).map_err(Error::file(&summary))?;
    fs::write(&summary, out).map_err(Error::file(&summary))?;
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    for name in [SUMMARY, JOURNAL] {
        fs::rename(new.join(name), folder.join(name)).map_err(Error::file(&folder.join(name)))?;
    }
    fs::remove_dir(&new).map_err(Error::file(&new))
}

/// What of an outcome a baseline keeps: what was answered and judged, not how it came.
fn kept(outcome: Outcome, without_answers: bool) -> Outcome {
    let answer = outcome.answer.filter(|_| !without_answers);
    Outcome { answer, attempts: Vec::new(), cached: false, response_id: None, ..outcome }
}
