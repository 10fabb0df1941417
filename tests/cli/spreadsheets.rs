//! What a spreadsheet makes of the files: encoding, line ends, cells that would be formulas, numbers.

use std::fs;

use crate::support::csv::Csv;
use crate::support::project::{Project, case};

const FILES: [&str; 3] = ["metrics.csv", "scores.csv", "summary.csv"];

/// What a spreadsheet would take for the beginning of a formula.
const FORMULAS: [&str; 11] =
    ["=1+1", "+1", "-1+2", "@SUM(1)", "＝1+1", "＋1", "－1", "＠x", "\t=1", " =1", "\u{3000}=1"];

#[test]
fn files_begin_with_a_byte_order_mark_and_end_lines_with_crlf() {
    let project = Project::recorded("contains = [\"量子\"]", &[("a", "一行目\n二行目 \"引用\", 量子")]);
    project.done("run --out run").expect(0);
    for name in FILES {
        let with = fs::read(project.path("run").join(name)).unwrap();
        let text = with.strip_prefix(b"\xEF\xBB\xBF").unwrap_or_else(|| panic!("{name} has no mark"));
        assert!(text.ends_with(b"\r\n") && !text.starts_with(b"\xEF\xBB\xBF"), "{name}");
        let text = std::str::from_utf8(text).unwrap();
        let header = text.split("\r\n").next().unwrap();
        let mut columns: Vec<&str> = header.split(',').collect();
        columns.sort_unstable();
        columns.dedup();
        assert_eq!(columns.len(), header.split(',').count(), "{name} names a column twice");
    }
    let before: Vec<Vec<u8>> = FILES.map(|name| fs::read(project.path("run").join(name)).unwrap()).into();
    project.done("report run --no-bom").expect(0);
    for (name, before) in FILES.iter().zip(before) {
        assert!(fs::read(project.path("run").join(name)).unwrap() == before[3..], "{name}");
    }
}

#[test]
fn no_cell_is_taken_for_a_formula() {
    let answer = FORMULAS.map(|formula| format!("{formula}\n")).concat();
    let quoted = FORMULAS.map(|formula| serde_json::to_string(formula).unwrap());
    let title = case("a").replace("title = \"", "title = \"=HYPERLINK('http://example.com')");
    let require = format!("contains = [{}]\nnot_contains = [{}]", quoted.join(", "), quoted.join(", "));
    let about =
        r#"{"finish_reason": "=SAFETY()", "served_model": "=cmd|' /C calc'!A0", "usage": {"output_tokens": 7}}"#;
    let project = Project::recorded(&require, &[("a", &answer), ("b", &answer)])
        .with("cases/a/case.toml", &title)
        .with("cases/b/answers/p/m.json", about);
    project.done("run --out run").expect(0);
    for name in FILES {
        let file = project.csv(&format!("run/{name}"));
        for cell in file.rows.iter().flatten().chain(&file.columns) {
            let first = cell.trim_start_matches([' ', '\u{3000}']).chars().next();
            assert!(first.is_none_or(|first| !"=+-@\t\r＝＋－＠".contains(first)), "{name}: {cell:?}");
        }
    }
    let evidence = project.csv("run/scores.csv");
    let evidence = evidence.column("evidence");
    for formula in FORMULAS {
        assert!(evidence.contains(&format!("'{formula}").as_str()), "{formula:?} is not in {evidence:?}");
    }
    assert_eq!(project.csv("run/metrics.csv").column("served_model"), ["", "'=cmd|' /C calc'!A0"]);
    let piped = Csv::parse(&project.done("report run --format csv").expect(0).stdout);
    assert_eq!(piped.column("served_model"), ["", "'=cmd|' /C calc'!A0"]);
}

