//! Errors as each vendor words and shapes them, with their ways to ask for patience.

use serde_json::{Value, json};

use super::fault::Fault;
use super::route::Protocol;

/// An error on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

/// The machine words of one error, by vendor.
#[derive(Debug, Clone, Copy)]
struct Words {
    gemini: &'static str,
    openai: &'static str,
    code: Option<&'static str>,
    anthropic: &'static str,
}

const fn words(status: u16) -> Words {
    let (gemini, openai, code, anthropic) = match status {
        401 => ("UNAUTHENTICATED", "invalid_request_error", Some("invalid_api_key"), "authentication_error"),
        402 => ("FAILED_PRECONDITION", "insufficient_quota", Some("credit_balance_exhausted"), "billing_error"),
        403 => ("PERMISSION_DENIED", "invalid_request_error", Some("insufficient_permissions"), "permission_error"),
        404 => ("NOT_FOUND", "invalid_request_error", Some("model_not_found"), "not_found_error"),
        408 => ("DEADLINE_EXCEEDED", "timeout", None, "timeout_error"),
        413 => ("INVALID_ARGUMENT", "invalid_request_error", Some("request_too_large"), "request_too_large"),
        429 => ("RESOURCE_EXHAUSTED", "requests", Some("rate_limit_exceeded"), "rate_limit_error"),
        500 => ("INTERNAL", "server_error", None, "api_error"),
        503 => ("UNAVAILABLE", "server_error", Some("server_is_overloaded"), "api_error"),
        504 => ("DEADLINE_EXCEEDED", "server_error", None, "timeout_error"),
        529 => ("UNAVAILABLE", "server_error", Some("server_is_overloaded"), "overloaded_error"),
        _ => ("INVALID_ARGUMENT", "invalid_request_error", None, "invalid_request_error"),
    };
    Words { gemini, openai, code, anthropic }
}

impl Trouble {
    /// An error of that status in the vendor's shape.
    pub(super) fn new(protocol: Protocol, status: u16, message: &str) -> Self {
        let words = words(status);
        let body = match protocol {
            Protocol::Gemini => json!({"error": {"code": status, "message": message, "status": words.gemini}}),
            Protocol::OpenAi => {
                json!({"error": {"message": message, "type": words.openai, "param": null, "code": words.code}})
            }
            Protocol::Anthropic => json!({
                "type": "error", "error": {"type": words.anthropic, "message": message}, "request_id": "req_mock"
            }),
        };
        Self { status, headers: Vec::new(), body }
    }

    /// The error that a fault asks for; `None` for a fault that is none.
    pub(super) fn of(protocol: Protocol, fault: Fault, model: &str) -> Option<Self> {
        let new = |status, message: &str| Self::new(protocol, status, message);
        Some(match fault {
            Fault::BadRequest => refused(protocol),
            Fault::TooLong => too_long(protocol),
            Fault::BadKey => bad_key(protocol),
            Fault::Unauthorized => new(401, "The API key is not valid."),
            Fault::Unpaid => new(402, "Your credit balance is too low to access this API."),
            Fault::Forbidden => new(403, "This key does not have the right to use the model."),
            Fault::UnknownModel => unknown_model(protocol, model),
            Fault::TimedOut => new(408, "The request timed out."),
            Fault::RateLimited => rate_limited(protocol).with_own_hint(protocol),
            Fault::RateLimitedByHeader => rate_limited(protocol).with("retry-after", "1"),
            Fault::RateLimitedByReset => rate_limited(protocol).with_reset(protocol),
            Fault::RateLimitedBare => rate_limited(protocol),
            Fault::DayIsOver => day_is_over(protocol),
            Fault::Internal => new(500, "An internal error has occurred. Please retry."),
            Fault::Unavailable | Fault::ErrorInSuccess => new(503, "The model is overloaded. Please try again later."),
            Fault::Late => new(504, "The deadline expired before the operation could complete."),
            Fault::Overloaded => new(529, "Overloaded"),
            _ => return None,
        })
    }

    /// What a limit that holds for the whole server says.
    pub(super) fn over_the_limit(protocol: Protocol) -> Self {
        let trouble = rate_limited(protocol).with_own_hint(protocol);
        if protocol == Protocol::Gemini { trouble.with("retry-after", "1") } else { trouble }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn with_own_hint(self, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Gemini => self.with_reset(protocol),
            Protocol::OpenAi | Protocol::Anthropic => self.with("retry-after", "1").with_reset(protocol),
        }
    }

    /// Gemini has no headers for its limits: it says the same in the body.
    fn with_reset(mut self, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Gemini => {
                self.body["error"]["details"] = json!([
                    quota("GenerateRequestsPerMinutePerProjectPerModel", "10"),
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
                ]);
                self
            }
            Protocol::OpenAi => self
                .with("x-ratelimit-limit-requests", "10")
                .with("x-ratelimit-remaining-requests", "0")
                .with("x-ratelimit-reset-requests", "1s"),
            Protocol::Anthropic => {
                let reset = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1);
                self.with("anthropic-ratelimit-requests-limit", "10")
                    .with("anthropic-ratelimit-requests-remaining", "0")
                    .with("anthropic-ratelimit-requests-reset", &format!("{reset:.3}"))
            }
        }
    }
}

fn rate_limited(protocol: Protocol) -> Trouble {
    Trouble::new(protocol, 429, "Too many requests: slow down.")
}

fn refused(protocol: Protocol) -> Trouble {
    let mut trouble = Trouble::new(protocol, 400, "temperature: this model does not support it");
    if protocol == Protocol::OpenAi {
        trouble.body["error"]["param"] = json!("temperature");
        trouble.body["error"]["code"] = json!("unsupported_value");
    }
    trouble
}

