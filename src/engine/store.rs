//! The answer store: answers of servers by the digest of their request, in one `SQLite` file that processes share.
//!
//! Promises that an answer is committed when [`Store::put`] returns, that what one process puts another finds, and that
//! a file which is damaged or none of its own is refused, never written over. A store where nothing can be written is
//! read. Leaves which answers belong here to `answers`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::answers::Answer;
use super::client::millis;
use crate::model::Provider;
use crate::outcome::Attempt;
use crate::request::{Request, RequestKey};
use crate::response::{Finish, FinishReason, Response, Usage};

/// By this the database's own tools know the file: `eval` in ASCII.
const APPLICATION: i32 = 0x6576_616C;

/// The version of the tables.
const VERSION: i32 = 1;

/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most answers of one transaction.
const MOST_AT_ONCE: usize = 512;

const TABLES: &str = "
    CREATE TABLE answers (
        key TEXT PRIMARY KEY NOT NULL,
        provider TEXT NOT NULL,
        url TEXT NOT NULL,
        model TEXT NOT NULL,
        stored_at INTEGER NOT NULL,
        answer TEXT NOT NULL
    ) STRICT;";

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its folder cannot be made.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is a file of something else.
    #[error("{}: this is no answer store", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
    },
    /// A later evalrun made it.
    #[error("{}: this answer store has version {found}, and this evalrun knows version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// Its bytes are not what `SQLite` wrote.
    #[error("{}: this answer store is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What `SQLite` says.
        message: String,
    },
    /// Another process holds it for longer than anybody should.
    #[error("{}: another process keeps this answer store locked", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The system does not let it be written, or read.
    #[error("{}: {message}", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// What was refused.
        message: String,
    },
    /// It cannot be read or written for another reason.
    #[error("{}: {message}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What `SQLite` says.
        message: String,
    },
}

impl StoreError {
    fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, message) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Stranger { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, message },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Denied { path, message }
            }
            // The tables are strict: what is of another type, or no text, was not written so.
            None if is_of_another_type(error) => Self::Damaged { path, message },
            _ => Self::Sqlite { path, message },
        }
    }
}

const fn is_of_another_type(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..))
}

/// An answer as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    text: Option<String>,
    finish_reason: FinishReason,
    finish_detail: Option<String>,
    usage: Usage,
    served_model: Option<String>,
    response_id: Option<String>,
    attempts: Vec<Attempt>,
    latency_ms: u64,
}

impl From<&Answer> for Stored {
    fn from(answer: &Answer) -> Self {
        let Response { text, finish, usage, served_model, id, .. } = answer.response.clone();
        Self {
            text,
            finish_reason: finish.reason,
            finish_detail: finish.detail,
            usage,
            served_model,
            response_id: id,
            attempts: answer.attempts.clone(),
            latency_ms: millis(answer.latency),
        }
    }
}

impl From<Stored> for Answer {
    fn from(stored: Stored) -> Self {
        let finish = Finish { reason: stored.finish_reason, detail: stored.finish_detail };
        let (text, usage, served_model, id) = (stored.text, stored.usage, stored.served_model, stored.response_id);
        Self {
            response: Response { text, finish, usage, served_model, id, rest: None },
            // Those were made when it was asked for, not now.
            attempts: Vec::new(),
            latency: Duration::from_millis(stored.latency_ms),
            cached: true,
        }
    }
}

/// One answer on its way to the writer.
struct Put {
    key: RequestKey,
    provider: Provider,
    url: String,
    model: String,
    stored_at: i64,
    answer: String,
    done: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// An open answer store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    reader: Mutex<Connection>,
    writer: Option<(Sender<Put>, JoinHandle<()>)>,
}

/// How many answers of a model there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The API family.
    pub provider: String,
    /// The provider's name for the model.
    pub model: String,
    /// The number of answers.
    pub answers: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// When the oldest was stored.
    pub oldest: Timestamp,
    /// When the newest was stored.
    pub newest: Timestamp,
}

/// Which answers are to go.
#[derive(Debug, Clone, Default)]
pub struct Prune {
    /// Those stored before that moment; absent: whenever they were.
    pub before: Option<Timestamp>,
    /// Those of these models, as their providers name them; absent: of all.
    pub models: Option<Vec<String>>,
}

