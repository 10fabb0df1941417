//! `evalrun generate`: man pages and completions, from the same declarations as `--help`, and schemas of the files.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;

use super::args::{Args, GenerateArgs, Generated, SchemaFile};
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use crate::schema;

/// Runs the command.
///
/// # Errors
/// Something cannot be written.
pub(super) fn execute(args: &GenerateArgs, context: &Context) -> Result<Exit, Error> {
    match &args.what {
        Generated::Man(args) => match &args.folder {
            Some(folder) => man_pages(&context.environment.folder.join(folder))?,
            None => drop(context.console.print(|out| clap_mangen::Man::new(Args::command()).render(out))?),
        },
        Generated::Completions(args) => {
            // It panics where it cannot write, such as into a pipe that nobody reads.
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Args::command(), "evalrun", &mut script);
            context.console.print(|out| out.write_all(&script))?;
        }
        Generated::Schema(args) => {
            let schema = match args.file {
                SchemaFile::Project => schema::of_project(),
                SchemaFile::Case => schema::of_case(),
            };
            context.console.print(|out| writeln!(out, "{schema:#}"))?;
        }
    }
    Ok(Exit::Fine)
}

fn man_pages(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    clap_mangen::generate_to(Args::command(), folder).map_err(Error::file(folder))
}
