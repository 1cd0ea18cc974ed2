//! A city that changes at random, and what a client makes of its batches.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use serde_json::{Value, json};

use crate::{
    live::{Batch, Change, LeftReason},
    twin::{
        city::City,
        entity::Entity,
        event::{Judgement, Topic, decode},
        geo::{BoundingBox, Position},
        model::Kind,
        selection::{Circle, Selection},
        snapshot::CityFile,
        time::Time,
        view::View,
    },
};

/// Retention of resolved incidents.
const RETENTION_MS: i64 = 3_000;

/// A city with a clock for its events.
pub struct RandomCity {
    pub city: City,
    pub now: i64,
    random: fastrand::Rng,
}

impl RandomCity {
    pub fn new(seed: u64) -> Self {
        let mut city = City::new("c", "C", Some(RETENTION_MS));
        let mut random = fastrand::Rng::with_seed(seed);
        city.import(file(&mut random));
        Self { city, now: 1_767_571_200_000, random }
    }

    /// Does something to the city: an event mostly, sometimes what an operator does.
    pub fn act(&mut self) {
        act(&mut self.city, &mut self.now, &mut self.random);
    }

    pub fn view(&self) -> Arc<View> {
        Arc::new(self.city.view().clone())
    }
}

/// One step of a city's life.
pub fn act(city: &mut City, now: &mut i64, random: &mut fastrand::Rng) {
    *now += random.i64(1..50);
    let n = random.u32(0..12);
    let place = json!({"latitude": 42.0 + random.f64(), "longitude": 13.0 + random.f64()});
    let district = format!("d{}", random.u32(0..3));
    match random.u32(0..100) {
        0..40 => {
            let speed = random.u32(0..3);
            let bus = json!({"busId": format!("b{n}"), "currentLocation": place, "speed": speed});
            apply(city, *now, Topic::TransportGps, &bus);
        }
        40..55 => {
            let status = *random.choice(&["active", "inactive"]).unwrap();
            let sensor = json!({"districtId": district, "sensorId": format!("s{n}"), "type": "noise",
                "value": random.u32(0..3), "status": status, "location": place});
            apply(city, *now, Topic::SensorsEnvironmental, &sensor);
        }
        55..70 => {
            let level = *random.choice(&["low", "severe"]).unwrap();
            let edge = json!({"edgeId": format!("e{}", n % 6), "trafficConditions": {"congestionLevel": level}});
            apply(city, *now, Topic::TrafficGraph, &edge);
        }
        70..80 => {
            let status = *random.choice(&["reported", "resolved"]).unwrap();
            let incident = json!({"incidentId": format!("i{n}"), "type": "fire", "status": status, "location": place});
            apply(city, *now, Topic::EmergencyIncidents, &incident);
        }
        80..95 => {
            let there: Vec<_> = city.view().entities(&Kind::ALL).filter(|e| e.kind().by_event()).cloned().collect();
            if let Some(entity) = random.choice(&there) {
                assert!(city.remove(entity.kind(), entity.district(), entity.id()));
            }
        }
        95..97 => city.rename(&format!("name {n}")),
        97 => {
            city.remove(Kind::District, None, &district);
        }
        _ => {
            city.import(file(random));
        }
    }
}

/// Applies an event.
pub fn apply(city: &mut City, now: i64, topic: Topic, event: &Value) {
    let payload = event.to_string();
    let judgement = Judgement { max_clock_skew_ms: i64::MAX, max_event_bytes: 1 << 20 };
    let event = decode(topic, Some(payload.as_bytes()), Time(now), &judgement).expect("a right event");
    // An edge may be gone with its district.
    if let Err(reject) = city.apply(0, event) {
        assert_eq!(reject.code.name(), "unknown_entity");
    }
}

