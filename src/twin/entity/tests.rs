use super::*;
use crate::twin::{
    event::Topic,
    samples::{ONE_OF_EACH, T0, apply, city, import, value},
};

#[test]
fn a_global_id_reads_back_as_its_parts() {
    for id in ["a", "a/b", "a%2Fb", "é \u{1F600}", "..", "-._~", "{x}", "a:b?c#d", "\"\\", "+ "] {
        for kind in Kind::ALL {
            let district = kind.by_district().then_some(id);
            let global = global_id(kind, district, id);
            let part = |c: char| c.is_ascii_alphanumeric() || "-._~%/".contains(c);
            assert!(global.chars().all(part), "{global}");
            assert_eq!(parse_global_id(&global), Some((kind, district.map(str::to_owned), id.to_owned())), "{global}");
        }
    }
    assert_eq!(
        global_id(Kind::WeatherStation, Some("centro città"), "w/1"),
        "weather-station/centro%20citt%C3%A0/w%2F1"
    );
    assert_eq!(global_id(Kind::Edge, Some("centro"), "e"), "edge/e", "unique in the city");
}

#[test]
fn what_is_no_global_id() {
    for text in ["", "bus", "bus/", "bus/a/b", "sensor/a", "sensor/a/b/c", "tree/a", "Bus/a", "bus/%ff"] {
        let read = parse_global_id(text);
        // An empty part names nothing that can exist.
        assert!(read.is_none() || text == "bus/", "{text}: {read:?}");
    }
}

#[test]
fn one_of_each_says_what_it_is() {
    let mut city = city();
    import(&mut city, ONE_OF_EACH);
    let said: Vec<_> = city
        .view()
        .entities(&Kind::ALL)
        .map(|e| {
            (
                e.global_id(),
                e.type_text().unwrap_or("-"),
                e.status_text().unwrap_or("-"),
                e.name().unwrap_or("-"),
                e.position().is_some(),
                e.line().is_some(),
                e.last_updated().is_some(),
            )
        })
        .collect();
    let expected = [
        ("district/d", "-", "-", "D", true, false, false),
        ("sensor/d/s", "noise", "active", "-", true, false, true),
        ("building/d/b", "office", "-", "B", true, false, true),
        ("weather-station/d/w", "-", "maintenance", "-", true, false, true),
        ("node/n", "intersection", "-", "-", true, false, false),
        ("edge/e", "primary", "moderate", "Via Roma", false, true, true),
        ("bus/bus", "-", "in_service", "-", true, false, true),
        ("station/st", "-", "-", "Piazza Duomo", true, false, true),
        ("incident/i", "fire", "in_progress", "-", true, false, true),
        ("unit/u", "fire_truck", "dispatched", "-", true, false, true),
    ];
    assert_eq!(said, expected.map(|(id, a, b, c, d, e, f)| (id.to_owned(), a, b, c, d, e, f)));
}

#[test]
fn every_kinds_fields_are_the_keys_of_its_json() {
    let mut city = city();
    import(&mut city, ONE_OF_EACH);
    for entity in city.view().entities(&Kind::ALL) {
        assert!(entity.field_names().len() <= 16, "a mask has 16 bits");
        let json = value(std::str::from_utf8(entity.json()).unwrap());
        assert_eq!(json.as_object().unwrap().len(), entity.field_names().len());
        for (i, name) in entity.field_names().iter().enumerate() {
            let mut field = Vec::new();
            entity.field(i).write_json(&mut field);
            assert_eq!(json[*name], value(std::str::from_utf8(&field).unwrap()), "{name}");
        }
    }
}

#[test]
fn the_stored_form_is_the_state_but_for_what_only_the_fold_knows() {
    let mut city = city();
    import(&mut city, ONE_OF_EACH);
    for entity in city.view().entities(&Kind::ALL) {
        assert_eq!(entity.stored_json(), entity.json());
    }
    apply(
        &mut city,
        Topic::BuildingsOccupancy,
        T0,
        r#"{"districtId":"d","buildingId":"b","currentOccupancy":1,"totalCapacity":2}"#,
    )
    .unwrap();
    let building = city.view().find(Kind::Building, Some("d"), "b").unwrap();
    let stored = String::from_utf8(building.stored_json()).unwrap();
    assert!(stored.ends_with(r#","lastUpdated":"2026-01-05T00:00:00.000Z","capacityByEvent":true}"#), "{stored}");
}
