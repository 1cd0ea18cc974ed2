//! What subscribers see: first what is, then what changes, merged for those who are slow (contract, section 4).
//!
//! A [`Feed`] is one subscriber's memory: a revision and a bit per entity, never a queue. [`changes`] and [`views`]
//! make streams of it that work only when they are polled, and [`state_deltas`] follows the published chain. The
//! [`Hub`] is what they share. None of it knows GraphQL.
//!
//! The streams have no end of their own: transports drop them, when their client goes and when the server goes down,
//! because a stream that ended would be told to the client as complete, and it would not come back.

mod arrivals;
mod batch;
mod cells;
mod cursor;
mod deltas;
mod feed;
mod hub;
mod index;
mod lens;
mod listeners;
mod recent;
mod sessions;
mod share;
mod stream;
mod turnstile;
mod undo;

#[cfg(test)]
pub mod tests;

pub use batch::{Batch, CellChange, Change, Given, LeftReason, SnapshotReason};
pub use cells::{Counts, Group, MAX_ZOOM, level_of, measure_of};
pub use cursor::{Cursor, SubscriptionId};
pub use deltas::{Follow, FullReason, StateDelta, state_deltas};
pub use feed::{Feed, Limits};
pub use hub::{Hub, PAGE, Wish};
pub use lens::Mode;
pub use sessions::{Seat, Socket};
pub use share::{Own, Text};
pub use stream::{follow, views};
