//! The settings of City Live.

use std::time::Duration;

use super::{HOUR, Preset, Setting, hidden, open};
use crate::config::{CityLiveRole, field::Field};

/// What a retention that is `off` is: no document is older, and every date of an end has a form.
const TEN_YEARS: Duration = Duration::from_secs(3650 * 24 * 3600);

/// In the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    open(
        "CITY_LIVE",
        "city_live.role",
        Preset::Text("on"),
        "What of City Live runs in this process: `on` is all of it, and web APIs are called from the moment that somebody chose a \
         city; `no-producer` takes in and processes what `citytwin produce` sends from elsewhere, and calls no API; `off` is \
         nothing.",
        Field::Choice {
            of: &["on", "no-producer", "off"],
            set: |c, v| {
                c.city_live.role = match v {
                    "on" => CityLiveRole::On,
                    "no-producer" => CityLiveRole::NoProducer,
                    _ => CityLiveRole::Off,
                }
            },
        },
    ),
    open(
        "CITIES_FILE",
        "city_live.cities_file",
        Preset::None("the cities that come with the program: New York and L'Aquila"),
        "The cities and their zones, as docs/city-live-feeds.md tells.",
        Field::Path { set: |c, v| c.city_live.cities_file = Some(v) },
    ),
    open(
        "CITY_LIVE_SERVER",
        "city_live.server",
        Preset::Text("http://127.0.0.1:8080"),
        "The server whose current city `citytwin produce` follows.",
        Field::Api { set: |c, v| c.city_live.server = v },
    ),
    open(
        "CITY_LIVE_INTERVAL",
        "city_live.interval",
        Preset::Text("45s"),
        "How often the producer looks which APIs are due. Each API has a least interval of its own beside that.",
        Field::Span { min: 100, max: HOUR, set: |c, v| c.city_live.interval = v },
    ),
    open(
        "MAX_ZONES",
        "city_live.max_zones",
        Preset::Text("40"),
        "The most zones of a city that APIs are asked about: the first ones of the catalogue.",
        Field::Whole { min: 1, max: 10_000, set: |c, v| c.city_live.max_zones = v as usize },
    ),
    open(
        "CITY_LIVE_CONCURRENCY",
        "city_live.concurrency",
        Preset::Text("5"),
        "How many zones each API is asked about at a time.",
        Field::Whole { min: 1, max: 100, set: |c, v| c.city_live.concurrency = v as usize },
    ),
    open(
        "CITY_LIVE_PROCESS_INTERVAL",
        "city_live.process_interval",
        Preset::Text("5m"),
        "How often forecasts, risks, advice and alerts of the chosen city are made anew. It calls no API. A city whose last run is older \
         than three of these is stale.",
        Field::Span { min: 1000, max: HOUR, set: |c, v| c.city_live.process_interval = v },
    ),
    open(
        "CITY_LIVE_FEED_RETENTION",
        "city_live.feed_retention",
        Preset::Text("24h"),
        "How long messages stay in `kafka_live_feed`; what is older when it comes, but for 311 calls, is not put there. `off`: \
         ten years.",
        Field::Retention { set: |c, v| c.city_live.feed_retention = v.unwrap_or(TEN_YEARS) },
    ),
    open(
        "CITY_LIVE_HISTORY_RETENTION",
        "city_live.history_retention",
        Preset::Text("30d"),
        "How long hourly features, risk scores and cleared alerts stay; `off`: ten years. Anomalies are told by it, so it should hold \
         some weeks.",
        Field::Retention { set: |c, v| c.city_live.history_retention = v.unwrap_or(TEN_YEARS) },
    ),
    open(
        "CITY_LIVE_RULES",
        "city_live.rules",
        Preset::None("the defaults of docs/city-live.md"),
        "A TOML file with the weights and limits of forecasts, anomalies, risks, advice and alerts, as docs/city-live.md tells.",
        Field::Path { set: |c, v| c.city_live.rules = Some(v) },
    ),
    open(
        "CITY_LIVE_MODELS",
        "city_live.models",
        Preset::None("only the model that comes with the program"),
        "A folder with models (ONNX) and their manifests, beside the model that comes with the program.",
        Field::Path { set: |c, v| c.city_live.models = Some(v) },
    ),
    open(
        "CITY_LIVE_MODEL_URL",
        "city_live.model_url",
        Preset::None("models run in this process"),
        "A service that runs models, as docs/city-live.md tells. Where it fails they run in this process.",
        Field::Api { set: |c, v| c.city_live.model_url = Some(v) },
    ),
    open(
        "CITY_LIVE_MODEL_TIMEOUT",
        "city_live.model_timeout",
        Preset::Text("5s"),
        "How long one call of that service may take.",
        Field::Span { min: 100, max: 60_000, set: |c, v| c.city_live.model_timeout = v },
    ),
    open(
        "GRID_ALERT_MARGIN_PCT",
        "city_live.grid_alert_margin_pct",
        Preset::Text("5"),
        "By how many percent an hour's power demand must be above EIA's own forecast to send a grid alert.",
        Field::Whole { min: 1, max: 1000, set: |c, v| c.city_live.grid_alert_margin_pct = v as u32 },
    ),
    open(
        "OPEN_METEO_URL",
        "city_live.open_meteo_url",
        Preset::Text("https://api.open-meteo.com"),
        "Scheme, host and port of Open-Meteo's weather; the API's path and parameters stay. No key.",
        Field::Api { set: |c, v| c.city_live.open_meteo_url = v },
    ),
    open(
        "OPEN_METEO_AIR_URL",
        "city_live.open_meteo_air_url",
        Preset::Text("https://air-quality-api.open-meteo.com"),
        "Scheme, host and port of Open-Meteo's air quality; the API's path and parameters stay. No key.",
        Field::Api { set: |c, v| c.city_live.open_meteo_air_url = v },
    ),
    open(
        "OPENWEATHER_URL",
        "city_live.openweather_url",
        Preset::Text("https://api.openweathermap.org"),
        "Scheme, host and port of OpenWeather; the API's path and parameters stay.",
        Field::Api { set: |c, v| c.city_live.openweather_url = v },
    ),
    hidden(
        "OPENWEATHER_API_KEY",
        "city_live.openweather_api_key",
        Preset::None("none: weather from OpenWeather is off"),
        "The key of OpenWeather.",
        Field::SecretText { set: |c, v| c.city_live.openweather_api_key = Some(v) },
    ),
    open(
        "TOMTOM_URL",
        "city_live.tomtom_url",
        Preset::Text("https://api.tomtom.com"),
        "Scheme, host and port of TomTom's traffic flow; the API's path and parameters stay.",
        Field::Api { set: |c, v| c.city_live.tomtom_url = v },
    ),
    hidden(
        "TOMTOM_API_KEY",
        "city_live.tomtom_api_key",
        Preset::None("none: traffic is off"),
        "The key of TomTom.",
        Field::SecretText { set: |c, v| c.city_live.tomtom_api_key = Some(v) },
    ),
    open(
        "EIA_URL",
        "city_live.eia_url",
        Preset::Text("https://api.eia.gov"),
        "Scheme, host and port of EIA's API v2; the API's path and parameters stay.",
        Field::Api { set: |c, v| c.city_live.eia_url = v },
    ),
    hidden(
        "EIA_API_KEY",
        "city_live.eia_api_key",
        Preset::None("none: power demand is off"),
        "The key of EIA.",
        Field::SecretText { set: |c, v| c.city_live.eia_api_key = Some(v) },
    ),
    open(
        "SOCRATA_URL",
        "city_live.socrata_url",
        Preset::Text("https://data.cityofnewyork.us"),
        "Scheme, host and port of the open-data portal with the 311 calls; the API's path and parameters stay.",
        Field::Api { set: |c, v| c.city_live.socrata_url = v },
    ),
    hidden(
        "SOCRATA_APP_TOKEN",
        "city_live.socrata_app_token",
        Preset::None("none: the portal's limits for callers without a name hold"),
        "The application token of the open-data portal.",
        Field::SecretText { set: |c, v| c.city_live.socrata_app_token = Some(v) },
    ),
];
