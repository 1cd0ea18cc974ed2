//! The demo's city: it sends its events through Kafka like anyone else.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;

use crate::{
    ingest::Fold,
    instance::Health,
    kafka::{Cluster, Producer, Record},
    simulator::{DemoCity, Left, SimEvent, Simulation, SimulationConfig, incident_number},
    twin::{
        entity::Entity,
        model::{IncidentStatus, Kind},
        view::View,
    },
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
}

impl Demo {
    /// A city as it is now; two with the same seed are alike.
    pub fn new(seed: u64, events_per_second: f64) -> Self {
        let city = DemoCity::laquila(seed);
        let city_file = city.city_file(now());
        let config = SimulationConfig { events_per_second, ..SimulationConfig::default() };
        Self { city, city_file, seed, config }
    }

    /// The city's model, as a city file.
    pub fn city_file(&self) -> &str {
        &self.city_file
    }

    /// Sends events until the future is dropped, from the moment on that the server has the city: what an earlier run
    /// has left in it, even one that was killed, is known then.
    pub async fn run(self, cluster: Cluster, fold: Arc<Fold>, health: Arc<Health>) {
        let producer = loop {
            match Producer::new(&cluster, "none") {
                Ok(producer) => break producer,
                Err(error) => {
                    tracing::error!(%error, "the simulated city cannot send, trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !health.has_city() {
            tick.tick().await;
        }
        let mut events = Vec::new();
        let begin = |start: i64, left: &Left, events: &mut Vec<SimEvent>| {
            let mut simulation = Simulation::with_config(&self.city, start, self.seed, self.config);
            simulation.begin_after(left, events);
            simulation
        };
        let mut last = now();
        let mut simulation = begin(last, &left_in(&fold.view()), &mut events);
        loop {
            tick.tick().await;
            let until = now();
            if until - last > LONGEST_PAUSE_MS {
                simulation = begin(until, &simulation.left(), &mut events);
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

/// What the city holds of the simulation's incidents.
fn left_in(view: &View) -> Left {
    let mut left = Left::default();
    for entity in view.entities(&[Kind::Incident]) {
        let Entity::Incident(incident) = entity else { continue };
        let Some(number) = incident_number(&incident.id) else { continue };
        left.last = left.last.max(number);
        if incident.status != Some(IncidentStatus::Resolved) {
            left.open.push(number);
        }
    }
    left
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
