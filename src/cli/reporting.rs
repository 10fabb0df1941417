//! The files that derive from a run's journal, and which of its variants are compared.
//!
//! Promises that a file is replaced as a whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use super::args::ReportingArgs;
use super::asked::{ASKED, Asked};
use super::error::Error;
use super::runs::{Archive, JOURNAL, OpenRun, Variant, each_once, read, runs_of};
use crate::compare::{Arm, counterpart};
use crate::engine::read_head;
use crate::id::{ModelId, PromptId};
use crate::outcome::RunHead;
use crate::report::ci::write_junit;
use crate::report::csv::{Bom, write_metrics, write_scores, write_summary};
use crate::report::diff::{Diff, DiffOptions, Side, against_first_prompt, write_html, write_markdown};
use crate::report::history::PastRun;
use crate::report::page::{MOST_BYTES, write_report};
use crate::report::xlsx::workbook;
use crate::report::{Lang, markdown};

/// The derived files, in the order in which they are named to the user.
pub(super) const FILES: [&str; 8] =
    ["report.html", "metrics.csv", "scores.csv", "summary.csv", "summary.md", "diff.md", "diff.html", "junit.xml"];

/// The workbook, which is written where it is asked for.
pub(super) const WORKBOOK: &str = "report.xlsx";

/// The derived files that are in a run's folder, as they are named to the user.
pub(super) fn files_in(folder: &Path) -> String {
    let workbook = folder.join(WORKBOOK).is_file().then_some(WORKBOOK);
    FILES.into_iter().chain(workbook).collect::<Vec<_>>().join(", ")
}

/// Whether all derived files are in a run's folder, and none is half written.
pub(super) fn are_there(folder: &Path) -> bool {
    FILES.iter().all(|name| folder.join(name).is_file() && !folder.join(half_written(name)).exists())
}

fn half_written(name: &str) -> String {
    format!(".{name}.new")
}

/// How a run's reports are written.
#[derive(Debug)]
pub(super) struct Reporting {
    bom: Bom,
    /// Whether the workbook is asked for.
    workbook: bool,
    /// The language of the reports' own words.
    pub lang: Lang,
    compared: Compared,
    asked: Asked,
}

/// Whose answers are compared.
#[derive(Debug)]
enum Compared {
    /// Each further prompt with the first.
    WithFirstPrompt,
    /// Two prompts, by `--diff A..B`.
    Prompts(PromptId, PromptId),
    /// With another run.
    WithRun(Box<OpenRun>, Option<Variant>),
}

impl Reporting {
    /// What the flags say, for a run with these prompts.
    ///
    /// # Errors
    /// `--diff` names a prompt that takes no part, `--baseline` names no run.
    pub(super) fn new(
        args: &ReportingArgs,
        lang: Lang,
        prompts: &[&PromptId],
        archive: Archive<'_>,
    ) -> Result<Self, Error> {
        let compared = match (&args.diff, &args.baseline) {
            (Some(diff), _) => {
                let (base, candidate) = parse_diff(diff, prompts)?;
                Compared::Prompts(base, candidate)
            }
            (None, Some(run)) => {
                let (open, variant) = archive.open_variant(run)?;
                Compared::WithRun(Box::new(open), variant)
            }
            (None, None) => Compared::WithFirstPrompt,
        };
        let bom = if args.no_bom { Bom::Without } else { Bom::With };
        Ok(Self { bom, workbook: args.xlsx, lang, compared, asked: Asked::by(args) })
    }

    /// Writes all derived files into the run's folder.
    ///
    /// # Errors
    /// A file cannot be written, or the journal cannot be read any more.
    pub(super) fn write(&self, open: &OpenRun) -> Result<(), Error> {
        self.write_all(open).map_err(failed(open))
    }

