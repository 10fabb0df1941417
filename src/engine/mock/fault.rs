//! What can go wrong on demand, and the words that ask for it: in a model's name, or in a rule.
//!
//! Promises that whether a fault strikes depends on the seed and the question alone, never on what else goes on.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use super::draw;
use crate::diagnostic::closest;

/// What goes wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Fault {
    BadRequest,
    TooLong,
    BadKey,
    Unauthorized,
    Unpaid,
    Forbidden,
    UnknownModel,
    TimedOut,
    RateLimited,
    RateLimitedByHeader,
    RateLimitedByReset,
    RateLimitedBare,
    DayIsOver,
    Internal,
    BadGateway,
    Unavailable,
    Late,
    Overloaded,
    Reset,
    Stall,
    Cut,
    StallBody,
    SlowBody,
    WebPage,
    ErrorInSuccess,
    BadJson,
    BadUtf8,
    Empty,
    NoAnswer,
    NoText,
    Blocked,
    Truncated,
    Thinking,
    Continuation,
    Huge,
}

/// Each with its word and what it does.
const FAULTS: [(Fault, &str, &str); 35] = [
    (Fault::BadRequest, "400", "the request is refused: a parameter is not accepted"),
    (Fault::TooLong, "400-long", "the request is refused: its prompt is too long for the model"),
    (Fault::BadKey, "bad-key", "the key is wrong, as each vendor says it (Gemini: status 400)"),
    (Fault::Unauthorized, "401", "the key is wrong"),
    (Fault::Unpaid, "402", "the credit is used up"),
    (Fault::Forbidden, "403", "the key lacks a right"),
    (Fault::UnknownModel, "404", "the model is not known"),
    (Fault::TimedOut, "408", "the request took too long to arrive"),
    (Fault::RateLimited, "429", "too many requests; wait 1 s, as each vendor says it (Gemini: in the body)"),
    (Fault::RateLimitedByHeader, "429-header", "the same, said by Retry-After alone"),
    (Fault::RateLimitedByReset, "429-reset", "the same, said by ratelimit headers alone"),
    (Fault::RateLimitedBare, "429-bare", "too many requests, and not a word about waiting"),
    (Fault::DayIsOver, "429-day", "the day's quota or the credit is used up: waiting does not help"),
    (Fault::Internal, "500", "the server's own fault"),
    (Fault::BadGateway, "502", "a proxy's error page in HTML"),
    (Fault::Unavailable, "503", "the server is overloaded"),
    (Fault::Late, "504", "the server took too long"),
    (Fault::Overloaded, "529", "Anthropic's word for overloaded"),
    (Fault::Reset, "reset", "the connection is reset before anything is answered"),
    (Fault::Stall, "stall", "nothing is answered, ever"),
    (Fault::Cut, "cut", "the connection is closed in the middle of the answer"),
    (Fault::StallBody, "stall-body", "nothing comes any more from the middle of the answer on"),
    (Fault::SlowBody, "slow-body", "the whole answer, in 20 pieces within a second"),
    (Fault::WebPage, "page", "status 200 with a web page, as from a network that wants a sign-in"),
    (Fault::ErrorInSuccess, "error-200", "status 200 with an error in it; in a stream, after half of the text"),
    (Fault::BadJson, "bad-json", "JSON that is cut short"),
    (Fault::BadUtf8, "bad-utf8", "bytes within the text that are no UTF-8"),
    (Fault::Empty, "empty", "status 200 and no body"),
    (Fault::NoAnswer, "no-answer", "no candidate, choice or content"),
    (Fault::NoText, "no-text", "an answer that ends well and has an empty text"),
    (Fault::Blocked, "blocked", "the prompt is blocked"),
    (Fault::Truncated, "truncated", "half of the text, ended by the limit of tokens"),
    (Fault::Thinking, "thinking", "no text: the limit of tokens was spent on thinking"),
    (Fault::Continuation, "continuation", "half of the text, the rest on a further request (OpenAI has no such thing)"),
    (Fault::Huge, "huge", "a body of 50 MB, most of it blanks"),
];

impl Fault {
    fn parse(word: &str) -> Option<Self> {
        FAULTS.iter().find(|(_, name, _)| *name == word).map(|(fault, _, _)| *fault)
    }

    /// The word that asks for it.
    pub(super) fn name(self) -> &'static str {
        FAULTS.iter().find(|(fault, _, _)| *fault == self).map_or("", |(_, name, _)| name)
    }

    /// Whether the model's answer arrives all the same, good or bad.
    pub(super) const fn is_answer(self) -> bool {
        matches!(
            self,
            Self::SlowBody
                | Self::NoText
                | Self::Blocked
                | Self::Truncated
                | Self::Thinking
                | Self::Continuation
                | Self::Huge
        )
    }
}

/// The list of faults, for people.
pub fn help() -> String {
    let lines = FAULTS.iter().map(|(_, name, about)| format!("  {name:<14}{about}\n"));
    lines.collect()
}

/// Faults in the order of a question's attempts; the last one stays. `None` stands for a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Steps(Vec<(Option<Fault>, u32)>);

