//! The table, its page, what is rendered, and the limit of log lines.

use std::{collections::BTreeSet, time::Duration};

use super::*;

#[test]
fn the_page_is_that_of_the_table() {
    crate::config::same_document("docs/metrics.md", &metrics_page());
}

#[test]
fn the_page_and_the_table_name_the_same_metrics() {
    let page = include_str!("../../docs/metrics.md");
    let on_page: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect();
    let in_table: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(on_page, in_table);
    assert_eq!(in_table.len(), METRICS.len(), "no name stands twice");
}

#[test]
fn names_follow_prometheus() {
    for metric in METRICS {
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        assert!(metric.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", metric.name);
        assert!(!metric.doc.contains('|') && !metric.worry.contains('|'), "{} keeps its row whole", metric.name);
        if let Kind::Histogram(buckets) = metric.kind {
            assert!(!buckets.is_empty() && buckets.is_sorted(), "{}", metric.name);
        }
    }
}

/// Metrics whose label values are known only to a running server.
const LATER: [&str; 7] = [
    "citytwin_consumer_lag",
    "citytwin_offset_gaps_total",
    "citytwin_lost_offsets_total",
    "citytwin_subscriptions",
    "citytwin_store_up",
    "citytwin_http_requests_total",
    "citytwin_http_seconds",
];

#[test]
fn what_is_announced_is_rendered_with_its_type() {
    announce(&Known {
        topics: &["announced.topic"],
        codes: &["not_json"],
        kinds: &["BUS"],
        live_topics: &["announced_stream"],
        live_feeds: &["announced-feed"],
    });
    newest_event("announced.topic", 0);
    let text = render();
    for metric in METRICS.iter().filter(|metric| !LATER.contains(&metric.name)) {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        assert!(text.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{} in\n{text}", metric.name);
        assert!(text.contains(&format!("# HELP {} ", metric.name)), "{}", metric.name);
    }
    assert!(text.contains("citytwin_rejects_total{topic=\"announced.topic\",code=\"not_json\"} 0\n"), "{text}");
    assert!(text.contains("citytwin_build_info{version=\""));
}

#[test]
fn the_rest_is_rendered_once_it_is_used() {
    consumer_lag("t", 1).set(5.0);
    offset_gaps("t", 1).increment(1);
    lost_offsets("t", 1).increment(9);
    subscriptions("busChanges").increment(1.0);
    store_up(Store::Redis).set(1.0);
    http_requests("/of/this/test", "GET", 200).increment(1);
    http_seconds("/of/this/test").record(0.003);
    let text = render();
    for name in LATER {
        assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
    }
    assert!(text.contains("citytwin_consumer_lag{topic=\"t\",partition=\"1\"} 5\n"), "{text}");
    assert!(text.contains("citytwin_http_requests_total{route=\"/of/this/test\",method=\"GET\",status=\"200\"} 1\n"));
    assert!(text.contains("citytwin_http_seconds_bucket{route=\"/of/this/test\",le=\"0.0025\"} 0\n"), "{text}");
    assert!(text.contains("citytwin_http_seconds_bucket{route=\"/of/this/test\",le=\"0.005\"} 1\n"), "{text}");
}

#[test]
fn a_topics_handles_count_where_the_functions_count() {
    let topic = TopicMetrics::new("handles.topic");
    for (index, outcome) in Outcome::ALL.iter().enumerate() {
        topic.events(*outcome).increment(index as u64 + 1);
    }
    events("handles.topic", Outcome::Applied).increment(10);
    topic.unknown_keys().increment(4);
    let text = render();
    for (outcome, count) in [("applied", 11), ("unchanged", 2), ("stale", 3), ("rejected", 4)] {
        let line = format!("citytwin_events_total{{topic=\"handles.topic\",outcome=\"{outcome}\"}} {count}\n");
        assert!(text.contains(&line), "{line} in\n{text}");
    }
    assert!(text.contains("citytwin_unknown_keys_total{topic=\"handles.topic\"} 4\n"));
}

#[test]
fn ages_are_worked_out_when_somebody_looks() {
    newest_event("aged.topic", 10_000);
    newest_event("aged.topic", 5_000);
    let line = |text: String| {
        let name = "citytwin_newest_event_age_seconds{topic=\"aged.topic\"} ";
        text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned))
    };
    assert_eq!(line(registry::render_at(12_500)).as_deref(), Some("2.5"));
    assert_eq!(line(registry::render_at(9_000)).as_deref(), Some("-1"));
}

#[test]
fn memory_is_read_from_the_system() {
    assert_eq!(process::resident_of("Name:\tx\nVmRSS:\t    1234 kB\nRssAnon: 1 kB"), Some(1234 * 1024));
    assert_eq!(process::resident_of("Name:\tx"), None);
    if cfg!(target_os = "linux") {
        assert!(process::resident_bytes().is_some_and(|bytes| bytes > 1_000_000));
    }
}

#[test]
fn one_passes_per_interval_and_the_rest_are_counted() {
    let mut throttle = Throttle::new(Duration::from_secs(1));
    let at = Duration::from_millis;
    assert_eq!(throttle.admit(at(50_000)), Some(0));
    assert_eq!(throttle.admit(at(50_001)), None);
    assert_eq!(throttle.admit(at(50_999)), None);
    assert_eq!(throttle.admit(at(51_000)), Some(2));
    assert_eq!(throttle.admit(at(50_500)), None, "a clock that goes back lets nothing more through");
    assert_eq!(throttle.admit(at(60_000)), Some(1));
    let shared = OncePerSecond::new();
    assert_eq!(shared.admit(), Some(0));
}
