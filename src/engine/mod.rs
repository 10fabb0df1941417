//! The engine: turns a plan into outcomes. One of the two folders that touch the world.
//!
//! `runner` takes the plan's trials, a `limit`ed lane a model, as far as the `ledger`'s budget goes; `client` asks through a
//! `transport`, again as `retry` decides; `store` and `journal` keep answers before they are judged; an `event` tells of
//! each, `progress` shows it. `mock` is a server to ask. Nothing here judges an answer (a given function does) or reports.

pub mod answers;
pub mod event;
pub mod journal;
pub mod mock;
pub mod progress;
pub mod retry;
pub mod store;
pub mod transport;

mod client;
mod failures;
mod ledger;
mod limit;
mod runner;

pub use answers::{Answer, Answers, NotStored};
pub use client::{Abandoned, Jitter, random_jitter};
pub use event::{Counts, Event, ModelTrials, Summary};
pub use failures::Failures;
pub use journal::{Journal, JournalError, JournalFile, JournalReader, Lost, read_head};
pub use ledger::Refused;
pub use limit::{Concurrency, Slowed};
pub use progress::{Detail, Display, Progress};
pub use retry::Policy;
pub use runner::{Cancel, Finished, Keep, KeepAbandoned, KeepLimit, KeepPart, Scorer, Setup, run};
pub use store::{Prune, Share, Store, StoreError};
pub use transport::{Transport, missing_key, recorded_answer, recorded_mistakes};

#[cfg(test)]
mod testing;
