//! Addresses by which somebody can be reached: web addresses, e-mail addresses, telephone numbers.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// The contacts in `text`, in order.
pub(super) fn contacts(text: &str) -> Vec<Range<usize>> {
    static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"https?://[A-Za-z0-9][A-Za-z0-9./?=&%_~#:+,;@-]*|www\.[A-Za-z0-9][A-Za-z0-9./?=&%_~#-]*",
            r"|[A-Za-z0-9._+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z0-9]",
            r"|\+?[0-9]{1,4}-[0-9]{1,4}-[0-9]{3,4}|0[0-9]{1,3}\([0-9]{1,4}\)[0-9]{4}|0120[0-9]{6}|#[0-9]{4}|1[01][0-9]番",
        ))
        .expect("a valid pattern")
    });
    let is_date = |found: &str| {
        found.len() >= 8
            && found.as_bytes()[4] == b'-'
            && found.starts_with(['1', '2'])
            && found.matches('-').count() == 2
    };
    let trimmed = |range: Range<usize>| {
        let found = &text[range.clone()];
        range.start..range.start + found.trim_end_matches(['.', ',', ';', ':']).len()
    };
    PATTERN.find_iter(text).filter(|found| !is_date(found.as_str())).map(|found| trimmed(found.range())).collect()
}
