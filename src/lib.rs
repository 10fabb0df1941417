pub mod case;
pub mod diagnostic;
pub mod document;
pub mod id;
pub mod prompt;
pub mod property;
