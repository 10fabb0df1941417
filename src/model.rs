//! A model: who answers, through which provider, with which parameters, at what price and within which limits.
//!
//! Promises that no key stands in a model, only the name of the environment variable that holds it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::document::{Node, Reader, Table, Value};
use crate::id::ModelId;
use crate::property::read_date;
use crate::response::Usage;

/// An API family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Google Gemini's `generateContent`.
    Gemini,
    /// `OpenAI`'s chat completions, and every server compatible with them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Answers kept in files beside the case.
    Recorded,
    /// A program: prompt on standard input, answer on standard output.
    Command,
}

impl Provider {
    /// All providers.
    pub const ALL: [Self; 5] = [Self::Gemini, Self::OpenAi, Self::Anthropic, Self::Recorded, Self::Command];

    /// The name in evalrun.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Recorded => "recorded",
            Self::Command => "command",
        }
    }

    /// The vendor's own server; `None` for providers without one.
    pub const fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::Gemini => Some("https://generativelanguage.googleapis.com"),
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Recorded | Self::Command => None,
        }
    }

    /// The environment variable that holds the key unless `api_key_env` names another.
    pub const fn default_key_variable(self) -> Option<&'static str> {
        match self {
            Self::Gemini => Some("GEMINI_API_KEY"),
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::Recorded | Self::Command => None,
        }
    }

    /// Whether its requests go over the network.
    pub const fn is_remote(self) -> bool {
        self.default_base_url().is_some()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A model of evalrun.toml.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The name used in reports.
    pub id: ModelId,
    /// Its API family.
    pub provider: Provider,
    /// The provider's name for it.
    pub name: String,
    /// The server; the vendor's own unless given. Empty for providers without one.
    pub base_url: String,
    /// The environment variable that holds the key; `None` for providers without keys.
    pub key_variable: Option<String>,
    /// Whether `key_variable` was named in the file: then a server other than the vendor's needs the key, too.
    pub key_variable_given: bool,
    /// Generation parameters.
    pub params: Params,
    /// Further headers of each request.
    pub headers: BTreeMap<String, String>,
    /// The longest that one attempt may take.
    pub timeout: Duration,
    /// Whether answers are to come in pieces.
    pub stream: bool,
    /// The program with its arguments (provider `command`).
    pub command: Vec<String>,
    /// Price, if known.
    pub price: Option<Price>,
    /// Limits of the account.
    pub limits: Limits,
}

/// Generation parameters; each is sent only if it is set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params {
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Top-k sampling (not `OpenAI` itself, but servers compatible with it).
    pub top_k: Option<u32>,
    /// The most tokens an answer may have, thinking included.
    pub max_output_tokens: Option<u32>,
    /// Seed (not Anthropic).
    pub seed: Option<i64>,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// Further fields of the request's body, as they are; objects are merged.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Of input tokens.
    pub input: f64,
    /// Of output tokens, thinking included.
    pub output: f64,
    /// Of input tokens read from the provider's cache; as `input` unless given.
    pub cached_input: Option<f64>,
    /// The last day on which the price is known to hold.
    pub valid_until: Option<Date>,
}

impl Price {
    /// What `usage` costs in US dollars; `None` if a count is missing, since unknown is not zero.
    pub fn cost(&self, usage: &Usage) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
        let millions = |tokens: u64| tokens as f64 / 1e6;
        let cached = usage.cached_input_tokens.unwrap_or(0);
        let fresh = usage.input_tokens?.saturating_sub(cached);
        let cached_price = self.cached_input.unwrap_or(self.input);
        Some(
            millions(fresh) * self.input
                + millions(cached) * cached_price
                + millions(usage.output_tokens?) * self.output,
        )
    }

    /// Whether the price is no longer known to hold on `today`.
    pub fn has_expired(&self, today: Date) -> bool {
        self.valid_until.is_some_and(|last| today > last)
    }
}

/// Limits of the account that a model is asked through; `None` where none is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Requests a minute.
    pub rpm: Option<u32>,
    /// Tokens a minute.
    pub tpm: Option<u32>,
    /// Requests at once.
    pub concurrency: Option<u32>,
}

/// Vendors advise generous limits: thinking models can be silent for minutes.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

