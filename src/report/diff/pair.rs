//! The cases of a diff: both sides of each, what became of its verdicts, and the words that these rest on.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;

use super::Diff;
use crate::compare::renamed;
use crate::id::CaseId;
use crate::outcome::{Entry, Outcome, Status};
use crate::property::Property;
use crate::report::escape::one_line;
use crate::report::evidence::{against, quote, remark};
use crate::report::lang::Words;
use crate::report::tally::{Required, Subject, is_truncated, status_name};
use crate::report::trouble::is_without_answer;
use crate::score::Verdict;
use crate::score::plain::count_chars;

/// What became of a case from the base to the candidate, by how much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Something that passed fails.
    Broken,
    /// Something that passed fails, and something that failed passes.
    Mixed,
    /// Something that failed passes.
    Fixed,
    /// A verdict came or went.
    Verdict,
    /// The words changed.
    Text,
    /// The answers are the same.
    Same,
    /// No verdict changed, and a side keeps no text.
    Untold,
    /// One side has no outcome: errored, skipped, or not in its run.
    Missing,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] =
        [Self::Broken, Self::Mixed, Self::Fixed, Self::Verdict, Self::Text, Self::Same, Self::Untold, Self::Missing];
}

/// A subject whose status changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) subject: Subject,
    pub(super) base: Option<Status>,
    pub(super) candidate: Option<Status>,
}

impl Turn {
    fn breaks(self) -> bool {
        self.base == Some(Status::Passed) && self.candidate == Some(Status::Failed)
    }

    fn fixes(self) -> bool {
        self.base == Some(Status::Failed) && self.candidate == Some(Status::Passed)
    }
}

/// One case (and repeat) on both sides.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) case: &'a CaseId,
    pub(super) repeat: u32,
    pub(super) title: &'a str,
    pub(super) base: Option<&'a Entry>,
    pub(super) candidate: Option<&'a Entry>,
    pub(super) kind: Kind,
    pub(super) turns: Vec<Turn>,
    /// The properties that fail on both sides.
    pub(super) still_failing: Vec<Property>,
}

impl Pair<'_> {
    /// Whether an answer of either side is truncated.
    pub(super) fn is_truncated(&self) -> bool {
        self.base.into_iter().chain(self.candidate).any(is_truncated)
    }

    /// The case's id, with the repeat where it is not the first.
    pub(super) fn name(&self) -> String {
        if self.repeat == 0 { self.case.to_string() } else { format!("{} #{}", self.case, self.repeat) }
    }
}

