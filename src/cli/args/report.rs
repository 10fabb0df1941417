//! The arguments of `evalrun report` and `evalrun show`.

use clap::ValueEnum;

use super::{Language, ReportingArgs};

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
    /// The language of the report's own words [default: `lang` in `[run]` of evalrun.toml, else en]
    #[arg(long, value_name = "LANG", help_heading = "Reports")]
    pub lang: Option<Language>,
    /// Print at once, not page by page with $PAGER (else less), where standard output is a terminal
    #[arg(long, help_heading = "Reports")]
    pub no_pager: bool,
}
