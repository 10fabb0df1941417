//! `evalrun list`: the plan and what it would cost, without a network.
//!
//! Promises that an estimate says what it rests on, and that an unknown price is no price of zero.

use std::collections::HashSet;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::args::{CacheArgs, ListArgs, TextOrJson};
use super::cache::store_of;
use super::console::counted;
use super::context::Context;
use super::costs;
use super::error::Error;
use super::exit::Exit;
use super::load::Loaded;
use super::run::price_note;
use super::select::select;
use crate::budget::{Bound, Budget, Dollars, Spending};
use crate::engine::{Store, StoreError};
use crate::id::PromptId;
use crate::model::Model;
use crate::provider::encode;
use crate::response::Usage;
use crate::stats::{DEFAULT_FLIPS, Reading, cases_needed, detectable};
use crate::trial::{Plan, TYPICAL_CHARS, Trial, TrialId};

/// What one variant would take.
#[derive(Debug)]
struct Estimate<'a> {
    prompt: &'a PromptId,
    model: &'a Model,
    trials: usize,
    /// Of all of them.
    tokens: Tokens,
    /// How many need not be asked, since the store has their answers.
    stored: usize,
    /// Of the others.
    tokens_left: Tokens,
    note: Option<String>,
}

/// About how many tokens are sent and come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tokens {
    input: u64,
    output: u64,
}

impl Estimate<'_> {
    /// Requests over the network.
    const fn requests(&self) -> usize {
        if self.model.provider.is_remote() { self.trials } else { 0 }
    }

    /// Requests that the store does not answer.
    const fn left(&self) -> usize {
        self.requests() - self.stored
    }

    /// US dollars; `None` where there is no price.
    fn cost(&self, tokens: Tokens) -> Option<f64> {
        let usage = Usage { input_tokens: Some(tokens.input), output_tokens: Some(tokens.output), ..Usage::default() };
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
    let budget = costs::budget(&args.budget, &loaded.project.run.budget);
    let stored = stored(&plan, &args.cache, &loaded, context);
    let estimates = estimates(&plan, &stored, context);
    let bounds = bounds(&budget, &plan, &stored, &Total::left(&estimates));
    context.console.print(|out| match args.format {
        TextOrJson::Text => write_text(&plan, &estimates, &bounds, out),
        TextOrJson::Json => writeln!(out, "{:#}", as_json(&plan, &estimates, &bounds)),
    })?;
    Ok(Exit::Fine)
}

/// The trials whose answers the store has, if there is a store; one that cannot be read is no reason to show no plan.
fn stored<'p>(plan: &'p Plan, args: &CacheArgs, loaded: &Loaded, context: &Context) -> HashSet<&'p TrialId> {
    if args.no_cache || args.refresh {
        return HashSet::new();
    }
    let path = args.cache.as_deref().map_or_else(|| store_of(&loaded.place), |given| context.path(given));
    let found = Store::open_existing(&path).and_then(|store| {
        let Some(store) = store else { return Ok(HashSet::new()) };
        let remote = plan.trials.iter().filter(|trial| trial.model.provider.is_remote());
        let has = |trial: &&Trial| {
            let key = encode(&trial.model, &trial.prompt).key(trial.id.repeat);
            store.get(&key, None).map(|answer| answer.is_some())
        };
        let mut stored = HashSet::new();
        for trial in remote {
            if has(&trial)? {
                stored.insert(&trial.id);
            }
        }
        Ok(stored)
    });
    found.unwrap_or_else(|error: StoreError| {
        context.console.warn(&format!("what the store has is not known: {error}"));
        HashSet::new()
    })
}

fn estimates<'a>(plan: &'a Plan, stored: &HashSet<&TrialId>, context: &Context) -> Vec<Estimate<'a>> {
    let mut estimates = Vec::new();
    for prompt in &plan.prompts {
        for model in &plan.models {
            let is_of = |trial: &&Trial| trial.id.prompt == prompt.id && trial.id.model == model.id;
            let trials: Vec<&Trial> = plan.trials.iter().filter(is_of).collect();
            let asked = trials.iter().copied().filter(|trial| trial.model.provider.is_remote());
            let left = asked.clone().filter(|trial| !stored.contains(&trial.id));
            estimates.push(Estimate {
                prompt: &prompt.id,
                model,
                trials: trials.len(),
                tokens: Tokens::of(asked.clone()),
                stored: asked.count() - left.clone().count(),
                tokens_left: Tokens::of(left),
                note: price_note(model, context),
            });
        }
    }
    estimates
}

impl Tokens {
    fn of<'t>(trials: impl Iterator<Item = &'t Trial>) -> Self {
        trials.map(Trial::expected).fold(Self::default(), |sum, usage| Self {
            input: sum.input + usage.input_tokens.unwrap_or(0),
            output: sum.output + usage.output_tokens.unwrap_or(0),
        })
    }
}

