//! A Chromium without a window, told what to do over two pipes by the protocol of its developers' tools.
//!
//! Leaves to its callers what they do where none is installed.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Under these names it is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Whoever says nothing for so long will say nothing any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    events: Vec<Value>,
    session: Option<String>,
    asked: u64,
    folder: TempDir,
}

/// The program, if it is on the path.
fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut found = env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    found.find(|program| program.is_file())
}

/// Says that something was not tried, around the test's captured output.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

impl Browser {
    /// Starts one; `None`, with a line that says so, where none is installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program().filter(|_| cfg!(unix)) else {
            skipped(
                "no Chromium is on the path, so no browser looked at report.html (Debian: apt-get install chromium)",
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // It reads from the third and writes to the fourth of its files, which a shell alone can give to it safely.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (send, messages) = channel();
        thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap();
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self { child, input, messages, events: Vec::new(), session: None, asked: 0, folder };
        browser.attach();
        Some(browser)
    }

    fn attach(&mut self) {
        let target = self.ask("Target.createTarget", json!({"url": "about:blank"}));
        let session = self.ask("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        let downloads = json!({"behavior": "allow", "downloadPath": self.downloads(), "eventsEnabled": true});
        self.ask("Browser.setDownloadBehavior", downloads);
        self.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log"] {
            self.ask(&format!("{domain}.enable"), json!({}));
        }
        self.ask("Page.setLifecycleEventsEnabled", json!({"enabled": true}));
        self.resize(1280, 900);
    }

    /// The folder into which it saves.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    /// Sends a command and waits for its result.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        write!(self.input, "{message}\0").unwrap();
        loop {
            let message = self.receive();
            if message["id"] == self.asked {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Waits for an event, which may have come already.
    pub(crate) fn await_event(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(place) = self.events.iter().position(&is_it) {
                return self.events.remove(place);
            }
            let message = self.receive();
            self.events.push(message);
        }
    }

    fn receive(&self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("the browser says nothing more")
    }

    /// Opens a page from disk and waits until it is there.
    pub(crate) fn open(&mut self, page: &Path, fragment: &str) {
        // From one fragment to another it would stay on the page.
        self.navigate("about:blank");
        self.navigate(&format!("file://{}{fragment}", page.display()));
    }

    /// Goes to an address and waits for the end of that load; that of a page before may be told late.
    fn navigate(&mut self, address: &str) {
        let loader = self.ask("Page.navigate", json!({"url": address}))["loaderId"].clone();
        self.await_event(|event| {
            event["method"] == "Page.lifecycleEvent"
                && event["params"]["name"] == "load"
                && event["params"]["loaderId"] == loader
        });
    }

    /// What was downloaded under that name, once it is there: the last part is told before the file has its name.
    pub(crate) fn downloaded(&mut self, name: &str) -> String {
        self.await_event(|event| {
            event["method"] == "Browser.downloadProgress" && event["params"]["state"] == "completed"
        });
        let path = self.downloads().join(name);
        let is_there = |_: &u32| fs::metadata(&path).is_ok_and(|file| file.len() > 0);
        (0..600).find(|n| {
            is_there(n) || {
                thread::sleep(Duration::from_millis(100));
                false
            }
        });
        fs::read_to_string(&path).unwrap()
    }

    /// Makes the window so wide and high, in CSS pixels.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What an expression comes to.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.ask("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].clone()
    }

    /// An expression's text.
    #[track_caller]
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression} is no text: {value}")).to_owned()
    }

    /// Presses keys one after the other, as a keyboard does: letters, or names such as `Enter`.
    pub(crate) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let text = if *key == "Enter" { "\r" } else { key };
            let is_typed = *key == "Enter" || key.chars().count() == 1;
            let code = match *key {
                "Enter" => 13,
                "Escape" => 27,
                _ => 0,
            };
            let mut down = json!({"type": "keyDown", "key": key, "windowsVirtualKeyCode": code});
            if is_typed {
                down["text"] = text.into();
            }
            self.ask("Input.dispatchKeyEvent", down);
            self.ask("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}));
        }
    }

    /// What the page complained of: exceptions, and what its Content-Security-Policy stopped.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
        let is_complaint = |event: &&Value| {
            event["method"] == "Runtime.exceptionThrown"
                || event["method"] == "Log.entryAdded" && event["params"]["entry"]["level"] == "error"
        };
        self.events.iter().filter(is_complaint).map(|event| event["params"].to_string()).collect()
    }
}

impl Browser {
    /// Forgets what the page complained of.
    pub(crate) fn forget_complaints(&mut self) {
        self.complaints();
        self.events.clear();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its helpers end with it only if it ends by itself.
        let _ = write!(self.input, "{}\0", json!({"id": 0, "method": "Browser.close"}));
        let _ = self.input.flush();
        while self.messages.recv_timeout(Duration::from_secs(10)).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
