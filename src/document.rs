//! TOML and JSON as one tree in which every value knows its place, and the reading of such a tree key by key.
//!
//! Promises that every mistake of a file is found in one pass (unknown keys, missing keys, wrong types, duplicates),
//! each with its place. Leaves what the keys mean to `case`, `prompt` and `project`.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, TextFile};

/// A value and the bytes of its file that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Byte range in the file's text.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
}

/// What a [`Node`] holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// JSON's `null`; the same as an absent key.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    String(String),
    /// TOML's own dates and times, as written.
    Datetime(String),
    /// An array.
    List(Vec<Node>),
    /// A table, in the file's order.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// The key's place.
    pub key_span: Range<usize>,
    /// Its value.
    pub node: Node,
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::String(_) => "a text",
            Self::Datetime(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// The value as JSON, for what is passed on as it is; TOML dates become texts.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(text) | Value::Datetime(text) => text.as_str().into(),
            Value::List(nodes) => nodes.iter().map(Node::to_json).collect(),
            Value::Table(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// Parses `file.text[range]` as TOML.
///
/// # Errors
/// Every syntax error that the parser could find.
pub fn parse_toml(file: &TextFile, range: Range<usize>) -> Result<Node, Vec<Diagnostic>> {
    let offset = range.start;
    let (table, errors) = DeTable::parse_recoverable(&file.text[range.clone()]);
    if errors.is_empty() {
        return Ok(Node { span: range, value: toml_table(table.get_ref(), offset) });
    }
    let shifted = |span: Range<usize>| span.start + offset..span.end + offset;
    let place = |error: &toml::de::Error| error.span().map_or(offset..offset, shifted);
    Err(errors
        .iter()
        .map(|error| file.diagnose(place(error), format!("not valid TOML: {}", error.message())))
        .collect())
}

fn toml_table(table: &DeTable<'_>, offset: usize) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span().start + offset..key.span().end + offset,
            node: toml_node(value, offset),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    Value::Table(entries)
}

fn toml_node(node: &toml::Spanned<DeValue<'_>>, offset: usize) -> Node {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Float(number.as_str().parse().unwrap_or(f64::NAN)), Value::Integer),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
        DeValue::Array(nodes) => Value::List(nodes.iter().map(|node| toml_node(node, offset)).collect()),
        DeValue::Table(table) => toml_table(table, offset),
    };
    Node { span: node.span().start + offset..node.span().end + offset, value }
}

/// Parses `file.text[range]` as one JSON value.
///
/// # Errors
/// The first syntax error.
pub fn parse_json(file: &TextFile, range: Range<usize>) -> Result<Node, Diagnostic> {
    let text = &file.text[range.clone()];
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let at = (range.start + line_start + error.column().saturating_sub(1)).min(range.end);
        file.diagnose(at..at + 1, not_json(&error))
    })?;
    json_node(file, raw, MOST_LEVELS)
}

/// What is wrong, without a place of its own: it would be counted from wherever the value begins.
fn not_json(error: &serde_json::Error) -> String {
    format!("not valid JSON: {}", error.to_string().split(" at line ").next().unwrap_or_default())
}

/// How deep lists and tables may stand in one another: nobody writes deeper, and each level takes a part of the stack.
const MOST_LEVELS: usize = 100;

