//! Every mistake is told with its place, its line and a hint, before anything is sent: exit code 2.

use crate::support::project::{Project, case};
use crate::support::server::Server;

/// The text in the encoding of Japanese Windows.
fn cp932(text: &str) -> Vec<u8> {
    encoding_rs::SHIFT_JIS.encode(text).0.into_owned()
}

/// A mistake in one file: its path, the file with the mistake, what standard error says of it.
type Mistake = (&'static str, Vec<u8>, &'static [&'static str]);

const JSON_SOURCE: &str = r#""source": {"published_at": "2025-06-30T07:00:00+09:00", "publisher": "P", "title": "T"}"#;
const CSV_HEADER: &str = "id,source.published_at,source.publisher,source.title";
const CSV_ROW: &str = "c,2025-06-30T07:00:00+09:00,P,量子";

fn mistakes_in_cases() -> Vec<Mistake> {
    let toml = |text: &str| text.as_bytes().to_vec();
    let bad_date = case("b").replace("2025-06-30T07:00:00+09:00", "2025-06-31T07:00:00+09:00");
    let no_offset = case("b").replace("+09:00", "");
    let two_lines = format!("{{\"id\": \"c\", {JSON_SOURCE}}}\n{{\"id\": \"d\", \"tgas\": [], {JSON_SOURCE}}}\n");
    let bad_csv_key = format!("{CSV_HEADER},require.lenght\n{CSV_ROW},1\n");
    let bad_csv_date = format!("{CSV_HEADER}\nc,2025年6月30日,P,量子\n");
    vec![
        (
            "cases/b/case.toml",
            toml(&case("b").replace("title", "titel")),
            &["cases/b/case.toml:4:1", "titel = \"bの量子ミッション\"", "unknown key `titel`", "did you mean `title`?"],
        ),
        (
            "cases/b/case.toml",
            toml(&(case("b") + "[require]\nno_fabrication = { hedgd = \"pass\" }\n")),
            &["cases/b/case.toml:6:20", "unknown key `hedgd`", "did you mean `hedged`?"],
        ),
        ("cases/b/case.toml", toml("[source\n"), &["cases/b/case.toml:1:", "[source"]),
        (
            "cases/b/case.toml",
            toml(&bad_date),
            &["cases/b/case.toml:2:16", "2025-06-31T07:00:00+09:00", "is no date and time"],
        ),
        (
            "cases/b/case.toml",
            toml(&no_offset),
            &["cases/b/case.toml:2:16", "add the offset from UTC; Japan's is +09:00"],
        ),
        (
            "cases/b/case.toml",
            b"[source]\npublisher = \"P\xFF\"\n".to_vec(),
            &["cases/b/case.toml:2:15", "is not UTF-8: byte 0xFF", "publisher = \"P", "save it as UTF-8"],
        ),
        ("cases/c.jsonl", toml(&two_lines), &["cases/c.jsonl:2:13", "unknown key `tgas`", "did you mean `tags`?"]),
        ("cases/c.jsonl", toml("{\"id\": \"c\",}\n"), &["cases/c.jsonl:1:12", "{\"id\": \"c\",}"]),
        ("cases/c.jsonl", toml("{\"id\": \"c\"}\n"), &["cases/c.jsonl:1:1", "source"]),
        ("cases/c.csv", toml(&bad_csv_key), &["cases/c.csv:1:54", "unknown key `lenght`", "did you mean `length`?"]),
        ("cases/c.csv", toml(&bad_csv_date), &["cases/c.csv:2:3", "c,2025年6月30日,P,量子", "is no date and time"]),
        (
            "cases/c.csv",
            encoding_rs::EUC_JP.encode(&format!("{CSV_HEADER}\n{CSV_ROW}\n")).0.into_owned(),
            &["cases/c.csv:2:31", "not UTF-8", "c,2025-06-30T07:00:00+09:00,P,", "save it as UTF-8"],
        ),
        ("cases/c.csv", toml(&format!("{CSV_HEADER}\nc,P\n")), &["cases/c.csv:2:1", "2 cells, the header has 4"]),
        (
            "cases/c.jsonl",
            toml(&format!("{{\"id\": \"A\", {JSON_SOURCE}}}\n")),
            &["cases/c.jsonl:1:8", "the case id `A` is also used in cases/a/case.toml", "without regard to case"],
        ),
        (
            "cases/c.jsonl",
            toml(&format!("{{\"id\": \"{}\", {JSON_SOURCE}}}\n", "c".repeat(129))),
            &["cases/c.jsonl:1:8", "it has 129 characters, and 128 are the most"],
        ),
        (
            "cases/b c/case.toml",
            toml(&case("b")),
            &["cases/b c/case.toml", "`b c` is no valid id", "rename the folder"],
        ),
    ]
}

fn mistakes_in_prompts() -> Vec<Mistake> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "prompts/p.md",
            text("一行目\n『{{ titel }}』\n"),
            &["prompts/p.md:2:5", "『{{ titel }}』", "`titel` is undefined for the case `a`", "did you mean `title`?"],
        ),
        ("prompts/p.md", text("{{ title\n"), &["prompts/p.md:1:", "syntax error"]),
        ("prompts/p.md", text("+++\nsytem = \"s\"\n+++\n"), &["prompts/p.md:2:1", "did you mean `system`?"]),
        ("prompts/p.md", cp932("{{ title }}について\n"), &["prompts/p.md:1:12", "CP932 (Shift_JIS)"]),
        ("prompts/p.md", text(" \n"), &["prompts/p.md", "the prompt is empty"]),
        ("prompts/p.md", text("+++\nsystem = \"s\"\n+++\n\n"), &["prompts/p.md", "the prompt is empty"]),
        ("prompts/P.md", text("{{ title }}\n"), &["prompts/p.md", "`p`", "without regard to case"]),
    ]
}

