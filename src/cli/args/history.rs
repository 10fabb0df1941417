//! The arguments of `evalrun history`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Language, parse_subject};
use crate::outcome::Subject;

/// `evalrun history`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Shows how the rates of runs went over time: for each variant its runs, the oldest first. Runs are found in \
        a folder, each in a folder of its own below it.\n\n\
        Runs may have had other cases, other texts of the same prompts, or other scorers, which the table tells; whether \
        two of them differ is for `evalrun compare` to say.",
    after_long_help = "\
Examples:
  evalrun history
  evalrun history --property no_fabrication
  evalrun history ci-runs --format csv > history.csv"
)]
pub struct HistoryArgs {
    /// The folder of the runs [default: the project's reports/]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Whose rate the table shows: a property, or `all` that is required; CSV and JSON have every one
    #[arg(long, value_name = "NAME", default_value = "all", value_parser = parse_subject, help_heading = "Selection")]
    pub property: Subject,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Reports")]
    pub format: HistoryFormat,
    /// The language of the report's own words [default: `lang` in `[run]` of evalrun.toml, else en]
    #[arg(long, value_name = "LANG", help_heading = "Reports")]
    pub lang: Option<Language>,
}

/// What `evalrun history` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// A table
    Text,
    /// One object
    Json,
    /// A row a run, variant and property, without a byte-order mark
    Csv,
}
