//! Comparisons on a terminal: a sentence on what was declared to decide, a table, the cases, what could mislead.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::layout::{Align, Cell, Column, Label, write_columns};
use super::{BAD, GOOD, ODD, QUIET, TITLE, TerminalOptions, write_lines};
use crate::compare::{Compared, Comparison, Verdict};
use crate::id::CaseId;
use crate::outcome::Subject;
use crate::report::comparison::{
    BROKEN, FIXED, FLAKY, P, Rows, Sentences, Titled, VERDICT, adjustment, apart, broken, columns, measure, movement,
    row, sentences, telling, worse,
};
use crate::report::escape::one_line;
use crate::report::lang::Lang;
use crate::report::names::{full, short};
use crate::stats::{CochranQ, Undefined};

/// The most cases that a list names.
const MOST_CASES: usize = 8;

/// Further columns of [`row`] that are treated by themselves.
const P_ADJUSTED: usize = 10;

/// Writes comparisons of one base with one or several candidates.
///
/// # Errors
/// `out` cannot be written.
pub fn write_comparison(
    compared: &[Titled<'_>],
    several: Option<&Result<CochranQ, Undefined>>,
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = sentences(options.lang);
    let mut text = Vec::new();
    for (n, titled) in compared.iter().enumerate() {
        if n > 0 {
            writeln!(text, "\n{}\n", "─".repeat(options.width))?;
        }
        write_one(titled, words, options, &mut text)?;
    }
    if let Some(several) = several {
        let p = several.as_ref().map(|found| found.p).map_err(|why| *why);
        paragraph(&(words.several)(compared.len() + 1, p), options, &mut text)?;
    }
    write_lines(&text, out)
}

fn write_one(titled: &Titled<'_>, words: &Sentences, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let Titled { base, candidate, comparison, parts } = titled;
    let margin = comparison.options.margin;
    writeln!(out, "{}", options.paint(TITLE, &format!("{} → {}", one_line(base), one_line(candidate))))?;
    let mut about = vec![(words.cases)(comparison.cases.same)];
    about.extend((comparison.variants > 1).then(|| (words.variants)(comparison.variants)));
    writeln!(out, "{}", options.paint(QUIET, &about.join(" · ")))?;
    for worse in worse(titled, words) {
        paragraph(&options.paint(BAD, &format!("✗ {}", one_line(&worse))), options, out)?;
    }
    write_broken(comparison, words, options, out)?;
    writeln!(out)?;
    if let Some((heading, parts)) = apart(titled, words) {
        writeln!(out, "{}", options.paint(TITLE, &heading))?;
        let labels = variant_labels(parts.iter().map(|(part, _)| *part));
        let found: Vec<&Compared> = parts.into_iter().map(|(_, compared)| compared).collect();
        write_columns(&labels, &table(&found, Rows::Variants, words), options, out)?;
        writeln!(out, "\n{}", options.paint(TITLE, &(words.together)(comparison.variants)))?;
    }
    for compared in telling(comparison) {
        let name = options.paint(style(compared.verdict), &full(compared.subject, words.lang));
        paragraph(&format!("{name}: {}", (words.finding)(compared, margin)), options, out)?;
    }
    writeln!(out)?;
    let subjects: Vec<&Compared> = comparison.subjects.iter().collect();
    let label = |compared: &&Compared| Label { group: None, text: label(compared.subject, words.lang) };
    let labels: Vec<Label> = subjects.iter().map(label).collect();
    write_columns(&labels, &table(&subjects, Rows::Subjects, words), options, out)?;
    write_cases(comparison, words, options, out)?;
    writeln!(out)?;
    let (moved, of) = movement(comparison);
    if of > 1 {
        paragraph(&(words.movement)(moved, of), options, out)?;
    }
    if let Some(all) = comparison.subject(Subject::All) {
        let [base, candidate] = all.noise.map(Result::ok);
        (words.noise)(base, candidate).map_or(Ok(()), |noise| paragraph(&noise, options, out))?;
    }
    if !comparison.measures.is_empty() {
        let measures: Vec<String> = comparison.measures.iter().map(|measured| measure(measured, words)).collect();
        paragraph(&measures.join(" · "), options, out)?;
    }
    if let Some(primary) = comparison.subject(comparison.options.primary) {
        paragraph(&(words.method)(primary, margin), options, out)?;
        paragraph(&adjustment(comparison, primary, words), options, out)?;
    }
    for warning in &comparison.warnings {
        paragraph(&options.paint(ODD, &format!("! {}", one_line(&(words.warning)(warning)))), options, out)?;
    }
    for part in parts {
        writeln!(out)?;
        write_part(part, words, options, out)?;
    }
    Ok(())
}

/// The cases that broke, before all figures.
fn write_broken(
    comparison: &Comparison,
    words: &Sentences,
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    for broken in broken(comparison, words) {
        let head = options.paint(BAD, &format!("✗ {}", broken.heading));
        let cases = broken.named(MOST_CASES, words, one_line);
        paragraph(&format!("{head}: {cases}"), options, out)?;
    }
    Ok(())
}

/// One of several variants: a line, and a line for each property that moved.
fn write_part(part: &Titled<'_>, words: &Sentences, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", options.paint(TITLE, &format!("{} → {}", one_line(&part.base), one_line(&part.candidate))))?;
    for compared in telling(part.comparison) {
        let name = options.paint(style(compared.verdict), &full(compared.subject, words.lang));
        let finding = (words.finding)(compared, part.comparison.options.margin);
        paragraph(&format!("  {name}: {finding}"), options, out)?;
    }
    Ok(())
}

const fn style(verdict: Option<Verdict>) -> anstyle::Style {
    match verdict {
        Some(Verdict::Better) => GOOD,
        Some(Verdict::Worse | Verdict::WorseByMore) => BAD,
        Some(Verdict::NoWorse) => TITLE,
        Some(Verdict::Inconclusive) | None => QUIET,
    }
}

/// A subject in a table: its name, in Japanese after its label.
fn label(subject: Subject, lang: Lang) -> String {
    match lang {
        Lang::En => subject.name().to_owned(),
        Lang::Ja => format!("{} {}", short(subject, lang), subject.name()),
    }
}

/// The prompts of both sides, with the models beneath.
fn variant_labels<'t>(parts: impl Iterator<Item = &'t Titled<'t>>) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let mut above = None;
    for part in parts {
        let split = |name: &'t str| name.rsplit_once('@').unwrap_or(("", name));
        let ((base, base_model), (candidate, model)) = (split(&part.base), split(&part.candidate));
        let both = |one: &str, other: &str| if one == other { one.to_owned() } else { format!("{one} → {other}") };
        let group = Some(both(base, candidate));
        labels.push(Label { group: group.clone().filter(|_| group != above), text: both(base_model, model) });
        above = group;
    }
    labels
}

