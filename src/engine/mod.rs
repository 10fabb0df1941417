//! The engine: turns a plan into outcomes. One of the two folders that touch the world.

pub mod event;
pub mod retry;

pub use event::{Counts, Event, Summary};
pub use retry::Policy;
