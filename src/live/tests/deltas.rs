//! The chain as subscribers follow it.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use crate::{
    live::{Follow, FullReason, StateDelta, state_deltas},
    publish::{Chain, Incremental},
    twin::time::Time,
};

fn full(chain: &Chain, epoch: u64, at: i64) {
    chain.full_of_json(epoch, Time(at), Bytes::from(format!("full {at}")));
}

fn incremental(chain: &Chain, epoch: u64, from: i64, to: i64) {
    let message = Bytes::from(format!("from {from} to {to}"));
    chain.incremental(epoch, Incremental { previous: Time(from), timestamp: Time(to), message }, None);
}

/// All steps that there are, in short.
fn steps(follow: &mut Follow, chain: &Chain) -> Vec<String> {
    std::iter::from_fn(|| follow.next(chain)).map(|step| short(&step)).collect()
}

fn short(step: &StateDelta) -> String {
    match step {
        StateDelta::Full { state, reason } => format!("{}: full {}, {reason:?}", state.epoch, state.timestamp.0),
        StateDelta::Incremental { epoch, incremental } => {
            format!("{epoch}: {} to {}", incremental.previous.0, incremental.timestamp.0)
        }
    }
}

#[test]
fn one_full_and_then_each_incremental() {
    let chain = Chain::default();
    let mut follow = Follow::new(None);
    assert!(steps(&mut follow, &chain).is_empty(), "there is no boundary yet");
    full(&chain, 1, 10);
    assert_eq!(steps(&mut follow, &chain), ["1: full 10, Start"]);
    assert!(steps(&mut follow, &chain).is_empty());
    incremental(&chain, 1, 10, 20);
    assert_eq!(steps(&mut follow, &chain), ["1: 10 to 20"]);
    incremental(&chain, 1, 20, 30);
    full(&chain, 1, 30);
    incremental(&chain, 1, 30, 40);
    assert_eq!(steps(&mut follow, &chain), ["1: 20 to 30", "1: 30 to 40"], "a full of the same chain is no news");
}

#[test]
fn a_replica_starts_with_the_last_full_and_what_followed_it() {
    let chain = Chain::default();
    full(&chain, 1, 10);
    incremental(&chain, 1, 10, 20);
    assert_eq!(steps(&mut Follow::new(None), &chain), ["1: full 10, Start", "1: 10 to 20"]);
}

#[test]
fn from_a_moment_that_is_held() {
    let chain = Chain::default();
    full(&chain, 1, 10);
    (1..5).for_each(|n| incremental(&chain, 1, n * 10, n * 10 + 10));
    assert_eq!(steps(&mut Follow::new(Some(Time(30))), &chain), ["1: 30 to 40", "1: 40 to 50"]);
    let mut newest = Follow::new(Some(Time(50)));
    assert!(steps(&mut newest, &chain).is_empty());
    incremental(&chain, 1, 50, 60);
    assert_eq!(steps(&mut newest, &chain), ["1: 50 to 60"]);
}

#[test]
fn from_a_moment_that_is_not_held() {
    let chain = Chain::default();
    let mut early = Follow::new(Some(Time(7)));
    assert!(steps(&mut early, &chain).is_empty(), "there is no boundary yet");
    full(&chain, 1, 10);
    assert_eq!(steps(&mut early, &chain), ["1: full 10, NotHeld"]);
    incremental(&chain, 1, 10, 20);
    assert_eq!(steps(&mut Follow::new(Some(Time(15))), &chain), ["1: full 10, NotHeld", "1: 10 to 20"]);
}

#[test]
fn a_new_epoch_is_a_new_start() {
    let chain = Chain::default();
    full(&chain, 1, 10);
    let mut follow = Follow::new(None);
    steps(&mut follow, &chain);
    incremental(&chain, 1, 10, 20);
    full(&chain, 2, 25);
    incremental(&chain, 2, 25, 35);
    assert_eq!(steps(&mut follow, &chain), ["2: full 25, NewEpoch", "2: 25 to 35"]);
}

