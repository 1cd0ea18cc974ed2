//! `/healthz`, `/readyz`, `/metrics` and `/schema.graphql`.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{AppState, problem::with_type};

/// What the process says about itself; the app gives the one implementation that asks every subsystem.
pub trait Probe: Send + Sync + 'static {
    /// Whether this instance may be sent readers, and what does not work.
    fn readiness(&self) -> Readiness;
    /// All metrics in the Prometheus text format.
    fn metrics(&self) -> String;
}

/// The body of `/readyz`.
#[derive(Clone, Debug, Serialize)]
pub struct Readiness {
    /// 200 or 503.
    pub ready: bool,
    /// What this instance is to the city.
    pub role: Role,
    /// The epoch of the chain that this instance serves; `null` before it knows one.
    pub epoch: Option<u64>,
    /// What does not work; empty where all is well.
    pub degraded: Vec<Degraded>,
}

/// The one instance that writes, or another that only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Flushes, publishes, dead-letters and takes imports.
    Writer,
    /// Serves readers.
    Replica,
}

/// One thing that does not work.
#[derive(Clone, Debug, Serialize)]
pub struct Degraded {
    /// Which part: `kafka`, `store`, a topic.
    pub what: String,
    /// How bad it is.
    pub state: DegradedState,
    /// Since when: RFC 3339, UTC.
    pub since: String,
    /// For a person.
    pub message: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DegradedState {
    /// Cannot be reached or refuses.
    Down,
    /// Works, but later than it should.
    Behind,
    /// Something is gone for good.
    Lost,
    /// Waits on purpose.
    Paused,
}

/// Answers as long as the process can.
pub(super) async fn healthz() -> Response {
    with_type(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
}

/// 200 or 503, with the reasons.
pub(super) async fn readyz(State(app): State<AppState>) -> Response {
    let readiness = app.probe.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response = (status, Json(readiness)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The Prometheus text format, version 0.0.4.
pub(super) async fn metrics(State(app): State<AppState>) -> Response {
    with_type(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", app.probe.metrics())
}

/// The schema as a person reads it.
pub(super) async fn schema(State(app): State<AppState>) -> Response {
    with_type(StatusCode::OK, "application/graphql; charset=utf-8", app.sdl.to_string())
}
