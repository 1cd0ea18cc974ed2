//! Sensors and weather stations: where they stand and what they read.

use super::buildings::Building;
use super::conditions::{Conditions, Demand};
use super::geo::{Point, round_to};
use super::names::DISTRICTS;
use super::network::RoadNetwork;
use super::rhythm::{LocalTime, hash, unit, wander};
use super::streets::RoadClass;

/// What a sensor measures, and where it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensing {
    AirQuality,
    Noise,
    Temperature,
    /// Vehicles per hour on this edge.
    TrafficFlow(u32),
    /// Energy of the building with this place in the city's list.
    Energy(usize),
}

/// How many sensors of each kind a district has: 50 in all.
const AIR: usize = 12;
const NOISE: usize = 8;
const TEMPERATURE: usize = 8;
const TRAFFIC: usize = 12;
const ENERGY: usize = 10;

/// A sensor.
#[derive(Clone, Debug)]
pub struct Sensor {
    pub district: usize,
    pub id: String,
    pub sensing: Sensing,
    pub at: Point,
    /// Its `metadata`, as JSON.
    pub metadata: String,
    /// Share of traffic that it feels, 0.3 on a side street to 1 on a main road.
    pub exposure: f64,
}

/// A weather station.
#[derive(Clone, Debug)]
pub struct WeatherStation {
    pub district: usize,
    pub id: String,
    pub at: Point,
    /// How much colder it is there than in the centre, in degrees.
    pub colder: f64,
}

impl Sensing {
    /// `type` and `unit` of its events.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AirQuality => ("air_quality", "AQI"),
            Self::Noise => ("noise", "dB"),
            Self::Temperature => ("temperature", "°C"),
            Self::TrafficFlow(_) => ("traffic_flow", "vehicles/hour"),
            Self::Energy(_) => ("energy_consumption", "kWh"),
        }
    }

    /// The topic of its events.
    pub fn topic(self) -> &'static str {
        match self {
            Self::AirQuality | Self::Noise | Self::Temperature => "sensors.environmental",
            Self::TrafficFlow(_) => "sensors.traffic",
            Self::Energy(_) => "buildings.sensors",
        }
    }
}

/// Places the sensors of all districts.
pub fn sensors(network: &RoadNetwork, buildings: &[Building], rng: &mut fastrand::Rng) -> Vec<Sensor> {
    let mut sensors = Vec::new();
    let mut counts = [0; 3];
    for district in 0..DISTRICTS.len() {
        let in_town = |e: &u32| network.edge(*e).district == district && !network.edge(*e).arterial;
        let mut edges: Vec<u32> = (0..network.edges.len() as u32).filter(in_town).collect();
        rng.shuffle(&mut edges);
        let (main, side): (Vec<u32>, Vec<u32>) =
            edges.into_iter().partition(|&e| network.edge(e).class <= RoadClass::Secondary);
        let mut own: Vec<usize> = (0..buildings.len()).filter(|&b| buildings[b].district == district).collect();
        // The largest consumers are metered.
        own.sort_by_key(|&b| (std::cmp::Reverse(buildings[b].capacity), b));
        let (mut main, mut side, mut own) = (main.into_iter(), side.into_iter(), own.into_iter());
        let kinds = [(AIR, 0), (NOISE, 1), (TEMPERATURE, 2), (TRAFFIC, 3), (ENERGY, 4)];
        for (kind, n) in kinds.into_iter().flat_map(|(count, kind)| (0..count).map(move |n| (kind, n))) {
            let edge = if kind == 3 || (kind < 2 && n % 2 == 0) { main.next() } else { side.next() }.unwrap_or(0);
            let sensing = match kind {
                0 => Sensing::AirQuality,
                1 => Sensing::Noise,
                2 => Sensing::Temperature,
                3 => Sensing::TrafficFlow(edge),
                _ => Sensing::Energy(own.next().unwrap_or(0)),
            };
            let (topic, prefix) = match sensing {
                Sensing::TrafficFlow(_) => (1, "traffic-sensor"),
                Sensing::Energy(_) => (2, "building-sensor"),
                _ => (0, "env-sensor"),
            };
            counts[topic] += 1;
            let street = network.edge(edge);
            let (on_street, heading) = street.line.at(street.line.length() / 2.0);
            sensors.push(Sensor {
                district,
                id: format!("{prefix}-{:03}", counts[topic]),
                sensing,
                at: if let Sensing::Energy(b) = sensing { buildings[b].at } else { on_street },
                metadata: metadata(sensing, &street.name, heading),
                exposure: if street.class <= RoadClass::Secondary { 1.0 } else { 0.4 },
            });
        }
    }
    sensors
}

/// The `metadata` of a sensor's events.
fn metadata(sensing: Sensing, street: &str, heading: f64) -> String {
    let (keys, values) = match sensing {
        Sensing::AirQuality => (["manufacturer", "model"], ["SensorTech", "AQ-2000"]),
        Sensing::Noise => (["manufacturer", "model"], ["AcustiCa", "SL-45"]),
        Sensing::Temperature => (["manufacturer", "model"], ["SensorTech", "TH-110"]),
        Sensing::Energy(_) => (["manufacturer", "model"], ["EnerMeter", "EM-3P"]),
        Sensing::TrafficFlow(_) => {
            let sides = ["northbound", "eastbound", "southbound", "westbound"];
            (["road", "direction"], [street, sides[((heading + 45.0) / 90.0) as usize % 4]])
        }
    };
    let mut out = String::from("{");
    for (i, text) in [keys[0], values[0], keys[1], values[1]].into_iter().enumerate() {
        out.push_str(["", ":", ",", ":"][i]);
        super::write::string(&mut out, text);
    }
    out.push('}');
    out
}

