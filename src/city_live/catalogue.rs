//! The cities and their zones.

use crate::twin::geo::Position;

/// One city of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveCity {
    /// `city_id`: `nyc`, `laquila`.
    pub id: String,
    /// For people.
    pub name: String,
    /// An IANA name, such as `America/New_York`: hours of day and the day's peak are counted in it.
    pub time_zone: String,
    /// The respondent code of EIA's `region-data` (`NYIS`), where the city has one.
    pub eia_region: Option<String>,
    /// Where its 311 calls are found, where it has any.
    pub calls311: Option<Calls311>,
    /// In the order of the file; ids are unique in a city.
    pub zones: Vec<Zone>,
}

/// A Socrata data set of 311 calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls311 {
    /// The id of the data set, such as `erm2-nwe9`. Host and scheme are `SOCRATA_URL`.
    pub dataset: String,
}

/// One zone of a city.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// `zone_id`.
    pub id: String,
    /// For people.
    pub name: String,
    /// Where weather, air and traffic are asked for. Of a zone with a shape it lies inside of it.
    pub centre: Position,
    /// Its outer rings and holes; empty where only the centre is known.
    pub shape: Vec<Polygon>,
    /// Ids of the twin's districts that it covers.
    pub districts: Vec<String>,
    /// Its share of the city's power demand, relative to the other zones' (population, floor area; 1 where nobody said).
    pub weight: f64,
}

/// An outer ring and its holes, each a closed ring of positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    /// First position = last.
    pub outer: Vec<Position>,
    /// Each first position = last.
    pub holes: Vec<Vec<Position>>,
}
