//! Many items through a function on all processors: a reader, workers, and the results in the order of the input.
//!
//! Promises memory that does not grow with the number of items, that a line which is no item is told with its number,
//! and that whoever feeds a pipe line by line can have each result before the next line. Leaves what is made of an item
//! to its caller.

use std::collections::BTreeSet;
use std::io::{self, BufRead};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::console::{Reader, counted};
use super::context::Context;
use super::error::Error;
use super::exit::Exit;
use super::items::{Line, Lines, parse, slips};
use crate::item::{Item, Slip};
use crate::report::one_line;

/// How many items for each job are under way or wait to be taken.
const AHEAD: usize = 16;

/// Scorers take little of it; a worker that ran out would take the process along. In bytes.
pub(super) const STACK: usize = 8 << 20;

/// How many items are worked on at once: as many as are asked for, or one a processor.
pub(super) fn jobs(asked: Option<u16>) -> usize {
    asked.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from)
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<T> {
    /// What the function made of an item.
    Made(T),
    /// A line that is no item, or of which nothing could be made.
    Bad {
        /// The line's number, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing is there yet: the next step waits. A good moment to show what there is.
    Waiting,
}

/// The results of a function over the items of a stream, in the order of its lines; ends with the stream, or with the
/// error at which it cannot be read any more.
pub(super) struct Steps<T> {
    slots: Receiver<io::Result<Slot<T>>>,
    /// The next line's place, if that is known.
    slot: Option<Slot<T>>,
    has_waited: bool,
    /// The slips of the lines so far.
    slips: BTreeSet<Slip>,
    /// Those that the caller has not taken, each with the first line that has it.
    untold: Vec<(usize, Slip)>,
}

/// Keys come from the file: of endlessly many slips, a few are enough to be told.
const MOST_SLIPS: usize = 20;

/// What became of a line; `None` if there was nothing on it.
type Done<T> = Option<(Vec<Slip>, Result<T, String>)>;

/// A line on its way to a worker, with the place for what becomes of it.
type Job<T> = (Line, SyncSender<Done<T>>);

/// A line's place in the order: filled by a worker, emptied by the caller.
struct Slot<T> {
    number: usize,
    done: Receiver<Done<T>>,
}

impl<T: Send + 'static> Steps<T> {
    /// Begins to work, `jobs` items at once; `make` says why nothing can be made of an item.
    ///
    /// # Errors
    /// No threads can be made.
    pub(super) fn start(
        input: Box<dyn BufRead + Send>,
        jobs: usize,
        make: impl Fn(Item) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let (to_workers, work) = sync_channel::<Job<T>>(jobs * AHEAD);
        let (to_caller, slots) = sync_channel(jobs * AHEAD);
        let (work, make) = (Arc::new(Mutex::new(work)), Arc::new(make));
        for _ in 0..jobs {
            let (work, make) = (Arc::clone(&work), Arc::clone(&make));
            spawn("scorer", move || work_on(&work, &*make))?;
        }
        // These threads are not waited for: a reader may stand still in a pipe that nobody fills any more.
        spawn("reader", move || read_lines(input, &to_workers, &to_caller))?;
        Ok(Self { slots, slot: None, has_waited: false, slips: BTreeSet::new(), untold: Vec::new() })
    }
}

fn spawn(name: &str, task: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(task);
    thread.map(drop).map_err(|source| Error::System { what: "no threads can be made", source })
}

/// The reader is at most so many lines ahead of the caller as there are slots.
fn read_lines<T>(
    input: Box<dyn BufRead + Send>,
    to_workers: &SyncSender<Job<T>>,
    to_caller: &SyncSender<io::Result<Slot<T>>>,
) {
    for line in Lines::new(input) {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                let _ = to_caller.send(Err(error));
                return;
            }
        };
        let (filled, done) = sync_channel(1);
        if to_caller.send(Ok(Slot { number: line.number, done })).is_err() || to_workers.send((line, filled)).is_err() {
            return;
        }
    }
}

fn work_on<T>(work: &Mutex<Receiver<Job<T>>>, make: &impl Fn(Item) -> Result<T, String>) {
    loop {
        let received = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((line, slot)) = received else { return };
        let made = match parse(&line) {
            Ok(item) => item.map(|item| {
                let made = catch_unwind(AssertUnwindSafe(|| make(item)));
                made.unwrap_or_else(|_| Err("a fault of evalrun itself".to_owned()))
            }),
            Err(why) => Some(Err(why)),
        };
        let done = made.map(|made| (slips(&line), made));
        // The caller may be gone; then the reader will stop, too.
        let _ = slot.send(done);
    }
}

impl<T> Steps<T> {
    /// What a channel holds; waits only if the caller was told so before. `Err(Some(Waiting))` or `Err(None)`: the end.
    fn take<U>(has_waited: &mut bool, channel: &Receiver<U>) -> Result<U, Option<Step<T>>> {
        match channel.try_recv() {
            Ok(found) => Ok(found),
            Err(TryRecvError::Disconnected) => Err(None),
            Err(TryRecvError::Empty) if std::mem::replace(has_waited, true) => channel.recv().map_err(|_| None),
            Err(TryRecvError::Empty) => Err(Some(Step::Waiting)),
        }
    }

    /// Each slip is told once.
    fn notice(&mut self, number: usize, slips: Vec<Slip>) {
        for slip in slips {
            if self.slips.len() < MOST_SLIPS && self.slips.insert(slip.clone()) {
                self.untold.push((number, slip));
            }
        }
    }

