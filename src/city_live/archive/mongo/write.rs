//! What is written.

use std::{collections::HashMap, time::Duration};

use mongodb::{
    bson::{Document, doc},
    options::ReturnDocument,
};
use serde::Serialize;

use super::{
    bulk::Put,
    convert::{self, date, document},
    link::{ALERTS, CALLS, FEATURES, FEED, Link, OUTPUTS, PROCESSED, RISKS, ZONES, unavailable},
};
use crate::{
    city_live::{
        archive::{
            Alert, AlertStatus, ArchiveError, Intake, Processed, RawKind, Result, RiskScore, merge_acknowledgement,
            zone_documents,
        },
        catalogue::LiveCity,
    },
    twin::time::Time,
};

/// How often an alert is written anew because somebody acknowledged it in the same moment.
const TRIES: usize = 5;

/// How long what has an age is kept by the server's own TTL index.
#[derive(Clone, Copy)]
pub(super) struct Retention {
    pub(super) feed: Duration,
    pub(super) history: Duration,
}

/// `<city_id>/<zone_id>`, and nothing behind the stroke for the whole city.
fn place(city: &str, zone: Option<&str>) -> String {
    format!("{city}/{}", zone.unwrap_or_default())
}

/// A document that its collection's TTL index drops.
fn ageing(collection: &'static str, id: String, of: &impl Serialize, from: Time, keep: Duration) -> Result<Document> {
    let mut document = document(collection, id, of)?;
    document.insert("expire_at", date(Time(from.0 + keep.as_millis() as i64)));
    Ok(document)
}

impl Link {
    pub(super) async fn put_zones(&self, token: i64, city: &LiveCity) -> Result<()> {
        self.check(token).await?;
        let documents = zone_documents(city).map(|zone| {
            let id = place(&city.id, zone["zone_id"].as_str());
            document(ZONES, id, &zone).map(Put::over)
        });
        self.put(ZONES, documents.collect::<Result<_>>()?).await?;
        let ids: Vec<&str> = city.zones.iter().map(|zone| zone.id.as_str()).collect();
        self.delete(ZONES, doc! {"city_id": &city.id, "zone_id": {"$nin": ids}}).await?;
        self.seal(token, doc! {}, true).await
    }

    pub(super) async fn take_in(&self, token: i64, keep: Retention, intake: &Intake) -> Result<()> {
        self.check(token).await?;
        let rows = intake.items.iter().map(|item| ageing(FEED, item.key.clone(), item, item.ingested_at, keep.feed));
        self.add(FEED, rows.collect::<Result<_>>()?).await?;
        for kind in RawKind::ALL {
            let of_kind = intake.raw.iter().filter(|value| RawKind::of(&value.payload) == Some(kind));
            let puts = of_kind.map(|value| {
                let id = place(&value.city_id, value.zone_id.as_deref());
                // Also a holder that was superseded and does not know it yet puts nothing older over what is there.
                let not_newer = doc! {"ts": {"$lte": date(value.ts)}};
                document(kind.collection(), id, value).map(|document| Put::over_if(document, not_newer))
            });
            self.put(kind.collection(), puts.collect::<Result<_>>()?).await?;
        }
        let puts = intake
            .calls
            .iter()
            .map(|calls| document(CALLS, place(&calls.city_id, calls.zone_id.as_deref()), calls).map(Put::over));
        self.put(CALLS, puts.collect::<Result<_>>()?).await?;
        let puts = intake.hours.iter().map(|hour| {
            let id = format!("{}/{}", place(&hour.city_id, hour.zone_id.as_deref()), hour.hour);
            let mut document = ageing(FEATURES, id, hour, hour.hour, keep.history)?;
            // Values over those that the hour has already.
            document.remove("values");
            for (name, value) in hour.values.iter() {
                document.insert(format!("values.{name}"), value);
            }
            Ok(Put::into(document))
        });
        self.put(FEATURES, puts.collect::<Result<_>>()?).await?;
        let mut state = doc! {};
        for offset in &intake.offsets {
            state.insert(
                format!("offsets.{}:{}", offset.topic.replace('.', "\u{ff0e}"), offset.partition),
                doc! {"cluster": &offset.cluster, "topic": &offset.topic, "partition": offset.partition, "offset": offset.offset},
            );
        }
        // Beside the rows, which expire: numbers never begin anew. Who holds the token gives them in ascending order.
        if let Some(last) = intake.last_seq() {
            state.insert("seq", last);
        }
        self.seal(token, state, !intake.is_silent()).await
    }

