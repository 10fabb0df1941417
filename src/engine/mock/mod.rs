//! A server that speaks the three protocols, answers without a model, and fails on demand.
//!
//! In the order of a request: `server` takes it; `route` and `question` read it; `rate` and `fault` say what becomes of it;
//! `answers` gives the text; `gemini`, `openai`, `anthropic` and `error` spell it; `reply` and `body` send it; `record`
//! counts and logs it. Promises the same answers and faults for the same questions and seed, whatever order they come in.

mod answers;
mod anthropic;
mod article;
mod body;
mod error;
mod fault;
mod gemini;
mod openai;
mod question;
mod rate;
mod record;
mod reply;
mod route;
mod server;

pub use answers::{Answers, TemplateError};
pub use fault::{Rule, RuleError, help as fault_help};
pub use rate::Limit;
pub use record::Counts;
pub use server::{Mock, Settings};

use sha2::{Digest, Sha256};

/// A number in 0..1 that depends on `parts` alone: dice that fall alike in every run.
fn draw(parts: &[&[u8]]) -> f64 {
    (number(parts) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number that depends on `parts` alone.
fn number(parts: &[&[u8]]) -> u64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
