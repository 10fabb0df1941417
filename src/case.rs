//! A case: a source news item and what is required of an answer about it; read from TOML, JSON lines, CSV or a workbook.
//!
//! Promises one shape for all forms and the place of every mistake. Leaves finding and reading files to `cli`.

mod csv;
mod rows;
mod xlsx;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, TextFile};
use crate::document::{Node, Reader, Table, Value, parse_json, parse_toml};
use crate::id::CaseId;
use crate::property::Requirements;

pub use csv::{Delimiter, parse_csv};
pub use rows::CasesInRows;
pub use xlsx::{SheetOfCases, parse_xlsx};

/// A source news item paired with what is required of an answer about it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Labels to select by.
    pub tags: Vec<String>,
    /// Further values for templates; null ones are left out.
    pub vars: BTreeMap<String, serde_json::Value>,
    /// The news.
    pub source: Source,
    /// What this case itself says of requirements, before the project's defaults.
    pub require: Arc<Requirements>,
    /// The file it was read from.
    pub file: Arc<str>,
    /// The bytes of the file that give its id; none where the folder's name does.
    pub id_at: Range<usize>,
}

/// The news item that a model is told of, and what its author knows to be true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// When it was published; only a text to be scored may lack it.
    pub published_at: Option<PublishedAt>,
    /// Who published it.
    pub publisher: String,
    /// Its headline.
    pub title: String,
    /// Its text, where the model is given it.
    pub body: Option<String>,
    /// Further true statements about this event.
    pub facts: Vec<String>,
    /// Names and figures of general knowledge that an answer may use.
    pub background: Vec<String>,
    /// Groups of names for the same thing.
    pub aliases: Vec<Vec<String>>,
}

/// A moment of publication, read and shown in Japan time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublishedAt(Timestamp);

/// Japan has had no other offset since 1951.
const JAPAN: Offset = Offset::constant(9);

impl PublishedAt {
    /// The date and time on a clock in Japan.
    pub fn in_japan(self) -> DateTime {
        JAPAN.to_datetime(self.0)
    }
}

impl TryFrom<String> for PublishedAt {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is no date and time such as 2025-06-30T07:00:00+09:00"))
    }
}

impl From<PublishedAt> for String {
    fn from(at: PublishedAt) -> Self {
        format!("{}+09:00", at.in_japan())
    }
}

impl fmt::Display for PublishedAt {
    /// As prompts show it: `2025-06-30 07:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.in_japan();
        write!(f, "{} {:02}:{:02}", at.date(), at.hour(), at.minute())
    }
}

/// Parses a `case.toml`; the id is the name of its folder.
///
/// # Errors
/// Every mistake of the file.
pub fn parse_case_toml(folder: &str, file: &TextFile) -> Result<Case, Vec<Diagnostic>> {
    let node = parse_toml(file, 0..file.text.len())?;
    let reader = Reader::new(file);
    let case = read_case(&reader, &node, Some(folder));
    reader.finish(case).map(|case| case.expect("a case without mistakes is complete"))
}

