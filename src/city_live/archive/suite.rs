//! One suite that both archives pass: `cases` runs on the embedded one and on a server that speaks MongoDB's protocol; what only one
//! of them can show stands in its own file.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::city_live::samples;

mod cases;
mod embedded;
mod mongo;

/// Where one archive is: opened as often as a test likes, each time as another process would.
trait Place: Send + Sync {
    fn open(&self) -> Arc<dyn Archive>;
}

const MINUTE: Duration = Duration::from_secs(60);
/// A day that tests stand on.
const NOON: Time = Time(1_767_614_400_000);

/// Takes the lease, which must be free.
async fn take(archive: &dyn Archive, holder: &str, ttl: Duration) -> i64 {
    match archive.lease(holder, ttl, None).await.unwrap() {
        Lease::Held { token } => token,
        Lease::Other => panic!("not free"),
    }
}

/// Takes the lease as soon as it is free.
async fn take_over(archive: &dyn Archive, holder: &str, ttl: Duration) -> i64 {
    loop {
        if let Lease::Held { token } = archive.lease(holder, ttl, None).await.unwrap() {
            return token;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A row of the feed.
fn item(seq: i64, city: &str, zone: Option<&str>, payload: Payload) -> FeedItem {
    FeedItem {
        seq,
        key: format!("key-{seq}"),
        topic: payload.topic().name().to_owned(),
        ts: Time(NOON.0 + seq * 1000),
        ingested_at: Time(NOON.0 + seq * 1000 + 1),
        source: "open-meteo".to_owned(),
        payload,
        city_id: city.to_owned(),
        zone_id: zone.map(str::to_owned),
    }
}

/// A latest value.
fn raw(city: &str, zone: Option<&str>, ts: Time, temperature: f64) -> RawValue {
    RawValue {
        city_id: city.to_owned(),
        zone_id: zone.map(str::to_owned),
        ts,
        source: "open-meteo".to_owned(),
        ingested_at: NOON,
        payload: samples::weather(temperature),
    }
}

/// An offset.
fn offset(partition: i32, next: i64) -> StoredOffset {
    StoredOffset { cluster: "c".to_owned(), topic: "aqi_stream".to_owned(), partition, offset: next }
}

fn is_fenced<T: std::fmt::Debug>(result: &Result<T>) -> bool {
    matches!(result, Err(ArchiveError::Fenced))
}
