//! The gate: does a run reach what evalrun.toml asks for, alone and beside its baseline?
//!
//! Promises that every check says what was found and what was asked; that a failure which missing trials could still
//! avert is told from one that they cannot; and that "cannot be decided" is never turned into either.

use std::collections::HashMap;

use crate::compare::{
    Arm, Cases, Method, Options, Pair, Repeats, Side, TooFew, Warning, compare, counterpart, repeats, sources,
};
use crate::id::{CaseId, ModelId, PromptId};
use crate::model::Provider;
use crate::outcome::{CaseRecord, Entry, Required, Run, Status, Subject};
use crate::project::{CasePasses, GateSettings, On, Rule, Tier};
use crate::stats::{Interval, LEVEL, fewest_cases, wilson, wilson_of_sources};

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
        /// Cases that neither passed nor failed.
        undecided: Vec<CaseId>,
        /// Whether the cases are too few to prove the rate even if all pass.
        too_few: Option<TooFew>,
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
        /// Cases without a verdict on a side.
        undecided: Vec<CaseId>,
        /// Whether the cases are too few to rule such a drop out even if no verdict changes.
        too_few: Option<TooFew>,
    },
    /// Cases that passed in the baseline and fail.
    Broken {
        /// The variant of the baseline.
        base: String,
        /// The cases.
        broken: Vec<CaseId>,
        /// Cases whose missing verdicts could be such.
        undecided: Vec<CaseId>,
        /// How many there may be.
        max: usize,
    },
    /// The baseline has no variant to compare with.
    NoCounterpart,
    /// No case of the run requires the property.
    NotRequired,
    /// Trials without an outcome.
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        of: usize,
        /// The largest share that is accepted.
        max: f64,
    },
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
            Finding::NoCounterpart | Finding::NotRequired | Finding::Missing { .. } | Finding::Cost { .. } => &[],
        }
    }

    /// The cases that it says nothing about, for want of a verdict.
    pub fn undecided(&self) -> &[CaseId] {
        match &self.finding {
            Finding::Rate { undecided, .. } | Finding::Drop { undecided, .. } | Finding::Broken { undecided, .. } => {
                undecided
            }
            Finding::NoCounterpart | Finding::NotRequired | Finding::Missing { .. } | Finding::Cost { .. } => &[],
        }
    }

    /// Whether the cases are too few for it, whatever comes of them.
    pub const fn too_few(&self) -> Option<TooFew> {
        match self.finding {
            Finding::Rate { too_few, .. } | Finding::Drop { too_few, .. } => too_few,
            _ => None,
        }
    }
}

/// What a run is held against.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'a> {
    /// The run.
    pub run: &'a Run,
    /// The variant that all others are compared with; `None`: each with its counterpart.
    pub variant: Option<(&'a PromptId, &'a ModelId)>,
}

impl<'a> From<&'a Run> for Baseline<'a> {
    fn from(run: &'a Run) -> Self {
        Self { run, variant: None }
    }
}

/// How a run and its baseline go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// The baseline's name.
    pub name: String,
    /// How their cases correspond.
    pub cases: Cases,
    /// What could mislead.
    pub warnings: Vec<Warning>,
}

/// What the gate came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Every check, by variant and rule.
    pub checks: Vec<Check>,
    /// How the run and its baseline go together, if there is one.
    pub beside: Option<Beside>,
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
pub fn judge(run: &Run, settings: &GateSettings, baseline: Option<Baseline<'_>>) -> Option<Gate> {
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
    checks.extend(settings.max_cost.map(|max| cost(run, &entries, max)));
    let missing = entries.iter().filter(|entry| is_missing(entry)).count();
    let accepted = settings.max_errored.is_some_and(|most| missing as f64 <= most * entries.len() as f64);
    checks.extend(settings.max_errored.map(|max| Check {
        variant: None,
        subject: Subject::All,
        tier: Tier::Critical,
        finding: Finding::Missing { missing, of: entries.len(), max },
        decision: if accepted { Decision::Passed } else { Decision::Inconclusive },
        could_change: !accepted,
    }));
    Some(Gate {
        checks,
        beside: baseline.and_then(|baseline| beside(run, &variants, baseline)),
        missing: (missing, entries.len()),
        missing_is_accepted: accepted,
        inconclusive_fails: settings.inconclusive_fails,
    })
}

/// What is to be known of a comparison with the baseline, whatever property it is of.
fn beside(run: &Run, variants: &[(&PromptId, &ModelId)], baseline: Baseline<'_>) -> Option<Beside> {
    let candidates = variants.iter().map(|(prompt, model)| Arm { run, prompt, model });
    let pairs: Vec<Pair<'_>> =
        candidates.filter_map(|candidate| Some(Pair { base: baseline.counterpart(candidate)?, candidate })).collect();
    let comparison = compare(&pairs, Options::default())?;
    // What is missing of the run stands in the gate's first line.
    let is_own = |warning: &Warning| {
        matches!(warning, Warning::Missing { side: Side::Candidate, .. } | Warning::Unfinished(Side::Candidate))
    };
    let warnings = comparison.warnings.into_iter().filter(|warning| !is_own(warning)).collect();
    Some(Beside { name: baseline.run.header.name.clone(), cases: comparison.cases, warnings })
}

