//! `diff.html`: diffs in one page that opens from disk, side by side on wide screens and unified on narrow ones.
//!
//! Promises no script, no network, and no colour without a mark; answers are text, whatever they hold.

use std::io::{self, Write};
use std::ops::Range;

use super::fold::{Stretch, stretches};
use super::marks::{Mark, Marks};
use super::pair::{Pair, Turn, are_kept, before, facts, grounds, kinds, standing, why_missing};
use super::{Alignment, Change, Diff, DiffOptions, Gap, Kind, Passage, Piece, Row, Text, align};
use crate::outcome::{Outcome, Status, Subject};
use crate::report::escape::html as escape;
use crate::report::lang::Words;
use crate::report::names;

/// The most quotations a verdict.
const MOST_QUOTES: usize = 5;

const STYLE: &str = include_str!("style.css");

/// Writes diff.html.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_html(diffs: &[Diff<'_>], options: DiffOptions<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_page(options.lang.words().diff_title, "", diffs, options, out)
}

/// Writes a page of diffs with a title of its own, and what stands before them.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub(crate) fn write_page(
    title: &str,
    before: &str,
    diffs: &[Diff<'_>],
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = options.lang.words();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1 id=\"top\">{title}</h1>\n{before}",
        title = escape(title),
    )?;
    if diffs.is_empty() {
        writeln!(out, "<p>{}</p>", escape(words.diff_nothing))?;
    } else {
        writeln!(out, "<p class=\"quiet\">{}</p>", escape(words.diff_legend))?;
    }
    let pairs = diffs.iter().map(Diff::pairs).collect::<io::Result<Vec<_>>>()?;
    for (number, (diff, pairs)) in diffs.iter().zip(&pairs).enumerate() {
        write_index(number, diff, pairs, words, out)?;
    }
    for (number, (diff, pairs)) in diffs.iter().zip(&pairs).enumerate() {
        let told: Vec<&Pair<'_>> = pairs.iter().filter(|pair| pair.kind < Kind::Same).collect();
        if diffs.len() > 1 && !told.is_empty() {
            writeln!(out, "<h2>{}</h2>", names(diff))?;
        }
        told.into_iter().try_for_each(|pair| write_pair(number, diff, pair, options, out))?;
    }
    out.write_all(b"</main>\n</body>\n</html>\n")
}

fn names(diff: &Diff<'_>) -> String {
    format!("{} → {}", escape(&diff.base.name()), escape(&diff.candidate.name()))
}

fn anchor(number: usize, pair: &Pair<'_>) -> String {
    format!("d{}-{}-{}", number + 1, pair.case, pair.repeat)
}