/// A bound of the budget beside what is to be expected.
#[derive(Debug)]
struct BoundOutlook {
    bound: Bound,
    most: f64,
    /// In the bound's unit; `None` where a price is not known.
    expected: Option<f64>,
    /// What it takes at least, since for the last request as much is set aside as it may take.
    needed: Option<f64>,
}

impl BoundOutlook {
    fn is_enough(&self) -> Option<bool> {
        self.needed.map(|needed| needed <= self.most)
    }

    fn sentence(&self) -> String {
        let Self { bound, most, expected, needed } = self;
        let key = bound.key();
        let (Some(expected), Some(needed)) = (*expected, *needed) else {
            return format!("Whether {key} = {most} is enough cannot be told: a price is not known.");
        };
        let sum = |amount: f64| match bound {
            Bound::Cost => format!("{} US dollars", Dollars(amount)),
            Bound::Requests => format!("{amount} requests"),
            Bound::Tokens => format!("{amount} tokens"),
        };
        if needed <= *most {
            format!("{key} = {most} is enough for that, if nothing takes more than is expected.")
        } else if expected <= *most {
            let needed = sum(needed);
            format!("{key} = {most} is not quite enough: with what is set aside for a long answer it takes {needed}.")
        } else {
            format!("{key} = {most} is not enough for that: a run stops before it spends {}.", sum(expected))
        }
    }
}

/// What a budget bounds, beside what is expected of the trials that the store does not answer.
fn bounds(budget: &Budget, plan: &Plan, stored: &HashSet<&TrialId>, left: &Total) -> Vec<BoundOutlook> {
    let cost = (left.without_price == 0).then_some(left.cost);
    let tokens = (left.tokens.input + left.tokens.output) as f64;
    let trials = plan.trials.iter().filter(|trial| trial.model.provider.is_remote() && !stored.contains(&trial.id));
    let aside = trials.map(|trial| {
        let (most, expected) = (trial.most(0), Spending::of(&trial.expected(), trial.model.price).unwrap_or_default());
        (most.dollars() - expected.dollars(), most.tokens.saturating_sub(expected.tokens) as f64)
    });
    let (dollars, more) = aside.fold((0.0, 0.0), |(dollars, tokens), one| (one.0.max(dollars), one.1.max(tokens)));
    let whole = |most: Option<u64>| most.map(|most| most as f64);
    let bounds = [
        (Bound::Cost, budget.max_cost, cost, dollars),
        (Bound::Requests, whole(budget.max_requests), Some(left.requests as f64), 0.0),
        (Bound::Tokens, whole(budget.max_tokens), Some(tokens), more),
    ];
    let bound = |(bound, most, expected, aside): (Bound, Option<f64>, Option<f64>, f64)| {
        Some(BoundOutlook { bound, most: most?, expected, needed: expected.map(|expected| expected + aside) })
    };
    bounds.into_iter().filter_map(bound).collect()
}