/// Places the weather stations: one near each district's middle, one further out and higher.
pub fn weather_stations(network: &RoadNetwork, rng: &mut fastrand::Rng) -> Vec<WeatherStation> {
    let mut stations = Vec::new();
    for (district, plan) in DISTRICTS.iter().enumerate() {
        let centre = Point::new(plan.centre[0], plan.centre[1]);
        let nodes: Vec<Point> = network.nodes.iter().filter(|n| n.district == district).map(|n| n.at).collect();
        for far in [150.0, 620.0] {
            let off = |p: &Point| (p.distance(centre) - far).abs();
            let mut near: Vec<&Point> = nodes.iter().collect();
            near.sort_by(|a, b| off(a).total_cmp(&off(b)));
            near.truncate(12);
            let at = **near.get(rng.usize(..12)).unwrap_or(&&centre);
            stations.push(WeatherStation {
                district,
                id: format!("weather-station-{:02}", stations.len() + 1),
                at,
                colder: far / 700.0 + rng.f64(),
            });
        }
    }
    stations
}

/// One moment as the sensors see it.
pub struct Moment<'a> {
    pub network: &'a RoadNetwork,
    pub buildings: &'a [Building],
    pub seed: u64,
    pub at_ms: i64,
    pub local: LocalTime,
    pub demand: Demand,
}

impl Moment<'_> {
    /// Air temperature in the centre, with the days' differences.
    pub fn temperature(&self) -> f64 {
        self.local.temperature() + 3.0 * wander(hash(self.seed, 0x7e3), self.at_ms, 21_600_000)
    }

    /// What the sensor with number `number` reads, at one decimal.
    pub fn value(&self, sensor: &Sensor, number: usize) -> f64 {
        let who = hash(self.seed, 0x5e_0000 + number as u64);
        let slow = wander(who, self.at_ms, 600_000);
        let fast = wander(who ^ 1, self.at_ms, 7_000);
        let traffic = self.demand.level() * sensor.exposure;
        let value = match sensor.sensing {
            Sensing::AirQuality => {
                // Heating on cold evenings and weak wind keep the dust in the valley.
                let heating = 12.0 * (1.0 - self.local.temperature() / 15.0).clamp(0.0, 1.5) * self.local.at_home();
                (24.0 + 46.0 * traffic + heating + 9.0 * slow + 1.6 * fast).max(4.0)
            }
            Sensing::Noise => 36.0 + 9.0 * self.local.daylife() + 22.0 * traffic.sqrt() + 2.5 * slow + 3.0 * fast,
            Sensing::Temperature => self.temperature() + 1.3 * (unit(who, 9) - 0.5) + 0.5 * slow + 0.1 * fast,
            Sensing::TrafficFlow(edge) => {
                let now = Conditions::of(self.network.edge(edge), edge, self.seed, self.demand, self.at_ms, false);
                return (now.flow * (1.0 + 0.05 * fast)).round();
            }
            Sensing::Energy(b) => {
                let building = &self.buildings[b];
                let people = building.occupancy(self.local, hash(self.seed, b as u64), self.at_ms);
                building.energy(people, self.temperature()) * (1.0 + 0.03 * fast)
            }
        };
        round_to(value, 1)
    }

    /// A sensor is in maintenance for a quarter of an hour now and then, and seldom out of order.
    pub fn status(&self, number: usize) -> &'static str {
        match unit(hash(self.seed, 0x57a + number as u64), self.at_ms.div_euclid(900_000) as u64) {
            u if u < 0.012 => "maintenance",
            u if u < 0.016 => "inactive",
            _ => "active",
        }
    }

    /// `readings` of the weather station with number `number`, as JSON, appended.
    pub fn readings(&self, out: &mut String, station: &WeatherStation, number: usize) {
        let who = hash(self.seed, 0x3e_a700 + number as u64);
        let sky = wander(hash(self.seed, 0x5c1), self.at_ms, 10_800_000);
        let fast = wander(who, self.at_ms, 30_000);
        let temperature = self.temperature() - station.colder + 0.2 * fast;
        let humidity = (66.0 - 1.4 * (temperature - 12.0) + 18.0 * sky + 2.0 * fast).clamp(18.0, 100.0);
        let wind =
            (7.0 + 6.0 * self.local.daylife() + 6.0 * wander(who ^ 2, self.at_ms, 900_000) + 1.5 * fast).max(0.0);
        let direction = (250.0 + 110.0 * wander(who ^ 3, self.at_ms, 5_400_000) + 15.0 * fast).rem_euclid(360.0);
        let rain = ((sky - 0.62) * 9.0 * (1.0 + 0.3 * fast)).max(0.0);
        for (name, value, decimals) in [
            ("{\"temperature\":", temperature, 1),
            (",\"humidity\":", humidity, 0),
            (",\"pressure\":", 1014.5 - 9.0 * sky + 0.2 * fast, 2),
            (",\"windSpeed\":", wind, 1),
            (",\"windDirection\":", direction.floor(), 0),
            (",\"precipitation\":", rain, 1),
        ] {
            out.push_str(name);
            super::write::number(out, value, decimals);
        }
        out.push('}');
    }
}
