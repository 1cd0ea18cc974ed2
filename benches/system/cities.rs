//! City files of any size: the demo city several times.

use citytwin::{
    simulator::DemoCity,
    twin::{model::Kind, view::View},
};
use serde_json::Value;

use crate::events::SEED;

/// Monday 2025-12-01 15:00 in L'Aquila.
pub const START: i64 = 1_764_597_600_000;

/// The id of the city in these files.
pub fn id() -> String {
    DemoCity::laquila(SEED).id()
}

/// How far east of the one before each copy lies, in degrees: the demo city is 0.157 wide.
pub const APART: f64 = 0.16;

/// The demo city's file (23,000 entities, 6 MB) `count` times over: each copy's districts and ids have a suffix. The copies
/// lie side by side, from west to east: a city of more entities is larger, not denser.
pub fn copies(count: usize) -> String {
    let file = DemoCity::laquila(SEED).city_file(START);
    if count == 1 {
        return file;
    }
    let mut city: Value = serde_json::from_str(&file).expect("the simulator writes JSON");
    let districts = city["districts"].as_array().cloned().unwrap_or_default();
    let mut all = districts.clone();
    for copy in 1..count {
        all.extend(districts.iter().cloned().map(|mut district| {
            rename(&mut district, &format!("-{copy}"));
            shift(&mut district, APART * copy as f64);
            district
        }));
    }
    city["districts"] = all.into();
    city.to_string()
}

fn rename(value: &mut Value, suffix: &str) {
    const IDS: [&str; 6] = ["districtId", "buildingId", "stationId", "nodeId", "edgeId", "sensorId"];
    const REFERENCES: [&str; 2] = ["fromNode", "toNode"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(id) if IDS.contains(&name.as_str()) || REFERENCES.contains(&name.as_str()) => {
                        id.push_str(suffix);
                    }
                    other => rename(other, suffix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, suffix)),
        _ => {}
    }
}

/// Moves everything in it eastwards.
fn shift(value: &mut Value, degrees: f64) {
    const LONGITUDES: [&str; 4] = ["longitude", "centerLongitude", "east", "west"];
    let moved = |longitude: f64| ((longitude + degrees) * 1e6).round() / 1e6;
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_f64()) {
                    (name, Some(longitude)) if LONGITUDES.contains(&name) => *value = moved(longitude).into(),
                    ("coordinates", None) => {
                        let points = value.as_array_mut().into_iter().flatten();
                        points.filter_map(|point| point.get_mut(0)).for_each(|longitude| {
                            *longitude = moved(longitude.as_f64().expect("a number of GeoJSON")).into();
                        });
                    }
                    _ => shift(value, degrees),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, degrees)),
        _ => {}
    }
}

/// How many entities a city has.
pub fn entities(view: &View) -> usize {
    Kind::ALL.into_iter().map(|kind| view.count(kind)).sum()
}
