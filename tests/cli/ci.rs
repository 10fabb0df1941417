//! What CI services get: junit.xml, TAP, code quality, GitHub's annotations and summary.

use serde_json::{Value, json};

use crate::support::project::Project;

const GOOD: &str = "量子の記事です。";
const BAD: &str = "別の記事です。約30社が来ました。\n::error::x ##[error]y";

/// A project of three cases, the last of which is answered badly.
fn project(gate: &str) -> Project {
    let config = format!(
        "[require]\ncontains = [\"量子\"]\nnot_contains = [\"約30社\"]\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n{gate}\n"
    );
    Project::recorded("contains = [\"量子\"]", &[("a", GOOD), ("b", GOOD), ("c", BAD)]).with("evalrun.toml", &config)
}

#[test]
fn junit_has_a_test_for_each_case_and_property_under_names_that_stay() {
    let project = project("");
    project.done("run --out run").expect(0);
    let text = project.read("run/junit.xml");
    let document = roxmltree::Document::parse(&text).unwrap();
    let names = |text: &str| -> Vec<String> {
        let document = roxmltree::Document::parse(text).unwrap();
        let tests = document.descendants().filter(|node| node.has_tag_name("testcase"));
        tests
            .map(|test| format!("{} {}", test.attribute("classname").unwrap(), test.attribute("name").unwrap()))
            .collect()
    };
    assert_eq!(names(&text)[..2], ["p@m a contains", "p@m a not_contains"]);
    let failure = document.descendants().rfind(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("type"), Some("not_contains"));
    assert!(failure.attribute("message").unwrap().contains("約30社"), "{text}");
    let better = project.with("cases/c/answers/p/m.md", GOOD);
    better.done("run --out better --baseline run").expect(0);
    assert_eq!(names(&better.read("better/junit.xml")), names(&text));
}

#[test]
fn a_failure_shows_how_the_answer_differs_from_the_baselines() {
    let project = project("");
    project.done("run --out run").expect(0);
    project.done("baseline set run").expect(0);
    let worse = project.with("cases/a/answers/p/m.md", "別の記事です。");
    worse.done("run --out worse --baseline").expect(0);
    let text = worse.read("worse/junit.xml");
    assert!(text.contains("--- baseline::p@m\n+++ worse::p@m\n~ [-量子-]{+別+}の記事です。"), "{text}");
}

#[test]
fn the_other_forms_are_printed_on_demand() {
    let project = project("[gate]\nnot_contains = { min_rate = 0.1 }");
    project.done("run --out run").expect(0);
    let tap = project.done("report run --format tap").expect(0).stdout;
    assert!(tap.starts_with("TAP version 14\n1..6\nok 1 - p@m a contains\n"), "{tap}");
    assert!(tap.contains("not ok 6 - p@m c not_contains\n  ---\n  severity: fail\n"), "{tap}");
    let findings = project.done("report run --format code-quality").expect(0).json();
    let found = findings.as_array().unwrap();
    let severities: Vec<&Value> = found.iter().map(|finding| &finding["severity"]).collect();
    assert_eq!(severities, [&json!("minor"), &json!("critical")]);
    assert_eq!(found[0]["location"]["path"], "prompts/p.md");
    let junit = project.done("report run --format junit").expect(0).stdout;
    assert_eq!(junit, project.read("run/junit.xml"));
}

#[test]
fn on_github_the_prompt_is_annotated_and_the_job_summarised() {
    let project = project("[gate]\nnot_contains = 0.9").with("summary.md", "before\n");
    let done = project
        .call("run --out run")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", project.path("summary.md").to_str().unwrap())
        .done()
        .expect(4);
    let annotations: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("::")).collect();
    let [annotation] = annotations.as_slice() else { panic!("{}", done.stderr) };
    assert!(annotation.starts_with("::error file=prompts/p.md,line=1,title=evalrun%3A not_contains failed::"));
    assert!(annotation.contains("%0Ac not_contains 「約30社」"), "{annotation}");
    let summary = project.read("summary.md");
    assert!(summary.starts_with("before\n## GATE FAILED") && summary.contains("# Summary"), "{summary}");
    // Elsewhere nothing of it is said.
    assert!(!project.done("gate run").expect(4).stderr.contains("::error"));
}

#[test]
fn without_a_gate_the_worst_failures_are_warned_of() {
    let project = project("");
    let done = project.call("run --out run").env("GITHUB_ACTIONS", "true").done().expect(0);
    let annotations: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("::")).collect();
    let [annotation] = annotations.as_slice() else { panic!("{}", done.stderr) };
    assert!(annotation.starts_with("::warning file=prompts/p.md,line=1,title=evalrun%3A c · p@m::"), "{annotation}");
}
