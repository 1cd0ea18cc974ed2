//! The live map's subscription as its clients see it: patches, moves, returns, cells.

use std::pin::pin;

use async_graphql::{Request, Variables};
use serde_json::{Value, json};

use super::{Test, now};
use crate::{
    config::{Config, LiveConfig},
    graphql::{Document, at_one_moment, caller::Caller},
    twin::{event::Topic, model::Kind},
};

const LATER: &str = "2026-01-05T00:20:00Z";

fn bus(id: &str, latitude: f64) -> Value {
    json!({"busId": id, "currentLocation": {"latitude": latitude, "longitude": 13.4}, "lastUpdated": LATER})
}

impl Test {
    /// Moves a subscription; its number or the code of the error.
    async fn look_at(&self, subscription: &Value, filter: &str) -> Value {
        let mutation = format!("mutation($id: ID!) {{ moveViewport(subscription: $id, filter: {filter}) }}");
        let request = Request::new(mutation).variables(Variables::from_json(json!({ "id": subscription })));
        let response = serde_json::to_value(self.schema.execute(at_one_moment(request)).await).expect("JSON");
        match &response["errors"][0]["extensions"]["code"] {
            Value::Null => response["data"]["moveViewport"].clone(),
            code => code.clone(),
        }
    }
}

#[tokio::test]
async fn a_compact_subscription_gives_patches() {
    let test = Test::new();
    let mut stream = pin!(test.subscribe(
        "twinChanges(filter: {kinds: [BUS], statuses: [\"in_service\"]}, compact: true) {
            changes { kind entity { id } changedFields patch } }",
    ));
    let first = now(&mut stream).await;
    let entered = &first["changes"][0];
    assert_eq!((&entered["kind"], &entered["entity"]["id"]), (&json!("ENTERED"), &json!("bus/b%2F1")));
    let whole = test.city.query("{ bus(id: \"b/1\") { speed lastUpdated } }").await;
    assert_eq!(entered["patch"]["speed"], whole["bus"]["speed"]);
    let keys: Vec<_> = entered["patch"].as_object().expect("an object").keys().cloned().collect();
    let all = ["busId", "currentLocation", "heading", "lastUpdated", "passengerCount", "routeId", "speed", "status"];
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(sorted, all);

    test.bus(&json!({"busId": "b/1", "currentLocation": {"latitude": 42.39, "longitude": 13.4}, "speed": null,
        "lastUpdated": LATER}));
    let patch = json!({"currentLocation": {"latitude": 42.39, "longitude": 13.4}, "speed": null,
        "lastUpdated": "2026-01-05T00:20:00.000Z"});
    let changed = ["currentLocation", "speed", "lastUpdated"];
    assert_eq!(
        now(&mut stream).await["changes"],
        json!([{"kind": "UPDATED", "entity": null, "changedFields": changed, "patch": patch}])
    );
    assert!(test.city.fold.with(|city| city.remove(Kind::Bus, None, "b/1")));
    assert_eq!(
        now(&mut stream).await["changes"],
        json!([{"kind": "LEFT", "entity": null, "changedFields": [], "patch": null}])
    );
}

#[tokio::test]
async fn changes_are_the_same_however_they_are_asked_for() {
    let test = Test::new();
    let fields = "kind named: id changedFields reason patch __typename";
    // Written at once; by fragments, and in two parts that must be merged, one by one.
    let ways = [
        format!("changes {{ {fields} }}"),
        format!("changes {{ ... on TwinChange {{ {fields} }} }}"),
        format!("... {{ changes {{ {fields} }} }}"),
        "changes { kind named: id changedFields reason } changes { patch __typename }".to_owned(),
        format!("changes {{ {fields} entity {{ id }} }}"),
        format!("changes {{ {fields} patch }}"),
    ];
    for compact in [true, false] {
        let open = |way: &String| Box::pin(test.subscribe(&format!("twinChanges(compact: {compact}) {{ {way} }}")));
        let mut streams: Vec<_> = ways.iter().map(open).collect();
        let n = u8::from(compact);
        for step in 0..3 {
            match step {
                0 => {}
                1 => {
                    test.bus(&bus(&format!("new {n}"), 42.37));
                    test.bus(&bus("b/1", 42.35 + 0.001 * f64::from(n)));
                }
                _ => assert!(test.city.fold.with(|city| city.remove(Kind::Bus, None, &format!("new {n}")))),
            }
            let mut all = Vec::new();
            for stream in &mut streams {
                let mut changes = now(stream).await["changes"].take();
                for change in changes.as_array_mut().expect("a list") {
                    change.as_object_mut().expect("an object").remove("entity");
                }
                all.push(changes);
            }
            assert!(all[0].as_array().is_some_and(|changes| !changes.is_empty()), "{step}");
            all.iter().for_each(|changes| assert_eq!(changes, &all[0], "{step} {compact}"));
        }
    }
}

