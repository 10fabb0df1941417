//! What takes part in a run: flags over evalrun.toml over all there is.
//!
//! Promises that a filter which selects nothing is an error that names it and what there is.

use std::collections::HashSet;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use super::args::SelectionArgs;
use super::error::Error;
use super::load::{Loaded, Place};
use super::runs::Archive;
use crate::case::Case;
use crate::diagnostic::Diagnostic;
use crate::engine::recorded_mistakes;
use crate::model::{Model, Provider};
use crate::outcome::Status;
use crate::prompt::Prompt;
use crate::trial::{MOST_TRIALS, Plan, TrialId, plan};

/// The plan of what is selected.
///
/// # Errors
/// A filter that selects nothing, a prompt that does not render for a selected case.
pub(super) fn select(loaded: &Loaded, selection: &SelectionArgs, archive: Archive<'_>) -> Result<Plan, Error> {
    let cases = cases(loaded, selection)?;
    let prompts = prompts(loaded, &selection.prompt)?;
    let models = models(loaded, &selection.model)?;
    let repeats = selection.repeats.or(loaded.project.run.repeats).unwrap_or(1);
    must_fit(cases.len() * prompts.len() * models.len(), repeats)?;
    let mut plan = plan(cases, prompts, models, repeats, &loaded.project.require).map_err(Error::Project)?;
    if let Some(run) = &selection.failed_of {
        let failed = failed_of(run, archive)?;
        plan.retain(|trial| failed.contains(trial));
        if plan.trials.is_empty() {
            let message = format!("--failed-of {run} selects nothing: no trial of this plan failed or errored there");
            return Err(Error::usage(message));
        }
    }
    if let Some(shard) = selection.shard {
        let all = plan.trials.len();
        plan.keep_shard(shard.index, shard.count);
        if plan.trials.is_empty() {
            let message = format!("--shard {}/{} selects nothing", shard.index, shard.count);
            return Err(Error::usage(message).hint(format!("the whole plan has {all} trials")));
        }
    }
    Ok(plan)
}

fn must_fit(questions: usize, repeats: u32) -> Result<(), Error> {
    let trials = questions.saturating_mul(repeats as usize);
    if trials > MOST_TRIALS {
        let message = format!("this plan has {trials} trials, and a run has at most {MOST_TRIALS}");
        return Err(Error::usage(message).hint("ask less often (--repeats), or select less"));
    }
    Ok(())
}

fn cases(loaded: &Loaded, selection: &SelectionArgs) -> Result<Vec<Arc<Case>>, Error> {
    let ids = loaded.cases.iter().map(|case| case.id.as_str());
    let by_id = Filter::new("case", &selection.case, ids)?;
    let mut tags: Vec<&str> = loaded.cases.iter().flat_map(|case| &case.tags).map(String::as_str).collect();
    tags.sort_unstable();
    tags.dedup();
    let by_tag = Filter::new("tag", &selection.tag, tags)?;
    let is_selected = |case: &&Arc<Case>| {
        by_id.matches(case.id.as_str()) && (by_tag.is_open() || case.tags.iter().any(|tag| by_tag.matches(tag)))
    };
    let cases: Vec<Arc<Case>> = loaded.cases.iter().filter(is_selected).cloned().collect();
    if cases.is_empty() {
        let flags = flags("case", &selection.case).chain(flags("tag", &selection.tag));
        let flags: Vec<String> = flags.collect();
        return Err(Error::usage(format!("no case has it all: {}", flags.join(" "))));
    }
    Ok(cases)
}

fn flags<'a>(flag: &'a str, globs: &'a [String]) -> impl Iterator<Item = String> + 'a {
    globs.iter().map(move |glob| format!("--{flag} {glob}"))
}

/// Looks into the recorded answers that a plan will ask for.
///
/// # Errors
/// Every mistake in their files.
pub(super) fn check_recorded(plan: &Plan, place: &Place) -> Result<(), Error> {
    let recorded = plan.trials.iter().filter(|trial| trial.model.provider == Provider::Recorded);
    let mistakes: Vec<Diagnostic> = recorded.flat_map(|trial| recorded_mistakes(&place.root, &trial.id)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(Error::Project(mistakes)) }
}

