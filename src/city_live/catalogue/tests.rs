//! What is read, every error line, and what the shipped cities promise.

use std::collections::BTreeSet;

use super::*;
use crate::simulator::DemoCity;

const NOTHING_BESIDE: fn(&str) -> Result<String, String> = |_| Err("no such file".to_owned());

fn at(latitude: f64, longitude: f64) -> Position {
    Position { latitude, longitude }
}

fn read(text: &str) -> Result<Catalogue, CatalogueError> {
    read::catalogue("cities.toml", text, &NOTHING_BESIDE)
}

/// A city of one zone, with these lines in the city and in the zone.
fn town(city: &str, zone: &str) -> String {
    format!(
        "[[cities]]\nid = \"town\"\nname = \"Town\"\ntime_zone = \"Europe/Rome\"\n{city}\n[[cities.zones]]\nid = \"a\"\nname = \"A\"\n{zone}\n"
    )
}

fn error(text: &str) -> String {
    let line = read(text).expect_err("it is refused").to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn a_small_catalogue() {
    let text = town(
        "eia_region = \"NYIS\"\ncalls311 = \"erm2-nwe9\"",
        "polygon = [[0, 0], [0, 2], [2, 2], [2, 0]]\ndistricts = [\"d1\", \"d2\"]\nweight = 2.5",
    );
    let catalogue = read(&text).expect("accepted");
    let city = catalogue.city("town").expect("it is there");
    assert_eq!((city.name.as_str(), city.eia_region.as_deref()), ("Town", Some("NYIS")));
    assert_eq!(city.calls311, Some(Calls311 { dataset: "erm2-nwe9".into() }));
    let zone = city.zone("a").expect("it is there");
    assert_eq!((zone.centre, zone.weight), (at(1.0, 1.0), 2.5));
    assert_eq!(zone.districts, ["d1", "d2"]);
    let ring = &zone.shape[0].outer;
    assert_eq!((ring.len(), ring.first()), (5, ring.last()), "the ring is closed");
    assert!(catalogue.city("other").is_none());
    assert_eq!(read(&town("", "centre = [42, 13]")).expect("accepted").cities[0].zones[0].weight, 1.0);
}

#[test]
fn a_wrong_value_names_city_zone_field_value_and_what_is_accepted() {
    assert_eq!(
        error(&town("", "centre = [91, 13]")),
        "cities.toml: city \"town\", zone \"a\": centre: [91, 13] is not accepted; accepted is [latitude, longitude] in degrees"
    );
    assert_eq!(
        error(&town("", "")),
        "cities.toml: city \"town\", zone \"a\": centre is missing; accepted is [latitude, longitude] in degrees, or a polygon"
    );
    let zone = "cities.toml: city \"town\", zone \"a\": ";
    let wrong = [
        ("centre = [42]", "centre: [42] is not accepted"),
        ("centre = \"42,13\"", "centre: \"42,13\" is not accepted"),
        ("polygon = []", "polygon: [] is not accepted; accepted is a ring of at least three different positions"),
        ("polygon = [[0, 0], [0, 1], [0, 0]]", "a ring of at least three different positions"),
        ("polygon = [[0, 0], [0, 1], [0, 2]]", "a ring that covers some ground"),
        ("polygon = [[0, 0], [2, 4], [0, 3], [3, 0]]", "a ring that does not cross itself"),
        ("polygon = [[0, 0], [0, 200], [2, 2]]", "[latitude, longitude] in degrees"),
        ("polygon = 3", "accepted is a list of [latitude, longitude]"),
        (
            "centre = [5, 5]\npolygon = [[0, 0], [0, 2], [2, 2]]",
            "centre: [5, 5] is not accepted; accepted is a position inside",
        ),
        ("centre = [1, 1]\nweight = 0", "weight: 0 is not accepted; accepted is a number above 0"),
        ("centre = [1, 1]\nweight = nan", "weight: NaN is not accepted"),
        ("centre = [1, 1]\nweight = \"much\"", "weight: \"much\" is not accepted"),
        ("centre = [1, 1]\ndistricts = \"d\"", "districts: \"d\" is not accepted"),
        ("centre = [1, 1]\ndistricts = [\"\"]", "districts: \"\" is not accepted"),
        ("center = [1, 1]", "\"center\" is no field of it; accepted are id, name, centre, polygon, districts, weight"),
    ];
    for (lines, expected) in wrong {
        let line = error(&town("", lines));
        assert!(line.starts_with(zone) && line.contains(expected), "{lines}: {line}");
    }
}

#[test]
fn a_wrong_city_is_refused() {
    let good = "centre = [1, 1]";
    let city = "cities.toml: city \"town\": ";
    let wrong = [
        ("zones_file = \"z.geojson\"", "zones_file: \"z.geojson\" is not accepted; accepted is one of both"),
        ("eia_region = 3", "eia_region: 3 is not accepted; accepted is a text in quotes"),
        ("calls311 = \"a/b\"", "calls311: \"a/b\" is not accepted"),
        ("country = \"IT\"", "\"country\" is no field of it"),
    ];
    for (lines, expected) in wrong {
        let line = error(&town(lines, good));
        assert!(line.starts_with(city) && line.contains(expected), "{lines}: {line}");
    }
    let changed = |from: &str, to: &str| error(&town("", good).replace(from, to));
    assert!(changed("Europe/Rome", "Europe/Aquila").contains("time_zone: \"Europe/Aquila\" is not accepted"));
    assert!(changed("id = \"town\"", "id = \"a b\"").starts_with("cities.toml: city number 1: id: \"a b\""));
    assert!(changed("id = \"town\"", "").contains("city number 1: id is missing"));
    assert!(changed("name = \"Town\"", "name = \"\"").contains("name: \"\" is not accepted"));
    assert!(changed("[[cities]]", "[[city]]").contains("\"city\" is no field of it"));
    assert!(error("x = [").starts_with("cities.toml: line 1: "));
    assert!(error("").contains("cities is missing"));
    let zoneless = "[[cities]]\nid = \"town\"\nname = \"Town\"\ntime_zone = \"UTC\"\n";
    assert!(error(zoneless).contains("zones is missing"));
    assert!(error(&format!("{zoneless}zones = []")).contains("at least one zone"));
    assert!(
        error(&format!("{zoneless}zones_file = \"../z.geojson\"")).contains("the name of a file in the same folder")
    );
    assert!(error(&format!("{zoneless}zones_file = \"z.geojson\"")).contains("a file that can be read (no such file)"));
}

#[test]
fn ids_are_told_once() {
    let twice = format!("{}[[cities.zones]]\nid = \"a\"\nname = \"B\"\ncentre = [1, 1]", town("", "centre = [1, 1]"));
    assert!(
        error(&twice)
            .contains("city \"town\", zone \"a\": id: \"a\" is not accepted; accepted is an id that no other zone")
    );
    let one = town("", "centre = [1, 1]");
    assert!(error(&format!("{one}{one}")).contains("accepted is an id that no other city has"));
}

const SQUARES: &str = r#"{"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"nr": 7, "label": "West", "people": 3, "twin": "d1, d2"}, "geometry": {"type": "Polygon",
        "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]], [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5], [0.5, 0.5]]]}},
    {"type": "Feature", "properties": {"nr": "e", "label": "East", "people": 1.5, "twin": ["d3"]}, "geometry": {"type":
        "MultiPolygon", "coordinates": [[[[2, 0], [4, 0], [4, 2], [2, 2], [2, 0]]], [[[5, 0], [6, 0], [6, 1], [5, 0]]]]}},
    {"type": "Feature", "properties": {"nr": "p", "label": "Point", "people": 1}, "geometry": {"type": "Point", "coordinates": [9, 1]}}
]}"#;

