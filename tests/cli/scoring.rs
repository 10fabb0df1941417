//! `evalrun score`: texts judged without a project, as they come.

use serde_json::{Value, json};

use crate::support::call::{Call, Done};
use crate::support::project::Project;

const SOURCE: &str =
    r#"{"published_at": "2025-06-30T07:00:00+09:00", "publisher": "日本貿易振興機構", "title": "量子ミッション派遣"}"#;

fn score(input: impl Into<Vec<u8>>) -> Done {
    let folder = Project::empty();
    Call::new(folder.root(), "score --items -").input(input).done()
}

fn lines(done: &Done) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The words at `start..end` in characters.
fn slice(text: &str, evidence: &Value) -> String {
    let at = |key: &str| usize::try_from(evidence[key].as_u64().unwrap()).unwrap();
    text.chars().skip(at("start")).take(at("end") - at("start")).collect()
}

#[test]
fn lines_come_out_in_the_order_in_which_they_went_in() {
    // Long ones take longer: with many at once they would come later.
    let item = |n: usize| json!({"id": n, "output": "量子ミッションが派遣されました。".repeat(if n.is_multiple_of(7) { 60 } else { 1 })});
    let input: Vec<String> = (0..60).map(|n| item(n).to_string()).collect();
    let done = score(input.join("\n")).expect(0);
    let ids: Vec<u64> = lines(&done).iter().map(|line| line["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..60).collect::<Vec<u64>>());
    assert_eq!(done.stderr, "");
}

#[test]
fn evidence_counts_characters_of_the_output_as_given() {
    let outputs = [
        "😀👨‍👩‍👧「か\u{3099}」量子。約30社が参加しました。See you soon, everyone!\r\n\r\n山田太郎さんは「すごい」と話した。",
        "\u{feff}ＡＢＣ㈱　は、２０２５年７月１日に１億２０００万円を出しました。",
        "はい、承知しました。\n\n# 見出し\n\n- 約30社\n- **5000人**\n\n```\ncode\n```\n以上です。ご不明な点があればお知らせください。",
    ];
    let mut found = 0;
    for output in outputs {
        let source: Value = serde_json::from_str(SOURCE).unwrap();
        let done = score(json!({"id": "x", "source": source, "output": output}).to_string()).expect(0);
        let line = &lines(&done)[0];
        for (property, score) in line["scores"].as_object().unwrap() {
            assert!(
                score["pass"].is_boolean() || score["pass"].is_null() && score["reason"].is_string(),
                "{property}: {score}"
            );
            for evidence in score["evidence"].as_array().unwrap() {
                if evidence["start"].is_null() {
                    continue;
                }
                found += 1;
                assert_eq!(Value::from(slice(output, evidence)), evidence["text"], "{property} in {output:?}");
            }
        }
    }
    assert!(found > 10, "{found}");
}

#[test]
fn every_specific_is_listed_with_its_verdict_and_basis() {
    let source: Value = serde_json::from_str(SOURCE).unwrap();
    let output = "日本貿易振興機構は2025年6月30日、量子ミッションを派遣しました。約30社が参加しました。";
    let done = score(json!({"id": "x", "source": source, "output": output}).to_string()).expect(0);
    let score = lines(&done)[0]["scores"]["no_fabrication"].clone();
    assert_eq!(score["pass"], json!(false), "{score}");
    let evidence = score["evidence"].as_array().unwrap();
    let about =
        |text: &str| evidence.iter().find(|evidence| evidence["text"].as_str().unwrap().contains(text)).unwrap();
    assert_eq!((&about("30社")["verdict"], &about("30社")["basis"]), (&json!("fabricated"), &json!("unsupported")));
    assert_eq!(about("日本貿易振興機構")["verdict"], json!("grounded"));
    assert!(about("30社")["why"].is_string());
    let fabricated = evidence.iter().filter(|evidence| evidence["verdict"] == "fabricated").count();
    let value = 1.0 - fabricated as f64 / evidence.len() as f64;
    assert!((score["score"].as_f64().unwrap() - value).abs() < 1e-9, "{score}");
}

#[test]
fn without_a_source_what_needs_it_is_unscored() {
    let done = score(r#"{"id": "x", "output": "約30社が参加しました。", "extra": 1}"#).expect(0);
    let scores = lines(&done)[0]["scores"].clone();
    assert_eq!(scores["no_fabrication"]["pass"], Value::Null);
    assert!(scores["no_fabrication"]["reason"].is_string());
    assert_eq!(scores["japanese_only"]["pass"], json!(true));
}

#[test]
fn a_key_that_counts_for_nothing_and_looks_like_a_slip_is_told_once_with_its_line() {
    let lines = [
        r#"{"id": 1, "output": "量子", "url": "x", "prompt_id": 3}"#,
        r#"{"id": 2, "output": "量子", "sorce": {"title": "量子"}}"#,
        r#"{"id": 3, "output": "量子", "sorce": {"title": "量子"}, "publisher": "p"}"#,
        r#"{"id": 4, "otput": "量子"}"#,
    ];
    let done = score(lines.join("\n")).expect(3);
    assert_eq!(
        done.stderr,
        "warning: line 2: the key `sorce` is ignored; did you mean `source`?\n\
         warning: line 3: the key `publisher` is ignored; did you mean `source.publisher`?\n\
         warning: line 4: the key `otput` is ignored; did you mean `output`?\n\
         error: line 4: missing field `output`\n\
         1 line could not be read and left out\n"
    );
    score(lines[1]).expect(0);
}

#[test]
fn an_empty_text_keeps_no_promise_about_its_words() {
    for output in ["", " \n\u{3000}\u{200b}"] {
        let item = json!({"output": output, "source": serde_json::from_str::<Value>(SOURCE).unwrap()});
        let scores = lines(&score(item.to_string()).expect(0))[0]["scores"].clone();
        for property in
            ["japanese_only", "article_only", "no_fabrication", "readability", "register", "repetition", "refusal"]
        {
            let found = (&scores[property]["pass"], &scores[property]["reason"]);
            assert_eq!(found, (&Value::Null, &json!("the text is empty")), "{property}");
        }
        for property in ["covers_purpose", "covers_activities", "covers_significance", "length"] {
            assert_eq!(scores[property]["pass"], json!(false), "{property}");
        }
    }
}

#[test]
fn a_line_that_cannot_be_read_is_left_out_and_named() {
    let good = |id: usize| json!({"id": id, "output": "量子"}).to_string().into_bytes();
    let lines_in: [Vec<u8>; 8] = [
        good(1),
        b"no json".to_vec(),
        Vec::new(),
        b"{\"id\": 4}".to_vec(),
        good(5),
        b"{\"id\": 6, \"output\": \"\xFF\"}".to_vec(),
        b"\x00\xFE".to_vec(),
        b"{\"id\": 8, \"output\": \"\\ud800\"}".to_vec(),
    ];
    let input = lines_in.join(&b'\n');
    let done = score(input).expect(3);
    let ids: Vec<Value> = lines(&done).into_iter().map(|line| line["id"].clone()).collect();
    // Half of a character's escapes is one unknown character, not a line lost.
    assert_eq!(ids, [json!(1), json!(5), json!(8)]);
    done.says(&[
        "error: line 2: not valid JSON",
        "error: line 4: missing field `output`",
        "line 6: this line is not UTF-8",
        "line 7",
    ]);
    assert!(!done.stderr.contains("line 8") && !done.stderr.contains("line 3") && !done.stderr.contains("line 5"));
}

#[test]
fn no_bytes_end_the_process() {
    let hostile = [
        "",
        "\0",
        "。",
        "「「「「",
        "））））",
        "０００００００００００００００００００００００００００円",
        "\u{202e}\u{0301}\u{200b}",
        "﷽",
        "1/0",
        "99999999999999999999年13月99日",
        "<script>",
        "```",
        "{{ title }}",
        "🇯🇵🏴",
        "−",
        "第第第第号",
        "億兆京",
        "\u{10ffff}",
    ];
    let mut input = String::new();
    for (n, text) in hostile.iter().enumerate() {
        for output in [(*text).to_owned(), text.repeat(300), format!("量子{text}。{text}です。")] {
            input += &json!({"id": n, "output": output, "source": {"title": text, "publisher": text}}).to_string();
            input += "\n";
        }
    }
    let done = score(input).expect(0);
    assert_eq!(done.stdout.lines().count(), hostile.len() * 3);
    assert!(!done.stdout.contains("the scorer failed"), "{}", done.stdout);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

#[test]
fn nothing_to_judge_is_nothing_wrong() {
    for input in ["", "\n\n", "\u{feff}"] {
        assert_eq!(score(input).expect(0).stdout, "");
    }
}

#[test]
fn a_project_around_has_no_say() {
    let project = Project::recorded("japanese_only = { allow = [{ text = \"Hello everyone\", reason = \"r\" }] }", &[]);
    let input = json!({"id": "x", "output": "Hello everyone, this is English."}).to_string();
    let inside = project.call("score --items -").input(input.clone()).done().expect(0);
    assert_eq!(inside.stdout, score(input.clone()).expect(0).stdout);
    let broken = project.with("evalrun.toml", "[rn]");
    assert_eq!(broken.call("score --items -").input(input).done().expect(0).stdout, inside.stdout);
}

#[test]
fn one_article_is_judged_for_its_reader() {
    let folder = Project::empty()
        .with("article.txt", "日本貿易振興機構は量子ミッションを派遣しました。約30社が参加しました。\n");
    let call = || folder.call("score article.txt --title 量子ミッション派遣 --publisher 日本貿易振興機構");
    let done = call().done().expect(0);
    assert!(done.stdout.contains("約30社") && done.stdout.contains("no_fabrication"), "{}", done.stdout);
    let scores = call().arg("--format=json").done().expect(0).json()["scores"].clone();
    assert_eq!(scores["no_fabrication"]["pass"], json!(false));
    let piped = folder.call("score -").input("量子です。".as_bytes()).done().expect(0);
    assert!(piped.stdout.contains("量子です。"));
    folder.call("score -").input(b"\xFF\xFE\x00".to_vec()).done().expect(2).says(&["UTF-16"]);
}

#[test]
fn labelled_texts_measure_the_scorers() {
    let item = |n: usize, output: &str, pass: bool| {
        json!({"id": n, "output": output, "labels": {"japanese_only": {"pass": pass, "spans": []}}}).to_string()
    };
    let input = [item(1, "量子です。", true), item(2, "This is not Japanese at all.", false)].join("\n");
    let folder = Project::empty().with("labelled.jsonl", &input);
    let done = folder.done("calibrate --items labelled.jsonl --format json").expect(0);
    assert!(done.json().to_string().contains("japanese_only"), "{}", done.stdout);
    let japanese = folder.done("calibrate --items labelled.jsonl --lang ja").expect(0).stdout;
    assert!(japanese.contains("ラベル付きの文章") && japanese.contains("適合率"), "{japanese}");
    folder.done("calibrate --items nowhere.jsonl").expect(2);
    let done = folder.with("broken.jsonl", "{\n").done("calibrate --items broken.jsonl").expect(3);
    done.says(&["error: line 1: ", "no line that could be read has labels", "1 line could not be read and left out"]);
    assert_eq!(done.stdout, "");
}

#[test]
fn a_text_that_cannot_be_read_is_told_without_a_word_of_a_project() {
    let folder = Project::empty().with_bytes("article.txt", b"\xE9\xE8").with("good.txt", "量子です。");
    for call in ["score article.txt", "score good.txt --title T --body article.txt"] {
        let done = folder.done(call).expect(2);
        done.says(&["article.txt", "error: 1 mistake in article.txt"]);
        assert!(!done.stderr.contains("project") && !done.stderr.contains("sent"), "{}", done.stderr);
    }
}
