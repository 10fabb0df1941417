//! What supports an amount: the same value in the source however it is written, a rounding marked as such; and what
//! turns a right figure round.

use std::ops::Range;

use super::source::{Allowed, Finding, Known};
use super::{arithmetic, equivalent};
use crate::score::Basis;
use crate::text::Passage;
use crate::text::quantity::{Exactness, Quantity, Unit};
use crate::text::tag::Pos;

/// What the case says of an amount that stands in `sentence` of the answer; `earlier` are amounts found supported before.
pub(super) fn find(
    allowed: &Allowed<'_>,
    passage: &Passage<'_>,
    quantity: &Quantity,
    sentence: &Range<usize>,
    earlier: &[Quantity],
) -> Finding {
    let written = &passage.text[quantity.core.clone()];
    for known in allowed.in_order() {
        if let Some(own) =
            known.quantities.iter().find(|own| same(quantity, own) || same_a_week(passage, quantity, known, own))
        {
            if let Some(finding) = turned_round(passage, quantity, known, own) {
                return finding;
            }
            let basis = if *written == known.passage.text[own.core.clone()] { Basis::Exact } else { Basis::Normalised };
            return Finding::Supported { basis: known.basis(basis), why: known.shown(&own.range) };
        }
    }
    if let Some(group) = allowed.aliases.iter().find(|group| group.iter().any(|name| name == written)) {
        return Finding::Supported { basis: Basis::Alias, why: format!("a listed alias of 「{}」", group[0]) };
    }
    // It may stand in the source as a date (2日) or within a name (第4回).
    if let Some(known) = allowed.in_order().find(|known| contains_token(&known.passage.text, written)) {
        return Finding::Supported {
            basis: known.basis(Basis::Exact),
            why: format!("「{written}」 in the {}", known.what),
        };
    }
    if let Some((basis, why)) = equivalent::find(allowed, passage, quantity)
        .or_else(|| arithmetic::derive(allowed, passage, quantity, sentence, earlier))
    {
        return Finding::Supported { basis, why };
    }
    match rival(allowed, passage, quantity, sentence) {
        Some(why) => Finding::contradicted(why),
        None => Finding::unsupported(format!("no 「{written}」 nor an equal amount in the source or background")),
    }
}

/// Whether two numbers are the same but for the last bits of their arithmetic.
pub(super) fn equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9)
}

/// Whether `quantity` says what `own` of the source says: the same amount, or a rounding that is marked as such.
fn same(quantity: &Quantity, own: &Quantity) -> bool {
    let Some(scale) = common_scale(quantity, own) else { return false };
    let (value, upper) = (quantity.value * scale, quantity.upper * scale);
    let exact = equal(value, own.value) && equal(upper, own.upper);
    // One end of a range that the source has.
    let is_end = equal(value, upper) && (equal(value, own.upper) || equal(value, own.value));
    let is_rounded = quantity.exactness != Exactness::Exact && rounds_to(own.value / scale, quantity);
    exact || is_end || is_rounded
}

/// 週3回 for 週3日.
fn same_a_week(passage: &Passage<'_>, quantity: &Quantity, known: &Known<'_>, own: &Quantity) -> bool {
    let is_weekly =
        |text: &str, at: usize| ["週", "週に", "しゅうに", "毎週"].iter().any(|word| text[..at].ends_with(word));
    let count = |quantity: &Quantity| match quantity.unit {
        Unit::Measure("second") => Some(quantity.value / 86400.0),
        Unit::Counter("回" | "便") => Some(quantity.value),
        _ => None,
    };
    is_weekly(&passage.text, quantity.core.start)
        && is_weekly(&known.passage.text, own.core.start)
        && count(quantity).zip(count(own)).is_some_and(|(a, b)| equal(a, b))
}

