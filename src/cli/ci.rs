//! What a CI service is told of a run beyond its exit code: GitHub's annotations and job summary.
//!
//! Promises to say nothing where no service asks for it, and that a summary which cannot be written fails no pipeline.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::environment::Environment;
use super::error::Error;
use super::load::{Place, shown_from};
use super::runs::OpenRun;
use crate::gate::Gate;
use crate::id::PromptId;
use crate::report::gate::{GateForm, write_gate};
use crate::report::{Lang, ci, markdown};

/// GitHub takes no more of a step's summary.
const MOST_BYTES: usize = 1_000_000;

/// Annotates the prompts and writes the job's summary, on GitHub.
///
/// # Errors
/// An outcome cannot be read.
pub(super) fn tell(
    open: &OpenRun,
    gate: Option<&Gate>,
    lang: Lang,
    place: &Place,
    context: &Context,
) -> Result<(), Error> {
    let environment = &context.environment;
    if environment.variable("GITHUB_ACTIONS").is_none() {
        return Ok(());
    }
    let (run, reader) = (&open.reader.run, &open.reader);
    let file_of = |prompt: &PromptId| file_of(prompt, place, environment);
    let annotations = match gate {
        Some(gate) => ci::of_gate(gate, run, reader, &file_of, lang),
        None => ci::of_run(run, reader, &file_of, lang),
    };
    for annotation in annotations.map_err(Error::file(&open.folder))? {
        context.console.command(&annotation);
    }
    let Some(summary) = environment.variable("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let mut text = Vec::new();
    let written = gate.map_or(Ok(()), |gate| {
        write_gate(gate, run, reader, GateForm::Markdown, lang, &mut text).and_then(|()| writeln!(text))
    });
    written.and_then(|()| markdown::write_summary(run, reader, lang, &mut text)).map_err(Error::file(&open.folder))?;
    if let Err(error) = append(Path::new(summary), &text) {
        context.console.warn(&format!("the job's summary could not be written to {summary}: {error}"));
    }
    Ok(())
}

fn append(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let before = path.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    if before as usize + text.len() > MOST_BYTES {
        return Err(std::io::Error::other("GitHub takes no more than a megabyte"));
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text)
}

/// A prompt's file from the repository's root on, as the services know it; else from the project's.
pub(super) fn file_of(prompt: &PromptId, place: &Place, environment: &Environment) -> String {
    let root = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].into_iter().find_map(|name| environment.variable(name));
    let root = root.map(PathBuf::from).filter(|root| place.root.starts_with(root));
    let file = place.root.join("prompts").join(format!("{prompt}.md"));
    shown_from(root.as_deref().unwrap_or(&place.root), &file).replace('\\', "/")
}
