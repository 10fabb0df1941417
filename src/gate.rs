//! The gate: does a run reach what evalrun.toml asks for, alone and beside its baseline?
//!
//! Promises that every check says what was found and what was asked; that a failure which missing trials could still
//! avert is told from one that they cannot; and that "cannot be decided" is never turned into either.

use std::collections::HashMap;

use crate::compare::{Arm, Options, Pair, Repeats, compare, repeats, sources};
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Entry, Required, Run, Status, Subject};
use crate::project::{CasePasses, GateSettings, On, Rule, Tier};
use crate::stats::{Interval, LEVEL, wilson_of_sources};

/// The two-sided level whose one side is 5 %: whether a run is no worse than its baseline is a question of one side.
pub const REGRESSION_LEVEL: f64 = 0.9;

/// What a check, or the gate, came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// What was asked for is reached.
    Passed,
    /// It is not.
    Failed,
    /// The cases do not say.
    Inconclusive,
}

impl Decision {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What was found, beside what was asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A rate.
    Rate {
        /// Cases that passed.
        passed: usize,
        /// Cases that passed or failed.
        decided: usize,
        /// The rate, with its 95 % interval.
        rate: Option<Interval>,
        /// The least rate.
        min: f64,
        /// What of the rate is held against it.
        on: On,
        /// Cases that failed.
        failed: Vec<CaseId>,
    },
    /// A difference from the baseline.
    Drop {
        /// The variant of the baseline.
        base: String,
        /// The difference, with the range that holds whatever missing trials would have said; `None` if undefined.
        difference: Option<Interval>,
        /// How much worse it may be.
        max: f64,
        /// Cases that passed in the baseline and fail.
        broken: Vec<CaseId>,
    },
    /// Cases that passed in the baseline and fail.
    Broken {
        /// The variant of the baseline.
        base: String,
        /// The cases.
        broken: Vec<CaseId>,
        /// How many there may be.
        max: usize,
    },
    /// The baseline has no variant to compare with.
    NoCounterpart,
    /// No case of the run requires the property.
    NotRequired,
    /// What the run cost.
    Cost {
        /// US dollars, as far as known.
        dollars: f64,
        /// Answers whose cost is not known.
        unknown: usize,
        /// The most.
        max: f64,
    },
}

/// One check.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The variant; `None` for the run as a whole.
    pub variant: Option<(PromptId, ModelId)>,
    /// What of it.
    pub subject: Subject,
    /// What follows.
    pub tier: Tier,
    /// What was found.
    pub finding: Finding,
    /// What it came to.
    pub decision: Decision,
    /// Whether the trials that have no outcome could change that.
    pub could_change: bool,
}

impl Check {
    /// The cases that speak against it.
    pub fn cases(&self) -> &[CaseId] {
        match &self.finding {
            Finding::Rate { failed, .. } => failed,
            Finding::Drop { broken, .. } | Finding::Broken { broken, .. } => broken,
            Finding::NoCounterpart | Finding::NotRequired | Finding::Cost { .. } => &[],
        }
    }
}

/// What the gate came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Every check, by variant and rule.
    pub checks: Vec<Check>,
    /// Trials of the gated variants without an outcome, and all of them.
    pub missing: (usize, usize),
    /// Whether so many may be missing.
    pub missing_is_accepted: bool,
    /// Whether a gate that cannot decide holds the pipeline up.
    pub inconclusive_fails: bool,
}

impl Gate {
    /// Whether a check fails that fails the gate, whatever the missing trials would have said.
    pub fn surely_failed(&self) -> bool {
        self.checks.iter().any(|check| fails(check) && !check.could_change)
    }

    /// The decision as far as the outcomes at hand go.
    pub fn decision(&self) -> Decision {
        if self.checks.iter().any(fails) {
            Decision::Failed
        } else if self.checks.iter().any(holds_up) {
            Decision::Inconclusive
        } else {
            Decision::Passed
        }
    }

    /// Whether so many trials lack an outcome that the figures are incomplete.
    pub const fn is_incomplete(&self) -> bool {
        self.missing.0 > 0 && !self.missing_is_accepted
    }
}

fn fails(check: &Check) -> bool {
    check.decision == Decision::Failed && check.tier != Tier::Advisory
}

fn holds_up(check: &Check) -> bool {
    check.decision == Decision::Inconclusive && check.tier == Tier::Critical
}

