//! The arguments of `evalrun compare`.

use clap::ValueEnum;

use super::{Language, parse_subject};
use crate::outcome::Subject;

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
    /// The language of the report's own words [default: `lang` in `[run]` of evalrun.toml, else en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
    /// Print at once, not page by page with $PAGER (else less), where standard output is a terminal
    #[arg(long)]
    pub no_pager: bool,
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

fn parse_margin(text: &str) -> Result<f64, &'static str> {
    let points = text.parse::<f64>().ok().filter(|points| (0.0..=100.0).contains(points));
    points.ok_or("expected points from 0 to 100, such as 5")
}
