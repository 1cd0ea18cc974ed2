//! The demo city as it is laid out, before anything moves.

use super::buildings::{self, Building};
use super::geo::Point;
use super::names::DISTRICTS;
use super::network::RoadNetwork;
use super::sensors::{self, Sensor, WeatherStation};
use super::transit::{self, Line, Station};

/// The city's id, as the reference gives it.
const CITY_ID: &str = "laquila-dt-001";
/// The seed of the city that has this id.
const FIRST_SEED: u64 = 1;
/// Its name, as the reference gives it.
pub const CITY_NAME: &str = "L'Aquila Digital Twin";

/// A district and the box around its town (the arterials lead out of it).
#[derive(Clone, Debug)]
pub struct District {
    pub id: String,
    pub name: &'static str,
    pub centre: Point,
    pub south_west: Point,
    pub north_east: Point,
}

/// A simulated L'Aquila: five districts, each with 3000 road edges, 100 buildings, 50 sensors and two weather stations; and
/// the stations and lines of its 40 buses.
#[derive(Clone, Debug)]
pub struct DemoCity {
    pub(super) districts: Vec<District>,
    pub(super) network: RoadNetwork,
    pub(super) buildings: Vec<Building>,
    pub(super) sensors: Vec<Sensor>,
    pub(super) weather_stations: Vec<WeatherStation>,
    pub(super) stations: Vec<Station>,
    pub(super) lines: Vec<Line>,
    pub(super) seed: u64,
}

impl DemoCity {
    /// The city's id. Another seed has other streets: it is another city, which a store keeps apart.
    pub fn id(&self) -> String {
        if self.seed == FIRST_SEED { CITY_ID.to_owned() } else { format!("{CITY_ID}-seed-{}", self.seed) }
    }

    /// The city with this seed; the same seed gives the same city.
    pub fn laquila(seed: u64) -> Self {
        let network = RoadNetwork::laquila(seed);
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xC17);
        let buildings = buildings::build(&network, &mut rng);
        let sensors = sensors::sensors(&network, &buildings, &mut rng);
        let weather_stations = sensors::weather_stations(&network, &mut rng);
        let stations = transit::stations(&network, &mut rng);
        let (stations, lines) = transit::lines(&network, stations);
        let districts = DISTRICTS
            .iter()
            .enumerate()
            .map(|(d, plan)| {
                let lines =
                    network.edges.iter().filter(|e| e.district == d && !e.arterial).flat_map(|e| e.line.points());
                let places = lines.chain(buildings.iter().filter(|b| b.district == d).map(|b| &b.at));
                let centre = Point::new(plan.centre[0], plan.centre[1]);
                let (mut south_west, mut north_east) = (centre, centre);
                for p in places {
                    south_west.latitude = south_west.latitude.min(p.latitude);
                    south_west.longitude = south_west.longitude.min(p.longitude);
                    north_east.latitude = north_east.latitude.max(p.latitude);
                    north_east.longitude = north_east.longitude.max(p.longitude);
                }
                District { id: format!("district-{:02}", d + 1), name: plan.name, centre, south_west, north_east }
            })
            .collect();
        Self { districts, network, buildings, sensors, weather_stations, stations, lines, seed }
    }
}
