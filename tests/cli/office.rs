//! What LibreOffice reads of the spreadsheets: the same cells, nothing evaluated. Needs `soffice`; says so where there is none.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use calamine::{Data, Reader as _, Xlsx};

use crate::support::project::Project;

/// Comma, quotation mark, UTF-8, from the first line on, texts as they are.
const READ: &str = "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,0,false,false";
/// The same, every column as text: nothing becomes a number.
const READ_TEXTS: &str = "--infilter=Text - txt - csv (StarCalc):44,34,76,1,1/2/2/2/3/2/4/2/5/2/6/2/7/2,0,false,false";
const WRITE: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false";
/// The same for every sheet, each in a file of its own.
const WRITE_SHEETS: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1";

/// The program, where it is installed.
fn soffice() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders).map(|folder| folder.join("soffice")).find(|path| path.is_file());
    if found.is_none() {
        // Around the test's captured output, so that it is seen that something was not tried.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: LibreOffice (soffice) is not installed, so it did not read the reports"
        );
    }
    found
}

/// Files converted to CSV by LibreOffice, in `into`.
fn convert(soffice: &Path, folder: &Path, into: &Path, arguments: &[&str], files: &[PathBuf]) {
    let profile = format!("-env:UserInstallation=file://{}", folder.join("profile").display());
    let mut command = Command::new(soffice);
    command.arg(profile).arg("--headless").args(arguments).arg("--outdir").arg(into).args(files);
    let output = command.env("HOME", folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// Whether LibreOffice's cell says what was written: the same text, or the same number.
fn is_same(written: &str, read: &str) -> bool {
    let share =
        |text: &str| text.strip_suffix('%').and_then(|text| text.parse().ok()).map(|percent: f64| percent / 100.0);
    let number = |text: &str| text.parse().ok().or_else(|| share(text));
    // LibreOffice writes truth values in capitals.
    written == read
        || written.eq_ignore_ascii_case(read) && ["true", "false"].contains(&written)
        || matches!((number(written), number(read)), (Some(written), Some(read)) if f64::abs(written - read) < 1e-6)
}

#[track_caller]
fn assert_same(name: &str, written: &[Vec<String>], read: &[Vec<String>]) {
    assert_eq!(written.len(), read.len(), "{name}");
    for (n, (written, read)) in written.iter().zip(read).enumerate() {
        let cells = (0..written.len().max(read.len())).map(|at| {
            let cell = |row: &[String]| row.get(at).cloned().unwrap_or_default();
            (cell(written), cell(read))
        });
        for (written, read) in cells {
            assert!(is_same(&written, &read), "{name}, row {}: {written:?} is read as {read:?}", n + 1);
        }
    }
}

/// A run with everything that a spreadsheet could misread.
fn project() -> Project {
    let odd = [
        "=1+1",
        "=HYPERLINK(\"http://e.example\")",
        "＝1+1",
        "+81",
        "-1+2",
        "@SUM(1)",
        "1-2",
        "2025-06-30",
        "1/2",
        "007",
        "1e5",
        "10%",
        "TRUE",
        "「一」, \"二\"",
        "一行目\n二行目",
    ];
    let quoted: Vec<String> = odd.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
    let require = format!("no_fabrication = true\ncontains = [{0}]\nnot_contains = [{0}]", quoted.join(", "));
    let about =
        r#"{"finish_reason": "stop", "served_model": "=1+1", "usage": {"input_tokens": 12, "output_tokens": 34}}"#;
    Project::recorded(&require, &[("a", &odd.join("、")), ("b", "量子です。約30社が参加しました。")])
        .with("cases/a/answers/p/m.json", about)
        .with("prompts/q.md", "{{ title }}を詳しく。\n")
        .with("cases/a/answers/q/m.md", "=1+1")
        .with("cases/b/answers/q/m.md", "007")
}

#[test]
fn libreoffice_reads_the_cells_that_were_written() {
    let Some(soffice) = soffice() else { return };
    let project = project();
    project.done("run --out run --xlsx").expect(0);
    let (folder, read) = (project.root().to_owned(), project.path("read"));
    let names = ["metrics.csv", "scores.csv", "summary.csv"];
    let files = names.map(|name| project.path("run").join(name));
    convert(&soffice, &folder, &read, &[READ, "--convert-to", WRITE], &files);
    for (name, file) in names.iter().zip(&files) {
        assert_same(name, &rows(file), &rows(&read.join(name)));
    }

    let file = project.path("run/report.xlsx");
    convert(&soffice, &folder, &read, &["--convert-to", WRITE_SHEETS], std::slice::from_ref(&file));
    let mut workbook = Xlsx::new(std::io::Cursor::new(fs::read(&file).unwrap())).unwrap();
    let sheets = workbook.sheet_names();
    assert_eq!(sheets, ["summary", "matrix", "trials", "scores", "disagreements"]);
    for sheet in sheets {
        let range = workbook.worksheet_range(&sheet).unwrap();
        let written: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect();
        assert_same(&sheet, &written, &rows(&read.join(format!("report-{sheet}.csv"))));
    }
    let trials = rows(&read.join("report-trials.csv"));
    assert!(trials.iter().any(|row| row.last().is_some_and(|answer| answer == "=1+1")), "{trials:?}");
    assert!(trials.iter().any(|row| row.last().is_some_and(|answer| answer == "007")), "{trials:?}");
    assert_eq!(
        fs::read_dir(&read)
            .unwrap()
            .filter(|file| file.as_ref().unwrap().path().extension() == Some(OsStr::new("csv")))
            .count(),
        8
    );
}

#[test]
fn cases_that_libreoffice_saves_are_read() {
    let Some(soffice) = soffice() else { return };
    let rows = "id,source.published_at,source.publisher,source.title,require.contains,require.length.min_chars\n\
                q,2025-06-30T07:00:00+09:00,日本貿易振興機構,量子,\"量子\n派遣\",400\n";
    let project = Project::recorded("", &[]).with("news.csv", rows);
    let arguments = [READ, "--convert-to", "xlsx:Calc MS Excel 2007 XML"];
    convert(&soffice, project.root(), &project.path("cases"), &arguments, &[project.path("news.csv")]);
    let plan = project.done("list --format json").expect(0).json();
    assert_eq!(plan["cases"], serde_json::json!(["q"]));
}

#[test]
fn cases_come_through_libreoffice_in_every_encoding() {
    let Some(soffice) = soffice() else { return };
    let rows = "id,source.published_at,source.publisher,source.title,require.contains,require.length.min_chars,vars.n\n\
                q,2025-06-30T07:00:00+09:00,日本貿易振興機構,\"量子、\"\"派遣\"\"\",\"量子\n派遣\",400,007\n";
    let project = Project::recorded("", &[]).with("news.csv", rows).with("prompts/p.md", "{{ title }}{{ n }}\n");
    let lines = project.done("import news.csv").expect(0).stdout;
    // Commas, semicolons, tabs; UTF-8, Shift_JIS, UTF-16.
    for (delimiter, encoding) in [(44, 76), (59, 76), (44, 64), (9, 65535)] {
        let write = format!("csv:Text - txt - csv (StarCalc):{delimiter},34,{encoding},1,,0,false,true,false");
        convert(
            &soffice,
            project.root(),
            &project.path("saved"),
            &[READ_TEXTS, "--convert-to", &write],
            &[project.path("news.csv")],
        );
        assert_eq!(project.done("import saved/news.csv").expect(0).stdout, lines, "{delimiter} {encoding}");
    }
}
