//! What a gate came to: each check with what was found and what was asked, then the cases with the words that speak
//! against them.
//!
//! Promises the same facts on a terminal, in Markdown and in JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::gate::{Check, Decision, Finding, Gate, REGRESSION_LEVEL};
use crate::id::CaseId;
use crate::outcome::{Entry, Outcomes, Required, Run, Status, Subject};
use crate::project::{On, Tier};
use crate::report::comparison::{points, signed};
use crate::report::csv::decimal;
use crate::report::escape::{markdown as escape, one_line, without_ci_commands};
use crate::report::evidence::{against, quote, remark};
use crate::report::lang::{Lang, Words};
use crate::score::Verdict;
use crate::stats::LEVEL;

/// The most cases of a check, and quotations of a case, that are shown.
const MOST_CASES: usize = 5;
const MOST_QUOTES: usize = 2;

/// Which form a gate is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateForm {
    /// Lines for a terminal or a log.
    Text,
    /// A list for a page.
    Markdown,
}

/// Writes a gate: its decision, then every check, those that failed first.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_gate(
    gate: &Gate,
    run: &Run,
    outcomes: &dyn Outcomes,
    form: GateForm,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (mut text, words) = (Vec::new(), lang.words());
    let head = headline(gate, lang);
    match form {
        GateForm::Text => writeln!(text, "{head}")?,
        GateForm::Markdown => writeln!(text, "## {head}\n")?,
    }
    let order = [Decision::Failed, Decision::Inconclusive, Decision::Passed];
    for check in order.iter().flat_map(|decision| gate.checks.iter().filter(move |check| check.decision == *decision)) {
        let line = format!("{} {}", sign(check.decision), sentence(check, lang));
        match form {
            GateForm::Text => writeln!(text, "{}", one_line(&line))?,
            GateForm::Markdown => writeln!(text, "- {}", escape(&line))?,
        }
        if check.decision == Decision::Passed {
            continue;
        }
        for detail in details(check, run, outcomes, words)? {
            match form {
                GateForm::Text => writeln!(text, "    {}", one_line(&detail))?,
                GateForm::Markdown => writeln!(text, "  - {}", escape(&detail))?,
            }
        }
    }
    out.write_all(without_ci_commands(&String::from_utf8_lossy(&text)).as_bytes())
}

const fn sign(decision: Decision) -> &'static str {
    match decision {
        Decision::Passed => "✓",
        Decision::Failed => "✗",
        Decision::Inconclusive => "?",
    }
}

/// The decision in a line.
pub(crate) fn headline(gate: &Gate, lang: Lang) -> String {
    let count = |decision| gate.checks.iter().filter(|check| check.decision == decision).count();
    let [passed, failed, open] = [Decision::Passed, Decision::Failed, Decision::Inconclusive].map(count);
    let (missing, all) = gate.missing;
    match lang {
        Lang::En => {
            let decision = match gate.decision() {
                Decision::Passed => "gate passed",
                Decision::Failed => "GATE FAILED",
                Decision::Inconclusive => "gate inconclusive",
            };
            let missing =
                if missing > 0 { format!("; {missing} of {all} trials have no outcome") } else { String::new() };
            format!("{decision}: {failed} failed, {open} undecided, {passed} passed{missing}")
        }
        Lang::Ja => {
            let decision = match gate.decision() {
                Decision::Passed => "ゲート合格",
                Decision::Failed => "ゲート不合格",
                Decision::Inconclusive => "ゲート判断できず",
            };
            let missing = if missing > 0 {
                format!("({all}試行のうち{missing}試行は結果なし)")
            } else {
                String::new()
            };
            format!("{decision}: 不合格 {failed}、判断できず {open}、合格 {passed}{missing}")
        }
    }
}

/// A check in a sentence: variant, property, what was found, what was asked.
pub(crate) fn sentence(check: &Check, lang: Lang) -> String {
    let variant = check.variant.as_ref().map(|(prompt, model)| format!("{prompt}@{model} · ")).unwrap_or_default();
    let subject = check.subject.name();
    let found = match lang {
        Lang::En => english(&check.finding),
        Lang::Ja => japanese(&check.finding),
    };
    let tier = match check.tier {
        Tier::Critical => String::new(),
        tier => match lang {
            Lang::En => format!(" [{}]", tier.name()),
            Lang::Ja => format!("[{}]", japanese_tier(tier)),
        },
    };
    let open = match (check.could_change, lang) {
        (false, _) => "",
        (true, Lang::En) => " (trials without an outcome could change this)",
        (true, Lang::Ja) => "(結果のない試行しだいで変わります)",
    };
    match check.finding {
        Finding::Cost { .. } => found,
        _ => format!("{variant}{subject}: {found}{open}{tier}"),
    }
}

