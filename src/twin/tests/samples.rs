//! Cities, events and operations for the tests of everything that works on a city. Times are 2026-01-05.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use fastrand::Rng;

use super::{
    city::{City, Outcome},
    event::{Judgement, Topic, decode},
    model::Kind,
    reject::Reject,
    snapshot::{CityFile, write_full},
    time::Time,
    view::View,
};

/// 2026-01-05T00:00:00.000Z.
pub(crate) const T0: i64 = 1_767_571_200_000;
pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) const JUDGEMENT: Judgement = Judgement { max_clock_skew_ms: 300_000, max_event_bytes: 1 << 20 };

/// An empty city that keeps resolved incidents for an hour and tells what changes.
pub(crate) fn city() -> City {
    let mut city = City::new("c", "C", Some(HOUR));
    city.track(true);
    city
}

/// Applies a message of partition 0 whose record and event have this time.
pub(crate) fn apply(city: &mut City, topic: Topic, millis: i64, json: &str) -> Result<Outcome, Reject> {
    apply_to(city, topic, 0, millis, json)
}

pub(crate) fn apply_to(
    city: &mut City,
    topic: Topic,
    partition: i32,
    millis: i64,
    json: &str,
) -> Result<Outcome, Reject> {
    let event = decode(topic, Some(json.as_bytes()), Time(millis), &JUDGEMENT)?;
    city.apply(partition, event)
}

/// `state.full` of a moment that is always the same.
pub(crate) fn full(view: &View) -> String {
    full_at(view, Time(T0))
}

pub(crate) fn full_at(view: &View, at: Time) -> String {
    let mut out = Vec::new();
    write_full(view, at, &mut out);
    String::from_utf8(out).unwrap()
}

pub(crate) fn value(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {json}"))
}

pub(crate) fn import(city: &mut City, json: &str) {
    let file = CityFile::parse(json).unwrap_or_else(|problems| panic!("{problems:?}: {json}"));
    city.import(file);
}

/// An entity's value in `state.full`.
pub(crate) fn entity(city: &City, kind: Kind, district: Option<&str>, id: &str) -> Option<serde_json::Value> {
    let json = city.view().find(kind, district, id)?.json();
    Some(value(std::str::from_utf8(json).unwrap()))
}

/// One of each kind, with every field.
pub(crate) const ONE_OF_EACH: &str = r#"{"cityId":"c","name":"C","timestamp":"2026-01-05T00:00:00.000Z","districts":[{"districtId":"d","name":"D","location":{"centerLatitude":42.35,"centerLongitude":13.4,"boundaries":{"north":42.4,"south":42.3,"east":13.5,"west":13.3}},"sensors":[{"sensorId":"s","type":"noise","value":45.2,"unit":"dB","status":"active","lastUpdated":"2026-01-04T00:00:00.000Z","location":{"latitude":42.35,"longitude":13.4},"metadata":{"z":[1,{"a":null}],"a":"b"},"buildingId":"b"}],"buildings":[{"buildingId":"b","name":"B","type":"office","location":{"latitude":42.35,"longitude":13.4},"currentOccupancy":50,"totalCapacity":200,"occupancyRate":0.25,"sensors":[{"x":1}],"lastUpdated":"2026-01-04T00:00:00.000Z"}],"weatherStations":[{"stationId":"w","location":{"latitude":42.35,"longitude":13.4},"readings":{"temperature":15.5,"windSpeed":null,"extra":[null]},"status":"maintenance","lastUpdated":"2026-01-04T00:00:00.000Z"}],"cityGraph":{"nodes":[{"nodeId":"n","type":"intersection","location":{"latitude":42.35,"longitude":13.4}}],"edges":[{"edgeId":"e","roadSegmentId":"rs","fromNode":"n","toNode":"m","name":"Via Roma","class":"primary","length":150.5,"speedLimit":50,"lanes":2,"trafficConditions":{"averageSpeed":35.5,"congestionLevel":"moderate","vehicleCount":45,"travelTime":8.2,"incidents":[],"own":{"_t":"a"}},"lastUpdated":"2026-01-04T00:00:00.000Z","geometry":{"type":"LineString","coordinates":[[13.4,42.35],[13.401,42.351]]}}]}}],"publicTransport":{"buses":[{"busId":"bus","routeId":"r","currentLocation":{"latitude":42.35,"longitude":13.4},"heading":90,"speed":25.5,"passengerCount":35,"status":"in_service","lastUpdated":"2026-01-04T00:00:00.000Z"}],"stations":[{"stationId":"st","name":"Piazza Duomo","location":{"latitude":42.35,"longitude":13.4},"waitingPassengers":12,"nextArrivals":[{"busId":"bus","own":null}],"lastUpdated":"2026-01-04T00:00:00.000Z"}]},"emergencyServices":{"incidents":[{"incidentId":"i","type":"fire","severity":"critical","location":{"latitude":42.35,"longitude":13.4},"status":"in_progress","assignedUnits":["u"],"reportedAt":"2026-01-04T00:00:00.000Z","description":"smoke","lastUpdated":"2026-01-04T00:00:00.000Z"}],"units":[{"unitId":"u","type":"fire_truck","status":"dispatched","currentLocation":{"latitude":42.35,"longitude":13.4},"assignedIncident":"i","lastUpdated":"2026-01-04T00:00:00.000Z"}]}}"#;

