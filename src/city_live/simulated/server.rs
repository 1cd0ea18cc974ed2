//! The simulated APIs as an HTTP server on loopback.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    answers,
    day::Day,
    faults::{Fault, fault},
};
use crate::{
    city_live::{catalogue::Catalogue, clock::now},
    config::{CityLiveConfig, Secret},
    twin::{geo::Position, time::Time},
};

/// How the simulated APIs behave.
#[derive(Clone, Debug)]
pub struct SimulatedOptions {
    /// Where chance begins: the same seed has the same weather.
    pub seed: u64,
    /// Whether a request fails now and then.
    pub faults: bool,
    /// How long each answer takes.
    pub delay: Duration,
}

/// All simulated APIs on one loopback port. They end when this is dropped.
pub struct Simulated {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    _stop: DropGuard,
}

struct Served {
    options: SimulatedOptions,
    catalogue: Arc<Catalogue>,
    requests: Arc<AtomicU64>,
}

type Parameters = Query<Vec<(String, String)>>;

impl Simulated {
    /// Serves the cities of this catalogue on a free port.
    ///
    /// # Errors
    /// Where no loopback port can be had.
    pub async fn start(options: SimulatedOptions, catalogue: Arc<Catalogue>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let requests = Arc::<AtomicU64>::default();
        let served = Arc::new(Served { options, catalogue, requests: Arc::clone(&requests) });
        let router = Router::new()
            .route("/v1/forecast", get(weather))
            .route("/v1/air-quality", get(air))
            .route("/data/2.5/weather", get(openweather))
            .route("/traffic/services/4/flowSegmentData/absolute/10/json", get(traffic))
            .route("/v2/electricity/rto/region-data/data/", get(power))
            .route("/resource/{file}", get(calls))
            .layer(middleware::from_fn_with_state(Arc::clone(&served), trouble))
            .with_state(served);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "the simulated APIs ended");
            }
        });
        Ok(Self { address, requests, _stop: stop.drop_guard() })
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came in.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Points all API settings here, with made-up keys, so that every feed is on. Whoever does this gives the producer
    /// `simulated: true`.
    pub fn redirect(&self, config: &mut CityLiveConfig) {
        let key = || Some(Secret::new("simulated"));
        for url in [
            &mut config.open_meteo_url,
            &mut config.open_meteo_air_url,
            &mut config.openweather_url,
            &mut config.tomtom_url,
            &mut config.eia_url,
            &mut config.socrata_url,
        ] {
            *url = self.url();
        }
        config.openweather_api_key = key();
        config.tomtom_api_key = key();
        config.eia_api_key = key();
        config.socrata_app_token = key();
    }
}

/// Counts a request, takes its time, and lets some fail.
async fn trouble(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    let number = served.requests.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(served.options.delay).await;
    match fault(served.options.seed, number).filter(|_| served.options.faults) {
        Some(Fault::TooMany) => {
            let body = json!({"error": true, "reason": "Minutely API request limit exceeded. Please try again in one minute."});
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], axum::Json(body)).into_response()
        }
        Some(Fault::Internal) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response(),
        None => next.run(request).await,
    }
}

async fn weather(State(served): State<Arc<Served>>, headers: HeaderMap, Query(asked): Parameters) -> Response {
    match place(&asked, "latitude", "longitude") {
        Some(place) => versioned(&headers, &answers::open_meteo_weather(served.day(), place, now())),
        None => open_meteo_error(),
    }
}

async fn air(State(served): State<Arc<Served>>, headers: HeaderMap, Query(asked): Parameters) -> Response {
    match place(&asked, "latitude", "longitude") {
        Some(place) => versioned(&headers, &answers::open_meteo_air(served.day(), place, now())),
        None => open_meteo_error(),
    }
}

