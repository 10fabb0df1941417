//! A key, found again in whatever a server echoes, and taken out of it.
//!
//! Promises that a key is known also where it was escaped on its way (JSON, HTML, percent signs, one within another),
//! parted by marks without width, or written in base64. Must be asked before a text is cut: a part is not known any more.

use std::borrow::Cow;
use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// What is shown instead of a key.
const SCRUBBED: &str = "[key]";

/// Shorter keys are not taken out of messages: they would be words that occur by themselves, and no secrets.
const SHORTEST_IN_MESSAGE: usize = 4;

/// Shorter keys are not taken out of answers either: local servers have keys such as `none`.
const SHORTEST_IN_ANSWER: usize = 8;

/// Where a key is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In what a model says, or a success that holds it.
    Answer,
    /// In what a server says went wrong.
    Message,
}

/// A key and the forms in which it may come back.
pub(super) struct Secret {
    key: SecretString,
    in_base64: Vec<SecretString>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([key])")
    }
}

impl Secret {
    pub(super) fn new(key: &str) -> Self {
        let forms = (0..3).flat_map(|offset| [STANDARD, FOR_URLS].map(|digits| base64(key.as_bytes(), offset, digits)));
        let mut forms: Vec<String> = forms.filter(|form| form.len() >= SHORTEST_IN_ANSWER).collect();
        forms.dedup();
        Self { key: key.into(), in_base64: forms.into_iter().map(SecretString::from).collect() }
    }

    /// The key itself, for the header that carries it.
    pub(super) fn expose(&self) -> &str {
        self.key.expose_secret()
    }

    /// The bytes without the key.
    pub(super) fn scrub<'b>(&self, bytes: &'b [u8], place: Place) -> Cow<'b, [u8]> {
        let shortest = match place {
            Place::Answer => SHORTEST_IN_ANSWER,
            Place::Message => SHORTEST_IN_MESSAGE,
        };
        if self.expose().len() < shortest {
            return Cow::Borrowed(bytes);
        }
        let forms = std::iter::once(&self.key).chain(&self.in_base64);
        forms.fold(Cow::Borrowed(bytes), |bytes, form| match replaced(&bytes, form.expose_secret().as_bytes()) {
            Some(scrubbed) => Cow::Owned(scrubbed),
            None => bytes,
        })
    }

    /// The text without the key.
    pub(super) fn scrub_text(&self, text: String, place: Place) -> String {
        match self.scrub(text.as_bytes(), place) {
            Cow::Borrowed(_) => text,
            // What is taken out are whole characters.
            Cow::Owned(scrubbed) => String::from_utf8_lossy(&scrubbed).into_owned(),
        }
    }
}

/// The bytes with every form of `key` replaced; `None` if there is none.
fn replaced(bytes: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut scrubbed = Vec::new();
    let (mut kept, mut at) = (0, 0);
    while at < bytes.len() {
        if let Some(end) = key_at(bytes, at, key) {
            scrubbed.extend_from_slice(&bytes[kept..at]);
            scrubbed.extend_from_slice(SCRUBBED.as_bytes());
            (kept, at) = (end, end);
        } else {
            at += 1;
        }
    }
    if kept == 0 {
        return None;
    }
    scrubbed.extend_from_slice(&bytes[kept..]);
    Some(scrubbed)
}

/// Where the key ends that begins at `at`, if one does.
fn key_at(bytes: &[u8], at: usize, key: &[u8]) -> Option<usize> {
    let (first, rest) = key.split_first()?;
    let end = character_at(bytes, at, *first)?;
    rest.iter().try_fold(end, |at, c| character_at(bytes, after_marks(bytes, at), *c))
}

/// Where one character of a key ends, as it is or escaped.
fn character_at(bytes: &[u8], at: usize, c: u8) -> Option<usize> {
    let first = *bytes.get(at)?;
    let escaped = match first {
        b'\\' => entity_at(bytes, at, c).or_else(|| after_backslash(bytes, at, c)),
        b'%' => percent_at(bytes, at + 1, c),
        b'&' => entity_at(bytes, at, c),
        _ => None,
    };
    escaped.or_else(|| (first == c).then_some(at + 1))
}

