//! The harness itself: its servers are real, its faults happen, and nothing outlives the tests.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::common::{
    eventually,
    kafka::{self, Broker, Kafka, Record, Topic},
    mongod::Mongod,
    node,
    process::{Launch, Process},
    proxy::{Fault, Proxy},
    redis::{Cluster, Redis},
    server,
    socket::{Frame, Socket, Subscription},
};

fn is_alive(pid: u32) -> bool {
    Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[tokio::test]
async fn kafka_gives_back_keys_values_times_and_headers() {
    let brokers = kafka::brokers();
    let topic = "harness.records";
    kafka::create_topics(&brokers, &[Topic::for_recording(topic, 3)]).await;
    // Far older than the broker's default week.
    let old = 1_767_571_200_000;
    let mut with_header = Record::new(topic, "bus-1", "{}").at(old);
    with_header.headers = vec![("kind".to_owned(), Some(b"test".to_vec())), ("none".to_owned(), None)];
    let mut without_value = Record::new(topic, "bus-2", "").at(old + 1);
    without_value.value = None;
    kafka::produce(&brokers, [with_header.clone(), without_value.clone()]).await;

    let mut read = kafka::read_all(&brokers, topic).await;
    read.sort_by_key(|record| record.timestamp);
    assert_eq!(read.len(), 2);
    assert_eq!((&read[0].key, &read[0].value), (&with_header.key, &with_header.value));
    assert_eq!((read[0].timestamp, read[0].header("kind")), (Some(old), Some("test")));
    assert_eq!(read[0].headers[1], ("none".to_owned(), None));
    assert_eq!((&read[1].key, &read[1].value), (&without_value.key, &None));
}

#[tokio::test]
async fn kafka_takes_a_record_of_20_mb() {
    let brokers = kafka::brokers();
    let topic = "harness.big";
    kafka::create_topics(
        &brokers,
        &[Topic { name: topic, partitions: 1, config: vec![("max.message.bytes", "33554432")] }],
    )
    .await;
    let value: Vec<u8> = (0..20_000_000).map(|_| fastrand::u8(..)).collect();
    kafka::produce(&brokers, [Record { value: Some(value.clone()), ..Record::new(topic, "city", "") }]).await;
    let read = kafka::read_all(&brokers, topic).await;
    assert!(read.len() == 1 && read[0].value.as_ref() == Some(&value));
}

#[tokio::test]
async fn a_fresh_kafka_has_no_topics_whatever_the_test_before_left() {
    for _ in 0..2 {
        let kafka = Kafka::fresh().await;
        assert_eq!(kafka::topic_names(&kafka.brokers()).await, Vec::<String>::new());
        kafka::create_topics(&kafka.brokers(), &[Topic::for_recording("sensors.traffic", 2)]).await;
        kafka::produce(&kafka.brokers(), [Record::new("sensors.traffic", "s", "{}")]).await;
        assert_eq!(kafka::read_all(&kafka.brokers(), "sensors.traffic").await.len(), 1);
    }
}

#[tokio::test]
async fn a_broker_keeps_its_log_over_a_kill_and_speaks_through_its_proxy() {
    let proxy = Proxy::start("127.0.0.1:1");
    let mut broker = Broker::start_behind(&proxy);
    assert_eq!(broker.brokers(), proxy.address());
    kafka::create_topics(&broker.brokers(), &[Topic::for_recording("events", 1)]).await;
    kafka::produce(&broker.brokers(), [Record::new("events", "a", "1")]).await;
    assert!(proxy.connections() >= 2, "clients go round the proxy");
    broker.kill();
    broker.start_again();
    kafka::produce(&broker.brokers(), [Record::new("events", "a", "2")]).await;
    let values: Vec<Value> = kafka::read_all(&broker.brokers(), "events").await.iter().map(Record::json).collect();
    assert_eq!(values, [json!(1), json!(2)]);
    broker.stop();
}

#[tokio::test]
async fn redis_keeps_what_it_acknowledged_over_a_kill() {
    let mut redis = Redis::start();
    let mut connection = redis.connection().await;
    let _: () = connection.hset("h", "field", "value").await.unwrap();
    redis.kill();
    redis.start_again();
    assert_eq!(redis.cli(&["HGET", "h", "field"]), "value");
    redis.flush_all();
    assert_eq!(redis.cli(&["DBSIZE"]), "0");
}

#[tokio::test]
async fn a_redis_cluster_spreads_its_keys_over_three_nodes() {
    let cluster = Cluster::start();
    let mut connection =
        redis::cluster::ClusterClient::new(cluster.urls()).unwrap().get_async_connection().await.unwrap();
    for number in 0..30 {
        let _: () = connection.set(format!("key-{number}"), number).await.unwrap();
    }
    let mut cluster = cluster;
    let sizes: Vec<u32> = cluster.nodes().iter().map(|node| node.cli(&["DBSIZE"]).parse().unwrap()).collect();
    assert_eq!(sizes.iter().sum::<u32>(), 30);
    assert!(sizes.iter().all(|&size| size > 0), "{sizes:?}");
}

#[test]
fn redis_over_tls_answers_a_client_that_trusts_its_authority() {
    let redis = Redis::start_tls();
    assert_eq!(redis.cli(&["SET", "a", "1"]), "OK");
    assert!(redis.url().starts_with("rediss://"));
}

#[tokio::test]
async fn a_lost_reply_belongs_to_a_request_that_was_carried_out() {
    let redis = Redis::start();
    let proxy = Proxy::start(&redis.address());
    let client = redis::Client::open(format!("redis://{}", proxy.address())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = connection.set("before", 1).await.unwrap();
    proxy.lose_reply_to(b"INCR");
    let lost: redis::RedisResult<i64> = connection.incr("count", 1).await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(proxy.lost(), 1);
    assert_eq!(redis.cli(&["GET", "count"]), "1");
    // Once only.
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    assert_eq!(connection.incr::<_, _, i64>("count", 1).await.unwrap(), 2);
}

/// Answers each byte with the next one.
async fn successor_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(byte) = socket.read_u8().await {
                    if socket.write_u8(byte.wrapping_add(1)).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn ask(socket: &mut TcpStream, byte: u8) -> Option<std::io::Result<u8>> {
    if let Err(error) = socket.write_u8(byte).await {
        return Some(Err(error));
    }
    tokio::time::timeout(Duration::from_millis(300), socket.read_u8()).await.ok()
}

#[tokio::test]
async fn each_fault_of_the_proxy_happens_and_ends() {
    let proxy = Proxy::start(&successor_server().await);
    let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut socket, 1).await.unwrap().unwrap(), 2);

    proxy.set(Fault::DropReplies);
    assert!(ask(&mut socket, 5).await.is_none());

    proxy.set(Fault::Delay(Duration::from_millis(60)));
    let start = Instant::now();
    assert_eq!(ask(&mut socket, 7).await.unwrap().unwrap(), 8);
    assert!(start.elapsed() >= Duration::from_millis(120), "{:?}", start.elapsed());

    proxy.set(Fault::Stall);
    assert!(ask(&mut socket, 9).await.is_none());
    proxy.set(Fault::None);
    assert_eq!(socket.read_u8().await.unwrap(), 10);

    proxy.cut();
    assert!(ask(&mut socket, 1).await.unwrap().is_err());
    let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(ask(&mut socket, 1).await.unwrap().unwrap(), 2);

    proxy.set(Fault::Refuse);
    assert!(ask(&mut socket, 1).await.unwrap().is_err());
    let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(ask(&mut refused, 1).await.unwrap().is_err());
}

/// A server of graphql-transport-ws with one client, which it greets, pings, gives two results, and leaves with 1012.
async fn protocol_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, accept_protocol).await.unwrap();
        let text = |value: Value| Message::text(value.to_string());
        assert_eq!(received(&mut socket).await, json!({ "type": "connection_init" }));
        socket.send(text(json!({ "type": "connection_ack" }))).await.unwrap();
        let subscribe = received(&mut socket).await;
        assert_eq!(subscribe["payload"], json!({ "query": "subscription { n }", "variables": { "a": 1 } }));
        for n in 1..=2 {
            socket.send(text(json!({ "type": "ping" }))).await.unwrap();
            assert_eq!(received(&mut socket).await, json!({ "type": "pong" }));
            let next = json!({ "id": subscribe["id"], "type": "next", "payload": { "data": { "n": n } } });
            socket.send(text(next)).await.unwrap();
        }
        let frame = CloseFrame { code: CloseCode::Restart, reason: "going down".into() };
        socket.close(Some(frame)).await.unwrap();
    });
    format!("ws://{address}")
}

