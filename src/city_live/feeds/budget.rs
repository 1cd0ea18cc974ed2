//! How many calls an API allows, and how many were made.

use std::{collections::VecDeque, time::Duration};

use crate::city_live::clock::HOUR_MS;

/// Whose limits a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    /// Open-Meteo counts weather and air together, by the caller's address.
    OpenMeteo,
    /// OpenWeather's key.
    OpenWeather,
    /// TomTom's key.
    TomTom,
    /// EIA's key.
    Eia,
    /// The portal's application token, or the caller's address.
    Socrata,
}

/// The most calls in any minute, hour and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In any 60 s.
    pub per_minute: u32,
    /// In any 3,600 s.
    pub per_hour: u32,
    /// In any 86,400 s.
    pub per_day: u32,
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OpenMeteo, Self::OpenWeather, Self::TomTom, Self::Eia, Self::Socrata];

    /// Its name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenMeteo => "open-meteo",
            Self::OpenWeather => "openweather",
            Self::TomTom => "tomtom",
            Self::Eia => "eia",
            Self::Socrata => "socrata",
        }
    }

    /// What the free tier allows, or less where it states no bound.
    pub const fn budget(self) -> Budget {
        match self {
            // open-meteo.com/en/terms: 600 a minute, 5,000 an hour, 10,000 a day.
            Self::OpenMeteo => Budget { per_minute: 600, per_hour: 5000, per_day: 10_000 },
            // openweathermap.org/price: 60 a minute, 1,000,000 a month.
            Self::OpenWeather => Budget { per_minute: 60, per_hour: 3600, per_day: 32_000 },
            // developer.tomtom.com: 2,500 requests that are no tiles a day, 5 a second.
            Self::TomTom => Budget { per_minute: 300, per_hour: 2500, per_day: 2500 },
            // EIA throttles beyond some thousands an hour; we need four. dev.socrata.com: 1,000 an hour with a token; without
            // one, fewer, out of a pool shared by address.
            Self::Eia | Self::Socrata => Budget { per_minute: 30, per_hour: 300, per_day: 1000 },
        }
    }
}

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The calls of the last day, exactly: any 24 hours, not calendar days, so that no clock of theirs can differ from ours.
/// At most a day's budget of moments is kept.
#[derive(Clone, Debug)]
pub struct Ledger {
    budget: Budget,
    /// When each was made, ascending. Milliseconds since any fixed moment.
    calls: VecDeque<i64>,
}

impl Ledger {
    /// No calls yet.
    pub fn new(budget: Budget) -> Self {
        Self { budget, calls: VecDeque::new() }
    }

    /// What it keeps to.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// How many calls may be made now.
    pub fn room(&self, now: i64) -> u32 {
        let left = |limit: u32, window: i64| limit.saturating_sub(self.within(now, window));
        left(self.budget.per_minute, MINUTE_MS)
            .min(left(self.budget.per_hour, HOUR_MS))
            .min(left(self.budget.per_day, DAY_MS))
    }

    /// Writes a call down, if there is room for it.
    pub fn take(&mut self, now: i64) -> bool {
        if self.room(now) == 0 {
            return false;
        }
        while self.calls.front().is_some_and(|first| now - first >= DAY_MS) {
            self.calls.pop_front();
        }
        // A clock that steps back must not unsort them.
        let now = self.calls.back().map_or(now, |last| now.max(*last));
        self.calls.push_back(now);
        true
    }

    /// How long until there is room, where there is none.
    pub fn wait(&self, now: i64) -> Duration {
        let until = |limit: u32, window: i64| {
            let within = self.within(now, window);
            if within < limit {
                return 0;
            }
            // The oldest that must leave the window.
            let index = self.calls.len() - (limit.max(1) as usize).min(self.calls.len());
            self.calls.get(index).map_or(0, |call| (call + window - now).max(0))
        };
        let budget = self.budget;
        let wait =
            until(budget.per_minute, MINUTE_MS).max(until(budget.per_hour, HOUR_MS)).max(until(budget.per_day, DAY_MS));
        Duration::from_millis(wait.unsigned_abs())
    }

    fn within(&self, now: i64, window: i64) -> u32 {
        let old = self.calls.partition_point(|call| now - call >= window);
        (self.calls.len() - old) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_minute_hour_and_day_are_kept_to() {
        let mut ledger = Ledger::new(Budget { per_minute: 3, per_hour: 5, per_day: 7 });
        assert!((0..3).all(|second| ledger.take(second * 1000)));
        assert!(!ledger.take(3000) && ledger.room(3000) == 0);
        assert_eq!(ledger.wait(3000), Duration::from_secs(57), "the first leaves the minute");
        assert!(ledger.take(60_000), "it has left");
        assert!(!ledger.take(60_999));
        assert!(ledger.take(61_000));
        assert!(!ledger.take(200_000), "five in this hour");
        assert_eq!(ledger.wait(200_000), Duration::from_secs(3400));
        assert!(ledger.take(3_600_000) && ledger.take(3_601_000));
        assert!(!ledger.take(50_000_000), "seven in this day");
        assert_eq!(ledger.wait(50_000_000), Duration::from_secs(36_400));
        assert!(ledger.take(86_400_000));
        assert_eq!(ledger.calls.len(), 7, "what is older than a day is forgotten");
    }

    #[test]
    fn a_clock_that_steps_back_does_no_harm() {
        let mut ledger = Ledger::new(Budget { per_minute: 2, per_hour: 9, per_day: 9 });
        assert!(ledger.take(10_000) && ledger.take(5_000));
        assert_eq!(ledger.calls, [10_000, 10_000]);
        assert!(!ledger.take(6_000));
    }
}
