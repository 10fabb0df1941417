//! A local server that answers as a test says, and remembers what it was asked.

use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The three protocols as evalrun.toml names them.
pub(crate) const PROTOCOLS: [&str; 3] = ["gemini", "openai", "anthropic"];

/// A running server; it ends when it is dropped.
pub(crate) struct Server {
    runtime: Runtime,
    server: MockServer,
}

impl Server {
    /// A server that gives every request to `respond`.
    pub(crate) fn start(respond: impl Respond + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(wiremock::matchers::any()).respond_with(respond).mount(&server).await;
            server
        });
        Self { runtime, server }
    }

    /// A server that answers each protocol with the same text.
    pub(crate) fn answering(text: &'static str) -> Self {
        Self::start(move |request: &Request| answer(protocol(request), text))
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }

    /// A `[[model]]` table of evalrun.toml for a model on this server; the key is read from `MARKER_KEY`.
    pub(crate) fn model(&self, id: &str, provider: &str, more: &str) -> String {
        let url = self.url();
        format!(
            "[[model]]\nid = \"{id}\"\nprovider = \"{provider}\"\nbase_url = \"{url}\"\napi_key_env = \"MARKER_KEY\"\n{more}\n"
        )
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.runtime.block_on(self.server.received_requests()).unwrap()
    }

    /// The bodies of all requests so far.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.requests().iter().map(|request| request.body_json().unwrap()).collect()
    }
}

/// Which protocol a request speaks.
pub(crate) fn protocol(request: &Request) -> &'static str {
    match request.url.path() {
        path if path.ends_with("/chat/completions") => "openai",
        path if path.ends_with("/messages") => "anthropic",
        path => {
            assert!(path.ends_with(":generateContent"), "{path}");
            "gemini"
        }
    }
}

/// A complete answer.
pub(crate) fn answer(protocol: &str, text: &str) -> ResponseTemplate {
    finished(protocol, text, ["STOP", "stop", "end_turn"])
}

/// An answer that ran into the token limit.
pub(crate) fn truncated(protocol: &str, text: &str) -> ResponseTemplate {
    finished(protocol, text, ["MAX_TOKENS", "length", "max_tokens"])
}

/// An answer with the finish reason of its protocol.
fn finished(protocol: &str, text: &str, [gemini, openai, anthropic]: [&str; 3]) -> ResponseTemplate {
    let body = match protocol {
        "gemini" => serde_json::json!({
            "candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": gemini}],
            "usageMetadata": {"promptTokenCount": 30, "candidatesTokenCount": 70, "totalTokenCount": 100},
            "modelVersion": "served-gemini", "responseId": "g1"
        }),
        "openai" => serde_json::json!({
            "id": "o1", "object": "chat.completion", "created": 1, "model": "served-openai",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": openai}],
            "usage": {"prompt_tokens": 30, "completion_tokens": 70, "total_tokens": 100}
        }),
        _ => serde_json::json!({
            "id": "a1", "type": "message", "role": "assistant", "model": "served-anthropic",
            "content": [{"type": "text", "text": text}], "stop_reason": anthropic, "stop_sequence": null,
            "usage": {"input_tokens": 30, "output_tokens": 70}
        }),
    };
    ResponseTemplate::new(200).set_body_json(body)
}

/// An error in the shape of its protocol.
pub(crate) fn error(protocol: &str, status: u16, code: &str, message: &str) -> ResponseTemplate {
    let body = match protocol {
        "gemini" => serde_json::json!({"error": {"code": status, "message": message, "status": code}}),
        "openai" => serde_json::json!({"error": {"message": message, "type": code, "param": null, "code": code}}),
        _ => serde_json::json!({"type": "error", "error": {"type": code, "message": message}, "request_id": "r1"}),
    };
    ResponseTemplate::new(status).set_body_json(body)
}
