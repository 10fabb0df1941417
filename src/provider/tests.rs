//! How requests are spelt for each API, and how its answers are read.

use super::testing::{model, reply};
use super::*;
use proptest::prelude::*;

const REMOTE: [Provider; 3] = [Provider::Gemini, Provider::OpenAi, Provider::Anthropic];

fn prompt(system: Option<&str>) -> Rendered {
    Rendered { system: system.map(str::to_owned), user: "「量子」\"<&>\"\nの記事".to_owned() }
}

/// The body of the request for the rest of what a server sent back.
fn rest_of(lines: &str, decode: impl Fn(Provider) -> Result<Response, Failure>) -> Option<Value> {
    let model = model(&format!("id = \"m\"\n{lines}"));
    let request = encode(&model, &prompt(None));
    let next = rest(&request, &decode(model.provider).unwrap())?;
    assert_eq!((&next.url, &next.headers), (&request.url, &request.headers));
    serde_json::from_str(&next.body).ok()
}

#[test]
fn the_rest_of_an_answer_is_asked_for_by_the_same_request_with_what_came() {
    let first: Value =
        serde_json::from_str(&encode(&model("id = \"m\"\nprovider = \"gemini\""), &prompt(None)).body).unwrap();
    let gemini =
        rest_of("provider = \"gemini\"", |provider| decode(provider, &reply(200, &[], "gemini/continuation.json")))
            .unwrap();
    assert_eq!((&gemini["contents"], &gemini["continuationToken"]), (&first["contents"], &"Y29udGludWU=".into()));
    let streamed = rest_of("provider = \"gemini\"\nstream = true", |provider| {
        decode_stream(provider, &reply(200, &[], "gemini/stream_continuation.sse"))
    });
    assert_eq!(streamed.unwrap()["continuationToken"], "bW9yZQ==");

    let paused =
        rest_of("provider = \"anthropic\"", |provider| decode(provider, &reply(200, &[], "anthropic/pause.json")))
            .unwrap();
    assert_eq!(paused["messages"][0]["role"], "user");
    assert_eq!(
        paused["messages"][1],
        serde_json::json!({"role": "assistant", "content": [{"type": "text", "text": "第一部。"}]})
    );
    let streamed = rest_of("provider = \"anthropic\"\nstream = true", |provider| {
        decode_stream(provider, &reply(200, &[], "anthropic/stream_pause.sse"))
    });
    assert_eq!(
        streamed.unwrap()["messages"][1]["content"],
        serde_json::json!([
            {"type": "thinking", "thinking": "考え中", "signature": "c2ln"},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "量子"}},
            {"type": "text", "text": "第一部。", "citations": [{"url": "https://example.com"}]},
        ])
    );
}

#[test]
fn an_answer_at_its_end_or_without_a_way_on_has_no_rest() {
    for (lines, file) in [
        ("provider = \"gemini\"", "gemini/answer.json"),
        ("provider = \"gemini\"", "gemini/truncated.json"),
        ("provider = \"gemini\"", "gemini/continuation_without_token.json"),
        ("provider = \"anthropic\"", "anthropic/answer.json"),
        ("provider = \"openai\"", "openai/answer.json"),
    ] {
        assert_eq!(rest_of(lines, |provider| decode(provider, &reply(200, &[], file))), None, "{file}");
    }
}

