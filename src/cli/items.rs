//! Items from a file or standard input, a line at a time.
//!
//! Promises that any bytes are read: a line that is no item is told with its number, and a line without end takes no
//! more memory than the longest one allowed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::error::Error;
use crate::item::{Item, Slip};

/// The longest line in bytes: far longer than any article with its source.
const LONGEST: usize = 4 << 20;

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// There is no such file, or it cannot be read.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).map_err(Error::unopened(path))?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(Error::usage(format!("{} is a folder", path.display())));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

/// A line with its number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    /// Its bytes without the line end; `None` if they are too many.
    pub(super) bytes: Option<Vec<u8>>,
}

/// The lines of a stream.
pub(super) struct Lines<R> {
    input: R,
    number: usize,
    longest: usize,
}

impl<R: BufRead> Lines<R> {
    /// All lines of `input`.
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0, longest: LONGEST }
    }

    fn advance(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let read = (&mut self.input).take(self.longest as u64 + 1).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if bytes.pop_if(|byte| *byte == b'\n').is_none() && bytes.len() > self.longest {
            skip_line(&mut self.input)?;
            return Ok(Some(Line { number: self.number, bytes: None }));
        }
        if self.number == 1 && bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
        }
        Ok(Some(Line { number: self.number, bytes: Some(bytes) }))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (length, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(length);
        if is_end {
            return Ok(());
        }
    }
}

/// The item of a line; `None` if the line is blank.
///
/// # Errors
/// Why it is no item.
pub(super) fn parse(line: &Line) -> Result<Option<Item>, String> {
    let Some(bytes) = &line.bytes else { return Err(format!("this line is longer than {LONGEST} bytes")) };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("this line is not UTF-8, at byte {}", error.valid_up_to() + 1))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    Item::parse(text).map(Some).map_err(|error| {
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        if error.is_data() { what.to_owned() } else { format!("not valid JSON: {what}, at byte {}", error.column()) }
    })
}

/// The keys of a line that look as if they were to count for something.
pub(super) fn slips(line: &Line) -> Vec<Slip> {
    let text = line.bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.map(Item::slips).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], longest: usize) -> Vec<(usize, Option<Vec<u8>>)> {
        let lines = Lines { longest, ..Lines::new(input) };
        lines.map(|line| line.unwrap()).map(|line| (line.number, line.bytes)).collect()
    }

    #[test]
    fn lines_have_numbers_and_a_greatest_length() {
        let line = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(read(b"\xEF\xBB\xBFab\n", 5), [(1, line("ab"))]);
        assert_eq!(read(b"ab\n\nabcd\nabc", 3), [(1, line("ab")), (2, line("")), (3, None), (4, line("abc"))]);
        assert_eq!(read(b"abc\nabcdefgh", 3), [(1, line("abc")), (2, None)]);
        assert_eq!(read(b"", 3), []);
    }

    #[test]
    fn what_is_no_item_is_told_in_a_phrase() {
        for (bytes, expected) in [
            (&b"{\"output\": }"[..], "not valid JSON: expected value, at byte 12"),
            (b"{\"id\": 1}", "missing field `output`"),
            (b"{\"output\": null}", "invalid type: null, expected a string"),
            (b"{\"output\": \"a", "not valid JSON: EOF while parsing a string, at byte 13"),
            (b"a\xFF", "this line is not UTF-8, at byte 2"),
        ] {
            assert_eq!(parse(&Line { number: 1, bytes: Some(bytes.to_vec()) }).unwrap_err(), expected);
        }
        assert!(parse(&Line { number: 1, bytes: Some(b" \r".to_vec()) }).unwrap().is_none());
        assert!(parse(&Line { number: 1, bytes: None }).unwrap_err().contains("longer than"));
    }
}
