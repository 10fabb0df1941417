//! The provider `command`: a program that reads the prompt and writes the answer.
#![cfg(unix)]

use crate::support::project::Project;

fn project(command: &str) -> Project {
    Project::new(&format!("[[model]]\nid = \"m\"\nprovider = \"command\"\ncommand = {command}\n"), &["a", "b"])
}

#[test]
fn a_program_answers_what_it_reads() {
    let project = project("[\"sh\", \"-c\", \"cat; echo です。\"]");
    project.done("run --out run").expect(0);
    assert!(project.done("show run a").expect(0).stdout.contains("aの量子ミッションについて書く。です。"));
    assert_eq!(project.csv("run/metrics.csv").cells(&["status", "attempts"]), ["passed|1", "passed|1"]);
}

#[test]
fn a_program_that_fails_leaves_its_trial_errored_with_its_complaint() {
    let project = project("[\"sh\", \"-c\", \"grep aの || { echo 題が違います >&2; exit 7; }\"]");
    let done = project.done("run --out run").expect(3);
    done.says(&["1 of 2 trials errored"]);
    let metrics = project.csv("run/metrics.csv");
    assert_eq!(metrics.column("status"), ["passed", "errored"]);
    let error = metrics.column("error")[1];
    assert!(error.contains("exit status: 7") && error.contains("題が違います"), "{error}");
}

#[test]
fn a_program_that_is_not_there_ends_its_model_at_once() {
    let project = project("[\"./no-such-program\"]");
    let done = project.done("run --out run").expect(3);
    done.says(&["m is asked no more", "`./no-such-program` could not be started"]);
    assert_eq!(project.csv("run/metrics.csv").column("status"), ["errored", "errored"]);
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    // By itself it would end long after any test.
    let config = "[[model]]\nid = \"m\"\nprovider = \"command\"\ntimeout = 0.1\ncommand = [\"sleep\", \"100000\"]\n";
    let project = Project::new(config, &["a"]);
    project.done("run --out run").expect(3);
    let error = project.csv("run/metrics.csv").column("error")[0].to_owned();
    assert!(error.contains("`sleep` gave no answer within 100ms"), "{error}");
}

#[test]
fn a_program_is_given_no_key_but_the_one_that_its_model_names() {
    let config = "
[[model]]
id = \"tells\"
provider = \"command\"
command = [\"sh\", \"-c\", \"env | sort\"]
[[model]]
id = \"complains\"
provider = \"command\"
command = [\"sh\", \"-c\", \"env | grep _KEY= >&2; exit 1\"]
api_key_env = \"OWN_KEY\"
[[model]]
id = \"not-asked\"
provider = \"openai\"
base_url = \"http://127.0.0.1:9\"
api_key_env = \"OTHER_KEY\"
";
    let project = Project::new(config, &["a"]);
    let call = project.call("run -v --model tells --model complains --out run").env("HARMLESS", "yes");
    let keys = ["GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OWN_KEY", "OTHER_KEY"];
    let done = keys.into_iter().fold(call, |call, name| call.env(name, &format!("sk-MARKER-{name}"))).done().expect(3);
    let metrics = project.csv("run/metrics.csv");
    assert_eq!(metrics.column("status"), ["passed", "errored"]);
    let error = metrics.column("error")[1];
    assert!(error.ends_with("ended with exit status: 1: OWN_KEY=[key]"), "{error}");
    let answer = project.done("show run a --model tells").expect(0).stdout;
    assert!(answer.contains("HARMLESS=yes") && !answer.contains("_KEY"), "{answer}");
    for name in project.names("run") {
        assert!(!project.read(&format!("run/{name}")).contains("MARKER"), "{name}");
    }
    assert!(!done.stdout.contains("MARKER") && !done.stderr.contains("MARKER"), "{}", done.stderr);
}
