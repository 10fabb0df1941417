//! Anthropic's messages.
//!
//! An answer that ends with `pause_turn` is a part: the same request with it as a turn of the assistant gives the next one.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::stream::{is_said, take_over};
use super::{address, count, finish, joined, name, sum, system_text};
use crate::model::Model;
use crate::prompt::Rendered;
use crate::response::{Response, Usage};

/// The limit of an answer in tokens where `max_output_tokens` is not set: this API wants one in every request.
pub const DEFAULT_MAX_TOKENS: u32 = 8192;

/// The version that every compatible server knows and that lets older models take sampling parameters.
pub(super) const VERSION: &str = "2023-06-01";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a str>,
    messages: [Message<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &'a Model, prompt: &'a Rendered) -> Self {
        let params = &model.params;
        Self {
            model: &model.name,
            max_tokens: params.max_output_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
            system: system_text(prompt),
            messages: [Message { role: "user", content: &prompt.user }],
            temperature: params.temperature,
            top_p: params.top_p,
            top_k: params.top_k,
            stop_sequences: &params.stop,
            stream: model.stream.then_some(true),
        }
    }
}

pub(super) fn url(model: &Model) -> String {
    address(model, "v1/messages")
}

/// A streamed answer: a message without content, the blocks by their places, and what is known at the end alone.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    message: Map<String, Value>,
    usage: Map<String, Value>,
    blocks: BTreeMap<u64, Block>,
    is_over: bool,
}

/// A block of the content.
#[derive(Debug, Default)]
struct Block {
    fields: Map<String, Value>,
    text: String,
    /// A tool's input: JSON in pieces.
    input: String,
}

impl Pieces {
    /// Adds an event, whatever its kind: those that are not known say nothing. Whether it is the last one.
    pub(super) fn add(&mut self, event: Value) -> bool {
        let Value::Object(mut event) = event else { return false };
        let mut field = |name: &str| event.remove(name).unwrap_or_default();
        let kind = field("type");
        let index = field("index").as_u64().unwrap_or(0);
        match kind.as_str().unwrap_or_default() {
            "message_start" => {
                let mut message = field("message");
                take_over(&mut self.usage, message.get_mut("usage").map(Value::take).unwrap_or_default());
                take_over(&mut self.message, message);
            }
            "content_block_start" => {
                let block = self.blocks.entry(index).or_default();
                let begun = field("content_block");
                block.text.push_str(begun["text"].as_str().unwrap_or_default());
                take_over(&mut block.fields, begun);
            }
            "content_block_delta" => {
                self.blocks.entry(index).or_default().add(field("delta"));
            }
            "message_delta" => {
                take_over(&mut self.usage, field("usage"));
                take_over(&mut self.message, field("delta"));
            }
            "message_stop" => self.is_over = true,
            _ => {}
        }
        self.is_over
    }

    pub(super) fn has_text(&self) -> bool {
        self.blocks.values().any(|block| block.is_text() && !block.text.is_empty())
    }

    pub(super) fn are_whole(&self) -> bool {
        self.is_over || is_said(self.message.get("stop_reason"))
    }

    pub(super) fn into_whole(self) -> Value {
        let Self { mut message, usage, blocks, .. } = self;
        let content: Vec<Value> = blocks.into_values().map(Block::into_whole).collect();
        message.insert("content".to_owned(), content.into());
        message.insert("usage".to_owned(), usage.into());
        message.into()
    }
}

impl Block {
    /// Adds a delta. Besides the text all is kept as it was sent: a paused answer must be sent back with it.
    fn add(&mut self, mut delta: Value) {
        let mut field = |name: &str| delta.get_mut(name).map(Value::take).filter(|value| !value.is_null());
        if let Some(Value::String(text)) = field("text") {
            self.fields.entry("type").or_insert_with(|| "text".into());
            self.text.push_str(&text);
        }
        if let Some(Value::String(input)) = field("partial_json") {
            self.input.push_str(&input);
        }
        for name in ["thinking", "signature"] {
            let Some(Value::String(more)) = field(name) else { continue };
            match self.fields.entry(name).or_insert_with(|| "".into()) {
                Value::String(text) => text.push_str(&more),
                other => *other = more.into(),
            }
        }
        if let Some(citation) = field("citation") {
            match self.fields.entry("citations").or_insert_with(|| json!([])) {
                Value::Array(citations) => citations.push(citation),
                other => *other = json!([citation]),
            }
        }
    }

