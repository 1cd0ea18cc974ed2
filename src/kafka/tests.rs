//! What holds on the embedded broker; the same is tried on a real Kafka by the tests in `tests/`.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use rdkafka::Message as _;

use super::{topics::*, *};
use crate::config::{Brokers, KafkaConfig};

fn config(brokers: Brokers) -> KafkaConfig {
    KafkaConfig {
        brokers,
        client_id: "test".into(),
        group_id: "test".into(),
        common: BTreeMap::new(),
        consumer: BTreeMap::new(),
        producer: BTreeMap::new(),
        topic_partitions: 6,
        topic_replication: None,
        embedded_port: 0,
    }
}

fn start() -> (EmbeddedBroker, Cluster) {
    let broker = EmbeddedBroker::start(6, None).unwrap();
    let cluster = Cluster::embedded(&config(Brokers::Embedded), &broker);
    (broker, cluster)
}

fn record(topic: &str, key: Option<&'static str>, payload: Option<&'static str>) -> Record {
    Record { topic: topic.into(), key: key.map(Bytes::from), payload: payload.map(Bytes::from), ..Record::default() }
}

#[derive(Debug, PartialEq)]
enum Seen {
    Record(usize, Option<Vec<u8>>, Option<Vec<u8>>),
    End(usize),
}

