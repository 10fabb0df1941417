//! The arguments: one struct a command, with the help that a newcomer reads.
//!
//! Promises that every flag in [`FROM_ENVIRONMENT`] can also be set by a variable (`--no-bom` by `EVALRUN_NO_BOM`), which
//! the same parser checks, and that a flag wins over its variable.

mod generate;
mod history;
mod init;
mod mock;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::environment::Environment;
use crate::diagnostic::closest;
use crate::outcome::Subject;
use crate::project::BASELINE;
use crate::property::Property;
use crate::report::Lang;

pub use generate::{CompletionsArgs, GenerateArgs, Generated, ManArgs};
pub use history::{HistoryArgs, HistoryFormat};
pub use init::InitArgs;
pub use mock::MockArgs;

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
evalrun.toml, [run] may have prompts, models, repeats, concurrency, max_cost, max_requests and max_tokens.
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
    /// Write man pages, or completions for a shell
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
#[derive(Debug, Default, clap::Args)]
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
    /// The language of the reports' own words
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: Language,
}

/// `evalrun run`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Puts every selected case through every selected prompt to every selected model, judges the answers and \
        writes the reports.\n\n\
        What is selected stands in [run] of evalrun.toml, unless flags say otherwise. Every answer is kept in run.jsonl as \
        soon as it is there: after an interruption the same command asks only for what is missing.",
    after_long_help = "\
Examples:
  evalrun run                                       what [run] in evalrun.toml says
  evalrun run --model gemini-flash --case 'jetro-*' one model, some cases
  evalrun run --prompt careful --baseline latest    one prompt, its answers compared with the last run's
  evalrun run --failed-of latest                    what did not pass, once more
  evalrun run --max-cost 0.50                       as far as half a dollar goes; with more, the same goes on"
)]
pub struct RunArgs {
    /// Which part of the project takes part.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// The most requests under way at once [default: as evalrun.toml says, else as many as each server bears]
    #[arg(long, value_name = "N", help_heading = "Running", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,
    /// What may be spent.
    #[command(flatten)]
    pub budget: BudgetArgs,
    /// Where answers are kept for further runs.
    #[command(flatten)]
    pub cache: CacheArgs,
    /// End with the first trial that fails or errors
    #[arg(long, help_heading = "Running")]
    pub fail_fast: bool,
    /// Do not hold the run against the gate, such as to make a first baseline
    #[arg(long, help_heading = "Running")]
    pub no_gate: bool,
    /// The run's folder [default: a new one in reports/, named by time and plan]
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub out: Option<PathBuf>,
    /// How reports are written.
    #[command(flatten)]
    pub reporting: ReportingArgs,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Reports")]
    pub format: TextOrJson,
}

/// What a run may spend on servers. Answers that are there already, recorded ones and programs cost nothing.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Budget")]
pub struct BudgetArgs {
    /// Spend at most so many US dollars, by each model's `price` [default: as evalrun.toml says, else no bound]
    #[arg(long, value_name = "USD", value_parser = parse_dollars)]
    pub max_cost: Option<f64>,
    /// Send at most so many requests, those that fail included [default: as evalrun.toml says, else no bound]
    #[arg(long, value_name = "N")]
    pub max_requests: Option<u64>,
    /// Spend at most so many tokens, of prompts and answers together [default: as evalrun.toml says, else no bound]
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
}

/// The answer store of a run.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Answers")]
pub struct CacheArgs {
    /// The store of answers, from which the same question to the same server is answered again [default:
    /// .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// Use no store: ask everything, and keep the answers in the run alone
    #[arg(long, conflicts_with_all = ["cache", "refresh"])]
    pub no_cache: bool,
    /// Ask everything anew, and put the new answers into the store
    #[arg(long)]
    pub refresh: bool,
}

/// `evalrun cache`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Looks after the store of answers. `evalrun run` puts every whole answer of a server into it and does not ask \
        the same question twice: the same provider, address, request body and repeat. Refusals, cut-off answers and errors \
        are never served from it; recorded answers and programs have no need of it."
)]
pub struct CacheCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: CacheAction,
}

