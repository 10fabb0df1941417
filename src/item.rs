//! An item: a text to score with its source, and, where people have judged it, their labels. One JSON line each.
//!
//! Promises to read what others write: extra keys are ignored, and told where they look like slips; what is not labelled
//! stays unlabelled, and labels that cannot be read hinder nobody who does not ask for them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

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
    #[serde(default, deserialize_with = "object")]
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
    /// The item that a line of JSON holds. Half of a character's pair of escapes, which some programs write where they cut
    /// a text, becomes `U+FFFD`.
    ///
    /// # Errors
    /// The line is no JSON, or no item.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        let parse = |line: &str| serde_json::from_str::<Object<Self>>(line).map(|object| object.0);
        parse(line).or_else(|error| match without_half_pairs(line) {
            Cow::Borrowed(_) => Err(error),
            Cow::Owned(line) => parse(&line),
        })
    }

    /// Keys of the line that count for nothing and look as if they were to count for something.
    ///
    /// Others are none of our business: whoever keeps articles keeps more about them than is asked for here.
    pub fn slips(line: &str) -> Vec<Slip> {
        let Some(keys) = keys(line) else { return Vec::new() };
        let source = keys.get(SOURCE).and_then(|source| self::keys(source.get()));
        let mut slips = slips_of(&keys, "", &ITEM_KEYS);
        slips.extend(source.iter().flat_map(|source| slips_of(source, "source.", &SOURCE_KEYS)));
        let is_in_source = |key: &str| source.as_ref().is_some_and(|source| source.contains_key(key));
        for key in keys.keys().filter(|key| !ITEM_KEYS.contains(&key.as_str())) {
            let outer = match key.as_str() {
                key if SOURCE_KEYS.contains(&key) && !is_in_source(key) => SOURCE,
                key if (key == COVERS || key == SPECIFICS || named(key).is_some()) && !keys.contains_key(LABELS) => {
                    LABELS
                }
                _ => continue,
            };
            slips.push(Slip { key: key.clone(), meant: format!("{outer}.{key}") });
        }
        slips
    }

    /// Its id as reports name it.
    pub fn name(&self) -> String {
        self.id.as_str().map_or_else(|| self.id.to_string(), str::to_owned)
    }
}

/// A key that counts for nothing, and the one that was probably meant; both with the keys around them, parted by points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slip {
    /// What is written: `sorce`, `title`.
    pub key: String,
    /// What would count: `source`, `source.title`.
    pub meant: String,
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key `{}` is ignored; did you mean `{}`?", self.key, self.meant)
    }
}

/// The keys of an item, and of its source.
const ITEM_KEYS: [&str; 5] = ["id", SOURCE, "output", "prompt", LABELS];
const SOURCE: &str = "source";
const LABELS: &str = "labels";
const SOURCE_KEYS: [&str; 7] = ["published_at", "publisher", "title", "body", "facts", "background", "aliases"];

/// The entries of an object; `None` if it is none.
fn keys(json: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(json).ok()
}

/// Keys that are none of `known` and a slip of the pen away from one that is missing.
fn slips_of(keys: &BTreeMap<String, &RawValue>, path: &str, known: &[&str]) -> Vec<Slip> {
    let strange = keys.keys().filter(|key| !known.contains(&key.as_str()));
    let slip = |key: &String| {
        let missing = known.iter().filter(|known| !keys.contains_key(**known));
        let meant = missing.copied().find(|known| is_slip(key, known))?;
        Some(Slip { key: format!("{path}{key}"), meant: format!("{path}{meant}") })
    };
    strange.filter_map(slip).collect()
}

/// Whether one letter in three, or the case of all, was mistyped. What merely begins alike, such as `prompt_id`, is a key of
/// the writer's own.
fn is_slip(written: &str, meant: &str) -> bool {
    strsim::osa_distance(&written.to_lowercase(), meant) <= meant.len() / 3
}

