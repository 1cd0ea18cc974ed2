//! When which change came, so that it can be said how late somebody is told of it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The shortest time between two moments that are remembered apart.
const RESOLUTION: Duration = Duration::from_millis(1);

/// The most moments that are remembered: 1.5 MiB, and more than a minute, the longest interval that a subscriber may ask
/// for. What came before the oldest counts as having come then.
const MOMENTS: usize = 65_536;

/// When revisions came, oldest first.
#[derive(Debug, Default)]
pub struct Arrivals(VecDeque<(u64, Instant)>);

impl Arrivals {
    /// Notes that a revision, and all before it, have come.
    pub fn note(&mut self, revision: u64, at: Instant) {
        match self.0.back_mut() {
            Some((last, since)) if at - *since < RESOLUTION => *last = revision,
            _ => self.0.push_back((revision, at)),
        }
        if self.0.len() > MOMENTS {
            self.0.pop_front();
        }
    }

    /// How long ago a change came; `None` where that was not noted yet.
    pub fn age(&self, revision: u64) -> Option<Duration> {
        let at = self.0.partition_point(|(noted, _)| *noted < revision);
        self.0.get(at).map(|(_, at)| at.elapsed())
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
