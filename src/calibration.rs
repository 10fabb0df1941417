//! How far the scorers agree with people: tables, precision, recall and agreement per property, and where they differ.
//!
//! "Positive" is always "fails": precision says how many alarms were right, recall how many failures were found.
//! Leaves reading items and printing to `cli`, the measures of agreement to `stats`.

use std::ops::Range;

use crate::item::{Item, LabelledSpan, LabelledSpecific, Labels};
use crate::property::Property;
use crate::score::{Evidence, Score, SpecificVerdict, Verdict};
use crate::stats::TwoByTwo;

/// The verdicts on specifics, in the order of reports.
pub const SPECIFIC_VERDICTS: [SpecificVerdict; 4] =
    [SpecificVerdict::Fabricated, SpecificVerdict::Hedged, SpecificVerdict::Background, SpecificVerdict::Grounded];

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
    /// Judged by people, left open by the scorer; in no other count.
    pub unscored: usize,
    /// The spans of failing evidence, matched one to one, over the items in which people marked them.
    pub spans: Counts,
    /// Of `no_fabrication`: the specifics of each of [`SPECIFIC_VERDICTS`], matched likewise; fabricated ones are `spans`.
    pub specifics: [Counts; SPECIFIC_VERDICTS.len()],
    /// The items on which they differ, as far as they are [kept](Self::keep).
    pub disagreements: Vec<Comparison>,
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

/// What people and the scorer say of one property of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Which property.
    pub property: Property,
    /// The item's id.
    pub id: String,
    /// What people say: `true` is "passes".
    pub label_passes: bool,
    /// What the scorer says.
    pub verdict: Verdict,
    /// Why, in the scorer's words.
    pub reason: Option<String>,
    /// The words that either side rests on: those of people alone, of the scorer alone, of both.
    pub marks: Vec<Mark>,
    /// The spans of failing evidence; `None` where people marked none.
    pub spans: Option<Counts>,
    /// The specifics of each of [`SPECIFIC_VERDICTS`], if they were labelled.
    pub specifics: Option<[Counts; SPECIFIC_VERDICTS.len()]>,
}

/// Words that one side or both rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Who marked them.
    pub by: Side,
    /// The words; those of people, where both marked some.
    pub text: String,
    /// Their kind, such as `english`; empty if people gave none.
    pub kind: String,
    /// Why the scorer counts them or, where it does not, what it says of these words; what people say of words that
    /// the scorer alone counts.
    pub note: Option<String>,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// People alone.
    People,
    /// The scorer alone.
    Scorer,
    /// Both.
    Both,
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

    const fn add(&mut self, other: Self) {
        self.matched += other.matched;
        self.found += other.found;
        self.wanted += other.wanted;
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
            specifics: <[Counts; SPECIFIC_VERDICTS.len()]>::default(),
            disagreements: Vec::new(),
        }
    }

    /// Takes in one item with its score, if people judged it.
    pub fn add(&mut self, item: &Item, labels: &Labels, score: &Score) {
        if let Some(comparison) = compare(item, labels, score) {
            self.count(&comparison);
            self.keep(comparison);
        }
    }

    /// Counts a comparison of this property.
    pub fn count(&mut self, comparison: &Comparison) {
        match (comparison.verdict, comparison.label_passes) {
            (Verdict::Unscored, _) => self.unscored += 1,
            (Verdict::Fail, false) => self.both_fail += 1,
            (Verdict::Fail, true) => self.false_alarms += 1,
            (Verdict::Pass, false) => self.missed += 1,
            (Verdict::Pass, true) => self.both_pass += 1,
        }
        self.spans.add(comparison.spans.unwrap_or_default());
        for (sum, counts) in self.specifics.iter_mut().zip(comparison.specifics.unwrap_or_default()) {
            sum.add(counts);
        }
    }

    /// Keeps a comparison to be shown, if the two sides differ in it.
    pub fn keep(&mut self, comparison: Comparison) {
        if comparison.differs() {
            self.disagreements.push(comparison);
        }
    }

    /// The table's counts as right, found and wanted alarms.
    pub fn alarms(&self) -> Counts {
        let table = self.table();
        Counts { matched: table.both, found: table.both + table.second, wanted: table.both + table.first }
    }

    /// The verdicts "fails": people's first, the scorer's second.
    pub const fn table(&self) -> TwoByTwo {
        TwoByTwo { both: self.both_fail, first: self.missed, second: self.false_alarms, neither: self.both_pass }
    }

    /// The number of items that both judged.
    pub const fn judged(&self) -> usize {
        self.table().n()
    }
}

impl Comparison {
    /// Whether the verdicts are the same.
    pub fn agrees(&self) -> bool {
        self.verdict == if self.label_passes { Verdict::Pass } else { Verdict::Fail }
    }

