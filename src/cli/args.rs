//! The arguments: one struct a command, with the help that a newcomer reads.
//!
//! Promises that every flag in [`FROM_ENVIRONMENT`] can also be set by a variable (`--no-bom` by `EVALRUN_NO_BOM`), which
//! the same parser checks, and that a flag wins over its variable.

mod cache;
mod calibrate;
mod compare;
mod gate;
mod generate;
mod history;
mod init;
mod merge;
mod mock;
mod report;
mod run;
mod score;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use crate::diagnostic::closest;
use crate::outcome::Subject;
use crate::project::BASELINE;
use crate::property::Property;
use crate::report::Lang;

pub use cache::{CacheAction, CacheCommandArgs, CacheExportArgs, CachePruneArgs, CacheStatsArgs};
pub use calibrate::{CalibrateArgs, CalibrateFormat};
pub use compare::{CompareArgs, CompareFormat};
pub use gate::{BaselineArgs, BaselineCommand, BaselineSetArgs, BaselineShowArgs, GateArgs, GateFormat};
pub use generate::{CompletionsArgs, GenerateArgs, Generated, ManArgs, SchemaArgs, SchemaFile};
pub use history::{HistoryArgs, HistoryFormat};
pub use init::InitArgs;
pub use merge::MergeArgs;
pub use mock::MockArgs;
pub use report::{ReportArgs, ReportFormat, ShowArgs};
pub use run::{BudgetArgs, CacheArgs, RunArgs};
pub use score::{RescoreArgs, ScoreArgs};

/// The flags that a variable can set: `EVALRUN_` and the flag's name in capitals.
pub const FROM_ENVIRONMENT: [&str; 27] = [
    "baseline",
    "cache",
    "case",
    "concurrency",
    "config",
    "diff",
    "fail-fast",
    "failed-of",
    "format",
    "jobs",
    "lang",
    "log-format",
    "max-cost",
    "max-requests",
    "max-tokens",
    "model",
    "no-bom",
    "no-cache",
    "no-pager",
    "out",
    "prompt",
    "quiet",
    "refresh",
    "repeats",
    "shard",
    "tag",
    "xlsx",
];

const EXIT_CODES: &str = "\
Exit codes:
  0  fine
  1  something unexpected: a fault of evalrun, a full disk
  2  a mistake in the call, in a file, or no key: nothing was sent
  3  some trials have no outcome (errors, or the budget is used up), so the figures are incomplete
  4  the gate failed
  5  the gate could not decide, and [gate] says that this counts
  130, 143  interrupted: the same command continues the run

Settings: a flag wins over its variable (--repeats: EVALRUN_REPEATS), that over evalrun.toml, that over the default. In
evalrun.toml, [run] may have prompts, models, repeats, concurrency, max_cost, max_requests, max_tokens and lang.
Results go to standard output, everything else to standard error.";

/// The test runner for prompts.
#[derive(Debug, Parser)]
#[command(
    name = "evalrun",
    version,
    about = "The test runner for prompts: cases, prompts and models in, verdicts with evidence out",
    long_about = "The test runner for prompts.\n\n\
        A case is a news item with what is required of an article about it; a prompt is a template; a model answers. \
        `evalrun run` puts every case through every prompt to every model, judges each answer with the words that the \
        verdict rests on, and writes spreadsheets and diffs.\n\n\
        Begin with `evalrun init`, then `evalrun run`, and look into the folder that it names.",
    after_long_help = EXIT_CODES,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
pub struct CommonArgs {
    /// The project's evalrun.toml [default: the nearest one, from here upwards]
    #[arg(long, value_name = "FILE", global = true, help_heading = "General")]
    pub config: Option<PathBuf>,
    /// Say nothing but errors and results
    #[arg(long, short, global = true, help_heading = "General")]
    pub quiet: bool,
    /// Say more while it goes on: each failed attempt, each outcome; twice: each attempt, and what each outcome took
    #[arg(long, short, global = true, help_heading = "General", conflicts_with = "quiet", action = ArgAction::Count)]
    pub verbose: u8,
    /// How standard error is written
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true, help_heading = "General")]
    pub log_format: LogFormat,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small project to begin with
    Init(InitArgs),
    /// Ask, judge and report: the main command
    Run(RunArgs),
    /// Show what `run` would do: trials, requests, estimated tokens and cost
    List(ListArgs),
    /// Find everything that is wrong with a project before a request is sent
    Check(CheckArgs),
    /// Judge texts that are there already, without a project
    Score(ScoreArgs),
    /// Judge a run's answers anew, with today's requirements, without a request
    Rescore(RescoreArgs),
    /// Put runs of parts of a plan together, such as the shards of a pipeline
    Merge(MergeArgs),
    /// Write a run's reports again and print them
    Report(ReportArgs),
    /// Show one answer of a run with its evidence marked
    Show(ShowArgs),
    /// Show how the rates of runs went over time
    History(HistoryArgs),
    /// Compare variants on the same cases: which is better, on which, how sure is that
    Compare(CompareArgs),
    /// Hold a run against the gate of evalrun.toml
    Gate(GateArgs),
    /// Keep a run under version control, to hold later runs against
    Baseline(BaselineArgs),
    /// Measure how far the scorers agree with people's labels
    Calibrate(CalibrateArgs),
    /// Look after the store of answers
    Cache(CacheCommandArgs),
    /// Turn a spreadsheet of cases into JSON lines
    Import(ImportArgs),
    /// Serve the three protocols without a model, with faults on demand
    Mock(MockArgs),
    /// Write man pages, completions for a shell, or schemas for editors
    Generate(GenerateArgs),
}

