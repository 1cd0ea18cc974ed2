//! City Live as clients of the schema see it.

mod follow;
mod read;

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, Response, Variables};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    city_live::samples::Sample,
    config::GraphqlConfig,
    graphql::{
        at_one_moment,
        caller::{Access, Caller},
        schema_builder,
        tests::{TestCity, TestSchema, limits},
    },
};

/// A schema over a small twin and a City Live.
struct Test {
    sample: Sample,
    schema: TestSchema,
}

impl Test {
    async fn new() -> Self {
        Self::over(Sample::new().await)
    }

    fn over(sample: Sample) -> Self {
        Self::limited(sample, &limits())
    }

    fn limited(sample: Sample, config: &GraphqlConfig) -> Self {
        let builder = schema_builder(config).data(TestCity::small().fold).data(Arc::clone(&sample.live));
        Self { sample, schema: builder.finish() }
    }

    async fn execute(&self, query: &str) -> Response {
        self.schema.execute(at_one_moment(Request::new(query)).data(Caller::trusted())).await
    }

    /// Runs a query or a mutation and gives its data. It must have no errors.
    async fn data(&self, query: &str) -> Value {
        let response = self.execute(query).await;
        assert!(response.errors.is_empty(), "{query}: {:?}", response.errors);
        response.data.into_json().expect("JSON")
    }

    /// The code of the first error.
    async fn code(&self, query: &str) -> String {
        code(&self.execute(query).await)
    }

    fn subscribe(&self, field: &str) -> BoxStream<'static, Response> {
        self.schema.execute_stream(at_one_moment(Request::new(format!("subscription {{ {field} }}"))))
    }

    /// Runs the processing of the city and waits for it.
    async fn process(&self, city: &str) {
        self.sample.live.process(Some(city), true).await.expect("a run");
    }
}

