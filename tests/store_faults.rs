//! A store that fails in every way it can, and the city comes out right.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{
    city::{self, assert_same_city, bus, folded, row, sensor, stored_city},
    eventually,
    kafka::{self, Kafka, Record},
    proxy::{Fault, Proxy},
    redis::{Cluster, Redis},
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(60);

struct Site {
    kafka: Kafka,
    file: String,
    _folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        let (folder, file) = city::city_file_on_disk(&city::city_file());
        let kafka = Kafka::fresh().await;
        city::create_topics(&kafka.brokers(), 6).await;
        Self { kafka, file, _folder: folder }
    }

    /// A server that is not started yet.
    fn server(&self, redis_url: &str) -> Server {
        Server::new(
            &["serve"],
            &[
                ("KAFKA_BROKERS", &self.kafka.brokers()),
                ("REDIS_URL", redis_url),
                ("CITY_FILE", &self.file),
                ("LEASE_MS", "1000"),
                ("FLUSH_INTERVAL_MS", "100"),
                ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "200"),
            ],
        )
    }

    async fn ready(&self, redis_url: &str) -> Server {
        let mut server = self.server(redis_url);
        server.start_again().await;
        server.ready(PATIENCE).await;
        server
    }

    async fn send(&self, records: Vec<Record>) {
        kafka::produce(&self.kafka.brokers(), records).await;
    }
}

fn key(name: &str) -> String {
    format!("twin:{{{}}}:{name}", city::CITY)
}

async fn readiness(server: &Server) -> Value {
    let answer = server.get("/readyz").await.expect("an answer");
    serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
}

/// Waits until readiness says of the store what is looked for, and gives its message.
async fn store_says(server: &Server, wanted: &str) -> String {
    eventually(PATIENCE, || async {
        let now = readiness(server).await;
        let faults = now["degraded"].as_array().cloned().unwrap_or_default();
        let fault = faults.iter().find(|fault| fault["what"] == "store").map(|fault| fault["message"].to_string());
        fault.filter(|message| message.contains(wanted)).ok_or_else(|| format!("{now}"))
    })
    .await
}

async fn store_is_well(server: &Server) {
    eventually(PATIENCE, || async {
        let now = readiness(server).await;
        let faults = now["degraded"].as_array().cloned().unwrap_or_default();
        if faults.iter().any(|fault| fault["what"] == "store") { Err(format!("{now}")) } else { Ok(()) }
    })
    .await;
}

/// Waits until the row of a bus has this latitude.
async fn bus_is_at(redis: &Redis, id: &str, latitude: f64) {
    eventually(PATIENCE, || async {
        let row = row(redis, city::CITY, "buses", id).await;
        if row["currentLocation"]["latitude"].as_f64() == Some(latitude) { Ok(()) } else { Err(format!("{id}: {row}")) }
    })
    .await;
}

