//! What becomes of an incident: reported, dispatched, in progress, resolved.

use super::emergency::{Incident, IncidentStatus, KINDS, SEVERITIES, Spot, UnitStatus};
use super::events::{SimEvent, incident_event, resolved_event, unit_event};
use super::simulation::{Simulation, Task};

/// No more than this many incidents at a time: the city has but so many units.
const MOST_AT_A_TIME: usize = 6;

/// With blue lights a unit drives this many times the speed limit; on its way back less.
const URGENT: f64 = 1.25;
const RETURNING: f64 = 0.85;

/// What a run of the city leaves behind where it ends: incidents by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Those that are not resolved; nobody sees to them any more.
    pub open: Vec<u64>,
    /// The highest that there was.
    pub last: u64,
}

impl Simulation {
    /// Begins after another run of the same city: resolves what that left open, and numbers its own incidents above.
    pub fn begin_after(&mut self, left: &Left, out: &mut Vec<SimEvent>) {
        self.next_incident = left.last + 1;
        out.extend(left.open.iter().map(|&number| resolved_event(number, self.start_ms)));
    }

    /// What it leaves behind where it ends now.
    pub fn left(&self) -> Left {
        Left { open: self.incidents.iter().map(|incident| incident.number).collect(), last: self.next_incident - 1 }
    }

    /// Something happens on a side street.
    pub(super) fn happen(&mut self, now_ms: i64, out: &mut Vec<SimEvent>) {
        let pause = (self.config.incident_interval_ms.max(1000) as f64 * (0.5 + self.rng.f64())) as i64;
        self.schedule(now_ms + pause, Task::Happen);
        if self.incidents.len() >= MOST_AT_A_TIME || self.quiet_edges.is_empty() {
            return;
        }
        let edge = self.quiet_edges[self.rng.usize(..self.quiet_edges.len())];
        let twin = self.city.network.edge(edge).twin;
        if self.incidents.iter().any(|i| i.spot.edge == edge || Some(i.spot.edge) == twin) {
            return;
        }
        let mut draw = self.rng.u32(0..100);
        let kind = KINDS
            .iter()
            .position(|k| {
                draw < k.3 || {
                    draw -= k.3;
                    false
                }
            })
            .unwrap_or(0);
        let severity = match (KINDS[kind].0, self.rng.u32(0..100)) {
            ("fire", 75..) => 3,
            ("fire", 30..) | (_, 85..) => 2,
            (_, 35..) => 1,
            _ => 0,
        };
        let metres = self.city.network.edge(edge).line.length() * (0.2 + 0.6 * self.rng.f64());
        let number = self.next_incident;
        self.next_incident += 1;
        let incident = Incident {
            number,
            kind,
            severity: SEVERITIES[severity],
            spot: Spot { edge, metres },
            status: IncidentStatus::Reported,
            units: Vec::new(),
            reported_ms: now_ms,
            awaited: 0,
        };
        out.push(incident_event(&self.city.network, &self.units, &incident, now_ms));
        self.incidents.push(incident);
        self.tell_edges(number, now_ms, out);
        let pause = 4000 + self.rng.i64(0..8000);
        self.schedule(now_ms + pause, Task::Dispatch(number));
    }

    /// The nearest free units set off.
    pub(super) fn dispatch(&mut self, number: u64, now_ms: i64, out: &mut Vec<SimEvent>) {
        let Some(place) = self.incidents.iter().position(|i| i.number == number) else { return };
        let (spot, kind) = (self.incidents[place].spot, self.incidents[place].kind);
        let at = spot.point(&self.city.network);
        let mut needs = KINDS[kind].2.to_vec();
        if self.incidents[place].severity == "critical" {
            needs.push(needs[0]);
        }
        let mut sent: Vec<usize> = Vec::new();
        for need in needs {
            let away = |u: &usize| self.units[*u].spot(now_ms).point(&self.city.network).distance(at);
            let free = (0..self.units.len())
                .filter(|u| self.units[*u].kind == need && self.units[*u].is_free() && !sent.contains(u));
            if let Some(unit) = free.min_by(|a, b| away(a).total_cmp(&away(b))) {
                sent.push(unit);
            }
        }
        if sent.is_empty() {
            self.schedule(now_ms + 8000, Task::Dispatch(number));
            return;
        }
        let incident = &mut self.incidents[place];
        incident.status = IncidentStatus::Dispatched;
        incident.awaited = sent.len();
        incident.units.clone_from(&sent);
        out.push(incident_event(&self.city.network, &self.units, &self.incidents[place], now_ms));
        for unit in sent {
            let arrives = self.units[unit].drive(&self.city.network, &mut self.router, spot, URGENT, now_ms);
            self.units[unit].status = UnitStatus::Dispatched;
            self.units[unit].incident = Some(number);
            out.push(unit_event(&self.city.network, &self.units[unit], now_ms));
            self.schedule(arrives, Task::UnitArrives(unit));
        }
    }

    /// A unit is there; the first one begins the work, the last one lets it end.
    pub(super) fn unit_arrives(&mut self, unit: usize, now_ms: i64, out: &mut Vec<SimEvent>) {
        self.units[unit].status = UnitStatus::OnScene;
        out.push(unit_event(&self.city.network, &self.units[unit], now_ms));
        let number = self.units[unit].incident;
        let Some(incident) = self.incidents.iter_mut().find(|i| Some(i.number) == number) else { return };
        let number = incident.number;
        incident.awaited = incident.awaited.saturating_sub(1);
        let last = incident.awaited == 0;
        if incident.status == IncidentStatus::Dispatched {
            incident.status = IncidentStatus::InProgress;
            out.push(incident_event(&self.city.network, &self.units, incident, now_ms));
        }
        if last {
            let work = 60_000 + self.rng.i64(0..140_000);
            self.schedule(now_ms + work, Task::Resolve(number));
        }
    }

    /// It is over: the units drive back to their bases, and the street is free.
    pub(super) fn resolve(&mut self, number: u64, now_ms: i64, out: &mut Vec<SimEvent>) {
        let Some(place) = self.incidents.iter().position(|i| i.number == number) else { return };
        let mut incident = self.incidents.remove(place);
        incident.status = IncidentStatus::Resolved;
        out.push(incident_event(&self.city.network, &self.units, &incident, now_ms));
        for &unit in &incident.units {
            let base = self.units[unit].base;
            self.units[unit].drive(&self.city.network, &mut self.router, base, RETURNING, now_ms);
            self.units[unit].status = UnitStatus::Available;
            self.units[unit].incident = None;
            out.push(unit_event(&self.city.network, &self.units[unit], now_ms));
        }
        if incident.obstructs() {
            self.tell_edge_and_twin(incident.spot.edge, now_ms, out);
        }
    }

    fn tell_edges(&self, number: u64, now_ms: i64, out: &mut Vec<SimEvent>) {
        if let Some(incident) = self.incidents.iter().find(|i| i.number == number && i.obstructs()) {
            self.tell_edge_and_twin(incident.spot.edge, now_ms, out);
        }
    }

    fn tell_edge_and_twin(&self, edge: u32, now_ms: i64, out: &mut Vec<SimEvent>) {
        out.push(self.edge(edge, now_ms));
        if let Some(twin) = self.city.network.edge(edge).twin {
            out.push(self.edge(twin, now_ms));
        }
    }
}