/// The prompts that `globs` name; without any, those of [run], or all.
///
/// # Errors
/// A glob that names none.
pub(super) fn prompts(loaded: &Loaded, globs: &[String]) -> Result<Vec<Prompt>, Error> {
    let filter = Filter::new("prompt", globs, loaded.prompts.iter().map(|prompt| prompt.id.as_str()))?;
    let named = &loaded.project.run.prompts;
    let is_default = |prompt: &Prompt| named.is_empty() || named.iter().any(|named| named.id == prompt.id);
    let is_selected = |prompt: &&Prompt| filter.selects(prompt.id.as_str(), is_default(prompt));
    Ok(loaded.prompts.iter().filter(is_selected).cloned().collect())
}

/// The models that `globs` name; without any, those of [run], or all.
///
/// # Errors
/// A glob that names none, or there are no models at all.
pub(super) fn models(loaded: &Loaded, globs: &[String]) -> Result<Vec<Model>, Error> {
    let models = loaded.models();
    if models.is_empty() {
        let message = format!("there is no [[model]] in {}", loaded.place.shown(&loaded.place.config));
        return Err(Error::usage(message).hint("add one: id = \"…\", provider = \"gemini\""));
    }
    let filter = Filter::new("model", globs, models.iter().map(|model| model.id.as_str()))?;
    let named = &loaded.project.run.models;
    let is_default = |model: &Model| named.is_empty() || named.iter().any(|named| named.id == model.id);
    Ok(models.iter().filter(|model| filter.selects(model.id.as_str(), is_default(model))).cloned().collect())
}

fn failed_of(run: &str, archive: Archive<'_>) -> Result<HashSet<TrialId>, Error> {
    let entries = archive.open(run)?.reader.run.entries;
    let failed = entries.into_iter().filter(|entry| matches!(entry.status, Status::Failed | Status::Errored));
    Ok(failed.map(|entry| entry.trial).collect())
}

/// The globs of one flag.
#[derive(Debug)]
pub(super) struct Filter(Vec<GlobMatcher>);

impl Filter {
    /// The globs of `--flag`, each of which must match one of `known`.
    ///
    /// # Errors
    /// A glob that is none, or matches nothing.
    pub(super) fn new<'a>(
        flag: &str,
        globs: &[String],
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<Self, Error> {
        Self::called(&format!("--{flag}"), flag, globs, known)
    }

    /// The glob of an argument, which must match one of `known`, each a `noun`.
    ///
    /// # Errors
    /// It is none, or matches nothing.
    pub(super) fn argument<'a>(
        noun: &str,
        glob: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<Self, Error> {
        Self::called(noun, noun, &[glob.to_owned()], known)
    }

    fn called<'a>(
        name: &str,
        noun: &str,
        globs: &[String],
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Result<Self, Error> {
        let mut matchers = Vec::new();
        for text in globs {
            // Ids are compared without regard to case.
            let glob = GlobBuilder::new(text).case_insensitive(true).build();
            let glob = glob.map_err(|error| Error::usage(format!("{name} {text}: {}", error.kind())))?;
            let matcher = glob.compile_matcher();
            if !known.clone().into_iter().any(|name| matcher.is_match(name)) {
                let nothing = Error::usage(format!("{name} {text} selects nothing"));
                return Err(nothing.did_you_mean(text, &format!("{noun}s"), known));
            }
            matchers.push(matcher);
        }
        Ok(Self(matchers))
    }

    /// Whether there are no globs.
    pub(super) const fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a glob matches, or there is none.
    pub(super) fn matches(&self, name: &str) -> bool {
        self.selects(name, true)
    }

    /// Whether a glob matches; without any, whether it is one of the defaults.
    fn selects(&self, name: &str, is_default: bool) -> bool {
        if self.is_open() { is_default } else { self.0.iter().any(|glob| glob.is_match(name)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_ids_without_regard_to_case() {
        let globs = ["jetro-*".to_owned(), "B".to_owned()];
        let filter = Filter::new("case", &globs, ["JETRO-quantum", "b", "c"]).unwrap();
        assert!(filter.matches("JETRO-quantum") && filter.matches("b") && !filter.matches("c"));
    }

    #[test]
    fn a_glob_that_matches_nothing_is_named_with_what_there_is() {
        let select = |glob: &str| Filter::new("model", &[glob.to_owned()], ["gemini-flash", "sample"]).unwrap_err();
        for (glob, expected) in [
            ("gemini-flahs", "error: --model gemini-flahs selects nothing\nhint: did you mean `gemini-flash`?"),
            ("*x", "error: --model *x selects nothing\nhint: models: gemini-flash, sample"),
            ("[", "error: --model [: unclosed character class; missing ']'"),
        ] {
            assert_eq!(select(glob).render(&annotate_snippets::Renderer::plain()), expected);
        }
    }
}
