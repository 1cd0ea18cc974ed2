//! A city of 100,000 entities: how long a restart takes, what it holds in memory, what a query costs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    catch_up::until_ready,
    cities,
    common::{
        eventually,
        kafka::{Kafka, Topic, create_topics},
        redis::Redis,
        server::Server,
    },
    events::TOPICS,
    machine,
    report::Figure,
    scrape::Scrape,
};

/// So many demo cities have some 100,000 entities.
const COPIES: usize = 5;
const RESTARTS: usize = 5;

pub async fn run() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("city.json");
    std::fs::write(&file, cities::copies(COPIES)).expect("the folder is ours");
    let redis = Redis::start();
    let mut figures = Vec::new();
    for (name, url) in [("Redis", redis.url()), ("embedded", "embedded".to_owned())] {
        let kafka = Kafka::fresh().await;
        create_topics(&kafka.brokers(), &TOPICS.map(|name| Topic::for_recording(name, 6))).await;
        let brokers = kafka.brokers();
        let settings = [("KAFKA_BROKERS", brokers.as_str()), ("REDIS_URL", &url), ("LOG_LEVEL", "warn")];
        let mut server = crate::server(&settings);
        let bare = empty(&mut server, &redis).await;
        server.set("CITY_FILE", &file.display().to_string());
        server.start_again().await;
        until_ready(&server, Duration::from_millis(50)).await;
        // Its last flush writes all.
        server.stop_cleanly();
        server.set("CITY_FILE", "");
        // Without its file a start looks for the default one.
        server.set("CITY_ID", &cities::id());
        let mut times = Vec::new();
        for last in (0..RESTARTS).map(|n| n + 1 == RESTARTS) {
            let began = Instant::now();
            server.launch();
            until_ready(&server, Duration::from_millis(5)).await;
            times.push((began.elapsed(), machine::cpu(server.pid())));
            if !last {
                server.stop_cleanly();
            }
        }
        times.sort();
        let entities = entities(&server).await;
        let (wall, cpu) = times[RESTARTS / 2];
        figures.push(
            Figure::new(format!("time to ready, {name}"), wall.as_secs_f64(), "s wall").at_most(1.0).note(format!(
                "{entities:.0} entities stored, from the start of the process; median of {RESTARTS}, shortest {:.2} s; {:.2} s CPU",
                times[0].0.as_secs_f64(),
                cpu.as_secs_f64()
            )),
        );
        figures.push(memory(name, &server, bare, entities));
        if name == "Redis" {
            figures.extend(queries(&server).await);
        }
    }
    figures
}

/// How many entities the server has, once its gauges say so.
async fn entities(server: &Server) -> f64 {
    eventually(Duration::from_secs(10), || async {
        let entities = Scrape::of(server).await.sum("citytwin_entities", "");
        if entities > 0.0 { Ok(entities) } else { Err("no entities in the metrics") }
    })
    .await
}

/// The resident memory of a server without a city, which is then forgotten.
async fn empty(server: &mut Server, redis: &Redis) -> f64 {
    server.start_again().await;
    until_ready(server, Duration::from_millis(50)).await;
    let bare = machine::memory(server.pid(), "VmRSS");
    server.stop_cleanly();
    redis.flush_all();
    let data = server.folder().join("data");
    std::fs::remove_dir_all(&data).and_then(|()| std::fs::create_dir(&data)).expect("the folder is ours");
    bare
}

fn memory(name: &str, server: &Server, bare: f64, entities: f64) -> Figure {
    let (resident, peak) = (machine::memory(server.pid(), "VmRSS"), machine::memory(server.pid(), "VmHWM"));
    Figure::new(format!("memory an entity in the running server, {name}"), (resident - bare) / entities, "B")
        .at_most(1024.0)
        .note(format!(
            "after a start and its first full: {:.0} MB, less {:.0} MB without a city; peak {:.0} MB",
            resident / 1e6,
            bare / 1e6,
            peak / 1e6
        ))
}

async fn queries(server: &Server) -> Vec<Figure> {
    let list = "{ edges(first: 1000) { nodes { edgeId name class length speedLimit lanes fromNode lastUpdated } } }";
    let point = "query($id: String!) { edge(id: $id) { edgeId name class length } }";
    let first = server.graphql("{ edges(first: 1) { nodes { edgeId } } }", Value::Null).await;
    let id = first["edges"]["nodes"][0]["edgeId"].clone();
    vec![
        query(server, "GraphQL list of 1000 x 8 fields", list, Value::Null, 200).await.at_most(2.0),
        query(server, "GraphQL point query", point, json!({ "id": id }), 3000).await,
    ]
}

/// One request after the other; the server's CPU for each.
async fn query(server: &Server, what: &str, query: &str, variables: Value, count: usize) -> Figure {
    let body = json!({ "query": query, "variables": variables });
    let ask = async || {
        let request = server.http().post(server.url("/graphql")).json(&body).header("accept-encoding", "identity");
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{query}");
        answer.bytes().await.expect("a body")
    };
    let answer: Value = serde_json::from_slice(&ask().await).expect("JSON");
    assert!(answer.get("errors").is_none(), "{answer}");
    let mut walls = Vec::with_capacity(count);
    let cpu = machine::cpu(server.pid());
    let mut bytes = 0;
    for _ in 0..count {
        let began = Instant::now();
        bytes = ask().await.len();
        walls.push(began.elapsed());
    }
    let cpu = machine::cpu(server.pid()).checked_sub(cpu).unwrap();
    walls.sort();
    let median = walls[count / 2].as_secs_f64() * 1e3;
    Figure::new(what, cpu.as_secs_f64() * 1e3 / count as f64, "ms CPU")
        .note(format!("whole request over HTTP, {bytes} B; p50 {} ms wall", crate::report::number(median)))
}
