//! `evalrun show`: the answers of a run to one case, with the words marked that their verdicts rest on.

use super::args::ShowArgs;
use super::console::counted;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::pager::Pager;
use super::select::Filter;
use crate::outcome::{Entry, Outcomes as _};
use crate::report::terminal::write_outcome;

/// Runs the command.
///
/// # Errors
/// There is no such run, or nothing in it is selected.
pub(super) fn execute(args: &ShowArgs, context: &Context) -> Result<Exit, Error> {
    let place = context.place_if_any()?;
    let open = context.archive(place.as_ref()).open(&args.run)?;
    let run = &open.reader.run;
    let header = &run.header;
    let by_case = Filter::argument("case", &args.case, header.cases.iter().map(|case| case.id.as_str()))?;
    let by_prompt = Filter::new("prompt", &args.prompt, header.prompts.iter().map(|prompt| prompt.id.as_str()))?;
    let by_model = Filter::new("model", &args.model, header.models.iter().map(|model| model.id.as_str()))?;
    let is_selected = |entry: &&Entry| {
        let trial = &entry.trial;
        by_case.matches(trial.case.as_str())
            && by_prompt.matches(trial.prompt.as_str())
            && by_model.matches(trial.model.as_str())
            && args.repeat.is_none_or(|repeat| repeat == trial.repeat)
    };
    let entries: Vec<&Entry> = run.entries.iter().filter(is_selected).collect();
    if entries.is_empty() {
        let repeats = format!("the run has {}, counted from 0", counted(header.repeats as usize, "repeat"));
        return Err(Error::usage(format!("no trial of {} is selected", args.run)).hint(repeats));
    }
    let options = context.console.terminal_options(language(args.lang, place.as_ref()));
    let pager = Pager::find(&context.environment, args.no_pager);
    context.console.page(pager.as_ref(), |out| {
        for (n, entry) in entries.into_iter().enumerate() {
            if n > 0 {
                writeln!(out, "\n{}\n", "─".repeat(options.width))?;
            }
            write_outcome(run, &open.reader.outcome(entry)?, options, out)?;
        }
        Ok(())
    })?;
    Ok(Exit::Fine)
}
