//! Emergency services: incidents and units.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    District,
    wrapper::{entity_type, id_of},
};
use crate::{
    graphql::{
        enums::{EntityKind, IncidentStatus, Severity, UnitStatus},
        place::Location,
        scalar::DateTime,
    },
    twin::{entity::Variant, model},
};

/// What the list of an incident's units counts as.
const UNITS: usize = 10;

entity_type!(
    /// Something that emergency services handle.
    Incident,
    model::Incident
);

/// Something that emergency services handle.
#[Object]
impl Incident {
    /// `incident/<incidentId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `INCIDENT`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Incident
    }

    /// Its id, unique in the city.
    async fn incident_id(&self) -> &str {
        &self.item.id
    }

    /// What it is, open text: `fire`, `accident` and so on.
    #[graphql(name = "type")]
    async fn incident_type(&self) -> Option<&str> {
        self.item.kind.as_deref()
    }

    /// How bad it is.
    async fn severity(&self) -> Option<Severity> {
        self.item.severity.map(Severity::from)
    }

    /// Where it is.
    async fn location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// How far it is handled.
    async fn status(&self) -> Option<IncidentStatus> {
        self.item.status.map(IncidentStatus::from)
    }

    /// The `unitId`s of the units that handle it, in the order of its message.
    async fn assigned_units(&self) -> Vec<&str> {
        self.item.units.iter().map(compact_str::CompactString::as_str).collect()
    }

    /// When it was reported.
    async fn reported_at(&self) -> Option<DateTime> {
        self.item.reported_at.map(DateTime)
    }

    /// What is known of it, in words.
    async fn description(&self) -> Option<&str> {
        self.item.description.as_deref()
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// Those of `assignedUnits` that the city has, in the same order.
    #[graphql(complexity = "1 + UNITS * child_complexity")]
    async fn units(&self) -> Vec<Unit> {
        let found = self.item.units.iter().filter_map(|id| self.snapshot.find(model::Kind::Unit, None, id));
        let items = found.filter_map(model::Unit::unwrap);
        items.map(|item| Unit::new(self.snapshot.clone(), Arc::clone(item))).collect()
    }

    /// The district where it is: of those whose boundaries hold its position, else of all, the one with the nearest
    /// centre.
    async fn located_in(&self) -> Option<District> {
        District::at(&self.snapshot, self.item.location)
    }
}

entity_type!(
    /// A vehicle or crew of the emergency services.
    Unit,
    model::Unit
);

/// A vehicle or crew of the emergency services.
#[Object]
impl Unit {
    /// `unit/<unitId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `UNIT`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Unit
    }

    /// Its id, unique in the city.
    async fn unit_id(&self) -> &str {
        &self.item.id
    }

    /// What it is, open text: `ambulance`, `fire_truck` and so on.
    #[graphql(name = "type")]
    async fn unit_type(&self) -> Option<&str> {
        self.item.kind.as_deref()
    }

    /// What it does.
    async fn status(&self) -> Option<UnitStatus> {
        self.item.status.map(UnitStatus::from)
    }

    /// Where it is.
    async fn current_location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// The `incidentId` of the incident that it is sent to; null where there is none.
    async fn assigned_incident(&self) -> Option<&str> {
        self.item.incident.as_deref()
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// The incident of `assignedIncident`, where the city has it.
    async fn incident(&self) -> Option<Incident> {
        let id = self.item.incident.as_deref()?;
        let item = model::Incident::unwrap(self.snapshot.find(model::Kind::Incident, None, id)?)?;
        Some(Incident::new(self.snapshot.clone(), Arc::clone(item)))
    }

    /// The district where it is: of those whose boundaries hold its position, else of all, the one with the nearest
    /// centre.
    async fn located_in(&self) -> Option<District> {
        District::at(&self.snapshot, self.item.location)
    }
}
