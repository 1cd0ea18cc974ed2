//! `citytwin produce`: City Live's producer alone.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;

use super::cluster;
use crate::{
    city_live::{
        catalogue::Catalogue,
        producer::{Producer, follow, topics},
    },
    config::{Config, SettingArgs},
};

const EXAMPLES: &str = "\
Examples:
  citytwin produce                                       for the server on this machine
  TOMTOM_API_KEY=… EIA_API_KEY=… citytwin produce \\
    --kafka-brokers kafka:9092 --city-live-server http://twin:8080

The server beside it runs with CITY_LIVE=no-producer, so that each API is called once.";

/// The flags of `produce`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Run City Live's producer alone: call the web APIs about the city that is the current one of a server \
    (CITY_LIVE_SERVER), and send what they say to Kafka. Feeds without their key are off.", after_help = EXAMPLES)]
pub struct Args {
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Runs until it is told to stop.
///
/// # Errors
/// A catalogue or a setting that is wrong, a Kafka that cannot be reached at the start.
pub async fn run(_args: Args, config: Config) -> anyhow::Result<()> {
    let live = &config.city_live;
    let catalogue = Arc::new(Catalogue::load(live.cities_file.as_deref()).context("CITIES_FILE")?);
    let cluster = cluster::remote(&config.kafka)?;
    let stop = super::stop::on_signal()?;
    let wanted = topics(config.kafka.topic_partitions);
    let report = tokio::select! {
        report = cluster.ensure_topics(&wanted) => report?,
        () = stop.cancelled() => return Ok(()),
    };
    for warning in &report.warnings {
        tracing::warn!(%warning, "topic");
    }
    let producer = Producer::new(live, catalogue, &cluster, false)?;
    tracing::info!(server = live.server, brokers = cluster.brokers(), "City Live's producer runs");
    let (current, followed) = watch::channel(None);
    let following = follow(&live.server, current, stop.clone());
    let ((), followed) = tokio::join!(producer.run(followed, stop.clone()), following);
    Ok(followed?)
}
