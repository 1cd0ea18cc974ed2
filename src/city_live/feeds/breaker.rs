//! A circuit breaker: an API that fails again and again is left alone for a while.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it is open at first, and at most: each failed probe doubles it.
const OPEN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(15 * 60));
/// A probe that has not come back after this was dropped.
const PROBE: Duration = Duration::from_secs(60);
/// The longest that an API can make us wait by `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// One call goes through, to see.
    HalfOpen,
    /// No call goes through.
    Open,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed { failures: u32 },
    HalfOpen { until: Instant, open: Duration },
    Open { until: Instant, open: Duration },
}

/// One API's breaker. Beside its own judgement it keeps to what the API asked for by `Retry-After`.
#[derive(Debug)]
pub struct Breaker {
    state: State,
    paused: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed { failures: 0 }, paused: None }
    }
}

impl Breaker {
    /// Whether a call may go out now; else how long to wait before asking again.
    pub fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.paused {
            if until > now {
                return Err(until - now);
            }
            self.paused = None;
        }
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { until, .. } | State::HalfOpen { until, .. } if until > now => Err(until - now),
            State::Open { open, .. } | State::HalfOpen { open, .. } => {
                self.state = State::HalfOpen { until: now + PROBE, open };
                Ok(())
            }
        }
    }

    /// A call went well.
    pub fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// A call failed in a way that speaks of the API, not of what was asked.
    pub fn failed(&mut self, now: Instant) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } => State::Open { until: now + OPEN.0, open: OPEN.0 },
            State::HalfOpen { open, .. } => {
                let open = (open * 2).min(OPEN.1);
                State::Open { until: now + open, open }
            }
            // A call that went out before it opened.
            open @ State::Open { .. } => open,
        };
    }

    /// The API asked to be left alone for so long.
    pub fn pause(&mut self, now: Instant, wait: Duration) {
        let until = now + wait.min(LONGEST_PAUSE);
        self.paused = Some(self.paused.map_or(until, |paused| paused.max(until)));
    }

    /// Where it stands, as a metric shows it.
    pub fn state(&self, now: Instant) -> BreakerState {
        match self.state {
            _ if self.paused.is_some_and(|until| until > now) => BreakerState::Open,
            State::Closed { .. } => BreakerState::Closed,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
            State::Open { .. } => BreakerState::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_closes_with_a_probe() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(Instant::now());
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(Instant::now());
        }
        assert_eq!(breaker.admit(Instant::now()), Ok(()), "never five in a row");
        breaker.failed(Instant::now());
        assert_eq!(breaker.admit(Instant::now()), Err(seconds(30)));
        assert_eq!(breaker.state(Instant::now()), BreakerState::Open);
        tokio::time::advance(seconds(30)).await;
        assert_eq!(breaker.admit(Instant::now()), Ok(()), "the probe");
        assert_eq!(breaker.state(Instant::now()), BreakerState::HalfOpen);
        assert_eq!(breaker.admit(Instant::now()), Err(PROBE), "one at a time");
        breaker.succeeded();
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
        assert_eq!(breaker.state(Instant::now()), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn each_failed_probe_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| breaker.failed(Instant::now()));
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = breaker.admit(Instant::now()).expect_err("it is open");
            waits.push(wait.as_secs());
            tokio::time::advance(wait).await;
            breaker.admit(Instant::now()).expect("the probe");
            breaker.failed(Instant::now());
            breaker.failed(Instant::now());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_never_comes_back_does_not_shut_it_for_ever() {
        let mut breaker = Breaker::default();
        (0..5).for_each(|_| breaker.failed(Instant::now()));
        tokio::time::advance(seconds(30)).await;
        breaker.admit(Instant::now()).expect("the probe, which is dropped");
        tokio::time::advance(PROBE).await;
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_kept_to_and_never_shortened() {
        let mut breaker = Breaker::default();
        breaker.pause(Instant::now(), seconds(20));
        breaker.pause(Instant::now(), seconds(5));
        assert_eq!(breaker.admit(Instant::now()), Err(seconds(20)));
        breaker.succeeded();
        assert_eq!(breaker.admit(Instant::now()), Err(seconds(20)), "what was on its way ends no pause");
        tokio::time::advance(seconds(20)).await;
        assert_eq!(breaker.admit(Instant::now()), Ok(()));
        breaker.pause(Instant::now(), Duration::MAX);
        assert_eq!(breaker.admit(Instant::now()), Err(LONGEST_PAUSE));
    }
}
