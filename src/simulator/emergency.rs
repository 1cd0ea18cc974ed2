//! Incidents, and the units that drive to them.

use super::city::DemoCity;
use super::geo::Point;
use super::network::RoadNetwork;
use super::routing::Router;

/// A unit's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    FireTruck,
    Ambulance,
    Police,
}

impl UnitKind {
    /// Its name in `state.full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FireTruck => "fire_truck",
            Self::Ambulance => "ambulance",
            Self::Police => "police",
        }
    }

    /// How its ids begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::FireTruck => "unit-fire",
            Self::Ambulance => "unit-ambulance",
            Self::Police => "unit-police",
        }
    }
}

/// A place on the network: an edge, and metres from its start.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    pub edge: u32,
    pub metres: f64,
}

impl Spot {
    /// Where it is on the ground.
    pub fn point(self, network: &RoadNetwork) -> Point {
        network.edge(self.edge).line.at(self.metres).0
    }
}

/// A stretch of an edge that a unit drives, from `start` to `end` (milliseconds since 1970).
#[derive(Clone, Copy, Debug)]
struct Piece {
    edge: u32,
    from: f64,
    to: f64,
    start: i64,
    end: i64,
}

/// What a unit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitStatus {
    /// At its base, or on its way back there.
    Available,
    Dispatched,
    OnScene,
}

impl UnitStatus {
    /// Its name in `state.full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Dispatched => "dispatched",
            Self::OnScene => "on_scene",
        }
    }
}

/// A fire truck, an ambulance or a police car.
#[derive(Clone, Debug)]
pub struct Unit {
    pub id: String,
    pub kind: UnitKind,
    pub status: UnitStatus,
    /// The number of its incident.
    pub incident: Option<u64>,
    pub base: Spot,
    rests: Spot,
    way: Vec<Piece>,
}

impl Unit {
    /// A unit that stands at its base.
    pub fn new(id: String, kind: UnitKind, base: Spot) -> Self {
        Self { id, kind, status: UnitStatus::Available, incident: None, base, rests: base, way: Vec::new() }
    }

    /// Where it is at `now_ms`.
    pub fn spot(&self, now_ms: i64) -> Spot {
        let next = self.way.partition_point(|p| p.end <= now_ms);
        let Some(piece) = self.way.get(next) else { return self.rests };
        let share = (now_ms - piece.start) as f64 / (piece.end - piece.start).max(1) as f64;
        Spot { edge: piece.edge, metres: piece.from + (piece.to - piece.from) * share.clamp(0.0, 1.0) }
    }

    /// Sends it along the streets to `goal` and tells when it arrives; `urgency` multiplies the speed limits.
    pub fn drive(&mut self, network: &RoadNetwork, router: &mut Router, goal: Spot, urgency: f64, now_ms: i64) -> i64 {
        let here = self.spot(now_ms);
        let pace = |number: u32| f64::from(network.edge(number).speed_limit) / 3.6 * urgency;
        let mut stretches = Vec::new();
        if here.edge == goal.edge && here.metres <= goal.metres {
            stretches.push((here.edge, here.metres, goal.metres));
        } else {
            let (leave, enter) = (network.edge(here.edge), network.edge(goal.edge));
            stretches.push((here.edge, here.metres, leave.line.length()));
            let cost = |number: u32| (network.edge(number).length / pace(number) * 1000.0) as u64;
            for number in router.way(network, leave.to, enter.from, cost).unwrap_or_default() {
                stretches.push((number, 0.0, network.edge(number).line.length()));
            }
            stretches.push((goal.edge, 0.0, goal.metres));
        }
        self.way.clear();
        let mut start = now_ms;
        for (edge, from, to) in stretches {
            let end = start + ((to - from) / pace(edge) * 1000.0).ceil() as i64;
            self.way.push(Piece { edge, from, to, start, end });
            start = end;
        }
        self.rests = goal;
        start
    }
}

/// How far an incident has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentStatus {
    Reported,
    Dispatched,
    InProgress,
    Resolved,
}

impl IncidentStatus {
    /// Its name in `state.full`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Dispatched => "dispatched",
            Self::InProgress => "in_progress",
            Self::Resolved => "resolved",
        }
    }
}

/// Kinds of incidents: type, description before the street's name, units that it needs, and how often (of 100).
pub const KINDS: [(&str, &str, &[UnitKind], u32); 8] = [
    ("fire", "Kitchen fire reported in", &[UnitKind::FireTruck, UnitKind::Ambulance], 12),
    ("fire", "Smoke from a roof in", &[UnitKind::FireTruck], 8),
    ("medical", "Person unwell in", &[UnitKind::Ambulance], 22),
    ("medical", "Elderly person has fallen in", &[UnitKind::Ambulance], 13),
    ("accident", "Two cars collided in", &[UnitKind::Ambulance, UnitKind::Police], 17),
    ("accident", "Motorcycle skidded in", &[UnitKind::Police, UnitKind::Ambulance], 10),
    ("security", "Burglar alarm in", &[UnitKind::Police], 11),
    ("security", "Loud quarrel in", &[UnitKind::Police], 7),
];

/// Severities, mildest first.
pub const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Something that happened and is being seen to.
#[derive(Clone, Debug)]
pub struct Incident {
    pub number: u64,
    /// Its place in [`KINDS`].
    pub kind: usize,
    pub severity: &'static str,
    pub spot: Spot,
    pub status: IncidentStatus,
    /// Places in the list of units, in the order of their dispatch.
    pub units: Vec<usize>,
    pub reported_ms: i64,
    /// Units that have not arrived yet.
    pub awaited: usize,
}

/// Where units are based, each base with one fire truck, two ambulances and a police car: in every district, at true places
/// where there are some (fire brigade, hospital, police headquarters).
const BASES: [[f64; 2]; 5] =
    [[42.3540, 13.3960], [42.3675, 13.3725], [42.3650, 13.3478], [42.3405, 13.4285], [42.3575, 13.4715]];

/// All units of the city, at their bases.
pub fn fleet(city: &DemoCity) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for base in BASES {
        let near = Point::new(base[0], base[1]);
        let mut edges: Vec<(u64, u32)> = (0..city.network.edges.len() as u32)
            .map(|e| (city.network.edge(e).line.points()[0].distance(near) as u64, e))
            .collect();
        edges.sort_unstable();
        let kinds = [UnitKind::FireTruck, UnitKind::Ambulance, UnitKind::Ambulance, UnitKind::Police];
        for (&(_, edge), kind) in edges.iter().zip(kinds) {
            let number = units.iter().filter(|u| u.kind == kind).count() + 1;
            let base = Spot { edge, metres: city.network.edge(edge).line.length() * 0.4 };
            units.push(Unit::new(format!("{}-{number:02}", kind.prefix()), kind, base));
        }
    }
    units
}

/// Edges where incidents may happen: none on which a bus drives (nor its other direction), and not too short.
pub fn quiet_edges(network: &RoadNetwork, busy: &[bool]) -> Vec<u32> {
    (0..network.edges.len() as u32)
        .filter(|&e| {
            let edge = network.edge(e);
            let bus = busy[e as usize] || edge.twin.is_some_and(|t| busy[t as usize]);
            !bus && edge.length > 35.0
        })
        .collect()
}
