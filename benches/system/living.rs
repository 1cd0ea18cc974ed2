//! A city at 10,000 events/s with the default intervals: what it costs the server, how late a subscriber sees it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use citytwin::simulator::{DemoCity, SimEvent, Simulation, SimulationConfig};
use serde_json::json;

use crate::{
    common::{
        kafka::{Kafka, Topic, create_topics},
        redis::Redis,
        server::Server,
        socket::Frame,
    },
    events::{SEED, TOPICS},
    machine,
    produce::{self, Paced, now_ms},
    report::Figure,
    scrape::Scrape,
    wire::{Crowd, Wire, ages},
};

const RATE: f64 = 10_000.0;
/// Holds one full and twelve incrementals.
const WINDOW: Duration = Duration::from_secs(60);
const LATENCY: Duration = Duration::from_secs(20);

/// A server over a real Kafka and Redis with the demo city.
pub struct City {
    pub server: Server,
    pub kafka: Kafka,
    _redis: Redis,
    _folder: tempfile::TempDir,
}

impl City {
    pub async fn start(partitions: i32) -> Self {
        let (kafka, redis) = (Kafka::fresh().await, Redis::start());
        create_topics(&kafka.brokers(), &TOPICS.map(|name| Topic::for_recording(name, partitions))).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("city.json");
        std::fs::write(&file, DemoCity::laquila(SEED).city_file(now_ms() as i64)).expect("the folder is ours");
        let settings =
            [("KAFKA_BROKERS", kafka.brokers()), ("REDIS_URL", redis.url()), ("CITY_FILE", file.display().to_string())];
        let mut server = crate::server(&settings.each_ref().map(|(name, value)| (*name, value.as_str())));
        server.start_again().await;
        server.ready(Duration::from_secs(60)).await;
        Self { server, kafka, _redis: redis, _folder: folder }
    }
}

/// Events of the demo city from now on.
pub fn simulated(events_per_second: f64) -> impl FnMut(i64) -> Vec<SimEvent> + Send + 'static {
    let config = SimulationConfig { events_per_second, ..SimulationConfig::default() };
    // Laid out first: that takes a while, and events must not be late from the beginning.
    let city = DemoCity::laquila(SEED);
    let start = now_ms() as i64 + 500;
    let mut simulation = Simulation::with_config(&city, start, SEED, config);
    move |until| {
        let mut events = Vec::new();
        simulation.step(until, &mut events);
        events
    }
}

pub async fn run() -> Vec<Figure> {
    let city = City::start(6).await;
    let server = &city.server;
    let pid = server.pid();
    let (idle, began) = (machine::cpu(pid), Instant::now());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = machine::cpu(pid).checked_sub(idle).unwrap().as_secs_f64() / began.elapsed().as_secs_f64();

    let load = Paced::start(&city.kafka.brokers(), simulated(RATE));
    produce::warm(&city.kafka).await;
    let before = Scrape::of(server).await;
    let (cpu, began) = (machine::cpu(pid), Instant::now());
    tokio::time::sleep(WINDOW).await;
    let (cpu, took) = (machine::cpu(pid).checked_sub(cpu).unwrap().as_secs_f64(), began.elapsed().as_secs_f64());
    let after = Scrape::of(server).await;
    let events = after.sum("citytwin_events_total", "") - before.sum("citytwin_events_total", "");
    let rate = events / took;
    let mut figures = vec![
        Figure::new("share of a core without events", idle * 100.0, "%").note("5 s, default intervals"),
        Figure::new("share of a core at 10,000 events/s", cpu / took * 100.0, "%").at_most(2.0).note(format!(
            "demo city, Redis, default intervals, {took:.0} s with one full; {rate:.0} events/s came; {:.2} us an event",
            cpu * 1e6 / events
        )),
    ];
    figures.extend(published(&before, &after));
    match latencies(server, LATENCY).await {
        Some(mut latencies) if !latencies.is_empty() => figures.extend(latency_figures(&mut latencies)),
        _ => eprintln!("twinChanges gave nothing: no latencies"),
    }
    load.stop();
    figures
}

