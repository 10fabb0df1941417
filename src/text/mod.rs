//! Japanese text, taken apart: spellings, lines, sentences, words. What the scorers look at.
//!
//! Promises that every part leads back to the characters of the original, and that what costs most (the words) is made
//! only when asked for.

pub mod block;
pub mod date;
mod dictionary;
pub mod hedge;
pub mod foreign;
pub mod morpheme;
pub mod name;
pub mod normalize;
pub mod number;
pub mod quantity;
pub mod quotation;
pub mod sentence;
pub mod tag;

use std::cell::OnceCell;
use std::ops::Range;

use block::Block;
use morpheme::Morpheme;
use normalize::Normalized;
use sentence::Sentence;

/// A text with its parts; ranges are bytes of the normalised text unless they say otherwise.
#[derive(Debug)]
pub struct Passage<'a> {
    /// The text as given.
    pub original: &'a str,
    /// The normalised text, on which everything else is found.
    pub text: String,
    /// Its lines.
    pub blocks: Vec<Block>,
    /// Its sentences.
    pub sentences: Vec<Sentence>,
    normalized: Normalized,
    morphemes: OnceCell<Vec<Morpheme>>,
    counts: OnceCell<Vec<u32>>,
}

/// Whether nothing of a text can be seen: white space and invisible characters at most.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty() || Normalized::new(text).text.trim().is_empty()
}

/// Characters are counted once for each stretch of this many bytes.
const STRETCH: usize = 128;

impl<'a> Passage<'a> {
    /// Takes `original` apart.
    pub fn new(original: &'a str) -> Self {
        let mut normalized = Normalized::new(original);
        let text = std::mem::take(&mut normalized.text);
        let blocks = block::blocks(&text);
        let sentences = sentence::sentences(&text, &blocks);
        Self { original, text, blocks, sentences, normalized, morphemes: OnceCell::new(), counts: OnceCell::new() }
    }

    /// Whether nothing of it can be seen.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The words of the text.
    pub fn morphemes(&self) -> &[Morpheme] {
        self.morphemes.get_or_init(|| morpheme::analyze(&self.text))
    }

    /// The words that lie within `range`.
    pub fn morphemes_in(&self, range: &Range<usize>) -> &[Morpheme] {
        let morphemes = self.morphemes();
        let first = morphemes.partition_point(|word| word.start < range.start);
        let last = morphemes.partition_point(|word| word.end <= range.end);
        &morphemes[first..last.max(first)]
    }

    /// The bytes of the original that `range` was made of.
    pub fn to_original(&self, range: &Range<usize>) -> Range<usize> {
        self.normalized.to_original(range.clone())
    }

    /// The number of characters (Unicode scalar values) before byte `at` of the original.
    pub fn chars_before(&self, at: usize) -> usize {
        let counts = self.counts.get_or_init(|| {
            let is_start = |byte: &&u8| **byte & 0xC0 != 0x80;
            let mut count = 0;
            let stretch = |bytes: &[u8]| {
                let before = count;
                count += u32::try_from(bytes.iter().filter(is_start).count()).unwrap_or(u32::MAX);
                before
            };
            self.original.as_bytes().chunks(STRETCH).map(stretch).collect()
        });
        let Some(&before) = counts.get(at / STRETCH) else { return self.original.chars().count() };
        let bytes = &self.original.as_bytes()[at / STRETCH * STRETCH..at];
        before as usize + bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_to_any_place() {
        let original = "量子a".repeat(100);
        let passage = Passage::new(&original);
        for (n, (at, _)) in original.char_indices().enumerate() {
            assert_eq!(passage.chars_before(at), n);
        }
        assert_eq!(passage.chars_before(original.len()), 300);
    }
}
