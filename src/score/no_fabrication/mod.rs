//! `no_fabrication`: no specific without support is stated as fact. Value: 1 − fabricated / specifics (1 without any).
//!
//! Evidence lists every specific of the answer once, with its verdict, how that was found and why. A guess is no
//! fabrication unless the case says so; what the source contradicts is told apart from what it merely lacks.

mod amount;
mod arithmetic;
mod contact;
mod date;
mod name;
mod quote;
mod source;
mod specific;

use foldhash::{HashSet, HashSetExt as _};
use std::ops::Range;

use super::{Basis, Evidence, Score, SpecificVerdict, Subject, Verdict};
use crate::property::{Hedged, Property, SpecificKind};
use crate::text::Passage;
use crate::text::hedge::{Hedge, Reach, hedges};
use crate::text::quantity::Quantity;
use source::{Allowed, Finding};
use specific::{Specific, specifics};

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let Some(source) = subject.source else {
        return Score {
            property: Property::NoFabrication,
            verdict: Verdict::Unscored,
            value: None,
            reason: Some("without a source nothing can be checked".to_owned()),
            evidence: Vec::new(),
        };
    };
    let mut judge =
        Judge { subject, allowed: Allowed::new(source), hedges: hedges(&subject.passage), supported: Vec::new() };
    let kinds = subject.require.kinds.as_deref().unwrap_or(&SpecificKind::ALL);
    let base = judge.allowed.base();
    let mut seen = HashSet::new();
    let mut evidence = Vec::new();
    for specific in specifics(&subject.passage, base).iter().filter(|specific| kinds.contains(&specific.kind())) {
        // A specific that is mentioned again with the same verdict is listed once.
        if let Some(judged) = judge.judge(specific)
            && seen.insert((judged.text.replace(' ', ""), judged.verdict))
        {
            evidence.push(judged);
        }
    }
    total(subject, evidence)
}

struct Judge<'a> {
    subject: &'a Subject<'a>,
    allowed: Allowed<'a>,
    hedges: Vec<Hedge>,
    /// Amounts of the answer that were found supported: the next may follow from them.
    supported: Vec<Quantity>,
}

impl Judge<'_> {
    /// The evidence of one specific; `None` for what turns out to be none.
    fn judge(&mut self, specific: &Specific) -> Option<Evidence> {
        let mut range = specific.range();
        let finding = self.find(specific, &range);
        let hedge = self.hedges.iter().find(|hedge| hedge.scope.start <= range.start && range.start < hedge.scope.end);
        let (verdict, basis, why) = match (finding, hedge) {
            (Finding::Supported { basis: Basis::Background, why }, _) => {
                (SpecificVerdict::Background, Basis::Background, why)
            }
            (Finding::Supported { basis, why }, _) => (SpecificVerdict::Grounded, basis, why),
            (_, Some(hedge)) => (SpecificVerdict::Hedged, Basis::Hedge, hedge_reason(self.subject, hedge)),
            (Finding::Unsupported { basis, why, extended_to }, None) => {
                if is_bare_weekday(specific) {
                    return None;
                }
                range = extended_to.unwrap_or(range);
                (SpecificVerdict::Fabricated, basis, why)
            }
        };
        let mut evidence = self.subject.evidence(&range, specific.kind().name());
        evidence.verdict = Some(verdict);
        evidence.basis = Some(basis);
        evidence.why = Some(why);
        if verdict == SpecificVerdict::Fabricated {
            evidence.waived = self.subject.waiver(Property::NoFabrication, &range);
        }
        Some(evidence)
    }

    fn find(&mut self, specific: &Specific, range: &Range<usize>) -> Finding {
        let passage = &self.subject.passage;
        match specific {
            Specific::Date(mention) => date::find(&self.allowed, passage, mention),
            Specific::Quantity(quantity) => {
                let sentence = sentence_of(passage, range);
                let finding = amount::find(&self.allowed, passage, quantity, &sentence, &self.supported);
                if matches!(finding, Finding::Supported { basis: Basis::Computed, .. }) {
                    self.supported.push(quantity.clone());
                }
                finding
            }
            Specific::Name(name) => name::find(&self.allowed, passage, name),
            Specific::Quote(range) => quote::find(&self.allowed, passage, range),
            Specific::Contact(range) => quote::find_contact(&self.allowed, passage, range),
        }
    }
}

/// 火曜・木曜 in general: a day of the week that the source lacks says nothing that could be checked.
fn is_bare_weekday(specific: &Specific) -> bool {
    matches!(specific, Specific::Date(mention) if mention.day.is_none() && mention.time.is_none() && mention.month.is_none() && mention.year.is_none())
}

/// The sentence that a specific stands in; of an endless one what stands around it.
fn sentence_of(passage: &Passage<'_>, range: &Range<usize>) -> Range<usize> {
    /// Bytes on each side.
    const FARTHEST: usize = 1500;
    let n = passage.sentences.partition_point(|sentence| sentence.range.end <= range.start);
    let Some(sentence) = passage.sentences.get(n).filter(|sentence| sentence.range.start <= range.start) else {
        return range.clone();
    };
    let start = sentence.range.start.max(range.start.saturating_sub(FARTHEST));
    let end = sentence.range.end.min(range.end + FARTHEST).max(range.end);
    let is_boundary = |at: &usize| passage.text.is_char_boundary(*at);
    (start..range.start).find(is_boundary).unwrap_or(range.start)
        ..(range.end..=end).rev().find(is_boundary).unwrap_or(range.end)
}

fn hedge_reason(subject: &Subject<'_>, hedge: &Hedge) -> String {
    let cue = &subject.passage.text[hedge.cue.clone()];
    match hedge.reach {
        Reach::Predicate => format!("hedged by 「{cue}」 in its sentence"),
        Reach::Head => format!("hedged by 「{cue}」 before it"),
        Reach::Supposition => format!("part of a supposition (「{cue}」)"),
        Reach::LeadIn => format!("in a list led in by 「{cue}」"),
    }
}

fn total(subject: &Subject<'_>, evidence: Vec<Evidence>) -> Score {
    let hedges_fail = subject.require.hedged.unwrap_or_default() == Hedged::Fail;
    let fails = |evidence: &&Evidence| match evidence.verdict {
        Some(SpecificVerdict::Fabricated) => evidence.waived.is_none(),
        Some(SpecificVerdict::Hedged) => hedges_fail,
        _ => false,
    };
    let failing = evidence.iter().filter(fails).count();
    #[expect(clippy::cast_precision_loss, reason = "an answer has few specifics")]
    let value = if evidence.is_empty() { 1.0 } else { 1.0 - failing as f64 / evidence.len() as f64 };
    Score { value: Some(value), ..Score::binary(Property::NoFabrication, failing == 0, evidence) }
}
