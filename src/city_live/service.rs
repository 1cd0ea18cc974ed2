//! The life of City Live in an instance: the lease, and while it is held the consumer, the processing, the retention and the producer.
//!
//! Of several instances one holds the lease in the archive. The others answer readers from the same archive, take choices and
//! acknowledgements, and ask for the lease three times in its time to live. Who is superseded learns it with its next write.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::{
    CityLive, OperationError,
    archive::{ArchiveError, Lease, Selection},
    catalogue::Catalogue,
    clock::now,
    consumer::{Consumed, Consumer, Judgement, Parts, WHAT, tell},
    producer::Producer,
};
use crate::{
    config::{CityLiveConfig, CityLiveRole},
    instance::{Health, Trouble},
    kafka::Cluster,
    telemetry,
    twin::time::Time,
};

/// How often what is too old is dropped.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// How often a city that was just chosen is processed while its data comes in.
const FIRST_RUNS_EVERY: Duration = Duration::from_secs(2);
/// For how long after the choice.
const FIRST_RUNS_FOR: Duration = Duration::from_secs(60);
/// How long a release of the lease may take at the end.
const RELEASE: Duration = Duration::from_secs(2);
/// Batches that are told of and not yet looked at. More say nothing new: a full channel is passed over.
const CONSUMED: usize = 8;

/// What the service stands on.
#[derive(Clone)]
pub struct Service {
    /// What the edges see.
    pub live: Arc<CityLive>,
    /// The catalogue that `live` is of.
    pub catalogue: Arc<Catalogue>,
    /// Kafka.
    pub cluster: Cluster,
    /// The identity that offsets belong to.
    pub cluster_id: String,
    /// Where it is told what does not work.
    pub health: Arc<Health>,
    /// By what messages are judged.
    pub judgement: Judgement,
    /// The settings.
    pub config: CityLiveConfig,
    /// Who this instance is.
    pub holder: String,
    /// How long the lease lives without being renewed (`LEASE_MS`).
    pub lease: Duration,
    /// Whether the APIs are this program's own simulated ones.
    pub simulated: bool,
}

