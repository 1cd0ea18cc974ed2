//! Settings: one struct per subsystem, read from a file, the environment and flags, validated once.
//!
//! Everything here is plain data: a subsystem takes its struct by value or reference and never reads the
//! environment itself.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

/// All settings of one process.
#[derive(Clone, Debug)]
pub struct Config {
    pub city: CityConfig,
    pub kafka: KafkaConfig,
    pub store: StoreConfig,
    pub ingest: IngestConfig,
    pub writer: WriterConfig,
    pub publish: PublishConfig,
    pub http: HttpConfig,
    pub graphql: GraphqlConfig,
}

/// Which city this process holds.
#[derive(Clone, Debug)]
pub struct CityConfig {
    /// `CITY_ID`; unset: the city file's id, else `laquila-dt-001`.
    pub id: Option<String>,
    /// `CITY_NAME`: the name where neither store nor city file has one.
    pub name: String,
    /// `CITY_FILE`: loaded where the store holds no city.
    pub file: Option<PathBuf>,
}

/// Where the Kafka brokers are: a list, or the embedded broker of `kafka::embedded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brokers {
    /// `KAFKA_BROKERS=embedded`: librdkafka's in-memory broker in this process.
    Embedded,
    /// `host:port[,host:port…]`.
    List(String),
}

/// How to reach Kafka.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    pub brokers: Brokers,
    pub client_id: String,
    pub group_id: String,
    /// Properties of every client, by librdkafka's names (`security.protocol`, `sasl.*`, `ssl.*`).
    pub common: BTreeMap<String, String>,
    /// Properties of consumers only (`[kafka.consumer]`); they win over ours.
    pub consumer: BTreeMap<String, String>,
    /// Properties of producers only (`[kafka.producer]`); they win over ours.
    pub producer: BTreeMap<String, String>,
    /// `KAFKA_TOPIC_PARTITIONS`: partitions of the input topics that we create.
    pub topic_partitions: i32,
    /// `KAFKA_TOPIC_REPLICATION`: replication of the topics that we create; `None` is the broker's default.
    pub topic_replication: Option<i32>,
}

/// Where the twin is stored.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// `REDIS_URL`: `redis://`, `rediss://`, `redis-cluster://`, `rediss-cluster://`; `None` is `embedded`.
    pub redis_url: Option<String>,
    /// `DATA_DIR`: where embedded stores keep their files.
    pub data_dir: PathBuf,
}

/// How events are read and judged.
#[derive(Clone, Debug)]
pub struct IngestConfig {
    /// `BATCH_SIZE`: the most messages that are decoded and applied in one step.
    pub batch_size: usize,
    /// `MAX_CLOCK_SKEW_MS`: how far an event may be ahead of its record's timestamp.
    pub max_clock_skew: Duration,
    /// `MAX_EVENT_BYTES`: a larger record is dead-lettered as `too_large`.
    pub max_event_bytes: usize,
    /// `INCIDENT_RETENTION`: how long a resolved incident stays; `None` is `off`.
    pub incident_retention: Option<Duration>,
}

/// What only the writer does.
#[derive(Clone, Debug)]
pub struct WriterConfig {
    /// `LEASE_MS`: how long the writer's lease lives without being renewed.
    pub lease: Duration,
    /// `FLUSH_INTERVAL_MS`: how often what changed is written to the store.
    pub flush_interval: Duration,
    /// `ADVERTISED_URL`: where other instances tell clients to find this one; unset: `http://<HTTP_ADDR>`.
    pub advertised_url: Option<String>,
}

/// How state goes out to Kafka.
#[derive(Clone, Debug)]
pub struct PublishConfig {
    /// `FULL_STATE_PUBLISH_INTERVAL_MS`.
    pub full_interval: Duration,
    /// `INCREMENTAL_STATE_PUBLISH_INTERVAL_MS`.
    pub incremental_interval: Duration,
    /// `STATE_TOPIC_COMPRESSION`: `none`, `gzip`, `lz4`, `snappy` or `zstd`.
    pub compression: String,
}

/// The HTTP port.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `HTTP_ADDR`.
    pub addr: SocketAddr,
    /// `ADMIN_TOKEN`: unset: only loopback may change anything.
    pub admin_token: Option<String>,
    /// `ALLOWED_ORIGINS`: origins that may use the API from a browser, beside the page's own; `*` is all.
    pub allowed_origins: Vec<String>,
    /// The largest body of a GraphQL request, in bytes.
    pub max_body_bytes: usize,
    /// The largest city file that `PUT /api/city` takes, in bytes.
    pub max_city_bytes: usize,
}

/// Limits of GraphQL requests, sockets and subscriptions.
#[derive(Clone, Debug)]
pub struct GraphqlConfig {
    pub max_depth: usize,
    pub max_complexity: usize,
    pub max_aliases: usize,
    pub max_directives: usize,
    /// How long one query or mutation may take.
    pub timeout: Duration,
    /// The most entries of one page of a list (`first`).
    pub max_page: i32,
    /// Running operations on one socket.
    pub max_operations_per_socket: usize,
    /// Open sockets (and SSE streams) of one client address.
    pub max_sockets_per_address: usize,
    /// How long a client may take from the upgrade to `connection_init`.
    pub connection_init_timeout: Duration,
    /// How long one write to a client may take before it is given up.
    pub write_timeout: Duration,
    /// How often a quiet socket is pinged.
    pub ping_interval: Duration,
    /// How long a subscriber may take nothing before it is closed with 4008.
    pub stall_timeout: Duration,
}
