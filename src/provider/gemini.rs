//! Google Gemini's `generateContent`.
//!
//! An answer that ends with `CONTINUATION` is a part: the same request with its token gives the next one.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::stream::{is_said, take_over};
use super::{HttpReply, address, count, finish, joined, message, name, percent_encoded, sum, system_text};
use crate::model::{Model, Params};
use crate::prompt::Rendered;
use crate::response::{Failure, FailureKind, FinishReason, Response, Usage};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: [Content<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GenerationConfig<'a>>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Serialize, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
}

impl<'a> Body<'a> {
    pub(super) fn new(model: &'a Model, prompt: &'a Rendered) -> Self {
        let content = |role, text| Content { role, parts: [Part { text }] };
        let config = GenerationConfig::new(&model.params);
        Self {
            system_instruction: system_text(prompt).map(|text| content(None, text)),
            contents: [content(Some("user"), &prompt.user)],
            generation_config: (config != GenerationConfig::default()).then_some(config),
        }
    }
}

impl<'a> GenerationConfig<'a> {
    fn new(params: &'a Params) -> Self {
        Self {
            temperature: params.temperature,
            top_p: params.top_p,
            top_k: params.top_k,
            seed: params.seed,
            max_output_tokens: params.max_output_tokens,
            stop_sequences: &params.stop,
        }
    }
}

/// A model may be named with its collection (`models/…`, `tunedModels/…`) or without.
pub(super) fn url(model: &Model) -> String {
    let in_collection = |collection| Some((collection, model.name.strip_prefix(collection)?.strip_prefix('/')?));
    let (collection, name) =
        in_collection("models").or_else(|| in_collection("tunedModels")).unwrap_or(("models", &model.name));
    let action = if model.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    address(model, &format!("v1beta/{collection}/{}:{action}", percent_encoded(name)))
}

/// A streamed answer: parts are collected, of everything else the last word counts.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    top: Map<String, Value>,
    candidate: Map<String, Value>,
    parts: Vec<Value>,
}

impl Pieces {
    pub(super) fn add(&mut self, event: Value) {
        let Value::Object(mut event) = event else { return };
        let candidates = match event.remove("candidates") {
            Some(Value::Array(candidates)) => candidates,
            _ => Vec::new(),
        };
        take_over(&mut self.top, Value::Object(event));
        let is_first = |candidate: &Value| candidate["index"].as_u64().unwrap_or(0) == 0;
        let Some(Value::Object(mut candidate)) = candidates.into_iter().find(is_first) else { return };
        let content = candidate.remove("content");
        if let Some(Value::Array(parts)) = content.as_ref().and_then(|content| content.get("parts")) {
            self.parts.extend(parts.iter().cloned());
        }
        take_over(&mut self.candidate, Value::Object(candidate));
    }

    pub(super) fn has_text(&self) -> bool {
        self.parts.iter().any(|part| part["thought"] != true && is_said(part.get("text")))
    }

    pub(super) fn are_whole(&self) -> bool {
        let is_blocked = self.top.get("promptFeedback").is_some_and(|feedback| is_said(feedback.get("blockReason")));
        // No candidate at all is no answer that was cut, but none.
        let is_none = self.candidate.is_empty() && self.parts.is_empty();
        is_blocked || is_none || is_said(self.candidate.get("finishReason"))
    }

    pub(super) fn into_whole(self) -> Value {
        let Self { mut top, mut candidate, parts } = self;
        if !parts.is_empty() {
            candidate.insert("content".to_owned(), json!({"parts": parts}));
        }
        let candidates = if candidate.is_empty() { json!([]) } else { json!([candidate]) };
        top.insert("candidates".to_owned(), candidates);
        Value::Object(top)
    }
}

pub(super) fn decode(reply: &HttpReply, body: &Value) -> Result<Response, Failure> {
    let candidate = &body["candidates"][0];
    let feedback = &body["promptFeedback"];
    let mut response = Response {
        text: text(candidate),
        finish: finish(candidate["finishReason"].as_str().unwrap_or(""), candidate["finishMessage"].as_str()),
        usage: usage(&body["usageMetadata"]),
        served_model: name(&body["modelVersion"]),
        id: name(&body["responseId"]),
        rest: None,
    };
    if response.finish.reason == FinishReason::Continuation {
        response.rest = Some(&candidate["continuationToken"]).filter(|token| is_said(Some(token))).cloned();
    }
    if let (None, Some(word)) = (&response.text, feedback["blockReason"].as_str()) {
        response.finish = finish(word, feedback["blockReasonMessage"].as_str());
        response.finish.reason = FinishReason::Blocked;
        return Ok(response);
    }
    let word = candidate["finishReason"].as_str().unwrap_or("");
    match word {
        // The account is held back, not this answer: every further request would end alike.
        "ESCALATION" | "PUP_LIMITED_DISABLED" => {
            let said = candidate["finishMessage"].as_str().unwrap_or("the provider holds this account back");
            Err(Failure {
                status: Some(reply.status),
                code: Some(word.to_owned()),
                ..Failure::new(FailureKind::Authentication, message::tidy(said, message::MAX_CHARS))
            })
        }
        _ => Ok(response),
    }
}

