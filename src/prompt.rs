//! A prompt: a template file with optional front matter, and its rendering with a case's values.
//!
//! Promises that values are data (nothing inside a case is evaluated), that an undefined name is an error with its
//! place, and that templates see neither files nor the environment.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

use crate::case::{Case, TEMPLATE_NAMES};
use crate::diagnostic::{Diagnostic, TextFile};
use crate::document::{Reader, parse_toml};
use crate::id::PromptId;

/// A template file.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The file's name without `.md`.
    pub id: PromptId,
    /// What the front matter says of it.
    pub description: Option<String>,
    /// The whole file, for the journal and for diffs.
    pub file: TextFile,
    system: Option<Template>,
    user: Template,
    /// Both templates, compiled once for all cases.
    compiled: Arc<Environment<'static>>,
}

/// A template's source and where it begins in its file (front matter stands before it).
#[derive(Debug, Clone)]
struct Template {
    text: Arc<str>,
    offset: usize,
}

impl Template {
    /// By which it is known among those of its file: where it begins.
    fn name(&self) -> String {
        self.offset.to_string()
    }
}

/// A prompt as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rendered {
    /// The system text, if the prompt has one.
    pub system: Option<String>,
    /// The user's turn.
    pub user: String,
}

impl Prompt {
    /// Parses a prompt file: a template, before it optionally TOML between two `+++` lines (`system`, `description`).
    ///
    /// # Errors
    /// Front matter that is no TOML or has unknown keys; templates with syntax errors.
    pub fn parse(id: PromptId, file: TextFile) -> Result<Self, Vec<Diagnostic>> {
        let (front_matter, body) = split_front_matter(&file).map_err(|problem| vec![problem])?;
        let (system, description) = match front_matter {
            Some(range) => read_front_matter(&file, range)?,
            None => (None, None),
        };
        let user = Template { text: file.text[body.clone()].into(), offset: body.start };
        let mut compiled = environment();
        let this = Self { id, description, file, system, user, compiled: Arc::default() };
        let templates = this.system.iter().chain([&this.user]);
        let compile = |template: &Template| {
            let error = compiled.add_template_owned(template.name(), template.text.to_string()).err()?;
            Some(this.problem(template, &error))
        };
        let problems: Vec<Diagnostic> = templates.filter_map(compile).collect();
        if problems.is_empty() && this.user.text.trim().is_empty() {
            let empty = Diagnostic::without_place(&this.file.name, "the prompt is empty");
            return Err(vec![empty.hint("write what the model is asked")]);
        }
        if problems.is_empty() { Ok(Self { compiled: compiled.into(), ..this }) } else { Err(problems) }
    }

    /// The prompt with a case's values.
    ///
    /// # Errors
    /// An undefined name, or a filter that does not fit its value, with its place in the prompt's file.
    pub fn render(&self, case: &Case) -> Result<Rendered, Diagnostic> {
        let system = self.system.as_ref().map(|template| self.render_template(template, case)).transpose()?;
        Ok(Rendered { system, user: self.render_template(&self.user, case)? })
    }

