//! An item: a text to score with its source, and, where people have judged it, their labels. One JSON line each.
//!
//! Promises to read what others write: extra keys are ignored, and what is not labelled stays unlabelled.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::case::Source;
use crate::property::{Property, SpecificKind, Topic};
use crate::score::SpecificVerdict;

/// A text to score.
#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    /// Its name in the output.
    #[serde(default)]
    pub id: serde_json::Value,
    /// The news it is about; without it, what needs it is unscored.
    #[serde(default)]
    pub source: Option<Source>,
    /// The text.
    pub output: String,
    /// The prompt that it answers, as it was sent.
    #[serde(default)]
    pub prompt: Option<String>,
    /// What people judged.
    #[serde(default)]
    pub labels: Option<Labels>,
}

/// People's judgements of a text; a property that is left out was not judged.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Labels {
    #[serde(default)]
    covers: BTreeMap<String, Covered>,
    /// Every specific of the text, if they were labelled.
    #[serde(default)]
    pub specifics: Option<Vec<LabelledSpecific>>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct Covered {
    present: bool,
    #[serde(default)]
    evidence: Vec<String>,
}

/// A specific with its verdict.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledSpecific {
    /// The words.
    pub text: String,
    /// Its kind.
    pub kind: SpecificKind,
    /// The verdict.
    pub verdict: SpecificVerdict,
}

/// The judgement of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Whether the text has the property.
    pub pass: bool,
    /// The words that the judgement rests on.
    pub spans: Vec<String>,
}

impl Labels {
    /// The judgement of `property`, if there is one.
    pub fn of(&self, property: Property) -> Option<Label> {
        if property == Property::NoFabrication {
            let fabricated = |specific: &&LabelledSpecific| specific.verdict == SpecificVerdict::Fabricated;
            let specifics = self.specifics.as_ref()?.iter().filter(fabricated);
            let spans: Vec<String> = specifics.map(|specific| specific.text.clone()).collect();
            return Some(Label { pass: spans.is_empty(), spans });
        }
        if let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.property() == property) {
            let covered = self.covers.get(topic.name())?;
            return Some(Label { pass: covered.present, spans: covered.evidence.clone() });
        }
        let label = self.others.get(property.name())?;
        let spans = label["spans"].as_array().into_iter().flatten();
        let text = |span: &serde_json::Value| span["text"].as_str().or(span.as_str()).map(str::to_owned);
        Some(Label { pass: label["pass"].as_bool()?, spans: spans.filter_map(text).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_labelled_stays_unlabelled() {
        let item: Item = serde_json::from_str(
            r#"{"id": 7, "output": "五社です", "extra": 1, "labels": {"japanese_only": {"pass": true, "spans": []},
            "covers": {"purpose": {"present": false, "evidence": []}},
            "specifics": [{"text": "五社", "kind": "number", "verdict": "fabricated"}]}}"#,
        )
        .unwrap();
        let labels = item.labels.unwrap();
        assert_eq!(labels.of(Property::JapaneseOnly), Some(Label { pass: true, spans: vec![] }));
        assert_eq!(labels.of(Property::NoFabrication), Some(Label { pass: false, spans: vec!["五社".into()] }));
        assert_eq!(labels.of(Property::CoversPurpose), Some(Label { pass: false, spans: vec![] }));
        assert_eq!(labels.of(Property::CoversActivities), None);
        assert_eq!(labels.of(Property::ArticleOnly), None);
    }
}
