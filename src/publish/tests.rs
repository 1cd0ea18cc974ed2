//! Timestamps, messages and what the chain answers.

use std::sync::{Arc, atomic::AtomicU64};

use bytes::Bytes;
use tokio::sync::watch;

use super::{
    boundary::{Clock, full_message, full_record, incremental_message, incremental_record},
    chain::{Chain, Incremental, Published, Since},
    follower::take,
};
use crate::{
    kafka::StateRecord,
    twin::{
        city::City,
        event::Topic,
        samples::{T0, apply, city, full_at},
        time::Time,
    },
};

fn incremental(previous: i64, timestamp: i64) -> Incremental {
    let message = Bytes::from(format!("{previous}-{timestamp}"));
    Incremental { previous: Time(previous), timestamp: Time(timestamp), message }
}

fn json(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn published(epoch: u64, timestamp: i64, text: &'static str) -> Option<Published> {
    Some(Published { epoch, timestamp: Time(timestamp), json: json(text) })
}

/// The timestamps that lead on from a moment, `None` where it is gone.
fn since(chain: &Chain, from: i64) -> Option<Vec<i64>> {
    match chain.since(Time(from)) {
        Since::Incrementals { incrementals, .. } => Some(incrementals.iter().map(|one| one.timestamp.0).collect()),
        Since::Gone => None,
        Since::Nothing => panic!("there is a boundary"),
    }
}

#[test]
fn timestamps_are_the_wall_clock_but_always_above_the_last() {
    let mut clock = Clock::above(Time(100));
    let given: Vec<_> = [50, 100, 101, 200, 200, 199, 300].map(|now| clock.next(Time(now)).0).into();
    assert_eq!(given, [101, 102, 103, 200, 201, 202, 300]);
}

#[test]
fn before_the_first_boundary_there_is_nothing() {
    let chain = Chain::default();
    assert_eq!(chain.state(), None);
    assert_eq!(chain.since(Time(0)), Since::Nothing);
    // A replica that has seen incrementals but no full has no state to answer with.
    chain.incremental(3, incremental(10, 20), None);
    assert_eq!((chain.state(), chain.since(Time(10))), (None, Since::Nothing));
}

#[test]
fn a_writers_chain() {
    let mut city = city();
    let view = |city: &City| Arc::new(city.view().clone());
    let chain = Chain::default();
    chain.full_of_view(7, Time(100), view(&city));
    assert_eq!(since(&chain, 100), Some(vec![]));
    assert_eq!(since(&chain, 99), None);
    assert_eq!(since(&chain, 101), None);
    apply(&mut city, Topic::TransportStations, T0, r#"{"stationId":"st"}"#).unwrap();
    chain.incremental(7, incremental(100, 200), Some(view(&city)));
    chain.incremental(7, incremental(200, 300), Some(view(&city)));
    assert_eq!(since(&chain, 100), Some(vec![200, 300]));
    assert_eq!(since(&chain, 200), Some(vec![300]));
    assert_eq!(since(&chain, 300), Some(vec![]));
    assert_eq!(since(&chain, 150), None);
    let state = chain.state().unwrap();
    assert_eq!((state.epoch, state.timestamp), (7, Time(300)));
    assert_eq!(state.json, full_at(city.view(), Time(300)).as_bytes());
    assert_eq!(chain.state().unwrap().json.as_ptr(), state.json.as_ptr(), "made once");
    // The full of the same boundary leaves what led to it.
    chain.full_of_view(7, Time(300), view(&city));
    assert_eq!(since(&chain, 100), Some(vec![200, 300]));
    let Since::Incrementals { epoch, timestamp, .. } = chain.since(Time(300)) else { panic!("held") };
    assert_eq!((epoch, timestamp), (7, Time(300)));
}

#[test]
fn a_lower_epoch_is_void_and_a_higher_one_begins_anew() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(100), json("a"));
    chain.incremental(5, incremental(100, 200), None);
    chain.full_of_json(4, Time(900), json("old"));
    chain.incremental(4, incremental(200, 950), None);
    assert_eq!(since(&chain, 100), Some(vec![200]));
    assert_eq!(chain.state(), published(5, 100, "a"));
    chain.full_of_json(6, Time(300), json("b"));
    assert_eq!((since(&chain, 100), since(&chain, 200), since(&chain, 300)), (None, None, Some(vec![])));
    assert_eq!(chain.state(), published(6, 300, "b"));
}

