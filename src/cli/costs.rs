//! What a run is expected to cost and what it has cost, by variant, on standard error; and the budget that bounds it.
//!
//! Promises that an unknown price or count is shown as unknown, and that answers which cost nothing are not counted.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::args::BudgetArgs;
use super::context::Context;
use super::error::Error;
use super::failures;
use super::load::Place;
use super::words;
use crate::budget::{Budget, Dollars, Spending};
use crate::engine::{Answer, Finished, JournalReader, Lost, Refused};
use crate::id::{ModelId, PromptId};
use crate::lang::Lang;
use crate::model::Model;
use crate::outcome::{Entry, Status};
use crate::response::Usage;
use crate::trial::{Plan, Trial, TrialId};

/// The most variants that are told one by one.
const MOST_VARIANTS: usize = 24;

/// What may be spent: flags and their variables, else evalrun.toml.
pub(super) fn budget(args: &BudgetArgs, project: &Budget) -> Budget {
    Budget {
        max_cost: args.max_cost.or(project.max_cost),
        max_requests: args.max_requests.or(project.max_requests),
        max_tokens: args.max_tokens.or(project.max_tokens),
    }
}

/// Whether it can be known what a budget's money buys.
///
/// # Errors
/// It bounds the cost, and a model has no price.
pub(super) fn check_prices(models: &[impl Borrow<Model>], budget: &Budget, place: &Place) -> Result<(), Error> {
    if budget.max_cost.is_none() {
        return Ok(());
    }
    let remote = models.iter().map(Borrow::borrow).filter(|model: &&Model| model.provider.is_remote());
    let missing: Vec<&str> = remote.filter(|model| model.price.is_none()).map(|model| model.id.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("max_cost is set, and nothing is known of what {} costs: no price", missing.join(", "));
    let config = place.shown(&place.config);
    Err(Error::usage(message).hint(format!(
        "say in the [[model]] of {config} what a million tokens cost in US dollars: price = {{ input = …, output = … }}; \
         zeros where it costs nothing"
    )))
}

/// What a run that is gone on with has spent: requests of outcomes and answers in its journal that the store did not give,
/// and those that came to nothing. What was dropped under way counts as estimated.
pub(super) fn spent_before(plan: &Plan, reader: &JournalReader, unjudged: &[(TrialId, Answer)]) -> Spending {
    let trials: HashMap<&TrialId, &Trial> = plan.trials.iter().map(|trial| (&trial.id, trial)).collect();
    let spending = |trial: &TrialId, attempts: usize, usage: &Usage, may_be_answered: bool| {
        let trial = trials.get(trial).filter(|trial| trial.model.provider.is_remote());
        trial.map_or_else(Spending::default, |trial| {
            let attempts = attempts as u64;
            let known = Spending::of(usage, trial.model.price);
            match known.or_else(|| may_be_answered.then(|| trial.most(0))) {
                Some(answer) => answer + Spending::requests(attempts.saturating_sub(1)),
                None => Spending::requests(attempts),
            }
        })
    };
    let has_answer = |status| matches!(status, Status::Passed | Status::Failed | Status::Undecided);
    let entries = reader.run.entries.iter().filter(|entry| !entry.cached && entry.attempts > 0);
    let judged = entries.map(|entry| spending(&entry.trial, entry.attempts, &entry.usage, has_answer(entry.status)));
    let unjudged =
        unjudged.iter().map(|(trial, answer)| spending(trial, answer.attempts.len(), &answer.response.usage, true));
    let lost = reader.lost.iter().map(|lost| spending(&lost.trial, lost.attempts, &lost.usage, lost.dropped));
    judged.chain(unjudged).chain(lost).sum()
}

/// A row of a table of costs.
#[derive(Debug, Clone)]
struct Row {
    requests: usize,
    input_tokens: u64,
    output_tokens: u64,
    /// US dollars; `None` where a price is not known.
    cost: Option<f64>,
    /// What the same trials were expected to cost.
    expected: Option<f64>,
    /// Answers whose counts are not known.
    uncounted: usize,
}

impl Row {
    /// That of no trial.
    const NOTHING: Self =
        Self { requests: 0, input_tokens: 0, output_tokens: 0, cost: Some(0.0), expected: Some(0.0), uncounted: 0 };

    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.uncounted += other.uncounted;
        let sum = |one: Option<f64>, other: Option<f64>| Some(one? + other?);
        self.cost = sum(self.cost, other.cost);
        self.expected = sum(self.expected, other.expected);
    }

    fn expected(model: &Model, tokens: Tokens) -> Self {
        let Tokens { input, output } = tokens;
        let usage = Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() };
        let cost = model.price.and_then(|price| price.cost(&usage));
        Self { requests: 1, input_tokens: input, output_tokens: output, cost, expected: cost, uncounted: 0 }
    }

    fn spent(model: &Model, tokens: Tokens, entry: &Entry) -> Self {
        let Usage { input_tokens, output_tokens, .. } = entry.usage;
        let is_counted = input_tokens.is_some() && output_tokens.is_some();
        let cost = model.price.map(|price| price.cost(&entry.usage).unwrap_or(0.0));
        Self {
            requests: entry.attempts,
            input_tokens: input_tokens.unwrap_or(0),
            output_tokens: output_tokens.unwrap_or(0),
            cost,
            expected: Self::expected(model, tokens).cost,
            uncounted: usize::from(!is_counted && entry.chars.is_some()),
        }
    }

    fn lost(model: &Model, lost: &Lost) -> Self {
        Self {
            requests: lost.attempts,
            input_tokens: lost.usage.input_tokens.unwrap_or(0),
            output_tokens: lost.usage.output_tokens.unwrap_or(0),
            cost: model.price.map(|price| price.cost(&lost.usage).unwrap_or(0.0)),
            ..Self::NOTHING
        }
    }
}

