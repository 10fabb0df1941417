//! One subject of a comparison, whole trials or a property: differences case by case, interval, test, verdict.

use std::collections::{BTreeMap, HashMap};

use super::cases::{Joined, join, source_of};
use super::method::{Adjustment, Method, PMethod, TooFew};
use super::{Arm, Options, Pair};
use crate::case::PublishedAt;
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{CaseRecord, Entry, Required, Run, Status, Subject};
use crate::stats::{
    DEFAULT_FLIPS, Differences, Flips, Interval, Means, Reading, Undefined, cases_needed, detectable, flip_rate,
};

/// The difference that the number of cases needed is told for.
const TARGET: f64 = 0.1;

/// In how many steps the missing trials are let turn from worst to best.
const MOST_STEPS: usize = 32;

/// What the difference most likely is, by its interval and the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Worse by more than the margin.
    WorseByMore,
    /// Worse.
    Worse,
    /// Better.
    Better,
    /// Worse by less than the margin, if at all.
    NoWorse,
    /// The data allow more than one of these.
    Inconclusive,
}

impl Verdict {
    /// All verdicts, in the order in which they are tried.
    pub const ALL: [Self; 5] = [Self::WorseByMore, Self::Worse, Self::Better, Self::NoWorse, Self::Inconclusive];

    /// The verdict on an interval.
    pub fn of(low: f64, high: f64, margin: f64) -> Self {
        if high < -margin {
            Self::WorseByMore
        } else if high < 0.0 {
            Self::Worse
        } else if low > 0.0 {
            Self::Better
        } else if low > -margin {
            Self::NoWorse
        } else {
            Self::Inconclusive
        }
    }

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorseByMore => "worse_by_more_than_margin",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NoWorse => "no_worse_than_margin",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What was found of a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The subject.
    pub subject: Subject,
    /// The cases with a verdict on both sides.
    pub n: usize,
    /// The sources that they come from.
    pub clusters: usize,
    /// The mean rates of these cases, of the base and of the candidate.
    pub rates: Option<[f64; 2]>,
    /// The difference, candidate less base, with its interval.
    pub interval: Result<Interval, Undefined>,
    /// The difference, also where it has no interval.
    pub estimate: Option<f64>,
    /// The interval's two-sided level.
    pub level: f64,
    /// The interval's method.
    pub method: Method,
    /// How often equal variants would differ as much; the more cautious of two tests where there are two.
    pub p: Result<f64, Undefined>,
    /// Where p comes from.
    pub p_method: PMethod,
    /// McNemar's exact p, where that test applies.
    pub p_exact: Option<f64>,
    /// p adjusted for the number of tests.
    pub p_adjusted: Option<f64>,
    /// How.
    pub adjustment: Adjustment,
    /// For how many tests.
    pub family: usize,
    /// The seed of the sign-flip test, where it drew.
    pub seed: Option<u64>,
    /// Between these ends the difference lies over all cases, whatever the missing trials would have said; `None` if none
    /// is missing.
    pub bounds: Option<[f64; 2]>,
    /// The interval widened to what it could be if the missing trials had an outcome: the verdict rests on it. `None`
    /// without an interval.
    pub range: Option<Interval>,
    /// The verdict; `None` without an interval.
    pub verdict: Option<Verdict>,
    /// Whether the verdict would be another if no trial were missing.
    pub is_weakened: bool,
    /// Cases that failed and pass.
    pub fixed: Vec<CaseId>,
    /// Cases that passed and fail.
    pub broken: Vec<CaseId>,
    /// Cases that some variants fix and others break.
    pub mixed: Vec<CaseId>,
    /// Cases whose repeats disagree on a side.
    pub flaky: Vec<CaseId>,
    /// Cases without a verdict on a side.
    pub dropped: Vec<CaseId>,
    /// Cases that pass on both sides, and that fail on both (with some variant, if there are several).
    pub unchanged: [usize; 2],
    /// How often repeats of one variant disagree, of the base and of the candidate.
    pub noise: [Result<f64, Undefined>; 2],
    /// The smallest difference that as many cases show 4 times in 5.
    pub detectable: Result<f64, Undefined>,
    /// The cases that show a difference of 10 points 4 times in 5.
    pub needed: Result<usize, Undefined>,
}

