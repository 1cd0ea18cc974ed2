//! The settings of every client: librdkafka's own defaults, then ours, then what the user set.

use std::{collections::BTreeMap, fmt, sync::LazyLock, time::Duration};

use rdkafka::{
    ClientConfig, ClientContext, Statistics,
    client::Client,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError as RdError, RDKafkaErrorCode},
};

use super::{EmbeddedBroker, KafkaError, Producer, embedded};
use crate::{
    config::{Brokers, KafkaConfig},
    telemetry::OncePerSecond,
};

/// How long one question to the cluster (metadata, watermarks, admin) may take.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest record that goes in or out, in bytes: a state of 20 MB must pass with room to grow.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Which Kafka this process talks to and with which settings. Cheap to clone; every client starts from one.
#[derive(Clone)]
pub struct Cluster {
    brokers: String,
    config: KafkaConfig,
    /// Where this is the embedded broker of this process: which start of it.
    embedded: Option<String>,
}

impl fmt::Debug for Cluster {
    /// Without the properties: they may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("brokers", &self.brokers)
            .field("embedded", &self.embedded)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// The cluster that `config.brokers` lists.
    ///
    /// # Errors
    /// `KafkaError::Property` where the configuration says `embedded`, which has to be started first.
    pub fn remote(config: &KafkaConfig) -> Result<Self, KafkaError> {
        match &config.brokers {
            Brokers::List(brokers) => Ok(Self { brokers: brokers.clone(), config: config.clone(), embedded: None }),
            Brokers::Embedded => Err(KafkaError::Property {
                name: "bootstrap.servers".into(),
                reason: "the embedded broker lives in one process only; name a broker as host:port".into(),
            }),
        }
    }

    /// The embedded broker of this process.
    pub fn embedded(config: &KafkaConfig, broker: &EmbeddedBroker) -> Self {
        Self {
            brokers: broker.brokers().to_owned(),
            config: config.clone(),
            embedded: Some(broker.start_id().to_owned()),
        }
    }

    /// `host:port[,host:port…]`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Whether this is librdkafka's in-memory broker, with the limits that [`EmbeddedBroker`] names.
    pub fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// The settings that this cluster was made from.
    pub fn config(&self) -> &KafkaConfig {
        &self.config
    }

    /// The cluster's identity: stored offsets belong to it. The embedded broker has a new one at each start, because its
    /// offsets begin at 0 again.
    pub async fn id(&self) -> Result<String, KafkaError> {
        let told = self.told_id().await?;
        Ok(self.embedded.as_ref().map_or_else(|| told.clone(), |start| embedded::identity(&told, start)))
    }

    /// Whether this is an embedded broker, of this process or of another one: it answers no admin requests, and who asks
    /// all the same waits for long.
    pub(super) async fn is_embedded_anywhere(&self) -> Result<bool, KafkaError> {
        Ok(self.is_embedded() || embedded::is_identity(&self.told_id().await?))
    }

    /// The identity that the cluster tells its clients.
    async fn told_id(&self) -> Result<String, KafkaError> {
        self.blocking(|client| {
            client.fetch_cluster_id(REQUEST_TIMEOUT).ok_or_else(|| KafkaError::Unavailable {
                action: "cluster id",
                reason: "no broker can be reached".into(),
            })
        })
        .await
    }

    /// Properties of a consumer that is polled on its own thread and assigned by hand.
    ///
    /// `[kafka.consumer]` wins over everything here. The figures of fetching are measured (a million events of 300 bytes
    /// from six partitions): the local queue of one partition holds some 10 ms of reading at full speed, so it never
    /// runs dry, and is asked for more after 5 ms instead of librdkafka's whole second.
    pub fn consumer_config(&self) -> ClientConfig {
        let mut config = Self::common(&self.config.client_id);
        config
            .set("group.id", &self.config.group_id)
            // Offsets live in the store; Kafka's own follow as a courtesy and only by explicit commits.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Caught up is this event, never `last offset + 1`: transaction markers take offsets too.
            .set("enable.partition.eof", "true")
            // A stored offset outside the topic must be seen, counted and told, never jumped over in silence.
            .set("auto.offset.reset", "error")
            .set("session.timeout.ms", "30000")
            // Bounds of the local queue of one partition: messages, and kilobytes.
            .set("queued.min.messages", "20000")
            .set("queued.max.messages.kbytes", "8192")
            .set("fetch.queue.backoff.ms", "5")
            .set("fetch.message.max.bytes", "1048576")
            .set("fetch.error.backoff.ms", "200")
            // A real broker answers as soon as there is a byte, and only the word that there are no more takes this long;
            // the embedded one waits this long each time.
            .set("fetch.wait.max.ms", if self.is_embedded() { "10" } else { "100" })
            .set("receive.message.max.bytes", (MAX_MESSAGE_BYTES * 2).to_string());
        self.with_the_users(config, &self.config.consumer)
    }

