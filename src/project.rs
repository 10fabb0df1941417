//! A project: evalrun.toml in types.
//!
//! Promises that unknown keys and contradictions are errors with their place. Leaves finding and reading the file, and
//! the flags that override it, to `cli`.

mod gate;

use std::ops::Range;

use crate::budget::{Bound, Budget};
use crate::diagnostic::{Diagnostic, TextFile};
use crate::document::{Node, Reader, Table, Value, parse_toml};
use crate::id::{ModelId, PromptId};
use crate::lang::Lang;
use crate::model::Model;
use crate::property::Requirements;
use crate::provider::unsupported;

pub use gate::{BASELINE, CasePasses, GateSettings, On, Rule, Tier};

/// What evalrun.toml says.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// What a bare `evalrun run` does.
    pub run: RunSettings,
    /// Requirements of every case, unless it overrides them.
    pub require: Requirements,
    /// The models, in the file's order.
    pub models: Vec<Model>,
    /// What a run must reach; `None` without a `[gate]`.
    pub gate: Option<GateSettings>,
}

/// The `[run]` table.
#[derive(Debug, Clone, Default)]
pub struct RunSettings {
    /// The prompts to send, in the order of reports; none named: all.
    pub prompts: Vec<Named<PromptId>>,
    /// The models to ask, in the order of reports; none named: all.
    pub models: Vec<Named<ModelId>>,
    /// How often each question is asked; none named: once.
    pub repeats: Option<u32>,
    /// How many requests may be under way at once, to begin with.
    pub concurrency: Option<u32>,
    /// The most that a run may spend.
    pub budget: Budget,
    /// The language of reports and of what is said beside them; none named: English.
    pub lang: Option<Lang>,
}

/// An id with its place in the file, so that one which names nothing can be shown.
#[derive(Debug, Clone)]
pub struct Named<T> {
    /// The id.
    pub id: T,
    /// Its place.
    pub span: Range<usize>,
}

/// Parses evalrun.toml.
///
/// # Errors
/// Every mistake of the file.
pub fn parse(file: &TextFile) -> Result<Project, Vec<Diagnostic>> {
    let node = parse_toml(file, 0..file.text.len())?;
    let reader = Reader::new(file);
    let project = read_project(&reader, &node).unwrap_or_default();
    reader.finish(project)
}

fn read_project(reader: &Reader<'_>, node: &Node) -> Option<Project> {
    let table = reader.table(node)?;
    let run = table.get("run").and_then(|node| read_run(reader, node)).unwrap_or_default();
    let require = table.get("require").map(|node| Requirements::read(reader, node)).unwrap_or_default();
    let gate = table.get("gate").and_then(|node| GateSettings::read(reader, node));
    let model_nodes = table.get("model").and_then(|node| reader.list(node)).unwrap_or_default();
    let read: Vec<(&Node, Model)> =
        model_nodes.iter().filter_map(|node| Some((node, Model::read(reader, node)?))).collect();
    table.finish();
    for (n, (node, model)) in read.iter().enumerate() {
        if read[..n].iter().any(|(_, earlier)| earlier.id.folded() == model.id.folded()) {
            let place = place_of(node, "id").unwrap_or(&node.span);
            reader.problem(place, format!("the model id `{}` is used twice", model.id));
        }
        check_params(reader, node, model);
    }
    let models: Vec<Model> = read.into_iter().map(|(_, model)| model).collect();
    for named in run.models.iter().chain(gate.iter().flat_map(|gate| &gate.models)) {
        if !models.iter().any(|model| model.id == named.id) {
            let unknown = reader.file.diagnose(named.span.clone(), format!("there is no model `{}`", named.id));
            reader.report(unknown.did_you_mean(named.id.as_str(), models.iter().map(|model| model.id.as_str())));
        }
    }
    Some(Project { run, require, models, gate })
}

/// A parameter that the model's provider has no field for would be left out in silence.
fn check_params(reader: &Reader<'_>, node: &Node, model: &Model) {
    for name in unsupported(model) {
        let place = place_of(node, &format!("params.{name}")).unwrap_or(&node.span);
        let message = format!("`{name}` cannot be sent to `{}` (provider {})", model.id, model.provider);
        reader.report(reader.file.diagnose(place.clone(), message).hint("leave it out"));
    }
}

/// The place of the key at `path` (keys parted by points) below `node`.
fn place_of<'a>(node: &'a Node, path: &str) -> Option<&'a Range<usize>> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let Value::Table(entries) = &node.value else { return None };
    let entry = entries.iter().find(|entry| entry.key == key)?;
    rest.map_or(Some(&entry.key_span), |rest| place_of(&entry.node, rest))
}

