//! What a transport is given past the schema is what the schema would give.

use std::time::Duration;

use async_graphql::{Request, parser::types::ExecutableDocument};
use futures_util::{StreamExt, stream::BoxStream};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::Test;
use crate::{
    config::{Config, LiveConfig},
    graphql::{Envelope, Express, Passed, at_one_moment, caller::Caller},
    http::{
        api::{Answer, Api, Outcome},
        document::Documents,
        params::Params,
    },
    twin::model::Kind,
};

/// An envelope whose ends no JSON has, so that what is outside of it would be seen.
fn envelope() -> Envelope {
    Envelope { before: "<<".into(), after: ">>".into() }
}

/// A subscription as a transport has it.
fn open(test: &Test, operation: &str) -> BoxStream<'static, Answer> {
    let api = Api::new(test.schema.clone(), &Config::defaults().graphql);
    let params = Params { query: operation.to_owned(), ..Params::default() };
    let prepared = api.prepare(params, Caller::trusted()).unwrap_or_else(|refused| panic!("{:?}", refused.body));
    api.subscribe(prepared, envelope())
}

async fn next(answers: &mut BoxStream<'static, Answer>) -> Value {
    sleep(Duration::from_millis(10)).await;
    let answer = timeout(Duration::from_secs(30), answers.next()).await.expect("in time").expect("no end");
    assert_eq!(answer.outcome, Outcome::Ran);
    let text = std::str::from_utf8(&answer.body).expect("text");
    let result = text.strip_prefix("<<").and_then(|text| text.strip_suffix(">>")).expect("an envelope");
    serde_json::from_str(result).expect("JSON")
}

/// Whether the schema writes the first batch of an operation.
async fn is_by_schema(test: &Test, operation: &str) -> bool {
    let express = Express::new(envelope());
    let document = Documents::new(&Config::defaults().graphql).get(operation).expect("a right document");
    let mut request = at_one_moment(Request::new(operation).data(express.clone()));
    request.set_parsed_query(ExecutableDocument::clone(&document));
    let mut by_schema = test.schema.execute_stream(request);
    assert!(futures_util::poll!(by_schema.next()).is_pending(), "{operation}");
    let mut passed = express.take().unwrap_or_else(|| panic!("left nothing: {operation}"));
    matches!(passed.next().await.expect("a batch"), Passed::BySchema)
}

/// The same field in ways in which it goes past the schema, and in others in which the schema writes it, though it was left.
fn ways(field: &str, fields: &str, on: &str) -> [(String, bool); 4] {
    let plain = format!("it: {field} {{ {fields} }}");
    [
        (format!("subscription {{ {plain} }}"), false),
        (format!("subscription {{ ... on Subscription {{ ... {{ {plain} }} }} }}"), false),
        (
            format!("subscription {{ ...F }} fragment F on Subscription {{ {plain} it: {field} {{ __typename }} }}"),
            true,
        ),
        (format!("subscription {{ it: {field} {{ ... on {on} {{ {fields} }} }} }}"), true),
    ]
}

#[tokio::test]
async fn a_batch_is_the_same_past_the_schema_and_through_it() {
    let config = Config::defaults().live;
    for cells_above in [config.cells_above, 1, 0] {
        let test = Test::with(&LiveConfig { cells_above, ..config.clone() });
        let field = "twinChanges(compact: true, zoom: 12)";
        let fields = "viewport is: mode snapshot complete reason __typename changes { kind id changedFields patch } \
            cells { id count groups { kind } }";
        let ways = ways(field, fields, "TwinChanges");
        let mut streams: Vec<_> = ways.iter().map(|(operation, _)| open(&test, operation)).collect();
        for (operation, by_schema) in &ways {
            // Cells may be asked for in more ways than are written at once.
            let by_schema = *by_schema || cells_above < config.cells_above;
            assert_eq!(is_by_schema(&test, operation).await, by_schema, "{operation}");
        }
        for step in 0..4 {
            match step {
                0 => {}
                1 | 2 => test.bus(&json!({"busId": format!("new {step}"), "speed": step,
                    "currentLocation": {"latitude": 42.37, "longitude": 13.4}})),
                // With one less there may be no cells any more.
                _ => assert!(test.city.fold.with(|city| city.remove(Kind::Bus, None, "new 1"))),
            }
            let mut all = Vec::new();
            for stream in &mut streams {
                all.push(next(stream).await);
            }
            assert!(all[0]["data"]["it"]["complete"].is_boolean(), "{}", all[0]);
            all.iter().for_each(|result| assert_eq!(result, &all[0], "{step} {cells_above}"));
        }
    }
}

#[tokio::test]
async fn those_who_share_have_each_their_own_past_the_schema() {
    for field in ["twinChanges(filter: {kinds: [BUS]}, compact: true)", "busChanges"] {
        let test = Test::new();
        let operation =
            format!("subscription {{ {field} {{ cursor complete changes {{ kind id entity {{ id }} }} }} }}");
        let mut streams: Vec<_> = (0..3).map(|_| open(&test, &operation)).collect();
        for step in 0..3 {
            if step > 0 {
                test.bus(&json!({"busId": "b/1", "speed": step, "lastUpdated": format!("2026-01-05T00:2{step}:00Z"),
                    "currentLocation": {"latitude": 42.37, "longitude": 13.4}}));
            }
            let mut all = Vec::new();
            for stream in &mut streams {
                all.push(next(stream).await["data"].as_object_mut().expect("data").values_mut().next().unwrap().take());
            }
            let cursors: Vec<_> = all.iter_mut().map(|batch| batch["cursor"].take()).collect();
            assert!(cursors.iter().all(Value::is_string), "{cursors:?}");
            assert!(cursors[0] != cursors[1] && cursors[1] != cursors[2], "{cursors:?}");
            assert!(all[0]["changes"].as_array().is_some_and(|changes| !changes.is_empty()), "{step} {field}");
            assert!(all.iter().all(|batch| batch == &all[0]), "{step} {field}");
        }
    }
}

#[tokio::test]
async fn what_fails_or_ends_does_so_past_the_schema_as_well() {
    let test = Test::new();
    let refused = open(&test, "subscription { twinChanges(zoom: 99) { complete } }").collect::<Vec<_>>().await;
    assert_eq!(refused.iter().map(|answer| answer.outcome).collect::<Vec<_>>(), [Outcome::Refused]);
    assert!(refused[0].body.starts_with(b"{\"errors\""), "what is refused has no envelope");

    let operation = "subscription { twinChanges { cursor complete } }";
    let mut first = open(&test, operation);
    let cursor = next(&mut first).await["data"]["twinChanges"]["cursor"].take();
    // Another stream goes on with it: this one ends.
    let on = format!("subscription {{ twinChanges(resumeFrom: {cursor}) {{ snapshot complete }} }}");
    assert_eq!(next(&mut open(&test, &on)).await["data"]["twinChanges"], json!({"snapshot": false, "complete": true}));
    assert!(timeout(Duration::from_secs(30), first.next()).await.expect("in time").is_none());
}
