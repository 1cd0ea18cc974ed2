//! Subscriptions as their clients see them.

mod express;
mod many;
mod twin;

use std::{pin::pin, sync::Arc, time::Duration};

use async_graphql::{Request, Response, Variables};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    config::{Config, LiveConfig},
    graphql::{
        at_one_moment, schema_builder,
        tests::{TestCity, TestSchema, limits},
    },
    ingest::Fold,
    live::Hub,
    publish::{Chain, Incremental},
    twin::{event::Topic, model::Kind, time::Time},
};

/// A schema with all that subscriptions need.
fn schema(fold: &Arc<Fold>, chain: &Arc<Chain>, config: &LiveConfig) -> TestSchema {
    let hub = Hub::new(Arc::clone(fold), Arc::clone(chain), config);
    schema_builder(&limits()).data(Arc::clone(fold)).data(Arc::clone(chain)).data(hub).finish()
}

struct Test {
    city: TestCity,
    chain: Arc<Chain>,
    schema: TestSchema,
}

impl Test {
    fn new() -> Self {
        Self::with(&Config::defaults().live)
    }

    fn with(config: &LiveConfig) -> Self {
        let (city, chain) = (TestCity::small(), Arc::new(Chain::default()));
        let schema = schema(&city.fold, &chain, config);
        Self { city, chain, schema }
    }

    fn subscribe(&self, field: &str) -> BoxStream<'static, Response> {
        self.schema.execute_stream(at_one_moment(Request::new(format!("subscription {{ {field} }}"))))
    }

    fn bus(&self, event: &Value) {
        self.city.event(Topic::TransportGps, event);
    }
}

/// The data of the only field: what there is after the next moment that subscribers see, or comes then.
async fn now(stream: &mut (impl Stream<Item = Response> + Unpin)) -> Value {
    sleep(Duration::from_millis(10)).await;
    data(timeout(Duration::from_secs(30), stream.next()).await.expect("a batch").expect("no end"))
}

/// That nothing comes.
async fn nothing(stream: &mut (impl Stream<Item = Response> + Unpin)) -> bool {
    timeout(Duration::from_millis(50), stream.next()).await.is_err()
}

fn data(response: Response) -> Value {
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let data = response.data.into_json().expect("JSON");
    data.as_object().expect("an object").values().next().expect("a field").clone()
}

#[tokio::test]
async fn buses_enter_change_and_leave() {
    let test = Test::new();
    let mut stream = pin!(test.subscribe(
        "busChanges(filter: {statuses: [\"in_service\"]}) { cursor snapshot complete
            changes { kind id entity { busId speed locatedIn { districtId } } changedFields reason } }",
    ));
    let mut first = now(&mut stream).await;
    let cursor = first["cursor"].take();
    assert_eq!(
        first,
        json!({"cursor": null, "snapshot": true, "complete": true, "changes": [{"kind": "ENTERED", "id": "bus/b%2F1",
            "entity": {"busId": "b/1", "speed": 28.4, "locatedIn": {"districtId": "centro"}}, "changedFields": [],
            "reason": null}]})
    );
    assert!(nothing(&mut stream).await);

    let later = "2026-01-05T00:20:00Z";
    test.bus(&json!({"busId": "b/1", "currentLocation": {"latitude": 42.39, "longitude": 13.4}, "speed": 30,
        "lastUpdated": later}));
    test.bus(&json!({"busId": "b2", "currentLocation": {"latitude": 42.39, "longitude": 13.4},
        "status": "in_service", "lastUpdated": later}));
    let second = now(&mut stream).await;
    assert_ne!(second["cursor"], cursor);
    assert_eq!(second["snapshot"], false);
    assert_eq!(
        second["changes"],
        json!([{"kind": "UPDATED", "id": "bus/b%2F1",
                "entity": {"busId": "b/1", "speed": 30.0, "locatedIn": {"districtId": "nord"}},
                "changedFields": ["currentLocation", "speed", "lastUpdated"], "reason": null},
            {"kind": "ENTERED", "id": "bus/b2",
                "entity": {"busId": "b2", "speed": null, "locatedIn": {"districtId": "nord"}}, "changedFields": [],
                "reason": null}])
    );

    test.bus(&json!({"busId": "b2", "currentLocation": {"latitude": 42.39, "longitude": 13.4},
        "status": "maintenance", "lastUpdated": later}));
    assert!(test.city.fold.with(|city| city.remove(Kind::Bus, None, "b/1")));
    let third = now(&mut stream).await;
    assert_eq!(
        third["changes"],
        json!([{"kind": "LEFT", "id": "bus/b%2F1", "entity": null, "changedFields": [], "reason": "REMOVED"},
            {"kind": "LEFT", "id": "bus/b2", "entity": null, "changedFields": [], "reason": "MOVED_OUT"}])
    );
}