    fn is_text(&self) -> bool {
        self.fields.get("type").is_some_and(|kind| kind == "text")
    }

    fn into_whole(mut self) -> Value {
        if self.is_text() {
            self.fields.insert("text".to_owned(), self.text.into());
        }
        if let Ok(input) = serde_json::from_str(&self.input) {
            self.fields.insert("input".to_owned(), input);
        }
        self.fields.into()
    }
}

pub(super) fn decode(body: &Value) -> Response {
    let details = &body["stop_details"];
    let explanation = details["explanation"].as_str().or_else(|| details["category"].as_str());
    Response {
        text: text(&body["content"]),
        finish: finish(body["stop_reason"].as_str().unwrap_or(""), explanation),
        usage: usage(&body["usage"]),
        served_model: name(&body["model"]),
        id: name(&body["id"]),
        rest: (body["stop_reason"] == "pause_turn").then(|| said_so_far(&body["content"])).flatten(),
    }
}

/// What a paused answer must be sent back with; the API takes no empty text.
fn said_so_far(content: &Value) -> Option<Value> {
    let is_empty = |block: &&Value| block["type"] == "text" && !is_said(block.get("text"));
    let blocks: Vec<Value> = content.as_array()?.iter().filter(|block| !is_empty(block)).cloned().collect();
    (!blocks.is_empty()).then(|| blocks.into())
}

/// Lets a request's body ask for the rest of an answer.
pub(super) fn go_on(body: &mut Value, said: &Value) -> Option<()> {
    body["messages"].as_array_mut()?.push(json!({"role": "assistant", "content": said}));
    Some(())
}

/// The text blocks; thinking and tools have blocks of their own.
fn text(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(blocks) => {
            joined(blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()))
        }
        _ => None,
    }
}

/// `input_tokens` leaves out what was written to the cache or read from it.
fn usage(usage: &Value) -> Usage {
    let cached = count(&usage["cache_read_input_tokens"]);
    Usage {
        input_tokens: sum([count(&usage["input_tokens"]), count(&usage["cache_creation_input_tokens"]), cached]),
        output_tokens: count(&usage["output_tokens"]),
        cached_input_tokens: cached,
        thinking_tokens: count(&usage["output_tokens_details"]["thinking_tokens"]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::summary;
    use crate::model::Provider;

    #[test]
    fn every_kind_of_answer_is_read() {
        for (file, expected) in [
            (
                "answer",
                "stop (end_turn) | \"米イリノイ州で、日米の企業が交流しました。\" | 102/512/60/200 \
                 | claude-haiku-5-5 | msg_01Quantum",
            ),
            (
                "refusal",
                "refusal (refusal: This request was declined.) | none | 102/3/-/- | claude-sonnet-5-5 | msg_02",
            ),
            ("truncated", "length (max_tokens) | \"米イリノイ州で、量\" | 102/16/-/- | claude-haiku-4-5 | msg_03"),
            ("budget_spent_on_thinking", "length (max_tokens) | none | 102/1024/-/- | claude-haiku-5-5 | msg_04"),
            ("stop_sequence", "stop (stop_sequence) | \"記事です。\" | 102/6/-/- | claude-haiku-4-5 | msg_05"),
            ("pause", "continuation (pause_turn) | \"第一部。\" | 102/6/-/- | claude-haiku-4-5 | msg_06"),
            ("llama_cpp", "stop (end_turn) | \"記事です。\" | 40/5/-/- | gpt-3.5-turbo | chatcmpl-llama"),
            ("error_in_success", "unavailable (200 overloaded_error): Overloaded"),
        ] {
            assert_eq!(summary(Provider::Anthropic, &format!("anthropic/{file}.json")), expected, "{file}");
        }
        let nothing = summary(Provider::Anthropic, "anthropic/nothing.json");
        assert!(nothing.starts_with("malformed answer (200): no answer, and no reason for that"), "{nothing}");
    }
}
