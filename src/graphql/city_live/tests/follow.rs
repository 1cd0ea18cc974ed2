//! What subscribers hold is what the archive holds.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Test, next, nothing, soon};
use crate::{
    city_live::{
        archive::{Alert, AlertQuery, AlertStatus, FeedQuery},
        samples::{Sample, alert, city, now, weather},
    },
    twin::time::Time,
};

#[tokio::test]
async fn a_page_sees_loading_and_then_the_data() {
    let test = Test::new().await;
    let mut stream =
        pin!(test.subscribe("cityLiveChanged { cityId status chosen processedAt zones { processed { runId } } }"));
    assert!(nothing(&mut stream).await, "no city was chosen yet");
    test.data("mutation { selectCity(cityId: \"nyc\") { cityId } }").await;
    let loading = next(&mut stream).await;
    assert_eq!(
        (&loading["cityId"], &loading["status"], &loading["chosen"]),
        (&json!("nyc"), &json!("LOADING"), &json!(true))
    );
    assert_eq!(loading["zones"][0]["processed"], Value::Null);
    test.sample.fill("nyc").await;
    assert!(nothing(&mut stream).await, "what came in was not asked for");
    test.process("nyc").await;
    let ready = next(&mut stream).await;
    assert_eq!(ready["status"], "READY");
    assert!(ready["zones"].as_array().unwrap().iter().all(|zone| zone["processed"]["runId"].is_string()));
    // The choice is followed.
    test.data("mutation { selectCity(cityId: \"laquila\") { cityId } }").await;
    let other = next(&mut stream).await;
    assert_eq!((&other["cityId"], &other["status"]), (&json!("laquila"), &json!("LOADING")));
}

#[tokio::test]
async fn a_named_city_is_followed_whatever_is_chosen() {
    let test = Test::new().await;
    let mut stream = pin!(test.subscribe(
        "cityLiveChanged(cityId: \"nyc\", inputs: true) { cityId chosen zone(zoneId: \"z0\") { raw { weather { temperature } } } }",
    ));
    let shown = |temperature: Value, chosen: bool| {
        let weather = if temperature.is_null() { Value::Null } else { json!({"temperature": temperature}) };
        json!({"cityId": "nyc", "chosen": chosen, "zone": {"raw": {"weather": weather}}})
    };
    assert_eq!(next(&mut stream).await, shown(Value::Null, false));
    test.sample.take_in(vec![("nyc", Some("z0"), now(), weather(3.0))]).await;
    assert_eq!(next(&mut stream).await, shown(json!(3.0), false));
    test.sample.take_in(vec![("laquila", Some("z0"), now(), weather(4.0))]).await;
    test.data("mutation { selectCity(cityId: \"laquila\") { cityId } }").await;
    assert!(nothing(&mut stream).await, "of another city");
    test.data("mutation { selectCity(cityId: \"nyc\") { cityId } }").await;
    assert_eq!(next(&mut stream).await, shown(json!(3.0), true));
}

