//! `register`: one style of sentence ends throughout, です・ます or である・だ. Value: the share of the main style;
//! evidence: the sentences in the other one.
//!
//! Headings, list items, quotations and sentences that end in a noun have no style.

use std::ops::Range;

use super::{Score, Subject};
use crate::property::{Property, Style};
use crate::text::Passage;
use crate::text::block::BlockKind;
use crate::text::tag::{Form, Inflection, Pos};

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let styled: Vec<(Range<usize>, Style)> = styled_sentences(&subject.passage);
    let polite = styled.iter().filter(|(_, style)| *style == Style::Polite).count();
    let plain = styled.len() - polite;
    let main = match subject.require.style.unwrap_or_default() {
        Style::Any if polite >= plain => Style::Polite,
        Style::Any => Style::Plain,
        wanted => wanted,
    };
    let others: Vec<(Range<usize>, &str)> = styled
        .iter()
        .filter(|(_, style)| *style != main)
        .map(|(range, style)| (range.clone(), if *style == Style::Polite { "polite" } else { "plain" }))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a text has few sentences")]
    let value = if styled.is_empty() { 1.0 } else { 1.0 - others.len() as f64 / styled.len() as f64 };
    Score { value: Some(value), ..subject.violations(Property::Register, others) }
}

/// The sentences of running text that end in a predicate, with their style.
fn styled_sentences(passage: &Passage<'_>) -> Vec<(Range<usize>, Style)> {
    let in_running_text =
        passage.sentences.iter().filter(|sentence| passage.blocks[sentence.block].kind == BlockKind::Paragraph);
    in_running_text.filter_map(|sentence| Some((sentence.range.clone(), style(passage, &sentence.range)?))).collect()
}

/// The style of a sentence's end; `None` if it has none.
fn style(passage: &Passage<'_>, sentence: &Range<usize>) -> Option<Style> {
    let text = passage.text[sentence.clone()].trim_end_matches(['*', '♪', '☆', ' ']);
    // A sentence without a full stop is a heading or broken off; one that ends in a quotation is its speaker's.
    if !text.ends_with(['。', '!', '?', ')', '…', '―'])
        || text.trim_end_matches(['。', '!', '?', ')']).ends_with(['」', '』'])
    {
        return None;
    }
    // Questions and exclamations in plain form are thrown into polite text on purpose.
    let is_thrown_in = text.ends_with(['?', '!']);
    let words = passage.morphemes_in(sentence);
    let last =
        words.iter().rposition(|word| !matches!(word.pos(), Pos::Symbol | Pos::FinalParticle | Pos::Interjection))?;
    let (word, surface) = (words[last], words[last].surface(&passage.text));
    let tag = word.tag;
    let is_polite = matches!(tag.inflection, Inflection::Desu | Inflection::Masu)
        || words[..last]
            .iter()
            .rev()
            .take(2)
            .any(|word| matches!(word.tag.inflection, Inflection::Desu | Inflection::Masu))
        || matches!(surface, "ください" | "下さい" | "なさい" | "ませ" | "ございます");
    if is_polite {
        return Some(Style::Polite);
    }
    let is_plain = match word.pos() {
        Pos::Auxiliary => true,
        Pos::Verb | Pos::DependentVerb => matches!(tag.form, Form::Basic),
        Pos::Adjective => matches!(tag.form, Form::Basic),
        _ => false,
    };
    (is_plain && !is_thrown_in).then_some(Style::Plain)
}
