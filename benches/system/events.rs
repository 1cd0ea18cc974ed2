//! Events to measure with: the recorded day repeated with moved times, else the simulated city.

use citytwin::{
    recording::{Lines, shift_times},
    simulator::{DemoCity, SimEvent, Simulation, SimulationConfig},
};

use crate::common::data;

pub const TOPICS: [&str; 9] = [
    "sensors.environmental",
    "sensors.traffic",
    "buildings.sensors",
    "buildings.occupancy",
    "weather.stations",
    "traffic.graph",
    "transport.gps",
    "transport.stations",
    "emergency.incidents",
];
const DAY_MS: i64 = 86_400_000;
/// The seed of everything that is made up.
pub const SEED: u64 = 42;

/// Many events, made as they are asked for, and the city file that they speak of.
pub struct Load {
    pub city_file: String,
    /// What they are, for the page.
    pub source: &'static str,
    once: Vec<SimEvent>,
}

impl Load {
    /// The recorded day where it is there, else 200,000 events of the simulated city.
    pub fn open() -> Self {
        if let Some(recording) = data::mosaic() {
            let city_file = std::fs::read_to_string(&recording.city).expect("the recording's city file");
            let mut lines = Lines::open(&recording.day).expect("the recorded day");
            let mut once = Vec::new();
            while let Some(line) = lines.next_line().expect("a recording") {
                let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
                let topic = TOPICS.iter().find(|topic| **topic == line.topic).expect("one of the nine");
                once.push(SimEvent {
                    topic,
                    key: text(line.key.as_deref()),
                    timestamp_ms: line.timestamp,
                    value: text(line.value.as_deref()),
                });
            }
            Self { city_file, source: "the recorded day `mosaic`, repeated", once }
        } else {
            // Within one day, so that repeating it with the times moved by days keeps them in order.
            let start = 1_764_597_600_000;
            let city = DemoCity::laquila(SEED);
            let config = SimulationConfig { events_per_second: 5_000.0, ..SimulationConfig::default() };
            let mut simulation = Simulation::with_config(&city, start, SEED, config);
            let mut once = Vec::new();
            simulation.step(start + 40_000, &mut once);
            Self { city_file: city.city_file(start), source: "simulated (no recording there), repeated", once }
        }
    }

    /// The first `count` events; each repetition is a day later than the one before.
    pub fn events(&self, count: usize) -> impl Iterator<Item = SimEvent> + '_ {
        (0..count).map(|n| {
            let event = &self.once[n % self.once.len()];
            let shift = (n / self.once.len()) as i64 * DAY_MS;
            SimEvent {
                topic: event.topic,
                key: event.key.clone(),
                timestamp_ms: event.timestamp_ms + shift,
                value: shift_times(&event.value, shift).into_owned(),
            }
        })
    }

    /// Mean bytes of a value.
    pub fn mean_bytes(&self) -> f64 {
        self.once.iter().map(|event| event.value.len()).sum::<usize>() as f64 / self.once.len() as f64
    }
}
