//! The nine messages: bytes to an [`Event`], or a [`Reject`] that says why not (contract, section 2).

use std::borrow::Cow;

use compact_str::CompactString;

use super::{
    geo::Position,
    json::{Fields, Json, Value},
    model::{BusStatus, IncidentStatus, Readings, SensorStatus, Severity, TrafficConditions, UnitStatus},
    read::{At, Patch},
    reject::{Code, Problems, Reject},
    time::Time,
};

/// An input topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    SensorsEnvironmental,
    SensorsTraffic,
    BuildingsOccupancy,
    BuildingsSensors,
    WeatherStations,
    TrafficGraph,
    TransportGps,
    TransportStations,
    EmergencyIncidents,
}

impl Topic {
    /// All nine, in the reference's order.
    pub const ALL: [Self; 9] = [
        Self::SensorsEnvironmental,
        Self::SensorsTraffic,
        Self::BuildingsOccupancy,
        Self::BuildingsSensors,
        Self::WeatherStations,
        Self::TrafficGraph,
        Self::TransportGps,
        Self::TransportStations,
        Self::EmergencyIncidents,
    ];

    /// Its name in Kafka.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SensorsEnvironmental => "sensors.environmental",
            Self::SensorsTraffic => "sensors.traffic",
            Self::BuildingsOccupancy => "buildings.occupancy",
            Self::BuildingsSensors => "buildings.sensors",
            Self::WeatherStations => "weather.stations",
            Self::TrafficGraph => "traffic.graph",
            Self::TransportGps => "transport.gps",
            Self::TransportStations => "transport.stations",
            Self::EmergencyIncidents => "emergency.incidents",
        }
    }

    /// The topic of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// How messages are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judgement {
    /// `MAX_CLOCK_SKEW_MS`: how far an event may be ahead of its record.
    pub max_clock_skew_ms: i64,
    /// `MAX_EVENT_BYTES`.
    pub max_event_bytes: usize,
}

/// One decoded message.
#[derive(Debug)]
pub struct Event<'a> {
    pub topic: Topic,
    /// When it happened: `lastUpdated`, else the record's timestamp.
    pub time: Time,
    pub body: Body<'a>,
    /// Keys of the message that no format has.
    pub unknown_keys: usize,
}

/// What a message says.
#[derive(Debug)]
pub enum Body<'a> {
    Sensor(SensorEvent<'a>),
    Occupancy(OccupancyEvent<'a>),
    Weather(WeatherEvent<'a>),
    Edge(EdgeEvent<'a>),
    Bus(BusEvent<'a>),
    Station(StationEvent<'a>),
    Incident(IncidentEvent<'a>),
    Unit(UnitEvent<'a>),
}

#[derive(Debug)]
pub struct SensorEvent<'a> {
    pub district: Cow<'a, str>,
    pub id: Cow<'a, str>,
    pub kind: Cow<'a, str>,
    pub value: f64,
    pub unit: Patch<Cow<'a, str>>,
    pub status: Patch<SensorStatus>,
    pub location: Patch<Position>,
    pub metadata: Patch<Json>,
    pub building: Patch<Cow<'a, str>>,
}

#[derive(Debug)]
pub struct OccupancyEvent<'a> {
    pub district: Cow<'a, str>,
    pub id: Cow<'a, str>,
    pub current: u32,
    pub capacity: Patch<u32>,
}

#[derive(Debug)]
pub struct WeatherEvent<'a> {
    pub district: Cow<'a, str>,
    pub id: Cow<'a, str>,
    pub readings: Readings,
    pub status: Patch<SensorStatus>,
}

#[derive(Debug)]
pub struct EdgeEvent<'a> {
    pub id: Cow<'a, str>,
    pub traffic: TrafficConditions,
}

#[derive(Debug)]
pub struct BusEvent<'a> {
    pub id: Cow<'a, str>,
    pub route: Patch<Cow<'a, str>>,
    pub location: Position,
    pub heading: Patch<f64>,
    pub speed: Patch<f64>,
    pub passengers: Patch<u32>,
    pub status: Patch<BusStatus>,
}

#[derive(Debug)]
pub struct StationEvent<'a> {
    pub id: Cow<'a, str>,
    pub name: Patch<Cow<'a, str>>,
    pub location: Patch<Position>,
    pub waiting: Patch<u32>,
    pub arrivals: Patch<Json>,
}

#[derive(Debug)]
pub struct IncidentEvent<'a> {
    pub id: Cow<'a, str>,
    pub kind: Patch<Cow<'a, str>>,
    pub severity: Patch<Severity>,
    pub location: Patch<Position>,
    pub description: Patch<Cow<'a, str>>,
    pub status: Patch<IncidentStatus>,
    pub units: Patch<Vec<CompactString>>,
    pub reported_at: Patch<Time>,
}

