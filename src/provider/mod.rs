//! How each API spells a request and an answer.
//!
//! Promises pure encoding and decoding: bytes in, types out, whatever a server sends. Leaves sending, keys and retries
//! to `engine`.

mod anthropic;
mod failure;
mod gemini;
mod message;
mod openai;
mod parameter;
mod sse;
mod stream;
mod wait;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{Model, Provider};
use crate::prompt::Rendered;
use crate::request::Request;
use crate::response::{Failure, FailureKind, Finish, FinishReason, Response, Usage};

pub use anthropic::DEFAULT_MAX_TOKENS;
pub use stream::{Stream, decode_stream};

/// An HTTP answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpReply {
    /// The first header of that name (in lower case), without surrounding blanks.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.trim())
    }

    /// Whether the status is one of success; the body may say otherwise.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }
}

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

/// Reads what a server sent back, or what a program or a file of recorded answers gave.
///
/// # Errors
/// What the server says went wrong, whichever provider's shape it says it in, or [`FailureKind::Malformed`] for a
/// success that holds neither an answer nor the reason for having none. A prompt that was filtered is no failure but an
/// answer without text, even where the server calls it an error.
pub fn decode(provider: Provider, reply: &HttpReply) -> Result<Response, Failure> {
    if !provider.is_remote() {
        return decode_plain_text(reply);
    }
    let parsed = parse(&reply.body);
    let body = parsed.as_ref().ok().map(out_of_array);
    if !reply.is_success() || body.is_some_and(names_an_error) {
        return failure::decode(reply, body);
    }
    let malformed = |why: &str| Failure {
        status: Some(reply.status),
        ..Failure::new(FailureKind::Malformed, message::malformed(why, &reply.body))
    };
    let body = body.ok_or_else(|| malformed(parsed.as_ref().err().map_or("", String::as_str)))?;
    let mut response = match provider {
        Provider::Gemini => gemini::decode(reply, body)?,
        Provider::Anthropic => anthropic::decode(body),
        Provider::OpenAi | Provider::Recorded | Provider::Command => openai::decode(reply, body)?,
    };
    // A word that nobody knows and no text: that is no answer of the model's, and nothing to hold against it.
    let unclear = matches!(response.finish.reason, FinishReason::Other | FinishReason::Unknown);
    if unclear && response.text.as_deref().is_none_or(str::is_empty) {
        return Err(malformed(&match response.finish.detail {
            Some(detail) => format!("no answer, and no known reason for that ({detail})"),
            None => "no answer, and no reason for that".to_owned(),
        }));
    }
    response.usage = counted(response.usage, response.text.as_deref());
    Ok(response)
}

/// The request for the rest of an answer that `request` asked for and of which `response` is a part; `None` where there is
/// no rest, or the server gave no way to it.
pub fn rest(request: &Request, response: &Response) -> Option<Request> {
    let rest = response.rest.as_ref()?;
    let mut body: Value = serde_json::from_str(&request.body).ok()?;
    match request.provider {
        Provider::Gemini => gemini::go_on(&mut body, rest)?,
        Provider::Anthropic => anthropic::go_on(&mut body, rest)?,
        Provider::OpenAi | Provider::Recorded | Provider::Command => return None,
    }
    Some(Request { body: body.to_string(), ..request.clone() })
}

/// How long nothing more may be sent, as an answer's own headers say: a limit has nothing left until then.
pub fn used_up(reply: &HttpReply) -> Option<Duration> {
    wait::until_reset(reply)
}

/// The set parameters that the model's provider has no field for, by their names in evalrun.toml.
///
/// Providers that send nothing to a server have no field for any of them.
pub fn unsupported(model: &Model) -> Vec<&'static str> {
    let params = &model.params;
    let local = !model.provider.is_remote();
    let openai_itself = model.provider == Provider::OpenAi && model.is_vendors_own();
    // A stream is asked for by the model's own `stream`, so that it is read as one.
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

/// The most tokens that an answer of `model` may have, as its requests say; `None` where they leave that to the server.
pub fn output_limit(model: &Model) -> Option<u64> {
    let extra = &model.params.extra;
    let given = match model.provider {
        Provider::Gemini => extra.get("generationConfig").and_then(|config| config.get("maxOutputTokens")),
        Provider::OpenAi => extra.get("max_completion_tokens").or_else(|| extra.get("max_tokens")),
        Provider::Anthropic => extra.get("max_tokens"),
        Provider::Recorded | Provider::Command => None,
    };
    let default = (model.provider == Provider::Anthropic).then_some(DEFAULT_MAX_TOKENS);
    given.and_then(Value::as_u64).or_else(|| model.params.max_output_tokens.or(default).map(u64::from))
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
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn decode_plain_text(reply: &HttpReply) -> Result<Response, Failure> {
    match std::str::from_utf8(&reply.body) {
        Ok(text) => Ok(Response { text: (!text.is_empty()).then(|| text.to_owned()), ..Response::default() }),
        Err(error) => Err(Failure::new(FailureKind::Malformed, format!("the answer is not UTF-8: {error}"))),
    }
}

/// A body as JSON; why not, if it is none.
fn parse(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|error| format!("the body is not UTF-8: {error}"))?;
    let text = text.trim_start_matches('\u{FEFF}');
    if text.trim().is_empty() {
        return Err("the body is empty".to_owned());
    }
    let parsed = serde_json::from_str(text).or_else(|error| match with_whole_surrogates(text) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    });
    parsed.map_err(|error| format!("the body is no JSON: {error}"))
}

