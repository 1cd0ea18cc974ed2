//! What an operator changes in a store while no server runs: the model, and where reading goes on.
//!
//! It is done under the lease, as everything that is written: a server that runs is in nobody's way, and one that starts
//! meanwhile waits until the lease is given back, and finds what was written.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    store::{Commit, Lease, LeaseRequest, Row, StoreError, Stored, StoredRow, Table, TwinStore},
    twin::{
        city::{City, Progress},
        event::Topic,
        snapshot::CityFile,
        time::Time,
    },
};

use super::{
    ImportReport, LeaseKeeper, LoadError, load,
    rows::{OffsetRow, SCHEMA, all_rows, city_field, city_row, dirty_rows, json_text, offset_row, partition_of},
};

/// Why a store was not changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The fields say what their names say.
pub enum OfflineError {
    /// A server runs on this store.
    #[error(
        "a server runs on this store: {holder} at {address} holds its lease (one that was killed keeps it for some seconds)"
    )]
    Held { holder: String, address: String },
    /// There is no city to move the offsets of.
    #[error("the store holds no city yet: a server that starts on it reads the topics from the beginning")]
    Empty,
    /// Its rows are no city.
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where reading goes on in one partition, as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOffset {
    /// The offset of the next record to fold.
    pub offset: i64,
    /// The newest time of an event of this partition.
    pub event_time: Option<Time>,
    /// The cluster that the offset belongs to.
    pub cluster: String,
}

/// The offsets of a store, by topic and partition. Rows that are no offsets of ours are left out.
///
/// # Errors
/// Where the store cannot be read.
pub async fn stored_offsets(store: &dyn TwinStore) -> Result<BTreeMap<(Topic, i32), StoredOffset>, StoreError> {
    Ok(offsets_in(&store.load().await?))
}

fn offsets_in(stored: &Stored) -> BTreeMap<(Topic, i32), StoredOffset> {
    let offset = |row: &StoredRow| {
        let at = partition_of(&row.field)?;
        let OffsetRow { offset, event_time, cluster } = serde_json::from_slice(&row.value).ok()?;
        Some((at, StoredOffset { offset, event_time: event_time.as_deref().and_then(Time::parse), cluster }))
    };
    stored.rows.iter().filter(|row| row.table == Table::Offsets).filter_map(offset).collect()
}

/// A store whose lease is ours, for as long as a command needs it. [`Self::release`] gives it back; where that is left
/// out the lease runs out by itself.
pub struct Offline {
    store: Arc<dyn TwinStore>,
    keeper: LeaseKeeper,
    token: u64,
}

impl Offline {
    /// Takes the lease, which lives for `ttl` unless it is renewed.
    ///
    /// # Errors
    /// [`OfflineError::Held`] while somebody else has it, [`OfflineError::Store`].
    pub async fn begin(store: Arc<dyn TwinStore>, ttl: Duration) -> Result<Self, OfflineError> {
        let holder = format!("citytwin-command-{}-{:016x}", std::process::id(), fastrand::u64(..));
        // Clients are served by nobody here.
        let request = LeaseRequest { holder: &holder, address: "", ttl, token: None, above: 0 };
        match store.lease(&request).await? {
            Lease::Held { token } => {
                let keeper = LeaseKeeper::start(Arc::clone(&store), &holder, "", ttl, token);
                Ok(Self { store, keeper, token })
            }
            Lease::Other { holder, address, .. } => Err(OfflineError::Held { holder, address }),
            Lease::Free { .. } => Err(StoreError::Emptied.into()),
        }
    }

    /// Imports a city file, as a running writer does it. Instances that start later, and replicas, load the new model.
    ///
    /// # Errors
    /// Where the store holds no city that this release can read, or does not confirm.
    pub async fn import(&self, default_name: &str, file: CityFile) -> Result<ImportReport, OfflineError> {
        let city_id = file.city_id.clone();
        // Offsets are not touched, so it does not matter of which cluster they are.
        let loaded = load(self.store.load().await?, &city_id, default_name, None, "")?;
        let fresh = loaded.is_none();
        let (mut city, model_version) = match loaded {
            Some(loaded) => (loaded.city, loaded.model_version + 1),
            None => (City::new(&city_id, default_name, None), 1),
        };
        city.track(true);
        let report = city.import(file);
        let dirty = city.take_dirty();
        let view = city.view();
        let tail = vec![
            city_row(city_field::SCHEMA, SCHEMA.into()),
            city_row(city_field::ID, json_text(&city_id)),
            city_row(city_field::NAME, json_text(&view.name)),
            city_row(city_field::MODEL_VERSION, model_version.to_string().into()),
        ];
        let rows = if fresh { all_rows(view) } else { dirty_rows(&dirty, view) };
        self.store.commit(self.token, &Commit { rows, tail, replace: fresh }).await?;
        Ok(report)
    }

