//! Buildings: what they are, where they stand, and how full they are.

use super::geo::{Point, round_to};
use super::names::DISTRICTS;
use super::network::RoadNetwork;
use super::rhythm::{LocalTime, wander};
use super::streets::RoadClass;

/// Buildings in each district.
pub const PER_DISTRICT: usize = 100;

/// A building.
#[derive(Clone, Debug)]
pub struct Building {
    pub district: usize,
    pub id: String,
    pub name: String,
    /// `residential`, `office`, `commercial`, `school`, `university`, `hospital`, `government`, `church`, `museum`, `theatre`,
    /// `hotel`, `restaurant`, `healthcare`, `sport` or `industrial`.
    pub kind: &'static str,
    pub at: Point,
    pub capacity: u32,
}

/// Common buildings: what the name begins with, type, least and most people, and how many of each 100.
const COMMON: [(&str, &str, u32, u32, u32); 17] = [
    ("Condominio", "residential", 18, 90, 30),
    ("Palazzo", "residential", 10, 40, 12),
    ("Uffici", "office", 30, 260, 9),
    ("Studio professionale", "office", 6, 30, 4),
    ("Scuola primaria", "school", 120, 420, 3),
    ("Scuola dell'infanzia", "school", 50, 140, 2),
    ("Istituto superiore", "school", 300, 900, 2),
    ("Supermercato", "commercial", 60, 240, 4),
    ("Negozi", "commercial", 15, 60, 7),
    ("Farmacia", "healthcare", 10, 25, 2),
    ("Poliambulatorio", "healthcare", 40, 160, 2),
    ("Albergo", "hotel", 40, 180, 3),
    ("Trattoria", "restaurant", 30, 90, 5),
    ("Bar", "restaurant", 15, 45, 3),
    ("Palestra", "sport", 40, 160, 2),
    ("Ufficio postale", "government", 20, 60, 2),
    ("Officina", "industrial", 8, 60, 3),
];

/// The buildings of the city: first the landmarks of each district, then common ones along its streets.
pub fn build(network: &RoadNetwork, rng: &mut fastrand::Rng) -> Vec<Building> {
    let mut buildings: Vec<Building> = Vec::new();
    for (district, plan) in DISTRICTS.iter().enumerate() {
        let id = |buildings: &[Building]| format!("building-{:03}", buildings.len() + 1);
        for &(name, kind, latitude, longitude, capacity) in plan.landmarks {
            let at = Point::new(latitude, longitude);
            buildings.push(Building { district, id: id(&buildings), name: name.to_owned(), kind, at, capacity });
        }
        let streets: Vec<_> = network
            .edges
            .iter()
            .filter(|e| e.district == district && e.class != RoadClass::Primary && e.length > 40.0)
            .collect();
        let mut common: Vec<usize> = COMMON.iter().enumerate().flat_map(|(i, c)| vec![i; c.4 as usize]).collect();
        rng.shuffle(&mut common);
        let mut kinds = common.into_iter().cycle();
        while buildings.len() < (district + 1) * PER_DISTRICT {
            let street = streets[rng.usize(..streets.len())];
            let metres = street.line.length() * (0.25 + 0.5 * rng.f64());
            let at = beside(street.line.at(metres), 14.0 + 8.0 * rng.f64());
            if buildings.iter().any(|b| b.at.distance(at) < 30.0) {
                continue;
            }
            let (prefix, kind, least, most, _) = COMMON[kinds.next().unwrap_or(0)];
            let house = (metres / 4.0) as u32 * 2 + rng.u32(1..30);
            buildings.push(Building {
                district,
                id: id(&buildings),
                name: format!("{prefix} {} {house}", street.name),
                kind,
                at,
                capacity: rng.u32(least..=most),
            });
        }
    }
    buildings
}

/// The place `metres` to the right of a point on a street with this heading.
fn beside((at, heading): (Point, f64), metres: f64) -> Point {
    let (sin, cos) = (heading + 90.0).to_radians().sin_cos();
    let degrees = metres / 111_195.0;
    Point::new(at.latitude + degrees * cos, at.longitude + degrees * sin / at.latitude.to_radians().cos())
}

impl Building {
    /// How many people are in it.
    pub fn occupancy(&self, local: LocalTime, who: u64, at_ms: i64) -> u32 {
        let share = match self.kind {
            "residential" => local.at_home() * 0.8,
            "hotel" => 0.25 + 0.4 * local.at_home(),
            "hospital" => 0.5 + 0.3 * local.at_work(),
            "school" => local.at_school() * 0.92,
            "commercial" | "sport" => local.at_shops() * 0.8,
            "restaurant" => local.daylife() * (0.15 + 0.6 * local.at_shops()).max(0.8 * dinner(local)),
            "church" => {
                0.02 + 0.05 * local.daylife()
                    + if local.weekend && (9.5..12.0).contains(&local.hour) { 0.5 } else { 0.0 }
            }
            "museum" => local.at_shops() * 0.4,
            "theatre" => 0.02 + 0.8 * (1.0 - ((local.hour - 21.5) / 1.6).powi(2)).max(0.0),
            _ => local.at_work() * 0.85,
        };
        let people = f64::from(self.capacity) * share * (1.0 + 0.12 * wander(who, at_ms, 420_000));
        (people.round().max(0.0) as u32).min(self.capacity)
    }

    /// The energy that it draws in an hour, in kWh, with so many people in it.
    pub fn energy(&self, occupancy: u32, temperature: f64) -> f64 {
        let each = match self.kind {
            "hospital" => 1.1,
            "industrial" | "hotel" => 0.9,
            "residential" => 0.35,
            _ => 0.45,
        };
        let climate = 1.0 + 0.03 * (18.0 - temperature).max(0.0) + 0.05 * (temperature - 25.0).max(0.0);
        round_to(each * climate * (0.25 * f64::from(self.capacity) + 0.75 * f64::from(occupancy)), 1)
    }
}

/// Dinner time, around 20:45.
fn dinner(local: LocalTime) -> f64 {
    (1.0 - ((local.hour - 20.75) / 2.0).powi(2)).max(0.0)
}