/// What can be done with the store.
#[derive(Debug, Subcommand)]
pub enum CacheAction {
    /// Count the answers, by model; finds damage, too
    Stats(CacheStatsArgs),
    /// Take answers out
    #[command(after_long_help = "\
Examples:
  evalrun cache prune --older-than 90         what is older than 90 days
  evalrun cache prune --model 'gpt-4o*'       the answers of models that nobody asks any more
  evalrun cache prune --all")]
    Prune(CachePruneArgs),
    /// Print every answer as a line of JSON
    Export(CacheExportArgs),
}

/// `evalrun cache stats`
#[derive(Debug, clap::Args)]
pub struct CacheStatsArgs {
    /// The store [default: .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

/// `evalrun cache prune`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub struct CachePruneArgs {
    /// The store [default: .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// Those that were stored more than so many days ago
    #[arg(long, value_name = "DAYS", group = "which")]
    pub older_than: Option<u32>,
    /// Those of these models, by the provider's name or glob
    #[arg(long, value_name = "GLOB", group = "which")]
    pub model: Vec<String>,
    /// All of them
    #[arg(long, group = "which", conflicts_with_all = ["older_than", "model"])]
    pub all: bool,
}

/// `evalrun cache export`
#[derive(Debug, clap::Args)]
pub struct CacheExportArgs {
    /// The store [default: .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
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

/// `evalrun score`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("texts").required(true))]
#[command(
    long_about = "Judges texts that are there already, by every property with its default settings, whatever evalrun.toml \
        says.\n\n\
        --items reads JSON lines {\"id\", \"source\": {…}, \"output\": \"…\", \"prompt\": \"…\"} and prints one JSON line each, in \
        the same order, as it goes; `-` is standard input. Only `output` must be there; without `source` (published_at, \
        publisher, title, body, facts, background, aliases), what needs it is unscored. Other keys are ignored. A line that \
        cannot be read is reported with its number and left out; then the exit code is 3. Else it is 0, whatever the \
        verdicts. docs/calibration.md has the form of an item.",
    after_long_help = "\
Examples:
  evalrun score --items answers.jsonl > scores.jsonl
  evalrun score article.txt --title '量子ミッション派遣' --publisher 日本貿易振興機構"
)]
pub struct ScoreArgs {
    /// One text to judge; `-` is standard input
    #[arg(value_name = "ARTICLE", group = "texts")]
    pub article: Option<PathBuf>,
    /// Many texts: JSON lines; `-` is standard input
    #[arg(long, value_name = "FILE", group = "texts")]
    pub items: Option<PathBuf>,
    /// The headline of the news that the text is about
    #[arg(long, value_name = "TEXT", conflicts_with = "items", help_heading = "The news")]
    pub title: Option<String>,
    /// Who published it
    #[arg(long, value_name = "TEXT", conflicts_with = "items", help_heading = "The news")]
    pub publisher: Option<String>,
    /// When it was published, such as 2025-06-30T07:00:00+09:00
    #[arg(long, value_name = "TIME", conflicts_with = "items", help_heading = "The news")]
    pub published_at: Option<String>,
    /// A file with its text, if the writer was given it
    #[arg(long, value_name = "FILE", conflicts_with = "items", help_heading = "The news")]
    pub body: Option<PathBuf>,
    /// How many texts are judged at once [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The form of what is printed [default: text for one text, json for many]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TextOrJson>,
    /// The language of the report's own words
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: Language,
}

/// `evalrun rescore`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Judges the kept answers of a run anew, with the requirements that evalrun.toml and the cases have now and with \
        the scorers of this evalrun, into a new run. Nothing is sent; the old run stays as it is.\n\n\
        Prompts and models are those of the old run, even if the project has them no more; tokens, costs and attempts \
        stay, too, and what errored stays errored. Trials whose case the project has no more are left out, since nothing \
        is required of them now, and so are trials without an outcome; both are told. Where a case now says something \
        else than when it was asked, its answers are judged by what it says now, with a warning.",
    after_long_help = "\
Examples:
  evalrun rescore latest
  evalrun rescore reports/baseline --out stricter --baseline reports/baseline"
)]
pub struct RescoreArgs {
    /// The run: its folder, its run.jsonl, its name in reports/, or `latest`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The new run's folder [default: a new one in reports/, named by time and plan]
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub out: Option<PathBuf>,
    /// How reports are written.
    #[command(flatten)]
    pub reporting: ReportingArgs,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Reports")]
    pub format: TextOrJson,
}