/// Which part of the project takes part.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Selection")]
pub struct SelectionArgs {
    /// Only these prompts, by id or glob; any of prompts/, not only those of `[run]`
    #[arg(long, value_name = "GLOB")]
    pub prompt: Vec<String>,
    /// Only these models, by id or glob; any of evalrun.toml, not only those of `[run]`
    #[arg(long, value_name = "GLOB")]
    pub model: Vec<String>,
    /// Only these cases, by id or glob
    #[arg(long, value_name = "GLOB")]
    pub case: Vec<String>,
    /// Only cases with one of these tags, by name or glob
    #[arg(long, value_name = "GLOB")]
    pub tag: Vec<String>,
    /// Only the trials that failed or errored in an earlier run
    #[arg(long, value_name = "RUN")]
    pub failed_of: Option<String>,
    /// Only the K-th of N parts of the plan, such as 2/4; together the parts are the whole
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// How often each question is asked [default: as evalrun.toml says, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,
}

/// How reports are written.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Reports")]
pub struct ReportingArgs {
    /// Write CSV files without the byte-order mark by which Excel knows UTF-8
    #[arg(long)]
    pub no_bom: bool,
    /// Write report.xlsx, too: summary, matrix, trials with their answers, scores and disagreements in one workbook
    #[arg(long)]
    pub xlsx: bool,
    /// Compare the answers of two prompts, A as the base of B [default: each further prompt with the first]
    #[arg(long, value_name = "A..B", conflicts_with = "baseline")]
    pub diff: Option<String>,
    /// Compare the answers with those of another run, RUN or `RUN::PROMPT@MODEL` [without one: the baseline]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = BASELINE)]
    pub baseline: Option<String>,
    /// The language of the reports' own words [default: `lang` in `[run]` of evalrun.toml, else en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
}

/// `evalrun list`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Shows what `evalrun run` with the same flags would do: how many trials and requests, about how many tokens \
        and dollars, what the store has the answers to already, and whether a budget is enough. Nothing is sent and no key is \
        needed.\n\n\
        Tokens are estimated by the number of characters: good for an order of magnitude.",
    after_long_help = "Example:\n  evalrun list --model 'gemini-*' --repeats 3"
)]
pub struct ListArgs {
    /// Which part of the project takes part.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// What may be spent.
    #[command(flatten)]
    pub budget: BudgetArgs,
    /// Where answers would come from.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Reports")]
    pub format: TextOrJson,
}

/// `evalrun check`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Reads evalrun.toml, every prompt and every case, renders each prompt with each case, and tells all \
        mistakes at once, each with file, line and column. Warnings (an answer file that belongs to nothing, a template \
        name that no case defines, an expired price) do not fail it. Nothing is sent.",
    after_long_help = "Example:\n  evalrun check && git commit"
)]
pub struct CheckArgs {}

