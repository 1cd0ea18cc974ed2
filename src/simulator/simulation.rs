//! The city in motion: who reports when, and what happens in between.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::city::DemoCity;
use super::conditions::{Conditions, Demand};
use super::emergency::{Incident, Unit, UnitStatus};
use super::events::{
    Reading, SimEvent, bus_event, edge_event, in_district, occupancy_event, sensor_event, station_event, unit_event,
    weather_event,
};
use super::rhythm::{LocalTime, hash};
use super::routing::Router;
use super::sensors::{Moment, Sensing};
use super::transit::{Bus, Platform};

/// How much the city says.
#[derive(Clone, Copy, Debug)]
pub struct SimulationConfig {
    /// Events per second in all, from 1 to 100,000. Buses, stations and buildings have a pace of their own; what is left goes to
    /// sensors and, most of it, to road edges.
    pub events_per_second: f64,
    /// Milliseconds from one incident to the next, on average.
    pub incident_interval_ms: i64,
}

impl Default for SimulationConfig {
    fn default() -> Self {
        Self { events_per_second: 500.0, incident_interval_ms: 45_000 }
    }
}

/// Whose turn it is to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reporter {
    Sensors,
    Buses,
    Stations,
    Units,
    Weather,
    Occupancy,
    Edges,
}

/// Entities of one kind that report in turn, evenly spaced.
#[derive(Clone, Debug)]
struct Stream {
    reporter: Reporter,
    order: Vec<u32>,
    turn: usize,
    /// When the next of them reports, in nanoseconds since the start.
    next: i64,
    interval: i64,
    /// How many of the first round are still to come, and their shorter interval.
    first: usize,
    first_interval: i64,
}

impl Stream {
    fn new(reporter: Reporter, count: usize, rate: f64, first_round_s: f64, rng: &mut fastrand::Rng) -> Self {
        let mut order: Vec<u32> = (0..count as u32).collect();
        rng.shuffle(&mut order);
        let interval = (1e9 / rate) as i64;
        let first_interval = ((first_round_s * 1e9 / count.max(1) as f64) as i64).min(interval);
        let next = (first_interval as f64 * rng.f64()) as i64;
        Self { reporter, order, turn: 0, next, interval, first: count, first_interval }
    }

    fn take(&mut self) -> usize {
        let who = self.order[self.turn];
        self.turn = (self.turn + 1) % self.order.len();
        self.first = self.first.saturating_sub(1);
        self.next += if self.first > 0 { self.first_interval } else { self.interval };
        who as usize
    }
}

/// Something that is due at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    BusArrives(usize),
    BusLeaves(usize),
    Happen,
    Dispatch(u64),
    UnitArrives(usize),
    Resolve(u64),
}

/// A city in motion. Equal city, start, seed and configuration give equal events, however the time is cut into steps.
#[derive(Clone, Debug)]
pub struct Simulation {
    pub(super) city: Arc<DemoCity>,
    pub(super) seed: u64,
    pub(super) start_ms: i64,
    pub(super) config: SimulationConfig,
    pub(super) rng: fastrand::Rng,
    pub(super) router: Router,
    streams: Vec<Stream>,
    agenda: BinaryHeap<Reverse<(i64, u64, Task)>>,
    scheduled: u64,
    buses: Vec<Bus>,
    platforms: Vec<Platform>,
    pub(super) units: Vec<Unit>,
    /// Those that are not resolved.
    pub(super) incidents: Vec<Incident>,
    pub(super) next_incident: u64,
    /// Edges on which no bus drives: incidents happen there, so that timetables hold.
    pub(super) quiet_edges: Vec<u32>,
    /// The day's rhythm, worked out once a second.
    second: i64,
    local: LocalTime,
    demand: Demand,
}

impl Simulation {
    /// `city` in motion from `start_ms` on (milliseconds since 1970, UTC), at the default rate.
    pub fn new(city: &DemoCity, start_ms: i64, seed: u64) -> Self {
        Self::with_config(city, start_ms, seed, SimulationConfig::default())
    }