fn geo(geojson: &str) -> Result<Catalogue, CatalogueError> {
    let text = "[[cities]]\nid = \"g\"\nname = \"G\"\ntime_zone = \"UTC\"\nzones_file = \"z.geojson\"\nzone_id = \"nr\"\n\
                zone_name = \"label\"\nzone_weight = \"people\"\nzone_districts = \"twin\"";
    read::catalogue("cities.toml", text, &|name| {
        assert_eq!(name, "z.geojson");
        Ok(geojson.to_owned())
    })
}

#[test]
fn zones_of_geojson() {
    let catalogue = geo(SQUARES).expect("accepted");
    let city = &catalogue.cities[0];
    let ids: Vec<&str> = city.zones.iter().map(|zone| zone.id.as_str()).collect();
    assert_eq!(ids, ["7", "e", "p"]);
    assert_eq!(city.zones[0].districts, ["d1", "d2"]);
    assert_eq!((city.zones[1].weight, city.zones[1].districts.as_slice()), (1.5, &["d3".to_owned()][..]));
    assert_eq!(city.zones[2].centre, at(1.0, 9.0));
    let zone = |latitude, longitude| city.zone_at(at(latitude, longitude)).map(|zone| zone.id.as_str());
    assert_eq!(zone(0.2, 0.2), Some("7"));
    assert_eq!(zone(1.0, 1.0), None, "in the hole");
    assert_eq!((zone(1.0, 3.0), zone(0.2, 5.8)), (Some("e"), Some("e")));
    assert_eq!(zone(1.0, 2.0), Some("e"), "on the common edge: in one of both");
    assert_eq!(zone(1.0, 9.02), Some(city.zones[2].id.as_str()), "2 km from a point");
    assert_eq!(zone(1.0, 9.04), None, "4 km from a point");
    for zone in &city.zones[..2] {
        assert_eq!(city.zone_at(zone.centre), Some(zone), "its centre lies inside");
    }
}

