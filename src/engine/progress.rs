//! Shows a run while it goes on, on standard error: a bar on a terminal, elsewhere a line now and then.
//!
//! Promises that no text of a server reaches the terminal with its control characters. Leaves results to reports.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::sync::mpsc;

use super::event::{Counts, Event};
use crate::outcome::Status;

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// Not at all.
    Quiet,
    /// As a bar that moves.
    Bar,
    /// As lines: the beginning, every tenth of the trials, what needs attention, the end.
    Lines,
}

impl Display {
    /// What suits standard error as it is.
    pub fn for_stderr(quiet: bool) -> Self {
        match (quiet, io::stderr().is_terminal()) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Bar,
            (false, false) => Self::Lines,
        }
    }
}

/// The most characters of a server's message that are shown.
const MAX_MESSAGE: usize = 300;

/// What is shown of a run.
pub struct Progress {
    total: usize,
    counts: Counts,
    /// The number of trials with an outcome at which the next line is due.
    next_line: usize,
    /// Whether each failed attempt and each outcome has a line of its own.
    is_verbose: bool,
    /// Makes a line harmless for whatever reads the log.
    harmless: fn(&str) -> String,
    view: View,
}

enum View {
    Quiet,
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send>),
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress({}/{})", self.counts.total(), self.total)
    }
}

/// Shows events until there are no more.
pub async fn show(mut events: mpsc::Receiver<Event>, mut progress: Progress) {
    while let Some(event) = events.recv().await {
        progress.update(&event);
    }
}

impl Progress {
    /// Nothing is shown before the first event.
    pub fn new(display: Display) -> Self {
        Self::with_view(match display {
            Display::Quiet => View::Quiet,
            Display::Bar => View::Bar(ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden())),
            Display::Lines => View::Lines(Box::new(io::stderr())),
        })
    }

    fn with_view(view: View) -> Self {
        Self { total: 0, counts: Counts::default(), next_line: 0, is_verbose: false, harmless: str::to_owned, view }
    }

    /// The same, perhaps with a line for each failed attempt and each outcome.
    #[must_use]
    pub fn verbose(self, is_verbose: bool) -> Self {
        Self { is_verbose, ..self }
    }

    /// The same, with each line made harmless for whatever reads the log, such as a CI service.
    #[must_use]
    pub fn harmless(self, harmless: fn(&str) -> String) -> Self {
        Self { harmless, ..self }
    }

    /// Shows what has happened.
    pub fn update(&mut self, event: &Event) {
        match event {
            Event::RunStarted { total, already_done } => self.start(*total, *already_done),
            Event::TrialStarted { .. } => {}
            Event::AttemptFailed { trial, failure, wait } => {
                let next = wait.map(|wait| format!("; again in {:.1} s", wait.as_secs_f64())).unwrap_or_default();
                self.note(&format!("{trial}: {failure}{next}"));
            }
            Event::SlowedDown { model, slowed } => {
                if self.is_verbose {
                    self.say(&format!("{model}: {slowed}"));
                }
            }
            Event::TrialFinished { summary } => {
                self.counts.add(summary.status, 1);
                if self.is_verbose {
                    let why = summary.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
                    self.say(&format!("{} {}{why}", summary.trial, summary.status.name()));
                }
                self.advance();
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
            Event::RunFinished { counts } => self.finish(*counts),
        }
    }

    fn start(&mut self, total: usize, already_done: Counts) {
        (self.total, self.counts) = (total, already_done);
        let done = already_done.total();
        self.next_line = done + self.step();
        match &self.view {
            View::Bar(bar) => {
                bar.set_length(total as u64);
                bar.set_style(style("{bar:24} {pos}/{len}{prefix}  {rate}  ETA {eta}"));
                bar.set_position(done as u64);
                bar.reset_eta();
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            View::Lines(_) if done > 0 => self.say(&format!("{}, {done} of them done before", trials(total))),
            View::Lines(_) => self.say(&trials(total)),
            View::Quiet => {}
        }
    }

    /// A tenth of the trials.
    fn step(&self) -> usize {
        self.total.div_ceil(10).max(1)
    }

    fn advance(&mut self) {
        let done = self.counts.total();
        let mishaps = mishaps(self.counts);
        match &self.view {
            View::Bar(bar) => {
                bar.set_prefix(mishaps);
                bar.set_position(done as u64);
            }
            View::Lines(_) if done >= self.next_line && done < self.total => {
                self.next_line = done + self.step();
                self.say(&format!("{done}/{}{mishaps}", self.total));
            }
            View::Lines(_) | View::Quiet => {}
        }
    }

    fn finish(&mut self, counts: Counts) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
            return;
        }
        let parts = Status::ALL.into_iter().filter(|status| counts.of(*status) > 0);
        let parts: Vec<String> = parts.map(|status| format!("{} {}", counts.of(status), status.name())).collect();
        self.say(&format!("{}: {}", trials(counts.total()), parts.join(", ")));
    }

    /// Says what needs attention.
    fn say(&mut self, message: &str) {
        let message = (self.harmless)(&visible(message));
        match &mut self.view {
            View::Quiet => {}
            View::Bar(bar) => bar.println(message),
            // Nobody reads any more: that is no reason to end a run.
            View::Lines(stream) => drop(writeln!(stream, "{message}")),
        }
    }

    /// Shows what may be of interest until something else is; lines would be too many.
    fn note(&mut self, message: &str) {
        if self.is_verbose {
            self.say(message);
        } else if let View::Bar(bar) = &self.view {
            bar.set_style(style("{wide_msg}\n{bar:24} {pos}/{len}{prefix}  {rate}  ETA {eta}"));
            bar.set_message(visible(message));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
        let _ = write!(out, "{:.1}/s", state.per_sec());
    };
    style.with_key("rate", rate).progress_chars("=> ")
}