#[test]
fn a_request_says_what_is_set_and_nothing_else() {
    const PARAMS: &str = "params = { temperature = 0.7, top_p = 0.9, top_k = 40, max_output_tokens = 100, \
                          seed = 7, stop = [\"終\"] }";
    for (lines, system, url, body) in [
        (
            "provider = \"gemini\"",
            None,
            "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
            r#"{"contents":[{"role":"user","parts":[{"text":"「量子」\"<&>\"\nの記事"}]}]}"#,
        ),
        (
            &format!("provider = \"gemini\"\nbase_url = \"http://a/\"\n{PARAMS}"),
            Some("簡潔に"),
            "http://a/v1beta/models/m:generateContent",
            concat!(
                r#"{"systemInstruction":{"parts":[{"text":"簡潔に"}]},"#,
                r#""contents":[{"role":"user","parts":[{"text":"「量子」\"<&>\"\nの記事"}]}],"#,
                r#""generationConfig":{"temperature":0.7,"topP":0.9,"topK":40,"seed":7,"#,
                r#""maxOutputTokens":100,"stopSequences":["終"]}}"#
            ),
        ),
        (
            "provider = \"openai\"\nparams = { max_output_tokens = 100 }",
            Some("簡潔に"),
            "https://api.openai.com/v1/chat/completions",
            concat!(
                r#"{"model":"m","messages":[{"role":"system","content":"簡潔に"},"#,
                r#"{"role":"user","content":"「量子」\"<&>\"\nの記事"}],"max_completion_tokens":100}"#
            ),
        ),
        (
            &format!("provider = \"openai\"\nbase_url = \"http://a/v1\"\n{PARAMS}"),
            Some(" \n"),
            "http://a/v1/chat/completions",
            concat!(
                r#"{"model":"m","messages":[{"role":"user","content":"「量子」\"<&>\"\nの記事"}],"temperature":0.7,"#,
                r#""top_p":0.9,"top_k":40,"seed":7,"max_tokens":100,"stop":["終"]}"#
            ),
        ),
        (
            "provider = \"anthropic\"",
            None,
            "https://api.anthropic.com/v1/messages",
            concat!(
                r#"{"model":"m","max_tokens":8192,"#,
                r#""messages":[{"role":"user","content":"「量子」\"<&>\"\nの記事"}]}"#
            ),
        ),
        (
            &format!("provider = \"anthropic\"\n{PARAMS}"),
            Some("簡潔に"),
            "https://api.anthropic.com/v1/messages",
            concat!(
                r#"{"model":"m","max_tokens":100,"system":"簡潔に","#,
                r#""messages":[{"role":"user","content":"「量子」\"<&>\"\nの記事"}],"#,
                r#""temperature":0.7,"top_p":0.9,"top_k":40,"stop_sequences":["終"]}"#
            ),
        ),
        ("provider = \"recorded\"", Some("簡潔に"), "recorded:", "簡潔に\n\n「量子」\"<&>\"\nの記事"),
        (
            "provider = \"command\"\ncommand = [\"./answer\", \"-x\", \"日 本\"]",
            None,
            r#"["./answer","-x","日 本"]"#,
            "「量子」\"<&>\"\nの記事",
        ),
    ] {
        let model = model(&format!("id = \"m\"\n{lines}"));
        let request = encode(&model, &prompt(system));
        assert_eq!((request.url.as_str(), request.body.as_str()), (url, body), "{lines}");
    }
}

#[test]
fn fields_of_the_users_own_are_merged_and_win() {
    let model = model(
        r#"id = "m"
        provider = "gemini"
        [params]
        temperature = 0.7
        stop = ["a", "b"]
        [params.extra]
        safetySettings = [{ category = "HARM_CATEGORY_HARASSMENT", threshold = "OFF" }]
        [params.extra.generationConfig]
        temperature = 1
        stopSequences = ["c"]
        thinkingConfig = { thinkingLevel = "LOW" }"#,
    );
    let expected = concat!(
        r#"{"contents":[{"parts":[{"text":"「量子」\"<&>\"\nの記事"}],"role":"user"}],"#,
        r#""generationConfig":{"stopSequences":["c"],"temperature":1,"thinkingConfig":{"thinkingLevel":"LOW"}},"#,
        r#""safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}]}"#
    );
    assert_eq!(encode(&model, &prompt(None)).body, expected);
}

#[test]
fn a_stream_is_asked_for_in_the_providers_own_way() {
    let prompt = Rendered { system: None, user: "量子".into() };
    for (provider, url, body) in [
        (
            "gemini",
            "http://a/v1beta/models/m:streamGenerateContent?alt=sse",
            r#"{"contents":[{"role":"user","parts":[{"text":"量子"}]}]}"#,
        ),
        (
            "openai",
            "http://a/chat/completions",
            concat!(
                r#"{"model":"m","messages":[{"role":"user","content":"量子"}],"#,
                r#""stream":true,"stream_options":{"include_usage":true}}"#
            ),
        ),
        (
            "anthropic",
            "http://a/v1/messages",
            r#"{"model":"m","max_tokens":8192,"messages":[{"role":"user","content":"量子"}],"stream":true}"#,
        ),
    ] {
        let model = model(&format!("id = \"m\"\nprovider = \"{provider}\"\nbase_url = \"http://a\"\nstream = true"));
        let request = encode(&model, &prompt);
        assert_eq!((request.url.as_str(), request.body.as_str()), (url, body));
    }
}

