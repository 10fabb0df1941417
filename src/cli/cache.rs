//! `evalrun cache`: the store of answers counted, pruned, exported; and where it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{CacheAction, CacheCommandArgs, CachePruneArgs, CacheStatsArgs, TextOrJson};
use super::console::counted;
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::load::Place;
use super::select::Filter;
use crate::engine::{Prune, Share, Store};
use crate::report::one_line;

/// A day in seconds.
const DAY: u64 = 86_400;

/// Where a project's store is, unless the user names another place.
pub(super) fn store_of(place: &Place) -> PathBuf {
    place.root.join(".evalrun").join("answers.db")
}

/// Runs the command.
///
/// # Errors
/// There is no project and no file is named, or the store cannot be used.
pub(super) fn execute(args: &CacheCommandArgs, context: &Context) -> Result<Exit, Error> {
    match &args.action {
        CacheAction::Stats(args) => stats(args, context),
        CacheAction::Prune(args) => prune(args, context),
        CacheAction::Export(args) => {
            if let Some(store) = Store::open_existing(&path(args.cache.as_deref(), context)?)? {
                context.console.print(|out| store.export(out))?;
            }
            Ok(Exit::Fine)
        }
    }
}

fn path(given: Option<&Path>, context: &Context) -> Result<PathBuf, Error> {
    match given {
        Some(given) => Ok(context.path(given)),
        None => Ok(store_of(&context.place()?)),
    }
}

fn stats(args: &CacheStatsArgs, context: &Context) -> Result<Exit, Error> {
    let path = path(args.cache.as_deref(), context)?;
    let shares = Store::open_existing(&path)?.map(|store| store.shares()).transpose()?.unwrap_or_default();
    let answers: u64 = shares.iter().map(|share| share.answers).sum();
    context.console.print(|out| match args.format {
        TextOrJson::Text => {
            for Share { provider, model, answers, bytes, oldest, newest } in &shares {
                let (oldest, newest) = (oldest.strftime("%Y-%m-%d"), newest.strftime("%Y-%m-%d"));
                let model = one_line(model);
                writeln!(out, "{provider:10}  {model:32}  {answers:>8}  {:>10}  {oldest} – {newest}", size(*bytes))?;
            }
            writeln!(out, "{}", counted(usize::try_from(answers).unwrap_or(usize::MAX), "answer"))
        }
        TextOrJson::Json => {
            let about = serde_json::json!({"path": path.display().to_string(), "answers": answers, "models": shares});
            writeln!(out, "{about}")
        }
    })?;
    Ok(Exit::Fine)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn prune(args: &CachePruneArgs, context: &Context) -> Result<Exit, Error> {
    let store = Store::open_existing(&path(args.cache.as_deref(), context)?)?;
    let pruned = match store {
        Some(store) => store.prune(&which(args, &store.shares()?, context)?)?,
        None => 0,
    };
    context.console.print(|out| writeln!(out, "{} taken out", counted(pruned, "answer")))?;
    Ok(Exit::Fine)
}

fn which(args: &CachePruneArgs, shares: &[Share], context: &Context) -> Result<Prune, Error> {
    let age = args.older_than.map(|days| Duration::from_secs(u64::from(days) * DAY));
    // What is older than time itself is nothing.
    let before = age.map(|age| context.environment.now.checked_sub(age).unwrap_or(jiff::Timestamp::MIN));
    if args.model.is_empty() {
        return Ok(Prune { before, models: None });
    }
    let filter = Filter::new("model", &args.model, shares.iter().map(|share| share.model.as_str()))?;
    let names = shares.iter().map(|share| share.model.clone()).filter(|model| filter.matches(model));
    Ok(Prune { before, models: Some(names.collect()) })
}
