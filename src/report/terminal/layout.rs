//! Columns side by side within a width, in blocks one beneath the other where they do not fit.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{QUIET, TITLE, TerminalOptions};

/// What a row is about: a group's name above the first of its rows, then the row's own.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) group: Option<String>,
    pub(super) text: String,
}

/// A column: two lines of heading, and a cell a row.
#[derive(Debug)]
pub(super) struct Column {
    heading: [String; 2],
    cells: Vec<Cell>,
    align: Align,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) style: Style,
}

impl Cell {
    pub(super) fn plain(text: String) -> Self {
        Self { text, style: Style::new() }
    }
}

impl Column {
    pub(super) fn new(above: &str, below: &str, cells: impl Iterator<Item = Cell>) -> Self {
        Self { heading: [above.to_owned(), below.to_owned()], cells: cells.collect(), align: Align::Right }
    }

    pub(super) fn aligned(self, align: Align) -> Self {
        Self { align, ..self }
    }

    fn width(&self) -> usize {
        let texts = self.cells.iter().map(|cell| &cell.text).chain(&self.heading);
        texts.map(|text| text.width()).max().unwrap_or(0)
    }
}

/// Blanks between columns, and before a row's name within its group.
const GAP: usize = 2;

/// Writes columns, as many side by side as fit.
pub(super) fn write_columns(
    labels: &[Label],
    columns: &[Column],
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let widest = labels.iter().map(|label| GAP + label.text.width()).max().unwrap_or(0);
    let label_width = widest.min(options.width * 2 / 5);
    let mut rest = columns;
    while !rest.is_empty() {
        let mut width = label_width;
        let fitting = rest.iter().take_while(|column| {
            width += GAP + column.width();
            width <= options.width
        });
        // A column that alone is too wide still has to stand somewhere.
        let (block, later) = rest.split_at(fitting.count().max(1));
        write_block(labels, label_width, block, options, out)?;
        if !later.is_empty() {
            writeln!(out)?;
        }
        rest = later;
    }
    Ok(())
}

fn write_block(
    labels: &[Label],
    label_width: usize,
    columns: &[Column],
    options: TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    for line in 0..2 {
        if columns.iter().all(|column| column.heading[line].is_empty()) {
            continue;
        }
        let cells = columns.iter().map(|column| (column, column.heading[line].as_str(), QUIET));
        writeln!(out, "{}", row("", label_width, cells, options))?;
    }
    for (n, label) in labels.iter().enumerate() {
        if let Some(group) = &label.group {
            writeln!(out, "{}", options.paint(TITLE, &cut(group, options.width)))?;
        }
        let name = format!("{:GAP$}{}", "", cut(&label.text, label_width.saturating_sub(GAP)));
        let cells = columns.iter().map(|column| (column, column.cells[n].text.as_str(), column.cells[n].style));
        writeln!(out, "{}", row(&name, label_width, cells, options))?;
    }
    Ok(())
}

fn row<'a>(
    name: &str,
    label_width: usize,
    cells: impl Iterator<Item = (&'a Column, &'a str, Style)>,
    options: TerminalOptions,
) -> String {
    let mut line = padded(name, label_width);
    for (column, text, style) in cells {
        let blanks = " ".repeat(column.width().saturating_sub(text.width()));
        let text = options.paint(style, text);
        let (before, after) = match column.align {
            Align::Left => ("", blanks.as_str()),
            Align::Right => (blanks.as_str(), ""),
        };
        line.extend([" ".repeat(GAP).as_str(), before, &text, after]);
    }
    line.truncate(line.trim_end().len());
    line
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The text cut to a width, with `…` where something is missing.
///
/// Characters of ambiguous width count as wide, since Japanese terminals show them so.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width_cjk() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub("…".width_cjk());
    let mut used = 0;
    let mut kept = String::new();
    for c in text.chars() {
        used += c.width_cjk().unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_is_cut_by_its_width() {
        for (text, width, expected) in [
            ("量子ミッション", 14, "量子ミッション"),
            ("量子ミッション", 13, "量子ミッシ…"),
            ("量子ミッション", 8, "量子ミ…"),
            ("abc", 3, "abc"),
            ("abcdef", 5, "abc…"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, width), expected);
        }
    }
}