/// The columns of what was found.
fn table(found: &[&Compared], are: Rows, words: &Sentences) -> Vec<Column> {
    let rows: Vec<[String; 11]> = found.iter().map(|compared| row(compared, words)).collect();
    let column = |n: usize| {
        let cell = |(compared, row): (&&Compared, &[String; 11])| {
            let style = [(VERDICT, style(compared.verdict)), (FIXED, GOOD), (BROKEN, BAD)];
            let style = style.into_iter().find(|(column, _)| *column == n).map_or(QUIET, |(_, style)| style);
            match n {
                P => Cell::plain(format!("{} / {}", row[P], row[P_ADJUSTED])),
                VERDICT | FIXED | BROKEN => Cell { text: row[n].clone(), style },
                _ => Cell::plain(row[n].clone()),
            }
        };
        let heading = if n == P { format!("p / {}", words.columns[P_ADJUSTED]) } else { words.columns[n].to_owned() };
        let align = if n == VERDICT { Align::Left } else { Align::Right };
        Column::new("", &heading, found.iter().zip(&rows).map(cell)).aligned(align)
    };
    columns(&rows, are).into_iter().filter(|n| *n != P_ADJUSTED).map(column).collect()
}

/// The cases that changed otherwise than for the worse, of the subjects that are worth a sentence.
fn write_cases(
    comparison: &Comparison,
    words: &Sentences,
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    for compared in telling(comparison) {
        let lists = [(FIXED, &compared.fixed, GOOD), (FLAKY, &compared.flaky, ODD)];
        for (n, cases, style) in lists.into_iter().filter(|(_, cases, _)| !cases.is_empty()) {
            let shown: Vec<&str> = cases.iter().take(MOST_CASES).map(CaseId::as_str).collect();
            let more = cases.len() - shown.len();
            let more = if more > 0 { format!(", {}", (words.more)(more)) } else { String::new() };
            let head = options.paint(style, &format!("{} {}", full(compared.subject, words.lang), words.columns[n]));
            paragraph(&format!("{head}: {}{more}", shown.join(", ")), options, out)?;
        }
    }
    Ok(())
}

/// A text in lines within the width: broken at blanks, and Japanese between any two characters, but not before a mark
/// that ends something.
pub(super) fn paragraph(text: &str, options: TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let indent = text.len() - text.trim_start().len();
    lines(text, indent.max(2), options.width).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The lines of a text that is not indented.
pub(super) fn wrapped(text: &str, options: TerminalOptions) -> Vec<String> {
    lines(text, 0, options.width)
}

/// The lines of a text within a width, all but the first indented.
fn lines(text: &str, indent: usize, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    let widest = width.saturating_sub(indent).max(2);
    for word in pieces(text).into_iter().flat_map(|piece| parts(piece, widest)) {
        if line.width() + word.trim_end().width() > width && !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
            line.push_str(word.trim_start());
        } else {
            line.push_str(word);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// A piece in parts that fit into a line: an address, or a name, may be longer.
fn parts(piece: &str, widest: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut width) = (0, 0);
    for (at, c) in piece.char_indices() {
        let wide = c.width().unwrap_or(0);
        if width + wide > widest && c != ' ' {
            parts.push(&piece[start..at]);
            (start, width) = (at, 0);
        }
        width += wide;
    }
    parts.push(&piece[start..]);
    parts
}

/// What a line is not broken within: words with the blank after them, single Japanese characters with marks after them.
fn pieces(text: &str) -> Vec<&str> {
    const CLOSING: &str = "、。」』)]}）・ーっゃゅょッャュョ%…:,;.";
    let is_wide = |c: char| c as u32 >= 0x2e80;
    let mut ends = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        let Some((next_at, next)) = chars.peek().copied() else { break };
        let after_blank = c == ' ' && next != ' ';
        let between =
            (is_wide(c) || is_wide(next)) && !CLOSING.contains(next) && next != ' ' && !"「『(（[".contains(c);
        if after_blank || between {
            ends.push(next_at);
        }
    }
    ends.push(text.len());
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| &text[start..end]).collect()
}