#[test]
fn what_is_wrong_with_geojson_is_told_with_its_file() {
    let wrong = |from: &str, to: &str| {
        let text = SQUARES.replacen(from, to, 1);
        assert_ne!(text, SQUARES, "{from} is there");
        geo(&text).expect_err("it is refused").to_string()
    };
    assert!(wrong("FeatureCollection", "Feature").starts_with("z.geojson: it is no GeoJSON"));
    assert!(
        wrong("[0, 0]", "[0, 99]").starts_with("z.geojson: city \"g\", zone \"7\": geometry: [0,99] is not accepted")
    );
    assert!(wrong("\"nr\": 7, ", "").starts_with("z.geojson: city \"g\", zone number 1: property nr is missing"));
    assert!(wrong("\"people\": 3, ", "").contains("zone \"7\": people is missing"));
    assert!(wrong("\"West\"", "[1]").contains("property label: [1] is not accepted"));
    assert!(wrong("\"nr\": 7", "\"nr\": \"e\"").contains("an id that no other zone"));
    assert!(
        wrong("\"Point\", \"coordinates\"", "\"LineString\", \"coordinates\"")
            .contains("a Polygon, MultiPolygon or Point")
    );
    assert!(wrong("[[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5], [0.5, 0.5]]", "[]").contains("at least three"));
    assert!(wrong("{", "").contains("it is no GeoJSON"));
}

#[test]
fn a_file_of_ones_own_with_its_geojson_beside() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    let text = "[[cities]]\nid = \"g\"\nname = \"G\"\ntime_zone = \"UTC\"\nzones_file = \"z.geojson\"\nzone_id = \"nr\"\nzone_name = \"label\"";
    std::fs::write(&file, text).expect("written");
    let missing = Catalogue::load(Some(&file)).expect_err("its GeoJSON is missing").to_string();
    assert!(missing.contains("zones_file: \"z.geojson\""), "{missing}");
    std::fs::write(folder.path().join("z.geojson"), SQUARES).expect("written");
    assert_eq!(Catalogue::load(Some(&file)).expect("accepted").cities[0].zones.len(), 3);
    let nowhere = Catalogue::load(Some(&folder.path().join("no.toml"))).expect_err("it is not there").to_string();
    assert!(nowhere.contains("no.toml: "), "{nowhere}");
}

#[test]
fn new_york_as_it_is_shipped() {
    let catalogue = Catalogue::load(None).expect("accepted");
    let nyc = catalogue.city("nyc").expect("it is there");
    assert_eq!((nyc.time_zone.as_str(), nyc.eia_region.as_deref()), ("America/New_York", Some("NYIS")));
    assert_eq!(nyc.calls311.as_ref().map(|calls| calls.dataset.as_str()), Some("erm2-nwe9"));
    assert!((20..=40).contains(&nyc.zones.len()), "{}", nyc.zones.len());
    assert!(nyc.zones.iter().all(|zone| !zone.shape.is_empty()));
    // A grid over the city: no place lies in two zones, and each zone is met.
    let mut met = BTreeSet::new();
    for north in 0..430 {
        for east in 0..560 {
            let place = at(40.49 + f64::from(north) * 0.001, -74.26 + f64::from(east) * 0.001);
            let holding: Vec<&str> = nyc
                .zones
                .iter()
                .filter(|zone| zone.shape.iter().any(|polygon| polygon.contains(place)))
                .map(|zone| zone.id.as_str())
                .collect();
            assert!(holding.len() < 2, "{place:?} lies in {holding:?}");
            met.extend(holding);
        }
    }
    assert_eq!(met.len(), nyc.zones.len());
    for (place, zone) in [
        (at(40.7580, -73.9855), "mn-midtown"),                // Times Square
        (at(40.7061, -74.0088), "mn-lower-manhattan"),        // Wall Street
        (at(40.8296, -73.9262), "bx-highbridge-morrisania"),  // Yankee Stadium
        (at(40.6602, -73.9690), "bk-flatbush"),               // Prospect Park
        (at(40.7498, -73.8620), "qn-jackson-heights-corona"), // 103rd Street and Corona Plaza
        (at(40.6413, -73.7781), "qn-rosedale-jfk"),           // the airport
        (at(40.5795, -74.1502), "si-mid-island"),             // Staten Island Mall
    ] {
        assert_eq!(nyc.zone_at(place).map(|zone| zone.id.as_str()), Some(zone));
    }
    assert_eq!(nyc.zone_at(at(40.68, -74.04)), None, "the Upper Bay");
}

#[test]
fn laquila_is_the_city_of_the_demo() {
    let catalogue = Catalogue::shipped().expect("accepted");
    let laquila = catalogue.city("laquila").expect("it is there");
    let file: serde_json::Value = serde_json::from_str(&DemoCity::laquila(1).city_file(0)).expect("JSON");
    let districts = file["districts"].as_array().expect("a list");
    assert_eq!(laquila.zones.len(), districts.len());
    for (zone, district) in laquila.zones.iter().zip(districts) {
        assert_eq!(zone.districts, [district["districtId"].as_str().expect("an id")]);
        assert_eq!(zone.name, district["name"].as_str().expect("a name"));
        let location = &district["location"];
        let centre = at(
            location["centerLatitude"].as_f64().expect("a number"),
            location["centerLongitude"].as_f64().expect("a number"),
        );
        assert!(zone.centre.distance(centre) < 100.0, "{}", zone.name);
    }
}
