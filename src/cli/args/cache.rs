//! The arguments of `evalrun cache`.

use std::path::PathBuf;

use clap::Subcommand;

use super::TextOrJson;

/// `evalrun cache`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Looks after the store of answers. `evalrun run` puts every whole answer of a server into it and does not ask \
        the same question twice: the same provider, address, request body and repeat. Refusals, cut-off answers and errors \
        are never served from it; recorded answers and programs have no need of it."
)]
pub struct CacheCommandArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: CacheAction,
}

/// What can be done with the store.
#[derive(Debug, Subcommand)]
pub enum CacheAction {
    /// Count the answers, by model; finds damage, too
    Stats(CacheStatsArgs),
    /// Take answers out
    #[command(after_long_help = "\
Examples:
  evalrun cache prune --older-than 90         what is older than 90 days
  evalrun cache prune --model 'gpt-4o*'       the answers of models that nobody asks any more
  evalrun cache prune --all")]
    Prune(CachePruneArgs),
    /// Print every answer as a line of JSON
    Export(CacheExportArgs),
}

/// `evalrun cache stats`
#[derive(Debug, clap::Args)]
pub struct CacheStatsArgs {
    /// The store [default: .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// The form of what is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TextOrJson,
}

/// `evalrun cache prune`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub struct CachePruneArgs {
    /// The store [default: .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
    /// Those that were stored more than so many days ago
    #[arg(long, value_name = "DAYS", group = "which")]
    pub older_than: Option<u32>,
    /// Those of these models, by the provider's name or glob
    #[arg(long, value_name = "GLOB", group = "which")]
    pub model: Vec<String>,
    /// All of them
    #[arg(long, group = "which", conflicts_with_all = ["older_than", "model"])]
    pub all: bool,
}

/// `evalrun cache export`
#[derive(Debug, clap::Args)]
pub struct CacheExportArgs {
    /// The store [default: .evalrun/answers.db beside evalrun.toml]
    #[arg(long, value_name = "FILE")]
    pub cache: Option<PathBuf>,
}
