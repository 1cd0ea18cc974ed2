//! Deltas of the npm library `jsondiffpatch`, applied.
//!
//! The grammar is what `state.incremental` promises: `[new]`, `[old, new]`, `[old, 0, 0]`, nested objects, and arrays as
//! objects with `_t: "a"`, where `_N` is the old index of a removal and `N` the new index of an insertion or a change.
//! In an array removals come first, then insertions by ascending index, then changes: so does the library.

use std::fmt;

use serde_json::{Map, Value};

mod reverse;

pub use reverse::reverse;

/// Why a delta does not fit the value that it was applied to.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchError {
    /// The JSON path of the place (`$.districts[3].sensors[0].value`).
    pub path: String,
    pub what: Mismatch,
}

/// What was wrong at that place.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// The delta names an old value, and another one stands there.
    Old { named: Value, found: Value },
    /// The delta changes or removes something that is not there.
    Missing,
    /// The delta adds what is there already.
    Present,
    /// Nested changes for a value that is no object, or no array.
    Kind { found: Value },
    /// This is no delta of the grammar.
    NotADelta { found: Value },
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: ", self.path)?;
        match &self.what {
            Mismatch::Old { named, found } => {
                write!(f, "the delta says that {} stood there, but it was {}", brief(named), brief(found))
            }
            Mismatch::Missing => f.write_str("the delta changes what is not there"),
            Mismatch::Present => f.write_str("the delta adds what is there already"),
            Mismatch::Kind { found } => write!(f, "the delta goes into {}", brief(found)),
            Mismatch::NotADelta { found } => write!(f, "not a delta: {}", brief(found)),
        }
    }
}

impl std::error::Error for PatchError {}

/// A value as text, cut to what a log line bears.
pub fn brief(value: &Value) -> String {
    const MOST: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The first place where two values differ, with both (`None` where one has nothing).
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub path: String,
    pub expected: Option<Value>,
    pub found: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), brief);
        write!(f, "at {}: expected {}, found {}", self.path, show(&self.expected), show(&self.found))
    }
}

/// Applies `delta` to `value`. With `verify` every old value that the delta names must stand there, and nothing that it
/// adds; without, the delta is taken at its word as the library does.
///
/// # Errors
/// The first place where the delta does not fit; `value` is then half patched and of no use.
pub fn patch(value: &mut Value, delta: &Value, verify: bool) -> Result<(), PatchError> {
    let mut patcher = Patcher { path: Vec::new(), verify };
    match delta {
        // The library's own delta of equal values.
        Value::Null => Ok(()),
        Value::Object(node) => patcher.inside(value, node),
        Value::Array(leaf) => match leaf.as_slice() {
            [old, new] => {
                patcher.check_old(old, value)?;
                *value = new.clone();
                Ok(())
            }
            [new] => {
                *value = new.clone();
                Ok(())
            }
            _ => Err(patcher.error(Mismatch::NotADelta { found: delta.clone() })),
        },
        other => Err(patcher.error(Mismatch::NotADelta { found: other.clone() })),
    }
}

enum Step {
    Key(String),
    Index(usize),
}

struct Patcher {
    path: Vec<Step>,
    verify: bool,
}

