//! Entities from the JSON of `state.full`: what a city file and a store's rows hold.

use std::sync::Arc;

use compact_str::CompactString;

use super::{
    json::{Syntax, Value, fields},
    model::{Building, Bus, District, Edge, Incident, Kind, Node, Road, Sensor, Station, Unit, WeatherStation},
    read::At,
    reject::{Code, Problem, Problems},
};

/// An entity's value, of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    District(District),
    Sensor(Sensor),
    Building(Building),
    WeatherStation(WeatherStation),
    Node(Node),
    Edge(Edge),
    Bus(Bus),
    Station(Station),
    Incident(Incident),
    Unit(Unit),
}

/// Reads one entity as the store has it, with what only the fold knows; `district` is the id of the one that it stands
/// in, if any.
///
/// # Errors
/// All that is wrong with it.
pub fn entity(kind: Kind, district: &str, text: &str) -> Result<Parsed, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut at = At { problems: &mut problems, path: "", inside: None };
    let read = entity_at(kind, district, text, &mut at).and_then(|parsed| with_notes(parsed, text, &mut at));
    match read {
        Ok(parsed) if problems.is_empty() => Ok(parsed),
        Ok(_) => Err(problems.into_vec()),
        Err(syntax) => {
            let message = format!("is no JSON object: {} at byte {}", syntax.what, syntax.at);
            Err(vec![Problem { code: Code::NotJson, field: String::new(), message }])
        }
    }
}

/// Adds what stored rows say beyond `state.full` (see `Entity::stored_json`). A city file says nothing of it: only
/// events set a capacity for good, and an imported incident waits for its first event.
fn with_notes(mut parsed: Parsed, text: &str, at: &mut At<'_, '_>) -> Result<Parsed, Box<Syntax>> {
    match &mut parsed {
        Parsed::Building(building) => {
            let [by_event] = fields(text, &["capacityByEvent"])?.values;
            building.capacity_by_event = matches!(by_event, Value::Bool(true));
        }
        Parsed::Incident(incident) => {
            let [partition] = fields(text, &["partition"])?.values;
            let partition = at.count("partition", partition).value();
            incident.partition = partition.and_then(|partition| i32::try_from(partition).ok());
        }
        _ => {}
    }
    Ok(parsed)
}

pub(super) fn entity_at(kind: Kind, district: &str, text: &str, at: &mut At<'_, '_>) -> Result<Parsed, Box<Syntax>> {
    Ok(match kind {
        Kind::District => Parsed::District(read_district(text, at)?),
        Kind::Sensor => Parsed::Sensor(sensor(district.into(), text, at)?),
        Kind::Building => Parsed::Building(building(district.into(), text, at)?),
        Kind::WeatherStation => Parsed::WeatherStation(weather_station(district.into(), text, at)?),
        Kind::Node => Parsed::Node(node(district.into(), text, at)?),
        Kind::Edge => Parsed::Edge(edge(district.into(), text, at)?),
        Kind::Bus => Parsed::Bus(bus(text, at)?),
        Kind::Station => Parsed::Station(station(text, at)?),
        Kind::Incident => Parsed::Incident(incident(text, at)?),
        Kind::Unit => Parsed::Unit(unit(text, at)?),
    })
}

fn text(at: &mut At<'_, '_>, name: &str, value: Value<'_>) -> Option<CompactString> {
    at.text(name, value).value().map(CompactString::from)
}

fn id(at: &mut At<'_, '_>, name: &str, value: Value<'_>) -> CompactString {
    at.id(name, value).into()
}

fn read_district(json: &str, at: &mut At<'_, '_>) -> Result<District, Box<Syntax>> {
    let [id_, name, location] = fields(json, &["districtId", "name", "location"])?.values;
    let id = id(at, "districtId", id_);
    let name = text(at, "name", name).unwrap_or_else(|| id.clone());
    Ok(District { id, name, area: at.area("location", location).value() })
}

fn sensor(district: CompactString, json: &str, at: &mut At<'_, '_>) -> Result<Sensor, Box<Syntax>> {
    const NAMES: [&str; 9] =
        ["sensorId", "type", "value", "unit", "status", "lastUpdated", "location", "metadata", "buildingId"];
    let [id_, kind, value, unit, status, updated, location, metadata, building] = fields(json, &NAMES)?.values;
    Ok(Sensor {
        district,
        id: id(at, "sensorId", id_),
        kind: text(at, "type", kind),
        value: at.number("value", value).value(),
        unit: text(at, "unit", unit),
        status: at.word("status", status).value(),
        last_updated: at.time("lastUpdated", updated).value(),
        location: at.position("location", location).value(),
        metadata: at.object("metadata", metadata).value(),
        building: text(at, "buildingId", building),
    })
}

fn building(district: CompactString, json: &str, at: &mut At<'_, '_>) -> Result<Building, Box<Syntax>> {
    const NAMES: [&str; 8] =
        ["buildingId", "name", "type", "location", "currentOccupancy", "totalCapacity", "sensors", "lastUpdated"];
    let [id_, name, kind, location, current, total, sensors, updated] = fields(json, &NAMES)?.values;
    Ok(Building {
        district,
        id: id(at, "buildingId", id_),
        name: text(at, "name", name),
        kind: text(at, "type", kind),
        location: at.position("location", location).value(),
        current_occupancy: at.count("currentOccupancy", current).value(),
        total_capacity: at.count("totalCapacity", total).value(),
        capacity_by_event: false,
        sensors: at.list("sensors", sensors).value(),
        last_updated: at.time("lastUpdated", updated).value(),
    })
}