#[derive(Debug)]
pub struct UnitEvent<'a> {
    pub id: Cow<'a, str>,
    pub kind: Patch<Cow<'a, str>>,
    pub status: Patch<UnitStatus>,
    pub location: Patch<Position>,
    pub incident: Patch<Cow<'a, str>>,
}

/// Reads one message.
///
/// `timestamp` is its record's, in UTC milliseconds.
///
/// # Errors
/// The first code that fits, in the order of [`Code`]; `unknown_entity` comes later, from the city.
pub fn decode<'a>(
    topic: Topic,
    payload: Option<&'a [u8]>,
    timestamp: Time,
    judgement: &Judgement,
) -> Result<Event<'a>, Reject> {
    let text = text(payload, judgement.max_event_bytes)?;
    let mut problems = Problems::default();
    let read = match topic {
        Topic::SensorsEnvironmental | Topic::SensorsTraffic => sensor(text, &mut problems, false),
        Topic::BuildingsSensors => sensor(text, &mut problems, true),
        Topic::BuildingsOccupancy => occupancy(text, &mut problems),
        Topic::WeatherStations => weather(text, &mut problems),
        Topic::TrafficGraph => edge(text, &mut problems),
        Topic::TransportGps => bus(text, &mut problems),
        Topic::TransportStations => station(text, &mut problems),
        Topic::EmergencyIncidents => emergency(text, &mut problems),
    };
    let Read { body, time, unknown_keys } = read.map_err(|syntax| Reject::syntax(&syntax))?;
    if !problems.is_empty() {
        // There is at least one.
        return Err(problems.first().unwrap_or_else(|| Reject::new(Code::WrongType, String::new())));
    }
    let time = match time {
        Patch::Set(time) => time,
        // Records without a timestamp carry -1, and what counts microseconds is past the year 9999.
        _ if timestamp.0 < 0 || !timestamp.has_form() => {
            let message =
                "lastUpdated is missing and the record has no timestamp in milliseconds; accepted: one of the two";
            return Err(Reject::new(Code::BadTime, message.to_owned()));
        }
        _ => timestamp,
    };
    if time.0.saturating_sub(timestamp.0) > judgement.max_clock_skew_ms && timestamp.0 >= 0 {
        let message = format!(
            "lastUpdated is {time}; accepted: at most {} ms after the record's timestamp {timestamp}",
            judgement.max_clock_skew_ms
        );
        return Err(Reject::new(Code::Future, message));
    }
    Ok(Event { topic, time, body, unknown_keys })
}

fn text(payload: Option<&[u8]>, most: usize) -> Result<&str, Reject> {
    let Some(payload) = payload.filter(|payload| !payload.is_empty()) else {
        let what = if payload.is_none() { "null" } else { "of 0 bytes" };
        return Err(Reject::new(Code::Empty, format!("the value is {what}; accepted: a JSON object")));
    };
    if payload.len() > most {
        let message = format!("the value is of {} bytes; accepted: at most {most} bytes", payload.len());
        return Err(Reject::new(Code::TooLarge, message));
    }
    simdutf8::basic::from_utf8(payload).map_err(|_| {
        let at = std::str::from_utf8(payload).map_or_else(|e| e.valid_up_to(), str::len);
        let byte = payload.get(at).copied().unwrap_or_default();
        Reject::new(Code::NotUtf8, format!("the value has the byte 0x{byte:02x} at {at}; accepted: UTF-8"))
    })
}

struct Read<'a> {
    body: Body<'a>,
    time: Patch<Time>,
    unknown_keys: usize,
}

type Reading<'a> = Result<Read<'a>, Box<super::json::Syntax>>;

fn sensor<'a>(text: &'a str, problems: &mut Problems, in_building: bool) -> Reading<'a> {
    const NAMES: [&str; 10] = [
        "districtId",
        "sensorId",
        "type",
        "value",
        "unit",
        "status",
        "lastUpdated",
        "location",
        "metadata",
        "buildingId",
    ];
    let mut read = Fields::default();
    read.read(text, &NAMES)?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [district, id, kind, value, unit, status, updated, location, metadata, mut building] = read.values;
    let mut unknown_keys = read.unknown.len();
    if !in_building && !matches!(building, Value::Absent) {
        // Only the format of `buildings.sensors` has it.
        building = Value::Absent;
        unknown_keys += 1;
    }
    let body = Body::Sensor(SensorEvent {
        district: at.id("districtId", district),
        id: at.id("sensorId", id),
        kind: at.required_text("type", kind),
        value: at.required_number("value", value),
        unit: at.text("unit", unit),
        status: at.word("status", status),
        location: at.position("location", location),
        metadata: at.object("metadata", metadata),
        building: at.text("buildingId", building),
    });
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys })
}

