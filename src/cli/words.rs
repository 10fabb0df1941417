//! What commands say beside their results of a run, in English and Japanese: what could mislead, how it goes on, where
//! its reports are.
//!
//! Mistakes, and what is said while a run goes on, are in English alone: people look them up word by word.

use super::console::counted;
use crate::budget::{Bound, Dollars, Spending};
use crate::lang::Lang;

/// What the same command does about trials that errored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// `--no-cache`: everything is asked anew.
    WithoutStore,
    /// `--refresh`: everything is asked anew.
    Refreshing,
    /// What errored is asked anew.
    FromStore,
}

/// Where the reports are.
pub(super) fn reports(folder: &str, files: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("reports: {folder}/ ({files})"),
        Lang::Ja => format!("レポート: {folder}/ ({files})"),
    }
}

/// That trials errored.
pub(super) fn errored(errored: usize, of: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{errored} of {of} trials errored, so the figures are incomplete"),
        Lang::Ja => format!("{of}試行のうち{errored}試行がエラーになったため、数値は完全ではありません"),
    }
}

/// That answers were cut off.
pub(super) fn truncated(answers: usize, lang: Lang) -> String {
    match (lang, answers) {
        (Lang::En, 1) => "1 answer was cut off by the token limit (params.max_output_tokens)".to_owned(),
        (Lang::En, _) => format!("{answers} answers were cut off by the token limit (params.max_output_tokens)"),
        (Lang::Ja, _) => format!("{answers}件の回答がトークンの上限(params.max_output_tokens)で打ち切られました"),
    }
}

/// That other models answered than were asked.
pub(super) fn served_otherwise(model: &str, served: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{model} was answered by {served}"),
        Lang::Ja => format!("{model}への質問に答えたのは{served}です"),
    }
}

/// What is to be known of a model's price.
pub(super) fn price(model: &str, note: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("costs of {model}: {note}"),
        Lang::Ja => format!("{model}の費用: {note}"),
    }
}

/// That the same command continues a run.
pub(super) fn unfinished(left: usize, of: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{left} of {of} trials have no outcome yet: the same command continues the run"),
        Lang::Ja => format!("{of}試行のうち{left}試行にまだ結果がありません。同じコマンドで続きから実行できます"),
    }
}

/// That a run did not come to its end.
pub(super) fn cut_short(left: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("the run did not come to its end: {left} trials have no outcome yet"),
        Lang::Ja => format!("この実行は完了していません。{left}試行にまだ結果がありません"),
    }
}

/// What the same command does about the trials of a finished run that errored.
pub(super) fn again(again: Again, lang: Lang) -> String {
    let what = match (lang, again) {
        (Lang::En, Again::WithoutStore) => {
            "asks for everything anew, since --no-cache keeps answers in their run alone"
        }
        (Lang::En, Again::Refreshing) => {
            "asks for everything anew; without --refresh, for what errored, since the store has what was answered"
        }
        (Lang::En, Again::FromStore) => "asks for what errored; what was answered whole comes from the store",
        (Lang::Ja, Again::WithoutStore) => "すべてを尋ね直します(--no-cache では回答が元の実行にしか残らないため)",
        (Lang::Ja, Again::Refreshing) => {
            "すべてを尋ね直します。--refresh を付けなければ、回答済みの分は保存先から取り、エラーの分だけを尋ねます"
        }
        (Lang::Ja, Again::FromStore) => "エラーの分だけを尋ねます。回答済みの分は保存先から取ります",
    };
    match lang {
        Lang::En => format!("the same command makes a new run and {what}"),
        Lang::Ja => format!("同じコマンドで新しい実行が始まり、{what}"),
    }
}

/// That there is no gate, and what that means.
pub(super) fn no_gate(config: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("no [gate] in {config}: verdicts do not affect the exit code"),
        Lang::Ja => format!("{config}に[gate]がないため、判定は終了コードに影響しません"),
    }
}

/// Where an earlier run was put that stood in the way.
pub(super) fn kept_aside(aside: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("the finished run there is kept as {aside}"),
        Lang::Ja => format!("そこにあった完了済みの実行は{aside}として残しました"),
    }
}

