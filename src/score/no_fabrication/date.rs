//! What supports a date: the time of publication, a date of the source or background, the calendar.

use std::sync::LazyLock;

use jiff::civil;
use regex::Regex;

use super::source::{Allowed, Finding};
use crate::score::Basis;
use crate::text::Passage;
use crate::text::date::{DateMention, Part, YearSpan};

/// What the case says of a date in the answer.
pub(super) fn find(allowed: &Allowed<'_>, passage: &Passage<'_>, mention: &DateMention) -> Finding {
    let written = &passage.text[mention.range.clone()];
    let base = allowed.base();
    if let Some(published) = allowed.published
        && matches(mention, &published_mention(published), Some(published.date()))
    {
        let why = format!("the time of publication, {}", published.strftime("%Y-%m-%d %H:%M"));
        return Finding::Supported { basis: Basis::Normalised, why };
    }
    for known in allowed.in_order() {
        if let Some(own) = known.dates.iter().find(|own| matches(mention, own, base)) {
            let same = known.passage.text[own.range.clone()].contains(written);
            let basis = known.basis(if same { Basis::Exact } else { Basis::Normalised });
            return Finding::Supported { basis, why: known.shown(&own.range) };
        }
    }
    if let Some(finding) = in_parts(allowed, mention) {
        return finding;
    }
    if let Some((_, why)) = allowed.derived_dates.iter().find(|(own, _)| matches(mention, own, base)) {
        return Finding::Supported { basis: Basis::Computed, why: why.clone() };
    }
    if let Some(finding) = by_rule(allowed, mention) {
        return finding;
    }
    rival(allowed, mention).map_or_else(
        || Finding::unsupported("no such date in the source or background"),
        |why| Finding::contradicted(format!("the source has {why}")),
    )
}

/// A weekday and a time that one text has apart: 土曜の19時 for 金曜と土曜の午後7時から.
fn in_parts(allowed: &Allowed<'_>, mention: &DateMention) -> Option<Finding> {
    let (weekday, time) = (mention.weekday?, mention.time?);
    if mention.day.is_some() || mention.month.is_some() || mention.year.is_some() {
        return None;
    }
    allowed.of_source().find_map(|known| {
        known.dates.iter().find(|own| own.weekday == Some(weekday) && own.day.is_none())?;
        let own = known.dates.iter().find(|own| time_matches(mention, time, own) && own.weekday.is_none())?;
        Some(Finding::Supported { basis: known.basis(Basis::Normalised), why: known.shown(&own.range) })
    })
}

/// A day that a rule of the source names: 12月24日 for 毎月第4水曜.
fn by_rule(allowed: &Allowed<'_>, mention: &DateMention) -> Option<Finding> {
    static RULES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("第(?:[1-5一二三四五][・、,と]?第?)+[月火水木金土日]曜").expect("a valid pattern"));
    let base = allowed.base()?;
    let month = mention.month?;
    // Without a year the next such day from the day of publication on.
    let years = mention.year.map_or_else(|| vec![base.year(), base.year() + 1], |year| vec![year]);
    let mut dates = years.into_iter().filter_map(|year| civil::Date::new(year, month, mention.day?).ok());
    let date = dates.find(|date| mention.year.is_some() || *date >= base)?;
    let weekday = "月火水木金土日".chars().nth(date.weekday().to_monday_zero_offset() as usize)?;
    let week = usize::try_from((date.day() - 1) / 7).ok()?;
    let week = ["1一", "2二", "3三", "4四", "5五"].get(week)?;
    allowed.of_source().find_map(|known| {
        let names_it = |rule: &regex::Match<'_>| {
            rule.as_str().contains(|c| week.contains(c)) && rule.as_str().trim_end_matches('曜').ends_with(weekday)
        };
        let rule = RULES.find_iter(&known.passage.text).find(names_it)?;
        Some(Finding::Supported { basis: Basis::Computed, why: known.shown(&rule.range()) })
    })
}

/// A date of the source that agrees with this one but in one part.
fn rival(allowed: &Allowed<'_>, mention: &DateMention) -> Option<String> {
    let differs_in_one = |own: &DateMention| {
        let day = own.day.is_some() && mention.day.is_some() && own.day != mention.day;
        let month = own.month.is_some() && mention.month.is_some() && own.month != mention.month;
        let year = own.year.is_some() && mention.year.is_some() && own.year != mention.year;
        let shared = (own.day.is_some() && own.day == mention.day)
            || (own.month.is_some() && own.month == mention.month)
            || (own.year.is_some() && own.year == mention.year && mention.month.is_some() == own.month.is_some());
        shared && u8::from(day) + u8::from(month) + u8::from(year) == 1
    };
    allowed.of_source().find_map(|known| Some(known.shown(&known.dates.iter().find(|own| differs_in_one(own))?.range)))
}

