//! Dates and clock times in Japanese text: 2025年6月30日, 令和七年, R7.6.30, 来年3月, 12日(金), 午後2時半, 10:30.
//!
//! A mention keeps the parts it has; what it leaves out stays open. Relative ones are resolved against the day of
//! publication. Durations (3日間) are quantities, not dates.

use std::ops::Range;

use jiff::civil;

use super::number::{Numeral, kanji_digit, may_begin, numeral};

/// A date or time as far as the text says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DateMention {
    /// The whole expression.
    pub range: Range<usize>,
    /// The year (of the common era); of a decade or century its first.
    pub year: Option<i16>,
    /// What kind of year it is.
    pub span_of_years: YearSpan,
    /// Whether the year was not written but follows from a word such as 来年 or from a mention before it.
    pub year_is_inferred: bool,
    /// The month.
    pub month: Option<i8>,
    /// Whether the month follows from a word such as 今月 or from a mention before it.
    pub month_is_inferred: bool,
    /// The day of the month.
    pub day: Option<i8>,
    /// The day of the week, Monday being 1.
    pub weekday: Option<i8>,
    /// Hour and minute on a 24-hour clock.
    pub time: Option<(i8, i8)>,
    /// Whether 午前 or 午後 was written, or the hour leaves no doubt.
    pub time_is_certain: bool,
    /// A third of a month or a season, as written.
    pub part: Option<Part>,
}

/// What a year's number stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum YearSpan {
    /// One calendar year.
    #[default]
    Calendar,
    /// 年度: April to March.
    Fiscal,
    /// 年代: ten years.
    Decade,
    /// 世紀: a hundred years.
    Century,
}

/// A part of a month or year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// 上旬, 初旬, 初め
    Early,
    /// 中旬, 半ば
    Middle,
    /// 下旬, 末
    Late,
    /// 春
    Spring,
    /// 夏
    Summer,
    /// 秋
    Autumn,
    /// 冬
    Winter,
}

impl DateMention {
    fn has_parts(&self) -> bool {
        self.year.is_some()
            || self.month.is_some()
            || self.day.is_some()
            || self.weekday.is_some()
            || self.time.is_some()
    }

    /// The full date, if year, month and day are known.
    pub fn date(&self) -> Option<civil::Date> {
        civil::Date::new(self.year?, self.month?, self.day?).ok()
    }
}

/// The dates and times in `text`, in order; `base` is the day of publication.
pub fn dates(text: &str, base: Option<civil::Date>) -> Vec<DateMention> {
    let mut mentions: Vec<DateMention> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(skip) = rest.find(may_begin_date) else { break };
        at += skip;
        let mut scanner = Scanner { text, base, start: at, at, mention: DateMention::default() };
        if scanner.scan() {
            let mut mention = scanner.mention;
            mention.range = at..scanner.at;
            if let Some(previous) = mentions.last() {
                inherit(text, previous, &mut mention);
            }
            at = mention.range.end;
            mentions.push(mention);
        } else {
            // A number that is no date is passed over as a whole: 412人 holds no 12.
            let c = text[at..].chars().next().unwrap_or_default();
            at += if c.is_ascii_digit() {
                text[at..].find(|c: char| !c.is_ascii_digit() && c != ',' && c != '.').unwrap_or(text.len() - at).max(1)
            } else {
                c.len_utf8()
            };
        }
    }
    mentions
}

fn may_begin_date(c: char) -> bool {
    may_begin(c)
        || matches!(
            c,
            '令' | '平'
                | '昭'
                | '大'
                | '明'
                | '今'
                | '昨'
                | '去'
                | '来'
                | '再'
                | '一'
                | '同'
                | '翌'
                | '前'
                | '本'
                | '先'
                | '日'
                | '月'
                | '火'
                | '水'
                | '木'
                | '金'
                | '土'
                | '午'
                | '西'
                | '元'
                | 'ク'
                | 'R'
                | 'H'
                | 'S'
                | '\''
        )
}

