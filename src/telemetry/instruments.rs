//! One function a metric; the arguments are its labels.

use metrics::{Counter, Gauge, Histogram};

use super::{
    labels::{CallOutcome, Degraded, FlushFailure, GraphqlOutcome, Operation, Outcome, Published, Store, Transport},
    registry::{counter, gauge, histogram, set_boundary, set_newest_event},
    table::names,
};

/// The counters of one input topic, to be kept by who reads it. Counts are added once a batch.
#[derive(Clone)]
pub struct TopicMetrics {
    topic: String,
    events: [Counter; Outcome::ALL.len()],
    unknown_keys: Counter,
}

impl TopicMetrics {
    /// The counters of this topic.
    pub fn new(topic: &str) -> Self {
        let events = std::array::from_fn(|index| events(topic, Outcome::ALL[index]));
        Self { topic: topic.to_owned(), events, unknown_keys: unknown_keys(topic) }
    }

    /// Events with this outcome.
    pub fn events(&self, outcome: Outcome) -> &Counter {
        &self.events[outcome as usize]
    }

    /// Keys that the format does not know.
    pub fn unknown_keys(&self) -> &Counter {
        &self.unknown_keys
    }

    /// The newest event's time, in milliseconds since 1970; an older one changes nothing.
    pub fn newest_event(&self, millis: i64) {
        newest_event(&self.topic, millis);
    }
}

/// Events of a topic with this outcome.
pub fn events(topic: &str, outcome: Outcome) -> Counter {
    counter(&names::EVENTS, &[topic, outcome.as_str()])
}

/// Events of a topic that were refused with this error code.
pub fn rejects(topic: &str, code: &str) -> Counter {
    counter(&names::REJECTS, &[topic, code])
}

/// Keys in a topic's messages that the format does not know.
pub fn unknown_keys(topic: &str) -> Counter {
    counter(&names::UNKNOWN_KEYS, &[topic])
}

/// Messages in one batch.
pub fn batch_messages() -> Histogram {
    histogram(&names::BATCH_MESSAGES, &[])
}

/// Seconds of one batch.
pub fn batch_seconds() -> Histogram {
    histogram(&names::BATCH_SECONDS, &[])
}

/// Messages between what was applied and the partition's end.
pub fn consumer_lag(topic: &str, partition: i32) -> Gauge {
    gauge(&names::CONSUMER_LAG, &[topic, itoa::Buffer::new().format(partition)])
}

/// The newest event's time of a topic, in milliseconds since 1970; its age is shown at each look.
pub fn newest_event(topic: &str, millis: i64) {
    set_newest_event(topic, millis);
}

/// Times that reading could not go on where it had stopped.
pub fn offset_gaps(topic: &str, partition: i32) -> Counter {
    counter(&names::OFFSET_GAPS, &[topic, itoa::Buffer::new().format(partition)])
}

/// Offsets that such gaps left out.
pub fn lost_offsets(topic: &str, partition: i32) -> Counter {
    counter(&names::LOST_OFFSETS, &[topic, itoa::Buffer::new().format(partition)])
}

/// Seconds of one flush.
pub fn flush_seconds() -> Histogram {
    histogram(&names::FLUSH_SECONDS, &[])
}

/// Rows of one flush.
pub fn flush_rows() -> Histogram {
    histogram(&names::FLUSH_ROWS, &[])
}

/// Bytes of one flush.
pub fn flush_bytes() -> Histogram {
    histogram(&names::FLUSH_BYTES, &[])
}

/// Flushes that did not land.
pub fn flush_failures(reason: FlushFailure) -> Counter {
    counter(&names::FLUSH_FAILURES, &[reason.as_str()])
}

/// Seconds to make one incremental.
pub fn delta_seconds() -> Histogram {
    histogram(&names::DELTA_SECONDS, &[])
}

/// Seconds to make one full.
pub fn full_seconds() -> Histogram {
    histogram(&names::FULL_SECONDS, &[])
}

/// Bytes of one incremental.
pub fn delta_bytes() -> Histogram {
    histogram(&names::DELTA_BYTES, &[])
}

/// Bytes of one full.
pub fn full_bytes() -> Histogram {
    histogram(&names::FULL_BYTES, &[])
}

/// The last incremental's size as a share of the last full's.
pub fn delta_ratio() -> Gauge {
    gauge(&names::DELTA_RATIO, &[])
}

/// Messages to a state topic with this outcome.
pub fn published(topic: &str, outcome: Published) -> Counter {
    counter(&names::PUBLISHED, &[topic, outcome.as_str()])
}

