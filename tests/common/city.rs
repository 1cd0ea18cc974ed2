//! A small city, events for it, and what a running server, its topics and its Redis say about it.

use std::collections::BTreeMap;

pub use citytwin::kafka::topics::INPUT_TOPICS;
use redis::AsyncCommands;
use serde_json::{Map, Value, json};

use super::{
    kafka::{self, Record, Topic},
    redis::Redis,
    server::Server,
};

/// The id of [`city_file`]'s city.
pub const CITY: &str = "small-city";

/// 2026-01-05T00:00:00Z, the start of the events below, in Unix milliseconds.
pub const START: i64 = 1_767_571_200_000;

/// Two districts with one of everything that only a city file can bring.
pub fn city_file() -> Value {
    json!({
        "cityId": CITY,
        "name": "Small City",
        "districts": [
            {
                "districtId": "centro",
                "name": "Centro",
                "location": {
                    "centerLatitude": 42.35, "centerLongitude": 13.4,
                    "boundaries": { "north": 42.36, "south": 42.34, "east": 13.41, "west": 13.39 }
                },
                "sensors": [],
                "buildings": [{
                    "buildingId": "town-hall", "name": "Town Hall", "type": "public",
                    "location": { "latitude": 42.35, "longitude": 13.4 }, "totalCapacity": 200
                }],
                "weatherStations": [{
                    "stationId": "centro-weather", "location": { "latitude": 42.351, "longitude": 13.401 }
                }],
                "cityGraph": {
                    "nodes": [
                        { "nodeId": "n1", "type": "intersection", "location": { "latitude": 42.35, "longitude": 13.4 } },
                        { "nodeId": "n2", "type": "intersection", "location": { "latitude": 42.352, "longitude": 13.402 } }
                    ],
                    "edges": [{ "edgeId": "e1", "fromNode": "n1", "toNode": "n2", "roadSegment": { "roadName": "Corso" } }]
                }
            },
            { "districtId": "torrione", "name": "Torrione" }
        ]
    })
}

/// Writes a city file into a folder that lives as long as the value.
pub fn city_file_on_disk(city: &Value) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("city.json");
    std::fs::write(&path, city.to_string()).expect("the folder is ours");
    let path = path.display().to_string();
    (folder, path)
}

/// Makes the nine topics, each of so many partitions, that keep records of any age.
pub async fn create_topics(brokers: &str, partitions: i32) {
    let topics: Vec<Topic<'_>> = INPUT_TOPICS.iter().map(|name| Topic::for_recording(name, partitions)).collect();
    kafka::create_topics(brokers, &topics).await;
}

/// A time as the messages have it, so many milliseconds after [`START`].
pub fn time(after: i64) -> String {
    jiff::Timestamp::from_millisecond(START + after).expect("a time").strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// An event of a topic, so many milliseconds after [`START`].
pub fn event(topic: &str, key: &str, after: i64, mut value: Value) -> Record {
    value["lastUpdated"] = json!(time(after));
    Record::new(topic, key, &value.to_string()).at(START + after)
}

/// A bus where it is.
pub fn bus(id: &str, after: i64, latitude: f64) -> Record {
    let value = json!({ "busId": id, "currentLocation": { "latitude": latitude, "longitude": 13.4 }, "speed": 20 });
    event("transport.gps", id, after, value)
}

/// A sensor's value.
pub fn sensor(district: &str, id: &str, after: i64, value: f64) -> Record {
    let value = json!({ "districtId": district, "sensorId": id, "type": "noise", "value": value, "unit": "dB" });
    event("sensors.environmental", district, after, value)
}

/// An incident with a status.
pub fn incident(id: &str, after: i64, status: &str) -> Record {
    event("emergency.incidents", id, after, json!({ "incidentId": id, "type": "fire", "status": status }))
}

/// The sum of a metric over all its labels that contain every one of these (`topic="transport.gps"`).
pub async fn metric(server: &Server, name: &str, labels: &[&str]) -> f64 {
    let Ok(answer) = server.get("/metrics").await else { return 0.0 };
    let text = answer.text().await.unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (found, value) = rest.rsplit_once(' ')?;
            let ours = found.is_empty() || found.starts_with('{');
            (ours && labels.iter().all(|label| found.contains(label))).then(|| value.parse::<f64>().ok())?
        })
        .sum()
}

