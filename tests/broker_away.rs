//! Kafka goes away: readiness says so, nothing else stops, and it heals by itself.

use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{
    city::{self, bus, folded, metric, row},
    eventually,
    kafka::{Broker, Record, produce},
    ports,
    redis::Redis,
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A broker that may be killed, with the input topics, and a city file.
struct Site {
    broker: Broker,
    file: String,
    _folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        let (folder, file) = city::city_file_on_disk(&city::city_file());
        let broker = tokio::task::spawn_blocking(Broker::start).await.expect("Kafka starts");
        city::create_topics(&broker.brokers(), 1).await;
        Self { broker, file, _folder: folder }
    }

    async fn ready(&self, redis_url: &str) -> Server {
        Server::start_ready(&[
            ("KAFKA_BROKERS", &self.broker.brokers()),
            ("REDIS_URL", redis_url),
            ("CITY_FILE", &self.file),
            ("LEASE_MS", "1000"),
            ("FLUSH_INTERVAL_MS", "100"),
            ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "200"),
        ])
        .await
    }

    /// Sends events and waits until so many are folded.
    async fn fold(&self, server: &Server, records: Vec<Record>, all: u64) {
        produce(&self.broker.brokers(), records).await;
        eventually(PATIENCE, || async {
            let folded = folded(server).await;
            if folded == all { Ok(()) } else { Err(format!("{folded} of {all}")) }
        })
        .await;
    }
}

/// What readiness says of Kafka, and whether readers are let in.
async fn kafka_fault(server: &Server) -> (Option<String>, bool) {
    let answer = server.get("/readyz").await.expect("an answer");
    let now: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    let faults = now["degraded"].as_array().cloned().unwrap_or_default();
    let mut of_kafka = faults.iter().filter(|fault| fault["what"] == "kafka" && fault["state"] == "down");
    let message = of_kafka.next().map(|fault| fault["message"].to_string());
    assert!(of_kafka.next().is_none(), "it is said once: {now}");
    (message, now["ready"] == true)
}

async fn until_kafka_is(server: &Server, down: bool) {
    eventually(PATIENCE, || async {
        let (fault, ready) = kafka_fault(server).await;
        assert!(ready, "readers are still served");
        if fault.is_some() == down { Ok(()) } else { Err(format!("{fault:?}")) }
    })
    .await;
}

/// An orderly end: the last flush done, the lease given back.
fn stop_in_order(server: &mut Server) {
    server.stop_cleanly();
    let log = server.log();
    for wrong in ["did not end in time", "last flush was not confirmed", "lease not given back"] {
        assert!(!log.contains(wrong), "{wrong}");
    }
}

#[tokio::test]
async fn a_broker_that_dies_is_named_until_it_is_back_and_holds_no_end_up() {
    let mut site = Site::new().await;
    let mut server = site.ready("embedded").await;
    site.fold(&server, vec![bus("b1", 0, 42.35)], 1).await;
    assert_eq!(kafka_fault(&server).await, (None, true));
    let is_librdkafkas = |line: &&str| line.contains("kafka client") || line.contains("kafka error");
    let said = |server: &Server| server.log().lines().filter(is_librdkafkas).count();

    let (before, killed) = (said(&server), Instant::now());
    site.broker.kill();
    until_kafka_is(&server, true).await;
    eventually(PATIENCE, || async {
        let up = metric(&server, "citytwin_broker_up", &[]).await;
        if up == 0.0 { Ok(()) } else { Err(format!("citytwin_broker_up is {up}")) }
    })
    .await;
    let (lines, most) = (said(&server) - before, killed.elapsed().as_secs() as usize + 2);
    assert!(0 < lines && lines <= most, "{lines} lines of librdkafka in {:?}", killed.elapsed());

    // Nothing new comes by the topics: that they can be read again is known all the same.
    site.broker.start_again();
    until_kafka_is(&server, false).await;
    site.fold(&server, vec![bus("b2", 1000, 42.36)], 2).await;

    site.broker.kill();
    until_kafka_is(&server, true).await;
    stop_in_order(&mut server);
}

#[tokio::test]
async fn a_broker_that_was_never_there_holds_no_end_up() {
    let nowhere = format!("127.0.0.1:{}", ports::free());
    let mut server = Server::start(&[("KAFKA_BROKERS", &nowhere), ("REDIS_URL", "embedded"), ("CITY_ID", "c")]).await;
    // It listens, and asks Kafka: a question of ten seconds.
    let start = Instant::now();
    stop_in_order(&mut server);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_store_that_is_emptied_meanwhile_is_written_anew_and_the_end_is_in_order() {
    let mut site = Site::new().await;
    let redis = Redis::start();
    let mut server = site.ready(&redis.url()).await;
    site.fold(&server, vec![bus("b1", 0, 42.35)], 1).await;
    let stored = || async {
        let bus = row(&redis, city::CITY, "buses", "b1").await;
        if bus.is_object() { Ok(()) } else { Err("the store does not hold the bus") }
    };
    eventually(PATIENCE, stored).await;
    site.broker.kill();
    until_kafka_is(&server, true).await;
    redis.flush_all();
    // Nothing changes any more that would make a flush, and Kafka cannot say above what the next token has to be.
    eventually(PATIENCE, stored).await;
    stop_in_order(&mut server);
}
