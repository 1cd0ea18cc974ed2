//! The scalars `DateTime` and `JSON`.

use async_graphql::{InputValueError, InputValueResult, Name, Scalar, ScalarType, Value, indexmap::IndexMap};

use crate::twin::{json, time::Time};

/// A moment in RFC 3339 with its zone. What the server gives is in UTC with milliseconds, such as
/// `2026-01-05T00:00:00.000Z`; what it takes may be in any zone, and fractions beyond milliseconds are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Time);

#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Time::parse(text).map(Self).ok_or_else(|| {
                InputValueError::custom(format!("{text:?} is no RFC 3339 time with a zone, such as 2026-01-05T00:00:00Z"))
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Any JSON value, emitted as it came in: an object, a list, a string, a number, a boolean or null.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(Option<json::Json>);

impl Json {
    /// A list, as `state.full` has it: `[]` where there is none.
    pub fn list(json: Option<&json::Json>) -> Self {
        Self(json.cloned())
    }
}

impl From<&json::Json> for Json {
    fn from(json: &json::Json) -> Self {
        Self(Some(json.clone()))
    }
}

/// async-graphql's marker for a string that its serializer writes as ready JSON: `raw_value` of
/// async-graphql-value, after serde_json's own.
const READY_JSON: &str = "$serde_json::private::RawValue";

#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = serde_json::to_string(&value).map_err(InputValueError::custom)?;
        json::Json::new(&text).map(|json| Self(Some(json))).map_err(|accepted| InputValueError::custom(format!("accepted: {accepted}")))
    }

    fn to_value(&self) -> Value {
        let ready = Value::String(self.0.as_ref().map_or("[]", json::Json::text).to_owned());
        Value::Object(IndexMap::from([(Name::new(READY_JSON), ready)]))
    }
}
