//! Spreadsheets: `metrics.csv`, `scores.csv` and `summary.csv`.
//!
//! Promises RFC 4180 with CRLF, stable column names, numbers as numbers, an empty cell for what is not known, and no
//! text that a spreadsheet would take for a formula.

use std::borrow::Cow;
use std::io::{self, Write};

use ::csv::{Terminator, Writer, WriterBuilder};

use crate::outcome::{Entry, Outcomes, Run, Status};
use crate::property::Property;
use crate::report::escape;
use crate::report::tally::{Required, is_truncated, method, tally};
use crate::score::{Basis, Evidence, Score, SpecificVerdict, Verdict};

/// Whether a file begins with the byte-order mark by which Excel knows UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bom {
    /// It does.
    #[default]
    With,
    /// It does not (`--no-bom`).
    Without,
}

/// The columns of metrics.csv before the properties'.
const METRICS_BEFORE: [&str; 5] = ["case", "prompt", "model", "repeat", "status"];

/// The columns of metrics.csv after the properties'; the last four differ from run to run.
const METRICS_AFTER: [&str; 12] = [
    "fabricated",
    "chars",
    "finish_reason",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "served_model",
    "error",
    "attempts",
    "cached",
    "latency_ms",
    "run",
];

/// The columns of scores.csv.
const SCORES: [&str; 13] = [
    "case", "prompt", "model", "repeat", "property", "verdict", "value", "reason", "evidence", "start", "end", "kind",
    "detail",
];

/// The columns of summary.csv.
const SUMMARY: [&str; 12] = [
    "prompt", "model", "property", "trials", "passed", "failed", "unscored", "errored", "rate", "low", "high", "method",
];

/// Writes metrics.csv: a row a trial, in the plan's order.
///
/// # Errors
/// `out` cannot be written.
pub fn write_metrics(run: &Run, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    let properties = Property::ALL.map(Property::name);
    csv.write_record(METRICS_BEFORE.iter().chain(&properties).chain(&METRICS_AFTER))?;
    let required = Required::of(run);
    for entry in &run.entries {
        csv.write_record(metrics_row(entry, &required, &run.header.name).iter().map(AsRef::<[u8]>::as_ref))?;
    }
    csv.flush()
}

fn metrics_row(entry: &Entry, required: &Required<'_>, run: &str) -> Vec<String> {
    let mut row = keys(entry);
    row.push(entry.status.name().to_owned());
    row.extend(Property::ALL.map(|property| verdict_name(required.status(entry, property)).to_owned()));
    row.extend([
        number(entry.fabricated),
        number(entry.chars),
        entry.finish.name().to_owned(),
        number(entry.usage.input_tokens),
        number(entry.usage.output_tokens),
        entry.cost.map(|dollars| decimal(dollars, 6)).unwrap_or_default(),
        text(entry.served_model.as_deref()),
        text(entry.error.as_deref()),
        entry.attempts.to_string(),
        entry.cached.to_string(),
        entry.latency.as_millis().to_string(),
        escape::csv(run),
    ]);
    row
}

/// Writes scores.csv: a row a trial and required property with its first piece of evidence, further ones in further rows.
///
/// The reason of a truncated answer's scores begins with `truncated answer`; where there is no answer to judge, the
/// verdict is empty (errored, skipped) or `unscored` (the model gave none) and the reason says why.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_scores(run: &Run, outcomes: &dyn Outcomes, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    csv.write_record(SCORES)?;
    let required = Required::of(run);
    for entry in &run.entries {
        let scores =
            if entry.verdicts.iter().any(Option::is_some) { outcomes.outcome(entry)?.scores } else { Vec::new() };
        for property in Property::ALL {
            let Some(status) = required.status(entry, property) else { continue };
            match scores.iter().find(|score| score.property == property) {
                Some(score) => write_score(&mut csv, entry, score)?,
                None => write_missing_score(&mut csv, entry, property, status)?,
            }
        }
    }
    csv.flush()
}

fn write_score(csv: &mut Writer<&mut dyn Write>, entry: &Entry, score: &Score) -> io::Result<()> {
    let mut row = keys(entry);
    row.extend([
        score.property.name().to_owned(),
        score.verdict.name().to_owned(),
        score.value.map(|value| decimal(value, 6)).unwrap_or_default(),
        escape::csv(&reason(entry, score.reason.as_deref().unwrap_or_default())),
    ]);
    if score.evidence.is_empty() {
        row.extend([const { String::new() }; 5]);
        csv.write_record(&row)?;
    }
    for evidence in &score.evidence {
        csv.write_record(row.iter().chain(&evidence_cells(evidence)))?;
    }
    Ok(())
}

fn write_missing_score(
    csv: &mut Writer<&mut dyn Write>,
    entry: &Entry,
    property: Property,
    status: Status,
) -> io::Result<()> {
    let why = entry.error.as_deref().unwrap_or_else(|| entry.finish.name());
    let why = match status {
        Status::Undecided => format!("no answer: {why}"),
        _ if why.is_empty() => status.name().to_owned(),
        _ => format!("{}: {why}", status.name()),
    };
    let mut row = keys(entry);
    row.extend([property.name().to_owned(), verdict_name(Some(status)).to_owned(), String::new(), escape::csv(&why)]);
    row.extend([const { String::new() }; 5]);
    csv.write_record(&row)?;
    Ok(())
}