#[test]
fn a_replica_answers_with_the_last_full_and_the_incrementals_since() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(100), json("a"));
    chain.incremental(5, incremental(100, 200), None);
    chain.incremental(5, incremental(200, 300), None);
    assert_eq!(chain.state(), published(5, 100, "a"));
    assert_eq!(since(&chain, 100), Some(vec![200, 300]));
    // The two topics come in any order: a full that comes late is no step back for the chain.
    chain.full_of_json(5, Time(200), json("b"));
    assert_eq!(
        (chain.state(), since(&chain, 200), since(&chain, 100)),
        (published(5, 200, "b"), Some(vec![300]), Some(vec![200, 300]))
    );
    chain.full_of_json(5, Time(100), json("a"));
    assert_eq!(chain.state(), published(5, 200, "b"), "nor is an older one for the state");
    // What comes twice is held once.
    chain.incremental(5, incremental(200, 300), None);
    assert_eq!(since(&chain, 200), Some(vec![300]));
}

#[test]
fn a_full_that_overtakes_its_incremental_neither_clears_nor_refuses_it() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(100), json("a"));
    chain.incremental(5, incremental(100, 200), None);
    chain.full_of_json(5, Time(300), json("b"));
    // What leads to the full is still under way; whoever has its state, or stands before it, waits.
    assert_eq!(
        (since(&chain, 100), since(&chain, 200), since(&chain, 300)),
        (Some(vec![200]), Some(vec![]), Some(vec![]))
    );
    assert_eq!(*chain.newest().borrow(), (5, Time(300)));
    chain.incremental(5, incremental(200, 300), None);
    assert_eq!((since(&chain, 100), since(&chain, 300)), (Some(vec![200, 300]), Some(vec![])));
    // Where it never comes, the next one tells so.
    chain.full_of_json(5, Time(400), json("c"));
    chain.incremental(5, incremental(400, 500), None);
    assert_eq!((since(&chain, 300), since(&chain, 400)), (None, Some(vec![500])));
}

#[test]
fn a_replica_that_starts_late_holds_what_led_to_the_last_full() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(300), json("b"));
    for (previous, timestamp) in [(100, 200), (200, 300), (300, 400)] {
        chain.incremental(5, incremental(previous, timestamp), None);
    }
    assert_eq!((since(&chain, 100), since(&chain, 300)), (Some(vec![200, 300, 400]), Some(vec![400])));
    assert_eq!((since(&chain, 99), since(&chain, 250)), (None, None));
}

#[test]
fn an_incremental_of_a_new_epoch_leaves_the_last_full_its_own_epoch() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(100), json("a"));
    chain.incremental(6, incremental(150, 200), None);
    assert_eq!(chain.state(), published(5, 100, "a"));
    assert_eq!((since(&chain, 100), since(&chain, 150)), (None, Some(vec![200])));
    chain.full_of_json(6, Time(150), json("b"));
    assert_eq!((chain.state(), since(&chain, 150)), (published(6, 150, "b"), Some(vec![200])));
}

#[test]
fn a_gap_leads_nowhere() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(100), json("a"));
    chain.incremental(5, incremental(100, 200), None);
    chain.incremental(5, incremental(250, 300), None);
    assert_eq!((since(&chain, 100), since(&chain, 200), since(&chain, 250)), (None, None, Some(vec![300])));
}

#[test]
fn incrementals_are_held_for_ten_minutes() {
    let chain = Chain::default();
    chain.full_of_json(5, Time(0), json("a"));
    for n in 0..200 {
        chain.incremental(5, incremental(n * 5000, (n + 1) * 5000), None);
    }
    let newest = 200 * 5000;
    assert_eq!(since(&chain, newest - 600_000).map(|held| held.len()), Some(120));
    assert_eq!(since(&chain, newest - 610_000), None);
}

