//! What evalrun.toml and cases may say, as JSON Schemas (draft 2020-12) for editors that complete and check as one types.
//!
//! Promises exactly the keys that `project` and `case` read; a test holds the two against each other. Leaves what a schema
//! cannot say (names that must exist, rules that contradict each other) to `evalrun check`.

use serde_json::{Value, json};

use crate::id::MOST_CHARS;
use crate::lang::Lang;
use crate::model::Provider;
use crate::project::Tier;
use crate::property::{Property, SpecificKind, Topic};

/// The schema of evalrun.toml.
pub fn of_project() -> Value {
    let parts = [
        ("run", "What a bare `evalrun run` does", run()),
        ("require", "What every case requires, unless its own [require] says otherwise", require()),
        ("model", "The models that can be asked", list(model())),
        ("gate", "What a run must reach for the exit code 0", gate()),
    ];
    document("evalrun.toml", table(&parts, &[]))
}

/// The schema of a case: of a case.toml, and of a line in cases/*.jsonl, which needs `id`, too.
pub fn of_case() -> Value {
    let parts = [
        ("id", "Its name; in a folder of its own the folder's name, and left out here", id()),
        ("tags", "Labels to select by", texts()),
        ("source", "The news", source()),
        ("vars", "Further values for templates", json!({"type": "object"})),
        ("require", "What its answers must be, over [require] of evalrun.toml key by key", require()),
    ];
    document("An evalrun case", table(&parts, &["source"]))
}

fn document(title: &str, mut schema: Value) -> Value {
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = title.into();
    schema
}

fn run() -> Value {
    let parts = [
        ("prompts", "The prompts to send, in the order of reports; absent: all of prompts/", list(id())),
        ("models", "The models to ask, in the order of reports; absent: all below", list(id())),
        ("lang", "The language of reports and of what is said beside them (en)", choice(&Lang::ALL.map(Lang::name))),
        ("repeats", "How often each question is asked (1)", whole(1)),
        ("concurrency", "How many requests may be under way at once; absent: as many as each server bears", whole(1)),
        ("max_cost", "The most US dollars that a run may spend", number(0.0, None)),
        ("max_requests", "The most requests that a run may send", whole(0)),
        ("max_tokens", "The most tokens that a run may spend, of prompts and answers together", whole(0)),
    ];
    table(&parts, &[])
}

fn require() -> Value {
    let mut parts: Vec<(&str, &str, Value)> = Property::ALL.into_iter().map(requirement).collect();
    let topics = choice(&Topic::ALL.map(Topic::name));
    parts.push((
        "covers",
        "Short for the three covers_* properties: those named are required, the others not",
        list(topics),
    ));
    parts.push(("topic", "What must be said on a topic, in words of yours", list(key_point())));
    table(&parts, &[])
}

