//! `no_fabrication`: no specific without support is stated as fact. Value: 1 − fabricated / specifics (1 without any).
//!
//! Evidence lists every specific of the answer once, with its verdict, how that was found and why. A guess is no
//! fabrication unless the case says so; what the source contradicts is told apart from what it merely lacks.

mod contact;
mod specific;
mod support;

use std::collections::HashSet;
use std::ops::Range;

use super::{Basis, Evidence, Score, SpecificVerdict, Subject, Verdict};
use crate::property::{Hedged, Property, SpecificKind};
use crate::text::hedge::{Hedge, Reach, hedges};
use specific::{Specific, specifics};
use support::{Finding, Support};

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
    let support = Support::new(source);
    let hedges = hedges(&subject.passage);
    let kinds = subject.require.kinds.as_deref().unwrap_or(&SpecificKind::ALL);
    let base = source.published_at.map(|at| at.in_japan().date());
    let mut seen = HashSet::new();
    let mut evidence = Vec::new();
    for specific in specifics(&subject.passage, base).iter().filter(|specific| kinds.contains(&specific.kind())) {
        let judged = judge(subject, specific, &support, &hedges);
        // A specific that is mentioned again with the same verdict is listed once.
        if seen.insert((judged.text.replace(' ', ""), judged.verdict)) {
            evidence.push(judged);
        }
    }
    total(subject, evidence)
}

fn judge(subject: &Subject<'_>, specific: &Specific, support: &Support<'_>, hedges: &[Hedge]) -> Evidence {
    let range = specific.range();
    let sentence = sentence_of(subject, &range);
    let finding = support.find(&subject.passage, specific, &sentence);
    let mut evidence = subject.evidence(&range, specific.kind().name());
    let covering = hedges.iter().find(|hedge| hedge.scope.start <= range.start && range.start < hedge.scope.end);
    let (verdict, basis, why) = match (finding, covering) {
        (Finding::Supported { basis, why }, _) => {
            (if basis == Basis::Background { SpecificVerdict::Background } else { SpecificVerdict::Grounded }, basis, why)
        }
        (_, Some(hedge)) => (SpecificVerdict::Hedged, Basis::Hedge, hedge_reason(subject, hedge)),
        (Finding::Unsupported { basis, why }, None) => (SpecificVerdict::Fabricated, basis, why),
    };
    evidence.verdict = Some(verdict);
    evidence.basis = Some(basis);
    evidence.why = Some(why);
    if verdict == SpecificVerdict::Fabricated {
        evidence.waived = subject.waiver(Property::NoFabrication, &range);
    }
    evidence
}

fn sentence_of(subject: &Subject<'_>, range: &Range<usize>) -> Range<usize> {
    let sentence = subject.passage.sentences.iter().find(|s| s.range.start <= range.start && range.start < s.range.end);
    sentence.map_or_else(|| range.clone(), |sentence| sentence.range.clone())
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
