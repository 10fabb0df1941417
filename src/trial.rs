//! The plan: which case goes through which prompt to which model, how often, in which order; and about what that takes.
//!
//! Promises a stable order (cases by id, prompts and models as the project names them) that no scheduling changes, and
//! that every prompt renders for every selected case before anything is sent.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::budget::Spending;
use crate::case::Case;
use crate::diagnostic::Diagnostic;
use crate::id::{CaseId, ModelId, PromptId};
use crate::model::Model;
use crate::prompt::{Prompt, Rendered, base16};
use crate::property::Requirements;
use crate::provider::{estimate_tokens, output_limit};
use crate::response::Usage;

/// Which trial: a case through a prompt to a model, asked for the `repeat`-th time (from 0).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrialId {
    /// The case.
    pub case: CaseId,
    /// The prompt.
    pub prompt: PromptId,
    /// The model.
    pub model: ModelId,
    /// Which of identical askings, from 0.
    pub repeat: u32,
}

impl fmt::Display for TrialId {
    /// `case · prompt@model`, with `#repeat` where it is not the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}@{}", self.case, self.prompt, self.model)?;
        if self.repeat > 0 { write!(f, " #{}", self.repeat) } else { Ok(()) }
    }
}

/// One trial of a plan; the parts are shared with its neighbours.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Which one.
    pub id: TrialId,
    /// The case.
    pub case: Arc<Case>,
    /// What is required of the answer.
    pub require: Arc<Requirements>,
    /// The model.
    pub model: Arc<Model>,
    /// The prompt as it is sent.
    pub prompt: Arc<Rendered>,
}

/// The characters of an answer, where a case says nothing of its length: a detailed news article in Japanese.
pub const TYPICAL_CHARS: u64 = 1_200;

impl Trial {
    /// What a server is expected to count, if it answers once: estimated from characters.
    pub fn expected(&self) -> Usage {
        let system = self.prompt.system.as_deref().map_or(0, estimate_tokens);
        let limit = output_limit(&self.model).unwrap_or(u64::MAX);
        Usage {
            input_tokens: Some(estimate_tokens(&self.prompt.user) + system),
            output_tokens: Some(expected_chars(&self.require).min(limit)),
            ..Usage::default()
        }
    }

    /// The most that one request is expected to take: an answer up to its limit, or, where it has none, as long as the
    /// longest of its model so far (in tokens), if that is longer than expected.
    pub fn most(&self, longest: u64) -> Spending {
        let expected = self.expected();
        let output = output_limit(&self.model).or_else(|| expected.output_tokens.map(|tokens| tokens.max(longest)));
        let usage = Usage { output_tokens: output, ..expected };
        Spending::of(&usage, self.model.price).unwrap_or_default().estimated()
    }
}

/// The characters of an answer that keeps to its length, about one token each.
fn expected_chars(require: &Requirements) -> u64 {
    let chars = TYPICAL_CHARS.max(require.min_chars.unwrap_or(0) as u64);
    require.max_chars.map_or(chars, |most| chars.min(most as u64))
}

/// Everything that a run will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The selected cases, by id.
    pub cases: Vec<Arc<Case>>,
    /// The selected prompts, in the order of reports.
    pub prompts: Vec<Arc<Prompt>>,
    /// The selected models, in the order of reports.
    pub models: Vec<Arc<Model>>,
    /// How often each question is asked.
    pub repeats: u32,
    /// The trials: by case, then prompt, then model, then repeat.
    pub trials: Vec<Trial>,
}

/// The most trials of a plan: more are no plan but a mistake, and would take all memory.
pub const MOST_TRIALS: usize = 1 << 21;

