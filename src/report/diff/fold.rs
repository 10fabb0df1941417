//! Long unchanged stretches folded away, so that changes are not lost among what stayed.

use std::ops::Range;

use super::Row;

/// Rows shown one by one, or unchanged ones that are folded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    Shown(Range<usize>),
    Folded(Range<usize>),
}

/// Unchanged sentences that stay in sight beside a change.
const CONTEXT: usize = 1;

/// Fewer unchanged sentences are not worth folding.
const LEAST_FOLDED: usize = 3;

/// Folds long unchanged stretches.
pub(super) fn stretches(rows: &[Row]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut at = 0;
    for chunk in rows.chunk_by(|row, next| row.is_same() == next.is_same()) {
        let range = at..at + chunk.len();
        at = range.end;
        let above = if range.start == 0 { 0 } else { CONTEXT };
        let below = if range.end == rows.len() { 0 } else { CONTEXT };
        if chunk[0].is_same() && range.len() >= LEAST_FOLDED + above + below {
            let folded = range.start + above..range.end - below;
            show(&mut stretches, range.start..folded.start);
            stretches.push(Stretch::Folded(folded.clone()));
            show(&mut stretches, folded.end..range.end);
        } else {
            show(&mut stretches, range);
        }
    }
    stretches
}

fn show(stretches: &mut Vec<Stretch>, range: Range<usize>) {
    match stretches.last_mut() {
        Some(Stretch::Shown(shown)) => shown.end = range.end,
        _ if !range.is_empty() => stretches.push(Stretch::Shown(range)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Gap, Passage};
    use super::*;

    #[test]
    fn long_unchanged_stretches_are_folded() {
        let passage = || Some(Passage { range: 0..0, gap: Gap::None });
        let row = |change| Row { change, base: passage(), candidate: passage() };
        for (changes, expected) in [
            ("====", vec![Stretch::Folded(0..4)]),
            ("==~", vec![Stretch::Shown(0..3)]),
            ("=====~===", vec![Stretch::Folded(0..4), Stretch::Shown(4..9)]),
            ("~=====~", vec![Stretch::Shown(0..2), Stretch::Folded(2..5), Stretch::Shown(5..7)]),
            ("~~", vec![Stretch::Shown(0..2)]),
        ] {
            let change = |sign| if sign == '=' { Change::Same } else { Change::Reworded(Vec::new()) };
            let rows: Vec<Row> = changes.chars().map(|sign| row(change(sign))).collect();
            assert_eq!(stretches(&rows), expected, "{changes}");
        }
    }
}
