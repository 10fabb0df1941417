//! `OpenAI`'s chat completions, and the servers that are compatible with them more or less.

use serde::Serialize;

use super::system_text;
use crate::model::Model;
use crate::prompt::Rendered;

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
        }
    }
}

pub(super) fn url(model: &Model) -> String {
    format!("{}/chat/completions", model.base_url)
}
