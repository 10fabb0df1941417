//! Processes and what they take: wall time from start to end, peak memory, exit code; and the mock server beside them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What the server answers: an article of about a kilobyte.
const ANSWER: &str = "日本貿易振興機構(ジェトロ)は30日、量子分野の日米企業交流について発表しました。\
    今回の派遣は、日本企業と現地の研究機関との連携を深めることを目的としています。\
    参加した企業は現地で意見を交わし、研究施設を見学しました。\
    量子技術は暗号や創薬などでの応用が期待されており、今回の交流は国際的な協力を広げる一歩として意義があります。";

/// What a process took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// The most memory that it held, in MB of 10⁶ bytes; NaN where the system does not tell.
    pub(crate) peak_mb: f64,
    /// Its exit code; -1 when a signal ended it.
    pub(crate) exit: i32,
}

/// Runs a command to its end.
pub(crate) fn measure(command: &mut Command) -> Measured {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the program starts");
    let mut peak_mb = f64::NAN;
    loop {
        peak_mb = peak(child.id()).unwrap_or(peak_mb);
        if let Some(status) = child.try_wait().expect("a status") {
            return Measured { wall: started.elapsed(), peak_mb, exit: status.code().unwrap_or(-1) };
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The high-water mark that Linux keeps of a process, in MB.
fn peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// An `evalrun mock`; it ends when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Its address, without a slash at the end.
    pub(crate) url: String,
}

impl Server {
    /// Starts one that answers everything with the same article.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_evalrun"))
            .args(["mock", "--port", "0", "--answer", ANSWER])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut url).expect("its address");
        Self { child, url: url.trim_end().to_owned() }
    }

    /// Its counters.
    pub(crate) fn stats(&self) -> Value {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("the server listens");
        stream.write_all(b"GET /stats HTTP/1.0\r\n\r\n").expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        serde_json::from_str(body).expect("the counters")
    }

    /// How many requests it has answered.
    pub(crate) fn answered(&self) -> u64 {
        self.stats()["answered"].as_u64().expect("a counter")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
