//! What the port counts about itself. The names stand in `telemetry`; labels never hold what a stranger made up.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Instant,
};

use async_graphql::parser::types::OperationType;
use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};
use metrics::Gauge;

use super::api::Outcome;
use crate::telemetry::{self, GraphqlOutcome, Operation};

/// Something that runs: in its gauge until it is dropped.
pub(super) struct Running(Gauge);

impl Running {
    /// Counts one more.
    pub(super) fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Several that count as one as long as any of them runs: the subscriptions of one socket are one subscriber.
#[derive(Clone, Default)]
pub(super) struct RunningTogether(Arc<Mutex<Weak<Running>>>);

impl RunningTogether {
    /// One more, counted if it is the first.
    pub(super) fn enter(&self, gauge: impl FnOnce() -> Gauge) -> Arc<Running> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let first = Arc::new(Running::new(gauge()));
            *shared = Arc::downgrade(&first);
            first
        })
    }
}

/// Counts a GraphQL request; a subscription when it has its first result.
pub(super) fn graphql(kind: OperationType, outcome: Outcome, has_errors: bool, since: Instant) {
    let operation = match kind {
        OperationType::Query => Operation::Query,
        OperationType::Mutation => Operation::Mutation,
        OperationType::Subscription => Operation::Subscription,
    };
    let outcome = match outcome {
        Outcome::Refused => GraphqlOutcome::Refused,
        Outcome::TimedOut => GraphqlOutcome::Error,
        Outcome::Ran if has_errors => GraphqlOutcome::Error,
        Outcome::Ran => GraphqlOutcome::Ok,
    };
    telemetry::graphql_requests(operation, outcome).increment(1);
    telemetry::graphql_seconds(operation).record(since.elapsed().as_secs_f64());
}

/// Counts a GraphQL request that was refused before its operation was known: as a query, which most are.
pub(super) fn graphql_refused() {
    telemetry::graphql_requests(Operation::Query, GraphqlOutcome::Refused).increment(1);
}

/// Counts HTTP requests and their time until the head of the answer. Paths outside of `routes` (the web pages, and what
/// is not there) are `other`.
pub(super) async fn http(routes: &'static [&'static str], request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = routes.iter().find(|route| Some(**route) == path).copied().unwrap_or("other");
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let start = Instant::now();
    let response = next.run(request).await;
    telemetry::http_requests(route, method, response.status().as_u16()).increment(1);
    telemetry::http_seconds(route).record(start.elapsed().as_secs_f64());
    response
}
