//! The cities and their zones: `CITIES_FILE`, or the ones that come with the program (`cities/`).
//!
//! The format is told in `cities/cities.toml` and in `docs/city-live-feeds.md`. Everything is checked when the file is read,
//! so that nobody downstream meets a zone without a place or a ring that crosses itself.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::twin::geo::Position;

mod error;
mod geojson;
mod read;
mod shape;
#[cfg(test)]
mod tests;

pub use error::CatalogueError;

/// How far around its centre a zone without a shape goes, in metres.
const REACH_M: f64 = 3000.0;

/// The file that comes with the program, and the files beside it that it names.
const SHIPPED: (&str, &str) = ("cities.toml", include_str!("cities/cities.toml"));
const SHIPPED_BESIDE: [(&str, &str); 1] = [("nyc.geojson", include_str!("cities/nyc.geojson"))];

/// All cities that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// In the order of the file; ids are unique.
    pub cities: Vec<LiveCity>,
}

impl Catalogue {
    /// The catalogue in this file (`CITIES_FILE`); `None`: the one that comes with the program.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its city, zone and field.
    pub fn load(file: Option<&Path>) -> Result<Self, CatalogueError> {
        let Some(file) = file else { return Self::shipped() };
        let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
        let name = file.display().to_string();
        let catalogue = text(file).map_err(|reason| CatalogueError::file(&name, reason))?;
        let beside = |name: &str| text(&file.with_file_name(name));
        read::catalogue(&name, &catalogue, &beside)
    }

    /// The catalogue that comes with the program: New York (`nyc`) and L'Aquila (`laquila`).
    ///
    /// # Errors
    /// None, as a test checks.
    pub fn shipped() -> Result<Self, CatalogueError> {
        let beside = |name: &str| {
            let found = SHIPPED_BESIDE.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "there is no such file".to_owned())
        };
        read::catalogue(SHIPPED.0, SHIPPED.1, &beside)
    }

    /// The city with this id.
    pub fn city(&self, id: &str) -> Option<&LiveCity> {
        self.cities.iter().find(|city| city.id == id)
    }
}

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

impl LiveCity {
    /// The zone with this id.
    pub fn zone(&self, id: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id)
    }

    /// The zone whose shape holds this position; where shapes overlap, the first. Zones of which only the centre is known
    /// have what is nearest to them, and no other shape's, up to 3 km.
    pub fn zone_at(&self, position: Position) -> Option<&Zone> {
        let within = self.zones.iter().find(|zone| zone.shape.iter().any(|polygon| polygon.contains(position)));
        within.or_else(|| {
            let points = self.zones.iter().filter(|zone| zone.shape.is_empty());
            let near =
                points.map(|zone| (zone.centre.distance(position), zone)).filter(|(metres, _)| *metres <= REACH_M);
            near.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, zone)| zone)
        })
    }

    /// The city with a region of the power grid and a data set of calls where it has none: simulated APIs know every city, and the
    /// demo shows the twin's own one whole.
    pub fn made_whole(mut self) -> Self {
        self.eia_region.get_or_insert_with(|| format!("SIM-{}", self.id.to_uppercase()));
        self.calls311.get_or_insert_with(|| Calls311 { dataset: format!("simulated-{}", self.id) });
        self
    }

    /// The city's clock. UTC where the name is none of the time zone database, which reading the catalogue refuses.
    pub fn clock(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
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
