//! `citytwin demo`: a living city in one process.

use crate::{
    app::Demo,
    config::{Config, SettingArgs},
};

const EXAMPLES: &str = "\
Examples:
  citytwin demo                                  then open http://127.0.0.1:8080
  citytwin demo --demo-rate 5000 --http-addr 127.0.0.1:9000
  citytwin demo --kafka-embedded-port 19092      for other Kafka clients: 127.0.0.1:19092

The broker, the stores and the city live in this process; KAFKA_BROKERS, REDIS_URL and MONGODB_URI
of the environment and of the file are passed over (flags are not), and so are all CITY_ID and
CITY_FILE.";

/// The flags of `demo`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Run a simulated city with everything in one process: an in-memory Kafka broker, embedded stores, \
    the server and its web page. Nothing else is needed.", after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    settings: SettingArgs,
}

impl Args {
    /// The flags, with what makes it a demo: everything embedded.
    pub fn settings(&self) -> SettingArgs {
        ["KAFKA_BROKERS", "REDIS_URL", "MONGODB_URI"]
            .into_iter()
            .fold(self.settings.clone(), |settings, env| settings.commanding(env, "embedded"))
    }
}

/// Runs until it is told to stop.
///
/// # Errors
/// What keeps the server or the simulation from starting or going on.
pub async fn run(_args: Args, mut config: Config) -> anyhow::Result<()> {
    (config.city.id, config.city.file) = (None, None);
    let demo = Demo::new(config.demo.seed, f64::from(config.demo.rate));
    crate::app::run(config, Some(demo), super::stop::on_signal()?).await
}
