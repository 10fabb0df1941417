//! What the process was started with: arguments, variables, folder, terminals, time. Read once, handed on as a value.
//!
//! Promises that nothing else in the command line looks at the process, so that every command can be told what it sees.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// The surroundings of one call.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The arguments, the program's own name first.
    pub arguments: Vec<OsString>,
    /// The environment variables whose name and value are UTF-8.
    pub variables: HashMap<String, String>,
    /// The current folder.
    pub folder: PathBuf,
    /// When the call began.
    pub now: Timestamp,
    /// Standard output.
    pub stdout: Stream,
    /// Standard error.
    pub stderr: Stream,
}

/// Where a stream leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Whether a person sees it.
    pub is_terminal: bool,
    /// Whether to colour what is written to it.
    pub colour: bool,
    /// The terminal's width in columns, if it is one.
    pub width: Option<usize>,
}

impl Environment {
    /// The process as it is now.
    ///
    /// # Errors
    /// The current folder is gone or cannot be read.
    pub fn capture() -> io::Result<Self> {
        let utf8 = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let variables: HashMap<String, String> = std::env::vars_os().filter_map(utf8).collect();
        let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let stream = |is_terminal| Stream {
            is_terminal,
            colour: is_terminal && wants_colour(&variables),
            width: width.filter(|_| is_terminal),
        };
        Ok(Self {
            arguments: std::env::args_os().collect(),
            folder: std::env::current_dir()?,
            now: Timestamp::now(),
            stdout: stream(io::stdout().is_terminal()),
            stderr: stream(io::stderr().is_terminal()),
            variables,
        })
    }

    /// The day on which prices and waivers are judged, in UTC: the same wherever a run is made.
    pub fn today(&self) -> Date {
        day_of(self.now)
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The day of a moment, in UTC.
pub(super) fn day_of(moment: Timestamp) -> Date {
    Offset::UTC.to_datetime(moment).date()
}

/// Whether the user minds colour: <https://no-color.org>.
fn wants_colour(variables: &HashMap<String, String>) -> bool {
    let value = |name| variables.get(name).map(String::as_str).unwrap_or_default();
    value("NO_COLOR").is_empty() && value("TERM") != "dumb"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_left_out_where_the_user_minds_it() {
        for (variables, expected) in [
            (&[][..], true),
            (&[("NO_COLOR", "1")], false),
            (&[("NO_COLOR", "")], true),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "xterm")], true),
        ] {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(wants_colour(&variables), expected, "{variables:?}");
        }
    }
}
