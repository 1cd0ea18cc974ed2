//! What all subscribers share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{
    arrivals::Arrivals,
    batch::{Given, SnapshotReason},
    cells::Grids,
    cursor::{Cursor, SubscriptionId},
    feed::{Feed, Limits, Scene},
    index::Index,
    listeners::Listeners,
    sessions::{Over, Patience, Seat, Sessions, Socket},
    share::Groups,
};
use crate::{
    config::LiveConfig,
    ingest::Fold,
    publish::Chain,
    telemetry,
    twin::{selection::Selection, time::Time, view::View},
};

/// The most changes of one batch: some hundred kilobytes of JSON, so that one subscriber of a whole city neither holds
/// much memory at once nor keeps its socket from other operations for long.
pub const PAGE: usize = 1000;

/// The shortest and the longest time between two moments that subscribers see: what comes within it goes to all of them as
/// one change. Where it takes longer until all have looked, those at the end of the line see a later moment than those at its beginning.
const TICK: [Duration; 2] = [Duration::from_millis(4), Duration::from_millis(6)];

/// Intervals of four times as much or more end at multiples of this.
const SHARED: Duration = Duration::from_millis(25);

/// How often what nobody comes back for is forgotten, and who is late is looked for.
const ROUND: Duration = Duration::from_secs(1);

/// What somebody subscribes to.
#[derive(Debug, Default)]
pub struct Wish {
    pub selection: Selection,
    /// The level of the cells that may stand for entities.
    pub level: Option<u8>,
    /// What makes two operations the same: those who ask with the same text are given the same batches.
    pub operation: Option<String>,
}

/// The live city, the published chain, and who looks at what.
#[derive(Debug)]
pub struct Hub {
    fold: Arc<Fold>,
    chain: Arc<Chain>,
    newest: watch::Receiver<(u64, Time)>,
    newest_revision: watch::Receiver<u64>,
    instance: u64,
    limits: Limits,
    stage: RwLock<Stage>,
    /// Held by who makes the next moment.
    making: Mutex<()>,
    grids: Grids,
    groups: Groups,
    listeners: Arc<Listeners>,
    sessions: Arc<Sessions>,
    arrivals: Mutex<Arrivals>,
    /// How long the last one of those who were told of the present moment took until it looked, in nanoseconds.
    slowest: AtomicU64,
    began: Instant,
}

/// The moment that all subscribers see.
#[derive(Debug)]
struct Stage {
    view: Arc<View>,
    index: Index,
    /// The revision of the first change since the moment before.
    from: u64,
    at: Instant,
}

