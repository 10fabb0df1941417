//! Amounts that follow from the source by arithmetic or the calendar.
//!
//! One step each, between amounts whose units make sense of it; where chance could give the same number, only if the
//! sentence speaks of such a step. Amounts derived before serve for the next step.

use std::cell::LazyCell;
use std::ops::Range;

use jiff::civil;

use super::amount::{equal, rounds_to, window};
use super::date::complete;
use super::source::{Allowed, Known};
use crate::score::Basis;
use crate::text::Passage;
use crate::text::number::numeral;
use crate::text::quantity::{Exactness, Quantity, Unit};

/// An amount to calculate with, and how it is shown.
struct Operand {
    value: f64,
    unit: Unit,
    shown: String,
}

/// How `quantity` follows from the source, if it does.
pub(super) fn derive(
    allowed: &Allowed<'_>,
    passage: &Passage<'_>,
    quantity: &Quantity,
    sentence: &Range<usize>,
    earlier: &[Quantity],
) -> Option<(Basis, String)> {
    let text = &passage.text[sentence.clone()];
    let why = between_dates(allowed, quantity)
        .or_else(|| between_times(allowed, quantity))
        .or_else(|| out_of_so_many(allowed, passage, quantity))
        .or_else(|| lead_in_a_match(allowed, passage, quantity))
        .or_else(|| by_operation(&operands(allowed, passage, earlier), quantity, text));
    why.map(|why| (Basis::Computed, why))
}

/// So many amounts of a source are tried with each other, and so many of those derived before. More are lists, in which
/// something fits by chance.
const MOST_OPERANDS: [usize; 2] = [48, 16];

fn operands(allowed: &Allowed<'_>, passage: &Passage<'_>, earlier: &[Quantity]) -> Vec<Operand> {
    let of_source = allowed.of_source().flat_map(|known| known.quantities.iter().map(move |own| (known, own)));
    let mut operands: Vec<Operand> = of_source
        .filter(|(_, own)| !own.is_ordinal && own.value > 0.0)
        .take(MOST_OPERANDS[0])
        .map(|(known, own)| Operand { value: own.value, unit: own.unit.clone(), shown: known.shown(&own.core) })
        .collect();
    operands.extend(earlier.iter().rev().take(MOST_OPERANDS[1]).rev().map(|own| Operand {
        value: own.value,
        unit: own.unit.clone(),
        shown: format!("「{}」 before it", &passage.text[own.core.clone()]),
    }));
    operands
}

