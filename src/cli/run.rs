//! `evalrun run`: plan, keys, folder, questions, reports.
//!
//! Promises that every mistake is found before the first request, and that an interrupted run says how it goes on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::args::RunArgs;
use super::cache::store_of;
use super::check;
use super::ci;
use super::commit::commit_of;
use super::console::{Log, Verbosity, counted};
use super::context::{Context, language};
use super::costs::{self, Bill, Expected};
use super::environment::day_of;
use super::error::Error;
use super::exit::Exit;
use super::failures;
use super::gate;
use super::judge::scorer;
use super::load::Loaded;
use super::reporting::Reporting;
use super::runs::{Archive, BegunRun, Destination, JOURNAL, OpenRun};
use super::select::{check_recorded, select};
use super::signal::{self, Signals};
use super::summary;
use super::words;
use crate::budget::{Budget, Spending};
use crate::engine::{
    Answer, Answers, Concurrency, Detail, Display, Finished, Journal, NotStored, Policy, Progress, Setup, Store,
    StoreError, Transport, missing_key, progress, random_jitter, run,
};
use crate::lang::Lang;
use crate::model::Model;
use crate::outcome::{CaseRecord, ModelRecord, PromptRecord, RunHeader, Status};
use crate::report::{json_for_logs, without_ci_commands};
use crate::score::SCORER_VERSION;
use crate::trial::{Plan, TrialId};

/// Where an account's limit on requests under way starts, unless the user says a number.
const DEFAULT_START: usize = 8;

/// The most requests under way at once, unless the user says a number.
const DEFAULT_MOST: usize = 256;

/// Runs the command.
///
/// # Errors
/// A mistake in the call or the project, or something unexpected.
pub(super) fn execute(args: &RunArgs, context: &Context) -> Result<Exit, Error> {
    let mut loaded = Loaded::read(context.place()?, &context.console)?;
    let archive = Archive { place: Some(&loaded.place), environment: &context.environment };
    let plan = select(&loaded, &args.selection, archive)?;
    let prompts: Vec<_> = plan.prompts.iter().map(|prompt| &prompt.id).collect();
    let lang = language(args.reporting.lang, Some(&loaded.place));
    let reporting = Reporting::new(&args.reporting, lang, &prompts, archive)?;
    let gated = loaded.project.gate.as_ref().filter(|_| !args.no_gate);
    gated.map_or(Ok(()), |gated| gate::fits(gated, plan.repeats))?;
    let baseline = gated.map(|gated| gate::baseline(gated, args.reporting.baseline.as_deref(), archive)).transpose()?;
    check_recorded(&plan, &loaded.place)?;
    let budget = costs::budget(&args.budget, &loaded.project.run.budget);
    costs::check_prices(&plan.models, &budget, &loaded.place)?;
    if budget.max_cost.is_some() {
        warn_of_prices(&plan, context);
    }
    check_keys(&plan, context)?;
    check::mistyped(&loaded, &plan, context)?.iter().for_each(|warning| context.console.warn(warning));
    let digest = plan.digest();
    let store = open_store(args, &plan, &loaded, context)?;
    let destination = Destination::choose(args.out.as_deref(), &digest, &loaded.place, &context.environment)?;
    let begun = Begun::at(destination, &plan, digest, &loaded, lang, context)?;
    let concurrency = concurrency(args, &loaded);
    let answers = begun.answers(store, args.cache.refresh);
    let plan = Arc::new(plan);
    costs::say_expected(&plan, &begun.done, lang, context);
    let asking = Asking { answers: &answers, concurrency, budget, fail_fast: args.fail_fast };
    let (finished, signal) = ask(&plan, &begun, asking, &loaded, context)?;
    warn_of_store(&answers, context);
    // Reading a large run and its reports need the room that the plan and its cases take.
    let expected = Expected::of(&plan);
    drop(plan);
    loaded.cases = Vec::new();
    let open = begun.read()?;
    let bill = Bill::of(&expected, &open.reader);
    // Closing the store waits for the disk, and reports for the processor.
    thread::scope(|scope| {
        scope.spawn(|| drop(answers));
        begun.close(&open, &finished, &reporting)
    })?;
    summary::print(&open, lang, args.format, context)?;
    bill.say_spent(lang, context);
    if let Some(refused) = finished.refused {
        bill.say_used_up(&finished, refused, lang, context);
    } else {
        failures::say(&finished, lang, context);
        summary::say_unfinished(&open.reader.run, lang, context);
        summary::say_errored(&open.reader.run, &args.cache, lang, context);
    }
    summary::say(&open, &loaded.place, lang, context);
    let exit = exit(&finished, signal);
    let Some(gated) = gated else {
        if loaded.project.gate.is_none() {
            context.console.say(&gate::no_gate(&loaded, lang));
        }
        ci::tell(&open, None, lang, &loaded.place, context)?;
        return Ok(exit);
    };
    let gate = gate::gate(&open.reader.run, gated, baseline.flatten().as_ref())?;
    gate::say(&gate, &open, lang, context)?;
    ci::tell(&open, Some(&gate), lang, &loaded.place, context)?;
    // How many trials may be missing speaks of those that erred, not of a run that has not come to its end.
    let is_cut_short = finished.interrupted || finished.refused.is_some() && !gate.surely_failed();
    Ok(if is_cut_short { exit } else { gate::exit(&gate, &open.reader.run) })
}

