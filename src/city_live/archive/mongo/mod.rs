//! What City Live knows in MongoDB, with the operations that a standalone server has, and those that speak its protocol.
//!
//! A collection each, with the original's names; `_id` is made of what a document is told apart by (`<city_id>/<zone_id>`), so that a
//! repetition finds what it wrote. Times are BSON dates.
//!
//! # Who writes
//!
//! One document, `city_live_state` `runner`, holds the lease with its token, the offsets, the revision and the selection, and is
//! changed by `findAndModify` with conditions only, which is atomic. A batch is written in this order: is the token still ours, the
//! documents, and last, in one step conditional on the token, the offsets and the next revision. So offsets never stand for what is not
//! there, nothing a superseded holder does moves them, and whatever it repeats lands on the same `_id`s, raw values only where
//! they are not older than what is there.
//!
//! A server whose `findAndModify` is not atomic (FerretDB 1.24) still gives the lease to one only, because a token is claimed by a
//! unique key; but a revision may then count two writes as one, and offsets may land in the moment of a take-over. MongoDB has neither.
//!
//! # The lease's clock
//!
//! Neither the server's clock nor the wall clock of any instance is asked. A holder counts `beat` up each time it renews; who wants
//! the lease takes it when it has itself seen the same beat for the whole time to live, by its own monotonic clock. Clocks that differ, or
//! jump, give nobody the lease too early.

mod archive;
mod bulk;
mod convert;
mod lease;
mod link;
mod read;
mod write;

pub use archive::MongoArchive;
