//! GraphQL over WebSocket: the graphql-transport-ws subprotocol, by the letter of its `PROTOCOL.md`.
//!
//! ```text
//!            ┌ session: reads ──► one task an operation ─┐
//!  client ◄──┤                                           ▼
//!            └ outbox: one task writes ◄── bounded ◄── results
//! ```
//!
//! Two tasks a socket, so that reading goes on while a write blocks. An operation takes its stream's next event only
//! while the outbox has room: nothing here grows with what a client does not read.

mod outbox;
mod protocol;
mod session;
mod upgrade;

pub use protocol::{CloseCode, SUBPROTOCOL};
pub(super) use upgrade::accept;
