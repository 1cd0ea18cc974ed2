//! Subscriptions that outlive their streams: they can be moved, and gone on with after a reconnect.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    batch::Batch,
    cursor::SubscriptionId,
    feed::{Feed, Scene},
    index::{Area, Kinds},
    listeners::{Listeners, Listening},
    share::Group,
    turnstile::Ear,
};
use crate::twin::selection::Selection;

/// The socket that a subscription came by; `None` for an event stream, which has no way back.
pub type Socket = Option<u64>;

/// How long and how much is kept of subscriptions whose streams have ended.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub time: Duration,
    /// Of all of them together.
    pub bytes: usize,
}

/// All subscriptions that can be steered.
#[derive(Debug)]
pub struct Sessions {
    patience: Patience,
    listeners: Arc<Listeners>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<SubscriptionId, Arc<Session>>,
    /// Those that nobody reads, in the order in which their streams ended, with how much they take.
    parked: BTreeMap<u64, (SubscriptionId, Instant, usize)>,
    /// How many were ever parked.
    parkings: u64,
    /// What those parked take together.
    bytes: usize,
}

/// One subscription.
#[derive(Debug)]
struct Session {
    id: SubscriptionId,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    feed: Feed,
    /// Counts the streams that have read it: the last one has it.
    stream: u64,
    /// Told when that stream should look.
    ear: Arc<Ear>,
    /// `None` where no stream has it.
    listening: Option<Listening>,
    socket: Socket,
    /// Its number among those parked; `None` while a stream reads it.
    parked: Option<u64>,
}

/// Another stream has gone on with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over;

/// A stream's place at a subscription. When it is dropped, the subscription waits for a while to be gone on with.
#[derive(Debug)]
pub struct Seat {
    session: Arc<Session>,
    stream: u64,
    ear: Arc<Ear>,
    /// Those who may take the same steps; `None` where nobody does.
    group: Option<Arc<Group>>,
    /// `None` where the subscription ends with its stream.
    sessions: Option<Arc<Sessions>>,
}

impl Sessions {
    pub fn new(patience: Patience, listeners: Arc<Listeners>) -> Arc<Self> {
        Arc::new(Self { patience, listeners, known: Mutex::default() })
    }

    /// A new subscription that nobody else knows of, and that ends with its stream.
    pub fn start_alone(&self, feed: Feed) -> Seat {
        let ear = Arc::<Ear>::default();
        let mut state = State { feed, stream: 1, ear: Arc::clone(&ear), listening: None, socket: None, parked: None };
        state.listen(&self.listeners);
        let session = Arc::new(Session { id: SubscriptionId::draw(), state: Mutex::new(state) });
        Seat { session, stream: 1, ear, group: None, sessions: None }
    }

    /// A new subscription.
    pub fn start(self: &Arc<Self>, feed: Feed, socket: Socket) -> Seat {
        let mut seat = self.start_alone(feed);
        seat.sessions = Some(Arc::clone(self));
        seat.session.lock().socket = socket;
        lock(&self.known).sessions.insert(seat.session.id, Arc::clone(&seat.session));
        seat
    }

    /// Goes on with a subscription after a batch, with another selection; `None` where it is no longer held.
    pub fn resume(
        self: &Arc<Self>,
        id: SubscriptionId,
        after: u64,
        selection: Selection,
        level: Option<u8>,
        socket: Socket,
    ) -> Option<Seat> {
        let mut known = lock(&self.known);
        known.sweep(self.patience);
        let session = Arc::clone(known.sessions.get(&id)?);
        let mut state = session.lock();
        if let Some((_, _, bytes)) = state.parked.take().and_then(|number| known.parked.remove(&number)) {
            known.bytes -= bytes;
        }
        state.stream += 1;
        // A stream that still reads it ends.
        std::mem::take(&mut state.ear).steer();
        if !state.feed.resume(after, selection, level) {
            known.sessions.remove(&id);
            return None;
        }
        state.socket = socket;
        state.listen(&self.listeners);
        let (stream, ear) = (state.stream, Arc::clone(&state.ear));
        drop(state);
        Some(Seat { session, stream, ear, group: None, sessions: Some(Arc::clone(self)) })
    }

    /// Moves a running subscription to another selection, and gives the move's number; `None` where there is none of that
    /// id that came by that socket.
    pub fn look_at(&self, id: SubscriptionId, socket: Socket, selection: Selection, level: Option<u8>) -> Option<i32> {
        let session = Arc::clone(lock(&self.known).sessions.get(&id)?);
        let mut state = session.lock();
        if state.parked.is_some() || state.socket != socket {
            return None;
        }
        let number = state.feed.look_at(selection, level);
        // First the ear, then the eye: what changes in between is looked at twice at worst.
        let (kinds, area) = state.looks();
        if let Some(listening) = &state.listening {
            listening.turn(kinds, area);
        }
        state.ear.steer();
        Some(number)
    }

    /// Forgets those that have waited for too long.
    pub fn sweep(&self) {
        lock(&self.known).sweep(self.patience);
    }
}

impl Known {
    fn sweep(&mut self, patience: Patience) {
        while let Some((&number, &(id, since, bytes))) = self.parked.first_key_value() {
            if since.elapsed() <= patience.time && self.bytes <= patience.bytes {
                return;
            }
            self.parked.remove(&number);
            self.bytes -= bytes;
            self.sessions.remove(&id);
        }
    }
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Where a stream looks that has it.
    fn looks(&self) -> (Kinds, Area) {
        let lens = self.feed.lens();
        (Kinds::of(&lens.selection), lens.area.clone())
    }

    fn listen(&mut self, listeners: &Arc<Listeners>) {
        let (kinds, area) = self.looks();
        self.listening = Some(listeners.enter(Arc::clone(&self.ear), kinds, area));
    }
}

impl Seat {
    /// The subscription's id.
    pub fn id(&self) -> SubscriptionId {
        self.session.id
    }

    /// In a group of those who may take the same steps.
    pub fn within(self, group: Option<Arc<Group>>) -> Self {
        let mut seat = self;
        seat.group = group;
        seat
    }

    /// Whether others may take the same steps.
    pub fn is_shared(&self) -> bool {
        self.group.as_ref().is_some_and(|group| Arc::strong_count(group) > 1)
    }

    /// Looks at the city: the next batch and its number, where there is one.
    pub fn look(&self, scene: Scene<'_>) -> Result<Option<(u64, Arc<Batch>)>, Over> {
        let mut state = self.session.lock();
        if state.stream != self.stream {
            return Err(Over);
        }
        Ok(match &self.group {
            Some(group) if self.is_shared() => group.next(&mut state.feed, scene),
            _ => state.feed.next(scene).map(|(number, step)| (number, step.batch)),
        })
    }

    /// What tells its stream to look.
    pub fn ear(&self) -> &Arc<Ear> {
        &self.ear
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(sessions) = &self.sessions else { return };
        let mut known = lock(&sessions.known);
        let mut state = self.session.lock();
        if state.stream != self.stream {
            return;
        }
        state.listening = None;
        let bytes = state.feed.bytes();
        known.parkings += 1;
        let number = known.parkings;
        state.parked = Some(number);
        drop(state);
        known.bytes += bytes;
        known.parked.insert(number, (self.session.id, Instant::now(), bytes));
        known.sweep(sessions.patience);
    }
}

/// A lock whose holder panicked is taken all the same: a feed that is half told tells again what it is not sure of.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
