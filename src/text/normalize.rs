//! One spelling for what readers take for the same, with the way back to the original.
//!
//! Unicode's NFKC character by character, except where it changes meaning (①, ², ½, …), and a fold of dashes, waves,
//! spaces, print forms, invisible characters and commas and full stops between Japanese characters of our own. Marks of
//! emphasis within a line are dropped: **52**% is 52%.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// A normalised text that knows where each of its parts stands in the original.
#[derive(Debug, Clone, Default)]
pub struct Normalized {
    /// The normalised text.
    pub text: String,
    pieces: Vec<Piece>,
    original_len: usize,
}

/// A stretch of the text: either the same bytes as in the original, or the replacement of a whole cluster.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u32,
    original_start: u32,
    is_replacement: bool,
}

impl Normalized {
    /// Normalises `original`.
    pub fn new(original: &str) -> Self {
        let mut this = Self { text: String::with_capacity(original.len()), ..Self::default() };
        this.original_len = original.len();
        let mut same_since = 0;
        let mut emphasis = Emphasis::default();
        let mut before = '\n';
        let mut chars = original.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let last = std::mem::replace(&mut before, c);
            if c == '*' && emphasis.is_mark(original, at) {
                this.push_same(original, same_since..at);
                this.push_piece(at, true);
                chars.next();
                same_since = at + 2;
                continue;
            }
            if let Some(mark) = japanese_mark(c, last, chars.peek().map(|(_, next)| *next)) {
                this.push_same(original, same_since..at);
                this.push_piece(at, true);
                this.text.push(mark);
                same_since = at + c.len_utf8();
                continue;
            }
            if c == '\\' && is_escaped_newline(&original[at..]) {
                this.push_same(original, same_since..at);
                this.push_piece(at, true);
                this.text.push('\n');
                chars.next();
                same_since = at + 2;
                continue;
            }
            let next_combines = chars.peek().is_some_and(|(_, next)| combines(*next));
            if is_plain(c) && !next_combines {
                continue;
            }
            let mut end = at + c.len_utf8();
            while let Some((at, next)) = chars.next_if(|(_, next)| combines(*next)) {
                end = at + next.len_utf8();
            }
            this.push_same(original, same_since..at);
            this.push_replacement(&original[at..end], at);
            same_since = end;
        }
        this.push_same(original, same_since..original.len());
        this
    }

    fn push_same(&mut self, original: &str, range: Range<usize>) {
        if !range.is_empty() {
            self.push_piece(range.start, false);
            self.text.push_str(&original[range]);
        }
    }

    fn push_replacement(&mut self, cluster: &str, at: usize) {
        self.push_piece(at, true);
        let first = cluster.chars().next().unwrap_or_default();
        match fold(first) {
            Fold::Nothing => {}
            Fold::To(c) => self.text.push(c),
            Fold::Keep => self.text.push_str(cluster),
            Fold::Nfkc => self.text.extend(cluster.nfkc()),
        }
    }

    fn push_piece(&mut self, original_start: usize, is_replacement: bool) {
        let offset = |n| u32::try_from(n).unwrap_or(u32::MAX);
        self.pieces.push(Piece {
            start: offset(self.text.len()),
            original_start: offset(original_start),
            is_replacement,
        });
    }

    /// The original bytes of `range` of the normalised text; a cluster that the range touches belongs to it as a whole.
    pub fn to_original(&self, range: Range<usize>) -> Range<usize> {
        let start = self.original_at(range.start, false);
        start..self.original_at(range.end, true).max(start)
    }

    fn original_at(&self, at: usize, is_end: bool) -> usize {
        // An end belongs to the piece before it, so that what was dropped behind it stays out.
        let belongs = |piece: &Piece| if is_end { (piece.start as usize) < at } else { piece.start as usize <= at };
        let n = self.pieces.partition_point(belongs);
        let Some(piece) = n.checked_sub(1).and_then(|n| self.pieces.get(n)) else { return 0 };
        let piece_end = self.pieces.get(n).map_or(self.original_len, |next| next.original_start as usize);
        match (piece.is_replacement, is_end) {
            (false, _) => (piece.original_start as usize + at - piece.start as usize).min(piece_end),
            (true, true) => piece_end,
            (true, false) => piece.original_start as usize,
        }
    }
}

/// Which `**` of a line mark emphasis within it: all of a line in which they come in pairs, unless they enclose it as a
/// whole, which makes it a heading.
#[derive(Default)]
struct Emphasis {
    line_end: usize,
    is_within: bool,
}

impl Emphasis {
    fn is_mark(&mut self, text: &str, at: usize) -> bool {
        if !text[at..].starts_with("**") {
            return false;
        }
        if at >= self.line_end {
            let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
            self.line_end = text[at..].find('\n').map_or(text.len(), |n| at + n);
            let line = text[start..self.line_end].trim();
            let marks = line.matches("**").count();
            let encloses = marks == 2 && line.starts_with("**") && line.ends_with("**");
            self.is_within = marks.is_multiple_of(2) && !encloses && !line.contains("***");
        }
        self.is_within
    }
}

