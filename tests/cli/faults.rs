//! Every fault of `evalrun mock` in every protocol, all in one run: each is classified right, attempts are bounded, no other
//! trial is harmed, and nothing is lost or paid for twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::mock::Mock;
use crate::support::project::Project;
use crate::support::server::PROTOCOLS;

/// How many trials each fault has in each protocol.
const TRIALS: usize = 20;

/// What becomes of the trials of a model: faults, then `status|finish reason|attempts|kind of the last failed attempt`, the
/// same in all protocols or one for each. `*` stands for a model that is asked no more: the questions that are under way
/// then have one attempt, the others none.
const MATRIX: &[(&str, &[&str])] = &[
    ("ok", &["passed|stop|1|"]),
    ("400", &["errored||*|configuration"]),
    ("400-long", &["errored||1|bad_request"]),
    ("bad-key", &["errored||*|authentication"]),
    ("401", &["errored||*|authentication"]),
    ("402", &["errored||*|quota"]),
    ("403", &["errored||*|authentication"]),
    ("404", &["errored||*|unknown_model"]),
    ("429-day", &["errored||*|quota"]),
    ("408-then-ok", &["passed|stop|2|timeout"]),
    ("429-then-ok", &["passed|stop|2|rate_limited"]),
    ("429-header-then-ok", &["passed|stop|2|rate_limited"]),
    ("429-reset-then-ok", &["passed|stop|2|rate_limited"]),
    ("429-bare-then-ok", &["passed|stop|2|rate_limited"]),
    ("429", &["errored||5|rate_limited"]),
    ("500-then-ok", &["passed|stop|2|unavailable"]),
    ("500", &["errored||5|unavailable"]),
    ("502-then-ok", &["passed|stop|2|unavailable"]),
    ("503-then-ok", &["passed|stop|2|unavailable"]),
    ("504-then-ok", &["passed|stop|2|timeout"]),
    ("529-then-ok", &["passed|stop|2|unavailable"]),
    ("reset-then-ok", &["passed|stop|2|connection"]),
    ("reset", &["errored||5|connection"]),
    ("stall-then-ok", &["passed|stop|2|timeout"]),
    ("cut-then-ok", &["passed|stop|2|connection"]),
    ("stall-body-then-ok", &["passed|stop|2|timeout"]),
    ("slow-body", &["passed|stop|1|"]),
    ("page-then-ok", &["passed|stop|2|malformed"]),
    ("error-200-then-ok", &["passed|stop|2|unavailable"]),
    ("bad-json-then-ok", &["passed|stop|2|malformed"]),
    ("bad-utf8-then-ok", &["passed|stop|2|malformed"]),
    ("empty-then-ok", &["passed|stop|2|malformed"]),
    ("no-answer-then-ok", &["passed|stop|2|malformed"]),
    ("no-text", &["failed|stop|1|"]),
    ("blocked", &["failed|blocked|1|", "failed|blocked|1|", "failed|refusal|1|"]),
    ("truncated", &["passed|length|1|"]),
    ("thinking", &["failed|length|1|"]),
    ("continuation", &["passed|stop|2|", "passed|stop|1|", "passed|stop|2|"]),
    ("continuation-rest-503-then-ok", &["passed|stop|3|unavailable", "passed|stop|1|", "passed|stop|3|unavailable"]),
    ("continuation-rest-500", &["errored||6|unavailable", "passed|stop|1|", "errored||6|unavailable"]),
    ("429x2-then-500-then-reset-then-ok", &["passed|stop|5|connection"]),
];

/// A server in the way of one model alone, so that no model waits for another's limit.
fn model(url: &str, id: &str, protocol: &str, name: &str, more: &str) -> String {
    format!(
        "[[model]]\nid = \"{id}\"\nprovider = \"{protocol}\"\nmodel = \"{name}\"\nbase_url = \"{url}/{id}\"\n{more}\n"
    )
}

