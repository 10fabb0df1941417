//! A mistake in a file, told so that it can be mended: what is wrong, where, the line itself, what to do.
//!
//! Promises that a place is exact (line and column count from 1, columns in characters; in a workbook, the cell) and that
//! text which is not UTF-8 is refused with its likely encoding. Leaves reading files and printing to others.

mod encoding;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

pub use encoding::Encoding;

/// A text with the name its reader knows it by.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// The path as the user would type it, or `<stdin>`.
    pub name: Arc<str>,
    /// The whole text, without a byte-order mark; of a sheet, its cells one after the other.
    pub text: String,
    /// Of a sheet: where each cell's text begins, its row and its column from 0.
    cells: Vec<(usize, u32, u32)>,
}

impl TextFile {
    /// A file from a text that is known to be good.
    pub fn new(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), cells: Vec::new() }
    }

    /// A sheet of a workbook, without a cell yet.
    pub fn of_cells(name: &str) -> Self {
        Self::new(name, "")
    }

    /// Adds a cell by its row and column from 0; the bytes of the text that are its own.
    pub fn push_cell(&mut self, row: u32, column: u32, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.cells.push((start, row, column));
        self.text.push_str(text);
        self.text.push('\n');
        start..start + text.len()
    }

    /// Decodes a file's bytes as UTF-8; a leading byte-order mark is dropped.
    ///
    /// # Errors
    /// Text in another encoding, with the place of the first bad byte and, where it can be told, the encoding's name.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self, Diagnostic> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(Diagnostic::without_place(name, "this file is UTF-16, not UTF-8").hint("save it as UTF-8"));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => return Ok(Self::new(name, text)),
            Err(error) => error,
        };
        let at = error.valid_up_to();
        let (japanese, _, had_errors) = encoding_rs::SHIFT_JIS.decode(bytes);
        // The rest of the line is shown as far as it can be read, so that the place can be found.
        let line_end = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |n| at + n);
        let (shown, at, message) = if had_errors || !encoding::is_japanese(&japanese) {
            let message = format!("this file is not UTF-8: byte 0x{:02X} cannot stand here", bytes[at]);
            (Self::new(name, String::from_utf8_lossy(&bytes[..line_end])), at, message)
        } else {
            let decoded = |end: usize| encoding_rs::SHIFT_JIS.decode_without_bom_handling(&bytes[..end]).0.into_owned();
            let shown = Self::new(name, decoded(line_end));
            let at = shown.floor_boundary(decoded(at).len());
            (shown, at, "this file is CP932 (Shift_JIS), not UTF-8".to_owned())
        };
        let end = at + shown.text[at..].chars().next().map_or(0, char::len_utf8);
        Err(shown.diagnose(at..end, message).hint("save it as UTF-8"))
    }

    /// A diagnostic about the bytes `span` of this text; a span that crosses a line end is cut there.
    pub fn diagnose(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let start = self.floor_boundary(span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |n| n + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |n| start + n);
        let excerpt = self.text[line_start..line_end].trim_end_matches('\r');
        let marked_end = self.floor_boundary(span.end).clamp(start, line_start + excerpt.len().max(start - line_start));
        let cell = self.cells[..self.cells.partition_point(|(begin, ..)| *begin <= start)].last();
        let (line, column) = match cell {
            Some((_, row, column)) => (*row as usize + 1, *column as usize + 1),
            None => {
                (self.text[..line_start].matches('\n').count() + 1, self.text[line_start..start].chars().count() + 1)
            }
        };
        Diagnostic {
            message: message.into(),
            file: Arc::clone(&self.name),
            place: Some(Place {
                line,
                column,
                is_cell: cell.is_some(),
                excerpt: excerpt.into(),
                marked: start - line_start..marked_end - line_start,
            }),
            hint: None,
        }
    }

    fn floor_boundary(&self, at: usize) -> usize {
        (0..=at.min(self.text.len())).rev().find(|&n| self.text.is_char_boundary(n)).unwrap_or(0)
    }
}

/// A sheet's column as its head shows it: A, B, …, Z, AA, ….
fn letters(column: usize) -> String {
    let last = char::from(b'A' + u8::try_from(column % 26).unwrap_or_default());
    if column < 26 { last.to_string() } else { format!("{}{last}", letters(column / 26 - 1)) }
}

fn is_kana_or_kanji(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}')
}

/// Where a mistake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line number, from 1; of a cell, its row.
    pub line: usize,
    /// Column in characters, from 1; of a cell, its column.
    pub column: usize,
    /// Whether it is a cell of a sheet.
    pub is_cell: bool,
    /// The whole line.
    pub excerpt: Box<str>,
    /// The bytes of `excerpt` that are meant.
    pub marked: Range<usize>,
}

impl Place {
    /// The line or cell, to stand after the file's name: `:5`, or `, cell C5`.
    pub fn row_of_file(&self) -> String {
        self.cell().map_or_else(|| format!(":{}", self.line), |cell| format!(", cell {cell}"))
    }

