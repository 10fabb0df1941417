//! Answers that come in parts: how their rest is asked for, and what becomes of them if it does not come.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::MOST_PARTS;
use crate::budget::Budget;
use crate::engine::testing::{SECOND, Tried, Trying, failure, hint, model, small_plan};
use crate::engine::transport::Reply;
use crate::engine::transport::scripted::{Call, answer, part};
use crate::engine::{Answer, Cancel, Event};
use crate::model::{Model, Price, Provider};
use crate::outcome::{Outcome, Status};
use crate::response::{Failure, FailureKind, FinishReason};

const AT_ONCE: Duration = Duration::ZERO;

fn trying() -> Trying {
    let price = Price { input: 0.0, output: 1_000_000.0, cached_input: None, valid_until: None };
    Trying::new(small_plan(1, vec![Model { price: Some(price), ..model("m", Provider::Gemini) }], 1), 1)
}

/// Which tokens each request carried.
fn tokens(tried: &Tried) -> Vec<Option<String>> {
    let token = |call: &Call| {
        let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
        body["continuationToken"].as_str().map(str::to_owned)
    };
    tried.scripted.calls().iter().map(token).collect()
}

fn answered(outcome: &Outcome) -> (Option<&str>, FinishReason, usize, Option<u64>, Option<f64>) {
    let Outcome { answer, finish, attempts, usage, cost, .. } = outcome;
    (answer.as_deref(), finish.reason, attempts.len(), usage.output_tokens, *cost)
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_an_answer_are_joined_and_their_counts_added_up() {
    let tried = trying()
        .run(|call| match call.attempt {
            1 => (SECOND, Ok(part("第一部。", "t1"))),
            2 => (SECOND, Ok(part("第二部。", "t2"))),
            _ => (SECOND, Ok(answer("終わり。"))),
        })
        .await;
    assert_eq!(tokens(&tried), [None, Some("t1".into()), Some("t2".into())]);
    let outcome = tried.outcome("c1");
    let expected = (Some("第一部。第二部。終わり。"), FinishReason::Stop, 3, Some(60), Some(60.0));
    assert_eq!((answered(outcome), outcome.usage.input_tokens, outcome.latency), (expected, Some(30), SECOND * 3));
    let finished = tried.finished.unwrap();
    assert_eq!((finished.spent.requests, finished.spent.dollars()), (3, 60.0));
}

#[tokio::test(start_paused = true)]
async fn a_request_for_the_rest_that_fails_is_made_again_alone() {
    let tried = trying()
        .run(|call| match call.attempt {
            1 => (SECOND, Ok(part("第一部。", "t1"))),
            2 => (AT_ONCE, Err(hint(FailureKind::RateLimited, 429, 7))),
            3 => (AT_ONCE, Err(failure(FailureKind::Unavailable, 503, "later"))),
            _ => (SECOND, Ok(answer("第二部。"))),
        })
        .await;
    assert_eq!(tokens(&tried)[1..], ["t1", "t1", "t1"].map(|token| Some(token.to_owned())));
    assert_eq!(answered(tried.outcome("c1")), (Some("第一部。第二部。"), FinishReason::Stop, 4, Some(40), Some(40.0)));
}

#[tokio::test(start_paused = true)]
async fn without_its_rest_an_answer_errs_and_tells_what_its_parts_cost() {
    for failed in [failure(FailureKind::BadRequest, 400, "no"), failure(FailureKind::Unavailable, 503, "later")] {
        let tried = trying()
            .run(move |call| match call.attempt {
                1 => (SECOND, Ok(part("第一部。", "t1"))),
                _ => (AT_ONCE, Err(failed.clone())),
            })
            .await;
        let outcome = tried.outcome("c1");
        assert_eq!((outcome.status, outcome.answer.as_deref()), (Status::Errored, None));
        assert_eq!((outcome.usage.output_tokens, outcome.cost), (Some(20), Some(20.0)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_followed_so_far_and_kept_as_a_part() {
    let tried = trying().run(|call| (AT_ONCE, Ok(part("部", &call.attempt.to_string())))).await;
    assert_eq!(tried.scripted.calls().len(), MOST_PARTS);
    let text = "部".repeat(MOST_PARTS);
    let outcome = tried.outcome("c1");
    assert_eq!((outcome.answer.as_deref(), outcome.finish.reason), (Some(text.as_str()), FinishReason::Continuation));
}

#[tokio::test(start_paused = true)]
async fn an_answer_under_way_gets_its_rest_whatever_the_budget_and_an_interruption_say() {
    type Script = fn(&Call) -> (Duration, Result<Reply, Failure>);
    let script: Script = |call| match call.attempt {
        1 => (SECOND, Ok(part("第一部。", "t1"))),
        2 => (SECOND, Err(failure(FailureKind::Unavailable, 503, "later"))),
        _ => (SECOND, Ok(answer("第二部。"))),
    };
    for is_interrupted in [false, true] {
        let mut trying = trying();
        if is_interrupted {
            let cancel = trying.cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(SECOND / 2).await;
                cancel.send_replace(Cancel::Finish);
            });
        } else {
            trying.setup.budget = Budget { max_requests: Some(1), ..Budget::default() };
        }
        let tried = trying.run(script).await;
        assert_eq!(tried.outcome("c1").answer.as_deref(), Some("第一部。第二部。"));
        assert_eq!(tried.finished.unwrap().spent.requests, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_is_kept_before_the_rest_is_asked_for() {
    let mut trying = trying();
    let kept: Arc<Mutex<Vec<Answer>>> = Arc::default();
    let keeper = Arc::clone(&kept);
    trying.setup.keep_part = Arc::new(move |_, part| {
        keeper.lock().unwrap().push(part.clone());
        Ok(())
    });
    let seen = Arc::clone(&kept);
    let tried = trying
        .run(move |call| {
            assert_eq!(seen.lock().unwrap().len(), call.attempt - 1);
            match call.attempt {
                3 => (SECOND, Ok(answer("終わり。"))),
                n => (SECOND, Ok(part("部。", &format!("t{n}")))),
            }
        })
        .await;
    assert_eq!(tried.count(Status::Passed), 1);
    let told = |part: &Answer| (part.response.rest.clone(), part.attempts.len(), part.latency);
    let kept: Vec<_> = kept.lock().unwrap().iter().map(told).collect();
    assert_eq!(kept, [(Some("t1".into()), 1, SECOND), (Some("t2".into()), 1, SECOND)]);
}

#[tokio::test(start_paused = true)]
async fn of_an_answer_whose_parts_came_before_the_rest_is_asked_for_alone() {
    let came = |text: &str, token: &str| {
        let attempt = super::attempt_of("2026-12-01T00:00:00Z".parse().unwrap(), SECOND);
        Answer { response: part(text, token).response, attempts: vec![attempt], latency: SECOND, cached: false }
    };
    for budget in [Budget::default(), Budget { max_requests: Some(0), ..Budget::default() }] {
        let mut trying = trying();
        trying.setup.budget = budget;
        let id = trying.setup.plan.trials[0].id.clone();
        trying.setup.parts = HashMap::from([(id, vec![came("第一部。", "t1"), came("第二部。", "t2")])]);
        let tried = trying.run(|_| (SECOND, Ok(answer("終わり。")))).await;
        assert_eq!(tokens(&tried), [Some("t2".into())]);
        let outcome = tried.outcome("c1");
        let expected = (Some("第一部。第二部。終わり。"), FinishReason::Stop, 3, Some(60), Some(60.0));
        assert_eq!((answered(outcome), outcome.latency), (expected, SECOND * 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_cannot_be_kept_ends_the_run() {
    let mut trying = trying();
    trying.setup.keep_part = Arc::new(|_, _| Err(io::Error::other("disk full")));
    let tried = trying.run(|_| (SECOND, Ok(part("部。", "t1")))).await;
    assert_eq!(tried.finished.unwrap_err().to_string(), "disk full");
    assert_eq!((tried.scripted.calls().len(), tried.outcomes.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_and_dropped_is_no_outcome() {
    let trying = trying();
    let cancel = trying.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(SECOND * 3 / 2).await;
        cancel.send_replace(Cancel::Drop);
    });
    let tried = trying.run(|call| (SECOND, Ok(part("部", &call.attempt.to_string())))).await;
    assert_eq!((tried.outcomes.len(), tried.scripted.calls().len()), (0, 2));
    assert!(tried.events.iter().any(|event| matches!(event, Event::Interrupted { in_flight: 1 })));
}
