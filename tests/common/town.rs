//! A small city with every kind in it, and events for it, for tests whose point is not the city.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{kafka::Record, server::Server};

/// Its `cityId`.
pub const ID: &str = "town";
/// How many buildings, weather stations and edges each of its districts has: `b0`…, `w0`…, `e<district>-0`….
pub const EACH: usize = 5;
/// Its districts.
pub const DISTRICTS: [&str; 2] = ["north", "south"];

/// The town as a city file.
pub fn city() -> Value {
    let districts: Vec<Value> = DISTRICTS.iter().enumerate().map(|(i, id)| district(id, i)).collect();
    json!({
        "cityId": ID, "name": "Town", "timestamp": "2026-01-01T00:00:00.000Z",
        "districts": districts,
        "publicTransport": {"buses": [], "stations": []},
        "emergencyServices": {"incidents": [], "units": []},
    })
}

fn district(id: &str, number: usize) -> Value {
    let at = |i: usize| json!({"latitude": 42.3 + number as f64 / 10.0, "longitude": 13.4 + i as f64 / 100.0});
    let buildings: Vec<Value> = (0..EACH)
        .map(|i| {
            json!({"buildingId": format!("b{i}"), "name": format!("House {i}"), "type": "office", "location": at(i),
                "currentOccupancy": 0, "totalCapacity": 100, "occupancyRate": 0, "sensors": []})
        })
        .collect();
    let stations: Vec<Value> =
        (0..EACH).map(|i| json!({"stationId": format!("w{i}"), "location": at(i), "status": "active"})).collect();
    let nodes: Vec<Value> = (0..=EACH)
        .map(|i| json!({"nodeId": format!("n-{id}-{i}"), "type": "intersection", "location": at(i)}))
        .collect();
    let edges: Vec<Value> = (0..EACH)
        .map(|i| {
            let (from, to) = (at(i), at(i + 1));
            json!({
                "edgeId": format!("e-{id}-{i}"), "roadSegmentId": format!("rs-{id}-{i}"),
                "fromNode": format!("n-{id}-{i}"), "toNode": format!("n-{id}-{}", i + 1),
                "name": "Via Roma", "class": "primary", "length": 150.5, "speedLimit": 50, "lanes": 2,
                "geometry": {"type": "LineString", "coordinates":
                    [[from["longitude"], from["latitude"]], [to["longitude"], to["latitude"]]]},
            })
        })
        .collect();
    json!({
        "districtId": id, "name": id, "location": {"centerLatitude": 42.3, "centerLongitude": 13.4, "boundaries": null},
        "sensors": [], "buildings": buildings, "weatherStations": stations,
        "cityGraph": {"nodes": nodes, "edges": edges},
    })
}

/// The town as a file in the server's folder; what `CITY_FILE` names.
pub fn set_city_file(server: &mut Server) -> PathBuf {
    let path = server.folder().join("town.json");
    std::fs::write(&path, city().to_string()).expect("the folder is ours");
    server.set("CITY_FILE", &path.display().to_string());
    path
}

/// A server of the town against this Kafka and Redis, not started yet.
pub fn server(brokers: &str, redis: &str, settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("KAFKA_BROKERS", brokers), ("REDIS_URL", redis), ("KAFKA_TOPIC_PARTITIONS", "2")];
    all.extend_from_slice(settings);
    let mut server = Server::new(&["serve"], &all);
    set_city_file(&mut server);
    server
}

