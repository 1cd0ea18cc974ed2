//! Records into Kafka: as fast as it takes them, or each at its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use citytwin::simulator::SimEvent;
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};

use crate::{common::kafka::Kafka, machine};

type Sender = ThreadedProducer<DefaultProducerContext>;

fn producer(brokers: &str, codec: &str, linger_ms: &str) -> Sender {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("log_level", "3")
        .set("compression.codec", codec)
        .set("linger.ms", linger_ms)
        // As careful clients send: at most five requests on their way, so that a busy broker is met with larger batches
        // and not with a queue of requests.
        .set("enable.idempotence", "true")
        // The partition that Java's clients and kafkajs choose for a key.
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", "200000")
        .create()
        .expect("a producer")
}

fn send(producer: &Sender, event: &SimEvent) {
    let mut record = BaseRecord::to(event.topic).key(&event.key).payload(&event.value).timestamp(event.timestamp_ms);
    while let Err((error, back)) = producer.send(record) {
        assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "produce: {error}");
        std::thread::sleep(Duration::from_millis(5));
        record = back;
    }
}

/// Produces all of them with that codec, and returns when the broker has acknowledged the last one.
pub fn fill(brokers: &str, codec: &str, events: impl Iterator<Item = SimEvent>) {
    let producer = producer(brokers, codec, "50");
    events.for_each(|event| send(&producer, &event));
    producer.flush(Duration::from_secs(120)).expect("the broker acknowledges everything");
}

/// Lets a broker take the load that it has until it has compiled what that needs, two minutes at most. One that is in use has done so
/// long ago, and a compiler beside it would take the cores that are measured.
pub async fn warm(kafka: &Kafka) {
    const LOOK: Duration = Duration::from_secs(5);
    let compiler = || machine::cpu_of_threads(kafka.pid(), "C2 CompilerThre");
    tokio::time::sleep(4 * LOOK).await;
    for _ in 0..20 {
        let before = compiler();
        tokio::time::sleep(LOOK).await;
        if compiler().saturating_sub(before) < LOOK / 25 {
            return;
        }
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64() * 1000.0)
}

/// A thread that sends each event at the moment of its `timestamp_ms`, however the broker and the server keep up (an open loop), until it is dropped.
pub struct Paced {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Paced {
    /// `more(until)` gives the events up to that time, in order, that it has not given yet.
    pub fn start(brokers: &str, mut more: impl FnMut(i64) -> Vec<SimEvent> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let producer = producer(brokers, "none", "1");
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut sent = 0;
            while !stopped.load(Ordering::Acquire) {
                // Made ahead of their time, so that making them delays none.
                for event in more(now_ms() as i64 + 100) {
                    let early = event.timestamp_ms as f64 - now_ms();
                    if early > 0.0 {
                        std::thread::sleep(Duration::from_secs_f64(early / 1000.0));
                    }
                    send(&producer, &event);
                    sent += 1;
                    if stopped.load(Ordering::Relaxed) {
                        break;
                    }
                }
            }
            let _ = producer.flush(Duration::from_secs(10));
            sent
        });
        Self { stop, thread: Some(thread) }
    }

    /// Stops it; how many it has sent.
    pub fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(0)
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}
