//! The arguments of `evalrun init`.

use std::path::PathBuf;

/// `evalrun init`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Writes a small project: evalrun.toml, a prompt, a case and a recorded answer to it, so that `evalrun run` works \
        at once, without a key or a network. Nothing that is there already is overwritten; where a part of it is, \
        nothing is written.",
    after_long_help = "Example:\n  evalrun init my-news && cd my-news && evalrun run"
)]
pub struct InitArgs {
    /// The project's folder; made if it is not there [default: this one]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
