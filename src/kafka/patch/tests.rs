use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn patched(mut value: Value, delta: &Value) -> Value {
    patch(&mut value, delta, true).unwrap_or_else(|error| panic!("{error}"));
    value
}

#[test]
fn values_are_added_replaced_and_removed() {
    let delta = json!({"a": [1, 2], "b": ["x", 0, 0], "c": [null], "d": {"e": [false, {"f": 1}]}});
    let value = json!({"a": 1.0, "b": "x", "d": {"e": false, "g": 0}});
    assert_eq!(patched(value, &delta), json!({"a": 2, "c": null, "d": {"e": {"f": 1}, "g": 0}}));
}

#[test]
fn an_array_loses_first_then_gains_then_changes() {
    // Old: a b c d. Removed: a (0) and c (2). New: b x d y, and d is changed at its new index.
    let delta = json!({"_t": "a", "_0": ["a", 0, 0], "_2": ["c", 0, 0], "1": ["x"], "3": ["y"], "2": ["d", "D"]});
    assert_eq!(patched(json!(["a", "b", "c", "d"]), &delta), json!(["b", "x", "D", "y"]));
}

#[test]
fn indices_are_numbers_and_not_words() {
    let old: Vec<u32> = (0..12).collect();
    let delta = json!({"_t": "a", "_10": [10, 0, 0], "_9": [9, 0, 0], "2": [100], "11": [101]});
    assert_eq!(patched(json!(old), &delta), json!([0, 1, 100, 2, 3, 4, 5, 6, 7, 8, 11, 101]));
}

#[test]
fn the_first_misfit_is_named() {
    let value = json!({"districts": [{"id": "a", "sensors": [{"value": 1}]}]});
    let at = |delta: Value| {
        let mut value = value.clone();
        patch(&mut value, &json!({"districts": {"_t": "a", "0": delta}}), true).unwrap_err()
    };
    let error = at(json!({"sensors": {"_t": "a", "0": {"value": [2, 3]}}}));
    assert_eq!(error.path, "$.districts[0].sensors[0].value");
    assert_eq!(error.what, Mismatch::Old { named: json!(2), found: json!(1) });
    assert_eq!(at(json!({"name": ["a", "b"]})).what, Mismatch::Missing);
    assert_eq!(at(json!({"id": ["a"]})).what, Mismatch::Present);
    assert_eq!(at(json!({"sensors": {"_t": "a", "2": [0]}})).what, Mismatch::Missing);
    assert_eq!(at(json!({"sensors": {"_t": "a", "_1": [0, 0, 0]}})).what, Mismatch::Missing);
    assert!(matches!(at(json!({"sensors": {"x": [1]}})).what, Mismatch::Kind { .. }));
    for wrong in [json!([]), json!([1, 2, 3]), json!(["", 1, 3]), json!(7), json!([1, 2, 3, 4])] {
        assert!(matches!(at(json!({"id": wrong})).what, Mismatch::NotADelta { .. }));
    }
    for wrong in [json!({"_t": "a", "_0": [1]}), json!({"_t": "a", "x": [1]}), json!({"_t": "a", "0": [1, 0, 0]})] {
        assert!(matches!(at(json!({"sensors": wrong})).what, Mismatch::NotADelta { .. }));
    }
}

#[test]
fn differences_are_by_value() {
    assert_eq!(difference(&json!({"a": 1, "b": [1.0]}), &json!({"b": [1], "a": 1.0})), None);
    let found = difference(&json!({"a": {"x y": [1, 2]}}), &json!({"a": {"x y": [1]}})).unwrap();
    assert_eq!(found.to_string(), r#"at $.a["x y"][1]: expected 2, found nothing"#);
}

/// A delta by the rules of the contract, written apart from `patch`: the slow and plain way.
fn diff(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let mut node = Map::new();
            for (key, value) in a {
                match b.get(key) {
                    None => drop(node.insert(key.clone(), json!([value, 0, 0]))),
                    Some(other) => drop(diff(value, other).map(|delta| node.insert(key.clone(), delta))),
                }
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                node.insert(key.clone(), json!([value]));
            }
            (!node.is_empty()).then_some(Value::Object(node))
        }
        (Value::Array(a), Value::Array(b)) => {
            let id = |value: &Value| value["id"].as_u64();
            let mut node = Map::new();
            for (index, value) in a.iter().enumerate() {
                match b.iter().position(|other| id(other) == id(value)) {
                    None => drop(node.insert(format!("_{index}"), json!([value, 0, 0]))),
                    Some(now) => drop(diff(value, &b[now]).map(|delta| node.insert(now.to_string(), delta))),
                }
            }
            for (index, value) in b.iter().enumerate().filter(|(_, v)| !a.iter().any(|other| id(other) == id(v))) {
                node.insert(index.to_string(), json!([value]));
            }
            node.insert("_t".into(), json!("a"));
            (node.len() > 1).then_some(Value::Object(node))
        }
        _ if same(old, new) => None,
        _ => Some(json!([old, new])),
    }
}

fn entities() -> impl Strategy<Value = Value> {
    let field = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..4).prop_map(Value::from)];
    let fields = prop::collection::btree_map("[a-c]", field, 0..3);
    prop::collection::btree_map(0_u32..12, fields, 0..10).prop_map(|entities| {
        let list = entities.into_iter().map(|(id, fields)| {
            let mut entity = json!(fields);
            entity["id"] = json!(id);
            entity
        });
        json!({"list": list.collect::<Vec<_>>()})
    })
}

proptest! {
    #[test]
    fn a_delta_leads_from_the_old_to_the_new(old in entities(), new in entities()) {
        let delta = diff(&old, &new).unwrap_or(Value::Null);
        let mut value = old.clone();
        patch(&mut value, &delta, true).unwrap();
        prop_assert_eq!(difference(&new, &value), None);
    }

    #[test]
    fn no_delta_panics(value in arbitrary(), delta in arbitrary()) {
        let mut checked = value.clone();
        let _ = patch(&mut checked, &delta, true);
        let mut unchecked = value;
        let _ = patch(&mut unchecked, &delta, false);
    }
}

fn arbitrary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), Just(json!("a"))];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop_oneof![Just("_t".to_owned()), "_?[0-3]", "[ab]"], inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
