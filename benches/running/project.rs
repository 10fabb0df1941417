//! Projects to measure with: many cases in one file, one prompt, one model at a server of this machine.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::measure::{Measured, measure};

/// What is required of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Required {
    /// Four assertions that look for words and count characters.
    Cheap,
    /// Everything that the project can say about Japanese articles.
    Japanese,
}

pub(crate) use Required::{Cheap, Japanese};

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: TempDir,
    cases: usize,
}

const CHEAP: &str = "[require]\njapanese_only = false\narticle_only = false\ncovers = []\nno_fabrication = false\n\
    contains = [\"量子\"]\nnot_contains = [\"申し訳\"]\nmatches = [\"(です|ます)。\"]\nlength = { min_chars = 20 }\n";

const JAPANESE: &str = "[require]\njapanese_only = true\narticle_only = true\n\
    covers = [\"purpose\", \"activities\", \"significance\"]\nno_fabrication = true\nlength = { min_chars = 20 }\n\
    readability = true\nregister = true\nrepetition = true\nrefusal = true\n";

impl Project {
    /// One of so many cases.
    pub(crate) fn new(cases: usize, required: Required, url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let require = match required {
            Cheap => CHEAP,
            Japanese => JAPANESE,
        };
        let config = format!(
            "{require}[[model]]\nid = \"m\"\nprovider = \"openai\"\nbase_url = \"{url}/v1\"\n\
             api_key_env = \"BENCH_KEY\"\n"
        );
        for (name, text) in [
            ("evalrun.toml", config),
            ("prompts/p.md", "{{ title }}について。\n".into()),
            ("cases/all.jsonl", lines(cases)),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Self { folder, cases }
    }

    /// Runs evalrun in it.
    pub(crate) fn evalrun(&self, arguments: &str) -> Measured {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalrun"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path()).env("BENCH_KEY", "none");
        measure(&mut command)
    }

    /// The bodies of the requests that a run sends.
    pub(crate) fn bodies(&self) -> Vec<String> {
        let body = |case| {
            let content = format!("{}について。", title(case));
            serde_json::json!({"model": "m", "messages": [{"role": "user", "content": content}]}).to_string()
        };
        (0..self.cases).map(body).collect()
    }
}

fn title(case: usize) -> String {
    format!("量子分野の日米企業交流、第{case}回の派遣")
}

fn lines(cases: usize) -> String {
    (0..cases).fold(String::new(), |mut text, case| {
        let _ = writeln!(
            text,
            r#"{{"id":"c{case}","source":{{"published_at":"2025-06-30T07:00:00+09:00","publisher":"日本貿易振興機構","title":"{}"}}}}"#,
            title(case)
        );
        text
    })
}
