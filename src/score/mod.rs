//! Scores: verdicts on an answer, each with the words it rests on.
//!
//! Promises pure functions: the same answer and case give the same scores, without a network, a clock or a model.

mod article_only;
pub mod covers;
mod japanese_only;
#[cfg(test)]
mod metamorphic;
mod no_fabrication;
pub mod plain;
pub mod readability;
mod refusal;
mod register;
mod repetition;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::case::Source;
use crate::property::{Property, Requirements, Topic};
use crate::text::Passage;

/// The scorers' version: verdicts of different versions do not compare.
pub const SCORER_VERSION: u32 = 6;

/// An answer with what is known about it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The answer, taken apart.
    pub passage: Passage<'a>,
    /// The news it is about, if that is known.
    pub source: Option<&'a Source>,
    /// The prompt as it was sent, if that is known.
    pub prompt: Option<&'a str>,
    /// Settings and waivers.
    pub require: &'a Requirements,
    /// The day on which waivers are judged.
    pub today: Date,
    /// What is said of each topic, in the order of [`Topic::ALL`]: found once for the three `covers_*`.
    said: OnceCell<[covers::Said; Topic::ALL.len()]>,
}

impl<'a> Subject<'a> {
    /// An answer about `source`, to be judged by `require` as of `today`.
    pub fn new(
        answer: &'a str,
        source: Option<&'a Source>,
        prompt: Option<&'a str>,
        require: &'a Requirements,
        today: Date,
    ) -> Self {
        Self { passage: Passage::new(answer), source, prompt, require, today, said: OnceCell::new() }
    }
}

/// Gets ready what judging needs most time for at first: on another thread, it costs the first answer less.
pub fn prepare() {
    article_only::prepare();
}

/// The scores of the required properties, in report order.
pub fn score_required(subject: &Subject<'_>) -> Vec<Score> {
    subject.require.properties().map(|property| score(property, subject)).collect()
}

/// The score of one property.
///
/// A text without a word keeps no promise about its words: what would find nothing against them is unscored. It is too
/// short, covers nothing and lacks what it should contain all the same.
pub fn score(property: Property, subject: &Subject<'_>) -> Score {
    if judges_words(property) && subject.passage.is_blank() {
        let reason = Some("the text is empty".to_owned());
        return Score { property, verdict: Verdict::Unscored, value: None, reason, evidence: Vec::new() };
    }
    match property {
        Property::JapaneseOnly => japanese_only::score(subject),
        Property::ArticleOnly => article_only::score(subject),
        Property::NoFabrication => no_fabrication::score(subject),
        Property::Length => plain::length(subject),
        Property::Readability => readability::score(subject),
        Property::Register => register::score(subject),
        Property::Repetition => repetition::score(subject),
        Property::Refusal => refusal::score(subject),
        Property::Contains => plain::contains(subject),
        Property::NotContains => plain::not_contains(subject),
        Property::Matches => plain::matches(subject),
        Property::NotMatches => plain::not_matches(subject),
        Property::CoversPurpose => covers::score(Topic::Purpose, subject),
        Property::CoversActivities => covers::score(Topic::Activities, subject),
        Property::CoversSignificance => covers::score(Topic::Significance, subject),
    }
}

/// Whether a property is one of the words that are there, not of those that are wanted.
const fn judges_words(property: Property) -> bool {
    match property {
        Property::JapaneseOnly
        | Property::ArticleOnly
        | Property::NoFabrication
        | Property::Readability
        | Property::Register
        | Property::Repetition
        | Property::Refusal => true,
        Property::CoversPurpose
        | Property::CoversActivities
        | Property::CoversSignificance
        | Property::Length
        | Property::Contains
        | Property::NotContains
        | Property::Matches
        | Property::NotMatches => false,
    }
}

impl Subject<'_> {
    /// Evidence for `range` of the normalised text.
    fn evidence(&self, range: &Range<usize>, kind: impl Into<Cow<'static, str>>) -> Evidence {
        self.evidence_in_original(&self.passage.to_original(range), kind)
    }

    /// Evidence for `original`, a range of the answer as given.
    fn evidence_in_original(&self, original: &Range<usize>, kind: impl Into<Cow<'static, str>>) -> Evidence {
        let start = self.passage.chars_before(original.start);
        let text = &self.passage.original[original.clone()];
        Evidence {
            span: Some(Span { start, end: start + text.chars().count() }),
            text: text.to_owned(),
            kind: kind.into(),
            verdict: None,
            basis: None,
            why: None,
            waived: None,
        }
    }

    /// The score of a property that fails where `violations` (ranges of the normalised text) are not waived.
    fn violations(&self, property: Property, violations: Vec<(Range<usize>, &'static str)>) -> Score {
        let mut evidence: Vec<Evidence> = violations.iter().map(|(range, kind)| self.evidence(range, *kind)).collect();
        for (evidence, (range, _)) in evidence.iter_mut().zip(&violations) {
            evidence.waived = self.waiver(property, range);
        }
        let failing = evidence.iter().filter(|evidence| evidence.waived.is_none()).count();
        Score::binary(property, failing == 0, evidence)
    }

    /// The reason of a waiver that covers `range`: nothing but marks is left of it without the waiver's words.
    fn waiver(&self, property: Property, range: &Range<usize>) -> Option<String> {
        let holds = |until: Option<Date>| until.is_none_or(|last| self.today <= last);
        let waivers = self.require.waivers(property).iter().filter(|waiver| holds(waiver.until));
        let covers = |words: &str| {
            let words = crate::text::normalize::Normalized::new(words).text;
            let found = self.passage.text.match_indices(words.trim()).map(|(at, found)| at..at + found.len());
            let covering: Vec<Range<usize>> =
                found.filter(|found| found.start < range.end && range.start < found.end).collect();
            !covering.is_empty()
                && self.passage.text[range.clone()].char_indices().all(|(at, c)| {
                    let at = range.start + at;
                    !c.is_alphanumeric() || covering.iter().any(|found| found.contains(&at))
                })
        };
        waivers.filter(|waiver| covers(&waiver.text)).map(|waiver| waiver.reason.clone()).next()
    }
}

