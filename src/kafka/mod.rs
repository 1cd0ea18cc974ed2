//! Kafka: client settings, topics, partitions read by hand, records sent and answered, the embedded broker, and the
//! consumer's side of the state chain.

mod client;
mod embedded;
mod error;
mod follow;
mod log;
pub mod patch;
mod producer;
mod reader;
pub mod topics;

#[cfg(test)]
mod tests;

pub use client::{Cluster, MAX_MESSAGE_BYTES, Tracing};
pub use embedded::{EmbeddedBroker, is_same_cluster};
pub use error::KafkaError;
pub use follow::{ChainRecord, FollowOptions, FollowSummary, Follower, Seen, StateTopic, Step, run_follow};
pub use log::StateRecord;
pub use producer::{Acked, Producer, Record, SendError};
pub(crate) use producer::{Answer, Enqueue};
pub use reader::{PartitionReader, Polled, Position};
