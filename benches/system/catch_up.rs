//! Catching up with a million events from a real Kafka on the same cores.

use std::time::{Duration, Instant};

use citytwin::{
    config::{Brokers, KafkaConfig},
    kafka::{Cluster, PartitionReader, Polled, Position},
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use crate::{
    common::{
        kafka::{Kafka, Topic, create_topics},
        redis::Redis,
        server::Server,
    },
    core::timed,
    events::{Load, TOPICS},
    machine, produce,
    report::Figure,
    scrape::Scrape,
};

const EVENTS: usize = 1_000_000;
const PARTITIONS: i32 = 6;

/// What one start took until it was ready.
#[derive(Clone, Copy)]
struct Start {
    cpu: Duration,
    wall: Duration,
    peak: f64,
}

pub async fn run() -> Vec<Figure> {
    let load = tokio::task::spawn_blocking(Load::open).await.expect("events");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("city.json");
    std::fs::write(&file, &load.city_file).expect("the folder is ours");
    let (redis, city_file) = (Redis::start(), file.display().to_string());
    let mut figures = Vec::new();
    let mut empty = None;
    for (codec, runs) in [("none", 3), ("gzip", 1), ("lz4", 1), ("zstd", 1)] {
        let kafka = Kafka::fresh().await;
        let brokers = kafka.brokers();
        create_topics(&brokers, &TOPICS.map(|name| Topic::for_recording(name, PARTITIONS))).await;
        let settings = [
            ("KAFKA_BROKERS", brokers.as_str()),
            ("REDIS_URL", &redis.url()),
            ("CITY_FILE", &city_file),
            ("LOG_LEVEL", "warn"),
        ];
        let empty = match empty {
            Some(empty) => empty,
            None => *empty.insert(start(&settings, &redis, 0).await),
        };
        tokio::task::block_in_place(|| produce::fill(&brokers, codec, load.events(EVENTS)));
        let mut starts = Vec::new();
        for _ in 0..runs {
            starts.push(start(&settings, &redis, EVENTS).await);
        }
        starts.sort_by_key(|start| start.cpu);
        figures.extend(figures_of(codec, &starts, empty, &load));
        let (alone, _, read) = tokio::task::block_in_place(|| timed(|| bare(&brokers)));
        assert_eq!(read, EVENTS, "bare librdkafka");
        let name = codec_name(codec);
        figures.push(
            per_event(format!("reading alone, one queue ({name})"), alone)
                .note("librdkafka, no decoding; this process"),
        );
        if codec == "none" {
            let (ours, _, read) = tokio::task::block_in_place(|| timed(|| our_reader(&brokers)));
            assert_eq!(read, EVENTS, "our reader");
            figures.push(
                per_event(format!("reading alone, a queue a partition ({name})"), ours)
                    .note("our PartitionReader, no decoding"),
            );
        }
    }
    figures
}

fn codec_name(codec: &str) -> &str {
    if codec == "none" { "uncompressed" } else { codec }
}

fn per_event(what: String, cpu: Duration) -> Figure {
    Figure::new(what, cpu.as_secs_f64() * 1e6 / EVENTS as f64, "us CPU an event")
}

fn figures_of(codec: &str, starts: &[Start], empty: Start, load: &Load) -> Vec<Figure> {
    let name = codec_name(codec);
    let best = starts[0];
    let spread: Vec<String> = starts
        .iter()
        .map(|s| format!("{:.2}", s.cpu.checked_sub(empty.cpu.min(s.cpu)).unwrap().as_secs_f64() * 1e6 / EVENTS as f64))
        .collect();
    let cpu = per_event(format!("catching up, {name}"), best.cpu.saturating_sub(empty.cpu)).note(format!(
        "server's CPU less an empty start ({:.2} s); runs: {}; peak memory {:.0} MB",
        empty.cpu.as_secs_f64(),
        spread.join(", "),
        best.peak / 1e6
    ));
    let wall = starts.iter().map(|s| s.wall).min().unwrap_or_default().saturating_sub(empty.wall);
    let rate = Figure::new(format!("catching up, {name}"), EVENTS as f64 / wall.as_secs_f64(), "events/s").note(
        format!("{EVENTS} events of {:.0} B, {PARTITIONS} partitions a topic, Redis; wall time", load.mean_bytes()),
    );
    if codec == "none" { vec![cpu.at_most(0.9), rate.at_least(700_000.0)] } else { vec![cpu, rate] }
}

/// Starts a server on an empty store, and waits until it has caught up and is ready.
async fn start(settings: &[(&str, &str)], redis: &Redis, events: usize) -> Start {
    redis.flush_all();
    let mut server = crate::server(settings);
    let began = Instant::now();
    server.launch();
    until_ready(&server, Duration::from_millis(20)).await;
    let wall = began.elapsed();
    let (cpu, peak) = (machine::cpu(server.pid()), machine::memory(server.pid(), "VmHWM"));
    let metrics = Scrape::of(&server).await;
    let folded = metrics.sum("citytwin_events_total", "");
    assert_eq!(folded, events as f64, "events folded");
    let refused = metrics.sum("citytwin_events_total", "rejected");
    if refused > 0.0 {
        eprintln!("{refused} of {events} events were refused");
    }
    server.kill();
    Start { cpu, wall, peak }
}

/// Asks `/readyz` until it says yes. What the asking costs the server is part of both starts that are compared.
pub async fn until_ready(server: &Server, every: Duration) {
    let began = Instant::now();
    while !server.get("/readyz").await.is_ok_and(|answer| answer.status() == 200) {
        assert!(began.elapsed() < Duration::from_secs(120), "not ready:\n{}", server.log());
        tokio::time::sleep(every).await;
    }
}

fn cluster(brokers: &str) -> Cluster {
    let config = KafkaConfig {
        brokers: Brokers::List(brokers.to_owned()),
        client_id: "bench".into(),
        group_id: "bench".into(),
        common: Default::default(),
        consumer: Default::default(),
        producer: Default::default(),
        topic_partitions: PARTITIONS,
        topic_replication: None,
        embedded_port: 0,
    };
    Cluster::remote(&config).expect("a list of brokers")
}

fn partitions() -> impl Iterator<Item = (&'static str, i32)> {
    TOPICS.into_iter().flat_map(|topic| (0..PARTITIONS).map(move |partition| (topic, partition)))
}

/// Reads everything with the server's fetch settings through one queue; how many records.
fn bare(brokers: &str) -> usize {
    let consumer: BaseConsumer = cluster(brokers).consumer_config().create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    for (topic, partition) in partitions() {
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&list).expect("assigned");
    let (mut read, mut left) = (0, list.count());
    while left > 0 {
        match consumer.poll(Duration::from_secs(30)) {
            Some(Ok(_)) => read += 1,
            Some(Err(KafkaError::PartitionEOF(_))) => left -= 1,
            other => panic!("{other:?}"),
        }
    }
    read
}

/// Reads everything as the server does; how many records.
fn our_reader(brokers: &str) -> usize {
    let positions: Vec<Position> =
        partitions().map(|(topic, partition)| Position::new(topic, partition, Position::EARLIEST)).collect();
    let mut reader = PartitionReader::open(&cluster(brokers).consumer_config(), &positions).expect("a reader");
    let (mut read, mut ended) = (0, vec![false; positions.len()]);
    while !ended.iter().all(|&end| end) {
        reader.poll(1000, Duration::from_millis(100), |index, polled| match polled {
            Polled::Record(_) => read += 1,
            Polled::End => ended[index] = true,
            Polled::OutOfRange => panic!("out of range"),
            Polled::Failed(error) => panic!("{error}"),
        });
    }
    reader.close(Duration::from_secs(5));
    read
}
