//! What is said of a run, event by event, on a clock that the tests move.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::budget::{Bound, Budget, Spending};
use crate::engine::testing::{SECOND, failure};
use crate::engine::{ModelTrials, Refused, Slowed};
use crate::model::Price;
use crate::response::{FailureKind, FinishReason, Usage};
use crate::trial::TrialId;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn trial(case: usize, model: &str) -> TrialId {
    let case = format!("c{case}").parse().unwrap();
    TrialId { case, prompt: "p".parse().unwrap(), model: model.parse().unwrap(), repeat: 0 }
}

fn spent(requests: u64) -> Spending {
    let usage = Usage { input_tokens: Some(10), output_tokens: Some(90), ..Usage::default() };
    let price = Price { input: 10.0, output: 10.0, cached_input: None, valid_until: None };
    (0..requests).map(|_| Spending::of(&usage, Some(price)).unwrap()).sum()
}

fn finished(trial: TrialId, status: Status, requests: u64) -> Event {
    let summary = Summary {
        trial,
        status,
        finish: FinishReason::Stop,
        usage: Usage { input_tokens: Some(10), output_tokens: Some(90), ..Usage::default() },
        cost: Some(0.001),
        error: (status == Status::Errored).then(|| "bad request (400): no".to_owned()),
        attempts: 1,
        cached: false,
        latency: SECOND,
    };
    Event::TrialFinished { summary, spent: spent(requests) }
}

/// A run of 20 trials of `m` and 5 of `n` with what can happen in one, each event so many seconds after the one before.
fn events() -> Vec<(u32, Event)> {
    let of = |model: &str, total, done| ModelTrials { model: model.parse().unwrap(), total, done };
    let mut events = vec![
        (
            0,
            Event::RunStarted {
                total: 25,
                already_done: [Status::Passed, Status::Failed].into_iter().collect(),
                models: vec![of("m", 20, 2), of("n", 5, 0)],
                budget: Budget { max_cost: Some(0.5), ..Budget::default() },
                spent: spent(2),
            },
        ),
        (0, Event::AttemptStarted { trial: trial(3, "m"), limit: 8 }),
        (0, Event::AttemptStarted { trial: trial(1, "n"), limit: 8 }),
        (
            1,
            Event::AttemptFailed {
                trial: trial(1, "n"),
                failure: failure(FailureKind::RateLimited, 429, "later"),
                wait: Some(SECOND),
            },
        ),
        (
            0,
            Event::SlowedDown { model: "n".parse().unwrap(), slowed: Slowed { limit_before: 8, limit: 5, rate: None } },
        ),
    ];
    for case in 3..9 {
        let status = [Status::Passed, Status::Errored, Status::Undecided][case % 3];
        events.push((1, Event::AttemptStarted { trial: trial(case, "m"), limit: 8 }));
        events.push((1, finished(trial(case, "m"), status, case as u64)));
    }
    events.push((0, Event::AttemptStarted { trial: trial(9, "m"), limit: 9 }));
    events.push((
        0,
        Event::ModelStopped {
            model: "n".parse().unwrap(),
            failure: failure(FailureKind::Authentication, 401, "\u{1B}[31mbad\nkey\u{202E}"),
            trials_left: 4,
        },
    ));
    let refused = Refused { bound: Bound::Cost, most: 0.5, request: spent(1) };
    events.push((1, Event::BudgetUsedUp { spent: spent(8), refused, in_flight: 1 }));
    events.push((0, Event::Interrupted { in_flight: 1 }));
    let mut counts: Counts = [Status::Passed, Status::Failed, Status::Undecided].into_iter().collect();
    counts.add(Status::Skipped, 22);
    events.push((1, Event::RunFinished { counts }));
    events
}

/// What is said of the events, ticks between them included.
fn said(view: fn(Box<dyn Write + Send>) -> View, detail: Detail) -> String {
    let shared = Shared::default();
    let mut now = Instant::now();
    let mut progress = Progress::with_view(view(Box::new(shared.clone())), now).detail(detail);
    for (seconds, event) in events() {
        for _ in 0..seconds * 2 {
            now += SECOND / 2;
            progress.tick(now);
        }
        progress.update(&event, now);
    }
    shared.text()
}

