//! Quantities: numbers with what they count or measure, in units that compare (1.2億円 is 1億2千万円, 4割 is 40%).

use std::ops::Range;

use super::Passage;
use super::morpheme::Morpheme;
use super::number::{Numeral, may_begin, numeral};
use super::tag::Pos;

/// A number with its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The whole expression, from 約 to ほど.
    pub range: Range<usize>,
    /// Number and unit alone.
    pub core: Range<usize>,
    /// The value in the unit's base; of a range the lower one.
    pub value: f64,
    /// The upper value of a range; else the same.
    pub upper: f64,
    /// What is counted or measured.
    pub unit: Unit,
    /// How exact it claims to be.
    pub exactness: Exactness,
    /// The number of significant digits.
    pub precision: u32,
    /// Whether it names a place in an order (第3回, 3位, 3年連続).
    pub is_ordinal: bool,
    /// Whether it is written in digits 0–9, at least in part.
    pub has_digits: bool,
}

/// What a quantity counts or measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Money, by currency.
    Money(&'static str),
    /// Shares, in percent.
    Percent,
    /// A physical dimension, in its base unit.
    Measure(&'static str),
    /// Things counted by a counter that is known.
    Counter(&'static str),
    /// Things counted by whatever noun follows.
    Noun(String),
    /// No unit.
    None,
}

/// How exact a quantity claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exactness {
    /// As it stands.
    Exact,
    /// 約, ほど, 前後.
    About,
    /// 以上, 超, 余り: at least.
    AtLeast,
    /// 以下, 未満, 近く: at most.
    AtMost,
}

/// The quantities of a passage, in order; dates and clock times are left to `date`.
pub fn quantities(passage: &Passage<'_>, skip: &[Range<usize>]) -> Vec<Quantity> {
    let text = passage.text.as_str();
    let mut found: Vec<Quantity> = Vec::new();
    let mut skip: Vec<&Range<usize>> = skip.iter().collect();
    skip.sort_by_key(|range| range.start);
    let mut skip = skip.into_iter().peekable();
    let mut line = Line::default();
    let mut at = 0;
    while let Some(start) = text[at..].find(may_begin).map(|n| at + n) {
        at = start + text[start..].chars().next().map_or(1, char::len_utf8);
        while skip.next_if(|range| range.end <= start).is_some() {}
        if let Some(skipped) = skip.next_if(|range| range.start <= start) {
            at = skipped.end.max(at);
            continue;
        }
        if start >= line.end {
            line = Line::at(text, start);
        }
        if line.is_foreign {
            at = line.end.max(at);
            continue;
        }
        if let Some(quantity) = quantity_at(passage, start) {
            at = quantity.core.end.max(at);
            found.push(quantity);
        } else if text[..start].ends_with('#') {
            // #三十社 is a name as a whole.
            at = start + numeral(&text[start..]).map_or(0, |numeral| numeral.len).max(at - start);
        } else if text[start..].starts_with(|c: char| c.is_ascii_digit()) {
            // The rest of a code (MX-30, 4711-A) holds no other numbers.
            at = start + text[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len() - start);
        }
    }
    join(text, found)
}

/// A line, and whether it is mostly in Latin letters: its numbers have other units then.
#[derive(Default)]
struct Line {
    end: usize,
    is_foreign: bool,
}

impl Line {
    fn at(text: &str, at: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
        let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
        let line = &text[start..end];
        let letters = line.bytes().filter(u8::is_ascii_alphabetic).count();
        Self { end, is_foreign: letters * 2 > line.chars().count() }
    }
}

fn quantity_at(passage: &Passage<'_>, start: usize) -> Option<Quantity> {
    let text = passage.text.as_str();
    if is_inside_word(text, start) {
        return None;
    }
    let numeral = numeral(&text[start..])?;
    let end = start + numeral.len;
    if !numeral.has_digits && !is_kanji_number(passage, start, end) {
        return None;
    }
    let special = fraction_at(text, start, end, &numeral)
        .or_else(|| score_at(text, start, end, &numeral))
        .or_else(|| tenths_at(text, start, end, &numeral));
    if special.is_some() {
        return special;
    }
    let rest = &text[end..];
    let gap = usize::from(rest.starts_with(' '));
    let (unit, factor, length) = match known_unit(&rest[gap..]) {
        Some((unit, factor, length)) => (unit, factor, gap + length),
        None => match counted_noun(passage, end) {
            Some((noun, length)) => (Unit::Noun(noun), 1.0, length),
            None => (Unit::None, 1.0, 0),
        },
    };
    if is_no_quantity(text, start, end, &numeral, &unit) {
        return None;
    }
    let mut core = start..end + length;
    let mut value = numeral.value * factor;
    if text[core.end..].starts_with('半') && matches!(unit, Unit::Measure("month" | "second")) {
        value += factor / 2.0;
        core.end += '半'.len_utf8();
    }
    if numeral.is_vague {
        value += 5.0 * factor;
    }
    let (range, exactness, is_ordinal) = with_qualifiers(text, &core, numeral.is_vague);
    Some(Quantity {
        range,
        core,
        value,
        upper: value,
        unit,
        exactness,
        precision: numeral.precision,
        is_ordinal,
        has_digits: numeral.has_digits,
    })
}

/// Digits within a name or code: 5G, MX-3, Web3, ビジョン2030.
fn is_inside_word(text: &str, start: usize) -> bool {
    let Some(before) = text[..start].chars().next_back() else { return false };
    // A hashtag is a name, whatever its first word is written in.
    if before == '#' {
        return true;
    }
    if text[start..].starts_with(|c: char| c.is_ascii_digit()) {
        let glued = before.is_ascii_alphabetic() || matches!(before, '_' | '/' | '№');
        let hyphen = before == '-' && text[..start - 1].ends_with(|c: char| c.is_ascii_alphanumeric());
        let point = before == '.' && text[..start - 1].ends_with(|c: char| c.is_ascii_alphanumeric());
        return glued || hyphen || point;
    }
    false
}

/// Kanji numerals count where the dictionary sees a number (not in 一般, 三角, 千葉), 々 or の not following.
fn is_kanji_number(passage: &Passage<'_>, start: usize, end: usize) -> bool {
    let text = passage.text.as_str();
    let words = passage.morphemes();
    let first = words.partition_point(|word| word.end <= start);
    let Some(word) = words.get(first) else { return false };
    if word.start > start {
        return false;
    }
    let surface = word.surface(text);
    let is_numeral_word = |word: &Morpheme| word.pos() == Pos::Numeral;
    // Words such as 三日 or 二人 stand in the dictionary as a whole: a number with its counter.
    let counted = surface.chars().skip_while(|c| may_begin(*c) || matches!(c, '万' | '億' | '兆')).collect::<String>();
    let is_counted_word = word.start == start
        && matches!(
            counted.as_str(),
            "人" | "日"
                | "月"
                | "年"
                | "社"
                | "回"
                | "つ"
                | "時"
                | "割"
                | "分"
                | "度"
                | "校"
                | "本"
                | "倍"
                | "名"
                | "台"
        );
    (is_numeral_word(word) && word.start == start) || (is_counted_word && word.end >= end)
}

/// 3分の1: a share.
fn fraction_at(text: &str, start: usize, end: usize, denominator: &Numeral) -> Option<Quantity> {
    let rest = text[end..].strip_prefix("分の")?;
    let numerator = numeral(rest)?;
    if denominator.value < 1.0 {
        return None;
    }
    let core = start..text.len() - rest.len() + numerator.len;
    let value = numerator.value / denominator.value * 100.0;
    let (range, exactness, _) = with_qualifiers(text, &core, false);
    Some(Quantity {
        range,
        core,
        value,
        upper: value,
        unit: Unit::Percent,
        exactness: if exactness == Exactness::Exact { Exactness::About } else { exactness },
        precision: 2,
        is_ordinal: false,
        has_digits: true,
    })
}

/// 3対1: the score of a match, as one.
fn score_at(text: &str, start: usize, end: usize, ours: &Numeral) -> Option<Quantity> {
    let after = &text[end..];
    let rest = after
        .strip_prefix(['対', '勝'])
        .or_else(|| after.strip_prefix('-').filter(|_| is_score(text, start, after)))?;
    let theirs = numeral(rest)?;
    let is_record = text[end..].starts_with('勝');
    let tail = &rest[theirs.len..];
    let mark = if is_record { tail.strip_prefix('敗').map(|_| '敗'.len_utf8())? } else { 0 };
    let core = start..text.len() - rest.len() + theirs.len + mark;
    Some(Quantity {
        range: core.clone(),
        core,
        value: ours.value * 1000.0 + theirs.value,
        upper: ours.value * 1000.0 + theirs.value,
        unit: Unit::Counter(if is_record { "勝敗" } else { "対" }),
        exactness: Exactness::Exact,
        precision: 4,
        is_ordinal: false,
        has_digits: ours.has_digits,
    })
}

/// 2-1で勝つ: two numbers of a match, no part of a code, a date or a range.
fn is_score(text: &str, start: usize, after: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let theirs = &after[1..];
    let length = digits(theirs);
    let stands_alone = !text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/'));
    let ends =
        ["で勝", "で敗", "で快勝", "で制", "で下", "で破", "で逆転", "で競り", "と逆転", "の逆転", "の勝利", "の接戦"];
    stands_alone && (1..=3).contains(&length) && ends.iter().any(|end| theirs[length..].starts_with(end))
}

/// 8割7分: a share in tenths and hundredths.
fn tenths_at(text: &str, start: usize, end: usize, tenths: &Numeral) -> Option<Quantity> {
    let rest = text[end..].strip_prefix('割')?;
    let hundredths = numeral(rest)?;
    rest[hundredths.len..].strip_prefix('分')?;
    let core = start..text.len() - rest.len() + hundredths.len + '分'.len_utf8();
    let value = tenths.value * 10.0 + hundredths.value;
    let (range, exactness, _) = with_qualifiers(text, &core, false);
    Some(Quantity {
        range,
        core,
        value,
        upper: value,
        unit: Unit::Percent,
        exactness,
        precision: 2,
        is_ordinal: false,
        has_digits: tenths.has_digits,
    })
}

/// The noun that is counted directly: 256チーム, 150個の銀河, 58の消防本部.
fn counted_noun(passage: &Passage<'_>, end: usize) -> Option<(String, usize)> {
    let text = passage.text.as_str();
    let words = passage.morphemes();
    let first = words.partition_point(|word| word.start < end);
    let next = words.get(first).filter(|word| word.start == end)?;
    let is_counted = |word: &Morpheme| {
        matches!(
            word.pos(),
            Pos::Noun | Pos::VerbalNoun | Pos::Counter | Pos::NounSuffix | Pos::ProperNoun | Pos::OrganizationName
        ) && !word.surface(text).starts_with(|c: char| c.is_ascii_punctuation())
    };
    // 5G and 3D are terms, not counts of G.
    if next.surface(text).starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    if is_counted(next) {
        return Some((next.surface(text).to_owned(), next.end - end));
    }
    let noun = words.get(first + 1).filter(|word| is_counted(word) && next.surface(text) == "の")?;
    Some((noun.surface(text).to_owned(), noun.end - end))
}

/// Numbers that claim nothing: one of something, counts of points and words, positions in the text.
fn is_no_quantity(text: &str, start: usize, end: usize, numeral: &Numeral, unit: &Unit) -> bool {
    let (before, rest) = (&text[..start], &text[end..]);
    let is_one = (numeral.value - 1.0).abs() < 1e-9;
    let counts = matches!(unit, Unit::Counter(_) | Unit::Noun(_) | Unit::Measure(_));
    if ["でわかる", "で分かる", "でまるわかり"]
        .iter()
        .any(|words| rest.chars().skip(1).take(6).collect::<String>().contains(words))
    {
        return true;
    }
    // 三行にまとめる: of the text, not of the news.
    let of_lines = rest.strip_prefix("行で").or_else(|| rest.strip_prefix("行に"));
    const TELLS: [&str; 8] = ["まとめ", "紹介", "説明", "要約", "わか", "分か", "書", "整理"];
    if of_lines.is_some_and(|rest| TELLS.iter().any(|word| rest.starts_with(word))) {
        return true;
    }
    // The length of the answer is no matter of the news.
    if *unit == Unit::Counter("字") && numeral.value >= 50.0 {
        return true;
    }
    if is_one && counts && !before.ends_with(['第', '約', '計']) && !before.ends_with("わずか") && !leads_on(rest, unit)
    {
        return true;
    }
    if !numeral.has_digits && is_word_with_numeral(text, start, rest, numeral.value) {
        return true;
    }
    // 十円玉 is a coin; 数百年 is as vague as 数年.
    if ["円玉", "円硬貨", "円札"].iter().any(|coin| rest.starts_with(coin)) || before.ends_with(['数', '何', '幾'])
    {
        return true;
    }
    if rest.starts_with('つ') && (!numeral.has_digits || numeral.value < 3.0) {
        return true;
    }
    if rest.starts_with('つ') || rest.starts_with("国間") || rest.starts_with("者") && numeral.value < 5.0 {
        return !is_count_of_bodies(rest);
    }
    let is_pointer = before.ends_with("次の") || before.ends_with("以下の") || before.ends_with("この");
    if is_pointer && matches!(unit, Unit::Counter("点" | "個") | Unit::None) {
        return true;
    }
    if *unit == Unit::None {
        // A bare number is a claim in digits (店舗数は214) or if it is large; not at the head of a line as a mark.
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let is_mark = before[line_start..].trim_matches([' ', '(', '第', '#', '*']).is_empty()
            && rest.starts_with(['.', ')', '、', ':', ' ', '\n']);
        let is_small_kanji = !numeral.has_digits && numeral.value < 100.0;
        // レベル2, フェーズ3: a term with its number.
        let is_term = before.ends_with(|c: char| matches!(c, 'ァ'..='ヺ' | 'ー'));
        let is_letter_code = is_term || rest.starts_with(|c: char| c.is_ascii_alphabetic());
        return is_mark
            || is_small_kanji
            || is_letter_code
            || numeral.has_digits && numeral.value < 2.0 && rest.starts_with("位");
    }
    false
}

/// 1年2か月, 1時間35分: one of the greater unit, and more.
fn leads_on(rest: &str, unit: &Unit) -> bool {
    let Unit::Measure(dimension @ ("month" | "second")) = unit else { return false };
    let Some((_, _, length)) = known_unit(rest) else { return false };
    let Some(next) = numeral(&rest[length..]) else { return false };
    matches!(known_unit(&rest[length + next.len..]), Some((Unit::Measure(same), factor, _)) if same == *dimension && factor > 0.0)
}

/// Words that begin with a kanji numeral and count nothing: 十分に, 二度と, 四輪, 二択, 百合, 女流三段.
fn is_word_with_numeral(text: &str, start: usize, rest: &str, value: f64) -> bool {
    let is_rank = rest.starts_with('段') && !text[..start].ends_with(|c: char| c.is_ascii_digit());
    let is_enough = (value - 10.0).abs() < 1e-9 && rest.starts_with('分') && !rest.starts_with("分間");
    is_rank || is_enough || ["度と", "輪", "択", "合"].iter().any(|word| rest.starts_with(word))
}

/// 3つの企業 counts something that can be wrong; 3つのポイント does not.
fn is_count_of_bodies(rest: &str) -> bool {
    const BODIES: [&str; 24] = [
        "企業",
        "会社",
        "学校",
        "大学",
        "小学校",
        "中学校",
        "高校",
        "施設",
        "店舗",
        "会場",
        "チーム",
        "団体",
        "銀行",
        "病院",
        "工場",
        "研究所",
        "自治体",
        "市町村",
        "都市",
        "地区",
        "部門",
        "コース",
        "島",
        "路線",
    ];
    rest.strip_prefix("つの").is_some_and(|rest| BODIES.iter().any(|body| rest.starts_with(body)))
}

/// Joins ranges (6〜11%) and sums of one expression (2分40秒).
fn join(text: &str, found: Vec<Quantity>) -> Vec<Quantity> {
    let mut joined: Vec<Quantity> = Vec::new();
    for quantity in found {
        if let Some(last) = joined.last_mut() {
            let between = &text[last.core.end.min(quantity.core.start)..quantity.core.start];
            let same = last.unit == quantity.unit || last.unit == Unit::None;
            if matches!(between, "〜" | "-" | "〜約") && same && last.value <= quantity.value.max(last.value) {
                if last.unit == Unit::None {
                    last.value *= scale(text, &quantity);
                }
                last.upper = quantity.value;
                last.unit = quantity.unit;
                // 6〜11%: the unit of the second is that of both.
                last.range.end = quantity.range.end;
                last.core.end = quantity.core.end;
                last.exactness = quantity.exactness;
                continue;
            }
            if between.is_empty()
                && matches!(last.unit, Unit::Measure("second" | "month"))
                && last.unit == quantity.unit
                && quantity.value < last.value
            {
                last.value += quantity.value;
                last.upper = last.value;
                last.range.end = quantity.range.end;
                last.core.end = quantity.core.end;
                last.precision += quantity.precision;
                continue;
            }
        }
        joined.push(quantity);
    }
    joined
}

/// What the unit and the myriads of a range's end make of its beginning: 4〜5ミリ, 10〜20万円.
fn scale(text: &str, end: &Quantity) -> f64 {
    let Some(numeral) = numeral(&text[end.core.start..]) else { return 1.0 };
    let written = &text[end.core.start..end.core.start + numeral.len];
    let myriads = [('万', 1e4), ('億', 1e8), ('兆', 1e12)].into_iter().find(|(c, _)| written.ends_with(*c));
    let factor = if numeral.value > 0.0 { end.value / numeral.value } else { 1.0 };
    factor * myriads.map_or(1.0, |(_, value)| value)
}

const BEFORE: [(&str, Exactness); 26] = [
    ("約", Exactness::About),
    ("およそ", Exactness::About),
    ("おおよそ", Exactness::About),
    ("おおむね", Exactness::About),
    ("ほぼ", Exactness::About),
    ("ざっと", Exactness::About),
    ("推定", Exactness::About),
    ("最大", Exactness::AtMost),
    ("最長", Exactness::AtMost),
    ("最高", Exactness::AtMost),
    ("最低", Exactness::AtLeast),
    ("少なくとも", Exactness::AtLeast),
    ("わずか", Exactness::Exact),
    ("たった", Exactness::Exact),
    ("延べ", Exactness::Exact),
    ("のべ", Exactness::Exact),
    ("合計", Exactness::Exact),
    ("合わせて", Exactness::Exact),
    ("総額", Exactness::Exact),
    ("計", Exactness::Exact),
    ("全", Exactness::Exact),
    ("平均", Exactness::Exact),
    ("平均で", Exactness::Exact),
    ("一律", Exactness::Exact),
    ("第", Exactness::Exact),
    ("年間", Exactness::Exact),
];

const AFTER: [(&str, Exactness); 35] = [
    ("以上", Exactness::AtLeast),
    ("超", Exactness::AtLeast),
    ("を超える", Exactness::AtLeast),
    ("を上回る", Exactness::AtLeast),
    ("を超え", Exactness::AtLeast),
    ("を上回", Exactness::AtLeast),
    ("をこえ", Exactness::AtLeast),
    ("に迫", Exactness::AtMost),
    ("を切", Exactness::AtMost),
    ("を割り", Exactness::AtMost),
    ("を下回", Exactness::AtMost),
    ("に届か", Exactness::AtMost),
    ("に届き", Exactness::AtMost),
    ("に満た", Exactness::AtMost),
    ("足らず", Exactness::AtMost),
    ("余り", Exactness::AtLeast),
    ("あまり", Exactness::AtLeast),
    ("余", Exactness::AtLeast),
    ("強", Exactness::AtLeast),
    ("以下", Exactness::AtMost),
    ("未満", Exactness::AtMost),
    ("以内", Exactness::AtMost),
    ("弱", Exactness::AtMost),
    ("近く", Exactness::AtMost),
    ("近い", Exactness::AtMost),
    ("ほど", Exactness::About),
    ("程度", Exactness::About),
    ("前後", Exactness::About),
    ("くらい", Exactness::About),
    ("ぐらい", Exactness::About),
    ("規模", Exactness::About),
    ("台", Exactness::About),
    ("あたり", Exactness::Exact),
    ("ずつ", Exactness::Exact),
    ("間", Exactness::Exact),
];

/// The expression with the words that qualify it.
fn with_qualifiers(text: &str, core: &Range<usize>, is_vague: bool) -> (Range<usize>, Exactness, bool) {
    let mut range = core.clone();
    let mut exactness = if is_vague { Exactness::About } else { Exactness::Exact };
    let mut is_ordinal = false;
    for _ in 0..2 {
        let before = text[..range.start].trim_end_matches(' ');
        let Some((word, found)) =
            BEFORE.iter().filter(|(word, _)| before.ends_with(word)).max_by_key(|(word, _)| word.len())
        else {
            break;
        };
        // 会計3人, 時計2個: the word goes on to the left.
        let is_whole = *word != "計" && *word != "全"
            || !before[..before.len() - word.len()].ends_with(|c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c));
        if !is_whole {
            break;
        }
        is_ordinal |= *word == "第";
        range.start = before.len() - word.len();
        if *found != Exactness::Exact {
            exactness = *found;
        }
    }
    for mark in ["目", "連続", "ぶり", "位", "番目"] {
        if text[range.end..].starts_with(mark) {
            is_ordinal = true;
            range.end += mark.len();
        }
    }
    if let Some((word, found)) =
        AFTER.iter().filter(|(word, _)| text[range.end..].starts_with(word)).max_by_key(|(word, _)| word.len())
    {
        // 3台目, 2強: only after another unit does the word qualify.
        let is_unit_like = matches!(*word, "台" | "強" | "弱" | "超" | "余")
            && text[core.clone()].ends_with(|c: char| c.is_ascii_digit());
        if !is_unit_like {
            range.end += word.len();
            if *found != Exactness::Exact {
                exactness = *found;
            }
        }
    }
    (range, exactness, is_ordinal)
}