impl Model {
    /// Reads a `[[model]]` table.
    pub fn read(reader: &Reader<'_>, node: &Node) -> Option<Self> {
        let table = reader.table(node)?;
        let id: Option<ModelId> = table.required("id").and_then(|node| {
            reader.string(node)?.parse().map_err(|error| reader.problem(&node.span, format!("{error}"))).ok()
        });
        let provider = table.required("provider").and_then(|node| read_provider(reader, node));
        let name = table.string("model");
        let base_url = read_base_url(&table);
        let key_variable = table.get("api_key_env").and_then(|node| read_variable(reader, node));
        let params = table.get("params").map(|node| Params::read(reader, node)).unwrap_or_default();
        let headers = table.get("headers").map(|node| read_headers(reader, node)).unwrap_or_default();
        let timeout = table.get("timeout").and_then(|node| read_duration(reader, node)).unwrap_or(DEFAULT_TIMEOUT);
        let stream = table.get("stream").and_then(|node| reader.bool(node)).unwrap_or_default();
        let command = table.get("command").map(|node| reader.strings(node).unwrap_or_default());
        let price = table.get("price").and_then(|node| Price::read(reader, node));
        let limits = table.get("limits").map(|node| Limits::read(reader, node)).unwrap_or_default();
        let (id, provider) = (id?, provider?);
        if stream && !provider.is_remote() {
            let span = table.key_span("stream").unwrap_or(table.span);
            reader.problem(span, format!("the provider `{provider}` has no streams: leave out `stream`"));
        }
        match (provider, &command) {
            (Provider::Command, None) => {
                table.required("command");
            }
            (Provider::Command, Some(command)) if command.is_empty() => {
                reader.problem(table.span, "`command` is empty: name the program and its arguments");
            }
            (provider, Some(_)) if provider != Provider::Command => {
                let span = table.key_span("command").unwrap_or(table.span);
                reader.problem(span, format!("`command` belongs to the provider `command`, not to `{provider}`"));
            }
            _ => {}
        }
        table.finish();
        Some(Self {
            name: name.unwrap_or_else(|| id.to_string()),
            base_url: base_url.or_else(|| provider.default_base_url().map(str::to_owned)).unwrap_or_default(),
            key_variable_given: key_variable.is_some(),
            key_variable: key_variable.or_else(|| provider.default_key_variable().map(str::to_owned)),
            command: command.unwrap_or_default(),
            id,
            provider,
            params,
            headers,
            timeout,
            stream,
            price,
            limits,
        })
    }

    /// Whether requests go to the vendor's own server.
    pub fn is_vendors_own(&self) -> bool {
        self.provider.default_base_url() == Some(self.base_url.as_str())
    }
}

fn read_provider(reader: &Reader<'_>, node: &Node) -> Option<Provider> {
    let name = reader.string(node)?;
    let provider = Provider::ALL.into_iter().find(|provider| provider.name() == name);
    if provider.is_none() {
        let unknown = reader.file.diagnose(node.span.clone(), format!("unknown provider `{name}`"));
        reader.report(unknown.did_you_mean(&name, Provider::ALL.map(Provider::name)));
    }
    provider
}

/// The name of an environment variable, as every system and shell takes it.
fn read_variable(reader: &Reader<'_>, node: &Node) -> Option<String> {
    let name = reader.string(node)?;
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.is_empty();
    if !is_name {
        // It may be the key itself, which is not to be shown again.
        let problem = reader.file.diagnose(node.span.clone(), "this names no environment variable");
        reader.report(problem.hint("the key stands in the environment; name its variable, such as GEMINI_API_KEY"));
        return None;
    }
    Some(name)
}

fn read_base_url(table: &Table<'_, '_>) -> Option<String> {
    let node = table.get("base_url")?;
    let text = table.reader.string(node)?;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
        table.reader.problem(&node.span, format!("`{text}` is no address such as http://127.0.0.1:8080/v1"));
        return None;
    }
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if authority.contains('@') {
        let problem = table.reader.file.diagnose(node.span.clone(), "a key or password must not stand in a file");
        table.reader.report(problem.hint("put it in the environment and name the variable in `api_key_env`"));
        return None;
    }
    // The colons within the brackets of an IPv6 address are none before a port.
    let port = authority.rsplit(']').next().and_then(|rest| rest.split_once(':')).map(|(_, port)| port);
    if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
        table.reader.problem(&node.span, "a port is a number from 1 to 65535");
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// Headers by which keys are sent: they have no place in a file.
const KEY_HEADERS: [&str; 4] = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];

