//! Answers that say what is wrong: problem details (RFC 9457), errors in GraphQL's form under `/graphql`, and City Live's on its paths.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{api::Answer, document::refused, media::Media};

/// A problem document: `{status, title, code, detail}` as `application/problem+json`.
pub fn problem(status: StatusCode, code: &str, detail: impl Into<String>) -> Response {
    let title = status.canonical_reason().unwrap_or("error");
    let body = json!({ "status": status.as_u16(), "title": title, "code": code, "detail": detail.into() });
    with_type(status, "application/problem+json", body.to_string())
}

/// An answer of `/graphql` in which nothing ran, whatever its status.
pub fn graphql_problem(status: StatusCode, code: &str, text: impl Into<String>) -> Response {
    let answer = Answer::refusal(refused(text, None, code));
    with_type(status, Media::Json.content_type(), answer.body)
}

/// An answer on a path of City Live: `{"error": {"code", "message"}}`.
pub fn city_live_problem(status: StatusCode, code: &str, message: impl Into<String>) -> Response {
    let body = json!({ "error": { "code": code, "message": message.into() } });
    with_type(status, Media::Json.content_type(), body.to_string())
}

/// The form of the three that fits a path.
pub fn problem_at(uri: &Uri, status: StatusCode, code: &str, text: impl Into<String>) -> Response {
    match uri.path() {
        path if path.starts_with("/graphql") => graphql_problem(status, code, text),
        path if path.starts_with("/api/city/") || path == "/api/live-stream" => city_live_problem(status, code, text),
        _ => problem(status, code, text),
    }
}

/// A body with its `Content-Type`.
pub(super) fn with_type(status: StatusCode, content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
