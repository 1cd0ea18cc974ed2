//! What an instance knows about itself, for readiness.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::{
    ingest::{IngestState, Losses},
    publish::PublishState,
    twin::time::Time,
    writer::LeaseState,
};

/// Readiness does not wait longer than this for the ends of the topics (contract, section 1).
const CATCH_UP: Duration = Duration::from_secs(60);
/// A message to Kafka that waits longer than this is worth saying.
const WAITS_TOO_LONG_MS: i64 = 5000;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Down,
    Behind,
    Lost,
    Paused,
}

/// Something that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub trouble: Trouble,
    /// Milliseconds since 1970.
    pub since: i64,
    pub message: String,
}

#[derive(Debug, Default)]
struct Known {
    /// The token while this instance is the writer.
    token: Option<u64>,
    /// Where the writer is, while this instance is not.
    writer: Option<String>,
    loaded: bool,
    /// When the city was loaded first.
    loaded_at: Option<Instant>,
    /// Whether the ends seen at the start were reached once.
    caught_up: bool,
    /// Whether it was ready once.
    ready: bool,
    /// By what does not work.
    faults: BTreeMap<String, Fault>,
    ingest: Option<watch::Receiver<IngestState>>,
    losses: Arc<Losses>,
    publish: Option<watch::Receiver<PublishState>>,
    lease: Option<watch::Receiver<LeaseState>>,
}

/// What an instance knows about itself.
#[derive(Debug, Default)]
pub struct Health(Mutex<Known>);

impl Health {
    /// This instance is the writer, under a token.
    pub fn is_writer(&self, token: u64, lease: watch::Receiver<LeaseState>) {
        let mut known = self.lock();
        (known.token, known.writer, known.lease) = (Some(token), None, Some(lease));
    }

    /// This instance is a replica; where the writer is.
    pub fn is_replica(&self, writer: Option<String>) {
        let mut known = self.lock();
        (known.token, known.writer, known.lease, known.publish) = (None, writer, None, None);
        // What only a writer does cannot fail here.
        known.faults.retain(|what, _| !matches!(what.as_str(), "publish" | "twin.dead-letter"));
    }

    /// The token while this instance is the writer.
    pub fn token(&self) -> Option<u64> {
        self.lock().token
    }

    /// Where the writer is, if this instance is not it and knows.
    pub fn writer(&self) -> Option<String> {
        self.lock().writer.clone()
    }

    /// The city is there.
    pub fn loaded(&self) {
        let mut known = self.lock();
        known.loaded = true;
        known.loaded_at.get_or_insert_with(Instant::now);
    }

    /// Which reading of the topics to look at.
    pub fn reads(&self, ingest: watch::Receiver<IngestState>) {
        self.lock().ingest = Some(ingest);
    }

    /// Where each reading notes what was gone.
    pub fn losses(&self) -> Arc<Losses> {
        Arc::clone(&self.lock().losses)
    }

    /// Which publishing to look at.
    pub fn publishes(&self, publish: watch::Receiver<PublishState>) {
        self.lock().publish = Some(publish);
    }

    /// Something does not work, since now unless it is known.
    pub fn fault(&self, what: &str, trouble: Trouble, message: impl Into<String>) {
        let mut known = self.lock();
        let since = known.faults.get(what).map_or_else(now, |fault| fault.since);
        let fault = Fault { what: what.to_owned(), trouble, since, message: message.into() };
        known.faults.insert(what.to_owned(), fault);
    }

    /// It works again.
    pub fn works(&self, what: &str) {
        self.lock().faults.remove(what);
    }

    /// Whether the city is loaded and has caught up with the ends of the topics, or has tried for long enough.
    pub fn has_city(&self) -> bool {
        let mut known = self.lock();
        let reached = known.ingest.as_ref().is_some_and(|ingest| ingest.borrow().caught_up);
        known.caught_up |= reached;
        let tried = known.loaded_at.is_some_and(|at| at.elapsed() >= CATCH_UP);
        known.loaded && (known.caught_up || tried)
    }

    /// Whether readers may come: the city is there, and `/api/state` can answer. `epoch`: the chain whose state is at
    /// hand. A writer's first boundary must be out, since the last full of the topic may be long outdated; once
    /// readers were let in, they stay (contract, section 1).
    pub fn is_ready(&self, epoch: Option<u64>) -> bool {
        let has_city = self.has_city();
        let mut known = self.lock();
        known.ready |= has_city && epoch.is_some_and(|epoch| known.token.is_none_or(|token| epoch >= token));
        known.ready
    }

