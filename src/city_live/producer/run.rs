//! The producer as a whole.

use std::sync::Arc;

use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{outlet::Outlet, worker::Worker};
use crate::{
    city_live::{
        archive::Selection,
        catalogue::Catalogue,
        feeds::{Client, Feed, Limits, switched_on},
    },
    config::{CityLiveConfig, ConfigError},
    kafka::{Cluster, KafkaError},
};

/// Why there is no producer.
#[derive(Debug, thiserror::Error)]
pub enum ProducerError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// librdkafka does not take its settings.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// There is no TLS.
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] reqwest::Error),
}

/// Calls the web APIs for the current city and sends what they say to Kafka.
pub struct Producer {
    shared: Arc<Shared>,
    feeds: Vec<Arc<dyn Feed>>,
}

/// What the workers share.
pub(super) struct Shared {
    pub config: CityLiveConfig,
    pub catalogue: Arc<Catalogue>,
    pub client: Client,
    pub outlet: Outlet,
    /// From which the plans count.
    pub start: Instant,
}

impl Shared {
    /// Milliseconds since the start, on the monotonic clock.
    pub fn elapsed(&self) -> i64 {
        self.start.elapsed().as_millis() as i64
    }
}

impl Producer {
    /// A producer with the feeds that the settings switch on. The topics must be there ([`topics`](super::topics)).
    ///
    /// `simulated`: the URLs lead to this program's own simulated APIs, and the messages' `source` says so.
    ///
    /// # Errors
    /// A URL of the settings that is none, a property that librdkafka refuses, no TLS.
    pub fn new(
        config: &CityLiveConfig,
        catalogue: Arc<Catalogue>,
        cluster: &Cluster,
        simulated: bool,
    ) -> Result<Self, ProducerError> {
        Self::with_limits(config, catalogue, cluster, simulated, Limits::default())
    }

    /// As [`Self::new`], with other bounds of a call.
    ///
    /// # Errors
    /// As there.
    pub fn with_limits(
        config: &CityLiveConfig,
        catalogue: Arc<Catalogue>,
        cluster: &Cluster,
        simulated: bool,
        limits: Limits,
    ) -> Result<Self, ProducerError> {
        let feeds = switched_on(config, simulated)?;
        let (client, outlet) = (Client::new(limits)?, Outlet::new(cluster)?);
        let shared = Shared { config: config.clone(), catalogue, client, outlet, start: Instant::now() };
        Ok(Self { shared: Arc::new(shared), feeds })
    }

    /// Runs until `stop`, or until nobody can choose a city any more (the sender of `current` is gone). A city that is newly
    /// chosen is asked about at once, by all feeds, as far as their budgets allow; each feed has a task of its own, so that
    /// none waits for another. What is on its way when it stops is dropped.
    pub async fn run(self, current: watch::Receiver<Option<Selection>>, stop: CancellationToken) {
        let mut workers = JoinSet::new();
        let feeds: Arc<[Arc<dyn Feed>]> = self.feeds.into();
        for feed in feeds.iter() {
            let worker = Worker::new(Arc::clone(feed), Arc::clone(&feeds), Arc::clone(&self.shared));
            workers.spawn(worker.run(current.clone(), stop.clone()));
        }
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a feed's worker ended");
            }
        }
    }
}
