use std::collections::HashMap;

use bytes::Bytes;
use fastrand::Rng;

use super::*;
use crate::{
    telemetry::TopicMetrics,
    twin::{
        city::City,
        event::Topic,
        reject::{Code, Reject},
        samples::{JUDGEMENT, T0, city, city_file, full, import, interleaved, message},
    },
};

fn rejected(offset: i64) -> Rejected {
    Rejected {
        topic: Topic::TransportGps,
        partition: 1,
        offset,
        timestamp: 0,
        key: None,
        value: Some(Bytes::from_static(b"x")),
        why: Reject { code: Code::NotJson, message: "m".into() },
    }
}

#[tokio::test]
async fn no_offset_passes_what_is_not_acknowledged() {
    let rejects = Rejects::default();
    rejects.keep(true);
    for offset in [5, 7, 9] {
        rejects.push(rejected(offset));
    }
    assert_eq!(rejects.safe_offset(Topic::TransportGps, 1, 20), 5);
    assert_eq!(rejects.safe_offset(Topic::TransportGps, 0, 20), 20);
    let sent = rejects.next(10).await;
    assert_eq!(sent.len(), 3);
    assert_eq!(rejects.safe_offset(Topic::TransportGps, 1, 20), 5, "sent is not acknowledged");
    rejects.acknowledge(&sent[1]);
    rejects.acknowledge(&sent[0]);
    assert_eq!(rejects.safe_offset(Topic::TransportGps, 1, 20), 9);
    rejects.acknowledge(&sent[2]);
    assert_eq!(rejects.safe_offset(Topic::TransportGps, 1, 20), 20);
    assert_eq!(rejects.waiting(), 0);
}

#[test]
fn a_replica_keeps_none() {
    let rejects = Rejects::default();
    rejects.push(rejected(5));
    assert_eq!((rejects.waiting(), rejects.safe_offset(Topic::TransportGps, 1, 20)), (0, 20));
}

#[test]
fn bounded_in_number_and_bytes() {
    let rejects = Rejects::default();
    rejects.keep(true);
    (0..10_000).for_each(|offset| rejects.push(rejected(offset)));
    assert!(rejects.is_full() && !rejects.has_room() && rejects.comes_by(Topic::TransportGps, 1));
    let rejects = Rejects::default();
    rejects.keep(true);
    for offset in 0..64 {
        rejects.push(Rejected { value: Some(vec![0; 1 << 20].into()), ..rejected(offset) });
    }
    assert!(rejects.is_full());
}

#[test]
fn a_batch_folds_and_rejects() {
    let fold = Fold::new(City::new("c", "C", None));
    let rejects = Rejects::default();
    rejects.keep(true);
    let metrics = Topic::ALL.map(|topic| TopicMetrics::new(topic.name()));
    let mut batch = Batch::default();
    let good = br#"{"busId":"b1","currentLocation":{"latitude":42.35,"longitude":13.4}}"#;
    batch.push((Topic::TransportGps, 0), 10, 1000, Some(b"b1"), Some(good));
    batch.push((Topic::TransportGps, 0), 11, 1000, None, None);
    batch.push((Topic::TransportGps, 3), 7, 1000, None, Some(b"[]"));
    batch.push((Topic::TrafficGraph, 0), 2, 1000, None, Some(br#"{"edgeId":"e","trafficConditions":{}}"#));
    let judgement = crate::twin::event::Judgement { max_clock_skew_ms: 0, max_event_bytes: 1000 };
    batch.fold(&fold, &judgement, &rejects, &metrics);
    let view = fold.view();
    assert_eq!(view.count(crate::twin::model::Kind::Bus), 1);
    let progress = fold.with(|city| city.progress().clone());
    assert_eq!(progress[&(Topic::TransportGps, 0)].next, 12);
    assert_eq!(progress[&(Topic::TransportGps, 3)].next, 8);
    assert_eq!(progress[&(Topic::TrafficGraph, 0)].next, 3);
    assert_eq!(rejects.waiting(), 3);
    assert_eq!(rejects.safe_offset(Topic::TransportGps, 0, 12), 11);
}

/// Batches of any lengths, of the partitions in any interleaving, are what the events are one by one; progress is where each
/// partition ends.
#[test]
fn any_batches_of_any_interleaving_give_the_same_bytes() {
    let metrics = Topic::ALL.map(|topic| TopicMetrics::new(topic.name()));
    for case in 0..100 {
        let mut rng = Rng::with_seed(case);
        let file = city_file(&mut rng);
        let step = rng.i64(1000..120_000);
        let messages: Vec<_> = (0..300).map(|n| message(&mut rng, T0 + n * step)).collect();
        let mut one_by_one = city();
        import(&mut one_by_one, &file);
        for message in &messages {
            let _ = message.apply(&mut one_by_one);
        }
        let mut start = city();
        import(&mut start, &file);
        let (fold, rejects) = (Fold::new(start), Rejects::default());
        let (mut batch, mut most) = (Batch::default(), 1);
        let mut ends: HashMap<(Topic, i32), i64> = HashMap::new();
        for at in interleaved(&messages, &mut rng) {
            let message = &messages[at];
            let end = ends.entry((message.topic, message.partition)).or_default();
            let value = Some(message.json.as_bytes());
            batch.push((message.topic, message.partition), *end, message.time, None, value);
            *end += 1;
            if batch.len() >= most {
                batch.fold(&fold, &JUDGEMENT, &rejects, &metrics);
                batch.clear();
                let longest = if rng.bool() { 3 } else { 200 };
                most = rng.usize(1..=longest);
            }
        }
        batch.fold(&fold, &JUDGEMENT, &rejects, &metrics);
        assert_eq!(full(&fold.view()), full(one_by_one.view()), "case {case}");
        let progress = fold.with(|city| city.progress().clone());
        let next: HashMap<_, _> = progress.into_iter().map(|(at, progress)| (at, progress.next)).collect();
        assert_eq!(next, ends, "case {case}");
    }
}
