//! Spreadsheets: `metrics.csv`, `scores.csv` and `summary.csv`.
//!
//! Promises RFC 4180 with CRLF, numbers as numbers, an empty cell for what is not known, and no text that a spreadsheet
//! would take for a formula. `docs/columns.md` tells what each column means.

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{ErrorKind, Terminator, Writer, WriterBuilder};

pub(super) use super::table::decimal;
use super::table::{self, Cell};
use crate::outcome::{Outcomes, Run};
use crate::report::escape;
use crate::report::tally::Required;

/// Whether a file begins with the byte-order mark by which Excel knows UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bom {
    /// It does.
    #[default]
    With,
    /// It does not (`--no-bom`).
    Without,
}

/// Writes metrics.csv: a row a trial, in the plan's order.
///
/// # Errors
/// `out` cannot be written.
pub fn write_metrics(run: &Run, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    csv.record(table::trial_columns())?;
    let required = Required::of(run);
    for entry in &run.entries {
        csv.row(&table::trial_row(entry, &required, run))?;
    }
    csv.flush()
}

/// Writes scores.csv: a row a trial and required property with its first piece of evidence, further ones in further rows.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_scores(run: &Run, outcomes: &dyn Outcomes, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    csv.record(table::SCORES)?;
    table::each_score_row(run, outcomes, &mut |row| csv.row(row))?;
    csv.flush()
}

/// Writes summary.csv: a row a variant and property, `all` (the trials' statuses) first.
///
/// # Errors
/// `out` cannot be written.
pub fn write_summary(run: &Run, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    csv.record(table::SUMMARY)?;
    for row in table::summary_rows(run) {
        csv.row(&row)?;
    }
    csv.flush()
}

/// A writer of the form that every CSV file here has.
pub(super) fn begin(out: &mut dyn Write, bom: Bom) -> io::Result<CsvWriter<'_>> {
    if bom == Bom::With {
        out.write_all("\u{feff}".as_bytes())?;
    }
    Ok(CsvWriter(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out)))
}

/// A CSV file as it is written; its errors are those of what it is written to, so that a reader who left is told from a
/// full disk.
pub(super) struct CsvWriter<'w>(Writer<&'w mut dyn Write>);