/// One record of a topic.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub topic: Topic,
    pub partition: i32,
    pub time: i64,
    pub json: String,
}

impl Message {
    pub(crate) fn apply(&self, city: &mut City) -> Result<Outcome, Reject> {
        apply_to(city, self.topic, self.partition, self.time, &self.json)
    }
}

/// The messages in an order that a consumer may see them in: each partition's in its own, in runs of any length.
pub(crate) fn interleaved(messages: &[Message], rng: &mut Rng) -> Vec<usize> {
    let mut queues: BTreeMap<(Topic, i32), Vec<usize>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate().rev() {
        queues.entry((message.topic, message.partition)).or_default().push(at);
    }
    let mut queues: Vec<Vec<usize>> = queues.into_values().collect();
    let mut order = Vec::with_capacity(messages.len());
    while !queues.is_empty() {
        let from = rng.usize(..queues.len());
        let longest = if rng.bool() { 2 } else { 200 };
        for _ in 0..rng.usize(1..=longest) {
            order.extend(queues[from].pop());
        }
        if queues[from].is_empty() {
            queues.swap_remove(from);
        }
    }
    order
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

/// `,"name":value`, or nothing, or `null`.
fn maybe(rng: &mut Rng, out: &mut String, name: &str, make: impl FnOnce(&mut Rng) -> String) {
    match rng.u8(..8) {
        0 | 1 => {}
        2 => write!(out, ",\"{name}\":null").unwrap(),
        _ => write!(out, ",\"{name}\":{}", make(rng)).unwrap(),
    }
}

fn text(rng: &mut Rng) -> String {
    pick(rng, &[r#""""#, r#""a""#, r#""b\n\"""#, r#""\u00e9\ud83d\ude00""#, r#""_t""#]).to_owned()
}

fn number(rng: &mut Rng) -> String {
    match rng.u8(..4) {
        0 => rng.i32(-3..4).to_string(),
        1 => format!("{}.0", rng.i32(-3..4)),
        2 => pick(rng, &["-0", "1e3", "9007199254740994", "1.5e300", "2.5E-7"]).to_owned(),
        _ => format!("{}", f64::from(rng.i32(-50..50)) / 8.0),
    }
}

fn count(rng: &mut Rng) -> String {
    rng.u32(..4).to_string()
}

fn position(rng: &mut Rng) -> String {
    let (latitude, longitude) = (f64::from(rng.i32(-2..3)) / 4.0, f64::from(rng.i32(-2..3)) / 4.0);
    format!("{{\"latitude\":{latitude},\"longitude\":{longitude}}}")
}

/// Free JSON, some of it equal by value and spelled in another way, some of it with keys of the delta's grammar.
fn free_object(rng: &mut Rng) -> String {
    let all = [
        "{}",
        r#"{"a":1,"b":[1,null]}"#,
        r#"{ "b" : [1.0, null], "a":1e0 }"#,
        r#"{"_t":"a","0":[1]}"#,
        r#"{"x":{"_t":"a"},"__proto__":{"y":1}}"#,
        r#"{"long":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
        r#"{"long":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
    ];
    pick(rng, &all).to_owned()
}

fn free_list(rng: &mut Rng) -> String {
    let some = rng.usize(..3);
    let items: Vec<_> = (0..some).map(|_| free_object(rng)).collect();
    format!("[{}]", items.join(", "))
}

fn extra(rng: &mut Rng, out: &mut String) {
    if rng.u8(..3) == 0 {
        let key = pick(rng, &["_t", "own", "0", "_0", "dewPoint"]);
        let value = if rng.bool() { free_object(rng) } else { "null".to_owned() };
        write!(out, ",\"{key}\":{value}").unwrap();
    }
}

fn object(write: impl FnOnce(&mut String)) -> String {
    let mut members = String::new();
    write(&mut members);
    format!("{{{}}}", members.strip_prefix(',').unwrap_or_default())
}

fn readings(rng: &mut Rng) -> String {
    object(|out| {
        for name in ["temperature", "humidity", "pressure"] {
            maybe(rng, out, name, number);
        }
        extra(rng, out);
    })
}

fn traffic(rng: &mut Rng) -> String {
    object(|out| {
        maybe(rng, out, "averageSpeed", number);
        maybe(rng, out, "congestionLevel", |rng| format!("{:?}", pick(rng, &["low", "moderate", "high", "severe"])));
        maybe(rng, out, "vehicleCount", count);
        maybe(rng, out, "travelTime", number);
        maybe(rng, out, "incidents", free_list);
        extra(rng, out);
    })
}

fn word(words: &'static [&'static str]) -> impl Fn(&mut Rng) -> String {
    move |rng| format!("{:?}", pick(rng, words))
}

const SENSOR_STATUS: &[&str] = &["active", "inactive", "maintenance"];

fn assigned(rng: &mut Rng) -> String {
    pick(rng, &["[]", r#"["u0"]"#, r#"["u0","u1"]"#, r#"["u1", "u0"]"#]).to_owned()
}

/// A message as the contract has it, of a few entities, with a time somewhere about `time`. An entity's messages
/// share a partition, and a sensor comes by one topic.
pub(crate) fn message(rng: &mut Rng, time: i64) -> Message {
    let topic = Topic::ALL[rng.usize(..9)];
    let time = time + rng.i64(-4000..4000);
    let n = rng.u8(..3);
    let district = format!("d{}", rng.u8(..4));
    let mut json = String::new();
    let out = &mut json;
    match topic {
        Topic::SensorsEnvironmental | Topic::SensorsTraffic | Topic::BuildingsSensors => {
            let (district, id) = (format!("d{}", rng.u8(..6)), format!("{}{n}", topic as u8));
            write!(out, r#""districtId":"{district}","sensorId":"s{id}","type":"t{n}","value":{}"#, number(rng))
                .unwrap();
            maybe(rng, out, "unit", text);
            maybe(rng, out, "status", word(SENSOR_STATUS));
            maybe(rng, out, "location", position);
            maybe(rng, out, "metadata", free_object);
            if topic == Topic::BuildingsSensors {
                maybe(rng, out, "buildingId", text);
            }
        }
        Topic::BuildingsOccupancy => {
            write!(out, r#""districtId":"{district}","buildingId":"b{n}","currentOccupancy":{}"#, count(rng)).unwrap();
            maybe(rng, out, "totalCapacity", count);
        }
        Topic::WeatherStations => {
            write!(out, r#""districtId":"{district}","stationId":"w{n}","readings":{}"#, readings(rng)).unwrap();
            maybe(rng, out, "status", word(SENSOR_STATUS));
        }
        Topic::TrafficGraph => write!(out, r#""edgeId":"e{n}","trafficConditions":{}"#, traffic(rng)).unwrap(),
        Topic::TransportGps => {
            write!(out, r#""busId":"bus{n}","currentLocation":{}"#, position(rng)).unwrap();
            maybe(rng, out, "routeId", text);
            maybe(rng, out, "heading", |rng| format!("{}", f64::from(rng.u32(..720)) / 2.0));
            maybe(rng, out, "speed", number);
            maybe(rng, out, "passengerCount", count);
            maybe(rng, out, "status", word(&["in_service", "out_of_service", "maintenance"]));
        }
        Topic::TransportStations => {
            write!(out, r#""stationId":"st{n}""#).unwrap();
            maybe(rng, out, "name", text);
            maybe(rng, out, "location", position);
            maybe(rng, out, "waitingPassengers", count);
            maybe(rng, out, "nextArrivals", free_list);
        }
        Topic::EmergencyIncidents if rng.bool() => {
            write!(out, r#""incidentId":"i{n}""#).unwrap();
            maybe(rng, out, "type", text);
            maybe(rng, out, "severity", word(&["low", "medium", "high", "critical"]));
            maybe(rng, out, "location", position);
            maybe(rng, out, "description", text);
            maybe(rng, out, "status", word(&["reported", "dispatched", "in_progress", "resolved", "resolved"]));
            maybe(rng, out, "assignedUnits", assigned);
            maybe(rng, out, "reportedAt", |_| r#""2026-01-05T01:02:03.4567+01:00""#.to_owned());
        }
        Topic::EmergencyIncidents => {
            write!(out, r#""unitId":"u{n}""#).unwrap();
            maybe(rng, out, "type", text);
            maybe(rng, out, "status", word(&["available", "dispatched", "on_scene"]));
            maybe(rng, out, "currentLocation", position);
            maybe(rng, out, "assignedIncident", text);
        }
    }
    if rng.u8(..4) > 0 {
        write!(out, ",\"lastUpdated\":\"{}\"", Time(time)).unwrap();
    }
    Message { topic, partition: i32::from(n), time, json: format!("{{{json}}}") }
}

/// A city file with some of a few districts, buildings, weather stations, nodes and edges; edges and nodes stand now
/// in this and now in that district.
pub(crate) fn city_file(rng: &mut Rng) -> String {
    let mut there: Vec<u8> = (0..4).filter(|_| rng.u8(..4) > 0).collect();
    rng.shuffle(&mut there);
    let home: Vec<Option<u8>> = (0..6)
        .map(|_| (rng.u8(..4) > 0).then(|| rng.usize(..there.len().max(1))).and_then(|at| there.get(at).copied()))
        .collect();
    let districts: Vec<String> = there.iter().map(|d| district(rng, *d, &home)).collect();
    let name = if rng.bool() { r#","name":"Città""# } else { r#","name":"C""# };
    format!(r#"{{"cityId":"c"{name},"districts":[{}]}}"#, districts.join(","))
}

fn list(rng: &mut Rng, id: &str, ids: &[String], members: impl Fn(&mut Rng, &mut String)) -> String {
    let items: Vec<_> = ids
        .iter()
        .map(|of| {
            let mut out = format!("\"{id}\":\"{of}\"");
            members(rng, &mut out);
            format!("{{{out}}}")
        })
        .collect();
    format!("[{}]", items.join(","))
}

fn district(rng: &mut Rng, d: u8, home: &[Option<u8>]) -> String {
    let some = |rng: &mut Rng, prefix: &str| -> Vec<String> {
        (0..3).filter(|_| rng.bool()).map(|n| format!("{prefix}{n}")).collect()
    };
    let mut out = format!("\"districtId\":\"d{d}\"");
    maybe(rng, &mut out, "name", text);
    maybe(rng, &mut out, "location", |rng| {
        let boundaries = if rng.bool() { "null" } else { r#"{"north":1,"south":0,"east":1,"west":0}"# };
        format!(r#"{{"centerLatitude":{},"centerLongitude":1,"boundaries":{boundaries}}}"#, rng.u8(..3))
    });
    let ids = some(rng, "b");
    let buildings = list(rng, "buildingId", &ids, |rng, out| {
        maybe(rng, out, "name", text);
        maybe(rng, out, "location", position);
        maybe(rng, out, "totalCapacity", count);
        maybe(rng, out, "sensors", free_list);
    });
    let ids = some(rng, "w");
    let stations = list(rng, "stationId", &ids, |rng, out| {
        maybe(rng, out, "location", position);
        maybe(rng, out, "readings", readings);
    });
    let of = |prefix: &str, from: usize| -> Vec<String> {
        (0..3).filter(|n| home[from + n] == Some(d)).map(|n| format!("{prefix}{n}")).collect()
    };
    let nodes = list(rng, "nodeId", &of("n", 3), |rng, out| maybe(rng, out, "location", position));
    let edges = list(rng, "edgeId", &of("e", 0), |rng, out| {
        maybe(rng, out, "name", text);
        maybe(rng, out, "lanes", count);
        maybe(rng, out, "length", number);
        maybe(rng, out, "trafficConditions", traffic);
        maybe(rng, out, "geometry", free_object);
    });
    format!(
        r#"{{{out},"buildings":{buildings},"weatherStations":{stations},"cityGraph":{{"nodes":{nodes},"edges":{edges}}}}}"#
    )
}

/// Anything that may happen to a city: a message, an import, a removal, another name.
pub(crate) fn operate(city: &mut City, rng: &mut Rng, time: i64) {
    match rng.u8(..40) {
        0 | 1 => import(city, &city_file(rng)),
        2..=5 => {
            let all: Vec<_> = city.view().entities(&Kind::ALL).cloned().collect();
            if let Some(one) = rng.choice(&all) {
                city.remove(one.kind(), one.district(), one.id());
            }
        }
        6 => city.rename(pick(rng, &["C", "Città", "D"])),
        _ => {
            // `unknown_entity` is as good as any other answer.
            let _ = message(rng, time).apply(city);
        }
    }
}

/// A recorded day: its city file, its first events by partition of their key, and the state after all of them.
pub(crate) struct Recorded {
    pub city: String,
    pub messages: Vec<Message>,
    pub expected: String,
}

/// The recorded days that there are: the made-up one of `tests/recordings/town`, and the real one `mosaic`, where the shared
/// data is; where not, a line says so, which `scripts/test` repeats at its end.
pub(crate) fn recorded_days(most: usize, partitions: u64) -> Vec<Recorded> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("CITYTWIN_SHARED")
        .map_or_else(|| vec![root.join("../shared"), root.join("../../shared")], |folder| vec![PathBuf::from(folder)]);
    let mut folders = vec![root.join("tests/recordings/town")];
    if let Some(folder) = shared.iter().map(|shared| shared.join("recordings/mosaic")).find(|folder| folder.is_dir()) {
        folders.push(folder);
    } else {
        let (test, place) = (std::thread::current().name().unwrap_or_default().to_owned(), shared[0].display());
        let said =
            format!("\nSKIPPED: {test} for the real day: no recorded data at {place} (CITYTWIN_SHARED says where)\n");
        // Not by `eprint!`, which cargo keeps to itself where a test passes.
        let _ = std::io::stderr().write_all(said.as_bytes());
    }
    let read = |folder: &Path| Recorded {
        city: unpacked(&folder.join("city.json")),
        messages: unpacked(&folder.join("day.ndjson.gz"))
            .lines()
            .take(most)
            .map(|line| recorded(line, partitions))
            .collect(),
        expected: unpacked(&folder.join("expected.json.gz")),
    };
    folders.iter().map(|folder| read(folder)).collect()
}

fn unpacked(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

fn recorded(line: &str, partitions: u64) -> Message {
    #[derive(serde::Deserialize)]
    struct Line<'a> {
        topic: &'a str,
        key: &'a str,
        timestamp: i64,
        #[serde(borrow)]
        value: &'a serde_json::value::RawValue,
    }
    let line: Line<'_> = serde_json::from_str(line).unwrap();
    let hash = line.key.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte));
    Message {
        topic: Topic::from_name(line.topic).unwrap(),
        partition: (hash % partitions) as i32,
        time: line.timestamp,
        json: line.value.get().to_owned(),
    }
}