const fn japanese_tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Critical => "必須",
        Tier::Supporting => "補助",
        Tier::Advisory => "参考",
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

fn english(finding: &Finding) -> String {
    match finding {
        Finding::Rate { passed, decided, rate, min, on, .. } => {
            let Some(rate) = rate else {
                return format!("no case is decided; at least {} % must pass", percent(*min));
            };
            let what = match on {
                On::Estimate => "must pass",
                On::Low => "must surely pass (lower end)",
            };
            format!(
                "{passed}/{decided} {:.0} % ({:.0}–{:.0}); at least {} % {what}",
                rate.estimate * 100.0,
                rate.low * 100.0,
                rate.high * 100.0,
                percent(*min)
            )
        }
        Finding::Drop { base, difference, max, broken } => match difference {
            Some(range) => format!(
                "{} points against {base} ({} … {}, one-sided 5 %), {} broken; a drop of {} points or more must be ruled out",
                signed(range.estimate),
                signed(range.low),
                signed(range.high),
                broken.len(),
                points(*max)
            ),
            None => format!("cannot be compared with {base}"),
        },
        Finding::Broken { base, broken, max } => {
            format!("{} cases that passed with {base} fail; {max} may", broken.len())
        }
        Finding::NoCounterpart => "the baseline has no variant to compare with".to_owned(),
        Finding::NotRequired => "no case of this run requires it".to_owned(),
        Finding::Cost { dollars, unknown, max } => {
            let unknown = if *unknown > 0 { format!(" and {unknown} answers of unknown cost") } else { String::new() };
            format!("cost: {} US dollars{unknown}; at most {}", decimal(*dollars, 4), decimal(*max, 6))
        }
    }
}

fn japanese(finding: &Finding) -> String {
    match finding {
        Finding::Rate { passed, decided, rate, min, on, .. } => {
            let Some(rate) = rate else {
                return format!("判定できたケースがありません。条件は合格率{}%以上", percent(*min));
            };
            let condition = match on {
                On::Estimate => "条件は合格率",
                On::Low => "条件は区間の下限が",
            };
            format!(
                "{decided}ケース中{passed}ケース合格、合格率{:.0}%(95%区間は{:.0}〜{:.0}%)。{condition}{}%以上",
                rate.estimate * 100.0,
                rate.low * 100.0,
                rate.high * 100.0,
                percent(*min)
            )
        }
        Finding::Drop { base, difference, max, broken } => match difference {
            Some(range) => format!(
                "基準の {base} との差は{}ポイント(90%区間は{}〜{})、悪化したケースは{}。\
                 条件は、低下が{}ポイント未満だと統計的に言えること",
                signed(range.estimate),
                signed(range.low),
                signed(range.high),
                broken.len(),
                points(*max)
            ),
            None => format!("基準の {base} と比べられません"),
        },
        Finding::Broken { base, broken, max } => {
            let found = match broken.len() {
                0 => format!("基準の {base} から不合格に転じたケースはありません"),
                count => format!("基準の {base} で合格した{count}ケースが不合格に転じました"),
            };
            format!("{found}(許容は{max}ケース)")
        }
        Finding::NoCounterpart => "基準の実行に、比べられる組み合わせがありません".to_owned(),
        Finding::NotRequired => "この実行には、これを要件とするケースがありません".to_owned(),
        Finding::Cost { dollars, unknown, max } => {
            let unknown = if *unknown > 0 {
                format!("(ほかに費用の分からない回答が{unknown}件)")
            } else {
                String::new()
            };
            format!("費用は{}米ドル{unknown}。上限は{}米ドル", decimal(*dollars, 4), decimal(*max, 6))
        }
    }
}

