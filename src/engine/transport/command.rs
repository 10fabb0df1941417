//! A program that answers: the prompt on its standard input, the answer on its standard output.
//!
//! Promises that no shell reads the command, that nothing the program started outlives its time-out, that a program's
//! complaint stands in the failure's message, and that it is given no key but the one that its model names.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin};

use super::Reply;
use super::keys::Keys;
use super::recorded::without_last_newline;
use super::secret::Place;
use crate::model::Model;
use crate::response::{Failure, FailureKind, Response};

/// The code of a failure that every further run of the program would meet, too.
pub(crate) const NOT_STARTED: &str = "not started";

/// The most bytes of an answer.
const MAX_OUTPUT: usize = 64 << 20;

/// The most bytes of a program's last complaints that are told.
const MAX_COMPLAINT: usize = 4 << 10;

/// The most bytes of them that are kept until keys are taken out: where they are cut, a part of a key would not be known.
const MAX_KEPT: usize = 16 * MAX_COMPLAINT;

/// How long a program's own children may hold its output open after it has ended.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the programs of a project.
#[derive(Debug)]
pub(super) struct Command {
    root: PathBuf,
    keys: Arc<Keys>,
    max_output: usize,
}

impl Command {
    /// Runs programs in the folder `root`, none of which is to tell a key.
    pub(super) fn new(root: &Path, keys: Arc<Keys>) -> Self {
        Self { root: root.to_owned(), keys, max_output: MAX_OUTPUT }
    }

    /// The answer of `model`'s program to `prompt`: what it writes, without one last newline.
    ///
    /// # Errors
    /// The program cannot be started, ends with a failure, takes too long, or writes too much or no UTF-8.
    pub(super) async fn run(&self, model: &Model, prompt: &str) -> Result<Reply, Failure> {
        self.run_until(tokio::time::sleep(model.timeout), model, prompt).await
    }

    async fn run_until(&self, time_out: impl Future, model: &Model, prompt: &str) -> Result<Reply, Failure> {
        let Some((program, arguments)) = model.command.split_first() else {
            return Err(Failure::new(FailureKind::Program, "no program is named"));
        };
        let mut child = self
            .spawn(program, arguments, model.key_variable.as_deref())
            .map_err(|error| not_started(program, &error))?;
        let mut family = Family::of(&child);
        let ended = tokio::select! {
            biased;
            ended = finish(&mut child, prompt, self.max_output) => ended,
            _ = time_out => {
                let message = format!("`{program}` gave no answer within {:?}", model.timeout);
                return Err(Failure::new(FailureKind::Timeout, message));
            }
        };
        let failed = |what: String| Failure::new(FailureKind::Program, format!("`{program}` {what}"));
        let (status, output) = ended.map_err(|error| failed(error.to_string()))?;
        if !output.left_open {
            family.has_ended();
        }
        if !status.success() {
            let complaint = String::from_utf8_lossy(&output.complaint).into_owned();
            let complaint = last_lines(&self.keys.scrub_text(complaint, Place::Message));
            let separator = if complaint.is_empty() { "" } else { ": " };
            return Err(failed(format!("ended with {status}{separator}{complaint}")));
        }
        let text = String::from_utf8(output.answer).map_err(|error| {
            failed(format!("wrote an answer that is not UTF-8, at byte {}", error.utf8_error().valid_up_to()))
        })?;
        let text = self.keys.scrub_text(without_last_newline(text), Place::Answer);
        let response = Response { text: Some(text), ..Response::default() };
        Ok(Reply { response, ..Reply::default() })
    }

    /// Starts a program, which of all keys sees the one in the variable `own`.
    fn spawn(&self, program: &str, arguments: &[String], own: Option<&str>) -> io::Result<Child> {
        // A relative path is meant from the project's folder; which folder it is otherwise sought in differs by system.
        let is_path = Path::new(program).components().count() > 1;
        let path = if is_path { self.root.join(program) } else { program.into() };
        let mut command = tokio::process::Command::new(path);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        for variable in self.keys.variables().filter(|variable| Some(*variable) != own) {
            command.env_remove(variable);
        }
        if !self.root.as_os_str().is_empty() {
            command.current_dir(&self.root);
        }
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }
}

fn not_started(program: &str, error: &io::Error) -> Failure {
    let hopeless = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
    let message = format!("`{program}` could not be started: {error}");
    Failure { code: hopeless.then(|| NOT_STARTED.to_owned()), ..Failure::new(FailureKind::Program, message) }
}

