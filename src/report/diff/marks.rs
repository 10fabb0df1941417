//! The words of an answer that its verdicts rest on, marked in place.
//!
//! Promises marks that lie within the answer, in order and side by side: where evidence overlaps, what speaks against the
//! answer wins.

use std::ops::Range;

use super::pair::Turn;
use crate::outcome::{Outcome, Subject};
use crate::report::evidence::{Weight, remark, weight};
use crate::report::lang::Words;
use crate::report::names::short;
use crate::score::Verdict;

/// Marked words of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    range: Range<usize>,
    /// Whether they speak against the answer; else they are what a changed verdict rests on.
    pub(crate) is_against: bool,
    /// The property, and what is said of the words.
    pub(crate) why: String,
}

impl Mark {
    /// Whether the part that begins `at` is the mark's first.
    pub(crate) const fn starts_at(&self, at: usize) -> bool {
        self.range.start == at
    }
}

/// The marks of an answer, in order.
#[derive(Debug, Default)]
pub(crate) struct Marks(Vec<Mark>);

impl Marks {
    /// What a reader looks for: the evidence against an answer, and what each verdict that turned rests on.
    pub(super) fn of(outcome: &Outcome, turns: &[Turn], words: &Words) -> Self {
        let Some(answer) = &outcome.answer else { return Self::default() };
        let starts: Vec<usize> = answer.char_indices().map(|(at, _)| at).chain([answer.len()]).collect();
        let turned = |property| turns.iter().any(|turn| turn.subject == Subject::Property(property));
        let mut marks = Vec::new();
        for score in &outcome.scores {
            for evidence in &score.evidence {
                let is_against = match weight(score, evidence) {
                    Weight::Against if score.verdict == Verdict::Fail => true,
                    Weight::For if turned(score.property) => false,
                    _ => continue,
                };
                let Some(span) = evidence.span else { continue };
                let (Some(start), Some(end)) = (starts.get(span.start), starts.get(span.end)) else { continue };
                let why =
                    format!("{}: {}", short(Subject::Property(score.property), words.lang), remark(evidence, words));
                marks.push(Mark { range: *start..*end, is_against, why });
            }
        }
        Self(flattened(marks))
    }
}

/// Marks side by side: of two that overlap, the one against the answer keeps its words, then the one that begins first.
fn flattened(mut marks: Vec<Mark>) -> Vec<Mark> {
    marks.retain(|mark| mark.range.start < mark.range.end);
    marks.sort_by_key(|mark| (!mark.is_against, mark.range.start, mark.range.end));
    let mut kept: Vec<Mark> = Vec::with_capacity(marks.len());
    for is_against in [true, false] {
        let above = kept.clone();
        let mut free_from = 0;
        let mut blocked = above.iter().peekable();
        for mark in marks.iter().filter(|mark| mark.is_against == is_against) {
            let mut at = mark.range.start.max(free_from);
            while at < mark.range.end {
                while blocked.next_if(|block| block.range.end <= at).is_some() {}
                let end = match blocked.peek() {
                    Some(block) if block.range.start <= at => {
                        at = block.range.end;
                        continue;
                    }
                    Some(block) => block.range.start.min(mark.range.end),
                    None => mark.range.end,
                };
                kept.push(Mark { range: at..end, ..mark.clone() });
                at = end;
            }
            free_from = free_from.max(mark.range.end);
        }
    }
    kept.sort_by_key(|mark| mark.range.start);
    kept
}

/// A text with its marks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The text.
    pub(crate) text: &'a str,
    marks: &'a [Mark],
}

impl<'a> Text<'a> {
    /// A text without marks.
    pub(crate) const fn plain(text: &'a str) -> Self {
        Self { text, marks: &[] }
    }

    /// An outcome's answer; empty if there is none.
    pub(super) fn of(outcome: &'a Outcome, marks: &'a Marks) -> Self {
        Self { text: outcome.answer.as_deref().unwrap_or_default(), marks: &marks.0 }
    }

    /// The text of a range, cut where marks begin and end.
    pub(super) fn parts(&self, range: Range<usize>) -> Vec<(Range<usize>, Option<&'a Mark>)> {
        let first = self.marks.partition_point(|mark| mark.range.end <= range.start);
        let (mut parts, mut at) = (Vec::new(), range.start);
        for mark in self.marks[first..].iter().take_while(|mark| mark.range.start < range.end) {
            let (start, end) = (mark.range.start.max(range.start), mark.range.end.min(range.end));
            if at < start {
                parts.push((at..start, None));
            }
            parts.push((start..end, Some(mark)));
            at = end;
        }
        if at < range.end {
            parts.push((at..range.end, None));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark(range: Range<usize>, is_against: bool) -> Mark {
        Mark { range, is_against, why: String::new() }
    }

    #[test]
    fn where_marks_overlap_what_speaks_against_wins() {
        let marks = flattened(vec![mark(0..9, false), mark(2..4, true), mark(3..6, true), mark(8..12, false)]);
        let shown: Vec<_> = marks.iter().map(|mark| (mark.range.clone(), mark.is_against)).collect();
        assert_eq!(shown, [(0..2, false), (2..4, true), (4..6, true), (6..9, false), (9..12, false)]);
    }

    #[test]
    fn a_range_is_cut_where_marks_begin_and_end() {
        let marks = [mark(2..4, true), mark(6..9, false)];
        let text = Text { text: "0123456789", marks: &marks };
        let shown: Vec<_> = text.parts(3..8).into_iter().map(|(range, mark)| (range, mark.is_some())).collect();
        assert_eq!(shown, [(3..4, true), (4..6, false), (6..8, true)]);
    }

    proptest! {
        #[test]
        fn parts_are_the_whole_range(marks in prop::collection::vec((0_usize..30, 0_usize..9, any::<bool>()), 0..12),
                                     start in 0_usize..20, length in 0_usize..20) {
            let marks = flattened(marks.into_iter().map(|(at, long, against)| mark(at..at + long, against)).collect());
            prop_assert!(marks.windows(2).all(|two| two[0].range.end <= two[1].range.start));
            let text = "x".repeat(60);
            let text = Text { text: &text, marks: &marks };
            let mut at = start;
            for (range, _) in text.parts(start..start + length) {
                prop_assert_eq!(range.start, at);
                at = range.end;
            }
            prop_assert_eq!(at, start + length);
        }
    }
}