impl Service {
    /// Runs until `stop`. What fails is retried, and readiness says so.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = self.live_on() => {}
            () = stop.cancelled() => {}
        }
        if let Some(token) = self.live.token() {
            self.live.runs_under(None);
            let released = self.live.archive().release(&self.holder, token);
            if !matches!(tokio::time::timeout(RELEASE, released).await, Ok(Ok(()))) {
                tracing::debug!("City Live's lease is left to run out");
            }
        }
    }

    async fn live_on(&self) {
        let mut tick = tokio::time::interval(self.lease / 3);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match self.live.archive().lease(&self.holder, self.lease, None).await {
                Ok(Lease::Held { token }) => {
                    self.health.works(WHAT);
                    tracing::info!(token, "this instance runs City Live");
                    self.live.runs_under(Some(token));
                    telemetry::live_runs().set(1.0);
                    let why = self.hold(token).await;
                    self.live.runs_under(None);
                    telemetry::live_runs().set(0.0);
                    if matches!(why, ArchiveError::Foreign { .. }) {
                        self.foreign(&why);
                    } else {
                        tracing::warn!(reason = %why, "this instance no longer runs City Live");
                    }
                }
                Ok(Lease::Other) => self.health.works(WHAT),
                Err(error @ ArchiveError::Foreign { .. }) => self.foreign(&error),
                Err(error) => tell(&self.health, &error),
            }
        }
    }

    fn foreign(&self, error: &ArchiveError) {
        tracing::error!(%error, "City Live's archive cannot be used");
        self.health.fault(WHAT, Trouble::Down, error.to_string());
    }

    /// Does all that the holder does, until it is superseded.
    async fn hold(&self, token: i64) -> ArchiveError {
        let (consumed, news) = mpsc::channel(CONSUMED);
        let (current, chosen) = watch::channel(None);
        // Tasks of their own, so that a slow write keeps no renewal waiting; they end with the set.
        let mut tasks = JoinSet::new();
        let me = || self.clone();
        tasks.spawn({
            let service = me();
            async move { service.renew(token).await }
        });
        tasks.spawn({
            let service = me();
            async move { service.take_in(token, consumed).await }
        });
        tasks.spawn({
            let service = me();
            async move { service.follow_choice(current).await }
        });
        tasks.spawn({
            let (service, chosen) = (me(), chosen.clone());
            async move { service.process(chosen, news).await }
        });
        tasks.spawn({
            let service = me();
            async move { service.expire(token).await }
        });
        let stop = CancellationToken::new();
        let _stops = stop.clone().drop_guard();
        if self.config.role == CityLiveRole::On {
            match Producer::new(&self.config, Arc::clone(&self.catalogue), &self.cluster, self.simulated) {
                Ok(producer) => drop(tokio::spawn(producer.run(chosen, stop))),
                Err(error) => tracing::error!(%error, "City Live calls no API"),
            }
        }
        match tasks.join_next().await {
            Some(Ok(why)) => why,
            Some(Err(error)) => {
                let message = format!("a task of City Live ended: {error}");
                ArchiveError::Unavailable { archive: "City Live", message }
            }
            None => ArchiveError::Fenced,
        }
    }

    /// Renews the lease. An archive that does not answer takes it from nobody: whoever takes over counts the token up, and the next write
    /// of this one finds that out.
    async fn renew(&self, token: i64) -> ArchiveError {
        let mut tick = tokio::time::interval(self.lease / 3);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            match self.live.archive().lease(&self.holder, self.lease, Some(token)).await {
                Ok(Lease::Held { .. }) => self.health.works(WHAT),
                Ok(Lease::Other) => return ArchiveError::Fenced,
                Err(error @ ArchiveError::Unavailable { .. }) => tell(&self.health, &error),
                Err(error) => return error,
            }
        }
    }

    async fn take_in(&self, token: i64, consumed: mpsc::Sender<Consumed>) -> ArchiveError {
        for city in self.live.cities() {
            while let Err(error) = self.live.archive().put_zones(token, city).await {
                if !matches!(error, ArchiveError::Unavailable { .. }) {
                    return error;
                }
                tell(&self.health, &error);
                tokio::time::sleep(self.lease / 3).await;
            }
        }
        let parts = Parts {
            live: Arc::clone(&self.live),
            cluster: self.cluster.clone(),
            cluster_id: self.cluster_id.clone(),
            health: Arc::clone(&self.health),
            judgement: self.judgement,
            token,
            consumed,
        };
        match Consumer::load(parts).await {
            Ok(consumer) => consumer.run().await,
            Err(error) => error,
        }
    }

    /// Tells which city is the chosen one.
    async fn follow_choice(&self, current: watch::Sender<Option<Selection>>) -> ArchiveError {
        let mut revisions = self.live.revisions();
        loop {
            match self.live.archive().selection().await {
                Ok(selection) => drop(current.send_if_modified(|known| {
                    let news = *known != selection;
                    known.clone_from(&selection);
                    news
                })),
                Err(error @ ArchiveError::Unavailable { .. }) => tell(&self.health, &error),
                Err(error) => return error,
            }
            // A look now and then also where nothing is told, because the archive may have been away.
            if let Ok(Err(_)) = tokio::time::timeout(self.lease, revisions.changed()).await {
                return ArchiveError::Fenced;
            }
        }
    }

    /// Processes the chosen city: every interval, and often while a city that was just chosen gets its first data.
    async fn process(
        &self,
        mut chosen: watch::Receiver<Option<Selection>>,
        mut news: mpsc::Receiver<Consumed>,
    ) -> ArchiveError {
        let mut tick = tokio::time::interval(self.config.process_interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Instant::now();
        // Data of a city that was just chosen waits for its turn.
        let mut waiting = false;
        loop {
            let due = tokio::select! {
                _ = tick.tick() => true,
                changed = chosen.changed() => match changed {
                    // What the archive still has of it is shown soon; what comes in meanwhile goes with it.
                    Ok(()) => {
                        (waiting, next) = (true, Instant::now() + FIRST_RUNS_EVERY / 2);
                        false
                    }
                    Err(_) => return ArchiveError::Fenced,
                },
                cities = news.recv() => match cities {
                    Some(cities) => {
                        waiting |= newly(&chosen).is_some_and(|city| cities.contains(&city));
                        false
                    }
                    None => return ArchiveError::Fenced,
                },
                () = tokio::time::sleep_until(next), if waiting => true,
            };
            let Some(city) = chosen.borrow().as_ref().map(|selection| selection.city_id.clone()).filter(|_| due) else {
                continue;
            };
            (waiting, next) = (false, Instant::now() + FIRST_RUNS_EVERY);
            match self.process_what_came(&city).await {
                Ok(()) | Err(OperationError::UnknownCity { .. } | OperationError::NoCity) => {}
                Err(OperationError::NotRunner) => return ArchiveError::Fenced,
                Err(OperationError::Archive(error @ ArchiveError::Unavailable { .. })) => {
                    tell(&self.health, &error);
                    waiting = true;
                }
                Err(OperationError::Archive(error)) => return error,
            }
        }
    }

    /// Processes a city of which anything has come: before that it is loading, and nothing can be said of it.
    async fn process_what_came(&self, city: &str) -> Result<(), OperationError> {
        if self.live.has_inputs(city).await? {
            self.live.process(Some(city), true).await?;
        }
        Ok(())
    }

    /// Drops what is too old.
    async fn expire(&self, token: i64) -> ArchiveError {
        let mut tick = tokio::time::interval(EXPIRE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let before = |keep: Duration| Time(now().0 - keep.as_millis() as i64);
            let (feed, history) = (before(self.config.feed_retention), before(self.config.history_retention));
            match self.live.archive().expire(token, feed, history).await {
                Ok(0) => {}
                Ok(dropped) => tracing::debug!(dropped, "City Live dropped what was too old"),
                Err(error @ ArchiveError::Unavailable { .. }) => tell(&self.health, &error),
                Err(error) => return error,
            }
        }
    }
}

/// The chosen city, if it was chosen a moment ago.
fn newly(chosen: &watch::Receiver<Option<Selection>>) -> Option<String> {
    let chosen = chosen.borrow();
    let selection = chosen.as_ref()?;
    let age = now().0 - selection.selected_at.0;
    (age < FIRST_RUNS_FOR.as_millis() as i64).then(|| selection.city_id.clone())
}
