//! `citytwin import FILE`: a city file into the running server, or into the store where none runs.

use std::path::PathBuf;

use clap::ValueHint;

use crate::config::{Config, Secret, SettingArgs};

const EXAMPLES: &str = "\
Examples:
  citytwin import city.json
  citytwin import city.json.gz --url https://twin.example --token \"$TOKEN\"
  curl -s http://127.0.0.1:8080/api/state > city.json      a backup is such a file";

/// The flags of `import`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Replace the city model by a city file (the JSON of state.full). It is sent to the running server; \
    where none runs, the store is written, unless an instance holds the lease. Districts, buildings, weather stations, \
    nodes and edges are replaced and keep their live values; sensors, buses, stations, incidents and units are only \
    added.", after_help = EXAMPLES)]
pub struct Args {
    /// The city file: JSON, or compressed with an ending .gz or .zst
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The server to send it to [default: ADVERTISED_URL, else http:// and HTTP_ADDR]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// The server's ADMIN_TOKEN [default: our own setting of that name; env: ADMIN_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<Secret>,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Imports the file.
///
/// # Errors
/// Where the file cannot be read, or the server or store refuses it.
#[expect(clippy::unused_async, reason = "the store is wired in by app.rs")]
pub async fn run(_args: Args, _config: Config) -> anyhow::Result<()> {
    anyhow::bail!("import is not available in this build")
}
