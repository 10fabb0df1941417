//! `evalrun check`: everything about a project that can be wrong before a request is sent.
//!
//! Promises that mistakes and warnings are told apart: a mistake would keep a run from beginning, or a trial from having
//! an answer to judge; a warning is probably not what the author meant.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use super::args::CheckArgs;
use super::console::counted;
use super::context::Context;
use super::costs::check_prices;
use super::error::Error;
use super::exit::Exit;
use super::gate::misfit;
use super::load::{Loaded, entries};
use super::run::price_note;
use super::select::{check_recorded, models, prompts};
use crate::case::Case;
use crate::compare::{TooFew, sources};
use crate::diagnostic::closest;
use crate::engine::missing_key;
use crate::gate::out_of_reach;
use crate::id::is_portable;
use crate::model::{Model, Provider};
use crate::prompt::Prompt;
use crate::property::{Property, Requirements};
use crate::trial::{Plan, plan};

/// The most names that a warning lists.
const MOST_NAMES: usize = 5;

/// Runs the command.
///
/// # Errors
/// The project has a mistake.
pub(super) fn execute(_: &CheckArgs, context: &Context) -> Result<Exit, Error> {
    let loaded = Loaded::read(context.place()?, &context.console)?;
    let selected = (prompts(&loaded, &[])?, models(&loaded, &[])?);
    let repeats = loaded.project.run.repeats.unwrap_or(1);
    // Every prompt is rendered with every case, not only those that [run] selects.
    let all = plan(loaded.cases.clone(), loaded.prompts.clone(), loaded.models(), repeats, &loaded.project.require);
    let plan = all.map_err(Error::Project)?;
    check_recorded(&plan, &loaded.place)?;
    check_prices(&selected.1, &loaded.project.run.budget, &loaded.place)?;
    let mut check = Check { loaded: &loaded, context, warnings: Vec::new(), mistyped: Vec::new() };
    check.ids();
    check.template_names();
    check.requirements();
    check.gate(repeats);
    check.answers(&selected.0, &selected.1)?;
    check.models(&selected.1);
    let warnings = check.warnings;
    for warning in &warnings {
        context.console.warn(warning);
    }
    let (cases, prompts, models) = (plan.cases.len(), plan.prompts.len(), plan.models.len());
    let renderings = cases * prompts;
    context.console.print(|out| {
        writeln!(
            out,
            "checked {}, {} and {}; {} rendered: no mistakes, {}",
            counted(cases, "case"),
            counted(prompts, "prompt"),
            counted(models, "model"),
            counted(renderings, "prompt text"),
            counted(warnings.len(), "warning"),
        )
    })?;
    Ok(Exit::Fine)
}

/// Names that nothing knows, and that are nearly one of those that are known: cheap to find, and told by every run.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn mistyped(loaded: &Loaded, plan: &Plan, context: &Context) -> Result<Vec<String>, Error> {
    let mut check = Check { loaded, context, warnings: Vec::new(), mistyped: Vec::new() };
    check.template_names();
    if plan.models.iter().any(|model| model.provider == Provider::Recorded) {
        for case in &plan.cases {
            check.strange_answers(case)?;
        }
    }
    Ok(check.mistyped)
}

struct Check<'a> {
    loaded: &'a Loaded,
    context: &'a Context,
    warnings: Vec<String>,
    /// Of the warnings, those that know what was meant.
    mistyped: Vec<String>,
}

