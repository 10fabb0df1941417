//! In Japanese what the scorers and the engine say in English: kinds of evidence, what was found of specifics, reasons.
//!
//! The journal and the CSV files keep one wording, whatever the language of a report. What is not known here, such as a
//! server's message, stays as it was said, so that it can be looked up.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::score::{Basis, SpecificVerdict};

/// A kind of evidence in Japanese.
pub(super) fn japanese_kind(kind: &str) -> &str {
    KINDS.iter().find(|(english, _)| *english == kind).map_or(kind, |(_, japanese)| japanese)
}

/// What was found of a specific, in Japanese.
pub(super) const fn japanese_specific(verdict: SpecificVerdict) -> &'static str {
    match verdict {
        SpecificVerdict::Grounded => "裏付けあり",
        SpecificVerdict::Background => "背景知識",
        SpecificVerdict::Hedged => "推測の表現",
        SpecificVerdict::Fabricated => "裏付けなし",
    }
}

/// How that was found, in Japanese.
pub(super) const fn japanese_basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Exact => "完全一致",
        Basis::Normalised => "表記違い",
        Basis::Alias => "別名",
        Basis::Computed => "計算",
        Basis::Background => "背景知識",
        Basis::Hedge => "推測",
        Basis::Unsupported => "記載なし",
        Basis::Contradicted => "矛盾",
        Basis::QuoteAltered => "引用の改変",
    }
}

/// A reason in Japanese: of a score, of a piece of evidence, of a missing answer.
pub(super) fn japanese_reason(reason: &str) -> Cow<'_, str> {
    if let Some(phrase) = japanese_phrase(reason) {
        return Cow::Owned(phrase);
    }
    let parts: Option<Vec<String>> = reason.split("; ").map(japanese_phrase).collect();
    parts.map_or(Cow::Borrowed(reason), |parts| Cow::Owned(parts.join("、")))
}

fn japanese_phrase(reason: &str) -> Option<String> {
    static PHRASES: LazyLock<Vec<(Regex, Phrase)>> = LazyLock::new(|| {
        PHRASES_OF
            .iter()
            .map(|(english, japanese)| (Regex::new(english).expect("a valid pattern"), *japanese))
            .collect()
    });
    let placed = with_places(reason);
    PHRASES.iter().find_map(|(english, japanese)| Some(japanese(&english.captures(&placed)?)))
}

/// What scorers and people say of each other's marks, in Japanese.
pub(super) fn japanese_note(note: &str) -> Cow<'_, str> {
    const ABSENT: &str = "these words do not stand in the text";
    if note == ABSENT {
        return Cow::Borrowed("この語句は文章にありません");
    }
    if let Some(said) = note.strip_prefix("the scorer says ") {
        return Cow::Owned(format!("採点器の判断は{}", japanese_remark(said)));
    }
    let (own, people) = match note.split_once("people say ") {
        Some((own, people)) => (own.trim_end_matches("; "), Some(japanese_remark(people))),
        None => (note, None),
    };
    let own = Some(own).filter(|own| !own.is_empty()).map(japanese_remark);
    let people = people.map(|people| format!("人の判断は{people}"));
    Cow::Owned(own.into_iter().chain(people).collect::<Vec<_>>().join("、"))
}

/// `hedged: why`, `unsupported: why: waived: reason`.
fn japanese_remark(said: &str) -> String {
    let waived = said.split_once("waived: ").map(|(before, reason)| (before.trim_end_matches(": "), reason));
    let (said, waived) = waived.map_or((said, None), |(before, reason)| (before, Some(format!("例外({reason})"))));
    let (head, why) = said.split_once(": ").map_or((said, None), |(head, why)| (head, Some(why)));
    let verdict = SPECIFIC_VERDICTS.into_iter().find(|known| known.name() == head).map(japanese_specific);
    let basis = || BASES.into_iter().find(|known| known.name() == head).map(japanese_basis);
    match verdict.or_else(basis) {
        Some(head) => {
            let why = why.map(|why| japanese_reason(why).into_owned());
            std::iter::once(head.to_owned()).chain(why).chain(waived).collect::<Vec<_>>().join(": ")
        }
        None => {
            Some(japanese_reason(said).into_owned()).filter(|said| !said.is_empty()).into_iter().chain(waived).collect()
        }
    }
}

const BASES: [Basis; 9] = [
    Basis::Exact,
    Basis::Normalised,
    Basis::Alias,
    Basis::Computed,
    Basis::Background,
    Basis::Hedge,
    Basis::Unsupported,
    Basis::Contradicted,
    Basis::QuoteAltered,
];

const SPECIFIC_VERDICTS: [SpecificVerdict; 4] =
    [SpecificVerdict::Grounded, SpecificVerdict::Background, SpecificVerdict::Hedged, SpecificVerdict::Fabricated];

