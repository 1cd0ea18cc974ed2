//! The one table of settings. Flags, environment, file, `citytwin config` and the documentation come from it.

use super::field::{Field, log_format};

mod city_live;

/// One setting.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The name of its environment variable; the flag is the same in kebab case.
    pub env: &'static str,
    /// Another environment variable that is read where `env` is not set.
    pub alias: Option<&'static str>,
    /// Its place in the TOML file: table and key.
    pub path: &'static str,
    /// What holds where nobody set it.
    pub default: Preset,
    /// Whether its value is never shown.
    pub secret: bool,
    /// What it is for: whole sentences.
    pub doc: &'static str,
    /// How it is read and where it goes.
    pub field: Field,
}

/// What holds where nobody set a setting.
#[derive(Clone, Copy)]
pub enum Preset {
    /// This text, read as if it had been written.
    Text(&'static str),
    /// Nothing; and what that means.
    None(&'static str),
    /// The platform's folder for data of programs.
    DataDir,
}

impl Setting {
    /// The flag, `--kafka-brokers`, without its dashes.
    pub fn flag(&self) -> String {
        self.env.to_ascii_lowercase().replace('_', "-")
    }

    /// The table of the file that it stands in.
    pub fn section(&self) -> &'static str {
        self.path.split('.').next().unwrap_or_default()
    }

    /// The setting with this environment name.
    pub fn by_env(env: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.env == env)
    }
}

/// The tables of the file in the order of the documentation, each with its heading and a sentence.
pub const SECTIONS: [(&str, &str, &str); 12] = [
    ("city", "City", "Which city this process holds."),
    ("kafka", "Kafka", "How to reach the brokers, and the topics that are created."),
    ("store", "Store", "Where the twin outlives the process."),
    ("ingest", "Ingest", "How events are read and judged."),
    ("writer", "Writer", "What only the writing instance does."),
    ("publish", "Publish", "How state goes out to Kafka."),
    ("http", "HTTP", "The one port."),
    ("graphql", "GraphQL", "Limits of requests, sockets and subscriptions."),
    ("live", "Live map", "What a map's subscription holds and shows."),
    (
        "city_live",
        "City Live",
        "What web APIs say of a city's zones: which of them are called, how often, and with which keys.",
    ),
    ("archive", "Archive", "Where history is kept."),
    ("log", "Logs", "What is written to standard error."),
];

/// The table of the simulated city, documented last.
pub const DEMO_SECTION: (&str, &str, &str) = ("demo", "Demo", "The simulated city of `citytwin demo`.");

/// All sections, in order.
pub fn sections() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    SECTIONS.into_iter().chain([DEMO_SECTION])
}

/// Ten minutes, an hour, a day in milliseconds.
const TEN_MINUTES: u64 = 600_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const MIB: u64 = 1 << 20;

const REDIS_SCHEMES: &[&str] = &["redis", "rediss", "redis-cluster", "rediss-cluster"];
const MONGODB_SCHEMES: &[&str] = &["mongodb", "mongodb+srv"];
const COMPRESSIONS: &[&str] = &["none", "gzip", "lz4", "snappy", "zstd"];

/// A row without an alias that is no secret.
const fn open(env: &'static str, path: &'static str, default: Preset, doc: &'static str, field: Field) -> Setting {
    Setting { env, alias: None, path, default, secret: false, doc, field }
}

/// A row whose value is never shown.
const fn hidden(env: &'static str, path: &'static str, default: Preset, doc: &'static str, field: Field) -> Setting {
    Setting { env, alias: None, path, default, secret: true, doc, field }
}

/// Every setting.
pub static SETTINGS: &[Setting] = &joined::<{ TWIN.len() + city_live::SETTINGS.len() }>(TWIN, city_live::SETTINGS);

