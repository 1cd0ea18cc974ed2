//! Subscriptions that start at random moments of a busy city each end with what the server holds.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::common::{
    events::EventStream,
    eventually,
    kafka::{self, Kafka, Record},
    redis::Redis,
    server::Server,
    socket::Subscription,
    town,
};

const DEADLINE: Duration = Duration::from_secs(60);
/// Half of them on sockets, half on event streams.
const SUBSCRIBERS: u64 = 120;
/// The city is busy at least so long, and until so many events have come.
const BUSY: Duration = Duration::from_secs(4);
const ENOUGH: usize = 600;

/// Lists, the subscriptions that follow them, and the fields that are compared: all that events change.
const FOLLOWED: [(&str, &str, &str); 4] = [
    ("buses", "busChanges", "id routeId currentLocation { latitude longitude } heading speed status lastUpdated"),
    (
        "sensors",
        "sensorChanges",
        "id value unit status location { latitude longitude } metadata buildingId lastUpdated",
    ),
    ("buildings", "buildingChanges", "id currentOccupancy totalCapacity occupancyRate lastUpdated"),
    ("edges", "edgeChanges", "id trafficConditions { averageSpeed congestionLevel vehicleCount extra } lastUpdated"),
];

enum Stream {
    Socket(Subscription),
    Events(EventStream),
}

impl Stream {
    async fn next_within(&mut self, patience: Duration) -> Option<Value> {
        match self {
            Self::Socket(subscription) => subscription.next_within(patience).await,
            Self::Events(events) => events.next_within(patience).await,
        }
    }
}

async fn held_by_the_server(server: &Server, list: &str, fields: &str) -> BTreeMap<String, Value> {
    let query = format!("{{ {list}(first: 1000) {{ nodes {{ {fields} }} }} }}");
    let data = server.graphql(&query, json!({})).await;
    let nodes = data[list]["nodes"].as_array().expect("nodes").clone();
    nodes.into_iter().map(|node| (node["id"].to_string(), node)).collect()
}

/// Starts some time, reads slowly, and must end with what the server holds.
async fn subscriber(server: Arc<Server>, quiet: Arc<AtomicBool>, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (list, field, fields) = FOLLOWED[random.usize(..FOLLOWED.len())];
    tokio::time::sleep(BUSY.mul_f64(random.f64())).await;
    let query = format!("subscription {{ {field} {{ snapshot changes {{ kind id entity {{ {fields} }} }} }} }}");
    let mut stream = if seed.is_multiple_of(2) {
        Stream::Socket(server.subscribe(&query, json!({})).await)
    } else {
        Stream::Events(EventStream::start(&server, &query, json!({})).await)
    };
    let slowness = Duration::from_millis(random.u64(20..400));
    let mut holds: BTreeMap<String, Value> = BTreeMap::new();
    let mut batches = 0;
    loop {
        let is_quiet = quiet.load(Ordering::Acquire);
        if is_quiet && batches > 0 && holds == held_by_the_server(&server, list, fields).await {
            return;
        }
        let Some(data) = stream.next_within(Duration::from_secs(if is_quiet { 20 } else { 2 })).await else {
            assert!(!is_quiet, "{field} of seed {seed} is stale: {holds:?}");
            continue;
        };
        batches += 1;
        for change in data[field]["changes"].as_array().expect("changes") {
            let id = change["id"].to_string();
            if change["kind"] == "LEFT" {
                assert!(holds.remove(&id).is_some(), "{id} left, but was not there");
            } else {
                holds.insert(id, change["entity"].clone());
            }
        }
        if !is_quiet {
            tokio::time::sleep(slowness).await;
        }
    }
}

/// How many events the server has taken, whatever became of them.
async fn taken(server: &Server) -> f64 {
    let text = server.get("/metrics").await.expect("an answer").text().await.expect("text");
    let lines = text.lines().filter(|line| line.starts_with("citytwin_events_total{"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_sockets_and_event_streams_each_ends_with_what_the_server_holds() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let mut server = town::server(&kafka.brokers(), &redis.url(), &[("LEASE_MS", "1000")]);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let (server, quiet) = (Arc::new(server), Arc::new(AtomicBool::new(false)));
    let subscribers: Vec<_> =
        (0..SUBSCRIBERS).map(|seed| tokio::spawn(subscriber(Arc::clone(&server), Arc::clone(&quiet), seed))).collect();
    let (mut rng, mut sent, began) = (fastrand::Rng::with_seed(31), 0, std::time::Instant::now());
    while began.elapsed() < BUSY || sent < ENOUGH {
        let events: Vec<Record> = (0..rng.usize(1..60)).map(|_| town::event(&mut rng)).collect();
        sent += events.len();
        kafka::produce(&kafka.brokers(), events).await;
        let removed = json!({ "id": format!("bus/bus-{}", rng.u8(..30)) });
        server.graphql("mutation($id: ID!) { removeEntity(id: $id) { removed } }", removed).await;
    }
    eventually(DEADLINE, || async {
        let taken = taken(&server).await;
        if taken >= sent as f64 { Ok(()) } else { Err(format!("{taken} of {sent} events are taken")) }
    })
    .await;
    quiet.store(true, Ordering::Release);
    for subscriber in subscribers {
        subscriber.await.expect("a subscriber that ends right");
    }
}
