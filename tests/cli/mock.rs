//! `evalrun mock`: where it listens, what it answers, what it counts and logs, and how it ends.

use serde_json::{Value, json};

use crate::support::mock::Mock;
use crate::support::project::Project;

fn question(model: &str, prompt: &str) -> String {
    json!({"model": model, "messages": [{"role": "user", "content": prompt}]}).to_string()
}

/// The text of a chat completion.
fn ask(mock: &Mock, model: &str, prompt: &str) -> String {
    let (_, body) = mock.ask("POST", "/v1/chat/completions", &question(model, prompt));
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    body["choices"][0]["message"]["content"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

#[test]
fn a_projects_recorded_answers_come_back_for_its_prompts() {
    let project = Project::recorded("", &[("a", "量子の記事です。\n"), ("b", "ほかの記事です。")])
        .with("cases/a/answers/p/m.1.md", "二度目の記事です。");
    let mock = Mock::start(project.root(), "");
    let prompts = ["aの量子ミッションについて書く。", "bの量子ミッションについて書く。"];
    assert_eq!(ask(&mock, "m", prompts[0]), "量子の記事です。");
    assert_eq!(ask(&mock, "m", prompts[0]), "二度目の記事です。");
    assert_eq!(ask(&mock, "another", prompts[1]), "ほかの記事です。");
    assert!(ask(&mock, "m", "「新航路」について書く。").contains("「新航路」"));
    assert_eq!(mock.stats()["answers"], json!({"recorded": 3, "template": 0, "article": 1}));
}

#[test]
fn a_run_against_the_mock_is_the_run_of_the_recorded_answers() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子の記事です。"), ("b", "ほかの記事です。")]);
    project.done("run --out recorded").expect(0);
    let mock = Mock::start(project.root(), "");
    let config = format!(
        "[require]\ncontains = [\"量子\"]\n[[model]]\nid = \"m\"\nprovider = \"gemini\"\nbase_url = \"{}\"\n",
        mock.url
    );
    let project = project.with("evalrun.toml", &config);
    project.done("run --out asked").expect(0);
    let cells = |run: &str| project.csv(&format!("{run}/metrics.csv")).cells(&["case", "status", "contains", "chars"]);
    assert_eq!(cells("asked"), cells("recorded"));
}

#[test]
fn an_answer_that_comes_in_two_parts_is_the_whole_answer() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子の記事です。"), ("b", "ほかの記事です。")]);
    project.done("run --out recorded").expect(0);
    let mock = Mock::start(project.root(), "--fault continuation");
    let mut asked = project;
    for (provider, more) in
        [("gemini", ""), ("gemini", "stream = true"), ("anthropic", ""), ("anthropic", "stream = true")]
    {
        let url = &mock.url;
        asked = asked.with(
            "evalrun.toml",
            &format!(
                "[require]\ncontains = [\"量子\"]\n[[model]]\nid = \"m\"\nprovider = \"{provider}\"\nbase_url = \"{url}\"\n{more}\n"
            ),
        );
        asked.done("run --out asked --no-cache").expect(0);
        let columns = ["case", "status", "contains", "chars"];
        let cells = |run: &str| asked.csv(&format!("{run}/metrics.csv")).cells(&columns);
        assert_eq!(cells("asked"), cells("recorded"), "{provider} {more}");
        let ends = asked.csv("asked/metrics.csv").cells(&["finish_reason", "attempts"]);
        assert_eq!(ends, ["stop|2", "stop|2"], "{provider} {more}");
        std::fs::remove_dir_all(asked.path("asked")).unwrap();
    }
}

#[test]
fn a_template_answers_whatever_is_asked() {
    let folder = Project::empty().with("answer.txt", "{{ model }}は「{{ prompt }}」に{{ n }}回答えました。");
    let mock = Mock::start(folder.root(), "--answer @answer.txt");
    assert_eq!(ask(&mock, "m", "何？"), "mは「何？」に0回答えました。");
    assert_eq!(ask(&mock, "m", "何？"), "mは「何？」に1回答えました。");
    let done = folder.call("mock --port 0 --answer").arg("{{ promt }}").done().expect(2);
    done.says(&["error: --answer: undefined value: `promt` is undefined (line 1)", "hint: it knows {{ prompt }}"]);
}

#[test]
fn the_same_seed_gives_the_same_answers_and_faults_in_any_order() {
    let folder = Project::empty();
    let prompts: Vec<String> = (0..20).map(|n| format!("「話題{n}」について書く。")).collect();
    let replies = |order: &mut dyn Iterator<Item = &String>, seed: &str| {
        let mock = Mock::start(folder.root(), &format!("--fault 500:0.5 --seed {seed}"));
        order.map(|prompt| mock.ask("POST", "/chat/completions", &question("m", prompt)).1).collect::<Vec<String>>()
    };
    let first = replies(&mut prompts.iter(), "1");
    let mut again = replies(&mut prompts.iter().rev(), "1");
    again.reverse();
    assert_eq!(first, again);
    assert_ne!(first, replies(&mut prompts.iter(), "2"));
    let struck = first.iter().filter(|reply| reply.contains("internal error")).count();
    assert!((1..20).contains(&struck), "{struck}");
}

