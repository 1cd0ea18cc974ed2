//! Buses and their stations: where the lines run, and a timetable that comes true.
//!
//! Traffic is a function of the moment, so a bus's future can be worked out: each bus carries its legs (drive along an
//! edge, wait at a station) for more than half an hour ahead, and stations announce what these legs say.

use std::collections::VecDeque;

use super::conditions::{Conditions, Demand};
use super::geo::Point;
use super::names::DISTRICTS;
use super::network::RoadNetwork;
use super::rhythm::{LocalTime, hash, unit};
use super::routing::Router;
use super::streets::RoadClass;

/// Buses of the city, shared out evenly over the lines.
pub const BUSES: usize = 40;

/// Seats and standing room of one bus.
pub const BUS_PLACES: u32 = 80;

/// How far ahead legs are planned; longer than what is announced, so that no announcement is missing.
const HORIZON_MS: i64 = 45 * 60_000;

/// How far ahead arrivals are announced.
pub const ANNOUNCED_MS: i64 = 30 * 60_000;

/// A bus does not stop twice within this many metres of its way.
const STOP_SPACING: f64 = 180.0;

/// A bus stop, at a crossing of main roads.
#[derive(Clone, Debug)]
pub struct Station {
    pub id: String,
    pub name: String,
    pub node: u32,
    pub at: Point,
}

/// A bus line: a loop of edges, and at which of their ends the bus stops.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub edges: Vec<u32>,
    /// For each edge the station at its end, if the bus stops there.
    pub stops: Vec<Option<u32>>,
}

/// The lines: through which districts they go out and back, or around one or two.
const LINES: [(&str, &[usize]); 8] = [
    ("route-A", &[2, 1, 0]),
    ("route-B", &[0, 3, 4]),
    ("route-C", &[2, 0]),
    ("route-D", &[1, 0, 3]),
    ("route-E", &[0]),
    ("route-F", &[1, 2]),
    ("route-G", &[3, 0]),
    ("route-H", &[4, 0]),
];

/// Further stops in each district beside those with true names.
const MORE_STOPS: usize = 6;

/// Places the stations: those with a true name at the next main crossing, more where none is near.
pub fn stations(network: &RoadNetwork, rng: &mut fastrand::Rng) -> Vec<Station> {
    let mut main = vec![None; network.nodes.len()];
    for edge in network.edges.iter().filter(|e| e.class <= RoadClass::Secondary && e.twin.is_some() && !e.arterial) {
        main[edge.to as usize].get_or_insert(&edge.name);
    }
    let mut stations: Vec<Station> = Vec::new();
    let add = |stations: &mut Vec<Station>, name: String, node: usize| {
        let id = format!("station-{:02}", stations.len() + 1);
        stations.push(Station { id, name, node: node as u32, at: network.nodes[node].at });
    };
    for (d, plan) in DISTRICTS.iter().enumerate() {
        let own: Vec<usize> =
            (0..network.nodes.len()).filter(|&n| network.nodes[n].district == d && main[n].is_some()).collect();
        for (name, latitude, longitude) in plan.stops {
            let near = Point::new(*latitude, *longitude);
            let free = own.iter().filter(|&&n| stations.iter().all(|s| s.at.distance(network.nodes[n].at) > 120.0));
            let best = free
                .min_by(|a, b| network.nodes[**a].at.distance(near).total_cmp(&network.nodes[**b].at.distance(near)));
            if let Some(&node) = best {
                add(&mut stations, (*name).to_owned(), node);
            }
        }
        let mut others = own;
        rng.shuffle(&mut others);
        let mut more = 0;
        for node in others {
            let spaced = stations.iter().all(|s| s.at.distance(network.nodes[node].at) > 330.0);
            if let (true, true, Some(street)) = (spaced, more < MORE_STOPS, main[node]) {
                let same = stations.iter().filter(|s| s.name.starts_with(street.as_str())).count();
                let name = if same == 0 { street.clone() } else { format!("{street} {}", same + 1) };
                add(&mut stations, name, node);
                more += 1;
            }
        }
    }
    stations
}