    /// The same at another rate.
    pub fn with_config(city: &DemoCity, start_ms: i64, seed: u64, config: SimulationConfig) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let second = start_ms.div_euclid(1000);
        let units = super::emergency::fleet(city);
        let streams = streams(city, units.len(), config.events_per_second, &mut rng);
        let mut busy = vec![false; city.network.edges.len()];
        city.lines.iter().flat_map(|l| &l.edges).for_each(|&e| busy[e as usize] = true);
        let mut simulation = Self {
            streams,
            agenda: BinaryHeap::new(),
            scheduled: 0,
            buses: Bus::fleet(&city.lines, start_ms, seed),
            platforms: (0..city.stations.len()).map(|n| Platform::new(n, start_ms, seed)).collect(),
            units,
            incidents: Vec::new(),
            next_incident: 1,
            quiet_edges: super::emergency::quiet_edges(&city.network, &busy),
            city: Arc::new(city.clone()),
            seed,
            start_ms,
            config,
            rng,
            router: Router::default(),
            second,
            local: LocalTime::at(second * 1000),
            demand: Demand::at(second * 1000),
        };
        for bus in 0..simulation.buses.len() {
            simulation.plan_bus(bus, start_ms);
            let leaves = simulation.buses[bus].leg(start_ms).end;
            simulation.schedule(leaves, Task::BusLeaves(bus));
        }
        simulation.schedule(start_ms + 4000, Task::Happen);
        simulation
    }

    /// Adds to `out`, in the order of time, the events before `until_ms` that have not been told yet.
    pub fn step(&mut self, until_ms: i64, out: &mut Vec<SimEvent>) {
        let until = (until_ms - self.start_ms) * 1_000_000;
        loop {
            let Some(stream) = (0..self.streams.len()).min_by_key(|&s| self.streams[s].next) else { return };
            let reports = self.streams[stream].next;
            let due = self.agenda.peek().map(|Reverse((ms, ..))| (ms - self.start_ms) * 1_000_000);
            if let Some(due) = due.filter(|&due| due <= reports) {
                if due >= until {
                    return;
                }
                if let Some(Reverse((ms, _, task))) = self.agenda.pop() {
                    self.enter(ms);
                    self.perform(task, ms, out);
                }
                continue;
            }
            if reports >= until {
                return;
            }
            let now_ms = self.start_ms + reports.div_euclid(1_000_000);
            self.enter(now_ms);
            let reporter = self.streams[stream].reporter;
            let who = self.streams[stream].take();
            let event = self.report(reporter, who, now_ms);
            out.push(event);
        }
    }

    /// Takes in that it is `now_ms`.
    fn enter(&mut self, now_ms: i64) {
        let second = now_ms.div_euclid(1000);
        if second != self.second {
            self.second = second;
            self.local = LocalTime::at(second * 1000);
            self.demand = Demand::at(second * 1000);
        }
    }

    /// Puts `task` on the agenda.
    pub(super) fn schedule(&mut self, at_ms: i64, task: Task) {
        self.scheduled += 1;
        self.agenda.push(Reverse((at_ms, self.scheduled, task)));
    }

    fn perform(&mut self, task: Task, now_ms: i64, out: &mut Vec<SimEvent>) {
        match task {
            Task::BusArrives(bus) => {
                let leg = self.buses[bus].leg(now_ms);
                out.push(self.bus(bus, now_ms));
                if let Some(station) = leg.station {
                    out.push(self.station(station as usize, now_ms));
                }
                self.schedule(leg.end, Task::BusLeaves(bus));
            }
            Task::BusLeaves(bus) => self.leave(bus, now_ms, out),
            Task::Happen => self.happen(now_ms, out),
            Task::Dispatch(incident) => self.dispatch(incident, now_ms, out),
            Task::UnitArrives(unit) => self.unit_arrives(unit, now_ms, out),
            Task::Resolve(incident) => self.resolve(incident, now_ms, out),
        }
    }

    /// A bus leaves its stop with whoever waited there.
    fn leave(&mut self, bus: usize, now_ms: i64, out: &mut Vec<SimEvent>) {
        if let Some(station) = self.buses[bus].leg(now_ms - 1).station {
            let platform = &mut self.platforms[station as usize];
            let boarded = self.buses[bus].board(platform.waiting(now_ms), now_ms);
            platform.served(boarded, now_ms);
            self.plan_bus(bus, now_ms);
            out.push(self.bus(bus, now_ms));
            out.push(self.station(station as usize, now_ms));
        }
        if let Some(arrives) = self.buses[bus].next_stop(now_ms) {
            self.schedule(arrives, Task::BusArrives(bus));
        }
    }

    fn plan_bus(&mut self, bus: usize, now_ms: i64) {
        let line = &self.city.lines[self.buses[bus].line];
        let platforms = &mut self.platforms;
        self.buses[bus].plan(&self.city.network, line, self.seed, now_ms, |station, moment| {
            platforms[station as usize].expect(moment, bus as u32);
        });
    }

    fn report(&mut self, reporter: Reporter, who: usize, now_ms: i64) -> SimEvent {
        let city = &self.city;
        match reporter {
            Reporter::Edges => self.edge(who as u32, now_ms),
            Reporter::Buses => self.bus(who, now_ms),
            Reporter::Stations => self.station(who, now_ms),
            Reporter::Units => unit_event(&city.network, &self.units[who], now_ms),
            Reporter::Sensors => {
                let (sensor, moment) = (&city.sensors[who], self.moment(now_ms));
                let building = match sensor.sensing {
                    Sensing::Energy(b) => Some(city.buildings[b].id.as_str()),
                    _ => None,
                };
                let district = city.districts[sensor.district].id.as_str();
                let reading = Reading {
                    sensor,
                    district,
                    building,
                    value: moment.value(sensor, who),
                    status: moment.status(who),
                };
                sensor_event(&reading, now_ms)
            }
            Reporter::Occupancy => {
                let building = &city.buildings[who];
                let people = building.occupancy(self.local, hash(self.seed, who as u64), now_ms);
                occupancy_event(&city.districts[building.district].id, building, people, now_ms)
            }
            Reporter::Weather => {
                let station = &city.weather_stations[who];
                let (key, mut out) = in_district(&city.districts[station.district].id, "stationId", &station.id);
                out.push_str(",\"readings\":");
                self.moment(now_ms).readings(&mut out, station, who);
                weather_event(key, out, now_ms)
            }
        }
    }

    fn moment(&self, now_ms: i64) -> Moment<'_> {
        Moment {
            network: &self.city.network,
            buildings: &self.city.buildings,
            seed: self.seed,
            at_ms: now_ms,
            local: self.local,
            demand: self.demand,
        }
    }

    fn bus(&self, bus: usize, now_ms: i64) -> SimEvent {
        let bus = &self.buses[bus];
        bus_event(bus, &self.city.lines[bus.line], bus.position(&self.city.network, now_ms), now_ms)
    }

    /// What a station says: at most four arrivals.
    fn station(&mut self, station: usize, now_ms: i64) -> SimEvent {
        let (city, buses) = (&self.city, &self.buses);
        let platform = &mut self.platforms[station];
        let waiting = platform.waiting(now_ms);
        let arrivals = platform.announced(now_ms).take(4).map(|(moment, bus)| {
            let bus = &buses[bus as usize];
            (bus.id.as_str(), city.lines[bus.line].id.as_str(), moment)
        });
        station_event(&city.stations[station], waiting, arrivals, now_ms)
    }

    /// What an edge says: its traffic, and the incident that obstructs it or its other direction.
    pub(super) fn edge(&self, number: u32, now_ms: i64) -> SimEvent {
        let edge = self.city.network.edge(number);
        let incident =
            self.incidents.iter().find(|i| i.obstructs() && (i.spot.edge == number || Some(i.spot.edge) == edge.twin));
        let now = Conditions::of(edge, number, self.seed, self.demand, now_ms, incident.is_some());
        edge_event(number, &now, incident, now_ms)
    }
}

