//! The `[gate]` of evalrun.toml: what a run must reach for its exit code to be 0.
//!
//! Promises that a gate which checks nothing, and a rule which says nothing, are mistakes with their place.

use std::ops::Range;

use super::{Named, read_names};
use crate::document::{Node, Reader, Table, Value};
use crate::id::{ModelId, PromptId};
use crate::property::Property;

/// What a run must reach.
#[derive(Debug, Clone)]
pub struct GateSettings {
    /// The prompts whose variants must pass; none named: all of the run.
    pub prompts: Vec<Named<PromptId>>,
    /// The models whose variants must pass; none named: all of the run.
    pub models: Vec<Named<ModelId>>,
    /// How many repeats of a case must pass for the case to pass.
    pub case_passes: CasePasses,
    /// Whether a rule that cannot be decided holds the pipeline up (exit code 5).
    pub inconclusive_fails: bool,
    /// The share of trials that may lack an outcome without the run counting as incomplete.
    pub max_errored: Option<f64>,
    /// The most US dollars that a run may cost.
    pub max_cost: Option<f64>,
    /// The run that rules with `max_drop` or `max_broken` compare with, by name.
    pub baseline: Option<String>,
    /// What each property, or a trial as a whole, must reach.
    pub rules: Vec<Rule>,
}

/// The baseline's name, unless the gate says another.
pub const BASELINE: &str = "baseline";

impl GateSettings {
    /// Whether any rule needs a baseline.
    pub fn needs_baseline(&self) -> bool {
        self.rules.iter().any(|rule| rule.max_drop.is_some() || rule.max_broken.is_some())
    }
}

/// Of a case's repeats, how many must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CasePasses {
    /// Every one.
    #[default]
    All,
    /// More than half.
    Majority,
    /// One is enough.
    Any,
    /// So many, or all where there are fewer.
    AtLeast(u32),
}

impl CasePasses {
    /// How many of `repeats` must pass.
    pub fn needed(self, repeats: usize) -> usize {
        match self {
            Self::All => repeats,
            Self::Majority => repeats / 2 + 1,
            Self::Any => 1.min(repeats),
            Self::AtLeast(number) => repeats.min(number as usize),
        }
    }
}

/// What follows from a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// If it fails, the gate fails; if it cannot be decided, neither can the gate.
    #[default]
    Critical,
    /// If it fails, the gate fails; that it cannot be decided is only said.
    Supporting,
    /// It is only said.
    Advisory,
}

impl Tier {
    /// All tiers.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Supporting, Self::Advisory];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Supporting => "supporting",
            Self::Advisory => "advisory",
        }
    }
}

/// What is held against `min_rate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum On {
    /// The rate observed.
    #[default]
    Estimate,
    /// The lower end of its 95 % interval: the rate that the cases prove.
    Low,
}

/// What one property, or a trial as a whole, must reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The property; `None`: the trial as a whole (`all`).
    pub property: Option<Property>,
    /// What follows.
    pub tier: Tier,
    /// The least share of cases that pass.
    pub min_rate: Option<f64>,
    /// What is held against it.
    pub on: On,
    /// How much worse than the baseline it may be, as a share: proved, not observed.
    pub max_drop: Option<f64>,
    /// How many cases may fail that passed in the baseline.
    pub max_broken: Option<usize>,
    /// Where it stands in evalrun.toml.
    pub span: Range<usize>,
}

impl GateSettings {
    /// Reads the `[gate]` table.
    pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Option<Self> {
        let table = reader.table(node)?;
        let names = |key| table.get(key);
        let this = Self {
            prompts: names("prompts").map(|node| read_names(reader, node)).unwrap_or_default(),
            models: names("models").map(|node| read_names(reader, node)).unwrap_or_default(),
            case_passes: table.get("case_passes").and_then(|node| read_passes(reader, node)).unwrap_or_default(),
            inconclusive_fails: choice(&table, "inconclusive", &[("pass", false), ("fail", true)]).unwrap_or(false),
            max_errored: share(&table, "max_errored"),
            max_cost: at_least_0(&table, "max_cost"),
            baseline: table.string("baseline"),
            rules: std::iter::once(None)
                .chain(Property::ALL.into_iter().map(Some))
                .filter_map(|property| read_rule(&table, property))
                .collect(),
        };
        let checks = ["max_errored", "max_cost", "all"].into_iter().chain(Property::ALL.map(Property::name));
        let is_empty = checks.into_iter().all(|key| table.get(key).is_none());
        // A mistyped key is the mistake then, not that nothing is left without it.
        if table.finish() && is_empty {
            let head = node.span.start..node.span.start + 1;
            let nothing = reader.file.diagnose(head, "this gate checks nothing");
            reader.report(nothing.hint("add a rule such as `all = { min_rate = 0.9 }`, or take the table out"));
        }
        Some(this)
    }
}

