//! A process that is killed at any moment loses nothing that was answered, and the same command completes the run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use wiremock::{Request, ResponseTemplate};

use crate::support::project::Project;
use crate::support::server::{Server, answer, protocol};

/// Requests under way at once; each kill may cost as many.
const CONCURRENCY: usize = 4;

/// A server that tells the test when each request that is named by its number arrives.
fn telling(moments: Vec<usize>) -> (Server, Receiver<usize>) {
    let (tell, told) = channel();
    let state = Mutex::new((0, tell));
    let server = Server::start(move |_: &Request| {
        let mut state = state.lock().unwrap();
        state.0 += 1;
        if moments.contains(&state.0) {
            // A test that has failed does not listen any more.
            let _ = state.1.send(state.0);
        }
        answer("openai", "量子の記事です。").set_delay(Duration::from_millis(state.0 as u64 % 3))
    });
    (server, told)
}

/// The page without the plan's digest, in which the server's address is.
fn page(project: &Project) -> String {
    let journal = project.read("run/run.jsonl");
    let header: serde_json::Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    project.page("run/report.html").replace(header["plan_digest"].as_str().unwrap(), "")
}

/// Runs `cases` cases, kills the process when each of `moments` requests have arrived, and lets it go on each time.
fn killed(cases: usize, moments: &[usize], flags: &str) {
    let ids: Vec<String> = (0..cases).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let command = format!("run --out run --concurrency {CONCURRENCY} {flags}");
    let config = |server: &Server| {
        format!("[require]\njapanese_only = true\n{}", server.model("m", "openai", "price = { input = 1, output = 2 }"))
    };

    let (calm, _) = telling(Vec::new());
    let undisturbed = Project::new(&config(&calm), &ids);
    undisturbed.call(&command).env("MARKER_KEY", "key-of-all").done().expect(0);

    let (server, told) = telling(moments.to_vec());
    let project = Project::new(&config(&server), &ids);
    for _ in moments {
        let mut child = project.call(&command).env("MARKER_KEY", "key-of-all").spawn();
        told.recv().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    project.call(&command).env("MARKER_KEY", "key-of-all").done().expect(0);

    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for body in server.bodies() {
        *asked.entry(body["messages"][0]["content"].to_string()).or_default() += 1;
    }
    assert_eq!(asked.len(), cases);
    let again: usize = asked.values().map(|times| times - 1).sum();
    assert!(again <= moments.len() * CONCURRENCY, "{again} were asked again: {asked:?}");
    let volatile = ["attempts", "cached", "latency_ms", "run"];
    let (ours, theirs) = (project.csv("run/metrics.csv"), undisturbed.csv("run/metrics.csv"));
    assert_eq!(ours.without(&volatile), theirs.without(&volatile));
    for name in ["scores.csv", "summary.csv", "diff.md", "diff.html"] {
        assert_eq!(project.read(&format!("run/{name}")), undisturbed.read(&format!("run/{name}")), "{name}");
    }
    assert!(page(&project) == page(&undisturbed), "report.html differs");
    assert_eq!(project.names(".").iter().filter(|name| name.starts_with("run")).count(), 1);
}

#[test]
fn a_run_that_is_killed_again_and_again_asks_only_for_what_is_missing() {
    for flags in ["", "--no-cache", "--refresh"] {
        killed(30, &[3, 4, 11, 20, 28], flags);
    }
}

#[test]
fn a_long_run_that_is_killed_twenty_times_asks_only_for_what_is_missing() {
    for flags in ["", "--no-cache"] {
        let moments: Vec<usize> = (1..=20_usize).map(|n| n * 23 + n * n * 7 % 19).collect();
        killed(500, &moments, flags);
    }
}

/// Whether a request asks for the rest of an answer.
fn is_for_the_rest(body: &serde_json::Value) -> bool {
    body["continuationToken"].is_string() || body["messages"].as_array().is_some_and(|turns| turns.len() > 1)
}

/// The first half of an answer.
fn first_part(protocol: &str) -> ResponseTemplate {
    let body = match protocol {
        "gemini" => serde_json::json!({
            "candidates": [{"content": {"parts": [{"text": "量子の"}]}, "finishReason": "CONTINUATION", "continuationToken": "t1"}],
            "usageMetadata": {"promptTokenCount": 30, "candidatesTokenCount": 70}
        }),
        _ => serde_json::json!({
            "id": "a1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "pause_turn",
            "content": [{"type": "text", "text": "量子の"}], "usage": {"input_tokens": 30, "output_tokens": 70}
        }),
    };
    ResponseTemplate::new(200).set_body_json(body)
}

#[test]
fn a_run_that_is_killed_between_the_parts_of_an_answer_asks_for_the_rest_alone() {
    for provider in ["gemini", "anthropic"] {
        let (tell, told) = channel();
        let state = Mutex::new((0, tell));
        let server = Server::start(move |request: &Request| {
            if !is_for_the_rest(&request.body_json().unwrap()) {
                return first_part(protocol(request));
            }
            let mut state = state.lock().unwrap();
            state.0 += 1;
            // Every other rest is on its way when the process is killed.
            let is_killed = state.0 % 2 == 1;
            if is_killed {
                let _ = state.1.send(state.0);
            }
            answer(protocol(request), "記事です。").set_delay(Duration::from_secs(if is_killed { 60 } else { 0 }))
        });
        let price = "price = { input = 1, output = 2 }";
        let config = format!("[require]\njapanese_only = true\n{}", server.model("m", provider, price));
        let project = Project::new(&config, &["a", "b", "c"]);
        // What a store has is told as answered from there, if the process is killed before it is judged.
        let command = "run --out run --concurrency 1 --no-cache";
        for _ in 0..3 {
            let mut child = project.call(command).env("MARKER_KEY", "key-of-all").spawn();
            told.recv().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let said = project.call(command).env("MARKER_KEY", "key-of-all").done().expect(0);

        let (rests, firsts): (Vec<_>, Vec<_>) = server.bodies().into_iter().partition(is_for_the_rest);
        assert_eq!((firsts.len(), rests.len()), (3, 6), "{provider}");
        let metrics = project.csv("run/metrics.csv");
        let expected = "passed|8|stop|60|140|0.00034|2";
        let columns = ["status", "chars", "finish_reason", "input_tokens", "output_tokens", "cost_usd", "attempts"];
        assert_eq!(metrics.cells(&columns), [expected; 3], "{provider}");
        // What came in parts counts once, whatever was interrupted.
        assert!(said.stderr.contains("180         420"), "{}", said.stderr);
    }
}
