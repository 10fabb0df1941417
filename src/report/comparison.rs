//! Comparisons for people and programs: sentences that need no statistics to be understood, JSON,
//! Markdown, a page.
//!
//! Promises that "not significant" is never said as "the same", that each figure stands beside its range, and that
//! nothing undefined is shown as a number.

mod html;
mod json;
mod markdown;
mod sentence;

use crate::compare::{Compared, Comparison, Verdict};
use crate::id::CaseId;
use crate::outcome::Subject;
use crate::report::lang::Lang;
use crate::report::names::{full, short};

pub use html::write_html;
pub(crate) use json::cases;
pub use json::write_json;
pub use markdown::{MOST_BYTES, write_markdown};
pub(crate) use markdown::{adjustment, measure, row};
pub(crate) use sentence::{Sentences, sentences};

/// Columns of [`row`] that are treated by themselves.
pub(crate) const VERDICT: usize = 4;
pub(crate) const FIXED: usize = 5;
pub(crate) const BROKEN: usize = 6;
pub(crate) const FLAKY: usize = 8;
pub(crate) const P: usize = 9;

/// The columns that say something in any of these rows: counts of changed cases may be empty throughout, and p is not
/// adjusted for variants that stand one by one.
pub(crate) fn columns(rows: &[[String; 11]], are: Rows) -> Vec<usize> {
    let end = if are == Rows::Variants { P } else { 11 };
    let is_count = |n: &usize| (FIXED..=FLAKY).contains(n);
    (0..end).filter(|n| !is_count(n) || rows.iter().any(|row| !row[*n].is_empty())).collect()
}

/// What the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Whole trials, then properties.
    Subjects,
    /// Variants, one by one.
    Variants,
}

/// A comparison with the names of its sides.
#[derive(Debug, Clone)]
pub struct Titled<'a> {
    /// The base, as `RUN::PROMPT@MODEL` or shorter.
    pub base: String,
    /// The candidate.
    pub candidate: String,
    /// What was found.
    pub comparison: &'a Comparison,
    /// Of several variants taken together, each by itself.
    pub parts: Vec<Titled<'a>>,
}

/// The subjects worth a sentence of their own: the one that was declared to decide, and those that moved.
pub(crate) fn telling(comparison: &Comparison) -> impl Iterator<Item = &Compared> {
    let primary = comparison.options.primary;
    comparison.subjects.iter().filter(move |compared| compared.subject == primary || moved(compared))
}

/// Whether the interval alone speaks for a change.
pub(crate) fn moved(compared: &Compared) -> bool {
    matches!(compared.verdict, Some(Verdict::Better | Verdict::Worse | Verdict::WorseByMore))
}

/// Cases that broke under a heading, each with the properties that did.
pub(crate) struct Broken<'a> {
    /// How they broke.
    pub(crate) heading: &'static str,
    cases: Vec<(&'a CaseId, Vec<Subject>)>,
}

/// The cases that broke: as a whole, in some property alone, and with one variant where another fixed them; no empty list.
pub(crate) fn broken<'a>(comparison: &'a Comparison, words: &Sentences) -> Vec<Broken<'a>> {
    let is_whole = |case: &CaseId| comparison.subject(Subject::All).is_some_and(|all| all.broken.contains(case));
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    for compared in &comparison.subjects {
        let broken = compared.broken.iter().map(|case| (usize::from(!is_whole(case)), case));
        let mixed = compared.mixed.iter().filter(|case| !is_whole(case)).map(|case| (2, case));
        for (list, case) in broken.chain(mixed) {
            let list: &mut Vec<(&CaseId, Vec<Subject>)> = &mut lists[list];
            let known = list.iter().position(|(known, _)| *known == case);
            let place = known.unwrap_or_else(|| {
                list.push((case, Vec::new()));
                list.len() - 1
            });
            if compared.subject != Subject::All {
                list[place].1.push(compared.subject);
            }
        }
    }
    let headings = [words.columns[BROKEN], words.broken_in_part, words.broken_with_some];
    let lists = headings.into_iter().zip(lists).map(|(heading, cases)| Broken { heading, cases });
    lists.filter(|broken| !broken.cases.is_empty()).collect()
}

