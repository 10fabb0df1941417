//! `evalrun rescore`: the kept answers of a run, judged by today's requirements and scorers, as a new run.
//!
//! Promises that nothing is sent, that the old run stays as it is, and that answers are read one at a time: as many are
//! in memory as are being judged. What was asked (prompts, models) is the old run's; what is required is the project's.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::args::RescoreArgs;
use super::commit::commit_of;
use super::context::{Context, language};
use super::environment::day_of;
use super::error::Error;
use super::exit::Exit;
use super::judge::judge_anew;
use super::load::Loaded;
use super::reporting::Reporting;
use super::runs::{Archive, BegunRun, Destination, JOURNAL, OpenRun};
use super::stream::{STACK, jobs};
use super::summary;
use super::words;
use crate::case::Case;
use crate::diagnostic::TextFile;
use crate::engine::{Journal, JournalReader};
use crate::id::{CaseId, PromptId};
use crate::lang::Lang;
use crate::outcome::{CaseRecord, Entry, Outcome, Outcomes as _, Run, RunHeader, Status};
use crate::prompt::{Prompt, Rendered, base16};
use crate::property::Requirements;
use crate::report::status_in_words;
use crate::score::SCORER_VERSION;
use crate::trial::TrialId;

/// The most names that a message lists.
const MOST_NAMES: usize = 5;

/// Runs the command.
///
/// # Errors
/// There is no such run or project, nothing in the run can be judged, or a file cannot be read or written.
pub(super) fn execute(args: &RescoreArgs, context: &Context) -> Result<Exit, Error> {
    let loaded = Loaded::read(context.place()?, &context.console)?;
    let archive = Archive { place: Some(&loaded.place), environment: &context.environment };
    let old = archive.open(&args.run)?;
    let run = &old.reader.run;
    let judging = Judging::new(&run.header, &loaded.cases, &loaded.project.require);
    let entries: Vec<&Entry> = run.entries.iter().filter(|entry| judging.takes(entry)).collect();
    if entries.is_empty() {
        return Err(nothing_to_judge(run, &args.run));
    }
    let prompts: Vec<_> = run.header.prompts.iter().map(|prompt| &prompt.id).collect();
    let lang = language(args.reporting.lang, Some(&loaded.place));
    let reporting = Reporting::new(&args.reporting, lang, &prompts, archive)?;
    for warning in judging.warnings(run) {
        context.console.warn(&warning);
    }
    let digest = judging.digest(&run.header, &entries);
    let destination = Destination::choose(args.out.as_deref(), &digest, &loaded.place, &context.environment)?;
    let is_begun = matches!(destination, Destination::Begun(_));
    if let Destination::New { aside: Some(aside), .. } = &destination {
        context.console.say(&words::kept_aside(&loaded.place.shown(aside), lang));
    }
    let begun = begin(destination, &judging, run, &entries, digest, &loaded, context)?;
    if is_begun {
        let shown = loaded.place.shown(&begun.folder);
        context.console.say(&words::continuing(&shown, begun.done.len(), entries.len(), lang));
    }
    let left: Vec<&Entry> = entries.into_iter().filter(|entry| !begun.done.contains(&entry.trial)).collect();
    context.console.say(&words::judging(left.len(), &run.header.name, lang));
    judge_all(&left, &old.reader, &judging, &begun)?;
    let Begun { folder, journal, has_end, .. } = begun;
    let new = OpenRun { reader: journal.read()?, folder };
    reporting.write(&new)?;
    if !has_end {
        journal.end(Timestamp::now(), false).map_err(Error::file(&new.folder.join(JOURNAL)))?;
    }
    summary::print(&new, lang, args.format, context)?;
    context.console.say(&changes(run, &new.reader.run, lang));
    summary::say(&new, &loaded.place, lang, context);
    // What the old run lacks, the new one lacks, too.
    let is_incomplete = new.reader.run.count(Status::Errored) + run.count(Status::Skipped) > 0;
    Ok(if is_incomplete { Exit::Incomplete } else { Exit::Fine })
}

fn nothing_to_judge(run: &Run, name: &str) -> Error {
    let is_empty = run.entries.iter().all(|entry| entry.status == Status::Skipped);
    if is_empty {
        return Error::usage(format!("{name}: the run has no outcome yet"))
            .hint("continue it first, by the command that began it");
    }
    Error::usage(format!("{name}: none of the run's cases is in this project any more"))
        .hint("call it in the project that the run is of, or name its evalrun.toml by --config")
}

