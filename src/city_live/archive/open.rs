//! Which archive the settings name.

use std::sync::Arc;

use super::{Archive, Result, embedded::EmbeddedArchive};
use crate::config::{ArchiveConfig, StoreConfig};

/// Opens the archive, without reaching for it: a server that is down or a file that cannot be read shows with the first call, so that
/// City Live may wait and retry, and the twin need not.
///
/// # Errors
/// Only [`super::ArchiveError::Setting`]: `MONGODB_URI` is malformed or names no database.
pub async fn open(config: &ArchiveConfig, store: &StoreConfig) -> Result<Arc<dyn Archive>> {
    match &config.mongodb_uri {
        Some(_) => Err(super::ArchiveError::Setting {
            setting: "MONGODB_URI",
            message: "only `embedded` is there yet".to_owned(),
        }),
        None => Ok(Arc::new(EmbeddedArchive::open(&store.data_dir))),
    }
}
