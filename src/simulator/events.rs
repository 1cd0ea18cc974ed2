//! The messages of the nine topics, as text.

use super::conditions::Conditions;
use super::emergency::{Incident, IncidentStatus, KINDS, Unit};
use super::network::RoadNetwork;
use super::transit::{Bus, BusPosition, Line, Station};
use super::write::{integer, number, padded, position, string, time};

/// One message to one of the nine topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimEvent {
    /// Its topic, by the reference's name.
    pub topic: &'static str,
    /// The entity's id, so that all its events share a partition; `district/id` for what is identified within its district.
    pub key: String,
    /// When it happened, in milliseconds since 1970 (UTC); also its `lastUpdated`.
    pub timestamp_ms: i64,
    /// JSON.
    pub value: String,
}

/// Appends the id of the edge with this number, with quotes.
pub(super) fn edge_id(out: &mut String, edge: u32) {
    out.push_str("\"E-");
    padded(out, u64::from(edge) + 1, 5);
    out.push('"');
}

/// Appends the id of the crossing with this number, with quotes.
pub(super) fn node_id(out: &mut String, node: u32) {
    out.push_str("\"N-");
    padded(out, u64::from(node) + 1, 5);
    out.push('"');
}

/// The id of the incident with this number.
pub fn incident_id(incident: u64) -> String {
    format!("incident-{incident:04}")
}

/// The number of the incident with this id; `None` where it is none of the simulation's.
pub fn incident_number(id: &str) -> Option<u64> {
    id.strip_prefix("incident-")?.parse().ok()
}

/// Appends `trafficConditions`; `incidents` fills its list.
pub(super) fn road_conditions(out: &mut String, now: &Conditions, incidents: impl FnOnce(&mut String)) {
    out.push_str("{\"averageSpeed\":");
    number(out, now.average_speed, 1);
    out.push_str(",\"congestionLevel\":\"");
    out.push_str(now.congestion);
    out.push_str("\",\"vehicleCount\":");
    integer(out, now.vehicles);
    out.push_str(",\"travelTime\":");
    number(out, now.travel_time, 1);
    out.push_str(",\"incidents\":[");
    incidents(out);
    out.push_str("]}");
}

/// Appends `"lastUpdated"` and closes the object.
fn end(out: &mut String, at_ms: i64) {
    out.push_str(",\"lastUpdated\":");
    time(out, at_ms);
    out.push('}');
}

/// A `traffic.graph` message; `incident` obstructs the edge.
pub(super) fn edge_event(edge: u32, now: &Conditions, incident: Option<&Incident>, at_ms: i64) -> SimEvent {
    let mut out = String::with_capacity(240);
    out.push_str("{\"edgeId\":");
    edge_id(&mut out, edge);
    let key = out[11..out.len() - 1].to_owned();
    out.push_str(",\"trafficConditions\":");
    road_conditions(&mut out, now, |out| {
        if let Some(incident) = incident {
            out.push_str("{\"incidentId\":");
            string(out, &incident_id(incident.number));
            out.push_str(",\"type\":");
            string(out, KINDS[incident.kind].0);
            out.push_str(",\"severity\":");
            string(out, incident.severity);
            out.push('}');
        }
    });
    end(&mut out, at_ms);
    SimEvent { topic: "traffic.graph", key, timestamp_ms: at_ms, value: out }
}

/// Begins a message of something identified within its district, and makes its key.
pub(super) fn in_district(district: &str, field: &str, id: &str) -> (String, String) {
    let mut key = String::with_capacity(district.len() + id.len() + 1);
    key.push_str(district);
    key.push('/');
    key.push_str(id);
    let mut out = String::with_capacity(340);
    out.push_str("{\"districtId\":\"");
    out.push_str(district);
    out.push_str("\",\"");
    out.push_str(field);
    out.push_str("\":\"");
    out.push_str(id);
    out.push('"');
    (key, out)
}

/// What a sensor says.
pub(super) struct Reading<'a> {
    pub sensor: &'a super::sensors::Sensor,
    pub district: &'a str,
    pub building: Option<&'a str>,
    pub value: f64,
    pub status: &'static str,
}

/// A message of `sensors.environmental`, `sensors.traffic` or `buildings.sensors`.
pub(super) fn sensor_event(reading: &Reading<'_>, at_ms: i64) -> SimEvent {
    let sensor = reading.sensor;
    let (key, mut out) = in_district(reading.district, "sensorId", &sensor.id);
    if let Some(building) = reading.building {
        out.push_str(",\"buildingId\":");
        string(&mut out, building);
    }
    let (kind, unit) = sensor.sensing.names();
    out.push_str(",\"type\":\"");
    out.push_str(kind);
    out.push_str("\",\"value\":");
    number(&mut out, reading.value, 1);
    for (name, text) in [(",\"unit\":\"", unit), ("\",\"status\":\"", reading.status)] {
        out.push_str(name);
        out.push_str(text);
    }
    out.push_str("\",\"lastUpdated\":");
    time(&mut out, at_ms);
    out.push_str(",\"location\":");
    position(&mut out, sensor.at);
    out.push_str(",\"metadata\":");
    out.push_str(&sensor.metadata);
    out.push('}');
    SimEvent { topic: sensor.sensing.topic(), key, timestamp_ms: at_ms, value: out }
}

