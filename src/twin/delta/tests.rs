//! Deltas against what they must do: bring the full state before to the full state after, exactly.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use fastrand::Rng;
use serde_json::Value;

use super::*;
use crate::{
    kafka::patch::{difference, patch},
    twin::{
        city::City,
        event::Topic,
        samples::{ONE_OF_EACH, T0, apply, city, city_file, full_at, import, operate, value},
    },
};

/// Two boundaries of a city, with the delta between them.
struct Case {
    before: String,
    delta: Option<String>,
    after: String,
}

const FROM: Time = Time(T0);
const TO: Time = Time(T0 + 5000);

fn delta_of(changes: &ChangeSet, view: &View) -> Option<String> {
    let mut out = Vec::new();
    let written = write_delta(changes, view, FROM, TO, &mut out);
    assert!(written || out.is_empty(), "nothing is written where nothing changed");
    written.then(|| String::from_utf8(out).unwrap())
}

/// Does something to a city between two boundaries.
fn case(city: &mut City, act: impl FnOnce(&mut City)) -> Case {
    city.take_changes();
    let before = full_at(city.view(), FROM);
    act(city);
    let delta = delta_of(&city.take_changes(), city.view());
    let at = if delta.is_some() { TO } else { FROM };
    Case { before, delta, after: full_at(city.view(), at) }
}

impl Case {
    fn check(&self, context: &str) {
        let mut state = value(&self.before);
        if let Some(delta) = &self.delta {
            let delta = value(delta);
            let keys: Vec<_> = delta.as_object().unwrap().keys().collect();
            assert!(keys.len() > 1, "{context}: only the time has changed: {keys:?}");
            patch(&mut state, &delta, true).unwrap_or_else(|e| panic!("{context}: {e}\n{delta}"));
        }
        if let Some(difference) = difference(&value(&self.after), &state) {
            panic!("{context}: {difference}\nbefore {}\ndelta {:?}", self.before, self.delta);
        }
    }
}

/// A city that something has happened to, and between `0` and `most` operations more.
fn random_case(seed: u64, most: i64) -> Case {
    let mut rng = Rng::with_seed(seed);
    let mut city = city();
    let start = rng.i64(0..60);
    import(&mut city, &city_file(&mut rng));
    for n in 0..start {
        operate(&mut city, &mut rng, T0 + n * 60_000);
    }
    case(&mut city, |city| {
        for n in 0..rng.i64(0..=most) {
            operate(city, &mut rng, T0 + (start + n) * 60_000);
        }
    })
}

#[test]
fn patching_the_full_before_gives_the_full_after() {
    for seed in 0..150 {
        random_case(seed, 12).check(&format!("seed {seed}"));
    }
    for seed in 1500..1520 {
        random_case(seed, 150).check(&format!("seed {seed}"));
    }
}