    /// Moves offsets. The newest event time of a partition stays: it was seen, wherever reading goes on.
    ///
    /// # Errors
    /// [`OfflineError::Empty`] where there is no city, [`OfflineError::Store`].
    pub async fn set_offsets(&self, targets: &BTreeMap<(Topic, i32), i64>, cluster: &str) -> Result<(), OfflineError> {
        let stored = self.store.load().await?;
        if !stored.rows.iter().any(|row| row.table == Table::City && row.field == city_field::SCHEMA) {
            return Err(OfflineError::Empty);
        }
        let held = offsets_in(&stored);
        let row = |(at, offset): (&(Topic, i32), &i64)| -> Row {
            // Another cluster's events say nothing about this one's.
            let newest = held.get(at).filter(|held| held.cluster == cluster).and_then(|held| held.event_time);
            offset_row(at.0, at.1, *offset, Progress { next: *offset, newest }, cluster)
        };
        let tail = targets.iter().map(row).collect();
        self.store.commit(self.token, &Commit { rows: Vec::new(), tail, replace: false }).await?;
        Ok(())
    }

    /// Gives the lease back.
    pub async fn release(self) {
        self.keeper.release().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::EmbeddedStore;

    const TTL: Duration = Duration::from_secs(5);

    fn file(building: &str) -> CityFile {
        let text = format!(
            r#"{{"cityId":"c","name":"C","districts":[{{"districtId":"d","name":"D","buildings":[{{"buildingId":"{building}"}}]}}]}}"#
        );
        CityFile::parse(&text).expect("a city file")
    }

    fn store(folder: &tempfile::TempDir) -> Arc<dyn TwinStore> {
        Arc::new(EmbeddedStore::open(folder.path(), "c"))
    }

    async fn model_version(store: &dyn TwinStore) -> Option<String> {
        let value = store.get(&Table::City, city_field::MODEL_VERSION).await.expect("readable")?;
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    #[tokio::test]
    async fn an_import_is_what_a_server_loads_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        for (version, building) in [("1", "a"), ("2", "b")] {
            let offline = Offline::begin(Arc::clone(&store), TTL).await.expect("a free lease");
            offline.import("unnamed", file(building)).await.expect("imported");
            offline.release().await;
            assert_eq!(model_version(&*store).await.as_deref(), Some(version));
            let loaded = load(store.load().await.expect("readable"), "c", "unnamed", None, "k").expect("a city");
            let city = loaded.expect("not empty").city;
            let ids: Vec<String> =
                city.view().entities(&[crate::twin::model::Kind::Building]).map(|b| b.id().to_owned()).collect();
            assert_eq!((ids, &*city.view().name), (vec![building.to_owned()], "C"));
        }
    }

    #[tokio::test]
    async fn nothing_is_changed_while_somebody_holds_the_lease() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        let request = LeaseRequest { holder: "server", address: "http://a", ttl: TTL, token: None, above: 7 };
        store.lease(&request).await.expect("free");
        let refused = Offline::begin(Arc::clone(&store), TTL).await.err().expect("held");
        assert!(
            matches!(&refused, OfflineError::Held { holder, address } if holder == "server" && address == "http://a")
        );
        store.release("server", 8).await.expect("given back");
        assert!(Offline::begin(store, TTL).await.is_ok());
    }

    #[tokio::test]
    async fn offsets_move_and_keep_their_event_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&folder);
        let gps = (Topic::from_name("transport.gps").expect("a topic"), 2);
        let to = |offset: i64| BTreeMap::from([(gps, offset)]);
        let offline = Offline::begin(Arc::clone(&store), TTL).await.expect("free");
        assert!(matches!(offline.set_offsets(&to(1), "k").await, Err(OfflineError::Empty)));
        offline.import("unnamed", file("a")).await.expect("imported");
        let newest = Some(Time(1_767_571_200_000));
        let row = offset_row(gps.0, gps.1, 40, Progress { next: 40, newest }, "k");
        let commit = Commit { rows: Vec::new(), tail: vec![row], replace: false };
        store.commit(offline.token, &commit).await.expect("written");
        offline.set_offsets(&to(3), "k").await.expect("moved");
        let moved = StoredOffset { offset: 3, event_time: newest, cluster: "k".to_owned() };
        assert_eq!(stored_offsets(&*store).await.expect("readable"), BTreeMap::from([(gps, moved)]));
        offline.set_offsets(&to(0), "other").await.expect("moved");
        assert_eq!(stored_offsets(&*store).await.expect("readable")[&gps].event_time, None);
    }
}
