use proptest::prelude::*;
use serde_json::json;

use super::*;

fn time(n: u64) -> String {
    format!("2026-01-05T00:00:{n:02}.000Z")
}

fn full(epoch: u64, n: u64, value: i64) -> ChainRecord {
    let value = json!({"timestamp": time(n), "value": value}).to_string().into_bytes();
    ChainRecord { epoch: Some(epoch), previous: None, value }
}

fn step(epoch: u64, (from, old): (u64, i64), (to, new): (u64, i64)) -> ChainRecord {
    let delta = json!({"timestamp": [time(from), time(to)], "value": [old, new]});
    let value = json!({"cityId": "c", "timestamp": time(to), "delta": delta}).to_string().into_bytes();
    ChainRecord { epoch: Some(epoch), previous: Some(time(from)), value }
}

use StateTopic::{Full, Incremental};

#[test]
fn a_full_that_was_overtaken_is_verified_all_the_same() {
    let mut follower = Follower::new(true);
    follower.offer(Full, &full(1, 0, 10));
    for n in 1..4 {
        follower.offer(Incremental, &step(1, (n - 1, 9 + n as i64), (n, 10 + n as i64)));
    }
    assert_eq!(follower.offer(Full, &full(1, 1, 11)), [Step::Verified { timestamp: time(1) }]);
    let broken = follower.offer(Full, &full(1, 2, 99));
    assert!(matches!(&broken[..], [Step::Broken { timestamp, .. }] if *timestamp == time(2)), "{broken:?}");
    // It goes on from where it was.
    assert_eq!(follower.timestamp(), Some(time(3).as_str()));
    assert_eq!(follower.offer(Incremental, &step(1, (3, 13), (4, 14))), [Step::Applied { timestamp: time(4) }]);
    assert_eq!(follower.state(), Some(&json!({"timestamp": time(4), "value": 14})));
}

#[test]
fn a_chain_is_followed_and_its_fulls_are_verified() {
    let mut follower = Follower::new(true);
    assert_eq!(follower.offer(Full, &full(1, 0, 10)), [Step::Reset { timestamp: time(0), epoch: 1 }]);
    // The full comes before the incrementals that lead to it.
    assert_eq!(follower.offer(Full, &full(1, 2, 12)), []);
    assert!(!follower.wants(Full) && follower.wants(Incremental));
    assert_eq!(follower.offer(Incremental, &step(1, (0, 10), (1, 11))), [Step::Applied { timestamp: time(1) }]);
    assert_eq!(
        follower.offer(Incremental, &step(1, (1, 11), (2, 12))),
        [Step::Applied { timestamp: time(2) }, Step::Verified { timestamp: time(2) }]
    );
    assert_eq!(follower.state(), Some(&json!({"timestamp": time(2), "value": 12})));
    // At or before the held state: skipped; the same full again: verified again.
    assert!(matches!(follower.offer(Incremental, &step(1, (0, 10), (1, 11)))[..], [Step::Skipped { .. }]));
    assert_eq!(follower.offer(Full, &full(1, 2, 12)), [Step::Verified { timestamp: time(2) }]);
}

#[test]
fn the_first_difference_is_named() {
    let mut follower = Follower::new(true);
    follower.offer(Full, &full(1, 0, 10));
    follower.offer(Incremental, &step(1, (0, 10), (1, 11)));
    let steps = follower.offer(Full, &full(1, 1, 99));
    assert!(steps[0].is_break());
    let [Step::Broken { difference, .. }] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(difference.to_string(), "at $.value: expected 99, found 11");
    // The full holds from here on.
    assert_eq!(follower.state().unwrap()["value"], 99);
    let steps = follower.offer(Incremental, &step(1, (1, 98), (2, 12)));
    let [Step::Misfit { error, .. }] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(error.path, "$.value");
    assert_eq!(follower.state(), None);
    assert_eq!(follower.offer(Full, &full(1, 3, 1)), [Step::Reset { timestamp: time(3), epoch: 1 }]);
}

