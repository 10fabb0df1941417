//! The words of reports in English and Japanese, in one place.
//!
//! Names that users type (properties, ids) are the same in both.

use std::borrow::Cow;

pub use crate::lang::Lang;
use crate::outcome::Status;
use crate::report::diff::Kind;
use crate::report::phrase::{japanese_basis, japanese_kind, japanese_note, japanese_reason, japanese_specific};
use crate::score::{Basis, SpecificVerdict};

impl Lang {
    pub(crate) const fn words(self) -> &'static Words {
        match self {
            Self::En => &ENGLISH,
            Self::Ja => &JAPANESE,
        }
    }
}

/// The words of reports in one language. Texts with a gap are functions.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) lang: Lang,
    pub(crate) status: fn(Status) -> &'static str,
    /// A property's status, as a verdict.
    pub(crate) verdict: fn(Status) -> &'static str,
    /// A kind of evidence.
    pub(crate) kind: fn(&str) -> &str,
    /// Why a score failed, a piece of evidence counts, or there is no answer.
    pub(crate) reason: fn(&str) -> Cow<'_, str>,
    pub(crate) specific: fn(SpecificVerdict) -> &'static str,
    pub(crate) basis: fn(Basis) -> &'static str,
    /// What scorers and people say of each other's marks.
    pub(crate) note: fn(&str) -> Cow<'_, str>,
    /// That a text, in its brackets, is missing.
    pub(crate) missing: fn(&str) -> String,
    pub(crate) chars: fn(usize) -> String,
    /// The value of `length`.
    pub(crate) chars_of_length: fn(&str) -> String,
    pub(crate) truncated: &'static str,
    pub(crate) truncated_answers: fn(usize) -> String,
    pub(crate) no_answer: &'static str,

    pub(crate) more: fn(usize) -> String,
    /// Which cases have no verdict.
    pub(crate) without_verdict: fn(&str) -> String,
    /// What there is so many of, such as `6 passed`.
    pub(crate) counted: fn(&str, usize) -> String,
    /// Passed of decided, then the rate and both ends of its range in percent.
    pub(crate) rate: fn(usize, usize, [&str; 3]) -> String,
    /// What parts the members of a list.
    pub(crate) list: &'static str,
    pub(crate) scale: fn(usize, usize, usize, u32) -> String,
    pub(crate) unfinished: fn(usize, usize) -> String,
    pub(crate) trials: fn(usize) -> String,

    pub(crate) tokens: fn(&str, &str) -> String,
    pub(crate) finish: fn(&str) -> String,
    pub(crate) attempts: fn(usize) -> String,
    pub(crate) waived: fn(&str) -> String,
    pub(crate) terminal_rate: &'static str,
    pub(crate) terminal_properties: &'static str,

    /// So many runs, and whose rates are shown.
    pub(crate) history_title: fn(usize, &str) -> String,
    pub(crate) history_started: &'static str,
    pub(crate) history_plan: &'static str,
    pub(crate) history_scorers: &'static str,
    pub(crate) history_other_scorers: &'static str,

    pub(crate) summary_title: &'static str,
    pub(crate) summary_variant: &'static str,
    pub(crate) summary_all: &'static str,
    pub(crate) summary_cost: &'static str,
    pub(crate) summary_cut: &'static str,
    pub(crate) summary_counts: &'static str,
    pub(crate) summary_rates: &'static str,
    pub(crate) summary_rates_note: &'static str,
    pub(crate) summary_repeats_note: &'static str,
    pub(crate) summary_worst: &'static str,
    pub(crate) summary_worst_of: fn(usize, usize) -> String,
    pub(crate) summary_truncated: &'static str,
    pub(crate) summary_no_answers: &'static str,
    pub(crate) summary_errored: &'static str,
    pub(crate) summary_waivers: &'static str,
    pub(crate) summary_waiver_columns: [&'static str; 4],
    pub(crate) summary_costs: &'static str,
    pub(crate) summary_total_cost: fn(&str) -> String,
    pub(crate) summary_unknown_cost: fn(usize) -> String,
    pub(crate) summary_again: &'static str,
    pub(crate) summary_again_note: &'static str,

    pub(crate) diff_title: &'static str,
    pub(crate) diff_nothing: &'static str,
    pub(crate) diff_legend: &'static str,
    pub(crate) diff_text_legend: &'static str,
    pub(crate) diff_base: &'static str,
    pub(crate) diff_candidate: &'static str,
    pub(crate) diff_kind: fn(Kind) -> &'static str,
    pub(crate) diff_not_kept: &'static str,
    /// What stands before the words that a verdict rested on.
    pub(crate) diff_before: &'static str,
    pub(crate) diff_changes: &'static str,
    pub(crate) diff_no_changes: &'static str,
    pub(crate) diff_still_failing: &'static str,
    pub(crate) diff_unchanged: fn(usize) -> String,
    pub(crate) diff_only_blanks: &'static str,
    pub(crate) diff_coarse: &'static str,
    pub(crate) diff_moved_away: &'static str,
    pub(crate) diff_moved_here: &'static str,
    pub(crate) diff_removed: &'static str,
    pub(crate) diff_added: &'static str,
    pub(crate) diff_only_in: fn(&str) -> String,
    pub(crate) diff_to_top: &'static str,
}