impl Check<'_> {
    fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Warns of a name that is none of `known`, with the one that was probably meant.
    fn unknown(&mut self, warning: &str, name: &str, known: &[&str]) {
        match closest(name, known) {
            Some(meant) => {
                let warning = format!("{warning}; did you mean `{meant}`?");
                self.mistyped.push(warning.clone());
                self.warn(warning);
            }
            None => self.warn(warning),
        }
    }

    /// An id names files: a project that goes to other systems must be able to have them there.
    fn ids(&mut self) {
        let cases = self.loaded.cases.iter().map(|case| ("case", case.id.as_str()));
        let prompts = self.loaded.prompts.iter().map(|prompt| ("prompt", prompt.id.as_str()));
        let models = self.loaded.project.models.iter().map(|model| ("model", model.id.as_str()));
        let odd = cases.chain(prompts).chain(models).filter(|(_, id)| !is_portable(id));
        self.warnings.extend(odd.map(|(what, id)| format!("the {what} id `{id}` cannot name a file on Windows")));
    }

    /// A name in a condition may be undefined; one that no case ever defines is probably mistyped.
    fn template_names(&mut self) {
        let vars: BTreeSet<&str> =
            self.loaded.cases.iter().flat_map(|case| case.vars.keys()).map(String::as_str).collect();
        let known: Vec<&str> = crate::case::TEMPLATE_NAMES.into_iter().chain(vars.iter().copied()).collect();
        for prompt in &self.loaded.prompts {
            for name in prompt.names().into_iter().filter(|name| !vars.contains(name.as_str())) {
                self.unknown(&format!("{}: no case defines `{name}`", prompt.file.name), &name, &known);
            }
        }
    }

    fn requirements(&mut self) {
        let today = self.context.environment.today();
        let mut without = Vec::new();
        let mut expired = BTreeSet::new();
        for case in &self.loaded.cases {
            let require = case.require.over(&self.loaded.project.require);
            if require.properties().next().is_none() {
                without.push(case.id.as_str());
            }
            expired.extend(expired_waivers(&require, today));
        }
        if !without.is_empty() {
            self.warn(format!("nothing is required of {}: every answer passes", listed(&without)));
        }
        self.warnings.extend(expired);
    }

    /// What the gate asks for that the project's cases could never show.
    fn gate(&mut self, repeats: u32) {
        let Some(gate) = &self.loaded.project.gate else { return };
        self.warnings.extend(misfit(gate, repeats));
        for rule in &gate.rules {
            let is_required = |case: &&Case| {
                let require = case.require.over(&self.loaded.project.require);
                rule.property.is_none_or(|property| require.requires(property))
            };
            let cases: Vec<&Case> = self.loaded.cases.iter().map(AsRef::as_ref).filter(is_required).collect();
            let sources = sources(cases.iter().map(|case| &case.source));
            let name = rule.property.map_or("all", Property::name);
            let [rate, drop] = out_of_reach(rule, cases.len(), sources, repeats);
            self.warnings.extend(rate.map(|few| match few {
                TooFew { cases, needed: Some(needed) } => format!(
                    "[gate] {name}: {} of different news can never prove such a `min_rate`, even if all pass; about \
                     {needed} could",
                    counted(cases, "case")
                ),
                TooFew { needed: None, .. } => format!(
                    "[gate] {name}: `on = \"low\"` with such a `min_rate` can never be met: no number of cases proves a \
                     rate so near to 100 % (take a lower one, or `on = \"estimate\"`)"
                ),
            }));
            self.warnings.extend(drop.map(|few| match few {
                TooFew { cases, needed: Some(needed) } => format!(
                    "[gate] {name}: {} of different news can never rule out such a `max_drop`, even if no verdict \
                     changes; about {needed} could (`max_broken` suits fewer)",
                    counted(cases, "case")
                ),
                TooFew { needed: None, .. } => format!(
                    "[gate] {name}: such a `max_drop` can never be met: no number of cases rules out a drop so near to \
                     nothing (take a larger one, or `max_broken = 0`)"
                ),
            }));
        }
    }

    fn answers(&mut self, prompts: &[Prompt], models: &[Model]) -> Result<(), Error> {
        let recorded: Vec<&Model> = models.iter().filter(|model| model.provider == Provider::Recorded).collect();
        let mut missing = Vec::new();
        for case in &self.loaded.cases {
            self.strange_answers(case)?;
            missing.extend(self.missing_answers(case, prompts, &recorded));
        }
        if !missing.is_empty() {
            let shown: Vec<&str> = missing.iter().map(String::as_str).collect();
            self.warn(format!("{} missing: {}", counted(missing.len(), "recorded answer"), listed(&shown)));
        }
        self.strange_folders()
    }

    /// The recorded answers that a bare `evalrun run` would ask for and not find.
    fn missing_answers(&self, case: &Case, prompts: &[Prompt], models: &[&Model]) -> Vec<String> {
        let repeats = self.loaded.project.run.repeats.unwrap_or(1);
        let mut missing = Vec::new();
        for (prompt, model) in prompts.iter().flat_map(|prompt| models.iter().map(move |model| (prompt, model))) {
            for repeat in 0..repeats {
                let stem = |number: &str| format!("cases/{}/answers/{}/{}{number}", case.id, prompt.id, model.id);
                let numbered = stem(&format!(".{repeat}"));
                let stems = if repeat == 0 { vec![stem(""), numbered] } else { vec![numbered] };
                let is_there = |stem: &String| {
                    ["md", "json"].iter().any(|end| self.loaded.place.root.join(format!("{stem}.{end}")).is_file())
                };
                if !stems.iter().any(is_there) {
                    missing.push(format!("{}.md", stems[0]));
                }
            }
        }
        missing
    }

    /// Answers that no prompt or model of the project asks for.
    fn strange_answers(&mut self, case: &Case) -> Result<(), Error> {
        let answers = self.loaded.place.root.join("cases").join(case.id.as_str()).join("answers");
        let recorded = self.loaded.project.models.iter().filter(|model| model.provider == Provider::Recorded);
        let recorded: Vec<&str> = recorded.map(|model| model.id.as_str()).collect();
        let known: Vec<&str> = self.loaded.prompts.iter().map(|prompt| prompt.id.as_str()).collect();
        for folder in entries(&answers)? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let shown = self.loaded.place.shown(&folder);
            if !known.contains(&name.as_str()) {
                self.unknown(&format!("{shown}: there is no prompt `{name}`"), &name, &known);
                continue;
            }
            for file in entries(&folder)? {
                if !belongs_to_model(&file, &recorded) {
                    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                    let shown = self.loaded.place.shown(&file);
                    let warning = format!("{shown}: no recorded model has this answer ({})", recorded.join(", "));
                    self.unknown(&warning, &name, &recorded);
                }
            }
        }
        Ok(())
    }

    /// Folders below cases/ that are no case and hold no answers of one.
    fn strange_folders(&mut self) -> Result<(), Error> {
        let ids: HashSet<&str> = self.loaded.cases.iter().map(|case| case.id.as_str()).collect();
        for path in entries(&self.loaded.place.root.join("cases"))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if fs::metadata(&path).is_ok_and(|about| about.is_dir()) && !ids.contains(name.as_str()) {
                let shown = self.loaded.place.shown(&path);
                self.warn(format!("{shown}: there is no case.toml in it, and no case `{name}` in another file"));
            }
        }
        Ok(())
    }

    fn models(&mut self, selected: &[Model]) {
        for model in &self.loaded.project.models {
            if let Some(note) = price_note(model, self.context) {
                self.warnings.push(format!("{}: {note}", model.id));
            }
        }
        for model in selected {
            if let Some(variable) = missing_key(model, &self.context.environment.variables) {
                self.warn(format!("{}: {variable} is not set, so it cannot be asked from here", model.id));
            }
        }
    }
}