struct Scanner<'t> {
    text: &'t str,
    base: Option<civil::Date>,
    start: usize,
    at: usize,
    mention: DateMention,
}

const ERAS: [(&str, i16); 5] = [("令和", 2018), ("平成", 1988), ("昭和", 1925), ("大正", 1911), ("明治", 1867)];

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn before(&self) -> Option<char> {
        self.text[..self.start].chars().next_back()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Reads one mention from the present place; `false` if there is none.
    fn scan(&mut self) -> bool {
        if self.before().is_some_and(|c| c.is_ascii_alphanumeric() || c == '.' || c == '/' || c == '-')
            && self.rest().starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return false;
        }
        if self.named_day() || self.numeric_date() || self.abbreviated_era() {
            self.weekday();
            self.clock();
            return true;
        }
        let year = self.year();
        if year {
            self.skip_joint();
            if self.named_day() {
                self.clock();
                return true;
            }
        }
        let month = self.month();
        if month {
            self.skip_joint();
        }
        let day = self.day(month);
        if month && !day {
            self.unskip_joint();
        }
        self.weekday();
        self.part(year || month);
        let mark = self.at;
        self.skip_joint();
        if !self.clock() {
            self.at = mark;
        }
        self.tail();
        // 今年 or 来年 alone is no specific, however it is resolved.
        let is_bare_relative = self.mention.year_is_inferred
            && self.mention.month.is_none()
            && self.mention.day.is_none()
            && self.mention.part.is_none()
            && self.mention.span_of_years != YearSpan::Fiscal;
        let is_bare_month = self.mention.month_is_inferred && self.mention.day.is_none() && self.mention.part.is_none();
        self.mention.has_parts() && !is_bare_relative && !is_bare_month && self.at > self.start
    }

    /// 大みそか, 元日 and the like, with a year before them or not.
    fn named_day(&mut self) -> bool {
        const DAYS: [(&str, i8, i8); 6] = [
            ("大みそか", 12, 31),
            ("大晦日", 12, 31),
            ("元日", 1, 1),
            ("元旦", 1, 1),
            ("クリスマスイブ", 12, 24),
            ("クリスマスイヴ", 12, 24),
        ];
        let Some((word, month, day)) = DAYS.iter().find(|(word, ..)| self.rest().starts_with(word)) else {
            return false;
        };
        self.at += word.len();
        self.mention.month = Some(*month);
        self.mention.day = Some(*day);
        true
    }

    /// 2025/6/30, 2025-06-30, 2025.6.30, 6/30(月).
    fn numeric_date(&mut self) -> bool {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = self.rest();
        let first = digits(rest);
        let Some(separator) = rest[first..].chars().next().filter(|c| matches!(c, '/' | '-' | '.')) else {
            return false;
        };
        let second_at = first + 1;
        let second = digits(&rest[second_at..]);
        if first == 4 && (1..=2).contains(&second) && rest[second_at + second..].starts_with(separator) {
            let third_at = second_at + second + 1;
            let third = digits(&rest[third_at..]);
            let (year, month, day) = (
                rest[..4].parse().ok(),
                rest[second_at..second_at + second].parse().ok(),
                rest[third_at..third_at + third].parse().ok(),
            );
            if (1..=2).contains(&third) && valid_day(month, day) && year.is_some_and(is_year) {
                self.mention.year = year;
                self.mention.month = month;
                self.mention.day = day;
                self.at += third_at + third;
                return true;
            }
        }
        let (month, day) = (rest[..first].parse().ok(), rest[second_at..second_at + second].parse().ok());
        let after = &rest[second_at + second..];
        if separator == '/'
            && (1..=2).contains(&first)
            && (1..=2).contains(&second)
            && valid_day(month, day)
            && after.starts_with('(')
        {
            self.mention.month = month;
            self.mention.day = day;
            self.at += second_at + second;
            return true;
        }
        false
    }

    /// R7.6.30, R7年.
    fn abbreviated_era(&mut self) -> bool {
        let Some(letter) = self.rest().chars().next().filter(|c| matches!(c, 'R' | 'H' | 'S')) else { return false };
        let offset = match letter {
            'R' => 2018,
            'H' => 1988,
            _ => 1925,
        };
        let parts: Vec<&str> = self.rest()[1..].split(['.', '/']).take(3).collect();
        let number = |n: usize| -> Option<(i8, usize)> {
            let part = parts.get(n)?;
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            Some((part[..digits].parse().ok()?, digits))
        };
        let Some((year, year_len)) = number(0).filter(|(_, len)| (1..=2).contains(len)) else { return false };
        if self.rest()[1 + year_len..].starts_with('年') {
            self.mention.year = Some(offset + i16::from(year));
            self.at += 1 + year_len + '年'.len_utf8();
            return true;
        }
        let (Some((month, month_len)), true) = (number(1), parts[0].len() == year_len) else { return false };
        let day = if parts[1].len() == month_len { number(2) } else { None };
        if !(1..=12).contains(&month) || day.is_some_and(|(day, _)| !(1..=31).contains(&day)) {
            return false;
        }
        self.mention.year = Some(offset + i16::from(year));
        self.mention.month = Some(month);
        self.mention.day = day.map(|(day, _)| day);
        self.at += 1 + year_len + 1 + month_len + day.map_or(0, |(_, len)| 1 + len);
        true
    }

    fn number(&self) -> Option<(i16, usize)> {
        let Numeral { value, len, .. } = numeral(self.rest())?;
        #[expect(clippy::cast_possible_truncation, reason = "the value is checked to be a small whole number")]
        (value.fract() == 0.0 && value < 10_000.0).then_some((value as i16, len))
    }

    fn year(&mut self) -> bool {
        self.era_year() || self.relative_year() || self.plain_year()
    }

    fn era_year(&mut self) -> bool {
        let start = self.at;
        for (era, offset) in ERAS {
            if !self.take(era) {
                continue;
            }
            let number = if self.take("元") { Some(1) } else { self.number().map(|(n, len)| (n, self.at += len).0) };
            if let Some(number) = number.filter(|n| (1..=80).contains(n))
                && self.year_mark()
            {
                self.mention.year = Some(offset + number);
                return true;
            }
            self.at = start;
        }
        false
    }

    /// 年, 年度, 年代.
    fn year_mark(&mut self) -> bool {
        if self.take("年度") {
            self.mention.span_of_years = YearSpan::Fiscal;
        } else if self.take("年代") {
            self.mention.span_of_years = YearSpan::Decade;
        } else if !self.take("年") {
            return false;
        }
        true
    }

    fn relative_year(&mut self) -> bool {
        const WORDS: [(&str, i16); 16] = [
            ("再来年", 2),
            ("一昨年", -2),
            ("おととし", -2),
            ("今年", 0),
            ("本年", 0),
            ("来年", 1),
            ("昨年", -1),
            ("去年", -1),
            ("前年", -1),
            ("翌年", 1),
            ("同年", 0),
            ("今夏", 0),
            ("今秋", 0),
            ("今冬", 0),
            ("今春", 0),
            ("来春", 1),
        ];
        let Some((word, offset)) = WORDS.iter().find(|(word, _)| self.rest().starts_with(word)) else { return false };
        if let Some(part) = season(word.chars().last().unwrap_or_default()) {
            self.mention.part = Some(part);
        }
        self.at += word.len();
        if self.take("度") {
            self.mention.span_of_years = YearSpan::Fiscal;
        }
        self.mention.year = self.base.map(|base| base.year() + offset);
        self.mention.year_is_inferred = true;
        true
    }

    fn plain_year(&mut self) -> bool {
        let start = self.at;
        self.take("西暦");
        let short = self.take("'");
        let century = self.century_before();
        let Some((number, len)) = self.number() else {
            self.at = start;
            return false;
        };
        self.at += len;
        let full = match century {
            Some(century) if number < 100 => century + number,
            _ if short && number < 100 => number + 2000,
            _ => number,
        };
        if let Some(span) = first_of_years(self.rest()).filter(|_| is_year(full)) {
            self.mention.year = Some(full);
            self.mention.span_of_years = span;
            return true;
        }
        if self.take("世紀") && number <= 30 {
            self.mention.year = Some((number - 1) * 100);
            self.mention.span_of_years = YearSpan::Century;
            return true;
        }
        const DURATIONS: [&str; 18] = [
            "間",
            "ぶり",
            "連続",
            "前",
            "後",
            "目",
            "以上",
            "以内",
            "未満",
            "半",
            "分",
            "来",
            "越し",
            "がかり",
            "ほど",
            "近く",
            "あまり",
            "余り",
        ];
        let after = self.rest().strip_prefix('年').unwrap_or_default();
        if !is_year(full)
            || DURATIONS.iter().any(|word| after.starts_with(word)) && !after.starts_with("前後")
            || !self.year_mark()
        {
            self.at = start;
            return false;
        }
        self.mention.year = Some(full);
        true
    }

    /// The century of a short year that stands with a full one: 1934年か35年, 1960〜70年代.
    fn century_before(&self) -> Option<i16> {
        let before = &self.text[..self.start];
        let before =
            ["か", "から", "や", "と", "、", "・", "〜", "-"].iter().find_map(|joint| before.strip_suffix(joint))?;
        let before = before.trim_end_matches(['度', '代']);
        let before = before.strip_suffix('年').unwrap_or(before);
        let digits = before.get(before.len().checked_sub(4)?..)?;
        digits.parse::<i16>().ok().filter(|year| is_year(*year) && *year >= 1000).map(|year| year / 100 * 100)
    }

    fn month(&mut self) -> bool {
        const WORDS: [(&str, i32); 4] = [("今月", 0), ("本月", 0), ("先月", -1), ("来月", 1)];
        // Which month 同月23日 is in, the text before it says: for us it is a bare day.
        if self.rest().strip_prefix("同月").is_some_and(|rest| rest.starts_with(may_begin)) {
            self.take("同月");
            return false;
        }
        if let Some((word, offset)) = WORDS.iter().find(|(word, _)| self.rest().starts_with(word)) {
            self.at += word.len();
            let base = self.base.and_then(|base| base.checked_add(jiff::Span::new().months(*offset)).ok());
            self.mention.month = base.map(civil::Date::month);
            self.mention.year = self.mention.year.or(base.map(civil::Date::year));
            self.mention.year_is_inferred = true;
            self.mention.month_is_inferred = true;
            return true;
        }
        let mark = self.at;
        self.take("翌");
        let Some((number, len)) = self.number() else {
            self.at = mark;
            return false;
        };
        let after = &self.rest()[len..];
        let Ok(month) = i8::try_from(number) else { return false };
        if (1..=12).contains(&month) && is_range_of(after, '月', 12) {
            self.at += len;
            self.mention.month = Some(month);
            return true;
        }
        if (1..=12).contains(&month)
            && after.starts_with('月')
            && !after.starts_with("月間")
            && !after.starts_with("月号")
        {
            self.at += len + '月'.len_utf8();
            self.mention.month = Some(month);
            return true;
        }
        self.at = mark;
        false
    }

    fn day(&mut self, after_month: bool) -> bool {
        const DURATIONS: [&str; 23] = [
            "間",
            "以上",
            "以内",
            "ぶり",
            "連続",
            "目",
            "分",
            "程度",
            "ほど",
            "かけて",
            "あたり",
            "おき",
            "がかり",
            "もの",
            "半",
            "足らず",
            "つづ",
            "続い",
            "続け",
            "のあいだ",
            "の間",
            "にわた",
            "かか",
        ];
        let mark = self.at;
        self.take("翌");
        let Some((number, len)) = self.number() else {
            self.at = mark;
            return false;
        };
        let after = &self.rest()[len..];
        if (1..=31).contains(&number) && after_month && is_range_of(after, '日', 31) {
            self.mention.day = i8::try_from(number).ok();
            self.at += len;
            return true;
        }
        let is_day = i8::try_from(number).is_ok_and(|day| (1..=31).contains(&day)) && after.starts_with('日');
        let rest = after.strip_prefix('日').unwrap_or_default();
        let is_duration = DURATIONS.iter().any(|word| rest.starts_with(word))
            // 三日後, 10日前: how long, unless a month stands before it.
            || (!after_month && (rest.starts_with('後') || (rest.starts_with('前') && !rest.starts_with("前後"))));
        // あと13日, 3泊4日, 平均6日から14日に延びる: how long.
        let (before, longer) = (&self.text[..self.start], ["に延び", "に伸び", "に短", "に縮"]);
        let counts_down =
            ["あと", "残り", "わずか", "平均", "約", "およそ", "泊", "丸", "延べ", "のべ", "最大", "最長", "最短"];
        let is_duration = is_duration
            || !after_month
                && (counts_down.iter().any(|word| before.ends_with(word))
                    || longer.iter().any(|word| rest.starts_with(word)));
        // 1日に3回, 週に4日: how often.
        let is_rate = !after_month
            && (number == 1
                && (rest.starts_with("に") || rest.starts_with(|c: char| may_begin(c)) || rest.starts_with("約"))
                || self.text[..self.start].ends_with("週に")
                || self.text[..self.start].ends_with('週')
                || self.text[..self.start].ends_with("月に"));
        // 一日 in words is a day, not the first.
        let is_word = number == 1
            && !after_month
            && self.rest().starts_with('一')
            && !["付", "に", "、", "は", "から"].iter().any(|word| rest.starts_with(word));
        if !is_day || is_duration || is_rate || is_word {
            self.at = mark;
            return false;
        }
        self.mention.day = i8::try_from(number).ok();
        self.at += len + '日'.len_utf8();
        true
    }

    fn weekday(&mut self) {
        const DAYS: &str = "月火水木金土日";
        let rest = self.rest();
        let day_of = |c: char| DAYS.chars().position(|day| day == c).and_then(|n| i8::try_from(n + 1).ok());
        let mut chars = rest.chars();
        let first = chars.next().unwrap_or_default();
        if matches!(first, '(' | '<' | '[') && self.mention.day.is_some() {
            let inner = chars.as_str();
            let close = inner.find([')', '>', ']']).filter(|n| *n <= 18);
            if let (Some(close), Some(day)) = (close, inner.chars().next().and_then(day_of)) {
                let word = &inner[day_char_len()..close];
                if word.is_empty() || word.starts_with(['・', '曜', '、', '祝']) {
                    self.mention.weekday = Some(day);
                    self.at += 1 + close + 1;
                }
            }
            return;
        }
        let joint = if rest.starts_with('の') && self.mention.day.is_some() { 'の'.len_utf8() } else { 0 };
        let mut chars = rest[joint..].chars();
        if let (Some(day), Some('曜')) = (chars.next().and_then(day_of), chars.next()) {
            // 土曜・日曜 in general is no date: only a weekday that stands with a date, or alone with の before it, is.
            self.at += joint + day_char_len() + '曜'.len_utf8();
            self.take("日");
            self.mention.weekday = Some(day);
        }
    }

    fn part(&mut self, after_date: bool) {
        if !after_date {
            return;
        }
        const PARTS: [(&str, Part); 12] = [
            ("上旬", Part::Early),
            ("初旬", Part::Early),
            ("初め", Part::Early),
            ("はじめ", Part::Early),
            ("中旬", Part::Middle),
            ("半ば", Part::Middle),
            ("なかば", Part::Middle),
            ("下旬", Part::Late),
            ("末", Part::Late),
            ("前半", Part::Early),
            ("後半", Part::Late),
            ("中", Part::Middle),
        ];
        let mark = self.at;
        self.take("の");
        if let Some((word, part)) = PARTS.iter().find(|(word, _)| self.rest().starts_with(word)) {
            // 中 says only «some time in».
            self.mention.part = if *word == "中" { self.mention.part } else { Some(*part) };
            self.at += word.len();
            return;
        }
        let next = self.rest().chars().next().unwrap_or_default();
        let after = self.rest().chars().nth(1).unwrap_or_default();
        match season(next).filter(|_| self.mention.month.is_none() && !('\u{4E00}'..='\u{9FFF}').contains(&after)) {
            Some(part) => {
                self.mention.part = Some(part);
                self.at += next.len_utf8();
            }
            None => self.at = mark,
        }
    }

    fn clock(&mut self) -> bool {
        let start = self.at;
        let half = ["午前", "午後", "朝", "夕方", "夜", "深夜", "未明", "正午"]
            .into_iter()
            .find(|word| self.rest().starts_with(word));
        if let Some(word) = half {
            self.at += word.len();
            if word == "正午" {
                self.mention.time = Some((12, 0));
                return true;
            }
        }
        let Some((hour, len)) = self.number().filter(|(n, _)| (0..=29).contains(n)) else {
            self.at = start;
            return false;
        };
        self.at += len;
        let rest = self.rest();
        let minute = if let Some(after) = rest.strip_prefix(':') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let minute = after[..digits].parse::<i8>().ok().filter(|n| digits == 2 && (0..60).contains(n));
            self.at += 1 + digits;
            minute
        } else if rest.starts_with('時') && !rest.starts_with("時間") && !rest.starts_with("時限") {
            self.at += '時'.len_utf8();
            Some(self.minutes())
        } else {
            None
        };
        let Some(minute) = minute else {
            self.at = start;
            return false;
        };
        let afternoon = matches!(half, Some("午後" | "夕方" | "夜")) && hour < 12;
        let hour = i8::try_from(hour).unwrap_or(0) + if afternoon { 12 } else { 0 };
        self.mention.time = Some((hour, minute));
        self.mention.time_is_certain = half.is_some() || hour > 12;
        true
    }

    fn minutes(&mut self) -> i8 {
        if self.take("半") {
            return 30;
        }
        let Some((minute, len)) = self.number() else { return 0 };
        let after = &self.rest()[len..];
        if minute < 60 && after.starts_with('分') && !after.starts_with("分間") {
            self.at += len + '分'.len_utf8();
            return i8::try_from(minute).unwrap_or(0);
        }
        0
    }

    /// ごろ, 付, 現在 belong to the expression.
    fn tail(&mut self) {
        if !self.mention.has_parts() {
            return;
        }
        for word in ["ごろ", "頃", "ころ", "前後", "付け", "付"] {
            if self.take(word) {
                return;
            }
        }
    }

    fn skip_joint(&mut self) {
        if self.rest().starts_with(' ') {
            self.at += 1;
        }
        if self.rest().starts_with('の')
            && self.rest().chars().nth(1).is_some_and(|c| may_begin(c) || season(c).is_some())
        {
            // 来年の3月: の joins; it is taken back if nothing follows.
            let next = self.rest().chars().nth(1).unwrap_or_default();
            if may_begin(next) {
                self.at += 'の'.len_utf8();
            }
        }
    }

    fn unskip_joint(&mut self) {
        while self.text[self.start..self.at].ends_with([' ', 'の']) {
            self.at -= self.text[..self.at].chars().next_back().map_or(0, char::len_utf8);
        }
    }
}