/// What a program wrote.
#[derive(Debug, Default)]
struct Output {
    answer: Vec<u8>,
    complaint: Vec<u8>,
    /// Whether some other process held the output open when the program had ended.
    left_open: bool,
}

/// Feeds the program, reads all that it writes, and waits for its end.
async fn finish(child: &mut Child, prompt: &str, max_output: usize) -> io::Result<(ExitStatus, Output)> {
    let mut output = Output::default();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err(io::Error::other("was started without its pipes"));
    };
    let (answer, complaint) = (&mut output.answer, &mut output.complaint);
    let (status, left_open) = {
        let read_answer = read_up_to(stdout, answer, max_output);
        let pipes = async { tokio::try_join!(feed(stdin, prompt), read_answer, read_last(stderr, complaint)) };
        tokio::pin!(pipes);
        tokio::select! {
            read = &mut pipes => {
                read?;
                (child.wait().await?, false)
            }
            status = child.wait() => match tokio::time::timeout(GRACE, &mut pipes).await {
                Ok(read) => {
                    read?;
                    (status?, false)
                }
                Err(_) => (status?, true),
            }
        }
    };
    output.left_open = left_open;
    Ok((status, output))
}

/// A program need not read its prompt: that it has closed its input is no failure.
async fn feed(mut stdin: ChildStdin, prompt: &str) -> io::Result<()> {
    match stdin.write_all(prompt.as_bytes()).await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

async fn read_up_to(pipe: impl AsyncRead + Unpin, bytes: &mut Vec<u8>, most: usize) -> io::Result<()> {
    let mut pipe = pipe.take(most as u64 + 1);
    pipe.read_to_end(bytes).await?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("wrote an answer of more than {most} bytes")));
    }
    Ok(())
}

async fn read_last(mut pipe: impl AsyncRead + Unpin, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&buffer[..read]);
        bytes.drain(..bytes.len().saturating_sub(MAX_KEPT));
    }
}

/// The last lines of a complaint, in one line.
fn last_lines(complaint: &str) -> String {
    let begin = complaint.len().saturating_sub(MAX_COMPLAINT);
    let last = (begin..complaint.len()).find_map(|begin| complaint.get(begin..)).unwrap_or_default();
    let lines: Vec<&str> = last.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}

/// A program with all that it started: killed together when dropped, unless it has ended by itself.
///
/// Where there are no process groups, only the program itself is killed.
#[derive(Debug)]
struct Family {
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Family {
    /// The family of a program that was started as the leader of its own process group.
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { group: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// Nothing is left to kill.
    fn has_ended(&mut self) {
        self.group = None;
    }
}

#[cfg(unix)]
impl Drop for Family {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended in this moment, which is what was wanted.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(not(unix))]
impl Family {
    fn of(_: &Child) -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "the same shape as on Unix")]
    fn has_ended(&mut self) {}
}

#[cfg(all(test, unix))]
mod tests {
    use std::collections::HashMap;
    use std::io::{BufRead as _, BufReader};

    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;

    fn model(command: &[&str], timeout: Duration) -> Model {
        let mut model = crate::engine::testing::model("program", crate::model::Provider::Command);
        model.command = command.iter().map(|&part| part.to_owned()).collect();
        model.timeout = timeout;
        model
    }

    fn runner(root: &Path) -> Command {
        Command::new(root, Arc::default())
    }