#[test]
fn without_a_terminal_a_line_comes_now_and_then() {
    insta::assert_snapshot!(said(View::Lines, Detail::None), @r"
    25 trials, 2 of them done before
    3/25, 1 failed, 1 under way, 0.2/s, 0.0030 of 0.5 US dollars
    6/25, 1 failed, 1 errored, 0 under way, 0.4/s, 0.0060 of 0.5 US dollars
    n is asked no more: authentication (401): \u{1b}[31mbad key\u{202e} (trials left: 4)
    max_cost is used up: asking no more, finishing what is under way (1)
    interrupted: finishing what is under way (1); once more drops it
    8/25, 1 failed, 2 errored, 1 under way, 0.4/s, 0:30 left, 0.0080 of 0.5 US dollars
    3 of 25 trials done after 0:15
    ");
}

#[test]
fn each_outcome_and_attempt_has_a_line_where_that_is_wanted() {
    insta::assert_snapshot!(said(View::Lines, Detail::Attempts), @r"
    25 trials, 2 of them done before
    c3 · p@m: asked
    c1 · p@n: asked
    c1 · p@n: rate limited (429): later; again in 1.0 s
    n: the server asks to slow down: 5 at once instead of 8
    c3 · p@m: asked
    c3 · p@m passed (1 attempt, 1.0 s, 10 + 90 tokens, 0.0010 US dollars)
    c4 · p@m: asked
    3/25, 1 failed, 1 under way, 0.2/s, 0.0030 of 0.5 US dollars
    c4 · p@m errored (1 attempt, 1.0 s, 10 + 90 tokens, 0.0010 US dollars): bad request (400): no
    c5 · p@m: asked
    c5 · p@m undecided (1 attempt, 1.0 s, 10 + 90 tokens, 0.0010 US dollars)
    c6 · p@m: asked
    c6 · p@m passed (1 attempt, 1.0 s, 10 + 90 tokens, 0.0010 US dollars)
    6/25, 1 failed, 1 errored, 0 under way, 0.4/s, 0.0060 of 0.5 US dollars
    c7 · p@m: asked
    c7 · p@m errored (1 attempt, 1.0 s, 10 + 90 tokens, 0.0010 US dollars): bad request (400): no
    c8 · p@m: asked
    c8 · p@m undecided (1 attempt, 1.0 s, 10 + 90 tokens, 0.0010 US dollars)
    c9 · p@m: asked
    n is asked no more: authentication (401): \u{1b}[31mbad key\u{202e} (trials left: 4)
    max_cost is used up: asking no more, finishing what is under way (1)
    interrupted: finishing what is under way (1); once more drops it
    8/25, 1 failed, 2 errored, 1 under way, 0.4/s, 0:30 left, 0.0080 of 0.5 US dollars
    3 of 25 trials done after 0:15
    ");
}

#[test]
fn events_are_told_as_json_one_a_line() {
    let told = |detail| -> Vec<serde_json::Value> {
        said(View::Json, detail).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let names = |detail| {
        let names = told(detail).into_iter().map(|object| object["event"].as_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.dedup();
        names.join(" ")
    };
    assert_eq!(
        names(Detail::None),
        "started slowed_down progress model_stopped budget_used_up interrupted progress finished"
    );
    assert!(names(Detail::Outcomes).starts_with("started attempt_failed slowed_down trial_finished progress"));
    assert!(names(Detail::Attempts).starts_with("started attempt_started attempt_failed"));
    let mut seen = HashSet::new();
    let first = |object: &serde_json::Value| seen.insert(object["event"].to_string());
    let shown = told(Detail::Outcomes).into_iter().filter(first).map(|mut object| {
        let at = object.as_object_mut().unwrap().remove("at").unwrap();
        assert!(at.as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok()), "{at}");
        object.to_string().replace('\u{202E}', "") + "\n"
    });
    insta::assert_snapshot!(shown.collect::<String>(), @r#"
    {"done":2,"event":"started","models":[{"done":2,"model":"m","total":20},{"done":0,"model":"n","total":5}],"total":25}
    {"again_in_seconds":1.0,"case":"c1","code":null,"event":"attempt_failed","failure":"rate_limited","http_status":429,"message":"later","model":"n","prompt":"p","repeat":0}
    {"event":"slowed_down","limit":5,"limit_before":8,"model":"n","rpm":null}
    {"attempts":1,"cached":false,"case":"c3","cost_usd":0.001,"error":null,"event":"trial_finished","finish_reason":"stop","input_tokens":10,"latency_ms":1000,"model":"m","output_tokens":90,"prompt":"p","repeat":0,"status":"passed"}
    {"cost_usd":0.003,"done":3,"errored":0,"event":"progress","failed":1,"models":[{"done":3,"failures":{},"limit":8,"model":"m","rate":0.21,"stopped":false,"total":20,"under_way":1},{"done":0,"failures":{"rate_limited":1},"limit":5,"model":"n","rate":0.0,"stopped":false,"total":5,"under_way":0}],"passed":2,"rate":0.21,"requests":3,"seconds_left":null,"skipped":0,"tokens":300,"total":25,"undecided":0,"under_way":1}
    {"code":null,"event":"model_stopped","failure":"authentication","http_status":401,"message":"\u001b[31mbad\nkey","model":"n","trials_left":4}
    {"budget":"max_cost","cost_usd":0.008,"event":"budget_used_up","most":0.5,"requests":8,"tokens":800,"under_way":1}
    {"event":"interrupted","under_way":1}
    {"cost_usd":0.008,"errored":0,"event":"finished","failed":1,"passed":1,"requests":8,"skipped":22,"tokens":800,"undecided":1}
    "#);
}

#[test]
fn gaps_between_lines_grow_with_the_run() {
    let shared = Shared::default();
    let began = Instant::now();
    let mut progress = Progress::with_view(View::Lines(Box::new(shared.clone())), began);
    progress.update(&events()[0].1, began);
    let mut lines = Vec::new();
    for second in 0..=7_200 {
        progress.tick(began + SECOND * second);
        if [0, 60, 3_600, 7_200].contains(&second) {
            lines.push(shared.text().lines().count());
        }
    }
    // One at the beginning, one every 5 seconds of the first minute, one every 6 minutes after two hours.
    assert_eq!(lines, [1, 13, 92, 107]);
}

#[test]
fn every_view_takes_every_event() {
    for display in [Display::Quiet, Display::Live] {
        let mut progress = Progress::new(display);
        for (_, event) in events() {
            progress.update(&event, Instant::now());
            progress.tick(Instant::now());
        }
        assert_eq!(format!("{progress:?}"), "Progress(8/25)");
    }
}

#[test]
fn a_servers_text_cannot_move_the_cursor_or_turn_the_line() {
    for (text, shown) in [
        ("日本語", "日本語"),
        ("a\r\nb\tc", "a  b c"),
        ("\u{1B}[2J", "\\u{1b}[2J"),
        ("\u{9B}1m", "\\u{9b}1m"),
        ("x\u{202E}y", "x\\u{202e}y"),
    ] {
        assert_eq!(visible(text), shown);
    }
    assert_eq!(visible(&"長".repeat(1_000)).chars().count(), MAX_MESSAGE + 1);
}