#[tokio::test]
async fn a_batch_is_the_same_however_it_is_asked_for() {
    let config = Config::defaults().live;
    for cells_above in [config.cells_above, 0] {
        let test = Test::with(&LiveConfig { cells_above, ..config.clone() });
        let fields = "cursor subscription viewport is: mode snapshot complete reason __typename changes { kind id patch } \
            cells { id count groups { kind } }";
        // Written at once; by a fragment, one by one.
        let ways = [fields.to_owned(), format!("... on TwinChanges {{ {fields} }}")];
        let open =
            |way: &String| Box::pin(test.subscribe(&format!("twinChanges(compact: true, zoom: 12) {{ {way} }}")));
        let mut streams: Vec<_> = ways.iter().map(open).collect();
        for step in 0..2 {
            if step == 1 {
                test.bus(&bus("new", 42.37));
            }
            let mut all = Vec::new();
            for stream in &mut streams {
                let mut batch = now(stream).await;
                let batch_fields = batch.as_object_mut().expect("an object");
                let mut own = |name: &str| batch_fields.remove(name).expect(name);
                let (cursor, subscription) = (own("cursor"), own("subscription"));
                assert!(cursor.as_str().is_some_and(|text| crate::live::Cursor::parse(text).is_some()), "{cursor}");
                assert!(subscription.as_str().is_some_and(|text| text.len() == 32), "{subscription}");
                all.push(batch);
            }
            assert_eq!(all[0], all[1], "{step} {cells_above}");
            let mode = if cells_above == 0 { "CELLS" } else { "ENTITIES" };
            let reason = if step == 0 { json!("START") } else { json!(null) };
            assert_eq!((&all[0]["is"], &all[0]["reason"]), (&json!(mode), &reason), "{:?}", all[0]);
            let names: Vec<_> = all[0].as_object().expect("an object").keys().cloned().collect();
            assert_eq!(names, ["__typename", "cells", "changes", "complete", "is", "reason", "snapshot", "viewport"]);
        }
    }
}

#[tokio::test]
async fn a_map_is_moved() {
    let test = Test::new();
    let fields = "subscription viewport snapshot complete changes { kind id patch }";
    let mut stream = pin!(test.subscribe(&format!(
        "twinChanges(filter: {{kinds: [BUS], box: {{north: 42.36, south: 42.34, east: 13.41, west: 13.39}}}}) {{ {fields} }}"
    )));
    let first = now(&mut stream).await;
    assert_eq!((first["viewport"].as_i64(), first["changes"].as_array().map(Vec::len)), (Some(0), Some(1)));
    let id = &first["subscription"];
    test.bus(&bus("b9", 42.37));
    assert_eq!(
        test.look_at(id, "{kinds: [BUS], box: {north: 42.38, south: 42.365, east: 13.41, west: 13.39}}").await,
        1
    );
    assert_eq!(
        now(&mut stream).await,
        json!({"subscription": id, "viewport": 1, "snapshot": false, "complete": true, "changes": [
            {"kind": "LEFT", "id": "bus/b%2F1", "patch": null}, {"kind": "ENTERED", "id": "bus/b9", "patch": null}]})
    );
    for (id, filter, code) in [
        (json!("0123456789abcdef0123456789abcdef"), "{}", "NOT_HERE"),
        (json!("no id"), "{}", "NOT_HERE"),
        (id.clone(), "{statuses: [\"x\"]}", "BAD_USER_INPUT"),
    ] {
        assert_eq!(test.look_at(&id, filter).await, code);
    }
}