impl Diff<'_> {
    /// The pairs, those that matter most first, then in the plan's order.
    pub(super) fn pairs(&self) -> io::Result<Vec<Pair<'_>>> {
        let required = (Required::of(self.base.run), Required::of(self.candidate.run));
        // Of a case that changed, the candidate's title stands.
        let cases = self.base.run.header.cases.iter().chain(&self.candidate.run.header.cases);
        let titles: HashMap<&CaseId, &str> = cases.map(|case| (&case.id, case.source.title.as_str())).collect();
        let renamed = renamed(self.base.run, self.candidate.run);
        let before: HashMap<&CaseId, &CaseId> = renamed.iter().map(|(old, new)| (new, old)).collect();
        let mut bases: HashMap<(&CaseId, u32), &Entry> = HashMap::new();
        bases.extend(self.base.entries().map(|entry| ((&entry.trial.case, entry.trial.repeat), entry)));
        let mut pairs = Vec::new();
        for candidate in self.candidate.entries() {
            let case = &candidate.trial.case;
            let base = bases.remove(&(before.get(case).copied().unwrap_or(case), candidate.trial.repeat));
            pairs.push(self.pair(base, Some(candidate), &required)?);
        }
        for base in self.base.entries() {
            if bases.contains_key(&(&base.trial.case, base.trial.repeat)) {
                pairs.push(self.pair(Some(base), None, &required)?);
            }
        }
        for pair in &mut pairs {
            pair.title = titles.get(pair.case).copied().unwrap_or_default();
        }
        pairs.sort_by_key(|pair| (pair.kind, Reverse(pair.turns.iter().filter(|turn| turn.breaks()).count())));
        Ok(pairs)
    }

    fn pair<'s>(
        &'s self,
        base: Option<&'s Entry>,
        candidate: Option<&'s Entry>,
        required: &(Required<'_>, Required<'_>),
    ) -> io::Result<Pair<'s>> {
        // Of a case that was renamed, the candidate's name stands.
        let trial = &candidate.or(base).expect("a pair has a side").trial;
        let mut pair = Pair {
            case: &trial.case,
            repeat: trial.repeat,
            title: "",
            base,
            candidate,
            kind: Kind::Missing,
            turns: Vec::new(),
            still_failing: Vec::new(),
        };
        if let (Some(base), Some(candidate)) =
            (base.filter(|entry| is_judged(entry)), candidate.filter(|entry| is_judged(entry)))
        {
            pair.turns = turns(base, candidate, required);
            pair.still_failing = still_failing(base, candidate);
            pair.kind = match kind_of_turns(&pair.turns) {
                Some(kind) => kind,
                None if base.has_lost_its_text() || candidate.has_lost_its_text() => Kind::Untold,
                None if self.has_same_text(base, candidate)? => Kind::Same,
                None => Kind::Text,
            };
        }
        Ok(pair)
    }

    fn has_same_text(&self, base: &Entry, candidate: &Entry) -> io::Result<bool> {
        if base.chars != candidate.chars {
            return Ok(false);
        }
        Ok(self.base.outcomes.outcome(base)?.answer == self.candidate.outcomes.outcome(candidate)?.answer)
    }
}

/// Whether the model gave an outcome; errors and what was skipped say nothing of it.
const fn is_judged(entry: &Entry) -> bool {
    matches!(entry.status, Status::Passed | Status::Failed | Status::Undecided)
}

fn turns(base: &Entry, candidate: &Entry, required: &(Required<'_>, Required<'_>)) -> Vec<Turn> {
    let mut turns = Vec::new();
    // Where a side has no answer, its properties say nothing; the trial's status says it all.
    let has_answer = |entry: &Entry| (entry.chars.is_some() || entry.has_lost_its_text()) && !is_without_answer(entry);
    if has_answer(base) && has_answer(candidate) {
        for property in Property::ALL {
            let (base, candidate) = (required.0.status(base, property), required.1.status(candidate, property));
            turns.push(Turn { subject: Subject::Property(property), base, candidate });
        }
        turns.retain(|turn| turn.base != turn.candidate);
    }
    if turns.is_empty() && base.status != candidate.status {
        turns.push(Turn { subject: Subject::All, base: Some(base.status), candidate: Some(candidate.status) });
    }
    turns
}

fn still_failing(base: &Entry, candidate: &Entry) -> Vec<Property> {
    let fails = |entry: &Entry, property: Property| entry.verdicts[property.index()] == Some(Verdict::Fail);
    Property::ALL.into_iter().filter(|property| fails(base, *property) && fails(candidate, *property)).collect()
}

fn kind_of_turns(turns: &[Turn]) -> Option<Kind> {
    match (turns.iter().any(|turn| turn.breaks()), turns.iter().any(|turn| turn.fixes())) {
        (true, true) => Some(Kind::Mixed),
        (true, false) => Some(Kind::Broken),
        (false, true) => Some(Kind::Fixed),
        (false, false) => (!turns.is_empty()).then_some(Kind::Verdict),
    }
}

/// How a diff names a status of its subject.
pub(super) fn standing(subject: Subject, status: Option<Status>, words: &Words) -> &'static str {
    status.map_or("—", |status| status_name(subject, status, words))
}

