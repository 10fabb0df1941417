//! What supports a specific: the source, its aliases, its background, arithmetic and the calendar; and what speaks
//! against it.

use std::ops::Range;

use jiff::civil;

use super::contact::contacts;
use super::specific::Specific;
use crate::case::Source;
use crate::property::SpecificKind;
use crate::score::Basis;
use crate::text::Passage;
use crate::text::date::{DateMention, YearSpan, dates};
use crate::text::name::{Name, names};
use crate::text::quantity::{Exactness, Quantity, Unit, quantities};

/// What was found about a specific.
#[derive(Debug, Clone)]
pub(super) enum Finding {
    /// Something supports it.
    Supported {
        /// How.
        basis: Basis,
        /// By what.
        why: String,
    },
    /// Nothing does.
    Unsupported {
        /// Whether it is merely unsupported, contradicted or an altered quotation.
        basis: Basis,
        /// What was looked for, or what contradicts it.
        why: String,
    },
}

/// Everything a case's author allows, taken apart once.
pub(super) struct Support<'a> {
    texts: Vec<Known<'a>>,
    aliases: Vec<Vec<String>>,
    published: Option<civil::DateTime>,
}

/// One allowed text.
struct Known<'a> {
    passage: Passage<'a>,
    /// What the text is: `title`, `body`, `fact`, ….
    what: &'static str,
    is_background: bool,
    /// The text as names are compared: without spaces and brackets, in small letters.
    plain: String,
    dates: Vec<DateMention>,
    quantities: Vec<Quantity>,
}

impl<'a> Known<'a> {
    fn new(text: &'a str, what: &'static str, base: Option<civil::Date>) -> Self {
        let passage = Passage::new(text);
        let dates = dates(&passage.text, base);
        let skip: Vec<Range<usize>> = dates.iter().map(|mention| mention.range.clone()).chain(contacts(&passage.text)).collect();
        let quantities = quantities(&passage, &skip);
        let plain = plain(&passage.text);
        Self { passage, what, is_background: what == "background", plain, dates, quantities }
    }

    fn basis(&self, basis: Basis) -> Basis {
        if self.is_background { Basis::Background } else { basis }
    }

    fn shown(&self, range: &Range<usize>) -> String {
        format!("「{}」 in the {}", &self.passage.text[range.clone()], self.what)
    }
}

/// The form in which names are compared.
fn plain(text: &str) -> String {
    const DROPPED: [char; 22] =
        [' ', '\n', '「', '」', '『', '』', '(', ')', '"', '\'', '・', '=', '〈', '〉', '《', '》', '【', '】', '*', '-', '、', '。'];
    text.chars().filter(|c| !DROPPED.contains(c)).flat_map(char::to_lowercase).collect()
}