fn read_run(reader: &Reader<'_>, node: &Node) -> Option<RunSettings> {
    let table = reader.table(node)?;
    let positive = |key| {
        let node = table.get(key)?;
        let number: u32 = reader.integer(node)?;
        if number == 0 {
            reader.problem(&node.span, format!("`{key}` must be at least 1"));
        }
        Some(number)
    };
    let run = RunSettings {
        prompts: table.get("prompts").map(|node| read_names(reader, node)).unwrap_or_default(),
        models: table.get("models").map(|node| read_names(reader, node)).unwrap_or_default(),
        repeats: positive("repeats"),
        concurrency: positive("concurrency"),
        budget: read_budget(reader, &table),
        lang: table.get("lang").and_then(|node| read_lang(reader, node)),
    };
    table.finish();
    Some(run)
}

fn read_lang(reader: &Reader<'_>, node: &Node) -> Option<Lang> {
    let name = reader.string(node)?;
    let lang = Lang::named(&name);
    if lang.is_none() {
        let unknown = reader.file.diagnose(node.span.clone(), format!("`lang` takes \"en\" or \"ja\", not `{name}`"));
        reader.report(unknown);
    }
    lang
}

fn read_budget(reader: &Reader<'_>, table: &Table<'_, '_>) -> Budget {
    let max_cost = table.get(Bound::Cost.key()).and_then(|node| {
        let dollars = reader.number(node)?;
        if dollars < 0.0 {
            reader.problem(&node.span, format!("`{}` is not negative", Bound::Cost.key()));
        }
        // A zero with a minus would be printed with it.
        Some(dollars + 0.0)
    });
    Budget {
        max_cost,
        max_requests: table.integer(Bound::Requests.key()),
        max_tokens: table.integer(Bound::Tokens.key()),
    }
}

fn read_names<T>(reader: &Reader<'_>, node: &Node) -> Vec<Named<T>>
where
    T: std::str::FromStr + PartialEq,
    T::Err: std::fmt::Display,
{
    let mut names: Vec<Named<T>> = Vec::new();
    for node in reader.list(node).unwrap_or_default() {
        let Some(text) = reader.string(node) else { continue };
        match text.parse::<T>() {
            Ok(id) if names.iter().any(|named| named.id == id) => {
                reader.problem(&node.span, format!("`{text}` is named twice"));
            }
            Ok(id) => names.push(Named { id, span: node.span.clone() }),
            Err(error) => reader.problem(&node.span, error.to_string()),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::Property;

    const GOOD: &str = r#"
[run]
prompts = ["news-article"]
models = ["sample"]
[require]
japanese_only = true
covers = ["purpose"]
no_fabrication = { hedged = "pass", kinds = ["number", "date"] }
[[model]]
id = "sample"
provider = "recorded"
"#;

    #[test]
    fn a_project_is_read_with_its_requirements() {
        let project = parse(&TextFile::new("evalrun.toml", GOOD)).unwrap();
        assert!(project.require.requires(Property::CoversPurpose));
        assert!(!project.require.requires(Property::CoversActivities));
        assert_eq!(project.require.kinds.as_ref().unwrap().len(), 2);
        assert_eq!(project.run.prompts[0].id.as_str(), "news-article");
    }

    #[test]
    fn a_parameter_that_cannot_be_sent_is_shown_where_it_stands() {
        let text = format!(
            "[[model]]\nid = \"broken\"\n{GOOD}params = {{ temperature = 1, extra = {{ stream = true }} }}\n\
             [[model]]\nid = \"Sample\"\nprovider = \"anthropic\"\n[model.params]\nseed = 1\nextra = {{ stream = true }}\n"
        );
        let problems = parse(&TextFile::new("evalrun.toml", text)).unwrap_err();
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "evalrun.toml:1:1: the key `provider` is missing",
                "evalrun.toml:14:12: `temperature` cannot be sent to `sample` (provider recorded) (leave it out)",
                "evalrun.toml:14:29: `extra` cannot be sent to `sample` (provider recorded) (leave it out)",
                "evalrun.toml:16:1: the model id `Sample` is used twice",
                "evalrun.toml:19:1: `seed` cannot be sent to `Sample` (provider anthropic) (leave it out)",
                "evalrun.toml:20:11: `extra.stream` cannot be sent to `Sample` (provider anthropic) (leave it out)",
            ]
        );
    }

    #[test]
    fn every_mistake_is_found_with_its_place() {
        let text = GOOD
            .replace("prompts =", "promts =")
            .replace("\"sample\"]", "\"sampel\"]")
            .replace("\"number\"", "\"nummer\"")
            .replace("covers = [\"purpose\"]", "covers = [\"purposes\"]\njapanes_only = true\nlength = { allow = [] }");
        let problems: Vec<String> =
            parse(&TextFile::new("evalrun.toml", text)).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "evalrun.toml:3:1: unknown key `promts` (did you mean `prompts`?)",
                "evalrun.toml:4:11: there is no model `sampel` (did you mean `sample`?)",
                "evalrun.toml:7:11: unknown topic `purposes` (did you mean `purpose`?)",
                "evalrun.toml:8:1: unknown key `japanes_only` (did you mean `japanese_only`?)",
                "evalrun.toml:9:12: unknown key `allow` (known here: `min_chars`, `max_chars`)",
                "evalrun.toml:10:46: unknown kind of specific `nummer` (did you mean `number`?)",
            ]
        );
    }
}
