//! What came back: an answer with its finish reason and token counts, or the failure to get one.
//!
//! Promises that what a server did not say stays unknown: a missing count is `None`, never zero.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The answer's text without thoughts; `None` if the server sent no text at all.
    pub text: Option<String>,
    /// Why the answer ended.
    pub finish: Finish,
    /// Token counts.
    pub usage: Usage,
    /// The model that answered, as the server names it.
    pub served_model: Option<String>,
    /// The server's id of the answer.
    pub id: Option<String>,
    /// What a further request must carry for the rest of the answer, as the server gave it: a token, or what was said so
    /// far. `None` where there is no rest.
    pub rest: Option<serde_json::Value>,
}

impl Response {
    /// This part of an answer with the one that follows it: texts joined, counts added up, and the end of the second.
    #[must_use]
    pub fn followed_by(self, next: Self) -> Self {
        let text = match (self.text, next.text) {
            (Some(text), Some(next)) => Some(text + &next),
            (text, next) => text.or(next),
        };
        let usage = self.usage.with(&next.usage);
        Self { text, usage, served_model: next.served_model.or(self.served_model), id: next.id.or(self.id), ..next }
    }
}

/// Why an answer ended: the class that counts, and the provider's own word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Finish {
    /// The class.
    pub reason: FinishReason,
    /// The provider's own word and explanation, where it gave one.
    pub detail: Option<String>,
}

/// The classes of finish reasons, the same for every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// A natural end or a stop text.
    Stop,
    /// The token limit: the answer is truncated.
    Length,
    /// Filtered by the provider, before or after generation.
    Blocked,
    /// The model itself declined, as the provider reports it.
    Refusal,
    /// The model called a tool instead of answering.
    ToolCall,
    /// More was to come on another request, and did not: the answer is truncated.
    Continuation,
    /// A word that evalrun does not know.
    Other,
    /// The server did not say.
    #[default]
    Unknown,
}

impl FinishReason {
    /// Whether the answer is a part of what the model had to say: it met the limit, or its rest did not come.
    pub const fn is_truncated(self) -> bool {
        matches!(self, Self::Length | Self::Continuation)
    }

    /// The name in reports; empty if unknown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Blocked => "blocked",
            Self::Refusal => "refusal",
            Self::ToolCall => "tool_call",
            Self::Continuation => "continuation",
            Self::Other => "other",
            Self::Unknown => "",
        }
    }

    /// The class of a provider's word, whichever provider's it is; recorded answers use any of them.
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "" | "finish_reason_unspecified" => Self::Unknown,
            "stop" | "end_turn" | "stop_sequence" | "eos" | "completed" => Self::Stop,
            "length" | "max_tokens" | "max_output_tokens" | "model_context_window_exceeded" => Self::Length,
            "blocked"
            | "content_filter"
            | "safety"
            | "prohibited_content"
            | "blocklist"
            | "spii"
            | "language"
            | "recitation"
            | "image_safety"
            | "image_prohibited_content"
            | "image_recitation"
            | "image_other"
            | "no_image"
            | "model_armor"
            | "jailbreak"
            | "escalation"
            | "pup_limited_disabled" => Self::Blocked,
            "refusal" => Self::Refusal,
            "tool_calls"
            | "tool_call"
            | "tool_use"
            | "function_call"
            | "malformed_function_call"
            | "unexpected_tool_call"
            | "too_many_tool_calls"
            | "missing_thought_signature" => Self::ToolCall,
            "continuation" | "pause_turn" => Self::Continuation,
            _ => Self::Other,
        }
    }
}

impl Finish {
    /// The class of a provider's word, with the word kept.
    pub fn of(word: &str) -> Self {
        Self { reason: FinishReason::parse(word), detail: (!word.is_empty()).then(|| word.to_owned()) }
    }
}

/// Token counts; `None` where the server gave none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones and tool results included.
    pub input_tokens: Option<u64>,
    /// Tokens generated, thinking included.
    pub output_tokens: Option<u64>,
    /// Of the input, those read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input_tokens: Option<u64>,
    /// Of the output, those of thinking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_tokens: Option<u64>,
}

