//! When whom is asked about. Pure: moments come in as milliseconds since any fixed one, and nobody is called.

use std::time::Duration;

use crate::city_live::feeds::{Account, FeedId};

/// The share of a budget that is planned with. The rest is for retries, and for a city that is chosen in between.
const PLANNED: f64 = 0.9;
/// A tick that comes this much early by the clock's whim is on time.
const SLACK_MS: i64 = 500;
/// How soon a target that failed is tried again, at first; each failure in a row doubles it, up to the feed's interval.
const AGAIN_MS: i64 = 60_000;
/// Targets that were asked about within this time are not asked again because their city was chosen once more.
const RECENT_MS: i64 = 60_000;

/// By how much the intervals of an account's feeds are stretched so that its budget does for so many targets a feed; at least 1.
pub fn stretch(account: Account, feeds: &[(FeedId, usize)]) -> f64 {
    let a_second: f64 = feeds
        .iter()
        .filter(|(feed, _)| feed.account() == account)
        .map(|(feed, targets)| *targets as f64 / feed.interval().as_secs_f64())
        .sum();
    let budget = account.budget();
    [(budget.per_minute, 60.0), (budget.per_hour, 3600.0), (budget.per_day, 86_400.0)]
        .into_iter()
        .map(|(limit, seconds)| a_second * seconds / (f64::from(limit) * PLANNED))
        .fold(1.0, f64::max)
}

/// One feed's schedule for one city.
#[derive(Clone, Debug)]
pub struct Plan {
    interval_ms: i64,
    targets: Vec<Target>,
}

/// A zone, or the city.
#[derive(Clone, Copy, Debug, Default)]
struct Target {
    /// When it was last asked about.
    asked: Option<i64>,
    /// When it is asked about again.
    next: Option<i64>,
    /// Failures in a row.
    failures: u32,
}

impl Plan {
    /// All targets are due at once.
    pub fn new(feed: FeedId, targets: usize, stretch: f64) -> Self {
        let interval_ms = feed.interval().mul_f64(stretch).as_millis() as i64;
        Self { interval_ms, targets: vec![Target::default(); targets] }
    }

    /// Who is due now, by index: those never asked about first, then the longest due; at most `room`.
    pub fn due(&self, now: i64, room: u32) -> Vec<usize> {
        let mut due: Vec<(Option<i64>, usize)> = self
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.next.is_none_or(|next| next <= now + SLACK_MS))
            .map(|(index, target)| (target.next, index))
            .collect();
        due.sort_unstable();
        due.truncate(room as usize);
        due.into_iter().map(|(_, index)| index).collect()
    }

    /// A target was asked about in the round that began at `now`, and it went well.
    pub fn went_well(&mut self, index: usize, now: i64) {
        if let Some(target) = self.targets.get_mut(index) {
            *target = Target { asked: Some(now), next: Some(now + self.interval_ms), failures: 0 };
        }
    }

    /// As [`Self::went_well`], but it failed; `wait` where it is known how long there is no use in asking.
    pub fn went_wrong(&mut self, index: usize, now: i64, wait: Option<Duration>) {
        let interval_ms = self.interval_ms;
        if let Some(target) = self.targets.get_mut(index) {
            let again = (AGAIN_MS << target.failures.min(16)).min(interval_ms);
            let wait = wait.map_or(0, |wait| wait.as_millis().min(i64::MAX as u128 / 4) as i64);
            let failures = target.failures.saturating_add(1);
            *target = Target { asked: Some(now), next: Some(now + again.max(wait)), failures };
        }
    }

    /// The city was chosen once more: whoever was not asked about in the last minute is due.
    pub fn refresh(&mut self, now: i64) {
        for target in &mut self.targets {
            if target.asked.is_none_or(|asked| now - asked >= RECENT_MS) {
                *target = Target { asked: target.asked, ..Target::default() };
            }
        }
    }
}