impl<'a> Support<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let published = source.published_at.map(crate::case::PublishedAt::in_japan);
        let base = published.map(civil::DateTime::date);
        let mut texts = vec![Known::new(&source.title, "title", base), Known::new(&source.publisher, "publisher", base)];
        texts.extend(source.body.iter().map(|body| Known::new(body, "body", base)));
        texts.extend(source.facts.iter().map(|fact| Known::new(fact, "facts", base)));
        texts.extend(source.background.iter().map(|text| Known::new(text, "background", base)));
        let aliases = source.aliases.iter().map(|group| group.iter().map(|name| plain(&Passage::new(name).text)).collect()).collect();
        Self { texts, aliases, published }
    }

    /// What supports `specific`, which stands in `sentence` of the answer.
    pub(super) fn find(&self, passage: &Passage<'_>, specific: &Specific, sentence: &Range<usize>) -> Finding {
        match specific {
            Specific::Date(mention) => self.find_date(passage, mention),
            Specific::Quantity(quantity) => self.find_quantity(passage, quantity, sentence),
            Specific::Name(name) => self.find_name(passage, name),
            Specific::Quote(range) => self.find_quote(passage, range),
            Specific::Contact(range) => self.find_contact(passage, range),
        }
    }

    /// The texts of the source before those of the background.
    fn in_order(&self) -> impl Iterator<Item = &Known<'a>> {
        self.texts.iter().filter(|known| !known.is_background).chain(self.texts.iter().filter(|known| known.is_background))
    }

    // ---- dates ----

    fn find_date(&self, passage: &Passage<'_>, mention: &DateMention) -> Finding {
        let written = &passage.text[mention.range.clone()];
        if let Some(published) = self.published
            && matches_date(mention, &published_mention(published), published.date())
        {
            let why = format!("the time of publication, {}", published.strftime("%Y-%m-%d %H:%M"));
            return Finding::Supported { basis: Basis::Normalised, why };
        }
        let base = self.published.map(civil::DateTime::date);
        for known in self.in_order() {
            for own in &known.dates {
                if matches_date(mention, own, base.unwrap_or(civil::date(2000, 1, 1))) {
                    let same = known.passage.text[own.range.clone()].contains(written);
                    let basis = known.basis(if same { Basis::Exact } else { Basis::Normalised });
                    return Finding::Supported { basis, why: known.shown(&own.range) };
                }
            }
        }
        // What the source writes as a duration or count of days may be what is meant.
        if let Some(known) = self.in_order().find(|known| contains_token(&known.passage.text, written)) {
            return Finding::Supported { basis: known.basis(Basis::Exact), why: format!("「{written}」 in the {}", known.what) };
        }
        let rival = self.in_order().filter(|known| !known.is_background).flat_map(|known| known.dates.iter().map(move |own| (known, own))).find(|(_, own)| {
            own.day.is_some() && mention.day.is_some() && (own.month == mention.month || mention.month.is_none()) && own.day != mention.day
                || own.year.is_some() && mention.year.is_some() && own.year != mention.year && own.month.is_some() && own.month == mention.month
        });
        match rival {
            Some((known, own)) => Finding::Unsupported { basis: Basis::Contradicted, why: format!("the source has {}", known.shown(&own.range)) },
            None => Finding::Unsupported { basis: Basis::Unsupported, why: "no such date in the source or background".to_owned() },
        }
    }

    // ---- quantities ----

    fn find_quantity(&self, passage: &Passage<'_>, quantity: &Quantity, sentence: &Range<usize>) -> Finding {
        for known in self.in_order() {
            for own in &known.quantities {
                if same_amount(quantity, own) {
                    if let Some(turned) = turned_round(passage, sentence, quantity, known, own) {
                        return Finding::Unsupported { basis: Basis::Contradicted, why: turned };
                    }
                    let same = passage.text[quantity.core.clone()] == known.passage.text[own.core.clone()];
                    let basis = known.basis(if same { Basis::Exact } else { Basis::Normalised });
                    return Finding::Supported { basis, why: known.shown(&own.range) };
                }
            }
        }
        // A number can stand in the source as a date (2日) or within a name (第4回).
        let written = &passage.text[quantity.core.clone()];
        if let Some(known) = self.in_order().find(|known| contains_token(&known.passage.text, written)) {
            return Finding::Supported { basis: known.basis(Basis::Exact), why: format!("「{written}」 in the {}", known.what) };
        }
        if let Some(why) = self.computed(passage, quantity, sentence) {
            return Finding::Supported { basis: Basis::Computed, why };
        }
        match self.rival(passage, quantity, sentence) {
            Some(why) => Finding::Unsupported { basis: Basis::Contradicted, why },
            None => {
                let why = format!("no 「{written}」 nor an equal amount in the source or background");
                Finding::Unsupported { basis: Basis::Unsupported, why }
            }
        }
    }

    /// An amount that follows from the source by arithmetic or the calendar.
    fn computed(&self, passage: &Passage<'_>, quantity: &Quantity, sentence: &Range<usize>) -> Option<String> {
        self.computed_days(quantity).or_else(|| self.computed_amount(passage, quantity, sentence))
    }

    /// A number of days between two dates of one text.
    fn computed_days(&self, quantity: &Quantity) -> Option<String> {
        if quantity.unit != Unit::Measure("second") || quantity.value < 86400.0 {
            return None;
        }
        let base = self.published?.date();
        for known in self.texts.iter().filter(|known| !known.is_background) {
            let full: Vec<(civil::Date, &DateMention)> =
                known.dates.iter().filter_map(|mention| Some((complete(mention, base)?, mention))).collect();
            for pair in full.windows(2) {
                let days = f64::from((pair[1].0 - pair[0].0).get_days());
                let is_equal = |days: f64| days > 0.0 && (days * 86400.0 - quantity.value).abs() < 1.0;
                if is_equal(days) || is_equal(days + 1.0) {
                    return Some(format!("from {} to {}", known.shown(&pair[0].1.range), known.shown(&pair[1].1.range)));
                }
            }
        }
        None
    }

    /// Sums, differences, shares and multiples of amounts of the source, where the sentence speaks of such.
    fn computed_amount(&self, passage: &Passage<'_>, quantity: &Quantity, sentence: &Range<usize>) -> Option<String> {
        let own: Vec<(&Known<'_>, &Quantity)> = self
            .texts
            .iter()
            .filter(|known| !known.is_background)
            .flat_map(|known| known.quantities.iter().map(move |own| (known, own)))
            .filter(|(_, own)| !own.is_ordinal)
            .collect();
        let text = &passage.text[sentence.clone()];
        let says = |cues: &[&str]| cues.iter().any(|cue| text.contains(cue));
        let shown = |pair: [&(&Known<'_>, &Quantity); 2], sign: &str| {
            format!("{} {sign} {}", pair[0].0.shown(&pair[0].1.core), pair[1].0.shown(&pair[1].1.core))
        };
        let about = quantity.exactness != Exactness::Exact;
        let near = |value: f64| equal(value, quantity.value) || (about && rounds_to(value, quantity));
        for (n, first) in own.iter().enumerate() {
            for second in own.iter().skip(n + 1) {
                let (a, b) = (first.1.value, second.1.value);
                if first.1.unit == second.1.unit && first.1.unit == quantity.unit {
                    if near(a + b) && says(&["合計", "合わせ", "あわせ", "計", "全部", "総", "トータル"]) {
                        return Some(shown([first, second], "+"));
                    }
                    if near((a - b).abs()) && says(&["差", "増", "減", "残", "引い", "上が", "下が", "安", "高", "短", "長", "から", "より", "早", "延び", "値上げ", "値下げ"]) {
                        return Some(shown([first, second], "−"));
                    }
                }
                if first.1.unit == second.1.unit && a > 0.0 && b > 0.0 {
                    let (large, small) = (a.max(b), a.min(b));
                    let is_times = quantity.unit == Unit::Measure("times") && (near(large / small) || rounds_to(large / small, quantity));
                    let is_share = quantity.unit == Unit::Percent
                        && [small / large, 1.0 - small / large, large / small - 1.0]
                            .iter()
                            .any(|share| near(share * 100.0) || rounds_to(share * 100.0, quantity));
                    if is_times || is_share {
                        return Some(shown([first, second], "÷"));
                    }
                }
                // 780万円 ÷ 612人: an amount for each.
                if quantity.unit == first.1.unit && first.1.unit != second.1.unit && b > 1.0 && (near(a / b) || rounds_to(a / b, quantity)) && says(&["あたり", "当たり", "平均", "1人", "一人", "ずつ", "割る", "計算", "近く", "1台", "1件"]) {
                    return Some(shown([first, second], "÷"));
                }
                if quantity.unit == first.1.unit && first.1.unit != second.1.unit && (near(a * b)) && quantity.precision >= 1 && says(&["合計", "合わせ", "計", "全部", "総", "計算", "ずつ", "年間", "1年", "トータル"]) {
                    return Some(shown([first, second], "×"));
                }
                // 40% of an amount.
                let percents = [(first, second), (second, first)];
                for (share, whole) in percents.into_iter().filter(|(share, whole)| share.1.unit == Unit::Percent && whole.1.unit == quantity.unit && whole.1.unit != Unit::Percent) {
                    let part = whole.1.value * share.1.value / 100.0;
                    if near(part) || near(whole.1.value - part) || near(whole.1.value + part) || rounds_to(part, quantity) && about {
                        return Some(shown([whole, share], "×"));
                    }
                }
            }
        }
        if quantity.unit == Unit::Percent {
            let complement = own.iter().find(|(_, own)| own.unit == Unit::Percent && near(100.0 - own.value));
            if let Some((known, own)) = complement.filter(|_| says(&["残", "ほか", "他", "一方", "ない", "いない"])) {
                return Some(format!("100% − {}", known.shown(&own.core)));
            }
        }
        None
    }

    /// An amount of the source that stands in the same place as this one and says otherwise.
    fn rival(&self, passage: &Passage<'_>, quantity: &Quantity, sentence: &Range<usize>) -> Option<String> {
        let context = context_words(passage, sentence, &quantity.range);
        let mut best: Option<(usize, String)> = None;
        for known in self.texts.iter().filter(|known| !known.is_background) {
            for own in known.quantities.iter().filter(|own| own.unit == quantity.unit && !equal(own.value, quantity.value)) {
                let around = window(&known.passage.text, &own.range, 24);
                let shared = context.iter().filter(|word| around.contains(word.as_str())).count();
                if shared > 0 && best.as_ref().is_none_or(|(most, _)| shared > *most) {
                    best = Some((shared, format!("the source has {}", known.shown(&own.range))));
                }
            }
        }
        best.map(|(_, why)| why)
    }

    // ---- names ----

    fn find_name(&self, passage: &Passage<'_>, name: &Name) -> Finding {
        let written = passage.text[name.core.clone()].to_owned();
        let wanted = plain(&written);
        if wanted.is_empty() {
            return Finding::Supported { basis: Basis::Exact, why: "nothing to look up".to_owned() };
        }
        if let Some(known) = self.in_order().find(|known| known.plain.contains(&wanted)) {
            return Finding::Supported { basis: known.basis(Basis::Exact), why: format!("「{written}」 in the {}", known.what) };
        }
        if let Some(why) = self.alias(&wanted) {
            return Finding::Supported { basis: Basis::Alias, why };
        }
        if let Some((basis, why)) = self.name_by_parts(passage, name) {
            return Finding::Supported { basis, why };
        }
        let similar = self.similar_name(&wanted, name.kind);
        match similar {
            Some(why) => Finding::Unsupported { basis: Basis::Contradicted, why },
            None => Finding::Unsupported { basis: Basis::Unsupported, why: format!("no 「{written}」 in the source, its aliases or background") },
        }
    }

    /// A name of a group of which any other name stands in the source, or that the case lists at all.
    fn alias(&self, wanted: &str) -> Option<String> {
        let group = self.aliases.iter().find(|group| group.iter().any(|name| name == wanted || name.contains(wanted) && wanted.chars().count() >= 3))?;
        Some(format!("a listed alias of 「{}」", group[0]))
    }

    /// A name put together from what the source has: 福岡県糸島市, 経産省 for 経済産業省, 大庭社長 for 大庭亮一.
    fn name_by_parts(&self, passage: &Passage<'_>, name: &Name) -> Option<(Basis, String)> {
        let text = &passage.text[name.core.clone()];
        let wanted = plain(text);
        if name.kind == SpecificKind::Organization && wanted.chars().count() >= 3 {
            for known in self.in_order() {
                let abbreviated = names(&known.passage).into_iter().find(|own| {
                    own.kind == SpecificKind::Organization && abbreviates(&wanted, &plain(&known.passage.text[own.core.clone()]))
                });
                if let Some(own) = abbreviated {
                    return Some((known.basis(Basis::Normalised), format!("short for {}", known.shown(&own.range))));
                }
            }
        }
        // Each proper part must be known; what is left (県, 山頂, 市内) names nothing by itself.
        let is_specific_body = matches!(name.kind, SpecificKind::Organization | SpecificKind::Person);
        let mut parts = passage.morphemes_in(&name.core).iter().filter(|word| word.pos().is_proper() || !word.known).peekable();
        if is_specific_body || parts.peek().is_none() || name.kind == SpecificKind::Name {
            return None;
        }
        let mut basis = Basis::Normalised;
        let mut why = Vec::new();
        for part in parts {
            let part = plain(part.surface(&passage.text));
            let known = self.in_order().find(|known| known.plain.contains(&part))?;
            basis = if known.is_background { Basis::Background } else { basis };
            why.push(format!("「{part}」 in the {}", known.what));
        }
        Some((basis, why.join(", ")))
    }

    /// A person of the source whose name is nearly this one: misspelt.
    fn similar_name(&self, wanted: &str, kind: SpecificKind) -> Option<String> {
        if kind != SpecificKind::Person || wanted.chars().count() < 3 {
            return None;
        }
        for known in self.texts.iter().filter(|known| !known.is_background) {
            for own in names(&known.passage).into_iter().filter(|own| own.kind == SpecificKind::Person) {
                let theirs = plain(&known.passage.text[own.core.clone()]);
                let distance = strsim::levenshtein(wanted, &theirs);
                if distance > 0 && distance <= 2 && theirs.chars().count() >= 3 && distance * 2 < theirs.chars().count() {
                    return Some(format!("the source has {}", known.shown(&own.range)));
                }
            }
        }
        None
    }

    // ---- quotations and contacts ----

    fn find_quote(&self, passage: &Passage<'_>, range: &Range<usize>) -> Finding {
        let wanted = plain_quote(&passage.text[range.clone()]);
        for known in self.in_order() {
            let theirs = plain_quote(&known.passage.text);
            if wanted.chars().count() >= 2 && theirs.contains(&wanted) {
                return Finding::Supported { basis: known.basis(Basis::Exact), why: format!("word for word in the {}", known.what) };
            }
        }
        let nearest = self
            .texts
            .iter()
            .filter(|known| !known.is_background)
            .flat_map(|known| quoted_parts(&known.passage.text))
            .map(|part| (strsim::normalized_levenshtein(&plain_quote(part), &wanted), part))
            .filter(|(likeness, _)| *likeness > 0.4)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, part)) => Finding::Unsupported { basis: Basis::QuoteAltered, why: format!("the source has 「{part}」") },
            None => Finding::Unsupported { basis: Basis::Unsupported, why: "nobody says this in the source".to_owned() },
        }
    }

    fn find_contact(&self, passage: &Passage<'_>, range: &Range<usize>) -> Finding {
        let plain_contact = |text: &str| text.trim_end_matches(['/', '番']).trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.").replace('-', "").to_lowercase();
        let wanted = plain_contact(&passage.text[range.clone()]);
        let has = |known: &&Known<'_>| plain_contact(&known.passage.text.replace('-', "")).contains(&wanted);
        match self.in_order().find(has) {
            Some(known) => Finding::Supported { basis: known.basis(Basis::Exact), why: format!("stands in the {}", known.what) },
            None => Finding::Unsupported { basis: Basis::Unsupported, why: "no such address or number in the source or background".to_owned() },
        }
    }
}

