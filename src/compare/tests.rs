//! Comparisons of made-up runs.

use super::*;
use crate::property::Property;
use crate::report::sample::{RunBuilder, SampleRun, TrialBuilder};
use crate::stats::Interval;

const P: Subject = Subject::Property(Property::JapaneseOnly);

/// What a trial does: pass, fail, stay undecided, err.
fn act(trial: TrialBuilder, what: char) -> TrialBuilder {
    match what {
        'p' => trial.pass("japanese_only"),
        'f' => trial.fail("japanese_only"),
        '?' => trial.unscored("japanese_only"),
        '!' => trial.errored("timeout: no answer"),
        other => unreachable!("{other}"),
    }
}

/// A run with prompts `a` and `b`: for each case what the repeats of each do, such as `("x", "ppf", "fff")`.
fn run(cases: &[(&str, &str, &str)]) -> SampleRun {
    let repeats = u32::try_from(cases.first().map_or(1, |(_, base, _)| base.len())).unwrap();
    let builder = RunBuilder::new(&["a", "b"], &["m"]).repeats(repeats);
    let add = |builder: RunBuilder, (id, base, candidate): &(&str, &str, &str)| {
        builder.titled(id, id, |trial| {
            let acts = if trial.is_of("a") { base } else { candidate };
            let what = acts.as_bytes()[trial.repeat() as usize] as char;
            act(trial, what)
        })
    };
    cases.iter().fold(builder, add).build()
}

fn pairs(run: &SampleRun) -> [Pair<'_>; 1] {
    let arm = |n: usize| Arm { run, prompt: &run.header.prompts[n].id, model: &run.header.models[0].id };
    [Pair { base: arm(0), candidate: arm(1) }]
}

