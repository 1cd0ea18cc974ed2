//! What a stop and a crash leave behind.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{
    city::{self, bus, event, folded, incident, row, sensor, timeless_state},
    eventually,
    kafka::{self, Kafka, Record},
    redis::Redis,
    server::Server,
};

async fn folds(server: &Server, count: u64) {
    eventually(Duration::from_secs(60), || async {
        let now = folded(server).await;
        if now >= count { Ok(()) } else { Err(format!("{now} of {count} events folded")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_leaves_nothing_to_replay() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    city::create_topics(&kafka.brokers(), 6).await;
    let (_folder, file) = city::city_file_on_disk(&city::city_file());
    let mut server = Server::start_ready(&[
        ("KAFKA_BROKERS", &kafka.brokers()),
        ("REDIS_URL", &redis.url()),
        ("CITY_FILE", &file),
        // Only the last flush and the last boundary can hold what comes now.
        ("FLUSH_INTERVAL_MS", "600000"),
        ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "600000"),
    ])
    .await;
    let mut records: Vec<Record> =
        (0..2000).map(|i| bus(&format!("bus-{}", i % 50), i, 42.0 + i as f64 / 1e5)).collect();
    records.push(Record::new("transport.gps", "bad", "no JSON"));
    records.extend((0..100).map(|i| sensor("centro", &format!("s-{}", i % 10), i, i as f64)));
    kafka::produce(&kafka.brokers(), records).await;
    folds(&server, 2101).await;
    server.stop_cleanly();
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    assert_eq!(folded(&server).await, 0, "events were folded again");
    let state = server.get_json("/api/state").await;
    assert_eq!(state["publicTransport"]["buses"].as_array().expect("a list").len(), 50);
    assert_eq!(state["publicTransport"]["buses"][0]["lastUpdated"], city::time(1950));
    assert_eq!(kafka::read_all(&kafka.brokers(), "twin.dead-letter").await.len(), 1);

    // The lease was given back: the next start did not wait for it to run out, and nothing has changed meanwhile.
    let before = timeless_state(&server).await;
    server.stop_cleanly();
    assert_eq!(redis.cli(&["EXISTS", &format!("twin:{{{}}}:lease", city::CITY)]), "0");
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    assert_eq!(timeless_state(&server).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resolved_incident_waits_for_its_own_partition_over_a_crash() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    city::create_topics(&kafka.brokers(), 6).await;
    let (_folder, file) = city::city_file_on_disk(&city::city_file());
    let mut server = Server::start_ready(&[
        ("KAFKA_BROKERS", &kafka.brokers()),
        ("REDIS_URL", &redis.url()),
        ("CITY_FILE", &file),
        ("INCIDENT_RETENTION", "1h"),
        ("FLUSH_INTERVAL_MS", "100"),
        ("LEASE_MS", "1000"),
    ])
    .await;
    let in_partition = |record: Record, partition| Record { partition: Some(partition), ..record };
    let send = async |record: Record| kafka::produce(&kafka.brokers(), [record]).await;
    let stored = async |id: &str| row(&redis, city::CITY, "incidents", id).await;
    let hour = 3_600_000;
    send(in_partition(incident("fire", 0, "reported"), 3)).await;
    send(in_partition(incident("fire", 1000, "resolved"), 3)).await;
    eventually(Duration::from_secs(30), || async {
        let row = stored("fire").await;
        if row["status"] == "resolved" { Ok(()) } else { Err(format!("{row}")) }
    })
    .await;
    assert_eq!(stored("fire").await["partition"], 3);
    server.kill();

    server.start_again().await;
    // Two hours later, but by another partition: nothing about this one.
    send(in_partition(incident("flood", 2 * hour, "reported"), 5)).await;
    eventually(Duration::from_secs(60), || async {
        if stored("flood").await == Value::Null { Err("not stored yet") } else { Ok(()) }
    })
    .await;
    assert_eq!(stored("fire").await["status"], "resolved");
    // An hour later, by its own partition: not more than the retention yet. Then one that is.
    let unit = |after| {
        let value = json!({ "unitId": "u1", "type": "engine", "status": "available" });
        in_partition(event("emergency.incidents", "u1", after, value), 3)
    };
    send(unit(1000 + hour)).await;
    eventually(Duration::from_secs(30), || async {
        let row = row(&redis, city::CITY, "units", "u1").await;
        if row["lastUpdated"] == city::time(1000 + hour) { Ok(()) } else { Err(format!("{row}")) }
    })
    .await;
    assert_eq!(stored("fire").await["status"], "resolved");
    send(unit(1001 + hour)).await;
    eventually(Duration::from_secs(30), || async {
        if stored("fire").await == Value::Null { Ok(()) } else { Err("still there") }
    })
    .await;
    let left = server.graphql("{ incidents { edges { node { incidentId } } } }", json!({})).await;
    let edges = left["incidents"]["edges"].as_array().expect("a list");
    assert_eq!(edges.len(), 1, "{left}");
    assert_eq!(edges[0]["node"]["incidentId"], "flood");
}
