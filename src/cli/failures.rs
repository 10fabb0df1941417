//! What is said of attempts that failed, where trials are without an answer when a run ends: how many, why, in whose words.
//!
//! Promises a line for each model and kind of failure, and that a server's words are one line and no more than so many.

use serde_json::{Value, json};

use super::context::Context;
use super::words;
use crate::engine::{Counts, Failures, Finished};
use crate::lang::Lang;
use crate::outcome::Status;
use crate::report::one_line;

/// The most lines.
const MOST_LINES: usize = 8;

/// The most characters of a message: as many as a server's first sentence or two.
const MOST_CHARS: usize = 300;

/// Says why attempts failed, if trials errored or are left.
pub(super) fn say(finished: &Finished, lang: Lang, context: &Context) {
    if !is_incomplete(&finished.counts) {
        return;
    }
    if let Some(text) = text(&finished.failures, lang) {
        context.console.tell(&text, "failures", json(&finished.failures));
    }
}

fn is_incomplete(counts: &Counts) -> bool {
    counts.of(Status::Errored) + counts.of(Status::Skipped) > 0
}

/// A head and a line for each model and kind, what failed most often first; `None` if nothing failed.
pub(super) fn text(failures: &[Failures], lang: Lang) -> Option<String> {
    let all: usize = failures.iter().map(|failures| failures.attempts).sum();
    let mut sorted: Vec<&Failures> = failures.iter().collect();
    sorted.sort_by_key(|failures| std::cmp::Reverse(failures.attempts));
    let lines = sorted.iter().take(MOST_LINES).map(|failures| {
        let Failures { model, attempts, last } = failures;
        format!("\n  {attempts} × {model}: {}", clipped(&one_line(&last.to_string())))
    });
    let more = sorted.len().saturating_sub(MOST_LINES);
    let more = (more > 0).then(|| format!("\n  {}", words::more_kinds(more, lang)));
    let head = words::failed(all, lang);
    (all > 0).then(|| std::iter::once(head).chain(lines).chain(more).collect())
}

fn clipped(message: &str) -> String {
    match message.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

fn json(failures: &[Failures]) -> Value {
    let kinds = failures.iter().map(|Failures { model, attempts, last }| {
        json!({
            "model": model,
            "attempts": attempts,
            "failure": last.kind,
            "http_status": last.status,
            "code": last.code,
            "message": last.message,
        })
    });
    json!({"kinds": kinds.collect::<Vec<_>>()})
}
