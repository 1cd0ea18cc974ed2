//! What is refused, and the codes by which clients tell why.

use async_graphql::{Request, Value as Const};
use serde_json::{Value, json};

use super::{TestCity, at_one_moment, limits};
use crate::{
    graphql::{
        caller::{Access, Caller},
        schema_builder,
    },
    twin::model::Kind,
    writer::{Command, OperationError, Operator},
};

#[tokio::test]
async fn bad_arguments_are_named_with_what_is_accepted() {
    let city = TestCity::small();
    for (query, field, message) in [
        ("{ buses(first: -1) { totalCount } }", "first", "first is -1; accepted: a whole number from 0 to 1000"),
        ("{ buses(first: 1001) { totalCount } }", "first", "first is 1001; accepted: a whole number from 0 to 1000"),
        (
            r#"{ buses(after: "xyz") { totalCount } }"#,
            "after",
            r#"after is "xyz"; accepted: a cursor that a list of this kind gave"#,
        ),
        (
            "{ buses(filter: {kinds: [NODE, EDGE]}) { totalCount } }",
            "filter.kinds",
            "filter.kinds is [NODE, EDGE]; accepted: absent, empty, or a list with BUS, in this list",
        ),
        (
            r#"{ sensors(filter: {districts: [""]}) { totalCount } }"#,
            "filter.districts",
            r#"filter.districts is ""; accepted: an id: a string of 1 to 256 bytes without control characters"#,
        ),
        (
            r#"{ sensors(filter: {statuses: ["ACTIVE"]}) { totalCount } }"#,
            "filter.statuses",
            r#"filter.statuses is "ACTIVE"; accepted: of active, inactive, maintenance, in_service, out_of_service, reported, dispatched, in_progress, resolved, available, on_scene, low, moderate, high, severe"#,
        ),
        (
            "{ buses(filter: {box: {north: 91, south: 0, east: 1, west: 0}}) { totalCount } }",
            "filter.box.north",
            "filter.box.north is 91; accepted: degrees north, in [-90, 90]",
        ),
        (
            "{ buses(filter: {box: {north: 1, south: 2, east: 1, west: 0}}) { totalCount } }",
            "filter.box.south",
            "filter.box.south is 2; accepted: at most filter.box.north, 1",
        ),
        (
            "{ buses(filter: {box: {north: 1, south: 0, east: 1, west: -180.5}}) { totalCount } }",
            "filter.box.west",
            "filter.box.west is -180.5; accepted: degrees east, in [-180, 180]",
        ),
        (
            "{ buses(filter: {near: {latitude: 0, longitude: 0, radius: 0}}) { totalCount } }",
            "filter.near.radius",
            "filter.near.radius is 0; accepted: a number of metres above 0",
        ),
        (
            "{ near(latitude: 0, longitude: 0, radius: -5) { distance } }",
            "radius",
            "radius is -5; accepted: a number of metres above 0",
        ),
        (
            "{ near(latitude: 0, longitude: 200, radius: 5) { distance } }",
            "longitude",
            "longitude is 200; accepted: degrees east, in [-180, 180]",
        ),
        (
            r#"{ search(text: "  ") { id } }"#,
            "text",
            r#"text is "  "; accepted: 1 to 256 characters that are not all space"#,
        ),
    ] {
        let error = city.error(query).await;
        assert_eq!(error["message"], message, "{query}");
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{query}");
        assert_eq!(error["extensions"]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let city = TestCity::small();
    let data = city.query("{ buses(first: 1) { pageInfo { endCursor } } }").await;
    let cursor = data["buses"]["pageInfo"]["endCursor"].as_str().unwrap();
    let error = city.error(&format!("{{ units(after: \"{cursor}\") {{ totalCount }} }}")).await;
    assert_eq!(error["extensions"]["field"], "after");
}

#[tokio::test]
async fn numbers_beyond_an_int_and_times_without_a_zone_are_errors() {
    let city = TestCity::small();
    for query in [
        "{ buses(first: 3000000000) { totalCount } }",
        "{ near(latitude: 0, longitude: 0, radius: 1, first: 99999999999999999999) { distance } }",
        r#"{ buses(filter: {updatedSince: "2026-01-05T00:00:00"}) { totalCount } }"#,
        "{ buses(filter: {updatedSince: 5}) { totalCount } }",
        "{ buses(filter: {box: {north: 1}}) { totalCount } }",
    ] {
        let error = city.error(query).await;
        assert!(!error["message"].as_str().unwrap().is_empty(), "{query}");
    }
    let response =
        city.response("query($n: Int) { buses(first: $n) { totalCount } }", json!({"n": 3_000_000_000_u64})).await;
    assert!(response["errors"].is_array(), "{response}");
}

/// A city whose operator gives one answer to everything, and notes what was asked.
async fn remove(
    id: &str,
    caller: Option<Caller>,
    answer: Result<bool, OperationError>,
) -> (Value, Option<(Kind, Option<String>, String)>) {
    let (operator, mut commands) = Operator::channel();
    let schema = schema_builder(&limits()).data(operator).finish();
    let writer = tokio::spawn(async move {
        match commands.recv().await {
            Some(Command::Remove { kind, district, id, done }) => {
                done.send(answer).ok();
                Some((kind, district, id))
            }
            _ => None,
        }
    });
    let mut request = Request::new("mutation($id: ID!) { removeEntity(id: $id) { id removed } }");
    request.variables.insert(async_graphql::Name::new("id"), Const::from(id));
    if let Some(caller) = caller {
        request = request.data(caller);
    }
    let response = serde_json::to_value(schema.execute(at_one_moment(request)).await).unwrap();
    drop(schema);
    (response, writer.await.unwrap())
}

#[tokio::test]
async fn an_operator_removes_an_entity() {
    let (response, asked) = remove("sensor/centro/a%2Fb", Some(Caller::trusted()), Ok(true)).await;
    assert_eq!(response["data"]["removeEntity"], json!({"id": "sensor/centro/a%2Fb", "removed": true}));
    assert_eq!(asked, Some((Kind::Sensor, Some("centro".into()), "a/b".into())));
    let (response, asked) = remove("edge/e1", Some(Caller::trusted()), Ok(false)).await;
    assert_eq!(response["data"]["removeEntity"]["removed"], false);
    assert_eq!(asked, Some((Kind::Edge, None, "e1".into())));
}

#[tokio::test]
async fn what_may_not_or_cannot_be_removed() {
    let trusted = || Some(Caller::trusted());
    let (response, asked) = remove("no/such/kind", trusted(), Ok(true)).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(asked, None);

    let replica = OperationError::NotWriter { writer: Some("http://10.0.0.7:8080".into()) };
    let (response, _) = remove("bus/1", trusted(), Err(replica)).await;
    assert_eq!(response["errors"][0]["extensions"], json!({"code": "NOT_WRITER", "writer": "http://10.0.0.7:8080"}));
    let (response, _) = remove("bus/1", trusted(), Err(OperationError::Unconfirmed("timed out".into()))).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "UNCONFIRMED");
    let (response, _) = remove("bus/1", trusted(), Err(OperationError::Closing)).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "SHUTTING_DOWN");

    for (caller, code) in [
        (Some(Caller { access: Access::NotLocal, ..Caller::trusted() }), "FORBIDDEN"),
        (Some(Caller { access: Access::TokenMissing, ..Caller::trusted() }), "UNAUTHENTICATED"),
        (Some(Caller { access: Access::TokenWrong, ..Caller::trusted() }), "UNAUTHENTICATED"),
        (None, "FORBIDDEN"),
    ] {
        let (response, asked) = remove("bus/1", caller, Ok(true)).await;
        assert_eq!(response["errors"][0]["extensions"]["code"], code, "{caller:?}");
        assert_eq!(asked, None, "{caller:?} must not reach the writer");
    }
}
