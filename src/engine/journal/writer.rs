//! Writing a journal: its file is locked first, then read, then written line by line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::at;
use super::layout::Layout;
use super::line::{AbandonedLine, AnswerLine, EndLine, HeaderLine, LimitLine, Line, PartLine};
use super::reader::JournalReader;
use super::{FORMAT, JournalError, must_be_a_file};
use crate::engine::answers::Answer;
use crate::engine::client::Abandoned;
use crate::engine::limit::Slowed;
use crate::id::ModelId;
use crate::outcome::{Outcome, RunHeader};
use crate::trial::{Trial, TrialId};

/// The file of a journal, locked: until this is dropped, nobody else writes it.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    path: PathBuf,
}

impl JournalFile {
    /// Opens and locks the file, which need not be there.
    ///
    /// # Errors
    /// Another process is writing it, or it is no file that can be written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        loop {
            if path.exists() {
                must_be_a_file(path)?;
            }
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
            lock_file(&file, path)?;
            // Whoever had the lock before may have moved the file away: then the lock is that of another run.
            if is_still_at(&file, path).map_err(io)? {
                return Ok(Self { file, path: path.to_owned() });
            }
        }
    }

    /// Reads what it holds; nobody changes it meanwhile.
    ///
    /// # Errors
    /// As for [`JournalReader::open`].
    pub fn read(&self) -> Result<JournalReader, JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        JournalReader::of(self.file.try_clone().map_err(io)?, &self.path)
    }

    /// Begins the journal of a run with these trials of its header, where none was begun before.
    ///
    /// # Errors
    /// The file holds a journal already, or cannot be written.
    pub fn begin(self, header: &RunHeader, trials: &[Trial]) -> Result<Journal, JournalError> {
        self.begin_for(header, trials.iter().map(|trial| &trial.id))
    }

    /// As [`begin`](Self::begin), for a run that asks for nothing and has ids alone.
    ///
    /// # Errors
    /// As for [`begin`](Self::begin).
    pub fn begin_for<'t>(
        mut self,
        header: &RunHeader,
        trials: impl Iterator<Item = &'t TrialId>,
    ) -> Result<Journal, JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        if end_of_last_line(&mut self.file).map_err(io)? > 0 {
            return Err(io(io::ErrorKind::AlreadyExists.into()));
        }
        // A part of a header may be there: its process ended before the run began.
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(io)?;
        let selection = Layout::of(header).select(trials).map_err(io)?;
        let line = Line::Header(HeaderLine { format: FORMAT, selection, header });
        // It may be long, and what is half a header was never begun: it needs not be one write.
        let mut out = BufWriter::with_capacity(1 << 16, &self.file);
        serde_json::to_writer(&mut out, &line).map_err(|error| io(error.into()))?;
        out.write_all(b"\n").and_then(|()| out.flush()).map_err(io)?;
        drop(out);
        let length = self.file.stream_position().map_err(io)?;
        Ok(Journal { writer: Mutex::new(Writer { file: self.file, length }), path: self.path })
    }

    /// Goes on with a journal; a torn last line is cut off.
    ///
    /// # Errors
    /// It is no journal of a format that is written here, or the file cannot be written.
    pub fn go_on(mut self) -> Result<Journal, JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        JournalReader::check(&self.file, &self.path)?;
        let length = end_of_last_line(&mut self.file).map_err(io)?;
        self.file.set_len(length).map_err(io)?;
        Ok(Journal { writer: Mutex::new(Writer { file: self.file, length }), path: self.path })
    }
}

/// A journal being written. Its file is locked until it is dropped.
#[derive(Debug)]
pub struct Journal {
    writer: Mutex<Writer>,
    path: PathBuf,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// The length of all whole lines, in bytes.
    length: u64,
}

impl Journal {
    /// Keeps an outcome. When this returns, the death of the process does not lose it.
    ///
    /// # Errors
    /// The file cannot be written; it then ends as it did before.
    pub fn append(&self, outcome: &Outcome) -> io::Result<()> {
        self.write(&Line::Outcome(Box::new(outcome.into())))
    }

    /// Keeps an answer that is not judged yet, as [`append`](Self::append) keeps an outcome.
    ///
    /// # Errors
    /// The file cannot be written; it then ends as it did before.
    pub fn append_answer(&self, trial: &TrialId, answer: &Answer) -> io::Result<()> {
        self.write(&Line::Answer(Box::new(AnswerLine::new(trial, answer))))
    }

    /// Keeps a part of an answer, whose rest is asked for next, as [`append`](Self::append) keeps an outcome.
    ///
    /// # Errors
    /// The file cannot be written; it then ends as it did before.
    pub fn append_part(&self, trial: &TrialId, part: &Answer) -> io::Result<()> {
        self.write(&Line::Part(Box::new(PartLine::new(trial, part))))
    }

    /// Keeps what was asked of a trial that has no outcome, as [`append`](Self::append) keeps an outcome.
    ///
    /// # Errors
    /// The file cannot be written; it then ends as it did before.
    pub fn append_abandoned(&self, trial: &TrialId, abandoned: &Abandoned) -> io::Result<()> {
        self.write(&Line::Abandoned(Box::new(AbandonedLine::new(trial, abandoned))))
    }

    /// Notes that less is sent to a model from now on.
    ///
    /// # Errors
    /// The file cannot be written; it then ends as it did before.
    pub fn append_limit(&self, model: &ModelId, slowed: &Slowed) -> io::Result<()> {
        let Slowed { limit_before, limit, rate } = *slowed;
        let rpm = rate.map(|rate| (rate * 60.0).round());
        self.write(&Line::Limit(LimitLine { model, at: Timestamp::now(), concurrency: [limit_before, limit], rpm }))
    }

    /// Notes that the run came to its end, or was interrupted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end(&self, finished_at: Timestamp, interrupted: bool) -> io::Result<()> {
        self.write(&Line::End(EndLine { finished_at, interrupted }))
    }

    /// Reads what was written so far. Nothing may be written while it is read: the file has one cursor.
    ///
    /// # Errors
    /// As for [`JournalReader::open`].
    pub fn read(&self) -> Result<JournalReader, JournalError> {
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        // Where locks are mandatory, the file can be read by way of the handle alone that has the lock.
        let file = lock(&self.writer).file.try_clone().map_err(io)?;
        JournalReader::of(file, &self.path)
    }

    fn write(&self, line: &Line<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let mut writer = lock(&self.writer);
        let length = writer.length;
        if let Err(error) = at::write(&writer.file, &bytes, length) {
            // Half a line in the middle would damage the journal for good.
            writer.file.set_len(length)?;
            return Err(error);
        }
        writer.length += bytes.len() as u64;
        Ok(())
    }
}

/// Whether `path` still leads to the open file.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere a file that is open cannot be moved away.
#[cfg(not(unix))]
fn is_still_at(_: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

fn lock_file(file: &File, path: &Path) -> Result<(), JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy { path: path.to_owned() }),
        // Some network file systems know no locks; a run must be possible there, too.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(source)) => Err(JournalError::Io { path: path.to_owned(), source }),
    }
}

fn end_of_last_line(file: &mut File) -> io::Result<u64> {
    const BLOCK: u64 = 1 << 16;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(newline) = block.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