/// What an old run was asked, and what is required of its answers now.
struct Judging {
    cases: HashMap<CaseId, JudgedCase>,
    prompts: HashMap<PromptId, Prompt>,
    /// The prompts that this evalrun cannot read any more.
    unreadable: Vec<PromptId>,
}

struct JudgedCase {
    /// As it was when the answers were written: what prompts are rendered with.
    then: Case,
    /// As the project has it.
    now: Arc<Case>,
    /// Of today, the project's defaults included.
    require: Requirements,
}

impl Judging {
    fn new(header: &RunHeader, cases: &[Arc<Case>], defaults: &Requirements) -> Self {
        let now: HashMap<&CaseId, &Arc<Case>> = cases.iter().map(|case| (&case.id, case)).collect();
        let judged = header.cases.iter().filter_map(|record| {
            let now = Arc::clone(now.get(&record.id)?);
            let require = now.require.over(defaults);
            Some((record.id.clone(), JudgedCase { then: record.as_it_was(), now, require }))
        });
        let (mut prompts, mut unreadable) = (HashMap::new(), Vec::new());
        for record in &header.prompts {
            let file = TextFile::new(&format!("prompts/{}.md", record.id), &record.text);
            match Prompt::parse(record.id.clone(), file) {
                Ok(prompt) => drop(prompts.insert(record.id.clone(), prompt)),
                Err(_) => unreadable.push(record.id.clone()),
            }
        }
        Self { cases: judged.collect(), prompts, unreadable }
    }

    /// Whether a trial has an outcome and its case is still in the project.
    fn takes(&self, entry: &Entry) -> bool {
        entry.status != Status::Skipped && self.cases.contains_key(&entry.trial.case)
    }

    /// The prompt as it was sent.
    fn prompt(&self, trial: &TrialId) -> Option<Rendered> {
        self.prompts.get(&trial.prompt)?.render(&self.cases.get(&trial.case)?.then).ok()
    }

    /// The outcome with today's scores. What has no answer to judge stays as it is.
    fn judge(&self, outcome: Outcome, today: Date) -> Outcome {
        let has_answer = matches!(outcome.status, Status::Passed | Status::Failed | Status::Undecided);
        let answer = outcome.answer.as_deref().filter(|_| has_answer && outcome.error.is_none());
        let (Some(answer), Some(case)) = (answer, self.cases.get(&outcome.trial.case)) else { return outcome };
        let prompt = self.prompt(&outcome.trial);
        let scores = judge_anew(answer, &case.now.source, prompt.as_ref(), &case.require, today);
        Outcome { status: Status::of_scores(&scores), scores, ..outcome }
    }

    /// The cases, in the old run's order, with what is required of them now.
    fn records(&self, header: &RunHeader) -> Vec<CaseRecord> {
        let cases = header.cases.iter().filter_map(|record| self.cases.get(&record.id));
        let record = |case: &JudgedCase| CaseRecord {
            id: case.now.id.clone(),
            tags: case.now.tags.clone(),
            vars: case.now.vars.clone(),
            source: case.now.source.clone(),
            required: case.require.properties().collect(),
            requirements: Some(case.require.digest()),
        };
        cases.map(record).collect()
    }

