//! What all subscribers share.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{cursor::Cursor, feed::Batch};
use crate::{ingest::Fold, publish::Chain, telemetry, twin::time::Time};

/// The live city, the published chain, and when which change came.
#[derive(Debug)]
pub struct Hub {
    fold: Arc<Fold>,
    chain: Arc<Chain>,
    newest: watch::Receiver<(u64, Time)>,
    instance: u64,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Hub {
    /// What subscribers of this city need. To be called within a runtime: until the city is dropped a task notes when
    /// changes come.
    pub fn new(fold: Arc<Fold>, chain: Arc<Chain>) -> Arc<Self> {
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        tokio::spawn(note_arrivals(fold.revisions(), Arc::clone(&arrivals)));
        let newest = chain.newest();
        Arc::new(Self { fold, chain, newest, instance: fastrand::u64(..), arrivals })
    }

    /// The live city.
    pub fn fold(&self) -> &Arc<Fold> {
        &self.fold
    }

    /// What was published.
    pub fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// The cursor of a batch.
    pub fn cursor(&self, batch: &Batch) -> Cursor {
        Cursor { instance: self.instance, epoch: self.newest.borrow().0, revision: batch.revision }
    }

    /// Notes in the metrics how old a batch's oldest change is at the moment when it is taken.
    pub(super) fn taken(&self, batch: &Batch) {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(age) = batch.oldest.and_then(|revision| arrivals.age(revision)) {
            telemetry::subscriber_lag().record(age);
        }
    }
}

/// The most moments that are remembered: 64 KiB. When there are more, every second one is forgotten, so that they reach
/// back as far as the slowest subscriber, less and less exactly.
const MOMENTS: usize = 4096;

/// When revisions came, oldest first.
#[derive(Debug, Default)]
struct Arrivals(VecDeque<(u64, Instant)>);

impl Arrivals {
    fn note(&mut self, revision: u64, at: Instant) {
        if self.0.len() == MOMENTS {
            let mut keep = false;
            self.0.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.0.push_back((revision, at));
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
    async fn few_moments_reach_far_back() {
        let mut arrivals = Arrivals::default();
        for revision in 1..=100_000 {
            arrivals.note(revision, Instant::now());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(arrivals.0.len() <= MOMENTS);
        let age = arrivals.age(10_000).unwrap().as_secs_f64();
        assert!((80.0..=90.1).contains(&age), "{age}");
    }
}
