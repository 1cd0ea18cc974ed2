//! A state of 20 MB passes everywhere: city file, store, topic, HTTP, import.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{
    eventually,
    kafka::{self, Kafka, Topic},
    redis::Redis,
    server::Server,
};

const DEADLINE: Duration = Duration::from_secs(120);
const EDGES: usize = 40_000;
/// What the process may take at its worst, in MiB. Beside the twin there are, for a moment, several forms of 20 MB each:
/// the file, its parsed form, the full, librdkafka's copy and what is compressed.
const MOST_MIB: u64 = 700;

/// Some 500 bytes an edge.
fn big_city() -> Value {
    let mut rng = fastrand::Rng::with_seed(20);
    let edges: Vec<Value> = (0..EDGES)
        .map(|i| {
            let coordinates: Vec<[f64; 2]> = (0..8).map(|_| [13.0 + rng.f64(), 42.0 + rng.f64()]).collect();
            json!({
                "edgeId": format!("E-{i:06}"), "roadSegmentId": format!("RS-{i:06}"), "fromNode": format!("N-{i}"),
                "toNode": format!("N-{}", i + 1), "name": format!("Via {}", rng.u32(..)), "class": "primary",
                "length": rng.f64() * 300.0, "speedLimit": 50, "lanes": 2, "trafficConditions": null, "lastUpdated": null,
                "geometry": {"type": "LineString", "coordinates": coordinates},
            })
        })
        .collect();
    json!({
        "cityId": "big", "name": "Big", "timestamp": "2026-01-01T00:00:00.000Z",
        "districts": [{
            "districtId": "d", "name": "D", "location": null, "sensors": [], "buildings": [], "weatherStations": [],
            "cityGraph": {"nodes": [], "edges": edges},
        }],
        "publicTransport": {"buses": [], "stations": []}, "emergencyServices": {"incidents": [], "units": []},
    })
}

async fn state_with(server: &Server, districts: &Value) -> Vec<u8> {
    eventually(DEADLINE, || async {
        let body = server.get("/api/state").await.map_err(|error| error.to_string())?.bytes().await;
        let body = body.map_err(|error| error.to_string())?.to_vec();
        let state: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        if state["districts"] == *districts { Ok(body) } else { Err("another state".to_owned()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_of_20_mb_passes_everywhere() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    // It has to arrive compressed.
    let topic = Topic { name: "state.full", partitions: 1, config: vec![("max.message.bytes", "15000000")] };
    kafka::create_topics(&brokers, &[topic]).await;
    let mut city = big_city();
    let settings = [
        ("KAFKA_BROKERS", brokers.as_str()),
        ("REDIS_URL", &redis.url()),
        ("FULL_STATE_PUBLISH_INTERVAL_MS", "5000"),
        ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "1000"),
        ("LEASE_MS", "1000"),
    ];
    let mut server = Server::new(&["serve"], &settings);
    let file = server.folder().join("city.json");
    std::fs::write(&file, city.to_string()).unwrap();
    assert!(std::fs::metadata(&file).unwrap().len() > 19_000_000);
    server.set("CITY_FILE", &file.display().to_string());
    server.start_again().await;
    server.ready(DEADLINE).await;

    let body = state_with(&server, &city["districts"]).await;
    let full = eventually(DEADLINE, || async {
        let fulls = kafka::read_all(&brokers, "state.full").await;
        fulls.into_iter().next_back().ok_or("no full in the topic")
    })
    .await;
    assert!(full.value.as_deref() == Some(&body[..]), "the topic holds what /api/state says");

    // From Redis alone, whatever the file says now.
    server.stop_cleanly();
    let nothing = json!({"cityId": "big", "name": "Big", "districts": []});
    std::fs::write(&file, nothing.to_string()).unwrap();
    server.start_again().await;
    server.ready(DEADLINE).await;
    state_with(&server, &city["districts"]).await;
    assert!(server.log().contains("CITY_FILE differs from the stored city"));

    // An import that changes every street: its incremental holds 40,000 changes.
    for edge in city["districts"][0]["cityGraph"]["edges"].as_array_mut().unwrap() {
        edge["name"] = json!(format!("New {}", edge["name"].as_str().unwrap()));
    }
    let answer = server.http().put(server.url("/api/city")).json(&city).send().await.unwrap();
    let (status, counts) = (answer.status(), answer.json::<Value>().await.unwrap());
    assert_eq!((status.as_u16(), &counts["edges"]["changed"]), (200, &json!(EDGES)), "{counts}");
    let body = state_with(&server, &city["districts"]).await;
    let timestamp = serde_json::from_slice::<Value>(&body).unwrap()["timestamp"].clone();
    let incrementals = eventually(DEADLINE, || async {
        let incrementals = kafka::read_all(&brokers, "state.incremental").await;
        if incrementals.is_empty() { Err("no incremental") } else { Ok(incrementals) }
    })
    .await;
    let delta = incrementals.last().unwrap().json();
    assert_eq!(delta["timestamp"], timestamp);
    assert_eq!(delta["delta"]["districts"]["0"]["cityGraph"]["edges"].as_object().unwrap().len(), EDGES + 1);

    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    eprintln!("peak memory {} MiB", kilobytes >> 10);
    assert!(kilobytes >> 10 < MOST_MIB, "{} MiB", kilobytes >> 10);
    server.stop_cleanly();
}