impl CsvWriter<'_> {
    /// Writes a record of texts that are safe as they are.
    pub(super) fn record(&mut self, fields: impl IntoIterator<Item = impl AsRef<[u8]>>) -> io::Result<()> {
        self.0.write_record(fields).map_err(of_writer)
    }

    /// Writes a record of cells, whose texts may be a model's.
    pub(super) fn row(&mut self, row: &[Cell<'_>]) -> io::Result<()> {
        self.record(row.iter().map(|cell| match cell {
            Cell::Empty => Cow::Borrowed(&b""[..]),
            Cell::Text(text) => match escape::csv(text) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            Cell::Number(number) => Cow::Borrowed(number.as_bytes()),
        }))
    }

    /// Writes what is still held back.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The error of what a CSV file is written to: the crate's own conversion would keep its words and lose its kind.
fn of_writer(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun};
    use crate::score::{Basis, SpecificVerdict};

    const ARTICLE: &str = "=量子分野の交流会が、シカゴで開かれました。約30社が参加しました。";

    fn sample() -> SampleRun {
        RunBuilder::new(&["plain", "careful"], &["sample"])
            .case("chicago", |trial| {
                let trial = trial.answer(ARTICLE).cost(0.000_123_456_7).served_by("+sample-2").latency(1500);
                if trial.is_of("careful") {
                    return trial.truncated().pass("japanese_only").pass("no_fabrication");
                }
                trial
                    .pass("japanese_only")
                    .invents("約30社", "number")
                    .at("=量子分野", "name")
                    .found(SpecificVerdict::Fabricated, Basis::Contradicted)
                    .waived("社内の略称, 2027年まで")
            })
            .case("kyoto", |trial| {
                if trial.is_of("careful") {
                    trial.errored("timeout: \"no answer\"\nwithin 1s")
                } else {
                    trial.blocked("SAFETY")
                }
            })
            .build()
    }

    fn lines(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        // Carriage returns shown as they are would be invisible.
        String::from_utf8(out).unwrap().replace("\r\n", "↵\n")
    }

    #[test]
    fn metrics_have_a_row_a_trial() {
        let run = sample();
        insta::assert_snapshot!(lines(|out| write_metrics(&run, out, Bom::Without)), @r#"
        case,prompt,model,repeat,status,japanese_only,article_only,covers_purpose,covers_activities,covers_significance,no_fabrication,length,readability,register,repetition,refusal,contains,not_contains,matches,not_matches,fabricated,chars,finish_reason,input_tokens,output_tokens,cost_usd,served_model,error,attempts,cached,latency_ms,run↵
        chicago,plain,sample,0,failed,pass,,,,,fail,,,,,,,,,,2,34,stop,120,900,0.000123457,'+sample-2,,1,false,1500,2025-07-01T090000Z-3f2a1c↵
        chicago,careful,sample,0,passed,pass,,,,,pass,,,,,,,,,,0,34,length,120,900,0.000123457,'+sample-2,,1,false,1500,2025-07-01T090000Z-3f2a1c↵
        kyoto,plain,sample,0,failed,unscored,,,,,,,,,,,,,,,,,blocked,,,,,the answer was blocked: SAFETY,0,false,0,2025-07-01T090000Z-3f2a1c↵
        kyoto,careful,sample,0,errored,,,,,,,,,,,,,,,,,,,,,,,"timeout: ""no answer""
        within 1s",1,false,0,2025-07-01T090000Z-3f2a1c↵
        "#);
    }

    #[test]
    fn scores_have_a_row_a_piece_of_evidence() {
        let run = sample();
        insta::assert_snapshot!(lines(|out| write_scores(&run, &run, out, Bom::Without)), @r#"
        case,prompt,model,repeat,property,verdict,value,reason,evidence,start,end,kind,detail↵
        chicago,plain,sample,0,japanese_only,pass,1,,,,,,↵
        chicago,plain,sample,0,no_fabrication,fail,0.5,,約30社,22,26,number,fabricated · unsupported · nothing in the source supports it↵
        chicago,plain,sample,0,no_fabrication,fail,0.5,,'=量子分野,0,5,name,"fabricated · contradicted · waived: 社内の略称, 2027年まで"↵
        chicago,careful,sample,0,japanese_only,pass,1,truncated answer,,,,,↵
        chicago,careful,sample,0,no_fabrication,pass,1,truncated answer,,,,,↵
        kyoto,plain,sample,0,japanese_only,unscored,,no answer: the answer was blocked: SAFETY,,,,,↵
        kyoto,careful,sample,0,japanese_only,,,"errored: timeout: ""no answer""
        within 1s",,,,,↵
        "#);
    }

    #[test]
    fn a_summary_has_a_row_a_variant_and_property() {
        let run = sample();
        insta::assert_snapshot!(lines(|out| write_summary(&run, out, Bom::Without)), @"
        prompt,model,property,trials,passed,failed,unscored,errored,rate,low,high,method↵
        plain,sample,all,2,0,2,0,0,0,0,0.65762,wilson95↵
        plain,sample,japanese_only,2,1,0,1,0,1,0.206549,1,wilson95↵
        plain,sample,no_fabrication,1,0,1,0,0,0,0,0.793451,wilson95↵
        careful,sample,all,2,1,0,0,1,1,0.206549,1,wilson95↵
        careful,sample,japanese_only,2,1,0,0,1,1,0.206549,1,wilson95↵
        careful,sample,no_fabrication,1,1,0,0,0,1,0.206549,1,wilson95↵
        ");
    }

    #[test]
    fn repeats_are_not_counted_as_cases() {
        let run = RunBuilder::new(&["p"], &["m"])
            .repeats(2)
            .case("a", |trial| trial.pass("japanese_only"))
            .case(
                "b",
                |trial| if trial.repeat() == 0 { trial.pass("japanese_only") } else { trial.fail("japanese_only") },
            )
            .build();
        insta::assert_snapshot!(lines(|out| write_summary(&run, out, Bom::Without)), @"
        prompt,model,property,trials,passed,failed,unscored,errored,rate,low,high,method↵
        p,m,all,4,3,1,0,0,0.5,0.0945312,0.905469,wilson95-cases-all-repeats↵
        p,m,japanese_only,4,3,1,0,0,0.5,0.0945312,0.905469,wilson95-cases-all-repeats↵
        ");
    }

    #[test]
    fn a_file_begins_with_a_byte_order_mark_unless_told_otherwise() {
        let run = sample();
        for write in [write_metrics, write_summary] {
            assert!(lines(|out| write(&run, out, Bom::default())).starts_with('\u{feff}'));
            assert!(!lines(|out| write(&run, out, Bom::Without)).starts_with('\u{feff}'));
        }
        assert!(lines(|out| write_scores(&run, &run, out, Bom::With)).starts_with("\u{feff}case,"));
    }
}