fn code(response: &Response) -> String {
    let error = response.errors.first().unwrap_or_else(|| panic!("no error: {response:?}"));
    serde_json::to_value(error).expect("JSON")["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

/// The data of the only field of what comes next.
async fn next(stream: &mut (impl Stream<Item = Response> + Unpin)) -> Value {
    only_field(timeout(Duration::from_secs(30), stream.next()).await.expect("something comes"))
}

/// The same; `None` where nothing comes for a second. A test that never gets what it waits for ends with its process.
async fn soon(stream: &mut (impl Stream<Item = Response> + Unpin)) -> Option<Value> {
    timeout(Duration::from_secs(1), stream.next()).await.ok().map(only_field)
}

fn only_field(response: Option<Response>) -> Value {
    let response = response.expect("no end");
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let data = response.data.into_json().expect("JSON");
    data.as_object().expect("an object").values().next().expect("a field").clone()
}

/// That nothing comes, although somebody looks at the archive twice a second.
async fn nothing(stream: &mut (impl Stream<Item = Response> + Unpin)) -> bool {
    timeout(Duration::from_millis(700), stream.next()).await.is_err()
}

#[tokio::test]
async fn without_city_live_its_fields_say_so_and_the_twin_goes_on() {
    let city = TestCity::small();
    for query in ["{ cities { cityId } }", "{ cityLive { cityId } }", "{ liveFeed { nodes { id } } }"] {
        assert_eq!(code(&city.schema.execute(query).await), "CITY_LIVE_OFF", "{query}");
    }
    for field in
        ["cityLiveChanged { status }", "liveFeed { snapshot }", "zoneProcessed { cityId }", "alertRaised { cityId }"]
    {
        let mut stream = city.schema.execute_stream(format!("subscription {{ {field} }}"));
        assert_eq!(code(&stream.next().await.expect("an answer")), "CITY_LIVE_OFF", "{field}");
        assert!(stream.next().await.is_none(), "{field}");
    }
    let mutation = Request::new("mutation { selectCity(cityId: \"nyc\") { cityId } }").data(Caller::trusted());
    assert_eq!(code(&city.schema.execute(mutation).await), "CITY_LIVE_OFF");
    let data = city.query("{ districts { nodes { districtId liveZones { zoneId } } } }").await;
    assert_eq!(data["districts"]["nodes"][0], json!({"districtId": "centro", "liveZones": []}));
}

#[tokio::test]
async fn an_archive_that_does_not_answer_is_told_and_the_twin_goes_on() {
    let test = Test::over(Sample::down());
    for query in [
        "{ cities { cityId } }",
        "{ cityLive(cityId: \"nyc\") { zones { raw { weather { ts } } } } }",
        "{ liveFeed { nodes { id } } }",
        "mutation { selectCity(cityId: \"nyc\") { cityId } }",
        "mutation { processCity(cityId: \"nyc\", wait: true) { runId } }",
        "mutation { acknowledgeAlert(alertId: \"a\") { status } }",
    ] {
        assert_eq!(test.code(query).await, "CITY_LIVE_DOWN", "{query}");
    }
    let first = test.subscribe("alertRaised(cityId: \"nyc\") { cityId }").next().await.expect("an answer");
    assert_eq!(code(&first), "CITY_LIVE_DOWN");
    let data = test.data("{ districts { nodes { districtId } } }").await;
    assert_eq!(data["districts"]["nodes"][0]["districtId"], "centro");
}

#[tokio::test]
async fn who_may_not_change_anything_is_refused() {
    let test = Test::new().await;
    let refused = Caller { access: Access::TokenMissing, ..Caller::trusted() };
    for mutation in [
        "selectCity(cityId: \"nyc\") { cityId }",
        "processCity(cityId: \"nyc\") { runId }",
        "acknowledgeAlert(alertId: \"a\") { status }",
    ] {
        let request = Request::new(format!("mutation {{ {mutation} }}")).data(refused);
        assert_eq!(code(&test.schema.execute(request).await), "UNAUTHENTICATED", "{mutation}");
    }
    assert_eq!(test.sample.archive().selection().await.unwrap(), None);
    assert!(test.sample.archive().processed("nyc").await.unwrap().is_empty());
}

#[tokio::test]
async fn wrong_arguments_are_named() {
    let test = Test::new().await;
    for (query, named) in [
        ("{ liveFeed(first: -1) { nodes { id } } }", "first is -1"),
        ("{ liveFeed(first: 1001) { nodes { id } } }", "first is 1001"),
        ("{ liveFeed(after: \"626f\") { nodes { id } } }", "after is"),
        ("{ cityLive(cityId: \"nyc\") { alerts(first: -2) { rule } } }", "first is -2"),
        ("{ cityLive(cityId: \"nyc\") { history(lastHours: 0) { risk { name } } } }", "lastHours is 0"),
        ("{ cityLive(cityId: \"nyc\") { compare(feature: \"x\", lastHours: 2161) { name } } }", "lastHours is 2161"),
        (
            "{ cityLive(cityId: \"nyc\") { history(since: \"2026-01-05T00:00:00Z\", lastHours: 2) { risk { name } } } }",
            "lastHours is 2; accepted: no value beside `since`",
        ),
    ] {
        let response = test.execute(query).await;
        assert_eq!(code(&response), "BAD_USER_INPUT", "{query}");
        assert!(response.errors[0].message.contains(named), "{query}: {:?}", response.errors);
    }
    for (field, expected) in [
        ("liveFeed(last: 1001) { snapshot }", "BAD_USER_INPUT"),
        ("liveFeed(minIntervalMs: -1) { snapshot }", "BAD_USER_INPUT"),
        ("zoneProcessed(cityId: \"rome\") { cityId }", "UNKNOWN_CITY"),
        ("cityLiveChanged(cityId: \"rome\") { cityId }", "UNKNOWN_CITY"),
        ("alertRaised(cityId: \"rome\") { cityId }", "UNKNOWN_CITY"),
    ] {
        assert_eq!(code(&test.subscribe(field).next().await.expect("an answer")), expected, "{field}");
    }
}

/// Clients that keep an interval in a variable may leave the variable without a value.
#[tokio::test]
async fn optional_arguments_may_be_variables_without_a_value() {
    let test = Test::new().await;
    for field in [
        "cityLiveChanged(cityId: \"nyc\", inputs: $b, minIntervalMs: $n) { status }",
        "liveFeed(last: $n, minIntervalMs: $n) { snapshot }",
    ] {
        let declared = if field.contains("$b") { "$n: Int, $b: Boolean" } else { "$n: Int" };
        let document = format!("subscription({declared}) {{ {field} }}");
        for variables in [json!({}), json!({"n": null, "b": null})] {
            let request = Request::new(&document).variables(Variables::from_json(variables));
            next(&mut test.schema.execute_stream(at_one_moment(request))).await;
        }
    }
}
