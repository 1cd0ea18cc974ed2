//! What all subscribers share.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{
    batch::{Batch, SnapshotReason},
    cells::Grids,
    cursor::{Cursor, SubscriptionId},
    feed::{Feed, Limits, Scene},
    sessions::{Look, Patience, Seat, Sessions, Socket},
};
use crate::{
    config::LiveConfig,
    ingest::Fold,
    publish::Chain,
    telemetry,
    twin::{selection::Selection, time::Time},
};

/// The most changes of one batch: some hundred kilobytes of JSON, so that one subscriber of a whole city neither holds
/// much memory at once nor keeps its socket from other operations for long.
pub const PAGE: usize = 1000;

/// The live city, the published chain, and when which change came.
#[derive(Debug)]
pub struct Hub {
    fold: Arc<Fold>,
    chain: Arc<Chain>,
    newest: watch::Receiver<(u64, Time)>,
    instance: u64,
    arrivals: Arc<Mutex<Arrivals>>,
    limits: Limits,
    grids: Grids,
    sessions: Arc<Sessions>,
}

impl Hub {
    /// What subscribers of this city need. To be called within a runtime: until the city is dropped a task notes when
    /// changes come.
    pub fn new(fold: Arc<Fold>, chain: Arc<Chain>, config: &LiveConfig) -> Arc<Self> {
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        tokio::spawn(note_arrivals(fold.revisions(), Arc::clone(&arrivals)));
        let newest = chain.newest();
        let patience = Patience { time: config.resume, bytes: config.resume_bytes };
        Arc::new(Self {
            fold,
            chain,
            newest,
            instance: fastrand::u64(..),
            arrivals,
            limits: Limits { page: PAGE, cells_above: config.cells_above, roads_above: config.roads_above },
            grids: Grids::default(),
            sessions: Sessions::new(patience),
        })
    }

    /// The live city.
    pub fn fold(&self) -> &Arc<Fold> {
        &self.fold
    }

    /// What was published.
    pub fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// A subscription that can be steered: it goes on after the cursor, where that is still held, else begins anew.
    pub fn subscribe(&self, selection: Selection, level: Option<u8>, resume: Option<Cursor>, socket: Socket) -> Seat {
        let reason = match resume {
            None => SnapshotReason::Start,
            Some(cursor) if cursor.instance != self.instance => SnapshotReason::NotHere,
            Some(cursor) if cursor.epoch != self.newest.borrow().0 => SnapshotReason::NewEpoch,
            Some(Cursor { subscription, batch, .. }) => {
                match self.sessions.resume(subscription, batch, selection.clone(), level, socket) {
                    Some(seat) => return seat,
                    None => SnapshotReason::NotHeld,
                }
            }
        };
        self.sessions.start(Feed::new(selection, level, reason, self.limits), socket)
    }

    /// A subscription that cannot be steered, and ends with its stream.
    pub fn subscribe_alone(&self, selection: Selection) -> Seat {
        Seat::alone(Feed::new(selection, None, SnapshotReason::Start, self.limits))
    }

    /// Moves a running subscription to another selection, and gives the move's number; `None` where no stream of this
    /// instance has that id and came by that socket.
    pub fn look_at(&self, id: SubscriptionId, socket: Socket, selection: Selection, level: Option<u8>) -> Option<i32> {
        self.sessions.look_at(id, socket, selection, level)
    }

    /// The cursor of a subscription's batch.
    pub fn cursor(&self, subscription: SubscriptionId, batch: &Batch) -> Cursor {
        Cursor { instance: self.instance, epoch: self.newest.borrow().0, batch: batch.number, subscription }
    }

    /// What a subscription finds in the city as it is now.
    pub(super) fn look(&self, seat: &Seat) -> Look {
        let view = self.fold.view();
        let look = seat.look(Scene { view: &view, grids: &self.grids });
        if let Look::Batch(batch) = &look {
            self.taken(batch);
        }
        look
    }

    /// Notes in the metrics how old a batch's oldest change is at the moment when it is taken.
    fn taken(&self, batch: &Batch) {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(age) = batch.oldest.and_then(|revision| arrivals.age(revision)) {
            telemetry::subscriber_lag().record(age);
        }
    }
}

/// The shortest time between two moments that are remembered apart.
const RESOLUTION: Duration = Duration::from_millis(1);

/// The most moments that are remembered: 1.5 MiB, and more than a minute, the longest interval that a subscriber may ask
/// for. What came before the oldest counts as having come then.
const MOMENTS: usize = 65_536;

/// When revisions came, oldest first.
#[derive(Debug, Default)]
struct Arrivals(VecDeque<(u64, Instant)>);

impl Arrivals {
    fn note(&mut self, revision: u64, at: Instant) {
        match self.0.back_mut() {
            Some((last, since)) if at - *since < RESOLUTION => *last = revision,
            _ => self.0.push_back((revision, at)),
        }
        if self.0.len() > MOMENTS {
            self.0.pop_front();
        }
    }

    /// How long ago a change came; `None` where that was not noted yet.
    fn age(&self, revision: u64) -> Option<Duration> {
        let at = self.0.partition_point(|(noted, _)| *noted < revision);
        self.0.get(at).map(|(_, at)| at.elapsed())
    }
}

async fn note_arrivals(mut revisions: watch::Receiver<u64>, arrivals: Arc<Mutex<Arrivals>>) {
    while revisions.changed().await.is_ok() {
        let revision = *revisions.borrow_and_update();
        arrivals.lock().unwrap_or_else(PoisonError::into_inner).note(revision, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ages_of_changes() {
        let mut arrivals = Arrivals::default();
        assert_eq!(arrivals.age(1), None);
        for second in 1..=3 {
            arrivals.note(second * 10, Instant::now());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let ages: Vec<_> = [1, 10, 11, 20, 30].iter().map(|r| arrivals.age(*r).unwrap().as_secs()).collect();
        assert_eq!(ages, [3, 3, 2, 2, 1]);
        assert_eq!(arrivals.age(31), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_is_remembered() {
        let mut arrivals = Arrivals::default();
        let began = Instant::now();
        for revision in 1..=1_000_000_u32 {
            arrivals.note(revision.into(), began + Duration::from_micros(100) * revision);
        }
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(arrivals.0.len(), MOMENTS);
        let age = |revision| arrivals.age(revision).unwrap().as_secs_f64();
        assert!((60.0..60.002).contains(&age(400_000)), "{}", age(400_000));
        assert!((65.0..66.0).contains(&age(1)), "{}", age(1));
    }
}