/// Shares the events of a second out over those who report.
fn streams(city: &DemoCity, units: usize, events_per_second: f64, rng: &mut fastrand::Rng) -> Vec<Stream> {
    let total = if events_per_second.is_finite() { events_per_second.clamp(1.0, 100_000.0) } else { 500.0 };
    let scale = total / SimulationConfig::default().events_per_second;
    let [buses, stations, buildings, sensors] =
        [super::transit::BUSES, city.stations.len(), city.buildings.len(), city.sensors.len()].map(|n| n as f64);
    let weather = city.weather_stations.len() as f64 / 10.0;
    // Each bus and unit once a second so that it glides on a map, a station every five, a building every twenty; at higher
    // rates a bus four times a second, more than that nobody sees.
    let paced = [
        (Reporter::Buses, super::transit::BUSES, buses * scale.min(4.0), 0.9),
        (Reporter::Units, units, units as f64 * scale.min(2.0), 0.9),
        (Reporter::Stations, city.stations.len(), stations / 5.0 * scale.min(2.0), 1.8),
        (Reporter::Weather, city.weather_stations.len(), weather * scale.min(10.0), 1.8),
        (Reporter::Occupancy, city.buildings.len(), buildings / 20.0 * scale.min(4.0), 20.0),
    ];
    let rest = total - paced.iter().map(|p| p.2).sum::<f64>();
    let sensing = (0.3 * rest).min(sensors * 4.0);
    let mut all: Vec<Stream> =
        paced.into_iter().map(|(who, count, rate, first)| Stream::new(who, count, rate, first, rng)).collect();
    all.push(Stream::new(Reporter::Sensors, city.sensors.len(), sensing, 1.9, rng));
    let edges = city.network.edges.len();
    all.push(Stream::new(Reporter::Edges, edges, rest - sensing, f64::INFINITY, rng));
    all
}

impl Incident {
    /// Whether it stands in the way of traffic.
    pub(super) fn obstructs(&self) -> bool {
        matches!(super::emergency::KINDS[self.kind].0, "fire" | "accident")
    }
}

impl Unit {
    /// Whether it can be sent: at its base or on its way back.
    pub(super) fn is_free(&self) -> bool {
        self.status == UnitStatus::Available
    }
}
