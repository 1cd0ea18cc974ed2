//! A log line at most once a second, with the number of those that were left out.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets one through per interval and counts the rest. Time comes in, as the time since any fixed moment.
#[derive(Debug)]
pub struct Throttle {
    interval: Duration,
    last: Option<Duration>,
    swallowed: u64,
}

impl Throttle {
    /// Lets one through per `interval`.
    pub fn new(interval: Duration) -> Self {
        Self { interval, last: None, swallowed: 0 }
    }

    /// Whether one may pass now: `Some` with the number of those swallowed since the last that passed, or `None`,
    /// and then this one is counted.
    pub fn admit(&mut self, now: Duration) -> Option<u64> {
        let too_soon = self.last.is_some_and(|last| now.saturating_sub(last) < self.interval);
        if too_soon {
            self.swallowed += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.swallowed))
    }
}

/// A [`Throttle`] of one second on the monotonic clock, shared between threads.
///
/// ```
/// # use citytwin::telemetry::OncePerSecond;
/// let limit = OncePerSecond::new();
/// if let Some(swallowed) = limit.admit() {
///     tracing::warn!(swallowed, "bad records");
/// }
/// ```
#[derive(Debug)]
pub struct OncePerSecond {
    start: Instant,
    throttle: Mutex<Throttle>,
}

impl OncePerSecond {
    /// The first one passes at once.
    pub fn new() -> Self {
        Self { start: Instant::now(), throttle: Mutex::new(Throttle::new(Duration::from_secs(1))) }
    }

    /// As [`Throttle::admit`], now.
    pub fn admit(&self) -> Option<u64> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).admit(self.start.elapsed())
    }
}

impl Default for OncePerSecond {
    fn default() -> Self {
        Self::new()
    }
}
