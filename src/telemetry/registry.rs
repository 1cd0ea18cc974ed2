//! The one registry of the process, and what is worked out only when somebody looks.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::{
    instruments, labels,
    process::resident_bytes,
    table::{Kind, METRICS, Metric, names},
};

struct Registry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// Times in milliseconds since 1970 whose age is shown.
    moments: Mutex<Moments>,
}

#[derive(Default)]
struct Moments {
    newest_event: BTreeMap<String, i64>,
    boundary: Option<i64>,
}

static METADATA: Metadata<'static> = Metadata::new("citytwin", Level::INFO, None);

/// Made on first use, so that a handle asked for early is never a dead one.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let builder = METRICS.iter().fold(PrometheusBuilder::new(), |builder, metric| match metric.kind {
        // The only error is an empty list of buckets, and none is (a test checks it).
        Kind::Histogram(buckets) => builder
            .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
            .unwrap_or_else(|_| PrometheusBuilder::new()),
        _ => builder,
    });
    let recorder = builder.build_recorder();
    for metric in METRICS {
        let (name, doc) = (metric.name.into(), metric.doc.replace('`', "").into());
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, None, doc),
            Kind::Gauge => recorder.describe_gauge(name, None, doc),
            Kind::Histogram(_) => recorder.describe_histogram(name, None, doc),
        }
    }
    let handle = recorder.handle();
    // Observations wait in the recorder until they are put into buckets; where nobody scrapes, this does it, so that
    // they never pile up. A thread that cannot be started leaves that to the scrapes.
    let upkeep = handle.clone();
    let _ = std::thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            upkeep.run_upkeep();
        }
    });
    Registry { recorder, handle, moments: Mutex::default() }
});

fn key(metric: &Metric, values: &[&str]) -> Key {
    debug_assert_eq!(metric.labels.len(), values.len(), "{} has other labels", metric.name);
    let labels: Vec<Label> =
        metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(metric.name, labels)
}

pub(super) fn counter(metric: &Metric, values: &[&str]) -> Counter {
    REGISTRY.recorder.register_counter(&key(metric, values), &METADATA)
}

pub(super) fn gauge(metric: &Metric, values: &[&str]) -> Gauge {
    REGISTRY.recorder.register_gauge(&key(metric, values), &METADATA)
}

pub(super) fn histogram(metric: &Metric, values: &[&str]) -> Histogram {
    REGISTRY.recorder.register_histogram(&key(metric, values), &METADATA)
}

pub(super) fn set_newest_event(topic: &str, millis: i64) {
    let mut moments = REGISTRY.moments.lock().unwrap_or_else(PoisonError::into_inner);
    match moments.newest_event.get_mut(topic) {
        Some(newest) => *newest = millis.max(*newest),
        None => drop(moments.newest_event.insert(topic.to_owned(), millis)),
    }
}

pub(super) fn set_boundary(millis: i64) {
    REGISTRY.moments.lock().unwrap_or_else(PoisonError::into_inner).boundary = Some(millis);
}

/// All metrics in Prometheus' text form, for `/metrics`.
pub fn render() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    render_at(now)
}

pub(super) fn render_at(now: i64) -> String {
    {
        let moments = REGISTRY.moments.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, millis) in &moments.newest_event {
            gauge(&names::NEWEST_EVENT_AGE, &[topic]).set(age(now, *millis));
        }
        if let Some(millis) = moments.boundary {
            gauge(&names::BOUNDARY_AGE, &[]).set(age(now, millis));
        }
    }
    gauge(&names::MEMORY, &[]).set(resident_bytes().unwrap_or_default() as f64);
    let commit = option_env!("CITYTWIN_COMMIT").unwrap_or("unknown");
    gauge(&names::BUILD, &[env!("CARGO_PKG_VERSION"), commit]).set(1.0);
    REGISTRY.handle.render()
}

/// Seconds from `then` to `now`; negative where it lies ahead, as an event's may by the allowed skew.
fn age(now: i64, then: i64) -> f64 {
    now.saturating_sub(then) as f64 / 1000.0
}

/// The labels that are known before anything happens.
pub struct Known<'a> {
    /// The twin's input topics.
    pub topics: &'a [&'a str],
    /// The error codes.
    pub codes: &'a [&'a str],
    /// The entities' kinds.
    pub kinds: &'a [&'a str],
    /// City Live's topics.
    pub live_topics: &'a [&'static str],
    /// City Live's feeds.
    pub live_feeds: &'a [&'static str],
}

/// Shows what can be known beforehand as 0, as Prometheus advises: a counter that appears with its first increment
/// hides that increment from `rate`.
pub fn announce(known: &Known<'_>) {
    let Known { topics, codes, kinds, live_topics, live_feeds } = *known;
    for topic in live_topics {
        drop(instruments::live_sent(topic));
        drop(instruments::live_consumed(topic));
    }
    for feed in live_feeds {
        for outcome in labels::CallOutcome::ALL {
            drop(instruments::live_calls(feed, *outcome));
        }
        drop(instruments::live_call_seconds(feed));
        drop(instruments::live_breaker(feed));
    }
    for topic in topics {
        for outcome in labels::Outcome::ALL {
            drop(instruments::events(topic, *outcome));
        }
        drop(instruments::unknown_keys(topic));
        for code in codes {
            drop(instruments::rejects(topic, code));
        }
    }
    for code in codes {
        drop(instruments::dead_letters(code));
    }
    for kind in kinds {
        drop(instruments::entities(kind));
    }
    for topic in ["state.full", "state.incremental"] {
        for outcome in labels::Published::ALL {
            drop(instruments::published(topic, *outcome));
        }
    }
    for reason in labels::FlushFailure::ALL {
        drop(instruments::flush_failures(*reason));
    }
    for state in labels::Degraded::ALL {
        drop(instruments::degraded(*state));
    }
    for transport in labels::Transport::ALL {
        drop(instruments::subscribers(*transport));
    }
    for operation in labels::Operation::ALL {
        for outcome in labels::GraphqlOutcome::ALL {
            drop(instruments::graphql_requests(*operation, *outcome));
        }
        drop(instruments::graphql_seconds(*operation));
    }
    // What has no labels is shown from the start.
    for metric in METRICS.iter().filter(|metric| metric.labels.is_empty()) {
        match metric.kind {
            Kind::Counter => drop(counter(metric, &[])),
            Kind::Gauge => drop(gauge(metric, &[])),
            Kind::Histogram(_) => drop(histogram(metric, &[])),
        }
    }
}