/// One random event of any topic: creations, updates, clearings, and incidents that are reported and resolved. Of now, as
/// it has no `lastUpdated`.
pub fn event(rng: &mut fastrand::Rng) -> Record {
    let district = DISTRICTS[rng.usize(..DISTRICTS.len())];
    let n = rng.usize(..EACH);
    let position = json!({"latitude": 42.0 + rng.f64(), "longitude": 13.0 + rng.f64()});
    let some = |rng: &mut fastrand::Rng, value: Value| if rng.u8(..4) == 0 { Value::Null } else { value };
    let (topic, key, value) = match rng.u8(..11) {
        0 | 1 => {
            let (id, metadata) =
                (format!("air-{}", rng.u8(..40)), json!({"model": rng.u8(..3), "deep": [1, {"a": null}]}));
            let value = json!({"districtId": district, "sensorId": id, "type": "air_quality", "value": rng.u8(..50),
                "unit": some(rng, json!("AQI")), "status": some(rng, json!("active")), "location": position,
                "metadata": some(rng, metadata)});
            ("sensors.environmental", id, value)
        }
        2 => {
            let id = format!("flow-{}", rng.u8(..20));
            let value = json!({"districtId": district, "sensorId": id, "type": "traffic_flow", "value": rng.u16(..)});
            ("sensors.traffic", id, value)
        }
        3 => {
            let value = json!({"districtId": district, "buildingId": format!("b{n}"), "currentOccupancy": rng.u8(..),
                "totalCapacity": some(rng, json!(200))});
            ("buildings.occupancy", format!("{district}/b{n}"), value)
        }
        4 => {
            let id = format!("energy-{}", rng.u8(..10));
            let value = json!({"districtId": district, "sensorId": id, "buildingId": format!("b{n}"),
                "type": "energy_consumption", "value": f64::from(rng.u16(..)) / 8.0, "unit": "kWh"});
            ("buildings.sensors", id, value)
        }
        5 => {
            let readings =
                json!({"temperature": rng.i8(..), "humidity": some(rng, json!(50)), "pm25": {"a": [rng.u8(..)]}});
            let value = json!({"districtId": district, "stationId": format!("w{n}"), "readings": readings});
            ("weather.stations", format!("{district}/w{n}"), value)
        }
        6 => {
            let level = ["low", "moderate", "high", "severe"][rng.usize(..4)];
            let mut conditions = json!({"averageSpeed": rng.u8(..), "congestionLevel": level, "vehicleCount": rng.u8(..),
                "incidents": [{"kind": "works", "lane": rng.u8(..2)}]});
            if rng.bool() {
                conditions["note"] = json!("as seen by a camera");
            }
            (
                "traffic.graph",
                format!("e-{district}-{n}"),
                json!({"edgeId": format!("e-{district}-{n}"), "trafficConditions": conditions}),
            )
        }
        7 | 8 => {
            let id = format!("bus-{}", rng.u8(..30));
            let value = json!({"busId": id, "routeId": some(rng, json!("A")), "currentLocation": position,
                "heading": rng.u8(..), "speed": some(rng, json!(25.5)), "status": "in_service"});
            ("transport.gps", id, value)
        }
        9 => {
            let id = format!("stop-{}", rng.u8(..10));
            let arrivals: Vec<Value> =
                (0..rng.usize(..3)).map(|i| json!({"busId": format!("bus-{i}"), "routeId": "A"})).collect();
            let value = json!({"stationId": id, "name": some(rng, json!("Duomo")), "location": position,
                "waitingPassengers": rng.u8(..), "nextArrivals": some(rng, json!(arrivals))});
            ("transport.stations", id, value)
        }
        _ if rng.bool() => {
            let id = format!("unit-{}", rng.u8(..8));
            let value = json!({"unitId": id, "type": "ambulance", "status": "available", "currentLocation": position,
                "assignedIncident": some(rng, json!("incident-1"))});
            ("emergency.incidents", id, value)
        }
        _ => {
            let id = format!("incident-{}", rng.u8(..12));
            let status = ["reported", "in_progress", "resolved", "resolved"][rng.usize(..4)];
            let units = &["unit-1", "unit-2"][..rng.usize(..3)];
            let value = json!({"incidentId": id, "type": "fire", "severity": "high", "location": position, "status": status,
                "assignedUnits": units, "description": some(rng, json!("smoke"))});
            ("emergency.incidents", id, value)
        }
    };
    Record::new(topic, &key, &value.to_string())
}

/// A bus at a place that the number decides.
pub fn bus(id: &str, number: usize) -> Record {
    let position = json!({"latitude": 42.0, "longitude": number as f64 / 10_000.0});
    Record::new("transport.gps", id, &json!({"busId": id, "currentLocation": position}).to_string())
}
