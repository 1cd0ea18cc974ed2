//! Partitions read by hand: who ended, who failed and which record is whose is always known.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, base_consumer::PartitionQueue},
    error::KafkaError as RdError,
    message::BorrowedMessage,
    types::RDKafkaErrorCode,
};

use super::{KafkaError, client::Tracing};

/// A partition and the offset at which reading starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
    /// The next offset to read, or [`Position::EARLIEST`] or [`Position::LATEST`].
    pub offset: i64,
}

impl Position {
    /// The first record that the topic still holds.
    pub const EARLIEST: i64 = -2;
    /// Only what comes from now on.
    pub const LATEST: i64 = -1;

    /// Reading from `offset`.
    pub fn new(topic: impl Into<String>, partition: i32, offset: i64) -> Self {
        Self { topic: topic.into(), partition, offset }
    }
}

/// What a partition yields.
pub enum Polled<'a> {
    /// The next record.
    Record(BorrowedMessage<'a>),
    /// The end of the partition was reached; told again each time that new records were read up to the end.
    End,
    /// The offset is outside the topic (retention overtook it, or the topic was made anew): reading stands still until
    /// [`PartitionReader::seek`].
    OutOfRange,
    /// Anything else. librdkafka goes on by itself where it can.
    Failed(RdError),
}

/// Reads partitions from given offsets, without a group, on the calling thread.
///
/// librdkafka's event for the end of a partition names the partition's number but not its topic. So each partition keeps
/// its own queue here, split off *before* the assignment (splitting later loses what came between), and every event is
/// known by the queue that it came through. A queue that is not polled is simply not read on: its bound is
/// `queued.min.messages`, so [`PartitionReader::pause`] costs nothing and loses nothing.
pub struct PartitionReader {
    // Queues go first: each holds the consumer, and the consumer must be the last to go.
    queues: Vec<Queue>,
    consumer: Arc<BaseConsumer<Tracing>>,
    wake: Arc<Wake>,
    /// The queue that the next turn starts with, so that a busy partition does not starve the rest.
    next: usize,
    /// All brokers are gone, which no partition's queue tells.
    unreachable: Option<RdError>,
}

struct Queue {
    position: Position,
    events: PartitionQueue<Tracing>,
    /// Set by librdkafka when the queue gets its first event, cleared when it was found empty.
    ready: Arc<AtomicBool>,
    paused: bool,
    /// After [`Polled::OutOfRange`]: librdkafka has ended the fetching and takes no seek.
    ended: bool,
}

/// Lets the reading thread sleep until any queue has something.
#[derive(Default)]
struct Wake {
    awake: Mutex<bool>,
    changed: Condvar,
}

impl Wake {
    fn wake(&self) {
        *self.awake.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    fn sleep(&self, timeout: Duration) {
        let awake = self.awake.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut awake, _) =
            self.changed.wait_timeout_while(awake, timeout, |awake| !*awake).unwrap_or_else(PoisonError::into_inner);
        *awake = false;
    }
}

/// How long the reader sleeps at most before it serves librdkafka's log and errors.
const SERVE_EVERY: Duration = Duration::from_millis(100);

/// How long opening waits for the topics' leaders.
const LEADERS_WITHIN: Duration = Duration::from_secs(2);

impl PartitionReader {
    /// Starts to read. `config` is [`super::Cluster::consumer_config`].
    pub fn open(config: &ClientConfig, positions: &[Position]) -> Result<Self, KafkaError> {
        let client_error = |error| KafkaError::from_client("consumer", &error);
        let consumer: BaseConsumer<Tracing> = config.create_with_context(Tracing).map_err(client_error)?;
        let consumer = Arc::new(consumer);
        let wake = Arc::new(Wake::default());
        let mut queues = Vec::with_capacity(positions.len());
        let mut assignment = TopicPartitionList::with_capacity(positions.len());
        for position in positions {
            let mut events = consumer.split_partition_queue(&position.topic, position.partition).ok_or_else(|| {
                KafkaError::Topic { topic: position.topic.clone(), reason: "not a topic's name".into() }
            })?;
            let ready = Arc::new(AtomicBool::new(true));
            events.set_nonempty_callback({
                let (ready, wake) = (Arc::clone(&ready), Arc::clone(&wake));
                move || {
                    ready.store(true, Ordering::Release);
                    wake.wake();
                }
            });
            assignment
                .add_partition_offset(&position.topic, position.partition, raw(position.offset))
                .map_err(client_error)?;
            queues.push(Queue { position: position.clone(), events, ready, paused: false, ended: false });
        }
        // Leaders learnt first save half a second: an assignment that knows none asks again only after that. Where no
        // broker answers yet, librdkafka goes on looking by itself.
        let _ = consumer.client().fetch_metadata(None, LEADERS_WITHIN);
        consumer.assign(&assignment).map_err(client_error)?;
        Ok(Self { queues, consumer, wake, next: 0, unreachable: None })
    }

