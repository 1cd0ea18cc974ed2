//! The canonical form, city files, and what an import keeps.

use super::*;
use crate::twin::{
    event::Topic,
    samples::{ONE_OF_EACH, T0, apply, city, city_file, entity, full, import, operate, value},
};

fn imported(json: &str) -> City {
    let mut city = city();
    import(&mut city, json);
    city
}

/// The file of one district with these lists.
fn file(members: &str) -> String {
    format!(r#"{{"cityId":"c","districts":[{{"districtId":"d"{members}}}]}}"#)
}

fn problems(json: &str) -> Vec<(String, Code)> {
    CityFile::parse(json).unwrap_err().into_iter().map(|problem| (problem.field, problem.code)).collect()
}

#[test]
fn the_canonical_form_of_one_of_each() {
    let expected =
        ONE_OF_EACH.replace("2026-01-05T00:00:00.000Z\",\"districts", &format!("{}\",\"districts", Time(T0)));
    assert_eq!(full(imported(ONE_OF_EACH).view()), expected, "every key, in the reference's order");
}

#[test]
fn what_is_not_known_is_null_or_empty() {
    let city = imported(
        r#"{"cityId":"c","districts":[{"districtId":"d","sensors":[{"sensorId":"s"}],"buildings":[{"buildingId":"b"}],"weatherStations":[{"stationId":"w"}],"cityGraph":{"nodes":[{"nodeId":"n"}],"edges":[{"edgeId":"e"}]}}],"publicTransport":{"buses":[{"busId":"b"}],"stations":[{"stationId":"s"}]},"emergencyServices":{"incidents":[{"incidentId":"i"}],"units":[{"unitId":"u"}]}}"#,
    );
    assert_eq!(
        full(city.view()),
        concat!(
            r#"{"cityId":"c","name":"C","timestamp":"2026-01-05T00:00:00.000Z","districts":[{"districtId":"d","name":"d","location":null,"#,
            r#""sensors":[{"sensorId":"s","type":null,"value":null,"unit":null,"status":null,"lastUpdated":null,"location":null,"metadata":null,"buildingId":null}],"#,
            r#""buildings":[{"buildingId":"b","name":null,"type":null,"location":null,"currentOccupancy":null,"totalCapacity":null,"occupancyRate":null,"sensors":[],"lastUpdated":null}],"#,
            r#""weatherStations":[{"stationId":"w","location":null,"readings":null,"status":null,"lastUpdated":null}],"#,
            r#""cityGraph":{"nodes":[{"nodeId":"n","type":null,"location":null}],"edges":[{"edgeId":"e","roadSegmentId":null,"fromNode":null,"toNode":null,"name":null,"class":null,"length":null,"speedLimit":null,"lanes":null,"trafficConditions":null,"lastUpdated":null,"geometry":null}]}}],"#,
            r#""publicTransport":{"buses":[{"busId":"b","routeId":null,"currentLocation":null,"heading":null,"speed":null,"passengerCount":null,"status":null,"lastUpdated":null}],"#,
            r#""stations":[{"stationId":"s","name":null,"location":null,"waitingPassengers":null,"nextArrivals":[],"lastUpdated":null}]},"#,
            r#""emergencyServices":{"incidents":[{"incidentId":"i","type":null,"severity":null,"location":null,"status":null,"assignedUnits":[],"reportedAt":null,"description":null,"lastUpdated":null}],"#,
            r#""units":[{"unitId":"u","type":null,"status":null,"currentLocation":null,"assignedIncident":null,"lastUpdated":null}]}}"#
        )
    );
}

#[test]
fn entities_stand_in_the_order_of_their_ids_bytes() {
    let mut city = city();
    for id in ["b", "a", "B", "é", "a-1", "a1", "10", "9", "z"] {
        apply(&mut city, Topic::TransportStations, T0, &format!("{{\"stationId\":{id:?}}}")).unwrap();
    }
    let stations = value(&full(city.view()))["publicTransport"]["stations"].clone();
    let ids: Vec<_> =
        stations.as_array().unwrap().iter().map(|s| s["stationId"].as_str().unwrap().to_owned()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!((ids.len(), &ids), (9, &sorted));
}

#[test]
fn numbers_in_their_shortest_form() {
    let mut city = city();
    for (given, written) in [
        ("3.0", "3"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1e2", "100"),
        ("0.10", "0.1"),
        ("25.50", "25.5"),
        ("9007199254740993", "9007199254740992"),
        ("9999999999999998", "9999999999999998"),
        ("1e16", "1e16"),
        ("1.5E300", "1.5e300"),
        ("1e-7", "1e-7"),
    ] {
        let json = format!(r#"{{"districtId":"d","sensorId":"s","type":"t","value":{given}}}"#);
        apply(&mut city, Topic::SensorsTraffic, T0, &json).unwrap();
        assert!(full(city.view()).contains(&format!("\"value\":{written},")), "{given}: {}", full(city.view()));
    }
}

#[test]
fn free_json_stays_as_it_came_without_the_space() {
    let mut city = city();
    let json = r#"{"districtId":"d","sensorId":"s","type":"t","value":1,"metadata":{ "z" : 1.50 , "a":[ -0, 1E2 ],"s":"a \" b" }}"#;
    apply(&mut city, Topic::SensorsTraffic, T0, json).unwrap();
    assert!(full(city.view()).contains(r#""metadata":{"z":1.50,"a":[-0,1E2],"s":"a \" b"}"#));
}

#[test]
fn a_full_is_a_city_file_that_gives_the_same_full() {
    for seed in 0..60 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut city = city();
        (0..150).for_each(|n| operate(&mut city, &mut rng, T0 + n * 60_000));
        let state = full(city.view());
        let file = CityFile::parse(&state).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut other = self::city();
        assert!(other.differs_from(&file) || city.view().entities(&Kind::ALL).count() == 0);
        other.import(file.clone());
        assert_eq!(full(other.view()), state, "seed {seed}");
        assert!(!other.differs_from(&file) && !city.differs_from(&file));
        let revision = city.view().revision;
        city.import(file);
        assert_eq!(city.view().revision, revision, "seed {seed}: its own file changes nothing");
    }
}

#[test]
fn differs_from_says_whether_an_import_would_change_anything() {
    for seed in 0..150 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut city = city();
        let first = city_file(&mut rng);
        import(&mut city, &first);
        (0..10).for_each(|n| operate(&mut city, &mut rng, T0 + n * 60_000));
        let text = if rng.bool() { first } else { city_file(&mut rng) };
        let file = CityFile::parse(&text).unwrap();
        let (differs, revision) = (city.differs_from(&file), city.view().revision);
        city.import(file);
        assert_eq!(differs, city.view().revision > revision, "seed {seed}: {text}");
    }
}

#[test]
fn live_fields_are_kept_and_the_model_is_replaced() {
    let mut city = imported(ONE_OF_EACH);
    apply(&mut city, Topic::BuildingsOccupancy, T0, r#"{"districtId":"d","buildingId":"b","currentOccupancy":7}"#)
        .unwrap();
    apply(
        &mut city,
        Topic::WeatherStations,
        T0,
        r#"{"districtId":"d","stationId":"w","readings":{"humidity":1},"status":null}"#,
    )
    .unwrap();
    apply(&mut city, Topic::TrafficGraph, T0, r#"{"edgeId":"e","trafficConditions":{"averageSpeed":9}}"#).unwrap();
    let other = ONE_OF_EACH
        .replace(r#""name":"B""#, r#""name":"New""#)
        .replace(r#""totalCapacity":200"#, r#""totalCapacity":70"#)
        .replace("Via Roma", "Via Nuova")
        .replace("42.35", "42.36");
    import(&mut city, &other);
    let building = entity(&city, Kind::Building, Some("d"), "b").unwrap();
    assert_eq!(
        (&building["name"], &building["currentOccupancy"], &building["totalCapacity"], &building["occupancyRate"]),
        (&value("\"New\""), &value("7"), &value("70"), &value("0.1"))
    );
    let station = entity(&city, Kind::WeatherStation, Some("d"), "w").unwrap();
    assert_eq!(
        (&station["readings"], &station["status"]),
        (&value(r#"{"humidity":1}"#), &value("null")),
        "cleared stays cleared"
    );
    assert_eq!(station["location"]["latitude"], 42.36);
    let edge = entity(&city, Kind::Edge, None, "e").unwrap();
    assert_eq!((&edge["name"], &edge["trafficConditions"]), (&value("\"Via Nuova\""), &value(r#"{"averageSpeed":9}"#)));
    assert_eq!(edge["lastUpdated"], "2026-01-05T00:00:00.000Z");
    // Other kinds are only added.
    let bus = entity(&city, Kind::Bus, None, "bus").unwrap();
    assert_eq!(bus["currentLocation"]["latitude"], 42.35);
    // A capacity that an event set is live.
    apply(
        &mut city,
        Topic::BuildingsOccupancy,
        T0,
        r#"{"districtId":"d","buildingId":"b","currentOccupancy":7,"totalCapacity":null}"#,
    )
    .unwrap();
    import(&mut city, &other);
    assert_eq!(entity(&city, Kind::Building, Some("d"), "b").unwrap()["totalCapacity"], value("null"));
}

#[test]
fn what_a_file_lacks_goes_but_for_districts_with_sensors() {
    let mut city = imported(ONE_OF_EACH);
    let counts = city.import(CityFile::parse(r#"{"cityId":"c","districts":[{"districtId":"x"}]}"#).unwrap());
    for kind in [Kind::Building, Kind::WeatherStation, Kind::Node, Kind::Edge] {
        assert_eq!(city.view().count(kind), 0, "{kind:?}");
        assert_eq!(counts[kind as usize], ImportCount { removed: 1, ..ImportCount::default() }, "{kind:?}");
    }
    assert_eq!(counts[Kind::District as usize], ImportCount { created: 1, changed: 1, removed: 0 });
    assert_eq!(
        entity(&city, Kind::District, None, "d"),
        Some(value(r#"{"districtId":"d","name":"d","location":null}"#)),
        "bare"
    );
    for kind in [Kind::Sensor, Kind::Bus, Kind::Station, Kind::Incident, Kind::Unit] {
        assert_eq!(city.view().count(kind), 1, "{kind:?}");
    }
    // Without its sensor it goes.
    city.remove(Kind::Sensor, Some("d"), "s");
    let counts = city.import(CityFile::parse(r#"{"cityId":"c","districts":[]}"#).unwrap());
    assert_eq!(counts[Kind::District as usize].removed, 2);
}

#[test]
fn an_edge_that_moves_keeps_its_handle_and_its_traffic() {
    let two = |first: &str, second: &str| {
        format!(
            r#"{{"cityId":"c","districts":[{{"districtId":"a","cityGraph":{{"edges":[{first}]}}}},{{"districtId":"b","cityGraph":{{"edges":[{second}]}}}}]}}"#
        )
    };
    let edge = r#"{"edgeId":"e","name":"n"}"#;
    let mut city = imported(&two(edge, ""));
    apply(&mut city, Topic::TrafficGraph, T0, r#"{"edgeId":"e","trafficConditions":{"averageSpeed":9}}"#).unwrap();
    let handle = city.view().find(Kind::Edge, None, "e").unwrap().handle();
    import(&mut city, &two("", edge));
    let moved = city.view().find(Kind::Edge, Some("b"), "e").unwrap();
    assert_eq!((moved.handle(), moved.district()), (handle, Some("b")));
    assert!(city.view().find(Kind::Edge, Some("a"), "e").is_none());
    assert_eq!(entity(&city, Kind::Edge, None, "e").unwrap()["trafficConditions"], value(r#"{"averageSpeed":9}"#));
    assert_eq!(city.view().count(Kind::Edge), 1);
}

#[test]
fn unknown_keys_are_dropped_and_lists_may_be_absent() {
    let city = imported(
        r#"{"cityId":"c","own":1,"districts":[{"districtId":"d","own":{},"name":null,"sensors":null,"cityGraph":null,"buildings":[{"buildingId":"b","own":[1],"capacityByEvent":true,"occupancyRate":9}]}],"publicTransport":null,"emergencyServices":{"incidents":[{"incidentId":"i","partition":"none of yours"}]}}"#,
    );
    assert!(!full(city.view()).contains("own") && city.view().count(Kind::Building) == 1);
    let Some(Entity::Building(building)) = city.view().find(Kind::Building, Some("d"), "b") else {
        panic!("no building")
    };
    assert!(!building.capacity_by_event);
}

#[test]
fn a_name_is_taken_where_the_file_has_one() {
    let mut city = imported(r#"{"cityId":"c","districts":[]}"#);
    assert_eq!(&*city.view().name, "C");
    import(&mut city, r#"{"cityId":"c","name":"New","districts":[]}"#);
    assert_eq!(&*city.view().name, "New");
}

#[test]
fn all_problems_at_once_each_with_its_path() {
    let bad = r#"{"cityId":"","name":5,"districts":[{"districtId":"d","location":{"centerLatitude":91,"centerLongitude":1},"sensors":[{"sensorId":"s","value":"x"},{"sensorId":"s"}],"buildings":{},"cityGraph":{"nodes":[5],"edges":[{"edgeId":"e","lanes":1.5,"geometry":{"type":"LineString","coordinates":[[1,2],[200,0]]}}]}},{"districtId":"d"},{"name":"no id"}],"publicTransport":{"buses":[{"busId":"b","heading":360,"lastUpdated":"today"}]},"emergencyServices":[]}"#;
    let expected = [
        ("cityId", Code::OutOfRange),
        ("name", Code::WrongType),
        ("districts.0.location.centerLatitude", Code::OutOfRange),
        ("districts.0.sensors.0.value", Code::WrongType),
        ("districts.0.sensors.1", Code::OutOfRange),
        ("districts.0.buildings", Code::WrongType),
        ("districts.0.cityGraph.nodes.0", Code::WrongType),
        ("districts.0.cityGraph.edges.0.geometry.coordinates.1", Code::OutOfRange),
        ("districts.0.cityGraph.edges.0.lanes", Code::OutOfRange),
        ("districts.1", Code::OutOfRange),
        ("districts.2.districtId", Code::MissingField),
        ("publicTransport.buses.0.heading", Code::OutOfRange),
        ("publicTransport.buses.0.lastUpdated", Code::BadTime),
        ("emergencyServices", Code::WrongType),
    ];
    let mut found = problems(bad);
    let mut expected: Vec<_> = expected.iter().map(|(path, code)| ((*path).to_owned(), *code)).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn every_id_once_in_its_scope() {
    let edges = r#"{"edgeId":"e"}"#;
    for (json, path) in [
        (file(&format!(r#","cityGraph":{{"edges":[{edges},{edges}]}}"#)), "districts.0.cityGraph.edges.1"),
        (file(r#","weatherStations":[{"stationId":"w"},{"stationId":"w"}]"#), "districts.0.weatherStations.1"),
        (
            format!(
                r#"{{"cityId":"c","districts":[{{"districtId":"a","cityGraph":{{"edges":[{edges}]}}}},{{"districtId":"b","cityGraph":{{"edges":[{edges}]}}}}]}}"#
            ),
            "districts.1.cityGraph.edges.0",
        ),
        (
            r#"{"cityId":"c","districts":[],"emergencyServices":{"units":[{"unitId":"u"},{"unitId":"u"}]}}"#.to_owned(),
            "emergencyServices.units.1",
        ),
    ] {
        assert_eq!(problems(&json), [(path.to_owned(), Code::OutOfRange)], "{json}");
    }
    // Sensors, buildings and weather stations are another one in another district.
    let same = r#""sensors":[{"sensorId":"s"}],"buildings":[{"buildingId":"s"}]"#;
    let json = format!(r#"{{"cityId":"c","districts":[{{"districtId":"a",{same}}},{{"districtId":"b",{same}}}]}}"#);
    assert_eq!(imported(&json).view().count(Kind::Sensor), 2);
}

#[test]
fn texts_that_are_no_city_file() {
    for (json, path, code) in [
        ("", "", Code::NotJson),
        ("[]", "", Code::NotJson),
        (r#"{"cityId":"c","cityId":"c","districts":[]}"#, "", Code::NotJson),
        (r#"{"cityId":"c"}"#, "districts", Code::MissingField),
        (r#"{"districts":[]}"#, "cityId", Code::MissingField),
        (r#"{"cityId":"{c}","districts":[]}"#, "cityId", Code::OutOfRange),
        (r#"{"cityId":"c","districts":{}}"#, "districts", Code::WrongType),
        (r#"{"cityId":"c","districts":[null]}"#, "districts.0", Code::WrongType),
        (r#"{"cityId":"c","districts":[{"districtId":"_t"}]}"#, "districts.0.districtId", Code::OutOfRange),
        (r#"{"cityId":"c","districts":[{"districtId":"d","cityGraph":[]}]}"#, "districts.0.cityGraph", Code::WrongType),
        (r#"{"cityId":"c","districts":[],"publicTransport":5}"#, "publicTransport", Code::WrongType),
    ] {
        assert_eq!(problems(json), [(path.to_owned(), code)], "{json}");
    }
}
