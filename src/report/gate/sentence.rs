//! What a gate came to, in sentences: English and Japanese.

use std::collections::BTreeSet;

use crate::compare::TooFew;
use crate::gate::{Check, Decision, Finding, Gate};
use crate::project::{On, Tier};
use crate::report::comparison::{points, signed};
use crate::report::csv::decimal;
use crate::report::lang::Lang;
use crate::report::names::full;
use crate::stats::Interval;

/// How many checks failed, cannot be decided, and passed.
type Counts = [usize; 3];

/// The decision in a line: what counts, then what is only said.
pub(super) fn headline(gate: &Gate, lang: Lang) -> String {
    let counts = |is_advisory: bool| -> Counts {
        let of_tier = || gate.checks.iter().filter(|check| (check.tier == Tier::Advisory) == is_advisory);
        [Decision::Failed, Decision::Inconclusive, Decision::Passed]
            .map(|decision| of_tier().filter(|check| check.decision == decision).count())
    };
    let (counts, advisory) = (counts(false), counts(true));
    let (missing, all) = gate.missing;
    // The trials that lack an outcome may still decide otherwise: the run ends with 3.
    let is_open = gate.is_incomplete() && !gate.surely_failed();
    match lang {
        Lang::En => {
            let decision = match gate.decision() {
                Decision::Passed => "gate passed",
                Decision::Failed => "GATE FAILED",
                Decision::Inconclusive => "gate inconclusive",
            };
            let decision = if is_open { format!("{decision} so far") } else { decision.to_owned() };
            let advisory = told(advisory, |count, what| format!("{count} {what}"), ["failed", "undecided", "passed"]);
            let advisory = if advisory.is_empty() { advisory } else { format!("; advisory: {advisory}") };
            let missing =
                if missing > 0 { format!("; {missing} of {}", have_no_outcome(missing, all)) } else { String::new() };
            let [failed, open, passed] = counts;
            format!("{decision}: {failed} failed, {open} undecided, {passed} passed{advisory}{missing}")
        }
        Lang::Ja => {
            let decision = match gate.decision() {
                Decision::Passed => "ゲート合格",
                Decision::Failed => "ゲート不合格",
                Decision::Inconclusive => "ゲート判断できず",
            };
            let decision = if is_open { format!("{decision}(暫定)") } else { decision.to_owned() };
            let advisory = told(advisory, |count, what| format!("{what} {count}"), ["不合格", "判断できず", "合格"])
                .replace(", ", "、");
            let advisory = if advisory.is_empty() { advisory } else { format!("。参考の項目: {advisory}") };
            let missing = if missing > 0 {
                format!("。{all}試行のうち{missing}試行に結果がありません")
            } else {
                String::new()
            };
            let [failed, open, passed] = counts;
            format!("{decision}: 不合格 {failed}、判断できず {open}、合格 {passed}{advisory}{missing}")
        }
    }
}

/// The counts that are not 0.
fn told(counts: Counts, told: fn(usize, &str) -> String, words: [&str; 3]) -> String {
    let told = counts.into_iter().zip(words).filter(|(count, _)| *count > 0).map(|(count, what)| told(count, what));
    told.collect::<Vec<_>>().join(", ")
}

/// A check in a sentence: variant, property, what was found, what was asked.
pub(crate) fn sentence(check: &Check, lang: Lang) -> String {
    let found = match lang {
        Lang::En => english(&check.finding),
        Lang::Ja => japanese(&check.finding),
    };
    let Some((prompt, model)) = &check.variant else { return found };
    let subject = full(check.subject, lang);
    let is_broken = matches!(check.finding, Finding::Broken { .. });
    let open = match (check.could_change, lang) {
        (false, _) => "",
        (true, Lang::En) if is_broken => " (cases without a verdict could change this)",
        (true, Lang::En) => " (trials without an outcome could change this)",
        (true, Lang::Ja) if is_broken => "(判定のないケースしだいで変わります)",
        (true, Lang::Ja) => "(結果のない試行しだいで変わります)",
    };
    let too_few = check.too_few().filter(|_| check.decision == Decision::Inconclusive);
    let too_few = too_few.map(|too_few| is_too_few(too_few, lang)).unwrap_or_default();
    format!("{prompt}@{model} · {subject}: {found}{open}{too_few}{}", tier(check.tier, lang))
}

