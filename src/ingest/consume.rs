//! The thread that reads the topics.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rdkafka::Message;
use tokio::sync::watch;

use super::{Batch, Fold, Loss, Losses, Rejects};
use crate::{
    kafka::{Cluster, KafkaError, PartitionReader, Polled, Position},
    telemetry::{self, OncePerSecond, TopicMetrics},
    twin::event::{Judgement, Topic},
};

/// How long a poll waits for the first record. Commands do not wait for it: they do not come this way.
const POLL: Duration = Duration::from_millis(100);
/// The shortest time between two batches of [`FEW`] records at most: so much for each record of the first, within bounds. Waking up
/// costs as much as folding a hundred. What comes faster than 4,000 a second is taken together; what comes slower soon waits for next to
/// nothing, and one who is behind for nothing.
const GATHER: Duration = Duration::from_micros(250);
const GATHERING: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(5)];
const FEW: usize = 100;
/// How often offsets are committed to Kafka for the eyes of lag tools.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// How often new partitions are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often Kafka is asked while it cannot be read: an answer tells that it is back, also where no record comes.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long leaving Kafka may take.
const CLOSE: Duration = Duration::from_secs(2);

/// How the reading goes, for readiness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestState {
    /// Whether the end of every partition that was there at the start was reached.
    pub caught_up: bool,
    /// Partitions that wait because too many of their dead letters do.
    pub paused: Vec<(Topic, i32)>,
    /// Since when, in milliseconds since 1970.
    pub paused_since: i64,
    /// Why Kafka cannot be read, until it answers again.
    pub failure: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub failing_since: i64,
}

/// The reading of all input partitions into one fold.
pub struct Ingest {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    state: watch::Receiver<IngestState>,
    committed: Arc<Mutex<Vec<Position>>>,
}

impl Ingest {
    /// Starts to read all partitions of the nine topics, each from where the fold's city stands.
    ///
    /// # Errors
    /// Kafka cannot be asked for its partitions.
    pub async fn start(
        cluster: &Cluster,
        fold: Arc<Fold>,
        judgement: Judgement,
        batch_size: usize,
        rejects: Arc<Rejects>,
        losses: Arc<Losses>,
    ) -> Result<Self, KafkaError> {
        let partitions = partitions(cluster).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let committed = Arc::new(Mutex::new(Vec::new()));
        let (sender, state) = watch::channel(IngestState::default());
        let (found, new_partitions) = watch::channel(partitions);
        let looked = sender.clone();
        let mut consumer = Consumer {
            cluster: cluster.clone(),
            fold,
            judgement,
            batch_size,
            rejects,
            losses,
            metrics: Topic::ALL.map(|topic| TopicMetrics::new(topic.name())),
            state: sender,
            stop: Arc::clone(&stop),
            committed: Arc::clone(&committed),
            partitions: new_partitions,
            log: OncePerSecond::new(),
            counted: Counted::default(),
        };
        let thread = std::thread::Builder::new()
            .name("ingest".into())
            .spawn(move || consumer.run())
            .map_err(|error| KafkaError::Unavailable { action: "ingest", reason: error.to_string() })?;
        tokio::spawn(look_for_partitions(cluster.clone(), found, looked));
        Ok(Self { stop, thread: Some(thread), state, committed })
    }

    /// How the reading goes.
    pub fn state(&self) -> watch::Receiver<IngestState> {
        self.state.clone()
    }

