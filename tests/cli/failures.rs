//! What goes wrong on the way: dead keys, limits, broken servers, answers without text; and the exit code of each.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::project::Project;
use crate::support::server::{PROTOCOLS, Server, answer, error, protocol};

/// A model that sends one request at a time, so that what follows a failure can be counted.
const ONE_BY_ONE: &str = "limits = { concurrency = 1 }";

#[test]
fn a_dead_key_ends_its_model_and_no_other() {
    let server = Server::start(|request: &Request| match protocol(request) {
        "openai" => error("openai", 401, "invalid_api_key", "Incorrect API key provided."),
        other => answer(other, "記事です。"),
    });
    let models = PROTOCOLS.map(|protocol| server.model(protocol, protocol, ONE_BY_ONE)).concat();
    let project = Project::new(&models, &["a", "b", "c"]);
    let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(3);
    done.says(&["openai is asked no more", "Incorrect API key provided.", "3 of 9 trials errored"]);
    let statuses = project.csv("run/metrics.csv").cells(&["model", "status"]);
    for (model, status) in [("gemini", "passed"), ("openai", "errored"), ("anthropic", "passed")] {
        assert_eq!(statuses.iter().filter(|row| **row == format!("{model}|{status}")).count(), 3, "{statuses:?}");
    }
    let asked = |name: &str| server.requests().iter().filter(|request| protocol(request) == name).count();
    assert_eq!([asked("gemini"), asked("openai"), asked("anthropic")], [3, 1, 3]);
}

#[test]
fn an_unknown_model_ends_that_model_with_the_servers_message() {
    let server = Server::start(|request: &Request| {
        if request.url.path().contains("gone") {
            error("gemini", 404, "NOT_FOUND", "models/gone is not found for API version v1beta")
        } else {
            answer("gemini", "記事です。")
        }
    });
    let models = ["gone", "there"].map(|id| server.model(id, "gemini", ONE_BY_ONE)).concat();
    let project = Project::new(&models, &["a", "b"]);
    let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(3);
    done.says(&["gone is asked no more", "models/gone is not found"]);
    assert_eq!(server.requests().len(), 3);
    let errors = project.csv("run/metrics.csv").cells(&["model", "error"]);
    assert_eq!(errors.iter().filter(|row| row.starts_with("gone|") && row.contains("not found")).count(), 2);
}

#[test]
fn without_any_key_nothing_is_sent_and_no_run_begins() {
    let server = Server::answering("記事です。");
    let models = PROTOCOLS.map(|protocol| server.model(protocol, protocol, "")).concat();
    let project = Project::new(&models, &["a"]);
    for empty in [None, Some(""), Some(" \n")] {
        let call = project.call("run");
        let call = empty.iter().fold(call, |call, value| call.env("MARKER_KEY", value));
        call.done().expect(2).says(&["no key for gemini, openai, anthropic: MARKER_KEY is not set; nothing was sent"]);
    }
    assert_eq!(server.requests().len(), 0);
    assert!(!project.path("reports").exists());
}

