//! A pager for what is longer than a screen: `$PAGER`, else `less`, and only where a person reads.
//!
//! Promises that a pager that is missing or ended early is no error: the former leaves the text where it would have stood.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use super::environment::Environment;

/// A program that shows a text page by page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pager {
    program: OsString,
    arguments: Vec<OsString>,
    /// Whether the user has chosen it.
    is_chosen: bool,
}

impl Pager {
    /// The pager for what goes to standard output; none if that is no terminal, or the user wants none.
    pub(super) fn find(environment: &Environment, is_unwanted: bool) -> Option<Self> {
        let is_dumb = environment.variable("TERM") == Some("dumb");
        if is_unwanted || is_dumb || !environment.stdout.is_terminal {
            return None;
        }
        let chosen = environment.variables.get("PAGER").map(String::as_str);
        // Colours as they are; a text that fits on a screen stays there.
        let mut words = chosen.unwrap_or("less -RFX").split_whitespace().map(OsString::from);
        let program = words.next().filter(|program| program != "cat")?;
        let mut arguments: Vec<OsString> = words.collect();
        if chosen.is_some() && program == "less" && environment.variable("LESS").is_none() {
            arguments.push("-RFX".into());
        }
        Some(Self { program, arguments, is_chosen: chosen.is_some() })
    }

    /// Starts it; it reads what is written to its standard input.
    ///
    /// # Errors
    /// It cannot be started: a reason to be told only if the user has chosen it.
    pub(super) fn start(&self) -> Result<Started, Option<String>> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped());
        let told = |error: io::Error| {
            let name = self.program.to_string_lossy();
            self.is_chosen.then(|| format!("the pager `{name}` of $PAGER could not be started: {error}"))
        };
        Ok(Started { child: command.spawn().map_err(told)?, _ignored: Interrupts::ignore() })
    }
}

/// A pager at work.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    _ignored: Option<Interrupts>,
}

impl Started {
    /// Writes to it and waits until the user has read enough.
    ///
    /// # Errors
    /// What `write` says, or that the pager takes no more.
    pub(super) fn show(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let written = match self.child.stdin.take() {
            Some(stdin) => {
                let mut out = io::BufWriter::new(stdin);
                write(&mut out).and_then(|()| out.flush())
            }
            None => Ok(()),
        };
        self.child.wait()?;
        written
    }
}

/// Ctrl-C is the pager's while it runs: should we end by it, the shell and the pager would both read the keyboard.
#[derive(Debug)]
struct Interrupts(#[expect(dead_code, reason = "it listens as long as it lives")] tokio::runtime::Runtime);

impl Interrupts {
    fn ignore() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().ok()?;
        runtime.spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
        Some(Self(runtime))
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Stream;
    use super::*;

    fn found(variables: &[(&str, &str)], is_terminal: bool, is_unwanted: bool) -> String {
        let stream = Stream { is_terminal, colour: false, width: None };
        let environment = Environment {
            arguments: Vec::new(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            folder: std::path::PathBuf::new(),
            now: jiff::Timestamp::UNIX_EPOCH,
            stdout: stream,
            stderr: stream,
        };
        let Some(pager) = Pager::find(&environment, is_unwanted) else { return "none".to_owned() };
        let words = std::iter::once(&pager.program).chain(&pager.arguments);
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_pager_is_the_users_and_for_terminals_alone() {
        for (variables, is_terminal, is_unwanted, expected) in [
            (&[][..], true, false, "less -RFX"),
            (&[], false, false, "none"),
            (&[], true, true, "none"),
            (&[("PAGER", "less")], true, false, "less -RFX"),
            (&[("PAGER", "less -S"), ("LESS", "R")], true, false, "less -S"),
            (&[("PAGER", "most -w")], true, false, "most -w"),
            (&[("PAGER", "")], true, false, "none"),
            (&[("PAGER", "cat")], true, false, "none"),
            (&[("TERM", "dumb")], true, false, "none"),
        ] {
            assert_eq!(found(variables, is_terminal, is_unwanted), expected, "{variables:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_pager_that_ends_early_or_is_missing_is_told_apart() {
        let pager = |program: &str| Pager { program: program.into(), arguments: Vec::new(), is_chosen: true };
        let much = |out: &mut dyn Write| (0..10_000).try_for_each(|_| out.write_all(&[b'x'; 100]));
        let shown = pager("true").start().unwrap().show(much);
        assert_eq!(shown.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let missing = pager("no-such-pager").start().unwrap_err().unwrap();
        assert!(missing.contains("`no-such-pager` of $PAGER"), "{missing}");
        let default = Pager { is_chosen: false, ..pager("no-such-pager") };
        assert_eq!(default.start().unwrap_err(), None);
    }
}
