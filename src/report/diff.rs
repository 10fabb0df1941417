//! Diffs: the answers of two variants case by case, what changed in their verdicts and in their words.
//!
//! Promises an order by how much a change matters (broken first), and one pair's texts in memory at a time.

mod align;
mod fold;
mod html;
mod markdown;
mod marks;
mod pair;
mod split;
mod text;
mod within;

use std::fmt;

use crate::id::{ModelId, PromptId};
use crate::outcome::{Entry, Outcomes, Run};
use crate::report::lang::Lang;

pub use align::{Alignment, Change, Gap, Passage, Row, align};
pub use html::write_html;
pub use markdown::write_markdown;
pub use pair::Kind;
pub use split::{Split, Splitters, morphemes, sentences};
pub use text::write_text;
pub use within::Piece;

pub(crate) use html::{write_page, write_text as write_html_rows};
pub(crate) use markdown::{write_by_matter, write_rows as write_markdown_rows};
pub(crate) use marks::Text;
pub(crate) use text::lines;

/// How diffs are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiffOptions<'a> {
    /// How texts are cut.
    pub splitters: Splitters<'a>,
    /// The language of the report's own words.
    pub lang: Lang,
}

/// One column of a run's matrix, with where its texts come from.
#[derive(Clone)]
pub struct Side<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its texts.
    pub outcomes: &'a dyn Outcomes,
    /// The prompt.
    pub prompt: &'a PromptId,
    /// The model.
    pub model: &'a ModelId,
    /// The run's name, where the two sides are of different runs.
    pub run_name: Option<String>,
}

impl fmt::Debug for Side<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Side").field(&self.name()).finish()
    }
}

impl Side<'_> {
    /// `prompt@model`, or `run::prompt@model`.
    pub fn name(&self) -> String {
        match &self.run_name {
            Some(run) => format!("{run}::{}@{}", self.prompt, self.model),
            None => format!("{}@{}", self.prompt, self.model),
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let is_of = |entry: &&Entry| entry.trial.prompt == *self.prompt && entry.trial.model == *self.model;
        self.run.entries.iter().filter(is_of)
    }
}

/// Two prompts whose texts differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompts {
    /// Which: `base → candidate`.
    pub title: String,
    /// The base's file.
    pub base: String,
    /// The candidate's.
    pub candidate: String,
}

/// Two variants whose answers are compared.
#[derive(Debug, Clone)]
pub struct Diff<'a> {
    /// What the candidate is compared with.
    pub base: Side<'a>,
    /// What is compared.
    pub candidate: Side<'a>,
}

/// The diffs of a run: each further prompt against the first, per model.
pub fn against_first_prompt<'a>(run: &'a Run, outcomes: &'a dyn Outcomes) -> Vec<Diff<'a>> {
    let side = |prompt, model| Side { run, outcomes, prompt, model, run_name: None };
    let Some((first, others)) = run.header.prompts.split_first() else { return Vec::new() };
    let pairs = others.iter().flat_map(|prompt| run.header.models.iter().map(move |model| (&prompt.id, &model.id)));
    pairs.map(|(prompt, model)| Diff { base: side(&first.id, model), candidate: side(prompt, model) }).collect()
}
