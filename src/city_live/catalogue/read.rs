//! Reads `cities.toml`. Each value is looked at by hand, so that an error can name the city, the zone and the field.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use toml::{Table, Value};

use super::{Calls311, Catalogue, CatalogueError, LiveCity, Polygon, Zone, error::Place, geojson, shape};
use crate::twin::geo::Position;

const CITY_FIELDS: [&str; 11] = [
    "id",
    "name",
    "time_zone",
    "eia_region",
    "calls311",
    "zones",
    "zones_file",
    "zone_id",
    "zone_name",
    "zone_weight",
    "zone_districts",
];
const ZONE_FIELDS: [&str; 6] = ["id", "name", "centre", "polygon", "districts", "weight"];

/// What an id is: it stands in Kafka keys (`city/zone`), URLs and documents.
const ID: &str = "1 to 64 of the characters a-z A-Z 0-9 . _ -";
const TEXT: &str = "1 to 200 bytes without control characters";
const CENTRE: &str = "[latitude, longitude] in degrees";
/// What a weight is.
pub const WEIGHT: &str = "a number above 0";

/// Gives the text of a file that stands beside the catalogue.
type Beside<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// The catalogue in this text.
pub fn catalogue(file: &str, text: &str, beside: &Beside<'_>) -> Result<Catalogue, CatalogueError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        CatalogueError::file(file, format!("{place}{}", error.message()))
    })?;
    let place = Place::file(file);
    known(&place, &table, &["cities"])?;
    let cities = tables(&place, &table, "cities")?;
    if cities.is_empty() {
        return Err(place.lacks("cities", "at least one [[cities]]"));
    }
    let cities = cities
        .into_iter()
        .enumerate()
        .map(|(index, table)| city(&place, index, table, beside))
        .collect::<Result<Vec<_>, _>>()?;
    let mut ids = BTreeSet::new();
    match cities.iter().find(|city| !ids.insert(&city.id)) {
        Some(twice) => {
            Err(place.city(quoted(&twice.id)).refuse("id", quoted(&twice.id), "an id that no other city has"))
        }
        None => Ok(Catalogue { cities }),
    }
}

fn city(place: &Place, index: usize, table: &Table, beside: &Beside<'_>) -> Result<LiveCity, CatalogueError> {
    let place = place.city(format!("number {}", index + 1));
    let id = id(&place, &text(&place, table, "id", ID)?)?;
    let place = place.city(quoted(&id));
    known(&place, table, &CITY_FIELDS)?;
    let name = text(&place, table, "name", TEXT)?;
    let time_zone = text(&place, table, "time_zone", "a name of the IANA time zone database, such as Europe/Rome")?;
    if TimeZone::get(&time_zone).is_err() {
        let accepted = "a name of the IANA time zone database, such as Europe/Rome";
        return Err(place.refuse("time_zone", quoted(&time_zone), accepted));
    }
    let code = |field: &str| -> Result<Option<String>, CatalogueError> {
        optional(&place, table, field)?.map(|code| self::id_of(&place, field, &code)).transpose()
    };
    let eia_region = code("eia_region")?;
    let calls311 = code("calls311")?.map(|dataset| Calls311 { dataset });
    let zones = zones(&place, table, beside)?;
    Ok(LiveCity { id, name, time_zone, eia_region, calls311, zones })
}

fn zones(place: &Place, table: &Table, beside: &Beside<'_>) -> Result<Vec<Zone>, CatalogueError> {
    let either = "[[cities.zones]], or zones_file with a GeoJSON file beside this one";
    let zones = match (table.contains_key("zones"), optional(place, table, "zones_file")?) {
        (true, Some(file)) => return Err(place.refuse("zones_file", quoted(&file), format!("one of both: {either}"))),
        (false, None) => return Err(place.lacks("zones", either)),
        (true, None) => {
            let tables = tables(place, table, "zones")?;
            tables.into_iter().enumerate().map(|(index, table)| zone(place, index, table)).collect::<Result<_, _>>()?
        }
        (false, Some(file)) => zones_file(place, table, &file, beside)?,
    };
    let mut ids = BTreeSet::new();
    if zones.is_empty() {
        return Err(place.lacks("zones", "at least one zone"));
    }
    match zones.iter().find(|zone| !ids.insert(&zone.id)) {
        Some(twice) => {
            let accepted = "an id that no other zone of the city has";
            Err(place.zone(quoted(&twice.id)).refuse("id", quoted(&twice.id), accepted))
        }
        None => Ok(zones),
    }
}

fn zones_file(place: &Place, table: &Table, file: &str, beside: &Beside<'_>) -> Result<Vec<Zone>, CatalogueError> {
    // A catalogue names files, it does not reach for others.
    if file.is_empty() || file.contains(['/', '\\']) || file == ".." {
        return Err(place.refuse("zones_file", quoted(file), "the name of a file in the same folder"));
    }
    let (id, name) = (optional(place, table, "zone_id")?, optional(place, table, "zone_name")?);
    let (weight, districts) = (optional(place, table, "zone_weight")?, optional(place, table, "zone_districts")?);
    let names = geojson::Names {
        id: id.as_deref().unwrap_or("id"),
        name: name.as_deref().unwrap_or("name"),
        weight: weight.as_deref(),
        districts: districts.as_deref(),
    };
    let text = beside(file)
        .map_err(|reason| place.refuse("zones_file", quoted(file), format!("a file that can be read ({reason})")))?;
    let within = Place { file: file.to_owned(), ..place.clone() };
    geojson::zones(&within, &text, &names)
}

