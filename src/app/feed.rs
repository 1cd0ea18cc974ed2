//! The demo's city: it sends its events through Kafka like anyone else.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use crate::{
    kafka::{Cluster, Producer, Record},
    simulator::{DemoCity, SimEvent, Simulation, SimulationConfig},
};

/// How often the city reports what happened meanwhile: often enough that buses glide.
const TICK: Duration = Duration::from_millis(100);
/// After a longer pause (a laptop that slept) the city does not catch up: it starts anew, now.
const LONGEST_PAUSE_MS: i64 = 60_000;

/// A simulated city.
pub struct Demo {
    city: DemoCity,
    city_file: String,
    seed: u64,
    config: SimulationConfig,
    start_ms: i64,
}

impl Demo {
    /// A city that starts now; two with the same seed are alike.
    pub fn new(seed: u64, events_per_second: f64) -> Self {
        let city = DemoCity::laquila(seed);
        let start_ms = now();
        let city_file = city.city_file(start_ms);
        let config = SimulationConfig { events_per_second, ..SimulationConfig::default() };
        Self { city, city_file, seed, config, start_ms }
    }

    /// The city's model, as a city file.
    pub fn city_file(&self) -> &str {
        &self.city_file
    }

    /// Sends events until the future is dropped.
    pub async fn run(self, cluster: Cluster) {
        let producer = loop {
            match Producer::new(&cluster, "none") {
                Ok(producer) => break producer,
                Err(error) => {
                    tracing::error!(%error, "the simulated city cannot send, trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let begin = |start: i64| Simulation::with_config(&self.city, start, self.seed, self.config);
        let mut simulation = begin(self.start_ms);
        let mut last = self.start_ms;
        let mut events = Vec::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let until = now();
            if until - last > LONGEST_PAUSE_MS {
                simulation = begin(until);
            }
            last = until;
            simulation.step(until, &mut events);
            let records: Vec<Record> = events.drain(..).map(record).collect();
            for sent in join_all(records.iter().map(|record| producer.send(record))).await {
                if let Err(error) = sent {
                    tracing::warn!(%error, "an event of the simulated city was not sent");
                }
            }
        }
    }
}

fn record(event: SimEvent) -> Record {
    Record {
        topic: event.topic.to_owned(),
        partition: None,
        key: Some(Bytes::from(event.key)),
        payload: Some(Bytes::from(event.value)),
        headers: Vec::new(),
        timestamp: Some(event.timestamp_ms),
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
