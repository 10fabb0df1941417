//! The three protocols succeed with a key from the environment, and the key is seen nowhere else.

use std::fs;
use std::path::Path;

use wiremock::Request;

use crate::support::project::Project;
use crate::support::server::{PROTOCOLS, Server, answer, error, protocol};

/// A key that occurs in no other text.
const MARKER: &str = "marker-key-4f1d9c27ab";

const HEADERS: [(&str, &str); 3] =
    [("gemini", "x-goog-api-key"), ("openai", "authorization"), ("anthropic", "x-api-key")];

fn project_of_three(server: &Server) -> Project {
    let models: Vec<String> = PROTOCOLS.iter().map(|protocol| server.model(protocol, protocol, "")).collect();
    Project::new(&models.concat(), &["a"])
}

/// Every file below a folder holds no key.
fn assert_no_key_below(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_key_below(&path);
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes());
            assert!(!found, "the key is in {}", path.display());
        }
    }
}

#[test]
fn each_protocol_answers_with_a_key_from_the_environment() {
    let server = Server::answering("量子ミッションの記事です。");
    let project = project_of_three(&server);
    let done = project.call("run --out run -v").env("MARKER_KEY", MARKER).done().expect(0);
    let metrics = project.csv("run/metrics.csv");
    let columns = ["model", "status", "finish_reason", "input_tokens", "output_tokens", "served_model", "attempts"];
    assert_eq!(
        metrics.cells(&columns),
        [
            "gemini|passed|stop|30|70|served-gemini|1",
            "openai|passed|stop|30|70|served-openai|1",
            "anthropic|passed|stop|30|70|served-anthropic|1",
        ]
    );
    for request in server.requests() {
        let (_, header) = HEADERS.into_iter().find(|(name, _)| *name == protocol(&request)).unwrap();
        let with_key: Vec<&str> = request
            .headers
            .iter()
            .filter(|(_, value)| value.to_str().unwrap().contains(MARKER))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(with_key, [header]);
        assert!(!request.url.as_str().contains(MARKER) && !String::from_utf8_lossy(&request.body).contains(MARKER));
    }
    assert!(!done.stdout.contains(MARKER) && !done.stderr.contains(MARKER));
    assert_no_key_below(project.root());
}

#[test]
fn a_key_that_a_server_echoes_is_seen_nowhere() {
    for status in [200, 400, 401, 404] {
        let server = Server::start(move |request: &Request| {
            let echoed = format!("Incorrect API key provided: {MARKER}.");
            match status {
                200 => answer(protocol(request), &echoed),
                _ => error(protocol(request), status, "bad", &echoed),
            }
        });
        let project = project_of_three(&server);
        let code = if status == 200 { 0 } else { 3 };
        let done = project.call("run --out run -v").env("MARKER_KEY", MARKER).done().expect(code);
        assert!(!done.stdout.contains(MARKER) && !done.stderr.contains(MARKER), "{status}: {}", done.stderr);
        assert_no_key_below(project.root());
        for view in ["report run --format json", "report run --format markdown", "show run a"] {
            let done = project.done(view).expect(0);
            assert!(!done.stdout.contains(MARKER) && !done.stderr.contains(MARKER), "{status} {view}");
        }
    }
}

#[test]
fn white_space_around_a_key_is_no_part_of_it() {
    let server = Server::answering("記事です。");
    let project = Project::new(&server.model("m", "gemini", ""), &["a"]);
    project.call("run").env("MARKER_KEY", &format!(" {MARKER}\n")).done().expect(0);
    assert_eq!(server.requests()[0].headers["x-goog-api-key"], MARKER);
}
