//! Two variants on the same cases: is the candidate better, on which cases, how sure, and what could mislead?
//!
//! Promises that cases are joined by what was sent, that the case (or the source that cases share) is the unit, that a
//! verdict rests on an interval and holds whatever the missing trials would have said, and that swapping the arms mirrors
//! it. Leaves words to `report`.

mod cases;
mod measure;
mod method;
mod subject;
mod warning;

use foldhash::HashSet;

use crate::case::Source;
use crate::id::{CaseId, ModelId, PromptId};
use crate::outcome::{Run, Subject};
use crate::stats::{CochranQ, LEVEL, Undefined, benjamini_hochberg, cochran_q, holm};

pub use cases::{Cases, SourceKey, source_key};
pub use measure::{Measure, Measured};
pub use method::{Adjustment, Method, PMethod, TooFew};
pub use subject::{Compared, Repeats, Verdict};
pub use warning::{Side, Warning};

/// How much worse is still no worse, unless the user says otherwise: 5 points.
pub const MARGIN: f64 = 0.05;

/// One variant of a run.
#[derive(Debug, Clone, Copy)]
pub struct Arm<'a> {
    /// The run.
    pub run: &'a Run,
    /// The prompt.
    pub prompt: &'a PromptId,
    /// The model.
    pub model: &'a ModelId,
}

impl Arm<'_> {
    /// `prompt@model`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.prompt, self.model)
    }
}

/// A variant with the one that it is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// What the candidate is compared with.
    pub base: Arm<'a>,
    /// What is compared.
    pub candidate: Arm<'a>,
}

/// How comparisons are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How much worse is still no worse, as a share.
    pub margin: f64,
    /// The two-sided level of intervals.
    pub level: f64,
    /// The subject that was declared to decide; the others are exploration.
    pub primary: Subject,
    /// How many candidates are compared with the base: the primary subject's intervals are widened to hold together.
    pub candidates: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { margin: MARGIN, level: LEVEL, primary: Subject::All, candidates: 1 }
    }
}

impl Options {
    fn level_of(&self, subject: Subject) -> f64 {
        if subject == self.primary { 1.0 - (1.0 - self.level) / self.candidates.max(1) as f64 } else { self.level }
    }
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// How the cases of both sides correspond.
    pub cases: Cases,
    /// Whole trials first, then each property that both sides require.
    pub subjects: Vec<Compared>,
    /// Cost, latency, length.
    pub measures: Vec<Measured>,
    /// What could mislead.
    pub warnings: Vec<Warning>,
    /// The repeats of the base and of the candidate.
    pub repeats: [u32; 2],
    /// The variants that were taken together.
    pub variants: usize,
    /// How it was made.
    pub options: Options,
}

impl Comparison {
    /// What was found of a subject; `None` if it is not required.
    pub fn subject(&self, subject: Subject) -> Option<&Compared> {
        self.subjects.iter().find(|compared| compared.subject == subject)
    }
}

/// Compares variants, all pairs together: a case's difference is its mean over them. All bases are of one run, and so are
/// all candidates. `None` without pairs.
pub fn compare(pairs: &[Pair<'_>], options: Options) -> Option<Comparison> {
    let first = pairs.first()?;
    let (base, candidate) = (first.base.run, first.candidate.run);
    let joined = cases::join(base, candidate);
    let trials = subject::Trials::of(pairs, &joined);
    let properties = base.properties().filter(|property| candidate.properties().any(|other| other == *property));
    let subjects = std::iter::once(Subject::All).chain(properties.map(Subject::Property));
    let subjects: Vec<Compared> = subjects.map(|subject| trials.compared(subject, &options)).collect();
    let mut comparison = Comparison {
        measures: measure::measures(pairs, &joined),
        warnings: warning::warnings(pairs, &joined, &subjects),
        cases: joined.cases,
        subjects,
        repeats: [base.header.repeats, candidate.header.repeats],
        variants: pairs.len(),
        options,
    };
    adjust(std::slice::from_mut(&mut comparison));
    Some(comparison)
}

/// The variant of a base to compare a candidate with, of those `among` which it may be: the same one; the same model's prompt
/// of the same text, where a prompt was renamed; the same model's first prompt; or the only one there is.
pub fn counterpart<'b>(
    base: &'b Run,
    among: &[(&'b PromptId, &'b ModelId)],
    candidate: Arm<'_>,
) -> Option<(&'b PromptId, &'b ModelId)> {
    let digest = |run: &Run, id: &PromptId| {
        run.header.prompts.iter().find(|prompt| prompt.id == *id).map(|prompt| prompt.digest.clone())
    };
    let of_model = || among.iter().filter(|(_, model)| *model == candidate.model);
    let same = of_model().find(|(prompt, _)| *prompt == candidate.prompt);
    let text = digest(candidate.run, candidate.prompt);
    let renamed = || of_model().find(|(prompt, _)| digest(base, prompt) == text);
    let only = || among.first().filter(|_| among.len() == 1);
    same.or_else(renamed).or_else(|| of_model().next()).or_else(only).copied()
}

/// The cases that say the same under another id: as the base and as the candidate call them.
pub fn renamed(base: &Run, candidate: &Run) -> Vec<(CaseId, CaseId)> {
    cases::join(base, candidate).cases.renamed
}

/// The repeats of each case that both variants of a pair were asked, of base and candidate; by the candidate's id.
pub fn repeats(pair: Pair<'_>, subject: Subject) -> Vec<(CaseId, [Repeats; 2])> {
    subject::repeats(pair, subject)
}

/// The number of different ones of the sources that cases come from: cases that share one say less than as many of
/// different ones.
pub fn sources<'a>(sources: impl IntoIterator<Item = &'a Source>) -> usize {
    sources.into_iter().map(source_key).collect::<HashSet<_>>().len()
}

/// Adjusts the p values of comparisons that were made together: by Holm for the primary subject, by Benjamini and
/// Hochberg for all others.
pub fn adjust(comparisons: &mut [Comparison]) {
    for (is_primary, adjustment) in [(true, Adjustment::Holm), (false, Adjustment::BenjaminiHochberg)] {
        let mut family: Vec<&mut Compared> = Vec::new();
        for comparison in comparisons.iter_mut() {
            let primary = comparison.options.primary;
            family.extend(comparison.subjects.iter_mut().filter(|of| (of.subject == primary) == is_primary));
        }
        let p: Vec<Option<f64>> = family.iter().map(|compared| compared.p.ok()).collect();
        let adjusted = if is_primary { holm(&p) } else { benjamini_hochberg(&p) };
        for (compared, p) in family.into_iter().zip(adjusted.p) {
            (compared.p_adjusted, compared.adjustment, compared.family) = (p, adjustment, adjusted.family);
        }
    }
}

/// Whether any of several variants differs from the others in a subject (Cochran's Q), over the cases that all decided.
/// With repeats, a case passes if all its repeats do.
///
/// # Errors
/// There are fewer than two variants, no such cases, or none that tells the variants apart.
pub fn any_differs(arms: &[Arm<'_>], subject: Subject) -> Result<CochranQ, Undefined> {
    let Some(first) = arms.first() else { return Err(Undefined::OneVariant) };
    let columns: Vec<_> = arms.iter().map(|arm| subject::decided(first.run, arm, subject)).collect();
    let cases: Vec<&CaseId> = first.run.header.cases.iter().map(|case| &case.id).collect();
    let row = |case: &&CaseId| columns.iter().map(|column| column.get(*case).copied()).collect::<Option<Vec<bool>>>();
    cochran_q(&cases.iter().filter_map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
