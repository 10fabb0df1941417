//! Scores in few bytes: what recurs in them (reasons, kinds of evidence) stands once in a page, and is named by its place.
//!
//! Promises that nothing is lost but digits of values beyond the fourth. `texts.js` reads it back.

use std::borrow::Cow;

use indexmap::IndexSet;
use serde::Serialize;
use serde_json::{Value, json};

use crate::property::Property;
use crate::report::evidence::{Weight, weight};
use crate::report::lang::Words;
use crate::score::{Evidence, Score, Verdict};

/// What recurs in a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
enum Piece {
    Text(String),
    /// The parts of a text between which the words of the evidence stand.
    Around(Vec<String>),
    Kind {
        weight: &'static str,
        kind: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        verdict: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        basis: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        waived: Option<String>,
    },
}

/// All that recurs, in the order in which it was met.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Recurring(IndexSet<Piece>);

impl Recurring {
    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first.
    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// The pieces after the first, as they stand in the page.
    pub(super) fn since(&self, len: usize) -> Vec<&impl Serialize> {
        self.0.iter().skip(len).collect()
    }

    /// The place of a text.
    pub(super) fn text(&mut self, text: impl Into<String>) -> usize {
        self.0.insert_full(Piece::Text(text.into())).0
    }

    /// The place of a text about some words.
    fn about(&mut self, text: Cow<'_, str>, words: &str) -> usize {
        if words.is_empty() || !text.contains(words) {
            return self.text(text);
        }
        self.0.insert_full(Piece::Around(text.split(words).map(str::to_owned).collect())).0
    }

    fn kind(&mut self, score: &Score, evidence: &Evidence, words: &Words) -> usize {
        let kind = Piece::Kind {
            weight: match weight(score, evidence) {
                Weight::Against => "against",
                Weight::Neutral => "neutral",
                Weight::For => "for",
            },
            kind: (words.kind)(&evidence.kind).to_owned(),
            verdict: evidence.verdict.map(words.specific),
            basis: evidence.basis.map(words.basis),
            waived: evidence.waived.clone(),
        };
        self.0.insert_full(kind).0
    }
}

/// A score: the property's place among `properties`, its verdict (0 pass, 1 fail, 2 unscored), its value, the place of its
/// reason or -1; then of each piece of evidence where it starts, how long it is (or -1 and the place of the missing words),
/// the place of its kind, and that of why it counts, or -1. Values that say no more than the verdict, and with them all
/// that follows, are left out where nothing but them follows. `None` for what the run does not require.
pub(super) fn score_row(
    score: &Score,
    properties: &[Property],
    words: &Words,
    recurring: &mut Recurring,
) -> Option<Vec<Value>> {
    let place = properties.iter().position(|property| *property == score.property)?;
    let (verdict, plain_value) = match score.verdict {
        Verdict::Pass => (0, Some(1.0)),
        Verdict::Fail => (1, Some(0.0)),
        Verdict::Unscored => (2, None),
    };
    let mut row = vec![json!(place), json!(verdict)];
    if score.value == plain_value && score.reason.is_none() && score.evidence.is_empty() {
        return Some(row);
    }
    let reason = score.reason.as_deref().map(|reason| recurring.text((words.reason)(reason)));
    row.extend([score.value.map_or(Value::Null, rounded), place_or_none(reason)]);
    for evidence in &score.evidence {
        let [start, length] = match evidence.span {
            Some(span) => [json!(span.start), json!(span.end - span.start)],
            None => [json!(-1), json!(recurring.text(evidence.text.as_str()))],
        };
        let why = evidence.why.as_deref().map(|why| recurring.about((words.reason)(why), &evidence.text));
        row.extend([start, length, json!(recurring.kind(score, evidence, words)), place_or_none(why)]);
    }
    Some(row)
}

fn place_or_none(place: Option<usize>) -> Value {
    place.map_or(json!(-1), |place| json!(place))
}

/// A value with four digits after the point, and none where it is whole.
fn rounded(value: f64) -> Value {
    let rounded = (value * 1e4).round() / 1e4;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    if rounded.fract() == 0.0 && rounded.abs() < 1e9 { json!(rounded as i64) } else { json!(rounded) }
}
