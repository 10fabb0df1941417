//! A limit on requests a minute, as a bucket of tokens that refills at an even pace.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// How many requests are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// A minute, in the long run.
    pub a_minute: u32,
    /// At once, after a while without any.
    pub at_once: u32,
}

/// The bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: Limit,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(limit: Limit, now: Instant) -> Self {
        Self { limit, level: Mutex::new(Level { tokens: f64::from(limit.at_once), at: now }) }
    }

    /// Takes a token, if there is one; who gets none is asked to wait a second.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(level.at).as_secs_f64() * f64::from(self.limit.a_minute) / 60.0;
        level.tokens = (level.tokens + gained).min(f64::from(self.limit.at_once));
        level.at = level.at.max(now);
        let has_one = level.tokens >= 1.0;
        if has_one {
            level.tokens -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_an_even_pace() {
        let start = Instant::now();
        let bucket = Bucket::new(Limit { a_minute: 600, at_once: 10 }, start);
        let taken = |millis: u64, tries: usize| {
            (0..tries).filter(|_| bucket.take(start + Duration::from_millis(millis))).count()
        };
        assert_eq!(taken(0, 20), 10);
        assert_eq!(taken(99, 5), 0);
        assert_eq!(taken(101, 5), 1);
        assert_eq!(taken(1_102, 20), 10);
        assert_eq!(taken(60_000, 20), 10);
        // A clock that is read out of order gives nothing away.
        assert_eq!(taken(1_000, 5), 0);
    }
}
