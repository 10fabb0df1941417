//! What a comparison says, in sentences for somebody who has never heard of a p: English and Japanese.

use super::{points, signed};
use crate::compare::{Compared, Method, Side, Verdict, Warning};
use crate::report::csv::decimal;
use crate::report::lang::Lang;
use crate::stats::{Interval, Undefined};

/// With fewer cases a test can tell hardly anything.
const TOO_FEW: usize = 6;

/// The sentences of one language.
#[derive(Debug)]
pub(crate) struct Sentences {
    /// What was found of a subject, with the margin.
    pub(crate) finding: fn(&Compared, f64) -> String,
    /// A verdict in one or two words.
    pub(crate) verdict: fn(Option<Verdict>) -> &'static str,
    /// Why a figure is missing.
    pub(crate) undefined: fn(Undefined) -> &'static str,
    /// What could mislead.
    pub(crate) warning: fn(&Warning) -> String,
    /// How many properties moved, of how many, where chance alone moves some.
    pub(crate) movement: fn(usize, usize) -> String,
    /// How often the same variant disagrees with itself.
    pub(crate) noise: fn(Option<f64>, Option<f64>) -> Option<String>,
    /// How the figures came about: level and margin, method, family of tests.
    pub(crate) method: fn(&Compared, f64) -> String,
    /// Cochran's test over several variants.
    pub(crate) several: fn(usize, Result<f64, Undefined>) -> String,
    /// The heading of several variants taken together.
    pub(crate) together: fn(usize) -> String,
    /// The cases compared.
    pub(crate) cases: fn(usize) -> String,
    /// Column headings: base, candidate, difference, its range, verdict, fixed, broken, flaky, p, p adjusted.
    pub(crate) columns: [&'static str; 10],
    /// How p was adjusted: for the subject that was declared to decide, and for the sizes of both families.
    pub(crate) adjusted: fn(&str, usize, usize) -> String,
    /// Headings: prompts, answers, other measures, warnings, cases that were renamed.
    pub(crate) prompts: &'static str,
    pub(crate) measures: &'static str,
    pub(crate) warnings: &'static str,
    pub(crate) renamed: &'static str,
    pub(crate) title: &'static str,
    /// What was cut off.
    pub(crate) cut: &'static str,
}

/// The sentences of a language.
pub(crate) const fn sentences(lang: Lang) -> &'static Sentences {
    match lang {
        Lang::En => &ENGLISH,
        Lang::Ja => &JAPANESE,
    }
}

/// Whether every case gave the same verdicts on both sides.
fn is_unchanged(compared: &Compared) -> bool {
    compared.fixed.is_empty() && compared.broken.is_empty() && compared.flaky.is_empty()
}

const ENGLISH: Sentences = Sentences {
    finding: english_finding,
    verdict: |verdict| match verdict {
        Some(Verdict::WorseByMore) => "clearly worse",
        Some(Verdict::Worse) => "worse",
        Some(Verdict::Better) => "better",
        Some(Verdict::NoWorse) => "no worse",
        Some(Verdict::Inconclusive) => "cannot tell",
        None => "–",
    },
    undefined: |why| match why {
        Undefined::NoCases => "no case has a verdict on both sides",
        Undefined::OneCase => "one case says nothing of how cases vary",
        Undefined::OneCluster => "all cases come from one source, so how sources vary is unknown",
        Undefined::Uneven => "the variants were not asked the same cases",
        Undefined::OneVariant => "there are fewer than two variants",
        Undefined::NoVariation => "no case tells the variants apart",
        Undefined::OneRepeat => "each question was asked once, so chance and difference cannot be separated",
        Undefined::OutOfReach => "out of reach, even if every change went one way",
        Undefined::OutOfRange => "a parameter is out of range",
    },
    warning: english_warning,
    movement: |moved, of| {
        let chance = of as f64 * 0.05;
        format!("{moved} of {of} properties moved; about {chance:.1} would by chance alone.")
    },
    noise: |base, candidate| {
        let (base, candidate) = (base?, candidate?);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        Some(format!(
            "Asked again, the same variant changes its verdict on a case in {} (base) and {} (candidate) of askings: read \
             differences against that.",
            percent(base),
            percent(candidate)
        ))
    },
    method: |compared, margin| {
        let interval = match compared.method {
            Method::Tango => "Tango's score interval over cases, McNemar's mid-p",
            Method::CaseMeans => "t interval over case means, guarded (conservative); the larger p of t and sign-flip",
            Method::Clusters => {
                "t interval robust against cases that share a source, guarded (conservative); the larger p of t and sign-flip"
            }
        };
        let seed = compared.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
        format!(
            "Ranges: {} % two-sided, {interval}{seed}. Margin: {} points.",
            decimal(compared.level * 100.0, 4),
            points(margin)
        )
    },
    several: |variants, p| match p {
        Ok(p) => format!("All {variants} variants together (Cochran's Q): p {}.", super::p_in_words(p)),
        Err(why) => format!("All {variants} variants together (Cochran's Q): undefined, {}.", (ENGLISH.undefined)(why)),
    },
    together: |variants| format!("{variants} variants together"),
    cases: |count| format!("{count} case{}", if count == 1 { "" } else { "s" }),
    columns: ["base", "candidate", "difference", "range", "verdict", "fixed", "broken", "flaky", "p", "adjusted"],
    adjusted: |primary, decisive, exploring| {
        format!(
            "p adjusted: `{primary}` was declared to decide (Holm, {decisive}); the others are exploration \
             (Benjamini–Hochberg, {exploring})."
        )
    },
    prompts: "How the prompts differ",
    measures: "Length, cost, latency",
    warnings: "Read with care",
    renamed: "Renamed cases",
    title: "Comparison",
    cut: "The rest is cut off here: `evalrun compare … --format html` has it all.",
};

