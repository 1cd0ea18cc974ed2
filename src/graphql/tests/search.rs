//! `near` and `search`.

use serde_json::{Value, json};

use super::TestCity;
use crate::twin::event::Topic;

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entity| entity["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn near_is_ordered_by_distance() {
    let city = TestCity::small();
    let data = city
        .query(
            "{ near(latitude: 42.350, longitude: 13.400, radius: 250) { distance entity { id kind lastUpdated
                ... on Bus { busId } ... on RoadEdge { length } } } }",
        )
        .await;
    let near = data["near"].as_array().unwrap();
    let distances: Vec<_> = near.iter().map(|one| one["distance"].as_f64().unwrap()).collect();
    assert!(distances.is_sorted() && distances.iter().all(|distance| *distance <= 250.0), "{distances:?}");
    let found: Vec<_> = near.iter().map(|one| one["entity"]["id"].as_str().unwrap()).collect();
    // What is at the point itself comes in the order of state.full.
    assert_eq!(
        found,
        [
            "district/centro",
            "node/n1",
            "edge/e1",
            "sensor/centro/aq-1",
            "station/st-1",
            "building/centro/duomo",
            "weather-station/centro/ws-1",
            "bus/b%2F1"
        ]
    );
    let bus = near.last().unwrap();
    assert!((bus["distance"].as_f64().unwrap() - 205.4).abs() < 0.2, "{bus}");
    assert_eq!(bus["entity"]["busId"], "b/1");
    assert_eq!(near[2]["entity"]["length"], 411.5);

    let query =
        "{ near(latitude: 42.350, longitude: 13.400, radius: 9000, kinds: [BUS, NODE], first: 3) { entity { id } } }";
    let data = city.query(query).await;
    let found: Vec<_> = data["near"].as_array().unwrap().iter().map(|one| one["entity"]["id"].clone()).collect();
    assert_eq!(found, ["node/n1", "bus/b%2F1", "node/n2"]);
}

#[tokio::test]
async fn search_goes_by_id_and_name() {
    let city = TestCity::small();
    for id in ["B2B", "xb2"] {
        city.event(Topic::TransportGps, &json!({"busId": id, "currentLocation": {"latitude": 1, "longitude": 1}}));
    }
    for (text, expected) in [
        ("b2", vec!["bus/b2", "bus/B2B", "bus/xb2"]),
        ("DUOMO", vec!["building/centro/duomo", "station/st-1"]),
        ("massimo", vec!["building/centro/duomo"]),
        ("MÀSSIMÓ", vec!["building/centro/duomo"]),
        (" corso ", vec!["edge/e1", "edge/e2"]),
        ("storico", vec!["district/centro"]),
        ("aq-1", vec!["sensor/centro/aq-1", "sensor/nord/aq-1"]),
        ("bus/b2", vec!["bus/b2"]),
        ("sensor/nord/aq-1", vec!["sensor/nord/aq-1"]),
        (" bus/b%2F1 ", vec!["bus/b%2F1"]),
        ("b/1", vec!["bus/b%2F1"]),
        ("station/b2", vec![]),
        ("nothing like it", vec![]),
    ] {
        let response =
            city.response("query($text: String!) { search(text: $text) { id } }", json!({"text": text})).await;
        assert_eq!(ids(&response["data"]["search"]), expected, "{text}");
    }
    assert_eq!(city.query(r#"{ search(text: "bus/b2", kinds: [STATION]) { id } }"#).await["search"], json!([]));
    let data = city
        .query(r#"{ search(text: "o", kinds: [DISTRICT, STATION], first: 2) { id ... on Station { name } } }"#)
        .await;
    assert_eq!(data["search"], json!([{"id": "district/centro"}, {"id": "district/nord"}]));
}
