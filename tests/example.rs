//! The committed example is what `evalrun run` says about this repository's own project today, times apart.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Columns of metrics.csv that differ from run to run, by their number in its header.
const VOLATILE: [&str; 4] = ["attempts", "cached", "latency_ms", "run"];

#[test]
fn the_example_run_is_current() {
    let folder = tempfile::tempdir().unwrap();
    let (made, root) = (folder.path().join("run"), Path::new(env!("CARGO_MANIFEST_DIR")));
    let output =
        Command::new(env!("CARGO_BIN_EXE_evalrun")).arg("run").arg("--out").arg(&made).current_dir(root).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = "report.html metrics.csv scores.csv summary.csv summary.md diff.md diff.html junit.xml";
    for name in names.split(' ') {
        let [made, kept] =
            [made.clone(), root.join("reports/example")].map(|folder| without_volatile(&folder.join(name)));
        assert!(made == kept, "reports/example/{name} is not current: CONTRIBUTING.md tells how to make it anew");
    }
}

fn without_volatile(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match path.file_name().and_then(|name| name.to_str()) {
        Some("metrics.csv") => without_volatile_columns(&text),
        Some("report.html") => without_volatile_block(&text),
        _ => text,
    }
}

/// A page without its block of what differs from run to run.
fn without_volatile_block(page: &str) -> String {
    let (before, rest) = page.split_once("<script type=\"application/json\" id=\"volatile-data\">").unwrap();
    format!("{before}{}", rest.split_once("</script>").unwrap().1)
}

fn without_volatile_columns(text: &str) -> String {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let kept: Vec<usize> = (0..header.len()).filter(|n| !VOLATILE.contains(&&header[*n])).collect();
    let row = |record: &csv::StringRecord| kept.iter().map(|n| &record[*n]).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = reader.records().map(|record| row(&record.unwrap())).collect();
    format!("{}\n{}", row(&header), rows.join("\n"))
}
