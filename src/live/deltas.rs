//! The published chain as one subscriber follows it.

use std::{collections::VecDeque, sync::Arc};

use async_stream::stream;
use futures_util::Stream;

use crate::{
    publish::{Chain, Incremental, Published, Since},
    twin::time::Time,
};

/// One step of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateDelta {
    /// A whole state, which replaces what the subscriber has, and why it comes.
    Full { state: Published, reason: FullReason },
    /// What leads from the state that the subscriber has to the next one.
    Incremental { epoch: u64, incremental: Incremental },
}

/// Why a whole state comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullReason {
    /// The subscriber has no state to start from.
    Start,
    /// The moment to start from is no boundary of this epoch, or no longer held.
    NotHeld,
    /// The subscriber was so slow that what follows its state is no longer held, or this instance missed some of it.
    FellBehind,
    /// Another writer began a new chain.
    NewEpoch,
}

/// Where a subscriber stands.
#[derive(Clone, Copy, Debug)]
enum At {
    /// It has nothing.
    Start,
    /// It says that it has the state of this moment.
    Asked(Time),
    /// It was given the state of this boundary.
    After { epoch: u64, timestamp: Time },
}

/// One subscriber of the chain: each step that it takes follows on the one before, or is a full.
#[derive(Debug)]
pub struct Follow {
    at: At,
    /// What follows, as the chain held it when it was last asked: never more than what it holds of ten minutes.
    ready: VecDeque<Incremental>,
}

impl Follow {
    /// A subscriber that has the state of `from`, or none.
    pub fn new(from: Option<Time>) -> Self {
        Self { at: from.map_or(At::Start, At::Asked), ready: VecDeque::new() }
    }

    /// The next step; `None` where there is none yet.
    pub fn next(&mut self, chain: &Chain) -> Option<StateDelta> {
        if self.ready.is_empty()
            && let Err(reason) = self.read(chain)
        {
            return self.full(chain, reason);
        }
        let At::After { epoch, .. } = self.at else { return None };
        let incremental = self.ready.pop_front()?;
        self.at = At::After { epoch, timestamp: incremental.timestamp };
        Some(StateDelta::Incremental { epoch, incremental })
    }

    /// Asks the chain what follows.
    ///
    /// # Errors
    /// Why only a full can follow.
    fn read(&mut self, chain: &Chain) -> Result<(), FullReason> {
        let from = match self.at {
            At::Start => return Err(FullReason::Start),
            At::Asked(from) | At::After { timestamp: from, .. } => from,
        };
        match (chain.since(from), self.at) {
            (Since::Nothing, _) => Ok(()),
            (Since::Gone, At::After { .. }) => Err(FullReason::FellBehind),
            (Since::Gone, _) => Err(FullReason::NotHeld),
            (Since::Incrementals { epoch, .. }, At::After { epoch: had, .. }) if epoch != had => {
                Err(FullReason::NewEpoch)
            }
            (Since::Incrementals { epoch, incrementals, .. }, _) => {
                self.at = At::After { epoch, timestamp: from };
                self.ready = incrementals.into();
                Ok(())
            }
        }
    }

    fn full(&mut self, chain: &Chain, reason: FullReason) -> Option<StateDelta> {
        let state = chain.state()?;
        let mut reason = reason;
        if let At::After { epoch, timestamp } = self.at {
            // Boundaries of all epochs have rising timestamps.
            if state.timestamp <= timestamp {
                // A replica that missed an incremental: the next full, a minute away at most, leads on.
                return None;
            }
            if state.epoch > epoch {
                reason = FullReason::NewEpoch;
            }
        }
        self.at = At::After { epoch: state.epoch, timestamp: state.timestamp };
        Some(StateDelta::Full { state, reason })
    }
}

/// The incrementals since a boundary, where they are still held, else a full; then each incremental as it comes.
pub fn state_deltas(chain: Arc<Chain>, from: Option<Time>) -> impl Stream<Item = StateDelta> + Send + use<> {
    stream! {
        let mut newest = chain.newest();
        newest.mark_changed();
        let mut follow = Follow::new(from);
        while newest.changed().await.is_ok() {
            newest.mark_unchanged();
            while let Some(step) = follow.next(&chain) {
                yield step;
            }
        }
    }
}
