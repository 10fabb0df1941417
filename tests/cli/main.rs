//! The command line as its users meet it: the real program in temporary projects, asked against local servers.
//!
//! Nothing here needs a network, and nothing is proved by how long it takes.

#[path = "../support/mod.rs"]
mod support;

mod starting;
mod protocols;
mod failures;
mod truncation;
mod requests;
mod programs;
mod recorded;
mod mistakes;
mod streams;
mod network;
mod logging;
mod determinism;
mod resuming;
mod killing;
mod store;
mod budget;
mod spreadsheets;
mod scoring;
mod merging;
mod views;
mod paging;
mod hostile;
mod office;
mod mock;
mod faults;
mod pacing;
mod comparing;
mod gating;
mod ci;
