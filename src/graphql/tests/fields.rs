//! Every field of every type, and how one leads to another.

use serde_json::json;

use super::TestCity;

#[tokio::test]
async fn buses() {
    let city = TestCity::small();
    let data = city
        .query(
            "{ buses { totalCount edges { cursor node { id kind busId routeId currentLocation { latitude longitude }
                heading speed passengerCount status lastUpdated locatedIn { districtId } } }
                nodes { busId } pageInfo { hasNextPage hasPreviousPage } } }",
        )
        .await;
    let buses = &data["buses"];
    assert_eq!(buses["totalCount"], 2);
    assert_eq!(
        buses["edges"][0]["node"],
        json!({"id": "bus/b%2F1", "kind": "BUS", "busId": "b/1", "routeId": "r1",
            "currentLocation": {"latitude": 42.35, "longitude": 13.4025}, "heading": 90.0, "speed": 28.4,
            "passengerCount": 17, "status": "IN_SERVICE", "lastUpdated": "2026-01-05T00:08:00.000Z",
            "locatedIn": {"districtId": "centro"}})
    );
    assert_eq!(
        buses["edges"][1]["node"],
        json!({"id": "bus/b2", "kind": "BUS", "busId": "b2", "routeId": null,
            "currentLocation": {"latitude": 42.39, "longitude": 13.40}, "heading": null, "speed": null,
            "passengerCount": null, "status": "MAINTENANCE", "lastUpdated": "2026-01-05T00:09:00.000Z",
            "locatedIn": {"districtId": "nord"}})
    );
    assert_eq!(buses["nodes"], json!([{"busId": "b/1"}, {"busId": "b2"}]));
    assert_eq!(buses["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": false}));
}

#[tokio::test]
async fn one_by_its_own_id() {
    let city = TestCity::small();
    let data = city
        .query(
            r#"{ district(id: "nord") { id name } sensor(districtId: "nord", id: "aq-1") { id value }
                building(districtId: "centro", id: "duomo") { id } weatherStation(districtId: "centro", id: "ws-1") { id }
                node(id: "n3") { id } edge(id: "e3") { id } bus(id: "b/1") { id } station(id: "st-1") { id }
                incident(id: "i1") { id } unit(id: "u1") { id }
                none: bus(id: "nope") { id } elsewhere: sensor(districtId: "nord", id: "temp") { id } }"#,
        )
        .await;
    assert_eq!(
        data,
        json!({"district": {"id": "district/nord", "name": "Nord"}, "sensor": {"id": "sensor/nord/aq-1", "value": 7.0},
            "building": {"id": "building/centro/duomo"}, "weatherStation": {"id": "weather-station/centro/ws-1"},
            "node": {"id": "node/n3"}, "edge": {"id": "edge/e3"}, "bus": {"id": "bus/b%2F1"},
            "station": {"id": "station/st-1"}, "incident": {"id": "incident/i1"}, "unit": {"id": "unit/u1"},
            "none": null, "elsewhere": null})
    );
}

#[tokio::test]
async fn the_city() {
    let city = TestCity::small();
    let data = city
        .query(
            "{ city { id cityId name timestamp districts { nodes { districtId } }
                publicTransport { buses { totalCount } stations { totalCount } }
                emergencyServices { incidents { totalCount } units { totalCount } } } }",
        )
        .await;
    assert_eq!(
        data["city"],
        json!({"id": "city/test", "cityId": "test", "name": "Test", "timestamp": null,
            "districts": {"nodes": [{"districtId": "centro"}, {"districtId": "nord"}]},
            "publicTransport": {"buses": {"totalCount": 2}, "stations": {"totalCount": 1}},
            "emergencyServices": {"incidents": {"totalCount": 1}, "units": {"totalCount": 2}}})
    );
}