#[test]
fn what_was_asked_is_counted_and_logged_without_keys() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--log requests.jsonl --fault 429:1@limited");
    for (model, key) in [("a", "marker-key-1"), ("a", "marker-key-1"), ("limited", "marker-key-1")] {
        let body = question(model, &format!("鍵は\n{key}です。")).replace(',', ",\n");
        mock.ask_with(&format!("authorization: Bearer {key}\r\n"), "POST", "/v1/chat/completions", &body);
    }
    let stats = mock.stats();
    for (name, expected) in [
        ("requests", 3),
        ("answered", 2),
        ("answered_again", 1),
        ("distinct", 2),
        ("repeated", 1),
        ("in_flight", 0),
        ("peak_in_flight", 1),
        ("abandoned", 0),
    ] {
        assert_eq!(stats[name], expected, "{name} in {stats:#}");
    }
    assert_eq!(
        stats["by"],
        json!([
            {"protocol": "openai", "model": "a", "status": 200, "fault": null, "count": 2},
            {"protocol": "openai", "model": "limited", "status": 429, "fault": "429", "count": 1}
        ])
    );
    let log = folder.read("requests.jsonl");
    assert!(!log.contains("marker-key-1") && log.contains("[key]"), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {} {}", line["model"], line["attempt"], line["status"], line["outcome"]))
        .collect();
    assert_eq!(shown, ["\"a\" 1 200 \"answered\"", "\"a\" 2 200 \"answered\"", "\"limited\" 1 429 \"failed\""]);
    assert_eq!(lines[0]["request"]["messages"][0]["role"], "user");
}

#[test]
fn a_limit_on_requests_a_minute_answers_429_with_retry_after() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--rpm 1 --burst 2");
    let replies: Vec<(String, String)> =
        (0..4).map(|n| mock.ask("POST", "/v1beta/models/m:generateContent", &gemini(&n.to_string()))).collect();
    let statuses: Vec<&str> = replies.iter().map(|(head, _)| &head[9..12]).collect();
    assert_eq!(statuses, ["200", "200", "429", "429"]);
    let (head, body) = &replies[2];
    assert!(head.contains("retry-after: 1") && body.contains("\"retryDelay\":\"1s\""), "{head}\n{body}");
}

fn gemini(prompt: &str) -> String {
    json!({"contents": [{"role": "user", "parts": [{"text": prompt}]}]}).to_string()
}

