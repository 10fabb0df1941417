//! Reading a journal: a run's header and counts in memory, its answers found again by their places.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::Path;
use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};

use super::at;
use super::layout::Layout;
use super::line::{
    AnswerLine, EndLine, EntryLine, EvidenceRead, HeadRead, HeaderRead, Kind, LostRead, OutcomeLine, PartLine,
    TrialLine,
};
use super::{FORMAT, JournalError, LONGEST_LINE, must_be_a_file};
use crate::engine::answers::Answer;
use crate::outcome::{Entry, Outcome, Outcomes, Run, RunHead, RunHeader, Status};
use crate::property::Property;
use crate::response::{FinishReason, Usage};
use crate::score::plain::count_chars;
use crate::score::{SpecificVerdict, Verdict};
use crate::trial::{MOST_TRIALS, TrialId};

/// The head of the journal at `path`, without reading further.
///
/// # Errors
/// The file cannot be read or is no journal of a format that is read here.
pub fn read_head(path: &Path) -> Result<RunHead, JournalError> {
    Lines::new(&open(path)?, path).header::<HeadRead>().map(RunHead::from)
}

fn open(path: &Path) -> Result<File, JournalError> {
    must_be_a_file(path)?;
    File::open(path).map_err(|source| JournalError::Io { path: path.to_owned(), source })
}

/// A journal that was read: its run, and the way back to the answers.
#[derive(Debug)]
pub struct JournalReader {
    /// The run.
    pub run: Run,
    /// The number of a last line that its process did not finish, and which is therefore left out.
    pub torn_line: Option<usize>,
    /// Whether its last line says that the run came to its end. What lacks that line may have all outcomes: its process
    /// ended before the reports were written.
    pub has_end: bool,
    /// What was asked and stands in no entry: it counts for a budget.
    pub lost: Vec<Lost>,
    /// The places of answers whose trials have no outcome that was made of them.
    unjudged: Vec<(TrialId, Place)>,
    /// The places of the parts of answers whose rest has not come yet.
    parts: Vec<(TrialId, Vec<Place>)>,
    file: File,
}

/// Requests for a trial of which its entry tells nothing: they were abandoned, had an outcome that a later one replaced, or
/// gave a part of an answer whose rest has not come.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// Which trial.
    pub trial: TrialId,
    /// How many.
    pub attempts: usize,
    /// Whether the last was dropped: its server may have answered it.
    pub dropped: bool,
    /// Token counts, as far as they are known.
    pub usage: Usage,
}

/// How every header begins.
const HEADER_MARK: &str = r#"{"type":"header","#;

/// Byte offset and length of a line.
type Place = (u64, u64);

