//! Reading a spreadsheet of cases, CSV or a workbook, for a project and for `import`.
//!
//! Promises that what a reader may not expect is said: of a CSV file its encoding and what parts its columns, of a workbook
//! that a sheet is hidden.

use std::fs;
use std::io;
use std::path::Path;

use super::console::Console;
use super::load::has_extension;
use crate::case::{CasesInRows, Delimiter, parse_csv, parse_xlsx};
use crate::diagnostic::{Diagnostic, Encoding, TextFile};

/// Cases, or what is wrong with them, and the file in which that stands.
pub(super) type Part<T> = (Result<T, Vec<Diagnostic>>, Option<TextFile>);

/// Whether a file's name says that it is a spreadsheet that can be read.
pub(super) fn is_spreadsheet(path: &Path) -> bool {
    has_extension(path, "csv") || has_extension(path, "xlsx")
}

/// The cases of a CSV file, or of each sheet of a workbook; `shown` is the file's name to the user.
///
/// # Errors
/// The file cannot be read from the disk.
pub(super) fn read(path: &Path, shown: &str, console: &Console) -> io::Result<Vec<Part<CasesInRows>>> {
    let bytes = fs::read(path)?;
    if has_extension(path, "xlsx") {
        return Ok(match parse_xlsx(shown, bytes) {
            Ok(sheets) => {
                for sheet in sheets.iter().filter(|sheet| sheet.is_hidden) {
                    console.say(&format!(
                        "{}: read, although it is hidden; no sheet is whose name begins with `#`",
                        sheet.file.name
                    ));
                }
                sheets.into_iter().map(|sheet| (sheet.cases, Some(sheet.file))).collect()
            }
            Err(problems) => vec![(Err(problems), None)],
        });
    }
    Ok(vec![match TextFile::decode_spreadsheet(shown, &bytes) {
        Ok((file, encoding)) => {
            let delimiter = Delimiter::of(&file);
            if (encoding, delimiter) != (Encoding::Utf8, Delimiter::Comma) {
                console.say(&format!("{shown}: read as {encoding}, columns parted by {delimiter}"));
            }
            (parse_csv(&file, delimiter), Some(file))
        }
        Err(problem) => (Err(vec![problem]), None),
    }])
}
