//! What can end a command: told as `error: …` with a `hint: …`, and turned into an exit code.

use std::io;
use std::path::{Path, PathBuf};

use annotate_snippets::Renderer;

use super::console::counted;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, closest};
use crate::engine::{JournalError, StoreError};
use crate::report::one_line;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The call asks for something that cannot be.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The project's files have mistakes.
    #[error("{} in the project's files", counted(.0.len(), "mistake"))]
    Project(Vec<Diagnostic>),
    /// A file that the call names has mistakes.
    #[error("{} in {file}", counted(.problems.len(), "mistake"))]
    Input {
        /// The file as it was named.
        file: String,
        /// What is wrong in it.
        problems: Vec<Diagnostic>,
    },
    /// A run cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The answer store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A run cannot be written any more.
    #[error("{}: {source}", path.display())]
    Unfinished {
        /// Its journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A report cannot be written; the journal that it derives from is whole.
    #[error("{}: {source}", path.display())]
    Report {
        /// The report.
        path: PathBuf,
        /// The run's folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses something else.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// A mistake in the call.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Usage { message, .. } => Self::Usage { message, hint: Some(hint.into()) },
            other => other,
        }
    }

    /// The same, with the name of `known` that was probably meant, or all of them.
    #[must_use]
    pub(super) fn did_you_mean<'a>(self, given: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        const MOST: usize = 24;
        let known: Vec<&str> = known.into_iter().collect();
        match closest(given, &known) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None if known.is_empty() => self.hint(format!("there are no {what}")),
            None => {
                let more = known.len().saturating_sub(MOST);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                self.hint(format!("{what}: {}{more}", known[..known.len().min(MOST)].join(", ")))
            }
        }
    }

    /// A file that cannot be read or written.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }

    /// A file that the call names and that cannot be opened.
    pub(super) fn unopened(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::NotFound => Self::usage(format!("there is no file {}", path.display())),
            io::ErrorKind::IsADirectory => Self::usage(format!("{} is a folder", path.display())),
            _ => Self::usage(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// The exit code.
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. }
            | Self::Project(_)
            | Self::Input { .. }
            | Self::Store(StoreError::Stranger { .. } | StoreError::Version { .. } | StoreError::Damaged { .. }) => {
                Exit::Usage
            }
            Self::Journal(
                JournalError::Busy { .. }
                | JournalError::Empty { .. }
                | JournalError::NoFile { .. }
                | JournalError::NotAJournal { .. }
                | JournalError::Format { .. }
                | JournalError::Damaged { .. },
            ) => Exit::Usage,
            Self::Journal(JournalError::Io { .. })
            | Self::File { .. }
            | Self::Unfinished { .. }
            | Self::Report { .. }
            | Self::Store(
                StoreError::Io { .. }
                | StoreError::Denied { .. }
                | StoreError::Locked { .. }
                | StoreError::Sqlite { .. },
            )
            | Self::System { .. } => Exit::Unexpected,
        }
    }

    /// The error as a person reads it.
    pub(super) fn render(&self, renderer: &Renderer) -> String {
        match self {
            Self::Project(problems) => rendered(problems, &format!("error: {self}; nothing was sent"), renderer),
            Self::Input { problems, .. } => {
                rendered(problems, &format!("error: {}", one_line(&self.to_string())), renderer)
            }
            Self::Usage { message, hint } => {
                let hint = hint.as_ref().map(|hint| format!("\nhint: {}", one_line(hint))).unwrap_or_default();
                format!("error: {}{hint}", one_line(message))
            }
            Self::Store(error) => format!("error: {}\nhint: {}", one_line(&error.to_string()), store_hint(error)),
            Self::Unfinished { .. } => {
                let hint = "the run is kept as far as it came; when this is mended, the same command goes on";
                format!("error: {}\nhint: {hint}", one_line(&self.to_string()))
            }
            Self::Report { folder, .. } => {
                let mended = format!("evalrun report {}", folder.display());
                let hint = format!("every answer is kept; when this is mended, `{mended}` writes the reports");
                format!("error: {}\nhint: {}", one_line(&self.to_string()), one_line(&hint))
            }
            other => format!("error: {}", one_line(&other.to_string())),
        }
    }
}

/// Whether a call that fails by this was right: there is no room on the disk, or a limit of the system is reached.
pub(super) fn is_lack_of_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Problems, and what they come to.
fn rendered(problems: &[Diagnostic], sum: &str, renderer: &Renderer) -> String {
    let mut parts: Vec<String> = problems.iter().map(|problem| problem.render(renderer)).collect();
    parts.push(sum.to_owned());
    parts.join("\n\n")
}

/// What to do about a store that cannot be used; nothing of it is ever thrown away without being asked.
const fn store_hint(error: &StoreError) -> &'static str {
    match error {
        StoreError::Damaged { .. } => {
            "move the file away (`sqlite3 FILE .recover` may save what is in it), or go without: --no-cache"
        }
        StoreError::Locked { .. } => "wait for the other process, or go without: --no-cache",
        StoreError::Stranger { .. }
        | StoreError::Version { .. }
        | StoreError::Io { .. }
        | StoreError::Denied { .. }
        | StoreError::Sqlite { .. } => "name another file by --cache, or go without: --no-cache",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_failed_and_what_to_do() {
        let known = ["news-article", "news-article-careful"];
        for (given, expected) in [
            ("news-artikel", "error: no such prompt\nhint: did you mean `news-article`?"),
            ("zzz", "error: no such prompt\nhint: prompts: news-article, news-article-careful"),
        ] {
            let error = Error::usage("no such prompt").did_you_mean(given, "prompts", known);
            assert_eq!(error.render(&Renderer::plain()), expected);
            assert_eq!(error.exit(), Exit::Usage);
        }
        let error = Error::usage("no such case").did_you_mean("x", "cases", []);
        assert_eq!(error.render(&Renderer::plain()), "error: no such case\nhint: there are no cases");
    }
}