/// 、 and 。 for the commas and full stops that some write instead, between Japanese characters.
fn japanese_mark(c: char, before: char, after: Option<char>) -> Option<char> {
    let is_wide = matches!(c, '，' | '．');
    let ends = after.is_none_or(|after| after.is_whitespace() || is_japanese(after));
    match c {
        '，' | ',' if is_japanese(before) && (is_wide || after.is_some_and(is_japanese)) => Some('、'),
        '．' | '.' if is_japanese(before) && (is_wide || ends) => Some('。'),
        _ => None,
    }
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FE}' | '\u{3005}' | '\u{4E00}'..='\u{9FFF}' | '」' | '』' | '）' | '「' | '『')
}

/// `\n` in words, as JSON wrappers leave it; not the beginning of a formula's command.
fn is_escaped_newline(text: &str) -> bool {
    text.strip_prefix("\\n").is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Characters that stand for themselves: most of any Japanese text.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\n' | '\t' | '\u{3001}'..='\u{3003}' | '\u{3005}'..='\u{301B}' | '\u{3041}'..='\u{3096}'
        | '\u{30A1}'..='\u{30FE}' | '\u{4E00}'..='\u{9FFF}')
        && c != '髙'
}

fn combines(c: char) -> bool {
    matches!(c, '\u{3099}' | '\u{309A}' | '\u{FF9E}' | '\u{FF9F}')
        || (c > '\u{02FF}' && !is_plain(c) && canonical_combining_class(c) != 0)
}

enum Fold {
    Nothing,
    To(char),
    Keep,
    Nfkc,
}

fn fold(c: char) -> Fold {
    match c {
        // Invisible: zero-width marks, soft hyphen, byte-order mark, variation selectors.
        '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2060}'
        | '\u{FEFF}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}' => Fold::Nothing,
        '\u{3000}' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' => Fold::To(' '),
        '‐' | '‑' | '‒' | '–' | '−' | '－' | '﹣' => Fold::To('-'),
        '—' | '─' | '━' | '―' => Fold::To('―'),
        '～' | '〜' | '∼' | '˜' => Fold::To('〜'),
        '‘' | '’' | 'ʼ' | '＇' => Fold::To('\''),
        '“' | '”' | '„' | '‟' | '＂' | '〝' | '〟' => Fold::To('"'),
        '髙' => Fold::To('高'),
        '﨑' => Fold::To('崎'),
        '･' => Fold::To('・'),
        // NFKC would turn these into plain digits, dots or spaces and so change what they say.
        '\u{B2}'
        | '\u{B3}'
        | '\u{B9}'
        | '\u{BC}'..='\u{BE}'
        | '…'
        | '‥'
        | '\u{2070}'..='\u{209C}'
        | '\u{2150}'..='\u{215F}'
        | '\u{2460}'..='\u{24FF}'
        | '\u{2776}'..='\u{2793}'
        | '\u{309B}'
        | '\u{309C}'
        | '\u{3251}'..='\u{325F}'
        | '\u{32B1}'..='\u{32BF}'
        | '\u{FFE3}' => Fold::Keep,
        _ => Fold::Nfkc,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_the_same_become_one() {
        for (original, expected) in [
            ("１．２兆円", "1.2兆円"),
            ("㋿７年", "令和7年"),
            ("ﾊﾟﾈﾙ", "パネル"),
            ("⽇本", "日本"),
            ("㈱ソラ", "(株)ソラ"),
            ("か\u{3099}", "が"),
            ("10～20 10〜20", "10〜20 10〜20"),
            ("①②５００㎡", "①②500m2"),
            ("5m²½…", "5m²½…"),
            ("髙島\u{200B}屋", "高島屋"),
            ("“量子”", "\"量子\""),
            ("一\\n\\n二\\nabla", "一\n\n二\\nabla"),
            ("春，花が咲く．夏が来る.", "春、花が咲く。夏が来る。"),
            ("１，２００円は３．５倍，1.5倍です．", "1,200円は3.5倍、1.5倍です。"),
            ("約**52**%の**町**\n**見出し**", "約52%の町\n**見出し**"),
        ] {
            assert_eq!(Normalized::new(original).text, expected);
        }
    }

    #[test]
    fn parts_lead_back_to_the_original() {
        let original = "ﾊﾟﾈﾙ１２㎡の\u{200B}令和";
        let normalized = Normalized::new(original);
        for (part, expected) in [
            ("パ", "ﾊﾟ"),
            ("ネル", "ﾈﾙ"),
            ("12", "１２"),
            ("m", "㎡"),
            ("12m2の", "１２㎡の"),
            ("の", "の"),
            ("令和", "令和"),
        ] {
            let start = normalized.text.find(part).unwrap();
            assert_eq!(&original[normalized.to_original(start..start + part.len())], expected);
        }
    }

    proptest! {
        #[test]
        fn every_range_leads_to_character_boundaries(text in "[あ-んｱ-ﾝＡ-Ｚ０-９a-z㈱㎡\u{3099}\u{FF9E}\u{200B}\u{301}]{0,20}") {
            let normalized = Normalized::new(&text);
            let boundaries: Vec<usize> = (0..=normalized.text.len()).filter(|&n| normalized.text.is_char_boundary(n)).collect();
            for &start in &boundaries {
                for &end in boundaries.iter().filter(|&&end| end >= start) {
                    prop_assert!(text.get(normalized.to_original(start..end)).is_some());
                }
            }
        }
    }
}
