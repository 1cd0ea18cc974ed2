//! The wall clock, and the hours that times lie in. The clock is read at its edges only; what is computed is told the time.

use crate::twin::time::Time;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// The server's wall clock.
pub fn now() -> Time {
    Time(jiff::Timestamp::now().as_millisecond())
}

/// The number of the hour that a moment lies in, counted from 1970-01-01T00:00Z.
pub fn hour_number(at: Time) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// The beginning of the hour of this number.
pub fn hour_start(number: i64) -> Time {
    Time(number.saturating_mul(HOUR_MS))
}
