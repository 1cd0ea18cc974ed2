//! From a chosen city to records in Kafka.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::any};
use rdkafka::Message as _;
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::super::*;
use crate::{
    city_live::{
        archive::Selection,
        catalogue::Catalogue,
        message::{LiveTopic, Message, Payload},
        simulated::{Simulated, SimulatedOptions},
    },
    config::{Brokers, CityLiveConfig, Config},
    kafka::{Cluster, EmbeddedBroker, PartitionReader, Polled, Position},
    twin::time::Time,
};

/// A Kafka, what reads all of it, and what was read.
struct Topics {
    cluster: Cluster,
    reader: PartitionReader,
    read: Vec<(String, String, Message)>,
    names: Vec<String>,
    // Last: its clients go first.
    _broker: EmbeddedBroker,
}

impl Topics {
    async fn start() -> Self {
        let broker = EmbeddedBroker::with_topics(&topics(1), None).expect("it starts");
        let mut config = Config::defaults().kafka;
        config.brokers = Brokers::Embedded;
        let cluster = Cluster::embedded(&config, &broker);
        let names: Vec<String> = LiveTopic::ALL.map(|topic| topic.name().to_owned()).to_vec();
        let positions: Vec<Position> = names.iter().map(|name| Position::new(name.clone(), 0, 0)).collect();
        let reader = PartitionReader::open(&cluster.consumer_config(), &positions).expect("it opens");
        Self { cluster, reader, read: Vec::new(), names, _broker: broker }
    }

    /// Reads until this holds of all messages so far; fails after half a minute.
    async fn until(&mut self, what: &str, holds: impl Fn(&[(String, String, Message)]) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !holds(&self.read) {
            assert!(Instant::now() < deadline, "{what}: {} messages", self.read.len());
            self.poll().await;
        }
    }

