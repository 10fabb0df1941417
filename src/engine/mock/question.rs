//! What a request's body asks, whichever protocol it is in.
//!
//! Promises to say what is missing in words that a vendor would use; reads no more than an answer depends on.

use serde_json::Value;

use super::number;
use super::route::{Form, Protocol};
use crate::prompt::{Rendered, base16};
use crate::provider::estimate_tokens;

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub protocol: Protocol,
    /// The model as the client names it.
    pub model: String,
    /// The system text and the last turn of the user.
    pub prompt: Rendered,
    pub form: Form,
    /// Whether a stream of chat completions ends with its counts.
    pub wants_usage: bool,
    /// The most tokens of an answer.
    pub max_tokens: Option<u64>,
    /// Whether the rest of an answer is asked for.
    pub goes_on: bool,
    /// The same for the same question, and no other.
    pub digest: u64,
}

impl Question {
    /// Reads a body.
    ///
    /// # Errors
    /// What a vendor would refuse it for.
    pub(super) fn read(protocol: Protocol, model: Option<String>, form: Form, bytes: &[u8]) -> Result<Self, String> {
        let body: Value = serde_json::from_slice(bytes).map_err(|error| format!("the body is no JSON: {error}"))?;
        let named = || body["model"].as_str().map(str::to_owned).ok_or("model: Field required");
        let model = model.map_or_else(named, Ok)?;
        let digest = number(&[protocol.name().as_bytes(), model.as_bytes(), bytes]);
        let streams = protocol != Protocol::Gemini && body["stream"] == true;
        let turns = match protocol {
            Protocol::Gemini => list(&body, "contents")?,
            Protocol::OpenAi | Protocol::Anthropic => list(&body, "messages")?,
        };
        let user = last_of_user(&turns)?;
        let max_tokens = match protocol {
            Protocol::Gemini => {
                let config = either(&body, "generationConfig", "generation_config");
                either(config, "maxOutputTokens", "max_output_tokens").as_u64()
            }
            Protocol::OpenAi => either(&body, "max_completion_tokens", "max_tokens").as_u64(),
            Protocol::Anthropic => Some(body["max_tokens"].as_u64().ok_or("max_tokens: Field required")?),
        };
        let goes_on = match protocol {
            Protocol::Gemini => either(&body, "continuationToken", "continuation_token").is_string(),
            Protocol::OpenAi => false,
            Protocol::Anthropic => turns.last().is_some_and(|turn| turn["role"] == "assistant"),
        };
        Ok(Self {
            protocol,
            prompt: Rendered { system: system_of(protocol, &body, &turns), user },
            form: if streams { Form::Events } else { form },
            wants_usage: body["stream_options"]["include_usage"] == true,
            max_tokens,
            goes_on,
            digest,
            model,
        })
    }

    /// About how many tokens the prompt of a body has that asks for no more than that.
    ///
    /// # Errors
    /// What a vendor would refuse it for.
    pub(super) fn count(protocol: Protocol, bytes: &[u8]) -> Result<u64, String> {
        let body: Value = serde_json::from_slice(bytes).map_err(|error| format!("the body is no JSON: {error}"))?;
        // Gemini takes a whole request in the place of its turns.
        let body = if body["generateContentRequest"].is_object() { &body["generateContentRequest"] } else { &body };
        let turns = list(body, if protocol == Protocol::Gemini { "contents" } else { "messages" })?;
        last_of_user(&turns)?;
        let texts = turns.iter().map(|turn| text_of(&turn["content"]) + &parts_of(turn));
        let system = system_of(protocol, body, &turns).filter(|_| protocol != Protocol::OpenAi);
        Ok(texts.chain(system).map(|text| estimate_tokens(&text)).sum())
    }

    /// The digest as it is shown.
    pub(super) fn shown_digest(&self) -> String {
        base16(&self.digest.to_be_bytes())
    }

    /// About how many tokens the prompt has.
    pub(super) fn tokens(&self) -> u64 {
        estimate_tokens(self.prompt.system.as_deref().unwrap_or_default()) + estimate_tokens(&self.prompt.user)
    }
}

/// Gemini's fields are known by both spellings.
fn either<'a>(object: &'a Value, one: &str, other: &str) -> &'a Value {
    let value = &object[one];
    if value.is_null() { &object[other] } else { value }
}

/// A list that must not be empty; Gemini takes a single turn without one.
fn list(body: &Value, key: &str) -> Result<Vec<Value>, String> {
    match &body[key] {
        Value::Array(turns) if !turns.is_empty() => Ok(turns.clone()),
        turn @ Value::Object(_) => Ok(vec![turn.clone()]),
        Value::Null => Err(format!("{key}: Field required")),
        _ => Err(format!("{key}: a list of at least one turn is expected")),
    }
}

/// Gemini takes a turn without a role for the user's.
fn is_users(turn: &Value) -> bool {
    turn["role"].as_str().is_none_or(|role| role == "user")
}

/// The text of the user's last turn. Nothing but text is understood here, and what is not must not seem to be.
fn last_of_user(turns: &[Value]) -> Result<String, String> {
    let mut blocks =
        turns.iter().flat_map(|turn| [&turn["content"], &turn["parts"]]).filter_map(Value::as_array).flatten();
    if let Some(kind) = blocks.find_map(media) {
        return Err(format!("evalrun mock understands text alone, and there is `{kind}`"));
    }
    let user = turns.iter().rfind(|turn| is_users(turn)).map(|turn| text_of(&turn["content"]) + &parts_of(turn));
    user.ok_or_else(|| "there is no turn of the user".to_owned())
}