#[test]
fn a_gap_waits_for_the_next_full() {
    let mut follower = Follower::new(true);
    follower.offer(Full, &full(1, 0, 10));
    assert_eq!(follower.offer(Incremental, &step(1, (1, 11), (2, 12))), []);
    assert!(!follower.wants(Incremental));
    assert_eq!(
        follower.offer(Full, &full(1, 1, 11)),
        [
            Step::Gap { held: Some(time(0)), previous: time(1) },
            Step::Reset { timestamp: time(1), epoch: 1 },
            Step::Applied { timestamp: time(2) }
        ]
    );
    // A full whose incrementals are gone.
    assert_eq!(follower.offer(Full, &full(1, 9, 19)), []);
    let steps = follower.incrementals_exhausted();
    assert!(matches!(steps[..], [Step::Gap { .. }, Step::Reset { .. }]), "{steps:?}");
}

#[test]
fn older_epochs_are_void_and_a_newer_one_begins_anew() {
    let mut follower = Follower::new(true);
    follower.offer(Full, &full(2, 0, 10));
    assert!(matches!(follower.offer(Full, &full(1, 5, 1))[..], [Step::Skipped { why: "older epoch" }]));
    let mut none = full(3, 5, 1);
    none.epoch = None;
    assert!(matches!(follower.offer(Full, &none)[..], [Step::Skipped { why: "no epoch" }]));
    // The new writer's incremental may be read before its full.
    assert_eq!(follower.offer(Incremental, &step(3, (6, 1), (7, 2))), []);
    assert_eq!(follower.state(), None);
    assert_eq!(
        follower.offer(Full, &full(3, 6, 1)),
        [Step::Reset { timestamp: time(6), epoch: 3 }, Step::Applied { timestamp: time(7) }]
    );
}

#[test]
fn without_verifying_a_full_ahead_is_taken() {
    let mut follower = Follower::new(false);
    follower.offer(Full, &full(1, 0, 10));
    assert_eq!(follower.offer(Full, &full(1, 3, 13)), [Step::Reset { timestamp: time(3), epoch: 1 }]);
    assert!(matches!(follower.offer(Incremental, &step(1, (2, 12), (3, 13)))[..], [Step::Skipped { .. }]));
    assert_eq!(follower.offer(Incremental, &step(1, (3, 13), (4, 14))), [Step::Applied { timestamp: time(4) }]);
}

#[test]
fn what_is_no_state_is_told() {
    let mut follower = Follower::new(true);
    for (topic, value) in [(Full, "{}"), (Full, "no"), (Incremental, "{}"), (Incremental, "[]")] {
        let record = ChainRecord { epoch: Some(1), previous: Some(time(0)), value: value.into() };
        assert!(matches!(follower.offer(topic, &record)[..], [Step::Malformed { .. }]), "{value}");
    }
    let mut record = step(1, (0, 0), (1, 1));
    record.previous = None;
    assert!(matches!(follower.offer(Incremental, &record)[..], [Step::Malformed { .. }]));
}

proptest! {
    /// However the two topics are interleaved, every full is verified or taken, nothing breaks, and the end is reached.
    #[test]
    fn any_interleaving_verifies(fulls in prop::collection::btree_set(1_u64..40, 0..8), order in prop::collection::vec(any::<bool>(), 120)) {
        let fulls: Vec<ChainRecord> = std::iter::once(0).chain(fulls).map(|n| full(1, n, n as i64)).collect();
        let steps: Vec<ChainRecord> = (0..40).map(|n| step(1, (n, n as i64), (n + 1, n as i64 + 1))).collect();
        let (mut f, mut s) = (fulls.iter().peekable(), steps.iter().peekable());
        let mut follower = Follower::new(true);
        let mut seen = Vec::new();
        let mut order = order.into_iter().cycle();
        while f.peek().is_some() || s.peek().is_some() {
            let first = order.next().unwrap();
            for topic in if first { [Full, Incremental] } else { [Incremental, Full] } {
                let next = if topic == Full { &mut f } else { &mut s };
                if follower.wants(topic) && let Some(record) = next.next() {
                    seen.extend(follower.offer(topic, record));
                    break;
                }
            }
        }
        prop_assert!(!seen.iter().any(|step| step.is_break() || matches!(step, Step::Gap { .. })), "{:?}", seen);
        prop_assert_eq!(follower.timestamp().map(str::to_owned), Some(time(40)));
        let applied = seen.iter().filter(|step| matches!(step, Step::Applied { .. })).count();
        prop_assert_eq!(applied, 40);
    }
}
