//! `evalrun merge`: runs that hold parts of one whole, such as the shards of a pipeline, as one new run.
//!
//! Promises that nothing is sent or judged anew, that the parts stay as they are, that what differs between them (a
//! case, a prompt, a model, the scorers) is an error, and that of a trial no answer is chosen over another one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::args::MergeArgs;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::reporting::Reporting;
use super::runs::{Archive, BegunRun, Destination, JOURNAL, OpenRun};
use super::{summary, words};
use crate::engine::Journal;
use crate::lang::Lang;
use crate::outcome::{CaseRecord, Entry, ModelRecord, Outcomes as _, PromptRecord, RunHeader, Status};
use crate::prompt::base16;
use crate::trial::TrialId;

/// Runs the command.
///
/// # Errors
/// There is no such run or project, the runs do not belong together, or a file cannot be read or written.
pub(super) fn execute(args: &MergeArgs, context: &Context) -> Result<Exit, Error> {
    let place = context.place()?;
    let archive = Archive { place: Some(&place), environment: &context.environment };
    let parts = args.runs.iter().map(|run| archive.open(run)).collect::<Result<Vec<_>, _>>()?;
    let merged = Merged::of(&parts)?;
    let prompts: Vec<_> = merged.header.prompts.iter().map(|prompt| &prompt.id).collect();
    let lang = language(args.reporting.lang, Some(&place));
    let reporting = Reporting::new(&args.reporting, lang, &prompts, archive)?;
    for warning in warnings(&parts, lang) {
        context.console.warn(&warning);
    }
    let digest = digest(&parts);
    let destination = Destination::choose(args.out.as_deref(), &digest, &place, &context.environment)?;
    if let Destination::New { aside: Some(aside), .. } = &destination {
        context.console.say(&words::kept_aside(&place.shown(aside), lang));
    }
    let begun = begin(destination, &merged, digest, context)?;
    context.console.say(&words::merging(merged.trials.len(), parts.len(), lang));
    merged.write(&parts, &begun)?;
    let Begun { folder, journal, has_end, .. } = begun;
    let new = OpenRun { reader: journal.read()?, folder };
    reporting.write(&new)?;
    let run = &new.reader.run;
    if !has_end {
        journal.end(Timestamp::now(), false).map_err(Error::file(&new.folder.join(JOURNAL)))?;
    }
    summary::print(&new, lang, args.format, context)?;
    summary::say(&new, &place, lang, context);
    let is_incomplete = run.count(Status::Errored) + run.count(Status::Skipped) > 0;
    Ok(if is_incomplete { Exit::Incomplete } else { Exit::Fine })
}

/// The whole that parts make.
struct Merged<'a> {
    header: RunHeader,
    /// Each trial of any part, with the part that tells of it and what it tells; in the order of reports.
    trials: BTreeMap<(usize, usize, usize, u32), (usize, &'a Entry)>,
}

impl<'a> Merged<'a> {
    fn of(parts: &'a [OpenRun]) -> Result<Self, Error> {
        let headers: Vec<&RunHeader> = parts.iter().map(|part| &part.reader.run.header).collect();
        let header = merge_headers(&headers)?;
        let cases = positions(header.cases.iter().map(|case| case.id.as_str()));
        let prompts = positions(header.prompts.iter().map(|prompt| prompt.id.as_str()));
        let models = positions(header.models.iter().map(|model| model.id.as_str()));
        let mut trials = BTreeMap::new();
        for (n, part) in parts.iter().enumerate() {
            for entry in &part.reader.run.entries {
                let TrialId { case, prompt, model, repeat } = &entry.trial;
                let key = (cases[case.as_str()], prompts[prompt.as_str()], models[model.as_str()], *repeat);
                let chosen = match trials.get(&key) {
                    Some(other) => choose(*other, (n, entry), &headers)?,
                    None => (n, entry),
                };
                trials.insert(key, chosen);
            }
        }
        Ok(Self { header: RunHeader { trials: trials.len(), ..header }, trials })
    }

    /// Appends what the new run lacks.
    fn write(&self, parts: &[OpenRun], begun: &Begun) -> Result<(), Error> {
        for (n, entry) in self.trials.values() {
            if entry.status == Status::Skipped || begun.done.contains(&entry.trial) {
                continue;
            }
            let part = &parts[*n];
            let outcome = part.reader.outcome(entry).map_err(Error::file(&part.folder.join(JOURNAL)))?;
            begun.journal.append(&outcome).map_err(Error::file(&begun.folder.join(JOURNAL)))?;
        }
        Ok(())
    }
}

fn positions<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    names.map(str::to_owned).zip(0..).collect()
}

