//! Weather from OpenWeather: `GET /data/2.5/weather`, <https://openweathermap.org/current>. With a key.

use reqwest::Url;

use super::{
    Ask, Feed, FeedId, ReadError, Request,
    read::{Place, json},
    request::{degrees, endpoint, with_parameters},
};
use crate::{
    city_live::message::{Message, Payload, Weather},
    config::{CityLiveConfig, ConfigError, Secret},
    twin::time::Time,
};

/// The feed `openweather`.
pub struct OpenWeather {
    url: Url,
    key: Secret,
    source: String,
}

impl OpenWeather {
    /// As the settings have it; `None` without a key.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(config: &CityLiveConfig, simulated: bool) -> Result<Option<Self>, ConfigError> {
        let Some(key) = config.openweather_api_key.clone() else { return Ok(None) };
        let url = endpoint("OPENWEATHER_URL", &config.openweather_url, "/data/2.5/weather")?;
        Ok(Some(Self { url, key, source: FeedId::OpenWeather.source_of(simulated) }))
    }
}

impl Feed for OpenWeather {
    fn id(&self) -> FeedId {
        FeedId::OpenWeather
    }

    fn request(&self, ask: &Ask<'_>) -> Option<Request> {
        let centre = ask.zone?.centre;
        let (latitude, longitude) = (degrees(centre.latitude), degrees(centre.longitude));
        let parameters = [
            ("lat", latitude.as_str()),
            ("lon", &longitude),
            // °C and m/s: the default is Kelvin.
            ("units", "metric"),
            ("appid", self.key.expose()),
        ];
        Some(Request::keyed(with_parameters(&self.url, parameters), &self.key))
    }

    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError> {
        let reply = json(body)?;
        let root = Place::root(&reply);
        let main = root.at("main");
        let at_ground = main.at("grnd_level").optional_number()?;
        let conditions = if root.at("weather").is_there() { root.at("weather").entries()? } else { Vec::new() };
        let code = conditions.first().map(|first| first.at("id").number()).transpose()?;
        let fallen = |kind: &str| root.at(kind).at("1h").optional_number();
        let weather = Weather {
            temperature_c: Some(main.at("temp").number()?),
            apparent_temperature_c: main.at("feels_like").optional_number()?,
            humidity_pct: main.at("humidity").optional_number()?,
            wind_speed_ms: root.at("wind").at("speed").optional_number()?,
            wind_direction_deg: root.at("wind").at("deg").optional_number()?,
            // Rain and snow are told only where there are any.
            precipitation_mm: Some(fallen("rain")?.unwrap_or(0.0) + fallen("snow")?.unwrap_or(0.0)),
            // Without a value for the ground there is the one for sea level.
            pressure_hpa: at_ground.or(main.at("pressure").optional_number()?),
            weather_code: code.and_then(|code| wmo(code as i64)),
            hourly_temperature: Vec::new(),
        };
        let ts = Time((root.at("dt").number()? * 1000.0) as i64);
        Ok(vec![ask.message(ts, &self.source, Payload::Weather(weather))])
    }
}

/// OpenWeather's condition (<https://openweathermap.org/weather-conditions>) as the nearest WMO code 4677.
fn wmo(code: i64) -> Option<i64> {
    Some(match code {
        200..=299 => 95,
        300..=399 => 53,
        500 => 61,
        501 => 63,
        502..=504 => 65,
        511 => 66,
        520 | 521 | 531 => 80,
        522 => 82,
        600 => 71,
        601 => 73,
        602 => 75,
        611..=616 => 67,
        620 | 621 => 85,
        622 => 86,
        700..=799 => 45,
        800 => 0,
        801 => 1,
        802 => 2,
        803 | 804 => 3,
        _ => return None,
    })
}