/// That runs are put together.
pub(super) fn merging(trials: usize, runs: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("putting together {} of {}", counted(trials, "trial"), counted(runs, "run")),
        Lang::Ja => format!("{runs}件の実行の{trials}試行を1つにまとめます"),
    }
}

/// That a part of a whole lacks outcomes.
pub(super) fn part_cut_short(run: &str, missing: usize, of: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{run} did not come to its end: {missing} of {of} trials have no outcome in it"),
        Lang::Ja => format!("{run}は最後まで終わっていません: {of}試行のうち{missing}試行の結果がありません"),
    }
}

/// That the parts of a whole are of several commits.
pub(super) fn different_commits(lang: Lang) -> String {
    match lang {
        Lang::En => "the runs are of different commits, so that of the whole is not known".to_owned(),
        Lang::Ja => "実行のコミットが異なるため、全体のコミットは不明とします".to_owned(),
    }
}

/// That a run is gone on with.
pub(super) fn continuing(folder: &str, done: usize, of: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("continuing {folder}: {done} of {of} trials are done"),
        Lang::Ja => format!("{folder}を続けます。{of}試行のうち{done}試行は終わっています"),
    }
}

/// That nothing but reports is missing.
pub(super) fn lacks_reports(folder: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{folder} lacks reports: writing them, asking nothing"),
        Lang::Ja => format!("{folder}に足りないレポートだけを書きます。質問はしません"),
    }
}

/// That the reports were compared with a run which is gone.
pub(super) fn lost_baseline(baseline: &str, lang: Lang) -> String {
    match lang {
        Lang::En => {
            format!(
                "the reports were compared with {baseline}, which is not there any more: prompts are compared instead"
            )
        }
        Lang::Ja => format!("レポートの比較相手だった{baseline}が見つからないため、プロンプト同士を比べます"),
    }
}

/// So many outcomes are judged anew.
pub(super) fn judging(outcomes: usize, run: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("judging {} of {run}", counted(outcomes, "outcome")),
        Lang::Ja => format!("{run}の{outcomes}件の結果を採点し直します"),
    }
}

/// Of how many trials the status is another than before, and from what to what.
pub(super) fn judged_anew(of: usize, run: &str, changed: &[(usize, String, String)], lang: Lang) -> String {
    let words = |(count, before, after): &(usize, String, String)| match lang {
        Lang::En => format!("{count} {before} → {after}"),
        Lang::Ja => format!("{before}→{after} {count}試行"),
    };
    let parts: Vec<String> = changed.iter().map(words).collect();
    let all: usize = changed.iter().map(|(count, ..)| count).sum();
    match lang {
        Lang::En if all == 0 => format!("judged anew: all {of} trials as in {run}"),
        Lang::En => format!("judged anew: {all} of {of} trials otherwise than in {run} ({})", parts.join(", ")),
        Lang::Ja if all == 0 => format!("採点し直しました。{of}試行とも{run}と同じ結果です"),
        Lang::Ja => {
            format!("採点し直しました。{of}試行のうち{all}試行で{run}と結果が変わりました({})", parts.join("、"))
        }
    }
}

/// That the cost of answers is not known.
pub(super) fn uncounted(answers: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{} came without counts of tokens: that cost is not known", counted(answers, "answer")),
        Lang::Ja => format!("{answers}件の回答にはトークン数がなく、その費用は分かりません"),
    }
}

/// That requests were dropped under way.
pub(super) fn dropped(requests: usize, lang: Lang) -> String {
    match lang {
        Lang::En => {
            let were = if requests == 1 { "1 request was" } else { &format!("{requests} requests were") };
            format!("{were} dropped under way: a server may have answered, and what that cost is not known")
        }
        Lang::Ja => {
            format!(
                "{requests}件のリクエストを途中で打ち切りました。サーバーが応答した可能性があり、その費用は分かりません"
            )
        }
    }
}

