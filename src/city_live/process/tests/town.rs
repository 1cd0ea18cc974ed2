//! A small city with everything that a run can be given.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use super::super::{History, Inputs, ModelRun, Rules, backtest::Compared, job, series::HOUR_MS};
use crate::{
    city_live::{
        archive::{CallEntry, FeatureHour, FeedItem, Processed, Raw311, RawValue},
        catalogue::{LiveCity, Zone},
        message::{Aqi, Call311, GridAlert, GridAlertKind, HourValue, Payload, PowerDemand, Traffic, Weather},
    },
    twin::{geo::Position, time::Time},
};

/// Monday 2026-11-09T15:20Z; in New York 10:20.
pub(super) const NOW: Time = Time(1_794_237_600_000);

/// What a run is given, with the history as documents, so that tests can change some of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    inputs: Inputs,
    pub history: Vec<FeatureHour>,
    /// The number of its first hour.
    pub first_hour: i64,
}

impl Deref for Given {
    type Target = Inputs;

    fn deref(&self) -> &Inputs {
        &self.inputs
    }
}

impl DerefMut for Given {
    fn deref_mut(&mut self) -> &mut Inputs {
        &mut self.inputs
    }
}

/// Of `zones` zones of weight 1, 2, 3, …
pub(super) fn city(zones: usize) -> LiveCity {
    let zone = |place: usize| Zone {
        id: format!("z{place:04}"),
        name: format!("Zone {place}"),
        centre: Position { latitude: 40.7, longitude: -74.0 },
        shape: Vec::new(),
        districts: Vec::new(),
        weight: (place + 1) as f64,
    };
    LiveCity {
        id: "nyc".to_owned(),
        name: "New York".to_owned(),
        time_zone: "America/New_York".to_owned(),
        eia_region: Some("NYIS".to_owned()),
        calls311: None,
        zones: (0..zones).map(zone).collect(),
    }
}

pub(super) fn raw(zone: Option<&str>, ts: Time, source: &str, payload: Payload) -> RawValue {
    RawValue {
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
        ts,
        source: source.to_owned(),
        ingested_at: ts,
        payload,
    }
}

pub(super) fn hour(zone: Option<&str>, hour: i64, values: &[(&str, f64)]) -> FeatureHour {
    FeatureHour {
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
        hour: Time(hour * HOUR_MS),
        values: values.iter().copied().collect(),
    }
}

pub(super) fn power(demand: f64) -> Payload {
    Payload::PowerDemand(PowerDemand {
        region: "NYIS".to_owned(),
        demand_mwh: Some(demand),
        forecast_mwh: Some(demand * 0.98),
    })
}

pub(super) fn item(seq: i64, zone: Option<&str>, ts: Time, payload: Payload) -> FeedItem {
    FeedItem {
        seq,
        key: seq.to_string(),
        topic: payload.topic().name().to_owned(),
        ts,
        ingested_at: ts,
        source: "eia".to_owned(),
        payload,
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
    }
}

pub(super) fn weather(temperature: f64, now: Time) -> Payload {
    let first = now.0.div_euclid(HOUR_MS);
    Payload::Weather(Weather {
        temperature_c: Some(temperature),
        wind_speed_ms: Some(4.0),
        precipitation_mm: Some(0.0),
        hourly_temperature: (first..first + 48)
            .map(|hour| HourValue { ts: Time(hour * HOUR_MS), value: temperature })
            .collect(),
        ..Weather::default()
    })
}

pub(super) fn call(ts: Time, id: &str, kind: &str) -> CallEntry {
    CallEntry {
        ts,
        call: Call311 {
            call_id: id.to_owned(),
            complaint_type: kind.to_owned(),
            descriptor: None,
            status: None,
            latitude: None,
            longitude: None,
        },
    }
}

/// Demand of an hour, by a rhythm of the day.
pub(super) fn demand(hour: i64) -> f64 {
    18_000.0 + 2000.0 * ((hour % 24) as f64 / 24.0 * std::f64::consts::TAU).sin() + (hour % 7) as f64
}

