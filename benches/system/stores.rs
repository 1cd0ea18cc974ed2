//! A flush of 10,000 entities, as the writer does it, and the load of 100,000.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use citytwin::{
    config::StoreConfig,
    ingest::{Fold, Rejects},
    simulator::SimEvent,
    store::{self, Lease, LeaseRequest},
    writer::Flusher,
};

use crate::{cities, common::redis::Redis, core, machine, report::Figure};

const FLUSH: usize = 10_000;
const FLUSHES: usize = 20;

pub async fn run() -> Vec<Figure> {
    let redis = Redis::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut figures = flush("Redis", Some(&redis), folder.path()).await;
    figures.extend(flush("embedded", None, folder.path()).await);
    figures
}

async fn flush(name: &str, redis: Option<&Redis>, folder: &std::path::Path) -> Vec<Figure> {
    let file = cities::copies(5);
    let city = core::city(&file);
    let (city_id, entities) = (city.view().city_id.to_string(), cities::entities(city.view()));
    let edges = edges(&file);
    let fold = Fold::new(city);
    fold.with(|city| city.track(true));
    let config = StoreConfig { redis_url: redis.map(Redis::url), data_dir: folder.to_owned() };
    let store = store::open(&config, &city_id).await.expect("a store");
    let lease = LeaseRequest { holder: "bench", address: "", ttl: Duration::from_secs(600), token: None, above: 0 };
    let Ok(Lease::Held { token }) = store.lease(&lease).await else { panic!("no lease") };
    let rejects = Arc::new(Rejects::default());
    let mut flusher = Flusher::new(Arc::clone(&store), Arc::clone(&fold), rejects, "bench".into(), token, 1, true);
    flusher.flush(None).await.expect("the first flush");
    let mut walls = Vec::new();
    let (mut cpu, mut other) = (Duration::ZERO, Duration::ZERO);
    let redis_pid = redis.map(|redis| pid(redis));
    let redis_cpu = || redis_pid.map_or(Duration::ZERO, machine::cpu);
    for turn in 0..FLUSHES {
        let events: Vec<SimEvent> = (0..FLUSH).map(|n| event(&edges[n % edges.len()], turn)).collect();
        let refused = fold.with(|city| core::apply(city, &events));
        assert_eq!(refused, 0, "events of the bench");
        let (own_before, redis_before, start) = (machine::own_cpu(), redis_cpu(), Instant::now());
        flusher.flush(None).await.expect("a flush");
        walls.push(start.elapsed());
        cpu += machine::own_cpu().saturating_sub(own_before);
        other += redis_cpu().saturating_sub(redis_before);
    }
    walls.sort();
    let mean = |time: Duration| time.as_secs_f64() * 1e3 / FLUSHES as f64;
    let mut note = format!("at {entities} entities stored, median of {FLUSHES}; {:.1} ms of our CPU", mean(cpu));
    if redis.is_some() {
        note.push_str(&format!(", {:.1} ms of Redis's", mean(other)));
    }
    let start = Instant::now();
    let rows = store.load().await.expect("a load").rows.len();
    let load = start.elapsed();
    vec![
        Figure::new(format!("flush of {FLUSH} entities, {name}"), walls[FLUSHES / 2].as_secs_f64() * 1e3, "ms wall")
            .note(note),
        Figure::new(format!("reading {rows} rows back, {name}"), load.as_secs_f64() * 1e3, "ms wall"),
    ]
}

/// The edges of a city file by id.
fn edges(file: &str) -> Vec<String> {
    let city: serde_json::Value = serde_json::from_str(file).expect("JSON");
    let districts = city["districts"].as_array().expect("districts");
    let edges = districts.iter().flat_map(|district| district["cityGraph"]["edges"].as_array().expect("edges"));
    edges.filter_map(|edge| edge["edgeId"].as_str().map(str::to_owned)).collect()
}

fn event(edge: &str, turn: usize) -> SimEvent {
    let timestamp_ms = cities::START + 60_000 + turn as i64 * 1000;
    SimEvent {
        topic: "traffic.graph",
        key: edge.to_owned(),
        timestamp_ms,
        value: format!(
            r#"{{"edgeId":"{edge}","trafficConditions":{{"averageSpeed":{}.5,"congestionLevel":"low","vehicleCount":{turn},"travelTime":8.2,"incidents":[]}}}}"#,
            30 + turn
        ),
    }
}

/// The process id of a server, as it says itself.
fn pid(redis: &Redis) -> u32 {
    let info = redis.cli(&["INFO", "server"]);
    let line = info.lines().find_map(|line| line.strip_prefix("process_id:"));
    line.and_then(|pid| pid.trim().parse().ok()).expect("Redis tells its process id")
}
