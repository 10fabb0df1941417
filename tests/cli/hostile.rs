//! Hostile words in every report: in answers, headlines, servers' names of models and programs' complaints.
//!
//! One table of words, one of reports. A report that is new belongs into [`REPORTS`]; what its form must not hold is told
//! once for all reports of that form. Where answers are shown, what follows the hostile words must still be seen.

use std::io::Cursor;

use calamine::{Reader as _, Xlsx};

use crate::support::csv::Csv;
use crate::support::project::Project;

/// What a model, a feed or a server may say.
const HOSTILE: [&str; 16] = [
    "<script>evil()</script>",
    "</script><script>evil()</script><!--",
    "<img src=x onerror=evil()>",
    "\"><svg/onload=evil()>' onmouseover='evil()",
    "</td></tr></table></details>",
    "]]></failure><testsuite>",
    "\u{1b}[31m赤\u{1b}]8;;http://e.example\u{7}飛ぶ\u{1b}[2J\u{8}\u{0}",
    "\u{9b}31m\u{85}",
    "安全\u{202e}cod.\u{2066}exe\u{200b}\u{feff}\u{e0041}",
    "=HYPERLINK(\"http://e.example\",\"押す\")",
    "　＝cmd|' /C calc'!A0",
    "\t@SUM(1)",
    "-1+1\r+81",
    "::set-output name=x::y\n::error::z",
    "##[error]a ##vso[task.complete]b ##teamcity[c]",
    "[x](javascript:evil()) ![y](http://e.example) @everyone <b>\n# x\n```\n| a | b |",
];

/// What a report is made of, and so what must not be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Html,
    Json,
    Markdown,
    Terminal,
    Workbook,
    Xml,
}

/// Whether the report shows whole answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Answers,
    Other,
}

