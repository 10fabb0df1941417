//! Cases in rows, as spreadsheets hold them: the first row names the columns `id`, `tags`, `source.title`,
//! `require.contains`, `vars.tone`, ….
//!
//! Promises that lists stand one element a line within their cell, that a group of `source.aliases` is one line with its
//! names parted by `|`, that an empty cell is an absent value, and that a row of empty cells is no case.

use std::ops::Range;

use super::{Case, read_cases};
use crate::diagnostic::{Diagnostic, TextFile};
use crate::document::{Entry, Node, Value, parse_json};

/// A row's cells with their places in the file's text.
pub(super) struct Row {
    pub(super) cells: Vec<(String, Range<usize>)>,
}

impl Row {
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.cells.first().map_or(0, |(_, span)| span.start);
        start..self.cells.last().map_or(start, |(_, span)| span.end)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|(cell, _)| cell.trim().is_empty())
    }
}

/// Whether a row names the columns of cases.
pub(super) fn is_header(row: &Row) -> bool {
    row.cells.iter().any(|(name, _)| name.trim() == "id")
}

/// That a first row names no column `id`.
pub(super) fn without_id(file: &TextFile, header: &Row) -> Diagnostic {
    let hint = "the first row names the columns: id, source.published_at, source.publisher, source.title, …";
    file.diagnose(header.span(), "there is no column `id`").hint(hint)
}

/// Cases, and each as the JSON that would give the same.
#[derive(Debug)]
pub struct CasesInRows {
    /// The cases, in the rows' order.
    pub cases: Vec<Case>,
    /// The same, as they would stand in a `.jsonl`.
    pub json: Vec<serde_json::Value>,
}

/// The cases of rows.
///
/// # Errors
/// Every mistake of the rows.
pub(super) fn read_rows(file: &TextFile, header: &Row, rows: &[Row]) -> Result<CasesInRows, Vec<Diagnostic>> {
    let rows = rows.iter().filter(|row| !row.is_blank());
    let nodes: Result<Vec<Node>, Diagnostic> = rows.map(|row| row_node(file, header, row)).collect();
    let nodes = nodes.map_err(|problem| vec![problem])?;
    // A wrong column name would be reported once a row.
    let cases = read_cases(file, &nodes).map_err(|mut problems| {
        problems.dedup();
        problems
    })?;
    Ok(CasesInRows { cases, json: nodes.iter().map(|node| without_nulls(node.to_json())).collect() })
}

/// The value without what is absent.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(entries) => {
            let given = entries.into_iter().filter(|(_, value)| !value.is_null());
            let given = given.map(|(key, value)| (key, without_nulls(value)));
            given.filter(|(_, value)| value.as_object().is_none_or(|inner| !inner.is_empty())).collect()
        }
        other => other,
    }
}

/// A row as the tree that the same case would have in JSON.
fn row_node(file: &TextFile, header: &Row, row: &Row) -> Result<Node, Diagnostic> {
    let mut root = Node { span: row.span(), value: Value::Table(Vec::new()) };
    for ((column, column_span), (cell, span)) in header.cells.iter().zip(&row.cells) {
        let column = column.trim();
        if column.is_empty() && cell.is_empty() {
            continue;
        }
        if column.is_empty() {
            return Err(file.diagnose(span.clone(), "this cell stands beneath no column name"));
        }
        let value = if cell.is_empty() { Value::Null } else { cell_value(file, column, cell, span)? };
        let mut node = &mut root;
        let mut path = column.split('.').peekable();
        while let Some(key) = path.next() {
            let Value::Table(entries) = &mut node.value else {
                let message = format!("the column `{column}` lies within another column");
                return Err(file.diagnose(column_span.clone(), message));
            };
            // An empty cell brings no table into being: `require.length.min_chars` left blank requires no length.
            if value == Value::Null && path.peek().is_some() && !entries.iter().any(|entry| entry.key == key) {
                if matches!(key, "source" | "require" | "vars") {
                    let table = Node { span: row.span(), value: Value::Table(Vec::new()) };
                    entries.push(Entry { key: key.to_owned(), key_span: column_span.clone(), node: table });
                } else {
                    break;
                }
            }
            let last = path.peek().is_none();
            let index = entries.iter().position(|entry| entry.key == key && !last).unwrap_or_else(|| {
                let inner = if last { value.clone() } else { Value::Table(Vec::new()) };
                let node = Node { span: if last { span.clone() } else { row.span() }, value: inner };
                entries.push(Entry { key: key.to_owned(), key_span: column_span.clone(), node });
                entries.len() - 1
            });
            node = &mut entries[index].node;
        }
    }
    Ok(root)
}

fn cell_value(file: &TextFile, column: &str, cell: &str, span: &Range<usize>) -> Result<Value, Diagnostic> {
    let text = |text: &str| Node { span: span.clone(), value: Value::String(text.trim().to_owned()) };
    let lines = || cell.split(['\n', '\r']).filter(|line| !line.trim().is_empty());
    let list = || Value::List(lines().map(text).collect());
    Ok(match column {
        "tags" | "source.facts" | "source.background" => list(),
        "source.aliases" => {
            let group =
                |line: &str| Node { span: span.clone(), value: Value::List(line.split('|').map(text).collect()) };
            Value::List(lines().map(group).collect())
        }
        "require.covers" | "require.contains" | "require.not_contains" | "require.matches" | "require.not_matches" => {
            list()
        }
        _ if column.starts_with("require.") => match cell.trim() {
            // Spreadsheets write truth values in capitals.
            word if word.eq_ignore_ascii_case("true") => Value::Bool(true),
            word if word.eq_ignore_ascii_case("false") => Value::Bool(false),
            json if json.starts_with(['{', '[']) => json_cell(file, json, span)?,
            other => number(other).unwrap_or_else(|| Value::String(other.to_owned())),
        },
        _ => Value::String(cell.to_owned()),
    })
}

/// A number as people write it; not the words that Rust takes for one, such as `inf`.
fn number(cell: &str) -> Option<Value> {
    let integer = cell.parse().ok().map(Value::Integer);
    let float =
        || cell.parse().ok().filter(|_| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')).map(Value::Float);
    integer.or_else(float)
}

/// JSON within a cell; its parts all have the cell's place.
fn json_cell(file: &TextFile, json: &str, span: &Range<usize>) -> Result<Value, Diagnostic> {
    let inner = TextFile::new(&file.name, json);
    let mut node = parse_json(&inner, 0..json.len()).map_err(|problem| file.diagnose(span.clone(), problem.message))?;
    set_span(&mut node, span);
    Ok(node.value)
}

fn set_span(node: &mut Node, span: &Range<usize>) {
    node.span = span.clone();
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| set_span(item, span)),
        Value::Table(entries) => {
            for entry in entries {
                entry.key_span = span.clone();
                set_span(&mut entry.node, span);
            }
        }
        _ => {}
    }
}
