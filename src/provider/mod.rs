//! How each API spells a request.
//!
//! Promises pure encoding: the same question gives the same bytes. Leaves sending, keys and retries
//! to `engine`.

mod anthropic;
mod gemini;
mod openai;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{Model, Provider};
use crate::prompt::Rendered;
use crate::request::Request;

pub use anthropic::DEFAULT_MAX_TOKENS;

/// The request that puts `prompt` to `model`: the same bytes for the same question, without a key.
///
/// A program's address is its command line as a JSON array, and its body the prompt as plain text.
pub fn encode(model: &Model, prompt: &Rendered) -> Request {
    let extra = &model.params.extra;
    let (url, body) = match model.provider {
        Provider::Gemini => (gemini::url(model), json(&gemini::Body::new(model, prompt), extra)),
        Provider::OpenAi => (openai::url(model), json(&openai::Body::new(model, prompt), extra)),
        Provider::Anthropic => (anthropic::url(model), json(&anthropic::Body::new(model, prompt), extra)),
        Provider::Recorded => ("recorded:".to_owned(), plain_text(prompt)),
        Provider::Command => (json(&model.command, &Map::new()), plain_text(prompt)),
    };
    Request { provider: model.provider, url, headers: headers(model), body }
}

/// The set parameters that the model's provider has no field for, by their names in evalrun.toml.
///
/// Providers that send nothing to a server have no field for any of them.
pub fn unsupported(model: &Model) -> Vec<&'static str> {
    let params = &model.params;
    let local = !model.provider.is_remote();
    let openai_itself = model.provider == Provider::OpenAi && model.is_vendors_own();
    // An answer in pieces is not read yet.
    let streams = params.extra.get("stream").is_some_and(|stream| stream.as_bool() == Some(true));
    [
        ("temperature", params.temperature.is_some() && local),
        ("top_p", params.top_p.is_some() && local),
        ("top_k", params.top_k.is_some() && (local || openai_itself)),
        ("max_output_tokens", params.max_output_tokens.is_some() && local),
        ("seed", params.seed.is_some() && (local || model.provider == Provider::Anthropic)),
        ("stop", !params.stop.is_empty() && local),
        ("extra", !params.extra.is_empty() && local),
        ("extra.stream", streams && !local),
    ]
    .into_iter()
    .filter_map(|(name, unsupported)| unsupported.then_some(name))
    .collect()
}

/// The header that carries a key; for the transport, which alone holds keys.
pub fn key_header(provider: Provider, key: &str) -> (&'static str, String) {
    match provider {
        Provider::Gemini => ("x-goog-api-key", key.to_owned()),
        Provider::Anthropic => ("x-api-key", key.to_owned()),
        Provider::OpenAi | Provider::Recorded | Provider::Command => ("authorization", format!("Bearer {key}")),
    }
}

/// A rough number of tokens, for plans and limits only: four ASCII characters a token, one token a character of
/// Japanese or anything else. Real tokenisers differ from it by half and more.
pub fn estimate_tokens(text: &str) -> u64 {
    let (ascii, others) = text
        .chars()
        .fold((0_u64, 0), |(ascii, others), c| if c.is_ascii() { (ascii + 1, others) } else { (ascii, others + 1) });
    ascii.div_ceil(4) + others
}

/// System text, a blank line, the user's turn.
fn plain_text(prompt: &Rendered) -> String {
    match system_text(prompt) {
        Some(system) => format!("{system}\n\n{}", prompt.user),
        None => prompt.user.clone(),
    }
}

/// The system text, if there is more to it than blanks: servers refuse an empty one.
fn system_text(prompt: &Rendered) -> Option<&str> {
    prompt.system.as_deref().filter(|system| !system.trim().is_empty())
}

