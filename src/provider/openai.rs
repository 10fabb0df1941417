//! `OpenAI`'s chat completions, and the servers that are compatible with them more or less.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::stream::{is_said, take_over};
use super::{HttpReply, address, count, failure, finish, joined, name, names_an_error, system_text};
use crate::model::Model;
use crate::prompt::Rendered;
use crate::response::{Failure, FailureKind, Finish, FinishReason, Response, Usage};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

/// Without being asked, a stream counts no tokens.
#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &'a Model, prompt: &'a Rendered) -> Self {
        let system = system_text(prompt).map(|content| Message { role: "system", content });
        let params = &model.params;
        // OpenAI's reasoning models refuse the old name of the limit; many compatible servers know no other.
        let (new, old) =
            if model.is_vendors_own() { (params.max_output_tokens, None) } else { (None, params.max_output_tokens) };
        Self {
            model: &model.name,
            messages: system.into_iter().chain([Message { role: "user", content: &prompt.user }]).collect(),
            temperature: params.temperature,
            top_p: params.top_p,
            top_k: params.top_k,
            seed: params.seed,
            max_completion_tokens: new,
            max_tokens: old,
            stop: &params.stop,
            stream: model.stream.then_some(true),
            stream_options: model.stream.then_some(StreamOptions { include_usage: true }),
        }
    }
}

pub(super) fn url(model: &Model) -> String {
    address(model, "chat/completions")
}

/// A streamed answer: deltas are joined, of everything else the last word counts.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    top: Map<String, Value>,
    choice: Map<String, Value>,
    content: Option<String>,
    refusal: Option<String>,
}

impl Pieces {
    pub(super) fn add(&mut self, event: Value) {
        let Value::Object(mut event) = event else { return };
        let choices = match event.remove("choices") {
            Some(Value::Array(choices)) => choices,
            _ => Vec::new(),
        };
        take_over(&mut self.top, Value::Object(event));
        let is_first = |choice: &Value| choice["index"].as_u64().unwrap_or(0) == 0;
        let Some(Value::Object(mut choice)) = choices.into_iter().find(is_first) else { return };
        let delta = choice.remove("delta").unwrap_or_default();
        let append = |whole: &mut Option<String>, piece: Option<&str>| {
            if let Some(piece) = piece {
                whole.get_or_insert_default().push_str(piece);
            }
        };
        append(&mut self.content, content(&delta, "text").as_deref());
        append(&mut self.refusal, delta["refusal"].as_str());
        take_over(&mut self.choice, Value::Object(choice));
    }

    pub(super) fn has_text(&self) -> bool {
        self.content.as_deref().is_some_and(|content| !content.is_empty())
    }

    pub(super) fn are_whole(&self) -> bool {
        is_said(self.choice.get("finish_reason")) || self.choice.get("error").is_some_and(Value::is_object)
    }

    pub(super) fn into_whole(self) -> Value {
        let Self { mut top, mut choice, content, refusal } = self;
        let is_empty = choice.is_empty() && content.is_none() && refusal.is_none();
        choice.insert("message".to_owned(), json!({"role": "assistant", "content": content, "refusal": refusal}));
        top.insert("choices".to_owned(), if is_empty { json!([]) } else { json!([choice]) });
        Value::Object(top)
    }
}

pub(super) fn decode(reply: &HttpReply, body: &Value) -> Result<Response, Failure> {
    let choice = &body["choices"][0];
    let word = choice["finish_reason"].as_str().unwrap_or("");
    // A router reports here that the server behind it broke off.
    if names_an_error(choice) {
        return failure::decode(reply, Some(&choice["error"]));
    }
    if matches!(word, "error" | "abort" | "insufficient_system_resource") {
        return Err(Failure {
            status: Some(reply.status),
            code: Some(word.to_owned()),
            ..Failure::new(FailureKind::Unavailable, "the server broke off its answer")
        });
    }
    let message = &choice["message"];
    let (text, finish) = match refusal(message) {
        Some(refusal) => (None, Finish { reason: FinishReason::Refusal, ..finish("refusal", Some(&refusal)) }),
        None => (content(message, "text"), finish(word, native_word(choice, word))),
    };
    Ok(Response {
        text,
        finish,
        usage: usage(&body["usage"]),
        served_model: name(&body["model"]),
        id: name(&body["id"]),
        rest: None,
    })
}

/// The content, which is a text or a list of parts; `kind` names the parts that are wanted, and their field.
fn content(message: &Value, kind: &str) -> Option<String> {
    match &message["content"] {
        Value::String(text) => (kind == "text").then(|| text.clone()),
        Value::Array(parts) => {
            joined(parts.iter().filter(|part| part["type"] == kind).filter_map(|part| part[kind].as_str()))
        }
        _ => None,
    }
}

