//! The writer's publisher: one chain, one message in flight at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{
    config::PublishConfig,
    ingest::Fold,
    kafka::{Cluster, KafkaError, Producer, Record, SendError},
    telemetry::{self, Published as Outcome},
    twin::{time::Time, view::View},
    writer::LeaseState,
};

use super::{
    Chain, Clock,
    boundary::{full_message, full_record, incremental_message, incremental_record},
};

/// What the embedded broker holds in one record without losing it: it keeps 5 MiB of a partition.
const EMBEDDED_MOST: usize = 2 << 20;

/// How the publishing goes, for readiness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishState {
    /// The last acknowledged boundary of this epoch.
    pub boundary: Option<Time>,
    /// Why fulls do not get into the topic, while that is so.
    pub full_refused: Option<String>,
    /// Why incrementals do not, while that is so.
    pub incremental_refused: Option<String>,
    /// Since when a message waits for its acknowledgement, in milliseconds since 1970.
    pub waiting_since: Option<i64>,
}

/// Why publishing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The lease is in other hands.
    LeaseLost,
    /// The incremental can never fit: a new chain is needed, under the next token.
    NewChainNeeded,
}

/// Publishes one chain.
pub struct Publisher {
    fold: Arc<Fold>,
    chain: Arc<Chain>,
    cluster: Cluster,
    config: PublishConfig,
    producer: Producer,
    lease: watch::Receiver<LeaseState>,
    state: watch::Sender<PublishState>,
    epoch: u64,
    clock: Clock,
    city_id: String,
    /// The last acknowledged boundary, with its city.
    last: Option<(Time, Arc<View>)>,
    /// Incrementals in a row that were refused for their size.
    refused: u32,
    /// The size of the last full.
    full_bytes: usize,
}

impl Publisher {
    /// `epoch` is the writer's token; `clock` gives timestamps above all that the store and the topics hold.
    ///
    /// # Errors
    /// A property that librdkafka refuses.
    pub fn new(
        cluster: &Cluster,
        config: &PublishConfig,
        fold: Arc<Fold>,
        chain: Arc<Chain>,
        lease: watch::Receiver<LeaseState>,
        state: watch::Sender<PublishState>,
        epoch: u64,
        clock: Clock,
    ) -> Result<Self, KafkaError> {
        let producer = Producer::new(cluster, &config.compression)?;
        let city_id = fold.view().city_id.to_string();
        let (cluster, config) = (cluster.clone(), config.clone());
        // What was refused stays said until something is acknowledged, also over a new chain.
        state.send_modify(|state| (state.boundary, state.waiting_since) = (None, None));
        Ok(Self {
            fold,
            chain,
            cluster,
            config,
            producer,
            lease,
            state,
            epoch,
            clock,
            city_id,
            last: None,
            refused: 0,
            full_bytes: 0,
        })
    }

    /// Begins the chain with a full and goes on until the lease is lost. Dropping the future stops it; what was in
    /// flight may still arrive, and the next chain has a higher epoch.
    pub async fn run(mut self) -> Ended {
        if let Err(ended) = self.begin().await {
            return ended;
        }
        let mut incremental = interval(self.config.incremental_interval);
        let mut full = interval(self.config.full_interval);
        // A tick that came late is not made up for: the next boundary holds all that changed.
        incremental.set_missed_tick_behavior(MissedTickBehavior::Delay);
        full.set_missed_tick_behavior(MissedTickBehavior::Delay);
        incremental.tick().await;
        full.tick().await;
        loop {
            let ended = tokio::select! {
                _ = full.tick() => self.full_tick().await,
                _ = incremental.tick() => self.incremental_tick().await,
                () = lost(&mut self.lease) => Err(Ended::LeaseLost),
            };
            if let Err(ended) = ended {
                return ended;
            }
        }
    }

    /// The first boundary and its full.
    async fn begin(&mut self) -> Result<(), Ended> {
        let view = self.fold.with(|city| {
            city.take_changes();
            Arc::new(city.view().clone())
        });
        let timestamp = self.clock.next(now());
        self.send_full(timestamp, &view).await?;
        self.acknowledged(timestamp, view);
        tracing::info!(epoch = self.epoch, timestamp = %timestamp, "Published full, a chain begins");
        Ok(())
    }

    async fn full_tick(&mut self) -> Result<(), Ended> {
        self.incremental_tick().await?;
        let Some((timestamp, view)) = self.last.clone() else { return Ok(()) };
        self.send_full(timestamp, &view).await?;
        tracing::info!(epoch = self.epoch, timestamp = %timestamp, "Published full");
        Ok(())
    }

