//! City Live's whole way: web APIs, producer, Apache Kafka, consumer, a MongoDB-protocol server, a subscriber. The server is
//! killed on the way: nothing is lost, nothing doubled, and who subscribes again goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use citytwin::city_live::{
    catalogue::Catalogue,
    simulated::{Simulated, SimulatedOptions},
};
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::common::{
    eventually,
    kafka::{self, Kafka, Record},
    mongod::Mongod,
    server::Server,
    socket::Frame,
};

const PATIENCE: Duration = Duration::from_secs(90);
const TOPICS: [&str; 5] = ["aqi_stream", "power_demand", "traffic_events", "grid_alerts", "incident_text"];
const CITY: &str = "testville";
const ZONES: usize = 6;
/// Messages of a phase beside those of the APIs.
const SCRIPTED: usize = 400;

const FEED: &str = "subscription($city: String!) { liveFeed(cityId: $city, last: 1000) { snapshot items { id topic type ts source \
    zoneId payload } } }";
/// What a subscription's beginning, the newest thousand, leaves out, is read by pages.
const PAGE: &str = "query($city: String!, $after: String) { liveFeed(cityId: $city, first: 500, after: $after) { nodes { id topic \
    type ts source zoneId payload } pageInfo { hasNextPage endCursor } } }";
const ZONE_RUNS: &str = "subscription($city: String!) { zoneProcessed(cityId: $city) { snapshot zones { zoneId processed { runId \
    processedAt } } } }";

fn catalogue(folder: &std::path::Path) -> std::path::PathBuf {
    let mut text = format!(
        "[[cities]]\nid = \"{CITY}\"\nname = \"Testville\"\ntime_zone = \"America/New_York\"\neia_region = \"NYIS\"\n\
         calls311 = \"test-0001\"\n"
    );
    for n in 0..ZONES {
        let south = 40.0 + n as f64 / 10.0;
        let north = south + 0.1;
        text += &format!(
            "[[cities.zones]]\nid = \"z{n}\"\nname = \"Zone {n}\"\n\
             polygon = [[{south}, -74.0], [{north}, -74.0], [{north}, -73.9], [{south}, -73.9]]\n"
        );
    }
    let file = folder.join("cities.toml");
    std::fs::write(&file, text).expect("the folder is ours");
    file
}

/// What a page holds, over all its subscriptions.
#[derive(Debug, Default)]
struct Held {
    /// The feed by the number of its rows.
    rows: BTreeMap<i64, Value>,
    /// Up to this number it lacks none.
    whole_to: i64,
    /// The run of each zone, and its time.
    zones: BTreeMap<String, (String, String)>,
}

impl Held {
    /// Keeps a message of the feed and gives its number. What was given before the kill is given again as it was.
    fn keep(&mut self, item: &Value) -> i64 {
        let id = item["id"].as_str().and_then(|id| id.strip_prefix("live-message/")).expect("an id");
        let id = id.parse().expect("a number");
        let before = self.rows.insert(id, item.clone());
        assert!(before.as_ref().is_none_or(|before| before == item), "{before:?} is now {item}");
        id
    }

    fn newest(&self) -> i64 {
        self.rows.last_key_value().map_or(0, |(id, _)| *id)
    }

    fn take(&mut self, data: &Value, newest: &mut Option<i64>) {
        if let Some(batch) = data.get("liveFeed") {
            assert_eq!(batch["snapshot"], newest.is_none(), "one beginning, and that first");
            newest.get_or_insert(0);
            for item in batch["items"].as_array().expect("items") {
                let id = self.keep(item);
                assert!(newest.replace(id) < Some(id), "within a subscription each comes once, in order: {item}");
            }
        }
        if let Some(batch) = data.get("zoneProcessed") {
            if batch["snapshot"] == true {
                let fresh = of_zones(&batch["zones"]);
                assert!(self.zones.keys().all(|zone| fresh.contains_key(zone)), "{:?} of {fresh:?}", self.zones);
            }
            for (zone, run) in of_zones(&batch["zones"]) {
                let before = self.zones.insert(zone, run.clone());
                assert!(before.as_ref().is_none_or(|before| before.1 <= run.1), "{before:?} is now {run:?}");
            }
        }
    }
}