/// A number of days, months or years between two dates of the source, both counted or one.
fn between_dates(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<String> {
    let base = allowed.base()?;
    let is_wanted = |value: f64| {
        value > 0.0
            && (equal(value, quantity.value) || (quantity.exactness != Exactness::Exact && rounds_to(value, quantity)))
    };
    let test = |from: civil::Date, to: civil::Date, has_days: bool| match quantity.unit {
        Unit::Measure("second") if has_days && quantity.value >= 86400.0 => {
            let days = f64::from((to - from).get_days());
            is_wanted(days * 86400.0) || is_wanted((days + 1.0) * 86400.0)
        }
        Unit::Measure("month") => {
            let months = f64::from(
                i32::from(to.year()) * 12 + i32::from(to.month())
                    - i32::from(from.year()) * 12
                    - i32::from(from.month()),
            );
            is_wanted(months) || is_wanted(months + 1.0) || is_wanted(f64::from(to.year() - from.year()) * 12.0)
        }
        Unit::Counter("泊") => has_days && is_wanted(f64::from((to - from).get_days())),
        Unit::Counter("歳" | "周年") => {
            let years = f64::from(to.year() - from.year());
            is_wanted(years) || is_wanted(years - 1.0)
        }
        _ => false,
    };
    let dated = dated(allowed, base);
    for (n, from) in dated.iter().enumerate() {
        for to in &dated[n + 1..] {
            let ordered = if from.date <= to.date { (from.date, to.date) } else { (to.date, from.date) };
            if test(ordered.0, ordered.1, from.has_day && to.has_day) {
                return Some(format!("from {} to {}", from.shown, to.shown));
            }
        }
    }
    None
}

/// A date to calculate with, and how it is shown.
struct Dated {
    date: civil::Date,
    has_day: bool,
    shown: String,
}

/// The dates of the source, those that follow from it, and that of publication.
fn dated(allowed: &Allowed<'_>, base: civil::Date) -> Vec<Dated> {
    let written = allowed.of_source().flat_map(|known| known.dates.iter().map(move |mention| (known, mention)));
    let written = written.filter_map(|(known, mention)| {
        let year = mention.year.or(mention.month.or(mention.day).map(|_| base.year()))?;
        // A bare day is in the month of publication.
        let month = mention.month.or(mention.day.map(|_| base.month())).unwrap_or(1);
        let date = civil::Date::new(year, month, mention.day.unwrap_or(1)).ok();
        let date = date.or_else(|| complete(mention, base))?;
        Some(Dated { date, has_day: mention.day.is_some(), shown: known.shown(&mention.range) })
    });
    let derived = allowed.derived_dates.iter().filter_map(|(mention, why)| {
        Some(Dated { date: complete(mention, base)?, has_day: false, shown: why.clone() })
    });
    let published = Dated { date: base, has_day: true, shown: "the day of publication".to_owned() };
    written.chain(derived).take(MOST_DATES).chain([published]).collect()
}

/// More dates are a calendar, in which every distance is found.
const MOST_DATES: usize = 12;

/// A duration between two times of one text.
fn between_times(allowed: &Allowed<'_>, quantity: &Quantity) -> Option<String> {
    if quantity.unit != Unit::Measure("second") || quantity.value >= 86400.0 {
        return None;
    }
    let minutes = |time: (i8, i8)| f64::from(time.0) * 60.0 + f64::from(time.1);
    for known in allowed.of_source() {
        let timed: Vec<_> = known.dates.iter().filter_map(|mention| Some((mention.time?, &mention.range))).collect();
        for pair in timed.windows(2) {
            if equal((minutes(pair[1].0) - minutes(pair[0].0)) * 60.0, quantity.value) {
                return Some(format!("from {} to {}", known.shown(pair[0].1), known.shown(pair[1].1)));
            }
        }
    }
    None
}

/// 3点差 for 5対2.
fn lead_in_a_match(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity) -> Option<String> {
    let is_lead = quantity.unit == Unit::Counter("点") && passage.text[quantity.core.end..].starts_with('差');
    let lead = |own: &Quantity| ((own.value / 1000.0).floor() - own.value % 1000.0).abs();
    allowed.of_source().filter(|_| is_lead).find_map(|known| {
        let is_it = |own: &&Quantity| own.unit == Unit::Counter("対") && equal(lead(own), quantity.value);
        Some(known.shown(&known.quantities.iter().find(is_it)?.range))
    })
}

/// 10人に3人 for 30%, 4人に1人 for 24.6%: a share in so many of so many.
fn out_of_so_many(allowed: &Allowed<'_>, passage: &Passage<'_>, quantity: &Quantity) -> Option<String> {
    let around = window(&passage.text, &quantity.range, 24);
    let offset = around.as_ptr() as usize - passage.text.as_ptr() as usize;
    let mut numbers: Vec<(Range<usize>, f64)> = Vec::new();
    let mut at = 0;
    while at < around.len() {
        let rest = &around[at..];
        let step = rest.chars().next().map_or(1, char::len_utf8);
        match numeral(rest).filter(|found| found.value > 0.0) {
            Some(found) => {
                numbers.push((at..at + found.len, found.value));
                at += found.len;
            }
            None => at += step,
        }
    }
    for (n, (whole_range, whole)) in numbers.iter().enumerate() {
        for (part_range, part) in numbers.iter().skip(n + 1).filter(|(_, part)| part < whole) {
            let between = &around[whole_range.end..part_range.start];
            let is_share =
                ["に", "のうち", "中"].iter().any(|word| between.contains(word)) && between.chars().count() <= 14;
            let mine = [whole_range, part_range].iter().any(|range| offset + range.start == quantity.core.start);
            if !is_share && *whole != 100.0 || !mine {
                continue;
            }
            let percent = part / whole * 100.0;
            // A share in so few is a rounding; 5人に2人余り is between two of them.
            let after = &around[part_range.end..];
            let marks =
                |words: &[&str]| words.iter().any(|word| after.chars().take(8).collect::<String>().contains(word));
            let step = 100.0 / whole;
            let is_share_of = |value: f64| {
                let over = value - percent;
                let slack = if *whole <= 10.0 { 2.0 } else { 0.5 };
                over.abs() < slack
                    || marks(&["余り", "あまり", "以上", "超", "強"]) && (0.0..step).contains(&over)
                    || marks(&["近く", "弱", "足らず"]) && (-step..0.0).contains(&over)
                    || marks(&["ほど", "程度", "くらい"]) && over.abs() < step / 2.0
            };
            let known = allowed.in_order().find_map(|known: &Known<'_>| {
                let own = known.quantities.iter().find(|own| own.unit == Unit::Percent && is_share_of(own.value))?;
                Some(known.shown(&own.core))
            });
            if known.is_some() {
                return known;
            }
        }
    }
    None
}

