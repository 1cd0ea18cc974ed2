use super::*;
use crate::twin::{
    city::City,
    samples::{city, import},
};

/// Two districts; positions as their ids say, an edge across from west to east, a bus without a position.
fn sample() -> City {
    let mut city = city();
    import(
        &mut city,
        r#"{"cityId":"c","districts":[
        {"districtId":"d","location":{"centerLatitude":0,"centerLongitude":0},
         "sensors":[{"sensorId":"s","type":"noise","status":"active","location":{"latitude":0.5,"longitude":0.5},"lastUpdated":"2026-01-05T00:00:00Z"},
                    {"sensorId":"unplaced","type":"noise","status":"inactive","lastUpdated":"2026-01-05T01:00:00Z"}],
         "cityGraph":{"nodes":[{"nodeId":"n","type":"roundabout","location":{"latitude":1,"longitude":1}}],
          "edges":[{"edgeId":"e","class":"primary","trafficConditions":{"congestionLevel":"severe"},
                    "geometry":{"type":"LineString","coordinates":[[-5,0.5],[5,0.5]]}}]}},
        {"districtId":"x","buildings":[{"buildingId":"b","type":"office","location":{"latitude":0,"longitude":179.5}}]}],
        "publicTransport":{"buses":[{"busId":"bus","status":"in_service","currentLocation":{"latitude":0,"longitude":-179.5}}]},
        "emergencyServices":{"units":[{"unitId":"u","type":"noise","status":"on_scene"}]}}"#,
    );
    city
}

fn chosen(selection: &Selection) -> Vec<String> {
    sample().view().entities(&Kind::ALL).filter(|entity| selection.matches(entity)).map(Entity::global_id).collect()
}

fn set<T: std::hash::Hash + Eq + Clone>(values: &[T]) -> Option<HashSet<T>> {
    Some(values.iter().cloned().collect())
}

fn texts(values: &[&str]) -> Option<HashSet<String>> {
    Some(values.iter().map(|text| (*text).to_owned()).collect())
}

fn area(north: f64, south: f64, east: f64, west: f64) -> Selection {
    Selection { area: Some(BoundingBox { north, south, east, west }), ..Selection::default() }
}

#[test]
fn without_a_wish_everything_is_chosen() {
    assert_eq!(chosen(&Selection::default()).len(), 9);
}

#[test]
fn by_kind_district_type_and_status() {
    let by = |selection| chosen(&selection);
    assert_eq!(by(Selection { kinds: set(&[Kind::Node, Kind::Unit]), ..Selection::default() }), ["node/n", "unit/u"]);
    assert_eq!(
        by(Selection { districts: texts(&["x"]), ..Selection::default() }),
        ["district/x", "building/x/b"],
        "buses are in none"
    );
    assert_eq!(
        by(Selection { types: texts(&["noise", "primary"]), ..Selection::default() }),
        ["sensor/d/s", "sensor/d/unplaced", "edge/e", "unit/u"]
    );
    assert_eq!(
        by(Selection { statuses: texts(&["severe", "in_service"]), ..Selection::default() }),
        ["edge/e", "bus/bus"]
    );
    assert!(by(Selection { kinds: Some(HashSet::new()), ..Selection::default() }).is_empty(), "none is not all");
    let both = Selection {
        types: texts(&["noise"]),
        statuses: texts(&["inactive", "on_scene"]),
        districts: texts(&["d"]),
        ..Selection::default()
    };
    assert_eq!(by(both), ["sensor/d/unplaced"], "all wishes at once");
}

#[test]
fn updated_since_includes_the_moment_and_leaves_out_what_has_no_time() {
    let since = |text: &str| chosen(&Selection { updated_since: Time::parse(text), ..Selection::default() });
    assert_eq!(since("2026-01-05T00:00:00Z"), ["sensor/d/s", "sensor/d/unplaced"]);
    assert_eq!(since("2026-01-05T00:00:00.001Z"), ["sensor/d/unplaced"]);
}

#[test]
fn a_box_is_inclusive_and_an_edge_is_in_where_its_geometry_crosses() {
    assert_eq!(chosen(&area(1.0, 0.5, 1.0, 0.5)), ["sensor/d/s", "node/n", "edge/e"]);
    assert_eq!(chosen(&area(0.6, 0.4, 3.0, 2.0)), ["edge/e"], "no point of it is inside");
    assert!(chosen(&area(0.4, 0.1, 3.0, 2.0)).is_empty());
}

#[test]
fn a_box_whose_west_is_east_of_its_east_crosses_the_180th_meridian() {
    assert_eq!(chosen(&area(1.0, -1.0, -179.0, 179.0)), ["building/x/b", "bus/bus"]);
    assert_eq!(chosen(&area(90.0, -90.0, 180.0, -180.0)).len(), 6, "what has no position is in no box");
}

#[test]
fn near_in_metres_to_the_nearest_point_of_a_line() {
    let near = |latitude, longitude, radius| {
        let near = Some(Circle { center: Position { latitude, longitude }, radius });
        chosen(&Selection { near, ..Selection::default() })
    };
    // A thousandth of a degree is 111 m.
    assert_eq!(near(0.501, 3.0, 112.0), ["edge/e"]);
    assert!(near(0.501, 3.0, 110.0).is_empty());
    assert_eq!(near(0.5, 0.5, 0.0), ["sensor/d/s", "edge/e"]);
    assert_eq!(near(0.0, 180.0, 60_000.0), ["building/x/b", "bus/bus"]);
}

#[test]
fn distances() {
    let city = sample();
    let of =
        |kind, id| distance(city.view().find(kind, Some("d"), id).unwrap(), Position { latitude: 0.0, longitude: 0.0 });
    assert!((of(Kind::Edge, "e") - 55_597.0).abs() < 1.0);
    assert_eq!(of(Kind::District, "d"), 0.0);
    assert!(of(Kind::Sensor, "unplaced").is_infinite());
}