/// What an object says; serde would take a list of the values for it as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(entries)).map(Object)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::<Object<T>>::deserialize(deserializer).map(|object| object.map(|object| object.0))
}

/// The JSON with `\\uFFFD` for each escape of half a character, `\\uD800` to `\\uDFFF`, that lacks its other half.
fn without_half_pairs(json: &str) -> Cow<'_, str> {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut whole = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = json[at..].find('\\') {
        at += found;
        match (unit(at), unit(at + 6)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => at += 12,
            (Some(0xD800..0xE000), _) => {
                whole.push_str(&json[kept..at]);
                whole.push_str("\\uFFFD");
                at += 6;
                kept = at;
            }
            (Some(_), _) => at += 6,
            // The escaped character is ASCII, or this is no JSON.
            (None, _) => at = (at + 2).min(json.len()),
        }
        if !json.is_char_boundary(at) {
            break;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    whole.push_str(&json[kept..]);
    Cow::Owned(whole)
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

    #[test]
    fn half_a_pair_of_escapes_is_one_unknown_character() {
        for (output, expected) in [
            (r"a\ud83dz", "a\u{FFFD}z"),
            (r"\ude00", "\u{FFFD}"),
            (r"\ud83d\ude00", "\u{1F600}"),
            (r"\ud83d\ud83d\ude00\n", "\u{FFFD}\u{1F600}\n"),
            (r"\\\\ud83d\ud800", "\\\\ud83d\u{FFFD}"),
            (r"量\uD8", ""),
        ] {
            let item = Item::parse(&format!("{{\"output\": \"{output}\"}}"));
            assert_eq!(item.map(|item| item.output).unwrap_or_default(), expected, "{output}");
        }
    }

    #[test]
    fn a_key_that_looks_like_a_slip_is_noticed_and_others_are_not() {
        for (line, expected) in [
            (r#"{"output": "", "sorce": {"title": "a"}}"#, &[("sorce", "source")][..]),
            (r#"{"output": "", "Label": {}, "ID": 1}"#, &[("ID", "id"), ("Label", "labels")]),
            (r#"{"output": "", "source": {"titel": "a", "url": ""}}"#, &[("source.titel", "source.title")]),
            (
                r#"{"output": "", "title": "a", "published_at": ""}"#,
                &[("published_at", "source.published_at"), ("title", "source.title")],
            ),
            (
                r#"{"output": "", "covers": {}, "register": {}}"#,
                &[("covers", "labels.covers"), ("register", "labels.register")],
            ),
            (
                r#"{"output": "", "source": {"title": "a"}, "title": "a", "sources": 3, "labels": {}, "refusal": 0}"#,
                &[],
            ),
            (r#"{"output": "", "prompt_id": "p", "url": "", "to": "", "score": 1, "outcome": 2}"#, &[]),
            ("[1]", &[]),
            ("no json", &[]),
        ] {
            let found = Item::slips(line);
            let found: Vec<(&str, &str)> = found.iter().map(|slip| (slip.key.as_str(), slip.meant.as_str())).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn the_keys_of_a_source_are_known() {
        let source = serde_json::to_value(Source::default()).unwrap();
        assert!(source.as_object().unwrap().keys().all(|key| SOURCE_KEYS.contains(&key.as_str())));
        assert_eq!(source.as_object().unwrap().len(), SOURCE_KEYS.len());
    }

    #[test]
    fn a_list_is_no_item_and_no_source() {
        for (line, why) in [
            (r#"[1, null, "text"]"#, "invalid type: sequence, expected an object"),
            (r#"{"output": "a", "source": [null, "p"]}"#, "invalid type: sequence, expected an object"),
        ] {
            assert!(Item::parse(line).unwrap_err().to_string().starts_with(why), "{line}");
        }
        assert!(Item::parse(r#"{"output": "a", "source": null}"#).unwrap().source.is_none());
    }

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