    fn write_all(&self, open: &OpenRun) -> Result<(), (PathBuf, io::Error)> {
        let (run, reader) = (&open.reader.run, &open.reader);
        let diffs = self.diffs(open);
        let options = DiffOptions { lang: self.lang, ..DiffOptions::default() };
        let mut files: Vec<(&str, WriteFile<'_>)> = vec![
            ("report.html", Box::new(|out| self.write_page(open, out))),
            ("metrics.csv", Box::new(|out| write_metrics(run, out, self.bom))),
            ("scores.csv", Box::new(|out| write_scores(run, reader, out, self.bom))),
            ("summary.csv", Box::new(|out| write_summary(run, out, self.bom))),
            ("summary.md", Box::new(|out| markdown::write_summary(run, reader, self.lang, out))),
            ("diff.md", Box::new(|out| write_markdown(&diffs, options, out))),
            ("diff.html", Box::new(|out| write_html(&diffs, options, out))),
            ("junit.xml", Box::new(|out| self.write_junit(open, out))),
        ];
        // One that is there from an earlier call would else tell of an earlier state of the run.
        if self.workbook || open.folder.join(WORKBOOK).is_file() {
            files.push((WORKBOOK, Box::new(|out| out.write_all(&workbook(run, reader)?))));
        }
        let path = open.folder.join(ASKED);
        match self.asked.text() {
            Some(text) => files.push((ASKED, Box::new(move |out| out.write_all(text.as_bytes())))),
            None if path.is_file() => fs::remove_file(&path).map_err(|error| (path, error))?,
            None => {}
        }
        replace_all(&open.folder, &files)
    }

    /// Writes report.html to `out`.
    ///
    /// # Errors
    /// `out` cannot be written, or the journal cannot be read any more.
    pub(super) fn write_page(&self, open: &OpenRun, out: &mut dyn Write) -> io::Result<()> {
        write_report(&open.reader.run, &open.reader, &earlier(open), self.lang, MOST_BYTES, out)
    }

    /// Writes junit.xml to `out`.
    ///
    /// # Errors
    /// `out` cannot be written, or the journal cannot be read any more.
    pub(super) fn write_junit(&self, open: &OpenRun, out: &mut dyn Write) -> io::Result<()> {
        let options = DiffOptions { lang: self.lang, ..DiffOptions::default() };
        write_junit(&open.reader.run, &open.reader, &self.diffs(open), options, out)
    }

    fn diffs<'a>(&'a self, open: &'a OpenRun) -> Vec<Diff<'a>> {
        match &self.compared {
            Compared::WithFirstPrompt => against_first_prompt(&open.reader.run, &open.reader),
            Compared::Prompts(base, candidate) => {
                let models = open.reader.run.header.models.iter().map(|model| &model.id);
                models
                    .map(|model| Diff { base: side(open, base, model), candidate: side(open, candidate, model) })
                    .collect()
            }
            Compared::WithRun(base, variant) => {
                let named = |open: &OpenRun| Some(open.reader.run.header.name.clone());
                let among: Vec<_> = match variant {
                    Some((prompt, model)) => vec![(prompt, model)],
                    None => base.reader.run.variants().collect(),
                };
                let pair = |(prompt, model)| {
                    let candidate = Arm { run: &open.reader.run, prompt, model };
                    let (base_prompt, base_model) = counterpart(&base.reader.run, &among, candidate)?;
                    Some(Diff {
                        base: Side { run_name: named(base), ..side(base, base_prompt, base_model) },
                        candidate: Side { run_name: named(open), ..side(open, prompt, model) },
                    })
                };
                open.reader.run.variants().filter_map(pair).collect()
            }
        }
    }
}

/// The most earlier runs that a page shows.
const MOST_EARLIER: usize = 11;

/// What the runs beside this one came to that began before it, as far as they compare: judged by the same scorers, with a
/// variant in common. The oldest first.
fn earlier(open: &OpenRun) -> Vec<PastRun> {
    let header = &open.reader.run.header;
    let shares_variant = |other: &RunHead| {
        let has_prompt = header.prompts.iter().any(|own| other.prompts.contains(&own.id));
        has_prompt && header.models.iter().any(|own| other.models.contains(&own.id))
    };
    // What cannot be read shows no trend; `evalrun history` says why.
    let runs = open.folder.parent().and_then(|reports| runs_of(reports).ok()).unwrap_or_default();
    let found = runs
        .into_iter()
        .filter(|run| *run != open.folder)
        .filter_map(|run| Some((read_head(&run.join(JOURNAL)).ok()?, run)))
        .filter(|(other, _)| other.started_at < header.started_at && other.scorer_version == header.scorer_version)
        .filter(|(other, _)| shares_variant(other))
        .map(|(other, run)| (run.clone(), (other, run.join(JOURNAL))));
    let mut found = each_once(found.collect(), |(other, _)| (other.started_at, &other.plan_digest));
    let latest = found.split_off(found.len().saturating_sub(MOST_EARLIER));
    latest.iter().filter_map(|(_, journal)| Some(PastRun::of(&read(journal).ok()?.run))).collect()
}