fn read_headers(reader: &Reader<'_>, node: &Node) -> BTreeMap<String, String> {
    let Value::Table(entries) = &node.value else {
        reader.problem(&node.span, "expected a table of header names and texts");
        return BTreeMap::new();
    };
    let mut headers = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.node.value != Value::Null) {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let Some(text) = reader.string(&entry.node) else { continue };
        if entry.key.is_empty() || !entry.key.chars().all(is_token) {
            reader.problem(&entry.key_span, format!("`{}` cannot name a header", entry.key));
        } else if KEY_HEADERS.contains(&entry.key.to_ascii_lowercase().as_str()) {
            let problem = reader.file.diagnose(entry.key_span.clone(), "a key must not stand in a file");
            reader.report(problem.hint("put it in the environment and name the variable in `api_key_env`"));
        } else if text.chars().any(char::is_control) {
            reader.problem(&entry.node.span, "a header is one line without control characters");
        } else {
            headers.insert(entry.key.clone(), text);
        }
    }
    headers
}

/// A duration such as `"120s"`, `"2m"`, or a number of seconds.
fn read_duration(reader: &Reader<'_>, node: &Node) -> Option<Duration> {
    let duration = match &node.value {
        Value::String(text) => text.parse::<jiff::SignedDuration>().ok().and_then(|duration| duration.try_into().ok()),
        Value::Integer(_) | Value::Float(_) => {
            reader.number(node).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        }
        _ => None,
    };
    let positive = duration.filter(|duration: &Duration| !duration.is_zero());
    if positive.is_none() {
        reader.problem(&node.span, "expected a duration such as \"120s\" or \"2m\"");
    }
    positive
}

impl Params {
    fn read(reader: &Reader<'_>, node: &Node) -> Self {
        let Some(table) = reader.table(node) else { return Self::default() };
        let extra = match table.get("extra").map(Node::to_json) {
            None => serde_json::Map::new(),
            Some(serde_json::Value::Object(extra)) => extra,
            Some(_) => {
                let span = table.key_span("extra").unwrap_or(table.span);
                reader.problem(span, "`extra` is a table of further fields of the request");
                serde_json::Map::new()
            }
        };
        let this = Self {
            temperature: table.number("temperature"),
            top_p: table.number("top_p"),
            top_k: table.integer("top_k"),
            max_output_tokens: table.integer("max_output_tokens"),
            seed: table.integer("seed"),
            stop: table.strings("stop"),
            extra,
        };
        table.finish();
        this
    }
}

/// A dollar a token: whoever writes more means another unit.
const HIGHEST_PRICE: f64 = 1e6;

impl Price {
    fn read(reader: &Reader<'_>, node: &Node) -> Option<Self> {
        let table = reader.table(node)?;
        let dollars = |node: Option<&Node>| {
            let node = node?;
            let dollars = reader.number(node)?;
            if !(0.0..=HIGHEST_PRICE).contains(&dollars) {
                let message = format!("a price lies between 0 and {HIGHEST_PRICE} US dollars a million tokens");
                reader.problem(&node.span, message);
            }
            // A zero with a minus would be printed with it.
            Some(dollars + 0.0)
        };
        let input = dollars(table.required("input"));
        let output = dollars(table.required("output"));
        let cached_input = dollars(table.get("cached_input"));
        let valid_until = table.get("valid_until").and_then(|node| read_date(reader, node));
        table.finish();
        Some(Self { input: input?, output: output?, cached_input, valid_until })
    }
}

