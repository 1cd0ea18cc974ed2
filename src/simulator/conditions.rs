//! Traffic on an edge as a function of the moment.

use super::network::Edge;
use super::rhythm::{LocalTime, hash, wander};

/// Vehicles per kilometre and lane when nothing moves.
const JAM_DENSITY: f64 = 130.0;

/// The demand of one moment, worked out once and asked for by many edges.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    level: f64,
    inbound: f64,
}

impl Demand {
    /// At `utc_ms` milliseconds since 1970. In the morning people drive in, in the evening out.
    pub fn at(utc_ms: i64) -> Self {
        let local = LocalTime::at(utc_ms);
        let side = if local.weekend {
            0.0
        } else {
            (1.0 - ((local.hour - 7.75) / 3.0).abs()).max(0.0) - (1.0 - ((local.hour - 18.0) / 3.5).abs()).max(0.0)
        };
        Self { level: local.demand(), inbound: side }
    }

    /// The city's demand, 0.05 to about 1.
    pub fn level(&self) -> f64 {
        self.level
    }
}

/// What `trafficConditions` says.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// km/h at one decimal, at most the speed limit.
    pub average_speed: f64,
    /// `low`, `moderate`, `high` or `severe`, by the ratio of speed to limit.
    pub congestion: &'static str,
    pub vehicles: u32,
    /// Seconds for the whole edge at the average speed.
    pub travel_time: f64,
    /// Vehicles per hour.
    pub flow: f64,
}

/// How often the random part of an edge's traffic turns, in milliseconds.
const WANDER_MS: i64 = 300_000;

impl Conditions {
    /// Traffic on edge `number` at `utc_ms`; an obstacle leaves a third of the speed.
    pub fn of(edge: &Edge, number: u32, seed: u64, demand: Demand, utc_ms: i64, obstacle: bool) -> Self {
        let luck = wander(hash(seed, u64::from(number)), utc_ms, WANDER_MS);
        let load = (demand.level * edge.pull * (1.0 + 0.22 * demand.inbound * edge.inbound) * (1.0 + 0.4 * luck)
            + 0.012 * luck)
            .clamp(0.0, 1.15);
        let mut ratio = (0.97 + 0.03 * luck - 0.72 * load * load).clamp(0.12, 1.0);
        if obstacle {
            ratio = (ratio * 0.33).max(0.06);
        }
        let limit = f64::from(edge.speed_limit);
        let average_speed = ((limit * ratio * 10.0).round() / 10.0).max(2.0);
        let ratio = average_speed / limit;
        let congestion = match ratio {
            r if r >= 0.75 => "low",
            r if r >= 0.5 => "moderate",
            r if r >= 0.3 => "high",
            _ => "severe",
        };
        // Cars are there by demand, and stand closer the slower they are (Greenshields).
        let density = JAM_DENSITY * (0.22 * load + 0.62 * (1.0 - ratio) * load.min(1.0));
        let lanes = f64::from(edge.lanes);
        Self {
            average_speed,
            congestion,
            vehicles: (density * lanes * edge.length / 1000.0).round() as u32,
            travel_time: edge.length / (average_speed / 3.6),
            flow: density * lanes * average_speed,
        }
    }
}
