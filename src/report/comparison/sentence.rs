//! What a comparison says, in sentences for somebody who has never heard of a p: English and Japanese.

use super::{points, signed};
use crate::compare::{Compared, Measure, Method, Side, Verdict, Warning};
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
    /// A share in percent.
    pub(crate) percent: fn(f64) -> String,
    /// What is measured beside the verdicts.
    pub(crate) measure: fn(Measure) -> &'static str,
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
    percent: |share| format!("{:.0} %", share * 100.0),
    measure: Measure::name,
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
    let missing = match (compared.is_weakened, compared.dropped.len()) {
        (false, _) => String::new(),
        (true, 0) => " The missing trials could change this.".to_owned(),
        (true, dropped) => format!(" The missing trials ({}) could change this.", (ENGLISH.cases)(dropped)),
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
        Some(Verdict::Inconclusive) => "判断できず",
        None => "–",
    },
    undefined: |why| match why {
        Undefined::NoCases => "両方で判定できたケースがありません",
        Undefined::OneCase => "1ケースだけでは、ケースごとのばらつきが分かりません",
        Undefined::OneCluster => "すべてのケースが同じニュースを元にしているため、ニュースごとのばらつきが分かりません",
        Undefined::Uneven => "組み合わせによって、試したケースが違います",
        Undefined::OneVariant => "比べる組み合わせが二つありません",
        Undefined::NoVariation => "結果の分かれたケースがありません",
        Undefined::OneRepeat => "1回ずつしか試していないため、偶然のばらつきと実際の差を区別できません",
        Undefined::OutOfReach => "すべてのケースが同じ方向に変わっても検出できません",
        Undefined::OutOfRange => "設定値が範囲外です",
    },
    warning: japanese_warning,
    movement: |moved, of| {
        let chance = of as f64 * 0.05;
        format!("{of}項目中{moved}項目で差が出ました。偶然だけでも{chance:.1}項目ほどには差が出ます。")
    },
    noise: |base, candidate| {
        let (base, candidate) = (base?, candidate?);
        let percent = |share: f64| format!("{:.0}%", share * 100.0);
        Some(format!(
            "同じ組み合わせで同じケースを試し直すだけでも、比較元では{}、比較先では{}の割合で判定が変わります。\
             差を読むときは、この揺れと見比べてください。",
            percent(base),
            percent(candidate)
        ))
    },
    method: |compared, margin| {
        let interval = match compared.method {
            Method::Tango => "ケース単位のTangoのスコア区間。pはMcNemar検定(mid-p)",
            Method::CaseMeans => "ケース平均のt区間(控えめに補正)。pはt検定と符号反転検定のうち大きい方",
            Method::Clusters => {
                "同じニュースのケースをまとめたt区間(控えめに補正)。pはt検定と符号反転検定のうち大きい方"
            }
        };
        let seed = compared.seed.map(|seed| format!("(乱数の種 {seed})")).unwrap_or_default();
        let (level, margin) = (decimal(compared.level * 100.0, 4), points(margin));
        format!("範囲は両側{level}%、{interval}{seed}。悪化の許容範囲は{margin}ポイント。")
    },
    several: |variants, p| match p {
        Ok(p) => format!("{variants}通りの組み合わせ全体の検定(CochranのQ検定): p {}", super::p_in_words(p)),
        Err(why) => {
            format!("{variants}通りの組み合わせ全体の検定(CochranのQ検定): できません。{}。", (JAPANESE.undefined)(why))
        }
    },
    together: |variants| format!("{variants}通りの組み合わせを合算"),
    percent: |share| format!("{:.0}%", share * 100.0),
    measure: |measure| match measure {
        Measure::Chars => "文字数",
        Measure::OutputTokens => "出力トークン",
        Measure::Cost => "費用(米ドル)",
        Measure::Latency => "応答時間(ミリ秒)",
    },
    cases: |count| format!("{count}ケース"),
    columns: ["比較元", "比較先", "差", "範囲", "判断", "改善", "悪化", "不安定", "p", "補正後"],
    adjusted: |primary, decisive, exploring| {
        format!(
            "pの補正: 判断の基準に定めた `{primary}` はHolm法(検定{decisive}件)、ほかの項目は探索的な参考として\
             Benjamini–Hochberg法(検定{exploring}件)。"
        )
    },
    prompts: "プロンプトの差分",
    measures: "文字数・費用・応答時間",
    warnings: "注意",
    renamed: "名前が変わったケース",
    title: "比較",
    cut: "以降は省略しました。全体は `evalrun compare … --format html` で見られます。",
};

/// How many cases were fixed and broken.
fn japanese_counts(compared: &Compared) -> String {
    match (compared.fixed.len(), compared.broken.len()) {
        (0, 0) => "改善・悪化したケースなし".to_owned(),
        (fixed, broken) => format!("改善{fixed}ケース、悪化{broken}ケース"),
    }
}

