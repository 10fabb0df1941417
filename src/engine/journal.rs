//! `run.jsonl`, the truth of a run: a header, one outcome a line as it finishes, an end.
//!
//! Promises that a line reaches the operating system whole and at once or not at all, that one process writes a
//! journal at a time, and that a run is read in one pass without holding its answers. Its lines have their own types:
//! a change of those needs a new format number and a stored example of the old one.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::client::millis;
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Attempt, Entry, Outcome, Outcomes, Run, RunHeader, Status};
use crate::property::Property;
use crate::response::{Finish, FinishReason, Usage};
use crate::score::{ScoreJson, SpecificVerdict, Verdict};
use crate::trial::{Trial, TrialId};

/// The format that is written, and the only one that is read so far.
pub const FORMAT: u32 = 1;

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

/// A line as it is written.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Header(HeaderLine<'a>),
    Outcome(Box<OutcomeLine>),
    End(EndLine),
}

#[derive(Debug, Serialize)]
struct HeaderLine<'a> {
    format: u32,
    /// Which trials of all that the header could make are planned; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<String>,
    #[serde(flatten)]
    header: &'a RunHeader,
}

#[derive(Debug, Deserialize)]
struct HeaderRead {
    #[serde(default)]
    selection: Option<String>,
    #[serde(flatten)]
    header: RunHeader,
}

/// Enough of any line to tell what it is.
#[derive(Debug, Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    format: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OutcomeLine {
    case: CaseId,
    prompt: PromptId,
    model: ModelId,
    repeat: u32,
    status: Status,
    answer: Option<String>,
    finish_reason: FinishReason,
    finish_detail: Option<String>,
    usage: Usage,
    served_model: Option<String>,
    response_id: Option<String>,
    cost_usd: Option<f64>,
    scores: BTreeMap<Property, ScoreJson>,
    error: Option<String>,
    attempts: Vec<Attempt>,
    cached: bool,
    latency_ms: u64,
}

/// What of an outcome's line a run holds in memory.
#[derive(Debug, Deserialize)]
struct EntryLine<'a> {
    #[serde(borrow)]
    case: Cow<'a, str>,
    #[serde(borrow)]
    prompt: Cow<'a, str>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    repeat: u32,
    status: Status,
    answer: Option<String>,
    finish_reason: FinishReason,
    usage: Usage,
    served_model: Option<String>,
    cost_usd: Option<f64>,
    scores: BTreeMap<Property, ScoreRead>,
    error: Option<String>,
    attempts: Vec<IgnoredAny>,
    cached: bool,
    latency_ms: u64,
}

#[derive(Debug, Deserialize)]
struct ScoreRead {
    pass: Option<bool>,
    evidence: Vec<EvidenceRead>,
}

#[derive(Debug, Deserialize)]
struct EvidenceRead {
    #[serde(default)]
    verdict: Option<SpecificVerdict>,
    #[serde(default)]
    waived: Option<IgnoredAny>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EndLine {
    finished_at: Timestamp,
    interrupted: bool,
}

impl From<&Outcome> for OutcomeLine {
    fn from(outcome: &Outcome) -> Self {
        let outcome = outcome.clone();
        Self {
            case: outcome.trial.case,
            prompt: outcome.trial.prompt,
            model: outcome.trial.model,
            repeat: outcome.trial.repeat,
            status: outcome.status,
            answer: outcome.answer,
            finish_reason: outcome.finish.reason,
            finish_detail: outcome.finish.detail,
            usage: outcome.usage,
            served_model: outcome.served_model,
            response_id: outcome.response_id,
            cost_usd: outcome.cost,
            scores: outcome.scores.into_iter().map(|score| (score.property, score.into())).collect(),
            error: outcome.error,
            attempts: outcome.attempts,
            cached: outcome.cached,
            latency_ms: millis(outcome.latency),
        }
    }
}

impl From<OutcomeLine> for Outcome {
    fn from(line: OutcomeLine) -> Self {
        Self {
            trial: TrialId { case: line.case, prompt: line.prompt, model: line.model, repeat: line.repeat },
            status: line.status,
            answer: line.answer,
            finish: Finish { reason: line.finish_reason, detail: line.finish_detail },
            usage: line.usage,
            served_model: line.served_model,
            response_id: line.response_id,
            cost: line.cost_usd,
            scores: line.scores.into_iter().map(|(property, score)| score.into_score(property)).collect(),
            error: line.error,
            attempts: line.attempts,
            cached: line.cached,
            latency: Duration::from_millis(line.latency_ms),
        }
    }
}

/// A journal being written. Its file is locked until it is dropped.
#[derive(Debug)]
pub struct Journal {
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// The length of all whole lines, in bytes.
    length: u64,
}

impl Journal {
    /// Begins the journal of a run with these trials of its header.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn create(path: &Path, header: &RunHeader, trials: &[Trial]) -> Result<Self, JournalError> {
        Self::create_for(path, header, trials.iter().map(|trial| &trial.id))
    }

