//! Runs of parts of a plan make one run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use wiremock::{Request, ResponseTemplate};

use crate::support::call::{Call, Done};
use crate::support::project::Project;
use crate::support::server::{Server, answer};

/// Calls evalrun for this repository's project, from a folder of its own.
fn own_project(folder: &Path, arguments: &str) -> Done {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("evalrun.toml");
    Call::new(folder, &format!("{arguments} --config")).arg(config).done()
}

#[test]
fn the_shards_of_a_plan_make_the_run_that_the_whole_would_have_been() {
    let folder = Project::empty();
    let whole = own_project(folder.root(), "run --out whole").expect(0);
    for shard in 1..=5 {
        own_project(folder.root(), &format!("run --shard {shard}/5 --out parts/{shard}")).expect(0);
    }
    let merged = own_project(folder.root(), "merge parts/4 parts/1 parts/2 parts/5 parts/3 --out merged").expect(0);
    assert_eq!(merged.stdout, whole.stdout);
    let names = folder.names("whole");
    assert_eq!(names, folder.names("merged"));
    // The plan of the whole is one, that of what was put together another one.
    let without_plan = |run: &str, text: String| {
        let header: serde_json::Value =
            serde_json::from_str(folder.read(&format!("{run}/run.jsonl")).lines().next().unwrap()).unwrap();
        let digest = header["plan_digest"].as_str().unwrap();
        text.replace(digest, "").replace(&digest[..12], "")
    };
    for name in names.iter().filter(|name| !["metrics.csv", "report.html", "run.jsonl"].contains(&name.as_str())) {
        let texts = ["whole", "merged"].map(|run| without_plan(run, folder.read(&format!("{run}/{name}"))));
        assert!(texts[0] == texts[1], "{name} differs");
    }
    let pages = ["whole", "merged"].map(|run| without_plan(run, folder.page(&format!("{run}/report.html"))));
    assert!(pages[0] == pages[1], "report.html differs");
    let [whole, merged] = ["whole", "merged"].map(|run| folder.csv(&format!("{run}/metrics.csv")));
    assert_eq!(whole.without(&["latency_ms", "run"]), merged.without(&["latency_ms", "run"]));
}

#[test]
fn a_merged_run_says_what_it_is_made_of_and_another_merge_makes_another_run() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。"), ("b", "何もない。")]);
    project.done("run --case a --out reports/one").expect(0);
    project.done("run --case b --out reports/two").expect(0);
    let merged = project.done("merge one two --format json --out reports/whole").expect(0);
    assert_eq!(merged.json()["run"]["merged_from"], serde_json::json!(["one", "two"]));
    assert_eq!(project.csv("reports/whole/metrics.csv").column("status"), ["passed", "failed"]);
    project.done("merge one two --out reports/whole").expect(0).says(&["the finished run there is kept as"]);
    project.done("gate reports/whole").expect(0);
    assert_eq!(project.csv("reports/one/metrics.csv").column("case"), ["a"]);
}

#[test]
fn what_a_second_run_got_right_replaces_what_errored_in_the_first() {
    let is_well = Arc::new(AtomicBool::new(false));
    let server = Server::start({
        let is_well = Arc::clone(&is_well);
        move |request: &Request| {
            let asked: serde_json::Value = request.body_json().unwrap();
            let is_first = asked.to_string().contains("aの量子");
            let answers = is_first || is_well.load(Ordering::Relaxed);
            if answers { answer("openai", "量子の記事です。") } else { ResponseTemplate::new(400) }
        }
    });
    let project = Project::new(&server.model("m", "openai", ""), &["a", "b"]);
    let run = |arguments: &str| project.call(arguments).env("MARKER_KEY", "key").done();
    run("run --out first").expect(3);
    is_well.store(true, Ordering::Relaxed);
    run("run --failed-of first --out second").expect(0);
    for (n, parts) in ["first second", "second first"].into_iter().enumerate() {
        run(&format!("merge {parts} --out whole-{n}")).expect(0);
        assert_eq!(project.csv(&format!("whole-{n}/metrics.csv")).column("status"), ["passed", "passed"]);
    }
    run("merge first first --out same").expect(2).says(&["both have an answer to a · p@m", "evalrun compare"]);
    assert!(!project.path("same").exists());
}

#[test]
fn parts_of_different_wholes_are_refused() {
    let [base, other_case, other_requirement, other_prompt] = [
        ("contains = [\"量子\"]", "aの量子", "書く"),
        ("contains = [\"量子\"]", "別の見出し", "書く"),
        ("contains = [\"派遣\"]", "aの量子", "書く"),
        ("contains = [\"量子\"]", "aの量子", "記す"),
    ]
    .map(|(require, title, verb)| {
        let project = Project::recorded(require, &[("a", "量子です。")])
            .with("prompts/p.md", &format!("{{{{ title }}}}について{verb}。"))
            .with(
                "cases/a/case.toml",
                &format!(
                    "[source]\npublished_at = \"2025-06-30T07:00:00+09:00\"\npublisher = \"x\"\ntitle = \"{title}\"\n"
                ),
            );
        project.done("run --out run").expect(0);
        project
    });
    for (other, said) in [
        (&other_case, "case a is not the same in run and run: its source"),
        (&other_requirement, "case a is not the same in run and run: what it requires"),
        (&other_prompt, "prompt p is not the same in run and run: its text"),
    ] {
        let run = other.path("run");
        let done = base.call("merge run --out whole").arg(run).done().expect(2);
        done.says(&[said, "runs of one state of a project"]);
        assert!(!base.path("whole").exists());
    }
    base.done("merge").expect(2);
    base.done("merge run nothing").expect(2).says(&["there is no run nothing"]);
}
