//! A run on a terminal: counts, rates, and the worst failures with their quotations.
//!
//! Promises lines within the width asked for, Japanese counted as wide as it is; no colour without a word or sign that
//! says the same; and that nothing in an answer reaches the terminal as a command.

mod calibration;
mod comparison;
mod history;
mod layout;
mod show;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::outcome::{Entry, Outcomes, Run, Status, Subject};
use crate::property::Property;
use crate::report::csv::decimal;
use crate::report::escape::{one_line, without_ci_commands};
use crate::report::evidence::{against, quote};
use crate::report::lang::{Lang, Words};
use crate::report::markdown::scale;
use crate::report::names::short;
use crate::report::tally::{Tally, VariantTally, is_truncated, tally};
use crate::report::trouble::{errors, is_without_answer, why_no_answer};
use crate::report::worst::worst;
use crate::score::{Score, Verdict};

use layout::{Align, Cell, Column, Label, cut, write_columns};

pub use calibration::write_calibration;
pub use comparison::write_comparison;
pub use history::write_history;
pub use show::{write_outcome, write_scored};

/// The widest table: what fits a terminal beside another window, and a CI log.
pub const MOST_COLUMNS: usize = 100;

/// How a report is written on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalOptions {
    /// The most columns a line takes.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
    /// The language of the report's own words.
    pub lang: Lang,
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self { width: MOST_COLUMNS, colour: false, lang: Lang::default() }
    }
}

