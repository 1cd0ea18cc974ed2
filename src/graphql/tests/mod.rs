//! The schema as its clients see it: queries run on a small city.

mod dashboard;
mod description;
mod documents;
mod errors;
mod fields;
mod filters;
mod limits;
mod paging;
mod search;

use std::sync::Arc;

use async_graphql::{Request, Schema, Variables};
use serde_json::{Value, json};

use super::{Mutation, Query, Subscription, at_one_moment, caller::Caller, context::MaxPage, schema_builder};
use crate::{
    config::GraphqlConfig,
    ingest::Fold,
    publish::Chain,
    twin::{
        city::City,
        event::{Judgement, Topic, decode},
        snapshot::CityFile,
        time::Time,
    },
};

pub type TestSchema = Schema<Query, Mutation, Subscription>;

/// 2026-01-05T00:00:00.000Z, when the city's events begin.
pub const START: Time = Time(1_767_571_200_000);

/// A city under test, with the schema over it.
pub struct TestCity {
    pub fold: Arc<Fold>,
    pub schema: TestSchema,
}

/// The limits that a server has unless they are set.
pub fn limits() -> GraphqlConfig {
    crate::config::Config::defaults().graphql
}

impl TestCity {
    /// A city as a city file describes it.
    pub fn new(file: &Value) -> Self {
        let mut city = City::new("test", "Test", None);
        city.import(CityFile::parse(&file.to_string()).expect("a right city file"));
        let fold = Fold::new(city);
        let builder = schema_builder(&limits()).data(Arc::clone(&fold)).data(Arc::new(Chain::default()));
        Self { fold, schema: builder.finish() }
    }

    /// The city of two districts that most tests use, with events for each topic.
    pub fn small() -> Self {
        let city = Self::new(&small_city());
        for (topic, event) in small_events() {
            city.event(topic, &event);
        }
        city
    }

    /// Applies an event whose record is of [`START`].
    pub fn event(&self, topic: Topic, event: &Value) {
        let payload = event.to_string();
        let judgement = Judgement { max_clock_skew_ms: i64::MAX, max_event_bytes: 1 << 20 };
        let event = decode(topic, Some(payload.as_bytes()), START, &judgement).expect("a right event");
        self.fold.with(|city| city.apply(0, event)).expect("a known entity");
    }

    /// Runs a query and gives its data. It must have no errors.
    pub async fn query(&self, query: &str) -> Value {
        let response = self.schema.execute(at_one_moment(Request::new(query))).await;
        assert!(response.errors.is_empty(), "{query}: {:?}", response.errors);
        response.data.into_json().expect("JSON")
    }

    /// Runs a query with variables and gives the whole response.
    pub async fn response(&self, query: &str, variables: Value) -> Value {
        let request = Request::new(query).variables(Variables::from_json(variables)).data(Caller::trusted());
        serde_json::to_value(self.schema.execute(at_one_moment(request)).await).expect("JSON")
    }

    /// Runs a query that must fail, and gives its first error.
    pub async fn error(&self, query: &str) -> Value {
        let response = self.response(query, json!({})).await;
        assert!(response["errors"].is_array(), "{query} should fail: {response}");
        response["errors"][0].clone()
    }
}

fn small_city() -> Value {
    json!({
        "cityId": "test",
        "name": "Test",
        "districts": [
            {
                "districtId": "centro",
                "name": "Centro Storico",
                "location": {
                    "centerLatitude": 42.350, "centerLongitude": 13.400,
                    "boundaries": {"north": 42.36, "south": 42.34, "east": 13.41, "west": 13.39},
                },
                "buildings": [
                    {"buildingId": "duomo", "name": "Duomo di San Màssimo", "type": "church",
                     "location": {"latitude": 42.3498, "longitude": 13.3995}, "totalCapacity": 400,
                     "currentOccupancy": null, "sensors": [{"sensorId": "x", "n": 1.50}], "lastUpdated": null},
                    {"buildingId": "empty", "name": null, "type": "shed", "location": null, "sensors": []},
                ],
                "weatherStations": [{"stationId": "ws-1", "location": {"latitude": 42.351, "longitude": 13.401}}],
                "cityGraph": {
                    "nodes": [
                        {"nodeId": "n1", "type": "intersection", "location": {"latitude": 42.350, "longitude": 13.400}},
                        {"nodeId": "n2", "type": "intersection", "location": {"latitude": 42.350, "longitude": 13.405}},
                    ],
                    "edges": [
                        {"edgeId": "e1", "roadSegmentId": "s1", "fromNode": "n1", "toNode": "n2", "name": "Corso",
                         "class": "primary", "length": 411.5, "speedLimit": 50, "lanes": 2,
                         "geometry": {"type": "LineString", "coordinates": [[13.400, 42.350], [13.405, 42.350]]}},
                        {"edgeId": "e2", "roadSegmentId": "s1", "fromNode": "n2", "toNode": "n1", "name": "Corso",
                         "class": "primary", "length": 411.5, "speedLimit": 50, "lanes": 2,
                         "geometry": {"type": "Point", "coordinates": [13.405, 42.350]}},
                    ],
                },
            },
            {
                "districtId": "nord",
                "name": "Nord",
                "location": {"centerLatitude": 42.40, "centerLongitude": 13.40, "boundaries": null},
                "cityGraph": {
                    "nodes": [{"nodeId": "n3", "type": "detector", "location": {"latitude": 42.40, "longitude": 13.40}}],
                    "edges": [{"edgeId": "e3", "fromNode": "n3", "toNode": "n1", "class": "residential",
                               "length": 5560, "speedLimit": 30, "lanes": 1, "geometry": null}],
                },
            },
        ],
    })
}

