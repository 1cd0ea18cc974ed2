//! The heuristic forecast of demand: the average of each hour of day, times a response to temperature.

use super::{
    rules::ForecastRules,
    series::{Calendar, Series, hour_number, hour_start},
};
use crate::{
    city_live::archive::{Forecast, ForecastHour},
    twin::time::Time,
};

/// Hours that a forecast has.
pub const HOURS: i64 = 24;

/// The name of this forecast among the models.
pub const HEURISTIC: &str = "heuristic";

/// The first hour of a forecast that is made at `now`: the next one that begins.
pub fn first_hour(now: Time) -> i64 {
    hour_number(now) + 1
}

/// How demand answers to temperature: 1 between the two thresholds, more beyond them, never above `response_max`.
pub fn response(temperature_c: f64, rules: &ForecastRules) -> f64 {
    let cooling = (temperature_c - rules.cool_above_c).max(0.0) * rules.cool_per_c;
    let heating = (rules.heat_below_c - temperature_c).max(0.0) * rules.heat_per_c;
    (1.0 + cooling + heating).min(rules.response_max)
}

/// A zone's part of the city's demand: its weight over the sum of all. Weights that are no positive numbers count 0; where
/// all do, each zone has an equal part.
pub fn shares(weights: &[f64]) -> Vec<f64> {
    let usable = |weight: &f64| if weight.is_finite() && *weight > 0.0 { *weight } else { 0.0 };
    let sum: f64 = weights.iter().map(usable).sum();
    if sum > 0.0 && sum.is_finite() {
        weights.iter().map(|weight| usable(weight) / sum).collect()
    } else {
        vec![1.0 / weights.len().max(1) as f64; weights.len()]
    }
}

/// What a demand history says of each hour of day.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Mean demand of each hour of day, MWh; of an hour of day that was never seen the mean of all.
    base: [f64; 24],
    /// Mean response to temperature of the same hours; 1 where no temperature is known.
    response: [f64; 24],
    /// Relative deviation of the history from the profile.
    pub deviation: f64,
    /// Hours of demand it was made of.
    pub hours: u32,
    /// The highest of them, MWh.
    pub highest: f64,
}

impl Profile {
    /// Of the last `history_days` of a series that end with the hour `last`. `None`: fewer than `min_hours` are known.
    pub fn new(
        demand: &Series,
        temperature: &Series,
        calendar: &Calendar,
        last: i64,
        rules: &ForecastRules,
    ) -> Option<Self> {
        let first = last - i64::from(rules.history_days) * 24 + 1;
        let mut sums = [(0.0, 0_u32); 24];
        let mut responses = [(0.0, 0_u32); 24];
        let mut hours = 0_u32;
        let mut highest = 0.0_f64;
        for hour in first..=last {
            let Some(value) = demand.get(hour) else { continue };
            let of_day = calendar.hour_of_day(hour);
            add(&mut sums[of_day], value);
            if let Some(temperature) = temperature.get(hour) {
                add(&mut responses[of_day], response(temperature, rules));
            }
            hours += 1;
            highest = highest.max(value);
        }
        if hours < rules.min_hours.max(1) {
            return None;
        }
        let overall = sums.iter().map(|(sum, _)| sum).sum::<f64>() / f64::from(hours);
        let mut profile = Self {
            base: sums.map(|(sum, count)| if count == 0 { overall } else { sum / f64::from(count) }),
            response: responses.map(|(sum, count)| if count == 0 { 1.0 } else { sum / f64::from(count) }),
            deviation: rules.band_assumed,
            hours,
            highest,
        };
        if hours >= rules.band_min_hours {
            let residual = |hour: i64| {
                let expected = profile.at(calendar.hour_of_day(hour), temperature.get(hour), rules);
                Some((demand.get(hour)? / expected - 1.0).powi(2)).filter(|square| square.is_finite())
            };
            let squares: Vec<f64> = (first..=last).filter_map(residual).collect();
            profile.deviation = (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt();
        }
        Some(profile)
    }

    /// Demand of an hour of day, MWh; without a temperature the average itself.
    pub fn at(&self, hour_of_day: usize, temperature_c: Option<f64>, rules: &ForecastRules) -> f64 {
        let ratio = temperature_c.map_or(1.0, |temperature| response(temperature, rules) / self.response[hour_of_day]);
        self.base[hour_of_day] * ratio
    }
}

fn add((sum, count): &mut (f64, u32), value: f64) {
    *sum += value;
    *count += 1;
}

/// An hour with its band: the value times 1 ± `band_deviations` × `deviation`, never below 0.
pub fn banded(ts: Time, value: f64, deviation: f64, rules: &ForecastRules) -> ForecastHour {
    let width = rules.band_deviations * deviation;
    ForecastHour { ts, value, low: value * (1.0 - width).max(0.0), high: value * (1.0 + width) }
}

/// What the heuristic makes of a zone.
#[derive(Clone, Copy, Debug)]
pub struct Heuristic<'a> {
    /// The zone's demand, or its share of the city's, MWh by hour.
    pub demand: &'a Series,
    /// Temperature by hour, °C: the zone's history, and the source's forecast of the next hours.
    pub temperature: &'a Series,
    /// Of the city.
    pub calendar: &'a Calendar,
    /// `None`: the zone has a demand of its own; else its share of the city's.
    pub share: Option<f64>,
}

impl Heuristic<'_> {
    /// The next 24 hours after `now`, with the profile they come from. The error says what is missing.
    pub fn forecast(&self, now: Time, rules: &ForecastRules) -> Result<(Forecast, Profile), String> {
        let Some(last) = self.demand.last() else {
            return Err("no power demand is known here: no feed gives it".to_owned());
        };
        let Some(profile) = Profile::new(self.demand, self.temperature, self.calendar, last, rules) else {
            let known = self.demand.known().count();
            return Err(format!("{known} hours of demand are known, {} are needed", rules.min_hours));
        };
        let first = first_hour(now);
        let mut with_temperature = 0;
        let hours = (first..first + HOURS)
            .map(|hour| {
                let temperature = self.temperature.get(hour);
                with_temperature += u32::from(temperature.is_some());
                let value = profile.at(self.calendar.hour_of_day(hour), temperature, rules);
                banded(hour_start(hour), value, profile.deviation, rules)
            })
            .collect();
        let whose = self.share.map_or("of the zone's own demand".to_owned(), |share| {
            format!("of the city's demand times the zone's share {:.2} %", share * 100.0)
        });
        let band = if profile.hours >= rules.band_min_hours { "measured" } else { "assumed" };
        let reason = format!(
            "average by hour of day over {} known hours {whose}, the newest {}; temperature known for {with_temperature} of \
             {HOURS} hours; band from a relative deviation of {:.1} % ({band})",
            profile.hours,
            hour_start(last),
            profile.deviation * 100.0,
        );
        Ok((Forecast { model: HEURISTIC.to_owned(), hours, reason }, profile))
    }
}
