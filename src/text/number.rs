//! Numbers in Japanese text, whatever they are written in: 1億2,000万, 一億二千万, 二〇二五, 3万5千, 1.2兆, 3分の1.

/// A number and how it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numeral {
    /// Its value.
    pub value: f64,
    /// Its length in bytes.
    pub len: usize,
    /// Whether it is written in digits 0–9, at least in part.
    pub has_digits: bool,
    /// The number of its significant digits.
    pub precision: u32,
    /// Whether it is vague by itself (十数).
    pub is_vague: bool,
}

/// No number has more digits.
const MOST_DIGITS: u32 = 24;

/// The number that `text` (normalised) begins with.
pub fn numeral(text: &str) -> Option<Numeral> {
    let mut parser = Parser::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = if c.is_ascii_digit() { parser.digits(rest) } else { parser.kanji(c, &rest[c.len_utf8()..]) };
        let Some(length) = taken else { break };
        rest = &rest[length..];
    }
    parser.finish(text.len() - rest.len())
}

/// The value of a kanji digit.
pub fn kanji_digit(c: char) -> Option<u32> {
    Some(match c {
        '〇' | '零' => 0,
        '一' | '壱' => 1,
        '二' | '弐' => 2,
        '三' | '参' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn small_unit(c: char) -> Option<f64> {
    Some(match c {
        '十' => 10.0,
        '百' => 100.0,
        '千' => 1000.0,
        _ => return None,
    })
}

fn large_unit(c: char) -> Option<f64> {
    Some(match c {
        '万' => 1e4,
        '億' => 1e8,
        '兆' => 1e12,
        '京' => 1e16,
        _ => return None,
    })
}

/// Whether a number may begin with `c`.
pub fn may_begin(c: char) -> bool {
    c.is_ascii_digit() || kanji_digit(c).is_some() || small_unit(c).is_some()
}

#[derive(Default)]
struct Parser {
    /// What is complete: parts before 万, 億, ….
    total: f64,
    /// What is complete of the present part: thousands, hundreds, tens.
    section: f64,
    /// The digits since the last unit.
    digits: Option<f64>,
    has_digits: bool,
    is_vague: bool,
    last_was_kanji_digit: bool,
    /// The unit of the part that was completed last: the next must be smaller.
    last_large: Option<f64>,
    last_small: Option<f64>,
    /// How many digits were read, and how many of them end in zeros.
    read: u32,
    trailing_zeros: u32,
}

impl Parser {
    /// Digits with thousands separators and a decimal point.
    fn digits(&mut self, text: &str) -> Option<usize> {
        if self.digits.is_some() {
            return None;
        }
        let bytes = text.as_bytes();
        let run = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut end = run(0);
        let mut digits: String = text[..end].to_owned();
        // A comma belongs to the number only before exactly three digits.
        while end <= 12 && bytes.get(end) == Some(&b',') && run(end + 1) == 3 && digits.len() <= 15 {
            digits.push_str(&text[end + 1..end + 4]);
            end += 4;
        }
        if bytes.get(end) == Some(&b'.') && run(end + 1) > 0 {
            let decimals = run(end + 1);
            digits.push_str(&text[end..=end + decimals]);
            end += 1 + decimals;
        }
        if digits.len() > MOST_DIGITS as usize {
            return None;
        }
        let has_point = digits.contains('.');
        self.note_digits(&digits, has_point);
        self.digits = digits.parse().ok();
        self.has_digits = true;
        self.last_was_kanji_digit = false;
        Some(end)
    }

    fn note_digits(&mut self, digits: &str, has_point: bool) {
        for c in digits.chars().filter(char::is_ascii_digit) {
            if self.read == 0 && c == '0' {
                continue;
            }
            self.read += 1;
            self.trailing_zeros = if c == '0' && !has_point { self.trailing_zeros + 1 } else { 0 };
        }
    }

    fn kanji(&mut self, c: char, rest: &str) -> Option<usize> {
        if let Some(digit) = kanji_digit(c) {
            return self.kanji_digit(c, digit, rest);
        }
        if let Some(unit) = small_unit(c) {
            if self.last_small.is_some_and(|last| unit >= last) {
                return None;
            }
            self.section += self.digits.take().unwrap_or(1.0) * unit;
            if self.read == 0 {
                self.read = 1;
            }
            self.last_small = Some(unit);
            self.last_was_kanji_digit = false;
            // 十数社: more than ten, nobody says how many.
            if rest.starts_with('数') && unit == 10.0 {
                self.is_vague = true;
                return Some(c.len_utf8() + '数'.len_utf8());
            }
            return Some(c.len_utf8());
        }
        let unit = large_unit(c)?;
        if (self.section == 0.0 && self.digits.is_none()) || self.last_large.is_some_and(|last| unit >= last) {
            return None;
        }
        self.total += (self.section + self.digits.take().unwrap_or(0.0)) * unit;
        self.section = 0.0;
        self.last_small = None;
        self.last_large = Some(unit);
        self.last_was_kanji_digit = false;
        Some(c.len_utf8())
    }

    fn kanji_digit(&mut self, c: char, digit: u32, rest: &str) -> Option<usize> {
        // 参 壱 弐 are numbers only in amounts: 参加 is none.
        if self.read >= MOST_DIGITS
            || matches!(c, '参' | '壱' | '弐') && !rest.starts_with(['万', '千', '百', '拾', '円'])
        {
            return None;
        }
        let digit_value = f64::from(digit);
        match self.digits {
            Some(value) if self.last_was_kanji_digit => self.digits = Some(value * 10.0 + digit_value),
            Some(_) => return None,
            None => self.digits = Some(digit_value),
        }
        self.last_was_kanji_digit = true;
        self.note_digits(&digit.to_string(), false);
        // 二・五 is 2.5.
        let decimals: String = rest
            .strip_prefix('・')
            .map(|rest| rest.chars().map_while(kanji_digit).map(|digit| digit.to_string()).collect())
            .unwrap_or_default();
        if decimals.is_empty() || decimals.len() > 4 || self.digits.is_some_and(|value| value >= 10.0) {
            return Some(c.len_utf8());
        }
        let value: f64 = format!("0.{decimals}").parse().ok()?;
        self.digits = self.digits.map(|digits| digits + value);
        self.note_digits(&decimals, true);
        self.last_was_kanji_digit = false;
        let length: usize = rest.chars().skip(1).take(decimals.len()).map(char::len_utf8).sum();
        Some(c.len_utf8() + '・'.len_utf8() + length)
    }

    fn finish(self, len: usize) -> Option<Numeral> {
        let value = self.total + self.section + self.digits.unwrap_or(0.0);
        // 〇〇 alone stands for something left out.
        let is_something = self.read > 0 || (self.digits.is_some() && self.has_digits);
        is_something.then_some(Numeral {
            value,
            len,
            has_digits: self.has_digits,
            precision: self.read.saturating_sub(self.trailing_zeros).max(1),
            is_vague: self.is_vague,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_ways_of_writing_give_the_value() {
        for (text, value, rest) in [
            ("一億二千万", 1.2e8, ""),
            ("1億2,000万円", 1.2e8, "円"),
            ("12億5千万", 12.5e8, ""),
            ("3万5千人", 35000.0, "人"),
            ("1.2兆", 1.2e12, ""),
            ("二〇二五年", 2025.0, "年"),
            ("七百二十", 720.0, ""),
            ("一二か所", 12.0, "か所"),
            ("百二十億", 120e8, ""),
            ("千二百三十四万五千六百七十八", 12_345_678.0, ""),
            ("2,400トン", 2400.0, "トン"),
            ("2,40", 2.0, ",40"),
            ("10.5%", 10.5, "%"),
            ("1.", 1.0, "."),
            ("十数店", 10.0, "店"),
            ("二・五倍", 2.5, "倍"),
            ("9兆2,000億", 9.2e12, ""),
            ("三千", 3000.0, ""),
            ("10十", 100.0, ""),
        ] {
            let found = numeral(text).unwrap();
            assert!((found.value - value).abs() < 1e-6 * value, "{text}: {}", found.value);
            assert_eq!(&text[found.len..], rest);
        }
        for text in ["参加", "万博", "億", "社", "〇〇", ""] {
            assert_eq!(numeral(text), None, "{text}");
        }
    }

    #[test]
    fn a_run_of_numerals_without_end_is_cut() {
        let endless = "一".repeat(1000);
        assert_eq!(numeral(&endless).unwrap().len, 24 * '一'.len_utf8());
        assert_eq!(numeral(&"1".repeat(1000)), None);
    }

    #[test]
    fn significant_digits_are_counted() {
        for (text, precision) in
            [("1,500", 2), ("1億2,000万", 2), ("412", 3), ("10.0", 3), ("三千", 1), ("七百二十", 2), ("2025", 4)]
        {
            assert_eq!(numeral(text).unwrap().precision, precision, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[0-9,.一二三〇十百千万億兆・数]{0,40}") {
            if let Some(found) = numeral(&text) {
                prop_assert!(text.is_char_boundary(found.len) && found.len > 0);
            }
        }
    }
}