fn requirement(property: Property) -> (&'static str, &'static str, Value) {
    let allow = ("allow", "What is let pass, and why", list(waiver()));
    let (what, value) = match property {
        Property::JapaneseOnly => ("A reader sees Japanese alone", switch(&[allow])),
        Property::ArticleOnly => ("Nothing is there but the article", switch(&[allow])),
        Property::CoversPurpose => ("A sentence says why this is done", switch(&[])),
        Property::CoversActivities => ("A sentence says what is done", switch(&[])),
        Property::CoversSignificance => ("A sentence says why it matters", switch(&[])),
        Property::NoFabrication => {
            let kinds = choice(&SpecificKind::ALL.map(SpecificKind::name));
            let hedged =
                ("hedged", "What becomes of a specific that is put as a guess (pass)", choice(&["pass", "fail"]));
            (
                "Every specific follows from the source",
                switch(&[allow, hedged, ("kinds", "The kinds that are checked (all)", list(kinds))]),
            )
        }
        Property::Length => {
            let parts = [
                ("min_chars", "At least so many characters (200)", whole(0)),
                ("max_chars", "At most so many characters (4000)", whole(0)),
            ];
            ("The answer has so many characters, white space not counted", switch(&parts))
        }
        Property::Readability => {
            let parts = [
                ("max_sentence_chars", "The most characters of a sentence (110)", whole(0)),
                (
                    "min_score",
                    "The least estimated jReadability (0.8): 0.5 is hardest, 6.5 easiest",
                    json!({"type": "number"}),
                ),
            ];
            ("The text is easy to read", switch(&parts))
        }
        Property::Register => {
            let style = choice(&["any", "polite", "plain"]);
            (
                "One style of sentence ends is kept",
                switch(&[allow, ("style", "polite: です・ます, plain: だ・である, any: either (any)", style)]),
            )
        }
        Property::Repetition => ("Nothing loops, and the end is an end", switch(&[allow])),
        Property::Refusal => ("The model did not decline", switch(&[allow])),
        Property::Contains => ("Texts that must be there", texts()),
        Property::NotContains => ("Texts that must not be there", texts()),
        Property::Matches => ("Regular expressions that must match", texts()),
        Property::NotMatches => ("Regular expressions that must not match", texts()),
    };
    (property.name(), what, value)
}

/// `true`, `false`, or settings, which require the property, too.
fn switch(parts: &[(&str, &str, Value)]) -> Value {
    json!({"anyOf": [{"type": "boolean"}, table(parts, &[])]})
}

fn waiver() -> Value {
    let parts = [
        ("text", "The words that are let pass", text()),
        ("reason", "Why; reports show it", text()),
        ("until", "The last day on which they are", day()),
    ];
    table(&parts, &["text", "reason"])
}

fn key_point() -> Value {
    let pattern = table(&[("pattern", "A regular expression", text())], &["pattern"]);
    let phrases = list(json!({"anyOf": [text(), pattern]}));
    let parts = [
        ("id", "The topic", choice(&Topic::ALL.map(Topic::name))),
        ("any_of", "One of these must be said", phrases.clone()),
        ("all_of", "All of these must be said", phrases),
    ];
    table(&parts, &["id"])
}

fn model() -> Value {
    let parts = [
        ("id", "The name in reports", id()),
        ("provider", "The protocol it speaks", choice(&Provider::ALL.map(Provider::name))),
        ("model", "The provider's name for it (its id)", text()),
        ("base_url", "The server's address", json!({"type": "string", "pattern": "^https?://"})),
        (
            "api_key_env",
            "The environment variable that holds the key",
            json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}),
        ),
        ("params", "What is sent along; nothing but what is set here", params()),
        ("headers", "Further headers", json!({"type": "object", "additionalProperties": {"type": "string"}})),
        (
            "timeout",
            "How long an attempt may take, such as \"120s\" (10 minutes)",
            json!({"type": ["string", "number"]}),
        ),
        ("stream", "Whether answers are read as they come", json!({"type": "boolean"})),
        ("command", "The program to run and its arguments (provider `command`)", texts()),
        ("price", "US dollars per million tokens", price()),
        ("limits", "What the account allows", limits()),
    ];
    table(&parts, &["id", "provider"])
}

fn params() -> Value {
    let parts = [
        ("temperature", "How freely the model chooses", number(0.0, None)),
        ("top_p", "The share of likely words it chooses from", number(0.0, Some(1.0))),
        ("top_k", "How many words it chooses from", whole(0)),
        ("max_output_tokens", "Where an answer is cut off", whole(1)),
        ("seed", "Which of several answers, where a provider knows seeds", json!({"type": "integer"})),
        ("stop", "Texts that end an answer", texts()),
        ("extra", "Further fields of the request, sent as they are", json!({"type": "object"})),
    ];
    table(&parts, &[])
}

fn price() -> Value {
    let parts = [
        ("input", "For what is sent", number(0.0, None)),
        ("output", "For what is answered", number(0.0, None)),
        ("cached_input", "For what is sent and found in the provider's cache (as input)", number(0.0, None)),
        ("valid_until", "The last day on which this is known to hold", day()),
    ];
    table(&parts, &["input", "output"])
}