fn english_finding(compared: &Compared, margin: f64) -> String {
    let counts = format!("fixed {}, broke {}", compared.fixed.len(), compared.broken.len());
    let range = match (compared.range, compared.interval) {
        (Some(range), _) => range,
        (None, Err(why)) => return format!("No figure: {}.", (ENGLISH.undefined)(why)),
        (None, Ok(_)) => return "No figure.".to_owned(),
    };
    if compared.n < TOO_FEW {
        let cases = (ENGLISH.cases)(compared.n);
        return format!(
            "{cases}: even if all changed one way, it could barely be told from chance ({counts}). Read the texts."
        );
    }
    let Interval { estimate, low, high } = range;
    let ranged = format!("plausible range {} to {} points", signed(low), signed(high));
    let amount = match compared.method {
        Method::Tango => {
            let difference = compared.fixed.len().abs_diff(compared.broken.len());
            let way = if estimate < 0.0 { "fewer" } else { "more" };
            format!("passes {difference} {way} of {} cases ({counts})", compared.n)
        }
        Method::CaseMeans | Method::Clusters => {
            format!(
                "passes {} points {} over {} cases ({counts})",
                points(estimate),
                if estimate < 0.0 { "fewer" } else { "more" },
                compared.n
            )
        }
    };
    let missing = if compared.is_weakened {
        format!(" The missing trials ({} cases) could change this.", compared.dropped.len())
    } else {
        String::new()
    };
    let text = match compared.verdict {
        Some(Verdict::WorseByMore) => {
            format!("The candidate {amount}, worse by more than the {} points allowed; {ranged}.", points(margin))
        }
        Some(Verdict::Worse | Verdict::Better) => format!("The candidate {amount}; {ranged}."),
        Some(Verdict::NoWorse) => {
            format!(
                "The candidate is at most {} points worse (limit {}) and could be {} better ({counts} of {}).",
                points(low),
                points(margin),
                points(high.max(0.0)),
                compared.n
            )
        }
        Some(Verdict::Inconclusive) | None if is_unchanged(compared) && compared.bounds.is_none() => format!(
            "Every case gave the same verdict; with {} cases a net change of up to {} points could still be hidden.",
            compared.n,
            points(high)
        ),
        Some(Verdict::Inconclusive) | None => {
            let needed = compared.needed.map(|needed| {
                format!(" About {needed} cases would be needed to find a 10-point difference 4 times in 5.")
            });
            format!(
                "Cannot tell: the candidate could be {} points worse or {} better ({counts} of {}).{}",
                points(low.min(0.0)),
                points(high.max(0.0)),
                compared.n,
                needed.unwrap_or_default()
            )
        }
    };
    text + &missing
}

fn english_warning(warning: &Warning) -> String {
    let side = |side: Side| match side {
        Side::Base => "the base",
        Side::Candidate => "the candidate",
    };
    match warning {
        Warning::Itself => "a variant is compared with itself".to_owned(),
        Warning::Unfinished(of) => format!("{} did not come to its end", side(*of)),
        Warning::Missing { side: of, missing, of: all } => {
            format!("{missing} of {all} trials of {} have no outcome", side(*of))
        }
        Warning::ScorerVersions(base, candidate) => format!(
            "judged by different scorers (version {base} and {candidate}): `evalrun rescore` both before comparing"
        ),
        Warning::PromptChanged(prompt) => format!("the prompt {prompt} has another text in each run"),
        Warning::ModelChanged(model, base, candidate) => {
            format!("{model} is another model now: {base}, then {candidate}")
        }
        Warning::ServedModels(base, candidate) => {
            format!("servers answered with other models: {}, then {}", base.join(", "), candidate.join(", "))
        }
        Warning::CasesChanged(count) => format!("{count} cases say something else than before and are left out"),
        Warning::JudgedOtherwise(count) => {
            format!("{count} cases are judged by other requirements, aliases or background")
        }
        Warning::OnlyInOne(base, candidate) => {
            format!("{base} cases are in the base alone, {candidate} in the candidate alone")
        }
        Warning::FewSources(count) => {
            format!(
                "the cases share {count} sources: ranges over so few are rough, and p cannot be below {:.3}",
                least_p(*count)
            )
        }
        Warning::Retries(base, candidate) => format!(
            "retried answers: {:.0} % of the base's, {:.0} % of the candidate's",
            base * 100.0,
            candidate * 100.0
        ),
        Warning::Repeats(base, candidate) => {
            format!("the base was asked {base} times a case, the candidate {candidate}")
        }
    }
}

