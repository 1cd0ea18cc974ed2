//! Every path but the GraphQL ones, through the router itself.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::Value;
use tower::ServiceExt;

use super::toy::{BOUNDARY, NoState, Seen, settings, state};
use crate::http::{AppState, router};

fn app() -> AppState {
    let (http, graphql) = settings();
    state(http, graphql, &Seen::default())
}

/// An app whose changes need the token `secret`.
fn app_with_token() -> AppState {
    let (mut http, graphql) = settings();
    http.admin_token = Some("secret".into());
    state(http, graphql, &Seen::default())
}

struct Sent {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body.escape_ascii()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request from this machine: `METHOD PATH`, header lines, body.
async fn send(app: &AppState, line: &str, headers: &[(&str, &str)], body: &str) -> Sent {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let response = router(app.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Sent { status: parts.status, headers: parts.headers, body: to_bytes(body, 10_000_000).await.unwrap().to_vec() }
}

#[tokio::test]
async fn the_state_comes_with_its_time_epoch_and_tag_and_not_twice() {
    let app = app();
    let sent = send(&app, "GET /api/state", &[], "").await;
    assert_eq!(sent.status, 200);
    assert_eq!(sent.json()["cityId"], "laquila");
    assert_eq!(sent.header("citytwin-state-timestamp"), "2026-01-05T00:00:00.000Z");
    assert_eq!(sent.header("citytwin-epoch"), "7");
    assert_eq!(sent.header("content-type"), "application/json; charset=utf-8");
    let tag = format!("W/\"7-{BOUNDARY}\"");
    assert_eq!(sent.header("etag"), tag);
    for held in [tag.as_str(), "*", "\"a\", W/\"b\" , W/\"7-1767571200000\"", "\"7-1767571200000\""] {
        let again = send(&app, "GET /api/state", &[("if-none-match", held)], "").await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{held}");
        assert_eq!(again.header("etag"), tag);
    }
    let newer = send(&app, "GET /api/state", &[("if-none-match", "W/\"6-1767571200000\"")], "").await;
    assert_eq!(newer.status, 200);
}

#[tokio::test]
async fn the_state_is_compressed_as_the_client_likes() {
    let app = app();
    let plain = send(&app, "GET /api/state", &[], "").await;
    assert_eq!(plain.header("content-encoding"), "");
    for encoding in ["gzip", "br", "zstd"] {
        let sent = send(&app, "GET /api/state", &[("accept-encoding", encoding)], "").await;
        assert_eq!(sent.header("content-encoding"), encoding);
        assert!(sent.body.len() < plain.body.len() / 4, "{encoding}: {} bytes", sent.body.len());
        assert_eq!(sent.header("etag"), plain.header("etag"));
    }
    let stream = send(
        &app,
        "GET /graphql?query=subscription%7Bcount(to:500)%7D",
        &[("accept", "text/event-stream"), ("accept-encoding", "gzip, br, zstd")],
        "",
    )
    .await;
    assert_eq!(stream.header("content-encoding"), "", "an event stream is never compressed");
    assert!(stream.body.len() > 10_000);
}

#[tokio::test]
async fn before_the_first_boundary_clients_are_told_to_come_again() {
    let app = AppState { state: Arc::new(NoState), ..app() };
    for path in ["GET /api/state", "GET /api/state/deltas?since=2026-01-05T00:00:00.000Z"] {
        let sent = send(&app, path, &[], "").await;
        assert_eq!(sent.status, 503, "{path}");
        assert_eq!(sent.header("retry-after"), "1");
        assert_eq!(sent.json()["code"], "NOT_READY");
    }
}

#[tokio::test]
async fn deltas_since_a_time_or_a_problem() {
    let app = app();
    let cases = [
        ("2026-01-05T00:00:00.000Z", 200),
        ("2026-01-05T00:00:00Z", 200),
        ("2026-01-05T01:00:00%2B01:00", 200),
        ("2026-01-05T01:00:00+01:00", 200),
        ("2026-01-05T00%3A00%3A00.000Z", 200),
        ("2026-01-05T00:00:00.0001Z", 410),
        ("2026-01-05T00:00:05.000Z", 410),
        ("2026-01-05T00:00:00", 400),
        ("2026-01-05", 400),
        ("1767571200000", 400),
        ("yesterday", 400),
        ("", 400),
    ];
    for (since, status) in cases {
        let sent = send(&app, &format!("GET /api/state/deltas?since={since}"), &[], "").await;
        assert_eq!(sent.status.as_u16(), status, "{since}: {}", sent.body.escape_ascii());
        if status != 200 {
            assert_eq!(sent.header("content-type"), "application/problem+json");
            assert_eq!(sent.json()["status"], status);
        }
    }
    assert_eq!(send(&app, "GET /api/state/deltas", &[], "").await.status, 400);
}

#[tokio::test]
async fn a_city_file_is_taken_from_this_machine_and_each_outcome_has_its_status() {
    let app = app();
    let sent = send(&app, "PUT /api/city", &[("content-type", "application/json")], "{}").await;
    assert_eq!((sent.status.as_u16(), sent.json()["bytes"].as_u64()), (200, Some(2)));
    for (body, status) in [("\"other\"", 409), ("\"invalid\"", 422), ("\"replica\"", 503), ("\"unavailable\"", 503)] {
        assert_eq!(send(&app, "PUT /api/city", &[], body).await.status.as_u16(), status, "{body}");
    }
    let invalid = send(&app, "PUT /api/city", &[], "\"invalid\"").await.json();
    assert_eq!(invalid["errors"][0]["path"], "districts.1.id");
    let replica = send(&app, "PUT /api/city", &[], "\"replica\"").await;
    assert_eq!(replica.json()["writer"], "http://127.0.0.1:8081");
    assert_eq!(replica.header("retry-after"), "1");
    let large = "x".repeat(1025);
    assert_eq!(send(&app, "PUT /api/city", &[], &large).await.status, 413);
    assert_eq!(send(&app, "PUT /api/city", &[("content-length", "5000")], "{}").await.status, 413);
    assert_eq!(send(&app, "PUT /api/city", &[("content-type", "text/plain")], "{}").await.status, 415);
    assert_eq!(send(&app, "PUT /api/city", &[("content-encoding", "gzip")], "{}").await.status, 415);
}

#[tokio::test]
async fn a_city_file_needs_the_token_where_one_is_set_and_this_machine_where_none_is() {
    let with_token = app_with_token();
    let missing = send(&with_token, "PUT /api/city", &[], "{}").await;
    assert_eq!((missing.status.as_u16(), missing.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(missing.json()["code"], "UNAUTHENTICATED");
    for (token, status) in
        [("Bearer secret", 200), ("bearer secret", 200), ("Bearer secreT", 401), ("Basic secret", 401)]
    {
        let sent = send(&with_token, "PUT /api/city", &[("authorization", token)], "{}").await;
        assert_eq!(sent.status.as_u16(), status, "{token}");
    }
    let proxied = send(&app(), "PUT /api/city", &[("x-forwarded-for", "10.0.0.1")], "{}").await;
    assert_eq!((proxied.status.as_u16(), proxied.json()["code"].as_str()), (403, Some("FORBIDDEN")));
}

#[tokio::test]
async fn foreign_origins_are_refused_and_allowed_ones_marked() {
    let app = app();
    for path in ["GET /api/state", "PUT /api/city", "POST /graphql", "GET /graphql/ws", "OPTIONS /graphql"] {
        let sent = send(&app, path, &[("origin", "https://evil.example")], "{}").await;
        assert_eq!(sent.status, 403, "{path}");
        assert_eq!(sent.header("access-control-allow-origin"), "");
    }
    for path in ["POST /api/city/select/x", "GET /api/live-stream"] {
        let sent = send(&app, path, &[("origin", "https://evil.example")], "").await;
        assert_eq!(
            (sent.status.as_u16(), sent.json()["error"]["code"].as_str()),
            (403, Some("FORBIDDEN_ORIGIN")),
            "{path}"
        );
    }
    let sent = send(&app, "GET /api/state", &[("origin", "https://map.example")], "").await;
    assert_eq!(sent.status, 200);
    assert_eq!(sent.header("access-control-allow-origin"), "https://map.example");
    assert!(sent.header("access-control-expose-headers").contains("etag"));
    assert!(sent.headers.get_all("vary").iter().any(|vary| vary == "origin"));
    let preflight = [
        ("origin", "https://map.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization, content-type"),
    ];
    let sent = send(&app, "OPTIONS /graphql", &preflight, "").await;
    assert_eq!(sent.status, 204);
    assert!(sent.header("access-control-allow-headers").contains("authorization"));
    assert!(sent.header("access-control-allow-methods").contains("POST"));
    assert_eq!(send(&app, "GET /api/state", &[("origin", "http://localhost:8080")], "").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_a_problem_in_json() {
    let app = app();
    let missing = send(&app, "GET /api/nothing", &[], "").await;
    assert_eq!((missing.status.as_u16(), missing.json()["code"].as_str()), (404, Some("NOT_FOUND")));
    let paths = [
        ("POST /api/state", "GET,HEAD"),
        ("DELETE /api/city", "PUT"),
        ("POST /healthz", "GET,HEAD"),
        ("PATCH /graphql", "GET,HEAD,POST"),
    ];
    for (line, allow) in paths {
        let sent = send(&app, line, &[], "").await;
        assert_eq!((sent.status.as_u16(), sent.header("allow")), (405, allow), "{line}");
        assert!(sent.json().is_object());
    }
}

#[tokio::test]
async fn health_metrics_and_schema_have_their_forms() {
    let app = app();
    assert_eq!(send(&app, "GET /healthz", &[], "").await.status, 200);
    let ready = send(&app, "GET /readyz", &[], "").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body, br#"{"ready":false,"role":"replica","epoch":7,"degraded":[]}"#);
    let metrics = send(&app, "GET /metrics", &[], "").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let schema = send(&app, "GET /schema.graphql", &[], "").await;
    assert!(String::from_utf8(schema.body).unwrap().contains("type Query"));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_a_stranger_wrote() {
    let app = app();
    send(&app, "GET /api/state/deltas?since=2026-01-05T00:00:00.000Z", &[], "").await;
    send(&app, "GET /api/made-up-path", &[], "").await;
    let events =
        send(&app, "GET /graphql?query=subscription%7Balias:count(to:2)%7D", &[("accept", "text/event-stream")], "")
            .await;
    assert!(events.body.ends_with(b"event: complete\ndata: \n\n"));
    send(&app, "GET /graphql?query=%7Bmade_up_field%7D", &[], "").await;
    let text = crate::telemetry::render();
    for line in [
        "citytwin_http_requests_total{route=\"/api/state/deltas\",method=\"GET\",status=\"200\"}",
        "citytwin_http_requests_total{route=\"other\",method=\"GET\",status=\"404\"}",
        "citytwin_http_seconds_count{route=\"/graphql\"}",
        "citytwin_graphql_requests_total{operation=\"subscription\",outcome=\"ok\"}",
        "citytwin_graphql_requests_total{operation=\"query\",outcome=\"refused\"}",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("made-up") && !text.contains("made_up") && !text.contains("alias"), "{text}");
}

#[tokio::test]
async fn graphql_over_http_beyond_the_audits() {
    let app = app();
    let json = ("content-type", "application/json");
    let post = |body: &'static str, extra: &'static [(&'static str, &'static str)]| {
        let app = app.clone();
        async move { send(&app, "POST /graphql", &[&[json], extra].concat(), body).await }
    };
    let cases: [(&str, &[(&str, &str)], u16, &str); 9] = [
        ("[{\"query\":\"{hello}\"}]", &[], 400, "BAD_REQUEST"),
        ("{\"query\":\"{hello}\"}", &[("accept", "text/html")], 406, "NOT_ACCEPTABLE"),
        ("{\"query\":\"{slow(ms:2000)}\"}", &[], 504, "TIMEOUT"),
        ("{\"query\":\"{\"}", &[("accept", "application/graphql-response+json")], 400, "GRAPHQL_PARSE_FAILED"),
        ("{\"query\":\"{nothing}\"}", &[], 200, "GRAPHQL_VALIDATION_FAILED"),
        ("{\"query\":\"{double(of:3000000000)}\"}", &[], 200, "BAD_USER_INPUT"),
        ("{\"query\":\"{failing}\"}", &[], 200, "INTERNAL_SERVER_ERROR"),
        ("{\"query\":\"{panicking}\"}", &[], 200, "INTERNAL_SERVER_ERROR"),
        ("{\"query\":\"{hello}\",\"operationName\":\"A\"}", &[], 200, "OPERATION_RESOLUTION_FAILURE"),
    ];
    for (body, extra, status, code) in cases {
        let sent = post(body, extra).await;
        assert_eq!(
            (sent.status.as_u16(), sent.json()["errors"][0]["extensions"]["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
    }
    let form = send(&app, "POST /graphql", &[("content-type", "text/plain")], "{\"query\":\"{hello}\"}").await;
    assert_eq!(
        (form.status.as_u16(), form.json()["errors"][0]["extensions"]["code"].as_str()),
        (415, Some("UNSUPPORTED_MEDIA_TYPE"))
    );
    let latin = send(&app, "POST /graphql", &[("content-type", "application/json; charset=latin1")], "{}").await;
    assert_eq!(latin.status, 415);
    let large = send(&app, "POST /graphql", &[json], &" ".repeat(65 * 1024)).await;
    assert_eq!(
        (large.status.as_u16(), large.json()["errors"][0]["extensions"]["code"].as_str()),
        (413, Some("PAYLOAD_TOO_LARGE"))
    );
    let mutation = send(&app, "GET /graphql?query=mutation%7Badd(by:1)%7D", &[], "").await;
    assert_eq!((mutation.status.as_u16(), mutation.header("allow")), (405, "POST"));
    let browser = send(&app, "GET /graphql", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], "").await;
    assert_eq!((browser.status.as_u16(), browser.header("location")), (303, "/graphiql"));
    assert_eq!(send(&app, "GET /graphql/ws", &[], "").await.status, 426);
}

#[tokio::test]
async fn a_mutation_needs_what_an_import_needs() {
    let body = "{\"query\":\"mutation { add(by: 2) }\"}";
    let json = ("content-type", "application/json");
    let local = send(&app(), "POST /graphql", &[json], body).await;
    assert_eq!(local.json()["data"]["add"], 2);
    let proxied = send(&app(), "POST /graphql", &[json, ("via", "1.1 proxy")], body).await;
    assert_eq!(proxied.json()["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let with_token = app_with_token();
    let missing = send(&with_token, "POST /graphql", &[json], body).await;
    assert_eq!(missing.json()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let right = send(&with_token, "POST /graphql", &[json, ("authorization", "Bearer secret")], body).await;
    assert_eq!(right.json()["data"]["add"], 2);
}
