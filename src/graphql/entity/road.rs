//! The road graph: its nodes, and its edges with their traffic.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    District,
    wrapper::{entity_type, id_of, int},
};
use crate::{
    graphql::{
        enums::{CongestionLevel, EntityKind},
        place::Location,
        scalar::{DateTime, Json},
        snapshot::Snapshot,
    },
    twin::{
        entity::{Handle, Item, Variant},
        model,
    },
};

/// What a list of the edges at one node counts as: nodes of a street network seldom have more of them.
const DEGREE: usize = 8;

entity_type!(
    /// A node of the road graph: where roads begin, end or meet.
    RoadNode,
    model::Node
);

/// A node of the road graph: where roads begin, end or meet.
#[Object]
impl RoadNode {
    /// `node/<nodeId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `NODE`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Node
    }

    /// Always null: no event speaks of a node.
    pub async fn last_updated(&self) -> Option<DateTime> {
        None
    }

    /// Its id, unique in the city.
    async fn node_id(&self) -> &str {
        &self.item.id
    }

    /// The `districtId` of its district.
    async fn district_id(&self) -> &str {
        &self.item.district
    }

    /// What it is, open text: `intersection`, `detector` and so on.
    #[graphql(name = "type")]
    async fn node_type(&self) -> Option<&str> {
        self.item.kind.as_deref()
    }

    /// Where it is.
    async fn location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// Its district.
    async fn district(&self) -> Option<District> {
        District::find(&self.snapshot, &self.item.district)
    }

    /// The edges that begin here, of all districts.
    #[graphql(complexity = "1 + DEGREE * child_complexity")]
    async fn outgoing_edges(&self) -> Vec<RoadEdge> {
        edges(&self.snapshot, self.snapshot.edges_from(&self.item.id))
    }

    /// The edges that end here, of all districts.
    #[graphql(complexity = "1 + DEGREE * child_complexity")]
    async fn incoming_edges(&self) -> Vec<RoadEdge> {
        edges(&self.snapshot, self.snapshot.edges_to(&self.item.id))
    }
}

fn edges(snapshot: &Snapshot, handles: &[Handle]) -> Vec<RoadEdge> {
    let items = handles.iter().filter_map(|handle| snapshot.get::<model::Edge>(*handle));
    items.map(|item| RoadEdge::new(snapshot.clone(), Arc::clone(item))).collect()
}

entity_type!(
    /// An edge of the road graph: a road in one direction, with its traffic.
    RoadEdge,
    model::Edge
);

/// An edge of the road graph: a road in one direction, with its traffic.
#[Object]
impl RoadEdge {
    /// `edge/<edgeId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `EDGE`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Edge
    }

    /// Its id, unique in the city.
    async fn edge_id(&self) -> &str {
        &self.item.road.id
    }

    /// The `districtId` of its district.
    async fn district_id(&self) -> &str {
        &self.item.road.district
    }

    /// The road segment that it is part of.
    async fn road_segment_id(&self) -> Option<&str> {
        self.item.road.segment.as_deref()
    }

    /// The `nodeId` of the node where it begins.
    async fn from_node(&self) -> Option<&str> {
        self.item.road.from.as_deref()
    }

    /// The `nodeId` of the node where it ends.
    async fn to_node(&self) -> Option<&str> {
        self.item.road.to.as_deref()
    }

    /// The name of the road.
    async fn name(&self) -> Option<&str> {
        self.item.road.name.as_deref()
    }

    /// The class of the road, open text: `motorway`, `residential` and so on. `filter.types` chooses by it.
    async fn class(&self) -> Option<&str> {
        self.item.road.class.as_deref()
    }

    /// Its length in metres.
    async fn length(&self) -> Option<f64> {
        self.item.road.length
    }

    /// Its speed limit in km/h.
    async fn speed_limit(&self) -> Option<f64> {
        self.item.road.speed_limit
    }

    /// How many lanes it has.
    async fn lanes(&self) -> Option<i32> {
        int(self.item.road.lanes)
    }

    /// How its traffic flows; null before its first message.
    async fn traffic_conditions(&self) -> Option<TrafficConditions> {
        self.item.traffic.is_some().then(|| TrafficConditions(Arc::clone(&self.item)))
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// Its geometry as the city file has it: GeoJSON, its positions as longitude and latitude in degrees.
    async fn geometry(&self) -> Option<Json> {
        self.item.road.geometry.as_ref().map(Json::from)
    }

    /// The positions of a `LineString` in `geometry`, each as longitude and latitude in degrees (the order of GeoJSON),
    /// without heights; empty where the geometry is none.
    async fn coordinates(&self) -> Vec<[f64; 2]> {
        self.item.road.line.iter().map(|position| [position.longitude, position.latitude]).collect()
    }

    /// Its district.
    async fn district(&self) -> Option<District> {
        District::find(&self.snapshot, &self.item.road.district)
    }

    /// The node where it begins, where the city has it.
    async fn from(&self) -> Option<RoadNode> {
        self.node(self.item.road.from.as_deref()?)
    }

    /// The node where it ends, where the city has it.
    async fn to(&self) -> Option<RoadNode> {
        self.node(self.item.road.to.as_deref()?)
    }
}

impl RoadEdge {
    /// A node, looked for in the edge's own district first: most are there.
    fn node(&self, id: &str) -> Option<RoadNode> {
        let found = self.snapshot.find(model::Kind::Node, Some(&self.item.road.district), id);
        let item = model::Node::unwrap(found.or_else(|| self.snapshot.find(model::Kind::Node, None, id))?)?;
        Some(RoadNode::new(self.snapshot.clone(), Arc::clone(item)))
    }
}

/// How the traffic flows on an edge.
pub struct TrafficConditions(Arc<Item<model::Edge>>);

/// How the traffic flows on an edge, as its last message says; each value is null where that had none.
#[Object]
impl TrafficConditions {
    /// The mean speed in km/h.
    async fn average_speed(&self) -> Option<f64> {
        self.held()?.average_speed.flatten()
    }

    /// How congested it is.
    async fn congestion_level(&self) -> Option<CongestionLevel> {
        self.held()?.congestion_level.flatten().map(CongestionLevel::from)
    }

    /// How many vehicles are on it.
    async fn vehicle_count(&self) -> Option<i32> {
        int(self.held()?.vehicle_count.flatten())
    }

    /// How long it takes to drive along it, in seconds.
    async fn travel_time(&self) -> Option<f64> {
        self.held()?.travel_time.flatten()
    }

    /// What the message says of incidents on it, a list.
    async fn incidents(&self) -> Option<Json> {
        self.held()?.incidents.as_ref()?.as_ref().map(Json::from)
    }

    /// What else the message had, an object; null where it had nothing else.
    async fn extra(&self) -> Option<Json> {
        self.held()?.extra.as_ref().map(Json::from)
    }
}

impl TrafficConditions {
    fn held(&self) -> Option<&model::TrafficConditions> {
        self.0.traffic.as_ref()
    }
}
