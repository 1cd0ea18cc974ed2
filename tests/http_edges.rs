//! Every path of the HTTP port, against the running server.

use std::{io::Read, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::common::{
    eventually,
    kafka::{self, Kafka},
    node,
    redis::Redis,
    server::{self, Server},
    socket::{Frame, Socket},
    town,
};

const DEADLINE: Duration = Duration::from_secs(90);
const IMPORT: &str = "/api/city";

/// A server of the town that needs nothing else.
async fn alone(settings: &[(&str, &str)]) -> Server {
    let mut all =
        vec![("LEASE_MS", "1000"), ("FLUSH_INTERVAL_MS", "100"), ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "300")];
    all.extend_from_slice(settings);
    let mut server = town::server("embedded", "embedded", &all);
    server.start_again().await;
    server.ready(DEADLINE).await;
    server
}

/// Status, content type and body of a request with these headers.
async fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let mut request = server.http().request(method.parse().unwrap(), server.url(path));
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    let answer = request.send().await.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let content_type =
        answer.headers().get("content-type").map_or_else(String::new, |it| it.to_str().unwrap().to_owned());
    (answer.status().as_u16(), content_type, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_answers_as_the_contract_says() {
    let server = alone(&[]).await;
    let json = "application/json; charset=utf-8";
    let problem = "application/problem+json";
    let query = r#"{"query":"{ city { name } }"}"#;
    let html = [("accept", "text/html,*/*;q=0.8")];
    let newest = server.get_json("/api/state").await["timestamp"].as_str().unwrap().to_owned();
    let deltas = format!("/api/state/deltas?since={newest}");
    let cases: &[(&str, &str, &[(&str, &str)], &str, u16, &str)] = &[
        ("GET", "/", &[], "", 200, "text/html; charset=utf-8"),
        ("GET", "/city-live", &[], "", 200, "text/html; charset=utf-8"),
        ("GET", "/graphiql", &[], "", 200, "text/html; charset=utf-8"),
        ("POST", "/graphql", &[], query, 200, json),
        (
            "POST",
            "/graphql",
            &[("accept", "application/graphql-response+json")],
            query,
            200,
            "application/graphql-response+json; charset=utf-8",
        ),
        ("POST", "/graphql", &[("accept", "text/html")], query, 406, json),
        ("POST", "/graphql", &[], "{", 400, json),
        ("GET", "/graphql?query=%7Bcity%7Bname%7D%7D", &[], "", 200, json),
        ("GET", "/graphql?query=mutation%7BremoveEntity(id:%22bus/1%22)%7Bremoved%7D%7D", &[], "", 405, json),
        ("GET", "/graphql", &html, "", 303, ""),
        ("DELETE", "/graphql", &[], "", 405, json),
        ("GET", "/graphql/ws", &[], "", 426, json),
        ("GET", "/api/state", &[], "", 200, json),
        ("POST", "/api/state", &[], "{}", 405, problem),
        ("GET", &deltas, &[], "", 200, json),
        ("GET", "/api/state/deltas", &[], "", 400, problem),
        ("GET", "/api/state/deltas?since=2020-01-01T00:00:00Z", &[], "", 410, problem),
        ("GET", IMPORT, &[], "", 405, problem),
        ("PUT", IMPORT, &[], "{", 422, json),
        ("GET", "/healthz", &[], "", 200, "text/plain; charset=utf-8"),
        ("GET", "/readyz", &[], "", 200, "application/json"),
        ("GET", "/metrics", &[], "", 200, "text/plain; version=0.0.4; charset=utf-8"),
        ("GET", "/schema.graphql", &[], "", 200, "application/graphql; charset=utf-8"),
        ("GET", "/nothing", &[], "", 404, problem),
        ("GET", "/assets/../Cargo.toml", &[], "", 404, problem),
    ];
    for (method, path, headers, body, status, content_type) in cases {
        let (got, its_type, text) = ask(&server, method, path, headers, body).await;
        assert_eq!((got, its_type.as_str()), (*status, *content_type), "{method} {path} {headers:?}: {text}");
        if its_type == problem {
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert!(
                answer["status"] == *status && answer["code"].is_string() && answer["detail"].is_string(),
                "{text}"
            );
        }
    }
    assert_eq!(ask(&server, "GET", "/healthz", &[], "").await.2, "ok\n");
    assert_eq!(server.get_json(&deltas).await["deltas"], json!([]));
    let ready = server.get_json("/readyz").await;
    let keys: Vec<&str> = ready.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((keys.len(), &ready["ready"], &ready["role"]), (4, &json!(true), &json!("writer")), "{ready}");
    let epoch = server.get("/api/state").await.unwrap().headers()["citytwin-epoch"].to_str().unwrap().to_owned();
    assert_eq!(ready["epoch"].to_string(), epoch);
    let printed = server::citytwin(&["schema"], &[], "").await;
    assert_eq!(ask(&server, "GET", "/schema.graphql", &[], "").await.2.into_bytes(), printed.stdout);
    let form = server.http().post(server.url("/graphql")).header("content-type", "text/plain").body(query).send().await;
    assert_eq!(form.unwrap().status(), 415);

    // What was asked shows in the metrics; the city is counted now and then.
    eventually(DEADLINE, || async {
        let metrics = server.get("/metrics").await.map_err(|error| error.to_string())?.text().await;
        let metrics = metrics.map_err(|error| error.to_string())?;
        let lacking: Vec<&str> = [
            r#"citytwin_http_requests_total{route="/api/state",method="GET",status="200"}"#,
            r#"citytwin_http_requests_total{route="/api/city",method="PUT",status="422"}"#,
            r#"citytwin_http_requests_total{route="other",method="GET",status="404"}"#,
            r#"citytwin_graphql_requests_total{operation="query",outcome="ok"}"#,
            "citytwin_writer 1",
            r#"citytwin_entities{kind="building"} 10"#,
        ]
        .into_iter()
        .filter(|line| !metrics.contains(line))
        .collect();
        if lacking.is_empty() { Ok(()) } else { Err(format!("lacking {lacking:?} in\n{metrics}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_comes_compressed_as_asked() {
    let server = alone(&[]).await;
    let plain = server.get("/api/state").await.unwrap().bytes().await.unwrap();
    for encoding in ["gzip", "br", "zstd"] {
        // A raw client: reqwest would unpack by itself.
        let answer =
            server.http().get(server.url("/api/state")).header("accept-encoding", encoding).send().await.unwrap();
        let said = answer.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        let packed = answer.bytes().await.unwrap();
        let unpacked = match encoding {
            "gzip" if said.is_none() => packed.to_vec(),
            "gzip" => {
                let mut text = Vec::new();
                flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
                text
            }
            "zstd" => zstd::decode_all(&packed[..]).unwrap(),
            _ => {
                use base64::Engine as _;
                let input = base64::engine::general_purpose::STANDARD.encode(&packed);
                node::run("unbrotli.mjs", &[], &input).await.into_bytes()
            }
        };
        assert!(encoding == "gzip" || said.as_deref() == Some(encoding), "{encoding}: {said:?}");
        assert!(unpacked == plain, "{encoding}");
        assert!(said.is_none() || packed.len() * 3 < plain.len(), "{encoding}: {} of {}", packed.len(), plain.len());
    }
}

/// A request that changes something, and one by GraphQL: their statuses or codes.
async fn change(server: &Server, headers: &[(&str, &str)]) -> (u16, Value) {
    let (status, ..) = ask(server, "PUT", IMPORT, headers, &town::city().to_string()).await;
    let mutation = r#"{"query":"mutation { removeEntity(id: \"bus/none\") { removed } }"}"#;
    let (_, _, body) = ask(server, "POST", "/graphql", headers, mutation).await;
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let code = body["errors"][0]["extensions"]["code"].clone();
    (status, if code.is_null() { body["data"]["removeEntity"]["removed"].clone() } else { code })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_this_machine_changes_anything() {
    let server = alone(&[("ALLOWED_ORIGINS", "https://map.example")]).await;
    let host = format!("localhost:{}", server.port());
    let own = server.url("");
    for headers in
        [vec![], vec![("host", host.as_str())], vec![("origin", own.as_str())], vec![("origin", "https://map.example")]]
    {
        assert_eq!(change(&server, &headers).await, (200, json!(false)), "{headers:?}");
    }
    let mut refused =
        vec![vec![("host", "twin.example")], vec![("authorization", "Bearer guess"), ("x-real-ip", "10.0.0.1")]];
    refused.extend(
        ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]
            .map(|name| vec![(name, "10.0.0.1")]),
    );
    for headers in refused {
        assert_eq!(change(&server, &headers).await, (403, json!("FORBIDDEN")), "{headers:?}");
    }
    // A foreign page may not even read.
    for (method, path, body) in
        [("GET", "/api/state", ""), ("POST", "/graphql", r#"{"query":"{ city { name } }"}"#), ("PUT", IMPORT, "{}")]
    {
        let (status, _, text) = ask(&server, method, path, &[("origin", "https://evil.example")], body).await;
        assert_eq!(status, 403, "{method} {path}: {text}");
    }
    let url = format!("ws://127.0.0.1:{}/graphql/ws", server.port());
    for (origin, let_in) in
        [("https://evil.example", false), ("null", false), ("https://map.example", true), (&own, true)]
    {
        let opened = Socket::open(&url, &[("origin", origin)]).await;
        assert_eq!(opened.is_ok(), let_in, "{origin}");
        if let Err(error) = opened {
            assert!(error.to_string().contains("403"), "{error}");
        }
    }
    // Queries are free, from wherever they were forwarded.
    let query = r#"{"query":"{ city { name } }"}"#;
    let (_, _, body) =
        ask(&server, "POST", "/graphql", &[("x-forwarded-for", "10.0.0.1"), ("host", "twin.example")], query).await;
    assert!(body.contains("\"Town\""), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_it_decides() {
    let server = alone(&[("ADMIN_TOKEN", "s3cret-token"), ("HTTP_MAX_CITY_BYTES", "100000")]).await;
    for headers in [vec![], vec![("authorization", "Bearer wrong")], vec![("authorization", "Basic s3cret-token")]] {
        assert_eq!(change(&server, &headers).await, (401, json!("UNAUTHENTICATED")), "{headers:?}");
    }
    let asked = server.http().put(server.url(IMPORT)).send().await.unwrap();
    assert_eq!(asked.headers()["www-authenticate"], "Bearer");
    let token = ("authorization", "Bearer s3cret-token");
    for headers in [vec![token], vec![token, ("x-forwarded-for", "10.0.0.1"), ("host", "twin.example")]] {
        assert_eq!(change(&server, &headers).await, (200, json!(false)), "{headers:?}");
    }
    assert!(!server.log().contains("s3cret-token"));

    // What is wrong with a file.
    let (status, _, text) = ask(&server, "PUT", IMPORT, &[token], &town::city().to_string()).await;
    let counts: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &counts["buildings"]), (200, &json!({"created": 0, "changed": 0, "removed": 0})));
    let mut other = town::city();
    other["cityId"] = json!("elsewhere");
    assert_eq!(ask(&server, "PUT", IMPORT, &[token], &other.to_string()).await.0, 409);
    let before = server.get_json("/api/state").await["districts"].clone();
    let mut wrong = town::city();
    wrong["districts"][0]["buildings"][1]["buildingId"] = json!("b0");
    wrong["districts"][1]["weatherStations"][2]["location"] = json!({"latitude": 91, "longitude": 0});
    wrong["districts"][0]["name"] = json!("Renamed");
    let (status, _, text) = ask(&server, "PUT", IMPORT, &[token], &wrong.to_string()).await;
    let errors = serde_json::from_str::<Value>(&text).unwrap()["errors"].clone();
    assert_eq!((status, errors.as_array().unwrap().len()), (422, 2), "{text}");
    assert!(errors.as_array().unwrap().iter().all(|error| error["path"].is_string() && error["message"].is_string()));
    let large = format!("{{\"padding\":\"{}\"}}", "x".repeat(100_000));
    assert_eq!(ask(&server, "PUT", IMPORT, &[token], &large).await.0, 413);
    assert_eq!(ask(&server, "POST", "/graphql", &[], &"x".repeat(1_100_000)).await.0, 413);
    let plain =
        server.http().put(server.url(IMPORT)).header("authorization", token.1).header("content-type", "text/plain");
    assert_eq!(plain.body("{}").send().await.unwrap().status(), 415);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(server.get_json("/api/state").await["districts"], before, "nothing changed");

    // An import that lacks a building removes it, in the published state too.
    let mut fewer = town::city();
    fewer["districts"][0]["buildings"].as_array_mut().unwrap().pop();
    let (_, _, text) = ask(&server, "PUT", IMPORT, &[token], &fewer.to_string()).await;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["buildings"]["removed"], 1);
    eventually(DEADLINE, || async {
        let left = server.get_json("/api/state").await["districts"][0]["buildings"].as_array().map_or(0, Vec::len);
        if left == 4 { Ok(()) } else { Err(format!("{left} buildings")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_schema_passes_the_audits_of_graphql_over_http() {
    let server = alone(&[]).await;
    let report = node::run("graphql_http_audits.mjs", &[&server.url("/graphql")], "").await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(report["ok"] == report["audits"] && report["audits"].as_u64() >= Some(61), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_so_that_clients_come_back() {
    let mut server = alone(&[]).await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { busChanges { __typename } }", Value::Null).await;
    assert!(matches!(socket.next().await, Frame::Message(message) if message["type"] == "next"));
    let subscription = json!({"query": "subscription { busChanges { __typename } }"});
    let events = server.http().post(server.url("/graphql")).header("accept", "text/event-stream").json(&subscription);
    let events = events.send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream; charset=utf-8");
    let text = tokio::spawn(async move { events.text().await.unwrap_or_default() });
    server.signal("TERM");
    let mut types = Vec::new();
    let code = loop {
        match socket.next().await {
            Frame::Message(message) => types.push(message["type"].clone()),
            Frame::Closed(code, _) => break code,
        }
    };
    assert_eq!(code, 1012);
    assert!(!types.contains(&json!("complete")), "{types:?}");
    assert!(!text.await.unwrap().contains("event: complete"));
    assert!(server.wait(server::SHUTDOWN).success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_keeps_the_protocol_of_graphql_ws() {
    let mut server = alone(&[
        ("ADMIN_TOKEN", "secret"),
        ("ALLOWED_ORIGINS", "https://map.example"),
        ("HTTP_MAX_BODY_BYTES", "65536"),
        ("GRAPHQL_CONNECTION_INIT_TIMEOUT_MS", "1000"),
        ("GRAPHQL_PING_INTERVAL_MS", "500"),
        ("GRAPHQL_STALL_TIMEOUT_MS", "1500"),
        ("GRAPHQL_WRITE_TIMEOUT_MS", "1000"),
        ("GRAPHQL_MAX_OPERATIONS_PER_SOCKET", "5"),
        ("GRAPHQL_MAX_SOCKETS_PER_ADDRESS", "20"),
    ])
    .await;
    let url = server.url("/graphql/ws").replace("http", "ws");
    let mut script = node::command("graphql_ws_protocol.mjs", &[&url, "city"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
    let mut last = String::new();
    while let Some(line) = tokio::time::timeout(DEADLINE, lines.next_line()).await.expect("it goes on").unwrap() {
        if line == "restart" {
            server.stop_cleanly();
            server.start_again().await;
        }
        last = line;
    }
    let report: Value = serde_json::from_str(&last).expect("a report");
    assert!(script.wait().await.unwrap().success() && report["cases"].as_u64() >= Some(35), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_serves_readers_and_names_the_writer() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let settings = [("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "300"), ("FULL_STATE_PUBLISH_INTERVAL_MS", "1000")];
    let mut writer = town::server(&kafka.brokers(), &redis.url(), &settings);
    writer.start_again().await;
    writer.ready(DEADLINE).await;
    let mut replica = town::server(&kafka.brokers(), &redis.url(), &settings);
    replica.start_again().await;
    let body = replica.ready(DEADLINE).await;
    assert_eq!(body["role"], "replica");
    kafka::produce(&kafka.brokers(), (0..20).map(|n| town::bus(&format!("bus-{n}"), n)).collect::<Vec<_>>()).await;
    let whole = async |server: &Server| {
        eventually(DEADLINE, || async {
            let state = server.get_json("/api/state").await;
            let buses = state["publicTransport"]["buses"].as_array().map_or(0, Vec::len);
            if buses == 20 { Ok(state) } else { Err(format!("{buses} buses")) }
        })
        .await
    };
    let (at_writer, at_replica) = (whole(&writer).await, whole(&replica).await);
    assert_eq!(at_writer, at_replica);
    let (status, content_type, text) = ask(&replica, "PUT", IMPORT, &[], &town::city().to_string()).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, content_type.as_str()), (503, "application/problem+json"));
    assert_eq!(answer["writer"], writer.url("").as_str(), "{answer}");
    let removal = replica.graphql_answer("mutation { removeEntity(id: \"bus/bus-1\") { removed } }", Value::Null).await;
    assert_eq!(removal["errors"][0]["extensions"]["code"], "NOT_WRITER", "{removal}");
    // The same chain at either instance.
    let since = at_writer["timestamp"].as_str().unwrap();
    assert_eq!(replica.get_json(&format!("/api/state/deltas?since={since}")).await["deltas"], json!([]));
}