/// Lays the lines through the stations, and keeps the stations at which a bus stops.
pub fn lines(network: &RoadNetwork, stations: Vec<Station>) -> (Vec<Station>, Vec<Line>) {
    let mut router = Router::default();
    let mut lines: Vec<Line> = LINES
        .iter()
        .map(|(id, districts)| {
            let calls = calls(network, &stations, districts);
            let mut edges = Vec::new();
            for (i, &from) in calls.iter().enumerate() {
                let to = calls[(i + 1) % calls.len()];
                // Buses keep to main roads where the detour is small.
                let cost = |number: u32| {
                    let edge = network.edge(number);
                    let dislike = if edge.class <= RoadClass::Secondary { 1.0 } else { 1.5 };
                    (edge.length / f64::from(edge.speed_limit) * 3600.0 * dislike) as u64
                };
                let (from, to) = (stations[from].node, stations[to].node);
                edges.extend(router.way(network, from, to, cost).unwrap_or_default());
            }
            let stops = stops(network, &stations, &edges);
            Line { id: (*id).to_owned(), edges, stops }
        })
        .collect();
    let mut numbers = vec![None; stations.len()];
    lines.iter().flat_map(|l| l.stops.iter().flatten()).for_each(|&s| numbers[s as usize] = Some(0));
    let mut served: Vec<Station> = Vec::new();
    for (mut station, number) in stations.into_iter().zip(&mut numbers) {
        if number.is_some() {
            *number = Some(served.len() as u32);
            station.id = format!("station-{:02}", served.len() + 1);
            served.push(station);
        }
    }
    for stop in lines.iter_mut().flat_map(|l| &mut l.stops) {
        *stop = stop.and_then(|s| numbers[s as usize]);
    }
    (served, lines)
}

/// The stations that a line calls at, in order: through its districts and back, or around its only one.
fn calls(network: &RoadNetwork, stations: &[Station], districts: &[usize]) -> Vec<usize> {
    let of = |d: usize| (0..stations.len()).filter(move |&s| network.nodes[stations[s].node as usize].district == d);
    let centre = |d: usize| Point::new(DISTRICTS[d].centre[0], DISTRICTS[d].centre[1]);
    if let [only] = districts {
        let mut around: Vec<usize> = of(*only).collect();
        let middle = centre(*only);
        around.sort_by(|&a, &b| middle.heading(stations[a].at).total_cmp(&middle.heading(stations[b].at)));
        return around;
    }
    let mut out: Vec<usize> = Vec::new();
    for (i, &d) in districts.iter().enumerate() {
        let before = centre(if i == 0 { d } else { districts[i - 1] });
        let after = centre(if i + 1 == districts.len() { d } else { districts[i + 1] });
        let direction = [after.latitude - before.latitude, after.longitude - before.longitude];
        let along = |s: usize| stations[s].at.latitude * direction[0] + stations[s].at.longitude * direction[1];
        // Stations near the straight way through the district, so that the line does not zigzag.
        let aside = |s: usize| {
            let off = [stations[s].at.latitude - centre(d).latitude, stations[s].at.longitude - centre(d).longitude];
            (off[0] * direction[1] - off[1] * direction[0]).abs()
        };
        let mut here: Vec<usize> = of(d).collect();
        here.sort_by(|&a, &b| aside(a).total_cmp(&aside(b)));
        here.truncate(5);
        here.sort_by(|&a, &b| along(a).total_cmp(&along(b)));
        out.extend(here);
    }
    let back: Vec<usize> = out[1..out.len().max(2) - 1].iter().rev().copied().collect();
    out.extend(back);
    out
}