/// The words of a table of costs: its columns, and the sum.
pub(super) const fn costs(lang: Lang) -> ([&'static str; 5], &'static str) {
    match lang {
        Lang::En => (["requests", "tokens in", "tokens out", "USD", "expected"], "in all"),
        Lang::Ja => (["リクエスト", "入力トークン", "出力トークン", "USD", "見込み"], "合計"),
    }
}

/// The heads of tables of costs: what is expected, and what was spent.
pub(super) const fn costs_heads(lang: Lang) -> [&'static str; 2] {
    match lang {
        Lang::En => ["expected if all is asked", "spent"],
        Lang::Ja => ["すべて尋ねた場合の見込み", "実績"],
    }
}

/// That attempts failed, before a line for each kind.
pub(super) fn failed(attempts: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{} failed; of each kind the last said:", counted(attempts, "attempt")),
        Lang::Ja => format!("{attempts}回の試みが失敗しました。種類ごとの最後のメッセージ:"),
    }
}

/// That there are more kinds of failures.
pub(super) fn more_kinds(kinds: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("… and {kinds} kinds more"),
        Lang::Ja => format!("… ほか{kinds}種類"),
    }
}

/// That the budget ended a run, what is left, and how to go on.
#[derive(Debug)]
pub(super) struct UsedUp {
    /// What is used up.
    pub bound: Bound,
    /// How much of it there was.
    pub most: String,
    /// What was spent.
    pub spent: Spending,
    /// What one more request may take.
    pub request: Spending,
    /// Why attempts failed.
    pub failures: Option<String>,
    /// Whether none was answered.
    pub is_none_answered: bool,
    /// The trials that are left, and all.
    pub left: (usize, usize),
    /// The tokens that they are expected to take.
    pub rest_tokens: [u64; 2],
    /// What they are expected to cost in US dollars.
    pub rest_cost: Option<f64>,
}

impl UsedUp {
    /// In some sentences.
    pub(super) fn told(&self, lang: Lang) -> String {
        let Self { bound, most, spent, request, left: (left, all), rest_tokens: [input, output], .. } = self;
        let is_told = |other: &Bound| other != bound && (*other != Bound::Cost || spent.dollars() > 0.0);
        let others = [Bound::Cost, Bound::Requests, Bound::Tokens].into_iter().filter(is_told);
        let others: Vec<String> = others.map(|other| amount(other, spent, lang)).collect();
        let (key, spent_of_it) = (bound.key(), amount(*bound, spent, lang));
        let (flag, failures) = (key.replace('_', "-"), self.failures.as_ref().map(|text| format!("{text}\n")));
        let failures = failures.unwrap_or_default();
        match lang {
            Lang::En => {
                let one_more = match bound {
                    Bound::Cost => format!(", and one more request may cost {}", Dollars(request.dollars())),
                    Bound::Tokens => format!(", and one more request may take {}", request.tokens),
                    Bound::Requests => String::new(),
                };
                let estimated = match spent.estimated {
                    0 => String::new(),
                    1 => "; 1 request is counted as estimated".to_owned(),
                    requests => format!("; {requests} requests are counted as estimated"),
                };
                let first = if self.is_none_answered { "none was answered: see to that first; then " } else { "" };
                let cost = self.rest_cost.map(|cost| format!(", {} US dollars", Dollars(cost))).unwrap_or_default();
                format!(
                    "{key} = {most} is used up: {spent_of_it} spent ({}){one_more}{estimated}\n{failures}\
                     {left} of {all} trials are left, about {input} + {output} tokens{cost}: {first}the same command with a \
                     higher --{flag} goes on",
                    others.join(", ")
                )
            }
            Lang::Ja => {
                let one_more = match bound {
                    Bound::Cost => format!("。次のリクエストには最大{}米ドルかかります", Dollars(request.dollars())),
                    Bound::Tokens => format!("。次のリクエストには最大{}トークンかかります", request.tokens),
                    Bound::Requests => String::new(),
                };
                let estimated = match spent.estimated {
                    0 => String::new(),
                    requests => format!("。うち{requests}件のリクエストは見積もりです"),
                };
                let first = if self.is_none_answered {
                    "回答が一つも得られていないので、まずその原因を除いてください。そのうえで、"
                } else {
                    ""
                };
                let cost = self.rest_cost.map(|cost| format!("、{}米ドル", Dollars(cost))).unwrap_or_default();
                format!(
                    "{key} = {most} に達しました: 使用済み {spent_of_it}({}){one_more}{estimated}\n{failures}\
                     残りは{all}試行のうち{left}試行、見込みは入力{input}+出力{output}トークン{cost}です。\
                     {first}同じコマンドで --{flag} を大きくすると続きから実行できます",
                    others.join("、")
                )
            }
        }
    }
}