/// The text with every lone half of a surrogate pair replaced by U+FFFD; `None` if there is none.
///
/// An answer cut within an emoji comes from some servers with such a half. It has been paid for, and asking again
/// would give the same.
fn with_whole_surrogates(text: &str) -> Option<String> {
    let unit_at = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut mended = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        let length = match (unit_at(start), unit_at(start + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str(&text[copied..start]);
                mended.push_str("\\ufffd");
                copied = start + 6;
                6
            }
            // Whatever is escaped is passed over, so that an escaped backslash starts no escape of its own.
            _ => 1 + text[start + 1..].chars().next().map_or(0, char::len_utf8),
        };
        at = start + length;
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(&text[copied..]);
    Some(mended)
}

/// Some errors come wrapped in an array.
fn out_of_array(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.first().unwrap_or(value),
        _ => value,
    }
}

/// Whether a body tells of an error; servers send `null` or nothing at all where there is none.
fn names_an_error(body: &Value) -> bool {
    let said = match &body["error"] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    };
    said || body["type"] == "error"
}

/// A count however it is written: 64-bit numbers come as texts from some servers.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not negative")]
            let whole = number as u64;
            Some(whole)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The sum of the counts that are there; `None` if none is.
fn sum(counts: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    counts.into_iter().flatten().reduce(u64::saturating_add)
}

/// Counts without those that cannot be: a zero beside a prompt or an answer is a count that nobody made.
fn counted(usage: Usage, text: Option<&str>) -> Usage {
    let has_text = text.is_some_and(|text| !text.is_empty());
    Usage {
        input_tokens: usage.input_tokens.filter(|&tokens| tokens > 0),
        output_tokens: usage.output_tokens.filter(|&tokens| tokens > 0 || (!has_text && usage.input_tokens > Some(0))),
        ..usage
    }
}

/// Texts as one; `None` if there is none, which is not the same as an empty one.
fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    texts.into_iter().fold(None, |joined: Option<String>, text| Some(joined.unwrap_or_default() + text))
}

fn contains_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// A name that a server gave, such as a model's.
fn name(value: &Value) -> Option<String> {
    value.as_str().map(|name| message::tidy(name, 200)).filter(|name| !name.is_empty())
}

/// The finish of a provider's word, its explanation after the word.
fn finish(word: &str, explanation: Option<&str>) -> Finish {
    let finish = Finish::of(&message::tidy(word, 100));
    let explanation = explanation.map(|text| message::tidy(text, message::MAX_CHARS)).filter(|text| !text.is_empty());
    let detail = match (finish.detail, explanation) {
        (Some(word), Some(explanation)) => Some(format!("{word}: {explanation}")),
        (word, explanation) => word.or(explanation),
    };
    Finish { reason: finish.reason, detail }
}

#[cfg(test)]
mod testing {
    use super::*;