/// Rows come in batches of all sizes while a subscriber reads now fast, now slowly: it is given each once and in order.
#[tokio::test(flavor = "multi_thread")]
async fn the_feed_gives_each_message_once_and_in_order() {
    let test = Test::new().await;
    for n in 0..30 {
        test.sample.take_in(vec![("nyc", Some("z0"), Time(now().0 - n), weather(0.0))]).await;
    }
    let test = Arc::new(test);
    let writer = {
        let test = Arc::clone(&test);
        tokio::spawn(async move {
            for round in 0..60_u64 {
                let size = [1, 7, 150, 2][round as usize % 4];
                let zone = if round % 3 == 0 { "z1" } else { "z0" };
                test.sample.take_in((0..size).map(|_| ("nyc", Some(zone), now(), weather(1.0))).collect()).await;
                sleep(Duration::from_millis(round % 7)).await;
            }
        })
    };
    let mut all = test.subscribe("liveFeed(cityId: \"nyc\", last: 20) { snapshot items { id zoneId } }");
    let mut some = test.subscribe("liveFeed(zoneId: \"z1\", last: 0) { snapshot items { id zoneId } }");
    // A subscription begins when it is first asked.
    assert_eq!(next(&mut some).await, json!({"snapshot": true, "items": []}));
    let (mut held, mut held_some, mut largest) = (Vec::new(), Vec::new(), 0);
    let mut rounds = 0;
    let query = |zone: Option<&str>, limit| FeedQuery {
        city_id: Some("nyc".to_owned()),
        zone_id: zone.map(str::to_owned),
        limit,
        ..FeedQuery::default()
    };
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    loop {
        let batch = next(&mut all).await;
        assert_eq!(batch["snapshot"], rounds == 0);
        let items = batch["items"].as_array().unwrap();
        if rounds == 0 {
            assert!(items.len() <= 20);
        } else {
            largest = largest.max(items.len());
            assert!((1..=500).contains(&items.len()), "{}", items.len());
        }
        held.extend(items.iter().map(id));
        rounds += 1;
        // It falls behind by some thousand rows.
        sleep(Duration::from_millis(if rounds == 3 { 1500 } else { 1 })).await;
        let newest = test.sample.archive().feed(&query(None, 1)).await.unwrap().remove(0).seq;
        if writer.is_finished() && held.last() == Some(&format!("live-message/{newest}")) {
            break;
        }
    }
    assert!(largest > 150, "it was never behind: {largest}");
    let rows = test.sample.archive().feed(&query(None, held.len())).await.unwrap();
    let expected: Vec<_> = rows.iter().rev().map(|row| format!("live-message/{}", row.seq)).collect();
    assert_eq!(held, expected);

    // The other one has slept since.
    let rows = test.sample.archive().feed(&query(Some("z1"), 100_000)).await.unwrap();
    let expected: Vec<_> = rows.iter().rev().map(|row| format!("live-message/{}", row.seq)).collect();
    while held_some.len() < expected.len() {
        let batch = next(&mut some).await;
        held_some.extend(batch["items"].as_array().unwrap().iter().map(id));
        let from = expected.len() - held_some.len().min(expected.len());
        if held_some.last() == expected.last() {
            // What there was when it subscribed was not asked for (`last: 0`).
            assert_eq!(held_some[..], expected[from..]);
            break;
        }
    }
    assert!(nothing(&mut some).await);
}