impl Limits {
    fn read(reader: &Reader<'_>, node: &Node) -> Self {
        let Some(table) = reader.table(node) else { return Self::default() };
        let positive = |key| {
            let node = table.get(key)?;
            let number: u32 = reader.integer(node)?;
            if number == 0 {
                reader.problem(&node.span, format!("`{key}` = 0 would let nothing through"));
            }
            Some(number)
        };
        let this = Self { rpm: positive("rpm"), tpm: positive("tpm"), concurrency: positive("concurrency") };
        table.finish();
        this
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::TextFile;
    use crate::document::parse_toml;

    fn read(text: &str) -> Result<Model, Vec<String>> {
        let file = TextFile::new("evalrun.toml", text);
        let node = parse_toml(&file, 0..text.len()).unwrap();
        let reader = Reader::new(&file);
        let model = Model::read(&reader, &node);
        reader
            .finish(model.clone())
            .map(Option::unwrap)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_not_set_has_the_providers_default() {
        let model = read("id = \"g\"\nprovider = \"gemini\"").unwrap();
        assert_eq!((model.name.as_str(), model.key_variable.as_deref()), ("g", Some("GEMINI_API_KEY")));
        assert!(model.is_vendors_own() && model.params == Params::default());
        let model =
            read("id = \"o\"\nprovider = \"openai\"\nbase_url = \"http://127.0.0.1:1/v1/\"\ntimeout = \"2m\"").unwrap();
        assert_eq!((model.base_url.as_str(), model.timeout), ("http://127.0.0.1:1/v1", Duration::from_secs(120)));
        for base_url in ["http://[::1]:8080/v1", "http://[::1]/v1", "https://localhost"] {
            let model = read(&format!("id = \"o\"\nprovider = \"openai\"\nbase_url = \"{base_url}\"")).unwrap();
            assert_eq!(model.base_url, base_url);
        }
    }

    #[test]
    fn mistakes_of_a_model_are_told() {
        for (text, expected) in [
            ("provider = \"gemni\"", "unknown provider `gemni` (did you mean `gemini`?)"),
            ("provider = \"command\"", "the key `command` is missing"),
            (
                "provider = \"gemini\"\ncommand = [\"x\"]",
                "`command` belongs to the provider `command`, not to `gemini`",
            ),
            (
                "provider = \"openai\"\nbase_url = \"localhost\"",
                "`localhost` is no address such as http://127.0.0.1:8080/v1",
            ),
            ("provider = \"openai\"\nheaders = { Authorization = \"x\" }", "a key must not stand in a file"),
            ("provider = \"recorded\"\nstream = true", "the provider `recorded` has no streams: leave out `stream`"),
            ("provider = \"openai\"\ntimeout = \"0s\"", "expected a duration such as \"120s\" or \"2m\""),
            ("provider = \"openai\"\nbase_url = \"http://[::1]:99999/v1\"", "a port is a number from 1 to 65535"),
            ("provider = \"openai\"\nbase_url = \"http://localhost:/v1\"", "a port is a number from 1 to 65535"),
            ("provider = \"openai\"\napi_key_env = \"\"", "this names no environment variable"),
            ("provider = \"openai\"\napi_key_env = \"A=B\"", "this names no environment variable"),
            ("provider = \"openai\"\nprice = { input = 1e308, output = 1 }", "a price lies between 0 and 1000000"),
            ("provider = \"openai\"\nprice = { input = -1, output = 1 }", "a price lies between 0 and 1000000"),
            ("provider = \"openai\"\nlimits = { rpm = 0 }", "`rpm` = 0 would let nothing through"),
            (
                "provider = \"openai\"\nparams = { temprature = 1 }",
                "unknown key `temprature` (did you mean `temperature`?)",
            ),
        ] {
            let problems = read(&format!("id = \"m\"\n{text}")).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:?}");
        }
    }

    #[test]
    fn an_unknown_count_makes_an_unknown_cost() {
        let price = Price {
            input: 0.3,
            output: 2.5,
            cached_input: Some(0.03),
            valid_until: Some(jiff::civil::date(2026, 12, 31)),
        };
        let usage = |input_tokens, output_tokens| Usage { input_tokens, output_tokens, ..Usage::default() };
        assert_eq!(price.cost(&usage(Some(1_000_000), Some(1_000_000))), Some(2.8));
        assert_eq!(price.cost(&usage(Some(1), None)), None);
        let cached = Usage { cached_input_tokens: Some(1_000_000), ..usage(Some(1_000_000), Some(0)) };
        assert_eq!(price.cost(&cached), Some(0.03));
        assert!(
            !price.has_expired(jiff::civil::date(2026, 12, 31)) && price.has_expired(jiff::civil::date(2027, 1, 1))
        );
    }
}
