//! Pages of a list, while entities come and go.

use serde_json::{Value, json};

use super::TestCity;
use crate::twin::{event::Topic, model::Kind};

fn bus(id: &str) -> Value {
    json!({"busId": id, "currentLocation": {"latitude": 42.0, "longitude": 13.0}})
}

async fn page(city: &TestCity, list: &str, id: &str, first: i32, after: Option<&str>) -> (Vec<String>, Value) {
    let query = format!(
        "query($first: Int, $after: String) {{ {list}(first: $first, after: $after) {{
            totalCount edges {{ cursor node {{ {id} }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let response = city.response(&query, json!({"first": first, "after": after})).await;
    assert!(response["errors"].is_null(), "{response}");
    let list = response["data"][list].clone();
    let edges = list["edges"].as_array().unwrap().clone();
    if let (Some(first), Some(last)) = (edges.first(), edges.last()) {
        assert_eq!(list["pageInfo"]["startCursor"], first["cursor"]);
        assert_eq!(list["pageInfo"]["endCursor"], last["cursor"]);
    }
    (edges.iter().map(|edge| edge["node"][id].as_str().unwrap().to_owned()).collect(), list)
}

#[tokio::test]
async fn pages_follow_each_other_while_entities_come_and_go() {
    let city = TestCity::small();
    for id in ["a", "c", "e", "g", "i"] {
        city.event(Topic::TransportGps, &bus(id));
    }
    // In order: a b/1 b2 c e g i
    let (ids, list) = page(&city, "buses", "busId", 4, None).await;
    assert_eq!(ids, ["a", "b/1", "b2", "c"]);
    assert_eq!(list["totalCount"], 7);
    assert_eq!((&list["pageInfo"]["hasNextPage"], &list["pageInfo"]["hasPreviousPage"]), (&json!(true), &json!(false)));
    let cursor = list["pageInfo"]["endCursor"].as_str().unwrap();

    // The very entity of the cursor goes, one before it comes, and one right after it comes.
    city.fold.with(|city| city.remove(Kind::Bus, None, "c"));
    city.event(Topic::TransportGps, &bus("aa"));
    city.event(Topic::TransportGps, &bus("d"));
    let (ids, list) = page(&city, "buses", "busId", 2, Some(cursor)).await;
    assert_eq!(ids, ["d", "e"]);
    assert_eq!(list["totalCount"], 8);
    assert_eq!((&list["pageInfo"]["hasNextPage"], &list["pageInfo"]["hasPreviousPage"]), (&json!(true), &json!(true)));

    // The same cursor still holds after the page behind it was read; the last page says so.
    let (ids, list) = page(&city, "buses", "busId", 100, Some(cursor)).await;
    assert_eq!(ids, ["d", "e", "g", "i"]);
    assert_eq!(list["pageInfo"]["hasNextPage"], false);

    // Nothing is left before the cursor, or behind it.
    for id in ["a", "aa", "b/1", "b2"] {
        city.fold.with(|city| city.remove(Kind::Bus, None, id));
    }
    let (_, list) = page(&city, "buses", "busId", 1, Some(cursor)).await;
    assert_eq!(list["pageInfo"]["hasPreviousPage"], false);
    for id in ["d", "e", "g", "i"] {
        city.fold.with(|city| city.remove(Kind::Bus, None, id));
    }
    let (ids, list) = page(&city, "buses", "busId", 5, Some(cursor)).await;
    assert!(ids.is_empty());
    assert_eq!(
        list["pageInfo"],
        json!({"hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null})
    );
}

#[tokio::test]
async fn pages_run_through_the_districts() {
    let city = TestCity::small();
    for district in ["alpha", "centro", "zulu"] {
        for id in ["s1", "s2", "s3"] {
            let event = json!({"districtId": district, "sensorId": id, "type": "noise", "value": 1});
            city.event(Topic::SensorsEnvironmental, &event);
        }
    }
    let whole = page(&city, "sensors", "id", 1000, None).await.0;
    assert_eq!(whole.len(), 13);
    assert_eq!(whole[..4], ["sensor/alpha/s1", "sensor/alpha/s2", "sensor/alpha/s3", "sensor/centro/aq-1"]);
    for first in [1, 2, 3, 5] {
        let (mut pieced, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let (ids, list) = page(&city, "sensors", "id", first, after.as_deref()).await;
            pieced.extend(ids);
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = list["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        }
        assert_eq!(pieced, whole, "in pages of {first}");
    }
    // A whole district goes while its page is being read.
    let (_, list) = page(&city, "sensors", "id", 4, None).await;
    let cursor = list["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    city.fold.with(|city| city.remove(Kind::District, None, "centro"));
    assert_eq!(page(&city, "sensors", "id", 2, Some(&cursor)).await.0, ["sensor/nord/aq-1", "sensor/zulu/s1"]);
}

#[tokio::test]
async fn a_page_may_be_empty() {
    let city = TestCity::small();
    let (ids, list) = page(&city, "edges", "edgeId", 0, None).await;
    assert!(ids.is_empty());
    assert_eq!((&list["totalCount"], &list["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    assert_eq!(page(&city, "districts", "districtId", 1, None).await.0, ["centro"]);
    let (_, list) = page(&city, "districts", "districtId", 1, None).await;
    let cursor = list["pageInfo"]["endCursor"].as_str();
    assert_eq!(page(&city, "districts", "districtId", 1, cursor).await.0, ["nord"]);
}

/// Fields of one request see the city as the first of them did, whatever is folded in between.
#[tokio::test]
async fn a_request_sees_one_moment() {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    struct Probe(std::sync::Arc<crate::ingest::Fold>);

    #[Object]
    impl Probe {
        async fn buses(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<i32> {
            let seen = crate::graphql::context::snapshot(ctx)?.count(Kind::Bus);
            self.0.with(|city| city.remove(Kind::Bus, None, "b2"));
            Ok(seen as i32)
        }
    }

    let city = TestCity::small();
    let probe = Probe(std::sync::Arc::clone(&city.fold));
    let schema =
        Schema::build(probe, EmptyMutation, EmptySubscription).data(std::sync::Arc::clone(&city.fold)).finish();
    let request = super::at_one_moment(async_graphql::Request::new("{ a: buses b: buses }"));
    assert_eq!(schema.execute(request).await.data.into_json().unwrap(), json!({"a": 2, "b": 2}));
    let request = super::at_one_moment(async_graphql::Request::new("{ a: buses }"));
    assert_eq!(schema.execute(request).await.data.into_json().unwrap(), json!({"a": 1}));
}