/// Whether both answers are at hand, or are known not to exist.
pub(super) fn are_kept(base: &Outcome, candidate: &Outcome) -> bool {
    [base, candidate].iter().all(|outcome| outcome.answer.is_some() || outcome.scores.is_empty())
}

/// The words that a changed verdict rests on, from the side that failed: quotations with what is said about each, at
/// most `most`, and how many more there are; without quotations the score's reason.
pub(super) fn grounds(
    turn: Turn,
    base: &Outcome,
    candidate: &Outcome,
    most: usize,
    words: &Words,
) -> (Vec<(String, String)>, usize) {
    let failing = if turn.candidate == Some(Status::Failed) { candidate } else { base };
    let Subject::Property(property) = turn.subject else {
        let why = failing.error.clone().or_else(|| failing.finish.detail.clone()).unwrap_or_default();
        return (vec![(String::new(), one_line(&(words.reason)(&why)))], 0);
    };
    let Some(score) = failing.scores.iter().find(|score| score.property == property) else { return (Vec::new(), 0) };
    let mut grounds: Vec<(String, String)> =
        against(score).take(most).map(|evidence| (quote(evidence, words), remark(evidence, words))).collect();
    let more = against(score).count() - grounds.len();
    if grounds.is_empty() {
        grounds.extend(score.reason.as_deref().map(|reason| (String::new(), one_line(&(words.reason)(reason)))));
    }
    (grounds, more)
}

/// What stands before the grounds of a verdict that the candidate does not fail: they are past.
pub(super) fn before(turn: Turn, words: &Words) -> &'static str {
    if turn.candidate == Some(Status::Failed) { "" } else { words.diff_before }
}

/// What a reader should know of an answer before its text: status, length, whether it was cut.
pub(super) fn facts(outcome: &Outcome, words: &Words) -> Vec<String> {
    let mut facts = vec![(words.status)(outcome.status).to_owned()];
    match &outcome.answer {
        Some(answer) => facts.push((words.chars)(count_chars(answer))),
        None if !outcome.scores.is_empty() => facts.push(words.diff_not_kept.to_owned()),
        None => facts.push(words.no_answer.to_owned()),
    }
    if outcome.finish.reason.is_truncated() {
        facts.push(words.truncated.to_owned());
    }
    facts
}

/// Why a pair cannot be compared.
pub(super) fn why_missing(pair: &Pair<'_>, words: &Words) -> String {
    match (pair.base, pair.candidate) {
        (Some(_), None) => (words.diff_only_in)(words.diff_base),
        (None, Some(_)) => (words.diff_only_in)(words.diff_candidate),
        (base, candidate) => {
            let sides = [(base, words.diff_base), (candidate, words.diff_candidate)];
            let unjudged =
                sides.into_iter().filter_map(|(entry, side)| Some((entry.filter(|entry| !is_judged(entry))?, side)));
            let why = |(entry, side): (&Entry, &str)| match &entry.error {
                Some(error) => format!("{side} {}: {}", (words.status)(entry.status), one_line(&(words.reason)(error))),
                None => format!("{side} {}", (words.status)(entry.status)),
            };
            unjudged.map(why).collect::<Vec<_>>().join("; ")
        }
    }
}

