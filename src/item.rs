//! An item: a text to score with its source, and, where people have judged it, their labels. One JSON line each.
//!
//! Promises to read what others write: extra keys are ignored, what is not labelled stays unlabelled, and labels that
//! cannot be read hinder nobody who does not ask for them.

use serde::Deserialize;
use serde_json::Value;

use crate::case::Source;
use crate::property::{Property, SpecificKind, Topic};
use crate::score::SpecificVerdict;

/// A text to score.
#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    /// Its name in the output.
    #[serde(default)]
    pub id: Value,
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

impl Item {
    /// Its id as reports name it.
    pub fn name(&self) -> String {
        self.id.as_str().map_or_else(|| self.id.to_string(), str::to_owned)
    }
}

/// People's judgements of a text; a property that is left out, or null, was not judged.
///
/// `{"register": {"pass": true, "spans": []}, …, "covers": {"purpose": {"present": true, "evidence": []}, …},
/// "specifics": [{"text", "kind", "verdict"}]}`; a span is a text or `{"text", "kind"}`. The properties of `covers` and
/// `no_fabrication` may also be labelled by their own names, as the others.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Labels(Value);

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
    /// The words that the judgement rests on; `None` if nobody marked them: there is no `spans`, or none are marked in
    /// a text that fails.
    pub spans: Option<Vec<LabelledSpan>>,
}

/// Words that people marked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "SpanForm")]
pub struct LabelledSpan {
    /// The words, as they stand in the text.
    pub text: String,
    /// What kind of thing they are, such as `english`.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a span is a text or {\"text\", \"kind\"}")]
enum SpanForm {
    Text(String),
    Marked { text: String, kind: Option<String> },
}

impl From<SpanForm> for LabelledSpan {
    fn from(form: SpanForm) -> Self {
        match form {
            SpanForm::Text(text) => Self { text, kind: None },
            SpanForm::Marked { text, kind } => Self { text, kind },
        }
    }
}

/// The keys of labels that are no property's name.
const COVERS: &str = "covers";
const SPECIFICS: &str = "specifics";

#[derive(Deserialize)]
#[serde(expecting = "an object with `pass`")]
struct LabelForm {
    #[serde(alias = "present")]
    pass: bool,
    #[serde(default, alias = "evidence")]
    spans: Option<Vec<LabelledSpan>>,
}

impl From<LabelForm> for Label {
    fn from(form: LabelForm) -> Self {
        // Whoever says that a text fails and marks nothing did not look for the words.
        let spans = form.spans.filter(|spans| form.pass || !spans.is_empty());
        Self { pass: form.pass, spans }
    }
}

impl Labels {
    /// The judgement of `property`, if there is one that can be read.
    pub fn of(&self, property: Property) -> Option<Label> {
        self.read(property).ok().flatten()
    }

    /// Every specific of the text, if they were labelled.
    pub fn specifics(&self) -> Option<Vec<LabelledSpecific>> {
        self.get(&[SPECIFICS]).ok().flatten()
    }

    /// Whether all labels can be read.
    ///
    /// # Errors
    /// Which cannot, and why.
    pub fn check(&self) -> Result<(), String> {
        if !self.0.is_object() && !self.0.is_null() {
            return Err("labels: expected an object".to_owned());
        }
        if !self.0[COVERS].is_object() && !self.0[COVERS].is_null() {
            return Err("labels.covers: expected an object".to_owned());
        }
        Property::ALL.into_iter().try_for_each(|property| self.read(property).map(drop))
    }

    /// The names of labels that belong to no property.
    pub fn strangers(&self) -> impl Iterator<Item = String> + '_ {
        let keys = |value: &Value| value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        let (all, covers): (Vec<String>, Vec<String>) = (keys(&self.0), keys(&self.0[COVERS]));
        let is_known = |key: &str| [COVERS, SPECIFICS].contains(&key) || named(key).is_some();
        let of_all = all.into_iter().filter(move |key| !is_known(key));
        let is_topic = |key: &str| Topic::ALL.into_iter().any(|topic| topic.name() == key);
        of_all.chain(covers.into_iter().filter(move |key| !is_topic(key)).map(|key| format!("{COVERS}.{key}")))
    }

