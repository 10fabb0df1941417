//! evalrun: the test runner for prompts.

pub mod diagnostic;
pub mod document;
pub mod id;
pub mod property;
pub mod case;
pub mod prompt;
pub mod response;
pub mod model;
pub mod request;
pub mod provider;
pub mod project;
pub mod trial;
pub mod text;
pub mod score;
pub mod stats;
pub mod item;
pub mod calibration;
pub mod outcome;
pub mod report;
pub mod engine;
pub mod cli;