fn expired_waivers(require: &Requirements, today: jiff::civil::Date) -> Vec<String> {
    let all =
        Property::ALL.into_iter().flat_map(|property| require.waivers(property).iter().map(move |w| (property, w)));
    let expired = all.filter(|(_, waiver)| waiver.until.is_some_and(|last| today > last));
    let told = expired.map(|(property, waiver)| {
        let until = waiver.until.map(|until| until.to_string()).unwrap_or_default();
        format!("{property}: the waiver of 「{}」 held until {until}", waiver.text)
    });
    told.collect()
}

/// Whether a file is `<model>.md`, `<model>.N.md`, or such a `.json`, of one of these models.
fn belongs_to_model(file: &Path, models: &[&str]) -> bool {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let has_form = file.extension().is_some_and(|end| end == "md" || end == "json");
    let is_of = |model: &&str| {
        let rest = stem.strip_prefix(*model);
        let is_repeat = |rest: &str| rest.strip_prefix('.').is_some_and(|number| number.parse::<u32>().is_ok());
        rest.is_some_and(|rest| rest.is_empty() || is_repeat(rest))
    };
    has_form && models.iter().any(is_of)
}

fn listed(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names[..names.len().min(MOST_NAMES)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_the_model_of_its_name() {
        for (file, expected) in [
            ("m.md", true),
            ("m.1.md", true),
            ("m.json", true),
            ("m.2.json", true),
            ("m.x.md", false),
            ("m.txt", false),
            ("n.md", false),
            ("mm.md", false),
        ] {
            assert_eq!(belongs_to_model(Path::new(file), &["m"]), expected, "{file}");
        }
    }
}