/// The tier, where it is not the usual one.
fn tier(tier: Tier, lang: Lang) -> String {
    match (tier, lang) {
        (Tier::Critical, _) => String::new(),
        (tier, Lang::En) => format!(" [{}]", tier.name()),
        (Tier::Supporting, Lang::Ja) => "[補助]".to_owned(),
        (Tier::Advisory, Lang::Ja) => "[参考]".to_owned(),
    }
}

/// A decision in a word.
pub(crate) const fn decision(decision: Decision, lang: Lang) -> &'static str {
    match (lang, decision) {
        (Lang::En, decision) => decision.name(),
        (Lang::Ja, Decision::Passed) => "合格",
        (Lang::Ja, Decision::Failed) => "不合格",
        (Lang::Ja, Decision::Inconclusive) => "判断できず",
    }
}

fn percent(share: f64) -> String {
    decimal(share * 100.0, 3)
}

/// `12 trials have no outcome`, after a number of them.
fn have_no_outcome(missing: usize, of: usize) -> String {
    format!("{of} trials {} no outcome", if missing == 1 { "has" } else { "have" })
}

fn english(finding: &Finding) -> String {
    match finding {
        Finding::Rate { passed, decided, rate, min, on, undecided, .. } => {
            let what = match on {
                On::Estimate => "must pass",
                On::Low => "must surely pass (lower end)",
            };
            let asked = format!("at least {} % {what}", percent(*min));
            let Some(Interval { estimate, low, high }) = rate else { return format!("no case is decided; {asked}") };
            let [estimate, low, high] = [estimate, low, high].map(|share| format!("{:.0}", share * 100.0));
            let undecided = match undecided.len() {
                0 => String::new(),
                1 => ", 1 case undecided".to_owned(),
                count => format!(", {count} cases undecided"),
            };
            format!("{passed}/{decided} {estimate} % (95 %: {low}–{high}){undecided}; {asked}")
        }
        Finding::Drop { base, difference, max, broken, undecided, .. } => match difference {
            Some(range) => {
                let undecided = match undecided.len() {
                    0 => String::new(),
                    count => format!(", {count} without a verdict"),
                };
                format!(
                    "{} points against {base} (90 %: {} … {}), {} broken{undecided}; a drop of {} points or more must be \
                     ruled out",
                    signed(range.estimate),
                    signed(range.low),
                    signed(range.high),
                    broken.len(),
                    points(*max)
                )
            }
            None => format!("cannot be compared with {base}"),
        },
        Finding::Broken { base, broken, max, .. } => match broken.len() {
            1 => format!("1 case that passed with {base} fails; {max} may"),
            count => format!("{count} cases that passed with {base} fail; {max} may"),
        },
        Finding::NoCounterpart => "the baseline has no variant to compare with".to_owned(),
        Finding::NotRequired => "no case of this run requires it".to_owned(),
        Finding::Missing { missing, of, max } => {
            format!("{missing} of {}; at most {} % may", have_no_outcome(*missing, *of), percent(*max))
        }
        Finding::Cost { dollars, unknown, max } => {
            let unknown = match unknown {
                0 => String::new(),
                1 => " and 1 answer of unknown cost".to_owned(),
                count => format!(" and {count} answers of unknown cost"),
            };
            format!("cost: {} US dollars{unknown}; at most {}", decimal(*dollars, 4), decimal(*max, 6))
        }
    }
}

