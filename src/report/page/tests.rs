//! What a page holds, read as a browser would read it. What its scripts do with it is tested in `tests/browser.rs`.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::*;
use crate::report::sample::{RunBuilder, SampleRun, TrialBuilder, diff_sample, summary_sample};

fn page_of(run: &SampleRun, lang: Lang, most_bytes: usize) -> String {
    let mut out = Vec::new();
    write_report(run, run, &[], lang, most_bytes, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn page(run: &SampleRun) -> String {
    page_of(run, Lang::En, MOST_BYTES)
}

/// A block of data, as a browser would read it; `None` if it is not in the page.
fn block(page: &str, id: &str) -> Option<Value> {
    let start = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = page.split_once(&start)?;
    Some(serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap())
}

#[test]
fn an_answer_is_data_whatever_it_holds() {
    let hostile = "</script><script>evil()</script><!--<img src=x>&amp;\u{2028}\u{202e}\u{0}\u{7f}<b>";
    let run =
        RunBuilder::new(&["p"], &["m"]).titled("a", hostile, |trial| trial.answer(hostile).pass("length")).build();
    let page = page(&run);
    assert_eq!(page.matches("<script").count(), page.matches("</script").count());
    for words in ["evil()</script", "<img", "<!--", "\u{2028}", "\u{202e}", "\u{0}", "\u{7f}"] {
        assert!(!page.contains(words), "{words:?}");
    }
    assert_eq!(block(&page, "case-0").unwrap()["trials"]["0"]["answer"], hostile);
}

#[test]
fn only_our_own_script_and_style_may_run() {
    let page = page(&diff_sample());
    let policy = page.split_once("Content-Security-Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    let (style, script) = (
        page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0,
        page.rsplit_once("<script>").unwrap().1.split_once("</script>").unwrap().0,
    );
    assert!(policy.contains(&format!("style-src '{}'", hash(style))), "{policy}");
    assert!(policy.contains(&format!("script-src '{}'", hash(script))), "{policy}");
    assert!(!page.contains(" style=\"") && !page.contains(" onclick=\""));
    assert!(!SCRIPTS.concat().contains("innerHTML"));
}

#[test]
fn every_word_of_template_and_scripts_is_known_and_every_known_word_is_used() {
    let keys = |pattern: &str, text: &str| -> BTreeSet<String> {
        Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let scripts = SCRIPTS.concat();
    let known: BTreeSet<String> = WORDS.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(known.len(), WORDS.len(), "a key stands twice");
    let parts = ["lang", "style_hash", "script_hash", "style", "script", "data"].map(str::to_owned);
    let mut asked = keys(r"\{\{(\w+)\}\}", TEMPLATE);
    asked.retain(|key| !parts.contains(key));
    asked.extend(keys(r#"\b(?:word|say|button|sourceLine)\("(\w+)""#, &scripts));
    let strangers: Vec<&String> = asked.difference(&known).collect();
    assert!(strangers.is_empty(), "no such word: {strangers:?}");
    let quoted = keys(r#"["`](\w+)["`]"#, &scripts);
    let is_used = |key: &&String| asked.contains(*key) || quoted.contains(*key) || key.starts_with("sort_");
    let unused: Vec<&String> = known.iter().filter(|key| !is_used(key)).collect();
    assert!(unused.is_empty(), "nobody asks for {unused:?}");
    let gaps = |text: &str| keys(r"\{(\w+)\}", text);
    for (key, [english, japanese]) in WORDS {
        assert_eq!(gaps(english), gaps(japanese), "{key}");
    }
}

#[test]
fn a_page_without_room_keeps_the_worst_cases() {
    let run = RunBuilder::new(&["p"], &["m"])
        .case("good", |trial| trial.answer(&"良い文です。".repeat(200)).pass("length").pass("register"))
        .case("bad", |trial| trial.answer(&"悪い文です。".repeat(200)).fail("length").fail("register"))
        .build();
    let size = page(&run).len();
    let cut = page_of(&run, Lang::En, size - 2_000);
    assert!(cut.len() < size - 2_000);
    assert!(block(&cut, "case-0").is_none() && block(&cut, "case-1").is_some());
    // The verdicts of all cases stay.
    assert_eq!(block(&cut, "run-data").unwrap()["trials"].as_array().unwrap().len(), 2);
    let rows = block(&page_of(&run, Lang::En, 2 * 200), "run-data").unwrap();
    assert_eq!((&rows["left_out"], &rows["trials"][0][0]), (&Value::from(1), &Value::from(0)));
    assert_eq!(rows["cases"][0]["id"], "bad");
}

#[test]
fn evidence_stands_at_characters_of_the_answer() {
    let run = RunBuilder::new(&["a", "b"], &["m"])
        .case("x", |trial| {
            let text = if trial.is_of("a") {
                "𠮷野で量子。前の文です。"
            } else {
                "𠮷野で約30社が量子。"
            };
            if trial.is_of("a") { trial.answer(text) } else { trial.answer(text).invents("約30社", "number") }
        })
        .build();
    let page = page(&run);
    let (texts, shared) = (block(&page, "case-0").unwrap(), block(&page, "shared-data").unwrap());
    let score = texts["trials"]["1"]["scores"][0].as_array().unwrap();
    // Property, verdict, value, reason; start, length, kind, why.
    assert_eq!((score.len(), &score[1], &score[4], &score[5]), (8, &1.into(), &3.into(), &4.into()));
    assert_eq!(shared["recurring"][score[6].as_u64().unwrap() as usize]["weight"], "against");
}

#[test]
fn what_recurs_stands_once() {
    let invents =
        |trial: TrialBuilder, words| trial.invents(words, "number").why(&format!("no 「{words}」 in the source"));
    let run = RunBuilder::new(&["p"], &["m"])
        .case("a", |trial| invents(invents(trial.answer("約30社と約50社。"), "約30社"), "約50社"))
        .case("b", |trial| invents(trial.answer("約70社。"), "約70社"))
        .build();
    let shared = block(&page(&run), "shared-data").unwrap();
    let is_why = |piece: &&Value| piece.is_array();
    let whys: Vec<&Value> = shared["recurring"].as_array().unwrap().iter().filter(is_why).collect();
    assert_eq!(whys, [&serde_json::json!(["no 「", "」 in the source"])]);
}

#[test]
fn a_prompt_is_kept_as_it_parts_from_that_of_the_first_case() {
    let run = RunBuilder::new(&["p"], &["m"])
        .titled("a", "量子の会", |trial| trial.answer("文。"))
        .titled("b", "𠮷野の量子", |trial| trial.answer("文。"))
        .build();
    let page = page(&run);
    let base = block(&page, "shared-data").unwrap()["prompts"][0]["user"].as_str().unwrap().to_owned();
    let prompt = &block(&page, "case-1").unwrap()["prompts"][0]["user"];
    let base: Vec<char> = base.chars().collect();
    let (head, tail) = (prompt[0].as_u64().unwrap() as usize, prompt[1].as_u64().unwrap() as usize);
    let text: String = base[..head].iter().chain(&base[base.len() - tail..]).collect();
    let at = text.char_indices().nth(head).map_or(text.len(), |(at, _)| at);
    let text = format!("{}{}{}", &text[..at], prompt[2].as_str().unwrap(), &text[at..]);
    let record = &run.header.cases[1];
    let parsed = crate::prompt::Prompt::parse(
        run.header.prompts[0].id.clone(),
        crate::diagnostic::TextFile::new("prompts/p.md", run.header.prompts[0].text.clone()),
    );
    assert_eq!(text, parsed.unwrap().render(&record.as_it_was()).unwrap().user);
}

#[test]
fn what_differs_from_run_to_run_stands_apart() {
    let build = |millis| {
        let judge = |trial: TrialBuilder| trial.answer("文。").pass("length").latency(millis);
        RunBuilder::new(&["p"], &["m"]).case("a", judge).case("b", |trial| trial.errored("timeout: none")).build()
    };
    let (one, mut other) = (build(3), build(700));
    other.header.name = "another".to_owned();
    other.header.started_at = "2026-01-01T00:00:00Z".parse().unwrap();
    let apart = Regex::new("(?m)^<script[^>]* id=\"volatile-data\">.*</script>$").unwrap();
    let (one, other) = (page(&one), page(&other));
    assert_ne!(one, other);
    assert_eq!(apart.replace(&one, ""), apart.replace(&other, ""));
    let volatile = block(&one, "volatile-data").unwrap();
    assert_eq!(volatile["trials"], serde_json::json!([[3, 1, false], [0, 1, false]]));
    assert_eq!(volatile["attempts"], serde_json::json!({"1": [{"millis": 5, "failure": "timeout"}]}));
}

#[test]
fn earlier_runs_are_shown_by_the_variants_of_this_one() {
    let run = RunBuilder::new(&["p", "q"], &["m"]).case("a", |trial| trial.pass("length")).build();
    let before = RunBuilder::new(&["q", "gone"], &["m"]).case("a", |trial| trial.fail("length")).build();
    let mut out = Vec::new();
    write_report(&run, &run, &[PastRun::of(&before)], Lang::En, MOST_BYTES, &mut out).unwrap();
    let earlier = &block(&String::from_utf8(out).unwrap(), "volatile-data").unwrap()["earlier"];
    assert_eq!((&earlier[0]["run"], &earlier[0]["rates"][0]), (&before.header.name.as_str().into(), &Value::Null));
    assert_eq!(earlier[0]["rates"][1][0], 0.0);
}

#[test]
fn rates_and_verdicts_are_those_of_the_other_reports() {
    let data = block(&page(&summary_sample()), "run-data").unwrap();
    assert_eq!(data["properties"][0]["name"], "article_only");
    let tally = &data["tallies"][0]["subjects"][0];
    assert_eq!((&tally["passed_cases"], &tally["decided_cases"]), (&Value::from(3), &Value::from(3)));
    let letters: Vec<&str> =
        data["trials"].as_array().unwrap().iter().map(|trial| trial[4].as_str().unwrap()).collect();
    // One digit a property: passed, failed, undecided, errored, skipped; `-` if it is not required.
    assert!(letters.iter().all(|letters| letters.len() == 3), "{letters:?}");
    assert_eq!(letters[0], "00-");
}

#[test]
fn the_page_speaks_the_readers_language() {
    let page = page_of(&diff_sample(), Lang::Ja, MOST_BYTES);
    assert!(page.contains("<html lang=\"ja\">") && page.contains("絞り込み"));
    assert!(!Regex::new(r"\{\{\w+\}\}").unwrap().is_match(&page));
    assert_eq!(block(&page, "run-data").unwrap()["words"]["passed"], "合格");
}
