//! Queries and mutations.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Test;
use crate::{
    city_live::{
        archive::{AlertStatus, FeedQuery},
        samples::{HOUR, Sample, alert, call, city, now, weather},
    },
    graphql::tests::limits,
    twin::time::Time,
};

#[tokio::test]
async fn cities_are_listed_and_one_is_chosen() {
    let test = Test::new().await;
    let query =
        "{ cities { id cityId name timeZone powerRegion has311 chosen status zoneCount selectedAt processedAt } }";
    let first = test.data(query).await["cities"][0].clone();
    assert_eq!(
        first,
        json!({"id": "live-city/nyc", "cityId": "nyc", "name": "The city nyc", "timeZone": "America/New_York",
            "powerRegion": "NYIS", "has311": true, "chosen": false, "status": "LOADING", "zoneCount": 3,
            "selectedAt": null, "processedAt": null})
    );
    assert_eq!(test.data("{ cityLive { cityId } }").await, json!({"cityLive": null}), "none is chosen yet");
    assert_eq!(test.data("{ cityLive(cityId: \"rome\") { cityId } }").await, json!({"cityLive": null}));

    let chosen = test.data("mutation { selectCity(cityId: \"laquila\") { cityId chosen status selectedAt } }").await;
    assert_eq!(chosen["selectCity"]["chosen"], true);
    assert_eq!(chosen["selectCity"]["status"], "LOADING");
    let stored = test.sample.archive().selection().await.unwrap().expect("a choice");
    assert_eq!(chosen["selectCity"]["selectedAt"], stored.selected_at.to_string());
    assert_eq!(test.data("{ cityLive { cityId } }").await["cityLive"]["cityId"], "laquila");
    assert_eq!(test.code("mutation { selectCity(cityId: \"rome\") { cityId } }").await, "UNKNOWN_CITY");
    assert_eq!(test.sample.archive().selection().await.unwrap(), Some(stored), "an unknown one changes nothing");
}

/// Everything that a zone has, in one query.
const ALL: &str = "{ cityLive(cityId: \"nyc\") { status processedAt
    raw { power { demand wholeCity } gridAlert { kind excess } }
    zones { id zoneId cityId name centre { latitude longitude } shape weight districtIds
        raw {
            weather { ts ingestedAt ageSeconds source simulated temperature apparentTemperature humidity windSpeed
                windDirection precipitation pressure weatherCode hourlyTemperature { ts value } }
            aqi { usAqi europeanAqi pm25 pm10 no2 o3 so2 co }
            traffic { source simulated currentSpeed freeFlowSpeed currentTravelTime freeFlowTravelTime confidence
                roadClosure }
            power { source wholeCity region demand demandForecast }
            gridAlert { wholeCity kind region demand reference excess }
            calls311 { ts ageSeconds source simulated count byType { type count }
                calls { callId ts complaintType descriptor status location { latitude longitude } } } }
        processed { runId processedAt simulated features { name value }
            forecast { model reason hours { ts value low high } }
            anomalies { feature value mean deviation z samples anomalous }
            risk { score level parts { name score weight reason } }
            recommendations { rule priority text reason }
            freshness { input state ts ageSeconds limitSeconds } }
        alerts { id alertId rule severity status reason raisedAt updatedAt acknowledgedAt clearedAt zone { zoneId } }
        models { model version ts ageSeconds unit ran error errorHours chosen problem hours { value } }
    } } }";

