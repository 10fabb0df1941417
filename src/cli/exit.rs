//! How a call ends: the exit codes, which scripts and CI rely on.

use std::process::ExitCode;

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well: the gate passed, or there is none.
    Fine,
    /// Something that should not happen: a fault of evalrun, a full disk.
    Unexpected,
    /// A mistake in the call, in a file, or no key: nothing was sent.
    Usage,
    /// Some trials have no outcome, so the figures are incomplete.
    Incomplete,
    /// The gate failed.
    GateFailed,
    /// The gate could not decide, and says that this counts.
    GateInconclusive,
    /// Ended by Ctrl-C; the same command continues.
    Interrupted,
    /// Ended by SIGTERM or SIGHUP; the same command continues.
    Terminated,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Fine,
        Self::Unexpected,
        Self::Usage,
        Self::Incomplete,
        Self::GateFailed,
        Self::GateInconclusive,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::GateFailed => 4,
            Self::GateInconclusive => 5,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What it means, in a phrase.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine: the gate passed, or there is none",
            Self::Unexpected => "something unexpected: a fault of evalrun, a full disk",
            Self::Usage => "a mistake in the call, in a file, or no key: nothing was sent",
            Self::Incomplete => "some trials have no outcome, so the figures are incomplete",
            Self::GateFailed => "the gate failed",
            Self::GateInconclusive => "the gate could not decide, where [gate] says that this counts",
            Self::Interrupted => "interrupted by Ctrl-C: the same command continues the run",
            Self::Terminated => "ended by SIGTERM or SIGHUP: the same command continues the run",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