/// Says in Japanese what was found.
type Phrase = fn(&Captures<'_>) -> String;

/// Where quoted words stand: `「30社」(見出し)` for `「30社」 in the title`.
fn with_places(reason: &str) -> String {
    let placed = TEXTS.iter().fold(reason.to_owned(), |text, (english, japanese)| {
        text.replace(&format!("」 in the {english}"), &format!("」({japanese})"))
    });
    placed.replace("」 before it", "」(直前)").replace("the day of publication", "公開日")
}

/// The name of a text of the case.
fn text_name<'n>(found: &Captures<'n>) -> &'n str {
    let name = found.get(1).map_or("", |name| name.as_str());
    TEXTS.iter().find(|(english, _)| *english == name).map_or(name, |(_, japanese)| japanese)
}

const TEXTS: [(&str, &str); 5] =
    [("title", "見出し"), ("publisher", "発表元"), ("body", "本文"), ("facts", "事実"), ("background", "背景知識")];

/// Why the nearest sentence does not cover a topic.
const WHY_NOT: [(&str, &str); 5] = [
    ("is a heading", "見出しです"),
    ("is about something else than this news", "このニュース以外のことを述べています"),
    ("adds little to the headline", "見出しにない内容がほとんどありません"),
    ("tells of no action", "具体的な行動を述べていません"),
    ("does not say it plainly", "はっきりとは述べていません"),
];

const KINDS: [(&str, &str); 39] = [
    ("english", "英語"),
    ("chinese", "中国語"),
    ("korean", "韓国語"),
    ("other", "ほかの言語"),
    ("romaji", "ローマ字"),
    ("mojibake", "文字化け"),
    ("preamble", "前置き"),
    ("closing", "結びの呼びかけ"),
    ("meta", "記事についての説明"),
    ("label", "ラベル"),
    ("fence", "囲みの記号"),
    ("alternatives", "別案"),
    ("placeholder", "未記入の箇所"),
    ("prompt_echo", "指示文の写し"),
    ("thinking", "思考の過程"),
    ("purpose", "目的"),
    ("activities", "取り組み"),
    ("significance", "意義"),
    ("date", "日付"),
    ("number", "数値"),
    ("money", "金額"),
    ("percent", "割合"),
    ("person", "人名"),
    ("organization", "組織名"),
    ("place", "地名"),
    ("name", "名称"),
    ("quote", "発言"),
    ("contact", "連絡先"),
    ("found", "該当"),
    ("missing", "不足"),
    ("long_sentence", "長い文"),
    ("longest_sentence", "最も長い文"),
    ("kanji_run", "漢字の連続"),
    ("refusal", "拒否"),
    ("polite", "です・ます調"),
    ("plain", "だ・である調"),
    ("loop", "繰り返し"),
    ("broken_end", "途切れた文末"),
    ("insert", "挿入の指示"),
];

