//! The shape of the source tree: what may import what, and which folders may touch the world.
//!
//! Reads src/ as text. Tests within it are left out: they may use files and clocks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// The two folders that touch the world.
const WORLDLY: [&str; 2] = ["engine", "cli"];

/// What no other module may name.
static FORBIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?x)
    \bstd::(\{[^}]*\b)?(fs|net|process|env|thread)\b | \b(reqwest|tokio|indicatif|rand|rustls|rustix)::
    | \b(SystemTime|Instant)\b | \b(Timestamp|Zoned)::now\b | \bio::(\{[^}]*\b)?(stdin|stdout|stderr)\b
    | \be?print(ln)?! | \bdbg!",
    )
});

/// The most lines by which a file says what it is; lib.rs is the guide to all of them and may say more.
const MOST_OPENING_LINES: usize = 6;

static TEST_FILE: LazyLock<Regex> = LazyLock::new(|| regex(r"#\[cfg\(test\)\]\s+(?:pub(?:\([^)]*\))? )?mod (\w+);"));
static TEST_MODULE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?ms)^#\[cfg\(test\)\]\n(?:pub(?:\([^)]*\))? )?mod \w+ \{.*?^\}"));
static DECLARED: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^(?:pub )?mod (\w+);"));
static SINGLE: LazyLock<Regex> = LazyLock::new(|| regex(r"\bcrate::(\w+)"));
static GROUP: LazyLock<Regex> = LazyLock::new(|| regex(r"(?s)\bcrate::\{(.*?)\};"));
static MEMBER: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:^|,)\s*(\w+)"));
static ROUND_ABOUT: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^use super::"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// A file below src/ without its tests.
struct Source {
    /// From src/ on, parted by `/`.
    path: String,
    /// The module of lib.rs that it belongs to; empty for lib.rs and main.rs.
    module: String,
    text: String,
}

impl Source {
    /// Whether it is the root of its module rather than a file within it.
    fn is_root(&self) -> bool {
        self.path == format!("{}.rs", self.module) || self.path == format!("{}/mod.rs", self.module)
    }

    /// The text without comments.
    fn code(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

/// Every file below src/ that is not there for tests alone.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    let sources: Vec<Source> = paths.iter().map(|path| read(&root, path)).collect();
    let for_tests: BTreeSet<String> = sources.iter().flat_map(test_files).collect();
    let is_kept = |source: &Source| !for_tests.contains(&source.path);
    let without_tests = |source: Source| Source { text: without_tests(&source.text), ..source };
    sources.into_iter().filter(is_kept).map(without_tests).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn read(root: &Path, path: &Path) -> Source {
    let below = path.strip_prefix(root).unwrap();
    let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let name = parts.join("/");
    let module = parts[0].trim_end_matches(".rs");
    let module = if ["lib", "main"].contains(&module) { "" } else { module };
    Source { path: name, module: module.to_owned(), text: fs::read_to_string(path).unwrap() }
}

/// The files that `#[cfg(test)] mod name;` declares.
fn test_files(source: &Source) -> Vec<String> {
    let folder = source.path.strip_suffix("mod.rs").map_or(format!("{}/", source.module), str::to_owned);
    TEST_FILE.captures_iter(&source.text).map(|found| format!("{folder}{}.rs", &found[1])).collect()
}

/// A text without its inline test modules, each of which ends with the brace in its first column.
fn without_tests(text: &str) -> String {
    TEST_MODULE.replace_all(text, "").into_owned()
}

/// The modules in the order of lib.rs.
fn reading_order() -> Vec<String> {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    DECLARED.captures_iter(&lib).map(|found| found[1].to_owned()).collect()
}

/// The modules of lib.rs that a file imports, by whatever path.
fn imports(source: &Source) -> BTreeSet<String> {
    let code = source.code();
    let mut found: BTreeSet<String> = SINGLE.captures_iter(&code).map(|found| found[1].to_owned()).collect();
    for members in GROUP.captures_iter(&code) {
        found.extend(MEMBER.captures_iter(&without_braces(&members[1])).map(|found| found[1].to_owned()));
    }
    found.remove(&source.module);
    found
}

/// A group's members without what they group themselves.
fn without_braces(group: &str) -> String {
    let mut depth = 0;
    let is_outside = |c: &char| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0
    };
    group.chars().filter(is_outside).collect()
}

#[test]
fn a_module_imports_only_what_stands_above_it_in_lib_rs() {
    let order = reading_order();
    let place = |module: &str| order.iter().position(|other| other == module);
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.module.is_empty()) {
        let own = place(&source.module);
        assert!(own.is_some(), "{} belongs to no module of lib.rs", source.path);
        let below = imports(source).into_iter().filter(|import| place(import) > own);
        wrong.extend(below.map(|import| format!("{} imports {import}", source.path)));
        // From a module's root, `super` is lib.rs: a way around `crate`.
        let is_round_about = source.is_root() && ROUND_ABOUT.is_match(&source.code());
        wrong.extend(is_round_about.then(|| format!("{} imports by `super`", source.path)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_engine_and_cli_touch_the_world() {
    let mut wrong = Vec::new();
    let pure = |source: &&Source| !source.module.is_empty() && !WORLDLY.contains(&source.module.as_str());
    for source in sources().iter().filter(pure) {
        let code = source.code();
        wrong.extend(FORBIDDEN.find_iter(&code).map(|found| format!("{}: {}", source.path, found.as_str())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn engine_and_report_never_see_each_other() {
    for (module, other) in [("engine", "report"), ("report", "engine")] {
        let sees: Vec<String> = sources()
            .iter()
            .filter(|source| source.module == module && imports(source).contains(other))
            .map(|source| source.path.clone())
            .collect();
        assert!(sees.is_empty(), "these import {other}: {sees:?}");
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    for source in sources() {
        let lines = source.text.lines().take_while(|line| line.starts_with("//!")).count();
        let most = if source.path == "lib.rs" { usize::MAX } else { MOST_OPENING_LINES };
        assert!((1..=most).contains(&lines), "{} opens with {lines} lines of `//!`", source.path);
    }
}

#[test]
fn the_checks_see_what_they_look_for() {
    let source = |text: &str| Source { path: "a/mod.rs".into(), module: "a".into(), text: without_tests(text) };
    for (text, expected) in [
        ("use crate::b::C;\nuse crate::a::d;", &["b"][..]),
        ("use crate::{b, c::{d, e}, f as g};", &["b", "c", "f"]),
        ("// crate::b\n/// [`x`](crate::c)", &[]),
        ("#[cfg(test)]\nmod tests {\n    use crate::b;\n}\nfn f() { crate::c::g() }", &["c"]),
    ] {
        let found = imports(&source(text));
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
    }
    for text in [
        "std::fs::read",
        "use std::{fmt, env};",
        "tokio::spawn",
        "Instant::now",
        "jiff::Zoned::now()",
        "io::{self, stdout}",
        "println!()",
        "eprint!()",
    ] {
        assert!(FORBIDDEN.is_match(text), "{text}");
    }
    for text in ["use std::io::{self, Write};", "env!(\"X\")", "let instant = 1;", "writeln!(out)", "operand::x"] {
        assert!(!FORBIDDEN.is_match(text), "{text}");
    }
}