    /// As [`create`](Self::create), for a run that asks for nothing and has ids alone.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn create_for<'t>(
        path: &Path,
        header: &RunHeader,
        trials: impl Iterator<Item = &'t TrialId>,
    ) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(io)?;
        lock_file(&file, path)?;
        let selection = Layout::of(header).select(trials).map_err(io)?;
        let journal = Self { writer: Mutex::new(Writer { file, length: 0 }) };
        journal.write(&Line::Header(HeaderLine { format: FORMAT, selection, header })).map_err(io)?;
        Ok(journal)
    }

    /// Goes on with a journal; a torn last line is cut off.
    ///
    /// # Errors
    /// It is no journal of a format that is written here, or another process is writing it.
    pub fn resume(path: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        lock_file(&file, path)?;
        Lines::new(&file, path).header()?;
        let length = end_of_last_line(&mut file).map_err(io)?;
        file.set_len(length).map_err(io)?;
        file.seek(SeekFrom::Start(length)).map_err(io)?;
        Ok(Self { writer: Mutex::new(Writer { file, length }) })
    }

    /// Keeps an outcome. When this returns, the death of the process does not lose it.
    ///
    /// # Errors
    /// The file cannot be written; it then ends as it did before.
    pub fn append(&self, outcome: &Outcome) -> io::Result<()> {
        self.write(&Line::Outcome(Box::new(outcome.into())))
    }

    /// Notes that the run came to its end, or was interrupted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end(&self, finished_at: Timestamp, interrupted: bool) -> io::Result<()> {
        self.write(&Line::End(EndLine { finished_at, interrupted }))
    }

    fn write(&self, line: &Line<'_>) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let mut writer = lock(&self.writer);
        let length = writer.length;
        if let Err(error) = writer.file.write_all(&bytes) {
            // Half a line in the middle would damage the journal for good.
            writer.file.set_len(length)?;
            writer.file.seek(SeekFrom::Start(length))?;
            return Err(error);
        }
        writer.length += bytes.len() as u64;
        Ok(())
    }
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

/// The header of the journal at `path`, without reading further.
///
/// # Errors
/// The file cannot be read or is no journal of a format that is read here.
pub fn read_header(path: &Path) -> Result<RunHeader, JournalError> {
    let file = File::open(path).map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
    Lines::new(&file, path).header().map(|read| read.header)
}

/// A journal that was read: its run, and the way back to the answers.
#[derive(Debug)]
pub struct JournalReader {
    /// The run.
    pub run: Run,
    /// The number of a last line that its process did not finish, and which is therefore left out.
    pub torn_line: Option<usize>,
    file: Mutex<File>,
}

