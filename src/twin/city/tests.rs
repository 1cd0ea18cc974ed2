//! The update rules, each test named after the contract's rule (section 2).

use super::*;
use crate::{
    twin::{
        read::Patch,
        samples::{HOUR, ONE_OF_EACH, T0, apply, apply_to, city, entity, full, import, value},
    },
    writer::round_trip,
};

mod properties;
mod tracking;
mod views;

fn with_all() -> City {
    let mut city = city();
    import(&mut city, ONE_OF_EACH);
    city
}

fn bus(city: &City) -> Option<serde_json::Value> {
    entity(city, Kind::Bus, None, "b")
}

const BUS: &str = r#"{"busId":"b","currentLocation":{"latitude":1,"longitude":2},"routeId":"r","speed":5}"#;

#[test]
fn sensors_buses_stations_incidents_and_units_come_with_their_first_event() {
    let mut city = city();
    for (topic, json) in [
        (Topic::SensorsTraffic, r#"{"districtId":"d","sensorId":"s","type":"t","value":1}"#),
        (Topic::TransportGps, BUS),
        (Topic::TransportStations, r#"{"stationId":"st"}"#),
        (Topic::EmergencyIncidents, r#"{"incidentId":"i"}"#),
        (Topic::EmergencyIncidents, r#"{"unitId":"u"}"#),
    ] {
        assert_eq!(apply(&mut city, topic, T0, json), Ok(Outcome::Applied));
    }
    for kind in [Kind::District, Kind::Sensor, Kind::Bus, Kind::Station, Kind::Incident, Kind::Unit] {
        assert_eq!(city.view().count(kind), 1, "{kind:?}");
    }
    // Every key is there, null where unknown and [] where empty.
    assert_eq!(
        entity(&city, Kind::Incident, None, "i"),
        Some(value(
            r#"{"incidentId":"i","type":null,"severity":null,"location":null,"status":null,"assignedUnits":[],"reportedAt":null,"description":null,"lastUpdated":"2026-01-05T00:00:00.000Z"}"#
        ))
    );
}

#[test]
fn an_unknown_district_comes_bare() {
    let mut city = city();
    apply(
        &mut city,
        Topic::BuildingsSensors,
        T0,
        r#"{"districtId":"x","sensorId":"s","type":"t","value":1,"buildingId":"b"}"#,
    )
    .unwrap();
    assert_eq!(
        entity(&city, Kind::District, None, "x"),
        Some(value(r#"{"districtId":"x","name":"x","location":null}"#))
    );
    assert!(full(city.view()).contains(r#""districtId":"x","name":"x","location":null,"sensors":[{"sensorId":"s""#));
}

#[test]
fn buildings_weather_stations_and_edges_belong_to_the_city_model() {
    let mut city = with_all();
    let before = full(city.view());
    city.take_dirty();
    for (topic, json, field) in [
        (Topic::BuildingsOccupancy, r#"{"districtId":"d","buildingId":"x","currentOccupancy":1}"#, "buildingId"),
        (Topic::BuildingsOccupancy, r#"{"districtId":"x","buildingId":"b","currentOccupancy":1}"#, "buildingId"),
        (Topic::WeatherStations, r#"{"districtId":"x","stationId":"w","readings":{}}"#, "stationId"),
        (Topic::TrafficGraph, r#"{"edgeId":"n","trafficConditions":{}}"#, "edgeId"),
    ] {
        let reject = apply(&mut city, topic, T0, json).unwrap_err();
        assert_eq!(reject.code, Code::UnknownEntity, "{json}");
        assert!(reject.message.starts_with(field) && reject.message.contains("accepted: "), "{}", reject.message);
    }
    assert_eq!(full(city.view()), before, "creates nothing");
    assert!(city.take_dirty().is_empty());
}

#[test]
fn sensors_buildings_and_weather_stations_are_identified_by_district_and_id() {
    let mut city = city();
    for district in ["a", "b"] {
        let json = format!(r#"{{"districtId":"{district}","sensorId":"s","type":"{district}","value":1}}"#);
        apply(&mut city, Topic::SensorsTraffic, T0, &json).unwrap();
    }
    assert_eq!(city.view().count(Kind::Sensor), 2);
    assert_eq!(entity(&city, Kind::Sensor, Some("b"), "s").unwrap()["type"], "b");
}

#[test]
fn absent_means_unchanged_and_null_means_cleared() {
    let mut city = with_all();
    let cleared = [
        (
            Topic::SensorsTraffic,
            Kind::Sensor,
            "s",
            r#""districtId":"d","sensorId":"s","type":"noise","value":45.2"#,
            "unit status location metadata",
        ),
        (
            Topic::BuildingsSensors,
            Kind::Sensor,
            "s",
            r#""districtId":"d","sensorId":"s","type":"noise","value":45.2"#,
            "buildingId",
        ),
        (
            Topic::BuildingsOccupancy,
            Kind::Building,
            "b",
            r#""districtId":"d","buildingId":"b","currentOccupancy":50"#,
            "totalCapacity",
        ),
        (
            Topic::WeatherStations,
            Kind::WeatherStation,
            "w",
            r#""districtId":"d","stationId":"w","readings":{"temperature":15.5,"windSpeed":null,"extra":[null]}"#,
            "status",
        ),
        (
            Topic::TransportGps,
            Kind::Bus,
            "bus",
            r#""busId":"bus","currentLocation":{"latitude":42.35,"longitude":13.4}"#,
            "routeId heading speed passengerCount status",
        ),
        (
            Topic::TransportStations,
            Kind::Station,
            "st",
            r#""stationId":"st""#,
            "name location waitingPassengers nextArrivals",
        ),
        (
            Topic::EmergencyIncidents,
            Kind::Incident,
            "i",
            r#""incidentId":"i""#,
            "type severity location description status assignedUnits reportedAt",
        ),
        (Topic::EmergencyIncidents, Kind::Unit, "u", r#""unitId":"u""#, "type status currentLocation assignedIncident"),
    ];
    for (topic, kind, id, required, fields) in cleared {
        let district = kind.by_district().then_some("d");
        for field in fields.split(' ') {
            let mut before = entity(&city, kind, district, id).unwrap();
            assert!(!before[field].is_null(), "{field}");
            apply(&mut city, topic, T0, &format!("{{{required}}}")).unwrap();
            before["lastUpdated"] = value(r#""2026-01-05T00:00:00.000Z""#);
            assert_eq!(entity(&city, kind, district, id).unwrap(), before, "absent {field}");
            apply(&mut city, topic, T0, &format!("{{{required},\"{field}\":null}}")).unwrap();
            let list = ["nextArrivals", "assignedUnits"].contains(&field);
            before[field] = if list { value("[]") } else { value("null") };
            if field == "totalCapacity" {
                before["occupancyRate"] = value("null");
            }
            assert_eq!(entity(&city, kind, district, id).unwrap(), before, "null {field}");
        }
    }
}

#[test]
fn objects_and_lists_are_replaced_whole() {
    let mut city = with_all();
    apply(
        &mut city,
        Topic::WeatherStations,
        T0,
        r#"{"districtId":"d","stationId":"w","readings":{"humidity":null,"own":{"_t":"a","n":null}}}"#,
    )
    .unwrap();
    let readings = entity(&city, Kind::WeatherStation, Some("d"), "w").unwrap()["readings"].clone();
    assert_eq!(
        readings,
        value(r#"{"humidity":null,"own":{"_t":"a","n":null}}"#),
        "nulls and unknown keys inside are kept"
    );
    apply(
        &mut city,
        Topic::TrafficGraph,
        T0,
        r#"{"edgeId":"e","trafficConditions":{"own":null,"incidents":[{"a":null}]}}"#,
    )
    .unwrap();
    let traffic = entity(&city, Kind::Edge, None, "e").unwrap()["trafficConditions"].clone();
    assert_eq!(traffic, value(r#"{"incidents":[{"a":null}],"own":null}"#));
    apply(
        &mut city,
        Topic::SensorsTraffic,
        T0,
        r#"{"districtId":"d","sensorId":"s","type":"t","value":1,"metadata":{"q":null}}"#,
    )
    .unwrap();
    assert_eq!(entity(&city, Kind::Sensor, Some("d"), "s").unwrap()["metadata"], value(r#"{"q":null}"#));
    apply(&mut city, Topic::TransportStations, T0, r#"{"stationId":"st","nextArrivals":[{"busId":null,"own":null}]}"#)
        .unwrap();
    assert_eq!(
        entity(&city, Kind::Station, None, "st").unwrap()["nextArrivals"],
        value(r#"[{"busId":null,"own":null}]"#)
    );
    apply(&mut city, Topic::EmergencyIncidents, T0, r#"{"incidentId":"i","assignedUnits":["a","a"]}"#).unwrap();
    assert_eq!(entity(&city, Kind::Incident, None, "i").unwrap()["assignedUnits"], value(r#"["a","a"]"#));
}

#[test]
fn stale_is_not_applied_and_equal_is() {
    let mut city = city();
    apply(&mut city, Topic::TransportGps, T0, BUS).unwrap();
    let other = BUS.replace(r#""speed":5"#, r#""speed":6"#);
    assert_eq!(apply(&mut city, Topic::TransportGps, T0 - 1, &other), Ok(Outcome::Stale));
    assert_eq!(bus(&city).unwrap()["speed"], 5);
    assert_eq!(apply(&mut city, Topic::TransportGps, T0, &other), Ok(Outcome::Applied));
    assert_eq!(bus(&city).unwrap()["speed"], 6);
    assert_eq!(apply(&mut city, Topic::TransportGps, T0 + 1, BUS), Ok(Outcome::Applied));
}

#[test]
fn stale_holds_for_what_the_city_file_brought_too() {
    let mut city = with_all();
    let before = full(city.view());
    let time = T0 - 24 * HOUR - 1;
    for (topic, json) in [
        (Topic::SensorsTraffic, r#"{"districtId":"d","sensorId":"s","type":"t","value":1}"#),
        (Topic::BuildingsOccupancy, r#"{"districtId":"d","buildingId":"b","currentOccupancy":1}"#),
        (Topic::WeatherStations, r#"{"districtId":"d","stationId":"w","readings":{}}"#),
        (Topic::TrafficGraph, r#"{"edgeId":"e","trafficConditions":{}}"#),
        (Topic::TransportStations, r#"{"stationId":"st","name":null}"#),
        (Topic::EmergencyIncidents, r#"{"incidentId":"i","status":"resolved"}"#),
        (Topic::EmergencyIncidents, r#"{"unitId":"u","status":null}"#),
    ] {
        assert_eq!(apply(&mut city, topic, time, json), Ok(Outcome::Stale), "{json}");
    }
    assert_eq!(full(city.view()), before);
}

#[test]
fn an_event_that_changes_nothing_gives_no_change() {
    let mut city = city();
    let json = r#"{"districtId":"d","sensorId":"s","type":"t","value":1,"metadata":{"a":1,"b":[2.50,null]}}"#;
    let spelled = r#"{"districtId":"d","sensorId":"s","type":"t","value":1.0,"metadata":{ "b":[25e-1,null],"a":1.0 }}"#;
    apply(&mut city, Topic::SensorsTraffic, T0, json).unwrap();
    let (revision, _, _) = (city.view().revision, city.take_dirty(), city.take_changes());
    for again in [json, spelled] {
        assert_eq!(apply(&mut city, Topic::SensorsTraffic, T0, again), Ok(Outcome::Unchanged));
    }
    assert_eq!(city.view().revision, revision);
    assert!(city.take_dirty().is_empty() && city.take_changes().is_empty());
}

#[test]
fn occupancy_rate_is_null_without_capacity_and_may_exceed_one() {
    let mut city = with_all();
    for (capacity, current, rate) in [
        ("", 50, "0.25"),
        (r#","totalCapacity":40"#, 50, "1.25"),
        (r#","totalCapacity":0"#, 5, "null"),
        (r#","totalCapacity":null"#, 5, "null"),
        (r#","totalCapacity":3"#, 1, "0.3333333333333333"),
    ] {
        let json = format!(r#"{{"districtId":"d","buildingId":"b","currentOccupancy":{current}{capacity}}}"#);
        apply(&mut city, Topic::BuildingsOccupancy, T0, &json).unwrap();
        assert_eq!(entity(&city, Kind::Building, Some("d"), "b").unwrap()["occupancyRate"], value(rate), "{json}");
    }
}

fn resolved(city: &mut City, id: &str, partition: i32, time: i64) {
    let json = format!(r#"{{"incidentId":"{id}","status":"resolved","description":"x"}}"#);
    apply_to(city, Topic::EmergencyIncidents, partition, time, &json).unwrap();
}

fn there(city: &City, id: &str) -> bool {
    city.view().find(Kind::Incident, None, id).is_some()
}

#[test]
fn a_resolved_incident_goes_by_a_newer_event_of_its_own_partition() {
    let mut city = city();
    resolved(&mut city, "a", 0, T0);
    resolved(&mut city, "other-partition", 1, T0);
    apply(&mut city, Topic::EmergencyIncidents, T0, r#"{"incidentId":"open","status":"reported"}"#).unwrap();
    let unit = r#"{"unitId":"u"}"#;
    apply(&mut city, Topic::EmergencyIncidents, T0 + HOUR, unit).unwrap();
    assert!(there(&city, "a"), "newer by the retention is not by more");
    // Events of other topics do nothing, nor do events of another partition.
    apply(&mut city, Topic::TransportGps, T0 + 9 * HOUR, BUS).unwrap();
    apply_to(&mut city, Topic::EmergencyIncidents, 2, T0 + 9 * HOUR, r#"{"unitId":"v"}"#).unwrap();
    assert!(there(&city, "a"));
    apply(&mut city, Topic::EmergencyIncidents, T0 + HOUR + 1, unit).unwrap();
    assert!(!there(&city, "a") && there(&city, "open") && there(&city, "other-partition"));
}

#[test]
fn stale_events_count_for_retention() {
    let mut city = city();
    resolved(&mut city, "a", 0, T0);
    // The unit's last event came by another partition, so that one of this partition is stale and still newer.
    apply_to(&mut city, Topic::EmergencyIncidents, 1, T0 + 5 * HOUR, r#"{"unitId":"u"}"#).unwrap();
    let stale = apply(&mut city, Topic::EmergencyIncidents, T0 + 2 * HOUR, r#"{"unitId":"u"}"#);
    assert_eq!(stale, Ok(Outcome::Stale));
    assert!(!there(&city, "a"));
}

#[test]
fn an_incident_goes_before_the_event_is_applied_and_a_later_one_starts_it_anew() {
    let mut city = city();
    resolved(&mut city, "a", 0, T0);
    let reopened = r#"{"incidentId":"a","severity":"low"}"#;
    apply(&mut city, Topic::EmergencyIncidents, T0 + HOUR + 1, reopened).unwrap();
    let incident = entity(&city, Kind::Incident, None, "a").unwrap();
    assert_eq!((&incident["status"], &incident["description"]), (&value("null"), &value("null")));
    // Within the retention it is the same incident, and reopened it does not age.
    let mut city = self::city();
    resolved(&mut city, "a", 0, T0);
    apply(&mut city, Topic::EmergencyIncidents, T0 + HOUR, r#"{"incidentId":"a","status":"in_progress"}"#).unwrap();
    apply(&mut city, Topic::EmergencyIncidents, T0 + 9 * HOUR, r#"{"unitId":"u"}"#).unwrap();
    assert_eq!(entity(&city, Kind::Incident, None, "a").unwrap()["description"], "x");
}

#[test]
fn an_imported_incident_waits_for_its_first_event() {
    let mut city = city();
    let file = ONE_OF_EACH.replace("in_progress", "resolved");
    import(&mut city, &file);
    apply(&mut city, Topic::EmergencyIncidents, T0 + 100 * HOUR, r#"{"unitId":"v"}"#).unwrap();
    assert!(there(&city, "i"));
    // Even one that says only what was known.
    city.take_dirty();
    let known = apply(&mut city, Topic::EmergencyIncidents, T0 - 24 * HOUR, r#"{"incidentId":"i"}"#);
    assert_eq!(known, Ok(Outcome::Unchanged));
    assert_eq!(city.take_dirty().handles.len(), 1, "the store remembers the partition");
    let mut city = round_trip(&city);
    apply(&mut city, Topic::EmergencyIncidents, T0, r#"{"unitId":"v"}"#).unwrap();
    assert!(!there(&city, "i"));
}

#[test]
fn retention_off_keeps_all() {
    let mut city = City::new("c", "C", None);
    resolved(&mut city, "a", 0, T0);
    apply(&mut city, Topic::EmergencyIncidents, T0 + 100_000 * HOUR, r#"{"unitId":"u"}"#).unwrap();
    assert!(there(&city, "a"));
}

#[test]
fn a_rejected_event_does_not_age_anything() {
    let mut city = city();
    resolved(&mut city, "a", 0, T0);
    assert!(apply(&mut city, Topic::EmergencyIncidents, T0 + 9 * HOUR, r#"{"unitId":1}"#).is_err());
    assert!(there(&city, "a"));
    assert_eq!(city.progress()[&(Topic::EmergencyIncidents, 0)].newest, Some(Time(T0)));
}

#[test]
fn events_not_newer_do_not_bring_back_what_an_operator_removed() {
    let mut city = city();
    apply(&mut city, Topic::TransportGps, T0, BUS).unwrap();
    assert!(city.remove(Kind::Bus, None, "b") && !city.remove(Kind::Bus, None, "b"));
    let check = |city: &mut City| {
        for time in [T0 - 1, T0] {
            assert_eq!(apply(city, Topic::TransportGps, time, BUS), Ok(Outcome::Stale));
            assert_eq!(bus(city), None);
        }
    };
    check(&mut city);
    check(&mut round_trip(&city));
    let mut taken_over = self::city();
    apply(&mut taken_over, Topic::TransportGps, T0, BUS).unwrap();
    taken_over.become_like(round_trip(&city));
    check(&mut taken_over);
    // A newer one does, and then nothing is left of the removal.
    assert_eq!(apply(&mut city, Topic::TransportGps, T0 + 1, BUS), Ok(Outcome::Applied));
    assert!(city.remove(Kind::Bus, None, "b"));
    let mut stored = round_trip(&city);
    assert_eq!(apply(&mut stored, Topic::TransportGps, T0 + 1, BUS), Ok(Outcome::Stale));
    assert_eq!(apply(&mut stored, Topic::TransportGps, T0 + 2, BUS), Ok(Outcome::Applied));
    let mut stored = round_trip(&stored);
    assert_eq!(apply(&mut stored, Topic::TransportGps, T0 + 2, BUS), Ok(Outcome::Unchanged));
}

#[test]
fn a_removed_district_goes_with_all_that_is_in_it() {
    let mut city = with_all();
    assert!(city.remove(Kind::District, None, "d"));
    for kind in [Kind::District, Kind::Sensor, Kind::Building, Kind::WeatherStation, Kind::Node, Kind::Edge] {
        assert_eq!(city.view().count(kind), 0, "{kind:?}");
    }
    assert_eq!(city.view().count(Kind::Bus), 1);
    let sensor = r#"{"districtId":"d","sensorId":"s","type":"t","value":1}"#;
    assert_eq!(
        apply(&mut city, Topic::SensorsTraffic, T0 - 24 * HOUR, sensor),
        Ok(Outcome::Stale),
        "its sensors are remembered"
    );
    assert_eq!(city.view().count(Kind::District), 0, "and a stale event brings no district");
    assert_eq!(apply(&mut city, Topic::SensorsTraffic, T0, sensor), Ok(Outcome::Applied));
    assert_eq!(entity(&city, Kind::District, None, "d").unwrap()["location"], value("null"));
}

#[test]
fn progress_is_the_newest_time_of_accepted_events() {
    let mut city = city();
    apply(&mut city, Topic::TransportGps, T0 + 5, BUS).unwrap();
    apply(&mut city, Topic::TransportGps, T0 + 3, BUS).unwrap();
    city.advance(Topic::TransportGps, 0, 17);
    assert_eq!(city.progress()[&(Topic::TransportGps, 0)], Progress { next: 17, newest: Some(Time(T0 + 5)) });
}

#[test]
fn a_patch_keeps_clears_and_sets() {
    assert_eq!(
        (Patch::Keep.apply(Some(1)), Patch::Clear.apply(Some(1)), Patch::Set(2).apply(Some(1))),
        (Some(1), None, Some(2))
    );
}
