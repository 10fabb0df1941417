//! The names of cases, prompts and models: checked once, cheap to copy, never mixed up.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most characters of an id: files and folders are called by it, with an ending, and systems take up to 255.
pub const MOST_CHARS: usize = 128;

/// Whether `text` may name a case, prompt or model: `[A-Za-z0-9][A-Za-z0-9._-]*`, up to [`MOST_CHARS`] of them.
pub fn is_valid(text: &str) -> bool {
    text.len() <= MOST_CHARS
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Whether a file or folder may be called `id` on every system: Windows keeps some names for devices, with any ending,
/// and drops a full stop at the end.
pub fn is_portable(id: &str) -> bool {
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let stem = id.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().filter_map(|port| stem.strip_prefix(port));
    let is_port =
        numbered.into_iter().any(|number| number.len() == 1 && number.starts_with(|c: char| c.is_ascii_digit()));
    !id.ends_with('.') && !DEVICES.contains(&stem.as_str()) && !is_port
}

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// It holds other characters, or begins with a wrong one.
    #[error("`{0}` is no valid id: use letters, digits, `.`, `_` and `-`, beginning with a letter or digit")]
    Characters(String),
    /// It is too long.
    #[error("`{0:.24}…` is no valid id: it has {count} characters, and {MOST_CHARS} are the most", count = .0.chars().count())]
    Long(String),
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form in which ids are compared: two ids that differ only in case are one.
            pub fn folded(&self) -> String {
                self.0.to_ascii_lowercase()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                if is_valid(&text) {
                    return Ok(Self(text.into()));
                }
                let is_long = text.chars().count() > MOST_CHARS;
                Err(if is_long { InvalidId::Long(text) } else { InvalidId::Characters(text) })
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )+};
}

ids! {
    /// A case's id.
    CaseId,
    /// A prompt's id: its file's name without `.md`.
    PromptId,
    /// A model's id: the name used in reports.
    ModelId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_keeps_for_itself_are_known() {
        for (id, portable) in [
            ("nul", false),
            ("NUL.x", false),
            ("com1", false),
            ("Lpt9.txt", false),
            ("a.", false),
            ("com10", true),
            ("comet", true),
            ("null", true),
            ("gpt-4.1", true),
        ] {
            assert_eq!(is_portable(id), portable, "{id}");
        }
    }

    #[test]
    fn ids_are_ascii_and_begin_with_a_letter_or_digit() {
        for (text, valid) in [("a", true), ("gpt-4.1_x", true), ("7b", true), ("", false), ("-a", false), (".a", false)]
        {
            assert_eq!(text.parse::<CaseId>().is_ok(), valid, "{text}");
        }
        assert!("量子".parse::<CaseId>().is_err());
        assert!("a/b".parse::<ModelId>().is_err());
    }
}