#[tokio::test]
async fn districts_and_what_is_in_them() {
    let city = TestCity::small();
    let data = city
        .query(
            r#"{ district(id: "centro") { kind lastUpdated districtId
                location { centerLatitude centerLongitude boundaries { north south east west } }
                sensors { nodes { sensorId } } buildings { nodes { buildingId } }
                weatherStations { nodes { stationId } } cityGraph { nodes { nodes { nodeId } } edges { totalCount } } }
                nord: district(id: "nord") { location { boundaries { north } } sensors { totalCount } } }"#,
        )
        .await;
    assert_eq!(
        data["district"],
        json!({"kind": "DISTRICT", "lastUpdated": null, "districtId": "centro",
            "location": {"centerLatitude": 42.35, "centerLongitude": 13.4,
                "boundaries": {"north": 42.36, "south": 42.34, "east": 13.41, "west": 13.39}},
            "sensors": {"nodes": [{"sensorId": "aq-1"}, {"sensorId": "aq-2"}, {"sensorId": "temp"}]},
            "buildings": {"nodes": [{"buildingId": "duomo"}, {"buildingId": "empty"}]},
            "weatherStations": {"nodes": [{"stationId": "ws-1"}]},
            "cityGraph": {"nodes": {"nodes": [{"nodeId": "n1"}, {"nodeId": "n2"}]}, "edges": {"totalCount": 2}}})
    );
    assert_eq!(data["nord"], json!({"location": {"boundaries": null}, "sensors": {"totalCount": 1}}));
}

#[tokio::test]
async fn sensors_and_buildings() {
    let city = TestCity::small();
    let data = city
        .query(
            "{ sensors(first: 3) { nodes { kind districtId sensorId type value unit status lastUpdated
                    location { latitude longitude } metadata buildingId district { name } building { name } } }
                buildings { nodes { kind districtId buildingId name type location { latitude longitude } currentOccupancy
                    totalCapacity occupancyRate sensors lastUpdated district { name }
                    installedSensors { totalCount nodes { sensorId } pageInfo { endCursor } } } } }",
        )
        .await;
    assert_eq!(
        data["sensors"]["nodes"][0],
        json!({"kind": "SENSOR", "districtId": "centro", "sensorId": "aq-1", "type": "air_quality", "value": 40.0,
            "unit": "AQI", "status": "ACTIVE", "lastUpdated": "2026-01-05T00:01:00.000Z",
            "location": {"latitude": 42.3501, "longitude": 13.4001}, "metadata": {"b": [1.0, null], "a": "é"},
            "buildingId": null, "district": {"name": "Centro Storico"}, "building": null})
    );
    let third = &data["sensors"]["nodes"][2];
    assert_eq!(
        (&third["sensorId"], &third["building"], &third["metadata"]),
        (&json!("temp"), &json!({"name": "Duomo di San Màssimo"}), &json!(null))
    );
    let buildings = &data["buildings"]["nodes"];
    assert_eq!(buildings[0]["occupancyRate"], 0.25);
    assert_eq!(buildings[0]["currentOccupancy"], 100);
    assert_eq!(buildings[0]["totalCapacity"], 400);
    assert_eq!(buildings[0]["sensors"], json!([{"sensorId": "x", "n": 1.5}]));
    assert_eq!(buildings[0]["lastUpdated"], "2026-01-05T00:05:00.000Z");
    assert_eq!(buildings[0]["installedSensors"]["totalCount"], 1);
    assert_eq!(buildings[0]["installedSensors"]["nodes"], json!([{"sensorId": "temp"}]));
    assert_eq!(buildings[1]["sensors"], json!([]), "state.full has an empty list");
    assert_eq!(
        buildings[1]["installedSensors"],
        json!({"totalCount": 0, "nodes": [], "pageInfo": {"endCursor": null}})
    );
    assert_eq!(buildings[1]["occupancyRate"], json!(null));
}

