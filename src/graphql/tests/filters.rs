//! Filters, held against a plain check of every entity.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{START, TestCity};
use crate::{
    graphql::EntityFilter,
    twin::{entity::Entity, event::Topic, geo::Position, model::Kind, time::Time},
};

async fn ids(city: &TestCity, list: &str, filter: &str) -> Vec<String> {
    let data = city.query(&format!("{{ {list}(filter: {filter}) {{ totalCount nodes {{ id }} }} }}")).await;
    let nodes = data[list]["nodes"].as_array().unwrap();
    assert_eq!(data[list]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_field_narrows_the_choice() {
    let city = TestCity::small();
    for (list, filter, expected) in [
        ("sensors", "{}", vec!["sensor/centro/aq-1", "sensor/centro/aq-2", "sensor/centro/temp", "sensor/nord/aq-1"]),
        ("sensors", "{kinds: []}", vec![]),
        ("sensors", "{kinds: [BUS, SENSOR], districts: [\"nord\", \"nope\"]}", vec!["sensor/nord/aq-1"]),
        ("sensors", "{types: [\"temperature\", \"traffic_flow\"]}", vec!["sensor/centro/temp", "sensor/nord/aq-1"]),
        ("sensors", "{statuses: [\"maintenance\"]}", vec!["sensor/centro/temp"]),
        ("sensors", "{types: []}", vec![]),
        ("sensors", "{districts: []}", vec![]),
        ("sensors", "{updatedSince: \"2026-01-05T01:03:00+01:00\"}", vec!["sensor/centro/temp", "sensor/nord/aq-1"]),
        ("sensors", "{box: {north: 42.3501, south: 42, east: 13.4001, west: 13}}", vec!["sensor/centro/aq-1"]),
        ("districts", "{districts: [\"centro\"]}", vec!["district/centro"]),
        ("districts", "{updatedSince: \"2026-01-05T00:00:00Z\"}", vec![]),
        ("edges", "{statuses: [\"moderate\"]}", vec!["edge/e1"]),
        ("edges", "{types: [\"residential\"]}", vec!["edge/e3"]),
        // The box holds no end of the edge, but a part of it.
        ("edges", "{box: {north: 42.351, south: 42.349, east: 13.403, west: 13.402}}", vec!["edge/e1"]),
        ("edges", "{near: {latitude: 42.351, longitude: 13.4025, radius: 112}}", vec!["edge/e1"]),
        ("edges", "{near: {latitude: 42.351, longitude: 13.4025, radius: 110}}", vec![]),
        (
            "buses",
            "{statuses: [\"in_service\"], near: {latitude: 42.35, longitude: 13.4, radius: 500}}",
            vec!["bus/b%2F1"],
        ),
        ("buses", "{districts: [\"centro\"]}", vec![]),
        ("units", "{box: {north: 90, south: -90, east: 180, west: -180}}", vec!["unit/u1"]),
        ("weatherStations", "{statuses: [\"active\"]}", vec!["weather-station/centro/ws-1"]),
    ] {
        assert_eq!(ids(&city, list, filter).await, expected, "{list} {filter}");
    }
}

#[tokio::test]
async fn a_district_takes_filters_too() {
    let city = TestCity::small();
    let query = r#"{ district(id: "centro") { sensors(filter: {types: ["air_quality"]}, first: 1) {
        totalCount nodes { sensorId } pageInfo { hasNextPage } } } }"#;
    let sensors = city.query(query).await["district"]["sensors"].clone();
    assert_eq!(sensors, json!({"totalCount": 2, "nodes": [{"sensorId": "aq-1"}], "pageInfo": {"hasNextPage": true}}));
}

