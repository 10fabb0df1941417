//! Two answers laid side by side, sentence by sentence.
//!
//! Promises that every character of both answers stands in some row, in order on its side, and that no answer, however
//! long, takes more than a bounded time: what is too much to compare is shown as removed and added, and said to be so.

use std::collections::HashMap;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::split::{Splitters, covering};
use super::within::{Piece, pieces};

/// Two answers laid side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
    /// Whether parts were too long to be compared and are shown as removed and added as a whole.
    pub is_coarse: bool,
}

/// A row: a sentence of one side or of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What happened to it.
    pub change: Change,
    /// The base's sentence; `None` if it is the candidate's alone.
    pub base: Option<Passage>,
    /// The candidate's sentence; `None` if it is the base's alone.
    pub candidate: Option<Passage>,
}

/// What happened to a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It stands in both, the same.
    Same,
    /// It stands in both, worded otherwise; the pieces' ranges count from the passages' beginnings.
    Reworded(Vec<Piece>),
    /// It stands in the base alone.
    Removed,
    /// It stands in the candidate alone.
    Added,
    /// It stands in the base here, and in the candidate elsewhere.
    MovedAway,
    /// It stands in the candidate here, and in the base elsewhere.
    MovedHere,
}

/// A sentence in its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its bytes in the answer, without the blanks around it.
    pub range: Range<usize>,
    /// What parts it from the sentence before.
    pub gap: Gap,
}

/// What parts a sentence from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// At most blanks.
    None,
    /// A line break.
    Line,
    /// A blank line.
    Paragraph,
}

impl Row {
    /// Whether the sentence is the same on both sides.
    pub const fn is_same(&self) -> bool {
        matches!(self.change, Change::Same)
    }

    /// Where the sentences begin in their answers: the pieces of a reworded one count from there.
    pub(super) fn starts(&self) -> (usize, usize) {
        let start = |passage: &Option<Passage>| passage.as_ref().map_or(0, |passage| passage.range.start);
        (start(&self.base), start(&self.candidate))
    }
}

/// Sentences of less likeness are shown as one removed and one added. Unlike sentences of one style share about .2.
const LEAST_LIKENESS: f64 = 0.4;

/// A shorter sentence that is found elsewhere is more likely a repeated heading than a moved one.
const SHORTEST_MOVED: usize = 6;

/// The most sentence pairs that are compared in one changed stretch, and the most letters that this may read.
const MOST_PAIRS: usize = 40_000;
const MOST_LETTERS: usize = 50_000_000;

/// The most sentences of one side × the other that are aligned at all.
const MOST_SENTENCES: usize = 100_000_000;

/// Lays two answers side by side.
pub fn align(base: &str, candidate: &str, splitters: Splitters<'_>) -> Alignment {
    let old = passages(base, splitters);
    let new = passages(candidate, splitters);
    let old_texts: Vec<&str> = old.iter().map(|passage| &base[passage.range.clone()]).collect();
    let new_texts: Vec<&str> = new.iter().map(|passage| &candidate[passage.range.clone()]).collect();
    let mut layout = Layout { old, new, old_texts, new_texts, splitters, rows: Vec::new(), is_coarse: false };
    layout.align();
    layout.find_moved();
    layout.finish()
}

fn passages(text: &str, splitters: Splitters<'_>) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    let mut end = 0;
    for part in covering(text, (splitters.sentences)(text)) {
        let sentence = text[part.clone()].trim();
        if sentence.is_empty() {
            continue;
        }
        let start = part.start + (text[part.clone()].len() - text[part].trim_start().len());
        let gap = match text[end..start].matches('\n').count() {
            1 if !passages.is_empty() => Gap::Line,
            2.. if !passages.is_empty() => Gap::Paragraph,
            _ => Gap::None,
        };
        end = start + sentence.len();
        passages.push(Passage { range: start..end, gap });
    }
    passages
}

