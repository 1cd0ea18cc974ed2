//! A day through all nine topics comes out right: at the port, in Redis, after a restart, and after many a `kill -9`.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::common::{
    city::{self, assert_same_city, folded, stored_city, stored_offsets, timeless_state},
    data::{self, Recording},
    eventually,
    kafka::{self, Kafka, Record},
    redis::Redis,
    server::Server,
};

#[derive(Deserialize)]
struct Line<'a> {
    topic: &'a str,
    key: &'a str,
    timestamp: i64,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The day's events, in time order.
fn events(day: &Path) -> impl Iterator<Item = Record> + Send + use<> {
    let file = std::fs::File::open(day).expect("the recording is there");
    BufReader::new(GzDecoder::new(file)).lines().map(|line| {
        let line = line.expect("gzip");
        let line: Line<'_> = serde_json::from_str(&line).expect("a line of a recording");
        Record::new(line.topic, line.key, line.value.get()).at(line.timestamp)
    })
}

fn expected(recording: &Recording) -> Value {
    let file = std::fs::File::open(&recording.expected).expect("the recording is there");
    serde_json::from_reader(BufReader::new(GzDecoder::new(file))).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_made_up_day_comes_out_right_also_when_killed_five_times() {
    comes_out_right(&data::town(), 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_day_comes_out_right_also_when_killed_twenty_times() {
    if let Some(recording) = data::mosaic() {
        comes_out_right(&recording, 20).await;
    }
}

/// Waits until the store stands for all records of the day, and the server has published a boundary with all of them.
async fn settled(server: &Server, redis: &Redis, city_id: &str, records: i64) {
    eventually(Duration::from_secs(240), || async {
        let stored = stored_offsets(redis, city_id).await;
        if stored == records { Ok(()) } else { Err(format!("offsets for {stored} of {records} records are stored")) }
    })
    .await;
    server.ready(Duration::from_secs(60)).await;
    // What was folded before the store had it is in a boundary once there was nothing more to publish for a while.
    let mut last = String::new();
    let mut since = Instant::now();
    loop {
        let answer = server.get("/api/state").await.expect("an answer");
        let etag = answer.headers()["etag"].to_str().expect("text").to_owned();
        if etag != last {
            (last, since) = (etag, Instant::now());
        } else if since.elapsed() > Duration::from_secs(2) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn comes_out_right(recording: &Recording, kills: usize) {
    let expected = expected(recording);
    let city_id = expected["cityId"].as_str().expect("an id");
    let kafka = Kafka::fresh().await;
    city::create_topics(&kafka.brokers(), 6).await;
    let city_file = recording.city.display().to_string();
    let brokers = kafka.brokers();
    let settings = |url: &str| {
        [
            ("KAFKA_BROKERS", brokers.clone()),
            ("REDIS_URL", url.to_owned()),
            ("CITY_FILE", city_file.clone()),
            ("LEASE_MS", "500".to_owned()),
            ("FLUSH_INTERVAL_MS", "50".to_owned()),
            ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "500".to_owned()),
        ]
    };
    let start = |settings: [(&'static str, String); 6]| {
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Server::new(&["serve"], &settings)
    };

    let killed_redis = Redis::start();
    let mut killed = start(settings(&killed_redis.url()));
    let records = kill_while_it_folds(&mut killed, &recording.day, &brokers, kills).await;
    settled(&killed, &killed_redis, city_id, records).await;
    let after_kills = timeless_state(&killed).await;
    assert_same_city("after the kills", &killed.get_json("/api/state").await, &expected);
    killed.stop_cleanly();

    // The same topics again, from the beginning, into an empty store, and nobody is killed.
    let redis = Redis::start();
    let mut server = start(settings(&redis.url()));
    server.start_again().await;
    settled(&server, &redis, city_id, records).await;
    assert_same_city("/api/state", &server.get_json("/api/state").await, &expected);
    assert_same_city("Redis", &stored_city(&redis, city_id).await, &expected);
    let never_killed = timeless_state(&server).await;
    assert!(after_kills == never_killed, "killed {kills} times and never killed: not the same bytes");

    server.stop_cleanly();
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    assert_eq!(folded(&server).await, 0, "events were folded again after a restart");
    assert!(timeless_state(&server).await == never_killed, "before and after a restart: not the same bytes");
}

/// Produces the day in slices, and kills the server once for each; gives the number of records.
async fn kill_while_it_folds(server: &mut Server, day: &Path, brokers: &str, kills: usize) -> i64 {
    let all: Vec<Record> = events(day).collect();
    let records = all.len() as i64;
    let mut folding = 0;
    for (turn, slice) in all.chunks(all.len().div_ceil(kills)).enumerate() {
        let (brokers, slice) = (brokers.to_owned(), slice.to_vec());
        let producing = tokio::spawn(async move { kafka::produce(&brokers, slice).await });
        server.start_again().await;
        let moment = Duration::from_millis(fastrand::u64(..300));
        if turn % 4 == 3 {
            // Somewhere in its start.
            tokio::time::sleep(moment * 5).await;
        } else {
            let waited = Instant::now();
            while folded(server).await == 0 && waited.elapsed() < Duration::from_secs(30) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(moment).await;
        }
        folding += usize::from(folded(server).await > 0);
        server.kill();
        producing.await.expect("the slice is produced");
    }
    assert!(folding > kills / 2, "only {folding} of {kills} kills came while it folded");
    server.start_again().await;
    records
}
