//! Shows a run while it goes on, on standard error: lines that move on a terminal, elsewhere a line now and then, or
//! events as JSON.
//!
//! Promises that no text of a server reaches the terminal with its control characters. Leaves results to reports.

mod board;
mod json;
mod live;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use self::board::Board;
use self::live::Live;
use super::event::{Event, Summary};
use crate::budget::Dollars;
use crate::engine::Counts;
use crate::outcome::Status;

/// A pause that whoever watches a run would wonder at.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Not at all.
    Quiet,
    /// As lines that move, one a model.
    Live,
    /// As lines: the beginning, where it stands now and then, what needs attention, the end.
    Lines,
    /// The same as JSON, an object a line.
    Json,
}

/// How much is told of single trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Each outcome, each attempt that failed, each time that a server asked to slow down.
    Outcomes,
    /// Each attempt that begins, too, and what each outcome took.
    Attempts,
}

/// How often what moves is drawn anew.
const FRAME: Duration = Duration::from_millis(150);

/// The shortest time between two lines that tell where a run stands.
const SHORTEST_GAP: Duration = Duration::from_secs(5);

/// Of the time so far, the part that passes between two such lines: a long run has no endless log.
const GAPS: u32 = 20;

/// The most characters of a server's message that are shown.
const MAX_MESSAGE: usize = 300;

/// What is shown of a run.
pub struct Progress {
    board: Board,
    /// When the next line is due that tells where the run stands.
    next_line: Instant,
    detail: Detail,
    /// Makes a line harmless for whatever reads the log.
    harmless: fn(&str) -> String,
    view: View,
}

enum View {
    Quiet,
    Live(Live),
    Lines(Box<dyn Write + Send>),
    Json(Box<dyn Write + Send>),
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress({}/{})", self.board.done(), self.board.total)
    }
}

/// Shows events until there are no more.
pub async fn show(mut events: mpsc::Receiver<Event>, mut progress: Progress) {
    let mut frames = tokio::time::interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => progress.update(&event, Instant::now()),
                None => return,
            },
            _ = frames.tick() => progress.tick(Instant::now()),
        }
    }
}

impl Progress {
    /// Nothing is shown before the first event.
    pub fn new(display: Display) -> Self {
        let view = match display {
            Display::Quiet => View::Quiet,
            Display::Live => View::Live(Live::new()),
            Display::Lines => View::Lines(Box::new(io::stderr())),
            Display::Json => View::Json(Box::new(io::stderr())),
        };
        Self::with_view(view, Instant::now())
    }

    fn with_view(view: View, now: Instant) -> Self {
        let board = Board::new(now);
        Self { board, next_line: now, detail: Detail::None, harmless: str::to_owned, view }
    }

    /// The same with so much told of single trials.
    #[must_use]
    pub fn detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// The same, with each line made harmless for whatever reads the log, such as a CI service.
    #[must_use]
    pub fn harmless(self, harmless: fn(&str) -> String) -> Self {
        Self { harmless, ..self }
    }

    /// Shows what has happened.
    pub fn update(&mut self, event: &Event, now: Instant) {
        self.board.update(event, now);
        if let Event::RunStarted { .. } = event {
            self.next_line = now + SHORTEST_GAP;
        }
        if matches!(self.view, View::Json(_)) {
            if let Some(object) = json::of_event(event, &self.board, self.detail, Timestamp::now()) {
                self.write(&object.to_string());
            }
            return;
        }
        match event {
            Event::RunStarted { already_done, .. } => self.start(*already_done, now),
            Event::AttemptStarted { trial, .. } => self.tell(Detail::Attempts, || format!("{trial}: asked")),
            Event::AttemptFailed { trial, failure, wait } => {
                let next = wait.map(|wait| format!("again in {:.1} s", wait.as_secs_f64()));
                match &self.view {
                    // The end of a long message is cut off there: what comes next stands before it.
                    View::Live(live) if self.detail < Detail::Outcomes => {
                        let next = next.map(|next| format!(", {next}")).unwrap_or_default();
                        live.note(visible(&format!("{trial}{next}: {failure}")));
                    }
                    _ => {
                        let next = next.map(|next| format!("; {next}")).unwrap_or_default();
                        self.tell(Detail::Outcomes, || format!("{trial}: {failure}{next}"));
                    }
                }
            }
            Event::SlowedDown { model, slowed } => self.tell(Detail::Outcomes, || format!("{model}: {slowed}")),
            Event::Paused { model, wait } => {
                let told =
                    format!("{model}: its server's limit is used up; nothing is sent for {:.0} s", wait.as_secs_f64());
                if *wait < LONG_PAUSE { self.tell(Detail::Outcomes, || told) } else { self.say(&told) }
            }
            Event::TrialFinished { summary, .. } => {
                let took = if self.detail < Detail::Attempts { String::new() } else { took(summary) };
                self.tell(Detail::Outcomes, || {
                    let why = summary.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
                    format!("{} {}{took}{why}", summary.trial, summary.status.name())
                });
            }
            Event::ModelStopped { model, failure, trials_left } => {
                self.say(&format!("{model} is asked no more: {failure} (trials left: {trials_left})"));
            }
            Event::BudgetUsedUp { refused, in_flight, .. } => {
                let rest = match in_flight {
                    0 => String::new(),
                    in_flight => format!(", finishing what is under way ({in_flight})"),
                };
                self.say(&format!("{} is used up: asking no more{rest}", refused.bound.key()));
            }
            Event::Interrupted { in_flight } => {
                self.say(&format!("interrupted: finishing what is under way ({in_flight}); once more drops it"));
            }
            Event::RunFinished { counts } => self.finish(*counts, now),
        }
    }

