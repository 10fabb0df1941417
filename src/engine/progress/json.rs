//! Events of a run as JSON, for programs: an object each, with `event` and `at`.

use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Detail;
use super::board::Board;
use crate::budget::Spending;
use crate::engine::event::{Counts, Event};
use crate::outcome::Status;
use crate::response::Failure;
use crate::trial::TrialId;

/// What has happened; `None` where it is more than is wanted.
pub(super) fn of_event(event: &Event, board: &Board, detail: Detail, at: Timestamp) -> Option<Value> {
    let wanted = |least: Detail, name: &str, fields: Value| (detail >= least).then(|| object(name, at, fields));
    match event {
        Event::RunStarted { total, already_done, models, .. } => {
            let models = models.iter().map(|of| json!({"model": of.model, "total": of.total, "done": of.done}));
            let fields = json!({"total": total, "done": already_done.total(), "models": models.collect::<Vec<_>>()});
            wanted(Detail::None, "started", fields)
        }
        Event::AttemptStarted { trial, limit } => {
            wanted(Detail::Attempts, "attempt_started", with(of_trial(trial), json!({"limit": limit})))
        }
        Event::AttemptFailed { trial, failure, wait } => {
            let wait = wait.map(|wait| wait.as_secs_f64());
            let fields = with(of_trial(trial), with(of_failure(failure), json!({"again_in_seconds": wait})));
            wanted(Detail::Outcomes, "attempt_failed", fields)
        }
        Event::SlowedDown { model, slowed } => {
            let rpm = slowed.rate.map(|rate| (rate * 60.0).round());
            let fields =
                json!({"model": model, "limit_before": slowed.limit_before, "limit": slowed.limit, "rpm": rpm});
            wanted(Detail::None, "slowed_down", fields)
        }
        Event::Paused { model, wait } => {
            wanted(Detail::None, "paused", json!({"model": model, "seconds": wait.as_secs_f64()}))
        }
        Event::TrialFinished { summary, .. } => {
            let fields = json!({
                "status": summary.status,
                "finish_reason": summary.finish,
                "input_tokens": summary.usage.input_tokens,
                "output_tokens": summary.usage.output_tokens,
                "cost_usd": summary.cost,
                "error": summary.error,
                "attempts": summary.attempts,
                "cached": summary.cached,
                "latency_ms": u64::try_from(summary.latency.as_millis()).unwrap_or(u64::MAX),
            });
            wanted(Detail::Outcomes, "trial_finished", with(of_trial(&summary.trial), fields))
        }
        Event::ModelStopped { model, failure, trials_left } => {
            let fields = with(json!({"model": model, "trials_left": trials_left}), of_failure(failure));
            wanted(Detail::None, "model_stopped", fields)
        }
        Event::BudgetUsedUp { spent, refused, in_flight } => {
            let fields = json!({"budget": refused.bound.key(), "most": refused.most, "under_way": in_flight});
            wanted(Detail::None, "budget_used_up", with(fields, of_spending(spent, board)))
        }
        Event::Interrupted { in_flight } => wanted(Detail::None, "interrupted", json!({"under_way": in_flight})),
        Event::RunFinished { counts } => {
            wanted(Detail::None, "finished", with(of_counts(counts), of_spending(&board.spent, board)))
        }
    }
}

/// Where a run stands.
pub(super) fn progress(board: &Board, now: Instant, at: Timestamp) -> Value {
    let lanes = board.lanes.iter().map(|lane| {
        json!({
            "model": lane.model,
            "total": lane.total,
            "done": lane.done,
            "under_way": lane.under_way(),
            "limit": lane.limit,
            "rate": rounded(lane.rate(now)),
            "failures": lane.failures,
            "stopped": lane.is_stopped,
        })
    });
    let fields = json!({
        "total": board.total,
        "done": board.done(),
        "under_way": board.under_way(),
        "rate": rounded(board.rate(now)),
        "seconds_left": board.eta(now).map(|left| left.as_secs()),
        "models": lanes.collect::<Vec<_>>(),
    });
    object("progress", at, with(fields, with(of_counts(&board.counts), of_spending(&board.spent, board))))
}

fn object(name: &str, at: Timestamp, fields: Value) -> Value {
    with(json!({"event": name, "at": at}), fields)
}

/// The fields of both objects.
fn with(one: Value, other: Value) -> Value {
    let fields = |value| if let Value::Object(fields) = value { fields } else { Map::new() };
    Value::Object(fields(one).into_iter().chain(fields(other)).collect())
}

fn of_trial(trial: &TrialId) -> Value {
    json!({"case": trial.case, "prompt": trial.prompt, "model": trial.model, "repeat": trial.repeat})
}

fn of_failure(failure: &Failure) -> Value {
    json!({"failure": failure.kind, "http_status": failure.status, "code": failure.code, "message": failure.message})
}

fn of_counts(counts: &Counts) -> Value {
    Value::Object(Status::ALL.into_iter().map(|status| (status.name().to_owned(), counts.of(status).into())).collect())
}

fn of_spending(spent: &Spending, board: &Board) -> Value {
    // Without prices nothing is known of costs, which is not the same as none.
    let cost = Some(spent.dollars()).filter(|dollars| *dollars > 0.0 || board.budget.max_cost.is_some());
    json!({"requests": spent.requests, "tokens": spent.tokens, "cost_usd": cost})
}

/// Two places are enough of what is measured.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
