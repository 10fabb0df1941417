//! What is foreign in a Japanese text and what is not, one sentence a row.

use jiff::civil;

use crate::property::Requirements;
use crate::score::Subject;

/// Kind and words of everything foreign.
fn foreign(answer: &str) -> Vec<(String, String)> {
    let require = Requirements::default();
    let subject = Subject::new(answer, None, None, &require, civil::date(2026, 1, 1));
    let found = super::score(&subject).evidence;
    found.into_iter().map(|evidence| (evidence.kind.to_string(), evidence.text)).collect()
}

#[test]
fn every_foreign_run_is_found_with_its_kind() {
    for (sentence, kind, words) in [
        ("この取り組みは地域に大きなimpactを与えます。", "english", "impact"),
        ("動きが注目されます。However, nothing has been decided yet.", "english", "nothing has been decided"),
        ("这项活动将促进两国之间的合作。", "chinese", "这项活动"),
        ("地域の협력が進みます。", "korean", "협력"),
        ("連携が進みть、交流が広がります。", "other", "ть"),
    ] {
        let found = foreign(sentence);
        let is_found = found.iter().any(|(found, text)| found == kind && text.contains(words));
        assert!(is_found, "{sentence}: {found:?}");
    }
}

#[test]
fn names_abbreviations_units_and_addresses_are_not_foreign() {
    for sentence in [
        "AIやIoT、SNSの活用も進んでいます。",
        "容量は5GB、重さは12kgです。",
        "日本貿易振興機構(JETRO)が発表しました。",
        "詳しくは https://example.jp/news をご覧ください。",
        "問い合わせは info@example.jp まで。",
        "国立研究開発法人(National Institute)が参加します。",
        "米国のMicrosoftが参加します。",
    ] {
        assert_eq!(foreign(sentence), [], "{sentence}");
    }
}