#[tokio::test]
async fn a_map_follows_a_box() {
    let test = Test::new();
    let mut stream = pin!(test.subscribe(
        "twinChanges(filter: {box: {north: 42.36, south: 42.34, east: 13.41, west: 13.39}}) {
            changes { kind id entity { __typename kind ... on Bus { busId } } } }",
    ));
    let first = now(&mut stream).await;
    let types: std::collections::BTreeSet<_> =
        first["changes"].as_array().unwrap().iter().map(|change| change["entity"]["__typename"].to_string()).collect();
    assert!(types.len() > 5, "{types:?}");
    let gone = json!({"busId": "b/1", "currentLocation": {"latitude": 42.5, "longitude": 13.4}});
    test.bus(&json!({"lastUpdated": "2026-01-05T00:20:00Z", "busId": gone["busId"],
        "currentLocation": gone["currentLocation"]}));
    assert_eq!(now(&mut stream).await["changes"], json!([{"kind": "LEFT", "id": "bus/b%2F1", "entity": null}]));
}

#[tokio::test]
async fn no_kinds_at_all_are_none_to_follow() {
    let test = Test::new();
    let mut stream = pin!(test.subscribe("busChanges(filter: {kinds: []}) { complete changes { id } }"));
    assert_eq!(now(&mut stream).await, json!({"complete": true, "changes": []}));
    test.bus(&json!({"busId": "b2", "currentLocation": {"latitude": 42.39, "longitude": 13.4}}));
    assert!(nothing(&mut stream).await);
}

#[tokio::test]
async fn each_kind_can_be_followed() {
    let test = Test::new();
    for (field, id) in [
        ("district", "district/centro"),
        ("sensor", "sensor/centro/aq-1"),
        ("building", "building/centro/duomo"),
        ("weatherStation", "weather-station/centro/ws-1"),
        ("node", "node/n1"),
        ("edge", "edge/e1"),
        ("bus", "bus/b%2F1"),
        ("station", "station/st-1"),
        ("incident", "incident/i1"),
        ("unit", "unit/u1"),
    ] {
        let mut stream =
            test.subscribe(&format!("{field}Changes {{ complete changes {{ kind entity {{ id kind }} }} }}"));
        let first = now(&mut stream).await;
        let changes = first["changes"].as_array().unwrap();
        assert!(changes.iter().any(|change| change["entity"]["id"] == id), "{field}: {changes:?}");
        let kinds: std::collections::HashSet<_> = changes.iter().map(|change| &change["entity"]["kind"]).collect();
        assert_eq!(kinds.len(), 1, "{field}: {kinds:?}");
        assert!(first["complete"].as_bool().unwrap());
    }
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let test = Test::new();
    for (field, named) in [
        ("busChanges(minIntervalMs: -1) { complete }", "minIntervalMs is -1"),
        ("twinChanges(minIntervalMs: 60001) { complete }", "minIntervalMs is 60001"),
        ("twinChanges(filter: {districts: [\"\"]}) { complete }", "filter.districts"),
        ("busChanges(filter: {kinds: [UNIT]}) { complete }", "filter.kinds"),
        ("twinChanges(filter: {near: {latitude: 91, longitude: 0, radius: 1}}) { complete }", "filter.near.latitude"),
        ("dashboardChanges(districts: [\"\"]) { busesInService }", "districts"),
        ("dashboardChanges(minIntervalMs: 99999) { busesInService }", "minIntervalMs is 99999"),
    ] {
        let responses: Vec<_> = test.subscribe(field).collect().await;
        let [response] = &responses[..] else { panic!("{field}: {responses:?}") };
        let error = serde_json::to_value(&response.errors[0]).unwrap();
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{field}");
        assert!(error["message"].as_str().unwrap().contains(named), "{field}: {error}");
    }
}

