//! `evalrun report`: the files that derive from a run's journal, written again, and the run printed; or one of its forms
//! printed, and nothing written.

use std::fs;

use super::args::{ReportArgs, ReportFormat, ReportingArgs, TextOrJson};
use super::asked::Asked;
use super::ci;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::load::{Loaded, Place, shown_from};
use super::pager::Pager;
use super::reporting::{Reporting, WORKBOOK, files_in, write_workbook};
use super::runs::OpenRun;
use super::summary;
use super::words;
use crate::id::PromptId;
use crate::outcome::Status;
use crate::report::ci::{write_code_quality, write_tap};
use crate::report::csv::{Bom, write_metrics};
use crate::report::{markdown, terminal};

/// How the files are written: as the flags say, else as they were.
///
/// # Errors
/// `--diff` names a prompt that takes no part, `--baseline` names no run.
fn reporting(
    args: &ReportArgs,
    open: &OpenRun,
    prompts: &[&PromptId],
    place: Option<&Place>,
    context: &Context,
) -> Result<Reporting, Error> {
    let asked = Asked::of(&open.folder)?.under(&args.reporting);
    let lang = language(asked.lang, place);
    let archive = context.archive(place);
    match (Reporting::new(&asked, lang, prompts, archive), &asked.baseline) {
        (Err(_), Some(baseline)) if args.reporting.baseline.is_none() => {
            context.console.warn(&words::lost_baseline(baseline, lang));
            Reporting::new(&ReportingArgs { baseline: None, ..asked }, lang, prompts, archive)
        }
        (reporting, _) => reporting,
    }
}

/// Runs the command.
///
/// # Errors
/// There is no such run, or a file cannot be written.
pub(super) fn execute(args: &ReportArgs, context: &Context) -> Result<Exit, Error> {
    let place = context.place_if_any()?;
    let archive = context.archive(place.as_ref());
    let open = archive.open(&args.run)?;
    let run = &open.reader.run;
    let prompts: Vec<_> = run.header.prompts.iter().map(|prompt| &prompt.id).collect();
    let reporting = reporting(args, &open, &prompts, place.as_ref(), context)?;
    // Who asks for one form alone finds the run's folder as it was.
    let written = match args.format {
        ReportFormat::Text => {
            reporting.write(&open)?;
            Some(files_in(&open.folder))
        }
        _ if args.format == ReportFormat::Xlsx || args.reporting.xlsx => {
            write_workbook(&open)?;
            Some(WORKBOOK.to_owned())
        }
        _ => None,
    };
    match args.format {
        ReportFormat::Text => {
            let pager = Pager::find(&context.environment, args.no_pager);
            let options = context.console.terminal_options(reporting.lang);
            context.console.page(pager.as_ref(), |out| terminal::write_run(run, &open.reader, options, out))?;
        }
        ReportFormat::Json => summary::print(&open, reporting.lang, TextOrJson::Json, context)?,
        ReportFormat::Markdown => {
            context.console.print(|out| markdown::write_summary(run, &open.reader, reporting.lang, out))?;
        }
        ReportFormat::Csv => {
            context.console.print(|out| write_metrics(run, out, Bom::Without))?;
        }
        // A terminal is no place for a workbook: the file in the run's folder is named below.
        ReportFormat::Xlsx if context.console.stdout.is_terminal => {}
        ReportFormat::Xlsx => {
            let workbook = fs::read(open.folder.join(WORKBOOK)).map_err(Error::file(&open.folder))?;
            context.console.print(|out| out.write_all(&workbook))?;
        }
        ReportFormat::Html => {
            context.console.print(|out| reporting.write_page(&open, out))?;
        }
        ReportFormat::Junit => {
            context.console.print(|out| reporting.write_junit(&open, out))?;
        }
        ReportFormat::Tap => {
            context.console.print(|out| write_tap(run, &open.reader, reporting.lang, out))?;
        }
        ReportFormat::CodeQuality => {
            let loaded = context.place_if_any()?.map(|place| Loaded::read(place, &context.console)).transpose()?;
            let gate = loaded.as_ref().and_then(|loaded| loaded.project.gate.as_ref());
            let file_of = |prompt: &PromptId| match &loaded {
                Some(loaded) => ci::file_of(prompt, &loaded.place, &context.environment),
                None => format!("prompts/{prompt}.md"),
            };
            let lang = reporting.lang;
            context.console.print_json(|out| write_code_quality(run, &open.reader, gate, &file_of, lang, out))?;
        }
    }
    for warning in summary::warnings(run, reporting.lang) {
        context.console.warn(&warning);
    }
    if !run.finished {
        context.console.say(&words::cut_short(run.count(Status::Skipped), reporting.lang));
    }
    if let Some(files) = written {
        let folder = shown_from(&context.environment.folder, &open.folder);
        context.console.say(&words::reports(&folder, &files, reporting.lang));
    }
    Ok(Exit::Fine)
}
