//! `/api/state`, `/api/state/deltas` and `PUT /api/city`: the HTTP side. What is answered comes from a [`StateSource`]
//! and a [`CityImport`].

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    AppState,
    graphql_http::read_body,
    media::Media,
    problem::{problem, with_type},
};
use crate::graphql::caller::Caller;

const TIMESTAMP: HeaderName = HeaderName::from_static("citytwin-state-timestamp");
const EPOCH: HeaderName = HeaderName::from_static("citytwin-epoch");
const JSON: &str = Media::Json.content_type();
/// How long a client may take to send a city file: 64 MB over a slow line.
const CITY_TIMEOUT: Duration = Duration::from_secs(300);

/// Where the published state comes from.
pub trait StateSource: Send + Sync + 'static {
    /// The state of the last acknowledged boundary (a replica: the last full); `None` before there is one.
    fn current(&self) -> Option<StateAnswer>;
    /// The incrementals after the boundary of this time.
    fn deltas_since(&self, timestamp_ms: i64) -> DeltasAnswer;
}

/// One published state.
#[derive(Clone, Debug)]
pub struct StateAnswer {
    /// The body, as in `state.full`.
    pub json: Bytes,
    /// The boundary's time as the JSON has it.
    pub timestamp: String,
    /// The same in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The chain's epoch.
    pub epoch: u64,
}

/// What follows a boundary.
#[derive(Clone, Debug)]
pub enum DeltasAnswer {
    /// `{epoch, timestamp, deltas}`, ready.
    Deltas(Bytes),
    /// The time names no boundary of this epoch that is still held: 410.
    Gone,
    /// There is no boundary yet: 503.
    NotReady,
}

/// What takes a city file.
pub trait CityImport: Send + Sync + 'static {
    /// Replaces the city's model by this file; answers after the flush that holds it.
    fn import(&self, file: Bytes) -> BoxFuture<'static, ImportAnswer>;
}

/// What became of an import.
#[derive(Clone, Debug)]
pub enum ImportAnswer {
    /// It is in the store: the body, with counts.
    Imported(Value),
    /// The file is of another city.
    OtherCity(String),
    /// The file has errors; nothing changed.
    Invalid(Vec<ImportError>),
    /// This instance is a replica: the writer's address.
    Replica(Option<String>),
    /// The import cannot be done now, and why.
    Unavailable(String),
}

/// One error of a city file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportError {
    /// Where: `districts.2.sensors.0.latitude`.
    pub path: String,
    /// What is wrong and what is accepted.
    pub message: String,
}

/// `GET /api/state`.
pub(super) async fn current(State(app): State<AppState>, headers: HeaderMap) -> Response {
    let Some(state) = app.state.current() else { return not_ready() };
    let etag = format!("W/\"{}-{}\"", state.epoch, state.timestamp_ms);
    let mut response = if matches(&headers, &etag) {
        with_type(StatusCode::NOT_MODIFIED, JSON, ())
    } else {
        with_type(StatusCode::OK, JSON, state.json)
    };
    let headers = response.headers_mut();
    let fields = [(header::ETAG, etag), (TIMESTAMP, state.timestamp), (EPOCH, state.epoch.to_string())];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    // It may be kept, but asked for each time: the ETag makes that cheap.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// `GET /api/state/deltas?since=T`.
pub(super) async fn deltas(State(app): State<AppState>, request: Request) -> Response {
    let timestamp = match since(request.uri().query().unwrap_or_default()) {
        Ok(timestamp) => timestamp,
        Err(text) => return problem(StatusCode::BAD_REQUEST, "BAD_TIME", text),
    };
    match app.state.deltas_since(timestamp.as_millisecond()) {
        // A boundary has whole milliseconds: anything finer names none.
        DeltasAnswer::Deltas(body) if timestamp.subsec_nanosecond() % 1_000_000 == 0 => {
            let mut response = with_type(StatusCode::OK, JSON, body);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        DeltasAnswer::Deltas(_) | DeltasAnswer::Gone => {
            let text = "`since` is no boundary of this epoch that is still held: take /api/state and go on from there";
            problem(StatusCode::GONE, "GONE", text)
        }
        DeltasAnswer::NotReady => not_ready(),
    }
}

/// `PUT /api/city`. Authorisation comes before the body.
pub(super) async fn import(State(app): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refused) = refuse(&app.auth.caller(&parts)) {
        return refused;
    }
    if !is_json(&parts) {
        let text = "a city file is application/json";
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", text);
    }
    let body = match read_body(&parts, body, app.http.max_city_bytes, CITY_TIMEOUT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    // It goes on when the client hangs up: half an import would be worse than an unanswered one.
    match tokio::spawn(app.city.import(body)).await {
        Ok(answer) => imported(answer),
        Err(error) => {
            tracing::error!(%error, "an import failed");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "internal error")
        }
    }
}

/// 401 or 403 for who may not change anything.
pub(super) fn refuse(caller: &Caller) -> Option<Response> {
    let reason = caller.refusal()?;
    let code = caller.refusal_code();
    if code == "FORBIDDEN" {
        return Some(problem(StatusCode::FORBIDDEN, code, reason));
    }
    let mut response = problem(StatusCode::UNAUTHORIZED, code, reason);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Some(response)
}

fn imported(answer: ImportAnswer) -> Response {
    match answer {
        ImportAnswer::Imported(counts) => with_type(StatusCode::OK, JSON, counts.to_string()),
        ImportAnswer::OtherCity(text) => problem(StatusCode::CONFLICT, "OTHER_CITY", text),
        ImportAnswer::Invalid(errors) => {
            with_type(StatusCode::UNPROCESSABLE_ENTITY, JSON, json!({ "errors": errors }).to_string())
        }
        ImportAnswer::Replica(writer) => {
            let detail = "this instance is a replica: send the file to the writer";
            let body = json!({
                "status": 503, "title": "Service Unavailable", "code": "REPLICA", "detail": detail, "writer": writer,
            });
            retry(with_type(StatusCode::SERVICE_UNAVAILABLE, "application/problem+json", body.to_string()))
        }
        ImportAnswer::Unavailable(text) => retry(problem(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", text)),
    }
}

fn not_ready() -> Response {
    let text = "nothing is published yet: the city is being loaded or catches up";
    retry(problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", text))
}

fn retry(mut response: Response) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Whether `If-None-Match` names this tag, compared weakly (RFC 9110, section 13.1.2).
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

/// The time in `since`. A `+` stays one here: it is a zone's sign that someone forgot to encode.
fn since(query: &str) -> Result<jiff::Timestamp, String> {
    let sent = query.split('&').find_map(|pair| pair.strip_prefix("since=")).unwrap_or_default();
    let text = percent_encoding::percent_decode_str(sent).decode_utf8_lossy();
    if !text.contains(['T', 't']) {
        return Err(format!("`since` is `{text}`: a time like 2026-01-05T00:00:00.000Z is needed"));
    }
    text.parse()
        .map_err(|error| format!("`since` is `{text}`: {error}; a time like 2026-01-05T00:00:00.000Z is needed"))
}

/// `application/json` or `…+json`; nothing said counts as JSON, so that `curl -T` works.
fn is_json(parts: &Parts) -> bool {
    let Some(sent) = parts.headers.get(header::CONTENT_TYPE) else { return true };
    let name = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || name.ends_with("+json")
}
