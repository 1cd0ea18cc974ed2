//! `citytwin follow`: a consumer of the state topics.

use std::num::NonZeroU64;

use clap::ValueEnum;

use crate::config::{Config, SettingArgs};

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
#[expect(clippy::unused_async, reason = "the consumer is wired in by app.rs")]
pub async fn run(_args: Args, _config: Config) -> anyhow::Result<()> {
    anyhow::bail!("follow is not available in this build")
}
