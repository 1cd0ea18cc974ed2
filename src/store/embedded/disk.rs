//! The file: opened, checked, written. Everything here blocks and runs on the store's own thread.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{
    lease::stored_token,
    merge::{Merge, Unmerged},
    segment,
};
use crate::store::{
    Row, StoreError, Table,
    sqlite::{self, Format, Refused},
};

/// How this store is called in errors.
const STORE: &str = "the embedded store";

const FORMAT: Format = Format {
    // "CTwn" in ASCII.
    application_id: 0x4354_776e,
    version: 1,
    owner: "a twin's",
    afterwards: "the twin is built anew from Kafka and the city file",
    // A flush that was answered survives a power cut.
    synchronous: "FULL",
};

const SCHEMA: &str = "
    CREATE TABLE city (city_id TEXT NOT NULL);
    CREATE TABLE lease (token INTEGER NOT NULL, holder TEXT NOT NULL, address TEXT NOT NULL, ends INTEGER NOT NULL);
    CREATE TABLE entry (tbl TEXT NOT NULL, field TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (tbl, field))
        WITHOUT ROWID;
    CREATE TABLE segment (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
";

/// What a city id may have in a file's name as it is.
const IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The rows of a commit, ready to be written.
pub(super) struct Flush {
    /// Blobs for `segment`.
    pub(super) segments: Vec<Vec<u8>>,
    /// Rows for `entry`.
    pub(super) direct: Vec<Row>,
    /// Whether everything else is dropped first.
    pub(super) replace: bool,
}

/// Whether a table's rows go to `entry` at once: few, and read by themselves.
pub(super) fn is_direct(table: &Table) -> bool {
    matches!(table, Table::City | Table::Offsets)
}

/// The file of a city: its id percent-encoded; of a long id the beginning and a hash, since file systems allow 255 bytes.
pub(super) fn path_of(data_dir: &Path, city_id: &str) -> PathBuf {
    let mut name = utf8_percent_encode(city_id, IN_NAMES).to_string();
    if name.len() > 200 {
        // FNV-1a, 64 bits: the same in every release, unlike the standard library's hash.
        let hash = city_id
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        name.truncate(160);
        name = format!("{name}-{hash:016x}");
    }
    data_dir.join(format!("twin-{name}.sqlite3"))
}

/// The file and what is under way in it.
pub(super) struct Disk {
    path: PathBuf,
    city_id: String,
    /// The connection, and which file (device, inode) it has open.
    open: Option<(Connection, (u64, u64))>,
    /// Segments on their way into `entry`.
    pub(super) merge: Option<Merge>,
    /// What stood in segments after the last commit.
    pub(super) unmerged: Unmerged,
}

impl Disk {
    /// Does not open the file yet.
    pub(super) fn new(path: PathBuf, city_id: String) -> Self {
        Self { path, city_id, open: None, merge: None, unmerged: Unmerged::default() }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file: opened anew where it was removed or exchanged meanwhile, which SQLite would not notice.
    ///
    /// # Errors
    /// `Unavailable`, `Foreign`.
    pub(super) fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let identity = identity(&self.path);
        if self.open.as_ref().is_none_or(|(_, opened)| Some(*opened) != identity) {
            self.open = None;
            self.merge = None;
            let connection = open(&self.path, &self.city_id)?;
            let identity = identity_or(&self.path)?;
            self.open = Some((connection, identity));
        }
        match &mut self.open {
            Some((connection, _)) => Ok(connection),
            None => Err(unavailable(&self.path, "it is not open")),
        }
    }

    /// Does some work in one transaction, which other writers wait for.
    ///
    /// # Errors
    /// What the work gives; `Unavailable`, `Foreign`.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<Result<T, StoreError>, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let path = self.path.clone();
        let connection = self.connection()?;
        let outcome = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            let outcome = work(&transaction)?;
            if outcome.is_ok() {
                transaction.commit()?;
            }
            Ok(outcome)
        });
        outcome.unwrap_or_else(|error| Err(self.failed(&path, &error)))
    }

    /// An error of SQLite's; a broken file is closed, so that the next call sees what an operator put in its place.
    pub(super) fn failed(&mut self, path: &Path, error: &rusqlite::Error) -> StoreError {
        let error = store_error(path, error);
        if matches!(error, StoreError::Foreign { .. }) {
            self.open = None;
            self.merge = None;
        }
        error
    }

    /// Writes a flush under a token.
    pub(super) fn commit(&mut self, token: u64, flush: &Flush) -> Result<(), StoreError> {
        if flush.replace {
            self.merge = None;
        }
        self.unmerged = self.write(|transaction| {
            match stored_token(transaction)? {
                None => return Ok(Err(StoreError::Emptied)),
                Some(theirs) if theirs != token => return Ok(Err(StoreError::Fenced { ours: token, theirs })),
                Some(_) => {}
            }
            if flush.replace {
                transaction.execute_batch("DELETE FROM entry; DELETE FROM segment;")?;
            }
            for Row { table, field, value } in &flush.direct {
                put(transaction, &table.name(), field, value.as_deref().filter(|value| !value.is_empty()))?;
            }
            let mut insert = transaction.prepare_cached("INSERT INTO segment (body) VALUES (?1)")?;
            for body in &flush.segments {
                insert.execute([body])?;
            }
            let mut count =
                transaction.prepare_cached("SELECT count(*), coalesce(sum(length(body)), 0) FROM segment")?;
            Ok(Ok(count.query_row([], |row| Ok(Unmerged { segments: row.get(0)?, bytes: row.get(1)? }))?))
        })?;
        if self.merge.is_none() {
            self.merge = Merge::due(token, self.unmerged);
        }
        Ok(())
    }

    /// Reads one row: the newest segment that names it, else `entry`.
    pub(super) fn get(&mut self, table: &Table, field: &str) -> Result<Option<Bytes>, StoreError> {
        let path = self.path.clone();
        let connection = self.connection()?;
        let read = || -> Result<Option<Bytes>, rusqlite::Error> {
            // One transaction: a merge in another process moves rows from one table to the other.
            let transaction = connection.unchecked_transaction()?;
            if !is_direct(table) {
                let name = table.name();
                let mut newest = transaction.prepare_cached("SELECT body FROM segment ORDER BY seq DESC")?;
                let mut rows = newest.query([])?;
                while let Some(row) = rows.next()? {
                    let mut found = None;
                    let body = Bytes::from(row.get::<_, Vec<u8>>(0)?);
                    segment::decode(body, |entry| {
                        if entry.table == name.as_bytes() && entry.field == field.as_bytes() {
                            found = Some(entry.value);
                        }
                    })
                    .ok_or_else(corrupt)?;
                    if let Some(value) = found {
                        return Ok(value);
                    }
                }
            }
            let mut base = transaction.prepare_cached("SELECT value FROM entry WHERE tbl = ?1 AND field = ?2")?;
            let value = base.query_row(params![table.name(), field], |row| row.get::<_, Vec<u8>>(0)).optional()?;
            Ok(value.map(Bytes::from))
        };
        let outcome = read();
        outcome.map_err(|error| self.failed(&path, &error))
    }
}

