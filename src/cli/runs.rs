//! Runs on disk: found by the name a user gives, begun in a new folder, continued, kept aside.
//!
//! Promises that a finished run is never overwritten and that one folder never holds two plans.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::Offset;

use super::environment::Environment;
use super::error::{Error, is_lack_of_room};
use super::load::{Place, entries, shown_from};
use super::reporting;
use crate::engine::{JournalError, JournalFile, JournalReader, read_head};
use crate::id::{ModelId, PromptId};
use crate::project::BASELINE;
use crate::score::SCORER_VERSION;

/// The name of a run's journal in its folder.
pub(super) const JOURNAL: &str = "run.jsonl";

/// A run that was read, with its folder.
#[derive(Debug)]
pub(super) struct OpenRun {
    /// Its folder.
    pub folder: PathBuf,
    /// Its journal.
    pub reader: JournalReader,
}

/// One variant of a run.
pub(super) type Variant = (PromptId, ModelId);

/// Where runs are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Archive<'a> {
    /// The project, if there is one.
    pub place: Option<&'a Place>,
    /// Where the user is.
    pub environment: &'a Environment,
}

impl Archive<'_> {
    /// Reads the run that `text` names: a folder, a run.jsonl, a name in reports/, or `latest`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub(super) fn open(&self, text: &str) -> Result<OpenRun, Error> {
        let journal = self.find(text)?;
        let folder = journal.parent().map(Path::to_owned).unwrap_or_default();
        Ok(OpenRun { reader: read(&journal)?, folder })
    }

    /// Reads the run of `RUN` or `RUN::PROMPT@MODEL`.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it has no such variant.
    pub(super) fn open_variant(&self, text: &str) -> Result<(OpenRun, Option<Variant>), Error> {
        let Some((name, variant)) = text.split_once("::") else { return Ok((self.open(text)?, None)) };
        let open = self.open(name)?;
        let names: Vec<String> =
            open.reader.run.variants().map(|(prompt, model)| format!("{prompt}@{model}")).collect();
        let found = open.reader.run.variants().find(|(prompt, model)| variant == format!("{prompt}@{model}"));
        let found = found.map(|(prompt, model)| (prompt.clone(), model.clone()));
        let unknown = || Error::usage(format!("the run {name} has no variant {variant}"));
        let missing = || unknown().did_you_mean(variant, "variants", names.iter().map(String::as_str));
        let found = found.ok_or_else(missing)?;
        Ok((open, Some(found)))
    }

    fn find(&self, text: &str) -> Result<PathBuf, Error> {
        let runs = self.place.map(|place| runs_of(&place.reports())).transpose()?.unwrap_or_default();
        if text == "latest" {
            // What is held against the baseline must not be the baseline itself.
            let runs = runs.iter().filter(|run| !is_baseline(run));
            let latest = runs.filter_map(|run| Some((read_head(&run.join(JOURNAL)).ok()?.started_at, run)));
            let latest = latest.max_by_key(|(started_at, _)| *started_at).map(|(_, run)| run.join(JOURNAL));
            return latest.ok_or_else(|| Error::usage("there is no run yet").hint("make one: evalrun run"));
        }
        let path = self.environment.folder.join(text);
        let named = self.place.map(|place| place.reports().join(text).join(JOURNAL));
        let candidates = [Some(path.clone()), Some(path.join(JOURNAL)), named];
        if let Some(found) = candidates.into_iter().flatten().find(|path| path.is_file()) {
            return Ok(found);
        }
        if text == BASELINE {
            let make = "make one of a run that you are content with: evalrun baseline set latest";
            return Err(Error::usage("there is no baseline yet").hint(make));
        }
        let names: Vec<&str> = runs.iter().filter_map(|run| run.file_name()?.to_str()).collect();
        Err(Error::usage(format!("there is no run {text}")).did_you_mean(text, "runs", names))
    }
}

/// Reads a run, which is called by its folder: that may have been renamed, or copied, since the run was made.
///
/// # Errors
/// There is none, or it cannot be read.
pub(super) fn read(journal: &Path) -> Result<JournalReader, JournalError> {
    let mut reader = JournalReader::open(journal)?;
    if let Some(name) = journal.parent().and_then(Path::file_name) {
        reader.run.header.name = name.to_string_lossy().into_owned();
    }
    Ok(reader)
}

