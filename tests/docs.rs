//! The documentation: its links lead somewhere, and its contents name every page.

use std::fs;
use std::path::{Path, PathBuf};

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
