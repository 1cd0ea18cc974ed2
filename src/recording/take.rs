//! Takes a recording from Kafka.

use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};

use rdkafka::Message;
use tokio_util::sync::CancellationToken;

use super::{Line, RecordingError, Writer};
use crate::kafka::{Cluster, PartitionReader, Polled, Position};

/// Where in its topics a recording begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event that Kafka still has.
    Earliest,
    /// With what comes from now on.
    Now,
}

/// What to record.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// The topics' names.
    pub topics: Vec<String>,
    /// Where to begin.
    pub start: Start,
    /// Stop at the ends that the topics had at the start; else go on until stopped.
    pub until_end: bool,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordProgress {
    /// Events written.
    pub events: u64,
    /// Bytes of the lines, before they are packed.
    pub bytes: u64,
    /// With `until_end`: at most this many events.
    pub of: Option<u64>,
}

/// What a recording holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordSummary {
    /// As told last.
    pub progress: RecordProgress,
    /// With `until_end`: all was read. Without: always true.
    pub complete: bool,
    /// From the start of reading on.
    pub elapsed: Duration,
}

/// How much of one partition waits in memory for the other partitions' earlier events: events and bytes.
const WAITING: (usize, usize) = (1000, 4 * 1024 * 1024);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Records topics into `path` until `stop`, the events of all partitions merged by their times as far as partitions are
/// behind their ends, and in the order of arrival after that. `told` is called some ten times a second.
///
/// # Errors
/// A topic that does not exist, no broker at the start, a file that cannot be written.
pub async fn record(
    cluster: &Cluster,
    path: &Path,
    options: RecordOptions,
    stop: CancellationToken,
    told: impl FnMut(&RecordProgress) + Send + 'static,
) -> Result<RecordSummary, RecordingError> {
    let names: Vec<&str> = options.topics.iter().map(String::as_str).collect();
    let counts = cluster.partitions_of(&names).await?;
    if let Some(missing) = names.iter().find(|&&name| !counts.contains_key(name)) {
        return Err(RecordingError::NoTopic((*missing).to_owned()));
    }
    let partitions: Vec<(String, i32)> =
        counts.iter().flat_map(|(topic, count)| (0..*count).map(|partition| (topic.clone(), partition))).collect();
    let watermarks = cluster.watermarks(&partitions).await?;
    let sources = partitions.into_iter().zip(watermarks).map(|((topic, partition), marks)| {
        let start = if options.start == Start::Now { marks.high } else { marks.low };
        Source {
            position: Position::new(topic, partition, start),
            end: options.until_end.then_some(marks.high),
            held: VecDeque::new(),
            held_bytes: 0,
            at_end: false,
            done: options.until_end && start >= marks.high,
        }
    });
    let (config, path, sources) = (cluster.consumer_config(), path.to_owned(), sources.collect::<Vec<_>>());
    tokio::task::spawn_blocking(move || take(&config, &path, sources, &stop, told))
        .await
        .unwrap_or_else(|error| Err(RecordingError::Ended(error.to_string())))
}

/// One partition and what of it waits.
struct Source {
    position: Position,
    /// Where to stop.
    end: Option<i64>,
    held: VecDeque<Held>,
    held_bytes: usize,
    /// Its end was reached, and nothing was read since.
    at_end: bool,
    /// Nothing more is wanted of it.
    done: bool,
}

struct Held {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

impl Held {
    fn bytes(&self) -> usize {
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len)
    }
}