// The signature is tungstenite's.
#[allow(clippy::result_large_err, clippy::unnecessary_wraps)]
fn accept_protocol(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    Ok(response)
}

async fn received(socket: &mut WebSocketStream<TcpStream>) -> Value {
    serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn a_subscription_gives_its_results_and_then_the_close_code() {
    let socket = Socket::connect(&protocol_server().await).await;
    let mut subscription = Subscription::start(socket, "subscription { n }", json!({ "a": 1 })).await;
    assert_eq!(subscription.next().await, json!({ "n": 1 }));
    assert_eq!(subscription.until(|data| data["n"] == 2).await, json!({ "n": 2 }));
    assert_eq!(subscription.socket().next().await, Frame::Closed(1012, "going down".to_owned()));
}

#[tokio::test]
async fn a_command_of_citytwin_runs_to_its_end() {
    let version = server::citytwin(&["--version"], &[], "").await;
    assert!(version.status.success());
    assert_eq!(String::from_utf8_lossy(&version.stdout).trim(), concat!("citytwin ", env!("CARGO_PKG_VERSION")));
    let wrong = server::citytwin(&["config"], &[("BATCH_SIZE", "many")], "").await;
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(64), "{said}");
    assert!(said.contains("BATCH_SIZE") && said.contains("many"), "{said}");
}

