//! The messages and close codes of graphql-transport-ws (`PROTOCOL.md` of npm graphql-ws). No socket here: text in,
//! text out.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::params::kind;
use crate::graphql::Envelope;

/// The subprotocol's name in the WebSocket handshake.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";
/// A close frame holds 125 bytes, two of them the code (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;
/// The longest operation id; clients send UUIDs or counters.
const MAX_ID: usize = 256;
/// A ping's payload longer than this does not come back in its pong.
const MAX_ECHO: usize = 1024;

/// Why a socket is closed. The 4000s are the subprotocol's, the rest WebSocket's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The frames break RFC 6455.
    ProtocolError = 1002,
    /// A message is not UTF-8.
    InvalidPayload = 1007,
    /// A message is larger than a request's body may be.
    TooBig = 1009,
    /// The server goes down; clients come back by themselves.
    ServiceRestart = 1012,
    /// The client takes nothing, or does not answer pings; clients come back by themselves. Ours, not the protocol's.
    Stalled = 4008,
    /// A message that the protocol does not know.
    BadRequest = 4400,
    /// An operation before `connection_ack`.
    Unauthorized = 4401,
    /// `connection_init` brought a wrong token.
    Forbidden = 4403,
    /// The client does not speak graphql-transport-ws.
    SubprotocolNotAcceptable = 4406,
    /// No `connection_init` in time.
    InitTimeout = 4408,
    /// The id of a running operation.
    SubscriberExists = 4409,
    /// A second `connection_init`.
    TooManyInits = 4429,
}

/// A code and the reason that goes with it, cut to what fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The close code.
    pub code: CloseCode,
    /// At most 123 bytes.
    pub reason: String,
}

impl Close {
    /// Cuts the reason at a character's end.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON {
            let end = (0..=MAX_REASON).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
            reason.truncate(end);
        }
        Self { code, reason }
    }
}

/// What a client says.
#[derive(Debug, PartialEq)]
pub enum ClientMessage {
    /// The first message; its payload may hold a token.
    ConnectionInit(Map<String, Value>),
    /// To be answered with a pong of the same payload.
    Ping(Option<Value>),
    /// An answer to a ping, or a sign of life.
    Pong,
    /// Runs an operation; the payload is a GraphQL request.
    Subscribe { id: String, payload: Map<String, Value> },
    /// Stops an operation.
    Complete { id: String },
}

impl ClientMessage {
    /// Reads a message; the error is the reason to close with.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json = serde_json::from_str(text).map_err(|error| format!("the message is not JSON: {error}"))?;
        let Value::Object(mut message) = json else {
            return Err(format!("the message is {}: an object is needed", kind(&json)));
        };
        let Some(Value::String(name)) = message.remove("type") else {
            return Err("the message has no `type`".into());
        };
        let mut payload = |required: bool| match message.remove("payload") {
            Some(Value::Object(payload)) => Ok(Some(payload)),
            Some(Value::Null) | None if !required => Ok(None),
            Some(other) => Err(format!("the payload of `{name}` is {}: an object is needed", kind(&other))),
            None => Err(format!("`{name}` has no payload")),
        };
        match name.as_str() {
            "connection_init" => Ok(Self::ConnectionInit(payload(false)?.unwrap_or_default())),
            "ping" => Ok(Self::Ping(payload(false)?.map(Value::Object))),
            "pong" => payload(false).map(|_| Self::Pong),
            "subscribe" => {
                let payload = payload(true)?.unwrap_or_default();
                check_request(&payload)?;
                Ok(Self::Subscribe { id: id(&mut message, &name)?, payload })
            }
            "complete" => Ok(Self::Complete { id: id(&mut message, &name)? }),
            other => Err(format!("`{other}` is no type of message that a client sends")),
        }
    }
}

fn id(message: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match message.remove("id") {
        Some(Value::String(id)) if id.is_empty() => Err(format!("the id of `{name}` is empty")),
        Some(Value::String(id)) if id.len() > MAX_ID => Err(format!("the id of `{name}` has over {MAX_ID} bytes")),
        Some(Value::String(id)) => Ok(id),
        Some(other) => Err(format!("the id of `{name}` is {}: a string is needed", kind(&other))),
        None => Err(format!("`{name}` has no id")),
    }
}

/// The protocol checks the payload's types, so a wrong one closes the socket; its content gets an `error`.
fn check_request(payload: &Map<String, Value>) -> Result<(), String> {
    let wrong = |name: &str, value: &Value| Err(format!("`{name}` of `subscribe` is {}", kind(value)));
    match payload.get("query") {
        Some(Value::String(_)) => {}
        Some(other) => return wrong("query", other),
        None => return Err("`subscribe` has no `query`".into()),
    }
    match payload.get("operationName") {
        Some(Value::String(_) | Value::Null) | None => {}
        Some(other) => return wrong("operationName", other),
    }
    for name in ["variables", "extensions"] {
        match payload.get(name) {
            Some(Value::Object(_) | Value::Null) | None => {}
            Some(other) => return wrong(name, other),
        }
    }
    Ok(())
}

/// `connection_ack`.
pub fn ack() -> String {
    r#"{"type":"connection_ack"}"#.into()
}

/// The answer to a ping.
pub fn pong(payload: Option<Value>) -> String {
    match payload.map(|payload| payload.to_string()) {
        Some(payload) if payload.len() <= MAX_ECHO => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        _ => r#"{"type":"pong"}"#.into(),
    }
}

/// What is around each result of an operation. Only the id is the client's own.
pub fn next(id: &str) -> Envelope {
    around("next", id)
}

/// The errors of a request that was not run; nothing follows for this id.
pub fn error(id: &str, errors: &[u8]) -> Vec<u8> {
    around("error", id).around(errors)
}

/// The end of an operation.
pub fn complete(id: &str) -> Vec<u8> {
    #[derive(Serialize)]
    struct Complete<'a> {
        id: &'a str,
        r#type: &'a str,
    }
    serde_json::to_vec(&Complete { id, r#type: "complete" }).unwrap_or_default()
}

/// What is around the payload of a message.
fn around(name: &str, id: &str) -> Envelope {
    let id = serde_json::to_string(id).unwrap_or_default();
    let before = format!(r#"{{"id":{id},"type":"{name}","payload":"#);
    Envelope { before: before.into(), after: Bytes::from_static(b"}") }
}

#[cfg(test)]
mod tests;