    async fn incremental_tick(&mut self) -> Result<(), Ended> {
        let Some((previous, _)) = self.last else { return Ok(()) };
        let start = Instant::now();
        let (changes, view) = self.fold.with(|city| (city.take_changes(), city.view().clone()));
        if changes.is_empty() {
            // What was refused has gone out with a chain's first full: nothing waits that could be refused again.
            self.state.send_if_modified(|state| state.incremental_refused.take().is_some());
            return Ok(());
        }
        let view = Arc::new(view);
        let timestamp = self.clock.next(now());
        let Some(incremental) = incremental_message(&changes, &view, previous, timestamp) else { return Ok(()) };
        telemetry::delta_seconds().record(start.elapsed().as_secs_f64());
        telemetry::delta_bytes().record(incremental.message.len() as f64);
        if self.full_bytes > 0 {
            telemetry::delta_ratio().set(incremental.message.len() as f64 / self.full_bytes as f64);
        }
        let record = incremental_record(&self.city_id, self.epoch, &incremental);
        let too_large = self.cluster.is_embedded() && compressed_size(&incremental.message).await > EMBEDDED_MOST;
        let refused = if too_large {
            telemetry::published(&record.topic, Outcome::Skipped).increment(1);
            Some(format!("an incremental of {} bytes does not fit the embedded broker", incremental.message.len()))
        } else {
            self.send(record).await?.err()
        };
        if let Some(why) = refused {
            tracing::error!(error = why, bytes = incremental.message.len(), "incremental refused");
            self.state.send_modify(|state| state.incremental_refused = Some(why));
            // They go out with the next boundary, whose delta starts from the last one acknowledged.
            self.fold.with(|city| city.restore_changes(changes));
            self.refused += 1;
            return if self.refused > 2 { Err(Ended::NewChainNeeded) } else { Ok(()) };
        }
        self.refused = 0;
        self.state.send_if_modified(|state| state.incremental_refused.take().is_some());
        let (bytes, changed) = (incremental.message.len(), changes.befores.len());
        self.chain.incremental(self.epoch, incremental, Some(Arc::clone(&view)));
        self.acknowledged(timestamp, view);
        tracing::info!(epoch = self.epoch, timestamp = %timestamp, changed, bytes, "Published incremental");
        Ok(())
    }

    async fn send_full(&mut self, timestamp: Time, view: &Arc<View>) -> Result<(), Ended> {
        let start = Instant::now();
        let message = tokio::task::spawn_blocking({
            let view = Arc::clone(view);
            move || full_message(&view, timestamp)
        })
        .await
        .unwrap_or_default();
        telemetry::full_seconds().record(start.elapsed().as_secs_f64());
        telemetry::full_bytes().record(message.len() as f64);
        self.full_bytes = message.len();
        let size = if self.cluster.is_embedded() { compressed_size(&message).await } else { 0 };
        let refused = if size > EMBEDDED_MOST {
            telemetry::published(crate::kafka::topics::STATE_FULL, Outcome::Skipped).increment(1);
            Some(format!(
                "a state of {size} bytes compressed does not fit the embedded broker: it goes out by /api/state only"
            ))
        } else {
            self.send(full_record(&self.city_id, self.epoch, message.clone())).await?.err()
        };
        if let Some(why) = &refused {
            tracing::error!(error = why, bytes = message.len(), "full refused");
        }
        self.state.send_if_modified(|state| {
            let changed = state.full_refused != refused;
            state.full_refused.clone_from(&refused);
            changed
        });
        // A full that the broker does not take is still the state of its boundary: /api/state has it, and incrementals
        // lead on from it.
        self.chain.full_of_json(self.epoch, timestamp, message);
        Ok(())
    }

    /// Sends one record until the broker has it. The inner error says why it was refused for good.
    async fn send(&mut self, record: Record) -> Result<Result<(), String>, Ended> {
        loop {
            if !self.lease.borrow().is_writer() {
                return Err(Ended::LeaseLost);
            }
            let waiting = now().0;
            self.state.send_modify(|state| state.waiting_since = Some(waiting));
            let sent = tokio::select! {
                sent = self.producer.send_until_answered(&record) => sent,
                () = lost(&mut self.lease) => return Err(Ended::LeaseLost),
            };
            self.state.send_modify(|state| state.waiting_since = None);
            match sent {
                Ok(_) => {
                    telemetry::published(&record.topic, Outcome::Acknowledged).increment(1);
                    return Ok(Ok(()));
                }
                Err(SendError::Refused(why)) => {
                    telemetry::published(&record.topic, Outcome::Refused).increment(1);
                    return Ok(Err(why));
                }
                // Unknown, or a producer that lost its idempotence: the same again, by a new one.
                Err(error) => {
                    telemetry::published(&record.topic, Outcome::Repeated).increment(1);
                    tracing::warn!(%error, topic = record.topic, "sending again with a new producer");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    if let Ok(producer) = Producer::new(&self.cluster, &self.config.compression) {
                        self.producer = producer;
                    }
                }
            }
        }
    }

    fn acknowledged(&mut self, timestamp: Time, view: Arc<View>) {
        telemetry::boundary(timestamp.0);
        self.last = Some((timestamp, view));
        self.state.send_modify(|state| state.boundary = Some(timestamp));
    }
}

/// Resolves when the lease is in other hands.
async fn lost(lease: &mut watch::Receiver<LeaseState>) {
    // An error says that the keeper is gone, and with it the lease.
    drop(lease.wait_for(|state| !state.is_writer()).await);
}

fn now() -> Time {
    Time(jiff::Timestamp::now().as_millisecond())
}

/// The size as the topic will hold it, about: gzip at its fastest, which takes a millisecond a megabyte.
async fn compressed_size(message: &Bytes) -> usize {
    use std::io::Write;

    let plain = message.len();
    if plain <= EMBEDDED_MOST {
        // Fits as it is.
        return plain;
    }
    let message = message.clone();
    let compressed = tokio::task::spawn_blocking(move || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&message).and_then(|()| encoder.finish()).map(|compressed| compressed.len())
    });
    // Nothing is written to a file here, so it does not fail.
    compressed.await.ok().and_then(Result::ok).unwrap_or(plain)
}
