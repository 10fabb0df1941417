//! `gate` and `baseline`: what a pipeline meets when a prompt gets worse.

use serde_json::json;

use crate::support::project::Project;

const GOOD: &str = "量子の記事です。";
const BAD: &str = "別の記事です。約30社が来ました。";

/// A project with a gate and twelve cases, whose answers begin as `answer`.
fn project(gate: &str, answer: &str) -> Project {
    let ids: Vec<String> = (0..12).map(|n| format!("c{n}")).collect();
    let answers: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), answer)).collect();
    let config = format!(
        "[require]\ncontains = [\"量子\"]\nnot_contains = [\"約30社\"]\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n{gate}\n"
    );
    Project::recorded("contains = [\"量子\"]", &answers).with("evalrun.toml", &config)
}

fn worsened(project: Project, cases: usize) -> Project {
    (0..cases).fold(project, |project, n| project.with(&format!("cases/c{n}/answers/p/m.md"), BAD))
}

#[test]
fn without_a_gate_verdicts_do_not_matter() {
    let project = project("", BAD);
    project.done("run --out run").expect(0).says(&["no [gate] in evalrun.toml"]);
    let done = project.done("gate run").expect(0);
    done.says(&["no [gate] in evalrun.toml"]);
    assert_eq!(done.stdout, "");
}

#[test]
fn a_gate_that_fails_names_case_property_and_quote() {
    let project = worsened(project("[gate]\nnot_contains = 0.95", GOOD), 3);
    let done = project.done("run --out run").expect(4);
    done.says(&[
        "GATE FAILED",
        "p@m · not_contains: 9/12 75 %",
        "at least 95 % must pass",
        "c0 not_contains 「約30社」",
    ]);
    let gate = project.done("gate run").expect(4).stdout;
    assert!(gate.contains("c1 not_contains 「約30社」"), "{gate}");
    let found = project.done("gate run --format json").expect(4).json();
    assert_eq!((&found["decision"], &found["checks"][0]["cases"]), (&json!("failed"), &json!(["c0", "c1", "c2"])));
    let japanese = project.done("gate run --lang ja --format markdown").expect(4).stdout;
    assert!(japanese.contains("ゲート不合格"), "{japanese}");
    project.done("run --out other --no-gate").expect(0);
    // What fails a pipeline is said even to who wants to hear little.
    project.done("run --out quiet --quiet").expect(4).says(&["GATE FAILED"]);
}

#[test]
fn a_pipeline_from_the_first_baseline_to_a_worse_prompt() {
    let project = project("[gate]\nall = { max_drop = 0.05, max_broken = 0 }", GOOD);
    project.done("run --out first").expect(2).says(&["there is none", "evalrun baseline set latest"]);
    assert!(!project.path("first").exists());
    project.done("run --out first --no-gate").expect(0);
    project.done("baseline show").expect(2).says(&["there is no baseline yet"]);
    project.done("baseline set first").expect(0).says(&["reports/baseline", "commit it"]);
    assert_eq!(project.names("reports/baseline"), ["run.jsonl", "summary.csv"]);
    assert!(project.done("baseline show").expect(0).stdout.contains("12 passed"));
    let kept = project.read("reports/baseline/run.jsonl");
    project.done("run --out again --no-gate").expect(0);
    // Ten points cannot be ruled out by twelve cases, and the gate says so; it holds nobody up unless told to.
    project.done("run --out second").expect(0).says(&["gate inconclusive", "must be ruled out"]);
    let worse = worsened(project, 9);
    worse.done("run --out third").expect(4).says(&["GATE FAILED", "9 cases that passed with p@m fail", "c0 contains"]);
    worse.done("gate third --baseline third").expect(0);
    worse.done("baseline set third").expect(0);
    assert_ne!(worse.read("reports/baseline/run.jsonl"), kept);
    worse.done("baseline set baseline").expect(2).says(&["is the baseline already"]);
    worse.done("gate third").expect(0);
}

#[test]
fn a_baseline_is_the_same_bytes_for_the_same_answers_apart_from_its_time() {
    let project = project("", GOOD);
    project.done("run --out one").expect(0);
    project.done("run --out two").expect(0);
    let outcomes = |name: &str| {
        project.done(&format!("baseline set {name}")).expect(0);
        let journal = project.read("reports/baseline/run.jsonl");
        journal.lines().filter(|line| line.contains("\"type\":\"outcome\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    let strip = |lines: Vec<String>| -> Vec<serde_json::Value> {
        lines
            .iter()
            .map(|line| {
                let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
                value.as_object_mut().unwrap().remove("latency_ms");
                value
            })
            .collect()
    };
    assert_eq!(strip(outcomes("one")), strip(outcomes("two")));
    project.done("baseline set one --without-answers").expect(0);
    assert!(!project.read("reports/baseline/run.jsonl").contains("量子の記事"));
    let compared = project.done("compare baseline two --format json").expect(0).json();
    assert_eq!(compared["properties"][0]["n"], json!(12));
}

#[test]
fn what_inconclusive_means_stands_in_the_gate() {
    let gate = "[gate]\nall = { min_rate = 0.99, on = \"low\" }";
    project(gate, GOOD).done("run --out run").expect(0).says(&["gate inconclusive"]);
    let strict = project(&gate.replace("[gate]", "[gate]\ninconclusive = \"fail\""), GOOD);
    strict.done("run --out run").expect(5);
}

#[test]
fn a_gate_that_checks_nothing_is_a_mistake() {
    project("[gate]", GOOD).done("run").expect(2).says(&["this gate checks nothing"]);
    project("[gate]\nall = 0.9\nprompts = [\"q\"]", GOOD).done("run").expect(2).says(&["there is no prompt `q`"]);
    project("[gate]\nall = 0.9\nmodels = [\"n\"]", GOOD).done("run").expect(2).says(&["there is no model `n`"]);
    let unrequired = project("[gate]\nall = 0.9\n[gate.length]\nmin_rate = 0.1", GOOD);
    for command in ["run", "check", "list"] {
        unrequired.done(command).expect(2).says(&["a rule about `length`, which no case requires"]);
    }
}
