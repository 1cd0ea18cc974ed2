//! `citytwin serve`: the server against what the settings name.

use crate::config::{Config, SettingArgs};

const EXAMPLES: &str = "\
Examples:
  citytwin serve
  citytwin serve --config /etc/citytwin.toml --http-addr 0.0.0.0:8080
  KAFKA_BROKERS=kafka:9092 REDIS_URL=redis://redis:6379 ADMIN_TOKEN=… citytwin serve

SIGTERM and Ctrl-C end it in order: last flush, lease given back, sockets closed, within 10 s.
-h shows the settings that are needed most, --help all of them.";

/// The flags of `serve`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Run the server: read the nine topics, keep the city in the store, publish the state topics, and \
    serve GraphQL, /api/state, /healthz, /readyz and /metrics on one port.", after_help = EXAMPLES)]
pub struct Args {
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// Runs until it is told to stop.
///
/// # Errors
/// What keeps the server from starting or going on.
pub async fn run(_args: Args, config: Config) -> anyhow::Result<()> {
    crate::app::run(config, None, super::stop::on_signal()?).await
}
