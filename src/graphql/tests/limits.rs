//! What the limits let through, and what they stop.

use serde_json::json;

use super::{TestCity, limits};
use crate::{config::GraphqlConfig, graphql::schema_builder};

/// The introspection query of graphql-js 16 (`getIntrospectionQuery()`), as GraphiQL and code generators send it.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name }
    subscriptionType { name } types { ...FullType } directives { name description locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description
        fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated
            deprecationReason }
        inputFields { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

/// Every field of a district, six levels deep.
const DISTRICTS: &str = "{ districts { edges { cursor node { id kind lastUpdated districtId name
    location { centerLatitude centerLongitude boundaries { north south east west } }
    sensors { totalCount edges { cursor } } buildings { totalCount edges { cursor } }
    weatherStations { totalCount edges { cursor } } cityGraph { nodes { totalCount } edges { totalCount } } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }";

/// Every field of a road edge, six levels deep.
const EDGES: &str =
    "{ edges { edges { cursor node { id kind lastUpdated edgeId districtId roadSegmentId fromNode toNode
    name class length speedLimit lanes geometry coordinates
    trafficConditions { averageSpeed congestionLevel vehicleCount travelTime incidents extra }
    district { name location { centerLatitude centerLongitude } }
    from { nodeId type location { latitude longitude } outgoingEdges { edgeId } incomingEdges { edgeId } }
    to { nodeId type location { latitude longitude } outgoingEdges { edgeId } incomingEdges { edgeId } } } }
    pageInfo { hasNextPage } totalCount } }";

/// Every field of a sensor, six levels deep.
const SENSORS: &str = "{ sensors { edges { cursor node { id kind lastUpdated sensorId districtId type value unit status
    location { latitude longitude } metadata buildingId district { name location { centerLatitude } }
    building { name type location { latitude longitude } currentOccupancy totalCapacity occupancyRate sensors } } }
    pageInfo { hasNextPage } totalCount } }";

#[tokio::test]
async fn the_defaults_let_through_what_tools_and_people_ask() {
    let city = TestCity::small();
    for query in [INTROSPECTION, DISTRICTS, EDGES, SENSORS] {
        city.query(query).await;
    }
}

fn limited(change: impl FnOnce(&mut GraphqlConfig)) -> super::TestSchema {
    let mut config = limits();
    change(&mut config);
    schema_builder(&config).data(TestCity::small().fold).finish()
}

#[tokio::test]
async fn too_deep_or_too_complex_a_query_is_refused() {
    let query = "{ buses(first: 10) { nodes { currentLocation { latitude } } } }";
    assert!(limited(|config| config.max_depth = 4).execute(query).await.is_ok());
    assert!(limited(|config| config.max_depth = 3).execute(query).await.is_err());
    // The list is 1 field, and 10 times `nodes { currentLocation { latitude } }`, which is 3.
    assert!(limited(|config| config.max_complexity = 31).execute(query).await.is_ok());
    assert!(limited(|config| config.max_complexity = 30).execute(query).await.is_err());
    let nested = "{ districts { nodes { sensors { nodes { district { sensors { nodes { id } } } } } } } }";
    assert!(limited(|_| ()).execute(nested).await.is_err(), "100 x 100 x 100 entries");
}

#[tokio::test]
async fn a_variable_counts_as_much_as_a_literal() {
    let schema = limited(|config| config.max_complexity = 31);
    let query = "query($n: Int) { buses(first: $n) { nodes { currentLocation { latitude } } } }";
    let request =
        |n: i32| async_graphql::Request::new(query).variables(async_graphql::Variables::from_json(json!({"n": n})));
    assert!(schema.execute(request(10)).await.is_ok());
    assert!(schema.execute(request(11)).await.is_err());
}

#[tokio::test]
async fn directives_are_limited() {
    let schema = limited(|config| config.max_directives = 2);
    assert!(schema.execute("{ city { name @skip(if: false) @include(if: true) } }").await.is_ok());
    assert!(schema.execute("{ city { name @skip(if: false) @include(if: true) @skip(if: false) } }").await.is_err());
}

#[tokio::test]
async fn the_largest_page_is_a_setting() {
    let schema = limited(|config| config.max_page = 5);
    assert!(schema.execute("{ buses(first: 5) { totalCount } }").await.is_ok());
    assert!(schema.execute("{ buses(first: 6) { totalCount } }").await.is_err());
    // The default is never more than the largest page.
    assert!(schema.execute("{ buses { totalCount } }").await.is_ok());
}
