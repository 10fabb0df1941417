//! The commands that look: `list`, `check`, `show`, `report`, `rescore`.

use serde_json::json;

use crate::support::csv::Csv;
use crate::support::project::{Project, case};
use crate::support::server::{PROTOCOLS, Server};

#[test]
fn list_tells_the_plan_without_a_request_or_a_key() {
    let server = Server::answering("記事です。");
    let price = "price = { input = 1.0, output = 2.0 }";
    let models = PROTOCOLS.map(|name| server.model(name, name, if name == "gemini" { price } else { "" })).concat();
    let project = Project::new(&models, &["a", "b"]);
    let plan = project.done("list --repeats 2 --format json").expect(0).json();
    assert_eq!((&plan["trials"], &plan["requests"], &plan["repeats"]), (&json!(12), &json!(12), &json!(2)));
    assert_eq!(plan["models"], json!(PROTOCOLS));
    assert!(plan["variants"][0]["cost_usd"].as_f64() > Some(0.0), "{plan}");
    assert_eq!(plan["variants"][1]["cost_usd"], json!(null));
    assert_eq!(plan["total"]["cost_usd"], json!(null));
    let text = project.done("list --model gemini --case a").expect(0).stdout;
    assert!(text.starts_with("1 trial: 1 case × 1 prompt × 1 model\n1 request over the network\n"), "{text}");
    assert!(text.contains("p@gemini") && text.contains("tokens"), "{text}");
    assert!(server.requests().is_empty() && !project.path("reports").exists());
}

#[test]
fn check_tells_mistakes_from_warnings() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子")]);
    let done = project.done("check").expect(0);
    assert!(done.stdout.contains("no mistakes, 0 warnings"), "{} {}", done.stdout, done.stderr);
    assert_eq!(done.stderr, "");

    let odd = project
        .with("cases/a/answers/p/stranger.md", "誰か")
        .with("cases/b/case.toml", &case("b"))
        .with("prompts/q.md", "{{ title }}{% if tome %}{{ tome }}{% endif %}\n");
    let done = odd.done("check").expect(0);
    done.says(&["stranger", "cases/b/answers/p/m.md", "no case defines `tome`"]);
    assert!(done.stdout.contains("no mistakes, ") && !done.stdout.contains("0 warnings"), "{}", done.stdout);
}

#[test]
fn the_repositorys_project_is_without_mistakes_or_warnings() {
    let config = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("evalrun.toml");
    let done = Project::empty().call("check --config").arg(config).done().expect(0);
    assert_eq!(done.stderr, "");
}

#[test]
fn show_marks_the_words_that_a_verdict_rests_on() {
    let project = Project::recorded(
        "japanese_only = true\nnot_contains = [\"未定\"]",
        &[("a", "派遣の日は未定です。See you later, everyone!"), ("b", "量子です。")],
    );
    project.done("run").expect(0);
    let name = project.names("reports").remove(0);
    for run in ["latest", &name, &format!("reports/{name}"), &format!("reports/{name}/run.jsonl")] {
        let shown = project.done(&format!("show {run} a")).expect(0).stdout;
        assert!(shown.contains("未定]") && shown.contains("everyone") && shown.contains("not_contains"), "{shown}");
        assert!(!shown.contains("量子です。"), "{shown}");
    }
    let both = project.done("show latest * --model m --prompt p --repeat 0").expect(0).stdout;
    assert!(both.contains("量子です。") && both.contains("未定"));
    project.done("show latest zzz").expect(2).says(&["zzz"]);
    project.done("show latest a --repeat 7").expect(2).says(&["no trial of latest is selected"]);
}

#[test]
fn report_prints_a_run_in_each_form() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。"), ("b", "Hello everyone, it is me.")]);
    let text = project.done("run --out run").expect(0).stdout;
    assert_eq!(project.done("report run").expect(0).stdout, text);
    assert_eq!(project.done("report run --format markdown").expect(0).stdout, project.read("run/summary.md"));
    assert_eq!(project.done("report run --format html").expect(0).stdout, project.read("run/report.html"));
    let csv = project.done("report run --format csv").expect(0).stdout;
    assert_eq!(csv, project.read("run/metrics.csv").trim_start_matches('\u{feff}'));
    assert_eq!(Csv::parse(&csv).column("status"), ["passed", "failed"]);
    let json = project.done("report run --format json").expect(0).json();
    assert_eq!(json["trials"][1]["verdicts"], json!({"japanese_only": "fail"}));
}

#[test]
fn two_prompts_of_a_run_are_compared_and_two_runs_are() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "何もありません。")])
        .with("prompts/q.md", "{{ title }}を詳しく。\n")
        .with("cases/a/answers/q/m.md", "量子があります。");
    project.done("run --out both").expect(0);
    for file in ["both/diff.md", "both/diff.html"] {
        let text = project.read(file);
        assert!(text.contains("何も") && text.contains("contains"), "{file}: {text}");
    }
    project.done("report both --diff q..p").expect(0);
    assert!(project.read("both/diff.md").contains("何も"));
    project.done("run --out one --prompt q --baseline both::p@m").expect(0);
    assert!(project.read("one/diff.md").contains("何も"), "{}", project.read("one/diff.md"));
    project.done("run --prompt q --baseline both::p@n").expect(2).says(&["has no variant p@n"]);
}

