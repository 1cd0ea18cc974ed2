//! What may happen to a partition: it comes late, it loses its oldest records, it ends with what is no record.

use std::time::Duration;

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
    topic_partition_list::TopicPartitionListElem,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{
    city::{self, bus, folded, metric, stored_offsets},
    eventually,
    kafka::{self, Kafka, Record},
    redis::Redis,
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(60);
const GPS: &str = "transport.gps";

/// A Kafka whose input topics have one partition each, and a Redis.
struct Site {
    kafka: Kafka,
    redis: Redis,
    file: String,
    _folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        let (folder, file) = city::city_file_on_disk(&city::city_file());
        let kafka = Kafka::fresh().await;
        city::create_topics(&kafka.brokers(), 1).await;
        Self { kafka, redis: Redis::start(), file, _folder: folder }
    }

    async fn ready(&self) -> Server {
        Server::start_ready(&[
            ("KAFKA_BROKERS", &self.kafka.brokers()),
            ("REDIS_URL", &self.redis.url()),
            ("CITY_FILE", &self.file),
            ("LEASE_MS", "1000"),
            ("FLUSH_INTERVAL_MS", "100"),
            ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "200"),
        ])
        .await
    }

    /// Buses, one event each, and waits for nothing.
    async fn send(&self, buses: std::ops::Range<i64>) {
        kafka::produce(&self.kafka.brokers(), buses.map(|n| bus(&format!("b{n}"), n, 42.0))).await;
    }

    async fn stores(&self, offsets: i64) {
        eventually(PATIENCE, || async {
            let stored = stored_offsets(&self.redis, city::CITY).await;
            if stored == offsets { Ok(()) } else { Err(format!("offsets of {stored} records, not {offsets}")) }
        })
        .await;
    }

    /// What retention does to a partition: the records before an offset go.
    async fn delete_before(&self, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(GPS, 0, Offset::Offset(offset)).expect("an offset");
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let deleted = self.admin().delete_records(&list, &options).await.expect("the broker answers");
        deleted.elements()[0].error().expect("they may be deleted");
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().expect("an admin client")
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.kafka.brokers());
        config
    }
}

async fn folds(server: &Server, count: u64) {
    eventually(PATIENCE, || async {
        let now = folded(server).await;
        if now == count { Ok(()) } else { Err(format!("{now} events folded, not {count}")) }
    })
    .await;
}

async fn degraded(server: &Server) -> Vec<Value> {
    server.get_json("/readyz").await["degraded"].as_array().cloned().unwrap_or_default()
}

/// Of the one partition of a topic: how often records were gone, and how many.
async fn lost(server: &Server) -> (f64, f64) {
    let labels = [&format!("topic=\"{GPS}\"")[..], "partition=\"0\""];
    let gaps = metric(server, "citytwin_offset_gaps_total", &labels).await;
    (gaps, metric(server, "citytwin_lost_offsets_total", &labels).await)
}

