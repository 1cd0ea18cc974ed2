//! Every metric, once.

/// The type of a metric, as Prometheus has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It counts observations in buckets with these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What its value counts or measures.
    pub unit: &'static str,
    /// What it tells: a sentence.
    pub doc: &'static str,
    /// When to worry: a sentence.
    pub worry: &'static str,
}

/// From 100 microseconds to 10 seconds.
const SECONDS: Kind = Kind::Histogram(&[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
]);
/// From one to a million, for counts of messages and rows.
const COUNTS: Kind = Kind::Histogram(&[1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 1e4, 2.5e4, 1e5, 1e6]);
/// From 1 KiB to 64 MiB.
const BYTES: Kind = Kind::Histogram(&[
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
]);

macro_rules! metrics {
    ($($id:ident: $name:literal, $kind:expr, [$($label:literal),*], $unit:literal, $doc:literal, $worry:literal;)+) => {
        /// The rows of the table by name, for the functions that hand out handles.
        pub mod names {
            #[allow(clippy::wildcard_imports, reason = "the rows are written with the table's own words")]
            use super::*;
            $(
                #[doc = $doc]
                pub const $id: Metric = Metric {
                    name: $name, kind: $kind, labels: &[$($label),*], unit: $unit, doc: $doc, worry: $worry,
                };
            )+
        }

        /// Every metric, in the order of the documentation.
        pub static METRICS: &[Metric] = &[$(names::$id),+];
    };
}

