//! `docs/metrics.md` and `/metrics` of a running server name the same metrics.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::common::{
    eventually,
    kafka::{self, Kafka, Record},
    redis::Redis,
    root, town,
};

/// Metrics of the page: name to type and labels.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let page = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let mut labels: Vec<String> = cells[3].split(", ").map(|label| label.trim_matches('`').to_owned()).collect();
        labels.retain(|label| !label.is_empty());
        labels.sort();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    })
    .collect()
}

/// Metrics of Prometheus' text: name to type and labels.
fn exported(text: &str) -> BTreeMap<String, (String, Vec<String>)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types
        .map(|(name, kind)| {
            let sample = text.lines().find(|line| {
                let rest = line.strip_prefix(name).map(|rest| rest.trim_start_matches("_bucket"));
                rest.is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' '))
            });
            let sample = sample.unwrap_or_else(|| panic!("{name} has no sample"));
            let labels =
                sample.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
            let mut labels: Vec<String> =
                labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0.trim().to_owned())).collect();
            labels.retain(|label| label != "le");
            labels.sort();
            (name.to_owned(), (kind.to_owned(), labels))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_server_name_the_same_metrics() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let settings = [("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "300"), ("FULL_STATE_PUBLISH_INTERVAL_MS", "1000")];
    let mut server = town::server(&kafka.brokers(), &redis.url(), &settings);
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    // Traffic of all sorts.
    let mut rng = fastrand::Rng::with_seed(6);
    let mut records: Vec<Record> = (0..300).map(|_| town::event(&mut rng)).collect();
    records.push(Record::new("transport.gps", "bad", "[]"));
    records.push(Record::new("transport.stations", "s", r#"{"stationId": "s", "colour": "red"}"#));
    kafka::produce(&kafka.brokers(), records).await;
    let mut socket = server.socket().await;
    socket.subscribe("1", "subscription { busChanges { __typename } }", Value::Null).await;
    socket.next().await;
    server.graphql("{ city { name } }", Value::Null).await;
    server.graphql("mutation { removeEntity(id: \"bus/none\") { removed } }", Value::Null).await;

    let documented = documented();
    assert!(documented.len() > 30);
    let deadline = Duration::from_secs(60);
    let text = eventually(deadline, || async {
        let text = server.get("/metrics").await.map_err(|error| error.to_string())?.text().await;
        let text = text.map_err(|error| error.to_string())?;
        let exported = exported(&text);
        let missing: Vec<_> = documented.keys().filter(|name| !exported.contains_key(*name)).collect();
        if missing.is_empty() { Ok(text) } else { Err(format!("not exported: {missing:?}")) }
    })
    .await;
    for (name, found) in exported(&text) {
        assert_eq!(documented.get(&name), Some(&found), "{name}");
    }
    // They count what happened.
    eventually(deadline, || async {
        let text = server.get("/metrics").await.map_err(|error| error.to_string())?.text().await;
        let text = text.map_err(|error| error.to_string())?;
        let lacking: Vec<&str> = [
            "citytwin_dead_letters_total{code=\"not_json\"} 1",
            "citytwin_rejects_total{topic=\"transport.gps\",code=\"not_json\"} 1",
            "citytwin_unknown_keys_total{topic=\"transport.stations\"} 1",
            "citytwin_dead_letters_waiting 0",
            "citytwin_store_up{store=\"redis\"} 1",
            "citytwin_broker_up 1",
            "citytwin_subscribers{transport=\"websocket\"} 1",
            "citytwin_subscriptions{field=\"busChanges\"} 1",
            "citytwin_consumer_lag{topic=\"transport.gps\",partition=\"0\"} 0",
        ]
        .into_iter()
        .filter(|line| !text.lines().any(|it| it == *line))
        .collect();
        if lacking.is_empty() { Ok(()) } else { Err(format!("lacking {lacking:?} in\n{text}")) }
    })
    .await;
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap();
    for name in [
        "citytwin_delta_ratio",
        "citytwin_full_seconds_count",
        "citytwin_delta_seconds_count",
        "citytwin_flush_rows_sum",
    ] {
        assert!(value(name) > 0.0, "{name}");
    }
    for name in ["citytwin_full_bytes_sum", "citytwin_delta_bytes_sum"] {
        assert!(value(name) > 0.0, "{name}");
    }
}