fn read_passes(reader: &Reader<'_>, node: &Node) -> Option<CasePasses> {
    if let Value::Integer(number) = &node.value {
        let number = u32::try_from(*number).ok().filter(|number| *number > 0);
        if number.is_none() {
            reader.problem(&node.span, "`case_passes` must be at least 1");
        }
        return number.map(CasePasses::AtLeast);
    }
    let choices = [("all", CasePasses::All), ("majority", CasePasses::Majority), ("any", CasePasses::Any)];
    let found = match &node.value {
        Value::String(text) => choices.iter().find(|(name, _)| name == text).map(|(_, passes)| *passes),
        _ => None,
    };
    if found.is_none() {
        reader.problem(&node.span, "`case_passes` takes \"all\", \"majority\", \"any\" or a number of repeats");
    }
    found
}

fn read_rule(table: &Table<'_, '_>, property: Option<Property>) -> Option<Rule> {
    let key = property.map_or("all", Property::name);
    let node = table.get(key)?;
    let reader = table.reader;
    let mut rule = Rule {
        property,
        tier: Tier::default(),
        min_rate: None,
        on: On::default(),
        max_drop: None,
        max_broken: None,
        span: node.span.clone(),
    };
    // `all = 0.9` is short for the rule that says no more.
    if let Value::Integer(_) | Value::Float(_) = &node.value {
        rule.min_rate = in_share(reader, &node.span, key, reader.number(node)?);
        return Some(rule);
    }
    let settings = reader.table(node)?;
    rule.tier = choice(&settings, "tier", &Tier::ALL.map(|tier| (tier.name(), tier))).unwrap_or_default();
    rule.min_rate = share(&settings, "min_rate");
    rule.on = choice(&settings, "on", &[("estimate", On::Estimate), ("low", On::Low)]).unwrap_or_default();
    rule.max_drop = share(&settings, "max_drop");
    rule.max_broken = settings.integer("max_broken");
    if let Some(on) = settings.get("on").filter(|_| settings.get("min_rate").is_none()) {
        reader.problem(&on.span, "`on` says what is held against `min_rate`, and there is none");
    }
    let is_empty = ["min_rate", "max_drop", "max_broken"].into_iter().all(|key| settings.get(key).is_none());
    if settings.finish() && is_empty {
        let head = node.span.start..node.span.start + 1;
        let message = format!("this rule of `{key}` checks nothing: give it min_rate, max_drop or max_broken");
        reader.problem(&head, message);
    }
    Some(rule)
}

fn share(table: &Table<'_, '_>, key: &'static str) -> Option<f64> {
    let number = table.number(key)?;
    in_share(table.reader, &table.get(key)?.span, key, number)
}

fn in_share(reader: &Reader<'_>, span: &Range<usize>, key: &str, number: f64) -> Option<f64> {
    let share = (0.0..=1.0).contains(&number).then_some(number);
    if share.is_none() {
        reader.problem(span, format!("`{key}` is a share from 0 to 1, such as 0.95"));
    }
    share
}

fn at_least_0(table: &Table<'_, '_>, key: &'static str) -> Option<f64> {
    let number = table.number(key)?;
    if number < 0.0 {
        table.reader.problem(&table.get(key)?.span, format!("`{key}` cannot be below 0"));
    }
    Some(number)
}