impl JournalReader {
    /// Reads a journal, finished or not. Trials without an outcome are entries, too: skipped ones.
    ///
    /// # Errors
    /// The file cannot be read, is no journal, has another format, or has a damaged line before its last.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        let mut lines = Lines::new(&file, path);
        let HeaderRead { header, selection } = lines.header()?;
        let layout = Layout::of(&header);
        let planned = layout.planned(selection.as_deref(), header.trials);
        let planned = planned.ok_or_else(|| lines.damaged("its trials do not add up"))?;
        let mut entries: Vec<Option<Entry>> = vec![None; planned.len()];
        let mut finished = false;
        while lines.advance()? {
            let kind: Kind<'_> = serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
            match &*kind.kind {
                "outcome" => {
                    let line: EntryLine<'_> =
                        serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    let n = layout.place(&line.case, &line.prompt, &line.model, line.repeat).filter(|n| planned[*n]);
                    let n = n.ok_or_else(|| lines.damaged("its trial is not in the plan"))?;
                    entries[n] = Some(entry(layout.trial(n), line, lines.place()));
                    finished = false;
                }
                "end" => {
                    let end: EndLine = serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    finished = !end.interrupted;
                }
                // Written by a later evalrun of the same format: what it does not change, it may add.
                _ => {}
            }
        }
        let torn_line = lines.torn.then_some(lines.number);
        let entries = entries.into_iter().enumerate().filter(|(n, _)| planned[*n]);
        let entries = entries.map(|(n, entry)| entry.unwrap_or_else(|| skipped(layout.trial(n)))).collect();
        Ok(Self { run: Run { header, entries, finished }, torn_line, file: Mutex::new(file) })
    }
}

impl Outcomes for JournalReader {
    fn outcome(&self, entry: &Entry) -> io::Result<Outcome> {
        let (offset, length) = entry.place;
        if length == 0 {
            return Ok(Outcome::without_answer(entry.trial.clone(), Status::Skipped, None));
        }
        let mut line = Vec::new();
        {
            let mut file = lock(&self.file);
            file.seek(SeekFrom::Start(offset))?;
            (&mut *file).take(length).read_to_end(&mut line)?;
        }
        let line: OutcomeLine = serde_json::from_slice(&line)?;
        let outcome = Outcome::from(line);
        if outcome.trial != entry.trial {
            return Err(io::Error::other("the journal was changed while it was read"));
        }
        Ok(outcome)
    }
}

fn entry(trial: TrialId, line: EntryLine<'_>, place: (u64, u64)) -> Entry {
    let mut verdicts = [None; Property::ALL.len()];
    for (property, score) in &line.scores {
        verdicts[property.index()] = Some(match score.pass {
            Some(true) => Verdict::Pass,
            Some(false) => Verdict::Fail,
            None => Verdict::Unscored,
        });
    }
    let is_fabricated =
        |evidence: &&EvidenceRead| evidence.verdict == Some(SpecificVerdict::Fabricated) && evidence.waived.is_none();
    let specifics = line.scores.get(&Property::NoFabrication).filter(|score| score.pass.is_some());
    Entry {
        trial,
        status: line.status,
        verdicts,
        fabricated: specifics.map(|score| score.evidence.iter().filter(is_fabricated).count()),
        chars: line.answer.map(|answer| answer.chars().count()),
        finish: line.finish_reason,
        usage: line.usage,
        cost: line.cost_usd,
        served_model: line.served_model,
        error: line.error,
        attempts: line.attempts.len(),
        cached: line.cached,
        latency: Duration::from_millis(line.latency_ms),
        place,
    }
}

fn skipped(trial: TrialId) -> Entry {
    Entry {
        trial,
        status: Status::Skipped,
        verdicts: [None; Property::ALL.len()],
        fabricated: None,
        chars: None,
        finish: FinishReason::Unknown,
        usage: Usage::default(),
        cost: None,
        served_model: None,
        error: None,
        attempts: 0,
        cached: false,
        latency: Duration::ZERO,
        place: (0, 0),
    }
}

/// The lines of a journal, one in memory at a time.
struct Lines<'f> {
    reader: BufReader<&'f File>,
    path: &'f Path,
    line: Vec<u8>,
    /// Where the line begins.
    offset: u64,
    /// Where the next one begins.
    next: u64,
    /// The line's number, from 1.
    number: usize,
    /// Whether the last line has no end.
    torn: bool,
}

