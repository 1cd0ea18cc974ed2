//! Settings: one struct per subsystem, read from a file, the environment and flags, validated once.
//!
//! Everything here is plain data: a subsystem takes its struct by value or reference and never reads the
//! environment itself. One table ([`SETTINGS`]) names every setting with its default and what is accepted; loading,
//! flags, `citytwin config` and `docs/configuration.md` all come from it.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

mod check;
mod docs;
mod error;
mod field;
mod file;
mod flags;
mod kafka_properties;
mod load;
mod secret;
mod settings;
mod show;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use docs::same_document;
pub use docs::{example_file, reference_page};
pub use error::ConfigError;
pub use field::Field;
pub use flags::SettingArgs;
pub use load::{DEFAULT_FILE, Effective, Source};
pub use secret::{MASK, Secret, is_secret_name, mask_url};
pub use settings::{Preset, SETTINGS, Setting};
pub use show::{as_json, as_table, as_toml};

/// All settings of one process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which city.
    pub city: CityConfig,
    /// How to reach Kafka.
    pub kafka: KafkaConfig,
    /// Where the twin is stored.
    pub store: StoreConfig,
    /// How events are read and judged.
    pub ingest: IngestConfig,
    /// What only the writer does.
    pub writer: WriterConfig,
    /// How state goes out.
    pub publish: PublishConfig,
    /// The HTTP port.
    pub http: HttpConfig,
    /// Limits of GraphQL.
    pub graphql: GraphqlConfig,
    /// The live map's subscriptions.
    pub live: LiveConfig,
    /// City Live.
    pub city_live: CityLiveConfig,
    /// Where City Live keeps what it knows.
    pub archive: ArchiveConfig,
    /// What is logged.
    pub log: LogConfig,
    /// The simulated city.
    pub demo: DemoConfig,
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
#[derive(Clone)]
pub struct KafkaConfig {
    /// `KAFKA_BROKERS`.
    pub brokers: Brokers,
    /// `KAFKA_CLIENT_ID`.
    pub client_id: String,
    /// `KAFKA_GROUP_ID`: only for the offsets committed as a courtesy.
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
    /// `KAFKA_EMBEDDED_PORT`: the loopback port where the embedded broker is found; 0 is any free one.
    pub embedded_port: u16,
}

/// Where the twin is stored.
#[derive(Clone)]
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

/// What lies under the map's own geometry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapBackground {
    /// A tile URL with `{z}`, `{x}` and `{y}`.
    Tiles(String),
    /// The URL of a PMTiles file.
    Pmtiles(String),
    /// A PMTiles file on this machine, which the server hands out.
    File(PathBuf),
}

/// The HTTP port.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `HTTP_ADDR`.
    pub addr: SocketAddr,
    /// `ADMIN_TOKEN`: unset: only loopback may change anything.
    pub admin_token: Option<Secret>,
    /// `ALLOWED_ORIGINS`: origins that may use the API from a browser, beside the page's own; `*` is all.
    pub allowed_origins: Vec<String>,
    /// `MAP_BACKGROUND`: unset: the map shows only the city's own geometry.
    pub map_background: Option<MapBackground>,
    /// `MAP_ATTRIBUTION`: whom the map names for its background.
    pub map_attribution: Option<String>,
    /// `HTTP_MAX_BODY_BYTES`: the largest body of a GraphQL request, in bytes.
    pub max_body_bytes: usize,
    /// `HTTP_MAX_CITY_BYTES`: the largest city file that `PUT /api/city` takes, in bytes.
    pub max_city_bytes: usize,
}

/// Limits of GraphQL requests, sockets and subscriptions.
#[derive(Clone, Debug)]
pub struct GraphqlConfig {
    /// `GRAPHQL_MAX_DEPTH`: how deep a query may nest.
    pub max_depth: usize,
    /// `GRAPHQL_MAX_COMPLEXITY`: the most fields a query may ask for, those in lists multiplied by `first`.
    pub max_complexity: usize,
    /// `GRAPHQL_MAX_ALIASES`: the most aliases in one document.
    pub max_aliases: usize,
    /// `GRAPHQL_MAX_DIRECTIVES`: the most directives on one field.
    pub max_directives: usize,
    /// `GRAPHQL_TIMEOUT_MS`: how long one query or mutation may take.
    pub timeout: Duration,
    /// `GRAPHQL_MAX_PAGE`: the most entries of one page of a list (`first`).
    pub max_page: i32,
    /// `GRAPHQL_MAX_OPERATIONS_PER_SOCKET`: running operations on one socket.
    pub max_operations_per_socket: usize,
    /// `GRAPHQL_MAX_SOCKETS_PER_ADDRESS`: open sockets (and SSE streams) of one client address.
    pub max_sockets_per_address: usize,
    /// `GRAPHQL_CONNECTION_INIT_TIMEOUT_MS`: how long a client may take from the upgrade to `connection_init`.
    pub connection_init_timeout: Duration,
    /// `GRAPHQL_WRITE_TIMEOUT_MS`: how long a socket's close frame may take; any write, this and `stall_timeout`.
    pub write_timeout: Duration,
    /// `GRAPHQL_PING_INTERVAL_MS`: how often a quiet socket is pinged.
    pub ping_interval: Duration,
    /// `GRAPHQL_STALL_TIMEOUT_MS`: how long a subscriber may take nothing before it is closed with 4008.
    pub stall_timeout: Duration,
}