/// How many events this life of the server has read.
pub async fn folded(server: &Server) -> u64 {
    metric(server, "citytwin_events_total", &[]).await as u64
}

/// `/api/state` as text.
pub async fn state_text(server: &Server) -> String {
    let answer = server.get("/api/state").await.expect("an answer");
    let (status, text) = (answer.status(), answer.text().await.expect("a body"));
    assert_eq!(status, 200, "GET /api/state: {text}");
    text
}

/// The same without its timestamp: what two instances or two lives have in common, byte for byte.
pub async fn timeless_state(server: &Server) -> String {
    without_timestamp(&state_text(server).await)
}

/// Cuts the timestamp out of a state's text.
pub fn without_timestamp(state: &str) -> String {
    let name = "\"timestamp\":\"";
    let start = state.find(name).expect("a timestamp") + name.len();
    let end = start + state[start..].find('"').expect("its end");
    format!("{}{}", &state[..start], &state[end..])
}

/// What two JSON values must have in common to be the same city: `timestamp`, nulls and empty lists aside, and 1 is 1.0.
pub fn essence(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .filter(|(name, _)| *name != "timestamp")
                .map(|(name, value)| (name.clone(), essence(value)))
                .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(essence).collect()),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

/// The first place where two values differ, for people.
pub fn difference(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| {
                let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                difference(&format!("{path}.{name}"), a, b)
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| difference(&format!("{path}.{i}"), a, b))
        }
        (Value::Array(a), Value::Array(b)) => Some(format!("{path}: {} and {} items", a.len(), b.len())),
        _ => (ours != theirs).then(|| format!("{path}: {ours} and {theirs}")),
    }
}

/// One entity's row in Redis as JSON; `Null` where there is none.
pub async fn row(redis: &Redis, city: &str, table: &str, field: &str) -> Value {
    let value: Option<String> =
        redis.connection().await.hget(format!("twin:{{{city}}}:{table}"), field).await.expect("Redis answers");
    value.map_or(Value::Null, |value| serde_json::from_str(&value).expect("rows are JSON"))
}

/// A whole hash in Redis, by field.
pub async fn rows(redis: &Redis, city: &str, table: &str) -> BTreeMap<String, Value> {
    let rows: BTreeMap<String, String> =
        redis.connection().await.hgetall(format!("twin:{{{city}}}:{table}")).await.expect("Redis answers");
    rows.into_iter().map(|(field, value)| (field, serde_json::from_str(&value).expect("rows are JSON"))).collect()
}

/// The sum of the stored offsets: how many records of topics without holes the store stands for.
pub async fn stored_offsets(redis: &Redis, city: &str) -> i64 {
    rows(redis, city, "offsets").await.values().filter_map(|row| row["offset"].as_i64()).sum()
}

/// The city as Redis holds it, put together from its hashes in the form of `state.full`.
pub async fn stored_city(redis: &Redis, city: &str) -> Value {
    let list = async |table: String| -> Value {
        let rows = rows(redis, city, &table).await.into_values().map(|mut row| {
            if let Some(members) = row.as_object_mut() {
                // What only the fold needs to know.
                members.remove("partition");
                members.remove("capacityByEvent");
            }
            row
        });
        Value::Array(rows.collect())
    };
    let facts = rows(redis, city, "city").await;
    let mut districts = Vec::new();
    for (id, mut district) in rows(redis, city, "districts").await {
        let of = |kind: &str| list(format!("district:{id}:{kind}"));
        district["sensors"] = of("sensors").await;
        district["buildings"] = of("buildings").await;
        district["weatherStations"] = of("weather-stations").await;
        district["cityGraph"] = json!({ "nodes": of("nodes").await, "edges": of("edges").await });
        districts.push(district);
    }
    json!({
        "cityId": facts["cityId"],
        "name": facts["name"],
        "districts": districts,
        "publicTransport": { "buses": list("buses".into()).await, "stations": list("stations".into()).await },
        "emergencyServices": { "incidents": list("incidents".into()).await, "units": list("units".into()).await },
    })
}

/// Panics where two cities differ, with the first place.
pub fn assert_same_city(what: &str, ours: &Value, theirs: &Value) {
    if let Some(difference) = difference("", &essence(ours), &essence(theirs)) {
        panic!("{what}: {difference}");
    }
}
