//! `evalrun history`: the rates of runs over time, from the folder in which they lie.

use super::args::{HistoryArgs, HistoryFormat};
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::load::shown_from;
use super::runs::{JOURNAL, each_once, read, runs_of};
use crate::report::history::{PastRun, write_csv, write_json};
use crate::report::terminal;

/// Runs the command.
///
/// # Errors
/// There is no run.
pub(super) fn execute(args: &HistoryArgs, context: &Context) -> Result<Exit, Error> {
    let folder = match &args.folder {
        Some(folder) => context.path(folder),
        None => context.place()?.reports(),
    };
    let mut runs = Vec::new();
    for run in runs_of(&folder)? {
        match read(&run.join(JOURNAL)) {
            Ok(reader) => runs.push((run, PastRun::of(&reader.run))),
            Err(error) => {
                let shown = shown_from(&context.environment.folder, &run);
                context.console.warn(&format!("{shown} is left out: {error}"));
            }
        }
    }
    if runs.is_empty() {
        let shown = shown_from(&context.environment.folder, &folder);
        return Err(Error::usage(format!("there is no run in {shown}")).hint("make one: evalrun run"));
    }
    let runs = each_once(runs, |run| (run.started_at, &run.plan_digest));
    match args.format {
        HistoryFormat::Text => {
            let lang = language(args.lang, context.place_if_any()?.as_ref());
            let options = context.console.terminal_options(lang);
            context.console.print(|out| terminal::write_history(&runs, args.property, options, out))?;
        }
        HistoryFormat::Json => {
            context.console.print_json(|out| write_json(&runs, out))?;
        }
        HistoryFormat::Csv => {
            context.console.print(|out| write_csv(&runs, out))?;
        }
    }
    Ok(Exit::Fine)
}
