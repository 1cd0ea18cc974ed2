//! The model: what a city consists of, with every field of `state.full` (contract, section 3).
//!
//! A kind of entity is a struct and its [`Model`] implementation: the names of its fields in the reference's order, and
//! each field as a [`Field`]. JSON, deltas and change masks all follow from that table.

use std::sync::Arc;

use compact_str::CompactString;

use super::{
    field::Field,
    geo::{BoundingBox, Position},
    json::Json,
    time::Time,
};

/// The kinds of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    District,
    Sensor,
    Building,
    WeatherStation,
    Node,
    Edge,
    Bus,
    Station,
    Incident,
    Unit,
}

impl Kind {
    /// All kinds, in the order of `state.full`.
    pub const ALL: [Self; 10] = [
        Self::District,
        Self::Sensor,
        Self::Building,
        Self::WeatherStation,
        Self::Node,
        Self::Edge,
        Self::Bus,
        Self::Station,
        Self::Incident,
        Self::Unit,
    ];

    /// The first part of a global id (contract, section 4).
    pub fn prefix(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Sensor => "sensor",
            Self::Building => "building",
            Self::WeatherStation => "weather-station",
            Self::Node => "node",
            Self::Edge => "edge",
            Self::Bus => "bus",
            Self::Station => "station",
            Self::Incident => "incident",
            Self::Unit => "unit",
        }
    }

    /// Whether an id is unique only within its district; else within the city.
    pub fn by_district(self) -> bool {
        matches!(self, Self::Sensor | Self::Building | Self::WeatherStation)
    }

    /// Whether entities of this kind come into being with their first event (contract, section 2, rule 3).
    pub fn by_event(self) -> bool {
        matches!(self, Self::Sensor | Self::Bus | Self::Station | Self::Incident | Self::Unit)
    }
}

/// A closed set of words, as they stand in messages.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($variant),+ }

        impl Word for $name {
            const ACCEPTED: &'static str = concat!("one of" $(, " ", $word)+);

            fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

/// A word of a closed set.
pub trait Word: Sized + Copy + PartialEq {
    /// The set, for error messages.
    const ACCEPTED: &'static str;
    /// The word as it stands in messages, or `None` outside of the set.
    fn parse(word: &str) -> Option<Self>;
    /// How it stands in messages and in `state.full`.
    fn word(self) -> &'static str;
}

words!(
    /// `status` of sensors and weather stations.
    SensorStatus { Active = "active", Inactive = "inactive", Maintenance = "maintenance" }
);
words!(
    /// `status` of buses.
    BusStatus { InService = "in_service", OutOfService = "out_of_service", Maintenance = "maintenance" }
);
words!(
    /// `status` of incidents.
    IncidentStatus { Reported = "reported", Dispatched = "dispatched", InProgress = "in_progress", Resolved = "resolved" }
);
words!(
    /// `severity` of incidents.
    Severity { Critical = "critical", High = "high", Medium = "medium", Low = "low" }
);
words!(
    /// `status` of units.
    UnitStatus { Available = "available", Dispatched = "dispatched", OnScene = "on_scene" }
);
words!(
    /// `congestionLevel` of road edges.
    Congestion { Low = "low", Moderate = "moderate", High = "high", Severe = "severe" }
);

/// A value inside an object that keeps only what its message had: `None` where the key was not there,
/// `Some(None)` where it was `null`.
pub type Held<T> = Option<Option<T>>;

/// What a weather station measured. Replaced whole by each message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// Degrees Celsius.
    pub temperature: Held<f64>,
    /// Percent.
    pub humidity: Held<f64>,
    /// hPa.
    pub pressure: Held<f64>,
    /// km/h.
    pub wind_speed: Held<f64>,
    /// Degrees clockwise from north.
    pub wind_direction: Held<f64>,
    /// mm.
    pub precipitation: Held<f64>,
    /// The message's other keys, an object.
    pub extra: Option<Json>,
}

impl Readings {
    /// The keys of the reference, in its order.
    pub const NAMES: [&'static str; 6] =
        ["temperature", "humidity", "pressure", "windSpeed", "windDirection", "precipitation"];

    /// The values of [`Self::NAMES`].
    pub fn values(&self) -> [Held<f64>; 6] {
        [self.temperature, self.humidity, self.pressure, self.wind_speed, self.wind_direction, self.precipitation]
    }
}

/// How the traffic flows on an edge. Replaced whole by each message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrafficConditions {
    /// km/h.
    pub average_speed: Held<f64>,
    pub congestion_level: Held<Congestion>,
    pub vehicle_count: Held<u32>,
    /// Seconds.
    pub travel_time: Held<f64>,
    /// A list of free JSON.
    pub incidents: Held<Json>,
    /// The message's other keys, an object.
    pub extra: Option<Json>,
}

