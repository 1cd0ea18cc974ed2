//! `citytwin demo` as a user starts it: everything in one process, alive at once, and again after a restart.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::common::{eventually, server::Server};

/// How many entities a list has, counted page by page.
async fn count(server: &Server, list: &str) -> usize {
    let query = format!(
        "query($after: String) {{ {list}(first: 1000, after: $after) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut count, mut after) = (0, Value::Null);
    loop {
        let data = server.graphql(&query, json!({ "after": after })).await;
        let page = &data[list];
        count += page["nodes"].as_array().expect("nodes").len();
        if page["pageInfo"]["hasNextPage"] != true {
            return count;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Each bus with its position.
async fn buses(server: &Server) -> Vec<(String, Value)> {
    let query = "{ buses(first: 1000) { nodes { busId currentLocation { latitude longitude } } } }";
    let data = server.graphql(query, json!({})).await;
    let nodes = data["buses"]["nodes"].as_array().expect("nodes").clone();
    nodes.into_iter().map(|bus| (bus["busId"].to_string(), bus["currentLocation"].clone())).collect()
}

async fn wait_for(server: &Server, list: &str, wanted: usize) {
    eventually(Duration::from_secs(60), || async {
        let there = count(server, list).await;
        if there >= wanted { Ok(()) } else { Err(format!("{there} {list} of {wanted}")) }
    })
    .await;
}

/// The next `next` event of a stream of server-sent events.
async fn next_event(stream: &mut (impl StreamExt<Item = reqwest::Result<bytes::Bytes>> + Unpin)) -> Value {
    let mut text = String::new();
    let read = async {
        loop {
            let bytes = stream.next().await.expect("the stream goes on").expect("readable");
            text.push_str(&String::from_utf8_lossy(&bytes));
            let complete = text.split("\n\n").find(|event| event.contains("event: next") && text.ends_with("\n\n"));
            if let Some(data) = complete.and_then(|event| event.lines().find_map(|line| line.strip_prefix("data: "))) {
                return serde_json::from_str(data).expect("JSON");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("an event within 30 s")
}

#[tokio::test]
async fn the_demo_lives_and_goes_on_after_a_restart() {
    let started = Instant::now();
    // What an operator has in the environment for a city of their own is not the demo's.
    let settings = [("DEMO_RATE", "2000"), ("CITY_ID", "elsewhere"), ("CITY_FILE", "no/such.json")];
    let mut server = Server::start_command(&["demo"], &settings).await;
    // Ten seconds on a machine of its own; here eight compilers may be at work beside it.
    let body = server.ready(Duration::from_secs(30)).await;
    assert_eq!((body["role"].as_str(), body["degraded"].as_array().map(Vec::len)), (Some("writer"), Some(0)), "{body}");

    assert_eq!(count(&server, "districts").await, 5);
    assert_eq!(count(&server, "buildings").await, 500);
    assert_eq!(count(&server, "edges").await, 15_000);
    wait_for(&server, "sensors", 250).await;
    wait_for(&server, "buses", 40).await;
    wait_for(&server, "incidents", 1).await;

    // People grep for these; the first is at most one line a second.
    let lines = |phrase| server.log().lines().filter(|line| line.contains(phrase)).count();
    eventually(Duration::from_secs(30), || async {
        if lines("Processed batch") >= 2 && lines("Published incremental") > 0 { Ok(()) } else { Err(server.log()) }
    })
    .await;
    let (said, most) = (lines("Processed batch"), started.elapsed().as_secs() as usize + 1);
    assert!(said <= most, "{said} lines in {:?}", started.elapsed());

    let before = buses(&server).await;
    assert_eq!(before.len(), 40);
    eventually(Duration::from_secs(30), || async {
        let moved = buses(&server).await.iter().zip(&before).filter(|(now, before)| now.1 != before.1).count();
        if moved > 0 { Ok(()) } else { Err("no bus has moved") }
    })
    .await;

    // Over a socket and over SSE: first what is, then what changes.
    let query = "subscription { busChanges { snapshot complete changes { kind id entity { speed } changedFields } } }";
    let is_snapshot =
        |batch: &Value| batch["snapshot"] == true && batch["changes"].as_array().map(Vec::len) == Some(40);
    let is_change = |batch: &Value| {
        let changes = batch["changes"].as_array().expect("changes");
        batch["snapshot"] == false && changes.iter().all(|change| change["kind"] == "UPDATED") && !changes.is_empty()
    };
    let mut changes = server.subscribe(query, json!({})).await;
    let (first, next) = (changes.next().await, changes.next().await);
    assert!(is_snapshot(&first["busChanges"]) && is_change(&next["busChanges"]), "{first} {next}");
    let request = server.http().post(server.url("/graphql")).header("accept", "text/event-stream");
    let answer = request.json(&json!({ "query": query })).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut stream = answer.bytes_stream();
    let (first, next) = (next_event(&mut stream).await, next_event(&mut stream).await);
    assert!(is_snapshot(&first["data"]["busChanges"]) && is_change(&next["data"]["busChanges"]), "{first} {next}");
    drop(stream);

    let metrics = server.get("/metrics").await.expect("an answer").text().await.expect("text");
    let events: f64 = metrics
        .lines()
        .filter(|line| line.starts_with("citytwin_events_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert!(events > 1000.0, "{events} events in\n{metrics}");
    assert!(server.get("/").await.expect("an answer").status().is_success());

    server.stop_cleanly();
    assert!(server.log().contains("stopped"));

    server.start_again().await;
    server.ready(Duration::from_secs(30)).await;
    // What the store kept is there at once, and the city moves on.
    assert_eq!(count(&server, "edges").await, 15_000);
    assert_eq!(count(&server, "sensors").await, 250);
    let before = buses(&server).await;
    assert_eq!(before.len(), 40);
    eventually(Duration::from_secs(30), || async {
        if buses(&server).await == before { Err("nothing moves after the restart") } else { Ok(()) }
    })
    .await;
    server.stop_cleanly();
}
