//! The store of answers: no question is paid for twice, and nothing is served that should not be.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::call::Done;
use crate::support::mock::Mock;
use crate::support::project::Project;
use crate::support::server::{PROTOCOLS, Server, answer, protocol, truncated};

fn run(project: &Project, flags: &str) -> Done {
    project.call(&format!("run {flags}")).env("MARKER_KEY", "key-of-all").done()
}

#[test]
fn a_second_run_asks_nothing_and_says_the_same() {
    let server = Server::answering("量子の記事です。");
    let models =
        PROTOCOLS.map(|protocol| server.model(protocol, protocol, "price = { input = 1, output = 2 }")).concat();
    let project = Project::new(&models, &["a", "b"]);
    run(&project, "--out first --repeats 2").expect(0);
    assert_eq!(server.requests().len(), 12);
    run(&project, "--out second --repeats 2").expect(0);
    assert_eq!(server.requests().len(), 12);
    let (first, second) = (project.csv("first/metrics.csv"), project.csv("second/metrics.csv"));
    let volatile = ["attempts", "cached", "latency_ms", "run"];
    assert_eq!(first.without(&volatile), second.without(&volatile));
    assert_eq!(first.cells(&["attempts", "cached"]), ["1|false"; 12]);
    assert_eq!(second.cells(&["attempts", "cached"]), ["0|true"; 12]);
    for name in ["scores.csv", "summary.csv", "diff.md", "diff.html"] {
        assert_eq!(project.read(&format!("first/{name}")), project.read(&format!("second/{name}")), "{name}");
    }
    assert_eq!(project.page("first/report.html"), project.page("second/report.html"));
    assert_eq!(project.read(".evalrun/.gitignore").lines().last(), Some("*"));
    // What the store holds, the journal need not.
    assert!(!project.read("first/run.jsonl").contains("\"type\":\"answer\""));
}