/// `evalrun report`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Writes all files that derive from a run's run.jsonl again (report.html, metrics.csv, scores.csv, \
        summary.csv, summary.md, diff.md, diff.html, junit.xml; report.xlsx if asked or there already) and prints the run. \
        With a --format other than text that form alone is printed, and the run's folder stays as it is.",
    after_long_help = "\
Examples:
  evalrun report latest
  evalrun report latest --format csv | head      the metrics, for a pipe
  evalrun report latest --format xlsx > run.xlsx a workbook, for people
  evalrun report reports/example --lang ja"
)]
pub struct ReportArgs {
    /// The run: its folder, its run.jsonl, its name in reports/, or `latest`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// How reports are written.
    #[command(flatten)]
    pub reporting: ReportingArgs,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Reports")]
    pub format: ReportFormat,
    /// Print at once, not page by page with $PAGER (else less), where standard output is a terminal
    #[arg(long, help_heading = "Reports")]
    pub no_pager: bool,
}

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

/// `evalrun show`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Shows the answers of a run to one case, each with the words marked that its verdicts rest on, and the scores \
        beneath.",
    after_long_help = "\
Examples:
  evalrun show latest jetro-quantum-mission
  evalrun show latest jetro-quantum-mission --prompt news-article --model sample-chatty"
)]
pub struct ShowArgs {
    /// The run: its folder, its run.jsonl, its name in reports/, or `latest`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The case, by id or glob
    #[arg(value_name = "CASE")]
    pub case: String,
    /// Only answers to these prompts, by id or glob
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    pub prompt: Vec<String>,
    /// Only answers of these models, by id or glob
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    pub model: Vec<String>,
    /// Only this repeat, from 0
    #[arg(long, value_name = "N", help_heading = "Selection")]
    pub repeat: Option<u32>,
    /// The language of the report's own words
    #[arg(long, value_name = "LANG", default_value = "en", help_heading = "Reports")]
    pub lang: Language,
    /// Print at once, not page by page with $PAGER (else less), where standard output is a terminal
    #[arg(long, help_heading = "Reports")]
    pub no_pager: bool,
}

/// `evalrun compare`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Compares variants on the same cases, property by property: what got better, what got worse, on which cases, \
        and whether that can be told from chance. The case is the unit: repeats of it, and cases of one source, are not \
        counted as if they were more. A case is broken if it passed and fails, fixed if it failed and passes, flaky if \
        repeats of one variant disagree, mixed if one variant breaks it and another fixes it.\n\n\
        A run is named by its folder, its run.jsonl, its name in reports/, or `latest`; one prompt of it by RUN::PROMPT, one \
        variant by RUN::PROMPT@MODEL. Without a candidate each further prompt of the run is compared with its first. \
        Cases are joined by id, and by what was sent where one was renamed; a case that says something else than before \
        is left out and told.\n\n\
        A verdict rests on the 95 % range of the difference: better (above 0), worse (below 0), worse by more than the \
        margin, no worse than the margin; else it cannot be told. It holds whatever the missing trials would have said.",
    after_long_help = "\
Examples:
  evalrun compare latest                                          its further prompts with its first
  evalrun compare baseline latest --lang ja
  evalrun compare latest::plain@gemini-flash latest::careful@gemini-flash
  evalrun compare latest --format html > compare.html             findings, prompts and answers side by side
  evalrun compare baseline latest --format markdown > comment.md  fits a comment on a code host"
)]
pub struct CompareArgs {
    /// What is compared with: RUN, `RUN::PROMPT` or `RUN::PROMPT@MODEL`
    #[arg(value_name = "BASE")]
    pub base: String,
    /// What is compared, one or several
    #[arg(value_name = "CANDIDATE")]
    pub candidates: Vec<String>,
    /// How much worse is still no worse, in points
    #[arg(long, value_name = "POINTS", default_value = "5", value_parser = parse_margin)]
    pub margin: f64,
    /// What was declared to decide: `all` that a case requires, or a property; the rest is exploration
    #[arg(long, value_name = "PROPERTY", default_value = "all", value_parser = parse_subject)]
    pub primary: Subject,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CompareFormat,
    /// The language of the report's own words
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: Language,
    /// Print at once, not page by page with $PAGER (else less), where standard output is a terminal
    #[arg(long)]
    pub no_pager: bool,
}

