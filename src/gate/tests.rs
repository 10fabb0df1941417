//! What gates come to, from made-up runs.

use super::*;
use crate::report::sample::{RunBuilder, SampleRun, TrialBuilder};

fn act(trial: TrialBuilder, what: char) -> TrialBuilder {
    match what {
        'p' => trial.pass("length"),
        'f' => trial.fail("length"),
        '?' => trial.unscored("length"),
        '!' => trial.errored("timeout"),
        other => unreachable!("{other}"),
    }
}

/// A run of one variant: for each case what its repeats do.
fn run(cases: &[&str]) -> SampleRun {
    let repeats = u32::try_from(cases[0].len()).unwrap();
    let builder = RunBuilder::new(&["p"], &["m"]).repeats(repeats);
    let add = |builder: RunBuilder, (n, acts): (usize, &&str)| {
        let id = format!("c{n:03}");
        builder.titled(&id, &id, |trial| {
            let what = acts.as_bytes()[trial.repeat() as usize] as char;
            act(trial, what)
        })
    };
    cases.iter().enumerate().fold(builder, add).build()
}

fn settings(text: &str) -> GateSettings {
    let file = crate::diagnostic::TextFile::new("evalrun.toml", format!("[gate]\n{text}\n"));
    crate::project::parse(&file).unwrap().gate.unwrap()
}

fn judged(cases: &[&str], text: &str, baseline: Option<&[&str]>) -> Gate {
    let baseline = baseline.map(run);
    judge(&run(cases), &settings(text), baseline.as_deref().map(Baseline::from)).unwrap()
}

#[test]
fn a_rate_is_held_against_its_threshold() {
    use Decision::{Failed, Inconclusive, Passed};
    for (cases, rule, expected) in [
        (&["p"; 9][..], "length = 0.9", Passed),
        (&["p", "f"], "length = 0.9", Failed),
        (&["p", "f"], "length = 0.5", Passed),
        (&["p"; 9], "length = { min_rate = 0.6, on = \"low\" }", Passed),
        (&["p"; 9], "length = { min_rate = 0.9, on = \"low\" }", Inconclusive),
        (&["f"; 9], "length = { min_rate = 0.9, on = \"low\" }", Failed),
        (&["?", "?"], "length = 0.9", Inconclusive),
        (&["p", "f"], "length = { min_rate = 0.9, tier = \"advisory\" }", Passed),
        (&["p", "f"], "length = { min_rate = 0.9, tier = \"supporting\" }", Failed),
        (&["p"; 9], "length = { min_rate = 0.9, on = \"low\", tier = \"supporting\" }", Passed),
    ] {
        assert_eq!(judged(cases, rule, None).decision(), expected, "{cases:?} {rule}");
    }
}

#[test]
fn of_a_flaky_case_so_many_repeats_must_pass() {
    for (passes, expected) in [("\"all\"", 1), ("\"majority\"", 2), ("\"any\"", 3), ("2", 2)] {
        let gate = judged(&["ppp", "ppf", "pff", "fff"], &format!("length = 0\ncase_passes = {passes}"), None);
        let Finding::Rate { passed, decided, .. } = gate.checks[0].finding else { panic!() };
        assert_eq!((passed, decided), (expected, 4), "{passes}");
    }
}

#[test]
fn a_failure_that_missing_trials_could_avert_is_not_sure() {
    let gate = judged(&["p", "p", "f", "!", "!"], "all = 0.7", None);
    assert_eq!((gate.decision(), gate.surely_failed(), gate.is_incomplete()), (Decision::Failed, false, true));
    let gate = judged(&["p", "f", "f", "!"], "all = 0.7", None);
    assert_eq!((gate.decision(), gate.surely_failed()), (Decision::Failed, true));
    let gate = judged(&["p", "p", "p", "!"], "all = 0.7\nmax_errored = 0.25", None);
    assert_eq!((gate.decision(), gate.is_incomplete()), (Decision::Passed, false));
    let gate = judged(&["p", "p", "!", "!"], "all = 0.7\nmax_errored = 0.25", None);
    assert!(gate.is_incomplete());
}

#[test]
fn a_drop_must_be_ruled_out_not_only_unseen() {
    use Decision::{Failed, Inconclusive, Passed};
    let all = vec!["p"; 100];
    let but = |failing: usize| [vec!["f"; failing], vec!["p"; 100 - failing]].concat();
    for (cases, expected) in [(but(0), Passed), (but(4), Inconclusive), (but(30), Failed)] {
        let gate = judged(&cases, "length = { max_drop = 0.05 }", Some(&all));
        assert_eq!(gate.decision(), expected, "{:?}", gate.checks[0].finding);
    }
    let few = judged(&["p"; 10], "length = { max_drop = 0.05 }", Some(&["p"; 10]));
    assert_eq!(few.decision(), Inconclusive);
}