/// Values that borrow their text from the file tell their place by their address: no second parser is needed.
fn json_node(file: &TextFile, raw: &RawValue, levels: usize) -> Result<Node, Diagnostic> {
    let start = raw.get().as_ptr() as usize - file.text.as_ptr() as usize;
    let span = start..start + raw.get().len();
    let bad = |error: &serde_json::Error| file.diagnose(span.clone(), not_json(error));
    if levels == 0 && raw.get().starts_with(['[', '{']) {
        let message = format!("lists and tables stand more than {MOST_LEVELS} levels deep in one another here");
        return Err(file.diagnose(start..start + 1, message));
    }
    let value = match raw.get().as_bytes()[0] {
        b'n' => Value::Null,
        b't' | b'f' => Value::Bool(raw.get() == "true"),
        b'"' => Value::String(serde_json::from_str(raw.get()).map_err(|error| bad(&error))?),
        b'[' => {
            let items: JsonList<'_> = serde_json::from_str(raw.get()).map_err(|error| bad(&error))?;
            Value::List(items.0.into_iter().map(|item| json_node(file, item, levels - 1)).collect::<Result<_, _>>()?)
        }
        b'{' => {
            let object: JsonObject<'_> = serde_json::from_str(raw.get()).map_err(|error| bad(&error))?;
            let mut entries = Vec::with_capacity(object.0.len());
            let mut previous_end = start;
            for (key, raw) in object.0 {
                let node = json_node(file, raw, levels - 1)?;
                let key_span = json_key_span(&file.text, previous_end..node.span.start);
                previous_end = node.span.end;
                entries.push(Entry { key: key.into_owned(), key_span, node });
            }
            Value::Table(entries)
        }
        _ => json_number(raw.get()).ok_or_else(|| file.diagnose(span.clone(), "this number is too large"))?,
    };
    Ok(Node { span, value })
}

fn json_number(text: &str) -> Option<Value> {
    let whole = text.parse().ok().map(Value::Integer);
    whole.or_else(|| text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float))
}

/// The key's place: between the first and the last quotation mark of what parts two values.
fn json_key_span(text: &str, between: Range<usize>) -> Range<usize> {
    let gap = &text[between.clone()];
    match (gap.find('"'), gap.rfind('"')) {
        (Some(first), Some(last)) => between.start + first..between.start + last + 1,
        _ => between,
    }
}

struct JsonList<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = JsonList<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(JsonList(list))
            }
        }
        deserializer.deserialize_seq(Items)
    }
}

/// An object with duplicate keys kept, so that they can be reported.
struct JsonObject<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = JsonObject<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut object = Vec::new();
                while let Some(entry) = entries.next_entry::<String, &'de RawValue>()? {
                    object.push((Cow::Owned(entry.0), entry.1));
                }
                Ok(JsonObject(object))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Reads the tables of one file and collects what is wrong with them.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The file, for places.
    pub file: &'a TextFile,
    problems: RefCell<Vec<Diagnostic>>,
}

impl<'a> Reader<'a> {
    /// A reader of `file` that has found nothing wrong yet.
    pub fn new(file: &'a TextFile) -> Self {
        Self { file, problems: RefCell::default() }
    }

    /// Notes a mistake at `span`.
    pub fn problem(&self, span: &Range<usize>, message: impl Into<String>) {
        self.report(self.file.diagnose(span.clone(), message));
    }

