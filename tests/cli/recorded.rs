//! Recorded answers, for cases of every form; and waivers over what they hold.

use crate::support::project::{Project, case};

/// A case of each form.
fn project_of_three_forms() -> Project {
    let config = "[require]\ncontains = [\"量子\"]\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n";
    let json = r#"{"id": "from-jsonl", "source": {"published_at": "2025-06-30T07:00:00+09:00", "publisher": "P", "title": "T"}}"#;
    let csv = "id,source.published_at,source.publisher,source.title,require.contains\r\n\
               from-csv,2025-06-30T07:00:00+09:00,P,T,\"量子\n派遣\"\r\n";
    Project::new(config, &[])
        .with("cases/from-toml/case.toml", &case("from-toml"))
        .with("cases/more.jsonl", json)
        .with("cases/more.csv", csv)
}

#[test]
fn a_recorded_answer_belongs_to_a_case_of_any_form() {
    let forms = ["from-csv", "from-jsonl", "from-toml"];
    let project = forms.iter().fold(project_of_three_forms(), |project, id| {
        project.with(&format!("cases/{id}/answers/p/m.md"), "量子ミッションの派遣。\n")
    });
    project.done("run --out run").expect(0);
    let metrics = project.csv("run/metrics.csv");
    let expected = forms.map(|id| format!("{id}|passed|pass|11"));
    assert_eq!(metrics.cells(&["case", "status", "contains", "chars"]), expected);
}

#[test]
fn a_missing_recorded_answer_leaves_its_trial_errored() {
    let project = project_of_three_forms().with("cases/from-csv/answers/p/m.md", "量子の派遣。");
    project.done("run --out run").expect(3).says(&["2 of 3 trials errored"]);
    let metrics = project.csv("run/metrics.csv");
    assert_eq!(metrics.column("status"), ["passed", "errored", "errored"]);
    assert!(metrics.column("error")[1].contains("cases/from-jsonl/answers/p/m.md"));
}

#[test]
fn repeats_have_answers_of_their_own() {
    let project = Project::recorded("", &[("a", "一度目")])
        .with("cases/a/answers/p/m.1.md", "二度目です")
        .with("cases/a/answers/p/m.1.json", r#"{"finish_reason": "length", "usage": {"output_tokens": 5}}"#);
    project.done("run --out run --repeats 2").expect(0);
    let cells = project.csv("run/metrics.csv").cells(&["repeat", "chars", "finish_reason", "output_tokens"]);
    assert_eq!(cells, ["0|3||", "1|5|length|5"]);
}

#[test]
fn a_waiver_lets_its_words_pass_and_is_seen() {
    let answer = [("a", "量子ミッションです。See you later, everyone!")];
    let strict = Project::recorded("japanese_only = true", &answer);
    strict.done("run --out run").expect(0);
    assert_eq!(strict.csv("run/metrics.csv").column("japanese_only"), ["fail"]);

    let waiver = |until: &str| {
        let allow = format!(r#"[{{ text = "See you later, everyone!", reason = "決まり文句"{until} }}]"#);
        Project::recorded(&format!("japanese_only = {{ allow = {allow} }}"), &answer)
    };
    let waived = waiver("");
    waived.done("run --out run").expect(0);
    assert_eq!(waived.csv("run/metrics.csv").column("japanese_only"), ["pass"]);
    assert!(waived.csv("run/scores.csv").column("detail")[0].contains("waived: 決まり文句"));
    assert!(waived.read("run/summary.md").contains("決まり文句"));
    assert!(waived.done("show run a").expect(0).stdout.contains("waived: 決まり文句"));

    let expired = waiver(", until = 2020-01-01");
    expired.done("run --out run").expect(0);
    assert_eq!(expired.csv("run/metrics.csv").column("japanese_only"), ["fail"]);
}

#[test]
fn a_cases_own_requirements_win_key_by_key() {
    let project = Project::recorded(
        "japanese_only = true\nlength = { min_chars = 3, max_chars = 5 }",
        &[("a", "量子です"), ("b", "量子ミッションです"), ("c", "Hello everyone, this is it.")],
    )
    .with("cases/b/case.toml", &(case("b") + "[require]\nlength = { max_chars = 50 }\n"))
    .with(
        "cases/c/case.toml",
        &(case("c") + "[require]\njapanese_only = false\nlength = false\ncontains = [\"Hello\"]\n"),
    );
    project.done("run --out run").expect(0);
    let cells = project.csv("run/metrics.csv").cells(&["case", "japanese_only", "length", "contains"]);
    assert_eq!(cells, ["a|pass|pass|", "b|pass|pass|", "c|||pass"]);
}