fn published_mention(published: civil::DateTime) -> DateMention {
    DateMention {
        year: Some(published.year()),
        month: Some(published.month()),
        day: Some(published.day()),
        time: Some((published.hour(), published.minute())),
        time_is_certain: true,
        ..DateMention::default()
    }
}

/// The mention's full date; what it leaves out is taken from the day of publication.
pub(super) fn complete(mention: &DateMention, base: civil::Date) -> Option<civil::Date> {
    civil::Date::new(mention.year.unwrap_or(base.year()), mention.month.unwrap_or(base.month()), mention.day?).ok()
}

/// Whether each part that `mention` has is that of `own`.
fn matches(mention: &DateMention, own: &DateMention, base: Option<civil::Date>) -> bool {
    year_matches(mention, own, base)
        && month_matches(mention, own, base)
        && (mention.day.is_none() || mention.day == own.day)
        && mention.weekday.is_none_or(|weekday| weekday_of(own, base) == Some(weekday))
        && mention.time.is_none_or(|time| time_matches(mention, time, own))
        && mention.part.is_none_or(|part| part_matches(part, mention, own))
}

fn year_matches(mention: &DateMention, own: &DateMention, base: Option<civil::Date>) -> bool {
    let Some(year) = mention.year else { return true };
    match (mention.span_of_years, own.span_of_years) {
        (YearSpan::Fiscal, YearSpan::Fiscal) => own.year == Some(year),
        // A fiscal year begins in April: a date of January to March belongs to that of the year before.
        (YearSpan::Fiscal, _) => {
            let own_year = own.year.or(base.map(civil::Date::year));
            own_year.is_some_and(|own_year| own_year - i16::from(own.month.is_some_and(|month| month < 4)) == year)
                && (own.year.is_some() || own.month.is_some())
        }
        (YearSpan::Decade, YearSpan::Calendar) => own.year.is_some_and(|own| own / 10 == year / 10),
        (span, own_span) if span != own_span => false,
        _ => match own.year {
            Some(own_year) => own_year == year,
            None => base.is_some_and(|base| inferred_years(own, base).contains(&Some(year))),
        },
    }
}

fn month_matches(mention: &DateMention, own: &DateMention, base: Option<civil::Date>) -> bool {
    let Some(month) = mention.month else { return true };
    // A bare day of the source is in the month of publication.
    let own_month = own.month.or(base.filter(|_| own.day.is_some()).map(civil::Date::month));
    own_month == Some(month)
}

fn weekday_of(own: &DateMention, base: Option<civil::Date>) -> Option<i8> {
    own.weekday.or_else(|| complete(own, base?).map(|date| date.weekday().to_monday_one_offset()))
}

fn time_matches(mention: &DateMention, time: (i8, i8), own: &DateMention) -> bool {
    let Some(own_time) = own.time else { return false };
    // 9時 without 午前 or 午後 may be either.
    let is_open = !mention.time_is_certain || !own.time_is_certain;
    own_time == time || (is_open && own_time.1 == time.1 && (own_time.0 - time.0).abs() == 12)
}

fn part_matches(part: Part, mention: &DateMention, own: &DateMention) -> bool {
    if own.part.is_some() {
        return own.part == Some(part);
    }
    let in_days = |days: std::ops::RangeInclusive<i8>| own.day.is_some_and(|day| days.contains(&day));
    let in_months = |months: &[i8]| own.month.is_some_and(|month| months.contains(&month));
    match part {
        Part::Early => in_days(1..=10) || (mention.month.is_none() && in_months(&[1, 2, 3, 4, 5, 6])),
        Part::Middle => in_days(11..=20),
        Part::Late => in_days(21..=31) || (mention.month.is_none() && in_months(&[7, 8, 9, 10, 11, 12])),
        Part::Spring => in_months(&[3, 4, 5]),
        Part::Summer => in_months(&[6, 7, 8]),
        Part::Autumn => in_months(&[9, 10, 11]),
        Part::Winter => in_months(&[12, 1, 2]),
    }
}

/// The years that a date without one can be in: that of publication, and across the turn of the year its neighbour.
fn inferred_years(own: &DateMention, base: civil::Date) -> [Option<i16>; 2] {
    let year = Some(base.year());
    match own.month {
        Some(month) if base.month() - month >= 6 => [year, Some(base.year() + 1)],
        Some(month) if month - base.month() > 6 => [year, Some(base.year() - 1)],
        Some(_) => [year, None],
        None => [year.filter(|_| own.day.is_some()), None],
    }
}