/// An alignment under construction.
struct Layout<'t, 's> {
    old: Vec<Passage>,
    new: Vec<Passage>,
    old_texts: Vec<&'t str>,
    new_texts: Vec<&'t str>,
    splitters: Splitters<'s>,
    /// What happened, to which sentence of the base, to which of the candidate.
    rows: Vec<(Change, Option<usize>, Option<usize>)>,
    is_coarse: bool,
}

impl Layout<'_, '_> {
    fn align(&mut self) {
        let (m, n) = (self.old.len(), self.new.len());
        let head = common(self.old_texts.iter(), self.new_texts.iter());
        let tail = common(self.old_texts[head..].iter().rev(), self.new_texts[head..].iter().rev());
        let (old, new) = (head..m - tail, head..n - tail);
        (0..head).for_each(|at| self.push_same(at, at));
        if old.len().saturating_mul(new.len()) > MOST_SENTENCES {
            self.is_coarse = true;
            self.push_apart(old, new);
        } else {
            let ops = capture_diff_slices(Algorithm::Myers, &self.old_texts[old.clone()], &self.new_texts[new.clone()]);
            for op in ops {
                let (old, new) = (shifted(op.old_range(), head), shifted(op.new_range(), head));
                match op {
                    DiffOp::Equal { .. } => old.zip(new).for_each(|(old, new)| self.push_same(old, new)),
                    _ => self.push_changed(old, new),
                }
            }
        }
        (0..tail).for_each(|at| self.push_same(m - tail + at, n - tail + at));
    }

    fn push_same(&mut self, old: usize, new: usize) {
        self.rows.push((Change::Same, Some(old), Some(new)));
    }

    fn push_apart(&mut self, old: Range<usize>, new: Range<usize>) {
        self.rows.extend(old.map(|old| (Change::Removed, Some(old), None)));
        self.rows.extend(new.map(|new| (Change::Added, None, Some(new))));
    }

    fn push_pair(&mut self, old: usize, new: usize) {
        let pieces = pieces(self.old_texts[old], self.new_texts[new], self.splitters.words);
        self.is_coarse |= pieces.is_none();
        match pieces.filter(|pieces| pieces.iter().any(|piece| matches!(piece, Piece::Same { .. }))) {
            Some(pieces) => self.rows.push((Change::Reworded(pieces), Some(old), Some(new))),
            None => self.push_apart(old..old + 1, new..new + 1),
        }
    }

    /// A changed stretch: sentences that are alike stand in one row, the others alone.
    fn push_changed(&mut self, old: Range<usize>, new: Range<usize>) {
        let Some(pairs) = self.pairs(old.clone(), new.clone()) else {
            self.is_coarse = true;
            return self.push_apart(old, new);
        };
        let (mut old_at, mut new_at) = (old.start, new.start);
        for (old, new) in pairs {
            self.push_apart(old_at..old, new_at..new);
            self.push_pair(old, new);
            (old_at, new_at) = (old + 1, new + 1);
        }
        self.push_apart(old_at..old.end, new_at..new.end);
    }