/// Where a district lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    pub center: Position,
    /// `null` where the city file has none.
    pub boundaries: Option<BoundingBox>,
}

/// A part of the city.
#[derive(Clone, Debug, PartialEq)]
pub struct District {
    pub id: CompactString,
    pub name: CompactString,
    pub area: Option<Area>,
}

/// Something that measures one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    pub district: CompactString,
    pub id: CompactString,
    /// Open text: `air_quality`, `noise`, `traffic_flow`, …
    pub kind: Option<CompactString>,
    /// In `unit`.
    pub value: Option<f64>,
    pub unit: Option<CompactString>,
    pub status: Option<SensorStatus>,
    pub last_updated: Option<Time>,
    pub location: Option<Position>,
    /// Free JSON, an object.
    pub metadata: Option<Json>,
    /// The building it measures, where it stands in one.
    pub building: Option<CompactString>,
}

/// A building of the city file, with its occupancy.
#[derive(Clone, Debug, PartialEq)]
pub struct Building {
    pub district: CompactString,
    pub id: CompactString,
    pub name: Option<CompactString>,
    pub kind: Option<CompactString>,
    pub location: Option<Position>,
    /// People.
    pub current_occupancy: Option<u32>,
    /// People.
    pub total_capacity: Option<u32>,
    /// Whether an event has set the capacity: then an import leaves it alone.
    pub capacity_by_event: bool,
    /// As the city file has it: a list of free JSON.
    pub sensors: Option<Json>,
    pub last_updated: Option<Time>,
}

impl Building {
    /// `currentOccupancy / totalCapacity`; `None` where the capacity is 0 or unknown. May exceed 1.
    pub fn occupancy_rate(&self) -> Option<f64> {
        match (self.current_occupancy, self.total_capacity) {
            (Some(current), Some(total)) if total > 0 => Some(f64::from(current) / f64::from(total)),
            _ => None,
        }
    }
}

/// A weather station of the city file, with its readings.
#[derive(Clone, Debug, PartialEq)]
pub struct WeatherStation {
    pub district: CompactString,
    pub id: CompactString,
    pub location: Option<Position>,
    pub readings: Option<Readings>,
    pub status: Option<SensorStatus>,
    pub last_updated: Option<Time>,
}

/// A node of the road graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub district: CompactString,
    pub id: CompactString,
    pub kind: Option<CompactString>,
    pub location: Option<Position>,
}

/// What the city file says of an edge; shared by the edge's successive values.
#[derive(Clone, Debug, PartialEq)]
pub struct Road {
    pub district: CompactString,
    pub id: CompactString,
    pub segment: Option<CompactString>,
    pub from: Option<CompactString>,
    pub to: Option<CompactString>,
    pub name: Option<CompactString>,
    pub class: Option<CompactString>,
    /// Metres.
    pub length: Option<f64>,
    /// km/h.
    pub speed_limit: Option<f64>,
    pub lanes: Option<u32>,
    /// GeoJSON, as the city file has it.
    pub geometry: Option<Json>,
    /// The positions of a `LineString` in `geometry`; else empty.
    pub line: Box<[Position]>,
}

/// An edge of the road graph: a road of the city file, with its traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub road: Arc<Road>,
    pub traffic: Option<TrafficConditions>,
    pub last_updated: Option<Time>,
}

/// A vehicle of public transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Bus {
    pub id: CompactString,
    pub route: Option<CompactString>,
    pub location: Option<Position>,
    /// Degrees clockwise from north, in [0, 360).
    pub heading: Option<f64>,
    /// km/h.
    pub speed: Option<f64>,
    pub passengers: Option<u32>,
    pub status: Option<BusStatus>,
    pub last_updated: Option<Time>,
}

/// A stop of public transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    pub id: CompactString,
    pub name: Option<CompactString>,
    pub location: Option<Position>,
    pub waiting: Option<u32>,
    /// A list of objects with `busId`, `routeId`, `estimatedArrival` and whatever else the message had.
    pub arrivals: Option<Json>,
    pub last_updated: Option<Time>,
}

/// Something that emergency services handle.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub id: CompactString,
    pub kind: Option<CompactString>,
    pub severity: Option<Severity>,
    pub location: Option<Position>,
    pub status: Option<IncidentStatus>,
    pub units: Vec<CompactString>,
    pub reported_at: Option<Time>,
    pub description: Option<CompactString>,
    pub last_updated: Option<Time>,
    /// The partition of `emergency.incidents` that its events come by; `None` until its first one.
    pub partition: Option<i32>,
}