/// The factor by which the units compare, if they do.
fn common_scale(a: &Quantity, b: &Quantity) -> Option<f64> {
    let is_telling = a.value >= 10.0;
    match (&a.unit, &b.unit) {
        // キロ is short for both kilometre and kilogram.
        (Unit::Measure("kilo"), Unit::Measure("gram" | "metre")) => Some(1000.0),
        (Unit::Measure("gram" | "metre"), Unit::Measure("kilo")) => Some(0.001),
        // 毎秒13回 is 13Hz.
        (Unit::Measure("hertz"), Unit::Counter("回")) | (Unit::Counter("回"), Unit::Measure("hertz")) => Some(1.0),
        (Unit::Noun(_), Unit::Noun(_)) => Some(1.0),
        // A capacity of so many is so many seats; 6往復 is 12便.
        (Unit::Counter("席"), Unit::Counter("人")) | (Unit::Counter("人"), Unit::Counter("席")) => {
            is_telling.then_some(1.0)
        }
        (Unit::Counter("便" | "本"), Unit::Counter("往復")) => Some(0.5),
        (Unit::Counter("人前"), Unit::Counter("人")) | (Unit::Counter("人"), Unit::Counter("人前")) => Some(1.0),
        // 3勝2敗 in a match is 3対2.
        (Unit::Counter("勝敗"), Unit::Counter("対")) | (Unit::Counter("対"), Unit::Counter("勝敗")) => Some(1.0),
        // Different words for what is counted say the same only of a telling number.
        (Unit::Noun(_), Unit::Counter(_)) | (Unit::Counter(_), Unit::Noun(_)) => is_telling.then_some(1.0),
        (Unit::Counter("個" | "点" | "件"), Unit::Counter(_))
        | (Unit::Counter(_), Unit::Counter("個" | "点" | "件")) => Some(1.0),
        (Unit::None, Unit::Counter("歳")) | (Unit::Counter("歳"), Unit::None) => Some(1.0),
        (Unit::None, Unit::Counter(_) | Unit::Noun(_) | Unit::Percent)
        | (Unit::Counter(_) | Unit::Noun(_) | Unit::Percent, Unit::None) => is_telling.then_some(1.0),
        (own, other) => (own == other).then_some(1.0),
    }
}

/// Whether `value` rounds to the quantity at the precision it is written in, in the direction it claims.
pub(super) fn rounds_to(value: f64, quantity: &Quantity) -> bool {
    if value <= 0.0 || quantity.value <= 0.0 {
        return false;
    }
    let ratio = value / quantity.value;
    match quantity.exactness {
        Exactness::AtLeast => (0.999_999..1.12).contains(&ratio),
        Exactness::AtMost => (0.85..=1.000_001).contains(&ratio),
        Exactness::About | Exactness::Exact => {
            let exponent = quantity.value.log10().floor();
            let digits = f64::from(quantity.precision.min(6));
            let step = 10_f64.powf(exponent - digits + 1.0);
            (value - quantity.value).abs() <= step / 2.0 * 1.000_001
        }
    }
}

/// Words for «more» and «less» that stand right before or behind a figure.
const DIRECTIONS: [(&str, bool); 40] = [
    ("増", true),
    ("減", false),
    ("上昇", true),
    ("下落", false),
    ("低下", false),
    ("値上げ", true),
    ("値下げ", false),
    ("引き上げ", true),
    ("引き下げ", false),
    ("引上げ", true),
    ("引下げ", false),
    ("上げ", true),
    ("下げ", false),
    ("プラス", true),
    ("マイナス", false),
    ("アップ", true),
    ("ダウン", false),
    ("伸び", true),
    ("縮小", false),
    ("拡大", true),
    ("延長", true),
    ("短縮", false),
    ("上が", true),
    ("下が", false),
    ("高く", true),
    ("低く", false),
    ("速く", true),
    ("遅く", false),
    ("長く", true),
    ("短く", false),
    ("多く", true),
    ("少なく", false),
    ("黒字", true),
    ("赤字", false),
    ("若返", false),
    ("落ち込", false),
    ("改善", true),
    ("悪化", false),
    ("上回", true),
    ("下回", false),
];

