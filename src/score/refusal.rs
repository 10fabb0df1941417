//! `refusal`: the model did the work. Value 1 or 0; evidence: the sentence in which it declines.
//!
//! A refusal is the model's own and stands at the head, alone or before an offer of something else. Whoever refuses
//! something within the news, or what a spokesperson will not say, is none.

use std::sync::LazyLock;

use regex::Regex;

use super::{Score, Subject};
use crate::property::Property;

/// How many sentences at the head can decline.
const HEAD: usize = 4;
/// A refusal further down counts only in a text as short as this.
const SHORT: usize = 400;

pub(super) fn score(subject: &Subject<'_>) -> Score {
    let passage = &subject.passage;
    let is_short = passage.text.chars().nth(SHORT).is_none();
    let candidates = passage.sentences.iter().take(if is_short { usize::MAX } else { HEAD });
    let declines =
        candidates.map(|sentence| sentence.range.clone()).filter(|range| declines(&passage.text[range.clone()]));
    let found: Vec<_> = declines.take(1).map(|range| (range, "refusal")).collect();
    subject.violations(Property::Refusal, found)
}

/// Whether a sentence, its quotations left out, declines the task.
fn declines(sentence: &str) -> bool {
    static JAPANESE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?:記事|文章|原稿|本文|内容|作成|執筆|生成|回答|お答え|答え|ご要望|ご依頼|ご質問|ご期待|リクエスト|お手伝い|対応|提供|情報|ニュース|URL|リンク|ページ|サイト|インターネット|ウェブ|リアルタイム|トピック|テーマ|件)[^。]{0,30}",
            r"(?:作成|執筆|生成|提供|回答|お答え|対応|お手伝い|お力|お応え|応じ|書く|書き|アクセス|閲覧|確認|参照|取得|まとめ)?[^。]{0,12}",
            r"(?:(?:は|が|も)?できません|(?:は|が|も)?できない(?:ため|ので|です|。|$)|できかねます|できかねる|いたしかねます|致しかねます|しかねます|(?:お|ご)?(?:断り|辞退|遠慮|容赦)|控えさせ|差し控え|見送らせ|添いかねます|応じかねます|ありません(?:ので|ため))",
            r"|お役に立て(?:ず|ません)|お力になれ(?:ず|ません)|ご期待に(?:添|沿|そ)え(?:ず|ません)|書くことは(?:できません|控え)|控えており?ます|^(?:ごめん|すみません|申し訳|残念|うーん|それは|その)[^。]{0,24}(?:書けません|書けないです|作れません|作れないです|お書きできません)|私には(?:できません|わかりません|分かりません)",
        ))
        .expect("a valid pattern")
    });
    static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("(?i)\\b(?:I(?:'m| am) (?:sorry|afraid|unable|not able)|I (?:can(?:no|')?t|cannot|won't|must decline|apologi[sz]e|do not have|don't have)|unfortunately,? I|as an AI)\\b")
        .expect("a valid pattern")
    });
    let own_words = without_quotations(sentence);
    if ENGLISH.is_match(&own_words) {
        return true;
    }
    // Somebody else who cannot: 市は回答できないとしている, 同社は「お答えできません」とした.
    const OF_OTHERS: [&str; 26] = [
        "としています",
        "としている",
        "とした。",
        "としました",
        "と話",
        "と述べ",
        "と説明",
        "と回答",
        "とコメント",
        "という。",
        "といいます",
        "とのこと",
        "そうです",
        "さん",
        "氏",
        "市は",
        "県は",
        "社は",
        "同社",
        "担当者",
        "住民",
        "参加者",
        "利用者",
        "組合",
        "協会は",
        "会社は",
    ];
    JAPANESE.is_match(&own_words) && !OF_OTHERS.iter().any(|words| own_words.contains(words))
}

fn without_quotations(sentence: &str) -> String {
    let mut depth = 0_usize;
    sentence
        .chars()
        .filter(|c| match c {
            '「' | '『' | '“' => {
                depth += 1;
                false
            }
            '」' | '』' | '”' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_models_own_refusal_declines() {
        for (sentence, expected) in [
            ("申し訳ありませんが、この記事を作成することはできません。", true),
            ("恐れ入りますが、ご要望にはお応えできかねます。", true),
            ("最新のニュースにアクセスできないため、お答えできません。", true),
            ("I'm sorry, but I can't help with that.", true),
            ("市の担当者は「個別の件にはお答えできません」と話しました。", false),
            ("詳細は明らかになっていません。", false),
            ("同社は詳しい内容について回答できないとしています。", false),
            ("雨の日は利用できません。", false),
            ("ごめんなさい、そのお話は書けません。", true),
            ("AIである私は、候補者を評価する文章を作成することを控えております。", true),
            ("歌手は “I'm sorry, I can't sing tonight.” と話した。", false),
            ("幼い子は、まだ漢字が書けません。", false),
        ] {
            assert_eq!(declines(sentence), expected, "{sentence}");
        }
    }
}