    /// Notes a mistake that has its place already.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.problems.borrow_mut().push(diagnostic);
    }

    /// What was found, in the file's order; `Ok` with `value` if nothing was.
    ///
    /// # Errors
    /// All mistakes noted so far.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
        Err(problems)
    }

    /// The node's entries, or a note that it is no table and `None`.
    pub fn table(&self, node: &'a Node) -> Option<Table<'_, 'a>> {
        match &node.value {
            Value::Table(entries) => Some(Table::new(self, &node.span, entries)),
            other => self.wrong_kind(&node.span, "a table", other),
        }
    }

    /// The text of a node.
    pub fn string(&self, node: &Node) -> Option<String> {
        match &node.value {
            Value::String(text) => Some(text.clone()),
            other => self.wrong_kind(&node.span, "a text", other),
        }
    }

    /// The elements of a list.
    pub fn list(&self, node: &'a Node) -> Option<&'a [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            other => self.wrong_kind(&node.span, "a list", other),
        }
    }

    /// The elements of a list of texts.
    pub fn strings(&self, node: &'a Node) -> Option<Vec<String>> {
        self.list(node)?.iter().map(|item| self.string(item)).collect()
    }

    /// A truth value.
    pub fn bool(&self, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            other => self.wrong_kind(&node.span, "true or false", other),
        }
    }

    /// A number, whole or not.
    pub fn number(&self, node: &Node) -> Option<f64> {
        match &node.value {
            #[expect(clippy::cast_precision_loss, reason = "settings are small numbers")]
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) if number.is_finite() => Some(*number),
            Value::Float(number) => {
                // As TOML spells them.
                let found = number.to_string().to_lowercase();
                self.problem(&node.span, format!("expected a number, found {found}"));
                None
            }
            other => self.wrong_kind(&node.span, "a number", other),
        }
    }

    /// A whole number that fits `T`.
    pub fn integer<T: TryFrom<i64>>(&self, node: &Node) -> Option<T> {
        let number = match &node.value {
            Value::Integer(number) => number,
            Value::Float(number) => {
                self.problem(&node.span, format!("expected a whole number, found {number}"));
                return None;
            }
            other => return self.wrong_kind(&node.span, "a whole number", other),
        };
        let fitting = T::try_from(*number).ok();
        if fitting.is_none() {
            self.problem(&node.span, format!("out of range: {number}"));
        }
        fitting
    }

    fn wrong_kind<T>(&self, span: &Range<usize>, wanted: &str, found: &Value) -> Option<T> {
        self.problem(span, format!("expected {wanted}, found {}", found.kind()));
        None
    }
}

/// One table while it is read: remembers which keys were asked for, so that the others can be reported.
#[derive(Debug)]
pub struct Table<'r, 'a> {
    /// The reader that collects mistakes.
    pub reader: &'r Reader<'a>,
    /// The table's place.
    pub span: &'a Range<usize>,
    entries: &'a [Entry],
    taken: Vec<Cell<bool>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 'a> Table<'r, 'a> {
    /// The entries as a table to read; duplicate keys are noted.
    pub fn new(reader: &'r Reader<'a>, span: &'a Range<usize>, entries: &'a [Entry]) -> Self {
        for (n, entry) in entries.iter().enumerate() {
            if entries[..n].iter().any(|earlier| earlier.key == entry.key) {
                reader.problem(&entry.key_span, format!("the key `{}` stands here a second time", entry.key));
            }
        }
        Self { reader, span, entries, taken: vec![Cell::new(false); entries.len()], asked: RefCell::default() }
    }

    /// The value of `key`; `None` if it is absent or null.
    pub fn get(&self, key: &'static str) -> Option<&'a Node> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        drop(asked);
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        self.taken[index].set(true);
        let node = &self.entries[index].node;
        (node.value != Value::Null).then_some(node)
    }

