//! `report.html`: a run in one page that opens from disk; its matrix, and each answer with the words marked that verdicts
//! rest on.
//!
//! Promises no network, scripts and styles that are ours alone (by their hashes), answers that are data and never markup,
//! and one block of data for what differs from run to run. Leaves drawing to the scripts beside this file.

mod answers;
mod matrix;
mod recurring;
mod words;

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::answers::{CaseTexts, Prompts};
use self::matrix::{Matrix, Volatile};
use self::recurring::Recurring;
use self::words::{WORDS, word};
use crate::outcome::{Outcomes, Run};
use crate::report::escape::{html, json_for_pages};
use crate::report::history::PastRun;
use crate::report::lang::Lang;

const TEMPLATE: &str = include_str!("page/template.html");
const STYLE: &str = include_str!("page/style.css");

/// One after the other in one function, so that none of their names is a name of the browser's.
const SCRIPTS: [&str; 9] = [
    include_str!("page/data.js"),
    include_str!("page/texts.js"),
    include_str!("page/summary.js"),
    include_str!("page/labels.js"),
    include_str!("page/diff.js"),
    include_str!("page/answer.js"),
    include_str!("page/matrix.js"),
    include_str!("page/address.js"),
    include_str!("page/start.js"),
];

/// Beyond this many bytes a page is slow to open: it keeps the worst cases.
pub const MOST_BYTES: usize = 20_000_000;

/// The share of a page that verdicts may take: the rest is for answers.
const MOST_FOR_MATRIX: usize = 2;

/// After so many cases that found no room, the page is full.
const MOST_MISFITS: usize = 8;

/// Writes report.html beside what `earlier` runs came to, the oldest first, with as many answers as `most_bytes` have room
/// for: those of the worst cases first.
///
/// # Errors
/// `out` cannot be written, or an outcome cannot be read.
pub fn write_report(
    run: &Run,
    outcomes: &dyn Outcomes,
    earlier: &[PastRun],
    lang: Lang,
    most_bytes: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let script = format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPTS.concat());
    let filled = filled(lang, &script);
    let (before, after) = filled.split_once("{{data}}").expect("the template has a place for data");
    let matrix = Matrix::of(run, lang, most_bytes / MOST_FOR_MATRIX);
    let mut written = before.len() + after.len();
    out.write_all(before.as_bytes())?;
    written += write_data("run-data", &matrix, out)?;
    let mut volatile = Volatile::of(run, &matrix, earlier);
    let prompts = Prompts::of(run);
    let mut recurring = Recurring::default();
    written += json(prompts.bases())?.len();
    let mut misfits = 0;
    for case in &matrix.worst {
        let left = most_bytes.saturating_sub(written);
        // Texts take at least a byte a character: what cannot have room is not even read.
        if matrix.chars_of(run, *case) > left {
            continue;
        }
        let known = recurring.len();
        let texts = CaseTexts::of(run, outcomes, &prompts, &matrix, *case, lang, &mut recurring)?;
        let (json, new) = (json(&texts)?, json(&recurring.since(known))?);
        if json.len() + new.len() > left {
            recurring.truncate(known);
            misfits += 1;
            if misfits == MOST_MISFITS {
                break;
            }
            continue;
        }
        written += write_block(&format!("case-{case}"), &json, out)? + new.len();
        volatile.attempts.extend(texts.attempts);
    }
    write_data("shared-data", &Shared { recurring: &recurring, prompts: prompts.bases() }, out)?;
    write_data("volatile-data", &volatile, out)?;
    out.write_all(after.as_bytes())
}

/// What the texts of all cases refer to.
#[derive(Serialize)]
struct Shared<'a, P> {
    recurring: &'a Recurring,
    /// As the first case has them.
    prompts: &'a P,
}

fn write_data(id: &str, value: &impl Serialize, out: &mut dyn Write) -> io::Result<usize> {
    write_block(id, &json(value)?, out)
}

fn write_block(id: &str, json: &str, out: &mut dyn Write) -> io::Result<usize> {
    writeln!(out, "<script type=\"application/json\" id=\"{id}\">{json}</script>")?;
    Ok(json.len())
}

fn json(value: &impl Serialize) -> io::Result<String> {
    Ok(json_for_pages(&serde_json::to_string(value)?))
}

/// The template with everything in its place but the data.
fn filled(lang: Lang, script: &str) -> String {
    let parts = [
        ("lang", lang.name().to_owned()),
        ("style_hash", hash(STYLE)),
        ("script_hash", hash(script)),
        ("style", STYLE.to_owned()),
        ("script", script.to_owned()),
    ];
    let words = WORDS.iter().map(|(key, _)| (*key, html(word(key, lang))));
    let fill = |page: String, (key, text): (&str, String)| page.replace(&format!("{{{{{key}}}}}"), &text);
    words.chain(parts).fold(TEMPLATE.to_owned(), fill)
}

/// How a Content-Security-Policy names a script or style that may stand in the page.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests;