    /// The names that the templates use and that neither the source nor the template itself defines.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .compiled
            .templates()
            .flat_map(|(_, template)| template.undeclared_variables(false))
            .filter(|name| {
                !TEMPLATE_NAMES.contains(&name.as_str()) && self.compiled.globals().all(|(known, _)| known != name)
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A digest of the file's text (SHA-256, hexadecimal).
    pub fn digest(&self) -> String {
        base16(&Sha256::digest(self.file.text.as_bytes()))
    }

    fn render_template(&self, template: &Template, case: &Case) -> Result<String, Diagnostic> {
        let rendered = self.compiled.get_template(&template.name()).and_then(|ready| ready.render(values(case)));
        rendered.map_err(|error| {
            let problem = self.problem(template, &error);
            if error.kind() != minijinja::ErrorKind::UndefinedError {
                return problem;
            }
            let place = problem.place.as_ref().expect("a template's problems have places");
            let name = place.excerpt[place.marked.clone()].to_owned();
            let known = TEMPLATE_NAMES.into_iter().filter(|name| *name != "body" || case.source.body.is_some());
            let known: Vec<&str> = known.chain(case.vars.keys().map(String::as_str)).collect();
            let message = format!("`{name}` is undefined for the case `{}`", case.id);
            Diagnostic { message, ..problem.did_you_mean(&name, known) }
        })
    }

    fn problem(&self, template: &Template, error: &minijinja::Error) -> Diagnostic {
        let line_start = |line: usize| template.text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
        let range = error.range().unwrap_or_else(|| {
            let start = error.line().map_or(0, line_start);
            start..start
        });
        let message = match error.detail() {
            _ if error.kind() == minijinja::ErrorKind::OutOfFuel => {
                format!("this template takes more than {MOST_STEPS} steps")
            }
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        self.file.diagnose(template.offset + range.start..template.offset + range.end, message)
    }
}

/// What a template may name: the source's values and the case's own. What the case leaves out is undefined, so that
/// `{% if body %}` works and `{{ body }}` without a body is an error.
fn values(case: &Case) -> Value {
    let source = &case.source;
    let published_at = source.published_at.map(|at| ("published_at", Value::from(at.to_string())));
    let body = source.body.as_ref().map(|body| ("body", Value::from(body.as_str())));
    let always = [
        ("publisher", Value::from(source.publisher.as_str())),
        ("title", Value::from(source.title.as_str())),
        ("facts", Value::from(source.facts.clone())),
    ];
    let own = case.vars.iter().map(|(name, value)| (name.as_str(), Value::from(Serde(value))));
    Value::from_pairs(always.into_iter().chain(published_at).chain(body).chain(own))
}

/// The most steps of a template: a loop over a thousand facts takes some tens of thousands.
const MOST_STEPS: u64 = 2_000_000;

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_debug(true);
    environment.set_fuel(Some(MOST_STEPS));
    environment
}

/// The front matter's and the template's ranges.
fn split_front_matter(file: &TextFile) -> Result<(Option<Range<usize>>, Range<usize>), Diagnostic> {
    let whole = 0..file.text.len();
    let is_fence = |line: &str| line.trim_end() == "+++";
    let mut lines = file.text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else { return Ok((None, whole)) };
    let mut at = first.len();
    for line in lines {
        if is_fence(line) {
            return Ok((Some(first.len()..at), at + line.len()..whole.end));
        }
        at += line.len();
    }
    Err(file.diagnose(0..first.trim_end().len(), "the front matter has no end").hint("close it with a line `+++`"))
}

type FrontMatter = (Option<Template>, Option<String>);

fn read_front_matter(file: &TextFile, range: Range<usize>) -> Result<FrontMatter, Vec<Diagnostic>> {
    let node = parse_toml(file, range)?;
    let reader = Reader::new(file);
    let Some(table) = reader.table(&node) else { return reader.finish((None, None)) };
    let system = table.get("system").and_then(|node| {
        let text = reader.string(node)?;
        // The text's place is exact where TOML needs no escapes, which is where its mistakes can be shown.
        let offset = file.text[node.span.clone()].find(&text).map_or(node.span.start, |n| node.span.start + n);
        Some(Template { text: text.into(), offset })
    });
    let description = table.string("description");
    table.finish();
    reader.finish((system, description))
}

/// Bytes in hexadecimal.
pub(crate) fn base16(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(body: Option<&str>) -> Case {
        let line = serde_json::json!({"id": "q", "vars": {"tone": "{{ title }}", "mood": null}, "source": {
            "published_at": "2025-06-30T07:00:00+09:00", "publisher": "日本貿易振興機構", "title": "「量子」<派遣>", "body": body,
            "facts": ["一", "二"]}});
        crate::case::parse_jsonl(&TextFile::new("a.jsonl", line.to_string())).unwrap().remove(0)
    }

    fn prompt(text: &str) -> Result<Prompt, Vec<Diagnostic>> {
        Prompt::parse("p".parse().unwrap(), TextFile::new("prompts/p.md", text))
    }

    fn rendered(text: &str, body: Option<&str>) -> Result<String, String> {
        let rendered = prompt(text).unwrap().render(&case(body));
        rendered.map(|rendered| rendered.user).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_template_that_would_go_on_for_hours_is_ended() {
        let text = "{% for a in range(90000) %}{% for b in range(90000) %}{{ title }}{% endfor %}{% endfor %}";
        let prompt = Prompt::parse("p".parse().unwrap(), TextFile::new("prompts/p.md", text)).unwrap();
        let problem = prompt.render(&case(None)).unwrap_err().to_string();
        assert!(problem.starts_with("prompts/p.md:1:") && problem.contains("more than 2000000 steps"), "{problem}");
    }

    #[test]
    fn values_stand_as_they_are_and_one_trailing_newline_is_dropped() {
        for (template, expected) in [
            (
                "{{ published_at }}に{{ publisher }}が『{{ title }}』。\n",
                "2025-06-30 07:00に日本貿易振興機構が『「量子」<派遣>』。",
            ),
            ("{% if body %}{{ body }}{% else %}なし{% endif %}\n\n", "なし\n"),
            ("{% for fact in facts %}{{ loop.index }}{{ fact }}{% endfor %}", "1一2二"),
            ("{{ tone }}", "{{ title }}"),
        ] {
            assert_eq!(rendered(template, None).as_deref(), Ok(expected));
        }
        assert_eq!(rendered("{% if body %}{{ body }}{% endif %}", Some("本文")).as_deref(), Ok("本文"));
    }

    #[test]
    fn an_undefined_name_is_an_error_with_its_place() {
        for (template, expected) in [
            ("一\n二 {{ titel }}", "prompts/p.md:2:6: `titel` is undefined for the case `q` (did you mean `title`?)"),
            (
                "{{ body }}",
                "prompts/p.md:1:4: `body` is undefined for the case `q` (known here: `published_at`, `publisher`, `title`, `facts`, `tone`)",
            ),
            (
                "+++\ndescription = \"d\"\n+++\n{{ mood }}",
                "prompts/p.md:4:4: `mood` is undefined for the case `q` (known here: `published_at`, `publisher`, `title`, `facts`, `tone`)",
            ),
        ] {
            assert_eq!(rendered(template, None).unwrap_err(), expected);
        }
    }

    #[test]
    fn front_matter_may_give_a_system_text_and_nothing_unknown() {
        let prompt_with_system =
            prompt("+++\nsystem = \"{{ publisher }}の記者\"\ndescription = \"d\"\n+++\n本文\n").unwrap();
        let rendered = prompt_with_system.render(&case(None)).unwrap();
        assert_eq!((rendered.system.as_deref(), rendered.user.as_str()), (Some("日本貿易振興機構の記者"), "本文"));
        for (text, expected) in [
            ("+++\nsytem = \"\"\n+++\n", "prompts/p.md:2:1: unknown key `sytem` (did you mean `system`?)"),
            (
                "+++\nsystem = \"{{ titel\"\n+++\n",
                "prompts/p.md:2:14: syntax error: unexpected end of input, expected end of variable block",
            ),
            ("+++\n", "prompts/p.md:1:1: the front matter has no end (close it with a line `+++`)"),
            ("+++\nsystem = \"記者\"\n+++\n\n", "prompts/p.md: the prompt is empty (write what the model is asked)"),
            ("a\n{% if %}", "prompts/p.md:2:7: syntax error: unexpected end of block"),
        ] {
            assert_eq!(prompt(text).unwrap_err()[0].to_string(), expected);
        }
        let bad_system =
            prompt("+++\nsystem = \"記者 {{ titel }}\"\n+++\n本文\n").unwrap().render(&case(None)).unwrap_err();
        assert_eq!(
            bad_system.to_string(),
            "prompts/p.md:2:17: `titel` is undefined for the case `q` (did you mean `title`?)"
        );
    }

    #[test]
    fn names_of_a_prompt_are_those_that_only_vars_can_give() {
        assert_eq!(
            prompt("{% set x = 1 %}{{ x }}{{ title }}{% if tone %}{% endif %}{{ range(2) }}").unwrap().names(),
            ["tone"]
        );
    }
}
