//! Which evidence speaks against an answer, and the words in which reports quote it.

use crate::report::escape::one_line;
use crate::report::lang::Words;
use crate::score::{Evidence, Score, SpecificVerdict, Verdict};

/// Which way a piece of evidence speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Against the answer: the verdict `fail` rests on it.
    Against,
    /// Neither way: put as a guess, let pass by a waiver, or not to be judged.
    Neutral,
    /// For the answer.
    For,
}

/// Which way a piece of a score's evidence speaks.
pub(crate) fn weight(score: &Score, evidence: &Evidence) -> Weight {
    if evidence.waived.is_some() {
        return Weight::Neutral;
    }
    match (evidence.verdict, score.verdict) {
        (Some(SpecificVerdict::Grounded | SpecificVerdict::Background), _) | (None, Verdict::Pass) => Weight::For,
        (Some(SpecificVerdict::Fabricated), _) | (None, Verdict::Fail) => Weight::Against,
        // Where guesses count as fabrications, they alone can have made a score fail.
        (Some(SpecificVerdict::Hedged), Verdict::Fail) if !has_fabricated(score) => Weight::Against,
        (Some(SpecificVerdict::Hedged), _) | (None, Verdict::Unscored) => Weight::Neutral,
    }
}

fn has_fabricated(score: &Score) -> bool {
    let counts =
        |evidence: &Evidence| evidence.verdict == Some(SpecificVerdict::Fabricated) && evidence.waived.is_none();
    score.evidence.iter().any(counts)
}

/// The evidence that speaks against an answer.
pub(crate) fn against(score: &Score) -> impl Iterator<Item = &Evidence> {
    score.evidence.iter().filter(|evidence| weight(score, evidence) == Weight::Against)
}

/// The longest quotation, in characters.
const LONGEST_QUOTE: usize = 60;

/// The words quoted, in one line and cut in the middle if long: `「約30社」`; what the answer lacks is said to be missing.
pub(crate) fn quote(evidence: &Evidence, words: &Words) -> String {
    let text = in_brackets(&shortened(&one_line(&evidence.text), LONGEST_QUOTE));
    if evidence.span.is_some() { text } else { (words.missing)(&text) }
}

/// The text in Japanese brackets: its own where they hold all of it, else around it, and those within are the inner ones
/// then, as Japanese is written.
pub(crate) fn in_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let mut closes_at = None;
    for (at, c) in text.char_indices() {
        match c {
            '「' | '『' => depth += 1,
            '」' | '』' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            closes_at = Some(at + c.len_utf8());
            break;
        }
    }
    if text.starts_with(['「', '『']) && closes_at == Some(text.len()) {
        return text.to_owned();
    }
    format!("「{}」", text.replace('「', "『").replace('」', "』"))
}

/// What is said about the words: their kind, and why they count; nothing of words whose quotation says that they are missing.
pub(crate) fn remark(evidence: &Evidence, words: &Words) -> String {
    let kind = (words.kind)(&evidence.kind);
    match &evidence.why {
        Some(why) => format!("{kind}: {}", one_line(&(words.reason)(why))),
        None if evidence.span.is_none() => String::new(),
        None => kind.to_owned(),
    }
}

/// The words quoted, with what is said about them.
pub(crate) fn cited(evidence: &Evidence, words: &Words) -> String {
    with_remark(&quote(evidence, words), &remark(evidence, words))
}

/// A quotation with what is said about it, as far as there are both.
pub(crate) fn with_remark(quote: &str, remark: &str) -> String {
    match (quote, remark) {
        ("", only) | (only, "") => only.to_owned(),
        (quote, remark) => format!("{quote} ({remark})"),
    }
}

/// The text with its middle left out if it has more than `most` characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let chars = text.chars().count();
    if chars <= most {
        return text.to_owned();
    }
    let tail = most / 3;
    let head: String = text.chars().take(most - tail - 1).collect();
    let tail: String = text.chars().skip(chars - tail).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::lang::Lang;
    use crate::score::Span;

    fn evidence(verdict: Option<SpecificVerdict>, waived: Option<&str>) -> Evidence {
        Evidence {
            span: Some(Span { start: 0, end: 4 }),
            text: "約30社".to_owned(),
            kind: "number".into(),
            verdict,
            basis: None,
            why: None,
            waived: waived.map(str::to_owned),
        }
    }

    fn score(verdict: Verdict, evidence: Vec<Evidence>) -> Score {
        Score { property: crate::property::Property::NoFabrication, verdict, value: None, reason: None, evidence }
    }

    #[test]
    fn a_failure_rests_on_what_is_fabricated_and_not_waived() {
        use SpecificVerdict::{Fabricated, Grounded, Hedged};
        for (verdict, evidence, weights) in [
            (
                Verdict::Fail,
                vec![
                    evidence(Some(Grounded), None),
                    evidence(Some(Hedged), None),
                    evidence(Some(Fabricated), None),
                    evidence(Some(Fabricated), Some("社内の略称")),
                ],
                vec![Weight::For, Weight::Neutral, Weight::Against, Weight::Neutral],
            ),
            (Verdict::Fail, vec![evidence(Some(Hedged), None)], vec![Weight::Against]),
            (Verdict::Fail, vec![evidence(None, None)], vec![Weight::Against]),
            (
                Verdict::Pass,
                vec![evidence(None, None), evidence(Some(Hedged), None)],
                vec![Weight::For, Weight::Neutral],
            ),
            (Verdict::Unscored, vec![evidence(None, None)], vec![Weight::Neutral]),
        ] {
            let score = score(verdict, evidence);
            let found: Vec<Weight> = score.evidence.iter().map(|evidence| weight(&score, evidence)).collect();
            assert_eq!(found, weights);
        }
    }

    #[test]
    fn a_quotation_is_one_short_line() {
        let long = Evidence { text: "量子\n".repeat(100), ..evidence(None, None) };
        assert_eq!(quote(&long, Lang::En.words()).chars().count(), LONGEST_QUOTE + 2);
        let absent = Evidence { span: None, ..evidence(None, None) };
        assert_eq!(quote(&absent, Lang::En.words()), "missing: 「約30社」");
        assert_eq!(quote(&absent, Lang::Ja.words()), "「約30社」がない");
    }

    #[test]
    fn brackets_are_not_doubled() {
        for (text, expected) in [
            ("約30社", "「約30社」"),
            ("「楽しみ」", "「楽しみ」"),
            ("『雪国』", "『雪国』"),
            ("「楽しみ」と「驚き」", "「『楽しみ』と『驚き』」"),
            ("市長は「楽しみ」と話した。", "「市長は『楽しみ』と話した。」"),
            ("「楽しみ", "「『楽しみ」"),
            ("", "「」"),
        ] {
            assert_eq!(in_brackets(text), expected);
        }
    }
}