/// Where the bus stops on its loop: at every station on its way, unless it has just stopped.
fn stops(network: &RoadNetwork, stations: &[Station], edges: &[u32]) -> Vec<Option<u32>> {
    let mut driven = f64::MAX;
    edges
        .iter()
        .map(|&number| {
            let edge = network.edge(number);
            driven += edge.length;
            let station = stations.iter().position(|s| s.node == edge.to)?;
            if driven < STOP_SPACING {
                return None;
            }
            driven = 0.0;
            Some(station as u32)
        })
        .collect()
}

/// One thing that a bus does, from `start` to `end` (milliseconds since 1970).
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub start: i64,
    pub end: i64,
    /// The edge that it drives along, or at whose end it waits.
    pub edge: u32,
    /// The station where it waits.
    pub station: Option<u32>,
}

/// One bus on its loop.
#[derive(Clone, Debug)]
pub struct Bus {
    pub id: String,
    pub line: usize,
    pub passengers: u32,
    number: u64,
    /// Place on the loop of the last planned edge.
    place: usize,
    legs: VecDeque<Leg>,
}

/// Where a bus is.
#[derive(Clone, Copy, Debug)]
pub struct BusPosition {
    pub at: Point,
    pub heading: f64,
    /// km/h, 0 at a stop.
    pub speed: f64,
}

impl Bus {
    /// All buses, spread over their lines, each waiting at a stop at `start_ms`.
    pub fn fleet(lines: &[Line], start_ms: i64, seed: u64) -> Vec<Self> {
        (0..BUSES)
            .map(|n| {
                let (line, of_line) = (n % lines.len(), n / lines.len());
                let stops: Vec<usize> =
                    (0..lines[line].stops.len()).filter(|&i| lines[line].stops[i].is_some()).collect();
                let share = of_line as f64 / (BUSES / lines.len()) as f64;
                let place = stops[(share * stops.len() as f64) as usize % stops.len()];
                let number = hash(seed, 0x0b05 + n as u64);
                let first = Leg {
                    start: start_ms,
                    end: start_ms + 2000 + (unit(number, 1) * 20_000.0) as i64,
                    edge: lines[line].edges[place],
                    station: lines[line].stops[place],
                };
                Self {
                    id: format!("bus-{}{:02}", line + 1, of_line + 1),
                    line,
                    passengers: (unit(number, 2) * 24.0) as u32,
                    number,
                    place,
                    legs: VecDeque::from([first]),
                }
            })
            .collect()
    }

    /// Drops the legs that are over and plans new ones; `arrives` is told each planned stop (station, moment).
    pub fn plan(
        &mut self,
        network: &RoadNetwork,
        line: &Line,
        seed: u64,
        now_ms: i64,
        mut arrives: impl FnMut(u32, i64),
    ) {
        while self.legs.len() > 1 && self.legs.front().is_some_and(|l| l.end <= now_ms) {
            self.legs.pop_front();
        }
        let mut end = self.legs.back().map_or(now_ms, |l| l.end);
        while end < now_ms + HORIZON_MS {
            self.place = (self.place + 1) % line.edges.len();
            let number = line.edges[self.place];
            let edge = network.edge(number);
            let traffic = Conditions::of(edge, number, seed, Demand::at(end), end, false);
            let drive = (edge.length / (bus_speed(traffic.average_speed) / 3.6) * 1000.0).ceil() as i64;
            self.legs.push_back(Leg { start: end, end: end + drive, edge: number, station: None });
            end += drive;
            if let Some(station) = line.stops[self.place] {
                arrives(station, end);
                let wait = 12_000 + (unit(self.number, end as u64) * 18_000.0) as i64;
                self.legs.push_back(Leg { start: end, end: end + wait, edge: number, station: Some(station) });
                end += wait;
            }
        }
    }

