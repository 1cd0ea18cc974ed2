//! The fold is a function of the events: any interleaving of the partitions gives the same bytes. (In any batches: `ingest`.)

use std::collections::BTreeMap;

use fastrand::Rng;

use super::*;
use crate::twin::samples::{Message, city_file, interleaved, message, operate, recorded_days};

fn folded(file: &str, messages: &[Message], order: impl IntoIterator<Item = usize>) -> String {
    let mut city = city();
    import(&mut city, file);
    for at in order {
        let _ = messages[at].apply(&mut city);
    }
    full(city.view())
}

#[test]
fn any_interleaving_gives_the_same_bytes() {
    for case in 0..100 {
        let mut rng = Rng::with_seed(case);
        let file = city_file(&mut rng);
        // Some hours, so that resolved incidents go too.
        let step = rng.i64(1000..120_000);
        let messages: Vec<_> = (0..300).map(|n| message(&mut rng, T0 + n * step)).collect();
        let expected = folded(&file, &messages, 0..messages.len());
        for _ in 0..3 {
            let order = interleaved(&messages, &mut rng);
            assert_eq!(folded(&file, &messages, order), expected, "case {case}");
        }
    }
}

#[test]
fn any_interleaving_of_a_recorded_hour_gives_the_same_bytes() {
    for day in recorded_days(1500, 4) {
        let expected = folded(&day.city, &day.messages, 0..day.messages.len());
        assert!(expected.len() > day.city.len(), "the events have come in");
        for case in 0..100 {
            let order = interleaved(&day.messages, &mut Rng::with_seed(case));
            assert!(folded(&day.city, &day.messages, order) == expected, "case {case}");
        }
    }
}

/// Whether a value has all that is expected; what the expectation leaves out must be null or empty.
fn has(path: &str, expected: &serde_json::Value, found: &serde_json::Value) {
    use serde_json::Value as V;
    match (expected, found) {
        (V::Object(expected), V::Object(found)) => {
            for (key, value) in found.iter().filter(|(key, _)| *key != "timestamp") {
                match expected.get(key) {
                    Some(expected) => has(&format!("{path}.{key}"), expected, value),
                    None => assert!(value.is_null() || *value == V::Array(vec![]), "{path}.{key} is {value}"),
                }
            }
            assert!(expected.keys().all(|key| found.contains_key(key)), "{path}");
        }
        (V::Array(expected), V::Array(found)) => {
            assert_eq!(expected.len(), found.len(), "{path}");
            for (i, (expected, found)) in expected.iter().zip(found).enumerate() {
                has(&format!("{path}[{i}]"), expected, found);
            }
        }
        (V::Number(a), V::Number(b)) => assert_eq!(a.as_f64(), b.as_f64(), "{path}"),
        (a, b) => assert_eq!(a, b, "{path}"),
    }
}

#[test]
fn a_recorded_day_gives_the_state_that_must_result() {
    for day in recorded_days(usize::MAX, 6) {
        let file = value(&day.city);
        let text = |name: &str| file[name].as_str().expect("text");
        let mut city = City::new(text("cityId"), text("name"), Some(24 * HOUR));
        import(&mut city, &day.city);
        for message in &day.messages {
            message.apply(&mut city).unwrap_or_else(|reject| panic!("{}: {}", message.json, reject.message));
        }
        has("$", &value(&day.expected), &value(&full(city.view())));
    }
}

#[test]
fn become_like_gives_the_other_city_and_goes_on_with_its_own_handles() {
    for case in 0..60 {
        let mut rng = Rng::with_seed(case);
        let (mut a, mut b) = (city(), city());
        for n in 0..120 {
            operate(&mut a, &mut rng, T0 + n * 60_000);
            operate(&mut b, &mut rng, T0 + n * 60_000);
        }
        let handles: BTreeMap<String, Handle> =
            a.view().entities(&Kind::ALL).map(|entity| (entity.global_id(), entity.handle())).collect();
        let (revision, expected) = (a.view().revision, full(b.view()));
        a.become_like(b);
        assert_eq!(full(a.view()), expected, "case {case}");
        assert!(a.view().revision >= revision);
        for entity in a.view().entities(&Kind::ALL) {
            let before = handles.get(&entity.global_id()).copied();
            assert!(before.is_none_or(|before| before == entity.handle()), "{}", entity.global_id());
        }
    }
}

#[test]
fn become_like_twice_changes_nothing() {
    let mut rng = Rng::with_seed(1);
    let mut a = city();
    (0..300).for_each(|n| operate(&mut a, &mut rng, T0 + n * 60_000));
    let mut b = self::city();
    b.become_like(round_trip(&a));
    let (revision, _, _) = (b.view().revision, b.take_dirty(), b.take_changes());
    b.become_like(round_trip(&a));
    assert_eq!(b.view().revision, revision);
    assert!(b.take_changes().is_empty());
}
