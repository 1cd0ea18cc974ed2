//! The chain as readers see it: the state of the last acknowledged boundary, and the incrementals that led to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::twin::{snapshot::write_full, time::Time, view::View};

/// How long incrementals are held (contract, section 3).
const HELD_MS: i64 = 600_000;

/// One incremental, as `state.incremental` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incremental {
    pub previous: Time,
    pub timestamp: Time,
    /// The message: `{cityId, timestamp, delta}`.
    pub message: Bytes,
}

/// The state of a boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub epoch: u64,
    pub timestamp: Time,
    /// The JSON of `state.full`.
    pub json: Bytes,
}

/// What came since a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The incrementals that lead from it to the newest boundary, oldest first; none for the newest itself.
    Incrementals { epoch: u64, timestamp: Time, incrementals: Vec<Incremental> },
    /// The moment is no boundary of this epoch, or no longer held.
    Gone,
    /// There is no boundary yet.
    Nothing,
}

/// The state of the newest boundary: its JSON, or the view that its JSON is made of when somebody asks.
#[derive(Debug)]
enum State {
    View(Arc<View>),
    Json(Bytes),
}

#[derive(Debug, Default)]
struct Held {
    epoch: u64,
    /// The newest boundary whose state is at hand, with its epoch; on a replica that of the last full.
    state: Option<(u64, Time, State)>,
    /// Of the epoch, oldest first; each leads on from the one before.
    incrementals: VecDeque<Incremental>,
}

impl Held {
    /// The boundary at which the incrementals end; where there are none, that of the full which began the chain.
    fn led_to(&self) -> Time {
        let full = || self.state.as_ref().map_or(Time(0), |(_, timestamp, _)| *timestamp);
        self.incrementals.back().map_or_else(full, |last| last.timestamp)
    }

    /// The newest boundary of the epoch. A full that was read before the incremental which leads to it is ahead of them.
    fn newest(&self) -> Time {
        match self.state {
            Some((epoch, timestamp, _)) if epoch == self.epoch => timestamp.max(self.led_to()),
            _ => self.led_to(),
        }
    }

    /// What is held of an older epoch leads nowhere.
    fn begin(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.incrementals.clear();
    }
}

/// What was published last. The publisher writes it, or on a replica what follows the topics; everyone reads it.
#[derive(Debug)]
pub struct Chain {
    held: Mutex<Held>,
    newest: watch::Sender<(u64, Time)>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { held: Mutex::default(), newest: watch::channel((0, Time(0))).0 }
    }
}

impl Chain {
    /// A full began a chain, or repeats a boundary of it; `view` is its state.
    pub fn full_of_view(&self, epoch: u64, timestamp: Time, view: Arc<View>) {
        self.full(epoch, timestamp, State::View(view));
    }

    /// The same, from the message itself.
    pub fn full_of_json(&self, epoch: u64, timestamp: Time, json: Bytes) {
        self.full(epoch, timestamp, State::Json(json));
    }

    fn full(&self, epoch: u64, timestamp: Time, state: State) {
        let mut held = self.lock();
        if epoch < held.epoch {
            return;
        }
        if epoch > held.epoch {
            held.begin(epoch);
        }
        // A full that comes late is older than the state at hand.
        if held.state.as_ref().is_none_or(|(of, at, _)| (*of, *at) <= (epoch, timestamp)) {
            held.state = Some((epoch, timestamp, state));
        }
        self.announce(held);
    }

    /// An incremental was acknowledged, or on a replica read; `view` is the state after it, where that is at hand.
    ///
    /// Within an epoch they come in their order. Between them and the fulls there is none: a replica reads two topics.
    pub fn incremental(&self, epoch: u64, incremental: Incremental, view: Option<Arc<View>>) {
        let mut held = self.lock();
        if epoch < held.epoch {
            return;
        }
        if epoch > held.epoch {
            held.begin(epoch);
        }
        match held.incrementals.back() {
            Some(last) if incremental.timestamp <= last.timestamp => return,
            // It leads on from a boundary that was not seen: what is held leads nowhere.
            Some(last) if incremental.previous != last.timestamp => held.incrementals.clear(),
            _ => {}
        }
        let oldest = incremental.timestamp.0 - HELD_MS;
        if let Some(view) = view {
            held.state = Some((epoch, incremental.timestamp, State::View(view)));
        }
        held.incrementals.push_back(incremental);
        while held.incrementals.front().is_some_and(|first| first.timestamp.0 < oldest) {
            held.incrementals.pop_front();
        }
        self.announce(held);
    }

    /// Whether there is a state to answer with; cheaper than making it.
    pub fn has_state(&self) -> bool {
        self.lock().state.is_some()
    }

    /// The state of the newest boundary whose state is at hand.
    pub fn state(&self) -> Option<Published> {
        let mut held = self.lock();
        let (epoch, timestamp, state) = held.state.as_mut()?;
        let json = match state {
            State::Json(json) => json.clone(),
            State::View(view) => {
                let mut json = Vec::new();
                write_full(view, *timestamp, &mut json);
                let json = Bytes::from(json);
                *state = State::Json(json.clone());
                json
            }
        };
        Some(Published { epoch: *epoch, timestamp: *timestamp, json })
    }

    /// The incrementals since a boundary.
    pub fn since(&self, from: Time) -> Since {
        let held = self.lock();
        if held.state.is_none() {
            return Since::Nothing;
        }
        let incrementals: Vec<_> = held.incrementals.iter().filter(|one| one.previous >= from).cloned().collect();
        match incrementals.first() {
            Some(first) if first.previous == from => {
                Since::Incrementals { epoch: held.epoch, timestamp: held.led_to(), incrementals }
            }
            None if from == held.led_to() || from == held.newest() => {
                Since::Incrementals { epoch: held.epoch, timestamp: from, incrementals }
            }
            _ => Since::Gone,
        }
    }

    /// Tells the epoch and the timestamp of the newest boundary whenever there is one.
    pub fn newest(&self) -> watch::Receiver<(u64, Time)> {
        self.newest.subscribe()
    }

    fn announce(&self, held: MutexGuard<'_, Held>) {
        let newest = (held.epoch, held.newest());
        drop(held);
        self.newest.send_replace(newest);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
