//! A run on a terminal: a line a model, a line of all, and what failed last.
//!
//! Promises that each of them is one line, however narrow the terminal is.

use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::board::{Board, Lane};
use super::{left, money, pace};

/// The most models with a line of their own.
const MOST_LANES: usize = 12;

/// The most columns of a name.
const MOST_NAME: usize = 24;

/// What moves on a terminal.
#[derive(Debug)]
pub(super) struct Live {
    bars: MultiProgress,
    /// The first models', in the plan's order; none where there is one model alone.
    lanes: Vec<ProgressBar>,
    total: ProgressBar,
    notice: ProgressBar,
}

impl Live {
    /// Nothing is drawn before the run begins.
    pub(super) fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self { bars, lanes: Vec::new(), total: ProgressBar::hidden(), notice: ProgressBar::hidden() }
    }

    /// Draws the lines for the first time.
    pub(super) fn start(&mut self, board: &Board, now: Instant) {
        self.bars.set_draw_target(ProgressDrawTarget::stderr());
        let named = |lane: &Lane| shortened(lane.model.as_str());
        let all = match board.lanes.as_slice() {
            [lane] => named(lane),
            _ => "in all".to_owned(),
        };
        let own = if board.lanes.len() > 1 { &board.lanes[..board.lanes.len().min(MOST_LANES)] } else { &[] };
        let width = own.iter().map(named).map(|name| name.chars().count()).max().unwrap_or(0).max(all.chars().count());
        let bar = |name: String, total: usize| {
            let bar = ProgressBar::new(total as u64).with_style(style("{prefix} [{bar:16}] {wide_msg}"));
            self.bars.add(bar.with_prefix(format!("{name:width$}")))
        };
        self.lanes = own.iter().map(|lane| bar(named(lane), lane.total)).collect();
        self.total = bar(all, board.total);
        self.notice = self.bars.add(ProgressBar::new(1).with_style(style("{wide_msg}")));
        self.draw(board, now);
    }

    /// Draws where the run stands.
    pub(super) fn draw(&self, board: &Board, now: Instant) {
        for (bar, lane) in self.lanes.iter().zip(&board.lanes) {
            bar.set_message(of_lane(lane, now));
            bar.set_position(lane.done as u64);
        }
        let alone = board.lanes.first().filter(|_| board.lanes.len() == 1);
        self.total.set_message(of_all(board, alone, now));
        self.total.set_position(board.done() as u64);
    }

    /// Says something above the lines, which stays.
    pub(super) fn say(&self, message: &str) {
        // Nobody reads any more: that is no reason to end a run.
        let _ = self.bars.println(message);
    }

    /// Shows something below the lines until something else is.
    pub(super) fn note(&self, message: String) {
        self.notice.set_message(message);
    }

    /// Takes the lines away.
    pub(super) fn finish(&self) {
        for bar in self.lanes.iter().chain([&self.total, &self.notice]) {
            bar.finish_and_clear();
        }
        let _ = self.bars.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(MOST_NAME) {
        Some(_) => name.chars().take(MOST_NAME - 1).chain(['…']).collect(),
        None => name.to_owned(),
    }
}

fn of_lane(lane: &Lane, now: Instant) -> String {
    let mut parts = vec![format!("{}/{}", lane.done, lane.total)];
    if lane.is_stopped {
        parts.push("asked no more".to_owned());
    } else if lane.done < lane.total {
        parts.extend(pace(lane.rate(now)));
        parts.extend(under_way(lane));
    }
    parts.extend(failures(lane));
    parts.join("  ")
}

fn of_all(board: &Board, alone: Option<&Lane>, now: Instant) -> String {
    let mut parts = vec![format!("{}/{}{}", board.done(), board.total, board.mishaps())];
    parts.extend(pace(board.rate(now)));
    parts.extend(board.eta(now).filter(|_| board.done() < board.total).map(left));
    parts.extend(money(board));
    parts.extend(alone.and_then(under_way));
    parts.extend(alone.and_then(failures));
    parts.join("  ")
}

/// Attempts under way, and how many may be.
fn under_way(lane: &Lane) -> Option<String> {
    Some(format!("{} of {} under way", lane.under_way(), lane.limit?))
}

/// Attempts that failed, by kind.
fn failures(lane: &Lane) -> Option<String> {
    let kinds: Vec<String> = lane.failures.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    (!kinds.is_empty()).then(|| format!("({})", kinds.join(", ")))
}