fn trials(number: usize) -> String {
    if number == 1 { "1 trial".to_owned() } else { format!("{number} trials") }
}

fn mishaps(counts: Counts) -> String {
    let mishaps = [Status::Failed, Status::Errored].into_iter().filter(|status| counts.of(*status) > 0);
    let mishaps: Vec<String> = mishaps.map(|status| format!(", {} {}", counts.of(status), status.name())).collect();
    mishaps.concat()
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::engine::event::Summary;
    use crate::engine::testing::{SECOND, failure};
    use crate::response::{FailureKind, FinishReason, Usage};
    use crate::trial::TrialId;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn trial() -> TrialId {
        TrialId { case: "c".parse().unwrap(), prompt: "p".parse().unwrap(), model: "m".parse().unwrap(), repeat: 0 }
    }

    fn finished(status: Status) -> Event {
        Event::TrialFinished {
            summary: Summary {
                trial: trial(),
                status,
                finish: FinishReason::Stop,
                usage: Usage::default(),
                cost: None,
                error: None,
                attempts: 1,
                cached: false,
                latency: SECOND,
            },
        }
    }

    fn events() -> Vec<Event> {
        let mut events = vec![
            Event::RunStarted { total: 20, already_done: [Status::Passed, Status::Failed].into_iter().collect() },
            Event::TrialStarted { trial: trial() },
            Event::AttemptFailed {
                trial: trial(),
                failure: failure(FailureKind::Unavailable, 503, "later"),
                wait: Some(SECOND),
            },
        ];
        events.extend((0..6).map(|n| finished([Status::Passed, Status::Errored, Status::Undecided][n % 3])));
        events.push(Event::ModelStopped {
            model: "m".parse().unwrap(),
            failure: failure(FailureKind::Authentication, 401, "\u{1B}[31mbad\nkey\u{202E}"),
            trials_left: 4,
        });
        events.extend((0..4).map(|_| finished(Status::Errored)));
        events.push(Event::Interrupted { in_flight: 2 });
        let mut counts: Counts = [Status::Passed, Status::Failed, Status::Undecided].into_iter().collect();
        counts.add(Status::Skipped, 17);
        events.push(Event::RunFinished { counts });
        events
    }

    #[test]
    fn without_a_terminal_a_line_comes_now_and_then() {
        let shared = Shared::default();
        let mut progress = Progress::with_view(View::Lines(Box::new(shared.clone())));
        for event in events() {
            progress.update(&event);
        }
        let lines = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        insta::assert_snapshot!(lines, @r"
        20 trials, 2 of them done before
        4/20, 1 failed, 1 errored
        6/20, 1 failed, 1 errored
        8/20, 1 failed, 2 errored
        m is asked no more: authentication (401): \u{1b}[31mbad key\u{202e} (trials left: 4)
        10/20, 1 failed, 4 errored
        12/20, 1 failed, 6 errored
        interrupted: finishing what is under way (2); once more drops it
        20 trials: 1 passed, 1 failed, 1 undecided, 17 skipped
        ");
    }

    #[test]
    fn every_view_takes_every_event() {
        for display in [Display::Quiet, Display::Bar] {
            let mut progress = Progress::new(display);
            for event in events() {
                progress.update(&event);
            }
            assert_eq!(format!("{progress:?}"), "Progress(12/20)");
        }
    }

    #[test]
    fn a_servers_text_cannot_move_the_cursor_or_turn_the_line() {
        for (text, shown) in [
            ("日本語", "日本語"),
            ("a\r\nb\tc", "a  b c"),
            ("\u{1B}[2J", "\\u{1b}[2J"),
            ("\u{9B}1m", "\\u{9b}1m"),
            ("x\u{202E}y", "x\\u{202e}y"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible(&"長".repeat(1_000)).chars().count(), MAX_MESSAGE + 1);
    }
}