#[test]
fn what_is_asked_otherwise_is_asked() {
    let server = Server::answering("量子の記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &["a"]);
    run(&project, "--out 1").expect(0);
    for (n, (config, flags)) in [
        (server.model("m", "openai", "params = { temperature = 0.5 }"), ""),
        (server.model("m", "openai", ""), "--repeats 2"),
        (server.model("m", "gemini", ""), ""),
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(project.path("evalrun.toml"), config).unwrap();
        run(&project, &format!("--out other-{n} {flags}")).expect(0);
        assert_eq!(server.requests().len(), n + 2);
    }
    // The same question under another name is the same question.
    std::fs::write(project.path("evalrun.toml"), server.model("n", "gemini", "model = \"m\"\ntimeout = \"9s\""))
        .unwrap();
    run(&project, "--out renamed").expect(0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn flags_go_without_the_store_or_past_it() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_: &Request| {
        answer("openai", &format!("{}番目の記事です。", asked.fetch_add(1, Ordering::SeqCst)))
    });
    let project = Project::new(&server.model("m", "openai", ""), &["a"]);
    for (n, (flags, requests, text)) in [
        ("--no-cache", 1, "0番目"),
        ("", 2, "1番目"),
        ("", 2, "1番目"),
        ("--no-cache", 3, "2番目"),
        ("--refresh", 4, "3番目"),
        ("", 4, "3番目"),
        ("--cache elsewhere/store.db", 5, "4番目"),
    ]
    .into_iter()
    .enumerate()
    {
        run(&project, &format!("--out {n} {flags}")).expect(0);
        assert_eq!(server.requests().len(), requests, "{flags}");
        assert!(project.read(&format!("{n}/run.jsonl")).contains(text), "{flags}");
    }
    assert!(project.path("elsewhere/store.db").is_file());
    run(&project, "--no-cache --refresh").expect(2);
}

#[test]
fn a_refusal_or_a_cut_answer_is_not_served_again() {
    for body in [
        truncated("openai", "途中まで"),
        answer("openai", " "),
        ResponseTemplate::new(200).set_body_json(json!({"id": "o", "model": "s", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": null}, "finish_reason": "content_filter"}]})),
    ] {
        let server = Server::start(body);
        let project = Project::new(&server.model("m", "openai", ""), &["a"]);
        for times in 1..=2 {
            run(&project, "--out run").expect(0);
            assert_eq!(server.requests().len(), times);
            assert_eq!(project.csv("run/metrics.csv").column("cached"), ["false"]);
            assert!(project.read("run/run.jsonl").contains("\"type\":\"answer\""));
        }
    }
}

#[test]
fn recorded_answers_and_programs_have_no_store() {
    let project = Project::recorded("", &[("a", "量子")]);
    project.done("run --out run").expect(0);
    assert!(!project.path(".evalrun").exists());
}

#[test]
fn two_processes_share_a_store() {
    let server = Server::start(|request: &Request| answer(protocol(request), "量子の記事です。"));
    let cases: Vec<String> = (0..40).map(|n| format!("c{n}")).collect();
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let project = Project::new(&server.model("m", "openai", ""), &cases);
    let children: Vec<_> = (0..3)
        .map(|n| project.call(&format!("run --out {n} --repeats {}", n + 1)).env("MARKER_KEY", "key-of-all").spawn())
        .collect();
    for child in children {
        let done: Done = child.wait_with_output().unwrap().into();
        done.expect(0);
    }
    let asked = server.requests().len();
    assert!((120..=240).contains(&asked), "{asked}");
    run(&project, "--out again --repeats 3").expect(0);
    assert_eq!(server.requests().len(), asked);
    let stats = project.done("cache stats --format json").expect(0).json();
    assert_eq!(stats["answers"], 120);
}

#[test]
fn a_store_that_cannot_be_used_is_told_with_what_to_do_before_anything_is_sent() {
    let server = Server::answering("量子の記事です。");
    let project =
        Project::new(&server.model("m", "openai", ""), &["a"]).with(".evalrun/answers.db", &"no database".repeat(400));
    let before = project.read(".evalrun/answers.db");
    let done = run(&project, "--out run").expect(2);
    done.says(&["answers.db: this is no answer store", "--no-cache"]);
    assert_eq!((server.requests().len(), project.read(".evalrun/answers.db")), (0, before));
    assert!(!project.path("run").exists());
    run(&project, "--out run --no-cache").expect(0);
}

#[test]
fn the_store_is_counted_pruned_and_exported() {
    let server = Server::answering("量子の記事です。");
    let models = server.model("m", "openai", "model = \"one-large\"") + &server.model("n", "gemini", "model = \"two\"");
    let project = Project::new(&models, &["a", "b"]);
    project.done("cache stats").expect(0);
    run(&project, "").expect(0);
    let stats = project.done("cache stats").expect(0).stdout;
    assert!(stats.contains("one-large") && stats.ends_with("4 answers\n"), "{stats}");
    let exported = project.done("cache export").expect(0).stdout;
    let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line["text"] == "量子の記事です。" && line["key"].as_str().unwrap().len() == 64));
    assert!(!exported.contains("key-of-all"));
    for (flags, taken) in [("--older-than 1", "0 answers"), ("--model one-*", "2 answers"), ("--all", "2 answers")] {
        let done = project.done(&format!("cache prune {flags}")).expect(0);
        assert_eq!(done.stdout, format!("{taken} taken out\n"));
    }
    project.done("cache prune").expect(2);
    project.done("cache prune --model nobody").expect(2);
}

#[test]
fn the_same_question_under_two_names_is_asked_once() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--latency 50ms");
    let model = |id: &str| {
        let url = &mock.url;
        format!("[[model]]\nid = \"{id}\"\nprovider = \"gemini\"\nmodel = \"one\"\nbase_url = \"{url}\"\n")
    };
    let project = Project::new(&format!("{}{}", model("m"), model("n")), &["a", "b"])
        .with("prompts/q.md", "{{ title }}について書く。\n");
    // Two models that are one, two prompts that are one: of each repeat of each case one question is left of four.
    project.done("run --out run --repeats 2").expect(0);
    let stats = mock.stats();
    assert_eq!((&stats["requests"], &stats["distinct"], &stats["answered_again"]), (&4.into(), &2.into(), &2.into()));
    let metrics = project.csv("run/metrics.csv");
    assert_eq!(
        metrics.column("cached").iter().filter(|cell| **cell == "true").count(),
        12,
        "{:?}",
        metrics.column("cached")
    );
    assert!(metrics.column("status").iter().all(|status| *status == "passed"));
}

#[test]
fn an_answer_that_cannot_be_read_any_more_is_asked_again() {
    let server = Server::answering("量子の記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &["a", "b", "c"]);
    run(&project, "--out first").expect(0);
    let store = rusqlite::Connection::open(project.path(".evalrun/answers.db")).unwrap();
    // Bytes that are no text, and a text that is no answer.
    let damage =
        "UPDATE answers SET answer = CASE rowid WHEN 1 THEN CAST(X'FFFE' AS TEXT) WHEN 2 THEN '{' ELSE answer END";
    store.execute_batch(damage).unwrap();
    drop(store);
    let done = run(&project, "--out second").expect(0);
    done.says(&[
        "warning: answers that cannot be read any more",
        "answers.db: this answer store is damaged",
        "move the file",
    ]);
    assert_eq!((done.stderr.matches("cannot be read any more").count(), server.requests().len()), (1, 5));
    assert_eq!(project.csv("second/metrics.csv").column("status"), ["passed"; 3]);
    // What was asked again took the place of what was damaged.
    let done = run(&project, "--out third").expect(0);
    assert!(!done.stderr.contains("cannot be read") && server.requests().len() == 5, "{}", done.stderr);
}

/// Who may write everywhere (root) has nothing to see here.
#[cfg(unix)]
#[test]
fn a_store_that_may_not_be_written_answers_what_it_holds() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::answering("量子の記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &["a", "b"]);
    run(&project, "--out first --case a").expect(0);
    let files = project.names(".evalrun");
    let allow = |folder, file| {
        let set = |path: &str, mode| {
            std::fs::set_permissions(project.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(".evalrun", 0o755);
        for name in &files {
            set(&format!(".evalrun/{name}"), file);
        }
        set(".evalrun", folder);
    };
    for (folder, file) in [(0o555, 0o644), (0o755, 0o444), (0o555, 0o444)] {
        allow(folder, file);
        let done = run(&project, &format!("--out whole-{folder}-{file} --case a"));
        let stats = project.done("cache stats");
        allow(0o755, 0o644);
        done.expect(0);
        assert_eq!(stats.expect(0).stdout.lines().last(), Some("1 answer"));
        assert_eq!(server.requests().len(), 1);
    }
}