#[tokio::test]
async fn mongod_answers_a_hello() {
    let mongod = Mongod::start();
    assert!(mongod.uri("citytwin").ends_with("/citytwin"));
    let mut socket = TcpStream::connect(mongod.address()).await.unwrap();
    // OP_MSG (2013): header, flags, one section of kind 0 with the document {hello: 1, $db: "admin"}.
    let document = b"\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
    let mut message = Vec::new();
    for word in [16 + 4 + 1 + document.len() as i32, 7, 0, 2013, 0] {
        message.extend_from_slice(&word.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(document);
    socket.write_all(&message).await.unwrap();
    let length = socket.read_i32_le().await.unwrap();
    let mut answer = vec![0; length as usize - 4];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[4..8], 7_i32.to_le_bytes(), "an answer to another request");
    assert!(answer.windows(14).any(|window| window == b"maxWireVersion"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn node_runs_the_real_jsondiffpatch() {
    let input = json!({ "state": { "a": [1, 2] }, "delta": { "a": { "_t": "a", "_0": [1, 0, 0], "1": [3] } } });
    let output = node::run("patch.mjs", &[], &input.to_string()).await;
    assert_eq!(serde_json::from_str::<Value>(&output).unwrap(), json!({ "a": [2, 3] }));
}

#[tokio::test]
#[should_panic(expected = "boom")]
async fn a_node_script_that_fails_panics_with_its_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("fails.mjs");
    std::fs::write(&script, "throw new Error('boom')").unwrap();
    node::run(script.to_str().unwrap(), &[], "").await;
}

fn sleeper<'a>(args: &'a [String], folder: &'a Path, log: &'a Path) -> Launch<'a> {
    Launch { program: Path::new("sh"), args, env: &[], dir: folder, log, clean: None }
}

#[test]
fn a_process_ends_with_its_value_and_tells_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let args = ["-c", "echo started; exec sleep 600"].map(str::to_owned);
    let mut process = Process::start(&sleeper(&args, folder.path(), &log));
    let pid = process.pid();
    assert!(is_alive(pid) && process.exited().is_none());
    drop(process);
    assert!(!is_alive(pid));

    let args = ["-c", "echo went; exit 64"].map(str::to_owned);
    let mut process = Process::start(&sleeper(&args, folder.path(), &log));
    assert_eq!(process.wait(Duration::from_secs(10)).unwrap().code(), Some(64));
    assert_eq!(process.log_tail(1), "went");

    let args = ["-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"].map(str::to_owned);
    let mut process = Process::start(&sleeper(&args, folder.path(), &log));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(process.terminate(Duration::from_secs(10)).unwrap().code(), Some(3));
}

/// What the next test runs in a process of its own, to be killed: starts a server and writes its process id to `file`.
fn start_a_server_and_hang(file: &Path) {
    // In the folder of the test that waits for it: this process will have no time to clean up.
    let folder = file.parent().unwrap();
    let args = ["-c", "exec sleep 600"].map(str::to_owned);
    let process = Process::start(&sleeper(&args, folder, &folder.join("log")));
    std::fs::write(file, process.pid().to_string()).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[tokio::test]
async fn a_server_dies_with_a_test_process_that_is_killed() {
    const INNER: &str = "CITYTWIN_TEST_INNER";
    if let Some(file) = std::env::var_os(INNER) {
        return start_a_server_and_hang(Path::new(&file));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut inner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::a_server_dies_with_a_test_process_that_is_killed"])
        .env(INNER, &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid: u32 = eventually(Duration::from_secs(20), || async {
        std::fs::read_to_string(&file)
            .map_err(|error| error.to_string())?
            .parse()
            .map_err(|_| "half written".to_owned())
    })
    .await;
    assert!(is_alive(pid));
    inner.kill().unwrap();
    inner.wait().unwrap();
    eventually(Duration::from_secs(10), || async { if is_alive(pid) { Err("still alive") } else { Ok(()) } }).await;
}