/// `evalrun import`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Turns a spreadsheet of cases (.csv, .xlsx) into JSON lines, a case a line, as they would stand in \
        cases/*.jsonl. A project reads spreadsheets in cases/ as they are; import them once where they are to be reviewed \
        line by line from now on.",
    after_long_help = "Example:\n  evalrun import from-the-desk.xlsx --out cases/desk.jsonl"
)]
pub struct ImportArgs {
    /// The spreadsheet; its first row names the columns, such as `id` and `source.title`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A new file for the lines [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What standard error is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: lines, or on a terminal lines that move
    Text,
    /// For programs: an object a line
    Json,
}

/// The language of a report's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English
    #[default]
    En,
    /// 日本語
    Ja,
}

impl From<Language> for Lang {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Ja => Self::Ja,
        }
    }
}

/// One of several parts of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

impl std::str::FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "expected K/N with K from 1 to N, such as 2/4";
        let (index, count) = text.split_once('/').ok_or(FORM)?;
        let (index, count) = (index.parse().map_err(|_| FORM)?, count.parse().map_err(|_| FORM)?);
        if (1..=count).contains(&index) { Ok(Self { index, count }) } else { Err(FORM) }
    }
}

fn parse_subject(text: &str) -> Result<Subject, String> {
    Subject::named(text).map_or_else(|| parse_property(text).map(Subject::Property), Ok)
}

fn parse_property(text: &str) -> Result<Property, String> {
    let names = Property::ALL.map(Property::name);
    Property::ALL.into_iter().find(|property| property.name() == text).ok_or_else(|| match closest(text, &names) {
        Some(name) => format!("there is no such property; did you mean `{name}`?"),
        None => format!("there is no such property; known are {}", names.join(", ")),
    })
}

/// Why there are no arguments to act on.
#[derive(Debug)]
pub struct ArgsError {
    /// What clap says: a mistake, or the text that `--help` or `--version` asks for.
    pub error: clap::Error,
    /// The variables that had a say in it.
    pub variables: Vec<String>,
}

/// Reads the arguments, and what the variables say of flags that are not given.
///
/// # Errors
/// There is a mistake, or a text to print and nothing to do.
pub fn parse(environment: &Environment) -> Result<Args, ArgsError> {
    let as_given = |error| ArgsError { error, variables: Vec::new() };
    let given = Args::command().try_get_matches_from(&environment.arguments).map_err(as_given)?;
    let added = from_variables(&given, environment);
    if added.is_empty() {
        return Args::from_arg_matches(&given).map_err(as_given);
    }
    let (before, after) = match environment.arguments.iter().position(|argument| argument == "--") {
        Some(at) => environment.arguments.split_at(at),
        None => (environment.arguments.as_slice(), [].as_slice()),
    };
    let (variables, flags): (Vec<&str>, Vec<OsString>) = added.into_iter().unzip();
    let arguments = before.iter().cloned().chain(flags).chain(after.iter().cloned());
    let parsed = Args::command().try_get_matches_from(arguments).and_then(|matches| Args::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let mut variables: Vec<String> = variables.into_iter().map(variable_name).collect();
        variables.dedup();
        ArgsError { error, variables }
    })
}

/// The variables' values as the flags that they stand for, each beside its flag's name.
fn from_variables(given: &ArgMatches, environment: &Environment) -> Vec<(&'static str, OsString)> {
    let Some((name, matches)) = given.subcommand() else { return Vec::new() };
    let mut root = Args::command();
    // Building hands the global flags down to the commands.
    root.build();
    let Some(command) = root.find_subcommand(name) else { return Vec::new() };
    let mut added = Vec::new();
    for flag in FROM_ENVIRONMENT {
        let Some(arg) = command.get_arguments().find(|arg| arg.get_long() == Some(flag)) else { continue };
        let Some(value) = environment.variable(&variable_name(flag)) else { continue };
        let id = arg.get_id().as_str();
        let is_given = |source| source == Some(ValueSource::CommandLine);
        if is_given(matches.value_source(id)) || conflicts(command, arg).any(|id| is_given(matches.value_source(id))) {
            continue;
        }
        match arg.get_action() {
            ArgAction::SetTrue if is_false(value) => {}
            ArgAction::SetTrue => added.push((flag, format!("--{flag}").into())),
            ArgAction::Append => {
                let values = value.split([',', ' ', '\n']).filter(|value| !value.is_empty());
                added.extend(values.map(|value| (flag, format!("--{flag}={value}").into())));
            }
            _ => added.push((flag, format!("--{flag}={value}").into())),
        }
    }
    added
}

/// The flags with which a flag cannot stand: given on the command line, they win over its variable.
fn conflicts<'a>(command: &'a clap::Command, arg: &'a clap::Arg) -> impl Iterator<Item = &'a str> {
    let back = command
        .get_arguments()
        .filter(|other| command.get_arg_conflicts_with(other).iter().any(|conflict| conflict.get_id() == arg.get_id()));
    command.get_arg_conflicts_with(arg).into_iter().chain(back).map(|arg| arg.get_id().as_str())
}

fn is_false(value: &str) -> bool {
    ["0", "false", "no", "off"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn variable_name(flag: &str) -> String {
    format!("EVALRUN_{}", flag.to_ascii_uppercase().replace('-', "_"))
}

/// Variables that look like settings and are none, each with the name that was probably meant.
pub fn unknown_variables(environment: &Environment) -> Vec<(String, Option<String>)> {
    let known = FROM_ENVIRONMENT.map(variable_name);
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let given = environment.variables.keys().filter(|name| name.starts_with("EVALRUN_") && !known.contains(name));
    let mut unknown: Vec<_> = given.map(|name| (name.clone(), closest(name, &names).map(str::to_owned))).collect();
    unknown.sort_unstable();
    unknown
}