#[tokio::test]
async fn a_zone_has_what_came_in_and_what_was_made_of_it() {
    let test = Test::new().await;
    test.sample.fill("nyc").await;
    test.process("nyc").await;
    let raised = alert("aqi", "z0", now());
    test.sample.put_alert(&raised).await;
    let city = test.data(ALL).await["cityLive"].clone();
    assert_eq!(city["status"], "READY");
    assert_eq!(
        city["raw"],
        json!({"power": {"demand": 17000.0, "wholeCity": true},
        "gridAlert": {"kind": "ABOVE_FORECAST", "excess": 13.3}})
    );
    let zone = &city["zones"][0];
    assert_eq!(
        (&zone["id"], &zone["zoneId"], &zone["weight"]),
        (&json!("live-zone/nyc/z0"), &json!("z0"), &json!(1.0))
    );
    assert_eq!(zone["shape"]["type"], "MultiPolygon");
    assert_eq!(zone["shape"]["coordinates"][0][0][0], json!([-73.1, 39.9]), "longitude first");
    assert_eq!(zone["districtIds"], json!(["centro", "gone"]));
    let raw = &zone["raw"];
    assert_eq!((&raw["weather"]["temperature"], &raw["weather"]["source"]), (&json!(21.5), &json!("open-meteo")));
    let age = raw["weather"]["ageSeconds"].as_i64().unwrap();
    assert!((60..90).contains(&age), "{age}");
    assert_eq!(raw["weather"]["simulated"], false);
    assert_eq!((&raw["traffic"]["simulated"], &raw["traffic"]["currentSpeed"]), (&json!(true), &json!(20.0)));
    assert_eq!((&raw["aqi"]["usAqi"], &raw["aqi"]["pm25"]), (&json!(42.0), &json!(8.5)));
    assert_eq!(
        raw["power"],
        json!({"source": "eia", "wholeCity": true, "region": "NYIS", "demand": 17000.0,
        "demandForecast": 16500.0})
    );
    assert_eq!(raw["calls311"]["byType"], json!([{"type": "Noise - Street/Sidewalk", "count": 1}]));
    assert_eq!(raw["calls311"]["calls"][0]["location"], json!({"latitude": 40.7, "longitude": -73.9}));
    let processed = &zone["processed"];
    assert_eq!(processed["processedAt"], city["processedAt"]);
    assert_eq!(processed["risk"]["level"], "MODERATE");
    assert_eq!(processed["risk"]["parts"][0]["name"], "weather");
    assert_eq!(processed["features"], json!([{"name": "temperature_c", "value": 21.5}]));
    assert_eq!(processed["forecast"]["hours"][0]["low"], 20.5);
    assert_eq!(processed["freshness"][0]["state"], "FRESH");
    assert_eq!(zone["alerts"][0]["alertId"], raised.alert_id);
    assert_eq!(zone["alerts"][0]["zone"]["zoneId"], "z0");
    assert_eq!((&zone["models"][0]["model"], &zone["models"][0]["error"]), (&json!("heuristic"), &json!(0.08)));

    let other = &city["zones"][1];
    assert_eq!(
        (&other["shape"], &other["raw"]["weather"], &other["raw"]["calls311"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(other["raw"]["power"]["demand"], 17000.0, "of the whole city");
    assert_eq!(
        other["processed"]["freshness"][0],
        json!({"input": "weather", "state": "MISSING", "ts": null,
        "ageSeconds": null, "limitSeconds": 3600})
    );
    assert_eq!(other["alerts"], json!([]));
}

/// A page that asks for everything of 200 zones is within the limits.
#[tokio::test]
async fn the_defaults_let_through_all_of_a_large_city() {
    let test = Test::limited(Sample::with(vec![city("nyc", 200)]).await, &limits());
    test.process("nyc").await;
    let zones = test.data(ALL).await["cityLive"]["zones"].as_array().unwrap().len();
    assert_eq!(zones, 200);
}

#[tokio::test]
async fn some_zones_or_one_can_be_asked_for() {
    let test = Test::new().await;
    let data = test
        .data("{ cityLive(cityId: \"nyc\") { zones(zoneIds: [\"z2\", \"no\", \"z0\"]) { zoneId } zone(zoneId: \"z1\") { name }
            none: zone(zoneId: \"no\") { name } } }")
        .await;
    assert_eq!(
        data["cityLive"],
        json!({"zones": [{"zoneId": "z0"}, {"zoneId": "z2"}], "zone": {"name": "Zone 1"}, "none": null})
    );
}

/// What was written is read, although boards are shared.
#[tokio::test]
async fn a_run_that_was_waited_for_is_seen_at_once() {
    let test = Test::new().await;
    let read = "{ cityLive(cityId: \"nyc\") { zones { processed { runId } } } }";
    assert_eq!(test.data(read).await["cityLive"]["zones"][0]["processed"], Value::Null);
    for _ in 0..5 {
        let run =
            test.data("mutation { processCity(cityId: \"nyc\", wait: true) { runId cityId done processedAt zones } }");
        let run = run.await["processCity"].clone();
        assert_eq!((&run["done"], &run["zones"], &run["cityId"]), (&json!(true), &json!(3), &json!("nyc")));
        for zone in test.data(read).await["cityLive"]["zones"].as_array().unwrap() {
            assert_eq!(zone["processed"]["runId"], run["runId"]);
        }
    }
    assert_eq!(test.code("mutation { processCity { runId } }").await, "UNKNOWN_CITY", "none is chosen");
    test.data("mutation { selectCity(cityId: \"nyc\") { cityId } }").await;
    let run = test.data("mutation { processCity { runId done processedAt zones } }").await["processCity"].clone();
    assert_eq!((&run["done"], &run["processedAt"], &run["zones"]), (&json!(false), &Value::Null, &Value::Null));
    test.sample.live.runs_under(None);
    assert_eq!(test.code("mutation { processCity { runId } }").await, "NOT_WRITER");
}

#[tokio::test]
async fn alerts_are_acknowledged_once_and_listed_by_state() {
    let test = Test::new().await;
    let (first, second) = (alert("aqi", "z0", Time(now().0 - 1000)), alert("heat", "z1", now()));
    for alert in [&first, &second] {
        test.sample.put_alert(alert).await;
    }
    let rules = async |arguments: &str| {
        let data =
            test.data(&format!("{{ cityLive(cityId: \"nyc\") {{ alerts{arguments} {{ rule status }} }} }}")).await;
        data["cityLive"]["alerts"].clone()
    };
    assert_eq!(rules("").await, json!([{"rule": "heat", "status": "OPEN"}, {"rule": "aqi", "status": "OPEN"}]));
    assert_eq!(rules("(first: 1)").await, json!([{"rule": "heat", "status": "OPEN"}]));

    let acknowledge =
        format!("mutation {{ acknowledgeAlert(alertId: {:?}) {{ status acknowledgedAt }} }}", first.alert_id);
    let done = test.data(&acknowledge).await["acknowledgeAlert"].clone();
    assert_eq!(done["status"], "ACKNOWLEDGED");
    assert_eq!(test.data(&acknowledge).await["acknowledgeAlert"], done, "the first time counts");
    assert_eq!(test.code("mutation { acknowledgeAlert(alertId: \"no\") { status } }").await, "UNKNOWN_ALERT");
    assert_eq!(rules("(status: [ACKNOWLEDGED])").await, json!([{"rule": "aqi", "status": "ACKNOWLEDGED"}]));

    let mut cleared = second.clone();
    (cleared.status, cleared.cleared_at) = (AlertStatus::Cleared, Some(now()));
    test.sample.put_alert(&cleared).await;
    assert_eq!(rules("").await, json!([{"rule": "aqi", "status": "ACKNOWLEDGED"}]));
    assert_eq!(rules("(status: [CLEARED])").await, json!([{"rule": "heat", "status": "CLEARED"}]));
    assert_eq!(rules("(status: [CLEARED, ACKNOWLEDGED])").await.as_array().unwrap().len(), 2);
    assert_eq!(rules("(status: [OPEN])").await, json!([]));
}

#[tokio::test]
async fn zones_reach_their_districts_and_back() {
    let test = Test::new().await;
    let data = test
        .data(
            "{ cityLive(cityId: \"nyc\") { zone(zoneId: \"z0\") { districts { districtId sensors { totalCount }
            liveZones { cityId zoneId } } } } }",
        )
        .await;
    let districts = &data["cityLive"]["zone"]["districts"];
    assert_eq!(districts.as_array().unwrap().len(), 1, "the twin has no district `gone`: {districts}");
    assert_eq!(districts[0]["districtId"], "centro");
    // `z0` of both cities covers it.
    assert_eq!(
        districts[0]["liveZones"],
        json!([{"cityId": "nyc", "zoneId": "z0"}, {"cityId": "laquila", "zoneId": "z0"}])
    );
}

