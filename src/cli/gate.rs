//! `evalrun gate`, and the gate at the end of `run`: a run held against the `[gate]` of evalrun.toml.

use super::args::{GateArgs, GateFormat};
use super::ci;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::load::Loaded;
use super::runs::{Archive, OpenRun, Variant};
use super::words;
use crate::gate::{Baseline, Gate, judge};
use crate::outcome::{Run, Status};
use crate::project::{BASELINE, CasePasses, GateSettings};
use crate::report::Lang;
use crate::report::gate::{GateForm, write_gate, write_gate_json};

/// Runs the command.
///
/// # Errors
/// There is no such run or baseline, or the gate selects nothing of the run.
pub(super) fn execute(args: &GateArgs, context: &Context) -> Result<Exit, Error> {
    let loaded = Loaded::read(context.place()?, &context.console)?;
    let archive = context.archive(Some(&loaded.place));
    let open = archive.open(&args.run)?;
    let run = &open.reader.run;
    let lang = language(args.lang, Some(&loaded.place));
    let Some(settings) = &loaded.project.gate else {
        context.console.say(&no_gate(&loaded, lang));
        return Ok(if is_complete(run) { Exit::Fine } else { Exit::Incomplete });
    };
    fits(settings, run.header.repeats)?;
    let baseline = baseline(settings, args.baseline.as_deref(), archive)?;
    let gate = gate(run, settings, baseline.as_ref())?;
    ci::tell(&open, Some(&gate), lang, &loaded.place, context)?;
    let print = |form| context.console.print(|out| write_gate(&gate, run, &open.reader, form, lang, out));
    match args.format {
        GateFormat::Text => print(GateForm::Text)?,
        GateFormat::Markdown => print(GateForm::Markdown)?,
        GateFormat::Json => context.console.print_json(|out| write_gate_json(&gate, run, out))?,
    };
    Ok(exit(&gate, run))
}

/// That there is no gate, and what that means.
pub(super) fn no_gate(loaded: &Loaded, lang: Lang) -> String {
    let place = &loaded.place;
    words::no_gate(&place.shown(&place.config), lang)
}

/// Whether a case can pass as often as the gate asks for.
///
/// # Errors
/// It is asked less often.
pub(super) fn fits(settings: &GateSettings, repeats: u32) -> Result<(), Error> {
    let Some(message) = misfit(settings, repeats) else { return Ok(()) };
    let CasePasses::AtLeast(number) = settings.case_passes else { return Ok(()) };
    Err(Error::usage(message).hint(format!("ask as often (--repeats {number}), or let fewer be enough")))
}

/// That a case cannot pass as often as the gate asks for, if that is so.
pub(super) fn misfit(settings: &GateSettings, repeats: u32) -> Option<String> {
    let CasePasses::AtLeast(number) = settings.case_passes else { return None };
    let times = if repeats == 1 { "once".to_owned() } else { format!("{repeats} times") };
    let message = format!("[gate] says `case_passes = {number}`, and each case is asked {times}");
    (number > repeats).then_some(message)
}

/// A run to compare with, and which of its variants if one was named.
pub(super) type Named = (OpenRun, Option<Variant>);

/// The run that the gate compares with, if a rule needs one.
///
/// # Errors
/// There is none, or it has no such variant.
pub(super) fn baseline(
    settings: &GateSettings,
    flag: Option<&str>,
    archive: Archive<'_>,
) -> Result<Option<Named>, Error> {
    if !settings.needs_baseline() {
        return Ok(None);
    }
    let name = flag.or(settings.baseline.as_deref()).unwrap_or(BASELINE);
    match archive.open_variant(name) {
        Err(Error::Usage { .. }) if flag.is_none() && !name.contains("::") => {
            let message = format!("the gate compares with the baseline {name}, and there is none");
            Err(Error::usage(message).hint("make one: evalrun run --no-gate, then evalrun baseline set latest"))
        }
        open => open.map(Some),
    }
}

/// Holds a run against the gate.
///
/// # Errors
/// The gate selects nothing of the run.
pub(super) fn gate(run: &Run, settings: &GateSettings, baseline: Option<&Named>) -> Result<Gate, Error> {
    let nothing = || {
        let variants: Vec<String> = run.variants().map(|(prompt, model)| format!("{prompt}@{model}")).collect();
        Error::usage("the gate's prompts and models select nothing of this run")
            .hint(format!("the run has {}", variants.join(", ")))
    };
    let baseline = baseline.map(|(open, variant)| Baseline {
        run: &open.reader.run,
        variant: variant.as_ref().map(|(prompt, model)| (prompt, model)),
    });
    judge(run, settings, baseline).ok_or_else(nothing)
}

/// Says on standard error what the gate came to; what fails a pipeline is said even if little is to be said.
///
/// # Errors
/// An outcome cannot be read.
pub(super) fn say(gate: &Gate, open: &OpenRun, lang: Lang, context: &Context) -> Result<(), Error> {
    let mut text = Vec::new();
    let written = write_gate(gate, &open.reader.run, &open.reader, GateForm::Text, lang, &mut text);
    written.map_err(Error::file(&open.folder))?;
    let text = String::from_utf8_lossy(&text);
    match exit(gate, &open.reader.run) {
        Exit::Fine => context.console.say(text.trim_end()),
        _ => context.console.complain(text.trim_end()),
    }
    Ok(())
}

/// The exit code: a failure that no missing trial could avert, then missing trials, then what the gate says of the rest.
pub(super) fn exit(gate: &Gate, run: &Run) -> Exit {
    use crate::gate::Decision::{Failed, Inconclusive, Passed};
    let missing_elsewhere = run.count(Status::Errored) + run.count(Status::Skipped) > gate.missing.0;
    if gate.surely_failed() {
        return Exit::GateFailed;
    }
    if gate.is_incomplete() || missing_elsewhere {
        return Exit::Incomplete;
    }
    match gate.decision() {
        Failed => Exit::GateFailed,
        Inconclusive if gate.inconclusive_fails => Exit::GateInconclusive,
        Inconclusive | Passed => Exit::Fine,
    }
}

fn is_complete(run: &Run) -> bool {
    run.count(Status::Errored) + run.count(Status::Skipped) == 0
}
