//! `citytwin replay FILE`: a recording into Kafka.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::ValueHint;

use super::{Speed, Stamp, cluster, progress};
use crate::{
    config::{Config, SettingArgs},
    recording::{self, RecordingError, ReplayOptions, ReplayProgress, plan, replay},
};

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

/// Plays the recording to its end, or until Ctrl-C.
///
/// # Errors
/// Where the file cannot be read or holds a wrong line (before anything is sent), Kafka cannot be written, or where it was
/// stopped before the end.
pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let path = &args.file;
    let cluster = cluster::remote(&config.kafka)?;
    let options = ReplayOptions {
        speed: match args.speed {
            Speed::Times(times) => recording::Speed::Times(times),
            Speed::Max => recording::Speed::Max,
        },
        stamp: match args.stamp {
            Stamp::Now => recording::Stamp::Now,
            Stamp::Held => recording::Stamp::Held,
        },
        create_topics: args.create_topics,
        ..ReplayOptions::default()
    };
    let stop = super::stop::on_signal()?;
    let reading = progress::spinner("reading the recording");
    let plan = tokio::select! {
        plan = plan(&cluster, path, options) => plan,
        () = stop.cancelled() => anyhow::bail!("stopped before anything was sent"),
    };
    reading.finish_and_clear();
    let plan = plan.map_err(|error| match error {
        RecordingError::NoTopic(_) => anyhow::anyhow!("{error}; --create-topics makes it, without retention"),
        error => about(path, error),
    })?;
    for topic in &plan.created {
        notice(&format!("topic {topic} created"));
    }
    for warning in &plan.warnings {
        notice(&format!("warning: {warning}"));
    }
    let events = plan.survey.events;
    let bar = progress::bar(Some(events), "events");
    let told = {
        let bar = bar.clone();
        move |progress: &ReplayProgress| {
            bar.set_position(progress.sent);
            if let Ok(time) = jiff::Timestamp::from_millisecond(progress.timestamp) {
                bar.set_message(format!("at {time:.0}"));
            }
        }
    };
    let summary = replay(&cluster, plan, stop, told).await;
    bar.finish_and_clear();
    let summary = summary.map_err(|error| about(path, error))?;
    super::print(&format!(
        "{}: {} of {events} events, in {:.1} s\n",
        path.display(),
        summary.progress.acknowledged,
        summary.elapsed.as_secs_f64(),
    ))?;
    anyhow::ensure!(summary.complete, "stopped before the end");
    Ok(())
}

/// The error with the file that it is about.
fn about(path: &Path, error: RecordingError) -> anyhow::Error {
    match error {
        RecordingError::Line { .. } | RecordingError::Empty => {
            anyhow::Error::new(error).context(path.display().to_string())
        }
        // The others name the file, or are not about it.
        error => error.into(),
    }
}

/// Tells something on standard error.
fn notice(line: &str) {
    // Nobody may be reading; then nobody misses it.
    let _ = writeln!(std::io::stderr(), "citytwin: {line}");
}
