//! Nothing paid for is lost: interrupted runs go on, finished ones are kept.

use crate::support::project::{Project, case};
use crate::support::server::Server;

#[cfg(unix)]
mod interrupted {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::Child;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use rustix::process::{Pid, Signal, kill_process};
    use wiremock::Request;

    use crate::support::project::Project;
    use crate::support::server::{Server, answer};

    /// A server that answers its first request at once and holds the second until the test lets it go.
    struct Held {
        server: Server,
        arrived: Receiver<()>,
        release: Sender<()>,
    }

    impl Held {
        fn start() -> Self {
            let (arrive, arrived) = channel();
            let (release, released) = channel();
            let state = Mutex::new((0, arrive, released));
            let server = Server::start(move |_: &Request| {
                let mut state = state.lock().unwrap();
                state.0 += 1;
                if state.0 == 2 {
                    state.1.send(()).unwrap();
                    // The test has ended without an answer: then nobody waits for one.
                    let _ = state.2.recv();
                }
                answer("openai", "量子の記事です。")
            });
            Self { server, arrived, release }
        }

        fn project(&self) -> Project {
            Project::new(&self.server.model("m", "openai", "limits = { concurrency = 1 }"), &["a", "b", "c"])
        }

        /// How often each case was asked about.
        fn asked(&self) -> [usize; 3] {
            let bodies = self.server.bodies();
            ["a", "b", "c"].map(|id| {
                let question = format!("{id}の量子ミッションについて書く。");
                bodies.iter().filter(|body| body["messages"][0]["content"] == question.as_str()).count()
            })
        }
    }

