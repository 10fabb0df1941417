//! `readability`: easy to read (優しい文章). Value: the estimated jReadability score (about 0.5 hardest to 6.5 easiest);
//! evidence: the longest sentences and runs of kanji.
//!
//! jReadability (Lee & Hasebe): 11.724 − 0.056·words per sentence − 0.126·漢語% − 0.042·和語% − 0.145·動詞% − 0.044·助詞%;
//! word origins are estimated from IPADIC's tags, since that dictionary does not know them.

use foldhash::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::{Score, Subject, Verdict};
use crate::property::Property;
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::morpheme::Morpheme;
use crate::text::tag::Pos;

/// Sentences longer than this are hard to follow.
pub const DEFAULT_MAX_SENTENCE_CHARS: usize = 110;
/// Below this a text is at the hardest level.
pub const DEFAULT_MIN_SCORE: f64 = 0.8;
/// Runs of kanji from this length on are shown and counted against a text.
const LONG_KANJI_RUN: usize = 9;

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let passage = &subject.passage;
    let sentences = prose(passage);
    let Some(measured) = Measured::of(passage, &sentences) else {
        return Score {
            property: Property::Readability,
            verdict: Verdict::Unscored,
            value: None,
            reason: Some("there is no sentence to measure".to_owned()),
            evidence: Vec::new(),
        };
    };
    let max_chars = subject.require.max_sentence_chars.unwrap_or(DEFAULT_MAX_SENTENCE_CHARS);
    let min_score = subject.require.min_readability.unwrap_or(DEFAULT_MIN_SCORE);
    let long: Vec<&Range<usize>> = sentences.iter().filter(|range| count(passage, range) > max_chars).collect();
    let dense = long_kanji_runs(passage, &sentences);
    let pass = measured.estimate >= min_score && long.is_empty() && dense.len() < 3;
    let mut shown: Vec<(Range<usize>, &'static str)> =
        long.iter().map(|range| ((*range).clone(), "long_sentence")).collect();
    if shown.is_empty() {
        shown.extend(
            sentences.iter().max_by_key(|range| count(passage, range)).map(|range| (range.clone(), "longest_sentence")),
        );
    }
    shown.extend(dense.into_iter().map(|range| (range, "kanji_run")));
    let evidence = shown.iter().map(|(range, kind)| subject.evidence(range, *kind)).collect();
    let reason = (!pass).then(|| measured.described(max_chars, min_score, long.len()));
    Score { value: Some(measured.estimate), reason, ..Score::binary(Property::Readability, pass, evidence) }
}

/// The sentences of running text; list items count where they are sentences.
fn prose(passage: &Passage<'_>) -> Vec<Range<usize>> {
    let is_prose = |kind, range: &Range<usize>| match kind {
        BlockKind::Paragraph | BlockKind::Quote => true,
        BlockKind::Item => passage.text[range.clone()].ends_with(['。', '!', '?']),
        _ => false,
    };
    let sentences =
        passage.sentences.iter().filter(|sentence| is_prose(passage.blocks[sentence.block].kind, &sentence.range));
    sentences.map(|sentence| sentence.range.clone()).collect()
}

fn count(passage: &Passage<'_>, range: &Range<usize>) -> usize {
    passage.text[range.clone()].chars().filter(|c| !c.is_whitespace()).count()
}

/// What is measured of a text.
struct Measured {
    /// Estimated jReadability, rounded to two decimals.
    estimate: f64,
    /// Characters per sentence.
    sentence_chars: f64,
    /// The share of kanji that are not taught in the six years of primary school.
    hard_kanji: f64,
}