#[test]
fn numbers_are_numbers_and_what_is_not_known_is_an_empty_cell() {
    let project = Project::recorded("no_fabrication = true\nlength = { min_chars = 1 }", &[("a", "量子です。")])
        .with("cases/a/answers/p/m.json", r#"{"usage": {"input_tokens": 12, "output_tokens": 34}}"#)
        .with("cases/b/case.toml", &case("b"));
    project.done("run --out run").expect(3);
    let metrics = project.csv("run/metrics.csv");
    for column in
        ["repeat", "fabricated", "chars", "input_tokens", "output_tokens", "cost_usd", "attempts", "latency_ms"]
    {
        let cells = metrics.column(column);
        assert!(
            cells.iter().all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok_and(f64::is_finite)),
            "{column}: {cells:?}"
        );
    }
    let known = ["fabricated", "chars", "input_tokens", "output_tokens", "cost_usd", "no_fabrication"];
    assert_eq!(metrics.cells(&known), ["0|5|12|34||pass", "|||||"]);
    let summary = project.csv("run/summary.csv");
    let cells = summary.cells(&["property", "trials", "passed", "failed", "unscored", "errored"]);
    assert_eq!(cells, ["all|2|1|0|0|1", "no_fabrication|2|1|0|0|1", "length|2|1|0|0|1"]);
    for column in ["rate", "low", "high"] {
        assert!(summary.column(column).iter().all(|cell| cell.parse::<f64>().is_ok_and(f64::is_finite)));
    }
}

#[test]
fn columns_stand_as_they_are_relied_on() {
    let project = Project::recorded("japanese_only = true", &[("a", "量子です。")]);
    project.done("run --out run").expect(0);
    for (name, columns) in [
        (
            "metrics.csv",
            "case,prompt,model,repeat,status,japanese_only,article_only,covers_purpose,covers_activities,\
             covers_significance,no_fabrication,length,readability,register,repetition,refusal,contains,not_contains,\
             matches,not_matches,fabricated,chars,finish_reason,input_tokens,output_tokens,cost_usd,served_model,error,\
             attempts,cached,latency_ms,run",
        ),
        ("scores.csv", "case,prompt,model,repeat,property,verdict,value,reason,evidence,start,end,kind,detail"),
        ("summary.csv", "prompt,model,property,trials,passed,failed,unscored,errored,rate,low,high,method"),
    ] {
        assert_eq!(project.csv(&format!("run/{name}")).columns.join(","), columns, "{name}");
    }
}

#[test]
fn a_price_becomes_a_cost_and_an_expired_one_says_so() {
    let config = "[[model]]\nid = \"m\"\nprovider = \"recorded\"\n\
                  price = { input = 0.3, output = 2.5, valid_until = 2020-01-31 }\n";
    let project = Project::new(config, &["a"])
        .with("cases/a/answers/p/m.md", "量子です。")
        .with("cases/a/answers/p/m.json", r#"{"usage": {"input_tokens": 1000, "output_tokens": 2000}}"#);
    let done = project.done("run --out run").expect(0);
    assert_eq!(project.csv("run/metrics.csv").column("cost_usd"), ["0.0053"]);
    done.says(&["costs of m: the price was valid until 2020-01-31"]);
    assert!(done.stdout.contains("2020-01-31") && project.read("run/summary.md").contains("2020-01-31"));
}

/// A workbook with a sheet of these rows.
fn workbook(sheet: &str, rows: &[&[&str]]) -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let written = workbook.add_worksheet().set_name(sheet).unwrap();
    written.write_row_matrix(0, 0, rows.iter().map(|row| row.iter().copied())).unwrap();
    workbook.save_to_buffer().unwrap()
}

const HEADER: &[&str] = &["id", "source.published_at", "source.publisher", "source.title", "require.contains"];