impl Store {
    /// Opens a store; where there is none, it is made, and its folder too.
    ///
    /// # Errors
    /// The file is no store, is damaged, or is of a later evalrun; the folder cannot be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !path.exists());
        if let Some(folder) = folder {
            make_folder(folder).map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
        }
        Self::connected(path)
    }

    /// Opens a store that is there; `None` if there is none.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_existing(path: &Path) -> Result<Option<Self>, StoreError> {
        if path.exists() { Self::connected(path).map(Some) } else { Ok(None) }
    }

    fn connected(path: &Path) -> Result<Self, StoreError> {
        match Self::writable(path) {
            Err(StoreError::Denied { .. }) if path.is_file() => Self::read_only(path),
            opened => opened,
        }
    }

    fn writable(path: &Path) -> Result<Self, StoreError> {
        let opening = one_at_a_time(path).map_err(|source| match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                StoreError::Denied { path: beside(path, ".lock"), message: source.to_string() }
            }
            _ => StoreError::Io { path: path.to_owned(), source },
        })?;
        let writing = connect(path)?;
        let reading = connect(path)?;
        drop(opening);
        let (sender, receiver) = channel();
        let place = path.to_owned();
        let thread = thread::Builder::new().name("answers".to_owned()).spawn(move || write(&place, writing, &receiver));
        let thread = thread.map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), reader: Mutex::new(reading), writer: Some((sender, thread)) })
    }

    /// A store where nothing can be written: what is there is found.
    fn read_only(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // What another process, perhaps a killed one, left in the log beside it must not be overlooked.
        let has_log = fs::metadata(beside(path, "-wal")).is_ok_and(|about| about.len() > 0);
        let reading = if has_log {
            Connection::open_with_flags(path, flags)
        } else {
            Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)
        };
        let reading = reading.map_err(|error| StoreError::of(path, &error))?;
        if !is_ours(&reading, path)? {
            return Err(StoreError::Stranger { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), reader: Mutex::new(reading), writer: None })
    }

    /// The answer to a request, if one was stored at or after `since`.
    ///
    /// # Errors
    /// The file cannot be read; [`StoreError::Damaged`] if that may be so of this answer alone.
    pub fn get(&self, key: &RequestKey, since: Option<Timestamp>) -> Result<Option<Answer>, StoreError> {
        let since = since.map_or(i64::MIN, Timestamp::as_millisecond);
        let reader = self.reader();
        let found: rusqlite::Result<Option<String>> = (|| {
            let mut statement =
                reader.prepare_cached("SELECT answer FROM answers WHERE key = ?1 AND stored_at >= ?2")?;
            statement.query_row(params![key.as_str(), since], |row| row.get(0)).optional()
        })();
        let found = found.map_err(|error| StoreError::of(&self.path, &error))?;
        let parse = |text: String| serde_json::from_str::<Stored>(&text).map(Answer::from);
        let damaged = |error: serde_json::Error| StoreError::Damaged {
            path: self.path.clone(),
            message: format!("the answer {key}: {error}"),
        };
        found.map(parse).transpose().map_err(damaged)
    }

    /// Stores an answer; when this returns, the death of the process does not lose it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn put(
        &self,
        key: RequestKey,
        request: &Request,
        model: &str,
        answer: &Answer,
    ) -> Result<(), Arc<StoreError>> {
        let failed =
            |message: &str| Arc::new(StoreError::Sqlite { path: self.path.clone(), message: message.to_owned() });
        let Some((sender, _)) = &self.writer else {
            let message = "nothing can be written there".to_owned();
            return Err(Arc::new(StoreError::Denied { path: self.path.clone(), message }));
        };
        let stored = serde_json::to_string(&Stored::from(answer)).map_err(|error| failed(&error.to_string()))?;
        let (done, told) = oneshot::channel();
        let put = Put {
            key,
            provider: request.provider,
            url: request.url.clone(),
            model: model.to_owned(),
            stored_at: Timestamp::now().as_millisecond(),
            answer: stored,
            done,
        };
        let gone = || failed("its writer is gone");
        sender.send(put).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }

    /// How many answers there are, by model.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn shares(&self) -> Result<Vec<Share>, StoreError> {
        let error = |error| StoreError::of(&self.path, &error);
        let reader = self.reader();
        let check: String = reader.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(error)?;
        if check != "ok" {
            return Err(StoreError::Damaged { path: self.path.clone(), message: check });
        }
        let mut statement = reader
            .prepare(
                "SELECT provider, model, COUNT(*), SUM(LENGTH(CAST(answer AS BLOB))), MIN(stored_at), MAX(stored_at)
                 FROM answers GROUP BY provider, model ORDER BY provider, model",
            )
            .map_err(error)?;
        let share = |row: &rusqlite::Row<'_>| {
            Ok(Share {
                provider: row.get(0)?,
                model: row.get(1)?,
                answers: row.get::<_, i64>(2)?.unsigned_abs(),
                bytes: row.get::<_, i64>(3)?.unsigned_abs(),
                oldest: moment(row.get(4)?),
                newest: moment(row.get(5)?),
            })
        };
        let shares = statement.query_map([], share).map_err(error)?;
        shares.collect::<Result<_, _>>().map_err(error)
    }

    /// Takes answers out and returns how many; the file gets smaller.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn prune(&self, which: &Prune) -> Result<usize, StoreError> {
        let error = |error| StoreError::of(&self.path, &error);
        let before = which.before.map_or(i64::MAX, Timestamp::as_millisecond);
        let models = which.models.as_ref().map(serde_json::to_string).transpose();
        let models = models.map_err(|error| StoreError::Sqlite { path: self.path.clone(), message: error.to_string() });
        let reader = self.reader();
        let pruned = reader
            .execute(
                "DELETE FROM answers WHERE stored_at < ?1
                 AND (?2 IS NULL OR model IN (SELECT value FROM json_each(?2)))",
                params![before, models?],
            )
            .map_err(error)?;
        reader.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);").map_err(error)?;
        Ok(pruned)
    }

    /// Writes every answer as a JSON object a line, by key.
    ///
    /// # Errors
    /// The file cannot be read (an [`io::Error`] around a [`StoreError`]), or `out` cannot be written.
    pub fn export(&self, out: &mut dyn Write) -> io::Result<()> {
        let error = |error| io::Error::other(StoreError::of(&self.path, &error));
        let reader = self.reader();
        let mut statement = reader
            .prepare("SELECT key, provider, url, model, stored_at, answer FROM answers ORDER BY key")
            .map_err(error)?;
        let mut rows = statement.query([]).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            let line = exported(row).map_err(error)?;
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.writer.take() {
            drop(sender);
            // It ends when it has written all that it was given.
            let _ = thread.join();
        }
    }
}

