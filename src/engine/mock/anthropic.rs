//! Answers as Anthropic's messages spell them.

use serde_json::{Value, json};

use super::reply::{Said, pieces};
use crate::response::FinishReason;

pub(super) fn whole(said: &Said) -> Value {
    let text = said.text.as_deref().filter(|_| !said.says_nothing);
    let content = text.map(|text| vec![json!({"type": "text", "text": text})]).unwrap_or_default();
    let mut message = message(said, content, said.output + said.thinking);
    if !said.says_nothing {
        message["stop_reason"] = json!(word(said.reason));
    }
    message
}

/// A stream's events, each with its name.
pub(super) fn events(said: &Said) -> Vec<Value> {
    let mut events = vec![json!({"type": "message_start", "message": message(said, vec![], 1)})];
    if let Some(text) = said.text.as_deref().filter(|_| !said.says_nothing) {
        events.push(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}));
        events.push(json!({"type": "ping"}));
        let delta = |text: &&str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
        events.extend(pieces(text).iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": 0}));
    }
    let reason = (!said.says_nothing).then(|| word(said.reason));
    events.push(json!({
        "type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
        "usage": {"output_tokens": said.output + said.thinking}
    }));
    events.push(json!({"type": "message_stop"}));
    events
}

fn message(said: &Said, content: Vec<Value>, output: u64) -> Value {
    json!({
        "id": said.id, "type": "message", "role": "assistant", "model": said.model, "content": content,
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": said.input, "output_tokens": output}
    })
}

const fn word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop | FinishReason::Other | FinishReason::Unknown => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::Blocked | FinishReason::Refusal => "refusal",
        FinishReason::ToolCall => "tool_use",
        FinishReason::Continuation => "pause_turn",
    }
}

/// One model as the listing describes it.
pub(super) fn model(name: &str) -> Value {
    json!({
        "type": "model", "id": name, "display_name": name, "created_at": "2025-06-30T07:00:00Z",
        "max_input_tokens": 1_000_000, "max_tokens": 64_000
    })
}

pub(super) fn models(names: &[&str]) -> Value {
    let data: Vec<Value> = names.iter().map(|name| model(name)).collect();
    json!({"data": data, "has_more": false, "first_id": names.first(), "last_id": names.last()})
}