const ENGLISH: Words = Words {
    lang: Lang::En,
    status: Status::name,
    verdict: |status| match status {
        Status::Passed => "pass",
        Status::Failed => "fail",
        Status::Undecided => "unscored",
        Status::Errored | Status::Skipped => status.name(),
    },
    kind: |kind| kind,
    reason: |reason| Cow::Borrowed(reason),
    note: |note| Cow::Borrowed(note),
    specific: SpecificVerdict::name,
    basis: Basis::name,
    missing: |text| format!("missing: {text}"),
    chars: |count| format!("{count} characters"),
    chars_of_length: |count| format!("{count} characters"),
    truncated: "TRUNCATED",
    truncated_answers: |count| format!("{count} truncated answer{}", if count == 1 { "" } else { "s" }),
    no_answer: "no answer",

    more: |count| format!("and {count} more"),
    without_verdict: |cases| format!("without a verdict: {cases}"),
    counted: |what, count| format!("{count} {what}"),
    rate: |passed, decided, [estimate, low, high]| format!("{passed}/{decided} {estimate} % ({low}–{high})"),
    list: ", ",
    scale: |cases, prompts, models, repeats| {
        let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let repeats = if repeats == 1 { String::new() } else { format!(", each asked {repeats} times") };
        format!("{} × {} × {}{repeats}", counted(cases, "case"), counted(prompts, "prompt"), counted(models, "model"))
    },
    unfinished: |done, all| format!("The run did not come to its end: {done} of {all} trials have an outcome."),
    trials: |count| format!("{count} trial{}", if count == 1 { "" } else { "s" }),

    tokens: |input, output| format!("{input} + {output} tokens"),
    finish: |reason| format!("ended by {reason}"),
    attempts: |count| format!("{count} attempts"),
    waived: |reason| format!("waived: {reason}"),
    terminal_rate: "rate (95 %)",
    terminal_properties: "Passed of decided, by property (?: unscored, !: errored)",

    history_title: |runs, subject| format!("{runs} run{}, rates of {subject}", if runs == 1 { "" } else { "s" }),
    history_started: "started (UTC)",
    history_plan: "plan",
    history_scorers: "scorers",
    history_other_scorers: "Verdicts of different scorers do not compare: `evalrun rescore` judges a run's answers anew.",

    summary_title: "Summary",
    summary_variant: "variant",
    summary_all: "all",
    summary_cost: "cost, USD",
    summary_cut: "truncated",
    summary_counts: "Trials",
    summary_rates: "Rates",
    summary_rates_note: "Passed of those that passed or failed, with the 95 % interval (Wilson) in brackets. Undecided and \
        errored trials are no part of a rate and stand beside it.",
    summary_repeats_note: "Rates are over cases: a case passes if all its repeats pass, and fails if one fails.",
    summary_worst: "Worst failures",
    summary_worst_of: |shown, all| format!("{shown} of {all} failures; variants take turns, each with its worst."),
    summary_truncated: "Truncated answers",
    summary_no_answers: "No answer (blocked, refused or empty)",
    summary_errored: "Errored trials",
    summary_waivers: "Waivers used",
    summary_waiver_columns: ["property", "words", "reason", "times"],
    summary_costs: "Cost",
    summary_total_cost: |dollars| format!("{dollars} US dollars in all."),
    summary_unknown_cost: |count| {
        format!(" Of {count} answer{} the cost is not known.", if count == 1 { "" } else { "s" })
    },
    summary_again: "The same again",
    summary_again_note: "with evalrun {tool}, scorers {scorers}, plan {plan}; prompts {prompts}.",

    diff_title: "How the answers differ",
    diff_nothing: "Nothing to compare: there is one prompt only.",
    diff_legend: "− removed, + added, ~ reworded, ↗ moved away, ↘ moved here; marked: the words that a verdict rests on",
    diff_text_legend: "- removed, + added, ~ reworded [-from-]{+to+}, ↗ moved away, ↘ moved here, ⟦speaks against the answer⟧",
    diff_base: "base",
    diff_candidate: "candidate",
    diff_kind: |kind| match kind {
        Kind::Broken => "broken",
        Kind::Mixed => "broken and fixed",
        Kind::Fixed => "fixed",
        Kind::Verdict => "verdict changed",
        Kind::Text => "text changed",
        Kind::Same => "same text",
        Kind::Untold => ENGLISH.diff_not_kept,
        Kind::Missing => "not comparable",
    },
    diff_not_kept: "text not kept",
    diff_before: "before: ",
    diff_changes: "Verdicts that changed",
    diff_no_changes: "No verdict changed.",
    diff_still_failing: "Fails on both sides",
    diff_unchanged: |count| format!("{count} unchanged sentences"),
    diff_only_blanks: "Only blanks and line breaks differ.",
    diff_coarse: "Parts are too long to be compared and are shown as removed and added as a whole.",
    diff_moved_away: "moved elsewhere",
    diff_moved_here: "moved here",
    diff_removed: "removed",
    diff_added: "added",
    diff_only_in: |side| format!("only in {side}"),
    diff_to_top: "to the top",
};

