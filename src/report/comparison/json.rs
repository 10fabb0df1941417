//! Comparisons as JSON: one object a candidate; several candidates stand in `comparisons`.
//!
//! Promises strict JSON: undefined is null, with the reason in `reason`; never NaN.

use std::io::{self, Write};

use serde_json::{Value, json};

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
            let omnibus = several.map(|several| match several {
                Ok(CochranQ { q, freedom, p }) => {
                    json!({"name": "cochran-q", "q": q, "freedom": freedom, "p": p, "reason": null})
                }
                Err(why) => {
                    json!({"name": "cochran-q", "q": null, "freedom": null, "p": null, "reason": why.to_string()})
                }
            });
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

fn cases(cases: &Cases) -> Value {
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
    json!({
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
        "flaky": compared.flaky,
        "dropped": compared.dropped,
        "passing": compared.unchanged[0],
        "failing": compared.unchanged[1],
        "base_flip_rate": compared.noise[0].ok(),
        "candidate_flip_rate": compared.noise[1].ok(),
        "detectable": compared.detectable.ok(),
        "cases_for_10_points": compared.needed.ok(),
        "reason": reason,
    })
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
        "method": interval.map(|_| "t-cases"),
        "reason": measured.interval.err().map(|why| why.to_string()),
    })
}