impl Compared {
    /// Whether the cases are too few to rule out a drop of so much even if no verdict changes.
    pub fn is_too_few_for(&self, drop: f64) -> Option<TooFew> {
        self.method.is_too_few_for(drop, self.n, self.clusters, self.level)
    }
}

/// A case's repeats with one variant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Repeats that passed.
    pub passed: usize,
    /// Repeats that failed.
    pub failed: usize,
    /// Repeats without a verdict.
    pub missing: usize,
}

impl Repeats {
    const fn add(&mut self, status: Status) {
        match status {
            Status::Passed => self.passed += 1,
            Status::Failed => self.failed += 1,
            Status::Undecided | Status::Errored | Status::Skipped => self.missing += 1,
        }
    }

    const fn decided(self) -> usize {
        self.passed + self.failed
    }

    /// The number of repeats.
    pub const fn all(self) -> usize {
        self.decided() + self.missing
    }

    /// The share that passed of those decided.
    fn share(self) -> Option<f64> {
        (self.decided() > 0).then(|| self.passed as f64 / self.decided() as f64)
    }

    /// The least and the largest share, whatever the missing repeats would have said.
    fn ends(self) -> [f64; 2] {
        let all = self.all().max(1) as f64;
        [self.passed as f64 / all, (self.passed + self.missing) as f64 / all]
    }
}

/// Both sides of a case with one pair of variants.
type Both = [Repeats; 2];

type Asked<'a> = HashMap<(&'a CaseId, &'a PromptId, &'a ModelId), Vec<&'a Entry>>;

/// The trials of both sides, ready to be counted.
pub(super) struct Trials<'a, 'j> {
    pairs: &'j [Pair<'a>],
    joined: &'j Joined<'a>,
    required: [Required<'a>; 2],
    asked: [Asked<'a>; 2],
}

impl<'a, 'j> Trials<'a, 'j> {
    /// Sorts the trials of the pairs' runs.
    pub(super) fn of(pairs: &'j [Pair<'a>], joined: &'j Joined<'a>) -> Self {
        let runs = [pairs[0].base.run, pairs[0].candidate.run];
        Self { pairs, joined, required: runs.map(Required::of), asked: runs.map(asked) }
    }

    /// The repeats of a case, for each pair with which both sides asked it.
    fn repeats(&self, before: &CaseId, case: &CaseId, subject: Subject) -> Vec<Both> {
        let side = |n: usize, case: &CaseId, arm: &Arm<'_>| {
            let mut repeats = Repeats::default();
            for entry in self.asked[n].get(&(case, arm.prompt, arm.model)).into_iter().flatten() {
                repeats.add(self.required[n].status_of(entry, subject)?);
            }
            (repeats.all() > 0).then_some(repeats)
        };
        let both = |pair: &Pair<'_>| Some([side(0, before, &pair.base)?, side(1, case, &pair.candidate)?]);
        self.pairs.iter().filter_map(both).collect()
    }

    /// Compares one subject.
    pub(super) fn compared(&self, subject: Subject, options: &Options) -> Compared {
        let mut counted = Counted::default();
        for (before, case) in &self.joined.pairs {
            let repeats = self.repeats(&before.id, &case.id, subject);
            if !repeats.is_empty() {
                counted.add(case, &repeats);
            }
        }
        counted.finish(subject, options)
    }
}

fn asked(run: &Run) -> Asked<'_> {
    let mut asked = Asked::new();
    for entry in &run.entries {
        let trial = &entry.trial;
        asked.entry((&trial.case, &trial.prompt, &trial.model)).or_default().push(entry);
    }
    asked
}

