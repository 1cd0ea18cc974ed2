//! `citytwin offsets`: what the store holds, and moving it while no server runs.

use std::{collections::BTreeMap, path::Path};

use clap::{Subcommand, ValueEnum, builder::PossibleValuesParser};

use super::{ResetTo, cluster};
use crate::{
    config::{Config, ConfigError, SettingArgs},
    kafka::{
        Cluster,
        topics::{INPUT_TOPICS, Watermarks},
    },
    store,
    twin::event::Topic,
};

mod reset;
mod show;

const EXAMPLES: &str = "\
Examples:
  citytwin offsets show
  citytwin offsets reset --to earliest
  citytwin offsets reset --to 2026-01-05T00:00:00Z --topic transport.gps --partition 2

The offsets stand in the store beside the state; Kafka's committed offsets only follow them.";

/// The flags of `offsets`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do with them.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the offsets.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Print each partition's stored offset, its newest event time, the partition's end and the lag
    Show(ShowArgs),
    /// Move stored offsets; refused while an instance holds the lease
    Reset(ResetArgs),
}

/// What `show` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OffsetsFormat {
    /// A table for people
    Table,
    /// A JSON array
    Json,
}

/// The flags of `offsets show`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// What to print
    #[arg(long, value_enum, default_value_t = OffsetsFormat::Table)]
    pub format: OffsetsFormat,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// The flags of `offsets reset`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ResetArgs {
    /// Where to: earliest, end, or the first record at or after a time in RFC 3339
    #[arg(long, value_name = "earliest|end|TIME")]
    pub to: ResetTo,
    /// Only this topic [default: all nine]
    #[arg(long, value_name = "TOPIC", value_parser = PossibleValuesParser::new(INPUT_TOPICS))]
    pub topic: Option<String>,
    /// Only this partition of the topic [default: all of them]
    #[arg(long, value_name = "NUMBER", requires = "topic", value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

impl Args {
    /// Settings given as flags.
    pub fn settings(&self) -> &SettingArgs {
        match &self.action {
            Action::Show(args) => &args.settings,
            Action::Reset(args) => &args.settings,
        }
    }
}

/// Shows or moves the offsets.
///
/// # Errors
/// Where the store or Kafka cannot be reached, a topic or partition does not exist or, for `reset`, a lease is held.
pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let cluster = cluster::remote(&config.kafka)?;
    let in_file = config.city.file.as_ref().map(|path| city_id(path)).transpose()?;
    let store = store::open(&config.store, &config.city.agreed_id(in_file.as_deref())?).await?;
    match args.action {
        Action::Show(args) => show::run(&args, &*store, &cluster).await,
        Action::Reset(args) => reset::run(&args, store, &cluster, config.writer.lease).await,
    }
}

/// The id of the city that `CITY_FILE` describes: it says which store is meant.
fn city_id(path: &Path) -> Result<String, ConfigError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        city_id: String,
    }
    let wrong = |problem| ConfigError::CityFile { file: path.display().to_string(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let Named { city_id } = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(city_id)
}

/// All partitions of these topics that Kafka has, in order, with their ends.
async fn partitions(cluster: &Cluster, topics: &[&str]) -> anyhow::Result<BTreeMap<(Topic, i32), Watermarks>> {
    let counts = cluster.partitions_of(topics).await?;
    let asked: Vec<(String, i32)> =
        counts.iter().flat_map(|(topic, count)| (0..*count).map(|partition| (topic.clone(), partition))).collect();
    let marks = cluster.watermarks(&asked).await?;
    let keyed = asked
        .iter()
        .zip(marks)
        .filter_map(|((topic, partition), marks)| Some(((Topic::from_name(topic)?, *partition), marks)));
    Ok(keyed.collect())
}
