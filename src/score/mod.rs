//! Scores: verdicts on an answer, each with the words it rests on.
//!
//! Promises pure functions: the same answer and case give the same scores, without a network, a clock or a model.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::property::Property;

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