    /// The pairs of like sentences, in order on both sides, with the greatest likeness in sum; `None` if there is too
    /// much to compare.
    fn pairs(&self, old: Range<usize>, new: Range<usize>) -> Option<Vec<(usize, usize)>> {
        let (m, n) = (old.len(), new.len());
        let letters = |texts: &[&str]| texts.iter().map(|text| text.len()).sum::<usize>();
        let (old_texts, new_texts) = (&self.old_texts[old.clone()], &self.new_texts[new.clone()]);
        let to_read = letters(old_texts).saturating_mul(n).saturating_add(letters(new_texts).saturating_mul(m));
        if m.saturating_mul(n) > MOST_PAIRS || to_read > MOST_LETTERS {
            return None;
        }
        let (old_pairs, new_pairs) = (letter_pairs(old_texts), letter_pairs(new_texts));
        // best[i][j] is the sum for the first i and j sentences; row-major, one longer each way.
        let width = n + 1;
        let mut best = vec![0.0_f64; (m + 1) * width];
        let mut paired = vec![false; (m + 1) * width];
        for i in 1..=m {
            for j in 1..=n {
                let here = i * width + j;
                best[here] = best[here - width].max(best[here - 1]);
                let alike = likeness(&old_pairs[i - 1], &new_pairs[j - 1]);
                if alike >= LEAST_LIKENESS && best[here - width - 1] + alike > best[here] {
                    best[here] = best[here - width - 1] + alike;
                    paired[here] = true;
                }
            }
        }
        let mut pairs = Vec::new();
        let (mut i, mut j) = (m, n);
        while i > 0 && j > 0 {
            let here = i * width + j;
            if paired[here] {
                (i, j) = (i - 1, j - 1);
                pairs.push((old.start + i, new.start + j));
            } else if best[here - width] >= best[here - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        pairs.reverse();
        Some(pairs)
    }

    /// Marks sentences that were removed here and added there as moved.
    fn find_moved(&mut self) {
        let mut removed: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, row) in self.rows.iter().enumerate().rev() {
            if let (Change::Removed, Some(old), _) = row {
                removed.entry(self.old_texts[*old]).or_default().push(at);
            }
        }
        for at in 0..self.rows.len() {
            let (Change::Added, _, Some(new)) = self.rows[at] else { continue };
            let text = self.new_texts[new];
            if text.chars().nth(SHORTEST_MOVED - 1).is_none() {
                continue;
            }
            if let Some(from) = removed.get_mut(text).and_then(Vec::pop) {
                self.rows[from].0 = Change::MovedAway;
                self.rows[at].0 = Change::MovedHere;
            }
        }
    }

    fn finish(self) -> Alignment {
        let Self { old, new, rows, is_coarse, .. } = self;
        let row = |(change, base, candidate): (Change, Option<usize>, Option<usize>)| Row {
            change,
            base: base.map(|at| old[at].clone()),
            candidate: candidate.map(|at| new[at].clone()),
        };
        Alignment { rows: rows.into_iter().map(row).collect(), is_coarse }
    }
}

fn common<'t>(old: impl Iterator<Item = &'t &'t str>, new: impl Iterator<Item = &'t &'t str>) -> usize {
    old.zip(new).take_while(|(old, new)| old == new).count()
}

const fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Each text's pairs of neighbouring letters, sorted; a text of one letter has that letter alone.
fn letter_pairs(texts: &[&str]) -> Vec<Vec<(char, char)>> {
    let pairs_of = |text: &&str| {
        let mut pairs: Vec<(char, char)> = text.chars().zip(text.chars().skip(1)).collect();
        if pairs.is_empty() {
            pairs.extend(text.chars().map(|only| (only, only)));
        }
        pairs.sort_unstable();
        pairs
    };
    texts.iter().map(pairs_of).collect()
}