const JAPANESE: Words = Words {
    lang: Lang::Ja,
    status: japanese_status,
    verdict: japanese_status,
    kind: japanese_kind,
    reason: japanese_reason,
    note: japanese_note,
    specific: japanese_specific,
    basis: japanese_basis,
    missing: |text| format!("{text}がない"),
    chars: |count| format!("{count}文字"),
    chars_of_length: |count| format!("{count}文字"),
    truncated: "途中で打ち切り",
    truncated_answers: |count| format!("途中で打ち切られた回答 {count}件"),
    no_answer: "回答なし",

    more: |count| format!("ほか{count}件"),
    without_verdict: |cases| format!("判定なし: {cases}"),
    counted: |what, count| format!("{what} {count}"),
    rate: |passed, decided, [estimate, low, high]| format!("{passed}/{decided} {estimate}%({low}〜{high})"),
    list: "、",
    scale: |cases, prompts, models, repeats| {
        let repeats = if repeats == 1 { String::new() } else { format!("、各{repeats}回") };
        format!("{cases}ケース × {prompts}プロンプト × {models}モデル{repeats}")
    },
    unfinished: |done, all| format!("この実行は完了していません。全{all}試行のうち、結果があるのは{done}試行です。"),
    trials: |count| format!("全{count}試行"),

    tokens: |input, output| format!("入力{input} + 出力{output}トークン"),
    finish: |reason| format!("終了理由: {reason}"),
    attempts: |count| format!("送信{count}回"),
    waived: |reason| format!("例外扱い: {reason}"),
    terminal_rate: "合格率(95%区間)",
    terminal_properties: "項目別の合格数/判定数(?: 判定保留、!: エラー)",

    history_title: |runs, subject| format!("{runs}回の実行、{subject} の合格率"),
    history_started: "開始(UTC)",
    history_plan: "計画",
    history_scorers: "採点器",
    history_other_scorers: "採点器のバージョンが異なる判定は比較できません。`evalrun rescore` で採点し直せます。",

    summary_title: "まとめ",
    summary_variant: "組み合わせ",
    summary_all: "全体",
    summary_cost: "費用(米ドル)",
    summary_cut: "打ち切り",
    summary_counts: "試行",
    summary_rates: "合格率",
    summary_rates_note: "合格か不合格かを判定できたもののうち、合格した数と割合です。かっこ内は95%信頼区間(Wilson法)。\
        判定保留とエラーは合格率に含めず、併記しています。",
    summary_repeats_note: "合格率はケース単位です。繰り返しのすべてで合格したケースを合格、一度でも不合格になったケースを不合格とします。",
    summary_worst: "特に問題のある回答",
    summary_worst_of: |shown, all| {
        format!("不合格{all}試行のうち{shown}試行を挙げます。組み合わせごとに、問題の大きいものから選んでいます。")
    },
    summary_truncated: "途中で打ち切られた回答",
    summary_no_answers: "回答なし(ブロック・拒否・空の回答)",
    summary_errored: "エラーになった試行",
    summary_waivers: "適用された例外",
    summary_waiver_columns: ["項目", "語句", "理由", "回数"],
    summary_costs: "費用",
    summary_total_cost: |dollars| format!("合計{dollars}米ドル。"),
    summary_unknown_cost: |count| format!("ほかに、費用の分からない回答が{count}件あります。"),
    summary_again: "再実行するには",
    summary_again_note: "evalrun {tool}、採点器のバージョン {scorers}、計画 {plan}、プロンプト {prompts}",

    diff_title: "回答の差分",
    diff_nothing: "プロンプトが一つだけなので、比べる相手がありません。",
    diff_legend: "− 削除、+ 追加、~ 言い換え、↗ 別の場所へ移動、↘ ここへ移動。印の付いた語句は判定の根拠です",
    diff_text_legend: "- 削除、+ 追加、~ 言い換え [-前-]{+後+}、↗ 別の場所へ移動、↘ ここへ移動、⟦不合格の根拠⟧",
    diff_base: "比較元",
    diff_candidate: "比較先",
    diff_kind: |kind| match kind {
        Kind::Broken => "悪化",
        Kind::Mixed => "悪化と改善",
        Kind::Fixed => "改善",
        Kind::Verdict => "判定の変化",
        Kind::Text => "文面の変化",
        Kind::Same => "文面は同じ",
        Kind::Untold => JAPANESE.diff_not_kept,
        Kind::Missing => "比較不可",
    },
    diff_not_kept: "文面なし",
    diff_before: "変更前: ",
    diff_changes: "変化した判定",
    diff_no_changes: "判定に変化はありません。",
    diff_still_failing: "どちらも不合格",
    diff_unchanged: |count| format!("変更のない{count}文"),
    diff_only_blanks: "違いは空白と改行だけです。",
    diff_coarse: "長すぎて細かく比べられない部分は、まとめて削除・追加として示しています。",
    diff_moved_away: "別の場所へ移動",
    diff_moved_here: "ここへ移動",
    diff_removed: "削除",
    diff_added: "追加",
    diff_only_in: |side| format!("{side}のみ"),
    diff_to_top: "ページの先頭へ",
};

const fn japanese_status(status: Status) -> &'static str {
    match status {
        Status::Passed => "合格",
        Status::Failed => "不合格",
        Status::Undecided => "判定保留",
        Status::Errored => "エラー",
        Status::Skipped => "未実施",
    }
}
