//! Answers as `OpenAI`'s chat completions spell them.

use serde_json::{Value, json};

use super::reply::{CREATED, Said, pieces};
use crate::response::FinishReason;

/// What a model that declines says instead of an answer.
const REFUSAL: &str = "I cannot help with that.";

pub(super) fn whole(said: &Said) -> Value {
    let refusal = (said.reason == FinishReason::Refusal).then_some(REFUSAL);
    let message = json!({"role": "assistant", "content": said.text, "refusal": refusal});
    let choice = json!({"index": 0, "message": message, "finish_reason": word(said.reason), "logprobs": null});
    let choices = if said.says_nothing { json!([]) } else { json!([choice]) };
    json!({
        "id": said.id, "object": "chat.completion", "created": CREATED, "model": said.model, "choices": choices,
        "usage": usage(said)
    })
}

/// A stream's values; counts only where they are asked for, in a value of their own.
pub(super) fn events(said: &Said, wants_usage: bool) -> Vec<Value> {
    let chunk = |choices: Value| {
        let mut chunk = json!({
            "id": said.id, "object": "chat.completion.chunk", "created": CREATED, "model": said.model,
            "choices": choices
        });
        if wants_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    };
    let choice = |delta: Value, reason: Option<&str>| {
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": null}]))
    };
    let mut events = Vec::new();
    if said.says_nothing {
        events.push(chunk(json!([])));
    } else {
        events.push(choice(json!({"role": "assistant", "content": ""}), None));
        let text = said.text.as_deref().unwrap_or_default();
        events.extend(pieces(text).iter().map(|text| choice(json!({"content": text}), None)));
        if said.reason == FinishReason::Refusal {
            events.push(choice(json!({"refusal": REFUSAL}), None));
        }
        events.push(choice(json!({}), Some(word(said.reason))));
    }
    if wants_usage {
        let mut last = chunk(json!([]));
        last["usage"] = usage(said);
        events.push(last);
    }
    events
}

fn usage(said: &Said) -> Value {
    let completion = said.output + said.thinking;
    json!({
        "prompt_tokens": said.input, "completion_tokens": completion, "total_tokens": said.input + completion,
        "completion_tokens_details": {"reasoning_tokens": said.thinking}
    })
}

/// There is no word for an answer that goes on elsewhere.
const fn word(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Length => "length",
        FinishReason::Blocked => "content_filter",
        FinishReason::ToolCall => "tool_calls",
        FinishReason::Stop
        | FinishReason::Refusal
        | FinishReason::Continuation
        | FinishReason::Other
        | FinishReason::Unknown => "stop",
    }
}

/// One model as the listing describes it.
pub(super) fn model(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": CREATED, "owned_by": "evalrun-mock"})
}

pub(super) fn models(names: &[&str]) -> Value {
    json!({"object": "list", "data": names.iter().map(|name| model(name)).collect::<Vec<_>>()})
}