    /// A cell's name in its sheet, such as `C5`; none in a text.
    fn cell(&self) -> Option<String> {
        self.is_cell.then(|| format!("{}{}", letters(self.column - 1), self.line))
    }
}

/// One mistake of a user's file, with its place and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, in a lower-case phrase without a full stop.
    pub message: String,
    /// The file's name.
    pub file: Arc<str>,
    /// Where in it; `None` if the file as a whole is meant.
    pub place: Option<Place>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake of a whole file.
    pub fn without_place(file: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), file: file.into(), place: None, hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with «did you mean» if one of `known` looks like `given`.
    #[must_use]
    pub fn did_you_mean<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match closest(given, &known) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None if known.is_empty() || known.len() > 24 => self,
            None => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.hint(format!("known here: {}", list.join(", ")))
            }
        }
    }

    /// The diagnostic as a person reads it in a terminal: message, `file:line:column`, the line, the hint.
    pub fn render(&self, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut groups = vec![match &self.place {
            None => title.element(Origin::path(self.file.as_ref())),
            Some(place) => match place.cell() {
                Some(cell) => title.element(Origin::path(format!("{}, cell {cell}", self.file))),
                None => title.element(
                    Snippet::source(place.excerpt.as_ref())
                        .line_start(place.line)
                        .path(self.file.as_ref())
                        .annotation(AnnotationKind::Primary.span(place.marked.clone())),
                ),
            },
        }];
        if let Some(hint) = &self.hint {
            groups.push(Group::with_title(Level::HELP.with_name("hint").secondary_title(hint.as_str())));
        }
        renderer.render(&groups).clone()
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: message (hint)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        match self.place.as_ref().map(|place| (place, place.cell())) {
            Some((_, Some(cell))) => write!(f, ", cell {cell}")?,
            Some((place, None)) => write!(f, ":{}:{}", place.line, place.column)?,
            None => {}
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// The name of `known` that looks most like `given`, if any looks like it at all.
pub fn closest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), *name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_line_and_what_to_do() {
        let file = TextFile::new("evalrun.toml", "[run]\nprompts = [\"日本語\", \"x\"]\n");
        let at = file.text.find("\"x\"").unwrap();
        let diagnostic = file.diagnose(at..at + 3, "no such prompt: `x`").hint("write prompts/x.md");
        assert_eq!(diagnostic.to_string(), "evalrun.toml:2:19: no such prompt: `x` (write prompts/x.md)");
        insta::assert_snapshot!(diagnostic.render(&Renderer::plain()), @r#"
        error: no such prompt: `x`
         --> evalrun.toml:2:19
          |
        2 | prompts = ["日本語", "x"]
          |                      ^^^
          |
        hint: write prompts/x.md
        "#);
    }

    #[test]
    fn a_cell_is_named_as_its_sheet_names_it() {
        let mut sheet = TextFile::of_cells("a.xlsx, sheet News");
        sheet.push_cell(0, 0, "id");
        let span = sheet.push_cell(4, 27, "一\n二");
        let diagnostic = sheet.diagnose(span, "not so").hint("but so");
        assert_eq!(diagnostic.to_string(), "a.xlsx, sheet News, cell AB5: not so (but so)");
        insta::assert_snapshot!(diagnostic.render(&Renderer::plain()), @"
        error: not so
        --> a.xlsx, sheet News, cell AB5
         |
        hint: but so
        ");
        for (column, name) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")] {
            assert_eq!(letters(column), name);
        }
    }

    #[test]
    fn another_encoding_is_named_with_the_place() {
        let (cp932, _, _) = encoding_rs::SHIFT_JIS.encode("[source]\ntitle = \"量子技術\"\n");
        for (bytes, expected) in [
            (cp932.as_ref(), "case.toml:2:10: this file is CP932 (Shift_JIS), not UTF-8 (save it as UTF-8)"),
            (
                b"a = 1\nb = \xFF\n",
                "case.toml:2:5: this file is not UTF-8: byte 0xFF cannot stand here (save it as UTF-8)",
            ),
            (b"\xFF\xFEa\0", "case.toml: this file is UTF-16, not UTF-8 (save it as UTF-8)"),
        ] {
            assert_eq!(TextFile::decode("case.toml", bytes).unwrap_err().to_string(), expected);
        }
        let shown = TextFile::decode("case.toml", &cp932).unwrap_err().render(&Renderer::plain());
        assert!(shown.contains("2 | title = \"量子技術\""), "{shown}");
        assert_eq!(TextFile::decode("a", b"\xEF\xBB\xBFx").unwrap().text, "x");
    }

    #[test]
    fn the_likeliest_name_is_suggested() {
        assert_eq!(closest("promts", &["models", "prompts"]), Some("prompts"));
        assert_eq!(closest("zzz", &["models", "prompts"]), None);
    }
}