impl Measured {
    #[expect(clippy::cast_precision_loss, reason = "a text has few words")]
    fn of(passage: &Passage<'_>, sentences: &[Range<usize>]) -> Option<Self> {
        let words: Vec<&Morpheme> = sentences
            .iter()
            .flat_map(|range| passage.morphemes_in(range))
            .filter(|word| word.pos() != Pos::Symbol)
            .collect();
        if words.is_empty() {
            return None;
        }
        let total = words.len() as f64;
        let percent =
            |test: &dyn Fn(&Morpheme) -> bool| words.iter().filter(|word| test(word)).count() as f64 / total * 100.0;
        let sino = percent(&|word| is_sino_japanese(passage, word));
        let native = percent(&|word| is_native(passage, word));
        let verbs = percent(&|word| matches!(word.pos(), Pos::Verb | Pos::DependentVerb));
        let particles = percent(&|word| word.pos().is_particle());
        let per_sentence = total / sentences.len() as f64;
        let estimate =
            11.724 - 0.056 * per_sentence - 0.126 * sino - 0.042 * native - 0.145 * verbs - 0.044 * particles;
        let kanji: Vec<char> =
            sentences.iter().flat_map(|range| passage.text[range.clone()].chars()).filter(|c| is_kanji(*c)).collect();
        let hard = kanji.iter().filter(|c| !primary_school_kanji().contains(c)).count();
        Some(Self {
            estimate: (estimate * 100.0).round() / 100.0,
            sentence_chars: sentences.iter().map(|range| count(passage, range)).sum::<usize>() as f64
                / sentences.len() as f64,
            hard_kanji: if kanji.is_empty() { 0.0 } else { hard as f64 / kanji.len() as f64 },
        })
    }

    fn described(&self, max_chars: usize, min_score: f64, long: usize) -> String {
        let mut parts = Vec::new();
        if long > 0 {
            parts.push(format!("{long} of the sentences longer than {max_chars} characters"));
        }
        if self.estimate < min_score {
            parts.push(format!("estimated jReadability {:.1} below {min_score:.1}", self.estimate));
        }
        parts.push(format!("{:.0} characters a sentence", self.sentence_chars));
        parts.push(format!("{:.0} % of the kanji beyond primary school", self.hard_kanji * 100.0));
        parts.join("; ")
    }
}

fn is_kanji(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '々')
}

/// Kanji-only nouns of two characters and more that are no names, and verbal nouns and suffixes: 漢語 as a rule.
fn is_sino_japanese(passage: &Passage<'_>, word: &Morpheme) -> bool {
    let surface = word.surface(&passage.text);
    surface.chars().all(is_kanji)
        && match word.pos() {
            Pos::VerbalNoun | Pos::NounSuffix => true,
            Pos::Noun | Pos::AdjectivalNoun | Pos::AdverbialNoun | Pos::Prefix => surface.chars().count() >= 2,
            _ => false,
        }
}

/// Function words, verbs, adjectives and nouns with hiragana: 和語 as a rule.
fn is_native(passage: &Passage<'_>, word: &Morpheme) -> bool {
    let pos = word.pos();
    pos.is_particle()
        || matches!(
            pos,
            Pos::Auxiliary
                | Pos::Verb
                | Pos::DependentVerb
                | Pos::Adjective
                | Pos::Adverb
                | Pos::Conjunction
                | Pos::Adnominal
        )
        || (pos.is_nominal() && word.surface(&passage.text).chars().any(|c| matches!(c, 'ぁ'..='ゖ')))
}

/// The kanji taught in the six years of primary school (学年別漢字配当表 of 2020: 1,026 characters).
fn primary_school_kanji() -> &'static HashSet<char> {
    use kanji::exam_lists::{LEVEL_05, LEVEL_06, LEVEL_07, LEVEL_08, LEVEL_09, LEVEL_10};
    static SET: LazyLock<HashSet<char>> = LazyLock::new(|| {
        [LEVEL_10, LEVEL_09, LEVEL_08, LEVEL_07, LEVEL_06, LEVEL_05].iter().flat_map(|list| list.chars()).collect()
    });
    &SET
}

/// Long runs of kanji that hold no name.
fn long_kanji_runs(passage: &Passage<'_>, sentences: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    for sentence in sentences {
        let mut start = None;
        let text = &passage.text[sentence.clone()];
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            match (is_kanji(c), start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    let range = sentence.start + from..sentence.start + at;
                    let has_name = passage.morphemes_in(&range).iter().any(|word| word.pos().is_proper());
                    if passage.text[range.clone()].chars().count() >= LONG_KANJI_RUN && !has_name {
                        runs.push(range);
                    }
                    start = None;
                }
                _ => {}
            }
        }
    }
    runs
}
