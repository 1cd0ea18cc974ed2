//! `citytwin replay` and `citytwin record` against a real Kafka, with recorded days.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::common::{
    data::{self, Recording},
    eventually,
    kafka::{self, Kafka, Record, Topic, create_topics, produce, read_all},
    node,
    server::{binary, citytwin},
};

/// One line of a recording, its value as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Event {
    topic: String,
    key: Option<String>,
    timestamp: i64,
    value: Option<String>,
}

fn events(path: &Path) -> Vec<Event> {
    #[derive(Deserialize)]
    struct Line {
        topic: String,
        key: Option<String>,
        timestamp: i64,
        value: Option<Box<RawValue>>,
    }
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let packed = path.extension().is_some_and(|ending| ending == "gz");
    let input: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let read = |line: std::io::Result<String>| {
        let Line { topic, key, timestamp, value } = serde_json::from_str(&line.expect("text")).expect("a line");
        Event { topic, key, timestamp, value: value.map(|value| value.get().to_owned()) }
    };
    BufReader::new(input).lines().map(read).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn run(args: &[&str], brokers: &str) -> Output {
    citytwin(args, &[("KAFKA_BROKERS", brokers)], "").await
}

async fn done(args: &[&str], brokers: &str) -> Output {
    let output = run(args, brokers).await;
    assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

#[tokio::test]
async fn a_made_up_day_goes_through_kafka_and_comes_back() {
    there_and_back(&data::town()).await;
}

#[tokio::test]
async fn the_recorded_day_goes_through_kafka_and_comes_back() {
    if let Some(recording) = data::mosaic() {
        there_and_back(&recording).await;
    }
}

async fn there_and_back(recording: &Recording) {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    let folder = tempfile::tempdir().expect("a folder");
    let back = folder.path().join("back.ndjson.gz");
    let (day, file) = (recording.day.display().to_string(), back.display().to_string());

    let missing = run(&["replay", &day, "--speed", "max"], &brokers).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("does not exist; --create-topics"), "{}", text(&missing.stderr));

    let played = done(&["replay", &day, "--speed", "max", "--create-topics"], &brokers).await;
    let said = text(&played.stderr);
    assert!(said.contains("topic transport.gps created") && !said.contains("warning"), "{said}");
    let mut sent = events(&recording.day);
    let count = sent.len();
    assert!(text(&played.stdout).contains(&format!("{count} of {count} events")), "{}", text(&played.stdout));
    done(&["record", &file, "--until-end"], &brokers).await;
    let again = run(&["record", &file, "--until-end"], &brokers).await;
    assert_eq!(again.status.code(), Some(1), "a file that is there is not written over");

    let mut got = events(&back);
    assert!(got.is_sorted_by_key(|event| event.timestamp), "merged by time");
    same_order_within_partitions(&brokers, &sent, &got).await;
    sent.sort_unstable();
    got.sort_unstable();
    assert_eq!(sent.len(), got.len());
    let differs = sent.iter().zip(&got).find(|(sent, got)| sent != got);
    assert!(differs.is_none(), "{differs:?}");
}

/// Checks that of each partition the recording and the file hold the records in the order that Kafka has.
async fn same_order_within_partitions(brokers: &str, sent: &[Event], got: &[Event]) {
    let topics: std::collections::BTreeSet<&str> = sent.iter().map(|event| event.topic.as_str()).collect();
    assert_eq!(topics.len(), 9);
    let mut partition_of: HashMap<(String, Option<String>), i32> = HashMap::new();
    let mut in_kafka: BTreeMap<(String, i32), Vec<Event>> = BTreeMap::new();
    for topic in topics {
        for record in read_all(brokers, topic).await {
            let string = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).expect("text"));
            let (key, partition) = (string(record.key), record.partition.expect("read"));
            let before = partition_of.insert((topic.to_owned(), key.clone()), partition);
            assert!(before.is_none_or(|before| before == partition), "{topic} {key:?} is in two partitions");
            let timestamp = record.timestamp.expect("a time");
            let event = Event { topic: topic.to_owned(), key, timestamp, value: string(record.value) };
            in_kafka.entry((topic.to_owned(), partition)).or_default().push(event);
        }
    }
    for (what, events) in [("the recording", sent), ("what was recorded", got)] {
        let mut split: BTreeMap<(String, i32), Vec<&Event>> = BTreeMap::new();
        for event in events {
            let partition = partition_of[&(event.topic.clone(), event.key.clone())];
            split.entry((event.topic.clone(), partition)).or_default().push(event);
        }
        assert_eq!(split.len(), in_kafka.len(), "{what}");
        for (partition, events) in &split {
            let same = events.iter().copied().eq(&in_kafka[partition]);
            assert!(same, "{what} has another order in {partition:?}");
        }
    }
}

const DAY: i64 = 24 * 3600 * 1000;

fn written(folder: &Path, events: impl Iterator<Item = (String, i64)>) -> String {
    let lines: Vec<String> = events
        .map(|(key, at)| {
            let time = jiff::Timestamp::from_millisecond(at).expect("a time");
            format!(
                r#"{{"topic":"transport.gps","key":"{key}","timestamp":{at},"value":{{"busId":"{key}","lastUpdated":"{time:.3}"}}}}"#
            )
        })
        .collect();
    let path = folder.join("made.ndjson");
    std::fs::write(&path, lines.join("\n")).expect("ours");
    path.display().to_string()
}