async fn same_in_store_and_at_the_port(server: &Server, redis: &Redis) {
    eventually(PATIENCE, || async {
        let (stored, state) = (stored_city(redis, city::CITY).await, server.get_json("/api/state").await);
        city::difference("", &city::essence(&stored), &city::essence(&state)).map_or(Ok(()), Err)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_whose_reply_is_lost_and_then_its_inverse_ends_right() {
    let (site, redis) = (Site::new().await, Redis::start());
    let proxy = Proxy::start(&redis.address());
    let mut server = site.ready(&format!("redis://{}", proxy.address())).await;
    site.send(vec![bus("b1", 0, 42.1), sensor("centro", "s1", 0, 1.0)]).await;
    bus_is_at(&redis, "b1", 42.1).await;
    for turn in 0..3 {
        let (there, back) = (turn * 10 + 1, turn * 10 + 2);
        // The flush with this value runs, and nobody learns of it; the connection is gone with its reply.
        proxy.lose_reply_to(b"42.9");
        site.send(vec![bus("b1", there, 42.9)]).await;
        eventually(PATIENCE, || async {
            if proxy.lost() == turn as u64 + 1 { Ok(()) } else { Err("no reply lost yet") }
        })
        .await;
        assert_eq!(row(&redis, city::CITY, "buses", "b1").await["currentLocation"]["latitude"], 42.9);
        site.send(vec![bus("b1", back, 42.1)]).await;
        bus_is_at(&redis, "b1", 42.1).await;
    }
    // The same for one that comes and goes: its row was written by a flush that nobody knows of.
    proxy.lose_reply_to(b"ghost");
    site.send(vec![bus("ghost", 100, 42.3)]).await;
    eventually(PATIENCE, || async { if proxy.lost() == 4 { Ok(()) } else { Err("no reply lost yet") } }).await;
    let removed = server.graphql("mutation { removeEntity(id: \"bus/ghost\") { removed } }", json!({})).await;
    assert_eq!(removed["removeEntity"]["removed"], true);
    assert_eq!(row(&redis, city::CITY, "buses", "ghost").await, Value::Null);
    store_is_well(&server).await;
    same_in_store_and_at_the_port(&server, &redis).await;
    let before = city::timeless_state(&server).await;
    server.kill();
    server.start_again().await;
    server.ready(PATIENCE).await;
    // Until its old lease has run out it is a replica, with the last full.
    eventually(PATIENCE, || async {
        let after = city::timeless_state(&server).await;
        if after == before { Ok(()) } else { Err(format!("{after} after the kill, {before} before")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_down_stops_nothing_and_gets_the_merged_changes_later() {
    let (site, mut redis) = (Site::new().await, Redis::start());
    let proxy = Proxy::start(&redis.address());
    let server = site.ready(&format!("redis://{}", proxy.address())).await;
    for (turn, fault) in [Some(Fault::Refuse), Some(Fault::Stall), None].into_iter().enumerate() {
        let base = turn as i64 * 1000;
        match fault {
            Some(fault) => proxy.set(fault),
            None => redis.kill(),
        }
        let last = 43.0 + turn as f64 / 10.0;
        let mut records: Vec<Record> = (1..300).map(|i| bus("b1", base + i, 42.0 + i as f64 / 1000.0)).collect();
        records.push(bus("b1", base + 300, last));
        site.send(records).await;
        eventually(PATIENCE, || async {
            let answer = server.graphql("{ bus(id: \"b1\") { currentLocation { latitude } } }", json!({})).await;
            if answer["bus"]["currentLocation"]["latitude"] == last { Ok(()) } else { Err(format!("{answer}")) }
        })
        .await;
        let said = store_says(&server, "").await;
        let now = readiness(&server).await;
        assert_eq!((&now["ready"], &now["role"]), (&json!(true), &json!("writer")), "{said}: {now}");
        match fault {
            Some(_) => proxy.set(Fault::None),
            None => redis.start_again(),
        }
        bus_is_at(&redis, "b1", last).await;
        store_is_well(&server).await;
    }
    same_in_store_and_at_the_port(&server, &redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_store_is_written_anew_under_a_higher_token_and_a_new_chain_begins() {
    let (site, redis) = (Site::new().await, Redis::start());
    let mut server = site.ready(&redis.url()).await;
    site.send(vec![bus("b1", 0, 42.1), bus("b2", 0, 42.2), sensor("centro", "s1", 0, 1.0)]).await;
    bus_is_at(&redis, "b1", 42.1).await;
    // What no topic holds must come back too: an import, a removal.
    let mut file = city::city_file();
    file["districts"][0]["buildings"][0]["name"] = json!("Palazzo");
    let answer = server.http().put(server.url("/api/city")).json(&file).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    server.graphql("mutation { removeEntity(id: \"bus/b2\") { removed } }", json!({})).await;
    same_in_store_and_at_the_port(&server, &redis).await;
    let first = readiness(&server).await["epoch"].as_u64().expect("an epoch");
    for turn in 1..=2 {
        let before = readiness(&server).await["epoch"].as_u64().expect("an epoch");
        redis.flush_all();
        let after = eventually(PATIENCE, || async {
            let now = readiness(&server).await;
            let epoch = now["epoch"].as_u64().unwrap_or(0);
            if now["role"] == "writer" && epoch > before { Ok(epoch) } else { Err(format!("{now}")) }
        })
        .await;
        let latitude = 42.1 + f64::from(turn);
        site.send(vec![bus("b1", i64::from(turn), latitude)]).await;
        bus_is_at(&redis, "b1", latitude).await;
        same_in_store_and_at_the_port(&server, &redis).await;
        assert_eq!(redis.cli(&["GET", &key("token")]), after.to_string());
        let begun = eventually(PATIENCE, || async {
            let fulls = kafka::read_all(&site.kafka.brokers(), "state.full").await;
            let header = after.to_string();
            fulls.into_iter().find(|full| full.header("epoch") == Some(&header)).ok_or("no full of the new epoch")
        })
        .await;
        // The chain begins with a full: what leads on from it comes later.
        let incrementals = kafka::read_all(&site.kafka.brokers(), "state.incremental").await;
        let begin = begun.json()["timestamp"].as_str().expect("a time").to_owned();
        for one in incrementals.iter().filter(|one| one.header("epoch") == Some(&after.to_string())) {
            assert!(one.header("previousTimestamp").is_some_and(|previous| previous >= begin.as_str()));
        }
    }
    assert!(readiness(&server).await["epoch"].as_u64() > Some(first));
    let before = city::timeless_state(&server).await;
    assert!(before.contains("Palazzo") && !before.contains("b2"), "{before}");
    server.stop_cleanly();
    server.start_again().await;
    server.ready(PATIENCE).await;
    assert_eq!(folded(&server).await, 0);
    assert_eq!(city::timeless_state(&server).await, before);
    // Not newer than what was removed: also the new store knows.
    site.send(vec![bus("b2", 0, 42.2), bus("b4", 0, 42.4)]).await;
    bus_is_at(&redis, "b4", 42.4).await;
    assert_eq!(row(&redis, city::CITY, "buses", "b2").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_type_is_named_and_never_half_a_city() {
    let (site, redis) = (Site::new().await, Redis::start());
    let mut server = site.ready(&redis.url()).await;
    site.send(vec![bus("b1", 0, 42.1), sensor("centro", "s1", 0, 1.0)]).await;
    bus_is_at(&redis, "b1", 42.1).await;
    // While it runs.
    assert_eq!(redis.cli(&["RENAME", &key("buses"), "aside"]), "OK");
    redis.cli(&["SET", &key("buses"), "something else"]);
    site.send(vec![bus("b1", 1, 42.2), sensor("centro", "s1", 1, 2.0)]).await;
    let said = store_says(&server, &key("buses")).await;
    assert!(said.contains("type"), "{said}");
    assert_eq!(row(&redis, city::CITY, "district:centro:sensors", "s1").await["value"], 1, "half a flush was written");
    // At a start.
    server.kill();
    server.start_again().await;
    store_says(&server, &key("buses")).await;
    let now = readiness(&server).await;
    assert_eq!(now["ready"], false, "{now}");
    let live = server.graphql("{ districts { nodes { id } } buses { nodes { id } } }", json!({})).await;
    assert_eq!(live, json!({ "districts": { "nodes": [] }, "buses": { "nodes": [] } }), "half a city");
    assert_eq!(redis.cli(&["GET", &key("buses")]), "something else");
    assert!(server.log().contains(&key("buses")), "the log does not name the key");
    // Put right, it goes on by itself.
    redis.cli(&["DEL", &key("buses")]);
    assert_eq!(redis.cli(&["RENAME", "aside", &key("buses")]), "OK");
    server.ready(PATIENCE).await;
    bus_is_at(&redis, "b1", 42.2).await;
    store_is_well(&server).await;
    same_in_store_and_at_the_port(&server, &redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_another_release_is_left_alone() {
    let (site, redis) = (Site::new().await, Redis::start());
    let mut server = site.ready(&redis.url()).await;
    site.send(vec![bus("b1", 0, 42.1)]).await;
    bus_is_at(&redis, "b1", 42.1).await;
    server.stop_cleanly();
    let mut connection = redis.connection().await;
    let schema: String = connection.hget(key("city"), "schema").await.expect("Redis answers");
    let (): () = connection.hset(key("city"), "schema", "999").await.expect("Redis answers");
    let dump = async || (stored_city(&redis, city::CITY).await, city::rows(&redis, city::CITY, "offsets").await);
    let before = dump().await;
    server.start_again().await;
    let said = store_says(&server, "999").await;
    assert!(said.contains("release"), "{said}");
    site.send(vec![bus("b1", 1, 42.5)]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let now = readiness(&server).await;
    assert_eq!(now["ready"], false, "{now}");
    assert!(dump().await == before, "the other release's rows were changed");
    let (): () = connection.hset(key("city"), "schema", schema).await.expect("Redis answers");
    server.ready(PATIENCE).await;
    bus_is_at(&redis, "b1", 42.5).await;
}

/// Starts, flushes, restarts without folding anything again, and is still the same.
async fn starts_flushes_restarts(url: &str) {
    let site = Site::new().await;
    let mut server = site.ready(url).await;
    site.send((0..50).map(|i| bus(&format!("b{i}"), i, 42.0)).chain([sensor("centro", "s1", 0, 3.0)]).collect()).await;
    eventually(PATIENCE, || async {
        let now = folded(&server).await;
        if now == 51 { Ok(()) } else { Err(format!("{now} folded")) }
    })
    .await;
    server.stop_cleanly();
    server.start_again().await;
    server.ready(PATIENCE).await;
    assert_eq!(folded(&server).await, 0, "events were folded again");
    let state = server.get_json("/api/state").await;
    assert_eq!(state["publicTransport"]["buses"].as_array().map(Vec::len), Some(50));
    assert_eq!(state["districts"][0]["sensors"][0]["value"], 3);
    store_is_well(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_cluster_works() {
    let cluster = Cluster::start();
    starts_flushes_restarts(&cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_with_a_private_authority_and_a_password_works() {
    let redis = Redis::start_tls();
    // Set while it runs, and kept in its append-only file's place by nothing: it lives as long as this test.
    assert_eq!(redis.cli(&["CONFIG", "SET", "requirepass", "s3cret"]), "OK");
    let url = format!("rediss://:s3cret@{}?ca={}", redis.address(), redis.authority().display());
    starts_flushes_restarts(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_flush_that_was_cut_short_is_begun_anew() {
    let (site, redis) = (Site::new().await, Redis::start());
    let mut server = site.ready(&redis.url()).await;
    site.send(vec![bus("b1", 0, 42.1)]).await;
    bus_is_at(&redis, "b1", 42.1).await;
    server.stop_cleanly();
    // What a `kill -9` between the chunks of a first flush leaves: rows, but neither facts nor offsets.
    for gone in ["city", "offsets"] {
        redis.cli(&["DEL", &key(gone)]);
        redis.cli(&["SREM", &key("tables"), gone]);
    }
    server.start_again().await;
    server.ready(PATIENCE).await;
    assert_eq!(folded(&server).await, 1);
    same_in_store_and_at_the_port(&server, &redis).await;
    let expected = server.get_json("/api/state").await;
    assert_same_city("the city", &stored_city(&redis, city::CITY).await, &expected);
}
