//! The sentences in Japanese.

use super::{Sentences, TOO_FEW, is_unchanged, least_p, listed, own_level};
use crate::compare::{Compared, Measure, Method, Side, Verdict, Warning};
use crate::report::comparison::{p_in_words, points, signed};
use crate::report::csv::decimal;
use crate::report::lang::Lang;
use crate::report::names::quoted;
use crate::stats::{Interval, LEVEL, Undefined};

pub(super) const JAPANESE: Sentences = Sentences {
    lang: Lang::Ja,
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
        match moved {
            0 => format!(
                "{of}項目のうち、はっきりした差が出たものはありません(どの範囲にも0が含まれます)。\
                 変化がなかったという意味ではなく、ケースを増やせば差が見えることもあります。"
            ),
            moved => format!(
                "{of}項目のうち{moved}項目で、はっきりした差が出ました(範囲に0が含まれません)。\
                 ただし、偶然だけでも{chance:.1}項目ほどはそう見えます。"
            ),
        }
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
        let (usual, margin) = (decimal(LEVEL * 100.0, 4), points(margin));
        let own = own_level(compared)
            .map(|level| format!("({}は{level}%)", quoted(compared.subject, Lang::Ja)))
            .unwrap_or_default();
        format!("範囲は両側{usual}%{own}、{interval}{seed}。悪化の許容範囲は{margin}ポイント。")
    },
    several: |variants, p| match p {
        Ok(p) => format!("{variants}通りの組み合わせ全体の検定(CochranのQ検定): p {}", p_in_words(p)),
        Err(why) => {
            format!("{variants}通りの組み合わせ全体の検定(CochranのQ検定): できません。{}。", (JAPANESE.undefined)(why))
        }
    },
    variants: |variants| format!("{variants}通りの組み合わせ"),
    together: |variants| format!("{variants}通りの組み合わせの合計"),
    apart: |subject| format!("組み合わせごとの結果: {subject}"),
    worse: |variant, rates| format!("悪化した組み合わせ: {variant}({rates})"),
    percent: |share| format!("{:.0}%", share * 100.0),
    at_level: |range, level| format!("{range} ({level}%)"),
    measure: |measure| match measure {
        Measure::Chars => "文字数",
        Measure::OutputTokens => "出力トークン",
        Measure::Cost => "費用(米ドル)",
        Measure::Latency => "応答時間(ミリ秒)",
    },
    cases: |count| format!("{count}ケース"),
    columns: ["比較元", "比較先", "差", "範囲", "判断", "改善", "悪化", "混在", "不安定", "p", "補正後"],
    adjusted: |primary, decisive, exploring| {
        format!(
            "pの補正: 判断の基準に定めた{primary}はHolm法(検定{decisive}件)、ほかの項目は探索的な参考として\
             Benjamini–Hochberg法(検定{exploring}件)。"
        )
    },
    prompts: "プロンプトの差分",
    measures: "文字数・費用・応答時間",
    warnings: "注意",
    renamed: "名前が変わったケース",
    title: "比較",
    broken_in_part: "一部の項目で悪化",
    broken_with_some: "組み合わせによって悪化と改善が混在",
    more: |count| format!("ほか{count}ケース"),
    clipped: "*… この続きは省略しました。*",
    cut: "以降は省略しました。全体は `evalrun compare … --format html` で見られます。",
};

/// How many cases were fixed and broken.
fn japanese_counts(compared: &Compared) -> String {
    match (compared.fixed.len(), compared.broken.len()) {
        (0, 0) => "改善・悪化ともになし".to_owned(),
        (fixed, 0) => format!("改善{fixed}ケース、悪化なし"),
        (0, broken) => format!("悪化{broken}ケース、改善なし"),
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
        let even = if n == 1 { "判定が変わっても" } else { "すべてが同じ方向に変わっても" };
        return format!("{n}ケースだけでは、{even}偶然とほとんど区別できません({counts})。回答を読み比べてください。");
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
            "どのケースでも判定は変わりませんでした。ただし{n}ケースでは、最大{}ポイントの差を見逃している可能性があります。",
            points(high)
        ),
        Some(Verdict::Inconclusive) | None => {
            let needed = compared
                .needed
                .map(|needed| format!("10ポイントの差を8割の確率で見つけるには、約{needed}ケースが必要です。"));
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
        Warning::NoTexts(of) => format!("{}には回答が残されていないため、文面は比べられません", side(*of)),
        Warning::Missing { side: of, missing, of: all } => {
            format!("{}の{all}試行のうち、{missing}試行には結果がありません", side(*of))
        }
        Warning::ScorerVersions(base, candidate) => {
            format!(
                "採点器のバージョンが違います({base}と{candidate})。比べる前に、両方を `evalrun rescore` で採点し直してください"
            )
        }
        Warning::PromptChanged(prompt) => format!("プロンプト {prompt} の文面が二つの実行で違います"),
        Warning::ModelChanged(model, base, candidate) => {
            format!("{model} の指すモデルが変わっています: {base} → {candidate}")
        }
        Warning::ServedModels(base, candidate) => {
            format!("応答したモデルが違います: {} → {}", base.join("、"), candidate.join("、"))
        }
        Warning::CasesChanged(cases) => {
            format!("内容の変わった{}ケースは、比較から除いています: {}", cases.len(), listed(cases, Lang::Ja))
        }
        Warning::JudgedOtherwise(cases) => format!(
            "{}ケースで、判定の条件(要件・別名・背景知識)が変わっています: {}",
            cases.len(),
            listed(cases, Lang::Ja)
        ),
        Warning::OnlyInOne(base, candidate) => {
            let sides = [("比較元にしかないケース", base), ("比較先にしかないケース", candidate)];
            let told = sides.into_iter().filter(|(_, cases)| !cases.is_empty());
            let told = told.map(|(side, cases)| format!("{side}: {}", listed(cases, Lang::Ja)));
            told.collect::<Vec<_>>().join("。")
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
