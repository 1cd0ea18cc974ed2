//! How well forecasts would have done on a city's own history.

use super::{
    forecast::{HOURS, Profile},
    rules::ForecastRules,
    series::{Calendar, Series},
};

/// Errors of two forecasts over the same hours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Mean absolute error of the heuristic, relative to the mean of what was.
    pub heuristic: f64,
    /// The same of the model.
    pub model: f64,
    /// Of how many hours.
    pub hours: u32,
}

/// The relative mean absolute error of pairs (said, was), and how many they are; `None`: no pairs, or all of what was is 0.
pub fn error(pairs: &[(f64, f64)]) -> Option<(f64, u32)> {
    let was: f64 = pairs.iter().map(|(_, was)| was.abs()).sum();
    let off: f64 = pairs.iter().map(|(said, was)| (said - was).abs()).sum();
    (was > 0.0 && off.is_finite() && was.is_finite()).then(|| (off / was, pairs.len() as u32))
}

/// The heuristic's error on the days before the newest hour: see [`compare`].
pub fn heuristic(
    demand: &Series,
    temperature: &Series,
    calendar: &Calendar,
    rules: &ForecastRules,
) -> Option<(f64, u32)> {
    let mut pairs = Vec::new();
    for issue in issues(demand, rules) {
        let Some(profile) = Profile::new(demand, temperature, calendar, issue, rules) else { continue };
        for hour in issue + 1..=issue + HOURS {
            let said = profile.at(calendar.hour_of_day(hour), temperature.get(hour), rules);
            pairs.extend(demand.get(hour).map(|was| (said, was)));
        }
    }
    error(&pairs)
}

/// Forecasts of 24 hours that would have been made every 24 h, each from what was known then, against what came; both of the same
/// hours. `model` gives the hours after an hour's number, MWh. The heuristic is told the temperatures that came, as if
/// they had been forecast rightly: a small advantage, so that a model must really be better.
pub fn compare(
    demand: &Series,
    temperature: &Series,
    calendar: &Calendar,
    rules: &ForecastRules,
    mut model: impl FnMut(i64) -> Option<Vec<f64>>,
) -> Option<Compared> {
    let (mut by_heuristic, mut by_model) = (Vec::new(), Vec::new());
    for issue in issues(demand, rules) {
        let Some(profile) = Profile::new(demand, temperature, calendar, issue, rules) else { continue };
        let Some(values) = model(issue) else { continue };
        for (hour, said) in (issue + 1..=issue + HOURS).zip(values) {
            let Some(was) = demand.get(hour) else { continue };
            by_heuristic.push((profile.at(calendar.hour_of_day(hour), temperature.get(hour), rules), was));
            by_model.push((said, was));
        }
    }
    let ((heuristic, hours), (model, _)) = (error(&by_heuristic)?, error(&by_model)?);
    Some(Compared { heuristic, model, hours })
}

/// The hours at whose end forecasts would have been made: every 24 h before the newest hour, over the history's length.
fn issues(demand: &Series, rules: &ForecastRules) -> impl Iterator<Item = i64> {
    let last = demand.last();
    let days = i64::from(rules.history_days);
    (1..=days).rev().filter_map(move |day| Some(last? - day * HOURS))
}