    /// Properties of an idempotent producer that waits for all replicas and never gives a message up.
    ///
    /// `compression` is a codec of librdkafka (`none`, `gzip`, `lz4`, `snappy`, `zstd`). `[kafka.producer]` wins.
    pub fn producer_config(&self, compression: &str) -> ClientConfig {
        let mut config = Self::common(&self.config.client_id);
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.codec", compression)
            // The partition that Java's clients and kafkajs choose for a key.
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string())
            // No message expires here: what the broker has not answered is sent again, unchanged, by librdkafka.
            .set("message.timeout.ms", "0")
            .set("linger.ms", "5")
            // The bounds of the queue; a sender waits when it is full. Twice the largest record, so that one full state
            // and what follows it fit.
            .set("queue.buffering.max.messages", "100000")
            .set("queue.buffering.max.kbytes", (MAX_MESSAGE_BYTES * 2 / 1024).to_string());
        if compression == "gzip" {
            // zlib's fastest: 6 MB of state take 23 ms of CPU instead of 79 at its default, and get a quarter larger.
            config.set("compression.level", "1");
        }
        self.with_the_users(config, &self.config.producer)
    }

    /// Properties of the admin client and of questions about metadata.
    pub fn admin_config(&self) -> ClientConfig {
        self.with_the_users(Self::common(&self.config.client_id), &BTreeMap::new())
    }

    /// Whether librdkafka makes clients of these settings: property by property they were judged before. No broker has to
    /// answer.
    ///
    /// # Errors
    /// `Property` or `Properties`.
    pub async fn check(&self, compression: &str) -> Result<(), KafkaError> {
        let (consumer, producer) = (self.consumer_config(), self.producer_config(compression));
        // Letting a client go takes a moment.
        let made = tokio::task::spawn_blocking(move || {
            connect(&consumer)?;
            Producer::with_config(&producer).map(drop)
        });
        made.await.unwrap_or_else(|error| Err(KafkaError::Properties { reason: error.to_string() }))
    }

    fn common(client_id: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("client.id", client_id)
            // An idle connection that the broker closes is no news.
            .set("log.connection.close", "false")
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "2000");
        config.set_log_level(if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Info
        });
        config
    }

    /// Over ours come the user's properties of every client, and over those the ones of its kind.
    fn with_the_users(&self, mut config: ClientConfig, of_its_kind: &BTreeMap<String, String>) -> ClientConfig {
        overlay(&mut config, &self.config.common);
        overlay(&mut config, of_its_kind);
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// Runs one blocking question to the cluster on a thread of its own kind.
    pub(super) async fn blocking<T, F>(&self, ask: F) -> Result<T, KafkaError>
    where
        T: Send + 'static,
        F: FnOnce(&Client<Tracing>) -> Result<T, KafkaError> + Send + 'static,
    {
        let config = self.admin_config();
        tokio::task::spawn_blocking(move || ask(connect(&config)?.client()))
            .await
            .unwrap_or_else(|error| Err(KafkaError::Unavailable { action: "request", reason: error.to_string() }))
    }
}

/// A client for questions only: without a group it joins and fetches nothing.
pub(super) fn connect(config: &ClientConfig) -> Result<BaseConsumer<Tracing>, KafkaError> {
    config.create_with_context(Tracing).map_err(|error| KafkaError::from_client("connect", &error))
}

fn overlay(config: &mut ClientConfig, properties: &BTreeMap<String, String>) {
    for (name, value) in properties {
        // An alias would lose against the name that we set, by the order of a hash map.
        config.set(canonical(name), value);
    }
}

