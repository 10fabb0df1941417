//! An answer that comes in pieces.
//!
//! Promises the same response as the same answer at once, however the bytes are parted; that a stream which breaks off is a
//! failure and no answer; and that a server which answers at once all the same is understood.

use std::mem;

use serde_json::{Value, json};

use super::sse::{Event, Parser};
use super::{HttpReply, anthropic, decode, gemini, message, names_an_error, openai, out_of_array, parse};
use crate::model::Provider;
use crate::response::{Failure, FailureKind, Response};

/// What ends a stream of chat completions.
const DONE: &[u8] = b"[DONE]";

/// The same as [`decode`] for a reply that came as a stream and is all there.
///
/// # Errors
/// As [`Stream::finish`].
pub fn decode_stream(provider: Provider, reply: &HttpReply) -> Result<Response, Failure> {
    let mut stream = Stream::new(provider);
    stream.feed(&reply.body);
    stream.finish(reply.status, reply.headers.clone())
}

/// A stream while it arrives: bytes in, in the end a response out.
#[derive(Debug)]
pub struct Stream {
    provider: Provider,
    parser: Parser,
    pieces: Pieces,
    has_events: bool,
    is_done: bool,
    /// The first error that the stream tells of, or why an event cannot be understood.
    broken: Option<Result<Value, Failure>>,
}

/// What has arrived of an answer, as its API parts it.
#[derive(Debug)]
enum Pieces {
    Gemini(gemini::Pieces),
    OpenAi(openai::Pieces),
    Anthropic(anthropic::Pieces),
}

impl Stream {
    /// A stream of which nothing has arrived.
    pub fn new(provider: Provider) -> Self {
        let pieces = match provider {
            Provider::Gemini => Pieces::Gemini(gemini::Pieces::default()),
            Provider::Anthropic => Pieces::Anthropic(anthropic::Pieces::default()),
            Provider::OpenAi | Provider::Recorded | Provider::Command => Pieces::OpenAi(openai::Pieces::default()),
        };
        Self { provider, parser: Parser::default(), pieces, has_events: false, is_done: false, broken: None }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        for event in self.parser.feed(bytes) {
            self.take(&event);
        }
    }

    /// Whether some of the answer's text has arrived.
    pub fn has_text(&self) -> bool {
        match &self.pieces {
            Pieces::Gemini(pieces) => pieces.has_text(),
            Pieces::OpenAi(pieces) => pieces.has_text(),
            Pieces::Anthropic(pieces) => pieces.has_text(),
        }
    }

    /// Whether the server has said that nothing follows: some leave the connection open then.
    pub const fn is_done(&self) -> bool {
        self.is_done
    }

    /// The response, when the body is at its end; `status` and `headers` (names in lower case) are those of the reply.
    ///
    /// # Errors
    /// As [`decode`]; an error within the stream, even after some text; a stream that ends before the answer does.
    pub fn finish(mut self, status: u16, headers: Vec<(String, String)>) -> Result<Response, Failure> {
        let (last, stray) = mem::take(&mut self.parser).finish();
        // An event that was cut itself says nothing but that.
        if let Some(event) = last.filter(|event| event.data.trim_ascii() == DONE || parse(&event.data).is_ok()) {
            self.take(&event);
        }
        let reply = |body: Vec<u8>| HttpReply { status, headers, body };
        if !self.has_events {
            return decode(self.provider, &reply(stray));
        }
        // Google breaks a stream off with an error that is no event.
        let stray = || parse(&stray).ok().filter(|body| names_an_error(out_of_array(body))).map(Ok);
        let whole = match self.broken.or_else(stray) {
            Some(Ok(error)) => error,
            Some(Err(failure)) => return Err(Failure { status: Some(status), ..failure }),
            None if !self.is_done && !self.pieces.are_whole() => {
                let message = "the stream ended before the answer did";
                return Err(Failure { status: Some(status), ..Failure::new(FailureKind::Connection, message) });
            }
            None => self.pieces.into_whole(),
        };
        decode(self.provider, &reply(whole.to_string().into_bytes()))
    }

    fn take(&mut self, event: &Event) {
        self.has_events = true;
        if event.data.trim_ascii() == DONE {
            self.is_done = true;
            return;
        }
        if self.broken.is_some() || event.data.trim_ascii().is_empty() {
            return;
        }
        match parse(&event.data) {
            Ok(value) if names_an_error(out_of_array(&value)) => self.broken = Some(Ok(value)),
            Ok(value) if event.is_error => self.broken = Some(Ok(json!({"error": value}))),
            Ok(value) => self.is_done |= self.pieces.add(value),
            Err(why) => {
                let why = why.replacen("the body", "an event of the stream", 1);
                let message = message::malformed(&why, &event.data);
                self.broken = Some(Err(Failure::new(FailureKind::Malformed, message)));
            }
        }
    }
}