/// `evalrun gate`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Holds a run against the [gate] of evalrun.toml, as `run` does at its end: rates that properties must reach, \
        and how much worse than a baseline they may be.\n\n\
        Exits with 4 if the gate fails, and with 3 if trials without an outcome could still change that; with 5 if it \
        cannot be decided and [gate] says `inconclusive = \"fail\"`. Without a [gate] nothing is held against the run.",
    after_long_help = "\
Examples:
  evalrun gate latest
  evalrun gate latest --baseline reports/baseline --format markdown"
)]
pub struct GateArgs {
    /// The run: its folder, its run.jsonl, its name in reports/, or `latest`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// The run to compare with, RUN or `RUN::PROMPT@MODEL` [default: the gate's `baseline`, else `baseline set`'s]
    #[arg(long, value_name = "RUN")]
    pub baseline: Option<String>,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GateFormat,
    /// The language of the report's own words
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: Language,
}

/// `evalrun baseline`
#[derive(Debug, clap::Args)]
pub struct BaselineArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BaselineCommand,
}

/// What to do with the baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Make a run the baseline: reports/baseline/, to be committed
    Set(BaselineSetArgs),
    /// Show the baseline
    Show(BaselineShowArgs),
}

/// `evalrun baseline set`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Writes reports/baseline/: a run's verdicts, answers and digests in the plan's order, without what differs \
        from one asking to the next. Commit it: a change of it is reviewed like one of code.",
    after_long_help = "Example:\n  evalrun run --no-gate && evalrun baseline set latest && git add reports/baseline"
)]
pub struct BaselineSetArgs {
    /// The run: its folder, its run.jsonl, its name in reports/, or `latest`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Leave the answers out: a smaller file, but diffs show no texts
    #[arg(long)]
    pub without_answers: bool,
}

/// `evalrun baseline show`
#[derive(Debug, clap::Args)]
pub struct BaselineShowArgs {
    /// The language of the report's own words
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub lang: Language,
}

/// `evalrun calibrate`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Judges labelled texts and compares the verdicts with people's: for each property a table, precision, recall \
        and F1 of \"fails\", agreement, Cohen's κ and Gwet's AC1 with 95 % intervals, and how well the marked words match.\n\n\
        The items are those of `score --items`, with `labels`: {\"japanese_only\": {\"pass\": true, \"spans\": []}, …, \"covers\": \
        {\"purpose\": {\"present\": true, \"evidence\": []}, …}, \"specifics\": [{\"text\", \"kind\", \"verdict\"}]}. A span is a text or \
        {\"text\", \"kind\"}. A property that is not labelled is not counted, and its words are not where no `spans` are \
        given. report.html saves such lines. A line that cannot be read is reported with its number and left out; then the \
        exit code is 3. docs/calibration.md has the form of every label.",
    after_long_help = "\
Examples:
  evalrun calibrate --items labelled.jsonl
  evalrun calibrate --items labelled.jsonl --property no_fabrication --show
  evalrun calibrate --items labelled.jsonl --show --format csv > differences.csv"
)]
pub struct CalibrateArgs {
    /// The labelled texts: JSON lines; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub items: PathBuf,
    /// Only these properties
    #[arg(long, value_name = "PROPERTY", value_parser = parse_property)]
    pub property: Vec<Property>,
    /// List the texts on which scorers and people differ, with the words of both
    #[arg(long)]
    pub show: bool,
    /// How many texts are judged at once [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: CalibrateFormat,
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

/// What `evalrun report` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// The table of `evalrun run`
    Text,
    /// The run as one object
    Json,
    /// summary.md
    Markdown,
    /// report.html
    Html,
    /// metrics.csv, without a byte-order mark
    Csv,
    /// report.xlsx, which is written into the run's folder, too
    Xlsx,
    /// junit.xml
    Junit,
    /// The Test Anything Protocol
    Tap,
    /// GitLab's code quality: a finding for each property that a case failed
    CodeQuality,
}

/// What `evalrun compare` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    /// Sentences and a table
    Text,
    /// One object
    Json,
    /// Sentences, a table, the prompts' and the changed answers' diffs, in less than 60 kB
    Markdown,
    /// All of that as a page, the prompts and the answers side by side
    Html,
    /// The prompts' and the changed answers' diffs as lines
    Diff,
}

/// What `evalrun gate` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GateFormat {
    /// Lines
    Text,
    /// One object
    Json,
    /// A list for a page
    Markdown,
}

