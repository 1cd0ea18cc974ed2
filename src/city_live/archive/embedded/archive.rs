//! The async face of the file: work goes to threads for blocking work, answers come back.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use super::{
    disk::{self, unavailable},
    feed,
    lease::{self, Fenced},
    read, write,
};
use crate::{
    city_live::{
        archive::{
            Alert, AlertQuery, Archive, ArchiveError, FeatureHour, FeedItem, FeedQuery, Intake, Lease, ModelOutput,
            Processed, ProcessedZone, Raw311, RawKind, RawValue, Result, RiskScore, Selection, StoredOffset,
        },
        catalogue::LiveCity,
        clock::now,
    },
    twin::time::Time,
};

/// How long a call may take.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// How long an expiry may take.
const EXPIRE_LIMIT: Duration = Duration::from_secs(60);
/// Connections that read at a time: more would only share the same two or four cores. Callers beyond it wait, within their limit.
const READERS: usize = 4;

/// City Live in one SQLite file.
pub struct EmbeddedArchive {
    disk: Arc<Disk>,
}

struct Disk {
    path: PathBuf,
    /// One at a time writes; opened by the first write.
    writer: Mutex<Option<Connection>>,
    /// Idle connections for reading: at most [`READERS`].
    readers: Mutex<Vec<Connection>>,
    reading: Semaphore,
    /// Who writes; callers wait here and not on threads.
    writing: Semaphore,
}

impl EmbeddedArchive {
    /// The archive in `DATA_DIR`; the file is opened, or made, by the first call.
    pub fn open(data_dir: &Path) -> Self {
        let disk = Disk {
            path: data_dir.join("city-live.db"),
            writer: Mutex::default(),
            readers: Mutex::default(),
            reading: Semaphore::new(READERS),
            writing: Semaphore::new(1),
        };
        Self { disk: Arc::new(disk) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.disk.path
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        within(&self.disk.path, CALL_LIMIT, async move {
            let Ok(_turn) = disk.reading.acquire().await else { return Err(unavailable(&disk.path, "it is closed")) };
            let disk = Arc::clone(&disk);
            blocking(move || disk.read(work)).await
        })
        .await
    }

    /// Does some work in one transaction, which other writers wait for.
    async fn write<T: Send + 'static>(
        &self,
        token: Option<i64>,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, Fenced>> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        within(&self.disk.path, CALL_LIMIT, async move {
            let Ok(_turn) = disk.writing.acquire().await else { return Err(unavailable(&disk.path, "it is closed")) };
            let disk = Arc::clone(&disk);
            blocking(move || disk.write(token, work)).await
        })
        .await
    }
}

impl Disk {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| disk::open(&self.path), Ok)?;
        // One transaction: what one call reads is of one moment.
        let outcome = connection.unchecked_transaction().and_then(|transaction| work(&transaction));
        match outcome {
            Ok(value) => {
                self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                Ok(value)
            }
            // The connection goes: the next one sees what an operator put in the file's place.
            Err(error) => Err(disk::failed(&self.path, &error)),
        }
    }

    fn write<T>(
        &self,
        token: Option<i64>,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, Fenced>>,
    ) -> Result<T> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = writer.take().map_or_else(|| disk::open(&self.path), Ok)?;
        let outcome = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
            if let Some(token) = token
                && let Err(fenced) = lease::check(&transaction, token)?
            {
                return Ok(Err(fenced));
            }
            let outcome = work(&transaction)?;
            if outcome.is_ok() {
                transaction.commit()?;
            }
            Ok(outcome)
        });
        match outcome {
            Ok(outcome) => {
                *writer = Some(connection);
                outcome.map_err(|Fenced| ArchiveError::Fenced)
            }
            Err(error) => Err(disk::failed(&self.path, &error)),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(ArchiveError::Unavailable { archive: disk::ARCHIVE, message: format!("its thread failed: {error}") })
    })
}

async fn within<T>(path: &Path, limit: Duration, call: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| Err(unavailable(path, "no answer in time")))
}

#[async_trait::async_trait]
impl Archive for EmbeddedArchive {
    async fn lease(&self, holder: &str, ttl: Duration, token: Option<i64>) -> Result<Lease> {
        let holder = holder.to_owned();
        self.write(None, move |file| lease::lease(file, &holder, ttl, token, now())).await
    }