impl JournalReader {
    /// Reads a journal, finished or not. Trials without an outcome are entries, too: skipped ones.
    ///
    /// # Errors
    /// The file cannot be read, is no journal, has another format, or has a damaged line before its last.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Self::of(open(path)?, path)
    }

    /// Whether the file begins as a journal does.
    pub(super) fn check(mut file: &File, path: &Path) -> Result<(), JournalError> {
        file.rewind().map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        Lines::new(file, path).header::<IgnoredAny>().map(drop)
    }

    pub(super) fn of(mut file: File, path: &Path) -> Result<Self, JournalError> {
        file.rewind().map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        let mut lines = Lines::new(&file, path);
        let mut read: HeaderRead = lines.header()?;
        let selection = read.selection.take();
        // A list that grew has room for more than came.
        read.cases.shrink_to_fit();
        let header = RunHeader::from(read);
        if header.trials > MOST_TRIALS {
            return Err(lines.damaged(format!("it plans more than {MOST_TRIALS} trials")));
        }
        let layout = Layout::of(&header);
        let planned = layout.planned(selection.as_deref(), header.trials);
        let planned = planned.ok_or_else(|| lines.damaged("its trials do not add up"))?;
        let mut entries: Vec<Option<Entry>> = vec![None; planned.len()];
        let mut unjudged: HashMap<usize, Place> = HashMap::new();
        let mut parts: HashMap<usize, Vec<(Place, LostRead)>> = HashMap::new();
        let (mut lost, mut has_end) = (Vec::new(), false);
        let place = |case: &str, prompt: &str, model: &str, repeat: u32| {
            layout.place(case, prompt, model, repeat).filter(|n| planned[*n]).ok_or("its trial is not in the plan")
        };
        while lines.advance()? {
            let kind: Kind<'_> = serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
            match &*kind.kind {
                "outcome" => {
                    let line: EntryLine<'_> =
                        serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    let n = place(&line.case, &line.prompt, &line.model, line.repeat);
                    let n = n.map_err(|why| lines.damaged(why))?;
                    let is_cached = line.cached;
                    let before = entries[n].replace(entry(layout.trial(n), line, lines.place()));
                    lost.extend(before.filter(|before| !before.cached && before.attempts > 0).map(Lost::from));
                    unjudged.remove(&n);
                    // What came out of the store is not made of them.
                    let unused = parts.remove(&n).filter(|_| is_cached).into_iter().flatten();
                    lost.extend(unused.map(|(_, taken)| Lost::new(layout.trial(n), &taken)));
                    has_end = false;
                }
                "part" => {
                    let line: TrialLine<'_> =
                        serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    let n = place(&line.case, &line.prompt, &line.model, line.repeat);
                    let taken = serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    parts.entry(n.map_err(|why| lines.damaged(why))?).or_default().push((lines.place(), taken));
                    has_end = false;
                }
                "answer" => {
                    let line: TrialLine<'_> =
                        serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    let n = place(&line.case, &line.prompt, &line.model, line.repeat);
                    let n = n.map_err(|why| lines.damaged(why))?;
                    unjudged.insert(n, lines.place());
                    parts.remove(&n);
                    has_end = false;
                }
                "abandoned" => {
                    let line: TrialLine<'_> =
                        serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    let n = place(&line.case, &line.prompt, &line.model, line.repeat);
                    let trial = layout.trial(n.map_err(|why| lines.damaged(why))?);
                    let taken = serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    lost.push(Lost::new(trial, &taken));
                }
                "end" => {
                    let end: EndLine = serde_json::from_slice(&lines.line).map_err(|error| lines.not_json(&error))?;
                    has_end = !end.interrupted;
                }
                // Written by a later evalrun of the same format: what it does not change, it may add.
                _ => {}
            }
        }
        let torn_line = lines.torn.then_some(lines.number);
        let entries = entries.into_iter().enumerate().filter(|(n, _)| planned[*n]);
        let entries: Vec<Entry> = entries.map(|(n, entry)| entry.unwrap_or_else(|| skipped(layout.trial(n)))).collect();
        let (unjudged, parts) = (by_trial(unjudged, &layout), by_trial(parts, &layout));
        let open = parts.iter().flat_map(|(trial, parts)| parts.iter().map(move |(_, taken)| (trial, taken)));
        lost.extend(open.map(|(trial, taken)| Lost::new(trial.clone(), taken)));
        let place = |(trial, parts): (TrialId, Vec<(Place, LostRead)>)| {
            (trial, parts.into_iter().map(|(place, _)| place).collect())
        };
        let parts = parts.into_iter().map(place).collect();
        let finished = has_end || entries.iter().all(|entry| entry.status != Status::Skipped);
        let run = Run { header, entries, finished };
        Ok(Self { run, torn_line, has_end, lost, unjudged, parts, file })
    }

    /// The answers that came and were not judged before the process ended.
    ///
    /// # Errors
    /// The file cannot be read, or was changed since it was opened.
    pub fn unjudged(&self) -> io::Result<Vec<(TrialId, Answer)>> {
        let answer = |(trial, place): &(TrialId, Place)| {
            let line: AnswerLine = serde_json::from_slice(&self.line(*place)?)?;
            Ok((trial.clone(), line.into()))
        };
        self.unjudged.iter().map(answer).collect()
    }

    /// The parts of answers whose rest had not come before the process ended, in their order.
    ///
    /// # Errors
    /// The file cannot be read, or was changed since it was opened.
    pub fn parts(&self) -> io::Result<Vec<(TrialId, Vec<Answer>)>> {
        let part = |place: &Place| {
            let line: PartLine = serde_json::from_slice(&self.line(*place)?)?;
            Ok(line.into())
        };
        let parts = |(trial, places): &(TrialId, Vec<Place>)| {
            Ok((trial.clone(), places.iter().map(part).collect::<io::Result<_>>()?))
        };
        self.parts.iter().map(parts).collect()
    }

    fn line(&self, (offset, length): Place) -> io::Result<Vec<u8>> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut line = vec![0; length];
        at::read(&self.file, &mut line, offset)?;
        Ok(line)
    }
}

