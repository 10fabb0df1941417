//! `evalrun list`: the plan and what it would cost, without a network.
//!
//! Promises that an estimate says what it rests on, and that an unknown price is no price of zero.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::args::{ListArgs, TextOrJson};
use super::console::counted;
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::load::Loaded;
use super::run::price_note;
use super::select::select;
use crate::budget::Dollars;
use crate::id::PromptId;
use crate::model::Model;
use crate::response::Usage;
use crate::stats::{DEFAULT_FLIPS, Reading, cases_needed, detectable};
use crate::trial::{Plan, TYPICAL_CHARS, Trial};

/// What one variant would take.
#[derive(Debug)]
struct Estimate<'a> {
    prompt: &'a PromptId,
    model: &'a Model,
    trials: usize,
    input_tokens: u64,
    output_tokens: u64,
    note: Option<String>,
}

impl Estimate<'_> {
    /// Requests over the network.
    const fn requests(&self) -> usize {
        if self.model.provider.is_remote() { self.trials } else { 0 }
    }

    /// US dollars; `None` where there is no price.
    fn cost(&self) -> Option<f64> {
        let usage = Usage {
            input_tokens: Some(self.input_tokens),
            output_tokens: Some(self.output_tokens),
            ..Usage::default()
        };
        self.model.price?.cost(&usage)
    }
}

/// Runs the command.
///
/// # Errors
/// A mistake in the call or the project.
pub(super) fn execute(args: &ListArgs, context: &Context) -> Result<Exit, Error> {
    let loaded = Loaded::read(context.place()?, &context.console)?;
    let plan = select(&loaded, &args.selection, context.archive(Some(&loaded.place)))?;
    let estimates = estimates(&plan, context);
    context.console.print(|out| match args.format {
        TextOrJson::Text => write_text(&plan, &estimates, out),
        TextOrJson::Json => writeln!(out, "{:#}", as_json(&plan, &estimates)),
    })?;
    Ok(Exit::Fine)
}

fn estimates<'a>(plan: &'a Plan, context: &Context) -> Vec<Estimate<'a>> {
    let mut estimates = Vec::new();
    for prompt in &plan.prompts {
        for model in &plan.models {
            let is_of = |trial: &&Trial| trial.id.prompt == prompt.id && trial.id.model == model.id;
            let trials: Vec<&Trial> = plan.trials.iter().filter(is_of).collect();
            let (sent, wanted) = if model.provider.is_remote() { tokens(&trials) } else { (0, 0) };
            estimates.push(Estimate {
                prompt: &prompt.id,
                model,
                trials: trials.len(),
                input_tokens: sent,
                output_tokens: wanted,
                note: price_note(model, context),
            });
        }
    }
    estimates
}

/// About how many tokens are sent and come back.
fn tokens(trials: &[&Trial]) -> (u64, u64) {
    let expected: Vec<Usage> = trials.iter().map(|trial| trial.expected()).collect();
    let sum = |count: fn(&Usage) -> Option<u64>| expected.iter().filter_map(count).sum();
    (sum(|usage| usage.input_tokens), sum(|usage| usage.output_tokens))
}

