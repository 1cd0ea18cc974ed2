//! Answers that say what is wrong: problem details (RFC 9457), and errors in GraphQL's form under `/graphql`.

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

/// The form of the two that fits a path.
pub fn problem_at(uri: &Uri, status: StatusCode, code: &str, text: impl Into<String>) -> Response {
    if uri.path().starts_with("/graphql") { graphql_problem(status, code, text) } else { problem(status, code, text) }
}

/// A body with its `Content-Type`.
pub(super) fn with_type(status: StatusCode, content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