#[test]
fn a_models_name_fits_into_the_address() {
    for (name, path) in [
        ("gemini-3.5-flash", "models/gemini-3.5-flash"),
        ("models/gemini-3.5-flash", "models/gemini-3.5-flash"),
        ("tunedModels/mine-1", "tunedModels/mine-1"),
        ("../日本?x#y", "models/..%2F%E6%97%A5%E6%9C%AC%3Fx%23y"),
    ] {
        let model = model(&format!("id = \"m\"\nprovider = \"gemini\"\nbase_url = \"http://a\"\nmodel = \"{name}\""));
        assert_eq!(encode(&model, &prompt(None)).url, format!("http://a/v1beta/{path}:generateContent"), "{name}");
    }
}

#[test]
fn a_query_of_the_servers_address_stays_at_the_end() {
    for (lines, expected) in [
        (
            "provider = \"openai\"\nbase_url = \"https://a/openai/deployments/m/?api-version=2024-10-21\"",
            "https://a/openai/deployments/m/chat/completions?api-version=2024-10-21",
        ),
        ("provider = \"anthropic\"\nbase_url = \"http://a?v=1\"", "http://a/v1/messages?v=1"),
        (
            "provider = \"gemini\"\nbase_url = \"http://a/?v=1\"\nstream = true",
            "http://a/v1beta/models/m:streamGenerateContent?alt=sse&v=1",
        ),
    ] {
        assert_eq!(encode(&model(&format!("id = \"m\"\n{lines}")), &prompt(None)).url, expected);
    }
}

