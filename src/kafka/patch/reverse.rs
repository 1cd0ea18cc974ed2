//! A delta the other way round.

use serde_json::{Map, Value, json};

/// The delta that leads back: where `delta` took a value from A to B, this one takes it from B to A.
///
/// It relies on the old values that the delta names, so the delta must have been applied with `verify`. What is no delta of
/// the grammar comes back as it is, for [`super::patch`] to refuse.
pub fn reverse(delta: &Value) -> Value {
    match delta {
        Value::Object(node) if node.get("_t").is_some_and(|tag| tag == "a") => Value::Object(array(node)),
        Value::Object(node) => Value::Object(node.iter().map(|(key, inner)| (key.clone(), reverse(inner))).collect()),
        Value::Array(leaf) => match leaf.as_slice() {
            [new] => json!([new, 0, 0]),
            [old, new] => json!([new, old]),
            [old, ..] => json!([old]),
            [] => delta.clone(),
        },
        other => other.clone(),
    }
}

/// Removals have old indices, insertions and changes new ones: backwards a removal is an insertion at its index, an
/// insertion a removal at its index, and a changed item stands where it stood before.
fn array(node: &Map<String, Value>) -> Map<String, Value> {
    let number = |key: &str| key.parse::<usize>().ok();
    let is_insertion = |delta: &Value| delta.as_array().is_some_and(|leaf| leaf.len() == 1);
    let mut removed: Vec<usize> = node.keys().filter_map(|key| number(key.strip_prefix('_')?)).collect();
    let mut inserted: Vec<usize> =
        node.iter().filter(|(_, delta)| is_insertion(delta)).filter_map(|(key, _)| number(key)).collect();
    removed.sort_unstable();
    inserted.sort_unstable();
    let back = |(key, delta): (&String, &Value)| {
        let key = match (key.strip_prefix('_'), number(key)) {
            _ if key == "_t" => return (key.clone(), delta.clone()),
            (Some(index), _) => index.to_owned(),
            (None, Some(_)) if is_insertion(delta) => format!("_{key}"),
            (None, Some(index)) => old_index(index, &removed, &inserted).to_string(),
            (None, None) => key.clone(),
        };
        (key, reverse(delta))
    };
    node.iter().map(back).collect()
}

/// Where the item that is at `index` now stood before (both lists ascend).
fn old_index(index: usize, removed: &[usize], inserted: &[usize]) -> usize {
    let kept = index - inserted.partition_point(|&at| at < index);
    // Each removal at or before the place moves it on by one.
    removed.iter().fold(kept, |at, &gone| if gone <= at { at + 1 } else { at })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kafka::patch::patch;

    #[test]
    fn there_and_back_is_where_it_began() {
        let before = json!({"a": 1, "b": "x", "list": ["a", {"n": 1}, "c", "d"]});
        let delta = json!({"a": [1, 2], "b": ["x", 0, 0], "c": [[]], "list": {
            "_t": "a", "_0": ["a", 0, 0], "_2": ["c", 0, 0], "1": ["new"], "0": {"n": [1, 5]}, "2": ["d", "D"],
        }});
        let mut value = before.clone();
        patch(&mut value, &delta, true).unwrap();
        assert_eq!(value, json!({"a": 2, "c": [], "list": [{"n": 5}, "new", "D"]}));
        patch(&mut value, &reverse(&delta), true).unwrap();
        assert_eq!(value, before);
    }

    /// What becomes of each of the items: it goes, stays or changes; and how many new ones come before it.
    fn fates() -> impl Strategy<Value = Vec<(u8, usize)>> {
        prop::collection::vec((0..3_u8, 0..3_usize), 0..12)
    }

    proptest! {
        #[test]
        fn any_array_comes_back(fates in fates()) {
            let before: Vec<Value> = (0..fates.len()).map(|n| json!({"n": n})).collect();
            let (mut delta, mut after) = (Map::from_iter([("_t".to_owned(), json!("a"))]), Vec::new());
            for (n, (fate, new)) in fates.iter().enumerate() {
                for _ in 0..*new {
                    delta.insert(after.len().to_string(), json!([{"new": after.len()}]));
                    after.push(json!({"new": after.len()}));
                }
                match fate {
                    0 => drop(delta.insert(format!("_{n}"), json!([{"n": n}, 0, 0]))),
                    1 => after.push(json!({"n": n})),
                    _ => {
                        delta.insert(after.len().to_string(), json!({"n": [n, -1]}));
                        after.push(json!({"n": -1}));
                    }
                }
            }
            let (delta, before, mut value) = (Value::Object(delta), Value::Array(before.clone()), Value::Array(before));
            patch(&mut value, &delta, true).unwrap();
            prop_assert_eq!(&value, &Value::Array(after));
            patch(&mut value, &reverse(&delta), true).unwrap();
            prop_assert_eq!(value, before);
        }
    }
}
