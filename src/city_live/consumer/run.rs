//! The loop: a batch, its dead letters, its documents with the offsets, and the next.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};

use super::{
    core::{Core, Judgement, Rejected, Taken},
    reader::{Batch, Reader},
};
use crate::{
    city_live::{
        CityLive,
        archive::{ArchiveError, Intake, RawKind},
        clock::now,
        message::LiveTopic,
    },
    instance::{Health, Trouble},
    kafka::{Cluster, KafkaError, Position},
    telemetry,
    writer::{DeadLetters, Letter},
};

/// The first and the longest pause before an archive or a broker that did not answer is asked again.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How often new partitions are looked for, and lag is told.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often calls that have become a day old are taken out of their windows.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// Compression of dead letters, as the twin's.
const COMPRESSION: &str = "none";

/// How City Live is called where a server tells what does not work.
pub(crate) const WHAT: &str = "city_live";
/// The same for its dead letters.
const LETTERS: &str = "city_live dead letters";

/// The cities that a batch brought something of.
pub type Consumed = std::collections::BTreeSet<String>;

/// What a consumer stands on.
pub struct Parts {
    /// City Live of this process.
    pub live: Arc<CityLive>,
    /// Kafka.
    pub cluster: Cluster,
    /// The identity that offsets belong to.
    pub cluster_id: String,
    /// Where it is told what does not work.
    pub health: Arc<Health>,
    /// By what messages are judged.
    pub judgement: Judgement,
    /// Under which the archive is written.
    pub token: i64,
    /// Told after each batch that was written. Its bound is one of a few cities each; a full one is passed over, the next batch tells.
    pub consumed: mpsc::Sender<Consumed>,
}

/// Takes the five topics in, for as long as the lease holds.
pub struct Consumer {
    parts: Parts,
    core: Core,
    letters: DeadLetters,
    /// By topic and partition, the next offset to read.
    progress: BTreeMap<(LiveTopic, i32), i64>,
}

