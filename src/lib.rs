//! evalrun: the test runner for prompts.
//!
//! Each case is rendered into each prompt for each model, giving trials; the engine turns a trial's request into a response;
//! scorers turn the response into scores with evidence; outcomes make a run; a run is reported.
//! A module imports only what stands above it here; all but `engine` and `cli` are pure. `README.md` tells what users may
//! rely on.

// Pure: no network, disk, clock, terminal, randomness or processes.
pub mod diagnostic;
pub mod document;
pub mod id;
pub mod lang;
pub mod property;
pub mod case;
pub mod prompt;
pub mod response;
pub mod model;
pub mod request;
pub mod provider;
pub mod budget;
pub mod project;
pub mod schema;
pub mod trial;
pub mod text;
pub mod score;
pub mod stats;
pub mod item;
pub mod calibration;
pub mod outcome;
pub mod compare;
pub mod gate;
pub mod report;

// The two that touch the world.
pub mod engine;
pub mod cli;
