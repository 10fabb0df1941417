//! The arguments of `evalrun score` and `evalrun rescore`.

use std::path::PathBuf;

use super::{Language, ReportingArgs, TextOrJson};

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
    /// The language of the report's own words [default: en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
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