fn reason<'a>(entry: &Entry, reason: &'a str) -> Cow<'a, str> {
    match (is_truncated(entry), reason) {
        (false, _) => Cow::Borrowed(reason),
        (true, "") => Cow::Borrowed("truncated answer"),
        (true, _) => Cow::Owned(format!("truncated answer; {reason}")),
    }
}

fn evidence_cells(evidence: &Evidence) -> [String; 5] {
    let waiver = evidence.waived.as_ref().map(|reason| format!("waived: {reason}"));
    let parts = [
        evidence.verdict.map(SpecificVerdict::name),
        evidence.basis.map(Basis::name),
        evidence.why.as_deref(),
        waiver.as_deref(),
    ];
    let detail: Vec<&str> = parts.into_iter().flatten().collect();
    [
        escape::csv(&evidence.text),
        number(evidence.span.map(|span| span.start)),
        number(evidence.span.map(|span| span.end)),
        escape::csv(&evidence.kind),
        escape::csv(&detail.join(" · ")),
    ]
}

/// Writes summary.csv: a row a variant and property, `all` (the trials' statuses) first.
///
/// The counts are of trials; skipped ones are in `trials` alone. The rate is of those that passed or failed, with
/// Wilson's 95 % interval. With repeats it is over cases, of which one passes if all its repeats pass and fails if any
/// fails; `method` says which of the two.
///
/// # Errors
/// `out` cannot be written.
pub fn write_summary(run: &Run, out: &mut dyn Write, bom: Bom) -> io::Result<()> {
    let mut csv = begin(out, bom)?;
    csv.write_record(SUMMARY)?;
    let method = method(run);
    for variant in tally(run) {
        for (subject, tally) in &variant.subjects {
            let rate = tally.rate();
            let share = |share: Option<f64>| share.map(|share| decimal(share, 6)).unwrap_or_default();
            csv.write_record([
                variant.prompt.as_str(),
                variant.model.as_str(),
                subject.name(),
                &tally.trials().to_string(),
                &tally.count(Status::Passed).to_string(),
                &tally.count(Status::Failed).to_string(),
                &tally.count(Status::Undecided).to_string(),
                &tally.count(Status::Errored).to_string(),
                &share(rate.map(|rate| rate.estimate)),
                &share(rate.map(|rate| rate.low)),
                &share(rate.map(|rate| rate.high)),
                rate.map_or("", |_| method),
            ])?;
        }
    }
    csv.flush()
}

/// A writer of the form that every CSV file here has.
pub(super) fn begin(out: &mut dyn Write, bom: Bom) -> io::Result<Writer<&mut dyn Write>> {
    if bom == Bom::With {
        out.write_all("\u{feff}".as_bytes())?;
    }
    Ok(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out))
}

fn keys(entry: &Entry) -> Vec<String> {
    let trial = &entry.trial;
    vec![trial.case.to_string(), trial.prompt.to_string(), trial.model.to_string(), trial.repeat.to_string()]
}

/// A property's cell: empty unless it is required and there was something to judge.
const fn verdict_name(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Passed) => Verdict::Pass.name(),
        Some(Status::Failed) => Verdict::Fail.name(),
        Some(Status::Undecided) => Verdict::Unscored.name(),
        Some(Status::Errored | Status::Skipped) | None => "",
    }
}

fn number<T: ToString>(number: Option<T>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

fn text(text: Option<&str>) -> String {
    text.map(escape::csv).unwrap_or_default()
}

/// A number in plain notation with up to `digits` significant decimals; empty if it is none.
pub(super) fn decimal(number: f64, digits: i32) -> String {
    if !number.is_finite() {
        return String::new();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of an f64 lies within ±324")]
    let exponent = number.abs().log10().floor() as i32;
    let places = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    let plain = format!("{number:.places$}");
    if places == 0 { plain } else { plain.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun};

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

    #[test]
    fn headers_are_unique() {
        let properties = Property::ALL.map(Property::name);
        let metrics: Vec<&str> = METRICS_BEFORE.iter().chain(&properties).chain(&METRICS_AFTER).copied().collect();
        for header in [&metrics[..], &SCORES, &SUMMARY] {
            let mut names = header.to_vec();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), header.len());
        }
    }

    #[test]
    fn decimals_are_plain_and_short() {
        for (number, plain) in [
            (0.0, "0"),
            (1.0, "1"),
            (-5.0, "-5"),
            (0.000_123_456_7, "0.000123457"),
            (0.000_000_01, "0.00000001"),
            (12.5, "12.5"),
            (2.0 / 3.0, "0.666667"),
            (1_234_567.8, "1234568"),
            (100.0, "100"),
            (f64::NAN, ""),
            (f64::INFINITY, ""),
        ] {
            assert_eq!(decimal(number, 6), plain);
        }
    }
}
