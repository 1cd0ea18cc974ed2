//! Reading the two state topics: what a replica answers with, and how a writer learns of a higher epoch.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    kafka::{
        Cluster, KafkaError, PartitionReader, Polled, Position, StateRecord,
        topics::{STATE_FULL, STATE_INCREMENTAL},
    },
    twin::{
        json::{Value, fields},
        time::Time,
    },
};

use super::{Chain, Incremental};

/// How many incrementals a follower looks back for: ten minutes at the default interval are 120; shorter intervals have
/// more.
const LOOK_BACK: i64 = 5000;
/// How long the ends of the topics may take to be read.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the ends of the two topics hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopicEnds {
    /// The highest epoch.
    pub epoch: u64,
    /// The highest timestamp of a boundary.
    pub timestamp: Option<Time>,
}

/// Reads what the ends of the two topics hold.
///
/// # Errors
/// Kafka does not answer.
pub async fn topic_ends(cluster: &Cluster) -> Result<TopicEnds, KafkaError> {
    let mut ends = TopicEnds::default();
    for topic in [STATE_FULL, STATE_INCREMENTAL] {
        if let Some(record) = cluster.last_record_with_epoch(topic, DEADLINE).await? {
            ends.epoch = ends.epoch.max(record.epoch);
            ends.timestamp = ends.timestamp.max(timestamp_of(&record));
        }
    }
    Ok(ends)
}

fn timestamp_of(record: &StateRecord) -> Option<Time> {
    let text = std::str::from_utf8(&record.value).ok()?;
    match fields(text, &["timestamp"]).ok()?.values[0] {
        Value::Text(text) => Time::parse(&text.text()),
        _ => None,
    }
}

/// Follows the two topics on a thread of its own.
pub struct Follower {
    stop: Arc<AtomicBool>,
    /// The highest epoch that was seen.
    epoch: watch::Receiver<u64>,
}

impl Follower {
    /// Starts to follow. Records of the epoch in `own` are this instance's, and known already.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub async fn start(cluster: &Cluster, chain: Arc<Chain>, own: Arc<AtomicU64>) -> Result<Self, KafkaError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, epoch) = watch::channel(0);
        let full = cluster.last_record_with_epoch(STATE_FULL, DEADLINE).await?;
        let marks = cluster.watermarks(&[(STATE_INCREMENTAL.to_owned(), 0)]).await?;
        let first = marks.first().map_or(Position::EARLIEST, |marks| marks.low.max(marks.high - LOOK_BACK));
        let positions = [
            Position::new(STATE_FULL, 0, full.map_or(Position::EARLIEST, |full| full.offset)),
            Position::new(STATE_INCREMENTAL, 0, first),
        ];
        let config = cluster.consumer_config();
        let stopped = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("follower".into())
            .spawn(move || {
                let mut positions = positions;
                while !stopped.load(Ordering::Acquire) {
                    if let Err(error) = follow(&config, &mut positions, &chain, &own, &sender, &stopped) {
                        tracing::warn!(%error, "the state topics cannot be followed, trying again");
                        std::thread::sleep(Duration::from_secs(1));
                    }
                }
            })
            .map_err(|error| KafkaError::Unavailable { action: "follow", reason: error.to_string() })?;
        Ok(Self { stop, epoch })
    }

    /// The highest epoch that was seen in the topics.
    pub fn epoch(&self) -> watch::Receiver<u64> {
        self.epoch.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn follow(
    config: &rdkafka::ClientConfig,
    positions: &mut [Position; 2],
    chain: &Chain,
    own: &AtomicU64,
    epoch: &watch::Sender<u64>,
    stop: &AtomicBool,
) -> Result<(), KafkaError> {
    let mut reader = PartitionReader::open(config, positions)?;
    while !stop.load(Ordering::Acquire) {
        let mut outside = Vec::new();
        reader.poll(64, Duration::from_millis(200), |index, polled| match polled {
            Polled::Record(record) => {
                positions[index].offset = rdkafka::Message::offset(&record) + 1;
                if let Some(record) = StateRecord::read(&record) {
                    take(chain, own, epoch, index == 0, record);
                }
            }
            Polled::OutOfRange => outside.push(index),
            Polled::End | Polled::Failed(_) => {}
        });
        for index in outside {
            positions[index].offset = Position::EARLIEST;
            reader.seek(index, Position::EARLIEST)?;
        }
    }
    reader.close(Duration::from_secs(2));
    Ok(())
}

/// Takes one record of a state topic in.
pub(super) fn take(chain: &Chain, own: &AtomicU64, epoch: &watch::Sender<u64>, is_full: bool, record: StateRecord) {
    epoch.send_if_modified(|seen| {
        let higher = record.epoch > *seen;
        *seen = record.epoch.max(*seen);
        higher
    });
    // The publisher keeps the chain of its own epoch itself. What is lower is void once that has begun, and the chain
    // refuses it; until then the last full of the epoch before is what this instance answers with.
    if record.epoch == own.load(Ordering::Acquire) {
        return;
    }
    let Some(timestamp) = timestamp_of(&record) else { return };
    if is_full {
        chain.full_of_json(record.epoch, timestamp, record.value);
    } else if let Some(previous) = record.header("previousTimestamp").and_then(Time::parse) {
        chain.incremental(record.epoch, Incremental { previous, timestamp, message: record.value }, None);
    }
}
