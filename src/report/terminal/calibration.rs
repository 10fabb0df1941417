//! Calibrations on a terminal: tables that a newcomer can read, and the texts on which scorers and people differ.

use std::io::{self, Write};

use super::layout::{Align, Cell, Column, Label, write_columns};
use super::{BAD, ODD, QUIET, TITLE, TerminalOptions, write_lines};
use crate::calibration::{Calibration, Comparison, Counts, Mark, SPECIFIC_VERDICTS, Side};
use crate::property::Property;
use crate::report::calibration::Calibrated;
use crate::report::escape::one_line;
use crate::report::evidence::shortened;
use crate::score::{SpecificVerdict, Verdict};
use crate::stats::{Agreement, Interval, LEVEL};

/// The longest words and notes that are shown, in characters.
const LONGEST_TEXT: usize = 80;
const LONGEST_NOTE: usize = 120;

/// What stands in the place of an undefined number.
const UNDEFINED: &str = "–";

/// Writes calibrations: verdicts, agreement, marked words, each with a line that explains it; then, if they are to be
/// shown, the texts on which the two sides differ.
///
/// # Errors
/// `out` cannot be written.
pub fn write_calibration(calibrated: Calibrated<'_>, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    let properties = calibrated.properties;
    let texts = if calibrated.texts == 1 {
        "1 labelled text".to_owned()
    } else {
        format!("{} labelled texts", calibrated.texts)
    };
    writeln!(text, "{}", options.paint(TITLE, &texts))?;
    section("Verdicts", VERDICTS, options, &mut text, |text| {
        write_columns(&labels(properties), &verdict_columns(properties), options, text)
    })?;
    section("Agreement (with 95 % intervals)", AGREEMENT, options, &mut text, |text| {
        write_columns(&labels(properties), &agreement_columns(properties), options, text)
    })?;
    let rows = span_rows(properties);
    if !rows.is_empty() {
        section("Marked words", WORDS, options, &mut text, |text| write_spans(&rows, options, text))?;
    }
    if calibrated.show {
        properties.iter().try_for_each(|calibration| write_disagreements(calibration, options, &mut text))?;
    }
    write_lines(&text, out)
}

const VERDICTS: &str = "Precision: of the texts that the scorer fails, the share that people fail, too. Recall: of the \
    texts that people fail, the share that the scorer fails, too. F1: both in one number.";
const AGREEMENT: &str = "κ and AC1: agreement beyond what guessing gives; 1 is perfect, 0 no better than guessing. κ is \
    low where nearly all texts pass, AC1 is not. –: undefined, or no interval.";
const WORDS: &str = "The words that a failing verdict rests on, as the scorer and people mark them: two marks are the \
    same if they share a third of what they cover together.";

fn section(
    title: &str,
    explanation: &str,
    options: TerminalOptions,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(out, "\n{}", options.paint(TITLE, title))?;
    write(out)?;
    for line in wrapped(explanation, options.width) {
        writeln!(out, "{}", options.paint(QUIET, &line))?;
    }
    Ok(())
}

/// A text of our own in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn labels(properties: &[Calibration]) -> Vec<Label> {
    properties.iter().map(|calibration| label(calibration.property.name())).collect()
}

fn label(text: &str) -> Label {
    Label { group: None, text: text.to_owned() }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| UNDEFINED.to_owned(), |share| format!("{share:.2}"))
}

fn verdict_columns(properties: &[Calibration]) -> Vec<Column> {
    type Count = fn(&Calibration) -> usize;
    let counts: [(&str, &str, Count); 5] = [
        ("both", "fail", |calibration| calibration.both_fail),
        ("scorer", "alone fails", |calibration| calibration.false_alarms),
        ("people", "alone fail", |calibration| calibration.missed),
        ("both", "pass", |calibration| calibration.both_pass),
        ("", "unscored", |calibration| calibration.unscored),
    ];
    type Share = fn(&Counts) -> Option<f64>;
    let shares: [(&str, Share); 3] = [("precision", Counts::precision), ("recall", Counts::recall), ("F1", Counts::f1)];
    let counts = counts.into_iter().map(|(above, below, count)| {
        let style = if below.starts_with("alone") { BAD } else { ODD };
        let is_plain = |count| count == 0 || above == "both";
        let cell = |count: usize| {
            if is_plain(count) { Cell::plain(count.to_string()) } else { Cell { text: count.to_string(), style } }
        };
        Column::new(above, below, properties.iter().map(|calibration| cell(count(calibration))))
    });
    let shares = shares.into_iter().map(|(name, of)| {
        Column::new("", name, properties.iter().map(|calibration| Cell::plain(share(of(&calibration.alarms())))))
    });
    counts.chain(shares).collect()
}