/// The archive's zones as a subscriber is given them.
async fn processed(test: &Test, city: &str) -> BTreeMap<String, (String, String)> {
    let zones = test.sample.archive().processed(city).await.unwrap();
    zones.into_iter().map(|zone| (zone.zone_id, (zone.run_id, zone.processed_at.to_string()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn processed_zones_are_those_of_the_archive() {
    let test = Arc::new(Test::over(Sample::with(vec![city("nyc", 12), city("laquila", 2)]).await));
    test.process("nyc").await;
    test.data("mutation { selectCity(cityId: \"nyc\") { cityId } }").await;
    let mut stream =
        test.subscribe("zoneProcessed { cityId snapshot zones { zoneId processed { runId processedAt } } }");
    let mut held: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut of = String::new();
    let mut batches = 0;
    let writer = {
        let test = Arc::clone(&test);
        tokio::spawn(async move {
            for round in 0..40_u64 {
                if round == 20 {
                    test.sample.live.select("laquila").await.expect("a choice");
                }
                test.process(if round % 2 == 0 { "nyc" } else { "laquila" }).await;
                sleep(Duration::from_millis(round % 5)).await;
            }
        })
    };
    loop {
        if writer.is_finished() && of == "laquila" && held == processed(&test, "laquila").await {
            break;
        }
        let Some(batch) = soon(&mut stream).await else { continue };
        if batch["snapshot"] == true {
            held.clear();
            of = batch["cityId"].as_str().unwrap().to_owned();
        }
        assert_eq!(batch["cityId"], of.as_str());
        batches += 1;
        for zone in batch["zones"].as_array().unwrap() {
            let text = |field: &str| zone["processed"][field].as_str().unwrap().to_owned();
            held.insert(zone["zoneId"].as_str().unwrap().to_owned(), (text("runId"), text("processedAt")));
        }
    }
    assert!(batches > 3, "{batches}");
    assert!(nothing(&mut stream).await, "the client has it all");
    // One that comes later is given the same, and one that wants a certain zone only that.
    let mut one =
        pin!(test.subscribe("zoneProcessed(cityId: \"nyc\", zoneIds: [\"z3\", \"no\"]) { snapshot zones { zoneId } }"));
    assert_eq!(next(&mut one).await, json!({"snapshot": true, "zones": [{"zoneId": "z3"}]}));
    test.process("nyc").await;
    assert_eq!(next(&mut one).await, json!({"snapshot": false, "zones": [{"zoneId": "z3"}]}));
}

/// The archive's alerts that are not cleared, by id: their state and when it last changed.
async fn open_alerts(test: &Test) -> BTreeMap<String, (String, String)> {
    let status = vec![AlertStatus::Open, AlertStatus::Acknowledged];
    let query = AlertQuery { city_id: "nyc".to_owned(), zone_id: None, status, limit: 1000 };
    let alerts = test.sample.archive().alerts(&query).await.unwrap();
    let shown = |status| if status == AlertStatus::Open { "OPEN" } else { "ACKNOWLEDGED" }.to_owned();
    alerts.into_iter().map(|alert| (alert.alert_id, (shown(alert.status), alert.updated_at.to_string()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_those_of_the_archive() {
    let test = Arc::new(Test::new().await);
    test.sample.put_alert(&alert("before", "z0", now())).await;
    let mut stream =
        test.subscribe("alertRaised(cityId: \"nyc\") { snapshot alerts { alertId status updatedAt clearedAt } }");
    let writer = {
        let test = Arc::clone(&test);
        tokio::spawn(async move {
            let mut open: Vec<Alert> = Vec::new();
            for round in 0..80_i64 {
                match round % 4 {
                    0 | 1 => {
                        let raised = alert(&format!("rule-{round}"), ["z0", "z1"][round as usize % 2], now());
                        test.sample.put_alert(&raised).await;
                        open.push(raised);
                    }
                    2 => drop(test.sample.live.acknowledge(&open[open.len() / 2].alert_id).await.expect("an answer")),
                    _ => {
                        let mut cleared = open.remove(0);
                        (cleared.status, cleared.cleared_at) = (AlertStatus::Cleared, Some(now()));
                        cleared.updated_at = now();
                        test.sample.put_alert(&cleared).await;
                    }
                }
                sleep(Duration::from_millis((round % 6) as u64)).await;
            }
        })
    };
    let mut held: BTreeMap<String, (String, String)> = BTreeMap::new();
    let (mut batches, mut cleared) = (0, 0);
    loop {
        if writer.is_finished() && held == open_alerts(&test).await {
            break;
        }
        let Some(batch) = soon(&mut stream).await else { continue };
        assert_eq!(batch["snapshot"], batches == 0);
        batches += 1;
        for alert in batch["alerts"].as_array().unwrap() {
            let text = |field: &str| alert[field].as_str().unwrap().to_owned();
            if alert["status"] == "CLEARED" {
                assert!(alert["clearedAt"].is_string(), "{alert}");
                assert!(held.remove(&text("alertId")).is_some(), "cleared, but never raised: {alert}");
                cleared += 1;
            } else {
                held.insert(text("alertId"), (text("status"), text("updatedAt")));
            }
        }
    }
    assert!(batches > 5 && cleared > 0, "{batches} batches, {cleared} cleared");
    assert!(nothing(&mut stream).await, "the client has it all");
    let mut one = pin!(test.subscribe("alertRaised(cityId: \"nyc\", zoneId: \"z1\") { snapshot alerts { zoneId } }"));
    let first = next(&mut one).await;
    assert!(first["alerts"].as_array().unwrap().iter().all(|alert| alert["zoneId"] == "z1"));
    test.sample.put_alert(&alert("late", "z0", now())).await;
    assert!(nothing(&mut one).await, "of another zone");
}

#[tokio::test]
async fn intervals_hold_and_the_last_value_comes() {
    let test = Test::new().await;
    let mut stream = pin!(
        test.subscribe("zoneProcessed(cityId: \"laquila\", minIntervalMs: 1500) { zones { processed { runId } } }")
    );
    next(&mut stream).await;
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        test.process("laquila").await;
    }
    let last = test.sample.archive().processed("laquila").await.unwrap().remove(0).run_id;
    let batch = next(&mut stream).await;
    assert!(began.elapsed() > Duration::from_millis(1200), "{:?}", began.elapsed());
    assert_eq!(batch["zones"][0]["processed"]["runId"], last.as_str());
}
