//! Answers side by side, and what changed between them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use evalrun::report::diff::{Change, Passage, Row, Splitters, align};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chromium::Browser;
use crate::{CHANGED, evalrun, opened, own_page, page_of};

/// The page of a project with two prompts: of each case its name, and the answers to both.
fn page_of_two(cases: &[(&str, &str, &str)]) -> (TempDir, PathBuf) {
    let first: Vec<_> =
        cases.iter().map(|(id, first, _)| (id.to_string(), id.to_string(), first.to_string())).collect();
    let (folder, page) = page_of(&first);
    fs::write(folder.path().join("prompts/q.md"), "{{ title }}を詳しく。\n").unwrap();
    for (id, _, second) in cases {
        let answers = folder.path().join(format!("cases/{id}/answers/q"));
        fs::create_dir_all(&answers).unwrap();
        fs::write(answers.join("m.md"), second).unwrap();
    }
    fs::remove_dir_all(folder.path().join("run")).unwrap();
    assert!(evalrun(folder.path(), &["run", "--out", "run"]).status.success());
    (folder, page)
}

#[test]
fn answers_stand_beside_each_other_with_what_changed() {
    let Some(mut browser) = opened(CHANGED) else { return };
    assert_eq!(browser.value("document.querySelectorAll(\"dialog .changes\").length"), 1);
    assert_ne!(browser.value("document.querySelectorAll(\"dialog .changes ins\").length"), 0);
    assert_ne!(browser.value("document.querySelectorAll(\"dialog .changes del\").length"), 0);
    browser.value("document.querySelector(\"dialog .switch input\").click()");
    assert_eq!(browser.value("document.querySelectorAll(\"dialog .changes\").length"), 0);
    assert_eq!(browser.value("document.querySelectorAll(\"dialog .column\").length"), 2);
    browser.value("document.querySelectorAll(\"dialog .chip input\")[2].click()");
    assert_eq!(browser.value("document.querySelectorAll(\"dialog .column\").length"), 3);
    assert_eq!(browser.text("location.hash").split('/').count(), 4);
    // Of three, what the first does not say is marked in the others.
    browser.value("document.querySelector(\"dialog .switch input\").click()");
    let marked =
        "Array.from(document.querySelectorAll(\"dialog .column\"), (one) => one.querySelectorAll(\"ins\").length > 0)";
    assert_eq!(browser.value(marked), json!([false, true, true]));
    assert_eq!(browser.complaints(), [""; 0]);
}

/// The rows in which a page lays two answers side by side: sign, old and new sentence.
const ROWS: &str = "Array.from(document.querySelectorAll(\"dialog .changes .row:has(> .sign)\"), (row) => { \
     const copy = row.cloneNode(true); copy.querySelectorAll(\"sup\").forEach((one) => one.remove()); \
     return [...copy.children].map((one) => one.textContent); }).slice(1, -1)";

/// What diff.html says of two answers in such rows.
fn expected_rows(base: &str, candidate: &str) -> Value {
    let text = |text: &str, passage: &Option<Passage>| {
        passage.as_ref().map_or(String::new(), |passage| text[passage.range.clone()].to_owned())
    };
    let row = |row: &Row| {
        let sign = match row.change {
            Change::Same => "",
            Change::Reworded(_) => "~",
            Change::Removed => "−",
            Change::Added => "+",
            Change::MovedAway => "↗",
            Change::MovedHere => "↘",
        };
        json!([sign, text(base, &row.base), text(candidate, &row.candidate)])
    };
    align(base, candidate, Splitters::default()).rows.iter().map(row).collect()
}

#[test]
fn any_two_answers_are_laid_side_by_side_as_diff_html_does_it() {
    let Some(mut browser) = Browser::start() else { return };
    let mut signs = BTreeSet::new();
    for case in ["jetro-quantum-mission", "museum-salt-roads", "hospital-medication-calls"] {
        let variants: Vec<(&str, &str)> = ["news-article", "news-article-careful"]
            .iter()
            .flat_map(|prompt| ["sample-careful", "sample-inventive", "sample-chatty"].map(|model| (*prompt, model)))
            .collect();
        let answer = |(prompt, model): &(&str, &str)| {
            let path = format!("cases/{case}/answers/{prompt}/{model}.md");
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
        };
        for (n, one) in variants.iter().enumerate() {
            for other in &variants[n + 1..] {
                browser.open(&own_page("en"), &format!("#{case}/{}@{}/{}@{}", one.0, one.1, other.0, other.1));
                let rows = browser.value(ROWS);
                assert_eq!(rows, expected_rows(&answer(one), &answer(other)), "{case}: {one:?} {other:?}");
                signs.extend(rows.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap().to_owned()));
            }
        }
    }
    assert!(signs.len() >= 4, "{signs:?}");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn words_that_changed_are_marked_and_what_is_too_long_is_not_compared() {
    let Some(mut browser) = Browser::start() else { return };
    let long = |first: &str| format!("{first}{}", "量子ミッションは、".repeat(40_000));
    let (_folder, page) = page_of_two(&[
        (
            "words",
            "約30社が参加しました。企業が参加した。同じ文です。取組の目的は交流。",
            "約50社が参加しました。企業や大学が参加した。同じ文です。計画の目標は交流。",
        ),
        (
            "moved",
            "目的は連携の強化です。会場はシカゴ大学でした。参加費は無料だったそうです。",
            "会場はシカゴ大学でした。参加費は無料だったそうです。目的は連携の強化です。",
        ),
        ("long", &long("前"), &long("後")),
        ("many", &"一文。".repeat(3_000), &"二文。三文。".repeat(1_500)),
    ]);
    let marked = "Array.from(document.querySelectorAll(\"dialog .changes del, dialog .changes ins\"), (one) => \
                  one.tagName.toLowerCase() + one.textContent)";
    let signs =
        "Array.from(document.querySelectorAll(\"dialog .changes .row > .sign\"), (one) => one.textContent).join(\"\")";
    browser.open(&page, "#words/p@m/q@m");
    assert_eq!(browser.value(marked), json!(["del30", "ins50", "insや大学", "del取組の目的", "ins計画の目標"]));
    assert_eq!(browser.text(signs), "~~~");
    browser.open(&page, "#moved/p@m/q@m");
    assert_eq!(browser.text(signs), "↗↘");
    // The reverse is another question.
    browser.open(&page, "#words/q@m/p@m");
    assert_eq!(browser.value(marked), json!(["del50", "ins30", "delや大学", "del計画の目標", "ins取組の目的"]));
    for case in ["long", "many"] {
        browser.open(&page, &format!("#{case}/p@m/q@m"));
        let notice = "document.querySelector(\"dialog .changes .notice\")?.textContent ?? \"\"";
        assert!(browser.text(notice).contains("too long to be compared"), "{case}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}
