//! What is read.

use mongodb::bson::{Bson, Document, doc};
use serde::de::DeserializeOwned;

use super::{
    convert::{self, date},
    lease::number,
    link::{ALERTS, FEED, Link},
};
use crate::city_live::archive::{Alert, AlertQuery, FeedItem, FeedQuery, Result, Selection, StoredOffset};

impl Link {
    /// Documents as what they are of.
    pub(super) async fn documents<T: DeserializeOwned>(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
        limit: Option<usize>,
    ) -> Result<Vec<T>> {
        let found = self.find(collection, filter, sort, limit).await?;
        found.into_iter().map(|document| convert::read(collection, document)).collect()
    }

    pub(super) async fn last_seq(&self) -> Result<i64> {
        let sealed = self.state().await?.map_or(0, |state| number(&state, "seq"));
        // A batch that was broken off has left rows, and the state does not know them.
        let newest = self.find(FEED, doc! {}, doc! {"seq": -1}, Some(1)).await?;
        Ok(newest.first().map_or(0, |newest| number(newest, "seq")).max(sealed))
    }

    pub(super) async fn offsets(&self) -> Result<Vec<StoredOffset>> {
        let state = self.state().await?.unwrap_or_default();
        let Ok(offsets) = state.get_document("offsets") else { return Ok(Vec::new()) };
        let stored = offsets.iter().filter_map(|(_, value)| value.as_document()).map(|offset| StoredOffset {
            cluster: offset.get_str("cluster").unwrap_or_default().to_owned(),
            topic: offset.get_str("topic").unwrap_or_default().to_owned(),
            partition: number(offset, "partition") as i32,
            offset: number(offset, "offset"),
        });
        let mut stored: Vec<_> = stored.collect();
        stored.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        Ok(stored)
    }

    pub(super) async fn selection(&self) -> Result<Option<Selection>> {
        let state = self.state().await?.unwrap_or_default();
        let Ok(selection) = state.get_document("selection") else { return Ok(None) };
        convert::read(super::link::STATE, selection.clone()).map(Some)
    }

    pub(super) async fn known(&self, keys: &[String]) -> Result<Vec<String>> {
        let mut known = Vec::new();
        for chunk in keys.chunks(1000) {
            let found = self.find(FEED, doc! {"_id": {"$in": chunk.to_vec()}}, doc! {}, None).await?;
            known.extend(found.iter().filter_map(|row| row.get_str("_id").ok().map(str::to_owned)));
        }
        known.sort_by_key(|key| keys.iter().position(|asked| asked == key));
        Ok(known)
    }

    pub(super) async fn feed(&self, query: &FeedQuery) -> Result<Vec<FeedItem>> {
        let mut filter = doc! {};
        if let Some(city) = &query.city_id {
            filter.insert("city_id", city);
        }
        if let Some(topic) = query.topic {
            filter.insert("topic", topic.name());
        }
        if let Some(zone) = &query.zone_id {
            filter.insert("zone_id", zone);
        }
        if let Some(since) = query.since {
            filter.insert("ts", doc! {"$gte": date(since)});
        }
        let mut seq = doc! {};
        if let Some(before) = query.before {
            seq.insert("$lt", before);
        }
        if let Some(after) = query.after {
            seq.insert("$gt", after);
        }
        if !seq.is_empty() {
            filter.insert("seq", seq);
        }
        if query.limit == 0 {
            // MongoDB's 0 is no limit.
            return Ok(Vec::new());
        }
        let order = if query.after.is_some() { 1 } else { -1 };
        self.documents(FEED, filter, doc! {"seq": order}, Some(query.limit)).await
    }

    pub(super) async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>> {
        let mut filter = doc! {"city_id": &query.city_id};
        if let Some(zone) = &query.zone_id {
            filter.insert("zone_id", zone);
        }
        if !query.status.is_empty() {
            let names: Vec<Bson> = query.status.iter().map(|status| Bson::from(status.name())).collect();
            filter.insert("status", doc! {"$in": names});
        }
        if query.limit == 0 {
            return Ok(Vec::new());
        }
        self.documents(ALERTS, filter, doc! {"raised_at": -1, "_id": 1}, Some(query.limit)).await
    }
}