/// Parses JSON lines, one case a line; blank lines are skipped.
///
/// # Errors
/// Every mistake of the file; of a line that is no JSON, the first.
pub fn parse_jsonl(file: &TextFile) -> Result<Vec<Case>, Vec<Diagnostic>> {
    let mut nodes = Vec::new();
    let mut problems = Vec::new();
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let span = start..start + line.trim_end_matches(['\n', '\r']).len();
        start += line.len();
        if line.trim().is_empty() {
            continue;
        }
        match parse_json(file, span) {
            Ok(node) => nodes.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    let cases = read_cases(file, &nodes);
    if problems.is_empty() {
        return cases;
    }
    problems.extend(cases.err().unwrap_or_default());
    Err(problems)
}

fn read_cases(file: &TextFile, nodes: &[Node]) -> Result<Vec<Case>, Vec<Diagnostic>> {
    let reader = Reader::new(file);
    let cases: Vec<Case> = nodes.iter().filter_map(|node| read_case(&reader, node, None)).collect();
    reader.finish(cases)
}

fn read_case(reader: &Reader<'_>, node: &Node, folder: Option<&str>) -> Option<Case> {
    let table = reader.table(node)?;
    let (id, id_at) = read_id(&table, folder).unzip();
    let tags = table.strings("tags");
    let source = table.required("source").and_then(|node| read_source(reader, node));
    let vars = table.get("vars").map(|node| read_vars(reader, node)).unwrap_or_default();
    let require = table.get("require").map(|node| Arc::new(Requirements::read(reader, node)));
    table.finish();
    let file = Arc::clone(&reader.file.name);
    Some(Case {
        id: id?,
        tags,
        vars,
        source: source?,
        require: require.unwrap_or_else(no_requirements),
        file,
        id_at: id_at?,
    })
}

/// What all cases share that require nothing of their own.
fn no_requirements() -> Arc<Requirements> {
    static NONE: LazyLock<Arc<Requirements>> = LazyLock::new(Arc::default);
    Arc::clone(&NONE)
}

fn read_id(table: &Table<'_, '_>, folder: Option<&str>) -> Option<(CaseId, Range<usize>)> {
    let (text, span) = if let Some(folder) = folder {
        if let Some(node) = table.get("id")
            && table.reader.string(node)? != folder
        {
            let message = format!("the id of a case in a folder is the folder's name, `{folder}`");
            table.reader.report(table.reader.file.diagnose(node.span.clone(), message).hint("leave `id` out"));
        }
        (folder.to_owned(), 0..0)
    } else {
        let node = table.required("id")?;
        (table.reader.string(node)?, node.span.clone())
    };
    match text.parse::<CaseId>() {
        Ok(id) => return Some((id, span)),
        Err(error) if folder.is_some() => {
            let misnamed = Diagnostic::without_place(&table.reader.file.name, error.to_string());
            table.reader.report(misnamed.hint("rename the folder"));
        }
        Err(error) => table.reader.problem(&span, error.to_string()),
    }
    None
}

fn read_source(reader: &Reader<'_>, node: &Node) -> Option<Source> {
    let table = reader.table(node)?;
    let published_at = table.required("published_at").and_then(|node| read_published_at(reader, node));
    let publisher = table.required_string("publisher");
    let title = table.required_string("title");
    let source = Source {
        published_at,
        publisher: publisher.unwrap_or_default(),
        title: title.unwrap_or_default(),
        body: table.string("body"),
        facts: table.strings("facts"),
        background: table.strings("background"),
        aliases: table.get("aliases").map(|node| read_aliases(reader, node)).unwrap_or_default(),
    };
    table.finish();
    Some(source)
}

fn read_published_at(reader: &Reader<'_>, node: &Node) -> Option<PublishedAt> {
    let (Value::String(text) | Value::Datetime(text)) = &node.value else {
        reader.problem(&node.span, "expected a date and time such as 2025-06-30T07:00:00+09:00");
        return None;
    };
    match PublishedAt::try_from(text.clone()) {
        Ok(at) => Some(at),
        Err(message) => {
            let problem = reader.file.diagnose(node.span.clone(), message);
            let is_cell = problem.place.as_ref().is_some_and(|place| place.is_cell);
            let hint = match text.parse::<DateTime>() {
                Ok(_) if is_cell => {
                    "add the offset from UTC; Japan's is +09:00; a spreadsheet's date has none: write it as a text, \
                     with a `'` before it"
                }
                Ok(_) => "add the offset from UTC; Japan's is +09:00",
                Err(_) => "write year-month-day, `T`, the time and the offset from UTC",
            };
            reader.report(problem.hint(hint));
            None
        }
    }
}

fn read_aliases(reader: &Reader<'_>, node: &Node) -> Vec<Vec<String>> {
    let groups = reader.list(node).unwrap_or_default();
    groups.iter().filter_map(|group| reader.strings(group)).collect()
}

/// The names that every template knows besides a case's own `vars`.
pub const TEMPLATE_NAMES: [&str; 5] = ["published_at", "publisher", "title", "body", "facts"];

fn read_vars(reader: &Reader<'_>, node: &Node) -> BTreeMap<String, serde_json::Value> {
    let Value::Table(entries) = &node.value else {
        reader.problem(&node.span, "expected a table of names and values");
        return BTreeMap::new();
    };
    for entry in entries {
        if TEMPLATE_NAMES.contains(&entry.key.as_str()) {
            reader.problem(&entry.key_span, format!("`{}` is the source's own and cannot be a var", entry.key));
        }
    }
    let given = entries.iter().filter(|entry| entry.node.value != Value::Null);
    given.map(|entry| (entry.key.clone(), entry.node.to_json())).collect()
}

/// The cases of `files` in the order of their ids, which must be unique without regard to case.
///
/// # Errors
/// Every id that stands twice, with both places.
pub fn in_order(mut cases: Vec<Case>, files: &[TextFile]) -> Result<Vec<Case>, Vec<Diagnostic>> {
    cases.sort_by_cached_key(|case| case.id.folded());
    let diagnose = |case: &Case, message: &str| {
        let file = files.iter().find(|file| file.name == case.file && !case.id_at.is_empty());
        file.map_or_else(
            || Diagnostic::without_place(&case.file, message),
            |file| file.diagnose(case.id_at.clone(), message),
        )
    };
    let twice = |pair: &[Case]| {
        let [first, second] = pair else { return None };
        (first.id.folded() == second.id.folded()).then(|| {
            let place = diagnose(first, "").place.map(|place| place.row_of_file()).unwrap_or_default();
            let message = format!("the case id `{}` is also used in {}{place}", second.id, first.file);
            diagnose(second, &message).hint("ids are compared without regard to case")
        })
    };
    let problems: Vec<Diagnostic> = cases.windows(2).filter_map(twice).collect();
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::Property;

    const JSON: &str = r#"{"id": "q", "tags": ["science"], "vars": {"tone": "calm", "none": null},
        "source": {"published_at": "2025-06-29T22:00:00Z", "publisher": "日本貿易振興機構", "title": "量子", "body": null,
        "aliases": [["ジェトロ", "JETRO"]]}, "require": {"japanese_only": true, "contains": ["量子", "派遣"], "length": {"min_chars": 400}}}"#;

    const TOML: &str = r#"
        tags = ["science"]
        vars = { tone = "calm" }
        [source]
        published_at = 2025-06-30T07:00:00+09:00
        publisher = "日本貿易振興機構"
        title = "量子"
        aliases = [["ジェトロ", "JETRO"]]
        [require]
        japanese_only = true
        contains = ["量子", "派遣"]
        length = { min_chars = 400 }"#;

    const CSV: &str = "id,tags,vars.tone,source.published_at,source.publisher,source.title,source.body,source.aliases,\
        require.japanese_only,require.contains,require.length.min_chars\n\
        q,science,calm,2025-06-30T07:00:00+09:00,日本貿易振興機構,量子,,ジェトロ | JETRO,TRUE,\"量子\n派遣\",400\n,,,,,,,,,,\n";

    fn csv(text: &str) -> Result<Vec<Case>, Vec<Diagnostic>> {
        let file = TextFile::new("a.csv", text);
        parse_csv(&file, Delimiter::of(&file)).map(|rows| rows.cases)
    }

    #[test]
    fn the_three_forms_of_text_give_the_same_case() {
        let json = parse_jsonl(&TextFile::new("a.jsonl", JSON.replace('\n', " "))).unwrap().remove(0);
        let toml = parse_case_toml("q", &TextFile::new("q/case.toml", TOML)).unwrap();
        let row = csv(CSV).unwrap();
        assert_eq!(row.len(), 1);
        for case in [&toml, &row[0]] {
            assert_eq!((&case.id, &case.tags, &case.vars), (&json.id, &json.tags, &json.vars));
            assert_eq!((&case.source, &case.require), (&json.source, &json.require));
        }
        assert_eq!(json.source.published_at.unwrap().to_string(), "2025-06-30 07:00");
        assert_eq!(String::from(json.source.published_at.unwrap()), "2025-06-30T07:00:00+09:00");
        assert!(json.require.requires(Property::Length) && !json.require.requires(Property::ArticleOnly));
        assert!(!json.vars.contains_key("none"));
    }

    #[test]
    fn a_cell_holds_settings_as_numbers_words_or_json() {
        let head = "id,source.published_at,source.publisher,source.title,require.readability.min_score,\
                    require.register.style,require.no_fabrication.kinds,require.topic\n";
        let row = "a,2025-06-30T07:00:00+09:00,p,t,1.5,polite,\"[\"\"date\"\"]\",\
                   \"[{\"\"id\"\": \"\"purpose\"\", \"\"any_of\"\": [\"\"連携\"\"]}]\"\n";
        let require = csv(&format!("{head}{row}")).unwrap().remove(0).require;
        assert_eq!((require.min_readability, require.style), (Some(1.5), Some(crate::property::Style::Polite)));
        assert_eq!(require.kinds.as_deref(), Some(&[crate::property::SpecificKind::Date][..]));
        assert!(require.requires(Property::CoversPurpose) && require.requires(Property::Readability));
    }

    #[test]
    fn a_list_stands_an_entry_a_line_whatever_ends_a_line() {
        let head = "id,source.published_at,source.publisher,source.title,tags\n";
        for end in ["\n", "\r\n", "\r"] {
            let row = format!("a,2025-06-30T07:00:00+09:00,p,t,\"x{end}{end}y\"\n");
            assert_eq!(csv(&format!("{head}{row}")).unwrap()[0].tags, ["x", "y"], "{end:?}");
        }
    }

    fn problems<T>(result: Result<T, Vec<Diagnostic>>) -> Vec<String> {
        result.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mistakes_of_every_form_have_their_place() {
        let toml = "[source]\npublished_at = \"2025-06-30 07:00\"\npublisher = \"\"\ntitel = \"x\"\n[require]\nmatches = [\"(\"]\n";
        assert_eq!(
            problems(parse_case_toml("q", &TextFile::new("q/case.toml", toml))),
            [
                "q/case.toml:1:1: the key `title` is missing",
                "q/case.toml:2:16: `2025-06-30 07:00` is no date and time such as 2025-06-30T07:00:00+09:00 (add the offset from UTC; Japan's is +09:00)",
                "q/case.toml:3:13: `publisher` is empty",
                "q/case.toml:4:1: unknown key `titel` (did you mean `title`?)",
                "q/case.toml:6:12: not a valid pattern: unclosed group",
            ]
        );
        let text = CSV.replace("source.title", "source.titel").replace("2025-06-30", "2025-06-31");
        assert_eq!(
            problems(csv(&text)),
            [
                "a.csv:1:56: unknown key `titel` (did you mean `title`?)",
                "a.csv:2:1: the key `title` is missing",
                "a.csv:2:16: `2025-06-31T07:00:00+09:00` is no date and time such as 2025-06-30T07:00:00+09:00 (write year-month-day, `T`, the time and the offset from UTC)",
            ]
        );
        assert_eq!(
            problems(csv("id,tags\nx\n")),
            [
                "a.csv:2:1: this row has 1 cell, the header has 2 (a cell with commas, quotation marks or line breaks stands in quotation marks)"
            ]
        );
        assert_eq!(
            problems(parse_jsonl(&TextFile::new("a.jsonl", "\n{\"id\": \"x y\"}\n{\"id\": }\n"))),
            [
                "a.jsonl:3:8: not valid JSON: expected value",
                "a.jsonl:2:1: the key `source` is missing",
                "a.jsonl:2:8: `x y` is no valid id: use letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
            ]
        );
    }

    #[test]
    fn ids_that_differ_only_in_case_are_one() {
        let lines = ["b", "Q", "q"].map(|id| JSON.replace("\"q\"", &format!("\"{id}\"")).replace('\n', " ") + "\n");
        let file = TextFile::new("a.jsonl", lines.concat());
        let folder = |id: &str| parse_case_toml(id, &TextFile::new(&format!("{id}/case.toml"), TOML)).unwrap();
        let mut cases = parse_jsonl(&file).unwrap();
        cases.push(folder("B"));
        assert_eq!(
            problems(in_order(cases, &[file])),
            [
                "B/case.toml: the case id `B` is also used in a.jsonl:1 (ids are compared without regard to case)",
                "a.jsonl:3:8: the case id `q` is also used in a.jsonl:2 (ids are compared without regard to case)",
            ]
        );
    }

    #[test]
    fn a_case_overrides_its_project_key_by_key() {
        let require = |text: &str| {
            let file = TextFile::new("a", text.to_owned());
            let node = parse_toml(&file, 0..file.text.len()).unwrap();
            let reader = Reader::new(&file);
            let require = Requirements::read(&reader, &node);
            reader.finish(require).unwrap()
        };
        let project = require(
            "covers = [\"purpose\", \"activities\"]\njapanese_only = true\narticle_only = { allow = [{ text = \"以上\", reason = \"r\" }] }\nlength = { max_chars = 10 }",
        );
        let case = require("article_only = true\njapanese_only = false\nlength = { min_chars = 5 }").over(&project);
        assert!(!case.requires(Property::JapaneseOnly) && case.requires(Property::CoversPurpose));
        assert!(!case.requires(Property::CoversSignificance));
        assert_eq!(case.waivers(Property::ArticleOnly).len(), 1);
        assert_eq!((case.min_chars, case.max_chars), (Some(5), Some(10)));
    }
}
