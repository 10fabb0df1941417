//! A run as JSON: what was run, the rates, and a line a trial.
//!
//! Promises strict JSON: what is not known is null, never NaN. What differs from run to run stands in `run` and in a
//! trial's `attempts`, `cached` and `latency_ms`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::outcome::{Entry, ModelRecord, Run, RunHeader, Status};
use crate::property::Property;
use crate::report::tally::{Required, Subject, Tally, is_truncated, method, tally};
use crate::score::Verdict;

/// Writes a run as one JSON object: `run`, `plan`, `counts`, `summary` and `trials`, one trial a line.
///
/// # Errors
/// `out` cannot be written.
pub fn write_json(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let variants = tally(run);
    let method = method(run);
    let rows = variants.iter().flat_map(|variant| {
        variant.subjects.iter().map(move |(subject, tally)| {
            summary_row(variant.prompt.as_str(), variant.model.as_str(), *subject, tally, method)
        })
    });
    write!(out, "{{\"run\": {},\n\"plan\": {},\n\"counts\": {},\n", about(run), plan(&run.header), counts(run))?;
    write_list(out, "summary", rows)?;
    out.write_all(b",\n")?;
    let required = Required::of(run);
    write_list(out, "trials", run.entries.iter().map(|entry| trial_row(entry, &required)))?;
    out.write_all(b"}\n")
}

fn write_list<T: Serialize>(out: &mut dyn Write, name: &str, rows: impl Iterator<Item = T>) -> io::Result<()> {
    write!(out, "\"{name}\": [")?;
    for (n, row) in rows.enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &row)?;
    }
    out.write_all(b"]")
}

fn about(run: &Run) -> Value {
    let RunHeader { name, started_at, commit, rescored_from, merged_from, .. } = &run.header;
    let mut about =
        json!({"name": name, "started_at": started_at.to_string(), "commit": commit, "finished": run.finished});
    if let Some(from) = rescored_from {
        about["rescored_from"] = from.as_str().into();
    }
    if !merged_from.is_empty() {
        about["merged_from"] = merged_from.as_slice().into();
    }
    about
}

fn plan(header: &RunHeader) -> Value {
    let prompts: Vec<Value> =
        header.prompts.iter().map(|prompt| json!({"id": prompt.id, "digest": prompt.digest})).collect();
    let model = |model: &ModelRecord| json!({"id": model.id, "provider": model.provider, "name": model.name, "price_note": model.price_note});
    json!({
        "tool_version": header.tool_version,
        "scorer_version": header.scorer_version,
        "digest": header.plan_digest,
        "trials": header.trials,
        "repeats": header.repeats,
        "cases": header.cases.iter().map(|case| &case.id).collect::<Vec<_>>(),
        "prompts": prompts,
        "models": header.models.iter().map(model).collect::<Vec<_>>(),
    })
}

fn counts(run: &Run) -> Value {
    Status::ALL.iter().map(|status| (status.name().to_owned(), Value::from(run.count(*status)))).collect()
}

#[derive(Serialize)]
pub(super) struct SummaryRow<'a> {
    prompt: &'a str,
    model: &'a str,
    property: &'static str,
    trials: usize,
    passed: usize,
    failed: usize,
    unscored: usize,
    errored: usize,
    rate: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    method: Option<&'static str>,
}

/// What a subject of a variant came to.
pub(super) fn summary_row<'a>(
    prompt: &'a str,
    model: &'a str,
    subject: Subject,
    tally: &Tally,
    method: &'static str,
) -> SummaryRow<'a> {
    let rate = tally.rate();
    SummaryRow {
        prompt,
        model,
        property: subject.name(),
        trials: tally.trials(),
        passed: tally.count(Status::Passed),
        failed: tally.count(Status::Failed),
        unscored: tally.count(Status::Undecided),
        errored: tally.count(Status::Errored),
        rate: rate.map(|rate| rate.estimate),
        low: rate.map(|rate| rate.low),
        high: rate.map(|rate| rate.high),
        method: rate.map(|_| method),
    }
}

#[derive(Serialize)]
struct TrialRow<'a> {
    case: &'a str,
    prompt: &'a str,
    model: &'a str,
    repeat: u32,
    status: Status,
    verdicts: Map<String, Value>,
    fabricated: Option<usize>,
    chars: Option<usize>,
    finish_reason: Option<&'static str>,
    truncated: bool,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cost_usd: Option<f64>,
    served_model: Option<&'a str>,
    error: Option<&'a str>,
    attempts: usize,
    cached: bool,
    latency_ms: Option<u64>,
}