    fn send(child: &Child, signal: Signal) {
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    /// Whether a lost terminal ends what is started here: not under `nohup`, nor where a process cannot know that.
    fn hears_hangups() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 0)
    }

    #[test]
    fn an_interrupted_run_finishes_what_is_under_way_and_the_same_command_completes_it() {
        let hangup = hears_hangups().then_some((Signal::HUP, 143));
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)].into_iter().chain(hangup) {
            let held = Held::start();
            let project = held.project();
            let mut child = project.call("run --out run").env("MARKER_KEY", "key-of-all").spawn();
            held.arrived.recv().unwrap();
            send(&child, signal);
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            let mut said = String::new();
            while !said.contains("interrupted: finishing what is under way (1)") {
                assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
            }
            held.release.send(()).unwrap();
            stderr.read_to_string(&mut said).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{said}");
            assert!(said.contains("1 of 3 trials have no outcome yet: the same command continues the run"), "{said}");
            assert_eq!(project.csv("run/metrics.csv").column("status"), ["passed", "passed", "skipped"]);
            assert_eq!(held.asked(), [1, 1, 0]);

            let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(0);
            done.says(&["continuing run: 2 of 3 trials are done"]);
            assert_eq!(project.csv("run/metrics.csv").column("status"), ["passed"; 3]);
            assert_eq!(held.asked(), [1, 1, 1]);
            assert_eq!(project.names("."), [".evalrun", "cases", "evalrun.toml", "prompts", "run"]);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_run_that_is_to_outlive_its_terminal_does() {
        let held = Held::start();
        let project = held.project();
        let call = project.call("run --out run").env("MARKER_KEY", "key-of-all");
        let mut child = call.after("trap '' HUP").spawn();
        held.arrived.recv().unwrap();
        send(&child, Signal::HUP);
        held.release.send(()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(project.csv("run/metrics.csv").column("status"), ["passed"; 3]);
    }

    #[test]
    fn a_file_that_may_not_grow_any_more_ends_the_run_as_a_full_disk_does() {
        let answers = [("a", "量子です。".repeat(3000)), ("b", "量子です。".repeat(3000))];
        let answers: Vec<(&str, &str)> = answers.iter().map(|(id, answer)| (*id, answer.as_str())).collect();
        // In blocks of 512 or 1024 bytes: not even a head, one outcome, all outcomes and no report.
        for (blocks, file) in [(1, "run.jsonl"), (80, "run.jsonl"), (250, "report.html")] {
            let project = Project::recorded("contains = [\"量子\"]", &answers);
            let done = project.call("run --out run").after(&format!("ulimit -f {blocks}")).done().expect(1);
            done.says(&[file, "File too large"]);
            project.done("run --out run").expect(0);
            assert_eq!(project.csv("run/metrics.csv").column("status"), ["passed"; 2]);
        }
    }

    #[test]
    fn a_killed_run_loses_only_the_request_under_way() {
        let held = Held::start();
        let project = held.project();
        // Without --out, as most runs are made: the unfinished run is found by its plan.
        let mut child = project.call("run").env("MARKER_KEY", "key-of-all").spawn();
        held.arrived.recv().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        held.release.send(()).unwrap();
        let done = project.call("run").env("MARKER_KEY", "key-of-all").done().expect(0);
        done.says(&["continuing reports/", "1 of 3 trials are done"]);
        assert_eq!(held.asked(), [1, 2, 1]);
        assert_eq!(project.names("reports").len(), 1);
    }

    #[test]
    fn a_second_interrupt_drops_what_is_under_way() {
        let held = Held::start();
        let project = held.project();
        let mut child = project.call("run --out run").env("MARKER_KEY", "key-of-all").spawn();
        held.arrived.recv().unwrap();
        send(&child, Signal::INT);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("once more drops it") {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
        }
        send(&child, Signal::INT);
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
        assert_eq!(project.csv("run/metrics.csv").column("status"), ["passed", "skipped", "skipped"]);
        held.release.send(()).unwrap();
        let spent = said.lines().skip_while(|line| !line.starts_with("spent ")).nth(1).unwrap_or_default();
        assert_eq!(spent.split_whitespace().nth(1), Some("2"), "{said}");
        assert!(said.contains("1 request was dropped under way: a server may have answered"), "{said}");

        // What was dropped was asked: a budget of two requests has none left, one of three has one.
        for (most, statuses) in [(2, ["passed", "skipped", "skipped"]), (3, ["passed", "passed", "skipped"])] {
            let run = format!("run --out run --max-requests {most}");
            let done = project.call(&run).env("MARKER_KEY", "key-of-all").done().expect(3);
            done.says(&[
                &format!("max_requests = {most} is used up: {most} requests spent"),
                "1 request is counted as estimated",
            ]);
            assert_eq!(project.csv("run/metrics.csv").column("status"), statuses);
        }
        assert_eq!(held.asked().iter().sum::<usize>(), 3);
    }
}

#[test]
fn a_finished_run_in_the_way_is_kept_aside() {
    let server = Server::answering("量子の記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &["a"]);
    for times in 1..=3 {
        let done = project.call("run --out out/run --no-cache").env("MARKER_KEY", "key-of-all").done().expect(0);
        assert_eq!(project.names("out").len(), times);
        assert_eq!(done.stderr.contains("the finished run there is kept as out/run-"), times > 1, "{}", done.stderr);
        assert_eq!(server.requests().len(), times);
    }
    for name in project.names("out") {
        assert_eq!(project.csv(&format!("out/{name}/metrics.csv")).column("status"), ["passed"], "{name}");
        assert!(project.path(&format!("out/{name}/run.jsonl")).is_file(), "{name}");
    }
}

/// The derived files of a run.
const REPORTS: [&str; 8] =
    ["report.html", "metrics.csv", "scores.csv", "summary.csv", "summary.md", "diff.md", "diff.html", "junit.xml"];

#[test]
fn a_run_whose_process_ended_before_its_reports_gets_them_without_a_request() {
    let server = Server::answering("量子の記事です。");
    for (out, ends) in [("run --out run", true), ("run --out run", false), ("run", true), ("run", false)] {
        let out = &format!("{out} --no-cache");
        let project = Project::new(&server.model("m", "openai", ""), &["a", "b"]);
        project.call(out).env("MARKER_KEY", "key-of-all").done().expect(0);
        let folder =
            if out == "run --no-cache" { format!("reports/{}", project.names("reports")[0]) } else { "run".to_owned() };
        let whole: Vec<String> = REPORTS.iter().map(|name| project.read(&format!("{folder}/{name}"))).collect();
        let asked = server.requests().len();
        let journal = project.read(&format!("{folder}/run.jsonl"));
        let cut = journal.lines().filter(|line| ends || !line.contains("\"type\":\"end\""));
        let project = project
            .with(&format!("{folder}/run.jsonl"), &cut.flat_map(|line| [line, "\n"]).collect::<String>())
            .with(&format!("{folder}/.scores.csv.new"), "half");
        for name in &REPORTS[1..] {
            std::fs::remove_file(project.path(&format!("{folder}/{name}"))).unwrap();
        }
        let done = project.call(out).env("MARKER_KEY", "key-of-all").done().expect(0);
        assert_eq!(server.requests().len(), asked, "{}", done.stderr);
        let again: Vec<String> = REPORTS.iter().map(|name| project.read(&format!("{folder}/{name}"))).collect();
        assert_eq!(again, whole);
        assert_eq!(project.names(&folder).len(), REPORTS.len() + 1, "{:?}", project.names(&folder));
        assert_eq!(project.read(&format!("{folder}/run.jsonl")).matches("\"type\":\"end\"").count(), 1);
    }
}

#[test]
fn an_error_that_a_run_ended_with_is_not_asked_about_for_the_sake_of_a_report() {
    let project = Project::recorded("", &[("a", "量子")]).with("cases/b/case.toml", &case("b"));
    project.done("run --out run").expect(3);
    std::fs::remove_file(project.path("run/diff.md")).unwrap();
    project.done("run --out run").expect(3).says(&["run lacks reports: writing them, asking nothing"]);
    assert!(project.path("run/diff.md").is_file());
    assert_eq!(project.names(".").iter().filter(|name| name.starts_with("run")).count(), 1);
}

#[test]
fn a_report_that_cannot_be_written_is_told_with_the_way_to_write_it_later() {
    let project = Project::recorded("", &[("a", "量子")]).with("run/diff.md/x", "in the way");
    std::fs::write(project.path("run/run.jsonl"), "").unwrap();
    let done = project.done("run --out run").expect(1);
    done.says(&["run/diff.md: ", "every answer is kept", "evalrun report "]);
    assert!(project.names("run").iter().all(|name| !name.starts_with('.')));
    std::fs::remove_dir_all(project.path("run/diff.md")).unwrap();
    project.done("report run").expect(0);
    project.done("run --out run").expect(0).says(&["continuing run: 1 of 1 trials are done"]);
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let project = Project::recorded("", &[("a", "量子")]);
    for has_end in [false, true] {
        project.done("run --out run").expect(0);
        if !has_end {
            let journal = project.read("run/run.jsonl");
            let first = journal.lines().next().unwrap();
            std::fs::write(project.path("run/run.jsonl"), format!("{first}\n")).unwrap();
        }
        let file = std::fs::File::open(project.path("run/run.jsonl")).unwrap();
        file.lock().unwrap();
        project.done("run --out run").expect(2).says(&["another evalrun is writing this run"]);
        assert_eq!(project.names(".").iter().filter(|name| name.starts_with("run")).count(), 1);
    }
}

#[test]
fn an_answer_that_was_not_judged_is_judged_without_a_request() {
    let server = Server::answering("量子の記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &["a", "b"]);
    project.call("run --out run --no-cache").env("MARKER_KEY", "key-of-all").done().expect(0);
    let whole = project.csv("run/metrics.csv");
    let journal = project.read("run/run.jsonl");
    let lines: Vec<&str> = journal.lines().filter(|line| !line.contains("\"type\":\"outcome\"")).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("\"type\":\"answer\"")).count(), 2);
    let project = project.with("run/run.jsonl", &lines[..3].iter().flat_map(|line| [line, "\n"]).collect::<String>());
    let done = project.call("run --out run --no-cache").env("MARKER_KEY", "key-of-all").done().expect(0);
    assert_eq!(server.requests().len(), 2, "{}", done.stderr);
    assert_eq!(project.csv("run/metrics.csv").rows, whole.rows);
    for command in ["report run", "show run a", "rescore run --out anew"] {
        project.done(command).expect(0);
    }
}

#[test]
fn a_folder_with_another_plan_or_other_files_is_left_alone() {
    let project = Project::recorded("", &[("a", "量子"), ("b", "派遣")]).with("notes/todo.txt", "x");
    project.done("run --out run --case a").expect(0);
    let before = project.read("run/run.jsonl");
    project
        .done("run --out run")
        .expect(2)
        .says(&["run holds a run of another plan", "choose another folder by --out"]);
    project.done("run --out notes").expect(2).says(&["notes holds other files and no run"]);
    project.done("run --out evalrun.toml").expect(2).says(&["evalrun.toml is a file"]);
    assert_eq!(project.read("run/run.jsonl"), before);
    assert_eq!(project.names("notes"), ["todo.txt"]);
}

#[test]
fn what_errored_is_asked_again_and_what_was_answered_is_not() {
    let project = Project::recorded("", &[("a", "量子")]).with("cases/b/case.toml", &case("b"));
    project.done("run --out run").expect(3);
    let project = project.with("cases/b/answers/p/m.md", "派遣");
    project.done("run --out run").expect(0);
    let metrics = project.csv("run/metrics.csv");
    assert_eq!(metrics.column("status"), ["passed", "passed"]);
}

#[test]
fn only_what_failed_is_asked_again_where_that_is_selected() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子"), ("b", "派遣")]);
    project.done("run").expect(0);
    let done = project.done("list --failed-of latest --format json").expect(0);
    assert_eq!(done.json()["cases"], serde_json::json!(["b"]));
    project.done("run --out again --failed-of latest").expect(0);
    assert_eq!(project.csv("again/metrics.csv").column("case"), ["b"]);
    project.done("run --failed-of again --case a").expect(2).says(&["--failed-of again selects nothing"]);
}

#[test]
fn shards_together_are_the_whole_plan() {
    let project = Project::recorded("", &[("a", "一"), ("b", "二"), ("c", "三"), ("d", "四"), ("e", "五")]);
    let mut cases = Vec::new();
    for shard in 1..=2 {
        project.done(&format!("run --out shard-{shard} --shard {shard}/2")).expect(0);
        let metrics = project.csv(&format!("shard-{shard}/metrics.csv"));
        cases.extend(metrics.column("case").into_iter().map(str::to_owned));
    }
    cases.sort();
    assert_eq!(cases, ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_run_jsonl_that_is_none_is_never_written_over() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "量子です。")]).with("run/run.jsonl", "my notes");
    project.done("run --out run").expect(2).says(&["this is no journal of a run"]);
    assert_eq!(project.read("run/run.jsonl"), "my notes");
    // What is left of a run that was killed before it began is no obstacle.
    let project = project.with("run/run.jsonl", "{\"type\":\"hea");
    project.done("run --out run").expect(0);
}
