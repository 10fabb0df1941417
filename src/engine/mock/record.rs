//! What was asked and what became of it: the counters behind `/stats`, and the log.
//!
//! Promises that a request is counted before its client can know its end, and that a key stands in neither.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::answers::Origin;
use super::fault::Fault;
use super::question::Question;
use super::route::Protocol;

/// The counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Questions received.
    pub requests: u64,
    /// Questions whose answer was sent to its end, good or bad; errors and broken answers are none.
    pub answered: u64,
    /// Of these, those of a question that had been answered before.
    pub answered_again: u64,
    /// Questions whose client went away before their end.
    pub abandoned: u64,
    /// Different questions: protocol, model and body.
    pub distinct: u64,
    /// Questions that had been asked before.
    pub repeated: u64,
    /// Questions on their way now.
    pub in_flight: u64,
    /// The most of them at once.
    pub peak_in_flight: u64,
    /// Answers by where they came from.
    pub answers: Origins,
    /// Questions by protocol, model, status and fault.
    pub by: Vec<Row>,
}

/// Answers by where they came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Origins {
    /// From the project's recorded answers.
    pub recorded: u64,
    /// From the template.
    pub template: u64,
    /// Made up.
    pub article: u64,
}

/// How often one thing happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Row {
    /// The protocol.
    pub protocol: &'static str,
    /// The model as the client names it.
    pub model: String,
    /// The HTTP status; `None` if nothing was sent.
    pub status: Option<u16>,
    /// The fault that struck.
    pub fault: Option<&'static str>,
    /// How often.
    pub count: u64,
}

/// A row without its count.
type RowKey = (Protocol, String, Option<u16>, Option<&'static str>);

#[derive(Debug, Default)]
struct Book {
    counts: Counts,
    questions: HashMap<u64, Asked>,
    rows: BTreeMap<RowKey, u64>,
}

/// What is known of one question.
#[derive(Debug, Default)]
struct Asked {
    /// How often it got past the limit.
    attempts: u32,
    is_answered: bool,
}

/// Counts and logs.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    book: Mutex<Book>,
    log: Option<File>,
    log_error: Mutex<Option<io::Error>>,
    log_failed: Notify,
}

impl Recorder {
    pub(super) fn new(log: Option<File>) -> Self {
        Self { log, ..Self::default() }
    }

    pub(super) fn counts(&self) -> Counts {
        let book = self.book();
        let row = |(key, count): (&RowKey, &u64)| {
            let (protocol, model, status, fault) = key.clone();
            Row { protocol: protocol.name(), model, status, fault, count: *count }
        };
        Counts { by: book.rows.iter().map(row).collect(), ..book.counts.clone() }
    }

    /// Waits until the log cannot be written, and says why.
    pub(super) async fn log_failed(&self) -> io::Error {
        loop {
            if let Some(error) = self.log_error.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return error;
            }
            self.log_failed.notified().await;
        }
    }

    /// Notes that a question arrived; the ticket notes what becomes of it.
    pub(super) fn begin(self: &Arc<Self>, protocol: Protocol) -> Ticket {
        let mut book = self.book();
        let counts = &mut book.counts;
        counts.requests += 1;
        counts.in_flight += 1;
        counts.peak_in_flight = counts.peak_in_flight.max(counts.in_flight);
        drop(book);
        Ticket {
            recorder: Arc::clone(self),
            began: Instant::now(),
            at: Timestamp::now(),
            protocol,
            question: None,
            status: None,
            fault: None,
            origin: None,
            is_over: false,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, line: &Line<'_>) {
        let Some(mut log) = self.log.as_ref() else { return };
        let written = serde_json::to_vec(line).map_err(io::Error::other).and_then(|mut bytes| {
            bytes.push(b'\n');
            // One write a line: lines of requests that end at once do not mix.
            log.write_all(&bytes)
        });
        if let Err(error) = written {
            *self.log_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.log_failed.notify_one();
        }
    }
}

/// A line of the log.
#[derive(Debug, Serialize)]
struct Line<'a> {
    at: Timestamp,
    protocol: &'static str,
    model: Option<&'a str>,
    question: Option<String>,
    attempt: Option<u32>,
    status: Option<u16>,
    fault: Option<&'static str>,
    outcome: &'static str,
    millis: u64,
    request: Option<&'a RawValue>,
}