/// `\/`, `\u002F`, `\x2f`; each level of escaping doubles the backslashes.
fn after_backslash(bytes: &[u8], at: usize, c: u8) -> Option<usize> {
    let at = after_backslashes(bytes, at);
    match *bytes.get(at)? {
        found if found == c => Some(at + 1),
        b'u' => hexadecimal(bytes, at + 1, 4).filter(|(value, _)| *value == u32::from(c)).map(|(_, end)| end),
        b'x' => hexadecimal(bytes, at + 1, 2).filter(|(value, _)| *value == u32::from(c)).map(|(_, end)| end),
        _ => None,
    }
}

fn after_backslashes(bytes: &[u8], at: usize) -> usize {
    // Nobody escapes five times; a server that sends nothing else is not to be read for hours.
    at + bytes[at..].iter().take(32).take_while(|byte| **byte == b'\\').count()
}

/// `%2F`, or `%252F` where it was escaped twice.
fn percent_at(bytes: &[u8], mut at: usize, c: u8) -> Option<usize> {
    loop {
        let (value, end) = hexadecimal(bytes, at, 2)?;
        if value == u32::from(c) {
            return Some(end);
        }
        if value != u32::from(b'%') {
            return None;
        }
        at = end;
    }
}

/// `&#47;`, `&#x2F;`, `&sol;`, or `&amp;#47;` where it was escaped twice; some write the `&` as `\u0026`.
fn entity_at(bytes: &[u8], at: usize, c: u8) -> Option<usize> {
    let mut at = character_of_entity(bytes, at)?;
    let mut found = None;
    loop {
        found = named_at(bytes, at, c).or_else(|| numbered_at(bytes, at, c)).or(found);
        let Some(rest) = bytes[at..].strip_prefix(b"amp;") else { return found };
        at = bytes.len() - rest.len();
    }
}

fn character_of_entity(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'&') { Some(at + 1) } else { after_backslash(bytes, at, b'&') }
}

fn named_at(bytes: &[u8], at: usize, c: u8) -> Option<usize> {
    const NAMES: [(u8, &[u8]); 19] = [
        (b'&', b"amp;"),
        (b'<', b"lt;"),
        (b'>', b"gt;"),
        (b'"', b"quot;"),
        (b'\'', b"apos;"),
        (b'/', b"sol;"),
        (b'+', b"plus;"),
        (b'=', b"equals;"),
        (b'_', b"lowbar;"),
        (b'.', b"period;"),
        (b':', b"colon;"),
        (b'-', b"hyphen;"),
        (b'!', b"excl;"),
        (b'#', b"num;"),
        (b'$', b"dollar;"),
        (b'%', b"percnt;"),
        (b'*', b"ast;"),
        (b'?', b"quest;"),
        (b'@', b"commat;"),
    ];
    let name = NAMES.iter().find(|(named, name)| *named == c && bytes[at..].starts_with(name));
    name.map(|(_, name)| at + name.len())
}

fn numbered_at(bytes: &[u8], at: usize, c: u8) -> Option<usize> {
    let rest = bytes[at..].strip_prefix(b"#")?;
    let (digits, radix) = match rest.first()? {
        b'x' | b'X' => (&rest[1..], 16),
        _ => (rest, 10),
    };
    let length = digits.iter().take(8).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let value = u32::from_str_radix(std::str::from_utf8(&digits[..length]).ok()?, radix).ok()?;
    let end = bytes.len() - digits.len() + length;
    (value == u32::from(c)).then(|| end + usize::from(bytes.get(end) == Some(&b';')))
}

fn hexadecimal(bytes: &[u8], at: usize, length: usize) -> Option<(u32, usize)> {
    let digits = bytes.get(at..at + length)?;
    let value = digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))?;
    Some((value, at + length))
}

