//! What is written, each in one transaction of the caller's.

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{lease::revise, read};
use crate::{
    city_live::{
        archive::{
            Alert, AlertStatus, Document, FeatureHour, Intake, Processed, RawKind, RiskScore, Selection,
            merge_acknowledgement, zone_documents,
        },
        catalogue::LiveCity,
    },
    twin::time::Time,
};

/// Rows that one transaction drops at most: others write between.
const STEP: i64 = 5000;

/// A document as it is kept.
fn json(document: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(document).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn column(zone: Option<&String>) -> &str {
    zone.map_or("", String::as_str)
}

pub(super) fn zones(transaction: &Transaction<'_>, city: &LiveCity) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM zones WHERE city_id = ?1", [&city.id])?;
    let mut put = transaction.prepare_cached("INSERT INTO zones (city_id, zone_id, doc) VALUES (?1, ?2, ?3)")?;
    for document in zone_documents(city) {
        let text = |document: &Document, field: &str| document[field].as_str().unwrap_or_default().to_owned();
        put.execute(params![city.id, text(&document, "zone_id"), json(&document)?])?;
    }
    revise(transaction)
}

pub(super) fn select(transaction: &Transaction<'_>, selection: &Selection) -> rusqlite::Result<()> {
    transaction.prepare_cached("UPDATE state SET selection = ?1")?.execute([json(selection)?])?;
    revise(transaction)
}

pub(super) fn take_in(transaction: &Transaction<'_>, intake: &Intake) -> rusqlite::Result<()> {
    // A repetition may bring a row under another number, or the very same row: either is left as it is.
    let mut insert = transaction.prepare_cached(
        "INSERT INTO kafka_live_feed (seq, key, topic, ts, ingested_at, source, payload, city_id, zone_id) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
    )?;
    for item in &intake.items {
        insert.execute(params![
            item.seq,
            item.key,
            item.topic,
            item.ts.0,
            item.ingested_at.0,
            item.source,
            json(&item.payload)?,
            item.city_id,
            column(item.zone_id.as_ref()),
        ])?;
    }
    // Beside the rows, which expire: numbers never begin anew.
    if let Some(last) = intake.last_seq() {
        transaction.prepare_cached("UPDATE state SET seq = max(seq, ?1)")?.execute([last])?;
    }
    for value in &intake.raw {
        let Some(kind) = RawKind::of(&value.payload) else { continue };
        transaction
            .prepare_cached(&format!(
                "INSERT INTO {0} (city_id, zone_id, ts, doc) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (city_id, zone_id) \
                 DO UPDATE SET ts = excluded.ts, doc = excluded.doc WHERE excluded.ts >= {0}.ts",
                kind.collection()
            ))?
            .execute(params![value.city_id, column(value.zone_id.as_ref()), value.ts.0, json(value)?])?;
    }
    let mut put = transaction.prepare_cached(
        "INSERT INTO raw_311 (city_id, zone_id, doc) VALUES (?1, ?2, ?3) \
         ON CONFLICT (city_id, zone_id) DO UPDATE SET doc = excluded.doc",
    )?;
    for calls in &intake.calls {
        put.execute(params![calls.city_id, column(calls.zone_id.as_ref()), json(calls)?])?;
    }
    for hour in &intake.hours {
        put_hour(transaction, hour)?;
    }
    let mut note = transaction.prepare_cached(
        "INSERT INTO city_live_offsets (topic, partition, cluster, next) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (topic, partition) DO UPDATE SET cluster = excluded.cluster, next = excluded.next",
    )?;
    for offset in &intake.offsets {
        note.execute(params![offset.topic, offset.partition, offset.cluster, offset.offset])?;
    }
    if intake.is_silent() { Ok(()) } else { revise(transaction) }
}

/// Values over those that the hour has already.
fn put_hour(transaction: &Transaction<'_>, hour: &FeatureHour) -> rusqlite::Result<()> {
    let mut hour = hour.clone();
    let stored: Option<String> = transaction
        .prepare_cached("SELECT doc FROM features_hourly WHERE city_id = ?1 AND zone_id = ?2 AND hour = ?3")?
        .query_row(params![hour.city_id, column(hour.zone_id.as_ref()), hour.hour.0], |row| row.get(0))
        .optional()?;
    if let Some(stored) = stored {
        let stored: FeatureHour = read::json(0, &stored)?;
        let values = std::mem::replace(&mut hour.values, stored.values);
        hour.values.extend(values);
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO features_hourly (city_id, zone_id, hour, doc) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![hour.city_id, column(hour.zone_id.as_ref()), hour.hour.0, json(&hour)?])?;
    Ok(())
}

pub(super) fn processed(transaction: &Transaction<'_>, processed: &Processed) -> rusqlite::Result<()> {
    // Zones that the catalogue no longer has go with it.
    transaction.prepare_cached("DELETE FROM processed_zone_data WHERE city_id = ?1")?.execute([&processed.city_id])?;
    let mut zone_row = transaction
        .prepare_cached("INSERT OR REPLACE INTO processed_zone_data (city_id, zone_id, doc) VALUES (?1, ?2, ?3)")?;
    let mut risk_row = transaction
        .prepare_cached("INSERT OR REPLACE INTO risk_scores (city_id, zone_id, ts, doc) VALUES (?1, ?2, ?3, ?4)")?;
    for zone in &processed.zones {
        zone_row.execute(params![zone.city_id, zone.zone_id, json(zone)?])?;
        let risk = RiskScore::of(zone);
        risk_row.execute(params![risk.city_id, risk.zone_id, risk.ts.0, json(&risk)?])?;
    }
    let mut feature_row = transaction.prepare_cached(
        "INSERT OR REPLACE INTO features_hourly (city_id, zone_id, hour, doc) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for feature in &processed.features {
        feature_row.execute(params![
            feature.city_id,
            column(feature.zone_id.as_ref()),
            feature.hour.0,
            json(feature)?
        ])?;
    }
    for alert in &processed.alerts {
        let stored = read::alert(transaction, &alert.alert_id)?;
        put_alert(transaction, &merge_acknowledgement(alert, stored.as_ref()))?;
    }
    let mut output_row = transaction.prepare_cached(
        "INSERT OR REPLACE INTO model_outputs (city_id, zone_id, model, doc) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for output in &processed.outputs {
        output_row.execute(params![output.city_id, output.zone_id, output.model, json(output)?])?;
    }
    revise(transaction)
}

fn put_alert(transaction: &Transaction<'_>, alert: &Alert) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO alerts (alert_id, city_id, zone_id, status, raised_at, cleared_at, doc) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            alert.alert_id,
            alert.city_id,
            column(alert.zone_id.as_ref()),
            alert.status.name(),
            alert.raised_at.0,
            alert.cleared_at.filter(|_| alert.status == AlertStatus::Cleared).map(|at| at.0),
            json(alert)?
        ])?;
    Ok(())
}

