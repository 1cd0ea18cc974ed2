//! What of a city one client is shown as single entities.

use super::{cells::is_counted, index::Area};
use crate::twin::{entity::Entity, model::Kind, selection::Selection};

/// How a client is shown what was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Each entity by itself.
    Entities,
    /// Points and movers by the cells of a grid, roads by themselves.
    Cells,
}

/// A selection, and how it is shown.
#[derive(Clone, Debug)]
pub struct Lens {
    pub selection: Selection,
    /// The level of the cells that may stand for entities; `None` where they may not.
    pub level: Option<u8>,
    /// Where what it shows can be, by single entities and by cells.
    pub area: Area,
    pub mode: Mode,
    /// Among cells: roads of a class less important than this are left out.
    pub roads: Importance,
}

impl Lens {
    pub fn new(selection: Selection, level: Option<u8>) -> Self {
        let area = Area::of(&selection, level);
        Self { selection, level, area, mode: Mode::Entities, roads: Importance::LEAST }
    }

    /// Looks at something else in the same way.
    pub fn turn(&mut self, selection: Selection, level: Option<u8>) {
        self.area = Area::of(&selection, level);
        (self.selection, self.level) = (selection, level);
    }

    /// Whether an entity is to be shown by itself.
    pub fn shows(&self, entity: &Entity) -> bool {
        self.shows_singly(entity) && self.selection.matches(entity)
    }

    /// The same of one that was selected.
    pub fn shows_singly(&self, entity: &Entity) -> bool {
        match self.mode {
            Mode::Entities => true,
            Mode::Cells => !is_counted(entity.kind()) && Importance::of(entity) <= self.roads,
        }
    }

    /// Whether an entity is one of the points and movers that were selected.
    pub fn counts(&self, entity: &Entity) -> bool {
        is_counted(entity.kind()) && self.selection.matches(entity)
    }

    /// The kinds that it can show, so that a look at everything need not look at all others.
    pub fn kinds(&self) -> Vec<Kind> {
        let wanted = |kind: &Kind| self.selection.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
        Kind::ALL.into_iter().filter(wanted).collect()
    }
}

/// How important a road is by its class, the smallest the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Importance(usize);

/// The classes of OpenStreetMap's `highway`, the most important ones first; their `_link`s are as they are.
const CLASSES: [&[&str]; 8] = [
    &["motorway"],
    &["trunk"],
    &["primary"],
    &["secondary"],
    &["tertiary"],
    &["unclassified", "residential", "road"],
    &["living_street", "pedestrian", "busway"],
    &["service"],
];

impl Importance {
    /// What everything else is, too: tracks, paths, and what has no class.
    pub const LEAST: Self = Self(CLASSES.len());

    /// A road's; what is no road is never left out.
    pub fn of(entity: &Entity) -> Self {
        let Entity::Edge(edge) = entity else { return Self(0) };
        let class = edge.road.class.as_deref().unwrap_or_default();
        let class = class.strip_suffix("_link").unwrap_or(class);
        CLASSES.iter().position(|classes| classes.contains(&class)).map_or(Self::LEAST, Self)
    }

    /// The least important one with which so many roads at most are left; the most important roads stay however many.
    pub fn limit<'a>(roads: impl Iterator<Item = &'a Entity>, most: usize) -> Self {
        let mut counts = [0; CLASSES.len() + 1];
        roads.for_each(|road| counts[Self::of(road).0] += 1);
        let mut sum = 0;
        let fits = counts.iter().take_while(|count| {
            sum += **count;
            sum <= most
        });
        let first = counts.iter().position(|count| *count > 0).unwrap_or(CLASSES.len());
        Self(fits.count().saturating_sub(1).max(first))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::twin::{city::City, snapshot::CityFile};

    #[test]
    fn the_least_important_roads_are_left_out_first() {
        let classes = ["motorway", "motorway_link", "primary", "residential", "residential", "service", "path"];
        let edge = |(n, class): (usize, &&str)| json!({"edgeId": format!("e{n}"), "class": class});
        let edges: Vec<_> = classes.iter().enumerate().map(edge).collect();
        let file =
            json!({"cityId": "c", "districts": [{"districtId": "d", "cityGraph": {"nodes": [], "edges": edges}}]});
        let mut city = City::new("c", "C", None);
        city.import(CityFile::parse(&file.to_string()).expect("a right file"));
        let roads = || city.view().entities(&[Kind::Edge]);
        let left = |most| {
            let limit = Importance::limit(roads(), most);
            roads().filter(|road| Importance::of(road) <= limit).count()
        };
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 9].map(left), [2, 2, 2, 3, 3, 5, 6, 7, 7]);
    }
}
