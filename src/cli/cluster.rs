//! The Kafka of commands that are no server.

use crate::{
    config::{Brokers, KafkaConfig},
    kafka::Cluster,
};

/// The cluster that the settings name.
///
/// # Errors
/// Where that is the embedded broker, which only its own process can start.
pub fn remote(config: &KafkaConfig) -> anyhow::Result<Cluster> {
    if config.brokers == Brokers::Embedded {
        anyhow::bail!(
            "KAFKA_BROKERS=embedded is a broker inside the server's own process, which no other command can reach; start \
             that server with --kafka-embedded-port PORT, and give this command --kafka-brokers 127.0.0.1:PORT"
        );
    }
    Ok(Cluster::remote(config)?)
}