fn limits() -> Value {
    let parts = [
        ("rpm", "Requests a minute", whole(1)),
        ("tpm", "Tokens a minute", whole(1)),
        ("concurrency", "Requests at once", whole(1)),
    ];
    table(&parts, &[])
}

fn gate() -> Value {
    let passes = json!({"anyOf": [choice(&["all", "majority", "any"]), whole(1)]});
    let settings = [
        ("prompts", "The prompts whose variants must pass; absent: all of the run", list(id())),
        ("models", "The models whose variants must pass; absent: all of the run", list(id())),
        ("case_passes", "Of a case's repeats, how many must pass (all)", passes),
        ("inconclusive", "What becomes of a gate that cannot be decided (pass)", choice(&["pass", "fail"])),
        ("max_errored", "The share of trials that may lack an outcome", number(0.0, Some(1.0))),
        ("max_cost", "The most US dollars that a run may have cost", number(0.0, None)),
        ("baseline", "The run that max_drop and max_broken compare with (baseline)", text()),
        ("all", "What the share of cases must reach that pass everything required", rule()),
    ];
    let rules =
        Property::ALL.map(|property| (property.name(), "What the share of cases must reach that pass this", rule()));
    table(&settings.into_iter().chain(rules).collect::<Vec<_>>(), &[])
}

fn rule() -> Value {
    let parts = [
        ("tier", "What follows where it fails (critical)", choice(&Tier::ALL.map(Tier::name))),
        ("min_rate", "The least share of cases that pass", number(0.0, Some(1.0))),
        (
            "on",
            "What is held against min_rate: the share seen, or the one that is sure (estimate)",
            choice(&["estimate", "low"]),
        ),
        ("max_drop", "How much worse than the baseline it may be, as a share", number(0.0, Some(1.0))),
        ("max_broken", "How many cases may fail that passed in the baseline", whole(0)),
    ];
    json!({"anyOf": [number(0.0, Some(1.0)), table(&parts, &[])]})
}

fn source() -> Value {
    let moment = json!({"type": "string", "format": "date-time"});
    let parts = [
        ("published_at", "When it was published, with the offset from UTC: 2025-06-30T07:00:00+09:00", moment),
        ("publisher", "Who published it", text()),
        ("title", "Its title", text()),
        ("body", "Its text, if the prompt sends it", json!({"type": "string"})),
        ("facts", "What is known of it besides; answers may say it", texts()),
        ("background", "What is known of the matter; answers may say it", texts()),
        ("aliases", "Groups of names for the same", list(texts())),
    ];
    table(&parts, &["published_at", "publisher", "title"])
}

/// A table with these keys (name, meaning, schema of the value) and no others.
fn table(parts: &[(&str, &str, Value)], required: &[&str]) -> Value {
    let described = |(name, what, schema): &(&str, &str, Value)| {
        let mut schema = schema.clone();
        if !required.contains(name) {
            // In JSON, null is as good as absent.
            schema = json!({"anyOf": [schema, {"type": "null"}]});
        }
        schema["description"] = (*what).into();
        ((*name).to_owned(), schema)
    };
    let properties: Value = Value::Object(parts.iter().map(described).collect());
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn texts() -> Value {
    list(json!({"type": "string"}))
}

fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn day() -> Value {
    json!({"type": "string", "format": "date"})
}

fn choice(names: &[&str]) -> Value {
    json!({"enum": names})
}

fn whole(least: u32) -> Value {
    json!({"type": "integer", "minimum": least})
}

fn number(least: f64, most: Option<f64>) -> Value {
    let mut number = json!({"type": "number", "minimum": least});
    if let Some(most) = most {
        number["maximum"] = most.into();
    }
    number
}

fn id() -> Value {
    json!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": MOST_CHARS})
}
