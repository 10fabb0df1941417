//! Answers from files: `cases/<case>/answers/<prompt>/<model>[.N].md`, beside it perhaps a `.json` with what a server
//! would have said of the answer.
//!
//! Promises that a file which cannot be understood is told with its place, never guessed at.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Reply;
use crate::diagnostic::{Diagnostic, TextFile};
use crate::document::{Node, Reader, parse_json};
use crate::response::{Failure, FailureKind, Finish, Response, Usage};
use crate::trial::TrialId;

/// The most bytes of a file, as of a server's answer.
const MAX_BYTES: u64 = 64 << 20;

/// The recorded answers of a project.
#[derive(Debug)]
pub(super) struct Recorded {
    root: PathBuf,
}

/// What stands beside an answer.
#[derive(Debug, Default)]
struct About {
    finish: Finish,
    usage: Usage,
    served_model: Option<String>,
    id: Option<String>,
    latency: Option<Duration>,
}

impl Recorded {
    /// The answers below `root`, the project's folder.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The recorded answer of a trial. A `.json` alone stands for an answer without text, such as a blocked one.
    ///
    /// # Errors
    /// There is none, there are two, or a file is not as it should be.
    pub(super) fn answer(&self, trial: &TrialId) -> Result<Reply, Failure> {
        match find(&self.root, trial) {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(Failure::new(FailureKind::NotRecorded, format!("there is no {}.md", stems(trial)[0]))),
            Err(problems) => {
                let problems: Vec<String> = problems.iter().map(Diagnostic::to_string).collect();
                Err(Failure::new(FailureKind::Malformed, problems.join("; ")))
            }
        }
    }
}

/// What is wrong with the files of a trial's recorded answer, in the project's folder `root`; that there are none is no
/// mistake here.
pub fn recorded_mistakes(root: &Path, trial: &TrialId) -> Vec<Diagnostic> {
    find(root, trial).err().unwrap_or_default()
}

/// The recorded answer of a trial of the project in the folder `root`, if there is one.
///
/// # Errors
/// What is wrong with its files.
pub fn recorded_answer(root: &Path, trial: &TrialId) -> Result<Option<Response>, Vec<Diagnostic>> {
    Ok(find(root, trial)?.map(|reply| reply.response))
}

/// The paths of a trial's answer without their ends; the first repeat needs no number.
fn stems(trial: &TrialId) -> Vec<String> {
    let folder = format!("cases/{}/answers/{}", trial.case, trial.prompt);
    let numbered = format!("{folder}/{}.{}", trial.model, trial.repeat);
    if trial.repeat == 0 { vec![format!("{folder}/{}", trial.model), numbered] } else { vec![numbered] }
}

fn find(root: &Path, trial: &TrialId) -> Result<Option<Reply>, Vec<Diagnostic>> {
    let one = |problem| vec![problem];
    let stems = stems(trial);
    let mut found = Vec::new();
    for stem in &stems {
        let text = read(root, &format!("{stem}.md")).map_err(one)?;
        let about = read(root, &format!("{stem}.json")).map_err(one)?;
        if text.is_some() || about.is_some() {
            found.push((stem, text, about));
        }
    }
    let (text, about) = match <[_; 1]>::try_from(found) {
        Ok([(_, text, about)]) => (text, about),
        Err(found) if found.is_empty() => return Ok(None),
        Err(_) => {
            let message = format!("{} is there, too: keep one", stems[1]);
            return Err(one(Diagnostic::without_place(&stems[0], message)));
        }
    };
    let about = about.map(|file| parse_about(&file)).transpose()?.unwrap_or_default();
    let text = text.map(|file| without_last_newline(file.text));
    let About { finish, usage, served_model, id, latency } = about;
    Ok(Some(Reply {
        response: Response { text, finish, usage, served_model, id, rest: None },
        latency,
        ..Reply::default()
    }))
}

fn read(root: &Path, path: &str) -> Result<Option<TextFile>, Diagnostic> {
    match read_bounded(&root.join(path)) {
        Ok(bytes) => TextFile::decode(path, &bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Diagnostic::without_place(path, error.to_string())),
    }
}

/// The bytes of a file. Reading a pipe would wait for whoever writes it, and a device may have no end.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("this is no file"));
    }
    if about.len() > MAX_BYTES {
        return Err(io::Error::other(format!("this file has more than {MAX_BYTES} bytes")));
    }
    std::fs::read(path)
}

/// Editors end a file with a newline that the answer did not have.
pub(super) fn without_last_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn parse_about(file: &TextFile) -> Result<About, Vec<Diagnostic>> {
    let node = parse_json(file, 0..file.text.len()).map_err(|problem| vec![problem])?;
    let reader = Reader::new(file);
    let about = read_about(&reader, &node).unwrap_or_default();
    reader.finish(about)
}

fn read_about(reader: &Reader<'_>, node: &Node) -> Option<About> {
    let table = reader.table(node)?;
    let about = About {
        finish: table.string("finish_reason").map(|word| Finish::of(&word)).unwrap_or_default(),
        usage: table.get("usage").and_then(|node| read_usage(reader, node)).unwrap_or_default(),
        served_model: table.string("served_model"),
        id: table.string("id"),
        latency: table.integer("latency_ms").map(Duration::from_millis),
    };
    table.finish();
    Some(about)
}

