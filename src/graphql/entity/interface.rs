//! What is true of every entity.

use std::sync::Arc;

use async_graphql::{ID, Interface};

use super::{Building, Bus, District, Incident, RoadEdge, RoadNode, Sensor, Station, Unit, WeatherStation};
use crate::{
    graphql::{enums::EntityKind, scalar::DateTime, snapshot::Snapshot},
    twin::{entity::Entity, view::View},
};

/// An entity of any kind. Its other fields are in the type of its kind: `... on Bus { currentLocation { latitude } }`.
#[derive(Interface, Clone, Debug)]
#[graphql(
    name = "Entity",
    field(
        name = "id",
        ty = "ID",
        desc = "Unique over all kinds: `sensor/<district>/<id>`, `bus/<id>`, with its parts percent-encoded."
    ),
    field(name = "kind", ty = "EntityKind", desc = "What kind of entity it is."),
    field(
        name = "last_updated",
        ty = "Option<DateTime>",
        desc = "The time of the last event that it took; null before the first, and for districts and nodes."
    )
)]
pub enum TwinEntity {
    /// A part of the city.
    District(District),
    /// Something that measures one value.
    Sensor(Sensor),
    /// A building.
    Building(Building),
    /// A weather station.
    WeatherStation(WeatherStation),
    /// A node of the road graph.
    RoadNode(RoadNode),
    /// An edge of the road graph.
    RoadEdge(RoadEdge),
    /// A vehicle of public transport.
    Bus(Bus),
    /// A stop of public transport.
    Station(Station),
    /// Something that emergency services handle.
    Incident(Incident),
    /// A vehicle or crew of the emergency services.
    Unit(Unit),
}

impl TwinEntity {
    /// An entity and the city around it at that moment.
    pub fn of(snapshot: Snapshot, entity: &Entity) -> Self {
        match entity {
            Entity::District(item) => Self::District(District::new(snapshot, Arc::clone(item))),
            Entity::Sensor(item) => Self::Sensor(Sensor::new(snapshot, Arc::clone(item))),
            Entity::Building(item) => Self::Building(Building::new(snapshot, Arc::clone(item))),
            Entity::WeatherStation(item) => Self::WeatherStation(WeatherStation::new(snapshot, Arc::clone(item))),
            Entity::Node(item) => Self::RoadNode(RoadNode::new(snapshot, Arc::clone(item))),
            Entity::Edge(item) => Self::RoadEdge(RoadEdge::new(snapshot, Arc::clone(item))),
            Entity::Bus(item) => Self::Bus(Bus::new(snapshot, Arc::clone(item))),
            Entity::Station(item) => Self::Station(Station::new(snapshot, Arc::clone(item))),
            Entity::Incident(item) => Self::Incident(Incident::new(snapshot, Arc::clone(item))),
            Entity::Unit(item) => Self::Unit(Unit::new(snapshot, Arc::clone(item))),
        }
    }
}

/// An entity as GraphQL gives it, with the city around it as `view` has it.
pub fn entity_object(view: Arc<View>, entity: &Entity) -> TwinEntity {
    TwinEntity::of(Snapshot::from(view), entity)
}