impl Pieces {
    /// Adds an event; whether it says that nothing follows.
    fn add(&mut self, event: Value) -> bool {
        match self {
            Self::Gemini(pieces) => pieces.add(event),
            Self::OpenAi(pieces) => pieces.add(event),
            Self::Anthropic(pieces) => return pieces.add(event),
        }
        false
    }

    /// Whether the answer has come to its end.
    fn are_whole(&self) -> bool {
        match self {
            Self::Gemini(pieces) => pieces.are_whole(),
            Self::OpenAi(pieces) => pieces.are_whole(),
            Self::Anthropic(pieces) => pieces.are_whole(),
        }
    }

    /// The body that the server would have answered with at once.
    fn into_whole(self) -> Value {
        match self {
            Self::Gemini(pieces) => pieces.into_whole(),
            Self::OpenAi(pieces) => pieces.into_whole(),
            Self::Anthropic(pieces) => pieces.into_whole(),
        }
    }
}

/// Whether a value is a text with something in it.
pub(super) fn is_said(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

/// Takes over the fields that say something, over those that are there.
pub(super) fn take_over(fields: &mut serde_json::Map<String, Value>, newer: Value) {
    if let Value::Object(newer) = newer {
        fields.extend(newer.into_iter().filter(|(_, value)| !value.is_null()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{reply, shown};
    use super::*;

    fn read<'a>(provider: Provider, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Response, Failure> {
        let mut stream = Stream::new(provider);
        for piece in pieces {
            stream.feed(piece);
        }
        stream.finish(200, vec![])
    }

    const GEMINI: [(&str, &str); 6] = [
        (
            "stream_answer.sse",
            "stop (STOP) | \"米イリノイ州で、量子\\u{2028}ミッション。\" | 78/216/64/200 | gemini-3.8-flash | stream-1",
        ),
        ("stream_blocked.sse", "blocked (SAFETY) | none | 78/0/-/- | gemini-3.8-flash | "),
        ("stream_continuation.sse", "continuation (CONTINUATION) | \"第一部。\" | 78/65536/-/- |  | "),
        ("stream_cut.sse", "connection (200): the stream ended before the answer did"),
        ("stream_error.sse", "unavailable (200 UNAVAILABLE): The model is overloaded. Please try again later."),
        (
            "stream_tool_call.sse",
            "tool_call (MALFORMED_FUNCTION_CALL: Malformed function call: print() | none | 78/-/-/- |  | ",
        ),
    ];
    const OPENAI: [(&str, &str); 10] = [
        (
            "stream_answer.sse",
            "stop (stop) | \"米イリノイ州で、交流しました。\" | 96/840/0/512 | gpt-6-luna-2026-09-01 | chatcmpl-S1",
        ),
        ("stream_litellm.sse", "stop (stop) | \"記事です。\" | 40/5/-/- | m | chatcmpl-L"),
        ("stream_unnamed_end.sse", " () | \"記事です。\" | -/-/-/- |  | "),
        ("stream_refusal.sse", "refusal (refusal: No.) | none | -/-/-/- | gpt-6-luna-2026-09-01 | chatcmpl-S1"),
        ("stream_truncated.sse", "length (length) | \"米イリノイ\" | -/-/-/- | gpt-6-luna-2026-09-01 | chatcmpl-S1"),
        ("stream_cut_between.sse", "connection (200): the stream ended before the answer did"),
        ("stream_cut.sse", "connection (200): the stream ended before the answer did"),
        ("stream_error.sse", "rate limited (200 429): Rate limit exceeded"),
        ("stream_error_event.sse", "unavailable (200 503): The model has crashed"),
        (
            "stream_nothing.sse",
            "malformed answer (200): no answer, and no reason for that; it begins: {\"choices\":[]}",
        ),
    ];
    const ANTHROPIC: [(&str, &str); 6] = [
        (
            "stream_answer.sse",
            "stop (end_turn) | \"米イリノイ州で、交流しました。\" | 102/512/60/200 | claude-haiku-5-5 | msg_S1",
        ),
        ("stream_pause.sse", "continuation (pause_turn) | \"第一部。\" | 102/40/-/- | claude-haiku-5-5 | msg_S2"),
        ("stream_refusal.sse", "refusal (refusal: Declined.) | none | 102/3/60/- | claude-haiku-5-5 | msg_S1"),
        ("stream_cut.sse", "connection (200): the stream ended before the answer did"),
        ("stream_error.sse", "unavailable (200 overloaded_error): Overloaded"),
        (
            "stream_not_utf8.sse",
            "malformed answer (200): an event of the stream is not UTF-8: invalid utf-8 sequence of 1 bytes from index 51; \
             it begins: {\"type\": \"content_block_delta\", \"delta\": {\"text\": \"\u{FFFD}\u{FFFD}\"}}",
        ),
    ];

    fn fixtures() -> impl Iterator<Item = (Provider, Vec<u8>, &'static str, &'static str)> {
        let all = [
            (Provider::Gemini, "gemini", &GEMINI[..]),
            (Provider::OpenAi, "openai", &OPENAI[..]),
            (Provider::Anthropic, "anthropic", &ANTHROPIC[..]),
        ];
        all.into_iter().flat_map(|(provider, folder, files)| {
            files.iter().map(move |(file, expected)| {
                (provider, reply(200, &[], &format!("{folder}/{file}")).body, *file, *expected)
            })
        })
    }

    #[test]
    fn every_kind_of_stream_is_read() {
        for (provider, body, file, expected) in fixtures() {
            assert_eq!(shown(read(provider, [body.as_slice()])), expected, "{provider} {file}");
        }
    }

    #[test]
    fn a_stream_may_be_parted_at_any_byte() {
        for (provider, body, file, expected) in fixtures() {
            for at in 0..=body.len() {
                let (before, after) = body.split_at(at);
                assert_eq!(shown(read(provider, [before, after])), expected, "{provider} {file} at {at}");
            }
            assert_eq!(shown(read(provider, body.chunks(1))), expected, "{provider} {file} by the byte");
        }
    }

    #[test]
    fn a_server_that_answers_at_once_all_the_same_is_understood() {
        for (provider, file) in [
            (Provider::Gemini, "gemini/answer.json"),
            (Provider::OpenAi, "openai/answer.json"),
            (Provider::Anthropic, "anthropic/answer.json"),
            (Provider::OpenAi, "openai/empty.txt"),
            (Provider::Anthropic, "anthropic/error_in_success.json"),
        ] {
            let whole = reply(200, &[], file);
            assert_eq!(shown(read(provider, [whole.body.as_slice()])), shown(decode(provider, &whole)), "{file}");
        }
        let refused = reply(429, &[("retry-after", "7")], "openai/error_rate_limit.json");
        let failure = decode_stream(Provider::OpenAi, &refused).unwrap_err();
        assert_eq!(failure, decode(Provider::OpenAi, &refused).unwrap_err());
        assert_eq!(failure.retry_after, Some(std::time::Duration::from_secs(7)));
        let page = shown(read(Provider::OpenAi, [reply(200, &[], "openai/sign_in.html").body.as_slice()]));
        assert!(page.contains("a web page: is `base_url` right?"), "{page}");
    }

    #[test]
    fn text_is_told_from_thoughts_and_the_end_from_the_middle() {
        for (provider, body, file, _) in fixtures().filter(|(_, _, file, _)| *file == "stream_answer.sse") {
            let mut stream = Stream::new(provider);
            let text = "米イリノイ".as_bytes();
            let first = body.windows(text.len()).position(|window| window == text).unwrap();
            stream.feed(&body[..first]);
            assert!(!stream.has_text() && !stream.is_done(), "{provider} {file}");
            stream.feed(&body[first..]);
            // Gemini's streams have no last word.
            assert_eq!(
                (stream.has_text(), stream.is_done()),
                (true, provider != Provider::Gemini),
                "{provider} {file}"
            );
        }
    }

    #[test]
    fn a_content_without_parts_adds_nothing() {
        let body = "data: {\"candidates\":[{\"content\":\"x\"}]}\n\n";
        let nothing = "malformed answer (200): no answer, and no reason for that; it begins: {\"candidates\":[]}";
        assert_eq!(shown(read(Provider::Gemini, [body.as_bytes()])), nothing);
    }

    proptest! {
        #[test]
        fn no_stream_is_too_odd(
            lines in prop::collection::vec(
                "(data: )?(\\[DONE\\]|\\{\"(choices|candidates|type|delta|message|usage|error|content_block)\":\
                 (null|1|\"message_start\"|\"content_block_delta\"|\\[\\{\"(delta|content|index)\":(null|\"x\"|\\{\"parts\":7\\})\\}\\]|\\{\\})\\}|[a-z\"{]{0,6})\n\n?",
                0..8,
            ),
        ) {
            for provider in [Provider::Gemini, Provider::OpenAi, Provider::Anthropic] {
                let body = lines.concat();
                let whole = shown(read(provider, [body.as_bytes()]));
                prop_assert_eq!(shown(read(provider, body.as_bytes().chunks(3))), whole);
            }
        }
    }
}