    /// Tells Kafka up to where the store holds each partition: a courtesy to lag tools.
    pub fn commit(&self, positions: Vec<Position>) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = positions;
    }

    /// Stops reading and waits for the thread: what it had taken is folded.
    pub async fn stop(mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // The thread ends by itself within a poll.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

async fn partitions(cluster: &Cluster) -> Result<BTreeMap<String, i32>, KafkaError> {
    cluster.partitions_of(&Topic::ALL.map(Topic::name)).await
}

/// Tells when a topic has other partitions than before, and whether Kafka answers at all, for as long as anyone listens.
async fn look_for_partitions(
    cluster: Cluster,
    found: watch::Sender<BTreeMap<String, i32>>,
    state: watch::Sender<IngestState>,
) {
    let mut failing = state.subscribe();
    loop {
        tokio::select! {
            () = found.closed() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = async {
                // No error: the sender is here.
                let _ = failing.wait_for(|state| state.failure.is_some()).await;
                tokio::time::sleep(ASK_AGAIN).await;
            } => {}
        }
        let now = tokio::select! {
            () = found.closed() => return,
            now = partitions(&cluster) => now,
        };
        match now {
            Ok(now) => {
                // Kafka answers, though quiet topics may have nothing to show for it.
                state.send_if_modified(|state| state.failure.take().is_some());
                found.send_if_modified(|before| {
                    // Only more partitions are news: a topic that is gone for a moment is read on when it is back.
                    let more = now.iter().any(|(topic, count)| before.get(topic).is_none_or(|old| count > old));
                    if more {
                        before.extend(now);
                    }
                    more
                });
            }
            // A broker that neither answers nor hangs up is noticed by nothing else.
            Err(error) => fail(&state, &error),
        }
    }
}

/// Notes that something cannot be read, since now unless that is known.
fn fail(state: &watch::Sender<IngestState>, error: &KafkaError) {
    let now = jiff::Timestamp::now().as_millisecond();
    let mut news = false;
    state.send_modify(|state| {
        news = state.failure.replace(error.to_string()).is_none();
        if news {
            state.failing_since = now;
        }
    });
    if news {
        tracing::warn!(%error, "kafka cannot be read");
    }
}

/// What was done since the last log line.
#[derive(Default)]
struct Counted {
    messages: usize,
    batches: usize,
}

struct Consumer {
    cluster: Cluster,
    fold: Arc<Fold>,
    judgement: Judgement,
    batch_size: usize,
    rejects: Arc<Rejects>,
    losses: Arc<Losses>,
    metrics: [TopicMetrics; 9],
    state: watch::Sender<IngestState>,
    stop: Arc<AtomicBool>,
    committed: Arc<Mutex<Vec<Position>>>,
    partitions: watch::Receiver<BTreeMap<String, i32>>,
    log: OncePerSecond,
    counted: Counted,
}

/// One partition while it is being read.
struct Reading {
    topic: Topic,
    partition: i32,
    /// The offset that the next record should have, where that is known.
    next: Option<i64>,
    /// The first of the offsets that were gone, until the next record tells how many they were.
    lost_from: Option<i64>,
    ended: bool,
    paused: bool,
}

impl Consumer {
    fn run(&mut self) {
        while !self.stop.load(Ordering::Acquire) {
            if let Err(error) = self.read() {
                fail(&self.state, &error);
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }

    /// Reads until it is told to stop, or until there are new partitions.
    fn read(&mut self) -> Result<(), KafkaError> {
        let mut readings = self.readings();
        let positions: Vec<Position> = readings
            .iter()
            .map(|reading| {
                let from = reading.next.unwrap_or(Position::EARLIEST);
                Position::new(reading.topic.name(), reading.partition, from)
            })
            .collect();
        let mut reader = PartitionReader::open(&self.cluster.consumer_config(), &positions)?;
        let mut batch = Batch::default();
        let mut committed_at = Instant::now();
        while !self.stop.load(Ordering::Acquire) && !self.partitions.has_changed().unwrap_or(false) {
            self.poll(&mut reader, &mut readings, &mut batch)?;
            if !batch.is_empty() {
                let (records, taken_at) = (batch.len(), Instant::now());
                batch.fold(&self.fold, &self.judgement, &self.rejects, &self.metrics);
                self.note(batch.len());
                batch.clear();
                if records <= FEW {
                    let gather = (GATHER * records as u32).clamp(GATHERING[0], GATHERING[1]);
                    std::thread::sleep(gather.saturating_sub(taken_at.elapsed()));
                }
            }
            self.announce_end(&readings);
            self.pace(&mut reader, &mut readings);
            if committed_at.elapsed() >= COMMIT_EVERY {
                committed_at = Instant::now();
                self.commit(&reader);
            }
        }
        self.commit(&reader);
        reader.close(CLOSE);
        Ok(())
    }

    fn readings(&mut self) -> Vec<Reading> {
        let partitions = self.partitions.borrow_and_update().clone();
        let progress: HashMap<(Topic, i32), i64> = self
            .fold
            .with(|city| city.progress().iter().map(|(partition, progress)| (*partition, progress.next)).collect());
        // None of the new ones is paused; where dead letters still wait, the next turn does it again.
        self.state.send_if_modified(|state| !std::mem::take(&mut state.paused).is_empty());
        Topic::ALL
            .into_iter()
            .flat_map(|topic| (0..partitions.get(topic.name()).copied().unwrap_or(0)).map(move |p| (topic, p)))
            .map(|(topic, partition)| {
                let next = progress.get(&(topic, partition)).copied();
                // They are shown from the start, so that their first rise is seen.
                telemetry::offset_gaps(topic.name(), partition).increment(0);
                telemetry::lost_offsets(topic.name(), partition).increment(0);
                Reading { topic, partition, next, lost_from: None, ended: false, paused: false }
            })
            .collect()
    }

    fn poll(
        &self,
        reader: &mut PartitionReader,
        readings: &mut [Reading],
        batch: &mut Batch,
    ) -> Result<(), KafkaError> {
        let embedded = self.cluster.is_embedded();
        let mut outside = Vec::new();
        let mut failure = None;
        reader.poll(self.batch_size, POLL, |index, polled| {
            let reading = &mut readings[index];
            match polled {
                Polled::Record(record) => {
                    let offset = record.offset();
                    // Holes inside a real log are markers of transactions or compaction, and no loss; the embedded
                    // broker has neither, and drops its oldest records without a word.
                    if embedded && reading.next.is_some_and(|next| offset > next) {
                        let wanted = reading.next.unwrap_or_default();
                        self.lose(reading, wanted);
                        reading.lost_from = Some(wanted);
                    }
                    if let Some(from) = reading.lost_from.take() {
                        let left_out = u64::try_from(offset - from).unwrap_or_default();
                        telemetry::lost_offsets(reading.topic.name(), reading.partition).increment(left_out);
                    }
                    reading.next = Some(offset + 1);
                    let timestamp = record.timestamp().to_millis().unwrap_or(-1);
                    let partition = (reading.topic, reading.partition);
                    batch.push(partition, offset, timestamp, record.key(), record.payload());
                }
                Polled::End => reading.ended = true,
                Polled::OutOfRange => outside.push(index),
                Polled::Failed(error) => failure = Some(KafkaError::from_topic(reading.topic.name(), &error)),
            }
        });
        for index in outside {
            let reading = &mut readings[index];
            let wanted = reading.next.unwrap_or_default();
            self.lose(reading, wanted);
            (reading.next, reading.lost_from) = (None, Some(wanted));
            // On the embedded broker a reader at the beginning may starve, because the oldest records keep vanishing.
            reader.seek(index, if embedded { Position::LATEST } else { Position::EARLIEST })?;
        }
        // Records that were fetched before it happened may still come: only an answer tells that it is over.
        let unreachable = reader.take_unreachable().map(|error| KafkaError::from_client("read", &error));
        if let Some(error) = unreachable.or(failure) {
            fail(&self.state, &error);
        }
        Ok(())
    }

    fn lose(&self, reading: &Reading, wanted: i64) {
        let (topic, partition) = (reading.topic, reading.partition);
        telemetry::offset_gaps(topic.name(), partition).increment(1);
        let at = jiff::Timestamp::now().as_millisecond();
        self.losses.note(topic, partition, Loss { wanted, at });
        tracing::warn!(
            topic = topic.name(),
            partition,
            wanted_offset = wanted,
            "records were gone before they were read, going on with what there is"
        );
    }

    fn announce_end(&self, readings: &[Reading]) {
        if !self.state.borrow().caught_up && readings.iter().all(|reading| reading.ended) {
            self.state.send_modify(|state| state.caught_up = true);
        }
    }

    /// Pauses partitions whose dead letters pile up, and lets them go on when those are gone.
    fn pace(&self, reader: &mut PartitionReader, readings: &mut [Reading]) {
        let any_paused = readings.iter().any(|reading| reading.paused);
        if !any_paused && !self.rejects.is_full() {
            return;
        }
        let mut changed = false;
        if self.rejects.is_full() {
            for (index, reading) in readings.iter_mut().enumerate() {
                if !reading.paused && self.rejects.comes_by(reading.topic, reading.partition) {
                    reading.paused = true;
                    changed = true;
                    reader.pause(index);
                }
            }
        } else if self.rejects.has_room() {
            for (index, reading) in readings.iter_mut().enumerate().filter(|(_, reading)| reading.paused) {
                reading.paused = false;
                changed = true;
                reader.resume(index);
            }
        }
        if changed {
            let paused = readings.iter().filter(|reading| reading.paused);
            let paused: Vec<_> = paused.map(|reading| (reading.topic, reading.partition)).collect();
            tracing::warn!(paused = paused.len(), "partitions whose dead letters wait");
            let now = jiff::Timestamp::now().as_millisecond();
            self.state.send_modify(|state| (state.paused, state.paused_since) = (paused, now));
        }
    }

    fn commit(&self, reader: &PartitionReader) {
        let positions = std::mem::take(&mut *self.committed.lock().unwrap_or_else(PoisonError::into_inner));
        if !positions.is_empty() {
            reader.commit(&positions);
        }
    }

    fn note(&mut self, messages: usize) {
        self.counted.messages += messages;
        self.counted.batches += 1;
        if self.log.admit().is_some() {
            let Counted { messages, batches } = std::mem::take(&mut self.counted);
            tracing::info!(messages, batches, rejects_waiting = self.rejects.waiting(), "Processed batch");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Brokers, Config, KafkaConfig},
        twin::city::City,
    };

    /// Whose state is looked at, and whom `readings` takes it from.
    fn consumer(partitions: &[(&str, i32)]) -> Consumer {
        let config = Config::defaults();
        let kafka = KafkaConfig { brokers: Brokers::List("127.0.0.1:1".into()), ..config.kafka };
        let partitions = partitions.iter().map(|(topic, count)| ((*topic).to_owned(), *count)).collect();
        Consumer {
            cluster: Cluster::remote(&kafka).unwrap(),
            fold: Fold::new(City::new("c", "C", None)),
            judgement: (&config.ingest).into(),
            batch_size: 10,
            rejects: Arc::default(),
            losses: Arc::default(),
            metrics: Topic::ALL.map(|topic| TopicMetrics::new(topic.name())),
            state: watch::channel(IngestState::default()).0,
            stop: Arc::default(),
            committed: Arc::default(),
            partitions: watch::channel(partitions).1,
            log: OncePerSecond::new(),
            counted: Counted::default(),
        }
    }

    #[test]
    fn a_reading_begun_anew_has_nothing_paused() {
        let mut consumer = consumer(&[("transport.gps", 2)]);
        consumer.state.send_modify(|state| state.paused = vec![(Topic::TransportGps, 1)]);
        let readings = consumer.readings();
        assert!(readings.len() == 2 && readings.iter().all(|reading| !reading.paused));
        assert_eq!(consumer.state.borrow().paused, []);
    }
}
