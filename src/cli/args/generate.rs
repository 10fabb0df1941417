//! The arguments of `evalrun generate`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use clap_complete::Shell;

/// `evalrun generate`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Writes what a package of evalrun brings along: man pages, completions of commands and flags for a shell, and \
        schemas of its files for editors. An editor with a TOML language server finds a schema by the first line of the file: \
        `#:schema ./evalrun.schema.json`.",
    after_long_help = "\
Examples:
  evalrun generate man ~/.local/share/man/man1
  evalrun generate completions bash > ~/.local/share/bash-completion/completions/evalrun
  evalrun generate completions fish > ~/.config/fish/completions/evalrun.fish
  evalrun generate schema project > evalrun.schema.json"
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
    /// A JSON Schema, by which editors complete and check evalrun.toml and cases as one types
    Schema(SchemaArgs),
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

/// `evalrun generate schema`
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Of which file
    #[arg(value_name = "FILE")]
    pub file: SchemaFile,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaFile {
    /// evalrun.toml
    Project,
    /// A case.toml, or a line of cases/*.jsonl
    Case,
}