    /// Hands out at most `max` events, each with the index of its partition in the order given to [`Self::open`], and
    /// returns how many. Waits up to `timeout` for the first one and never for more.
    pub fn poll(&mut self, max: usize, timeout: Duration, mut take: impl FnMut(usize, Polled<'_>)) -> usize {
        let deadline = Instant::now() + timeout;
        loop {
            // Logs and errors of the whole client; no records come this way.
            if let Some(Err(error)) = self.consumer.poll(Duration::ZERO) {
                tracing::debug!(%error, "kafka consumer event");
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
                    self.unreachable = Some(error);
                }
            }
            let taken = self.drain(max, &mut take);
            let left = deadline.saturating_duration_since(Instant::now());
            if taken > 0 || left.is_zero() {
                return taken;
            }
            self.wake.sleep(left.min(SERVE_EVERY));
        }
    }

    fn drain(&mut self, max: usize, take: &mut impl FnMut(usize, Polled<'_>)) -> usize {
        let count = self.queues.len();
        let mut taken = 0;
        for turn in 0..count {
            let index = (self.next + turn) % count;
            let queue = &mut self.queues[index];
            // Cleared before the look, so that an event in between sets it again.
            if queue.paused || !queue.ready.swap(false, Ordering::AcqRel) {
                continue;
            }
            while taken < max {
                let Some(event) = queue.events.poll(Duration::ZERO) else { break };
                taken += 1;
                let event = polled(event);
                queue.ended |= matches!(event, Polled::OutOfRange);
                take(index, event);
            }
            if taken >= max {
                // There may be more; another partition comes first.
                queue.ready.store(true, Ordering::Release);
                self.next = (index + 1) % count;
                return taken;
            }
        }
        taken
    }

    /// That no broker can be reached, once each time that librdkafka finds out. It tells nobody when one is back.
    pub fn take_unreachable(&mut self) -> Option<RdError> {
        self.unreachable.take()
    }

    /// The partitions, in the order of their indices, with the offsets they were started from.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = &Position> {
        self.queues.iter().map(|queue| &queue.position)
    }

    /// Stops handing out this partition's events; what librdkafka has already fetched stays in its queue.
    pub fn pause(&mut self, index: usize) {
        self.queues[index].paused = true;
    }

    /// Goes on where [`Self::pause`] stopped.
    pub fn resume(&mut self, index: usize) {
        let queue = &mut self.queues[index];
        queue.paused = false;
        queue.ready.store(true, Ordering::Release);
    }

    /// Reads on from another offset; what was fetched from the old one is dropped by librdkafka.
    pub fn seek(&mut self, index: usize, offset: i64) -> Result<(), KafkaError> {
        let queue = &mut self.queues[index];
        queue.position.offset = offset;
        let Position { topic, partition, .. } = &queue.position;
        let result = if std::mem::take(&mut queue.ended) {
            reassign(&self.consumer, topic, *partition, raw(offset))
        } else {
            // With no time to wait the request is only handed over: the events that follow tell how it went.
            self.consumer.seek(topic, *partition, raw(offset), Duration::ZERO)
        };
        result.map_err(|error| KafkaError::from_topic(topic, &error))
    }

    /// The next offset to read, past markers of transactions too; `None` before the first record.
    pub fn position(&self, index: usize) -> Option<i64> {
        let Position { topic, partition, .. } = &self.queues[index].position;
        match self.consumer.position().ok()?.find_partition(topic, *partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    /// Commits offsets to Kafka for the eyes of lag tools, without waiting; our own truth is in the store.
    pub fn commit(&self, offsets: &[Position]) {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for position in offsets {
            if list.add_partition_offset(&position.topic, position.partition, Offset::Offset(position.offset)).is_err()
            {
                return;
            }
        }
        if let Err(error) = self.consumer.commit(&list, CommitMode::Async) {
            tracing::debug!(%error, "offset commit failed");
        }
    }

    /// Closes on a thread of its own, because leaving may hang on a broker that is gone, and waits for it up to
    /// `deadline`. True when it was done by then.
    pub fn close(self, deadline: Duration) -> bool {
        let (done, closed) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(self);
            let _ = done.send(());
        });
        closed.recv_timeout(deadline).is_ok()
    }
}

/// Starts the fetching of one partition anew. Its queue stays split off: librdkafka remembers that the application did it.
fn reassign(consumer: &BaseConsumer<Tracing>, topic: &str, partition: i32, offset: Offset) -> Result<(), RdError> {
    let mut list = TopicPartitionList::with_capacity(1);
    list.add_partition_offset(topic, partition, offset)?;
    consumer.incremental_unassign(&list)?;
    consumer.incremental_assign(&list)
}

fn raw(offset: i64) -> Offset {
    match offset {
        Position::EARLIEST => Offset::Beginning,
        Position::LATEST => Offset::End,
        at => Offset::Offset(at),
    }
}

fn polled(event: Result<BorrowedMessage<'_>, RdError>) -> Polled<'_> {
    use RDKafkaErrorCode::{AutoOffsetReset, OffsetOutOfRange};
    match event {
        Ok(record) => Polled::Record(record),
        Err(RdError::PartitionEOF(_)) => Polled::End,
        Err(error) => match error.rdkafka_error_code() {
            Some(AutoOffsetReset | OffsetOutOfRange) => Polled::OutOfRange,
            _ => Polled::Failed(error),
        },
    }
}