/// Lets a request's body ask for the rest of an answer.
pub(super) fn go_on(body: &mut Value, token: &Value) -> Option<()> {
    body.as_object_mut()?.insert("continuationToken".to_owned(), token.clone());
    Some(())
}

/// The parts' texts without thoughts.
fn text(candidate: &Value) -> Option<String> {
    let parts = candidate["content"]["parts"].as_array()?;
    joined(parts.iter().filter(|part| part["thought"] != true).filter_map(|part| part["text"].as_str()))
}

/// Thoughts are counted beside the candidates, and a count of zero may be left out.
fn usage(usage: &Value) -> Usage {
    let [prompt, tools, answer, thoughts, total] = [
        "promptTokenCount",
        "toolUsePromptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
    ]
    .map(|key| count(&usage[key]));
    let input = sum([prompt, tools]);
    let rest = || Some(total?.saturating_sub(input?));
    Usage {
        input_tokens: input,
        output_tokens: sum([answer, thoughts]).or_else(rest),
        cached_input_tokens: count(&usage["cachedContentTokenCount"]),
        thinking_tokens: thoughts,
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
                "stop (STOP) | \"米イリノイ州で、量子分野の日米企業交流が行われました。\\nジェトロが「量子ミッション」を派遣したものです。\" \
                 | 78/1315/64/903 | gemini-3.8-flash | b2JsZQ-4aLGzvdIP",
            ),
            ("thoughts", "stop (STOP) | \"記事です。\" | 78/214/-/210 | gemini-3.1-pro-preview | thoughts-1"),
            ("search", "stop (STOP) | \"量子コンピューターの記事です。\" | 1278/300/-/- | gemini-3.5-flash | search-1"),
            (
                "truncated",
                "length (MAX_TOKENS) | \"米イリノイ州で、量子分野の日米企業交\" | 78/16/-/- | gemini-3.5-flash | truncated-1",
            ),
            ("budget_spent_on_thinking", "length (MAX_TOKENS) | none | 78/1021/-/1021 | gemini-3.8-flash | spent-1"),
            (
                "prompt_blocked",
                "blocked (PROHIBITED_CONTENT: The prompt was blocked.) | none | 78/0/-/- \
                 | gemini-3.8-flash | blocked-1",
            ),
            (
                "safety_stop",
                "blocked (SAFETY: The answer was filtered for safety.) | none | 78/0/-/- | gemini-3.5-flash | safety-1",
            ),
            ("recitation", "blocked (RECITATION) | none | 78/0/-/- | gemini-3.5-flash | "),
            (
                "tool_call_went_wrong",
                "tool_call (MALFORMED_FUNCTION_CALL: Malformed function call: print() | none | 78/0/-/- \
                 | gemini-3.5-flash | ",
            ),
            ("continuation", "continuation (CONTINUATION) | \"第一部。\" | 78/32768/-/- | gemini-4-argon | more-1"),
            ("empty_text", "stop (STOP) | \"\" | 78/1/-/- | gemini-3.5-flash | "),
            ("through_litellm", " () | \"記事です。\" | -/-/-/- |  | "),
        ] {
            assert_eq!(summary(Provider::Gemini, &format!("gemini/{file}.json")), expected, "{file}");
        }
    }

    #[test]
    fn a_success_without_an_answer_and_without_a_reason_is_malformed() {
        for (file, expected) in [
            (
                "no_candidates",
                "malformed answer (200): no answer, and no reason for that; it begins: {\"candidates\": [],",
            ),
            (
                "bare_candidate",
                "malformed answer (200): no answer, and no reason for that; it begins: {\"candidates\": [{}]}",
            ),
            (
                "malformed_response",
                "malformed answer (200): no answer, and no known reason for that (MALFORMED_RESPONSE: The model gave",
            ),
            ("account_held_back", "authentication (200 PUP_LIMITED_DISABLED): the provider holds this account back"),
        ] {
            let summary = summary(Provider::Gemini, &format!("gemini/{file}.json"));
            assert!(summary.starts_with(expected), "{file}: {summary}");
        }
    }
}
