//! Finding and reading a project: evalrun.toml, prompts/*.md, `cases/<id>/case.toml`, cases/*.jsonl, *.csv and *.xlsx.
//!
//! Promises that all mistakes of all files are told together, under names as the user would type them from where they
//! are. Leaves what the files mean to `project`, `prompt` and `case`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::console::Console;
use super::environment::Environment;
use super::error::Error;
use super::spreadsheet::{self, Part};
use crate::case::{Case, in_order, parse_case_toml, parse_jsonl};
use crate::diagnostic::{Diagnostic, TextFile};
use crate::model::Model;
use crate::project::{self, Project, Rule};
use crate::prompt::Prompt;
use crate::property::Property;

/// The name of the file that makes a folder a project.
pub(super) const CONFIG: &str = "evalrun.toml";

/// A project with all that its files hold.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Where it is.
    pub place: Place,
    /// What evalrun.toml says.
    pub project: Project,
    /// Every prompt: those that [run] names in its order, then the others by id.
    pub prompts: Vec<Prompt>,
    /// Every case, by id.
    pub cases: Vec<Arc<Case>>,
}

/// Where a project is, and how its files are called.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The project's folder.
    pub root: PathBuf,
    /// Its evalrun.toml.
    pub config: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// The nearest project from the current folder upwards, or the one that the user names.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn find(config: Option<&Path>, environment: &Environment) -> Result<Self, Error> {
        let folder = &environment.folder;
        let place = |config: PathBuf| Self {
            root: config.parent().map(Path::to_owned).unwrap_or_default(),
            config,
            folder: folder.clone(),
        };
        if let Some(given) = config {
            let path = folder.join(given);
            let path = if path.is_dir() { path.join(CONFIG) } else { path };
            if path.is_file() {
                return Ok(place(without_dots(&path)));
            }
            return Err(Error::usage(format!("there is no file {}", given.display()))
                .hint("--config names a project's evalrun.toml"));
        }
        // A link to nothing is there, too: passed over, it would let another project above take its place.
        let found = folder.ancestors().map(|folder| folder.join(CONFIG)).find(|path| path.symlink_metadata().is_ok());
        match found {
            Some(path) if path.is_file() => Ok(place(path)),
            Some(path) => Err(Error::usage(format!("{} is no file", shown_from(folder, &path)))
                .hint("mend it, or name another one by --config")),
            None => Err(Error::usage(format!("there is no {CONFIG} in {} or above it", folder.display())).hint(
                "change to a project's folder, or name its evalrun.toml by --config; `evalrun init` writes a new one",
            )),
        }
    }

    /// A path as the user would type it.
    pub(super) fn shown(&self, path: &Path) -> String {
        shown_from(&self.folder, path)
    }

    /// The folder of all runs.
    pub(super) fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }
}

/// A path as a user in `folder` would type it.
pub(super) fn shown_from(folder: &Path, path: &Path) -> String {
    if let Ok(below) = path.strip_prefix(folder) {
        return if below.as_os_str().is_empty() { ".".to_owned() } else { below.display().to_string() };
    }
    for (up, ancestor) in folder.ancestors().enumerate() {
        // A path by way of the root would be no shorter.
        if ancestor.parent().is_none() {
            break;
        }
        if let Ok(below) = path.strip_prefix(ancestor) {
            return Path::new(&"../".repeat(up)).join(below).display().to_string();
        }
    }
    path.display().to_string()
}

/// The path without `.`, and without `..` where that can be told without looking.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

impl Loaded {
    /// Reads a project.
    ///
    /// # Errors
    /// Every mistake of every file.
    pub(super) fn read(place: Place, console: &Console) -> Result<Self, Error> {
        let mut reading = Reading { place: &place, console, problems: Vec::new() };
        let config = reading.file(&place.config);
        let project = config.as_ref().and_then(|file| reading.keep(project::parse(file)));
        let prompts = reading.prompts()?;
        let cases = reading.cases()?;
        let names: Vec<&str> = prompts.names.iter().map(String::as_str).collect();
        let gate = project.as_ref().and_then(|project| project.gate.as_ref());
        let in_gate = gate.iter().flat_map(|gate| &gate.prompts);
        for named in project.iter().flat_map(|project| &project.run.prompts).chain(in_gate) {
            let name = named.id.as_str();
            if let Some(file) = config.as_ref().filter(|_| !names.contains(&name)) {
                let unknown = file.diagnose(named.span.clone(), format!("there is no prompt `{name}`"));
                let unknown = unknown.did_you_mean(name, names.iter().copied());
                let needed = unknown.hint.is_none();
                reading.problems.push(if needed { unknown.hint(format!("write prompts/{name}.md")) } else { unknown });
            }
        }
        if let (Some(file), Some(project)) = (&config, &project) {
            reading.problems.extend(rules_about_nothing(file, project, &cases));
        }
        let problems = reading.problems;
        match project {
            Some(project) if problems.is_empty() => {
                let prompts = in_run_order(prompts.parsed, &project);
                Ok(Self { place, project, prompts, cases: cases.into_iter().map(Arc::new).collect() })
            }
            _ => Err(Error::Project(problems)),
        }
    }

