//! How state goes out: boundaries, deltas and fulls (contract, section 3, *The chain*).
//!
//! The writer's [`Publisher`] makes boundaries and sends them; on every instance a [`Follower`] reads the two topics, so
//! that a replica can answer with the last full, and a writer sees when another one has a higher epoch. Both keep the
//! [`Chain`], which everyone else reads.

mod boundary;
mod chain;
mod follower;
mod publisher;

#[cfg(test)]
mod tests;

pub use boundary::Clock;
pub use chain::{Chain, Incremental, Published, Since};
pub use follower::{Follower, TopicEnds, topic_ends};
pub use publisher::{Ended, PublishState, Publisher};
