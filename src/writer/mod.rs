//! What only the writer does, and how a city comes back from the store: rows, flushes, dead letters, the lease.

mod dead_letters;
mod flush;
mod lease;
mod load;
mod offline;
mod operator;
mod rows;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::{StoreModel, round_trip};

pub use dead_letters::{DeadLetters, Letter, send_dead_letters};
pub use flush::{FlushError, Flusher};
pub use lease::{LeaseKeeper, LeaseState};
pub use load::{LoadError, Loaded, load};
pub use offline::{Offline, OfflineError, StoredOffset, stored_offsets};
pub use rows::city_field::MODEL_VERSION;

pub use operator::{Command, ImportReport, OperationError, Operator};