impl Score {
    /// A score with value 1 or 0.
    fn binary(property: Property, pass: bool, evidence: Vec<Evidence>) -> Self {
        let (verdict, value) = if pass { (Verdict::Pass, 1.0) } else { (Verdict::Fail, 0.0) };
        Self { property, verdict, value: Some(value), reason: None, evidence }
    }
}

/// The judgement of one property of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Which property.
    pub property: Property,
    /// Whether the answer has it.
    pub verdict: Verdict,
    /// A value in 0..=1, or the measured one that the property documents; `None` if unscored.
    pub value: Option<f64>,
    /// Why it failed or could not be judged, in a phrase.
    pub reason: Option<String>,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
}

/// Whether an answer has a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It has it.
    Pass,
    /// It lacks it.
    Fail,
    /// It cannot be told; the score's reason says why.
    Unscored,
}

impl Verdict {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unscored => "unscored",
        }
    }
}

/// A place in the answer and what it shows; without a place, what the answer lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it stands, in Unicode scalar values of the answer.
    #[serde(flatten)]
    pub span: Option<Span>,
    /// The words: `answer[start:end]`, or the text that is missing.
    pub text: String,
    /// What kind of thing it is, such as `english`, `preamble`, `number`.
    pub kind: Cow<'static, str>,
    /// For a specific: what was found about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<SpecificVerdict>,
    /// For a specific: how that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Why it counts: what it matched or contradicts, which hedge covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The reason of the waiver that lets it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

/// A range of Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first one.
    pub start: usize,
    /// One past the last one.
    pub end: usize,
}

/// What was found about a specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpecificVerdict {
    /// It stands in the source or follows from it.
    Grounded,
    /// It stands in the case's background.
    Background,
    /// It is put as a guess.
    Hedged,
    /// It is stated as fact without support.
    Fabricated,
}

impl SpecificVerdict {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grounded => "grounded",
            Self::Background => "background",
            Self::Hedged => "hedged",
            Self::Fabricated => "fabricated",
        }
    }
}

/// How a specific's verdict was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The same characters stand in the source.
    Exact,
    /// The same value or name stands there, written otherwise.
    Normalised,
    /// A listed alias of it stands there.
    Alias,
    /// It follows from the source by arithmetic or the calendar.
    Computed,
    /// It stands in the background.
    Background,
    /// A hedge covers it.
    Hedge,
    /// Nothing supports it.
    Unsupported,
    /// The source says otherwise.
    Contradicted,
    /// A quotation whose words were changed.
    QuoteAltered,
}

impl Basis {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "normalised",
            Self::Alias => "alias",
            Self::Computed => "computed",
            Self::Background => "background",
            Self::Hedge => "hedge",
            Self::Unsupported => "unsupported",
            Self::Contradicted => "contradicted",
            Self::QuoteAltered => "quote_altered",
        }
    }
}

/// The form of a score in JSON: `{"pass": true, "score": 1.0, "reason": null, "evidence": […]}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScoreJson {
    pass: Option<bool>,
    score: Option<f64>,
    reason: Option<String>,
    evidence: Vec<Evidence>,
}

impl From<Score> for ScoreJson {
    fn from(score: Score) -> Self {
        let pass = match score.verdict {
            Verdict::Pass => Some(true),
            Verdict::Fail => Some(false),
            Verdict::Unscored => None,
        };
        Self { pass, score: score.value, reason: score.reason, evidence: score.evidence }
    }
}

impl ScoreJson {
    /// The score that this form is of.
    pub fn into_score(self, property: Property) -> Score {
        let verdict = match self.pass {
            Some(true) => Verdict::Pass,
            Some(false) => Verdict::Fail,
            None => Verdict::Unscored,
        };
        Score { property, verdict, value: self.score, reason: self.reason, evidence: self.evidence }
    }
}