    fn read(&self, property: Property) -> Result<Option<Label>, String> {
        if property == Property::NoFabrication
            && let Some(specifics) = self.get::<Vec<LabelledSpecific>>(&[SPECIFICS])?
        {
            let fabricated = specifics.into_iter().filter(|one| one.verdict == SpecificVerdict::Fabricated);
            let span = |one: LabelledSpecific| LabelledSpan { text: one.text, kind: Some(one.kind.name().to_owned()) };
            let spans: Vec<LabelledSpan> = fabricated.map(span).collect();
            return Ok(Some(Label { pass: spans.is_empty(), spans: Some(spans) }));
        }
        if let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.property() == property)
            && let Some(covered) = self.get::<LabelForm>(&[COVERS, topic.name()])?
        {
            return Ok(Some(covered.into()));
        }
        Ok(self.get::<LabelForm>(&[property.name()])?.map(Label::from))
    }

    /// What stands at a path of keys; `None` if nothing or null does.
    fn get<'a, T: Deserialize<'a>>(&'a self, path: &[&str]) -> Result<Option<T>, String> {
        let value = path.iter().fold(&self.0, |value, key| &value[*key]);
        Option::<T>::deserialize(value).map_err(|error| format!("labels.{}: {error}", path.join(".")))
    }
}

fn named(name: &str) -> Option<Property> {
    Property::ALL.into_iter().find(|property| property.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(labels: &str) -> Labels {
        let item: Item = serde_json::from_str(&format!(r#"{{"id": 7, "output": "", "labels": {labels}}}"#)).unwrap();
        item.labels.unwrap_or_default()
    }

    fn passing(pass: bool, spans: &[(&str, Option<&str>)]) -> Label {
        let span =
            |(text, kind): &(&str, Option<&str>)| LabelledSpan { text: (*text).into(), kind: kind.map(str::to_owned) };
        Label { pass, spans: Some(spans.iter().map(span).collect()) }
    }

    #[test]
    fn what_is_not_labelled_stays_unlabelled() {
        let labels = labels(
            r#"{"japanese_only": {"pass": true, "spans": []}, "register": null,
            "covers": {"purpose": {"present": true, "evidence": ["目的は"]}},
            "specifics": [{"text": "五社", "kind": "number", "verdict": "fabricated"}]}"#,
        );
        assert_eq!(labels.of(Property::JapaneseOnly), Some(passing(true, &[])));
        assert_eq!(labels.of(Property::NoFabrication), Some(passing(false, &[("五社", Some("number"))])));
        assert_eq!(labels.of(Property::CoversPurpose), Some(passing(true, &[("目的は", None)])));
        for property in [Property::CoversActivities, Property::ArticleOnly, Property::Register] {
            assert_eq!(labels.of(property), None);
        }
        assert_eq!(labels.check(), Ok(()));
    }

    #[test]
    fn every_property_can_be_labelled_by_its_name() {
        for property in Property::ALL {
            let labels = labels(&format!(r#"{{"{property}": {{"pass": false, "spans": ["a", {{"text": "b"}}]}}}}"#));
            assert_eq!(labels.of(property), Some(passing(false, &[("a", None), ("b", None)])), "{property}");
            assert_eq!(labels.strangers().count(), 0);
        }
    }

    #[test]
    fn words_that_nobody_marked_are_not_taken_for_none() {
        for (form, marked) in [
            (r#"{"pass": false}"#, false),
            (r#"{"pass": false, "spans": []}"#, false),
            (r#"{"pass": true}"#, false),
            (r#"{"pass": true, "spans": []}"#, true),
        ] {
            let label = labels(&format!(r#"{{"refusal": {form}}}"#)).of(Property::Refusal).unwrap();
            assert_eq!(label.spans.is_some(), marked, "{form}");
        }
    }

    #[test]
    fn labels_that_cannot_be_read_are_told_and_hinder_no_scoring() {
        for (text, why) in [
            (r#"{"register": {"pas": true}}"#, "labels.register: missing field `pass`"),
            (r#"{"register": true}"#, "labels.register: invalid type: boolean `true`, expected an object with `pass`"),
            (r#"{"covers": []}"#, "labels.covers: expected an object"),
            ("[]", "labels: expected an object"),
        ] {
            assert_eq!(labels(text).check(), Err(why.to_owned()));
            assert_eq!(labels(text).of(Property::Register), None);
        }
        let specifics = labels(r#"{"specifics": [{"text": "五社", "kind": "figure", "verdict": "fabricated"}]}"#);
        assert!(specifics.check().unwrap_err().starts_with("labels.specifics: unknown variant `figure`"));
        assert_eq!(labels("null").check(), Ok(()));
    }

    #[test]
    fn a_mistyped_name_is_a_stranger() {
        let labels = labels(r#"{"japanese": {}, "covers": {"purposes": {}, "purpose": null}, "notes": "…"}"#);
        assert_eq!(labels.strangers().collect::<Vec<_>>(), ["japanese", "notes", "covers.purposes"]);
    }
}