/// 〜6月 after 5: a range whose second end has the unit.
fn is_range_of(after: &str, unit: char, largest: i16) -> bool {
    let Some(rest) = after.strip_prefix(['〜', '-', '・', '、']) else { return false };
    numeral(rest).is_some_and(|second| second.value <= f64::from(largest) && rest[second.len..].starts_with(unit))
}

/// 〜70年代 after 1960: what the second of two years says of the first.
fn first_of_years(after: &str) -> Option<YearSpan> {
    let rest = after.strip_prefix(['〜', '-', '・', '、'])?;
    let second = numeral(rest).filter(|second| second.value < 3000.0)?;
    let rest = rest[second.len..].strip_prefix('年')?;
    match rest.chars().next() {
        Some('代') => Some(YearSpan::Decade),
        Some('度') => Some(YearSpan::Fiscal),
        Some('間' | '前' | '後' | '目') => None,
        _ => Some(YearSpan::Calendar),
    }
}

const fn day_char_len() -> usize {
    '月'.len_utf8()
}

fn season(c: char) -> Option<Part> {
    Some(match c {
        '春' => Part::Spring,
        '夏' => Part::Summer,
        '秋' => Part::Autumn,
        '冬' => Part::Winter,
        _ => return None,
    })
}

fn is_year(year: i16) -> bool {
    (600..=2200).contains(&year)
}

