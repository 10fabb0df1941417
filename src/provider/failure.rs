//! What a server says went wrong, and what that means.
//!
//! Routers, proxies and compatible servers answer in one another's shapes, so every shape is understood on every route.
//! Machine words decide; sentences only where a provider gives nothing else.

use std::time::Duration;

use serde_json::{Map, Value};

use super::message::{self, MAX_CHARS, tidy};
use super::{HttpReply, contains_any, parameter, wait};
use crate::response::{Failure, FailureKind, Finish, FinishReason, Response};

/// An error as an outcome: a failure, or an answer without text where the error says that the prompt was filtered.
pub(super) fn decode(reply: &HttpReply, body: Option<&Value>) -> Result<Response, Failure> {
    let told = body.map(Told::read).unwrap_or_default();
    let status = if reply.is_success() { told.implied_status() } else { reply.status };
    let said = told.message(reply);
    if told.is_filtered(status, &said) {
        let detail = told.code(status).map_or_else(|| said.clone(), |code| tidy(&format!("{code}: {said}"), MAX_CHARS));
        let finish = Finish { reason: FinishReason::Blocked, detail: Some(detail) };
        return Ok(Response { finish, ..Response::default() });
    }
    let kind = told.kind(status, &said);
    let kind = if reply.header("x-should-retry") == Some("false") { not_to_be_retried(kind) } else { kind };
    let hint = told.hint(kind, status, &said);
    Err(Failure {
        kind: if hint.is_some() { told.kind_of_hinted(kind, &said) } else { kind },
        status: Some(reply.status),
        code: told.code(reply.status),
        message: with_hint(&said, hint.as_deref()),
        retry_after: wait::asked_for(reply, told.retry_delay, status),
    })
}

/// A limit that waiting does not help is used up; everything else that is not to be retried is refused.
fn not_to_be_retried(kind: FailureKind) -> FailureKind {
    match kind {
        FailureKind::RateLimited => FailureKind::Quota,
        kind if kind.is_transient() => FailureKind::BadRequest,
        kind => kind,
    }
}

fn with_hint(said: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => {
            let room = MAX_CHARS.saturating_sub(hint.chars().count() + 2);
            format!("{}: {hint}", tidy(said, room).trim_end_matches(['.', ':']))
        }
        None => tidy(said, MAX_CHARS),
    }
}

/// What an error's body tells.
#[derive(Debug, Default)]
struct Told {
    /// Sentences, the outermost first.
    messages: Vec<String>,
    /// Machine words in lower case with their original spelling, the most specific first.
    words: Vec<(String, String)>,
    /// A code that is a number: usually the HTTP status.
    number: Option<u16>,
    /// The field of the request that is meant.
    param: Option<String>,
    /// How long to wait.
    retry_delay: Option<Duration>,
    /// Quotas that are used up.
    quotas: Vec<String>,
    /// Whether a quota is zero: then waiting does not help.
    has_no_quota: bool,
    /// Whether a router's moderation refused the prompt.
    is_flagged: bool,
    /// Whether the body has the shape of an API's error, rather than of a server that knows no such address.
    is_api_error: bool,
}

/// The most characters of a message that are looked at: what decides may stand far behind what is shown.
const MAX_READ: usize = 8000;

/// Errors within errors are followed so far: a router's around a server's around another's.
const MAX_DEPTH: usize = 5;

impl Told {
    fn read(body: &Value) -> Self {
        let mut told = Self::default();
        told.read_value(body, 0);
        told
    }

