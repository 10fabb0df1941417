//! Cases in a workbook, a case a row; every sheet counts unless its name begins with `#`.
//!
//! Promises the sheet and cell of every mistake, and that nothing is guessed: a date without an offset, an error value, or
//! a formula whose value the file does not keep, is told.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::rows::{CasesInRows, Row, is_header, read_rows, without_id};
use crate::diagnostic::{Diagnostic, TextFile};

/// A sheet with what it holds, or what is wrong with it.
#[derive(Debug)]
pub struct SheetOfCases {
    /// The sheet, for places.
    pub file: TextFile,
    /// Whether the spreadsheet hides it from its readers.
    pub is_hidden: bool,
    /// Its cases.
    pub cases: Result<CasesInRows, Vec<Diagnostic>>,
}

/// Parses a workbook (`.xlsx`): each sheet's first row names the columns. Empty sheets hold no case.
///
/// # Errors
/// The bytes are no workbook.
pub fn parse_xlsx(name: &str, bytes: Vec<u8>) -> Result<Vec<SheetOfCases>, Vec<Diagnostic>> {
    let unreadable = |error: XlsxError| vec![unreadable(name, &error)];
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let sheets = workbook.sheets_metadata().to_vec();
    let is_read = |sheet: &calamine::Sheet| sheet.typ == SheetType::WorkSheet && !sheet.name.starts_with('#');
    let mut read = Vec::new();
    for sheet in sheets.into_iter().filter(is_read) {
        let mut file = TextFile::of_cells(&format!("{name}, sheet {}", sheet.name));
        let rows = read_sheet(&mut workbook, &sheet.name, &mut file).map_err(unreadable)?;
        let cases = match rows {
            Ok(rows) => match rows.split_first() {
                None => continue,
                Some((header, _)) if !is_header(header) => {
                    let hint = "a sheet whose name begins with `#` is not read";
                    let problem = without_id(&file, header);
                    let names = problem.hint.clone().unwrap_or_default();
                    Err(vec![problem.hint(format!("{names}; {hint}"))])
                }
                Some((header, rows)) => read_rows(&file, header, rows),
            },
            Err(problems) => Err(problems),
        };
        read.push(SheetOfCases { file, is_hidden: sheet.visible != SheetVisible::Visible, cases });
    }
    Ok(read)
}

fn unreadable(name: &str, error: &XlsxError) -> Diagnostic {
    let problem = Diagnostic::without_place(name, format!("this file cannot be read as a workbook: {error}"));
    problem.hint("save it as an Excel workbook (.xlsx) without a password, or as CSV")
}

/// The rows of a sheet that hold anything, each with a cell for each column up to the last.
///
/// Cells are read one by one: a sheet with a single far-off cell would else take the memory of all between.
fn read_sheet<R: Read + Seek>(
    workbook: &mut Xlsx<R>,
    sheet: &str,
    file: &mut TextFile,
) -> Result<Result<Vec<Row>, Vec<Diagnostic>>, XlsxError> {
    let mut cells: BTreeMap<(u32, u32), String> = BTreeMap::new();
    let mut wrong: Vec<((u32, u32), String)> = Vec::new();
    let mut reader = workbook.worksheet_cells_reader(sheet)?;
    while let Some(cell) = reader.next_cell_with_formula_metadata()? {
        let text = match &cell.value {
            DataRef::Empty if cell.formula.is_some() => {
                wrong.push((cell.pos, "the file does not keep this formula's value".to_owned()));
                continue;
            }
            DataRef::Error(error) => {
                wrong.push((cell.pos, format!("the cell holds the error {error}")));
                continue;
            }
            value => text_of(value),
        };
        if !text.trim().is_empty() {
            cells.insert(cell.pos, text);
        }
    }
    let places: BTreeMap<(u32, u32), _> =
        cells.iter().map(|(at, text)| (*at, file.push_cell(at.0, at.1, text))).collect();
    if !wrong.is_empty() {
        let problem = |(at, message): ((u32, u32), String)| {
            let span = file.push_cell(at.0, at.1, "");
            file.diagnose(span, message).hint("put the value itself into the cell")
        };
        return Ok(Err(wrong.into_iter().map(problem).collect()));
    }
    let Some(header_row) = cells.keys().next().map(|at| at.0) else { return Ok(Ok(Vec::new())) };
    let mut columns: Vec<u32> = cells.range((header_row, 0)..=(header_row, u32::MAX)).map(|(at, _)| at.1).collect();
    // A cell beneath no name is a mistake, which is found where rows are read.
    let nameless = cells.keys().find(|at| !columns.contains(&at.1)).map(|at| at.1);
    columns.extend(nameless);
    let mut rows: Vec<u32> = cells.keys().map(|at| at.0).collect();
    rows.dedup();
    let row = |row: u32| {
        let mut end = cells.range((row, 0)..).next().and_then(|(at, _)| places.get(at)).map_or(0, |span| span.start);
        let cell = |column: &u32| match cells.get(&(row, *column)) {
            Some(text) => {
                let span = places[&(row, *column)].clone();
                end = span.end;
                (text.clone(), span)
            }
            None => (String::new(), end..end),
        };
        Row { cells: columns.iter().map(cell).collect() }
    };
    Ok(Ok(rows.into_iter().map(row).collect()))
}

