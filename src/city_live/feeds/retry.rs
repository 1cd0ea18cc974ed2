//! When a call is tried again.

use std::time::Duration;

/// How long to wait before attempt `attempt` (1 is the second one): twice as long each time, and a random half of it off, so
/// that many zones that failed together do not come back together.
pub fn backoff(attempt: u32, first: Duration, longest: Duration, chance: f64) -> Duration {
    let whole = first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(longest);
    whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// `Retry-After` as RFC 9110 has it: seconds, or a date, from which `now` (milliseconds since 1970) is taken off.
pub fn retry_after(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds are a long time too.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis((at - now).max(0).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_jittered_between_half_and_whole() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(8));
        let waits =
            |chance| (1..8).map(|attempt| backoff(attempt, first, longest, chance).as_millis()).collect::<Vec<_>>();
        assert_eq!(waits(1.0), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(waits(0.0), [250, 500, 1000, 2000, 4000, 4000, 4000]);
        assert_eq!(backoff(u32::MAX, first, longest, 1.0), longest);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT, the RFC's example
        let after = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(after("120"), Some(120));
        assert_eq!(after(" 0 "), Some(0));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:07 GMT"), Some(30));
        assert_eq!(after("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "it is over");
        assert_eq!(after("99999999999999999999999"), Some(u64::from(u32::MAX)));
        assert!(["", "soon", "-1", "1.5"].into_iter().all(|value| after(value).is_none()));
    }
}