/// So much of what a bound is about.
fn amount(bound: Bound, spent: &Spending, lang: Lang) -> String {
    match (lang, bound) {
        (Lang::En, Bound::Cost) => format!("{} US dollars", Dollars(spent.dollars())),
        (Lang::En, Bound::Requests) if spent.requests == 1 => "1 request".to_owned(),
        (Lang::En, Bound::Requests) => format!("{} requests", spent.requests),
        (Lang::En, Bound::Tokens) => format!("{} tokens", spent.tokens),
        (Lang::Ja, Bound::Cost) => format!("{}米ドル", Dollars(spent.dollars())),
        (Lang::Ja, Bound::Requests) => format!("{}リクエスト", spent.requests),
        (Lang::Ja, Bound::Tokens) => format!("{}トークン", spent.tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_run_reads_as_written_in_japanese() {
        let ja = Lang::Ja;
        let changed = [(2, "不合格".to_owned(), "合格".to_owned())];
        let said = [
            reports("reports/ci", "report.html", ja),
            errored(2, 84, ja),
            truncated(1, ja),
            served_otherwise("flash", "flash-002", ja),
            price("flash", "料金の有効期限は2025-12-31でした", ja),
            unfinished(3, 84, ja),
            cut_short(3, ja),
            again(Again::FromStore, ja),
            again(Again::Refreshing, ja),
            again(Again::WithoutStore, ja),
            no_gate("evalrun.toml", ja),
            kept_aside("reports/ci.1", ja),
            continuing("reports/ci", 3, 84, ja),
            lacks_reports("reports/ci", ja),
            lost_baseline("baseline", ja),
            judging(84, "latest", ja),
            judged_anew(84, "latest", &changed, ja),
            judged_anew(84, "latest", &[], ja),
            uncounted(2, ja),
            dropped(2, ja),
            failed(3, ja),
            more_kinds(2, ja),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        レポート: reports/ci/ (report.html)
        84試行のうち2試行がエラーになったため、数値は完全ではありません
        1件の回答がトークンの上限(params.max_output_tokens)で打ち切られました
        flashへの質問に答えたのはflash-002です
        flashの費用: 料金の有効期限は2025-12-31でした
        84試行のうち3試行にまだ結果がありません。同じコマンドで続きから実行できます
        この実行は完了していません。3試行にまだ結果がありません
        同じコマンドで新しい実行が始まり、エラーの分だけを尋ねます。回答済みの分は保存先から取ります
        同じコマンドで新しい実行が始まり、すべてを尋ね直します。--refresh を付けなければ、回答済みの分は保存先から取り、エラーの分だけを尋ねます
        同じコマンドで新しい実行が始まり、すべてを尋ね直します(--no-cache では回答が元の実行にしか残らないため)
        evalrun.tomlに[gate]がないため、判定は終了コードに影響しません
        そこにあった完了済みの実行はreports/ci.1として残しました
        reports/ciを続けます。84試行のうち3試行は終わっています
        reports/ciに足りないレポートだけを書きます。質問はしません
        レポートの比較相手だったbaselineが見つからないため、プロンプト同士を比べます
        latestの84件の結果を採点し直します
        採点し直しました。84試行のうち2試行でlatestと結果が変わりました(不合格→合格 2試行)
        採点し直しました。84試行ともlatestと同じ結果です
        2件の回答にはトークン数がなく、その費用は分かりません
        2件のリクエストを途中で打ち切りました。サーバーが応答した可能性があり、その費用は分かりません
        3回の試みが失敗しました。種類ごとの最後のメッセージ:
        … ほか2種類
        ");
    }
}
