//! `repetition`: no loops and no broken end. Value 1 or 0; evidence: what repeats, or where the text breaks off.
//!
//! A sentence counts as a loop from its third time on (from its second, if it is long), a phrase from its fourth time in
//! a row. An end is broken if the last sentence stops where no Japanese sentence can.

use std::ops::Range;

use foldhash::{HashMap, HashMapExt as _};

use super::{Score, Subject};
use crate::property::Property;
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::tag::{Form, Pos};

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let passage = &subject.passage;
    let mut found = repeated_sentences(passage);
    if found.is_empty() {
        found.extend(looping_phrase(&passage.text).map(|range| (range, "loop")));
    }
    found.extend(broken_end(passage).map(|range| (range, "broken_end")));
    subject.violations(Property::Repetition, found)
}

/// Shorter sentences may come again by chance (はい。).
const SHORTEST_SENTENCE: usize = 8;
/// Of a list's items, which do not come again by chance.
const SHORTEST_ITEM: usize = 4;
/// A sentence this long does not come again at all, but in a lead that repeats its headline.
const LONG_SENTENCE: usize = 24;

fn repeated_sentences(passage: &Passage<'_>) -> Vec<(Range<usize>, &'static str)> {
    let mut seen: HashMap<String, (usize, Range<usize>)> = HashMap::new();
    for sentence in &passage.sentences {
        if !matches!(passage.blocks[sentence.block].kind, BlockKind::Paragraph | BlockKind::Item | BlockKind::Quote) {
            continue;
        }
        let mut letters = String::with_capacity(sentence.range.len());
        letters.extend(passage.text[sentence.range.clone()].chars().filter(|c| is_letter(*c)));
        let is_item = passage.blocks[sentence.block].kind == BlockKind::Item;
        if letters.chars().count() >= if is_item { SHORTEST_ITEM } else { SHORTEST_SENTENCE } {
            let entry = seen.entry(letters).or_insert_with(|| (0, sentence.range.clone()));
            entry.0 += 1;
        }
    }
    let mut loops: Vec<Range<usize>> = seen
        .into_iter()
        .filter(|(letters, (count, _))| *count >= 3 || (*count == 2 && letters.chars().count() >= LONG_SENTENCE))
        .map(|(_, (_, range))| range)
        .collect();
    loops.sort_by_key(|range| range.start);
    loops.into_iter().map(|range| (range, "loop")).collect()
}

/// Most are kana and kanji, told at a glance.
fn is_letter(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | '\u{4E00}'..='\u{9FFF}') || c.is_alphanumeric()
}

/// The longest phrase that is looked for as a loop, in characters.
const LONGEST_PHRASE: usize = 60;

/// A phrase of three to sixty characters that stands four times in a row or more.
fn looping_phrase(text: &str) -> Option<Range<usize>> {
    let chars: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| !c.is_whitespace()).collect();
    // Three characters that come again at the same distance twice more may be a loop of that period.
    let mut seen: HashMap<[char; 3], (usize, usize, u32)> = HashMap::with_capacity(chars.len());
    for n in 0..chars.len().saturating_sub(2) {
        let key = [chars[n].1, chars[n + 1].1, chars[n + 2].1];
        let entry = seen.entry(key).or_insert((n, 0, 0));
        let gap = n - entry.0;
        let again = if gap == entry.1 && gap > 0 { entry.2 + 1 } else { 1 };
        *entry = (n, gap, again);
        if again >= 3 && (3..=LONGEST_PHRASE).contains(&gap) {
            let looping = loop_at(&chars, n, gap);
            if looping.is_some() {
                return looping;
            }
        }
    }
    None
}

/// The loop of `period` whose last round begins at `last`.
fn loop_at(chars: &[(usize, char)], last: usize, period: usize) -> Option<Range<usize>> {
    let start = last.checked_sub(period * 3)?;
    let end = last + period;
    let unit = chars.get(start..start + period)?;
    let repeats = end <= chars.len() && (start + period..end).all(|n| chars[n].1 == chars[n - period].1);
    // Rows of marks and table rules are no phrases.
    let is_phrase = unit.iter().filter(|(_, c)| c.is_alphabetic()).count() * 2 >= period;
    (repeats && is_phrase).then(|| chars[start].0..chars[end - 1].0 + chars[end - 1].1.len_utf8())
}

/// Where the text breaks off.
fn broken_end(passage: &Passage<'_>) -> Option<Range<usize>> {
    let last = passage.sentences.last()?;
    let kind = passage.blocks[last.block].kind;
    let text = passage.text[last.range.clone()].trim_end_matches(['*', ' ', '`']);
    if text.ends_with(['、', ',']) {
        return Some(last.range.clone());
    }
    if !matches!(kind, BlockKind::Paragraph | BlockKind::Item | BlockKind::Heading)
        || !text.ends_with(|c: char| c.is_alphanumeric() || c == 'ー')
    {
        return None;
    }
    let opened = text.matches(['「', '『', '(']).count();
    let closed = text.matches(['」', '』', ')']).count();
    let words = passage.morphemes_in(&last.range);
    let word = words.last()?;
    let ends_open = match word.pos() {
        Pos::CaseParticle | Pos::TopicParticle | Pos::ConjunctiveParticle | Pos::AdnominalParticle | Pos::Particle => {
            true
        }
        Pos::Prefix | Pos::NumberPrefix | Pos::Adnominal | Pos::Conjunction => true,
        Pos::Verb | Pos::DependentVerb | Pos::Auxiliary | Pos::Adjective => {
            !matches!(word.tag.form, Form::Basic | Form::None | Form::Imperative)
        }
        _ => false,
    };
    // A long last line of running text that ends in a noun without a full stop, where the others have one.
    let is_unfinished = kind == BlockKind::Paragraph
        && text.chars().count() > 25
        && word.pos().is_nominal()
        && passage
            .sentences
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|before| passage.text[before.range.clone()].ends_with('。'))
        && text.contains('、');
    (ends_open || opened > closed || is_unfinished).then(|| last.range.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, &'static str)> {
        let passage = Passage::new(text);
        let mut found = repeated_sentences(&passage);
        found.extend(looping_phrase(&passage.text).map(|range| (range, "loop")));
        found.extend(broken_end(&passage).map(|range| (range, "broken_end")));
        found.into_iter().map(|(range, kind)| (passage.text[range].to_owned(), kind)).collect()
    }

    #[test]
    fn loops_and_broken_ends_are_found() {
        for (text, kind) in [
            ("冷凍めんは便利な食品です。冷凍めんは便利な食品です。\n冷凍めんは便利な食品です。", "loop"),
            ("交流が深まり交流が深まり交流が深まり交流が深まりました。", "loop"),
            ("会社は発表しました。会社は、", "broken_end"),
            ("会社は発表しました。この株はプライム市場に上場し", "broken_end"),
            ("会社は「発表しました", "broken_end"),
        ] {
            assert_eq!(found(text).first().map(|(_, kind)| *kind), Some(kind), "{text}");
        }
    }

    #[test]
    fn ends_that_are_ends_pass() {
        for text in [
            "会社は発表しました。新しい一歩です。",
            "開催概要\n- 日時:7月1日\n- 会場:中央公民館",
            "夏の夜を照らす、ひとすじの光。",
            "「楽しみです」と話しました。\n(編集部)",
            "---------------------------------\n| a | b |\n|---|---|\n| 1 | 2 |",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}
