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
    let shown = project.done("baseline show").expect(0);
    assert!(shown.stdout.contains("12 passed"), "{}", shown.stdout);
    let said = shown.stderr.trim_end();
    assert!(said.starts_with("reports/baseline: a run of 20") && said.ends_with(" UTC"), "{said}");
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

#[test]
fn a_rule_that_no_number_of_cases_can_meet_is_said_to_be_that() {
    let project = project("[gate]\nall = { max_drop = 0 }\nnot_contains = { min_rate = 1, on = \"low\" }", GOOD);
    project.done("check").expect(0).says(&[
        "[gate] all: such a `max_drop` can never be met: no number of cases rules out a drop so near to nothing",
        "[gate] not_contains: `on = \"low\"` with such a `min_rate` can never be met",
    ]);
    project.done("run --out run --no-gate").expect(0);
    project.done("baseline set run").expect(0);
    let gate = project.done("gate run").expect(0).stdout;
    for told in [
        "gate inconclusive: 0 failed, 2 undecided, 0 passed",
        "must be ruled out (no number of cases can show that)",
        "! no number of cases proves a rate so near to 100 %",
        "! no number of cases rules out a drop so near to nothing: take a larger `max_drop`, or `max_broken = 0`",
    ] {
        assert!(gate.contains(told), "no {told}: {gate}");
    }
    let markdown = project.done("gate run --format markdown").expect(0).stdout;
    assert!(markdown.contains("take a larger `max_drop`"), "{markdown}");
}

#[test]
fn a_damaged_line_of_a_run_is_a_mistake_with_its_place() {
    let project = project("[gate]\nall = { min_rate = 0.5, max_broken = 0 }", GOOD);
    project.done("run --out run --no-gate").expect(0);
    let damaged = project.read("run/run.jsonl").replacen("\"type\":\"outcome\"", "\"type\":\"outcome", 1);
    let line = damaged.lines().position(|line| line.contains("\"type\":\"outcome,")).unwrap() + 1;
    let project = project.with("torn/run.jsonl", &damaged);
    let place = format!("torn/run.jsonl:{line}: this line is damaged");
    for command in ["gate torn --baseline run", "gate run --baseline torn", "compare torn run", "report torn"] {
        project.done(command).expect(2).says(&[&place]);
    }
}

#[test]
fn a_number_that_is_none_and_a_mistyped_key_are_said_to_be_that() {
    for (gate, expected) in [
        ("[gate]\nmax_errored = nan", "expected a number, found nan"),
        ("[gate]\nmax_cost = inf", "expected a number, found inf"),
        ("[gate]\nal = 0.9", "unknown key `al`"),
        ("[gate]\nall = { min_rat = 0.9 }", "unknown key `min_rat`"),
    ] {
        let done = project(gate, GOOD).done("check").expect(2);
        assert!(done.stderr.starts_with(&format!("error: {expected}")), "{gate}: {}", done.stderr);
        done.says(&["error: 1 mistake in the project's files"]);
    }
}

#[test]
fn a_case_cannot_pass_more_often_than_it_is_asked() {
    let project = project("[gate]\ncase_passes = 3\nall = 0.5", GOOD);
    let says = ["`case_passes = 3`", "each case is asked once", "--repeats 3"];
    project.done("run --out run").expect(2).says(&says);
    assert!(!project.path("run").exists());
    project.done("run --out run --no-gate").expect(0);
    project.done("gate run").expect(2).says(&["`case_passes = 3`", "each case is asked once"]);
    project.done("check").expect(0).says(&["`case_passes = 3`"]);
}

#[test]
fn the_variant_of_a_baseline_can_be_named() {
    let project = project("[gate]\nall = { max_broken = 0 }", GOOD);
    project.done("run --out base --no-gate").expect(0);
    project.done("gate base --baseline base::p@m").expect(0);
    let unknown = project.done("gate base --baseline base::nope@nope").expect(2);
    unknown.says(&["the run base has no variant nope@nope", "variants: p@m"]);
    project.done("run --out other --baseline base::q@m").expect(2).says(&["has no variant q@m"]);
}

#[test]
fn recorded_answers_cost_nothing() {
    let done = project("[gate]\nmax_cost = 1.0", GOOD).done("run --out run").expect(0);
    done.says(&["gate passed", "✓ cost: 0 US dollars; at most 1"]);
}

#[test]
fn a_gate_says_what_it_allows_to_be_missing() {
    let project = project("[gate]\nmax_errored = 0.02", GOOD);
    project.done("run --out run").expect(0).says(&["gate passed", "✓ 0 of 12 trials have no outcome; at most 2 % may"]);
    let torn: Vec<String> = project
        .read("run/run.jsonl")
        .lines()
        .filter(|line| !line.contains("\"type\":\"end\"") && !line.contains("\"case\":\"c3\""))
        .map(str::to_owned)
        .collect();
    let project = project.with("torn/run.jsonl", &(torn.join("\n") + "\n"));
    let gate = project.done("gate torn").expect(3).stdout;
    assert!(gate.contains("? 1 of 12 trials has no outcome; at most 2 % may"), "{gate}");
    let japanese = project.done("gate torn --lang ja").expect(3).stdout;
    assert!(japanese.contains("? 12試行のうち1試行に結果がありません(許容は2%)"), "{japanese}");
}

#[test]
fn what_is_only_said_is_counted_apart() {
    let gate = "[gate]\nnot_contains = { min_rate = 0.9, tier = \"advisory\" }\ncontains = 0.5";
    let done = worsened(project(gate, GOOD), 3).done("run --out run").expect(0);
    done.says(&["gate passed: 0 failed, 0 undecided, 1 passed; advisory: 1 failed"]);
    let one = done.stderr.find("✓ p@m · contains").unwrap();
    assert!(one < done.stderr.find("✗ p@m · not_contains").unwrap(), "{}", done.stderr);
}

