//! Calibrations on a terminal: tables that a newcomer can read, and the texts on which scorers and people differ.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::comparison::wrapped;
use super::layout::{Align, Cell, Column, Label, write_columns};
use super::{BAD, ODD, QUIET, TITLE, TerminalOptions, write_lines};
use crate::calibration::{Calibration, Comparison, Counts, Mark, SPECIFIC_VERDICTS, Side};
use crate::outcome::{Status, Subject};
use crate::property::Property;
use crate::report::calibration::Calibrated;
use crate::report::escape::one_line;
use crate::report::evidence::shortened;
use crate::report::lang::Lang;
use crate::report::names::{full, label as label_of};
use crate::score::{SpecificVerdict, Verdict};
use crate::stats::{Agreement, Interval, LEVEL};

/// The longest words and notes that are shown, in characters.
const LONGEST_TEXT: usize = 80;
const LONGEST_NOTE: usize = 120;

/// The words of the tables in one language: titles stand with what explains them.
struct Words {
    lang: Lang,
    texts: fn(usize) -> String,
    verdicts: [&'static str; 2],
    agreement: [&'static str; 2],
    marked: [&'static str; 2],
    /// Both fail, the scorer alone, people alone, both pass, unscored: two lines each.
    counts: [[&'static str; 2]; 5],
    /// Precision, recall, F1.
    shares: [&'static str; 3],
    /// The same, agreement, κ, AC1.
    agreements: [&'static str; 4],
    /// Words that both mark, the scorer alone, people alone.
    spans: [&'static str; 3],
    range: fn(&str, &str) -> String,
    /// So many of so many judged otherwise, and so many more with other words marked.
    otherwise: fn(usize, usize, usize) -> String,
    side: fn(Side) -> &'static str,
}

impl Words {
    /// A property in a table.
    fn name(&self, property: Property) -> String {
        match self.lang {
            Lang::En => property.name().to_owned(),
            Lang::Ja => format!("{} {}", label_of(property, self.lang), property.name()),
        }
    }
}

const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &ENGLISH,
        Lang::Ja => &JAPANESE,
    }
}

const ENGLISH: Words = Words {
    lang: Lang::En,
    texts: |count| if count == 1 { "1 labelled text".to_owned() } else { format!("{count} labelled texts") },
    verdicts: [
        "Verdicts",
        "Precision: of the texts that the scorer fails, the share that people fail, too. Recall: of the texts that people \
         fail, the share that the scorer fails, too. F1: both in one number.",
    ],
    agreement: [
        "Agreement (with 95 % intervals)",
        "κ and AC1: agreement beyond what guessing gives; 1 is perfect, 0 no better than guessing. κ is low where nearly \
         all texts pass, AC1 is not. –: undefined, or no interval.",
    ],
    marked: [
        "Marked words",
        "The words that a failing verdict rests on, as the scorer and people mark them: two marks are the same if they \
         share a third of what they cover together.",
    ],
    counts: [["both", "fail"], ["scorer", "alone fails"], ["people", "alone fail"], ["both", "pass"], ["", "unscored"]],
    shares: ["precision", "recall", "F1"],
    agreements: ["same", "agreement", "Cohen's κ", "Gwet's AC1"],
    spans: ["both", "scorer alone", "people alone"],
    range: |low, high| format!(" ({low} to {high})"),
    otherwise: |otherwise, of, words| {
        let words = if words == 0 { String::new() } else { format!(", {words} more with other words marked") };
        format!("{otherwise} of {of} judged otherwise{words}")
    },
    side: Side::name,
};

const JAPANESE: Words = Words {
    lang: Lang::Ja,
    texts: |count| format!("ラベル付きの文章 {count}件"),
    verdicts: [
        "判定",
        "適合率: 採点器が不合格とした文章のうち、人も不合格とした割合。再現率: 人が不合格とした文章のうち、採点器も不合格とした割合。\
         F1: この二つを一つにまとめた値。",
    ],
    agreement: [
        "一致(95%区間)",
        "κとAC1: 当て推量による一致を差し引いた一致度。1は完全な一致、0は当て推量と同じ。ほとんどの文章が合格する場合、κは低く出ますが、\
         AC1はそうなりません。–: 定義できないか、区間なし。",
    ],
    marked: [
        "印の付いた語句",
        "不合格の根拠になった語句を、採点器と人がそれぞれどう示したか。二つの印が覆う範囲の3分の1以上が重なれば、同じ印とみなします。",
    ],
    counts: [["両方", "不合格"], ["採点器だけ", "不合格"], ["人だけ", "不合格"], ["両方", "合格"], ["", "判定保留"]],
    shares: ["適合率", "再現率", "F1"],
    agreements: ["同じ判定", "一致率", "Cohenのκ", "GwetのAC1"],
    spans: ["両方", "採点器だけ", "人だけ"],
    range: |low, high| format!("({low}〜{high})"),
    otherwise: |otherwise, of, words| {
        let words = if words == 0 { String::new() } else { format!("、ほかに印の違うもの{words}件") };
        format!("{of}件のうち判定の違うもの{otherwise}件{words}")
    },
    side: |side| match side {
        Side::People => "人",
        Side::Scorer => "採点器",
        Side::Both => "両方",
    },
};

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
    let words = words(options.lang);
    writeln!(text, "{}", options.paint(TITLE, &(words.texts)(calibrated.texts)))?;
    section(words.verdicts, options, &mut text, |text| {
        write_columns(&labels(properties, words), &verdict_columns(properties, words), options, text)
    })?;
    section(words.agreement, options, &mut text, |text| {
        write_columns(&labels(properties, words), &agreement_columns(properties, words), options, text)
    })?;
    let rows = span_rows(properties, words);
    if !rows.is_empty() {
        section(words.marked, options, &mut text, |text| write_spans(&rows, options, text))?;
    }
    if calibrated.show {
        properties.iter().try_for_each(|calibration| write_disagreements(calibration, options, &mut text))?;
    }
    write_lines(&text, out)
}

fn section(
    [title, explanation]: [&str; 2],
    options: TerminalOptions,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(out, "\n{}", options.paint(TITLE, title))?;
    write(out)?;
    for line in wrapped(explanation, options) {
        writeln!(out, "{}", options.paint(QUIET, &line))?;
    }
    Ok(())
}

fn labels(properties: &[Calibration], words: &Words) -> Vec<Label> {
    properties.iter().map(|calibration| label(&words.name(calibration.property))).collect()
}

fn label(text: &str) -> Label {
    Label { group: None, text: text.to_owned() }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| UNDEFINED.to_owned(), |share| format!("{share:.2}"))
}

fn verdict_columns(properties: &[Calibration], words: &Words) -> Vec<Column> {
    type Count = fn(&Calibration) -> usize;
    let counts: [(Option<Style>, Count); 5] = [
        (None, |calibration| calibration.both_fail),
        (Some(BAD), |calibration| calibration.false_alarms),
        (Some(BAD), |calibration| calibration.missed),
        (None, |calibration| calibration.both_pass),
        (Some(ODD), |calibration| calibration.unscored),
    ];
    type Share = fn(&Counts) -> Option<f64>;
    let shares: [Share; 3] = [Counts::precision, Counts::recall, Counts::f1];
    let counts = words.counts.iter().zip(counts).map(|([above, below], (style, count))| {
        let cell = |count: usize| match style.filter(|_| count > 0) {
            None => Cell::plain(count.to_string()),
            Some(style) => Cell { text: count.to_string(), style },
        };
        Column::new(above, below, properties.iter().map(|calibration| cell(count(calibration))))
    });
    let shares = words.shares.iter().zip(shares).map(|(name, of)| {
        Column::new("", name, properties.iter().map(|calibration| Cell::plain(share(of(&calibration.alarms())))))
    });
    counts.chain(shares).collect()
}

fn agreement_columns(properties: &[Calibration], words: &Words) -> Vec<Column> {
    let column = |name: &str, cell: &dyn Fn(&Calibration) -> String| {
        Column::new("", name, properties.iter().map(|calibration| Cell::plain(cell(calibration)))).aligned(Align::Left)
    };
    let same = |calibration: &Calibration| {
        format!("{}/{}", calibration.both_fail + calibration.both_pass, calibration.judged())
    };
    let ranged = |estimate: f64, [low, high]: [f64; 2]| {
        format!("{estimate:.2}{}", (words.range)(&format!("{low:.2}"), &format!("{high:.2}")))
    };
    let rate = |calibration: &Calibration| {
        calibration
            .table()
            .agreement(LEVEL)
            .map_or_else(|| UNDEFINED.to_owned(), |Interval { estimate, low, high }| ranged(estimate, [low, high]))
    };
    let measure = |agreement: Option<Agreement>| match agreement {
        None => UNDEFINED.to_owned(),
        Some(Agreement { estimate, interval: Some((low, high)) }) => ranged(estimate, [low, high]),
        Some(Agreement { estimate, interval: None }) => format!("{estimate:.2} ({UNDEFINED})"),
    };
    let [same_name, rate_name, kappa, ac1] = words.agreements;
    vec![
        column(same_name, &same),
        column(rate_name, &rate),
        column(kappa, &|calibration| measure(calibration.table().kappa(LEVEL))),
        column(ac1, &|calibration| measure(calibration.table().ac1(LEVEL))),
    ]
}

/// The rows of marked words: a property each, beneath `no_fabrication` one for each further verdict.
fn span_rows(properties: &[Calibration], words: &Words) -> Vec<(Label, Counts)> {
    let mut rows = Vec::new();
    for calibration in properties {
        if calibration.spans != Counts::default() {
            rows.push((label(&words.name(calibration.property)), calibration.spans));
        }
        let of_verdicts = SPECIFIC_VERDICTS.iter().zip(calibration.specifics);
        let further = of_verdicts
            .filter(|(verdict, counts)| **verdict != SpecificVerdict::Fabricated && *counts != Counts::default());
        rows.extend(
            further.map(|(verdict, counts)| (label(&format!("  {}", (words.lang.words().specific)(*verdict))), counts)),
        );
    }
    rows
}

fn write_spans(rows: &[(Label, Counts)], options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let column = |name: &str, cell: fn(&Counts) -> String| {
        Column::new("", name, rows.iter().map(|(_, counts)| Cell::plain(cell(counts))))
    };
    let words = words(options.lang);
    let ([both, scorer, people], [precision, recall, f1]) = (words.spans, words.shares);
    let columns = [
        column(both, |counts| counts.matched.to_string()),
        column(scorer, |counts| (counts.found - counts.matched).to_string()),
        column(people, |counts| (counts.wanted - counts.matched).to_string()),
        column(precision, |counts| share(counts.precision())),
        column(recall, |counts| share(counts.recall())),
        column(f1, |counts| share(counts.f1())),
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
    let words = words(options.lang);
    let name = options.paint(TITLE, &full(Subject::Property(calibration.property), options.lang));
    writeln!(out, "\n{name}: {}", (words.otherwise)(other_verdict.len(), of, same_verdict.len()))?;
    other_verdict.into_iter().chain(same_verdict).try_for_each(|comparison| write_one(comparison, options, out))
}

fn write_one(comparison: &Comparison, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let (sign, style) = match comparison.verdict {
        Verdict::Unscored => ("?", ODD),
        _ if comparison.agrees() => ("≈", QUIET),
        _ => ("✗", BAD),
    };
    let (words, of_run) = (words(options.lang), options.lang.words());
    let verdict = |verdict: Verdict| match verdict {
        Verdict::Pass => (of_run.verdict)(Status::Passed),
        Verdict::Fail => (of_run.verdict)(Status::Failed),
        Verdict::Unscored => (of_run.verdict)(Status::Undecided),
    };
    let people = verdict(if comparison.label_passes { Verdict::Pass } else { Verdict::Fail });
    let [by_both, by_people, by_scorer] = [Side::Both, Side::People, Side::Scorer].map(words.side);
    let verdicts = if comparison.agrees() {
        format!("{by_both}: {people}")
    } else {
        format!("{by_people}: {people} · {by_scorer}: {}", verdict(comparison.verdict))
    };
    let reason = comparison.reason.as_deref().map(of_run.reason);
    let reason = reason.map(|reason| format!(" ({})", one_line(&reason))).unwrap_or_default();
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
    let (words, of_run) = (words(options.lang), options.lang.words());
    let note = mark.note.as_deref().map(of_run.note);
    let note = note.map(|note| shortened(&one_line(&note), LONGEST_NOTE));
    // The kind of what is covered only repeats the property's name.
    let kind = Some(&mark.kind).filter(|kind| !kind.is_empty() && !property.name().ends_with(kind.as_str()));
    let kind = kind.map(|kind| one_line((of_run.kind)(kind)));
    let said: Vec<String> = kind.into_iter().chain(note).collect();
    let by = (words.side)(mark.by);
    let blanks = " ".repeat(6_usize.saturating_sub(by.width()));
    let line = format!("{by}{blanks}  「{text}」 {}", options.paint(QUIET, &said.join(" · ")));
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
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
    fn tables_are_told_in_japanese_too() {
        let options = TerminalOptions { lang: Lang::Ja, ..TerminalOptions::default() };
        insta::assert_snapshot!(rendered(&sample(), true, options), @"
        ラベル付きの文章 101件

        判定
                                       両方  採点器だけ  人だけ  両方
                                     不合格      不合格  不合格  合格  判定保留  適合率  再現率    F1
          捏造がない no_fabrication      40           9       6    45         1    0.82    0.87  0.84
          拒否しない refusal              0           0       0   100         0       –       –     –
        適合率: 採点器が不合格とした文章のうち、人も不合格とした割合。再現率: 人が不合格とした文章のうち、採
        点器も不合格とした割合。F1: この二つを一つにまとめた値。

        一致(95%区間)
                                     同じ判定  一致率            Cohenのκ          GwetのAC1
          捏造がない no_fabrication  85/100    0.85(0.77〜0.91)  0.70(0.56〜0.84)  0.70(0.56〜0.84)
          拒否しない refusal         100/100   1.00(0.96〜1.00)  –                 1.00 (–)
        κとAC1: 当て推量による一致を差し引いた一致度。1は完全な一致、0は当て推量と同じ。ほとんどの文章が合格
        する場合、κは低く出ますが、AC1はそうなりません。–: 定義できないか、区間なし。

        印の付いた語句
                                     両方  採点器だけ  人だけ  適合率  再現率    F1
          捏造がない no_fabrication    30          10      30    0.75    0.50  0.60
            推測の表現                 30          10      30    0.75    0.50  0.60
            背景知識                   30          10      30    0.75    0.50  0.60
            裏付けあり                 30          10      30    0.75    0.50  0.60
        不合格の根拠になった語句を、採点器と人がそれぞれどう示したか。二つの印が覆う範囲の3分の1以上が重なれ
        ば、同じ印とみなします。

        捏造がない(no_fabrication): 101件のうち判定の違うもの2件、ほかに印の違うもの1件
        ✗ a-1  人: 不合格 · 採点器: 合格
            人      「約30社」 数値 · 採点器の判断は推測の表現: かも
        ? a-3  人: 合格 · 採点器: 判定保留 (the item has no source)
        ≈ a-2  両方: 不合格
            採点器  「=1+1␛[2J ::error::x」 数値 · 記載なし、人の判断は裏付けあり
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
            for lang in Lang::ALL {
                let text = rendered(&properties, false, TerminalOptions { width, lang, ..TerminalOptions::default() });
                for line in text.lines() {
                    assert!(line.width() <= width, "{width}: {line}");
                }
            }
        }
    }
}
