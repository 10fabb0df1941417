//! Whether a failed attempt is made again, and when: the policy as data, the decision as a pure function.
//!
//! Promises that what cannot succeed later is never tried again, that a server's own hint wins over the computed
//! delay, and that attempts are bounded in number and in time. Leaves the waiting, and the dice, to the caller.

use std::fmt;
use std::time::Duration;

use crate::response::Failure;

/// How often and how long a trial is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The most attempts of one trial.
    pub max_attempts: u32,
    /// The longest delay before the second attempt; it doubles with each further one.
    pub base: Duration,
    /// The longest computed delay.
    pub cap: Duration,
    /// The longest time from a trial's first attempt to the beginning of its last.
    pub total: Duration,
    /// How long a server may refuse everything without saying until when: then its model is asked no more.
    pub shut: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            total: Duration::from_secs(900),
            shut: Duration::from_secs(180),
        }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait, then try again.
    RetryAfter(Duration),
    /// Do not try again.
    GiveUp(GiveUp),
}

/// Why a trial is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// The same request would fail again.
    Final,
    /// This many attempts were made: as many as the policy allows.
    Attempts(u32),
    /// The model's server has refused everything for so long, without saying until when.
    Shut {
        /// How long.
        lasted: Duration,
    },
    /// The next attempt would begin later than the policy allows.
    Time {
        /// How long a trial may take.
        total: Duration,
    },
    /// The server asked to wait longer than the trial may still take.
    Hint {
        /// How long it asked to wait.
        asked: Duration,
        /// How long a trial may take.
        total: Duration,
    },
}

/// Decides about a trial whose `attempt`-th attempt (from 1) has failed, `elapsed` after its first one began.
///
/// `jitter` is a random number in 0..1, one for each call: it spreads the retries of many trials over time.
pub fn decide(policy: &Policy, failure: &Failure, attempt: u32, jitter: f64, elapsed: Duration) -> Decision {
    if !failure.kind.is_transient() {
        return Decision::GiveUp(GiveUp::Final);
    }
    if attempt >= policy.max_attempts {
        return Decision::GiveUp(GiveUp::Attempts(attempt));
    }
    let remaining = policy.total.saturating_sub(elapsed);
    let jitter = jitter.clamp(0.0, 1.0);
    if let Some(asked) = failure.retry_after {
        if asked > remaining {
            return Decision::GiveUp(GiveUp::Hint { asked, total: policy.total });
        }
        // Never earlier than asked: a server that sees a request too early may start its wait anew.
        return Decision::RetryAfter(asked + policy.base.mul_f64(jitter));
    }
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let delay = policy.base.saturating_mul(doubled).min(policy.cap).mul_f64(jitter);
    if delay > remaining {
        return Decision::GiveUp(GiveUp::Time { total: policy.total });
    }
    Decision::RetryAfter(delay)
}

impl fmt::Display for GiveUp {
    /// A phrase to follow the failure's own message; empty where that says it all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Final => Ok(()),
            Self::Attempts(1) => f.write_str("given up after 1 attempt"),
            Self::Attempts(attempts) => write!(f, "given up after {attempts} attempts"),
            Self::Shut { lasted } => write!(f, "given up, since nothing was let through for {} s", lasted.as_secs()),
            Self::Time { total } => write!(f, "given up, since a trial may take no longer than {total:?}"),
            Self::Hint { asked, total } => {
                write!(
                    f,
                    "given up, since the server asks to wait {asked:?} and a trial may take no longer than {total:?}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::FailureKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn decide_on(failure: &Failure, attempt: u32, jitter: f64, elapsed: Duration) -> Decision {
        decide(&Policy::default(), failure, attempt, jitter, elapsed)
    }

    fn hinted(seconds: u32) -> Failure {
        Failure { retry_after: Some(SECOND * seconds), ..Failure::new(FailureKind::RateLimited, "slow down") }
    }

    #[test]
    fn delays_double_up_to_the_cap_and_jitter_spreads_them_down_to_zero() {
        let failure = Failure::new(FailureKind::Unavailable, "overloaded");
        let policy = Policy { max_attempts: 100, ..Policy::default() };
        for (attempt, jitter, millis) in [
            (1, 1.0, 500),
            (2, 1.0, 1_000),
            (3, 1.0, 2_000),
            (4, 1.0, 4_000),
            (7, 1.0, 30_000),
            (90, 1.0, 30_000),
            (3, 0.25, 500),
            (3, 0.0, 0),
        ] {
            let decision = decide(&policy, &failure, attempt, jitter, Duration::ZERO);
            assert_eq!(decision, Decision::RetryAfter(Duration::from_millis(millis)), "attempt {attempt}");
        }
    }

    #[test]
    fn only_what_may_succeed_later_is_tried_again() {
        for (kind, again) in [
            (FailureKind::RateLimited, true),
            (FailureKind::Unavailable, true),
            (FailureKind::Connection, true),
            (FailureKind::Timeout, true),
            (FailureKind::Malformed, true),
            (FailureKind::Authentication, false),
            (FailureKind::Quota, false),
            (FailureKind::UnknownModel, false),
            (FailureKind::TooLarge, false),
            (FailureKind::Configuration, false),
            (FailureKind::BadRequest, false),
            (FailureKind::NotRecorded, false),
            (FailureKind::Program, false),
        ] {
            // A hint changes nothing: servers send one with a used-up daily quota, too.
            let failure = Failure { kind, ..hinted(1) };
            let decision = decide_on(&failure, 1, 0.0, Duration::ZERO);
            assert_eq!(decision == Decision::RetryAfter(SECOND), again, "{kind:?}");
            assert_eq!(decision == Decision::GiveUp(GiveUp::Final), !again, "{kind:?}");
        }
    }

    #[test]
    fn the_servers_hint_wins_over_the_computed_delay_and_its_cap() {
        assert_eq!(decide_on(&hinted(53), 1, 0.0, Duration::ZERO), Decision::RetryAfter(SECOND * 53));
        assert_eq!(decide_on(&hinted(0), 4, 0.0, Duration::ZERO), Decision::RetryAfter(Duration::ZERO));
        let jittered = decide_on(&hinted(53), 1, 0.5, Duration::ZERO);
        assert_eq!(jittered, Decision::RetryAfter(Duration::from_millis(53_250)));
    }

    #[test]
    fn attempts_are_bounded_in_number_and_time() {
        let failure = Failure::new(FailureKind::Timeout, "no answer");
        assert_eq!(decide_on(&failure, 5, 0.0, Duration::ZERO), Decision::GiveUp(GiveUp::Attempts(5)));
        let late = SECOND * 899;
        assert_eq!(decide_on(&failure, 1, 1.0, late), Decision::RetryAfter(Duration::from_millis(500)));
        assert!(matches!(decide_on(&failure, 3, 1.0, late), Decision::GiveUp(GiveUp::Time { .. })));
        assert!(matches!(decide_on(&failure, 1, 1.0, SECOND * 1_000), Decision::GiveUp(GiveUp::Time { .. })));
    }

    #[test]
    fn a_hint_longer_than_the_time_left_gives_up_and_says_so() {
        assert_eq!(decide_on(&hinted(600), 1, 0.0, SECOND * 300), Decision::RetryAfter(SECOND * 600));
        let Decision::GiveUp(reason) = decide_on(&hinted(601), 1, 0.0, SECOND * 300) else { panic!("no") };
        assert_eq!(
            reason.to_string(),
            "given up, since the server asks to wait 601s and a trial may take no longer than 900s"
        );
    }
}
