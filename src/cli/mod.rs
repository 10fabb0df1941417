//! The command line: arguments in, a command done, an exit code out. One of the two folders that touch the world.
//!
//! In the order of a call: `environment` is read once, `args` are parsed, `load` (with `spreadsheet`) reads the project, `select` makes the
//! plan; then one file a command. What commands share: `runs` (folders), `reporting` (derived files, as they were `asked` for), `costs` (expected and
//! spent), `judge` (answers
//! before the scorers), `items` and `stream` (many texts), `console` (both streams), `pager`, `ci` (GitHub), `words` (what is said in two languages), `error` and `exit` (how a call ends).

pub mod args;
pub mod exit;
mod failures;

mod environment;
mod pager;
mod console;
mod error;
mod context;
mod commit;
mod spreadsheet;
mod load;
mod runs;
mod select;
mod judge;
mod asked;
mod reporting;
mod signal;
mod words;
mod summary;
mod costs;
mod ci;

mod run;
mod list;
mod check;
mod items;
mod stream;
mod score;
mod calibrate;
mod rescore;
mod merge;
mod report;
mod show;
mod history;
mod cache;
mod mock;
mod compare;
mod gate;
mod baseline;
mod import;
mod init;
mod generate;

use std::process::ExitCode;

use args::{Args, ArgsError, Command, unknown_variables};
use context::Context;
use environment::Environment;
use error::Error;
use exit::Exit;

/// Does what the process was called for.
pub fn main() -> ExitCode {
    signal::survive_file_size_limit();
    let environment = match Environment::capture() {
        Ok(environment) => environment,
        Err(error) => {
            eprintln!("error: the current folder: {error}");
            return Exit::Unexpected.into();
        }
    };
    match args::parse(&environment) {
        Ok(args) => call(args, environment).into(),
        Err(error) => refuse(&error).into(),
    }
}

fn call(args: Args, environment: Environment) -> Exit {
    let context = Context::new(environment, args.common);
    for (name, meant) in unknown_variables(&context.environment) {
        let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        context.console.warn(&format!("{name} is no setting of evalrun{hint}"));
    }
    let result = execute(&args.command, &context);
    result.unwrap_or_else(|error| {
        context.console.report(&error);
        error.exit()
    })
}

fn execute(command: &Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Run(args) => run::execute(args, context),
        Command::List(args) => list::execute(args, context),
        Command::Check(args) => check::execute(args, context),
        Command::Score(args) => score::execute(args, context),
        Command::Report(args) => report::execute(args, context),
        Command::Show(args) => show::execute(args, context),
        Command::History(args) => history::execute(args, context),
        Command::Baseline(args) => baseline::execute(args, context),
        Command::Gate(args) => gate::execute(args, context),
        Command::Compare(args) => compare::execute(args, context),
        Command::Calibrate(args) => calibrate::execute(args, context),
        Command::Rescore(args) => rescore::execute(args, context),
        Command::Merge(args) => merge::execute(args, context),
        Command::Cache(args) => cache::execute(args, context),
        Command::Import(args) => import::execute(args, context),
        Command::Init(args) => init::execute(args, context),
        Command::Generate(args) => generate::execute(args, context),
        Command::Mock(args) => mock::execute(args, context),
    }
}

/// Says what is wrong with the arguments, or prints the text that they ask for.
fn refuse(refused: &ArgsError) -> Exit {
    // Nobody may be reading: that is no failure.
    let _ = refused.error.print();
    if !refused.error.use_stderr() {
        return Exit::Fine;
    }
    if !refused.variables.is_empty() {
        eprintln!("\nhint: set by the environment: {}", refused.variables.join(", "));
    }
    Exit::Usage
}