fn occupancy<'a>(text: &'a str, problems: &mut Problems) -> Reading<'a> {
    let mut read = Fields::default();
    read.read(text, &["districtId", "buildingId", "currentOccupancy", "totalCapacity", "lastUpdated"])?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [district, id, current, capacity, updated] = read.values;
    let body = Body::Occupancy(OccupancyEvent {
        district: at.id("districtId", district),
        id: at.id("buildingId", id),
        current: at.required_count("currentOccupancy", current),
        capacity: at.count("totalCapacity", capacity),
    });
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys: read.unknown.len() })
}

fn weather<'a>(text: &'a str, problems: &mut Problems) -> Reading<'a> {
    let mut read = Fields::default();
    read.read(text, &["districtId", "stationId", "readings", "status", "lastUpdated"])?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [district, id, readings, status, updated] = read.values;
    let body = Body::Weather(WeatherEvent {
        district: at.id("districtId", district),
        id: at.id("stationId", id),
        readings: at.required_readings("readings", readings),
        status: at.word("status", status),
    });
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys: read.unknown.len() })
}

fn edge<'a>(text: &'a str, problems: &mut Problems) -> Reading<'a> {
    let mut read = Fields::default();
    read.read(text, &["edgeId", "trafficConditions", "lastUpdated"])?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [id, traffic, updated] = read.values;
    let body =
        Body::Edge(EdgeEvent { id: at.id("edgeId", id), traffic: at.required_traffic("trafficConditions", traffic) });
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys: read.unknown.len() })
}

fn bus<'a>(text: &'a str, problems: &mut Problems) -> Reading<'a> {
    const NAMES: [&str; 8] =
        ["busId", "routeId", "currentLocation", "heading", "speed", "passengerCount", "status", "lastUpdated"];
    let mut read = Fields::default();
    read.read(text, &NAMES)?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [id, route, location, heading, speed, passengers, status, updated] = read.values;
    let body = Body::Bus(BusEvent {
        id: at.id("busId", id),
        route: at.text("routeId", route),
        location: at.required_position("currentLocation", location),
        heading: at.heading("heading", heading),
        speed: at.number("speed", speed),
        passengers: at.count("passengerCount", passengers),
        status: at.word("status", status),
    });
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys: read.unknown.len() })
}

fn station<'a>(text: &'a str, problems: &mut Problems) -> Reading<'a> {
    let mut read = Fields::default();
    read.read(text, &["stationId", "name", "location", "waitingPassengers", "nextArrivals", "lastUpdated"])?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [id, name, location, waiting, arrivals, updated] = read.values;
    let body = Body::Station(StationEvent {
        id: at.id("stationId", id),
        name: at.text("name", name),
        location: at.position("location", location),
        waiting: at.count("waitingPassengers", waiting),
        arrivals: at.arrivals("nextArrivals", arrivals),
    });
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys: read.unknown.len() })
}

fn emergency<'a>(text: &'a str, problems: &mut Problems) -> Reading<'a> {
    const NAMES: [&str; 12] = [
        "incidentId",
        "type",
        "severity",
        "location",
        "description",
        "status",
        "assignedUnits",
        "reportedAt",
        "lastUpdated",
        "unitId",
        "currentLocation",
        "assignedIncident",
    ];
    let mut read = Fields::default();
    read.read(text, &NAMES)?;
    let mut at = At { problems, path: "", inside: Some(&read.inside) };
    let [incident, kind, severity, location, description, status, units, reported, updated, unit, current, assigned] =
        read.values;
    let is_unit = matches!(incident, Value::Absent | Value::Null) && !matches!(unit, Value::Absent | Value::Null);
    // Keys of the other format are unknown to this one.
    let others: &[Value<'_>] =
        if is_unit { &[severity, location, description, units, reported] } else { &[unit, current, assigned] };
    let unknown_keys = read.unknown.len() + others.iter().filter(|value| !matches!(value, Value::Absent)).count();
    let body = if is_unit {
        Body::Unit(UnitEvent {
            id: at.id("unitId", unit),
            kind: at.text("type", kind),
            status: at.word("status", status),
            location: at.position("currentLocation", current),
            incident: at.text("assignedIncident", assigned),
        })
    } else {
        Body::Incident(IncidentEvent {
            id: at.id("incidentId", incident),
            kind: at.text("type", kind),
            severity: at.word("severity", severity),
            location: at.position("location", location),
            description: at.text("description", description),
            status: at.word("status", status),
            units: at.texts("assignedUnits", units),
            reported_at: at.time("reportedAt", reported),
        })
    };
    Ok(Read { body, time: at.time("lastUpdated", updated), unknown_keys })
}

#[cfg(test)]
mod tests;
