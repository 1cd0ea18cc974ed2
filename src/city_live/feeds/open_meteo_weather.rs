//! Weather from Open-Meteo: `GET /v1/forecast`, <https://open-meteo.com/en/docs>. No key.

use reqwest::Url;

use super::{
    Ask, Feed, FeedId, ReadError, Request,
    open_meteo::{Current, Unit},
    read::{Place, json, utc},
    request::{degrees, endpoint, with_parameters},
};
use crate::{
    city_live::{
        clock::{hour_number, hour_start},
        message::{HourValue, Message, Payload, Weather},
    },
    config::{CityLiveConfig, ConfigError},
    twin::time::Time,
};

/// Ten variables: a call with more counts as several.
const CURRENT: &str = "temperature_2m,relative_humidity_2m,apparent_temperature,precipitation,weather_code,\
                       wind_speed_10m,wind_direction_10m,surface_pressure";
const HOURLY: &str = "temperature_2m,precipitation";

/// The most hours of temperature that a message carries.
const HOURS: usize = 48;

/// The feed `open-meteo-weather`.
pub struct OpenMeteoWeather {
    url: Url,
    source: String,
}

impl OpenMeteoWeather {
    /// As the settings have it.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(config: &CityLiveConfig, simulated: bool) -> Result<Self, ConfigError> {
        let url = endpoint("OPEN_METEO_URL", &config.open_meteo_url, "/v1/forecast")?;
        Ok(Self { url, source: FeedId::OpenMeteoWeather.source_of(simulated) })
    }
}

impl Feed for OpenMeteoWeather {
    fn id(&self) -> FeedId {
        FeedId::OpenMeteoWeather
    }

    fn request(&self, ask: &Ask<'_>) -> Option<Request> {
        let centre = ask.zone?.centre;
        let (latitude, longitude) = (degrees(centre.latitude), degrees(centre.longitude));
        Some(Request::new(with_parameters(
            &self.url,
            [
                ("latitude", latitude.as_str()),
                ("longitude", &longitude),
                ("current", CURRENT),
                ("hourly", HOURLY),
                ("wind_speed_unit", "ms"),
                ("timezone", "GMT"),
                ("forecast_days", "3"),
            ],
        )))
    }

    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError> {
        let reply = json(body)?;
        let root = Place::root(&reply);
        let now = Current::of(&root)?;
        let temperatures = hourly(&root, "temperature_2m", &Unit::CELSIUS, now.offset_s)?;
        let rain = hourly(&root, "precipitation", &Unit::MILLIMETRES, now.offset_s)?;
        let this_hour = hour_start(hour_number(now.ts));
        // An hour's value is the sum of the hour before it; that of `current` is of its own, shorter, interval.
        let hour_before = rain.iter().find(|hour| hour.ts == this_hour).map(|hour| hour.value);
        let weather = Weather {
            temperature_c: now.must("temperature_2m", &Unit::CELSIUS)?,
            apparent_temperature_c: now.get("apparent_temperature", &Unit::CELSIUS)?,
            humidity_pct: now.get("relative_humidity_2m", &Unit::PERCENT)?,
            wind_speed_ms: now.get("wind_speed_10m", &Unit::METRES_A_SECOND)?,
            wind_direction_deg: now.get("wind_direction_10m", &Unit::DEGREES)?,
            precipitation_mm: hour_before.or(now.get("precipitation", &Unit::MILLIMETRES)?),
            pressure_hpa: now.get("surface_pressure", &Unit::HECTOPASCALS)?,
            weather_code: now.get("weather_code", &Unit::BARE)?.map(|code| code as i64),
            hourly_temperature: temperatures.into_iter().filter(|hour| hour.ts >= this_hour).take(HOURS).collect(),
        };
        Ok(vec![ask.message(now.ts, &self.source, Payload::Weather(weather))])
    }
}

/// A series of the block `hourly`, ascending, hours without a value left out; empty where the reply has none.
fn hourly(root: &Place<'_>, variable: &str, unit: &Unit, offset_s: f64) -> Result<Vec<HourValue>, ReadError> {
    let block = root.at("hourly");
    if !block.at(variable).is_there() {
        return Ok(Vec::new());
    }
    let (times, values) = (block.at("time").entries()?, block.at(variable).entries()?);
    if times.len() != values.len() {
        return Err(block.at(variable).refuse("as many values as hourly.time has"));
    }
    let unit_name = root.at("hourly_units").at(variable);
    let mut series = Vec::with_capacity(values.len());
    for (time, value) in times.iter().zip(&values) {
        let ts: Time = utc(time.local_time()?, offset_s);
        if let Some(value) = value.optional_number()? {
            series.push(HourValue { ts, value: unit.convert(&unit_name, value)? });
        }
    }
    series.sort_by_key(|hour| hour.ts);
    Ok(series)
}
