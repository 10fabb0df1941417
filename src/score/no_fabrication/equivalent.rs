//! Amounts that a source states in other words: 0円 for 無料, 第2四半期 for 4〜9月期, 3年連続 for 3連覇.

use std::sync::LazyLock;

use foldhash::HashSet;
use regex::Regex;

use super::amount::{contains_token, equal};
use super::source::{Allowed, Known, plain};
use crate::property::SpecificKind;
use crate::score::Basis;
use crate::text::Passage;
use crate::text::name::Name;
use crate::text::number::numeral;
use crate::text::quantity::{Exactness, Quantity, Unit};

/// How a source says an amount in other words, if it does.
pub(super) fn find(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    free_of_charge(allowed, quantity)
        .or_else(|| school_year(allowed, quantity))
        .or_else(|| whole_years(allowed, quantity))
        .or_else(|| anniversary(allowed, quantity))
        .or_else(|| days_a_week(allowed, passage, quantity))
        .or_else(|| quarter(allowed, quantity))
        .or_else(|| in_a_row(allowed, passage, quantity))
        .or_else(|| group_of_countries(allowed, quantity))
        .or_else(|| within_range(allowed, quantity))
        .or_else(|| people_named(allowed, passage, quantity))
        .or_else(|| counted_in_general(allowed, quantity))
}

/// 0円 for 無料.
fn free_of_charge(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let is_nothing = quantity.value == 0.0 && matches!(quantity.unit, Unit::Money(_));
    let known = allowed.in_order().find(|known| is_nothing && known.passage.text.contains("無料"))?;
    Some((known.basis(Basis::Normalised), format!("「無料」 in the {}", known.what)))
}

/// 高校2年生 for 高2, 3年生 for 3年の田中さん.
fn school_year(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let is_year = quantity.unit == Unit::Counter("年生");
    let spellings = ["高", "中", "小", "大学"].map(|school| format!("{school}{}", quantity.value));
    let stands = |text: &str| {
        spellings.iter().any(|spelling| contains_token(text, spelling))
            || [format!("({}年)", quantity.value), format!("の{}年、", quantity.value)]
                .iter()
                .any(|year| text.contains(year))
    };
    let of_person = |known: &Known<'_>| {
        let year = format!("{}年の", quantity.value);
        let mut ends = known.passage.text.match_indices(&year).map(|(at, year)| at + year.len());
        // The first characters of a rare family name may be taken for another word.
        let starts = |end: usize| end..=end + 2 * '宇'.len_utf8();
        let is_person = |name: &Name| name.kind == SpecificKind::Person;
        ends.any(|end| known.names().iter().any(|name| is_person(name) && starts(end).contains(&name.range.start)))
    };
    let is_stated = |known: &&Known<'_>| stands(&known.passage.text) || of_person(known);
    let known = allowed.in_order().filter(|_| is_year).find(is_stated)?;
    Some((known.basis(Basis::Normalised), format!("the school year in the {}", known.what)))
}

/// 12か月 for 1年: one of something is no amount of its own in the source.
fn whole_years(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let is_a_year = quantity.unit == Unit::Measure("month") && equal(quantity.value, 12.0);
    let known = allowed.in_order().find(|known| is_a_year && contains_token(&known.passage.text, "1年"))?;
    Some((known.basis(Basis::Normalised), format!("「1年」 in the {}", known.what)))
}

/// 30年 for 30周年, and the other way round.
fn anniversary(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let years = match quantity.unit {
        Unit::Counter("周年") => quantity.value,
        Unit::Measure("month") => quantity.value / 12.0,
        _ => return None,
    };
    allowed.in_order().find_map(|known| {
        let is_it = |own: &&Quantity| match own.unit {
            Unit::Counter("周年") => equal(own.value, years),
            Unit::Measure("month") => quantity.unit == Unit::Counter("周年") && equal(own.value, years * 12.0),
            _ => false,
        };
        Some((known.basis(Basis::Normalised), known.shown(&known.quantities.iter().find(is_it)?.range)))
    })
}

/// 週4日 for 月・水・金・日曜.
fn days_a_week(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    static LISTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(?:[月火水木金土日](?:曜日?)?[・、と,])+[月火水木金土日]曜").expect("a valid pattern")
    });
    let is_weekly = passage.text[..quantity.core.start].ends_with('週');
    let days = match quantity.unit {
        Unit::Measure("second") => quantity.value / 86400.0,
        Unit::Counter("回" | "便" | "往復") => quantity.value,
        _ => return None,
    };
    let count = |list: &str| list.split(['・', '、', 'と', ',']).count() as f64;
    let stands = |text: &str| LISTS.find_iter(text).any(|list| equal(count(list.as_str()), days));
    let known = allowed.in_order().find(|known| is_weekly && stands(&known.passage.text))?;
    Some((known.basis(Basis::Computed), format!("the days of the week in the {}", known.what)))
}

