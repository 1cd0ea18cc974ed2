//! `citytwin record FILE`: topics into a file.

use std::path::PathBuf;

use clap::ValueHint;

use super::{RecordFrom, cluster, progress};
use crate::{
    config::{Config, SettingArgs},
    kafka::topics::INPUT_TOPICS,
    recording::{RecordOptions, RecordProgress, Start, record},
};

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
/// Where the file is there already, Kafka cannot be read, the file not be written, or where it was stopped before the end
/// that `--until-end` asks for.
pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let path = &args.file;
    if path.try_exists().unwrap_or(false) {
        anyhow::bail!("{}: there is such a file already; record writes a new one only", path.display());
    }
    let cluster = cluster::remote(&config.kafka)?;
    let topics = if args.topics.is_empty() { INPUT_TOPICS.map(str::to_owned).to_vec() } else { args.topics };
    let start = match args.from {
        RecordFrom::Earliest => Start::Earliest,
        RecordFrom::Now => Start::Now,
    };
    let options = RecordOptions { topics, start, until_end: args.until_end };
    let bar = progress::bar(args.until_end.then_some(0), "events");
    let told = {
        let bar = bar.clone();
        move |progress: &RecordProgress| {
            if let Some(of) = progress.of {
                bar.set_length(of);
            }
            bar.set_position(progress.events);
        }
    };
    let summary = record(&cluster, path, options, super::stop::on_signal()?, told).await;
    bar.finish_and_clear();
    let summary = summary?;
    super::print(&format!(
        "{}: {} events, {:.1} MB before packing, in {:.1} s\n",
        path.display(),
        summary.progress.events,
        summary.progress.bytes as f64 / 1e6,
        summary.elapsed.as_secs_f64(),
    ))?;
    anyhow::ensure!(
        summary.complete,
        "stopped before the ends of the topics were reached; what was read is in the file"
    );
    Ok(())
}