/// The folders below `reports` that hold a run, by name.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn runs_of(reports: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut runs = entries(reports)?;
    runs.retain(|run| run.join(JOURNAL).is_file());
    Ok(runs)
}

/// Runs in the order in which they began, each once: a baseline, a link or a copy beside a run is no other run.
pub(super) fn each_once<T>(runs: Vec<(PathBuf, T)>, began: impl Fn(&T) -> (Timestamp, &str)) -> Vec<T> {
    let mut runs: Vec<_> =
        runs.into_iter().map(|(folder, run)| (is_baseline(&folder) || folder.is_symlink(), folder, run)).collect();
    runs.sort_by(|(stands_in, folder, run), (other_stands_in, other_folder, other)| {
        (began(run), stands_in, folder).cmp(&(began(other), other_stands_in, other_folder))
    });
    runs.dedup_by(|(.., one), (.., other)| began(one) == began(other));
    runs.into_iter().map(|(.., run)| run).collect()
}

fn is_baseline(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == BASELINE)
}

/// Where the outcomes of a plan go. Its journal is locked before it is read, so that of two processes only one goes on.
#[derive(Debug)]
pub(super) enum Destination {
    /// Into a new run, whose journal has no line yet.
    New {
        /// Its folder.
        folder: PathBuf,
        /// Its journal.
        journal: JournalFile,
        /// Where a finished run of the same plan, which was in the way, is kept now.
        aside: Option<PathBuf>,
    },
    /// Into a run that is there.
    Begun(Box<BegunRun>),
}

/// A run to go on with.
#[derive(Debug)]
pub(super) struct BegunRun {
    /// Its folder.
    pub folder: PathBuf,
    /// Its journal.
    pub journal: JournalFile,
    /// What it holds.
    pub reader: JournalReader,
}

impl BegunRun {
    fn open(folder: &Path) -> Result<Self, JournalError> {
        let journal = JournalFile::open(&folder.join(JOURNAL))?;
        Ok(Self { folder: folder.to_owned(), reader: journal.read()?, journal })
    }
}

/// Whether there is nothing left to do for a run: it came to its end, and all its reports are there.
///
/// A run of another evalrun may have other reports.
fn is_complete(folder: &Path, reader: &JournalReader) -> bool {
    let is_of_this_version = reader.run.header.tool_version == env!("CARGO_PKG_VERSION");
    reader.has_end && (!is_of_this_version || reporting::are_there(folder))
}

impl Destination {
    /// The folder for a plan: `out`, or a run of the same plan in reports/ with something left to do, or a new one there.
    ///
    /// # Errors
    /// `out` holds another plan, or something that is no run; another process is at it.
    pub(super) fn choose(
        out: Option<&Path>,
        digest: &str,
        place: &Place,
        environment: &Environment,
    ) -> Result<Self, Error> {
        match out {
            Some(out) => Self::given(environment.folder.join(out), digest, environment),
            None => Self::in_reports(&place.reports(), digest, environment.now)
                .map_err(unusable(&place.shown(&place.reports()))),
        }
    }

    fn given(folder: PathBuf, digest: &str, environment: &Environment) -> Result<Self, Error> {
        let folder = folder.components().collect::<PathBuf>();
        let shown = shown_from(&environment.folder, &folder);
        let elsewhere = "choose another folder by --out, or move this one away";
        if folder.is_file() {
            return Err(Error::usage(format!("{shown} is a file")).hint(elsewhere));
        }
        let unusable = unusable(&shown);
        if !folder.join(JOURNAL).exists() && !entries(&folder).map_err(&unusable)?.is_empty() {
            return Err(Error::usage(format!("{shown} holds other files and no run")).hint(elsewhere));
        }
        fs::create_dir_all(&folder).map_err(Error::file(&folder)).map_err(&unusable)?;
        let journal = JournalFile::open(&folder.join(JOURNAL)).map_err(Error::from).map_err(&unusable)?;
        let reader = match journal.read() {
            Ok(reader) => reader,
            Err(JournalError::Empty { .. }) => return Ok(Self::New { folder, journal, aside: None }),
            Err(error) => return Err(error.into()),
        };
        let header = &reader.run.header;
        if header.plan_digest != digest {
            let message = format!("{shown} holds a run of another plan ({})", short(&header.plan_digest));
            return Err(Error::usage(message).hint(elsewhere));
        }
        if is_complete(&folder, &reader) {
            let aside = free_name(&folder, &format!("-{}", stamp(header.started_at)));
            move_away(&folder, &aside, (journal, reader)).map_err(Error::file(&folder))?;
            // Whoever else makes the folder anew meanwhile has its lock.
            return match Self::given(folder, digest, environment)? {
                Self::New { folder, journal, .. } => Ok(Self::New { folder, journal, aside: Some(aside) }),
                begun @ Self::Begun(_) => Ok(begun),
            };
        }
        if header.scorer_version != SCORER_VERSION {
            let message = format!("{shown} holds an unfinished run that other scorers judged");
            return Err(Error::usage(message).hint(elsewhere));
        }
        Ok(Self::Begun(Box::new(BegunRun { folder, journal, reader })))
    }

