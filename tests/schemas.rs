//! The schemas for editors know what evalrun knows: the same keys, and the files of this repository are valid.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use evalrun::case::parse_jsonl;
use evalrun::diagnostic::TextFile;
use evalrun::document::parse_toml;
use evalrun::{project, schema};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn mistakes(schema: &Value, instance: &Value) -> Vec<String> {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn toml(text: &str) -> Value {
    parse_toml(&TextFile::new("toml", text), 0..text.len()).unwrap().to_json()
}

/// The keys that a mistake lists as known.
fn known(mistakes: &[String]) -> BTreeSet<String> {
    let (_, list) = mistakes
        .iter()
        .find_map(|mistake| mistake.split_once("(known here: "))
        .unwrap_or_else(|| panic!("{mistakes:?}"));
    list.trim_end_matches(')').split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

/// The keys of the table at `path` of a schema; a list's items and a key's alternatives are passed through.
fn keys(schema: &Value, path: &[&str]) -> BTreeSet<String> {
    fn tables<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
        if schema.get("properties").is_some() {
            found.push(schema);
        }
        for alternative in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
            tables(alternative, found);
        }
        if let Some(items) = schema.get("items") {
            tables(items, found);
        }
    }
    let mut found = Vec::new();
    tables(schema, &mut found);
    match path.split_first() {
        None => found.iter().flat_map(|table| table["properties"].as_object().unwrap().keys().cloned()).collect(),
        Some((key, rest)) => {
            let below = found.iter().find_map(|table| table["properties"].get(*key));
            keys(below.unwrap_or_else(|| panic!("no {key}")), rest)
        }
    }
}

#[test]
fn the_schema_of_a_project_has_the_keys_that_are_read() {
    const MODEL: &str = "[[model]]\nid = \"m\"\nprovider = \"openai\"\n";
    let schema = schema::of_project();
    for (text, path) in [
        ("zzzzzzzz = 1", ""),
        ("[run]\nzzzzzzzz = 1", "run"),
        ("[require]\nzzzzzzzz = 1", "require"),
        ("[require]\njapanese_only = { zzzzzzzz = 1 }", "require.japanese_only"),
        ("[require]\nno_fabrication = { zzzzzzzz = 1 }", "require.no_fabrication"),
        ("[require]\nlength = { zzzzzzzz = 1 }", "require.length"),
        ("[require]\nreadability = { zzzzzzzz = 1 }", "require.readability"),
        ("[require]\nregister = { zzzzzzzz = 1 }", "require.register"),
        ("[require]\nrepetition = { zzzzzzzz = 1 }", "require.repetition"),
        ("[require]\nrefusal = { allow = [{ zzzzzzzz = 1 }] }", "require.refusal.allow"),
        ("[[require.topic]]\nzzzzzzzz = 1", "require.topic"),
        ("[[require.topic]]\nany_of = [{ zzzzzzzz = 1 }]", "require.topic.any_of"),
        (&format!("{MODEL}zzzzzzzz = 1"), "model"),
        (&format!("{MODEL}params = {{ zzzzzzzz = 1 }}"), "model.params"),
        (&format!("{MODEL}price = {{ zzzzzzzz = 1 }}"), "model.price"),
        (&format!("{MODEL}limits = {{ zzzzzzzz = 1 }}"), "model.limits"),
        ("[gate]\nzzzzzzzz = 1", "gate"),
        ("[gate]\nall = { zzzzzzzz = 1 }", "gate.all"),
    ] {
        let problems = project::parse(&TextFile::new("evalrun.toml", text)).unwrap_err();
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let path: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
        assert_eq!(keys(&schema, &path), known(&problems), "{path:?}");
        assert!(!mistakes(&schema, &toml(text)).is_empty(), "{text}");
    }
}

#[test]
fn the_schema_of_a_case_has_the_keys_that_are_read() {
    let schema = schema::of_case();
    for (text, path) in [("{\"zzzzzzzz\": 1}", ""), ("{\"id\": \"a\", \"source\": {\"zzzzzzzz\": 1}}", "source")] {
        let problems = parse_jsonl(&TextFile::new("a.jsonl", text)).unwrap_err();
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let path: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
        assert_eq!(keys(&schema, &path), known(&problems), "{path:?}");
    }
}

#[test]
fn the_files_of_this_repository_are_valid() {
    let project = schema::of_project();
    let text = fs::read_to_string(root().join("evalrun.toml")).unwrap();
    assert_eq!(mistakes(&project, &toml(&text)), [""; 0]);
    let case = schema::of_case();
    let mut count = 0;
    for folder in fs::read_dir(root().join("cases")).unwrap() {
        let file = folder.unwrap().path().join("case.toml");
        let Ok(text) = fs::read_to_string(&file) else { continue };
        assert_eq!(mistakes(&case, &toml(&text)), [""; 0], "{}", file.display());
        count += 1;
    }
    assert!(count > 5);
}