    /// Whether the two sides differ in the verdict or in the words that failing rests on.
    pub fn differs(&self) -> bool {
        let has_other_words = |spans: Counts| spans.matched < spans.found.max(spans.wanted);
        !self.agrees() || self.spans.is_some_and(has_other_words)
    }
}

/// Compares the score of an item with people's judgement; `None` if they did not judge this property.
pub fn compare(item: &Item, labels: &Labels, score: &Score) -> Option<Comparison> {
    let label = labels.of(score.property)?;
    let specifics = labels.specifics().filter(|_| score.property == Property::NoFabrication);
    let positions = Positions::new(&item.output);
    let wanted = label.spans.as_deref().unwrap_or_default();
    let found: Vec<&Evidence> = score.evidence.iter().filter(|evidence| is_counted(score, evidence)).collect();
    let wanted_texts: Vec<&str> = wanted.iter().map(|span| span.text.as_str()).collect();
    let pairs = positions.pairs(&wanted_texts, &found);
    let counts = Counts { matched: pairs.len(), found: found.len(), wanted: wanted.len() };
    // A property that is covered rests on what is there: people mark the clearest sentences, not all of them.
    let is_counted = label.spans.is_some() && !is_about_what_is_there(score.property);
    let sides = Sides { positions: &positions, score, specifics: specifics.as_deref().unwrap_or_default() };
    Some(Comparison {
        property: score.property,
        id: item.name(),
        label_passes: label.pass,
        verdict: score.verdict,
        reason: score.reason.clone(),
        marks: sides.marks(wanted, &found, &pairs),
        spans: is_counted.then_some(counts),
        specifics: specifics
            .as_ref()
            .map(|specifics| SPECIFIC_VERDICTS.map(|verdict| sides.matched(specifics, verdict))),
    })
}

/// Where a property's evidence shows what is there, not what is wrong.
const fn is_about_what_is_there(property: Property) -> bool {
    matches!(property, Property::CoversPurpose | Property::CoversActivities | Property::CoversSignificance)
}

/// Whether a piece of evidence is what people mark: what is wrong, or what is covered.
fn is_counted(score: &Score, evidence: &Evidence) -> bool {
    let counts = match evidence.verdict {
        Some(verdict) => verdict == SpecificVerdict::Fabricated,
        None => score.verdict == Verdict::Fail || is_about_what_is_there(score.property),
    };
    counts && evidence.waived.is_none() && evidence.span.is_some()
}

/// What both sides say of one item.
struct Sides<'a> {
    positions: &'a Positions<'a>,
    score: &'a Score,
    specifics: &'a [LabelledSpecific],
}

impl Sides<'_> {
    fn marks(&self, wanted: &[LabelledSpan], found: &[&Evidence], pairs: &[(usize, usize)]) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (n, span) in wanted.iter().enumerate() {
            let pair = pairs.iter().find(|pair| pair.0 == n);
            let (by, note) = match pair {
                Some((_, m)) => (Side::Both, remark(found[*m])),
                None => (Side::People, self.scorer_on(&span.text)),
            };
            let kind = span.kind.clone().or_else(|| pair.map(|(_, m)| found[*m].kind.to_string()));
            marks.push(Mark { by, text: span.text.clone(), kind: kind.unwrap_or_default(), note });
        }
        for (m, evidence) in found.iter().enumerate() {
            if pairs.iter().all(|pair| pair.1 != m) {
                let notes: Vec<String> = remark(evidence).into_iter().chain(self.people_on(evidence)).collect();
                let note = (!notes.is_empty()).then(|| notes.join("; "));
                let (text, kind) = (evidence.text.clone(), evidence.kind.to_string());
                marks.push(Mark { by: Side::Scorer, text, kind, note });
            }
        }
        marks.sort_by_key(|mark| mark.by);
        marks
    }

    /// What the scorer says of words that it does not count.
    fn scorer_on(&self, text: &str) -> Option<String> {
        if !self.positions.text.contains(text) {
            return Some("these words do not stand in the text".to_owned());
        }
        let best = self.score.evidence.iter().filter_map(|evidence| {
            let overlap = self.positions.overlap(text, evidence).filter(|overlap| *overlap >= LEAST_OVERLAP)?;
            Some((overlap, evidence))
        });
        let (_, evidence) = best.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let verdict = evidence.verdict.map(|verdict| verdict.name().to_owned());
        let waived = evidence.waived.as_ref().map(|reason| format!("waived: {reason}"));
        let said: Vec<String> = verdict.into_iter().chain(evidence.why.clone()).chain(waived).collect();
        (!said.is_empty()).then(|| format!("the scorer says {}", said.join(": ")))
    }

    /// What people say of a specific that the scorer alone finds fabricated.
    fn people_on(&self, evidence: &Evidence) -> Option<String> {
        let overlap = |specific: &&LabelledSpecific| self.positions.overlap(&specific.text, evidence).unwrap_or(0.0);
        let best = self.specifics.iter().filter(|specific| overlap(specific) >= LEAST_OVERLAP);
        let best = best.max_by(|a, b| overlap(a).total_cmp(&overlap(b)))?;
        Some(format!("people say {}", best.verdict.name()))
    }

    /// The specifics with a verdict, matched one to one.
    fn matched(&self, specifics: &[LabelledSpecific], verdict: SpecificVerdict) -> Counts {
        let wanted: Vec<&str> =
            specifics.iter().filter(|one| one.verdict == verdict).map(|one| one.text.as_str()).collect();
        let has_verdict = |evidence: &&Evidence| evidence.verdict == Some(verdict) && evidence.waived.is_none();
        let found: Vec<&Evidence> = self.score.evidence.iter().filter(has_verdict).collect();
        Counts { matched: self.positions.pairs(&wanted, &found).len(), found: found.len(), wanted: wanted.len() }
    }
}

