//! What the subscriptions read at each revision of the archive, and what of it is new to a subscriber.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use async_graphql::{Object, Result};

use super::{
    alert::LiveAlert,
    city::LiveCity,
    feed::LiveFeedItem,
    follow::Follow,
    source::{Watched, failed},
    zone::LiveZone,
};
use crate::{
    city_live::{
        self,
        archive::{Alert, AlertQuery, AlertStatus, Archive, FeedQuery, RawKind},
        board::{Board, MOST_OPEN},
    },
    twin::time::Time,
};

/// The most messages of one batch.
const BATCH: usize = 500;

/// How far City Live is with a city.
pub struct CityChanges {
    city: Watched,
    inputs: bool,
    last: Option<Shown>,
}

/// What a subscriber of a city is told of.
#[derive(PartialEq)]
struct Shown {
    city_id: String,
    selected_at: Option<Time>,
    processed_at: Option<Time>,
    status: city_live::Status,
    inputs: u64,
}

impl CityChanges {
    pub fn new(city: Watched, inputs: bool) -> Self {
        Self { city, inputs, last: None }
    }
}

impl Follow for CityChanges {
    type Item = LiveCity;
    // A city grows stale by itself.
    const TICK: Option<Duration> = Some(Duration::from_secs(5));

    async fn read(&mut self, revision: i64) -> Result<Option<LiveCity>> {
        let Some((board, selection)) = self.city.board(revision).await? else { return Ok(None) };
        let processed_at = board.processed_at().await.map_err(failed)?;
        let chosen = selection.as_ref().filter(|selection| selection.city_id == board.city.id);
        let selected_at = chosen.map(|selection| selection.selected_at);
        let shown = Shown {
            city_id: board.city.id.clone(),
            selected_at,
            processed_at,
            status: self.city.live.status(selected_at, processed_at),
            inputs: if self.inputs { inputs(&board).await? } else { 0 },
        };
        if self.last.as_ref() == Some(&shown) {
            return Ok(None);
        }
        self.last = Some(shown);
        Ok(Some(LiveCity::new(&self.city.live, board, selection)))
    }
}

/// Another number whenever a latest value has changed.
async fn inputs(board: &Board) -> Result<u64> {
    // The order of what is hashed is not defined: the sum of the hashes is.
    let mut sum = 0_u64;
    let mut add = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        sum = sum.wrapping_add(hasher.finish());
    };
    for kind in RawKind::ALL {
        for value in board.raw(kind).await.map_err(failed)?.all() {
            add(&|hasher| (kind, &value.zone_id, value.ts.0, value.ingested_at.0, &value.source).hash(hasher));
        }
    }
    for calls in board.calls().await.map_err(failed)?.all() {
        add(&|hasher| (&calls.zone_id, calls.ts.0, calls.calls.len(), &calls.by_type).hash(hasher));
    }
    Ok(sum)
}

/// The feed as it grows.
pub struct FeedChanges {
    archive: Arc<dyn Archive>,
    /// Its `limit` is of the beginning.
    query: FeedQuery,
    /// All rows up to this one are with the subscriber, as far as they match; `None`: nothing is yet.
    seen: Option<i64>,
    more: bool,
}

impl FeedChanges {
    pub fn new(archive: Arc<dyn Archive>, query: FeedQuery) -> Self {
        Self { archive, query, seen: None, more: false }
    }
}

impl Follow for FeedChanges {
    type Item = LiveFeedBatch;

    async fn read(&mut self, _revision: i64) -> Result<Option<LiveFeedBatch>> {
        // Read before the rows: what comes between is given twice to nobody, for the rows themselves say how far they go.
        let last = self.archive.last_seq().await.map_err(failed)?;
        let Some(seen) = self.seen else {
            let mut items = if self.query.limit == 0 { Vec::new() } else { self.rows(&self.query).await? };
            items.reverse();
            self.seen = Some(items.last().map_or(last, |item| item.0.seq.max(last)));
            return Ok(Some(LiveFeedBatch { snapshot: true, items }));
        };
        if last <= seen {
            self.more = false;
            return Ok(None);
        }
        let items = self.rows(&FeedQuery { after: Some(seen), limit: BATCH, ..self.query.clone() }).await?;
        self.more = items.len() == BATCH;
        let newest = items.last().map(|item| item.0.seq);
        // A full batch ends in the midst of what there is; else all that was there is read, whether it matches or not.
        let read_to = if self.more { newest } else { newest.max(Some(last)) };
        self.seen = read_to.or(self.seen);
        Ok((!items.is_empty()).then_some(LiveFeedBatch { snapshot: false, items }))
    }

    fn has_more(&self) -> bool {
        self.more
    }
}

impl FeedChanges {
    async fn rows(&self, query: &FeedQuery) -> Result<Vec<LiveFeedItem>> {
        let rows = self.archive.feed(query).await.map_err(failed)?;
        Ok(rows.into_iter().map(LiveFeedItem).collect())
    }
}

/// Messages in the order of taking in.
pub struct LiveFeedBatch {
    snapshot: bool,
    items: Vec<LiveFeedItem>,
}

/// Messages in the order of taking in.
#[Object]
impl LiveFeedBatch {
    /// Whether it is what there was at the beginning: one batch, the first, empty where there was nothing.
    async fn snapshot(&self) -> bool {
        self.snapshot
    }

    /// The messages, the oldest first.
    #[graphql(complexity = "1 + 100 * child_complexity")]
    async fn items(&self) -> &[LiveFeedItem] {
        &self.items
    }
}

/// What is made of the zones of a city.
pub struct ZoneChanges {
    city: Watched,
    wanted: Option<HashSet<String>>,
    /// The city of what the subscriber holds; `None`: it holds nothing yet.
    of: Option<String>,
    /// The run and its time of each zone that the subscriber holds.
    held: HashMap<String, (Time, String)>,
}