/// A vehicle or crew of the emergency services.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    pub id: CompactString,
    pub kind: Option<CompactString>,
    pub status: Option<UnitStatus>,
    pub location: Option<Position>,
    pub incident: Option<CompactString>,
    pub last_updated: Option<Time>,
}

/// What all kinds of entities have in common.
pub trait Model: Clone + PartialEq {
    const KIND: Kind;
    /// The keys of `state.full`, in its order. At most 16.
    const FIELDS: &'static [&'static str];

    fn id(&self) -> &str;

    /// The district it belongs to, or is.
    fn district(&self) -> Option<&str>;

    /// The value of `FIELDS[i]`.
    fn field(&self, i: usize) -> Field<'_>;

    /// Where it is, if it is a point. Edges have a line instead.
    fn position(&self) -> Option<Position>;

    fn last_updated(&self) -> Option<Time>;

    /// A bit for each field in which two values differ.
    fn changed(&self, before: &Self) -> u16 {
        let shared = self.shared(before);
        let differs = |i: usize| shared & (1 << i) == 0 && self.field(i) != before.field(i);
        (0..Self::FIELDS.len()).filter(|&i| differs(i)).fold(0, |mask, i| mask | 1 << i)
    }

    /// A bit for each field that two values have in the same memory, so that they need not be compared.
    fn shared(&self, _before: &Self) -> u16 {
        0
    }

    /// Writes the JSON of `state.full`. A district's is only its own part: `districtId`, `name`, `location`.
    fn write_json(&self, out: &mut Vec<u8>) {
        for (i, name) in Self::FIELDS.iter().enumerate() {
            out.push(if i == 0 { b'{' } else { b',' });
            out.push(b'"');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            self.field(i).write_json(out);
        }
        out.push(b'}');
    }
}

macro_rules! id_of {
    (Edge) => {
        |e| &e.road.id
    };
    ($kind:ident) => {
        |e| &e.id
    };
}

macro_rules! model {
    ($kind:ident, $district:expr, $position:expr, $updated:expr, { $($name:literal => $field:expr),+ $(,)? } $($more:item)?) => {
        impl Model for $kind {
            const KIND: Kind = Kind::$kind;
            const FIELDS: &'static [&'static str] = &[$($name),+];

            fn id(&self) -> &str {
                const ID: fn(&$kind) -> &str = id_of!($kind);
                ID(self)
            }

            fn district(&self) -> Option<&str> {
                const DISTRICT: fn(&$kind) -> Option<&str> = $district;
                DISTRICT(self)
            }

            fn position(&self) -> Option<Position> {
                const POSITION: fn(&$kind) -> Option<Position> = $position;
                POSITION(self)
            }

            fn last_updated(&self) -> Option<Time> {
                const UPDATED: fn(&$kind) -> Option<Time> = $updated;
                UPDATED(self)
            }

            #[inline]
            fn field(&self, i: usize) -> Field<'_> {
                #[allow(unused_assignments)] // the last number is not used
                {
                    let mut n = 0;
                    $(
                        if i == n {
                            const FIELD: fn(&$kind) -> Field<'_> = $field;
                            return FIELD(self);
                        }
                        n += 1;
                    )+
                }
                Field::Null
            }

            $($more)?
        }
    };
}

model!(District, |d| Some(&d.id), |d| d.area.as_ref().map(|a| a.center), |_| None, {
    "districtId" => |d| Field::Text(&d.id),
    "name" => |d| Field::Text(&d.name),
    "location" => |d| Field::area(d.area.as_ref()),
});

model!(Sensor, |s| Some(&s.district), |s| s.location, |s| s.last_updated, {
    "sensorId" => |s| Field::Text(&s.id),
    "type" => |s| Field::text(s.kind.as_ref()),
    "value" => |s| Field::number(s.value),
    "unit" => |s| Field::text(s.unit.as_ref()),
    "status" => |s| Field::word(s.status),
    "lastUpdated" => |s| Field::time(s.last_updated),
    "location" => |s| Field::position(s.location),
    "metadata" => |s| Field::json(s.metadata.as_ref()),
    "buildingId" => |s| Field::text(s.building.as_ref()),
});

model!(Building, |b| Some(&b.district), |b| b.location, |b| b.last_updated, {
    "buildingId" => |b| Field::Text(&b.id),
    "name" => |b| Field::text(b.name.as_ref()),
    "type" => |b| Field::text(b.kind.as_ref()),
    "location" => |b| Field::position(b.location),
    "currentOccupancy" => |b| Field::count(b.current_occupancy),
    "totalCapacity" => |b| Field::count(b.total_capacity),
    "occupancyRate" => |b| Field::number(b.occupancy_rate()),
    "sensors" => |b| Field::list(b.sensors.as_ref()),
    "lastUpdated" => |b| Field::time(b.last_updated),
});

