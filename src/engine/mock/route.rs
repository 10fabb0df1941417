//! What a request's method and path ask for.
//!
//! Paths are known by their ends, so that an address may carry whatever a proxy's would in front.

use std::fmt;

use hyper::Method;
use hyper::http::request::Parts;

/// The protocols, as evalrun.toml names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Protocol {
    Gemini,
    OpenAi,
    Anthropic,
}

impl Protocol {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How an answer is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// At once, as one JSON value.
    Whole,
    /// As server-sent events.
    Events,
    /// As an array in pieces: Gemini's streams without `alt=sse`.
    Array,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// An answer. Gemini names the model and the form in the path, the others in the body.
    Ask { protocol: Protocol, model: Option<String>, form: Form },
    /// How many tokens a prompt has; Gemini names the model in the path, which does not matter.
    Count(Protocol),
    /// The models there are.
    Models(Protocol),
    /// One model.
    Model(Protocol, String),
    /// The counters.
    Stats,
    /// Nothing that is known here.
    Unknown(Protocol),
}

impl Route {
    pub(super) fn of(request: &Parts) -> Self {
        let path = request.uri.path().trim_end_matches('/');
        match request.method {
            Method::POST => asked(path, request.uri.query()),
            Method::GET | Method::HEAD => looked_at(path, request),
            _ => None,
        }
        .unwrap_or_else(|| Self::Unknown(speaker(request)))
    }
}

fn asked(path: &str, query: Option<&str>) -> Option<Route> {
    let ask = |protocol| Route::Ask { protocol, model: None, form: Form::Whole };
    if path.ends_with("/chat/completions") {
        return Some(ask(Protocol::OpenAi));
    }
    if path.ends_with("/messages") {
        return Some(ask(Protocol::Anthropic));
    }
    if path.ends_with("/messages/count_tokens") {
        return Some(Route::Count(Protocol::Anthropic));
    }
    let (rest, action) = path.rsplit_once(':')?;
    let (_, model) = split_collection(rest)?;
    let form = match action {
        "generateContent" => Form::Whole,
        "streamGenerateContent" if query.is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse")) => {
            Form::Events
        }
        "streamGenerateContent" => Form::Array,
        "countTokens" => return Some(Route::Count(Protocol::Gemini)),
        _ => return None,
    };
    Some(Route::Ask { protocol: Protocol::Gemini, model: Some(percent_decoded(model)), form })
}

fn looked_at(path: &str, request: &Parts) -> Option<Route> {
    if path == "/stats" {
        return Some(Route::Stats);
    }
    if path.ends_with("/models") {
        return Some(Route::Models(speaker(request)));
    }
    let (_, model) = split_collection(path)?;
    Some(Route::Model(speaker(request), percent_decoded(model)))
}

fn split_collection(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once("/models/").or_else(|| path.rsplit_once("/tunedModels/"))
}

/// Which protocol a client speaks, as far as its headers and path tell.
fn speaker(request: &Parts) -> Protocol {
    let path = request.uri.path();
    if request.headers.contains_key("anthropic-version") {
        Protocol::Anthropic
    } else if request.headers.contains_key("x-goog-api-key") || path.contains("/v1beta") || path.contains("/v1alpha") {
        Protocol::Gemini
    } else {
        Protocol::OpenAi
    }
}

/// A segment of a path as it was meant; what is no escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        let decoded = if byte == b'%' { escaped() } else { None };
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, uri: &str, header: &str) -> Route {
        let request = hyper::Request::builder().method(method).uri(uri).header(header, "x").body(()).unwrap();
        Route::of(&request.into_parts().0)
    }

    #[test]
    fn a_path_is_known_by_its_end() {
        let ask = |protocol, model: Option<&str>, form| Route::Ask { protocol, model: model.map(str::to_owned), form };
        for (uri, expected) in [
            ("/v1beta/models/m:generateContent", ask(Protocol::Gemini, Some("m"), Form::Whole)),
            ("/v1/models/a%2Fb%C3%A9:generateContent", ask(Protocol::Gemini, Some("a/bé"), Form::Whole)),
            ("/v1beta/models/m:streamGenerateContent?alt=sse", ask(Protocol::Gemini, Some("m"), Form::Events)),
            ("/v1beta/models/m:streamGenerateContent?key=k", ask(Protocol::Gemini, Some("m"), Form::Array)),
            ("/v1beta/tunedModels/m:generateContent", ask(Protocol::Gemini, Some("m"), Form::Whole)),
            ("/chat/completions", ask(Protocol::OpenAi, None, Form::Whole)),
            ("/v1/chat/completions/", ask(Protocol::OpenAi, None, Form::Whole)),
            ("/team/v1/messages", ask(Protocol::Anthropic, None, Form::Whole)),
            ("/v1/models/m:countTokens", Route::Count(Protocol::Gemini)),
            ("/v1/messages/count_tokens", Route::Count(Protocol::Anthropic)),
            ("/openai/deployments/m/chat/completions?api-version=1", ask(Protocol::OpenAi, None, Form::Whole)),
            ("/v1beta/models/m:embedContent", Route::Unknown(Protocol::Gemini)),
            ("/v1/responses", Route::Unknown(Protocol::OpenAi)),
        ] {
            assert_eq!(route("POST", uri, "x-other"), expected, "{uri}");
        }
    }

    #[test]
    fn one_address_lists_models_for_every_protocol() {
        for (uri, header, expected) in [
            ("/v1/models", "x-other", Route::Models(Protocol::OpenAi)),
            ("/models", "authorization", Route::Models(Protocol::OpenAi)),
            ("/v1/models?limit=20", "anthropic-version", Route::Models(Protocol::Anthropic)),
            ("/v1/models", "x-goog-api-key", Route::Models(Protocol::Gemini)),
            ("/v1beta/models", "x-other", Route::Models(Protocol::Gemini)),
            ("/v1beta/models/m", "x-other", Route::Model(Protocol::Gemini, "m".into())),
            ("/stats", "x-other", Route::Stats),
            ("/", "x-other", Route::Unknown(Protocol::OpenAi)),
        ] {
            assert_eq!(route("GET", uri, header), expected, "{uri}");
        }
    }
}
