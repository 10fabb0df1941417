//! `evalrun init`, a project to begin with; `evalrun generate`, what a package brings along.

use crate::support::project::Project;

#[test]
fn a_new_project_runs_at_once_and_shows_what_is_wrong_with_its_answer() {
    let folder = Project::empty();
    let done = folder.done("init").expect(0);
    let files: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(
        files,
        [
            "evalrun.toml",
            "prompts/news-article.md",
            "cases/aquarium-night-opening/case.toml",
            "cases/aquarium-night-opening/answers/news-article/sample.md",
            ".gitignore",
        ]
    );
    done.says(&["evalrun run ", "evalrun show latest aquarium-night-opening ", "evalrun check "]);
    assert!(!done.stderr.contains("  cd "));
    let checked = folder.done("check").expect(0);
    assert!(checked.stdout.contains("no mistakes, 0 warnings"), "{}", checked.stdout);
    let run = folder.done("run --out reports/first").expect(0);
    assert!(run.stdout.contains("1 trial: 1 failed"), "{}", run.stdout);
    let row = &folder.csv("reports/first/metrics.csv");
    let verdicts =
        ["japanese_only", "article_only", "covers_purpose", "covers_activities", "covers_significance", "length"];
    for property in verdicts {
        assert_eq!(row.column(property), ["pass"], "{property}");
    }
    // The invented number is what there is to see.
    assert_eq!((row.column("no_fabrication"), row.column("fabricated")), (vec!["fail"], vec!["1"]));
    let shown = folder.done("show latest aquarium-night-opening").expect(0);
    assert!(shown.stdout.contains("「約3,200人」 number · fabricated"), "{}", shown.stdout);
}

#[test]
fn a_new_folder_is_made_and_entered() {
    let folder = Project::empty();
    let done = folder.done("init desk/news").expect(0);
    assert!(done.stdout.starts_with("desk/news/evalrun.toml\n"), "{}", done.stdout);
    done.says(&["  cd desk/news\n"]);
    folder.done("run --config desk/news").expect(0);
}

#[test]
fn what_is_there_is_never_overwritten() {
    let folder = Project::empty();
    folder.done("init").expect(0);
    let folder = folder.with("evalrun.toml", "mine");
    folder.done("init").expect(2).says(&["there is already a file evalrun.toml", "nothing was written"]);
    assert_eq!(folder.read("evalrun.toml"), "mine");

    let folder = Project::empty().with("prompts/news-article.md", "mine");
    folder.done("init").expect(2).says(&["prompts/news-article.md"]);
    assert_eq!(
        (folder.read("prompts/news-article.md").as_str(), folder.names("")),
        ("mine", vec!["prompts".to_owned()])
    );

    let folder = Project::empty().with(".gitignore", "mine").with("file", "");
    folder.done("init").expect(0).says(&[".gitignore stays as it is", "/reports/*"]);
    assert_eq!(folder.read(".gitignore"), "mine");
    folder.done("init file").expect(2).says(&["file is no folder"]);
}

#[test]
fn a_folder_without_a_project_says_how_to_begin() {
    Project::empty().done("run").expect(2).says(&["`evalrun init`"]);
}

#[test]
fn every_command_has_a_man_page() {
    let folder = Project::empty();
    let page = folder.done("generate man").expect(0).stdout;
    assert!(page.contains(".TH evalrun 1") && page.contains("Exit codes"), "{page}");
    folder.done("generate man man1").expect(0);
    let pages = folder.names("man1");
    for page in ["evalrun.1", "evalrun-run.1", "evalrun-score.1", "evalrun-cache-prune.1"] {
        assert!(pages.iter().any(|found| found == page), "{page}: {pages:?}");
    }
}

#[test]
fn every_shell_has_completions() {
    let folder = Project::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.done(&format!("generate completions {shell}")).expect(0).stdout;
        assert!(script.contains("calibrate") && script.contains("max-cost"), "{shell}");
    }
    folder.done("generate completions csh").expect(2).says(&["csh"]);
}

#[test]
fn editors_have_schemas() {
    let folder = Project::empty();
    let project = folder.done("generate schema project").expect(0).json();
    assert!(project["properties"]["model"].is_object(), "{project}");
    let case = folder.done("generate schema case").expect(0).json();
    assert_eq!(case["required"], serde_json::json!(["source"]));
    folder.done("generate schema prompt").expect(2).says(&["project", "case"]);
}
