//! Reading replies: each value by its path, so that an error can name it.

use serde_json::Value;

use crate::twin::time::Time;

/// A reply that has not the form that was asked for: the API has changed, or it is not the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON.
    #[error("the reply is no JSON ({0}): is this the API?")]
    NoJson(String),
    /// A field that has to be there.
    #[error("{field} is missing from the reply; accepted is {accepted}")]
    Missing {
        /// With the path to it.
        field: String,
        /// What is accepted, in words.
        accepted: &'static str,
    },
    /// A field with another value than was asked for.
    #[error("{field} of the reply is {value}, which is not accepted; accepted is {accepted}")]
    Value {
        /// With the path to it.
        field: String,
        /// What it holds, cut.
        value: String,
        /// What is accepted, in words.
        accepted: &'static str,
    },
}

/// The JSON of a body.
pub fn json(body: &[u8]) -> Result<Value, ReadError> {
    serde_json::from_slice(body).map_err(|error| ReadError::NoJson(error.to_string()))
}

/// A place in a reply, there or not.
#[derive(Clone)]
pub struct Place<'a> {
    value: Option<&'a Value>,
    path: String,
}

impl<'a> Place<'a> {
    /// The whole reply.
    pub fn root(value: &'a Value) -> Self {
        Self { value: Some(value), path: String::new() }
    }

    /// A member of an object.
    pub fn at(&self, key: &str) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { value: self.value.and_then(|value| value.get(key)), path }
    }

    /// The entries of a list.
    pub fn entries(&self) -> Result<Vec<Self>, ReadError> {
        let list = self.present("a list")?.as_array().ok_or_else(|| self.refuse("a list"))?;
        let entry = |(index, value)| Self { value: Some(value), path: format!("{}[{index}]", self.path) };
        Ok(list.iter().enumerate().map(entry).collect())
    }

    /// Whether nothing stands here, not even `null`.
    pub fn is_missing(&self) -> bool {
        self.value.is_none()
    }

    /// Whether anything stands here but `null`.
    pub fn is_there(&self) -> bool {
        self.value.is_some_and(|value| !value.is_null())
    }

    /// A number that has to be there.
    pub fn number(&self) -> Result<f64, ReadError> {
        self.optional_number()?.ok_or_else(|| self.missing("a number"))
    }

    /// A number; missing and `null` are none.
    pub fn optional_number(&self) -> Result<Option<f64>, ReadError> {
        if !self.is_there() {
            return Ok(None);
        }
        self.value.and_then(Value::as_f64).map(Some).ok_or_else(|| self.refuse("a number"))
    }

    /// A number that may stand in quotes; missing, `null` and the empty text are none.
    pub fn optional_decimal(&self) -> Result<Option<f64>, ReadError> {
        const ACCEPTED: &str = "a number, or a text that holds one";
        match self.value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => {
                let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                number.map(Some).ok_or_else(|| self.refuse(ACCEPTED))
            }
            Some(value) => value.as_f64().map(Some).ok_or_else(|| self.refuse(ACCEPTED)),
        }
    }

    /// A text that has to be there.
    pub fn text(&self) -> Result<&'a str, ReadError> {
        self.optional_text()?.ok_or_else(|| self.missing("a text"))
    }

    /// A text; missing and `null` are none.
    pub fn optional_text(&self) -> Result<Option<&'a str>, ReadError> {
        if !self.is_there() {
            return Ok(None);
        }
        self.value.and_then(Value::as_str).map(Some).ok_or_else(|| self.refuse("a text"))
    }

    /// A yes or no that has to be there.
    pub fn flag(&self) -> Result<bool, ReadError> {
        self.present("true or false")?.as_bool().ok_or_else(|| self.refuse("true or false"))
    }

    /// A local time, `2026-07-26T23:00` with or without seconds and fractions, `2024-04-02T07`.
    pub fn local_time(&self) -> Result<jiff::civil::DateTime, ReadError> {
        let text = self.text()?;
        let whole = if text.len() == "2024-04-02T07".len() { format!("{text}:00") } else { text.to_owned() };
        whole.parse().map_err(|_| self.refuse("a local time such as 2026-07-26T23:00"))
    }

    /// The error for what stands here.
    pub fn refuse(&self, accepted: &'static str) -> ReadError {
        const LONGEST: usize = 80;
        let Some(value) = self.value else { return self.missing(accepted) };
        let mut value = value.to_string();
        if let Some((end, _)) = value.char_indices().nth(LONGEST) {
            value.truncate(end);
            value.push('…');
        }
        ReadError::Value { field: self.path.clone(), value, accepted }
    }

    fn missing(&self, accepted: &'static str) -> ReadError {
        ReadError::Missing { field: self.path.clone(), accepted }
    }

    fn present(&self, accepted: &'static str) -> Result<&'a Value, ReadError> {
        self.value.filter(|value| !value.is_null()).ok_or_else(|| self.missing(accepted))
    }
}

/// A local time whose clock is so many seconds ahead of UTC.
pub fn utc(local: jiff::civil::DateTime, offset_s: f64) -> Time {
    let as_utc = local.to_zoned(jiff::tz::TimeZone::UTC);
    Time(as_utc.map_or(0, |zoned| zoned.timestamp().as_millisecond()) - (offset_s * 1000.0) as i64)
}
