//! What every command gets: the surroundings, the streams, and where the project is.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{CommonArgs, Language, LogFormat};
use super::console::{Console, Log, Verbosity};
use super::environment::Environment;
use super::error::Error;
use super::load::{CONFIG, Place};
use super::runs::Archive;
use crate::diagnostic::TextFile;
use crate::lang::Lang;
use crate::project::parse;

/// The surroundings of a command.
#[derive(Debug)]
pub(super) struct Context {
    /// What the process was started with.
    pub environment: Environment,
    /// Where it writes.
    pub console: Console,
    config: Option<PathBuf>,
}

impl Context {
    /// The surroundings as the flags shape them.
    pub(super) fn new(environment: Environment, common: CommonArgs) -> Self {
        let verbosity = match (common.quiet, common.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, 0) => Verbosity::Normal,
            (_, 1) => Verbosity::Verbose,
            _ => Verbosity::Everything,
        };
        let log = match common.log_format {
            LogFormat::Text => Log::Text,
            LogFormat::Json => Log::Json,
        };
        Self { console: Console::new(&environment, verbosity, log), environment, config: common.config }
    }

    /// The project.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn place(&self) -> Result<Place, Error> {
        Place::find(self.config.as_deref(), &self.environment)
    }

    /// The project, for commands that can do without: a run may be named by its folder.
    ///
    /// # Errors
    /// The user names one that is not there.
    pub(super) fn place_if_any(&self) -> Result<Option<Place>, Error> {
        match self.place() {
            Err(_) if self.config.is_none() => Ok(None),
            found => found.map(Some),
        }
    }

    /// A path that the user gives; `-` stays as it is.
    pub(super) fn path(&self, given: &Path) -> PathBuf {
        if given.as_os_str() == "-" { given.to_owned() } else { self.environment.folder.join(given) }
    }

    /// Where runs are looked for.
    pub(super) fn archive<'a>(&'a self, place: Option<&'a Place>) -> Archive<'a> {
        Archive { place, environment: &self.environment }
    }
}

/// The language to speak: the flag's, else that of the project's `[run]`, else English. What is wrong with a project is
/// told by the commands that need it.
pub(super) fn language(flag: Option<Language>, place: Option<&Place>) -> Lang {
    let of_project = |place: &Place| {
        let text = fs::read_to_string(&place.config).ok()?;
        parse(&TextFile::new(CONFIG, text)).ok()?.run.lang
    };
    flag.map(Lang::from).or_else(|| of_project(place?)).unwrap_or_default()
}
