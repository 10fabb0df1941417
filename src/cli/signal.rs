//! Ctrl-C, SIGTERM and SIGHUP: the first one lets a run finish what is under way, the second drops it.
//!
//! Promises that whoever was started to outlive its terminal (`nohup`) does.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::exit::Exit;
use crate::engine::Cancel;

/// What the user or the system sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// A request to end, as from a CI service, or since the terminal is gone.
    Terminate,
}

impl Signal {
    /// The exit code of a run that it ended.
    pub(super) const fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
        }
    }
}

/// The signals of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Signals(Arc<OnceLock<Signal>>);

impl Signals {
    /// Passes signals on to a run from now on.
    ///
    /// # Errors
    /// The system does not let the process listen.
    pub(super) fn listen(cancel: watch::Sender<Cancel>) -> io::Result<Self> {
        let signals = Self::default();
        let mut source = Source::new()?;
        let first = Arc::clone(&signals.0);
        tokio::spawn(async move {
            let _ = first.set(source.next().await);
            cancel.send_replace(Cancel::Finish);
            source.next().await;
            cancel.send_replace(Cancel::Drop);
            // The sender must live on: a run takes its end for the end of all signals.
            std::future::pending::<()>().await;
        });
        Ok(signals)
    }

    /// The first signal that came, if any did.
    pub(super) fn first(&self) -> Option<Signal> {
        self.0.get().copied()
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` where it is to be ignored.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!is_hangup_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    async fn next(&mut self) -> Signal {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => None,
            }
        };
        tokio::select! {
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Some(()) = hangup => Signal::Terminate,
            else => std::future::pending().await,
        }
    }
}

/// Whether the process was started to go on when its terminal is gone. Where the system does not say, it may have been.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask >> (rustix::process::Signal::HUP.as_raw() - 1) & 1 == 1)
}

/// From now on a file that grows beyond the limit of the process (`ulimit -f`) is an error like a full disk; without
/// this the process would be killed.
#[cfg(unix)]
pub(super) fn survive_file_size_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    // What is listened for once does not kill any more, even if nobody listens. Who cannot listen loses only that.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let _ = runtime.and_then(|runtime| {
        runtime.block_on(async { signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop) })
    });
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub(super) const fn survive_file_size_limit() {}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