/// The smallest p of a sign-flip test over so many sources.
fn least_p(sources: usize) -> f64 {
    2.0_f64.powi(1 - i32::try_from(sources).unwrap_or(i32::MAX))
}

const JAPANESE: Sentences = Sentences {
    finding: japanese_finding,
    verdict: |verdict| match verdict {
        Some(Verdict::WorseByMore) => "明らかに悪化",
        Some(Verdict::Worse) => "悪化",
        Some(Verdict::Better) => "改善",
        Some(Verdict::NoWorse) => "許容範囲内",
        Some(Verdict::Inconclusive) => "判断できない",
        None => "–",
    },
    undefined: |why| match why {
        Undefined::NoCases => "両方で判定されたケースがありません",
        Undefined::OneCase => "ケースが1件だけでは、ケースごとのばらつきが分かりません",
        Undefined::OneCluster => {
            "すべてのケースが同じニュースから作られているため、ニュースごとのばらつきが分かりません"
        }
        Undefined::Uneven => "組み合わせごとにケースが違います",
        Undefined::OneVariant => "比べる組み合わせが二つありません",
        Undefined::NoVariation => "結果が分かれたケースがありません",
        Undefined::OneRepeat => "1回ずつしか質問していないため、偶然と実際の差を区別できません",
        Undefined::OutOfReach => "すべてが同じ方向に変わっても検出できません",
        Undefined::OutOfRange => "設定値が範囲外です",
    },
    warning: japanese_warning,
    movement: |moved, of| {
        let chance = of as f64 * 0.05;
        format!("{of}項目のうち{moved}項目で差が見られました。偶然だけでも{chance:.1}項目ほどは動きます。")
    },
    noise: |base, candidate| {
        let (base, candidate) = (base?, candidate?);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        Some(format!(
            "同じ組み合わせに同じ質問を繰り返しても、比較元で{}、比較先で{}は判定が変わります。差はこの揺れと見比べてください。",
            percent(base),
            percent(candidate)
        ))
    },
    method: |compared, margin| {
        let interval = match compared.method {
            Method::Tango => "タンゴのスコア区間(ケース単位)、マクネマー検定(mid-p)",
            Method::CaseMeans => "ケース平均のt区間(控えめに補正)、t検定と符号反転検定のうち大きい方のp",
            Method::Clusters => {
                "同じニュースのケースをまとめたt区間(控えめに補正)、t検定と符号反転検定のうち大きい方のp"
            }
        };
        let seed = compared.seed.map(|seed| format!("、乱数の種 {seed}")).unwrap_or_default();
        format!("範囲は両側{:.4} %、{interval}{seed}。許容範囲は{}ポイント。", compared.level * 100.0, points(margin))
            .replace(".0000 %", " %")
    },
    several: |variants, p| match p {
        Ok(p) => format!("{variants}通りの組み合わせ全体の検定(コクランのQ): p {}", super::p_in_words(p)),
        Err(why) => format!("{variants}通りの組み合わせ全体の検定(コクランのQ): {}。", (JAPANESE.undefined)(why)),
    },
    together: |variants| format!("{variants}通りの組み合わせの合計"),
    cases: |count| format!("{count}件"),
    columns: ["比較元", "比較先", "差", "範囲", "判断", "改善", "悪化", "不安定", "p", "補正後"],
    adjusted: |primary, decisive, exploring| {
        format!(
            "pの補正: あらかじめ決めた判断項目 `{primary}` はホルム法({decisive}件)、ほかは探索としてベンジャミニ・ホッホベルク法\
             ({exploring}件)。"
        )
    },
    prompts: "プロンプトの差分",
    measures: "文字数・費用・応答時間",
    warnings: "注意",
    renamed: "名前が変わったケース",
    title: "比較",
    cut: "以降は省略しました。全体は `evalrun compare … --format html` で見られます。",
};

