//! What to do about a parameter that a server refuses: which key of evalrun.toml to remove, or to rename.

use std::sync::LazyLock;

use regex::Regex;

use super::contains_any;

/// Parameters by their names in evalrun.toml and on the wire.
const PARAMETERS: [(&str, &[&str]); 6] = [
    ("temperature", &["temperature"]),
    ("top_p", &["top_p", "topP"]),
    ("top_k", &["top_k", "topK"]),
    ("max_output_tokens", &["max_output_tokens", "maxOutputTokens", "max_tokens", "max_completion_tokens"]),
    ("seed", &["seed"]),
    ("stop", &["stop", "stop_sequences", "stopSequences"]),
];

/// Fields that every request has: a mistake in them is none of a parameter.
const OWN_FIELDS: [&str; 8] =
    ["model", "messages", "contents", "content", "parts", "role", "system", "systemInstruction"];

/// Where a message names a field that is none of [`PARAMETERS`].
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?: (?i:unknown\ name|parameter:?|field:?|argument\ supplied:)\s* ["'`]? (?:[\w.]+\.)? ([A-Za-z_]\w+) ["'`]? )
        | (?: (?:[\w.]+\.)? ([A-Za-z_]\w+) :\ Extra\ inputs )"#,
    )
    .expect("the pattern is sound")
});

/// What to do in evalrun.toml about a parameter that a message names.
pub(super) fn hint(param: Option<&str>, said: &str) -> Option<String> {
    const REFUSED: [&str; 12] = [
        "not supported",
        "unsupported",
        "does not support",
        "doesn't support",
        "not permitted",
        "not allowed",
        "not accepted",
        "deprecated",
        "unknown",
        "unrecognized",
        "unexpected",
        "no longer",
    ];
    let is_refused = contains_any(&said.to_ascii_lowercase(), &REFUSED);
    let is_meant = |wire: &&str| param == Some(*wire) || mentions(said, wire);
    let meant = PARAMETERS.iter().filter(|(_, wires)| wires.iter().any(is_meant));
    let names: Vec<&str> = meant.map(|(name, _)| *name).collect();
    let keys = names.iter().map(|name| format!("params.{name}")).collect::<Vec<_>>().join(", ");
    match names.as_slice() {
        [] if is_refused => further_hint(param.or_else(|| named(said))?),
        [] => None,
        ["max_output_tokens"] if is_refused && is_meant(&"max_completion_tokens") => {
            Some(limit_hint(is_meant(&"max_tokens")))
        }
        [name] if is_refused => Some(format!("{name} is not accepted by this model: remove {keys} in evalrun.toml")),
        names if is_refused => {
            Some(format!("{} are not accepted by this model: remove {keys} in evalrun.toml", names.join(", ")))
        }
        _ => Some(format!("check {keys} in evalrun.toml")),
    }
}

/// What to do about the two names that the limit of tokens has.
fn limit_hint(wants_new: bool) -> String {
    if wants_new {
        "this server wants max_completion_tokens: set params.extra.max_completion_tokens in evalrun.toml, and remove \
         params.max_output_tokens"
    } else {
        "this server does not know max_completion_tokens: set params.max_output_tokens in evalrun.toml, and remove \
         params.extra.max_completion_tokens"
    }
    .to_owned()
}

/// What to do about a field that evalrun has no name of its own for.
fn further_hint(field: &str) -> Option<String> {
    let field = field.rsplit('.').next().unwrap_or(field);
    match field {
        "stream" | "stream_options" => {
            Some("this server has no such streams: remove `stream` in evalrun.toml".to_owned())
        }
        field if OWN_FIELDS.contains(&field) || !is_identifier(field) => None,
        field => Some(format!("remove params.extra.{field} in evalrun.toml, if it is there")),
    }
}

fn is_identifier(field: &str) -> bool {
    field.starts_with(|c: char| c.is_ascii_alphabetic()) && field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The field that a message names.
fn named(said: &str) -> Option<&str> {
    let found = NAMED.captures(said)?;
    found.get(1).or_else(|| found.get(2)).map(|name| name.as_str())
}

/// Whether a sentence names a parameter; words that are English as well must be marked as names.
fn mentions(said: &str, name: &str) -> bool {
    let is_english = matches!(name, "seed" | "stop");
    said.match_indices(name).any(|(at, _)| {
        let before = said[..at].chars().next_back();
        let after = said[at + name.len()..].chars().next();
        let is_quote = |c: Option<char>| c.is_some_and(|c| matches!(c, '\'' | '"' | '`'));
        let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/'));
        let is_marked = (is_quote(before) && is_quote(after)) || after == Some(':');
        !is_inside(before) && !is_inside(after) && (is_marked || !is_english)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_field_is_named_by_its_key_in_evalrun_toml() {
        let removed = |field: &str| Some(format!("remove params.extra.{field} in evalrun.toml, if it is there"));
        for (param, said, expected) in [
            (Some("reasoning_effort"), "Unsupported value: 'none' is not supported", removed("reasoning_effort")),
            (None, "Invalid JSON payload. Unknown name \"thinkingBudget\" at 'generation_config': Cannot find field.", removed("thinkingBudget")),
            (None, "thinking: Extra inputs are not permitted", removed("thinking")),
            (None, "body.guided_json: Extra inputs are not permitted", removed("guided_json")),
            (None, "Unrecognized request argument supplied: logit_bias", removed("logit_bias")),
            (None, "Unsupported parameter: 'verbosity' is not supported with this model.", removed("verbosity")),
            (Some("stream_options"), "Unknown parameter: 'stream_options'", Some("this server has no such streams: remove `stream` in evalrun.toml".into())),
            (
                None,
                "Unrecognized request argument supplied: max_completion_tokens",
                Some("this server does not know max_completion_tokens: set params.max_output_tokens in evalrun.toml, and remove \
                      params.extra.max_completion_tokens".into()),
            ),
            (Some("messages"), "Unsupported role", None),
            (Some("messages[0].content"), "Unexpected type", None),
            (Some("0"), "Extra inputs are not permitted", None),
            (Some("logprobs"), "must be at most 20", None),
            (None, "Thinking level is not supported for this model.", None),
        ] {
            assert_eq!(hint(param, said), expected, "{said}");
        }
    }
}
