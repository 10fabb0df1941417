//! What supports reported speech and addresses: the same words in the source.

use std::ops::Range;

use super::source::{Allowed, Finding};
use crate::score::Basis;
use crate::text::Passage;

/// What the case says of reported speech in the answer; brackets, spaces, commas and full stops are no rewording.
pub(super) fn find(allowed: &Allowed<'_>, passage: &Passage<'_>, range: &Range<usize>) -> Finding {
    let wanted = words_only(&passage.text[range.clone()]);
    if let Some(known) = allowed.in_order().find(|known| words_only(&known.passage.text).contains(&wanted)) {
        return Finding::Supported {
            basis: known.basis(Basis::Exact),
            why: format!("word for word in the {}", known.what),
        };
    }
    let nearest = allowed
        .of_source()
        .flat_map(|known| quoted_parts(&known.passage.text))
        .map(|part| (strsim::normalized_levenshtein(&words_only(part), &wanted), part))
        .filter(|(likeness, _)| *likeness > 0.4)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, part)) => Finding::Unsupported {
            basis: Basis::QuoteAltered,
            why: format!("the source has 「{part}」"),
            extended_to: None,
        },
        None => Finding::unsupported("nobody says this in the source"),
    }
}

fn words_only(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !"「」『』\"“”、。,!?・…".contains(*c)).collect()
}

fn quoted_parts(text: &str) -> Vec<&str> {
    text.split('「')
        .skip(1)
        .filter_map(|part| part.split('」').next())
        .filter(|part| part.chars().count() >= 5)
        .collect()
}

/// What the case says of a web address, e-mail address or telephone number in the answer.
pub(super) fn find_contact(allowed: &Allowed<'_>, passage: &Passage<'_>, range: &Range<usize>) -> Finding {
    let wanted = bare_contact(&passage.text[range.clone()]);
    match allowed.in_order().find(|known| bare_contact(&known.passage.text).contains(&wanted)) {
        Some(known) => {
            Finding::Supported { basis: known.basis(Basis::Exact), why: format!("stands in the {}", known.what) }
        }
        None => Finding::unsupported("no such address or number in the source or background"),
    }
}

fn bare_contact(text: &str) -> String {
    let text = text.trim_end_matches(['/', '番']);
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    text.strip_prefix("www.").unwrap_or(text).replace('-', "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_full_stops_are_no_rewording() {
        for text in ["検査を、診療所で受けたい。", "検査を,診療所で受けたい。", "「検査を診療所で受けたい」"]
        {
            assert_eq!(words_only(text), "検査を診療所で受けたい");
        }
        assert_ne!(words_only("1.5倍"), words_only("15倍"));
    }
}