    /// A reply with a body kept in tests/fixtures/provider.
    pub(super) fn reply(status: u16, headers: &[(&str, &str)], file: &str) -> HttpReply {
        let path = format!("{}/tests/fixtures/provider/{file}", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpReply { status, headers, body }
    }

    /// A model as evalrun.toml would give it, from the lines of its table.
    pub(super) fn model(lines: &str) -> Model {
        let file = crate::diagnostic::TextFile::new("evalrun.toml", lines);
        let node = crate::document::parse_toml(&file, 0..lines.len()).unwrap();
        let reader = crate::document::Reader::new(&file);
        let model = Model::read(&reader, &node);
        reader.finish(model).unwrap().unwrap()
    }

    /// A success as `finish reason (detail) | text | input/output/cached/thinking | served model | id`.
    pub(super) fn summary(provider: Provider, file: &str) -> String {
        shown(decode(provider, &reply(200, &[], file)))
    }

    /// The same of what was decoded.
    pub(super) fn shown(decoded: Result<Response, Failure>) -> String {
        let show = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        match decoded {
            Err(failure) => failure.to_string(),
            Ok(Response { text, finish, usage, served_model, id, .. }) => format!(
                "{} ({}) | {} | {}/{}/{}/{} | {} | {}",
                finish.reason.name(),
                finish.detail.unwrap_or_default(),
                text.map_or("none".to_owned(), |text| format!("{text:?}")),
                show(usage.input_tokens),
                show(usage.output_tokens),
                show(usage.cached_input_tokens),
                show(usage.thinking_tokens),
                served_model.unwrap_or_default(),
                id.unwrap_or_default()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{model, reply};
    use super::*;
    use proptest::prelude::*;

    const REMOTE: [Provider; 3] = [Provider::Gemini, Provider::OpenAi, Provider::Anthropic];

    fn prompt(system: Option<&str>) -> Rendered {
        Rendered { system: system.map(str::to_owned), user: "「量子」\"<&>\"\nの記事".to_owned() }
    }

    /// The body of the request for the rest of what a server sent back.
    fn rest_of(lines: &str, decode: impl Fn(Provider) -> Result<Response, Failure>) -> Option<Value> {
        let model = model(&format!("id = \"m\"\n{lines}"));
        let request = encode(&model, &prompt(None));
        let next = rest(&request, &decode(model.provider).unwrap())?;
        assert_eq!((&next.url, &next.headers), (&request.url, &request.headers));
        serde_json::from_str(&next.body).ok()
    }

    #[test]
    fn the_rest_of_an_answer_is_asked_for_by_the_same_request_with_what_came() {
        let first: Value =
            serde_json::from_str(&encode(&model("id = \"m\"\nprovider = \"gemini\""), &prompt(None)).body).unwrap();
        let gemini =
            rest_of("provider = \"gemini\"", |provider| decode(provider, &reply(200, &[], "gemini/continuation.json")))
                .unwrap();
        assert_eq!((&gemini["contents"], &gemini["continuationToken"]), (&first["contents"], &"Y29udGludWU=".into()));
        let streamed = rest_of("provider = \"gemini\"\nstream = true", |provider| {
            decode_stream(provider, &reply(200, &[], "gemini/stream_continuation.sse"))
        });
        assert_eq!(streamed.unwrap()["continuationToken"], "bW9yZQ==");

        let paused =
            rest_of("provider = \"anthropic\"", |provider| decode(provider, &reply(200, &[], "anthropic/pause.json")))
                .unwrap();
        assert_eq!(paused["messages"][0]["role"], "user");
        assert_eq!(
            paused["messages"][1],
            serde_json::json!({"role": "assistant", "content": [{"type": "text", "text": "第一部。"}]})
        );
        let streamed = rest_of("provider = \"anthropic\"\nstream = true", |provider| {
            decode_stream(provider, &reply(200, &[], "anthropic/stream_pause.sse"))
        });
        assert_eq!(
            streamed.unwrap()["messages"][1]["content"],
            serde_json::json!([
                {"type": "thinking", "thinking": "考え中", "signature": "c2ln"},
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "量子"}},
                {"type": "text", "text": "第一部。", "citations": [{"url": "https://example.com"}]},
            ])
        );
    }

    #[test]
    fn an_answer_at_its_end_or_without_a_way_on_has_no_rest() {
        for (lines, file) in [
            ("provider = \"gemini\"", "gemini/answer.json"),
            ("provider = \"gemini\"", "gemini/truncated.json"),
            ("provider = \"gemini\"", "gemini/continuation_without_token.json"),
            ("provider = \"anthropic\"", "anthropic/answer.json"),
            ("provider = \"openai\"", "openai/answer.json"),
        ] {
            assert_eq!(rest_of(lines, |provider| decode(provider, &reply(200, &[], file))), None, "{file}");
        }
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
    fn a_stream_is_asked_for_in_the_providers_own_way() {
        let prompt = Rendered { system: None, user: "量子".into() };
        for (provider, url, body) in [
            (
                "gemini",
                "http://a/v1beta/models/m:streamGenerateContent?alt=sse",
                r#"{"contents":[{"role":"user","parts":[{"text":"量子"}]}]}"#,
            ),
            (
                "openai",
                "http://a/chat/completions",
                concat!(
                    r#"{"model":"m","messages":[{"role":"user","content":"量子"}],"#,
                    r#""stream":true,"stream_options":{"include_usage":true}}"#
                ),
            ),
            (
                "anthropic",
                "http://a/v1/messages",
                r#"{"model":"m","max_tokens":8192,"messages":[{"role":"user","content":"量子"}],"stream":true}"#,
            ),
        ] {
            let model =
                model(&format!("id = \"m\"\nprovider = \"{provider}\"\nbase_url = \"http://a\"\nstream = true"));
            let request = encode(&model, &prompt);
            assert_eq!((request.url.as_str(), request.body.as_str()), (url, body));
        }
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

    #[test]
    fn what_a_program_or_a_file_gives_is_the_answer_itself() {
        let plain = |body: &[u8]| HttpReply { status: 200, headers: vec![], body: body.to_vec() };
        for provider in [Provider::Recorded, Provider::Command] {
            let response = decode(provider, &plain("{\"error\": \"記事\"}\n".as_bytes())).unwrap();
            assert_eq!(response.text.as_deref(), Some("{\"error\": \"記事\"}\n"));
            assert_eq!(decode(provider, &plain(b"")).unwrap(), Response::default());
            assert_eq!(decode(provider, &plain(b"\xFF")).unwrap_err().kind, FailureKind::Malformed);
        }
    }

    #[test]
    fn half_a_surrogate_pair_becomes_a_replacement_character() {
        for (text, expected) in [
            (r#"["\ud83d\ude00"]"#, None),
            (r#"["\\ud83d"]"#, None),
            (r#"["\ud83d"]"#, Some(r#"["\ufffd"]"#)),
            (r#"["\ude00\ud83d\u3042\ud83d\ude00"]"#, Some(r#"["\ufffd\ufffd\u3042\ud83d\ude00"]"#)),
            (r#"["\\\uD83D日"]"#, Some(r#"["\\\ufffd日"]"#)),
            (r"\ud8", None),
            (r"\u日本", None),
            (r"\", None),
        ] {
            assert_eq!(with_whole_surrogates(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_fixture_is_understood_on_every_route() {
        for folder in REMOTE.map(Provider::name) {
            let path = format!("{}/tests/fixtures/provider/{folder}", env!("CARGO_MANIFEST_DIR"));
            for entry in std::fs::read_dir(path).unwrap() {
                let file = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
                for (provider, status) in
                    REMOTE.into_iter().flat_map(|p| [200, 301, 400, 404, 429, 500].map(|s| (p, s)))
                {
                    check_shape(&decode(provider, &reply(status, &[], &file)));
                }
            }
        }
    }

    /// What holds of every result: messages are one short line that says something.
    fn check_shape(result: &Result<Response, Failure>) {
        let said = match result {
            Ok(response) => response.finish.detail.clone().unwrap_or_else(|| "nothing to say".to_owned()),
            Err(failure) => failure.message.clone(),
        };
        assert!(!said.trim().is_empty() && !said.contains(char::is_control), "{said:?}");
        assert!(said.chars().count() <= message::MAX_CHARS + 102, "{said:?}");
        if let Err(failure) = result {
            assert!(failure.message.chars().count() <= message::MAX_CHARS, "{failure}");
        }
    }

    /// JSON made of the names that the codecs look for, so that odd values stand in every place.
    fn odd_json() -> impl Strategy<Value = Value> {
        const NAMES: &[&str] = &[
            "candidates",
            "content",
            "parts",
            "text",
            "thought",
            "finishReason",
            "finishMessage",
            "promptFeedback",
            "blockReason",
            "usageMetadata",
            "promptTokenCount",
            "choices",
            "message",
            "refusal",
            "finish_reason",
            "usage",
            "prompt_tokens",
            "total_tokens",
            "stop_reason",
            "input_tokens",
            "error",
            "code",
            "type",
            "status",
            "details",
            "retryDelay",
            "violations",
            "quotaId",
            "detail",
            "loc",
            "metadata",
            "raw",
            "param",
            "model",
            "id",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            prop::sample::select(vec![
                "text",
                "error",
                "SAFETY",
                "stop",
                "429",
                "-1s",
                "{\"error\": [[]]}",
                "<html>é<p"
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((prop::sample::select(NAMES), inner), 0..6)
                    .prop_map(|entries| entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
            #[test]
            fn no_bytes_are_too_odd(
                body in prop::collection::vec(any::<u8>(), 0..200),
                text in "(<|</|>|script|title|!--|-->|é|\\\\u|d83d|\"|\\{|\\[){0,24}",
                status in any::<u16>(),
            ) {
                for body in [body, text.into_bytes()] {
                    let reply = HttpReply { status, headers: vec![], body };
                    for provider in REMOTE {
     check_shape(&decode(provider, &reply));
    }
                }
            }

            #[test]
            fn no_json_is_too_odd(
                body in odd_json(),
                status in prop::sample::select(vec![200_u16, 302, 400, 403, 404, 429, 500]),
                header in prop::sample::select(vec!["retry-after", "retry-after-ms", "date", "x-ratelimit-remaining-x"]),
                value in "[ -~]{0,12}",
            ) {
                let headers = vec![(header.to_owned(), value)];
                let reply = HttpReply { status, headers, body: body.to_string().into_bytes() };
                for provider in REMOTE {
     check_shape(&decode(provider, &reply));
    }
            }
        }
}
