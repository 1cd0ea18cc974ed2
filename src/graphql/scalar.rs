//! The scalars `DateTime` and `JSON`.

use std::sync::LazyLock;

use async_graphql::{InputValueError, InputValueResult, Name, Scalar, ScalarType, Value, indexmap::IndexMap};

use crate::twin::{json, time::Time};

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Time);

/// A moment in RFC 3339 with its zone. What the server gives is in UTC with milliseconds, such as
/// `2026-01-05T00:00:00.000Z`; what it takes may be in any zone, and fractions beyond milliseconds are cut.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Time::parse(text).map(Self).ok_or_else(|| {
                InputValueError::custom(format!(
                    "{text:?} is no RFC 3339 time with a zone, such as 2026-01-05T00:00:00Z"
                ))
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Free JSON of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(Text);

/// Where the JSON stands.
#[derive(Clone, Debug, PartialEq)]
enum Text {
    Free(Option<json::Json>),
    Ready(String),
}

impl Json {
    /// A list, as `state.full` has it: `[]` where there is none.
    pub fn list(json: Option<&json::Json>) -> Self {
        Self(Text::Free(json.cloned()))
    }

    /// JSON that this server wrote.
    pub fn ready(json: &[u8]) -> Self {
        Self(Text::Ready(String::from_utf8_lossy(json).into_owned()))
    }
}

/// JSON that this server wrote, as a value that is sent as it is.
pub fn ready_value(text: String) -> Value {
    static NAME: LazyLock<Name> = LazyLock::new(|| Name::new(READY_JSON));
    Value::Object(IndexMap::from([(Name::clone(&NAME), Value::String(text))]))
}

/// Writes a value that this server made. It is what serde writes, but ready JSON is copied as it is: serde reads each anew
/// first, to see whether it is some.
///
/// # Errors
/// Where serde has one.
pub fn write_json(value: &Value, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match value {
        Value::Object(fields) => {
            if fields.len() == 1
                && let Some(Value::String(ready)) = fields.get(READY_JSON)
            {
                out.extend_from_slice(ready.as_bytes());
                return Ok(());
            }
            out.push(b'{');
            for (n, (name, value)) in fields.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, name.as_str())?;
                out.push(b':');
                write_json(value, out)?;
            }
            out.push(b'}');
        }
        Value::List(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_json(item, out)?;
            }
            out.push(b']');
        }
        other => serde_json::to_writer(out, other)?,
    }
    Ok(())
}

impl From<&json::Json> for Json {
    fn from(json: &json::Json) -> Self {
        Self(Text::Free(Some(json.clone())))
    }
}

/// async-graphql's marker for a string that its serializer writes as ready JSON: `raw_value` of
/// async-graphql-value, after serde_json's own.
const READY_JSON: &str = "$serde_json::private::RawValue";

/// Any JSON value, given as it came in: an object, a list, a string, a number, a boolean or null.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = serde_json::to_string(&value).map_err(InputValueError::custom)?;
        json::Json::new(&text)
            .map(|json| Self(Text::Free(Some(json))))
            .map_err(|accepted| InputValueError::custom(format!("accepted: {accepted}")))
    }

    fn to_value(&self) -> Value {
        let text = match &self.0 {
            Text::Free(json) => json.as_ref().map_or("[]", json::Json::text),
            Text::Ready(text) => text,
        };
        ready_value(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_what_serde_writes() {
        let inner = Value::from_json(json!({"a\"b": [1, -2.5, true, null, "ü\n\"\\"], "empty": {}, "none": []}));
        let ready = ready_value(r#"{"b":[1,2.50],"c":"\u00e4"}"#.to_owned());
        let list = Value::List(vec![inner.expect("a value"), Value::Enum(Name::new("WORD")), ready]);
        let value = Value::Object(IndexMap::from([(Name::new("list"), list), (Name::new("n"), Value::Null)]));
        let mut written = Vec::new();
        write_json(&value, &mut written).expect("JSON");
        assert_eq!(String::from_utf8(written).expect("text"), serde_json::to_string(&value).expect("JSON"));
    }
}
