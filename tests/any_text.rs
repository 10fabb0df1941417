//! Every scorer against any text: none panics, every span lies within the answer and is verbatim, and the same text is
//! judged the same twice. Besides plain Unicode, texts are put together from what the scorers look for.

use evalrun::case::Source;
use evalrun::property::{Property, Requirements};
use evalrun::score::{Subject, score};
use jiff::civil::date;
use proptest::prelude::*;

/// Pieces that rules look for, whole and broken, to be set side by side in every order.
const PIECES: [&str; 72] = [
    "2025年",
    "令和7年",
    "６月",
    "30日",
    "（月）",
    "午後3時",
    "約",
    "30",
    "社",
    "％",
    "1.5",
    "兆",
    "億円",
    "万",
    "千",
    "百二十",
    "〇",
    "３分の１",
    "割",
    "〜",
    "から",
    "まで",
    "以上",
    "未満",
    "ドル",
    "＄",
    "kg",
    "㎞",
    "㈱",
    "株式会社",
    "大学",
    "教授",
    "さん",
    "山田太郎",
    "シカゴ",
    "「",
    "」",
    "『",
    "』",
    "“",
    "\"",
    "と話しました。",
    "例えば",
    "とみられます。",
    "でしょう。",
    "もし",
    "目的は",
    "ため、",
    "今回",
    "です。",
    "ました。",
    "である。",
    "\n",
    "\n\n",
    "# ",
    "- ",
    "1. ",
    "> ",
    "```",
    "<think>",
    "</think>",
    "| a | b |",
    "{\"記事\": \"",
    "Furthermore, ",
    "们进行",
    "한국",
    "\u{fffd}",
    "\u{200b}",
    "か\u{3099}",
    "ｶﾞ",
    "https://example.jp/?q=１",
    "090-1234-5678",
];

fn any_text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60).prop_map(|pieces| pieces.concat());
    let mixed = prop::collection::vec(prop_oneof![4 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)], 0..60)
        .prop_map(|pieces| pieces.concat());
    let repeated = (prop::sample::select(&PIECES[..]), prop::sample::select(&PIECES[..]), 0_usize..200)
        .prop_map(|(a, b, times)| [a, b].concat().repeat(times));
    let chars = prop::collection::vec(any::<char>(), 0..200).prop_map(String::from_iter);
    prop_oneof![3 => pieces, 3 => mixed, 1 => repeated, 2 => chars]
}

fn any_source() -> impl Strategy<Value = Source> {
    (any_text(), any_text(), prop::option::of(any_text())).prop_map(|(publisher, title, body)| {
        serde_json::from_value(serde_json::json!({
            "published_at": "2025-06-30T07:00:00+09:00", "publisher": publisher, "title": title, "body": body,
            "background": [title, ""], "facts": [""], "aliases": [[publisher, ""], []],
        }))
        .expect("a source")
    })
}

proptest! {
    #[test]
    fn spans_are_verbatim_and_nothing_panics(
        answer in any_text(), source in prop::option::of(any_source()), prompt in prop::option::of(any_text()),
    ) {
        let require = Requirements::default();
        let subject = || Subject::new(&answer, source.as_ref(), prompt.as_deref(), &require, date(2026, 1, 1));
        let (first, second) = (subject(), subject());
        let chars: Vec<char> = answer.chars().collect();
        for property in Property::ALL {
            let judged = score(property, &first);
            prop_assert_eq!(&judged, &score(property, &second));
            let measured = matches!(property, Property::Length | Property::Readability);
            let in_range = |value: f64| value.is_finite() && (measured || (0.0..=1.0).contains(&value));
            prop_assert!(judged.value.is_none_or(in_range), "{:?}", judged);
            for evidence in &judged.evidence {
                if let Some(span) = evidence.span {
                    prop_assert!(span.start <= span.end && span.end <= chars.len(), "{:?}", evidence);
                    prop_assert_eq!(chars[span.start..span.end].iter().collect::<String>(), evidence.text.as_str());
                }
            }
        }
    }
}