#[test]
fn a_threshold_that_so_few_cases_can_never_show_is_told() {
    let project = project("[gate]\nall = { min_rate = 0.9, on = \"low\", max_drop = 0.05, max_broken = 0 }", GOOD);
    project.done("run --out base --no-gate").expect(0);
    let gate = project.done("gate base --baseline base").expect(0).stdout;
    assert!(gate.contains("12/12 100 % (95 %: 76–100)"), "{gate}");
    assert!(gate.contains("(12 cases can never show that; about 35 could)"), "{gate}");
    assert!(gate.contains("(90 %: −18 … +18)"), "{gate}");
    assert!(gate.contains("(12 cases can never show that; about 52 could)"), "{gate}");
    assert!(
        gate.contains("! so few cases rule no such drop out even where no verdict changes: `max_broken` suits them")
    );
    let found = project.done("gate base --baseline base --format json").expect(0).json();
    let needed: Vec<_> = found["checks"].as_array().unwrap().iter().map(|check| &check["cases_needed"]).collect();
    assert_eq!(needed, [&json!(35), &json!(52), &json!(null)]);
}

#[test]
fn a_gate_names_the_cases_that_its_comparison_leaves_out() {
    let project = project("[gate]\nall = { max_broken = 0 }", GOOD);
    project.done("run --out base --no-gate").expect(0);
    let changed = crate::support::project::case("c1").replace("の量子", "と量子");
    let project = project
        .with("cases/c1/case.toml", &changed)
        .with("cases/new/case.toml", &crate::support::project::case("new"))
        .with("cases/new/answers/p/m.md", GOOD);
    std::fs::remove_dir_all(project.path("cases/c2")).unwrap();
    let done = project.done("run --out now --baseline base").expect(0);
    done.says(&[
        "! 1 case says something else than before and is left out: c1",
        "! in the base alone: c2; in the candidate alone: new",
    ]);
    let found = project.done("gate now --baseline base --format json").expect(0).json();
    assert_eq!(found["baseline"]["cases"]["changed"], json!(["c1"]));
    assert_eq!(found["baseline"]["warnings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn one_case_is_no_cases() {
    let project = project("[gate]\nall = { max_broken = 0 }", GOOD);
    project.done("run --out base --no-gate").expect(0);
    let done = worsened(project, 1).done("run --out now --baseline base").expect(4);
    done.says(&["1 case that passed with p@m fails; 0 may"]);
}

#[test]
fn a_baseline_that_is_missing_or_fails_is_told() {
    let project = worsened(project("", GOOD), 3);
    let missing = project.done("run --out run --baseline").expect(2);
    missing.says(&["there is no baseline yet", "evalrun baseline set latest"]);
    project.done("compare baseline latest").expect(2).says(&["there is no baseline yet"]);
    project.done("run --out run").expect(0);
    let set = project.done("baseline set run").expect(0);
    set.says(&["warning: 3 of 12 trials fail: a case that fails in the baseline cannot break any more"]);
}

#[test]
fn a_run_without_most_answers_of_a_variant_is_no_baseline_unless_forced() {
    let answers = [("a", "量子です。"), ("b", "量子です。"), ("c", "量子です。"), ("d", "量子です。")];
    let project = Project::recorded("contains = [\"量子\"]", &answers);
    for (id, code, expected) in [
        ("a", 0, &["warning: 1 of 4 trials errored"][..]),
        ("b", 0, &["warning: 2 of 4 trials errored"]),
        ("c", 2, &["reports/r is not fit to be a baseline: 3 of 4 trials of p@m errored", "--force takes"]),
    ] {
        std::fs::remove_file(project.path(&format!("cases/{id}/answers/p/m.md"))).unwrap();
        let _ = std::fs::remove_dir_all(project.path("reports"));
        project.done("run --out reports/r").expect(3);
        project.done("baseline set reports/r").expect(code).says(expected);
        assert_eq!(project.path("reports/baseline").exists(), code == 0);
    }
    project.done("baseline set r --force").expect(0).says(&["warning: 3 of 4 trials errored", "is the baseline now"]);
}

#[test]
fn the_latest_run_is_never_the_baseline() {
    let project = project("", GOOD);
    project.done("run").expect(0);
    project.done("baseline set latest --without-answers").expect(0);
    let shown = project.done("compare baseline latest").expect(0).stdout;
    assert!(shown.starts_with("baseline → 20"), "{shown}");
    for name in project.names("reports").iter().filter(|name| *name != "baseline") {
        std::fs::remove_dir_all(project.path(&format!("reports/{name}"))).unwrap();
    }
    project.done("gate latest").expect(2).says(&["there is no run yet"]);
    project.done("show baseline c0").expect(0);
}

#[test]
fn check_tells_what_the_gate_can_never_show_before_anything_is_spent() {
    let gate = "[gate]\nall = { min_rate = 0.9, on = \"low\" }\ncontains = { max_drop = 0.05, max_broken = 0 }";
    project(gate, GOOD).done("check").expect(0).says(&[
        "warning: [gate] all: 12 cases of different news can never prove such a `min_rate`, even if all pass; about 35 could",
        "warning: [gate] contains: 12 cases of different news can never rule out such a `max_drop`, even if no verdict changes; \
         about 52 could (`max_broken` suits fewer)",
    ]);
    let reachable = "[gate]\nall = { min_rate = 0.7, on = \"low\" }\ncontains = { max_drop = 0.2, max_broken = 0 }";
    assert_eq!(project(reachable, GOOD).done("check").expect(0).stderr, "");
}