/// Two tables as one.
const fn joined<const N: usize>(first: &[Setting], second: &[Setting]) -> [Setting; N] {
    let mut all = [first[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

/// The settings of the twin, in the order of the documentation.
const TWIN: &[Setting] = &[
    open(
        "CITY_ID",
        "city.id",
        Preset::None("the city file's id, else `laquila-dt-001`"),
        "The id of the city. Where a city file is set too, both must name the same city.",
        Field::CityId { set: |c, v| c.city.id = Some(v) },
    ),
    open(
        "CITY_NAME",
        "city.name",
        Preset::Text("L'Aquila Digital Twin"),
        "The name of the city where neither the store nor the city file has one.",
        Field::Text { set: |c, v| c.city.name = v },
    ),
    open(
        "CITY_FILE",
        "city.file",
        Preset::None("none"),
        "A city in the JSON of `state.full`, loaded where the store holds no city yet. Later changes of the file need \
         `citytwin import`.",
        Field::Path { set: |c, v| c.city.file = Some(v) },
    ),
    open(
        "KAFKA_BROKERS",
        "kafka.brokers",
        Preset::Text("localhost:9092"),
        "Where the Kafka brokers are. `embedded` runs an in-memory broker in this process, for trying things out: it \
         keeps at most 5 MiB a partition and forgets everything when the process ends.",
        Field::Brokers { set: |c, v| c.kafka.brokers = v },
    ),
    open(
        "KAFKA_CLIENT_ID",
        "kafka.client_id",
        Preset::Text("state-manager"),
        "The name under which this process shows up in the brokers' logs and quotas.",
        Field::Text { set: |c, v| c.kafka.client_id = v },
    ),
    open(
        "KAFKA_GROUP_ID",
        "kafka.group_id",
        Preset::Text("state-manager-group"),
        "The consumer group whose committed offsets follow, as a courtesy to lag tools. The store's offsets are what \
         counts; no group is joined.",
        Field::Text { set: |c, v| c.kafka.group_id = v },
    ),
    open(
        "KAFKA_TOPIC_PARTITIONS",
        "kafka.topic_partitions",
        Preset::Text("6"),
        "Partitions of the input topics that are created where they are missing. The state topics and the dead-letter \
         topic always get one.",
        Field::Whole { min: 1, max: 10_000, set: |c, v| c.kafka.topic_partitions = v as i32 },
    ),
    open(
        "KAFKA_TOPIC_REPLICATION",
        "kafka.topic_replication",
        Preset::Text("default"),
        "Replication factor of the topics that are created.",
        Field::Replication { set: |c, v| c.kafka.topic_replication = v },
    ),
    open(
        "KAFKA_EMBEDDED_PORT",
        "kafka.embedded_port",
        Preset::Text("0"),
        "The loopback port where other programs find the embedded broker; 0 is any free one, named in the log.",
        Field::Whole { min: 0, max: 65_535, set: |c, v| c.kafka.embedded_port = v as u16 },
    ),
    open(
        "KAFKA_SECURITY_PROTOCOL",
        "kafka.security_protocol",
        Preset::None("`plaintext`"),
        "How the brokers are spoken to: `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`.",
        Field::Kafka { property: "security.protocol" },
    ),
    open(
        "KAFKA_SASL_MECHANISM",
        "kafka.sasl_mechanism",
        Preset::None("librdkafka's"),
        "`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`.",
        Field::Kafka { property: "sasl.mechanism" },
    ),
    open(
        "KAFKA_SASL_USERNAME",
        "kafka.sasl_username",
        Preset::None("none"),
        "The user of SASL.",
        Field::Kafka { property: "sasl.username" },
    ),
    hidden(
        "KAFKA_SASL_PASSWORD",
        "kafka.sasl_password",
        Preset::None("none"),
        "The password of SASL. Prefer the environment or the file: flags can be seen in the list of processes.",
        Field::Kafka { property: "sasl.password" },
    ),
    open(
        "KAFKA_SSL_CA_LOCATION",
        "kafka.ssl_ca_location",
        Preset::None("the system's"),
        "A file or folder of certificates that sign the brokers'.",
        Field::Kafka { property: "ssl.ca.location" },
    ),
    open(
        "KAFKA_SSL_CERTIFICATE_LOCATION",
        "kafka.ssl_certificate_location",
        Preset::None("none"),
        "Our own certificate (PEM), where the brokers ask for one.",
        Field::Kafka { property: "ssl.certificate.location" },
    ),
    open(
        "KAFKA_SSL_KEY_LOCATION",
        "kafka.ssl_key_location",
        Preset::None("none"),
        "The key of our own certificate (PEM).",
        Field::Kafka { property: "ssl.key.location" },
    ),
    hidden(
        "KAFKA_SSL_KEY_PASSWORD",
        "kafka.ssl_key_password",
        Preset::None("none"),
        "The password of that key.",
        Field::Kafka { property: "ssl.key.password" },
    ),
    open(
        "REDIS_URL",
        "store.redis_url",
        Preset::Text("redis://localhost:6379"),
        "The Redis that holds the twin: `redis-cluster://` for a cluster, a second `s` for TLS, \
         `redis://user:password@host:port/database`. `embedded` keeps it in one file under `DATA_DIR`.",
        Field::UrlOrEmbedded { schemes: REDIS_SCHEMES, set: |c, v| c.store.redis_url = v },
    ),
    open(
        "DATA_DIR",
        "store.data_dir",
        Preset::DataDir,
        "Where embedded stores keep their files; made where it is missing.",
        Field::Path { set: |c, v| c.store.data_dir = v },
    ),
    open(
        "BATCH_SIZE",
        "ingest.batch_size",
        Preset::Text("1000"),
        "The most messages that are decoded and applied in one step.",
        Field::Whole { min: 1, max: 100_000, set: |c, v| c.ingest.batch_size = v as usize },
    ),
    open(
        "MAX_CLOCK_SKEW_MS",
        "ingest.max_clock_skew_ms",
        Preset::Text("300000"),
        "How far an event's `lastUpdated` may be ahead of its record's timestamp; beyond that it is dead-lettered as \
         `future`.",
        Field::Millis { min: 0, max: 365 * DAY, set: |c, v| c.ingest.max_clock_skew = v },
    ),
    open(
        "MAX_EVENT_BYTES",
        "ingest.max_event_bytes",
        Preset::Text("1048576"),
        "A larger record is dead-lettered as `too_large`.",
        Field::Whole { min: 128, max: 100 * MIB, set: |c, v| c.ingest.max_event_bytes = v as usize },
    ),
    open(
        "INCIDENT_RETENTION",
        "ingest.incident_retention",
        Preset::Text("24h"),
        "How long a resolved incident stays, by the time of the events of its partition; `off` keeps it for ever.",
        Field::Retention { set: |c, v| c.ingest.incident_retention = v },
    ),
    open(
        "FLUSH_INTERVAL_MS",
        "writer.flush_interval_ms",
        Preset::Text("1000"),
        "How often what changed is written to the store, together with the offsets.",
        Field::Millis { min: 10, max: HOUR, set: |c, v| c.writer.flush_interval = v },
    ),
    open(
        "LEASE_MS",
        "writer.lease_ms",
        Preset::Text("5000"),
        "How long the writer's lease lives without being renewed; another instance takes over within twice that.",
        Field::Millis { min: 100, max: TEN_MINUTES, set: |c, v| c.writer.lease = v },
    ),
    open(
        "ADVERTISED_URL",
        "writer.advertised_url",
        Preset::None("`http://` and `HTTP_ADDR`"),
        "Where clients of other instances find this one: replicas answer what only the writer may do with this \
         address.",
        Field::Url { schemes: &["http", "https"], set: |c, v| c.writer.advertised_url = Some(v) },
    ),
    open(
        "FULL_STATE_PUBLISH_INTERVAL_MS",
        "publish.full_state_interval_ms",
        Preset::Text("60000"),
        "How often the whole state goes to `state.full`.",
        Field::Millis { min: 50, max: DAY, set: |c, v| c.publish.full_interval = v },
    ),
    open(
        "INCREMENTAL_STATE_PUBLISH_INTERVAL_MS",
        "publish.incremental_state_interval_ms",
        Preset::Text("5000"),
        "How often what changed goes to `state.incremental`.",
        Field::Millis { min: 50, max: DAY, set: |c, v| c.publish.incremental_interval = v },
    ),
    open(
        "STATE_TOPIC_COMPRESSION",
        "publish.compression",
        Preset::Text("gzip"),
        "How the records of the state topics are compressed. kafkajs reads no other than gzip without a plug-in.",
        Field::Choice { of: COMPRESSIONS, set: |c, v| v.clone_into(&mut c.publish.compression) },
    ),
    open(
        "HTTP_ADDR",
        "http.addr",
        Preset::Text("127.0.0.1:8080"),
        "Where the server listens; `0.0.0.0:8080` is every interface. Port 0 is any free one, named in the log.",
        Field::Address { set: |c, v| c.http.addr = v },
    ),
    hidden(
        "ADMIN_TOKEN",
        "http.admin_token",
        Preset::None("none: only loopback may change anything"),
        "What `Authorization: Bearer …` must carry to change anything.",
        Field::SecretText { set: |c, v| c.http.admin_token = Some(v) },
    ),
    open(
        "ALLOWED_ORIGINS",
        "http.allowed_origins",
        Preset::None("the page's own"),
        "Origins whose pages may use the API from a browser, beside the server's own; `*` is all.",
        Field::Origins { set: |c, v| c.http.allowed_origins = v },
    ),
    open(
        "MAP_BACKGROUND",
        "http.map_background",
        Preset::None("none: the map shows only the city's own geometry"),
        "What lies under the map: the URL of tiles with `{z}`, `{x}` and `{y}` in it, or a PMTiles file, by its URL or by its \
         path on this machine. Browsers load it from there, and the page's content security policy allows them to.",
        Field::Background { set: |c, v| c.http.map_background = Some(v) },
    ),
    open(
        "MAP_ATTRIBUTION",
        "http.map_attribution",
        Preset::None("none"),
        "Whom the map names for its background, such as `© OpenStreetMap contributors`.",
        Field::Text { set: |c, v| c.http.map_attribution = Some(v) },
    ),
    open(
        "HTTP_MAX_BODY_BYTES",
        "http.max_body_bytes",
        Preset::Text("1048576"),
        "The largest body of a GraphQL request.",
        Field::Whole { min: 1024, max: 1024 * MIB, set: |c, v| c.http.max_body_bytes = v as usize },
    ),
    open(
        "HTTP_MAX_CITY_BYTES",
        "http.max_city_bytes",
        Preset::Text("268435456"),
        "The largest city file that `PUT /api/city` takes.",
        Field::Whole { min: 1024, max: 4096 * MIB, set: |c, v| c.http.max_city_bytes = v as usize },
    ),
    open(
        "GRAPHQL_MAX_DEPTH",
        "graphql.max_depth",
        Preset::Text("32"),
        "How deep a query may nest. Each connection takes three levels (`edges`, `node`, its fields).",
        Field::Whole { min: 1, max: 1000, set: |c, v| c.graphql.max_depth = v as usize },
    ),
    open(
        "GRAPHQL_MAX_COMPLEXITY",
        "graphql.max_complexity",
        Preset::Text("200000"),
        "The most fields a query may ask for; those inside a list count once for each entry that `first` allows.",
        Field::Whole { min: 1, max: 1_000_000_000, set: |c, v| c.graphql.max_complexity = v as usize },
    ),
    open(
        "GRAPHQL_MAX_ALIASES",
        "graphql.max_aliases",
        Preset::Text("200"),
        "The most aliases in one document.",
        Field::Whole { min: 0, max: 100_000, set: |c, v| c.graphql.max_aliases = v as usize },
    ),
    open(
        "GRAPHQL_MAX_DIRECTIVES",
        "graphql.max_directives",
        Preset::Text("16"),
        "The most directives on one field.",
        Field::Whole { min: 1, max: 1000, set: |c, v| c.graphql.max_directives = v as usize },
    ),
    open(
        "GRAPHQL_MAX_PAGE",
        "graphql.max_page",
        Preset::Text("1000"),
        "The most entries of one page of a list (`first`).",
        Field::Whole { min: 1, max: 1_000_000, set: |c, v| c.graphql.max_page = v as i32 },
    ),
    open(
        "GRAPHQL_TIMEOUT_MS",
        "graphql.timeout_ms",
        Preset::Text("10000"),
        "How long one query or mutation may take.",
        Field::Millis { min: 10, max: TEN_MINUTES, set: |c, v| c.graphql.timeout = v },
    ),
    open(
        "GRAPHQL_MAX_OPERATIONS_PER_SOCKET",
        "graphql.max_operations_per_socket",
        Preset::Text("100"),
        "The most operations that run on one socket at a time.",
        Field::Whole { min: 1, max: 100_000, set: |c, v| c.graphql.max_operations_per_socket = v as usize },
    ),
    open(
        "GRAPHQL_MAX_SOCKETS_PER_ADDRESS",
        "graphql.max_sockets_per_address",
        Preset::Text("4096"),
        "The most open sockets and event streams of one client address.",
        Field::Whole { min: 1, max: 1_000_000, set: |c, v| c.graphql.max_sockets_per_address = v as usize },
    ),
    open(
        "GRAPHQL_CONNECTION_INIT_TIMEOUT_MS",
        "graphql.connection_init_timeout_ms",
        Preset::Text("10000"),
        "How long a client may take from the upgrade to `connection_init`; then its socket is closed with 4408.",
        Field::Millis { min: 10, max: TEN_MINUTES, set: |c, v| c.graphql.connection_init_timeout = v },
    ),
    open(
        "GRAPHQL_WRITE_TIMEOUT_MS",
        "graphql.write_timeout_ms",
        Preset::Text("10000"),
        "How long the close frame of a socket may take; a write to any client is given up after this and \
         `GRAPHQL_STALL_TIMEOUT_MS` together.",
        Field::Millis { min: 10, max: TEN_MINUTES, set: |c, v| c.graphql.write_timeout = v },
    ),
    open(
        "GRAPHQL_PING_INTERVAL_MS",
        "graphql.ping_interval_ms",
        Preset::Text("25000"),
        "How often a quiet socket is pinged.",
        Field::Millis { min: 10, max: TEN_MINUTES, set: |c, v| c.graphql.ping_interval = v },
    ),
    open(
        "GRAPHQL_STALL_TIMEOUT_MS",
        "graphql.stall_timeout_ms",
        Preset::Text("30000"),
        "How long a subscriber may take nothing of what waits for it before its socket is closed with 4008.",
        Field::Millis { min: 10, max: HOUR, set: |c, v| c.graphql.stall_timeout = v },
    ),
    open(
        "LIVE_RESUME_MS",
        "live.resume_ms",
        Preset::Text("300000"),
        "How long a subscription of `twinChanges` whose stream has ended can be gone on with by `resumeFrom`.",
        Field::Millis { min: 0, max: DAY, set: |c, v| c.live.resume = v },
    ),
    open(
        "LIVE_RESUME_BYTES",
        "live.resume_bytes",
        Preset::Text("67108864"),
        "What is kept for that, all subscriptions together; those whose streams ended first are forgotten first.",
        Field::Whole { min: 0, max: 4096 * MIB, set: |c, v| c.live.resume_bytes = v as usize },
    ),
    open(
        "LIVE_CELLS_ABOVE",
        "live.cells_above",
        Preset::Text("5000"),
        "With more points and movers than this in view, a map that tells its zoom gets the cells of a grid instead.",
        Field::Whole { min: 1, max: 10_000_000, set: |c, v| c.live.cells_above = v as usize },
    ),
    open(
        "LIVE_ROADS_ABOVE",
        "live.roads_above",
        Preset::Text("50000"),
        "With more roads than this in view, the less important classes are left out beside cells.",
        Field::Whole { min: 1, max: 10_000_000, set: |c, v| c.live.roads_above = v as usize },
    ),
    open(
        "MONGODB_URI",
        "archive.mongodb_uri",
        Preset::Text("mongodb://localhost:27017/citytwin"),
        "The MongoDB in which City Live keeps what it knows, with the database in its path; `embedded` keeps it in `DATA_DIR`. The \
         twin never waits for it.",
        Field::UrlOrEmbedded { schemes: MONGODB_SCHEMES, set: |c, v| c.archive.mongodb_uri = v },
    ),
    open(
        "LOG_FORMAT",
        "log.format",
        Preset::Text("text"),
        "Lines for people, or one JSON object a line.",
        Field::Choice { of: &["text", "json"], set: |c, v| c.log.format = log_format(v) },
    ),
    Setting {
        env: "LOG_LEVEL",
        alias: Some("RUST_LOG"),
        path: "log.level",
        default: Preset::Text("info"),
        secret: false,
        doc: "What is logged. `RUST_LOG` is read where `LOG_LEVEL` is not set.",
        field: Field::LogLevel { set: |c, v| c.log.level = v },
    },
    open(
        "DEMO_RATE",
        "demo.rate",
        Preset::Text("500"),
        "Events a second of the simulated city, all topics together.",
        Field::Whole { min: 1, max: 1_000_000, set: |c, v| c.demo.rate = v as u32 },
    ),
    open(
        "DEMO_SEED",
        "demo.seed",
        Preset::Text("1"),
        "Where the simulation's chance begins: two runs with one seed are alike. Seeds other than 1 are cities of their own \
            (`laquila-dt-001-seed-7`), each with its own file.",
        Field::Whole { min: 0, max: u64::MAX, set: |c, v| c.demo.seed = v },
    ),
];
