//! The data of a page's overview: cases, variants, every verdict, rates; and apart from it what differs from run to run.
//!
//! Promises a row for every trial, or of a run with too many those of its worst cases, and how many are left out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::Serialize;

use super::answers::AttemptRow;
use super::words::{PropertyRow, property_labels, words};
use crate::id::CaseId;
use crate::outcome::{CaseRecord, Entry, Required, Run, Status, Subject};
use crate::property::Property;
use crate::report::escape::hidden_ranges;
use crate::report::history::PastRun;
use crate::report::lang::Lang;
use crate::report::tally::{Tally, VariantTally, method, tally};
use crate::report::worst::severity;

/// What a page knows without its answers. Indices count from 0 in the lists beside them.
#[derive(Debug, Serialize)]
pub(super) struct Matrix<'a> {
    lang: &'static str,
    words: BTreeMap<&'static str, &'static str>,
    /// The ranges of characters that are spelt out.
    hidden: Vec<[u32; 2]>,
    plan: Plan<'a>,
    statuses: [&'static str; Status::ALL.len()],
    properties: Vec<PropertyRow>,
    prompts: Vec<PromptRow<'a>>,
    models: Vec<ModelRow<'a>>,
    tallies: Vec<TallyRow>,
    counts: [usize; Status::ALL.len()],
    cases: Vec<CaseRow<'a>>,
    trials: Vec<TrialRow<'a>>,
    /// Cases that have no row.
    left_out: usize,
    /// What any trial requires, in report order.
    #[serde(skip)]
    pub(super) required: Vec<Property>,
    /// The cases, the worst first.
    #[serde(skip)]
    pub(super) worst: Vec<usize>,
    #[serde(skip)]
    records: Vec<&'a CaseRecord>,
    /// The run's entry of each row.
    #[serde(skip)]
    entry_of_trial: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct Plan<'a> {
    tool_version: &'a str,
    scorer_version: u32,
    digest: &'a str,
    trials: usize,
    repeats: u32,
    finished: bool,
    method: &'static str,
}

#[derive(Debug, Serialize)]
struct PromptRow<'a> {
    id: &'a str,
}

#[derive(Debug, Serialize)]
struct ModelRow<'a> {
    id: &'a str,
    provider: &'a str,
    name: &'a str,
    price_note: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct TallyRow {
    truncated: usize,
    cost: Option<f64>,
    without_cost: usize,
    /// `all` first, then each property.
    subjects: Vec<SubjectRow>,
}

#[derive(Debug, Serialize)]
struct SubjectRow {
    /// Trials, by status.
    counts: [usize; Status::ALL.len()],
    passed_cases: usize,
    decided_cases: usize,
    /// Estimate, low, high.
    rate: Option<[f64; 3]>,
}

#[derive(Debug, Serialize)]
struct CaseRow<'a> {
    id: &'a str,
    title: &'a str,
    publisher: &'a str,
    tags: &'a [String],
}

/// A trial: case, variant (prompt × models + model), repeat, status, a letter a property (see [`letter`]), fabricated,
/// characters, finish reason, tokens in and out, cost.
#[derive(Debug, Serialize)]
struct TrialRow<'a>(
    usize,
    usize,
    u32,
    usize,
    String,
    Option<usize>,
    Option<usize>,
    &'a str,
    Option<u64>,
    Option<u64>,
    Option<f64>,
);

/// What differs between two runs with the same answers.
#[derive(Debug, Serialize)]
pub(super) struct Volatile<'a> {
    run: &'a str,
    started_at: String,
    commit: Option<&'a str>,
    rescored_from: Option<&'a str>,
    /// Of each trial: milliseconds, attempts, whether the answer came from the store.
    trials: Vec<(u64, usize, bool)>,
    /// What earlier runs came to, the oldest first.
    earlier: Vec<EarlierRow<'a>>,
    /// The attempts of trials that took several, or got no answer.
    pub(super) attempts: BTreeMap<usize, Vec<AttemptRow>>,
}

#[derive(Debug, Serialize)]
struct EarlierRow<'a> {
    run: &'a str,
    started_at: String,
    /// Estimate, low and high of everything required, by this run's variants.
    rates: Vec<Option<[f64; 3]>>,
}

