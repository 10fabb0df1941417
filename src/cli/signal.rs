//! Ctrl-C and SIGTERM: the first one lets a run finish what is under way, the second drops it.

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
    /// A request to end, as from a CI service.
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
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            else => std::future::pending().await,
        }
    }
}

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
