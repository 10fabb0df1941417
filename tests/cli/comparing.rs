//! `compare`: two variants on the same cases, as sentences, JSON and Markdown.

use serde_json::{Value, json};

use crate::support::project::Project;

/// A project with prompts `p` and `q` and, for each case, the answers to both; what holds is that they name 量子.
fn project(answers: &[(&str, &str, &str)]) -> Project {
    let base: Vec<(&str, &str)> = answers.iter().map(|(id, base, _)| (*id, *base)).collect();
    let project = Project::recorded("contains = [\"量子\"]", &base).with("prompts/q.md", "{{ title }}を詳しく。\n");
    let with = |project: Project, (id, _, candidate): &(&str, &str, &str)| {
        project.with(&format!("cases/{id}/answers/q/m.md"), candidate)
    };
    answers.iter().fold(project, with)
}

const GOOD: &str = "量子の記事です。";
const BAD: &str = "別の記事です。";

fn property<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    comparison["properties"].as_array().unwrap().iter().find(|property| property["name"] == name).unwrap()
}

#[test]
fn two_variants_of_a_run_are_compared_as_json() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, GOOD), ("c", GOOD, BAD), ("d", BAD, GOOD)]);
    project.done("run --out run").expect(0);
    let found = project.done("compare run::p@m run::q@m --format json").expect(0).json();
    assert_eq!((&found["base"], &found["candidate"]), (&json!("run::p@m"), &json!("run::q@m")));
    let contains = property(&found, "contains");
    for (key, expected) in [
        ("n", json!(4)),
        ("base_rate", json!(0.5)),
        ("candidate_rate", json!(0.75)),
        ("estimate", json!(0.25)),
        ("level", json!(0.95)),
        ("method", json!("tango")),
        ("p_method", json!("mcnemar-mid")),
        ("verdict", json!("inconclusive")),
        ("fixed", json!(["a", "d"])),
        ("broken", json!(["c"])),
        ("dropped", json!([])),
        ("reason", json!(null)),
    ] {
        assert_eq!(contains[key], expected, "{key}");
    }
    let back = project.done("compare run::q@m run::p@m --format json").expect(0).json();
    let mirrored = property(&back, "contains");
    assert_eq!((&mirrored["fixed"], &mirrored["broken"]), (&contains["broken"], &contains["fixed"]));
    assert_eq!(mirrored["low"].as_f64().map(|low| -low), contains["high"].as_f64());
    assert_eq!(mirrored["p"], contains["p"]);
    // A run alone: each further prompt with the first.
    let alone = project.done("compare run --format json").expect(0).json();
    assert_eq!(alone["properties"], found["properties"]);
}

#[test]
fn two_runs_are_compared_and_renamed_cases_are_found() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, GOOD)]);
    project.done("run --out old --prompt p").expect(0);
    let renamed = project
        .with("cases/z/case.toml", &crate::support::project::case("a"))
        .with("cases/z/answers/p/m.md", GOOD)
        .with("cases/b/case.toml", &crate::support::project::case("b2"));
    std::fs::remove_dir_all(renamed.path("cases/a")).unwrap();
    renamed.done("run --out new --prompt p").expect(0);
    let found = renamed.done("compare old new --format json").expect(0).json();
    assert_eq!(found["cases"]["renamed"], json!([{"base": "a", "candidate": "z"}]));
    assert_eq!(found["cases"]["changed"], json!(["b"]));
    assert_eq!(property(&found, "contains")["fixed"], json!(["z"]));
    assert_eq!(property(&found, "contains")["n"], json!(1));
    let shown = renamed.done("compare old new").expect(0).stdout;
    assert!(shown.contains("1 case says something else than before and is left out: b"), "{shown}");
}

