//! The city at one moment, as all fields of one answer see it.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use compact_str::CompactString;

use crate::twin::{
    entity::{Entity, Handle, Item},
    geo::Position,
    model::{self, Kind},
    view::View,
};

/// A view and what was looked up in it; any number of clones.
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    view: Arc<View>,
    /// Made when an answer first asks which edges meet at a node.
    roads: OnceLock<Roads>,
    /// Sensors by the building that they name, with its district. Made when first asked for.
    installed: OnceLock<HashMap<(CompactString, CompactString), Vec<Handle>>>,
}

/// Edges by the ids of their nodes, in the order of their ids within each district.
#[derive(Debug, Default)]
struct Roads {
    from: HashMap<CompactString, Vec<Handle>>,
    to: HashMap<CompactString, Vec<Handle>>,
}

impl From<Arc<View>> for Snapshot {
    fn from(view: Arc<View>) -> Self {
        Self(Arc::new(Inner { view, roads: OnceLock::new(), installed: OnceLock::new() }))
    }
}

impl Deref for Snapshot {
    type Target = View;

    fn deref(&self) -> &View {
        &self.0.view
    }
}

impl Snapshot {
    /// The edges that begin at a node.
    pub fn edges_from(&self, node: &str) -> &[Handle] {
        self.roads().from.get(node).map_or(&[], Vec::as_slice)
    }

    /// The edges that end at a node.
    pub fn edges_to(&self, node: &str) -> &[Handle] {
        self.roads().to.get(node).map_or(&[], Vec::as_slice)
    }

    fn roads(&self) -> &Roads {
        self.0.roads.get_or_init(|| {
            let mut roads = Roads::default();
            for entity in self.entities(&[Kind::Edge]) {
                let Entity::Edge(edge) = entity else { continue };
                if let Some(from) = &edge.road.from {
                    roads.from.entry(from.clone()).or_default().push(edge.handle);
                }
                if let Some(to) = &edge.road.to {
                    roads.to.entry(to.clone()).or_default().push(edge.handle);
                }
            }
            roads
        })
    }

    /// The sensors whose `buildingId` is that building of that district, ordered by id.
    pub fn installed_sensors(&self, district: &CompactString, building: &CompactString) -> &[Handle] {
        let installed = self.0.installed.get_or_init(|| {
            let mut installed: HashMap<_, Vec<Handle>> = HashMap::new();
            for entity in self.entities(&[Kind::Sensor]) {
                let Entity::Sensor(sensor) = entity else { continue };
                if let Some(building) = &sensor.building {
                    installed.entry((sensor.district.clone(), building.clone())).or_default().push(sensor.handle);
                }
            }
            installed
        });
        installed.get(&(district.clone(), building.clone())).map_or(&[], Vec::as_slice)
    }

    /// The district in which a point lies: of those whose boundaries hold it, else of all, the one with the nearest
    /// centre; of equally near ones the first by id. `None` where no district has a location.
    pub fn district_at(&self, position: Position) -> Option<&Arc<Item<model::District>>> {
        let nearest = |within: bool| {
            let placed = self.districts().iter().filter_map(|entry| {
                let district = self.get::<model::District>(entry.handle)?;
                let area = district.area.as_ref()?;
                let holds = area.boundaries.is_some_and(|bounds| bounds.contains(position));
                (holds || !within).then(|| (district, area.center.distance(position)))
            });
            placed.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(district, _)| district)
        };
        nearest(true).or_else(|| nearest(false))
    }
}