/// How a scorer came to count the words.
fn remark(evidence: &Evidence) -> Option<String> {
    let basis = evidence.basis.map(|basis| basis.name().to_owned());
    let parts: Vec<String> = basis.into_iter().chain(evidence.why.clone()).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// Spans match if their intersection is at least this share of their union.
const LEAST_OVERLAP: f64 = 1.0 / 3.0;

/// A text with the places of its characters.
struct Positions<'a> {
    text: &'a str,
    /// The byte at which each character begins, and the text's length.
    bytes: Vec<usize>,
}

impl<'a> Positions<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, bytes: text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect() }
    }

    /// Matches one to one, the best overlaps first: pairs of places in `wanted` and `found`.
    fn pairs(&self, wanted: &[&str], found: &[&Evidence]) -> Vec<(usize, usize)> {
        let mut overlaps = Vec::new();
        for (n, text) in wanted.iter().enumerate() {
            for (m, evidence) in found.iter().enumerate() {
                overlaps.extend(self.overlap(text, evidence).map(|overlap| (overlap, n, m)));
            }
        }
        overlaps.retain(|(overlap, _, _)| *overlap >= LEAST_OVERLAP);
        overlaps.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        let (mut wanted_used, mut found_used) = (vec![false; wanted.len()], vec![false; found.len()]);
        for (_, n, m) in overlaps {
            if !wanted_used[n] && !found_used[m] {
                (wanted_used[n], found_used[m]) = (true, true);
                pairs.push((n, m));
            }
        }
        pairs
    }

    /// The best intersection of a piece of evidence with an occurrence of `wanted`, as a share of their union; `None`
    /// if no occurrence touches it. A label says the words, not their place: it stands wherever they occur.
    fn overlap(&self, wanted: &str, evidence: &Evidence) -> Option<f64> {
        let found = evidence.span.filter(|span| span.start < span.end && span.end < self.bytes.len())?;
        let found = found.start..found.end;
        let length = wanted.chars().count();
        // An occurrence that touches the evidence begins and ends at most its own length away.
        let first = found.start.saturating_sub(length);
        let last = (found.end + length).min(self.bytes.len() - 1);
        let window = &self.text[self.bytes[first]..self.bytes[last]];
        let occurrences = window.match_indices(wanted).filter(|_| length > 0);
        let overlaps = occurrences.map(|(byte, _)| {
            let start = first + window[..byte].chars().count();
            overlap(&(start..start + length), &found)
        });
        overlaps.max_by(f64::total_cmp).filter(|overlap| *overlap > 0.0)
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
    use crate::score::Span;

    fn evidence(start: usize, end: usize, verdict: Option<SpecificVerdict>) -> Evidence {
        Evidence {
            span: Some(Span { start, end }),
            text: String::new(),
            kind: "number".into(),
            verdict,
            basis: None,
            why: Some("かも".to_owned()),
            waived: None,
        }
    }

    fn item(output: &str, labels: &str) -> Item {
        let output = serde_json::Value::from(output);
        serde_json::from_str(&format!(r#"{{"id": "a", "output": {output}, "labels": {labels}}}"#)).unwrap()
    }

    fn comparison(item: &Item, property: Property, verdict: Verdict, evidence: Vec<Evidence>) -> Option<Comparison> {
        let score = Score { property, verdict, value: None, reason: None, evidence };
        compare(item, item.labels.as_ref().unwrap(), &score)
    }

    #[test]
    fn spans_match_one_to_one_by_a_third_of_their_union() {
        let positions = Positions::new("約30社が来た約30社");
        let found = [evidence(0, 3, None), evidence(4, 5, None), evidence(0, 9, None), evidence(7, 11, None)];
        let found: Vec<&Evidence> = found.iter().collect();
        assert_eq!(positions.pairs(&["約30社", "来た", "約30社"], &found), [(0, 3), (2, 0)]);
        for (start, end, matches) in [(5, 11, true), (4, 11, false), (6, 8, true), (7, 9, false)] {
            let found = evidence(start, end, None);
            assert_eq!(positions.pairs(&["来た"], &[&found]).len(), usize::from(matches), "{start}..{end}");
        }
        assert_eq!(positions.overlap("約30社", &evidence(0, 4, None)), Some(1.0));
        assert_eq!(positions.overlap("社が", &evidence(4, 10, None)), Some(1.0 / 7.0));
        assert_eq!(positions.overlap("", &evidence(4, 10, None)), None);
        assert_eq!(positions.overlap("約30社", &evidence(4, 100, None)), None);
    }

    #[test]
    fn an_item_is_counted_once_for_each_property_that_people_judged() {
        let item = item("significantな影響", r#"{"japanese_only": {"pass": false, "spans": ["significant"]}}"#);
        let (pass, fail) = (Verdict::Pass, Verdict::Fail);
        assert_eq!(comparison(&item, Property::ArticleOnly, fail, vec![]), None);
        let mut calibration = Calibration::new(Property::JapaneseOnly);
        for (verdict, evidence) in
            [(fail, vec![evidence(0, 11, None)]), (pass, vec![]), (fail, vec![]), (Verdict::Unscored, vec![])]
        {
            let comparison = comparison(&item, Property::JapaneseOnly, verdict, evidence).unwrap();
            calibration.count(&comparison);
            calibration.keep(comparison);
        }
        let counts = (calibration.both_fail, calibration.missed, calibration.unscored, calibration.judged());
        assert_eq!(counts, (2, 1, 1, 3));
        assert_eq!(calibration.spans, Counts { matched: 1, found: 1, wanted: 4 });
        assert_eq!(calibration.disagreements.len(), 3);
        assert_eq!(calibration.alarms(), Counts { matched: 2, found: 2, wanted: 3 });
    }

    #[test]
    fn evidence_of_a_text_that_passes_is_no_alarm() {
        let item = item("量子", r#"{"readability": {"pass": true, "spans": []}}"#);
        let comparison = comparison(&item, Property::Readability, Verdict::Pass, vec![evidence(0, 2, None)]).unwrap();
        assert_eq!(comparison.spans, Some(Counts::default()));
        assert!(!comparison.differs() && comparison.marks.is_empty());
    }

    #[test]
    fn words_that_people_did_not_mark_are_not_counted() {
        let item =
            item("量子", r#"{"register": {"pass": false}, "covers": {"purpose": {"present": true, "evidence": []}}}"#);
        let register = comparison(&item, Property::Register, Verdict::Fail, vec![evidence(0, 2, None)]).unwrap();
        assert_eq!((register.spans, register.differs(), register.marks.len()), (None, false, 1));
        let covers = comparison(&item, Property::CoversPurpose, Verdict::Pass, vec![evidence(0, 2, None)]).unwrap();
        assert_eq!((covers.spans, covers.differs(), covers.marks[0].by), (None, false, Side::Scorer));
    }

    #[test]
    fn each_side_says_what_it_holds_of_the_others_words() {
        use SpecificVerdict::{Fabricated, Hedged};
        let labels = r#"{"specifics": [{"text": "30社", "kind": "number", "verdict": "fabricated"},
            {"text": "京都", "kind": "place", "verdict": "grounded"},
            {"text": "大阪", "kind": "place", "verdict": "fabricated"}]}"#;
        let item = item("30社が京都へ", labels);
        let found = vec![evidence(0, 3, Some(Hedged)), evidence(4, 6, Some(Fabricated))];
        let comparison = comparison(&item, Property::NoFabrication, Verdict::Fail, found).unwrap();
        let marks: Vec<(Side, Option<&str>)> =
            comparison.marks.iter().map(|mark| (mark.by, mark.note.as_deref())).collect();
        assert_eq!(
            marks,
            [
                (Side::People, Some("the scorer says hedged: かも")),
                (Side::People, Some("these words do not stand in the text")),
                (Side::Scorer, Some("かも; people say grounded")),
            ]
        );
        assert_eq!(comparison.spans, Some(Counts { matched: 0, found: 1, wanted: 2 }));
        let [fabricated, hedged, background, grounded] = comparison.specifics.unwrap();
        assert_eq!(fabricated, comparison.spans.unwrap());
        assert_eq!((hedged.found, hedged.wanted, background), (1, 0, Counts::default()));
        assert_eq!((grounded.found, grounded.wanted), (0, 1));
    }
}
