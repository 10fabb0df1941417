//! `japanese_only`: the text a reader sees is Japanese. Value 1 or 0; evidence: every foreign run with its kind.

use super::{Score, Subject};
use crate::property::Property;
use crate::text::foreign::foreign_runs;

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let runs = foreign_runs(&subject.passage, &known_text(subject));
    subject.violations(Property::JapaneseOnly, runs.into_iter().map(|run| (run.range, run.kind.name())).collect())
}

/// Words of the source are names here, however they are spelt.
fn known_text(subject: &Subject<'_>) -> String {
    let Some(source) = subject.source else { return String::new() };
    let texts = [&source.publisher, &source.title]
        .into_iter()
        .chain(&source.body)
        .chain(&source.facts)
        .chain(&source.background);
    texts.chain(source.aliases.iter().flatten()).map(String::as_str).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