    fn read_value(&mut self, value: &Value, depth: usize) {
        match value {
            _ if depth > MAX_DEPTH => {}
            Value::String(text) => self.read_text(text, depth),
            Value::Array(items) => {
                if let Some(first) = items.first() {
                    self.read_value(first, depth + 1);
                }
            }
            Value::Object(object) => self.read_object(object, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A sentence, or another error's JSON as a text.
    fn read_text(&mut self, text: &str, depth: usize) {
        let text = text.trim();
        if text.starts_with(['{', '['])
            && let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
        {
            let before = self.messages.len();
            self.read_value(&inner, depth + 1);
            if self.messages.len() > before {
                return;
            }
        }
        let text = tidy(&message::without_html(text), MAX_READ);
        if !text.is_empty() && !self.messages.iter().any(|known| known.contains(&text)) {
            self.messages.push(text);
        }
    }

    fn read_object(&mut self, object: &Map<String, Value>, depth: usize) {
        let get = |key: &str| object.get(key).unwrap_or(&Value::Null);
        self.is_api_error |= !get("error").is_null() || get("type") == "error" || get("object") == "error";
        self.read_value(get("error"), depth + 1);
        self.read_value(get("errors"), depth + 1);
        self.read_details(get("details"));
        for key in ["innererror", "inner_error", "provider_specific_fields"] {
            if let Value::Object(inner) = get(key) {
                self.read_words(inner);
            }
        }
        self.read_words(object);
        self.read_sentences(object, depth);
        self.param = self.param.take().or_else(|| word(get("param")).map(str::to_owned));
        let metadata = get("metadata");
        self.read_value(&metadata["raw"], depth + 1);
        let has_reasons = metadata["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty());
        self.is_flagged |= has_reasons || metadata["flagged_input"].is_string();
    }

    fn read_sentences(&mut self, object: &Map<String, Value>, depth: usize) {
        for key in ["message", "detail", "error_description", "msg"] {
            let Some(value) = object.get(key) else { continue };
            match (value, object.get("loc").and_then(Value::as_array)) {
                // A validation error names the place beside the sentence.
                (Value::String(text), Some(place)) => {
                    let place: Vec<String> = place.iter().map(|step| step.to_string().replace('"', "")).collect();
                    self.param = self.param.take().or_else(|| place.last().cloned());
                    self.read_text(&format!("{}: {text}", place.join(".")), depth);
                }
                (value, _) => self.read_value(value, depth + 1),
            }
        }
    }

    fn read_words(&mut self, object: &Map<String, Value>) {
        for key in ["error_code", "reason", "code", "status", "type", "error_type"] {
            let Some(value) = object.get(key) else { continue };
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
            if let Some(number) = number {
                self.number = self.number.or(u16::try_from(number).ok());
            } else if let Some(word) = word(value).filter(|word| *word != "error") {
                self.words.push((word.to_ascii_lowercase(), word.to_owned()));
            }
        }
    }

    /// Google's list of typed details, or Anthropic's object.
    fn read_details(&mut self, details: &Value) {
        match details {
            Value::Object(details) => self.read_words(details),
            Value::Array(details) => {
                for detail in details.iter().filter_map(Value::as_object) {
                    self.read_words(detail);
                    let delay = detail.get("retryDelay").and_then(Value::as_str).and_then(wait::protobuf_duration);
                    self.retry_delay = self.retry_delay.max(delay);
                    let violations = detail.get("violations").and_then(Value::as_array);
                    for violation in violations.into_iter().flatten() {
                        self.quotas.extend(violation["quotaId"].as_str().map(str::to_owned));
                        self.has_no_quota |= violation["quotaValue"] == "0";
                    }
                }
            }
            _ => {}
        }
    }

    /// What the server says, in one line of at most [`MAX_READ`] characters.
    fn message(&self, reply: &HttpReply) -> String {
        let said =
            if self.messages.is_empty() { message::of_body(&reply.body, MAX_READ) } else { self.messages.join(": ") };
        match reply.status {
            300..=399 => {
                let to = reply.header("location").unwrap_or("elsewhere").split(['?', '#']).next().unwrap_or("");
                tidy(&format!("the server redirects to {to}, which is not followed"), MAX_READ)
            }
            status if said.is_empty() => format!("the server gave the status {status} and no message"),
            _ => tidy(&said, MAX_READ),
        }
    }

    /// The provider's own code: its most specific word, or a number that is not the HTTP status.
    fn code(&self, status: u16) -> Option<String> {
        let word = self.words.first().map(|(_, word)| tidy(word, 80));
        word.or_else(|| self.number.filter(|number| *number != status).map(|number| number.to_string()))
    }

    fn has(&self, words: &[&str]) -> bool {
        self.words.iter().any(|(word, _)| words.contains(&word.as_str()))
    }

    /// The status that a success should have had.
    fn implied_status(&self) -> u16 {
        let by_number = self.number.filter(|number| (400..=599).contains(number));
        let by_word = || self.words.iter().find_map(|(word, _)| status_of(word));
        // An error that nobody can name happened on the way: it may not happen again.
        by_number.or_else(by_word).unwrap_or(500)
    }

    /// Whether the prompt was filtered, which some servers call an error: it is the model's outcome, not a failure.
    fn is_filtered(&self, status: u16, said: &str) -> bool {
        const WORDS: [&str; 4] =
            ["content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked"];
        const PHRASES: [&str; 2] = ["blocked by content filtering policy", "contentpolicyviolationerror"];
        let said = said.to_ascii_lowercase();
        let flagged_prompt = self.has(&["invalid_prompt"]) && (said.contains("policy") || said.contains("flagged"));
        matches!(status, 400 | 403 | 422)
            && (self.is_flagged || self.has(&WORDS) || flagged_prompt || contains_any(&said, &PHRASES))
    }

    fn kind(&self, status: u16, said: &str) -> FailureKind {
        let said = said.to_ascii_lowercase();
        if self.is_used_up(status, &said) {
            FailureKind::Quota
        } else if self.is_about_the_key(status, &said) {
            FailureKind::Authentication
        } else if self.is_about_the_model(status, &said) {
            FailureKind::UnknownModel
        } else if self.has(&["timeout_error", "deadline_exceeded"]) {
            FailureKind::Timeout
        } else {
            kind_of_status(status)
        }
    }

    /// Credit, spend limits, the day's quota: things that no retry brings back.
    fn is_used_up(&self, status: u16, said: &str) -> bool {
        const WORDS: [&str; 9] = [
            "insufficient_quota",
            "insufficient_credits",
            "insufficient_balance",
            "credit_balance_exhausted",
            "billing_error",
            "billing_not_active",
            "billing_hard_limit_reached",
            "budget_exceeded",
            "payment_required",
        ];
        // Not «billing» alone: Google names it in the message of every 429.
        const PHRASES: [&str; 7] = [
            "credit balance",
            "insufficient credit",
            "insufficient balance",
            "spend limit",
            "spending limit",
            "spending cap",
            "specified api usage limits",
        ];
        const DAILY: [&str; 2] = ["perday", "models-per-day"];
        let by_the_day = self.quotas.iter().any(|quota| quota.contains("PerDay")) || contains_any(said, &DAILY);
        let nothing_given =
            self.has_no_quota || contains_any(said, &["limit: 0,", "limit: 0 "]) || said.ends_with("limit: 0");
        let spent = self.words.iter().any(|(word, _)| word.contains("spend_limit") || word.contains("spending_limit"));
        let no_billing = self.has(&["failed_precondition"]) && said.contains("billing");
        status == 402
            || self.has(&WORDS)
            || spent
            || (status == 429 && (by_the_day || nothing_given))
            || (status == 400 && no_billing)
            || (matches!(status, 400 | 403 | 429) && contains_any(said, &PHRASES))
    }

    fn is_about_the_key(&self, status: u16, said: &str) -> bool {
        const WORDS: [&str; 6] = [
            "invalid_api_key",
            "authentication_error",
            "auth_error",
            "unauthenticated",
            "expired_key",
            "no_db_connection",
        ];
        let by_word = self.has(&WORDS) || self.words.iter().any(|(word, _)| word.starts_with("api_key_"));
        let refused = status == 400 && (self.has(&["failed_precondition"]) || said.contains("api key not valid"));
        by_word || refused
    }

    fn is_about_the_model(&self, status: u16, said: &str) -> bool {
        const PHRASES: [&str; 2] = ["invalid model name", "is not a valid model id"];
        let by_word = self.has(&["model_not_found", "unknown_model", "invalid_model"]);
        let refused = status == 400 && (self.param.as_deref() == Some("model") || contains_any(said, &PHRASES));
        by_word || refused
    }

    /// What there is a hint about stands in every request to the model, unless it was too much for one of them.
    fn kind_of_hinted(&self, kind: FailureKind, said: &str) -> FailureKind {
        const LENGTH_WORDS: [&str; 2] = ["context_length_exceeded", "exceed_context_size_error"];
        const LENGTH_PHRASES: [&str; 8] = [
            "context length",
            "context size",
            "context limit",
            "context window",
            "input length",
            "input tokens",
            "prompt tokens",
            "prompt is too long",
        ];
        let is_of_one_prompt = self.has(&LENGTH_WORDS) || contains_any(&said.to_ascii_lowercase(), &LENGTH_PHRASES);
        if kind == FailureKind::BadRequest && !is_of_one_prompt { FailureKind::Configuration } else { kind }
    }

    /// What the user can do about it, where the message does not say.
    fn hint(&self, kind: FailureKind, status: u16, said: &str) -> Option<String> {
        match (kind, status) {
            (_, 300..=399) => Some("set `base_url` to where it leads".to_owned()),
            (_, 407) => Some("are the credentials of the proxy in HTTP_PROXY right?".to_owned()),
            (FailureKind::UnknownModel | FailureKind::BadRequest, 404 | 405) if !self.is_api_error => {
                Some("nothing answers at this address, is `base_url` right?".to_owned())
            }
            (FailureKind::BadRequest, 400 | 422) => parameter::hint(self.param.as_deref(), said),
            _ => None,
        }
    }
}

/// A machine word; some servers write the absence of one as a word.
fn word(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|word| !matches!(*word, "" | "None" | "null"))
}

/// The HTTP status that goes with an error's word.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "invalid_request_error"
        | "invalid_argument"
        | "failed_precondition"
        | "out_of_range"
        | "content_filter"
        | "content_policy_violation" => 400,
        "authentication_error" | "unauthenticated" | "invalid_api_key" => 401,
        "billing_error" | "insufficient_quota" => 402,
        "permission_error" | "permission_denied" => 403,
        "not_found_error" | "not_found" | "model_not_found" => 404,
        "conflict_error" | "aborted" => 409,
        "request_too_large" => 413,
        "rate_limit_error" | "rate_limit_exceeded" | "resource_exhausted" | "throttling_error" | "slow_down" => 429,
        "unavailable" | "unavailable_error" | "server_is_overloaded" => 503,
        "timeout_error" | "deadline_exceeded" => 504,
        "overloaded_error" => 529,
        _ => return None,
    })
}

