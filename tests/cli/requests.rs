//! What a server is sent: the case's values in the prompt, parameters, headers, nothing that is not set.

use serde_json::{Value, json};

use crate::support::project::{Project, case};
use crate::support::server::{PROTOCOLS, Server};

fn ask(server: &Server, project: &Project) -> Vec<Value> {
    project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(0);
    server.bodies()
}

/// The user's turn of a request, whichever protocol it speaks.
fn user_turn(body: &Value) -> &str {
    let gemini = &body["contents"][0]["parts"][0]["text"];
    gemini.as_str().or_else(|| body["messages"].as_array()?.last()?["content"].as_str()).unwrap()
}

#[test]
fn nothing_is_sent_that_is_not_set() {
    let server = Server::answering("記事です。");
    let project = Project::new(&PROTOCOLS.map(|name| server.model(name, name, "")).concat(), &["a"]);
    let question = "aの量子ミッションについて書く。";
    let bodies = ask(&server, &project);
    for expected in [
        json!({"contents": [{"role": "user", "parts": [{"text": question}]}]}),
        json!({"model": "openai", "messages": [{"role": "user", "content": question}]}),
        json!({"model": "anthropic", "max_tokens": 8192, "messages": [{"role": "user", "content": question}]}),
    ] {
        assert!(bodies.contains(&expected), "{expected} is not in {bodies:#?}");
    }
}

#[test]
fn parameters_and_extra_fields_go_out_as_they_are() {
    let server = Server::answering("記事です。");
    let params = "model = \"named\"\nparams = { temperature = 0.7, top_p = 0.9, max_output_tokens = 64, seed = 1, stop = [\"完\"], \
                  extra = { service_tier = \"flex\", generationConfig = { thinkingConfig = { thinkingBudget = 0 } }, n = 1.5 } }";
    let without_seed = params.replace("seed = 1, ", "");
    let models = [("gemini", params), ("openai", params), ("anthropic", &without_seed)];
    let project = Project::new(&models.map(|(name, params)| server.model(name, name, params)).concat(), &["a"]);
    let bodies = ask(&server, &project);
    let thinking = json!({"thinkingBudget": 0});
    for body in &bodies {
        assert_eq!((&body["service_tier"], &body["n"]), (&json!("flex"), &json!(1.5)));
        let config = &body["generationConfig"];
        assert_eq!(config["thinkingConfig"], thinking);
        let (at, names) = match (body["contents"].is_array(), body["stop_sequences"].is_array()) {
            (true, _) => (config, ["topP", "maxOutputTokens", "stopSequences"]),
            (_, true) => (body, ["top_p", "max_tokens", "stop_sequences"]),
            _ => (body, ["top_p", "max_tokens", "stop"]),
        };
        assert_eq!(at["temperature"], json!(0.7), "{body}");
        let values = names.map(|name| &at[name]);
        // OpenAI's own servers have a newer name for the limit.
        let limit = [values[1], &body["max_completion_tokens"]];
        assert!(limit.contains(&&json!(64)), "{body}");
        assert_eq!([values[0], values[2]], [&json!(0.9), &json!(["完"])], "{body}");
    }
    let seeds = bodies.iter().filter(|body| body["seed"] == 1 || body["generationConfig"]["seed"] == 1).count();
    assert_eq!((bodies.len(), seeds), (3, 2));
}

#[test]
fn further_headers_are_sent_and_null_ones_are_not() {
    let server = Server::answering("記事です。");
    let headers = "headers = { X-Team = \"press\", anthropic-version = \"2099-01-01\" }";
    let project = Project::new(&PROTOCOLS.map(|name| server.model(name, name, headers)).concat(), &["a"]);
    ask(&server, &project);
    for request in server.requests() {
        assert_eq!(
            (&request.headers["x-team"], &request.headers["anthropic-version"]),
            (&"press".parse().unwrap(), &"2099-01-01".parse().unwrap())
        );
        assert_eq!(request.headers["content-type"], "application/json");
    }
}

#[test]
fn a_cases_vars_stand_in_its_prompt_and_are_never_templates_themselves() {
    let server = Server::answering("記事です。");
    let vars = "[vars]\ntone = \"{{ title }}\"\nnumbers = [1, 2]\ndesk = { name = \"経済\" }\n";
    let template =
        "{{ published_at }} {{ tone }} {{ numbers | join('・') }} {{ desk.name }}{% if body %} {{ body }}{% endif %}\n";
    let project = Project::new(&server.model("m", "openai", ""), &[])
        .with("cases/a/case.toml", &(case("a") + vars))
        .with("prompts/p.md", template);
    assert_eq!(user_turn(&ask(&server, &project)[0]), "2025-06-30 07:00 {{ title }} 1・2 経済");
}

#[test]
fn null_counts_as_undefined() {
    let source = json!({"published_at": "2025-06-30T07:00:00+09:00", "publisher": "P", "title": "T", "body": null});
    let line = json!({"id": "a", "vars": {"tone": null}, "source": source, "tags": null, "require": null});
    let server = Server::answering("記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &[])
        .with("cases/a.jsonl", &line.to_string())
        .with("prompts/p.md", "{{ title }}{% if tone %}調{% endif %}{% if body %}本文{% endif %}\n");
    assert_eq!(user_turn(&ask(&server, &project)[0]), "T");
    let strict = project.with("prompts/p.md", "{{ title }}\n{{ tone }}\n");
    strict.done("run").expect(2).says(&["prompts/p.md:2:4", "`tone` is undefined for the case `a`"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn front_matter_gives_the_system_text() {
    let server = Server::answering("記事です。");
    let project = Project::new(&PROTOCOLS.map(|name| server.model(name, name, "")).concat(), &["a"])
        .with("prompts/p.md", "+++\nsystem = \"{{ publisher }}の記者。\"\n+++\n{{ title }}\n");
    for body in ask(&server, &project) {
        let openai = &body["messages"][0];
        let system = [&body["systemInstruction"]["parts"][0]["text"], &body["system"], &openai["content"]];
        assert!(system.contains(&&json!("日本貿易振興機構の記者。")), "{body}");
        assert_eq!(user_turn(&body), "aの量子ミッション");
    }
}

#[test]
fn each_repeat_is_a_request_of_its_own() {
    let server = Server::answering("記事です。");
    let project = Project::new(&server.model("m", "gemini", ""), &["a", "b"]);
    project.call("run --out run --repeats 3").env("MARKER_KEY", "key-of-all").done().expect(0);
    assert_eq!(server.requests().len(), 6);
    assert_eq!(project.csv("run/metrics.csv").cells(&["case", "repeat"]), ["a|0", "a|1", "a|2", "b|0", "b|1", "b|2"]);
}