    pub(super) async fn put_processed(&self, token: i64, keep: Retention, processed: &Processed) -> Result<()> {
        self.check(token).await?;
        let zones = processed.zones.iter();
        let risks = zones.clone().map(RiskScore::of).map(|risk| {
            let id = format!("{}/{}", place(&risk.city_id, Some(&risk.zone_id)), risk.ts);
            ageing(RISKS, id, &risk, risk.ts, keep.history).map(Put::over)
        });
        self.put(RISKS, risks.collect::<Result<_>>()?).await?;
        let features = processed.features.iter().map(|feature| {
            let id = format!("{}/{}", place(&feature.city_id, feature.zone_id.as_deref()), feature.hour);
            ageing(FEATURES, id, feature, feature.hour, keep.history).map(Put::over)
        });
        self.put(FEATURES, features.collect::<Result<_>>()?).await?;
        self.put_alerts(&processed.alerts).await?;
        let outputs = processed.outputs.iter().map(|output| {
            let id = format!("{}/{}", place(&output.city_id, Some(&output.zone_id)), output.model);
            document(OUTPUTS, id, output).map(Put::over)
        });
        self.put(OUTPUTS, outputs.collect::<Result<_>>()?).await?;
        let documents =
            zones.map(|zone| document(PROCESSED, place(&zone.city_id, Some(&zone.zone_id)), zone).map(Put::over));
        self.put(PROCESSED, documents.collect::<Result<_>>()?).await?;
        // Zones that the catalogue no longer has go with it.
        let ids: Vec<&str> = processed.zones.iter().map(|zone| zone.zone_id.as_str()).collect();
        self.delete(PROCESSED, doc! {"city_id": &processed.city_id, "zone_id": {"$nin": ids}}).await?;
        self.seal(token, doc! {}, true).await
    }

    /// Writes alerts over what people said of them meanwhile: each only where its state is the one that was read just before.
    async fn put_alerts(&self, alerts: &[Alert]) -> Result<()> {
        let mut left: Vec<&Alert> = alerts.iter().collect();
        for _ in 0..TRIES {
            if left.is_empty() {
                return Ok(());
            }
            let ids: Vec<&str> = left.iter().map(|alert| alert.alert_id.as_str()).collect();
            let stored: Vec<Alert> = self.documents(ALERTS, doc! {"_id": {"$in": ids}}, doc! {}, None).await?;
            let stored: HashMap<&str, &Alert> = stored.iter().map(|alert| (alert.alert_id.as_str(), alert)).collect();
            let puts = left.iter().map(|alert| {
                let stored = stored.get(alert.alert_id.as_str()).copied();
                let document = document(ALERTS, alert.alert_id.clone(), &merge_acknowledgement(alert, stored))?;
                let as_read = stored.map_or(alert.status, |stored| stored.status).name();
                Ok(Put::over_if(document, doc! {"status": as_read}))
            });
            let changed = self.put(ALERTS, puts.collect::<Result<_>>()?).await?;
            left = changed.into_iter().map(|index| left[index]).collect();
        }
        if left.is_empty() {
            return Ok(());
        }
        let message = "alerts change faster than they can be written".to_owned();
        Err(ArchiveError::Unavailable { archive: "MongoDB", message })
    }

    pub(super) async fn acknowledge(&self, id: &str, at: Time) -> Result<Option<Alert>> {
        let stored = self.find_one(ALERTS, doc! {"_id": id}).await?;
        let Some(stored) = stored else { return Ok(None) };
        let mut alert: Alert = convert::read(ALERTS, stored)?;
        if !alert.acknowledge(at) {
            return Ok(Some(alert));
        }
        let alerts = self.database().await?.collection::<Document>(ALERTS);
        let changed = alerts
            .find_one_and_update(
                doc! {"_id": id, "status": AlertStatus::Open.name()},
                doc! {"$set": {
                    "status": alert.status.name(),
                    "acknowledged_at": date(at),
                    "updated_at": date(alert.updated_at),
                }},
            )
            .return_document(ReturnDocument::After)
            .await
            .map_err(|error| unavailable(&error))?;
        let changed = match changed {
            Some(changed) => Some(changed),
            // Somebody else was first, or it was cleared in this moment: as it is.
            None => self.find_one(ALERTS, doc! {"_id": id}).await?,
        };
        self.revise(doc! {}).await?;
        changed.map(|changed| convert::read(ALERTS, changed)).transpose()
    }

    pub(super) async fn expire(&self, token: i64, feed: Time, history: Time) -> Result<u64> {
        self.check(token).await?;
        let mut dropped = 0;
        for (collection, field, before) in [
            (FEED, "ingested_at", feed),
            (FEATURES, "hour", history),
            (RISKS, "ts", history),
            (ALERTS, "cleared_at", history),
        ] {
            dropped += self.delete(collection, doc! {field: {"$lt": date(before)}}).await?;
        }
        self.seal(token, doc! {}, dropped > 0).await?;
        Ok(dropped)
    }
}
