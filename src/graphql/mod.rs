//! GraphQL: what the city looks like to those who ask. Types, queries, mutations and subscriptions, one file per topic.
//!
//! The schema is made by [`schema_builder`] and needs no state; [`sdl`] writes it. Every answer sees one moment of the
//! city (a [`Snapshot`]), whatever is folded meanwhile.

// async-graphql takes only `async fn` as resolvers, whether they wait for something or not.
#![allow(clippy::unused_async)]

pub mod caller;
mod city_live;
mod connection;
mod context;
mod cursor;
mod dashboard;
mod entity;
mod enums;
mod error;
mod express;
mod filter;
mod lists;
mod mutation;
mod place;
mod query;
mod scalar;
mod schema;
mod search;
mod snapshot;
pub mod subscription;

pub use connection::{Connection, Listed};
pub use context::{Document, at_one_moment};
pub use entity::{
    Building, Bus, City, District, Incident, RoadEdge, RoadNode, Sensor, Station, TwinEntity, Unit, WeatherStation,
    entity_object,
};
pub use enums::EntityKind;
pub use error::{bad_input, coded};
pub use express::{Envelope, Express, Passed};
pub use filter::EntityFilter;
pub use mutation::Mutation;
pub use query::Query;
pub use scalar::{DateTime, Json, write_json};
pub use schema::{schema_builder, sdl};
pub use snapshot::Snapshot;
pub use subscription::Subscription;

#[cfg(test)]
mod tests;