#[tokio::test]
async fn replay_warns_where_the_broker_would_delete_what_it_plays() {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    let week = Topic { name: "transport.gps", partitions: 1, config: vec![("retention.ms", "604800000")] };
    create_topics(&brokers, &[week]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let old = jiff::Timestamp::now().as_millisecond() - 30 * DAY;
    let file = written(folder.path(), [("a".to_owned(), old)].into_iter());
    let said = text(&done(&["replay", &file, "--speed", "max"], &brokers).await.stderr);
    for part in ["warning", "transport.gps", "168 hours", "720 hours", "retention.ms"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let said = text(&done(&["replay", &file, "--speed", "max", "--stamp", "now"], &brokers).await.stderr);
    assert!(!said.contains("warning"), "{said}");
}

#[tokio::test]
async fn stamp_now_moves_all_times_alike_and_gaps_are_kept() {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    create_topics(&brokers, &[Topic::for_recording("transport.gps", 1)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let start = 1_767_571_200_000;
    let file = written(folder.path(), (0..5).map(|n| ("a".to_owned(), start + n * 600)));
    let began = std::time::Instant::now();
    let before = jiff::Timestamp::now().as_millisecond();
    done(&["replay", &file, "--stamp", "now", "--speed", "2"], &brokers).await;
    assert!(began.elapsed() >= Duration::from_millis(1200), "2.4 s at twice the speed took {:?}", began.elapsed());
    let records = read_all(&brokers, "transport.gps").await;
    assert_eq!(records.len(), 5);
    let first = records[0].timestamp.expect("a time");
    assert!((before..before + 30_000).contains(&first), "{first} is not about {before}");
    for (n, record) in records.iter().enumerate() {
        assert_eq!(record.timestamp, Some(first + n as i64 * 600));
        let time: jiff::Timestamp = record.json()["lastUpdated"].as_str().expect("text").parse().expect("a time");
        assert_eq!(time.as_millisecond(), first + n as i64 * 600);
    }
}

#[tokio::test]
async fn record_ends_in_order_at_ctrl_c_and_a_stopped_replay_says_so() {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    create_topics(&brokers, &[Topic::for_recording("transport.gps", 3)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("live.ndjson.gz");
    let start = |args: &[&str]| {
        Command::new(binary())
            .args(args)
            .env("KAFKA_BROKERS", &brokers)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("citytwin starts")
    };
    let interrupt = |pid: u32| {
        let status = Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill is there");
        assert!(status.success());
    };
    let recording = start(&["record", &path.display().to_string(), "--topics", "transport.gps", "--from", "earliest"]);
    produce(&brokers, (0..50).map(|n| Record::new("transport.gps", &format!("bus-{}", n % 7), "{}").at(1000 + n)))
        .await;
    // What is packed is not on the disk before the end: only time tells that the records were read.
    eventually(Duration::from_secs(20), || async { if path.exists() { Ok(()) } else { Err("no file yet") } }).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    interrupt(recording.id());
    let output = recording.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(" 50 events"), "{}", text(&output.stdout));
    assert_eq!(events(&path).len(), 50);

    let file = written(folder.path(), (0..2).map(|n| ("a".to_owned(), 1_767_571_200_000 + n * DAY)));
    let playing = start(&["replay", &file]);
    eventually(Duration::from_secs(20), || async {
        let there = read_all(&brokers, "transport.gps").await.len();
        if there == 51 { Ok(()) } else { Err(format!("{there} records")) }
    })
    .await;
    interrupt(playing.id());
    let output = playing.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains(" 1 of 2 events"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("stopped before the end"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_wrong_line_is_named_before_anything_is_sent() {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    create_topics(&brokers, &[Topic::for_recording("transport.gps", 1)]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = written(folder.path(), [("a".to_owned(), 1)].into_iter());
    std::fs::write(&file, std::fs::read_to_string(&file).expect("ours") + "\nnonsense\n").expect("ours");
    let output = run(&["replay", &file, "--speed", "max"], &brokers).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("made.ndjson") && said.contains("line 2"), "{said}");
    assert_eq!(read_all(&brokers, "transport.gps").await.len(), 0);
}

#[tokio::test]
async fn keys_stand_in_the_partitions_that_kafkajs_chooses() {
    let brokers = kafka::brokers();
    let topics = ["partitioning.kafkajs", "partitioning.citytwin"];
    create_topics(&brokers, &topics.map(|topic| Topic::for_recording(topic, 7))).await;
    let keys: Vec<String> = (0..500).map(|n| format!("{}-{n}", ["bus", "città", "b", "sensör"][n % 4])).collect();
    let json = serde_json::to_string(&keys).expect("JSON");
    node::run("kafkajs_produce.mjs", &[&brokers, topics[0]], &json).await;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.ndjson");
    let line =
        |key: &String| serde_json::json!({"topic": topics[1], "key": key, "timestamp": 1, "value": {}}).to_string();
    std::fs::write(&file, keys.iter().map(line).collect::<Vec<_>>().join("\n")).expect("ours");
    done(&["replay", &file.display().to_string(), "--speed", "max"], &brokers).await;

    let mut chosen = Vec::new();
    for topic in topics {
        let records = read_all(&brokers, topic).await;
        chosen.push(records.into_iter().map(|r| (r.key, r.partition)).collect::<BTreeMap<_, _>>());
    }
    assert_eq!((chosen[0].len(), chosen[1].len()), (500, 500));
    assert_eq!(chosen[0], chosen[1]);
}
