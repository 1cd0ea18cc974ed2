//! `citytwin follow`: a consumer of the state topics.

use std::{
    io,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

use clap::ValueEnum;
use serde_json::Value;

use super::cluster;
use crate::{
    config::{Config, SettingArgs},
    kafka::{
        FollowOptions, FollowSummary, Follower, Seen, StateRecord, StateTopic, Step, run_follow,
        topics::{STATE_FULL, STATE_INCREMENTAL},
    },
};

const EXAMPLES: &str = "\
Examples:
  citytwin follow                               a line for each message
  citytwin follow --verify                      check every full; stop at the first break
  citytwin follow --verify --until-full 10      and end well after ten
  citytwin follow --once --format json          the state, once";

/// What `follow` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FollowFormat {
    /// A line for each message: time, topic, epoch, size, changes
    Text,
    /// Each message's JSON, one a line
    Json,
}

/// The flags of `follow`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Follow state.full and state.incremental as a consumer does: take a full, apply each incremental whose \
    previousTimestamp fits, and go on.", after_help = EXAMPLES)]
pub struct Args {
    /// Check that every full equals what was built from the last one and the incrementals; exit 1 at the first break
    #[arg(long)]
    pub verify: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = FollowFormat::Text)]
    pub format: FollowFormat,
    /// End after the first full; the same as --until-full 1
    #[arg(long, conflicts_with = "until_full")]
    pub once: bool,
    /// End after so many fulls
    #[arg(long, value_name = "N")]
    pub until_full: Option<NonZeroU64>,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

impl Args {
    /// After how many fulls it ends; `None` is never.
    pub fn fulls(&self) -> Option<NonZeroU64> {
        if self.once { Some(NonZeroU64::MIN) } else { self.until_full }
    }
}

/// Follows until the last full that was asked for, the first break, or Ctrl-C.
///
/// # Errors
/// Where Kafka cannot be read or, with `--verify`, the chain breaks.
pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let cluster = cluster::remote(&config.kafka)?;
    let options = FollowOptions {
        verify: args.verify,
        from_beginning: false,
        until_end: false,
        stop_at_break: args.verify,
        until_fulls: args.fulls().map(NonZeroU64::get),
    };
    let stop = super::stop::on_signal()?;
    let unread: Arc<Mutex<Option<io::Error>>> = Arc::default();
    let told = {
        let (format, stop, unread) = (args.format, stop.clone(), Arc::clone(&unread));
        move |seen: Seen<'_>, _: &Follower| {
            let Some(line) = (match format {
                FollowFormat::Text => text(seen),
                FollowFormat::Json => json(seen),
            }) else {
                return;
            };
            if let Err(error) = super::print(&line) {
                unread.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                stop.cancel();
            }
        }
    };
    let summary = run_follow(&cluster, options, stop, told).await?;
    if let Some(error) = unread.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error.into());
    }
    if args.format == FollowFormat::Text {
        super::print(&totals(&summary, args.verify))?;
    }
    match summary.first_break.filter(|_| args.verify) {
        Some(broken) => anyhow::bail!("{}", broken_at(&broken)),
        None => Ok(()),
    }
}

/// A message, or what became of one where that is worth a line.
fn text(seen: Seen<'_>) -> Option<String> {
    let line = match seen {
        Seen::Record(topic, record) => message(topic, record),
        Seen::Step(step) => match step {
            Step::Applied { .. } | Step::Skipped { why: "already held" | "older epoch" } => return None,
            Step::Skipped { why } => format!("  passed over: {why}"),
            Step::Reset { timestamp, epoch } => format!("  the state is that of {timestamp}, epoch {epoch}"),
            Step::Verified { timestamp } => format!("  verified: {timestamp} is what the incrementals lead to"),
            Step::Gap { held, previous } => {
                let held = held.as_deref().unwrap_or("none");
                format!("  gap: held is {held}, and what comes starts at {previous}; the full is taken")
            }
            broken => format!("  BROKEN: {}", broken_at(broken)),
        },
    };
    Some(line + "\n")
}

/// The line of a message: time, topic, epoch, size, changes.
fn message(topic: StateTopic, record: &StateRecord) -> String {
    let (name, changes) = match topic {
        StateTopic::Full => (STATE_FULL, String::new()),
        StateTopic::Incremental => {
            let delta: Value = serde_json::from_slice(&record.value).unwrap_or_default();
            (STATE_INCREMENTAL, format!(", {} changes", changes(&delta["delta"])))
        }
    };
    let timestamp = timestamp(&record.value);
    format!("{timestamp} {name:<17} epoch {}, {} bytes{changes}", record.epoch, record.value.len())
}

/// The boundary that a message names.
fn timestamp(value: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Boundary {
        timestamp: String,
    }
    serde_json::from_slice(value).map_or_else(|_| "-".to_owned(), |boundary: Boundary| boundary.timestamp)
}

/// How many values a delta changes: its leaves, which are `[new]`, `[old, new]` and `[old, 0, 0]`.
fn changes(delta: &Value) -> usize {
    match delta {
        Value::Array(_) => 1,
        Value::Object(members) => members.values().map(changes).sum(),
        // The mark of an array node.
        _ => 0,
    }
}

/// A message's JSON.
fn json(seen: Seen<'_>) -> Option<String> {
    let Seen::Record(_, record) = seen else { return None };
    Some(String::from_utf8_lossy(&record.value).into_owned() + "\n")
}

fn totals(summary: &FollowSummary, verify: bool) -> String {
    let verified = if verify {
        format!(", {} fulls verified, {} breaks", summary.verified, summary.breaks)
    } else {
        String::new()
    };
    let (applied, resets, gaps) = (summary.applied, summary.resets, summary.gaps);
    format!("{applied} incrementals applied, {resets} fulls taken, {gaps} gaps{verified}\n")
}

/// What is broken, and where.
fn broken_at(step: &Step) -> String {
    match step {
        Step::Broken { timestamp, difference } => {
            format!("the full of {timestamp} is not what the incrementals lead to: {difference}")
        }
        Step::Misfit { timestamp, error } => {
            format!("the incremental of {timestamp} does not fit the state that it starts from: {error}")
        }
        Step::Malformed { topic, reason } => {
            let topic = if *topic == StateTopic::Full { STATE_FULL } else { STATE_INCREMENTAL };
            format!("a message of {topic} is not what the topic promises: {reason}")
        }
        other => format!("{other:?}"),
    }
}
