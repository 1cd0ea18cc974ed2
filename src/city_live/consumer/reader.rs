//! The thread that polls the five topics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rdkafka::Message as _;
use tokio::sync::mpsc;

use super::core::Source;
use crate::{
    city_live::message::LiveTopic,
    kafka::{Cluster, KafkaError, PartitionReader, Polled, Position},
};

/// How long a poll waits for the first record.
const POLL: Duration = Duration::from_millis(100);
/// Records of one batch at most. One commit of the archive holds them: fewer would commit more often, more would keep others waiting.
const MOST: usize = 2000;
/// Batches that wait for the archive. With the one in hand they are all that is in memory, beside librdkafka's own bounded queues.
const QUEUE: usize = 2;
/// How long leaving Kafka may take.
const CLOSE: Duration = Duration::from_secs(2);

/// What a poll brought.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order of each partition.
    pub records: Vec<Source>,
    /// Partitions whose stored offset was outside the topic, with that offset.
    pub lost: Vec<(LiveTopic, i32, i64)>,
    /// What Kafka said, where it cannot be read.
    pub failure: Option<KafkaError>,
}

/// Reads until it is dropped.
pub(super) struct Reader {
    stop: Arc<AtomicBool>,
    pub(super) batches: mpsc::Receiver<Batch>,
}

impl Reader {
    /// Starts to read from these positions, whose topics are City Live's.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(cluster: &Cluster, positions: Vec<(LiveTopic, i32, i64)>) -> Result<Self, KafkaError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, batches) = mpsc::channel(QUEUE);
        let thread = Thread { cluster: cluster.clone(), positions, sender, stop: Arc::clone(&stop) };
        std::thread::Builder::new()
            .name("city-live".into())
            .spawn(move || thread.run())
            .map_err(|error| KafkaError::Unavailable { action: "consume", reason: error.to_string() })?;
        Ok(Self { stop, batches })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

struct Thread {
    cluster: Cluster,
    /// Where reading goes on, also after an error.
    positions: Vec<(LiveTopic, i32, i64)>,
    sender: mpsc::Sender<Batch>,
    stop: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self) {
        while !self.stopped() {
            if let Err(failure) = self.read() {
                let told = Batch { failure: Some(failure), ..Batch::default() };
                if self.sender.blocking_send(told).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) || self.sender.is_closed()
    }

    fn read(&mut self) -> Result<(), KafkaError> {
        let positions: Vec<Position> = self
            .positions
            .iter()
            .map(|(topic, partition, offset)| Position::new(topic.name(), *partition, *offset))
            .collect();
        let mut reader = PartitionReader::open(&self.cluster.consumer_config(), &positions)?;
        while !self.stopped() {
            let mut batch = Batch::default();
            let mut outside = Vec::new();
            let positions = &mut self.positions;
            reader.poll(MOST, POLL, |index, polled| {
                let (topic, partition, next) = &mut positions[index];
                match polled {
                    Polled::Record(record) => {
                        *next = record.offset() + 1;
                        batch.records.push(Source {
                            topic: *topic,
                            partition: *partition,
                            offset: record.offset(),
                            timestamp: record.timestamp().to_millis().unwrap_or(0),
                            key: record.key().map(Bytes::copy_from_slice),
                            value: record.payload().map(Bytes::copy_from_slice),
                        });
                    }
                    Polled::OutOfRange => outside.push(index),
                    Polled::End => {}
                    Polled::Failed(error) => batch.failure = Some(KafkaError::from_topic(topic.name(), &error)),
                }
            });
            if let Some(error) = reader.take_unreachable() {
                batch.failure = Some(KafkaError::from_client("consumer", &error));
            }
            for index in outside {
                let (topic, partition, wanted) = self.positions[index];
                batch.lost.push((topic, partition, wanted));
                // The embedded broker has dropped what was there, and may starve who asks for its oldest.
                let from = if self.cluster.is_embedded() { Position::LATEST } else { Position::EARLIEST };
                self.positions[index].2 = from;
                reader.seek(index, from)?;
            }
            let empty = batch.records.is_empty() && batch.lost.is_empty() && batch.failure.is_none();
            if !empty && self.sender.blocking_send(batch).is_err() {
                break;
            }
        }
        reader.close(CLOSE);
        Ok(())
    }
}
