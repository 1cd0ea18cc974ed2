//! The one filter that all lists and subscriptions take.

use std::collections::HashSet;

use async_graphql::{InputObject, InputType, Result};

use super::{enums::EntityKind, error::bad_input, scalar::DateTime};
use crate::twin::{
    geo::{BoundingBox, Position},
    json::cut,
    model::{BusStatus, Congestion, IncidentStatus, Kind, SensorStatus, UnitStatus, Word},
    read::is_id,
    selection::{Circle, Selection},
};

/// Which entities. Each field narrows the choice, an absent one does not, and an empty list matches nothing.
#[derive(InputObject, Clone, Debug, Default, PartialEq)]
pub struct EntityFilter {
    /// Only these kinds. In a list of one kind it must name that kind, be empty, or be absent.
    pub kinds: Option<Vec<EntityKind>>,
    /// Only what belongs to these districts, by their `districtId`. Buses, stations, incidents and units belong to none.
    pub districts: Option<Vec<String>>,
    /// Only these values of `type`, as `state.full` has them; an edge's is its `class`. Districts, weather stations,
    /// buses and stations have none.
    pub types: Option<Vec<String>>,
    /// Only these values of `status`, as `state.full` has them (`in_service`, not `IN_SERVICE`); an edge's is its
    /// `congestionLevel`. Districts, buildings, nodes and stations have none.
    pub statuses: Option<Vec<String>>,
    /// Only what lies in this box, its edges included. A road edge is in where its geometry crosses; what has no
    /// position is in no box.
    #[graphql(name = "box")]
    pub area: Option<BoxInput>,
    /// Only what is at most so far from a point. A road edge counts by the nearest point of its geometry.
    pub near: Option<NearInput>,
    /// Only what has a `lastUpdated` at or after this.
    pub updated_since: Option<DateTime>,
}

/// A box of WGS84 degrees, its edges included. `west` greater than `east` crosses the 180th meridian.
#[derive(InputObject, Clone, Copy, Debug, PartialEq)]
pub struct BoxInput {
    /// The northern edge: degrees north, in [-90, 90].
    pub north: f64,
    /// The southern edge: degrees north, in [-90, 90], at most `north`.
    pub south: f64,
    /// The eastern edge: degrees east, in [-180, 180].
    pub east: f64,
    /// The western edge: degrees east, in [-180, 180].
    pub west: f64,
}

/// All points within a distance of one.
#[derive(InputObject, Clone, Copy, Debug, PartialEq)]
pub struct NearInput {
    /// Degrees north, in [-90, 90].
    pub latitude: f64,
    /// Degrees east, in [-180, 180].
    pub longitude: f64,
    /// The distance in metres, above 0.
    pub radius: f64,
}

impl EntityFilter {
    /// The choice that it makes.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, naming the field, its value and what is accepted.
    pub fn selection(&self) -> Result<Selection> {
        if let Some(id) = self.districts.iter().flatten().find(|id| !is_id(id)) {
            return Err(bad_id("filter.districts", id));
        }
        if let Some(status) = self.statuses.iter().flatten().find(|status| !is_status(status)) {
            return Err(bad_input("filter.statuses", format!("{status:?}"), &statuses_accepted()));
        }
        Ok(Selection {
            kinds: self.kinds.as_ref().map(|kinds| kinds.iter().map(|kind| Kind::from(*kind)).collect()),
            districts: self.districts.as_ref().map(|ids| ids.iter().cloned().collect()),
            types: self.types.as_ref().map(|types| types.iter().cloned().collect()),
            statuses: self.statuses.as_ref().map(|statuses| statuses.iter().cloned().collect()),
            area: self.area.as_ref().map(BoxInput::area).transpose()?,
            near: self.near.as_ref().map(|near| near.circle("filter.near")).transpose()?,
            updated_since: self.updated_since.map(|since| since.0),
        })
    }

    /// The choice that it makes in a list of one kind.
    pub(super) fn selection_of(&self, kind: Kind) -> Result<Selection> {
        let mut selection = self.selection()?;
        if let Some(kinds) = &selection.kinds
            && !kinds.is_empty()
        {
            if !kinds.contains(&kind) {
                let (given, own) = (self.kinds.to_value(), EntityKind::from(kind).to_value());
                let accepted = format!("absent, empty, or a list with {own}, in this list");
                return Err(bad_input("filter.kinds", given, &accepted));
            }
            // All that is asked are of this kind.
            selection.kinds = None;
        }
        Ok(selection)
    }
}

impl BoxInput {
    fn area(&self) -> Result<BoundingBox> {
        latitude("filter.box.north", self.north)?;
        latitude("filter.box.south", self.south)?;
        longitude("filter.box.east", self.east)?;
        longitude("filter.box.west", self.west)?;
        if self.south > self.north {
            return Err(bad_input(
                "filter.box.south",
                self.south,
                &format!("at most filter.box.north, {}", self.north),
            ));
        }
        Ok(BoundingBox { north: self.north, south: self.south, east: self.east, west: self.west })
    }
}

impl NearInput {
    /// The circle, its fields named in errors by what they are in.
    pub(super) fn circle(&self, within: &str) -> Result<Circle> {
        let name = |field: &str| if within.is_empty() { field.to_owned() } else { format!("{within}.{field}") };
        latitude(&name("latitude"), self.latitude)?;
        longitude(&name("longitude"), self.longitude)?;
        if !(self.radius.is_finite() && self.radius > 0.0) {
            return Err(bad_input(&name("radius"), self.radius, "a number of metres above 0"));
        }
        let center = Position { latitude: self.latitude, longitude: self.longitude };
        Ok(Circle { center, radius: self.radius })
    }
}

fn latitude(field: &str, value: f64) -> Result<()> {
    if (-90.0..=90.0).contains(&value) { Ok(()) } else { Err(bad_input(field, value, "degrees north, in [-90, 90]")) }
}

fn longitude(field: &str, value: f64) -> Result<()> {
    if (-180.0..=180.0).contains(&value) {
        Ok(())
    } else {
        Err(bad_input(field, value, "degrees east, in [-180, 180]"))
    }
}

/// The error for what can be no id.
pub(super) fn bad_id(field: &str, id: &str) -> async_graphql::Error {
    bad_input(field, format!("{:?}", cut(id, 80)), "an id: a string of 1 to 256 bytes without control characters")
}

fn is_status(word: &str) -> bool {
    SensorStatus::parse(word).is_some()
        || BusStatus::parse(word).is_some()
        || IncidentStatus::parse(word).is_some()
        || UnitStatus::parse(word).is_some()
        || Congestion::parse(word).is_some()
}

fn statuses_accepted() -> String {
    let words = [
        SensorStatus::ACCEPTED,
        BusStatus::ACCEPTED,
        IncidentStatus::ACCEPTED,
        UnitStatus::ACCEPTED,
        Congestion::ACCEPTED,
    ];
    let mut seen = HashSet::new();
    let each = words.iter().flat_map(|accepted| accepted.trim_start_matches("one of ").split(' '));
    let unique: Vec<_> = each.filter(|word| seen.insert(*word)).collect();
    format!("of {}", unique.join(", "))
}