impl Steps {
    fn step(&self, nth: u32) -> Option<Fault> {
        let mut left = nth;
        for (fault, times) in &self.0 {
            if left < *times {
                return *fault;
            }
            left -= times;
        }
        self.0.last().and_then(|(fault, _)| *fault)
    }
}

/// The faults of a question, and those of the requests for the rest of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Script {
    steps: Steps,
    rest: Option<Steps>,
}

impl Script {
    /// The fault of the `nth` attempt, from 0, of a question, or of a request for the rest of its answer.
    fn step(&self, nth: u32, is_rest: bool) -> Option<Fault> {
        match &self.rest {
            // The rest, if nothing is to go wrong with it.
            Some(rest) if is_rest => rest.step(nth).or(Some(Fault::Continuation)),
            _ => self.steps.step(nth),
        }
    }

    fn has_steps(&self) -> bool {
        self.steps.0.len() > 1
    }
}

impl FromStr for Script {
    type Err = RuleError;

    /// Steps; after `-rest-` those of the requests for the rest of an answer.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        match text.split_once("-rest-") {
            Some((steps, rest)) => Ok(Self { steps: steps.parse()?, rest: Some(rest.parse()?) }),
            None => Ok(Self { steps: text.parse()?, rest: None }),
        }
    }
}

impl FromStr for Steps {
    type Err = RuleError;

    /// `FAULT[xTIMES]`, more of them after `-then-`.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        let step = |word: &str| {
            let counted = word.rsplit_once('x').and_then(|(fault, times)| Some((fault, times.parse::<u32>().ok()?)));
            let (name, times) = counted.unwrap_or((word, 1));
            if times == 0 {
                return Err(RuleError(format!("`{word}`: a fault happens at least once")));
            }
            if name == "ok" {
                return Ok((None, times));
            }
            let fault = Fault::parse(name).ok_or_else(|| RuleError(unknown(name)))?;
            Ok((Some(fault), times))
        };
        text.split("-then-").map(step).collect::<Result<_, _>>().map(Self)
    }
}

fn unknown(word: &str) -> String {
    let names: Vec<&str> = FAULTS.iter().map(|(_, name, _)| *name).chain(["ok"]).collect();
    match closest(word, &names) {
        Some(name) => format!("there is no fault `{word}`; did you mean `{name}`?"),
        None => format!("there is no fault `{word}`; there are {}", names.join(", ")),
    }
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError(String);

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}

/// Which faults strike, how often, and which models: `FAULTS[:SHARE][@MODEL]`.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    script: Script,
    share: f64,
    models: Option<GlobMatcher>,
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (rest, models) = match text.split_once('@') {
            Some((rest, glob)) => {
                let glob = Glob::new(glob).map_err(|error| RuleError(format!("`{glob}`: {}", error.kind())))?;
                (rest, Some(glob.compile_matcher()))
            }
            None => (text, None),
        };
        let (script, share) = match rest.split_once(':') {
            Some((script, share)) => {
                let number = share.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
                let expected = || RuleError(format!("`{share}`: a share from 0 to 1 is expected, such as 0.2"));
                (script, number.ok_or_else(expected)?)
            }
            None => (rest, 1.0),
        };
        Ok(Self { text: text.to_owned(), script: script.parse()?, share, models })
    }
}

impl Rule {
    /// The fault of a question's `nth` attempt, from 0.
    ///
    /// Of a rule without steps each attempt may be struck; of one with steps the question is, with all its attempts.
    fn strike(&self, seed: u64, model: &str, question: u64, nth: u32, is_rest: bool) -> Option<Fault> {
        if self.models.as_ref().is_some_and(|models| !models.is_match(model)) {
            return None;
        }
        if is_rest && self.continues() {
            return self.script.step(nth, true);
        }
        let throw = if self.script.has_steps() { 0 } else { nth };
        let parts = [&seed.to_le_bytes()[..], self.text.as_bytes(), &question.to_le_bytes(), &throw.to_le_bytes()];
        if self.share < 1.0 && draw(&parts) >= self.share {
            return None;
        }
        self.script.step(nth, is_rest)
    }

    /// Whether it makes answers in parts: whose first part it struck is its own, whatever would be drawn of the rest.
    fn continues(&self) -> bool {
        self.script.steps.0.iter().any(|(fault, _)| *fault == Some(Fault::Continuation))
    }
}

/// What decides about the faults of a server.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub rules: Vec<Rule>,
    pub seed: u64,
}

impl Faults {
    /// The fault of a question's `nth` attempt: the one that the model's name asks for, else the first rule's that strikes.
    ///
    /// # Errors
    /// The model's name asks for a fault that is not known.
    pub(super) fn strike(
        &self,
        model: &str,
        question: u64,
        nth: u32,
        is_rest: bool,
    ) -> Result<Option<Fault>, RuleError> {
        if let Some(script) = asked_for(model) {
            return Ok(script.parse::<Script>().map_err(|error| in_a_name(model, &error))?.step(nth, is_rest));
        }
        Ok(self.rules.iter().find_map(|rule| rule.strike(self.seed, model, question, nth, is_rest)))
    }
}

