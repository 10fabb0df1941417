//! What changed within a sentence, word by word.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::split::{Split, covering};

/// A stretch of two sentences laid over each other; byte ranges of the two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The same words on both sides.
    Same {
        /// Where they stand in the base.
        base: Range<usize>,
        /// Where they stand in the candidate.
        candidate: Range<usize>,
    },
    /// Words of the base alone.
    Removed(Range<usize>),
    /// Words of the candidate alone.
    Added(Range<usize>),
}

/// Beyond this many comparisons (words of one side × words of the other), a sentence is not worth a reader's look.
const MOST_COMPARISONS: usize = 4_000_000;

/// Beyond this many bytes a sentence is not even cut into words.
const MOST_BYTES: usize = 65_536;

/// The pieces of two sentences; `None` if they are too long to be compared word by word.
pub(super) fn pieces(base: &str, candidate: &str, words: Split<'_>) -> Option<Vec<Piece>> {
    if base.len().max(candidate.len()) > MOST_BYTES {
        return None;
    }
    let (base_words, candidate_words) = (covering(base, words(base)), covering(candidate, words(candidate)));
    let base_texts: Vec<&str> = base_words.iter().map(|word| &base[word.clone()]).collect();
    let candidate_texts: Vec<&str> = candidate_words.iter().map(|word| &candidate[word.clone()]).collect();
    if base_texts.len().saturating_mul(candidate_texts.len()) > MOST_COMPARISONS {
        return None;
    }
    let mut pieces = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &base_texts, &candidate_texts) {
        let (removed, added) = (joined(&base_words, op.old_range()), joined(&candidate_words, op.new_range()));
        if matches!(op, DiffOp::Equal { .. }) {
            pieces.push(Piece::Same { base: removed, candidate: added });
            continue;
        }
        pieces.extend([Piece::Removed(removed), Piece::Added(added)].into_iter().filter(|piece| !piece.is_empty()));
    }
    Some(without_islands(pieces, base))
}

/// The text's range of a range of words.
fn joined(words: &[Range<usize>], range: Range<usize>) -> Range<usize> {
    if range.is_empty() { 0..0 } else { words[range.start].start..words[range.end - 1].end }
}

impl Piece {
    fn is_empty(&self) -> bool {
        match self {
            Self::Same { base: range, .. } | Self::Removed(range) | Self::Added(range) => range.is_empty(),
        }
    }
}

/// Joins changes that are parted by one character: the eye does not profit from a `の` that stayed.
fn without_islands(pieces: Vec<Piece>, base: &str) -> Vec<Piece> {
    let last = pieces.len().saturating_sub(1);
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut pending = Change::default();
    for (at, piece) in pieces.into_iter().enumerate() {
        match piece {
            Piece::Removed(range) => Change::extend(&mut pending.removed, range),
            Piece::Added(range) => Change::extend(&mut pending.added, range),
            Piece::Same { base: old, candidate: new } => {
                let is_island = pending.is_two_sided() && at < last && base[old.clone()].chars().nth(1).is_none();
                if is_island {
                    Change::extend(&mut pending.removed, old);
                    Change::extend(&mut pending.added, new);
                } else {
                    pending.flush(&mut joined);
                    joined.push(Piece::Same { base: old, candidate: new });
                }
            }
        }
    }
    pending.flush(&mut joined);
    joined
}

/// A change under construction.
#[derive(Default)]
struct Change {
    removed: Option<Range<usize>>,
    added: Option<Range<usize>>,
}

impl Change {
    /// A pure insertion or deletion beside an island is clearer left alone: nothing was replaced.
    const fn is_two_sided(&self) -> bool {
        self.removed.is_some() && self.added.is_some()
    }

    fn extend(side: &mut Option<Range<usize>>, range: Range<usize>) {
        match side {
            Some(side) => side.end = range.end,
            None => *side = Some(range),
        }
    }

    fn flush(&mut self, pieces: &mut Vec<Piece>) {
        pieces.extend(self.removed.take().map(Piece::Removed));
        pieces.extend(self.added.take().map(Piece::Added));
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::morphemes;
    use super::*;

    /// `[-removed-]{+added+}`.
    fn marked(base: &str, candidate: &str) -> String {
        let pieces = pieces(base, candidate, &morphemes).unwrap();
        let mark = |piece: Piece| match piece {
            Piece::Same { base: range, .. } => base[range].to_owned(),
            Piece::Removed(range) => format!("[-{}-]", &base[range]),
            Piece::Added(range) => format!("{{+{}+}}", &candidate[range]),
        };
        pieces.into_iter().map(mark).collect()
    }

    #[test]
    fn words_are_marked_where_they_changed() {
        for (base, candidate, expected) in [
            ("同じです。", "同じです。", "同じです。"),
            ("約30社が参加しました。", "約50社が参加しました。", "約[-30-]{+50+}社が参加しました。"),
            ("企業が参加した。", "企業や大学が参加した。", "企業{+や大学+}が参加した。"),
            ("取組の目的は交流。", "計画の目標は交流。", "[-取組の目的-]{+計画の目標+}は交流。"),
            ("", "追加", "{+追加+}"),
        ] {
            assert_eq!(marked(base, candidate), expected);
        }
    }

    #[test]
    fn both_sides_can_be_read_back_from_the_pieces() {
        let (base, candidate) =
            ("量子の交流会が、シカゴで6月に開かれた。", "量子技術の会が、米シカゴで7月に開催された。");
        let (mut left, mut right) = (String::new(), String::new());
        for piece in pieces(base, candidate, &morphemes).unwrap() {
            match piece {
                Piece::Same { base: old, candidate: new } => {
                    assert_eq!(base[old.clone()], candidate[new.clone()]);
                    left.push_str(&base[old]);
                    right.push_str(&candidate[new]);
                }
                Piece::Removed(range) => left.push_str(&base[range]),
                Piece::Added(range) => right.push_str(&candidate[range]),
            }
        }
        assert_eq!((left.as_str(), right.as_str()), (base, candidate));
    }

    #[test]
    fn a_sentence_beyond_measure_is_not_compared() {
        let (base, candidate) = ("あ1".repeat(5_000), "い2".repeat(5_000));
        assert_eq!(pieces(&base, &candidate, &morphemes), None);
    }
}