    async fn poll(&mut self) {
        let (read, names) = (&mut self.read, &self.names);
        self.reader.poll(1000, Duration::from_millis(10), |index, event| {
            if let Polled::Record(record) = event {
                let key = String::from_utf8(record.key().unwrap_or_default().to_vec()).expect("UTF-8");
                let message = serde_json::from_slice(record.payload().unwrap_or_default()).expect("a message");
                read.push((names[index].clone(), key, message));
            }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

struct Running {
    current: watch::Sender<Option<Selection>>,
    _stop: DropGuard,
}

fn start(config: &CityLiveConfig, catalogue: &Arc<Catalogue>, topics: &Topics) -> Running {
    let producer = Producer::new(config, Arc::clone(catalogue), &topics.cluster, true).expect("it can be made");
    let (current, followed) = watch::channel(None);
    let stop = CancellationToken::new();
    tokio::spawn(producer.run(followed, stop.clone()));
    Running { current, _stop: stop.drop_guard() }
}

impl Running {
    fn select(&self, city: &str, at: i64) {
        self.current.send_replace(Some(Selection { city_id: city.to_owned(), selected_at: Time(at) }));
    }
}

async fn simulated(catalogue: &Arc<Catalogue>, faults: bool) -> (Simulated, CityLiveConfig) {
    let options = SimulatedOptions { seed: 1, faults, delay: Duration::from_millis(2) };
    let apis = Simulated::start(options, Arc::clone(catalogue)).await.expect("a port");
    let mut config = Config::defaults().city_live;
    apis.redirect(&mut config);
    config.interval = Duration::from_millis(200);
    (apis, config)
}

/// How many zones of a city each kind of message was told of.
fn zones_by_kind(read: &[(String, String, Message)], city: &str) -> BTreeMap<&'static str, usize> {
    let mut zones: BTreeMap<&'static str, BTreeSet<&Option<String>>> = BTreeMap::new();
    for (_, _, message) in read.iter().filter(|(_, _, message)| message.city_id == city) {
        zones.entry(message.payload.kind()).or_default().insert(&message.zone_id);
    }
    zones.into_iter().map(|(kind, zones)| (kind, zones.len())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_city_is_in_kafka_at_once_also_when_apis_fail_now_and_then() {
    let catalogue = Arc::new(Catalogue::shipped().expect("accepted"));
    let (apis, config) = simulated(&catalogue, true).await;
    let mut topics = Topics::start().await;
    let running = start(&config, &catalogue, &topics);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(apis.requests(), 0, "nobody chose a city: nobody is called");

    let chosen = Time(jiff::Timestamp::now().as_millisecond());
    running.select("nyc", 1);
    let nyc = catalogue.city("nyc").expect("it is there");
    let all = nyc.zones.len();
    topics
        .until("all zones", |read| {
            let zones = zones_by_kind(read, "nyc");
            let of = |kind| zones.get(kind).copied().unwrap_or_default();
            of("weather") == all
                && of("aqi") == all
                && of("traffic") == all
                && of("power_demand") == 1
                && of("call_311") > 30
        })
        .await;
    for (topic, key, message) in &topics.read {
        assert_eq!(*topic, message.payload.topic().name());
        assert_eq!(*key, format!("nyc/{}", message.zone_id.as_deref().unwrap_or_default()));
        assert!(message.source.ends_with("-simulated"), "{}", message.source);
        let zone = message.zone_id.as_deref();
        assert!(zone.is_none_or(|zone| nyc.zone(zone).is_some()), "{zone:?}");
        let recent = chosen.0 - message.ts.0 < 80 * 3_600_000 && message.ts.0 < chosen.0 + 60_000;
        assert!(recent, "{message:?}");
    }
    // A message is sent once, however often ticks come.
    for _ in 0..50 {
        topics.poll().await;
    }
    let mut seen = BTreeSet::new();
    for (topic, key, message) in &topics.read {
        let id = match &message.payload {
            Payload::Call311(call) => call.call_id.clone(),
            payload => payload.kind().to_owned(),
        };
        assert!(seen.insert((topic, key, message.ts, &message.source, id)), "twice: {message:?}");
    }

    // Another city: at once, too; what is not known of it is not asked.
    running.select("laquila", 2);
    topics.until("the other city", |read| zones_by_kind(read, "laquila").get("traffic") == Some(&5)).await;
    let kinds: Vec<&str> = zones_by_kind(&topics.read, "laquila").into_keys().collect();
    assert!(!kinds.contains(&"power_demand") && !kinds.contains(&"call_311"), "{kinds:?}");

    // A city that this catalogue does not have: nothing is called, nothing ends.
    running.select("atlantis", 3);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = apis.requests();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(apis.requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_never_answers_delays_no_other() {
    let catalogue = Arc::new(Catalogue::shipped().expect("accepted"));
    let (_apis, mut config) = simulated(&catalogue, false).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    config.open_meteo_url = format!("http://{}", silent.local_addr().expect("an address"));
    let mut topics = Topics::start().await;
    let running = start(&config, &catalogue, &topics);
    let begun = Instant::now();
    running.select("nyc", 1);
    topics
        .until("the others", |read| {
            let zones = zones_by_kind(read, "nyc");
            let of = |kind| zones.get(kind).copied().unwrap_or_default();
            of("aqi") == 39 && of("traffic") == 39 && of("power_demand") == 1 && of("weather") == 39
        })
        .await;
    // Within the time that a single call of the silent one takes; weather came from OpenWeather.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(topics.read.iter().all(|(_, _, message)| {
        !matches!(message.payload, Payload::Weather(_)) || message.source == "openweather-simulated"
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_zones_and_slow_apis_are_in_kafka_within_seconds() {
    let catalogue = Arc::new(Catalogue::shipped().expect("accepted"));
    let options = SimulatedOptions { seed: 1, faults: false, delay: Duration::from_millis(300) };
    let apis = Simulated::start(options, Arc::clone(&catalogue)).await.expect("a port");
    let mut config = Config::defaults().city_live;
    apis.redirect(&mut config);
    let mut topics = Topics::start().await;
    let running = start(&config, &catalogue, &topics);
    let begun = Instant::now();
    running.select("nyc", 1);
    topics.until("all zones", |read| zones_by_kind(read, "nyc").get("aqi") == Some(&39)).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_city_of_a_server_is_followed() {
    let step = Arc::<AtomicU64>::default();
    let told = Arc::clone(&step);
    let router = Router::new().route(
        "/api/city/current",
        any(move || {
            let step = told.load(Ordering::Relaxed);
            async move {
                let body = r#"{"cityId": "nyc", "name": "New York", "status": "LOADING", "zones": 39,
                    "selectedAt": "2026-07-27T12:00:00.000Z", "processedAt": null}"#;
                match step {
                    0 => (StatusCode::NOT_FOUND, r#"{"error": {"code": "NO_CITY", "message": "none"}}"#),
                    1 => (StatusCode::OK, body),
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, ""),
                }
            }
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let (current, mut followed) = watch::channel(None);
    let stop = CancellationToken::new();
    let following = tokio::spawn({
        let stop = stop.clone();
        async move { follow(&url, current, stop).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!followed.has_changed().expect("it runs"), "nobody has chosen a city");
    step.store(1, Ordering::Relaxed);
    tokio::time::timeout(Duration::from_secs(20), followed.changed()).await.expect("in time").expect("it runs");
    let selected_at = Time::parse("2026-07-27T12:00:00Z").expect("a time");
    assert_eq!(*followed.borrow_and_update(), Some(Selection { city_id: "nyc".into(), selected_at }));
    step.store(2, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!followed.has_changed().expect("it runs"), "a server that fails does not take the city back");
    stop.cancel();
    following.await.expect("it ends").expect("without an error");
}
