//! What CI services read of a run: `JUnit`, TAP, GitLab's code quality, GitHub's annotations.
//!
//! Promises one test for each case and property of a variant, whatever became of it, under a name that is the same in
//! every run; and that no answer can break out of the form that it is put into.

mod annotation;
mod code_quality;
mod junit;
mod tap;
mod test;

pub use annotation::{Annotation, of_gate, of_run};
pub use code_quality::write_code_quality;
pub use junit::write_junit;
pub use tap::write_tap;

use crate::id::PromptId;

/// The file that a finding about a prompt's answers is shown at, from the repository's root on.
pub type FileOf<'a> = &'a dyn Fn(&PromptId) -> String;