/// Judges a run. `None` if the gate selects none of its variants.
pub fn judge(run: &Run, settings: &GateSettings, baseline: Option<&Run>) -> Option<Gate> {
    let is_gated = |(prompt, model): &(&PromptId, &ModelId)| {
        (settings.prompts.is_empty() || settings.prompts.iter().any(|named| named.id == **prompt))
            && (settings.models.is_empty() || settings.models.iter().any(|named| named.id == **model))
    };
    let variants: Vec<(&PromptId, &ModelId)> = run.variants().filter(is_gated).collect();
    let entries: Vec<&Entry> =
        run.entries.iter().filter(|entry| variants.contains(&(&entry.trial.prompt, &entry.trial.model))).collect();
    if entries.is_empty() {
        return None;
    }
    let required = Required::of(run);
    let mut checks = Vec::new();
    for (prompt, model) in &variants {
        let own: Vec<&Entry> = entries
            .iter()
            .copied()
            .filter(|entry| entry.trial.prompt == **prompt && entry.trial.model == **model)
            .collect();
        let variant = Variant { run, arm: Arm { run, prompt, model }, entries: own, required: &required };
        for rule in &settings.rules {
            checks.extend(variant.checks(rule, settings.case_passes, baseline));
        }
    }
    checks.extend(settings.max_cost.map(|max| cost(&entries, max)));
    let missing = entries.iter().filter(|entry| is_missing(entry)).count();
    let accepted = settings.max_errored.is_some_and(|most| missing as f64 <= most * entries.len() as f64);
    Some(Gate {
        checks,
        missing: (missing, entries.len()),
        missing_is_accepted: accepted,
        inconclusive_fails: settings.inconclusive_fails,
    })
}

const fn is_missing(entry: &Entry) -> bool {
    matches!(entry.status, Status::Errored | Status::Skipped)
}

fn cost(entries: &[&Entry], max: f64) -> Check {
    let dollars: f64 = entries.iter().filter_map(|entry| entry.cost).sum();
    let unknown = entries.iter().filter(|entry| entry.cost.is_none() && entry.chars.is_some()).count();
    let decision = if dollars > max {
        Decision::Failed
    } else if unknown > 0 {
        Decision::Inconclusive
    } else {
        Decision::Passed
    };
    Check {
        variant: None,
        subject: Subject::All,
        tier: Tier::Critical,
        finding: Finding::Cost { dollars, unknown, max },
        decision,
        could_change: false,
    }
}

/// A variant that is judged.
struct Variant<'a> {
    run: &'a Run,
    arm: Arm<'a>,
    entries: Vec<&'a Entry>,
    required: &'a Required<'a>,
}

