//! A truncated answer is seen as such wherever the answer is seen.

use wiremock::Request;

use crate::support::project::Project;
use crate::support::server::{PROTOCOLS, Server, protocol, truncated};

/// A sentence that ends in the middle.
const CUT: &str = "量子ミッションは、日本の企業が米国の研究";

#[test]
fn a_truncated_answer_is_marked_in_every_report() {
    for name in PROTOCOLS {
        let server = Server::start(|request: &Request| truncated(protocol(request), CUT));
        let config = format!("[require]\njapanese_only = true\n{}", server.model("m", name, ""));
        let project = Project::new(&config, &["a"]).with("prompts/q.md", "{{ title }}について詳しく書く。\n");
        let done = project.call("run --out run").env("MARKER_KEY", "key-of-all").done().expect(0);
        done.says(&["2 answers were cut off by the token limit"]);
        assert_eq!(project.csv("run/metrics.csv").column("finish_reason"), ["length", "length"]);
        assert_eq!(project.csv("run/scores.csv").column("reason"), ["truncated answer", "truncated answer"]);
        let show = project.done("show run a").expect(0).stdout;
        let (markdown, json) = (project.done("report run --format markdown"), project.done("report run --format json"));
        for (report, text) in [
            ("the table", &done.stdout),
            ("show", &show),
            ("report --format markdown", &markdown.expect(0).stdout),
            ("report --format json", &json.expect(0).stdout),
            ("summary.md", &project.read("run/summary.md")),
            ("diff.md", &project.read("run/diff.md")),
            ("diff.html", &project.read("run/diff.html")),
            ("report.html", &project.read("run/report.html")),
        ] {
            assert!(text.to_lowercase().contains("truncated"), "{name}, {report}:\n{text}");
        }
    }
}

#[test]
fn a_truncated_answer_is_judged_all_the_same() {
    let answer = [("a", CUT)];
    let project = Project::recorded("contains = [\"量子\"]", &answer)
        .with("cases/a/answers/p/m.json", "{\"finish_reason\": \"MAX_TOKENS\"}");
    project.done("run --out run").expect(0);
    let cells = project.csv("run/metrics.csv").cells(&["status", "contains", "finish_reason"]);
    assert_eq!(cells, ["passed|pass|length"]);
}
