//! Replica, writer, and again.

use std::sync::{Arc, atomic::AtomicU64};

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{PublishConfig, WriterConfig},
    ingest::{Fold, Ingest, Rejects},
    kafka::Cluster,
    publish::{Chain, Follower, TopicEnds, topic_ends},
    store::{Lease, LeaseRequest, Table, TwinStore},
    telemetry,
    twin::{event::Judgement, snapshot::CityFile},
    writer::{Command, OperationError},
};

use super::{
    health::{Health, Trouble},
    restart::RETRY,
};

/// What an instance is made of.
pub struct Parts {
    pub cluster: Cluster,
    /// The identity of the cluster, to which stored offsets belong.
    pub cluster_id: String,
    pub store: Arc<dyn TwinStore>,
    pub fold: Arc<Fold>,
    pub chain: Arc<Chain>,
    pub health: Arc<Health>,
    pub commands: mpsc::Receiver<Command>,
    pub city_id: String,
    /// The name where neither store nor file has one.
    pub city_name: String,
    /// Loaded where the store holds no city.
    pub city_file: Option<CityFile>,
    pub judgement: Judgement,
    pub batch_size: usize,
    pub retention_ms: Option<i64>,
    pub writer: WriterConfig,
    pub publish: PublishConfig,
    /// Unique to this life of the process.
    pub holder: String,
    /// Where clients find this instance.
    pub address: String,
}

/// A store that was emptied no longer knows its tokens, and a writer may have taken some since this instance last looked:
/// so many are left out, that no two instances ever have the same one.
const EMPTIED_GAP: u64 = 1000;

/// One instance of a city.
pub struct Instance {
    pub(super) parts: Parts,
    pub(super) ingest: Option<Ingest>,
    /// The epoch under which this instance publishes; what the topics hold of it is known already.
    pub(super) own_epoch: Arc<AtomicU64>,
    /// The model version that the city was loaded with.
    pub(super) model_version: Option<u64>,
    /// The highest token that the store was seen to hold: where it is emptied, nobody else remembers it.
    seen_token: u64,
}

impl Instance {
    pub fn new(parts: Parts) -> Self {
        Self { parts, ingest: None, own_epoch: Arc::default(), model_version: None, seen_token: 0 }
    }

    /// Lives until `stop` is cancelled, then ends in order: what was folded is flushed, the lease given back.
    pub async fn run(mut self, stop: CancellationToken) {
        let follower = tokio::select! {
            follower = self.follow() => follower,
            () = stop.cancelled() => return,
        };
        loop {
            let token = tokio::select! {
                token = self.be_replica() => token,
                () = stop.cancelled() => break,
            };
            self.be_writer(token, &follower, &stop).await;
            if stop.is_cancelled() {
                break;
            }
        }
        if let Some(ingest) = self.ingest.take() {
            ingest.stop().await;
        }
    }

    async fn follow(&self) -> Follower {
        loop {
            let (chain, own) = (Arc::clone(&self.parts.chain), Arc::clone(&self.own_epoch));
            match Follower::start(&self.parts.cluster, chain, own).await {
                Ok(follower) => {
                    self.parts.health.works("kafka");
                    return follower;
                }
                Err(error) => {
                    tracing::warn!(%error, "the state topics cannot be read, trying again");
                    self.parts.health.fault("kafka", Trouble::Down, error.to_string());
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Folds and answers until the lease is free; then takes it, and returns the token.
    async fn be_replica(&mut self) -> u64 {
        self.parts.health.is_replica(None);
        telemetry::writer().set(0.0);
        let mut turn = tokio::time::interval(self.parts.writer.lease / 3);
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut emptied: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = turn.tick() => {}
                Some(command) = self.parts.commands.recv() => {
                    refuse(command, self.parts.health.writer());
                    continue;
                }
            }
            let holder = self.parts.store.holder().await;
            if let Ok(Lease::Other { token, .. } | Lease::Free { token }) = holder {
                self.seen_token = self.seen_token.max(token);
            }
            match holder {
                Ok(Lease::Free { token: 0 })
                    if self.ingest.is_some()
                        && emptied.get_or_insert_with(Instant::now).elapsed() < self.parts.writer.lease =>
                {
                    // The store was emptied. A writer that lives writes it anew, and knows more than a replica:
                    // imports that this one has not read yet. It has as long as its lease would have.
                    self.parts.health.works("store");
                }
                Ok(Lease::Other { address, .. }) => {
                    emptied = None;
                    self.parts.health.works("store");
                    self.parts.health.is_replica(Some(address));
                    self.reload_if_changed().await;
                }
                Ok(free @ (Lease::Free { .. } | Lease::Held { .. })) => {
                    if matches!(free, Lease::Free { token: 0 }) && self.seen_token > 0 {
                        self.seen_token += EMPTIED_GAP;
                    }
                    let TopicEnds { epoch, .. } = self.ends().await;
                    if let Some(token) = self.take_lease(epoch, None).await {
                        return token;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the store does not answer");
                    self.parts.health.fault("store", Trouble::Down, error.to_string());
                }
            }
        }
    }

    /// Loads the city anew where the store's model is not the one that is folded here.
    async fn reload_if_changed(&mut self) {
        let stored = match self.parts.store.get(&Table::City, crate::writer::MODEL_VERSION).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "the store does not answer");
                return;
            }
        };
        let version = stored.and_then(|value| std::str::from_utf8(&value).ok()?.parse().ok());
        if version.is_none() || version == self.model_version {
            return;
        }
        let Some(loaded) = self.load().await else { return };
        self.model_version = Some(loaded.model_version);
        // A replica counts what is refused, and the writer sends it.
        self.restart(loaded.city, &Arc::new(Rejects::default()), false).await;
        tracing::info!(model_version = loaded.model_version, "city loaded");
    }

    /// Takes the next token, above all that this instance knows and the topics' `epoch`; `None` where somebody else has
    /// the lease. Whoever has it already names its token: then the store is as it was left, or nothing is taken.
    pub(super) async fn take_lease(&self, epoch: u64, held: Option<u64>) -> Option<u64> {
        let parts = &self.parts;
        let request = LeaseRequest {
            holder: &parts.holder,
            address: &parts.address,
            ttl: parts.writer.lease,
            token: held,
            above: epoch.max(self.own_epoch.load(std::sync::atomic::Ordering::Acquire)).max(self.seen_token),
        };
        match parts.store.lease(&request).await {
            Ok(Lease::Held { token }) => {
                parts.health.works("store");
                Some(token)
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the lease cannot be taken");
                parts.health.fault("store", Trouble::Down, error.to_string());
                None
            }
        }
    }

    /// What the ends of the state topics hold, for as long as asking takes.
    async fn ends(&self) -> TopicEnds {
        loop {
            match topic_ends(&self.parts.cluster).await {
                Ok(ends) => {
                    self.parts.health.works("kafka");
                    return ends;
                }
                Err(error) => {
                    tracing::warn!(%error, "the state topics cannot be read, trying again");
                    self.parts.health.fault("kafka", Trouble::Down, error.to_string());
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

/// Answers a command that only the writer takes.
pub(super) fn refuse(command: Command, writer: Option<String>) {
    let error = OperationError::NotWriter { writer };
    // Who asked may have gone; then nobody wants the answer.
    match command {
        Command::Remove { done, .. } => drop(done.send(Err(error))),
        Command::Import { done, .. } => drop(done.send(Err(error))),
    }
}
