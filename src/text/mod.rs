//! Japanese text, taken apart: what the scorers look at.
mod dictionary;
pub mod morpheme;
pub mod normalize;
pub mod tag;
