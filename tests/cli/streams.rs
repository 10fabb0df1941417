//! Results on standard output, everything else on standard error; help; colour; readers that go away.

use std::process::Stdio;

use crate::support::call::Done;
use crate::support::project::Project;

const COMMANDS: [&str; 9] = ["run", "list", "check", "score", "rescore", "report", "show", "calibrate", "mock"];

#[test]
fn every_command_explains_itself() {
    let folder = Project::empty();
    let root = folder.done("--help").expect(0);
    for command in COMMANDS {
        assert!(root.stdout.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {}", root.stdout);
        let long = folder.done(&format!("{command} --help")).expect(0);
        let short = folder.done(&format!("{command} -h")).expect(0);
        assert_eq!((long.stderr.as_str(), short.stderr.as_str()), ("", ""));
        assert!(long.stdout.contains(&format!("Usage: evalrun {command}")) && long.stdout.len() > short.stdout.len());
        let widest = long.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(130), "{command}: {widest:?}");
    }
    assert!(root.stdout.contains("Exit codes:"));
    assert_eq!(folder.done("--version").expect(0).stdout, format!("evalrun {}\n", env!("CARGO_PKG_VERSION")));
    folder.done("").expect(2);
}

#[test]
fn results_go_to_standard_output_and_everything_else_to_standard_error() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。"), ("b", "何もない。")]);
    let done = project.done("run --out run").expect(0);
    assert!(done.stdout.starts_with("2 trials: 1 passed, 1 failed\n"), "{}", done.stdout);
    done.says(&[
        "no [gate] in evalrun.toml: verdicts do not affect the exit code",
        "reports: run/ (report.html, metrics.csv",
    ]);
    assert!(!done.stdout.contains("reports:") && !done.stderr.contains("Worst failures"));
    for command in ["run --out other --quiet", "report run -q", "show run a -q", "list -q", "check -q"] {
        let done = project.done(command).expect(0);
        assert_eq!(done.stderr, "", "{command}");
        assert!(!done.stdout.is_empty(), "{command}");
    }
}

#[test]
fn a_run_is_printed_as_json_where_asked() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。"), ("b", "何もない。")]);
    let printed = project.done("run --out run --format json").expect(0).json();
    let again = project.done("report run --format json").expect(0).json();
    assert_eq!(printed, again);
    assert!(printed.to_string().contains("\"failed\""), "{printed}");
}

#[test]
fn what_is_no_terminal_gets_no_colour() {
    let project = Project::recorded("japanese_only = true", &[("a", "Hello everyone, it is me.")]);
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm-256color")] {
        for command in ["run --out run", "show run a", "report run", "run --model zzz", "--help", "list", "check"] {
            let done = project.call(command).env(name, value).env("LANG", "C").done();
            assert!(!done.stdout.contains('\x1b') && !done.stderr.contains('\x1b'), "{name} {command}");
        }
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
    project.done("run --out run").expect(0);
    let item = "{\"id\": 1, \"output\": \"量子です。\"}\n";
    for command in [
        "run --out other",
        "run --out another --format json",
        "report run",
        "report run --format csv",
        "show run a",
        "list",
        "check",
        "score --items items.jsonl",
        "--help",
        "--version",
    ] {
        std::fs::write(project.path("items.jsonl"), item.repeat(50)).unwrap();
        is_done_without_a_reader(&project, command);
    }
}

#[test]
fn a_reader_that_leaves_a_long_text_is_no_failure_in_any_format() {
    // More than the buffers on the way hold: who writes learns of it in the middle.
    let ids: Vec<String> = (0..60).map(|n| format!("a-case-{n}-{}", "with-a-long-name".repeat(6))).collect();
    let answers: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "Hello everyone.")).collect();
    let project = Project::recorded(
        "japanese_only = true\nlength = true\nreadability = true\nregister = true\nrefusal = true",
        &answers,
    );
    project.done("run --out reports/r0").expect(0);
    for n in 1..12 {
        std::fs::create_dir(project.path(&format!("reports/r{n}"))).unwrap();
        std::fs::copy(project.path("reports/r0/run.jsonl"), project.path(&format!("reports/r{n}/run.jsonl"))).unwrap();
    }
    let labelled = |id: &String| {
        format!("{{\"id\": \"{id}\", \"output\": \"Hello\", \"labels\": {{\"japanese_only\": {{\"pass\": true}}}}}}\n")
    };
    std::fs::write(project.path("items.jsonl"), ids.iter().map(labelled).collect::<String>()).unwrap();
    let formats = |command: &str, formats: &[&str]| -> Vec<String> {
        formats.iter().map(|format| format!("{command} --format {format}")).collect()
    };
    let commands = [
        formats(
            "report reports/r0",
            &["text", "json", "markdown", "html", "csv", "xlsx", "junit", "tap", "code-quality"],
        ),
        formats("history", &["text", "json", "csv"]),
        formats("compare reports/r0 reports/r1", &["text", "json", "markdown", "html"]),
        formats("calibrate --show --items items.jsonl", &["text", "json", "csv"]),
        formats("score --items items.jsonl", &["json"]),
        formats("list", &["text", "json"]),
    ];
    for command in commands.iter().flatten() {
        is_done_without_a_reader(&project, command);
    }
}

/// Calls the program while nobody reads its standard output.
#[track_caller]
fn is_done_without_a_reader(project: &Project, command: &str) {
    let mut call = project.call(command).command;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = call.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let done = Done::from(output);
    assert_eq!(done.code, 0, "{command}: {}", done.stderr);
    assert!(!done.stderr.contains("panicked") && !done.stderr.contains("error:"), "{command}: {}", done.stderr);
}

#[test]
fn nobody_on_standard_error_is_no_failure_either() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
    let mut call = project.call("run --out run -v").command;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = call.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(writer).output().unwrap();
    Done::from(output).expect(0);
    assert_eq!(project.csv("run/metrics.csv").column("status"), ["passed"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_unexpected() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = project.call("list").command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    Done::from(output).expect(1).says(&["error: standard output:"]);
}

#[test]
fn reports_speak_japanese_where_asked() {
    let project = Project::recorded("japanese_only = true", &[("a", "Hello everyone, it is me.")]);
    let done = project.done("run --out run --lang ja").expect(0);
    assert!(done.stdout.contains("不合格"), "{}", done.stdout);
    assert!(project.read("run/summary.md").contains("不合格"));
    assert_eq!(project.csv("run/metrics.csv").column("status"), ["failed"]);
}