impl Usage {
    /// The sum of both; a count of the prompt or the answer that one of them lacks is not known of the sum either.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let both = |one: Option<u64>, other: Option<u64>| Some(one?.saturating_add(other?));
        let either = |one, other| [one, other].into_iter().flatten().reduce(u64::saturating_add);
        Self {
            input_tokens: both(self.input_tokens, other.input_tokens),
            output_tokens: both(self.output_tokens, other.output_tokens),
            cached_input_tokens: either(self.cached_input_tokens, other.cached_input_tokens),
            thinking_tokens: either(self.thinking_tokens, other.thinking_tokens),
        }
    }
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind, which decides what is done about it.
    pub kind: FailureKind,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The provider's own code.
    pub code: Option<String>,
    /// The server's message, or what went wrong on the way.
    pub message: String,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The server asks to slow down.
    RateLimited,
    /// The server is overloaded or broken, for now.
    Unavailable,
    /// No connection, a reset, a cut body.
    Connection,
    /// No answer in time.
    Timeout,
    /// A success whose body cannot be understood.
    Malformed,
    /// The key is missing, wrong or lacks a right.
    Authentication,
    /// Credit, spend limit or the day's quota is used up.
    Quota,
    /// The server does not know the model.
    UnknownModel,
    /// The answer is longer than any is read.
    TooLarge,
    /// What every request to the model has is wrong: a parameter, the address, the certificate.
    Configuration,
    /// The server refuses this one request as it is.
    BadRequest,
    /// There is no recorded answer.
    NotRecorded,
    /// The program could not be started or failed.
    Program,
}

impl FailureKind {
    /// Whether the same request may succeed later.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Connection | Self::Timeout | Self::Malformed)
    }

    /// Whether every further request to the same model would fail alike.
    pub const fn stops_model(self) -> bool {
        matches!(self, Self::Authentication | Self::Quota | Self::UnknownModel | Self::Configuration)
    }

    /// The name in the journal and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate limited",
            Self::Unavailable => "unavailable",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Malformed => "malformed answer",
            Self::Authentication => "authentication",
            Self::Quota => "quota",
            Self::UnknownModel => "unknown model",
            Self::TooLarge => "too large",
            Self::Configuration => "configuration",
            Self::BadRequest => "bad request",
            Self::NotRecorded => "not recorded",
            Self::Program => "program",
        }
    }
}

impl Failure {
    /// A failure without a status or a hint.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, code: None, message: message.into(), retry_after: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match (self.status, &self.code) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_every_provider_fall_into_one_class() {
        for (words, reason) in [
            (&["STOP", "stop", "end_turn"][..], FinishReason::Stop),
            (&["MAX_TOKENS", "length", "max_tokens"], FinishReason::Length),
            (&["SAFETY", "content_filter", "RECITATION"], FinishReason::Blocked),
            (&["tool_use", "tool_calls", "MALFORMED_FUNCTION_CALL"], FinishReason::ToolCall),
            (&["MALFORMED_RESPONSE", "new_word"], FinishReason::Other),
            (&["", "FINISH_REASON_UNSPECIFIED"], FinishReason::Unknown),
        ] {
            for word in words {
                assert_eq!(FinishReason::parse(word), reason, "{word}");
            }
        }
    }

    #[test]
    fn counts_of_parts_add_up_where_all_are_known() {
        let usage = |input_tokens, output_tokens, thinking_tokens| Usage {
            input_tokens,
            output_tokens,
            thinking_tokens,
            ..Usage::default()
        };
        for (one, other, sum) in [
            (usage(Some(1), Some(2), Some(3)), usage(Some(10), Some(20), None), usage(Some(11), Some(22), Some(3))),
            (usage(Some(1), None, None), usage(Some(10), Some(20), Some(5)), usage(Some(11), None, Some(5))),
            (usage(None, None, None), usage(None, None, None), usage(None, None, None)),
        ] {
            assert_eq!((one.with(&other), other.with(&one)), (sum, sum));
        }
    }

    #[test]
    fn a_failure_says_kind_status_code_and_message() {
        let failure = Failure {
            status: Some(401),
            code: Some("invalid_api_key".into()),
            ..Failure::new(FailureKind::Authentication, "bad key")
        };
        assert_eq!(failure.to_string(), "authentication (401 invalid_api_key): bad key");
        assert_eq!(
            Failure::new(FailureKind::Timeout, "no answer within 120s").to_string(),
            "timeout: no answer within 120s"
        );
    }
}
