//! City Live from the topics to the documents: nothing lost, nothing doubled, whatever is killed on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use crate::common::{
    eventually,
    kafka::{self, Kafka, Record},
    mongod::Mongod,
    proxy::{Fault, Proxy},
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(60);
const TOPICS: [&str; 5] = ["aqi_stream", "power_demand", "traffic_events", "grid_alerts", "incident_text"];
const CITY: &str = "laquila";

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn time(millis: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(millis).expect("a time"))
}

fn zone(number: usize) -> String {
    format!("district-0{}", number % 5 + 1)
}

/// A message as the producer sends it.
fn message(topic: &str, zone: Option<&str>, ts: i64, payload: &Value) -> Record {
    let value = json!({"city_id": CITY, "zone_id": zone, "ts": time(ts), "source": "open-meteo", "payload": payload});
    Record::new(topic, &format!("{CITY}/{}", zone.unwrap_or_default()), &value.to_string())
}

fn weather(zone: &str, ts: i64, temperature: f64) -> Record {
    message("aqi_stream", Some(zone), ts, &json!({"type": "weather", "temperature_c": temperature}))
}

fn call(zone: &str, id: usize, ts: i64) -> Record {
    let payload = json!({"type": "call_311", "call_id": id.to_string(), "complaint_type": format!("Type {}", id % 3)});
    message("incident_text", Some(zone), ts, &payload)
}

/// What a round of the producer sends: for each zone weather, traffic and two calls, some of them twice, and for the city power.
fn round(number: usize, at: i64) -> Vec<Record> {
    let mut records = Vec::new();
    for z in 0..5 {
        let (zone, ts) = (zone(z), at + z as i64);
        let traffic = json!({"type": "traffic", "current_speed_kmh": number, "free_flow_speed_kmh": 60});
        records.push(weather(&zone, ts, number as f64 / 10.0));
        records.push(message("traffic_events", Some(&zone), ts, &traffic));
        records.push(call(&zone, number * 10 + z * 2, ts));
        records.push(call(&zone, number * 10 + z * 2 + 1, ts));
        if number.is_multiple_of(3) {
            records.push(weather(&zone, ts, number as f64 / 10.0));
        }
    }
    let power = json!({"type": "power_demand", "region": "ITIT", "demand_mwh": 1000 + number});
    records.push(message("power_demand", None, at, &power));
    records
}

/// Records that are no messages, each in its own way.
fn bad(number: usize) -> Vec<Record> {
    let key = format!("bad-{number}");
    let weather = |city: &str, zone: &str, temperature: Value| {
        let payload = json!({"type": "weather", "temperature_c": temperature});
        json!({"city_id": city, "zone_id": zone, "ts": time(now()), "source": "s", "payload": payload}).to_string()
    };
    vec![
        Record::new("aqi_stream", &key, "{not json"),
        Record::new("aqi_stream", &key, &weather("atlantis", "z", json!(1))),
        Record::new("traffic_events", &key, &weather(CITY, "district-01", json!(20))),
        Record::new("aqi_stream", &key, &weather(CITY, "district-01", json!(-500))),
        Record { key: None, value: None, ..Record::new("power_demand", "", "") },
        Record { value: Some(vec![0xff, 0x00, number as u8]), ..Record::new("incident_text", &key, "") },
    ]
}

struct Site {
    kafka: Kafka,
    mongod: Mongod,
}

impl Site {
    async fn new() -> Self {
        Self { kafka: Kafka::fresh().await, mongod: Mongod::start() }
    }

    /// An instance that is not started yet; `mongodb` is where it finds the server.
    fn instance(&self, mongodb: &str) -> Server {
        Server::new(
            &["serve"],
            &[
                ("KAFKA_BROKERS", &self.kafka.brokers()),
                ("REDIS_URL", "embedded"),
                ("MONGODB_URI", mongodb),
                ("CITY_LIVE", "no-producer"),
                ("LEASE_MS", "1500"),
            ],
        )
    }

    async fn send(&self, records: Vec<Record>) {
        kafka::produce(&self.kafka.brokers(), records).await;
    }

