//! What holds for a whole city: its newest demand, its grid alerts, the state of its 311 feed.

use super::{
    super::{alerts, backtest},
    Demand, Inputs, ModelRun,
};
use crate::{
    city_live::{
        archive::{Freshness, RawKind, RawValue},
        message::{GridAlert, GridAlertKind, Payload},
        process::{
            freshness::{Input, judge},
            rules::Rules,
            series::hour_start,
        },
    },
    twin::time::Time,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Whole {
    /// Whether the city's demand is simulated.
    pub demand_simulated: bool,
    /// The greatest excess of a grid alert that holds, percent.
    pub grid_pct: Option<f64>,
    /// When the newest 311 call of any zone was made.
    pub calls_ts: Option<Time>,
    /// Whether the calls are simulated.
    pub calls_simulated: bool,
    /// The model whose forecast counts; `None`: the heuristic.
    pub model: Option<String>,
    /// The heuristic's error on the city's history, and of how many hours.
    pub heuristic_error: Option<(f64, u32)>,
    /// The findings about the city itself: its grid alerts.
    pub conditions: Vec<alerts::Condition>,
}

impl Whole {
    pub fn new(inputs: &Inputs, demand: &Demand<'_>, runs: &[ModelRun], now: Time, rules: &Rules) -> Self {
        let demand_ts = demand.city.last().map(hour_start);
        let fresh = judge(Input::Power, demand_ts, now, &rules.freshness).state == Freshness::Fresh;
        let grid =
            [GridAlertKind::AboveForecast, GridAlertKind::AbovePeak].map(|kind| (kind, newest(inputs, kind, now)));
        let conditions: Vec<alerts::Condition> = grid
            .iter()
            .map(|(kind, newest)| alerts::Condition {
                zone_id: None,
                rule: alerts::grid_rule(*kind).to_owned(),
                finding: alerts::find_grid(
                    *newest,
                    demand_ts,
                    fresh,
                    rules.alerts.grid_clear_hours,
                    rules.alerts.grid_critical_pct,
                ),
            })
            .collect();
        let holds =
            |finding: &alerts::Finding| matches!(finding, alerts::Finding::Raise(..) | alerts::Finding::Keep(..));
        let grid_pct = grid
            .iter()
            .zip(&conditions)
            .filter(|(_, condition)| holds(&condition.finding))
            .filter_map(|((_, newest), _)| newest.map(|(_, alert)| alert.excess_pct))
            .reduce(f64::max);
        let newest_calls = inputs.calls.iter().filter_map(|calls| {
            calls.calls.iter().map(|call| call.ts).filter(|ts| *ts <= now).max().map(|ts| (ts, &calls.source))
        });
        // Where two are of the same time the sources decide, so that the order of the documents does not.
        let newest_calls = newest_calls.max();
        let simulated = |source: &str| source.ends_with("-simulated");
        let city_power =
            |raw: &&RawValue| raw.zone_id.is_none() && RawKind::of(&raw.payload) == Some(RawKind::PowerDemand);
        Self {
            demand_simulated: inputs.raw.iter().find(city_power).is_some_and(|raw| simulated(&raw.source)),
            grid_pct,
            calls_ts: newest_calls.map(|(ts, _)| ts),
            calls_simulated: newest_calls.is_some_and(|(_, source)| simulated(source)),
            model: chosen(runs, rules),
            heuristic_error: backtest::heuristic(
                &demand.reference,
                &demand.city_temperature,
                &demand.calendar,
                &rules.forecast,
            ),
            conditions,
        }
    }
}

/// The newest grid alert of a kind, of the feed's rows and the latest value.
fn newest(inputs: &Inputs, kind: GridAlertKind, now: Time) -> Option<(Time, &GridAlert)> {
    let rows = inputs.feed.iter().map(|row| (row.zone_id.is_none(), row.ts, row.seq, &row.payload));
    let latest = inputs.raw.iter().map(|raw| (raw.zone_id.is_none(), raw.ts, i64::MAX, &raw.payload));
    let alerts = rows.chain(latest).filter_map(|(of_city, ts, seq, payload)| match payload {
        Payload::GridAlert(alert) if of_city && alert.kind == kind && ts <= now => Some((ts, seq, alert)),
        _ => None,
    });
    alerts.max_by_key(|(ts, seq, _)| (*ts, *seq)).map(|(ts, _, alert)| (ts, alert))
}

/// The model with the least error, among those that beat the heuristic by the margin on enough hours of this city.
fn chosen(runs: &[ModelRun], rules: &Rules) -> Option<String> {
    let rules = &rules.forecast;
    let better = runs.iter().filter_map(|run| {
        let compared = run.compared.filter(|compared| {
            run.problem.is_none()
                && compared.hours >= rules.model_min_hours
                && compared.model < compared.heuristic * rules.model_margin
        })?;
        Some((compared.model, &run.model))
    });
    better.min_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1))).map(|(_, model)| model.clone())
}
