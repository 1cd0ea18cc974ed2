//! The file: opened and checked.

use std::{fs, path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::city_live::archive::{ArchiveError, RawKind, Result};

/// How this archive is called in errors.
pub(super) const ARCHIVE: &str = "the embedded archive";

/// SQLite's `application_id`: "CTlv" in ASCII.
const APPLICATION_ID: i32 = 0x4354_6c76;

/// SQLite's `user_version`: changes with the layout of the file.
const SCHEMA_VERSION: i32 = 2;

/// How long a write waits for another process that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);

/// An index of `kafka_live_feed` has the row's number (`seq`) behind its column: in it, the rows of a city stand in order.
const SCHEMA: &str = "
    CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL, holder TEXT NOT NULL,
        ends INTEGER NOT NULL, revision INTEGER NOT NULL, selection TEXT, seq INTEGER NOT NULL);
    INSERT INTO state VALUES (1, 0, '', 0, 0, NULL, 0);
    CREATE TABLE city_live_offsets (topic TEXT NOT NULL, partition INTEGER NOT NULL, cluster TEXT NOT NULL,
        next INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
    CREATE TABLE zones (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (city_id, zone_id))
        WITHOUT ROWID;
    CREATE TABLE kafka_live_feed (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, topic TEXT NOT NULL, ts INTEGER NOT NULL,
        ingested_at INTEGER NOT NULL, source TEXT NOT NULL, payload TEXT NOT NULL, city_id TEXT NOT NULL,
        zone_id TEXT NOT NULL);
    CREATE UNIQUE INDEX feed_key ON kafka_live_feed (key);
    CREATE INDEX feed_city ON kafka_live_feed (city_id);
    CREATE INDEX feed_topic ON kafka_live_feed (topic);
    CREATE INDEX feed_city_topic ON kafka_live_feed (city_id, topic);
    CREATE INDEX feed_zone ON kafka_live_feed (zone_id);
    CREATE INDEX feed_ts ON kafka_live_feed (ts);
    CREATE TABLE raw_311 (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (city_id, zone_id)) WITHOUT ROWID;
    CREATE TABLE features_hourly (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, hour INTEGER NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (city_id, zone_id, hour)) WITHOUT ROWID;
    CREATE INDEX features_by_hour ON features_hourly (hour);
    CREATE TABLE processed_zone_data (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (city_id, zone_id)) WITHOUT ROWID;
    CREATE TABLE risk_scores (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, ts INTEGER NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (city_id, zone_id, ts)) WITHOUT ROWID;
    CREATE INDEX risk_by_time ON risk_scores (ts);
    CREATE TABLE model_outputs (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, model TEXT NOT NULL, doc TEXT NOT NULL,
        PRIMARY KEY (city_id, zone_id, model)) WITHOUT ROWID;
    CREATE TABLE alerts (alert_id TEXT PRIMARY KEY, city_id TEXT NOT NULL, zone_id TEXT NOT NULL, status TEXT NOT NULL,
        raised_at INTEGER NOT NULL, cleared_at INTEGER, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX alerts_by_status ON alerts (city_id, status, raised_at);
    CREATE INDEX alerts_cleared ON alerts (cleared_at) WHERE cleared_at IS NOT NULL;
";

/// Opens the file, making it where there is none, and checks that it is of this release.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let sql = |error: rusqlite::Error| failed(path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| unavailable(path, &format!("its folder cannot be made: {error}")))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sql)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sql)?;
    // NORMAL: a power cut may take the last batches back, but their offsets with them, and Kafka still has what they held.
    connection
        .execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;")
        .map_err(sql)?;
    connection.set_prepared_statement_cache_capacity(64);
    match check(&mut connection) {
        Ok(Ok(())) => Ok(connection),
        Ok(Err(message)) => Err(foreign(path, &message)),
        Err(error) => Err(sql(error)),
    }
}

fn check(connection: &mut Connection) -> rusqlite::Result<Result<(), String>> {
    let pragma = |connection: &Connection, name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if pragma(connection, "user_version")? == 0 {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        // Not where another process was first.
        if tables == 0 {
            transaction.execute_batch(SCHEMA)?;
            for kind in RawKind::ALL {
                transaction.execute_batch(&format!(
                    "CREATE TABLE {} (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, ts INTEGER NOT NULL, doc TEXT NOT NULL,
                     PRIMARY KEY (city_id, zone_id)) WITHOUT ROWID",
                    kind.collection()
                ))?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            transaction.commit()?;
        }
    }
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Ok(Err("it is a database, but not City Live's: move it away".to_owned()));
    }
    let version = pragma(connection, "user_version")?;
    Ok(if version == SCHEMA_VERSION {
        Ok(())
    } else {
        Err(format!(
            "it has the schema version {version} of another release, this one reads {SCHEMA_VERSION}: use that release, or move \
             the file away, and it is filled anew from Kafka"
        ))
    })
}

/// SQLite's error as ours.
pub(super) fn failed(path: &Path, error: &rusqlite::Error) -> ArchiveError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => foreign(
            path,
            &format!(
                "the file is damaged ({error}): put a copy in its place, or move it away, and it is filled anew from Kafka"
            ),
        ),
        _ => match error {
            rusqlite::Error::FromSqlConversionFailure(..) => foreign(path, &error.to_string()),
            _ => unavailable(path, &error.to_string()),
        },
    }
}

pub(super) fn unavailable(path: &Path, message: &str) -> ArchiveError {
    ArchiveError::Unavailable { archive: ARCHIVE, message: format!("{}: {message}", path.display()) }
}

fn foreign(path: &Path, message: &str) -> ArchiveError {
    ArchiveError::Foreign { collection: path.display().to_string(), message: message.to_owned() }
}
