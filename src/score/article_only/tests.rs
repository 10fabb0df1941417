//! What belongs to an article and what does not, one answer a row.

use jiff::civil;

use crate::property::Requirements;
use crate::score::Subject;

const ARTICLE: &str =
    "楢原市は、駅前の広場を改修すると発表しました。歩きやすいまちにすることが目的です。工事は冬に始まります。";

/// Kind and words of everything that does not belong to the article.
fn violations(answer: &str) -> Vec<(String, String)> {
    let require = Requirements::default();
    let subject = Subject::new(answer, None, None, &require, civil::date(2026, 1, 1));
    let found = super::score(&subject).evidence;
    found.into_iter().map(|evidence| (evidence.kind.to_string(), evidence.text)).collect()
}

#[test]
fn what_is_not_the_article_is_found_with_its_kind() {
    for (before, after, kind, words) in [
        ("承知しました。以下が記事です。\n\n", "", "preamble", "承知しました"),
        ("# 駅前の広場\n\nはい、承知しました。以下が記事です。\n\n", "", "preamble", "承知しました"),
        ("", "講師は(名前)さんです。", "placeholder", "(名前)"),
        ("", "\n\n以上が記事です。修正が必要な場合はお知らせください。", "closing", "修正が必要な場合"),
        ("```\n", "\n```", "fence", "```"),
        ("<think>短く書こう。</think>\n", "", "thinking", "短く書こう"),
        ("", "詳しくは[担当者名]までお問い合わせください。", "placeholder", "[担当者名]"),
        ("", "開催日は[日付を記入]です。", "placeholder", "[日付を記入]"),
        ("", "主催は〇〇社です。", "placeholder", "〇〇社"),
        ("", "参加者は[参加人数]でした。", "placeholder", "[参加人数]"),
        ("", "<|im_end|>", "label", "<|im_end|>"),
    ] {
        let answer = format!("{before}{ARTICLE}{after}");
        let found = violations(&answer);
        let is_found = found.iter().any(|(found, text)| found == kind && text.contains(words));
        assert!(is_found, "{answer}: {found:?}");
    }
}

#[test]
fn what_speaks_to_the_reader_or_is_part_of_the_news_belongs_to_the_article() {
    for (before, after) in [
        ("", ""),
        ("# 楢原市、駅前の広場を改修\n\n", ""),
        ("", "\n\n皆さんも足を運んでみてはいかがでしょうか。"),
        ("", "\n\nお出かけの際は、足もとにご注意ください。"),
        ("", "市長は「市民[の皆さん]の声を聞いた」と話しました。"),
        ("", "申し込みには、氏名(名前)と住所を書いてください。"),
        ("", "資料は[市の案内](https://example.jp)にあります。"),
    ] {
        let answer = format!("{before}{ARTICLE}{after}");
        assert_eq!(violations(&answer), [], "{answer}");
    }
}
