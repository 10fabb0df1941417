//! A call of the real program, with a clean environment, and what came of it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

/// What a test of the program needs of its surroundings; nothing else is passed on.
const PASSED_ON: [&str; 5] = ["PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR"];

/// A call that is being put together.
pub(crate) struct Call {
    pub(crate) command: Command,
    input: Vec<u8>,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Call {
    /// A call in `folder`; arguments are parted by blanks.
    pub(crate) fn new(folder: &Path, arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evalrun"));
        command.current_dir(folder).args(arguments.split_whitespace()).env_clear();
        let passed_on = PASSED_ON.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(passed_on);
        Self { command, input: Vec::new() }
    }

    /// With one more argument, blanks and all.
    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// The same from a shell that does this before.
    #[cfg(unix)]
    pub(crate) fn after(self, commands: &str) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{commands}; exec \"$0\" \"$@\""));
        command.arg(self.command.get_program()).args(self.command.get_args()).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.command.get_current_dir().unwrap());
        Self { command, input: self.input }
    }

    /// With a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// With something on standard input.
    pub(crate) fn input(self, input: impl Into<Vec<u8>>) -> Self {
        Self { input: input.into(), ..self }
    }

    /// Starts the program with all its streams in pipes.
    pub(crate) fn spawn(&mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Calls the program and waits for its end.
    pub(crate) fn done(mut self) -> Done {
        let mut child = self.spawn();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read to the end closes its input: no mistake of the test's.
        let feeding = thread::spawn(move || drop(stdin.write_all(&self.input)));
        let output = child.wait_with_output().unwrap();
        feeding.join().unwrap();
        output.into()
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Done {
    /// The same, if the program ended with `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stderr:\n{}\nstdout:\n{}", self.stderr, self.stdout);
        self
    }

    /// Whether standard error holds every one of `texts`.
    #[track_caller]
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.stderr.contains(text), "no «{text}» in\n{}", self.stderr);
        }
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
