//! Which store the settings name.

use std::sync::Arc;

use super::{StoreError, TwinStore, embedded::EmbeddedStore, redis::RedisStore};
use crate::config::StoreConfig;

/// Opens the store of a city, without reaching for it: a server that is down or a file that cannot be read shows with
/// the first call, so that the caller may wait and retry.
///
/// # Errors
/// Only [`StoreError::Setting`]: `REDIS_URL` is malformed, or the CA file that it names cannot be read.
pub async fn open(config: &StoreConfig, city_id: &str) -> Result<Arc<dyn TwinStore>, StoreError> {
    match &config.redis_url {
        Some(url) => Ok(Arc::new(RedisStore::open(url, city_id).await?)),
        None => Ok(Arc::new(EmbeddedStore::open(&config.data_dir, city_id))),
    }
}