/// Writes the workbook alone into a run's folder.
///
/// # Errors
/// It cannot be written, or the journal cannot be read any more.
pub(super) fn write_workbook(open: &OpenRun) -> Result<(), Error> {
    let OpenRun { folder, reader } = open;
    let write: WriteFile<'_> = Box::new(|out| out.write_all(&workbook(&reader.run, reader)?));
    replace_all(folder, &[(WORKBOOK, write)]).map_err(failed(open))
}

/// That a file of a run's folder cannot be written.
fn failed(open: &OpenRun) -> impl FnOnce((PathBuf, io::Error)) -> Error {
    let folder = open.folder.clone();
    |(path, source)| Error::Report { path, folder, source }
}

fn side<'a>(open: &'a OpenRun, prompt: &'a PromptId, model: &'a ModelId) -> Side<'a> {
    Side { run: &open.reader.run, outcomes: &open.reader, prompt, model, run_name: None }
}

/// The prompts of `A..B`; ids may themselves hold two points.
fn parse_diff(text: &str, prompts: &[&PromptId]) -> Result<(PromptId, PromptId), Error> {
    let known = |name: &str| prompts.iter().find(|prompt| prompt.as_str() == name).map(|prompt| (*prompt).clone());
    let mut splits: Vec<(&str, &str)> =
        (0..text.len()).filter_map(|at| Some((text.get(..at)?, text.get(at..)?.strip_prefix("..")?))).collect();
    if let Some(pair) = splits.iter().find_map(|(base, candidate)| Some((known(base)?, known(candidate)?))) {
        return Ok(pair);
    }
    let Some((base, candidate)) = splits.pop() else {
        return Err(Error::usage(format!("--diff {text}: expected two prompts")).hint("write A..B"));
    };
    let stranger = if known(base).is_none() { base } else { candidate };
    let unknown = Error::usage(format!("--diff {text}: the prompt `{stranger}` takes no part in this run"));
    Err(unknown.did_you_mean(stranger, "prompts", prompts.iter().map(|prompt| prompt.as_str())))
}

/// What writes a file.
type WriteFile<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + Sync + 'a>;

/// Writes files side by side, as many at once as there are cores; of several errors the first file's is told.
fn replace_all(folder: &Path, files: &[(&str, WriteFile<'_>)]) -> Result<(), (PathBuf, io::Error)> {
    let next = AtomicUsize::new(0);
    let take = || {
        let n = next.fetch_add(1, Relaxed);
        files.get(n).map(|file| (n, file))
    };
    let write_some = || {
        let mut failed = Vec::new();
        while let Some((n, (name, write))) = take() {
            failed.extend(replace(folder, name, write).err().map(|error| (n, error)));
        }
        failed
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let failed = thread::scope(|scope| {
        let others: Vec<_> = (1..cores.min(files.len())).map(|_| scope.spawn(write_some)).collect();
        let own = write_some();
        let others = others.into_iter().flat_map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        own.into_iter().chain(others).min_by_key(|(n, _)| *n)
    });
    failed.map_or(Ok(()), |(_, error)| Err(error))
}

fn replace(folder: &Path, name: &str, write: &WriteFile<'_>) -> Result<(), (PathBuf, io::Error)> {
    let (path, new) = (folder.join(name), folder.join(half_written(name)));
    let write_new = || {
        let mut out = BufWriter::new(fs::File::create(&new)?);
        write(&mut out)?;
        out.flush()?;
        fs::rename(&new, &path)
    };
    write_new().map_err(|error| {
        let _ = fs::remove_file(&new);
        (path, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_prompts_are_told_apart_even_with_points_in_their_names() {
        let ids: Vec<PromptId> = ["a", "b..c", "b"].iter().map(|id| id.parse().unwrap()).collect();
        let prompts: Vec<&PromptId> = ids.iter().collect();
        for (text, expected) in
            [("a..b", Some(("a", "b"))), ("b..c..a", Some(("b..c", "a"))), ("a", None), ("a..x", None)]
        {
            let pair = parse_diff(text, &prompts).ok();
            let pair = pair.as_ref().map(|(base, candidate)| (base.as_str(), candidate.as_str()));
            assert_eq!(pair, expected, "{text}");
        }
    }
}