#[test]
fn a_model_without_its_key_errs_while_the_others_are_asked() {
    let server = Server::answering("記事です。");
    let other = server.model("other", "openai", "").replace("MARKER_KEY", "OTHER_KEY");
    let project = Project::new(&(server.model("m", "gemini", "") + &other), &["a"]);
    let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(3);
    done.says(&["no key for other: OTHER_KEY is not set"]);
    assert_eq!(project.csv("run/metrics.csv").cells(&["model", "status"]), ["m|passed", "other|errored"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_429_waits_as_long_as_retry_after_says() {
    for (protocol, header, wait, millis) in [
        ("gemini", "retry-after", "0.02", 20),
        ("openai", "retry-after", "1", 1000),
        ("anthropic", "retry-after-ms", "30", 30),
    ] {
        let asked = AtomicUsize::new(0);
        let server = Server::start(move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => error(protocol, 429, "rate_limited", "Slow down.").insert_header(header, wait),
            _ => answer(protocol, "記事です。"),
        });
        let project = Project::new(&server.model("m", protocol, ""), &["a"]);
        project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(0);
        assert_eq!(server.requests().len(), 2);
        assert_eq!(project.csv("run/metrics.csv").cells(&["status", "attempts", "error"]), ["passed|2|"]);
        let attempts = outcome(&project)["attempts"].clone();
        assert_eq!((&attempts[0]["status"], &attempts[0]["message"]), (&json!(429), &json!("Slow down.")));
        assert!(attempts[0]["waited_millis"].as_u64() >= Some(millis), "{attempts}");
    }
}

/// The only outcome in a run's journal.
fn outcome(project: &Project) -> Value {
    let journal = project.read("run/run.jsonl");
    let mut lines = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.find(|line| line["type"] == "outcome").unwrap()
}

#[test]
fn a_server_that_keeps_failing_leaves_the_trial_errored() {
    for status in [500, 503] {
        let server = Server::start(move |_: &Request| {
            error("openai", status, "server_error", "The server had an error.").insert_header("retry-after-ms", "1")
        });
        let project = Project::new(&server.model("m", "openai", ""), &["a"]);
        let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(3);
        done.says(&["1 of 1 trials errored"]);
        assert_eq!(server.requests().len(), 5);
        let metrics = project.csv("run/metrics.csv");
        assert_eq!(metrics.cells(&["status", "attempts"]), ["errored|5"]);
        let error = metrics.column("error")[0];
        assert!(error.contains("The server had an error.") && error.contains("after 5 attempts"), "{error}");
    }
}

#[test]
fn what_the_same_command_asks_after_errors_is_told_and_true() {
    for (more, says, asked_again) in [
        ("", "asks for what errored; what was answered whole comes from the store", 1),
        ("--no-cache", "asks for everything anew, since --no-cache keeps answers in their run alone", 2),
        ("--refresh", "asks for everything anew; without --refresh, for what errored", 2),
    ] {
        let asked = AtomicUsize::new(0);
        let server = Server::start(move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => error("openai", 400, "invalid", "Not today."),
            _ => answer("openai", "記事です。"),
        });
        let project = Project::new(&server.model("m", "openai", ONE_BY_ONE), &["a", "b"]);
        let run = || project.call(&format!("run {more}")).env("MARKER_KEY", "key-of-all").done();
        run().expect(3).says(&[&format!("the same command makes a new run and {says}")]);
        assert_eq!(server.requests().len(), 2);
        assert!(!run().expect(0).stderr.contains("the same command"));
        assert_eq!(server.requests().len(), 2 + asked_again, "{more}");
    }
}

#[test]
fn an_answer_without_text_fails_with_its_finish_reason() {
    let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}});
    let safety = json!({"candidates": [{"finishReason": "SAFETY", "index": 0}]});
    let begun = json!({"candidates": [{"content": {"parts": [{"text": "量子"}]}, "finishReason": "SAFETY"}]});
    let filtered = json!({"id": "o", "model": "s", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": null}, "finish_reason": "content_filter"}]});
    let refused = json!({"id": "a", "type": "message", "role": "assistant", "model": "s", "content": [],
        "stop_reason": "refusal", "usage": {"input_tokens": 3, "output_tokens": 0}});
    let empty = json!({"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}]});
    let spent = json!({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]});
    for (protocol, body, finish, why) in [
        ("gemini", blocked, "blocked", "PROHIBITED_CONTENT"),
        ("gemini", safety, "blocked", "SAFETY"),
        ("gemini", begun, "blocked", "SAFETY"),
        ("openai", filtered, "blocked", "content_filter"),
        ("anthropic", refused, "refusal", "refused"),
        ("gemini", spent, "length", "token limit"),
        ("gemini", empty, "stop", "empty"),
    ] {
        let server = Server::start(ResponseTemplate::new(200).set_body_json(&body));
        let config = format!("[require]\njapanese_only = true\n{}", server.model("m", protocol, ""));
        let project = Project::new(&config, &["a"]);
        let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(0);
        let metrics = project.csv("run/metrics.csv");
        assert_eq!(metrics.cells(&["status", "finish_reason"]), [format!("failed|{finish}")], "{body}");
        assert!(metrics.column("error")[0].contains(why), "{body}: {metrics:?}");
        let summary = project.read("run/summary.md").replace('\\', "");
        let shown = project.done("show run a").expect(0).stdout;
        assert!(
            done.stdout.contains(why) && summary.contains(why) && shown.contains(why),
            "{body}:\n{}\n{summary}\n{shown}",
            done.stdout
        );
        assert_eq!(server.requests().len(), 1, "{body}");
    }
}

#[test]
fn a_success_that_holds_neither_answer_nor_reason_is_asked_again() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => ResponseTemplate::new(200).set_body_json(json!({"candidates": []})),
        _ => answer("gemini", "記事です。"),
    });
    let project = Project::new(&server.model("m", "gemini", ""), &["a"]);
    project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(0);
    assert_eq!(project.csv("run/metrics.csv").cells(&["status", "attempts"]), ["passed|2"]);
}

#[test]
fn fail_fast_ends_with_the_first_failure_and_the_same_command_goes_on() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "何もない。"), ("b", "量子。"), ("c", "量子。")]);
    project.done("run --out run --fail-fast --concurrency 1").expect(3).says(&["the same command continues the run"]);
    assert_eq!(project.csv("run/metrics.csv").column("status")[0], "failed");
    project.done("run --out run").expect(0);
    assert_eq!(project.csv("run/metrics.csv").column("status"), ["failed", "passed", "passed"]);
}

#[test]
fn what_a_server_says_gives_a_ci_service_no_commands() {
    let server = Server::start(|_: &Request| {
        error("openai", 400, "invalid", "::error::x\n::add-mask::y ##vso[task.complete result=Succeeded] ##[group]z")
    });
    let project = Project::new(&server.model("m", "openai", ""), &["a"]);
    let done = project.call("run --out run -v").env("MARKER_KEY", "key-of-all").done().expect(3);
    let json = project.done("report run --format json").expect(0);
    json.json();
    let text = project.done("report run").expect(0);
    let warned = project.with("::error::x", "").call("run --out").arg("::set-env::x").done();
    for output in [&done.stdout, &done.stderr, &json.stdout, &json.stderr, &text.stdout, &text.stderr, &warned.stderr] {
        let is_command =
            |line: &str| line.trim_start().starts_with("::") || line.contains("##vso[") || line.contains("##[");
        assert!(!output.lines().any(is_command), "{output}");
    }
    done.says(&["[U+0023]#vso[task.complete"]);
}