#[test]
fn streams_are_spelled_as_each_vendor_does() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--answer 量子の記事です。量子の記事です。おわり");
    let ask = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":99,
        "messages":[{"role":"user","content":"何？"}]}"#;
    let (head, body) = mock.ask("POST", "/v1beta/models/m:streamGenerateContent?alt=sse", &gemini("何？"));
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    insta::assert_snapshot!(told(&body), @r##"
data: {"candidates":[{"content":{"parts":[{"text":"量子の記事です。量子の記事です。"}],},}],"usageMetadata":{"candidatesTokenCount":19,"promptTokenCount":2,"totalTokenCount":21}}⏎
⏎
data: {"candidates":[{"content":{"parts":[{"text":"おわり"}],},"finishReason":"STOP",}],"usageMetadata":{"candidatesTokenCount":19,"promptTokenCount":2,"totalTokenCount":21}}⏎
⏎
"##);
    insta::assert_snapshot!(told(&mock.ask("POST", "/v1beta/models/m:streamGenerateContent", &gemini("何？")).1), @r##"
[{"candidates":[{"content":{"parts":[{"text":"量子の記事です。量子の記事です。"}],},}],"usageMetadata":{"candidatesTokenCount":19,"promptTokenCount":2,"totalTokenCount":21}},⏎
{"candidates":[{"content":{"parts":[{"text":"おわり"}],},"finishReason":"STOP",}],"usageMetadata":{"candidatesTokenCount":19,"promptTokenCount":2,"totalTokenCount":21}}]
"##);
    insta::assert_snapshot!(told(&mock.ask("POST", "/chat/completions", ask).1), @r##"
data: {"choices":[{"delta":{"content":"",},"finish_reason":null,}],"usage":null}

data: {"choices":[{"delta":{"content":"量子の記事です。量子の記事です。"},"finish_reason":null,}],"usage":null}

data: {"choices":[{"delta":{"content":"おわり"},"finish_reason":null,}],"usage":null}

data: {"choices":[{"delta":{},"finish_reason":"stop",}],"usage":null}

data: {"choices":[],"usage":{"completion_tokens":19,"completion_tokens_details":{"reasoning_tokens":0},"prompt_tokens":2,"total_tokens":21}}

data: [DONE]
"##);
    insta::assert_snapshot!(told(&mock.ask("POST", "/v1/messages", ask).1), @r##"
event: message_start
data: {"message":{"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":2,"output_tokens":1}},}

event: content_block_start
data: {"content_block":{"text":"",},}

event: ping
data: {}

event: content_block_delta
data: {"delta":{"text":"量子の記事です。量子の記事です。",},}

event: content_block_delta
data: {"delta":{"text":"おわり",},}

event: content_block_stop
data: {}

event: message_delta
data: {"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":19}}

event: message_stop
data: {}
"##);
}

/// A stream without what is the same in each of its events.
fn told(body: &str) -> String {
    let same = regex::Regex::new(
        r#""(id|responseId|created|model|modelVersion|logprobs|object|index|type|role)":("[^"]*"|\d+|null),?"#,
    );
    same.unwrap().replace_all(body, "").replace("\r\n", "⏎\n")
}

#[test]
fn what_cannot_be_answered_says_why() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    for (method, path, body, status, said) in [
        ("POST", "/v1/chat/completions", "{", "400", "the body is no JSON"),
        ("POST", "/v1/messages", r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#, "400", "max_tokens"),
        ("POST", "/v1/responses", "{}", "404", "evalrun mock has no POST /v1/responses; it has"),
        ("GET", "/", "", "404", "GET /stats"),
        (
            "POST",
            "/v1/chat/completions",
            r#"{"model":"mock-blokced","messages":[{"role":"user","content":"a"}]}"#,
            "404",
            "there is no fault `blokced`; did you mean `blocked`?",
        ),
        (
            "POST",
            "/v1/chat/completions",
            r#"{"model":"mock-writer","messages":[{"role":"user","content":"a"}]}"#,
            "404",
            "a model whose name begins with mock- has the faults that its name says, and of mock-writer: there is no fault",
        ),
    ] {
        let (head, body) = mock.ask(method, path, body);
        assert!(head.starts_with(&format!("HTTP/1.0 {status}")) && body.contains(said), "{path}: {head}\n{body}");
    }
}

#[test]
fn a_mistake_in_a_flag_is_told_before_anything_is_served() {
    let folder = Project::empty();
    for (arguments, said) in [
        ("--fault trunkated", "there is no fault `trunkated`; did you mean `truncated`?"),
        ("--fault 429:2", "a share from 0 to 1 is expected"),
        ("--latency soon", "expected a time such as 200ms"),
        ("--burst 3", "--rpm"),
        ("--rpm 0", "--rpm"),
        ("--answer @missing.txt", "missing.txt"),
        ("--log missing/log", "missing/log"),
    ] {
        let done = folder.done(&format!("mock --port 0 {arguments}"));
        assert!(done.code == 2 || done.code == 1, "{arguments}: {}", done.code);
        done.says(&[said]);
        assert_eq!(done.stdout, "");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    folder.done(&format!("mock --port {port}")).expect(2).says(&["cannot be listened at", "hint: name another one"]);
}

#[cfg(unix)]
#[test]
fn a_request_to_end_ends_it_with_success() {
    let folder = Project::empty();
    let mut mock = Mock::start(folder.root(), "--host 0.0.0.0");
    mock.terminate();
    let (code, said) = mock.end();
    assert_eq!(code, Some(0));
    assert!(said.contains("warning: http://0.0.0.0:") && said.contains("can be reached from other machines"), "{said}");
    assert!(said.ends_with("0 requests: 0 answered, at most 0 at once\n"), "{said}");
}

#[cfg(unix)]
#[test]
fn what_is_under_way_is_finished_before_the_end() {
    let folder = Project::empty();
    let mut mock = Mock::start(folder.root(), "");
    let asked = question("mock-slow-body", "「量子」について書く。");
    let (head, body) = mock.begin("POST", "/chat/completions", &asked);
    assert!(head.starts_with("HTTP/1.0 200"), "{head}");
    mock.terminate();
    let body: Value = serde_json::from_str(&body()).unwrap();
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    let (code, said) = mock.end();
    assert_eq!(code, Some(0));
    assert!(said.ends_with("1 request: 1 answered, at most 1 at once\n"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_project_with_mistakes_is_no_reason_not_to_serve() {
    for (file, text, mistake) in [
        ("evalrun.toml", "[rnu]\n", "unknown key `rnu`"),
        ("prompts/p.md", "{{ titel }}について書く。\n", "`titel` is undefined"),
    ] {
        let project = Project::recorded("", &[("a", "量子の記事です。")]).with(file, text);
        let mut mock = Mock::start(project.root(), "");
        assert!(ask(&mock, "m", "「新航路」について書く。").contains("「新航路」"));
        mock.terminate();
        let (code, said) = mock.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(mistake) && said.contains("its recorded answers are not read"), "{said}");
    }
}
