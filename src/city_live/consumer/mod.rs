//! From the five topics to the archive: validated, normalised, deduplicated, mapped to zones.
//!
//! ```text
//! reader (a thread) ─► batch ─► core (pure) ─► Intake ─► archive, the offsets last
//!                                     └─► rejects ─► twin.dead-letter, before the offsets pass them
//! ```
//!
//! `parse.rs` judges one message by the tables of `rules.rs`; `core.rs` makes an [`Intake`](super::archive::Intake) of a batch;
//! `reader.rs` polls; `run.rs` is the loop. While the archive is away nothing is merged away and nothing piles up: the batch in hand is
//! tried again, and the reader waits with two more, the rest stays in Kafka.

mod calls;
mod core;
mod parse;
mod reader;
mod rules;
mod run;
#[cfg(test)]
mod tests;

pub use self::core::{Core, Judgement, Rejected, Source, Taken};
pub use reader::Batch;
pub use run::{Consumed, Consumer, Parts};
pub(crate) use run::{WHAT, tell};
