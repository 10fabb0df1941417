//! The counts and rates that reports show: per variant, of trials as a whole and of each property.
//!
//! Promises that undecided, errored and skipped trials stay out of a rate and are counted beside it, and that repeats of
//! a case are not counted as if they were cases.

use foldhash::HashMap;
use foldhash::HashMapExt as _;

use crate::compare::{source_key, sources};
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Entry, Run, Status};
pub(crate) use crate::outcome::{Required, Subject};
use crate::property::Property;
use crate::report::lang::Words;
use crate::stats::{Interval, LEVEL, wilson_of_sources};

/// How a status of a subject is called: a trial passed, a property's verdict is `pass`.
pub(crate) fn status_name(subject: Subject, status: Status, words: &Words) -> &'static str {
    match subject {
        Subject::All => (words.status)(status),
        Subject::Property(_) => (words.verdict)(status),
    }
}

/// The results of a variant for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Tally {
    /// Trials, by status.
    counts: [usize; Status::ALL.len()],
    /// Cases that passed in every repeat.
    pub(crate) passed_cases: usize,
    /// Cases that passed in every repeat or failed in one.
    pub(crate) decided_cases: usize,
    /// The sources that these come from.
    pub(crate) decided_sources: usize,
}

impl Tally {
    /// The number of trials that the subject was required of.
    pub(crate) fn trials(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The number of trials with `status` for this subject.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.counts[status as usize]
    }

    /// The rate in words: `17/20 85 % (64–95)`; `–` if nothing was decided.
    pub(crate) fn rate_in_words(&self, words: &Words) -> String {
        let Some(rate) = self.rate() else { return "–".to_owned() };
        let percents = [rate.estimate, rate.low, rate.high].map(|share| format!("{:.0}", share * 100.0));
        (words.rate)(self.passed_cases, self.decided_cases, percents.each_ref().map(String::as_str))
    }

    /// The share of cases that passed, of those decided; `None` if there are none.
    pub(crate) fn rate(&self) -> Option<Interval> {
        wilson_of_sources(self.passed_cases, self.decided_cases, self.decided_sources, LEVEL)
    }
}

/// The results of a variant.
#[derive(Debug, Clone)]
pub(crate) struct VariantTally<'a> {
    /// The prompt.
    pub(crate) prompt: &'a PromptId,
    /// The model.
    pub(crate) model: &'a ModelId,
    /// `all` first, then each property that the run requires.
    pub(crate) subjects: Vec<(Subject, Tally)>,
    /// Answers that the token limit cut.
    pub(crate) truncated: usize,
    /// What the trials cost in US dollars, as far as that is known.
    pub(crate) cost: Option<f64>,
    /// Trials with an answer whose cost is not known.
    pub(crate) without_cost: usize,
}

impl VariantTally<'_> {
    /// `prompt@model`.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.prompt, self.model)
    }

    /// The tally of whole trials.
    pub(crate) fn all(&self) -> &Tally {
        &self.subjects[0].1
    }

    /// The tally of a property; `None` if the run does not require it.
    pub(crate) fn property(&self, property: Property) -> Option<&Tally> {
        self.subjects.iter().find(|(subject, _)| *subject == Subject::Property(property)).map(|(_, tally)| tally)
    }
}

/// How the rates of a run were found, as the column `method` names it.
pub(crate) fn method(run: &Run) -> &'static str {
    let has_shared_sources = sources(run.header.cases.iter().map(|case| &case.source)) < run.header.cases.len();
    match (run.header.repeats > 1, has_shared_sources) {
        (false, false) => "wilson95",
        (false, true) => "wilson95-sources",
        (true, false) => "wilson95-cases-all-repeats",
        (true, true) => "wilson95-sources-all-repeats",
    }
}

/// Whether the token limit cut the answer.
pub(crate) fn is_truncated(entry: &Entry) -> bool {
    entry.finish.is_truncated()
}

/// Counts a run, variant by variant in report order.
pub(crate) fn tally(run: &Run) -> Vec<VariantTally<'_>> {
    let required = Required::of(run);
    let subjects: Vec<Subject> = std::iter::once(Subject::All).chain(run.properties().map(Subject::Property)).collect();
    let cases = run.header.cases.len();
    let empty = |(prompt, model)| {
        (VariantTally::empty(prompt, model, &subjects), vec![vec![Repeats::default(); cases]; subjects.len()])
    };
    let mut counters: Vec<(VariantTally<'_>, Vec<CaseCounter>)> = run.variants().map(empty).collect();
    let variants: HashMap<_, usize> = run.variants().enumerate().map(|(place, variant)| (variant, place)).collect();
    let places: HashMap<&CaseId, usize> = run.header.cases.iter().map(|case| &case.id).zip(0..).collect();
    for entry in &run.entries {
        let Some(variant) = variants.get(&(&entry.trial.prompt, &entry.trial.model)) else { continue };
        let Some(place) = places.get(&entry.trial.case) else { continue };
        let (variant, cases) = &mut counters[*variant];
        variant.add(entry);
        let status_of = required.of_entry(entry);
        for ((subject, tally), cases) in variant.subjects.iter_mut().zip(cases) {
            if let Some(status) = status_of(*subject) {
                tally.counts[status as usize] += 1;
                cases[*place].add(status);
            }
        }
    }
    let sources = numbered_sources(run);
    counters.into_iter().map(|(variant, cases)| variant.finish(&cases, &sources, run.header.repeats)).collect()
}

