//! What is read.

use std::{panic::resume_unwind, thread};

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};
use serde::de::DeserializeOwned;

use crate::{
    city_live::archive::{
        Alert, AlertQuery, FeatureHour, ModelOutput, ProcessedZone, Raw311, RawKind, RawValue, RiskScore, Selection,
        StoredOffset,
    },
    twin::time::Time,
};

/// Reads JSON of ours; the error names the column.
pub(super) fn json<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// A zone as the column has it.
pub(super) fn zone(stored: String) -> Option<String> {
    Some(stored).filter(|zone| !zone.is_empty())
}

/// A row whose first column is the document.
fn document<T: DeserializeOwned>(row: &Row<'_>) -> rusqlite::Result<T> {
    json(0, row.get_ref(0)?.as_str()?)
}

fn documents<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(values, document)?.collect()
}

/// The same of many rows: they are parsed in pieces on the other cores while the next piece is read.
fn many_documents<T: DeserializeOwned + Send>(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<Vec<T>> {
    const PIECE: usize = 20_000;
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    thread::scope(|scope| {
        let mut parts = Vec::new();
        loop {
            let mut piece = Piece::default();
            while piece.ends.len() < PIECE
                && let Some(row) = rows.next()?
            {
                piece.push(row.get_ref(0)?.as_str()?);
            }
            let last = piece.ends.len() < PIECE;
            if last && parts.is_empty() {
                return piece.parse();
            }
            parts.push(scope.spawn(move || piece.parse()));
            if last {
                break;
            }
        }
        let mut all = Vec::with_capacity(parts.len() * PIECE);
        for part in parts {
            all.extend(part.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(all)
    })
}

/// Texts one after the other.
#[derive(Default)]
struct Piece {
    text: String,
    ends: Vec<usize>,
}

impl Piece {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    fn parse<T: DeserializeOwned>(&self) -> rusqlite::Result<Vec<T>> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| json(0, &self.text[begin..*end])).collect()
    }
}

pub(super) fn revision(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT revision FROM state")?.query_row([], |row| row.get(0))
}

pub(super) fn last_seq(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT seq FROM state")?.query_row([], |row| row.get(0))
}

pub(super) fn offsets(connection: &Connection) -> rusqlite::Result<Vec<StoredOffset>> {
    connection
        .prepare_cached("SELECT cluster, topic, partition, next FROM city_live_offsets ORDER BY topic, partition")?
        .query_map([], |row| {
            Ok(StoredOffset { cluster: row.get(0)?, topic: row.get(1)?, partition: row.get(2)?, offset: row.get(3)? })
        })?
        .collect()
}

pub(super) fn selection(connection: &Connection) -> rusqlite::Result<Option<Selection>> {
    let stored: Option<String> =
        connection.prepare_cached("SELECT selection FROM state")?.query_row([], |row| row.get(0))?;
    stored.map(|text| json(0, &text)).transpose()
}

pub(super) fn known(connection: &Connection, keys: &[String]) -> rusqlite::Result<Vec<String>> {
    let mut look = connection.prepare_cached("SELECT 1 FROM kafka_live_feed WHERE key = ?1")?;
    let mut known = Vec::new();
    for key in keys {
        if look.exists([key])? {
            known.push(key.clone());
        }
    }
    Ok(known)
}

pub(super) fn raw(connection: &Connection, city: &str, kind: RawKind) -> rusqlite::Result<Vec<RawValue>> {
    let sql = format!("SELECT doc FROM {} WHERE city_id = ?1 ORDER BY zone_id", kind.collection());
    documents(connection, &sql, [city])
}

pub(super) fn calls(connection: &Connection, city: &str) -> rusqlite::Result<Vec<Raw311>> {
    documents(connection, "SELECT doc FROM raw_311 WHERE city_id = ?1 ORDER BY zone_id", [city])
}

pub(super) fn processed(connection: &Connection, city: &str) -> rusqlite::Result<Vec<ProcessedZone>> {
    documents(connection, "SELECT doc FROM processed_zone_data WHERE city_id = ?1 ORDER BY zone_id", [city])
}

pub(super) fn alerts(connection: &Connection, query: &AlertQuery) -> rusqlite::Result<Vec<Alert>> {
    let mut sql = "SELECT doc FROM alerts WHERE city_id = ?".to_owned();
    let mut values = vec![Value::from(query.city_id.clone())];
    if let Some(zone) = &query.zone_id {
        sql.push_str(" AND zone_id = ?");
        values.push(Value::from(zone.clone()));
    }
    if !query.status.is_empty() {
        let marks = vec!["?"; query.status.len()].join(", ");
        sql.push_str(&format!(" AND status IN ({marks})"));
        values.extend(query.status.iter().map(|status| Value::from(status.name().to_owned())));
    }
    sql.push_str(" ORDER BY raised_at DESC, alert_id LIMIT ?");
    values.push(Value::from(i64::try_from(query.limit).unwrap_or(i64::MAX)));
    documents(connection, &sql, params_from_iter(values))
}

pub(super) fn alert(connection: &Connection, id: &str) -> rusqlite::Result<Option<Alert>> {
    connection.prepare_cached("SELECT doc FROM alerts WHERE alert_id = ?1")?.query_row([id], document).optional()
}

pub(super) fn outputs(connection: &Connection, city: &str, zone: Option<&str>) -> rusqlite::Result<Vec<ModelOutput>> {
    match zone {
        Some(zone) => documents(
            connection,
            "SELECT doc FROM model_outputs WHERE city_id = ?1 AND zone_id = ?2 ORDER BY model",
            [city, zone],
        ),
        None => {
            documents(connection, "SELECT doc FROM model_outputs WHERE city_id = ?1 ORDER BY zone_id, model", [city])
        }
    }
}

pub(super) fn features(
    connection: &Connection,
    city: &str,
    zone: Option<&str>,
    since: Time,
) -> rusqlite::Result<Vec<FeatureHour>> {
    match zone {
        Some(zone) => documents(
            connection,
            "SELECT doc FROM features_hourly WHERE city_id = ?1 AND zone_id = ?2 AND hour >= ?3 ORDER BY hour",
            params![city, zone, since.0],
        ),
        None => many_documents(
            connection,
            "SELECT doc FROM features_hourly WHERE city_id = ?1 AND hour >= ?2 ORDER BY zone_id, hour",
            params![city, since.0],
        ),
    }
}

pub(super) fn risk_scores(
    connection: &Connection,
    city: &str,
    zone: &str,
    since: Time,
) -> rusqlite::Result<Vec<RiskScore>> {
    documents(
        connection,
        "SELECT doc FROM risk_scores WHERE city_id = ?1 AND zone_id = ?2 AND ts >= ?3 ORDER BY ts",
        params![city, zone, since.0],
    )
}