    /// Every model: those that [run] names in its order, then the others in the file's.
    pub(super) fn models(&self) -> Vec<Model> {
        let named = &self.project.run.models;
        let rank = |model: &Model| named.iter().position(|named| named.id == model.id).unwrap_or(named.len());
        let mut models = self.project.models.clone();
        models.sort_by_key(rank);
        models
    }
}

/// Rules of the gate about properties that no case requires: a typing error would let the gate pass.
fn rules_about_nothing(file: &TextFile, project: &Project, cases: &[Case]) -> Vec<Diagnostic> {
    let required: BTreeSet<Property> =
        cases.iter().flat_map(|case| case.require.over(&project.require).properties().collect::<Vec<_>>()).collect();
    let nothing = |rule: &Rule| {
        let name = rule.property.filter(|property| !required.contains(property))?.name();
        let problem =
            file.diagnose(rule.span.clone(), format!("the gate has a rule about `{name}`, which no case requires"));
        Some(problem.hint(format!("require it: `{name} = …` in [require], or take the rule out")))
    };
    // Cases that could not be read may be those that require it.
    if cases.is_empty() {
        return Vec::new();
    }
    project.gate.iter().flat_map(|gate| &gate.rules).filter_map(nothing).collect()
}

fn in_run_order(mut prompts: Vec<Prompt>, project: &Project) -> Vec<Prompt> {
    let named = &project.run.prompts;
    prompts.sort_by_key(|prompt| named.iter().position(|named| named.id == prompt.id).unwrap_or(named.len()));
    prompts
}

/// What was found in prompts/.
struct Prompts {
    parsed: Vec<Prompt>,
    /// Of all files, those with mistakes included.
    names: Vec<String>,
}

/// A project while it is read: collects what is wrong.
struct Reading<'a> {
    place: &'a Place,
    console: &'a Console,
    problems: Vec<Diagnostic>,
}