#[test]
fn what_a_model_wrote_stays_text_wherever_it_is_seen() {
    let hostile = "\u{1b}[31m<script>alert(1)</script>\u{202e}| a | b |\n::error::x\n[x](javascript:1)\u{7}";
    let project = Project::recorded("japanese_only = true\nmatches = [\"量子\"]", &[("a", hostile)]);
    let done = project.done("run --out run -v").expect(0);
    let shown = project.done("show run a").expect(0);
    for text in [&done.stdout, &done.stderr, &shown.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
    }
    for file in ["run/summary.md", "run/report.html", "run/diff.html", "run/diff.md"] {
        let text = project.read(file);
        assert!(!text.contains("<script>alert") && !text.contains(['\u{1b}', '\u{202e}']), "{file}");
    }
}

#[test]
fn runs_over_time_are_shown_the_oldest_first() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "何もありません。"), ("b", "量子です。")]);
    project.done("history").expect(2).says(&["there is no run", "evalrun run"]);
    project.done("run --out reports/first").expect(0);
    let project = project.with("cases/a/answers/p/m.md", "量子があります。").with("reports/broken/run.jsonl", "{}\n");
    project.done("run --out reports/second").expect(0);
    let done = project.done("history").expect(0);
    done.says(&["reports/broken is left out"]);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[3].contains("first") && lines[3].contains("1/2 50 %"), "{}", done.stdout);
    assert!(lines[4].contains("second") && lines[4].contains("2/2 100 %"), "{}", done.stdout);
    let csv = Csv::parse(&project.done("history reports --format csv").expect(0).stdout);
    assert_eq!(
        csv.cells(&["run", "property", "rate"]),
        ["first|all|0.5", "first|contains|0.5", "second|all|1", "second|contains|1"]
    );
    let json = project.done("history --format json --property contains").expect(0).json();
    assert_eq!(json["runs"][1]["summary"][1]["rate"], 1.0);
    project.done("history --property contain").expect(2).says(&["did you mean `contains`?"]);
    // A run is called by its folder, and shown once though the baseline is a copy of it.
    std::fs::rename(project.path("reports/first"), project.path("reports/renamed")).unwrap();
    project.done("baseline set renamed").expect(0);
    #[cfg(unix)]
    std::os::unix::fs::symlink("renamed", project.path("reports/a-link")).unwrap();
    project.done("report second").expect(0);
    assert_eq!(project.read("reports/second/report.html").matches("{\"run\":\"renamed\"").count(), 1);
    assert!(!project.read("reports/second/report.html").contains("{\"run\":\"baseline\""));
    let csv = Csv::parse(&project.done("history --format csv --property contains").expect(0).stdout);
    assert_eq!(csv.cells(&["run", "property"]), ["renamed|all", "renamed|contains", "second|all", "second|contains"]);
    #[cfg(unix)]
    std::fs::remove_file(project.path("reports/a-link")).unwrap();
    // Where the run itself is gone, its copy stands for it.
    std::fs::rename(project.path("reports/renamed"), project.path("elsewhere")).unwrap();
    assert!(project.done("history").expect(0).stdout.contains("baseline"));
    std::fs::rename(project.path("elsewhere"), project.path("reports/first")).unwrap();
    std::fs::remove_dir_all(project.path("reports/baseline")).unwrap();
    project.done("report second").expect(0);
    // The page of the second knows the first.
    assert!(project.read("reports/second/report.html").contains("\"earlier\":[{\"run\":\"first\""));
    assert!(project.read("reports/first/report.html").contains("\"earlier\":[]"));
}

#[test]
fn a_run_is_judged_anew_by_todays_requirements() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。")]);
    project.done("run --out run").expect(0);
    let stricter = project
        .with("evalrun.toml", "[require]\ncontains = [\"派遣\"]\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n");
    stricter.done("rescore run --out again").expect(0);
    assert_eq!(stricter.csv("run/metrics.csv").column("contains"), ["pass"]);
    assert_eq!(stricter.csv("again/metrics.csv").column("contains"), ["fail"]);
}

#[test]
fn a_report_in_another_form_leaves_the_runs_files_alone() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。")]);
    project.done("run --out run").expect(0);
    for file in ["summary.md", "junit.xml", "metrics.csv"] {
        std::fs::write(project.path(&format!("run/{file}")), "kept").unwrap();
    }
    for format in ["tap", "json", "markdown", "csv", "junit", "code-quality", "xlsx"] {
        // A workbook is no text.
        project.call(&format!("report run --format {format}")).command.output().unwrap();
        assert_eq!(project.read("run/summary.md"), "kept", "{format}");
    }
    project.done("report run").expect(0).says(&["reports: run/"]);
    assert_ne!(project.read("run/summary.md"), "kept");
}