fn japanese_finding(compared: &Compared, margin: f64) -> String {
    let (counts, n) = (japanese_counts(compared), compared.n);
    let range = match (compared.range, compared.interval) {
        (Some(range), _) => range,
        (None, Err(why)) => return format!("比べられません。{}。", (JAPANESE.undefined)(why)),
        (None, Ok(_)) => return "比べられません。".to_owned(),
    };
    if n < TOO_FEW {
        return format!(
            "{n}ケースだけでは、すべてが同じ方向に変わっても偶然とほとんど区別できません({counts})。\
             回答を読み比べてください。"
        );
    }
    let Interval { estimate, low, high } = range;
    let ranged = format!("実際の差は{}〜{}ポイントと推定されます", signed(low), signed(high));
    let amount = match compared.method {
        Method::Tango => {
            let difference = compared.fixed.len().abs_diff(compared.broken.len());
            let way = if estimate < 0.0 { "減りました" } else { "増えました" };
            format!("{n}ケースのうち、合格が{difference}ケース{way}({counts})")
        }
        Method::CaseMeans | Method::Clusters => {
            let way = if estimate < 0.0 { "下がりました" } else { "上がりました" };
            format!("{n}ケースの合格率が{}ポイント{way}({counts})", points(estimate))
        }
    };
    let missing = match (compared.is_weakened, compared.dropped.len()) {
        (false, _) => String::new(),
        (true, 0) => "ただし、結果のない試行しだいで結論が変わります。".to_owned(),
        (true, dropped) => format!("ただし、結果のない{dropped}ケースしだいで結論が変わります。"),
    };
    let text = match compared.verdict {
        Some(Verdict::WorseByMore) => {
            format!("{amount}。許容範囲の{}ポイントを超える悪化です。{ranged}。", points(margin))
        }
        Some(Verdict::Worse | Verdict::Better) => format!("{amount}。{ranged}。"),
        Some(Verdict::NoWorse) => format!(
            "悪化していたとしても{}ポイントまで(許容範囲は{}ポイント)で、{}ポイント改善している可能性もあります\
             ({n}ケース中、{counts})。",
            points(low),
            points(margin),
            points(high.max(0.0)),
        ),
        Some(Verdict::Inconclusive) | None if is_unchanged(compared) && compared.bounds.is_none() => format!(
            "どのケースでも判定は変わりませんでした。ただし{n}ケースでは、最大{}ポイントの差があっても現れないことがあります。",
            points(high)
        ),
        Some(Verdict::Inconclusive) | None => {
            let needed = compared
                .needed
                .map(|needed| format!("10ポイントの差を5回に4回見つけるには、約{needed}ケースが必要です。"));
            format!("改善とも悪化とも言えません。{ranged}({n}ケース中、{counts})。{}", needed.unwrap_or_default())
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
        Warning::Itself => "同じもの同士を比べています".to_owned(),
        Warning::Unfinished(of) => format!("{}の実行は完了していません", side(*of)),
        Warning::Missing { side: of, missing, of: all } => {
            format!("{}の{all}試行のうち、{missing}試行には結果がありません", side(*of))
        }
        Warning::ScorerVersions(base, candidate) => {
            format!(
                "採点器の版が違います({base}と{candidate})。比べる前に、両方を `evalrun rescore` で採点し直してください"
            )
        }
        Warning::PromptChanged(prompt) => format!("プロンプト {prompt} の文面が二つの実行で違います"),
        Warning::ModelChanged(model, base, candidate) => {
            format!("{model} の指すモデルが変わっています: {base} → {candidate}")
        }
        Warning::ServedModels(base, candidate) => {
            format!("応答したモデルが違います: {} → {}", base.join("、"), candidate.join("、"))
        }
        Warning::CasesChanged(count) => format!("内容の変わった{count}ケースは、比較から除いています"),
        Warning::JudgedOtherwise(count) => {
            format!("{count}ケースは、判定の条件(要件・別名・背景知識)が変わっています")
        }
        Warning::OnlyInOne(base, candidate) => {
            format!("片方にしかないケースがあります(比較元だけ{base}、比較先だけ{candidate})")
        }
        Warning::FewSources(count) => format!(
            "ケースの元になったニュースが{count}本しかないため、範囲は大まかで、pは{:.3}を下回りません",
            least_p(*count)
        ),
        Warning::Retries(base, candidate) => {
            format!("再試行で得た回答の割合が違います: 比較元{:.0}%、比較先{:.0}%", base * 100.0, candidate * 100.0)
        }
        Warning::Repeats(base, candidate) => {
            format!("1ケースあたりの試行回数が違います: 比較元{base}回、比較先{candidate}回")
        }
    }
}
