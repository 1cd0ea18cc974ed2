//! The archive's calls, each within its time.

use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};

use super::{
    convert::{date, document},
    lease::{Watched, number},
    link::{CALL_LIMIT, CALLS, FEATURES, Link, OUTPUTS, PROCESSED, RISKS, STATE},
    write::Retention,
};
use crate::{
    city_live::{
        archive::{
            Alert, AlertQuery, Archive, ArchiveError, FeatureHour, FeedItem, FeedQuery, Intake, Lease, ModelOutput,
            Processed, ProcessedZone, Raw311, RawKind, RawValue, Result, RiskScore, Selection, StoredOffset,
        },
        catalogue::LiveCity,
    },
    twin::time::Time,
};

/// How long what writes a batch may take: it is several commands, and some servers are slow.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// How long an expiry may take.
const EXPIRE_LIMIT: Duration = Duration::from_secs(60);

/// City Live in a MongoDB database.
pub struct MongoArchive {
    link: Link,
    keep: Retention,
    watched: Watched,
}

impl MongoArchive {
    /// An archive in the database that the URI names; nothing is reached for before the first call. `feed` and `history` are how long
    /// the server's own TTL indexes keep what they drop.
    ///
    /// # Errors
    /// [`ArchiveError::Setting`]: the URI is malformed, or names no database.
    pub fn open(uri: &str, feed: Duration, history: Duration) -> Result<Self> {
        Ok(Self { link: Link::new(uri)?, keep: Retention { feed, history }, watched: Watched::default() })
    }
}

async fn within<T>(limit: Duration, call: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || ArchiveError::Unavailable { archive: "MongoDB", message: "no answer in time".to_owned() };
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| Err(late()))
}

fn of_city(city_id: &str, zone_id: Option<&str>) -> Document {
    let mut filter = doc! {"city_id": city_id};
    if let Some(zone) = zone_id {
        filter.insert("zone_id", zone);
    }
    filter
}

#[async_trait::async_trait]
impl Archive for MongoArchive {
    async fn lease(&self, holder: &str, ttl: Duration, token: Option<i64>) -> Result<Lease> {
        within(CALL_LIMIT, self.link.lease(&self.watched, holder, ttl, token)).await
    }

    async fn release(&self, holder: &str, token: i64) -> Result<()> {
        within(CALL_LIMIT, self.link.release(holder, token)).await
    }

    async fn revision(&self) -> Result<i64> {
        within(CALL_LIMIT, async { Ok(self.link.state().await?.map_or(0, |state| number(&state, "revision"))) }).await
    }

    async fn last_seq(&self) -> Result<i64> {
        within(CALL_LIMIT, self.link.last_seq()).await
    }

    async fn offsets(&self) -> Result<Vec<StoredOffset>> {
        within(CALL_LIMIT, self.link.offsets()).await
    }

    async fn put_zones(&self, token: i64, city: &LiveCity) -> Result<()> {
        within(WRITE_LIMIT, self.link.put_zones(token, city)).await
    }

    async fn selection(&self) -> Result<Option<Selection>> {
        within(CALL_LIMIT, self.link.selection()).await
    }

    async fn select(&self, selection: &Selection) -> Result<()> {
        let mut chosen = document(STATE, String::new(), selection)?;
        chosen.remove("_id");
        within(CALL_LIMIT, self.link.revise(doc! {"selection": Bson::Document(chosen)})).await
    }

    async fn take_in(&self, token: i64, intake: &Intake) -> Result<()> {
        within(WRITE_LIMIT, self.link.take_in(token, self.keep, intake)).await
    }

    async fn known(&self, keys: &[String]) -> Result<Vec<String>> {
        within(CALL_LIMIT, self.link.known(keys)).await
    }

    async fn raw(&self, city_id: &str, kind: RawKind) -> Result<Vec<RawValue>> {
        let by_zone = doc! {"zone_id": 1};
        within(CALL_LIMIT, self.link.documents(kind.collection(), of_city(city_id, None), by_zone, None)).await
    }

    async fn calls(&self, city_id: &str) -> Result<Vec<Raw311>> {
        let by_zone = doc! {"zone_id": 1};
        within(CALL_LIMIT, self.link.documents(CALLS, of_city(city_id, None), by_zone, None)).await
    }

    async fn feed(&self, query: &FeedQuery) -> Result<Vec<FeedItem>> {
        within(CALL_LIMIT, self.link.feed(query)).await
    }

    async fn put_processed(&self, token: i64, processed: &Processed) -> Result<()> {
        within(WRITE_LIMIT, self.link.put_processed(token, self.keep, processed)).await
    }

    async fn processed(&self, city_id: &str) -> Result<Vec<ProcessedZone>> {
        let by_zone = doc! {"zone_id": 1};
        within(CALL_LIMIT, self.link.documents(PROCESSED, of_city(city_id, None), by_zone, None)).await
    }

    async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>> {
        within(CALL_LIMIT, self.link.alerts(query)).await
    }

    async fn acknowledge(&self, alert_id: &str, at: Time) -> Result<Option<Alert>> {
        within(CALL_LIMIT, self.link.acknowledge(alert_id, at)).await
    }

    async fn outputs(&self, city_id: &str, zone_id: Option<&str>) -> Result<Vec<ModelOutput>> {
        let order = doc! {"zone_id": 1, "model": 1};
        within(CALL_LIMIT, self.link.documents(OUTPUTS, of_city(city_id, zone_id), order, None)).await
    }

    async fn features(&self, city_id: &str, zone_id: Option<&str>, since: Time) -> Result<Vec<FeatureHour>> {
        let mut filter = of_city(city_id, zone_id);
        filter.insert("hour", doc! {"$gte": date(since)});
        let order = doc! {"zone_id": 1, "hour": 1};
        within(CALL_LIMIT, self.link.documents(FEATURES, filter, order, None)).await
    }

    async fn risk_scores(&self, city_id: &str, zone_id: &str, since: Time) -> Result<Vec<RiskScore>> {
        let mut filter = of_city(city_id, Some(zone_id));
        filter.insert("ts", doc! {"$gte": date(since)});
        within(CALL_LIMIT, self.link.documents(RISKS, filter, doc! {"ts": 1}, None)).await
    }

    async fn expire(&self, token: i64, feed: Time, history: Time) -> Result<u64> {
        within(EXPIRE_LIMIT, self.link.expire(token, feed, history)).await
    }
}
