//! How long a server asks to wait, in whichever header or field it says so.
//!
//! Needs no clock: dates are measured from the server's own `date` header, so that a clock that is wrong here does not
//! matter. What makes no sense (negative, no number, a moment that has passed) is as if it had not been said.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use super::HttpReply;

/// The wait that is asked for; `told` is the body's, `status` decides whether limits that are used up count.
pub(super) fn asked_for(reply: &HttpReply, told: Option<Duration>, status: u16) -> Option<Duration> {
    let milliseconds = || reply.header("retry-after-ms").and_then(|text| seconds(text, 1000.0));
    let header = |name| reply.header(name).and_then(|text| seconds(text, 1.0).or_else(|| until_http_date(reply, text)));
    milliseconds()
        .or_else(|| header("retry-after"))
        .or_else(|| header("llm_provider-retry-after"))
        .or(told)
        .or_else(|| if status == 429 { until_reset(reply) } else { None })
}

/// A protobuf duration such as `53.5s`.
pub(super) fn protobuf_duration(text: &str) -> Option<Duration> {
    seconds(text.trim().strip_suffix('s')?, 1.0)
}

fn seconds(text: &str, units_a_second: f64) -> Option<Duration> {
    let number = text.trim().parse::<f64>().ok()? / units_a_second;
    positive(Duration::try_from_secs_f64(number).ok()?)
}

fn positive(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

fn until_http_date(reply: &HttpReply, text: &str) -> Option<Duration> {
    until(reply, DateTimeParser::new().parse_timestamp(text).ok()?)
}

fn until(reply: &HttpReply, moment: Timestamp) -> Option<Duration> {
    let now = DateTimeParser::new().parse_timestamp(reply.header("date")?).ok()?;
    positive(Duration::try_from(moment.duration_since(now)).ok()?)
}

/// The longest wait until a limit that has nothing left is renewed.
pub(super) fn until_reset(reply: &HttpReply) -> Option<Duration> {
    let used_up = reply.headers.iter().filter(|(name, value)| name.contains("ratelimit") && value.trim() == "0");
    let resets = used_up.filter_map(|(name, _)| {
        let reset = name.contains("remaining").then(|| reply.header(&name.replace("remaining", "reset")))??;
        match reset.parse::<Timestamp>() {
            Ok(moment) => until(reply, moment),
            // Written as `6m0s` or `20ms`; a number without a unit could be anything.
            Err(_) => positive(Duration::try_from(reset.parse::<SignedDuration>().ok()?).ok()?),
        }
    });
    resets.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: (&str, &str) = ("date", "Sun, 22 Nov 2026 23:59:30 GMT");

    fn asked(headers: &[(&str, &str)], status: u16) -> Option<f64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        asked_for(&HttpReply { status, headers, body: vec![] }, None, status).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn every_way_to_ask_for_a_wait_is_understood() {
        for (headers, expected) in [
            (&[("retry-after-ms", "1500"), ("retry-after", "9")][..], Some(1.5)),
            (&[("retry-after", "2.5")], Some(2.5)),
            (&[("retry-after", " 7 ")], Some(7.0)),
            (&[("retry-after", "172800")], Some(172_800.0)),
            (&[("retry-after", "Mon, 23 Nov 2026 00:00:10 GMT"), DATE], Some(40.0)),
            (&[("llm_provider-retry-after", "12")], Some(12.0)),
            (&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")], Some(360.0)),
            (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "20ms")], Some(0.02)),
            (
                &[
                    DATE,
                    ("anthropic-ratelimit-requests-remaining", "0"),
                    ("anthropic-ratelimit-requests-reset", "2026-11-22T23:59:35Z"),
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "2026-11-23T00:00:00Z"),
                    ("anthropic-ratelimit-output-tokens-remaining", "900"),
                    ("anthropic-ratelimit-output-tokens-reset", "2026-11-23T00:59:30Z"),
                ],
                Some(30.0),
            ),
        ] {
            assert_eq!(asked(headers, 429), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_asks_for_nothing() {
        for headers in [
            &[("retry-after", "0")][..],
            &[("retry-after", "-1")],
            &[("retry-after", "NaN")],
            &[("retry-after", "inf")],
            &[("retry-after", "1e300")],
            &[("retry-after", "soon")],
            &[("retry-after", "")],
            &[("retry-after", "Sun, 22 Nov 2026 23:59:00 GMT"), DATE],
            &[("retry-after", "Mon, 23 Nov 2026 00:00:10 GMT")],
            &[("retry-after", "Mon, 23 Nov 2026 00:00:10 GMT"), ("date", "today")],
            &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "-1")],
            &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "0")],
            &[("x-ratelimit-remaining-requests", "5"), ("x-ratelimit-reset-requests", "1s")],
            &[("x-ratelimit-limit-requests", "0")],
        ] {
            assert_eq!(asked(headers, 429), None, "{headers:?}");
        }
        assert_eq!(asked(&[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1s")], 500), None);
    }

    #[test]
    fn a_protobuf_duration_may_have_a_fraction() {
        for (text, expected) in [("53s", Some(53.0)), ("0.25s", Some(0.25)), ("53", None), ("-1s", None), ("s", None)] {
            assert_eq!(protobuf_duration(text).map(|wait| wait.as_secs_f64()), expected, "{text}");
        }
    }
}
