//! From Kafka records to a live city: poll, decode, apply, on one thread of its own.
//!
//! [`Ingest`] reads every partition of the nine topics from where the city stands, without a group. What it refuses goes
//! into [`Rejects`], which remembers what is not yet acknowledged, so that no offset is stored past it.
//!
//! One thread, because one is as fast: polling, not folding, bounds the catching up (`make bench` prints both).

mod batch;
mod consume;
mod fold;
mod losses;
mod rejects;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use consume::{Ingest, IngestState};
pub use fold::Fold;
pub use losses::{Loss, Losses};
pub use rejects::{Rejected, Rejects};

use crate::{config::IngestConfig, twin::event::Judgement};

impl From<&IngestConfig> for Judgement {
    fn from(config: &IngestConfig) -> Self {
        Self { max_clock_skew_ms: config.max_clock_skew.as_millis() as i64, max_event_bytes: config.max_event_bytes }
    }
}
