//! Whole runs against servers that let so many requests through: how long they take, and how much is refused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Concurrency;
use crate::engine::Event;
use crate::engine::testing::{Tried, Trying, failure, model, small_plan};
use crate::engine::transport::scripted::{Call, answer};
use crate::model::{Limits, Model, Provider};
use crate::outcome::Status;
use crate::response::{Failure, FailureKind};

/// What a server lets through.
#[derive(Debug, Clone, Copy)]
enum Server {
    /// A bucket that fills by so many a second, up to so many.
    Bucket(f64, f64),
    /// So many in every so many seconds of the clock.
    Window(u32, u64),
    /// So many at once.
    AtOnce(u32),
    /// Everything.
    Open,
}

/// Lets a request through at `at`, or says how long to wait.
fn admission(server: Server, latency: Duration) -> impl Fn(Duration) -> Result<(), Duration> {
    let state = Mutex::new((f64::MAX, Duration::ZERO, 0_u64, 0_u32, Vec::<Duration>::new()));
    move |at: Duration| {
        let mut state = state.lock().unwrap();
        let (tokens, filled, window, used, under_way) = &mut *state;
        match server {
            Server::Open => Ok(()),
            Server::Bucket(rate, most) => {
                *tokens = (*tokens + at.saturating_sub(*filled).as_secs_f64() * rate).min(most);
                *filled = at;
                if *tokens >= 1.0 {
                    *tokens -= 1.0;
                    return Ok(());
                }
                Err(Duration::from_secs_f64(((1.0 - *tokens) / rate).ceil()))
            }
            Server::Window(most, seconds) => {
                let now = at.as_secs() / seconds;
                if now != *window {
                    (*window, *used) = (now, 0);
                }
                if *used < most {
                    *used += 1;
                    return Ok(());
                }
                Err(Duration::from_secs((now + 1) * seconds).saturating_sub(at))
            }
            Server::AtOnce(most) => {
                under_way.retain(|end| *end > at);
                if under_way.len() < most as usize {
                    under_way.push(at + latency);
                    return Ok(());
                }
                Err(Duration::from_secs(1))
            }
        }
    }
}

async fn run(server: Server, models: Vec<Model>, trials: usize, latency: u64, hints: bool, start: usize) -> Tried {
    let latency = Duration::from_millis(latency);
    let admit = admission(server, latency);
    let mut trying = Trying::new(small_plan(trials, models, 1), start);
    trying.setup.concurrency = Concurrency { start, per_account: 256, total: 256 };
    // Half a jitter: neither the luckiest nor the unluckiest run.
    trying.setup.jitter = Arc::new(|| 0.5);
    trying
        .run(move |call: &Call| match admit(call.at) {
            Ok(()) => (latency, Ok(answer("はい"))),
            Err(wait) => {
                let refused = failure(FailureKind::RateLimited, 429, "slow down");
                (Duration::from_millis(1), Err(Failure { retry_after: hints.then_some(wait), ..refused }))
            }
        })
        .await
}

fn one() -> Vec<Model> {
    vec![model("m", Provider::OpenAi)]
}

fn refused(tried: &Tried) -> usize {
    tried.outcomes.iter().flat_map(|outcome| &outcome.attempts).filter(|attempt| attempt.status == Some(429)).count()
}

#[tokio::test(start_paused = true)]
async fn a_servers_pace_is_found_with_few_refusals() {
    use Server::{AtOnce, Bucket, Open, Window};
    for (server, trials, latency, hints, ideal, most_seconds, most_refused) in [
        (Bucket(10.0, 10.0), 200, 1, true, 19.0, 22.0, 30),
        (Bucket(10.0, 10.0), 200, 1, false, 19.0, 23.0, 40),
        (Bucket(10.0, 10.0), 200, 300, true, 19.0, 23.0, 40),
        (Bucket(2.0, 5.0), 60, 1, true, 27.5, 31.0, 30),
        (Bucket(50.0, 50.0), 1_500, 1, true, 29.0, 33.0, 60),
        (Bucket(50.0, 50.0), 1_500, 500, true, 29.0, 35.0, 120),
        (Bucket(0.5, 1.0), 20, 1, true, 38.0, 48.0, 30),
        (Window(20, 10), 100, 1, true, 40.0, 55.0, 40),
        (Window(20, 10), 100, 1, false, 40.0, 70.0, 60),
        // Its limit is no pace: it is found more slowly, with few refusals.
        (AtOnce(4), 200, 500, true, 25.0, 52.0, 40),
        (Open, 1_000, 200, true, 1.0, 4.0, 0),
    ] {
        let tried = run(server, one(), trials, latency, hints, 8).await;
        let (took, refused) = (tried.took.as_secs_f64(), refused(&tried));
        assert_eq!(tried.count(Status::Passed), trials, "{server:?}, hints {hints}");
        assert!(took <= most_seconds, "{server:?}, hints {hints}: {took} s where {ideal} are ideal");
        assert!(refused <= most_refused, "{server:?}, hints {hints}: {refused} refused");
    }
}

