//! Positions and areas as GraphQL gives them.

use async_graphql::SimpleObject;

use crate::twin::{
    geo::{BoundingBox, Position},
    model::Area,
};

/// A point in WGS84 degrees.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct Location {
    /// Degrees north, in [-90, 90].
    pub latitude: f64,
    /// Degrees east, in [-180, 180].
    pub longitude: f64,
}

impl From<Position> for Location {
    fn from(position: Position) -> Self {
        Self { latitude: position.latitude, longitude: position.longitude }
    }
}

/// A box of WGS84 degrees, its edges included. `west` greater than `east` crosses the 180th meridian.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct Boundaries {
    /// The northern edge: degrees north.
    pub north: f64,
    /// The southern edge: degrees north.
    pub south: f64,
    /// The eastern edge: degrees east.
    pub east: f64,
    /// The western edge: degrees east.
    pub west: f64,
}

impl From<BoundingBox> for Boundaries {
    fn from(area: BoundingBox) -> Self {
        Self { north: area.north, south: area.south, east: area.east, west: area.west }
    }
}

/// Where a district lies.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct DistrictLocation {
    /// The centre: degrees north.
    pub center_latitude: f64,
    /// The centre: degrees east.
    pub center_longitude: f64,
    /// The box that holds the district; null where the city file has none.
    pub boundaries: Option<Boundaries>,
}

impl From<&Area> for DistrictLocation {
    fn from(area: &Area) -> Self {
        Self {
            center_latitude: area.center.latitude,
            center_longitude: area.center.longitude,
            boundaries: area.boundaries.map(Boundaries::from),
        }
    }
}