impl Variant<'_> {
    fn checks(&self, rule: &Rule, passes: CasePasses, baseline: Option<&Run>) -> Vec<Check> {
        let subject = rule.property.map_or(Subject::All, Subject::Property);
        let check = |(finding, decision, could_change)| Check {
            variant: Some((self.arm.prompt.clone(), self.arm.model.clone())),
            subject,
            tier: rule.tier,
            finding,
            decision,
            could_change,
        };
        // To pass over it in silence would let a gate pass that a typing error has emptied.
        if !self.entries.iter().any(|entry| self.required.status_of(entry, subject).is_some()) {
            return vec![check((Finding::NotRequired, Decision::Inconclusive, false))];
        }
        let rate = rule.min_rate.map(|min| self.rate(subject, min, rule.on, passes));
        let base = baseline.map(|baseline| self.counterpart(baseline));
        let drop = rule.max_drop.and_then(|max| Some(self.dropped(subject, base?, max)));
        let broken = rule.max_broken.and_then(|max| Some(self.broken(subject, base?, max, passes)));
        [rate, drop, broken].into_iter().flatten().map(check).collect()
    }

    fn rate(&self, subject: Subject, min: f64, on: On, passes: CasePasses) -> (Finding, Decision, bool) {
        let mut cases: HashMap<&CaseId, [usize; 3]> = HashMap::new();
        for entry in &self.entries {
            let Some(status) = self.required.status_of(entry, subject) else { continue };
            let counts = cases.entry(&entry.trial.case).or_default();
            match status {
                Status::Passed => counts[0] += 1,
                Status::Failed => counts[1] += 1,
                Status::Errored | Status::Skipped => counts[2] += 1,
                Status::Undecided => {}
            }
        }
        let (mut passed, mut missing, mut failed) = (0, 0, Vec::new());
        let records = || self.run.header.cases.iter().filter(|record| cases.contains_key(&record.id));
        let has_shared_sources = sources(records()) < records().count();
        let mut counted = Vec::new();
        for record in records() {
            let [yes, no, none] = cases[&record.id];
            let asked = self.entries.iter().filter(|entry| entry.trial.case == record.id).count();
            let needed = passes.needed(asked);
            if yes >= needed {
                passed += 1;
            } else if no > asked - needed {
                failed.push(record.id.clone());
            } else {
                missing += usize::from(none > 0);
                continue;
            }
            counted.push(record);
        }
        let decided = passed + failed.len();
        let counted = sources(counted);
        let interval = |passed: usize, decided: usize| {
            let sources = if has_shared_sources { counted.max(1) } else { decided };
            wilson_of_sources(passed, decided, sources, LEVEL)
        };
        let rate = interval(passed, decided);
        let judged = |passed: usize, decided: usize| match (interval(passed, decided), on) {
            (None, _) => Decision::Inconclusive,
            (Some(rate), On::Estimate) if rate.estimate >= min - 1e-12 => Decision::Passed,
            (Some(_), On::Estimate) => Decision::Failed,
            (Some(rate), On::Low) if rate.low >= min => Decision::Passed,
            (Some(rate), On::Low) if rate.high < min => Decision::Failed,
            (Some(_), On::Low) => Decision::Inconclusive,
        };
        let decision = judged(passed, decided);
        let ends = [judged(passed, decided + missing), judged(passed + missing, decided + missing)];
        let finding = Finding::Rate { passed, decided, rate, min, on, failed };
        (finding, decision, ends.iter().any(|end| *end != decision))
    }

    /// The same variant in the baseline, or the same model's first prompt, or the only variant there.
    fn counterpart<'b>(&self, baseline: &'b Run) -> Option<Arm<'b>> {
        let Arm { prompt, model, .. } = self.arm;
        let same = baseline.variants().find(|variant| *variant == (prompt, model));
        let same_model = || baseline.variants().find(|variant| variant.1 == model);
        let only = || baseline.variants().next().filter(|_| baseline.variants().count() == 1);
        let (prompt, model) = same.or_else(same_model).or_else(only)?;
        Some(Arm { run: baseline, prompt, model })
    }

    fn dropped(&self, subject: Subject, base: Option<Arm<'_>>, max: f64) -> (Finding, Decision, bool) {
        let options = Options { margin: max, level: REGRESSION_LEVEL, ..Options::default() };
        let comparison = base.and_then(|base| compare(&[Pair { base, candidate: self.arm }], options));
        let compared = comparison.as_ref().and_then(|comparison| comparison.subject(subject));
        let (Some(base), Some(compared)) = (base, compared) else {
            return (Finding::NoCounterpart, Decision::Inconclusive, false);
        };
        let difference = compared.range;
        let decision = match difference {
            Some(range) if range.low > -max => Decision::Passed,
            Some(range) if range.high < -max => Decision::Failed,
            _ => Decision::Inconclusive,
        };
        // The range holds whatever the missing trials would have said.
        let finding = Finding::Drop { base: base.name(), difference, max, broken: compared.broken.clone() };
        (finding, decision, false)
    }

    fn broken(
        &self,
        subject: Subject,
        base: Option<Arm<'_>>,
        max: usize,
        passes: CasePasses,
    ) -> (Finding, Decision, bool) {
        let Some(base) = base else { return (Finding::NoCounterpart, Decision::Inconclusive, false) };
        let cases = repeats(Pair { base, candidate: self.arm }, subject);
        let (mut broken, mut open) = (Vec::new(), 0);
        for (case, sides) in &cases {
            match sides.map(|repeats| passed(repeats, passes)) {
                [Some(true), Some(false)] => broken.push(case.clone()),
                [Some(true) | None, None] | [None, Some(false)] => open += 1,
                _ => {}
            }
        }
        let decision = if broken.len() > max {
            Decision::Failed
        } else if cases.is_empty() || broken.len() + open > max {
            Decision::Inconclusive
        } else {
            Decision::Passed
        };
        let could_change = decision == Decision::Inconclusive && open > 0;
        (Finding::Broken { base: base.name(), broken, max }, decision, could_change)
    }
}

/// Whether a case passes by its repeats; `None` if those without a verdict could turn it.
fn passed(repeats: Repeats, passes: CasePasses) -> Option<bool> {
    let needed = passes.needed(repeats.all());
    if repeats.passed >= needed {
        Some(true)
    } else if repeats.passed + repeats.missing < needed {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
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
        judge(&run(cases), &settings(text), baseline.as_deref()).unwrap()
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
        let with = |dollars: Option<f64>| {
            let run = RunBuilder::new(&["p"], &["m"]).case("a", |trial| match dollars {
                Some(dollars) => trial.cost(dollars).pass("length"),
                None => trial.pass("length"),
            });
            judge(&run.build(), &settings("max_cost = 1"), None).unwrap().decision()
        };
        assert_eq!(with(Some(0.5)), Decision::Passed);
        assert_eq!(with(Some(1.5)), Decision::Failed);
        assert_eq!(with(None), Decision::Inconclusive);
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
}
