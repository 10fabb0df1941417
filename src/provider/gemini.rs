//! Google Gemini's `generateContent`.
//!
//! One request, one answer: a `CONTINUATION` is told as such and not followed.

use serde::Serialize;

use super::{percent_encoded, system_text};
use crate::model::{Model, Params};
use crate::prompt::Rendered;

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
    format!("{}/v1beta/{collection}/{}:generateContent", model.base_url, percent_encoded(name))
}