#[test]
fn broken_cases_are_named() {
    let gate = judged(&["p", "f", "f"], "length = { max_broken = 0 }", Some(&["p", "p", "f"]));
    assert_eq!((gate.decision(), gate.surely_failed()), (Decision::Failed, true));
    assert_eq!(gate.checks[0].cases().iter().map(CaseId::as_str).collect::<Vec<_>>(), ["c001"]);
    let allowed = judged(&["p", "f"], "length = { max_broken = 1 }", Some(&["p", "p"]));
    assert_eq!(allowed.decision(), Decision::Passed);
}

#[test]
fn whether_a_case_is_broken_waits_for_its_missing_repeats_and_follows_case_passes() {
    use Decision::{Failed, Inconclusive, Passed};
    for (base, cases, passes, expected) in [
        ("pp", "pf", "all", Failed),
        ("pp", "pf", "any", Passed),
        ("pp", "f!", "all", Failed),
        ("pp", "f!", "any", Inconclusive),
        ("pp", "p!", "all", Inconclusive),
        ("p!", "pf", "all", Inconclusive),
        ("f!", "ff", "all", Passed),
        ("!!", "ff", "all", Inconclusive),
        ("??", "ff", "all", Inconclusive),
        ("pf", "ff", "any", Failed),
        ("pf", "ff", "all", Passed),
    ] {
        let text = format!("length = {{ max_broken = 0 }}\ncase_passes = \"{passes}\"");
        let gate = judged(&[cases], &text, Some(&[base]));
        assert_eq!(gate.decision(), expected, "{base} {cases} {passes}");
    }
}

#[test]
fn a_drop_that_missing_trials_could_avert_is_no_failure() {
    let base = vec!["p"; 60];
    let failed = [vec!["f"; 12], vec!["p"; 48]].concat();
    let gate = judged(&failed, "all = { max_drop = 0.05 }", Some(&base));
    assert_eq!(gate.decision(), Decision::Failed);
    // Whatever the others would say, 12 of 60 are lost; of 4 of 60 nobody knows.
    for (lost, expected) in [(12, (Decision::Failed, true)), (4, (Decision::Inconclusive, false))] {
        let torn = [vec!["f"; lost], vec!["p"; 20 - lost], vec!["!"; 40]].concat();
        let gate = judged(&torn, "all = { max_drop = 0.05 }", Some(&base));
        assert_eq!((gate.decision(), gate.surely_failed()), expected, "{lost}");
        let Finding::Drop { difference: Some(range), .. } = &gate.checks[0].finding else { panic!() };
        assert!(range.low < -0.7, "as bad as all of them failing: {range:?}");
    }
}

#[test]
fn the_lower_end_of_a_rate_counts_sources_not_cases() {
    let of_sources = |sources: usize| {
        let builder = (0..60).fold(RunBuilder::new(&["p"], &["m"]), |builder, n| {
            builder.titled(&format!("c{n}"), &format!("{}", n % sources), |trial| act(trial, 'p'))
        });
        judge(&builder.build(), &settings("length = { min_rate = 0.9, on = \"low\" }"), None).unwrap().decision()
    };
    assert_eq!((of_sources(60), of_sources(3)), (Decision::Passed, Decision::Inconclusive));
}

#[test]
fn a_cost_that_is_not_known_is_not_within_the_budget() {
    use Provider::{Gemini, Recorded};
    for (provider, dollars, expected) in [
        (Gemini, Some(0.5), Decision::Passed),
        (Gemini, Some(1.5), Decision::Failed),
        (Gemini, None, Decision::Inconclusive),
        (Recorded, None, Decision::Passed),
    ] {
        let mut run = RunBuilder::new(&["p"], &["m"])
            .case("a", |trial| match dollars {
                Some(dollars) => trial.cost(dollars).pass("length"),
                None => trial.pass("length"),
            })
            .build();
        run.header.models[0].provider = provider;
        let gate = judge(&run, &settings("max_cost = 1"), None).unwrap();
        assert_eq!(gate.decision(), expected, "{provider:?} {dollars:?}");
        let Finding::Cost { dollars, .. } = gate.checks[0].finding else { panic!() };
        assert!(dollars.is_sign_positive());
    }
}

#[test]
fn a_property_that_no_case_requires_is_not_passed_over() {
    let gate = judged(&["p"], "register = 0.9", None);
    assert_eq!((gate.decision(), &gate.checks[0].finding), (Decision::Inconclusive, &Finding::NotRequired));
}

#[test]
fn a_gate_that_selects_nothing_is_none() {
    let settings = settings("prompts = [\"q\"]\nlength = 0.9");
    assert!(judge(&run(&["p"]), &settings, None).is_none());
}
