//! Text that is not Japanese within Japanese text, down to one letter inside a word.
//!
//! Looks at runs, not at shares: real leaks are often a single word. What Japanese writes in other letters (names,
//! abbreviations, units, addresses, glosses in brackets) is no finding.

mod han;
mod latin;

use std::ops::Range;

use super::Passage;

/// A run that is not Japanese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Where it stands in the normalised text.
    pub range: Range<usize>,
    /// What it is.
    pub kind: ForeignKind,
}

/// What a foreign run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ForeignKind {
    /// English.
    English,
    /// Chinese, simplified or traditional.
    Chinese,
    /// Korean.
    Korean,
    /// Any other language.
    Other,
    /// Japanese in Latin letters.
    Romaji,
    /// Broken characters.
    Mojibake,
}

impl ForeignKind {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "english",
            Self::Chinese => "chinese",
            Self::Korean => "korean",
            Self::Other => "other",
            Self::Romaji => "romaji",
            Self::Mojibake => "mojibake",
        }
    }
}

/// The foreign runs of a passage, in order; `known` holds texts (the source's) whose own Latin and Han words are names.
pub fn foreign_runs(passage: &Passage<'_>, known: &str) -> Vec<Foreign> {
    let mut runs = other_scripts(&passage.text);
    runs.extend(latin::foreign(passage, known));
    runs.extend(han::foreign(passage, known));
    runs.sort_by_key(|run| (run.range.start, std::cmp::Reverse(run.range.end)));
    merge(runs)
}

/// Joins overlapping runs, and runs of one kind that only spaces and marks part.
fn merge(runs: Vec<Foreign>) -> Vec<Foreign> {
    let mut merged: Vec<Foreign> = Vec::new();
    for run in runs {
        match merged.last_mut() {
            Some(last) if run.range.start < last.range.end => last.range.end = last.range.end.max(run.range.end),
            _ => merged.push(run),
        }
    }
    merged
}

/// The script of a character, as far as it decides the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Hangul,
    Greek,
    Other,
    Mojibake,
    None,
}

fn script(c: char) -> Script {
    match c {
        ' '..='~' | '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' => Script::None,
        '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' => {
            Script::Hangul
        }
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Script::Greek,
        // Cyrillic, Armenian, Hebrew, Arabic, Indic, Thai, Georgian, Ethiopic, Khmer, Mongolian and the like.
        '\u{400}'..='\u{10FF}'
        | '\u{1200}'..='\u{1DBF}'
        | '\u{2D00}'..='\u{2D2F}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFE}' => Script::Other,
        '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{80}'..='\u{9F}' => Script::Mojibake,
        _ => Script::None,
    }
}

/// Runs of scripts that no Japanese text has: Hangul, Cyrillic, Thai, … and broken characters.
fn other_scripts(text: &str) -> Vec<Foreign> {
    let mut runs = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let own = script(c);
        if own == Script::None {
            continue;
        }
        let mut end = start + c.len_utf8();
        let mut letters = 1;
        while let Some(&(at, next)) = chars.peek() {
            let continues = script(next) == own;
            // A space between two words of the script belongs to the run.
            let joins = next == ' ' && text[at + 1..].chars().next().is_some_and(|c| script(c) == own);
            if !continues && !joins {
                break;
            }
            end = at + next.len_utf8();
            letters += usize::from(continues);
            chars.next();
        }
        let kind = match own {
            Script::Hangul => ForeignKind::Korean,
            Script::Mojibake => ForeignKind::Mojibake,
            // Single Greek letters are mathematics.
            Script::Greek if letters < 3 => continue,
            _ => ForeignKind::Other,
        };
        let range = if kind == ForeignKind::Mojibake { start..end } else { whole_word(text, start..end) };
        runs.push(Foreign { range, kind });
    }
    runs.extend(misread_bytes(text));
    runs
}

/// A run with the katakana or kanji that it is glued to, so that a reader sees where in a word it sits (高령化).
fn whole_word(text: &str, range: Range<usize>) -> Range<usize> {
    let is_glued = |c: &char| matches!(c, 'ァ'..='ヺ' | 'ー' | '\u{4E00}'..='\u{9FFF}' | '々' | '0'..='9');
    let before = text[..range.start].chars().next_back().filter(is_glued).map_or(0, char::len_utf8);
    let after = text[range.end..].chars().next().filter(is_glued).map_or(0, char::len_utf8);
    range.start - before..range.end + after
}

/// UTF-8 that was read as Latin-1 or `Shift_JIS`: `ã‚`, `â€`, `縺ゅ`.
fn misread_bytes(text: &str) -> Vec<Foreign> {
    let mut runs = Vec::new();
    if !text.contains(['ã', 'â', 'Ã', '縺', '繧', '譁', '繝']) {
        return runs;
    }
    for mark in ["ã\u{81}", "ã\u{82}", "ã\u{83}", "ã‚", "ãƒ", "â€", "Ã©", "Ã¨", "縺", "繧", "譁", "繝"]
    {
        // One 繧 may be a rare character; two marks side by side are an accident.
        for (at, _) in text.match_indices(mark) {
            let end = text[at..].char_indices().take_while(|(_, c)| !c.is_whitespace() && !"。、".contains(*c)).count();
            let end = text[at..].char_indices().nth(end).map_or(text.len(), |(n, _)| at + n);
            let count = ["縺", "繧", "譁", "繝", "ã", "â€", "Ã"]
                .iter()
                .map(|m| text[at..end].matches(m).count())
                .sum::<usize>();
            if count >= 2 {
                runs.push(Foreign { range: at..end, kind: ForeignKind::Mojibake });
            }
        }
    }
    runs
}
