//! Sentences: the blocks of a text cut at full stops outside brackets.

use std::ops::Range;

use super::block::{Block, BlockKind};

/// A sentence, or a heading or item that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Its bytes, closing marks included.
    pub range: Range<usize>,
    /// Which block it belongs to.
    pub block: usize,
}

/// The sentences of all blocks, in order; code is one sentence a line.
pub fn sentences(text: &str, blocks: &[Block]) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (n, block) in blocks.iter().enumerate() {
        if block.kind == BlockKind::Rule {
            continue;
        }
        let cuts = match block.kind {
            BlockKind::Code => vec![block.content.clone()],
            _ => split(text, block.content.clone()),
        };
        sentences.extend(cuts.into_iter().map(|range| Sentence { range, block: n }));
    }
    sentences
}

/// The bracket that closes what `c` opens.
fn closing_of(c: char) -> Option<char> {
    Some(match c {
        '「' => '」',
        '『' => '』',
        '(' => ')',
        '【' => '】',
        '〈' => '〉',
        '《' => '》',
        '[' => ']',
        '{' => '}',
        _ => return None,
    })
}

fn is_closing(c: char) -> bool {
    matches!(c, '」' | '』' | ')' | '】' | '〉' | '》' | ']' | '}')
}

/// Cuts a line into sentences; white space belongs to none.
pub fn split(text: &str, line: Range<usize>) -> Vec<Range<usize>> {
    // Where brackets do not match, they say nothing about where sentences end.
    let balanced = is_balanced(&text[line.clone()]);
    let mut cuts = Vec::new();
    let mut depth = 0_usize;
    let mut start = line.start;
    let mut chars = text[line.clone()].char_indices().map(|(at, c)| (line.start + at, c)).peekable();
    while let Some((at, c)) = chars.next() {
        if closing_of(c).is_some() {
            depth += 1;
        } else if is_closing(c) {
            depth = depth.saturating_sub(1);
        }
        if !is_end(c) || (balanced && depth > 0) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((at, next)) = chars.next_if(|(_, next)| is_end(*next) || (depth == 0 && is_tail(*next))) {
            end = at + next.len_utf8();
        }
        push_trimmed(text, start..end, &mut cuts);
        start = end;
    }
    push_trimmed(text, start..line.end, &mut cuts);
    cuts
}

fn is_end(c: char) -> bool {
    matches!(c, '。' | '!' | '?' | '｡' | '！' | '？')
}

/// Closing marks that stay with the sentence before them.
fn is_tail(c: char) -> bool {
    matches!(c, ')' | '」' | '』' | '"' | '♪' | '☆' | '*')
}

fn is_balanced(line: &str) -> bool {
    let mut awaited = Vec::new();
    line.chars().all(|c| match closing_of(c) {
        Some(closing) => {
            awaited.push(closing);
            true
        }
        None => !is_closing(c) || awaited.pop() == Some(c),
    }) && awaited.is_empty()
}

fn push_trimmed(text: &str, range: Range<usize>, cuts: &mut Vec<Range<usize>>) {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    let end = range.start + part.trim_end().len();
    if start < end {
        cuts.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn full_stops_inside_brackets_end_nothing() {
        for (line, expected) in [
            ("一です。二ですか?三!", &["一です。", "二ですか?", "三!"][..]),
            ("市長は「進めます。必ず。」と話した。次です。", &["市長は「進めます。必ず。」と話した。", "次です。"]),
            ("「始めます。」「はい。」", &["「始めます。」「はい。」"]),
            ("かっこが(閉じない。次です。", &["かっこが(閉じない。", "次です。"]),
            ("すごい!!(本当に。)", &["すごい!!", "(本当に。)"]),
            ("1.5倍", &["1.5倍"]),
        ] {
            let cuts: Vec<&str> = split(line, 0..line.len()).into_iter().map(|range| &line[range]).collect();
            assert_eq!(cuts, expected);
        }
    }

    proptest! {
        #[test]
        fn sentences_never_overlap_and_leave_out_only_white_space(line in "[あ。!?「」()『』 一]{0,30}") {
            let mut end = 0;
            for range in split(&line, 0..line.len()) {
                prop_assert!(range.start >= end && line[end..range.start].trim().is_empty());
                end = range.end;
            }
            prop_assert!(line[end..].trim().is_empty());
        }
    }
}