/// What `evalrun calibrate` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CalibrateFormat {
    /// Tables
    Text,
    /// One object
    Json,
    /// A row a property; with --show, a row a mark of each text on which they differ
    Csv,
}

/// The language of a report's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
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

fn parse_dollars(text: &str) -> Result<f64, &'static str> {
    let dollars = text.parse::<f64>().ok().filter(|dollars| dollars.is_finite() && *dollars >= 0.0);
    dollars.ok_or("expected US dollars, such as 0.50")
}

fn parse_margin(text: &str) -> Result<f64, &'static str> {
    let points = text.parse::<f64>().ok().filter(|points| (0.0..=100.0).contains(points));
    points.ok_or("expected points from 0 to 100, such as 5")
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::environment::Stream;
    use super::*;

    fn environment(arguments: &[&str], variables: &[(&str, &str)]) -> Environment {
        let stream = Stream { is_terminal: false, colour: false, width: None };
        Environment {
            arguments: std::iter::once("evalrun").chain(arguments.iter().copied()).map(OsString::from).collect(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            folder: PathBuf::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
            stdout: stream,
            stderr: stream,
        }
    }

    fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(RunArgs, CommonArgs), String> {
        let arguments: Vec<&str> = std::iter::once("run").chain(arguments.iter().copied()).collect();
        let args = parse(&environment(&arguments, variables)).map_err(|error| error.error.to_string())?;
        match args.command {
            Command::Run(run) => Ok((run, args.common)),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn the_declarations_are_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_flag_that_a_variable_can_set_exists() {
        let mut root = Args::command();
        root.build();
        let longs: Vec<&str> =
            root.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long).collect();
        for flag in FROM_ENVIRONMENT {
            assert!(longs.contains(&flag), "{flag}");
        }
        assert!(FROM_ENVIRONMENT.is_sorted());
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let variables = [("EVALRUN_REPEATS", "3"), ("EVALRUN_MODEL", "a, b"), ("EVALRUN_NO_BOM", "1")];
        let (args, _) = run(&[], &variables).unwrap();
        assert_eq!(args.selection.repeats, Some(3));
        assert_eq!(args.selection.model, ["a", "b"]);
        assert!(args.reporting.no_bom);
        let (args, _) = run(&["--repeats", "2", "--model", "c"], &variables).unwrap();
        assert_eq!((args.selection.repeats, args.selection.model), (Some(2), vec!["c".to_owned()]));
    }

    #[test]
    fn an_empty_or_false_variable_sets_nothing() {
        let variables = [("EVALRUN_REPEATS", ""), ("EVALRUN_QUIET", "0"), ("EVALRUN_FAIL_FAST", "False")];
        let (args, common) = run(&[], &variables).unwrap();
        assert_eq!((args.selection.repeats, args.fail_fast, common.quiet), (None, false, false));
    }

    #[test]
    fn a_variable_stands_back_where_a_flag_excludes_it() {
        let (_, common) = run(&["-v"], &[("EVALRUN_QUIET", "1")]).unwrap();
        assert!(common.verbose == 1 && !common.quiet);
        let (args, _) = run(&["--diff", "a..b"], &[("EVALRUN_BASELINE", "latest")]).unwrap();
        assert_eq!(args.reporting.baseline, None);
    }

    #[test]
    fn a_variables_value_is_checked_like_a_flags() {
        assert!(run(&[], &[("EVALRUN_REPEATS", "0")]).unwrap_err().contains("--repeats"));
        assert!(run(&[], &[("EVALRUN_SHARD", "3/2")]).unwrap_err().contains("expected K/N"));
    }

    #[test]
    fn a_mistyped_variable_is_noticed() {
        let variables: HashMap<&str, &str> = HashMap::from([("EVALRUN_REPEETS", "3"), ("EVALRUN_REPEATS", "3")]);
        let variables: Vec<(&str, &str)> = variables.into_iter().collect();
        let unknown = unknown_variables(&environment(&[], &variables));
        assert_eq!(unknown, [("EVALRUN_REPEETS".to_owned(), Some("EVALRUN_REPEATS".to_owned()))]);
    }

    #[test]
    fn a_shard_is_a_part_of_a_whole() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, count: 4 }));
        for text in ["0/4", "5/4", "1", "a/b", "1/0", "/"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