impl Hub {
    /// What subscribers of this city need. To be called within a runtime: as long as it is there, two tasks tell them
    /// when something changes, and forget those who do not come back.
    pub fn new(fold: Arc<Fold>, chain: Arc<Chain>, config: &LiveConfig) -> Arc<Self> {
        let (view, mut index) = (fold.view(), Index::default());
        index.catch_up(&view);
        let listeners = Arc::<Listeners>::default();
        let patience = Patience { time: config.resume, bytes: config.resume_bytes };
        let hub = Arc::new(Self {
            newest: chain.newest(),
            newest_revision: fold.revisions(),
            instance: fastrand::u64(..),
            limits: Limits { page: PAGE, cells_above: config.cells_above, roads_above: config.roads_above },
            stage: RwLock::new(Stage { from: view.revision + 1, view, index, at: Instant::now() }),
            making: Mutex::default(),
            grids: Grids::default(),
            groups: Groups::default(),
            sessions: Sessions::new(patience, Arc::clone(&listeners)),
            listeners,
            arrivals: Mutex::default(),
            slowest: AtomicU64::new(0),
            began: Instant::now(),
            fold,
            chain,
        });
        tokio::spawn(tick(Arc::downgrade(&hub), hub.fold.revisions()));
        tokio::spawn(make_rounds(Arc::downgrade(&hub)));
        hub
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
    pub fn subscribe(&self, wish: Wish, resume: Option<Cursor>, socket: Socket) -> Seat {
        let seat = self.seat(wish, resume, socket);
        self.rise();
        seat
    }

    fn seat(&self, wish: Wish, resume: Option<Cursor>, socket: Socket) -> Seat {
        let Wish { selection, level, operation } = wish;
        let group = operation.map(|operation| self.groups.join(&operation));
        let reason = match resume {
            None => SnapshotReason::Start,
            Some(cursor) if cursor.instance != self.instance => SnapshotReason::NotHere,
            Some(cursor) if cursor.epoch != self.newest.borrow().0 => SnapshotReason::NewEpoch,
            Some(Cursor { subscription, batch, .. }) => {
                match self.sessions.resume(subscription, batch, selection.clone(), level, socket) {
                    Some(seat) => return seat.within(group),
                    None => SnapshotReason::NotHeld,
                }
            }
        };
        self.sessions.start(Feed::new(selection, level, reason, self.limits), socket).within(group)
    }

    /// A subscription that cannot be steered, and ends with its stream.
    pub fn subscribe_alone(&self, wish: Wish) -> Seat {
        let group = wish.operation.map(|operation| self.groups.join(&operation));
        let feed = Feed::new(wish.selection, wish.level, SnapshotReason::Start, self.limits);
        let seat = self.sessions.start_alone(feed).within(group);
        self.rise();
        seat
    }

    /// Nobody made moments while nobody listened: to be called once somebody does.
    fn rise(&self) {
        let made = self.stage.read().unwrap_or_else(PoisonError::into_inner).view.revision;
        if made < *self.newest_revision.borrow() {
            self.tick();
        }
    }

    /// Moves a running subscription to another selection, and gives the move's number; `None` where no stream of this
    /// instance has that id and came by that socket.
    pub fn look_at(&self, id: SubscriptionId, socket: Socket, selection: Selection, level: Option<u8>) -> Option<i32> {
        self.sessions.look_at(id, socket, selection, level)
    }

    /// What a subscription finds in the city as it is now.
    pub(super) fn look(&self, seat: &Seat) -> Result<Option<Given>, Over> {
        self.listeners.turnstile().leave(seat.ear());
        let stage = self.stage.read().unwrap_or_else(PoisonError::into_inner);
        if seat.ear().take() == stage.from {
            // It was told of this moment and of none before: this is how long that took.
            self.slowest.fetch_max(stage.at.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
        let found = seat.look(Scene { view: &stage.view, index: &stage.index, grids: &self.grids })?;
        let Some((number, batch)) = found else { return Ok(None) };
        if batch.view.revision < stage.view.revision {
            // It follows one who began earlier, and has yet to see the present.
            self.listeners.turnstile().again(seat.ear());
        }
        drop(stage);
        if let Some(age) = batch.oldest.and_then(|revision| self.arrivals().age(revision)) {
            telemetry::subscriber_lag().record(age);
        }
        let epoch = self.newest.borrow().0;
        let cursor = Cursor { instance: self.instance, epoch, batch: number, subscription: seat.id() };
        Ok(Some(Given { batch, cursor, is_shared: seat.is_shared() }))
    }

    /// Waits until a subscription is due to look, at a moment at the soonest.
    pub(super) async fn wait(&self, seat: &Seat, due: Instant) {
        self.listeners.turnstile().wait(seat.ear(), due).await;
    }

    /// When one who is given something now, or was due to be lately, is due again. Long intervals end at the same moments
    /// for all who ask for the same, so that they share what they are given.
    pub(super) fn due(&self, last: Instant, interval: Duration) -> Instant {
        let now = Instant::now();
        let from = if last <= now && now - last < SHARED { last } else { now };
        let due = from + interval;
        if interval < 4 * SHARED {
            return due;
        }
        let moments = due.duration_since(self.began).as_nanos().div_ceil(SHARED.as_nanos());
        self.began + SHARED * u32::try_from(moments).unwrap_or(u32::MAX)
    }

    /// Makes the city as it is now the moment that all see, and tells those whom that may concern.
    fn tick(&self) {
        // One at a time, so that no moment comes after a later one. Nobody who looks waits for the fold.
        let _turn = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let view = self.fold.view();
        let mut stage = self.stage.write().unwrap_or_else(PoisonError::into_inner);
        let touched = stage.index.catch_up(&view);
        let from = stage.view.revision + 1;
        (stage.from, stage.view, stage.at) = (from, view, Instant::now());
        drop(stage);
        self.listeners.tell(&touched, from);
    }

    /// How long to wait until the next moment: twice as long as it took lately until everyone had looked, within bounds, so that many
    /// subscribers get fewer moments. Where it takes longer than that, the turnstile keeps them from being in the way of the rest.
    fn gap(&self) -> Duration {
        Duration::from_nanos(2 * self.slowest.swap(0, Ordering::Relaxed)).clamp(TICK[0], TICK[1])
    }

    /// How late the latest subscriber is.
    fn worst_lag(&self) -> Duration {
        let oldest = self.listeners.oldest_untaken();
        oldest.and_then(|revision| self.arrivals().age(revision)).unwrap_or_default()
    }

    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moments: at once when something changes, and then with a gap between; none while nobody listens.
async fn tick(hub: Weak<Hub>, mut revisions: watch::Receiver<u64>) {
    let (mut due, mut changed) = (Instant::now(), false);
    loop {
        // A timer takes a millisecond even where it is due.
        if changed && due <= Instant::now() {
            let Some(hub) = hub.upgrade() else { return };
            hub.tick();
            due = Instant::now() + hub.gap();
            changed = false;
        }
        tokio::select! {
            biased;
            open = revisions.changed() => {
                let Some(hub) = hub.upgrade().filter(|_| open.is_ok()) else { return };
                let revision = *revisions.borrow_and_update();
                // A moment costs the fold a copy of all that changes after it: none is made for nobody.
                changed = !hub.listeners.is_empty();
                if changed {
                    hub.arrivals().note(revision, Instant::now());
                }
            }
            // Also where that time has come by now: there may be no later change to wake this.
            () = tokio::time::sleep_until(due), if changed => {}
        }
    }
}

async fn make_rounds(hub: Weak<Hub>) {
    while let Some(hub) = hub.upgrade() {
        hub.sessions.sweep();
        hub.listeners.turnstile().move_up();
        telemetry::subscriber_worst_lag().set(hub.worst_lag().as_secs_f64());
        drop(hub);
        tokio::time::sleep(ROUND).await;
    }
}