/// Whoever calls a model so need not know that names ask for faults.
fn in_a_name(model: &str, error: &RuleError) -> RuleError {
    RuleError(format!(
        "a model whose name begins with mock- has the faults that its name says, and of {model}: {error}; a name that \
         begins otherwise asks for none"
    ))
}

/// The faults that a model's name asks for: what follows `mock-`.
fn asked_for(model: &str) -> Option<&str> {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.strip_prefix("mock-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(script: &str) -> String {
        let script: Script = script.parse().unwrap();
        let shown = (0..5).map(|nth| script.step(nth, false).map_or("ok", Fault::name));
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_script_has_steps_and_the_last_one_stays() {
        for (script, expected) in [
            ("429", "429 429 429 429 429"),
            ("500-then-ok", "500 ok ok ok ok"),
            ("429x3-then-ok", "429 429 429 ok ok"),
            ("ok-then-429-day", "ok 429-day 429-day 429-day 429-day"),
            ("reset-then-stall-bodyx2-then-ok", "reset stall-body stall-body ok ok"),
        ] {
            assert_eq!(steps(script), expected, "{script}");
        }
    }

    #[test]
    fn the_rest_of_an_answer_has_faults_of_its_own() {
        for (text, expected) in [
            ("continuation-rest-500-then-ok", "continuation continuation | 500 continuation"),
            ("reset-then-continuation-rest-cut", "reset continuation | cut cut"),
            ("continuation", "continuation continuation | continuation continuation"),
        ] {
            let script: Script = text.parse().unwrap();
            let steps = |is_rest| [0, 1].map(|nth| script.step(nth, is_rest).map_or("ok", Fault::name)).join(" ");
            assert_eq!(format!("{} | {}", steps(false), steps(true)), expected, "{text}");
        }
        let faults = Faults { rules: vec!["continuation-rest-503:0.1".parse().unwrap()], seed: 0 };
        assert!((0..100).all(|question| faults.strike("m", question, 0, true).unwrap() == Some(Fault::Unavailable)));
    }

    #[test]
    fn every_fault_has_a_word_of_its_own() {
        for (fault, name, _) in FAULTS {
            assert_eq!((Fault::parse(name), fault.name()), (Some(fault), name));
        }
    }

    #[test]
    fn a_mistake_in_a_rule_is_told() {
        for (text, expected) in [
            ("blokced", "there is no fault `blokced`; did you mean `blocked`?"),
            ("429-then-okay", "there is no fault `okay`; did you mean `ok`?"),
            ("429x0", "`429x0`: a fault happens at least once"),
            ("429:1.5", "`1.5`: a share from 0 to 1 is expected, such as 0.2"),
            ("429:", "``: a share from 0 to 1 is expected, such as 0.2"),
            ("429@[", "`[`: unclosed character class; missing ']'"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), expected);
        }
        assert!("".parse::<Rule>().unwrap_err().to_string().starts_with("there is no fault ``; "));
    }

    #[test]
    fn a_share_strikes_as_often_as_it_says_and_always_alike() {
        let strikes = |rule: &str, seed| {
            let faults = Faults { rules: vec![rule.parse().unwrap()], seed };
            (0..1000).map(|question| faults.strike("m", question, 0, false).unwrap()).collect::<Vec<_>>()
        };
        let first = strikes("429:0.2", 1);
        assert_eq!(first, strikes("429:0.2", 1));
        assert_ne!(first, strikes("429:0.2", 2));
        let struck = first.iter().flatten().count();
        assert!((150..250).contains(&struck), "{struck}");
    }

    #[test]
    fn a_struck_question_of_a_rule_with_steps_takes_all_of_them() {
        let faults = Faults { rules: vec!["500-then-ok:0.5".parse().unwrap()], seed: 0 };
        let struck = (0..1000).filter(|question| faults.strike("m", *question, 0, false).unwrap().is_some()).count();
        assert!((400..600).contains(&struck), "{struck}");
        assert!((0..1000).all(|question| faults.strike("m", question, 1, false).unwrap().is_none()));
    }

    #[test]
    fn a_models_name_asks_for_faults_and_wins_over_the_rules() {
        let rules = vec!["503@gemini-*".parse().unwrap(), "500".parse().unwrap()];
        let faults = Faults { rules, seed: 0 };
        for (model, expected) in [
            ("mock-429", Some(Fault::RateLimited)),
            ("google/mock-cut", Some(Fault::Cut)),
            ("mock-ok", None),
            ("gemini-flash", Some(Fault::Unavailable)),
            ("gpt", Some(Fault::Internal)),
        ] {
            assert_eq!(faults.strike(model, 0, 0, false), Ok(expected), "{model}");
        }
        let unknown = faults.strike("mock-42", 0, 0, false).unwrap_err();
        let expected = "a model whose name begins with mock- has the faults that its name says, and of mock-42: there is no fault `42`; ";
        assert!(unknown.to_string().starts_with(expected), "{unknown}");
        assert!(unknown.to_string().ends_with("; a name that begins otherwise asks for none"), "{unknown}");
    }
}