#[test]
fn reports_written_again_keep_their_language_and_what_they_were_compared_with() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。")]);
    project.done("run --out reports/old").expect(0);
    project.done("baseline set old").expect(0);
    let project = project.with("cases/a/answers/p/m.md", "何もありません。");
    project.done("run --out run --lang ja --baseline --no-bom").expect(0);
    let read = |name: &str| project.read(&format!("run/{name}"));
    let names = ["summary.md", "diff.md", "diff.html", "metrics.csv", "reports.json"];
    let before = names.map(read);
    assert!(before[0].contains("合格") && before[1].contains("比較元") && before[1].contains("何も"), "{before:?}");
    let shown = project.done("report run").expect(0);
    assert!(shown.stdout.contains("不合格 1"), "{}", shown.stdout);
    shown.says(&["レポート: run/"]);
    assert_eq!(names.map(read), before);
    // A flag wins, and is kept to from then on.
    project.done("report run --lang en").expect(0).says(&["reports: run/"]);
    assert!(read("diff.md").contains("base: ") && read("diff.md").contains("何も"), "{}", read("diff.md"));
    assert!(project.done("report run").expect(0).stdout.contains("1 failed"));
    std::fs::remove_dir_all(project.path("reports/baseline")).unwrap();
    project.done("report run").expect(0).says(&["compared with baseline, which is not there any more"]);
    project.done("run --out plain").expect(0);
    assert!(!project.path("plain/reports.json").exists());
}

#[test]
fn a_project_says_its_language_once() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "何もありません。")]);
    let config = project.read("evalrun.toml");
    let project = project.with("evalrun.toml", &format!("[run]\nlang = \"ja\"\n{config}"));
    let run = project.done("run --out run").expect(0);
    assert!(run.stdout.contains("不合格 1"), "{}", run.stdout);
    run.says(&["レポート: run/", "[gate]がないため"]);
    for (command, told) in [
        ("report run", "不合格 1"),
        ("show run a", "必要な語句がある(contains) 不合格"),
        ("compare run run", "同じもの同士を比べています"),
        ("history .", "合格率"),
    ] {
        let shown = project.done(command).expect(0).stdout;
        assert!(shown.contains(told), "{command}: {shown}");
    }
    assert!(project.done("report run --lang en").expect(0).stdout.contains("1 failed"));
    project
        .with("evalrun.toml", "[run]\nlang = \"jp\"\n")
        .done("check")
        .expect(2)
        .says(&["`lang` takes \"en\" or \"ja\", not `jp`", "evalrun.toml:2:8"]);
}

#[test]
fn a_length_is_one_number_wherever_it_stands() {
    let project = Project::recorded("length = { min_chars = 3 }", &[("a", "量子です。\n\n以上 です。\n")])
        .with("prompts/q.md", "{{ title }}を詳しく。\n")
        .with("cases/a/answers/q/m.md", "量子です。\n");
    project.done("run --out run").expect(0);
    assert_eq!(project.csv("run/metrics.csv").column("chars"), ["10", "5"]);
    let shown = project.done("show run a --prompt p").expect(0).stdout;
    assert!(shown.contains("passed · 10 characters") && shown.contains("length pass 10 characters"), "{shown}");
    for (file, told) in [("diff.md", "10 characters"), ("diff.html", "10 characters")] {
        assert!(project.read(&format!("run/{file}")).contains(told), "{file}");
    }
    let compared = project.done("compare run --format json").expect(0).json();
    assert_eq!(compared["measures"][0]["base_mean"], 10.0);
}

#[test]
fn a_length_is_said_once() {
    let project = Project::recorded("length = true", &[("a", "短い。")]);
    project.done("run --out run").expect(0);
    let shown = project.done("show run a").expect(0).stdout;
    assert!(shown.contains("✗ length fail 3 characters, at least 200 are required"), "{shown}");
}

#[test]
fn a_run_warns_of_names_that_are_nearly_known() {
    let project = Project::recorded("", &[("a", "量子")])
        .with("prompts/plain.md", "{{ title }}{% if boddy %}{{ boddy }}{% endif %}\n")
        .with("cases/a/answers/plian/m.md", "量子")
        .with("cases/a/answers/plain/m.md", "量子")
        .with("cases/a/answers/zzz/m.md", "量子");
    let done = project.done("run --out run").expect(0);
    done.says(&[
        "warning: prompts/plain.md: no case defines `boddy`; did you mean `body`?",
        "warning: cases/a/answers/plian: there is no prompt `plian`; did you mean `plain`?",
    ]);
    assert!(!done.stderr.contains("zzz"), "{}", done.stderr);
    project.done("check").expect(0).says(&["there is no prompt `zzz`", "did you mean `plain`?"]);
}
