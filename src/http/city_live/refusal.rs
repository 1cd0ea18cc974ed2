//! Errors of City Live's paths: `{"error": {"code", "message"}}`.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{
    city_live::{CityLive, OperationError, archive::ArchiveError},
    http::problem::city_live_problem,
    twin::json::cut,
};

/// An answer, or the error to answer with.
pub type Answer = Result<Response, Refusal>;

/// Why a request is not answered: `{"error": {"code", "message"}}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// A parameter that cannot be meant: its name, its value and what is accepted.
    pub fn parameter(name: &str, value: &str, accepted: &str) -> Self {
        let message = format!("`{name}` is {:?}; accepted: {accepted}", cut(value, 80));
        Self::new(StatusCode::BAD_REQUEST, "BAD_PARAMETER", message)
    }

    pub fn unknown_city(live: &CityLive, id: &str) -> Self {
        let known: Vec<_> = live.cities().iter().map(|city| city.id.as_str()).collect();
        let message = format!("the catalogue has no city {:?}; it has {}", cut(id, 80), known.join(", "));
        Self::new(StatusCode::NOT_FOUND, "UNKNOWN_CITY", message)
    }

    pub fn none_chosen() -> Self {
        let message = "no city was chosen yet: POST /api/city/select/{id} chooses one";
        Self::new(StatusCode::NOT_FOUND, "NO_CITY", message)
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let mut response = city_live_problem(refusal.status, refusal.code, refusal.message);
        let headers = response.headers_mut();
        match refusal.status {
            StatusCode::UNAUTHORIZED => {
                drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            }
            StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        response
    }
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Self {
        Self::from(&error)
    }
}

impl From<Arc<ArchiveError>> for Refusal {
    fn from(error: Arc<ArchiveError>) -> Self {
        Self::from(&*error)
    }
}

impl From<&ArchiveError> for Refusal {
    fn from(error: &ArchiveError) -> Self {
        let (status, code) = match error {
            ArchiveError::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "CITY_LIVE_DOWN"),
            ArchiveError::Fenced => (StatusCode::SERVICE_UNAVAILABLE, "NOT_WRITER"),
            ArchiveError::Foreign { .. } | ArchiveError::Setting { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR")
            }
        };
        Self::new(status, code, error.to_string())
    }
}

impl Refusal {
    /// Why City Live did not do what it was asked.
    pub fn operation(live: &CityLive, error: &OperationError) -> Self {
        match error {
            OperationError::UnknownCity { id } => Self::unknown_city(live, id),
            OperationError::NoCity => Self::none_chosen(),
            OperationError::NotRunner => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "NOT_WRITER", "another instance runs City Live")
            }
            OperationError::Archive(error) => Self::from(error),
        }
    }
}
