//! A whole answer or a stream, in the words of its protocol, and broken where a fault says so.

use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::Value;

use super::body::{Body, Step};
use super::error::Trouble;
use super::fault::Fault;
use super::question::Question;
use super::record::Counts;
use super::route::{Form, Protocol};
use super::{anthropic, gemini, openai};
use crate::provider::estimate_tokens;
use crate::response::{self, FinishReason};

/// When every answer was made, in seconds of Unix time: the same, so that the same answers have the same bytes.
pub(super) const CREATED: u64 = 1_751_234_400;

/// The most characters of a stream's piece.
const PIECE: usize = 16;

/// How many bytes a huge body has.
const HUGE: usize = 50_000_000;

/// In how many pieces, and how far apart, a slow body is sent.
const SLOW: (usize, Duration) = (20, Duration::from_millis(50));

/// How much thinking a budget is spent on.
const THOUGHTS: u64 = 1000;

/// Stands for bytes that are no UTF-8 until they are written.
const NOT_UTF8: char = '\u{E000}';

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const HTML: &str = "text/html";

const BAD_GATEWAY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad \
                           Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
const SIGN_IN: &str = "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head>\n<body><form>Please \
                       sign in.</form></body></html>\n";

/// An answer before it is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub id: String,
    pub model: String,
    pub text: Option<String>,
    pub reason: FinishReason,
    pub input: u64,
    pub output: u64,
    pub thinking: u64,
    /// Whether there is no candidate, choice or content at all.
    pub says_nothing: bool,
}

impl Said {
    /// What is said to `question`, given what a good answer would be.
    pub(super) fn new(question: &Question, answer: response::Response, fault: Option<Fault>) -> Self {
        let output = answer.usage.output_tokens;
        let thinking = answer.usage.thinking_tokens.unwrap_or(0);
        let input = answer.usage.input_tokens.unwrap_or_else(|| question.tokens());
        let digest = question.shown_digest();
        let id = answer.id.unwrap_or_else(|| match question.protocol {
            Protocol::Gemini => format!("mock-{digest}"),
            Protocol::OpenAi => format!("chatcmpl-mock-{digest}"),
            Protocol::Anthropic => format!("msg_mock_{digest}"),
        });
        let mut said = Self {
            id,
            model: answer.served_model.unwrap_or_else(|| question.model.clone()),
            text: answer.text,
            reason: answer.finish.reason,
            input,
            output: 0,
            thinking,
            says_nothing: false,
        };
        let is_changed = said.strike(question, fault);
        let counted = output.filter(|_| !is_changed).map(|output| output.saturating_sub(said.thinking));
        said.output = counted.unwrap_or_else(|| estimate_tokens(said.text.as_deref().unwrap_or_default()));
        said
    }

    /// Changes what is said as a fault wants it; whether it did.
    fn strike(&mut self, question: &Question, fault: Option<Fault>) -> bool {
        let mut text = self.text.clone().unwrap_or_default();
        if question.goes_on && fault.is_some_and(|fault| fault != Fault::Continuation) {
            text = text.split_off(middle(&text));
            self.text = Some(text.clone());
        }
        let half = middle(&text);
        let (new, reason) = match fault {
            Some(Fault::NoText) => (Some(String::new()), FinishReason::Stop),
            Some(Fault::Blocked) => (None, FinishReason::Blocked),
            Some(Fault::Truncated) => (Some(text[..half].to_owned()), FinishReason::Length),
            Some(Fault::Thinking) => {
                self.thinking = THOUGHTS;
                (None, FinishReason::Length)
            }
            Some(Fault::Continuation) if question.goes_on => (Some(text[half..].to_owned()), FinishReason::Stop),
            Some(Fault::Continuation) if question.protocol != Protocol::OpenAi => {
                (Some(text[..half].to_owned()), FinishReason::Continuation)
            }
            Some(Fault::BadUtf8) => (Some(format!("{}{NOT_UTF8}{}", &text[..half], &text[half..])), self.reason),
            Some(Fault::NoAnswer) => {
                self.says_nothing = true;
                (None, FinishReason::Unknown)
            }
            _ => return false,
        };
        self.text = new;
        self.reason = reason;
        true
    }