/// The repeats of each case that both variants were asked, base and candidate; by the candidate's id.
pub(super) fn repeats(pair: Pair<'_>, subject: Subject) -> Vec<(CaseId, [Repeats; 2])> {
    let joined = join(pair.base.run, pair.candidate.run);
    let pairs = [pair];
    let trials = Trials::of(&pairs, &joined);
    let of = |before: &CaseId, case: &CaseId| trials.repeats(before, case, subject).first().copied();
    let cases = joined.pairs.iter();
    cases.filter_map(|(before, case)| Some((case.id.clone(), of(&before.id, &case.id)?))).collect()
}

/// Whether a variant passes each case that it decided, if it passes in every repeat; cases are named as in `run`.
pub(super) fn decided(run: &Run, arm: &Arm<'_>, subject: Subject) -> HashMap<CaseId, bool> {
    let (required, asked) = (Required::of(arm.run), asked(arm.run));
    let mut decided = HashMap::new();
    for (case, own) in join(run, arm.run).pairs {
        let entries = asked.get(&(&own.id, arm.prompt, arm.model)).into_iter().flatten();
        let mut repeats = Repeats::default();
        entries.filter_map(|entry| required.status_of(entry, subject)).for_each(|status| repeats.add(status));
        if repeats.failed > 0 || (repeats.passed > 0 && repeats.missing == 0) {
            decided.insert(case.id.clone(), repeats.failed == 0);
        }
    }
    decided
}

/// What became of a case with one pair of variants.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Passes,
    Fails,
    Gained,
    Lost,
    /// The repeats of a side disagree.
    Unsettled,
}

impl Turn {
    const fn of(both: &Both) -> Self {
        let [base, candidate] = both;
        match (base.passed, base.failed, candidate.passed, candidate.failed) {
            (_, 0, _, 0) => Self::Passes,
            (0, _, 0, _) => Self::Fails,
            (0, _, _, 0) => Self::Gained,
            (_, 0, 0, _) => Self::Lost,
            _ => Self::Unsettled,
        }
    }
}

/// The cases of a subject, counted.
#[derive(Default)]
struct Counted<'a> {
    clusters: BTreeMap<ClusterKey<'a>, Vec<f64>>,
    shares: [Vec<f64>; 2],
    /// The least and the largest difference of every case, whatever its missing repeats would have said.
    ends: Vec<Ends<'a>>,
    flips: Flips,
    repeated: [Vec<(usize, usize)>; 2],
    /// The most repeats of a case, over all variants.
    repeats: [usize; 2],
    is_missing: bool,
    fixed: Vec<CaseId>,
    broken: Vec<CaseId>,
    mixed: Vec<CaseId>,
    flaky: Vec<CaseId>,
    dropped: Vec<CaseId>,
}

/// A case's source, its id, and the least and the largest difference that it could have.
type Ends<'a> = (ClusterKey<'a>, &'a CaseId, [f64; 2]);

type ClusterKey<'a> = (Option<PublishedAt>, &'a str, &'a str, Option<&'a str>);

impl<'a> Counted<'a> {
    fn add(&mut self, case: &'a CaseRecord, pairs: &[Both]) {
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        self.is_missing |= pairs.iter().flatten().any(|repeats| repeats.missing > 0);
        let end = |end: usize| {
            mean(pairs.iter().map(|[base, candidate]| candidate.ends()[end] - base.ends()[1 - end]).collect())
        };
        self.ends.push((source_of(case), &case.id, [end(0), end(1)]));
        let decided: Vec<&Both> = pairs.iter().filter(|both| both.iter().all(|of| of.decided() > 0)).collect();
        if decided.is_empty() {
            self.dropped.push(case.id.clone());
            return;
        }
        let share = |side: usize| mean(decided.iter().filter_map(|both| both[side].share()).collect());
        let shares = [share(0), share(1)];
        for side in 0..2 {
            self.shares[side].push(shares[side]);
            self.repeated[side].extend(decided.iter().map(|both| (both[side].passed, both[side].decided())));
            let repeats = decided.iter().map(|both| both[side].all()).sum();
            self.repeats[side] = self.repeats[side].max(repeats);
        }
        self.clusters.entry(source_of(case)).or_default().push(shares[1] - shares[0]);
        self.classify(&case.id, &decided);
    }