/// How many pairs there are of each kind, without those of which there is none.
pub(super) fn kinds(pairs: &[Pair<'_>]) -> Vec<(Kind, usize)> {
    let count = |kind: Kind| (kind, pairs.iter().filter(|pair| pair.kind == kind).count());
    Kind::ALL.into_iter().map(count).filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Side, against_first_prompt};
    use super::*;
    use crate::report::sample::{RunBuilder, SampleRun, TrialBuilder, diff_sample};

    fn kinds_of(diff: &Diff<'_>) -> Vec<(String, Kind)> {
        diff.pairs().unwrap().iter().map(|pair| (pair.name(), pair.kind)).collect()
    }

    #[test]
    fn pairs_stand_in_the_order_in_which_they_matter() {
        let run = diff_sample();
        let diffs = against_first_prompt(&run, &run);
        let found: Vec<String> = kinds_of(&diffs[0]).iter().map(|(name, kind)| format!("{name} {kind:?}")).collect();
        assert_eq!(
            found,
            [
                "chicago-quantum Broken",
                "osaka-expo Broken",
                "kyoto-tea Fixed",
                "nara-deer Text",
                "sapporo-snow Same",
                "tokyo-rail Missing"
            ]
        );
    }

    #[test]
    fn swapping_the_sides_swaps_broken_and_fixed() {
        let run = diff_sample();
        let Diff { base, candidate } = against_first_prompt(&run, &run).remove(0);
        let swapped = Diff { base: candidate, candidate: base };
        let mut kinds: Vec<(String, Kind)> = kinds_of(&swapped);
        kinds.sort();
        let kinds: Vec<Kind> = kinds.into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, [Kind::Fixed, Kind::Broken, Kind::Text, Kind::Fixed, Kind::Same, Kind::Missing]);
    }

    #[test]
    fn a_case_can_break_in_one_property_and_be_fixed_in_another() {
        let run = RunBuilder::new(&["a", "b"], &["m"])
            .case("mixed", |trial| {
                let (first, second) = if trial.is_of("a") { ("length", "register") } else { ("register", "length") };
                trial.pass(first).fail(second)
            })
            .case("came", |trial| if trial.is_of("a") { trial.unscored("length") } else { trial.pass("length") })
            .build();
        let diffs = against_first_prompt(&run, &run);
        assert_eq!(kinds_of(&diffs[0]), [("mixed".to_owned(), Kind::Mixed), ("came".to_owned(), Kind::Verdict)]);
    }

    #[test]
    fn each_further_prompt_is_compared_with_the_first_for_each_model() {
        let run = RunBuilder::new(&["a", "b", "c"], &["m", "n"]).case("x", |trial| trial).build();
        let names: Vec<String> = against_first_prompt(&run, &run)
            .iter()
            .map(|diff| format!("{} {}", diff.base.name(), diff.candidate.name()))
            .collect();
        assert_eq!(names, ["a@m b@m", "a@n b@n", "a@m c@m", "a@n c@n"]);
    }

    #[test]
    fn a_case_that_was_renamed_is_compared_with_itself() {
        let build = |id: &str, text: &'static str| {
            RunBuilder::new(&["a"], &["m"]).titled(id, "題", |trial| trial.answer(text).pass("length")).build()
        };
        let (before, after) = (build("old", "前。"), build("new", "後。"));
        let side = |run| -> Side<'_> {
            let run: &SampleRun = run;
            let (prompt, model) = run.variants().next().unwrap();
            Side { run, outcomes: run, prompt, model, run_name: None }
        };
        let diff = Diff { base: side(&before), candidate: side(&after) };
        assert_eq!(kinds_of(&diff), [("new".to_owned(), Kind::Text)]);
    }

    #[test]
    fn a_variant_is_compared_with_an_earlier_run_case_by_case() {
        let trial = |text: &'static str| move |trial: TrialBuilder| trial.answer(text).pass("length");
        let before =
            RunBuilder::new(&["a"], &["m"]).case("x", trial("前。")).titled("gone", "別の題", trial("前。")).build();
        let after = RunBuilder::new(&["a"], &["m"]).case("new", trial("後。")).case("x", trial("後。")).build();
        let side = |run| -> Side<'_> {
            let run: &SampleRun = run;
            let (prompt, model) = run.variants().next().unwrap();
            Side { run, outcomes: run, prompt, model, run_name: Some("r".to_owned()) }
        };
        let diff = Diff { base: side(&before), candidate: side(&after) };
        assert_eq!(diff.base.name(), "r::a@m");
        let kinds = [("x", Kind::Text), ("new", Kind::Missing), ("gone", Kind::Missing)];
        assert_eq!(kinds_of(&diff), kinds.map(|(name, kind)| (name.to_owned(), kind)));
    }
}
