//! The feed: a page of it, and its end of life.

use rusqlite::{Connection, Transaction, params, types::Value};

use crate::{
    city_live::archive::{FeedItem, FeedQuery},
    twin::time::Time,
};

use super::read::{json, zone};

/// Rows that one transaction drops at most: others write between.
const STEP: usize = 5000;

/// So many rows since a moment are sorted rather than looked for among all: of those who ask what came lately, most find less than a
/// page, and would walk to the feed's other end for more.
const FEW: usize = 5000;

/// A page, newest first (with `after`: oldest first).
pub(super) fn page(connection: &Connection, query: &FeedQuery) -> rusqlite::Result<Vec<FeedItem>> {
    let mut conditions = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut with = |condition: &'static str, value: Value| {
        conditions.push(condition);
        values.push(value);
    };
    // The narrowest filter walks its index; the others are looked at on the way.
    let index = match (&query.zone_id, query.topic, &query.city_id) {
        _ if few_since(connection, query.since)? => "INDEXED BY feed_ts",
        (Some(_), ..) => "INDEXED BY feed_zone",
        // A topic alone would be walked past all rows of the city that is followed now.
        (None, Some(_), Some(_)) => "INDEXED BY feed_city_topic",
        (None, Some(_), None) => "INDEXED BY feed_topic",
        (None, None, Some(_)) => "INDEXED BY feed_city",
        (None, None, None) => "NOT INDEXED",
    };
    if let Some(city) = &query.city_id {
        with("city_id = ?", Value::from(city.clone()));
    }
    if let Some(topic) = query.topic {
        with("topic = ?", Value::from(topic.name().to_owned()));
    }
    if let Some(zone) = &query.zone_id {
        with("zone_id = ?", Value::from(zone.clone()));
    }
    if let Some(since) = query.since {
        with("ts >= ?", Value::from(since.0));
    }
    if let Some(before) = query.before {
        with("seq < ?", Value::from(before));
    }
    if let Some(after) = query.after {
        with("seq > ?", Value::from(after));
    }
    let conditions = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let order = if query.after.is_some() { "ASC" } else { "DESC" };
    values.push(Value::from(i64::try_from(query.limit).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT seq, key, topic, ts, ingested_at, source, payload, city_id, zone_id FROM kafka_live_feed {index} \
         {conditions} ORDER BY seq {order} LIMIT ?"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok(FeedItem {
            seq: row.get(0)?,
            key: row.get(1)?,
            topic: row.get(2)?,
            ts: Time(row.get(3)?),
            ingested_at: Time(row.get(4)?),
            source: row.get(5)?,
            payload: json(6, row.get_ref(6)?.as_str()?)?,
            city_id: row.get(7)?,
            zone_id: zone(row.get(8)?),
        })
    })?;
    rows.collect()
}

fn few_since(connection: &Connection, since: Option<Time>) -> rusqlite::Result<bool> {
    let Some(since) = since else { return Ok(false) };
    let mut look = connection
        .prepare_cached("SELECT 1 FROM kafka_live_feed INDEXED BY feed_ts WHERE ts >= ?1 LIMIT 1 OFFSET ?2")?;
    Ok(!look.exists(params![since.0, FEW as i64])?)
}

/// Drops some of what is older; `false`: nothing is left to drop. `seq` ascends with `ingested_at`, so the walk from the first row on
/// ends at the first one that stays.
pub(super) fn expire(transaction: &Transaction<'_>, before: Time, dropped: &mut u64) -> rusqlite::Result<bool> {
    let mut walk = transaction.prepare_cached("SELECT seq, ingested_at FROM kafka_live_feed ORDER BY seq LIMIT ?1")?;
    let mut last = None;
    let mut rows = walk.query([STEP as i64])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= before.0 {
            break;
        }
        last = Some(row.get::<_, i64>(0)?);
    }
    let Some(last) = last else { return Ok(false) };
    *dropped +=
        transaction.prepare_cached("DELETE FROM kafka_live_feed WHERE seq <= ?1")?.execute(params![last])? as u64;
    Ok(true)
}
