//! Errors with the `extensions.code` that clients go by.

use async_graphql::{Error, ErrorExtensions};

use crate::{twin::json::cut, writer::OperationError};

/// An error with a code, as all of ours are.
pub fn coded(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// `BAD_USER_INPUT`: an argument that cannot be meant, with its name, its value and what is accepted.
pub fn bad_input(field: &str, value: impl std::fmt::Display, accepted: &str) -> Error {
    let value = cut(&value.to_string(), 80);
    Error::new(format!("{field} is {value}; accepted: {accepted}")).extend_with(|_, extensions| {
        extensions.set("code", "BAD_USER_INPUT");
        extensions.set("field", field);
        extensions.set("accepted", accepted);
    })
}

/// `INTERNAL_SERVER_ERROR`: the schema was run without what it needs.
pub fn internal(what: &'static str) -> Error {
    coded("INTERNAL_SERVER_ERROR", what)
}

/// What became of an operation that the writer did not do: `NOT_WRITER` (with the writer's address in
/// `extensions.writer`, where it is known), `UNCONFIRMED` or `SHUTTING_DOWN`.
pub fn operation(error: &OperationError) -> Error {
    let code = match error {
        OperationError::NotWriter { .. } => "NOT_WRITER",
        OperationError::OtherCity { .. } => "BAD_USER_INPUT",
        OperationError::Unconfirmed(_) => "UNCONFIRMED",
        OperationError::Closing => "SHUTTING_DOWN",
    };
    Error::new(error.to_string()).extend_with(|_, extensions| {
        extensions.set("code", code);
        if let OperationError::NotWriter { writer: Some(writer) } = error {
            extensions.set("writer", writer.as_str());
        }
    })
}
