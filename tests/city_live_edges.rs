//! City Live through the edges of a real server: plain HTTP, queries, sockets and event streams tell the same.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::server::Server;

const PATIENCE: Duration = Duration::from_secs(60);

/// The rows of a city's feed as `GET /api/live-stream` has them, page by page: what tells one from another.
async fn live_stream(server: &Server, city: &str) -> BTreeSet<String> {
    let (mut rows, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = server.get_json(&format!("/api/live-stream?city={city}&limit=7&cursor={cursor}")).await;
        for item in page["items"].as_array().expect("items") {
            rows.insert(key(&item["ts"], &item["zone_id"], &item["payload"]));
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return rows,
        }
    }
}

fn key(ts: &Value, zone: &Value, payload: &Value) -> String {
    format!("{ts} {zone} {payload}")
}

/// The demo's simulated APIs answer; what comes in by Kafka is what a page is told, by whichever way it asks.
#[tokio::test]
async fn all_edges_tell_the_same_and_the_choice_outlives_a_restart() {
    let mut server = Server::start_command(&["demo"], &[("DEMO_RATE", "50")]).await;
    server.ready(PATIENCE).await;
    let (status, body) = server.post_json("/api/city/select/atlantis", &json!({})).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("UNKNOWN_CITY")), "{body}");

    let changed = "subscription { cityLiveChanged(inputs: true) { cityId status chosen zones { raw { weather { temperature } } } } }";
    let mut page = server.subscribe(changed, json!({})).await;
    let feed = "subscription { liveFeed(cityId: \"nyc\", last: 1000) { items { ts zoneId payload } } }";
    let mut feed = server.subscribe(feed, json!({})).await;
    let (status, chosen) = server.post_json("/api/city/select/nyc", &json!({})).await;
    assert_eq!((status, &chosen["cityId"], &chosen["status"]), (202, &json!("nyc"), &json!("LOADING")), "{chosen}");
    assert!(chosen["zones"].as_u64() >= Some(20), "{chosen}");
    // The page sees the choice, and then values come in: no second request.
    page.until(|data| data["cityLiveChanged"]["cityId"] == "nyc").await;
    page.until(|data| {
        let zones = data["cityLiveChanged"]["zones"].as_array().expect("zones");
        zones.iter().any(|zone| zone["raw"]["weather"]["temperature"].is_number())
    })
    .await;

    let mut held = BTreeSet::new();
    let until = Instant::now() + PATIENCE;
    loop {
        while let Some(data) = feed.next_within(Duration::from_millis(800)).await {
            for item in data["liveFeed"]["items"].as_array().expect("items") {
                let fresh = held.insert(key(&item["ts"], &item["zoneId"], &item["payload"]));
                assert!(fresh, "given twice: {item}");
            }
        }
        let there = live_stream(&server, "nyc").await;
        if held.len() >= 20 && held == there {
            break;
        }
        assert!(Instant::now() < until, "the subscriber holds {} of {}", held.len(), there.len());
    }

    let zones = server.get_json("/api/city/nyc/zones").await;
    let data = server.graphql("{ cityLive { zones { zoneId raw { weather { temperature ts } } } } }", json!({})).await;
    let of_graphql = data["cityLive"]["zones"].as_array().expect("zones");
    assert_eq!(zones["zones"].as_array().expect("zones").len(), of_graphql.len());
    assert_eq!(zones["zones"][0]["zoneId"], of_graphql[0]["zoneId"]);

    server.kill();
    server.start_again().await;
    server.ready(PATIENCE).await;
    let current = server.get_json("/api/city/current").await;
    assert_eq!((&current["cityId"], &current["selectedAt"]), (&json!("nyc"), &chosen["selectedAt"]));
    let again = live_stream(&server, "nyc").await;
    assert!(held.is_subset(&again), "what was there is there");
}