fn read(reader: &mut PartitionReader, until: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
    let mut seen = Vec::new();
    for _ in 0..100 {
        reader.poll(10, Duration::from_millis(100), |index, event| match event {
            Polled::Record(record) => {
                let own = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
                seen.push(Seen::Record(index, own(record.key()), own(record.payload())));
            }
            Polled::End => seen.push(Seen::End(index)),
            Polled::OutOfRange => panic!("out of range"),
            Polled::Failed(error) => panic!("{error}"),
        });
        if until(&seen) {
            return seen;
        }
    }
    panic!("not reached: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_broker_has_its_topics_and_an_own_identity() {
    let (broker, cluster) = start();
    let topics = cluster.all_topics().await.unwrap();
    assert_eq!(topics.len(), 12);
    assert_eq!(topics["transport.gps"], 6);
    assert_eq!(topics[STATE_FULL], 1);
    assert_eq!(cluster.ensure_topics(&TopicSpec::all(6)).await.unwrap(), TopicReport::default());
    assert!(cluster.ensure_topics(&[TopicSpec::new("other", 1)]).await.is_err());
    let (_other, of_another_start) = start();
    let (id, other_id) = (cluster.id().await.unwrap(), of_another_start.id().await.unwrap());
    assert_ne!(id, other_id);
    // Another process is told a part of it, and knows its offsets by that.
    let outside = Cluster::remote(&config(Brokers::List(broker.brokers().into()))).unwrap();
    let told = outside.id().await.unwrap();
    assert!(is_same_cluster(&id, &told) && !is_same_cluster(&other_id, &told), "{id}, {other_id}: {told}");
    assert!(is_same_cluster("abc", "abc") && !is_same_cluster("abcd", "abc") && !is_same_cluster("abc", "abc/1"));
    // Nor does it ask for what would never be answered: a question that was asked ends as an error, after ten seconds.
    assert_eq!(outside.ensure_topics(&TopicSpec::all(6)).await.unwrap(), TopicReport::default());
    let refused = outside.ensure_topics(&[TopicSpec::new("other", 1)]).await.unwrap_err().to_string();
    assert!(refused.contains("the embedded broker makes topics only at its start"), "{refused}");
    assert!(outside.topic_setting(&["transport.gps"], "retention.ms").await.unwrap().is_empty());
    let refused = outside.offsets_at(&[("transport.gps".to_owned(), 0)], 0).await.unwrap_err().to_string();
    assert!(refused.contains("the embedded broker knows no offsets by time"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_reach_it_at_a_fixed_port() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let broker = EmbeddedBroker::start(2, Some(port)).unwrap();
    assert_eq!(broker.bootstrap(), format!("127.0.0.1:{port}"));
    let outside = Cluster::remote(&config(Brokers::List(broker.bootstrap().into()))).unwrap();
    let producer = Producer::new(&outside, "gzip").unwrap();
    producer.send(&record("transport.gps", Some("k"), Some("v"))).await.unwrap();
    assert!(matches!(EmbeddedBroker::start(2, Some(port)), Err(KafkaError::Embedded(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn null_and_empty_stay_apart_and_headers_and_times_arrive() {
    let (_broker, cluster) = start();
    let producer = Producer::new(&cluster, "gzip").unwrap();
    let mut sent = record(DEAD_LETTER, None, None);
    sent.headers = vec![("error-code".into(), Bytes::from("empty"))];
    sent.timestamp = Some(1_767_571_200_000);
    assert_eq!(producer.send(&sent).await.unwrap(), Acked { partition: 0, offset: 0 });
    producer.send_until_answered(&record(DEAD_LETTER, Some(""), Some(""))).await.unwrap();
    assert!(producer.flush(Duration::from_secs(1)).await);

    let mut reader =
        PartitionReader::open(&cluster.consumer_config(), &[Position::new(DEAD_LETTER, 0, Position::EARLIEST)])
            .unwrap();
    let mut seen = 0;
    while seen < 2 {
        reader.poll(10, Duration::from_secs(1), |_, event| {
            if let Polled::Record(record) = event {
                let null = record.offset() == 0;
                assert_eq!(record.key(), if null { None } else { Some(&b""[..]) });
                assert_eq!(record.payload(), if null { None } else { Some(&b""[..]) });
                assert_eq!(record.timestamp().to_millis() == Some(1_767_571_200_000), null);
                assert_eq!(StateRecord::read(&record), None);
                seen += 1;
            }
        });
    }
    assert!(reader.close(Duration::from_secs(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_partition_tells_its_own_end() {
    let (_broker, cluster) = start();
    let producer = Producer::new(&cluster, "none").unwrap();
    let mut in_third = record("transport.gps", Some("k"), Some("v"));
    in_third.partition = Some(3);
    producer.send(&in_third).await.unwrap();
    let positions = [
        Position::new("transport.stations", 3, Position::EARLIEST),
        Position::new("transport.gps", 3, Position::EARLIEST),
    ];
    let mut reader = PartitionReader::open(&cluster.consumer_config(), &positions).unwrap();
    let third = Seen::Record(1, Some(b"k".to_vec()), Some(b"v".to_vec()));
    let seen = read(&mut reader, |seen| seen.contains(&Seen::End(0)) && seen.contains(&Seen::End(1)));
    assert_eq!(seen.iter().filter(|&event| *event == third).count(), 1);
    assert_eq!(reader.position(1), Some(1));

    // A paused partition yields nothing and loses nothing.
    reader.pause(1);
    producer.send(&in_third).await.unwrap();
    assert_eq!(reader.poll(10, Duration::from_millis(300), |_, _| {}), 0);
    reader.resume(1);
    read(&mut reader, |seen| seen.contains(&third) && seen.contains(&Seen::End(1)));

    // Back to the start of what it has.
    reader.seek(1, 0).unwrap();
    let again = read(&mut reader, |seen| seen.contains(&Seen::End(1)));
    assert_eq!(again.iter().filter(|&event| *event == third).count(), 2, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_outside_the_topic_is_told() {
    let (_broker, cluster) = start();
    let mut reader =
        PartitionReader::open(&cluster.consumer_config(), &[Position::new("transport.gps", 0, 1000)]).unwrap();
    let mut told = false;
    for _ in 0..50 {
        reader.poll(10, Duration::from_millis(100), |_, event| told |= matches!(event, Polled::OutOfRange));
        if told {
            reader.seek(0, Position::EARLIEST).unwrap();
            read(&mut reader, |seen| seen.contains(&Seen::End(0)));
            return;
        }
    }
    panic!("not told");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_record_with_an_epoch_is_found_from_the_end() {
    let (_broker, cluster) = start();
    let deadline = Duration::from_secs(10);
    assert_eq!(cluster.last_record_with_epoch(STATE_FULL, deadline).await.unwrap(), None);
    let producer = Producer::new(&cluster, "gzip").unwrap();
    for epoch in 1..=3_u64 {
        let mut full = record(STATE_FULL, Some("city"), Some("{}"));
        full.headers = vec![("epoch".into(), Bytes::from(epoch.to_string()))];
        producer.send(&full).await.unwrap();
    }
    let last = cluster.last_record_with_epoch(STATE_FULL, deadline).await.unwrap().unwrap();
    assert_eq!((last.offset, last.epoch, last.header("epoch")), (2, 3, Some("3")));
    // Records of others at the end, more than the first looks cover.
    for _ in 0..60 {
        producer.send(&record(STATE_FULL, None, Some("foreign"))).await.unwrap();
    }
    let last = cluster.last_record_with_epoch(STATE_FULL, deadline).await.unwrap().unwrap();
    assert_eq!((last.offset, last.epoch), (2, 3));
    assert_eq!((last.key, last.value), (Some(Bytes::from("city")), Bytes::from("{}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_fit_is_refused_for_good() {
    let (_broker, cluster) = start();
    let producer = Producer::new(&cluster, "none").unwrap();
    let large = Record { payload: Some(vec![b'x'; MAX_MESSAGE_BYTES + 1].into()), ..record(STATE_FULL, None, None) };
    assert!(matches!(producer.send_until_answered(&large).await, Err(SendError::Refused(_))));
    // The producer lives on.
    producer.send(&record(STATE_FULL, None, Some("{}"))).await.unwrap();
    assert_eq!(producer.fatal(), None);
    producer.ping().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_makes_the_sender_wait() {
    let (_broker, cluster) = start();
    let mut few = cluster.producer_config("none");
    few.set("queue.buffering.max.messages", "2");
    let producer = Producer::with_config(&few).unwrap();
    let record = record("transport.gps", None, Some("v"));
    let sends = (0..50).map(|_| producer.send(&record));
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
}