    /// A digest of the old run and of what is required of it now (SHA-256, hexadecimal). No plan has the same: a plan
    /// that asks for answers must not continue a run that only judges some.
    fn digest(&self, header: &RunHeader, entries: &[&Entry]) -> String {
        let mut digest = Sha256::new();
        let mut part = |part: &dyn Debug| {
            let text = format!("{part:?}");
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        part(&("rescored", &header.plan_digest, header.started_at));
        for case in header.cases.iter().filter_map(|record| self.cases.get(&record.id)) {
            part(&(&case.now.id, &case.now.source, &case.require));
        }
        for entry in entries {
            part(&entry.trial);
        }
        base16(&digest.finalize())
    }

    /// What a user may not expect of the new run.
    fn warnings(&self, run: &Run) -> Vec<String> {
        let mut warnings = Vec::new();
        let gone = run.header.cases.iter().filter(|record| !self.cases.contains_key(&record.id));
        let gone: Vec<&str> = gone.map(|record| record.id.as_str()).collect();
        if !gone.is_empty() {
            warnings.push(format!("left out, because the project has no such case any more: {}", names(&gone)));
        }
        let changed = run.header.cases.iter().filter_map(|record| self.cases.get(&record.id));
        let changed = changed.filter(|case| self.would_ask_otherwise(case));
        let changed: Vec<&str> = changed.map(|case| case.now.id.as_str()).collect();
        if !changed.is_empty() {
            let what = "the answers are to an earlier form of these cases, and are judged by what they say now";
            warnings.push(format!("{what}: {}", names(&changed)));
        }
        let unreadable: Vec<&str> = self.unreadable.iter().map(PromptId::as_str).collect();
        if !unreadable.is_empty() {
            let what = "the run's prompts cannot be rendered any more, so their echo in answers is not looked for";
            warnings.push(format!("{what}: {}", names(&unreadable)));
        }
        let missing = run.count(Status::Skipped);
        if missing > 0 {
            let of = run.entries.len();
            warnings.push(format!("left out, because the old run has no outcome of them: {missing} of {of} trials"));
        }
        warnings
    }

    /// Whether the run's prompts say something else with the case as it is now.
    fn would_ask_otherwise(&self, case: &JudgedCase) -> bool {
        let rendered = |prompt: &Prompt, case: &Case| prompt.render(case).ok();
        self.prompts.values().any(|prompt| rendered(prompt, &case.then) != rendered(prompt, &case.now))
    }
}

fn names(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names[..names.len().min(MOST_NAMES)].join(", "))
}

/// The new run, whose journal is open.
struct Begun {
    folder: PathBuf,
    journal: Arc<Journal>,
    /// The day on which waivers are judged.
    today: Date,
    /// What was judged before an interruption.
    done: HashSet<TrialId>,
    /// Whether nothing but reports is missing.
    has_end: bool,
}

fn begin(
    destination: Destination,
    judging: &Judging,
    old: &Run,
    entries: &[&Entry],
    digest: String,
    loaded: &Loaded,
    context: &Context,
) -> Result<Begun, Error> {
    let (folder, journal) = match destination {
        Destination::New { folder, journal, aside: _ } => (folder, journal),
        Destination::Begun(begun) => {
            let BegunRun { folder, journal, reader } = *begun;
            let has_outcome = reader.run.entries.iter().filter(|entry| entry.status != Status::Skipped);
            let done: HashSet<TrialId> = has_outcome.map(|entry| entry.trial.clone()).collect();
            let (today, has_end) = (day_of(reader.run.header.started_at), reader.has_end);
            return Ok(Begun { journal: Arc::new(journal.go_on()?), folder, today, done, has_end });
        }
    };
    let header = RunHeader {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        scorer_version: SCORER_VERSION,
        plan_digest: digest,
        started_at: context.environment.now,
        commit: commit_of(&loaded.place.root),
        rescored_from: Some(old.header.name.clone()),
        trials: entries.len(),
        cases: judging.records(&old.header),
        ..old.header.clone()
    };
    let journal = Arc::new(journal.begin_for(&header, entries.iter().map(|entry| &entry.trial))?);
    Ok(Begun { folder, journal, today: day_of(header.started_at), done: HashSet::new(), has_end: false })
}

