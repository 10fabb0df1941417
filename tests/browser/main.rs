//! report.html in a real browser, where Chromium is installed: what readers do with it, and what answers cannot do to it.
//!
//! Where none is installed, a line says so and the tests pass. axe-core, which looks for obstacles to readers who do not
//! see or use no mouse, is taken from `AXE_CORE` (the path of axe.min.js); `.ci/run` fetches it.

mod address;
mod chromium;
mod sides;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chromium::{Browser, skipped};

/// Calls the program in a folder.
fn evalrun(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evalrun")).args(arguments).current_dir(folder).output().unwrap()
}

/// A run of this repository's own project and a comparison of two of its variants, in both languages.
static OWN: LazyLock<TempDir> = LazyLock::new(|| {
    let (folder, root) = (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")));
    for lang in ["en", "ja"] {
        let out = folder.path().join(lang);
        let output = evalrun(root, &["run", "--lang", lang, "--out", out.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let run = |variant: &str| format!("{}::{variant}@sample-inventive", out.display());
        let sides = [run("news-article"), run("news-article-careful")];
        let output = evalrun(root, &["compare", &sides[0], &sides[1], "--format", "html", "--lang", lang]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(out.join("compare.html"), output.stdout).unwrap();
    }
    folder
});

fn own_page(lang: &str) -> PathBuf {
    OWN.path().join(lang).join("report.html")
}

/// A project with one prompt and one model whose answers are recorded; its page.
fn page_of(cases: &[(String, String, String)]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("evalrun.toml", "[require]\njapanese_only = true\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n");
    write("prompts/p.md", "{{ title }}について書く。\n");
    let mut lines = String::new();
    for (id, title, answer) in cases {
        let source = json!({"published_at": "2025-06-30T07:00:00+09:00", "publisher": title, "title": title});
        lines += &json!({"id": id, "source": source, "tags": ["t"]}).to_string();
        lines.push('\n');
        write(&format!("cases/{id}/answers/p/m.md"), answer);
    }
    write("cases/all.jsonl", &lines);
    let output = evalrun(folder.path(), &["run", "--out", "run"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = folder.path().join("run/report.html");
    (folder, page)
}

/// A browser with the page of this repository's own project.
fn opened(fragment: &str) -> Option<Browser> {
    let mut browser = Browser::start()?;
    browser.open(&own_page("en"), fragment);
    Some(browser)
}

/// Chooses or types into one of the filters.
fn set(browser: &mut Browser, filter: &str, value: &str) {
    let event = "new Event(\"input\", {bubbles: true})";
    let value = json!(value);
    browser.value(&format!(
        "{{ const field = document.getElementById(\"{filter}\"); field.value = {value}; field.dispatchEvent({event}); }}"
    ));
}

fn shown(browser: &mut Browser) -> String {
    browser.text("document.getElementById(\"shown\").textContent")
}

const JETRO: &str = "#jetro-quantum-mission/news-article@sample-inventive";
const BESIDE: &str =
    "#jetro-quantum-mission/news-article@sample-careful/news-article-careful@sample-careful/news-article@sample-chatty";
const CHANGED: &str = "#jetro-quantum-mission/news-article@sample-careful/news-article-careful@sample-careful";

#[test]
fn filters_leave_the_cases_that_fit() {
    let Some(mut browser) = opened("") else { return };
    assert_eq!(shown(&mut browser), "14 of 14 cases");
    let first = "document.querySelector(\".line .case b\").textContent";
    for (filters, expected, first_case) in [
        (&[("text", "ジェトロ")][..], "1 of 14 cases", Some("jetro-quantum-mission")),
        (
            &[("text", "ＪＥＴＲＯ－ quantum".trim_end_matches(" quantum"))],
            "1 of 14 cases",
            Some("jetro-quantum-mission"),
        ),
        (&[("tag", "first-case")], "1 of 14 cases", Some("jetro-quantum-mission")),
        (&[("verdict", "truncated")], "2 of 14 cases", Some("company-single-rice-cooker")),
        (&[("property", "contains"), ("verdict", "failed")], "2 of 14 cases", None),
        (&[("property", "japanese_only"), ("verdict", "failed"), ("model", "sample-careful")], "0 of 14 cases", None),
        (
            &[("model", "sample-careful"), ("prompt", "news-article-careful"), ("verdict", "passed")],
            "11 of 14 cases",
            None,
        ),
        (&[("text", "無い言葉")], "0 of 14 cases", None),
        (&[("sort", "fabricated")], "14 of 14 cases", None),
    ] {
        for (filter, value) in filters {
            set(&mut browser, filter, value);
        }
        assert_eq!(shown(&mut browser), expected, "{filters:?}");
        if let Some(case) = first_case {
            assert_eq!(browser.text(first), case, "{filters:?}");
        }
        let columns = "document.querySelectorAll(\"[role=columnheader]\").length";
        let is_of_one = |filter: &str| filters.iter().any(|(name, _)| *name == filter);
        let wanted = (if is_of_one("prompt") { 1 } else { 2 }) * (if is_of_one("model") { 1 } else { 3 }) + 1;
        assert_eq!(browser.value(columns), wanted, "{filters:?}");
        browser.value("document.getElementById(\"clear\").click()");
        assert_eq!(
            browser.text(
                "new Promise((done) => setTimeout(() => done(document.getElementById(\"shown\").textContent), 0))"
            ),
            "14 of 14 cases"
        );
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_keyboard_goes_through_cases_and_answers() {
    let Some(mut browser) = opened("") else { return };
    let here = "document.activeElement.getAttribute(\"data-row\") + \",\" + document.activeElement.getAttribute(\"data-column\")";
    browser.press(&["j"]);
    assert_eq!(browser.text(here), "0,0");
    browser.press(&["j", "j", "l", "k"]);
    assert_eq!(browser.text(here), "1,1");
    browser.press(&["Enter"]);
    assert_eq!(browser.text("location.hash"), "#association-planner-survey/news-article@sample-inventive");
    browser.press(&["j"]);
    assert_eq!(browser.text("location.hash"), "#city-write-free-counter/news-article@sample-inventive");
    browser.press(&["l", "k"]);
    assert_eq!(browser.text("location.hash"), "#association-planner-survey/news-article@sample-chatty");
    browser.press(&["j", "Escape"]);
    assert_eq!(browser.text("location.hash"), "");
    // Where the reader left off, the matrix goes on.
    assert_eq!(browser.text(here), "2,1");
    browser.press(&["/"]);
    assert_eq!(browser.text("document.activeElement.id"), "text");
    browser.press(&["j"]);
    assert_eq!(browser.text("document.getElementById(\"text\").value"), "j");
    browser.press(&["Escape", "j"]);
    assert_eq!(browser.text(here), "2,1");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn labels_are_downloaded_as_lines_that_calibrate_reads() {
    let Some(mut browser) = opened(JETRO) else { return };
    let click = |property: &str, key: &str| {
        format!("document.querySelector(\"dialog button[aria-label='{property}: {key}']\").click()")
    };
    browser.value(&click("no_fabrication", "wrong"));
    browser.value(&click("register", "right"));
    browser.value(&click("length", "right"));
    browser.value(&click("length", "right"));
    browser.value(
        "{ const note = document.querySelector(\"dialog input[aria-label='Note: no_fabrication']\"); \
         note.value = \"「28社」は発表にある\"; note.dispatchEvent(new Event(\"input\")); }",
    );
    browser.value(&click("article_only", "wrong"));
    let select = |from: u32, to: u32| {
        format!(
            "(() => {{ const mark = [...document.querySelectorAll(\"dialog .text mark.against\")][1]; \
             const range = document.createRange(); range.setStart(mark.previousSibling, {from}); range.setEnd(mark, {to}); \
             getSelection().removeAllRanges(); getSelection().addRange(range); return getSelection().toString(); }})()"
        )
    };
    // The number before marked words is none of them.
    let selected = browser.text(&select(0, 2));
    assert_eq!(selected, "、あわせて64人");
    browser.value(&click("article_only", "selected words"));
    browser.text(&select(3, 2));
    browser.value(&click("article_only", "selected words"));
    browser.value("document.querySelector(\"dialog .marked\").click()");
    assert_eq!(browser.text("document.getElementById(\"download\").textContent"), "Download labels (3)");
    browser.press(&["Escape"]);
    assert_eq!(browser.value("document.querySelectorAll(\".open .labelled\").length"), 1);
    set(&mut browser, "verdict", "labelled");
    assert_eq!(shown(&mut browser), "1 of 14 cases");
    browser.value("document.getElementById(\"download\").click()");
    let lines = browser.downloaded("labels.jsonl");
    let item: Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!(item["id"], "jetro-quantum-mission/news-article@sample-inventive/0");
    assert_eq!(
        item["labels"],
        json!({"no_fabrication": {"pass": true}, "register": {"pass": true}, "article_only": {"pass": false, "spans": ["せて64人"]}})
    );
    assert_eq!(item["notes"], "no_fabrication: 「28社」は発表にある");
    let answer = "cases/jetro-quantum-mission/answers/news-article/sample-inventive.md";
    let answer = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(answer)).unwrap();
    assert_eq!(item["output"].as_str().unwrap().trim_end(), answer.trim_end());
    assert!(item["prompt"].as_str().unwrap().starts_with("2025-06-30 07:00に日本貿易振興機構を見ると"));
    let output = evalrun(&browser.downloads(), &["calibrate", "--items", "labels.jsonl", "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| {
        let all = told["properties"].as_array().unwrap();
        all.iter().find(|property| property["property"] == name || property["name"] == name).unwrap().clone()
    };
    assert_eq!(of("no_fabrication")["false_alarms"], 1, "{told}");
    assert_eq!(of("register")["both_pass"], 1, "{told}");
    assert_eq!(
        (&of("article_only")["missed"], &of("article_only")["spans"]["people"]),
        (&1.into(), &1.into()),
        "{told}"
    );
    // They are still there when the page is opened again.
    browser.open(&own_page("en"), JETRO);
    assert_eq!(browser.text("document.getElementById(\"download\").textContent"), "Download labels (3)");
    let pressed =
        "document.querySelector(\"dialog button[aria-label='no_fabrication: wrong']\").getAttribute(\"aria-pressed\")";
    assert_eq!(browser.text(pressed), "true");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn hostile_answers_execute_nothing_and_hide_nothing() {
    let hostile = [
        "<script>evil()</script>",
        "</script><script>evil()</script><!--",
        "<img src=x onerror=evil()>",
        "\"><svg/onload=evil()>' onmouseover='evil()",
        "javascript:evil()",
        "{{constructor.constructor('evil()')()}}",
        "安全\u{202e}cod.\u{2066}exe\u{200b}\u{feff}\u{e0041}\u{1b}[31m\u{7f}\u{0}",
    ];
    let cases: Vec<_> = hostile
        .iter()
        .enumerate()
        .map(|(n, text)| (format!("case-{n}"), (*text).to_owned(), format!("{text}\n{text}約30社。")))
        .collect();
    let Some(mut browser) = Browser::start() else { return };
    let (_folder, page) = page_of(&cases);
    browser.ask(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({"source": "window.evil = () => { window.isHarmed = true; }; window.alert = window.evil;"}),
    );
    for (n, text) in hostile.iter().enumerate() {
        browser.open(&page, &format!("#case-{n}/p@m"));
        let shown = browser.text("document.querySelector(\"dialog .answer-text .text\").textContent");
        let hidden = ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{e0041}', '\u{1b}', '\u{7f}', '\u{0}'];
        assert!(!shown.contains(hidden), "{shown:?}");
        let all = browser.text(
            "[document.title, ...Array.from(document.querySelectorAll(\"main, dialog\"), (part) => part.textContent), \
             ...Array.from(document.querySelectorAll(\"[title], [aria-label]\"), (one) => one.title + one.ariaLabel)].join()",
        );
        assert!(!all.contains(hidden), "{all:?}");
        if text.contains(hidden) {
            assert!(
                shown.contains("[U+202E]") && shown.contains("[U+E0041]") && shown.contains("␛[31m␡␀"),
                "{shown:?}"
            );
        } else {
            let words = "(() => { const copy = document.querySelector(\"dialog .answer-text .text\").cloneNode(true); \
                         copy.querySelectorAll(\"sup\").forEach((sign) => sign.remove()); return copy.textContent; })()";
            assert!(browser.text(words).starts_with(text), "{shown:?}");
        }
        assert_eq!(browser.value("document.querySelectorAll(\"img, iframe, object, [onload], [onerror]\").length"), 0);
        browser.press(&["Escape"]);
        assert_eq!(browser.value("window.isHarmed ?? false"), false, "{text}");
    }
    // An address may come from anybody, too.
    let strange = "%3Cimg%20src=x%20onerror=evil()%3E%E2%80%AE";
    browser.open(&page, &format!("#?property={strange}&{strange}=1&q={strange}"));
    let notice = browser.text("document.getElementById(\"strange\").textContent");
    assert!(notice.contains("onerror=evil()>[U+202E]"), "{notice}");
    assert_eq!(browser.value("document.querySelectorAll(\"img\").length"), 0);
    assert_eq!(browser.value("window.isHarmed ?? false"), false);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_pages_policy_stops_whatever_is_not_its_own() {
    let Some(mut browser) = opened("") else { return };
    for (tag, content, what) in [
        ("script", "textContent = 'window.isHarmed = true'", "script"),
        ("img", "src = 'http://127.0.0.1:9/x.png'", "img-src"),
        ("style", "textContent = 'body { color: red }'", "style"),
    ] {
        assert_eq!(browser.complaints(), [""; 0]);
        browser.value(&format!(
            "{{ const one = document.createElement(\"{tag}\"); one.{content}; document.body.append(one); }}"
        ));
        let complaints = browser.complaints();
        assert!(complaints.iter().any(|complaint| complaint.contains(what)), "{tag}: {complaints:?}");
        browser.open(&own_page("en"), "");
        browser.forget_complaints();
    }
    assert_eq!(browser.value("window.isHarmed ?? false"), false);
}

#[test]
fn a_page_is_never_wider_than_a_telephone() {
    let Some(mut browser) = Browser::start() else { return };
    let widths = |browser: &mut Browser| {
        browser.value("document.querySelectorAll(\"details\").forEach((one) => { one.open = true; })");
        browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
        browser.value(
            "[document.documentElement, document.querySelector(\"dialog[open]\")].map((one) => one?.scrollWidth ?? 0)",
        )
    };
    for width in [320, 390] {
        browser.resize(width, 800);
        for lang in ["en", "ja"] {
            for fragment in ["", "#?verdict=failed&property=no_fabrication", JETRO, CHANGED, BESIDE] {
                browser.open(&own_page(lang), fragment);
                let widths = widths(&mut browser);
                assert!(widths[0] == width && widths[1].as_u64() <= Some(width.into()), "{lang} {fragment}: {widths}");
            }
            for page in ["diff.html", "compare.html"] {
                browser.open(&OWN.path().join(lang).join(page), "");
                assert_eq!(widths(&mut browser)[0], width, "{lang} {page}");
            }
        }
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn repeats_failures_and_attempts_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "evalrun.toml",
        "[run]\nrepeats = 3\n[require]\njapanese_only = true\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n",
    );
    write("prompts/p.md", "{{ title }}について書く。\n");
    write(
        "cases/a/case.toml",
        "[source]\npublished_at = \"2025-06-30T07:00:00+09:00\"\npublisher = \"機構\"\ntitle = \"題\"\n",
    );
    write("cases/a/answers/p/m.md", "日本語の記事です。");
    write("cases/a/answers/p/m.1.md", "This is an article, written in English.");
    assert_eq!(evalrun(folder.path(), &["run", "--out", "run"]).status.code(), Some(3));
    let Some(mut browser) = Browser::start() else { return };
    browser.open(&folder.path().join("run/report.html"), "");
    assert_eq!(browser.text("document.querySelector(\".open .status\").textContent"), "✗ 1/3");
    browser.value("document.querySelector(\".open\").click()");
    // Of several repeats, the one that decides.
    assert_eq!(browser.text("location.hash"), "#a/p@m:1");
    browser.value("document.querySelectorAll(\"dialog .chip button\")[2].click()");
    assert_eq!(browser.text("location.hash"), "#a/p@m:2");
    let notice = browser.text("document.querySelector(\"dialog .notice\").textContent");
    assert!(notice.contains("not recorded"), "{notice}");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn marked_words_are_those_of_the_evidence() {
    let Some(mut browser) = opened(JETRO) else { return };
    let quoted = "Array.from(document.querySelectorAll(\"dialog .text mark.against\"), (mark) => \
                  { const copy = mark.cloneNode(true); copy.querySelector(\"sup\")?.remove(); return copy.textContent; })";
    let marked = browser.value(quoted);
    assert!(marked.as_array().unwrap().iter().any(|words| words == "28社"), "{marked}");
    let titles = "document.querySelector(\"dialog .text mark.against\").title";
    assert!(browser.text(titles).starts_with("✗ no_fabrication: number · fabricated · unsupported"));
    let entry = browser.text("document.querySelector(\"dialog .score.failed .evidence li\").textContent");
    assert!(entry.contains("「28社」") && entry.contains("nor an equal amount in the source"), "{entry}");
}

#[test]
fn of_many_rows_only_those_in_sight_are_drawn() {
    let cases: Vec<_> =
        (0..400).map(|n| (format!("case-{n:03}"), format!("{n}番目"), "記事です。".to_owned())).collect();
    let Some(mut browser) = Browser::start() else { return };
    let (_folder, page) = page_of(&cases);
    browser.open(&page, "");
    let drawn = "document.querySelectorAll(\".line\").length";
    assert!(browser.value(drawn).as_u64() < Some(40));
    browser.value("new Promise((done) => { scrollTo(0, document.body.scrollHeight); setTimeout(done, 100); })");
    assert!(browser.value(drawn).as_u64() < Some(40));
    let last = "Array.from(document.querySelectorAll(\".line .case b\"), (name) => name.textContent).sort().at(-1)";
    assert_eq!(browser.text(last), "case-399");
    // Paper shows them all.
    browser.value("dispatchEvent(new Event(\"beforeprint\"))");
    assert_eq!(browser.value(drawn), 400);
    browser.value("dispatchEvent(new Event(\"afterprint\"))");
    assert!(browser.value(drawn).as_u64() < Some(40));
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Findings of axe-core that keep readers out, as `rule: element`.
fn obstacles(browser: &mut Browser, axe: &str) -> Vec<String> {
    browser.value(axe);
    let found = browser.value("axe.run({ resultTypes: [\"violations\"] })");
    let mut told = Vec::new();
    for rule in found["violations"].as_array().unwrap() {
        if ["serious", "critical"].contains(&rule["impact"].as_str().unwrap_or_default()) {
            told.push(format!("{}: {}", rule["id"].as_str().unwrap(), rule["nodes"][0]["html"]));
        }
    }
    told
}

#[test]
fn nothing_keeps_readers_out() {
    let Some(axe) = env::var_os("AXE_CORE") else {
        skipped("AXE_CORE names no axe.min.js, so nothing looked for obstacles in report.html (npm pack axe-core)");
        return;
    };
    let axe = fs::read_to_string(axe).unwrap();
    let Some(mut browser) = Browser::start() else { return };
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 375)] {
        browser.resize(width, 900);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.ask("Emulation.setEmulatedMedia", json!({"features": features}));
        for (lang, fragment) in [("en", ""), ("ja", JETRO), ("en", CHANGED), ("en", BESIDE)] {
            browser.open(&own_page(lang), fragment);
            browser.value("document.querySelectorAll(\"details\").forEach((one) => { one.open = true; })");
            assert_eq!(obstacles(&mut browser, &axe), [""; 0], "{scheme} {width} {lang} {fragment}");
        }
    }
    // It would have found one.
    browser.value("document.querySelector(\"#answer .bar p\").style.color = \"#999\"");
    assert!(obstacles(&mut browser, &axe)[0].starts_with("color-contrast"));
}
