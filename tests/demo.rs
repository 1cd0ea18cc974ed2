//! `citytwin demo` as a user starts it: everything in one process, alive at once, and again after a restart.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{events::EventStream, eventually, server::Server};

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

/// Those incidents that are not resolved.
async fn open_incidents(server: &Server) -> Vec<String> {
    let data = server.graphql("{ incidents(first: 1000) { nodes { incidentId status } } }", json!({})).await;
    let nodes = data["incidents"]["nodes"].as_array().expect("nodes").iter();
    nodes.filter(|it| it["status"] != "RESOLVED").map(|it| it["incidentId"].to_string()).collect()
}

/// The city's id, and a node of its streets.
async fn city_and_node(server: &Server) -> (Value, Value) {
    let query = "{ city { cityId } nodes(first: 1) { nodes { location { latitude } } } }";
    let data = server.graphql(query, json!({})).await;
    (data["city"]["cityId"].clone(), data["nodes"].clone())
}

async fn wait_for(server: &Server, list: &str, wanted: usize) {
    eventually(Duration::from_secs(60), || async {
        let there = count(server, list).await;
        if there >= wanted { Ok(()) } else { Err(format!("{there} {list} of {wanted}")) }
    })
    .await;
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
    let mut events = EventStream::start(&server, query, json!({})).await;
    let (first, next) = (events.next().await, events.next().await);
    assert!(is_snapshot(&first["busChanges"]) && is_change(&next["busChanges"]), "{first} {next}");
    drop(events);

    let metrics = server.get("/metrics").await.expect("an answer").text().await.expect("text");
    let events: f64 = metrics
        .lines()
        .filter(|line| line.starts_with("citytwin_events_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert!(events > 1000.0, "{events} events in\n{metrics}");
    assert!(server.get("/").await.expect("an answer").status().is_success());

    let (first_id, first_node) = city_and_node(&server).await;
    assert_eq!(first_id, "laquila-dt-001");
    let left_open = open_incidents(&server).await;
    assert!(!left_open.is_empty());
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
    // Nobody sees to the last run's incidents any more; its numbers are not given again.
    eventually(Duration::from_secs(30), || async {
        let open = open_incidents(&server).await;
        let orphaned: Vec<_> = open.iter().filter(|id| left_open.contains(id)).collect();
        let seen_to = orphaned.is_empty() && !open.is_empty();
        if seen_to { Ok(()) } else { Err(format!("open: {open:?}, of the last run: {orphaned:?}")) }
    })
    .await;
    server.stop_cleanly();

    // Another seed is another city, with its own streets in its own file.
    server.set("DEMO_SEED", "7");
    server.start_again().await;
    server.ready(Duration::from_secs(30)).await;
    let (id, node) = city_and_node(&server).await;
    assert_eq!((id, count(&server, "edges").await), (json!("laquila-dt-001-seed-7"), 15_000));
    assert_ne!(node, first_node);
    server.stop_cleanly();
}