impl<'f> Lines<'f> {
    fn new(file: &'f File, path: &'f Path) -> Self {
        let reader = BufReader::with_capacity(1 << 16, file);
        Self { reader, path, line: Vec::new(), offset: 0, next: 0, number: 0, torn: false }
    }

    /// Reads the next line; `false` at the end and at a torn line.
    fn advance(&mut self) -> Result<bool, JournalError> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| JournalError::Io { path: self.path.to_owned(), source })?;
        (self.offset, self.next) = (self.next, self.next + read as u64);
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        self.torn = self.line.pop_if(|byte| *byte == b'\n').is_none();
        Ok(!self.torn)
    }

    fn header(&mut self) -> Result<HeaderRead, JournalError> {
        if !self.advance()? {
            return Err(JournalError::Empty { path: self.path.to_owned() });
        }
        let kind: Option<Kind<'_>> = serde_json::from_slice(&self.line).ok();
        match kind.filter(|kind| kind.kind == "header").and_then(|kind| kind.format) {
            None => Err(JournalError::NotAJournal { path: self.path.to_owned() }),
            Some(FORMAT) => serde_json::from_slice(&self.line).map_err(|error| self.not_json(&error)),
            Some(found) => Err(JournalError::Format { path: self.path.to_owned(), found }),
        }
    }

    /// Byte offset and length of the line.
    fn place(&self) -> (u64, u64) {
        (self.offset, self.line.len() as u64)
    }

    fn not_json(&self, error: &serde_json::Error) -> JournalError {
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        self.damaged(format!("{what}, at byte {}", error.column()))
    }

    fn damaged(&self, message: impl Into<String>) -> JournalError {
        JournalError::Damaged { path: self.path.to_owned(), line: self.number, message: message.into() }
    }
}

/// The places of a run's trials: every case with every prompt, model and repeat, in this order.
struct Layout<'h> {
    header: &'h RunHeader,
    cases: HashMap<&'h str, usize>,
    prompts: HashMap<&'h str, usize>,
    models: HashMap<&'h str, usize>,
    repeats: usize,
}

impl<'h> Layout<'h> {
    fn of(header: &'h RunHeader) -> Self {
        Self {
            header,
            cases: header.cases.iter().map(|case| case.id.as_str()).zip(0..).collect(),
            prompts: header.prompts.iter().map(|prompt| prompt.id.as_str()).zip(0..).collect(),
            models: header.models.iter().map(|model| model.id.as_str()).zip(0..).collect(),
            repeats: header.repeats as usize,
        }
    }

    /// The number of places; `None` if no memory holds them.
    fn len(&self) -> Option<usize> {
        let columns = self.header.prompts.len().checked_mul(self.header.models.len())?;
        self.header.cases.len().checked_mul(columns)?.checked_mul(self.repeats)
    }

    fn place(&self, case: &str, prompt: &str, model: &str, repeat: u32) -> Option<usize> {
        let (case, prompt, model) = (self.cases.get(case)?, self.prompts.get(prompt)?, self.models.get(model)?);
        let repeat = Some(repeat as usize).filter(|repeat| *repeat < self.repeats)?;
        let column = prompt * self.header.models.len() + model;
        Some((case * self.header.prompts.len() * self.header.models.len() + column) * self.repeats + repeat)
    }

    fn trial(&self, place: usize) -> TrialId {
        let (rest, repeat) = (place / self.repeats, place % self.repeats);
        let (rest, model) = (rest / self.header.models.len(), rest % self.header.models.len());
        let (case, prompt) = (rest / self.header.prompts.len(), rest % self.header.prompts.len());
        TrialId {
            case: self.header.cases[case].id.clone(),
            prompt: self.header.prompts[prompt].id.clone(),
            model: self.header.models[model].id.clone(),
            repeat: u32::try_from(repeat).unwrap_or(u32::MAX),
        }
    }