/// One step of a delta at a key or an index.
enum Change<'d> {
    Add(&'d Value),
    Replace(&'d Value, &'d Value),
    Remove(&'d Value),
    Inside(&'d Map<String, Value>),
}

impl Patcher {
    fn error(&self, what: Mismatch) -> PatchError {
        PatchError { path: show_path(&self.path), what }
    }

    fn check_old(&self, named: &Value, found: &Value) -> Result<(), PatchError> {
        if self.verify && !same(named, found) {
            return Err(self.error(Mismatch::Old { named: named.clone(), found: found.clone() }));
        }
        Ok(())
    }

    fn change<'d>(&self, delta: &'d Value) -> Result<Change<'d>, PatchError> {
        match delta {
            Value::Object(node) => return Ok(Change::Inside(node)),
            Value::Array(leaf) => match leaf.as_slice() {
                [new] => return Ok(Change::Add(new)),
                [old, new] => return Ok(Change::Replace(old, new)),
                [old, a, b] if is_zero(a) && is_zero(b) => return Ok(Change::Remove(old)),
                _ => {}
            },
            _ => {}
        }
        Err(self.error(Mismatch::NotADelta { found: delta.clone() }))
    }

    fn inside(&mut self, value: &mut Value, node: &Map<String, Value>) -> Result<(), PatchError> {
        let array = node.get("_t").is_some_and(|tag| tag == "a");
        match value {
            Value::Array(items) if array => self.array(items, node),
            Value::Object(fields) if !array => self.object(fields, node),
            found => {
                let found = found.clone();
                Err(self.error(Mismatch::Kind { found }))
            }
        }
    }

    fn object(&mut self, fields: &mut Map<String, Value>, node: &Map<String, Value>) -> Result<(), PatchError> {
        for (key, delta) in node {
            self.path.push(Step::Key(key.clone()));
            match self.change(delta)? {
                Change::Add(new) => {
                    if self.verify && fields.contains_key(key) {
                        return Err(self.error(Mismatch::Present));
                    }
                    fields.insert(key.clone(), new.clone());
                }
                Change::Replace(old, new) => {
                    let found = fields.get_mut(key).ok_or_else(|| self.error(Mismatch::Missing))?;
                    self.check_old(old, found)?;
                    *found = new.clone();
                }
                Change::Remove(old) => {
                    let found = fields.get(key).ok_or_else(|| self.error(Mismatch::Missing))?;
                    self.check_old(old, found)?;
                    fields.remove(key);
                }
                Change::Inside(inner) => match fields.get_mut(key) {
                    Some(found) => self.inside(found, inner)?,
                    None => return Err(self.error(Mismatch::Missing)),
                },
            }
            self.path.pop();
        }
        Ok(())
    }

    fn array(&mut self, items: &mut Vec<Value>, node: &Map<String, Value>) -> Result<(), PatchError> {
        let (mut removals, mut insertions, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (key, delta) in node.iter().filter(|(key, _)| key.as_str() != "_t") {
            self.path.push(Step::Key(key.clone()));
            let change = self.change(delta)?;
            let removed = key.strip_prefix('_');
            let index = index(removed.unwrap_or(key));
            match (index, removed, change) {
                (Some(index), Some(_), Change::Remove(old)) => removals.push((index, old)),
                (Some(index), None, Change::Add(new)) => insertions.push((index, new)),
                (Some(index), None, change @ (Change::Replace(..) | Change::Inside(_))) => {
                    changes.push((index, change));
                }
                _ => return Err(self.error(Mismatch::NotADelta { found: delta.clone() })),
            }
            self.path.pop();
        }
        removals.sort_unstable_by_key(|&(index, _)| index);
        insertions.sort_unstable_by_key(|&(index, _)| index);
        self.remove(items, &removals)?;
        self.insert(items, &insertions)?;
        for (index, change) in changes {
            self.path.push(Step::Index(index));
            let found = items.get_mut(index).ok_or_else(|| self.error(Mismatch::Missing))?;
            match change {
                Change::Replace(old, new) => {
                    self.check_old(old, found)?;
                    *found = new.clone();
                }
                Change::Inside(inner) => self.inside(found, inner)?,
                Change::Add(_) | Change::Remove(_) => {}
            }
            self.path.pop();
        }
        Ok(())
    }

    /// Takes the items at the (ascending, old) indices out in one pass: one by one would be quadratic.
    fn remove(&mut self, items: &mut Vec<Value>, removals: &[(usize, &Value)]) -> Result<(), PatchError> {
        for &(index, old) in removals {
            self.path.push(Step::Index(index));
            let found = items.get(index).ok_or_else(|| self.error(Mismatch::Missing))?;
            self.check_old(old, found)?;
            self.path.pop();
        }
        let mut next = removals.iter().map(|&(index, _)| index).peekable();
        let mut at = 0;
        items.retain(|_| {
            let goes = next.next_if_eq(&at).is_some();
            at += 1;
            !goes
        });
        Ok(())
    }

    /// Puts the items in so that each ends at its (ascending, new) index, in one pass.
    fn insert(&mut self, items: &mut Vec<Value>, insertions: &[(usize, &Value)]) -> Result<(), PatchError> {
        if insertions.is_empty() {
            return Ok(());
        }
        let mut old = std::mem::take(items).into_iter();
        items.reserve(old.len() + insertions.len());
        for &(index, new) in insertions {
            items.extend(old.by_ref().take(index.saturating_sub(items.len())));
            if items.len() != index {
                self.path.push(Step::Index(index));
                return Err(self.error(Mismatch::Missing));
            }
            items.push(new.clone());
        }
        items.extend(old);
        Ok(())
    }
}

fn index(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_zero(value: &Value) -> bool {
    value.as_u64() == Some(0)
}

/// Equal as JavaScript sees it: numbers by value (1 and 1.0 are one number), objects without regard to the order of keys.
pub fn same(a: &Value, b: &Value) -> bool {
    difference(a, b).is_none()
}

/// The first difference between what was expected and what was found, in the order of what was expected.
pub fn difference(expected: &Value, found: &Value) -> Option<Difference> {
    let mut path = Vec::new();
    let (expected, found) = differ(Some(expected), Some(found), &mut path)?;
    Some(Difference { path: show_path(&path), expected: expected.cloned(), found: found.cloned() })
}

type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

fn differ<'v>(expected: Option<&'v Value>, found: Option<&'v Value>, path: &mut Vec<Step>) -> Option<Pair<'v>> {
    match (expected, found) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                path.push(Step::Key(key.clone()));
                if let Some(pair) = differ(a.get(key), b.get(key), path) {
                    return Some(pair);
                }
                path.pop();
            }
            None
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                path.push(Step::Index(index));
                if let Some(pair) = differ(a.get(index), b.get(index), path) {
                    return Some(pair);
                }
                path.pop();
            }
            None
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) if a == b || a.as_f64() == b.as_f64() => None,
        (a, b) if a == b => None,
        pair => Some(pair),
    }
}

fn show_path(path: &[Step]) -> String {
    use fmt::Write as _;
    let mut text = String::from("$");
    for step in path {
        // Writing into a string cannot fail.
        let _ = match step {
            Step::Index(index) => write!(text, "[{index}]"),
            Step::Key(key) if !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                write!(text, ".{key}")
            }
            Step::Key(key) => write!(text, "[{}]", Value::from(key.as_str())),
        };
    }
    text
}

#[cfg(test)]
mod tests;