/// Words by which a sentence adds.
const SUM: &str = "合計 合わせ あわせ 計 全部 総 トータル 両方";
/// Words by which a sentence takes away or compares.
const DIFFERENCE: &str =
    "差 増 減 残 のこ 引い 引く 上が 下が 安 高 短 長 から より 早 延び 値上げ 値下げ ほか 他の 分だけ 割引";
/// Words by which a sentence multiplies.
const PRODUCT: &str = "合計 合わせ あわせ 計 全部 総 ずつ 換算 単純 年に 年間 掛け かけ 最大 すると 直すと 直せば 計算 台では 人では 人で 枚では 本では 個では 校では";
/// Words by which a sentence divides.
const QUOTIENT: &str = "あたり 当たり 平均 ずつ 割る 割れば 割ると 計算 ならす ならせば 均す 単純 換算 直すと 1台 1人 一人 1件 近く 年に つまり 分けて ごと";
/// Words by which a sentence speaks of shares.
const SHARE: &str = "割引 引き 逆算 うち 相当 あたる 当たる あたり 計算 換算 掛け合わせ 前の年 前年 10年前 増え 減 伸び かつて だった 半 ほど 約 およそ";

/// Words by which a sentence speaks of a part of the whole.
const PART: &str = "割合 占め 比率 得票率 全体 うち";