/// The last acknowledged boundary, in milliseconds since 1970; its age is shown at each look.
pub fn boundary(millis: i64) {
    set_boundary(millis);
}

/// Clients with a subscription running.
pub fn subscribers(transport: Transport) -> Gauge {
    gauge(&names::SUBSCRIBERS, &[transport.as_str()])
}

/// Subscriptions running on a root field of the schema.
pub fn subscriptions(field: &str) -> Gauge {
    gauge(&names::SUBSCRIPTIONS, &[field])
}

/// Seconds from a change to the moment that a subscriber took it.
pub fn subscriber_lag() -> Histogram {
    histogram(&names::SUBSCRIBER_LAG, &[])
}

/// Seconds that the latest subscriber is late.
pub fn subscriber_worst_lag() -> Gauge {
    gauge(&names::SUBSCRIBER_WORST_LAG, &[])
}

/// Open sockets and event streams.
pub fn sockets() -> Gauge {
    gauge(&names::SOCKETS, &[])
}

/// Acknowledged dead letters with this error code.
pub fn dead_letters(code: &str) -> Counter {
    counter(&names::DEAD_LETTERS, &[code])
}

/// Dead letters not yet acknowledged.
pub fn dead_letters_waiting() -> Gauge {
    gauge(&names::DEAD_LETTERS_WAITING, &[])
}

/// Whether the store answered last time (1 or 0).
pub fn store_up(store: Store) -> Gauge {
    gauge(&names::STORE_UP, &[store.as_str()])
}

/// Whether a broker is connected (1 or 0).
pub fn broker_up() -> Gauge {
    gauge(&names::BROKER_UP, &[])
}

/// Whether this instance is the writer (1 or 0).
pub fn writer() -> Gauge {
    gauge(&names::WRITER, &[])
}

/// The token of the writer.
pub fn epoch() -> Gauge {
    gauge(&names::EPOCH, &[])
}

/// Entities of a kind.
pub fn entities(kind: &str) -> Gauge {
    gauge(&names::ENTITIES, &[kind])
}

/// The revision of the twin.
pub fn revision() -> Gauge {
    gauge(&names::REVISION, &[])
}

/// GraphQL operations.
pub fn graphql_requests(operation: Operation, outcome: GraphqlOutcome) -> Counter {
    counter(&names::GRAPHQL_REQUESTS, &[operation.as_str(), outcome.as_str()])
}

/// Seconds of a GraphQL operation.
pub fn graphql_seconds(operation: Operation) -> Histogram {
    histogram(&names::GRAPHQL_SECONDS, &[operation.as_str()])
}

/// HTTP requests; `route` is the router's pattern, never the path, lest a stranger make up label values.
pub fn http_requests(route: &'static str, method: &'static str, status: u16) -> Counter {
    counter(&names::HTTP_REQUESTS, &[route, method, itoa::Buffer::new().format(status)])
}

/// Seconds of an HTTP request.
pub fn http_seconds(route: &'static str) -> Histogram {
    histogram(&names::HTTP_SECONDS, &[route])
}

/// Attempts to call this feed's API with this outcome.
pub fn live_calls(feed: &'static str, outcome: CallOutcome) -> Counter {
    counter(&names::LIVE_CALLS, &[feed, outcome.as_str()])
}

/// Seconds of an attempt to call this feed's API.
pub fn live_call_seconds(feed: &'static str) -> Histogram {
    histogram(&names::LIVE_CALL_SECONDS, &[feed])
}

/// Where this feed's circuit breaker stands: 0 closed, 1 half open, 2 open.
pub fn live_breaker(feed: &'static str) -> Gauge {
    gauge(&names::LIVE_BREAKER, &[feed])
}

/// Messages of a City Live topic that the broker has acknowledged.
pub fn live_sent(topic: &'static str) -> Counter {
    counter(&names::LIVE_SENT, &[topic])
}

/// Messages of a City Live topic that were taken in or refused.
pub fn live_consumed(topic: &'static str) -> Counter {
    counter(&names::LIVE_CONSUMED, &[topic])
}

/// Seconds of one batch into City Live's archive.
pub fn live_intake_seconds() -> Histogram {
    histogram(&names::LIVE_INTAKE_SECONDS, &[])
}

/// Whether this instance runs City Live.
pub fn live_runs() -> Gauge {
    gauge(&names::LIVE_RUNS, &[])
}

/// How many parts of this instance are degraded.
pub fn degraded(state: Degraded) -> Gauge {
    gauge(&names::DEGRADED, &[state.as_str()])
}