#[test]
fn a_person_reads_sentences_in_either_language() {
    let cases: Vec<(String, &str, &str)> = (0..12).map(|n| (format!("c{n}"), BAD, GOOD)).collect();
    let cases: Vec<(&str, &str, &str)> = cases.iter().map(|(id, base, now)| (id.as_str(), *base, *now)).collect();
    let project = project(&cases);
    project.done("run --out run").expect(0);
    let english = project.done("compare run::p run::q").expect(0).stdout;
    assert!(english.contains("passes 12 more of 12 cases (fixed 12, broke 0)"), "{english}");
    assert!(english.lines().all(|line| line.chars().count() <= 100), "{english}");
    let japanese = project.done("compare run::p run::q --lang ja").expect(0).stdout;
    assert!(japanese.contains("12ケースのうち、合格が12ケース増えました"), "{japanese}");
    let worse = project.done("compare run::q run::p").expect(0).stdout;
    assert!(worse.contains("worse by more than the 5 points") && worse.contains("clearly worse"), "{worse}");
    let same = project.done("compare run::p run::p").expect(0).stdout;
    assert!(same.contains("Every case gave the same verdict") && same.contains("compared with itself"), "{same}");
    let markdown = project.done("compare run --format markdown").expect(0).stdout;
    let (prompts, answers) = (markdown.find("<ins>を詳しく</ins>。"), markdown.find("# How the answers differ"));
    assert!(prompts.is_some() && prompts < answers && markdown.len() < 60_000, "{markdown}");
    let page = project.done("compare run --format html").expect(0).stdout;
    // On a telephone each figure stands after its column's name; a column without any figure is none.
    let figure = "<td data-head=\"difference\">+100</td>";
    for part in
        ["<!DOCTYPE html>", "passes 12 more of 12 cases", "<ins>を詳しく</ins>。", "<del>別</del>の記事です。", figure]
    {
        assert!(page.contains(part), "no {part}: {page}");
    }
    assert!(!page.contains("flaky") && !markdown.contains("flaky"));
    let lines = project.done("compare run --format diff").expect(0).stdout;
    assert!(lines.contains("~ [-別-]{+量子+}の記事です。\n"), "{lines}");
}

#[test]
fn a_variant_that_collapsed_is_named_before_all_figures_though_the_others_hide_it() {
    let ids: Vec<String> = (0..12).map(|n| format!("c{n:02}")).collect();
    let answers: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), BAD)).collect();
    let models = ["m", "n", "o"].map(|id| format!("[[model]]\nid = \"{id}\"\nprovider = \"recorded\"\n")).concat();
    let project = Project::recorded("", &answers)
        .with("evalrun.toml", &format!("[require]\ncontains = [\"量子\"]\n{models}"))
        .with("prompts/q.md", "{{ title }}を詳しく。\n");
    let answer = |project: Project, id: &String| {
        [("p", "m", BAD), ("p", "n", GOOD), ("p", "o", BAD), ("q", "m", GOOD), ("q", "n", BAD), ("q", "o", GOOD)]
            .into_iter()
            .fold(project, |project, (prompt, model, text)| {
                project.with(&format!("cases/{id}/answers/{prompt}/{model}.md"), text)
            })
    };
    let project = ids.iter().fold(project, answer);
    project.done("run --out run").expect(0);
    let shown = project.done("compare run").expect(0).stdout;
    let worse = "✗ worse: p@n → q@n (all 100 % → 0 %, contains 100 % → 0 %)";
    assert_eq!(shown.lines().nth(2), Some(worse), "{shown}");
    let apart = shown.lines().position(|line| line.starts_with("  n ") && line.contains("clearly worse"));
    let together = shown.lines().position(|line| line == "All 3 variants together");
    assert!(apart.is_some() && apart < together, "{shown}");
    let japanese = project.done("compare run --lang ja").expect(0).stdout;
    assert!(
        japanese.contains("✗ 悪化した組み合わせ: p@n → q@n(全体 100% → 0%、必要な語句がある 100% → 0%)"),
        "{japanese}"
    );
    for format in ["markdown", "html"] {
        let text = project.done(&format!("compare run --format {format}")).expect(0).stdout;
        let (worse, together) = (text.find("worse: p").unwrap(), text.find("All 3 variants together").unwrap());
        assert!(worse < together && text[..together].contains("100 %"), "{text}");
    }
}

#[test]
fn differences_that_are_not_clear_are_not_said_to_be_none() {
    let project = project(&[("a", BAD, GOOD), ("b", BAD, GOOD), ("c", GOOD, GOOD), ("d", GOOD, GOOD)]).with(
        "evalrun.toml",
        "[require]\ncontains = [\"量子\"]\nrefusal = true\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n",
    );
    project.done("run --out run").expect(0);
    let shown = project.done("compare run").expect(0).stdout;
    assert!(shown.contains("None of the 2 properties is clearly better or worse"), "{shown}");
    let japanese = project.done("compare run --lang ja").expect(0).stdout;
    assert!(japanese.contains("2項目のうち、はっきりした差が出たものはありません"), "{japanese}");
}

