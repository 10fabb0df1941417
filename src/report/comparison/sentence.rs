//! What a comparison says, in sentences for somebody who has never heard of a p: English and Japanese.

mod english;
mod japanese;

use english::ENGLISH;
use japanese::JAPANESE;

use crate::compare::{Compared, Measure, Verdict, Warning};
use crate::id::CaseId;
use crate::report::lang::Lang;
use crate::stats::Undefined;

/// With fewer cases a test can tell hardly anything.
const TOO_FEW: usize = 6;

/// The sentences of one language.
#[derive(Debug)]
pub(crate) struct Sentences {
    /// What was found of a subject, with the margin.
    pub(crate) finding: fn(&Compared, f64) -> String,
    /// A verdict in one or two words.
    pub(crate) verdict: fn(Option<Verdict>) -> &'static str,
    /// Why a figure is missing.
    pub(crate) undefined: fn(Undefined) -> &'static str,
    /// What could mislead.
    pub(crate) warning: fn(&Warning) -> String,
    /// How many properties moved, of how many, where chance alone moves some.
    pub(crate) movement: fn(usize, usize) -> String,
    /// How often the same variant disagrees with itself.
    pub(crate) noise: fn(Option<f64>, Option<f64>) -> Option<String>,
    /// How the figures came about: level and margin, method, family of tests.
    pub(crate) method: fn(&Compared, f64) -> String,
    /// Cochran's test over several variants.
    pub(crate) several: fn(usize, Result<f64, Undefined>) -> String,
    /// The heading of several variants taken together.
    pub(crate) together: fn(usize) -> String,
    /// A share in percent.
    pub(crate) percent: fn(f64) -> String,
    /// What is measured beside the verdicts.
    pub(crate) measure: fn(Measure) -> &'static str,
    /// The cases compared.
    pub(crate) cases: fn(usize) -> String,
    /// Column headings: base, candidate, difference, its range, verdict, fixed, broken, mixed, flaky, p, p adjusted.
    pub(crate) columns: [&'static str; 11],
    /// How p was adjusted: for the subject that was declared to decide, and for the sizes of both families.
    pub(crate) adjusted: fn(&str, usize, usize) -> String,
    /// Headings: prompts, answers, other measures, warnings, cases that were renamed.
    pub(crate) prompts: &'static str,
    pub(crate) measures: &'static str,
    pub(crate) warnings: &'static str,
    pub(crate) renamed: &'static str,
    pub(crate) title: &'static str,
    /// The heading of cases that broke in some property and not as a whole.
    pub(crate) broken_in_part: &'static str,
    /// The heading of cases that one variant broke and another fixed.
    pub(crate) broken_with_some: &'static str,
    /// That more stood under a heading.
    pub(crate) clipped: &'static str,
    /// What was cut off.
    pub(crate) cut: &'static str,
    /// How many more there are than are shown.
    pub(crate) more: fn(usize) -> String,
}

/// The sentences of a language.
pub(crate) const fn sentences(lang: Lang) -> &'static Sentences {
    match lang {
        Lang::En => &ENGLISH,
        Lang::Ja => &JAPANESE,
    }
}

/// The most cases that a warning names.
const MOST_NAMES: usize = 5;

/// The names of cases, and how many more there are.
fn listed(cases: &[CaseId], lang: Lang) -> String {
    let words = lang.words();
    let mut names: Vec<String> = cases.iter().take(MOST_NAMES).map(ToString::to_string).collect();
    let more = cases.len() - names.len();
    names.extend((more > 0).then(|| (words.more)(more)));
    names.join(words.list)
}

/// Whether every case gave the same verdicts on both sides.
fn is_unchanged(compared: &Compared) -> bool {
    compared.fixed.is_empty() && compared.broken.is_empty() && compared.mixed.is_empty() && compared.flaky.is_empty()
}

/// The smallest p of a sign-flip test over so many sources.
fn least_p(sources: usize) -> f64 {
    2.0_f64.powi(1 - i32::try_from(sources).unwrap_or(i32::MAX))
}
