//! Dates that follow from what a source says without a date: the day that あす is, the year of 3年後 or of somebody's
//! birth, the months of a business term.

use std::sync::LazyLock;

use jiff::{Span, civil};
use regex::Regex;

use super::source::Known;
use crate::text::date::{DateMention, Part, YearSpan};
use crate::text::quantity::Unit;

/// The dates that follow from a text published on `base`, each with the words that it follows from.
pub(super) fn derived(known: &Known<'_>, base: Option<civil::Date>) -> Vec<(DateMention, String)> {
    let mut found = fiscal_years(known);
    found.extend(terms(known));
    if let Some(base) = base {
        found.extend(years(known, base));
        found.extend(days(known, base));
    }
    found
}

fn year(year: i16) -> DateMention {
    DateMention { year: Some(year), ..DateMention::default() }
}

fn month(year: Option<i16>, month: i8) -> DateMention {
    DateMention { year, month: Some(month), ..DateMention::default() }
}

fn day(date: civil::Date) -> DateMention {
    DateMention { year: Some(date.year()), month: Some(date.month()), day: Some(date.day()), ..DateMention::default() }
}

/// Where a fiscal year begins and ends.
fn fiscal_years(known: &Known<'_>) -> Vec<(DateMention, String)> {
    let mut found = Vec::new();
    for own in known.dates.iter().filter(|own| own.span_of_years == YearSpan::Fiscal) {
        let Some(year) = own.year else { continue };
        let end = DateMention { day: Some(31), part: Some(Part::Late), ..month(Some(year + 1), 3) };
        let begin = DateMention { day: Some(1), part: Some(Part::Early), ..month(Some(year), 4) };
        found.push((end, known.shown(&own.range)));
        found.push((begin, known.shown(&own.range)));
    }
    found
}

/// The months of a term of business: 4月 and 9月 of 9月中間決算, 10月 and 12月 of 第3四半期.
fn terms(known: &Known<'_>) -> Vec<(DateMention, String)> {
    static TERMS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(?:[〜-]|から)?([0-9]{1,2})月(?:中間|期)|第([1-4])四半期").expect("a valid pattern")
    });
    let months_of = |found: &regex::Captures<'_>| {
        let number = |n: usize| found.get(n).and_then(|number| number.as_str().parse::<i8>().ok());
        let (last, quarter) = (number(1), number(2));
        let whole = &found[0];
        match (last, quarter) {
            (Some(last), _) if (1..=12).contains(&last) && whole.ends_with("中間") => vec![(last + 6) % 12 + 1, last],
            // 3月期 is a year; in 4〜12月期 the months are written.
            (Some(last), _) if (1..=12).contains(&last) && whole.starts_with(|c: char| c.is_ascii_digit()) => {
                vec![last % 12 + 1, last]
            }
            (None, Some(quarter)) => vec![4, (3 * quarter) % 12 + 1, (3 * quarter + 2) % 12 + 1],
            _ => Vec::new(),
        }
    };
    let all = TERMS.captures_iter(&known.passage.text);
    all.flat_map(|found| {
        let range = found.get(0).map_or(0..0, |whole| whole.range());
        months_of(&found).into_iter().map(move |number| (month(None, number), known.shown(&range)))
    })
    .collect()
}

/// 3年後, 10年前 and 2年ぶり as years; 30周年 as that of the beginning, 91歳 as those of birth.
fn years(known: &Known<'_>, base: civil::Date) -> Vec<(DateMention, String)> {
    let text = &known.passage.text;
    let mut found = Vec::new();
    for own in known.quantities.iter().filter(|own| own.value < 12_000.0) {
        let (before, after) = (&text[..own.core.start], &text[own.core.end..]);
        let since = |years: f64| base.year() - years as i16;
        let is_age = own.unit == Unit::Counter("歳") && own.value < 130.0;
        let of_birth = [since(own.value), since(own.value) - 1];
        let in_years = own.unit == Unit::Measure("month") && own.value % 12.0 == 0.0;
        let founded =
            ["創業", "創立", "設立", "開業", "開館", "開園", "結成"].iter().any(|word| before.ends_with(word));
        match own.unit {
            _ if is_age => found.extend(of_birth.map(|of| (year(of), known.shown(&own.range)))),
            Unit::Counter("周年") if own.value < 2000.0 => {
                found.push((year(since(own.value)), known.shown(&own.range)));
            }
            _ if !in_years => {}
            _ if after.starts_with('後') || text[..own.core.end].ends_with("まで") => {
                found.push((year(since(-own.value / 12.0)), known.shown(&own.range)));
            }
            _ if after.starts_with('前') || after.starts_with("ぶり") || founded => {
                found.push((year(since(own.value / 12.0)), known.shown(&own.range)));
            }
            _ => {}
        }
    }
    found
}

/// Days named by their distance from the day of publication: あす, 来週月曜, 月末.
fn days(known: &Known<'_>, base: civil::Date) -> Vec<(DateMention, String)> {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(?P<day>きょう|今日|本日|あす|明日|あさって|明後日|きのう|昨日|おととい|一昨日)|(?P<week>今週|来週|先週)の?(?:(?P<weekday>[月火水木金土日])曜|末)|(?P<month>今月|来月|先月)(?P<end>末)?|月(?P<only>末)")
            .expect("a valid pattern")
    });
    let shifted = |days: i32| base.checked_add(Span::new().days(days)).ok();
    let mut found = Vec::new();
    for words in WORDS.captures_iter(&known.passage.text) {
        let named = |name: &str| words.name(name).map(|word| word.as_str());
        let range = words.get(0).map_or(0..0, |whole| whole.range());
        let mut push = |mention: DateMention| found.push((mention, known.shown(&range)));
        if let Some(word) = named("day") {
            let distance = match word {
                "あす" | "明日" => 1,
                "あさって" | "明後日" => 2,
                "きのう" | "昨日" => -1,
                "おととい" | "一昨日" => -2,
                _ => 0,
            };
            shifted(distance).map(day).into_iter().for_each(&mut push);
        } else if let Some(week) = named("week") {
            let monday = -i32::from(base.weekday().to_monday_zero_offset())
                + match week {
                    "来週" => 7,
                    "先週" => -7,
                    _ => 0,
                };
            let weekday = named("weekday")
                .and_then(|name| (0..).zip("月火水木金土日".chars()).find(|(_, day)| name.starts_with(*day)));
            // A week's end is its last two days.
            let offsets = weekday.map_or_else(|| vec![5, 6], |(offset, _)| vec![offset]);
            offsets.into_iter().filter_map(|offset| shifted(monday + offset)).map(day).for_each(&mut push);
        } else {
            let distance = match named("month") {
                Some("来月") => 1,
                Some("先月") => -1,
                _ => 0,
            };
            let Ok(of) = base.checked_add(Span::new().months(distance)) else { continue };
            if named("end").or(named("only")).is_some() {
                push(DateMention { part: Some(Part::Late), ..day(of.last_of_month()) });
            }
            if named("month").is_some() {
                push(month(Some(of.year()), of.month()));
            }
        }
    }
    found
}
