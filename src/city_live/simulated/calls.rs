//! The 311 calls of a simulated day.

use super::day::Day;
use crate::{
    city_live::{
        catalogue::{LiveCity, Zone},
        clock::HOUR_MS,
    },
    twin::{geo::Position, time::Time},
};

/// Complaint type and descriptor, as New York's data set writes them.
const COMPLAINTS: [(&str, &str); 10] = [
    ("Noise - Residential", "Loud Music/Party"),
    ("HEAT/HOT WATER", "ENTIRE BUILDING"),
    ("Illegal Parking", "Blocked Hydrant"),
    ("Blocked Driveway", "No Access"),
    ("Noise - Street/Sidewalk", "Loud Talking"),
    ("Street Condition", "Pothole"),
    ("Water System", "Hydrant Leaking (WC1)"),
    ("Traffic Signal Condition", "Controller"),
    ("Dirty Condition", "Trash"),
    ("Damaged Tree", "Branch or Limb Has Fallen Down"),
];

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `unique_key`.
    pub id: i64,
    /// When it was made.
    pub ts: Time,
    /// Its type and descriptor.
    pub complaint: (&'static str, &'static str),
    /// Whether it has been dealt with by now.
    pub closed: bool,
    /// Where; some callers do not say.
    pub position: Option<Position>,
}

impl Day {
    /// The calls made from `from` on and before `now`, newest first.
    pub fn calls(self, city: &LiveCity, from: Time, now: Time) -> Vec<Call> {
        let hours = from.0.div_euclid(HOUR_MS)..=now.0.div_euclid(HOUR_MS);
        let mut calls: Vec<Call> = hours.flat_map(|hour| self.calls_of_hour(city, hour, now)).collect();
        calls.retain(|call| call.ts >= from && call.ts < now);
        calls.sort_by_key(|call| std::cmp::Reverse((call.ts, call.id)));
        calls
    }

    fn calls_of_hour(self, city: &LiveCity, hour: i64, now: Time) -> Vec<Call> {
        let whom = super::day::text(&city.id);
        let weights: f64 = city.zones.iter().map(|zone| zone.weight).sum();
        // Few at night; one place or another has a bad hour.
        let awake = 1.0 - ((hour.rem_euclid(24) as f64 - 19.0) / 24.0 * std::f64::consts::TAU).cos();
        let count = (6.0 + 11.0 * awake + 10.0 * self.chance(30, whom, hour)) as i64;
        let bad = self.chance(31, whom, hour.div_euclid(6));
        let call = |number: i64| {
            let when = hour * 1000 + number;
            let chance = |what| self.chance(what, whom, when);
            let share = if chance(32) < 0.2 { bad } else { chance(33) };
            let zone = at_share(&city.zones, share * weights)?;
            let ts = Time(hour * HOUR_MS + (chance(34) * HOUR_MS as f64) as i64 / 1000 * 1000);
            let open_hours = 1.0 + 30.0 * chance(35);
            Some(Call {
                id: 60_000_000 + when.rem_euclid(1_000_000_000),
                ts,
                complaint: COMPLAINTS[(chance(36) * COMPLAINTS.len() as f64) as usize % COMPLAINTS.len()],
                closed: (now.0 - ts.0) as f64 > open_hours * HOUR_MS as f64,
                position: (chance(37) > 0.04).then(|| self.within(zone, when)),
            })
        };
        (0..count).filter_map(call).collect()
    }

    /// A place in a zone.
    fn within(self, zone: &Zone, when: i64) -> Position {
        let whom = super::day::text(&zone.id);
        let Some(polygon) = zone.shape.first() else { return zone.centre };
        let (south_west, north_east) = polygon.bounds();
        let between = |from: f64, to: f64, share: f64| from + (to - from) * share;
        let mut places = (0..24).map(|attempt| Position {
            latitude: between(south_west.latitude, north_east.latitude, self.chance(38 + 2 * attempt, whom, when)),
            longitude: between(south_west.longitude, north_east.longitude, self.chance(39 + 2 * attempt, whom, when)),
        });
        places.find(|place| polygon.contains(*place)).unwrap_or(zone.centre)
    }
}

/// The zone at this share of all weights.
fn at_share(zones: &[Zone], mut share: f64) -> Option<&Zone> {
    for zone in zones {
        share -= zone.weight;
        if share < 0.0 {
            return Some(zone);
        }
    }
    zones.last()
}
