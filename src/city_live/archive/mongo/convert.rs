//! Our documents as BSON and back: times are dates, whole numbers stay whole.

use mongodb::bson::{Bson, DateTime, Document};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    city_live::archive::{ArchiveError, Result},
    twin::time::Time,
};

/// Fields that hold times, wherever they stand.
const TIMES: [&str; 10] = [
    "ts",
    "hour",
    "ingested_at",
    "processed_at",
    "raised_at",
    "updated_at",
    "acknowledged_at",
    "cleared_at",
    "selected_at",
    "expire_at",
];

/// A time as MongoDB has it.
pub(super) fn date(time: Time) -> Bson {
    Bson::DateTime(DateTime::from_millis(time.0))
}

/// A document under an `_id`.
pub(super) fn document(collection: &'static str, id: String, of: &impl Serialize) -> Result<Document> {
    let value = serde_json::to_value(of).map_err(|error| foreign(collection, &error.to_string()))?;
    let mut document = Document::new();
    document.insert("_id", id);
    if let Value::Object(fields) = value {
        document.extend(fields.into_iter().map(|(name, value)| field(&name, value)));
    }
    Ok(document)
}

/// Reads a document back; what only MongoDB needs (`_id`, `expire_at`) is passed over.
///
/// # Errors
/// `Foreign`: it is not of our form.
pub(super) fn read<T: DeserializeOwned>(collection: &str, document: Document) -> Result<T> {
    let id = document.get("_id").map(Bson::to_string).unwrap_or_default();
    serde_json::from_value(json(Bson::Document(document)))
        .map_err(|error| foreign(collection, &format!("the document {id} cannot be read: {error}")))
}

pub(super) fn foreign(collection: &str, message: &str) -> ArchiveError {
    ArchiveError::Foreign { collection: collection.to_owned(), message: message.to_owned() }
}

fn field(name: &str, value: Value) -> (String, Bson) {
    let value = match &value {
        Value::String(text) if TIMES.contains(&name) => Time::parse(text).map_or_else(|| bson(value), date),
        _ => bson(value),
    };
    (escape(name), value)
}

fn bson(value: Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(flag),
        Value::String(text) => Bson::String(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Bson::Int64(whole),
            (None, number) => number.map_or(Bson::Null, Bson::Double),
        },
        Value::Array(values) => Bson::Array(values.into_iter().map(bson).collect()),
        Value::Object(fields) => Bson::Document(fields.into_iter().map(|(name, value)| field(&name, value)).collect()),
    }
}

fn json(value: Bson) -> Value {
    match value {
        Bson::Boolean(flag) => Value::Bool(flag),
        Bson::String(text) => Value::String(text),
        Bson::Int32(whole) => Value::from(whole),
        Bson::Int64(whole) => Value::from(whole),
        Bson::Double(number) => Value::from(number),
        Bson::DateTime(date) => Value::String(Time(date.timestamp_millis()).to_string()),
        Bson::Array(values) => values.into_iter().map(json).collect(),
        Bson::Document(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (unescape(&name), json(value))).collect::<Map<_, _>>())
        }
        // What we never write: read as nothing.
        _ => Value::Null,
    }
}

/// Names of fields must not hold dots nor begin with a dollar; some of ours are made of others' words (types of 311 calls).
/// The full-width forms look alike.
fn escape(name: &str) -> String {
    name.replace('.', "\u{ff0e}").replace('$', "\u{ff04}")
}

fn unescape(name: &str) -> String {
    name.replace('\u{ff0e}', ".").replace('\u{ff04}', "$")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_dates_and_all_comes_back() {
        let original = json!({
            "city_id": "nyc", "zone_id": null, "ts": "2026-01-05T00:00:00.123Z", "note": "2026-01-05T00:00:00.123Z",
            "payload": {"type": "weather", "temperature_c": 5.0, "weather_code": 3,
                "hourly_temperature": [{"ts": "2026-01-05T01:00:00.000Z", "value": -0.5}]},
            "by_type": {"N.Y.P.D. $": 2}, "road_closure": false,
        });
        let document = document("c", "nyc/".to_owned(), &original).unwrap();
        assert!(matches!(document.get("ts"), Some(Bson::DateTime(_))));
        assert!(matches!(document.get("note"), Some(Bson::String(_))));
        let payload = document.get_document("payload").unwrap();
        assert!(matches!(payload.get("temperature_c"), Some(Bson::Double(_))));
        assert!(matches!(payload.get("weather_code"), Some(Bson::Int64(3))));
        assert!(document.get_document("by_type").unwrap().keys().all(|key| !key.contains(['.', '$'])));
        let mut back: Value = read("c", document).unwrap();
        back.as_object_mut().unwrap().remove("_id");
        assert_eq!(back, original);
    }
}