impl<'a> Matrix<'a> {
    /// The overview of a run whose rows take about `most_bytes` at most.
    pub(super) fn of(run: &'a Run, lang: Lang, most_bytes: usize) -> Self {
        let header = &run.header;
        let properties: Vec<Property> = run.properties().collect();
        let mut by_case: HashMap<&CaseId, Vec<usize>> = HashMap::new();
        for (place, entry) in run.entries.iter().enumerate() {
            by_case.entry(&entry.trial.case).or_default().push(place);
        }
        let entries: Vec<Vec<usize>> =
            header.cases.iter().map(|case| by_case.remove(&case.id).unwrap_or_default()).collect();
        let worst = kept(run, by_badness(run, &entries), &entries, most_bytes, properties.len());
        // The page numbers what it shows, in the plan's order.
        let mut shown = worst.clone();
        shown.sort_unstable();
        let number = |case: usize| shown.binary_search(&case).expect("it is among those shown");
        let worst = worst.into_iter().map(number).collect();
        let required = Required::of(run);
        let variants: HashMap<_, usize> = run.variants().enumerate().map(|(place, variant)| (variant, place)).collect();
        let (mut trials, mut entry_of_trial) = (Vec::new(), Vec::new());
        for (number, case) in shown.iter().enumerate() {
            for place in &entries[*case] {
                let entry = &run.entries[*place];
                let Some(variant) = variants.get(&(&entry.trial.prompt, &entry.trial.model)) else { continue };
                trials.push(trial_row(number, *variant, entry, &required, &properties));
                entry_of_trial.push(*place);
            }
        }
        let records: Vec<&CaseRecord> = shown.iter().map(|case| &header.cases[*case]).collect();
        Self {
            lang: lang.name(),
            words: words(lang),
            hidden: hidden_ranges(),
            plan: Plan {
                tool_version: &header.tool_version,
                scorer_version: header.scorer_version,
                digest: &header.plan_digest,
                trials: header.trials,
                repeats: header.repeats,
                finished: run.finished,
                method: method(run),
            },
            statuses: Status::ALL.map(Status::name),
            properties: property_labels(&properties, lang),
            prompts: header.prompts.iter().map(|prompt| PromptRow { id: prompt.id.as_str() }).collect(),
            models: header.models.iter().map(model_row).collect(),
            tallies: tally(run).iter().map(tally_row).collect(),
            counts: Status::ALL.map(|status| run.count(status)),
            cases: records.iter().map(|record| case_row(record)).collect(),
            left_out: header.cases.len() - records.len(),
            trials,
            required: properties,
            worst,
            records,
            entry_of_trial,
        }
    }

    /// The trials of a case with their entries' places in the run; trials are numbered as the page's rows.
    pub(super) fn trials_of(&self, case: usize) -> Trials<'_> {
        let first = self.trials.partition_point(|row| row.0 < case);
        let count = self.trials[first..].partition_point(|row| row.0 == case);
        Trials { numbers: first..first + count, entries: &self.entry_of_trial[first..first + count] }
    }

    /// How many characters the answers of a case have.
    pub(super) fn chars_of(&self, run: &Run, case: usize) -> usize {
        self.trials_of(case).entries.iter().filter_map(|place| run.entries[*place].chars).sum()
    }

    /// A case as the run keeps it.
    pub(super) fn case(&self, case: usize) -> &'a CaseRecord {
        self.records[case]
    }
}

/// The trials of one case.
#[derive(Debug, Clone)]
pub(super) struct Trials<'a> {
    /// Their numbers in the page.
    pub(super) numbers: Range<usize>,
    /// The places of their entries in the run.
    pub(super) entries: &'a [usize],
}

/// The cases, the worst first.
fn by_badness(run: &Run, entries: &[Vec<usize>]) -> Vec<usize> {
    let badness = |case: &usize| {
        let entries = entries[*case].iter().map(|place| &run.entries[*place]);
        let bad = entries.filter(|entry| entry.status != Status::Passed).map(severity);
        bad.fold((0, 0), |(failed, fabricated), (more, invented)| (failed + 1 + more, fabricated + invented))
    };
    let mut cases: Vec<usize> = (0..entries.len()).collect();
    cases.sort_by_key(|case| Reverse(badness(case)));
    cases
}

