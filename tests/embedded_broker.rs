//! The embedded broker as a Kafka for other processes, and `citytwin follow` as a consumer of the state topics.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::common::{
    eventually,
    kafka::{Kafka, Record, Topic, create_topics, produce, read_all},
    ports,
    server::{Server, binary, citytwin},
};

async fn demo(port: u16) -> Server {
    let port = port.to_string();
    let settings = [
        ("KAFKA_EMBEDDED_PORT", port.as_str()),
        ("FULL_STATE_PUBLISH_INTERVAL_MS", "2000"),
        ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "500"),
    ];
    let server = Server::start_command(&["demo"], &settings).await;
    server.ready(Duration::from_secs(60)).await;
    server
}

#[tokio::test]
async fn another_process_produces_to_the_demo_and_reads_from_it() {
    let port = ports::free();
    let server = demo(port).await;
    let brokers = format!("127.0.0.1:{port}");

    // From this process, by a plain client.
    let value =
        json!({"busId": "guest-1", "passengerCount": 7, "currentLocation": {"latitude": 42.35, "longitude": 13.4}});
    produce(&brokers, [Record::new("transport.gps", "guest-1", &value.to_string())]).await;
    // And from a third one, by our own command.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("guest.ndjson");
    let value =
        json!({"busId": "guest-2", "passengerCount": 8, "currentLocation": {"latitude": 42.35, "longitude": 13.4}});
    let line = json!({"topic": "transport.gps", "key": "guest-2", "timestamp": 1_767_571_200_000_i64, "value": value});
    std::fs::write(&file, line.to_string()).expect("ours");
    let settings = [("KAFKA_BROKERS", brokers.as_str())];
    let replay = citytwin(&["replay", &file.display().to_string(), "--stamp", "now"], &settings, "").await;
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    for (bus, passengers) in [("guest-1", 7), ("guest-2", 8)] {
        eventually(Duration::from_secs(20), || async {
            let data =
                server.graphql("query($id: String!) { bus(id: $id) { passengerCount } }", json!({"id": bus})).await;
            if data["bus"]["passengerCount"] == passengers { Ok(()) } else { Err(format!("{bus}: {data}")) }
        })
        .await;
    }

    let gps = read_all(&brokers, "transport.gps").await;
    assert!(gps.len() > 2 && gps.iter().any(|record| record.key.as_deref() == Some(b"guest-2")), "{}", gps.len());
    let fulls = read_all(&brokers, "state.full").await;
    let last = fulls.last().expect("a full");
    assert_eq!((last.header("type"), last.header("version")), (Some("full-state"), Some("1.0")));
    assert!(last.json()["districts"].as_array().is_some_and(|districts| districts.len() == 5));

    // The same by `follow`: the state, once, as JSON.
    let once = citytwin(&["follow", "--once", "--format", "json"], &settings, "").await;
    assert!(once.status.success(), "{}", String::from_utf8_lossy(&once.stderr));
    let state: Value = serde_json::from_slice(&once.stdout).expect("one JSON value");
    assert_eq!(state["cityId"], last.json()["cityId"]);

    // A recording of it can be taken as well.
    let recorded = folder.path().join("recorded.ndjson.zst");
    let args = ["record", &recorded.display().to_string(), "--until-end", "--topics", "transport.gps"];
    let record = citytwin(&args, &settings, "").await;
    assert!(record.status.success(), "{}", String::from_utf8_lossy(&record.stderr));
    assert!(recorded.metadata().expect("a file").len() > 100);

    // The offsets in its store are known as this broker's.
    let data = server.folder().join("data").display().to_string();
    let settings = [settings[0], ("REDIS_URL", "embedded"), ("DATA_DIR", &data)];
    let shown = citytwin(&["offsets", "show", "--format", "json"], &settings, "").await;
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let shown: Vec<Value> = serde_json::from_slice(&shown.stdout).expect("JSON");
    let stored: Vec<&Value> = shown.iter().filter(|it| !it["offset"].is_null()).collect();
    assert!(!stored.is_empty() && stored.iter().all(|it| it["foreign"] == false), "{shown:?}");
}

#[tokio::test]
async fn every_full_of_the_demo_is_what_its_incrementals_lead_to() {
    let port = ports::free();
    let _server = demo(port).await;
    let brokers = format!("127.0.0.1:{port}");
    let args = ["follow", "--verify", "--until-full", "6", "--kafka-brokers", &brokers];
    let follow = citytwin(&args, &[], "").await;
    let said = String::from_utf8_lossy(&follow.stdout);
    assert!(follow.status.success(), "{said}{}", String::from_utf8_lossy(&follow.stderr));
    assert!(said.contains("1 fulls taken, 0 gaps, 5 fulls verified, 0 breaks"), "{said}");
}

/// A message of a state topic.
fn message(topic: &str, value: &Value, previous: Option<&str>) -> Record {
    let mut record = Record::new(topic, "c", &value.to_string());
    record.headers = vec![("epoch".to_owned(), Some(b"7".to_vec()))];
    record.headers.extend(previous.map(|at| ("previousTimestamp".to_owned(), Some(at.as_bytes().to_vec()))));
    record
}

const AT: [&str; 3] = ["2026-01-05T00:00:00.000Z", "2026-01-05T00:00:01.000Z", "2026-01-05T00:00:02.000Z"];

fn full(at: usize, value: i32) -> Record {
    message("state.full", &json!({"cityId": "c", "timestamp": AT[at], "value": value}), None)
}

fn incremental(to: usize, old: i32, new: i32) -> Record {
    let delta = json!({"timestamp": [AT[to - 1], AT[to]], "value": [old, new]});
    let value = json!({"cityId": "c", "timestamp": AT[to], "delta": delta});
    message("state.incremental", &value, Some(AT[to - 1]))
}

/// `citytwin follow --verify`, which has taken its first full.
fn following(brokers: &str, args: &[&str]) -> (Child, impl BufRead + use<>) {
    let mut child = Command::new(binary())
        .args(["follow", "--verify"])
        .args(args)
        .env("KAFKA_BROKERS", brokers)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("citytwin starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("the state is that of") {
        line.clear();
        assert!(out.read_line(&mut line).expect("text") > 0, "it ended");
    }
    (child, out)
}

#[tokio::test]
async fn follow_verifies_a_full_that_comes_late_and_names_the_first_break() {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    create_topics(&brokers, &["state.full", "state.incremental"].map(|topic| Topic::for_recording(topic, 1))).await;

    // A full that is overtaken by the next incremental is checked all the same.
    produce(&brokers, [full(0, 1)]).await;
    let (child, mut out) = following(&brokers, &["--until-full", "2"]);
    produce(&brokers, [incremental(1, 1, 2), incremental(2, 2, 3)]).await;
    let mut line = String::new();
    while !line.contains(AT[2]) {
        line.clear();
        assert!(out.read_line(&mut line).expect("text") > 0, "it ended");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    produce(&brokers, [full(1, 2)]).await;
    let rest: Vec<String> = out.lines().map(|line| line.expect("text")).collect();
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("verified") && line.contains(AT[1])), "{rest:?}");

    let (child, out) = following(&brokers, &[]);
    produce(&brokers, [full(2, 4)]).await;
    let rest: Vec<String> = out.lines().map(|line| line.expect("text")).collect();
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{rest:?} {said}");
    for part in [AT[2], "$.value", "expected 4", "found 3"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(rest.iter().any(|line| line.contains("BROKEN")), "{rest:?}");
}