#[test]
fn a_mistake_in_a_file_is_told_with_its_place_and_nothing_is_sent() {
    let server = Server::answering("記事です。");
    for (path, bytes, expected) in mistakes_in_cases().into_iter().chain(mistakes_in_prompts()) {
        let project = Project::new(&server.model("m", "gemini", ""), &["a"]).with_bytes(path, &bytes);
        for command in ["run --out run", "check", "list"] {
            let done = project.call(command).env("MARKER_KEY", "key-of-all").done().expect(2);
            done.says(expected);
            done.says(&["nothing was sent"]);
            assert_eq!(done.stdout, "");
        }
        assert!(!project.path("run").exists() && !project.path("reports").exists());
    }
    assert_eq!(server.requests().len(), 0);
}

/// What stands where a file is expected, and what standard error says of it.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_told_instead_of_skipped() {
    let no_file = "this is no regular file";
    for (path, command, expected) in [
        ("cases/z.jsonl", "ln -s nowhere", "this is a link to nowhere, which is not there"),
        ("cases/z", "ln -s /nowhere", "this is a link to /nowhere, which is not there"),
        ("cases/z.jsonl", "mkfifo", no_file),
        ("cases/z.csv", "mkfifo", no_file),
        ("cases/z.xlsx", "ln -s /dev/null", no_file),
        ("cases/b/case.toml", "mkfifo", no_file),
        ("cases/b/case.toml", "ln -s nowhere", "this is a link to nowhere, which is not there"),
        ("cases/b/case.toml", "mkdir", "a folder stands where a file is expected"),
        ("prompts/z.md", "ln -s nowhere", "this is a link to nowhere, which is not there"),
        ("prompts/z.md", "mkfifo", no_file),
        ("prompts/z.md", "mkdir", "a folder stands where a file is expected"),
    ] {
        let project = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
        std::fs::create_dir(project.path("cases/b")).unwrap();
        let mut words = command.split(' ');
        let mut make = std::process::Command::new(words.next().unwrap());
        assert!(make.args(words).arg(project.path(path)).status().unwrap().success());
        for command in ["check", "run --out run"] {
            project.done(command).expect(2).says(&[path, expected, "1 mistake"]);
        }
    }
}