#[test]
fn what_cannot_be_compared_says_why() {
    let project = project(&[("a", GOOD, BAD)]);
    project.done("run --out run").expect(0);
    let few = project.done("compare run::p run::q").expect(0).stdout;
    assert!(few.contains("1 case: even if its verdict changed"), "{few}");
    project.done("compare run::p run::nothing").expect(2).says(&["has no prompt nothing"]);
    project.done("compare run::p@m run::q@x").expect(2).says(&["has no variant q@x"]);
    project.done("compare nowhere run").expect(2).says(&["there is no run nowhere"]);
    project.done("compare run --margin 200").expect(2).says(&["expected points"]);
    project.done("compare run --primary contain").expect(2).says(&["did you mean `contains`"]);
    project.done("run --out one --prompt p").expect(0);
    project.done("compare one").expect(2).says(&["there is nothing to compare it with"]);
    let other = Project::recorded("contains = [\"量子\"]", &[("b", GOOD)]);
    other.done("run --out other").expect(0);
    let path = other.path("other");
    let none = project.call("compare one").arg(&path).done().expect(2);
    none.says(&["have no case in common"]);
}

#[test]
fn missing_trials_make_the_figures_incomplete() {
    let project = project(&[("a", GOOD, GOOD), ("b", GOOD, GOOD)]);
    project.done("run --out run").expect(0);
    let journal = project.read("run/run.jsonl");
    let torn: Vec<&str> = journal
        .lines()
        .filter(|line| {
            let missing = line.contains("\"prompt\":\"q\"") && line.contains("\"case\":\"b\"");
            !missing && !line.contains("\"type\":\"end\"")
        })
        .collect();
    let project = project.with("torn/run.jsonl", &(torn.join("\n") + "\n"));
    let found = project.done("compare torn --format json").expect(3).json();
    assert_eq!(property(&found, "contains")["dropped"], json!(["b"]));
    assert_eq!(property(&found, "contains")["bounds"], json!([-0.5, 0.0]));
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("1 of 2 trials of the candidate have no outcome"), "{warnings}");
}

#[test]
fn the_order_of_a_journals_lines_changes_no_byte() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, GOOD), ("c", GOOD, BAD), ("d", BAD, GOOD)]);
    project.done("run --out run").expect(0);
    let journal = project.read("run/run.jsonl");
    let lines: Vec<&str> = journal.lines().collect();
    let (head, rest) = lines.split_first().unwrap();
    let (end, rest) = rest.split_last().unwrap();
    // What a plan lists stays before what became of it.
    let (outcomes, others): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|line| line.contains("\"type\":\"outcome\""));
    let shuffled: Vec<&str> =
        [*head].into_iter().chain(others).chain(outcomes.into_iter().rev()).chain([*end]).collect();
    let project = project.with("shuffled/run/run.jsonl", &(shuffled.join("\n") + "\n"));
    for format in ["text", "json", "markdown", "html", "diff"] {
        let shown = |run: &str| project.done(&format!("compare {run} --format {format}")).expect(0).stdout;
        assert_eq!(shown("run"), shown("shuffled/run"), "{format}");
    }
}

#[test]
fn where_everything_errored_nothing_is_told() {
    let answers = [("a", GOOD), ("b", GOOD)];
    let config = "[require]\ncontains = [\"量子\"]\n[[model]]\nid = \"m\"\nprovider = \"command\"\ncommand = [\"no-such-program\"]\n";
    let project = Project::recorded("contains = [\"量子\"]", &answers)
        .with("evalrun.toml", config)
        .with("prompts/q.md", "{{ title }}を詳しく。\n");
    project.done("run --out run --prompt * --model m").expect(3);
    let found = project.done("compare run --format json").expect(3).json();
    let contains = property(&found, "contains");
    assert_eq!((&contains["n"], &contains["estimate"], &contains["verdict"]), (&json!(0), &json!(null), &json!(null)));
    assert_eq!(contains["reason"], "no case could be compared");
    let shown = project.done("compare run").expect(3).stdout;
    assert!(shown.contains("No figure: no case has a verdict on both sides") && !shown.contains("latency"), "{shown}");
    let gated = project.with("evalrun.toml", &format!("{config}[gate]\nall = 0.9\n"));
    gated.done("gate run").expect(3);
}