/// Dice's coefficient: the share of letter pairs that both have.
fn likeness(old: &[(char, char)], new: &[(char, char)]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0_usize);
    while let (Some(a), Some(b)) = (old.get(i), new.get(j)) {
        both += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    #[expect(clippy::cast_precision_loss, reason = "an answer has far fewer than 2^52 letters")]
    let share = |both: usize, all: usize| if all == 0 { 0.0 } else { both as f64 / all as f64 };
    share(2 * both, old.len() + new.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One row a line, with a sign in front.
    fn shown(base: &str, candidate: &str) -> String {
        let alignment = align(base, candidate, Splitters::default());
        let mut lines = Vec::new();
        for row in &alignment.rows {
            let old = row.base.as_ref().map_or("", |passage| &base[passage.range.clone()]);
            let new = row.candidate.as_ref().map_or("", |passage| &candidate[passage.range.clone()]);
            lines.push(match row.change {
                Change::Same => format!("  {new}"),
                Change::Reworded(_) => format!("~ {old} → {new}"),
                Change::Removed => format!("- {old}"),
                Change::Added => format!("+ {new}"),
                Change::MovedAway => format!("> {old}"),
                Change::MovedHere => format!("< {new}"),
            });
        }
        lines.join("\n")
    }

    #[test]
    fn sentences_that_are_alike_stand_in_one_row() {
        let base = "# 量子の交流会\n\n日米の企業がシカゴに集まりました。約30社が参加しました。\n\n次回は京都です。";
        let candidate =
            "# 量子の交流会\n\n日米の企業や大学がシカゴに集まりました。会場は大学です。\n\n次回は京都です。";
        insta::assert_snapshot!(shown(base, candidate), @"
          # 量子の交流会
        ~ 日米の企業がシカゴに集まりました。 → 日米の企業や大学がシカゴに集まりました。
        - 約30社が参加しました。
        + 会場は大学です。
          次回は京都です。
        ");
    }

    #[test]
    fn a_sentence_found_elsewhere_has_moved() {
        let (first, second, third) =
            ("目的は連携の強化です。", "会場はシカゴ大学でした。", "参加費は無料だったそうです。");
        insta::assert_snapshot!(
            shown(&[first, second, third].concat(), &[second, third, first].concat()), @"
        > 目的は連携の強化です。
          会場はシカゴ大学でした。
          参加費は無料だったそうです。
        < 目的は連携の強化です。
        ");
    }

    #[test]
    fn line_breaks_alone_are_no_change_of_sentences() {
        let alignment = align("一つめ。二つめ。", "一つめ。\n\n二つめ。", Splitters::default());
        assert!(alignment.rows.iter().all(Row::is_same));
        let gaps: Vec<Gap> = alignment.rows.iter().map(|row| row.candidate.as_ref().unwrap().gap).collect();
        assert_eq!(gaps, [Gap::None, Gap::Paragraph]);
    }

    #[test]
    fn an_empty_answer_is_all_removed_or_added() {
        insta::assert_snapshot!(shown("一つめ。二つめ。", " \n"), @"
        - 一つめ。
        - 二つめ。
        ");
        insta::assert_snapshot!(shown("", "一つめ。"), @"+ 一つめ。");
        assert_eq!(align("", "", Splitters::default()).rows, []);
    }

    #[test]
    fn what_is_too_long_is_shown_as_removed_and_added_and_said_to_be_so() {
        let line = |first: char| {
            (0..300_000).map(|n| if n % 7 == 0 { first } else { ['あ', '亜'][n % 2] }).collect::<String>()
        };
        let alignment = align(&line('い'), &line('う'), Splitters::default());
        let changes: Vec<&Change> = alignment.rows.iter().map(|row| &row.change).collect();
        assert_eq!((changes, alignment.is_coarse), (vec![&Change::Removed, &Change::Added], true));
        let many =
            |from: usize, count: usize| (from..from + count).map(|n| format!("{n}番。")).collect::<Vec<_>>().concat();
        for count in [1_000, 9_000, 30_000] {
            assert!(align(&many(0, count), &many(50_000, count), Splitters::default()).is_coarse, "{count}");
        }
    }

    proptest! {
        #[test]
        fn each_side_can_be_read_back_from_the_rows(base in "[あい。\n 12]{0,30}", candidate in "[あい。\n 12]{0,30}") {
            let rows = align(&base, &candidate, Splitters::default()).rows;
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            let read = |side: fn(&Row) -> Option<&Passage>, text: &str| {
                rows.iter().filter_map(side).map(|passage| letters(&text[passage.range.clone()])).collect::<String>()
            };
            prop_assert_eq!(read(|row| row.base.as_ref(), &base), letters(&base));
            prop_assert_eq!(read(|row| row.candidate.as_ref(), &candidate), letters(&candidate));
        }
    }
}
