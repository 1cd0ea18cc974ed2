//! `citytwin replay FILE`: a recording into Kafka.

use std::path::PathBuf;

use clap::ValueHint;

use super::{Speed, Stamp};
use crate::config::{Config, SettingArgs};

const EXAMPLES: &str = "\
Examples:
  citytwin replay day.ndjson.gz --stamp now            as it was, as if it were today
  citytwin replay day.ndjson.gz --speed 60             an hour a minute
  citytwin replay day.ndjson.gz --speed max --create-topics

Records older than a topic's retention are deleted by the broker soon after: replay warns, and
--create-topics makes topics without retention.";

/// The flags of `replay`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Play a recording (NDJSON, plain, .gz or .zst) into Kafka, with the gaps that it has.",
    after_help = EXAMPLES)]
pub struct Args {
    /// The recording
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// How many times as fast as it was recorded, or max: as fast as the broker takes it
    #[arg(long, value_name = "N|max", default_value = "1")]
    pub speed: Speed,
    /// Which times the records carry
    #[arg(long, value_enum, default_value_t = Stamp::Held)]
    pub stamp: Stamp,
    /// Create missing topics, with KAFKA_TOPIC_PARTITIONS partitions and without retention
    #[arg(long)]
    pub create_topics: bool,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Plays the recording to its end.
///
/// # Errors
/// Where the file cannot be read or Kafka not be written.
#[expect(clippy::unused_async, reason = "the recording is wired in by app.rs")]
pub async fn run(_args: Args, _config: Config) -> anyhow::Result<()> {
    anyhow::bail!("replay is not available in this build")
}
