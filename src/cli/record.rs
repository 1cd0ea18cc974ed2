//! `citytwin record FILE`: topics into a file.

use std::path::PathBuf;

use clap::ValueHint;

use super::RecordFrom;
use crate::config::{Config, SettingArgs};

const EXAMPLES: &str = "\
Examples:
  citytwin record day.ndjson.zst --until-end                 what the topics hold now
  citytwin record gps.ndjson --topics transport.gps --from now    until Ctrl-C";

/// The flags of `record`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Record topics from Kafka into a file of NDJSON, one {\"topic\", \"key\", \"timestamp\", \"value\"} a \
    line. Its ending says how it is compressed: .gz, .zst, else not at all. citytwin replay plays it.",
    after_help = EXAMPLES)]
pub struct Args {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Topics with commas between them [default: the nine input topics]
    #[arg(long, value_name = "TOPIC,…", value_delimiter = ',')]
    pub topics: Vec<String>,
    /// Where to begin
    #[arg(long, value_enum, default_value_t = RecordFrom::Earliest)]
    pub from: RecordFrom,
    /// Stop at the ends that the topics had when it began, instead of at Ctrl-C
    #[arg(long)]
    pub until_end: bool,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Records until the end or Ctrl-C.
///
/// # Errors
/// Where Kafka cannot be read or the file not be written.
#[expect(clippy::unused_async, reason = "the recording is wired in by app.rs")]
pub async fn run(_args: Args, _config: Config) -> anyhow::Result<()> {
    anyhow::bail!("record is not available in this build")
}
