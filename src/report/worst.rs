//! The failures that a reader should look at first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::outcome::{Entry, Run, Status};
use crate::property::Property;
use crate::report::trouble::is_without_answer;
use crate::score::Verdict;

/// The worst failures of a run, at most `most`.
///
/// Variants take turns, each with its worst: one bad variant would else hide how the others fail.
pub(crate) fn worst(run: &Run, most: usize) -> Vec<&Entry> {
    let mut by_variant: BTreeMap<_, Vec<(usize, &Entry)>> = BTreeMap::new();
    for (place, entry) in run.entries.iter().enumerate().filter(|(_, entry)| entry.status == Status::Failed) {
        by_variant.entry((&entry.trial.prompt, &entry.trial.model)).or_default().push((place, entry));
    }
    let mut turns = Vec::new();
    for failures in by_variant.values_mut() {
        failures.sort_by_key(|(place, entry)| (Reverse(severity(entry)), *place));
        turns.extend(failures.iter().take(most).enumerate().map(|(turn, (place, entry))| (turn, *place, *entry)));
    }
    turns.sort_by_key(|(turn, place, entry)| (*turn, Reverse(severity(entry)), *place));
    turns.into_iter().take(most).map(|(_, _, entry)| entry).collect()
}

/// How bad a failure is: by the number of properties that failed, then of fabrications. No answer at all is worst.
pub(crate) fn severity(entry: &Entry) -> (usize, usize) {
    let failed = entry.verdicts.iter().filter(|verdict| **verdict == Some(Verdict::Fail)).count();
    let failed = if is_without_answer(entry) { Property::ALL.len() } else { failed };
    (failed, entry.fabricated.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::RunBuilder;

    #[test]
    fn variants_take_turns_each_with_its_worst() {
        let run = RunBuilder::new(&["p"], &["bad", "good"])
            .case("a", |trial| if trial.asks("bad") { trial.fail("length") } else { trial.pass("length") })
            .case(
                "b",
                |trial| {
                    if trial.asks("bad") { trial.fail("length").fail("register") } else { trial.fail("length") }
                },
            )
            .case("c", |trial| if trial.asks("bad") { trial.blocked("SAFETY") } else { trial.skipped() })
            .build();
        let names = |most| worst(&run, most).iter().map(|entry| entry.trial.to_string()).collect::<Vec<_>>();
        assert_eq!(names(9), ["c · p@bad", "b · p@good", "b · p@bad", "a · p@bad"]);
        assert_eq!(names(1), ["c · p@bad"]);
    }

    #[test]
    fn fabrications_decide_among_equals() {
        let run = RunBuilder::new(&["p"], &["m"])
            .case("one", |trial| trial.invents("一社", "number"))
            .case("two", |trial| trial.invents("一社", "number").invents("二社", "number"))
            .build();
        assert_eq!(worst(&run, 1)[0].trial.case.as_str(), "two");
    }
}
