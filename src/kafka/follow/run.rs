//! Follows both state topics of a Kafka.

use std::time::Duration;

use rdkafka::{Message, consumer::Consumer};
use tokio_util::sync::CancellationToken;

use super::{ChainRecord, Follower, StateTopic, Step};
use crate::kafka::{
    Cluster, KafkaError, PartitionReader, Polled, Position, StateRecord,
    client::connect,
    topics::{STATE_FULL, STATE_INCREMENTAL, watermarks_of},
};

/// How to follow.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// Check every full and every old value that a delta names.
    pub verify: bool,
    /// Start with the first full that the topic holds; else with the last.
    pub from_beginning: bool,
    /// Stop at the ends that the topics had at the start; else go on until stopped.
    pub until_end: bool,
    /// Stop at the first break.
    pub stop_at_break: bool,
    /// Stop once so many fulls were read and, with `verify`, checked.
    pub until_fulls: Option<u64>,
}

/// One thing that happened, in the order in which it did.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// A record was read; the steps that it leads to follow, at once or with a later record.
    Record(StateTopic, &'a StateRecord),
    /// What became of a record.
    Step(&'a Step),
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowSummary {
    /// Incrementals applied.
    pub applied: u64,
    /// Fulls equal to what was built.
    pub verified: u64,
    /// Fulls that the state was taken from.
    pub resets: u64,
    /// Incrementals that did not continue the held state.
    pub gaps: u64,
    /// Records of older epochs, without one, or already held.
    pub skipped: u64,
    /// Broken promises.
    pub breaks: u64,
    /// The first of them.
    pub first_break: Option<Step>,
    /// The timestamp of the last state held.
    pub timestamp: Option<String>,
}

impl FollowSummary {
    fn count(&mut self, step: &Step) {
        match step {
            Step::Applied { .. } => self.applied += 1,
            Step::Verified { .. } => self.verified += 1,
            Step::Reset { .. } => self.resets += 1,
            Step::Gap { .. } => self.gaps += 1,
            Step::Skipped { .. } => self.skipped += 1,
            Step::Broken { .. } | Step::Misfit { .. } | Step::Malformed { .. } => {
                self.breaks += 1;
                self.first_break.get_or_insert_with(|| step.clone());
            }
        }
    }
}

const FULL: usize = 0;
const INCREMENTAL: usize = 1;

/// Follows `state.full` and `state.incremental` until `stop` (or as the options say), handing each record, each step and the
/// follower after it to `told`. Runs on a blocking thread.
///
/// Incrementals are read as long as a state is held that they could lead on from; before the first full none is.
///
/// # Errors
/// When the topics do not exist or no broker answers at the start. Later on librdkafka waits for the broker to come back.
pub async fn run_follow(
    cluster: &Cluster,
    options: FollowOptions,
    stop: CancellationToken,
    told: impl FnMut(Seen<'_>, &Follower) + Send + 'static,
) -> Result<FollowSummary, KafkaError> {
    let from = if options.from_beginning {
        Position::EARLIEST
    } else {
        let last = cluster.last_record_with_epoch(STATE_FULL, Duration::from_secs(30)).await?;
        last.map_or(Position::EARLIEST, |record| record.offset)
    };
    let cluster = cluster.clone();
    tokio::task::spawn_blocking(move || follow(&cluster, &options, &stop, from, told))
        .await
        .unwrap_or_else(|error| Err(KafkaError::Unavailable { action: "follow", reason: error.to_string() }))
}

fn follow(
    cluster: &Cluster,
    options: &FollowOptions,
    stop: &CancellationToken,
    from: i64,
    mut told: impl FnMut(Seen<'_>, &Follower),
) -> Result<FollowSummary, KafkaError> {
    let client = connect(&cluster.admin_config())?;
    let end = |topic| watermarks_of(client.client(), topic, 0).map(|watermarks| watermarks.high);
    let ends = [end(STATE_FULL)?, end(STATE_INCREMENTAL)?];
    // Incrementals from the first on: those at or before the full are skipped by their timestamps.
    let positions = [Position::new(STATE_FULL, 0, from), Position::new(STATE_INCREMENTAL, 0, Position::EARLIEST)];
    let mut reader = PartitionReader::open(&cluster.consumer_config(), &positions)?;
    let mut follower = Follower::new(options.verify);
    let mut summary = FollowSummary::default();
    let mut at = [Progress::new(), Progress::new()];
    // Where the incremental topic ended when the full that waits was read.
    let mut needed: Option<i64> = None;
    let mut fulls = 0;
    while !stop.is_cancelled() {
        // Without a state an incremental leads nowhere: the full comes first.
        let wanted =
            [follower.wants(StateTopic::Full), follower.wants(StateTopic::Incremental) && holds_state(&follower)];
        for index in [FULL, INCREMENTAL] {
            if wanted[index] { reader.resume(index) } else { reader.pause(index) }
        }
        let mut steps = Vec::new();
        // One at a time: after each record another topic may be wanted.
        reader.poll(1, Duration::from_millis(100), |index, event| match event {
            Polled::Record(record) => {
                at[index] = Progress { next: record.offset() + 1, ended: false, lost: false };
                let topic = if index == FULL { StateTopic::Full } else { StateTopic::Incremental };
                let Some(record) = StateRecord::read(&record) else {
                    steps = vec![Step::Skipped { why: "no epoch" }];
                    return;
                };
                let current = follower.epoch().is_none_or(|epoch| record.epoch >= epoch);
                fulls += u64::from(index == FULL && current);
                told(Seen::Record(topic, &record), &follower);
                steps = follower.offer(topic, &ChainRecord::from(record));
            }
            Polled::End => at[index].ended = true,
            Polled::OutOfRange => at[index].lost = true,
            Polled::Failed(error) => tracing::warn!(%error, "state topic cannot be read now"),
        });
        for (index, progress) in at.iter_mut().enumerate() {
            if std::mem::take(&mut progress.lost) {
                reader.seek(index, Position::EARLIEST)?;
            }
        }
        if follower.wants(StateTopic::Full) {
            needed = None;
        } else if steps.is_empty() {
            let needed = match needed {
                Some(needed) => needed,
                None => *needed.insert(end(STATE_INCREMENTAL)?),
            };
            if at[INCREMENTAL].reached(needed, &reader, INCREMENTAL) {
                steps = follower.incrementals_exhausted();
            }
        }
        for step in &steps {
            summary.count(step);
            told(Seen::Step(step), &follower);
        }
        let enough = options.until_fulls.is_some_and(|enough| fulls >= enough) && follower.wants(StateTopic::Full);
        if enough || options.stop_at_break && summary.breaks > 0 {
            break;
        }
        // An incremental that waits for a full which is not there yet is no reason to go on.
        let full_done = at[FULL].reached(ends[FULL], &reader, FULL) && follower.wants(StateTopic::Full);
        let stuck = !follower.wants(StateTopic::Incremental) || !holds_state(&follower);
        if options.until_end && full_done && (stuck || at[INCREMENTAL].reached(ends[INCREMENTAL], &reader, INCREMENTAL))
        {
            break;
        }
    }
    summary.timestamp = follower.timestamp().map(str::to_owned);
    reader.close(Duration::from_secs(5));
    Ok(summary)
}

fn holds_state(follower: &Follower) -> bool {
    follower.timestamp().is_some()
}

/// How far a partition was read.
struct Progress {
    next: i64,
    ended: bool,
    lost: bool,
}

impl Progress {
    fn new() -> Self {
        Self { next: 0, ended: false, lost: false }
    }

    /// Whether everything before `end` was read. Markers of transactions take offsets and yield no record: the partition's
    /// end and librdkafka's own position know of them.
    fn reached(&self, end: i64, reader: &PartitionReader, index: usize) -> bool {
        self.next >= end || (self.ended && (end == 0 || reader.position(index).is_none_or(|at| at >= end)))
    }
}

impl From<StateRecord> for ChainRecord {
    fn from(record: StateRecord) -> Self {
        Self {
            epoch: Some(record.epoch),
            previous: record.header("previousTimestamp").map(str::to_owned),
            value: record.value.into(),
        }
    }
}
