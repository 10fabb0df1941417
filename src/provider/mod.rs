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

/// The address of `path` at a server; a query of the server's own address, such as `?api-version=…`, stays at the end.
fn address(model: &Model, path: &str) -> String {
    match model.base_url.split_once('?') {
        Some((base, query)) => {
            let joint = if path.contains('?') { '&' } else { '?' };
            format!("{}/{path}{joint}{query}", base.trim_end_matches('/'))
        }
        None => format!("{}/{path}", model.base_url),
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
mod tests;