fn valid_day(month: Option<i8>, day: Option<i8>) -> bool {
    month.is_some_and(|month| (1..=12).contains(&month)) && day.is_some_and(|day| (1..=31).contains(&day))
}

/// 10月18日から20日: the second is in the month of the first.
fn inherit(text: &str, previous: &DateMention, mention: &mut DateMention) {
    let between = &text[previous.range.end.min(mention.range.start)..mention.range.start];
    const JOINTS: [&str; 14] =
        ["から", "〜", "-", "と", "・", "、", "および", "及び", "から翌", "、および", ",", "と翌", "から同", "~"];
    let joined = JOINTS.contains(&between.trim());
    if !joined {
        return;
    }
    // 午後3時から9時: the second is in the afternoon, too.
    if let (Some((from, _)), Some((hour, minute))) = (previous.time, mention.time)
        && !mention.time_is_certain
        && from >= 12
        && hour < 12
        && hour + 12 > from
    {
        mention.time = Some((hour + 12, minute));
        mention.time_is_certain = true;
    }
    // 12月26日、木曜日に: the day of the week is that of the day before it.
    if mention.weekday.is_some() && mention.day.is_none() && previous.day.is_some() && previous.weekday.is_none() {
        mention.day = previous.day;
        mention.month = previous.month;
        mention.month_is_inferred = true;
        mention.year = previous.year;
        mention.year_is_inferred = true;
    }
    if mention.day.is_some() && mention.month.is_none() && previous.month.is_some() && previous.day.is_some() {
        mention.month = previous.month;
        mention.month_is_inferred = true;
    }
    if mention.month.is_some() && mention.year.is_none() && previous.year.is_some() {
        // The end of a range in an earlier month lies in the next year.
        let next_year = mention.month < previous.month;
        mention.year = previous.year.map(|year| year + i16::from(next_year));
        mention.year_is_inferred = true;
    }
}