/// Behind marks without width: whoever takes them out of a message would put the key together again.
fn after_marks(bytes: &[u8], mut at: usize) -> usize {
    loop {
        let rest = &bytes[at..];
        let end = match rest {
            [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE, ..] | [0xE2, 0x81, 0xA0..=0xA9, ..] | [0xEF, 0xBB, 0xBF, ..] => {
                Some(at + 3)
            }
            [b'\\', ..] => {
                let at = after_backslashes(bytes, at);
                let escaped = bytes.get(at).filter(|byte| **byte == b'u').and_then(|_| hexadecimal(bytes, at + 1, 4));
                let is_mark = |value| matches!(value, 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF);
                escaped.filter(|(value, _)| is_mark(*value)).map(|(_, end)| end)
            }
            _ => None,
        };
        let Some(end) = end else { return at };
        at = end;
    }
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The digits of base64 that `key` alone decides where `offset` other bytes stand before it in their group of three.
fn base64(key: &[u8], offset: usize, digits: &[u8; 64]) -> String {
    let bytes: Vec<u8> = std::iter::repeat_n(0, offset).chain(key.iter().copied()).collect();
    let bit = |n: usize| usize::from(bytes[n / 8] >> (7 - n % 8) & 1);
    let digit = |n: usize| char::from(digits[(6 * n..6 * n + 6).fold(0, |value, n| value * 2 + bit(n))]);
    ((offset * 8).div_ceil(6)..bytes.len() * 8 / 6).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-ma/rk+er_01&23";

    fn scrub(text: &str) -> String {
        Secret::new(KEY).scrub_text(text.to_owned(), Place::Answer)
    }

    #[test]
    fn a_key_is_known_in_every_form_in_which_it_may_come_back() {
        for form in [
            KEY,
            r"sk-ma\/rk+er_01&23",
            r"sk-ma/rk\u002Ber_01\u002623",
            r"sk\u002dma\u002frk\u002ber\u005f01\u002623",
            r"sk-ma\\/rk\\u002Ber_01\\u002623",
            r"sk-ma\x2frk+er_01&23",
            "sk-ma/rk&#43;er_01&amp;23",
            "sk-ma&#x2F;rk&#x2b;er&lowbar;01&#038;23",
            "sk-ma&amp;#47;rk+er_01&amp;amp;23",
            r"sk-ma\u0026#47;rk\u0026#43;er_01\u0026amp;23",
            "sk-ma%2Frk%2ber_01%2623",
            "sk%252Dma%252Frk%252Ber_01%252623",
            "sk-ma\u{200B}/rk+er\u{FEFF}\u{202E}_01&23",
            r"sk-ma\u200b/rk+er_01\\u2060&23",
        ] {
            assert_eq!(scrub(&format!("a {form} b {form}")), "a [key] b [key]", "{form}");
        }
    }

    #[test]
    fn a_key_in_base64_is_known_wherever_it_stands_in_it() {
        let encode = |text: &str| {
            let padded = format!("{text}{}", "\0".repeat((3 - text.len() % 3) % 3));
            base64(padded.as_bytes(), 0, STANDARD)
        };
        for around in ["", ":", "user:", "u:", "abc"] {
            let form = encode(&format!("{around}{KEY}{around}"));
            let scrubbed = scrub(&form);
            assert!(scrubbed.contains("[key]") && scrubbed.len() < form.len() - 10, "{form}: {scrubbed}");
        }
        assert_eq!(base64(b"Man", 0, STANDARD), "TWFu");
    }

    #[test]
    fn what_is_no_key_stays_as_it_is() {
        for text in [
            "",
            "sk-ma",
            r"sk-ma\",
            "sk-ma%2",
            "sk-ma&#",
            "sk-ma&#4700000000;",
            "%",
            r"\u",
            "量子",
            "sk-mb/rk+er_01&23",
        ] {
            assert_eq!(scrub(text), text);
        }
        assert_eq!(Secret::new(KEY).scrub(b"\xFFsk-ma/rk+er_01&23\xFE", Place::Message).as_ref(), b"\xFF[key]\xFE");
    }

    #[test]
    fn words_that_serve_as_keys_are_left_in_answers() {
        for (key, place, expected) in [
            ("none", Place::Answer, "none of it"),
            ("none", Place::Message, "[key] of it"),
            ("of", Place::Message, "none of it"),
        ] {
            assert_eq!(Secret::new(key).scrub_text("none of it".into(), place), expected);
        }
    }

    #[test]
    fn a_key_is_not_shown_by_debugging() {
        assert!(!format!("{:?}", Secret::new(KEY)).contains("ma/rk"));
    }
}