impl Source {
    fn take(&mut self, event: &Polled<'_>) {
        match event {
            Polled::Record(record) => {
                let past = self.end.is_some_and(|end| record.offset() >= end);
                self.done |= self.end.is_some_and(|end| record.offset() + 1 >= end);
                self.at_end = false;
                if !past {
                    let own = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
                    let held = Held {
                        timestamp: record.timestamp().to_millis().unwrap_or(-1),
                        key: own(record.key()),
                        value: own(record.payload()),
                    };
                    self.held_bytes += held.bytes();
                    self.held.push_back(held);
                }
            }
            // The end now is not before the end at the start.
            Polled::End => {
                self.at_end = true;
                self.done |= self.end.is_some();
            }
            Polled::OutOfRange => {}
            Polled::Failed(error) => {
                tracing::warn!(topic = self.position.topic, partition = self.position.partition, %error, "partition cannot be read now");
            }
        }
    }

    fn is_full(&self) -> bool {
        self.held.len() >= WAITING.0 || self.held_bytes >= WAITING.1
    }

    /// Whether an earlier event may still come before the others' may be written.
    fn is_awaited(&self) -> bool {
        self.held.is_empty() && !self.at_end && !self.done
    }
}

fn take(
    config: &rdkafka::ClientConfig,
    path: &Path,
    mut sources: Vec<Source>,
    stop: &CancellationToken,
    mut told: impl FnMut(&RecordProgress),
) -> Result<RecordSummary, RecordingError> {
    let started = Instant::now();
    let mut writer = Writer::create(path)?;
    let positions: Vec<Position> = sources.iter().map(|source| source.position.clone()).collect();
    let mut reader = PartitionReader::open(config, &positions)?;
    let mut progress = RecordProgress::default();
    if sources.iter().all(|source| source.end.is_some()) {
        let left = |source: &Source| source.end.map_or(0, |end| (end - source.position.offset).max(0) as u64);
        progress.of = Some(sources.iter().map(left).sum());
    }
    let mut next_told = started;
    let finished = |sources: &[Source]| sources.iter().all(|source| source.done && source.held.is_empty());
    while !stop.is_cancelled() && !finished(&sources) {
        for (index, source) in sources.iter().enumerate() {
            if source.done || source.is_full() { reader.pause(index) } else { reader.resume(index) }
        }
        let mut lost = None;
        // Fewer than the bound of what waits, so that one turn cannot go far beyond it.
        reader.poll(WAITING.0 / 4, Duration::from_millis(50), |index, event| {
            if matches!(event, Polled::OutOfRange) {
                lost = Some(index);
            }
            if let Some(source) = sources.get_mut(index).filter(|source| !source.done) {
                source.take(&event);
            }
        });
        if let Some(index) = lost {
            reader.seek(index, Position::EARLIEST)?;
        }
        while !sources.iter().any(Source::is_awaited) && write_earliest(&mut sources, &mut writer, &mut progress)? {}
        if Instant::now() >= next_told {
            next_told = Instant::now() + TELL_EVERY;
            told(&progress);
        }
    }
    let complete = sources.iter().all(|source| source.done || source.end.is_none());
    while write_earliest(&mut sources, &mut writer, &mut progress)? {}
    writer.finish()?;
    told(&progress);
    reader.close(Duration::from_secs(5));
    Ok(RecordSummary { progress, complete, elapsed: started.elapsed() })
}

/// Writes the earliest of the waiting events; false where none waits. Events of one partition keep their order.
fn write_earliest(
    sources: &mut [Source],
    writer: &mut Writer,
    progress: &mut RecordProgress,
) -> Result<bool, RecordingError> {
    let earliest = sources.iter_mut().filter_map(|source| Some((source.held.front()?.timestamp, source)));
    let Some((_, source)) = earliest.min_by_key(|(timestamp, _)| *timestamp) else { return Ok(false) };
    let Some(held) = source.held.pop_front() else { return Ok(false) };
    source.held_bytes -= held.bytes();
    let line = Line {
        topic: source.position.topic.as_str().into(),
        key: held.key.as_deref().map(Into::into),
        timestamp: held.timestamp,
        value: held.value.as_deref().map(Into::into),
    };
    progress.bytes += writer.write(&line)? as u64;
    progress.events += 1;
    Ok(true)
}