    /// A case turns if all repeats of a variant turn. Of several variants, those that turn decide, if they turn one way.
    fn classify(&mut self, case: &CaseId, decided: &[&Both]) {
        let turns = |kind: Turn| decided.iter().any(|both| Turn::of(both) == kind);
        if turns(Turn::Gained) && turns(Turn::Lost) {
            self.mixed.push(case.clone());
        } else if turns(Turn::Unsettled) {
            self.flaky.push(case.clone());
        } else if turns(Turn::Gained) {
            self.flips.gained += 1;
            self.fixed.push(case.clone());
        } else if turns(Turn::Lost) {
            self.flips.lost += 1;
            self.broken.push(case.clone());
        } else if turns(Turn::Fails) {
            self.flips.neither += 1;
        } else {
            self.flips.both += 1;
        }
    }

    fn finish(self, subject: Subject, options: &Options) -> Compared {
        let level = options.level_of(subject);
        let differences = Differences::new(self.clusters.values().cloned());
        let (n, clusters) = (differences.n(), differences.clusters());
        let most = self.repeats.iter().copied().max().unwrap_or_default();
        let method = Method::of(n, clusters, u32::try_from(most).unwrap_or(u32::MAX));
        let interval = match method {
            Method::Tango => self.flips.tango(level),
            Method::CaseMeans | Method::Clusters => differences.guarded_interval(level),
        };
        let range = interval.ok().map(|interval| self.widened(interval, method, level));
        let tested = tested(method, self.flips, &differences);
        let mean = |values: &[f64]| Differences::independent(values.iter().copied()).mean();
        let rates = mean(&self.shares[0]).and_then(|base| Ok([base, mean(&self.shares[1])?])).ok();
        let bounds = self.is_missing.then(|| {
            [0, 1].map(|end| {
                let ends: Vec<f64> = self.ends.iter().map(|(.., ends)| ends[end]).collect();
                mean(&ends).unwrap_or_default()
            })
        });
        let verdict = |of: Option<Interval>| of.map(|of| Verdict::of(of.low, of.high, options.margin));
        let (alone, held) = (verdict(interval.ok()), verdict(range));
        let (detectable, needed) = outlook(method, self.flips, &differences);
        Compared {
            subject,
            n,
            clusters,
            rates,
            interval,
            estimate: differences.mean().ok(),
            level,
            method,
            p: tested.p,
            p_method: tested.method,
            p_exact: tested.exact,
            p_adjusted: None,
            adjustment: Adjustment::Holm,
            family: 0,
            seed: tested.seed,
            bounds,
            range,
            verdict: held,
            is_weakened: alone != held,
            fixed: self.fixed,
            broken: self.broken,
            mixed: self.mixed,
            flaky: self.flaky,
            dropped: self.dropped,
            unchanged: [self.flips.both, self.flips.neither],
            noise: self.repeated.each_ref().map(|repeated| flip_rate(repeated)),
            detectable,
            needed,
        }
    }

    /// The union of the intervals that the missing trials could have led to: some of the cases that lack one at their
    /// worst, the others at their best, from all to none, in both orders. An interval's ends are convex in each
    /// difference, so that none between would reach further.
    fn widened(&self, interval: Interval, method: Method, level: f64) -> Interval {
        let mut open: Vec<&Ends<'_>> = self.ends.iter().filter(|(.., [least, most])| least < most).collect();
        // An order that swapping the arms does not change.
        open.sort_by(|(source, id, a), (other_source, other_id, b)| {
            let width = |[least, most]: &[f64; 2]| most - least;
            let key = width(b).total_cmp(&width(a));
            source.cmp(other_source).then(key).then_with(|| id.cmp(other_id))
        });
        if open.is_empty() {
            return interval;
        }
        let steps = open.len().min(MOST_STEPS);
        let mut widened = interval;
        for step in 0..=steps {
            let many = open.len() * step / steps;
            for first in 0..2 {
                let completed = self.completed(&open, many, first, method, level);
                widened.low = widened.low.min(completed.map_or(-1.0, |of| of.low));
                widened.high = widened.high.max(completed.map_or(1.0, |of| of.high));
            }
        }
        widened
    }

