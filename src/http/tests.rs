//! The real router on a free port, under the real clients.

use std::{path::Path, process::Stdio, sync::atomic::Ordering, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

mod rest;
pub mod toy;

use toy::{Server, settings};

/// Runs a script of `tests/node` against a server; its report is shown when it fails.
async fn node(script: &str, url: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    assert!(folder.join("node_modules").exists(), "run `npm ci` in tests/node first (`make test` does)");
    let run = Command::new("node").arg(script).arg(url).current_dir(folder).stderr(Stdio::inherit()).output();
    let output = timeout(Duration::from_secs(120), run).await.expect("the script hangs").expect("node cannot be run");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script} failed:\n{report}");
    serde_json::from_str(&report).expect("the script prints a JSON report")
}

#[tokio::test(flavor = "multi_thread")]
async fn all_audits_of_graphql_http_pass() {
    let (http, graphql) = settings();
    let server = Server::start(http, graphql).await;
    let report = node("graphql_http_audits.mjs", &format!("{}/graphql", server.url())).await;
    assert_eq!(report["ok"], report["audits"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_keeps_the_protocol_of_graphql_ws() {
    let (mut http, mut graphql) = settings();
    http.admin_token = Some("secret".into());
    graphql.connection_init_timeout = Duration::from_secs(1);
    graphql.ping_interval = Duration::from_millis(500);
    graphql.stall_timeout = Duration::from_millis(1500);
    graphql.write_timeout = Duration::from_secs(1);
    graphql.max_sockets_per_address = 20;
    let server = Server::start(http, graphql).await;
    let report = node("graphql_ws_protocol.mjs", &format!("{}/graphql/ws", server.url().replace("http", "ws"))).await;
    assert!(report["cases"].as_u64() >= Some(21), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_suit_the_client_of_graphql_sse() {
    let (http, mut graphql) = settings();
    graphql.ping_interval = Duration::from_millis(300);
    let server = Server::start(http, graphql).await;
    node("graphql_sse.mjs", &format!("{}/graphql", server.url())).await;
}

type Client = WebSocketStream<TcpStream>;

/// An initialised socket with a small receive buffer, so that it blocks soon.
async fn connect(server: &Server) -> Client {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.addr).await.unwrap();
    let mut request = format!("ws://{}/graphql/ws", server.addr).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let (mut client, _) = client_async(request, stream).await.unwrap();
    say(&mut client, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut client).await["type"], "connection_ack");
    client
}

async fn say(client: &mut Client, message: Value) {
    client.send(Message::text(message.to_string())).await.unwrap();
}

async fn subscribe(client: &mut Client, id: &str, query: &str) {
    say(client, json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
}

async fn hear(client: &mut Client) -> Value {
    loop {
        match timeout(Duration::from_secs(10), client.next()).await.expect("a message").expect("open").unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => return json!({ "close": frame.map(|frame| u16::from(frame.code)) }),
            _ => {}
        }
    }
}

/// Waits until something holds, at most 5 s.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < end, "{what} does not come true");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_its_stream_back_and_others_go_on() {
    let (http, graphql) = settings();
    let server = Server::start(http, graphql).await;
    let mut lazy = connect(&server).await;
    subscribe(&mut lazy, "1", "subscription { flood(bytes: 100000) }").await;
    // The kernel's buffers take some (megabytes on loopback), then the stream rests.
    let mut taken = 0;
    loop {
        sleep(Duration::from_millis(500)).await;
        let now = server.seen.events.load(Ordering::SeqCst);
        assert!(now < 100, "{now} events of 100 kB were taken for a client that reads none");
        if now > 0 && now == std::mem::replace(&mut taken, now) {
            break;
        }
    }
    let mut busy = connect(&server).await;
    subscribe(&mut busy, "1", "{ hello }").await;
    assert_eq!(hear(&mut busy).await["payload"]["data"]["hello"], "hello world");
    // It reads again and gets on.
    for _ in 0..taken + 5 {
        assert_eq!(hear(&mut lazy).await["type"], "next");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_closed_and_its_streams_end() {
    let (http, mut graphql) = settings();
    graphql.stall_timeout = Duration::from_millis(300);
    graphql.write_timeout = Duration::from_millis(300);
    let server = Server::start(http, graphql).await;
    let mut lazy = connect(&server).await;
    subscribe(&mut lazy, "1", "subscription { flood(bytes: 100000) }").await;
    until("the stream's end", || server.seen.ended.load(Ordering::SeqCst) == 1).await;
    until("the socket's end", || server.app.connections.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_again_in_time_learns_why_it_is_closed() {
    let (http, mut graphql) = settings();
    graphql.stall_timeout = Duration::from_millis(300);
    graphql.write_timeout = Duration::from_secs(10);
    let server = Server::start(http, graphql).await;
    let mut lazy = connect(&server).await;
    subscribe(&mut lazy, "1", "subscription { flood(bytes: 100000) }").await;
    until("the stream's end", || server.seen.ended.load(Ordering::SeqCst) == 1).await;
    let last = loop {
        let message = hear(&mut lazy).await;
        if message["type"] != "next" {
            break message;
        }
    };
    assert_eq!(last["close"], 4008);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_streams() {
    let (http, graphql) = settings();
    let server = Server::start(http, graphql).await;
    let mut client = connect(&server).await;
    subscribe(&mut client, "1", "subscription { count(to: 1000000, everyMs: 10) }").await;
    assert_eq!(hear(&mut client).await["type"], "next");
    drop(client);
    until("the stream's end", || server.seen.ended.load(Ordering::SeqCst) == 1).await;
    until("the socket's end", || server.app.connections.open() == 0).await;
}

/// Sends a request by hand over a connection of its own.
async fn raw(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_that_nobody_reads_is_given_up() {
    let (http, mut graphql) = settings();
    graphql.stall_timeout = Duration::from_millis(300);
    graphql.write_timeout = Duration::from_millis(300);
    let server = Server::start(http, graphql).await;
    let body = r#"{"query":"subscription { flood(bytes: 100000) }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\nhost: {}\naccept: text/event-stream\ncontent-type: application/json\ncontent-length: {}\n\n",
        server.addr,
        body.len()
    );
    let _unread = raw(&server, &(head + body)).await;
    until("the stream's start", || server.seen.events.load(Ordering::SeqCst) > 0).await;
    until("the stream's end", || server.seen.ended.load(Ordering::SeqCst) == 1).await;
    until("the place's return", || server.app.connections.open() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_requests_end_and_returns_within_the_grace_period() {
    let (http, graphql) = settings();
    let mut server = Server::start(http, graphql).await;
    let mut client = connect(&server).await;
    subscribe(&mut client, "1", "subscription { count(to: 1000000, everyMs: 10) }").await;
    assert_eq!(hear(&mut client).await["type"], "next");
    let body = r#"{"query":"{ slow(ms: 300) }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\nhost: {}\ncontent-type: application/json\ncontent-length: {}\n\n",
        server.addr,
        body.len()
    );
    let mut request = raw(&server, &(head + body)).await;
    let mut idle = raw(&server, "").await;
    sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    let mut answer = String::new();
    request.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(r#"{"data":{"slow":true}}"#), "{answer}");
    let last = loop {
        let message = hear(&mut client).await;
        if message["type"] != "next" {
            break message;
        }
    };
    assert_eq!(last, json!({ "close": 1012 }), "no `complete` before it");
    drop(client);
    timeout(Duration::from_secs(6), &mut server.task).await.expect("within the grace period").unwrap();
    // A connection that never sent anything does not outlive the server.
    assert_eq!(timeout(Duration::from_secs(1), idle.read(&mut [0; 1])).await.expect("closed").unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_goes_on_when_its_client_hangs_up_or_its_time_is_up() {
    let (http, graphql) = settings();
    let server = Server::start(http, graphql).await;
    let body = r#"{"query":"mutation { add(by: 1, afterMs: 200) }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\nhost: {}\ncontent-type: application/json\ncontent-length: {}\n\n",
        server.addr,
        body.len()
    );
    let request = raw(&server, &(head + body)).await;
    sleep(Duration::from_millis(100)).await;
    drop(request);
    until("the sum", || server.seen.sum.load(Ordering::SeqCst) == 1).await;
}
