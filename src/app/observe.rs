//! Metrics that nobody counts in passing: looked up now and then.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::{
    ingest::Fold,
    instance::Health,
    kafka::Cluster,
    telemetry::{self, Store},
    twin::{event::Topic, model::Kind},
};

/// How often; a scrape every 15 s sees fresh values.
const EVERY: Duration = Duration::from_secs(5);

/// Observes until the future is dropped. What the city holds does not wait for Kafka's answers.
pub(super) async fn run(cluster: Cluster, fold: Arc<Fold>, health: Arc<Health>, embedded_store: bool) {
    tokio::join!(count(&fold), look(&cluster, &fold, &health, embedded_store));
}

/// What the city holds.
async fn count(fold: &Fold) {
    let mut tick = every();
    loop {
        tick.tick().await;
        let view = fold.view();
        telemetry::revision().set(view.revision as f64);
        for kind in Kind::ALL {
            telemetry::entities(kind.prefix()).set(view.count(kind) as f64);
        }
    }
}

/// How store and broker are.
async fn look(cluster: &Cluster, fold: &Fold, health: &Health, embedded_store: bool) {
    let store = telemetry::store_up(if embedded_store { Store::Embedded } else { Store::Redis });
    let mut tick = every();
    loop {
        tick.tick().await;
        let faults = health.faults();
        let up = |what: &str| if faults.iter().any(|fault| fault.what == what) { 0.0 } else { 1.0 };
        store.set(up("store"));
        // A broker that is known to be away is not waited for.
        let broker = up("kafka");
        let reached = broker > 0.0 && lag(cluster, fold).await;
        telemetry::broker_up().set(if reached { broker } else { 0.0 });
    }
}

fn every() -> tokio::time::Interval {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tick
}

/// How far each partition is behind its end; `false` where Kafka does not answer.
async fn lag(cluster: &Cluster, fold: &Fold) -> bool {
    let progress: HashMap<(Topic, i32), i64> =
        fold.with(|city| city.progress().iter().map(|(at, progress)| (*at, progress.next)).collect());
    let partitions: Vec<(Topic, i32)> = progress.keys().copied().collect();
    let names: Vec<(String, i32)> = partitions.iter().map(|(topic, p)| (topic.name().to_owned(), *p)).collect();
    let Ok(marks) = cluster.watermarks(&names).await else { return false };
    for ((topic, partition), marks) in partitions.into_iter().zip(marks) {
        let behind = marks.high - progress[&(topic, partition)];
        telemetry::consumer_lag(topic.name(), partition).set(behind.max(0) as f64);
    }
    true
}