impl Outcomes for JournalReader {
    fn outcome(&self, entry: &Entry) -> io::Result<Outcome> {
        if entry.place.1 == 0 {
            return Ok(Outcome::without_answer(entry.trial.clone(), Status::Skipped, None));
        }
        let line: OutcomeLine = serde_json::from_slice(&self.line(entry.place)?)?;
        let outcome = Outcome::from(line);
        if outcome.trial != entry.trial {
            return Err(io::Error::other("the journal was changed while it was read"));
        }
        Ok(outcome)
    }
}

fn by_trial<T>(by_place: HashMap<usize, T>, layout: &Layout<'_>) -> Vec<(TrialId, T)> {
    let mut by_trial: Vec<(TrialId, T)> = by_place.into_iter().map(|(n, value)| (layout.trial(n), value)).collect();
    by_trial.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    by_trial
}

impl Lost {
    fn new(trial: TrialId, taken: &LostRead) -> Self {
        Self { trial, attempts: taken.attempts.len(), dropped: taken.dropped, usage: taken.usage }
    }
}

impl From<Entry> for Lost {
    fn from(entry: Entry) -> Self {
        let Entry { trial, attempts, usage, .. } = entry;
        Self { trial, attempts, dropped: false, usage }
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
        is_waived: line.scores.values().flat_map(|score| &score.evidence).any(|evidence| evidence.waived.is_some()),
        chars: line.answer.as_deref().map(count_chars),
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
        is_waived: false,
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
        let read = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| JournalError::Io { path: self.path.to_owned(), source })?;
        (self.offset, self.next) = (self.next, self.next + read as u64);
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        if read as u64 == LONGEST_LINE {
            return Err(self.damaged(format!("it has more than {LONGEST_LINE} bytes")));
        }
        self.torn = self.line.pop_if(|byte| *byte == b'\n').is_none();
        Ok(!self.torn)
    }

    /// Reads the first line as the header that it is.
    fn header<T: DeserializeOwned>(&mut self) -> Result<T, JournalError> {
        if !self.advance()? {
            // What begins otherwise is somebody else's, and not to be written over.
            let (line, mark) = (self.line.as_slice(), HEADER_MARK.as_bytes());
            let is_ours = line.starts_with(mark) || mark.starts_with(line);
            let path = self.path.to_owned();
            return Err(if is_ours { JournalError::Empty { path } } else { JournalError::NotAJournal { path } });
        }
        let kind: Option<Kind<'_>> = serde_json::from_slice(&self.line).ok();
        match kind.filter(|kind| kind.kind == "header").and_then(|kind| kind.format) {
            None => Err(JournalError::NotAJournal { path: self.path.to_owned() }),
            Some(FORMAT) => {
                let header = serde_json::from_slice(&self.line).map_err(|error| self.not_json(&error));
                // It holds all cases: by far the longest line, whose memory the others have no use for.
                self.line = Vec::new();
                header
            }
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