fn japanese(finding: &Finding) -> String {
    match finding {
        Finding::Rate { passed, decided, rate, min, on, undecided, .. } => {
            let asked = match on {
                On::Estimate => format!("条件は合格率{}%以上", percent(*min)),
                On::Low => format!("条件は区間の下限が{}%以上", percent(*min)),
            };
            let Some(Interval { estimate, low, high }) = rate else {
                return format!("判定できたケースがありません。{asked}");
            };
            let [estimate, low, high] = [estimate, low, high].map(|share| format!("{:.0}", share * 100.0));
            let undecided = match undecided.len() {
                0 => String::new(),
                count => format!("、判定できないケース{count}"),
            };
            format!(
                "{decided}ケース中{passed}ケース合格、合格率{estimate}%(95%区間は{low}〜{high}%){undecided}。{asked}"
            )
        }
        Finding::Drop { base, difference, max, broken, undecided, .. } => match difference {
            Some(range) => {
                let undecided = match undecided.len() {
                    0 => String::new(),
                    count => format!("、判定のないケースは{count}"),
                };
                format!(
                    "基準の {base} との差は{}ポイント(90%区間は{}〜{})、悪化したケースは{}{undecided}。\
                     条件は、低下が{}ポイント未満だと統計的に言えること",
                    signed(range.estimate),
                    signed(range.low),
                    signed(range.high),
                    broken.len(),
                    points(*max)
                )
            }
            None => format!("基準の {base} と比べられません"),
        },
        Finding::Broken { base, broken, max, .. } => {
            let found = match broken.len() {
                0 => format!("基準の {base} から不合格に転じたケースはありません"),
                count => format!("基準の {base} で合格した{count}ケースが不合格に転じました"),
            };
            match max {
                0 => format!("{found}(1ケースも許容しません)"),
                max => format!("{found}(許容は{max}ケースまで)"),
            }
        }
        Finding::NoCounterpart => "基準の実行に、比べられる組み合わせがありません".to_owned(),
        Finding::NotRequired => "この実行には、これを要件とするケースがありません".to_owned(),
        Finding::Missing { missing: 0, of, max } => {
            format!("{of}試行のすべてに結果があります(許容する欠けは{}%)", percent(*max))
        }
        Finding::Missing { missing, of, max } => {
            format!("{of}試行のうち{missing}試行に結果がありません(許容は{}%)", percent(*max))
        }
        Finding::Cost { dollars, unknown, max } => {
            let unknown = match unknown {
                0 => String::new(),
                count => format!("(ほかに費用の分からない回答が{count}件)"),
            };
            format!("費用は{}米ドル{unknown}。上限は{}米ドル", decimal(*dollars, 4), decimal(*max, 6))
        }
    }
}

/// That so few cases can never show what is asked for, and how many could.
fn is_too_few(TooFew { cases, needed }: TooFew, lang: Lang) -> String {
    match lang {
        Lang::En => {
            let cases = if cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
            match needed {
                Some(needed) => format!(" ({cases} can never show that; about {needed} could)"),
                None => " (no number of cases can show that)".to_owned(),
            }
        }
        Lang::Ja => match needed {
            Some(needed) => format!("({cases}ケースでは示せません。約{needed}ケースが必要です)"),
            None => "(ケースをいくら増やしても示せません)".to_owned(),
        },
    }
}

