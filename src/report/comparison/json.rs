//! Comparisons as JSON: one object a candidate; several candidates stand in `comparisons`.
//!
//! Promises strict JSON: undefined is null, never NaN. Each null has its reason in `reasons`; `reason` is that of the
//! interval, or else of p.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Titled;
use crate::compare::{Cases, Compared, Measured, Verdict};
use crate::report::Lang;
use crate::stats::{CochranQ, LEVEL, Undefined};

use super::sentence::sentences;

/// Writes comparisons of one base with one or several candidates.
///
/// # Errors
/// `out` cannot be written.
pub fn write_json(
    compared: &[Titled<'_>],
    several: Option<&Result<CochranQ, Undefined>>,
    lang: Lang,
    out: &mut dyn Write,
) -> io::Result<()> {
    let value = match compared {
        [one] => titled(one, lang),
        all => {
            let omnibus = match several {
                Some(Ok(CochranQ { q, freedom, p })) => {
                    json!({"name": "cochran-q", "q": q, "freedom": freedom, "p": p, "reason": null})
                }
                none => {
                    let of_several = "each comparison takes several variants together".to_owned();
                    let why =
                        none.map_or(of_several, |why| why.as_ref().err().map(ToString::to_string).unwrap_or_default());
                    json!({"name": "cochran-q", "q": null, "freedom": null, "p": null, "reason": why})
                }
            };
            json!({
                "base": all.first().map(|first| &first.base),
                "comparisons": all.iter().map(|one| titled(one, lang)).collect::<Vec<_>>(),
                "omnibus": omnibus,
            })
        }
    };
    serde_json::to_writer_pretty(&mut *out, &value)?;
    writeln!(out)
}

fn titled(titled_: &Titled<'_>, lang: Lang) -> Value {
    let Titled { base, candidate, comparison, parts } = titled_;
    let words = sentences(lang);
    let mut value = json!({
        "base": base,
        "candidate": candidate,
        "margin": comparison.options.margin,
        "primary": comparison.options.primary.name(),
        "repeats": comparison.repeats,
        "cases": cases(&comparison.cases),
        "properties": comparison.subjects.iter().map(|compared| property(compared, comparison.options.margin, lang)).collect::<Vec<_>>(),
        "measures": comparison.measures.iter().map(measure).collect::<Vec<_>>(),
        "warnings": comparison.warnings.iter().map(words.warning).collect::<Vec<_>>(),
    });
    if !parts.is_empty() {
        value["variants"] = parts.iter().map(|part| titled(part, lang)).collect();
    }
    value
}

/// How the cases of both sides correspond.
pub(crate) fn cases(cases: &Cases) -> Value {
    let Cases { same, renamed, changed, judged_otherwise, only_base, only_candidate } = cases;
    let renamed: Vec<Value> =
        renamed.iter().map(|(base, candidate)| json!({"base": base, "candidate": candidate})).collect();
    json!({
        "compared": same,
        "renamed": renamed,
        "changed": changed,
        "judged_otherwise": judged_otherwise,
        "only_in_base": only_base,
        "only_in_candidate": only_candidate,
    })
}

fn property(compared: &Compared, margin: f64, lang: Lang) -> Value {
    let interval = compared.interval.ok();
    let p = compared.p.ok();
    let reason = compared.interval.err().or(compared.p.err()).map(|why| why.to_string());
    let mut value = json!({
        "name": compared.subject.name(),
        "n": compared.n,
        "clusters": compared.clusters,
        "base_rate": compared.rates.map(|[base, _]| base),
        "candidate_rate": compared.rates.map(|[_, candidate]| candidate),
        "estimate": compared.estimate,
        "low": interval.map(|interval| interval.low),
        "high": interval.map(|interval| interval.high),
        "level": compared.level,
        "method": interval.map(|_| compared.method.name()),
        "p": p,
        "p_method": p.map(|_| compared.p_method.name()),
        "p_exact": compared.p_exact,
        "p_adjusted": compared.p_adjusted,
        "adjustment": compared.p_adjusted.map(|_| compared.adjustment.name()),
        "family": compared.family,
        "seed": compared.seed,
        "bounds": compared.bounds,
        "verdict": compared.verdict.map(Verdict::name),
        "weakened_by_missing": compared.is_weakened,
        "sentence": (sentences(lang).finding)(compared, margin),
        "fixed": compared.fixed,
        "broken": compared.broken,
        "mixed": compared.mixed,
        "flaky": compared.flaky,
        "dropped": compared.dropped,
        "passing": compared.unchanged[0],
        "failing": compared.unchanged[1],
        "base_flip_rate": compared.noise[0].ok(),
        "candidate_flip_rate": compared.noise[1].ok(),
        "detectable": compared.detectable.ok(),
        "cases_for_10_points": compared.needed.ok(),
        "reason": reason,
    });
    if let Value::Object(value) = &mut value {
        let reasons = reasons(compared, value);
        value.insert("reasons".to_owned(), reasons.into());
    }
    value
}

/// Why what is null is null.
fn reasons(compared: &Compared, value: &Map<String, Value>) -> Map<String, Value> {
    let undefined = |why: Option<Undefined>| why.unwrap_or(Undefined::NoCases).to_string();
    let why = |key: &str| match key {
        "p_exact" if compared.n > 0 => {
            "McNemar's test does not apply to repeats, nor to cases that share a source".into()
        }
        "p" | "p_method" | "p_exact" | "p_adjusted" | "adjustment" => undefined(compared.p.err()),
        "seed" => "the test drew nothing at random".into(),
        "bounds" => "no trial is missing".into(),
        "base_flip_rate" => undefined(compared.noise[0].err()),
        "candidate_flip_rate" => undefined(compared.noise[1].err()),
        "detectable" => undefined(compared.detectable.err()),
        "cases_for_10_points" => undefined(compared.needed.err()),
        _ => undefined(compared.interval.err()),
    };
    let nulls = value.iter().filter(|(key, value)| value.is_null() && *key != "reason");
    nulls.map(|(key, _)| (key.clone(), why(key).into())).collect()
}

fn measure(measured: &Measured) -> Value {
    let interval = measured.interval.ok();
    json!({
        "name": measured.measure.name(),
        "n": measured.n,
        "base_mean": measured.means[0],
        "candidate_mean": measured.means[1],
        "estimate": measured.means[1] - measured.means[0],
        "low": interval.map(|interval| interval.low),
        "high": interval.map(|interval| interval.high),
        "level": LEVEL,
        "method": interval.map(|_| measured.method.name()),
        "reason": measured.interval.err().map(|why| why.to_string()),
    })
}