#[tokio::test]
async fn a_map_comes_back() {
    let test = Test::new();
    let subscribe = |resume: &Value| {
        let cursor = if resume.is_null() { String::new() } else { format!(", resumeFrom: {resume}") };
        let fields = "cursor subscription snapshot complete reason changes { kind id }";
        Box::pin(test.subscribe(&format!("twinChanges(filter: {{kinds: [BUS, UNIT]}}{cursor}) {{ {fields} }}")))
    };
    let first = now(&mut subscribe(&Value::Null)).await;
    assert_eq!((&first["snapshot"], &first["reason"]), (&json!(true), &json!("START")));
    test.bus(&bus("b9", 42.37));
    let back = now(&mut subscribe(&first["cursor"])).await;
    assert_eq!(back["changes"], json!([{"kind": "ENTERED", "id": "bus/b9"}]));
    assert_eq!((&back["snapshot"], &back["reason"], &back["complete"]), (&json!(false), &json!(null), &json!(true)));
    assert_eq!(back["subscription"], first["subscription"]);
    let elsewhere = Test::new();
    let mut other =
        Box::pin(elsewhere.subscribe(&format!("twinChanges(resumeFrom: {}) {{ reason snapshot }}", back["cursor"])));
    assert_eq!(now(&mut other).await, json!({"reason": "NOT_HERE", "snapshot": true}));
}

#[tokio::test]
async fn from_far_away_there_are_cells() {
    let test = Test::with(&LiveConfig { cells_above: 3, ..Config::defaults().live });
    let fields = "mode complete changes { kind id } cells { id north south east west count
        groups { kind type count measure mean } }";
    let mut stream =
        pin!(test.subscribe(&format!("twinChanges(filter: {{kinds: [BUS, EDGE]}}, zoom: 12.5) {{ {fields} }}")));
    let first = now(&mut stream).await;
    assert_eq!((&first["mode"], &first["cells"]), (&json!("ENTITIES"), &json!([])));
    for (n, speed) in [20.0, 30.0, 40.0].into_iter().enumerate() {
        let bus = json!({"busId": format!("far{n}"), "currentLocation": {"latitude": 42.4, "longitude": 13.4},
            "speed": speed, "lastUpdated": LATER});
        test.bus(&bus);
    }
    let cells = now(&mut stream).await;
    assert_eq!((&cells["mode"], &cells["complete"], &cells["changes"]), (&json!("CELLS"), &json!(true), &json!([])));
    let far = cells["cells"].as_array().expect("cells").iter().find(|cell| cell["count"] == 3).expect("the three");
    let group = json!([{"kind": "BUS", "type": null, "count": 3, "measure": "speed", "mean": 30.0}]);
    assert_eq!(far["groups"], group);
    assert!(far["id"].as_str().expect("an id").starts_with("cell/15/"));
    let side = |name: &str| far[name].as_f64().expect("degrees");
    assert!(side("south") <= 42.4 && 42.4 <= side("north") && side("west") <= 13.4 && 13.4 <= side("east"));

    for n in 0..3 {
        test.city.fold.with(|city| city.remove(Kind::Bus, None, &format!("far{n}")));
    }
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let back = now(&mut stream).await;
    assert_eq!((&back["mode"], &back["cells"]), (&json!("ENTITIES"), &json!([])));
    assert!(back["changes"].as_array().expect("changes").iter().all(|change| change["kind"] == "ENTERED"));
}

#[tokio::test]
async fn what_is_shared_is_the_same_but_for_ones_own() {
    let test = Test::new();
    let query = "subscription($resume: String) { twinChanges(filter: {kinds: [BUS]}, resumeFrom: $resume) {
        cursor subscription snapshot complete changes { kind id entity { id ... on Bus { speed } } } } }";
    let subscribe = || {
        let request = Request::new(query).data(Caller::trusted()).data(Document(query.into()));
        test.schema.execute_stream(at_one_moment(request))
    };
    let mut streams = [subscribe(), subscribe(), subscribe()];
    let mut own = std::collections::HashSet::new();
    for round in 0..3 {
        let mut same = std::collections::HashSet::new();
        for stream in &mut streams {
            let mut batch = now(stream).await;
            let (cursor, id) = (batch["cursor"].take(), batch["subscription"].take());
            assert!(own.insert(cursor), "a cursor of its own");
            assert_eq!(own.insert(id), round == 0, "an id of its own");
            same.insert(batch.to_string());
        }
        assert_eq!(same.len(), 1, "{same:?}");
        test.city.event(Topic::TransportGps, &bus(&format!("b{round}"), 42.37));
    }
}

#[tokio::test]
async fn errors_of_fields_come_with_each_answer() {
    let test = Test::new();
    let query = "subscription { busChanges { changes { entity { nearby: locatedIn { sensors(first: 99999) { totalCount } } } } } }";
    let subscribe = || {
        let request = Request::new(query).data(Caller::trusted()).data(Document(query.into()));
        test.schema.execute_stream(at_one_moment(request))
    };
    let mut streams = [subscribe(), subscribe()];
    for stream in &mut streams {
        let response = futures_util::StreamExt::next(stream).await.expect("an answer");
        assert!(!response.errors.is_empty());
    }
}
