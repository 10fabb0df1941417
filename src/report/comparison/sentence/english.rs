//! The sentences in English.

use super::{Sentences, TOO_FEW, is_unchanged, least_p, listed, own_level};
use crate::compare::{Compared, Measure, Method, Side, Verdict, Warning};
use crate::report::comparison::{p_in_words, points, signed};
use crate::report::csv::decimal;
use crate::report::lang::Lang;
use crate::report::names::quoted;
use crate::stats::{Interval, LEVEL, Undefined};

pub(super) const ENGLISH: Sentences = Sentences {
    lang: Lang::En,
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
        match moved {
            0 => format!(
                "None of the {of} properties is clearly better or worse: each range includes 0. That does not say that \
                 nothing changed; more cases would tell."
            ),
            moved => format!(
                "{moved} of {of} properties {} clearly better or worse (the range does not include 0); about {chance:.1} \
                 would seem to be by chance alone.",
                if moved == 1 { "is" } else { "are" }
            ),
        }
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
        let usual = decimal(LEVEL * 100.0, 4);
        let own = own_level(compared)
            .map(|level| format!(", of {} {level} %", quoted(compared.subject, Lang::En)))
            .unwrap_or_default();
        format!("Ranges: {usual} % two-sided{own}, {interval}{seed}. Margin: {} points.", points(margin))
    },
    several: |variants, p| match p {
        Ok(p) => format!("All {variants} variants together (Cochran's Q): p {}.", p_in_words(p)),
        Err(why) => format!("All {variants} variants together (Cochran's Q): undefined, {}.", (ENGLISH.undefined)(why)),
    },
    variants: |variants| format!("{variants} variants"),
    together: |variants| format!("All {variants} variants together"),
    apart: |subject| format!("Each variant by itself ({subject})"),
    worse: |variant, rates| format!("worse: {variant} ({rates})"),
    percent: |share| format!("{:.0} %", share * 100.0),
    at_level: |range, level| format!("{range} ({level} %)"),
    measure: Measure::name,
    cases: |count| format!("{count} case{}", if count == 1 { "" } else { "s" }),
    columns: [
        "base",
        "candidate",
        "difference",
        "range",
        "verdict",
        "fixed",
        "broken",
        "mixed",
        "flaky",
        "p",
        "adjusted",
    ],
    adjusted: |primary, decisive, exploring| {
        format!(
            "p adjusted: {primary} was declared to decide (Holm, {decisive}); the others are exploration \
             (Benjamini–Hochberg, {exploring})."
        )
    },
    prompts: "How the prompts differ",
    measures: "Length, cost, latency",
    warnings: "Read with care",
    renamed: "Renamed cases",
    title: "Comparison",
    broken_in_part: "broken in single properties",
    broken_with_some: "broken with one variant, fixed with another",
    more: |count| format!("and {count} more"),
    clipped: "*… more of this is left out here.*",
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
        let even = if compared.n == 1 { "even if its verdict changed" } else { "even if all changed one way" };
        return format!("{cases}: {even}, it could barely be told from chance ({counts}). Read the texts.");
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
        Warning::NoTexts(of) => format!("{} keeps no answers, so texts cannot be compared", side(*of)),
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
        Warning::CasesChanged(cases) if cases.len() == 1 => {
            format!("1 case says something else than before and is left out: {}", listed(cases, Lang::En))
        }
        Warning::CasesChanged(cases) => {
            let count = cases.len();
            format!("{count} cases say something else than before and are left out: {}", listed(cases, Lang::En))
        }
        Warning::JudgedOtherwise(cases) => {
            let are = if cases.len() == 1 { "case is" } else { "cases are" };
            let (count, cases) = (cases.len(), listed(cases, Lang::En));
            format!("{count} {are} judged by other requirements, aliases or background: {cases}")
        }
        Warning::OnlyInOne(base, candidate) => {
            let sides = [("in the base alone", base), ("in the candidate alone", candidate)];
            let told = sides.into_iter().filter(|(_, cases)| !cases.is_empty());
            let told = told.map(|(side, cases)| format!("{side}: {}", listed(cases, Lang::En)));
            told.collect::<Vec<_>>().join("; ")
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
            let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
            format!("a case was asked {} of the base, {} of the candidate", times(*base), times(*candidate))
        }
    }
}