/// Which of two parts tells of a trial: the one that has an answer, else the later one that has tried.
fn choose<'a>(
    one: (usize, &'a Entry),
    other: (usize, &'a Entry),
    headers: &[&RunHeader],
) -> Result<(usize, &'a Entry), Error> {
    let rank = |entry: &Entry| match entry.status {
        Status::Skipped => 0,
        Status::Errored => 1,
        Status::Passed | Status::Failed | Status::Undecided => 2,
    };
    if rank(one.1) == 2 && rank(other.1) == 2 {
        let (a, b) = (&headers[one.0].name, &headers[other.0].name);
        let message = format!("{a} and {b} both have an answer to {}", one.1.trial);
        return Err(Error::usage(message)
            .hint("merge puts parts together; to hold two runs against each other: evalrun compare"));
    }
    Ok(if rank(other.1) >= rank(one.1) { other } else { one })
}

/// The header of the whole: each case, prompt and model of any part once.
fn merge_headers(headers: &[&RunHeader]) -> Result<RunHeader, Error> {
    let first = headers[0];
    for other in headers {
        if other.scorer_version != first.scorer_version {
            let message = format!("{} and {} were judged by different scorers", first.name, other.name);
            return Err(Error::usage(message).hint("judge both by today's: evalrun rescore"));
        }
    }
    let mut cases = union(headers, "case", |header| &header.cases, |case| case.id.as_str(), case_difference)?;
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    let alike = |value: fn(&RunHeader) -> &Option<String>| {
        headers.iter().all(|header| value(header) == value(first)).then(|| value(first).clone()).flatten()
    };
    Ok(RunHeader {
        commit: alike(|header| &header.commit),
        rescored_from: alike(|header| &header.rescored_from),
        merged_from: headers.iter().map(|header| header.name.clone()).collect(),
        repeats: headers.iter().map(|header| header.repeats).max().unwrap_or(1),
        cases,
        prompts: union(headers, "prompt", |header| &header.prompts, |prompt| prompt.id.as_str(), prompt_difference)?,
        models: union(headers, "model", |header| &header.models, |model| model.id.as_str(), model_difference)?,
        ..first.clone()
    })
}

/// What any header has, once, in the order in which it comes first.
fn union<T: Clone>(
    headers: &[&RunHeader],
    what: &str,
    items: fn(&RunHeader) -> &Vec<T>,
    id: fn(&T) -> &str,
    difference: fn(&T, &T) -> Option<&'static str>,
) -> Result<Vec<T>, Error> {
    let mut all: Vec<T> = Vec::new();
    let mut found: HashMap<&str, (&RunHeader, &T)> = HashMap::new();
    for header in headers {
        for item in items(header) {
            let Some((before, same)) = found.get(id(item)) else {
                found.insert(id(item), (header, item));
                all.push(item.clone());
                continue;
            };
            if let Some(part) = difference(same, item) {
                let message =
                    format!("{what} {} is not the same in {} and {}: {part}", id(item), before.name, header.name);
                return Err(
                    Error::usage(message).hint("only parts of one whole can be merged: runs of one state of a project")
                );
            }
        }
    }
    Ok(all)
}

fn case_difference(a: &CaseRecord, b: &CaseRecord) -> Option<&'static str> {
    [
        (a.source != b.source, "its source"),
        (a.required != b.required || a.requirements != b.requirements, "what it requires"),
        (a.vars != b.vars, "its values for templates"),
        (a.tags != b.tags, "its tags"),
    ]
    .into_iter()
    .find_map(|(differs, part)| differs.then_some(part))
}

fn prompt_difference(a: &PromptRecord, b: &PromptRecord) -> Option<&'static str> {
    (a.digest != b.digest).then_some("its text")
}

fn model_difference(a: &ModelRecord, b: &ModelRecord) -> Option<&'static str> {
    [
        (a.provider != b.provider, "its provider"),
        (a.name != b.name, "the name sent"),
        (a.base_url != b.base_url, "its server"),
    ]
    .into_iter()
    .find_map(|(differs, part)| differs.then_some(part))
}

/// What a user may not expect of the whole.
fn warnings(parts: &[OpenRun], lang: Lang) -> Vec<String> {
    let mut warnings = Vec::new();
    for part in parts {
        let run = &part.reader.run;
        let (missing, all) = (run.count(Status::Skipped), run.entries.len());
        if missing > 0 {
            warnings.push(words::part_cut_short(&run.header.name, missing, all, lang));
        }
    }
    let commits: HashSet<_> = parts.iter().map(|part| &part.reader.run.header.commit).collect();
    if commits.len() > 1 {
        warnings.push(words::different_commits(lang));
    }
    warnings
}

/// A digest of the parts and how far they came (SHA-256, hexadecimal). No plan has the same: a plan that asks for answers
/// must not continue a run that only puts some together.
fn digest(parts: &[OpenRun]) -> String {
    let mut digest = Sha256::new();
    let mut part = |part: &dyn Debug| {
        let text = format!("{part:?}");
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    part(&"merged");
    for open in parts {
        let run = &open.reader.run;
        part(&(&run.header.plan_digest, run.header.started_at, Status::ALL.map(|status| run.count(status))));
    }
    base16(&digest.finalize())
}

/// The new run, whose journal is open.
struct Begun {
    folder: PathBuf,
    journal: Arc<Journal>,
    /// What was written before an interruption.
    done: HashSet<TrialId>,
    /// Whether nothing but reports is missing.
    has_end: bool,
}

fn begin(destination: Destination, merged: &Merged<'_>, digest: String, context: &Context) -> Result<Begun, Error> {
    let (folder, journal) = match destination {
        Destination::New { folder, journal, .. } => (folder, journal),
        Destination::Begun(begun) => {
            let BegunRun { folder, journal, reader } = *begun;
            let has_outcome = reader.run.entries.iter().filter(|entry| entry.status != Status::Skipped);
            let done = has_outcome.map(|entry| entry.trial.clone()).collect();
            return Ok(Begun { journal: Arc::new(journal.go_on()?), folder, done, has_end: reader.has_end });
        }
    };
    let header = RunHeader {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        plan_digest: digest,
        started_at: context.environment.now,
        ..merged.header.clone()
    };
    let journal = journal.begin_for(&header, merged.trials.values().map(|(_, entry)| &entry.trial))?;
    Ok(Begun { folder, journal: Arc::new(journal), done: HashSet::new(), has_end: false })
}