fn agreement_columns(properties: &[Calibration]) -> Vec<Column> {
    let column = |name: &str, cell: &dyn Fn(&Calibration) -> String| {
        Column::new("", name, properties.iter().map(|calibration| Cell::plain(cell(calibration)))).aligned(Align::Left)
    };
    let same = |calibration: &Calibration| {
        format!("{}/{}", calibration.both_fail + calibration.both_pass, calibration.judged())
    };
    let rate = |calibration: &Calibration| {
        calibration.table().agreement(LEVEL).map_or_else(
            || UNDEFINED.to_owned(),
            |Interval { estimate, low, high }| format!("{estimate:.2} ({low:.2} to {high:.2})"),
        )
    };
    let measure = |agreement: Option<Agreement>| match agreement {
        None => UNDEFINED.to_owned(),
        Some(Agreement { estimate, interval: Some((low, high)) }) => format!("{estimate:.2} ({low:.2} to {high:.2})"),
        Some(Agreement { estimate, interval: None }) => format!("{estimate:.2} ({UNDEFINED})"),
    };
    vec![
        column("same", &same),
        column("agreement", &rate),
        column("Cohen's κ", &|calibration| measure(calibration.table().kappa(LEVEL))),
        column("Gwet's AC1", &|calibration| measure(calibration.table().ac1(LEVEL))),
    ]
}

/// The rows of marked words: a property each, beneath `no_fabrication` one for each further verdict.
fn span_rows(properties: &[Calibration]) -> Vec<(Label, Counts)> {
    let mut rows = Vec::new();
    for calibration in properties {
        if calibration.spans != Counts::default() {
            rows.push((label(calibration.property.name()), calibration.spans));
        }
        let of_verdicts = SPECIFIC_VERDICTS.iter().zip(calibration.specifics);
        let further = of_verdicts
            .filter(|(verdict, counts)| **verdict != SpecificVerdict::Fabricated && *counts != Counts::default());
        rows.extend(further.map(|(verdict, counts)| (label(&format!("  {}", verdict.name())), counts)));
    }
    rows
}

fn write_spans(rows: &[(Label, Counts)], options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let column = |name: &str, cell: fn(&Counts) -> String| {
        Column::new("", name, rows.iter().map(|(_, counts)| Cell::plain(cell(counts))))
    };
    let columns = [
        column("both", |counts| counts.matched.to_string()),
        column("scorer alone", |counts| (counts.found - counts.matched).to_string()),
        column("people alone", |counts| (counts.wanted - counts.matched).to_string()),
        column("precision", |counts| share(counts.precision())),
        column("recall", |counts| share(counts.recall())),
        column("F1", |counts| share(counts.f1())),
    ];
    let labels: Vec<Label> = rows.iter().map(|(name, _)| label(&name.text)).collect();
    write_columns(&labels, &columns, options, out)
}

fn write_disagreements(calibration: &Calibration, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let all = &calibration.disagreements;
    if all.is_empty() {
        return Ok(());
    }
    let (same_verdict, other_verdict): (Vec<&Comparison>, Vec<&Comparison>) =
        all.iter().partition(|comparison| comparison.agrees());
    let of = calibration.judged() + calibration.unscored;
    let name = options.paint(TITLE, calibration.property.name());
    let words = match same_verdict.len() {
        0 => String::new(),
        n => format!(", {n} more with other words marked"),
    };
    writeln!(out, "\n{name}: {} of {of} judged otherwise{words}", other_verdict.len())?;
    other_verdict.into_iter().chain(same_verdict).try_for_each(|comparison| write_one(comparison, options, out))
}

