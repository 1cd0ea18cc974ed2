//! A city from the store's rows.

use crate::{
    store::{StoreError, Stored, StoredRow, Table},
    twin::{
        city::{City, Progress},
        parse::entity,
        time::Time,
    },
};

use super::rows::{OffsetRow, SCHEMA, city_field, json_time, kind_of, partition_of};

/// A city as it was stored.
#[derive(Debug)]
pub struct Loaded {
    pub city: City,
    /// Counts imports and removals.
    pub model_version: u64,
    /// The last boundary that a flush knew of.
    pub boundary: Option<Time>,
    /// Partitions whose stored offsets belong to another cluster: they are read from the beginning.
    pub foreign_offsets: usize,
}

/// Why stored rows are no city.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another release has written it.
    #[error(
        "the store holds schema {found}, this release reads {SCHEMA}: use the release that wrote it, or empty the store"
    )]
    OtherSchema { found: String },
    /// A row that no release has written so.
    #[error("the store's row {row} cannot be read: {problem}; remove it, or empty the store to fold the topics anew")]
    BadRow { row: String, problem: String },
}

/// Makes a city of what a store holds; `None` where it holds none. `cluster` is the identity of the one that is read.
///
/// # Errors
/// A schema of another release, or rows that cannot be read: never half a city.
pub fn load(
    stored: Stored,
    city_id: &str,
    default_name: &str,
    retention_ms: Option<i64>,
    cluster: &str,
) -> Result<Option<Loaded>, LoadError> {
    let facts = |field: &str| {
        stored.rows.iter().find(|row| row.table == Table::City && row.field == field).map(|row| row.value.clone())
    };
    let Some(schema) = facts(city_field::SCHEMA) else {
        // The mark comes with the last chunk of a first flush, with the offsets: rows without any fact about the whole are
        // of one that was cut short, and stand for nothing yet. Facts without the mark are not ours.
        return if stored.rows.iter().any(|row| row.table == Table::City) {
            Err(LoadError::OtherSchema { found: "none".to_owned() })
        } else {
            Ok(None)
        };
    };
    if schema != SCHEMA.as_bytes() {
        return Err(LoadError::OtherSchema { found: String::from_utf8_lossy(&schema).into_owned() });
    }
    let name = facts(city_field::NAME).and_then(|name| serde_json::from_slice::<String>(&name).ok());
    let number = |field: &str| facts(field).and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok());
    let mut loaded = Loaded {
        city: City::new(city_id, name.as_deref().unwrap_or(default_name), retention_ms),
        model_version: number(city_field::MODEL_VERSION).unwrap_or(0),
        boundary: facts(city_field::BOUNDARY).and_then(|value| json_time(&value)),
        foreign_offsets: 0,
    };
    let mut rows = stored.rows;
    // Districts come before what is in them, and ids ascend, which the city's ordered lists take fastest.
    let rank = |table: &Table| kind_of(table).map(|(kind, district)| (kind, district.to_owned()));
    rows.sort_by(|a, b| (rank(&a.table), &a.field).cmp(&(rank(&b.table), &b.field)));
    for row in rows {
        take(&mut loaded, &row, cluster)?;
    }
    Ok(Some(loaded))
}

fn take(loaded: &mut Loaded, row: &StoredRow, cluster: &str) -> Result<(), LoadError> {
    let bad = |problem: String| LoadError::BadRow { row: format!("{:?} {:?}", row.table, row.field), problem };
    if let Some((kind, district)) = kind_of(&row.table) {
        let text = std::str::from_utf8(&row.value).map_err(|_| bad("is no UTF-8".to_owned()))?;
        let parsed = entity(kind, district, text).map_err(|problems| {
            let first = problems.first().map(|problem| format!("{} {}", problem.field, problem.message));
            bad(first.unwrap_or_default())
        })?;
        if parsed.id() != row.field {
            return Err(bad(format!("is of {:?}", parsed.id())));
        }
        if !district.is_empty() && loaded.city.view().district(district).is_none() {
            return Err(bad(format!("stands in the district {district:?}, which has no row")));
        }
        loaded.city.set_parsed(parsed);
        return Ok(());
    }
    match &row.table {
        Table::Offsets => {
            let (topic, partition) =
                partition_of(&row.field).ok_or_else(|| bad("is no partition of an input topic".to_owned()))?;
            let offset: OffsetRow = serde_json::from_slice(&row.value).map_err(|error| bad(error.to_string()))?;
            if offset.cluster == cluster {
                let newest = offset.event_time.as_deref().and_then(Time::parse);
                loaded.city.set_progress(topic, partition, Progress { next: offset.offset, newest });
            } else {
                loaded.foreign_offsets += 1;
            }
        }
        Table::Removed => {
            let at = json_time(&row.value).ok_or_else(|| bad("is no time".to_owned()))?;
            loaded.city.remember_removal(row.field.clone(), at);
        }
        _ => {}
    }
    Ok(())
}