fn choice<T: Copy>(table: &Table<'_, '_>, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
    let node = table.get(key)?;
    let text = table.reader.string(node)?;
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        let unknown = table.reader.file.diagnose(node.span.clone(), format!("unknown value `{text}` for `{key}`"));
        table.reader.report(unknown.did_you_mean(&text, choices.iter().map(|(name, _)| *name)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::diagnostic::TextFile;

    fn gate(text: &str) -> Result<Option<GateSettings>, Vec<String>> {
        let parsed = parse(&TextFile::new("evalrun.toml", text));
        parsed.map(|project| project.gate).map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_gate_is_read_with_its_rules() {
        let text = "[gate]\ncase_passes = 2\ninconclusive = \"fail\"\nmax_errored = 0.02\nmax_cost = 5\nall = 0.8\n\
            [gate.no_fabrication]\nmin_rate = 0.9\non = \"low\"\ntier = \"supporting\"\nmax_drop = 0.05\nmax_broken = 0\n";
        let gate = gate(text).unwrap().unwrap();
        assert_eq!((gate.case_passes, gate.inconclusive_fails), (CasePasses::AtLeast(2), true));
        assert_eq!((gate.max_errored, gate.max_cost, gate.needs_baseline()), (Some(0.02), Some(5.0), true));
        let [all, no_fabrication] = gate.rules.as_slice() else { panic!("{:?}", gate.rules) };
        assert_eq!((all.property, all.min_rate, all.tier), (None, Some(0.8), Tier::Critical));
        assert_eq!((no_fabrication.on, no_fabrication.tier), (On::Low, Tier::Supporting));
        assert_eq!((no_fabrication.max_drop, no_fabrication.max_broken), (Some(0.05), Some(0)));
    }

    #[test]
    fn a_mistyped_key_is_the_only_mistake() {
        for (text, expected) in [
            ("[gate]\nal = 0.9\n", "evalrun.toml:2:1: unknown key `al` (did you mean `all`?)"),
            ("[gate]\nall = { min_rat = 0.9 }\n", "evalrun.toml:2:9: unknown key `min_rat` (did you mean `min_rate`?)"),
        ] {
            assert_eq!(gate(text).unwrap_err(), [expected]);
        }
    }

    #[test]
    fn on_without_a_rate_is_a_mistake() {
        let found = gate("[gate]\nall = { max_broken = 0, on = \"low\" }\n").unwrap_err();
        assert_eq!(found, ["evalrun.toml:2:30: `on` says what is held against `min_rate`, and there is none"]);
    }

    #[test]
    fn no_gate_is_none_and_an_empty_one_is_a_mistake() {
        assert!(gate("[run]\n").unwrap().is_none());
        for (text, expected) in [
            ("[gate]\n", "evalrun.toml:1:1: this gate checks nothing (add a rule"),
            ("[gate]\ninconclusive = \"fail\"\n", "evalrun.toml:1:1: this gate checks nothing"),
            ("[gate]\nall = { tier = \"critical\" }\n", "evalrun.toml:2:7: this rule of `all` checks nothing"),
            ("[gate]\nall = 95\n", "evalrun.toml:2:7: `all` is a share from 0 to 1"),
            ("[gate]\nall = 1\ncase_passes = 0\n", "evalrun.toml:3:15: `case_passes` must be at least 1"),
            ("[gate]\nall = { min_rate = 1, on = \"hihg\" }\n", "evalrun.toml:2:28: unknown value `hihg` for `on`"),
            ("[gate]\nall = 1\nmodels = [\"x\"]\n", "evalrun.toml:3:11: there is no model `x`"),
        ] {
            let problems = gate(text).unwrap_err();
            assert!(problems.iter().any(|problem| problem.starts_with(expected)), "{text}: {problems:?}");
        }
    }

    #[test]
    fn so_many_repeats_must_pass() {
        for (passes, needed) in [
            (CasePasses::All, [1, 3, 5]),
            (CasePasses::Majority, [1, 2, 3]),
            (CasePasses::Any, [1, 1, 1]),
            (CasePasses::AtLeast(2), [1, 2, 2]),
        ] {
            assert_eq!([1, 3, 5].map(|repeats| passes.needed(repeats)), needed, "{passes:?}");
        }
    }
}
