//! The arguments of `evalrun generate`.

use std::path::PathBuf;

use clap::Subcommand;
use clap_complete::Shell;

/// `evalrun generate`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Writes what a package of evalrun brings along: man pages, and completions of commands and flags for a shell.",
    after_long_help = "\
Examples:
  evalrun generate man ~/.local/share/man/man1
  evalrun generate completions bash > ~/.local/share/bash-completion/completions/evalrun
  evalrun generate completions fish > ~/.config/fish/completions/evalrun.fish"
)]
pub struct GenerateArgs {
    /// What to write.
    #[command(subcommand)]
    pub what: Generated,
}

/// What can be generated.
#[derive(Debug, Subcommand)]
pub enum Generated {
    /// Man pages: one, or with a folder those of all commands
    Man(ManArgs),
    /// Completions for a shell, on standard output
    Completions(CompletionsArgs),
}

/// `evalrun generate man`
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Where the pages of evalrun and of its commands are written, over those that are there [default: evalrun's own page, on
    /// standard output]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// `evalrun generate completions`
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
