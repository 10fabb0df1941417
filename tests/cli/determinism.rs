//! The same answers give the same bytes: this repository's own project, run twice.

use std::fs;
use std::path::Path;

use crate::support::call::{Call, Done};
use crate::support::csv::Csv;
use crate::support::project::Project;

/// The columns that may differ from run to run.
const VOLATILE: [&str; 4] = ["attempts", "cached", "latency_ms", "run"];

/// Runs this repository's project into a folder of its own.
fn run_own_project(folder: &Path, flags: &str) -> Done {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("evalrun.toml");
    Call::new(folder, &format!("run {flags} --config")).arg(config).done().expect(0)
}

#[test]
fn two_runs_of_the_repositorys_project_give_the_same_files() {
    let folder = Project::empty();
    let first = run_own_project(folder.root(), "--out one --concurrency 1");
    let second = run_own_project(folder.root(), "--out two --concurrency 64");
    assert_eq!(first.stdout, second.stdout);
    let names = folder.names("one");
    assert_eq!(names, folder.names("two"));
    for expected in
        "report.html metrics.csv scores.csv summary.csv summary.md diff.md diff.html junit.xml run.jsonl".split(' ')
    {
        assert!(names.iter().any(|name| name == expected), "no {expected} in {names:?}");
    }
    for name in names.iter().filter(|name| !["metrics.csv", "report.html", "run.jsonl"].contains(&name.as_str())) {
        let bytes = ["one", "two"].map(|run| fs::read(folder.path(run).join(name)).unwrap());
        assert!(bytes[0] == bytes[1], "{name} differs");
    }
    assert!(folder.page("one/report.html") == folder.page("two/report.html"), "report.html differs");
    let [one, two]: [Csv; 2] = ["one", "two"].map(|run| folder.csv(&format!("{run}/metrics.csv")));
    assert_eq!(one.columns, two.columns);
    assert_eq!(one.columns[one.columns.len() - VOLATILE.len()..], VOLATILE);
    assert_eq!(one.without(&VOLATILE), two.without(&VOLATILE));
    assert!(one.rows.len() >= 72);
}

#[test]
fn reports_written_again_are_the_same() {
    let folder = Project::empty();
    run_own_project(folder.root(), "--out one");
    let read = || folder.names("one").iter().map(|name| fs::read(folder.path("one").join(name)).unwrap()).collect();
    let before: Vec<Vec<u8>> = read();
    folder.done("report one").expect(0);
    assert!(before == read());
}

#[test]
fn every_property_passes_somewhere_and_fails_somewhere_in_the_repositorys_project() {
    let folder = Project::empty();
    run_own_project(folder.root(), "--out one");
    let metrics = folder.csv("one/metrics.csv");
    let properties = &metrics.columns[5..metrics.columns.iter().position(|column| column == "fabricated").unwrap()];
    assert_eq!(properties.len(), 15);
    for property in properties {
        let verdicts = metrics.column(property);
        assert!(verdicts.contains(&"pass") && verdicts.contains(&"fail"), "{property}: {verdicts:?}");
    }
}

#[test]
fn the_order_of_rows_is_the_plans_whatever_answers_first() {
    let project = Project::recorded("", &[("b", "二"), ("a", "一"), ("C", "三")]);
    project.done("run --out run --repeats 1").expect(0);
    assert_eq!(project.csv("run/metrics.csv").column("case"), ["a", "b", "C"]);
}
