//! Subscriptions of one kind of entities.

use std::collections::HashSet;

use async_graphql::{Context, Result, Subscription};
use futures_util::Stream;

use super::{
    batch::{ChangeBatch, Followed},
    item::Item,
    start::follow,
};
use crate::{
    graphql::{
        connection::Listed,
        entity::{Building, Bus, District, Incident, RoadEdge, RoadNode, Sensor, Station, Unit, WeatherStation},
        filter::EntityFilter,
    },
    twin::{model::Model, selection::Selection},
};

/// Subscriptions of one kind of entities.
#[derive(Default)]
pub struct KindSubscriptions;

macro_rules! kinds {
    ($( $(#[$($doc:tt)*])* $field:ident: $node:ident, )+) => {
        /// One kind of entities each.
        #[Subscription]
        impl KindSubscriptions {
            $(
                $(#[$($doc)*])*
                ///
                /// First come batches with all that is chosen as `ENTERED` (`snapshot`), then, whenever something changes,
                /// a batch of what changed, at most once per `minIntervalMs`. Nothing is missed between the snapshot and
                /// the changes, nor later: after each batch with `complete` the subscriber has exactly what the city holds
                /// at that moment and the filter chooses. Who reads slowly gets fewer, later, merged batches, never a
                /// stale last value.
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "Which of them; all where it is absent.")] filter: Option<EntityFilter>,
                    #[graphql(
                        desc = "At least so many milliseconds lie between two batches, in [0, 60000]; 0, and where it is \
                            absent or null, as soon as something changes. What changes meanwhile is merged."
                    )]
                    min_interval_ms: Option<i32>,
                ) -> Result<impl Stream<Item = Item<ChangeBatch<$node>>> + use<>> {
                    follow(ctx, selection::<$node>(filter.as_ref())?, min_interval_ms)
                }
            )+
        }
    };
}

kinds! {
    /// Follows districts: their own fields, not what is in them.
    district_changes: District,
    /// Follows sensors.
    sensor_changes: Sensor,
    /// Follows buildings.
    building_changes: Building,
    /// Follows weather stations.
    weather_station_changes: WeatherStation,
    /// Follows nodes of the road graph.
    node_changes: RoadNode,
    /// Follows edges of the road graph, with their traffic.
    edge_changes: RoadEdge,
    /// Follows buses.
    bus_changes: Bus,
    /// Follows stations of public transport, with their arrivals.
    station_changes: Station,
    /// Follows incidents. A resolved one leaves when its time of retention is over.
    incident_changes: Incident,
    /// Follows units of the emergency services.
    unit_changes: Unit,
}

fn selection<N: Listed + Followed>(filter: Option<&EntityFilter>) -> Result<Selection> {
    let kind = N::Model::KIND;
    let chosen = filter.map(|filter| filter.selection_of(kind)).transpose()?.unwrap_or_default();
    // No kinds at all are none to follow.
    let kinds = chosen.kinds.clone().unwrap_or_else(|| HashSet::from([kind]));
    Ok(Selection { kinds: Some(kinds), ..chosen })
}