fn exit(finished: &Finished, signal: Option<signal::Signal>) -> Exit {
    match signal {
        Some(signal) if finished.interrupted => signal.exit(),
        _ if finished.counts.of(Status::Errored) + finished.counts.of(Status::Skipped) > 0 => Exit::Incomplete,
        _ => Exit::Fine,
    }
}

/// A run that can only err is better not begun; where other models can be asked, those without a key err alone.
fn check_keys(plan: &Plan, context: &Context) -> Result<(), Error> {
    let remote = plan.models.iter().filter(|model| model.provider.is_remote());
    let missing: Vec<(&Model, &str)> = remote
        .filter_map(|model| Some((model.as_ref(), missing_key(model, &context.environment.variables)?)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut variables: Vec<&str> = missing.iter().map(|(_, variable)| *variable).collect();
    variables.sort_unstable();
    variables.dedup();
    if missing.len() == plan.models.len() {
        let models: Vec<&str> = missing.iter().map(|(model, _)| model.id.as_str()).collect();
        let message =
            format!("no key for {}: {} is not set; nothing was sent", models.join(", "), variables.join(", "));
        return Err(Error::usage(message).hint(format!("export {}=…", variables[0])));
    }
    for (model, variable) in missing {
        context.console.warn(&format!("no key for {}: {variable} is not set; its trials will have errored", model.id));
    }
    Ok(())
}

fn concurrency(args: &RunArgs, loaded: &Loaded) -> Concurrency {
    match args.concurrency.or(loaded.project.run.concurrency) {
        Some(most) => Concurrency { start: most as usize, per_account: most as usize, total: most as usize },
        None => Concurrency { start: DEFAULT_START, per_account: DEFAULT_MOST, total: DEFAULT_MOST },
    }
}

/// The store of answers, for a plan that has use for one.
fn open_store(args: &RunArgs, plan: &Plan, loaded: &Loaded, context: &Context) -> Result<Option<Store>, Error> {
    if args.cache.no_cache || !plan.models.iter().any(|model| model.provider.is_remote()) {
        return Ok(None);
    }
    let given = args.cache.cache.as_deref().map(|given| context.path(given));
    Ok(Some(Store::open(&given.unwrap_or_else(|| store_of(&loaded.place)))?))
}

fn warn_of_store(answers: &Answers, context: &Context) {
    if let Some(damage) = answers.damage() {
        let mended = "they counted as missing; if this comes again, move the file away";
        context.console.warn(&format!("answers that cannot be read any more: {damage}; {mended}"));
    }
    let NotStored { answers, why } = answers.not_stored();
    if let Some(why) = why {
        let answers = counted(answers, "answer");
        context.console.warn(&format!("not put into the store, and kept in the run alone: {answers} ({why})"));
    }
}

/// A run whose journal is open.
struct Begun {
    folder: PathBuf,
    journal: Arc<Journal>,
    started_at: Timestamp,
    done: HashMap<TrialId, Status>,
    /// Answers that came before an interruption and were not judged.
    unjudged: Vec<(TrialId, Answer)>,
    /// Parts of answers whose rest did not come before an interruption.
    parts: HashMap<TrialId, Vec<Answer>>,
    /// What was spent before an interruption.
    spent: Spending,
    /// Whether nothing but reports is missing.
    has_end: bool,
}

impl Begun {
    fn at(
        destination: Destination,
        plan: &Plan,
        digest: String,
        loaded: &Loaded,
        lang: Lang,
        context: &Context,
    ) -> Result<Self, Error> {
        match destination {
            Destination::New { folder, journal, aside } => {
                if let Some(aside) = aside {
                    context.console.say(&words::kept_aside(&loaded.place.shown(&aside), lang));
                }
                let header = header(plan, digest, &folder, &loaded.place.root, context);
                let journal = Arc::new(journal.begin(&header, &plan.trials)?);
                let started_at = header.started_at;
                let (done, unjudged, parts) = (HashMap::new(), Vec::new(), HashMap::new());
                let (spent, has_end) = (Spending::default(), false);
                Ok(Self { folder, journal, started_at, done, unjudged, parts, spent, has_end })
            }
            Destination::Begun(begun) => Self::again(*begun, plan, loaded, lang, context),
        }
    }

    fn again(begun: BegunRun, plan: &Plan, loaded: &Loaded, lang: Lang, context: &Context) -> Result<Self, Error> {
        let BegunRun { folder, journal, reader } = begun;
        let (shown, all) = (loaded.place.shown(&folder), plan.trials.len());
        // What errored has no answer yet, so it is asked again, unless the run came to its end with that.
        let has_answer = |status| matches!(status, Status::Passed | Status::Failed | Status::Undecided);
        let done: HashMap<TrialId, Status> = reader
            .run
            .entries
            .iter()
            .filter(|entry| reader.has_end || has_answer(entry.status))
            .map(|entry| (entry.trial.clone(), entry.status))
            .collect();
        context.console.say(&if reader.has_end {
            words::lacks_reports(&shown, lang)
        } else {
            words::continuing(&shown, done.len(), all, lang)
        });
        let unjudged = reader.unjudged().map_err(Error::file(&folder.join(JOURNAL)))?;
        let parts: HashMap<_, _> = reader.parts().map_err(Error::file(&folder.join(JOURNAL)))?.into_iter().collect();
        let spent = costs::spent_before(plan, &reader, &unjudged);
        let (started_at, has_end) = (reader.run.header.started_at, reader.has_end);
        let journal = Arc::new(journal.go_on()?);
        Ok(Self { folder, journal, started_at, done, unjudged, parts, spent, has_end })
    }

    /// Where answers are kept and found; with `refresh`, the store's own from before the run do not count.
    fn answers(&self, store: Option<Store>, refresh: bool) -> Arc<Answers> {
        let journal = Arc::clone(&self.journal);
        let note = move |trial: &TrialId, answer: &Answer| journal.append_answer(trial, answer);
        let answers = Answers::new(Arc::new(note), self.unjudged.clone());
        Arc::new(match store {
            Some(store) => answers.with_store(store, refresh.then_some(self.started_at)),
            None => answers,
        })
    }

    /// The run as its journal has it now.
    fn read(&self) -> Result<OpenRun, Error> {
        Ok(OpenRun { reader: self.journal.read()?, folder: self.folder.clone() })
    }

    /// Writes the reports, then the end of the journal: a run that has it lacks nothing.
    fn close(self, open: &OpenRun, finished: &Finished, reporting: &Reporting) -> Result<(), Error> {
        reporting.write(open)?;
        if !self.has_end {
            // Without an end the same command goes on; a run that failed fast is not at its end either.
            let is_cut_short = finished.counts.of(Status::Skipped) > 0;
            let ended = self.journal.end(Timestamp::now(), is_cut_short);
            ended.map_err(|source| Error::Unfinished { path: open.folder.join(JOURNAL), source })?;
        }
        Ok(())
    }
}

fn header(plan: &Plan, digest: String, folder: &Path, root: &Path, context: &Context) -> RunHeader {
    let case = |trial: &crate::trial::Trial| CaseRecord {
        id: trial.case.id.clone(),
        tags: trial.case.tags.clone(),
        vars: trial.case.vars.clone(),
        source: trial.case.source.clone(),
        required: trial.require.properties().collect(),
        requirements: Some(trial.require.digest()),
    };
    // Of a shard's cases some may have no trial.
    let required: HashMap<_, _> = plan.trials.iter().map(|trial| (&trial.case.id, trial)).collect();
    let cases = plan.cases.iter().filter_map(|entry| required.get(&entry.id).copied().map(case)).collect();
    let prompts = plan.prompts.iter().map(|prompt| PromptRecord {
        id: prompt.id.clone(),
        text: prompt.file.text.clone(),
        digest: prompt.digest(),
    });
    let models = plan.models.iter().map(|model| ModelRecord {
        id: model.id.clone(),
        provider: model.provider,
        name: model.name.clone(),
        base_url: model.base_url.clone(),
        price_note: price_note(model, context),
    });
    RunHeader {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        scorer_version: SCORER_VERSION,
        plan_digest: digest,
        started_at: context.environment.now,
        commit: commit_of(root),
        rescored_from: None,
        merged_from: Vec::new(),
        trials: plan.trials.len(),
        repeats: plan.repeats,
        cases,
        prompts: prompts.collect(),
        models: models.collect(),
    }
}

/// What is to be said of a model's price.
pub(super) fn price_note(model: &Model, context: &Context) -> Option<String> {
    let price = model.price.filter(|price| price.has_expired(context.environment.today()))?;
    Some(format!("the price was valid until {}", price.valid_until?))
}

/// A bound on costs is only as good as the prices.
fn warn_of_prices(plan: &Plan, context: &Context) {
    for model in &plan.models {
        if let Some(note) = price_note(model, context) {
            context.console.warn(&format!("max_cost counts by what {} used to cost: {note}", model.id));
        }
    }
}

/// How a plan is asked.
struct Asking<'a> {
    answers: &'a Arc<Answers>,
    concurrency: Concurrency,
    budget: Budget,
    fail_fast: bool,
}

/// Asks what is missing, and shows how it goes.
fn ask(
    plan: &Arc<Plan>,
    begun: &Begun,
    asking: Asking<'_>,
    loaded: &Loaded,
    context: &Context,
) -> Result<(Finished, Option<signal::Signal>), Error> {
    let transport = Transport::new(&loaded.place.root, &loaded.project.models, &context.environment.variables);
    let journal = Arc::clone(&begun.journal);
    let abandoned = Arc::clone(&begun.journal);
    let (history, parts) = (Arc::clone(&begun.journal), Arc::clone(&begun.journal));
    let setup = Setup {
        plan: Arc::clone(plan),
        done: begun.done.clone(),
        policy: Policy::default(),
        concurrency: asking.concurrency,
        budget: asking.budget,
        spent: begun.spent,
        fail_fast: asking.fail_fast,
        scorer: scorer(day_of(begun.started_at)),
        answers: Arc::clone(asking.answers),
        keep: Arc::new(move |outcome| journal.append(outcome)),
        parts: begun.parts.clone(),
        keep_part: Arc::new(move |trial, part| parts.append_part(trial, part)),
        keep_abandoned: Arc::new(move |trial, asked| abandoned.append_abandoned(trial, asked)),
        keep_limit: Arc::new(move |model, slowed| history.append_limit(model, slowed)),
        jitter: random_jitter(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "no threads can be made", source })?;
    let display = display(context);
    let harmless = if display == Display::Json { json_for_logs } else { without_ci_commands };
    let progress = Progress::new(display).harmless(harmless);
    let progress = progress.detail(match context.console.verbosity {
        Verbosity::Quiet | Verbosity::Normal => Detail::None,
        Verbosity::Verbose => Detail::Outcomes,
        Verbosity::Everything => Detail::Attempts,
    });
    runtime.block_on(async {
        let (cancel, cancelled) = watch::channel(crate::engine::Cancel::No);
        let signals = Signals::listen(cancel).map_err(|source| Error::System { what: "signals", source })?;
        let (events, shown) = mpsc::channel(1024);
        let showing = tokio::spawn(progress::show(shown, progress));
        let finished = run(setup, transport, events, cancelled).await;
        // Its end is the end of the events: nothing of it is shown later.
        let _ = showing.await;
        let finished = finished.map_err(|error| match error.downcast::<StoreError>() {
            Ok(error) => Error::Store(error),
            Err(source) => Error::Unfinished { path: begun.folder.join(JOURNAL), source },
        })?;
        Ok((finished, signals.first()))
    })
}

fn display(context: &Context) -> Display {
    let moves = context.console.stderr.is_terminal && context.environment.variable("TERM") != Some("dumb");
    match (context.console.verbosity, context.console.log) {
        (Verbosity::Quiet, _) => Display::Quiet,
        (_, Log::Json) => Display::Json,
        _ if moves => Display::Live,
        _ => Display::Lines,
    }
}