/// What a block or part is called that holds an image, a sound or a file.
fn media(block: &Value) -> Option<&str> {
    const TYPES: [&str; 5] = ["image", "image_url", "input_audio", "document", "file"];
    const PARTS: [&str; 4] = ["inlineData", "inline_data", "fileData", "file_data"];
    let by_type = block["type"].as_str().filter(|kind| TYPES.contains(kind));
    by_type.or_else(|| PARTS.into_iter().find(|part| block[part].is_object()))
}

fn system_of(protocol: Protocol, body: &Value, turns: &[Value]) -> Option<String> {
    let text = match protocol {
        Protocol::Gemini => parts_of(either(body, "systemInstruction", "system_instruction")),
        Protocol::Anthropic => text_of(&body["system"]),
        Protocol::OpenAi => {
            let is_system = |turn: &&Value| matches!(turn["role"].as_str(), Some("system" | "developer"));
            let texts: Vec<String> = turns.iter().filter(is_system).map(|turn| text_of(&turn["content"])).collect();
            texts.join("\n\n")
        }
    };
    (!text.trim().is_empty()).then_some(text)
}

/// A text, or the texts of a list of blocks.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The texts of Gemini's parts.
fn parts_of(content: &Value) -> String {
    text_of(&content["parts"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(protocol: Protocol, body: &str) -> Result<Question, String> {
        let model = (protocol == Protocol::Gemini).then(|| "m".to_owned());
        Question::read(protocol, model, Form::Whole, body.as_bytes())
    }

    #[test]
    fn every_protocol_asks_the_same() {
        for (protocol, body) in [
            (
                Protocol::Gemini,
                r#"{"systemInstruction":{"parts":[{"text":"優しく"}]},"contents":[{"role":"user","parts":[{"text":"量"},{"text":"子"}]}],
                    "generationConfig":{"maxOutputTokens":9}}"#,
            ),
            (
                Protocol::Gemini,
                r#"{"system_instruction":{"parts":[{"text":"優しく"}]},"contents":{"parts":[{"text":"量子"}]},
                    "generation_config":{"max_output_tokens":9}}"#,
            ),
            (
                Protocol::OpenAi,
                r#"{"model":"m","messages":[{"role":"developer","content":"優しく"},{"role":"user","content":"量子"}],"max_tokens":9}"#,
            ),
            (
                Protocol::Anthropic,
                r#"{"model":"m","system":[{"type":"text","text":"優しく"}],"max_tokens":9,
                    "messages":[{"role":"user","content":[{"type":"text","text":"量子"}]}]}"#,
            ),
        ] {
            let question = read(protocol, body).unwrap();
            assert_eq!(question.prompt, Rendered { system: Some("優しく".into()), user: "量子".into() }, "{body}");
            assert_eq!((question.model.as_str(), question.max_tokens), ("m", Some(9)));
            assert_eq!((question.form, question.goes_on), (Form::Whole, false));
        }
    }

    #[test]
    fn what_a_vendor_would_refuse_is_refused() {
        for (protocol, body, expected) in [
            (Protocol::Gemini, "{", "the body is no JSON: EOF while parsing an object at line 1 column 1"),
            (Protocol::Gemini, "{}", "contents: Field required"),
            (Protocol::OpenAi, r#"{"messages":[{"role":"user","content":"a"}]}"#, "model: Field required"),
            (Protocol::OpenAi, r#"{"model":"m","messages":[]}"#, "messages: a list of at least one turn is expected"),
            (Protocol::OpenAi, r#"{"model":"m","messages":[{"role":"system"}]}"#, "there is no turn of the user"),
            (
                Protocol::Anthropic,
                r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
                "max_tokens: Field required",
            ),
        ] {
            assert_eq!(read(protocol, body).unwrap_err(), expected);
        }
    }

    #[test]
    fn what_is_no_text_is_refused_rather_than_passed_over() {
        for (protocol, body, kind) in [
            (
                Protocol::Gemini,
                r#"{"contents":[{"parts":[{"text":"量子"},{"inlineData":{"mimeType":"image/png","data":""}}]}]}"#,
                "inlineData",
            ),
            (
                Protocol::OpenAi,
                r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}}]}]}"#,
                "image_url",
            ),
            (
                Protocol::Anthropic,
                r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}]}"#,
                "image",
            ),
        ] {
            let expected = format!("evalrun mock understands text alone, and there is `{kind}`");
            assert_eq!(read(protocol, body).unwrap_err(), expected);
        }
    }

    #[test]
    fn tokens_are_counted_without_an_answer() {
        for (protocol, body) in [
            (Protocol::Gemini, r#"{"contents":[{"parts":[{"text":"量子"}]}]}"#),
            (Protocol::Gemini, r#"{"generateContentRequest":{"contents":[{"parts":[{"text":"量子"}]}]}}"#),
            (Protocol::Anthropic, r#"{"model":"m","system":"子","messages":[{"role":"user","content":"量"}]}"#),
        ] {
            assert_eq!(Question::count(protocol, body.as_bytes()), Ok(2), "{body}");
        }
        assert!(Question::count(Protocol::Anthropic, b"{}").is_err());
    }

    #[test]
    fn a_digest_is_that_of_protocol_model_and_body() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":1}"#;
        let digest = |protocol, body: &str| read(protocol, body).unwrap().digest;
        assert_eq!(digest(Protocol::OpenAi, body), digest(Protocol::OpenAi, body));
        assert_ne!(digest(Protocol::OpenAi, body), digest(Protocol::Anthropic, body));
        assert_ne!(digest(Protocol::OpenAi, body), digest(Protocol::OpenAi, &body.replace('1', "2")));
    }
}
