//! How a question reaches whoever answers it: a server, a program, or a file of recorded answers.
//!
//! One attempt each: leaves waiting and trying again to `client`. The key of a server is added here and nowhere else.

mod command;
mod http;
mod keys;
mod recorded;
mod secret;
#[cfg(test)]
pub(super) mod scripted;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Model, Provider};
use crate::request::Request;
use crate::response::{Failure, Response};
use crate::trial::Trial;

pub(crate) use command::NOT_STARTED;
pub use keys::missing_key;
pub use recorded::{recorded_answer, recorded_mistakes};

/// An answer as it came through a transport.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The answer.
    pub response: Response,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// How long the answer took, where that was recorded with it; else it is measured.
    pub latency: Option<Duration>,
    /// How long the first piece of its text took, if it came in pieces.
    pub first_text: Option<Duration>,
    /// How long the server lets nothing more through, if it says so with its answer.
    pub used_up: Option<Duration>,
}

/// The ways to every provider.
#[derive(Debug)]
pub struct Transport {
    http: http::Http,
    recorded: recorded::Recorded,
    command: command::Command,
    #[cfg(test)]
    scripted: Option<Arc<scripted::Scripted>>,
}

impl Transport {
    /// Transports for all `models` of the project in the folder `root`, with the keys that `environment` holds for them.
    ///
    /// Whichever of them are asked, none learns the key of another. Nothing is opened or sent before the first question.
    pub fn new<'a>(
        root: &Path,
        models: impl IntoIterator<Item = &'a Model>,
        environment: &HashMap<String, String>,
    ) -> Self {
        let keys = Arc::new(keys::Keys::new(models, environment));
        Self {
            http: http::Http::new(Arc::clone(&keys)),
            recorded: recorded::Recorded::new(root),
            command: command::Command::new(root, keys),
            #[cfg(test)]
            scripted: None,
        }
    }

    /// A transport that does what a test says.
    #[cfg(test)]
    pub(super) fn scripted(scripted: Arc<scripted::Scripted>) -> Self {
        Self { scripted: Some(scripted), ..Self::new(Path::new(""), [], &HashMap::new()) }
    }

    /// Asks once.
    ///
    /// # Errors
    /// Why there is no answer. No message contains a key.
    pub async fn send(&self, trial: &Trial, request: &Request) -> Result<Reply, Failure> {
        #[cfg(test)]
        if let Some(scripted) = &self.scripted {
            return scripted.send(trial, request).await;
        }
        match trial.model.provider {
            Provider::Gemini | Provider::OpenAi | Provider::Anthropic => self.http.send(&trial.model, request).await,
            Provider::Recorded => self.recorded.answer(&trial.id),
            Provider::Command => self.command.run(&trial.model, &request.body).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{model, small_plan};
    use crate::prompt::Rendered;
    use crate::provider::encode;

    async fn ask(root: &Path, model: Model) -> Reply {
        let transport = Transport::new(root, [&model], &HashMap::new());
        let mut trial = small_plan(1, vec![model], 1).trials.remove(0);
        trial.prompt = Arc::new(Rendered { system: Some("優しく。".into()), user: "量子".into() });
        transport.send(&trial, &encode(&trial.model, &trial.prompt)).await.unwrap()
    }

    #[tokio::test]
    async fn a_recorded_answer_is_found_in_the_projects_folder() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("cases/c1/answers/p")).unwrap();
        std::fs::write(root.path().join("cases/c1/answers/p/m.md"), "記事\n").unwrap();
        let reply = ask(root.path(), model("m", Provider::Recorded)).await;
        assert_eq!(reply.response.text.as_deref(), Some("記事"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_reads_the_system_text_a_blank_line_and_the_users_turn() {
        let program = Model { command: vec!["cat".into()], ..model("m", Provider::Command) };
        let reply = ask(Path::new(""), program).await;
        assert_eq!(reply.response.text.as_deref(), Some("優しく。\n\n量子"));
    }
}
