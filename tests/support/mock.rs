//! `evalrun mock` as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;

use serde_json::Value;

use super::call::Call;

/// A running mock server; it ends when it is dropped.
pub(crate) struct Mock {
    child: Child,
    pub(crate) url: String,
}

impl Mock {
    /// Starts a server in `folder`; arguments are parted by blanks.
    pub(crate) fn start(folder: &Path, arguments: &str) -> Self {
        let mut child = Call::new(folder, &format!("mock --port 0 {arguments}")).spawn();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://"), "{line}");
        Self { child, url: line.trim_end().to_owned() }
    }

    /// What it answers to a request on a connection of its own: head and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (String, String) {
        self.ask_with("", method, path, body)
    }

    /// The same with headers, each of which ends its line.
    pub(crate) fn ask_with(&self, headers: &str, method: &str, path: &str, body: &str) -> (String, String) {
        let (head, rest) = self.begin_with(headers, method, path, body);
        (head, rest())
    }

    /// The head of an answer, and a way to its body.
    pub(crate) fn begin(&self, method: &str, path: &str, body: &str) -> (String, impl FnOnce() -> String + use<>) {
        self.begin_with("", method, path, body)
    }

    fn begin_with(
        &self,
        headers: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> (String, impl FnOnce() -> String + use<>) {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        // In the first version of HTTP a body is what comes until the end.
        write!(stream, "{method} {path} HTTP/1.0\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0, "no head: {head}");
        }
        let rest = move || {
            let mut body = String::new();
            stream.read_to_string(&mut body).unwrap();
            body
        };
        (head.trim_end().to_owned(), rest)
    }

    /// The counters.
    pub(crate) fn stats(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/stats", "").1).unwrap()
    }

    /// Asks it to end, as a CI service does.
    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").arg(&id).status().unwrap().success());
    }

    /// Waits for its end: its exit code and standard error.
    #[cfg(unix)]
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (code, said)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