/// Whether the character could be a kanji digit of a day or month, for callers that look for numbers in dates.
pub fn is_date_digit(c: char) -> bool {
    c.is_ascii_digit() || kanji_digit(c).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn found(text: &str) -> Vec<String> {
        let show = |mention: &DateMention| {
            let number = |n: Option<i8>| n.map_or("-".to_owned(), |n| n.to_string());
            let mut shown = format!(
                "{}: {}/{}/{}",
                &text[mention.range.clone()],
                mention.year.map_or("-".to_owned(), |n| n.to_string()),
                number(mention.month),
                number(mention.day)
            );
            if let Some(day) = mention.weekday {
                write!(shown, " w{day}").unwrap();
            }
            if let Some((hour, minute)) = mention.time {
                write!(shown, " {hour}:{minute:02}").unwrap();
            }
            if mention.span_of_years != YearSpan::Calendar {
                write!(shown, " {:?}", mention.span_of_years).unwrap();
            }
            if let Some(part) = mention.part {
                write!(shown, " {part:?}").unwrap();
            }
            shown
        };
        dates(text, Some(civil::date(2025, 6, 30))).iter().map(show).collect()
    }

    #[test]
    fn every_way_of_writing_a_date_is_read() {
        for (text, expected) in [
            ("2025年6月30日に", &["2025年6月30日: 2025/6/30"][..]),
            ("令和七年六月三十日(月)", &["令和七年六月三十日(月): 2025/6/30 w1"]),
            ("令和元年", &["令和元年: 2019/-/-"]),
            ("2025/6/30と2025-06-30", &["2025/6/30: 2025/6/30", "2025-06-30: 2025/6/30"]),
            ("R7.6.30から", &["R7.6.30: 2025/6/30"]),
            ("二〇二五年", &["二〇二五年: 2025/-/-"]),
            ("来年3月に", &["来年3月: 2026/3/-"]),
            ("昨年の11月10日", &["昨年の11月10日: 2024/11/10"]),
            ("今月12日", &["今月12日: 2025/6/12"]),
            ("10月18日から20日まで", &["10月18日: -/10/18", "20日: -/10/20"]),
            ("2025年12月1日から2月末まで", &["2025年12月1日: 2025/12/1", "2月末: 2026/2/- Late"]),
            ("6月30日の午後2時半", &["6月30日: -/6/30", "午後2時半: -/-/- 14:30"]),
            ("午前10時30分から18時まで", &["午前10時30分: -/-/- 10:30", "18時: -/-/- 18:00"]),
            ("14時12分", &["14時12分: -/-/- 14:12"]),
            ("10:30開始", &["10:30: -/-/- 10:30"]),
            ("2026年度に", &["2026年度: 2026/-/- Fiscal"]),
            ("令和8年度中", &["令和8年度中: 2026/-/- Fiscal"]),
            ("1960年代", &["1960年代: 1960/-/- Decade"]),
            ("2026年の秋ごろ", &["2026年の秋ごろ: 2026/-/- Autumn"]),
            ("3月7日の金曜日", &["3月7日の金曜日: -/3/7 w5"]),
            ("水曜日にあたる", &["水曜日: -/-/- w3"]),
            ("9月下旬ごろ", &["9月下旬ごろ: -/9/- Late"]),
            ("論文は6日付で", &["6日付: -/-/6"]),
            ("午後3時から9時まで", &["午後3時: -/-/- 15:00", "9時: -/-/- 21:00"]),
            ("5〜6月に", &["5: -/5/-", "6月: -/6/-"]),
            ("大みそかから2026年元日まで", &["大みそか: -/12/31", "2026年元日: 2026/1/1"]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_counts_and_bare_relative_words_are_no_dates() {
        for text in [
            "3日間",
            "2年間",
            "今年は",
            "10年ぶり",
            "2時間",
            "412人",
            "5か月",
            "1日に3回",
            "三日後",
            "毎日8時間",
            "10年前",
            "2日連続",
            "14日間",
            "三十日つづいた",
            "つなぐ一日",
            "月曜",
        ] {
            let expected: Vec<String> = if text == "月曜" { vec!["月曜: -/-/- w1".to_owned()] } else { vec![] };
            assert_eq!(found(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[0-9一二十年月日時分(). /:\\-令和今来昨曜金の度間R']{0,30}") {
            let mut end = 0;
            for mention in dates(&text, Some(civil::date(2025, 1, 31))) {
                prop_assert!(mention.range.start >= end && text.get(mention.range.clone()).is_some());
                end = mention.range.end;
            }
        }
    }
}