/// One operation on two amounts.
fn by_operation(operands: &[Operand], quantity: &Quantity, sentence: &str) -> Option<String> {
    let says = |cues: &str| cues.split(' ').any(|cue| sentence.contains(cue));
    // Looked for where the numbers fit, which few do.
    let sum = LazyCell::new(|| says(SUM));
    let difference = LazyCell::new(|| says(DIFFERENCE));
    let product = LazyCell::new(|| says(PRODUCT));
    let quotient = LazyCell::new(|| says(QUOTIENT));
    let part = LazyCell::new(|| says(PART));
    let share = LazyCell::new(|| !matches!(quantity.unit, Unit::Measure("month" | "second")) && says(SHARE));
    let about = quantity.exactness != Exactness::Exact;
    let near = |value: f64| equal(value, quantity.value) || (about && rounds_to(value, quantity));
    let near_in_digits = |value: f64| near(value) || (quantity.precision >= 2 && rounds_to(value, quantity));
    for (n, first) in operands.iter().enumerate() {
        for second in operands.iter().skip(n + 1) {
            let (a, b) = (first.value, second.value);
            let show = |sign: &str| Some(format!("{} {sign} {}", first.shown, second.shown));
            let alike = first.unit == second.unit;
            let is_difference_of_shares =
                alike && first.unit == Unit::Percent && quantity.unit == Unit::Measure("point");
            if is_difference_of_shares && near((a - b).abs()) {
                return show("−");
            }
            // 31編成 and 26停留場 are 57か所 together.
            let are_counts = [&first.unit, &second.unit, &quantity.unit]
                .iter()
                .all(|unit| matches!(unit, Unit::Counter(_) | Unit::Noun(_)));
            if are_counts && quantity.value >= 20.0 && near(a + b) && *sum {
                return show("+");
            }
            if alike && first.unit == quantity.unit {
                if near(a + b) && *sum {
                    return show("+");
                }
                if near((a - b).abs()) && *difference {
                    return show("−");
                }
            }
            if alike {
                let (large, small) = (a.max(b), a.min(b));
                let is_times =
                    quantity.unit == Unit::Measure("times") && small < large && near_in_digits(large / small);
                let shares = [small / large, 1.0 - small / large, large / small - 1.0];
                // Of two parts each is a share of both together.
                let of_both = [small / (small + large), large / (small + large)];
                let is_share_of_both = quantity.unit == Unit::Percent
                    && of_both.iter().any(|share| near_in_digits(share * 100.0))
                    && *part;
                // An amount is all of itself: that says nothing.
                let is_share = quantity.unit == Unit::Percent
                    && small < large
                    && shares.iter().any(|share| near_in_digits(share * 100.0));
                let is_count =
                    matches!(quantity.unit, Unit::Counter(_) | Unit::Noun(_) | Unit::Measure("month" | "second"))
                        && near(large / small)
                        && large > small
                        && *quotient
                        && *sum;
                if is_times || is_share || is_share_of_both || is_count {
                    return show("÷");
                }
            }
            if let Some(why) = shares_and_multiples([first, second], quantity, &near, about)
                .filter(|_| quantity.unit == Unit::Measure("times") || *share)
            {
                return Some(why);
            }
            if !alike {
                for (whole, parts) in [(first, second), (second, first)] {
                    let per = whole.value / parts.value;
                    // Of months also the years, of a time also the days and hours.
                    let others: &[f64] = match parts.unit {
                        Unit::Measure("month") => &[12.0],
                        Unit::Measure("second") => &[86400.0, 3600.0],
                        _ => &[],
                    };
                    let is_part = || near_in_digits(per) || others.iter().any(|other| near_in_digits(per * other));
                    if counts_alike(&whole.unit, &quantity.unit) && parts.value > 1.0 && is_part() && *quotient {
                        return Some(format!("{} ÷ {}", whole.shown, parts.shown));
                    }
                    if whole.unit == quantity.unit && near(whole.value * parts.value) && *product {
                        return Some(format!("{} × {}", whole.shown, parts.shown));
                    }
                    // キロ and トン: an amount for each thousandth.
                    if whole.unit == quantity.unit && near_in_digits(per * 1e3) && *quotient {
                        return Some(format!("{} ÷ {}", whole.shown, parts.shown));
                    }
                }
            }
        }
    }
    in_a_year(operands, quantity, sentence)
        .or_else(|| in_an_hour(operands, quantity, sentence))
        .or_else(|| multiple_in_percent(operands, quantity))
        .or_else(|| complement(operands, quantity, sentence))
}

/// Whether an amount of the one may be told as one of the other: so many downloads are so many times.
fn counts_alike(whole: &Unit, quantity: &Unit) -> bool {
    whole == quantity || (*quantity == Unit::Counter("回") && matches!(whole, Unit::Counter(_) | Unit::Noun(_)))
}

