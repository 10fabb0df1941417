//! A body that is sent as a fault wants it: in pieces, slowly, cut off, or never to its end.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::Sleep;

use super::record::Ticket;

/// One step of sending a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// What was sent leaves now, before what follows.
    Flush,
    /// The connection is closed here.
    Cut,
    /// Nothing comes any more.
    Stall,
}

/// A body on its way.
#[derive(Debug, Default)]
pub(super) struct Body {
    steps: VecDeque<Step>,
    /// The bytes still to come, where they are announced.
    length: Option<u64>,
    waiting: Option<Pin<Box<Sleep>>>,
    ticket: Option<Ticket>,
}

impl Body {
    /// A body of known length.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { length: Some(bytes.len() as u64), steps: [Step::Send(bytes)].into(), ..Self::default() }
    }

    /// A body of `length` bytes, of which the steps may send fewer.
    pub(super) fn announced(length: u64, steps: impl IntoIterator<Item = Step>) -> Self {
        Self { length: Some(length), ..Self::pieces(steps) }
    }

    /// A body that ends when it ends.
    pub(super) fn pieces(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    /// The same; `ticket` is told when all has been sent, and dropped with it.
    pub(super) fn with(self, ticket: Ticket) -> Self {
        if self.length == Some(0) {
            // Nobody asks a body for nothing.
            ticket.finish();
            return self;
        }
        Self { ticket: Some(ticket), ..self }
    }

    /// What would be sent.
    #[cfg(test)]
    pub(super) fn bytes(self) -> Vec<Bytes> {
        let sent = |step| if let Step::Send(bytes) = step { Some(bytes) } else { None };
        self.steps.into_iter().filter_map(sent).collect()
    }

    fn sent(&mut self, bytes: &Bytes) {
        self.length = self.length.map(|length| length.saturating_sub(bytes.len() as u64));
        if self.steps.is_empty()
            && let Some(ticket) = self.ticket.take()
        {
            ticket.finish();
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            if let Some(waiting) = &mut this.waiting {
                std::task::ready!(waiting.as_mut().poll(context));
                this.waiting = None;
            }
            match this.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => {
                    this.sent(&bytes);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(duration)) => this.waiting = Some(Box::pin(tokio::time::sleep(duration))),
                Some(Step::Flush) => {
                    // A body that is not ready lets the connection write out what it has.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Cut) => return Poll::Ready(Some(Err(io::Error::other("cut on demand")))),
                Some(Step::Stall) => {
                    // The task is woken when the client goes away.
                    this.steps.push_front(Step::Stall);
                    return Poll::Pending;
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
