//! The arguments of `evalrun run`: what it may spend and where its answers come from included.

use std::path::PathBuf;

use super::{ReportingArgs, SelectionArgs, TextOrJson};

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

fn parse_dollars(text: &str) -> Result<f64, &'static str> {
    let dollars = text.parse::<f64>().ok().filter(|dollars| dollars.is_finite() && *dollars >= 0.0);
    // A zero with a minus would be printed with it.
    dollars.map(|dollars| dollars + 0.0).ok_or("expected US dollars, such as 0.50")
}
