use serde_json::json;

use super::*;

#[test]
fn every_message_of_the_protocol_is_read() {
    let read = |message: Value| ClientMessage::parse(&message.to_string());
    assert_eq!(read(json!({ "type": "connection_init" })), Ok(ClientMessage::ConnectionInit(Map::new())));
    assert_eq!(
        read(json!({ "type": "connection_init", "payload": null })),
        Ok(ClientMessage::ConnectionInit(Map::new()))
    );
    assert_eq!(
        read(json!({ "type": "ping", "payload": { "a": 1 } })),
        Ok(ClientMessage::Ping(Some(json!({ "a": 1 }))))
    );
    assert_eq!(read(json!({ "type": "pong" })), Ok(ClientMessage::Pong));
    assert_eq!(read(json!({ "type": "complete", "id": "1" })), Ok(ClientMessage::Complete { id: "1".into() }));
    let payload = json!({ "query": "{ a }", "variables": null, "operationName": "A", "extensions": {} });
    let Ok(ClientMessage::Subscribe { id, .. }) = read(json!({ "type": "subscribe", "id": "x", "payload": payload }))
    else {
        panic!("a subscribe");
    };
    assert_eq!(id, "x");
}

#[test]
fn what_the_protocol_does_not_know_is_refused_with_a_reason() {
    let wrong = [
        "",
        "{",
        "[]",
        "1",
        "null",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"start","id":"1"}"#,
        r#"{"type":"connection_ack"}"#,
        r#"{"type":"connection_init","payload":"a"}"#,
        r#"{"type":"connection_init","payload":[]}"#,
        r#"{"type":"ping","payload":1}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"complete","id":1}"#,
        r#"{"type":"complete","id":""}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":null}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":null}}"#,
        r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":"{}"}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":1}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","extensions":1}}"#,
    ];
    for text in wrong {
        assert!(!ClientMessage::parse(text).expect_err(text).is_empty());
    }
    let long = json!({ "type": "complete", "id": "x".repeat(257) }).to_string();
    assert!(ClientMessage::parse(&long).is_err());
}

#[test]
fn a_reason_fits_its_frame_and_ends_at_a_character() {
    for text in ["x".repeat(500), "é".repeat(100), "🏊".repeat(100), "short".into()] {
        let close = Close::new(CloseCode::BadRequest, text.clone());
        assert!(close.reason.len() <= 123 && text.starts_with(&close.reason) && close.reason.len() > 4);
    }
}

#[test]
fn frames_hold_the_clients_id_whatever_is_in_it() {
    for id in ["1", "a\"b", "line\nbreak", "\\", "é"] {
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        assert_eq!(
            read(next(id).around(b"{\"data\":1}")),
            json!({ "id": id, "type": "next", "payload": { "data": 1 } })
        );
        assert_eq!(read(error(id, b"[]")), json!({ "id": id, "type": "error", "payload": [] }));
        assert_eq!(read(complete(id)), json!({ "id": id, "type": "complete" }));
    }
    assert_eq!(pong(Some(json!({ "a": 1 }))), r#"{"type":"pong","payload":{"a":1}}"#);
    assert_eq!(pong(Some(json!({ "a": "x".repeat(2000) }))), r#"{"type":"pong"}"#);
    assert_eq!(pong(None), r#"{"type":"pong"}"#);
}