fn of_zones(zones: &Value) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let zones = zones.as_array().expect("zones").iter().filter(|zone| zone["processed"].is_object());
    zones
        .map(|zone| {
            let made = &zone["processed"];
            (text(&zone["zoneId"]), (text(&made["runId"]), text(&made["processedAt"])))
        })
        .collect()
}

/// Follows both subscriptions on one socket until that breaks.
async fn follow(server: &Server, held: &Arc<Mutex<Held>>) -> JoinHandle<()> {
    let mut socket = server.socket().await;
    for (id, query) in [("feed", FEED), ("zones", ZONE_RUNS)] {
        socket.subscribe(id, query, json!({ "city": CITY })).await;
    }
    let (held, http, url) = (Arc::clone(held), server.http().clone(), server.url("/graphql"));
    tokio::spawn(async move {
        let (mut newest, mut whole) = (None, false);
        loop {
            match socket.next_within(PATIENCE).await {
                // An archive that is busy with what piled up is asked again, as a page does.
                Some(Frame::Message(message)) if message["type"] == "error" => {
                    assert_eq!(message["payload"][0]["extensions"]["code"], "CITY_LIVE_DOWN", "{message}");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    let (id, query) = if message["id"] == "feed" { ("feed", FEED) } else { ("zones", ZONE_RUNS) };
                    socket.subscribe(id, query, json!({ "city": CITY })).await;
                }
                Some(Frame::Message(message)) => {
                    let payload = &message["payload"];
                    assert!(message["type"] == "next" && payload.get("errors").is_none(), "{message}");
                    held.lock().expect("nobody panics with it").take(&payload["data"], &mut newest);
                    // Where the server dies meanwhile, the next one is asked from the same place on.
                    whole = whole || newest.is_some() && read_older(&http, &url, &held).await;
                    if whole {
                        let mut held = held.lock().expect("nobody panics with it");
                        held.whole_to = held.newest();
                    }
                }
                Some(Frame::Closed(..)) => return,
                None => panic!("nothing came"),
            }
        }
    })
}

