//! `citytwin offsets reset`.

use std::{collections::BTreeMap, io::Write as _, sync::Arc, time::Duration};

use super::{ResetArgs, partitions};
use crate::{
    cli::{ResetTo, table::table},
    kafka::{
        Cluster, is_same_cluster,
        topics::{INPUT_TOPICS, Watermarks},
    },
    store::TwinStore,
    twin::event::Topic,
    writer::{Offline, stored_offsets},
};

/// One partition's move; `from` is `None` where nothing is stored, or another cluster's offset.
struct Moved {
    from: Option<i64>,
    low: i64,
    to: i64,
}

/// Moves the offsets, under the lease, and tells what that means.
pub async fn run(
    args: &ResetArgs,
    store: Arc<dyn TwinStore>,
    cluster: &Cluster,
    lease: Duration,
) -> anyhow::Result<()> {
    let topics = args.topic.as_deref().map_or_else(|| INPUT_TOPICS.to_vec(), |topic| vec![topic]);
    let mut there = partitions(cluster, &topics).await?;
    there.retain(|(_, partition), _| args.partition.is_none_or(|only| only == *partition));
    match (&args.topic, args.partition) {
        (Some(topic), Some(partition)) if there.is_empty() => {
            anyhow::bail!("kafka topic {topic} has no partition {partition}");
        }
        (Some(topic), None) if there.is_empty() => anyhow::bail!("kafka topic {topic} does not exist"),
        _ if there.is_empty() => anyhow::bail!("Kafka has none of the nine topics"),
        _ => {}
    }
    let targets = targets(args.to, cluster, &there).await?;
    let id = cluster.id().await?;
    let offline = Offline::begin(Arc::clone(&store), lease).await?;
    let outcome = async {
        let stored = stored_offsets(&*store).await?;
        offline.set_offsets(&targets, &id).await?;
        anyhow::Ok(stored)
    }
    .await;
    offline.release().await;
    let stored = outcome?;
    let moved: BTreeMap<(Topic, i32), Moved> = targets
        .iter()
        .map(|(at, to)| {
            let from = stored.get(at).filter(|held| is_same_cluster(&held.cluster, &id)).map(|held| held.offset);
            (*at, Moved { from, low: there.get(at).map_or(0, |marks| marks.low), to: *to })
        })
        .collect();
    warn(&moved);
    let row = |((topic, partition), moved): (&(Topic, i32), &Moved)| {
        let from = moved.from.map_or_else(|| "-".to_owned(), |from| from.to_string());
        vec![topic.name().to_owned(), partition.to_string(), from, moved.to.to_string()]
    };
    let rows: Vec<Vec<String>> = moved.iter().map(row).collect();
    crate::cli::print(&table(&["topic", "partition", "from", "to"], &rows, 1))?;
    Ok(())
}

async fn targets(
    to: ResetTo,
    cluster: &Cluster,
    there: &BTreeMap<(Topic, i32), Watermarks>,
) -> anyhow::Result<BTreeMap<(Topic, i32), i64>> {
    let at = |of: fn(&Watermarks) -> i64| there.iter().map(|(at, marks)| (*at, of(marks))).collect();
    Ok(match to {
        ResetTo::Earliest => at(|marks| marks.low),
        ResetTo::End => at(|marks| marks.high),
        ResetTo::At(time) => {
            let asked: Vec<(String, i32)> =
                there.keys().map(|(topic, partition)| (topic.name().to_owned(), *partition)).collect();
            let offsets = cluster.offsets_at(&asked, time.as_millisecond()).await?;
            there.keys().copied().zip(offsets).collect()
        }
    })
}

/// Says what the move costs: the city in the store stays as it is, and only what is read next changes.
fn warn(moved: &BTreeMap<(Topic, i32), Moved>) {
    let starts = || moved.values().map(|moved| (moved.from.unwrap_or(moved.low).max(moved.low), moved.to));
    let again: i64 = starts().map(|(from, to)| (from - to).max(0)).sum();
    let never: i64 = starts().map(|(from, to)| (to - from).max(0)).sum();
    let mut out = std::io::stderr().lock();
    // Nobody may be reading; then nobody misses it.
    let mut say = |line: String| drop(writeln!(out, "citytwin: warning: {line}"));
    if never > 0 {
        say(format!(
            "{never} records will never be folded: the city lacks what they say, and is no longer what the topics lead to"
        ));
    }
    if again > 0 {
        say(format!(
            "{again} records will be folded once more: where the city is newer they are stale and change nothing, but an \
             incident that was resolved and forgotten comes back until it has aged again, and they are counted twice; to \
             fold the topics anew from nothing, empty the store instead"
        ));
    }
}