    fn whole(&self, protocol: Protocol) -> Value {
        match protocol {
            Protocol::Gemini => gemini::whole(self),
            Protocol::OpenAi => openai::whole(self),
            Protocol::Anthropic => anthropic::whole(self),
        }
    }

    fn events(&self, question: &Question) -> Vec<Value> {
        match question.protocol {
            Protocol::Gemini => gemini::events(self),
            Protocol::OpenAi => openai::events(self, question.wants_usage),
            Protocol::Anthropic => anthropic::events(self),
        }
    }
}

/// The pieces of a text that a stream sends one by one.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.char_indices().step_by(PIECE).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

/// The last place between two characters before the middle.
fn middle(text: &str) -> usize {
    (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A value as a JSON body.
pub(super) fn json(status: u16, value: &Value) -> Response<Body> {
    response(status, JSON, Body::whole(value.to_string()))
}

/// The counters, for people and programs.
pub(super) fn stats(counts: &Counts) -> Response<Body> {
    let text = serde_json::to_string_pretty(counts).unwrap_or_default() + "\n";
    response(200, JSON, Body::whole(text))
}

/// An error as it is sent.
pub(super) fn trouble(trouble: &Trouble) -> Response<Body> {
    let mut response = json(trouble.status, &trouble.body);
    for (name, value) in &trouble.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// What is sent of an answer, with `pace` between a stream's pieces; `None` if the connection is reset instead.
pub(super) fn answer(question: &Question, said: &Said, fault: Option<Fault>, pace: Duration) -> Option<Response<Body>> {
    if let Some(error) = fault
        .filter(|fault| *fault != Fault::ErrorInSuccess)
        .and_then(|fault| Trouble::of(question.protocol, fault, &question.model))
    {
        return Some(trouble(&error));
    }
    Some(match fault {
        Some(Fault::Reset) => return None,
        Some(Fault::Stall) => response(200, JSON, Body::pieces([Step::Stall])),
        Some(Fault::BadGateway) => response(502, HTML, Body::whole(BAD_GATEWAY)),
        Some(Fault::WebPage) => response(200, HTML, Body::whole(SIGN_IN)),
        Some(Fault::Empty) => response(200, JSON, Body::whole("")),
        _ if question.form == Form::Whole => response(200, JSON, whole(question, said, fault)),
        _ => {
            let kind = if question.form == Form::Events { EVENTS } else { JSON };
            response(200, kind, Body::pieces(stream(question, said, fault, pace)))
        }
    })
}

fn response(status: u16, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn whole(question: &Question, said: &Said, fault: Option<Fault>) -> Body {
    let mut bytes = said.whole(question.protocol).to_string().into_bytes();
    let length = bytes.len() as u64;
    let half = bytes.len() / 2;
    let first_half = |bytes: &[u8]| Step::Send(Bytes::copy_from_slice(&bytes[..half]));
    match fault {
        Some(Fault::Cut) => Body::announced(length, [first_half(&bytes), Step::Flush, Step::Cut]),
        Some(Fault::StallBody) => Body::announced(length, [first_half(&bytes), Step::Stall]),
        Some(Fault::SlowBody) => {
            let (pieces, wait) = SLOW;
            let pieces = bytes.chunks(bytes.len().div_ceil(pieces).max(1));
            let steps = pieces.flat_map(|piece| [Step::Wait(wait), Step::Send(Bytes::copy_from_slice(piece))]);
            Body::announced(length, steps)
        }
        Some(Fault::BadJson) => {
            bytes.pop();
            Body::whole(bytes)
        }
        Some(Fault::BadUtf8) => Body::whole(not_utf8(bytes)),
        Some(Fault::Huge) => huge(bytes),
        Some(Fault::ErrorInSuccess) => {
            let error = Trouble::of(question.protocol, Fault::ErrorInSuccess, &question.model);
            Body::whole(error.map(|error| error.body.to_string()).unwrap_or_default())
        }
        _ => Body::whole(bytes),
    }
}

/// Blanks may stand before a JSON value, as some servers send them to keep a connection open.
fn huge(bytes: Vec<u8>) -> Body {
    const BLANKS: usize = 1 << 16;
    let blanks = Bytes::from(vec![b' '; BLANKS]);
    let missing = HUGE.saturating_sub(bytes.len());
    let sizes = std::iter::repeat_n(BLANKS, missing / BLANKS).chain([missing % BLANKS]);
    let steps = sizes.map(|size| Step::Send(blanks.slice(..size))).chain([Step::Send(bytes.into())]);
    Body::announced(HUGE as u64, steps)
}

fn not_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let mut mark = [0; 4];
    let mark = NOT_UTF8.encode_utf8(&mut mark).as_bytes();
    let Some(at) = bytes.windows(mark.len()).position(|window| window == mark) else { return bytes };
    [&bytes[..at], b"\xFF\xFE\x80", &bytes[at + mark.len()..]].concat()
}

fn stream(question: &Question, said: &Said, fault: Option<Fault>, pace: Duration) -> Vec<Step> {
    let mut events: Vec<Bytes> = said.events(question).iter().map(|event| spelled(question, event)).collect();
    let half = events.len().div_ceil(2);
    let mut end = Vec::new();
    let mut pace = pace;
    match fault {
        Some(Fault::Cut) => end.extend([Step::Flush, Step::Cut]),
        Some(Fault::StallBody) => end.push(Step::Stall),
        Some(Fault::SlowBody) => pace = pace.max(SLOW.0 as u32 * SLOW.1 / (events.len() as u32).max(1)),
        Some(Fault::BadJson) => {
            let broken = String::from_utf8_lossy(&events[half - 1]).replacen('}', "", 1);
            events[half - 1] = broken.into();
        }
        Some(Fault::BadUtf8) => events = events.into_iter().map(|event| not_utf8(event.to_vec()).into()).collect(),
        Some(Fault::Huge) => events.insert(0, blank_lines(HUGE)),
        _ => {}
    }
    match fault {
        Some(Fault::Cut | Fault::StallBody) => events.truncate(half),
        Some(Fault::ErrorInSuccess) => {
            events.truncate(half);
            let error = Trouble::of(question.protocol, Fault::ErrorInSuccess, &question.model);
            events.extend(error.map(|error| spelled_error(question, &error.body)));
        }
        _ if question.form == Form::Events && question.protocol == Protocol::OpenAi => {
            events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        }
        _ => {}
    }
    if question.form == Form::Array {
        events = in_array(&events);
    }
    let pause = (!pace.is_zero()).then_some(Step::Wait(pace));
    let paced = events.into_iter().enumerate().flat_map(|(n, event)| {
        let pause = pause.clone().filter(|_| n > 0);
        pause.into_iter().chain([Step::Send(event)])
    });
    paced.chain(end).collect()
}

/// Empty lines are no events.
fn blank_lines(size: usize) -> Bytes {
    Bytes::from(vec![b'\n'; size])
}

fn spelled(question: &Question, event: &Value) -> Bytes {
    match (question.form, question.protocol) {
        (Form::Array, _) => event.to_string().into(),
        (_, Protocol::Gemini) => format!("data: {event}\r\n\r\n").into(),
        (_, Protocol::OpenAi) => format!("data: {event}\n\n").into(),
        (_, Protocol::Anthropic) => {
            let name = event["type"].as_str().unwrap_or_default();
            format!("event: {name}\ndata: {event}\n\n").into()
        }
    }
}

/// Gemini breaks a stream off with an error as it would answer with one, on several lines.
fn spelled_error(question: &Question, error: &Value) -> Bytes {
    match (question.form, question.protocol) {
        (Form::Events, Protocol::Gemini) => format!("{error:#}\r\n").into(),
        _ => spelled(question, error),
    }
}

fn in_array(events: &[Bytes]) -> Vec<Bytes> {
    let last = events.len().saturating_sub(1);
    let piece = |(n, event): (usize, &Bytes)| {
        let (before, after) = (if n == 0 { "[" } else { ",\r\n" }, if n == last { "]" } else { "" });
        [before.as_bytes(), event, after.as_bytes()].concat().into()
    };
    events.iter().enumerate().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provider;
    use crate::prompt::Rendered;
    use crate::provider::{HttpReply, Stream, decode};
    use crate::response::{Failure, Response};

    const ALL: [(Protocol, Provider); 3] = [
        (Protocol::Gemini, Provider::Gemini),
        (Protocol::OpenAi, Provider::OpenAi),
        (Protocol::Anthropic, Provider::Anthropic),
    ];

    fn question(protocol: Protocol, form: Form) -> Question {
        Question {
            protocol,
            model: "m".to_owned(),
            prompt: Rendered { system: None, user: "量子".to_owned() },
            form,
            wants_usage: true,
            max_tokens: None,
            goes_on: false,
            digest: 7,
        }
    }

    /// All bytes that are sent of an answer to `question`.
    fn sent(question: &Question, fault: Option<Fault>) -> Vec<u8> {
        let good =
            response::Response { text: Some("量子の記事です。".repeat(9)), ..response::Response::default() };
        let said = Said::new(question, good, fault);
        let bytes = answer(question, &said, fault, Duration::ZERO).unwrap().into_body().bytes();
        bytes.concat()
    }

    fn as_stream(provider: Provider, bytes: &[u8]) -> Result<Response, Failure> {
        let mut stream = Stream::new(provider);
        stream.feed(bytes);
        stream.finish(200, vec![])
    }

    fn at_once(provider: Provider, body: Vec<u8>) -> Result<Response, Failure> {
        decode(provider, &HttpReply { status: 200, headers: vec![], body })
    }

    #[test]
    fn a_stream_says_what_an_answer_at_once_says() {
        let faults = [
            None,
            Some(Fault::SlowBody),
            Some(Fault::ErrorInSuccess),
            Some(Fault::NoText),
            Some(Fault::Blocked),
            Some(Fault::Truncated),
            Some(Fault::Thinking),
            Some(Fault::Continuation),
            Some(Fault::WebPage),
            Some(Fault::Empty),
        ];
        for (protocol, provider) in ALL {
            for fault in faults {
                let whole = at_once(provider, sent(&question(protocol, Form::Whole), fault));
                let stream = as_stream(provider, &sent(&question(protocol, Form::Events), fault));
                let kind = |result: Result<Response, Failure>| match result {
                    Ok(response) => {
                        Ok((response.text.unwrap_or_default(), response.finish, response.usage, response.id))
                    }
                    Err(failure) => Err((failure.kind, failure.code)),
                };
                assert_eq!(kind(stream), kind(whole), "{protocol} {fault:?}");
            }
        }
    }

    #[test]
    fn what_was_recorded_without_a_text_has_none() {
        for (protocol, provider) in ALL {
            for reason in [FinishReason::Blocked, FinishReason::Length, FinishReason::ToolCall] {
                let recorded = response::Finish { reason, detail: None };
                let recorded = response::Response { finish: recorded, ..response::Response::default() };
                let question = question(protocol, Form::Whole);
                let body = Said::new(&question, recorded, None).whole(protocol).to_string().into_bytes();
                let seen = at_once(provider, body).unwrap();
                let refuses = reason == FinishReason::Blocked && protocol == Protocol::Anthropic;
                let expected = if refuses { FinishReason::Refusal } else { reason };
                assert_eq!((seen.text, seen.finish.reason), (None, expected), "{protocol}");
            }
        }
    }

    #[test]
    fn a_broken_stream_is_no_answer() {
        use crate::response::FailureKind::{Connection, Malformed};
        for (protocol, provider) in ALL {
            for (fault, kind) in [
                (Fault::Cut, Connection),
                (Fault::StallBody, Connection),
                (Fault::BadJson, Malformed),
                (Fault::BadUtf8, Malformed),
                (Fault::NoAnswer, Malformed),
            ] {
                let failure = as_stream(provider, &sent(&question(protocol, Form::Events), Some(fault))).unwrap_err();
                assert_eq!(failure.kind, kind, "{protocol} {fault:?}: {failure}");
            }
        }
    }

    #[test]
    fn a_stream_without_events_is_an_array() {
        let bytes = sent(&question(Protocol::Gemini, Form::Array), None);
        let array: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        assert!(array.len() > 1 && array[array.len() - 1]["candidates"][0]["finishReason"] == "STOP", "{array:?}");
    }
}