/// The unit that `rest` begins with: what it measures, the factor to the base unit, its length.
fn known_unit(rest: &str) -> Option<(Unit, f64, usize)> {
    let first = rest.chars().next()?;
    let (spelling, unit, factor) = UNITS
        .iter()
        .filter(|(spelling, ..)| spelling.starts_with(first) && rest.starts_with(spelling))
        .max_by_key(|(spelling, ..)| spelling.len())?;
    // A Latin unit ends where its letters end: 5Gbps is no 5 G, 3D no 3 days.
    // 840万人前後 is about 8.4 million people, not portions.
    if *spelling == "人前" && rest[spelling.len()..].starts_with('後') {
        return Some((Unit::Counter("人"), 1.0, '人'.len_utf8()));
    }
    let ends = rest[spelling.len()..].chars().next().is_none_or(|c| !c.is_ascii_alphabetic());
    if spelling.ends_with(|c: char| c.is_ascii_alphabetic()) && !ends {
        return None;
    }
    let unit = match unit.split_once(':') {
        Some(("money", currency)) => Unit::Money(currency),
        Some(("measure", dimension)) => Unit::Measure(dimension),
        Some((_, counter)) => Unit::Counter(counter),
        None => Unit::Percent,
    };
    Some((unit, *factor, spelling.len()))
}

