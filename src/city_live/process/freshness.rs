//! How old each input of a zone is: part of what is said about the zone.

use super::rules::FreshnessRules;
use crate::{
    city_live::archive::{Freshness, InputFreshness},
    twin::time::Time,
};

/// The inputs of a zone, in the order of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// `weather`.
    Weather,
    /// `aqi`.
    Aqi,
    /// `traffic`.
    Traffic,
    /// `power`.
    Power,
    /// `calls311`.
    Calls311,
}

impl Input {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Weather, Self::Aqi, Self::Traffic, Self::Power, Self::Calls311];

    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weather => "weather",
            Self::Aqi => "aqi",
            Self::Traffic => "traffic",
            Self::Power => "power",
            Self::Calls311 => "calls311",
        }
    }

    /// The age beyond which it is stale, seconds.
    pub const fn limit_s(self, rules: &FreshnessRules) -> i64 {
        match self {
            Self::Weather => rules.weather_s,
            Self::Aqi => rules.aqi_s,
            Self::Traffic => rules.traffic_s,
            Self::Power => rules.power_s,
            Self::Calls311 => rules.calls311_s,
        }
    }
}

/// The state of one input that was measured at `ts`. A measurement from the future (a source whose clock is ahead) has the age 0.
pub fn judge(input: Input, ts: Option<Time>, now: Time, rules: &FreshnessRules) -> InputFreshness {
    let limit_s = input.limit_s(rules);
    let age_s = ts.map(|ts| (now.0.saturating_sub(ts.0) / 1000).max(0));
    let state = match age_s {
        None => Freshness::Missing,
        Some(age) if age <= limit_s => Freshness::Fresh,
        Some(_) => Freshness::Stale,
    };
    InputFreshness { input: input.name().to_owned(), state, ts, age_s, limit_s }
}

/// An age for people: `40 s`, `12 min`, `3.5 h`, `4 d`.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{:.1} h", seconds as f64 / 3600.0),
        _ => format!("{} d", seconds / 86_400),
    }
}