#[test]
fn whoever_waits_is_told_of_the_newest_boundary() {
    let chain = Chain::default();
    let newest = chain.newest();
    assert_eq!(*newest.borrow(), (0, Time(0)));
    chain.full_of_json(5, Time(100), json("a"));
    chain.incremental(5, incremental(100, 200), None);
    assert_eq!(*newest.borrow(), (5, Time(200)));
}

#[test]
fn a_writer_takes_the_last_full_of_the_epoch_before_until_its_own_chain_begins() {
    let chain = Chain::default();
    let (own, seen) = (AtomicU64::new(6), watch::channel(0).0);
    let full = |epoch, text: &'static str| StateRecord {
        offset: 0,
        epoch,
        key: None,
        value: json(text),
        headers: Vec::new(),
        kafka_timestamp: None,
    };
    let (before, late) = (r#"{"timestamp":"1970-01-01T00:00:00.100Z"}"#, r#"{"timestamp":"1970-01-01T00:00:00.400Z"}"#);
    // The token is taken already, and the follower comes to the topic's end only now.
    take(&chain, &own, &seen, true, full(5, before));
    assert_eq!(chain.state(), published(5, 100, before));
    chain.full_of_json(6, Time(300), json("own"));
    // A former writer's is void, and its own is known; both are seen.
    take(&chain, &own, &seen, true, full(5, late));
    take(&chain, &own, &seen, true, full(6, late));
    assert_eq!((chain.state(), *seen.borrow()), (published(6, 300, "own"), 6));
}

fn headers(of: &[(String, Bytes)]) -> Vec<(&str, &str)> {
    of.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect()
}

#[test]
fn a_full_message_byte_for_byte() {
    let city = City::new("l\"a", "N", None);
    let message = full_message(city.view(), Time(T0));
    assert_eq!(
        message,
        r#"{"cityId":"l\"a","name":"N","timestamp":"2026-01-05T00:00:00.000Z","districts":[],"publicTransport":{"buses":[],"stations":[]},"emergencyServices":{"incidents":[],"units":[]}}"#.as_bytes()
    );
    let record = full_record("l\"a", 12, message.clone());
    assert_eq!((record.topic.as_str(), record.partition, record.timestamp), ("state.full", Some(0), None));
    assert_eq!((record.key.unwrap(), record.payload.unwrap()), (json("l\"a"), message));
    assert_eq!(headers(&record.headers), [("type", "full-state"), ("version", "1.0"), ("epoch", "12")]);
}

#[test]
fn an_incremental_message_byte_for_byte() {
    let mut city = city();
    assert!(incremental_message(&city.take_changes(), city.view(), Time(T0), Time(T0 + 1)).is_none());
    apply(&mut city, Topic::EmergencyIncidents, T0, r#"{"unitId":"u"}"#).unwrap();
    let one = incremental_message(&city.take_changes(), city.view(), Time(T0), Time(T0 + 5000)).unwrap();
    assert_eq!(
        one.message,
        r#"{"cityId":"c","timestamp":"2026-01-05T00:00:05.000Z","delta":{"timestamp":["2026-01-05T00:00:00.000Z","2026-01-05T00:00:05.000Z"],"emergencyServices":{"units":{"_t":"a","0":[{"unitId":"u","type":null,"status":null,"currentLocation":null,"assignedIncident":null,"lastUpdated":"2026-01-05T00:00:00.000Z"}]}}}}"#.as_bytes()
    );
    let record = incremental_record("c", u64::MAX, &one);
    assert_eq!((record.topic.as_str(), record.partition, record.timestamp), ("state.incremental", Some(0), None));
    assert_eq!((record.key.unwrap(), record.payload.unwrap()), (json("c"), one.message));
    let expected = [
        ("type", "incremental-state"),
        ("version", "1.0"),
        ("previousTimestamp", "2026-01-05T00:00:00.000Z"),
        ("epoch", "18446744073709551615"),
    ];
    assert_eq!(headers(&record.headers), expected);
}