// ---- dates ----

fn published_mention(published: civil::DateTime) -> DateMention {
    DateMention {
        year: Some(published.year()),
        month: Some(published.month()),
        day: Some(published.day()),
        time: Some((published.hour(), published.minute())),
        ..DateMention::default()
    }
}

/// The mention's full date; what it leaves out is taken from the day of publication, in the nearest year.
fn complete(mention: &DateMention, base: civil::Date) -> Option<civil::Date> {
    let month = mention.month.unwrap_or(base.month());
    civil::Date::new(mention.year.unwrap_or(base.year()), month, mention.day?).ok()
}

/// Whether each part of `mention` is that of `own`, which the source has.
fn matches_date(mention: &DateMention, own: &DateMention, base: civil::Date) -> bool {
    let year_of = |mention: &DateMention| match mention.span_of_years {
        YearSpan::Fiscal => None,
        _ => mention.year,
    };
    if let Some(year) = mention.year {
        let fits = match (mention.span_of_years, own.span_of_years) {
            (YearSpan::Fiscal, YearSpan::Fiscal) => own.year == Some(year),
            // The fiscal year of a date begins in April.
            (YearSpan::Fiscal, _) => match (own.year.or(Some(base.year())), own.month) {
                (Some(own_year), Some(month)) => own_year - i16::from(month < 4) == year,
                (own_year, None) => own_year == Some(year) && own.year.is_some(),
                _ => false,
            },
            (YearSpan::Decade, YearSpan::Calendar) => own.year.is_some_and(|own| own / 10 == year / 10),
            (span, own_span) if span != own_span => false,
            _ => match year_of(own) {
                Some(own_year) => own_year == year,
                None => inferred_years(own, base).contains(&year),
            },
        };
        if !fits {
            return false;
        }
    }
    if let Some(month) = mention.month
        && own.month.unwrap_or(if own.day.is_some() { base.month() } else { 0 }) != month
    {
        return false;
    }
    if mention.day.is_some() && mention.day != own.day {
        return false;
    }
    if let Some(weekday) = mention.weekday {
        let own_weekday = own.weekday.or_else(|| complete(own, base).map(|date| date.weekday().to_monday_one_offset()));
        if own_weekday != Some(weekday) {
            return false;
        }
    }
    if mention.time.is_some() && mention.time != own.time {
        return false;
    }
    match (mention.part, own.part) {
        (Some(part), Some(own_part)) => part == own_part,
        (Some(_), None) => own.day.is_some() || mention.year.is_some() && mention.month.is_none() && own.month.is_some(),
        _ => true,
    }
}

