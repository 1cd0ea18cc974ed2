//! GraphQL over HTTP (the GraphQL Foundation's specification): `POST`, and `GET` for queries. Upgrades go to
//! [`super::socket`], event streams to [`super::sse`].

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequestParts, Query, Request, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::StreamExt;

use super::{
    AppState,
    api::{Answer, Outcome},
    media::{Accepted, Media},
    params::{BadParams, Params},
    problem::{graphql_problem, problem_at, with_type},
    socket, sse,
};

/// How long a client may take to send a GraphQL request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// `POST /graphql`.
pub async fn post(State(app): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refused) = refuse_content_type(&parts.headers) {
        return refused;
    }
    let body = match read_body(&parts, body, app.http.max_body_bytes, BODY_TIMEOUT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    answer(&app, &parts, Params::from_body(&body)).await
}

/// `GET /graphql`: a query, a subscription as an event stream, or the upgrade to a socket. A browser that was just
/// pointed here is sent to GraphiQL.
pub async fn get(State(app): State<AppState>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if parts.headers.contains_key(header::UPGRADE) {
        return upgrade(&app, &mut parts).await;
    }
    let pairs = match Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
        Ok(Query(pairs)) => pairs,
        Err(error) => return graphql_problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", error.body_text()),
    };
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") && !pairs.iter().any(|(name, _)| name == "query") {
        return Redirect::to("/graphiql").into_response();
    }
    answer(&app, &parts, Params::from_pairs(pairs)).await
}

/// `GET /graphql/ws`: the upgrade to a socket, and nothing else.
pub async fn get_socket(State(app): State<AppState>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if parts.headers.contains_key(header::UPGRADE) {
        return upgrade(&app, &mut parts).await;
    }
    let text = "this path speaks the WebSocket subprotocol graphql-transport-ws only";
    let mut refused = graphql_problem(StatusCode::UPGRADE_REQUIRED, "UPGRADE_REQUIRED", text);
    refused.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    refused
}

/// Any other method.
pub async fn other_method(request: Request) -> Response {
    let text = format!("{} is not accepted here", request.method());
    problem_at(request.uri(), StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", text)
}

async fn upgrade(app: &AppState, parts: &mut Parts) -> Response {
    match WebSocketUpgrade::from_request_parts(parts, app).await {
        Ok(upgrade) => socket::accept(app, parts, upgrade),
        Err(error) => graphql_problem(error.status(), "BAD_REQUEST", error.body_text()),
    }
}

async fn answer(app: &AppState, parts: &Parts, params: Result<Params, BadParams>) -> Response {
    let accepted = Accepted::of(&parts.headers);
    let Some(media) = accepted.for_result() else {
        let text = "a result is sent as application/graphql-response+json, application/json or text/event-stream";
        return graphql_problem(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", text);
    };
    let params = match params {
        Ok(params) => params,
        Err(error) => return graphql_problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", error.to_string()),
    };
    let caller = app.auth.caller(parts);
    let prepared = match app.api.prepare(params, caller) {
        Ok(prepared) => prepared,
        Err(refusal) if media == Media::EventStream => return sse::single(app, caller, async { refusal }),
        Err(refusal) => return respond(media, &refusal),
    };
    match prepared.kind {
        OperationType::Mutation if parts.method != "POST" => {
            let text = "a mutation needs POST";
            let mut refused = graphql_problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", text);
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            refused
        }
        OperationType::Subscription if accepted.events() => {
            sse::stream(app, caller, app.api.subscribe(prepared, sse::next()))
        }
        OperationType::Subscription => {
            let text = "a subscription needs `Accept: text/event-stream`, or the socket at /graphql/ws";
            graphql_problem(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", text)
        }
        OperationType::Query | OperationType::Mutation if media == Media::EventStream => {
            let api = app.api.clone();
            sse::single(app, caller, async move { api.execute(prepared).await })
        }
        OperationType::Query | OperationType::Mutation => respond(media, &app.api.execute(prepared).await),
    }
}

/// The status by what became of the request and the form that the client asked for.
fn respond(media: Media, answer: &Answer) -> Response {
    let status = match (answer.outcome, media) {
        (Outcome::TimedOut, _) => StatusCode::GATEWAY_TIMEOUT,
        (Outcome::Refused, Media::Response) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut response = with_type(status, media.content_type(), answer.body.clone());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Only `application/json` in UTF-8: anything else a page could send without asking first (CSRF).
fn refuse_content_type(headers: &HeaderMap) -> Option<Response> {
    let refused =
        |text: &str| Some(graphql_problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", text));
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = sent.split(';').map(str::trim);
    if !parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json")) {
        return refused("the body's Content-Type must be application/json");
    }
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then_some(value.trim_matches('"'))
    });
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8") && !charset.eq_ignore_ascii_case("utf8")) {
        return refused("the body must be UTF-8");
    }
    None
}

/// A whole body of at most `limit` bytes, sent within `time`: else 413, 408 or 415 in the form that fits the path.
pub(super) async fn read_body(parts: &Parts, body: Body, limit: usize, time: Duration) -> Result<Bytes, Response> {
    let encoding = parts.headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        let text = "the body must not be compressed";
        return Err(problem_at(&parts.uri, StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", text));
    }
    let too_large = || {
        let text = format!("the body is larger than {limit} bytes");
        problem_at(&parts.uri, StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", text)
    };
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut chunks = body.into_data_stream();
    if announced.is_some_and(|length: usize| length > limit) {
        discard(&mut chunks).await;
        return Err(too_large());
    }
    let read = async {
        let mut whole = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| {
                let text = format!("the body could not be read: {error}");
                problem_at(&parts.uri, StatusCode::BAD_REQUEST, "BAD_REQUEST", text)
            })?;
            if whole.len() + chunk.len() > limit {
                discard(&mut chunks).await;
                return Err(too_large());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(whole))
    };
    if let Ok(read) = tokio::time::timeout(time, read).await {
        return read;
    }
    let text = format!("the body did not arrive within {} s", time.as_secs());
    Err(problem_at(&parts.uri, StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", text))
}

/// Reads on for a moment what is not taken. A client that still sends when its connection is closed is told of the
/// closing alone, and never sees the answer.
async fn discard(chunks: &mut BodyDataStream) {
    const MOST: usize = 8 << 20;
    const WITHIN: Duration = Duration::from_secs(2);
    let mut left = MOST;
    let rest = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whoever sends more, or slower, may lose the answer.
    let _ = tokio::time::timeout(WITHIN, rest).await;
}
