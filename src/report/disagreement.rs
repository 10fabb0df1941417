//! Where verdicts about one case and property differ: between the repeats of a variant, and between variants.
//!
//! Promises that only verdicts that were given count: what is unscored or errored agrees with everything. A variant passes
//! if every repeat that was decided passed, as rates count it.

use std::collections::HashMap;

use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{CaseRecord, Entry, Run};
use crate::property::Property;
use crate::score::Verdict;

/// A case and a property about which verdicts differ.
#[derive(Debug)]
pub(crate) struct Disagreement<'a> {
    /// The case.
    pub(crate) case: &'a CaseRecord,
    /// The property.
    pub(crate) property: Property,
    /// Who disagrees.
    pub(crate) between: Between<'a>,
    /// The trials that passed, in the plan's order.
    pub(crate) passed: Vec<&'a Entry>,
    /// The trials that failed, in the plan's order.
    pub(crate) failed: Vec<&'a Entry>,
}

/// Who disagrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between<'a> {
    /// The variants: some pass, others fail.
    Variants,
    /// The repeats of one variant.
    Repeats(&'a PromptId, &'a ModelId),
}

/// All disagreements of a run: by case, then property; the variants', then the repeats' of each variant.
pub(crate) fn disagreements(run: &Run) -> Vec<Disagreement<'_>> {
    let mut by_case: HashMap<&CaseId, Vec<&Entry>> = HashMap::new();
    for entry in &run.entries {
        by_case.entry(&entry.trial.case).or_default().push(entry);
    }
    let properties: Vec<Property> = run.properties().collect();
    let mut found = Vec::new();
    for case in &run.header.cases {
        let entries = by_case.get(&case.id).map(Vec::as_slice).unwrap_or_default();
        for property in &properties {
            add_disagreements(run, case, *property, entries, &mut found);
        }
    }
    found
}

fn add_disagreements<'a>(
    run: &'a Run,
    case: &'a CaseRecord,
    property: Property,
    entries: &[&'a Entry],
    found: &mut Vec<Disagreement<'a>>,
) {
    let with = |verdict: Verdict, of: &[&'a Entry]| -> Vec<&'a Entry> {
        of.iter().copied().filter(|entry| entry.verdicts[property.index()] == Some(verdict)).collect()
    };
    let (mut passing, mut failing, mut between_repeats) = (Vec::new(), Vec::new(), Vec::new());
    for (prompt, model) in run.variants() {
        let is_own = |entry: &&&Entry| entry.trial.prompt == *prompt && entry.trial.model == *model;
        let own: Vec<&Entry> = entries.iter().filter(is_own).copied().collect();
        let (passed, failed) = (with(Verdict::Pass, &own), with(Verdict::Fail, &own));
        // The failed repeats show why the variant failed; its others passed and would only blur it.
        if failed.is_empty() {
            passing.extend(&passed);
        } else {
            failing.extend(&failed);
        }
        if !passed.is_empty() && !failed.is_empty() {
            between_repeats.push(Disagreement {
                case,
                property,
                between: Between::Repeats(prompt, model),
                passed,
                failed,
            });
        }
    }
    if !passing.is_empty() && !failing.is_empty() {
        found.push(Disagreement { case, property, between: Between::Variants, passed: passing, failed: failing });
    }
    found.extend(between_repeats);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{RunBuilder, TrialBuilder};

    fn told(run: &Run) -> Vec<String> {
        let trials = |entries: &[&Entry]| -> Vec<String> {
            entries.iter().map(|entry| format!("{}.{}", entry.trial.prompt, entry.trial.repeat)).collect()
        };
        let told = disagreements(run).into_iter().map(|found| {
            let of = match found.between {
                Between::Variants => "variants".to_owned(),
                Between::Repeats(prompt, model) => format!("{prompt}@{model}"),
            };
            let (passed, failed) = (trials(&found.passed).join(" "), trials(&found.failed).join(" "));
            format!("{} {} {of}: {passed} / {failed}", found.case.id, found.property)
        });
        told.collect()
    }

    #[test]
    fn variants_that_differ_and_repeats_that_differ_are_found() {
        let steady = |trial: TrialBuilder| if trial.is_of("p") { trial.pass("length") } else { trial.fail("length") };
        let shaky = |trial: TrialBuilder| if trial.repeat() == 0 { trial.pass("length") } else { trial.fail("length") };
        let run = RunBuilder::new(&["p", "q"], &["m"])
            .repeats(2)
            .case("a", steady)
            .case("b", shaky)
            .case("c", |trial| if trial.is_of("p") { trial.pass("length") } else { shaky(trial) })
            .build();
        assert_eq!(
            told(&run),
            [
                "a length variants: p.0 p.1 / q.0 q.1",
                "b length p@m: p.0 / p.1",
                "b length q@m: q.0 / q.1",
                "c length variants: p.0 p.1 / q.1",
                "c length q@m: q.0 / q.1",
            ]
        );
    }

    #[test]
    fn what_was_not_decided_agrees_with_everything() {
        let run = RunBuilder::new(&["p", "q", "r"], &["m"])
            .case("a", |trial| if trial.is_of("p") { trial.pass("length") } else { trial.unscored("length") })
            .case("b", |trial| if trial.is_of("p") { trial.fail("length") } else { trial.errored("timeout: none") })
            .case("c", |trial| trial.fail("length"))
            .build();
        assert_eq!(told(&run), [""; 0]);
    }
}