/// A question that has been read.
#[derive(Debug)]
struct Noted {
    digest: u64,
    shown_digest: String,
    model: String,
    attempt: u32,
    body: Option<Bytes>,
}

/// A question on its way; what becomes of it is noted when it ends, one way or another.
#[derive(Debug)]
pub(super) struct Ticket {
    recorder: Arc<Recorder>,
    began: Instant,
    at: Timestamp,
    protocol: Protocol,
    question: Option<Noted>,
    status: Option<u16>,
    fault: Option<Fault>,
    origin: Option<Origin>,
    is_over: bool,
}

impl Ticket {
    /// Notes what is asked, and says how often that was asked before and got past the limit.
    pub(super) fn read(&mut self, question: &Question, passes: bool, body: &Bytes, key: Option<&str>) -> u32 {
        let mut book = self.recorder.book();
        let is_new = !book.questions.contains_key(&question.digest);
        if is_new {
            book.counts.distinct += 1;
        } else {
            book.counts.repeated += 1;
        }
        let asked = book.questions.entry(question.digest).or_default();
        let attempt = asked.attempts;
        asked.attempts += u32::from(passes);
        drop(book);
        self.question = Some(Noted {
            digest: question.digest,
            shown_digest: question.shown_digest(),
            model: question.model.clone(),
            attempt,
            body: self.recorder.log.is_some().then(|| without_key(body, key)),
        });
        attempt
    }

    pub(super) fn struck_by(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    pub(super) fn answered_from(&mut self, origin: Origin) {
        self.origin = Some(origin);
    }

    /// Notes the status that is about to be sent.
    pub(super) fn status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Notes that all was sent.
    pub(super) fn finish(mut self) {
        let is_answer = self.status == Some(200) && self.fault.is_none_or(Fault::is_answer);
        self.end(if is_answer { "answered" } else { "failed" });
    }

    fn end(&mut self, outcome: &'static str) {
        self.is_over = true;
        let model = self.question.as_ref().map(|noted| noted.model.as_str());
        let fault = self.fault.map(Fault::name);
        let mut book = self.recorder.book();
        let Book { counts, questions, rows } = &mut *book;
        counts.in_flight -= 1;
        if outcome == "abandoned" {
            counts.abandoned += 1;
        }
        if outcome == "answered" {
            counts.answered += 1;
            let asked = self.question.as_ref().and_then(|noted| questions.get_mut(&noted.digest));
            let again = asked.is_some_and(|asked| std::mem::replace(&mut asked.is_answered, true));
            counts.answered_again += u64::from(again);
            match self.origin {
                Some(Origin::Recorded) => counts.answers.recorded += 1,
                Some(Origin::Template) => counts.answers.template += 1,
                Some(Origin::Article) => counts.answers.article += 1,
                None => {}
            }
        }
        *rows.entry((self.protocol, model.unwrap_or_default().to_owned(), self.status, fault)).or_default() += 1;
        drop(book);
        let noted = self.question.as_ref();
        self.recorder.write(&Line {
            at: self.at,
            protocol: self.protocol.name(),
            model,
            question: noted.map(|noted| noted.shown_digest.clone()),
            attempt: noted.map(|noted| noted.attempt + 1),
            status: self.status,
            fault,
            outcome,
            millis: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            request: noted.and_then(|noted| serde_json::from_slice(noted.body.as_ref()?).ok()),
        });
    }
}

impl Drop for Ticket {
    /// What ends without having been sent was either meant to, or its client has gone.
    fn drop(&mut self) {
        if !self.is_over {
            let is_meant = matches!(self.fault, Some(Fault::Reset | Fault::Stall | Fault::Cut | Fault::StallBody));
            self.end(if is_meant { "failed" } else { "abandoned" });
        }
    }
}

/// The shortest key that is taken out of a body: shorter ones are words that occur by themselves.
const SHORTEST_KEY: usize = 8;

/// A body that quotes its key is logged without it, and on one line.
fn without_key(body: &Bytes, key: Option<&str>) -> Bytes {
    let text = String::from_utf8_lossy(body);
    let text = match key.filter(|key| key.len() >= SHORTEST_KEY && text.contains(*key)) {
        Some(key) => text.replace(key, "[key]"),
        None if !body.contains(&b'\n') => return body.clone(),
        None => text.into_owned(),
    };
    // Between its strings JSON may be broken into lines; within them it cannot be.
    text.replace(['\n', '\r'], " ").into()
}
