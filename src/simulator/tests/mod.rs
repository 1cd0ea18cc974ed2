//! What the demo city promises: exact counts, a network one can drive, buses on their streets and in time, incidents that are
//! seen to, a day's rhythm, valid messages, and the same bytes for the same seed.

mod city;
mod emergency;
mod messages;
mod rhythm;
mod transit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use crate::simulator::conditions::{Conditions, Demand};
use crate::simulator::geo::{Point, Polyline};
use crate::simulator::network::RoadNetwork;
use crate::simulator::rhythm::{LocalTime, civil};
use crate::simulator::{DemoCity, SimEvent, Simulation, SimulationConfig, incident_number};

/// Monday 2025-12-01 15:00 in L'Aquila.
const MONDAY: i64 = 1_764_597_600_000;
const HOUR: i64 = 3_600_000;

static CITY: LazyLock<DemoCity> = LazyLock::new(|| DemoCity::laquila(42));

/// An hour of the city at the default rate.
static AN_HOUR: LazyLock<Vec<(SimEvent, Value)>> = LazyLock::new(|| {
    let mut events = Vec::new();
    Simulation::new(&CITY, MONDAY, 42).step(MONDAY + HOUR, &mut events);
    // Edges, sensors and buildings of three minutes are as good as those of an hour.
    let long = ["transport.gps", "transport.stations", "emergency.incidents"];
    events.retain(|e| e.timestamp_ms < MONDAY + HOUR / 20 || long.contains(&e.topic));
    events.into_iter().map(|e| (e.clone(), serde_json::from_str(&e.value).expect("JSON"))).collect()
});

fn hour_of(topic: &str) -> impl Iterator<Item = &'static (SimEvent, Value)> {
    AN_HOUR.iter().filter(move |(e, _)| e.topic == topic)
}

fn point(value: &Value) -> Point {
    Point {
        latitude: value["latitude"].as_f64().expect("latitude"),
        longitude: value["longitude"].as_f64().expect("longitude"),
    }
}

/// Metres from `at` to the nearest point of the line.
fn distance_to_line(line: &Polyline, at: Point) -> f64 {
    let shrink = at.latitude.to_radians().cos();
    let flat = |p: Point| [(p.longitude - at.longitude) * shrink * 111_195.0, (p.latitude - at.latitude) * 111_195.0];
    line.points()
        .windows(2)
        .map(|w| {
            let (a, b) = (flat(w[0]), flat(w[1]));
            let d = [b[0] - a[0], b[1] - a[1]];
            let t = (-(a[0] * d[0] + a[1] * d[1]) / (d[0] * d[0] + d[1] * d[1]).max(1e-9)).clamp(0.0, 1.0);
            (a[0] + d[0] * t).hypot(a[1] + d[1] * t)
        })
        .fold(f64::MAX, f64::min)
}

/// A grid of edges by place, to find those near a point.
struct Nearby {
    cells: HashMap<(i64, i64), Vec<u32>>,
}

impl Nearby {
    fn cell(at: Point) -> (i64, i64) {
        ((at.latitude * 1000.0).floor() as i64, (at.longitude * 1000.0).floor() as i64)
    }

    fn new(network: &RoadNetwork) -> Self {
        let mut cells: HashMap<_, Vec<u32>> = HashMap::new();
        for (e, edge) in network.edges.iter().enumerate() {
            let mut metres = 0.0;
            while metres <= edge.line.length() + 20.0 {
                let list = cells.entry(Self::cell(edge.line.at(metres).0)).or_default();
                if list.last() != Some(&(e as u32)) {
                    list.push(e as u32);
                }
                metres += 20.0;
            }
        }
        Self { cells }
    }

    fn distance(&self, network: &RoadNetwork, at: Point) -> f64 {
        let (x, y) = Self::cell(at);
        let mut best = f64::MAX;
        for cell in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy))) {
            for &e in self.cells.get(&cell).into_iter().flatten() {
                best = best.min(distance_to_line(&network.edge(e).line, at));
            }
        }
        best
    }
}

static NEARBY: LazyLock<Nearby> = LazyLock::new(|| Nearby::new(&CITY.network));

/// `trafficConditions` agree with the edge (an object of the city file) and among themselves.
fn check_conditions(now: &Value, edge: &Value) {
    let speed = now["averageSpeed"].as_f64().expect("averageSpeed");
    let (limit, length) = (edge["speedLimit"].as_f64().expect("limit"), edge["length"].as_f64().expect("length"));
    assert!(speed > 0.0 && speed <= limit, "{now}");
    assert!((now["travelTime"].as_f64().expect("travelTime") - length / speed * 3.6).abs() <= 0.051, "{now}");
    let level = match speed / limit {
        r if r >= 0.75 => "low",
        r if r >= 0.5 => "moderate",
        r if r >= 0.3 => "high",
        _ => "severe",
    };
    assert_eq!(now["congestionLevel"], level);
    assert!(now["vehicleCount"].as_u64().expect("vehicleCount") < 1000);
}
