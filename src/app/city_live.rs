//! City Live as the settings have it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};

use crate::{
    city_live::{
        CityLive, OperationError, Process, archive,
        catalogue::{Catalogue, LiveCity},
        consumer::Judgement,
        models::{Models, RemoteSettings},
        process::{self, Rules},
        service::Service,
        simulated::{Simulated, SimulatedOptions},
    },
    config::{CityLiveConfig, CityLiveRole, Config},
    instance::Health,
    kafka::Cluster,
};

/// How long a simulated API takes to answer: about what the real ones do.
const ANSWER: Duration = Duration::from_millis(80);

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
    pub(super) fn open(config: &Config, simulated: bool) -> Result<Option<Self>> {
        let settings = &config.city_live;
        if settings.role == CityLiveRole::Off {
            return Ok(None);
        }
        let mut catalogue = Catalogue::load(settings.cities_file.as_deref()).context("CITIES_FILE")?;
        if simulated {
            catalogue.cities = catalogue.cities.into_iter().map(LiveCity::made_whole).collect();
        }
        let (feed, history) = (settings.feed_retention, settings.history_retention);
        let archive = archive::open(&config.archive, &config.store, feed, history)?;
        let cities = catalogue.cities.clone();
        let live = CityLive::new(archive, cities, settings.process_interval, processing(settings)?);
        Ok(Some(Self { live, catalogue: Arc::new(catalogue) }))
    }

    /// Answers as the web APIs would, on loopback, and makes the settings lead there.
    ///
    /// # Errors
    /// No port of the loopback interface is to be had.
    pub(super) async fn simulate(&self, config: &mut Config) -> Result<Simulated> {
        let options = SimulatedOptions { seed: config.demo.seed, faults: true, delay: ANSWER };
        let simulated = Simulated::start(options, Arc::clone(&self.catalogue)).await.context("the simulated APIs")?;
        simulated.redirect(&mut config.city_live);
        Ok(simulated)
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
                feed_retention_ms: config.city_live.feed_retention.as_millis() as i64,
            },
            config: config.city_live.clone(),
            holder: holder.to_owned(),
            lease: config.writer.lease,
            simulated,
        }
    }
}

/// Chooses a city where none was ever chosen.
pub(super) async fn choose_first(live: Arc<CityLive>, city: &str) {
    loop {
        let chosen = async {
            if live.archive().selection().await?.is_none() {
                live.select(city).await?;
            }
            Ok::<(), OperationError>(())
        };
        match chosen.await {
            Ok(()) => return,
            Err(OperationError::Archive(error)) => {
                tracing::debug!(%error, "no city could be chosen, trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return tracing::warn!(%error, "no city was chosen"),
        }
    }
}

/// How a run is made.
///
/// # Errors
/// The rules' file or a model cannot be used.
fn processing(settings: &CityLiveConfig) -> Result<Process> {
    let rules = settings.rules.as_deref().map_or_else(|| Ok(Rules::default()), read_rules)?;
    let remote =
        settings.model_url.as_ref().map(|url| RemoteSettings { url: url.clone(), timeout: settings.model_timeout });
    let models = Models::load(settings.models.as_deref(), remote.as_ref()).context("CITY_LIVE_MODELS")?;
    let (rules, models) = (Arc::new(rules), Arc::new(models));
    Ok(Arc::new(move |archive, city, job| {
        let (rules, models) = (Arc::clone(&rules), Arc::clone(&models));
        Box::pin(async move { process::run(&*archive, &city, job.now, &rules, &models, job.history).await })
    }))
}

fn read_rules(file: &Path) -> Result<Rules> {
    let named = || format!("CITY_LIVE_RULES: {}", file.display());
    let text = std::fs::read_to_string(file).with_context(named)?;
    Rules::parse(&text).with_context(named)
}