fn refusal(message: &Value) -> Option<String> {
    let refusal = message["refusal"].as_str().map(str::to_owned).or_else(|| content(message, "refusal"));
    refusal.filter(|refusal| !refusal.trim().is_empty())
}

/// The word of the server behind a router, where it says more than the router's own.
fn native_word<'a>(choice: &'a Value, word: &str) -> Option<&'a str> {
    let native = choice["native_finish_reason"].as_str()?;
    (FinishReason::parse(word) != FinishReason::Stop && !native.eq_ignore_ascii_case(word)).then_some(native)
}

/// Some servers leave the thinking out of the completion and count it in the total alone.
fn usage(usage: &Value) -> Usage {
    let input = count(&usage["prompt_tokens"]);
    let completion = count(&usage["completion_tokens"]);
    let rest = count(&usage["total_tokens"]).zip(input).map(|(total, input)| total.saturating_sub(input));
    Usage {
        input_tokens: input,
        output_tokens: completion.max(rest),
        cached_input_tokens: count(&usage["prompt_tokens_details"]["cached_tokens"]),
        thinking_tokens: count(&usage["completion_tokens_details"]["reasoning_tokens"]),
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
                "stop (stop) | \"米イリノイ州で、日米の企業が交流しました。\" | 96/840/0/512 \
                 | gpt-6-luna-2026-09-01 | chatcmpl-CfQ1",
            ),
            ("budget_spent_on_reasoning", "length (length) | \"\" | 96/1024/-/1024 | gpt-5.5 | chatcmpl-spent"),
            (
                "refusal",
                "refusal (refusal: 申し訳ありませんが、 お手伝いできません。) | none | 96/14/-/- | gpt-6-sol | chatcmpl-no",
            ),
            ("refusal_part", "refusal (refusal: No.) | none | -/-/-/- | m | chatcmpl-no2"),
            (
                "content_filter",
                "blocked (content_filter: PROHIBITED_CONTENT) | none | 96/0/-/- | google/gemini-3.5-flash | gen-1",
            ),
            ("truncated", "length (length) | \"米イリノイ州で、量\" | 96/8/-/- | gpt-4.1 | chatcmpl-t"),
            ("content_null", "stop (stop) | none | 96/1/-/- | gpt-4.1 | chatcmpl-n"),
            ("tool_call", "tool_call (tool_calls) | none | -/-/-/- | gpt-4.1 | chatcmpl-tool"),
            ("llama_cpp", "stop (stop) | \"記事です。\" | 40/5/-/- | gpt-3.5-turbo | chatcmpl-llama"),
            ("vllm", "stop (stop) | \"\\n\\n記事です。\" | 40/260/-/- | Qwen/Qwen3-8B | chatcmpl-vllm"),
            ("content_parts", "stop (stop) | \"記事です。\" | 40/9/-/- | magistral-small | cmpl-parts"),
            ("thinking_in_total_only", "stop (stop) | \"記事です。\" | 40/205/-/- | gemini-3.5-flash | g-1"),
            ("no_usage", " () | \"記事です。\" | -/-/-/- | local | "),
            ("half_an_emoji", "length (length) | \"😀 \\\\ud83d \u{FFFD}\" | -/-/-/- | local | chatcmpl-half"),
        ] {
            assert_eq!(summary(Provider::OpenAi, &format!("openai/{file}.json")), expected, "{file}");
        }
    }

    #[test]
    fn a_success_that_is_none_says_what_came_instead() {
        for (file, expected) in [
            ("no_choices.json", "malformed answer (200): no answer, and no reason for that; it begins: {\"id\":"),
            ("empty.txt", "malformed answer (200): the body is empty"),
            ("cut.txt", "malformed answer (200): the body is no JSON: EOF while parsing a string at line 1"),
            ("not_utf8.txt", "malformed answer (200): the body is not UTF-8: invalid utf-8 sequence of 1 bytes from"),
            (
                "sign_in.html",
                "malformed answer (200): the body is no JSON: expected value at line 1 column 1 (a web page: \
                 is `base_url` right?); it begins: Sign in to the network",
            ),
            ("aborted.json", "unavailable (200 abort): the server broke off its answer"),
            ("error_beside_answer.json", "unavailable (200 502): Upstream closed the connection"),
            (
                "error_in_success.json",
                "rate limited (200 RESOURCE_EXHAUSTED): Provider returned error: Quota exceeded, slow down",
            ),
        ] {
            let summary = summary(Provider::OpenAi, &format!("openai/{file}"));
            assert!(summary.starts_with(expected), "{file}: {summary}");
        }
    }
}
