//! City Live as the edges see it: what can be asked, and what can be done.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicI64, Ordering},
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::{Notify, watch},
    time::Duration,
};

use super::{
    archive::{Alert, Archive, ArchiveError, Intake, RawKind, Selection},
    board::Boards,
    catalogue::LiveCity,
    clock::now,
    process::{History, Made, run_id},
};
use crate::twin::time::Time;

/// How often the archive is asked for its revision while somebody looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A city whose last run is older than this many intervals of the processing is stale.
const STALE_INTERVALS: i32 = 3;

/// How a city stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It was chosen, and what is there is none of it, or older than the choice.
    Loading,
    /// The last run is young enough.
    Ready,
    /// The last run is older than three intervals of the processing.
    Stale,
}

impl Status {
    /// `LOADING`, `READY`, `STALE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loading => "LOADING",
            Self::Ready => "READY",
            Self::Stale => "STALE",
        }
    }
}

/// A run of the processing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Zones have it as their `run_id`.
    pub run_id: String,
    /// Of which city.
    pub city_id: String,
    /// `None`: it was not waited for.
    pub done: Option<Done>,
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// When it was made.
    pub processed_at: Time,
    /// How many zones.
    pub zones: usize,
}

/// Why City Live did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The catalogue has no such city.
    #[error("the catalogue has no city `{id}`")]
    UnknownCity {
        /// As it was asked for.
        id: String,
    },
    /// None was named, and none was chosen yet.
    #[error("no city was chosen yet")]
    NoCity,
    /// Another instance runs City Live (or none does at this moment): it must be asked.
    #[error("another instance runs City Live")]
    NotRunner,
    /// The archive did not do its part.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Makes a run's results out of what the archive holds: rules that call no API. They write nothing themselves.
pub type Process =
    Arc<dyn Fn(Arc<dyn Archive>, Arc<LiveCity>, Job) -> BoxFuture<'static, Result<Made, ArchiveError>> + Send + Sync>;

/// One run to make.
#[derive(Debug)]
pub struct Job {
    /// Names the run.
    pub run_id: String,
    /// The moment that ages are counted from.
    pub now: Time,
    /// The history as the archive holds it, where that is known from the run before.
    pub history: Option<History>,
}

/// City Live of this process. One for all who ask; it outlives neither the archive nor the catalogue.
pub struct CityLive {
    archive: Arc<dyn Archive>,
    boards: Boards,
    cities: Vec<Arc<LiveCity>>,
    process_interval: Duration,
    process: Process,
    /// The token while this instance runs City Live; 0: it does not. Tokens begin at 1.
    token: AtomicI64,
    /// One run at a time: two would write each other's alerts. Between them stays the history, under the token that it was written
    /// under. It is taken out for all that reads or writes hourly features, and put back where that succeeded: after a failure the next
    /// run reads it anew.
    running: tokio::sync::Mutex<Option<(i64, History)>>,
    revision: watch::Sender<i64>,
    /// Whether somebody asks for the revision.
    looking: Mutex<bool>,
    /// This process has written: no need to wait for the next look.
    written: Arc<Notify>,
    me: Weak<Self>,
}

