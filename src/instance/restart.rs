//! Restart in place: load, fold to the present, swap. A start, a take-over and the reload of a model are all this.

use std::{sync::Arc, time::Duration};

use crate::{
    ingest::{Fold, Ingest, Rejects},
    twin::city::City,
    writer::{LoadError, Loaded, load},
};

use super::{health::Trouble, life::Instance};

/// How long to wait before a store or a broker is asked again; each time is a line in the log.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// What a restart found in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Restarted {
    pub model_version: u64,
    pub boundary: Option<crate::twin::time::Time>,
    /// Whether the store held no city: the first flush writes everything.
    pub fresh: bool,
}

impl Instance {
    /// Reads the city from the store, for as long as that takes; `None` where the store holds none.
    pub(super) async fn load(&self) -> Option<Loaded> {
        loop {
            let stored = self.parts.store.load().await.map_err(LoadError::from);
            let parts = &self.parts;
            let retention = parts.retention_ms;
            match stored.and_then(|stored| load(stored, &parts.city_id, &parts.city_name, retention, &parts.cluster_id))
            {
                Ok(loaded) => {
                    self.parts.health.works("store");
                    return loaded;
                }
                Err(error) => {
                    tracing::warn!(%error, "the city cannot be loaded, trying again");
                    self.parts.health.fault("store", Trouble::Down, error.to_string());
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// A city for an empty store: the city file's, or one without anything in it.
    pub(super) fn fresh_city(&self) -> City {
        let parts = &self.parts;
        let mut city = City::new(&parts.city_id, &parts.city_name, parts.retention_ms);
        if let Some(file) = &parts.city_file {
            city.import(file.clone());
        }
        city
    }

    /// Makes the process's city what `city` becomes by folding to the present. `rejects` takes what is refused from
    /// now on. `tracked`: whether store and publisher are told what changes.
    pub(super) async fn restart(&mut self, mut city: City, rejects: &Arc<Rejects>, tracked: bool) {
        city.track(tracked);
        if self.ingest.is_some() {
            // Readers go on with the city they have, which goes on being folded, while another one is folded to the
            // present. Until then nothing is taken from the first, so that this may be given up at any moment.
            let second = Fold::new(city);
            let catching_up = self.start_ingest(&second, rejects).await;
            let mut state = catching_up.state();
            let _ = state.wait_for(|state| state.caught_up).await;
            self.stop_reading().await;
            catching_up.stop().await;
            city = second.with(|city| std::mem::replace(city, City::new("", "", None)));
        }
        self.parts.fold.with(|live| {
            live.track(tracked);
            live.become_like(city);
        });
        self.read_on(rejects).await;
    }

    /// The store was emptied while this instance had a city: nobody knows more than that city holds, so it stays.
    pub(super) async fn keep_city(&mut self, rejects: &Arc<Rejects>) {
        self.stop_reading().await;
        self.parts.fold.with(|live| live.track(true));
        self.read_on(rejects).await;
    }

    async fn stop_reading(&mut self) {
        if let Some(ingest) = self.ingest.take() {
            ingest.stop().await;
        }
    }

    async fn read_on(&mut self, rejects: &Arc<Rejects>) {
        let ingest = self.start_ingest(&self.parts.fold, rejects).await;
        self.parts.health.reads(ingest.state());
        self.parts.health.loaded();
        self.ingest = Some(ingest);
    }

    /// Starts to read the topics into a fold, for as long as that takes.
    async fn start_ingest(&self, fold: &Arc<Fold>, rejects: &Arc<Rejects>) -> Ingest {
        let parts = &self.parts;
        loop {
            let (fold, rejects, losses) = (Arc::clone(fold), Arc::clone(rejects), parts.health.losses());
            match Ingest::start(&parts.cluster, fold, parts.judgement, parts.batch_size, rejects, losses).await {
                Ok(ingest) => {
                    parts.health.works("kafka");
                    return ingest;
                }
                Err(error) => {
                    tracing::warn!(%error, "the topics cannot be read, trying again");
                    parts.health.fault("kafka", Trouble::Down, error.to_string());
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
