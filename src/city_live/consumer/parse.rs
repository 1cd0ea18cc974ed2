//! One record: is it a message of ours, and what does it say?

use serde_json::{Map, Value};

use super::{
    core::Judgement,
    rules::{self, Form, MOST_HOURS, Rule},
};
use crate::{
    city_live::message::{LiveTopic, Message, Payload},
    twin::{
        json::cut,
        reject::{Code, Reject},
        time::Time,
    },
};

/// The words that `payload.type` may be.
const KINDS: &str = "weather, aqi, traffic, power_demand, grid_alert, call_311";
/// The longest city, zone and source, bytes.
const MOST_NAME: usize = 128;

/// Judges a record by itself: what it needs no catalogue for.
///
/// # Errors
/// The first thing that is wrong, by the field, its value and what is accepted.
pub(super) fn message(
    topic: LiveTopic,
    value: Option<&[u8]>,
    timestamp: i64,
    judgement: Judgement,
) -> Result<Message, Reject> {
    let bytes = value.unwrap_or_default();
    if bytes.len() > judgement.max_event_bytes {
        let message = format!("the value has {} bytes; accepted: at most {}", bytes.len(), judgement.max_event_bytes);
        return Err(reject(Code::TooLarge, message));
    }
    if bytes.is_empty() {
        return Err(reject(Code::Empty, "there is no value; accepted: a JSON object".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        reject(Code::NotUtf8, format!("the value is no UTF-8 from byte {} on", error.valid_up_to()))
    })?;
    let Value::Object(mut fields) = serde_json::from_str(text)
        .map_err(|error| reject(Code::NotJson, format!("the value is no JSON object: {error}")))?
    else {
        return Err(reject(Code::NotJson, format!("the value is {}; accepted: a JSON object", cut(text, 80))));
    };
    let city_id = name(&fields, "city_id")?;
    let zone_id = match fields.get("zone_id") {
        None | Some(Value::Null) => None,
        Some(_) => Some(name(&fields, "zone_id")?),
    };
    let source = name(&fields, "source")?;
    let ts = time(&fields, "ts")?;
    if ts.0 > timestamp.saturating_add(judgement.max_clock_skew_ms) {
        return Err(reject(
            Code::Future,
            format!(
                "ts is {ts}; accepted: at most {} ms after the record's own time, {}",
                judgement.max_clock_skew_ms,
                Time(timestamp)
            ),
        ));
    }
    let payload = match fields.get_mut("payload") {
        None => return Err(missing("payload", "a JSON object")),
        Some(Value::Object(payload)) => std::mem::take(payload),
        Some(other) => return Err(wrong("payload", other, "a JSON object")),
    };
    let payload = payload_of(payload)?;
    if payload.topic() != topic {
        return Err(reject(
            Code::OutOfRange,
            format!(
                "payload.type is {:?}, which belongs to the topic {}; this record came by {}",
                payload.kind(),
                payload.topic().name(),
                topic.name()
            ),
        ));
    }
    Ok(Message { city_id, zone_id, ts, source, payload })
}

fn payload_of(mut fields: Map<String, Value>) -> Result<Payload, Reject> {
    let kind = match fields.get("type") {
        None => return Err(missing("payload.type", KINDS)),
        Some(Value::String(kind)) => kind.clone(),
        Some(other) => return Err(wrong("payload.type", other, KINDS)),
    };
    let Some((table, telling)) = rules::of(&kind) else {
        return Err(reject(Code::OutOfRange, format!("payload.type is {:?}; accepted: {KINDS}", cut(&kind, 80))));
    };
    for rule in table {
        check(&mut fields, rule)?;
    }
    if !telling.is_empty() && !telling.iter().any(|field| fields.contains_key(*field)) {
        return Err(reject(
            Code::MissingField,
            format!("payload has no value; accepted: one at least of {}", telling.join(", ")),
        ));
    }
    if fields.contains_key("latitude") != fields.contains_key("longitude") {
        fields.remove("latitude");
        fields.remove("longitude");
    }
    // All that the types demand was looked at; this names what was not.
    let payload = serde_json::from_value(Value::Object(fields));
    payload.map_err(|error| reject(Code::WrongType, format!("payload cannot be read: {error}")))
}

/// Checks a field and gives it its one form: text trimmed, hours in order, no nulls.
fn check(fields: &mut Map<String, Value>, rule: &Rule) -> Result<(), Reject> {
    let field = || format!("payload.{}", rule.name);
    let accepted = || match rule.form {
        Form::Number(min, max) => format!("a number from {min} to {max}"),
        Form::Hours(min, max) => {
            format!("a list of at most {MOST_HOURS} objects with ts, a time, and value, a number from {min} to {max}")
        }
        Form::Whole(min, max) => format!("a whole number from {min} to {max}"),
        Form::Text(most) => format!("text of 1 to {most} bytes"),
        Form::Flag => "true or false".to_owned(),
        Form::Word(words) => words.join(" or "),
    };
    let value = match fields.get_mut(rule.name) {
        None | Some(Value::Null) if rule.required => return Err(missing(&field(), &accepted())),
        None => return Ok(()),
        Some(Value::Null) => {
            fields.remove(rule.name);
            return Ok(());
        }
        Some(value) => value,
    };
    let outside = |value: &Value| Err(refused(Code::OutOfRange, &field(), value, &accepted()));
    match (rule.form, &mut *value) {
        (Form::Number(min, max), Value::Number(number)) => {
            if !number.as_f64().is_some_and(|number| (min..=max).contains(&number)) {
                return outside(value);
            }
        }
        (Form::Whole(min, max), Value::Number(number)) => {
            // 3.0 is whole.
            let whole = number.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64);
            match whole.filter(|whole| (min..=max).contains(whole)) {
                Some(whole) => *value = Value::from(whole),
                None => return outside(value),
            }
        }
        (Form::Text(most), Value::String(text)) => {
            let trimmed = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if trimmed.is_empty() && !rule.required {
                fields.remove(rule.name);
            } else if trimmed.is_empty() || trimmed.len() > most {
                return outside(value);
            } else {
                *text = trimmed;
            }
        }
        (Form::Word(words), Value::String(word)) => {
            if !words.contains(&word.as_str()) {
                return outside(value);
            }
        }
        (Form::Flag, Value::Bool(_)) => {}
        (Form::Hours(min, max), Value::Array(hours)) => {
            if hours.len() > MOST_HOURS || !hours.iter().all(|hour| is_hour(hour, min, max)) {
                return outside(value);
            }
            // Ascending, each hour once: RFC 3339 of one zone, as they are kept, is in the order of time.
            let at = |hour: &Value| hour["ts"].as_str().and_then(Time::parse);
            hours.sort_by_key(at);
            hours.dedup_by_key(|hour| at(hour));
        }
        _ => return Err(wrong(&field(), value, &accepted())),
    }
    Ok(())
}