    /// Shows where the run stands, if it is time.
    pub fn tick(&mut self, now: Instant) {
        if let View::Live(live) = &self.view {
            live.draw(&self.board, now);
        }
        if self.board.total == 0 || now < self.next_line {
            return;
        }
        self.next_line = now + SHORTEST_GAP.max(now.saturating_duration_since(self.board.began) / GAPS);
        match &self.view {
            View::Lines(_) => self.say(&standing(&self.board, now)),
            View::Json(_) => {
                let line = json::progress(&self.board, now, Timestamp::now()).to_string();
                self.write(&line);
            }
            View::Live(_) | View::Quiet => {}
        }
    }

    fn start(&mut self, already_done: Counts, now: Instant) {
        match &mut self.view {
            View::Live(live) => live.start(&self.board, now),
            View::Lines(_) => {
                let all = trials(self.board.total);
                self.say(&match already_done.total() {
                    0 => all,
                    done => format!("{all}, {done} of them done before"),
                });
            }
            View::Json(_) | View::Quiet => {}
        }
    }

    /// How a run went stands at the head of its results; here, that it is over.
    fn finish(&mut self, counts: Counts, now: Instant) {
        if let View::Live(live) = &self.view {
            live.finish();
            return;
        }
        let (all, left) = (counts.total(), counts.of(Status::Skipped));
        let took = clock(now.saturating_duration_since(self.board.began));
        self.say(&format!("{} of {} done after {took}", all - left, trials(all)));
    }

    /// Says what is wanted in such detail.
    fn tell(&mut self, detail: Detail, message: impl FnOnce() -> String) {
        if self.detail >= detail {
            self.say(&message());
        }
    }

    /// Says what needs attention.
    fn say(&mut self, message: &str) {
        self.write(&visible(message));
    }

    fn write(&mut self, line: &str) {
        let line = (self.harmless)(line);
        match &mut self.view {
            View::Quiet => {}
            View::Live(live) => live.say(&line),
            // Nobody reads any more: that is no reason to end a run.
            View::Lines(stream) | View::Json(stream) => drop(writeln!(stream, "{line}")),
        }
    }
}

fn trials(number: usize) -> String {
    if number == 1 { "1 trial".to_owned() } else { format!("{number} trials") }
}

/// `12/40, 3 failed, 8 under way, 2.1/s, 0:13 left, 0.0312 of 0.5 US dollars`
fn standing(board: &Board, now: Instant) -> String {
    let mut parts = vec![
        format!("{}/{}{}", board.done(), board.total, board.mishaps()),
        format!("{} under way", board.under_way()),
    ];
    parts.extend(pace(board.rate(now)));
    parts.extend(board.eta(now).map(left));
    parts.extend(money(board));
    parts.join(", ")
}

/// `1:05 left`
fn left(eta: Duration) -> String {
    format!("{} left", clock(eta))
}

/// `1:05`, seconds rounded up.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `2.1/s`, once something has come.
fn pace(rate: f64) -> Option<String> {
    (rate > 0.0).then(|| format!("{rate:.1}/s"))
}

/// What was spent, in dollars where that is known, and what of which budget; nothing where nothing was.
fn money(board: &Board) -> Option<String> {
    let (spent, budget) = (&board.spent, &board.budget);
    let mut parts = Vec::new();
    if budget.max_cost.is_some() || spent.dollars() > 0.0 {
        let of = budget.max_cost.map(|most| format!(" of {most}")).unwrap_or_default();
        parts.push(format!("{}{of} US dollars", Dollars(spent.dollars())));
    }
    parts.extend(budget.max_requests.map(|most| format!("{} of {most} requests", spent.requests)));
    parts.extend(budget.max_tokens.map(|most| format!("{} of {most} tokens", spent.tokens)));
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What an outcome took: ` (2 attempts, 3.1 s, 120 + 900 tokens, 0.0024 US dollars)`.
fn took(summary: &Summary) -> String {
    if summary.cached {
        return " (from the store)".to_owned();
    }
    let count = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let mut parts = vec![
        if summary.attempts == 1 { "1 attempt".to_owned() } else { format!("{} attempts", summary.attempts) },
        format!("{:.1} s", summary.latency.as_secs_f64()),
    ];
    let usage = &summary.usage;
    if usage.input_tokens.is_some() || usage.output_tokens.is_some() {
        parts.push(format!("{} + {} tokens", count(usage.input_tokens), count(usage.output_tokens)));
    }
    parts.extend(summary.cost.map(|cost| format!("{} US dollars", Dollars(cost))));
    format!(" ({})", parts.join(", "))
}

/// A text in one line, with escapes for characters that would do something to a terminal or to the order of its text.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(MAX_MESSAGE) {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if c.is_control() || is_invisible(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    if text.chars().nth(MAX_MESSAGE).is_some() {
        shown.push('…');
    }
    shown
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}