fn trial_row<'a>(entry: &'a Entry, required: &Required<'_>) -> TrialRow<'a> {
    let verdict = |property: Property| {
        let verdict = match required.status(entry, property)? {
            Status::Passed => Verdict::Pass.name().into(),
            Status::Failed => Verdict::Fail.name().into(),
            Status::Undecided => Verdict::Unscored.name().into(),
            Status::Errored | Status::Skipped => Value::Null,
        };
        Some((property.name().to_owned(), verdict))
    };
    TrialRow {
        case: entry.trial.case.as_str(),
        prompt: entry.trial.prompt.as_str(),
        model: entry.trial.model.as_str(),
        repeat: entry.trial.repeat,
        status: entry.status,
        verdicts: Property::ALL.into_iter().filter_map(verdict).collect(),
        fabricated: entry.fabricated,
        chars: entry.chars,
        finish_reason: Some(entry.finish.name()).filter(|name| !name.is_empty()),
        truncated: is_truncated(entry),
        input_tokens: entry.usage.input_tokens,
        output_tokens: entry.usage.output_tokens,
        cost_usd: entry.cost,
        served_model: entry.served_model.as_deref(),
        error: entry.error.as_deref(),
        attempts: entry.attempts,
        cached: entry.cached,
        latency_ms: u64::try_from(entry.latency.as_millis()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun};

    fn rendered(run: &SampleRun) -> String {
        let mut out = Vec::new();
        write_json(run, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_is_an_object_with_a_line_a_trial() {
        let run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| trial.truncated().cost(0.002_75).fail("length"))
            .case("b", |trial| trial.errored("timeout: no answer"))
            .build();
        insta::assert_snapshot!(rendered(&run), @r#"
        {"run": {"commit":null,"finished":true,"name":"2025-07-01T090000Z-3f2a1c","started_at":"2025-07-01T09:00:00Z"},
        "plan": {"cases":["a","b"],"digest":"3f2a1c993f2a1c993f2a1c993f2a1c993f2a1c993f2a1c993f2a1c993f2a1c99","models":[{"id":"m","name":"m","price_note":null,"provider":"recorded"}],"prompts":[{"digest":"d1","id":"p"}],"repeats":1,"scorer_version":1,"tool_version":"0.1.0","trials":2},
        "counts": {"errored":1,"failed":1,"passed":0,"skipped":0,"undecided":0},
        "summary": [
        {"prompt":"p","model":"m","property":"all","trials":2,"passed":0,"failed":1,"unscored":0,"errored":1,"rate":0.0,"low":0.0,"high":0.7934506856227626,"method":"wilson95"},
        {"prompt":"p","model":"m","property":"japanese_only","trials":1,"passed":0,"failed":0,"unscored":0,"errored":1,"rate":null,"low":null,"high":null,"method":null},
        {"prompt":"p","model":"m","property":"length","trials":1,"passed":0,"failed":1,"unscored":0,"errored":0,"rate":0.0,"low":0.0,"high":0.7934506856227626,"method":"wilson95"}],
        "trials": [
        {"case":"a","prompt":"p","model":"m","repeat":0,"status":"failed","verdicts":{"length":"fail"},"fabricated":null,"chars":16,"finish_reason":"length","truncated":true,"input_tokens":120,"output_tokens":900,"cost_usd":0.00275,"served_model":null,"error":null,"attempts":0,"cached":false,"latency_ms":0},
        {"case":"b","prompt":"p","model":"m","repeat":0,"status":"errored","verdicts":{"japanese_only":null},"fabricated":null,"chars":null,"finish_reason":null,"truncated":false,"input_tokens":null,"output_tokens":null,"cost_usd":null,"served_model":null,"error":"timeout: no answer","attempts":1,"cached":false,"latency_ms":0}]}
        "#);
    }

    #[test]
    fn json_is_strict_whatever_a_run_holds() {
        let empty = RunBuilder::new(&[], &[]).build();
        let mut odd =
            RunBuilder::new(&["p"], &["m"]).case("a", |trial| trial.errored("\"\u{1b}\u{2028}\n</script>")).build();
        odd.entries[0].cost = Some(f64::NAN);
        for run in [empty, odd] {
            let parsed: Value = serde_json::from_str(&rendered(&run)).unwrap();
            assert!(parsed["trials"].is_array());
        }
    }
}