fn japanese_finding(compared: &Compared, margin: f64) -> String {
    let counts = format!("改善{}件、悪化{}件", compared.fixed.len(), compared.broken.len());
    let range = match (compared.range, compared.interval) {
        (Some(range), _) => range,
        (None, Err(why)) => return format!("数値を出せません。{}。", (JAPANESE.undefined)(why)),
        (None, Ok(_)) => return "数値を出せません。".to_owned(),
    };
    if compared.n < TOO_FEW {
        return format!(
            "ケースが{}件しかなく、全件が同じ方向に変わっても偶然とほとんど区別できません({counts})。文面を読み比べてください。",
            compared.n
        );
    }
    let Interval { estimate, low, high } = range;
    let ranged = format!("差は{}〜{}ポイントの範囲と見られます", signed(low), signed(high));
    let amount = match compared.method {
        Method::Tango => {
            let difference = compared.fixed.len().abs_diff(compared.broken.len());
            let way = if estimate < 0.0 { "減りました" } else { "増えました" };
            format!("{}件中、合格が{difference}件{way}({counts})", compared.n)
        }
        Method::CaseMeans | Method::Clusters => {
            let way = if estimate < 0.0 { "下がりました" } else { "上がりました" };
            format!("{}件のケースで、合格率が{}ポイント{way}({counts})", compared.n, points(estimate))
        }
    };
    let missing = if compared.is_weakened {
        format!("ただし、結果の欠けた{}件しだいで結論が変わります。", compared.dropped.len())
    } else {
        String::new()
    };
    let text = match compared.verdict {
        Some(Verdict::WorseByMore) => {
            format!("{amount}。許容範囲の{}ポイントを超えて悪化しており、{ranged}。", points(margin))
        }
        Some(Verdict::Worse | Verdict::Better) => format!("{amount}。{ranged}。"),
        Some(Verdict::NoWorse) => {
            format!(
                "悪くなっていたとしても{}ポイント以内で(許容範囲{}ポイント)、{}ポイント良い可能性もあります({}件中、{counts})。",
                points(low),
                points(margin),
                points(high.max(0.0)),
                compared.n
            )
        }
        Some(Verdict::Inconclusive) | None if is_unchanged(compared) && compared.bounds.is_none() => format!(
            "すべてのケースで判定は同じでした。ただし{}件では、最大{}ポイントの変化が隠れている可能性があります。",
            compared.n,
            points(high)
        ),
        Some(Verdict::Inconclusive) | None => {
            let needed = compared.needed.map(|needed| {
                format!("10ポイントの差を5回に4回の確率で見つけるには、およそ{needed}件のケースが必要です。")
            });
            format!(
                "まだ判断できません。{}ポイント悪い可能性も、{}ポイント良い可能性もあります({}件中、{counts})。{}",
                points(low.min(0.0)),
                points(high.max(0.0)),
                compared.n,
                needed.unwrap_or_default()
            )
        }
    };
    text + &missing
}

fn japanese_warning(warning: &Warning) -> String {
    let side = |side: Side| match side {
        Side::Base => "比較元",
        Side::Candidate => "比較先",
    };
    match warning {
        Warning::Itself => "同じものどうしを比べています".to_owned(),
        Warning::Unfinished(of) => format!("{}の実行は途中です", side(*of)),
        Warning::Missing { side: of, missing, of: all } => {
            format!("{}の{all}件のうち{missing}件に結果がありません", side(*of))
        }
        Warning::ScorerVersions(base, candidate) => {
            format!("採点器の版が違います({base}と{candidate})。比べる前に `evalrun rescore` で採点し直してください")
        }
        Warning::PromptChanged(prompt) => format!("プロンプト {prompt} の文面が二つの実行で違います"),
        Warning::ModelChanged(model, base, candidate) => {
            format!("{model} が指すモデルが変わりました: {base} → {candidate}")
        }
        Warning::ServedModels(base, candidate) => {
            format!("応答したモデルが違います: {} → {}", base.join(", "), candidate.join(", "))
        }
        Warning::CasesChanged(count) => format!("{count}件のケースは内容が変わったため、比べていません"),
        Warning::JudgedOtherwise(count) => {
            format!("{count}件のケースは判定の条件(要件・別名・背景知識)が変わっています")
        }
        Warning::OnlyInOne(base, candidate) => {
            format!("比較元だけにあるケースが{base}件、比較先だけにあるケースが{candidate}件あります")
        }
        Warning::FewSources(count) => {
            format!("元のニュースが{count}件しかないため、範囲は粗く、pは{:.3}より小さくなりません", least_p(*count))
        }
        Warning::Retries(base, candidate) => {
            format!("再試行した回答の割合が違います: 比較元{:.0} %、比較先{:.0} %", base * 100.0, candidate * 100.0)
        }
        Warning::Repeats(base, candidate) => format!("質問の回数が違います: 比較元{base}回、比較先{candidate}回"),
    }
}
