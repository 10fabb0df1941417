//! The encodings in which spreadsheets write text.
//!
//! Promises that a guess is made only where it can be told from the bytes: by a mark, by the pattern of UTF-16, or because
//! Japanese comes out. Anything else is refused.

use std::fmt;

use encoding_rs::{SHIFT_JIS, UTF_16BE, UTF_16LE};

use super::{Diagnostic, TextFile, is_kana_or_kanji};

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte-order mark.
    Utf8,
    /// As Excel writes «Unicode text».
    Utf16,
    /// As Excel writes CSV on a Japanese Windows.
    Cp932,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 => "UTF-16",
            Self::Cp932 => "CP932 (Shift_JIS)",
        })
    }
}

impl TextFile {
    /// Decodes what a spreadsheet saved, and says how it was written.
    ///
    /// # Errors
    /// The encoding cannot be told.
    pub fn decode_spreadsheet(name: &str, bytes: &[u8]) -> Result<(Self, Encoding), Diagnostic> {
        if let Some(utf16) = utf16(bytes) {
            let (text, had_errors) = utf16.decode_with_bom_removal(bytes);
            if had_errors {
                let damaged = Diagnostic::without_place(name, "this file is UTF-16, but damaged");
                return Err(damaged.hint("save it as UTF-8"));
            }
            return Ok((Self::new(name, text), Encoding::Utf16));
        }
        Self::decode(name, bytes).map(|file| (file, Encoding::Utf8)).or_else(|refused| {
            let text = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes);
            match text.filter(|text| is_japanese(text)) {
                Some(text) => Ok((Self::new(name, text), Encoding::Cp932)),
                None => Err(refused),
            }
        })
    }
}

/// By its mark, or by the zeros that stand between the Latin letters of a first column's name.
fn utf16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match bytes {
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        [first, 0, second, 0, ..] if first.is_ascii_graphic() && second.is_ascii_graphic() => Some(UTF_16LE),
        [0, first, 0, second, ..] if first.is_ascii_graphic() && second.is_ascii_graphic() => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether bytes read as CP932 give what somebody may have written: bytes of other encodings give half-width kana.
pub(super) fn is_japanese(text: &str) -> bool {
    let half_width = text.chars().filter(|c| matches!(c, '\u{FF61}'..='\u{FF9F}')).count();
    let full_width = text.chars().filter(|c| is_kana_or_kanji(*c)).count();
    full_width > half_width
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "id,source.title\nq,量子分野の日米企業交流\n";

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_told_apart() {
        let marked = format!("\u{feff}{TEXT}");
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), Encoding::Utf8),
            (marked.as_bytes().to_vec(), Encoding::Utf8),
            (utf16(&marked, u16::to_le_bytes), Encoding::Utf16),
            (utf16(&marked, u16::to_be_bytes), Encoding::Utf16),
            (utf16(TEXT, u16::to_le_bytes), Encoding::Utf16),
            (utf16(TEXT, u16::to_be_bytes), Encoding::Utf16),
            (SHIFT_JIS.encode(TEXT).0.into_owned(), Encoding::Cp932),
        ] {
            let (file, found) = TextFile::decode_spreadsheet("a.csv", &bytes).unwrap();
            assert_eq!((file.text.as_str(), found), (TEXT, encoding));
        }
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        let euc = encoding_rs::EUC_JP.encode(TEXT).0.into_owned();
        for (bytes, told) in [
            (&euc[..], "this file is not UTF-8: byte 0xCE cannot stand here"),
            (b"id,caf\xE9\n", "this file is not UTF-8: byte 0xE9 cannot stand here"),
            (b"\xFF\xFE\x00\xD8a\0", "this file is UTF-16, but damaged"),
            (b"\xFF\xFEi\0d", "this file is UTF-16, but damaged"),
        ] {
            let refused = TextFile::decode_spreadsheet("a.csv", bytes).unwrap_err();
            assert_eq!(refused.message, told);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = TextFile::decode_spreadsheet("a.csv", &bytes);
        }
    }
}
