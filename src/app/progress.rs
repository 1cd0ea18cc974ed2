//! The first load, as a person at a terminal sees it.

use std::{collections::HashMap, io::IsTerminal, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{ingest::Fold, instance::Health, kafka::Cluster, twin::event::Topic};

/// Shows how far the topics are folded until the city has caught up. Nothing where standard error is no terminal, and
/// nothing where it takes less than a second.
pub(super) async fn show(cluster: Cluster, fold: Arc<Fold>, health: Arc<Health>) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.tick().await;
    let mut bar: Option<(ProgressBar, u64)> = None;
    loop {
        tick.tick().await;
        if health.has_city() {
            break;
        }
        let Some(left) = left(&cluster, &fold).await else { continue };
        let (bar, total) = bar.get_or_insert_with(|| (ProgressBar::new(left).with_style(style()), left));
        bar.set_position(total.saturating_sub(left));
    }
    if let Some((bar, _)) = bar {
        bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let template = "  catching up [{bar:40}] {human_pos} of {human_len} events, {per_sec}, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// How many records are still to be read.
async fn left(cluster: &Cluster, fold: &Fold) -> Option<u64> {
    let partitions = cluster.partitions_of(&Topic::ALL.map(Topic::name)).await.ok()?;
    let all: Vec<(String, i32)> =
        partitions.into_iter().flat_map(|(topic, count)| (0..count).map(move |p| (topic.clone(), p))).collect();
    let marks = cluster.watermarks(&all).await.ok()?;
    let next: HashMap<(Topic, i32), i64> =
        fold.with(|city| city.progress().iter().map(|(at, progress)| (*at, progress.next)).collect());
    let left = all.iter().zip(marks).map(|((topic, partition), marks)| {
        let at = Topic::from_name(topic).and_then(|topic| next.get(&(topic, *partition)));
        (marks.high - at.copied().unwrap_or(marks.low)).max(0).unsigned_abs()
    });
    Some(left.sum())
}