impl TerminalOptions {
    /// The text in a style, if there is colour.
    fn paint(self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

const GOOD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
const BAD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const ODD: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const QUIET: Style = Style::new().dimmed();
const TITLE: Style = Style::new().bold();

/// The most failures, messages and quotations of one property that are shown.
const MOST_FAILURES: usize = 5;
const MOST_MESSAGES: usize = 5;

/// The most lines of an error's message.
const MOST_LINES: usize = 4;
const MOST_QUOTES: usize = 3;

/// Writes what became of a run.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_run(run: &Run, outcomes: &dyn Outcomes, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    write_table(run, options, &mut text)?;
    write_failures(run, outcomes, options, &mut text)?;
    write_notes(run, options, &mut text)?;
    write_lines(&text, out)
}

/// Writes lines so that neither a terminal nor a CI service takes a command from them.
fn write_lines(text: &[u8], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(without_ci_commands(&String::from_utf8_lossy(text)).as_bytes())
}

fn write_table(run: &Run, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let variants = tally(run);
    write_head(run, options, out)?;
    let labels = labels(&variants);
    write_columns(&labels, &count_columns(run, &variants, options), options, out)?;
    let properties = property_columns(run, &variants);
    if !properties.is_empty() {
        writeln!(out, "\n{}", options.paint(TITLE, options.lang.words().terminal_properties))?;
        write_columns(&labels, &properties, options, out)?;
    }
    Ok(())
}

fn write_head(run: &Run, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    let counts: Vec<String> = Status::ALL
        .into_iter()
        .filter(|status| run.count(*status) > 0)
        .map(|status| options.paint(style(status), &(words.counted)((words.status)(status), run.count(status))))
        .collect();
    writeln!(out, "{}: {}", options.paint(TITLE, &(words.trials)(run.entries.len())), counts.join(words.list))?;
    writeln!(out, "{}", options.paint(QUIET, &scale(run, words)))?;
    if !run.finished {
        let note = (words.unfinished)(run.tried(), run.header.trials);
        writeln!(out, "{}", options.paint(ODD, &cut(&note, options.width)))?;
    }
    writeln!(out)
}

const fn style(status: Status) -> Style {
    match status {
        Status::Passed => GOOD,
        Status::Failed => BAD,
        Status::Undecided | Status::Errored => ODD,
        Status::Skipped => QUIET,
    }
}

/// The prompts, with their models beneath.
fn labels(variants: &[VariantTally<'_>]) -> Vec<Label> {
    let mut labels = Vec::new();
    for (n, variant) in variants.iter().enumerate() {
        let is_first = n == 0 || variants[n - 1].prompt != variant.prompt;
        labels.push(Label { group: is_first.then(|| variant.prompt.to_string()), text: variant.model.to_string() });
    }
    labels
}

fn count_columns(run: &Run, variants: &[VariantTally<'_>], options: TerminalOptions) -> Vec<Column> {
    let words = options.lang.words();
    let count = |status: Status| {
        let cell = |variant: &VariantTally<'_>| {
            let count = variant.all().count(status);
            Cell { text: count.to_string(), style: if count > 0 { style(status) } else { QUIET } }
        };
        Column::new("", (words.status)(status), variants.iter().map(cell))
    };
    let is_shown = |status: &Status| *status != Status::Skipped || run.count(Status::Skipped) > 0;
    let mut columns: Vec<Column> = Status::ALL.into_iter().filter(is_shown).map(count).collect();
    if variants.iter().any(|variant| variant.truncated > 0) {
        let cell = |variant: &VariantTally<'_>| Cell {
            text: variant.truncated.to_string(),
            style: if variant.truncated > 0 { ODD } else { QUIET },
        };
        columns.push(Column::new("", words.summary_cut, variants.iter().map(cell)));
    }
    if variants.iter().any(|variant| variant.cost.is_some_and(|cost| cost > 0.0)) {
        let cost = |variant: &VariantTally<'_>| variant.cost.map_or_else(String::new, |cost| decimal(cost, 3));
        columns.push(Column::new("", "USD", variants.iter().map(|variant| Cell::plain(cost(variant)))));
    }
    let rate = |variant: &VariantTally<'_>| Cell::plain(variant.all().rate_in_words(words));
    columns.push(Column::new("", words.terminal_rate, variants.iter().map(rate)).aligned(Align::Left));
    columns
}

fn property_columns(run: &Run, variants: &[VariantTally<'_>]) -> Vec<Column> {
    let column = |property: Property| {
        let (above, below) = property.name().split_once('_').unwrap_or(("", property.name()));
        let tallies = || variants.iter().filter_map(move |variant| variant.property(property));
        let digits = tallies().map(|tally| tally.decided_cases.to_string().len()).max().unwrap_or(1);
        Column::new(above, below, tallies().map(|tally| property_cell(tally, digits))).aligned(Align::Left)
    };
    run.properties().map(column).collect()
}

/// `10/11 ?1 !2`: passed of decided, then what is unscored and what errored.
fn property_cell(tally: &Tally, digits: usize) -> Cell {
    let (passed, decided) = (tally.passed_cases, tally.decided_cases);
    let mut text =
        if decided == 0 { format!("{:>digits$}", "–") } else { format!("{passed:>digits$}/{decided:<digits$}") };
    for (sign, status) in [('?', Status::Undecided), ('!', Status::Errored)] {
        let count = tally.count(status);
        if count > 0 {
            text = format!("{text} {sign}{count}");
        }
    }
    let style = match passed {
        _ if decided == 0 => QUIET,
        _ if passed == decided => GOOD,
        _ if passed * 2 < decided => BAD,
        _ => ODD,
    };
    Cell { text, style }
}

fn write_failures(run: &Run, outcomes: &dyn Outcomes, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    let failures = worst(run, MOST_FAILURES);
    if failures.is_empty() {
        return Ok(());
    }
    let all = run.count(Status::Failed);
    let shown = if failures.len() < all { format!(" ({}/{all})", failures.len()) } else { String::new() };
    writeln!(out, "\n{}{shown}", options.paint(TITLE, words.summary_worst))?;
    for entry in failures {
        let outcome = outcomes.outcome(entry)?;
        let mark = if is_truncated(entry) { format!("  {}", words.truncated) } else { String::new() };
        let name = cut(&entry.trial.to_string(), options.width.saturating_sub(2 + mark.len()));
        writeln!(out, "{} {name}{}", options.paint(BAD, "✗"), options.paint(ODD, &mark))?;
        let failed = outcome.scores.iter().filter(|score| score.verdict == Verdict::Fail);
        let mut reasons: Vec<String> = failed.map(|score| failure(score, words)).collect();
        if is_without_answer(entry) {
            reasons.push(format!("{}: {}", words.no_answer, one_line(&(words.reason)(&why_no_answer(entry)))));
        }
        writeln!(out, "    {}", cut(&reasons.join(" · "), options.width.saturating_sub(4)))?;
    }
    Ok(())
}

/// `no_fabrication 「約30社」「山田太郎」 +2`.
fn failure(score: &Score, words: &Words) -> String {
    let quotes: String = against(score).take(MOST_QUOTES).map(|evidence| quote(evidence, words)).collect();
    let more = against(score).count().saturating_sub(MOST_QUOTES);
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    let property = short(Subject::Property(score.property), words.lang);
    match (&score.reason, quotes.as_str()) {
        (None, "") => property.to_owned(),
        (Some(reason), "") => format!("{property} {}", one_line(&(words.reason)(reason))),
        _ => format!("{property} {quotes}{more}"),
    }
}

/// What a reader must know beside the rates.
fn write_notes(run: &Run, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let words = options.lang.words();
    let errors = errors(run);
    // Why there is no answer stands at the beginning of a message, and what became of it at the end.
    let errored = errors.iter().take(MOST_MESSAGES).map(|((model, message), count)| {
        let message = one_line(&(words.reason)(message));
        format!("{} · {model}: {count} × {message}", (words.status)(Status::Errored))
    });
    let errored: Vec<String> = errored.collect();
    let mut notes = Vec::new();
    if errors.len() > MOST_MESSAGES {
        notes.push((words.more)(errors.len() - MOST_MESSAGES));
    }
    let truncated: Vec<&Entry> = run.entries.iter().filter(|entry| is_truncated(entry)).collect();
    if !truncated.is_empty() {
        let names: Vec<String> = truncated.iter().take(MOST_FAILURES).map(|entry| entry.trial.to_string()).collect();
        notes.push(format!("{}: {}", (words.truncated_answers)(truncated.len()), names.join(", ")));
    }
    let priced = run.header.models.iter().filter_map(|model| Some((&model.id, model.price_note.as_ref()?)));
    notes.extend(
        priced.map(|(model, note)| format!("{} · {model}: {}", words.summary_costs, one_line(&(words.reason)(note)))),
    );
    if errored.is_empty() && notes.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for note in errored {
        let note = cut(&note, options.width * MOST_LINES);
        let mut lines = Vec::new();
        comparison::paragraph(&format!("! {note}"), options, &mut lines)?;
        // Colour takes no room: it is added when the lines are broken.
        write!(out, "{}", options.paint(ODD, "!"))?;
        out.write_all(&lines[1..])?;
    }
    notes.iter().try_for_each(|note| {
        writeln!(out, "{} {}", options.paint(ODD, "!"), cut(note, options.width.saturating_sub(2)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun, summary_sample};
    use unicode_width::UnicodeWidthStr;

    fn rendered(run: &SampleRun, options: TerminalOptions) -> String {
        let mut out = Vec::new();
        write_run(run, run, options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_is_a_table_with_its_worst_failures() {
        insta::assert_snapshot!(rendered(&summary_sample(), TerminalOptions::default()), @"
        16 trials: 6 passed, 4 failed, 4 undecided, 2 errored
        4 cases × 2 prompts × 2 models

                            passed  failed  undecided  errored  truncated     USD  rate (95 %)
        news-article
          sample-careful         3       0          1        0          1  0.0025  3/3 100 % (44–100)
          sample-inventive       1       2          1        0          1  0.0025  1/3 33 % (6–79)
        news-article-careful
          sample-careful         2       0          1        1          1  0.0025  2/2 100 % (34–100)
          sample-inventive       0       2          1        1          1  0.0025  0/2 0 % (0–66)

        Passed of decided, by property (?: unscored, !: errored)
                            article    no
                            only       fabrication  readability
        news-article
          sample-careful    4/4        1/1 ?1       – ?1
          sample-inventive  2/3 ?1     0/1 ?1       – ?1
        news-article-careful
          sample-careful    3/3 !1     1/1 ?1       1/1
          sample-inventive  1/2 ?1 !1  0/1 ?1       1/1

        Worst failures
        ✗ osaka-expo · news-article@sample-inventive
            no answer: the answer was blocked: SAFETY
        ✗ osaka-expo · news-article-careful@sample-inventive
            no answer: the answer was blocked: SAFETY
        ✗ chicago-quantum · news-article@sample-inventive
            article_only 「はい、承知しました。」 · no_fabrication 「約30社」「山田太郎」「歴史的だ」 +1
        ✗ chicago-quantum · news-article-careful@sample-inventive
            article_only 「はい、承知しました。」 · no_fabrication 「約30社」「山田太郎」「歴史的だ」 +1

        ! errored · sample-careful: 1 × timeout: no answer within 120s
        ! errored · sample-inventive: 1 × timeout: no answer within 120s
        ! 4 truncated answers: kyoto-tea · news-article@sample-careful, kyoto-tea · news-article@sample-…
        ! Cost · sample-careful: the price was valid until 2025-12-31
        ");
    }

    #[test]
    fn a_run_is_told_in_japanese_too() {
        let options = TerminalOptions { lang: Lang::Ja, ..TerminalOptions::default() };
        insta::assert_snapshot!(rendered(&summary_sample(), options), @"
        全16試行: 合格 6、不合格 4、判定保留 4、エラー 2
        4ケース × 2プロンプト × 2モデル

                            合格  不合格  判定保留  エラー  打ち切り     USD  合格率(95%区間)
        news-article
          sample-careful       3       0         1       0         1  0.0025  3/3 100%(44〜100)
          sample-inventive     1       2         1       0         1  0.0025  1/3 33%(6〜79)
        news-article-careful
          sample-careful       2       0         1       1         1  0.0025  2/2 100%(34〜100)
          sample-inventive     0       2         1       1         1  0.0025  0/2 0%(0〜66)

        項目別の合格数/判定数(?: 判定保留、!: エラー)
                            article    no
                            only       fabrication  readability
        news-article
          sample-careful    4/4        1/1 ?1       – ?1
          sample-inventive  2/3 ?1     0/1 ?1       – ?1
        news-article-careful
          sample-careful    3/3 !1     1/1 ?1       1/1
          sample-inventive  1/2 ?1 !1  0/1 ?1       1/1

        特に問題のある回答
        ✗ osaka-expo · news-article@sample-inventive
            回答なし: 回答がブロックされました: SAFETY
        ✗ osaka-expo · news-article-careful@sample-inventive
            回答なし: 回答がブロックされました: SAFETY
        ✗ chicago-quantum · news-article@sample-inventive
            記事だけ 「はい、承知しました。」 · 捏造がない 「約30社」「山田太郎」「歴史的だ」 +1
        ✗ chicago-quantum · news-article-careful@sample-inventive
            記事だけ 「はい、承知しました。」 · 捏造がない 「約30社」「山田太郎」「歴史的だ」 +1

        ! エラー · sample-careful: 1 × timeout: no answer within 120s
        ! エラー · sample-inventive: 1 × timeout: no answer within 120s
        ! 途中で打ち切られた回答 4件: kyoto-tea · news-article@sample-careful, kyoto-tea · news-article@…
        ! 費用 · sample-careful: 料金の有効期限は2025-12-31でした
        ");
    }

    #[test]
    fn no_line_is_wider_than_asked_for() {
        let long = "とても長い名前の".repeat(40);
        let properties = Property::ALL;
        let run = RunBuilder::new(
            &["a-prompt-with-a-very-long-name-that-goes-on-and-on-and-on", "p"],
            &["a-model-with-a-very-long-name-that-goes-on-and-on-and-on-and-on", "m"],
        )
        .case("a-case-with-a-very-long-name-that-goes-on-and-on-and-on-and-on-and-on-and-on", |trial| {
            let trial = trial.answer(&long).truncated().cost(12.5);
            properties.iter().fold(trial, |trial, property| trial.fail(property.name()).at(&long, "english"))
        })
        .case("b", |trial| trial.errored(&long))
        .build();
        for width in [60, 80, 100] {
            for lang in Lang::ALL {
                for line in rendered(&run, TerminalOptions { width, colour: false, lang }).lines() {
                    assert!(line.width() <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colour_only_adds_to_what_stands_there() {
        let run = summary_sample();
        let coloured = rendered(&run, TerminalOptions { colour: true, ..TerminalOptions::default() });
        assert!(coloured.contains("\x1b[31m"));
        let plain = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(plain, rendered(&run, TerminalOptions::default()));
    }

    #[test]
    fn an_answer_cannot_command_the_terminal() {
        let run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| {
                trial.answer("\x1b]0;x\x07\u{202e}悪").fail("article_only").at("\x1b]0;x\x07\u{202e}悪", "meta")
            })
            .case("b", |trial| trial.errored("\x1b[2J\rgone"))
            .build();
        let text = rendered(&run, TerminalOptions::default());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text:?}");
        assert!(text.contains("␛]0;x␇[U+202E]悪"));
    }
}