/// The live map's subscriptions.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// `LIVE_RESUME_MS`: how long a subscription whose stream has ended can be gone on with.
    pub resume: Duration,
    /// `LIVE_RESUME_BYTES`: what is kept for that, all subscriptions together.
    pub resume_bytes: usize,
    /// `LIVE_CELLS_ABOVE`: with more points and movers in view, cells stand for them.
    pub cells_above: usize,
    /// `LIVE_ROADS_ABOVE`: with more roads in view, the less important ones are left out beside cells.
    pub roads_above: usize,
}

/// What of City Live runs in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CityLiveRole {
    /// All of it: web APIs are called once a city was chosen.
    On,
    /// All but the producer: `citytwin produce` calls the APIs from elsewhere.
    NoProducer,
    /// Nothing.
    Off,
}

/// City Live: what web APIs say of a city's zones.
#[derive(Clone, Debug)]
pub struct CityLiveConfig {
    /// `CITY_LIVE`.
    pub role: CityLiveRole,
    /// `CITIES_FILE`: the catalogue of cities; unset: the one that comes with the program.
    pub cities_file: Option<PathBuf>,
    /// `CITY_LIVE_SERVER`: whose current city `citytwin produce` follows.
    pub server: String,
    /// `CITY_LIVE_INTERVAL`: how often the producer looks what is due.
    pub interval: Duration,
    /// `MAX_ZONES`: the first so many zones of a city are asked about.
    pub max_zones: usize,
    /// `CITY_LIVE_CONCURRENCY`: zones asked about at a time.
    pub concurrency: usize,
    /// `CITY_LIVE_PROCESS_INTERVAL`: how often the chosen city is processed.
    pub process_interval: Duration,
    /// `CITY_LIVE_FEED_RETENTION`: how long messages stay in `kafka_live_feed`.
    pub feed_retention: Duration,
    /// `CITY_LIVE_HISTORY_RETENTION`: how long hourly features, risk scores and cleared alerts stay.
    pub history_retention: Duration,
    /// `CITY_LIVE_RULES`: a file with the weights and limits of the processing; unset: the defaults.
    pub rules: Option<PathBuf>,
    /// `CITY_LIVE_MODELS`: a folder with models beside the one that comes with the program.
    pub models: Option<PathBuf>,
    /// `CITY_LIVE_MODEL_URL`: a service that runs models; unset: they run here.
    pub model_url: Option<String>,
    /// `CITY_LIVE_MODEL_TIMEOUT`: how long one call of it may take.
    pub model_timeout: Duration,
    /// `GRID_ALERT_MARGIN_PCT`: percent of EIA's forecast that demand must be above it by.
    pub grid_alert_margin_pct: u32,
    /// `OPEN_METEO_URL`: scheme, host and port.
    pub open_meteo_url: String,
    /// `OPEN_METEO_AIR_URL`: scheme, host and port.
    pub open_meteo_air_url: String,
    /// `OPENWEATHER_URL`: scheme, host and port.
    pub openweather_url: String,
    /// `OPENWEATHER_API_KEY`: unset: the feed is off.
    pub openweather_api_key: Option<Secret>,
    /// `TOMTOM_URL`: scheme, host and port.
    pub tomtom_url: String,
    /// `TOMTOM_API_KEY`: unset: the feed is off.
    pub tomtom_api_key: Option<Secret>,
    /// `EIA_URL`: scheme, host and port.
    pub eia_url: String,
    /// `EIA_API_KEY`: unset: the feed is off.
    pub eia_api_key: Option<Secret>,
    /// `SOCRATA_URL`: scheme, host and port.
    pub socrata_url: String,
    /// `SOCRATA_APP_TOKEN`: unset: the API's limits are tighter.
    pub socrata_app_token: Option<Secret>,
}

/// Where City Live keeps what it knows.
#[derive(Clone)]
pub struct ArchiveConfig {
    /// `MONGODB_URI`: `mongodb://` or `mongodb+srv://`; `None` is `embedded`.
    pub mongodb_uri: Option<String>,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `LOG_LEVEL` or `RUST_LOG`: a level, or filters such as `info,citytwin::ingest=debug`.
    pub level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// The simulated city of `citytwin demo`.
#[derive(Clone, Debug)]
pub struct DemoConfig {
    /// `DEMO_RATE`: events a second, all topics together.
    pub rate: u32,
    /// `DEMO_SEED`: two runs with the same seed are alike.
    pub seed: u64,
}

impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfig")
            .field("brokers", &self.brokers)
            .field("client_id", &self.client_id)
            .field("group_id", &self.group_id)
            .field("common", &masked(&self.common))
            .field("consumer", &masked(&self.consumer))
            .field("producer", &masked(&self.producer))
            .field("topic_partitions", &self.topic_partitions)
            .field("topic_replication", &self.topic_replication)
            .field("embedded_port", &self.embedded_port)
            .finish()
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("redis_url", &self.redis_url.as_deref().map(mask_url))
            .field("data_dir", &self.data_dir)
            .finish()
    }
}

impl fmt::Debug for ArchiveConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveConfig").field("mongodb_uri", &self.mongodb_uri.as_deref().map(mask_url)).finish()
    }
}

/// Kafka properties as they may be shown.
fn masked(properties: &BTreeMap<String, String>) -> BTreeMap<&str, String> {
    properties.iter().map(|(name, value)| (name.as_str(), shown(name, value))).collect()
}

/// A value as it may be shown under this name.
fn shown(name: &str, value: &str) -> String {
    if is_secret_name(name) { MASK.to_owned() } else { mask_url(value) }
}