fn read_usage(reader: &Reader<'_>, node: &Node) -> Option<Usage> {
    let table = reader.table(node)?;
    let usage = Usage {
        input_tokens: table.integer("input_tokens"),
        output_tokens: table.integer("output_tokens"),
        cached_input_tokens: table.integer("cached_input_tokens"),
        thinking_tokens: table.integer("thinking_tokens"),
    };
    table.finish();
    Some(usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::FinishReason;

    /// Writes `files` below the answers of the prompt `p`, and asks for the model `m`.
    fn answer(repeat: u32, files: &[(&str, &[u8])]) -> Result<Reply, String> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("cases/c/answers/p");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        let trial =
            TrialId { case: "c".parse().unwrap(), prompt: "p".parse().unwrap(), model: "m".parse().unwrap(), repeat };
        Recorded::new(root.path()).answer(&trial).map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_answer_is_its_file_without_one_last_newline() {
        for (text, expected) in
            [("量子\n", "量子"), ("a\n\n", "a\n"), ("a\r\n", "a"), ("a", "a"), ("", ""), ("\u{FEFF}a\n", "a")]
        {
            let reply = answer(0, &[("m.md", text.as_bytes())]).unwrap();
            assert_eq!(reply.response.text.as_deref(), Some(expected), "{text:?}");
            assert_eq!(reply.response.finish, Finish::default());
        }
    }

    #[test]
    fn each_repeat_has_its_own_file_and_the_first_needs_no_number() {
        let files: [(&str, &[u8]); 2] = [("m.md", b"first"), ("m.1.md", b"second")];
        for (repeat, expected) in [(0, "first"), (1, "second")] {
            assert_eq!(answer(repeat, &files).unwrap().response.text.as_deref(), Some(expected));
        }
        assert_eq!(answer(0, &[("m.0.md", b"numbered")]).unwrap().response.text.as_deref(), Some("numbered"));
    }

    #[test]
    fn the_json_beside_an_answer_says_what_a_server_would() {
        let about = r#"{"finish_reason": "MAX_TOKENS", "usage": {"input_tokens": 7, "output_tokens": 9},
            "served_model": "m-001", "id": "r1", "latency_ms": 1200}"#;
        let reply = answer(0, &[("m.md", b"text"), ("m.json", about.as_bytes())]).unwrap();
        assert_eq!(reply.response.finish.reason, FinishReason::Length);
        assert_eq!((reply.response.usage.input_tokens, reply.response.usage.output_tokens), (Some(7), Some(9)));
        assert_eq!(reply.response.served_model.as_deref(), Some("m-001"));
        assert_eq!((reply.response.id.as_deref(), reply.latency), (Some("r1"), Some(Duration::from_millis(1_200))));
    }

    #[test]
    fn a_json_alone_is_an_answer_without_text() {
        let reply = answer(0, &[("m.json", br#"{"finish_reason": "SAFETY"}"#)]).unwrap();
        assert_eq!((reply.response.text, reply.response.finish.reason), (None, FinishReason::Blocked));
    }

    #[test]
    fn what_is_no_file_or_too_large_is_refused_without_reading_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, large) = (folder.path().join("m.md"), folder.path().join("large.md"));
        let file = std::fs::File::create(&large).unwrap();
        file.set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(read_bounded(&large).unwrap_err().to_string(), "this file has more than 67108864 bytes");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
            assert_eq!(read_bounded(&path).unwrap_err().to_string(), "this is no file");
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::create_dir(&path).unwrap();
        assert_eq!(read_bounded(&path).unwrap_err().to_string(), "this is no file");
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_its_path_and_place() {
        for (repeat, files, expected) in [
            (0, &[][..], "not recorded: there is no cases/c/answers/p/m.md"),
            (2, &[("m.md", &b"x"[..])], "not recorded: there is no cases/c/answers/p/m.2.md"),
            (
                0,
                &[("m.md", b"a\n\xFF\n")],
                "malformed answer: cases/c/answers/p/m.md:2:1: this file is not UTF-8: byte 0xFF cannot stand here \
                 (save it as UTF-8)",
            ),
            (
                0,
                &[("m.md", b"a"), ("m.json", b"{\n\"finish\": \"stop\", \"usage\": {\"input_token\": 1}}")],
                "malformed answer: cases/c/answers/p/m.json:2:1: unknown key `finish` (did you mean `finish_reason`?); \
                 cases/c/answers/p/m.json:2:29: unknown key `input_token` (did you mean `input_tokens`?)",
            ),
            (
                0,
                &[("m.json", b"{\"latency_ms\": -1}")],
                "malformed answer: cases/c/answers/p/m.json:1:16: out of range: -1",
            ),
            (
                0,
                &[("m.md", b"a"), ("m.0.md", b"b")],
                "malformed answer: cases/c/answers/p/m: cases/c/answers/p/m.0 is there, too: keep one",
            ),
        ] {
            assert_eq!(answer(repeat, files).unwrap_err(), expected);
        }
    }
}
