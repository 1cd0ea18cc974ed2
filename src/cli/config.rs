//! `citytwin config`: what holds, and where it is from.

use clap::ValueEnum;

use crate::config::{Effective, SettingArgs, as_json, as_table, as_toml};

const EXAMPLES: &str = "\
Examples:
  citytwin config
  citytwin config --format toml > citytwin.toml      all settings in one file, no secrets
  citytwin config --format json | jq '.[] | select(.source != \"default\")'

Secrets are masked, also the passwords inside URLs. It shows what serve would use; wrong settings
give exit 64.";

/// What `config` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigFormat {
    /// A table for people
    Table,
    /// A file of settings
    Toml,
    /// A JSON array
    Json,
}

/// The flags of `config`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Print every setting with its value and where that is from: default, file, environment or flag.",
    after_help = EXAMPLES)]
pub struct Args {
    /// What to print
    #[arg(long, value_enum, default_value_t = ConfigFormat::Table)]
    pub format: ConfigFormat,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Prints the settings.
///
/// # Errors
/// Where nobody reads the output.
pub fn run(args: &Args, effective: &[Effective]) -> anyhow::Result<()> {
    let text = match args.format {
        ConfigFormat::Table => as_table(effective),
        ConfigFormat::Toml => as_toml(effective),
        ConfigFormat::Json => as_json(effective),
    };
    super::print(&text)?;
    Ok(())
}