#[test]
fn few_changes_of_a_long_list_and_many_are_told_alike() {
    let mut city = city();
    let sensor = |city: &mut City, n: usize, value: usize| {
        let event = format!(r#"{{"districtId":"x","sensorId":"s{n:04}","type":"t","value":{value}}}"#);
        apply(city, Topic::SensorsTraffic, T0, &event).unwrap();
    };
    (0..1000).filter(|n| n % 10 != 3).for_each(|n| sensor(&mut city, n, 0));
    // Few are searched for, many are found by going through the list.
    for (round, few_or_many) in [1, 5, 300, 2, 700].into_iter().enumerate() {
        case(&mut city, |city| {
            let mut rng = Rng::with_seed(round as u64);
            for _ in 0..few_or_many {
                let n = rng.usize(0..1000);
                if rng.u8(0..4) == 0 {
                    city.remove(Kind::Sensor, Some("x"), &format!("s{n:04}"));
                } else {
                    let event =
                        format!(r#"{{"districtId":"x","sensorId":"s{n:04}","type":"t","value":{}}}"#, round * 1000 + n);
                    // One that was removed comes back with a newer time only.
                    let _ = apply(city, Topic::SensorsTraffic, T0 + round as i64 + 1, &event);
                }
            }
        })
        .check(&format!("{few_or_many} changes"));
    }
}

#[test]
fn a_chain_of_boundaries_holds_from_its_first_to_its_last() {
    for seed in 0..6 {
        let mut rng = Rng::with_seed(seed);
        let mut city = city();
        let mut state = value(&full_at(city.view(), FROM));
        city.take_changes();
        let mut at = FROM;
        for n in 0..60 {
            (0..rng.i64(0..8)).for_each(|m| operate(&mut city, &mut rng, T0 + (n * 8 + m) * 60_000));
            let to = Time(at.0 + 5000);
            let mut out = Vec::new();
            if write_delta(&city.take_changes(), city.view(), at, to, &mut out) {
                patch(&mut state, &serde_json::from_slice(&out).unwrap(), true).unwrap();
                at = to;
            }
            assert_eq!(difference(&value(&full_at(city.view(), at)), &state), None, "seed {seed}, boundary {n}");
        }
    }
}

#[test]
fn merged_changes_give_the_delta_of_the_two_ends() {
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let mut city = city();
        (0..60).for_each(|n| operate(&mut city, &mut rng, T0 + n * 60_000));
        city.take_changes();
        let before = full_at(city.view(), FROM);
        let mut merged = ChangeSet::default();
        for part in 0..rng.i64(1..4) {
            (0..rng.i64(0..12)).for_each(|n| operate(&mut city, &mut rng, T0 + (60 + part * 12 + n) * 60_000));
            merged = merged.then(city.take_changes());
        }
        let delta = delta_of(&merged, city.view());
        let at = if delta.is_some() { TO } else { FROM };
        Case { before, delta, after: full_at(city.view(), at) }.check(&format!("seed {seed}"));
        // The same set given back and taken again is the same.
        let whole = delta_of(&merged, city.view());
        city.restore_changes(merged);
        assert_eq!(delta_of(&city.take_changes(), city.view()), whole);
    }
}

const SENSOR: &str = r#"{"districtId":"x","sensorId":"s","type":"t","value":1}"#;

fn with_all() -> City {
    let mut city = city();
    import(&mut city, ONE_OF_EACH);
    city
}

fn sensor(city: &mut City, millis: i64, number: &str) {
    let json = format!(
        r#"{{"districtId":"d","sensorId":"s","type":"noise","value":{number},"lastUpdated":"{}"}}"#,
        Time(millis)
    );
    let event = crate::twin::event::decode(
        Topic::SensorsTraffic,
        Some(json.as_bytes()),
        Time(T0),
        &crate::twin::samples::JUDGEMENT,
    );
    city.apply(0, event.unwrap()).unwrap();
}

#[test]
fn there_and_back_is_no_change() {
    let mut city = with_all();
    sensor(&mut city, T0, "1");
    let there_and_back = case(&mut city, |city| {
        sensor(city, T0, "2");
        sensor(city, T0, "1.0");
        city.rename("D");
        city.rename("C");
    });
    assert!(there_and_back.delta.is_none());
    let came_and_went = case(&mut city, |city| {
        apply(city, Topic::SensorsTraffic, T0, SENSOR).unwrap();
        city.remove(Kind::District, None, "x");
    });
    assert!(came_and_went.delta.is_none());
    let nothing = case(&mut city, |_| {});
    assert!(nothing.delta.is_none());
}

#[test]
fn the_exact_form_of_each_change() {
    let time = r#""timestamp":["2026-01-05T00:00:00.000Z","2026-01-05T00:00:05.000Z"]"#;
    let expect = |act: &dyn Fn(&mut City), expected: &str| {
        let case = case(&mut with_all(), act);
        case.check(expected);
        assert_eq!(case.delta.unwrap(), format!("{{{}}}", expected.replace("TIME", time)));
    };
    expect(&|city| city.rename("D"), r#""name":["C","D"],TIME"#);
    expect(
        &|city| sensor(city, T0 - 1, "46.1"),
        r#"TIME,"districts":{"_t":"a","0":{"sensors":{"_t":"a","0":{"value":[45.2,46.1],"lastUpdated":["2026-01-04T00:00:00.000Z","2026-01-04T23:59:59.999Z"]}}}}"#,
    );
    expect(
        &|city| {
            city.remove(Kind::Node, None, "n");
        },
        r#"TIME,"districts":{"_t":"a","0":{"cityGraph":{"nodes":{"_t":"a","_0":[{"nodeId":"n","type":"intersection","location":{"latitude":42.35,"longitude":13.4}},0,0]}}}}"#,
    );
    expect(
        &|city| {
            let bus = r#"{"busId":"a","currentLocation":{"latitude":1,"longitude":2}}"#;
            apply(city, Topic::TransportGps, T0, bus).unwrap();
            city.remove(Kind::Bus, None, "bus");
            city.remove(Kind::Unit, None, "u");
        },
        concat!(
            r#"TIME,"publicTransport":{"buses":{"_t":"a","0":[{"busId":"a","routeId":null,"currentLocation":{"latitude":1,"longitude":2},"heading":null,"speed":null,"passengerCount":null,"status":null,"lastUpdated":"2026-01-05T00:00:00.000Z"}],"#,
            r#""_0":[{"busId":"bus","routeId":"r","currentLocation":{"latitude":42.35,"longitude":13.4},"heading":90,"speed":25.5,"passengerCount":35,"status":"in_service","lastUpdated":"2026-01-04T00:00:00.000Z"},0,0]}},"#,
            r#""emergencyServices":{"units":{"_t":"a","_0":[{"unitId":"u","type":"fire_truck","status":"dispatched","currentLocation":{"latitude":42.35,"longitude":13.4},"assignedIncident":"i","lastUpdated":"2026-01-04T00:00:00.000Z"},0,0]}}"#
        ),
    );
    // `own` is unknown, so all of it stands whole.
    expect(
        &|city| {
            apply(
                city,
                Topic::TrafficGraph,
                T0 - 86_400_000,
                r#"{"edgeId":"e","trafficConditions":{"averageSpeed":1}}"#,
            )
            .unwrap();
        },
        r#"TIME,"districts":{"_t":"a","0":{"cityGraph":{"edges":{"_t":"a","0":{"trafficConditions":[{"averageSpeed":35.5,"congestionLevel":"moderate","vehicleCount":45,"travelTime":8.2,"incidents":[],"own":{"_t":"a"}},{"averageSpeed":1}]}}}}}"#,
    );
}

#[test]
fn traffic_conditions_without_unknown_keys_are_compared_key_by_key() {
    let mut city = with_all();
    let set = |city: &mut City, traffic: &str| {
        let json = format!(r#"{{"edgeId":"e","trafficConditions":{traffic}}}"#);
        apply(city, Topic::TrafficGraph, T0, &json).unwrap();
    };
    set(&mut city, r#"{"averageSpeed":1,"congestionLevel":"low","vehicleCount":null,"incidents":[{"_t":"a"}]}"#);
    let case =
        case(&mut city, |city| set(city, r#"{"averageSpeed":2,"vehicleCount":3,"travelTime":null,"incidents":[1]}"#));
    case.check("key by key");
    let delta = case.delta.unwrap();
    assert!(
        delta.contains(r#""trafficConditions":{"averageSpeed":[1,2],"congestionLevel":["low",0,0],"vehicleCount":[null,3],"travelTime":[null],"incidents":[[{"_t":"a"}],[1]]}"#),
        "{delta}"
    );
}

/// The real library: it patches to the same states, and its own `diff` says the same but for what stands whole.
#[test]
fn the_real_jsondiffpatch_agrees() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");
    let library = format!("{folder}/node_modules/jsondiffpatch");
    assert!(
        std::fs::exists(&library).unwrap_or(false),
        "{library} is missing: run `npm ci` in tests/node (`make test` does)"
    );
    let mut child = Command::new("node")
        .arg("apply_deltas.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node 20 or later");
    let mut input = child.stdin.take().unwrap();
    let (mut cases, mut seed) = (0, 0);
    while cases < 300 {
        seed += 1;
        let case = random_case(50_000 + seed, if seed % 5 == 0 { 60 } else { 10 });
        let Some(delta) = &case.delta else { continue };
        let written = writeln!(
            input,
            r#"{{"name":"seed {seed}","before":{},"delta":{delta},"after":{}}}"#,
            case.before, case.after
        );
        // A script that has found something reads no more, and says what.
        if written.is_err() {
            break;
        }
        cases += 1;
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let said: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(said["cases"], 300, "{said}");
}
