//! Records that were gone before they were read.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::twin::event::Topic;

/// Records that a partition no longer had when they were to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The offset that was to be read.
    pub wanted: i64,
    /// When it was noticed, in milliseconds since 1970.
    pub at: i64,
}

/// The newest loss of each partition since the process began. It outlives each reading: a take-over and the reload of a model
/// read with others, and what they lost stays lost.
#[derive(Debug, Default)]
pub struct Losses(Mutex<BTreeMap<(Topic, i32), Loss>>);

impl Losses {
    /// Notes one.
    pub fn note(&self, topic: Topic, partition: i32, loss: Loss) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((topic, partition), loss);
    }

    /// All of them, by partition.
    pub fn all(&self) -> BTreeMap<(Topic, i32), Loss> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
