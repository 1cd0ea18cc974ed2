//! Every path of the HTTP port, on one page.

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware,
    response::Response,
    routing::{get, post, put},
};
use tokio_util::sync::CancellationToken;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, DefaultPredicate, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
};

use super::{
    api::Api,
    assets,
    auth::{self, Auth},
    background, city_live,
    connections::Connections,
    graphql_http::{self, other_method},
    health::{self, Probe},
    meter,
    problem::{problem, problem_at},
    state::{self, CityImport, StateSource},
};
use crate::{
    city_live::CityLive,
    config::{GraphqlConfig, HttpConfig},
};

/// What the handlers need. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Runs GraphQL requests.
    pub api: Api,
    /// Who may change things, and from where.
    pub auth: Auth,
    /// Limits of bodies.
    pub http: Arc<HttpConfig>,
    /// Limits of sockets and streams.
    pub graphql: Arc<GraphqlConfig>,
    /// Open sockets and streams.
    pub connections: Connections,
    /// What `/api/state` answers.
    pub state: Arc<dyn StateSource>,
    /// Where `PUT /api/city` goes.
    pub city: Arc<dyn CityImport>,
    /// What City Live's paths answer from; `None`: this server runs without it.
    pub city_live: Option<Arc<CityLive>>,
    /// What `/readyz` and `/metrics` answer.
    pub probe: Arc<dyn Probe>,
    /// What `/schema.graphql` answers.
    pub sdl: Arc<str>,
    /// Cancelled when the server goes down: sockets close with 1012, event streams end, connections drain.
    pub shutdown: CancellationToken,
}

/// The routes by which requests are counted; the web pages and what is not there are `other`.
const COUNTED: &[&str] = &[
    "/graphql",
    "/graphql/ws",
    "/schema.graphql",
    "/api/state",
    "/api/state/deltas",
    "/api/city",
    "/api/city/current",
    "/api/city/select/{id}",
    "/api/city/process/from-kafka",
    "/api/city/{id}/zones",
    "/api/city/{id}/zones/{zone}",
    "/api/city/{id}/alerts",
    "/api/live-stream",
    "/healthz",
    "/readyz",
    "/metrics",
];

/// The route table.
pub fn router(state: AppState) -> Router {
    let cross_origin = middleware::from_fn_with_state(state.auth.clone(), auth::cross_origin);
    let api = Router::new()
        .route("/graphql", get(graphql_http::get).post(graphql_http::post).fallback(other_method))
        .route("/graphql/ws", get(graphql_http::get_socket).fallback(other_method))
        .route("/schema.graphql", get(health::schema).fallback(other_method))
        .route("/api/state", get(state::current).fallback(other_method))
        .route("/api/state/deltas", get(state::deltas).fallback(other_method))
        .route("/api/city", put(state::import).fallback(other_method))
        .route("/api/city/current", get(city_live::current).fallback(city_live::other_method))
        .route("/api/city/select/{id}", post(city_live::select).fallback(city_live::other_method))
        .route("/api/city/process/from-kafka", post(city_live::process).fallback(city_live::other_method))
        .route("/api/city/{id}/zones", get(city_live::zones).fallback(city_live::other_method))
        .route("/api/city/{id}/zones/{zone}", get(city_live::zone).fallback(city_live::other_method))
        .route("/api/city/{id}/alerts", get(city_live::alerts).fallback(city_live::other_method))
        .route("/api/live-stream", get(city_live::live_stream).fallback(city_live::other_method))
        .layer(cross_origin);
    let operations = Router::new()
        .route("/healthz", get(health::healthz).fallback(other_method))
        .route("/readyz", get(health::readyz).fallback(other_method))
        .route("/metrics", get(health::metrics).fallback(other_method));
    api.merge(operations)
        .merge(assets::routes(&state.http))
        .merge(background::routes(&state.http))
        .fallback(not_found)
        .layer(
            // Level 1: the state of a city shrinks to a tenth with it, at a fifth of the CPU of the default.
            CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(compressible()),
        )
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a handler panicked");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "internal error")
        }))
        .layer(middleware::from_fn(|request, next| meter::http(COUNTED, request, next)))
        .with_state(state)
}

/// Everything but event streams, images and answers that fit one packet anyway.
fn compressible() -> impl Predicate {
    DefaultPredicate::new().and(SizeAbove::new(860)).and(NotForContentType::new("text/event-stream"))
}

async fn not_found(request: Request) -> Response {
    let text = format!("there is nothing at {}", request.uri().path());
    problem_at(request.uri(), StatusCode::NOT_FOUND, "NOT_FOUND", text)
}
