//! Features: the latest raw values of a zone under names that tell their units.

use std::collections::BTreeMap;

use crate::{
    city_live::{
        archive::{Raw311, RawValue},
        clock::HOUR_MS,
        features::Features,
        message::{Payload, Traffic},
    },
    twin::time::Time,
};

/// How long a 311 call counts: 24 h.
pub const CALLS_MS: i64 = 24 * HOUR_MS;

/// Adds a value, if it is a number.
pub fn put(features: &mut Features, name: &str, value: Option<f64>) {
    if let Some(value) = value.filter(|value| value.is_finite()) {
        features.insert(name, value);
    }
}

/// The features of one raw value.
///
/// | payload | features |
/// | --- | --- |
/// | `weather` | `temperature_c`, `apparent_temperature_c`, `humidity_pct`, `wind_speed_ms`, `precipitation_mm`, `pressure_hpa` |
/// | `aqi` | `us_aqi`, `european_aqi`, `pm2_5_ugm3`, `pm10_ugm3`, `no2_ugm3`, `o3_ugm3` |
/// | `traffic` | `congestion_ratio` (0 to 1), `current_speed_kmh` |
/// | `power_demand` | `demand_mwh`, `forecast_mwh` |
///
/// Grid alerts and 311 calls have none here.
pub fn of_raw(raw: &RawValue) -> Features {
    of_payload(&raw.payload)
}

/// The features of a payload: see [`of_raw`].
pub fn of_payload(payload: &Payload) -> Features {
    let mut features = Features::new();
    match payload {
        Payload::Weather(weather) => {
            put(&mut features, "temperature_c", weather.temperature_c);
            put(&mut features, "apparent_temperature_c", weather.apparent_temperature_c);
            put(&mut features, "humidity_pct", weather.humidity_pct);
            put(&mut features, "wind_speed_ms", weather.wind_speed_ms);
            put(&mut features, "precipitation_mm", weather.precipitation_mm);
            put(&mut features, "pressure_hpa", weather.pressure_hpa);
        }
        Payload::Aqi(aqi) => {
            put(&mut features, "us_aqi", aqi.us_aqi);
            put(&mut features, "european_aqi", aqi.european_aqi);
            put(&mut features, "pm2_5_ugm3", aqi.pm2_5_ugm3);
            put(&mut features, "pm10_ugm3", aqi.pm10_ugm3);
            put(&mut features, "no2_ugm3", aqi.no2_ugm3);
            put(&mut features, "o3_ugm3", aqi.o3_ugm3);
        }
        Payload::Traffic(traffic) => {
            put(&mut features, "congestion_ratio", congestion(traffic));
            put(&mut features, "current_speed_kmh", Some(traffic.current_speed_kmh));
        }
        Payload::PowerDemand(power) => {
            // Demand is never negative, and the whole world's is below 10^7 MWh in an hour: such hours were sent by mistake.
            let sane = |demand: &f64| (0.0..1e8).contains(demand);
            put(&mut features, "demand_mwh", power.demand_mwh.filter(sane));
            put(&mut features, "forecast_mwh", power.forecast_mwh.filter(sane));
        }
        Payload::GridAlert(_) | Payload::Call311(_) => {}
    }
    features
}

/// How much slower than free flow: 1 - current / free flow, within 0 and 1; 1 where the road is closed. `None`: no free-flow speed.
pub fn congestion(traffic: &Traffic) -> Option<f64> {
    if traffic.road_closure {
        return Some(1.0);
    }
    let free = traffic.free_flow_speed_kmh;
    (free > 0.0 && traffic.current_speed_kmh.is_finite())
        .then(|| (1.0 - traffic.current_speed_kmh / free).clamp(0.0, 1.0))
}

/// A zone's calls of the last 24 h before `now`.
pub fn calls_within(document: Option<&Raw311>, now: Time) -> u32 {
    let counts = |ts: Time| ts.0 > now.0 - CALLS_MS && ts <= now;
    document.map_or(0, |document| document.calls.iter().filter(|call| counts(call.ts)).count() as u32)
}

/// The most frequent type among a zone's calls of the last 24 h, with its number; of equals the first by name.
pub fn top_type(document: &Raw311, now: Time) -> Option<(&str, u32)> {
    let mut types: BTreeMap<&str, u32> = BTreeMap::new();
    for call in document.calls.iter().filter(|call| call.ts.0 > now.0 - CALLS_MS && call.ts <= now) {
        *types.entry(&call.call.complaint_type).or_default() += 1;
    }
    types.into_iter().rev().max_by_key(|(_, count)| *count)
}