#[tokio::test]
async fn free_json_stands_as_it_came() {
    let city = TestCity::small();
    let query = r#"{ sensor(districtId: "centro", id: "aq-1") { metadata } edge(id: "e1") { geometry } }"#;
    let response = serde_json::to_string(&city.schema.execute(query).await).unwrap();
    assert!(response.contains(r#""metadata":{"a":"é","b":[1.0,null]}"#), "{response}");
    assert!(response.contains(r#""coordinates":[[13.4,42.35],[13.405,42.35]]"#), "{response}");
}

#[tokio::test]
async fn weather_stations() {
    let city = TestCity::small();
    let data = city
        .query(
            "{ weatherStations { nodes { kind stationId districtId location { latitude } status lastUpdated
                readings { temperature humidity pressure windSpeed windDirection precipitation extra }
                district { districtId } } } }",
        )
        .await;
    assert_eq!(
        data["weatherStations"]["nodes"],
        json!([{"kind": "WEATHER_STATION", "stationId": "ws-1", "districtId": "centro", "location": {"latitude": 42.351},
            "status": "ACTIVE", "lastUpdated": "2026-01-05T00:06:00.000Z",
            "readings": {"temperature": -2.5, "humidity": null, "pressure": null, "windSpeed": null,
                "windDirection": null, "precipitation": null, "extra": {"uv": 3}},
            "district": {"districtId": "centro"}}])
    );
}

#[tokio::test]
async fn the_road_graph() {
    let city = TestCity::small();
    let data = city
        .query(
            r#"{ edge(id: "e1") { kind edgeId districtId roadSegmentId fromNode toNode name class length speedLimit lanes
                    lastUpdated geometry coordinates district { name } from { nodeId } to { nodeId type }
                    trafficConditions { averageSpeed congestionLevel vehicleCount travelTime incidents extra } }
                other: edge(id: "e3") { from { districtId } to { districtId } trafficConditions { extra } geometry
                    coordinates }
                point: edge(id: "e2") { coordinates }
                node(id: "n1") { kind lastUpdated type districtId location { longitude } district { districtId }
                    outgoingEdges { edgeId } incomingEdges { edgeId } } }"#,
        )
        .await;
    assert_eq!(
        data["edge"],
        json!({"kind": "EDGE", "edgeId": "e1", "districtId": "centro", "roadSegmentId": "s1", "fromNode": "n1",
            "toNode": "n2", "name": "Corso", "class": "primary", "length": 411.5, "speedLimit": 50.0, "lanes": 2,
            "lastUpdated": "2026-01-05T00:07:00.000Z",
            "geometry": {"type": "LineString", "coordinates": [[13.400, 42.350], [13.405, 42.350]]},
            "coordinates": [[13.400, 42.350], [13.405, 42.350]], "district": {"name": "Centro Storico"},
            "from": {"nodeId": "n1"}, "to": {"nodeId": "n2", "type": "intersection"},
            "trafficConditions": {"averageSpeed": 30.5, "congestionLevel": "MODERATE", "vehicleCount": 12,
                "travelTime": 48.6, "incidents": [], "extra": {"x": {"y": 1}}}})
    );
    assert_eq!(
        data["other"],
        json!({"from": {"districtId": "nord"}, "to": {"districtId": "centro"}, "trafficConditions": null,
            "geometry": null, "coordinates": []})
    );
    assert_eq!(data["point"], json!({"coordinates": []}));
    assert_eq!(
        data["node"],
        json!({"kind": "NODE", "lastUpdated": null, "type": "intersection", "districtId": "centro",
            "location": {"longitude": 13.4}, "district": {"districtId": "centro"},
            "outgoingEdges": [{"edgeId": "e1"}], "incomingEdges": [{"edgeId": "e2"}, {"edgeId": "e3"}]})
    );
}

