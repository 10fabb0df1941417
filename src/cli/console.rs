//! Writing to the user: results to standard output, everything else to standard error.
//!
//! Promises that a reader who has gone away is no error, and that colour goes to terminals alone.

use std::io::{self, BufWriter, Write};

use annotate_snippets::Renderer;
use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::environment::{Environment, Stream};
use super::error::Error;
use super::pager::Pager;
use crate::report::ci::Annotation;
use crate::report::terminal::{MOST_COLUMNS, TerminalOptions};
use crate::report::{Lang, json_for_logs, one_line, without_ci_commands};

/// How talkative standard error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Errors alone.
    Quiet,
    /// What a user wants to know.
    Normal,
    /// Each outcome.
    Verbose,
    /// Each attempt, too.
    Everything,
}

/// What standard error is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// People.
    Text,
    /// Programs: an object a line.
    Json,
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Info,
    Warning,
    Error,
}

/// A number with its noun: `1 case`, `2 cases`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The two streams, and what they take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    /// Standard output.
    pub stdout: Stream,
    /// Standard error.
    pub stderr: Stream,
    /// How much is said.
    pub verbosity: Verbosity,
    /// For whom.
    pub log: Log,
}

/// Whether anybody still reads standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody does.
    Listens,
    /// The pipe is closed.
    Gone,
}

impl Console {
    /// The streams of `environment`.
    pub(super) const fn new(environment: &Environment, verbosity: Verbosity, log: Log) -> Self {
        Self { stdout: environment.stdout, stderr: environment.stderr, verbosity, log }
    }

    /// How reports are written on standard output.
    pub(super) fn terminal_options(&self, lang: Lang) -> TerminalOptions {
        let width = self.stdout.width.map_or(MOST_COLUMNS, |width| width.clamp(40, MOST_COLUMNS));
        TerminalOptions { width, colour: self.stdout.colour, lang }
    }

    /// Writes results.
    ///
    /// # Errors
    /// Standard output cannot be written, for another reason than that nobody reads it any more.
    pub(super) fn print(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Reader, Error> {
        let colour = if self.stdout.colour { ColorChoice::Always } else { ColorChoice::Never };
        // Without colour nothing is to be taken out: a report has none then, and CSV is to come out byte by byte.
        let written = if self.stdout.colour {
            let mut out = BufWriter::new(AutoStream::new(io::stdout(), colour));
            write(&mut out).and_then(|()| out.flush())
        } else {
            let mut out = BufWriter::new(io::stdout().lock());
            write(&mut out).and_then(|()| out.flush())
        };
        read_by(written)
    }

    /// As [`print`](Self::print), page by page where there is a pager.
    ///
    /// # Errors
    /// As for [`print`](Self::print).
    pub(super) fn page(
        &self,
        pager: Option<&Pager>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Reader, Error> {
        match pager.map(Pager::start) {
            None => self.print(write),
            Some(Ok(started)) => read_by(started.show(write)),
            Some(Err(told)) => {
                if let Some(why) = told {
                    self.warn(&why);
                }
                self.print(write)
            }
        }
    }

    /// As [`print`](Self::print), for JSON: a CI service finds no command in it, and nothing in it is hidden, whatever an answer says.
    ///
    /// # Errors
    /// As for [`print`](Self::print).
    pub(super) fn print_json(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Reader, Error> {
        self.print(|out| {
            let mut json = JsonForLogs { out, line: Vec::new() };
            write(&mut json)?;
            json.end_line()
        })
    }

    /// Says something that is no result.
    pub(super) fn say(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.write(Level::Info, message);
        }
    }

    /// Says `text` to people, or to programs an event of this name with these fields.
    pub(super) fn tell(&self, text: &str, name: &str, fields: Value) {
        match (self.log, fields) {
            (Log::Json, Value::Object(fields)) if self.verbosity > Verbosity::Quiet => Self::object(name, fields),
            _ => self.say(text),
        }
    }

    fn object(name: &str, fields: Map<String, Value>) {
        let head = [("event".to_owned(), json!(name)), ("at".to_owned(), json!(Timestamp::now()))];
        let object: Map<String, Value> = head.into_iter().chain(fields).collect();
        let _ = writeln!(io::stderr(), "{}", json_for_logs(&Value::Object(object).to_string()));
    }

    /// Says what is odd and no error; texts of files and servers are shown in one line.
    pub(super) fn warn(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.write(Level::Warning, &one_line(message));
        }
    }

    /// Gives a CI service a command, on standard error: the one thing that must not be made harmless. It is no JSON.
    pub(super) fn command(&self, annotation: &Annotation) {
        if self.log == Log::Json {
            return;
        }
        let _ = writeln!(io::stderr(), "{annotation}");
    }

    /// Says an error.
    pub(super) fn report(&self, error: &Error) {
        let renderer = if self.log == Log::Json { Renderer::plain() } else { self.renderer() };
        self.complain(&error.render(&renderer));
    }

    /// How diagnostics are drawn on standard error.
    pub(super) fn renderer(&self) -> Renderer {
        if self.stderr.colour { Renderer::styled() } else { Renderer::plain() }
    }

    /// Says what must be said even if little is.
    pub(super) fn complain(&self, message: &str) {
        self.write(Level::Error, message);
    }

    /// Writes to standard error; that nobody reads it is no reason to end. What servers and files say gives a CI service
    /// no commands.
    fn write(&self, level: Level, message: &str) {
        if self.log == Log::Json {
            let level = match level {
                Level::Info => "info",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            let fields = [("level".to_owned(), json!(level)), ("message".to_owned(), json!(message))];
            return Self::object("message", fields.into_iter().collect());
        }
        let message = match level {
            Level::Warning => without_ci_commands(&format!("warning: {message}")),
            Level::Info | Level::Error => without_ci_commands(message),
        };
        let colour = if self.stderr.colour { ColorChoice::Always } else { ColorChoice::Never };
        let _ = writeln!(AutoStream::new(io::stderr(), colour), "{message}");
    }
}

/// Whether what was written has a reader: one who has gone away is no error.
fn read_by(written: io::Result<()>) -> Result<Reader, Error> {
    match written {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(source) => Err(Error::System { what: "standard output", source }),
    }
}

/// Makes JSON harmless line by line as it is written.
struct JsonForLogs<'w> {
    out: &'w mut dyn Write,
    /// The line that has not come to its end.
    line: Vec<u8>,
}

impl JsonForLogs<'_> {
    fn end_line(&mut self) -> io::Result<()> {
        let line = std::str::from_utf8(&self.line).map_err(io::Error::other)?;
        self.out.write_all(json_for_logs(line).as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

impl Write for JsonForLogs<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(bytes.len())
    }

    /// A line that has begun is kept: half a character cannot be judged.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_made_harmless_however_its_writes_are_cut() {
        let text = "{\"a\": \"##[error]\u{202e}逆\"}\n{\"b\": \"##vso[x]\"}";
        for length in 1..=text.len() {
            let mut safe = Vec::new();
            let mut out = JsonForLogs { out: &mut safe, line: Vec::new() };
            text.as_bytes().chunks(length).for_each(|bytes| out.write_all(bytes).unwrap());
            out.end_line().unwrap();
            assert_eq!(String::from_utf8(safe).unwrap(), json_for_logs(text));
        }
    }
}
