//! The closed sets of the model as GraphQL enums.

use async_graphql::Enum;

use crate::twin::model;

/// The kinds of entities.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::Kind")]
pub enum EntityKind {
    /// A part of the city.
    District,
    /// Something that measures one value.
    Sensor,
    /// A building, with its occupancy.
    Building,
    /// A weather station, with its readings.
    WeatherStation,
    /// A node of the road graph.
    Node,
    /// An edge of the road graph: a road in one direction, with its traffic.
    Edge,
    /// A vehicle of public transport.
    Bus,
    /// A stop of public transport.
    Station,
    /// Something that emergency services handle.
    Incident,
    /// A vehicle or crew of the emergency services.
    Unit,
}

/// `status` of sensors and weather stations.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::SensorStatus")]
pub enum SensorStatus {
    /// It measures.
    Active,
    /// It does not measure.
    Inactive,
    /// It is being maintained.
    Maintenance,
}

/// `status` of buses.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::BusStatus")]
pub enum BusStatus {
    /// It serves its route.
    InService,
    /// It does not serve its route.
    OutOfService,
    /// It is being maintained.
    Maintenance,
}

/// `status` of incidents.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::IncidentStatus")]
pub enum IncidentStatus {
    /// Somebody reported it; nobody is on the way.
    Reported,
    /// Units are on the way.
    Dispatched,
    /// Units are working on it.
    InProgress,
    /// It is over. It stays for the time of `INCIDENT_RETENTION`.
    Resolved,
}

/// `severity` of incidents.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::Severity")]
pub enum Severity {
    /// Lives are at risk.
    Critical,
    /// Urgent.
    High,
    /// Neither urgent nor minor.
    Medium,
    /// Minor.
    Low,
}

/// `status` of emergency units.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::UnitStatus")]
pub enum UnitStatus {
    /// It can be sent.
    Available,
    /// It is on its way to an incident.
    Dispatched,
    /// It is at its incident.
    OnScene,
}

/// `congestionLevel` of road edges.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "model::Congestion")]
pub enum CongestionLevel {
    /// The traffic flows freely.
    Low,
    /// The traffic is slowed a little.
    Moderate,
    /// The traffic is slowed much.
    High,
    /// The traffic hardly moves.
    Severe,
}