/// The years that a date without one can be in: that of publication, or the next or last if the month lies behind or ahead.
fn inferred_years(own: &DateMention, base: civil::Date) -> [i16; 3] {
    let year = base.year();
    match own.month {
        Some(month) if month < base.month() => [year, year + 1, year],
        Some(month) if month > base.month() => [year, year - 1, year],
        Some(_) => [year, year, year],
        None if own.day.is_some() => [year, year, year],
        None => [0, 0, 0],
    }
}

// ---- amounts ----

fn equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-9)
}

/// Whether `quantity` says what `own` of the source says: the same amount, or a rounding that is marked as such.
fn same_amount(quantity: &Quantity, own: &Quantity) -> bool {
    if !comparable(&quantity.unit, &own.unit) {
        return false;
    }
    if quantity.unit == Unit::None && own.unit != Unit::None || own.unit == Unit::None && quantity.unit != Unit::None {
        // Without a unit only a telling number is the same.
        return equal(quantity.value, own.value) && (quantity.value >= 10.0 || own.unit == Unit::None || matches!(own.unit, Unit::Counter("歳")));
    }
    let exact = equal(quantity.value, own.value) && equal(quantity.upper, own.upper);
    // One end of a range that the source has.
    let end = quantity.value == quantity.upper && (equal(quantity.value, own.upper) || equal(quantity.value, own.value));
    exact || end || (quantity.exactness != Exactness::Exact && rounds_to(own.value, quantity)) || (own.exactness != Exactness::Exact && quantity.exactness != Exactness::Exact && rounds_to(own.value, quantity))
}

