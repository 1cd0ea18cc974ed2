//! Each feed against a server that answers as it is told: real sockets, small bounds.

mod calls;
mod readings;
mod scripted;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    city_live::{catalogue::Catalogue, message::Payload, samples::with_tls},
    config::{CityLiveConfig, Config, Secret},
};

/// A city in New York's time zone with one square zone.
fn town() -> Catalogue {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cities.toml");
    let text = "[[cities]]\nid = \"town\"\nname = \"Town\"\ntime_zone = \"America/New_York\"\neia_region = \"TOWN\"\n\
                calls311 = \"abcd-1234\"\n[[cities.zones]]\nid = \"square\"\nname = \"Square\"\n\
                polygon = [[40.70, -74.00], [40.70, -73.90], [40.80, -73.90], [40.80, -74.00]]";
    std::fs::write(&file, text).expect("written");
    Catalogue::load(Some(&file)).expect("accepted")
}

fn ask(catalogue: &Catalogue) -> Ask<'_> {
    let city = &catalogue.cities[0];
    let now = Time::parse("2026-07-27T12:34:56Z").expect("a time");
    Ask { city, zone: city.zones.first(), now, since: None }
}

fn ask_for(feed: FeedId, catalogue: &Catalogue) -> Ask<'_> {
    let ask = ask(catalogue);
    Ask { zone: ask.zone.filter(|_| feed.scope() == Scope::Zone), ..ask }
}

/// All feeds on, all at one address.
fn config(url: &str) -> CityLiveConfig {
    let mut config = Config::defaults().city_live;
    for setting in [
        &mut config.open_meteo_url,
        &mut config.open_meteo_air_url,
        &mut config.openweather_url,
        &mut config.tomtom_url,
        &mut config.eia_url,
        &mut config.socrata_url,
    ] {
        url.clone_into(setting);
    }
    config.openweather_api_key = Some(Secret::new("hunter2"));
    config.tomtom_api_key = Some(Secret::new("hunter2"));
    config.eia_api_key = Some(Secret::new("hunter2"));
    config.socrata_app_token = Some(Secret::new("hunter2"));
    config
}

fn feed(id: FeedId, url: &str) -> Arc<dyn Feed> {
    let feeds = switched_on(&config(url), false).expect("they can be made");
    feeds.into_iter().find(|feed| feed.id() == id).expect("it is on")
}

/// Small bounds, so that nothing takes long.
fn limits() -> Limits {
    Limits {
        timeout: Duration::from_millis(400),
        attempts: 3,
        backoff: (Duration::from_millis(5), Duration::from_millis(20)),
        patience: Duration::from_secs(3),
        max_body: 64 << 10,
        cache: 1 << 20,
    }
}

/// A made-up reply of each API's form.
fn sample(id: FeedId) -> Value {
    match id {
        FeedId::OpenMeteoWeather => json!({"latitude": 40.75, "longitude": -73.95, "utc_offset_seconds": 0,
            "current_units": {"time": "iso8601", "temperature_2m": "°C", "wind_speed_10m": "m/s", "precipitation": "mm"},
            "current": {"time": "2026-07-27T12:30", "interval": 900, "temperature_2m": 28.4, "relative_humidity_2m": 61,
                "apparent_temperature": 31.0, "precipitation": 0.1, "weather_code": 61, "wind_speed_10m": 3.2,
                "wind_direction_10m": 200, "surface_pressure": 1009.5},
            "hourly_units": {"temperature_2m": "°C", "precipitation": "mm"},
            "hourly": {"time": ["2026-07-27T11:00", "2026-07-27T12:00", "2026-07-27T13:00", "2026-07-27T14:00"],
                "temperature_2m": [27.0, 28.0, 29.0, null], "precipitation": [0.0, 0.7, 0.2, 0.0]}}),
        FeedId::OpenMeteoAir => json!({"latitude": 40.75, "longitude": -73.95, "utc_offset_seconds": 0,
            "current_units": {"pm2_5": "μg/m³", "us_aqi": "USAQI"},
            "current": {"time": "2026-07-27T12:00", "interval": 3600, "us_aqi": 65, "european_aqi": 44, "pm2_5": 22.1, "pm10": 28.2,
                "nitrogen_dioxide": 11.2, "ozone": 42.0, "sulphur_dioxide": 2.5, "carbon_monoxide": 229.0}}),
        FeedId::OpenWeather => {
            json!({"weather": [{"id": 501, "main": "Rain"}], "main": {"temp": 28.4, "feels_like": 31.0,
            "pressure": 1010, "grnd_level": 1008, "humidity": 61}, "wind": {"speed": 3.2, "deg": 200}, "rain": {"1h": 0.7},
            "dt": 1_785_155_400, "cod": 200})
        }
        FeedId::TomTom => {
            json!({"flowSegmentData": {"frc": "FRC1", "currentSpeed": 18, "freeFlowSpeed": 45, "currentTravelTime": 80,
            "freeFlowTravelTime": 32, "confidence": 0.9, "roadClosure": false, "coordinates": {"coordinate": []}}})
        }
        FeedId::Eia => json!({"response": {"total": "4", "data": [
            {"period": "2026-07-27T11", "respondent": "TOWN", "type": "D", "value": "19000", "value-units": "megawatthours"},
            {"period": "2026-07-27T11", "respondent": "TOWN", "type": "DF", "value": "17500", "value-units": "megawatthours"},
            {"period": "2026-07-27T10", "respondent": "TOWN", "type": "D", "value": "18500", "value-units": "megawatthours"},
            {"period": "2026-07-27T11", "respondent": "ELSE", "type": "D", "value": "1", "value-units": "megawatthours"}]}}),
        FeedId::Socrata => json!([
            {"unique_key": "2", "created_date": "2026-07-27T08:00:00.000", "complaint_type": "Street Condition", "status": "Open"},
            {"unique_key": "1", "created_date": "2026-07-26T21:03:35.000", "complaint_type": "Noise - Residential",
                "descriptor": "Loud Music/Party", "status": "Closed", "latitude": "40.75", "longitude": "-73.95"}]),
    }
}

fn only(messages: &[Message]) -> &Message {
    assert_eq!(messages.len(), 1, "{messages:?}");
    &messages[0]
}

fn weather(message: &Message) -> &crate::city_live::message::Weather {
    match &message.payload {
        Payload::Weather(weather) => weather,
        other => panic!("no weather: {other:?}"),
    }
}
