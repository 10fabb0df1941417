//! The arguments of `evalrun mock`, with the grammar of its faults.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::mock::{Rule, fault_help};

/// `evalrun mock`
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Serves Gemini's, OpenAI's and Anthropic's APIs on this machine, without a model, a key or a network: to try \
        out a CI set-up, or any client. The first line on standard output is the server's address; Ctrl-C or SIGTERM ends it \
        with exit code 0.\n\n\
        A question is answered with the project's recorded answer to the same prompt (of the model of that name, else of \
        another one), or with a Japanese article about the title that it quotes. The same questions and the same seed get \
        the same answers and faults, in whatever order they come.\n\n\
        GET /stats tells what was asked and answered.",
    after_long_help = mock_help()
)]
pub struct MockArgs {
    /// The port; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8808, help_heading = "Server")]
    pub port: u16,
    /// The address of this machine to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = "Server")]
    pub host: IpAddr,
    /// Answer with this, a template that knows `prompt`, `system`, `model` and `n` (how often it was asked before)
    #[arg(long, value_name = "TEXT|@FILE", help_heading = "Answers")]
    pub answer: Option<String>,
    /// What articles, faults and jitter are drawn by
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Answers")]
    pub seed: u64,
    /// Let something go wrong: `FAULTS[:SHARE][@MODEL]`, see --help
    #[arg(long, value_name = "RULE", help_heading = "Faults")]
    pub fault: Vec<Rule>,
    /// Let each answer begin that much later, such as 200ms
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration, help_heading = "Faults")]
    pub latency: Duration,
    /// Add up to that much to the latency
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration, help_heading = "Faults")]
    pub jitter: Duration,
    /// Let that much time pass between the pieces of a stream
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration, help_heading = "Faults")]
    pub pace: Duration,
    /// Let so many requests a minute through and answer 429 to the others, with Retry-After: 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Faults")]
    pub rpm: Option<u32>,
    /// How many of them may come at once [default: a second's worth]
    #[arg(long, value_name = "N", requires = "rpm", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Faults")]
    pub burst: Option<u32>,
    /// Write each request and what became of it to this file, a line of JSON each, without keys
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub log: Option<PathBuf>,
}

fn mock_help() -> String {
    format!(
        "\
Faults, one word each:
{}
Rules, of which the first one that strikes counts:
  429:0.2                  a fifth of all attempts, drawn by seed and question
  503@gemini-*             all of the models of such names
  500-then-ok              the first attempt of each question
  429x3-then-reset-then-ok:0.1
                           the first four attempts of a tenth of the questions
  continuation-rest-500-then-ok
                           answers in two parts; after -rest-, what becomes of requests for the second
A model whose name is mock- and such a word, as in mock-429 or mock-500-then-ok, has that fault and no other;
so no other name may begin with mock-.

Examples:
  evalrun mock             in evalrun.toml: base_url = \"http://127.0.0.1:8808\",
                           with provider openai \"http://127.0.0.1:8808/v1\"
  evalrun mock --fault 429:0.2 --fault 500-then-ok:0.1 --latency 200ms --jitter 100ms
  evalrun mock --port 0 --rpm 600 --log requests.jsonl
  evalrun mock --answer '『{{{{ prompt }}}}』についての記事です。'
  curl http://127.0.0.1:8808/stats",
        fault_help()
    )
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let duration = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| duration.try_into().ok());
    duration.ok_or("expected a time such as 200ms or 1.5s")
}