fn comparable(a: &Unit, b: &Unit) -> bool {
    match (a, b) {
        (Unit::Noun(_), Unit::Noun(_) | Unit::Counter(_)) | (Unit::Counter(_), Unit::Noun(_)) => true,
        // キロ is short for both kilometre and kilogram, 個 and つ count anything.
        (Unit::Measure("kilo"), Unit::Measure("gram" | "metre")) | (Unit::Measure("gram" | "metre"), Unit::Measure("kilo")) => true,
        (Unit::Counter("個" | "点" | "件"), Unit::Counter(_)) | (Unit::Counter(_), Unit::Counter("個" | "点" | "件")) => true,
        (Unit::None, Unit::Counter(_) | Unit::Noun(_) | Unit::None) | (Unit::Counter(_) | Unit::Noun(_), Unit::None) => true,
        (Unit::Percent, Unit::None) | (Unit::None, Unit::Percent) => true,
        _ => a == b,
    }
}

/// Whether `value` rounds to the quantity at the precision it is written in, in the direction it claims.
fn rounds_to(value: f64, quantity: &Quantity) -> bool {
    if value <= 0.0 || quantity.value <= 0.0 {
        return false;
    }
    let ratio = value / quantity.value;
    match quantity.exactness {
        Exactness::AtLeast => (1.0..1.12).contains(&ratio),
        Exactness::AtMost => (0.88..=1.0).contains(&ratio),
        Exactness::About | Exactness::Exact => {
            let exponent = quantity.value.log10().floor();
            let digits = f64::from(quantity.precision.min(6));
            let step = 10_f64.powf(exponent - digits + 1.0);
            (value - quantity.value).abs() <= step / 2.0 * 1.000_001
        }
    }
}

