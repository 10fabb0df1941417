//! What a hedged lead-in governs: the list under it, numbered sections, steps told in running text.

use std::ops::Range;

use super::{ANNOUNCED, HEADS, Hedge, PREDICATES, Reach, is_no_guess};
use crate::text::Passage;
use crate::text::block::{Block, BlockKind};
use crate::text::sentence::Sentence;

/// What a hedged sentence or heading leads in: the items under it, numbered sections, or steps in running text.
pub(super) fn lead_in(passage: &Passage<'_>, n: usize) -> Option<Hedge> {
    let sentence = &passage.sentences[n];
    let text = &passage.text[sentence.range.clone()];
    let is_heading = passage.blocks[sentence.block].kind == BlockKind::Heading;
    let governed = if is_heading {
        items_from(passage, sentence.block, sentence.block + 1)?
    } else {
        let points = POINTERS.iter().any(|word| text.contains(word));
        let shows = EXAMPLES.iter().any(|word| text.contains(word)) || text.ends_with(':');
        led_in(passage, n, points).filter(|_| points || shows)?
    };
    let announced = ANNOUNCED.iter().filter_map(|cue| text.rfind(cue).map(|at| (at, cue.len()))).max();
    let guessed = || {
        let cues = PREDICATES.iter().filter_map(|cue| text.rfind(cue).map(|at| (at, cue.len())));
        cues.filter(|(at, length)| !is_no_guess(text, *at, &text[*at..*at + *length])).max()
    };
    let named = || HEADS.iter().filter_map(|cue| text.find(cue).map(|at| (at, cue.len()))).min();
    let (at, length) = if is_heading { announced? } else { guessed().or(announced).or_else(named)? };
    let start = sentence.range.start + at;
    Some(Hedge { cue: start..start + length, scope: governed, reach: Reach::LeadIn })
}

/// Words that point at what follows.
const POINTERS: [&str; 11] =
    ["以下の", "次の", "下記の", "次のよう", "以下のよう", "このよう", "こんな", "以下は", "次は", "以下が", "次が"];

/// Words that show one of many.
const EXAMPLES: [&str; 3] = ["たとえば", "例えば", "などが"];

/// What stands under a sentence that leads in. One that `points` may be parted from it by a sentence or two that lead in
/// nothing themselves.
fn led_in(passage: &Passage<'_>, n: usize, points: bool) -> Option<Range<usize>> {
    let sentence = &passage.sentences[n];
    let leads = |other: &Sentence| {
        let text = &passage.text[other.range.clone()];
        POINTERS.iter().any(|word| text.contains(word)) || text.ends_with(':')
    };
    let behind: Vec<&Sentence> =
        passage.sentences[n + 1..].iter().take_while(|next| next.block == sentence.block).take(3).collect();
    if !behind.is_empty() && (!points || behind.len() > 2 || behind.iter().any(|other| leads(other))) {
        return None;
    }
    let first = sentence.block + 1;
    if let Some(items) = items_from(passage, sentence.block, first) {
        return Some(items);
    }
    let next = passage.blocks.get(first).filter(|_| points)?;
    if behind.is_empty() && next.kind == BlockKind::Heading {
        return sections_from(passage, sentence.block);
    }
    if next.kind != BlockKind::Paragraph {
        return None;
    }
    if behind.is_empty() && starts_with_any(passage, next, &FIRST_STEPS) {
        return Some(steps_from(passage, first));
    }
    let of_next = passage.sentences[n + 1..].iter().skip_while(|other| other.block < first);
    let of_next = of_next.take_while(|other| other.block == first);
    let is_remark = passage.blocks[sentence.block].kind == BlockKind::Paragraph
        && of_next.clone().count() <= 2
        && !of_next.into_iter().any(leads);
    items_from(passage, sentence.block, first + 1).filter(|_| is_remark)
}

/// The items from the block with the number `first` on; an item leads in those that are indented under it.
fn items_from(passage: &Passage<'_>, leading: usize, first: usize) -> Option<Range<usize>> {
    let block = &passage.blocks[leading];
    let is_led = |next: &&Block| match block.kind {
        BlockKind::Item => next.kind == BlockKind::Item && next.indent > block.indent,
        _ => matches!(next.kind, BlockKind::Item | BlockKind::Table),
    };
    let items = passage.blocks.get(first..)?.iter().take_while(is_led);
    range_of(items)
}

/// The sections under a sentence that announces them: those whose headings stand below its own, or are numbered.
fn sections_from(passage: &Passage<'_>, leading: usize) -> Option<Range<usize>> {
    let level = |block: &Block| passage.text[block.range.clone()].bytes().take_while(|byte| *byte == b'#').count();
    let is_numbered = |block: &Block| {
        passage.text[block.content.clone()]
            .trim_start_matches('*')
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '①'..='⑳'))
    };
    let own = passage.blocks[..leading].iter().rev().find(|block| block.kind == BlockKind::Heading).map_or(0, level);
    let is_below = |heading: &Block| is_numbered(heading) || level(heading) > own && own > 0;
    let sections =
        passage.blocks[leading + 1..].iter().take_while(|next| next.kind != BlockKind::Heading || is_below(next));
    range_of(sections)
}

/// Words by which the first of several steps begins, and a further one.
const FIRST_STEPS: [&str; 9] = ["まず", "はじめに", "初めに", "最初に", "一つ目", "1つ目", "一つは", "1つは", "第一に"];
const FURTHER_STEPS: [&str; 12] = [
    "次に",
    "続いて",
    "つづいて",
    "さらに",
    "その後",
    "また",
    "そして",
    "最後に",
    "二つ目",
    "2つ目",
    "三つ目",
    "3つ目",
];

fn starts_with_any(passage: &Passage<'_>, block: &Block, words: &[&str]) -> bool {
    words.iter().any(|word| passage.text[block.content.clone()].starts_with(word))
}

/// The paragraphs that tell steps, from the block with the number `first` on.
fn steps_from(passage: &Passage<'_>, first: usize) -> Range<usize> {
    let is_step = |block: &Block| block.kind == BlockKind::Paragraph && starts_with_any(passage, block, &FURTHER_STEPS);
    let last = passage.blocks[first + 1..].iter().take_while(|block| is_step(block)).last();
    let blocks = &passage.blocks;
    blocks[first].range.start..last.unwrap_or(&blocks[first]).range.end
}

fn range_of<'b>(mut blocks: impl Iterator<Item = &'b Block>) -> Option<Range<usize>> {
    let first = blocks.next()?;
    Some(first.range.start..blocks.last().unwrap_or(first).range.end)
}