/// Spelling, `money:`/`measure:`/`counter:` with its name or `percent`, factor to the base unit.
///
/// Counters that say the same of the same things (人, 名) have one name.
const UNITS: &[(&str, &str, f64)] = &[
    ("円", "money:yen", 1.0),
    ("銭", "money:yen", 0.01),
    ("ドル", "money:dollar", 1.0),
    ("米ドル", "money:dollar", 1.0),
    ("セント", "money:dollar", 0.01),
    ("ユーロ", "money:euro", 1.0),
    ("ポンド", "money:pound", 1.0),
    ("ウォン", "money:won", 1.0),
    ("元", "money:yuan", 1.0),
    ("人民元", "money:yuan", 1.0),
    ("ルピー", "money:rupee", 1.0),
    ("バーツ", "money:baht", 1.0),
    ("ドン", "money:dong", 1.0),
    ("フラン", "money:franc", 1.0),
    ("%", "percent", 1.0),
    ("パーセント", "percent", 1.0),
    ("割", "percent", 10.0),
    ("ポイント", "measure:point", 1.0),
    ("倍", "measure:times", 1.0),
    ("mm", "measure:metre", 1e-3),
    ("cm", "measure:metre", 1e-2),
    ("m", "measure:metre", 1.0),
    ("km", "measure:metre", 1e3),
    ("μm", "measure:metre", 1e-6),
    ("nm", "measure:metre", 1e-9),
    ("ミリ", "measure:metre", 1e-3),
    ("ミリメートル", "measure:metre", 1e-3),
    ("センチ", "measure:metre", 1e-2),
    ("センチメートル", "measure:metre", 1e-2),
    ("メートル", "measure:metre", 1.0),
    ("メーター", "measure:metre", 1.0),
    ("キロメートル", "measure:metre", 1e3),
    ("マイクロメートル", "measure:metre", 1e-6),
    ("ナノメートル", "measure:metre", 1e-9),
    ("インチ", "measure:inch", 1.0),
    ("マイル", "measure:mile", 1.0),
    ("海里", "measure:nautical mile", 1.0),
    ("光年", "measure:light year", 1.0),
    ("キロ", "measure:kilo", 1.0),
    ("mg", "measure:gram", 1e-3),
    ("g", "measure:gram", 1.0),
    ("kg", "measure:gram", 1e3),
    ("t", "measure:gram", 1e6),
    ("ミリグラム", "measure:gram", 1e-3),
    ("グラム", "measure:gram", 1.0),
    ("キログラム", "measure:gram", 1e3),
    ("トン", "measure:gram", 1e6),
    ("m2", "measure:square metre", 1.0),
    ("m²", "measure:square metre", 1.0),
    ("km2", "measure:square metre", 1e6),
    ("km²", "measure:square metre", 1e6),
    ("平方メートル", "measure:square metre", 1.0),
    ("平方キロメートル", "measure:square metre", 1e6),
    ("平方キロ", "measure:square metre", 1e6),
    ("ヘクタール", "measure:square metre", 1e4),
    ("ha", "measure:square metre", 1e4),
    ("アール", "measure:square metre", 1e2),
    ("坪", "measure:square metre", 400.0 / 121.0),
    ("畳", "measure:jo", 1.0),
    ("m3", "measure:litre", 1e3),
    ("m³", "measure:litre", 1e3),
    ("立方メートル", "measure:litre", 1e3),
    ("ml", "measure:litre", 1e-3),
    ("mL", "measure:litre", 1e-3),
    ("l", "measure:litre", 1.0),
    ("L", "measure:litre", 1.0),
    ("リットル", "measure:litre", 1.0),
    ("ミリリットル", "measure:litre", 1e-3),
    ("キロリットル", "measure:litre", 1e3),
    ("cc", "measure:litre", 1e-3),
    ("°C", "measure:degree", 1.0),
    ("℃", "measure:degree", 1.0),
    ("度", "measure:degree", 1.0),
    ("W", "measure:watt", 1.0),
    ("kW", "measure:watt", 1e3),
    ("MW", "measure:watt", 1e6),
    ("GW", "measure:watt", 1e9),
    ("ワット", "measure:watt", 1.0),
    ("キロワット", "measure:watt", 1e3),
    ("メガワット", "measure:watt", 1e6),
    ("Wh", "measure:watt hour", 1.0),
    ("kWh", "measure:watt hour", 1e3),
    ("MWh", "measure:watt hour", 1e6),
    ("GWh", "measure:watt hour", 1e9),
    ("キロワット時", "measure:watt hour", 1e3),
    ("V", "measure:volt", 1.0),
    ("ボルト", "measure:volt", 1.0),
    ("Hz", "measure:hertz", 1.0),
    ("kHz", "measure:hertz", 1e3),
    ("MHz", "measure:hertz", 1e6),
    ("GHz", "measure:hertz", 1e9),
    ("ヘルツ", "measure:hertz", 1.0),
    ("デシベル", "measure:decibel", 1.0),
    ("dB", "measure:decibel", 1.0),
    ("KB", "measure:byte", 1e3),
    ("MB", "measure:byte", 1e6),
    ("GB", "measure:byte", 1e9),
    ("TB", "measure:byte", 1e12),
    ("ギガバイト", "measure:byte", 1e9),
    ("メガバイト", "measure:byte", 1e6),
    ("テラバイト", "measure:byte", 1e12),
    ("bps", "measure:bit per second", 1.0),
    ("Mbps", "measure:bit per second", 1e6),
    ("Gbps", "measure:bit per second", 1e9),
    ("ビット", "measure:bit", 1.0),
    ("量子ビット", "measure:qubit", 1.0),
    ("画素", "measure:pixel", 1.0),
    ("ピクセル", "measure:pixel", 1.0),
    ("ヘクトパスカル", "measure:pascal", 1e2),
    ("hPa", "measure:pascal", 1e2),
    ("気圧", "measure:atmosphere", 1.0),
    ("馬力", "measure:horsepower", 1.0),
    ("カロリー", "measure:calorie", 1.0),
    ("キロカロリー", "measure:calorie", 1e3),
    ("kcal", "measure:calorie", 1e3),
    ("カラット", "measure:carat", 1.0),
    ("ppm", "measure:ppm", 1.0),
    ("秒", "measure:second", 1.0),
    ("秒間", "measure:second", 1.0),
    ("ミリ秒", "measure:second", 1e-3),
    ("マイクロ秒", "measure:second", 1e-6),
    ("ナノ秒", "measure:second", 1e-9),
    ("分", "measure:second", 60.0),
    ("分間", "measure:second", 60.0),
    ("時間", "measure:second", 3600.0),
    ("日間", "measure:second", 86400.0),
    ("日", "measure:second", 86400.0),
    ("晩", "counter:夜", 1.0),
    ("夜", "counter:夜", 1.0),
    ("泊", "counter:泊", 1.0),
    ("週間", "measure:second", 604_800.0),
    ("週", "measure:second", 604_800.0),
    ("か月", "measure:month", 1.0),
    ("カ月", "measure:month", 1.0),
    ("ヶ月", "measure:month", 1.0),
    ("ケ月", "measure:month", 1.0),
    ("ヵ月", "measure:month", 1.0),
    ("箇月", "measure:month", 1.0),
    ("か月間", "measure:month", 1.0),
    ("カ月間", "measure:month", 1.0),
    ("ヶ月間", "measure:month", 1.0),
    ("か年", "measure:month", 12.0),
    ("カ年", "measure:month", 12.0),
    ("ヵ年", "measure:month", 12.0),
    ("年", "measure:month", 12.0),
    ("年間", "measure:month", 12.0),
    ("年がかり", "measure:month", 12.0),
    ("周年", "counter:周年", 1.0),
    ("世紀", "counter:世紀", 1.0),
    ("人", "counter:人", 1.0),
    ("名", "counter:人", 1.0),
    ("名様", "counter:人", 1.0),
    ("人前", "counter:人前", 1.0),
    ("にん", "counter:人", 1.0),
    ("かい", "counter:回", 1.0),
    ("ひき", "counter:匹", 1.0),
    ("ぴき", "counter:匹", 1.0),
    ("びき", "counter:匹", 1.0),
    ("ほん", "counter:本", 1.0),
    ("ぼん", "counter:本", 1.0),
    ("ぽん", "counter:本", 1.0),
    ("まい", "counter:枚", 1.0),
    ("さい", "counter:歳", 1.0),
    ("コマ", "counter:コマ", 1.0),
    ("時限", "counter:コマ", 1.0),
    ("駅", "counter:駅", 1.0),
    ("学年", "counter:学年", 1.0),
    ("班", "counter:班", 1.0),
    ("人分", "counter:人前", 1.0),
    ("世帯", "counter:世帯", 1.0),
    ("家族", "counter:世帯", 1.0),
    ("戸", "counter:戸", 1.0),
    ("軒", "counter:軒", 1.0),
    ("棟", "counter:棟", 1.0),
    ("室", "counter:室", 1.0),
    ("部屋", "counter:室", 1.0),
    ("階", "counter:階", 1.0),
    ("社", "counter:社", 1.0),
    ("行", "counter:行", 1.0),
    ("店", "counter:店", 1.0),
    ("店舗", "counter:店", 1.0),
    ("校", "counter:校", 1.0),
    ("学級", "counter:学級", 1.0),
    ("クラス", "counter:クラス", 1.0),
    ("団体", "counter:団体", 1.0),
    ("組", "counter:組", 1.0),
    ("チーム", "counter:チーム", 1.0),
    ("隊", "counter:隊", 1.0),
    ("か国", "counter:国", 1.0),
    ("カ国", "counter:国", 1.0),
    ("ヵ国", "counter:国", 1.0),
    ("ヶ国", "counter:国", 1.0),
    ("か所", "counter:か所", 1.0),
    ("カ所", "counter:か所", 1.0),
    ("ヵ所", "counter:か所", 1.0),
    ("ヶ所", "counter:か所", 1.0),
    ("ケ所", "counter:か所", 1.0),
    ("箇所", "counter:か所", 1.0),
    ("地点", "counter:か所", 1.0),
    ("拠点", "counter:か所", 1.0),
    ("地区", "counter:地区", 1.0),
    ("地域", "counter:地区", 1.0),
    ("市町村", "counter:市町村", 1.0),
    ("市町", "counter:市町村", 1.0),
    ("自治体", "counter:市町村", 1.0),
    ("都道府県", "counter:都道府県", 1.0),
    ("県", "counter:都道府県", 1.0),
    ("道府県", "counter:都道府県", 1.0),
    ("島", "counter:島", 1.0),
    ("か国語", "counter:言語", 1.0),
    ("カ国語", "counter:言語", 1.0),
    ("言語", "counter:言語", 1.0),
    ("歳", "counter:歳", 1.0),
    ("才", "counter:歳", 1.0),
    ("代", "counter:代", 1.0),
    ("代目", "counter:代目", 1.0),
    ("年生", "counter:年生", 1.0),
    ("回", "counter:回", 1.0),
    ("度目", "counter:回", 1.0),
    ("回目", "counter:回", 1.0),
    ("戦", "counter:戦", 1.0),
    ("試合", "counter:戦", 1.0),
    ("勝", "counter:勝", 1.0),
    ("敗", "counter:敗", 1.0),
    ("位", "counter:位", 1.0),
    ("番", "counter:番", 1.0),
    ("番目", "counter:番", 1.0),
    ("号", "counter:号", 1.0),
    ("号機", "counter:号機", 1.0),
    ("号店", "counter:号店", 1.0),
    ("便", "counter:便", 1.0),
    ("往復", "counter:往復", 1.0),
    ("本", "counter:本", 1.0),
    ("枚", "counter:枚", 1.0),
    ("冊", "counter:冊", 1.0),
    ("さつ", "counter:冊", 1.0),
    ("部", "counter:部", 1.0),
    ("ページ", "counter:ページ", 1.0),
    ("巻", "counter:巻", 1.0),
    ("話", "counter:話", 1.0),
    ("曲", "counter:曲", 1.0),
    ("作品", "counter:作品", 1.0),
    ("点", "counter:点", 1.0),
    ("個", "counter:個", 1.0),
    ("つ", "counter:個", 1.0),
    ("種", "counter:種類", 1.0),
    ("種類", "counter:種類", 1.0),
    ("品", "counter:品", 1.0),
    ("品目", "counter:品", 1.0),
    ("件", "counter:件", 1.0),
    ("例", "counter:件", 1.0),
    ("台", "counter:台", 1.0),
    ("両", "counter:両", 1.0),
    ("機", "counter:機", 1.0),
    ("基", "counter:基", 1.0),
    ("隻", "counter:隻", 1.0),
    ("艇", "counter:隻", 1.0),
    ("頭", "counter:頭", 1.0),
    ("匹", "counter:匹", 1.0),
    ("羽", "counter:羽", 1.0),
    ("株", "counter:株", 1.0),
    ("袋", "counter:袋", 1.0),
    ("箱", "counter:箱", 1.0),
    ("杯", "counter:杯", 1.0),
    ("食", "counter:食", 1.0),
    ("皿", "counter:皿", 1.0),
    ("席", "counter:席", 1.0),
    ("口", "counter:口", 1.0),
    ("票", "counter:票", 1.0),
    ("字", "counter:字", 1.0),
    ("文字", "counter:字", 1.0),
    ("語", "counter:語", 1.0),
    ("桁", "counter:桁", 1.0),
    ("段階", "counter:段階", 1.0),
    ("等", "counter:等", 1.0),
    ("級", "counter:級", 1.0),
    ("層", "counter:層", 1.0),
    ("列", "counter:列", 1.0),
    ("面", "counter:面", 1.0),
    ("区", "counter:区", 1.0),
    ("か条", "counter:条", 1.0),
    ("条", "counter:条", 1.0),
    ("項目", "counter:項目", 1.0),
    ("部門", "counter:部門", 1.0),
    ("コース", "counter:コース", 1.0),
    ("プラン", "counter:プラン", 1.0),
    ("レベル", "counter:レベル", 1.0),
    ("ノット", "measure:knot", 1.0),
    ("震度", "counter:震度", 1.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let passage = Passage::new(text);
        quantities(&passage, &[])
            .iter()
            .map(|quantity| {
                let upper =
                    if quantity.upper > quantity.value { format!("〜{}", quantity.upper) } else { String::new() };
                format!("{}={}{upper} {:?}", &passage.text[quantity.range.clone()], quantity.value, quantity.unit)
            })
            .collect()
    }

    #[test]
    fn quantities_are_found_with_their_units() {
        for (text, expected) in [
            ("約30社が参加", &["約30社=30 Counter(\"社\")"][..]),
            ("開発費は12億5千万円です", &["12億5千万円=1250000000 Money(\"yen\")"]),
            ("電力を4割減らす", &["4割=40 Percent"]),
            ("例年の3分の1にあたる", &["3分の1=33.33333333333333 Percent"]),
            ("平均で2分40秒短く", &["平均で2分40秒=160 Measure(\"second\")"]),
            ("6〜11%の値上げ", &["6〜11%=6〜11 Percent"]),
            ("消防本部は七百二十。", &["七百二十=720 None"]),
            ("58の消防本部が", &["58の消防=58 Noun(\"消防\")"]),
            ("坂口澄江さん(41)は", &["41=41 None"]),
            ("延べ3万2千人の隊員", &["延べ3万2千人=32000 Counter(\"人\")"]),
            ("3年半の研究", &["3年半=42 Measure(\"month\")"]),
            ("二十四社が", &["二十四社=24 Counter(\"社\")"]),
            ("十数店がまとめられる", &["十数店=15 Counter(\"店\")"]),
            ("第4回大会", &["第4回=4 Counter(\"回\")"]),
            ("3つの企業が", &["3つ=3 Counter(\"個\")"]),
            ("3対1で勝ち", &["3対1=3001 Counter(\"対\")"]),
            ("受精率は8割7分に", &["8割7分=87 Percent"]),
            ("840万人前後です", &["840万人前後=8400000 Counter(\"人\")"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_claim_nothing_are_left_out() {
        for text in [
            "一歩",
            "3つのポイント",
            "第一に",
            "二国間",
            "5G通信",
            "MX-3を開発",
            "Web3",
            "ビジョンX2030",
            "一般に",
            "1. 見学",
            "三者で",
            "1枚のカード",
            "参加する",
            "千葉に行く",
            "一人ひとり",
            "三行にまとめる",
            "#30社",
            "#三十社",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }
}
