//! One processing run over everything that a city's archive holds.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    forecast::{HOURS, shares},
    history::History,
    rules::Rules,
    series::{Calendar, Series, hour_number, hour_start},
};
use crate::{
    city_live::{
        archive::{Alert, FeatureHour, FeedItem, Processed, Raw311, RawValue},
        catalogue::{LiveCity, Zone},
        features::Features,
        message::Payload,
        parallel::on_all_cores,
    },
    twin::time::Time,
};

mod city;
mod zone;

/// Zones that are worth a thread of their own.
const ZONES_A_THREAD: usize = 100;

/// Everything a run needs from the archive, in any order.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The latest values of all kinds, of all zones and of the city itself.
    pub raw: Vec<RawValue>,
    /// The 311 calls of all zones.
    pub calls: Vec<Raw311>,
    /// The last days' rows of `power_demand` and `grid_alerts`: a source sends several hours at once, of which `raw` holds one.
    pub feed: Vec<FeedItem>,
    /// Hourly features. No hour before its first is written, for what stood there is not known here.
    pub history: History,
    /// Alerts that are not cleared.
    pub alerts: Vec<Alert>,
}

/// What a model said of one demand series.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRun {
    /// The manifest's name.
    pub model: String,
    /// The manifest's version.
    pub version: String,
    /// The manifest's unit (`MWh`).
    pub unit: String,
    /// Whose demand: of a zone that has its own, or (`None`) of the whole city.
    pub zone_id: Option<String>,
    /// `local`, `remote`.
    pub ran: String,
    /// By hour.
    pub hours: Vec<(Time, f64)>,
    /// Relative deviation that the band is made of.
    pub deviation: f64,
    /// Its error on this city's history, the heuristic's on the same hours, and how many these are.
    pub compared: Option<super::backtest::Compared>,
    /// Why there is no output.
    pub problem: Option<String>,
}

/// The last hour of which a run at `now` believes a value: one of the future, for clocks that differ. What claims to be later is no
/// measurement.
pub(super) fn last_hour(now: Time) -> i64 {
    hour_number(now) + 1
}

/// The id of the run of a city at a time: known before it is done.
pub fn run_id(city_id: &str, now: Time) -> String {
    format!("{city_id}-{}", now.0)
}

/// Demand and temperature of a city as a run sees them.
#[derive(Debug)]
pub struct Demand<'a> {
    /// Of the hours around.
    pub calendar: Calendar,
    /// The city's demand, MWh.
    pub city: Series,
    /// EIA's own forecast, MWh.
    pub city_forecast: Series,
    /// What forecasts are compared on: the city's demand, or, where it has none, the sum of the zones' own.
    pub reference: Series,
    /// Mean temperature of the zones, °C.
    pub city_temperature: Series,
    /// Of zones that have a demand of their own.
    pub own: BTreeMap<&'a str, Series>,
    /// By zone, °C: history and forecast.
    pub temperature: HashMap<&'a str, Series>,
    /// By zone.
    pub shares: HashMap<&'a str, f64>,
    /// What was before.
    pub history: &'a History,
}

impl<'a> Demand<'a> {
    /// Sorts the inputs by zone and hour.
    pub fn new(city: &'a LiveCity, inputs: &'a Inputs, now: Time, rules: &Rules) -> Self {
        let this_hour = hour_number(now);
        let history = &inputs.history;
        let first = history.first();
        let sane = |hour: i64| (first..=last_hour(now)).contains(&hour);
        let mut power: BTreeMap<&str, Vec<(Time, i64, &Payload)>> = BTreeMap::new();
        let rows = inputs.feed.iter().map(|row| (row.zone_id.as_deref(), row.ts, row.seq, &row.payload));
        let latest = inputs.raw.iter().map(|raw| (raw.zone_id.as_deref(), raw.ts, i64::MAX, &raw.payload));
        for (zone, ts, seq, payload) in rows.chain(latest) {
            if matches!(payload, Payload::PowerDemand(_)) && sane(hour_number(ts)) {
                power.entry(zone.unwrap_or_default()).or_default().push((ts, seq, payload));
            }
        }
        for rows in power.values_mut() {
            rows.sort_by_key(|(ts, seq, _)| (*ts, *seq));
        }
        let series = |zone: &str, feature: &str| {
            let known = history.series(zone, feature).into_iter().flat_map(Series::known);
            let rows = power.get(zone).into_iter().flatten();
            let rows = rows.filter_map(|(ts, _, payload)| {
                Some((hour_number(*ts), super::features::of_payload(payload).get(feature)?))
            });
            Series::new(known.chain(rows))
        };
        let own = city.zones.iter().map(|zone| zone.id.as_str()).filter(|zone| power.contains_key(zone));
        let own: BTreeMap<&str, Series> = own.map(|zone| (zone, series(zone, "demand_mwh"))).collect();
        let weights: Vec<f64> = city.zones.iter().map(|zone| zone.weight).collect();
        let shares = city.zones.iter().map(|zone| zone.id.as_str()).zip(shares(&weights)).collect();
        let temperature = temperatures(city, inputs, this_hour);
        let whole = series("", "demand_mwh");
        let reference = if whole.last().is_some() { whole.clone() } else { sum(&own) };
        Self {
            reference,
            calendar: Calendar::new(
                &city.time_zone,
                first.max(this_hour - 2 * 24 * i64::from(rules.forecast.history_days)),
                this_hour + HOURS + 1,
            ),
            city: whole,
            city_forecast: series("", "forecast_mwh"),
            city_temperature: mean(&temperature),
            own,
            temperature,
            shares,
            history,
        }
    }