    /// Which places have a trial, as hexadecimal digits of four places each, the first one lowest; `None` if all have.
    fn select<'t>(&self, trials: impl Iterator<Item = &'t TrialId>) -> io::Result<Option<String>> {
        let mut planned = vec![false; self.len().unwrap_or(0)];
        for trial in trials {
            let TrialId { case, prompt, model, repeat } = trial;
            let place = self.place(case.as_str(), prompt.as_str(), model.as_str(), *repeat);
            let stranger = || io::Error::other(format!("the run's header knows no trial {trial}"));
            planned[place.ok_or_else(stranger)?] = true;
        }
        if planned.iter().all(|planned| *planned) {
            return Ok(None);
        }
        let digit = |places: &[bool]| places.iter().rev().fold(0, |digit, planned| digit * 2 + u32::from(*planned));
        Ok(Some(planned.chunks(4).filter_map(|places| char::from_digit(digit(places), 16)).collect()))
    }

    /// Reads what [`Layout::select`] wrote; `None` if it does not fit the header.
    fn planned(&self, selection: Option<&str>, trials: usize) -> Option<Vec<bool>> {
        let len = self.len()?;
        let Some(selection) = selection else { return (len == trials).then(|| vec![true; len]) };
        if selection.len() != len.div_ceil(4) {
            return None;
        }
        let digits = selection.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
        let planned: Vec<bool> = (0..len).map(|n| digits[n / 4] >> (n % 4) & 1 == 1).collect();
        (planned.iter().filter(|planned| **planned).count() == trials).then_some(planned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::Source;
    use crate::engine::testing::{model, small_plan};
    use crate::model::Provider;
    use crate::outcome::{CaseRecord, ModelRecord, PromptRecord};
    use crate::response::FailureKind;
    use crate::score::{Basis, Evidence, Score, Span};
    use crate::trial::Plan;

    fn plan() -> Plan {
        small_plan(2, vec![model("a", Provider::OpenAi), model("b", Provider::OpenAi)], 2)
    }

    fn header(plan: &Plan) -> RunHeader {
        let started_at = "2026-11-22T01:02:03Z".parse().unwrap();
        let case = |id: &CaseId| CaseRecord {
            id: id.clone(),
            tags: vec!["news".into()],
            vars: BTreeMap::from([("tone".into(), "優しい".into())]),
            source: Source {
                publisher: "日本貿易振興機構".into(), title: "派遣".into(), ..Source::default()
            },
            required: vec![Property::JapaneseOnly, Property::NoFabrication],
        };
        let prompt = |id: &PromptId| PromptRecord { id: id.clone(), text: "{{ title }}".into(), digest: "00".into() };
        let model = |id: &ModelId| ModelRecord {
            id: id.clone(),
            provider: Provider::OpenAi,
            name: id.to_string(),
            base_url: "http://m.test".into(),
            price_note: None,
        };
        RunHeader {
            name: "run".into(),
            tool_version: "0.1.0".into(),
            scorer_version: 1,
            plan_digest: "d1".into(),
            started_at,
            commit: None,
            rescored_from: None,
            trials: plan.trials.len(),
            repeats: plan.repeats,
            cases: plan.cases.iter().map(|entry| case(&entry.id)).collect(),
            prompts: plan.prompts.iter().map(|entry| prompt(&entry.id)).collect(),
            models: plan.models.iter().map(|entry| model(&entry.id)).collect(),
        }
    }

    /// An outcome with something in every field.
    fn full_outcome(trial: TrialId) -> Outcome {
        let specific = |text: &str, verdict, waived: Option<&str>| Evidence {
            span: Some(Span { start: 3, end: 7 }),
            text: text.into(),
            kind: "number".into(),
            verdict: Some(verdict),
            basis: Some(Basis::Unsupported),
            why: Some("「25社」とある".into()),
            waived: waived.map(str::to_owned),
        };
        let evidence = vec![
            specific("約30社", SpecificVerdict::Fabricated, None),
            specific("40社", SpecificVerdict::Fabricated, Some("許容")),
            specific("25社", SpecificVerdict::Grounded, None),
        ];
        let attempt = |failure| Attempt {
            started_at: "2026-11-22T01:02:04.5Z".parse().unwrap(),
            millis: 1_500,
            status: Some(200),
            failure,
            message: failure.map(|_| "later".into()),
            waited_millis: failure.map(|_| 7_000),
        };
        let score = |property, verdict, value, evidence| Score { property, verdict, value, reason: None, evidence };
        Outcome {
            status: Status::Failed,
            answer: Some("量子\u{2028}技術\n「\u{1F600}」".into()),
            finish: Finish::of("MAX_TOKENS"),
            usage: Usage { input_tokens: Some(10), output_tokens: Some(20), ..Usage::default() },
            served_model: Some("a-001".into()),
            response_id: Some("r1".into()),
            cost: Some(0.000_12),
            scores: vec![
                score(Property::JapaneseOnly, Verdict::Pass, Some(1.0), vec![]),
                score(Property::NoFabrication, Verdict::Fail, Some(2.0 / 3.0), evidence),
            ],
            attempts: vec![attempt(Some(FailureKind::RateLimited)), attempt(None)],
            latency: Duration::from_secs(10),
            ..Outcome::without_answer(trial, Status::Failed, None)
        }
    }

    fn write(path: &Path, plan: &Plan, outcomes: &[Outcome]) {
        let journal = Journal::create(path, &header(plan), &plan.trials).unwrap();
        for outcome in outcomes {
            journal.append(outcome).unwrap();
        }
        journal.end("2026-11-22T01:03:00Z".parse().unwrap(), false).unwrap();
    }

    /// Writes a whole journal, lets `change` change its text, and reads it.
    fn reread(change: impl Fn(String) -> String) -> Result<JournalReader, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let plan = plan();
        let errored = |trial: &Trial| Outcome::without_answer(trial.id.clone(), Status::Errored, Some("no".into()));
        write(&path, &plan, &[full_outcome(plan.trials[5].id.clone()), errored(&plan.trials[0])]);
        std::fs::write(&path, change(std::fs::read_to_string(&path).unwrap())).unwrap();
        let strip = |error: JournalError| error.to_string().replace(&path.display().to_string(), "run.jsonl");
        JournalReader::open(&path).map_err(strip)
    }

    fn statuses(run: &Run) -> Vec<Status> {
        run.entries.iter().map(|entry| entry.status).collect()
    }

    #[test]
    fn a_run_is_read_in_the_plans_order_with_what_reports_count() {
        use Status::{Errored, Failed, Skipped};
        let reader = reread(|text| text).unwrap();
        let run = &reader.run;
        assert_eq!(run.header, header(&plan()));
        let planned: Vec<TrialId> = plan().trials.into_iter().map(|trial| trial.id).collect();
        assert_eq!(run.entries.iter().map(|entry| entry.trial.clone()).collect::<Vec<_>>(), planned);
        assert_eq!(statuses(run), [Errored, Skipped, Skipped, Skipped, Skipped, Failed, Skipped, Skipped]);
        assert!(run.finished && reader.torn_line.is_none());
        let entry = &run.entries[5];
        assert_eq!((entry.fabricated, entry.chars, entry.attempts), (Some(1), Some(9), 2));
        assert_eq!(entry.verdicts[Property::JapaneseOnly.index()], Some(Verdict::Pass));
        assert_eq!(entry.verdicts[Property::NoFabrication.index()], Some(Verdict::Fail));
        assert_eq!(entry.verdicts[Property::Length.index()], None);
        assert_eq!(reader.outcome(entry).unwrap(), full_outcome(entry.trial.clone()));
        let skipped = &run.entries[1];
        let outcome = reader.outcome(skipped).unwrap();
        assert_eq!(outcome, Outcome::without_answer(skipped.trial.clone(), Status::Skipped, None));
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_told() {
        for torn in ["{\"type\":\"outcome\",\"case\":\"c1\"", "{", "{\"type\":\"end\",\"interrupted\":false}"] {
            let reader = reread(|text| {
                let whole: Vec<&str> = text.lines().take(3).collect();
                format!("{}\n{torn}", whole.join("\n"))
            })
            .unwrap();
            assert_eq!((reader.torn_line, reader.run.finished, reader.run.count(Status::Skipped)), (Some(4), false, 6));
        }
    }

    #[test]
    fn what_is_no_whole_journal_is_refused_with_the_reason() {
        let damaged = |text: String| text.replace("\"repeat\":1", "\"repeat\":-1");
        for (change, expected) in [
            (&(|_| String::new()) as &dyn Fn(String) -> String, "run.jsonl: this journal was never begun"),
            (&|text| text[..100].to_owned(), "run.jsonl: this journal was never begun"),
            (&|_| "case,prompt\n".into(), "run.jsonl: this is no journal of a run"),
            (&|_| "{\"type\":\"outcome\"}\n".into(), "run.jsonl: this is no journal of a run"),
            (
                &|text| text.replace("\"format\":1", "\"format\":2"),
                "run.jsonl: this journal has format 2, and this evalrun reads format 1",
            ),
            (&damaged, "run.jsonl:2: this line is damaged: invalid value: integer `-1`, expected u32, at byte 66"),
            (
                &|text| text.replace("\"case\":\"c2\"", "\"case\":\"c9\""),
                "run.jsonl:2: this line is damaged: its trial is not in the plan",
            ),
            (
                &|text| text.replace("\"trials\":8", "\"trials\":7"),
                "run.jsonl:1: this line is damaged: its trials do not add up",
            ),
            (
                &|text| text.replacen("\n{", "\n\n{", 1),
                "run.jsonl:2: this line is damaged: EOF while parsing a value, at byte 0",
            ),
        ] {
            assert_eq!(reread(change).err().as_deref(), Some(expected));
        }
    }

    #[test]
    fn lines_that_a_later_evalrun_adds_are_passed_over() {
        let added = "{\"type\":\"limit\",\"account\":\"a\"}\n{\"type\":\"end\"";
        let reader =
            reread(|text| text.replace("{\"type\":\"end\"", added).replace("\"cached\"", "\"new\":1,\"cached\""))
                .unwrap();
        assert!(reader.run.finished && reader.run.count(Status::Failed) == 1);
    }

    #[test]
    fn only_planned_trials_are_entries() {
        let folder = tempfile::tempdir().unwrap();
        for (index, count) in [(1, 3), (2, 3), (3, 3), (1, 8), (1, 1)] {
            let mut plan = plan();
            plan.keep_shard(index, count);
            let path = folder.path().join(format!("{index}-{count}.jsonl"));
            write(&path, &plan, &[full_outcome(plan.trials[0].id.clone())]);
            let reader = JournalReader::open(&path).unwrap();
            let read: Vec<&TrialId> = reader.run.entries.iter().map(|entry| &entry.trial).collect();
            assert_eq!(read, plan.trials.iter().map(|trial| &trial.id).collect::<Vec<_>>());
            assert_eq!(reader.run.entries[0].status, Status::Failed);
        }
    }

    #[test]
    fn a_resumed_journal_drops_its_torn_line_and_the_later_outcome_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let plan = plan();
        let trial = plan.trials[0].id.clone();
        let journal = Journal::create(&path, &header(&plan), &plan.trials).unwrap();
        journal.append(&Outcome::without_answer(trial.clone(), Status::Errored, Some("no".into()))).unwrap();
        journal.end(Timestamp::UNIX_EPOCH, true).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all("{\"type\":\"outcome\",\"answer\":\"量".repeat(3_000).as_bytes()).unwrap();
        drop(file);
        assert_eq!(JournalReader::open(&path).unwrap().torn_line, Some(4));

        let journal = Journal::resume(&path).unwrap();
        journal.append(&full_outcome(trial)).unwrap();
        journal.end(Timestamp::UNIX_EPOCH, false).unwrap();
        drop(journal);
        let reader = JournalReader::open(&path).unwrap();
        assert_eq!((reader.torn_line, reader.run.finished), (None, true));
        assert_eq!((reader.run.count(Status::Failed), reader.run.count(Status::Errored)), (1, 0));
    }

    #[test]
    fn one_process_writes_a_journal_and_none_overwrites_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let plan = plan();
        let journal = Journal::create(&path, &header(&plan), &plan.trials).unwrap();
        assert!(matches!(Journal::resume(&path), Err(JournalError::Busy { .. })));
        drop(journal);
        assert!(Journal::resume(&path).is_ok());
        assert!(matches!(Journal::create(&path, &header(&plan), &plan.trials), Err(JournalError::Io { .. })));
    }

    #[test]
    fn the_stored_journal_of_format_1_is_still_read() {
        use Status::{Errored, Failed, Skipped};
        let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal/format-1.jsonl");
        let reader = JournalReader::open(&stored).unwrap();
        assert_eq!(reader.run.header, header(&plan()));
        assert_eq!(statuses(&reader.run), [Failed, Skipped, Skipped, Failed, Skipped, Skipped, Errored, Skipped]);
        let outcome = |n: usize| reader.outcome(&reader.run.entries[n]).unwrap();
        assert_eq!(outcome(0), full_outcome(plan().trials[0].id.clone()));
        assert_eq!((outcome(3).finish, outcome(3).answer), (Finish::of("SAFETY"), None));
        assert_eq!(outcome(6).error.as_deref(), Some("authentication (401): bad key"));
    }

    fn any_outcome() -> impl Strategy<Value = (usize, Outcome)> {
        let text = || proptest::option::of(any::<String>());
        let scores = proptest::collection::btree_map(0..Property::ALL.len(), (0..3_u8, text(), any::<String>()), 0..4);
        let counts = (any::<Option<u64>>(), any::<Option<u64>>(), any::<bool>());
        (0..8_usize, text(), text(), text(), scores, counts, 0..100_000_u64).prop_map(
            |(n, answer, error, detail, scores, (input_tokens, output_tokens, cached), millis)| {
                let score = |(property, (verdict, reason, text)): (usize, (u8, Option<String>, String))| Score {
                    property: Property::ALL[property],
                    verdict: [Verdict::Pass, Verdict::Fail, Verdict::Unscored][usize::from(verdict)],
                    value: (verdict < 2).then_some(1.0 / 3.0),
                    reason,
                    evidence: vec![Evidence {
                        span: (verdict == 1).then_some(Span { start: 0, end: text.len() }),
                        text,
                        kind: "kind".into(),
                        verdict: None,
                        basis: None,
                        why: None,
                        waived: None,
                    }],
                };
                let outcome = Outcome {
                    answer,
                    finish: Finish { reason: FinishReason::Other, detail },
                    usage: Usage { input_tokens, output_tokens, ..Usage::default() },
                    cost: cached.then_some(0.1 + 0.2),
                    scores: scores.into_iter().map(score).collect(),
                    cached,
                    latency: Duration::from_millis(millis),
                    ..Outcome::without_answer(plan().trials[n].id.clone(), Status::Undecided, error)
                };
                (n, outcome)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(outcomes in proptest::collection::vec(any_outcome(), 0..12)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run.jsonl");
            let written: Vec<Outcome> = outcomes.iter().map(|(_, outcome)| outcome.clone()).collect();
            write(&path, &plan(), &written);
            let reader = JournalReader::open(&path).unwrap();
            let last: BTreeMap<usize, Outcome> = outcomes.into_iter().collect();
            for (n, entry) in reader.run.entries.iter().enumerate() {
                let outcome = reader.outcome(entry).unwrap();
                let skipped = Outcome::without_answer(entry.trial.clone(), Status::Skipped, None);
                prop_assert_eq!(&outcome, last.get(&n).unwrap_or(&skipped));
                prop_assert_eq!(entry.chars, outcome.answer.map(|answer| answer.chars().count()));
            }
        }
    }
}
