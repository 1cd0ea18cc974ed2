//! The way to the server: made by the first call, which also makes the indexes.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::{
    Client, Database,
    bson::{Document, doc},
    options::{ClientOptions, ConnectionString},
};
use tokio::sync::OnceCell;

use crate::city_live::archive::{ArchiveError, RawKind, Result};

/// How long the search for a server may take: below a call's limit, so that the driver's own reason is told.
const FIND_SERVER: Duration = Duration::from_secs(3);
/// How long an answer may take.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(5);

/// The lease, the offsets, the revision and the selection.
pub(super) const STATE: &str = "city_live_state";
pub(super) const FEED: &str = "kafka_live_feed";
pub(super) const CALLS: &str = "raw_311";
pub(super) const FEATURES: &str = "features_hourly";
pub(super) const PROCESSED: &str = "processed_zone_data";
pub(super) const RISKS: &str = "risk_scores";
pub(super) const OUTPUTS: &str = "model_outputs";
pub(super) const ALERTS: &str = "alerts";
pub(super) const ZONES: &str = "zones";

/// A database on a server that may be away.
pub(super) struct Link {
    uri: String,
    database: String,
    connected: OnceCell<Database>,
}

impl Link {
    /// Reads the URI; nothing is reached for.
    ///
    /// # Errors
    /// `Setting`: it is malformed, or names no database.
    pub(super) fn new(uri: &str) -> Result<Self> {
        let setting = |message: String| ArchiveError::Setting { setting: "MONGODB_URI", message };
        // The driver's reason names what is wrong, never the password.
        let parsed = ConnectionString::parse(uri).map_err(|error| {
            setting(format!("is no connection string ({}); accepted is mongodb://host:port/database", error.kind))
        })?;
        let database = parsed.default_database.ok_or_else(|| {
            setting("names no database; accepted is mongodb://host:port/database, for example …/citytwin".to_owned())
        })?;
        Ok(Self { uri: uri.to_owned(), database, connected: OnceCell::new() })
    }

    /// The database; the first call that reaches it makes the indexes.
    pub(super) async fn database(&self) -> Result<&Database> {
        self.connected
            .get_or_try_init(|| async {
                let mut options = ClientOptions::parse(&self.uri).await.map_err(|error| unavailable(&error))?;
                options.app_name.get_or_insert_with(|| "citytwin".to_owned());
                options.server_selection_timeout.get_or_insert(FIND_SERVER);
                options.connect_timeout.get_or_insert(FIND_SERVER);
                let client = Client::with_options(options).map_err(|error| unavailable(&error))?;
                let database = client.database(&self.database);
                make_indexes(&database).await?;
                Ok(database)
            })
            .await
    }

    /// All documents that a query finds.
    pub(super) async fn find(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
        limit: Option<usize>,
    ) -> Result<Vec<Document>> {
        let collection = self.database().await?.collection::<Document>(collection);
        let mut find = collection.find(filter).sort(sort);
        if let Some(limit) = limit {
            find = find.limit(i64::try_from(limit).unwrap_or(i64::MAX));
        }
        find.await.map_err(|error| unavailable(&error))?.try_collect().await.map_err(|error| unavailable(&error))
    }

    /// One document.
    pub(super) async fn find_one(&self, collection: &str, filter: Document) -> Result<Option<Document>> {
        let collection = self.database().await?.collection::<Document>(collection);
        collection.find_one(filter).await.map_err(|error| unavailable(&error))
    }

    /// Runs one command.
    pub(super) async fn command(&self, command: Document) -> Result<Document> {
        self.database().await?.run_command(command).await.map_err(|error| unavailable(&error))
    }

    /// Drops what a filter finds. How many.
    pub(super) async fn delete(&self, collection: &str, filter: Document) -> Result<u64> {
        let collection = self.database().await?.collection::<Document>(collection);
        Ok(collection.delete_many(filter).await.map_err(|error| unavailable(&error))?.deleted_count)
    }
}

/// An error of the driver's as ours.
pub(super) fn unavailable(error: &mongodb::error::Error) -> ArchiveError {
    ArchiveError::Unavailable { archive: "MongoDB", message: error.kind.to_string() }
}

async fn make_indexes(database: &Database) -> Result<()> {
    let by = |keys: Document| keys;
    let mut plain: Vec<(&str, Document)> = vec![
        (FEED, by(doc! {"seq": -1})),
        (FEED, by(doc! {"city_id": 1, "seq": -1})),
        (FEED, by(doc! {"topic": 1, "seq": -1})),
        (FEED, by(doc! {"zone_id": 1, "seq": -1})),
        (FEED, by(doc! {"ingested_at": 1})),
        (FEATURES, by(doc! {"city_id": 1, "hour": 1})),
        (FEATURES, by(doc! {"city_id": 1, "zone_id": 1, "hour": 1})),
        (RISKS, by(doc! {"city_id": 1, "zone_id": 1, "ts": 1})),
        (ALERTS, by(doc! {"city_id": 1, "status": 1, "raised_at": -1})),
    ];
    for collection in [CALLS, PROCESSED, OUTPUTS, ZONES].into_iter().chain(RawKind::ALL.map(RawKind::collection)) {
        plain.push((collection, by(doc! {"city_id": 1, "zone_id": 1})));
    }
    for (collection, keys) in plain {
        index(database, collection, keys, None).await.map_err(|error| unavailable(&error))?;
    }
    for collection in [FEED, FEATURES, RISKS] {
        // Each document says itself when it goes, so that other settings need no other index.
        if let Err(error) = index(database, collection, doc! {"expire_at": 1}, Some(0)).await {
            tracing::debug!(collection, error = %error.kind, "the server takes no TTL index; our own job drops what is old");
        }
    }
    Ok(())
}

async fn index(
    database: &Database,
    collection: &str,
    keys: Document,
    expire_after_s: Option<i32>,
) -> mongodb::error::Result<()> {
    let name: Vec<String> = keys.iter().map(|(field, order)| format!("{field}_{order}")).collect();
    let mut index = doc! {"key": keys, "name": name.join("_")};
    if let Some(seconds) = expire_after_s {
        index.insert("expireAfterSeconds", seconds);
    }
    database.run_command(doc! {"createIndexes": collection, "indexes": [index]}).await.map(drop)
}
