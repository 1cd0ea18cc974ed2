//! What an event makes of an entity: the next value, from the one before. The rules are the contract's, section 2.

use std::{borrow::Cow, sync::Arc};

use compact_str::CompactString;

use super::{
    event::{BusEvent, EdgeEvent, IncidentEvent, OccupancyEvent, SensorEvent, StationEvent, UnitEvent, WeatherEvent},
    model::{Building, Bus, Edge, Incident, Sensor, Station, Unit, WeatherStation},
    read::Patch,
    time::Time,
};

fn text(patch: Patch<Cow<'_, str>>, before: Option<&CompactString>) -> Option<CompactString> {
    match patch {
        Patch::Keep => before.cloned(),
        Patch::Clear => None,
        Patch::Set(text) => Some(compact(&text, before)),
    }
}

/// The text as a value of its own; the one before where it is the same, which spares an allocation for long ones.
fn compact(text: &str, before: Option<&CompactString>) -> CompactString {
    match before {
        Some(before) if before == text => before.clone(),
        _ => CompactString::from(text),
    }
}

pub(super) fn sensor(before: Option<&Sensor>, event: SensorEvent<'_>, time: Time) -> Sensor {
    Sensor {
        district: compact(&event.district, before.map(|b| &b.district)),
        id: compact(&event.id, before.map(|b| &b.id)),
        kind: Some(compact(&event.kind, before.and_then(|b| b.kind.as_ref()))),
        value: Some(event.value),
        unit: text(event.unit, before.and_then(|b| b.unit.as_ref())),
        status: event.status.apply(before.and_then(|b| b.status)),
        last_updated: Some(time),
        location: event.location.apply(before.and_then(|b| b.location)),
        metadata: event.metadata.apply(before.and_then(|b| b.metadata.clone())),
        building: text(event.building, before.and_then(|b| b.building.as_ref())),
    }
}

pub(super) fn occupancy(before: &Building, event: &OccupancyEvent<'_>, time: Time) -> Building {
    Building {
        current_occupancy: Some(event.current),
        total_capacity: event.capacity.clone().apply(before.total_capacity),
        capacity_by_event: before.capacity_by_event || event.capacity != Patch::Keep,
        last_updated: Some(time),
        ..before.clone()
    }
}

pub(super) fn weather(before: &WeatherStation, event: WeatherEvent<'_>, time: Time) -> WeatherStation {
    WeatherStation {
        district: before.district.clone(),
        id: before.id.clone(),
        location: before.location,
        readings: Some(event.readings),
        status: event.status.apply(before.status),
        last_updated: Some(time),
    }
}

pub(super) fn edge(before: &Edge, event: EdgeEvent<'_>, time: Time) -> Edge {
    Edge { road: Arc::clone(&before.road), traffic: Some(event.traffic), last_updated: Some(time) }
}

pub(super) fn bus(before: Option<&Bus>, event: BusEvent<'_>, time: Time) -> Bus {
    Bus {
        id: compact(&event.id, before.map(|b| &b.id)),
        route: text(event.route, before.and_then(|b| b.route.as_ref())),
        location: Some(event.location),
        heading: event.heading.apply(before.and_then(|b| b.heading)),
        speed: event.speed.apply(before.and_then(|b| b.speed)),
        passengers: event.passengers.apply(before.and_then(|b| b.passengers)),
        status: event.status.apply(before.and_then(|b| b.status)),
        last_updated: Some(time),
    }
}

pub(super) fn station(before: Option<&Station>, event: StationEvent<'_>, time: Time) -> Station {
    Station {
        id: compact(&event.id, before.map(|b| &b.id)),
        name: text(event.name, before.and_then(|b| b.name.as_ref())),
        location: event.location.apply(before.and_then(|b| b.location)),
        waiting: event.waiting.apply(before.and_then(|b| b.waiting)),
        arrivals: event.arrivals.apply(before.and_then(|b| b.arrivals.clone())),
        last_updated: Some(time),
    }
}

pub(super) fn incident(before: Option<&Incident>, event: IncidentEvent<'_>, time: Time, partition: i32) -> Incident {
    Incident {
        id: compact(&event.id, before.map(|b| &b.id)),
        kind: text(event.kind, before.and_then(|b| b.kind.as_ref())),
        severity: event.severity.apply(before.and_then(|b| b.severity)),
        location: event.location.apply(before.and_then(|b| b.location)),
        status: event.status.apply(before.and_then(|b| b.status)),
        units: event.units.apply(before.map(|b| b.units.clone())).unwrap_or_default(),
        reported_at: event.reported_at.apply(before.and_then(|b| b.reported_at)),
        description: text(event.description, before.and_then(|b| b.description.as_ref())),
        last_updated: Some(time),
        partition: Some(partition),
    }
}

pub(super) fn unit(before: Option<&Unit>, event: UnitEvent<'_>, time: Time) -> Unit {
    Unit {
        id: compact(&event.id, before.map(|b| &b.id)),
        kind: text(event.kind, before.and_then(|b| b.kind.as_ref())),
        status: event.status.apply(before.and_then(|b| b.status)),
        location: event.location.apply(before.and_then(|b| b.location)),
        incident: text(event.incident, before.and_then(|b| b.incident.as_ref())),
        last_updated: Some(time),
    }
}