#[test]
fn cases_are_kept_in_workbooks_and_in_csv_of_any_usual_encoding() {
    let row = |id: &'static str| [id, "2025-06-30T07:00:00+09:00", "日本貿易振興機構", "量子", "量子"];
    let text = |id| format!("{}\r\n{}\r\n", HEADER.join("\t"), row(id).join("\t"));
    let cp932 = encoding_rs::SHIFT_JIS.encode(&text("c").replace('\t', ";")).0.into_owned();
    let utf16: Vec<u8> = format!("\u{feff}{}", text("b")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let project = Project::recorded("", &[])
        .with_bytes("cases/a.xlsx", &workbook("News", &[HEADER, &row("a")]))
        .with_bytes("cases/b.csv", &utf16)
        .with_bytes("cases/c.csv", &cp932)
        .with_bytes("cases/~$a.xlsx", b"locked")
        .with_bytes("cases/d.ods", b"PK");
    let plan = project.done("list --format json").expect(0);
    assert_eq!(plan.json()["cases"], serde_json::json!(["a", "b", "c"]), "{}", plan.stdout);
    plan.says(&[
        "cases/b.csv: read as UTF-16, columns parted by tabs",
        "cases/c.csv: read as CP932 (Shift_JIS), columns parted by semicolons",
        "cases/d.ods is not read: save it as .xlsx or .csv",
    ]);
}

#[test]
fn a_mistake_in_a_workbook_names_its_cell_and_sends_nothing() {
    let rows: &[&[&str]] =
        &[HEADER, &["a", "2025-06-30 07:00", "日本貿易振興機構", "量子", ""], &["A", "", "", "", ""]];
    let project = Project::recorded("", &[]).with_bytes("cases/a.xlsx", &workbook("報道", rows));
    project.done("run").expect(2).says(&[
        "cases/a.xlsx, sheet 報道, cell B2",
        "add the offset from UTC",
        "cases/a.xlsx, sheet 報道, cell A3",
    ]);
    assert!(!project.path("reports").exists());
    let twice = workbook("報道", &[HEADER, &["a", "2025-06-30T07:00:00+09:00", "機構", "量子", ""]]);
    let twice = Project::recorded("", &[("A", "記事")]).with_bytes("cases/a.xlsx", &twice);
    twice.done("check").expect(2).says(&["the case id `a` is also used in cases/A/case.toml", "sheet 報道, cell A2"]);
}

#[test]
fn a_spreadsheet_becomes_the_lines_that_give_the_same_cases() {
    let rows: &[&[&str]] = &[
        &["id", "tags", "source.published_at", "source.publisher", "source.title", "source.body", "require.contains"],
        &["b", "x\ny", "2025-06-30T07:00:00+09:00", "機構", "量子", "", "量子\n派遣"],
        &["a", "", "2025-06-30T07:00:00+09:00", "機構", "派遣", "本文", ""],
    ];
    let project = Project::recorded("", &[]).with_bytes("desk.xlsx", &workbook("報道", rows));
    let printed = project.done("import desk.xlsx").expect(0).stdout;
    assert_eq!(
        printed.lines().next(),
        Some(
            r#"{"id":"b","require":{"contains":["量子","派遣"]},"source":{"published_at":"2025-06-30T07:00:00+09:00","publisher":"機構","title":"量子"},"tags":["x","y"]}"#
        )
    );
    std::fs::create_dir(project.path("cases")).unwrap();
    project.done("import desk.xlsx --out cases/desk.jsonl").expect(0).says(&["cases/desk.jsonl: 2 cases"]);
    assert_eq!(project.read("cases/desk.jsonl"), printed);
    assert_eq!(project.done("list --format json").expect(0).json()["cases"], serde_json::json!(["a", "b"]));
    project.done("import desk.xlsx --out cases/desk.jsonl").expect(2).says(&["there is already a file"]);
    project.done("import evalrun.toml").expect(2).says(&["neither a .csv nor an .xlsx"]);
    let wrong = project.with("wrong.csv", "id,source.title\na,\na,\n");
    wrong.done("import wrong.csv").expect(2).says(&["wrong.csv:2:1", "the key `title` is missing"]);
}

#[test]
fn a_place_where_no_cases_can_be_written_is_a_mistake_of_the_call() {
    let project = Project::empty()
        .with("desk.csv", "id,source.published_at,source.publisher,source.title\nc,2025-06-30T07:00:00+09:00,p,t\n");
    for out in ["nowhere/desk.jsonl", "desk.csv/desk.jsonl"] {
        project.done(&format!("import desk.csv --out {out}")).expect(2).says(&[out, "cannot be written", "--out"]);
    }
}

#[cfg(unix)]
#[test]
fn half_written_cases_are_taken_away_again() {
    let rows: Vec<String> = (0..200).map(|n| format!("c{n},2025-06-30T07:00:00+09:00,p,t")).collect();
    let project = Project::empty()
        .with("desk.csv", &format!("id,source.published_at,source.publisher,source.title\n{}\n", rows.join("\n")));
    let import = "import desk.csv --out desk.jsonl";
    project.call(import).after("ulimit -f 4").done().expect(1).says(&["desk.jsonl", "File too large"]);
    assert!(!project.path("desk.jsonl").exists());
    project.done(import).expect(0).says(&["200 cases"]);
}