fn write_text(plan: &Plan, estimates: &[Estimate<'_>], out: &mut dyn Write) -> io::Result<()> {
    let total = total(estimates);
    let (trials, cases) = (counted(plan.trials.len(), "trial"), counted(plan.cases.len(), "case"));
    let (prompts, models) = (counted(plan.prompts.len(), "prompt"), counted(plan.models.len(), "model"));
    let repeats = if plan.repeats == 1 { String::new() } else { format!(" × {} repeats", plan.repeats) };
    writeln!(out, "{trials}: {cases} × {prompts} × {models}{repeats}")?;
    writeln!(out, "{} over the network", counted(total.requests, "request"))?;
    let width = estimates.iter().map(|estimate| name(estimate).len()).max().unwrap_or(0).max("variant".len());
    writeln!(
        out,
        "\n{:width$}  {:9}  {:>7}  {:>8}  {:>8}  {:>8}  {:>9}",
        "variant", "provider", "trials", "requests", "tokens", "tokens", "about",
    )?;
    let head = format!("{:width$}  {:9}  {:>7}  {:>8}  {:>8}  {:>8}  {:>9}", "", "", "", "", "in", "out", "USD");
    writeln!(out, "{head}")?;
    for estimate in estimates {
        let cost = match (estimate.requests(), estimate.cost()) {
            (0, _) => "0".to_owned(),
            (_, Some(cost)) => Dollars(cost).to_string(),
            (_, None) => "?".to_owned(),
        };
        writeln!(
            out,
            "{:width$}  {:9}  {:>7}  {:>8}  {:>8}  {:>8}  {cost:>9}",
            name(estimate),
            estimate.model.provider,
            estimate.trials,
            estimate.requests(),
            estimate.input_tokens,
            estimate.output_tokens,
        )?;
    }
    if total.requests > 0 {
        write_notes(estimates, &total, out)?;
    }
    if plan.prompts.len() * plan.models.len() > 1 {
        writeln!(out, "\n{}", outlook(plan.cases.len()))?;
    }
    Ok(())
}

/// The difference that the number of cases needed is told for.
const TARGET: f64 = 0.1;

/// What so many cases can tell of two variants: known before anything is paid.
fn outlook(cases: usize) -> String {
    let flips = DEFAULT_FLIPS * 100.0;
    let told = match detectable(Reading::Mid, cases, DEFAULT_FLIPS) {
        Ok(difference) => format!("tell a difference of {:.0} points", difference * 100.0),
        Err(_) => "are too few to tell any".to_owned(),
    };
    let needed = cases_needed(Reading::Mid, DEFAULT_FLIPS, TARGET);
    let needed = needed.map(|needed| format!("; 10 points need about {needed}")).unwrap_or_default();
    format!(
        "Where two variants differ in {flips:.0} % of the cases, {} {told}\nfrom chance 4 times in 5{needed}.",
        counted(cases, "case"),
    )
}

fn write_notes(estimates: &[Estimate<'_>], total: &Total, out: &mut dyn Write) -> io::Result<()> {
    let unknown = if total.without_price > 0 {
        format!(", and {} whose price is not known", counted(total.without_price, "request"))
    } else {
        String::new()
    };
    writeln!(
        out,
        "\nIn all about {} + {} tokens, {} US dollars{unknown}.",
        total.input_tokens,
        total.output_tokens,
        Dollars(total.cost)
    )?;
    writeln!(
        out,
        "Estimated from characters; an answer is taken to have {TYPICAL_CHARS} of them, or as near to that as its case\n\
         allows. What a model thinks before it answers is not counted and may cost more than the answer."
    )?;
    let mut notes: Vec<String> = estimates
        .iter()
        .filter_map(|estimate| Some(format!("{}: {}", estimate.model.id, estimate.note.as_ref()?)))
        .collect();
    notes.dedup();
    notes.sort_unstable();
    notes.dedup();
    notes.iter().try_for_each(|note| writeln!(out, "! {note}"))
}

fn name(estimate: &Estimate<'_>) -> String {
    format!("{}@{}", estimate.prompt, estimate.model.id)
}

#[derive(Debug, Default)]
struct Total {
    requests: usize,
    input_tokens: u64,
    output_tokens: u64,
    cost: f64,
    without_price: usize,
}

fn total(estimates: &[Estimate<'_>]) -> Total {
    let mut total = Total::default();
    for estimate in estimates {
        total.requests += estimate.requests();
        total.input_tokens += estimate.input_tokens;
        total.output_tokens += estimate.output_tokens;
        match estimate.cost() {
            Some(cost) => total.cost += cost,
            None => total.without_price += estimate.requests(),
        }
    }
    total
}

fn as_json(plan: &Plan, estimates: &[Estimate<'_>]) -> Value {
    let total = total(estimates);
    let variant = |estimate: &Estimate<'_>| {
        json!({
            "prompt": estimate.prompt,
            "model": estimate.model.id,
            "provider": estimate.model.provider,
            "trials": estimate.trials,
            "requests": estimate.requests(),
            "input_tokens": estimate.input_tokens,
            "output_tokens": estimate.output_tokens,
            "cost_usd": if estimate.requests() == 0 { Some(0.0) } else { estimate.cost() },
            "price_note": estimate.note,
        })
    };
    json!({
        "digest": plan.digest(),
        "trials": plan.trials.len(),
        "requests": total.requests,
        "repeats": plan.repeats,
        "cases": plan.cases.iter().map(|case| &case.id).collect::<Vec<_>>(),
        "prompts": plan.prompts.iter().map(|prompt| &prompt.id).collect::<Vec<_>>(),
        "models": plan.models.iter().map(|model| &model.id).collect::<Vec<_>>(),
        "detectable": detectable(Reading::Mid, plan.cases.len(), DEFAULT_FLIPS).ok(),
        "cases_for_10_points": cases_needed(Reading::Mid, DEFAULT_FLIPS, TARGET).ok(),
        "variants": estimates.iter().map(variant).collect::<Vec<_>>(),
        "total": {
            "input_tokens": total.input_tokens,
            "output_tokens": total.output_tokens,
            "cost_usd": if total.without_price == 0 { Some(total.cost) } else { None },
            "requests_without_price": total.without_price,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cases_can_tell_is_said_before_the_run() {
        assert_eq!(
            outlook(100),
            "Where two variants differ in 20 % of the cases, 100 cases tell a difference of 12 points\nfrom chance 4 \
             times in 5; 10 points need about 152."
        );
        assert!(outlook(14).contains("14 cases are too few to tell any\nfrom chance"), "{}", outlook(14));
    }
}
