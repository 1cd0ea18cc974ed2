//! What a reader looks at: kinds, districts, types, statuses, a box, a circle, recent changes.

use std::collections::HashSet;

use super::{
    entity::Entity,
    geo::{BoundingBox, Position},
    model::Kind,
    time::Time,
};

/// A choice of entities. What is `None` chooses everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    pub kinds: Option<HashSet<Kind>>,
    /// Ids of districts; what belongs to none is in none.
    pub districts: Option<HashSet<String>>,
    /// `type` of `state.full`; an edge's is its `class`.
    pub types: Option<HashSet<String>>,
    /// `status` of `state.full`; an edge's is its `congestionLevel`.
    pub statuses: Option<HashSet<String>>,
    /// An edge is in where its geometry crosses; what has no position is in no box.
    pub area: Option<BoundingBox>,
    pub near: Option<Circle>,
    /// Only what has a `lastUpdated` at or after this.
    pub updated_since: Option<Time>,
}

/// All points within a distance of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    pub center: Position,
    /// Metres.
    pub radius: f64,
}

impl Selection {
    /// Whether an entity is chosen.
    pub fn matches(&self, entity: &Entity) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&entity.kind()))
            && self.districts.as_ref().is_none_or(|ids| entity.district().is_some_and(|id| ids.contains(id)))
            && self.types.as_ref().is_none_or(|types| entity.type_text().is_some_and(|text| types.contains(text)))
            && self.statuses.as_ref().is_none_or(|set| entity.status_text().is_some_and(|text| set.contains(text)))
            && self.updated_since.is_none_or(|since| entity.last_updated().is_some_and(|last| last >= since))
            && self.area.as_ref().is_none_or(|area| in_box(entity, area))
            && self.near.as_ref().is_none_or(|circle| distance(entity, circle.center) <= circle.radius)
    }
}

fn in_box(entity: &Entity, area: &BoundingBox) -> bool {
    match (entity.line(), entity.position()) {
        (Some(line), _) => area.crosses(line),
        (None, Some(position)) => area.contains(position),
        (None, None) => false,
    }
}

/// Metres from a point to an entity: to the nearest point of a line. Infinite where it has no position.
pub fn distance(entity: &Entity, from: Position) -> f64 {
    match (entity.line(), entity.position()) {
        (Some(line), _) => from.distance_to_line(line),
        (None, Some(position)) => from.distance(position),
        (None, None) => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests;