/// The repeats of each case, in the order of the run's header.
type CaseCounter = Vec<Repeats>;

#[derive(Debug, Clone, Copy, Default)]
struct Repeats {
    passed: u32,
    failed: u32,
}

impl Repeats {
    const fn add(&mut self, status: Status) {
        match status {
            Status::Passed => self.passed += 1,
            Status::Failed => self.failed += 1,
            Status::Undecided | Status::Errored | Status::Skipped => {}
        }
    }
}

/// For each case the number of its source; cases that share a source have the same.
fn numbered_sources(run: &Run) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let keys = run.header.cases.iter().map(|case| source_key(&case.source));
    keys.map(|key| {
        let next = numbers.len();
        *numbers.entry(key).or_insert(next)
    })
    .collect()
}

impl<'a> VariantTally<'a> {
    fn empty(prompt: &'a PromptId, model: &'a ModelId, subjects: &[Subject]) -> Self {
        let subjects = subjects.iter().map(|subject| (*subject, Tally::default())).collect();
        Self { prompt, model, subjects, truncated: 0, cost: None, without_cost: 0 }
    }

    fn add(&mut self, entry: &Entry) {
        self.truncated += usize::from(is_truncated(entry));
        match entry.cost {
            Some(cost) => *self.cost.get_or_insert(0.0) += cost,
            None => self.without_cost += usize::from(entry.chars.is_some()),
        }
    }

    fn finish(mut self, cases: &[CaseCounter], sources: &[usize], repeats: u32) -> Self {
        // A case with a repeat outstanding has not passed in every repeat, but one failure decides it.
        let passes = |case: &Repeats| case.failed == 0 && case.passed >= repeats;
        for ((_, tally), cases) in self.subjects.iter_mut().zip(cases) {
            let mut decided_sources = vec![false; sources.len()];
            for (case, source) in cases.iter().zip(sources) {
                let has_passed = passes(case);
                tally.passed_cases += usize::from(has_passed);
                if has_passed || case.failed > 0 {
                    tally.decided_cases += 1;
                    decided_sources[*source] = true;
                }
            }
            tally.decided_sources = decided_sources.into_iter().filter(|is_decided| *is_decided).count();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::lang::Lang;
    use crate::report::sample::{RunBuilder, TrialBuilder};

    fn counts(tally: &Tally) -> [usize; 5] {
        Status::ALL.map(|status| tally.count(status))
    }

    #[test]
    fn undecided_errored_and_skipped_trials_stay_out_of_the_rate() {
        let run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| trial.pass("japanese_only"))
            .case("b", |trial| trial.fail("japanese_only"))
            .case("c", |trial| trial.unscored("japanese_only"))
            .case("d", |trial| trial.errored("timeout: no answer"))
            .case("e", TrialBuilder::skipped)
            .build();
        let variant = &tally(&run)[0];
        let tally = variant.property(Property::JapaneseOnly).unwrap();
        assert_eq!((counts(tally), tally.trials()), ([1, 1, 1, 1, 1], 5));
        assert_eq!((tally.passed_cases, tally.decided_cases), (1, 2));
        assert_eq!(counts(variant.all()), counts(tally));
    }

    #[test]
    fn a_trial_without_an_answer_failed_but_its_properties_are_undecided() {
        let run = RunBuilder::new(&["p"], &["m"]).case("a", |trial| trial.blocked("SAFETY")).build();
        let variant = &tally(&run)[0];
        assert_eq!(variant.all().count(Status::Failed), 1);
        assert_eq!(counts(variant.property(Property::JapaneseOnly).unwrap()), [0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_case_passes_if_all_its_repeats_pass() {
        let run = RunBuilder::new(&["p"], &["m"])
            .repeats(3)
            .case("a", |trial| trial.pass("japanese_only"))
            .case(
                "b",
                |trial| if trial.repeat() == 2 { trial.fail("japanese_only") } else { trial.pass("japanese_only") },
            )
            .case("c", |trial| if trial.repeat() == 0 { trial.errored("x") } else { trial.pass("japanese_only") })
            .build();
        let tally = *tally(&run)[0].all();
        assert_eq!(counts(&tally), [7, 1, 0, 1, 0]);
        assert_eq!((tally.passed_cases, tally.decided_cases), (1, 2));
        assert_eq!(method(&run), "wilson95-cases-all-repeats");
    }

    #[test]
    fn a_rate_is_said_with_its_interval() {
        for (passed_cases, decided_cases, words) in
            [(17, 20, "17/20 85 % (64–95)"), (20, 20, "20/20 100 % (84–100)"), (0, 0, "–")]
        {
            let tally = Tally { passed_cases, decided_cases, decided_sources: decided_cases, ..Tally::default() };
            assert_eq!(tally.rate_in_words(Lang::En.words()), words);
        }
    }

    #[test]
    fn a_property_is_counted_where_it_is_required() {
        let run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| trial.pass("japanese_only").fail("length"))
            .case("b", |trial| trial.pass("japanese_only"))
            .build();
        let variant = &tally(&run)[0];
        assert_eq!(variant.property(Property::Length).unwrap().trials(), 1);
        assert_eq!(variant.property(Property::Refusal), None);
    }
}