model!(WeatherStation, |w| Some(&w.district), |w| w.location, |w| w.last_updated, {
    "stationId" => |w| Field::Text(&w.id),
    "location" => |w| Field::position(w.location),
    "readings" => |w| w.readings.as_ref().map_or(Field::Null, Field::Readings),
    "status" => |w| Field::word(w.status),
    "lastUpdated" => |w| Field::time(w.last_updated),
});

model!(Node, |n| Some(&n.district), |n| n.location, |_| None, {
    "nodeId" => |n| Field::Text(&n.id),
    "type" => |n| Field::text(n.kind.as_ref()),
    "location" => |n| Field::position(n.location),
});

model!(Edge, |e| Some(&e.road.district), |_| None, |e| e.last_updated, {
    "edgeId" => |e| Field::Text(&e.road.id),
    "roadSegmentId" => |e| Field::text(e.road.segment.as_ref()),
    "fromNode" => |e| Field::text(e.road.from.as_ref()),
    "toNode" => |e| Field::text(e.road.to.as_ref()),
    "name" => |e| Field::text(e.road.name.as_ref()),
    "class" => |e| Field::text(e.road.class.as_ref()),
    "length" => |e| Field::number(e.road.length),
    "speedLimit" => |e| Field::number(e.road.speed_limit),
    "lanes" => |e| Field::count(e.road.lanes),
    "trafficConditions" => |e| e.traffic.as_ref().map_or(Field::Null, Field::Traffic),
    "lastUpdated" => |e| Field::time(e.last_updated),
    "geometry" => |e| Field::json(e.road.geometry.as_ref()),
}
    fn shared(&self, before: &Self) -> u16 {
        // All but `trafficConditions` and `lastUpdated` are of the road.
        if Arc::ptr_eq(&self.road, &before.road) { !(1 << 9 | 1 << 10) } else { 0 }
    }
);

model!(Bus, |_| None, |b| b.location, |b| b.last_updated, {
    "busId" => |b| Field::Text(&b.id),
    "routeId" => |b| Field::text(b.route.as_ref()),
    "currentLocation" => |b| Field::position(b.location),
    "heading" => |b| Field::number(b.heading),
    "speed" => |b| Field::number(b.speed),
    "passengerCount" => |b| Field::count(b.passengers),
    "status" => |b| Field::word(b.status),
    "lastUpdated" => |b| Field::time(b.last_updated),
});

model!(Station, |_| None, |s| s.location, |s| s.last_updated, {
    "stationId" => |s| Field::Text(&s.id),
    "name" => |s| Field::text(s.name.as_ref()),
    "location" => |s| Field::position(s.location),
    "waitingPassengers" => |s| Field::count(s.waiting),
    "nextArrivals" => |s| Field::list(s.arrivals.as_ref()),
    "lastUpdated" => |s| Field::time(s.last_updated),
});

model!(Incident, |_| None, |i| i.location, |i| i.last_updated, {
    "incidentId" => |i| Field::Text(&i.id),
    "type" => |i| Field::text(i.kind.as_ref()),
    "severity" => |i| Field::word(i.severity),
    "location" => |i| Field::position(i.location),
    "status" => |i| Field::word(i.status),
    "assignedUnits" => |i| Field::Texts(&i.units),
    "reportedAt" => |i| Field::time(i.reported_at),
    "description" => |i| Field::text(i.description.as_ref()),
    "lastUpdated" => |i| Field::time(i.last_updated),
});

model!(Unit, |_| None, |u| u.location, |u| u.last_updated, {
    "unitId" => |u| Field::Text(&u.id),
    "type" => |u| Field::text(u.kind.as_ref()),
    "status" => |u| Field::word(u.status),
    "currentLocation" => |u| Field::position(u.location),
    "assignedIncident" => |u| Field::text(u.incident.as_ref()),
    "lastUpdated" => |u| Field::time(u.last_updated),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_edges_share_is_all_but_their_traffic() {
        let road = Road {
            district: "d".into(),
            id: "e".into(),
            segment: None,
            from: None,
            to: None,
            name: None,
            class: None,
            length: None,
            speed_limit: None,
            lanes: None,
            geometry: None,
            line: Box::default(),
        };
        let edge = Edge { road: Arc::new(road), traffic: None, last_updated: None };
        let own = |i: usize| matches!(Edge::FIELDS[i], "trafficConditions" | "lastUpdated");
        for i in 0..Edge::FIELDS.len() {
            assert_eq!(edge.shared(&edge) & (1 << i) == 0, own(i), "{}", Edge::FIELDS[i]);
        }
        let other = Edge { road: Arc::new(Road::clone(&edge.road)), ..edge.clone() };
        assert_eq!((edge.shared(&other), edge.changed(&other)), (0, 0));
    }
}
