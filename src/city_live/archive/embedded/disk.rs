//! The file: opened and checked.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::{
    city_live::archive::{ArchiveError, RawKind, Result},
    store::sqlite::{self, Format, Refused},
};

/// How this archive is called in errors.
pub(super) const ARCHIVE: &str = "the embedded archive";

const FORMAT: Format = Format {
    // "CTlv" in ASCII.
    application_id: 0x4354_6c76,
    version: 2,
    owner: "City Live's",
    afterwards: "it is filled anew from Kafka",
    // A power cut may take the last batches back, but their offsets with them, and Kafka still has what they held.
    synchronous: "NORMAL",
};

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
    let connection = sqlite::open(path, &FORMAT, |new| {
        new.execute_batch(SCHEMA)?;
        RawKind::ALL.into_iter().try_for_each(|kind| {
            new.execute_batch(&format!(
                "CREATE TABLE {} (city_id TEXT NOT NULL, zone_id TEXT NOT NULL, ts INTEGER NOT NULL, doc TEXT NOT NULL,
                 PRIMARY KEY (city_id, zone_id)) WITHOUT ROWID",
                kind.collection()
            ))
        })
    })
    .map_err(|refused| match refused {
        Refused::Folder(error) => unavailable(path, &format!("its folder cannot be made: {error}")),
        Refused::Sql(error) => failed(path, &error),
        Refused::Foreign(message) => foreign(path, &message),
    })?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
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