/// Two weeks of history, and fresh values of everything.
pub(super) fn inputs(city: &LiveCity, now: Time) -> Given {
    let this_hour = now.0.div_euclid(HOUR_MS);
    let since = this_hour - 14 * 24;
    let mut inputs = Given { first_hour: since, ..Given::default() };
    for number in since..this_hour - 1 {
        inputs.history.push(hour(None, number, &[("demand_mwh", demand(number))]));
    }
    for (place, zone) in city.zones.iter().enumerate() {
        let id = Some(zone.id.as_str());
        for number in since..this_hour {
            let wave = (number % 24) as f64 + place as f64;
            let values = [
                ("temperature_c", 10.0 + wave / 6.0),
                ("us_aqi", 40.0 + wave),
                ("pm2_5_ugm3", 8.0 + wave / 4.0),
                ("congestion_ratio", 0.1 + (number % 24) as f64 / 100.0),
                ("calls_311", 3.0 + (number % 5) as f64),
            ];
            inputs.history.push(hour(id, number, &values));
        }
        let at = |minutes: i64| Time(now.0 - minutes * 60_000);
        inputs.raw.push(raw(id, at(10), "open-meteo", weather(12.0, now)));
        let aqi = Aqi { us_aqi: Some(55.0), pm2_5_ugm3: Some(12.0), ..Aqi::default() };
        inputs.raw.push(raw(id, at(30), "open-meteo", Payload::Aqi(aqi)));
        let traffic = Traffic {
            current_speed_kmh: 32.0,
            free_flow_speed_kmh: 40.0,
            current_travel_time_s: None,
            free_flow_travel_time_s: None,
            confidence: Some(1.0),
            road_closure: false,
        };
        inputs.raw.push(raw(id, at(5), "tomtom", Payload::Traffic(traffic)));
        let calls: Vec<CallEntry> = (0..4).map(|n| call(at(60 * n), &format!("{place}-{n}"), "Noise")).collect();
        inputs.calls.push(Raw311 {
            city_id: "nyc".to_owned(),
            zone_id: Some(zone.id.clone()),
            ts: at(0),
            source: "socrata".to_owned(),
            by_type: BTreeMap::from([("Noise".to_owned(), 4)]),
            calls,
        });
    }
    let newest = Time((this_hour - 1) * HOUR_MS);
    inputs.raw.push(raw(None, newest, "eia", power(demand(this_hour - 1))));
    inputs
}

pub(super) fn grid(ts: Time, excess_pct: f64) -> FeedItem {
    let alert = GridAlert {
        kind: GridAlertKind::AboveForecast,
        region: "NYIS".to_owned(),
        demand_mwh: 20_000.0,
        reference_mwh: 19_000.0,
        excess_pct,
    };
    item(ts.0 + (excess_pct * 1e6) as i64, None, ts, Payload::GridAlert(alert))
}

/// A model's answer of 500 MWh an hour for the whole city.
pub(super) fn model_run(compared: Option<Compared>) -> ModelRun {
    let this_hour = NOW.0.div_euclid(HOUR_MS);
    ModelRun {
        model: "other".to_owned(),
        version: "7".to_owned(),
        unit: "MWh".to_owned(),
        zone_id: None,
        ran: "remote".to_owned(),
        hours: (this_hour..this_hour + 48).map(|hour| (Time(hour * HOUR_MS), 500.0)).collect(),
        deviation: 0.1,
        compared,
        problem: None,
    }
}

/// A run where no model has said anything.
pub(super) fn process(city: &LiveCity, given: &Given, now: Time, rules: &Rules) -> Processed {
    process_with(city, given, &[], now, rules)
}

/// A run with what the models said.
pub(super) fn process_with(city: &LiveCity, given: &Given, models: &[ModelRun], now: Time, rules: &Rules) -> Processed {
    let mut history = History::new(&city.id, given.first_hour, job::last_hour(now));
    history.extend(&given.history);
    let inputs = Inputs { history, ..given.inputs.clone() };
    job::process(city, &inputs, &job::Demand::new(city, &inputs, now, rules), models, now, rules)
}

/// Whether a model with these errors is the one whose forecast counts.
pub(super) fn chosen_with(compared: Compared) -> bool {
    let city = city(2);
    let processed = process_with(&city, &inputs(&city, NOW), &[model_run(Some(compared))], NOW, &Rules::default());
    let models: Vec<&str> =
        processed.zones.iter().map(|zone| zone.forecast.as_ref().expect("a forecast").model.as_str()).collect();
    for zone in &processed.zones {
        let outputs = processed.outputs.iter().filter(|output| output.zone_id == zone.zone_id);
        let chosen: Vec<&str> = outputs.filter(|output| output.chosen).map(|output| output.model.as_str()).collect();
        assert_eq!(chosen, [zone.forecast.as_ref().expect("a forecast").model.as_str()]);
    }
    match models.as_slice() {
        ["other", "other"] => true,
        ["heuristic", "heuristic"] => false,
        other => panic!("{other:?}"),
    }
}