/// What to do about rules that so few cases can never show to hold.
pub(super) fn advice(gate: &Gate, lang: Lang) -> Vec<&'static str> {
    let texts = match lang {
        Lang::En => [
            "so few cases prove no such rate even if all pass: take a lower `min_rate`, or `on = \"estimate\"`",
            "so few cases rule no such drop out even where no verdict changes: `max_broken` suits them",
            "no number of cases proves a rate so near to 100 %: take a lower `min_rate`, or `on = \"estimate\"`",
            "no number of cases rules out a drop so near to nothing: take a larger `max_drop`, or `max_broken = 0`",
        ],
        Lang::Ja => [
            "この数のケースでは、すべて合格しても、この合格率を統計的に示せません。`min_rate` を下げるか、`on = \"estimate\"` にしてください",
            "この数のケースでは、判定が一つも変わらなくても、この低下を統計的に否定できません。`max_broken` が向いています",
            "これほど100%に近い合格率は、ケースをいくら増やしても統計的に示せません。`min_rate` を下げるか、`on = \"estimate\"` にしてください",
            "これほど小さい低下は、ケースをいくら増やしても統計的に否定できません。`max_drop` を大きくするか、`max_broken = 0` にしてください",
        ],
    };
    let open = gate.checks.iter().filter(|check| check.decision == Decision::Inconclusive);
    let kinds = open.filter_map(|check| {
        let is_drop = !matches!(check.finding, Finding::Rate { .. });
        Some(usize::from(is_drop) + if check.too_few()?.needed.is_none() { 2 } else { 0 })
    });
    let kinds: BTreeSet<usize> = kinds.collect();
    kinds.into_iter().map(|kind| texts[kind]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CaseId;
    use crate::outcome::Subject;
    use crate::property::Property;

    fn cases(count: usize) -> Vec<CaseId> {
        (0..count).map(|n| format!("c{n}").parse().unwrap()).collect()
    }

    fn check(finding: Finding, decision: Decision) -> Check {
        let is_of_run = matches!(finding, Finding::Missing { .. } | Finding::Cost { .. });
        let variant = (!is_of_run).then(|| ("p".parse().unwrap(), "m".parse().unwrap()));
        let subject = Subject::Property(Property::Length);
        let could_change = matches!(&finding, Finding::Broken { undecided, .. } if !undecided.is_empty());
        Check { variant, subject, tier: Tier::Critical, finding, decision, could_change }
    }

    /// Every finding, as one and as several where that makes a difference.
    fn gate() -> Gate {
        use Decision::{Failed, Inconclusive, Passed};
        let interval = |estimate, low, high| Some(Interval { estimate, low, high });
        let rate = |on, undecided, too_few| {
            let (rate, failed) = (interval(0.75, 0.47, 0.91), cases(3));
            Finding::Rate { passed: 9, decided: 12, rate, min: 0.9, on, failed, undecided, too_few }
        };
        let drop = |undecided, needed| Finding::Drop {
            base: "p@m".to_owned(),
            difference: interval(-0.07, -0.2, 0.03),
            max: 0.05,
            broken: cases(1),
            undecided,
            too_few: Some(TooFew { cases: 14, needed }),
        };
        let broken = |broken, undecided| Finding::Broken { base: "p@m".to_owned(), broken, undecided, max: 0 };
        let advisory = Check { tier: Tier::Advisory, ..check(rate(On::Estimate, cases(2), None), Failed) };
        let checks = vec![
            check(rate(On::Estimate, Vec::new(), None), Failed),
            check(rate(On::Low, cases(1), Some(TooFew { cases: 13, needed: Some(35) })), Inconclusive),
            check(drop(cases(1), Some(52)), Inconclusive),
            check(drop(Vec::new(), None), Inconclusive),
            check(broken(cases(1), Vec::new()), Failed),
            check(broken(Vec::new(), cases(2)), Inconclusive),
            check(Finding::NoCounterpart, Inconclusive),
            check(Finding::NotRequired, Inconclusive),
            check(Finding::Missing { missing: 1, of: 24, max: 0.02 }, Inconclusive),
            check(Finding::Missing { missing: 0, of: 24, max: 0.02 }, Passed),
            check(Finding::Cost { dollars: 0.25, unknown: 1, max: 1.0 }, Inconclusive),
            advisory,
        ];
        Gate { checks, beside: None, missing: (1, 24), missing_is_accepted: false, inconclusive_fails: false }
    }

    fn told(lang: Lang) -> String {
        let gate = gate();
        let lines = gate.checks.iter().map(|check| sentence(check, lang));
        let advice = advice(&gate, lang).into_iter().map(str::to_owned);
        std::iter::once(headline(&gate, lang)).chain(lines).chain(advice).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_decision_that_missing_trials_could_change_is_one_so_far() {
        let passed = check(Finding::Missing { missing: 0, of: 24, max: 0.02 }, Decision::Passed);
        let gate = Gate { checks: vec![passed], ..gate() };
        assert!(headline(&gate, Lang::En).starts_with("gate passed so far: "));
        assert!(headline(&gate, Lang::Ja).starts_with("ゲート合格(暫定): "));
        let accepted = Gate { missing_is_accepted: true, ..gate };
        assert!(headline(&accepted, Lang::En).starts_with("gate passed: "));
    }

    #[test]
    fn each_finding_is_a_sentence() {
        insta::assert_snapshot!(told(Lang::En), @r#"
        GATE FAILED: 2 failed, 8 undecided, 1 passed; advisory: 1 failed; 1 of 24 trials has no outcome
        p@m · length: 9/12 75 % (95 %: 47–91); at least 90 % must pass
        p@m · length: 9/12 75 % (95 %: 47–91), 1 case undecided; at least 90 % must surely pass (lower end) (13 cases can never show that; about 35 could)
        p@m · length: −7 points against p@m (90 %: −20 … +3), 1 broken, 1 without a verdict; a drop of 5 points or more must be ruled out (14 cases can never show that; about 52 could)
        p@m · length: −7 points against p@m (90 %: −20 … +3), 1 broken; a drop of 5 points or more must be ruled out (no number of cases can show that)
        p@m · length: 1 case that passed with p@m fails; 0 may
        p@m · length: 0 cases that passed with p@m fail; 0 may (cases without a verdict could change this)
        p@m · length: the baseline has no variant to compare with
        p@m · length: no case of this run requires it
        1 of 24 trials has no outcome; at most 2 % may
        0 of 24 trials have no outcome; at most 2 % may
        cost: 0.25 US dollars and 1 answer of unknown cost; at most 1
        p@m · length: 9/12 75 % (95 %: 47–91), 2 cases undecided; at least 90 % must pass [advisory]
        so few cases prove no such rate even if all pass: take a lower `min_rate`, or `on = "estimate"`
        so few cases rule no such drop out even where no verdict changes: `max_broken` suits them
        no number of cases rules out a drop so near to nothing: take a larger `max_drop`, or `max_broken = 0`
        "#);
    }

    #[test]
    fn each_finding_is_a_sentence_in_japanese() {
        insta::assert_snapshot!(told(Lang::Ja), @r#"
        ゲート不合格: 不合格 2、判断できず 8、合格 1。参考の項目: 不合格 1。24試行のうち1試行に結果がありません
        p@m · 長さ(length): 12ケース中9ケース合格、合格率75%(95%区間は47〜91%)。条件は合格率90%以上
        p@m · 長さ(length): 12ケース中9ケース合格、合格率75%(95%区間は47〜91%)、判定できないケース1。条件は区間の下限が90%以上(13ケースでは示せません。約35ケースが必要です)
        p@m · 長さ(length): 基準の p@m との差は−7ポイント(90%区間は−20〜+3)、悪化したケースは1、判定のないケースは1。条件は、低下が5ポイント未満だと統計的に言えること(14ケースでは示せません。約52ケースが必要です)
        p@m · 長さ(length): 基準の p@m との差は−7ポイント(90%区間は−20〜+3)、悪化したケースは1。条件は、低下が5ポイント未満だと統計的に言えること(ケースをいくら増やしても示せません)
        p@m · 長さ(length): 基準の p@m で合格した1ケースが不合格に転じました(1ケースも許容しません)
        p@m · 長さ(length): 基準の p@m から不合格に転じたケースはありません(1ケースも許容しません)(判定のないケースしだいで変わります)
        p@m · 長さ(length): 基準の実行に、比べられる組み合わせがありません
        p@m · 長さ(length): この実行には、これを要件とするケースがありません
        24試行のうち1試行に結果がありません(許容は2%)
        24試行のすべてに結果があります(許容する欠けは2%)
        費用は0.25米ドル(ほかに費用の分からない回答が1件)。上限は1米ドル
        p@m · 長さ(length): 12ケース中9ケース合格、合格率75%(95%区間は47〜91%)、判定できないケース2。条件は合格率90%以上[参考]
        この数のケースでは、すべて合格しても、この合格率を統計的に示せません。`min_rate` を下げるか、`on = "estimate"` にしてください
        この数のケースでは、判定が一つも変わらなくても、この低下を統計的に否定できません。`max_broken` が向いています
        これほど小さい低下は、ケースをいくら増やしても統計的に否定できません。`max_drop` を大きくするか、`max_broken = 0` にしてください
        "#);
    }
}