/// The longer phrases before those that are also part of them.
const PHRASES_OF: [(&str, Phrase); 50] = [
    ("^the text is empty$", |_| "文章が空です".to_owned()),
    // covers_*
    ("^without a source it cannot be told what the news is$", |_| {
        "元のニュースがないため、何のニュースか分かりません".to_owned()
    }),
    (r"(?s)^no sentence says the (\w+) of this news; the nearest is (「.*」), but that (.*)$", |found| {
        let why = WHY_NOT.iter().find(|(english, _)| *english == &found[3]).map_or(&found[3], |(_, japanese)| japanese);
        format!(
            "このニュースの{}を述べた文がありません。最も近い文は{}ですが、{why}",
            japanese_kind(&found[1]),
            &found[2]
        )
    }),
    // As journals of before have it.
    (r"(?s)^no sentence says the (\w+) of this news; the nearest is (「.*」)$", |found| {
        format!("このニュースの{}を述べた文がありません。最も近い文は{}", japanese_kind(&found[1]), &found[2])
    }),
    (r"^no sentence says the (\w+) of this news$", |found| {
        format!("このニュースの{}を述べた文がありません", japanese_kind(&found[1]))
    }),
    ("(?s)^missing key points: (.*)$", |found| format!("要点の不足: {}", &found[1])),
    // length, contains, matches
    (r"^(\d+) characters, at least (\d+) are required$", |found| {
        format!("{}文字しかありません({}文字以上が必要)", &found[1], &found[2])
    }),
    (r"^(\d+) characters, at most (\d+) are allowed$", |found| {
        format!("{}文字あります({}文字まで)", &found[1], &found[2])
    }),
    ("(?s)^missing: (.*)$", |found| format!("不足: {}", &found[1])),
    // readability
    ("^there is no sentence to measure$", |_| "測れる文がありません".to_owned()),
    (r"^(\d+) of the sentences longer than (\d+) characters$", |found| {
        format!("{}文字を超える文が{}つ", &found[2], &found[1])
    }),
    (r"^estimated jReadability (\S+) below (\S+)$", |found| {
        format!("読みやすさの推定値{}が基準の{}未満", &found[1], &found[2])
    }),
    (r"^(\d+) characters a sentence$", |found| format!("1文あたり{}文字", &found[1])),
    (r"^(\d+) % of the kanji beyond primary school$", |found| format!("小学校で習わない漢字が{}%", &found[1])),
    // no_fabrication: nothing supports it
    ("^without a source nothing can be checked$", |_| "元のニュースがないため、確かめられません".to_owned()),
    ("(?s)^no (「.*」) nor an equal amount in the source or background$", |found| {
        format!("元のニュースにも背景知識にも、{}やそれと等しい数量がありません", &found[1])
    }),
    ("(?s)^no (「.*」) in the source, its aliases or background$", |found| {
        format!("元のニュースにも別名・背景知識にも、{}がありません", &found[1])
    }),
    ("^no such date in the source or background$", |_| "元のニュースにも背景知識にも、この日付がありません".to_owned()),
    ("^no such address or number in the source or background$", |_| {
        "元のニュースにも背景知識にも、この連絡先がありません".to_owned()
    }),
    ("^nobody says this in the source$", |_| "元のニュースに、この発言はありません".to_owned()),
    ("^nothing in the source supports it$", |_| "元のニュースに裏付けがありません".to_owned()),
    (r"(?s)^the (\w+) says the opposite of it: (「.*」)$", |found| {
        format!("{}では逆のことを述べています: {}", text_name(found), &found[2])
    }),
    ("(?s)^the source has (「.*)$", |found| format!("元のニュースでは{}", &found[1])),
    // no_fabrication: what supports it
    ("^the time of publication, (.*)$", |found| format!("公開日時({})", &found[1])),
    ("(?s)^a listed alias of (「.*」)$", |found| format!("登録された別名({})", &found[1])),
    (r"^the school year in the (\w+)$", |found| format!("{}にある学年", text_name(found))),
    (r"^the days of the week in the (\w+)$", |found| format!("{}にある曜日", text_name(found))),
    ("^the two people of the source$", |_| "元のニュースに出てくる二人".to_owned()),
    (r"^word for word in the (\w+)$", |found| format!("{}に一字一句同じ言葉", text_name(found))),
    (r"^stands in the (\w+)$", |found| format!("{}に記載", text_name(found))),
    ("(?s)^short for (「.*)$", |found| format!("{}の略", &found[1])),
    ("(?s)^from (.*) to (.*)$", |found| format!("{}から{}まで", &found[1], &found[2])),
    ("(?s)^(「.*) × 12 months$", |found| format!("{} × 12か月", &found[1])),
    ("(?s)^an hour ÷ (「.*)$", |found| format!("1時間 ÷ {}", &found[1])),
    ("(?s)^(「.*) less (「.*)$", |found| format!("{}から{}を引いた値", &found[1], &found[2])),
    ("(?s)^(「.*) plus (「.*)$", |found| format!("{}に{}を足した値", &found[1], &found[2])),
    ("(?s)^(「.*) before it grew by (「.*)$", |found| format!("{}の、{}増える前の値", &found[1], &found[2])),
    ("(?s)^(「.*) before it shrank by (「.*)$", |found| format!("{}の、{}減る前の値", &found[1], &found[2])),
    // no_fabrication: guesses
    ("(?s)^hedged by (「.*」) in its sentence$", |found| format!("文中の{}による推測", &found[1])),
    (r"(?s)^hedged by (「.*」)\(直前\)$", |found| format!("直前の{}による推測", &found[1])),
    (r"(?s)^part of a supposition \((「.*」)\)$", |found| format!("仮定の一部({})", &found[1])),
    ("(?s)^in a list led in by (「.*」)$", |found| format!("{}に続く列挙の一部", &found[1])),
    // Words with their place and sums of such need no more than that.
    (r"(?s)^((?:100% − )?「.*[)」])$", |found| found[1].to_owned()),
    // No answer
    ("^the answer was blocked(: .*)?$", |found| format!("回答がブロックされました{}", rest(found))),
    ("^the model refused to answer(: .*)?$", |found| format!("モデルが回答を拒否しました{}", rest(found))),
    ("^the token limit was reached before any text(: .*)?$", |found| {
        format!("本文が始まる前にトークンの上限に達しました{}", rest(found))
    }),
    ("^the model called a tool instead of answering(: .*)?$", |found| {
        format!("モデルが回答の代わりにツールを呼び出しました{}", rest(found))
    }),
    ("^the answer is empty(: .*)?$", |found| format!("回答が空です{}", rest(found))),
    // Prices
    ("^the price was valid until (.*)$", |found| format!("料金の有効期限は{}でした", &found[1])),
    ("^the case has no source$", |_| "ケースに元のニュースがありません".to_owned()),
];