#[test]
fn what_was_declared_to_decide_must_be_required() {
    let project = project(&[("a", GOOD, BAD)]);
    project.done("run --out run").expect(0);
    let none = project.done("compare run --primary register").expect(2);
    none.says(&["no case requires `register` on both sides", "all, contains"]);
}

#[test]
fn what_is_null_has_a_reason() {
    for answers in [vec![("a", BAD, GOOD), ("b", GOOD, GOOD), ("c", GOOD, BAD)], vec![("a", GOOD, GOOD)]] {
        let project = project(&answers);
        project.done("run --out run").expect(0);
        project.done("run --out twice --repeats 2");
        for run in ["run", "twice"] {
            let found = project.done(&format!("compare {run} --format json")).json();
            for property in found["properties"].as_array().unwrap() {
                let nulls =
                    property.as_object().unwrap().iter().filter(|(key, value)| value.is_null() && *key != "reason");
                for (key, _) in nulls {
                    assert!(property["reasons"][key].is_string(), "{key} in {property:#}");
                }
            }
        }
    }
}

#[test]
fn one_variant_alone_asks_for_a_second_and_lists_them() {
    let project = project(&[("a", GOOD, BAD)]);
    project.done("run --out run").expect(0);
    for (alone, others) in [("run::p@m", "run::q@m"), ("run::q", "run::p")] {
        let done = project.done(&format!("compare {alone}")).expect(2);
        done.says(&[
            &format!("error: {alone} alone has nothing to be compared with"),
            &format!("hint: name a second: {others}"),
        ]);
    }
    project.done("run --out one --prompt p").expect(0);
    project.done("compare one::p@m").expect(2).says(&["name a second run: evalrun compare one::p@m RUN"]);
}

#[test]
fn what_broke_stands_first() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, BAD), ("c", GOOD, GOOD)]);
    project.done("run --out run").expect(0);
    let shown = project.done("compare run").expect(0).stdout;
    assert_eq!(shown.lines().nth(2), Some("✗ broken: b (contains)"), "{shown}");
    let markdown = project.done("compare run --format markdown").expect(0).stdout;
    assert!(markdown.find("**broken**: `b` (`contains`)") < markdown.find("- **`all`**"), "{markdown}");
    let page = project.done("compare run --format html").expect(0).stdout;
    assert!(page.find("✗ broken</b>: b (contains)") < page.find("<table"), "{page}");
}

#[test]
fn a_run_is_called_by_the_folder_that_it_is_in() {
    let project = project(&[("a", GOOD, BAD)]);
    project.done("run --out before").expect(0);
    std::fs::rename(project.path("before"), project.path("after")).unwrap();
    let shown = project.done("compare after").expect(0).stdout;
    assert!(shown.starts_with("after::p → after::q"), "{shown}");
    std::fs::create_dir(project.path("copy")).unwrap();
    std::fs::copy(project.path("after/run.jsonl"), project.path("copy/run.jsonl")).unwrap();
    let copied = project.done("compare after::p@m copy::p@m").expect(0).stdout;
    assert!(copied.contains("after::p@m → copy::p@m") && copied.contains("compared with itself"), "{copied}");
}

#[test]
fn a_baseline_without_answers_says_that_it_keeps_no_texts() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, GOOD), ("c", GOOD, BAD)]);
    project.done("run --out run").expect(0);
    project.done("baseline set run --without-answers").expect(0);
    let shown = project.done("compare baseline::p@m run::q@m").expect(0).stdout;
    assert!(shown.contains("! the base keeps no answers, so texts cannot be compared"), "{shown}");
    let markdown = project.done("compare baseline::p@m run::q@m --format markdown").expect(0).stdout;
    for part in [
        "base: passed, text not kept",
        "### `c`: cの量子ミッション (broken)",
        "**text not kept**: `b`",
        "contains`: pass → fail",
    ] {
        assert!(markdown.contains(part), "no {part}: {markdown}");
    }
    let answers = markdown.split("## How the answers differ").nth(1).unwrap();
    assert!(!answers.contains("<ins>") && !answers.contains("(text changed)"), "{markdown}");
    let page = project.done("compare baseline::p@m run::q@m --format html").expect(0).stdout;
    let answers = page.split("How the answers differ").nth(1).unwrap();
    assert!(answers.contains("text not kept") && !answers.contains("<ins>"), "{page}");
    let lines = project.done("compare baseline::p@m run::q@m --format diff").expect(0).stdout;
    assert!(lines.contains("\ntext not kept: b\n") && !lines.contains("\n+ "), "{lines}");
}