/// What a cell shows, as it would stand in a CSV file; dates and times in ISO 8601, without the offset that a cell does not
/// know: a date alone where no time is given, a time alone where it is of no day.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.replace("\r\n", "\n"),
        DataRef::SharedString(text) => text.replace("\r\n", "\n"),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(moment) => date_and_time(*moment),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn date_and_time(moment: ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let (date, time) = (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{second:02}"));
    match moment.as_f64() {
        days if days < 1.0 => time,
        days if days.fract() == 0.0 => date,
        _ => format!("{date}T{time}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

    use super::*;

    const HEADER: [&str; 7] = [
        "id",
        "source.published_at",
        "source.publisher",
        "source.title",
        "require.contains",
        "require.length.min_chars",
        "require.japanese_only",
    ];

    /// A workbook with one good case in the sheet `News`.
    fn workbook(change: impl FnOnce(&mut Workbook)) -> Vec<u8> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet().set_name("News").unwrap();
        sheet.write_row(0, 0, HEADER).unwrap();
        sheet.write_row(1, 0, ["q", "2025-06-30T07:00:00+09:00", "日本貿易振興機構", "量子", "量子\n派遣"]).unwrap();
        sheet.write(1, 5, 400).unwrap();
        sheet.write(1, 6, true).unwrap();
        change(&mut workbook);
        workbook.save_to_buffer().unwrap()
    }

    fn news(workbook: &mut Workbook) -> &mut rust_xlsxwriter::Worksheet {
        workbook.worksheet_from_name("News").unwrap()
    }

    fn read(bytes: Vec<u8>) -> Result<Vec<super::super::Case>, Vec<String>> {
        let told = |problems: Vec<Diagnostic>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        let sheets = parse_xlsx("a.xlsx", bytes).map_err(told)?;
        let cases = |sheet: SheetOfCases| sheet.cases.map(|rows| rows.cases).map_err(told);
        let cases: Result<Vec<Vec<_>>, _> = sheets.into_iter().map(cases).collect();
        cases.map(|cases| cases.concat())
    }

    #[test]
    fn a_row_is_the_case_that_a_csv_file_would_give() {
        let case = read(workbook(|_| {})).unwrap().remove(0);
        let row = format!(
            "{}\nq,2025-06-30T07:00:00+09:00,日本貿易振興機構,量子,\"量子\n派遣\",400,TRUE\n",
            HEADER.join(",")
        );
        let same = super::super::parse_csv(&TextFile::new("a.csv", row), super::super::Delimiter::Comma).unwrap().cases;
        assert_eq!((&case.id, &case.source, &case.require), (&same[0].id, &same[0].source, &same[0].require));
        assert_eq!(&*case.file, "a.xlsx, sheet News");
    }

    #[test]
    fn mistakes_are_told_with_sheet_and_cell() {
        let date = ExcelDateTime::parse_from_str("2025-06-30T07:00:00").unwrap();
        let as_date = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        type Change<'a> = Box<dyn FnOnce(&mut Workbook) + 'a>;
        let changes: [(Change<'_>, &str); 7] = [
            (
                Box::new(|book| {
                    news(book).write_with_format(1, 1, &date, &as_date).unwrap();
                }),
                "a.xlsx, sheet News, cell B2: `2025-06-30T07:00:00` is no date and time such as 2025-06-30T07:00:00+09:00 \
                 (add the offset from UTC; Japan's is +09:00; a spreadsheet's date has none: write it as a text",
            ),
            (
                Box::new(|book| {
                    news(book).write(0, 3, "source.titel").unwrap();
                }),
                "a.xlsx, sheet News, cell D1: unknown key `titel` (did you mean `title`?)",
            ),
            (
                Box::new(|book| {
                    news(book).write(1, 9, "註").unwrap();
                }),
                "a.xlsx, sheet News, cell J2: this cell stands beneath no column name",
            ),
            (
                Box::new(|book| {
                    news(book).write(1, 3, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
                }),
                "a.xlsx, sheet News, cell D2: the cell holds the error #DIV/0!",
            ),
            (
                Box::new(|book| {
                    news(book).write(1, 5, 0.5).unwrap();
                }),
                "a.xlsx, sheet News, cell F2: expected a whole number, found 0.5",
            ),
            (
                Box::new(|book| {
                    news(book).write(0, 0, "name").unwrap();
                }),
                "a.xlsx, sheet News, cell A1: there is no column `id`",
            ),
            (
                Box::new(|book| {
                    news(book).write(1, 0, "x y").unwrap();
                }),
                "a.xlsx, sheet News, cell A2: `x y` is no valid id",
            ),
        ];
        for (change, expected) in changes {
            let problems = read(workbook(change)).unwrap_err();
            let found = problems.iter().any(|problem| problem.starts_with(expected));
            assert!(found, "{expected}: {problems:#?}");
        }
    }

    #[test]
    fn dates_and_times_are_what_the_cell_shows() {
        let shown = |text: &str, format: &str| {
            let bytes = workbook(|book| {
                let moment = ExcelDateTime::parse_from_str(text).unwrap();
                let sheet = news(book);
                sheet.write(0, 7, "vars.when").unwrap();
                sheet.write_with_format(1, 7, &moment, &Format::new().set_num_format(format)).unwrap();
            });
            read(bytes).unwrap()[0].vars["when"].clone()
        };
        assert_eq!(shown("2025-07-01", "yyyy/m/d").as_str(), Some("2025-07-01"));
        assert_eq!(shown("2025-07-01T07:30:00", "yyyy/m/d h:mm").as_str(), Some("2025-07-01T07:30:00"));
        assert_eq!(shown("07:30:00", "h:mm").as_str(), Some("07:30:00"));
    }

    #[test]
    fn a_hidden_sheet_is_known_to_be_one() {
        let bytes = workbook(|book| {
            let sheet = book.add_worksheet().set_name("old").unwrap().set_hidden(true);
            sheet.write_row(0, 0, HEADER).unwrap();
        });
        let hidden: Vec<bool> = parse_xlsx("a.xlsx", bytes).unwrap().iter().map(|sheet| sheet.is_hidden).collect();
        assert_eq!(hidden, [false, true]);
    }

    #[test]
    fn an_id_that_stands_twice_is_told_with_both_cells() {
        let bytes = workbook(|book| {
            let row = ["Q", "2025-06-30T07:00:00+09:00", "日本貿易振興機構", "量子", "量子"];
            news(book).write_row(2, 0, row).unwrap();
        });
        let sheet = parse_xlsx("a.xlsx", bytes).unwrap().remove(0);
        let problems = super::super::in_order(sheet.cases.unwrap().cases, &[sheet.file]).unwrap_err();
        let expected = "a.xlsx, sheet News, cell A3: the case id `Q` is also used in a.xlsx, sheet News, cell A2";
        assert!(problems[0].to_string().starts_with(expected), "{}", problems[0]);
    }

    #[test]
    fn empty_sheets_and_those_marked_as_notes_hold_no_case() {
        let bytes = workbook(|book| {
            book.add_worksheet().set_name("Sheet2").unwrap();
            book.add_worksheet().set_name("# notes").unwrap().write(0, 0, "to do").unwrap();
        });
        assert_eq!(read(bytes).unwrap().len(), 1);
        let bytes = workbook(|book| {
            book.add_worksheet().set_name("notes").unwrap().write(0, 0, "to do").unwrap();
        });
        let problems = read(bytes).unwrap_err();
        assert!(problems[0].contains("sheet notes, cell A1: there is no column `id`"), "{problems:?}");
        assert!(problems[0].contains("begins with `#`"), "{problems:?}");
    }

    #[test]
    fn a_far_off_cell_takes_no_memory() {
        let bytes = workbook(|book| {
            news(book).write(1_048_575, 0, "z").unwrap();
        });
        assert!(read(bytes).unwrap_err()[0].contains("cell A1048576"));
    }

    #[test]
    fn what_is_no_workbook_is_told() {
        for bytes in [&b""[..], b"id,title\n", b"PK\x03\x04", b"\xD0\xCF\x11\xE0"] {
            let problems = read(bytes.to_vec()).unwrap_err();
            assert!(problems[0].starts_with("a.xlsx: this file cannot be read as a workbook"), "{problems:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_damaged_workbook_is_an_error_or_read_but_never_a_panic(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            cut in any::<Option<prop::sample::Index>>(),
        ) {
            let mut bytes = workbook(|_| {});
            for (at, byte) in at {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = read(bytes);
        }
    }
}