metrics! {
    EVENTS: "citytwin_events_total", Kind::Counter, ["topic", "outcome"], "events",
        "Events read, by what became of them: `applied`, `unchanged`, `stale` (older than what the entity holds) or `rejected`.",
        "`rate` of `applied` falls to 0 on a topic that has traffic, or `stale` grows steadily (a producer's clock, or two partitions for one entity).";
    REJECTS: "citytwin_rejects_total", Kind::Counter, ["topic", "code"], "events",
        "Events that went to `twin.dead-letter`, by their `error-code`.",
        "Any steady `rate`: a producer sends what the format does not allow.";
    UNKNOWN_KEYS: "citytwin_unknown_keys_total", Kind::Counter, ["topic"], "keys",
        "Keys of messages that the format does not know; they are ignored.",
        "It starts to grow after a producer's release: a field may be misspelt.";
    BATCH_MESSAGES: "citytwin_batch_messages", COUNTS, [], "messages",
        "Messages decoded and applied in one step.",
        "Always at `BATCH_SIZE` while the lag grows: the fold is the bottleneck.";
    BATCH_SECONDS: "citytwin_batch_seconds", SECONDS, [], "seconds",
        "Time to decode and apply one batch.",
        "Its 99th percentile is above 0.1 s.";
    CONSUMER_LAG: "citytwin_consumer_lag", Kind::Gauge, ["topic", "partition"], "messages",
        "Messages between what was applied and the partition's end.",
        "It grows for minutes.";
    NEWEST_EVENT_AGE: "citytwin_newest_event_age_seconds", Kind::Gauge, ["topic"], "seconds",
        "Age of the newest event applied from the topic, by its own time.",
        "Above what the topic's producers promise: they are silent, or we are behind (see the lag).";
    OFFSET_GAPS: "citytwin_offset_gaps_total", Kind::Counter, ["topic", "partition"], "gaps",
        "Times that reading could not go on where it had stopped: retention overtook it, or the topic was made anew.",
        "Ever: events were lost; lengthen the topic's retention.";
    LOST_OFFSETS: "citytwin_lost_offsets_total", Kind::Counter, ["topic", "partition"], "offsets",
        "Offsets that those gaps left out.",
        "Ever, as above.";
    FLUSH_SECONDS: "citytwin_flush_seconds", SECONDS, [], "seconds",
        "Time of one flush to the store.",
        "Near `FLUSH_INTERVAL_MS`: the store is too slow for the rate of change.";
    FLUSH_ROWS: "citytwin_flush_rows", COUNTS, [], "rows",
        "Rows that one flush wrote.",
        "No bound of its own.";
    FLUSH_BYTES: "citytwin_flush_bytes", BYTES, [], "bytes",
        "Bytes of JSON that one flush wrote.",
        "Often above 8 MiB: flushes then go in chunks, and readers of Redis may see a mix.";
    FLUSH_FAILURES: "citytwin_flush_failures_total", Kind::Counter, ["reason"], "flushes",
        "Flushes that did not land: `unavailable` (repeated), `fenced` (another writer has taken over), `emptied` (written anew), `foreign`.",
        "`unavailable` for more than a minute; `emptied` or `foreign` ever.";
    DELTA_SECONDS: "citytwin_delta_seconds", SECONDS, [], "seconds",
        "Time to make one `state.incremental`.",
        "Its 99th percentile is above 0.1 s.";
    FULL_SECONDS: "citytwin_full_seconds", SECONDS, [], "seconds",
        "Time to make one `state.full`.",
        "Its 99th percentile is above 0.5 s.";
    DELTA_BYTES: "citytwin_delta_bytes", BYTES, [], "bytes",
        "Size of one `state.incremental`, as JSON before the topic's compression.",
        "A fifth of it (what gzip leaves, about) nears the topic's `max.message.bytes`.";
    FULL_BYTES: "citytwin_full_bytes", BYTES, [], "bytes",
        "Size of one `state.full`, as JSON before the topic's compression.",
        "A fifth of it (what gzip leaves, about) nears the topic's `max.message.bytes`.";
    DELTA_RATIO: "citytwin_delta_ratio", Kind::Gauge, [], "ratio",
        "Size of the last `state.incremental` as a share of the last `state.full`, both as JSON.",
        "Near 1: nearly everything changes within one interval, and increments save nothing.";
    PUBLISHED: "citytwin_published_total", Kind::Counter, ["topic", "outcome"], "messages",
        "Messages to the state topics: `acknowledged`, `repeated` (the outcome was unknown), `refused` for good, `skipped` (too large for the embedded broker).",
        "`refused` ever, or `acknowledged` of `state.full` stands still for twice its interval on the writer.";
    BOUNDARY_AGE: "citytwin_boundary_age_seconds", Kind::Gauge, [], "seconds",
        "Time since the last acknowledged boundary.",
        "Above twice `FULL_STATE_PUBLISH_INTERVAL_MS`.";
    SUBSCRIBERS: "citytwin_subscribers", Kind::Gauge, ["transport"], "clients",
        "Clients with at least one subscription running.",
        "It falls to 0 at once: look at the proxy in front.";
    SUBSCRIPTIONS: "citytwin_subscriptions", Kind::Gauge, ["field"], "subscriptions",
        "Subscriptions running, by root field.",
        "It grows while `citytwin_subscribers` does not: a client never completes.";
    SUBSCRIBER_LAG: "citytwin_subscriber_lag_seconds", SECONDS, [], "seconds",
        "Time from a change in the twin to the moment that a subscriber took it.",
        "Its 99th percentile is above 1 s beyond the interval that clients ask for.";
    SUBSCRIBER_WORST_LAG: "citytwin_subscriber_worst_lag_seconds", Kind::Gauge, [], "seconds",
        "Age of the oldest change that some subscriber was told of and has not yet taken, its own interval included; looked at each second.",
        "Near `GRAPHQL_STALL_TIMEOUT_MS`: some client takes nothing, and is about to be closed with 4008.";
    SOCKETS: "citytwin_sockets", Kind::Gauge, [], "sockets",
        "Open WebSockets and event streams.",
        "Near the limit of open files, or one address near `GRAPHQL_MAX_SOCKETS_PER_ADDRESS`.";
    DEAD_LETTERS: "citytwin_dead_letters_total", Kind::Counter, ["code"], "records",
        "Dead letters that the broker has acknowledged, by `error-code`.",
        "It lags behind `citytwin_rejects_total` on the writer.";
    DEAD_LETTERS_WAITING: "citytwin_dead_letters_waiting", Kind::Gauge, [], "records",
        "Dead letters not yet acknowledged.",
        "Above 0 for minutes: `twin.dead-letter` takes nothing, and partitions will pause.";
    STORE_UP: "citytwin_store_up", Kind::Gauge, ["store"], "0 or 1",
        "Whether the store answered last time.",
        "0 for more than a minute: changes wait in memory.";
    BROKER_UP: "citytwin_broker_up", Kind::Gauge, [], "0 or 1",
        "Whether a broker is connected.",
        "0 for more than a minute.";
    WRITER: "citytwin_writer", Kind::Gauge, [], "0 or 1",
        "Whether this instance is the writer (1) or a replica (0).",
        "The sum over all instances of a city is not 1 for longer than twice `LEASE_MS`.";
    EPOCH: "citytwin_epoch", Kind::Gauge, [], "epoch",
        "The token of the writer that this instance follows or is.",
        "It rises often: instances take the lease from each other.";
    ENTITIES: "citytwin_entities", Kind::Gauge, ["kind"], "entities",
        "Entities in the twin.",
        "It grows without end: a producer makes up new ids.";
    REVISION: "citytwin_revision", Kind::Gauge, [], "revisions",
        "The revision of the twin: it rises with each batch that changed something.",
        "It stands still while events are applied.";
    GRAPHQL_REQUESTS: "citytwin_graphql_requests_total", Kind::Counter, ["operation", "outcome"], "requests",
        "GraphQL operations, over HTTP and sockets: `ok`, `error` or `refused` (invalid or beyond a limit).",
        "A rising share of `error` or `refused`.";
    GRAPHQL_SECONDS: "citytwin_graphql_seconds", SECONDS, ["operation"], "seconds",
        "Time to answer a GraphQL operation; for a subscription, to its first result.",
        "Its 99th percentile is above 0.5 s.";
    HTTP_REQUESTS: "citytwin_http_requests_total", Kind::Counter, ["route", "method", "status"], "requests",
        "HTTP requests by route (the pattern, never the path), method and status.",
        "5xx at a steady `rate`.";
    HTTP_SECONDS: "citytwin_http_seconds", SECONDS, ["route"], "seconds",
        "Time to answer an HTTP request.",
        "Its 99th percentile is above 1 s.";
    LIVE_CALLS: "citytwin_city_live_calls_total", Kind::Counter, ["feed", "outcome"], "calls",
        "Attempts to call the web APIs of City Live: `ok`, `unchanged` (304), `throttled` (429), `refused` (4xx), `failed` (5xx), `timeout`, `broken`, `too_large`, `malformed`; and calls that were not made: `resting` (circuit open), `over_budget`.",
        "`refused` at a steady `rate` (a key?), `malformed` ever (the API has changed), or `ok` and `unchanged` of a feed stand still for an hour.";
    LIVE_CALL_SECONDS: "citytwin_city_live_call_seconds", SECONDS, ["feed"], "seconds",
        "Time of one attempt to call a web API, to the last byte.",
        "Its 99th percentile nears 10 s, where an attempt is given up.";
    LIVE_BREAKER: "citytwin_city_live_breaker", Kind::Gauge, ["feed"], "0, 1 or 2",
        "Where a feed's circuit breaker stands: 0 closed, 1 half open (one call goes out to see), 2 open, or resting because the API asked for it.",
        "2 for more than a quarter of an hour.";
    LIVE_SENT: "citytwin_city_live_sent_total", Kind::Counter, ["topic"], "messages",
        "Messages of City Live's topics that the broker has acknowledged.",
        "It stands still while calls are `ok`: Kafka takes nothing.";
    LIVE_CONSUMED: "citytwin_city_live_consumed_total", Kind::Counter, ["topic"], "messages",
        "Messages of City Live's topics that were taken into the archive, or refused.",
        "It stands still while messages are sent, on the instance that runs City Live.";
    LIVE_INTAKE_SECONDS: "citytwin_city_live_intake_seconds", SECONDS, [], "seconds",
        "Time of one batch from Kafka into the archive, its dead letters included.",
        "Its 99th percentile is above 1 s while the lag of these topics grows: the archive is too slow.";
    LIVE_RUNS: "citytwin_city_live_runs", Kind::Gauge, [], "0 or 1",
        "Whether this instance runs City Live: it holds the lease in the archive.",
        "The sum over all instances is not 1 for longer than three times `LEASE_MS`.";
    DEGRADED: "citytwin_degraded", Kind::Gauge, ["state"], "parts",
        "How many parts `/readyz` names as degraded (Kafka, the store, City Live's archive, a topic), by state: `down`, `behind`, `lost` or `paused`.",
        "Above 0 for minutes: `/readyz` says which and why.";
    MEMORY: "process_resident_memory_bytes", Kind::Gauge, [], "bytes",
        "Resident memory of the process (Linux; 0 elsewhere).",
        "It grows while `citytwin_entities` does not.";
    BUILD: "citytwin_build_info", Kind::Gauge, ["version", "commit"], "1",
        "Always 1; the labels say which build runs.",
        "Instances of one city differ for longer than a roll-out takes.";
}
