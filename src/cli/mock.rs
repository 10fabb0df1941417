//! `evalrun mock`: what to answer, a server, its address, and in the end what was asked of it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;

use tokio::sync::watch;

use super::args::MockArgs;
use super::console::counted;
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::load::Loaded;
use super::signal::Signals;
use crate::engine::mock::{Answers, Counts, Limit, Mock, Settings};
use crate::engine::{Cancel, recorded_answer};
use crate::model::Provider;
use crate::response::Response;
use crate::trial::{TrialId, plan};

/// The models that a server without a project lists.
const MODELS: [&str; 3] = ["mock-ok", "mock-429-then-ok", "mock-500-then-ok"];

/// Runs the command.
///
/// # Errors
/// A mistake in the call or the project; an address that cannot be had; a log that cannot be written.
pub(super) fn execute(args: &MockArgs, context: &Context) -> Result<Exit, Error> {
    let loaded = project(context)?;
    let answers = answers(args, loaded.as_ref(), context)?;
    let log = args.log.as_deref().map(|path| open(&context.path(path))).transpose()?;
    let settings = Settings {
        latency: args.latency,
        jitter: args.jitter,
        pace: args.pace,
        rules: args.fault.clone(),
        limit: args.rpm.map(|a_minute| Limit { a_minute, at_once: args.burst.unwrap_or((a_minute / 60).max(1)) }),
        seed: args.seed,
        log,
        models: names(loaded.as_ref()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::System { what: "no threads can be made", source })?;
    let address = SocketAddr::new(args.host, args.port);
    let counts = runtime.block_on(serve(address, settings, answers, context))?;
    // What still holds on to a connection has had its time.
    runtime.shutdown_background();
    context.console.say(&summary(&counts));
    Ok(Exit::Fine)
}

/// The project, if there is one whose files are in order: a server can do without.
fn project(context: &Context) -> Result<Option<Loaded>, Error> {
    let Some(place) = context.place_if_any()? else { return Ok(None) };
    Loaded::read(place, &context.console).map(Some).or_else(|error| do_without(error, context).map(|()| None))
}

/// Says the mistakes of a project, and that its recorded answers are not read for them.
fn do_without(error: Error, context: &Context) -> Result<(), Error> {
    let Error::Project(mistakes) = &error else { return Err(error) };
    for mistake in mistakes {
        context.console.say(&mistake.render(&context.console.renderer()));
    }
    context.console.warn(&format!("{error}: its recorded answers are not read, articles are answered instead"));
    Ok(())
}

async fn serve(address: SocketAddr, settings: Settings, answers: Answers, context: &Context) -> Result<Counts, Error> {
    let system = |what| move |source| Error::System { what, source };
    let mock = Mock::bind(address, settings, answers).await.map_err(|source| {
        let hint = "name another one by --port and --host; port 0 is any that is free";
        Error::usage(format!("{address} cannot be listened at: {source}")).hint(hint)
    })?;
    let (cancel, cancelled) = watch::channel(Cancel::No);
    let _signals = Signals::listen(cancel).map_err(system("signals"))?;
    let url = format!("http://{}", mock.address());
    if !address.ip().is_loopback() {
        context.console.warn(&format!("{url} can be reached from other machines, by anybody and without a key"));
    }
    context.console.print(|out| writeln!(out, "{url}"))?;
    context.console.say(&format!(
        "base_url = \"{url}\" for gemini and anthropic, \"{url}/v1\" for openai; {url}/stats tells what was asked"
    ));
    mock.serve(cancelled).await.map_err(system("the log"))
}

/// The file with nothing in it yet.
fn open(path: &Path) -> Result<File, Error> {
    File::create(path).map_err(|error| {
        Error::usage(format!("--log: {}: {error}", path.display())).hint("name a file that can be written")
    })
}

fn answers(args: &MockArgs, loaded: Option<&Loaded>, context: &Context) -> Result<Answers, Error> {
    let mut answers = Answers::new(args.seed);
    if let Some(given) = &args.answer {
        let source = match given.strip_prefix('@') {
            Some(file) => {
                let path = context.path(Path::new(file));
                fs::read_to_string(&path).map_err(|error| {
                    Error::usage(format!("--answer: {}: {error}", path.display()))
                        .hint("@ names a file, from the folder you are in")
                })?
            }
            None => given.clone(),
        };
        return answers.from_template(source).map_err(|error| {
            Error::usage(format!("--answer: {error}"))
                .hint("it knows {{ prompt }}, {{ system }}, {{ model }} and {{ n }}")
        });
    }
    if let Some(loaded) = loaded {
        let mut recorded = Answers::new(args.seed);
        match record(&mut recorded, loaded) {
            Ok(()) => answers = recorded,
            Err(error) => do_without(error, context)?,
        }
    }
    let about = match answers.recorded_prompts() {
        0 => "no recorded answers: each question is answered with an article about what it quotes".to_owned(),
        prompts => format!("recorded answers to {}, articles for the rest", counted(prompts, "prompt")),
    };
    context.console.say(&about);
    Ok(answers)
}

/// Keeps every recorded answer of the project under the prompt that it answers.
fn record(answers: &mut Answers, loaded: &Loaded) -> Result<(), Error> {
    let is_recorded = |model: &crate::model::Model| model.provider == Provider::Recorded;
    let models = loaded.models().into_iter().filter(is_recorded).collect();
    let (cases, prompts) = (loaded.cases.clone(), loaded.prompts.clone());
    let plan = plan(cases, prompts, models, 1, &loaded.project.require).map_err(Error::Project)?;
    for trial in plan.trials {
        let mut repeats: Vec<Response> = Vec::new();
        for repeat in 0.. {
            let id = TrialId { repeat, ..trial.id.clone() };
            let Some(answer) = recorded_answer(&loaded.place.root, &id).map_err(Error::Project)? else { break };
            repeats.push(answer);
        }
        answers.record((*trial.prompt).clone(), trial.id.model.as_str(), repeats);
    }
    Ok(())
}

/// The models' names at their providers, for the listing.
fn names(loaded: Option<&Loaded>) -> Vec<String> {
    let names: BTreeSet<String> =
        loaded.iter().flat_map(|loaded| &loaded.project.models).map(|model| model.name.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    if names.is_empty() { MODELS.map(str::to_owned).to_vec() } else { names }
}

fn summary(counts: &Counts) -> String {
    let requests = counted(usize::try_from(counts.requests).unwrap_or(usize::MAX), "request");
    let again = match counts.answered_again {
        0 => String::new(),
        again => format!(" ({again} for a second time)"),
    };
    format!("{requests}: {} answered{again}, at most {} at once", counts.answered, counts.peak_in_flight)
}
