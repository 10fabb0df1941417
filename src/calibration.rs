//! How far the scorers agree with people: tables, precision, recall and agreement per property, and where they differ.
//!
//! "Positive" is always "fails": precision says how many alarms were right, recall how many failures were found.
//! Leaves reading items and printing to `cli`.

use std::ops::Range;

use crate::item::{Item, Labels};
use crate::property::Property;
use crate::score::{Score, SpecificVerdict, Verdict};

/// The comparison of one property over all items that people judged.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// Which property.
    pub property: Property,
    /// Both say "fails".
    pub both_fail: usize,
    /// The scorer says "fails", people say "passes".
    pub false_alarms: usize,
    /// People say "fails", the scorer says "passes".
    pub missed: usize,
    /// Both say "passes".
    pub both_pass: usize,
    /// Judged by people, left open by the scorer.
    pub unscored: usize,
    /// The spans of failing evidence, matched one to one.
    pub spans: Counts,
    /// The items on which they differ.
    pub disagreements: Vec<Disagreement>,
}

/// Right, found and wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found and wanted.
    pub matched: usize,
    /// Found.
    pub found: usize,
    /// Wanted.
    pub wanted: usize,
}

/// An item on which scorer and people differ, in the verdict or in a span.
#[derive(Debug, Clone)]
pub struct Disagreement {
    /// The item's id.
    pub id: String,
    /// What people say: `true` is "passes".
    pub label_passes: bool,
    /// What the scorer says.
    pub verdict: Verdict,
    /// Spans that people marked and the scorer did not find.
    pub missed: Vec<String>,
    /// Spans that the scorer marked and people did not, each with its kind and why.
    pub extra: Vec<String>,
}

impl Counts {
    /// The share of what was found that was wanted; `None` if nothing was found.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.matched, self.found)
    }

    /// The share of what was wanted that was found; `None` if nothing was wanted.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.matched, self.wanted)
    }

    /// The harmonic mean of the two; `None` if nothing was found and nothing wanted.
    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.matched, self.found + self.wanted)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of items are small")]
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Calibration {
    /// A comparison with nothing in it yet.
    pub fn new(property: Property) -> Self {
        Self {
            property,
            both_fail: 0,
            false_alarms: 0,
            missed: 0,
            both_pass: 0,
            unscored: 0,
            spans: Counts::default(),
            disagreements: Vec::new(),
        }
    }

    /// Takes in one item with its score, if people judged it.
    pub fn add(&mut self, item: &Item, labels: &Labels, score: &Score) {
        let Some(label) = labels.of(self.property) else { return };
        match (score.verdict, label.pass) {
            (Verdict::Unscored, _) => self.unscored += 1,
            (Verdict::Fail, false) => self.both_fail += 1,
            (Verdict::Fail, true) => self.false_alarms += 1,
            (Verdict::Pass, false) => self.missed += 1,
            (Verdict::Pass, true) => self.both_pass += 1,
        }
        let found = failing_spans(score);
        let matching = match_spans(&item.output, &label.spans, &found);
        let has_spans = !is_evidence_of_passing(self.property);
        if has_spans {
            self.spans.matched += matching.matched;
            self.spans.found += found.len();
            self.spans.wanted += label.spans.len();
        }
        let agrees = (score.verdict == Verdict::Pass) == label.pass && score.verdict != Verdict::Unscored;
        if agrees && (!has_spans || (matching.missed.is_empty() && matching.extra.is_empty())) {
            return;
        }
        let describe = |n: &usize| {
            let (_, text) = &found[*n];
            text.clone()
        };
        self.disagreements.push(Disagreement {
            id: item.id.as_str().map_or_else(|| item.id.to_string(), str::to_owned),
            label_passes: label.pass,
            verdict: score.verdict,
            missed: matching.missed.iter().map(|n| label.spans[*n].clone()).collect(),
            extra: matching.extra.iter().map(describe).collect(),
        });
    }

    /// The table's counts as right, found and wanted alarms.
    pub fn alarms(&self) -> Counts {
        Counts {
            matched: self.both_fail,
            found: self.both_fail + self.false_alarms,
            wanted: self.both_fail + self.missed,
        }
    }

    /// The number of items that both judged.
    pub fn judged(&self) -> usize {
        self.both_fail + self.false_alarms + self.missed + self.both_pass
    }
}

/// Where a property's evidence shows what is there, not what is wrong.
fn is_evidence_of_passing(property: Property) -> bool {
    matches!(property, Property::CoversPurpose | Property::CoversActivities | Property::CoversSignificance)
}

fn failing_spans(score: &Score) -> Vec<(Range<usize>, String)> {
    let is_failing =
        |verdict: Option<SpecificVerdict>| verdict.is_none_or(|verdict| verdict == SpecificVerdict::Fabricated);
    let failing = score.evidence.iter().filter(|evidence| is_failing(evidence.verdict) && evidence.waived.is_none());
    failing
        .filter_map(|evidence| {
            let span = evidence.span?;
            let why = evidence.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            Some((span.start..span.end, format!("{} [{}{why}]", evidence.text, evidence.kind)))
        })
        .collect()
}

struct Matching {
    matched: usize,
    missed: Vec<usize>,
    extra: Vec<usize>,
}

/// Spans match if their intersection is at least this share of their union.
const LEAST_OVERLAP: f64 = 1.0 / 3.0;

/// Matches one to one, the best overlaps first; a label stands wherever its text occurs.
fn match_spans(output: &str, labels: &[String], found: &[(Range<usize>, String)]) -> Matching {
    let mut pairs = Vec::new();
    for (n, label) in labels.iter().enumerate() {
        let length = label.chars().count();
        for (byte, _) in output.match_indices(label.as_str()) {
            let start = output[..byte].chars().count();
            for (m, (range, _)) in found.iter().enumerate() {
                let overlap = overlap(&(start..start + length), range);
                if overlap >= LEAST_OVERLAP {
                    pairs.push((overlap, n, m));
                }
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut label_used = vec![false; labels.len()];
    let mut found_used = vec![false; found.len()];
    for (_, n, m) in pairs {
        if !label_used[n] && !found_used[m] {
            label_used[n] = true;
            found_used[m] = true;
        }
    }
    let open = |used: &[bool]| (0..used.len()).filter(|n| !used[*n]).collect::<Vec<_>>();
    Matching {
        matched: label_used.iter().filter(|used| **used).count(),
        missed: open(&label_used),
        extra: open(&found_used),
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let intersection = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    let union = a.end.max(b.end) - a.start.min(b.start);
    ratio(intersection, union).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_match_one_to_one_by_a_third_of_their_union() {
        let found = [(0..3, "約30".to_owned()), (4..5, "x".to_owned()), (0..9, "all".to_owned())];
        let matching = match_spans("約30社が来た約30社", &["約30社".to_owned(), "来た".to_owned()], &found);
        assert_eq!((matching.matched, matching.missed, matching.extra), (1, vec![1], vec![1, 2]));
    }
}