impl Reading<'_> {
    /// The value, or its mistakes noted.
    fn keep<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        result.map_err(|problems| self.problems.extend(problems)).ok()
    }

    fn file(&mut self, path: &Path) -> Option<TextFile> {
        let file = self.decoded(path).map_err(|problem| vec![problem]);
        self.keep(file)
    }

    fn decoded(&self, path: &Path) -> Result<TextFile, Diagnostic> {
        let shown = self.place.shown(path);
        let bytes = fs::read(path).map_err(|error| unreadable(&shown, &error))?;
        TextFile::decode(&shown, &bytes)
    }

    fn prompts(&mut self) -> Result<Prompts, Error> {
        let mut prompts = Prompts { parsed: Vec::new(), names: Vec::new() };
        let folder = self.place.root.join("prompts");
        for path in self.entries(&folder)? {
            let is_readme = path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("readme"));
            if !has_extension(&path, "md") || is_readme || !self.is_regular(&path) {
                continue;
            }
            let Some(name) = self.name(path.file_stem(), &path) else { continue };
            if let Some(twin) = prompts.names.iter().find(|other| other.eq_ignore_ascii_case(&name)) {
                let message = format!("the prompt id `{name}` is also used in {twin}.md");
                let twice = Diagnostic::without_place(&self.place.shown(&path), message);
                self.problems.push(twice.hint("ids are compared without regard to case"));
            }
            let id = name.parse();
            prompts.names.push(name);
            let Some(file) = self.file(&path) else { continue };
            let parsed = match id {
                Ok(id) => Prompt::parse(id, file),
                Err(error) => Err(vec![misnamed(&file.name, &error)]),
            };
            prompts.parsed.extend(self.keep(parsed));
        }
        if prompts.names.is_empty() {
            let missing = Diagnostic::without_place(&self.place.shown(&folder), "there are no prompts");
            self.problems.push(missing.hint("write one, such as prompts/news-article.md"));
        }
        Ok(prompts)
    }

    fn cases(&mut self) -> Result<Vec<Case>, Error> {
        let folder = self.place.root.join("cases");
        let (mut cases, mut files, mut is_complete) = (Vec::new(), Vec::new(), true);
        for path in self.entries(&folder)? {
            for (parsed, file) in self.cases_of(&path) {
                files.extend(file);
                match self.keep(parsed) {
                    Some(parsed) => cases.extend(parsed),
                    None => is_complete = false,
                }
            }
        }
        if cases.is_empty() && is_complete {
            let missing = Diagnostic::without_place(&self.place.shown(&folder), "there are no cases");
            self.problems.push(missing.hint("write one, such as cases/my-first-case/case.toml"));
        }
        Ok(self.keep(in_order(cases, &files)).unwrap_or_default())
    }

    /// The cases of one entry of cases/, each part with the file that places are told of; nothing if it holds no cases.
    fn cases_of(&mut self, path: &Path) -> Vec<Part<Vec<Case>>> {
        if is_lock(path) {
            return Vec::new();
        }
        let toml = path.join("case.toml");
        if path.is_dir() {
            // One without a case.toml may hold the answers of a case in another file; `check` tells those that do not.
            let is_missing = toml.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            if is_missing || !self.is_regular(&toml) {
                return Vec::new();
            }
            let Some(name) = self.name(path.file_name(), path) else { return Vec::new() };
            return self.text(&toml, |file| parse_case_toml(&name, file).map(|case| vec![case]));
        }
        if !self.is_regular(path) {
            return Vec::new();
        }
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" => self.text(path, parse_jsonl),
            _ if spreadsheet::is_spreadsheet(path) => {
                let shown = self.place.shown(path);
                let parts = spreadsheet::read(path, &shown, self.console)
                    .unwrap_or_else(|error| vec![(Err(vec![unreadable(&shown, &error)]), None)]);
                parts.into_iter().map(|(rows, file)| (rows.map(|rows| rows.cases), file)).collect()
            }
            "ods" | "tsv" | "xls" | "xlsb" | "xlsm" => {
                let shown = self.place.shown(path);
                self.console.warn(&format!("{shown} is not read: save it as .xlsx or .csv"));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn text(
        &self,
        path: &Path,
        parse: impl FnOnce(&TextFile) -> Result<Vec<Case>, Vec<Diagnostic>>,
    ) -> Vec<Part<Vec<Case>>> {
        vec![match self.decoded(path) {
            Ok(file) => (parse(&file), Some(file)),
            Err(problem) => (Err(vec![problem]), None),
        }]
    }

    /// What stands in a folder of the project.
    fn entries(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        entries(folder).map_err(|error| match error {
            Error::File { source, .. } => {
                let shown = self.place.shown(folder);
                Error::usage(format!("{shown} cannot be read as a folder: {source}")).hint("it is a folder of files")
            }
            other => other,
        })
    }

    /// Whether a path leads to a regular file; what is none is a mistake: a link to nothing would be a case that nobody
    /// misses, a pipe would be waited for.
    fn is_regular(&mut self, path: &Path) -> bool {
        let what = match fs::metadata(path) {
            Ok(about) if about.is_file() => return true,
            Ok(about) if about.is_dir() => "a folder stands where a file is expected".to_owned(),
            Ok(_) => "this is no regular file".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
                Ok(target) => format!("this is a link to {}, which is not there", target.display()),
                Err(_) => error.to_string(),
            },
            Err(error) => {
                self.problems.push(unreadable(&self.place.shown(path), &error));
                return false;
            }
        };
        let problem = Diagnostic::without_place(&self.place.shown(path), what);
        self.problems.push(problem.hint("put a file there, or take this away"));
        false
    }

    /// A file's name as a text.
    fn name(&mut self, name: Option<&OsStr>, path: &Path) -> Option<String> {
        let name = name.and_then(OsStr::to_str).map(str::to_owned);
        if name.is_none() {
            let message = "the file's name is not UTF-8";
            self.problems.push(Diagnostic::without_place(&self.place.shown(path), message));
        }
        name
    }
}

/// What Excel puts beside a workbook while it is open.
fn is_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"~$"))
}

fn misnamed(file: &str, error: &impl std::fmt::Display) -> Diagnostic {
    Diagnostic::without_place(file, error.to_string()).hint("rename the file")
}

fn unreadable(shown: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::without_place(shown, format!("this cannot be read: {error}"))
}

/// Whether a file's name ends so, in capitals or not.
pub(super) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// What stands in a folder, by name, hidden files left out; nothing if there is no such folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file(folder)(error)),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(Error::file(folder))?;
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    paths.retain(|path| !is_hidden(path));
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_as_it_would_be_typed() {
        for (folder, path, expected) in [
            ("/p", "/p/evalrun.toml", "evalrun.toml"),
            ("/p", "/p", "."),
            ("/p/cases/a", "/p/evalrun.toml", "../../evalrun.toml"),
            ("/p/cases", "/p/reports/x", "../reports/x"),
            ("/p", "/q/evalrun.toml", "/q/evalrun.toml"),
        ] {
            assert_eq!(shown_from(Path::new(folder), Path::new(path)), expected);
        }
    }

    #[test]
    fn dots_are_taken_out_of_a_path() {
        for (path, expected) in [("/p/./a/../b", "/p/b"), ("../a", "../a"), ("/p/..", "/")] {
            assert_eq!(without_dots(Path::new(path)), Path::new(expected));
        }
    }
}