/// A report: a file of the run, or what a command prints.
#[derive(Debug, Clone, Copy)]
enum Made {
    File(&'static str),
    Command(&'static str),
}

const REPORTS: &[(Made, Form, Shows)] = &[
    (Made::File("metrics.csv"), Form::Csv, Shows::Other),
    (Made::File("scores.csv"), Form::Csv, Shows::Other),
    (Made::File("summary.csv"), Form::Csv, Shows::Other),
    (Made::File("report.xlsx"), Form::Workbook, Shows::Answers),
    (Made::File("summary.md"), Form::Markdown, Shows::Other),
    (Made::File("diff.md"), Form::Markdown, Shows::Answers),
    (Made::File("diff.html"), Form::Html, Shows::Answers),
    (Made::File("report.html"), Form::Html, Shows::Answers),
    (Made::File("junit.xml"), Form::Xml, Shows::Other),
    (Made::Command("report run"), Form::Terminal, Shows::Other),
    (Made::Command("report run --lang ja"), Form::Terminal, Shows::Other),
    (Made::Command("report run --format json"), Form::Json, Shows::Other),
    (Made::Command("report run --format csv"), Form::Csv, Shows::Other),
    (Made::Command("report run --format markdown"), Form::Markdown, Shows::Other),
    (Made::Command("report run --format junit"), Form::Xml, Shows::Other),
    (Made::Command("report run --format tap"), Form::Terminal, Shows::Other),
    (Made::Command("report run --format code-quality"), Form::Json, Shows::Other),
    (Made::Command("show run *"), Form::Terminal, Shows::Answers),
    (Made::Command("show run * --lang ja"), Form::Terminal, Shows::Answers),
    (Made::Command("compare run::p@m run::q@m"), Form::Terminal, Shows::Other),
    (Made::Command("compare run::p@m run::q@m --format json"), Form::Json, Shows::Other),
    (Made::Command("compare run::p@m run::q@m --format markdown"), Form::Markdown, Shows::Other),
    (Made::Command("compare run::p@m run::q@m --format html"), Form::Html, Shows::Answers),
    (Made::Command("compare run::p@m run::q@m --format diff"), Form::Terminal, Shows::Answers),
    (Made::Command("history ."), Form::Terminal, Shows::Other),
    (Made::Command("history . --format csv"), Form::Csv, Shows::Other),
    (Made::Command("history . --format json"), Form::Json, Shows::Other),
    (Made::Command("gate run"), Form::Terminal, Shows::Other),
    (Made::Command("gate run --format json"), Form::Json, Shows::Other),
    (Made::Command("gate run --format markdown"), Form::Markdown, Shows::Other),
    (Made::Command("gate run --lang ja"), Form::Terminal, Shows::Other),
    (Made::Command("report run --format html"), Form::Html, Shows::Answers),
    (Made::Command("list"), Form::Terminal, Shows::Other),
    (Made::Command("list --format json"), Form::Json, Shows::Other),
    (Made::Command("score --items labels.jsonl"), Form::Json, Shows::Other),
    (Made::Command("score --items labels.jsonl --format text"), Form::Terminal, Shows::Answers),
    (Made::Command("score --items labels.jsonl --format text --lang ja"), Form::Terminal, Shows::Answers),
    (Made::Command("calibrate --items labels.jsonl"), Form::Terminal, Shows::Other),
    (Made::Command("calibrate --items labels.jsonl --show"), Form::Terminal, Shows::Other),
    (Made::Command("calibrate --items labels.jsonl --show --format json"), Form::Json, Shows::Other),
    (Made::Command("calibrate --items labels.jsonl --format csv"), Form::Csv, Shows::Other),
    (Made::Command("calibrate --items labels.jsonl --show --format csv"), Form::Csv, Shows::Other),
];

/// What stands after the hostile words of a case, to be seen wherever its answers are shown.
fn mark(case: usize) -> String {
    // Without a number, which would be evidence and so parted from the words around it.
    format!("しるし{}だよ", "あいうえおかきくけこさしすせそた".chars().nth(case).unwrap())
}

/// A run in which each of the hostile words stands in a case of its own, and in all the places that others write.
fn project() -> Project {
    let config = "[require]\njapanese_only = true\narticle_only = true\nno_fabrication = true\nlength = { min_chars = 100000 }\n\
                  [gate]\njapanese_only = { min_rate = 0.9, max_broken = 0 }\n\
                  [[model]]\nid = \"m\"\nprovider = \"recorded\"\n\
                  [[model]]\nid = \"broken\"\nprovider = \"command\"\ncommand = [\"sh\", \"-c\", \"cat >&2; exit 1\"]\n";
    let (mut cases, mut labels) = (String::new(), String::new());
    let mut project = Project::new(config, &[]).with("prompts/q.md", "{{ title }}を詳しく。\n");
    for (n, hostile) in HOSTILE.iter().enumerate() {
        let (id, mark) = (format!("case-{n}"), mark(n));
        let source =
            serde_json::json!({"published_at": "2025-06-30T07:00:00+09:00", "publisher": hostile, "title": hostile});
        let require = serde_json::json!({"contains": [hostile, "無い語"], "not_contains": [hostile]});
        cases += &serde_json::json!({"id": id, "source": source, "require": require}).to_string();
        cases.push('\n');
        let judged = serde_json::json!({"pass": false, "spans": [{"text": hostile, "kind": hostile}]});
        let judged = serde_json::json!({"japanese_only": judged, "article_only": {"pass": true}, (*hostile): judged});
        let output = format!("{hostile}\n約30社。{mark}。");
        let label =
            serde_json::json!({"id": hostile, "source": source, "output": output, "labels": judged, (*hostile): 1});
        labels += &label.to_string();
        labels.push('\n');
        let about = serde_json::json!({"finish_reason": "length", "served_model": hostile}).to_string();
        project = project
            .with(&format!("cases/{id}/answers/p/m.md"), &format!("{hostile}\n{hostile}約30社。{mark}。"))
            .with(&format!("cases/{id}/answers/q/m.md"), &format!("前。{hostile}{mark}。"))
            .with(&format!("cases/{id}/answers/p/m.json"), &about);
    }
    project.with("cases/h.jsonl", &cases).with("labels.jsonl", &labels)
}

#[test]
fn nothing_executes_and_nothing_is_hidden() {
    let project = project();
    let done = project.done("run --out run --xlsx -v --no-gate");
    assert!([0, 3].contains(&done.code), "{}", done.stderr);
    project.done("baseline set run --force").expect(0);
    let events = project.done("run --out events --log-format json -v --no-gate").stderr;
    assert_harmless("run's events", Form::Json, &events);
    assert_harmless("run's table", Form::Terminal, &done.stdout);
    assert_harmless("run's messages", Form::Terminal, &done.stderr);
    for (from, form, shows) in REPORTS {
        let (name, bytes) = match from {
            Made::File(name) => (*name, std::fs::read(project.path("run").join(name)).unwrap()),
            Made::Command(arguments) => {
                let done = project.done(arguments);
                assert!([0, 3, 4].contains(&done.code), "{arguments}: {}", done.stderr);
                assert_harmless(arguments, Form::Terminal, &done.stderr);
                (*arguments, done.stdout.into_bytes())
            }
        };
        let text = if *form == Form::Workbook { cells(bytes) } else { String::from_utf8(bytes).unwrap() };
        assert_harmless(name, *form, &text);
        for mark in (0..HOSTILE.len()).map(mark).filter(|_| *shows == Shows::Answers) {
            assert!(text.contains(&mark), "{name} does not show {mark}");
        }
    }
}

#[test]
fn on_github_all_commands_and_the_summary_are_ours() {
    let project = project();
    project.done("run --out run --no-gate");
    project.done("baseline set run --force").expect(0);
    let summary = project.path("summary.md");
    for arguments in ["gate run", "report run"] {
        let call = project.call(arguments).env("GITHUB_ACTIONS", "true");
        let done = call.env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()).done();
        assert!([0, 3, 4].contains(&done.code), "{}", done.stderr);
        assert_harmless(arguments, Form::Terminal, &done.stdout);
        for line in done.stderr.lines() {
            let is_ours = ["::error file=prompts/", "::warning file=prompts/", "::notice file=prompts/"]
                .iter()
                .any(|ours| line.starts_with(ours));
            assert!(is_ours || !line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##[") && !line.contains("##vso["), "{line}");
            assert!(!line.chars().any(is_hidden), "{line:?}");
        }
    }
    assert_harmless("the job's summary", Form::Markdown, &project.read("summary.md"));
}

/// All texts of a workbook, which holds no formula and no link.
fn cells(bytes: Vec<u8>) -> String {
    let mut workbook = Xlsx::new(Cursor::new(bytes)).unwrap();
    let mut texts = String::new();
    for sheet in workbook.sheet_names() {
        assert!(workbook.worksheet_formula(&sheet).unwrap().used_cells().next().is_none(), "{sheet} holds a formula");
        assert!(workbook.hyperlinks_by_sheet_name(&sheet).unwrap().is_empty(), "{sheet} holds a link");
        for (.., cell) in workbook.worksheet_range(&sheet).unwrap().used_cells() {
            texts += &cell.to_string();
            texts.push('\n');
        }
    }
    texts
}

fn is_hidden(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn assert_harmless(name: &str, form: Form, text: &str) {
    let text = text.trim_start_matches('\u{feff}');
    let hidden: Vec<char> = text.chars().filter(|c| is_hidden(*c) && !"\r\t".contains(*c)).collect();
    assert!(hidden.is_empty(), "{name}: {hidden:?}");
    let has_any =
        |words: &[&'static str]| -> Option<&'static str> { words.iter().find(|word| text.contains(**word)).copied() };
    match form {
        Form::Csv => {
            for cell in Csv::parse(text).rows.iter().flatten() {
                let first = cell.trim_start_matches([' ', '\n', '\u{3000}']).chars().next();
                let is_formula = first.is_some_and(|c| "=+-@\t\r＝＋－＠".contains(c)) && cell.parse::<f64>().is_err();
                assert!(!is_formula, "{name}: {cell:?}");
                assert!(!cell.replace("\r\n", "").contains('\r'), "{name}: {cell:?}");
            }
        }
        Form::Html => {
            // Handlers and elements are written by us alone, and we write none of these.
            assert_eq!(has_any(&["<script>evil", "<img", "<svg", "<!--", " onload=evil", "<b>\n"]), None, "{name}");
            assert_eq!(text.matches("<script").count(), text.matches("</script").count(), "{name}");
            assert_eq!(text.matches("<table").count(), text.matches("</table").count(), "{name}");
        }
        Form::Json => {
            let lines: Result<Vec<serde_json::Value>, _> =
                serde_json::Deserializer::from_str(text).into_iter().collect();
            assert!(lines.is_ok(), "{name}: {text}");
            assert_eq!(has_any(&["##[", "##vso[", "##teamcity[", "\n::"]), None, "{name}");
        }
        Form::Markdown => {
            let markup = ["<script", "<img", "<svg", "</table>", "[x](", "![y]", "@everyone", "<b>", "\n# x", "\n::"];
            assert_eq!(has_any(&markup), None, "{name}");
        }
        Form::Terminal => {
            assert_eq!(has_any(&["##[", "##vso[", "##teamcity["]), None, "{name}");
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{name}");
            assert!(!text.contains('\r'), "{name}");
        }
        Form::Workbook => assert!(!text.contains('\r'), "{name}"),
        Form::Xml => {
            let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let known = [
                "testsuites",
                "testsuite",
                "testcase",
                "properties",
                "property",
                "failure",
                "error",
                "skipped",
                "system-out",
                "system-err",
            ];
            for element in document.descendants().filter(roxmltree::Node::is_element) {
                assert!(known.contains(&element.tag_name().name()), "{name}: {element:?}");
            }
        }
    }
}

#[test]
fn a_megabyte_in_one_line_is_cut_where_it_must_be_and_stalls_nothing() {
    let long = |first: &str| format!("{first}{}", "量子ミッションは、".repeat(40_000));
    let project = Project::recorded("repetition = true", &[("a", &long("前"))])
        .with("prompts/q.md", "{{ title }}を詳しく。\n")
        .with("cases/a/answers/q/m.md", &long("後"));
    project.done("run --out run --xlsx").expect(0);
    // Quadratic work on a megabyte would not come to an end.
    assert!(project.read("run/diff.html").contains("too long to be compared"));
    for name in ["metrics.csv", "scores.csv", "summary.csv"] {
        let longest = project
            .csv(&format!("run/{name}"))
            .rows
            .into_iter()
            .flatten()
            .map(|cell| cell.encode_utf16().count())
            .max();
        assert!(longest <= Some(32_767), "{name}: {longest:?}");
    }
    let texts = cells(std::fs::read(project.path("run/report.xlsx")).unwrap());
    assert!(texts.lines().all(|cell| cell.encode_utf16().count() <= 32_767) && texts.contains("more characters)"));
    let shown = project.done("show run a").expect(0).stdout;
    assert!(shown.chars().count() > 720_000);
    let label = serde_json::json!({"id": "a", "output": long("前"), "labels": {"repetition": {"pass": true}}});
    let project = project.with("labels.jsonl", &format!("{label}\n"));
    for (from, ..) in REPORTS {
        let Made::Command(arguments) = from else { continue };
        project.done(arguments).expect(0);
    }
}