#[test]
fn who_fell_behind_starts_anew() {
    const MINUTE: i64 = 60_000;
    let chain = Chain::default();
    full(&chain, 1, 0);
    let mut follow = Follow::new(None);
    steps(&mut follow, &chain);
    (0..30).for_each(|n| incremental(&chain, 1, n * MINUTE, (n + 1) * MINUTE));
    full(&chain, 1, 30 * MINUTE);
    incremental(&chain, 1, 30 * MINUTE, 31 * MINUTE);
    assert_eq!(steps(&mut follow, &chain), ["1: full 1800000, FellBehind", "1: 1800000 to 1860000"]);
}

#[test]
fn a_replica_that_missed_one_waits_for_the_next_full() {
    let chain = Chain::default();
    full(&chain, 1, 10);
    incremental(&chain, 1, 10, 20);
    let mut follow = Follow::new(None);
    assert_eq!(steps(&mut follow, &chain), ["1: full 10, Start", "1: 10 to 20"]);
    incremental(&chain, 1, 30, 40);
    assert!(steps(&mut follow, &chain).is_empty(), "neither a gap nor an old state");
    full(&chain, 1, 40);
    incremental(&chain, 1, 40, 50);
    assert_eq!(steps(&mut follow, &chain), ["1: full 40, FellBehind", "1: 40 to 50"]);
}

#[test]
fn at_any_slowness_each_step_follows_on_the_one_before() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let chain = Chain::default();
        let (mut epoch, mut at) = (1, 0);
        full(&chain, epoch, at);
        let mut readers: Vec<_> = [None, Some(Time(0)), Some(Time(5))].map(|from| (Follow::new(from), from)).into();
        for _ in 0..300 {
            let next = at + random.i64(1..60_000);
            match random.u32(0..40) {
                0 => {
                    epoch += 1;
                    full(&chain, epoch, next);
                    at = next;
                }
                1..4 => full(&chain, epoch, at),
                _ => {
                    incremental(&chain, epoch, at, next);
                    at = next;
                }
            }
            for (reader, has) in &mut readers {
                if random.u32(0..20) > 0 {
                    continue;
                }
                // Sometimes it takes all there is, sometimes only a few.
                for step in std::iter::from_fn(|| reader.next(&chain)).take(random.usize(1..30)) {
                    match step {
                        StateDelta::Full { state, .. } => {
                            assert!(has.is_none_or(|had| had < state.timestamp || had == Time(5)), "never back");
                            *has = Some(state.timestamp);
                        }
                        StateDelta::Incremental { incremental, .. } => {
                            assert_eq!(*has, Some(incremental.previous));
                            *has = Some(incremental.timestamp);
                        }
                    }
                }
            }
        }
        full(&chain, epoch, at);
        for (reader, has) in &mut readers {
            for step in std::iter::from_fn(|| reader.next(&chain)) {
                *has = Some(match step {
                    StateDelta::Full { state, .. } => state.timestamp,
                    StateDelta::Incremental { incremental, .. } => incremental.timestamp,
                });
            }
            assert_eq!(*has, Some(Time(at)), "each ends at the newest boundary");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn steps_come_as_the_chain_grows() {
    let chain = Arc::new(Chain::default());
    let mut stream = pin!(state_deltas(Arc::clone(&chain), None));
    assert!(stream.next().now_or_never().is_none());
    full(&chain, 1, 10);
    assert_eq!(short(&stream.next().await.unwrap()), "1: full 10, Start");
    incremental(&chain, 1, 10, 20);
    incremental(&chain, 1, 20, 30);
    assert_eq!(short(&stream.next().await.unwrap()), "1: 10 to 20");
    assert_eq!(short(&stream.next().await.unwrap()), "1: 20 to 30");
    assert!(stream.next().now_or_never().is_none());
    let starts = matches!(Follow::new(None).next(&chain), Some(StateDelta::Full { reason: FullReason::Start, .. }));
    assert!(starts, "the last full is where a new one starts");
}
