//! What the archive holds of one city, read once for all who look at the same revision.
//!
//! A page asks for some hundred zones, each with ten documents: by zone that would be thousands of reads. A [`Board`] reads a
//! collection the first time somebody asks and for the whole city; a board of the present revision is shared by all requests.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::OnceCell;

use super::{
    archive::{
        Alert, AlertQuery, AlertStatus, Archive, ArchiveError, Freshness, ModelOutput, ProcessedZone, Raw311, RawKind,
        RawValue,
    },
    catalogue::LiveCity,
};
use crate::twin::time::Time;

/// More alerts than a city has open at a time: each rule at most once in each zone.
pub const MOST_OPEN: usize = 100_000;

/// The board of each city as last asked for: at most as many as the catalogue has cities.
pub struct Boards {
    archive: Arc<dyn Archive>,
    held: Mutex<HashMap<String, Arc<Board>>>,
}

/// A city at one revision of the archive. Each collection is read when it is first asked for; one that was read stays as it is, be it
/// an error.
pub struct Board {
    /// The city as the catalogue has it.
    pub city: Arc<LiveCity>,
    archive: Arc<dyn Archive>,
    revision: i64,
    failed: AtomicBool,
    raw: [Cell<ByZone<RawValue>>; RawKind::ALL.len()],
    calls: Cell<ByZone<Raw311>>,
    processed: Cell<HashMap<String, Arc<ProcessedZone>>>,
    alerts: Cell<Vec<Arc<Alert>>>,
    outputs: Cell<HashMap<String, Vec<ModelOutput>>>,
}

type Cell<T> = OnceCell<Read<T>>;
type Read<T> = Result<T, Arc<ArchiveError>>;

/// Documents by the zone that they are of.
#[derive(Debug)]
pub struct ByZone<T> {
    /// Of the city as a whole.
    pub whole: Option<T>,
    zones: HashMap<String, T>,
}

impl<T> ByZone<T> {
    /// The document of a zone.
    pub fn zone(&self, id: &str) -> Option<&T> {
        self.zones.get(id)
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.whole.iter().chain(self.zones.values())
    }

    fn new(documents: Vec<T>, zone: impl Fn(&T) -> Option<String>) -> Self {
        let mut by_zone = Self { whole: None, zones: HashMap::with_capacity(documents.len()) };
        for document in documents {
            match zone(&document) {
                Some(id) => drop(by_zone.zones.insert(id, document)),
                None => by_zone.whole = Some(document),
            }
        }
        by_zone
    }
}

impl Boards {
    /// Boards over an archive.
    pub fn new(archive: Arc<dyn Archive>) -> Self {
        Self { archive, held: Mutex::default() }
    }

    /// The city as it is now.
    ///
    /// # Errors
    /// When the archive does not answer.
    pub async fn now(&self, city: &Arc<LiveCity>) -> Result<Arc<Board>, ArchiveError> {
        Ok(self.at(city, self.archive.revision().await?))
    }

    /// The city as it is now, for somebody who saw this revision: what it stands for is on the board, and maybe more.
    pub fn at(&self, city: &Arc<LiveCity>, revision: i64) -> Arc<Board> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(board) = held.get(&city.id)
            && board.revision == revision
            && !board.failed.load(Ordering::Relaxed)
        {
            return Arc::clone(board);
        }
        let board = Arc::new(Board::new(Arc::clone(&self.archive), Arc::clone(city), revision));
        held.insert(city.id.clone(), Arc::clone(&board));
        board
    }
}

impl Board {
    fn new(archive: Arc<dyn Archive>, city: Arc<LiveCity>, revision: i64) -> Self {
        Self {
            city,
            archive,
            revision,
            failed: AtomicBool::new(false),
            raw: Default::default(),
            calls: Cell::new(),
            processed: Cell::new(),
            alerts: Cell::new(),
            outputs: Cell::new(),
        }
    }

    /// The archive behind it, for what is asked for one by one (history, cleared alerts).
    pub fn archive(&self) -> &Arc<dyn Archive> {
        &self.archive
    }

    /// Latest values of one kind.
    pub async fn raw(&self, kind: RawKind) -> Read<&ByZone<RawValue>> {
        let read = async {
            let values = self.archive.raw(&self.city.id, kind).await?;
            Ok(ByZone::new(values, |value: &RawValue| value.zone_id.clone()))
        };
        self.get(&self.raw[kind as usize], read).await
    }

    /// 311 calls of the last 24 h.
    pub async fn calls(&self) -> Read<&ByZone<Raw311>> {
        let read = async {
            let calls = self.archive.calls(&self.city.id).await?;
            Ok(ByZone::new(calls, |calls: &Raw311| calls.zone_id.clone()))
        };
        self.get(&self.calls, read).await
    }

    /// What the last run made of each zone, by `zone_id`.
    pub async fn processed(&self) -> Read<&HashMap<String, Arc<ProcessedZone>>> {
        let read = async {
            let zones = self.archive.processed(&self.city.id).await?;
            Ok(zones.into_iter().map(|zone| (zone.zone_id.clone(), Arc::new(zone))).collect())
        };
        self.get(&self.processed, read).await
    }

    /// When the city's zones were last processed from anything; `None`: never. A run that was asked for before the first data came says
    /// nothing of the city.
    pub async fn processed_at(&self) -> Read<Option<Time>> {
        let knows = |zone: &&Arc<ProcessedZone>| zone.freshness.iter().any(|input| input.state != Freshness::Missing);
        Ok(self.processed().await?.values().filter(knows).map(|zone| zone.processed_at).max())
    }

    /// The alerts that are not cleared, newest first.
    pub async fn open_alerts(&self) -> Read<&[Arc<Alert>]> {
        let read = async {
            let query = AlertQuery {
                city_id: self.city.id.clone(),
                zone_id: None,
                status: vec![AlertStatus::Open, AlertStatus::Acknowledged],
                limit: MOST_OPEN,
            };
            Ok(self.archive.alerts(&query).await?.into_iter().map(Arc::new).collect())
        };
        self.get(&self.alerts, read).await.map(Vec::as_slice)
    }

    /// What the models say, by `zone_id`; in each zone the chosen one first, then by name.
    pub async fn outputs(&self) -> Read<&HashMap<String, Vec<ModelOutput>>> {
        let read = async {
            let mut by_zone: HashMap<String, Vec<ModelOutput>> = HashMap::new();
            for output in self.archive.outputs(&self.city.id, None).await? {
                by_zone.entry(output.zone_id.clone()).or_default().push(output);
            }
            for outputs in by_zone.values_mut() {
                outputs.sort_by(|a, b| b.chosen.cmp(&a.chosen).then_with(|| a.model.cmp(&b.model)));
            }
            Ok(by_zone)
        };
        self.get(&self.outputs, read).await
    }

    async fn get<'a, T>(&self, cell: &'a Cell<T>, read: impl Future<Output = Result<T, ArchiveError>>) -> Read<&'a T> {
        let read = cell.get_or_init(|| async { read.await.map_err(Arc::new) }).await;
        if read.is_err() {
            // Nobody else is given it: the archive may be back for the next one.
            self.failed.store(true, Ordering::Relaxed);
        }
        read.as_ref().map_err(Arc::clone)
    }
}