fn is_hour(hour: &Value, min: f64, max: f64) -> bool {
    hour["ts"].as_str().is_some_and(|ts| Time::parse(ts).is_some())
        && hour["value"].as_f64().is_some_and(|value| (min..=max).contains(&value))
}

/// A name that keys are made of.
fn name(fields: &Map<String, Value>, field: &str) -> Result<String, Reject> {
    const ACCEPTED: &str = "text of 1 to 128 bytes without control characters";
    match fields.get(field) {
        None | Some(Value::Null) => Err(missing(field, ACCEPTED)),
        Some(value @ Value::String(text)) => {
            let trimmed = text.trim();
            if trimmed.is_empty() || trimmed.len() > MOST_NAME || trimmed.chars().any(char::is_control) {
                return Err(refused(Code::OutOfRange, field, value, ACCEPTED));
            }
            Ok(trimmed.to_owned())
        }
        Some(other) => Err(wrong(field, other, ACCEPTED)),
    }
}

fn time(fields: &Map<String, Value>, field: &str) -> Result<Time, Reject> {
    const ACCEPTED: &str = "RFC 3339 with its zone";
    match fields.get(field) {
        None | Some(Value::Null) => Err(missing(field, ACCEPTED)),
        Some(value @ Value::String(text)) => {
            Time::parse(text).ok_or_else(|| refused(Code::BadTime, field, value, ACCEPTED))
        }
        Some(other) => Err(wrong(field, other, ACCEPTED)),
    }
}

pub(super) fn reject(code: Code, message: String) -> Reject {
    Reject { code, message }
}

fn missing(field: &str, accepted: &str) -> Reject {
    reject(Code::MissingField, format!("{field} is missing; accepted: {accepted}"))
}

fn wrong(field: &str, value: &Value, accepted: &str) -> Reject {
    refused(Code::WrongType, field, value, accepted)
}

fn refused(code: Code, field: &str, value: &Value, accepted: &str) -> Reject {
    reject(code, format!("{field} is {}; accepted: {accepted}", cut(&value.to_string(), 80)))
}