fn buses() -> TestCity {
    let city = TestCity::small();
    let mut random = fastrand::Rng::with_seed(3);
    for n in 0..60 {
        let status = ["in_service", "out_of_service", "maintenance"][random.usize(0..3)];
        // Around the 180th meridian, where boxes are hardest.
        let longitude = 175.0 + f64::from(random.u32(0..1000)) / 100.0;
        let longitude = if longitude > 180.0 { longitude - 360.0 } else { longitude };
        let time = Time(START.0 + random.i64(0..100_000)).to_string();
        city.event(
            Topic::TransportGps,
            &json!({"busId": format!("x{n:03}"), "status": status, "lastUpdated": time,
            "currentLocation": {"latitude": random.u32(0..500) / 100, "longitude": longitude}}),
        );
    }
    city
}

fn filter() -> impl Strategy<Value = (Value, Check)> {
    let degrees = |from: i32, to: i32| (from * 10..=to * 10).prop_map(|tenths| f64::from(tenths) / 10.0);
    let area =
        proptest::option::of((degrees(0, 3), degrees(0, 3), degrees(170, 180), degrees(-180, -170), any::<bool>()));
    let near = proptest::option::of((degrees(0, 5), degrees(170, 180), 1_000..600_000_u32));
    let statuses = proptest::option::of(proptest::sample::subsequence(vec!["in_service", "maintenance"], 0..=2));
    let since = proptest::option::of(0..100_000_i64);
    (area, near, statuses, since).prop_map(|(area, near, statuses, since)| {
        let mut filter = json!({});
        let mut check: Vec<EntityTest> = Vec::new();
        if let Some((south, height, a, b, across)) = area {
            let (west, east) = if across { (a, b) } else { (b, a) };
            let north = south + height;
            filter["box"] = json!({"north": north, "south": south, "east": east, "west": west});
            check.push(Box::new(move |entity| {
                entity.position().is_some_and(|p| {
                    let across_or_not = if west <= east {
                        p.longitude >= west && p.longitude <= east
                    } else {
                        p.longitude >= west || p.longitude <= east
                    };
                    across_or_not && p.latitude >= south && p.latitude <= north
                })
            }));
        }
        if let Some((latitude, longitude, radius)) = near {
            filter["near"] = json!({"latitude": latitude, "longitude": longitude, "radius": radius});
            let center = Position { latitude, longitude };
            check.push(Box::new(move |e| e.position().is_some_and(|p| p.distance(center) <= f64::from(radius))));
        }
        if let Some(statuses) = statuses {
            filter["statuses"] = json!(statuses);
            check.push(Box::new(move |e| e.status_text().is_some_and(|status| statuses.contains(&status))));
        }
        if let Some(since) = since {
            let since = Time(START.0 + since);
            filter["updatedSince"] = json!(since.to_string());
            check.push(Box::new(move |e| e.last_updated().is_some_and(|last| last >= since)));
        }
        (filter, Check(check))
    })
}

type EntityTest = Box<dyn Fn(&Entity) -> bool>;

struct Check(Vec<EntityTest>);

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} checks", self.0.len())
    }
}

#[test]
fn a_list_holds_what_a_plain_check_of_every_entity_finds() {
    let city = buses();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    proptest!(|((filter, check) in filter(), first in 1..70_i32)| {
        let query = "query($filter: EntityFilter, $first: Int) {
            buses(filter: $filter, first: $first) { totalCount nodes { id } pageInfo { hasNextPage } } }";
        let response = runtime.block_on(city.response(query, json!({"filter": filter, "first": first})));
        prop_assert!(response["errors"].is_null(), "{}", response);
        let view = city.fold.view();
        let expected: Vec<_> = view
            .entities(&[Kind::Bus])
            .filter(|entity| check.0.iter().all(|check| check(entity)))
            .map(|entity| json!({"id": entity.global_id()}))
            .collect();
        let buses = &response["data"]["buses"];
        prop_assert_eq!(&buses["totalCount"], expected.len());
        prop_assert_eq!(&buses["pageInfo"]["hasNextPage"], expected.len() > first as usize);
        prop_assert_eq!(buses["nodes"].as_array().unwrap(), &expected[..expected.len().min(first as usize)]);
    });
}

#[test]
fn an_absent_filter_chooses_everything() {
    assert_eq!(EntityFilter::default().selection().unwrap(), crate::twin::selection::Selection::default());
}
