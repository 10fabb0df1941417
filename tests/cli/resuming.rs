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

    #[test]
    fn an_interrupted_run_finishes_what_is_under_way_and_the_same_command_completes_it() {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
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
            assert_eq!(project.names("."), ["cases", "evalrun.toml", "prompts", "run"]);
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
    }
}

#[test]
fn a_finished_run_in_the_way_is_kept_aside() {
    let server = Server::answering("量子の記事です。");
    let project = Project::new(&server.model("m", "openai", ""), &["a"]);
    for times in 1..=3 {
        let done = project.call("run --out out/run").env("MARKER_KEY", "key-of-all").done().expect(0);
        assert_eq!(project.names("out").len(), times);
        assert_eq!(done.stderr.contains("the finished run there is kept as out/run-"), times > 1, "{}", done.stderr);
        assert_eq!(server.requests().len(), times);
    }
    for name in project.names("out") {
        assert_eq!(project.csv(&format!("out/{name}/metrics.csv")).column("status"), ["passed"], "{name}");
        assert!(project.path(&format!("out/{name}/run.jsonl")).is_file(), "{name}");
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