#[tokio::test]
async fn the_history_is_given_in_columns() {
    let test = Test::new().await;
    for temperature in [20.0, 22.0] {
        let at = now();
        test.sample
            .take_in(vec![("nyc", Some("z0"), at, weather(temperature)), ("nyc", Some("z1"), at, weather(5.0))])
            .await;
        test.process("nyc").await;
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    }
    let data = test
        .data("{ cityLive(cityId: \"nyc\") {
            zone(zoneId: \"z0\") { history(lastHours: 2) { features { name times values } none: features(names: [\"x\"]) { name }
                risk { name times values } } }
            history { features { name } risk { name } }
            compare(feature: \"temperature_c\") { name values } } }")
        .await["cityLive"]
        .clone();
    let history = &data["zone"]["history"];
    let values = |series: &Value| series["values"].clone();
    assert_eq!(history["features"][0]["name"], "temperature_c");
    let hours = history["features"][0]["values"].as_array().unwrap();
    // One hour has one value, the latest; the runs may have been on both sides of a full hour.
    assert_eq!(hours.last(), Some(&json!(22.0)), "{hours:?}");
    assert_eq!(hours.len(), history["features"][0]["times"].as_array().unwrap().len());
    assert_eq!(history["none"], json!([]));
    assert_eq!((&history["risk"][0]["name"], values(&history["risk"][0])), (&json!("score"), json!([20.0, 22.0])));
    assert_eq!((&history["risk"][1]["name"], values(&history["risk"][1])), (&json!("weather"), json!([20.0, 22.0])));
    assert_eq!(data["history"], json!({"features": [], "risk": []}), "of the whole city nothing is known");
    let compared = data["compare"].as_array().unwrap();
    assert_eq!(compared.iter().map(|series| &series["name"]).collect::<Vec<_>>(), ["z0", "z1"]);
    assert_eq!(compared[1]["values"].as_array().unwrap().last(), Some(&json!(5.0)));
}