fn kind_of_status(status: u16) -> FailureKind {
    match status {
        401 | 403 | 407 => FailureKind::Authentication,
        402 => FailureKind::Quota,
        404 | 410 => FailureKind::UnknownModel,
        408 | 504 | 524 => FailureKind::Timeout,
        429 => FailureKind::RateLimited,
        409 | 425 | 498 | 499 | 500.. => FailureKind::Unavailable,
        _ => FailureKind::BadRequest,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::reply;
    use super::*;
    use crate::model::Provider::{self, Anthropic, Gemini, OpenAi};
    use crate::provider;

    fn result(provider: Provider, status: u16, headers: &[(&str, &str)], file: &str) -> Result<Response, Failure> {
        let ending = if file.contains('.') { "" } else { ".json" };
        provider::decode(provider, &reply(status, headers, &format!("{provider}/{file}{ending}")))
    }

    fn failure(provider: Provider, status: u16, headers: &[(&str, &str)], file: &str) -> Failure {
        result(provider, status, headers, file).expect_err(file)
    }

    #[test]
    fn every_error_is_told_by_kind_code_and_message() {
        for (provider, status, file, expected) in [
            (Gemini, 400, "error_bad_key", "authentication (400 API_KEY_INVALID): API key not valid. Please"),
            (Gemini, 400, "error_location", "authentication (400 FAILED_PRECONDITION): User location is not"),
            (Gemini, 400, "error_billing_off", "quota (400 FAILED_PRECONDITION): Gemini API free tier is not"),
            (Gemini, 403, "error_permission", "authentication (403 SERVICE_DISABLED): Generative Language API"),
            (Gemini, 404, "error_unknown_model", "unknown model (404 NOT_FOUND): models/gemini-9 is not found"),
            (Gemini, 429, "error_per_minute", "rate limited (429 RESOURCE_EXHAUSTED): You exceeded your"),
            (Gemini, 429, "error_per_day", "quota (429 RESOURCE_EXHAUSTED): You exceeded your current quota"),
            (Gemini, 429, "error_no_free_tier", "quota (429 RESOURCE_EXHAUSTED): You exceeded"),
            (Gemini, 429, "error_spending_cap", "quota (429 RESOURCE_EXHAUSTED): Your project has exceeded"),
            (Gemini, 429, "error_capacity", "rate limited (429 RESOURCE_EXHAUSTED): Resource exhausted."),
            (Gemini, 500, "error_internal", "unavailable (500 INTERNAL): An internal error has occurred."),
            (Gemini, 503, "error_overloaded", "unavailable (503 UNAVAILABLE): The model is overloaded."),
            (Gemini, 504, "error_deadline", "timeout (504 DEADLINE_EXCEEDED): Deadline expired"),
            (Gemini, 429, "error_in_openai_shape", "rate limited (429 throttling_error): litellm.RateLimitErr"),
            (OpenAi, 401, "error_bad_key", "authentication (401 invalid_api_key): Incorrect API key"),
            (OpenAi, 402, "error_credits", "quota (402): This request requires more credits."),
            (OpenAi, 429, "error_insufficient_quota", "quota (429 insufficient_quota): You exceeded"),
            (OpenAi, 429, "error_credit_balance", "quota (429 credit_balance_exhausted): Your credit balance"),
            (OpenAi, 429, "error_rate_limit", "rate limited (429 rate_limit_exceeded): Rate limit reached"),
            (OpenAi, 429, "error_free_models_per_day", "quota (429): Rate limit exceeded: free-models-per-day."),
            (OpenAi, 404, "error_unknown_model", "unknown model (404 model_not_found): The model `gpt-9`"),
            (OpenAi, 403, "error_unknown_model", "unknown model (403 model_not_found): The model `gpt-9`"),
            (OpenAi, 400, "error_model_not_chat", "unknown model (400 invalid_request_error): This model is"),
            (OpenAi, 503, "error_overloaded", "unavailable (503 server_is_overloaded): The server is"),
            (OpenAi, 400, "error_litellm_key", "authentication (400 no_db_connection): No connected db."),
            (OpenAi, 400, "error_litellm_model", "unknown model (400): {'error': '/chat/completions: Invalid"),
            (OpenAi, 429, "error_litellm_rate", "rate limited (429 throttling_error): litellm.RateLimitError"),
            (OpenAi, 408, "error_litellm_timeout", "timeout (408): litellm.Timeout: APITimeoutError"),
            (OpenAi, 503, "error_llama_loading", "unavailable (503 unavailable_error): Loading model"),
            (OpenAi, 500, "error_llama_bad_json", "unavailable (500 server_error): [json.exception.parse_err"),
            (OpenAi, 400, "error_llama_context", "bad request (400 exceed_context_size_error): the request"),
            (Gemini, 400, "error_thinking_level", "bad request (400 INVALID_ARGUMENT): Thinking level is not"),
            (OpenAi, 401, "error_llama_key", "authentication (401 authentication_error): Invalid API Key"),
            (OpenAi, 404, "error_vllm_model", "unknown model (404 NotFoundError): The model `x` does not exist."),
            (OpenAi, 404, "error_text_only", "unknown model (404): model \"qwen3\" not found, try pulling it"),
            (
                OpenAi,
                404,
                "error_not_found_detail",
                "unknown model (404): Not Found: nothing answers at this address, is `base_url` right?",
            ),
            (
                OpenAi,
                404,
                "not_found.txt",
                "unknown model (404): 404 page not found: nothing answers at this address, is `base_url` right?",
            ),
            (OpenAi, 400, "error_gemini_shape", "authentication (400 API_KEY_INVALID): API key not valid."),
            (OpenAi, 429, "error_long", "quota (429 throttling_error): litellm.RateLimitError: VertexAIException"),
            (OpenAi, 429, "error_json_in_message", "quota (429 RESOURCE_EXHAUSTED): Quota exceeded."),
            (OpenAi, 502, "bad_gateway.html", "unavailable (502): 502 Bad Gateway"),
            (OpenAi, 503, "upstream.txt", "unavailable (503): upstream connect error or disconnect/reset"),
            (OpenAi, 503, "empty.txt", "unavailable (503): the server gave the status 503 and no message"),
            (Anthropic, 401, "error_bad_key", "authentication (401 authentication_error): invalid x-api-key"),
            (Anthropic, 403, "error_permission", "authentication (403 permission_error): Your API key does"),
            (Anthropic, 402, "error_billing", "quota (402 billing_error): There is an issue with your"),
            (Anthropic, 400, "error_low_credit", "quota (400 invalid_request_error): Your credit balance"),
            (Anthropic, 400, "error_own_limit", "quota (400 invalid_request_error): You have reached your"),
            (Anthropic, 404, "error_unknown_model", "unknown model (404 not_found_error): model: claude-9"),
            (Anthropic, 413, "error_too_large", "bad request (413 request_too_large): Request exceeds"),
            (Anthropic, 429, "error_rate_limit", "rate limited (429 rate_limit_error): This request would"),
            (Anthropic, 429, "error_ramp", "rate limited (429 ramp_limit_exceeded): Usage rose too fast."),
            (Anthropic, 429, "error_spend_limit", "quota (429 enforced_spend_limit_reached): The limit of"),
            (Anthropic, 409, "error_conflict", "unavailable (409 conflict_error): Conflict"),
            (Anthropic, 500, "error_api", "unavailable (500 api_error): Internal server error"),
            (Anthropic, 504, "error_timeout", "timeout (504 timeout_error): The request took too long."),
            (Anthropic, 529, "error_in_success", "unavailable (529 overloaded_error): Overloaded"),
            (Anthropic, 401, "error_openai_shape", "authentication (401 auth_error): Authentication Error,"),
            (Anthropic, 400, "error_two_parameters", "configuration (400 invalid_request_error): `temperature`"),
            (OpenAi, 400, "error_context_length", "bad request (400 context_length_exceeded): This model's maximum"),
            (OpenAi, 400, "error_vllm_context", "bad request (400 BadRequestError): 'max_tokens' or"),
            (Anthropic, 400, "error_context", "bad request (400 invalid_request_error): input length and"),
        ] {
            let failure = failure(provider, status, &[], file).to_string();
            assert!(failure.starts_with(expected), "{file}: {failure}");
        }
    }

    #[test]
    fn a_refused_parameter_is_named_with_what_to_do() {
        for (provider, status, file, hint) in [
            (
                Anthropic,
                400,
                "error_temperature",
                "temperature is not accepted by this model: remove params.temperature in evalrun.toml",
            ),
            (
                OpenAi,
                400,
                "error_temperature",
                "temperature is not accepted by this model: remove params.temperature in evalrun.toml",
            ),
            (
                OpenAi,
                422,
                "error_validation",
                "body.seed: Extra inputs are not permitted: seed is not accepted by this model: remove params.seed in evalrun.toml",
            ),
            (
                Gemini,
                400,
                "error_temperature",
                "temperature, top_p are not accepted by this model: remove params.temperature, params.top_p in evalrun.toml",
            ),
            (
                Anthropic,
                400,
                "error_two_parameters",
                "Please use only one: check params.temperature, params.top_p in evalrun.toml",
            ),
            (Anthropic, 400, "error_max_tokens", "for this model: check params.max_output_tokens in evalrun.toml"),
            (OpenAi, 400, "error_temperature_range", "instead: check params.temperature in evalrun.toml"),
            (
                OpenAi,
                400,
                "error_max_tokens",
                "this server wants max_completion_tokens: set params.extra.max_completion_tokens in evalrun.toml, and \
                 remove params.max_output_tokens",
            ),
        ] {
            let failure = failure(provider, status, &[], file);
            assert_eq!(failure.kind, FailureKind::Configuration, "{file}");
            assert!(failure.message.ends_with(hint), "{file}: {failure}");
        }
    }

    #[test]
    fn a_filtered_prompt_is_an_answer_without_text() {
        for (provider, status, file, detail) in [
            (OpenAi, 400, "error_content_filter", "ResponsibleAIPolicyViolation: The response was filtered due"),
            (OpenAi, 403, "error_moderation", "Your chosen model requires moderation and your input was"),
            (OpenAi, 200, "error_moderation", "Your chosen model requires moderation and your input was"),
            (Anthropic, 400, "error_output_filtered", "invalid_request_error: Output blocked by content"),
        ] {
            let response = result(provider, status, &[], file).expect(file);
            assert_eq!((response.text, response.finish.reason), (None, FinishReason::Blocked), "{file}");
            let given = response.finish.detail.unwrap_or_default();
            assert!(given.starts_with(detail), "{file}: {given}");
        }
    }

    #[test]
    fn a_hint_to_wait_is_kept_wherever_it_stands() {
        for (provider, file, headers, seconds) in [
            (Gemini, "error_per_minute", &[][..], Some(53.01)),
            (Gemini, "error_per_minute", &[("retry-after", "60")], Some(60.0)),
            (Gemini, "error_capacity", &[], None),
            (OpenAi, "error_rate_limit", &[("retry-after-ms", "300")], Some(0.3)),
            (Anthropic, "error_ramp", &[("retry-after", "30")], Some(30.0)),
        ] {
            let failure = failure(provider, 429, headers, file);
            assert_eq!(failure.kind, FailureKind::RateLimited, "{file}");
            assert_eq!(failure.retry_after.map(|wait| wait.as_secs_f64()), seconds, "{file}");
        }
    }

    #[test]
    fn a_server_that_forbids_another_try_is_obeyed() {
        for (status, file, kind) in [
            (500, "error_llama_bad_json", FailureKind::BadRequest),
            (429, "error_rate_limit", FailureKind::Quota),
            (401, "error_bad_key", FailureKind::Authentication),
        ] {
            assert_eq!(failure(OpenAi, status, &[("x-should-retry", "false")], file).kind, kind, "{file}");
        }
    }

    #[test]
    fn a_redirect_says_where_to_without_its_query() {
        let headers = [("location", "https://example.com/v1/chat/completions?token=abc")];
        assert_eq!(
            failure(OpenAi, 308, &headers, "empty.txt").to_string(),
            "configuration (308): the server redirects to https://example.com/v1/chat/completions, which is not \
             followed: set `base_url` to where it leads"
        );
    }

    #[test]
    fn a_long_message_is_cut_and_keeps_its_hint() {
        let text = format!("{{\"error\": {{\"message\": \"temperature is not supported {}\"}}}}", "長".repeat(900));
        let reply = HttpReply { status: 400, headers: vec![], body: text.into_bytes() };
        let message = provider::decode(OpenAi, &reply).unwrap_err().message;
        assert_eq!(message.chars().count(), MAX_CHARS);
        assert!(
            message
                .ends_with("…: temperature is not accepted by this model: remove params.temperature in evalrun.toml"),
            "{message}"
        );
    }
}
