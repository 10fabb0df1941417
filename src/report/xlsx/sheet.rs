//! One sheet: a header that stays and filters, columns as wide as what they hold, rows as high as they need.
//!
//! Promises that no text becomes a formula, not even when somebody edits the cell, and that rows beyond Excel's last one
//! are counted in the sheet instead of lost without a word.

use rust_xlsxwriter::{
    Color, ConditionalFormatDataBar, ConditionalFormatText, ConditionalFormatTextRule, ConditionalFormatType, Format,
    FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use unicode_width::UnicodeWidthStr;

use crate::report::escape::{cell, starts_formula};
use crate::report::table::Cell;

/// Comes with Windows, and with Office on macOS; elsewhere the nearest Japanese font stands in.
const FONT: &str = "Yu Gothic";
const FONT_POINTS: f64 = 10.0;
const LINE_POINTS: f64 = 17.0;

/// Colours hide a sheet's own lines.
const LINES: Color = Color::RGB(0x00D0_D4DA);

/// Sheets of more columns are not squeezed onto a page's width: nobody could read them.
const MOST_PRINTED_COLUMNS: usize = 13;

/// Excel's last row is 1,048,576; one is kept for the note about the rest.
const MOST_ROWS: u32 = 1_048_575;

/// How a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Names and numbers.
    Plain,
    /// Numbers from 0 to 1, shown as percentages.
    Share,
    /// A verdict or status, coloured by its first word.
    Verdict,
    /// Longer texts, in a wide column.
    Prose,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    name: String,
    look: Look,
    width: usize,
}

impl Column {
    pub(super) fn new(name: &str, look: Look) -> Self {
        let mut column = Self { name: name.to_owned(), look, width: 8 };
        column.lines_of(&column.header());
        column
    }

    /// The name with room for the filter's button, which covers a part of it.
    fn header(&self) -> String {
        format!("{}   ", self.name)
    }

    const fn most_width(look: Look) -> usize {
        match look {
            Look::Plain => 36,
            Look::Share => 12,
            Look::Verdict => 24,
            Look::Prose => 60,
        }
    }

    /// Of a long text a reader sees the beginning, the rest in the formula's line, and still finds the next row.
    const fn most_lines(&self) -> usize {
        match self.look {
            Look::Plain | Look::Share | Look::Prose => 4,
            Look::Verdict => 20,
        }
    }

    /// How many lines a text takes in this column, which widens for it as far as it may.
    fn lines_of(&mut self, text: &str) -> usize {
        let most = Self::most_width(self.look);
        let mut lines = 0;
        for line in text.split('\n').take(self.most_lines()) {
            // Characters of ambiguous width are wide in Japanese fonts.
            let width = line.width_cjk();
            self.width = self.width.max((width + 2).min(most));
            lines += width.div_ceil(most - 2).max(1);
        }
        lines.min(self.most_lines())
    }
}

/// A sheet under construction.
pub(super) struct Sheet<'w> {
    cells: &'w mut Worksheet,
    columns: Vec<Column>,
    looks: Looks,
    row: u32,
    left_out: u64,
}

/// The formats of cells.
struct Looks {
    text: Format,
    quoted: Format,
    number: Format,
    share: Format,
    header: Format,
}

/// Sets the font of cells that nobody has filled.
///
/// # Errors
/// The library knows no such default.
pub(super) fn set_default_look(workbook: &mut Workbook) -> Result<(), XlsxError> {
    workbook.set_default_format(&font(), 22, 72)?;
    Ok(())
}

fn font() -> Format {
    Format::new().set_font_name(FONT).set_font_size(FONT_POINTS)
}

impl Looks {
    fn new() -> Self {
        let cell = font().set_align(FormatAlign::Top).set_border(FormatBorder::Thin).set_border_color(LINES);
        // A blank parts it from a number that ends where it begins.
        let text = cell.clone().set_align(FormatAlign::Left).set_indent(1).set_text_wrap();
        let number = cell;
        Self {
            quoted: text.clone().set_quote_prefix(),
            share: number.clone().set_num_format("0.0%"),
            header: text.clone().set_bold().set_background_color(Color::RGB(0x00E8_ECF1)),
            text,
            number,
        }
    }
}