/// Who may read everywhere (root) has nothing to see here.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_a_mistake_of_the_project() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。"), ("b", "量子です。")])
        .with("cases/c.jsonl", "")
        .with("cases/d.csv", "id,source.title\n");
    for path in ["cases/b", "cases/b/case.toml", "cases/c.jsonl", "cases/d.csv", "prompts/p.md", "evalrun.toml"] {
        let allow = |mode| {
            std::fs::set_permissions(project.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        allow(0o000);
        let is_barred = std::fs::File::open(project.path(path)).is_err();
        let done = project.done("check");
        allow(0o755);
        if is_barred {
            done.expect(2).says(&[path, "this cannot be read: Permission denied"]);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_evalrun_toml_that_is_no_file_is_told_instead_of_passed_over() {
    let outer = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
    for command in ["ln -s nowhere", "mkfifo", "mkdir"] {
        let inner = outer.path(&format!("inner-{}", command.len()));
        std::fs::create_dir(&inner).unwrap();
        let mut words = command.split(' ');
        let mut make = std::process::Command::new(words.next().unwrap());
        assert!(make.args(words).arg(inner.join("evalrun.toml")).status().unwrap().success());
        crate::support::call::Call::new(&inner, "check").done().expect(2).says(&["evalrun.toml is no file"]);
    }
}

#[test]
fn endings_in_capitals_are_read_like_others() {
    let line = format!("{{\"id\": \"b\", {JSON_SOURCE}}}\n");
    let csv = "id,source.published_at,source.publisher,source.title\nc,2025-06-30T07:00:00+09:00,p,t\n";
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。")])
        .with("cases/B.JSONL", &line)
        .with("cases/C.CSV", csv)
        .with("prompts/Q.MD", "{{ title }}\n");
    let checked = project.done("check").expect(0).stdout;
    assert!(checked.starts_with("checked 3 cases, 2 prompts and 1 model"), "{checked}");
    project.done("import cases/C.CSV").expect(0);
}

#[test]
fn an_id_of_a_hundred_characters_and_more_makes_files_that_every_system_takes() {
    let id = "c".repeat(128);
    let project = Project::recorded("japanese_only = true", &[(&id, "量子です。")]);
    project.done("check").expect(0);
    project.done("run --out run").expect(0);
}

#[cfg(unix)]
#[test]
fn a_run_that_can_have_no_folder_is_a_mistake_of_the_call() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
    for out in ["/dev/null", "/dev/null/run", "evalrun.toml/run", &"n".repeat(300)] {
        let done = project.done(&format!("run --out {out}")).expect(2);
        done.says(&["no run can be kept in", "choose another folder by --out"]);
    }
}

#[test]
fn a_file_in_place_of_a_folder_is_told() {
    for folder in ["cases", "prompts"] {
        let project = Project::new("", &["a"]);
        std::fs::remove_dir_all(project.path(folder)).unwrap();
        let project = project.with(folder, "");
        project.done("check").expect(2).says(&[&format!("{folder} cannot be read as a folder")]);
    }
}

/// Mistakes in evalrun.toml below one good model, and what standard error says of them.
const MISTAKES_IN_CONFIG: &[(&str, &[&str])] = &[
    ("[runs]\n", &["evalrun.toml:7:2", "unknown key `runs`", "did you mean `run`?"]),
    ("[run]\nmodls = []\n", &["evalrun.toml:8:1", "modls = []", "did you mean `models`?"]),
    ("[run]\nmodels = [\"n\"]\n", &["evalrun.toml:8:11", "there is no model `n`"]),
    ("[run]\nprompts = [\"pp\"]\n", &["evalrun.toml:8:12", "there is no prompt `pp`"]),
    ("[run]\nrepeats = 0\n", &["evalrun.toml:8:11", "at least 1"]),
    ("[require]\njapanese_onyl = true\n", &["evalrun.toml:8:1", "did you mean `japanese_only`?"]),
    ("[require]\nmatches = [\"(\"]\n", &["evalrun.toml:8:12", "matches = [\"(\"]"]),
    ("[gate]\nmin_raet = 1\n", &["evalrun.toml:"]),
    ("[[model]]\nid = \"M\"\nprovider = \"gemini\"\n", &["evalrun.toml:8:1", "the model id `M` is used twice"]),
    ("[[model]]\nid = \"n\"\nprovider = \"gemni\"\n", &["evalrun.toml:9:12", "did you mean `gemini`?"]),
    (
        "[[model]]\nid = \"n\"\nprovider = \"gemini\"\nparams = { temprature = 1 }\n",
        &["evalrun.toml:10:12", "did you mean `temperature`?"],
    ),
    (
        "[[model]]\nid = \"n\"\nprovider = \"anthropic\"\nparams = { seed = 1 }\n",
        &["evalrun.toml:10:12", "`seed` cannot be sent to `n`", "leave it out"],
    ),
    (
        "[[model]]\nid = \"n\"\nprovider = \"openai\"\nheaders = { Authorization = \"Bearer x\" }\n",
        &["evalrun.toml:10:13", "a key must not stand in a file", "api_key_env"],
    ),
    ("[run\n", &["evalrun.toml:7:"]),
];

#[test]
fn a_mistake_in_the_config_is_told_with_its_place_and_nothing_is_sent() {
    let server = Server::answering("記事です。");
    for (text, expected) in MISTAKES_IN_CONFIG {
        let project = Project::new(&(server.model("m", "gemini", "") + text), &["a"]);
        let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(2);
        done.says(expected);
        done.says(&["nothing was sent"]);
        assert!(!project.path("run").exists(), "{text}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let project = Project::new("[rn]\n", &["a"]).with("cases/b/case.toml", "x = 1\n").with("prompts/p.md", "{{\n");
    let done = project.done("run").expect(2);
    done.says(&["evalrun.toml:1:2", "cases/b/case.toml:1:1", "prompts/p.md:1:"]);
}

/// Calls with one mistake, and what standard error says of it.
const MISTAKES_IN_CALLS: &[(&str, &[&str])] = &[
    ("run --model m1", &["--model m1 selects nothing", "hint: did you mean `m`?"]),
    ("run --model zzz", &["--model zzz selects nothing", "hint: models: m"]),
    ("run --case zzz-*", &["--case zzz-* selects nothing", "hint: cases: a"]),
    ("run --prompt zzz", &["--prompt zzz selects nothing", "hint: prompts: p"]),
    ("run --tag zzz", &["--tag zzz selects nothing", "there are no tags"]),
    ("run --failed-of zzz", &["there is no run zzz"]),
    ("run --baseline zzz", &["there is no run zzz"]),
    ("run --diff p..q", &["the prompt `q` takes no part in this run"]),
    ("run --diff p", &["expected two prompts"]),
    ("run --shard 2/2", &["--shard 2/2 selects nothing"]),
    ("run --shard 3/2", &["expected K/N"]),
    ("run --repeats 0", &["--repeats"]),
    ("run --modle m", &["--modle", "--model"]),
    ("run --config nowhere/evalrun.toml", &["there is no file nowhere/evalrun.toml"]),
    ("run surplus", &["surplus"]),
    ("runn", &["runn", "run"]),
    ("show latest a", &["there is no run yet"]),
    ("report nowhere", &["there is no run nowhere"]),
    ("score", &["--items"]),
    ("score nowhere.txt", &["there is no file"]),
    ("score --items nowhere.jsonl", &["there is no file"]),
    ("score --items - --title T", &["--title"]),
    ("import nowhere.csv", &["there is no file nowhere.csv"]),
    ("import folder.csv", &["folder.csv is a folder"]),
    ("mock --answer @nowhere.txt", &["--answer: ", "nowhere.txt: ", "hint: @ names a file"]),
    ("mock --port 0 --log nowhere/log.jsonl", &["--log: ", "nowhere/log.jsonl: "]),
    ("score evalrun.toml --published-at yesterday", &["--published-at", "2025-06-30T07:00:00+09:00"]),
];

#[test]
fn a_mistake_in_a_call_is_told_and_nothing_is_sent() {
    let server = Server::answering("記事です。");
    let project = Project::new(&server.model("m", "gemini", ""), &["a"]);
    std::fs::create_dir(project.path("folder.csv")).unwrap();
    for (call, expected) in MISTAKES_IN_CALLS {
        let done = project.call(call).env("MARKER_KEY", "key-of-all").done();
        assert_eq!(done.code, 2, "{call}: {}", done.stderr);
        done.says(expected);
        assert_eq!(done.stdout, "", "{call}");
        assert!(!project.path("reports").exists(), "{call}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_filter_and_another_that_no_case_passes_together_select_nothing() {
    let project = Project::new("[[model]]\nid = \"m\"\nprovider = \"recorded\"\n", &["a"])
        .with("cases/b/case.toml", &format!("tags = [\"t\"]\n{}", case("b")));
    project.done("run --case a --tag t").expect(2).says(&["no case has it all: --case a --tag t"]);
}

#[test]
fn a_project_that_lacks_a_part_is_a_mistake() {
    let good = || Project::new("[[model]]\nid = \"m\"\nprovider = \"recorded\"\n", &["a"]);
    let empty = Project::empty();
    for command in ["run", "list", "check"] {
        empty.done(command).expect(2).says(&["there is no evalrun.toml in", "hint: change to a project's folder"]);
    }
    for (lacking, expected) in [("prompts", "there are no prompts"), ("cases", "there are no cases")] {
        let project = good();
        std::fs::remove_dir_all(project.path(lacking)).unwrap();
        project.done("run").expect(2).says(&[lacking, expected, "write one, such as"]);
    }
    good().with("evalrun.toml", "").done("run").expect(2).says(&["there is no [[model]] in evalrun.toml"]);
}

#[test]
fn a_mistake_in_a_recorded_answer_is_found_before_the_run() {
    for (path, bytes, expected) in [
        (
            "cases/a/answers/p/m.json",
            &b"{\"finish_raeson\": \"stop\"}"[..],
            &["m.json:1:2", "did you mean `finish_reason`?"][..],
        ),
        ("cases/a/answers/p/m.md", &b"\xFF\xFF\xFF"[..], &["m.md:1:1", "is not UTF-8"]),
        ("cases/a/answers/p/m.0.md", &b"two"[..], &["cases/a/answers/p/m", "keep one"]),
    ] {
        let project = Project::recorded("", &[("a", "量子")]).with_bytes(path, bytes);
        project.done("run --out run").expect(2).says(expected);
        assert!(!project.path("run").exists(), "{path}");
    }
}

#[test]
fn a_mistyped_variable_is_warned_of_and_a_wrong_value_named() {
    let project = Project::recorded("", &[("a", "量子")]);
    let done = project.call("run --out run").env("EVALRUN_REPEETS", "3").done().expect(0);
    done.says(&["warning: EVALRUN_REPEETS is no setting of evalrun; did you mean EVALRUN_REPEATS?"]);
    let done = project.call("run").env("EVALRUN_REPEATS", "many").done().expect(2);
    done.says(&["--repeats", "set by the environment: EVALRUN_REPEATS"]);
}
