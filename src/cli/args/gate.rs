//! The arguments of `evalrun gate` and `evalrun baseline`.

use clap::{Subcommand, ValueEnum};

use super::Language;

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
    /// The language of the report's own words [default: `lang` in `[run]` of evalrun.toml, else en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
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
    /// Take the run even if most trials of a variant errored
    #[arg(long)]
    pub force: bool,
}

/// `evalrun baseline show`
#[derive(Debug, clap::Args)]
pub struct BaselineShowArgs {
    /// The language of the report's own words [default: `lang` in `[run]` of evalrun.toml, else en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
}