    /// The value of `key`; an absent one is noted as a mistake.
    pub fn required(&self, key: &'static str) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            // The head of the table is marked, not its whole text.
            let span = self.span.start..self.span.start + 1;
            self.reader.problem(&span, format!("the key `{key}` is missing"));
        }
        node
    }

    /// The place of `key`'s name, where it stands.
    pub fn key_span(&self, key: &str) -> Option<&'a Range<usize>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.key_span)
    }

    /// The text of `key`.
    pub fn string(&self, key: &'static str) -> Option<String> {
        self.get(key).and_then(|node| self.reader.string(node))
    }

    /// The text of `key`, which must be there and not blank.
    pub fn required_string(&self, key: &'static str) -> Option<String> {
        let node = self.required(key)?;
        let text = self.reader.string(node)?;
        if text.trim().is_empty() {
            self.reader.problem(&node.span, format!("`{key}` is empty"));
        }
        Some(text)
    }

    /// The texts of `key`; an absent key is an empty list.
    pub fn strings(&self, key: &'static str) -> Vec<String> {
        self.get(key).and_then(|node| self.reader.strings(node)).unwrap_or_default()
    }

    /// The number of `key`.
    pub fn number(&self, key: &'static str) -> Option<f64> {
        self.get(key).and_then(|node| self.reader.number(node))
    }

    /// The whole number of `key`.
    pub fn integer<T: TryFrom<i64>>(&self, key: &'static str) -> Option<T> {
        self.get(key).and_then(|node| self.reader.integer(node))
    }

    /// The truth value of `key`.
    pub fn bool(&self, key: &'static str) -> Option<bool> {
        self.get(key).and_then(|node| self.reader.bool(node))
    }

    /// Notes every key that nobody asked for; whether there is none.
    pub fn finish(self) -> bool {
        let asked = self.asked.into_inner();
        let mut is_known = true;
        for (entry, taken) in self.entries.iter().zip(&self.taken) {
            if !taken.get() && !asked.contains(&entry.key.as_str()) {
                let unknown = self.reader.file.diagnose(entry.key_span.clone(), format!("unknown key `{}`", entry.key));
                self.reader.report(unknown.did_you_mean(&entry.key, asked.iter().copied()));
                is_known = false;
            }
        }
        is_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str, parse: fn(&TextFile) -> Result<Node, Vec<Diagnostic>>) -> Vec<String> {
        let file = TextFile::new("file", text);
        let node = match parse(&file) {
            Ok(node) => node,
            Err(problems) => return problems.iter().map(ToString::to_string).collect(),
        };
        let reader = Reader::new(&file);
        let table = reader.table(&node).unwrap();
        table.string("title");
        table.integer::<u8>("repeats");
        table.finish();
        reader.finish(()).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_stands_too_deep_is_told_with_its_place_and_takes_no_stack() {
        for depth in [101, 100_000] {
            for (open, close) in [("[", "]"), ("{\"a\": ", "}")] {
                let file = TextFile::new("a.json", format!("{}0{}", open.repeat(depth), close.repeat(depth)));
                let problem = parse_json(&file, 0..file.text.len()).unwrap_err().to_string();
                let place = format!("a.json:1:{}: ", 100 * open.len() + 1);
                let said = "lists and tables stand more than 100 levels deep in one another here";
                assert_eq!(problem, format!("{place}{said}"));
            }
            for text in ["[".repeat(depth) + &"]".repeat(depth), vec!["a"; depth].join(".")] {
                let file = TextFile::new("a.toml", format!("a = {text}\n{text} = 1\n"));
                assert!(parse_toml(&file, 0..file.text.len()).is_err());
            }
        }
        let file = TextFile::new("a.json", &("[".repeat(100) + &"]".repeat(100)));
        assert!(parse_json(&file, 0..file.text.len()).is_ok());
    }

    #[test]
    fn every_mistake_of_a_file_is_found_at_once_and_in_its_place() {
        let toml = |file: &TextFile| parse_toml(file, 0..file.text.len());
        let json = |file: &TextFile| parse_json(file, 0..file.text.len()).map_err(|problem| vec![problem]);
        assert_eq!(
            mistakes("title = 1\nrepeets = 2\n", toml),
            [
                "file:1:9: expected a text, found a whole number",
                "file:2:1: unknown key `repeets` (did you mean `repeats`?)"
            ]
        );
        assert_eq!(
            mistakes("{\"title\": \"日本\",\n \"ttle\": null, \"repeats\": 300}", json),
            ["file:2:2: unknown key `ttle` (did you mean `title`?)", "file:2:27: out of range: 300"]
        );
        assert_eq!(
            mistakes("{\"title\": \"a\",\n \"title\": null}", json),
            ["file:2:2: the key `title` stands here a second time"]
        );
        assert_eq!(mistakes("{\"title\": \n x}", json), ["file:2:2: not valid JSON: expected value"]);
        assert_eq!(
            mistakes(r#"{"title": "\ud800"}"#, json),
            ["file:1:11: not valid JSON: unexpected end of hex escape"]
        );
        assert_eq!(mistakes("{\"repeats\": 1e999}", json), ["file:1:13: this number is too large"]);
    }
}