/// What the publisher and the flush took, from the server's own histograms.
fn published(before: &Scrape, after: &Scrape) -> Vec<Figure> {
    let mean = |name: &str, label: &str| after.mean_since(before, name, label);
    let mut figures = Vec::new();
    let mut add = |what: &str, value: Option<f64>, scale: f64, unit, note: &str| {
        figures.extend(value.map(|value| Figure::new(what, value * scale, unit).note(note)));
    };
    let histogram = "mean, from the server's histogram";
    add("one incremental, made", mean("citytwin_delta_seconds", ""), 1e3, "ms wall", histogram);
    add("one full, made", mean("citytwin_full_seconds", ""), 1e3, "ms wall", histogram);
    add("one flush", mean("citytwin_flush_seconds", ""), 1e3, "ms wall", histogram);
    add("rows of one flush", mean("citytwin_flush_rows", ""), 1.0, "rows", histogram);
    add("one batch", mean("citytwin_batch_messages", ""), 1.0, "events", histogram);
    figures.extend(share("incremental as a share of the full, 10,000 events/s", before, after));
    figures
}

/// Plain bytes of the incrementals and of the full.
pub fn share(what: &str, before: &Scrape, after: &Scrape) -> Option<Figure> {
    let delta = after.mean_since(before, "citytwin_delta_bytes", "")?;
    let full = after.mean_since(&Scrape::default(), "citytwin_full_bytes", "")?;
    let note = format!("{delta:.0} B of {full:.0} B on average, as JSON");
    Some(Figure::new(what, delta / full * 100.0, "%").note(note))
}

/// Follows a small box and gives the age of each change when it came, in milliseconds since it was to be sent.
async fn latencies(server: &Server, window: Duration) -> Option<Vec<f64>> {
    let query = "subscription($box: BoxInput!) { twinChanges(filter: {box: $box}) { snapshot \
        changes { kind entity { lastUpdated } } } }";
    // The old town, a few blocks.
    let area = json!({ "box": { "north": 42.358, "south": 42.342, "east": 13.41, "west": 13.385 } });
    let mut socket = server.socket().await;
    socket.subscribe("1", query, area).await;
    let (began, mut ages) = (Instant::now(), Vec::new());
    while began.elapsed() < window {
        let Some(frame) = socket.next_within(Duration::from_secs(5)).await else { break };
        let now = now_ms();
        let Frame::Message(message) = frame else { return None };
        if message["type"] == "error" {
            return None;
        }
        let batch = &message["payload"]["data"]["twinChanges"];
        if batch["snapshot"] != false {
            continue;
        }
        let times = batch["changes"].as_array().into_iter().flatten().filter_map(|change| {
            let time = change["entity"]["lastUpdated"].as_str()?;
            Some(time.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64)
        });
        ages.extend(times.map(|time| now - time));
    }
    Some(ages)
}

fn latency_figures(ages: &mut [f64]) -> Vec<Figure> {
    ages.sort_by(f64::total_cmp);
    let quantile = |q: f64| ages[((ages.len() - 1) as f64 * q) as usize];
    let note = format!(
        "twinChanges on a box over graphql-transport-ws, {} changes, open loop from the intended send; wall time",
        ages.len()
    );
    vec![
        Figure::new("produce to subscriber at 10,000 events/s, p50", quantile(0.5), "ms").at_most(5.0).note(note),
        Figure::new("produce to subscriber at 10,000 events/s, p99", quantile(0.99), "ms")
            .at_most(25.0)
            .note("the same"),
    ]
}

const SUBSCRIBERS: usize = 500;
const BUSES: usize = 500;
const FAN_OUT: Duration = Duration::from_secs(10);
/// One in so many reads each frame as it comes and looks into it; the rest are a crowd that only counts them.
const LOOKS: usize = 50;

/// 500 subscribers that all follow 500 buses, each of which reports once a second.
pub async fn subscribers() -> Vec<Figure> {
    let city = City::start(1).await;
    let load = Paced::start(&city.kafka.brokers(), buses());
    // All buses are there by then.
    produce::warm(&city.kafka).await;
    let mut figures = Vec::new();
    for interval in [0, 100] {
        figures.extend(fan_out(&city.server, interval).await);
    }
    load.stop();
    figures
}