fn zone(place: &Place, index: usize, table: &Table) -> Result<Zone, CatalogueError> {
    let place = place.zone(format!("number {}", index + 1));
    let id = text(&place, table, "id", ID)?;
    let place = place.zone(quoted(&id));
    known(&place, table, &ZONE_FIELDS)?;
    let name = text(&place, table, "name", TEXT)?;
    let centre = table.get("centre").map(|value| position(&place, "centre", value)).transpose()?;
    let shape = match table.get("polygon") {
        None => Vec::new(),
        Some(value) => {
            let positions =
                value.as_array().ok_or_else(|| place.refuse("polygon", value, "a list of [latitude, longitude]"))?;
            let positions =
                positions.iter().map(|one| position(&place, "polygon", one)).collect::<Result<Vec<_>, _>>()?;
            let outer = shape::ring(positions).map_err(|accepted| place.refuse("polygon", value, accepted))?;
            vec![Polygon { outer, holes: Vec::new() }]
        }
    };
    let weight = table.get("weight").map(|value| number(value).ok_or_else(|| place.refuse("weight", value, WEIGHT)));
    let weight = weight.transpose()?;
    let districts = table.get("districts").map_or(Ok(Vec::new()), |value| {
        let refused = || place.refuse("districts", value, "a list of ids of the twin's districts");
        let ids = value.as_array().ok_or_else(refused)?.iter();
        ids.map(|id| id.as_str().map(str::to_owned).ok_or_else(refused)).collect::<Result<Vec<_>, _>>()
    })?;
    Draft { id, name, centre, shape, districts, weight }.finish(&place)
}

/// A zone whose values were read and not yet judged.
pub struct Draft {
    /// As it was written.
    pub id: String,
    /// As it was written.
    pub name: String,
    /// Where it was given.
    pub centre: Option<Position>,
    /// Rings are closed and whole.
    pub shape: Vec<Polygon>,
    /// As they were written.
    pub districts: Vec<String>,
    /// Where it was given.
    pub weight: Option<f64>,
}

impl Draft {
    /// The zone, if all of it fits.
    pub fn finish(self, place: &Place) -> Result<Zone, CatalogueError> {
        let id = id(place, &self.id)?;
        fits(place, "name", &self.name)?;
        self.districts.iter().try_for_each(|district| fits(place, "districts", district))?;
        let weight = self.weight.unwrap_or(1.0);
        if !(weight.is_finite() && weight > 0.0) {
            return Err(place.refuse("weight", weight, WEIGHT));
        }
        let centre = match (self.centre, self.shape.is_empty()) {
            (None, true) => return Err(place.lacks("centre", format!("{CENTRE}, or a polygon"))),
            (None, false) => shape::inside(&self.shape).ok_or_else(|| {
                place.lacks("centre", format!("{CENTRE}, since none can be found in a shape this thin"))
            })?,
            (Some(centre), without_shape) => {
                if !without_shape && !self.shape.iter().any(|polygon| polygon.contains(centre)) {
                    let value = format!("[{}, {}]", centre.latitude, centre.longitude);
                    return Err(place.refuse("centre", value, "a position inside the zone's polygon"));
                }
                centre
            }
        };
        Ok(Zone { id, name: self.name, centre, shape: self.shape, districts: self.districts, weight })
    }
}

/// Whether there is such a place.
pub fn on_earth(position: Position) -> bool {
    (-90.0..=90.0).contains(&position.latitude) && (-180.0..=180.0).contains(&position.longitude)
}

/// A text as it stands in a message.
pub fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn position(place: &Place, field: &str, value: &Value) -> Result<Position, CatalogueError> {
    let pair = value.as_array().and_then(|pair| match pair.as_slice() {
        [latitude, longitude] => Some(Position { latitude: number(latitude)?, longitude: number(longitude)? }),
        _ => None,
    });
    pair.filter(|position| on_earth(*position)).ok_or_else(|| place.refuse(field, value, CENTRE))
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

fn id(place: &Place, text: &str) -> Result<String, CatalogueError> {
    id_of(place, "id", text)
}

fn id_of(place: &Place, field: &str, text: &str) -> Result<String, CatalogueError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = (1..=64).contains(&text.len()) && text.bytes().all(fits);
    good.then(|| text.to_owned()).ok_or_else(|| place.refuse(field, quoted(text), ID))
}

fn fits(place: &Place, field: &str, text: &str) -> Result<(), CatalogueError> {
    let good = (1..=200).contains(&text.len()) && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(place.refuse(field, quoted(text), TEXT)) }
}

/// A text that has to be there.
fn text(place: &Place, table: &Table, field: &str, accepted: &str) -> Result<String, CatalogueError> {
    let found = optional(place, table, field)?.ok_or_else(|| place.lacks(field, accepted))?;
    fits(place, field, &found)?;
    Ok(found)
}

fn optional(place: &Place, table: &Table, field: &str) -> Result<Option<String>, CatalogueError> {
    match table.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(place.refuse(field, other, "a text in quotes")),
    }
}

/// The tables of a list; none where it is missing.
fn tables<'a>(place: &Place, table: &'a Table, field: &str) -> Result<Vec<&'a Table>, CatalogueError> {
    let Some(value) = table.get(field) else { return Ok(Vec::new()) };
    let refused = || place.refuse(field, value, format!("tables, [[{field}]]"));
    value.as_array().ok_or_else(refused)?.iter().map(|one| one.as_table().ok_or_else(refused)).collect()
}

fn known(place: &Place, table: &Table, fields: &[&str]) -> Result<(), CatalogueError> {
    match table.keys().find(|key| !fields.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(CatalogueError::Unknown {
            place: Box::new(place.clone()),
            field: quoted(key),
            accepted: fields.join(", "),
        }),
    }
}