fn too_long(protocol: Protocol) -> Trouble {
    match protocol {
        Protocol::Gemini => Trouble::new(
            protocol,
            400,
            "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
        ),
        Protocol::OpenAi => {
            let message = "This model's maximum context length is 128000 tokens. However, your messages resulted in \
                           200000 tokens. Please reduce the length of the messages.";
            let mut trouble = Trouble::new(protocol, 400, message);
            trouble.body["error"]["param"] = json!("messages");
            trouble.body["error"]["code"] = json!("context_length_exceeded");
            trouble
        }
        Protocol::Anthropic => Trouble::new(protocol, 400, "prompt is too long: 300000 tokens > 200000 maximum"),
    }
}

fn bad_key(protocol: Protocol) -> Trouble {
    if protocol != Protocol::Gemini {
        return Trouble::new(protocol, 401, "The API key is not valid.");
    }
    let mut trouble = Trouble::new(protocol, 400, "API key not valid. Please pass a valid API key.");
    trouble.body["error"]["details"] = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"
    }]);
    trouble
}

fn unknown_model(protocol: Protocol, model: &str) -> Trouble {
    let message = match protocol {
        Protocol::Gemini => format!("models/{model} is not found, or is not supported for generateContent."),
        Protocol::OpenAi => format!("The model `{model}` does not exist or you do not have access to it."),
        Protocol::Anthropic => format!("model: {model}"),
    };
    Trouble::new(protocol, 404, &message)
}

fn day_is_over(protocol: Protocol) -> Trouble {
    let mut trouble = Trouble::new(protocol, 429, "You exceeded your current quota, please check your plan.");
    let error = &mut trouble.body["error"];
    match protocol {
        Protocol::Gemini => {
            error["details"] = json!([
                quota("GenerateRequestsPerDayPerProjectPerModel", "250"),
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
            ]);
        }
        Protocol::OpenAi => {
            error["type"] = json!("insufficient_quota");
            error["code"] = json!("insufficient_quota");
        }
        Protocol::Anthropic => error["details"] = json!({"error_code": "enforced_spend_limit_reached"}),
    }
    trouble
}

fn quota(id: &str, value: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": id, "quotaDimensions": {"location": "global"}, "quotaValue": value}]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;
    use crate::provider::{HttpReply, decode};

    /// What evalrun itself makes of an error: kind, status and how long to wait, in milliseconds.
    fn understood(protocol: Protocol, fault: Fault) -> String {
        let trouble = Trouble::of(protocol, fault, "m").unwrap();
        let mut headers: Vec<(String, String)> =
            trouble.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let now = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now());
        headers.push(("date".to_owned(), now.unwrap()));
        let reply = HttpReply { status: trouble.status, headers, body: trouble.body.to_string().into_bytes() };
        let provider = match protocol {
            Protocol::Gemini => Provider::Gemini,
            Protocol::OpenAi => Provider::OpenAi,
            Protocol::Anthropic => Provider::Anthropic,
        };
        let failure = decode(provider, &reply).unwrap_err();
        // A moment is told to the second by `date`: what is left until then is not the same in every run.
        let wait = failure.retry_after.map_or("", |_| ", wait");
        format!("{} {}{wait}", failure.kind.name(), trouble.status)
    }

    #[test]
    fn every_error_is_understood_as_it_is_meant() {
        for (fault, expected) in [
            (Fault::BadRequest, "configuration 400"),
            (Fault::TooLong, "bad request 400"),
            (Fault::Unauthorized, "authentication 401"),
            (Fault::Unpaid, "quota 402"),
            (Fault::Forbidden, "authentication 403"),
            (Fault::UnknownModel, "unknown model 404"),
            (Fault::TimedOut, "timeout 408"),
            (Fault::RateLimited, "rate limited 429, wait"),
            (Fault::RateLimitedByHeader, "rate limited 429, wait"),
            (Fault::RateLimitedByReset, "rate limited 429, wait"),
            (Fault::RateLimitedBare, "rate limited 429"),
            (Fault::Internal, "unavailable 500"),
            (Fault::Unavailable, "unavailable 503"),
            (Fault::Late, "timeout 504"),
            (Fault::Overloaded, "unavailable 529"),
        ] {
            for protocol in [Protocol::Gemini, Protocol::OpenAi, Protocol::Anthropic] {
                assert_eq!(understood(protocol, fault), expected, "{protocol} {}", fault.name());
            }
        }
        for (protocol, key, day) in [
            (Protocol::Gemini, "authentication 400", "quota 429, wait"),
            (Protocol::OpenAi, "authentication 401", "quota 429"),
            (Protocol::Anthropic, "authentication 401", "quota 429"),
        ] {
            assert_eq!(understood(protocol, Fault::BadKey), key);
            assert_eq!(understood(protocol, Fault::DayIsOver), day);
        }
    }

    #[test]
    fn the_three_shapes_are_the_vendors_own() {
        for (protocol, expected) in [
            (
                Protocol::Gemini,
                r#"{"error":{"code":404,"message":"models/m is not found, or is not supported for generateContent.","status":"NOT_FOUND"}}"#,
            ),
            (
                Protocol::OpenAi,
                r#"{"error":{"code":"model_not_found","message":"The model `m` does not exist or you do not have access to it.","param":null,"type":"invalid_request_error"}}"#,
            ),
            (
                Protocol::Anthropic,
                r#"{"error":{"message":"model: m","type":"not_found_error"},"request_id":"req_mock","type":"error"}"#,
            ),
        ] {
            assert_eq!(Trouble::of(protocol, Fault::UnknownModel, "m").unwrap().body.to_string(), expected);
        }
    }
}
