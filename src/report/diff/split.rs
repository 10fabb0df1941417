//! Texts cut into sentences and words, so that a diff shows changes where a reader sees them.
//!
//! Promises that whatever a cutter leaves out or gets wrong, no character of a text is lost.

use std::fmt;
use std::ops::Range;

use crate::text::morpheme::{Morpheme, analyze};

/// Cuts a text into parts: byte ranges in ascending order.
pub type Split<'a> = &'a (dyn Fn(&str) -> Vec<Range<usize>> + Sync);

/// How a diff cuts texts.
#[derive(Clone, Copy)]
pub struct Splitters<'a> {
    /// Into sentences.
    pub sentences: Split<'a>,
    /// Into words.
    pub words: Split<'a>,
}

impl Default for Splitters<'_> {
    fn default() -> Self {
        Self { sentences: &sentences, words: &morphemes }
    }
}

impl fmt::Debug for Splitters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Splitters").finish_non_exhaustive()
    }
}

/// Cuts after `。`, `！`, `？` outside brackets, and at each end of line.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        match c {
            '「' | '『' | '（' | '(' | '【' | '〔' | '《' => depth += 1,
            '」' | '』' | '）' | ')' | '】' | '〕' | '》' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends_sentence =
            depth == 0 && is_terminator(c) && chars.peek().is_none_or(|(_, next)| !is_terminator(*next));
        if c == '\n' || ends_sentence {
            parts.push(start..end);
            (start, depth) = (end, 0);
        }
    }
    if start < text.len() {
        parts.push(start..text.len());
    }
    parts
}

const fn is_terminator(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '!' | '?')
}

/// Cuts into words, as the dictionary knows them.
pub fn morphemes(text: &str) -> Vec<Range<usize>> {
    analyze(text).iter().map(Morpheme::range).collect()
}

/// Ranges that cover the whole text, whatever a cutter returned: what it left out is a part of its own, and a range that
/// goes back, is empty or splits a character is dropped.
pub(super) fn covering(text: &str, parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut covered = Vec::with_capacity(parts.len() + 1);
    let mut end = 0;
    for part in parts {
        if part.start < end || part.start >= part.end || text.get(part.clone()).is_none() {
            continue;
        }
        if end < part.start {
            covered.push(end..part.start);
        }
        end = part.end;
        covered.push(part);
    }
    if end < text.len() {
        covered.push(end..text.len());
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut<'t>(text: &'t str, split: Split<'_>) -> Vec<&'t str> {
        split(text).into_iter().map(|part| &text[part]).collect()
    }

    #[test]
    fn sentences_end_at_stops_outside_brackets_and_at_line_ends() {
        for (text, parts) in [
            ("開催しました。参加者は多数！？成功です", &["開催しました。", "参加者は多数！？", "成功です"][..]),
            ("「行きます。必ず。」と述べた。次へ。", &["「行きます。必ず。」と述べた。", "次へ。"]),
            ("# 見出し\n\n本文。", &["# 見出し\n", "\n", "本文。"]),
            ("「閉じない。\n次。", &["「閉じない。\n", "次。"]),
            ("", &[]),
        ] {
            assert_eq!(cut(text, &sentences), parts);
        }
    }

    #[test]
    fn words_are_those_of_the_dictionary() {
        assert_eq!(
            cut("取り組みを進めました。約30社が参加", &morphemes),
            ["取り組み", "を", "進め", "まし", "た", "。", "約", "30", "社", "が", "参加"]
        );
    }

    #[test]
    fn no_character_is_lost_to_a_careless_cutter() {
        let text = "あいうえお";
        for (parts, covered) in [
            (&[][..], &["あいうえお"][..]),
            (&[3..6, 9..12], &["あ", "い", "う", "え", "お"]),
            (&[0..6, 3..9, 4..8, 12..12, 9..99], &["あい", "うえお"]),
        ] {
            assert_eq!(cut(text, &|text| covering(text, parts.to_vec())), covered);
        }
    }
}