fn says_lost(faults: &[Value], from: i64) -> bool {
    let what = format!("{GPS}/0");
    faults.iter().any(|fault| {
        fault["what"] == what.as_str()
            && fault["state"] == "lost"
            && fault["message"].as_str().is_some_and(|message| message.contains(&format!("from offset {from} ")))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_retention_took_before_it_was_read_is_counted_and_shown() {
    let site = Site::new().await;
    let mut server = site.ready().await;
    site.send(0..10).await;
    site.stores(10).await;
    assert_eq!((degraded(&server).await.len(), lost(&server).await), (0, (0.0, 0.0)));
    server.stop_cleanly();
    site.send(10..20).await;
    site.delete_before(15).await;
    server.start_again().await;
    server.ready(PATIENCE).await;
    // It goes on at the earliest that is left.
    folds(&server, 5).await;
    let faults = degraded(&server).await;
    assert!(faults.len() == 1 && says_lost(&faults, 10), "{faults:?}");
    assert_eq!(lost(&server).await, (1.0, 5.0));
    let said = server.log().lines().filter(|line| line.contains("records were gone before they were read")).count();
    assert_eq!(said, 1, "it is said once");
}

/// The second city of a take-over is read by a reader of its own, and what that finds gone is shown as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_take_over_finds_gone_is_shown() {
    let site = Site::new().await;
    let mut writer = site.ready().await;
    site.send(0..10).await;
    site.stores(10).await;
    writer.stop_cleanly();
    // It folds on, and stores nothing of that.
    writer.set("FLUSH_INTERVAL_MS", "600000");
    writer.start_again().await;
    writer.ready(PATIENCE).await;
    let replica = site.ready().await;
    site.send(10..20).await;
    folds(&writer, 10).await;
    folds(&replica, 10).await;
    site.delete_before(20).await;
    writer.kill();
    eventually(PATIENCE, || async {
        let now = server_role(&replica).await;
        if now == "writer" { Ok(()) } else { Err(now) }
    })
    .await;
    eventually(PATIENCE, || async {
        let faults = degraded(&replica).await;
        if says_lost(&faults, 10) { Ok(()) } else { Err(format!("{faults:?}")) }
    })
    .await;
    site.send(20..21).await;
    site.stores(21).await;
    assert!(says_lost(&degraded(&replica).await, 10), "it stays");
}

async fn server_role(server: &Server) -> String {
    server.get_json("/readyz").await["role"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_partitions_are_read_and_the_offsets_of_the_group_follow() {
    let site = Site::new().await;
    let server = site.ready().await;
    site.send(0..10).await;
    folds(&server, 10).await;
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let made = site.admin().create_partitions(&[NewPartitions::new(GPS, 3)], &options).await;
    made.expect("the broker answers")[0].as_ref().expect("they may be made");
    let into = |partition: i32| Record { partition: Some(partition), ..bus(&format!("p{partition}"), 100, 42.5) };
    // The broker's other threads hear of them a moment later.
    eventually(PATIENCE, || async {
        let config = site.config();
        let count = tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.create().expect("a client");
            consumer.fetch_metadata(Some(GPS), PATIENCE).expect("an answer").topics()[0].partitions().len()
        });
        if count.await.expect("no panic") == 3 { Ok(()) } else { Err("not three yet") }
    })
    .await;
    kafka::produce(&site.kafka.brokers(), [into(1), into(2)]).await;
    // Exactly so many: the reader that is opened anew folds nothing twice.
    folds(&server, 12).await;
    site.stores(12).await;
    assert_eq!((degraded(&server).await.len(), lost(&server).await), (0, (0.0, 0.0)));

    let mut group = site.config();
    group.set("group.id", "state-manager-group");
    eventually(PATIENCE, || async {
        let group = group.clone();
        let committed = tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = group.create().expect("a client");
            let mut list = TopicPartitionList::new();
            list.add_partition_range(GPS, 0, 2);
            let committed = consumer.committed_offsets(list, PATIENCE).expect("an answer");
            committed.elements().iter().map(TopicPartitionListElem::offset).collect::<Vec<_>>()
        });
        let committed = committed.await.expect("no panic");
        if committed == [10, 1, 1].map(Offset::Offset) { Ok(()) } else { Err(format!("committed: {committed:?}")) }
    })
    .await;
}

/// A transaction ends with a marker, which takes an offset and is no record: the partition's end is past its last record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marker_at_the_end_is_no_loss_and_holds_no_start_up() {
    let site = Site::new().await;
    let mut config = site.config();
    config.set("transactional.id", "t");
    tokio::task::spawn_blocking(move || {
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
        producer.init_transactions(PATIENCE).expect("transactions");
        for id in ["t1", "t2"] {
            let Record { key, value, timestamp, .. } = bus(id, 0, 42.0);
            let (key, value) = (key.expect("a key"), value.expect("a value"));
            producer.begin_transaction().expect("begun");
            let record = BaseRecord::to(GPS).key(&key).payload(&value).timestamp(timestamp.expect("a time"));
            producer.send(record).map_err(|(error, _)| error).expect("queued");
            producer.commit_transaction(PATIENCE).expect("committed");
        }
    })
    .await
    .expect("no panic");
    // Readiness gives up waiting for the end after 60 seconds, and no boundary is made before it.
    let soon = Duration::from_secs(30);
    let mut server = Server::start(&[
        ("KAFKA_BROKERS", &site.kafka.brokers()),
        ("REDIS_URL", &site.redis.url()),
        ("CITY_FILE", &site.file),
        ("FLUSH_INTERVAL_MS", "100"),
    ])
    .await;
    for events in [2, 0] {
        server.ready(soon).await;
        assert_eq!(folded(&server).await, events);
        assert_eq!((degraded(&server).await.len(), lost(&server).await), (0, (0.0, 0.0)));
        site.stores(3).await;
        server.stop_cleanly();
        if events > 0 {
            server.start_again().await;
        }
    }
}