fn small_events() -> Vec<(Topic, Value)> {
    let at = |minute: u32| format!("2026-01-05T00:{minute:02}:00.000Z");
    vec![
        (
            Topic::SensorsEnvironmental,
            json!({"districtId": "centro", "sensorId": "aq-1", "type": "air_quality",
            "value": 40, "unit": "AQI", "status": "active", "lastUpdated": at(1),
            "location": {"latitude": 42.3501, "longitude": 13.4001}, "metadata": {"b": [1.0, null], "a": "é"}}),
        ),
        (
            Topic::SensorsEnvironmental,
            json!({"districtId": "centro", "sensorId": "aq-2", "type": "air_quality",
            "value": 60, "unit": "AQI", "status": "active", "lastUpdated": at(2)}),
        ),
        (
            Topic::BuildingsSensors,
            json!({"districtId": "centro", "sensorId": "temp", "type": "temperature",
            "value": 19.5, "unit": "°C", "status": "maintenance", "buildingId": "duomo", "lastUpdated": at(3)}),
        ),
        (
            Topic::SensorsTraffic,
            json!({"districtId": "nord", "sensorId": "aq-1", "type": "traffic_flow", "value": 7,
            "lastUpdated": at(4)}),
        ),
        (
            Topic::BuildingsOccupancy,
            json!({"districtId": "centro", "buildingId": "duomo", "currentOccupancy": 100,
            "lastUpdated": at(5)}),
        ),
        (
            Topic::WeatherStations,
            json!({"districtId": "centro", "stationId": "ws-1", "status": "active",
            "readings": {"temperature": -2.5, "humidity": null, "uv": 3}, "lastUpdated": at(6)}),
        ),
        (
            Topic::TrafficGraph,
            json!({"edgeId": "e1", "trafficConditions": {"averageSpeed": 30.5,
            "congestionLevel": "moderate", "vehicleCount": 12, "travelTime": 48.6, "incidents": [], "x": {"y": 1}},
            "lastUpdated": at(7)}),
        ),
        (
            Topic::TransportGps,
            json!({"busId": "b/1", "routeId": "r1",
            "currentLocation": {"latitude": 42.350, "longitude": 13.4025}, "heading": 90, "speed": 28.4,
            "passengerCount": 17, "status": "in_service", "lastUpdated": at(8)}),
        ),
        (
            Topic::TransportGps,
            json!({"busId": "b2", "currentLocation": {"latitude": 42.39, "longitude": 13.40},
            "status": "maintenance", "lastUpdated": at(9)}),
        ),
        (
            Topic::TransportStations,
            json!({"stationId": "st-1", "name": "Piazza Duomo", "waitingPassengers": 3,
            "location": {"latitude": 42.3499, "longitude": 13.3999}, "nextArrivals": [
                {"busId": "b/1", "routeId": "r1", "estimatedArrival": "soon", "platform": 2}, {"busId": "gone"}],
            "lastUpdated": at(10)}),
        ),
        (
            Topic::EmergencyIncidents,
            json!({"incidentId": "i1", "type": "fire", "severity": "critical",
            "location": {"latitude": 42.341, "longitude": 13.391}, "status": "in_progress", "description": "smoke",
            "assignedUnits": ["u1", "u9"], "reportedAt": "2026-01-05T01:00:00+01:00", "lastUpdated": at(11)}),
        ),
        (
            Topic::EmergencyIncidents,
            json!({"unitId": "u1", "type": "fire_truck", "status": "on_scene",
            "currentLocation": {"latitude": 42.341, "longitude": 13.391}, "assignedIncident": "i1",
            "lastUpdated": at(12)}),
        ),
        (
            Topic::EmergencyIncidents,
            json!({"unitId": "u2", "type": "ambulance", "status": "available",
            "lastUpdated": at(13)}),
        ),
    ]
}

#[test]
fn a_page_default_is_within_every_limit() {
    assert!(super::context::DEFAULT_PAGE <= limits().max_page);
    assert!(MaxPage(limits().max_page).0 >= 1);
}
