//! Codes, their precedence, and times.

use super::*;

fn code(topic: Topic, payload: Option<&[u8]>) -> Code {
    decode(topic, payload, Time(T0), &JUDGEMENT).unwrap_err().code
}

fn at(time: &str, timestamp: i64) -> Result<Time, Code> {
    let json = format!(r#"{{"stationId":"st","lastUpdated":{time}}}"#);
    decode(Topic::TransportStations, Some(json.as_bytes()), Time(timestamp), &JUDGEMENT)
        .map(|event| event.time)
        .map_err(|reject| reject.code)
}

#[test]
fn values_that_are_no_json_object() {
    let is = |payload: &[u8]| code(Topic::TransportStations, Some(payload));
    assert_eq!(code(Topic::TransportGps, None), Code::Empty);
    assert_eq!(is(b""), Code::Empty);
    assert_eq!(is(b"{\"stationId\":\"\xff\"}"), Code::NotUtf8);
    assert_eq!(is(b"{\"stationId\":\"st\",\"own\":\"\xed\xa0\x80\"}"), Code::NotUtf8);
    let wrong: [&[u8]; 12] = [
        b" ",
        b"[]",
        b"[{\"stationId\":\"st\"}]",
        b"\"st\"",
        b"1",
        b"null",
        b"true",
        b"{\"stationId\":\"st\"",
        b"{\"stationId\":\"st\"} x",
        b"{\"stationId\":\"st\",}",
        b"{'stationId':'st'}",
        b"\xef\xbb\xbf{\"stationId\":\"st\"}",
    ];
    for payload in wrong {
        assert_eq!(is(payload), Code::NotJson, "{}", String::from_utf8_lossy(payload));
    }
}

#[test]
fn a_key_twice_anywhere_is_not_json() {
    for json in [
        r#"{"stationId":"st","stationId":"st"}"#,
        r#"{"stationId":"st","station\u0049d":"st"}"#,
        r#"{"stationId":"st","own":1,"own":1}"#,
        r#"{"stationId":"st","own":{"a":1,"a":1}}"#,
        r#"{"stationId":"st","location":{"latitude":1,"longitude":1,"latitude":1}}"#,
        r#"{"stationId":"st","nextArrivals":[{"x":[{"a":1,"b":2,"\u0061":1}]}]}"#,
        r#"{"stationId":"st","own":[[[{"":1,"":1}]]]}"#,
    ] {
        assert_eq!(code(Topic::TransportStations, Some(json.as_bytes())), Code::NotJson, "{json}");
    }
    let many: Vec<_> = (0..40).map(|n| format!("\"k{}\":1", n % 39)).collect();
    let json = format!(r#"{{"stationId":"st","own":{{{}}}}}"#, many.join(","));
    assert_eq!(code(Topic::TransportStations, Some(json.as_bytes())), Code::NotJson);
}

#[test]
fn too_large_by_one_byte() {
    let judgement = Judgement { max_event_bytes: 100, ..JUDGEMENT };
    let of = |bytes: usize| format!("{{\"stationId\":\"{}\"}}", "a".repeat(bytes - 16));
    let read = |json: &str| decode(Topic::TransportStations, Some(json.as_bytes()), Time(T0), &judgement).map(drop);
    assert_eq!((of(100).len(), read(&of(100))), (100, Ok(())));
    let reject = read(&of(101)).unwrap_err();
    assert_eq!(reject.code, Code::TooLarge);
    assert_eq!(reject.message, "the value is of 101 bytes; accepted: at most 100 bytes");
}

#[test]
fn the_first_code_that_fits() {
    assert!(Code::ALL.is_sorted(), "precedence is the order of the contract");
    // Every defect of a message's values, alone and with each later one.
    let defects = [
        (Code::MissingField, "location", r#"{"latitude":1}"#),
        (Code::WrongType, "type", "1"),
        (Code::OutOfRange, "severity", r#""x""#),
        (Code::BadTime, "reportedAt", r#""x""#),
        (Code::Future, "lastUpdated", r#""2027-01-01T00:00:00Z""#),
    ];
    for (i, (first, name, value)) in defects.iter().enumerate() {
        for (_, other, second) in &defects[i + 1..] {
            for (a, b) in [((name, value), (other, second)), ((other, second), (name, value))] {
                let json = format!(r#"{{"incidentId":"i","{}":{},"{}":{}}}"#, a.0, a.1, b.0, b.1);
                assert_eq!(code(Topic::EmergencyIncidents, Some(json.as_bytes())), *first, "{json}");
            }
        }
        let json = format!(r#"{{"incidentId":"i","{name}":{value}}}"#);
        assert_eq!(code(Topic::EmergencyIncidents, Some(json.as_bytes())), *first, "{json}");
        // Not JSON comes before all of these, not UTF-8 before that, and too large before everything.
        let broken = format!("{},", &json[..json.len() - 1]);
        assert_eq!(code(Topic::EmergencyIncidents, Some(broken.as_bytes())), Code::NotJson);
        let mut bytes = broken.into_bytes();
        bytes.push(0xff);
        assert_eq!(code(Topic::EmergencyIncidents, Some(&bytes)), Code::NotUtf8);
        bytes.resize(JUDGEMENT.max_event_bytes + 1, 0xff);
        assert_eq!(code(Topic::EmergencyIncidents, Some(&bytes)), Code::TooLarge);
    }
}

#[test]
fn times_are_cut_not_rounded_and_any_zone_is_the_same_moment() {
    for text in [
        r#""2026-01-05T00:00:00.000Z""#,
        r#""2026-01-05T00:00:00.0009999Z""#,
        r#""2026-01-05T01:00:00+01:00""#,
        r#""2026-01-04T19:30:00-04:30""#,
        r#""\u0032026-01-05T00:00:00Z""#,
    ] {
        assert_eq!(at(text, T0), Ok(Time(T0)), "{text}");
    }
    assert_eq!(at(r#""2026-01-05T00:00:00.9999Z""#, T0), Ok(Time(T0 + 999)));
}

#[test]
fn without_a_time_the_records_stands_in() {
    assert_eq!(at("null", T0 + 7), Ok(Time(T0 + 7)));
    let event = decode(Topic::TransportStations, Some(br#"{"stationId":"st"}"#), Time(T0 + 8), &JUDGEMENT).unwrap();
    assert_eq!(event.time, Time(T0 + 8));
    // A record without a timestamp has -1.
    assert_eq!(at("null", -1), Err(Code::BadTime));
    // One in microseconds has no form in RFC 3339: it would come back from the store as another.
    assert_eq!(at("null", T0 * 1000), Err(Code::BadTime));
    let last = Time::parse("9999-12-31T23:59:59.999Z").unwrap().0;
    assert_eq!((at("null", last), at("null", last + 1)), (Ok(Time(last)), Err(Code::BadTime)));
    assert_eq!(at(r#""2026-01-05T00:00:00Z""#, -1), Ok(Time(T0)));
}

#[test]
fn ahead_of_its_record_by_the_skew_and_by_one_more() {
    let skew = JUDGEMENT.max_clock_skew_ms;
    let text = format!("\"{}\"", Time(T0));
    assert_eq!(at(&text, T0 - skew), Ok(Time(T0)));
    assert_eq!(at(&text, T0 - skew - 1), Err(Code::Future));
    assert_eq!(at(&text, T0 + 400 * 86_400_000), Ok(Time(T0)), "however late");
    // `reportedAt` may name any moment.
    let json = br#"{"incidentId":"i","reportedAt":"2099-01-01T00:00:00Z"}"#;
    assert!(decode(Topic::EmergencyIncidents, Some(json), Time(T0), &JUDGEMENT).is_ok());
}

#[test]
fn topics_by_name() {
    for topic in Topic::ALL {
        assert_eq!(Topic::from_name(topic.name()), Some(topic));
    }
    assert_eq!(Topic::from_name("sensors"), None);
}
