//! What stands on standard error while a run goes on: for people in more or less detail, for programs as JSON.

use serde_json::Value;

use crate::support::call::Done;
use crate::support::mock::Mock;
use crate::support::project::Project;
use crate::support::server::{Server, error};

fn project(mock: &Mock) -> Project {
    let model = |id: &str, name: &str| {
        let url = &mock.url;
        format!("[[model]]\nid = \"{id}\"\nprovider = \"gemini\"\nmodel = \"{name}\"\nbase_url = \"{url}\"\n")
    };
    let models = model("m", "mock-429-then-ok") + &model("dead", "mock-401");
    Project::new(&models, &["a", "b", "c"])
}

/// Standard error, every line of which is an object with its event and time.
#[track_caller]
fn events(done: &Done) -> Vec<Value> {
    let object = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(object["event"].is_string() && object["at"].is_string(), "{line}");
        object
    };
    done.stderr.lines().map(object).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

#[test]
fn every_line_is_json_where_that_is_wanted() {
    for (call, variable) in [("run --log-format json", "text"), ("run", "json")] {
        let folder = Project::empty();
        let mock = Mock::start(folder.root(), "");
        let project = project(&mock);
        let done = project.call(call).env("EVALRUN_LOG_FORMAT", variable).done().expect(3);
        let events = events(&done);
        let names = names(&events);
        let place = |name: &str| names.iter().position(|event| *event == name).unwrap_or_else(|| panic!("{names:?}"));
        assert!(place("expected") < place("started") && place("started") < place("model_stopped"), "{names:?}");
        assert!(place("model_stopped") < place("finished") && place("finished") < place("spent"), "{names:?}");
        let finished = &events[place("finished")];
        assert_eq!((&finished["passed"], &finished["errored"]), (&3.into(), &3.into()), "{finished}");
        let stopped = &events[place("model_stopped")];
        assert_eq!((&stopped["model"], &stopped["failure"]), (&"dead".into(), &"authentication".into()), "{stopped}");
        let spent = &events[place("spent")];
        assert_eq!(spent["variants"][0]["requests"], 6, "{spent}");
        let warnings = events.iter().filter(|event| event["level"] == "warning");
        assert!(warnings.clone().any(|event| event["message"].as_str().unwrap().contains("3 of 6 trials errored")));
    }
}

#[test]
fn a_mistake_is_json_too_and_quiet_says_nothing_else() {
    let project = Project::recorded("japanese_onyl = true", &[("a", "量子")]);
    let done = project.done("run --log-format json").expect(2);
    let events = events(&done);
    assert!(events.iter().any(|event| event["message"].as_str().unwrap().contains("did you mean `japanese_only`?")));
    let project = Project::recorded("", &[("a", "量子")]);
    assert_eq!(project.done("run --quiet --log-format json").expect(0).stderr, "");
    project.done("run --log-format xml").expect(2).says(&["possible values: text, json"]);
}

#[test]
fn a_servers_words_are_harmless_in_json_too() {
    let server = Server::start(|_: &wiremock::Request| error("openai", 400, "bad", "##[error]x\u{202E}y\u{1B}[31m"));
    let project = Project::new(&server.model("m", "openai", ""), &["a"]);
    let done = project.call("run -v --log-format json").env("MARKER_KEY", "key-of-all").done().expect(3);
    let events = events(&done);
    assert!(events.iter().any(|event| event["message"].as_str().is_some_and(|text| text.contains("##[error]x"))));
    assert!(!done.stderr.contains("##[") && !done.stderr.contains(['\u{202E}', '\u{1B}']), "{}", done.stderr);
}

#[test]
fn more_is_told_where_it_is_asked_for() {
    let run = |flags: &str| {
        let folder = Project::empty();
        let mock = Mock::start(folder.root(), "");
        project(&mock).done(&format!("run --model m {flags}")).expect(0)
    };
    for (flags, outcomes, attempts) in
        [("", false, false), ("-v", true, false), ("-vv", true, true), ("-v -v", true, true)]
    {
        let done = run(flags);
        let says = |text: &str| done.stderr.contains(text);
        assert_eq!((says("a · p@m passed"), says("rate limited (429")), (outcomes, outcomes), "{}", done.stderr);
        assert_eq!((says("a · p@m: asked"), says("(2 attempts, ")), (attempts, attempts), "{}", done.stderr);
    }
    let events = events(&run("-vv --log-format json"));
    let count = |name: &str| names(&events).iter().filter(|event| **event == name).count();
    assert_eq!((count("attempt_started"), count("attempt_failed"), count("trial_finished")), (6, 3, 3));
    Project::empty().done("run -v --quiet").expect(2).says(&["cannot be used with"]);
}