    /// The slips of the lines so far that were not taken before, each with the first line that has it.
    fn take_slips(&mut self) -> Vec<(usize, Slip)> {
        std::mem::take(&mut self.untold)
    }

    fn advance(&mut self) -> io::Result<Option<Step<T>>> {
        loop {
            let slot = match self.slot.take() {
                Some(slot) => slot,
                None => match Self::take(&mut self.has_waited, &self.slots) {
                    Ok(slot) => slot?,
                    Err(step) => return Ok(step),
                },
            };
            let number = slot.number;
            match Self::take(&mut self.has_waited, &slot.done) {
                Err(Some(step)) => {
                    self.slot = Some(slot);
                    return Ok(Some(step));
                }
                // A line takes no time that a caller could use: what was shown before it is still all there is.
                Ok(None) => {}
                Ok(Some((slips, made))) => {
                    self.has_waited = false;
                    self.notice(number, slips);
                    return Ok(Some(made.map_or_else(|why| Step::Bad { number, why }, Step::Made)));
                }
                Err(None) => return Ok(Some(Step::Bad { number, why: "its worker is gone".to_owned() })),
            }
        }
    }
}

impl<T> Iterator for Steps<T> {
    type Item = io::Result<Step<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// Takes all results: each to `take`, bad lines and slips to standard error, and `None` to `take` where it is about to wait.
///
/// Returns how many lines were bad.
///
/// # Errors
/// The input cannot be read (an [`Error`]), or `take` fails (an [`io::Error`]: of an output).
pub(super) fn take_all<T>(
    mut steps: Steps<T>,
    context: &Context,
    mut take: impl FnMut(Option<T>) -> io::Result<()>,
) -> io::Result<Result<usize, Error>> {
    let mut bad = 0;
    while let Some(step) = steps.next() {
        for (number, slip) in steps.take_slips() {
            context.console.warn(&format!("line {number}: {slip}"));
        }
        match step {
            Ok(Step::Made(made)) => take(Some(made))?,
            Ok(Step::Waiting) => take(None)?,
            Ok(Step::Bad { number, why }) => {
                bad += 1;
                context.console.complain(&format!("error: line {number}: {}", one_line(&why)));
            }
            Err(source) => return Ok(Err(Error::System { what: "the items cannot be read", source })),
        }
    }
    Ok(Ok(bad))
}

/// How a call ends that left out so many bad lines.
pub(super) fn exit(bad: usize, reader: Reader, context: &Context) -> Exit {
    if reader == Reader::Gone || bad == 0 {
        return Exit::Fine;
    }
    let lines = counted(bad, "line");
    context.console.say(&format!("{lines} could not be read and left out"));
    Exit::Incomplete
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn steps(input: &[u8], make: fn(Item) -> Result<String, String>) -> Vec<Step<String>> {
        let steps = Steps::start(Box::new(Cursor::new(input.to_vec())), 3, make).unwrap();
        steps.map(Result::unwrap).filter(|step| *step != Step::Waiting).collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_lines_with_bad_ones_between() {
        let mut input = String::new();
        let mut expected = Vec::new();
        for n in 1..=200 {
            let (line, step) = match n % 5 {
                0 => ("{\"id\": 1}".to_owned(), Some("missing field `output`".to_owned())),
                1 => (String::new(), None),
                2 => ("{\"output\": \"bad\"}".to_owned(), Some("nothing".to_owned())),
                _ => (format!("{{\"output\": \"{n}\"}}"), None),
            };
            input.push_str(&line);
            input.push('\n');
            match step {
                Some(why) => expected.push(Step::Bad { number: n, why }),
                None if n % 5 != 1 => expected.push(Step::Made(n.to_string())),
                None => {}
            }
        }
        let make = |item: Item| if item.output == "bad" { Err("nothing".to_owned()) } else { Ok(item.output) };
        assert_eq!(steps(input.as_bytes(), make), expected);
    }

    #[test]
    fn a_panic_costs_no_more_than_its_item() {
        let make = |item: Item| if item.output == "b" { panic!("a bug") } else { Ok(item.output) };
        let lines = br#"{"output": "a"}
{"output": "b"}
{"output": "b"}
{"output": "b"}
{"output": "c"}"#;
        let steps = steps(lines, make);
        assert_eq!((&steps[0], &steps[4]), (&Step::Made("a".to_owned()), &Step::Made("c".to_owned())));
        assert_eq!(steps[1], Step::Bad { number: 2, why: "a fault of evalrun itself".to_owned() });
    }

    #[test]
    fn a_result_is_there_before_the_next_line_is_written() {
        let (reader, mut writer) = io::pipe().unwrap();
        let input = Box::new(io::BufReader::new(reader));
        let mut steps = Steps::start(input, 2, |item: Item| Ok(item.output)).unwrap();
        for n in 0..3 {
            io::Write::write_all(&mut writer, format!("{{\"output\": \"{n}\"}}\n").as_bytes()).unwrap();
            let made = steps.by_ref().map(Result::unwrap).find(|step| *step != Step::Waiting);
            assert_eq!(made, Some(Step::Made(n.to_string())));
            // Before it waits for a line that may never come, the caller can show what it has.
            assert_eq!(steps.next().unwrap().unwrap(), Step::Waiting);
        }
        drop(writer);
        assert!(steps.next().is_none());
    }
}
