//! The arguments of `evalrun merge`.

use std::path::PathBuf;

use super::{ReportingArgs, TextOrJson};

/// `evalrun merge`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Puts runs that hold parts of one whole together as a new run: the shards of a pipeline (`run --shard 1/4` and \
        so on, each in a job of its own), or a run of some models and one of the others. Reports, gate, comparison and \
        history then work on the whole. Nothing is sent or judged anew; the parts stay as they are.\n\n\
        The parts must be of one state of the project: a case, prompt or model that is not the same in two of them is an \
        error, and so are two answers to one trial. Where one part has an answer and another errored, the answer counts.",
    after_long_help = "\
Examples:
  evalrun merge shards/*
  evalrun merge shard-1 shard-2 --out whole --xlsx"
)]
pub struct MergeArgs {
    /// The runs: each its folder, its run.jsonl or its name in reports/
    #[arg(value_name = "RUN", required = true, num_args = 1..)]
    pub runs: Vec<String>,
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
