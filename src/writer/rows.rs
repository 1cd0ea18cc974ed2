//! A city's entities as the store's rows.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    store::{Row, Table},
    twin::{
        change::{Dirty, RowKey},
        city::Progress,
        entity::Entity,
        event::Topic,
        model::Kind,
        time::Time,
        view::View,
    },
};

/// What the rows mean. A store that holds another number is of another release.
pub const SCHEMA: &str = "1";

/// Fields of [`Table::City`].
pub mod city_field {
    /// The city's id, as JSON text.
    pub const ID: &str = "cityId";
    /// The city's name, as JSON text.
    pub const NAME: &str = "name";
    /// [`super::SCHEMA`].
    pub const SCHEMA: &str = "schema";
    /// Counts imports and removals: what is not in the topics.
    pub const MODEL_VERSION: &str = "modelVersion";
    /// The last boundary, as RFC 3339 in JSON text.
    pub const BOUNDARY: &str = "boundary";
}

/// The row of [`Table::Offsets`] for one partition.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OffsetRow {
    /// The offset of the next record to fold.
    pub offset: i64,
    /// The newest time of an event of this partition, RFC 3339.
    pub event_time: Option<String>,
    /// The cluster that the offset belongs to.
    pub cluster: String,
}

/// The table that an entity's row stands in.
pub fn table(kind: Kind, district: &str) -> Table {
    match kind {
        Kind::District => Table::Districts,
        Kind::Sensor => Table::Sensors(district.to_owned()),
        Kind::Building => Table::Buildings(district.to_owned()),
        Kind::WeatherStation => Table::WeatherStations(district.to_owned()),
        Kind::Node => Table::Nodes(district.to_owned()),
        Kind::Edge => Table::Edges(district.to_owned()),
        Kind::Bus => Table::Buses,
        Kind::Station => Table::Stations,
        Kind::Incident => Table::Incidents,
        Kind::Unit => Table::Units,
    }
}

/// The kind and the district of a table's rows; `None` for tables that hold no entities.
pub fn kind_of(table: &Table) -> Option<(Kind, &str)> {
    Some(match table {
        Table::Districts => (Kind::District, ""),
        Table::Sensors(district) => (Kind::Sensor, district),
        Table::Buildings(district) => (Kind::Building, district),
        Table::WeatherStations(district) => (Kind::WeatherStation, district),
        Table::Nodes(district) => (Kind::Node, district),
        Table::Edges(district) => (Kind::Edge, district),
        Table::Buses => (Kind::Bus, ""),
        Table::Stations => (Kind::Station, ""),
        Table::Incidents => (Kind::Incident, ""),
        Table::Units => (Kind::Unit, ""),
        _ => return None,
    })
}

/// What is dirty as rows: present values, and what is gone.
pub fn dirty_rows(dirty: &Dirty, view: &View) -> Vec<Row> {
    let mut rows = Vec::with_capacity(dirty.handles.len());
    let row = |key: RowKey, value: Option<Bytes>| Row { table: table(key.kind, &key.district), field: key.id, value };
    // What moved to another district goes first: it may have come back.
    rows.extend(dirty.rows_gone.iter().map(|key| row(key.clone(), None)));
    for slot in dirty.handles.iter().filter_map(|handle| view.slot(*handle)) {
        let value = (slot.gone == 0).then(|| Bytes::from(slot.entity.stored_json()));
        rows.push(row(RowKey::of(&slot.entity), value));
    }
    for (global, at) in &dirty.removals {
        let value = at.map(|at| json_text(&at.to_string()));
        rows.push(Row { table: Table::Removed, field: global.clone(), value });
    }
    rows
}

/// Everything in a view as rows.
pub fn all_rows(view: &View) -> Vec<Row> {
    let row = |entity: &Entity| {
        let key = RowKey::of(entity);
        Row { table: table(key.kind, &key.district), field: key.id, value: Some(entity.stored_json().into()) }
    };
    view.entities(&Kind::ALL).map(row).collect()
}

/// The field of a partition in [`Table::Offsets`].
pub fn offset_field(topic: Topic, partition: i32) -> String {
    format!("{}/{partition}", topic.name())
}

/// The partition of a field of [`Table::Offsets`].
pub fn partition_of(field: &str) -> Option<(Topic, i32)> {
    let (topic, partition) = field.rsplit_once('/')?;
    Some((Topic::from_name(topic)?, partition.parse().ok()?))
}

/// A partition's row; `offset` is the one that may be stored.
pub fn offset_row(topic: Topic, partition: i32, offset: i64, progress: Progress, cluster: &str) -> Row {
    let event_time = progress.newest.map(|time| time.to_string());
    let value = OffsetRow { offset, event_time, cluster: cluster.to_owned() };
    // Three plain fields always serialise.
    let value = serde_json::to_vec(&value).unwrap_or_default();
    Row { table: Table::Offsets, field: offset_field(topic, partition), value: Some(value.into()) }
}

/// A row of [`Table::City`].
pub fn city_row(field: &str, value: Bytes) -> Row {
    Row { table: Table::City, field: field.to_owned(), value: Some(value) }
}

/// A string as JSON.
pub fn json_text(text: &str) -> Bytes {
    let mut json = Vec::with_capacity(text.len() + 2);
    crate::twin::json::write_text(text, &mut json);
    json.into()
}

/// A time from its JSON text.
pub fn json_time(value: &[u8]) -> Option<Time> {
    Time::parse(&serde_json::from_slice::<String>(value).ok()?)
}
