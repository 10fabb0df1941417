//! Anthropic's messages.

use serde::Serialize;

use super::system_text;
use crate::model::Model;
use crate::prompt::Rendered;

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
        }
    }
}

pub(super) fn url(model: &Model) -> String {
    format!("{}/v1/messages", model.base_url)
}