fn write_one(comparison: &Comparison, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let (sign, style) = match comparison.verdict {
        Verdict::Unscored => ("?", ODD),
        _ if comparison.agrees() => ("≈", QUIET),
        _ => ("✗", BAD),
    };
    let people = if comparison.label_passes { Verdict::Pass } else { Verdict::Fail };
    let verdicts = if comparison.agrees() {
        format!("both: {}", people.name())
    } else {
        format!("people: {} · scorer: {}", people.name(), comparison.verdict.name())
    };
    let reason = comparison.reason.as_deref().map(|reason| format!(" ({})", one_line(reason))).unwrap_or_default();
    writeln!(
        out,
        "{} {}  {verdicts}{reason}",
        options.paint(style, sign),
        options.paint(TITLE, &one_line(&comparison.id))
    )?;
    // What both marked explains a verdict, and says nothing where only words differ.
    let shown = comparison.marks.iter().filter(|mark| !comparison.agrees() || mark.by != Side::Both);
    shown.into_iter().try_for_each(|mark| writeln!(out, "    {}", line(mark, comparison.property, options)))
}

/// `people  「約30社」 number · the scorer says hedged: かも`
fn line(mark: &Mark, property: Property, options: TerminalOptions) -> String {
    let text = shortened(&one_line(&mark.text), LONGEST_TEXT);
    let note = mark.note.as_deref().map(|note| shortened(&one_line(note), LONGEST_NOTE));
    let kind = one_line(&mark.kind);
    // The kind of what is covered only repeats the property's name.
    let kind = Some(kind).filter(|kind| !kind.is_empty() && !property.name().ends_with(kind.as_str()));
    let said: Vec<String> = kind.into_iter().chain(note).collect();
    let line = format!("{:6}  「{text}」 {}", mark.by.name(), options.paint(QUIET, &said.join(" · ")));
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::report::calibration::tests::sample;

    fn rendered(properties: &[Calibration], show: bool, options: TerminalOptions) -> String {
        let mut out = Vec::new();
        write_calibration(Calibrated { texts: 101, properties, show }, options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn tables_explain_themselves_and_differences_show_both_sides() {
        insta::assert_snapshot!(rendered(&sample(), true, TerminalOptions::default()), @"
        101 labelled texts

        Verdicts
                          both       scorer      people  both
                          fail  alone fails  alone fail  pass  unscored  precision  recall    F1
          no_fabrication    40            9           6    45         1       0.82    0.87  0.84
          refusal            0            0           0   100         0          –       –     –
        Precision: of the texts that the scorer fails, the share that people fail, too. Recall: of the texts
        that people fail, the share that the scorer fails, too. F1: both in one number.

        Agreement (with 95 % intervals)
                          same     agreement            Cohen's κ            Gwet's AC1
          no_fabrication  85/100   0.85 (0.77 to 0.91)  0.70 (0.56 to 0.84)  0.70 (0.56 to 0.84)
          refusal         100/100  1.00 (0.96 to 1.00)  –                    1.00 (–)
        κ and AC1: agreement beyond what guessing gives; 1 is perfect, 0 no better than guessing. κ is low
        where nearly all texts pass, AC1 is not. –: undefined, or no interval.

        Marked words
                          both  scorer alone  people alone  precision  recall    F1
          no_fabrication    30            10            30       0.75    0.50  0.60
            hedged          30            10            30       0.75    0.50  0.60
            background      30            10            30       0.75    0.50  0.60
            grounded        30            10            30       0.75    0.50  0.60
        The words that a failing verdict rests on, as the scorer and people mark them: two marks are the
        same if they share a third of what they cover together.

        no_fabrication: 2 of 101 judged otherwise, 1 more with other words marked
        ✗ a-1  people: fail · scorer: pass
            people  「約30社」 number · the scorer says hedged: かも
        ? a-3  people: pass · scorer: unscored (the item has no source)
        ≈ a-2  both: fail
            scorer  「=1+1␛[2J ::error::x」 number · unsupported; people say grounded
        ");
    }

    #[test]
    fn tables_fit_their_width_for_every_property_and_large_counts() {
        let calibration = |property| Calibration {
            both_fail: 10_000,
            false_alarms: 20_000,
            missed: 10_000,
            both_pass: 60_000,
            unscored: 10_000,
            spans: Counts { matched: 10_000, found: 100_000, wanted: 100_000 },
            ..Calibration::new(property)
        };
        let properties = Property::ALL.map(calibration);
        for width in [60, 80, 100] {
            let text = rendered(&properties, false, TerminalOptions { width, ..TerminalOptions::default() });
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}