/// What the server said beside it.
fn rest<'f>(found: &'f Captures<'_>) -> &'f str {
    found.get(1).map_or("", |rest| rest.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::item::Item;
    use crate::property::{Property, Requirements};
    use crate::score::{Subject, score};

    /// The words of ours in a text: what stands in brackets is quoted.
    fn unquoted(text: &str) -> String {
        let mut depth = 0;
        let is_ours = |c: &char| {
            depth += i32::from("「『".contains(*c)) - i32::from("」』".contains(*c));
            depth == 0
        };
        text.chars().filter(is_ours).collect()
    }

    fn is_ours(c: char) -> bool {
        c.is_ascii_alphabetic()
    }

    #[test]
    fn everything_that_scorers_say_is_said_in_japanese() {
        let items = include_str!("../../tests/corpus/articles-seen.jsonl")
            .lines()
            .chain(include_str!("../../tests/corpus/short-seen.jsonl").lines());
        let require = Requirements::default();
        let mut untold = BTreeSet::new();
        for line in items.step_by(6) {
            let item = Item::parse(line).unwrap();
            for source in [item.source.as_ref(), None] {
                let subject = Subject::new(&item.output, source, None, &require, date(2026, 1, 1));
                for score in Property::ALL.map(|property| score(property, &subject)) {
                    let kinds = score.evidence.iter().map(|evidence| japanese_kind(&evidence.kind).to_owned());
                    let whys = score.evidence.iter().filter_map(|evidence| evidence.why.as_ref());
                    let said = whys.chain(&score.reason).map(|reason| japanese_reason(reason).into_owned());
                    untold.extend(
                        said.chain(kinds).filter(|said| unquoted(said).replace("jReadability", "").contains(is_ours)),
                    );
                }
            }
        }
        assert!(untold.is_empty(), "{untold:#?}");
    }

    #[test]
    fn notes_on_marks_are_said_in_japanese() {
        for (english, japanese) in [
            ("these words do not stand in the text", "この語句は文章にありません"),
            ("the scorer says hedged: hedged by 「約」 before it", "採点器の判断は推測の表現: 直前の「約」による推測"),
            ("unsupported; people say grounded", "記載なし、人の判断は裏付けあり"),
            ("people say hedged", "人の判断は推測の表現"),
            (
                "unsupported: no such date in the source or background",
                "記載なし: 元のニュースにも背景知識にも、この日付がありません",
            ),
            ("the scorer says waived: 社名", "採点器の判断は例外(社名)"),
        ] {
            assert_eq!(japanese_note(english), japanese);
        }
    }

    #[test]
    fn reasons_read_as_a_japanese_editor_would_write_them() {
        for (english, japanese) in [
            (
                "no sentence says the purpose of this news; the nearest is 「会が開かれました。」",
                "このニュースの目的を述べた文がありません。最も近い文は「会が開かれました。」",
            ),
            (
                "no sentence says the activities of this news; the nearest is 「会が開かれました。」, but that adds little to the headline",
                "このニュースの取り組みを述べた文がありません。最も近い文は「会が開かれました。」ですが、見出しにない内容がほとんどありません",
            ),
            (
                "no 「30社」 nor an equal amount in the source or background",
                "元のニュースにも背景知識にも、「30社」やそれと等しい数量がありません",
            ),
            ("the source has 「9,600世帯」 in the body", "元のニュースでは「9,600世帯」(本文)"),
            ("「イリノイ州」 in the title", "「イリノイ州」(見出し)"),
            ("「竹富町」 in the title, 「町立図書館」 in the body", "「竹富町」(見出し), 「町立図書館」(本文)"),
            ("from 「9月12日」 in the body to the day of publication", "「9月12日」(本文)から公開日まで"),
            ("「50人」 in the body ÷ 「20人」 before it", "「50人」(本文) ÷ 「20人」(直前)"),
            ("the time of publication, 2025-06-30 07:00", "公開日時(2025-06-30 07:00)"),
            ("hedged by 「かもしれません」 in its sentence", "文中の「かもしれません」による推測"),
            ("hedged by 「約」 before it", "直前の「約」による推測"),
            ("55 characters, at least 200 are required", "55文字しかありません(200文字以上が必要)"),
            (
                "2 of the sentences longer than 110 characters; 61 characters a sentence; 12 % of the kanji beyond primary school",
                "110文字を超える文が2つ、1文あたり61文字、小学校で習わない漢字が12%",
            ),
            ("the answer was blocked: SAFETY", "回答がブロックされました: SAFETY"),
            ("quota (429): Resource has been exhausted", "quota (429): Resource has been exhausted"),
        ] {
            assert_eq!(japanese_reason(english), japanese);
        }
    }
}
