//! City Live as the settings have it.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::{
    city_live::{
        CityLive, Process,
        archive::{self, Processed},
        catalogue::Catalogue,
        consumer::Judgement,
        service::Service,
    },
    config::{CityLiveRole, Config},
    instance::Health,
    kafka::Cluster,
};

/// What of City Live is there before Kafka is.
pub(super) struct CityLiveParts {
    /// What the edges see.
    pub(super) live: Arc<CityLive>,
    catalogue: Arc<Catalogue>,
}

impl CityLiveParts {
    /// `None`: City Live is off here.
    ///
    /// # Errors
    /// `CITIES_FILE` is no catalogue, `MONGODB_URI` is malformed. An archive that is away is none: the twin does not wait for it.
    pub(super) fn open(config: &Config) -> Result<Option<Self>> {
        let settings = &config.city_live;
        if settings.role == CityLiveRole::Off {
            return Ok(None);
        }
        let catalogue = Catalogue::load(settings.cities_file.as_deref()).context("CITIES_FILE")?;
        let (feed, history) = (settings.feed_retention, settings.history_retention);
        let archive = archive::open(&config.archive, &config.store, feed, history)?;
        let cities = catalogue.cities.clone();
        let live = CityLive::new(archive, cities, settings.process_interval, processing());
        Ok(Some(Self { live, catalogue: Arc::new(catalogue) }))
    }

    /// What runs it.
    pub(super) fn service(
        self,
        config: &Config,
        cluster: &Cluster,
        cluster_id: &str,
        health: &Arc<Health>,
        holder: &str,
        simulated: bool,
    ) -> Service {
        Service {
            live: self.live,
            catalogue: self.catalogue,
            cluster: cluster.clone(),
            cluster_id: cluster_id.to_owned(),
            health: Arc::clone(health),
            judgement: Judgement {
                max_clock_skew_ms: config.ingest.max_clock_skew.as_millis() as i64,
                max_event_bytes: config.ingest.max_event_bytes,
            },
            config: config.city_live.clone(),
            holder: holder.to_owned(),
            lease: config.writer.lease,
            simulated,
        }
    }
}

/// How a run is made.
fn processing() -> Process {
    Arc::new(|_archive, city, _job| {
        Box::pin(async move { Ok(Processed { city_id: city.id.clone(), ..Processed::default() }) })
    })
}