/// A figure of the source with its meaning turned round: 値下げ for 値上げ.
fn turned_round(passage: &Passage<'_>, sentence: &Range<usize>, quantity: &Quantity, known: &Known<'_>, own: &Quantity) -> Option<String> {
    const OPPOSITES: [(&str, &str); 16] = [
        ("値上げ", "値下げ"),
        ("引き上げ", "引き下げ"),
        ("増加", "減少"),
        ("増え", "減"),
        ("増や", "減ら"),
        ("上昇", "下落"),
        ("上昇", "低下"),
        ("黒字", "赤字"),
        ("増収", "減収"),
        ("増益", "減益"),
        ("拡大", "縮小"),
        ("延長", "短縮"),
        ("増便", "減便"),
        ("円安", "円高"),
        ("上回", "下回"),
        ("増額", "減額"),
    ];
    if !matches!(quantity.unit, Unit::Percent | Unit::Money(_) | Unit::Measure(_)) {
        return None;
    }
    let ours = window(&passage.text[sentence.clone()], &(quantity.range.start - sentence.start..quantity.range.end - sentence.start), 20);
    let theirs = window(&known.passage.text, &own.range, 20);
    let whole = &known.passage.text;
    OPPOSITES.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]).find_map(|(said, opposite)| {
        let is_turned = ours.contains(said) && !ours.contains(opposite) && theirs.contains(opposite) && !whole.contains(said);
        is_turned.then(|| format!("the {} says 「{opposite}」, not 「{said}」", known.what))
    })
}