/// Reads, judges and keeps outcomes on all processors.
fn judge_all(entries: &[&Entry], old: &JournalReader, judging: &Judging, begun: &Begun) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = || {
        while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
            let judged = old.outcome(entry).map(|outcome| judging.judge(outcome, begun.today));
            let kept = judged
                .map_err(|source| Error::System { what: "the old run cannot be read", source })
                .and_then(|judged| begun.journal.append(&judged).map_err(Error::file(&begun.folder.join(JOURNAL))));
            if let Err(error) = kept {
                // The others stop, too: what cannot be kept is not worth judging.
                next.store(entries.len(), Ordering::Relaxed);
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs(None) {
            let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            worker.map_err(|source| Error::System { what: "no threads can be made", source })?;
        }
        Ok::<(), Error>(())
    })?;
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// How the statuses of the trials changed, in a sentence.
fn changes(old: &Run, new: &Run, lang: Lang) -> String {
    let before: HashMap<&TrialId, Status> = old.entries.iter().map(|entry| (&entry.trial, entry.status)).collect();
    let mut changed: BTreeMap<(Status, Status), usize> = BTreeMap::new();
    for entry in &new.entries {
        let before = before.get(&entry.trial).copied().unwrap_or(Status::Skipped);
        if before != entry.status {
            *changed.entry((before, entry.status)).or_default() += 1;
        }
    }
    let name = |status| status_in_words(status, lang).to_owned();
    let changed: Vec<_> =
        changed.into_iter().map(|((before, after), count)| (count, name(before), name(after))).collect();
    words::judged_anew(new.entries.len(), &old.header.name, &changed, lang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::parse_case_toml;
    use crate::outcome::{Attempt, PromptRecord};
    use crate::property::Property;
    use crate::score::Verdict;

    const SOURCE: &str =
        "source = { published_at = 2025-06-30T07:00:00+09:00, publisher = \"日本貿易振興機構\", title = \"交流\" }";

    fn case(id: &str, text: &str) -> Arc<Case> {
        Arc::new(parse_case_toml(id, &TextFile::new("case.toml", text)).unwrap())
    }

    fn requirements(text: &str) -> Arc<Requirements> {
        case("a", &format!("require = {{ {text} }}\n{SOURCE}")).require.clone()
    }

    /// A run of these cases with one prompt and one model, in which only `japanese_only` was required.
    fn header(cases: &[Arc<Case>]) -> RunHeader {
        let record = |case: &Arc<Case>| CaseRecord {
            id: case.id.clone(),
            tags: Vec::new(),
            vars: case.vars.clone(),
            source: case.source.clone(),
            required: vec![Property::JapaneseOnly],
            requirements: None,
        };
        let text = "『{{ title }}』の記事を優しい文章で詳しく書いてください。返答は記事だけにしてください。";
        RunHeader {
            name: "old".to_owned(),
            tool_version: "0.1.0".to_owned(),
            scorer_version: 1,
            plan_digest: "d".to_owned(),
            started_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            commit: None,
            rescored_from: None,
            merged_from: Vec::new(),
            trials: cases.len(),
            repeats: 1,
            cases: cases.iter().map(record).collect(),
            prompts: vec![PromptRecord { id: "p".parse().unwrap(), text: text.to_owned(), digest: "00".to_owned() }],
            models: Vec::new(),
        }
    }

    fn trial(case: &str) -> TrialId {
        TrialId { case: case.parse().unwrap(), prompt: "p".parse().unwrap(), model: "m".parse().unwrap(), repeat: 0 }
    }

    fn answered(case: &str, answer: &str) -> Outcome {
        let attempt = Attempt {
            first_text_millis: None,
            started_at: Timestamp::UNIX_EPOCH,
            millis: 7,
            status: Some(200),
            failure: None,
            message: None,
            waited_millis: None,
        };
        Outcome {
            answer: Some(answer.to_owned()),
            cost: Some(0.5),
            served_model: Some("m-001".to_owned()),
            attempts: vec![attempt],
            ..Outcome::without_answer(trial(case), Status::Passed, None)
        }
    }

    fn entry(case: &str, status: Status) -> Entry {
        Entry {
            trial: trial(case),
            status,
            verdicts: [None; Property::ALL.len()],
            fabricated: None,
            is_waived: false,
            chars: None,
            finish: crate::response::FinishReason::Stop,
            usage: crate::response::Usage::default(),
            cost: None,
            served_model: None,
            error: None,
            attempts: 1,
            cached: false,
            latency: std::time::Duration::ZERO,
            place: (0, 0),
        }
    }

    fn run(header: RunHeader, entries: Vec<Entry>) -> Run {
        Run { header, entries, finished: true }
    }

    const TODAY: Date = jiff::civil::date(2026, 1, 1);

    #[test]
    fn an_answer_is_judged_by_what_its_case_requires_today_and_keeps_all_else() {
        let then = case("a", SOURCE);
        let now = case("a", &format!("require = {{ contains = [\"京都\"] }}\n{SOURCE}"));
        let defaults = requirements("register = true");
        let judging = Judging::new(&header(&[then]), &[now], &defaults);
        let old = answered("a", "量子の交流会が開かれました。");
        let new = judging.judge(old.clone(), TODAY);
        let scores: Vec<(Property, Verdict)> = new.scores.iter().map(|score| (score.property, score.verdict)).collect();
        assert_eq!(scores, [(Property::Register, Verdict::Pass), (Property::Contains, Verdict::Fail)]);
        assert_eq!(new.status, Status::Failed);
        assert_eq!(Outcome { status: old.status, scores: old.scores.clone(), ..new }, old);
    }

    #[test]
    fn what_has_no_answer_to_judge_stays_as_it_is() {
        let cases = [case("a", SOURCE)];
        let defaults = requirements("japanese_only = true");
        let judging = Judging::new(&header(&cases), &cases, &defaults);
        let error = |text: &str| Some(text.to_owned());
        for outcome in [
            Outcome::without_answer(trial("a"), Status::Errored, error("timeout")),
            Outcome { error: error("the answer was blocked"), ..answered("a", "途中まで") },
            Outcome::without_answer(trial("a"), Status::Failed, error("the answer is empty")),
        ] {
            assert_eq!(judging.judge(outcome.clone(), TODAY), outcome);
        }
    }

    #[test]
    fn the_prompt_is_the_one_that_was_sent() {
        let (then, now) = (case("a", SOURCE), case("a", &SOURCE.replace("交流", "別の題")));
        let judging = Judging::new(&header(&[then]), &[now], &Requirements::default());
        assert!(judging.prompt(&trial("a")).unwrap().user.starts_with("『交流』の記事"));
        let warnings = judging.warnings(&run(header(&[case("a", SOURCE)]), vec![]));
        assert!(warnings.len() == 1 && warnings[0].contains("earlier form of these cases"), "{warnings:?}");
    }

    #[test]
    fn what_cannot_be_judged_is_left_out_and_told() {
        let (a, b) = (case("a", SOURCE), case("b", SOURCE));
        let header = header(&[a.clone(), b]);
        let judging = Judging::new(&header, &[a], &Requirements::default());
        let entries = vec![entry("a", Status::Failed), entry("a", Status::Skipped), entry("b", Status::Passed)];
        let taken: Vec<bool> = entries.iter().map(|entry| judging.takes(entry)).collect();
        assert_eq!(taken, [true, false, false]);
        assert_eq!(judging.records(&header).len(), 1);
        let warnings = judging.warnings(&run(header, entries));
        assert_eq!(
            warnings,
            [
                "left out, because the project has no such case any more: b",
                "left out, because the old run has no outcome of them: 1 of 3 trials",
            ]
        );
    }

    #[test]
    fn a_digest_tells_requirements_and_runs_apart() {
        let cases = [case("a", SOURCE)];
        let entry = entry("a", Status::Passed);
        let digest = |cases: &[Arc<Case>], started_at: &str| {
            let header = RunHeader { started_at: started_at.parse().unwrap(), ..header(cases) };
            Judging::new(&header, cases, &Requirements::default()).digest(&header, &[&entry])
        };
        let (day, next) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        let stricter = [case("a", &format!("require = {{ register = true }}\n{SOURCE}"))];
        assert_eq!(digest(&cases, day), digest(&cases, day));
        assert_ne!(digest(&cases, day), digest(&stricter, day));
        assert_ne!(digest(&cases, day), digest(&cases, next));
        assert_eq!(digest(&cases, day).len(), 64);
    }

    #[test]
    fn changed_statuses_are_counted_by_their_direction() {
        use Status::{Failed, Passed, Undecided};
        let cases = [case("a", SOURCE), case("b", SOURCE), case("c", SOURCE)];
        let with = |statuses: [Status; 3]| {
            let entries = ["a", "b", "c"].into_iter().zip(statuses).map(|(case, status)| entry(case, status));
            run(header(&cases), entries.collect())
        };
        let old = with([Passed, Failed, Failed]);
        assert_eq!(changes(&old, &old, Lang::En), "judged anew: all 3 trials as in old");
        assert_eq!(
            changes(&old, &with([Undecided, Passed, Passed]), Lang::En),
            "judged anew: 3 of 3 trials otherwise than in old (1 passed → undecided, 2 failed → passed)"
        );
    }
}