/// Combines what was selected into trials.
///
/// # Errors
/// Every prompt that does not render for a case.
pub fn plan(
    cases: Vec<Arc<Case>>,
    prompts: Vec<Prompt>,
    models: Vec<Model>,
    repeats: u32,
    require: &Requirements,
) -> Result<Plan, Vec<Diagnostic>> {
    let prompts: Vec<Arc<Prompt>> = prompts.into_iter().map(Arc::new).collect();
    let models: Vec<Arc<Model>> = models.into_iter().map(Arc::new).collect();
    let mut trials = Vec::with_capacity(cases.len() * prompts.len() * models.len() * repeats as usize);
    let mut problems = Vec::new();
    let mut layers = Layers { base: require, last: None };
    for case in &cases {
        let require = layers.under(&case.require);
        for prompt in &prompts {
            let rendered = match prompt.render(case) {
                Ok(rendered) => Arc::new(rendered),
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            for model in &models {
                for repeat in 0..repeats {
                    let id =
                        TrialId { case: case.id.clone(), prompt: prompt.id.clone(), model: model.id.clone(), repeat };
                    trials.push(Trial {
                        id,
                        case: Arc::clone(case),
                        require: Arc::clone(&require),
                        model: Arc::clone(model),
                        prompt: Arc::clone(&rendered),
                    });
                }
            }
        }
    }
    if problems.is_empty() { Ok(Plan { cases, prompts, models, repeats, trials }) } else { Err(problems) }
}

/// The project's requirements under those of one case after the other; neighbours that say the same share the result.
struct Layers<'a> {
    base: &'a Requirements,
    last: Option<(Arc<Requirements>, Arc<Requirements>)>,
}

impl Layers<'_> {
    fn under(&mut self, own: &Arc<Requirements>) -> Arc<Requirements> {
        if let Some((last, both)) = &self.last
            && last == own
        {
            return Arc::clone(both);
        }
        let both = Arc::new(own.over(self.base));
        self.last = Some((Arc::clone(own), Arc::clone(&both)));
        both
    }
}

impl Plan {
    /// Keeps the trials that `is_kept` says, and of cases, prompts and models those that still have one.
    pub fn retain(&mut self, is_kept: impl Fn(&TrialId) -> bool) {
        self.trials.retain(|trial| is_kept(&trial.id));
        let ids = || self.trials.iter().map(|trial| &trial.id);
        let cases: HashSet<&CaseId> = ids().map(|id| &id.case).collect();
        let prompts: HashSet<&PromptId> = ids().map(|id| &id.prompt).collect();
        let models: HashSet<&ModelId> = ids().map(|id| &id.model).collect();
        self.cases.retain(|case| cases.contains(&case.id));
        self.prompts.retain(|prompt| prompts.contains(&prompt.id));
        self.models.retain(|model| models.contains(&model.id));
    }

    /// Keeps the `index`-th (from 1) of `count` parts of about equal size.
    pub fn keep_shard(&mut self, index: usize, count: usize) {
        let mut position = 0;
        self.trials.retain(|_| {
            position += 1;
            (position - 1) % count == index - 1
        });
    }

    /// A digest of all that decides what a run asks and requires (SHA-256, hexadecimal).
    ///
    /// Two commands with the same digest have the same plan: the second continues the first.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let mut part = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        for trial in &self.trials {
            part(&trial.id.to_string());
            part(trial.prompt.system.as_deref().unwrap_or_default());
            part(&trial.prompt.user);
        }
        let mut previous: Option<&Trial> = None;
        let mut require = String::new();
        for trial in &self.trials {
            // Neighbours that say the same share what is required of them.
            if previous.is_none_or(|previous| !Arc::ptr_eq(&previous.require, &trial.require)) {
                require = format!("{:?}", trial.require);
            }
            // The trials of a case stand together.
            if previous.is_none_or(|previous| previous.case.id != trial.case.id) {
                part(&format!("{:?} {require}", trial.case.source));
            }
            previous = Some(trial);
        }
        for model in &self.models {
            part(&format!("{model:?}"));
        }
        base16(&digest.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_to_keep_to_its_length() {
        for (min_chars, max_chars, expected) in
            [(None, None, 1_200), (Some(2_000), None, 2_000), (None, Some(800), 800), (Some(400), Some(4_000), 1_200)]
        {
            let mut require = Requirements::default();
            (require.min_chars, require.max_chars) = (min_chars, max_chars);
            assert_eq!(expected_chars(&require), expected);
        }
    }
}