impl ZoneChanges {
    pub fn new(city: Watched, wanted: Option<HashSet<String>>) -> Self {
        Self { city, wanted, of: None, held: HashMap::new() }
    }
}

impl Follow for ZoneChanges {
    type Item = LiveZoneBatch;

    async fn read(&mut self, revision: i64) -> Result<Option<LiveZoneBatch>> {
        let Some((board, _)) = self.city.board(revision).await? else { return Ok(None) };
        let processed = board.processed().await.map_err(failed)?;
        let snapshot = self.of.as_ref() != Some(&board.city.id);
        if snapshot {
            self.held.clear();
            self.of = Some(board.city.id.clone());
        }
        let mut zones = Vec::new();
        for zone in LiveZone::all(&board) {
            let id = &zone.zone().id;
            if self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(id)) {
                continue;
            }
            let Some(made) = processed.get(id) else { continue };
            let known = self.held.get(id);
            if known.is_some_and(|(at, run)| *at == made.processed_at && *run == made.run_id) {
                continue;
            }
            self.held.insert(id.clone(), (made.processed_at, made.run_id.clone()));
            zones.push(zone);
        }
        let news = snapshot || !zones.is_empty();
        Ok(news.then(|| LiveZoneBatch { city_id: board.city.id.clone(), snapshot, zones }))
    }
}

/// Zones that a run made anew.
pub struct LiveZoneBatch {
    city_id: String,
    snapshot: bool,
    zones: Vec<LiveZone>,
}

/// Zones that a run made anew.
#[Object]
impl LiveZoneBatch {
    /// The `cityId` of the city that they are of.
    async fn city_id(&self) -> &str {
        &self.city_id
    }

    /// Whether these are all zones that were processed: what the client held before is void. The first batch is so, and
    /// the first of another city.
    async fn snapshot(&self) -> bool {
        self.snapshot
    }

    /// The zones, in the order of the catalogue.
    #[graphql(complexity = "1 + 100 * child_complexity")]
    async fn zones(&self) -> &[LiveZone] {
        &self.zones
    }
}

/// The alerts of a city.
pub struct AlertChanges {
    city: Watched,
    zone: Option<String>,
    /// The city of what the subscriber holds; `None`: it holds nothing yet.
    of: Option<String>,
    /// The alerts that the subscriber holds and that are not cleared.
    held: HashMap<String, Arc<Alert>>,
}

impl AlertChanges {
    pub fn new(city: Watched, zone: Option<String>) -> Self {
        Self { city, zone, of: None, held: HashMap::new() }
    }

    /// Alerts that were cleared since they were last read, as the archive has them now.
    async fn cleared(&self, board: &Board, mut gone: HashMap<String, Arc<Alert>>) -> Result<Vec<LiveAlert>> {
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let query = AlertQuery {
            city_id: board.city.id.clone(),
            zone_id: self.zone.clone(),
            status: vec![AlertStatus::Cleared],
            limit: MOST_OPEN,
        };
        let cleared = board.archive().alerts(&query).await.map_err(failed)?;
        let mut alerts: Vec<_> =
            cleared.iter().filter(|alert| gone.remove(&alert.alert_id).is_some()).map(LiveAlert::from).collect();
        // What the archive has no more is over, too.
        let expired = gone.values().map(|alert| Alert { status: AlertStatus::Cleared, ..Alert::clone(alert) });
        alerts.extend(expired.map(|alert| LiveAlert::from(&alert)));
        Ok(alerts)
    }
}

impl Follow for AlertChanges {
    type Item = LiveAlertBatch;

    async fn read(&mut self, revision: i64) -> Result<Option<LiveAlertBatch>> {
        let Some((board, _)) = self.city.board(revision).await? else { return Ok(None) };
        let open = board.open_alerts().await.map_err(failed)?;
        let snapshot = self.of.as_ref() != Some(&board.city.id);
        let before = if snapshot { &HashMap::new() } else { &self.held };
        let mut now = HashMap::new();
        let mut alerts = Vec::new();
        for alert in open.iter().filter(|alert| self.zone.is_none() || alert.zone_id == self.zone) {
            if before.get(&alert.alert_id) != Some(alert) {
                alerts.push(LiveAlert::from(&**alert));
            }
            now.insert(alert.alert_id.clone(), Arc::clone(alert));
        }
        let gone = before.iter().filter(|(id, _)| !now.contains_key(*id));
        let gone = gone.map(|(id, alert)| (id.clone(), Arc::clone(alert))).collect();
        alerts.extend(self.cleared(&board, gone).await?);
        // Only now: had the archive not answered, nothing would count as given.
        self.held = now;
        self.of = Some(board.city.id.clone());
        let news = snapshot || !alerts.is_empty();
        Ok(news.then(|| LiveAlertBatch { city_id: board.city.id.clone(), snapshot, alerts }))
    }
}

/// Alerts that were raised or changed.
pub struct LiveAlertBatch {
    city_id: String,
    snapshot: bool,
    alerts: Vec<LiveAlert>,
}

/// Alerts that were raised or changed.
#[Object]
impl LiveAlertBatch {
    /// The `cityId` of the city that they are of.
    async fn city_id(&self) -> &str {
        &self.city_id
    }

    /// Whether these are all alerts that are not cleared: what the client held before is void. The first batch is so, and
    /// the first of another city.
    async fn snapshot(&self) -> bool {
        self.snapshot
    }

    /// The alerts, newest first, then those that were cleared.
    #[graphql(complexity = "1 + 100 * child_complexity")]
    async fn alerts(&self) -> &[LiveAlert] {
        &self.alerts
    }
}