    fn in_reports(reports: &Path, digest: &str, now: Timestamp) -> Result<Self, Error> {
        let mark = format!("-{}", short(digest));
        let is_of_plan = |run: &PathBuf| run.file_name().is_some_and(|name| name.to_string_lossy().contains(&mark));
        let goes_on = |folder: &Path, reader: &JournalReader| {
            let header = &reader.run.header;
            let is_of_plan = header.plan_digest == digest && header.scorer_version == SCORER_VERSION;
            is_of_plan && !is_complete(folder, reader)
        };
        for folder in runs_of(reports)?.into_iter().rev().filter(is_of_plan) {
            // What cannot be read is no run to continue; whoever asks for it by name is told why.
            let Ok(reader) = JournalReader::open(&folder.join(JOURNAL)) else { continue };
            if !goes_on(&folder, &reader) {
                continue;
            }
            let begun = BegunRun::open(&folder)?;
            // Another process may have finished it before the lock was there.
            if goes_on(&folder, &begun.reader) {
                return Ok(Self::Begun(Box::new(begun)));
            }
        }
        fs::create_dir_all(reports).map_err(Error::file(reports))?;
        let folder = new_folder(&reports.join(format!("{}{mark}", stamp(now))))?;
        let journal = JournalFile::open(&folder.join(JOURNAL))?;
        Ok(Self::New { folder, journal, aside: None })
    }
}

/// Whatever keeps a folder from holding a run is a mistake of the call, but for a lack of room, which may be mended.
fn unusable(shown: &str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::File { source, .. } | Error::Journal(JournalError::Io { source, .. }) if !is_lack_of_room(&source) => {
            Error::usage(format!("no run can be kept in {shown}: {source}")).hint("choose another folder by --out")
        }
        other => other,
    }
}

/// Renames the folder of a run, which stays locked until it is at its new place where the system allows that.
fn move_away<T>(folder: &Path, aside: &Path, locked: T) -> io::Result<()> {
    let locked = (!cfg!(windows)).then_some(locked);
    let renamed = fs::rename(folder, aside);
    drop(locked);
    renamed
}

/// Makes a folder that nobody else has, with a number where its name is taken.
fn new_folder(folder: &Path) -> Result<PathBuf, Error> {
    let mut name = folder.to_owned();
    loop {
        match fs::create_dir(&name) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => name = free_name(folder, ""),
            Err(error) => return Err(Error::file(&name)(error)),
        }
    }
}

/// `folder` with `suffix`, and a number where that name is taken.
fn free_name(folder: &Path, suffix: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let first = std::iter::once(format!("{name}{suffix}")).filter(|_| !suffix.is_empty());
    let names = first.chain((2..).map(|n| format!("{name}{suffix}-{n}")));
    let mut paths = names.map(|name| folder.with_file_name(name));
    paths.find(|path| !path.exists()).expect("there are names without end")
}

/// The six digits of a digest that names show.
pub(super) fn short(digest: &str) -> &str {
    digest.get(..6).unwrap_or(digest)
}

/// A moment as names show it: `20250630T070000Z`.
pub(super) fn stamp(moment: Timestamp) -> String {
    Offset::UTC.to_datetime(moment).strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_its_time_and_plan() {
        let moment: Timestamp = "2025-06-30T07:00:00.9+09:00".parse().unwrap();
        assert_eq!(format!("{}-{}", stamp(moment), short("0123456789")), "20250629T220000Z-012345");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        assert_eq!(free_name(&run, "-x"), folder.path().join("run-x"));
        fs::create_dir(folder.path().join("run-x")).unwrap();
        assert_eq!(free_name(&run, "-x"), folder.path().join("run-x-2"));
        assert_eq!(free_name(&run, ""), folder.path().join("run-2"));
    }
}
