//! The engine: turns a plan into outcomes. One of the two folders that touch the world.
//!
//! In the order of a trial's way: `runner` takes the plan's trials, one `limit`ed lane a model; `client` asks each
//! through a `transport` and tries again as `retry` decides; `journal` keeps the outcome; an `event` tells of it, and
//! `progress` shows it. `mock` is the other side: a server to ask. Nothing here judges an answer (a function given to
//! the runner does) or writes a report.

pub mod event;
pub mod journal;
pub mod mock;
pub mod progress;
pub mod retry;
pub mod transport;

mod client;
mod limit;
mod runner;

pub use client::{Jitter, random_jitter};
pub use event::{Counts, Event, Summary};
pub use journal::{Journal, JournalError, JournalReader, read_header};
pub use limit::Concurrency;
pub use progress::{Display, Progress};
pub use retry::Policy;
pub use runner::{Cancel, Finished, Keep, Scorer, Setup, run};
pub use transport::{Transport, missing_key, recorded_answer, recorded_mistakes};

#[cfg(test)]
mod testing;