/// What stands around `range`, up to `chars` characters on each side.
fn window<'t>(text: &'t str, range: &Range<usize>, chars: usize) -> &'t str {
    let start = text[..range.start].char_indices().rev().nth(chars - 1).map_or(0, |(at, _)| at);
    let end = text[range.end..].char_indices().nth(chars).map_or(text.len(), |(at, _)| range.end + at);
    &text[start..end]
}

/// The content words right before and after a quantity: what it is a quantity of.
fn context_words(passage: &Passage<'_>, sentence: &Range<usize>, range: &Range<usize>) -> Vec<String> {
    let text = &passage.text;
    let near = window(&text[sentence.clone()], &(range.start - sentence.start..range.end - sentence.start), 14);
    let start = near.as_ptr() as usize - text.as_ptr() as usize;
    let words = passage.morphemes_in(&(start..start + near.len())).iter();
    words
        .filter(|word| word.end <= range.start || word.start >= range.end)
        .filter(|word| word.pos().is_nominal() && !matches!(word.pos(), crate::text::tag::Pos::Numeral | crate::text::tag::Pos::Counter))
        .map(|word| word.surface(text).to_owned())
        .filter(|word| word.chars().count() >= 2)
        .collect()
}

/// Whether `text` holds `token` with no digit before or after it.
fn contains_token(text: &str, token: &str) -> bool {
    text.match_indices(token).any(|(at, found)| {
        let is_digit = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.');
        !text[..at].ends_with(is_digit) && !(found.ends_with(|c: char| c.is_ascii_digit()) && text[at + found.len()..].starts_with(is_digit))
    })
}

// ---- names and quotations ----

/// Whether `short` is `long` with characters left out: 経産省 for 経済産業省.
fn abbreviates(short: &str, long: &str) -> bool {
    let (short, long): (Vec<char>, Vec<char>) = (short.chars().collect(), long.chars().collect());
    if short.len() >= long.len() || short.len() < 2 || short.first() != long.first() {
        return false;
    }
    let mut rest = long.iter();
    short.iter().all(|c| rest.any(|other| other == c)) && (short.last() == long.last() || long.starts_with(&short))
}

fn plain_quote(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"「」『』\"“”、。!?・…".contains(*c)).collect()
}

fn quoted_parts(text: &str) -> Vec<&str> {
    text.split('「').skip(1).filter_map(|part| part.split('」').next()).filter(|part| part.chars().count() >= 5).collect()
}