/// Writes or removes a base row.
pub(super) fn put(
    connection: &Connection,
    table: &str,
    field: &str,
    value: Option<&[u8]>,
) -> Result<(), rusqlite::Error> {
    match value {
        Some(value) => connection
            .prepare_cached(
                "INSERT INTO entry (tbl, field, value) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (tbl, field) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![table, field, value])?,
        None => connection
            .prepare_cached("DELETE FROM entry WHERE tbl = ?1 AND field = ?2")?
            .execute(params![table, field])?,
    };
    Ok(())
}

/// Opens the file, making it where there is none, and checks that it is this city's and this release's.
pub(super) fn open(path: &Path, city_id: &str) -> Result<Connection, StoreError> {
    let connection = sqlite::open(path, &FORMAT, |new| {
        new.execute_batch(SCHEMA)?;
        new.execute("INSERT INTO city VALUES (?1)", [city_id]).map(drop)
    })
    .map_err(|refused| match refused {
        Refused::Folder(error) => unavailable(path, &format!("its folder cannot be made: {error}")),
        Refused::Sql(error) => store_error(path, &error),
        Refused::Foreign(message) => foreign(path, &message),
    })?;
    let of: String = connection
        .query_row("SELECT city_id FROM city", [], |row| row.get(0))
        .map_err(|error| store_error(path, &error))?;
    if of == city_id {
        Ok(connection)
    } else {
        Err(foreign(path, &format!("it is of the city `{of}`, not of `{city_id}`")))
    }
}

/// Which file stands at a path: its device and inode.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn identity_or(path: &Path) -> Result<(u64, u64), StoreError> {
    identity(path).ok_or_else(|| unavailable(path, "it vanished while it was opened"))
}

/// SQLite's error for what our own bytes turn out to be.
pub(super) fn corrupt() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some("a segment cannot be read".to_owned()),
    )
}

pub(super) fn store_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => foreign(
            path,
            &format!(
                "the file is damaged ({error}): put a copy in its place, or move it away, and the twin is built \
                      anew from Kafka"
            ),
        ),
        _ => unavailable(path, &error.to_string()),
    }
}

pub(super) fn unavailable(path: &Path, message: &str) -> StoreError {
    StoreError::Unavailable { store: STORE, message: format!("{}: {message}", path.display()) }
}

pub(super) fn foreign(path: &Path, message: &str) -> StoreError {
    StoreError::Foreign { key: path.display().to_string(), message: message.to_owned() }
}