fn open_meteo_error() -> Response {
    let body =
        json!({"error": true, "reason": "Parameter 'latitude' and 'longitude' must have the same number of elements"});
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

async fn openweather(State(served): State<Arc<Served>>, Query(asked): Parameters) -> Response {
    if value(&asked, "appid").is_none_or(str::is_empty) {
        let body = json!({"cod": 401, "message": "Invalid API key."});
        return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
    }
    match place(&asked, "lat", "lon") {
        Some(place) => axum::Json(answers::openweather(served.day(), place, now())).into_response(),
        None => (StatusCode::BAD_REQUEST, axum::Json(json!({"cod": "400", "message": "Nothing to geocode"})))
            .into_response(),
    }
}

async fn traffic(State(served): State<Arc<Served>>, Query(asked): Parameters) -> Response {
    if value(&asked, "key").is_none_or(str::is_empty) {
        return (StatusCode::FORBIDDEN, "<h1>Developer Inactive</h1>").into_response();
    }
    let point = value(&asked, "point").and_then(|point| point.split_once(','));
    match point.and_then(|(latitude, longitude)| position(latitude, longitude)) {
        Some(place) => axum::Json(answers::tomtom(served.day(), place, now())).into_response(),
        None => (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "Invalid point"}))).into_response(),
    }
}

async fn power(State(served): State<Arc<Served>>, headers: HeaderMap, Query(asked): Parameters) -> Response {
    if value(&asked, "api_key").is_none_or(str::is_empty) {
        let body = json!({"error": {"code": "API_KEY_MISSING", "message": "No api_key was supplied."}});
        return (StatusCode::FORBIDDEN, axum::Json(body)).into_response();
    }
    let region = value(&asked, "facets[respondent][]").unwrap_or_default();
    let city = served.catalogue.cities.iter().find(|city| city.eia_region.as_deref() == Some(region));
    let start = value(&asked, "start").and_then(|start| Time::parse(&format!("{start}:00:00Z")));
    let (Some(city), Some(start)) = (city, start) else {
        let body = json!({"response": {"total": "0", "frequency": "hourly", "data": []}});
        return axum::Json(body).into_response();
    };
    let length = value(&asked, "length").and_then(|length| length.parse().ok()).unwrap_or(5000).min(5000);
    let place = city.zones.first().map_or(Position { latitude: 0.0, longitude: 0.0 }, |zone| zone.centre);
    versioned(&headers, &answers::eia(served.day(), region, place, start, now(), length))
}

async fn calls(State(served): State<Arc<Served>>, Path(file): Path<String>, Query(asked): Parameters) -> Response {
    let dataset = file.strip_suffix(".json").unwrap_or_default();
    let holds = |dataset: &str| {
        served.catalogue.cities.iter().find(|city| city.calls311.as_ref().is_some_and(|calls| calls.dataset == dataset))
    };
    let Some(city) = holds(dataset) else {
        let body = json!({"code": "dataset.missing", "error": true, "message": "Not found"});
        return (StatusCode::NOT_FOUND, axum::Json(body)).into_response();
    };
    let condition =
        value(&asked, "$where").and_then(|condition| condition.strip_prefix("created_date >= '")?.strip_suffix('\''));
    let Some(from) = condition.and_then(|from| from.parse().ok()) else {
        let body = json!({"code": "query.compiler.malformed", "error": true, "message": "Could not parse SoQL query"});
        return (StatusCode::BAD_REQUEST, axum::Json(body)).into_response();
    };
    // Socrata's own default.
    let limit = value(&asked, "$limit").and_then(|limit| limit.parse().ok()).unwrap_or(1000);
    axum::Json(answers::socrata(served.day(), city, from, now(), limit)).into_response()
}

impl Served {
    fn day(&self) -> Day {
        Day { seed: self.options.seed }
    }
}

fn value<'a>(asked: &'a [(String, String)], name: &str) -> Option<&'a str> {
    asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn place(asked: &[(String, String)], latitude: &str, longitude: &str) -> Option<Position> {
    position(value(asked, latitude)?, value(asked, longitude)?)
}

fn position(latitude: &str, longitude: &str) -> Option<Position> {
    let degrees = |text: &str, most: f64| text.trim().parse().ok().filter(|value: &f64| value.abs() <= most);
    Some(Position { latitude: degrees(latitude, 90.0)?, longitude: degrees(longitude, 180.0)? })
}

/// The answer with its `ETag`, or 304 where the asker has it.
fn versioned(headers: &HeaderMap, answer: &Value) -> Response {
    let body = answer.to_string();
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let etag = format!("\"{:016x}\"", hasher.finish());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let kind = (header::CONTENT_TYPE, "application/json".to_owned());
    (StatusCode::OK, [(header::ETAG, etag), kind], body).into_response()
}
