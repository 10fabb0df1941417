//! Answers as Gemini's `generateContent` spells them.

use serde_json::{Value, json};

use super::reply::{Said, pieces};
use crate::response::FinishReason;

pub(super) fn whole(said: &Said) -> Value {
    chunk(said, said.text.as_deref(), Some(said.reason))
}

/// A stream's values: each with the counts so far, the last one with the finish reason.
pub(super) fn events(said: &Said) -> Vec<Value> {
    let Some(text) = said.text.as_deref().filter(|text| !text.is_empty()) else { return vec![whole(said)] };
    let texts = pieces(text);
    let last = texts.len() - 1;
    texts.iter().enumerate().map(|(n, text)| chunk(said, Some(text), (n == last).then_some(said.reason))).collect()
}

fn chunk(said: &Said, text: Option<&str>, reason: Option<FinishReason>) -> Value {
    let mut usage = json!({
        "promptTokenCount": said.input, "candidatesTokenCount": said.output,
        "totalTokenCount": said.input + said.output + said.thinking
    });
    if said.thinking > 0 {
        usage["thoughtsTokenCount"] = json!(said.thinking);
    }
    let mut chunk = json!({"usageMetadata": usage, "modelVersion": said.model, "responseId": said.id});
    if said.says_nothing {
        chunk["candidates"] = json!([]);
        return chunk;
    }
    if reason == Some(FinishReason::Blocked) && text.is_none() {
        chunk["promptFeedback"] = json!({"blockReason": "PROHIBITED_CONTENT"});
        return chunk;
    }
    let mut candidate = json!({"content": {"role": "model"}, "index": 0});
    if let Some(text) = text {
        candidate["content"]["parts"] = json!([{"text": text}]);
    }
    if let Some(reason) = reason {
        candidate["finishReason"] = json!(word(reason));
    }
    if reason == Some(FinishReason::Continuation) {
        candidate["continuationToken"] = json!("bW9yZQ==");
    }
    chunk["candidates"] = json!([candidate]);
    chunk
}

const fn word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::Unknown => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::Blocked | FinishReason::Refusal => "SAFETY",
        FinishReason::ToolCall => "UNEXPECTED_TOOL_CALL",
        FinishReason::Continuation => "CONTINUATION",
        FinishReason::Other => "OTHER",
    }
}

/// One model as the listing describes it.
pub(super) fn model(name: &str) -> Value {
    json!({
        "name": format!("models/{name}"), "displayName": name, "version": "mock",
        "supportedGenerationMethods": ["generateContent"], "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536
    })
}

pub(super) fn models(names: &[&str]) -> Value {
    json!({"models": names.iter().map(|name| model(name)).collect::<Vec<_>>()})
}
