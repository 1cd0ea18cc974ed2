//! What the core costs for each item: `cargo bench --bench core`. Times are of this machine; compare them with each
//! other, and the bytes with anything.

// A bench may count what is allocated; only that needs a global allocator, and `unsafe` is forbidden here, so memory
// is read from the process itself.
use std::{fmt::Write as _, hint::black_box, sync::Arc, thread, time::Instant};

use citytwin::twin::{
    city::City,
    delta::write_delta,
    event::{Event, Judgement, Topic, decode},
    snapshot::{CityFile, write_full},
    time::Time,
};
use divan::{Bencher, counter::ItemsCount};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const T0: i64 = 1_767_571_200_000;
const JUDGEMENT: Judgement = Judgement { max_clock_skew_ms: 300_000, max_event_bytes: 1 << 20 };

fn main() {
    memory_per_entity();
    divan::main();
}

/// A message of a topic as the reference's examples are, of the entity `n`, the `turn`-th that it sends.
fn message(topic: Topic, n: usize, turn: usize) -> String {
    let d = n % 40;
    let at = format!(r#"{{"latitude":{:.5},"longitude":{:.5}}}"#, 42.3 + n as f64 * 1e-5, 13.4 + turn as f64 * 1e-5);
    let time = Time(T0 + turn as i64 * 1000);
    let value = 40.0 + (n + turn) as f64 / 8.0;
    let mut out = String::new();
    match topic {
        Topic::SensorsEnvironmental | Topic::SensorsTraffic | Topic::BuildingsSensors => write!(
            out,
            r#"{{"districtId":"district-{d:02}","sensorId":"{topic:?}-{n:05}","type":"air_quality","value":{value},"unit":"ug/m3","status":"active","location":{at},"metadata":{{"manufacturer":"SensorCorp","model":"AQ-100"}},"lastUpdated":"{time}"}}"#
        ),
        Topic::BuildingsOccupancy => write!(
            out,
            r#"{{"districtId":"district-{d:02}","buildingId":"building-{n:05}","currentOccupancy":{},"totalCapacity":500,"lastUpdated":"{time}"}}"#,
            turn % 500
        ),
        Topic::WeatherStations => write!(
            out,
            r#"{{"districtId":"district-{d:02}","stationId":"weather-{n:05}","readings":{{"temperature":{value},"humidity":65,"pressure":1013.25,"windSpeed":10.5,"windDirection":180,"precipitation":0}},"status":"active","lastUpdated":"{time}"}}"#
        ),
        Topic::TrafficGraph => write!(
            out,
            r#"{{"edgeId":"E-{n:05}","trafficConditions":{{"averageSpeed":{value},"congestionLevel":"moderate","vehicleCount":{},"travelTime":8.2,"incidents":[]}},"lastUpdated":"{time}"}}"#,
            turn % 100
        ),
        Topic::TransportGps => write!(
            out,
            r#"{{"busId":"bus-{n:05}","routeId":"route-A","currentLocation":{at},"heading":90,"speed":25.5,"passengerCount":{},"status":"in_service","lastUpdated":"{time}"}}"#,
            turn % 80
        ),
        Topic::TransportStations => write!(
            out,
            r#"{{"stationId":"station-{n:05}","name":"Piazza Duomo","location":{at},"waitingPassengers":{},"nextArrivals":[{{"busId":"bus-101","routeId":"route-A","estimatedArrival":"2026-01-05T00:05:00.000Z"}}],"lastUpdated":"{time}"}}"#,
            turn % 50
        ),
        Topic::EmergencyIncidents => write!(
            out,
            r#"{{"incidentId":"incident-{n:05}","type":"fire","severity":"critical","location":{at},"description":"smoke in a building","status":"in_progress","assignedUnits":["unit-fire-01","unit-{turn}"],"reportedAt":"{time}","lastUpdated":"{time}"}}"#
        ),
    }
    .unwrap();
    out
}

/// A city of `entities`: a tenth each of buildings, weather stations, edges with geometry and buses, sensors else.
fn city(entities: usize) -> City {
    let mut districts: Vec<[Vec<String>; 3]> = vec![Default::default(); 40];
    let tenth = entities / 10;
    for n in 0..tenth {
        let [buildings, stations, edges] = &mut districts[n % 40];
        buildings.push(format!(r#"{{"buildingId":"building-{n:05}","name":"B","type":"office","location":{{"latitude":42.35,"longitude":13.4}},"totalCapacity":500}}"#));
        stations.push(format!(r#"{{"stationId":"weather-{n:05}","location":{{"latitude":42.35,"longitude":13.4}}}}"#));
        edges.push(format!(r#"{{"edgeId":"E-{n:05}","roadSegmentId":"RS-{n:05}","fromNode":"N-{n:05}","toNode":"N-00002","name":"Via Roma","class":"primary","length":150.5,"speedLimit":50,"lanes":2,"geometry":{{"type":"LineString","coordinates":[[13.4,42.35],[13.401,42.351]]}}}}"#));
    }
    let districts: Vec<_> = districts
        .iter()
        .enumerate()
        .map(|(d, [b, w, e])| {
            format!(
                r#"{{"districtId":"district-{d:02}","buildings":[{}],"weatherStations":[{}],"cityGraph":{{"edges":[{}]}}}}"#,
                b.join(","),
                w.join(","),
                e.join(",")
            )
        })
        .collect();
    let file = CityFile::parse(&format!(r#"{{"cityId":"c","districts":[{}]}}"#, districts.join(","))).unwrap();
    let mut city = City::new("c", "C", Some(86_400_000));
    city.import(file);
    for n in 0..tenth {
        feed(&mut city, Topic::BuildingsOccupancy, n, 0);
        feed(&mut city, Topic::WeatherStations, n, 0);
        feed(&mut city, Topic::TrafficGraph, n, 0);
        feed(&mut city, Topic::TransportGps, n, 0);
    }
    (0..entities - 4 * tenth).for_each(|n| feed(&mut city, Topic::SensorsEnvironmental, n, 0));
    city
}

fn feed(city: &mut City, topic: Topic, n: usize, turn: usize) {
    let json = message(topic, n, turn);
    apply(city, topic, &json);
}

fn read(topic: Topic, json: &str) -> Event<'_> {
    decode(topic, Some(json.as_bytes()), Time(T0 + 1_000_000), &JUDGEMENT).unwrap()
}

fn apply(city: &mut City, topic: Topic, json: &str) {
    city.apply(0, read(topic, json)).unwrap();
}

/// Messages of all topics in turn, of 1,000 entities each.
fn mixed(count: usize) -> Vec<(Topic, String)> {
    (0..count).map(|i| (Topic::ALL[i % 9], message(Topic::ALL[i % 9], i / 9 % 1000, 1 + i / 9000))).collect()
}

#[divan::bench(args = Topic::ALL)]
fn decode_one(bencher: Bencher, topic: Topic) {
    let json = message(topic, 7, 7);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| black_box(read(topic, black_box(&json))).unknown_keys);
}

#[divan::bench(args = Topic::ALL)]
fn decode_and_apply(bencher: Bencher, topic: Topic) {
    let mut city = city(10_000);
    city.track(true);
    let messages: Vec<_> = (0..2000).map(|i| message(topic, i % 1000, 1 + i / 1000)).collect();
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        for json in &messages {
            // An equal time is applied, so every round changes each entity.
            let _ = black_box(city.apply(0, read(topic, json)));
        }
    });
}

/// Catching up: all nine topics, batches of 1,000 decoded outside of the city and applied to it, by `threads` that
/// decode and one that applies.
#[divan::bench(args = [1, 2, 4], sample_count = 10)]
fn catch_up(bencher: Bencher, threads: usize) {
    let messages = mixed(90_000);
    let batches: Vec<&[(Topic, String)]> = messages.chunks(1000).collect();
    let mut city = city(10_000);
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        if threads == 1 {
            for batch in &batches {
                let events: Vec<_> = batch.iter().map(|(topic, json)| read(*topic, json)).collect();
                events.into_iter().for_each(|event| drop(city.apply(0, event)));
            }
            return;
        }
        thread::scope(|scope| {
            let mut decoded = Vec::new();
            for t in 0..threads {
                let (send, receive) = std::sync::mpsc::sync_channel(4);
                decoded.push(receive);
                let batches = &batches;
                scope.spawn(move || {
                    for batch in batches.iter().skip(t).step_by(threads) {
                        let events: Vec<_> = batch.iter().map(|(topic, json)| read(*topic, json)).collect();
                        if send.send(events).is_err() {
                            return;
                        }
                    }
                });
            }
            for n in 0..batches.len() {
                for event in decoded[n % threads].recv().unwrap() {
                    drop(city.apply(0, event));
                }
            }
        });
    });
}

/// Per changed entity of 15,000: the delta, with the values as JSON not needed.
#[divan::bench(args = [0, 100, 2000])]
fn delta(bencher: Bencher, changed: usize) {
    let mut city = city(15_000);
    city.track(true);
    (0..changed).for_each(|n| feed(&mut city, Topic::SensorsEnvironmental, n, 1));
    let (changes, view) = (city.take_changes(), city.view().clone());
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(changed.max(1))).bench_local(|| {
        out.clear();
        write_delta(&changes, &view, Time(T0), Time(T0 + 5000), &mut out)
    });
}

/// A full state: the first one makes every entity's JSON, the next ones copy it.
#[divan::bench(args = [20_000, 65_000], sample_count = 20)]
fn full_cold(bencher: Bencher, entities: usize) {
    bencher
        .with_inputs(|| city(entities).view().clone())
        .input_counter(move |_| ItemsCount::new(entities))
        .bench_local_values(|view| {
            let mut out = Vec::with_capacity(32 << 20);
            write_full(&view, Time(T0), &mut out);
            (out.len(), view)
        });
}

#[divan::bench(args = [20_000, 65_000])]
fn full_warm(bencher: Bencher, entities: usize) {
    let view = city(entities).view().clone();
    let mut out = Vec::new();
    write_full(&view, Time(T0), &mut out);
    println!("a full of {entities} entities has {} bytes", out.len());
    bencher.counter(ItemsCount::new(entities)).bench_local(|| {
        out.clear();
        write_full(&view, Time(T0), &mut out);
    });
}

#[divan::bench]
fn view_of_100_000_entities(bencher: Bencher) {
    let city = city(100_000);
    bencher.bench_local(|| black_box(city.view().clone()));
}

/// What each event costs while somebody holds the view before it: one chunk is copied.
#[divan::bench]
fn apply_under_a_fresh_view(bencher: Bencher) {
    let mut city = city(100_000);
    let mut turn = 0;
    bencher.bench_local(|| {
        let view = city.view().clone();
        turn += 1;
        feed(&mut city, Topic::TransportGps, turn % 1000, turn);
        view
    });
}

/// The JSON that a flush of 10,000 dirty entities writes.
#[divan::bench(sample_count = 20)]
fn stored_json_of_10_000(bencher: Bencher) {
    let mut city = city(15_000);
    let mut turn = 0;
    city.track(true);
    bencher
        .counter(ItemsCount::new(10_000_usize))
        .with_inputs(|| {
            turn += 1;
            (0..8900).for_each(|n| feed(&mut city, Topic::SensorsEnvironmental, n, turn));
            (0..1100).for_each(|n| feed(&mut city, Topic::TransportGps, n, turn));
            (city.take_dirty(), city.view().clone())
        })
        .bench_local_values(|(dirty, view)| {
            let rows: Vec<_> = dirty
                .handles
                .iter()
                .filter_map(|handle| view.entity(*handle))
                .map(citytwin::twin::entity::Entity::stored_json)
                .collect();
            (rows, view)
        });
}

/// Resident bytes for each of 100,000 entities, without and with the JSON of each.
fn memory_per_entity() {
    let resident = || -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
    };
    let before = resident();
    let start = Instant::now();
    let city = Arc::new(city(100_000));
    let made = resident().saturating_sub(before);
    let mut out = Vec::new();
    write_full(city.view(), Time(T0), &mut out);
    let (bytes, with_json) = (out.len(), resident().saturating_sub(before));
    drop(out);
    println!(
        "memory of 100,000 entities: {} bytes each, {} with their JSON (a full has {bytes} bytes); made in {:?}",
        made / 100_000,
        with_json.saturating_sub(bytes) / 100_000,
        start.elapsed()
    );
}