/// librdkafka's aliases of the properties that we set ourselves.
fn canonical(name: &str) -> &str {
    match name {
        "metadata.broker.list" => "bootstrap.servers",
        "max.partition.fetch.bytes" => "fetch.message.max.bytes",
        "delivery.timeout.ms" => "message.timeout.ms",
        "queue.buffering.max.ms" => "linger.ms",
        "compression.type" => "compression.codec",
        "request.required.acks" => "acks",
        other => other,
    }
}

/// librdkafka's own log and errors, as events of `tracing` under the target `librdkafka`.
///
/// While a broker is away every client tells so for each of its connections, again and again: of what is a warning or
/// worse one line a second is let through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracing;

/// Shared by all clients of the process.
static TROUBLE: LazyLock<OncePerSecond> = LazyLock::new(OncePerSecond::new);

impl ClientContext for Tracing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, detail: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                if let Some(left_out) = TROUBLE.admit() {
                    tracing::error!(target: "librdkafka", facility, detail, left_out, "kafka client");
                }
            }
            RDKafkaLogLevel::Warning => {
                if let Some(left_out) = TROUBLE.admit() {
                    tracing::warn!(target: "librdkafka", facility, detail, left_out, "kafka client");
                }
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", facility, detail, "kafka client");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, detail, "kafka client"),
        }
    }

    fn stats(&self, _: Statistics) {}

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: RdError, reason: &str) {
        // The end of a partition comes this way too, and is no error.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF)
            && let Some(left_out) = TROUBLE.admit()
        {
            tracing::warn!(target: "librdkafka", detail = reason, left_out, "kafka error");
        }
    }
}

impl ConsumerContext for Tracing {}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> KafkaConfig {
        KafkaConfig {
            brokers: Brokers::List("127.0.0.1:1".into()),
            client_id: "c".into(),
            group_id: "g".into(),
            common: [("sasl.password".to_owned(), "hunter2".to_owned())].into(),
            consumer: [("max.partition.fetch.bytes".to_owned(), "4096".to_owned())].into(),
            producer: [("linger.ms".to_owned(), "7".to_owned())].into(),
            topic_partitions: 6,
            topic_replication: None,
            embedded_port: 0,
        }
    }

    #[test]
    fn the_users_properties_win_over_ours() {
        let cluster = Cluster::remote(&config()).unwrap();
        assert_eq!(cluster.consumer_config().get("fetch.message.max.bytes"), Some("4096"));
        assert_eq!(cluster.consumer_config().get("max.partition.fetch.bytes"), None);
        assert_eq!(cluster.producer_config("gzip").get("linger.ms"), Some("7"));
        assert_eq!(cluster.producer_config("zstd").get("compression.codec"), Some("zstd"));

        // Those of every client too, and those of its kind over them.
        let everywhere = [("session.timeout.ms", "7000"), ("linger.ms", "500"), ("client.id", "mine"), ("acks", "-1")];
        let common = everywhere.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let cluster = Cluster::remote(&KafkaConfig { common, ..config() }).unwrap();
        assert_eq!(cluster.consumer_config().get("session.timeout.ms"), Some("7000"));
        assert_eq!(cluster.producer_config("gzip").get("acks"), Some("-1"));
        assert_eq!(cluster.producer_config("gzip").get("linger.ms"), Some("7"));
        assert_eq!(cluster.admin_config().get("client.id"), Some("mine"));
        assert_eq!(cluster.admin_config().get("bootstrap.servers"), Some("127.0.0.1:1"));
    }

    #[test]
    fn librdkafka_takes_all_our_properties() {
        let mut plain = config();
        plain.common.clear();
        let cluster = Cluster::remote(&plain).unwrap();
        for config in [cluster.consumer_config(), cluster.producer_config("gzip"), cluster.admin_config()] {
            config.create_native_config().unwrap();
        }
        connect(&cluster.consumer_config()).unwrap();
    }

    #[test]
    fn no_secret_is_shown() {
        let mut config = config();
        let cluster = Cluster::remote(&config).unwrap();
        assert!(!format!("{cluster:?}").contains("hunter2"));
        config.common = [("socket.timeout.ms".to_owned(), "hunter2".to_owned())].into();
        let error = connect(&Cluster::remote(&config).unwrap().consumer_config()).err().unwrap();
        assert!(error.to_string().contains("socket.timeout.ms"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn the_embedded_broker_has_to_be_started_first() {
        assert!(Cluster::remote(&KafkaConfig { brokers: Brokers::Embedded, ..config() }).is_err());
    }
}
