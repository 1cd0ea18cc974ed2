//! What City Live knows in one SQLite file, for one machine with nothing else installed.
//!
//! `DATA_DIR/city-live.db` has a table for each collection, called like it. What is asked by stands in columns, the rest as JSON
//! (`doc`). A zone id of `''` stands for the whole city, because a key with a NULL is not unique in SQL.
//!
//! One connection writes, a few read beside it, which WAL lets them do. Other processes may have the same file open: each write is
//! one transaction that checks the lease's token first.

mod archive;
mod disk;
mod feed;
mod lease;
mod read;
mod write;

pub use archive::EmbeddedArchive;