    /// The interval if the first `many` of the cases in `open` ended at the end `first`, and the others at the other.
    fn completed(
        &self,
        open: &[&Ends<'_>],
        many: usize,
        first: usize,
        method: Method,
        level: f64,
    ) -> Result<Interval, Undefined> {
        let settled =
            self.ends.iter().filter(|(.., [least, most])| least >= most).map(|(source, _, ends)| (source, ends[0]));
        let ended = open
            .iter()
            .enumerate()
            .map(|(n, (source, _, ends))| (source, if n < many { ends[first] } else { ends[1 - first] }));
        let mut clusters: BTreeMap<&ClusterKey<'_>, Vec<f64>> = BTreeMap::new();
        for (source, difference) in settled.chain(ended) {
            clusters.entry(source).or_default().push(difference);
        }
        if method == Method::Tango {
            let count = |is: fn(f64) -> bool| clusters.values().flatten().filter(|d| is(**d)).count();
            let (gained, lost) = (count(|d| d > 0.0), count(|d| d < 0.0));
            // Tango's interval does not ask how the cases that stay as they are stay.
            return Flips { both: self.ends.len() - gained - lost, gained, lost, neither: 0 }.tango(level);
        }
        Differences::new(clusters.into_values()).guarded_interval(level)
    }
}

struct Tested {
    p: Result<f64, Undefined>,
    method: PMethod,
    exact: Option<f64>,
    seed: Option<u64>,
}

fn tested(method: Method, flips: Flips, differences: &Differences) -> Tested {
    if method == Method::Tango {
        let p = if flips.n() == 0 { Err(Undefined::NoCases) } else { Ok(flips.mcnemar()) };
        let (mid, exact) = (p.map(|p| p.mid), p.map(|p| p.exact).ok());
        return Tested { p: mid, method: PMethod::McNemarMid, exact, seed: None };
    }
    match (differences.t_p(), differences.sign_flip()) {
        (Err(why @ (Undefined::NoCases | Undefined::OneCluster)), _) | (_, Err(why)) => {
            Tested { p: Err(why), method: PMethod::SignFlip, exact: None, seed: None }
        }
        // They can differ tenfold where few cases differ: the more cautious one stands.
        (Ok(t), Ok(turned)) if t >= turned.p => Tested { p: Ok(t), method: PMethod::T, exact: None, seed: turned.seed },
        (_, Ok(turned)) => Tested { p: Ok(turned.p), method: PMethod::SignFlip, exact: None, seed: turned.seed },
    }
}

/// What as many cases show, and how many show 10 points: for the next run, not a power of this one.
fn outlook(
    method: Method,
    flips: Flips,
    differences: &Differences,
) -> (Result<f64, Undefined>, Result<usize, Undefined>) {
    if differences.n() == 0 {
        return (Err(Undefined::NoCases), Err(Undefined::NoCases));
    }
    if method == Method::Tango {
        let observed = flips.changed() as f64 / flips.n() as f64;
        let share = if observed < TARGET { DEFAULT_FLIPS } else { observed };
        return (detectable(Reading::Mid, flips.n(), share), cases_needed(Reading::Mid, share, TARGET));
    }
    // As cautious as the interval: few cases that hardly vary would else promise that fewer still are enough.
    match Means::of(&differences.guarded()) {
        Ok(means) => {
            let within = |least: f64| if least <= 1.0 { Ok(least) } else { Err(Undefined::OutOfReach) };
            (means.detectable(differences.n()).and_then(within), means.cases_needed(TARGET))
        }
        Err(why) => (Err(why), Err(why)),
    }
}
