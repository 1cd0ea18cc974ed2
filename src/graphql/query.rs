//! The query root: one entity by its own id, and the city. The other roots stand in files of their own.

use std::sync::Arc;

use async_graphql::{Context, MergedObject, Object, Result};

use super::{
    city_live::CityLiveQueries,
    connection::Listed,
    context::snapshot,
    dashboard::DashboardQueries,
    entity::{Building, Bus, City, District, Incident, RoadEdge, RoadNode, Sensor, Station, Unit, WeatherStation},
    lists::ListQueries,
    search::SearchQueries,
};
use crate::twin::{entity::Variant, model::Model};

/// What can be asked. All fields of one request see the city at one and the same moment.
#[derive(MergedObject, Default)]
pub struct Query(Lookups, ListQueries, SearchQueries, DashboardQueries, CityLiveQueries);

/// One entity by its own id.
#[derive(Default)]
struct Lookups;

/// One entity by its own id, and the city.
#[Object]
impl Lookups {
    /// The city as a whole.
    async fn city(&self, ctx: &Context<'_>) -> Result<City> {
        Ok(City(snapshot(ctx)?))
    }

    /// The district of that id; null where there is none.
    async fn district(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `districtId`.")] id: String,
    ) -> Result<Option<District>> {
        find(ctx, None, &id)
    }

    /// The sensor of that id; null where there is none.
    async fn sensor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `districtId` of its district.")] district_id: String,
        #[graphql(desc = "Its `sensorId`.")] id: String,
    ) -> Result<Option<Sensor>> {
        find(ctx, Some(&district_id), &id)
    }

    /// The building of that id; null where there is none.
    async fn building(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `districtId` of its district.")] district_id: String,
        #[graphql(desc = "Its `buildingId`.")] id: String,
    ) -> Result<Option<Building>> {
        find(ctx, Some(&district_id), &id)
    }

    /// The weather station of that id; null where there is none.
    async fn weather_station(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `districtId` of its district.")] district_id: String,
        #[graphql(desc = "Its `stationId`.")] id: String,
    ) -> Result<Option<WeatherStation>> {
        find(ctx, Some(&district_id), &id)
    }

    /// The node of the road graph of that id; null where there is none.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its `nodeId`.")] id: String) -> Result<Option<RoadNode>> {
        find(ctx, None, &id)
    }

    /// The edge of the road graph of that id; null where there is none.
    async fn edge(&self, ctx: &Context<'_>, #[graphql(desc = "Its `edgeId`.")] id: String) -> Result<Option<RoadEdge>> {
        find(ctx, None, &id)
    }

    /// The bus of that id; null where there is none.
    async fn bus(&self, ctx: &Context<'_>, #[graphql(desc = "Its `busId`.")] id: String) -> Result<Option<Bus>> {
        find(ctx, None, &id)
    }

    /// The station of public transport of that id; null where there is none.
    async fn station(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `stationId`.")] id: String,
    ) -> Result<Option<Station>> {
        find(ctx, None, &id)
    }

    /// The incident of that id; null where there is none.
    async fn incident(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `incidentId`.")] id: String,
    ) -> Result<Option<Incident>> {
        find(ctx, None, &id)
    }

    /// The emergency unit of that id; null where there is none.
    async fn unit(&self, ctx: &Context<'_>, #[graphql(desc = "Its `unitId`.")] id: String) -> Result<Option<Unit>> {
        find(ctx, None, &id)
    }
}

fn find<N: Listed>(ctx: &Context<'_>, district: Option<&str>, id: &str) -> Result<Option<N>> {
    let snapshot = snapshot(ctx)?;
    let item = snapshot.find(N::Model::KIND, district, id).and_then(N::Model::unwrap).cloned();
    Ok(item.map(|item: Arc<_>| N::new(snapshot, item)))
}
