//! A project in a temporary folder, written as a user would write it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::call::{Call, Done};
use super::csv::Csv;

/// A project; its folder goes when it does.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// A folder with nothing in it.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A project with one prompt, `p`, and as many small cases as named.
    pub(crate) fn new(config: &str, cases: &[&str]) -> Self {
        let project = Self::empty().with("evalrun.toml", config).with("prompts/p.md", "{{ title }}について書く。\n");
        cases.iter().fold(project, |project, id| project.with(&format!("cases/{id}/case.toml"), &case(id)))
    }

    /// A project whose only model, `m`, has recorded answers: for each case, its id and answer.
    pub(crate) fn recorded(require: &str, answers: &[(&str, &str)]) -> Self {
        let config = format!("[require]\n{require}\n[[model]]\nid = \"m\"\nprovider = \"recorded\"\n");
        let ids: Vec<&str> = answers.iter().map(|(id, _)| *id).collect();
        let project = Self::new(&config, &ids);
        answers
            .iter()
            .fold(project, |project, (id, answer)| project.with(&format!("cases/{id}/answers/p/m.md"), answer))
    }

    /// With a file more, or another text in it.
    pub(crate) fn with(self, path: &str, text: &str) -> Self {
        self.with_bytes(path, text.as_bytes())
    }

    /// The same for what need not be UTF-8.
    pub(crate) fn with_bytes(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A path within it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// A call within it; arguments are parted by blanks.
    pub(crate) fn call(&self, arguments: &str) -> Call {
        Call::new(self.root(), arguments)
    }

    /// Calls the program within it.
    pub(crate) fn done(&self, arguments: &str) -> Done {
        self.call(arguments).done()
    }

    /// The text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The text of a report.html without what differs from run to run.
    pub(crate) fn page(&self, path: &str) -> String {
        without_volatile(&self.read(path))
    }

    /// A CSV file.
    pub(crate) fn csv(&self, path: &str) -> Csv {
        Csv::read(&self.path(path))
    }

    /// The names in a folder, sorted; none if it is not there.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A report.html without its block of what differs from run to run.
pub(crate) fn without_volatile(page: &str) -> String {
    let (before, rest) = page.split_once("<script type=\"application/json\" id=\"volatile-data\">").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    format!("{before}{after}")
}

/// A case of which nothing is required.
pub(crate) fn case(id: &str) -> String {
    format!(
        "[source]\npublished_at = \"2025-06-30T07:00:00+09:00\"\npublisher = \"日本貿易振興機構\"\n\
         title = \"{id}の量子ミッション\"\n"
    )
}
