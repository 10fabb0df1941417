//! The arguments of `evalrun calibrate`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Language, parse_property};
use crate::property::Property;

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
    /// The language of the tables' own words [default: en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
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