/// A city file whose edges stand now in one district, now in another.
fn file(random: &mut fastrand::Rng) -> CityFile {
    let mut districts: Vec<_> = (0..3)
        .map(|d| json!({"districtId": format!("d{d}"), "name": format!("D{}", random.u32(0..2)), "cityGraph": {"nodes": [], "edges": []}}))
        .collect();
    for e in 0..6 {
        let x = 13.0 + f64::from(e) / 6.0;
        let line = json!({"type": "LineString", "coordinates": [[x, 42.1], [x, 42.9]]});
        let edge = json!({"edgeId": format!("e{e}"), "class": "primary", "geometry": line});
        let edges = &mut districts[random.usize(0..3)]["cityGraph"]["edges"];
        edges.as_array_mut().unwrap().push(edge);
    }
    CityFile::parse(&json!({"cityId": "c", "name": "C", "districts": districts}).to_string()).expect("a right file")
}

/// Selections of all sorts.
pub fn selection(random: &mut fastrand::Rng) -> Selection {
    let mut sometimes = |share: f64| random.f64() < share;
    let (kinds, districts, statuses, area, near, since) =
        (sometimes(0.4), sometimes(0.2), sometimes(0.2), sometimes(0.4), sometimes(0.2), sometimes(0.2));
    let (south, west) = (42.0 + random.f64() * 0.6, 13.0 + random.f64() * 0.6);
    Selection {
        kinds: kinds.then(|| random.choose_multiple(Kind::ALL, 4).into_iter().collect()),
        districts: districts.then(|| HashSet::from([format!("d{}", random.u32(0..3))])),
        types: None,
        statuses: statuses.then(|| HashSet::from(["active".to_owned(), "low".to_owned(), "reported".to_owned()])),
        area: area.then_some(BoundingBox { south, west, north: south + 0.4, east: west + 0.4 }),
        near: near.then_some(Circle { center: Position { latitude: south, longitude: west }, radius: 30_000.0 }),
        updated_since: since.then(|| Time(1_767_571_200_000 + random.i64(0..20_000))),
    }
}

/// What a client holds: the JSON of each entity by its id.
#[derive(Debug, Default)]
pub struct Client {
    pub holds: BTreeMap<String, Value>,
    seen: bool,
}

impl Client {
    /// Takes a batch as a client would, and checks whatever can be checked of it.
    pub fn take(&mut self, batch: &Batch) {
        let mut ids = HashSet::new();
        for change in &batch.changes {
            let entity = change.entity();
            let id = entity.global_id();
            assert!(ids.insert(id.clone()), "{id} twice in one batch");
            match change {
                Change::Entered(entity) => {
                    assert!(self.holds.insert(id.clone(), value(entity)).is_none(), "{id} entered, but was there");
                }
                Change::Updated { entity, .. } => {
                    let fields: HashSet<_> = change.changed_fields().collect();
                    assert!(!fields.is_empty(), "{id} was updated in nothing");
                    let now = value(entity);
                    let before = self.holds.insert(id.clone(), now.clone()).expect("updated what is held");
                    for (name, now) in now.as_object().unwrap() {
                        assert!(
                            before[name] == *now || fields.contains(name.as_str()),
                            "{id}: {name} changed in silence"
                        );
                    }
                }
                Change::Left { reason, .. } => {
                    assert!(self.holds.remove(&id).is_some(), "{id} left, but was not there");
                    let there = batch.view.entity(entity.handle()).is_some();
                    assert_eq!(*reason == LeftReason::MovedOut, there, "{id}");
                }
            }
        }
        assert_eq!(batch.snapshot, !self.seen, "the snapshot ends with its first complete batch");
        self.seen |= batch.complete;
    }
}

/// What a selection has in a view, found by looking at everything.
pub fn brute_force(view: &View, selection: &Selection) -> BTreeMap<String, Value> {
    let matching = view.entities(&Kind::ALL).filter(|entity| selection.matches(entity));
    matching.map(|entity| (entity.global_id(), value(entity))).collect()
}

fn value(entity: &Entity) -> Value {
    serde_json::from_slice(entity.json()).expect("JSON")
}