fn write_text(plan: &Plan, estimates: &[Estimate<'_>], bounds: &[BoundOutlook], out: &mut dyn Write) -> io::Result<()> {
    let total = Total::of(estimates);
    let (trials, cases) = (counted(plan.trials.len(), "trial"), counted(plan.cases.len(), "case"));
    let (prompts, models) = (counted(plan.prompts.len(), "prompt"), counted(plan.models.len(), "model"));
    let repeats = if plan.repeats == 1 { String::new() } else { format!(" × {} repeats", plan.repeats) };
    writeln!(out, "{trials}: {cases} × {prompts} × {models}{repeats}")?;
    writeln!(out, "{} over the network", counted(total.requests, "request"))?;
    let left = Total::left(estimates);
    if left.requests < total.requests {
        let stored = counted(total.requests - left.requests, "answer");
        writeln!(out, "{stored} of them in the store already: a run asks for the other {}", left.requests)?;
    }
    let width = estimates.iter().map(|estimate| name(estimate).len()).max().unwrap_or(0).max("variant".len());
    writeln!(
        out,
        "\n{:width$}  {:9}  {:>7}  {:>8}  {:>8}  {:>8}  {:>9}",
        "variant", "provider", "trials", "requests", "tokens", "tokens", "about",
    )?;
    let head = format!("{:width$}  {:9}  {:>7}  {:>8}  {:>8}  {:>8}  {:>9}", "", "", "", "", "in", "out", "USD");
    writeln!(out, "{head}")?;
    for estimate in estimates {
        let cost = match (estimate.requests(), estimate.cost(estimate.tokens)) {
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
            estimate.tokens.input,
            estimate.tokens.output,
        )?;
    }
    if total.requests > 0 {
        write_notes(estimates, &total, &left, out)?;
        bounds.iter().try_for_each(|bound| writeln!(out, "{}", bound.sentence()))?;
    }
    if plan.prompts.len() * plan.models.len() > 1 {
        writeln!(out, "\n{}", outlook(plan.cases.len()))?;
    }
    Ok(())
}

/// The difference that the number of cases needed is told for.
const TARGET: f64 = 0.1;

/// What so many cases can tell of two variants: known before anything is paid, and told without words of statistics.
fn outlook(cases: usize) -> String {
    let needed = cases_needed(Reading::Mid, DEFAULT_FLIPS, TARGET);
    let needed = needed.map_or_else(|_| "many more cases".to_owned(), |needed| format!("about {needed} cases"));
    let (cases_are, flips) = (counted(cases, "case"), DEFAULT_FLIPS * 100.0);
    let told = match detectable(Reading::Mid, cases, DEFAULT_FLIPS) {
        Ok(difference) => {
            let points = difference * 100.0;
            format!(
                "With {cases_are}, a variant that is really {points:.0} points better (such as {:.0} % passed instead of 70 %)\n\
                 will probably be told from one that was only lucky; for 10 points it takes {needed}.",
                70.0 + points
            )
        }
        Err(_) => format!(
            "With {cases_are}, a variant that is better cannot be told from one that was only lucky;\n\
             for a difference of 10 points (such as 80 % passed instead of 70 %) it takes {needed}."
        ),
    };
    format!("{told}\n(Two variants are taken to differ in {flips:.0} % of the cases.)")
}

fn write_notes(estimates: &[Estimate<'_>], total: &Total, left: &Total, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nIn all about {}.", total.sum())?;
    if left.requests < total.requests {
        writeln!(out, "Without what the store has: about {}.", left.sum())?;
    }
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

/// The sum of some requests.
#[derive(Debug, Default)]
struct Total {
    requests: usize,
    tokens: Tokens,
    cost: f64,
    without_price: usize,
}

impl Total {
    /// Of all requests.
    fn of(estimates: &[Estimate<'_>]) -> Self {
        Self::sum_of(estimates, |estimate| (estimate.requests(), estimate.tokens))
    }

    /// Of those that the store does not answer.
    fn left(estimates: &[Estimate<'_>]) -> Self {
        Self::sum_of(estimates, |estimate| (estimate.left(), estimate.tokens_left))
    }

    fn sum_of(estimates: &[Estimate<'_>], part: fn(&Estimate<'_>) -> (usize, Tokens)) -> Self {
        let mut total = Self::default();
        for estimate in estimates {
            let (requests, tokens) = part(estimate);
            total.requests += requests;
            total.tokens.input += tokens.input;
            total.tokens.output += tokens.output;
            match estimate.cost(tokens) {
                Some(cost) => total.cost += cost,
                None => total.without_price += requests,
            }
        }
        total
    }

    /// `8513 + 33000 tokens, 0.0851 US dollars`
    fn sum(&self) -> String {
        let Self { tokens, cost, without_price, .. } = self;
        let unknown = match without_price {
            0 => String::new(),
            requests => format!(", and {} whose price is not known", counted(*requests, "request")),
        };
        format!("{} + {} tokens, {} US dollars{unknown}", tokens.input, tokens.output, Dollars(*cost))
    }

    fn json(&self) -> Value {
        json!({
            "input_tokens": self.tokens.input,
            "output_tokens": self.tokens.output,
            "cost_usd": (self.without_price == 0).then_some(self.cost),
            "requests_without_price": self.without_price,
        })
    }
}

fn as_json(plan: &Plan, estimates: &[Estimate<'_>], bounds: &[BoundOutlook]) -> Value {
    let (total, left) = (Total::of(estimates), Total::left(estimates));
    let bound = |bound: &BoundOutlook| {
        json!({
            "bound": bound.bound.key(),
            "most": bound.most,
            "expected": bound.expected,
            "needed": bound.needed,
            "enough": bound.is_enough(),
        })
    };
    let variant = |estimate: &Estimate<'_>| {
        json!({
            "prompt": estimate.prompt,
            "model": estimate.model.id,
            "provider": estimate.model.provider,
            "trials": estimate.trials,
            "requests": estimate.requests(),
            "stored": estimate.stored,
            "input_tokens": estimate.tokens.input,
            "output_tokens": estimate.tokens.output,
            "cost_usd": if estimate.requests() == 0 { Some(0.0) } else { estimate.cost(estimate.tokens) },
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
        "total": total.json(),
        "stored": total.requests - left.requests,
        "left": left.json(),
        "budget": bounds.iter().map(bound).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cases_can_tell_is_said_before_the_run() {
        insta::assert_snapshot!(outlook(100), @"
        With 100 cases, a variant that is really 12 points better (such as 82 % passed instead of 70 %)
        will probably be told from one that was only lucky; for 10 points it takes about 152 cases.
        (Two variants are taken to differ in 20 % of the cases.)
        ");
        insta::assert_snapshot!(outlook(14), @"
        With 14 cases, a variant that is better cannot be told from one that was only lucky;
        for a difference of 10 points (such as 80 % passed instead of 70 %) it takes about 152 cases.
        (Two variants are taken to differ in 20 % of the cases.)
        ");
    }
}