/// What a server is expected to count of a trial.
#[derive(Debug, Clone, Copy)]
struct Tokens {
    input: u64,
    output: u64,
}

impl Tokens {
    fn of(trial: &Trial) -> Self {
        let usage = trial.expected();
        Self { input: usage.input_tokens.unwrap_or(0), output: usage.output_tokens.unwrap_or(0) }
    }
}

/// What the trials of a plan are expected to take, without the plan: the room that a large one takes is needed to read
/// its run.
#[derive(Debug)]
pub(super) struct Expected {
    prompts: Vec<PromptId>,
    models: Vec<Arc<Model>>,
    /// Of each trial, in the plan's order.
    tokens: Vec<Tokens>,
}

impl Expected {
    /// What a plan is expected to take.
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            prompts: plan.prompts.iter().map(|prompt| prompt.id.clone()).collect(),
            models: plan.models.clone(),
            tokens: plan.trials.iter().map(Tokens::of).collect(),
        }
    }

    /// A table of the trials, which come in the plan's order, as far as they have a row.
    fn table<'a, T>(
        &self,
        trials: impl Iterator<Item = (&'a TrialId, T)>,
        row_of: impl Fn(T, &Model, Tokens) -> Option<Row>,
    ) -> Table {
        let models: HashMap<&ModelId, &Model> = self.models.iter().map(|model| (&model.id, model.as_ref())).collect();
        let mut rows: HashMap<(&PromptId, &ModelId), Row> = HashMap::new();
        let mut total = Row::NOTHING;
        for ((trial, about), tokens) in trials.zip(&self.tokens) {
            let model = models.get(&trial.model).filter(|model| model.provider.is_remote());
            let Some(row) = model.and_then(|model| row_of(about, model, *tokens)) else { continue };
            rows.entry((&trial.prompt, &trial.model)).or_insert(Row::NOTHING).add(&row);
            total.add(&row);
        }
        let variants = self.prompts.iter().flat_map(|prompt| self.models.iter().map(move |model| (prompt, &model.id)));
        let rows = variants
            .filter_map(|(prompt, model)| Some((prompt.clone(), model.clone(), rows.remove(&(prompt, model))?)))
            .collect();
        Table { rows, total }
    }
}

/// Rows by variant, in the plan's order, and their sum.
#[derive(Debug)]
struct Table {
    rows: Vec<(PromptId, ModelId, Row)>,
    total: Row,
}

impl Table {
    /// The rows and their sum for programs.
    fn json(&self) -> Value {
        // Sums of parts of dollars have more digits than mean something.
        let rounded = |dollars: Option<f64>| dollars.map(|dollars| (dollars * 1e9).round() / 1e9);
        let fields = |row: &Row| {
            json!({
                "requests": row.requests,
                "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens,
                "cost_usd": rounded(row.cost),
                "expected_usd": rounded(row.expected),
                "uncounted": row.uncounted,
            })
        };
        let variants = self.rows.iter().map(|(prompt, model, row)| {
            let mut variant = fields(row);
            (variant["prompt"], variant["model"]) = (json!(prompt), json!(model));
            variant
        });
        json!({"variants": variants.collect::<Vec<_>>(), "total": fields(&self.total)})
    }