/// Reads pages back to where nothing was lacking before; `false` where the server is gone.
async fn read_older(http: &reqwest::Client, url: &str, held: &Mutex<Held>) -> bool {
    let until = held.lock().expect("nobody panics with it").whole_to;
    let mut after = Value::Null;
    loop {
        let request = json!({ "query": PAGE, "variables": { "city": CITY, "after": after } });
        let Ok(answer) = http.post(url).json(&request).send().await else { return false };
        let Ok(answer) = answer.json::<Value>().await else { return false };
        if let Some(errors) = answer.get("errors") {
            assert_eq!(errors[0]["extensions"]["code"], "CITY_LIVE_DOWN", "{answer}");
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        }
        let page = &answer["data"]["liveFeed"];
        let mut held = held.lock().expect("nobody panics with it");
        let oldest = page["nodes"].as_array().expect("a page").iter().map(|node| held.keep(node)).min();
        if oldest.is_none_or(|oldest| oldest <= until) || page["pageInfo"]["hasNextPage"] == false {
            return true;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// What tells a message from others, whatever its place in a topic. Calls are told apart by their ids: their zone may be found by
/// the consumer.
fn identity(topic: &str, kind: &str, source: &str, zone: &str, ts: &str, mark: &str) -> String {
    let zone = if kind == "call_311" { "" } else { zone };
    format!("{topic} {kind} {source} {zone} {ts} {mark}")
}

fn of_json(topic: &str, message: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let payload = &message["payload"];
    let mark = text(&payload["call_id"]) + &text(&payload["kind"]);
    let zone = text(&message["zone_id"]);
    identity(topic, &text(&payload["type"]), &text(&message["source"]), &zone, &text(&message["ts"]), &mark)
}

fn of_row(row: &Document) -> String {
    let payload = row.get_document("payload").expect("a payload");
    let text = |document: &Document, field: &str| document.get_str(field).unwrap_or_default().to_owned();
    let ts = row.get_datetime("ts").expect("a date").timestamp_millis();
    let ts = citytwin::twin::time::Time(ts).to_string();
    let mark = text(payload, "call_id") + &text(payload, "kind");
    let topic = text(row, "topic");
    identity(&topic, &text(payload, "type"), &text(row, "source"), &text(row, "zone_id"), &ts, &mark)
}

async fn rows(mongod: &Mongod) -> Vec<Document> {
    let client = mongodb::Client::with_uri_str(mongod.uri("live")).await.expect("a client");
    let feed = client.database("live").collection::<Document>("kafka_live_feed");
    feed.find(doc! {}).await.expect("an answer").try_collect().await.expect("documents")
}

/// Messages of another producer, over some seconds, so that the server dies with some of them in hand.
fn script(brokers: String, phase: usize, begin: i64) -> JoinHandle<()> {
    const STEP: usize = 20;
    tokio::spawn(async move {
        for step in 0..SCRIPTED / STEP {
            let records: Vec<Record> = (0..STEP).map(|n| scripted(begin, phase, step * STEP + n)).collect();
            kafka::produce(&brokers, records).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

fn scripted(begin: i64, phase: usize, number: usize) -> Record {
    // Every tenth message is sent twice, as a producer does that has not heard an answer.
    let number = if number % 10 == 9 { number - 1 } else { number };
    let zone = format!("z{}", number % ZONES);
    let ts = citytwin::twin::time::Time(begin + (phase * SCRIPTED + number) as i64).to_string();
    let payload = json!({"type": "traffic", "current_speed_kmh": number % 90, "free_flow_speed_kmh": 90});
    let value = json!({"city_id": CITY, "zone_id": zone, "ts": ts, "source": "script", "payload": payload});
    Record::new("traffic_events", &format!("{CITY}/{zone}"), &value.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_apis_to_a_subscriber_nothing_is_lost_or_doubled_whenever_the_server_dies() {
    let (kafka, mongod) = (Kafka::fresh().await, Mongod::start());
    let brokers = kafka.brokers();
    let folder = tempfile::tempdir().expect("a folder");
    let cities = catalogue(folder.path());
    let options = SimulatedOptions { seed: 7, faults: true, delay: Duration::from_millis(20) };
    let shipped = Arc::new(Catalogue::load(Some(&cities)).expect("a catalogue"));
    let apis = Simulated::start(options, shipped).await.expect("a port");
    let (url, cities, mongodb) = (apis.url(), cities.display().to_string(), mongod.uri("live"));
    let mut settings = vec![
        ("KAFKA_BROKERS", brokers.as_str()),
        ("REDIS_URL", "embedded"),
        ("MONGODB_URI", &mongodb),
        ("CITIES_FILE", &cities),
        ("CITY_LIVE", "on"),
        ("CITY_LIVE_INTERVAL", "1s"),
        ("CITY_LIVE_PROCESS_INTERVAL", "2s"),
        // The APIs tell of the last days, too.
        ("CITY_LIVE_FEED_RETENTION", "30d"),
        ("LEASE_MS", "1500"),
    ];
    for name in ["OPEN_METEO_URL", "OPEN_METEO_AIR_URL", "OPENWEATHER_URL", "TOMTOM_URL", "EIA_URL", "SOCRATA_URL"] {
        settings.push((name, &url));
    }
    for name in ["OPENWEATHER_API_KEY", "TOMTOM_API_KEY", "EIA_API_KEY", "SOCRATA_APP_TOKEN"] {
        settings.push((name, "simulated"));
    }
    let mut server = Server::start_ready(&settings).await;
    let held = Arc::new(Mutex::new(Held::default()));
    let mut following = follow(&server, &held).await;
    let (status, chosen) = server.post_json(&format!("/api/city/select/{CITY}"), &Value::Null).await;
    assert_eq!(status, 202, "{chosen}");

    // Killed while the first data comes in, then with messages of the script in hand, and once more soon after its start.
    let begin = jiff::Timestamp::now().as_millisecond() - 7_200_000;
    for (phase, wait) in [1200, 900, 300].into_iter().enumerate() {
        let sending = script(brokers.clone(), phase, begin);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        server.kill();
        following.await.expect("what came was in order");
        server.start_again().await;
        server.ready(PATIENCE).await;
        following = follow(&server, &held).await;
        sending.await.expect("all is sent");
    }

    // The producer of the last start asks all APIs anew: it has, when a row of each is there and the last word of the script.
    let last = of_json("traffic_events", &scripted(begin, 2, SCRIPTED - 2).json());
    eventually(PATIENCE, || async {
        let rows: BTreeSet<String> = rows(&mongod).await.iter().map(of_row).collect();
        let kinds = ["weather open-meteo", "weather openweather", " aqi ", " tomtom", " power_demand ", " call_311 "];
        let counts = kinds.map(|kind| rows.iter().filter(|row| row.contains(kind)).count());
        if counts.iter().all(|count| *count > 0) && rows.contains(&last) { Ok(()) } else { Err(format!("{counts:?}")) }
    })
    .await;

    // Each message that Kafka holds is one row: looked at until no more comes in between.
    let until = Instant::now() + PATIENCE;
    let (messages, distinct) = loop {
        let mut messages = Vec::new();
        for topic in TOPICS {
            messages.extend(kafka::read_all(&brokers, topic).await.iter().map(|record| of_json(topic, &record.json())));
        }
        let rows: Vec<String> = rows(&mongod).await.iter().map(of_row).collect();
        let (sent, kept): (BTreeSet<_>, BTreeSet<_>) =
            (messages.iter().cloned().collect(), rows.iter().cloned().collect());
        assert_eq!(rows.len(), kept.len(), "none is doubled");
        if sent == kept {
            break (messages.len(), sent.len());
        }
        let lost: Vec<_> = sent.difference(&kept).take(5).collect();
        let made_up: Vec<_> = kept.difference(&sent).take(5).collect();
        assert!(
            Instant::now() < until,
            "{} of {} rows; lacking {lost:?}; of nobody {made_up:?}",
            kept.len(),
            sent.len()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(
        messages > distinct && distinct > 3 * SCRIPTED * 8 / 10,
        "{messages} messages, {distinct} of them different"
    );
    assert!(kafka::read_all(&brokers, "twin.dead-letter").await.is_empty());

    // Who resumed over three kills holds what the archive holds, and so does who comes now.
    let late = Arc::new(Mutex::new(Held::default()));
    let late_following = follow(&server, &late).await;
    let archived: BTreeSet<i64> = rows(&mongod).await.iter().map(|row| row.get_i64("seq").expect("a number")).collect();
    eventually(PATIENCE, || async {
        let now = of_zones(
            &server
                .graphql(
                    "query($city: String!) { cityLive(cityId: $city) { zones { zoneId processed { runId processedAt } } } }",
                    json!({ "city": CITY }),
                )
                .await["cityLive"]["zones"],
        );
        let (held, late) = (held.lock().expect("held"), late.lock().expect("late"));
        if !archived.iter().all(|seq| held.rows.contains_key(seq)) {
            return Err(format!("it holds {} rows of {}", held.rows.len(), archived.len()));
        }
        if !archived.iter().all(|seq| late.rows.contains_key(seq) && late.rows.get(seq) == held.rows.get(seq)) {
            return Err(format!("who came late holds {} rows of {}", late.rows.len(), archived.len()));
        }
        // A run every two seconds: now and then all three are of the same one.
        if now.len() == ZONES && held.zones == now && late.zones == now {
            Ok(())
        } else {
            Err(format!("{now:?}, {:?}, {:?}", held.zones, late.zones))
        }
    })
    .await;
    assert!(!following.is_finished() && !late_following.is_finished());
    let ours: BTreeSet<i64> = held.lock().expect("held").rows.keys().copied().collect();
    let there: BTreeSet<i64> = rows(&mongod).await.iter().map(|row| row.get_i64("seq").expect("a number")).collect();
    assert!(ours.is_subset(&there), "it was given nothing that is not there");
    server.kill();
    following.await.expect("what came was in order");
    late_following.await.expect("what came was in order");
}