#[test]
fn headers_of_the_users_own_win_in_whichever_case() {
    let model = model(
        "id = \"m\"\nprovider = \"anthropic\"\nheaders = { Anthropic-Version = \"2026-10-21\", X-Team = \"Eval\" }",
    );
    let headers = encode(&model, &prompt(None)).headers;
    let expected = [("anthropic-version", "2026-10-21"), ("content-type", "application/json"), ("x-team", "Eval")];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_parameter_that_cannot_be_sent_is_named() {
    for (lines, expected) in [
        ("provider = \"gemini\"\nparams = { seed = 1, top_k = 1 }", &[][..]),
        ("provider = \"anthropic\"\nparams = { seed = 1, top_k = 1 }", &["seed"]),
        ("provider = \"openai\"\nparams = { seed = 1, top_k = 1 }", &["top_k"]),
        ("provider = \"openai\"\nbase_url = \"http://a\"\nparams = { top_k = 1 }", &[]),
        ("provider = \"openai\"\nparams = { extra = { stream = true } }", &["extra.stream"]),
        ("provider = \"openai\"\nparams = { extra = { stream = false } }", &[]),
        ("provider = \"recorded\"\nparams = { temperature = 1, stop = [\"a\"] }", &["temperature", "stop"]),
        ("provider = \"command\"\ncommand = [\"a\"]\nparams = { extra = { a = 1 } }", &["extra"]),
    ] {
        assert_eq!(unsupported(&model(&format!("id = \"m\"\n{lines}"))), expected, "{lines}");
    }
}

#[test]
fn a_key_goes_into_the_header_that_its_provider_reads() {
    for (provider, name, value) in [
        (Provider::Gemini, "x-goog-api-key", "k"),
        (Provider::OpenAi, "authorization", "Bearer k"),
        (Provider::Anthropic, "x-api-key", "k"),
    ] {
        assert_eq!(key_header(provider, "k"), (name, value.to_owned()));
    }
}

#[test]
fn tokens_are_estimated_by_script() {
    for (text, expected) in [("", 0), ("abcde", 2), ("日本語", 3), ("JETRO の量子", 5)] {
        assert_eq!(estimate_tokens(text), expected, "{text}");
    }
}

#[test]
fn what_a_program_or_a_file_gives_is_the_answer_itself() {
    let plain = |body: &[u8]| HttpReply { status: 200, headers: vec![], body: body.to_vec() };
    for provider in [Provider::Recorded, Provider::Command] {
        let response = decode(provider, &plain("{\"error\": \"記事\"}\n".as_bytes())).unwrap();
        assert_eq!(response.text.as_deref(), Some("{\"error\": \"記事\"}\n"));
        assert_eq!(decode(provider, &plain(b"")).unwrap(), Response::default());
        assert_eq!(decode(provider, &plain(b"\xFF")).unwrap_err().kind, FailureKind::Malformed);
    }
}

#[test]
fn half_a_surrogate_pair_becomes_a_replacement_character() {
    for (text, expected) in [
        (r#"["\ud83d\ude00"]"#, None),
        (r#"["\\ud83d"]"#, None),
        (r#"["\ud83d"]"#, Some(r#"["\ufffd"]"#)),
        (r#"["\ude00\ud83d\u3042\ud83d\ude00"]"#, Some(r#"["\ufffd\ufffd\u3042\ud83d\ude00"]"#)),
        (r#"["\\\uD83D日"]"#, Some(r#"["\\\ufffd日"]"#)),
        (r"\ud8", None),
        (r"\u日本", None),
        (r"\", None),
    ] {
        assert_eq!(with_whole_surrogates(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn every_fixture_is_understood_on_every_route() {
    for folder in REMOTE.map(Provider::name) {
        let path = format!("{}/tests/fixtures/provider/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(path).unwrap() {
            let file = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
            for (provider, status) in REMOTE.into_iter().flat_map(|p| [200, 301, 400, 404, 429, 500].map(|s| (p, s))) {
                check_shape(&decode(provider, &reply(status, &[], &file)));
            }
        }
    }
}

/// What holds of every result: messages are one short line that says something.
fn check_shape(result: &Result<Response, Failure>) {
    let said = match result {
        Ok(response) => response.finish.detail.clone().unwrap_or_else(|| "nothing to say".to_owned()),
        Err(failure) => failure.message.clone(),
    };
    assert!(!said.trim().is_empty() && !said.contains(char::is_control), "{said:?}");
    assert!(said.chars().count() <= message::MAX_CHARS + 102, "{said:?}");
    if let Err(failure) = result {
        assert!(failure.message.chars().count() <= message::MAX_CHARS, "{failure}");
    }
}

/// JSON made of the names that the codecs look for, so that odd values stand in every place.
fn odd_json() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "candidates",
        "content",
        "parts",
        "text",
        "thought",
        "finishReason",
        "finishMessage",
        "promptFeedback",
        "blockReason",
        "usageMetadata",
        "promptTokenCount",
        "choices",
        "message",
        "refusal",
        "finish_reason",
        "usage",
        "prompt_tokens",
        "total_tokens",
        "stop_reason",
        "input_tokens",
        "error",
        "code",
        "type",
        "status",
        "details",
        "retryDelay",
        "violations",
        "quotaId",
        "detail",
        "loc",
        "metadata",
        "raw",
        "param",
        "model",
        "id",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["text", "error", "SAFETY", "stop", "429", "-1s", "{\"error\": [[]]}", "<html>é<p"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..6)
                .prop_map(|entries| entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            body in prop::collection::vec(any::<u8>(), 0..200),
            text in "(<|</|>|script|title|!--|-->|é|\\\\u|d83d|\"|\\{|\\[){0,24}",
            status in any::<u16>(),
        ) {
            for body in [body, text.into_bytes()] {
                let reply = HttpReply { status, headers: vec![], body };
                for provider in REMOTE {
 check_shape(&decode(provider, &reply));
}
            }
        }

        #[test]
        fn no_json_is_too_odd(
            body in odd_json(),
            status in prop::sample::select(vec![200_u16, 302, 400, 403, 404, 429, 500]),
            header in prop::sample::select(vec!["retry-after", "retry-after-ms", "date", "x-ratelimit-remaining-x"]),
            value in "[ -~]{0,12}",
        ) {
            let headers = vec![(header.to_owned(), value)];
            let reply = HttpReply { status, headers, body: body.to_string().into_bytes() };
            for provider in REMOTE {
 check_shape(&decode(provider, &reply));
}
        }
    }
