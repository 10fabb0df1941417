//! A transport for tests: a function says what each attempt gives and after how long.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Reply;
use crate::request::Request;
use crate::response::{Failure, Finish, Response, Usage};
use crate::trial::{Trial, TrialId};

/// An attempt as the script sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Which trial.
    pub trial: TrialId,
    /// Which attempt of it, from 1.
    pub attempt: usize,
    /// When it began, on the test's clock.
    pub at: Duration,
    /// What is asked.
    pub body: String,
}

type Script = Box<dyn Fn(&Call) -> (Duration, Result<Reply, Failure>) + Send + Sync>;

/// The script, and what was asked of it.
pub(crate) struct Scripted {
    script: Script,
    start: Instant,
    calls: Mutex<Vec<Call>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&Call) -> (Duration, Result<Reply, Failure>) + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            start: Instant::now(),
            calls: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
        }
    }

    pub(crate) async fn send(&self, trial: &Trial, request: &Request) -> Result<Reply, Failure> {
        let call = {
            let mut calls = self.calls.lock().unwrap();
            let attempt = calls.iter().filter(|call| call.trial == trial.id).count() + 1;
            let call = Call { trial: trial.id.clone(), attempt, at: self.start.elapsed(), body: request.body.clone() };
            calls.push(call.clone());
            call
        };
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        let (wait, result) = (self.script)(&call);
        tokio::time::sleep(wait).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// All attempts so far, in the order of their beginning.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The most attempts that were under way at once.
    pub(crate) fn most_under_way(&self) -> usize {
        self.most_under_way.load(Ordering::SeqCst)
    }
}

/// A part of an answer, whose rest a token asks for.
pub(crate) fn part(text: &str, token: &str) -> Reply {
    let mut reply = answer(text);
    (reply.response.finish, reply.response.rest) = (Finish::of("CONTINUATION"), Some(token.into()));
    reply
}

/// An answer with a natural end.
pub(crate) fn answer(text: &str) -> Reply {
    let usage = Usage { input_tokens: Some(10), output_tokens: Some(20), ..Usage::default() };
    let response = Response { text: Some(text.into()), finish: Finish::of("stop"), usage, ..Response::default() };
    Reply { response, status: Some(200), ..Reply::default() }
}
