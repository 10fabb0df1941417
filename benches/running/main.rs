//! What a whole run costs, beside what a bare load generator needs for the same requests: one table.
//!
//! `cargo bench --bench running` measures all rows, `cargo bench --bench running -- pace 100k` those whose names contain
//! one of the words. Every server is an `evalrun mock` on this machine and shares its cores with what is measured.

mod load;
mod measure;
mod project;

use std::time::Duration;

use measure::Measured;
use project::{Cheap, Japanese, Project};

/// One line of the table: what was measured, what it came to, what it is to come to; and, not measured here, what others
/// came to.
struct Row {
    name: &'static str,
    figures: String,
    target: &'static str,
    met: bool,
    peers: &'static str,
}

/// A measurement under its name.
struct Measurement {
    name: &'static str,
    rows: fn(&'static str) -> Vec<Row>,
}

const MEASUREMENTS: [Measurement; 7] = [
    Measurement { name: "start-up", rows: start_up },
    Measurement { name: "1k cheap", rows: a_thousand },
    Measurement { name: "1k japanese", rows: a_thousand_in_japanese },
    Measurement { name: "1k latency", rows: a_thousand_with_latency },
    Measurement { name: "pace 600/min", rows: a_pace_that_nobody_told },
    Measurement { name: "10k", rows: ten_thousand },
    Measurement { name: "100k", rows: a_hundred_thousand },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!(
        "| what | measured | target | met | peers, measured elsewhere on two cores |\n| --- | --- | --- | --- | --- |"
    );
    for measurement in MEASUREMENTS.iter().filter(|measurement| chosen(measurement.name)) {
        for row in (measurement.rows)(measurement.name) {
            let met = if row.met { "yes" } else { "NO" };
            println!("| {} | {} | {} | {met} | {} |", row.name, row.figures, row.target, row.peers);
        }
    }
}

/// The best of five: what else a machine does can only make a start slower.
fn start_up(name: &'static str) -> Vec<Row> {
    let folder = Project::new(1, Cheap, "http://127.0.0.1:9");
    let best = (0..5).map(|_| folder.evalrun("list --quiet").wall).min().unwrap_or_default();
    let figures = format!("{:.1} ms", best.as_secs_f64() * 1e3);
    vec![Row { name, figures, target: "≤ 20 ms", met: best <= Duration::from_millis(20), peers: "" }]
}

fn a_thousand(name: &'static str) -> Vec<Row> {
    let server = measure::Server::start(&[]);
    let (ours, theirs) = (0..3).map(|_| beside(&server, 1_000, 32)).min_by_key(|pair| pair.0.wall).unwrap_or_default();
    let ratio = ours.wall.as_secs_f64() / theirs.as_secs_f64();
    vec![Row {
        name,
        figures: format!("{:.2} s, generator {:.2} s: {ratio:.1} ×", ours.wall.as_secs_f64(), theirs.as_secs_f64()),
        target: "≤ 4 × generator",
        met: ratio <= 4.0,
        peers: "promptfoo 11.5 s, Inspect 30 s, DeepEval 9 s, a script of 60 lines 3.8 s",
    }]
}

fn a_thousand_in_japanese(name: &'static str) -> Vec<Row> {
    let server = measure::Server::start(&[]);
    let project = Project::new(1_000, Japanese, &server.url);
    let ours = project.evalrun("run --out run --quiet --concurrency 32");
    vec![Row {
        name,
        figures: format!("{:.2} s", ours.wall.as_secs_f64()),
        target: "≤ 1.5 s",
        met: ours.wall <= Duration::from_millis(1_500),
        peers: "",
    }]
}

fn a_thousand_with_latency(name: &'static str) -> Vec<Row> {
    let server = measure::Server::start(&["--latency", "200ms"]);
    let (ours, theirs) = beside(&server, 1_000, 100);
    let ratio = ours.wall.as_secs_f64() / theirs.as_secs_f64();
    vec![Row {
        name,
        figures: format!("{:.2} s, generator {:.2} s: {ratio:.2} ×", ours.wall.as_secs_f64(), theirs.as_secs_f64()),
        target: "≤ 1.05 × generator",
        met: ratio <= 1.05,
        peers: "promptfoo 12.7 s, Inspect 32 s",
    }]
}

fn a_pace_that_nobody_told(name: &'static str) -> Vec<Row> {
    let server = measure::Server::start(&["--rpm", "600", "--burst", "10"]);
    let ours = Project::new(200, Cheap, &server.url).evalrun("run --out run --quiet");
    let stats = server.stats();
    let refused = stats["requests"].as_u64().unwrap_or(0).saturating_sub(stats["answered"].as_u64().unwrap_or(0));
    vec![Row {
        name,
        figures: format!("{:.1} s, {refused} refused, exit {}", ours.wall.as_secs_f64(), ours.exit),
        target: "≤ 22 s (19.0 is ideal), ≤ 30 refused, none errored",
        met: ours.wall <= Duration::from_secs(22) && refused <= 30 && ours.exit == 0,
        peers: "",
    }]
}

fn ten_thousand(name: &'static str) -> Vec<Row> {
    let server = measure::Server::start(&[]);
    let project = Project::new(10_000, Cheap, &server.url);
    let first = project.evalrun("run --out run --quiet --concurrency 32");
    let asked = server.answered();
    let again = project.evalrun("run --out again --quiet --concurrency 32");
    let more = server.answered() - asked;
    vec![
        Row {
            name,
            figures: both(&first),
            target: "≤ 3 s, ≤ 80 MB",
            met: first.wall <= Duration::from_secs(3) && first.peak_mb <= 80.0,
            peers: "promptfoo 109 s and 1.1 GB, Inspect 283 s and 0.57 GB",
        },
        Row {
            name: "10k, answered from the store",
            figures: format!("{:.2} s, {more} requests", again.wall.as_secs_f64()),
            target: "≤ 1.5 s, 0 requests",
            met: again.wall <= Duration::from_millis(1_500) && more == 0,
            peers: "",
        },
    ]
}

/// Linear: ten times as many trials, at most eleven times as long.
fn a_hundred_thousand(name: &'static str) -> Vec<Row> {
    let run = |trials| {
        let server = measure::Server::start(&[]);
        Project::new(trials, Cheap, &server.url).evalrun("run --out run --quiet --concurrency 32")
    };
    let (fewer, all) = (run(10_000), run(100_000));
    let ratio = all.wall.as_secs_f64() / fewer.wall.as_secs_f64();
    vec![Row {
        name,
        figures: format!("{}: {ratio:.1} × the time of a tenth", both(&all)),
        target: "≤ 300 MB, ≤ 11 × a tenth",
        met: all.peak_mb <= 300.0 && ratio <= 11.0,
        peers: "",
    }]
}

/// A run of `trials` and the generator with the same requests, one after the other on the same server.
fn beside(server: &measure::Server, trials: usize, at_once: usize) -> (Measured, Duration) {
    let project = Project::new(trials, Cheap, &server.url);
    let theirs = load::generate(&server.url, project.bodies(), at_once);
    (project.evalrun(&format!("run --out run --quiet --concurrency {at_once}")), theirs)
}

fn both(measured: &Measured) -> String {
    format!("{:.2} s, {:.0} MB", measured.wall.as_secs_f64(), measured.peak_mb)
}
