//! Comparisons as a page: the findings in sentences, the table, how the prompts differ, then the answers side by side.
//!
//! Promises what `diff.html` does: no script, no network, and answers that are text whatever they hold.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::markdown::{adjustment, measure, row};
use super::sentence::{Sentences, sentences};
use super::{Rows, Titled, apart, broken, columns, movement, telling, worse};
use crate::compare::{Compared, Comparison, Verdict};
use crate::outcome::Subject;
use crate::report::diff::{Diff, DiffOptions, Prompts, Text, write_html_rows, write_page};
use crate::report::escape::{html as escape, html_prose as prose};
use crate::report::names::marked;
use crate::stats::{CochranQ, Undefined};

/// Writes comparisons, then the diffs of the prompts and of the changed cases.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_html(
    compared: &[Titled<'_>],
    several: Option<&Result<CochranQ, Undefined>>,
    prompts: &[Prompts],
    diffs: &[Diff<'_>],
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (words, mut before) = (sentences(options.lang), String::new());
    for titled in compared {
        push_comparison(titled, words, &mut before);
    }
    if let Some(several) = several {
        let p = several.as_ref().map(|found| found.p).map_err(|why| *why);
        push(&mut before, "p", &(words.several)(compared.len() + 1, p));
    }
    for Prompts { title, base, candidate } in prompts {
        push(&mut before, "h2", &format!("{}: {title}", words.prompts));
        let mut rows = Vec::new();
        write_html_rows(&Text::plain(base), &Text::plain(candidate), options, &mut rows)?;
        let rows = String::from_utf8_lossy(&rows);
        let _ = writeln!(before, "<section class=\"case\"><div class=\"text\">\n{rows}</div></section>");
    }
    push(&mut before, "h2", options.lang.words().diff_title);
    write_page(words.title, &before, diffs, options, out)
}

fn push(page: &mut String, tag: &str, text: &str) {
    let _ = writeln!(page, "<{tag}>{}</{tag}>", escape(text));
}

fn push_comparison(titled: &Titled<'_>, words: &Sentences, page: &mut String) {
    let Titled { base, candidate, comparison, parts } = titled;
    push(page, "h2", &format!("{base} → {candidate}"));
    let mut about = vec![(words.cases)(comparison.cases.same)];
    about.extend((comparison.variants > 1).then(|| (words.variants)(comparison.variants)));
    let _ = writeln!(page, "<p class=\"quiet\">{}</p>", escape(&about.join(" · ")));
    for worse in worse(titled, words) {
        let _ = writeln!(page, "<p><b class=\"fail\">✗ {}</b></p>", escape(&worse));
    }
    push_broken(comparison, words, page);
    if let Some((heading, parts)) = apart(titled, words) {
        push(page, "h4", &heading);
        let rows = parts.into_iter().map(|(part, compared)| (part.named(escape), compared));
        push_table(&rows.collect::<Vec<_>>(), Rows::Variants, words, page);
        push(page, "h4", &(words.together)(comparison.variants));
    }
    push_findings(comparison, words, page);
    let rows = comparison.subjects.iter().map(|compared| (name(compared.subject, words), compared));
    push_table(&rows.collect::<Vec<_>>(), Rows::Subjects, words, page);
    let (moved, of) = movement(comparison);
    let mut notes: Vec<String> = Vec::new();
    notes.extend((of > 1).then(|| (words.movement)(moved, of)));
    if let Some(all) = comparison.subject(Subject::All) {
        let [base, candidate] = all.noise.map(Result::ok);
        notes.extend((words.noise)(base, candidate));
    }
    if let Some(primary) = comparison.subject(comparison.options.primary) {
        notes.push((words.method)(primary, comparison.options.margin));
        notes.push(adjustment(comparison, primary, words));
    }
    let measures: Vec<String> = comparison.measures.iter().map(|measured| measure(measured, words)).collect();
    notes.extend((!measures.is_empty()).then(|| measures.join(" · ")));
    for note in notes {
        let _ = writeln!(page, "<p class=\"quiet\">{}</p>", prose(&note));
    }
    if !comparison.warnings.is_empty() {
        push(page, "h4", words.warnings);
        let warnings = comparison.warnings.iter().map(|warning| prose(&(words.warning)(warning)));
        let _ = writeln!(page, "<ul><li>{}</li></ul>", warnings.collect::<Vec<_>>().join("</li><li>"));
    }
    for Titled { base, candidate, comparison, .. } in parts {
        push(page, "h4", &format!("{base} → {candidate}"));
        push_findings(comparison, words, page);
    }
}

/// The cases that broke, by name, before all figures.
fn push_broken(comparison: &Comparison, words: &Sentences, page: &mut String) {
    for broken in broken(comparison, words) {
        let (heading, cases) = (escape(broken.heading), broken.named(usize::MAX, words, escape));
        let _ = writeln!(page, "<p><b class=\"fail\">✗ {heading}</b>: {cases}</p>");
    }
}

fn push_findings(comparison: &Comparison, words: &Sentences, page: &mut String) {
    page.push_str("<ul>\n");
    for compared in telling(comparison) {
        let sentence = escape(&(words.finding)(compared, comparison.options.margin));
        let class = class(compared.verdict);
        let _ = writeln!(page, "<li><b class=\"{class}\">{}</b>: {sentence}</li>", name(compared.subject, words));
    }
    page.push_str("</ul>\n");
}

const fn class(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Better) => "pass",
        Some(Verdict::Worse | Verdict::WorseByMore) => "fail",
        Some(Verdict::NoWorse | Verdict::Inconclusive) | None => "unscored",
    }
}

/// A subject, its name as one that files use.
fn name(subject: Subject, words: &Sentences) -> String {
    marked(subject, words.lang, |name| format!("<code>{}</code>", escape(name)))
}

/// A table of what was found, a row each with its heading in HTML.
fn push_table(named: &[(String, &Compared)], are: Rows, words: &Sentences, page: &mut String) {
    let rows: Vec<[String; 11]> = named.iter().map(|(_, compared)| row(compared, words)).collect();
    let columns = columns(&rows, are);
    let heads: Vec<String> = columns.iter().map(|n| format!("<th>{}</th>", escape(words.columns[*n]))).collect();
    let heads = heads.concat();
    let _ = writeln!(page, "<div class=\"wide\"><table class=\"figures\">\n<tr><th></th>{heads}</tr>");
    for ((name, compared), row) in named.iter().zip(&rows) {
        // Narrow screens show a column's name beside each figure.
        let cell = |n: &usize| format!("<td data-head=\"{}\">{}</td>", escape(words.columns[*n]), escape(&row[*n]));
        let cells = columns.iter().map(cell).collect::<Vec<_>>().concat();
        let (class, long) = (class(compared.verdict), if are == Rows::Variants { " variant" } else { "" });
        let _ = writeln!(page, "<tr><td class=\"{class}{long}\">{name}</td>{cells}</tr>");
    }
    page.push_str("</table></div>\n");
}
