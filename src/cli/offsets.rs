//! `citytwin offsets`: what the store holds, and moving it while no server runs.

use clap::{Subcommand, ValueEnum};

use super::ResetTo;
use crate::config::{Config, SettingArgs};

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
    #[arg(long, value_name = "TOPIC")]
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
/// Where the store or Kafka cannot be reached, or a lease is held.
#[expect(clippy::unused_async, reason = "the store is wired in by app.rs")]
pub async fn run(_args: Args, _config: Config) -> anyhow::Result<()> {
    anyhow::bail!("offsets is not available in this build")
}