    /// Waits for the topics, which the first instance makes.
    async fn topics(&self) {
        eventually(PATIENCE, || async {
            let names = kafka::topic_names(&self.kafka.brokers()).await;
            let missing: Vec<_> = TOPICS.iter().filter(|topic| !names.iter().any(|name| name == *topic)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("no {missing:?}")) }
        })
        .await;
    }

    async fn database(&self) -> mongodb::Database {
        mongodb::Client::with_uri_str(self.mongod.uri("live")).await.expect("a client").database("live")
    }

    async fn all(&self, collection: &str) -> Vec<Document> {
        let collection = self.database().await.collection::<Document>(collection);
        let found = collection.find(doc! {}).await.expect("an answer");
        found.try_collect().await.expect("documents")
    }

    /// Waits until the feed has this many rows, and gives their `_id`s.
    async fn rows(&self, count: usize) -> BTreeSet<String> {
        let rows = eventually(PATIENCE, || async {
            let rows = self.all("kafka_live_feed").await;
            if rows.len() >= count { Ok(rows) } else { Err(format!("{} rows of {count}", rows.len())) }
        })
        .await;
        rows.iter().map(|row| row.get_str("_id").expect("an id").to_owned()).collect()
    }
}

/// The rows that records make: one for each message, whichever way it came twice.
fn distinct(records: &[Record]) -> usize {
    let values: BTreeSet<&[u8]> = records.iter().filter_map(|record| record.value.as_deref()).collect();
    values.len()
}