    /// Lines under a head, the sum last; of what was spent with what was expected beside it.
    fn lines(&self, is_spent: bool, lang: Lang) -> String {
        let (columns, in_all) = words::costs(lang);
        let head = words::costs_heads(lang)[usize::from(is_spent)];
        let total = (self.rows.len() > 1).then(|| (in_all.to_owned(), &self.total));
        let named = self.rows.iter().map(|(prompt, model, row)| (format!("{prompt}@{model}"), row));
        let rows: Vec<(String, &Row)> = named.filter(|_| self.rows.len() <= MOST_VARIANTS).chain(total).collect();
        let width = rows.iter().map(|(name, _)| name.width()).chain([head.width()]).max().unwrap_or(0);
        let dollars = |cost: Option<f64>| cost.map_or_else(|| "?".to_owned(), |cost| Dollars(cost).to_string());
        let widths = columns.iter().zip([8, 9, 10, 8, 8]).map(|(column, least)| column.width().max(least));
        let widths: Vec<usize> = widths.collect();
        let line = |name: &str, cells: [&str; 5]| {
            let shown = if is_spent { 5 } else { 4 };
            let cells = cells.iter().zip(&widths).take(shown);
            let blanks = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
            let cells = cells.map(|(cell, width)| format!("  {}{cell}", blanks(cell, *width)));
            format!("{name}{}{}", blanks(name, width), cells.collect::<String>())
        };
        let shown = rows.iter().map(|(name, row)| {
            let [requests, input, output] =
                [row.requests as u64, row.input_tokens, row.output_tokens].map(|count| count.to_string());
            line(name, [&requests, &input, &output, &dollars(row.cost), &dollars(row.expected)])
        });
        let head = line(head, columns);
        std::iter::once(head).chain(shown).collect::<Vec<_>>().join("\n")
    }
}

/// Says what the trials that are not `done` are expected to cost, if servers are asked at all.
pub(super) fn say_expected(plan: &Plan, done: &HashMap<TrialId, Status>, lang: Lang, context: &Context) {
    let trials = plan.trials.iter().map(|trial| (&trial.id, done.contains_key(&trial.id)));
    let row = |is_done: bool, model: &Model, tokens| (!is_done).then(|| Row::expected(model, tokens));
    let table = Expected::of(plan).table(trials, row);
    if table.total.requests > 0 {
        context.console.tell(&table.lines(false, lang), "expected", table.json());
    }
}

/// What a run has spent and what is left of its plan, without the plan.
#[derive(Debug)]
pub(super) struct Bill {
    spent: Table,
    /// Requests that were dropped under way.
    dropped: usize,
    /// How many trials are left, and how many there are.
    left: (usize, usize),
    /// What they are expected to cost.
    rest: Row,
}

impl Bill {
    /// What became of a plan.
    pub(super) fn of(expected: &Expected, reader: &JournalReader) -> Self {
        let run = &reader.run;
        let mut lost: HashMap<&TrialId, Vec<&Lost>> = HashMap::new();
        reader.lost.iter().for_each(|one| lost.entry(&one.trial).or_default().push(one));
        let spent = |entry: &Entry, model: &Model, tokens| {
            let is_asked = entry.attempts > 0 && !entry.cached;
            let lost = lost.get(&entry.trial).into_iter().flatten().map(|lost| Row::lost(model, lost));
            let rows = is_asked.then(|| Row::spent(model, tokens, entry)).into_iter().chain(lost);
            rows.reduce(|mut sum, row| {
                sum.add(&row);
                sum
            })
        };
        let is_left = |entry: &Entry| entry.status == Status::Skipped;
        let rest = |entry: &Entry, model: &Model, tokens| is_left(entry).then(|| Row::expected(model, tokens));
        let trials = || run.entries.iter().map(|entry| (&entry.trial, entry));
        Self {
            spent: expected.table(trials(), spent),
            dropped: reader.lost.iter().filter(|lost| lost.dropped).count(),
            left: (run.count(Status::Skipped), run.entries.len()),
            rest: expected.table(trials(), rest).total,
        }
    }

    /// Says what a run has spent, if it has asked a server.
    pub(super) fn say_spent(&self, lang: Lang, context: &Context) {
        let table = &self.spent;
        if table.total.requests == 0 {
            return;
        }
        let mut json = table.json();
        json["dropped"] = self.dropped.into();
        context.console.tell(&table.lines(true, lang), "spent", json);
        if table.total.uncounted > 0 {
            context.console.say(&words::uncounted(table.total.uncounted, lang));
        }
        if self.dropped > 0 {
            context.console.say(&words::dropped(self.dropped, lang));
        }
    }

    /// Says that the budget ended the run, what is left and how to go on. It holds a pipeline up, so it is said even if
    /// little is to be said.
    pub(super) fn say_used_up(&self, finished: &Finished, refused: Refused, lang: Lang, context: &Context) {
        let spent = finished.spent;
        let Refused { bound, most, request } = refused;
        let failed: usize = finished.failures.iter().map(|failures| failures.attempts).sum();
        let used_up = words::UsedUp {
            bound,
            most: most.to_string(),
            spent,
            request,
            failures: failures::text(&finished.failures, lang),
            // A higher budget alone would go the same way.
            is_none_answered: failed > 0 && failed as u64 >= spent.requests,
            left: self.left,
            rest_tokens: [self.rest.input_tokens, self.rest.output_tokens],
            rest_cost: self.rest.cost,
        };
        context.console.complain(&used_up.told(lang));
    }
}
