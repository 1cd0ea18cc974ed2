//! The twin in one SQLite file, for one machine with nothing else installed.
//!
//! `DATA_DIR/twin-<cityId>.sqlite3` holds four tables:
//!
//! | table | what it holds |
//! | --- | --- |
//! | `city` | the city id that the file is of |
//! | `lease` | the last fencing token, and the writer with the time at which its lease ends |
//! | `entry` | base rows: `(tbl, field) -> value`, the tables called as in Redis |
//! | `segment` | what the newest flushes wrote, a blob each, in their order: newer than `entry` |
//!
//! A flush of thousands of rows all over a large table costs a page write for nearly each of them. So a flush is one blob
//! with the offsets in the same transaction, and the writer thread merges many segments at once, sorted, into
//! `entry` in short steps between flushes. `city` and `offsets` rows are few, and are written to `entry` directly: they
//! can be read by themselves. A load reads `entry` and lays the segments over it.
//!
//! All writing (and what is polled) happens on one thread per store; a load reads on a connection of its own, which WAL
//! lets it do while a flush is written. Other processes may have the same file open: SQLite's locks and the token hold.

mod disk;
mod lease;
mod load;
mod merge;
mod segment;
mod store;

pub use store::EmbeddedStore;
