//! `run.jsonl`, the truth of a run: a header, then answers and outcomes a line each as they come, an end.
//!
//! Promises that a line reaches the operating system whole and at once or not at all, that one process writes a
//! journal at a time, and that a run is read in one pass without holding its answers. An answer that stands nowhere
//! else has a line of its own before it is judged; every outcome's line holds its answer, too.

mod at;
mod layout;
mod line;
mod reader;
mod writer;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use reader::{JournalReader, Lost, read_head};
pub use writer::{Journal, JournalFile};

/// The format that is written, and the only one that is read so far. Kinds of lines may be added to it: a reader passes
/// over those that it does not know. Any other change needs a new number and a stored example of the old one.
pub const FORMAT: u32 = 1;

/// The longest line in bytes; an answer of a server has at most an eighth of them.
const LONGEST_LINE: u64 = 512 << 20;

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system says no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process is writing it.
    #[error("{}: another evalrun is writing this run", path.display())]
    Busy {
        /// The journal.
        path: PathBuf,
    },
    /// It is a folder, a pipe or a device.
    #[error("{}: this is no file", path.display())]
    NoFile {
        /// What it is called.
        path: PathBuf,
    },
    /// There is no whole line: its process ended before the run began.
    #[error("{}: this journal was never begun", path.display())]
    Empty {
        /// The journal.
        path: PathBuf,
    },
    /// The first line is no header.
    #[error("{}: this is no journal of a run", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// It was written in a format that this evalrun does not know.
    #[error("{}: this journal has format {found}, and this evalrun reads format {FORMAT}", path.display())]
    Format {
        /// The journal.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A line cannot be understood.
    #[error("{}:{line}: this line is damaged: {message}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

/// Opening a pipe waits for whoever writes it, and a device may have no end.
fn must_be_a_file(path: &Path) -> Result<(), JournalError> {
    match std::fs::metadata(path) {
        Ok(about) if about.is_file() => Ok(()),
        Ok(_) => Err(JournalError::NoFile { path: path.to_owned() }),
        Err(source) => Err(JournalError::Io { path: path.to_owned(), source }),
    }
}