impl CityLive {
    /// City Live over an archive and a catalogue.
    pub fn new(
        archive: Arc<dyn Archive>,
        cities: impl IntoIterator<Item = LiveCity>,
        process_interval: Duration,
        process: Process,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            boards: Boards::new(Arc::clone(&archive)),
            archive,
            cities: cities.into_iter().map(Arc::new).collect(),
            process_interval,
            process,
            token: AtomicI64::new(0),
            running: tokio::sync::Mutex::default(),
            revision: watch::Sender::new(0),
            looking: Mutex::default(),
            written: Arc::default(),
            me: Weak::clone(me),
        })
    }

    /// All cities of the catalogue, in its order.
    pub fn cities(&self) -> &[Arc<LiveCity>] {
        &self.cities
    }

    /// A city of the catalogue.
    pub fn city(&self, id: &str) -> Option<&Arc<LiveCity>> {
        self.cities.iter().find(|city| city.id == id)
    }

    /// Where everything is kept.
    pub fn archive(&self) -> &Arc<dyn Archive> {
        &self.archive
    }

    /// What it holds of each city, read once for all who ask at the same revision.
    pub fn boards(&self) -> &Boards {
        &self.boards
    }

    /// How a city stands, by when it was chosen and when it was last processed.
    pub fn status(&self, selected_at: Option<Time>, processed_at: Option<Time>) -> Status {
        let limit = (self.process_interval * STALE_INTERVALS.unsigned_abs()).as_millis() as i64;
        let now = now().0;
        match processed_at {
            None => Status::Loading,
            Some(processed) if now - processed.0 <= limit => Status::Ready,
            // Chosen a moment ago, and what is there is of the last time that it was.
            Some(processed) if selected_at.is_some_and(|at| at > processed && now - at.0 <= limit) => Status::Loading,
            Some(_) => Status::Stale,
        }
    }

    /// Chooses the city, for all instances. To choose the chosen one again asks for its data anew.
    ///
    /// # Errors
    /// `UnknownCity`, `Archive`.
    pub async fn select(&self, city_id: &str) -> Result<Selection, OperationError> {
        let city = self.known(city_id)?;
        let selection = Selection { city_id: city.id.clone(), selected_at: now() };
        self.archive.select(&selection).await?;
        self.wrote();
        Ok(selection)
    }

    /// Notes that somebody has seen an alert: see [`Archive::acknowledge`].
    ///
    /// # Errors
    /// The archive's.
    pub async fn acknowledge(&self, alert_id: &str) -> Result<Option<Alert>, ArchiveError> {
        let alert = self.archive.acknowledge(alert_id, now()).await?;
        self.wrote();
        Ok(alert)
    }

    /// Processes a city (`None`: the chosen one) from what the archive holds. With `wait` it answers when the run is done, else at once;
    /// a run that was begun goes on when nobody waits any more.
    ///
    /// # Errors
    /// `UnknownCity`, `NoCity`, `NotRunner`, `Archive`.
    pub async fn process(&self, city_id: Option<&str>, wait: bool) -> Result<Run, OperationError> {
        let city = if let Some(id) = city_id {
            Arc::clone(self.known(id)?)
        } else {
            let selection = self.archive.selection().await?.ok_or(OperationError::NoCity)?;
            Arc::clone(self.known(&selection.city_id)?)
        };
        let token = self.token().ok_or(OperationError::NotRunner)?;
        let me = self.me.upgrade().ok_or(OperationError::NotRunner)?;
        // Two runs of one moment are the same run.
        let now = now();
        let run_id = run_id(&city.id, now);
        let mut run = Run { run_id: run_id.clone(), city_id: city.id.clone(), done: None };
        let running = tokio::spawn(async move {
            let outcome = me.run(token, city, run_id, now).await;
            if let Err(error) = &outcome {
                tracing::warn!(%error, "city live could not be processed");
            }
            outcome
        });
        if wait {
            let outcome = running.await.unwrap_or_else(|error| {
                Err(ArchiveError::Unavailable { archive: "the processing", message: error.to_string() })
            });
            run.done = Some(outcome.map_err(|error| match error {
                ArchiveError::Fenced => OperationError::NotRunner,
                error => OperationError::Archive(error),
            })?);
        }
        Ok(run)
    }

    /// Whether the archive holds a latest value of any kind of a city.
    ///
    /// # Errors
    /// The archive's.
    pub async fn has_inputs(&self, city_id: &str) -> Result<bool, ArchiveError> {
        for kind in RawKind::ALL {
            if !self.archive.raw(city_id, kind).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(!self.archive.calls(city_id).await?.is_empty())
    }

    async fn run(&self, token: i64, city: Arc<LiveCity>, run_id: String, now: Time) -> Result<Done, ArchiveError> {
        let mut kept = self.running.lock().await;
        let began = tokio::time::Instant::now();
        let history = kept.take().filter(|(under, _)| *under == token).map(|(_, history)| history);
        let job = Job { run_id, now, history };
        let Made { processed, mut history } = (self.process)(Arc::clone(&self.archive), Arc::clone(&city), job).await?;
        self.archive.put_processed(token, &processed).await?;
        history.extend(&processed.features);
        *kept = Some((token, history));
        self.wrote();
        let took_ms = began.elapsed().as_millis() as u64;
        tracing::info!(city = city.id, zones = processed.zones.len(), took_ms, "city live processed");
        Ok(Done { processed_at: now, zones: processed.zones.len() })
    }

    /// Takes in what a batch of messages brought. While a run is under way, hourly features wait for its end: it would write over them
    /// what it had read before.
    ///
    /// # Errors
    /// The archive's.
    pub(crate) async fn take_in(&self, token: i64, intake: &Intake) -> Result<(), ArchiveError> {
        if intake.hours.is_empty() {
            self.archive.take_in(token, intake).await?;
        } else {
            let mut kept = self.running.lock().await;
            let known = kept.take().filter(|(under, _)| *under == token);
            self.archive.take_in(token, intake).await?;
            *kept = known.map(|(token, mut history)| {
                history.extend(&intake.hours);
                (token, history)
            });
        }
        self.wrote();
        Ok(())
    }

    /// The archive's revision, looked at twice a second for as long as somebody has a receiver. The first value may be an old one; a
    /// newer follows at once.
    pub fn revisions(&self) -> watch::Receiver<i64> {
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.revision.subscribe();
        if !std::mem::replace(&mut looking, true) {
            tokio::spawn(look(Weak::clone(&self.me)));
        }
        receiver
    }

    /// The token while this instance runs City Live.
    pub fn token(&self) -> Option<i64> {
        Some(self.token.load(Ordering::Acquire)).filter(|token| *token > 0)
    }

    /// This instance runs City Live from now on under this token, or no longer does.
    pub(crate) fn runs_under(&self, token: Option<i64>) {
        self.token.store(token.unwrap_or(0), Ordering::Release);
    }

    /// This process has changed something: whoever looks need not wait for the next look.
    pub(crate) fn wrote(&self) {
        self.written.notify_one();
    }

    fn known(&self, id: &str) -> Result<&Arc<LiveCity>, OperationError> {
        self.city(id).ok_or_else(|| OperationError::UnknownCity { id: id.to_owned() })
    }
}

/// Asks for the revision until nobody wants it any more.
async fn look(live: Weak<CityLive>) {
    loop {
        let Some(live) = live.upgrade() else { return };
        match live.archive.revision().await {
            Ok(revision) => drop(live.revision.send_if_modified(|seen| std::mem::replace(seen, revision) != revision)),
            Err(error) => tracing::debug!(%error, "city live's archive does not tell its revision"),
        }
        {
            let mut looking = live.looking.lock().unwrap_or_else(PoisonError::into_inner);
            if live.revision.receiver_count() == 0 {
                *looking = false;
                return;
            }
        }
        // Not held while it waits, so that City Live can go.
        let written = Arc::clone(&live.written);
        drop(live);
        let _ = tokio::time::timeout(LOOK_EVERY, written.notified()).await;
    }
}

#[cfg(test)]
mod tests;