fn project_of(models: &str, trials: usize) -> Project {
    let ids: Vec<String> = (0..trials).map(|n| format!("c{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    Project::new(models, &ids)
}

/// Of each model, what became of its trials: `status|finish reason|attempts|kind of the last failed attempt`.
fn outcomes(project: &Project) -> BTreeMap<String, Vec<String>> {
    let mut kinds = BTreeMap::new();
    for line in project.read("run/run.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["type"] == "outcome" {
            let attempts = line["attempts"].as_array().into_iter().flatten();
            let last = attempts.rev().find_map(|attempt| attempt["failure"].as_str()).unwrap_or_default().to_owned();
            kinds.insert((line["case"].to_string(), line["model"].to_string()), last);
        }
    }
    let metrics = project.csv("run/metrics.csv");
    let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let cells = metrics.cells(&["status", "finish_reason", "attempts"]);
    for ((case, model), cells) in metrics.column("case").into_iter().zip(metrics.column("model")).zip(cells) {
        let kind = kinds.get(&(format!("{case:?}"), format!("{model:?}"))).cloned().unwrap_or_default();
        outcomes.entry(model.to_owned()).or_default().push(format!("{cells}|{kind}"));
    }
    outcomes
}

#[test]
fn every_fault_is_met_rightly_in_every_protocol_at_once() {
    meet_every_fault("");
}

#[test]
fn every_fault_is_met_rightly_in_streams_too() {
    meet_every_fault("stream = true\n");
}

fn meet_every_fault(more: &str) {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "--fault reset-then-ok:0.5@half --latency 5ms --jitter 20ms");
    let timeout = |script: &str| if script.starts_with("stall") { "timeout = \"5s\"" } else { "" };
    let mut models = String::new();
    for (script, _) in MATRIX {
        for protocol in PROTOCOLS {
            let (id, name) = (format!("{protocol}.{script}"), format!("mock-{script}"));
            models += &model(&mock.url, &id, protocol, &name, &format!("{more}{}", timeout(script)));
        }
    }
    for protocol in PROTOCOLS {
        models += &model(&mock.url, &format!("{protocol}.half"), protocol, "half", more);
    }
    let project = project_of(&models, TRIALS);
    project.done("run --out run --concurrency 300 --quiet").expect(3);

    let outcomes = outcomes(&project);
    let mut wrong = Vec::new();
    for (script, expected) in MATRIX {
        for (n, protocol) in PROTOCOLS.iter().enumerate() {
            let expected = expected[n % expected.len()];
            let rows = &outcomes[&format!("{protocol}.{script}")];
            let seen: BTreeSet<String> = rows.iter().filter_map(|row| without_chance(row, expected)).collect();
            if rows.len() != TRIALS || seen != BTreeSet::from([expected.to_owned()]) {
                wrong.push(format!("{protocol} {script}: {expected} expected, {} × {seen:?}", rows.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for protocol in PROTOCOLS {
        let rows = &outcomes[&format!("{protocol}.half")];
        let (struck, spared): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.as_str() == "passed|stop|2|connection");
        assert!(!struck.is_empty() && !spared.is_empty(), "{rows:?}");
        assert!(spared.iter().all(|row| row.as_str() == "passed|stop|1|"), "{rows:?}");
    }

    // Whatever was answered has come to something, and was asked for once.
    let answered = outcomes.values().flatten().filter(|row| !row.starts_with("errored")).count();
    // The parts of an answer are answers of their own for the server, also those whose rest did not come.
    let in_parts = MATRIX.iter().filter(|(script, _)| script.starts_with("continuation")).count();
    let answered = answered + in_parts * 2 * TRIALS;
    let stats = mock.stats();
    assert_eq!((&stats["answered"], &stats["answered_again"]), (&answered.into(), &0.into()), "{stats:#}");
    let attempts: u64 =
        project.csv("run/metrics.csv").column("attempts").iter().filter_map(|cell| cell.parse::<u64>().ok()).sum();
    assert_eq!((&stats["requests"], &stats["in_flight"]), (&attempts.into(), &0.into()), "{stats:#}");
}

#[test]
fn a_body_of_fifty_megabytes_is_read_in_every_protocol() {
    let folder = Project::empty();
    let mock = Mock::start(folder.root(), "");
    let one = "limits = { concurrency = 1 }";
    let models = PROTOCOLS.map(|protocol| model(&mock.url, protocol, protocol, "mock-huge", one)).concat();
    let project = project_of(&models, 2);
    project.done("run --out run --quiet").expect(0);
    let expected = vec!["passed|stop|1|".to_owned(); 2];
    assert_eq!(outcomes(&project).into_values().collect::<Vec<_>>(), vec![expected; 3]);
}

/// What became of a trial; `None` if its model was asked no more before its first attempt, where that is expected.
fn without_chance(row: &str, expected: &str) -> Option<String> {
    match expected.contains('*') {
        true if row == "errored||0|" => None,
        true => Some(row.replacen("||1|", "||*|", 1)),
        false => Some(row.to_owned()),
    }
}
