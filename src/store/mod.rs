//! Where the twin outlives the process: rows of tables, with the offsets they stand for, behind one lease.
//!
//! A store knows nothing of cities: it keeps `(table, field) -> JSON` and commits a set of rows in one atomic step,
//! refused where a newer writer has taken the token. Redis and the embedded store (SQLite) pass one suite.
//!
//! Which hash of Redis holds what is told in [`redis`], how the file of the embedded store works in [`embedded`].

use std::time::Duration;

use bytes::Bytes;

pub mod embedded;
mod open;
pub mod redis;
pub(crate) mod sqlite;
#[cfg(test)]
mod suite;
mod table;

pub use open::open;

/// A table of the store. In Redis a hash a person can read with `redis-cli`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Facts about the whole: `cityId`, `name`, `schema`, `modelVersion`, `boundary`, `epoch`.
    City,
    /// `<topic>/<partition>` -> `{"offset", "eventTime", "cluster"}`.
    Offsets,
    /// What an operator removed: `<global id>` -> the `lastUpdated` it had, as JSON.
    Removed,
    /// `<districtId>` -> `{districtId, name, location}`.
    Districts,
    /// By district.
    Sensors(String),
    /// By district.
    Buildings(String),
    /// By district.
    WeatherStations(String),
    /// By district.
    Nodes(String),
    /// By district.
    Edges(String),
    /// City-wide: `<busId>` -> the bus.
    Buses,
    /// City-wide: `<stationId>` -> the stop.
    Stations,
    /// City-wide: `<incidentId>` -> the incident.
    Incidents,
    /// City-wide: `<unitId>` -> the emergency unit.
    Units,
}

/// One row: a value to write, or `None` to remove it. Where a commit names a field twice, the later row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table it stands in.
    pub table: Table,
    /// What it is found by in its table: an entity's id, the name of a fact.
    pub field: String,
    /// JSON. An empty value is none, and removes the row as `None` does.
    pub value: Option<Bytes>,
}

/// What one flush writes.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Entities and what belongs to them. Above 8 MiB these go in chunks, each fenced.
    pub rows: Vec<Row>,
    /// Offsets and facts about the whole: always in the last chunk, so that they never run ahead of the rows. Few.
    pub tail: Vec<Row>,
    /// Whether everything else in the store is dropped first (a store that was emptied is written anew). The tail
    /// should name the city then: until the last chunk has landed a reader finds rows but no [`Table::City`].
    pub replace: bool,
}

/// A row as loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// The table it stands in.
    pub table: Table,
    /// What it is found by in its table.
    pub field: String,
    /// JSON, as it was written.
    pub value: Bytes,
}

/// Everything a store holds, in no order. Empty where nothing was ever written.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// All rows of all tables: the state of one moment.
    pub rows: Vec<StoredRow>,
    /// The last token handed out; 0 where there was none.
    pub token: u64,
}

/// What an instance asks of the lease.
#[derive(Clone, Debug)]
pub struct LeaseRequest<'a> {
    /// Who asks: unique to the process's life.
    pub holder: &'a str,
    /// Where clients find the holder.
    pub address: &'a str,
    /// How long the lease lives.
    pub ttl: Duration,
    /// The token of the lease held now; `None` asks for the next token (start and take-over).
    pub token: Option<u64>,
    /// The token held afterwards is above this (what the state topics' ends were seen to hold; 0 where any will do).
    pub above: u64,
}

/// Who holds the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The asker, under this token.
    Held {
        /// Its fencing token: what every commit is made under.
        token: u64,
    },
    /// Somebody else.
    Other {
        /// The token that the other holds.
        token: u64,
        /// Who it is.
        holder: String,
        /// Where clients find it.
        address: String,
    },
    /// Nobody (only as an answer to [`TwinStore::holder`]).
    Free {
        /// The last token handed out; 0 where there was none.
        token: u64,
    },
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be reached, or its answer was lost: what was asked may or may not have happened. Worth a retry.
    #[error("{store} cannot be reached: {message}")]
    Unavailable {
        /// Which store.
        store: &'static str,
        /// What went wrong.
        message: String,
    },
    /// A newer writer has taken the token: nothing was written, and nothing must be tried again.
    #[error("the token {ours} is fenced off: the store holds {theirs}")]
    Fenced {
        /// The token that was used.
        ours: u64,
        /// The token that the store holds.
        theirs: u64,
    },
    /// The token is missing: the store was emptied. Take the lease anew and write everything.
    #[error("the store was emptied: it holds no token")]
    Emptied,
    /// What the store holds is not ours to read: a key of another type, a schema of another release.
    #[error("{key}: {message}")]
    Foreign {
        /// The key or the file.
        key: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// A setting is wrong (only from [`open`]): which, and its value without its password, and what is accepted.
    #[error("{setting}: {message}")]
    Setting {
        /// Its name in the environment.
        setting: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// A store of one city.
///
/// Calls may run concurrently; a commit is one atomic step up to 8 MiB. Every call answers within a bound (5 s, a load
/// 60 s, a commit 5 s for each 8 MiB), and after an error the next call starts afresh: callers only wait and repeat.
#[async_trait::async_trait]
pub trait TwinStore: Send + Sync {
    /// Reads everything.
    ///
    /// # Errors
    /// `Unavailable`, `Foreign`.
    async fn load(&self) -> Result<Stored, StoreError>;

    /// Reads one row, for what is polled (`modelVersion`).
    ///
    /// # Errors
    /// `Unavailable`, `Foreign`.
    async fn get(&self, table: &Table, field: &str) -> Result<Option<Bytes>, StoreError>;

    /// Writes a flush under a token.
    ///
    /// # Errors
    /// `Unavailable` (the outcome is unknown: repeat it with what is then dirty), `Fenced`, `Emptied`, `Foreign`.
    async fn commit(&self, token: u64, commit: &Commit) -> Result<(), StoreError>;

    /// Takes, renews or refuses the lease.
    ///
    /// Without a token: `Other` while somebody else's lease lives, else the next token. With a token: renewed as
    /// long as nobody has taken a newer one (also when the lease had run out meanwhile); else `Other`, or `Fenced` where
    /// the newer lease has ended too. A renewal keeps the token where that is above `above`; where not, it gives the next
    /// one, and what was written under the one before still counts as the holder's.
    ///
    /// # Errors
    /// `Unavailable` (nobody knows who holds it), `Emptied` (a renewal found no token), `Fenced`.
    async fn lease(&self, request: &LeaseRequest<'_>) -> Result<Lease, StoreError>;

    /// Who holds the lease now, without asking for it: `Other` (also where that is the asker) or `Free`.
    ///
    /// # Errors
    /// `Unavailable`, `Foreign`.
    async fn holder(&self) -> Result<Lease, StoreError>;

    /// Gives the lease back, if it is still ours.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn release(&self, holder: &str, token: u64) -> Result<(), StoreError>;
}