pub(super) fn acknowledge(transaction: &Transaction<'_>, id: &str, at: Time) -> rusqlite::Result<Option<Alert>> {
    let Some(mut alert) = read::alert(transaction, id)? else { return Ok(None) };
    if alert.acknowledge(at) {
        put_alert(transaction, &alert)?;
        revise(transaction)?;
    }
    Ok(Some(alert))
}

/// Drops some of the history that is older; `false`: nothing is left to drop.
pub(super) fn expire_history(transaction: &Transaction<'_>, before: Time, dropped: &mut u64) -> rusqlite::Result<bool> {
    let mut any = false;
    for sql in [
        "DELETE FROM features_hourly WHERE (city_id, zone_id, hour) IN \
         (SELECT city_id, zone_id, hour FROM features_hourly WHERE hour < ?1 LIMIT ?2)",
        "DELETE FROM risk_scores WHERE (city_id, zone_id, ts) IN \
         (SELECT city_id, zone_id, ts FROM risk_scores WHERE ts < ?1 LIMIT ?2)",
        "DELETE FROM alerts WHERE alert_id IN (SELECT alert_id FROM alerts WHERE cleared_at < ?1 LIMIT ?2)",
    ] {
        let count = transaction.prepare_cached(sql)?.execute(params![before.0, STEP])?;
        any |= count > 0;
        *dropped += count as u64;
    }
    Ok(any)
}
