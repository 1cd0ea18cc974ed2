//! Subscribers of one operation who stand at the same place take the same step, so it is made once, and its text too.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    batch::{Batch, SnapshotReason},
    cells::Counts,
    cursor::{Cursor, SubscriptionId},
    feed::{Feed, Scene},
    lens::{Importance, Mode},
};
use crate::twin::{entity::Handle, tile::Tile};

/// How long a step is kept for others to take: by then the next moments have come.
const KEPT: Duration = Duration::from_secs(1);

/// The most steps of an operation that are kept: those of a snapshot of 64,000 entities.
const STEPS: usize = 64;

/// Where a feed stands: of two of one operation that stand at the same place, what their clients hold is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// At the beginning of a snapshot.
    Start(SnapshotReason),
    /// After a complete batch of this revision.
    Complete { revision: u64, mode: Mode, roads: Importance },
    /// After a batch that was not complete; each has its own number.
    Midway(u64),
}

impl Stand {
    /// Where nobody else stands yet.
    pub fn midway() -> Self {
        static GIVEN: AtomicU64 = AtomicU64::new(0);
        Self::Midway(GIVEN.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a batch does to a feed.
#[derive(Debug)]
pub struct Step {
    /// `None` where nobody else can stand.
    pub from: Option<Stand>,
    pub to: Stand,
    pub batch: Arc<Batch>,
    /// What it brought or took.
    pub toggled: Vec<Handle>,
    pub base: u64,
    pub held_points: usize,
    pub roads: Importance,
    pub cells: Arc<BTreeMap<Tile, Arc<Counts>>>,
}

/// The subscribers of one operation.
#[derive(Debug, Default)]
pub struct Group(Mutex<VecDeque<(Instant, Arc<Step>)>>);

impl Group {
    /// The feed's next batch: the one that another one took from where it stands, or its own.
    pub fn next(&self, feed: &mut Feed, scene: Scene<'_>) -> Option<(u64, Arc<Batch>)> {
        let mut steps = lock(&self.0);
        while steps.front().is_some_and(|(made, _)| made.elapsed() > KEPT) || steps.len() > STEPS {
            steps.pop_front();
        }
        let from = feed.stand();
        // Those who are still taking what there was at the beginning follow the one who began first; else only the present
        // moment counts.
        let fits = |step: &Step| {
            let revision = step.batch.view.revision;
            let present = revision == scene.view.revision || !matches!(from, Some(Stand::Complete { .. }));
            step.from == from && present && revision >= feed.revision()
        };
        if from.is_some()
            && let Some((_, step)) = steps.iter().rev().find(|(_, step)| fits(step))
        {
            return Some((feed.follow(step), Arc::clone(&step.batch)));
        }
        let (number, step) = feed.next(scene)?;
        let batch = Arc::clone(&step.batch);
        if step.from.is_some() {
            steps.push_back((Instant::now(), Arc::new(step)));
        }
        Some((number, batch))
    }
}

/// The operations that are subscribed to, by what makes two the same.
#[derive(Debug, Default)]
pub struct Groups(Mutex<HashMap<Box<str>, Weak<Group>>>);

impl Groups {
    /// The group of an operation.
    pub fn join(&self, operation: &str) -> Arc<Group> {
        let mut groups = lock(&self.0);
        if let Some(group) = groups.get(operation).and_then(Weak::upgrade) {
            return group;
        }
        // Each time that it would grow, those who are gone make room.
        if groups.len() == groups.capacity() {
            groups.retain(|_, group| group.strong_count() > 0);
        }
        let group = Arc::default();
        groups.insert(operation.into(), Arc::downgrade(&group));
        group
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is a subscriber's own in a batch that it shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Of [`Cursor::LENGTH`].
    pub cursor: String,
    /// Of [`SubscriptionId::LENGTH`].
    pub subscription: String,
}

impl From<Cursor> for Own {
    fn from(cursor: Cursor) -> Self {
        Self { cursor: cursor.to_string(), subscription: cursor.subscription.to_string() }
    }
}

/// A batch as text, the same for all who share it but for what is each one's own.
#[derive(Debug)]
pub struct Text {
    /// With gaps where something of the subscriber's own belongs.
    text: String,
    /// Where they begin, in order; which of the two belongs there.
    gaps: Vec<(usize, Gap)>,
}

#[derive(Clone, Copy, Debug)]
enum Gap {
    Cursor,
    Subscription,
}

impl Text {
    /// What stands in a text for the subscriber's own until it is known: nothing else holds these letters but by a chance
    /// of one in 2^128.
    pub fn stand_in() -> Own {
        let subscription = SubscriptionId::draw();
        let half = subscription.0 as u64;
        Own::from(Cursor { instance: half, epoch: half, batch: half, subscription })
    }

    /// A text that was written with a stand-in.
    pub fn new(text: String, stand_in: &Own) -> Self {
        let cursors = text.match_indices(&stand_in.cursor).map(|(at, _)| (at, Gap::Cursor));
        let subscriptions = text.match_indices(&stand_in.subscription).map(|(at, _)| (at, Gap::Subscription));
        let mut gaps: Vec<_> = cursors.chain(subscriptions).collect();
        gaps.sort_unstable_by_key(|(at, _)| *at);
        Self { text, gaps }
    }

    /// Appends the text of one subscriber.
    pub fn write(&self, own: &Own, out: &mut Vec<u8>) {
        let (text, mut done) = (self.text.as_bytes(), 0);
        out.reserve(text.len() + 8);
        for (at, gap) in &self.gaps {
            out.extend_from_slice(&text[done..*at]);
            let own = match gap {
                Gap::Cursor => &own.cursor,
                Gap::Subscription => &own.subscription,
            };
            out.extend_from_slice(own.as_bytes());
            done = at + own.len();
        }
        out.extend_from_slice(&text[done..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_in_the_same_text() {
        let own = || {
            Own::from(Cursor { instance: 1, epoch: 2, batch: fastrand::u64(..), subscription: SubscriptionId::draw() })
        };
        let write =
            |own: &Own| format!("{{\"a\":\"{0}\",\"b\":\"{1}\",\"c\":\"{0}\",\"d\":1}}", own.cursor, own.subscription);
        let stand_in = Text::stand_in();
        let of = |text: String, own: &Own| {
            let mut out = b"before ".to_vec();
            Text::new(text, &stand_in).write(own, &mut out);
            String::from_utf8(out).unwrap()
        };
        for own in [own(), own()] {
            assert_eq!(of(write(&stand_in), &own), format!("before {}", write(&own)));
        }
        assert_eq!(of("{}".into(), &own()), "before {}");
    }

    #[test]
    fn operations_that_are_gone_leave_no_trace() {
        let groups = Groups::default();
        let kept = groups.join("kept");
        assert!(Arc::ptr_eq(&kept, &groups.join("kept")));
        for n in 0..10_000 {
            groups.join(&format!("{n}"));
        }
        assert!(lock(&groups.0).len() < 100);
    }
}