#[tokio::test]
async fn stations_and_their_arrivals() {
    let city = TestCity::small();
    let data = city
        .query(
            r#"{ station(id: "st-1") { kind stationId name location { latitude } waitingPassengers lastUpdated
                locatedIn { districtId } nextArrivals { busId routeId estimatedArrival extra bus { speed } } } }"#,
        )
        .await;
    assert_eq!(
        data["station"],
        json!({"kind": "STATION", "stationId": "st-1", "name": "Piazza Duomo", "location": {"latitude": 42.3499},
            "waitingPassengers": 3, "lastUpdated": "2026-01-05T00:10:00.000Z", "locatedIn": {"districtId": "centro"},
            "nextArrivals": [
                {"busId": "b/1", "routeId": "r1", "estimatedArrival": "soon", "extra": {"platform": 2},
                 "bus": {"speed": 28.4}},
                {"busId": "gone", "routeId": null, "estimatedArrival": null, "extra": null, "bus": null}]})
    );
}

#[tokio::test]
async fn emergencies() {
    let city = TestCity::small();
    let data = city
        .query(
            r#"{ incident(id: "i1") { kind incidentId type severity location { latitude } status assignedUnits reportedAt
                    description lastUpdated units { unitId } locatedIn { districtId } }
                units { nodes { kind unitId type status currentLocation { latitude } assignedIncident lastUpdated
                    incident { incidentId } locatedIn { districtId } } } }"#,
        )
        .await;
    assert_eq!(
        data["incident"],
        json!({"kind": "INCIDENT", "incidentId": "i1", "type": "fire", "severity": "CRITICAL",
            "location": {"latitude": 42.341}, "status": "IN_PROGRESS", "assignedUnits": ["u1", "u9"],
            "reportedAt": "2026-01-05T00:00:00.000Z", "description": "smoke",
            "lastUpdated": "2026-01-05T00:11:00.000Z", "units": [{"unitId": "u1"}],
            "locatedIn": {"districtId": "centro"}})
    );
    assert_eq!(
        data["units"]["nodes"],
        json!([
            {"kind": "UNIT", "unitId": "u1", "type": "fire_truck", "status": "ON_SCENE",
             "currentLocation": {"latitude": 42.341}, "assignedIncident": "i1", "lastUpdated": "2026-01-05T00:12:00.000Z",
             "incident": {"incidentId": "i1"}, "locatedIn": {"districtId": "centro"}},
            {"kind": "UNIT", "unitId": "u2", "type": "ambulance", "status": "AVAILABLE", "currentLocation": null,
             "assignedIncident": null, "lastUpdated": "2026-01-05T00:13:00.000Z", "incident": null, "locatedIn": null},
        ])
    );
}

/// Every field of `state.full` is a field of its type, under its name.
#[test]
fn no_field_of_state_full_is_missing() {
    use crate::twin::model::{self, Model};
    let sdl = crate::graphql::sdl();
    let check = |name: &str, fields: &[&str]| {
        let start = sdl.find(&format!("type {name} implements Entity {{")).unwrap_or_else(|| panic!("no type {name}"));
        let body = &sdl[start..start + sdl[start..].find("\n}").unwrap()];
        for field in fields {
            let there = body
                .lines()
                .any(|line| line.trim_start().strip_prefix(field).is_some_and(|rest| rest.starts_with([':', '('])));
            assert!(there, "{name}.{field} is missing");
        }
    };
    check("District", model::District::FIELDS);
    check("District", &["sensors", "buildings", "weatherStations", "cityGraph"]);
    check("Sensor", model::Sensor::FIELDS);
    check("Building", model::Building::FIELDS);
    check("WeatherStation", model::WeatherStation::FIELDS);
    check("RoadNode", model::Node::FIELDS);
    check("RoadEdge", model::Edge::FIELDS);
    check("Bus", model::Bus::FIELDS);
    check("Station", model::Station::FIELDS);
    check("Incident", model::Incident::FIELDS);
    check("Unit", model::Unit::FIELDS);
}
