//! Sensors.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    Building, District,
    wrapper::{entity_type, id_of},
};
use crate::{
    graphql::{
        enums::{EntityKind, SensorStatus},
        place::Location,
        scalar::{DateTime, Json},
    },
    twin::{entity::Entity, model},
};

entity_type!(
    /// Something that measures one value.
    Sensor,
    model::Sensor
);

/// Something that measures one value.
#[Object]
impl Sensor {
    /// `sensor/<districtId>/<sensorId>`, its parts percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `SENSOR`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Sensor
    }

    /// Its id, unique in its district.
    async fn sensor_id(&self) -> &str {
        &self.item.id
    }

    /// The `districtId` of its district.
    async fn district_id(&self) -> &str {
        &self.item.district
    }

    /// What it measures, open text: `air_quality`, `noise`, `traffic_flow` and so on.
    #[graphql(name = "type")]
    async fn sensor_type(&self) -> Option<&str> {
        self.item.kind.as_deref()
    }

    /// What it measured last, in `unit`.
    async fn value(&self) -> Option<f64> {
        self.item.value.value
    }

    /// The unit of `value`, as its messages have it.
    async fn unit(&self) -> Option<&str> {
        self.item.unit.as_deref()
    }

    /// Whether it measures.
    async fn status(&self) -> Option<SensorStatus> {
        self.item.status.map(SensorStatus::from)
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// Where it stands.
    async fn location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// What else its messages say of it, an object.
    async fn metadata(&self) -> Option<Json> {
        self.item.metadata.as_ref().map(Json::from)
    }

    /// The `buildingId` of the building that it measures; null where it stands in none.
    async fn building_id(&self) -> Option<&str> {
        self.item.building.as_deref()
    }

    /// Its district.
    async fn district(&self) -> Option<District> {
        District::find(&self.snapshot, &self.item.district)
    }

    /// The building that it measures, where the city has it.
    async fn building(&self) -> Option<Building> {
        let id = self.item.building.as_deref()?;
        match self.snapshot.find(model::Kind::Building, Some(&self.item.district), id)? {
            Entity::Building(item) => Some(Building::new(self.snapshot.clone(), Arc::clone(item))),
            _ => None,
        }
    }
}