    async fn run(command: &[&str], prompt: &str) -> Result<Option<String>, String> {
        let command = model(command, Duration::from_secs(60));
        let runner = Command { max_output: 1 << 20, ..runner(Path::new("")) };
        let reply = runner.run(&command, prompt).await;
        reply.map(|reply| reply.response.text).map_err(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn the_prompt_goes_in_and_what_is_written_comes_out() {
        let long = "量子".repeat(100_000);
        for (command, prompt, expected) in [
            (&["cat"][..], "日本語", "日本語"),
            (&["cat"], long.as_str(), long.as_str()),
            (&["printf", "%s\n\n", "$HOME; `id` *"], "", "$HOME; `id` *\n"),
            (&["true"], long.as_str(), ""),
            (&["sh", "-c", "echo chatter >&2; echo answer"], "", "answer"),
        ] {
            assert_eq!(run(command, prompt).await.unwrap().as_deref(), Some(expected), "{command:?}");
        }
    }

    #[tokio::test]
    async fn a_programs_failure_says_how_it_ended_and_what_it_complained_of() {
        for (command, expected) in [
            (&["sh", "-c", "exit 3"][..], "program: `sh` ended with exit status: 3"),
            (
                &["sh", "-c", "echo answer; for n in 1 2 3 4; do echo line $n >&2; done; exit 1"],
                "program: `sh` ended with exit status: 1: line 2 / line 3 / line 4",
            ),
            (&["sh", "-c", "kill -TERM $$"], "program: `sh` ended with signal: 15 (SIGTERM)"),
            (&["printf", "ab\\377"], "program: `printf` wrote an answer that is not UTF-8, at byte 2"),
            (&["sh", "-c", "cat /dev/zero"], "program: `sh` wrote an answer of more than 1048576 bytes"),
            (
                &["no-such-program"],
                "program (not started): `no-such-program` could not be started: \
                 No such file or directory (os error 2)",
            ),
        ] {
            assert_eq!(run(command, "").await.unwrap_err(), expected);
        }
    }

    #[tokio::test]
    async fn keys_are_taken_out_of_what_a_program_writes_before_it_is_cut() {
        let key = "sk-marker-0123456789";
        let environment = HashMap::from([("OPENAI_API_KEY".to_owned(), key.to_owned())]);
        let runner = Command::new(Path::new(""), Arc::new(Keys::new([], &environment)));
        // The cut would go through a key.
        let script = format!("echo {key}; for n in $(seq 300); do printf {key}. >&2; done; exit $0");
        for (code, expected) in [("0", "[key]"), ("1", "`sh` ended with exit status: 1: [key].[key].")] {
            let reply = runner.run(&model(&["sh", "-c", &script, code], Duration::from_secs(60)), "").await;
            let said = reply.map_or_else(|failure| failure.message, |reply| reply.response.text.unwrap());
            assert!(said.starts_with(expected) && !said.contains("marker") && !said.contains("789"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_relative_path_is_meant_from_the_projects_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("bin")).unwrap();
        let script = root.path().join("bin/answer");
        std::fs::write(&script, "#!/bin/sh\nls\n").unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let model = model(&["bin/answer"], Duration::from_secs(60));
        let reply = runner(root.path()).run(&model, "").await.unwrap();
        assert_eq!(reply.response.text.as_deref(), Some("bin"));
    }

    /// A program with a child; tells when the child has begun, and (by the task's end) when it has ended.
    fn with_child(root: &Path) -> (Vec<String>, oneshot::Receiver<String>, JoinHandle<()>) {
        let pipe = root.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let script = format!("{{ echo alive; sleep 1000; }} > '{}' &\nwait", pipe.display());
        let (begun, has_begun) = oneshot::channel();
        // The pipe is at its end when nobody holds it open any more: when the child and its own child are gone.
        let ended = tokio::task::spawn_blocking(move || {
            let mut lines = BufReader::new(std::fs::File::open(pipe).unwrap()).lines();
            begun.send(lines.next().unwrap().unwrap()).unwrap();
            assert!(lines.next().is_none());
        });
        (vec!["sh".into(), "-c".into(), script], has_begun, ended)
    }

    #[tokio::test]
    async fn a_time_out_ends_the_program_and_its_children() {
        let root = tempfile::tempdir().unwrap();
        let (command, has_begun, ended) = with_child(root.path());
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let model = model(&command, Duration::from_secs(1_000));
        // The time is up when the child has begun.
        let failure = runner(root.path()).run_until(has_begun, &model, "").await.unwrap_err();
        assert_eq!(failure.to_string(), "timeout: `sh` gave no answer within 1000s");
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn the_models_time_out_is_the_programs() {
        let model = model(&["sleep", "1000"], Duration::from_millis(10));
        let failure = runner(Path::new("")).run(&model, "").await.unwrap_err();
        assert_eq!(failure.to_string(), "timeout: `sleep` gave no answer within 10ms");
    }

    #[tokio::test]
    async fn a_dropped_run_ends_the_program_and_its_children() {
        let root = tempfile::tempdir().unwrap();
        let (command, has_begun, ended) = with_child(root.path());
        let folder = root.path().to_owned();
        let run = tokio::spawn(async move {
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            runner(&folder).run(&model(&command, Duration::from_secs(1_000)), "").await
        });
        assert_eq!(has_begun.await.unwrap(), "alive");
        run.abort();
        ended.await.unwrap();
    }

    #[tokio::test]
    async fn children_that_hold_the_output_open_do_not_hold_up_the_answer() {
        let root = tempfile::tempdir().unwrap();
        let script = "echo answer; sleep 1000 & exit 0";
        let model = model(&["sh", "-c", script], Duration::from_secs(600));
        let reply = runner(root.path()).run(&model, "").await.unwrap();
        assert_eq!(reply.response.text.as_deref(), Some("answer"));
    }
}