#[derive(Serialize)]
struct Exported {
    key: String,
    provider: String,
    url: String,
    model: String,
    stored_at: Timestamp,
    #[serde(flatten)]
    answer: serde_json::Value,
}

fn exported(row: &rusqlite::Row<'_>) -> rusqlite::Result<Exported> {
    let answer: String = row.get(5)?;
    Ok(Exported {
        key: row.get(0)?,
        provider: row.get(1)?,
        url: row.get(2)?,
        model: row.get(3)?,
        stored_at: moment(row.get(4)?),
        answer: serde_json::from_str(&answer).unwrap_or(serde_json::Value::String(answer)),
    })
}

fn moment(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What evalrun keeps for itself is nothing to commit.
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let ignore = folder.join(".gitignore");
    if folder.file_name().is_some_and(|name| name == ".evalrun") && !ignore.exists() {
        fs::write(ignore, "# What evalrun keeps for itself; each file can be made again.\n*\n")?;
    }
    Ok(())
}

/// The right to open a store. A new one changes its mode when it is first opened, which nobody may do beside another.
fn one_at_a_time(path: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(beside(path, ".lock"))?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        // Some network file systems know no locks.
        Ok(()) | Err(_) => Ok(file),
    }
}

/// The file beside a store whose name goes on with `end`.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

/// The address by which `SQLite` reads a file beside which it can put none: as one that nobody changes.
fn immutable(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path };
    let drive = if path.starts_with('/') || !Path::new(&path).is_absolute() { "" } else { "/" };
    format!("file:{drive}{path}?immutable=1")
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let error = |error| StoreError::of(path, &error);
    if path.exists() && !path.is_file() {
        return Err(StoreError::Stranger { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(error)?;
    connection.busy_timeout(PATIENCE).map_err(error)?;
    if !is_ours(&connection, path)? {
        // Of two processes that find none, one makes the tables.
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
        let transaction = transaction.map_err(error)?;
        if !is_ours(&transaction, path)? {
            let marks = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
            transaction.execute_batch(&format!("{TABLES} {marks}")).map_err(error)?;
        }
        transaction.commit().map_err(error)?;
    }
    // Readers do not wait for the writer; the death of the process loses nothing.
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";
    connection.execute_batch(pragmas).map_err(error)?;
    Ok(connection)
}

/// Whether the file is a store; `false` if it is empty.
fn is_ours(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let number = |query: &str| -> Result<i32, StoreError> {
        connection.query_row(query, [], |row| row.get(0)).map_err(|error| StoreError::of(path, &error))
    };
    match (number("PRAGMA application_id")?, number("PRAGMA user_version")?) {
        (APPLICATION, VERSION) => Ok(true),
        (APPLICATION, found) => Err(StoreError::Version { path: path.to_owned(), found }),
        (0, 0) if number("SELECT COUNT(*) FROM sqlite_schema")? == 0 => Ok(false),
        _ => Err(StoreError::Stranger { path: path.to_owned() }),
    }
}

/// Writes what comes until nothing can come any more: all that waits goes into one transaction.
fn write(path: &Path, mut connection: Connection, receiver: &Receiver<Put>) {
    while let Ok(first) = receiver.recv() {
        let batch: Vec<Put> = std::iter::once(first).chain(receiver.try_iter().take(MOST_AT_ONCE - 1)).collect();
        let written = commit(&mut connection, &batch).map_err(|error| Arc::new(StoreError::of(path, &error)));
        for put in batch {
            // Whoever does not wait any more does not need to know.
            let _ = put.done.send(written.clone());
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Put]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut insert =
            transaction.prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for put in batch {
            let (key, provider) = (put.key.as_str(), put.provider.name());
            insert.execute(params![key, provider, put.url, put.model, put.stored_at, put.answer])?;
        }
    }
    transaction.commit()
}

#[cfg(test)]
mod tests;
