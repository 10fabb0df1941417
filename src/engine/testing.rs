//! What the tests of this folder share: small plans, and runs through a scripted transport on a paused clock.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::transport::Reply;
use super::transport::scripted::{Call, Scripted};
use super::{Answers, Cancel, Concurrency, Event, Finished, Policy, Setup, Transport, run};
use crate::budget::{Budget, Spending};
use crate::case::{Case, parse_case_toml};
use crate::diagnostic::TextFile;
use crate::model::{DEFAULT_TIMEOUT, Limits, Model, Params, Provider};
use crate::outcome::{Outcome, Status};
use crate::prompt::Prompt;
use crate::property::{Property, Requirements};
use crate::response::{Failure, FailureKind};
use crate::score::{Score, Verdict};
use crate::trial::{Plan, plan};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A model with an account of its own.
pub(crate) fn model(id: &str, provider: Provider) -> Model {
    Model {
        id: id.parse().unwrap(),
        provider,
        name: id.to_owned(),
        base_url: format!("http://{id}.test"),
        key_variable: None,
        key_variable_given: false,
        params: Params::default(),
        headers: BTreeMap::new(),
        timeout: DEFAULT_TIMEOUT,
        stream: false,
        command: Vec::new(),
        price: None,
        limits: Limits::default(),
    }
}

/// A plan of the cases `c1`, `c2`, … with one prompt, which requires `japanese_only`.
pub(crate) fn small_plan(cases: usize, models: Vec<Model>, repeats: u32) -> Plan {
    let case = |n: usize| -> Case {
        let text = "require = { japanese_only = true }\n\
            source = { published_at = 2025-06-30T07:00:00+09:00, publisher = \"P\", title = \"T\" }";
        parse_case_toml(&format!("c{n}"), &TextFile::new("case.toml", text)).unwrap()
    };
    let prompt = Prompt::parse("p".parse().unwrap(), TextFile::new("prompts/p.md", "{{ title }}")).unwrap();
    plan((1..=cases).map(case).map(Arc::new).collect(), vec![prompt], models, repeats, &Requirements::default())
        .unwrap()
}

/// A failure of a server.
pub(crate) fn failure(kind: FailureKind, status: u16, message: &str) -> Failure {
    Failure { status: Some(status), ..Failure::new(kind, message) }
}

/// A failure of a server that asks to wait.
pub(crate) fn hint(kind: FailureKind, status: u16, seconds: u32) -> Failure {
    Failure { retry_after: Some(SECOND * seconds), ..failure(kind, status, "later") }
}

/// `japanese_only`, passed or not.
pub(crate) fn score(verdict: Verdict) -> Score {
    Score { property: Property::JapaneseOnly, verdict, value: None, reason: None, evidence: Vec::new() }
}

/// A run to be tested: a paused clock, jitter at its full, every answer passes, unless a test says otherwise.
pub(crate) struct Trying {
    pub setup: Setup,
    pub cancel: watch::Sender<Cancel>,
    kept: Arc<Mutex<Vec<Outcome>>>,
}

/// What a run has done.
pub(crate) struct Tried {
    pub finished: io::Result<Finished>,
    /// In the order in which they were kept.
    pub outcomes: Vec<Outcome>,
    pub events: Vec<Event>,
    pub scripted: Arc<Scripted>,
    pub took: Duration,
}

impl Trying {
    pub(crate) fn new(plan: Plan, concurrency: usize) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let keeper = Arc::clone(&kept);
        let setup = Setup {
            plan: Arc::new(plan),
            done: HashMap::new(),
            policy: Policy::default(),
            concurrency: Concurrency { start: concurrency, per_account: concurrency, total: 1_000 },
            budget: Budget::default(),
            spent: Spending::default(),
            fail_fast: false,
            scorer: Arc::new(|_, _| vec![score(Verdict::Pass)]),
            answers: Arc::new(Answers::new(Arc::new(|_, _| Ok(())), [])),
            keep: Arc::new(move |outcome| {
                keeper.lock().unwrap().push(outcome.clone());
                Ok(())
            }),
            parts: HashMap::new(),
            keep_part: Arc::new(|_, _| Ok(())),
            keep_abandoned: Arc::new(|_, _| Ok(())),
            keep_limit: Arc::new(|_, _| Ok(())),
            jitter: Arc::new(|| 1.0),
        };
        Self { setup, cancel: watch::Sender::default(), kept }
    }

    pub(crate) async fn run(
        self,
        script: impl Fn(&Call) -> (Duration, Result<Reply, Failure>) + Send + Sync + 'static,
    ) -> Tried {
        self.run_through(Arc::new(Scripted::new(script))).await
    }

    pub(crate) async fn run_through(self, scripted: Arc<Scripted>) -> Tried {
        let (sender, mut receiver) = mpsc::channel(16);
        let listener = tokio::spawn(async move {
            let mut events = Vec::new();
            while let Some(event) = receiver.recv().await {
                events.push(event);
            }
            events
        });
        let start = Instant::now();
        let transport = Transport::scripted(Arc::clone(&scripted));
        let finished = run(self.setup, transport, sender, self.cancel.subscribe()).await;
        let took = start.elapsed();
        let events = listener.await.unwrap();
        let outcomes = self.kept.lock().unwrap().clone();
        Tried { finished, outcomes, events, scripted, took }
    }
}

impl Tried {
    /// When each attempt of a case began, in milliseconds.
    pub(crate) fn attempts_of(&self, case: &str) -> Vec<u128> {
        let calls = self.scripted.calls();
        calls.iter().filter(|call| call.trial.case.as_str() == case).map(|call| call.at.as_millis()).collect()
    }

    /// The number of outcomes with `status`.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.status == status).count()
    }

    pub(crate) fn outcome(&self, case: &str) -> &Outcome {
        self.outcomes.iter().find(|outcome| outcome.trial.case.as_str() == case).unwrap()
    }
}
