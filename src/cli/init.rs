//! `evalrun init`: a small project that runs at once, without a key or a network.
//!
//! Promises that nothing which is there already is overwritten, and that all of it is refused where part of it is there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::args::InitArgs;
use super::context::Context;
use super::error::Error;
use super::exit::Exit;

/// The case of the new project.
const CASE: &str = "aquarium-night-opening";

/// What a project consists of: where it stands, and what is in it.
const FILES: [(&str, &str); 4] = [
    ("evalrun.toml", include_str!("init/evalrun.toml")),
    ("prompts/news-article.md", include_str!("init/prompt.md")),
    ("cases/aquarium-night-opening/case.toml", include_str!("init/case.toml")),
    ("cases/aquarium-night-opening/answers/news-article/sample.md", include_str!("init/answer.md")),
];

/// What git is to leave alone; a folder under version control has such a file already.
const IGNORED: (&str, &str) = (".gitignore", include_str!("init/ignored.txt"));

/// Runs the command.
///
/// # Errors
/// There is a project or a part of one already, or the files cannot be written.
pub(super) fn execute(args: &InitArgs, context: &Context) -> Result<Exit, Error> {
    let shown = args.folder.as_deref().unwrap_or(Path::new(""));
    let folder = context.environment.folder.join(shown);
    if fs::metadata(&folder).is_ok_and(|about| !about.is_dir()) {
        return Err(Error::usage(format!("{} is no folder", shown.display())));
    }
    if let Some((path, _)) = FILES.iter().find(|(path, _)| is_there(&folder.join(path))) {
        let error = Error::usage(format!("there is already a file {}", shown.join(path).display()));
        return Err(error.hint("name another folder, such as `evalrun init my-news`; nothing was written"));
    }
    let mut written = Vec::new();
    for (path, text) in FILES {
        write_new(&folder.join(path), text).map_err(Error::file(&shown.join(path)))?;
        written.push(shown.join(path));
    }
    let (path, text) = IGNORED;
    if is_there(&folder.join(path)) {
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        context.console.warn(&format!(
            "{} stays as it is; it may need: {}",
            shown.join(path).display(),
            lines.join(" ")
        ));
    } else {
        write_new(&folder.join(path), text).map_err(Error::file(&shown.join(path)))?;
        written.push(shown.join(path));
    }
    tell(context, shown, &written)?;
    Ok(Exit::Fine)
}

/// Whether anything is there, a link that leads nowhere included.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// What was written, and what to do with it.
fn tell(context: &Context, folder: &Path, written: &[PathBuf]) -> Result<(), Error> {
    context.console.print(|out| written.iter().try_for_each(|path| writeln!(out, "{}", path.display())))?;
    let show = format!("evalrun show latest {CASE}");
    let next = [
        ("evalrun run".to_owned(), "judge the recorded answer: no key, no network"),
        (show, "look at it: why did it fail?"),
        ("evalrun check".to_owned(), "after each change: find every mistake"),
    ];
    let enter = (!folder.as_os_str().is_empty()).then(|| format!("  cd {}\n", folder.display()));
    let lines: Vec<String> = next.iter().map(|(command, does)| format!("  {command:<44}{does}")).collect();
    context.console.say(&format!("\nNext:\n{}{}", enter.unwrap_or_default(), lines.join("\n")));
    Ok(())
}