#[tokio::test(start_paused = true)]
async fn two_models_share_what_their_account_may_send() {
    let models = ["a", "b"].map(|id| Model { base_url: "http://one.test".into(), ..model(id, Provider::OpenAi) });
    let tried = run(Server::Bucket(10.0, 10.0), models.into(), 100, 1, true, 8).await;
    assert_eq!(tried.count(Status::Passed), 200);
    assert!(tried.took <= Duration::from_secs(26) && refused(&tried) <= 90, "{:?} {}", tried.took, refused(&tried));
}

#[tokio::test(start_paused = true)]
async fn a_configured_pace_is_kept_from_the_beginning() {
    let limited = |limits| vec![Model { limits, ..model("m", Provider::OpenAi) }];
    let requests = Limits { rpm: Some(600), ..Limits::default() };
    let tried = run(Server::Bucket(10.0, 10.0), limited(requests), 100, 50, true, 64).await;
    assert_eq!((tried.took.as_millis() / 100, refused(&tried)), (99, 0));
    // A thousand tokens each are guessed until an answer says otherwise, as these do.
    let tokens = Limits { tpm: Some(60_000), ..Limits::default() };
    let tried = run(Server::Open, limited(tokens), 10, 1, true, 64).await;
    assert_eq!(tried.took.as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_everything_is_asked_one_at_a_time_and_then_no_more() {
    let tried = run(Server::Window(0, 1_000_000), one(), 300, 1, false, 8).await;
    assert_eq!(tried.count(Status::Errored), 300);
    let calls = tried.scripted.calls();
    // After the first two rounds never two under way, and longer and longer apart.
    assert!(calls.len() < 35, "{}", calls.len());
    let together = calls.windows(2).filter(|pair| pair[0].at == pair[1].at).count();
    assert!(together <= 7 + 4, "{together}");
    assert!(tried.took > Duration::from_secs(180) && tried.took < Duration::from_secs(240), "{:?}", tried.took);
    assert_eq!(tried.finished.unwrap().stopped.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_says_is_used_up_is_waited_for() {
    let mut trying = Trying::new(small_plan(3, one(), 1), 1);
    trying.setup.jitter = Arc::new(|| 0.0);
    let tried = trying
        .run(|call| {
            let used_up = (call.trial.case.as_str() == "c1").then_some(Duration::from_secs(20));
            (Duration::from_secs(1), Ok(crate::engine::transport::Reply { used_up, ..answer("はい") }))
        })
        .await;
    let begun: Vec<u64> = tried.scripted.calls().iter().map(|call| call.at.as_secs()).collect();
    assert_eq!((begun, tried.count(Status::Passed)), (vec![0, 21, 22], 3));
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_told_once_and_one_that_no_trial_may_take_is_none() {
    // Two at once, twice: of the two answers that come together one is news.
    for (seconds, paused, took) in [(20, 2, 22), (86_400, 0, 2), (u64::MAX, 0, 2)] {
        let tried = Trying::new(small_plan(4, one(), 1), 2)
            .run(move |_| {
                let mut reply = answer("はい");
                reply.used_up = Some(Duration::from_secs(seconds));
                // Whatever a server counts, its answer is kept.
                (reply.response.usage.input_tokens, reply.response.usage.output_tokens) = (Some(u64::MAX), Some(1));
                (Duration::from_secs(1), Ok(reply))
            })
            .await;
        let told = tried.events.iter().filter(|event| matches!(event, Event::Paused { .. })).count();
        assert_eq!((tried.count(Status::Passed), told, tried.took.as_secs()), (4, paused, took), "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_with_what_it_changed() {
    let tried = run(Server::Bucket(10.0, 10.0), one(), 60, 1, true, 8).await;
    let slowed: Vec<String> = tried
        .events
        .iter()
        .filter_map(|event| match event {
            Event::SlowedDown { slowed, .. } => Some(slowed.to_string()),
            _ => None,
        })
        .collect();
    assert!(slowed.len() >= 2 && slowed.len() < 6, "{slowed:?}");
    assert!(slowed[1].ends_with("a minute, as it let through"), "{slowed:?}");
}
