//! Whole runs through a scripted transport on a paused clock.

use std::time::Duration;

use super::*;
use crate::engine::testing::{SECOND, Trying, failure, hint, model, score, small_plan};
use crate::engine::transport::Reply;
use crate::engine::transport::scripted::{Scripted, answer};
use crate::model::Provider;
use crate::response::{Finish, Usage};

const AT_ONCE: Duration = Duration::ZERO;

fn server(id: &str) -> Model {
    model(id, Provider::OpenAi)
}

/// Two models with one account.
fn neighbours() -> Vec<Model> {
    ["a", "b"].map(|id| Model { base_url: "http://one.test".into(), ..server(id) }).into()
}

fn dead_key() -> Failure {
    failure(FailureKind::Authentication, 401, "bad key")
}

#[tokio::test(start_paused = true)]
async fn a_429_waits_for_retry_after() {
    let mut trying = Trying::new(small_plan(1, vec![server("m")], 1), 1);
    trying.setup.jitter = Arc::new(|| 0.0);
    let tried = trying
        .run(|call| match call.attempt {
            1 => (SECOND, Err(hint(FailureKind::RateLimited, 429, 7))),
            _ => (SECOND, Ok(answer("はい"))),
        })
        .await;
    assert_eq!(tried.attempts_of("c1"), [0, 8_000]);
    let outcome = tried.outcome("c1");
    assert_eq!((outcome.status, outcome.latency, tried.took), (Status::Passed, SECOND * 9, SECOND * 9));
    let attempts: Vec<_> =
        outcome.attempts.iter().map(|attempt| (attempt.millis, attempt.status, attempt.waited_millis)).collect();
    assert_eq!(attempts, [(1_000, Some(429), Some(7_000)), (1_000, Some(200), None)]);
    assert_eq!(outcome.attempts[0].failure, Some(FailureKind::RateLimited));
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_server_is_asked_five_times_with_doubling_delays() {
    let tried = Trying::new(small_plan(1, vec![server("m")], 1), 1)
        .run(|_| (AT_ONCE, Err(failure(FailureKind::Unavailable, 503, "overloaded"))))
        .await;
    assert_eq!(tried.attempts_of("c1"), [0, 500, 1_500, 3_500, 7_500]);
    let error = tried.outcome("c1").error.as_deref();
    assert_eq!(error, Some("unavailable (503): overloaded; given up after 5 attempts"));
    assert_eq!((tried.count(Status::Errored), tried.took), (1, Duration::from_millis(7_500)));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_later_is_asked_once() {
    let longest = failure(FailureKind::BadRequest, 400, "too long");
    let later = hint(FailureKind::RateLimited, 429, 3_600);
    for (failure, error) in [
        (longest, "bad request (400): too long"),
        (
            later,
            "rate limited (429): later; given up, since the server asks to wait 3600s and a trial may take no \
             longer than 900s",
        ),
    ] {
        let tried =
            Trying::new(small_plan(1, vec![server("m")], 1), 1).run(move |_| (AT_ONCE, Err(failure.clone()))).await;
        assert_eq!(tried.attempts_of("c1"), [0]);
        assert_eq!(tried.outcome("c1").error.as_deref(), Some(error));
    }
}

#[tokio::test(start_paused = true)]
async fn files_and_programs_are_asked_once() {
    for provider in [Provider::Recorded, Provider::Command] {
        let tried = Trying::new(small_plan(1, vec![model("m", provider)], 1), 1)
            .run(|_| (AT_ONCE, Err(Failure::new(FailureKind::Timeout, "no answer within 1s"))))
            .await;
        assert_eq!((tried.attempts_of("c1").len(), tried.count(Status::Errored)), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_key_stops_its_model_and_no_other() {
    let tried = Trying::new(small_plan(10, vec![server("dead"), server("good")], 1), 1)
        .run(|call| match call.trial.model.as_str() {
            "dead" => (AT_ONCE, Err(dead_key())),
            _ => (SECOND, Ok(answer("はい"))),
        })
        .await;
    let sent = |id: &str| tried.scripted.calls().iter().filter(|call| call.trial.model.as_str() == id).count();
    assert_eq!((sent("dead"), sent("good")), (1, 10));
    assert_eq!((tried.count(Status::Errored), tried.count(Status::Passed)), (10, 10));
    let errored = tried.outcomes.iter().filter(|outcome| outcome.status == Status::Errored);
    assert_eq!(errored.filter(|outcome| outcome.error.as_deref() == Some("authentication (401): bad key")).count(), 10);
    assert_eq!(tried.finished.unwrap().stopped, [("dead".parse().unwrap(), dead_key())]);
    let stopped = Event::ModelStopped { model: "dead".parse().unwrap(), failure: dead_key(), trials_left: 9 };
    assert_eq!(tried.events.iter().filter(|event| **event == stopped).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_every_request_has_stops_its_model_and_what_one_has_does_not() {
    for (kind, asked, error) in [
        (FailureKind::Configuration, 1, "configuration (400): temperature is not accepted"),
        (FailureKind::BadRequest, 5, "bad request (400): temperature is not accepted"),
    ] {
        let tried = Trying::new(small_plan(5, vec![server("m")], 1), 1)
            .run(move |_| (AT_ONCE, Err(failure(kind, 400, "temperature is not accepted"))))
            .await;
        assert_eq!((tried.scripted.calls().len(), tried.count(Status::Errored)), (asked, 5), "{kind:?}");
        assert!(tried.outcomes.iter().all(|outcome| outcome.error.as_deref() == Some(error)), "{kind:?}");
        assert_eq!(tried.finished.unwrap().stopped.len(), usize::from(asked == 1), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_key_ends_the_waits_of_its_model_at_once() {
    let tried = Trying::new(small_plan(3, vec![server("m")], 1), 2)
        .run(|call| match call.trial.case.as_str() {
            "c1" => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 60))),
            _ => (SECOND, Err(dead_key())),
        })
        .await;
    assert_eq!((tried.took, tried.count(Status::Errored)), (SECOND, 3));
    assert_eq!(tried.outcome("c1").error.as_deref(), Some("authentication (401): bad key"));
    assert_eq!(tried.outcome("c1").attempts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_not_there_stops_its_model() {
    let tried = Trying::new(small_plan(5, vec![model("m", Provider::Command)], 1), 1)
        .run(|_| {
            let failure = Failure::new(FailureKind::Program, "no such file");
            (AT_ONCE, Err(Failure { code: Some(NOT_STARTED.into()), ..failure }))
        })
        .await;
    assert_eq!((tried.scripted.calls().len(), tried.count(Status::Errored)), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn permits_are_given_back_while_waiting() {
    let tried = Trying::new(small_plan(3, vec![server("m")], 1), 1)
        .run(|call| match (call.trial.case.as_str(), call.attempt) {
            ("c1", 1) => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 10))),
            _ => (SECOND, Ok(answer("はい"))),
        })
        .await;
    assert_eq!(tried.attempts_of("c1"), [0, 10_500]);
    assert_eq!((tried.attempts_of("c2"), tried.attempts_of("c3")), (vec![0], vec![1_000]));
    assert_eq!(tried.scripted.most_under_way(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_holds_back_its_model_and_not_its_neighbour() {
    let tried = Trying::new(small_plan(3, neighbours(), 1), 1)
        .run(|call| match (call.trial.model.as_str(), call.trial.case.as_str(), call.attempt) {
            ("a", "c1", 1) => (AT_ONCE, Err(hint(FailureKind::RateLimited, 429, 60))),
            _ => (SECOND, Ok(answer("はい"))),
        })
        .await;
    let begun = |id: &str| -> Vec<u64> {
        let calls = tried.scripted.calls();
        calls.iter().filter(|call| call.trial.model.as_str() == id).map(|call| call.at.as_secs()).collect()
    };
    assert_eq!((begun("b"), tried.count(Status::Passed)), (vec![0, 1, 2], 6));
    assert_eq!(begun("a"), [0, 60, 61, 62]);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_under_way_than_the_account_and_the_run_allow() {
    let limited = |id: &str, limit| {
        let mut model = server(id);
        model.limits.concurrency = Some(limit);
        model
    };
    let several = || vec![server("a"), server("b"), server("c")];
    for (models, per_account, total, expected) in [
        (vec![server("a")], 4, 100, 4),
        (neighbours(), 4, 100, 4),
        (several(), 4, 100, 12),
        (several(), 4, 5, 5),
        (vec![limited("a", 2)], 4, 100, 2),
        (vec![limited("a", 9)], 4, 100, 4),
        (vec![server("a")], 0, 0, 1),
    ] {
        let mut trying = Trying::new(small_plan(20, models, 1), 1);
        trying.setup.concurrency = Concurrency { start: per_account, per_account, total };
        let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
        assert_eq!(tried.scripted.most_under_way(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_does_not_open_all_trials_at_once() {
    let trying = Trying::new(small_plan(MAX_OPEN + 200, vec![server("m")], 1), 10);
    let tried = trying
        .run(|call| match call.attempt {
            1 => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 60))),
            _ => (AT_ONCE, Ok(answer("はい"))),
        })
        .await;
    let begun_at_once = tried.scripted.calls().iter().filter(|call| call.at == AT_ONCE).count();
    assert_eq!((begun_at_once, tried.count(Status::Passed)), (MAX_OPEN, MAX_OPEN + 200));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_before_its_permit_is_given_back() {
    let mut trying = Trying::new(small_plan(5, vec![server("m")], 1), 1);
    let scripted = Arc::new(Scripted::new(|_| (SECOND, Ok(answer("はい")))));
    let (asked, begun) = (Arc::clone(&scripted), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&begun);
    let note = move |_: &TrialId, _: &Answer| {
        noted.lock().unwrap().push(asked.calls().len());
        Ok(())
    };
    trying.setup.answers = Arc::new(Answers::new(Arc::new(note), []));
    trying.run_through(scripted).await.finished.unwrap();
    assert_eq!(*begun.lock().unwrap(), [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_before_it_is_judged() {
    let mut trying = Trying::new(small_plan(1, vec![server("m")], 1), 1);
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (noted, judged) = (Arc::clone(&kept), Arc::clone(&kept));
    let note = move |trial: &TrialId, answer: &Answer| {
        noted.lock().unwrap().push(format!("{trial}: {}", answer.response.text.as_deref().unwrap_or_default()));
        Ok(())
    };
    trying.setup.answers = Arc::new(Answers::new(Arc::new(note), []));
    trying.setup.scorer = Arc::new(move |_, _| {
        judged.lock().unwrap().push("judged".to_owned());
        vec![score(Verdict::Pass)]
    });
    trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
    assert_eq!(*kept.lock().unwrap(), ["c1 · p@m: はい", "judged"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_kept_and_not_judged_is_not_asked_for_again() {
    let mut trying = Trying::new(small_plan(2, vec![server("m")], 1), 1);
    let kept = Answer { response: answer("前の答え").response, latency: SECOND * 7, ..Answer::default() };
    let first = trying.setup.plan.trials[0].id.clone();
    trying.setup.answers = Arc::new(Answers::new(Arc::new(|_, _| Ok(())), [(first, kept)]));
    let tried = trying.run(|_| (AT_ONCE, Err(dead_key()))).await;
    let outcome = tried.outcome("c1");
    assert_eq!((outcome.status, outcome.answer.as_deref()), (Status::Passed, Some("前の答え")));
    assert_eq!((outcome.latency, outcome.cached), (SECOND * 7, false));
    assert_eq!((tried.scripted.calls().len(), tried.outcome("c2").status), (1, Status::Errored));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_kept_ends_the_run_with_its_error() {
    let mut trying = Trying::new(small_plan(5, vec![server("m")], 1), 1);
    let note = |_: &TrialId, _: &Answer| Err(io::Error::other("the disk is full"));
    trying.setup.answers = Arc::new(Answers::new(Arc::new(note), []));
    let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
    assert_eq!((tried.scripted.calls().len(), tried.outcomes.len()), (1, 0));
    assert_eq!(tried.finished.unwrap_err().to_string(), "the disk is full");
}

#[tokio::test(start_paused = true)]
async fn no_answer_to_judge_is_the_models_own_failure() {
    let reply = |text: Option<&str>, word: &str| {
        let mut reply = answer("");
        reply.response.text = text.map(str::to_owned);
        reply.response.finish = Finish::of(word);
        reply
    };
    for (text, word, error) in [
        (None, "SAFETY", Some("the answer was blocked: SAFETY")),
        (Some("途中"), "content_filter", Some("the answer was blocked: content_filter")),
        (Some("できません"), "refusal", Some("the model refused to answer: refusal")),
        (Some(" \n\u{3000}\u{200B}"), "stop", Some("the answer is empty")),
        (None, "", Some("the answer is empty")),
        (None, "MAX_TOKENS", Some("the token limit was reached before any text: MAX_TOKENS")),
        (None, "tool_calls", Some("the model called a tool instead of answering: tool_calls")),
        (Some("途中"), "MAX_TOKENS", None),
        (Some("記事"), "", None),
    ] {
        let reply = reply(text, word);
        let tried =
            Trying::new(small_plan(1, vec![server("m")], 1), 1).run(move |_| (AT_ONCE, Ok(reply.clone()))).await;
        let outcome = tried.outcome("c1");
        assert_eq!((outcome.error.as_deref(), outcome.answer.as_deref()), (error, text), "{word}");
        let expected = if error.is_some() { (Status::Failed, 0) } else { (Status::Passed, 1) };
        assert_eq!((outcome.status, outcome.scores.len()), expected, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scorer_that_panics_leaves_the_answer_kept_and_unscored() {
    let mut trying = Trying::new(small_plan(2, vec![server("m")], 1), 1);
    trying.setup.scorer = Arc::new(|trial, _| {
        assert!(trial.id.case.as_str() != "c1", "a bug");
        vec![score(Verdict::Pass)]
    });
    let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
    let outcome = tried.outcome("c1");
    assert_eq!((outcome.status, outcome.answer.as_deref()), (Status::Undecided, Some("はい")));
    assert_eq!(outcome.scores[0].reason.as_deref(), Some("the scorer failed: a bug"));
    assert_eq!(tried.outcome("c2").status, Status::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_evalrun_costs_one_trial_only() {
    let tried = Trying::new(small_plan(3, vec![server("m")], 1), 1)
        .run(|call| {
            assert!(call.trial.case.as_str() != "c2", "a bug");
            (AT_ONCE, Ok(answer("はい")))
        })
        .await;
    assert_eq!(tried.count(Status::Passed), 2);
    assert_eq!(tried.outcome("c2").error.as_deref(), Some("a fault of evalrun itself: a bug"));
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_ends_a_run_that_is_to_fail_fast() {
    for (fail_fast, kept, skipped) in [(true, 4, 6), (false, 10, 0)] {
        let mut trying = Trying::new(small_plan(10, vec![server("m")], 1), 2);
        trying.setup.fail_fast = fail_fast;
        let tried = trying
            .run(|call| match call.trial.case.as_str() {
                "c3" => (SECOND, Err(failure(FailureKind::BadRequest, 400, "no"))),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        let finished = tried.finished.unwrap();
        assert_eq!((tried.outcomes.len(), finished.counts.of(Status::Skipped)), (kept, skipped));
        assert!(!finished.interrupted);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_finishes_what_is_under_way_and_begins_nothing() {
    let trying = Trying::new(small_plan(10, vec![server("m")], 1), 3);
    let cancel = trying.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(SECOND / 2).await;
        cancel.send_replace(Cancel::Finish);
    });
    let tried = trying
        .run(|call| match call.trial.case.as_str() {
            // It waits for its second attempt when the run is interrupted: as if it had never been asked.
            "c1" => (AT_ONCE, Err(hint(FailureKind::Unavailable, 503, 60))),
            _ => (SECOND, Ok(answer("はい"))),
        })
        .await;
    let finished = tried.finished.unwrap();
    assert_eq!((tried.took, tried.outcomes.len()), (SECOND, 3));
    assert_eq!((finished.counts.of(Status::Passed), finished.counts.of(Status::Skipped)), (3, 7));
    assert!(finished.interrupted && tried.events.contains(&Event::Interrupted { in_flight: 3 }));
}

#[tokio::test(start_paused = true)]
async fn a_second_interruption_drops_what_is_under_way() {
    let trying = Trying::new(small_plan(10, vec![server("m")], 1), 2);
    let cancel = trying.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(SECOND * 3 / 2).await;
        cancel.send_replace(Cancel::Finish);
        tokio::time::sleep(SECOND / 4).await;
        cancel.send_replace(Cancel::Drop);
    });
    let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
    assert_eq!((tried.took, tried.outcomes.len()), (SECOND * 7 / 4, 2));
}

#[tokio::test(start_paused = true)]
async fn an_interruption_before_the_start_sends_nothing() {
    let trying = Trying::new(small_plan(3, vec![server("m")], 1), 2);
    trying.cancel.send_replace(Cancel::Finish);
    let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
    assert!(tried.scripted.calls().is_empty() && tried.finished.unwrap().interrupted);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_has_done_is_not_asked_again() {
    let mut trying = Trying::new(small_plan(3, vec![server("m")], 1), 2);
    let first = trying.setup.plan.trials[0].id.clone();
    trying.setup.done = HashMap::from([(first, Status::Failed)]);
    let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
    assert!(tried.attempts_of("c1").is_empty());
    let counts = tried.finished.unwrap().counts;
    assert_eq!((counts.of(Status::Failed), counts.of(Status::Passed), counts.total()), (1, 2, 3));
    let already_done = Counts::from_iter([Status::Failed]);
    let started = Event::RunStarted {
        total: 3,
        already_done,
        models: vec![ModelTrials { model: "m".parse().unwrap(), total: 3, done: 1 }],
        budget: Budget::default(),
        spent: Spending::default(),
    };
    assert_eq!(tried.events.first(), Some(&started));
    assert_eq!(tried.events.last(), Some(&Event::RunFinished { counts }));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_kept_ends_the_run_with_its_error() {
    let mut trying = Trying::new(small_plan(5, vec![server("m")], 1), 1);
    trying.setup.keep = Arc::new(|_| Err(io::Error::other("the disk is full")));
    let tried = trying.run(|_| (AT_ONCE, Ok(answer("はい")))).await;
    assert_eq!(tried.scripted.calls().len(), 1);
    assert_eq!(tried.finished.unwrap_err().to_string(), "the disk is full");
}

#[tokio::test(start_paused = true)]
async fn cost_follows_from_price_and_usage_and_is_unknown_without_either() {
    let price = crate::model::Price { input: 1.0, output: 2.0, cached_input: None, valid_until: None };
    let priced = Model { price: Some(price), ..server("m") };
    let mut uncounted = answer("はい");
    uncounted.response.usage = Usage::default();
    for (model, reply, cost) in
        [(priced.clone(), answer("はい"), Some(50e-6)), (priced, uncounted, None), (server("m"), answer("はい"), None)]
    {
        let trying = Trying::new(small_plan(1, vec![model], 1), 1);
        let tried = trying.run(move |_| (AT_ONCE, Ok(reply.clone()))).await;
        assert_eq!(tried.outcome("c1").cost, cost);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorded_latency_wins_over_the_measured_one() {
    let tried = Trying::new(small_plan(1, vec![model("m", Provider::Recorded)], 1), 1)
        .run(|_| (SECOND, Ok(Reply { latency: Some(SECOND * 42), ..answer("はい") })))
        .await;
    assert_eq!(tried.outcome("c1").latency, SECOND * 42);
}

#[tokio::test(start_paused = true)]
async fn outcomes_do_not_depend_on_concurrency() {
    let mut runs = Vec::new();
    for concurrency in [1, 32] {
        let plan = small_plan(20, vec![server("a"), server("b")], 2);
        let tried = Trying::new(plan, concurrency)
            .run(|call| {
                let seed = call.trial.to_string().bytes().map(u32::from).sum::<u32>();
                match (seed % 7, call.attempt) {
                    (0, _) => (AT_ONCE, Err(failure(FailureKind::BadRequest, 400, "no"))),
                    (1, 1) => (SECOND, Err(failure(FailureKind::Unavailable, 503, "later"))),
                    (2, _) => (AT_ONCE, Ok(answer(""))),
                    _ => (SECOND * (seed % 5), Ok(answer("はい"))),
                }
            })
            .await;
        let mut outcomes = tried.outcomes;
        outcomes.sort_by_key(|outcome| outcome.trial.clone());
        // Times differ by nature.
        for attempt in outcomes.iter_mut().flat_map(|outcome| &mut outcome.attempts) {
            attempt.started_at = jiff::Timestamp::UNIX_EPOCH;
            attempt.waited_millis = None;
        }
        for outcome in &mut outcomes {
            outcome.latency = Duration::ZERO;
        }
        runs.push(outcomes);
    }
    assert_eq!(runs[0].len(), 80);
    assert_eq!(runs[0], runs[1]);
}
