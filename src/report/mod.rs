//! Views of a run: what became of its trials, in the form that each kind of reader opens.
//!
//! Promises pure views: a [`Run`](crate::outcome::Run) in, bytes out; no disk, clock or terminal. Reports are never read
//! back, the journal is. Every count derives from [`Entry::status`](crate::outcome::Entry::status).

pub mod csv;
pub mod diff;
pub mod json;
pub mod markdown;
pub mod terminal;

mod escape;
mod evidence;
mod lang;
#[cfg(test)]
mod sample;
mod tally;
mod trouble;
mod worst;

pub use lang::Lang;