#[test]
fn where_no_text_differs_there_are_no_empty_headings() {
    let project = project(&[("a", GOOD, GOOD)])
        .with("prompts/r.md", "{{ title }}を短く。\n")
        .with("cases/a/answers/r/m.md", GOOD);
    project.done("run --out run").expect(0);
    for page in [project.read("run/diff.html"), project.done("compare run --format html").expect(0).stdout] {
        assert!(!page.contains("<table>\n</table>"), "{page}");
        let main = page.split("</nav>").last().unwrap();
        assert!(!main.contains("<h2>"), "{page}");
    }
}

#[test]
fn what_was_wrong_before_is_said_to_be_past() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, BAD)]);
    project.done("run --out run").expect(0);
    for (format, fixed) in [
        ("markdown", "fail → pass** before: missing: 「量子」"),
        ("diff", "contains: fail → pass before: missing: 「量子」"),
        ("html", "before: missing: 「量子」"),
    ] {
        let shown = project.done(&format!("compare run --format {format}")).expect(0).stdout;
        assert_eq!(shown.matches("before: missing").count(), 1, "{format}: {shown}");
        assert!(shown.contains(fixed), "{format}: {shown}");
    }
}

#[test]
fn runs_judged_by_other_requirements_say_so() {
    let project = project(&[("a", GOOD, GOOD), ("b", GOOD, BAD)]);
    project.done("run --out before").expect(0);
    let config = project.read("evalrun.toml");
    let stricter = project.with("evalrun.toml", &config.replace("[\"量子\"]", "[\"量子\", \"記事\"]"));
    stricter.done("run --out after").expect(0);
    let warning = "2 cases are judged by other requirements, aliases or background: a, b";
    let shown = stricter.done("compare before after").expect(0).stdout;
    assert!(shown.contains(warning), "{shown}");
    let same = stricter.done("compare after::p after::q").expect(0).stdout;
    assert!(!same.contains("judged by other"), "{same}");
    let gated = stricter.with("evalrun.toml", &(config + "[gate]\nall = { max_broken = 0 }\n"));
    let gate = gated.done("gate after --baseline before").stdout;
    assert!(gate.contains(warning), "{gate}");
    // A run of an evalrun that did not keep them tells nothing, and is read nevertheless.
    let journal = gated.read("before/run.jsonl");
    let (head, rest) = journal.split_once('\n').unwrap();
    let mut head: Value = serde_json::from_str(head).unwrap();
    for case in head["cases"].as_array_mut().unwrap() {
        assert!(case.as_object_mut().unwrap().remove("requirements").is_some());
    }
    let old = format!("{head}\n{rest}");
    let gated = gated.with("old/run.jsonl", &old);
    let silent = gated.done("compare old after").expect(0).stdout;
    assert!(!silent.contains("judged by other"), "{silent}");
}

#[test]
fn a_range_of_another_level_than_the_others_says_so() {
    let project = project(&[("a", BAD, GOOD), ("b", GOOD, GOOD), ("c", GOOD, BAD)])
        .with("prompts/r.md", "{{ title }}を短く。\n")
        .with("cases/a/answers/r/m.md", GOOD)
        .with("cases/b/answers/r/m.md", GOOD)
        .with("cases/c/answers/r/m.md", GOOD);
    project.done("run --out run").expect(0);
    let shown = project.done("compare run").expect(0).stdout;
    let all = shown.lines().find(|line| line.starts_with("  all ")).unwrap();
    let other = shown.lines().find(|line| line.starts_with("  contains ")).unwrap();
    assert!(all.contains("(97.5 %)") && !other.contains('('), "{shown}");
    assert!(shown.contains("Ranges: 95 % two-sided, of `all` 97.5 %,"), "{shown}");
    let one = project.done("compare run::p@m run::q@m").expect(0).stdout;
    assert!(one.contains("Ranges: 95 % two-sided, Tango") && !one.contains("97.5"), "{one}");
    let japanese = project.done("compare run --lang ja").expect(0).stdout;
    assert!(japanese.contains("(97.5%)") && japanese.contains("範囲は両側95%(全体(`all`)は97.5%)、"), "{japanese}");
}