/// The direction that words around a figure give it: the nearest behind it, else the nearest before it.
fn direction(text: &str, core: &Range<usize>) -> Option<(bool, Range<usize>)> {
    let is_wall = |c: char| c.is_ascii_digit() || matches!(c, '。' | '、' | '\n');
    let behind: usize = text[core.end..].chars().take(14).take_while(|c| !is_wall(*c)).map(char::len_utf8).sum();
    let after = &text[core.end..core.end + behind];
    let first = DIRECTIONS
        .iter()
        .filter_map(|(word, up)| after.find(word).map(|at| (at, std::cmp::Reverse(word.len()), word, *up)))
        .min();
    if let Some((at, _, word, up)) = first {
        return Some((up, core.start..core.end + at + word.len()));
    }
    let ahead: usize = text[..core.start].chars().rev().take(8).take_while(|c| !is_wall(*c)).map(char::len_utf8).sum();
    let before = &text[core.start - ahead..core.start];
    let last = DIRECTIONS.iter().filter_map(|(word, up)| before.rfind(word).map(|at| (at, word.len(), *up))).max()?;
    Some((last.2, core.start - ahead + last.0..core.end))
}

/// A figure of the source with its meaning turned round: 値下げ for 値上げ.
fn turned_round(passage: &Passage<'_>, quantity: &Quantity, known: &Known<'_>, own: &Quantity) -> Option<Finding> {
    let (ours, range) = direction(&passage.text, &quantity.core)?;
    let (theirs, _) = direction(&known.passage.text, &own.core)?;
    (ours != theirs).then(|| Finding::Unsupported {
        basis: Basis::Contradicted,
        why: format!("the {} says the opposite of it: 「{}」", known.what, window(&known.passage.text, &own.range, 12)),
        extended_to: Some(range),
    })
}

/// What stands around `range`, up to `chars` characters on each side.
pub(super) fn window<'t>(text: &'t str, range: &Range<usize>, chars: usize) -> &'t str {
    let start = text[..range.start].char_indices().rev().nth(chars - 1).map_or(0, |(at, _)| at);
    let end = text[range.end..].char_indices().nth(chars).map_or(text.len(), |(at, _)| range.end + at);
    &text[start..end]
}

/// An amount of the source that stands with the same words as this one and says otherwise.
fn rival(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity, sentence: &Range<usize>) -> Option<String> {
    let context = context_words(passage, sentence, &quantity.range);
    let mut best: Option<(usize, String)> = None;
    for known in allowed.of_source() {
        for own in known.quantities.iter().filter(|own| own.unit == quantity.unit && !equal(own.value, quantity.value))
        {
            let around = window(&known.passage.text, &own.range, 24);
            let shared = context.iter().filter(|word| around.contains(word.as_str())).count();
            if shared > best.as_ref().map_or(0, |(most, _)| *most) {
                best = Some((shared, format!("the source has {}", known.shown(&own.range))));
            }
        }
    }
    best.map(|(_, why)| why)
}

/// The nouns right before and after a quantity: what it is a quantity of.
fn context_words(passage: &Passage<'_>, sentence: &Range<usize>, range: &Range<usize>) -> Vec<String> {
    let start = range.start.max(sentence.start)
        - window_len(&passage.text[sentence.start..range.start.max(sentence.start)], true);
    let end = range.end.min(sentence.end.max(range.end));
    let end = end + window_len(&passage.text[end..sentence.end.max(end)], false);
    let words = passage.morphemes_in(&(start..end)).iter();
    words
        .filter(|word| word.end <= range.start || word.start >= range.end)
        .filter(|word| word.pos().is_nominal() && !matches!(word.pos(), Pos::Numeral | Pos::Counter))
        .map(|word| word.surface(&passage.text).to_owned())
        .filter(|word| word.chars().count() >= 2)
        .collect()
}

/// The bytes of up to fourteen characters at the end or the beginning of a text.
fn window_len(text: &str, at_end: bool) -> usize {
    if at_end {
        text.chars().rev().take(14).map(char::len_utf8).sum()
    } else {
        text.chars().take(14).map(char::len_utf8).sum()
    }
}

/// Whether `text` holds `token` with no digit before or after it.
pub(super) fn contains_token(text: &str, token: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.');
    text.match_indices(token).any(|(at, found)| {
        let cuts_before = found.starts_with(|c: char| c.is_ascii_digit()) && text[..at].ends_with(is_digit);
        let cuts_after =
            found.ends_with(|c: char| c.is_ascii_digit()) && text[at + found.len()..].starts_with(is_digit);
        !cuts_before && !cuts_after
    })
}
