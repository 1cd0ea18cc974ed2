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

/// The demo city's file (23,000 entities, 6 MB) `count` times over: each copy's districts and ids have a suffix.
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

/// How many entities a city has.
pub fn entities(view: &View) -> usize {
    Kind::ALL.into_iter().map(|kind| view.count(kind)).sum()
}
