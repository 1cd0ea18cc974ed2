//! The simulated day in the words of each API, checked against the recorded replies of the real ones.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

use super::day::{Day, Weather};
use crate::{
    city_live::{catalogue::LiveCity, clock::HOUR_MS},
    twin::{geo::Position, time::Time},
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Open-Meteo's `/v1/forecast`: the variables that our feed asks for, times in GMT.
pub fn open_meteo_weather(day: Day, place: Position, now: Time) -> Value {
    let at = floor(now, 15 * MINUTE_MS);
    let weather = day.weather(place, at);
    let midnight = floor(now, DAY_MS);
    let hours: Vec<Time> = (0..72).map(|hour| Time(midnight.0 + hour * HOUR_MS)).collect();
    let of_hour = |hour: &Time| day.weather(place, *hour);
    let mut reply = open_meteo(place);
    reply["current_units"] = json!({"time": "iso8601", "interval": "seconds", "temperature_2m": "°C", "relative_humidity_2m": "%",
        "apparent_temperature": "°C", "precipitation": "mm", "weather_code": "wmo code", "wind_speed_10m": "m/s",
        "wind_direction_10m": "°", "surface_pressure": "hPa"});
    reply["current"] = json!({"time": minute(at), "interval": 900, "temperature_2m": tenth(weather.temperature_c),
        "relative_humidity_2m": weather.humidity_pct.round(), "apparent_temperature": tenth(apparent(&weather)),
        "precipitation": tenth(weather.rain_mm / 4.0), "weather_code": code(&weather), "wind_speed_10m": tenth(weather.wind_ms),
        "wind_direction_10m": weather.wind_deg.round(), "surface_pressure": tenth(weather.pressure_hpa)});
    reply["hourly_units"] = json!({"time": "iso8601", "temperature_2m": "°C", "precipitation": "mm"});
    reply["hourly"] = json!({"time": hours.iter().map(|hour| minute(*hour)).collect::<Vec<_>>(),
        "temperature_2m": hours.iter().map(|hour| tenth(of_hour(hour).temperature_c)).collect::<Vec<_>>(),
        "precipitation": hours.iter().map(|hour| tenth(of_hour(hour).rain_mm)).collect::<Vec<_>>()});
    reply
}

/// Open-Meteo's `/v1/air-quality`.
pub fn open_meteo_air(day: Day, place: Position, now: Time) -> Value {
    let at = floor(now, HOUR_MS);
    let pm2_5 = day.pm2_5(place, at);
    let (pm10, no2) = (pm2_5 * 1.6, 6.0 + pm2_5 * 1.1);
    let ozone = (95.0 - pm2_5 * 1.2).max(8.0);
    let unit = "μg/m³";
    let mut reply = open_meteo(place);
    reply["current_units"] = json!({"time": "iso8601", "interval": "seconds", "us_aqi": "USAQI", "european_aqi": "EAQI", "pm2_5": unit,
        "pm10": unit, "nitrogen_dioxide": unit, "ozone": unit, "sulphur_dioxide": unit, "carbon_monoxide": unit});
    reply["current"] = json!({"time": minute(at), "interval": 3600, "us_aqi": us_aqi(pm2_5).round(),
        "european_aqi": european_aqi(pm2_5).round(), "pm2_5": tenth(pm2_5), "pm10": tenth(pm10), "nitrogen_dioxide": tenth(no2),
        "ozone": tenth(ozone), "sulphur_dioxide": tenth(1.0 + pm2_5 / 12.0), "carbon_monoxide": (140.0 + 6.0 * pm2_5).round()});
    reply
}

fn open_meteo(place: Position) -> Value {
    json!({"latitude": place.latitude, "longitude": place.longitude, "generationtime_ms": 0.2, "utc_offset_seconds": 0,
        "timezone": "GMT", "timezone_abbreviation": "GMT", "elevation": 10.0})
}

/// OpenWeather's `/data/2.5/weather` with `units=metric`.
pub fn openweather(day: Day, place: Position, now: Time) -> Value {
    let at = floor(now, 10 * MINUTE_MS);
    let weather = day.weather(place, at);
    let (id, main) = match weather.rain_mm {
        rain if rain > 4.0 => (502, "Rain"),
        rain if rain > 0.0 => (500, "Rain"),
        _ if weather.clouds > 0.6 => (804, "Clouds"),
        _ if weather.clouds > 0.3 => (802, "Clouds"),
        _ => (800, "Clear"),
    };
    let mut reply = json!({"coord": {"lon": place.longitude, "lat": place.latitude},
        "weather": [{"id": id, "main": main, "description": main.to_lowercase(), "icon": "03d"}], "base": "stations",
        "main": {"temp": hundredth(weather.temperature_c), "feels_like": hundredth(apparent(&weather)),
            "pressure": weather.pressure_hpa.round(), "humidity": weather.humidity_pct.round(),
            "grnd_level": (weather.pressure_hpa - 1.0).round()},
        "visibility": 10_000, "wind": {"speed": hundredth(weather.wind_ms), "deg": weather.wind_deg.round()},
        "clouds": {"all": (weather.clouds * 100.0).round()}, "dt": at.0 / 1000, "timezone": 0, "id": 1, "name": "", "cod": 200});
    if weather.rain_mm > 0.0 {
        reply["rain"] = json!({"1h": hundredth(weather.rain_mm)});
    }
    reply
}

/// TomTom's flow segment.
pub fn tomtom(day: Day, place: Position, now: Time) -> Value {
    /// A segment of so many metres.
    const METRES: f64 = 420.0;
    let flow = day.flow(place, floor(now, MINUTE_MS));
    let seconds = |kmh: f64| if kmh > 0.0 { (METRES * 3.6 / kmh).round() } else { 0.0 };
    json!({"flowSegmentData": {"frc": "FRC3", "currentSpeed": flow.current_kmh, "freeFlowSpeed": flow.free_kmh,
        "currentTravelTime": seconds(flow.current_kmh), "freeFlowTravelTime": seconds(flow.free_kmh), "confidence": 0.95,
        "roadClosure": flow.closed, "coordinates": {"coordinate": [{"latitude": place.latitude, "longitude": place.longitude}]},
        "@version": "4"}})
}

/// EIA's hourly `D` and `DF` of a region from `start` on, newest first. Demand is known up to the hour before the last; the
/// forecast reaches to the end of tomorrow.
pub fn eia(day: Day, region: &str, place: Position, start: Time, now: Time, length: usize) -> Value {
    let known = floor(now, HOUR_MS).0 - HOUR_MS;
    let end = floor(now, DAY_MS).0 + 2 * DAY_MS;
    // No more than a year, whatever was asked for.
    let start = floor(start, HOUR_MS).0.clamp(end - 365 * DAY_MS, end);
    let row = |hour: i64, kind: &str, name: &str, value: f64| {
        json!({"period": minute(Time(hour))[..13], "respondent": region, "respondent-name": region, "type": kind, "type-name": name,
            "value": format!("{value:.0}"), "value-units": "megawatthours"})
    };
    let mut rows = Vec::new();
    let hours = (start..end).step_by(HOUR_MS as usize).collect::<Vec<_>>();
    for hour in hours.into_iter().rev() {
        let (demand, forecast) = day.power(region, place, Time(hour));
        if hour < known {
            rows.push(row(hour, "D", "Demand", demand));
        }
        rows.push(row(hour, "DF", "Day-ahead demand forecast", forecast));
    }
    let total = rows.len().to_string();
    rows.truncate(length);
    json!({"response": {"total": total, "dateFormat": "YYYY-MM-DD\"T\"HH24", "frequency": "hourly", "data": rows},
        "apiVersion": "2.1.6"})
}

/// Socrata's rows of a city's 311 calls, newest first, in the city's own time.
pub fn socrata(day: Day, city: &LiveCity, from: DateTime, now: Time, limit: usize) -> Value {
    let clock = city.clock();
    let from =
        clock.to_ambiguous_zoned(from).compatible().map_or(now, |zoned| Time(zoned.timestamp().as_millisecond()));
    // No more than a week, whatever was asked for.
    let from = Time(from.0.clamp(now.0 - 7 * DAY_MS, now.0));
    let rows = day.calls(city, from, now).into_iter().take(limit).map(|call| {
        let created = Timestamp::from_millisecond(call.ts.0).unwrap_or_default();
        let created = clock.to_datetime(created).strftime("%Y-%m-%dT%H:%M:%S.000").to_string();
        let mut row = json!({"unique_key": call.id.to_string(), "created_date": created, "complaint_type": call.complaint.0,
            "descriptor": call.complaint.1, "status": if call.closed { "Closed" } else { "In Progress" }});
        if let Some(position) = call.position {
            row["latitude"] = json!(position.latitude.to_string());
            row["longitude"] = json!(position.longitude.to_string());
        }
        row
    });
    Value::Array(rows.collect())
}

fn floor(at: Time, step: i64) -> Time {
    Time(at.0 - at.0.rem_euclid(step))
}

/// `2026-07-26T23:00`.
fn minute(at: Time) -> String {
    let moment = Timestamp::from_millisecond(at.0).unwrap_or_default();
    TimeZone::UTC.to_datetime(moment).strftime("%Y-%m-%dT%H:%M").to_string()
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// What it feels like: wind chills, damp heat weighs.
fn apparent(weather: &Weather) -> f64 {
    let muggy = (weather.temperature_c - 22.0).max(0.0) * (weather.humidity_pct - 50.0).max(0.0) / 60.0;
    weather.temperature_c - 0.4 * weather.wind_ms + muggy
}

/// The WMO code 4677.
fn code(weather: &Weather) -> i64 {
    match weather.rain_mm {
        rain if rain > 4.0 => 65,
        rain if rain > 1.5 => 63,
        rain if rain > 0.0 => 61,
        _ if weather.clouds > 0.7 => 3,
        _ if weather.clouds > 0.4 => 2,
        _ if weather.clouds > 0.2 => 1,
        _ => 0,
    }
}

/// The US AQI of PM2.5 (µg/m³): EPA's break points of 2024.
fn us_aqi(pm2_5: f64) -> f64 {
    const POINTS: [(f64, f64); 7] =
        [(0.0, 0.0), (9.0, 50.0), (35.4, 100.0), (55.4, 150.0), (125.4, 200.0), (225.4, 300.0), (325.4, 500.0)];
    along(&POINTS, pm2_5)
}

/// The European AQI of PM2.5 (µg/m³): the bands of the European Environment Agency, 20 each.
fn european_aqi(pm2_5: f64) -> f64 {
    const POINTS: [(f64, f64); 6] = [(0.0, 0.0), (10.0, 20.0), (20.0, 40.0), (25.0, 60.0), (50.0, 80.0), (75.0, 100.0)];
    along(&POINTS, pm2_5)
}

/// On straight lines between points; beyond the last, its value.
fn along(points: &[(f64, f64)], x: f64) -> f64 {
    let pair = points.windows(2).find(|pair| x < pair[1].0);
    pair.map_or(points[points.len() - 1].1, |pair| {
        pair[0].1 + (pair[1].1 - pair[0].1) * (x - pair[0].0) / (pair[1].0 - pair[0].0)
    })
}