fn number(document: &Document, field: &str) -> f64 {
    let payload = document.get_document("payload").expect("a payload");
    payload.get_f64(field).or_else(|_| payload.get_i64(field).map(|whole| whole as f64)).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_become_documents_once_whatever_is_killed() {
    let site = Site::new().await;
    let proxy = Proxy::start(&site.mongod.address());
    let mut server = site.instance(&format!("mongodb://{}/live", proxy.address()));
    server.start_again().await;
    site.topics().await;
    let start = now() - 3_600_000;
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for number in 0..8 {
        let (messages, wrong) = (round(number, start + number as i64 * 60_000), bad(number));
        site.send(messages.iter().chain(&wrong).cloned().collect()).await;
        good.extend(messages);
        refused.extend(wrong);
        match number {
            // Killed at three moments: with nothing, something and perhaps everything of a round written.
            1 | 3 | 5 => {
                tokio::time::sleep(Duration::from_millis(200 * number as u64)).await;
                server.kill();
                server.start_again().await;
            }
            // The archive is away for a while, in the middle of what it was told.
            4 => {
                proxy.set(Fault::Refuse);
                proxy.cut();
                eventually(PATIENCE, || async {
                    // 503 until the twin is ready again: whoever was killed a moment ago waits for its lease.
                    let answer = server.get("/readyz").await.map_err(|error| error.to_string())?;
                    let ready: Value = answer.json().await.map_err(|error| error.to_string())?;
                    let down = |entry: &Value| entry["what"] == "city_live" && entry["state"] == "down";
                    if ready["degraded"].as_array().is_some_and(|list| list.iter().any(down)) {
                        Ok(())
                    } else {
                        Err(ready.to_string())
                    }
                })
                .await;
                let metrics = server.get("/metrics").await.expect("an answer").text().await.expect("a text");
                assert!(metrics.contains("citytwin_degraded{state=\"down\"} 1\n"), "{metrics}");
                proxy.set(Fault::None);
            }
            _ => {}
        }
    }
    // What is late is in the feed, and over no newer value.
    let late = weather(&zone(0), start - 1000, -7.0);
    site.send(vec![late.clone()]).await;
    good.push(late);

    let count = distinct(&good);
    let rows = site.rows(count).await;
    assert_eq!(rows.len(), count, "a row for each message");
    let latest = site.all("raw_weather").await;
    assert_eq!(latest.len(), 5);
    assert!(latest.iter().all(|value| number(value, "temperature_c") == 0.7), "{latest:?}");
    let traffic = site.all("raw_traffic").await;
    assert!(traffic.len() == 5 && traffic.iter().all(|value| number(value, "current_speed_kmh") == 7.0), "{traffic:?}");
    let power = site.all("raw_power_demand").await;
    assert_eq!((power.len(), number(&power[0], "demand_mwh")), (1, 1007.0));
    assert!(power[0].get("zone_id").is_some_and(|zone| zone.as_null().is_some()));
    let calls = site.all("raw_311").await;
    assert_eq!(calls.len(), 5);
    for zone in &calls {
        let ids: BTreeSet<&str> = zone
            .get_array("calls")
            .expect("calls")
            .iter()
            .map(|call| call.as_document().expect("a call").get_str("call_id").expect("an id"))
            .collect();
        let counted: i64 =
            zone.get_document("by_type").expect("counts").values().filter_map(mongodb::bson::Bson::as_i64).sum();
        assert_eq!((ids.len(), counted), (16, 16), "{zone}");
    }

    let letters = eventually(PATIENCE, || async {
        let letters = kafka::read_all(&site.kafka.brokers(), "twin.dead-letter").await;
        let of: BTreeSet<_> = letters.iter().map(source).collect();
        if of.len() >= refused.len() { Ok(letters) } else { Err(format!("{} of {}", of.len(), refused.len())) }
    })
    .await;
    // Over a kill a dead letter may come again, with the same source; each is the record byte for byte.
    let mut originals = BTreeMap::new();
    for topic in TOPICS {
        for record in kafka::read_all(&site.kafka.brokers(), topic).await {
            originals.insert(
                (topic.to_owned(), record.partition.unwrap_or(0).to_string(), record.offset.to_string()),
                record,
            );
        }
    }
    let mut sources = BTreeSet::new();
    for letter in &letters {
        let original = &originals[&source(letter)];
        assert_eq!((&letter.key, &letter.value), (&original.key, &original.value));
        let timestamp = original.timestamp.map(|at| at.to_string());
        assert_eq!(letter.header("source-timestamp"), timestamp.as_deref());
        assert!(letter.header("error").is_some_and(|error| !error.is_empty()));
        sources.insert(source(letter));
    }
    assert_eq!(sources.len(), refused.len());
    let codes: BTreeSet<_> = letters.iter().filter_map(|letter| letter.header("error-code")).collect();
    assert_eq!(codes, BTreeSet::from(["empty", "not_json", "not_utf8", "out_of_range", "unknown_entity"]));
}

fn source(letter: &Record) -> (String, String, String) {
    let header = |name: &str| letter.header(name).unwrap_or_default().to_owned();
    (header("source-topic"), header("source-partition"), header("source-offset"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_instances_one_runs_it_and_the_other_takes_over() {
    let site = Site::new().await;
    let mut first = site.instance(&site.mongod.uri("live"));
    first.start_again().await;
    site.topics().await;
    let process =
        async |server: &Server| server.post_json("/api/city/process/from-kafka?wait=true", &Value::Null).await;
    let (status, chosen) = first.post_json(&format!("/api/city/select/{CITY}"), &Value::Null).await;
    assert_eq!((status, &chosen["cityId"], &chosen["status"]), (202, &json!(CITY), &json!("LOADING")));
    let ts = now() - 60_000;
    site.send((0..5).map(|z| weather(&zone(z), ts, 20.0)).collect()).await;
    site.rows(5).await;
    // It is processed by itself as soon as its first data is there.
    eventually(PATIENCE, || async {
        let current = first.get_json("/api/city/current").await;
        if current["status"] == "READY" { Ok(()) } else { Err(current.to_string()) }
    })
    .await;
    let mut second = site.instance(&site.mongod.uri("live"));
    second.start_again().await;
    assert_eq!(second.get_json("/api/city/current").await["cityId"], CITY);
    let (status, refusal) = process(&second).await;
    assert_eq!((status, &refusal["error"]["code"]), (503, &json!("NOT_WRITER")), "{refusal}");
    assert_eq!(process(&first).await.0, 200);
    first.kill();
    site.send((0..5).map(|z| weather(&zone(z), ts + 1000, 21.0)).collect()).await;
    site.rows(10).await;
    let zones = eventually(PATIENCE, || async {
        let (status, zones) = process(&second).await;
        if status == 200 { Ok(zones) } else { Err(format!("{status}: {zones}")) }
    })
    .await;
    assert_eq!(zones["zones"][0]["raw"]["weather"]["ts"], time(ts + 1000));
    // The one that comes back does not take it away again.
    first.start_again().await;
    eventually(PATIENCE, || async {
        let (status, refusal) = process(&first).await;
        if refusal["error"]["code"] == "NOT_WRITER" { Ok(()) } else { Err(format!("{status}: {refusal}")) }
    })
    .await;
    assert_eq!(process(&second).await.0, 200);
    second.stop_cleanly();
    // Given back on purpose, the lease need not run out.
    eventually(PATIENCE, || async {
        let (status, refusal) = process(&first).await;
        if status == 200 { Ok(()) } else { Err(format!("{status}: {refusal}")) }
    })
    .await;
}
