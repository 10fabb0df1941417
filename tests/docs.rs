//! The documentation: its links lead somewhere, its contents name every page, and what it shows of files can be read.

use std::fs;
use std::path::{Path, PathBuf};

use evalrun::case::parse_case_toml;
use evalrun::cli::args::FROM_ENVIRONMENT;
use evalrun::diagnostic::TextFile;
use evalrun::document::parse_toml;
use evalrun::item::Item;
use evalrun::{project, schema};
use regex::Regex;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|found| found == "md")).collect();
    pages.sort();
    pages
}

/// Where the links of a page lead, code and addresses of other sites left out.
fn links(text: &str) -> Vec<String> {
    let code = Regex::new(r"(?s)```.*?```|`[^`\n]*`").unwrap();
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let text = code.replace_all(text, "");
    let targets = link.captures_iter(&text).map(|found| found[1].to_owned());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#')).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    for page in pages() {
        for target in links(&fs::read_to_string(&page).unwrap()) {
            let file = target.split('#').next().unwrap();
            assert!(docs().join(file).exists(), "{} links to {target}", page.display());
        }
    }
}

#[test]
fn the_contents_name_every_page() {
    let contents = links(&fs::read_to_string(docs().join("SUMMARY.md")).unwrap());
    for page in pages() {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name == "SUMMARY.md" || contents.contains(&name), "SUMMARY.md does not name {name}");
    }
}

/// The blocks of a language in a page.
fn blocks(page: &Path, language: &str) -> Vec<String> {
    let block = Regex::new(&format!(r"(?s)```{language}\n(.*?)```")).unwrap();
    block.captures_iter(&fs::read_to_string(page).unwrap()).map(|found| found[1].to_owned()).collect()
}

const MODEL: &str = "[[model]]\nid = \"m\"\nprovider = \"openai\"\n";

#[test]
fn every_piece_of_a_project_can_be_read() {
    let mut pages = pages();
    pages.push(docs().join("../README.md"));
    for page in pages {
        for block in blocks(&page, "toml") {
            let name = page.display().to_string();
            let is_case = block.contains("[source]");
            // Keys without a table are those of a model.
            let model = if is_case || block.contains("\n[") || block.starts_with('[') { "" } else { MODEL };
            let file = TextFile::new(&name, format!("{model}{block}"));
            let (problems, schema) = if is_case {
                (parse_case_toml("a", &file).err(), schema::of_case())
            } else {
                (project::parse(&file).err(), schema::of_project())
            };
            assert!(problems.is_none(), "{problems:?}");
            let table = parse_toml(&file, 0..file.text.len()).unwrap().to_json();
            assert_eq!(jsonschema::draft202012::validate(&schema, &table).map_err(|error| error.to_string()), Ok(()));
        }
    }
}

#[test]
fn the_items_and_labels_that_are_shown_can_be_read() {
    let lines = fs::read_to_string(docs().join("labelled.jsonl")).unwrap();
    let shown = blocks(&docs().join("calibration.md"), "json");
    assert_eq!(shown.len(), 2);
    for text in lines.lines().chain(shown.iter().map(String::as_str)) {
        let labels = Item::parse(text).unwrap().labels.unwrap_or_default();
        assert_eq!((labels.check(), labels.strangers().count(), Item::slips(text)), (Ok(()), 0, vec![]), "{text}");
    }
}

#[test]
fn every_flag_with_a_variable_is_named() {
    let page = fs::read_to_string(docs().join("exit-codes.md")).unwrap();
    for flag in FROM_ENVIRONMENT {
        assert!(page.contains(&format!("`--{flag}`")), "{flag}");
    }
}
