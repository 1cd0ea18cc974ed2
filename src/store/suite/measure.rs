//! How long a flush of 10,000 rows takes at 200,000, and a load of 100,000.
//!
//! `cargo test --release --lib store::suite::measure -- --nocapture` prints the table; the bounds asserted are wide.

use std::time::Instant;

use super::{server::RedisServer, *};
use crate::{config::StoreConfig, store};

const FLUSH: usize = 10_000;
const FLUSHES: usize = 30;

fn value(field: usize, version: usize) -> Bytes {
    let free = "x".repeat(120);
    Bytes::from(format!(
        "{{\"sensorId\":\"sensor-{field:06}\",\"type\":\"air_quality\",\"value\":{version},\"free\":\"{free}\",\
         \"lastUpdated\":\"2026-01-05T00:00:00.000Z\",\"location\":{{\"latitude\":42.35,\"longitude\":13.39}}}}"
    ))
}

fn sensor(field: usize, version: usize) -> Row {
    let table = Table::Sensors(format!("district-{}", field % 5));
    Row { table, field: format!("sensor-{field:06}"), value: Some(value(field, version)) }
}

/// Milliseconds of the shortest, the median and the longest flush, and of a load of 100,000 rows.
async fn measure(store: &dyn TwinStore) -> [f64; 4] {
    let token = take(store, "a", MINUTE).await;
    for part in 0..2 {
        let commit = rows((part * 50_000..(part + 1) * 50_000).map(|field| sensor(field, 0)));
        store.commit(token, &commit).await.unwrap();
    }
    // Whatever goes on in the background after so much is over soon.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let since = Instant::now();
    assert_eq!(store.load().await.unwrap().rows.len(), 100_000);
    let load = since.elapsed();
    store.commit(token, &rows((100_000..200_000).map(|field| sensor(field, 0)))).await.unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let mut times = Vec::new();
    for version in 1..=FLUSHES {
        let mut commit = rows((0..FLUSH).map(|_| sensor(random.usize(0..200_000), version)));
        commit.tail.extend((0..54).map(|n| row(Table::Offsets, &format!("topic/{n}"), "{\"offset\":1}")));
        let since = Instant::now();
        store.commit(token, &commit).await.unwrap();
        times.push(since.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    [times[0], times[FLUSHES / 2], times[FLUSHES - 1], load].map(ms)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_and_load() {
    let server = RedisServer::start(&[]);
    let dir = tempfile::TempDir::new().unwrap();
    println!(
        "| store | flush of 10,000 rows at 200,000: shortest of {FLUSHES} | median | longest | load of 100,000 rows |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for (name, redis_url) in [("Redis", Some(server.url())), ("embedded", None)] {
        let config = StoreConfig { redis_url, data_dir: dir.path().to_owned() };
        let store = store::open(&config, "measured").await.unwrap();
        let [shortest, median, longest, load] = measure(&*store).await;
        println!("| {name} | {shortest:.1} ms | {median:.1} ms | {longest:.1} ms | {load:.0} ms |");
        assert!(median < 2000.0 && load < 10_000.0);
    }
}
