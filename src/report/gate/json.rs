//! A gate as JSON.
//!
//! Promises strict JSON: what is undefined is null, with its reason in `reasons`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::sentence;
use crate::gate::{Beside, Check, Decision, Finding, Gate, REGRESSION_LEVEL};
use crate::outcome::Run;
use crate::project::On;
use crate::report::comparison::{cases, sentences};
use crate::report::lang::Lang;
use crate::stats::LEVEL;

/// Writes a gate as one JSON object.
///
/// # Errors
/// `out` cannot be written.
pub fn write_gate_json(gate: &Gate, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let (missing, trials) = gate.missing;
    let value = json!({
        "run": run.header.name,
        "decision": gate.decision().name(),
        "sure": gate.decision() != Decision::Failed || gate.surely_failed(),
        "missing": missing,
        "trials": trials,
        "missing_is_accepted": gate.missing_is_accepted,
        "checks": gate.checks.iter().map(check_json).collect::<Vec<_>>(),
        "baseline": gate.beside.as_ref().map(baseline_json),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn baseline_json(Beside { name, cases: joined, warnings }: &Beside) -> Value {
    let warnings: Vec<String> = warnings.iter().map(sentences(Lang::En).warning).collect();
    json!({"run": name, "cases": cases(joined), "warnings": warnings})
}

fn check_json(check: &Check) -> Value {
    let (prompt, model) = check.variant.clone().unzip();
    let mut value = json!({
        "prompt": prompt,
        "model": model,
        "property": check.subject.name(),
        "tier": check.tier.name(),
        "decision": check.decision.name(),
        "could_change": check.could_change,
        "sentence": sentence(check, Lang::En),
        "cases": check.cases(),
        "undecided": check.undecided(),
    });
    let more = match &check.finding {
        Finding::Rate { passed, decided, rate, min, on, .. } => json!({
            "check": "min_rate", "passed": passed, "decided": decided, "min": min, "cases_needed": needed(check),
            "on": if *on == On::Low { "low" } else { "estimate" }, "level": LEVEL,
            "rate": rate.map(|rate| rate.estimate), "low": rate.map(|rate| rate.low), "high": rate.map(|rate| rate.high),
        }),
        Finding::Drop { base, difference, max, .. } => json!({
            "check": "max_drop", "base": base, "max": max, "level": REGRESSION_LEVEL, "cases_needed": needed(check),
            "estimate": difference.map(|range| range.estimate),
            "low": difference.map(|range| range.low), "high": difference.map(|range| range.high),
        }),
        Finding::Broken { base, max, .. } => json!({"check": "max_broken", "base": base, "max": max}),
        Finding::NoCounterpart => json!({"check": "baseline"}),
        Finding::NotRequired => json!({"check": "required"}),
        Finding::Missing { missing, of, max } => {
            json!({"check": "max_errored", "missing": missing, "trials": of, "max": max})
        }
        Finding::Cost { dollars, unknown, max } => {
            json!({"check": "max_cost", "dollars": dollars, "unknown": unknown, "max": max})
        }
    };
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
        let reasons = reasons(check, value);
        value.insert("reasons".to_owned(), reasons.into());
    }
    value
}

/// How many cases could show what is asked for, where there are too few.
fn needed(check: &Check) -> Option<usize> {
    check.too_few()?.needed
}

/// Why what is null is null.
fn reasons(check: &Check, value: &Map<String, Value>) -> Map<String, Value> {
    let why = |key: &str| match (key, &check.finding) {
        ("prompt" | "model", _) => "it is about the run as a whole",
        ("cases_needed", _) if check.too_few().is_some() => "no number of cases can show it",
        ("cases_needed", _) => "there are cases enough to show it",
        (_, Finding::Rate { .. }) => "no case is decided",
        _ => "the two cannot be compared",
    };
    let nulls = value.iter().filter(|(_, value)| value.is_null());
    nulls.map(|(key, _)| (key.clone(), why(key).into())).collect()
}
