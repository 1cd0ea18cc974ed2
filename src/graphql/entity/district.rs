//! The parts of the city.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::wrapper::{entity_type, id_of};
use crate::{
    graphql::{
        city_live::{LiveZone, zones_of_district},
        enums::EntityKind,
        lists::{CityGraph, DistrictLists},
        place::DistrictLocation,
        scalar::DateTime,
        snapshot::Snapshot,
    },
    twin::{geo::Position, model},
};

entity_type!(
    /// A part of the city, with what is in it.
    District,
    model::District
);

impl District {
    /// The district of that id, where the city has it.
    pub(in crate::graphql) fn find(snapshot: &Snapshot, id: &str) -> Option<Self> {
        let item = snapshot.get::<model::District>(snapshot.district(id)?.handle)?;
        Some(Self::new(snapshot.clone(), Arc::clone(item)))
    }

    /// The district where a point lies; null for no point.
    pub(super) fn at(snapshot: &Snapshot, position: Option<Position>) -> Option<Self> {
        let item = snapshot.district_at(position?)?;
        Some(Self::new(snapshot.clone(), Arc::clone(item)))
    }
}

/// A part of the city, with what is in it.
#[Object]
impl District {
    /// `district/<districtId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `DISTRICT`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::District
    }

    /// Always null: no event speaks of a district itself.
    pub async fn last_updated(&self) -> Option<DateTime> {
        None
    }

    /// Its id, unique in the city.
    async fn district_id(&self) -> &str {
        &self.item.id
    }

    /// What people call it; its id where only a sensor's event named it.
    async fn name(&self) -> &str {
        &self.item.name
    }

    /// Where it lies; null where only a sensor's event named it.
    async fn location(&self) -> Option<DistrictLocation> {
        self.item.area.as_ref().map(DistrictLocation::from)
    }

    #[graphql(flatten)]
    async fn lists(&self) -> DistrictLists {
        DistrictLists(self.snapshot.clone(), self.item.id.clone())
    }

    /// The zones of City Live that cover it, of all cities of the catalogue; none where City Live is off.
    #[graphql(complexity = "1 + 3 * child_complexity")]
    async fn live_zones(&self, ctx: &Context<'_>) -> Result<Vec<LiveZone>> {
        zones_of_district(ctx.data_opt(), &self.item.id).await
    }

    /// Its road graph.
    async fn city_graph(&self) -> CityGraph {
        CityGraph(self.snapshot.clone(), self.item.id.clone())
    }
}