    async fn release(&self, holder: &str, token: i64) -> Result<()> {
        let holder = holder.to_owned();
        self.write(None, move |file| lease::release(file, &holder, token).map(Ok)).await
    }

    async fn revision(&self) -> Result<i64> {
        self.read(read::revision).await
    }

    async fn last_seq(&self) -> Result<i64> {
        self.read(read::last_seq).await
    }

    async fn offsets(&self) -> Result<Vec<StoredOffset>> {
        self.read(read::offsets).await
    }

    async fn put_zones(&self, token: i64, city: &LiveCity) -> Result<()> {
        let city = city.clone();
        self.write(Some(token), move |file| write::zones(file, &city).map(Ok)).await
    }

    async fn selection(&self) -> Result<Option<Selection>> {
        self.read(read::selection).await
    }

    async fn select(&self, selection: &Selection) -> Result<()> {
        let selection = selection.clone();
        self.write(None, move |file| write::select(file, &selection).map(Ok)).await
    }

    async fn take_in(&self, token: i64, intake: &Intake) -> Result<()> {
        let intake = intake.clone();
        self.write(Some(token), move |file| write::take_in(file, &intake).map(Ok)).await
    }

    async fn known(&self, keys: &[String]) -> Result<Vec<String>> {
        let keys = keys.to_vec();
        self.read(move |file| read::known(file, &keys)).await
    }

    async fn raw(&self, city_id: &str, kind: RawKind) -> Result<Vec<RawValue>> {
        let city = city_id.to_owned();
        self.read(move |file| read::raw(file, &city, kind)).await
    }

    async fn calls(&self, city_id: &str) -> Result<Vec<Raw311>> {
        let city = city_id.to_owned();
        self.read(move |file| read::calls(file, &city)).await
    }

    async fn feed(&self, query: &FeedQuery) -> Result<Vec<FeedItem>> {
        let query = query.clone();
        self.read(move |file| feed::page(file, &query)).await
    }

    async fn put_processed(&self, token: i64, processed: &Processed) -> Result<()> {
        let processed = processed.clone();
        self.write(Some(token), move |file| write::processed(file, &processed).map(Ok)).await
    }

    async fn processed(&self, city_id: &str) -> Result<Vec<ProcessedZone>> {
        let city = city_id.to_owned();
        self.read(move |file| read::processed(file, &city)).await
    }

    async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>> {
        let query = query.clone();
        self.read(move |file| read::alerts(file, &query)).await
    }

    async fn acknowledge(&self, alert_id: &str, at: Time) -> Result<Option<Alert>> {
        let id = alert_id.to_owned();
        self.write(None, move |file| write::acknowledge(file, &id, at).map(Ok)).await
    }

    async fn outputs(&self, city_id: &str, zone_id: Option<&str>) -> Result<Vec<ModelOutput>> {
        let (city, zone) = (city_id.to_owned(), zone_id.map(str::to_owned));
        self.read(move |file| read::outputs(file, &city, zone.as_deref())).await
    }

    async fn features(&self, city_id: &str, zone_id: Option<&str>, since: Time) -> Result<Vec<FeatureHour>> {
        let (city, zone) = (city_id.to_owned(), zone_id.map(str::to_owned));
        self.read(move |file| read::features(file, &city, zone.as_deref(), since)).await
    }

    async fn risk_scores(&self, city_id: &str, zone_id: &str, since: Time) -> Result<Vec<RiskScore>> {
        let (city, zone) = (city_id.to_owned(), zone_id.to_owned());
        self.read(move |file| read::risk_scores(file, &city, &zone, since)).await
    }

    async fn expire(&self, token: i64, feed: Time, history: Time) -> Result<u64> {
        within(&self.disk.path, EXPIRE_LIMIT, async {
            let mut dropped = 0;
            loop {
                let (count, more) = self
                    .write(Some(token), move |file| {
                        let mut count = 0;
                        let more = feed::expire(file, feed, &mut count)?;
                        let more = write::expire_history(file, history, &mut count)? || more;
                        if count > 0 {
                            lease::revise(file)?;
                        }
                        Ok(Ok((count, more)))
                    })
                    .await?;
                dropped += count;
                if !more {
                    return Ok(dropped);
                }
            }
        })
        .await
    }
}
