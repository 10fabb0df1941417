//! One question at a time under one key: whoever asks the same waits for the first one's end, and then finds its answer
//! in the store.
//!
//! Promises that a question which ended without an answer, or with one that is not served again, lets the next one go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::request::RequestKey;

/// The questions under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<RequestKey, watch::Receiver<()>>>);

/// The right to ask under a key, alone; given back when dropped.
#[derive(Debug)]
pub(super) struct Flight {
    key: RequestKey,
    flights: Arc<Flights>,
    /// Its end is that of the question.
    _under_way: watch::Sender<()>,
}

/// A question under way that asks the same.
#[derive(Debug)]
pub(super) struct Ahead(watch::Receiver<()>);

impl Flights {
    /// Begins a question under `key`, unless one is under way.
    pub(super) fn begin(self: &Arc<Self>, key: &RequestKey) -> Result<Flight, Ahead> {
        let mut flights = self.lock();
        if let Some(ahead) = flights.get(key) {
            return Err(Ahead(ahead.clone()));
        }
        let (under_way, ahead) = watch::channel(());
        flights.insert(key.clone(), ahead);
        Ok(Flight { key: key.clone(), flights: Arc::clone(self), _under_way: under_way })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RequestKey, watch::Receiver<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ahead {
    /// Waits until the question has ended.
    pub(super) async fn ended(mut self) {
        // Nothing is ever sent: the channel closes.
        let _ = self.0.changed().await;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::engine::testing::{SECOND, Tried, Trying, failure, model, small_plan};
    use crate::engine::transport::Reply;
    use crate::engine::transport::scripted::answer;
    use crate::engine::{Answers, Store};
    use crate::model::{Model, Provider};
    use crate::outcome::Status;
    use crate::response::{FailureKind, Finish};

    /// Models that are the same one under several names.
    fn namesakes(ids: &[&str]) -> Vec<Model> {
        let namesake =
            |id: &&str| Model { name: "one".into(), base_url: "http://one.test".into(), ..model(id, Provider::OpenAi) };
        ids.iter().map(namesake).collect()
    }

    /// A run of small cases, whose prompts are all the same, with a store in `folder`.
    fn trying(cases: usize, models: Vec<Model>, repeats: u32, folder: &Path) -> Trying {
        let mut trying = Trying::new(small_plan(cases, models, repeats), 8);
        let store = Store::open(&folder.join("answers.db")).unwrap();
        trying.setup.answers = Arc::new(Answers::new(Arc::new(|_, _| Ok(())), []).with_store(store, None));
        trying
    }

    fn cached(tried: &Tried) -> usize {
        tried.outcomes.iter().filter(|outcome| outcome.cached).count()
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_question_is_asked_once_and_the_rest_is_served_from_the_store() {
        for (cases, ids, repeats, asked) in
            [(6, &["m"][..], 1, 1), (1, &["a", "b"], 1, 1), (3, &["a", "b", "c"], 1, 1), (3, &["a", "b"], 2, 2)]
        {
            let folder = tempfile::tempdir().unwrap();
            let trying = trying(cases, namesakes(ids), repeats, folder.path());
            let trials = trying.setup.plan.trials.len();
            let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
            assert_eq!(tried.scripted.calls().len(), asked, "{ids:?}");
            assert_eq!((tried.count(Status::Passed), cached(&tried)), (trials, trials - asked), "{ids:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn different_questions_do_not_wait_for_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let models = ["a", "b", "c"].map(|id| model(id, Provider::OpenAi)).into();
        let tried = trying(1, models, 2, folder.path()).run(|_| (SECOND, Ok(answer("はい")))).await;
        assert_eq!((tried.scripted.calls().len(), tried.scripted.most_under_way()), (6, 6));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_store_every_question_is_asked_at_once() {
        let trying = Trying::new(small_plan(4, namesakes(&["m"]), 1), 8);
        let tried = trying.run(|_| (SECOND, Ok(answer("はい")))).await;
        assert_eq!((tried.scripted.most_under_way(), tried.count(Status::Passed)), (4, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_first_has_no_answer_to_serve_the_next_one_asks_alone() {
        let cut = || {
            let mut reply = answer("途中");
            reply.response.finish = Finish::of("length");
            reply
        };
        type Script = fn() -> Result<Reply, crate::response::Failure>;
        let refused: Script = || Err(failure(FailureKind::BadRequest, 400, "no"));
        for (name, script, errored) in [("cut", None, 0), ("refused", Some(refused), 4)] {
            let folder = tempfile::tempdir().unwrap();
            let tried = trying(4, namesakes(&["m"]), 1, folder.path())
                .run(move |_| (SECOND, script.map_or_else(|| Ok(cut()), |script| script())))
                .await;
            assert_eq!((tried.scripted.calls().len(), tried.scripted.most_under_way()), (4, 1), "{name}");
            assert_eq!((tried.count(Status::Errored), cached(&tried)), (errored, 0), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_key_of_the_first_model_leaves_the_question_to_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let tried = trying(3, namesakes(&["dead", "good"]), 1, folder.path())
            .run(|call| match call.trial.model.as_str() {
                "dead" => (SECOND, Err(failure(FailureKind::Authentication, 401, "bad key"))),
                _ => (SECOND, Ok(answer("はい"))),
            })
            .await;
        assert_eq!((tried.scripted.calls().len(), tried.count(Status::Passed)), (2, 3));
        assert!(
            tried
                .outcomes
                .iter()
                .all(|outcome| { (outcome.status == Status::Errored) == (outcome.trial.model.as_str() == "dead") })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_interruption_ends_the_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let trying = trying(3, namesakes(&["m"]), 1, folder.path());
        let cancel = trying.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(SECOND / 2).await;
            cancel.send_replace(crate::engine::Cancel::Finish);
        });
        let tried = trying.run(|_| (Duration::from_secs(60), Ok(answer("はい")))).await;
        assert_eq!((tried.scripted.calls().len(), tried.count(Status::Passed)), (1, 1));
        assert_eq!(tried.finished.unwrap().counts.of(Status::Skipped), 2);
    }
}
