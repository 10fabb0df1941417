//! `evalrun import`: a spreadsheet of cases as JSON lines, each as it would stand in cases/*.jsonl.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use super::args::ImportArgs;
use super::console::counted;
use super::context::Context;
use super::error::{Error, is_lack_of_room};
use super::exit::Exit;
use super::load::shown_from;
use super::spreadsheet;
use crate::case::in_order;

/// Runs the command.
///
/// # Errors
/// The file cannot be read, holds mistakes or no case, or there is already a file where one is to be written.
pub(super) fn execute(args: &ImportArgs, context: &Context) -> Result<Exit, Error> {
    let path = context.path(&args.file);
    if !spreadsheet::is_spreadsheet(&path) {
        let unknown = Error::usage(format!("{} is neither a .csv nor an .xlsx file", args.file.display()));
        return Err(unknown.hint("save the spreadsheet in one of these forms"));
    }
    let shown = shown_from(&context.environment.folder, &path);
    let (mut cases, mut lines, mut files, mut problems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (part, file) in spreadsheet::read(&path, &shown, &context.console).map_err(Error::unopened(&args.file))? {
        files.extend(file);
        match part {
            Ok(rows) => {
                cases.extend(rows.cases);
                lines.extend(rows.json);
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    problems.extend(in_order(cases, &files).err().unwrap_or_default());
    if !problems.is_empty() {
        return Err(Error::Input { file: shown, problems });
    }
    if lines.is_empty() {
        return Err(Error::usage(format!("there are no cases in {shown}")));
    }
    let write = |out: &mut dyn Write| lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    match &args.out {
        None => drop(context.console.print_json(write)?),
        Some(out) => {
            let path = context.path(out);
            write_new(&path, write).map_err(|error| refused(out, error))?;
            context.console.say(&format!("{}: {}", out.display(), counted(lines.len(), "case")));
        }
    }
    Ok(Exit::Fine)
}

/// Writes a file that is not there yet: cases are not overwritten by mistake.
fn write_new(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::new(OpenOptions::new().write(true).create_new(true).open(path)?);
    write(&mut out).and_then(|()| out.flush()).inspect_err(|_| {
        // Half of the cases would pass for all of them, and be in the way of the next call.
        let _ = std::fs::remove_file(path);
    })
}

fn refused(out: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Error::usage(format!("there is already a file {}", out.display())).hint("remove it, or name another");
    }
    if is_lack_of_room(&error) {
        return Error::file(out)(error);
    }
    Error::usage(format!("{} cannot be written: {error}", out.display())).hint("name another file by --out")
}
