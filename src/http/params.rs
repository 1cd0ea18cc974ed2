//! The parameters of a GraphQL request, as JSON or in a URL, each checked for its type.

use async_graphql::{Extensions, Value, Variables};
use serde_json::{Map, Value as Json};
use thiserror::Error;

/// A request that has not the form of a GraphQL request; the text is for its sender.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadParams(pub String);

/// The parameters of a GraphQL request (GraphQL over HTTP, section 5.1).
#[derive(Debug, Default)]
pub struct Params {
    /// The document.
    pub query: String,
    /// Which of the document's operations to run.
    pub operation_name: Option<String>,
    /// Values of the operation's variables.
    pub variables: Variables,
    /// Whatever a client sends beside; nothing here reads it.
    pub extensions: Extensions,
}

impl Params {
    /// From the body of a POST.
    pub fn from_body(body: &[u8]) -> Result<Self, BadParams> {
        let json = serde_json::from_slice(body).map_err(|error| BadParams(format!("the body is not JSON: {error}")))?;
        match json {
            Json::Object(map) => Self::from_map(map),
            Json::Array(_) => Err(BadParams("the body is a list: batches are not accepted".into())),
            other => Err(BadParams(format!("the body is {}: an object is needed", kind(&other)))),
        }
    }

    /// From the query part of a URL: `variables` and `extensions` are JSON there.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, BadParams> {
        let mut map = Map::new();
        for (name, value) in pairs {
            let value = match name.as_str() {
                "variables" | "extensions" | "operationName" if value.is_empty() => Json::Null,
                "variables" | "extensions" => {
                    serde_json::from_str(&value).map_err(|error| BadParams(format!("`{name}` is not JSON: {error}")))?
                }
                _ => Json::String(value),
            };
            map.insert(name, value);
        }
        Self::from_map(map)
    }

    /// From a JSON object; unknown keys are ignored.
    pub fn from_map(mut map: Map<String, Json>) -> Result<Self, BadParams> {
        let query = match map.remove("query") {
            Some(Json::String(query)) => query,
            Some(Json::Null) | None => return Err(BadParams("`query` is missing".into())),
            Some(other) => return Err(BadParams(format!("`query` is {}: a string is needed", kind(&other)))),
        };
        let operation_name = match map.remove("operationName") {
            Some(Json::String(name)) => Some(name),
            Some(Json::Null) | None => None,
            Some(other) => {
                return Err(BadParams(format!("`operationName` is {}: a string or null is needed", kind(&other))));
            }
        };
        let variables = match object(&mut map, "variables")? {
            Some(variables) => Variables::from_json(Json::Object(variables)),
            None => Variables::default(),
        };
        let mut extensions = Extensions::default();
        for (name, value) in object(&mut map, "extensions")?.unwrap_or_default() {
            extensions.insert(name, Value::from_json(value).unwrap_or_default());
        }
        Ok(Self { query, operation_name, variables, extensions })
    }
}

fn object(map: &mut Map<String, Json>, name: &str) -> Result<Option<Map<String, Json>>, BadParams> {
    match map.remove(name) {
        Some(Json::Object(object)) => Ok(Some(object)),
        Some(Json::Null) | None => Ok(None),
        Some(other) => Err(BadParams(format!("`{name}` is {}: an object or null is needed", kind(&other)))),
    }
}

/// A JSON value's type, in words.
pub(super) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