    /// A zone's demand, and its share of the city's where that is what it is made of.
    pub fn of(&self, zone: &str) -> (Series, Option<f64>) {
        if let Some(own) = self.own.get(zone) {
            return (own.clone(), None);
        }
        let share = self.shares.get(zone).copied().unwrap_or_default();
        (self.city.scaled(share), Some(share))
    }
}

/// By zone: the hourly history, over it the source's forecast of the hours to come.
fn temperatures<'a>(city: &'a LiveCity, inputs: &'a Inputs, this_hour: i64) -> HashMap<&'a str, Series> {
    let mut forecasts: HashMap<&str, &[crate::city_live::message::HourValue]> = HashMap::new();
    for raw in &inputs.raw {
        if let (Some(zone), Payload::Weather(weather)) = (raw.zone_id.as_deref(), &raw.payload) {
            forecasts.insert(zone, &weather.hourly_temperature);
        }
    }
    let of_zone = |zone: &str| {
        let coming = forecasts.get(zone).copied().unwrap_or_default().iter();
        let coming = coming.map(|hour| (hour_number(hour.ts), hour.value));
        // Forecasts go two weeks ahead at most; what was measured stands above what was forecast.
        let coming = coming.filter(|(hour, _)| (this_hour - 24..=this_hour + 24 * 16).contains(hour));
        let known = inputs.history.series(zone, "temperature_c").into_iter().flat_map(Series::known);
        Series::new(coming.chain(known))
    };
    city.zones.iter().map(|zone| (zone.id.as_str(), of_zone(&zone.id))).collect()
}

/// The sum of all by hour; an hour that one of them lacks has none.
fn sum(zones: &BTreeMap<&str, Series>) -> Series {
    let Some(first) = zones.values().next() else { return Series::default() };
    let all = |hour: i64| zones.values().map(|series| series.get(hour)).sum::<Option<f64>>();
    Series::new(first.known().filter_map(|(hour, _)| Some((hour, all(hour)?))))
}

/// The mean of the zones by hour.
fn mean(zones: &HashMap<&str, Series>) -> Series {
    // In the order of their ids, so that the sums come out the same each time.
    let mut ids: Vec<&&str> = zones.keys().collect();
    ids.sort_unstable();
    let mut sums: BTreeMap<i64, (f64, u32)> = BTreeMap::new();
    for (hour, value) in ids.into_iter().flat_map(|id| zones[*id].known()) {
        let (sum, count) = sums.entry(hour).or_default();
        *sum += value;
        *count += 1;
    }
    Series::new(sums.into_iter().map(|(hour, (sum, count))| (hour, sum / f64::from(count))))
}

/// Makes of a city's inputs, their `demand` and what the models said of it what is to be written about the city. Pure: the same inputs
/// and the same `now` make the same documents, in whatever order they come. Only zones of the catalogue are written, in the order of their ids.
pub fn process(
    city: &LiveCity,
    inputs: &Inputs,
    demand: &Demand<'_>,
    runs: &[ModelRun],
    now: Time,
    rules: &Rules,
) -> Processed {
    let whole = city::Whole::new(inputs, demand, runs, now, rules);
    let mut zones: Vec<&Zone> = city.zones.iter().collect();
    zones.sort_by(|a, b| a.id.cmp(&b.id));
    let ids: HashSet<&str> = zones.iter().map(|zone| zone.id.as_str()).collect();
    let mut latest: HashMap<&str, Vec<&RawValue>> = HashMap::new();
    for raw in &inputs.raw {
        if let Some(zone) = raw.zone_id.as_deref().filter(|zone| ids.contains(zone)) {
            latest.entry(zone).or_default().push(raw);
        }
    }
    let calls: HashMap<&str, &Raw311> =
        inputs.calls.iter().filter_map(|calls| Some((calls.zone_id.as_deref()?, calls))).collect();

    let mut processed = Processed { city_id: city.id.clone(), ..Processed::default() };
    let mut written: BTreeMap<(Option<String>, i64), Features> = BTreeMap::new();
    let mut conditions = whole.conditions.clone();
    let one = |zone: &Zone| {
        let input = zone::ZoneInputs {
            city,
            zone,
            raw: latest.get(zone.id.as_str()).map(Vec::as_slice).unwrap_or_default(),
            calls: calls.get(zone.id.as_str()).copied(),
            runs,
            demand,
            whole: &whole,
        };
        zone::process(&input, now, rules)
    };
    let made = on_all_cores(&zones, ZONES_A_THREAD, |zone| one(zone));
    for (zone, made) in zones.into_iter().zip(made) {
        for (hour, name, value) in made.hours {
            written.entry((Some(zone.id.clone()), hour)).or_default().insert(name, value);
        }
        conditions.extend(made.conditions);
        processed.outputs.extend(made.outputs);
        processed.zones.push(made.zone);
    }
    for (name, series) in [("demand_mwh", &demand.city), ("forecast_mwh", &demand.city_forecast)] {
        for (hour, value) in series.known() {
            written.entry((None, hour)).or_default().insert(name, value);
        }
    }
    processed.features = changed(city, &inputs.history, written);
    processed.alerts = super::alerts::transition(&city.id, &inputs.alerts, &conditions, now);
    processed
}

/// The documents of `features_hourly` that differ from what is there: new values over those the hour has already.
fn changed(city: &LiveCity, history: &History, written: BTreeMap<(Option<String>, i64), Features>) -> Vec<FeatureHour> {
    let mut documents = Vec::new();
    for ((zone_id, number), values) in written.into_iter().filter(|((_, number), _)| *number >= history.first()) {
        let before = history.at(zone_id.as_deref().unwrap_or_default(), number);
        let mut merged = before.clone();
        merged.extend(values);
        if before != merged {
            documents.push(FeatureHour { city_id: city.id.clone(), zone_id, hour: hour_start(number), values: merged });
        }
    }
    documents
}
