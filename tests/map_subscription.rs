//! The live map's subscription over real sockets and event streams: moved by its own connection only, and gone on with
//! after the connection broke, without a snapshot.

use serde_json::{Value, json};

use crate::common::{
    city::{city_file, city_file_on_disk},
    events::EventStream,
    server::Server,
    socket::{Frame, Socket},
};

const QUERY: &str = "subscription($filter: EntityFilter, $resume: String) { twinChanges(filter: $filter, \
    resumeFrom: $resume) { cursor subscription viewport snapshot complete reason changes { kind id } } }";
const MOVE: &str = "mutation($id: ID!, $filter: EntityFilter!) { moveViewport(subscription: $id, filter: $filter) }";

fn kinds(kinds: &[&str]) -> Value {
    json!({ "kinds": kinds })
}

/// The result of an operation on a socket, its other frames passed over.
async fn result(socket: &mut Socket, id: &str) -> Value {
    loop {
        match socket.next().await {
            Frame::Message(message) if message["type"] == "next" && message["id"] == id => {
                return message["payload"].clone();
            }
            Frame::Message(_) => {}
            closed @ Frame::Closed(..) => panic!("{closed:?}"),
        }
    }
}

async fn batch(socket: &mut Socket) -> Value {
    result(socket, "map").await["data"]["twinChanges"].clone()
}

/// What a move is answered: its number, or the code of the error.
fn moved(answer: &Value) -> Value {
    let code = &answer["errors"][0]["extensions"]["code"];
    if code.is_null() { answer["data"]["moveViewport"].clone() } else { code.clone() }
}

fn ids(batch: &Value) -> Vec<String> {
    let changes = batch["changes"].as_array().expect("changes").iter();
    changes.map(|change| format!("{} {}", change["kind"].as_str().unwrap(), change["id"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_moved_by_its_own_connection_and_comes_back_where_it_was() {
    let (_folder, file) = city_file_on_disk(&city_file());
    let settings = [("KAFKA_BROKERS", "embedded"), ("REDIS_URL", "embedded"), ("CITY_FILE", file.as_str())];
    let server = Server::start_ready(&settings).await;

    let mut socket = server.socket().await;
    socket.subscribe("map", QUERY, json!({ "filter": kinds(&["BUILDING"]) })).await;
    let first = batch(&mut socket).await;
    assert_eq!(ids(&first), ["ENTERED building/centro/town-hall"]);
    assert_eq!((&first["reason"], &first["complete"], &first["viewport"]), (&json!("START"), &json!(true), &json!(0)));
    let steer = json!({ "id": first["subscription"], "filter": kinds(&["WEATHER_STATION"]) });

    let mut stranger = server.socket().await;
    stranger.subscribe("move", MOVE, steer.clone()).await;
    assert_eq!(moved(&result(&mut stranger, "move").await), "NOT_HERE");
    assert_eq!(moved(&server.graphql_answer(MOVE, steer.clone()).await), "NOT_HERE");
    socket.subscribe("move", MOVE, steer).await;
    // Its answer and what it brings come in either order.
    let (mut answer, mut second) = (None, None);
    while answer.is_none() || second.is_none() {
        let Frame::Message(message) = socket.next().await else { panic!("the socket closed") };
        match (message["type"].as_str(), message["id"].as_str()) {
            (Some("next"), Some("move")) => answer = Some(moved(&message["payload"])),
            (Some("next"), _) => second = Some(message["payload"]["data"]["twinChanges"].clone()),
            _ => {}
        }
    }
    let second = second.expect("a batch");
    assert_eq!((answer, &second["viewport"]), (Some(json!(1)), &json!(1)));
    let changes = ["LEFT building/centro/town-hall", "ENTERED weather-station/centro/centro-weather"];
    assert_eq!(ids(&second), changes);

    // The connection breaks; its last batch may have been lost.
    drop(socket);
    let back = |cursor: &Value, wanted: &[&str]| json!({ "filter": kinds(wanted), "resume": cursor });
    let mut socket = server.socket().await;
    socket.subscribe("map", QUERY, back(&first["cursor"], &["BUILDING", "WEATHER_STATION"])).await;
    let third = batch(&mut socket).await;
    assert_eq!(ids(&third), ["ENTERED weather-station/centro/centro-weather"]);
    assert_eq!((&third["snapshot"], &third["reason"]), (&json!(false), &Value::Null));

    // On as an event stream, whose subscription any POST may move.
    let mut events = EventStream::start(&server, QUERY, back(&third["cursor"], &["BUILDING"])).await;
    let fourth = events.next().await["twinChanges"].take();
    assert_eq!(ids(&fourth), ["LEFT weather-station/centro/centro-weather"]);
    assert_eq!(fourth["subscription"], first["subscription"]);
    let steer = json!({ "id": first["subscription"], "filter": kinds(&["NODE"]) });
    assert_eq!(moved(&server.graphql_answer(MOVE, steer).await), 2);
    let fifth = events.next().await["twinChanges"].take();
    assert_eq!(ids(&fifth), ["LEFT building/centro/town-hall", "ENTERED node/n1", "ENTERED node/n2"]);
}