/// Clients that keep an interval in a variable may leave the variable without a value, or null.
#[tokio::test]
async fn an_argument_without_a_value_is_as_absent() {
    let test = Test::new();
    for field in [
        "busChanges(minIntervalMs: $ms) { complete }",
        "sensorChanges(minIntervalMs: $ms) { complete }",
        "twinChanges(minIntervalMs: $ms, compact: $compact) { complete }",
        "dashboardChanges(minIntervalMs: $ms) { busesInService }",
    ] {
        let declared = if field.contains("$compact") { "$ms: Int, $compact: Boolean" } else { "$ms: Int" };
        let document = format!("subscription({declared}) {{ {field} }}");
        for variables in [json!({}), json!({"ms": null, "compact": null})] {
            let request = Request::new(&document).variables(Variables::from_json(variables));
            let mut stream = pin!(test.schema.execute_stream(at_one_moment(request)));
            now(&mut stream).await;
        }
        let request = Request::new(&document).variables(Variables::from_json(json!({"ms": -1})));
        let response = test.schema.execute_stream(at_one_moment(request)).next().await.expect("an answer");
        assert!(response.errors[0].message.contains("minIntervalMs is -1"), "{field}: {response:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn intervals_hold() {
    let test = Test::new();
    let mut stream = pin!(test.subscribe("busChanges(minIntervalMs: 500) { changes { id } }"));
    now(&mut stream).await;
    test.bus(&json!({"busId": "b3", "currentLocation": {"latitude": 42.5, "longitude": 13.4}}));
    assert!(nothing(&mut stream).await);
    sleep(Duration::from_millis(501)).await;
    assert_eq!(now(&mut stream).await["changes"], json!([{"id": "bus/b3"}]));
}

#[tokio::test(start_paused = true)]
async fn the_dashboard_comes_when_it_changes() {
    let test = Test::new();
    let mut stream = pin!(test.subscribe(
        "dashboardChanges(districts: [\"nord\"], minIntervalMs: 0) { district { districtId } busesInService }",
    ));
    let dashboard = |buses: u32| json!([{"district": {"districtId": "nord"}, "busesInService": buses}]);
    assert_eq!(now(&mut stream).await, dashboard(0));
    let moves = |id: &str, latitude: f64| {
        test.bus(&json!({"busId": id, "currentLocation": {"latitude": latitude, "longitude": 13.4},
            "status": "in_service", "lastUpdated": "2026-01-05T00:20:00Z"}));
    };
    moves("b2", 42.39);
    moves("b3", 42.39);
    assert!(nothing(&mut stream).await, "not within a second");
    sleep(Duration::from_millis(1001)).await;
    assert_eq!(now(&mut stream).await, dashboard(2));
    moves("b4", 42.35);
    sleep(Duration::from_secs(60)).await;
    assert!(nothing(&mut stream).await, "elsewhere");
    moves("b3", 42.35);
    sleep(Duration::from_millis(1001)).await;
    assert_eq!(now(&mut stream).await, dashboard(1));
}

#[tokio::test]
async fn the_chain_can_be_followed() {
    let test = Test::new();
    let fields = "epoch previousTimestamp timestamp full incremental reason";
    let mut stream = pin!(test.subscribe(&format!("stateDelta {{ {fields} }}")));
    assert!(nothing(&mut stream).await, "there is no boundary yet");
    let (first, second) = (Time(1_767_571_200_000), Time(1_767_571_205_000));
    test.chain.full_of_view(3, first, test.city.fold.view());
    let mut full = now(&mut stream).await;
    let state = full["full"].take();
    assert_eq!((&state["cityId"], &state["timestamp"]), (&json!("test"), &json!("2026-01-05T00:00:00.000Z")));
    assert_eq!(state["publicTransport"]["buses"].as_array().unwrap().len(), 2);
    assert_eq!(
        full,
        json!({"epoch": "3", "previousTimestamp": null, "timestamp": "2026-01-05T00:00:00.000Z", "full": null,
            "incremental": null, "reason": "START"})
    );
    let message = json!({"cityId": "test", "timestamp": second.to_string(), "delta": {"name": ["a", "é"]}});
    let incremental = Incremental { previous: first, timestamp: second, message: Bytes::from(message.to_string()) };
    test.chain.incremental(3, incremental, None);
    let step = json!({"epoch": "3", "previousTimestamp": "2026-01-05T00:00:00.000Z",
        "timestamp": "2026-01-05T00:00:05.000Z", "full": null, "incremental": message, "reason": null});
    assert_eq!(now(&mut stream).await, step);
    let mut missed = pin!(test.subscribe(&format!("stateDelta(from: \"2026-01-05T00:00:00Z\") {{ {fields} }}")));
    assert_eq!(now(&mut missed).await, step);
}