    /// Everything that does not work.
    pub fn faults(&self) -> Vec<Fault> {
        let known = self.lock();
        let mut faults: Vec<Fault> = known.faults.values().cloned().collect();
        faults.extend(known.losses.all().into_iter().map(|((topic, partition), loss)| Fault {
            what: format!("{}/{partition}", topic.name()),
            trouble: Trouble::Lost,
            since: loss.at,
            message: format!("records from offset {} on were gone before they were read", loss.wanted),
        }));
        if let Some(ingest) = &known.ingest {
            ingest_faults(&ingest.borrow(), &known, &mut faults);
        }
        if let Some(publish) = &known.publish {
            publish_faults(&publish.borrow(), &mut faults);
        }
        if let Some(lease) = &known.lease
            && let LeaseState::Unheard { since_ms, message, .. } = &*lease.borrow()
            && !known.faults.contains_key("store")
        {
            faults.push(Fault {
                what: "store".to_owned(),
                trouble: Trouble::Down,
                since: *since_ms,
                message: message.clone(),
            });
        }
        faults
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ingest_faults(ingest: &IngestState, known: &Known, faults: &mut Vec<Fault>) {
    if let Some(message) = &ingest.failure
        && !known.faults.contains_key("kafka")
    {
        faults.push(Fault {
            what: "kafka".to_owned(),
            trouble: Trouble::Down,
            since: ingest.failing_since,
            message: message.clone(),
        });
    }
    if !ingest.paused.is_empty() {
        let partitions: Vec<_> = ingest.paused.iter().map(|(topic, p)| format!("{}/{p}", topic.name())).collect();
        faults.push(Fault {
            what: "twin.dead-letter".to_owned(),
            trouble: Trouble::Paused,
            since: ingest.paused_since,
            message: format!("too many dead letters wait; paused: {}", partitions.join(", ")),
        });
    }
}

fn publish_faults(publish: &PublishState, faults: &mut Vec<Fault>) {
    let boundary = publish.boundary.map_or(0, |Time(at)| at);
    for (topic, why) in [("state.full", &publish.full_refused), ("state.incremental", &publish.incremental_refused)] {
        if let Some(why) = why {
            let (what, message) = (topic.to_owned(), why.clone());
            faults.push(Fault { what, trouble: Trouble::Down, since: boundary, message });
        }
    }
    if let Some(since) = publish.waiting_since
        && now() - since > WAITS_TOO_LONG_MS
    {
        let message = "a message waits for the broker's acknowledgement".to_owned();
        faults.push(Fault { what: "publish".to_owned(), trouble: Trouble::Behind, since, message });
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught_up(caught_up: bool) -> watch::Receiver<IngestState> {
        watch::channel(IngestState { caught_up, ..IngestState::default() }).1
    }

    fn held() -> watch::Receiver<LeaseState> {
        watch::channel(LeaseState::Held { token: 7 }).1
    }

    #[tokio::test(start_paused = true)]
    async fn a_city_is_waited_for_until_the_ends_or_sixty_seconds() {
        let health = Health::default();
        health.reads(caught_up(true));
        assert!(!health.has_city(), "nothing is loaded");
        health.loaded();
        assert!(health.has_city());
        // The second reading of a reload begins anew, which takes nothing back.
        health.reads(caught_up(false));
        assert!(health.has_city());

        let health = Health::default();
        health.reads(caught_up(false));
        health.loaded();
        tokio::time::advance(CATCH_UP.saturating_sub(Duration::from_millis(1))).await;
        assert!(!health.has_city());
        // Loaded once more, it waits no longer for that.
        health.loaded();
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(health.has_city());
    }

    #[test]
    fn a_writer_is_ready_with_its_own_first_boundary_and_stays_so() {
        let health = Health::default();
        health.reads(caught_up(true));
        health.loaded();
        health.is_writer(7, held());
        assert!(!health.is_ready(None), "there is no state");
        assert!(!health.is_ready(Some(6)), "a former writer's state may be long outdated");
        assert!(health.is_ready(Some(7)));
        // A take-over of others, the next token: who was let in stays.
        health.is_writer(9, held());
        assert!(health.is_ready(Some(7)));
        health.is_replica(None);
        assert!(health.is_ready(None));
    }

    #[test]
    fn a_replica_is_ready_with_any_state() {
        let health = Health::default();
        health.is_replica(Some("http://a".to_owned()));
        assert!(!health.is_ready(Some(6)), "nothing is loaded");
        health.reads(caught_up(true));
        health.loaded();
        assert!(!health.is_ready(None) && health.is_ready(Some(6)));
    }

    #[test]
    fn a_fault_keeps_its_time_and_a_replica_has_none_of_the_writers() {
        let health = Health::default();
        health.fault("store", Trouble::Down, "one");
        let since = health.faults()[0].since;
        health.fault("store", Trouble::Down, "two");
        let faults = health.faults();
        assert_eq!((faults.len(), faults[0].since, faults[0].message.as_str()), (1, since, "two"));
        for what in ["publish", "twin.dead-letter", "kafka"] {
            health.fault(what, Trouble::Down, "m");
        }
        health.is_replica(None);
        let what: Vec<String> = health.faults().into_iter().map(|fault| fault.what).collect();
        assert_eq!(what, ["kafka", "store"]);
        health.works("store");
        assert_eq!(health.faults().len(), 1);
        // The reading knows it as well: it is said once.
        let state = IngestState { failure: Some("m".to_owned()), ..IngestState::default() };
        health.reads(watch::channel(state).1);
        assert_eq!(health.faults().len(), 1);
        health.works("kafka");
        assert_eq!(health.faults()[0].what, "kafka");
    }
}