/// 第2四半期 for 4〜9月期, for a business year from April.
fn quarter(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    static TERMS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("(?:[〜-]|から)([0-9]{1,2})月|(上半期|中間)").expect("a valid pattern"));
    let is_quarter = matches!(&quantity.unit, Unit::Noun(noun) if noun.starts_with("四半期"));
    let is_last_month = |month: &str| {
        month.parse::<f64>().is_ok_and(|month| equal(((month + 8.0) % 12.0 / 3.0).floor() + 1.0, quantity.value))
    };
    let is_it = |term: &regex::Captures<'_>| match term.get(1) {
        Some(month) => is_last_month(month.as_str()),
        None => equal(quantity.value, 2.0),
    };
    let found = allowed.in_order().filter(|_| is_quarter).find_map(|known| {
        let term = TERMS.captures_iter(&known.passage.text).find(is_it)?;
        Some((known, term.get(0)?.range()))
    });
    found.map(|(known, range)| (known.basis(Basis::Normalised), known.shown(&range)))
}

/// 3年連続 and 3回続けて for 3連覇.
fn in_a_row(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    const ROWS: [&str; 6] = ["連覇", "連勝", "連敗", "連続", "続けて", "続き"];
    let count = |text: &str| numeral(text).map(|numeral| numeral.value);
    let is_row = |text: &str, quantity: &Quantity| {
        let after =
            text[quantity.core.start..].char_indices().nth(9).map_or(text.len(), |(at, _)| quantity.core.start + at);
        ROWS.iter().any(|word| text[quantity.core.start..after].contains(word))
    };
    let wanted = count(&passage.text[quantity.core.start..]).filter(|_| is_row(&passage.text, quantity))?;
    allowed.in_order().find_map(|known| {
        let text = &known.passage.text;
        let own =
            known.quantities.iter().find(|own| count(&text[own.core.start..]) == Some(wanted) && is_row(text, own))?;
        Some((known.basis(Basis::Normalised), known.shown(&own.range)))
    })
}

/// 7か国 for G7.
fn group_of_countries(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let group = format!("G{}", quantity.value);
    let is_group = quantity.unit == Unit::Counter("国");
    let known = allowed.in_order().filter(|_| is_group).find(|known| contains_token(&known.passage.text, &group))?;
    Some((known.basis(Basis::Normalised), format!("「{group}」 in the {}", known.what)))
}

/// 20〜30代 for 20代 and 30代; 5年生 for 4〜6年生.
fn within_range(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    allowed.in_order().find_map(|known| {
        let has = |value: f64| known.quantities.iter().find(|own| own.unit == quantity.unit && equal(own.value, value));
        let ends = (quantity.upper > quantity.value).then(|| has(quantity.value).zip(has(quantity.upper))).flatten();
        let is_grade = matches!(quantity.unit, Unit::Counter("年生") | Unit::None);
        let holds = |own: &&Quantity| {
            own.unit == Unit::Counter("年生")
                && own.upper > own.value
                && own.value <= quantity.value
                && quantity.upper <= own.upper
        };
        let own = ends.map(|(lower, _)| lower).or_else(|| known.quantities.iter().filter(|_| is_grade).find(holds))?;
        Some((known.basis(Basis::Normalised), known.shown(&own.range)))
    })
}

/// 二人 of two people that the source names.
fn people_named(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let is_pair =
        quantity.unit == Unit::Counter("人") && equal(quantity.value, 2.0) && quantity.exactness == Exactness::Exact;
    let points =
        ["の", "は", "が", "とも", "を", "に"].iter().any(|word| passage.text[quantity.range.end..].starts_with(word));
    if !is_pair || !points {
        return None;
    }
    let mut people: HashSet<String> = HashSet::default();
    for known in allowed.of_source() {
        let names = known.names().iter().filter(|name| name.kind == SpecificKind::Person);
        people.extend(names.map(|name| plain(&known.passage.text[name.core.clone()])));
    }
    let is_whole = |name: &&String| !people.iter().any(|other| other != *name && other.contains(name.as_str()));
    (people.iter().filter(is_whole).count() == 2).then(|| (Basis::Computed, "the two people of the source".to_owned()))
}

/// 3か所 for 3つの製パン所.
fn counted_in_general(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<(Basis, String)> {
    let is_count = matches!(quantity.unit, Unit::Counter(_) | Unit::Noun(_)) && !quantity.is_ordinal;
    let count = format!("{}つの", quantity.value);
    let known = allowed.in_order().filter(|_| is_count).find(|known| contains_token(&known.passage.text, &count))?;
    Some((known.basis(Basis::Normalised), format!("「{count}」 in the {}", known.what)))
}