fn write_index(
    number: usize,
    diff: &Diff<'_>,
    pairs: &[Pair<'_>],
    words: &Words,
    out: &mut dyn Write,
) -> io::Result<()> {
    let counts = kinds(pairs).into_iter().map(|(kind, count)| format!("{} {count}", kind_mark(kind, words)));
    let counts: Vec<String> = counts.collect();
    writeln!(out, "<nav>\n<h2>{}</h2>\n<p>{}</p>", names(diff), counts.join(" · "))?;
    let named: Vec<&Pair<'_>> = pairs.iter().filter(|pair| !matches!(pair.kind, Kind::Same | Kind::Untold)).collect();
    if !named.is_empty() {
        writeln!(out, "<div class=\"wide\"><table>")?;
    }
    for pair in &named {
        let name = escape(&pair.name());
        let link = match pair.kind {
            Kind::Missing => name,
            _ => format!("<a href=\"#{}\">{name}</a>", anchor(number, pair)),
        };
        let turns: Vec<String> = pair.turns.iter().map(|turn| turn_marked(*turn, words)).collect();
        let turns = if pair.kind == Kind::Missing { escape(&why_missing(pair, words)) } else { turns.join("<br>") };
        let (kind, title) = (kind_mark(pair.kind, words), escape(pair.title) + &truncated_mark(pair, words));
        writeln!(out, "<tr><td>{kind}</td><td>{link}</td><td>{title}</td><td>{turns}</td></tr>")?;
    }
    if !named.is_empty() {
        writeln!(out, "</table></div>")?;
    }
    for kind in [Kind::Same, Kind::Untold] {
        let of_kind = pairs.iter().filter(|pair| pair.kind == kind);
        let names: Vec<String> = of_kind.map(|pair| escape(&pair.name()) + &truncated_mark(pair, words)).collect();
        if !names.is_empty() {
            let kind = kind_mark(kind, words);
            writeln!(out, "<details><summary>{kind}: {}</summary><p>{}</p></details>", names.len(), names.join(", "))?;
        }
    }
    writeln!(out, "</nav>")
}

/// The mark of a case of which an answer is truncated.
fn truncated_mark(pair: &Pair<'_>, words: &Words) -> String {
    if pair.is_truncated() {
        format!(" <span class=\"mark\">{}</span>", escape(words.truncated))
    } else {
        String::new()
    }
}

/// A kind's name with its sign, in its colour.
fn kind_mark(kind: Kind, words: &Words) -> String {
    let (class, sign) = match kind {
        Kind::Broken => ("broken", "✗"),
        Kind::Mixed => ("mixed", "✗✓"),
        Kind::Fixed => ("fixed", "✓"),
        Kind::Verdict => ("verdict-changed", "?"),
        Kind::Text => ("changed", "~"),
        Kind::Same => ("unchanged", "="),
        Kind::Untold => ("missing", "="),
        Kind::Missing => ("missing", "–"),
    };
    format!("<span class=\"kind {class}\">{sign} {}</span>", escape((words.diff_kind)(kind)))
}

fn turn_marked(turn: Turn, words: &Words) -> String {
    let mark = |status| {
        let name = standing(turn.subject, status, words);
        let class = match status {
            Some(Status::Passed) => "pass",
            Some(Status::Failed) => "fail",
            _ => "unscored",
        };
        format!("<span class=\"{class}\">{}</span>", escape(name))
    };
    let (base, candidate) = (mark(turn.base), mark(turn.candidate));
    format!("{} <span class=\"verdict\">{base} → <b>{candidate}</b></span>", html_name(turn.subject, words))
}

fn html_name(subject: Subject, words: &Words) -> String {
    names::marked(subject, words.lang, |name| format!("<code>{}</code>", escape(name)))
}

fn write_pair(
    number: usize,
    diff: &Diff<'_>,
    pair: &Pair<'_>,
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = options.lang.words();
    let (Some(base), Some(candidate)) = (pair.base, pair.candidate) else { return Ok(()) };
    let (base, candidate) = (diff.base.outcomes.outcome(base)?, diff.candidate.outcomes.outcome(candidate)?);
    writeln!(
        out,
        "<section class=\"case\" id=\"{anchor}\">\n<header><h3><a href=\"#{anchor}\">{name}</a><span>{title}</span></h3>\
         {kind}<a class=\"quiet to-top\" href=\"#top\">{top}</a></header>\n<div class=\"beside\">",
        anchor = anchor(number, pair),
        name = escape(&pair.name()),
        title = escape(pair.title),
        kind = kind_mark(pair.kind, words),
        top = escape(words.diff_to_top),
    )?;
    write_verdicts(pair, &base, &candidate, words, out)?;
    writeln!(out, "<div class=\"text\">")?;
    let heads = (
        head(words.diff_base, &diff.base.name(), &base, words),
        head(words.diff_candidate, &diff.candidate.name(), &candidate, words),
    );
    writeln!(
        out,
        "<div class=\"row heads\"><div class=\"old\">{}</div><div class=\"new\">{}</div></div>",
        heads.0, heads.1
    )?;
    if are_kept(&base, &candidate) {
        let (old, new) = (Marks::of(&base, &pair.turns, words), Marks::of(&candidate, &pair.turns, words));
        write_text(&Text::of(&base, &old), &Text::of(&candidate, &new), options, out)?;
    }
    writeln!(out, "</div>\n</div>\n</section>")
}

/// The verdicts that changed, each with the words it rests on.
fn write_verdicts(
    pair: &Pair<'_>,
    base: &Outcome,
    candidate: &Outcome,
    words: &Words,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = if pair.turns.is_empty() { words.diff_no_changes } else { words.diff_changes };
    writeln!(out, "<aside class=\"verdicts\">\n<h4>{}</h4>\n<ul>", escape(title))?;
    for turn in &pair.turns {
        let (grounds, more) = grounds(*turn, base, candidate, MOST_QUOTES, words);
        write!(out, "<li>{}", turn_marked(*turn, words))?;
        if !grounds.is_empty() {
            write!(out, "<ul>")?;
            let before = escape(before(*turn, words));
            for (quote, remark) in &grounds {
                let (quote, remark) = (escape(quote), escape(remark));
                write!(out, "<li>{before}{quote} <span class=\"quiet\">{remark}</span></li>")?;
            }
            if more > 0 {
                write!(out, "<li class=\"quiet\">{}</li>", escape(&(words.more)(more)))?;
            }
            write!(out, "</ul>")?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul>")?;
    if !pair.still_failing.is_empty() {
        let names = pair.still_failing.iter().map(|property| html_name(Subject::Property(*property), words));
        writeln!(
            out,
            "<h4>{}</h4>\n<p>{}</p>",
            escape(words.diff_still_failing),
            names.collect::<Vec<_>>().join(words.list)
        )?;
    }
    writeln!(out, "</aside>")
}

fn head(side: &str, name: &str, outcome: &Outcome, words: &Words) -> String {
    let is_mark = |fact: &str| outcome.finish.reason.is_truncated() && fact == words.truncated;
    let facts = facts(outcome, words).into_iter().map(|fact| {
        if is_mark(&fact) { format!("<span class=\"mark\">{}</span>", escape(&fact)) } else { escape(&fact) }
    });
    format!("{}: <b>{}</b><br>{}", escape(side), escape(name), facts.collect::<Vec<_>>().join(" · "))
}

/// Two texts side by side, row by row.
pub(crate) fn write_text(
    old: &Text<'_>,
    new: &Text<'_>,
    options: DiffOptions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = options.lang.words();
    let alignment = align(old.text, new.text, options.splitters);
    for (holds, note) in [
        (alignment.rows.iter().all(Row::is_same) && old.text != new.text, words.diff_only_blanks),
        (alignment.is_coarse, words.diff_coarse),
    ] {
        if holds {
            writeln!(out, "<div class=\"row quiet\"><div>{}</div></div>", escape(note))?;
        }
    }
    write_rows(&alignment, old, new, words, out)
}

fn write_rows(
    alignment: &Alignment,
    old: &Text<'_>,
    new: &Text<'_>,
    words: &Words,
    out: &mut dyn Write,
) -> io::Result<()> {
    for stretch in stretches(&alignment.rows) {
        let (range, is_folded) = match stretch {
            Stretch::Shown(range) => (range, false),
            Stretch::Folded(range) => (range, true),
        };
        if is_folded {
            let summary = escape(&(words.diff_unchanged)(range.len()));
            writeln!(out, "<details class=\"folded\"><summary>{summary}</summary>")?;
        }
        for row in &alignment.rows[range] {
            write_row(row, old, new, words, out)?;
        }
        if is_folded {
            writeln!(out, "</details>")?;
        }
    }
    Ok(())
}

fn write_row(row: &Row, old: &Text<'_>, new: &Text<'_>, words: &Words, out: &mut dyn Write) -> io::Result<()> {
    let (class, sign, title) = match &row.change {
        Change::Same => ("same", "", ""),
        Change::Reworded(_) => ("reworded", "~", ""),
        Change::Removed => ("removed", "−", words.diff_removed),
        Change::Added => ("added", "+", words.diff_added),
        Change::MovedAway => ("away", "↗", words.diff_moved_away),
        Change::MovedHere => ("here", "↘", words.diff_moved_here),
    };
    let whole = |text: &Text<'_>, passage: &Option<Passage>| {
        passage.as_ref().map_or_else(String::new, |passage| marked(text, passage.range.clone()))
    };
    let (left, right) = (whole(old, &row.base), whole(new, &row.candidate));
    let (starts, is_marked) = (row.starts(), left.contains("<mark"));
    let (left, right) = match &row.change {
        // Narrow screens show one side of a sentence that stayed: unless its marks differ.
        Change::Same => (left, right),
        Change::Reworded(pieces) => (base_words(pieces, old, starts.0), candidate_words(pieces, new, starts.1)),
        _ => (tagged("del", &left), tagged("ins", &right)),
    };
    let differs = if row.is_same() && left != right && is_marked { " marks-differ" } else { "" };
    let note = match &row.change {
        Change::MovedAway | Change::MovedHere => format!(" <span class=\"quiet\">({})</span>", escape(title)),
        _ => String::new(),
    };
    let (note_left, note_right) = if row.base.is_some() { (note.as_str(), "") } else { ("", note.as_str()) };
    let title = if title.is_empty() { String::new() } else { format!(" title=\"{}\"", escape(title)) };
    let gap = gap(row);
    writeln!(
        out,
        "<div class=\"row {class}{differs}{gap}\"><span class=\"sign\"{title}>{sign}</span>\
         <div class=\"old\">{left}{note_left}</div><div class=\"new\">{right}{note_right}</div></div>",
    )
}

/// The class for the greater gap of the two sides: one row keeps its sentences at one height.
fn gap(row: &Row) -> &'static str {
    let gap = |passage: &Option<Passage>| passage.as_ref().map(|passage| passage.gap);
    match gap(&row.base).max(gap(&row.candidate)) {
        Some(Gap::Line) => " line",
        Some(Gap::Paragraph) => " paragraph",
        Some(Gap::None) | None => "",
    }
}

fn tagged(tag: &str, html: &str) -> String {
    if html.is_empty() { String::new() } else { format!("<{tag}>{html}</{tag}>") }
}

/// The words of a range, marked where a verdict rests on them.
fn marked(text: &Text<'_>, range: Range<usize>) -> String {
    let part = |(range, mark): (Range<usize>, Option<&Mark>)| {
        let (start, words) = (range.start, escape(&text.text[range]));
        let Some(mark) = mark else { return words };
        let class = match (mark.is_against, mark.starts_at(start)) {
            (true, true) => "against first",
            (true, false) => "against",
            (false, _) => "for",
        };
        format!("<mark class=\"{class}\" title=\"{}\">{words}</mark>", escape(&mark.why))
    };
    text.parts(range).into_iter().map(part).collect()
}

fn base_words(pieces: &[Piece], text: &Text<'_>, start: usize) -> String {
    let words = |range: &Range<usize>| marked(text, start + range.start..start + range.end);
    let piece = |piece: &Piece| match piece {
        Piece::Same { base, .. } => words(base),
        Piece::Removed(range) => tagged("del", &words(range)),
        Piece::Added(_) => String::new(),
    };
    pieces.iter().map(piece).collect()
}

fn candidate_words(pieces: &[Piece], text: &Text<'_>, start: usize) -> String {
    let words = |range: &Range<usize>| marked(text, start + range.start..start + range.end);
    let piece = |piece: &Piece| match piece {
        Piece::Same { candidate, .. } => words(candidate),
        Piece::Added(range) => tagged("ins", &words(range)),
        Piece::Removed(_) => String::new(),
    };
    pieces.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::super::against_first_prompt;
    use super::*;
    use crate::report::lang::Lang;
    use crate::report::sample::{RunBuilder, SampleRun, diff_sample};

    fn rendered(run: &SampleRun, lang: Lang) -> String {
        let mut out = Vec::new();
        let options = DiffOptions { lang, ..DiffOptions::default() };
        write_html(&against_first_prompt(run, run), options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn body(page: &str) -> &str {
        page.split_once("<body>").unwrap().1
    }

    #[test]
    fn the_page_loads_nothing_and_runs_nothing() {
        let page = rendered(&diff_sample(), Lang::En);
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
        for forbidden in ["<script", "src=", "url(", "http://", "https://", "@import"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn an_answer_is_text_whatever_it_holds() {
        let hostile = "</div><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\x1b[31m。";
        let run = RunBuilder::new(&["plain", "careful"], &["sample"])
            .titled("nara", "<b>\"奈良\"</b>", |trial| {
                if trial.is_of("plain") {
                    return trial.answer("ふつうの文。").pass("article_only");
                }
                trial.answer(hostile).fail("article_only").at(hostile, "meta").why("<i>")
            })
            .build();
        let page = rendered(&run, Lang::En);
        for forbidden in ["<script", "<img", "<b>\"", "<i>", "\u{202e}", "\x1b"] {
            assert!(!page.contains(forbidden), "{forbidden:?}");
        }
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(page.contains("[U+202E]␛[31m"));
    }

    #[test]
    fn a_row_has_a_sentence_of_each_side_with_its_changed_words() {
        let run = RunBuilder::new(&["plain", "careful"], &["sample"])
            .titled("nara", "奈良のシカ", |trial| {
                if trial.is_of("plain") {
                    return trial.answer("シカが増えた。\n\n約30社が来た。").pass("no_fabrication");
                }
                trial.answer("シカが増えた。\n\n約50社が来た。次は冬。").truncated().invents("約50社", "number")
            })
            .build();
        insta::assert_snapshot!(body(&rendered(&run, Lang::En)), @r##"
        <main>
        <h1 id="top">How the answers differ</h1>
        <p class="quiet">− removed, + added, ~ reworded, ↗ moved away, ↘ moved here; marked: the words that a verdict rests on</p>
        <nav>
        <h2>plain@sample → careful@sample</h2>
        <p><span class="kind broken">✗ broken</span> 1</p>
        <div class="wide"><table>
        <tr><td><span class="kind broken">✗ broken</span></td><td><a href="#d1-nara-0">nara</a></td><td>奈良のシカ <span class="mark">TRUNCATED</span></td><td><code>no_fabrication</code> <span class="verdict"><span class="pass">pass</span> → <b><span class="fail">fail</span></b></span></td></tr>
        </table></div>
        </nav>
        <section class="case" id="d1-nara-0">
        <header><h3><a href="#d1-nara-0">nara</a><span>奈良のシカ</span></h3><span class="kind broken">✗ broken</span><a class="quiet to-top" href="#top">to the top</a></header>
        <div class="beside">
        <aside class="verdicts">
        <h4>Verdicts that changed</h4>
        <ul>
        <li><code>no_fabrication</code> <span class="verdict"><span class="pass">pass</span> → <b><span class="fail">fail</span></b></span><ul><li>「約50社」 <span class="quiet">number: nothing in the source supports it</span></li></ul></li>
        </ul>
        </aside>
        <div class="text">
        <div class="row heads"><div class="old">base: <b>plain@sample</b><br>passed · 15 characters</div><div class="new">candidate: <b>careful@sample</b><br>failed · 19 characters · <span class="mark">TRUNCATED</span></div></div>
        <div class="row same"><span class="sign"></span><div class="old">シカが増えた。</div><div class="new">シカが増えた。</div></div>
        <div class="row reworded paragraph"><span class="sign">~</span><div class="old">約<del>30</del>社が来た。</div><div class="new"><mark class="against first" title="no_fabrication: number: nothing in the source supports it">約</mark><ins><mark class="against" title="no_fabrication: number: nothing in the source supports it">50</mark></ins><mark class="against" title="no_fabrication: number: nothing in the source supports it">社</mark>が来た。</div></div>
        <div class="row added"><span class="sign" title="added">+</span><div class="old"></div><div class="new"><ins>次は冬。</ins></div></div>
        </div>
        </div>
        </section>
        </main>
        </body>
        </html>
        "##);
    }

    #[test]
    fn every_tag_that_is_opened_is_closed() {
        for lang in Lang::ALL {
            let page = rendered(&diff_sample(), lang);
            for tag in
                ["div", "section", "details", "aside", "ul", "li", "span", "table", "tr", "td", "del", "ins", "nav"]
            {
                let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        }
    }
}
