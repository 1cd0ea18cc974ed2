//! The producer: the only part of City Live that calls web APIs. It asks each [feed](super::feeds) about the current city on a
//! schedule and sends what it learns to Kafka.
//!
//! ```text
//! current city ─► one worker for each feed ─► plan: who is due? ─► client ─► API
//!                                                                     └─► outlet ─► Kafka
//! ```
//!
//! [`Producer::run`] is all that others need. Which city is the current one comes in as a [`watch::Receiver`], so that it is
//! the same to it whether somebody chose in this process or on a server elsewhere ([`follow`]).
//!
//! [`watch::Receiver`]: tokio::sync::watch::Receiver

mod follow;
mod outlet;
mod plan;
mod run;
mod sent;
#[cfg(test)]
mod tests;
mod worker;

pub use follow::follow;
pub use outlet::topics;
pub use plan::{Plan, stretch};
pub use run::{Producer, ProducerError};
