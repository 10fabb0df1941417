//! Cases in a CSV file, a case a row.
//!
//! Promises the line and column of every mistake. What parts the columns is told from the first row.

use std::fmt;

use super::rows::{CasesInRows, Row, is_header, read_rows, without_id};
use crate::diagnostic::{Diagnostic, TextFile};

/// What parts a file's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// As RFC 4180 has it.
    Comma,
    /// As Excel writes «Unicode text».
    Tab,
    /// As Excel writes CSV where a comma stands in numbers.
    Semicolon,
}

impl Delimiter {
    /// The one by which a file's first row has a column `id`; a comma where none gives one.
    pub fn of(file: &TextFile) -> Self {
        let gives_id = |delimiter: &Self| {
            let header = reader(file, *delimiter).records().next();
            header.is_some_and(|header| header.is_ok_and(|header| is_header(&row(file, &header))))
        };
        [Self::Comma, Self::Tab, Self::Semicolon].into_iter().find(gives_id).unwrap_or(Self::Comma)
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comma => "commas",
            Self::Tab => "tabs",
            Self::Semicolon => "semicolons",
        })
    }
}

fn reader(file: &TextFile, delimiter: Delimiter) -> ::csv::Reader<&[u8]> {
    let delimiter = match delimiter {
        Delimiter::Comma => b',',
        Delimiter::Tab => b'\t',
        Delimiter::Semicolon => b';',
    };
    ::csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(file.text.as_bytes())
}

/// Parses a CSV file, one case a row.
///
/// # Errors
/// Every mistake of the file; of one that is no CSV, the first.
pub fn parse_csv(file: &TextFile, delimiter: Delimiter) -> Result<CasesInRows, Vec<Diagnostic>> {
    let mut reader = reader(file, delimiter);
    let rows = reader.records().map(|record| record.map(|record| row(file, &record)));
    let rows: Result<Vec<Row>, ::csv::Error> = rows.collect();
    let rows = rows.map_err(|error| vec![csv_problem(file, &error)])?;
    match rows.split_first() {
        None => Err(vec![Diagnostic::without_place(&file.name, "the file is empty")]),
        Some((header, _)) if !is_header(header) && header.cells.len() == 1 => {
            let problem = file.diagnose(header.span(), "there is no column `id`");
            Err(vec![problem.hint("columns are parted by commas, tabs or semicolons")])
        }
        Some((header, _)) if !is_header(header) => Err(vec![without_id(file, header)]),
        Some((header, rows)) => read_rows(file, header, rows),
    }
}

fn csv_problem(file: &TextFile, error: &::csv::Error) -> Diagnostic {
    let start = error.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
    let message = match error.kind() {
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let cells = if *len == 1 { "cell" } else { "cells" };
            format!("this row has {len} {cells}, the header has {expected_len}")
        }
        _ => format!("not valid CSV: {error}"),
    };
    let start = start.min(file.text.len());
    let line_end = file.text[start..].find('\n').map_or(file.text.len(), |n| start + n);
    file.diagnose(start..line_end, message)
        .hint("a cell with commas, quotation marks or line breaks stands in quotation marks")
}

/// A record's cells with their places.
fn row(file: &TextFile, record: &::csv::StringRecord) -> Row {
    let mut cursor = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
    let place = |cell: &str| {
        // What can be found of a cell without knowing its quoting: its first line up to a quotation mark.
        let shown = cell.split(['"', '\n', '\r']).next().unwrap_or_default();
        // Odd quoting hides it: then its place is where it was looked for.
        let Some(start) = file.text[cursor..].find(shown).map(|n| cursor + n) else {
            return (cell.to_owned(), cursor..cursor);
        };
        cursor = start + shown.len();
        (cell.to_owned(), start..cursor)
    };
    Row { cells: record.iter().map(place).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = "id,source.published_at,source.publisher,source.title\na,2025-06-30T07:00:00+09:00,p,題\n";

    #[test]
    fn what_parts_the_columns_is_told_from_the_first_row() {
        for (delimiter, by) in [(Delimiter::Comma, ","), (Delimiter::Tab, "\t"), (Delimiter::Semicolon, ";")] {
            let file = TextFile::new("a.csv", ROW.replace(',', by));
            assert_eq!(Delimiter::of(&file), delimiter);
            assert_eq!(parse_csv(&file, delimiter).unwrap().cases[0].source.title, "題");
        }
        let file = TextFile::new("a.csv", ROW.replace(',', "|"));
        assert_eq!(
            parse_csv(&file, Delimiter::of(&file)).unwrap_err()[0].to_string(),
            "a.csv:1:1: there is no column `id` (columns are parted by commas, tabs or semicolons)"
        );
    }

    #[test]
    fn a_cell_beneath_no_name_is_no_cell_to_pass_over() {
        let file = TextFile::new("a.csv", ROW.replace("title\n", "title,\n").replace("題\n", "題,註\n"));
        let problem = parse_csv(&file, Delimiter::Comma).unwrap_err()[0].to_string();
        assert_eq!(problem, "a.csv:2:33: this cell stands beneath no column name");
    }

    #[test]
    fn a_quotation_mark_that_closes_too_early_is_no_reason_to_panic() {
        for text in ["\"id\"\u{1a60};", "id,\"source.title\"題\na,b\n"] {
            assert!(parse_csv(&TextFile::new("a.csv", text), Delimiter::Comma).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in r#"(id|tags|require\.length|source|vars\.x|[,;\t\n\r"|{}\[\].]|日本|[ -~]|\PC){0,60}"#) {
            let file = TextFile::new("a.csv", text);
            let _ = parse_csv(&file, Delimiter::of(&file));
        }
    }
}
