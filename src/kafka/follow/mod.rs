//! The consumer's side of the state chain: fulls and incrementals in, the city's state out, every full checked.

mod follower;
mod run;

pub use follower::{ChainRecord, Follower, StateTopic, Step};
pub use run::{FollowOptions, FollowSummary, Seen, run_follow};