/// The cases that speak against a check, each with its words.
pub(crate) fn details(check: &Check, run: &Run, outcomes: &dyn Outcomes, words: &Words) -> io::Result<Vec<String>> {
    let cases = check.cases();
    let mut details = Vec::new();
    for case in cases.iter().take(MOST_CASES) {
        let why = match failing(check, case, run) {
            Some(entry) => why_failed(check.subject, entry, outcomes, words)?,
            None => String::new(),
        };
        details.push(format!("{case} {why}").trim_end().to_owned());
    }
    details.extend((cases.len() > MOST_CASES).then(|| (words.more)(cases.len() - MOST_CASES)));
    Ok(details)
}

/// The first trial of a case that fails the check.
fn failing<'r>(check: &Check, case: &CaseId, run: &'r Run) -> Option<&'r Entry> {
    let (prompt, model) = check.variant.as_ref()?;
    let required = Required::of(run);
    run.entries.iter().find(|entry| {
        let trial = &entry.trial;
        trial.case == *case
            && trial.prompt == *prompt
            && trial.model == *model
            && required.status_of(entry, check.subject) == Some(Status::Failed)
    })
}

/// The words that a failure rests on: `no_fabrication 「約30社」 (number: …)`, or why there is no answer.
pub(crate) fn why_failed(
    subject: Subject,
    entry: &Entry,
    outcomes: &dyn Outcomes,
    words: &Words,
) -> io::Result<String> {
    let outcome = outcomes.outcome(entry)?;
    let is_of = |property| subject == Subject::All || subject == Subject::Property(property);
    let failed = outcome.scores.iter().filter(|score| score.verdict == Verdict::Fail && is_of(score.property));
    let parts: Vec<String> = failed
        .map(|score| {
            let quotes: Vec<String> = against(score)
                .take(MOST_QUOTES)
                .map(|evidence| format!("{} ({})", quote(evidence, words), remark(evidence, words)))
                .collect();
            let why = if quotes.is_empty() {
                (words.reason)(score.reason.as_deref().unwrap_or_default()).into_owned()
            } else {
                quotes.join(words.list)
            };
            format!("{} {why}", score.property.name()).trim_end().to_owned()
        })
        .collect();
    if parts.is_empty() {
        let why = outcome.error.or(outcome.finish.detail).unwrap_or_default();
        return Ok(format!("{}: {}", words.no_answer, (words.reason)(&why)));
    }
    Ok(parts.join(" · "))
}

/// Writes a gate as one JSON object.
///
/// # Errors
/// `out` cannot be written.
pub fn write_gate_json(gate: &Gate, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let (missing, trials) = gate.missing;
    let value = json!({
        "run": run.header.name,
        "decision": gate.decision().name(),
        "sure": gate.decision() != Decision::Failed || gate.surely_failed(),
        "missing": missing,
        "trials": trials,
        "missing_is_accepted": gate.missing_is_accepted,
        "checks": gate.checks.iter().map(check_json).collect::<Vec<_>>(),
    });
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn check_json(check: &Check) -> Value {
    let (prompt, model) = check.variant.clone().unzip();
    let mut value = json!({
        "prompt": prompt,
        "model": model,
        "property": check.subject.name(),
        "tier": check.tier.name(),
        "decision": check.decision.name(),
        "could_change": check.could_change,
        "sentence": sentence(check, Lang::En),
        "cases": check.cases(),
    });
    let more = match &check.finding {
        Finding::Rate { passed, decided, rate, min, on, .. } => json!({
            "check": "min_rate", "passed": passed, "decided": decided, "min": min,
            "on": if *on == On::Low { "low" } else { "estimate" }, "level": LEVEL,
            "rate": rate.map(|rate| rate.estimate), "low": rate.map(|rate| rate.low), "high": rate.map(|rate| rate.high),
        }),
        Finding::Drop { base, difference, max, .. } => json!({
            "check": "max_drop", "base": base, "max": max, "level": REGRESSION_LEVEL,
            "estimate": difference.map(|range| range.estimate),
            "low": difference.map(|range| range.low), "high": difference.map(|range| range.high),
        }),
        Finding::Broken { base, max, .. } => json!({"check": "max_broken", "base": base, "max": max}),
        Finding::NoCounterpart => json!({"check": "baseline"}),
        Finding::NotRequired => json!({"check": "required"}),
        Finding::Cost { dollars, unknown, max } => {
            json!({"check": "max_cost", "dollars": dollars, "unknown": unknown, "max": max})
        }
    };
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}
