//! `evalrun score`: texts that are there already, judged by every property with its default settings.
//!
//! Promises output in the order of the input as it comes, on all processors, in memory that does not grow with the
//! number of items; and that no text, whatever it holds, ends the process.

use std::io::{self, BufRead, Read as _, Write};
use std::path::Path;

use jiff::civil::Date;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::args::{ScoreArgs, TextOrJson};
use super::console::Reader;
use super::context::{Context, language};
use super::error::Error;
use super::exit::Exit;
use super::items::open;
use super::judge::judge_by_defaults;
use super::stream::{self, Steps, jobs, take_all};
use crate::case::{PublishedAt, Source};
use crate::diagnostic::TextFile;
use crate::item::Item;
use crate::report::terminal::{TerminalOptions, write_scored};
use crate::score::{Score, ScoreJson, prepare};

/// Runs the command.
///
/// # Errors
/// There is no such file, or something cannot be read or written.
pub(super) fn execute(args: &ScoreArgs, context: &Context) -> Result<Exit, Error> {
    std::thread::spawn(prepare);
    let options = context.console.terminal_options(language(args.lang, None));
    match (&args.items, &args.article) {
        (Some(items), _) => {
            let view = View::new(args.format.unwrap_or(TextOrJson::Json), options, context);
            stream(open(&context.path(items))?, jobs(args.jobs), view, context)
        }
        (None, Some(article)) => {
            let view = View::new(args.format.unwrap_or(TextOrJson::Text), options, context);
            let item = one_text(article, args, context)?;
            view.print(context, |out| out.write_all(&view.show(&item)?))?;
            Ok(Exit::Fine)
        }
        (None, None) => Err(Error::usage("there is nothing to judge").hint("name a file, or --items FILE")),
    }
}

/// One text with what the flags say of its news.
fn one_text(article: &Path, args: &ScoreArgs, context: &Context) -> Result<Item, Error> {
    let output = read_text(&context.path(article), article)?;
    let published_at = match &args.published_at {
        Some(text) => Some(PublishedAt::try_from(text.clone()).map_err(|error| {
            Error::usage(format!("--published-at: {error}")).hint("write it as 2025-06-30T07:00:00+09:00")
        })?),
        None => None,
    };
    let body = args.body.as_ref().map(|path| read_text(&context.path(path), path)).transpose()?;
    let has_source = args.title.is_some() || args.publisher.is_some() || published_at.is_some() || body.is_some();
    let source = has_source.then(|| Source {
        published_at,
        publisher: args.publisher.clone().unwrap_or_default(),
        title: args.title.clone().unwrap_or_default(),
        body,
        ..Source::default()
    });
    let id = article.display().to_string();
    Ok(Item { id: id.into(), source, output, prompt: None, labels: None })
}

fn read_text(path: &Path, shown: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(Error::file(path))?;
    let name = shown.display().to_string();
    let file = TextFile::decode(&name, &bytes);
    file.map(|file| file.text).map_err(|problem| Error::Input { file: name, problems: vec![problem] })
}

/// How a judged item is shown.
#[derive(Debug, Clone, Copy)]
struct View {
    format: TextOrJson,
    options: TerminalOptions,
    today: Date,
}

impl View {
    fn new(format: TextOrJson, options: TerminalOptions, context: &Context) -> Self {
        Self { format, options, today: context.environment.today() }
    }

    /// Writes results in this form.
    fn print(&self, context: &Context, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Reader, Error> {
        match self.format {
            TextOrJson::Json => context.console.print_json(write),
            TextOrJson::Text => context.console.print(write),
        }
    }

    /// What stands between two items.
    fn between(&self) -> String {
        match self.format {
            TextOrJson::Json => String::new(),
            TextOrJson::Text => format!("\n{}\n\n", "─".repeat(self.options.width)),
        }
    }

    /// Judges an item and writes what is to be seen of it.
    fn show(&self, item: &Item) -> io::Result<Vec<u8>> {
        let scores = judge_by_defaults(&item.output, item.source.as_ref(), item.prompt.as_deref(), self.today);
        let mut out = Vec::new();
        match self.format {
            TextOrJson::Json => {
                serde_json::to_writer(&mut out, &ItemScores { id: &item.id, scores })?;
                out.push(b'\n');
            }
            TextOrJson::Text => {
                write_scored(&item.name(), item.source.as_ref(), &item.output, &scores, self.options, &mut out)?;
            }
        }
        Ok(out)
    }
}

/// `{"id": …, "scores": {property: score}}`, in report order.
#[derive(Debug)]
struct ItemScores<'a> {
    id: &'a serde_json::Value,
    scores: Vec<Score>,
}

impl Serialize for ItemScores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", self.id)?;
        map.serialize_entry("scores", &Scores(&self.scores))?;
        map.end()
    }
}

#[derive(Debug)]
struct Scores<'a>(&'a [Score]);

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter().map(|score| (score.property.name(), ScoreJson::from(score.clone())));
        serializer.collect_map(entries)
    }
}

/// Judges the items of `input` and prints each as it is done.
fn stream(input: Box<dyn BufRead + Send>, jobs: usize, view: View, context: &Context) -> Result<Exit, Error> {
    let steps = Steps::start(input, jobs, move |item| view.show(&item).map_err(|error| error.to_string()))?;
    let (mut bad, mut is_first) = (Ok(0), true);
    let printed = view.print(context, |out| {
        bad = take_all(steps, context, |shown| match shown {
            Some(shown) => {
                if !std::mem::replace(&mut is_first, false) {
                    out.write_all(view.between().as_bytes())?;
                }
                out.write_all(&shown)
            }
            // Whoever reads along sees what is there while the next item is being judged.
            None => out.flush(),
        })?;
        Ok(())
    })?;
    Ok(stream::exit(bad?, printed, context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_items_scores_stand_in_report_order_without_those_that_need_settings() {
        let options = TerminalOptions::default();
        let view = View { format: TextOrJson::Json, options, today: jiff::civil::date(2026, 1, 1) };
        let item: Item = serde_json::from_str(r#"{"id": 7, "output": "これはtestだよ"}"#).unwrap();
        let line = String::from_utf8(view.show(&item).unwrap()).unwrap();
        assert!(line.starts_with(r#"{"id":7,"scores":{"japanese_only":{"pass":"#), "{line}");
        assert!(line.ends_with("}}\n") && !line.contains("\"contains\""), "{line}");
        let at = |name: &str| line.find(&format!("\"{name}\":{{\"pass\"")).unwrap();
        assert!(at("japanese_only") < at("article_only") && at("article_only") < at("refusal"));
    }
}