fn swapped(pairs: &[Pair<'_>; 1]) -> Comparison {
    let [Pair { base, candidate }] = *pairs;
    compare(&[Pair { base: candidate, candidate: base }], Options::default()).unwrap()
}

fn compared(run: &SampleRun) -> Compared {
    compare(&pairs(run), Options::default()).unwrap().subject(P).unwrap().clone()
}

/// Cases that all do the same, with sources of their own.
fn many(
    count: usize,
    base: &'static str,
    candidate: &'static str,
    prefix: &str,
) -> Vec<(String, &'static str, &'static str)> {
    (0..count).map(|n| (format!("{prefix}{n}"), base, candidate)).collect()
}

fn run_of(parts: &[Vec<(String, &'static str, &'static str)>]) -> SampleRun {
    let cases: Vec<_> = parts.iter().flatten().map(|(id, base, candidate)| (id.as_str(), *base, *candidate)).collect();
    run(&cases)
}

fn ids(ids: &[CaseId]) -> Vec<&str> {
    ids.iter().map(CaseId::as_str).collect()
}

#[test]
fn each_case_is_fixed_broken_or_unchanged() {
    let found = compared(&run(&[("w", "p", "p"), ("x", "f", "p"), ("y", "p", "f"), ("z", "f", "f"), ("u", "p", "?")]));
    assert_eq!((ids(&found.fixed), ids(&found.broken), ids(&found.dropped)), (vec!["x"], vec!["y"], vec!["u"]));
    assert_eq!((found.n, found.unchanged, found.rates), (4, [1, 1], Some([0.5, 0.5])));
    assert_eq!((found.method, found.p), (Method::Tango, Ok(0.75)));
    assert_eq!(found.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn a_case_whose_repeats_disagree_is_flaky() {
    let found = compared(&run(&[("x", "pp", "pf"), ("y", "ff", "pp"), ("z", "pp", "ff")]));
    assert_eq!((ids(&found.flaky), ids(&found.fixed), ids(&found.broken)), (vec!["x"], vec!["y"], vec!["z"]));
    assert_eq!(found.method, Method::CaseMeans);
    assert_eq!(found.noise, [Ok(0.0), Ok(1.0 / 3.0)]);
    assert!((found.estimate.unwrap() + 0.5 / 3.0).abs() < 1e-12);
}

#[test]
fn the_verdict_rests_on_the_interval_and_the_margin() {
    for (same, gained, lost, expected) in [
        (10, 30, 0, Verdict::Better),
        (10, 0, 30, Verdict::WorseByMore),
        (400, 5, 16, Verdict::Worse),
        (200, 1, 1, Verdict::NoWorse),
        (20, 1, 1, Verdict::Inconclusive),
    ] {
        let found =
            compared(&run_of(&[many(same, "p", "p", "s"), many(gained, "f", "p", "g"), many(lost, "p", "f", "l")]));
        assert_eq!(found.verdict, Some(expected), "{same} {gained} {lost}: {:?}", found.interval);
    }
    // Of worse, and no worse than the margin, the worse news stands first.
    assert_eq!(Verdict::of(-0.04, -0.01, 0.05), Verdict::Worse);
}

#[test]
fn a_verdict_that_missing_trials_could_change_is_weakened() {
    let whole = run_of(&[many(30, "p", "p", "s"), many(10, "f", "p", "g")]);
    assert_eq!(compared(&whole).verdict, Some(Verdict::Better));
    assert_eq!(compared(&whole).bounds, None);
    let torn = run_of(&[many(30, "p", "p", "s"), many(10, "f", "p", "g"), many(20, "p", "!", "m")]);
    let found = compared(&torn);
    assert_eq!((found.n, found.dropped.len()), (40, 20));
    let [low, high] = found.bounds.unwrap();
    assert!((low - (10.0 - 20.0) / 60.0).abs() < 1e-12 && (high - 10.0 / 60.0).abs() < 1e-12, "{low} {high}");
    assert_eq!((found.verdict, found.is_weakened), (Some(Verdict::Inconclusive), true));
}

#[test]
fn too_few_cases_to_rule_out_a_drop_are_told_with_how_many_would_do() {
    let too_few = |run: &SampleRun, drop: f64| {
        let options = Options { level: 0.9, ..Options::default() };
        compare(&pairs(run), options).unwrap().subject(P).unwrap().is_too_few_for(drop)
    };
    let equal = |n: usize, what: &'static str| run_of(&[many(n, what, what, "s")]);
    assert_eq!(too_few(&equal(14, "p"), 0.05), Some(TooFew { cases: 14, needed: Some(52) }));
    assert_eq!(too_few(&equal(51, "p"), 0.05), Some(TooFew { cases: 51, needed: Some(52) }));
    assert_eq!(too_few(&equal(52, "p"), 0.05), None);
    assert_eq!(too_few(&equal(14, "p"), 0.0), Some(TooFew { cases: 14, needed: None }));
    let repeated = too_few(&equal(14, "pp"), 0.05).unwrap();
    assert!(repeated.needed > Some(20), "{repeated:?}");
}

#[test]
fn swapping_the_arms_mirrors_everything() {
    for run in [
        run_of(&[many(9, "p", "p", "s"), many(5, "f", "p", "g"), many(2, "p", "f", "l"), many(1, "p", "!", "m")]),
        run_of(&[many(9, "ppf", "pfp", "s"), many(5, "fff", "ppp", "g"), many(2, "ppp", "pff", "l")]),
    ] {
        let pairs = pairs(&run);
        let (there, back) = (compare(&pairs, Options::default()).unwrap(), swapped(&pairs));
        for (there, back) in there.subjects.iter().zip(&back.subjects) {
            assert_eq!(there.interval.map(Interval::mirrored), back.interval);
            assert_eq!((there.p, there.p_exact, there.p_adjusted), (back.p, back.p_exact, back.p_adjusted));
            assert_eq!((&there.fixed, &there.broken, &there.dropped), (&back.broken, &back.fixed, &back.dropped));
            assert_eq!(there.bounds, back.bounds.map(|[low, high]| [-high, -low]));
            assert_eq!(there.rates, back.rates.map(|[base, candidate]| [candidate, base]));
        }
    }
}

#[test]
fn the_order_of_cases_changes_nothing() {
    let mut cases = [("a", "ppf", "fpp"), ("b", "fff", "pfp"), ("c", "ppp", "ppp"), ("d", "pff", "fff")];
    let found = compare(&pairs(&run(&cases)), Options::default());
    cases.reverse();
    assert_eq!(found, compare(&pairs(&run(&cases)), Options::default()));
}

#[test]
fn cases_are_joined_by_id_and_renamed_ones_by_what_was_sent() {
    let case = |builder: RunBuilder, id: &str, title: &str| builder.titled(id, title, |trial| act(trial, 'p'));
    let build = |cases: &[(&str, &str)]| {
        cases.iter().fold(RunBuilder::new(&["a"], &["m"]), |builder, (id, title)| case(builder, id, title)).build()
    };
    let base =
        build(&[("same", "1"), ("old-name", "2"), ("edited", "3"), ("gone", "4"), ("twin-1", "5"), ("twin-2", "5")]);
    let candidate = build(&[("new-name", "2"), ("edited", "3b"), ("came", "6"), ("same", "1"), ("twin-3", "5")]);
    let arm = |run| Arm { run, prompt: &base.header.prompts[0].id, model: &base.header.models[0].id };
    let pair = Pair { base: arm(&base), candidate: arm(&candidate) };
    let found = compare(&[pair], Options::default()).unwrap();
    let Cases { same, renamed, changed, only_base, only_candidate, judged_otherwise } = &found.cases;
    assert_eq!((*same, ids(changed), ids(only_candidate)), (2, vec!["edited"], vec!["came", "twin-3"]));
    assert_eq!((ids(only_base), ids(judged_otherwise)), (vec!["gone", "twin-1", "twin-2"], vec![]));
    let [(before, now)] = renamed.as_slice() else { panic!("{renamed:?}") };
    assert_eq!((before.as_str(), now.as_str()), ("old-name", "new-name"));
    assert_eq!(found.subjects[0].n, 2);
    assert_eq!(
        found.warnings,
        [Warning::CasesChanged(changed.clone()), Warning::OnlyInOne(only_base.clone(), only_candidate.clone())]
    );
}

#[test]
fn a_variant_is_compared_with_its_own_with_its_text_under_another_name_or_with_its_model() {
    let build = |prompts: &[(&str, &str)]| {
        let names: Vec<&str> = prompts.iter().map(|(name, _)| *name).collect();
        let mut run = RunBuilder::new(&names, &["m", "n"]).case("x", |trial| act(trial, 'p')).build();
        for (record, (_, digest)) in run.header.prompts.iter_mut().zip(prompts) {
            record.digest = (*digest).to_owned();
        }
        run
    };
    let base = build(&[("a", "1"), ("b", "2")]);
    let among: Vec<_> = base.variants().collect();
    for (candidate, expected) in [
        (("b", "3"), Some("b@n")),
        (("renamed", "2"), Some("b@n")),
        (("b", "1"), Some("b@n")),
        (("stranger", "9"), Some("a@n")),
    ] {
        let run = build(&[candidate]);
        let (prompt, model) = run.variants().nth(1).unwrap();
        let found = counterpart(&base, &among, Arm { run: &run, prompt, model });
        let found = found.map(|(prompt, model)| format!("{prompt}@{model}"));
        assert_eq!(found.as_deref(), expected, "{candidate:?}");
    }
}

#[test]
fn cases_that_variants_turn_both_ways_are_told_from_those_whose_repeats_disagree() {
    let both_ways = RunBuilder::new(&["a", "b"], &["m", "n"])
        .case("x", |trial| {
            let passes = trial.is_of("a") == trial.asks("m");
            act(trial, if passes { 'p' } else { 'f' })
        })
        .build();
    let arm = |prompt: usize, model: usize| Arm {
        run: &both_ways,
        prompt: &both_ways.header.prompts[prompt].id,
        model: &both_ways.header.models[model].id,
    };
    let pairs_of = [0, 1].map(|model| Pair { base: arm(0, model), candidate: arm(1, model) });
    let found = compare(&pairs_of, Options::default()).unwrap();
    let all = found.subject(Subject::All).unwrap();
    assert_eq!((ids(&all.mixed), ids(&all.flaky)), (vec!["x"], vec![]));
    let found = compared(&run(&[("x", "pp", "pf")]));
    assert_eq!((ids(&found.mixed), ids(&found.flaky)), (vec![], vec!["x"]));
}

#[test]
fn cases_of_one_source_are_a_cluster() {
    let builder = ["x", "y", "z"].iter().fold(RunBuilder::new(&["a", "b"], &["m"]), |builder, title| {
        ["1", "2"].iter().fold(builder, |builder, n| {
            builder.titled(&format!("{title}{n}"), title, |trial| {
                let what = if trial.is_of("a") && *title != "z" { 'f' } else { 'p' };
                act(trial, what)
            })
        })
    });
    let run = builder.build();
    let found = compare(&pairs(&run), Options::default()).unwrap();
    let subject = found.subject(P).unwrap();
    assert_eq!((subject.n, subject.clusters, subject.method), (6, 3, Method::Clusters));
    assert_eq!((subject.p, subject.p_method), (Ok(0.5), PMethod::SignFlip));
    assert_eq!(found.warnings, [Warning::FewSources(3)]);
}

#[test]
fn nothing_one_and_all_equal_say_so() {
    let none = compared(&run(&[("x", "!", "!")]));
    assert_eq!((none.n, none.interval, none.verdict), (0, Err(Undefined::NoCases), None));
    assert_eq!((none.p, none.rates, none.estimate), (Err(Undefined::NoCases), None, None));
    let one = compared(&run(&[("x", "f", "p")]));
    assert_eq!(one.verdict, Some(Verdict::Inconclusive));
    assert!((one.p.unwrap() - 0.5).abs() < 1e-12);
    let equal = compared(&run_of(&[many(20, "p", "p", "s")]));
    assert_eq!((equal.p, equal.verdict, equal.estimate), (Ok(1.0), Some(Verdict::Inconclusive), Some(0.0)));
    let repeated = compared(&run_of(&[many(20, "pp", "pp", "s")]));
    assert_eq!((repeated.p, repeated.verdict), (Ok(1.0), Some(Verdict::Inconclusive)));
    assert!(compare(&[], Options::default()).is_none());
    let itself = run(&[("x", "f", "p")]);
    let [Pair { base, .. }] = pairs(&itself);
    let found = compare(&[Pair { base, candidate: base }], Options::default()).unwrap();
    assert_eq!(found.warnings, [Warning::Itself]);
}

#[test]
fn the_primary_subject_is_adjusted_by_holm_and_the_others_are_exploration() {
    let run = run_of(&[many(10, "p", "p", "s"), many(8, "f", "p", "g")]);
    let pairs = pairs(&run);
    let options = Options { candidates: 2, ..Options::default() };
    let mut both = [compare(&pairs, options).unwrap(), compare(&pairs, options).unwrap()];
    adjust(&mut both);
    let [primary, other] = [Subject::All, P].map(|subject| both[0].subject(subject).unwrap());
    assert_eq!((primary.adjustment, primary.family, primary.level), (Adjustment::Holm, 2, 0.975));
    assert_eq!(primary.p_adjusted, primary.p.ok().map(|p| 2.0 * p));
    assert_eq!((other.adjustment, other.family, other.level), (Adjustment::BenjaminiHochberg, 2, LEVEL));
    assert_eq!(other.p_adjusted, other.p.ok());
}

#[test]
fn several_variants_are_tested_together() {
    let run = run(&[("w", "p", "p"), ("x", "f", "p"), ("y", "f", "p"), ("z", "p", "!")]);
    let [Pair { base, candidate }] = pairs(&run);
    let found = any_differs(&[base, candidate], P).unwrap();
    assert!((found.q - 2.0).abs() < 1e-12, "{found:?}");
    assert_eq!(any_differs(&[base], P), Err(Undefined::OneVariant));
    assert_eq!(any_differs(&[base, base], P), Err(Undefined::NoVariation));
}

#[test]
fn a_forecast_is_as_cautious_as_its_interval() {
    let found = compared(&run_of(&[many(14, "pp", "pp", "s"), many(6, "pp", "pf", "g")]));
    assert_eq!((found.method, found.verdict), (Method::CaseMeans, Some(Verdict::Inconclusive)));
    assert!(found.needed.unwrap() > found.n, "{:?} cases needed, {} at hand", found.needed, found.n);
    let equal = compared(&run_of(&[many(20, "pp", "pp", "s")]));
    assert!(equal.needed.unwrap() > 20 && equal.detectable.unwrap() > 0.1, "{equal:?}");
}