impl Broken<'_> {
    /// The cases as `shown`, at most so many, and how many more there are.
    pub(crate) fn named(&self, most: usize, words: &Sentences, shown: impl Fn(&str) -> String) -> String {
        let list = words.lang.words().list;
        let property = |property: &Subject| match words.lang {
            Lang::En => shown(property.name()),
            Lang::Ja => short(*property, words.lang).to_owned(),
        };
        let one = |(case, properties): &(&CaseId, Vec<Subject>)| {
            let properties: Vec<String> = properties.iter().map(property).collect();
            let properties = match words.lang {
                _ if properties.is_empty() => String::new(),
                Lang::En => format!(" ({})", properties.join(list)),
                Lang::Ja => format!("({})", properties.join(list)),
            };
            format!("{}{properties}", shown(case.as_str()))
        };
        let mut named: Vec<String> = self.cases.iter().take(most).map(one).collect();
        let more = self.cases.len() - named.len();
        named.extend((more > 0).then(|| (words.more)(more)));
        named.join(list)
    }
}

impl Titled<'_> {
    /// The variant as `shown`, or both where they are not called the same.
    fn named(&self, shown: impl Fn(&str) -> String) -> String {
        let [base, candidate] = [&self.base, &self.candidate].map(|name| shown(name));
        if base == candidate { base } else { format!("{base} → {candidate}") }
    }
}

/// Of several variants taken together, those that are worse by themselves, each in a sentence with the rates that say so:
/// all together may hide them.
pub(crate) fn worse(titled: &Titled<'_>, words: &Sentences) -> Vec<String> {
    let rates = |compared: &Compared| {
        let [base, candidate] = compared.rates?.map(words.percent);
        let is_worse = matches!(compared.verdict, Some(Verdict::Worse | Verdict::WorseByMore));
        is_worse.then(|| format!("{} {base} → {candidate}", short(compared.subject, words.lang)))
    };
    let sentence = |part: &Titled<'_>| {
        let rates: Vec<String> = part.comparison.subjects.iter().filter_map(rates).collect();
        (!rates.is_empty()).then(|| (words.worse)(&part.named(str::to_owned), &rates.join(words.lang.words().list)))
    };
    titled.parts.iter().filter_map(sentence).collect()
}

/// What was found of each of several variants in what was declared to decide, and its heading; nothing of a single one.
pub(crate) fn apart<'t>(
    titled: &'t Titled<'_>,
    words: &Sentences,
) -> Option<(String, Vec<(&'t Titled<'t>, &'t Compared)>)> {
    let primary = titled.comparison.options.primary;
    let of = |part: &'t Titled<'_>| Some((part, part.comparison.subject(primary)?));
    let parts: Vec<_> = titled.parts.iter().filter_map(of).collect();
    (!parts.is_empty()).then(|| ((words.apart)(&full(primary, words.lang)), parts))
}

/// The properties that moved, and of how many.
pub(crate) fn movement(comparison: &Comparison) -> (usize, usize) {
    let properties =
        || comparison.subjects.iter().filter(|compared| compared.subject != Subject::All && compared.n > 0);
    (properties().filter(|compared| moved(compared)).count(), properties().count())
}

/// Points with a sign: `+9`, `−0.4`, `0`.
pub(crate) fn signed(share: f64) -> String {
    let sign = if share > 0.0 {
        "+"
    } else if share < 0.0 {
        "−"
    } else {
        ""
    };
    let points = points(share);
    if points == "0" { points } else { format!("{sign}{points}") }
}

/// Points without a sign, with a decimal where they are few.
pub(crate) fn points(share: f64) -> String {
    let points = share.abs() * 100.0;
    if (0.05..1.0).contains(&points) { format!("{points:.1}") } else { format!("{points:.0}") }
}

/// A p as it is read: three decimals, or below .001.
pub(crate) fn p_in_words(p: f64) -> String {
    if p < 0.001 { "<.001".to_owned() } else { format!("{p:.3}").trim_start_matches('0').to_owned() }
}