impl Consumer {
    /// A consumer that knows what the archive holds. It waits for an archive that is away.
    ///
    /// # Errors
    /// `Fenced` never; `Foreign` where a document cannot be read; `Unavailable` is retried.
    pub async fn load(parts: Parts) -> Result<Self, ArchiveError> {
        let mut wait = RETRY.0;
        let (core, progress) = loop {
            match Self::try_load(&parts).await {
                Ok(loaded) => break loaded,
                Err(error @ ArchiveError::Unavailable { .. }) => {
                    tell(&parts.health, &error);
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY.1);
                }
                Err(error) => return Err(error),
            }
        };
        parts.health.works(WHAT);
        let letters = DeadLetters::new(&parts.cluster, COMPRESSION)
            .map_err(|error| ArchiveError::Unavailable { archive: "Kafka", message: error.to_string() })?;
        Ok(Self { parts, core, letters, progress })
    }

    async fn try_load(parts: &Parts) -> Result<(Core, BTreeMap<(LiveTopic, i32), i64>), ArchiveError> {
        let archive = parts.live.archive();
        let (mut raw, mut calls) = (Vec::new(), Vec::new());
        for city in parts.live.cities() {
            for kind in RawKind::ALL {
                raw.extend(archive.raw(&city.id, kind).await?);
            }
            calls.extend(archive.calls(&city.id).await?);
        }
        let progress = archive
            .offsets()
            .await?
            .into_iter()
            .filter(|offset| offset.cluster == parts.cluster_id)
            .filter_map(|offset| Some(((LiveTopic::named(&offset.topic)?, offset.partition), offset.offset)))
            .collect();
        let cities = parts.live.cities().to_vec();
        let last_seq = archive.last_seq().await?;
        let core = Core::new(cities, parts.judgement, parts.cluster_id.clone(), raw, calls, last_seq);
        Ok((core, progress))
    }

    /// Takes in what comes until the lease is lost.
    ///
    /// # Errors
    /// `Fenced`: another instance runs City Live now. `Foreign`: the archive holds what is not ours.
    pub async fn run(mut self) -> ArchiveError {
        let mut partitions = BTreeMap::new();
        let mut reader: Option<Reader> = None;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut prune = tokio::time::interval(PRUNE_EVERY);
        prune.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                _ = look.tick() => {
                    match self.look(&mut partitions, &mut reader).await {
                        Ok(()) => {}
                        // The twin's own reading tells that Kafka is away.
                        Err(error) => tracing::debug!(%error, "kafka does not tell City Live its partitions"),
                    }
                    // Until there is anything to read, Kafka is asked again soon.
                    if reader.is_none() {
                        look.reset_after(Duration::from_secs(1));
                    }
                    Ok(())
                }
                _ = prune.tick() => {
                    let aged = self.core.prune(now());
                    if aged.calls.is_empty() { Ok(()) } else { self.write(&aged).await }
                }
                batch = next(&mut reader) => if let Some(batch) = batch {
                    self.take(batch).await
                } else {
                    reader = None;
                    look.reset_immediately();
                    Ok(())
                },
            };
            if let Err(error) = step {
                return error;
            }
        }
    }

    /// Reads anew where there are partitions that were not there before.
    async fn look(
        &self,
        partitions: &mut BTreeMap<String, i32>,
        reader: &mut Option<Reader>,
    ) -> Result<(), KafkaError> {
        let found = self.parts.cluster.partitions_of(&LiveTopic::ALL.map(LiveTopic::name)).await?;
        let more = found.iter().any(|(topic, count)| partitions.get(topic).is_none_or(|known| count > known));
        if more {
            partitions.extend(found);
            let positions = LiveTopic::ALL.into_iter().flat_map(|topic| {
                let count = partitions.get(topic.name()).copied().unwrap_or(0);
                (0..count).map(move |partition| (topic, partition))
            });
            let positions = positions
                .map(|at| (at.0, at.1, self.progress.get(&at).copied().unwrap_or(Position::EARLIEST)))
                .collect();
            *reader = None;
            *reader = Some(Reader::start(&self.parts.cluster, positions)?);
        }
        self.tell_lag(partitions).await
    }

    async fn tell_lag(&self, partitions: &BTreeMap<String, i32>) -> Result<(), KafkaError> {
        let all: Vec<(String, i32)> =
            partitions.iter().flat_map(|(topic, count)| (0..*count).map(|p| (topic.clone(), p))).collect();
        let marks = self.parts.cluster.watermarks(&all).await?;
        for ((topic, partition), marks) in all.into_iter().zip(marks) {
            let Some(live) = LiveTopic::named(&topic) else { continue };
            let next = self.progress.get(&(live, partition)).copied().unwrap_or(marks.low);
            telemetry::consumer_lag(&topic, partition).set((marks.high - next).max(0) as f64);
        }
        Ok(())
    }

    async fn take(&mut self, batch: Batch) -> Result<(), ArchiveError> {
        if let Some(failure) = &batch.failure {
            tracing::debug!(error = %failure, "City Live cannot read kafka");
        }
        for (topic, partition, wanted) in batch.lost {
            telemetry::offset_gaps(topic.name(), partition).increment(1);
            let message = format!("records from offset {wanted} on were gone before they were read");
            tracing::warn!(
                topic = topic.name(),
                partition,
                wanted,
                "City Live's records were gone before they were read"
            );
            self.parts.health.fault(&format!("{}/{partition}", topic.name()), Trouble::Lost, message);
        }
        if batch.records.is_empty() {
            return Ok(());
        }
        let mut by_topic: HashMap<LiveTopic, u64> = HashMap::new();
        for record in &batch.records {
            *by_topic.entry(record.topic).or_default() += 1;
        }
        let began = Instant::now();
        let Taken { intake, rejected, cities } = self.core.take(batch.records, now());
        let (rows, refused) = (intake.items.len(), rejected.len());
        self.bury(rejected).await;
        self.write(&intake).await?;
        for offset in &intake.offsets {
            if let Some(topic) = LiveTopic::named(&offset.topic) {
                self.progress.insert((topic, offset.partition), offset.offset);
            }
        }
        for (topic, count) in by_topic {
            telemetry::live_consumed(topic.name()).increment(count);
        }
        telemetry::live_intake_seconds().record(began.elapsed().as_secs_f64());
        tracing::debug!(rows, refused, took_ms = began.elapsed().as_millis() as u64, "City Live took a batch in");
        if !cities.is_empty() {
            self.parts.consumed.try_send(cities).ok();
        }
        Ok(())
    }

    /// Sends what was refused to the dead letters; the offsets go past it only then.
    async fn bury(&mut self, rejected: Vec<Rejected>) {
        let Some(first) = rejected.first() else { return };
        tracing::warn!(
            records = rejected.len(),
            topic = first.source.topic.name(),
            code = first.why.code.name(),
            error = first.why.message,
            "City Live records refused"
        );
        for Rejected { source, why } in &rejected {
            telemetry::rejects(source.topic.name(), why.code.name()).increment(1);
        }
        let health = Arc::clone(&self.parts.health);
        let mut failed = false;
        self.letters
            .deliver(rejected.into_iter().map(letter).collect(), |error| {
                failed = true;
                health.fault(LETTERS, Trouble::Paused, format!("dead letters are not acknowledged: {error}"));
            })
            .await;
        if failed {
            self.parts.health.works(LETTERS);
        }
    }

    /// Writes until the archive has it.
    async fn write(&self, intake: &Intake) -> Result<(), ArchiveError> {
        let mut wait = RETRY.0;
        loop {
            match self.parts.live.take_in(self.parts.token, intake).await {
                Ok(()) => {
                    if wait > RETRY.0 {
                        self.parts.health.works(WHAT);
                    }
                    return Ok(());
                }
                Err(error @ ArchiveError::Unavailable { .. }) => {
                    tell(&self.parts.health, &error);
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY.1);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

async fn next(reader: &mut Option<Reader>) -> Option<Batch> {
    match reader {
        Some(reader) => reader.batches.recv().await,
        None => std::future::pending().await,
    }
}

fn letter(rejected: Rejected) -> Letter {
    let Rejected { source, why } = rejected;
    Letter {
        code: why.code.name(),
        error: why.message,
        topic: source.topic.name(),
        partition: source.partition,
        offset: source.offset,
        timestamp: source.timestamp,
        key: source.key,
        value: source.value,
    }
}

/// Tells that the archive is down; once in the log, until it works again.
pub(crate) fn tell(health: &Health, error: &ArchiveError) {
    let message = error.to_string();
    if !health.faults().iter().any(|fault| fault.what == WHAT) {
        tracing::warn!(%error, "City Live's archive is away, trying again");
    }
    health.fault(WHAT, Trouble::Down, message);
}