fn weather_station(district: CompactString, json: &str, at: &mut At<'_, '_>) -> Result<WeatherStation, Box<Syntax>> {
    let [id_, location, readings, status, updated] =
        fields(json, &["stationId", "location", "readings", "status", "lastUpdated"])?.values;
    Ok(WeatherStation {
        district,
        id: id(at, "stationId", id_),
        location: at.position("location", location).value(),
        readings: at.readings("readings", readings).value(),
        status: at.word("status", status).value(),
        last_updated: at.time("lastUpdated", updated).value(),
    })
}

fn node(district: CompactString, json: &str, at: &mut At<'_, '_>) -> Result<Node, Box<Syntax>> {
    let [id_, kind, location] = fields(json, &["nodeId", "type", "location"])?.values;
    let location = at.position("location", location).value();
    Ok(Node { district, id: id(at, "nodeId", id_), kind: text(at, "type", kind), location })
}

fn edge(district: CompactString, json: &str, at: &mut At<'_, '_>) -> Result<Edge, Box<Syntax>> {
    const NAMES: [&str; 12] = [
        "edgeId",
        "roadSegmentId",
        "fromNode",
        "toNode",
        "name",
        "class",
        "length",
        "speedLimit",
        "lanes",
        "trafficConditions",
        "lastUpdated",
        "geometry",
    ];
    let [id_, segment, from, to, name, class, length, limit, lanes, traffic, updated, geometry] =
        fields(json, &NAMES)?.values;
    let (geometry, line) = at.geometry("geometry", geometry);
    Ok(Edge {
        road: Arc::new(Road {
            district,
            id: id(at, "edgeId", id_),
            segment: text(at, "roadSegmentId", segment),
            from: text(at, "fromNode", from),
            to: text(at, "toNode", to),
            name: text(at, "name", name),
            class: text(at, "class", class),
            length: at.number("length", length).value(),
            speed_limit: at.number("speedLimit", limit).value(),
            lanes: at.count("lanes", lanes).value(),
            geometry,
            line,
        }),
        traffic: at.traffic("trafficConditions", traffic).value(),
        last_updated: at.time("lastUpdated", updated).value(),
    })
}

fn bus(json: &str, at: &mut At<'_, '_>) -> Result<Bus, Box<Syntax>> {
    const NAMES: [&str; 8] =
        ["busId", "routeId", "currentLocation", "heading", "speed", "passengerCount", "status", "lastUpdated"];
    let [id_, route, location, heading, speed, passengers, status, updated] = fields(json, &NAMES)?.values;
    Ok(Bus {
        id: id(at, "busId", id_),
        route: text(at, "routeId", route),
        location: at.position("currentLocation", location).value(),
        heading: at.heading("heading", heading).value(),
        speed: at.number("speed", speed).value(),
        passengers: at.count("passengerCount", passengers).value(),
        status: at.word("status", status).value(),
        last_updated: at.time("lastUpdated", updated).value(),
    })
}

fn station(json: &str, at: &mut At<'_, '_>) -> Result<Station, Box<Syntax>> {
    let [id_, name, location, waiting, arrivals, updated] =
        fields(json, &["stationId", "name", "location", "waitingPassengers", "nextArrivals", "lastUpdated"])?.values;
    Ok(Station {
        id: id(at, "stationId", id_),
        name: text(at, "name", name),
        location: at.position("location", location).value(),
        waiting: at.count("waitingPassengers", waiting).value(),
        arrivals: at.arrivals("nextArrivals", arrivals).value(),
        last_updated: at.time("lastUpdated", updated).value(),
    })
}

fn incident(json: &str, at: &mut At<'_, '_>) -> Result<Incident, Box<Syntax>> {
    const NAMES: [&str; 9] = [
        "incidentId",
        "type",
        "severity",
        "location",
        "status",
        "assignedUnits",
        "reportedAt",
        "description",
        "lastUpdated",
    ];
    let [id_, kind, severity, location, status, units, reported, description, updated] = fields(json, &NAMES)?.values;
    Ok(Incident {
        id: id(at, "incidentId", id_),
        kind: text(at, "type", kind),
        severity: at.word("severity", severity).value(),
        location: at.position("location", location).value(),
        status: at.word("status", status).value(),
        units: at.texts("assignedUnits", units).value().unwrap_or_default(),
        reported_at: at.time("reportedAt", reported).value(),
        description: text(at, "description", description),
        last_updated: at.time("lastUpdated", updated).value(),
        partition: None,
    })
}

fn unit(json: &str, at: &mut At<'_, '_>) -> Result<Unit, Box<Syntax>> {
    let [id_, kind, status, location, incident, updated] =
        fields(json, &["unitId", "type", "status", "currentLocation", "assignedIncident", "lastUpdated"])?.values;
    Ok(Unit {
        id: id(at, "unitId", id_),
        kind: text(at, "type", kind),
        status: at.word("status", status).value(),
        location: at.position("currentLocation", location).value(),
        incident: text(at, "assignedIncident", incident),
        last_updated: at.time("lastUpdated", updated).value(),
    })
}