#[tokio::test]
async fn pages_of_the_feed_stay_while_messages_come() {
    let test = Test::new().await;
    let mut expected = Vec::new();
    for n in 0..57 {
        let rows = test.sample.take_in(vec![("nyc", Some("z0"), Time(now().0 - n), weather(n as f64))]).await;
        expected.extend(rows.into_iter().map(|row| format!("live-message/{}", row.seq)));
    }
    expected.reverse();
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = test
            .data(&format!(
                "{{ liveFeed(first: 10{after}) {{ edges {{ cursor node {{ id }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
            ))
            .await["liveFeed"]
            .clone();
        let edges = page["edges"].as_array().unwrap();
        seen.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()));
        assert_eq!(page["pageInfo"]["hasPreviousPage"], pages > 0);
        assert_eq!(page["pageInfo"]["endCursor"], edges.last().unwrap()["cursor"]);
        pages += 1;
        // Newer ones come between the pages.
        test.sample.take_in(vec![("nyc", Some("z1"), now(), weather(1.0))]).await;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    }
    assert_eq!((pages, &seen), (6, &expected));
    let distinct: HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len());
    let none = test.data("{ liveFeed(first: 0) { nodes { id } pageInfo { hasNextPage endCursor } } }").await;
    assert_eq!(none["liveFeed"], json!({"nodes": [], "pageInfo": {"hasNextPage": true, "endCursor": null}}));
}

#[tokio::test]
async fn the_feed_is_filtered() {
    let test = Test::new().await;
    test.sample.fill("nyc").await;
    test.sample.fill("laquila").await;
    let old = Time(now().0 - 10 * HOUR);
    test.sample.take_in(vec![("nyc", Some("z1"), old, call("old"))]).await;
    let count = async |arguments: &str| {
        test.data(&format!("{{ liveFeed{arguments} {{ nodes {{ id }} }} }}")).await["liveFeed"]["nodes"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("").await, 13);
    assert_eq!(count("(cityId: \"nyc\")").await, 7);
    assert_eq!(count("(cityId: \"nyc\", topic: AQI_STREAM)").await, 2);
    assert_eq!(count("(topic: POWER_DEMAND)").await, 2);
    assert_eq!(count("(zoneId: \"z1\")").await, 1);
    assert_eq!(count(&format!("(cityId: \"nyc\", since: \"{}\")", Time(now().0 - HOUR))).await, 6);
    assert_eq!(count("(cityId: \"rome\")").await, 0);
    let newest = test
        .data("{ liveFeed(cityId: \"nyc\", first: 1) { nodes { id topic type ts ingestedAt source simulated payload cityId
            zoneId zone { name } } } }")
        .await["liveFeed"]["nodes"][0]
        .clone();
    let query = FeedQuery { city_id: Some("nyc".to_owned()), limit: 1, ..FeedQuery::default() };
    let row = test.sample.archive().feed(&query).await.unwrap().remove(0);
    assert_eq!(
        newest,
        json!({"id": format!("live-message/{}", row.seq), "topic": "INCIDENT_TEXT", "type": "call_311",
            "ts": old.to_string(), "ingestedAt": row.ingested_at.to_string(), "source": "socrata", "simulated": false,
            "payload": {"type": "call_311", "call_id": "old", "complaint_type": "Noise - Street/Sidewalk",
                "descriptor": "Loud Music/Party", "status": "Open", "latitude": 40.7, "longitude": -73.9},
            "cityId": "nyc", "zoneId": "z1", "zone": {"name": "Zone 1"}})
    );
}
