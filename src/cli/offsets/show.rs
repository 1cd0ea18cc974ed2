//! `citytwin offsets show`.

use serde::Serialize;

use super::{OffsetsFormat, ShowArgs, partitions};
use crate::{
    cli::table::table,
    kafka::{Cluster, is_same_cluster, topics::INPUT_TOPICS},
    store::TwinStore,
    writer::stored_offsets,
};

/// One partition. What is not known is null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    topic: &'static str,
    partition: i32,
    /// The offset of the next record to fold.
    offset: Option<i64>,
    /// The newest time of an event.
    event_time: Option<String>,
    /// Whether the offset belongs to another Kafka cluster: it is not used then.
    foreign: bool,
    /// The offset that the next record gets.
    end: Option<i64>,
    /// How many offsets are still to be folded; from the partition's first where none is stored. Of a foreign offset nobody
    /// knows.
    lag: Option<i64>,
}

/// Prints every partition that Kafka or the store knows.
pub async fn run(args: &ShowArgs, store: &dyn TwinStore, cluster: &Cluster) -> anyhow::Result<()> {
    let stored = stored_offsets(store).await?;
    let there = partitions(cluster, &INPUT_TOPICS).await?;
    let id = cluster.id().await?;
    let mut keys: Vec<_> = stored.keys().chain(there.keys()).copied().collect();
    keys.sort_by_key(|(topic, partition)| (topic.name(), *partition));
    keys.dedup();
    let shown: Vec<Shown> = keys
        .into_iter()
        .map(|at| {
            let (held, marks) = (stored.get(&at), there.get(&at));
            let foreign = held.is_some_and(|held| !is_same_cluster(&held.cluster, &id));
            let from = |low: i64| held.map_or(low, |held| held.offset);
            Shown {
                topic: at.0.name(),
                partition: at.1,
                offset: held.map(|held| held.offset),
                event_time: held.and_then(|held| held.event_time).map(|time| time.to_string()),
                foreign,
                end: marks.map(|marks| marks.high),
                lag: marks.filter(|_| !foreign).map(|marks| marks.high - from(marks.low).clamp(marks.low, marks.high)),
            }
        })
        .collect();
    let text = match args.format {
        OffsetsFormat::Json => serde_json::to_string_pretty(&shown)? + "\n",
        OffsetsFormat::Table => as_table(&shown),
    };
    crate::cli::print(&text)?;
    Ok(())
}

fn as_table(shown: &[Shown]) -> String {
    let or_dash = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let row = |shown: &Shown| {
        vec![
            shown.topic.to_owned(),
            shown.event_time.clone().unwrap_or_else(|| "-".to_owned()),
            shown.partition.to_string(),
            or_dash(shown.offset) + if shown.foreign { " (another cluster's)" } else { "" },
            or_dash(shown.end),
            or_dash(shown.lag),
        ]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    table(&["topic", "newest event", "partition", "offset", "end", "lag"], &rows, 2)
}