/// About how many bytes a row takes beside a letter a property.
const BYTES_OF_ROW: usize = 80;

/// The cases for whose rows `most_bytes` have room, the worst first.
fn kept(run: &Run, worst: Vec<usize>, entries: &[Vec<usize>], most_bytes: usize, properties: usize) -> Vec<usize> {
    let mut needed = 0;
    let fits = |case: &usize| {
        let CaseRecord { id, source, .. } = &run.header.cases[*case];
        needed += id.as_str().len() + source.title.len() + source.publisher.len();
        needed += entries[*case].len() * (BYTES_OF_ROW + properties);
        needed <= most_bytes
    };
    worst.into_iter().take_while(fits).collect()
}

fn trial_row<'a>(
    case: usize,
    variant: usize,
    entry: &'a Entry,
    required: &Required<'_>,
    properties: &[Property],
) -> TrialRow<'a> {
    let status_of = required.of_entry(entry);
    let letters = properties.iter().map(|property| letter(status_of(Subject::Property(*property))));
    TrialRow(
        case,
        variant,
        entry.trial.repeat,
        entry.status as usize,
        letters.collect(),
        entry.fabricated,
        entry.chars,
        entry.finish.name(),
        entry.usage.input_tokens,
        entry.usage.output_tokens,
        entry.cost,
    )
}

/// The letter of a property's status: the place of the status in [`Status::ALL`], `-` if it is not required.
fn letter(status: Option<Status>) -> char {
    status.map_or('-', |status| char::from(b'0' + status as u8))
}

fn model_row(model: &crate::outcome::ModelRecord) -> ModelRow<'_> {
    ModelRow {
        id: model.id.as_str(),
        provider: model.provider.name(),
        name: &model.name,
        price_note: model.price_note.as_deref(),
    }
}

fn case_row(case: &CaseRecord) -> CaseRow<'_> {
    CaseRow { id: case.id.as_str(), title: &case.source.title, publisher: &case.source.publisher, tags: &case.tags }
}

fn tally_row(tally: &VariantTally<'_>) -> TallyRow {
    let subjects = tally.subjects.iter().map(|(_, tally)| subject_row(tally)).collect();
    TallyRow { truncated: tally.truncated, cost: tally.cost, without_cost: tally.without_cost, subjects }
}

fn subject_row(tally: &Tally) -> SubjectRow {
    SubjectRow {
        counts: Status::ALL.map(|status| tally.count(status)),
        passed_cases: tally.passed_cases,
        decided_cases: tally.decided_cases,
        rate: rate_row(tally),
    }
}

impl<'a> Volatile<'a> {
    /// What is volatile of a run, without its attempts yet.
    pub(super) fn of(run: &'a Run, matrix: &Matrix<'_>, earlier: &'a [PastRun]) -> Self {
        let header = &run.header;
        let entries = matrix.entry_of_trial.iter().map(|place| &run.entries[*place]);
        let trials = entries.map(|entry| (millis(entry), entry.attempts, entry.cached));
        Self {
            run: &header.name,
            started_at: header.started_at.to_string(),
            commit: header.commit.as_deref(),
            rescored_from: header.rescored_from.as_deref(),
            trials: trials.collect(),
            earlier: earlier.iter().map(|past| earlier_row(past, run)).collect(),
            attempts: BTreeMap::new(),
        }
    }
}

fn earlier_row<'a>(past: &'a PastRun, run: &Run) -> EarlierRow<'a> {
    let rate = |(prompt, model)| rate_row(past.variant(prompt, model)?.tally(Subject::All)?);
    EarlierRow { run: &past.name, started_at: past.started_at.to_string(), rates: run.variants().map(rate).collect() }
}

fn rate_row(tally: &Tally) -> Option<[f64; 3]> {
    tally.rate().map(|rate| [rate.estimate, rate.low, rate.high])
}

fn millis(entry: &Entry) -> u64 {
    u64::try_from(entry.latency.as_millis()).unwrap_or(u64::MAX)
}