impl<'a> Baseline<'a> {
    /// The variant to compare one of the run with.
    fn counterpart(self, candidate: Arm<'_>) -> Option<Arm<'a>> {
        let Self { run, variant } = self;
        let among: Vec<_> = variant.map_or_else(|| run.variants().collect(), |variant| vec![variant]);
        let (prompt, model) = counterpart(run, &among, candidate)?;
        Some(Arm { run, prompt, model })
    }
}

const fn is_missing(entry: &Entry) -> bool {
    matches!(entry.status, Status::Errored | Status::Skipped)
}

fn cost(run: &Run, entries: &[&Entry], max: f64) -> Check {
    let is_recorded =
        |id: &ModelId| run.header.models.iter().any(|model| model.id == *id && model.provider == Provider::Recorded);
    // An empty sum of floating-point numbers is -0.
    let dollars = entries.iter().filter_map(|entry| entry.cost).fold(0.0, |all, cost| all + cost);
    let is_unknown =
        |entry: &&&Entry| entry.cost.is_none() && entry.chars.is_some() && !is_recorded(&entry.trial.model);
    let unknown = entries.iter().filter(is_unknown).count();
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

/// Whether so many cases of different sources are too few to prove a rate even if all pass.
fn too_few_to_prove(min: f64, cases: usize) -> Option<TooFew> {
    let proves = |n: usize| wilson(n, n, LEVEL).is_some_and(|rate| rate.low >= min);
    (cases > 0 && !proves(cases)).then(|| TooFew { cases, needed: fewest_cases(proves) })
}

/// What a rule asks for that so many cases from so many sources, asked so often, could never show, whatever came of them:
/// its rate, and its drop.
pub fn out_of_reach(rule: &Rule, cases: usize, sources: usize, repeats: u32) -> [Option<TooFew>; 2] {
    let rate = rule.min_rate.filter(|_| rule.on == On::Low).and_then(|min| too_few_to_prove(min, cases.min(sources)));
    let method = Method::of(cases, sources, repeats);
    let drop = rule.max_drop.and_then(|drop| method.is_too_few_for(drop, cases, sources, REGRESSION_LEVEL));
    [rate, drop]
}

/// A variant that is judged.
struct Variant<'a> {
    run: &'a Run,
    arm: Arm<'a>,
    entries: Vec<&'a Entry>,
    required: &'a Required<'a>,
}

impl Variant<'_> {
    fn checks(&self, rule: &Rule, passes: CasePasses, baseline: Option<Baseline<'_>>) -> Vec<Check> {
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
        let base = baseline.map(|baseline| baseline.counterpart(self.arm));
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
        let (mut passed, mut missing, mut failed, mut undecided) = (0, 0, Vec::new(), Vec::new());
        let records = || self.run.header.cases.iter().filter(|record| cases.contains_key(&record.id));
        let sources_of = |records: &[&CaseRecord]| sources(records.iter().map(|record| &record.source));
        let all: Vec<&CaseRecord> = records().collect();
        let has_shared_sources = sources_of(&all) < all.len();
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
                undecided.push(record.id.clone());
                continue;
            }
            counted.push(record);
        }
        let decided = passed + failed.len();
        let most = if has_shared_sources { sources_of(&all) } else { all.len() };
        let too_few = too_few_to_prove(min, most).filter(|_| on == On::Low);
        let counted = sources_of(&counted);
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
        let finding = Finding::Rate { passed, decided, rate, min, on, failed, undecided, too_few };
        (finding, decision, ends.iter().any(|end| *end != decision))
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
        let finding = Finding::Drop {
            base: base.name(),
            difference,
            max,
            broken: compared.broken.clone(),
            undecided: compared.dropped.clone(),
            too_few: compared.is_too_few_for(max),
        };
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
        let (mut broken, mut undecided) = (Vec::new(), Vec::new());
        for (case, sides) in &cases {
            match sides.map(|repeats| passed(repeats, passes)) {
                [Some(true), Some(false)] => broken.push(case.clone()),
                [Some(true) | None, None] | [None, Some(false)] => undecided.push(case.clone()),
                _ => {}
            }
        }
        let open = undecided.len();
        let decision = if broken.len() > max {
            Decision::Failed
        } else if cases.is_empty() || broken.len() + open > max {
            Decision::Inconclusive
        } else {
            Decision::Passed
        };
        let could_change = decision == Decision::Inconclusive && open > 0;
        (Finding::Broken { base: base.name(), broken, undecided, max }, decision, could_change)
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
mod tests;
