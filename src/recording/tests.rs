//! A recording played into the embedded broker and taken from it again.

use std::{borrow::Cow, collections::BTreeMap, path::Path, time::Duration};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    config::{Brokers, KafkaConfig},
    kafka::{Cluster, EmbeddedBroker},
};

fn start() -> (EmbeddedBroker, Cluster) {
    let broker = EmbeddedBroker::start(6, None).unwrap();
    let config = KafkaConfig {
        brokers: Brokers::Embedded,
        client_id: "test".into(),
        group_id: "test".into(),
        common: BTreeMap::new(),
        consumer: BTreeMap::new(),
        producer: BTreeMap::new(),
        topic_partitions: 6,
        topic_replication: None,
        embedded_port: 0,
    };
    let cluster = Cluster::embedded(&config, &broker);
    (broker, cluster)
}

type Owned = (String, Option<Vec<u8>>, i64, Option<Vec<u8>>);

fn written(path: &Path, events: &[Owned]) {
    let mut writer = Writer::create(path).unwrap();
    for (topic, key, timestamp, value) in events {
        let line = Line {
            topic: Cow::Borrowed(topic),
            key: key.as_deref().map(Cow::Borrowed),
            timestamp: *timestamp,
            value: value.as_deref().map(Cow::Borrowed),
        };
        writer.write(&line).unwrap();
    }
    writer.finish().unwrap();
}

fn read(path: &Path) -> Vec<Owned> {
    let mut lines = Lines::open(path).unwrap();
    let mut events = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        let own = |bytes: Option<Cow<'_, [u8]>>| bytes.map(Cow::into_owned);
        events.push((line.topic.into_owned(), own(line.key), line.timestamp, own(line.value)));
    }
    events
}

fn events() -> Vec<Owned> {
    (0..2000_i64)
        .map(|n| {
            let topic = ["transport.gps", "transport.stations", "twin.dead-letter"][n as usize % 3];
            let key = (n % 7 != 0).then(|| format!("bus-{}", n % 5).into_bytes());
            let value = match n % 11 {
                0 => None,
                1 => Some(b"\xff{".to_vec()),
                _ => Some(format!(r#"{{"n": {n},"lastUpdated":"2026-01-05T00:00:00.{:03}Z"}}"#, n % 1000).into_bytes()),
            };
            (topic.to_owned(), key, 1_767_571_200_000 + n, value)
        })
        .collect()
}

fn options(start: Start, until_end: bool) -> RecordOptions {
    let topics = ["transport.gps", "transport.stations", "twin.dead-letter"].map(str::to_owned).to_vec();
    RecordOptions { topics, start, until_end }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_played_is_what_is_recorded() {
    let (_broker, cluster) = start();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("a.ndjson.gz"), folder.path().join("b.ndjson.zst"));
    let events = events();
    written(&from, &events);
    let max = ReplayOptions { speed: Speed::Max, ..ReplayOptions::default() };
    let plan = plan(&cluster, &from, max).await.unwrap();
    assert_eq!((plan.survey.events, plan.survey.topics.len()), (2000, 3));
    assert_eq!(plan.survey.span, Some((1_767_571_200_000, 1_767_571_201_999)));
    let (created, warnings) = (&plan.created, &plan.warnings);
    assert!(created.is_empty() && warnings.is_empty(), "{created:?} {warnings:?}");
    let summary = replay(&cluster, plan, CancellationToken::new(), |_| {}).await.unwrap();
    assert!(summary.complete);
    assert_eq!((summary.progress.sent, summary.progress.acknowledged), (2000, 2000));

    let recorded =
        record(&cluster, &to, options(Start::Earliest, true), CancellationToken::new(), |_| {}).await.unwrap();
    assert!(recorded.complete);
    assert_eq!((recorded.progress.events, recorded.progress.of), (2000, Some(2000)));
    // All times differ, so merging by time gives the very order back.
    assert_eq!(read(&to), events);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_moved_to_now_and_gaps_are_kept() {
    let (_broker, cluster) = start();
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("a.ndjson"), folder.path().join("b.ndjson"));
    let events = &events()[2..5];
    let event = |n: usize, at: i64| {
        let (topic, key, time, value) = events[n].clone();
        (topic, key, time + at, value)
    };
    written(&from, &[event(0, 0), event(1, 400), event(2, 800)]);
    let stamped = ReplayOptions { speed: "2".parse().unwrap(), stamp: Stamp::Now, ..ReplayOptions::default() };
    let plan = plan(&cluster, &from, stamped).await.unwrap();
    let before = jiff::Timestamp::now().as_millisecond();

    // Recorded while it is played.
    let (stop, live) = (CancellationToken::new(), options(Start::Now, false));
    let (counted, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let recording = tokio::spawn({
        let (cluster, to, stop) = (cluster.clone(), to.clone(), stop.clone());
        async move {
            record(&cluster, &to, live, stop, move |progress| {
                let _ = counted.send(progress.events);
            })
            .await
        }
    });
    seen.recv().await.unwrap();
    let summary = replay(&cluster, plan, CancellationToken::new(), |_| {}).await.unwrap();
    assert!(summary.elapsed >= Duration::from_millis(400), "{:?}", summary.elapsed);
    while seen.recv().await.unwrap() < 3 {}
    stop.cancel();
    recording.await.unwrap().unwrap();

    let recorded = read(&to);
    let first = recorded[0].2;
    assert!((first - before).abs() < 10_000, "{first} {before}");
    let gaps: Vec<i64> = recorded.iter().map(|event| event.2 - first).collect();
    assert_eq!(gaps, [0, 401, 802]);
    for (n, (.., value)) in recorded.iter().enumerate() {
        let value: serde_json::Value = serde_json::from_slice(value.as_deref().unwrap()).unwrap();
        let time: jiff::Timestamp = value["lastUpdated"].as_str().unwrap().parse().unwrap();
        let moved = first - events[0].2;
        assert_eq!(time.as_millisecond(), 1_767_571_200_000 + 2 + n as i64 + moved);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_or_taken_is_told() {
    let (_broker, cluster) = start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    std::fs::write(&path, "").unwrap();
    let nothing = plan(&cluster, &path, ReplayOptions::default()).await;
    assert!(matches!(nothing, Err(RecordingError::Empty)));
    std::fs::write(&path, "{\"topic\":\"transport.gps\",\"timestamp\":1}\n{}\n").unwrap();
    let wrong = plan(&cluster, &path, ReplayOptions::default()).await;
    assert!(matches!(wrong, Err(RecordingError::Line { number: 2, .. })));
    let mut other = options(Start::Now, true);
    other.topics.push("nothing.here".into());
    let missing = record(&cluster, &path, other, CancellationToken::new(), |_| {}).await;
    assert!(matches!(missing, Err(RecordingError::NoTopic(topic)) if topic == "nothing.here"));
    for wrong in ["0", "-1", "nan", "inf", "fast", ""] {
        assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
    }
}
