//! The words of the page in English and Japanese, by the keys under which its template and its scripts know them.
//!
//! `{n}` and the like are gaps that the scripts fill. Names that stand in files are the same in both languages; a property
//! has beside its name a label that says what it asks for.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::property::Property;
use crate::report::lang::Lang;
use crate::report::names::label;

/// A key with its words in English and Japanese.
pub(super) type Word = (&'static str, [&'static str; 2]);

/// All of them, by the part of the page that shows them.
pub(super) const WORDS: &[Word] = &[
    // The page as a whole.
    ("title", ["Run report", "実行レポート"]),
    (
        "no_script",
        [
            "This page needs JavaScript. The same figures stand in summary.md, the answers in diff.html.",
            "このページの表示にはJavaScriptが必要です。数値はsummary.md、回答はdiff.htmlでも読めます。",
        ],
    ),
    ("theme", ["Light or dark", "明暗の切り替え"]),
    ("skip", ["Skip to the answers", "回答の一覧へ"]),
    ("started", ["started {time}", "{time} 開始"]),
    (
        "unfinished",
        [
            "The run did not come to its end: {done} of {all} trials have an outcome.",
            "この実行は完了していません。全{all}試行のうち、結果があるのは{done}試行です。",
        ],
    ),
    ("rescored", ["answers of {run}, judged anew", "{run} の回答を採点し直したもの"]),
    (
        "made_by",
        [
            "evalrun {tool} · scorers {scorers} · plan {plan}",
            "evalrun {tool} · 採点器のバージョン {scorers} · 計画 {plan}",
        ],
    ),
    ("commit", ["commit {commit}", "コミット {commit}"]),
    // Statuses.
    ("passed", ["passed", "合格"]),
    ("failed", ["failed", "不合格"]),
    ("undecided", ["undecided", "判定保留"]),
    ("errored", ["errored", "エラー"]),
    ("skipped", ["skipped", "未実施"]),
    ("pass", ["pass", "合格"]),
    ("fail", ["fail", "不合格"]),
    ("unscored", ["unscored", "判定保留"]),
    ("not_required", ["not required", "対象外"]),
    ("truncated", ["TRUNCATED", "途中で打ち切り"]),
    ("no_answer", ["no answer", "回答なし"]),
    // Summary.
    ("summary", ["Summary", "まとめ"]),
    ("all", ["everything required", "すべての項目"]),
    ("rates", ["Pass rate, 95 % interval", "合格率(95%区間)"]),
    (
        "rates_note",
        [
            "Passed of those that passed or failed (Wilson). Undecided and errored trials are no part of a rate and stand beside it.",
            "合格か不合格かを判定できたもののうち、合格した割合です(Wilson法)。判定保留とエラーは合格率に含めず、併記しています。",
        ],
    ),
    (
        "repeats_note",
        [
            "Rates are over cases: a case passes if all its repeats pass.",
            "合格率はケース単位です。繰り返しのすべてで合格したケースだけを合格とします。",
        ],
    ),
    (
        "sources_note",
        [
            "Cases of one source are not counted as if they were independent.",
            "同じニュースに基づくケースは、独立したものとしては数えません。",
        ],
    ),
    ("rate_line", ["{passed}/{decided} {percent} % ({low}–{high})", "{passed}/{decided} {percent}%({low}〜{high})"]),
    ("beside", ["{n} {status}", "{status} {n}"]),
    ("by_property", ["Rates by property", "項目別の合格率"]),
    ("latency", ["Time to the answer", "応答時間"]),
    (
        "latency_note",
        [
            "Box: the middle half, line: the median, whiskers: all. Answers from the store and recorded ones took no time and are left out.",
            "箱は中央50%の範囲、縦線は中央値、ひげは最小から最大まで。保存済み・記録済みの回答は待ち時間がないため除いています。",
        ],
    ),
    ("latency_none", ["All answers were recorded or came from the store.", "すべて記録済みまたは保存済みの回答です。"]),
    ("cost", ["Cost of an answer, US dollars", "回答1件あたりの費用(米ドル)"]),
    ("cost_none", ["No cost is known.", "費用は分かりません。"]),
    ("cost_sum", ["{sum} in all", "合計 {sum}"]),
    ("cost_unknown", ["{n} without a known cost", "費用不明{n}件"]),
    ("median", ["median {x}, most {y}", "中央値 {x}、最大 {y}"]),
    ("trend", ["Earlier runs beside this one", "これまでの実行(同じフォルダ)"]),
    (
        "trend_note",
        [
            "Pass rates of everything required, the newest run last. evalrun history has the figures; runs may have had other cases.",
            "すべての項目の合格率。右端がこの実行です。数値はevalrun historyで確認できます。ケースは実行ごとに異なることがあります。",
        ],
    ),
    ("trend_line", ["{from} % → {to} % in {n} runs", "{from}% → {to}%({n}回)"]),
    // Filters and the matrix.
    ("matrix", ["Cases and variants", "ケースと組み合わせ"]),
    ("filters", ["Filters", "絞り込み"]),
    ("search", ["Search", "検索"]),
    ("search_hint", ["id, headline, answer …", "ID、見出し、回答の語句…"]),
    ("property", ["Property", "項目"]),
    ("any", ["any", "すべて"]),
    ("verdict", ["Verdict", "判定"]),
    ("differs", ["variants differ", "組み合わせで判定が分かれる"]),
    ("labelled", ["labelled by you", "ラベル済み"]),
    ("tag", ["Tag", "タグ"]),
    ("prompt", ["Prompt", "プロンプト"]),
    ("model", ["Model", "モデル"]),
    ("sort", ["Order", "並び順"]),
    ("sort_plan", ["as planned", "計画の順"]),
    ("sort_worst", ["worst first", "不合格の多い順"]),
    ("sort_best", ["best first", "合格の多い順"]),
    ("sort_fabricated", ["most fabrications", "裏付けのない記述の多い順"]),
    ("sort_long", ["longest answers", "回答の長い順"]),
    ("sort_cost", ["most costly", "費用の高い順"]),
    ("sort_slow", ["slowest", "応答の遅い順"]),
    ("clear", ["Clear", "解除"]),
    (
        "strange",
        [
            "The address asks for {what}, which means nothing in this page; it may be of another run.",
            "アドレスの条件({what})は、このページでは使えません。別の実行のアドレスかもしれません。",
        ],
    ),
    ("shown", ["{n} of {all} cases", "{all}ケース中{n}件"]),
    ("case", ["Case", "ケース"]),
    ("none_found", ["No case fits these filters.", "条件に合うケースはありません。"]),
    (
        "left_out",
        [
            "{n} cases have no row here: the page keeps the worst. summary.csv and metrics.csv have all.",
            "大きさの制限により、{n}ケースはこのページに含まれていません。不合格の多いケースを優先しています。全件はmetrics.csvにあります。",
        ],
    ),
    (
        "texts_left_out",
        [
            "The answers to {n} cases are not in this page, which keeps the worst ones: evalrun show finds them.",
            "大きさの制限により、{n}ケースの回答は載せていません。不合格の多いケースを優先しています。回答はevalrun showで表示できます。",
        ],
    ),
    (
        "text_left_out",
        [
            "This answer is not in the page, which keeps the worst cases. This command shows it:",
            "大きさの制限により、この回答はページに含まれていません。次のコマンドで表示できます。",
        ],
    ),
    (
        "keys",
        [
            "Keys: j k next, previous case · h l variant · Enter open · / search · Esc close",
            "キー: j・k ケースの移動、h・l 組み合わせの移動、Enter 開く、/ 検索、Esc 閉じる",
        ],
    ),
    ("legend_marks", ["Marks of a cell, in this order", "セルの印(左上から順に)"]),
    // One answer.
    ("close", ["Close", "閉じる"]),
    ("previous", ["Previous case", "前のケース"]),
    ("next", ["Next case", "次のケース"]),
    ("variants", ["Variants", "組み合わせ"]),
    ("beside_it", ["beside", "並べる"]),
    ("lay_beside", ["Lay {name} beside", "{name} を並べて表示"]),
    ("source", ["Source", "元のニュース"]),
    ("published", ["published", "公開日時"]),
    ("publisher", ["publisher", "発表元"]),
    ("headline", ["headline", "見出し"]),
    ("body", ["text", "本文"]),
    ("facts", ["facts", "事実"]),
    ("background", ["background", "背景知識"]),
    ("aliases", ["other names", "別名"]),
    ("tags", ["tags", "タグ"]),
    ("prompt_sent", ["Prompt as sent", "送信したプロンプト"]),
    ("prompt_unknown", ["It cannot be rendered any more.", "プロンプトを再現できません。"]),
    ("system", ["System text", "システム指示"]),
    ("answer", ["Answer", "回答"]),
    ("verdicts", ["Verdicts", "判定"]),
    ("chars", ["{n} characters", "{n}文字"]),
    ("tokens", ["{in} + {out} tokens", "入力{in} + 出力{out}トークン"]),
    ("dollars", ["{x} USD", "{x}米ドル"]),
    ("from_store", ["from the store", "保存済みの回答"]),
    ("attempts", ["{n} attempts", "送信{n}回"]),
    ("attempt", ["attempt {n}: {what}, {time}", "{n}回目: {what}、{time}"]),
    ("waited", ["then waited {time}", "その後{time}待機"]),
    ("served", ["answered by {model}", "応答モデル: {model}"]),
    ("ended", ["ended by {reason}", "終了理由: {reason}"]),
    ("against", ["speaks against", "不合格の根拠"]),
    ("neutral", ["neither way", "どちらでもない"]),
    ("for", ["speaks for", "合格の根拠"]),
    ("legend", ["Marked words", "印の意味"]),
    ("missing", ["missing: {text}", "{text}がない"]),
    ("waived", ["waived: {reason}", "例外扱い: {reason}"]),
    ("more_evidence", ["and {n} more", "ほか{n}件"]),
    ("more_text", ["Show {n} more characters", "続きの{n}文字を表示"]),
    ("to_words", ["Show these words in the answer", "回答の該当箇所を表示"]),
    ("changes", ["Show what changed", "変更箇所を表示"]),
    (
        "changes_legend",
        [
            "− removed, + added, ~ reworded, ↗ moved away, ↘ moved here",
            "− 削除、+ 追加、~ 言い換え、↗ 別の場所へ移動、↘ ここへ移動",
        ],
    ),
    (
        "added_legend",
        [
            "Underlined: what {name} does not say, or says in other words",
            "下線は {name} にない語句や、言い換えた語句です",
        ],
    ),
    (
        "coarse",
        [
            "Parts are too long to be compared and are shown as removed and added as a whole.",
            "長すぎて比較できない部分は、まとめて削除・追加として示しています。",
        ],
    ),
    // Labels.
    ("judge", ["Is this verdict right?", "この判定は正しいですか？"]),
    ("right", ["right", "正しい"]),
    ("wrong", ["wrong", "誤り"]),
    ("should_pass", ["passes", "合格とする"]),
    ("should_fail", ["fails", "不合格とする"]),
    ("note", ["Note", "メモ"]),
    ("mark_words", ["selected words", "選択した語句"]),
    ("select_words", ["Select words in the answer, then press this.", "回答の語句を選択してから押してください。"]),
    ("forget_words", ["Take away {text}", "{text}を取り消す"]),
    ("download", ["Download labels ({n})", "ラベルを保存({n})"]),
    (
        "download_hint",
        [
            "Mark verdicts right or wrong, download them, and let evalrun calibrate --items compare them.",
            "判定の正誤を記録して保存し、evalrun calibrate --itemsで採点器と比べられます。",
        ],
    ),
    ("forget", ["Forget labels", "ラベルを消去"]),
    ("forget_sure", ["Forget all {n} labels of this run?", "この実行のラベル{n}件をすべて消去しますか？"]),
];

/// A property as the page names it.
#[derive(Debug, Serialize)]
pub(super) struct PropertyRow {
    name: &'static str,
    label: &'static str,
    /// Whether people may judge it: `calibrate` compares what does not depend on a case's own texts and patterns.
    is_judged: bool,
}

/// The words of a key.
///
/// # Panics
/// There is no such key, which a test finds.
pub(super) fn word(key: &str, lang: Lang) -> &'static str {
    words(lang)[key]
}

/// All words of a language by their keys.
pub(super) fn words(lang: Lang) -> BTreeMap<&'static str, &'static str> {
    WORDS.iter().map(|(key, words)| (*key, words[lang as usize])).collect()
}

/// The properties with their labels.
pub(super) fn property_labels(properties: &[Property], lang: Lang) -> Vec<PropertyRow> {
    let judged = |property: Property| {
        !matches!(property, Property::Contains | Property::NotContains | Property::Matches | Property::NotMatches)
    };
    let row = |property: &Property| PropertyRow {
        name: property.name(),
        label: label(*property, lang),
        is_judged: judged(*property),
    };
    properties.iter().map(row).collect()
}