/// A `buildings.occupancy` message.
pub(super) fn occupancy_event(
    district: &str,
    building: &super::buildings::Building,
    people: u32,
    at_ms: i64,
) -> SimEvent {
    let (key, mut out) = in_district(district, "buildingId", &building.id);
    out.push_str(",\"currentOccupancy\":");
    integer(&mut out, people);
    out.push_str(",\"totalCapacity\":");
    integer(&mut out, building.capacity);
    end(&mut out, at_ms);
    SimEvent { topic: "buildings.occupancy", key, timestamp_ms: at_ms, value: out }
}

/// A `weather.stations` message, of which `out` holds all up to its readings.
pub(super) fn weather_event(key: String, mut out: String, at_ms: i64) -> SimEvent {
    out.push_str(",\"status\":\"active\"");
    end(&mut out, at_ms);
    SimEvent { topic: "weather.stations", key, timestamp_ms: at_ms, value: out }
}

/// A `transport.gps` message.
pub(super) fn bus_event(bus: &Bus, line: &Line, now: BusPosition, at_ms: i64) -> SimEvent {
    let mut out = String::with_capacity(260);
    out.push_str("{\"busId\":");
    string(&mut out, &bus.id);
    out.push_str(",\"routeId\":");
    string(&mut out, &line.id);
    out.push_str(",\"currentLocation\":");
    position(&mut out, now.at);
    out.push_str(",\"heading\":");
    // 359.96 would be rounded to 360, which is out of range.
    number(&mut out, if now.heading >= 359.95 { 0.0 } else { now.heading }, 1);
    out.push_str(",\"speed\":");
    number(&mut out, now.speed, 1);
    out.push_str(",\"passengerCount\":");
    integer(&mut out, bus.passengers);
    out.push_str(",\"status\":\"in_service\"");
    end(&mut out, at_ms);
    SimEvent { topic: "transport.gps", key: bus.id.clone(), timestamp_ms: at_ms, value: out }
}

/// A `transport.stations` message; `arrivals` are (bus id, route id, moment), soonest first.
pub(super) fn station_event<'a>(
    station: &Station,
    waiting: u32,
    arrivals: impl Iterator<Item = (&'a str, &'a str, i64)>,
    at_ms: i64,
) -> SimEvent {
    let mut out = String::with_capacity(560);
    out.push_str("{\"stationId\":");
    string(&mut out, &station.id);
    out.push_str(",\"name\":");
    string(&mut out, &station.name);
    out.push_str(",\"location\":");
    position(&mut out, station.at);
    out.push_str(",\"waitingPassengers\":");
    integer(&mut out, waiting);
    out.push_str(",\"nextArrivals\":[");
    for (i, (bus, line, moment)) in arrivals.enumerate() {
        out.push_str(if i == 0 { "{\"busId\":" } else { ",{\"busId\":" });
        string(&mut out, bus);
        out.push_str(",\"routeId\":");
        string(&mut out, line);
        out.push_str(",\"estimatedArrival\":");
        time(&mut out, moment);
        out.push('}');
    }
    out.push(']');
    end(&mut out, at_ms);
    SimEvent { topic: "transport.stations", key: station.id.clone(), timestamp_ms: at_ms, value: out }
}

/// An `emergency.incidents` message of an incident.
pub(super) fn incident_event(network: &RoadNetwork, units: &[Unit], incident: &Incident, at_ms: i64) -> SimEvent {
    let key = incident_id(incident.number);
    let (kind, description, ..) = KINDS[incident.kind];
    let mut out = String::with_capacity(420);
    out.push_str("{\"incidentId\":");
    string(&mut out, &key);
    out.push_str(",\"type\":");
    string(&mut out, kind);
    out.push_str(",\"severity\":");
    string(&mut out, incident.severity);
    out.push_str(",\"location\":");
    position(&mut out, incident.spot.point(network));
    out.push_str(",\"description\":");
    string(&mut out, &format!("{description} {}", network.edge(incident.spot.edge).name));
    out.push_str(",\"status\":");
    string(&mut out, incident.status.name());
    out.push_str(",\"assignedUnits\":[");
    for (i, &unit) in incident.units.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        string(&mut out, &units[unit].id);
    }
    out.push_str("],\"reportedAt\":");
    time(&mut out, incident.reported_ms);
    end(&mut out, at_ms);
    SimEvent { topic: "emergency.incidents", key, timestamp_ms: at_ms, value: out }
}

/// An `emergency.incidents` message that an incident is over, and nothing else about it.
pub(super) fn resolved_event(incident: u64, at_ms: i64) -> SimEvent {
    let key = incident_id(incident);
    let mut out = String::from("{\"incidentId\":");
    string(&mut out, &key);
    out.push_str(",\"status\":");
    string(&mut out, IncidentStatus::Resolved.name());
    end(&mut out, at_ms);
    SimEvent { topic: "emergency.incidents", key, timestamp_ms: at_ms, value: out }
}

/// An `emergency.incidents` message of a response unit.
pub(super) fn unit_event(network: &RoadNetwork, unit: &Unit, at_ms: i64) -> SimEvent {
    let mut out = String::with_capacity(260);
    out.push_str("{\"unitId\":");
    string(&mut out, &unit.id);
    out.push_str(",\"type\":");
    string(&mut out, unit.kind.name());
    out.push_str(",\"status\":");
    string(&mut out, unit.status.name());
    out.push_str(",\"currentLocation\":");
    position(&mut out, unit.spot(at_ms).point(network));
    out.push_str(",\"assignedIncident\":");
    match unit.incident {
        Some(number) => string(&mut out, &incident_id(number)),
        None => out.push_str("null"),
    }
    end(&mut out, at_ms);
    SimEvent { topic: "emergency.incidents", key: unit.id.clone(), timestamp_ms: at_ms, value: out }
}