/// A share of an amount, an amount before it grew by a share, an amount so many times another.
fn shares_and_multiples(
    pair: [&Operand; 2],
    quantity: &Quantity,
    near: &dyn Fn(f64) -> bool,
    about: bool,
) -> Option<String> {
    for (factor, whole) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        if whole.unit != quantity.unit {
            continue;
        }
        let share = factor.value / 100.0;
        let candidates: Vec<(f64, &str)> = match factor.unit {
            Unit::Percent if whole.unit != Unit::Percent => vec![
                (whole.value * share, "×"),
                (whole.value * (1.0 - share), "less"),
                (whole.value * (1.0 + share), "plus"),
                (whole.value / (1.0 + share), "before it grew by"),
                (if share < 1.0 { whole.value / (1.0 - share) } else { 0.0 }, "before it shrank by"),
            ],
            Unit::Measure("times") => vec![(whole.value * factor.value, "×"), (whole.value / factor.value, "÷")],
            _ => continue,
        };
        let fits = |value: f64| near(value) || (about || quantity.precision >= 2) && rounds_to(value, quantity);
        if let Some((_, sign)) = candidates.into_iter().find(|(value, _)| fits(*value)) {
            return Some(format!("{} {sign} {}", whole.shown, factor.shown));
        }
    }
    // 38%増 is 1.4倍.
    let growth =
        pair.iter().find(|operand| operand.unit == Unit::Percent && quantity.unit == Unit::Measure("times"))?;
    let times = [1.0 + growth.value / 100.0, growth.value / 100.0];
    times.into_iter().any(|value| near(value) || rounds_to(value, quantity)).then(|| growth.shown.clone())
}

/// 月8回 is 96 in a year.
fn in_a_year(operands: &[Operand], quantity: &Quantity, sentence: &str) -> Option<String> {
    let by_month = sentence.contains("年に") || sentence.contains("年間") || sentence.contains("1年");
    let fits =
        |operand: &&Operand| by_month && operand.unit == quantity.unit && equal(operand.value * 12.0, quantity.value);
    let found = operands.iter().find(fits)?;
    Some(format!("{} × 12 months", found.shown))
}

/// Every 15 minutes is 4 in an hour.
fn in_an_hour(operands: &[Operand], quantity: &Quantity, sentence: &str) -> Option<String> {
    let by_hour = ["1時間に", "一時間に", "1時間あたり", "毎時"].iter().any(|cue| sentence.contains(cue));
    let is_count = matches!(quantity.unit, Unit::Counter(_) | Unit::Noun(_));
    let fits =
        |operand: &&Operand| operand.unit == Unit::Measure("second") && equal(operand.value * quantity.value, 3600.0);
    let found = operands.iter().find(fits).filter(|_| by_hour && is_count)?;
    Some(format!("an hour ÷ {}", found.shown))
}

/// 200%, or 100% more, for 2倍.
fn multiple_in_percent(operands: &[Operand], quantity: &Quantity) -> Option<String> {
    let percents = |times: f64| [times * 100.0, (times - 1.0) * 100.0];
    let fits = |operand: &&Operand| {
        operand.unit == Unit::Measure("times")
            && quantity.unit == Unit::Percent
            && percents(operand.value).iter().any(|percent| equal(*percent, quantity.value))
    };
    operands.iter().find(fits).map(|operand| operand.shown.clone())
}

/// What is left of 100%.
fn complement(operands: &[Operand], quantity: &Quantity, sentence: &str) -> Option<String> {
    const CUES: [&str; 8] = ["残", "のこ", "ほか", "他", "一方", "ない", "いない", "せず"];
    let fits = |operand: &&Operand| {
        operand.unit == Unit::Percent && quantity.unit == Unit::Percent && equal(100.0 - operand.value, quantity.value)
    };
    let found = operands.iter().find(fits).filter(|_| CUES.iter().any(|cue| sentence.contains(cue)))?;
    Some(format!("100% − {}", found.shown))
}