/// 500 events/s, evenly spaced.
fn buses() -> impl FnMut(i64) -> Vec<SimEvent> + Send + 'static {
    let mut at = now_ms() as i64;
    let mut turn = 0;
    move |until| {
        let mut events = Vec::new();
        while at < until {
            let (bus, round) = (turn % BUSES, turn / BUSES);
            let time = jiff::Timestamp::from_millisecond(at).expect("a time of today");
            events.push(SimEvent {
                topic: "transport.gps",
                key: format!("bus-{bus:03}"),
                timestamp_ms: at,
                value: format!(
                    r#"{{"busId":"bus-{bus:03}","routeId":"R1","currentLocation":{{"latitude":42.35,"longitude":13.{:04}}},"heading":90,"speed":{}.5,"passengerCount":12,"status":"in_service","lastUpdated":"{time:.3}"}}"#,
                    3000 + (turn * 7) % 5000,
                    10 + round % 40,
                ),
            });
            turn += 1;
            at += 1000 / BUSES as i64;
        }
        events
    }
}

async fn fan_out(server: &Server, interval: u32) -> Vec<Figure> {
    let query = "subscription($ms: Int!) { busChanges(minIntervalMs: $ms) { snapshot changes { kind entity { busId \
        currentLocation { latitude longitude } speed lastUpdated } } } }";
    let frames = Arc::<AtomicU64>::default();
    let crowd = Crowd::new(Arc::clone(&frames));
    let mut lookers = Vec::new();
    for n in 0..SUBSCRIBERS {
        let wire = Wire::subscribe(server.port(), query, json!({ "ms": interval })).await.expect("a subscription");
        if n % LOOKS == 0 {
            lookers.push(wire);
        } else {
            crowd.join(wire, Box::new(|_| None));
        }
    }
    // What waited for them is read by then.
    let from = tokio::time::Instant::now() + Duration::from_secs(2);
    let until = from + FAN_OUT;
    let lookers: Vec<_> = lookers.into_iter().map(|wire| tokio::spawn(look(wire, from, until))).collect();
    tokio::time::sleep_until(from).await;
    frames.store(0, Ordering::Relaxed);
    let cpu = machine::cpu(server.pid());
    tokio::time::sleep_until(until).await;
    let (cpu, took) = (machine::cpu(server.pid()).checked_sub(cpu).unwrap(), FAN_OUT.as_secs_f64());
    let (mut frames, mut ages) = (frames.load(Ordering::Relaxed), Vec::new());
    drop(crowd);
    for looker in lookers {
        let (read, mut seen) = looker.await.expect("a subscriber");
        frames += read;
        ages.append(&mut seen);
    }
    ages.sort_by(f64::total_cmp);
    let deliveries = SUBSCRIBERS as f64 * BUSES as f64 * took;
    let age = |q: f64| ages.get(((ages.len().max(1) - 1) as f64 * q) as usize).copied().unwrap_or(f64::NAN);
    let name = format!("500 subscribers x 500 changes/s, minIntervalMs {interval}");
    vec![
        Figure::new(format!("{name}: CPU a delivery"), cpu.as_secs_f64() * 1e6 / deliveries, "us CPU").note(format!(
            "{:.0} % of a core for {:.0} deliveries/s in {:.0} frames/s",
            cpu.as_secs_f64() / took * 100.0,
            deliveries / took,
            frames as f64 / took
        )),
        Figure::new(format!("{name}: p50 of the age"), age(0.5), "ms")
            .note(format!("by one subscriber in {LOOKS}; all processes share the two cores; wall time")),
        Figure::new(format!("{name}: p99 of the age"), age(0.99), "ms")
            .at_most(20.0 + f64::from(interval))
            .note("the same"),
    ]
}

/// Reads frames as they come: how many between two moments, and the ages of what was in them.
async fn look(mut wire: Wire, from: tokio::time::Instant, until: tokio::time::Instant) -> (u64, Vec<f64>) {
    let (mut frames, mut seen) = (0, Vec::new());
    while let Ok(frame) = tokio::time::timeout_at(until, wire.next()).await {
        let frame = frame.expect("the server keeps the socket");
        if tokio::time::Instant::now() >= from {
            frames += 1;
            seen.extend(ages(frame));
        }
    }
    (frames, seen)
}