impl<'w> Sheet<'w> {
    /// A new last sheet, of which the first `fixed` columns stay in view.
    ///
    /// # Errors
    /// The library refuses the name.
    pub(super) fn begin(
        workbook: &'w mut Workbook,
        name: &str,
        columns: impl Iterator<Item = Column>,
        fixed: u16,
    ) -> Result<Self, XlsxError> {
        let sheet = workbook.add_worksheet().set_name(name)?;
        sheet.set_freeze_panes(1, fixed)?;
        sheet.set_landscape().set_paper_size(9).set_repeat_rows(0, 0)?;
        let (looks, mut columns): (Looks, Vec<Column>) = (Looks::new(), columns.collect());
        if columns.len() <= MOST_PRINTED_COLUMNS {
            sheet.set_print_fit_to_pages(1, 0);
        }
        let mut lines = 1;
        for (at, column) in (0..).zip(&mut columns) {
            sheet.write_string_with_format(0, at, &column.name, &looks.header)?;
            lines = lines.max(column.lines_of(&column.header()));
        }
        sheet.set_row_height(0, height(lines))?;
        Ok(Self { cells: sheet, columns, looks, row: 0, left_out: 0 })
    }

    /// Adds a row with a cell for each column.
    ///
    /// # Errors
    /// The library refuses a cell.
    pub(super) fn push(&mut self, row: &[Cell<'_>]) -> Result<(), XlsxError> {
        if self.row + 1 >= MOST_ROWS {
            self.left_out += 1;
            return Ok(());
        }
        self.row += 1;
        let mut lines = 1;
        for ((at, column), content) in (0..).zip(&mut self.columns).zip(row) {
            match content {
                Cell::Empty => {
                    self.cells.write_blank(self.row, at, &self.looks.text)?;
                }
                Cell::Number(number) => {
                    let look = if column.look == Look::Share { &self.looks.share } else { &self.looks.number };
                    let value: f64 = number.parse().unwrap_or_default();
                    column.lines_of(number);
                    self.cells.write_number_with_format(self.row, at, value, look)?;
                }
                Cell::Text(text) => {
                    let look = if starts_formula(text) { &self.looks.quoted } else { &self.looks.text };
                    let shown = cell(text);
                    lines = lines.max(column.lines_of(&shown));
                    self.cells.write_string_with_format(self.row, at, shown, look)?;
                }
            }
        }
        if lines > 1 {
            self.cells.set_row_height(self.row, height(lines))?;
        }
        Ok(())
    }

    /// Sets what depends on all rows: widths, filters, colours, and the note about rows left out.
    ///
    /// # Errors
    /// The library refuses a range.
    pub(super) fn finish(self) -> Result<(), XlsxError> {
        let last_column = u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
        self.cells.autofilter(0, 0, self.row, last_column)?;
        for (at, column) in (0..).zip(&self.columns) {
            #[expect(clippy::cast_precision_loss, reason = "at most 60")]
            self.cells.set_column_width(at, column.width as f64)?;
            match column.look {
                Look::Verdict if self.row > 0 => colour_verdicts(self.cells, at, self.row)?,
                Look::Share if self.row > 0 && column.name == "rate" => draw_bars(self.cells, at, self.row)?,
                _ => {}
            }
        }
        if self.left_out > 0 {
            let note = format!("… {} further rows have no room in a sheet: the CSV file has them", self.left_out);
            self.cells.write_string_with_format(self.row + 1, 0, note, &self.looks.number)?;
        }
        Ok(())
    }
}

fn height(lines: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let lines = lines as f64;
    lines * LINE_POINTS
}

/// Draws a bar from 0 to 1 behind each number of a column.
fn draw_bars(sheet: &mut Worksheet, column: u16, last_row: u32) -> Result<(), XlsxError> {
    let bar = ConditionalFormatDataBar::new()
        .set_minimum(ConditionalFormatType::Number, 0)
        .set_maximum(ConditionalFormatType::Number, 1)
        .set_fill_color(Color::RGB(0x00B7_D3EE))
        .set_solid_fill(true);
    sheet.add_conditional_format(1, column, last_row, column, &bar)?;
    Ok(())
}

/// Colours a column's cells by the word with which they begin, as Excel's own «good», «bad» and «neutral» do.
fn colour_verdicts(sheet: &mut Worksheet, column: u16, last_row: u32) -> Result<(), XlsxError> {
    const GOOD: (u32, u32) = (0x00C6_EFCE, 0x0000_6100);
    const BAD: (u32, u32) = (0x00FF_C7CE, 0x009C_0006);
    const NEUTRAL: (u32, u32) = (0x00FF_EB9C, 0x007F_5A00);
    const NONE: (u32, u32) = (0x00E4_DFEC, 0x0050_3C78);
    for (word, (paper, ink)) in [
        ("pass", GOOD),
        ("fail", BAD),
        ("unscored", NEUTRAL),
        ("undecided", NEUTRAL),
        ("errored", NONE),
        ("skipped", NONE),
    ] {
        let look = Format::new().set_background_color(Color::RGB(paper)).set_font_color(Color::RGB(ink));
        let rule = ConditionalFormatText::new()
            .set_rule(ConditionalFormatTextRule::BeginsWith(word.to_owned()))
            .set_format(look);
        sheet.add_conditional_format(1, column, last_row, column, &rule)?;
    }
    Ok(())
}