/// Headers of each request, the user's own last since they win.
fn headers(model: &Model) -> Vec<(String, String)> {
    if !model.provider.is_remote() {
        return Vec::new();
    }
    let mut headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    if model.provider == Provider::Anthropic {
        headers.insert("anthropic-version".to_owned(), anthropic::VERSION.to_owned());
    }
    headers.extend(model.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    headers.into_iter().collect()
}

/// A body as JSON: its fields in the order of the type, or, merged with the user's own, in the order of the alphabet.
fn json(body: &impl Serialize, extra: &Map<String, Value>) -> String {
    const REASON: &str = "texts and numbers can always be written as JSON";
    if extra.is_empty() {
        return serde_json::to_string(body).expect(REASON);
    }
    let mut body = serde_json::to_value(body).expect(REASON);
    merge(&mut body, &Value::Object(extra.clone()));
    body.to_string()
}

/// Objects are merged, everything else is replaced.
fn merge(old: &mut Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                merge(old.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new.clone(),
    }
}

/// A name as one segment of an address.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model as evalrun.toml would give it, from the lines of its table.
    fn model(lines: &str) -> Model {
        let file = crate::diagnostic::TextFile::new("evalrun.toml", lines);
        let node = crate::document::parse_toml(&file, 0..lines.len()).unwrap();
        let reader = crate::document::Reader::new(&file);
        let model = Model::read(&reader, &node);
        reader.finish(model).unwrap().unwrap()
    }

    fn prompt(system: Option<&str>) -> Rendered {
        Rendered { system: system.map(str::to_owned), user: "「量子」\"<&>\"\nの記事".to_owned() }
    }

    #[test]
    fn a_request_says_what_is_set_and_nothing_else() {
        const PARAMS: &str = "params = { temperature = 0.7, top_p = 0.9, top_k = 40, max_output_tokens = 100, \
                              seed = 7, stop = [\"終\"] }";
        for (lines, system, url, body) in [
            (
                "provider = \"gemini\"",
                None,
                "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
                r#"{"contents":[{"role":"user","parts":[{"text":"「量子」\"<&>\"\nの記事"}]}]}"#,
            ),
            (
                &format!("provider = \"gemini\"\nbase_url = \"http://a/\"\n{PARAMS}"),
                Some("簡潔に"),
                "http://a/v1beta/models/m:generateContent",
                concat!(
                    r#"{"systemInstruction":{"parts":[{"text":"簡潔に"}]},"#,
                    r#""contents":[{"role":"user","parts":[{"text":"「量子」\"<&>\"\nの記事"}]}],"#,
                    r#""generationConfig":{"temperature":0.7,"topP":0.9,"topK":40,"seed":7,"#,
                    r#""maxOutputTokens":100,"stopSequences":["終"]}}"#
                ),
            ),
            (
                "provider = \"openai\"\nparams = { max_output_tokens = 100 }",
                Some("簡潔に"),
                "https://api.openai.com/v1/chat/completions",
                concat!(
                    r#"{"model":"m","messages":[{"role":"system","content":"簡潔に"},"#,
                    r#"{"role":"user","content":"「量子」\"<&>\"\nの記事"}],"max_completion_tokens":100}"#
                ),
            ),
            (
                &format!("provider = \"openai\"\nbase_url = \"http://a/v1\"\n{PARAMS}"),
                Some(" \n"),
                "http://a/v1/chat/completions",
                concat!(
                    r#"{"model":"m","messages":[{"role":"user","content":"「量子」\"<&>\"\nの記事"}],"temperature":0.7,"#,
                    r#""top_p":0.9,"top_k":40,"seed":7,"max_tokens":100,"stop":["終"]}"#
                ),
            ),
            (
                "provider = \"anthropic\"",
                None,
                "https://api.anthropic.com/v1/messages",
                concat!(
                    r#"{"model":"m","max_tokens":8192,"#,
                    r#""messages":[{"role":"user","content":"「量子」\"<&>\"\nの記事"}]}"#
                ),
            ),
            (
                &format!("provider = \"anthropic\"\n{PARAMS}"),
                Some("簡潔に"),
                "https://api.anthropic.com/v1/messages",
                concat!(
                    r#"{"model":"m","max_tokens":100,"system":"簡潔に","#,
                    r#""messages":[{"role":"user","content":"「量子」\"<&>\"\nの記事"}],"#,
                    r#""temperature":0.7,"top_p":0.9,"top_k":40,"stop_sequences":["終"]}"#
                ),
            ),
            ("provider = \"recorded\"", Some("簡潔に"), "recorded:", "簡潔に\n\n「量子」\"<&>\"\nの記事"),
            (
                "provider = \"command\"\ncommand = [\"./answer\", \"-x\", \"日 本\"]",
                None,
                r#"["./answer","-x","日 本"]"#,
                "「量子」\"<&>\"\nの記事",
            ),
        ] {
            let model = model(&format!("id = \"m\"\n{lines}"));
            let request = encode(&model, &prompt(system));
            assert_eq!((request.url.as_str(), request.body.as_str()), (url, body), "{lines}");
        }
    }

    #[test]
    fn fields_of_the_users_own_are_merged_and_win() {
        let model = model(
            r#"id = "m"
            provider = "gemini"
            [params]
            temperature = 0.7
            stop = ["a", "b"]
            [params.extra]
            safetySettings = [{ category = "HARM_CATEGORY_HARASSMENT", threshold = "OFF" }]
            [params.extra.generationConfig]
            temperature = 1
            stopSequences = ["c"]
            thinkingConfig = { thinkingLevel = "LOW" }"#,
        );
        let expected = concat!(
            r#"{"contents":[{"parts":[{"text":"「量子」\"<&>\"\nの記事"}],"role":"user"}],"#,
            r#""generationConfig":{"stopSequences":["c"],"temperature":1,"thinkingConfig":{"thinkingLevel":"LOW"}},"#,
            r#""safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}]}"#
        );
        assert_eq!(encode(&model, &prompt(None)).body, expected);
    }

    #[test]
    fn a_models_name_fits_into_the_address() {
        for (name, path) in [
            ("gemini-3.5-flash", "models/gemini-3.5-flash"),
            ("models/gemini-3.5-flash", "models/gemini-3.5-flash"),
            ("tunedModels/mine-1", "tunedModels/mine-1"),
            ("../日本?x#y", "models/..%2F%E6%97%A5%E6%9C%AC%3Fx%23y"),
        ] {
            let model =
                model(&format!("id = \"m\"\nprovider = \"gemini\"\nbase_url = \"http://a\"\nmodel = \"{name}\""));
            assert_eq!(encode(&model, &prompt(None)).url, format!("http://a/v1beta/{path}:generateContent"), "{name}");
        }
    }

    #[test]
    fn headers_of_the_users_own_win_in_whichever_case() {
        let model = model(
            "id = \"m\"\nprovider = \"anthropic\"\nheaders = { Anthropic-Version = \"2026-10-21\", X-Team = \"Eval\" }",
        );
        let headers = encode(&model, &prompt(None)).headers;
        let expected = [("anthropic-version", "2026-10-21"), ("content-type", "application/json"), ("x-team", "Eval")];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_parameter_that_cannot_be_sent_is_named() {
        for (lines, expected) in [
            ("provider = \"gemini\"\nparams = { seed = 1, top_k = 1 }", &[][..]),
            ("provider = \"anthropic\"\nparams = { seed = 1, top_k = 1 }", &["seed"]),
            ("provider = \"openai\"\nparams = { seed = 1, top_k = 1 }", &["top_k"]),
            ("provider = \"openai\"\nbase_url = \"http://a\"\nparams = { top_k = 1 }", &[]),
            ("provider = \"openai\"\nparams = { extra = { stream = true } }", &["extra.stream"]),
            ("provider = \"openai\"\nparams = { extra = { stream = false } }", &[]),
            ("provider = \"recorded\"\nparams = { temperature = 1, stop = [\"a\"] }", &["temperature", "stop"]),
            ("provider = \"command\"\ncommand = [\"a\"]\nparams = { extra = { a = 1 } }", &["extra"]),
        ] {
            assert_eq!(unsupported(&model(&format!("id = \"m\"\n{lines}"))), expected, "{lines}");
        }
    }

    #[test]
    fn a_key_goes_into_the_header_that_its_provider_reads() {
        for (provider, name, value) in [
            (Provider::Gemini, "x-goog-api-key", "k"),
            (Provider::OpenAi, "authorization", "Bearer k"),
            (Provider::Anthropic, "x-api-key", "k"),
        ] {
            assert_eq!(key_header(provider, "k"), (name, value.to_owned()));
        }
    }

    #[test]
    fn tokens_are_estimated_by_script() {
        for (text, expected) in [("", 0), ("abcde", 2), ("日本語", 3), ("JETRO の量子", 5)] {
            assert_eq!(estimate_tokens(text), expected, "{text}");
        }
    }
}