    /// The leg that it is on at `now_ms`.
    pub fn leg(&self, now_ms: i64) -> Leg {
        let mut legs = self.legs.iter().skip_while(|l| l.end <= now_ms);
        // The plan always reaches beyond the present, and a bus has at least one leg.
        *legs.next().unwrap_or(&self.legs[self.legs.len() - 1])
    }

    /// When it arrives at its next stop after `now_ms`.
    pub fn next_stop(&self, now_ms: i64) -> Option<i64> {
        self.legs.iter().find(|l| l.station.is_some() && l.start > now_ms).map(|l| l.start)
    }

    /// Where it is at `now_ms`.
    pub fn position(&self, network: &RoadNetwork, now_ms: i64) -> BusPosition {
        let leg = self.leg(now_ms);
        let line = &network.edge(leg.edge).line;
        if leg.station.is_some() {
            let (at, heading) = line.at(line.length());
            return BusPosition { at, heading, speed: 0.0 };
        }
        let share = (now_ms - leg.start) as f64 / (leg.end - leg.start).max(1) as f64;
        let (at, heading) = line.at(line.length() * share.clamp(0.0, 1.0));
        BusPosition { at, heading, speed: line.length() * 3600.0 / (leg.end - leg.start).max(1) as f64 }
    }

    /// Lets people off and on at the end of a stop: `waiting` are there, and how many got on is told.
    pub fn board(&mut self, waiting: u32, now_ms: i64) -> u32 {
        let off = (f64::from(self.passengers) * (0.1 + 0.3 * unit(self.number, now_ms as u64 ^ 0x0ff))).round() as u32;
        self.passengers -= off.min(self.passengers);
        let on = waiting.min(BUS_PLACES - self.passengers);
        self.passengers += on;
        on
    }
}

/// A bus moves with the traffic, but no faster than 50 km/h.
fn bus_speed(average_speed: f64) -> f64 {
    (average_speed * 0.94).clamp(4.0, 50.0)
}

/// People at a station, and the buses to come.
#[derive(Clone, Debug, Default)]
pub struct Platform {
    /// Sorted (moment, bus); those that came are dropped.
    arrivals: VecDeque<(i64, u32)>,
    /// People that were left when the last bus drove off, and when that was.
    left: u32,
    since_ms: i64,
    /// People per hour at full demand.
    crowd: f64,
}

impl Platform {
    /// The platform of station `number`, last served some minutes before `start_ms`.
    pub fn new(number: usize, start_ms: i64, seed: u64) -> Self {
        let who = hash(seed, 0x57a7 + number as u64);
        let since_ms = start_ms - (unit(who, 1) * 240_000.0) as i64;
        Self { arrivals: VecDeque::new(), left: 0, since_ms, crowd: 80.0 + 300.0 * unit(who, 2) }
    }

    /// Notes that `bus` will arrive at `moment`.
    pub fn expect(&mut self, moment: i64, bus: u32) {
        let place = self.arrivals.partition_point(|a| *a < (moment, bus));
        self.arrivals.insert(place, (moment, bus));
    }

    /// The buses still to come after `now_ms`, in the order of their arrival.
    pub fn announced(&mut self, now_ms: i64) -> impl Iterator<Item = (i64, u32)> + '_ {
        while self.arrivals.front().is_some_and(|a| a.0 <= now_ms) {
            self.arrivals.pop_front();
        }
        self.arrivals.iter().copied().take_while(move |a| a.0 <= now_ms + ANNOUNCED_MS)
    }

    /// How many people wait.
    pub fn waiting(&self, now_ms: i64) -> u32 {
        let hours = (now_ms - self.since_ms) as f64 / 3_600_000.0;
        let came = (hours * self.crowd * LocalTime::at(now_ms).demand()) as u32;
        // Beyond this people walk.
        (self.left + came).min(120)
    }

    /// `boarded` of the people got on.
    pub fn served(&mut self, boarded: u32, now_ms: i64) {
        self.left = self.waiting(now_ms) - boarded;
        self.since_ms = now_ms;
    }
}
