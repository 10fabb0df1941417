//! The words of reports in English and Japanese, in one place.
//!
//! Names that stand in files (properties, ids, kinds) are the same in both.

use crate::outcome::Status;
use crate::report::diff::Kind;

/// The language of a report's own words (`--lang`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::En, Self::Ja];

    /// The name in `--lang`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

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
    pub(crate) status: fn(Status) -> &'static str,
    /// A property's status, as a verdict.
    pub(crate) verdict: fn(Status) -> &'static str,
    pub(crate) missing: fn(&str) -> String,
    pub(crate) chars: fn(usize) -> String,
    pub(crate) truncated: &'static str,
    pub(crate) no_answer: &'static str,

    pub(crate) diff_title: &'static str,
    pub(crate) diff_nothing: &'static str,
    pub(crate) diff_legend: &'static str,
    pub(crate) diff_base: &'static str,
    pub(crate) diff_candidate: &'static str,
    pub(crate) diff_kind: fn(Kind) -> &'static str,
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
    pub(crate) diff_more: fn(usize) -> String,
    pub(crate) diff_only_in: fn(&str) -> String,
    pub(crate) diff_to_top: &'static str,
}

const ENGLISH: Words = Words {
    status: Status::name,
    verdict: |status| match status {
        Status::Passed => "pass",
        Status::Failed => "fail",
        Status::Undecided => "unscored",
        Status::Errored | Status::Skipped => status.name(),
    },
    missing: |text| format!("missing: 「{text}」"),
    chars: |count| format!("{count} characters"),
    truncated: "TRUNCATED",
    no_answer: "no answer",

    diff_title: "How the answers differ",
    diff_nothing: "Nothing to compare: there is one prompt only.",
    diff_legend: "− removed, + added, ~ reworded, ↗ moved away, ↘ moved here",
    diff_base: "base",
    diff_candidate: "candidate",
    diff_kind: |kind| match kind {
        Kind::Broken => "broken",
        Kind::Mixed => "broken and fixed",
        Kind::Fixed => "fixed",
        Kind::Verdict => "verdict changed",
        Kind::Text => "text changed",
        Kind::Same => "same text",
        Kind::Missing => "not comparable",
    },
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
    diff_more: |count| format!("and {count} more"),
    diff_only_in: |side| format!("only in {side}"),
    diff_to_top: "to the top",
};

const JAPANESE: Words = Words {
    status: japanese_status,
    verdict: japanese_status,
    missing: |text| format!("「{text}」がない"),
    chars: |count| format!("{count}文字"),
    truncated: "途中で打ち切り",
    no_answer: "回答なし",

    diff_title: "回答の差分",
    diff_nothing: "比較するものがありません(プロンプトが一つだけです)。",
    diff_legend: "− 削除、+ 追加、~ 言い換え、↗ 別の場所へ移動、↘ ここへ移動",
    diff_base: "比較元",
    diff_candidate: "比較先",
    diff_kind: |kind| match kind {
        Kind::Broken => "悪化",
        Kind::Mixed => "悪化と改善",
        Kind::Fixed => "改善",
        Kind::Verdict => "判定の変化",
        Kind::Text => "文面の変化",
        Kind::Same => "同じ文面",
        Kind::Missing => "比較できず",
    },
    diff_changes: "変わった判定",
    diff_no_changes: "判定の変化はありません。",
    diff_still_failing: "両方で不合格",
    diff_unchanged: |count| format!("変更のない{count}文"),
    diff_only_blanks: "空白と改行だけが違います。",
    diff_coarse: "長すぎて比較できない部分は、まとめて削除・追加として示しています。",
    diff_moved_away: "別の場所へ移動",
    diff_moved_here: "ここへ移動",
    diff_removed: "削除",
    diff_added: "追加",
    diff_more: |count| format!("ほか{count}件"),
    diff_only_in: |side| format!("{side} のみ"),
    diff_to_top: "先頭へ",
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
