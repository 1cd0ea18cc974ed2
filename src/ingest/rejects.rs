//! Records that were refused, on their way to `twin.dead-letter`.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::twin::{event::Topic, reject::Reject};

/// The most that wait before the partitions they come by pause. At the usual size of an event that is some 3 MB; records
/// of a whole mebibyte are bounded by [`MAX_BYTES`] instead.
const MAX_WAITING: usize = 10_000;
/// The most bytes that wait.
const MAX_BYTES: usize = 64 << 20;

/// A record that was refused, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub topic: Topic,
    pub partition: i32,
    pub offset: i64,
    /// The record's own, in milliseconds.
    pub timestamp: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub why: Reject,
}

impl Rejected {
    fn size(&self) -> usize {
        self.key.as_ref().map_or(0, Bytes::len) + self.value.as_ref().map_or(0, Bytes::len)
    }
}

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Rejected>,
    /// Offsets by partition that wait or are being sent.
    unacknowledged: HashMap<(Topic, i32), BTreeSet<i64>>,
    count: usize,
    bytes: usize,
}

/// What was refused and is not yet acknowledged by `twin.dead-letter`.
#[derive(Default)]
pub struct Rejects {
    /// Only a writer sends dead letters; a replica counts and lets go.
    kept: AtomicBool,
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Rejects {
    /// Whether what comes from now on is kept for sending. What waits is dropped: who takes over reads it again.
    pub fn keep(&self, kept: bool) {
        let mut waiting = self.lock();
        self.kept.store(kept, Ordering::Release);
        *waiting = Waiting::default();
    }

    /// Takes a refused record in. Call it before the partition's progress passes the record.
    pub fn push(&self, rejected: Rejected) {
        if !self.kept.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.lock();
        let offsets = waiting.unacknowledged.entry((rejected.topic, rejected.partition)).or_default();
        if offsets.insert(rejected.offset) {
            waiting.count += 1;
            waiting.bytes += rejected.size();
            waiting.queue.push_back(rejected);
            drop(waiting);
            self.arrived.notify_one();
        }
    }

    /// The next ones to send, at most `most`; waits for the first.
    pub async fn next(&self, most: usize) -> Vec<Rejected> {
        loop {
            let arrived = self.arrived.notified();
            {
                let mut waiting = self.lock();
                if !waiting.queue.is_empty() {
                    let count = most.min(waiting.queue.len());
                    return waiting.queue.drain(..count).collect();
                }
            }
            arrived.await;
        }
    }

    /// Notes that the broker has one.
    pub fn acknowledge(&self, rejected: &Rejected) {
        let mut waiting = self.lock();
        let partition = (rejected.topic, rejected.partition);
        if let Some(offsets) = waiting.unacknowledged.get_mut(&partition)
            && offsets.remove(&rejected.offset)
        {
            if offsets.is_empty() {
                waiting.unacknowledged.remove(&partition);
            }
            waiting.count -= 1;
            waiting.bytes -= rejected.size();
        }
    }

    /// The offset that may be stored for a partition that was folded up to `next`: never past what is not acknowledged.
    pub fn safe_offset(&self, topic: Topic, partition: i32, next: i64) -> i64 {
        let waiting = self.lock();
        let first = waiting.unacknowledged.get(&(topic, partition)).and_then(|offsets| offsets.first().copied());
        first.map_or(next, |first| first.min(next))
    }

    /// How many wait for their acknowledgement.
    pub fn waiting(&self) -> usize {
        self.lock().count
    }

    /// Whether so many wait that the partitions they come by should pause.
    pub fn is_full(&self) -> bool {
        let waiting = self.lock();
        waiting.count >= MAX_WAITING || waiting.bytes >= MAX_BYTES
    }

    /// Whether so few wait that partitions that were paused may go on.
    pub fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.count < MAX_WAITING / 2 && waiting.bytes < MAX_BYTES / 2
    }

    /// Whether a partition has any that wait.
    pub fn comes_by(&self, topic: Topic, partition: i32) -> bool {
        self.lock().unacknowledged.contains_key(&(topic, partition))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
