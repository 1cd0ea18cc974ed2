//! Which archive the settings name.

use std::{sync::Arc, time::Duration};

use super::{Archive, Result, embedded::EmbeddedArchive, mongo::MongoArchive};
use crate::config::{ArchiveConfig, StoreConfig};

/// Opens the archive, without reaching for it: a server that is down or a file that cannot be read shows with the first call, so that
/// City Live may wait and retry, and the twin need not. `feed` and `history` are how long they are kept (`CITY_LIVE_FEED_RETENTION`,
/// `CITY_LIVE_HISTORY_RETENTION`).
///
/// # Errors
/// Only [`super::ArchiveError::Setting`]: `MONGODB_URI` is malformed or names no database.
pub fn open(
    config: &ArchiveConfig,
    store: &StoreConfig,
    feed: Duration,
    history: Duration,
) -> Result<Arc<dyn Archive>> {
    match &config.mongodb_uri {
        Some(uri) => Ok(Arc::new(MongoArchive::open(uri, feed, history)?)),
        None => Ok(Arc::new(EmbeddedArchive::open(&store.data_dir))),
    }
}
