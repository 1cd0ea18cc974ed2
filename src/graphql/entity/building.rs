//! Buildings.

use async_graphql::{ID, Object};

use super::{
    District,
    wrapper::{entity_type, id_of, int},
};
use crate::{
    graphql::{
        enums::EntityKind,
        lists::BuildingLists,
        place::Location,
        scalar::{DateTime, Json},
    },
    twin::model,
};

entity_type!(
    /// A building of the city model, with its occupancy.
    Building,
    model::Building
);

/// A building of the city model, with its occupancy.
#[Object]
impl Building {
    /// `building/<districtId>/<buildingId>`, its parts percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `BUILDING`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Building
    }

    /// Its id, unique in its district.
    async fn building_id(&self) -> &str {
        &self.item.id
    }

    /// The `districtId` of its district.
    async fn district_id(&self) -> &str {
        &self.item.district
    }

    /// What people call it.
    async fn name(&self) -> Option<&str> {
        self.item.name.as_deref()
    }

    /// What it is used for, open text: `office`, `hospital` and so on.
    #[graphql(name = "type")]
    async fn building_type(&self) -> Option<&str> {
        self.item.kind.as_deref()
    }

    /// Where it stands.
    async fn location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// How many people are in it.
    async fn current_occupancy(&self) -> Option<i32> {
        int(self.item.current_occupancy)
    }

    /// How many people it has room for.
    async fn total_capacity(&self) -> Option<i32> {
        int(self.item.total_capacity)
    }

    /// `currentOccupancy / totalCapacity`, without a unit: 1 is full, and it may be more. Null where the capacity is 0
    /// or unknown.
    async fn occupancy_rate(&self) -> Option<f64> {
        self.item.occupancy_rate()
    }

    /// What the city file says of its sensors, a list. What they measure now is under `installedSensors`.
    async fn sensors(&self) -> Json {
        Json::list(self.item.sensors.as_ref())
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// Its district.
    async fn district(&self) -> Option<District> {
        District::find(&self.snapshot, &self.item.district)
    }

    #[graphql(flatten)]
    async fn lists(&self) -> BuildingLists {
        BuildingLists(self.snapshot.clone(), self.item.district.clone(), self.item.id.clone())
    }
}
